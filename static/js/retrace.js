// How far back to read, so that a replay which begins in the middle shows what playing from the start would.
//
// A screen holds few lines, so most of what was said before cannot be seen any more. What can: a line that is
// still there, and its "×37", which counts equal lines that may go back for hours. And a deletion can uncover
// an older line, which the next message then joins. So a stretch of events is played on an empty screen, and
// beside it stands what is not known: which lines lie below the ones that the stretch made.
//
// - A line is *unsure* if its event might have joined a line below that the stretch does not know: the screen
//   was empty as it came, or held only one line, equal and alone, which the third of a flood joins together
//   with the one before (lines.js); or if it joined, or lies on, a line of its own key that is unsure.
//   A line that comes upon one with another key, or that always stands alone, is sure: whatever the unsure line
//   is merged with, its key is the same. Unsure lines are therefore the lowest ones, and what lies above
//   them is, line by line, what lies on the true screen, counted from the newest.
// - What has begun to fade is not joined, and lines fade in their order. So once `fade_seconds` have passed
//   since the youngest that may lie below was said, nothing below can be joined, and a little later there is
//   nothing. That one is as old as the stretch; or younger, if a deletion took an unsure line: what it may have
//   joined goes on, as young as the line was. The same bounds how long an unsure line may be joined.
//
// The screen is the true one from the first moment on at which
//
//   (a) it is full of sure lines: the true screen holds no more than that, and its newest are these; or
//   (b) no line is unsure, and everything older than the stretch has faded and gone.
//
// From then on both take the same events at the same times, and `Screen` is a function of those alone. Hence
// the rest of the stretch, deletions and all, keeps them equal.
//
// What becomes of an event in a flood (flood.js) depends on those of a few seconds before, and on those of its own
// round. So all of the above begins with the first event of a round whose step is known, that is, `MEMORY_MS` behind
// the beginning of the stretch. What a flood gathers joins lines of its own round only; these are known, so nothing
// becomes unsure by it.

import { COLLAPSE, MEMORY_MS, ROUND_MS } from "./flood.js";
import { collapse_key } from "./lines.js";
import { LEAVE_MS, Screen } from "./screen.js";

/**
 * Whether playing `stretch` on an empty screen up to `now` shows what is shown by playing everything.
 *
 * @param {{at: number, event: object}[]} stretch all chat and activities of a while before `now`, in order (ms)
 * @param {number} now
 * @param {object} settings joined settings (settings.js)
 * @param {number} [started] when the recording began (ms since 1970): the clock that a flood is counted by
 */
export function is_settled(stretch, now, settings, started = 0) {
  if (!stretch.length) return false;
  const screen = new Screen(settings);
  const life = screen.life_ms;
  const known_from = stretch[0].at + MEMORY_MS;
  let round = null; // Of the last message or activity, until `below` is known.
  let unsure = new Set();
  let below = null; // The youngest that may lie below.

  const is_true = (at) => {
    const { all } = screen.lines;
    if (unsure.size && all.some((it) => unsure.has(it))) return false;
    return all.length >= settings.max_messages || (life > 0 && at - below >= life + LEAVE_MS);
  };

  for (const { at, event } of stretch) {
    const time = at + started;
    screen.expire(time);
    if (below === null) {
      const admitted = screen.admits(event);
      const its_round = Math.floor(time / ROUND_MS);
      if (!admitted || its_round === round || at <= known_from) {
        if (admitted) round = its_round;
        screen.take(event, time);
        continue;
      }
      screen.lines.clear();
      below = at;
    }
    const key = screen.admits(event) ? collapse_key(event) : null;
    const may_join = (born) => life === 0 || at - Math.max(below, born - started) < life;
    const joins = key !== null && screen.flood.step(time) < COLLAPSE;
    const touched = joins ? uncertain(screen.lines.all, key, unsure, may_join) : null;
    const before = new Set(screen.lines.all.filter((it) => unsure.has(it)));
    screen.take(event, time);
    unsure = new Set(screen.lines.all.filter((it) => unsure.has(it)));
    if (touched) for (const line of [...touched, screen.lines.all.at(-1)]) unsure.add(line);
    else for (const line of before) if (!unsure.has(line)) below = Math.max(below, line.born - started);
    if (is_true(at)) return true;
  }
  screen.expire(now + started);
  return below !== null && is_true(now);
}

/** The lines that, like the one to come, are unsure because of it; null if it is sure. */
function uncertain(lines, key, unsure, may_join) {
  const last = lines.at(-1);
  if (!last) return may_join(-Infinity) ? [] : null;
  if (last.key !== key) return null;
  if (unsure.has(last)) return may_join(last.born) ? [last] : null;
  if (last.leaving || last.count > 1) return null;
  const before = lines.at(-2);
  if (!before) return may_join(-Infinity) ? [last] : null;
  return before.key === key && unsure.has(before) && may_join(before.born) ? [last, before] : null;
}

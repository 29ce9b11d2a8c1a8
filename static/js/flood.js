// What becomes of lines that come faster than they can be read. It knows nothing of pages or clocks: it is told
// what arrives and when, and so a recording always floods in the same way.
//
//   calm      every line, as it comes, moving in
//   busy      nothing moves in; of one viewer only a few lines at a time
//   collapse  equal lines become one with "×37", wherever it stands
//   sample    of the rest, a few lines a second
//
// Activities, paid messages, moderators and the broadcaster are always shown; first-timers too, unless they are a
// raid. What is not shown is counted, and is in the feed, the pop-out and the log as ever.
//
// A step is taken at once, and left when no second of the last few was as busy: so it never flickers, and it depends
// on nothing older than `MEMORY_MS`. Whatever else is counted begins anew with every round, and rounds begin at
// multiples of `ROUND_MS`. That is what lets a replay begin in the middle of a flood (retrace.js).

export const STEPS = Object.freeze(["calm", "busy", "collapse", "sample"]);
export const CALM = 0;
export const BUSY = 1;
export const COLLAPSE = 2;
export const SAMPLE = 3;

const ABOVE = [12, 20, 30]; // Lines a second above which it is busy, collapses, is sampled.
const HOLD_SECONDS = 4; // A step is left after so many seconds below it.
export const MEMORY_MS = (HOLD_SECONDS + 1) * 1000;
export const ROUND_MS = 4000;
const VIEWER_LINES = 3; // Of one viewer in a round.
const FIRST_TIMERS = 20; // In a round; more of them are treated like everybody else.
const SAMPLE_MS = 200; // One line in so long, when sampled: what a reader can just follow.

// Frames that come this late (ms) are too slow for the step; these are good again.
const LATE_MS = 40;
const TIMELY_MS = 25;
const STRAIN_MOST = 2;

export const ALWAYS = 2;
export const FIRST_TIMER = 1;
const KEPT_FLAGS = ["highlighted", "redeemed", "synthetic"];

/** Whether a line is always shown (`ALWAYS`), shown within bounds (`FIRST_TIMER`), or like any other (0). */
export function rank_of({ type, data }) {
  if (type !== "chat.message" || data.amount) return ALWAYS;
  const { author, flags } = data;
  if (author.roles.includes("moderator") || author.roles.includes("broadcaster")) return ALWAYS;
  if (KEPT_FLAGS.some((it) => flags.includes(it))) return ALWAYS;
  return flags.includes("first_message") ? FIRST_TIMER : 0;
}

/** The step for so many lines a second. */
export function step_for(per_second) {
  return ABOVE.filter((it) => per_second > it).length;
}

export class Flood {
  /** Of the lines that came: those that joined another, and those that were not shown. */
  counts = { received: 0, collapsed: 0, skipped: 0 };
  #seconds = new Map(); // Second → lines in it; the last few.
  #round = 0; // Changes with every round, and whenever it is calm.
  #round_from = -Infinity; // -Infinity while it is calm.
  #viewers = new Map(); // Author's id → lines in this round.
  #first_timers = 0; // In this round.
  #sampled = -1; // The last stretch of SAMPLE_MS of which a line was shown.
  #strain = 0; // Steps added because frames are late.
  #lateness = 0; // Of frames (ms), smoothed.
  #strained_at = -Infinity;

  /** Lines of one round are told from those of another by this. */
  get round() {
    return this.#round;
  }

  /** A line comes, whatever becomes of it. */
  arrive(now) {
    this.counts.received += 1;
    const second = Math.floor(now / 1000);
    this.#seconds.set(second, (this.#seconds.get(second) ?? 0) + 1);
    for (const it of this.#seconds.keys()) {
      if (it >= second - HOLD_SECONDS) break; // Oldest first.
      this.#seconds.delete(it);
    }
    if (this.step(now) === CALM) this.#begin_round(-Infinity);
    else if (now >= this.#round_from + ROUND_MS) this.#begin_round(Math.floor(now / ROUND_MS) * ROUND_MS);
  }

  /** The most lines within one of the last few seconds. */
  peak(now) {
    const second = Math.floor(now / 1000);
    let peak = 0;
    for (const [it, count] of this.#seconds) if (it >= second - HOLD_SECONDS && it <= second) peak = Math.max(peak, count);
    return peak;
  }

  step(now) {
    const step = step_for(this.peak(now));
    return step === CALM ? CALM : Math.min(SAMPLE, step + this.#strain);
  }

  /** Whether a line that joins no other is shown. */
  lets(event, now) {
    const step = this.step(now);
    if (step === CALM) return true;
    const rank = rank_of(event);
    if (rank === ALWAYS) return true;
    if (rank === FIRST_TIMER && this.#first_timers < FIRST_TIMERS) {
      this.#first_timers += 1;
      return true;
    }
    const viewer = event.data.author.id;
    const lines = this.#viewers.get(viewer) ?? 0;
    const stretch = Math.floor(now / SAMPLE_MS);
    if (lines >= VIEWER_LINES || (step === SAMPLE && stretch === this.#sampled)) {
      this.skip();
      return false;
    }
    this.#sampled = stretch;
    this.#viewers.set(viewer, lines + 1);
    return true;
  }

  /** A line is not shown. */
  skip() {
    this.counts.skipped += 1;
  }

  /** A line became part of another. */
  collapse() {
    this.counts.collapsed += 1;
  }

  /** How late a frame came that was asked for (ms). Never told in a replay: there only the recording counts. */
  note_frame(late_ms, now) {
    this.#lateness += (late_ms - this.#lateness) / 10;
    const since = now - this.#strained_at;
    if (this.#lateness > LATE_MS && this.#strain < STRAIN_MOST && since >= 1000) this.#strain += 1;
    else if (this.#lateness < TIMELY_MS && this.#strain > 0 && since >= HOLD_SECONDS * 1000) this.#strain -= 1;
    else return;
    this.#strained_at = now;
  }

  /** What follows begins anew. */
  clear() {
    this.#seconds.clear();
    this.#begin_round(-Infinity);
  }

  #begin_round(from) {
    if (from === -Infinity && this.#round_from === from) return; // As calm as it was.
    this.#round += 1;
    this.#round_from = from;
    this.#viewers.clear();
    this.#first_timers = 0;
    this.#sampled = -1;
  }
}

// What is on an overlay's screen, or will be at the next frame: an ordered, bounded list of lines.
// It knows nothing of the DOM, so it can be kept while nothing is drawn.

import { rank_of } from "./flood.js";
import { Members } from "./members.js";

const COLLAPSE_FROM = 3; // Two equal lines may be honest; the third is a flood.

export class Lines {
  #max;
  #lines = [];
  #removed = []; // Lines that have an element and must lose it.
  #changed = new Set(); // Lines whose element is out of date.

  constructor(max) {
    this.#max = max;
  }

  get all() {
    return this.#lines;
  }

  /** Whether there is anything to do at the next frame. */
  get is_dirty() {
    return this.#removed.length > 0 || this.#changed.size > 0;
  }

  resize(max) {
    this.#max = max;
    this.#trim();
  }

  /**
   * Adds an event as the newest line, or to the run of equal lines that it goes on. True if it became a line.
   *
   * @param {object} event
   * @param {object} [options]
   * @param {number|null} [options.round] of the flood that gathers lines (flood.js): then it stands alone until they do
   * @param {number} [options.received] when it came, for whoever measures
   */
  add(event, { animate = false, born = Date.now(), round = null, received = 0 } = {}) {
    const key = collapse_key(event);
    const line = { event, key, count: 1, members: new Members(event), animate, born, leaving: false, element: null, round, received };
    if (round === null && key !== null && this.#join(line)) return false;
    this.#lines.push(line);
    this.#changed.add(line);
    this.#trim();
    return true;
  }

  /** Joins an event to the equal line of this round, wherever it stands. True if there is one. */
  gather(event, round) {
    const key = collapse_key(event);
    if (key === null) return false;
    const line = this.#lines.findLast((it) => it.round === round && it.key === key && !it.leaving);
    if (!line) return false;
    this.#grow(line, event);
    return true;
  }

  #join(line) {
    const last = this.#lines.at(-1);
    if (!last || last.key !== line.key || last.leaving) return false;
    if (last.count === 1) {
      const before = this.#lines.at(-COLLAPSE_FROM + 1);
      if (!before || before.key !== line.key || before.leaving) return false;
      last.members.join(before.members);
      this.#lines.splice(this.#lines.indexOf(before), 1);
      this.#drop(before);
    }
    this.#grow(last, line.event);
    last.born = line.born;
    return true;
  }

  #grow(line, event) {
    line.members.add(event);
    line.count = line.members.count;
    this.#changed.add(line);
  }

  #trim() {
    while (this.#lines.length > this.#max) this.#drop(this.#lines.shift());
  }

  #drop(line) {
    this.#changed.delete(line);
    if (line.element) this.#removed.push(line);
  }

  /** Takes away everything whose data `matches`. */
  remove(matches) {
    this.#lines = this.#lines.filter((line) => {
      if (!line.members.remove(matches)) return true;
      line.count = line.members.count;
      if (line.count === 0) {
        this.#drop(line);
        return false;
      }
      // If the one shown is gone, the line goes on under the next viewer's name.
      this.#show_first(line);
      this.#changed.add(line);
      return true;
    });
  }

  /** Puts what `change` makes of each event in its place; the same event is no change. */
  change(change) {
    for (const line of this.#lines) {
      line.members.change(change);
      if (this.#show_first(line)) this.#changed.add(line);
    }
  }

  /** True if that is another than was shown. */
  #show_first(line) {
    const [first] = line.members.events;
    if (line.event === first) return false;
    line.event = first;
    line.stale = true;
    return true;
  }

  /** Takes away a line that nobody can draw. */
  discard(line) {
    this.#lines = this.#lines.filter((it) => it !== line);
    this.#drop(line);
  }

  clear() {
    for (const line of this.#lines) this.#drop(line);
    this.#lines = [];
  }

  /** Marks lines born before `born_before` as leaving and drops those that have left. */
  expire(born_before, gone_before) {
    while (this.#lines.length && this.#lines[0].born <= gone_before) this.#drop(this.#lines.shift());
    for (const line of this.#lines) {
      if (line.born > born_before) break;
      if (!line.leaving) {
        line.leaving = true;
        this.#changed.add(line);
      }
    }
  }

  /** The work of one frame. After this, the page is up to date. */
  take() {
    const work = { removed: this.#removed, changed: [...this.#changed] };
    this.#removed = [];
    this.#changed.clear();
    return work;
  }

  /** Every line must be drawn anew, as after a change of settings. */
  redraw() {
    for (const line of this.#lines) {
      line.stale = true;
      line.animate = false;
      this.#changed.add(line);
    }
  }
}

/** What makes two lines equal; null for a line that always stands alone. */
export function collapse_key(event) {
  return rank_of(event) ? null : event.data.text.trim().toLowerCase();
}

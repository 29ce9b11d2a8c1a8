// The polls, tallies, scoreboards and the queue of a room as they are now: whole snapshots go in, the one to show
// comes out.

import { Moderation, matcher } from "../moderation.js";

const MOST = 50; // Of each kind.

/** The events that carry them: where each is kept, and what its id is called. */
export const KINDS = Object.freeze({
  "poll.update": Object.freeze({ list: "polls", id: "poll_id" }),
  "tally.update": Object.freeze({ list: "tallies", id: "tally_id" }),
  "score.update": Object.freeze({ list: "scoreboards", id: "scoreboard_id" }),
});

export class Boards {
  #all = new Map(Object.keys(KINDS).map((kind) => [kind, new Map()])); // The one that changed last is last.

  #queue = [];
  #moderation = new Moderation();
  #admits;

  /** @param {(message: object) => boolean} [admits] which messages of the queue are shown */
  constructor(admits = () => true) {
    this.#admits = admits;
  }

  /** Takes in an event. True if it changes what there is. */
  take(event) {
    const { type, data } = event;
    if (type === "queue.update") {
      const items = Array.isArray(data?.items) ? data.items : [];
      // A deletion may have overtaken the queue that still has the message.
      this.#queue = items.filter((it) => typeof it?.id === "string" && !this.#moderation.hides(it));
      return true;
    }
    if (this.#moderation.note(event)) {
      const gone = matcher(event);
      const left = this.#queue.filter((it) => !gone(it));
      const changed = left.length < this.#queue.length;
      this.#queue = left;
      return changed;
    }
    const kind = Object.hasOwn(KINDS, type) ? KINDS[type] : null;
    const id = kind && data?.[kind.id];
    if (typeof id !== "string") return false;
    const all = this.#all.get(type);
    all.delete(id);
    all.set(id, data);
    if (all.size > MOST) all.delete(all.keys().next().value);
    return true;
  }

  /** Takes in what the server says when it greets: everything, in place of what was known. */
  greet(told, queue) {
    if (Array.isArray(queue)) this.take({ type: "queue.update", data: { items: queue } });
    for (const [type, { list }] of Object.entries(KINDS)) {
      this.#all.get(type).clear();
      for (const data of [...(told?.[list] ?? [])].reverse()) this.take({ type, data });
    }
  }

  /** The one of that id, or, without an id, the one that changed last of those that `fits` admits. */
  pick(type, id = "", fits = () => true) {
    if (type === "queue.update") {
      const queue = { items: this.#queue.filter((it) => this.#admits(it)) };
      return fits(queue) ? queue : null;
    }
    const all = this.#all.get(type);
    if (id) {
      const found = all.get(id);
      return found !== undefined && fits(found) ? found : null;
    }
    return [...all.values()].reverse().find(fits) ?? null;
  }
}

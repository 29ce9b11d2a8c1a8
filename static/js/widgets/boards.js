// The polls, tallies, scoreboards and the queue of a room as they are now: whole snapshots go in, the one to show
// comes out.

import { Moderation, matcher } from "../moderation.js";

const MOST = 50; // Of each kind.
const TOLD_MOST = 12; // Of each kind, in a greeting: BOARDS_MOST of the server.

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
  #pinned;
  #kept = new Set(); // The kinds whose pinned one the greeting did not tell of.

  /**
   * @param {(message: object) => boolean} [admits] which messages of the queue are shown
   * @param {string} [pinned] the id of the one that the page is about, however long ago it changed
   */
  constructor(admits = () => true, pinned = "") {
    this.#admits = admits;
    this.#pinned = pinned;
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
    if (data.removed) return true;
    all.set(id, data);
    if (all.size > MOST) all.delete(all.keys().next().value);
    return true;
  }

  /**
   * Takes in what the server says when it greets: everything, in place of what was known. Only where it tells as many as
   * it ever does may there be more: there the pinned one stays, if it is not among them.
   */
  greet(told, queue) {
    if (Array.isArray(queue)) this.take({ type: "queue.update", data: { items: queue } });
    this.#kept.clear();
    for (const [type, { list, id }] of Object.entries(KINDS)) {
      const all = this.#all.get(type);
      const before = all.get(this.#pinned);
      const now = told?.[list] ?? [];
      all.clear();
      if (now.length >= TOLD_MOST && !now.some((it) => it?.[id] === this.#pinned)) {
        if (before !== undefined) all.set(this.#pinned, before);
        this.#kept.add(type);
      }
      for (const data of [...now].reverse()) this.take({ type, data });
    }
  }

  /** Whether an event from before the greeting says more of the pinned one than the greeting did. */
  says_more({ type, data }) {
    return this.#pinned !== "" && this.#kept.has(type) && data?.[KINDS[type].id] === this.#pinned;
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

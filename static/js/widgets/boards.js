// The polls, tallies and scoreboards of a room as they are now: whole snapshots go in, the one to show comes out.

const MOST = 50; // Of each kind.

/** The events that carry them: where each is kept, and what its id is called. */
export const KINDS = Object.freeze({
  "poll.update": Object.freeze({ list: "polls", id: "poll_id" }),
  "tally.update": Object.freeze({ list: "tallies", id: "tally_id" }),
  "score.update": Object.freeze({ list: "scoreboards", id: "scoreboard_id" }),
});

export class Boards {
  #all = new Map(Object.keys(KINDS).map((kind) => [kind, new Map()])); // The one that changed last is last.

  /** Takes in an event. True if it is one of a board. */
  take({ type, data }) {
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
  greet(told) {
    for (const [type, { list }] of Object.entries(KINDS)) {
      this.#all.get(type).clear();
      for (const data of [...(told?.[list] ?? [])].reverse()) this.take({ type, data });
    }
  }

  /** The one of that id, or, without an id, the one that changed last of those that `fits` admits. */
  pick(type, id = "", fits = () => true) {
    const all = this.#all.get(type);
    if (id) {
      const found = all.get(id);
      return found !== undefined && fits(found) ? found : null;
    }
    return [...all.values()].reverse().find(fits) ?? null;
  }
}

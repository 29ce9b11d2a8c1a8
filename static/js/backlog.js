// The events that a connection begins with, and which of them an overlay still shows: chat of the stream that runs
// now, and no state that the greeting has told already. A viewer of tonight's stream must not see the end of
// yesterday's chat, nor yesterday's settings.

/** The greeting says how these things stand. What led there comes behind it, and would undo it. */
const TOLD = new Set(["settings.update", "platform.status", "feature.show", "feature.clear"]);

export class Backlog {
  #greeted_at = -Infinity; // The newest seq when the connection began.
  #until = null; // {epoch, seq} of the hello that began it; null when nothing of it can come any more.
  #started_at = -Infinity; // Chat said before this (ms) is of an earlier stream.

  /** Every connection's first frame. */
  greet({ epoch, seq = 0, recovered, session }) {
    this.#greeted_at = seq;
    if (recovered) {
      // What broke off half-way goes on here. Under another epoch, its numbers say nothing about these.
      if (this.#until?.epoch !== epoch) this.#until = null;
      return;
    }
    this.#until = { epoch, seq };
    // An older server says nothing about streams: everything is of this one. With none open, nothing is.
    this.#started_at = session === undefined ? -Infinity : session === null ? Infinity : Date.parse(session.started_at);
  }

  /** Whether this is state of a moment before the greeting, be it in a backlog or in what a resume brings. */
  is_told({ type, seq }) {
    return TOLD.has(type) && seq <= this.#greeted_at;
  }

  /** Whether this is chat of an earlier stream. Deletions are not: they still count. */
  is_earlier({ type, seq, ts }) {
    if (!this.#until || !(seq <= this.#until.seq)) return false;
    return (type === "chat.message" || type === "activity") && Date.parse(ts) < this.#started_at;
  }
}

// The events that a new connection begins with, and which of them an overlay still shows: those of the stream
// that runs now. A viewer of tonight's stream must not see the end of yesterday's chat.

export class Backlog {
  #until = null; // {epoch, seq} of the hello that began it; null when nothing of it can come any more.
  #started_at = -Infinity; // Chat said before this (ms) is of an earlier stream.

  /** Every connection's first frame. */
  greet({ epoch, seq = 0, recovered, session }) {
    if (recovered) {
      // What broke off half-way goes on here. Under another epoch, its numbers say nothing about these.
      if (this.#until?.epoch !== epoch) this.#until = null;
      return;
    }
    this.#until = { epoch, seq };
    // An older server says nothing about streams: everything is of this one. With none open, nothing is.
    this.#started_at = session === undefined ? -Infinity : session === null ? Infinity : Date.parse(session.started_at);
  }

  /** Whether this is chat of an earlier stream. Deletions are not: they still count. */
  is_earlier({ type, seq, ts }) {
    if (!this.#until || !(seq <= this.#until.seq)) return false;
    return (type === "chat.message" || type === "activity") && Date.parse(ts) < this.#started_at;
  }
}

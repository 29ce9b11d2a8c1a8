// What an overlay shows, without a page to show it on: events and the time go in, lines and a featured
// message come out. The live overlay, the replay and the search for a place to start one (player.js) all
// ask this class, so that they cannot differ.

import { Filter } from "./filter.js";
import { COLLAPSE, Flood } from "./flood.js";
import { Lines } from "./lines.js";
import { matcher, redactor } from "./moderation.js";

export const LEAVE_MS = 700; // The transition of a line that fades, in overlay.css.

export class Screen {
  lines;
  flood = new Flood();
  featured = null;
  #settings;
  #filter;

  constructor(settings) {
    this.#settings = settings;
    this.#filter = new Filter(settings);
    this.lines = new Lines(settings.max_messages);
  }

  get life_ms() {
    return this.#settings.fade_seconds * 1000;
  }

  configure(settings) {
    this.#settings = settings;
    this.#filter = new Filter(settings);
    this.lines.resize(settings.max_messages);
    this.lines.remove((data) => !this.#filter.admits({ type: data.system_text === undefined ? "chat.message" : "activity", data }));
    this.lines.change((event) => this.#filter.censor(event));
    this.feature(this.featured);
  }

  /** Whether this event becomes a line, or part of one. */
  admits(event) {
    if (event.type !== "chat.message" && event.type !== "activity") return false;
    return !this.#settings.focus && this.#filter.admits(event);
  }

  /** Whether this event changes what is seen by adding to it. */
  draws(event) {
    if (event.type === "feature.show" || event.type === "feature.clear") return this.#settings.focus;
    return this.admits(event);
  }

  /** Puts an event into the featured message's place, or null. */
  feature(event) {
    this.featured = event && this.#filter.censor(event);
  }

  /** Adds an event as a line, or to one. What is said `live` is part of a flood, if there is one. */
  add(news, { now, born = now, animate = false, live = false, received = 0 }) {
    if (this.life_ms && now - born > this.life_ms) return;
    const { flood, lines } = this;
    const event = this.#filter.censor(news);
    if (!live) {
      lines.add(event, { animate, born });
      return;
    }
    const round = flood.step(now) >= COLLAPSE ? flood.round : null;
    if (round !== null && lines.gather(event, round)) flood.collapse();
    else if (flood.lets(event, now) && !lines.add(event, { animate, born, round, received })) flood.collapse();
  }

  /** Applies a deletion to what is on screen. True if it took the featured message, or words from it. */
  remove(deletion) {
    const gone = matcher(deletion);
    const redact = redactor(deletion);
    this.lines.remove(gone);
    this.lines.change(redact);
    const before = this.featured;
    if (before) this.featured = gone(before.data) ? null : redact(before);
    return this.featured !== before;
  }

  /** Lets lines fade and go. In a replay this comes before every event too: what has begun to fade is not joined. */
  expire(now) {
    if (this.life_ms) this.lines.expire(now - this.life_ms, now - this.life_ms - LEAVE_MS);
  }

  clear() {
    this.flood.clear();
    this.lines.clear();
    this.featured = null;
  }

  /**
   * One event of a recording, at its own time. True if the featured message changed.
   *
   * Nothing is remembered of a deletion beyond what it takes away: a recording comes with everything
   * redacted that was ever moderated, and a memory would make the screen depend on where playing began.
   */
  take(event, now, { animate = false } = {}) {
    this.expire(now);
    switch (event.type) {
      case "chat.message":
      case "activity":
        if (!this.admits(event)) return false;
        this.flood.arrive(now);
        this.add(event, { now, animate, live: true });
        return false;
      case "chat.delete":
      case "chat.redacted":
      case "chat.clear_user":
      case "chat.clear":
        return this.remove(event);
      case "feature.show":
      case "feature.clear":
        if (!this.#settings.focus) return false;
        this.feature(event.type === "feature.show" ? event : null);
        return true;
      default: // Settings are those of now, not of then; the platforms' state is nobody's news any more.
        return false;
    }
  }
}

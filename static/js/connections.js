// How the channels of a room are, and this window's own connection: a panel of the pop-out.

import { TITLES, make } from "./rooms.js";

const STATES = {
  connecting: "connecting", live: "live", degraded: "has trouble", paused: "paused", offline: "offline",
  disabled: "disabled",
};

/** A platform's mark, for the eye only: its name stands beside it. */
export function platform_mark(platform) {
  const made = make("span", "platform");
  made.dataset.platform = platform;
  made.setAttribute("aria-hidden", "true");
  return made;
}

export class Connections {
  #panel;
  #statuses = new Map();
  #rules = new Map(); // platform → what its chat allows
  #is_live = false;

  constructor(panel) {
    this.#panel = panel;
  }

  begin(statuses) {
    this.#statuses.clear();
    for (const it of statuses) this.note(it);
  }

  note(status) {
    this.#statuses.set(`${status.platform} ${status.channel}`, status);
  }

  note_rules(state) {
    this.#rules.set(state.platform, state);
    this.#redraw();
  }

  note_own(is_live) {
    this.#is_live = is_live;
    this.#redraw();
  }

  /** What is wrong, in a few words (empty when nothing is), and why. */
  summary() {
    const troubled = [...this.#statuses.values()].filter((it) => it.state === "degraded" || it.state === "disabled");
    const text =
      troubled.length > 1 ? `${troubled.length} of ${this.#statuses.size} have trouble`
      : troubled.length ? `${TITLES[troubled[0].platform]} ${STATES[troubled[0].state]}`
      : "";
    const reasons = troubled.map((it) => `${TITLES[it.platform]}: ${it.detail || STATES[it.state]}`).join("\n");
    return { text, reasons, has_trouble: troubled.length > 0 };
  }

  open() {
    this.#draw();
    this.#panel.hidden = false;
  }

  /** True if it was open. */
  close() {
    if (this.#panel.hidden) return false;
    this.#panel.hidden = true;
    return true;
  }

  #redraw() {
    if (!this.#panel.hidden) this.#draw();
  }

  #draw() {
    const own = make("li", "status", make("span", "dot"), platform_mark("streamsuites"), make("span", "channel", "This window"),
      make("span", "detail", this.#is_live ? "connected" : "reconnecting…"));
    own.dataset.state = this.#is_live ? "live" : "connecting";
    this.#panel.replaceChildren(make("ul", "statuses", own, ...[...this.#statuses.values()].map((it) => this.#item(it))));
  }

  #item({ platform, channel, state, detail, viewers }) {
    const name = make("span", "channel", channel);
    name.dir = "auto";
    name.title = channel;
    const facts = [STATES[state] ?? state, detail, Number.isInteger(viewers) ? `${viewers.toLocaleString()} watching` : "",
      this.#rules.has(platform) ? rules(this.#rules.get(platform)) : ""];
    const item = make("li", "status", make("span", "dot"), platform_mark(platform), name,
      make("span", "detail", facts.filter(Boolean).join(" · ")));
    item.dataset.state = state;
    return item;
  }
}

function rules({ slow_seconds, followers_only_minutes, subscribers_only, emote_only, unique_chat }) {
  return [
    slow_seconds ? `slow ${slow_seconds} s` : "",
    followers_only_minutes === null || followers_only_minutes === undefined ? ""
      : followers_only_minutes ? `followers of ${followers_only_minutes} min` : "followers only",
    subscribers_only ? "subscribers only" : "",
    emote_only ? "emotes only" : "",
    unique_chat ? "no repeats" : "",
  ].filter(Boolean).join(", ");
}

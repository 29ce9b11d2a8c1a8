// A poll: bars that grow with the votes, and a winner when it ends.

import { finite, percents, shares, clock_text, winners } from "./numbers.js";
import { Counter, Rows, celebrate, element, keys, say, words } from "./parts.js";

export const type = "poll.update";

export const fits = ({ state }) => state === "open" || state === "closed";

/** When it has been seen for long enough (ms since 1970); `Infinity` while it is open. */
export function leaves_at({ state, closed_at }, stay_ms, now) {
  if (state !== "closed" || !stay_ms) return Infinity;
  const closed = Date.parse(closed_at ?? "");
  return (Number.isNaN(closed) ? now : closed) + stay_ms;
}

/** What viewers write while it is open, in pieces; nothing where the snapshot does not say. */
export function how_to_vote({ state, vote_trigger, bare_numbers, options }) {
  const last = Array.isArray(options) ? options.length : 0;
  if (state !== "open" || !last) return [];
  const typed = (text) => ({ text, is_typed: true });
  const range = (word) => [typed(`${word}1`), { text: " … " }, typed(`${word}${last}`)];
  if (bare_numbers === true) return [{ text: "Write " }, ...range("")];
  const word = typeof vote_trigger === "string" ? vote_trigger.trim() : "";
  return word ? [{ text: "Write " }, ...range(`${word} `)] : [];
}

export class Poll {
  #write;
  #title = words("widget-title");
  #how = element("p", "widget-how");
  #state = element("span", "widget-state");
  #votes;
  #rows;
  #shown = null;
  #timer = 0;

  constructor({ write }) {
    this.#write = write;
    this.#votes = new Counter("widget-number", write);
    this.#rows = new Rows("widget-rows", () => this.#make_row());
    this.element = element("section", "widget-card widget-poll",
      element("header", "widget-head", this.#title, this.#state),
      this.#how,
      this.#rows.element,
      element("footer", "widget-foot", this.#votes.element, element("span", "widget-unit", "votes")));
  }

  #make_row() {
    const label = words("widget-label");
    const bar = element("span", "widget-bar");
    const percent = new Counter("widget-percent", (it) => `${Math.round(it)}%`);
    const votes = new Counter("widget-count", this.#write);
    const mark = element("span", "widget-mark");
    const choice = element("span", "widget-choice");
    return { choice, element: element("li", "widget-row", bar, mark, choice, label, votes.element, percent.element), label, bar, percent, votes };
  }

  show(poll, { moves, live }) {
    const options = Array.isArray(poll.options) ? poll.options : [];
    const counts = options.map((it) => Math.max(0, finite(it.votes)));
    const [parts, whole] = [shares(counts), percents(counts)];
    const best = new Set(winners(counts));
    const ids = keys(options.map((it) => String(it.option_id)));
    const is_closed = poll.state === "closed";
    const card = this.element;
    card.dataset.state = poll.state;
    say(this.#title, poll.question);
    const how = how_to_vote(poll);
    this.#how.replaceChildren(...how.flatMap((it) => (it.is_typed ? [words("widget-typed", it.text)] : [it.text])));
    this.#votes.set(counts.reduce((sum, it) => sum + it, 0), moves);
    const slide = this.#rows.show(options.map((it, at) => ({ ...it, at, key: ids[at] })), (row, { at, label }) => {
      say(row.label, label);
      // What a vote by number is for.
      row.choice.textContent = how.length ? String(at + 1) : "";
      row.element.dataset.rank = String(1 + counts.filter((it) => it > counts[at]).length);
      row.element.toggleAttribute("data-leads", best.has(at));
      row.element.toggleAttribute("data-winner", is_closed && best.has(at));
      row.bar.style.setProperty("--share", String(parts[at]));
      row.percent.set(whole[at], moves);
      row.votes.set(counts[at], moves);
    }, moves);
    this.#tell_time(poll);
    const ended = live && is_closed && this.#shown?.poll_id === poll.poll_id && this.#shown.state === "open" && best.size > 0;
    this.#shown = poll;
    return () => {
      slide();
      if (ended && moves) celebrate(card);
    };
  }

  #tell_time(poll) {
    clearTimeout(this.#timer);
    const left = poll.state === "open" ? Date.parse(poll.closes_at ?? "") - Date.now() : NaN;
    this.#state.textContent = poll.state === "closed" ? "Final" : left > 0 ? clock_text(left) : "Open";
    this.#state.toggleAttribute("data-soon", left > 0 && left <= 10_000);
    if (left > 0) this.#timer = setTimeout(() => this.#tell_time(poll), (left % 1000) + 20);
  }

  leave() {
    clearTimeout(this.#timer);
    this.#shown = null;
  }
}

export const Widget = Poll;

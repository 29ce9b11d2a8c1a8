// A scoreboard: who leads, and how they come there.

import { finite, lengths } from "./numbers.js";
import { Counter, Rows, celebrate, element, keys, say, words } from "./parts.js";

export const type = "score.update";

export const fits = () => true;

export class Scoreboard {
  #write;
  #top;
  #title = words("widget-title");
  #state = element("span", "widget-state");
  #rows;
  #shown = null;
  #places = new Map();

  constructor({ write, top }) {
    this.#write = write;
    this.#top = top;
    this.#rows = new Rows("widget-rows", () => this.#make_row());
    this.element = element("section", "widget-card widget-scoreboard",
      element("header", "widget-head", this.#title, this.#state), this.#rows.element);
  }

  #make_row() {
    const place = element("span", "widget-place");
    const label = words("widget-label");
    const bar = element("span", "widget-bar");
    const score = new Counter("widget-count", this.#write);
    const it = element("li", "widget-row", bar, place, label, score.element);
    it.addEventListener("animationend", ({ animationName }) => {
      if (animationName === "widget-moved") delete it.dataset.moved;
    });
    return { element: it, place, label, bar, score };
  }

  show(board, { moves, live }) {
    const all = Array.isArray(board.entries) ? board.entries : [];
    // The server's order is the ranking: it knows what decides between equals.
    const ids = keys(all.map((it) => String(it.label)));
    const entries = all.map((it, at) => ({ ...it, key: ids[at], place: finite(it.position) || at + 1 })).slice(0, this.#top);
    const parts = lengths(entries.map((it) => it.score));
    const same = this.#shown?.scoreboard_id === board.scoreboard_id;
    const places = same ? this.#places : new Map();
    const is_final = Boolean(board.finalized_at);
    const card = this.element;
    card.toggleAttribute("data-final", is_final);
    say(this.#title, board.title);
    this.#state.textContent = is_final ? "Final" : "";
    const slide = this.#rows.show(entries.map((it, at) => ({ ...it, at })), (row, { key, label, score, place, at }) => {
      const was = places.get(key);
      say(row.label, label);
      row.place.textContent = String(place);
      row.element.dataset.rank = String(place);
      row.element.toggleAttribute("data-winner", is_final && place === 1);
      row.bar.style.setProperty("--share", String(parts[at]));
      row.score.set(score, moves);
      if (moves && was !== undefined && was !== place) row.element.dataset.moved = place < was ? "up" : "down";
    }, moves);
    const ended = live && same && is_final && !this.#shown.finalized_at && entries.length > 0;
    this.#shown = board;
    this.#places = new Map(entries.map((it) => [it.key, it.place]));
    return () => {
      slide();
      if (ended && moves) celebrate(card);
    };
  }

  leave() {
    this.#shown = null;
    this.#places = new Map();
  }
}

export const Widget = Scoreboard;

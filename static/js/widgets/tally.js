// A tally: one large number, or, when it counts several things, a ranking of them.

import { lengths, ranked } from "./numbers.js";
import { Counter, Rows, element, keys, say, words } from "./parts.js";

export const type = "tally.update";

export const fits = () => true;

export class Tally {
  #write;
  #top;
  #title = words("widget-title");
  #count;
  #unit = words("widget-unit");
  #rows;
  #shown = null;

  constructor({ write, top }) {
    this.#write = write;
    this.#top = top;
    this.#count = new Counter("widget-big", write);
    this.#rows = new Rows("widget-rows", () => this.#make_row());
    this.element = element("section", "widget-card widget-tally",
      element("header", "widget-head", this.#title, element("span", "widget-amount", this.#count.element, this.#unit)),
      this.#rows.element);
  }

  #make_row() {
    const label = words("widget-label");
    const bar = element("span", "widget-bar");
    const count = new Counter("widget-count", this.#write);
    return { element: element("li", "widget-row", bar, label, count.element), label, bar, count };
  }

  show(tally, { moves }) {
    const items = Array.isArray(tally.items) ? tally.items : [];
    const ids = keys(items.map((it) => String(it.label)));
    const order = ranked(items.map((it, at) => ({ ...it, key: ids[at] })), (it) => it.count).slice(0, this.#top);
    const parts = lengths(order.map((it) => it.count));
    const card = this.element;
    card.toggleAttribute("data-single", items.length === 0);
    say(this.#title, tally.label);
    say(this.#unit, tally.unit);
    this.#count.set(tally.count, moves);
    const rows = order.map(({ item, count, rank }, at) => ({ key: item.key, label: item.label, count, rank, at }));
    const slide = this.#rows.show(rows, (row, { label, count, rank, at }) => {
      say(row.label, label);
      row.element.dataset.rank = String(rank);
      row.element.toggleAttribute("data-leads", rank === 1);
      row.bar.style.setProperty("--share", String(parts[at]));
      row.count.set(count, moves);
    }, moves);
    const before = this.#shown;
    this.#shown = tally;
    return () => {
      slide();
      if (moves && before?.tally_id === tally.tally_id && before.count !== tally.count) bump(this.#count.element);
    };
  }

  leave() {
    this.#shown = null;
  }
}

function bump(it) {
  it.animate([{ scale: 1 }, { scale: 1.16, offset: 0.3 }, { scale: 1 }], { duration: 420, easing: "ease-out" });
}

export const Widget = Tally;

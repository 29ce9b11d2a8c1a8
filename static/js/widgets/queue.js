// The queue: messages marked for discussion, next first. What is moderated leaves it at once.

import { with_emote_names } from "../render.js";
import { Rows, element, say, words } from "./parts.js";

export const type = "queue.update";

/** What else it must hear of: a deletion overtakes the queue that follows from it. */
export const also = Object.freeze(["chat.delete", "chat.clear", "chat.redacted"]);

export const fits = ({ items }) => items.length > 0;

export class Queue {
  #top;
  #rows;

  constructor({ top }) {
    this.#top = top;
    this.#rows = new Rows("widget-rows", () => this.#make_row());
    this.element = element("section", "widget-card widget-queue", this.#rows.element);
  }

  #make_row() {
    const place = element("span", "widget-place");
    const platform = element("span", "platform");
    const name = words("widget-name");
    const text = words("widget-text");
    const row = element("li", "widget-row", place,
      element("span", "widget-said", element("span", "widget-who", platform, name), text));
    return { element: row, place, platform, name, text };
  }

  show({ items }, { moves }) {
    const rows = items.slice(0, this.#top).map((data, at) => ({ key: String(data.id), data, at }));
    return this.#rows.show(rows, (row, { data, at }) => {
      const place = at + 1;
      row.place.textContent = String(place);
      row.element.dataset.rank = String(place);
      row.element.dataset.platform = data.platform;
      row.element.toggleAttribute("data-leads", at === 0);
      row.platform.dataset.platform = data.platform;
      say(row.name, data.author?.name);
      say(row.text, with_emote_names(String(data.text ?? "")));
    }, moves);
  }

  leave() {}
}

export const Widget = Queue;

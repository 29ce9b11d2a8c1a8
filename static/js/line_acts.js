// What can be done with one message of the pop-out: by the buttons on its line, by a click, or by a key.

import { icon } from "./queue.js";
import { make } from "./rooms.js";

const ACTS = [
  ["feature", "Feature on the overlay ( f )", "M4 4.5h12v8H4zM7 15.5h6"],
  ["queue", "Queue ( q, Ctrl+click )", "M3.5 5h9M3.5 10h9M3.5 15h5M14.5 12.5v5M12 15h5"],
  ["reply", "Answer ( r )", "M8 5 3.5 9.5 8 14M4 9.5h7c3 0 5 1.5 5.5 5"],
  ["hide", "Take the message away", "M3 3l14 14M8 5.2C12.5 4 16 7.5 17.5 10c-.6 1-1.4 2-2.4 2.9M5 7.3C3.8 8.200 3 9.200 2.500 10c2 3.300 5.500 6 10 4.700"],
];

function act_button([act, words, path]) {
  const button = make("button", "tool small");
  button.type = "button";
  button.tabIndex = -1; // Keys do the same for the line that is focused.
  button.dataset.act = act;
  button.title = words;
  button.setAttribute("aria-label", words);
  button.append(icon(path));
  return button;
}

export class LineActs {
  #queue;
  #send_box;
  #desk;
  #message_of;
  #pointed = null; // The line under the pointer.
  #buttons = make("div", "line-acts");

  /**
   * @param {object} options
   * @param {HTMLElement} options.log
   * @param {import("./queue.js").Queue} options.queue @param {import("./send_box.js").SendBox} options.send_box
   * @param {import("./desk.js").Desk} options.desk
   * @param {(line: Element|null) => object|null} options.message_of the message of a line, while it may still be shown
   * @param {(name: Element) => void} options.open_card
   */
  constructor({ log, queue, send_box, desk, message_of, open_card }) {
    this.#queue = queue;
    this.#send_box = send_box;
    this.#desk = desk;
    this.#message_of = message_of;
    this.#buttons.append(...ACTS.map(act_button));
    log.addEventListener("pointerover", (event) => this.#point(event));
    log.addEventListener("pointerleave", () => {
      this.#pointed = null;
      this.#buttons.remove();
    });
    log.addEventListener("click", (event) => {
      const line = event.target.closest?.(".line");
      const button = event.target.closest?.(".line-acts button");
      const name = event.target.closest?.(".name");
      if (button) this.#act(button.dataset.act, message_of(line));
      else if (queue.available && (event.ctrlKey || event.metaKey)) this.#act("queue", message_of(line));
      else if (name) open_card(name);
      // Whoever marks words to copy them, or follows a link, features nothing.
      // The second click of a double click may be over another line: what is featured moves the chat.
      else if (event.detail < 2 && getSelection().isCollapsed && !event.target.closest("a")) {
        this.#act("feature", message_of(line));
      }
    });
    // On a Mac, Ctrl+click asks for the menu instead of clicking.
    log.addEventListener("contextmenu", (event) => {
      const line = event.target.closest?.(".line");
      if (!queue.available || !event.ctrlKey || !message_of(line)) return;
      event.preventDefault();
      if (event.button === 0) this.#act("queue", message_of(line));
    });
  }

  /** Does it where keys act: to the line whose name has the focus, else to the one under the pointer. */
  act_here(name) {
    const focused = document.activeElement?.closest?.(".line");
    this.#act(name, this.#message_of(focused ?? (this.#pointed?.isConnected ? this.#pointed : null)));
  }

  #point(event) {
    const line = event.target.closest?.(".line");
    if (!line || line === this.#pointed) return;
    this.#pointed = line;
    this.#buttons.remove();
    const there = this.#queue.available;
    const may = {
      feature: there && this.#queue.may_feature, queue: there && this.#queue.may_queue, reply: this.#send_box.available, hide: this.#desk.may_hide,
    };
    if (event.pointerType !== "mouse" || !Object.values(may).some(Boolean) || !this.#message_of(line)) return;
    for (const it of this.#buttons.children) it.hidden = !may[it.dataset.act];
    line.append(this.#buttons);
  }

  #act(name, message) {
    if (!message) return;
    if (name === "feature" && this.#queue.available) this.#queue.feature(message);
    else if (name === "queue" && this.#queue.available) this.#queue.add(message);
    else if (name === "reply") this.#send_box.answer(message);
    else if (name === "hide" && this.#desk.may_hide) void this.#desk.hide_message(message);
  }
}

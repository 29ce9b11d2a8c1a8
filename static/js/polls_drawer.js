// The pop-out's drawer of polls, tallies and scoreboards: with buttons for those who may, for all others as soon as there
// is something to see.

import { BoardsPanel } from "./boards/panel.js";

export class PollsDrawer {
  #parts;
  #memory;
  #panel;
  #may;
  #announce;
  #is_wanted; // Open as soon as there is something to see.
  #live_from = 0;

  /**
   * @param {object} options
   * @param {string} options.room
   * @param {string[]} options.rights what the reader may do: `polls`
   * @param {Record<string, HTMLElement>} options.parts `drawer place close button count`
   * @param {object} options.memory
   * @param {(words: string) => void} options.tell shows what went wrong
   * @param {(words: string) => void} options.announce says what happens
   */
  constructor({ room, rights, parts, memory, tell, announce }) {
    this.#parts = parts;
    this.#memory = memory;
    this.#announce = announce;
    this.#may = rights.includes("polls");
    this.#is_wanted = memory.read("polls") === "1";
    this.#panel = new BoardsPanel({
      room, may: this.#may, place: parts.place, tell: (why) => why && tell(why), changed: () => this.#draw(),
    });
    parts.button.addEventListener("click", () => this.toggle());
    parts.close.addEventListener("click", () => this.toggle(false));
    this.#draw();
  }

  get available() {
    return this.#may || this.#panel.has_any;
  }

  get is_open() {
    return !this.#parts.drawer.hidden;
  }

  /** What a connection begins with. */
  greet({ seq = 0, boards }) {
    this.#live_from = seq;
    this.#panel.store.greet(boards);
    if (this.#may) void this.#panel.store.read_all();
  }

  take(event) {
    if (!(event.seq > this.#live_from)) return;
    const before = this.#panel.store.list("polls").find((it) => it.poll_id === event.data?.poll_id)?.state;
    if (!this.#panel.store.take(event) || event.type !== "poll.update") return;
    const { state, question } = event.data;
    if (state !== before && (state === "open" || state === "closed")) this.#announce(`Poll ${state}: ${question}`);
  }

  toggle(open = !this.is_open, { by_hand = true } = {}) {
    if (open && !this.available) return;
    this.#parts.drawer.hidden = !open;
    this.#parts.button.setAttribute("aria-expanded", String(open));
    if (!by_hand) return;
    this.#is_wanted = open;
    this.#memory.write("polls", open ? "1" : "0");
    (open ? this.#parts.drawer : this.#parts.button).focus();
  }

  #draw() {
    if (!this.#panel) return;
    const { button, count } = this.#parts;
    const open = this.#panel.open_polls;
    button.hidden = !this.available;
    const is_open = this.available && this.#is_wanted;
    if (is_open !== this.is_open) this.toggle(is_open, { by_hand: false });
    count.hidden = !open;
    count.textContent = String(open);
    button.setAttribute("aria-label", open ? `Polls, ${open} open` : "Polls");
  }
}

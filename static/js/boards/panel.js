// Polls, tallies and scoreboards of a room in one place: in a drawer of the pop-out, and on the dashboard.

import { Polls } from "./polls.js";
import { Scoreboards } from "./scoreboards.js";
import { Store } from "./store.js";
import { Tallies } from "./tallies.js";

export class BoardsPanel {
  #parts;
  store;

  /**
   * @param {object} options
   * @param {string} options.room
   * @param {boolean} options.may whether the reader may change them; else they are only seen
   * @param {HTMLElement} options.place
   * @param {(why: string) => void} options.tell what went wrong; nothing where all went well
   * @param {() => void} [options.changed]
   */
  constructor({ room, may, place, tell, changed = () => {} }) {
    this.store = new Store({ room });
    this.#parts = [new Polls({ store: this.store, may, tell }), new Tallies({ store: this.store, may, tell }), new Scoreboards({ store: this.store, room, may, tell })];
    place.append(...this.#parts.map((it) => it.element));
    this.store.on("change", changed);
    for (const it of this.#parts) it.draw();
  }

  /** Whether there is anything to see. */
  get has_any() {
    return this.#parts.some((it) => !it.element.hidden);
  }

  /** How many polls run. */
  get open_polls() {
    return this.store.list("polls").filter((it) => it.state === "open").length;
  }
}

// The queue of messages to talk about, in a drawer: the next one first, reordered by hand or by keys, and what
// is on the overlay now. The server's order is the truth; a move is shown at once and taken back if refused. What
// joins, and what is featured, the feed alone says: an answer may be late, and what it tells of deleted meanwhile.

import { ask, reason_of } from "./ask.js";
import { bound_marks, with_emote_names } from "./render.js";
import { TITLES, make } from "./rooms.js";

const TEXT_MOST = 400;
const READS_MOST = 3; // As often is an answer asked for again that news have overtaken.

/** The list with one item at another place. */
export function moved(items, from, to) {
  const next = items.slice();
  next.splice(Math.max(0, Math.min(to, items.length - 1)), 0, ...next.splice(from, 1));
  return next;
}

/** Which place a pointer at `y` means for what it drags, among the middles of the others. */
export function place_of(y, middles) {
  return middles.filter((it) => it < y).length;
}

export class Queue {
  #parts;
  #path;
  #memory;
  #tell;
  #announce;
  #colour;
  #items = [];
  #featured = null;
  #dragged = null; // {end} while a hand moves an item.
  #late = null; // What came meanwhile.
  #news = 0; // How often the feed has told something: an answer asked for before that is old.
  available = false;

  /**
   * @param {object} options
   * @param {string} options.room
   * @param {string[]} options.rights what the reader may do: `queue`, `feature`
   * @param {Record<string, HTMLElement>} options.parts `drawer list empty next close button count featured`
   * @param {object} options.memory
   * @param {(words: string) => void} options.tell shows what went wrong
   * @param {(words: string) => void} options.announce says what was done
   * @param {(author: object) => string} options.colour of a name
   */
  constructor({ room, rights, parts, memory, tell, announce, colour }) {
    this.#path = `/api/rooms/${encodeURIComponent(room)}`;
    this.#parts = parts;
    this.#memory = memory;
    this.#tell = tell;
    this.#announce = announce;
    this.#colour = colour;
    this.may_queue = rights.includes("queue");
    this.may_feature = rights.includes("feature");
    parts.button.addEventListener("click", () => this.toggle());
    parts.close.addEventListener("click", () => this.toggle(false));
    parts.next.addEventListener("click", () => this.feature_next());
    parts.list.addEventListener("keydown", (event) => this.#key(event));
    parts.list.addEventListener("click", (event) => this.#click(event));
    parts.list.addEventListener("pointerdown", (event) => this.#drag(event));
  }

  // -------------------------------------------------------------- what comes

  /** What a connection begins with: without the queue in it, an older server is asked once. */
  async greet(hello) {
    this.show_featured(hello.featured ?? null);
    if (hello.queue) this.#offer(hello.queue.items ?? hello.queue);
    else if (this.may_queue || this.may_feature) await this.read();
  }

  async read() {
    for (let left = READS_MOST; left > 0; left -= 1) {
      const asked_at = this.#news;
      const { ok, body } = await ask("GET", `${this.#path}/queue`);
      if (!ok || !Array.isArray(body.items)) return;
      if (asked_at === this.#news) {
        this.#offer(body.items);
        return;
      }
    }
    this.#offer(this.#late ?? this.#items);
  }

  #offer(items) {
    const first = !this.available;
    this.available = this.may_queue || this.may_feature;
    this.take(items);
    if (!first || !this.available) return;
    this.#parts.button.hidden = false;
    document.documentElement.toggleAttribute("data-desk", true);
    if (this.#memory.read("queue") === "1") this.toggle(true, { by_hand: false });
  }

  take(items) {
    this.#news += 1;
    if (this.#dragged) {
      this.#late = items;
      return;
    }
    this.#items = items;
    this.#draw();
  }

  show_featured(message) {
    this.#featured = message;
    this.#draw_featured();
  }

  /** What was taken away is nowhere any more. The server says so as well, a little later. */
  drop(gone) {
    this.#news += 1;
    if ([...this.#items, ...(this.#late ?? [])].some(gone)) {
      this.#dragged?.end(); // What a hand holds, too, is still on the page.
      this.take(this.#items.filter((it) => !gone(it)));
    }
    if (this.#featured && gone(this.#featured)) this.show_featured(null);
  }

  /** Names keep their contrast when light and dark change. */
  redress() {
    this.#draw();
    this.#draw_featured();
  }

  is_featured(id) {
    return this.#featured?.id === id;
  }

  // -------------------------------------------------------------- what a hand does

  toggle(open = this.#parts.drawer.hidden, { by_hand = true } = {}) {
    if (open && !this.available) return;
    this.#parts.drawer.hidden = !open;
    this.#parts.button.setAttribute("aria-expanded", String(open));
    if (!by_hand) return;
    this.#memory.write("queue", open ? "1" : "0");
    if (!open) this.#parts.button.focus();
    else (this.#parts.list.querySelector("[tabindex='0']") ?? this.#parts.next).focus();
  }

  get is_open() {
    return !this.#parts.drawer.hidden;
  }

  async add(message) {
    if (!this.may_queue) return;
    if (this.#items.some((it) => it.id === message.id)) {
      this.#announce("Already in the queue");
      return;
    }
    const answer = await ask("POST", `${this.#path}/queue`, { message_id: message.id });
    if (!answer.ok) {
      this.#tell(reason_of(answer));
      return;
    }
    this.#announce(`Queued: ${message.author.name}`);
  }

  async feature(message) {
    if (!this.may_feature) return;
    if (this.is_featured(message.id)) {
      await this.clear();
      return;
    }
    const answer = await ask("POST", `${this.#path}/feature`, { message_id: message.id });
    if (!answer.ok) {
      this.#tell(reason_of(answer));
      return;
    }
    this.#announce(`On the overlay: ${message.author.name}`);
  }

  async feature_next() {
    if (!this.may_feature) return;
    if (!this.#items.length) {
      this.#announce("The queue is empty");
      return;
    }
    const answer = await ask("POST", `${this.#path}/feature`, { next: true });
    if (!answer.ok) this.#tell(reason_of(answer));
  }

  async clear() {
    if (!this.#featured || !this.may_feature) return;
    const answer = await ask("DELETE", `${this.#path}/feature`);
    if (!answer.ok && answer.status !== 404) {
      this.#tell(reason_of(answer));
      return;
    }
    this.#announce("Taken off the overlay");
  }

  async remove(id) {
    if (!this.may_queue) return;
    const before = this.#items;
    const at = before.findIndex((it) => it.id === id);
    if (at < 0) return;
    this.#items = before.filter((it) => it.id !== id);
    this.#draw(this.#items[Math.min(at, this.#items.length - 1)]?.id);
    const answer = await ask("DELETE", `${this.#path}/queue/${encodeURIComponent(id)}`);
    if (answer.ok || answer.status === 404) {
      this.#announce("Removed from the queue");
      return;
    }
    this.#tell(reason_of(answer));
    await this.read();
  }

  async move(id, to) {
    if (!this.may_queue) return;
    const from = this.#items.findIndex((it) => it.id === id);
    if (from < 0 || to < 0 || to >= this.#items.length || from === to) return;
    this.#items = moved(this.#items, from, to);
    this.#draw(id);
    const answer = await ask("PATCH", `${this.#path}/queue/${encodeURIComponent(id)}`, { position: to });
    if (answer.ok) {
      this.#announce(`Place ${to + 1} of ${this.#items.length}`);
      return;
    }
    this.#tell(reason_of(answer));
    await this.read();
  }

  // -------------------------------------------------------------- how it looks

  #draw(focused) {
    const { list, empty, next, count } = this.#parts;
    const had = focused ?? (list.contains(document.activeElement) ? document.activeElement.closest("li")?.dataset.id : null);
    list.replaceChildren(...this.#items.map((it, at) => this.#item(it, at)));
    const holder = [...list.children].find((it) => it.dataset.id === had) ?? list.firstElementChild;
    if (holder) holder.tabIndex = 0;
    if (had && holder) holder.focus();
    list.hidden = !this.#items.length;
    next.hidden = !this.may_feature;
    empty.hidden = this.#items.length > 0;
    next.disabled = !this.#items.length;
    count.hidden = !this.#items.length;
    count.textContent = this.#items.length > 99 ? "99+" : String(this.#items.length);
    this.#parts.button.setAttribute("aria-label", this.#items.length ? `Queue, ${this.#items.length} waiting` : "Queue");
  }

  #item(message, at) {
    const item = make("li", "queued");
    item.dataset.id = message.id;
    item.tabIndex = -1;
    const name = this.#name(message);
    const handle = make("span", "handle", String(at + 1));
    handle.setAttribute("aria-hidden", "true");
    handle.title = "Drag to reorder";
    item.append(handle, make("div", "queued-body", this.#mark(message), " ", name, " ", this.#text(message)));
    if (this.may_feature) item.append(this.#button("feature", "Feature on the overlay", "M4 4.5h12v8H4zM7 15.5h6"));
    if (this.may_queue) item.append(this.#button("remove", "Remove", "M5 5l10 10M15 5 5 15"));
    return item;
  }

  #name({ author }) {
    const name = make("bdi", "queued-name", bound_marks(author.name || author.login));
    name.style.setProperty("--name", this.#colour(author));
    return name;
  }

  #text({ text }) {
    const words = make("span", "queued-text", bound_marks(with_emote_names(text).slice(0, TEXT_MOST)));
    words.dir = "auto";
    return words;
  }

  #mark({ platform }) {
    const made = make("span", "platform");
    made.dataset.platform = platform;
    made.setAttribute("role", "img");
    made.setAttribute("aria-label", TITLES[platform] ?? platform);
    return made;
  }

  #button(act, words, path) {
    const button = make("button", "tool small", icon(path));
    button.type = "button";
    button.tabIndex = -1; // The keys of the item do the same; one stop per item.
    button.dataset.act = act;
    button.title = words;
    button.setAttribute("aria-label", words);
    return button;
  }

  #draw_featured() {
    const { featured } = this.#parts;
    const message = this.#featured;
    for (const it of document.querySelectorAll(".line.on-overlay")) it.classList.remove("on-overlay");
    featured.hidden = !message;
    featured.replaceChildren();
    if (!message) return;
    document.querySelector(`.line[data-message-id="${CSS.escape(message.id)}"]`)?.classList.add("on-overlay");
    const body = make("div", "queued-body", this.#mark(message), " ", this.#name(message), " ", this.#text(message));
    featured.append(make("span", "on-air", "On overlay"), body);
    if (!this.may_feature) return;
    const off = this.#button("off", "Take it off ( x )", "M5 5l10 10M15 5 5 15");
    off.tabIndex = 0;
    off.addEventListener("click", () => this.clear());
    featured.append(off);
  }

  // -------------------------------------------------------------- hands

  #click(event) {
    const button = event.target.closest("button");
    const id = event.target.closest("li")?.dataset.id;
    const message = this.#items.find((it) => it.id === id);
    if (!button || !message) return;
    if (button.dataset.act === "feature") this.feature(message);
    else this.remove(id);
  }

  #key(event) {
    const item = event.target.closest("li");
    if (!item || event.ctrlKey || event.metaKey) return;
    const at = [...item.parentElement.children].indexOf(item);
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (step && event.altKey) this.move(item.dataset.id, at + step);
    else if (step) this.#focus(at + step);
    else if (event.key === "Home") this.#focus(0);
    else if (event.key === "End") this.#focus(this.#items.length - 1);
    else if (event.key === "Delete" || event.key === "Backspace") this.remove(item.dataset.id);
    else if (event.key === "Enter" && event.target === item) this.feature(this.#items[at]);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #focus(at) {
    const items = this.#parts.list.children;
    if (!items[at]) return;
    for (const it of items) it.tabIndex = -1;
    items[at].tabIndex = 0;
    items[at].focus();
  }

  #drag(event) {
    const handle = event.target.closest(".handle");
    if (!handle || event.button !== 0) return;
    event.preventDefault();
    const item = handle.closest("li");
    const { list } = this.#parts;
    const { id } = item.dataset;
    const order = () => [...list.children].map((it) => it.dataset.id);
    const from = order().indexOf(id);
    let to = from;
    item.classList.add("dragged");
    const follow = ({ clientY }) => {
      const others = [...list.children].filter((it) => it !== item);
      const middles = others.map((it) => {
        const box = it.getBoundingClientRect();
        return box.top + box.height / 2;
      });
      to = place_of(clientY, middles);
      if ([...list.children].indexOf(item) !== to) list.insertBefore(item, others[to] ?? null);
    };
    const finish = ({ type }) => {
      removeEventListener("pointermove", follow);
      for (const it of ["pointerup", "pointercancel"]) removeEventListener(it, finish);
      this.#dragged = null;
      item.classList.remove("dragged");
      const late = this.#late;
      this.#late = null;
      if (late) this.#items = late;
      if (type === "pointerup" && to !== from && this.#items.findIndex((it) => it.id === id) !== to) this.move(id, to);
      else this.#draw();
    };
    this.#dragged = { end: () => finish({ type: "pointercancel" }) };
    addEventListener("pointermove", follow);
    for (const it of ["pointerup", "pointercancel"]) addEventListener(it, finish);
  }
}

/** A drawing of lines, 20 by 20. */
export function icon(path) {
  const NS = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(NS, "svg");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("aria-hidden", "true");
  const line = document.createElementNS(NS, "path");
  line.setAttribute("d", path);
  svg.append(line);
  return svg;
}

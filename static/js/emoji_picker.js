// The picker of emoji and of the emotes that chat has used while this window was open.

import { GROUPS, find_emoji } from "./emoji.js";
import { is_letter } from "./letter_keys.js";
import { make } from "./rooms.js";

const RECENT_MOST = 18;
const EMOTES_MOST = 120;
const EDGE_PX = 8;

export class EmojiPicker {
  #panel;
  #button;
  #memory;
  #pick;
  #search;
  #grid;
  #emotes = new Map(); // text → {text, words, url}

  /**
   * @param {object} options
   * @param {HTMLElement} options.panel @param {HTMLElement} options.button what opens it
   * @param {object} options.memory @param {(text: string, is_word: boolean) => void} options.pick
   */
  constructor({ panel, button, memory, pick }) {
    this.#panel = panel;
    this.#button = button;
    this.#memory = memory;
    this.#pick = pick;
    this.#search = make("input", "emoji-search");
    Object.assign(this.#search, { type: "search", placeholder: "Find an emoji", autocomplete: "off", spellcheck: false });
    this.#search.setAttribute("aria-label", "Find an emoji");
    this.#grid = make("div", "emoji-grid");
    this.#search.addEventListener("input", () => this.#draw());
    this.#panel.append(this.#search, this.#grid);
    this.#panel.addEventListener("keydown", (event) => this.#key(event));
    this.#grid.addEventListener("click", (event) => {
      const chosen = event.target.closest("button");
      if (chosen) this.#choose(chosen, event.shiftKey);
    });
    button.addEventListener("click", () => (this.is_open ? this.close() : this.open()));
  }

  get is_open() {
    return !this.#panel.hidden;
  }

  open() {
    this.#search.value = "";
    this.#draw();
    this.#panel.hidden = false;
    this.#button.setAttribute("aria-expanded", "true");
    const top = this.#button.getBoundingClientRect().top;
    this.#panel.style.setProperty("bottom", `${innerHeight - top + EDGE_PX}px`);
    this.#panel.style.setProperty("max-height", `${Math.min(340, top - 2 * EDGE_PX)}px`);
    this.#search.focus();
  }

  /** True if it was open. */
  close({ keeps_focus = false } = {}) {
    if (!this.is_open) return false;
    this.#panel.hidden = true;
    this.#button.setAttribute("aria-expanded", "false");
    if (!keeps_focus) this.#button.focus();
    return true;
  }

  /** Takes note of the emotes of a message. */
  learn({ fragments = [] }) {
    for (const { type, text, emote } of fragments) {
      // Platforms write one emote differently; the picture is the same.
      const is_known = () => [...this.#emotes.values()].some((it) => it.url === emote.url);
      if (type !== "emote" || emote.zero_width || this.#emotes.has(text) || is_known()) continue;
      if (this.#emotes.size >= EMOTES_MOST) this.#emotes.delete(this.#emotes.keys().next().value);
      this.#emotes.set(text, { text, words: [/^\[emote:\d+:([^\]]+)\]$/.exec(text)?.[1] ?? text], url: emote.url });
    }
  }

  #recent() {
    try {
      const list = JSON.parse(this.#memory.read("recent-emoji") ?? "[]");
      return Array.isArray(list) ? list.filter((it) => typeof it === "string").slice(0, RECENT_MOST) : [];
    } catch {
      return [];
    }
  }

  #choose(button, stays_open) {
    const { text } = button.dataset;
    const is_emote = this.#emotes.has(text);
    if (!is_emote) {
      const recent = [text, ...this.#recent().filter((it) => it !== text)];
      this.#memory.write("recent-emoji", JSON.stringify(recent.slice(0, RECENT_MOST)));
    }
    if (!stays_open) this.close();
    this.#pick(text, is_emote, stays_open);
  }

  #draw() {
    const query = this.#search.value.trim();
    const emotes = [...this.#emotes.values()];
    const all = GROUPS.flatMap((it) => it.emoji);
    const groups = query
      ? [{ title: "Found", emoji: find_emoji(query, [...emotes, ...all]) }]
      : [
        { title: "Used lately", emoji: this.#recent().map((text) => all.find((it) => it.text === text) ?? { text, words: [text] }) },
        { title: "Emotes of this chat", emoji: emotes },
        ...GROUPS,
      ];
    const drawn = groups.filter((it) => it.emoji.length).map(({ title, emoji }) => {
      const list = make("div", "emoji-list", ...emoji.map((it) => this.#cell(it)));
      list.setAttribute("role", "group");
      list.setAttribute("aria-label", title);
      return [make("h3", "", title), list];
    });
    this.#grid.replaceChildren(...drawn.flat());
    if (!drawn.length) this.#grid.append(make("p", "emoji-none", "Nothing is called that."));
    this.#grid.scrollTop = 0;
    const first = this.#grid.querySelector("button");
    if (first) first.tabIndex = 0;
  }

  #cell({ text, words, url }) {
    const cell = make("button", "emoji-cell");
    cell.type = "button";
    cell.tabIndex = -1;
    cell.dataset.text = text;
    cell.title = words.join(", ");
    cell.setAttribute("aria-label", words[0]);
    if (!url) {
      cell.append(text);
      return cell;
    }
    const image = make("img");
    Object.assign(image, { src: url, alt: words[0], loading: "lazy", decoding: "async", referrerPolicy: "no-referrer" });
    cell.append(image);
    return cell;
  }

  #key(event) {
    const cells = [...this.#grid.querySelectorAll("button")];
    const at = cells.indexOf(document.activeElement);
    if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      this.close();
    } else if (event.target === this.#search) {
      if (event.isComposing) return;
      if (event.key === "ArrowDown" && cells.length) {
        event.preventDefault();
        focus_cell(cells, 0);
      } else if (event.key === "Enter" && cells.length) {
        event.preventDefault();
        this.#choose(cells[0], event.shiftKey);
      }
    } else if (at >= 0) {
      const next = next_cell(event.key, at, cells.map((it) => it.getBoundingClientRect()));
      if (next === null) {
        // Who types looks for something: the character goes where the focus is by then. Space chooses the cell.
        if (!is_letter(event) || event.key === " ") return;
        event.stopPropagation();
        this.#search.focus();
        return;
      }
      event.preventDefault();
      if (next < 0) this.#search.focus();
      else focus_cell(cells, next);
    }
  }
}

function focus_cell(cells, at) {
  for (const it of cells) it.tabIndex = -1;
  cells[at].tabIndex = 0;
  cells[at].focus();
}

/** Where an arrow key leads in cells that wrap, `{left, top}` each; -1 is above the first row, null is no arrow. */
export function next_cell(key, at, boxes) {
  if (key === "ArrowRight") return Math.min(at + 1, boxes.length - 1);
  if (key === "ArrowLeft") return at - 1;
  if (key === "Home") return 0;
  if (key === "End") return boxes.length - 1;
  if (key !== "ArrowDown" && key !== "ArrowUp") return null;
  const { left, top } = boxes[at];
  const down = key === "ArrowDown";
  const tops = boxes.map((it) => it.top).filter((it) => (down ? it > top + 1 : it < top - 1));
  if (!tops.length) return down ? at : -1;
  const row = down ? Math.min(...tops) : Math.max(...tops);
  let best = at;
  let least = Infinity;
  boxes.forEach((it, index) => {
    const far = Math.abs(it.left - left);
    if (Math.abs(it.top - row) <= 1 && far < least) [best, least] = [index, far];
  });
  return best;
}

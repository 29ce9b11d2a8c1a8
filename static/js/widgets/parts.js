// What widgets are made of: elements with text, numbers that count, rows that slide to their new place.

import { bound_marks } from "../render.js";
import { finite } from "./numbers.js";

const COUNT_MS = 700;
const SLIDE = { duration: 620, easing: "cubic-bezier(0.22, 1, 0.36, 1)" };
const SPARKS = 42;
const LABEL_MOST = 200; // Characters; more is never seen, and costs.

export function element(name, className, ...children) {
  const it = document.createElement(name);
  it.className = className;
  it.append(...children);
  return it;
}

/** Words of somebody: their own direction, and an end. */
export function words(className, text = "") {
  const it = element("span", className);
  it.dir = "auto";
  say(it, text);
  return it;
}

export function say(it, text) {
  const short = bound_marks([...String(text ?? "").slice(0, 2 * LABEL_MOST)].slice(0, LABEL_MOST).join(""));
  if (it.textContent !== short) it.textContent = short;
}

/** A number that counts from what it was to what it is. `data-value` is where it goes. */
export class Counter {
  #text;
  #write;
  #shown = null;
  #frame = 0;

  constructor(className, write) {
    this.element = element("span", className);
    this.#text = document.createTextNode("");
    this.element.append(this.#text);
    this.#write = write;
  }

  set(value, moves) {
    const goal = finite(value);
    this.element.dataset.value = String(goal);
    cancelAnimationFrame(this.#frame);
    const from = this.#shown;
    if (!moves || from === null || from === goal) {
      this.#show(goal);
      return;
    }
    const began = performance.now();
    const step = (now) => {
      const part = Math.min(1, Math.max(0, (now - began) / COUNT_MS));
      this.#show(part === 1 ? goal : from + (goal - from) * (1 - (1 - part) ** 3));
      if (part < 1) this.#frame = requestAnimationFrame(step);
    };
    this.#frame = requestAnimationFrame(step);
  }

  #show(value) {
    this.#shown = value;
    const text = this.#write(value);
    if (this.#text.data !== text) this.#text.data = text;
  }
}

/** Rows by key, in an order that changes: who is there stays the same element and slides to where it belongs. */
export class Rows {
  #rows = new Map();

  constructor(className, make) {
    this.element = element("ol", className);
    this.make = make;
  }

  /**
   * @param {Array<{key: string}>} items in their order
   * @param {(row: object, item: object) => void} update
   * @param {boolean} moves
   */
  show(items, update, moves) {
    const before = new Map();
    if (moves) for (const [key, row] of this.#rows) before.set(key, row.element.getBoundingClientRect());
    const wanted = new Set(items.map((it) => it.key));
    for (const [key, row] of this.#rows) {
      if (wanted.has(key)) continue;
      row.element.remove();
      this.#rows.delete(key);
    }
    let next = this.element.firstChild;
    const is_first = before.size === 0;
    for (const item of items) {
      let row = this.#rows.get(item.key);
      if (!row) {
        row = this.make();
        row.element.dataset.key = item.key;
        this.#rows.set(item.key, row);
      }
      if (row.element === next) next = next.nextSibling;
      else this.element.insertBefore(row.element, next);
      update(row, item);
    }
    return moves && !is_first ? () => this.#slide(before) : () => {};
  }

  #slide(before) {
    for (const [key, { element: it }] of this.#rows) {
      for (const old of it.getAnimations()) if (old.id === "slide") old.cancel();
      const now = it.getBoundingClientRect();
      const was = before.get(key);
      let frames = null;
      if (!was) frames = [{ opacity: 0, transform: "translateY(60%)" }, {}];
      else if (was.height && now.height && (Math.abs(was.top - now.top) > 1 || Math.abs(was.left - now.left) > 1)) {
        // Who climbs passes in front.
        const rises = was.top > now.top;
        frames = [
          { transform: `translate(${was.left - now.left}px, ${was.top - now.top}px)`, zIndex: rises ? 2 : 1 },
          { transform: "none", zIndex: rises ? 2 : 1 },
        ];
      }
      if (frames) it.animate(frames, { ...SLIDE, id: "slide" });
    }
  }
}

/** Keys for things that have no id: their label, and its number among equals. */
export function keys(labels) {
  const seen = new Map();
  return labels.map((label) => {
    const count = (seen.get(label) ?? 0) + 1;
    seen.set(label, count);
    return count === 1 ? label : `${label}\u0000${count}`;
  });
}

/** Sparks fly from a box, once. They are gone when they have fallen. */
export function celebrate(box) {
  const sky = element("div", "widget-sparks");
  sky.ariaHidden = "true";
  const { width, height } = box.getBoundingClientRect();
  for (let at = 0; at < SPARKS; at += 1) {
    const spark = element("i", "widget-spark");
    spark.style.setProperty("--spark", `var(--widget-spark-${(at % 4) + 1})`);
    sky.append(spark);
    const side = at % 2 ? 1 : -1;
    const x = side * width * (0.06 + 0.46 * Math.random());
    const up = -height * (0.25 + 0.55 * Math.random()) - 20;
    const turn = 360 + 720 * Math.random();
    spark.animate([
      { transform: "translate(0, 0) rotate(0) scale(0.4)", opacity: 1 },
      { transform: `translate(${x * 0.7}px, ${up}px) rotate(${turn * 0.5}deg)`, opacity: 1, offset: 0.35, easing: "ease-in" },
      { transform: `translate(${x}px, ${height * 0.5 + 40}px) rotate(${turn}deg)`, opacity: 0 },
    ], { duration: 1500 + 900 * Math.random(), delay: 160 * Math.random(), easing: "cubic-bezier(0.1, 0.7, 0.3, 1)", fill: "both" });
  }
  box.append(sky);
  setTimeout(() => sky.remove(), 2800);
}

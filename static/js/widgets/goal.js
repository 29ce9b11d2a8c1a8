// A goal: a tally that is to reach something.

import { finite, progress } from "./numbers.js";
import { Counter, celebrate, element, say, words } from "./parts.js";

export const type = "tally.update";

/** A tally without a target is a goal when the source's address gives it one. */
export const fits = (tally, { target }) => target > 0 || finite(tally.target) > 0;

export class Goal {
  #target;
  #write;
  #title = words("widget-title");
  #percent = new Counter("widget-percent", (it) => `${Math.round(it)}%`);
  #count;
  #of = element("span", "widget-of");
  #unit = words("widget-unit");
  #bar = element("span", "widget-bar");
  #shown = null;

  constructor({ write, target }) {
    this.#target = target;
    this.#write = write;
    this.#count = new Counter("widget-number", write);
    this.element = element("section", "widget-card widget-goal",
      element("header", "widget-head", this.#title, this.#percent.element),
      element("div", "widget-track", this.#bar),
      element("footer", "widget-foot", this.#count.element, this.#of, this.#unit));
  }

  show(tally, { moves, live }) {
    const target = this.#target > 0 ? this.#target : finite(tally.target);
    const { share, percent, reached } = progress(tally.count, target);
    const card = this.element;
    say(this.#title, tally.label);
    say(this.#unit, tally.unit);
    this.#of.textContent = `/ ${this.#write(target)}`;
    this.#count.set(tally.count, moves);
    this.#percent.set(percent, moves);
    this.#bar.style.setProperty("--share", String(share));
    card.toggleAttribute("data-reached", reached);
    const just_reached = live && reached && this.#shown?.id === tally.tally_id && !this.#shown.reached;
    this.#shown = { id: tally.tally_id, reached };
    return () => {
      if (just_reached && moves) celebrate(card);
    };
  }

  leave() {
    this.#shown = null;
  }
}

export const Widget = Goal;

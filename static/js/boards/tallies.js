// Tallies, and goals, which are tallies with something to reach: counted by hand here, by triggers and by what happens.

import { Entries } from "../entries.js";
import { area, button, input, labelled, select, toggle } from "../fields.js";
import { asking_button } from "../removal.js";
import { make } from "../rooms.js";
import { lines_of } from "../triggers/draft.js";
import { finite, number_writer, progress } from "../widgets/numbers.js";
import { call, folding_form, say, words } from "./card.js";
import { AGGREGATIONS, FEEDS, period_words } from "./words.js";

const write = number_writer("");

/** What is sent for a new tally. */
export function tally_body({ label, unit, target, feed, currency, aggregation, once_per_viewer, items }) {
  return {
    label: label.trim(), ...(unit.trim() ? { unit: unit.trim() } : {}), ...(target === "" ? {} : { target: Number(target) }),
    ...(feed ? { feed } : {}), ...(feed === "donations" ? { currency } : {}),
    ...(aggregation && aggregation !== "none" ? { aggregation: { type: aggregation } } : {}), ...(once_per_viewer ? { once_per_viewer: true } : {}),
    ...(items.length ? { items } : {}),
  };
}

export class Tallies {
  #store;
  #may;
  #tell;
  #entries;
  #empty = make("p", "muted hint board-empty", "Nothing is counted yet.");

  constructor({ store, may, tell }) {
    this.#store = store;
    this.#may = may;
    this.#tell = tell;
    const list = make("ul", "board-list");
    list.tabIndex = -1;
    list.setAttribute("aria-label", "Tallies and goals");
    this.#entries = new Entries(list, (it) => it.tally_id, (it) => this.#make(it));
    const head = make("div", "board-head", make("h2", "", "Tallies and goals"));
    this.element = make("section", "boards-tallies", head);
    this.element.setAttribute("aria-label", "Tallies and goals");
    if (may) {
      const { opener, form } = this.#form();
      head.append(opener);
      this.element.append(form);
    }
    this.element.append(list, this.#empty);
    store.on("change", (name) => name === "tallies" && this.draw());
  }

  draw() {
    const all = this.#store.list("tallies");
    this.#entries.show(all);
    this.#empty.hidden = all.length > 0;
    this.element.hidden = !this.#may && !all.length;
  }

  #make({ tally_id: id }) {
    const path = `/${encodeURIComponent(id)}`;
    const title = words("board-title");
    const count = make("span", "board-count");
    const unit = words("muted");
    const bar = make("span", "goal-bar");
    const track = make("span", "goal-track", bar);
    const reached = make("span", "muted goal-of");
    const by = (amount, label, item) => {
      const it = button("count", amount > 0 ? "+1" : "−1", () =>
        void call(it, () => this.#store.write("POST", "tallies", `${path}/count`, { by: amount, ...(item ? { item } : {}) }), this.#tell));
      it.setAttribute("aria-label", `${amount > 0 ? "One more" : "One less"}: ${label}`);
      return it;
    };
    const steps = make("span", "counts");
    const items = make("ul", "bars");
    const rows = new Entries(items, (it) => it.label, ({ label }) => {
      const name = words("bar-label", label);
      const number = make("span", "bar-number");
      const item = make("li", "bar-row item", name, number, ...(this.#may ? [by(-1, label, label), by(1, label, label)] : []));
      return {
        item,
        draw(it) {
          say(number, write(finite(it.count)));
          item.style.setProperty("--share", String(it.share));
        },
      };
    });
    const reset = asking_button({
      label: "this tally", words: "To zero", question: "Back to zero?",
      act: () => call(reset, () => this.#store.write("POST", "tallies", `${path}/reset`), this.#tell),
    });
    const removal = asking_button({
      label: "this tally", words: "Delete", question: "For good?",
      act: async () => {
        const answer = await call(removal, () => this.#store.write("DELETE", "tallies", path), this.#tell);
        if (answer?.ok || answer?.status === 404) this.#store.forget("tallies", id);
      },
    });
    const acts = make("div", "board-acts", ...(this.#may ? [reset, removal] : []));
    const item = make("li", "board tally", make("div", "board-line", title, make("span", "board-sum", count, " ", unit), steps), track, items,
      make("div", "board-foot", reached, acts));
    return {
      item,
      draw: (tally) => {
        const several = Array.isArray(tally.items) ? tally.items : [];
        const most = Math.max(1, ...several.map((it) => finite(it.count)));
        const target = finite(tally.target);
        item.dataset.id = id;
        say(title, tally.label);
        say(count, write(finite(tally.count)));
        say(unit, tally.unit);
        if (this.#may && !several.length && !steps.childElementCount) steps.append(by(-1, tally.label), by(1, tally.label));
        if (several.length) steps.replaceChildren();
        rows.show(several.map((it) => ({ ...it, share: Math.max(0, finite(it.count)) / most })));
        items.hidden = !several.length;
        track.hidden = target <= 0;
        const feed = FEEDS.find(([name]) => name && name === tally.feed)?.[1];
        const facts = [period_words(tally), feed ? `moves with ${feed.toLowerCase()}` : ""];
        if (target > 0) {
          const far = progress(tally.count, target);
          item.toggleAttribute("data-reached", far.reached);
          bar.style.setProperty("--share", String(far.share));
          facts.unshift(`${far.percent} % of ${write(target)}`);
        }
        say(reached, facts.filter(Boolean).join(" · "));
      },
    };
  }

  #form() {
    const label = input("text", { maxLength: 100, dir: "auto", placeholder: "Deaths" });
    const unit = input("text", { maxLength: 30, dir: "auto" });
    const target = input("number", { min: 1 });
    const feed = select(FEEDS);
    const currency = input("text", { maxLength: 3, value: "EUR", className: "prefix-field", spellcheck: false });
    currency.setAttribute("aria-label", "Currency");
    currency.hidden = true;
    feed.addEventListener("change", () => (currency.hidden = feed.value !== "donations"));
    const items = area(3, { dir: "auto" });
    const aggregation = select(AGGREGATIONS);
    const once = toggle("Each viewer counts once", false);
    const places = {
      "/label": labelled("What is counted", label), "/target": labelled("Goal", target, { look: "entry short", hint: "empty is none" }),
      "/unit": labelled("Unit", unit, { look: "entry short", hint: "behind the number" }),
      "/feed": labelled("Moves with", feed, { beside: [currency] }),
      "/items": labelled("Items", items, { hint: "where it counts several things; one on a line" }),
      "/aggregation": labelled("Begins anew", aggregation, { look: "entry short" }),
    };
    const more = make("details", "limits", make("summary", "", "More"), places["/unit"].row, places["/items"].row, places["/aggregation"].row, once.row);
    const map = () => new Map([...Object.entries(places), ["/currency", { ...places["/feed"], focus: () => currency.focus() }]]);
    return folding_form({
      title: "New tally",
      rows: [places["/label"].row, places["/target"].row, places["/feed"].row, more],
      places: map,
      sends: [["Make it", () => this.#store.write("POST", "tallies", "", tally_body({
        label: label.value, unit: unit.value, target: target.value, feed: feed.value, currency: currency.value.trim().toUpperCase(),
        aggregation: aggregation.value, once_per_viewer: once.field.checked, items: lines_of(items.value),
      }))]],
      reset: () => {
        for (const it of [label, unit, target, items]) it.value = "";
      },
    });
  }
}

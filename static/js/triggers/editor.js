// The editor of one trigger: what calls it, what it does, who may and how often. What is wrong stands at its field.

import { area, chips, grouped, input, labelled, segments, select, show_errors } from "../fields.js";
import { make } from "../rooms.js";
import { ActionList } from "./actions.js";
import { body_of, lines_of, major_of, minor_of, new_trigger, same, without_prefix, words_of } from "./draft.js";
import { ACCESS, CHATS, TYPES } from "./words.js";

const CURRENCIES = ["bits", "USD", "EUR", "GBP", "CAD", "AUD", "BRL", "JPY", "PLN", "SEK", "kicks"].map((it) => [it, it]);

export class Editor {
  #place;
  #changed;
  #places = new Map(); // Pointer → where its error stands; those of the actions come besides.
  #kept = body_of(new_trigger()); // What it was when it was opened.
  #id = null; // Of the trigger that is edited; null is a new one.
  #is_read_only = false;
  #source = {}; // Members that this form does not show.
  #type;
  #actions;
  #limits;
  #f = {}; // Fields by name.

  /**
   * @param {object} options
   * @param {HTMLElement} options.place
   * @param {() => void} options.changed
   * @param {(kind: string) => [string, string][]} options.boards
   */
  constructor({ place, changed, boards }) {
    this.#place = place;
    this.#changed = changed;
    this.#actions = new ActionList({ changed, boards });
    this.#build();
    this.open(null);
  }

  #text(pointer, words, field, more) {
    const it = labelled(words, field, more);
    this.#places.set(pointer, it);
    field.addEventListener("input", this.#changed);
    return it.row;
  }

  #build() {
    const f = this.#f;
    const own = (name, it) => Object.assign(it, { id: `trigger-${name}` });
    this.#type = segments(Object.entries(TYPES), "command", () => {
      this.#show_type();
      this.#changed();
    });
    const type = grouped("It is called by", this.#type.place);
    this.#places.set("/type", type);

    f.prefix = input("text", { maxLength: 8, className: "prefix-field", spellcheck: false });
    f.prefix.setAttribute("aria-label", "What stands before the word");
    f.prefix.addEventListener("input", this.#changed);
    f.command = own("command", input("text", { maxLength: 60, placeholder: "hello", spellcheck: false, autocapitalize: "none" }));
    f.command.addEventListener("change", () => (f.command.value = without_prefix(f.command.value, f.prefix.value)));
    const command = labelled("Word", f.command);
    f.command.before(make("div", "entry-line", f.prefix));
    f.command.previousSibling.append(f.command);
    f.command.addEventListener("input", this.#changed);
    this.#places.set("/command", command);
    this.#places.set("/prefix", { fail: command.fail, focus: () => f.prefix.focus() });
    f.aliases = own("aliases", input("text", { placeholder: "hi, hey", spellcheck: false, autocapitalize: "none" }));
    f.keywords = own("keywords", area(2, { placeholder: "lighthouse\nkettle", dir: "auto" }));
    f.pattern = own("pattern", input("text", { placeholder: "^(gg|wp)\\b", spellcheck: false, autocapitalize: "none", className: "code-field" }));
    f.minutes = own("minutes", input("number", { min: 1, placeholder: "15" }));
    f.least_lines = own("least-lines", input("number", { min: 0, placeholder: "0" }));
    const of = (types, ...rows) => {
      const it = make("div", "of-type", ...rows);
      it.dataset.types = types;
      return it;
    };
    const called = make("div", "calls",
      of("command", command.row, this.#text("/aliases", "Also", f.aliases, { hint: "other words, with commas" })),
      of("keyword", this.#text("/keywords", "Words anywhere in a message", f.keywords, { hint: "one on a line" })),
      of("regex", this.#text("/pattern", "Pattern", f.pattern, { hint: "a regular expression, upper and lower case alike" })),
      of("timer", this.#text("/minutes", "Every", f.minutes, { look: "entry short", hint: "minutes" }),
        this.#text("/least_lines", "After at least", f.least_lines, { look: "entry short", hint: "lines of chat on all platforms" })));

    f.access = own("access", select(Object.entries(ACCESS)));
    f.platforms = chips(CHATS, this.#changed);
    const platforms = grouped("Platforms", f.platforms.place, { hint: "none chosen is all" });
    this.#places.set("/platforms", platforms);
    f.cooldown_seconds = own("cooldown", input("number", { min: 0, placeholder: "0" }));
    f.viewer_cooldown_seconds = own("viewer-cooldown", input("number", { min: 0, placeholder: "0" }));
    f.global_cooldown_seconds = own("global-cooldown", input("number", { min: 0, placeholder: "0" }));
    f.amount = own("amount", input("text", { inputMode: "decimal", placeholder: "any", maxLength: 12 }));
    f.currency = select(CURRENCIES);
    f.currency.setAttribute("aria-label", "Currency");
    f.currency.addEventListener("change", this.#changed);
    f.description = own("description", input("text", { maxLength: 300, dir: "auto" }));
    f.trigger_id = own("name", input("text", { maxLength: 64, spellcheck: false, autocapitalize: "none", placeholder: "made from its word" }));
    const resting = grouped("Rests behind each time", make("div", "rests",
      this.#text("/cooldown_seconds", "in the room", f.cooldown_seconds),
      this.#text("/viewer_cooldown_seconds", "for that viewer", f.viewer_cooldown_seconds),
      this.#text("/global_cooldown_seconds", "in all rooms", f.global_cooldown_seconds)), { hint: "seconds" });
    this.#limits = make("details", "limits",
      make("summary", "", "Who, where, how often"),
      of("command keyword regex", this.#text("/access", "Who may", f.access)),
      platforms.row,
      of("command keyword regex", resting.row,
        this.#text("/least_amount", "Paid at least", f.amount, { look: "entry short", beside: [f.currency], hint: "with the message" })),
      this.#text("/description", "Note", f.description, { hint: "for you" }),
      this.#text("/trigger_id", "Name", f.trigger_id, { hint: "in lists and exports; stays as it is" }));
    const actions = grouped("Then", this.#actions.element);
    this.#places.set("/actions", actions);
    this.#place.append(make("div", "editor-body", type.row, called, actions.row, this.#limits));
    this.#show_type();
  }

  #show_type() {
    const type = this.#type.value();
    for (const it of this.#place.querySelectorAll(".of-type")) it.hidden = !it.dataset.types.split(" ").includes(type);
  }

  /** Puts a trigger into the form; null is a new one. */
  open(trigger) {
    const it = trigger ?? new_trigger();
    const f = this.#f;
    this.#id = trigger?.trigger_id ?? null;
    this.#source = it;
    this.#is_read_only = it.source === "file";
    this.#type.set(it.type);
    this.#show_type();
    f.prefix.value = it.prefix ?? "!";
    f.command.value = it.command ?? "";
    f.aliases.value = (it.aliases ?? []).join(", ");
    f.keywords.value = (it.keywords ?? []).join("\n");
    f.pattern.value = it.pattern ?? "";
    for (const name of ["minutes", "least_lines", "cooldown_seconds", "viewer_cooldown_seconds", "global_cooldown_seconds"]) {
      f[name].value = it[name] || (name === "least_lines" && it[name] === 0) ? String(it[name]) : "";
    }
    f.access.value = it.access ?? "everyone";
    f.platforms.set(it.platforms ?? []);
    const { value, currency } = it.least_amount ?? { value: null, currency: "bits" };
    if (![...f.currency.options].some((option) => option.value === currency)) f.currency.append(new Option(currency, currency));
    f.currency.value = currency;
    f.amount.value = value ? major_of(value, currency) : "";
    f.description.value = it.description ?? "";
    f.trigger_id.value = it.trigger_id ?? "";
    f.trigger_id.readOnly = this.#id !== null;
    this.#actions.set(it.actions ?? []);
    this.#limits.open = Boolean(it.platforms?.length || it.cooldown_seconds || it.viewer_cooldown_seconds || it.global_cooldown_seconds ||
      it.least_amount || (it.access && it.access !== "everyone"));
    this.#kept = this.body();
    this.show_errors([]);
    this.#place.querySelector(".editor-body").inert = this.#is_read_only;
  }

  focus() {
    const field = { command: "command", keyword: "keywords", regex: "pattern", timer: "minutes" }[this.#type.value()];
    this.#f[field].focus();
  }

  get id() {
    return this.#id;
  }

  get is_read_only() {
    return this.#is_read_only;
  }

  get is_changed() {
    return !this.#is_read_only && !same(this.#kept, this.body());
  }

  /** What is in the form now belongs to `id`, and is kept. */
  settle(trigger, sent) {
    this.#id = trigger.trigger_id;
    this.#source = trigger;
    this.#f.trigger_id.value = trigger.trigger_id;
    this.#f.trigger_id.readOnly = true;
    this.#kept = { ...sent, trigger_id: trigger.trigger_id };
  }

  /** Whether it is on is changed in the list; here it stays what the list says. */
  note_enabled(enabled) {
    this.#source = { ...this.#source, enabled };
    this.#kept = { ...this.#kept, enabled };
  }

  /** How many lines a timer waits for where it says nothing. */
  note_least_lines(count) {
    if (Number.isInteger(count)) this.#f.least_lines.placeholder = String(count);
  }

  draft() {
    const f = this.#f;
    const number = (it) => (it.value === "" ? null : Number(it.value));
    const currency = f.currency.value;
    const value = minor_of(f.amount.value, currency);
    return {
      ...this.#source,
      trigger_id: f.trigger_id.value.trim(), type: this.#type.value(),
      prefix: f.prefix.value.trim(), command: without_prefix(f.command.value, f.prefix.value.trim()),
      aliases: words_of(f.aliases.value, { by_space: true }).map((it) => without_prefix(it, f.prefix.value.trim())),
      keywords: lines_of(f.keywords.value), pattern: f.pattern.value,
      minutes: number(f.minutes), least_lines: number(f.least_lines),
      access: f.access.value, platforms: f.platforms.value(),
      cooldown_seconds: number(f.cooldown_seconds), viewer_cooldown_seconds: number(f.viewer_cooldown_seconds),
      global_cooldown_seconds: number(f.global_cooldown_seconds),
      least_amount: value ? { value, currency } : null,
      description: f.description.value.trim(), actions: this.#actions.read(),
    };
  }

  body() {
    return body_of(this.draft());
  }

  /** What is missing, which needs no server to see. */
  missing() {
    return this.#actions.missing();
  }

  /** Puts errors at their fields; answers what belongs to none. */
  show_errors(errors) {
    const places = new Map([...this.#places, ...this.#actions.places]);
    const rest = show_errors(errors, places);
    // What is folded away could not be seen to be wrong, nor get the focus.
    if (!this.#limits.open && this.#limits.querySelector("[aria-invalid], .fault:not(:empty)")) {
      this.#limits.open = true;
      this.#place.querySelector("[aria-invalid]")?.focus();
    }
    return rest;
  }
}

// What a trigger does, one action after another: chosen, filled in, reordered, taken out. Texts have variables that a
// press puts where the cursor is.

import { area, button, chips, grouped, input, labelled, select } from "../fields.js";
import { make } from "../rooms.js";
import { insert_at, lines_of, new_action } from "./draft.js";
import { ACTIONS, CHATS, METHODS, VARIABLES, action_title } from "./words.js";

const MOST = 10;

/** A row of what can stand in a text. */
function variables(field) {
  const row = make("div", "variables");
  row.setAttribute("role", "group");
  row.setAttribute("aria-label", "Variables: a press puts one where the cursor is");
  for (const [name, words] of VARIABLES) {
    const it = button("variable", `{${name}}`, () => {
      const { text, caret } = insert_at(field.value, field.selectionStart, field.selectionEnd, `{${name}}`);
      field.value = text;
      field.focus();
      field.setSelectionRange(caret, caret);
      field.dispatchEvent(new Event("input", { bubbles: true }));
    });
    it.title = words;
    it.setAttribute("aria-label", `{${name}}: ${words}`);
    row.append(it);
  }
  return row;
}

export class ActionList {
  #list = make("ol", "action-list");
  #add;
  #changed;
  #boards; // kind → [[id, words]]
  #entries = []; // {action_type, item, fields: [{name, read, place}]}

  /**
   * @param {object} options
   * @param {() => void} options.changed
   * @param {(kind: string) => [string, string][]} options.boards polls, tallies and scoreboards that can be chosen
   */
  constructor({ changed, boards }) {
    this.#changed = changed;
    this.#boards = boards;
    this.#list.setAttribute("aria-label", "What it does");
    this.#add = select([["", "Add an action…"], ...Object.entries(ACTIONS).map(([type, { words }]) => [type, words])]);
    this.#add.setAttribute("aria-label", "Add an action");
    this.#add.className = "action-add";
    this.#add.addEventListener("change", () => {
      const type = this.#add.value;
      this.#add.value = "";
      if (!type) return;
      this.#append(new_action(type));
      this.#number();
      const added = this.#entries.at(-1).item;
      (added.querySelector("textarea, input, select") ?? added.querySelector("button")).focus();
      this.#changed();
    });
    this.element = make("div", "actions-box", this.#list, this.#add);
  }

  set(actions) {
    this.#entries = [];
    this.#list.replaceChildren();
    for (const it of actions) this.#append(it);
    this.#number();
  }

  read() {
    return this.#entries.map(({ action_type, fields, more }) => ({
      action_type, payload: { ...more, ...Object.fromEntries(fields.map(({ name, read }) => [name, read()])) },
    }));
  }

  /** What is missing, as errors. */
  missing() {
    return this.#entries.flatMap(({ action_type, fields }, at) => fields
      .filter(({ name, read }) => ACTIONS[action_type].fields.some((it) => it.name === name && it.needed) && !String(read() ?? "").trim())
      .map(({ name }) => ({ pointer: `/actions/${at}/payload/${name}`, detail: "something is missing here" })));
  }

  /** Where errors belong, by their pointer. */
  get places() {
    return this.#entries.flatMap(({ fields, place }, at) => [
      ...fields.map(({ name, place: it }) => [`/actions/${at}/payload/${name}`, it]), [`/actions/${at}`, place],
    ]);
  }

  #append({ action_type, payload = {} }) {
    const known = ACTIONS[action_type];
    const fault = make("p", "fault");
    const fields = (known?.fields ?? []).map((spec) => this.#field(spec, payload[spec.name]));
    const names = new Set(fields.map((it) => it.name));
    // What this page does not know is kept as it is.
    const more = Object.fromEntries(Object.entries(payload).filter(([name]) => !names.has(name)));
    const title = make("span", "action-title", action_title(action_type));
    const tools = make("span", "action-tools");
    const item = make("li", "action", make("div", "action-head", title, tools), ...fields.map((it) => it.place.row), fault);
    const entry = {
      action_type, item, fields, more,
      place: { fail: (text) => (fault.textContent = text), focus: () => (item.querySelector("textarea, input, select") ?? tools.firstChild).focus() },
    };
    const tool = (words, label, act) => {
      const it = button("mini", words, act);
      it.title = label;
      it.setAttribute("aria-label", `${label}: ${action_title(action_type)}`);
      tools.append(it);
      return it;
    };
    entry.up = tool("↑", "Earlier", () => this.#move(entry, -1));
    entry.down = tool("↓", "Later", () => this.#move(entry, 1));
    tool("✕", "Take out", () => this.#remove(entry));
    this.#entries.push(entry);
    this.#list.append(item);
  }

  #move(entry, step) {
    const from = this.#entries.indexOf(entry);
    const to = from + step;
    if (to < 0 || to >= this.#entries.length) return;
    this.#entries.splice(to, 0, ...this.#entries.splice(from, 1));
    const focused = document.activeElement;
    this.#list.insertBefore(entry.item, this.#list.children[step > 0 ? to + 1 : to] ?? null);
    this.#number();
    (focused.getAttribute("aria-disabled") === "true" ? (step > 0 ? entry.up : entry.down) : focused).focus();
    this.#changed();
  }

  #remove(entry) {
    const at = this.#entries.indexOf(entry);
    this.#entries.splice(at, 1);
    entry.item.remove();
    this.#number();
    const next = this.#entries[Math.min(at, this.#entries.length - 1)];
    (next?.item.querySelector(".mini:last-child") ?? this.#add).focus();
    this.#changed();
  }

  /** The first cannot go up. Not `disabled`: the focus would be lost. */
  #number() {
    this.#entries.forEach(({ up, down }, at) => {
      up.setAttribute("aria-disabled", String(at === 0));
      down.setAttribute("aria-disabled", String(at === this.#entries.length - 1));
    });
    this.#add.hidden = this.#entries.length >= MOST;
    this.#list.hidden = !this.#entries.length;
  }

  #field({ name, words, kind, hint = "" }, value) {
    const plain = (field, read, more = {}) => {
      field.addEventListener("input", this.#changed);
      return { name, read, place: labelled(words, field, { hint, ...more }) };
    };
    switch (kind) {
      case "template": {
        const field = area(2, { value: value ?? "", spellcheck: true, dir: "auto" });
        const it = plain(field, () => field.value);
        it.place.row.querySelector(".fault").before(variables(field));
        return it;
      }
      case "number": {
        const field = input("number", { value: value ?? "", step: 1 });
        // What is no number yet is for the server to name.
        return plain(field, () => (field.value === "" ? null : Number(field.value)), { look: "entry short" });
      }
      case "lines": {
        const field = area(3, { value: (value ?? []).join("\n"), dir: "auto" });
        return plain(field, () => lines_of(field.value));
      }
      case "platforms": {
        const choice = chips(CHATS, this.#changed);
        choice.set(value ?? []);
        return { name, read: choice.value, place: grouped(words, choice.place, { hint }) };
      }
      case "method": {
        const field = select(METHODS);
        field.value = value ?? "POST";
        return plain(field, () => field.value, { look: "entry short" });
      }
      case "poll":
      case "tally":
      case "scoreboard": {
        const known = this.#boards(kind);
        const field = select([["", kind === "poll" ? "The open one" : "Choose…"], ...known]);
        // One that is not there any more is shown all the same: else the next save would take it away unseen.
        if (value && !known.some(([id]) => id === value)) field.append(new Option(`${value} (not there)`, value));
        field.value = value ?? "";
        return plain(field, () => field.value);
      }
      default: {
        const field = input("text", { value: value ?? "", maxLength: 2000, dir: "auto", spellcheck: false });
        return plain(field, () => field.value);
      }
    }
  }
}

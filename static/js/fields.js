// Fields that scripts make, each with its label and a place for what is wrong with it, and where an answer's errors
// belong among them.

import { make } from "./rooms.js";
import { sentence } from "./refusal.js";

let made = 0;

export function button(look, words, act) {
  const it = make("button", look, words);
  it.type = "button";
  it.addEventListener("click", act);
  return it;
}

export function input(type, more = {}) {
  return Object.assign(make("input", ""), { type, autocomplete: "off", ...more });
}

export function select(options, more = {}) {
  const it = make("select", "");
  it.append(...options.map(([value, words]) => new Option(words, value)));
  return Object.assign(it, more);
}

export function area(rows, more = {}) {
  return Object.assign(make("textarea", ""), { rows, spellcheck: false, ...more });
}

/**
 * A field with its words. `fail("")` takes away what was wrong.
 * @returns {{row: HTMLElement, field: HTMLElement, fail: (words: string) => void, focus: () => void}}
 */
export function labelled(words, field, { hint = "", look = "entry", beside = [] } = {}) {
  made += 1;
  field.id ||= `field-${made}`;
  const fault = make("p", "fault");
  fault.id = `${field.id}-fault`;
  fault.setAttribute("aria-live", "polite");
  field.setAttribute("aria-describedby", fault.id);
  const label = make("label", "entry-label", words);
  label.htmlFor = field.id;
  if (hint) label.append(" ", make("em", "", hint));
  const line = beside.length ? make("div", "entry-line", field, ...beside) : field;
  const it = {
    row: make("div", look, label, line, fault), field,
    fail(text) {
      if (fault.textContent !== text) fault.textContent = text;
      if (text) field.setAttribute("aria-invalid", "true");
      else field.removeAttribute("aria-invalid");
    },
    focus: () => field.focus(),
  };
  // What is being mended is no longer told to be wrong.
  field.addEventListener("input", () => it.fail(""));
  return it;
}

/** The same of several fields that are one choice. */
export function grouped(words, place, { hint = "", look = "entry" } = {}) {
  made += 1;
  const label = make("span", "entry-label", words);
  label.id = `group-${made}`;
  if (hint) label.append(" ", make("em", "", hint));
  const fault = make("p", "fault");
  fault.setAttribute("aria-live", "polite");
  if (!place.hasAttribute("role")) place.setAttribute("role", "group");
  place.setAttribute("aria-labelledby", label.id);
  return {
    row: make("div", look, label, place, fault), field: place,
    fail: (text) => (fault.textContent = text),
    focus: () => place.querySelector("input, select, textarea, button")?.focus(),
  };
}

/** One of a few, side by side. `value` reads it, `set` chooses. */
export function segments(options, chosen, changed = () => {}) {
  made += 1;
  const name = `segments-${made}`;
  const place = make("div", "segments small");
  place.setAttribute("role", "radiogroup");
  const inputs = options.map(([value, words]) => {
    const it = input("radio", { name, value, checked: value === chosen });
    it.addEventListener("change", () => changed(value));
    place.append(make("label", "", it, make("span", "", words)));
    return it;
  });
  return {
    place,
    value: () => inputs.find((it) => it.checked)?.value ?? chosen,
    set(value) {
      for (const it of inputs) it.checked = it.value === value;
    },
  };
}

/** Any of a few. */
export function chips(options, changed = () => {}) {
  const place = make("div", "chips");
  const inputs = options.map(([value, words]) => {
    const it = input("checkbox", { value });
    it.addEventListener("change", () => changed());
    place.append(make("label", "", it, make("span", "", words)));
    return it;
  });
  return {
    place,
    value: () => inputs.filter((it) => it.checked).map((it) => it.value),
    set(values) {
      for (const it of inputs) it.checked = values.includes(it.value);
    },
  };
}

/** A switch with its words. */
export function toggle(words, checked, changed = () => {}) {
  const it = input("checkbox", { checked });
  it.setAttribute("role", "switch");
  it.addEventListener("change", () => changed(it.checked));
  return { row: make("label", "toggle", it, make("span", "", words)), field: it };
}

/**
 * Where an answer's errors belong: `{at: Map(place → words), rest: [words]}`. An error belongs to the place whose pointer is
 * its own or the nearest above it; what belongs nowhere is `rest`.
 * @param {{pointer?: string, detail: string}[]} errors
 * @param {Iterable<string>} places pointers, as `/actions/0/payload/text`
 */
export function sort_errors(errors, places) {
  const known = new Set(places);
  const at = new Map();
  const rest = [];
  for (const { pointer = "", detail } of errors) {
    let place = pointer;
    while (place && !known.has(place)) place = place.slice(0, place.lastIndexOf("/"));
    if (!place) rest.push(sentence(detail));
    else if (!at.has(place)) at.set(place, sentence(detail)); // The first is enough: the others often follow from it.
  }
  return { at, rest };
}

/**
 * Shows errors at their fields, takes away those of before, and goes to the first.
 * @param {{pointer?: string, detail: string}[]} errors
 * @param {Map<string, {fail: (words: string) => void, focus: () => void}>} places in the order shown
 * @returns {string} what belongs to no field
 */
export function show_errors(errors, places) {
  const { at, rest } = sort_errors(errors, places.keys());
  for (const [pointer, { fail }] of places) fail(at.get(pointer) ?? "");
  for (const [pointer, { focus }] of places) {
    if (!at.has(pointer)) continue;
    focus();
    break;
  }
  return rest.join(" ");
}

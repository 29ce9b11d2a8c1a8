// What the cards of polls, tallies and scoreboards share: bars that grow, forms that fold out, calls that say what went
// wrong on their card.

import { reason_of } from "../ask.js";
import { button, show_errors } from "../fields.js";
import { make } from "../rooms.js";
import { bound_marks } from "../render.js";

/** Somebody's words: a text node, in their own direction. */
export function words(look, text = "") {
  const it = make("bdi", look);
  say(it, text);
  return it;
}

export function say(it, text) {
  const bound = bound_marks(String(text ?? ""));
  if (it.textContent !== bound) it.textContent = bound;
}

/** A row with a bar behind it. `share` is 0 to 1. */
export function bar_row(look = "") {
  const label = words("bar-label");
  const number = make("span", "bar-number");
  const more = make("span", "bar-more");
  const item = make("li", `bar-row ${look}`.trim(), label, number, more);
  return {
    item, label, number, more,
    set(text, amount, beside, share) {
      say(label, text);
      if (number.textContent !== amount) number.textContent = amount;
      if (more.textContent !== beside) more.textContent = beside;
      item.style.setProperty("--share", String(share));
    },
  };
}

/** A call whose button cannot be pressed twice; what is refused is told. */
export async function call(pressed, what, tell) {
  if (pressed.getAttribute("aria-busy") === "true") return null;
  pressed.setAttribute("aria-busy", "true");
  try {
    const answer = await what();
    tell(answer.ok ? "" : (answer.body.errors?.map((it) => it.detail).join(" ") || reason_of(answer)));
    return answer;
  } finally {
    pressed.removeAttribute("aria-busy");
  }
}

/**
 * A form that a button folds out, and in again when it is done.
 * @param {object} options
 * @param {string} options.title what the button says
 * @param {HTMLElement[]} options.rows
 * @param {Map<string, object>} options.places where errors belong
 * @param {[string, (event: Event) => Promise<object|null>][]} options.sends buttons: their words, and the call; the first is pressed by Enter
 * @param {() => void} options.reset empties it: at first, and when it was sent. What is only folded away stays typed
 * @param {() => void} [options.opened]
 */
export function folding_form({ title, rows, places, sends, reset, opened = () => {} }) {
  const error = make("p", "fault");
  error.setAttribute("role", "alert");
  const opener = button("tool board-add", title, () => fold(form.hidden));
  const form = make("form", "board-form", ...rows);
  form.noValidate = true;
  form.autocomplete = "off";
  const send = async (pressed, what) => {
    if (pressed.getAttribute("aria-busy") === "true") return;
    pressed.setAttribute("aria-busy", "true");
    const answer = await what();
    pressed.removeAttribute("aria-busy");
    if (!answer) return;
    const errors = answer.ok ? [] : (answer.body.errors ?? []);
    const rest = show_errors(errors, places());
    error.textContent = answer.ok ? "" : rest || (errors.length ? "" : reason_of(answer));
    if (!answer.ok) return;
    reset();
    fold(false);
  };
  const buttons = sends.map(([text, what], at) => {
    const it = make("button", at ? "tool" : "primary", text);
    it.type = at ? "button" : "submit";
    if (at) it.addEventListener("click", () => void send(it, what));
    return it;
  });
  form.append(error, make("div", "board-acts", ...buttons, button("quiet", "Never mind", () => fold(false))));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void send(buttons[0], sends[0][1]);
  });
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    fold(false);
  });
  function fold(is_open) {
    form.hidden = !is_open;
    opener.setAttribute("aria-expanded", String(is_open));
    if (!is_open) {
      error.textContent = "";
      for (const { fail } of places().values()) fail("");
      opener.focus({ preventScroll: true });
      return;
    }
    opened();
    form.querySelector("input, select, textarea")?.focus();
  }
  reset();
  form.hidden = true;
  opener.setAttribute("aria-expanded", "false");
  return { opener, form };
}

/** Does what may hide the button that has the focus: then the first that is still there gets it, or `otherwise`. */
export function passing_focus_on(place, otherwise, change) {
  const focused = place.contains(document.activeElement) ? document.activeElement : null;
  change();
  if (!focused?.hidden) return;
  ([...place.children].find((it) => !it.hidden) ?? otherwise).focus({ preventScroll: true });
}

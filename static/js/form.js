// One form, one call: what is wrong stands beside its field, nothing is sent twice, and a server that asks to wait is
// waited for.

import { refusal_of, wait_words } from "./refusal.js";
import { strength_of } from "./password_strength.js";

/** Shows that a button works; it keeps the focus, and takes no second press. */
export function set_busy(button, is_busy) {
  button.toggleAttribute("data-busy", is_busy);
  if (is_busy) {
    button.setAttribute("aria-busy", "true");
    button.setAttribute("aria-disabled", "true");
  } else {
    button.removeAttribute("aria-busy");
    button.removeAttribute("aria-disabled");
  }
}

/** Calls `tick(left_s)` every second and `over()` at the end; by the clock, since pages sleep. Answers what stops it. */
export function count_down(seconds, tick, over) {
  const ends_at = Date.now() + seconds * 1000;
  let timer = 0;
  const step = () => {
    const left = Math.ceil((ends_at - Date.now()) / 1000);
    if (left <= 0) {
      over();
      return;
    }
    tick(left);
    timer = setTimeout(step, Math.max(50, ends_at - Date.now() - (left - 1) * 1000));
  };
  step();
  return () => clearTimeout(timer);
}

/** What the browser itself has against a field; in our words. */
function fault_of(field) {
  const { validity, dataset, value } = field;
  if (field.required && (field.type === "password" ? !value : !value.trim())) return dataset.missing ?? "Something is missing here.";
  if (validity.typeMismatch && field.type === "email") return "That does not look like an email address.";
  // `minlength` counts only what people typed, not what a password manager filled in.
  if (field.minLength > 0 && [...value].length < field.minLength) return `At least ${field.minLength} characters.`;
  return "";
}

function named_fields(form) {
  return [...form.elements].filter((it) => it.name && it.type !== "hidden");
}

/** Shows words beside a field, or takes them away. */
export function show_fault(field, words) {
  const place = document.getElementById(`${field.id}-fault`);
  if (place) {
    place.textContent = words;
    place.classList.remove("good");
  }
  if (words) field.setAttribute("aria-invalid", "true");
  else field.removeAttribute("aria-invalid");
}

/**
 * Lets a form be sent by a script. Its fields are named as the members of the body.
 *
 * @param {HTMLFormElement} form
 * @param {object} options
 * @param {(values: object) => Promise<object>} options.send the call, as `ask` answers it
 * @param {(answer: object, values: object) => void} options.done
 * @param {(answer: object, values: object) => boolean} [options.refused] true when it has dealt with it
 * @param {(body: object) => string|null} [options.blame] the field that a refusal is about which names none
 * @param {(values: object) => object} [options.check] words by field, of what is wrong before anything is sent
 */
export function take_form(form, { send, done, refused = () => false, blame = () => null, check = () => ({}) }) {
  const fields = named_fields(form);
  const button = form.querySelector("button:not([type='button'])");
  const words = form.querySelector(".form-fault");
  const say = (text, is_good = false, ...more) => {
    words.classList.toggle("good", is_good);
    if (more.length || words.textContent !== text) words.replaceChildren(text, ...more);
  };
  let is_busy = false;
  let waits = null;

  const show_all = (faults) => {
    for (const field of fields) show_fault(field, faults[field.name] ?? "");
    fields.find((it) => faults[it.name])?.focus();
  };
  const wait = (seconds, why) => {
    waits?.();
    button.setAttribute("aria-disabled", "true");
    // Told once; after that only the eye follows the seconds.
    let is_told = false;
    waits = count_down(seconds, (left) => {
      if (is_told) words.setAttribute("aria-live", "off");
      is_told = true;
      say(`${why} Try again in ${wait_words(left)}.`);
    }, () => {
      waits = null;
      words.removeAttribute("aria-live");
      button.removeAttribute("aria-disabled");
      say("You can try again now.", true);
    });
  };

  for (const field of fields) {
    field.addEventListener("input", () => {
      if (field.hasAttribute("aria-invalid")) show_fault(field, "");
      if (!waits && !is_busy) say("");
    });
  }
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (is_busy || waits) return;
    say("");
    const asked = fields.filter((it) => !it.disabled);
    const values = Object.fromEntries(asked.map((it) => [it.name, it.type === "checkbox" ? it.checked : it.type === "password" ? it.value : it.value.trim()]));
    const faults = Object.fromEntries(asked.map((it) => [it.name, fault_of(it)]).filter((it) => it[1]));
    Object.assign(faults, check(values));
    show_all(faults);
    if (Object.keys(faults).length) return;
    is_busy = true;
    set_busy(button, true);
    const answer = await send(values);
    is_busy = false;
    set_busy(button, false);
    if (answer.ok) {
      done(answer, values);
      return;
    }
    if (refused(answer, values)) return;
    const refusal = refusal_of(answer, fields.map((it) => it.name));
    const blamed = refusal.wait_s || Object.keys(refusal.fields).length ? null : blame(answer.body);
    show_all(blamed ? { [blamed]: refusal.form } : refusal.fields);
    if (blamed) return;
    if (refusal.wait_s) wait(refusal.wait_s, refusal.form);
    else say(refusal.form);
  });
  return { say, wait, fields: Object.fromEntries(fields.map((it) => [it.name, it])) };
}

/** For `blame`: a password that is refused is told without its field. */
export function blame_password(name) {
  return ({ reason, detail }) => (reason === "bad_request" && /password/.test(detail) ? name : null);
}

/** Empties fields that hold secrets: nothing of them stays behind. */
export function forget_secrets(place) {
  for (const field of place.querySelectorAll("input")) {
    if (field.autocomplete.endsWith("-password")) {
      field.value = "";
      field.type = "password";
      field.dispatchEvent(new Event("input"));
    }
  }
  for (const button of place.querySelectorAll(".reveal")) button.setAttribute("aria-pressed", "false");
}

/** Lets the buttons beside passwords show them, and meters show how long they are. */
export function bring_passwords_to_life(place = document) {
  for (const button of place.querySelectorAll(".reveal")) {
    const field = document.getElementById(button.getAttribute("aria-controls"));
    button.addEventListener("click", () => {
      const is_shown = field.type === "password";
      field.type = is_shown ? "text" : "password";
      button.setAttribute("aria-pressed", String(is_shown));
    });
  }
  for (const hint of place.querySelectorAll(".strength")) {
    const field = document.getElementById(hint.dataset.of);
    const words = hint.querySelector(".strength-words");
    field.addEventListener("input", () => {
      const { level, full, words: text } = strength_of(field.value);
      hint.dataset.level = level;
      hint.style.setProperty("--full", `${full}%`);
      if (words.textContent !== text) words.textContent = text;
    });
  }
}

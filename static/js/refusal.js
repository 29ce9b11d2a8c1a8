// Why the server refused what a form sent, sorted by field.

/** As people write: a capital first, a full stop last. */
export function sentence(text) {
  const trimmed = String(text ?? "").trim();
  if (!trimmed) return "";
  const first = String.fromCodePoint(trimmed.codePointAt(0));
  const whole = first.toUpperCase() + trimmed.slice(first.length);
  return /[.!?…]$/.test(whole) ? whole : `${whole}.`;
}

/** A time to wait, as a clock shows it: `40 s`, `2:05 min`. */
export function wait_words(seconds) {
  if (seconds < 60) return `${seconds} s`;
  const rest = String(seconds % 60).padStart(2, "0");
  return `${Math.floor(seconds / 60)}:${rest} min`;
}

/**
 * What is wrong, from an answer that is not ok: `{fields, form, wait_s}`. `fields` has the words for each of `names` that
 * the answer is about, `form` those for all else.
 */
export function refusal_of({ status, body, wait_s = 0 }, names) {
  const fields = {};
  const rest = [];
  for (const { pointer = "", detail } of body.errors ?? []) {
    const name = pointer.split("/")[1];
    if (names.includes(name)) fields[name] ??= sentence(detail);
    else rest.push(sentence(detail));
  }
  if (Object.keys(fields).length || rest.length) return { fields, form: rest.join(" "), wait_s: 0 };
  if (status === 429) return { fields, form: "Too many attempts.", wait_s: Math.max(1, wait_s) };
  // Of a proxy in between comes no sentence of ours.
  const words = body.detail ?? body.message ?? body.title;
  return { fields, form: words ? sentence(words) : `The server did not take it (${status}). Try again in a moment.`, wait_s: 0 };
}

// A trigger in the editor: what is kept of it, and what of a form belongs to which type. Pure functions.

import { ACTIONS } from "./words.js";

/** Which members matter to which type; the others of a form are left out. */
const ONLY = Object.freeze({
  command: ["command", "prefix", "aliases"], keyword: ["keywords"], regex: ["pattern"], timer: ["minutes", "least_lines"],
});
/** What a timer does not ask: nobody calls it. */
const OF_CALLERS = ["access", "least_amount", "cooldown_seconds", "viewer_cooldown_seconds", "global_cooldown_seconds"];
/** What a draft without a name is called in a dry run. */
export const DRAFT = "draft";
const STANDARD = Object.freeze({ prefix: "!", access: "everyone" });
/** What the server adds to it. */
const TOLD = ["source", "creator_id", "updated_at", "shut"];

export function new_action(action_type = "reply") {
  const payload = {};
  for (const { name, standard } of ACTIONS[action_type]?.fields ?? []) if (standard !== undefined) payload[name] = standard;
  return { action_type, payload };
}

export function new_trigger() {
  return { type: "command", prefix: "!", command: "", access: "everyone", enabled: true, actions: [new_action()] };
}

const is_empty = (value) => value === undefined || value === null || value === "" || value === 0 || (Array.isArray(value) && !value.length);

/** What is sent of a trigger: without what belongs to other types, says nothing, or is the server's. */
export function body_of(draft) {
  const foreign = new Set([...TOLD, ...Object.entries(ONLY).flatMap(([type, names]) => (type === draft.type ? [] : names))]);
  if (draft.type === "timer") for (const it of OF_CALLERS) foreign.add(it);
  const body = {};
  for (const [name, value] of Object.entries(draft)) {
    if (foreign.has(name) || value === STANDARD[name]) continue;
    // An empty prefix says something: a command that is a bare word.
    if (is_empty(value) && !(name === "prefix" && value === "") && !ONLY[draft.type]?.includes(name)) continue;
    if (name === "aliases" && !value.length) continue;
    // None is something else than the standard number of them.
    if (name === "least_lines" && value === null) continue;
    body[name] = value;
  }
  body.actions = (draft.actions ?? []).map(({ action_type, payload = {} }) => ({
    action_type, payload: Object.fromEntries(Object.entries(payload).filter(([, value]) => !is_empty(value))),
  }));
  return body;
}

/** A name for a new trigger, from what calls it: letters, digits, `_` and `-`, and none that is taken. */
export function id_for({ type, command, keywords = [], pattern, minutes }, taken) {
  const word = { command, keyword: keywords[0], regex: pattern, timer: minutes ? `every-${minutes}` : "timer" }[type] ?? "";
  const plain = String(word).normalize("NFKD").replace(/\p{M}+/gu, "").toLowerCase().replace(/[^a-z0-9_-]+/g, "-");
  const base = plain.replace(/^[-_]+|[-_]+$/g, "").slice(0, 40) || type;
  const known = new Set(taken);
  for (let count = 1; ; count += 1) {
    const id = count === 1 ? base : `${base}-${count}`;
    if (!known.has(id)) return id;
  }
}

export const same = (a, b) => JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));

function sorted(value) {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.keys(value).sort().map((it) => [it, sorted(value[it])]));
}

/** The room's triggers with the draft in the place of the one it changes, or behind them all. */
export function with_draft(triggers, draft, id) {
  const bodies = triggers.map((it) => (it.trigger_id === id ? { ...body_of(draft), trigger_id: id } : body_of(it)));
  if (!triggers.some((it) => it.trigger_id === id)) bodies.push({ ...body_of(draft), trigger_id: draft.trigger_id || DRAFT });
  return bodies;
}

/** `!hello` typed into a field beside which the prefix stands already. */
export function without_prefix(word, prefix) {
  const trimmed = word.trim();
  return prefix && trimmed.startsWith(prefix) && trimmed.length > prefix.length ? trimmed.slice(prefix.length) : trimmed;
}

/** Words as people list them: with commas, spaces where `by_space`, or on lines. */
export function words_of(text, { by_space = false } = {}) {
  const parts = text.split(by_space ? /[\s,]+/ : /[\n,]+/).map((it) => it.trim()).filter(Boolean);
  return [...new Set(parts)];
}

export const lines_of = (text) => text.split("\n").map((it) => it.trim()).filter(Boolean);

/** How many digits follow the point; bits, kicks and the like have none. */
function digits_of(currency) {
  if (!/^[A-Za-z]{3}$/.test(currency)) return 0;
  try {
    return new Intl.NumberFormat("en", { style: "currency", currency }).resolvedOptions().maximumFractionDigits;
  } catch {
    return 2;
  }
}

/** An amount as typed (`4,50`), in the minor unit of its currency; null if it is none. */
export function minor_of(text, currency) {
  const number = Number(String(text).trim().replace(",", "."));
  if (!String(text).trim() || !Number.isFinite(number) || number < 0) return null;
  return Math.round(number * 10 ** digits_of(currency));
}

/** The same back. */
export function major_of(value, currency) {
  const digits = digits_of(currency);
  return (value / 10 ** digits).toFixed(digits);
}

/** A text with a word put where the cursor is, in place of what is selected: `{text, caret}`. */
export function insert_at(text, start, end, word) {
  const from = start ?? text.length;
  return { text: text.slice(0, from) + word + text.slice(end ?? from), caret: from + word.length };
}

/** The order with one moved to another place among those that can be moved; what is from the file stays where it is. */
export function reordered(triggers, id, step) {
  const own = triggers.filter((it) => it.source !== "file").map((it) => it.trigger_id);
  const from = own.indexOf(id);
  const to = from + step;
  if (from < 0 || to < 0 || to >= own.length) return null;
  own.splice(to, 0, ...own.splice(from, 1));
  return own;
}

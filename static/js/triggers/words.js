// What automation is called for people: types of triggers, actions with their fields, outcomes, variables of texts.

import { TITLES } from "../rooms.js";

export const TYPES = Object.freeze({
  command: "Command", keyword: "Keywords", regex: "Pattern", timer: "Timer",
});

export const ACCESS = Object.freeze({
  everyone: "Everyone", subscribers: "Subscribers and above", vips: "VIPs and above", moderators: "Moderators and you",
  broadcaster: "Only you",
});

/** Platforms whose chat is read. */
export const CHATS = Object.freeze(
  ["twitch", "youtube", "kick", "rumble", "pilled", "discord"].map((it) => [it, TITLES[it]]),
);

const METHODS = [["POST", "POST"], ["GET", "GET"], ["PUT", "PUT"]];

/**
 * What a trigger can do. Kinds of fields: `template` (a text with variables), `text`, `number`, `lines` (a list), `platforms`,
 * `method`, and `poll`, `tally`, `scoreboard` (one of the room's).
 */
export const ACTIONS = Object.freeze({
  reply: { words: "Answer in chat", fields: [{ name: "text", words: "Answer", kind: "template", needed: true }] },
  send_chat_message: {
    words: "Say on platforms",
    fields: [
      { name: "text", words: "Text", kind: "template", needed: true },
      { name: "platforms", words: "Where", kind: "platforms", hint: "none chosen is all" },
    ],
  },
  feature: { words: "Show the message on the overlay", fields: [] },
  queue: { words: "Put the message into the queue", fields: [] },
  tally: {
    words: "Count on a tally",
    fields: [
      { name: "tally_id", words: "Tally", kind: "tally", needed: true },
      { name: "item", words: "Which item", kind: "text", hint: "where it counts several" },
      { name: "by", words: "By", kind: "number", standard: 1 },
    ],
  },
  score: {
    words: "Give points",
    fields: [
      { name: "scoreboard_id", words: "Scoreboard", kind: "scoreboard", needed: true },
      { name: "who", words: "To whom", kind: "text", hint: "empty is who wrote it" },
      { name: "points", words: "Points", kind: "number", standard: 1 },
    ],
  },
  poll_open: {
    words: "Start a poll",
    fields: [
      { name: "question", words: "Question", kind: "text", needed: true },
      { name: "options", words: "Answers", kind: "lines", hint: "one on a line; none: what follows the command, as a | b" },
      { name: "minutes", words: "Minutes", kind: "number", hint: "empty is until it is closed" },
    ],
  },
  poll_vote: {
    words: "Vote in a poll",
    fields: [
      { name: "poll_id", words: "Poll", kind: "poll", hint: "empty is the open one" },
      { name: "choice", words: "For", kind: "text", hint: "empty is what follows the command" },
    ],
  },
  poll_close: {
    words: "Close a poll", fields: [{ name: "poll_id", words: "Poll", kind: "poll", hint: "empty is the open one" }],
  },
  clip: {
    words: "Make a clip",
    fields: [
      { name: "seconds", words: "Seconds", kind: "number", hint: "empty is the standard length" },
      { name: "title", words: "Title", kind: "text" },
    ],
  },
  notify: {
    words: "Tell a Discord channel",
    fields: [
      { name: "channel_id", words: "Channel id", kind: "text", needed: true },
      { name: "text", words: "Text", kind: "template", needed: true },
    ],
  },
  webhook: {
    words: "Call a webhook, signed",
    fields: [{ name: "url", words: "Address", kind: "text", hint: "https://…", needed: true }],
  },
  http: {
    words: "Make an HTTP request",
    fields: [
      { name: "method", words: "Method", kind: "method", standard: "POST" },
      { name: "url", words: "Address", kind: "text", hint: "on a host that this server allows", needed: true },
      { name: "body", words: "Body", kind: "template" },
    ],
  },
});

export { METHODS };

/** What stands in braces in a text, and what it becomes. */
export const VARIABLES = Object.freeze([
  ["user", "who wrote it"], ["login", "the name of their account"], ["args", "everything behind the command"],
  ["1", "the first word behind the command, and so on to {9}"], ["target", "that word without its @, or who wrote it"],
  ["count", "how often this trigger has acted"], ["random:1-6", "a number from 1 to 6"], ["amount", "what was paid with it"],
  ["message", "the whole message"], ["time", "the time of day in UTC"], ["date", "the day in UTC"], ["platform", "where it was written"],
  ["channel", "the channel it was written in"], ["room", "the name of this room"],
]);

const OUTCOMES = Object.freeze({
  matched: "acted", cooldown: "resting", role: "role too low", amount: "paid too little", platform: "not on this platform",
  stale: "message too old", limited: "too many at a time", disabled: "switched off", none: "does not match",
});

export const outcome_words = (outcome) => OUTCOMES[outcome] ?? String(outcome ?? "").replaceAll("_", " ");

/** Why, where that says more than the outcome does. */
export const why_words = ({ outcome, detail }) => (detail && detail !== outcome && detail !== outcome_words(outcome) ? detail : "");

const STATES = Object.freeze({
  done: "done", queued: "under way", blocked: "held back", failed: "failed", pending: "waits", running: "runs",
  completed: "done", cancelled: "cancelled",
});

export const state_words = (state) => STATES[state] ?? String(state ?? "");

export const action_title = (type) => ACTIONS[type]?.words ?? String(type ?? "").replaceAll("_", " ");

const list_words = (items) => items.join(", ");

/** What calls it, as a title in a list. */
export function call_words(trigger) {
  const { type, prefix = "!", command, aliases = [], keywords = [], pattern, minutes, least_lines } = trigger;
  if (type === "command") return list_words([command, ...aliases].filter(Boolean).map((it) => `${prefix ?? ""}${it}`)) || "a command";
  if (type === "keyword") return list_words(keywords.map((it) => `“${it}”`)) || "a word";
  if (type === "regex") return pattern ? `/${pattern}/` : "a pattern";
  const lines = least_lines ? `, after ${least_lines} ${least_lines === 1 ? "line" : "lines"}` : "";
  return `every ${minutes || "?"} min${lines}`;
}

/** What it does, in a line. */
export function action_words({ action_type, payload = {} }) {
  const text = payload.text ?? payload.question ?? payload.url ?? payload.tally_id ?? payload.scoreboard_id ?? "";
  return [action_title(action_type), text].filter(Boolean).join(": ");
}

/** Who may, and how often, where that is not everybody at any time. */
export function limit_words({ type, access = "everyone", platforms = [], cooldown_seconds, viewer_cooldown_seconds, least_amount }) {
  return [
    type !== "timer" && access && access !== "everyone" ? ACCESS[access] ?? access : "",
    platforms?.length ? platforms.map((it) => TITLES[it] ?? it).join(", ") : "",
    cooldown_seconds ? `rests ${cooldown_seconds} s` : "",
    viewer_cooldown_seconds ? `${viewer_cooldown_seconds} s a viewer` : "",
    least_amount ? "paid messages" : "",
  ].filter(Boolean);
}

/** What was found wrong, whatever its shape. */
export function problem_words(it) {
  if (typeof it === "string") return it;
  if (Array.isArray(it)) return it.filter(Boolean).join(": ");
  return [it.trigger_id, it.pointer || it.path, it.detail ?? it.message ?? it.reason].filter(Boolean).join(": ");
}

// What polls, tallies and scoreboards are called for people, and what of a form is sent. Pure functions.

import { TITLES } from "../rooms.js";
import { clock_text } from "../widgets/numbers.js";

export const AGGREGATIONS = Object.freeze([
  ["none", "Never"], ["weekly", "Every week"], ["monthly", "Every month"],
]);

export const FEEDS = Object.freeze([
  ["", "By hand and by triggers"], ["follows", "Follows"], ["subscriptions", "Subscriptions"], ["gifts", "Gifted subscriptions"], ["bits", "Bits"],
  ["kicks", "Kicks"], ["donations", "Money"], ["raiders", "Raiders"], ["messages", "Messages"],
]);

export const MINUTES = Object.freeze([
  ["", "until I close it"], ["1", "1 minute"], ["2", "2 minutes"], ["3", "3 minutes"], ["5", "5 minutes"], ["10", "10 minutes"],
  ["15", "15 minutes"], ["30", "30 minutes"], ["60", "an hour"],
]);

export const STATES = Object.freeze({ draft: "Draft", open: "Open", closed: "Closed", archived: "Archived" });

/** Which poll is shown first: what runs, what is prepared, what is over. */
const RANK = { open: 0, draft: 1, closed: 2, archived: 3 };

export function in_order(polls) {
  return [...polls].sort((a, b) => (RANK[a.state] ?? 4) - (RANK[b.state] ?? 4));
}

/** `Open`, the time left, `Closed`. */
export function state_words({ state, closes_at }, now = Date.now()) {
  const left = state === "open" ? Date.parse(closes_at ?? "") - now : NaN;
  return left > 0 ? clock_text(left) : STATES[state] ?? String(state ?? "");
}

/** How viewers vote: "Vote with !vote 1 … 3, or only the number". */
export function vote_words({ vote_trigger, bare_numbers, options = [], platforms = [] }) {
  if (!vote_trigger && !bare_numbers) return "";
  const last = options.length;
  const word = vote_trigger ? `${vote_trigger} 1 … ${last}` : "";
  const ways = [word, bare_numbers ? (word ? "only the number" : `1 … ${last}`) : ""].filter(Boolean).join(", or ");
  const where = platforms?.length ? ` on ${platforms.map((it) => TITLES[it] ?? it).join(", ")}` : "";
  return `Vote with ${ways}${where}`;
}

/** What is sent for a new poll. */
export function poll_body({ question, options, minutes, vote_trigger, bare_numbers, platforms, draft = false }) {
  return {
    question: question.trim(), options: options.map((it) => it.trim()).filter(Boolean),
    ...(minutes ? { seconds: 60 * Number(minutes) } : {}),
    ...(vote_trigger.trim() ? { vote_trigger: vote_trigger.trim() } : {}),
    ...(bare_numbers ? { bare_numbers: true } : {}), ...(platforms.length ? { platforms } : {}), ...(draft ? { draft } : {}),
  };
}

/** Which of the fields a pointer to an option means, where empty fields were left out: places of those that were sent. */
export const sent_places = (options) => options.flatMap((it, at) => (it.trim() ? [at] : []));

/** Which period is counted: `2024-08`. */
export const period_words = ({ period }) => (typeof period === "string" ? period : period?.period_id ?? "");

/** A line of a scoreboard, in whichever shape it comes. */
export function entry_of(it, at) {
  return { position: it.position ?? at + 1, label: it.label ?? it.display_name ?? it.user_id ?? "", score: it.score ?? it.score_value ?? 0 };
}

/** Who wrote lately, by platform and login, in the order of the feed: `{id, platform, login, name}`. */
export function writers_of(events) {
  const all = new Map();
  for (const { data } of events) {
    if (data?.author?.login) all.set(`${data.platform} ${data.author.login.toLowerCase()}`, { ...data.author, platform: data.platform });
  }
  return all;
}

/** The id of an account: of a login that somebody wrote under lately, else what was typed is one. Nothing of nothing. */
export function account_of(platform, typed, writers) {
  const name = typed.trim().replace(/^@/, "");
  if (!name) return "";
  return writers.get(`${platform} ${name.toLowerCase()}`)?.id ?? (name.startsWith(`${platform}:`) ? name : `${platform}:${name}`);
}

/** Several accounts of one viewer. */
export const accounts_words = (accounts) => accounts.join(" = ");

// What an account has several of: sign-ins, tokens, ways in.

import { ask, reason_of } from "./ask.js";
import { badge, stamp } from "./marks.js";
import { removal_button, replace_keeping_focus } from "./removal.js";
import { make } from "./rooms.js";
import { day, when } from "./time_words.js";

const METHODS = { password: "password", link: "mail link", google: "Google", github: "GitHub", discord: "Discord", twitch: "Twitch" };
const MARKS = { google: "providers/google", github: "providers/github", discord: "platforms/discord", twitch: "platforms/twitch" };
const SVG = "http://www.w3.org/2000/svg";

/** A line of a list: a sign, what it is, facts in small, and what can be done. */
function row({ sign, title, facts, acts = [] }) {
  const words = make("span", "row-words", make("span", "row-title", ...title), make("span", "row-facts", facts));
  return make("li", "row-item", ...(sign ? [sign] : []), words, make("span", "row-acts", ...acts));
}

function drawing(path) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "device");
  svg.setAttribute("aria-hidden", "true");
  const shape = document.createElementNS(SVG, "path");
  for (const [name, value] of Object.entries({ d: path, fill: "none", stroke: "currentColor", "stroke-width": "1.8", "stroke-linecap": "round", "stroke-linejoin": "round" })) shape.setAttribute(name, value);
  svg.append(shape);
  return svg;
}

const DESK = "M3.5 4.5h17a1 1 0 0 1 1 1v10a1 1 0 0 1-1 1h-17a1 1 0 0 1-1-1v-10a1 1 0 0 1 1-1zM8 20.5h8M12 16.5v4";
const HAND = "M7.5 2.5h9a1.5 1.5 0 0 1 1.5 1.5v16a1.5 1.5 0 0 1-1.5 1.5h-9a1.5 1.5 0 0 1-1.5-1.5v-16a1.5 1.5 0 0 1 1.5-1.5zM11 18.5h2";
const KEY = "M14.5 3.5a6 6 0 1 1-4.200 10.300L9 15v2H7v2H5l-2 2v-3.5l6.5-6.5a6 6 0 0 1 5-7.5zM16.5 7.5v.01";

/** Asks for a list and shows it; says in `fault` when that fails. Answers whether it went well. */
async function refresh(path, fault, draw) {
  const answer = await ask("GET", path);
  fault.textContent = answer.ok ? "" : reason_of(answer);
  if (answer.ok) draw(answer.body);
  return answer.ok;
}

// ---------------------------------------------------------------- sign-ins

/** The account's sign-ins, this one first. */
export function follow_sessions({ list, fault, title, end_others }) {
  const failed = (why) => (fault.textContent = why);
  const load = () => refresh("/account/sessions", fault, draw);
  const all_others = removal_button({
    label: "every other browser", words: "End all others", question: "Really end all others?", look: "tool-button danger", path: "/account/sessions", done: load, failed,
  });
  end_others.append(all_others);
  end_others.hidden = true;

  function draw({ sessions }) {
    const sorted = sessions.toSorted((a, b) => Number(b.current) - Number(a.current) || b.last_seen_at.localeCompare(a.last_seen_at));
    replace_keeping_focus(list, title, ...sorted.map(session_row));
    end_others.hidden = sessions.length < 2;
  }

  function session_row(session) {
    const words = session.device;
    const facts = make("span", "");
    facts.append(session.current ? "Here, now" : stamp(when, session.last_seen_at), " · signed in ", stamp(when, session.created_at), ` by ${METHODS[session.method] ?? session.method}`);
    if (session.address) facts.append(" · from ", make("bdi", "", session.address));
    const end = session.current ? [] : [removal_button({
      label: words, words: "End", question: "Really?", path: `/account/sessions/${encodeURIComponent(session.id)}`, done: load, failed,
    })];
    const item = row({ sign: drawing(/iPhone|iPad|Android/.test(words) ? HAND : DESK), title: [make("bdi", "", words), ...(session.current ? [badge("this browser", "accent")] : [])], facts, acts: end });
    item.classList.toggle("is-here", session.current);
    return item;
  }
  return load;
}

// ---------------------------------------------------------------- tokens

/** The account's tokens. */
export function follow_tokens({ list, fault, title }) {
  const failed = (why) => (fault.textContent = why);
  const load = () => refresh("/account/tokens", fault, ({ tokens }) => replace_keeping_focus(list, title, ...tokens.map(token_row)));

  function token_row(token) {
    const facts = make("span", "");
    if (token.last_used_at) facts.append("Used ", stamp(when, token.last_used_at));
    else facts.append("Not used yet");
    facts.append(" · made ", stamp(when, token.created_at));
    const is_over = token.expires_at && Date.parse(token.expires_at) <= Date.now();
    if (token.expires_at && !is_over) facts.append(` · works until ${day(token.expires_at)}`);
    return row({
      sign: drawing(KEY), title: [make("bdi", "", token.name), ...(is_over ? [badge("expired", "bad")] : [])], facts,
      acts: [removal_button({ label: token.name, words: "Delete", question: "Its programs stop. Really?", path: `/account/tokens/${encodeURIComponent(token.id)}`, done: load, failed })],
    });
  }
  return load;
}

// ---------------------------------------------------------------- ways in

/** The ways in to the account. `providers` are those that can be added here, each with the way there. */
export function follow_methods({ list, fault, title, providers }) {
  const failed = (why) => (fault.textContent = why);
  const load = () => refresh("/api/account/auth-methods", fault, draw);
  const draw = ({ methods }) => {
    const shown = methods.filter((it) => it.provider !== "password" && (it.linked || providers.some((offered) => offered.id === it.provider)));
    replace_keeping_focus(list, title, ...shown.map(method_row));
    list.closest("section").hidden = !shown.length;
  };

  function method_row(method) {
    const mark = make("img", "");
    mark.src = `/static/img/${MARKS[method.provider] ?? "favicon"}.svg`;
    mark.alt = "";
    const acts = [];
    if (method.linked && method.can_unlink) {
      acts.push(removal_button({ label: method.title, words: "Disconnect", question: "Really?", path: `/account/providers/${encodeURIComponent(method.provider)}`, done: load, failed }));
    }
    const offered = providers.find((it) => it.id === method.provider);
    if (!method.linked && offered) {
      const link = make("a", "quiet", "Connect");
      link.href = offered.href;
      link.setAttribute("aria-label", `Connect ${method.title}`);
      acts.push(link);
    }
    const who = method.identities.map((it) => it.name ?? it.email).filter(Boolean).join(", ");
    const state = method.linked ? [badge("connected", "good")] : [];
    if (method.platform && !method.platform.active) state.push(badge("sign in there again", "warn"));
    return row({ sign: mark, title: [method.title, ...state], facts: method.linked ? make("bdi", "", who || "Connected") : "Not connected", acts });
  }
  return load;
}

// What would happen: one line that somebody says, or a whole recorded stream. Nothing is posted.

import { ask, reason_of } from "../ask.js";
import { button, input, labelled, segments, select } from "../fields.js";
import { mark, make } from "../rooms.js";
import { sentence } from "../refusal.js";
import { exact } from "../time_words.js";
import { CHATS, action_title, outcome_words, problem_words, why_words } from "./words.js";

const AGAIN_MS = 500; // After the last letter in the editor.
const SESSIONS = 30;

const ROLES = [["viewer", "Viewer"], ["subscriber", "Subscriber"], ["vip", "VIP"], ["moderator", "Moderator"], ["broadcaster", "You"]];

/** Whoever says it, as the server asks. */
export function actor_of(name, role) {
  return {
    display_name: name.trim() || "Wren", is_follower: role !== "viewer", is_subscriber: role === "subscriber", is_vip: role === "vip",
    is_moderator: role === "moderator", is_broadcaster: role === "broadcaster",
  };
}

/** The answer in a few words; `name` is what the trigger is called. */
export function verdict({ matched, would_post, blocked_reason, actions = [] }, name) {
  if (!matched) return { kind: "none", words: "Nothing would happen." };
  if (blocked_reason) return { kind: "blocked", words: `${name} would act, and say nothing. ${sentence(blocked_reason)}` };
  if (would_post || actions.length) return { kind: "good", words: `${name} would act.` };
  return { kind: "blocked", words: `${name} would match, and do nothing.` };
}

/** What the server says, with what it quotes as such. */
function quoted(text) {
  return text.split("`").map((it, at) => (at % 2 ? make("code", "", it) : it));
}

/** The part of a letter count that is used: "34 of 500 characters". */
export const length_words = (text, most) => `${[...text].length.toLocaleString()}${most ? ` of ${most.toLocaleString()}` : ""} characters`;

export class DryRun {
  #path;
  #triggers; // () → bodies, or null for those of the room
  #names; // id → words
  #place;
  #platform = select(CHATS);
  #name = input("text", { value: "Wren", maxLength: 60, dir: "auto" });
  #message = input("text", { id: "dry-message", maxLength: 500, placeholder: "!hello everybody", dir: "auto", spellcheck: false });
  #role;
  #go;
  #out = make("div", "dry-out");
  #sessions = select([["", "A recorded stream…"]]);
  #run;
  #session_out = make("div", "dry-out");
  #number = 0;
  #has_run = false;
  #timer = 0;

  /**
   * @param {object} options
   * @param {string} options.room @param {HTMLElement} options.place
   * @param {() => object[]|null} options.triggers those that are asked, where they are not the room's as saved
   * @param {(id: string) => string} options.names what a trigger is called
   */
  constructor({ room, place, triggers, names }) {
    this.#path = `/api/rooms/${encodeURIComponent(room)}`;
    this.#triggers = triggers;
    this.#names = names;
    this.#place = place;
    this.#role = segments(ROLES, "viewer", () => this.#again());
    this.#role.place.setAttribute("aria-label", "Who says it");
    this.#go = make("button", "primary", "Try it");
    this.#out.setAttribute("role", "status");
    this.#session_out.setAttribute("role", "status");
    const form = make("form", "dry-form",
      make("div", "dry-who", labelled("Viewer", this.#name).row, labelled("on", this.#platform).row), this.#role.place,
      labelled("says", this.#message, { beside: [this.#go] }).row);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.run();
    });
    this.#platform.addEventListener("change", () => this.#again());
    this.#run = button("tool", "Run over it", () => void this.run_session());
    this.#run.disabled = true;
    this.#sessions.addEventListener("change", () => (this.#run.disabled = !this.#sessions.value));
    place.append(form, this.#out, labelled("Or over a whole stream", this.#sessions, { beside: [this.#run] }).row, this.#session_out);
  }

  async list_sessions() {
    const { ok, body } = await ask("GET", `${this.#path}/sessions?limit=${SESSIONS}`);
    if (!ok) return;
    const words = ({ title, started_at, events, id, session_id }) =>
      [title || exact(started_at), title ? exact(started_at) : "", events ? `${events.toLocaleString()} events` : "", title || started_at ? "" : id ?? session_id]
        .filter(Boolean).join(" · ");
    this.#sessions.replaceChildren(new Option("A recorded stream…", ""),
      ...(body.sessions ?? []).map((it) => new Option(words(it), it.session_id ?? it.id)));
    this.#run.disabled = true;
  }

  /** The editor has changed: what was tried is tried again. */
  note_change() {
    this.#again();
  }

  #again() {
    if (!this.#has_run) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.run(), AGAIN_MS);
  }

  async run() {
    clearTimeout(this.#timer);
    if (!this.#message.value.trim()) {
      this.#out.replaceChildren(make("p", "muted hint", "Write what is said first."));
      this.#message.focus();
      return;
    }
    this.#number += 1;
    const number = this.#number;
    this.#has_run = true;
    const answer = await ask("POST", `${this.#path}/triggers/dry-run`, this.#with_drafts({
      platform: this.#platform.value, message: this.#message.value, actor: actor_of(this.#name.value, this.#role.value()),
    }));
    if (number !== this.#number) return; // An answer about something else.
    this.#out.replaceChildren(...(answer.ok ? this.#result(answer.body) : [this.#refused(answer)]));
  }

  #with_drafts(body) {
    const triggers = this.#triggers();
    return triggers ? { ...body, triggers } : body;
  }

  #refused(answer) {
    const errors = answer.body.errors ?? [];
    const words = errors.length ? `The draft is not right yet: ${errors[0].detail}` : reason_of(answer);
    return make("p", "verdict bad", words);
  }

  #result(result) {
    const { kind, words } = verdict(result, this.#names(result.trigger_id));
    const parts = [make("p", `verdict ${kind}`, make("bdi", "", words))];
    if (result.match_reason) parts.push(make("p", "muted hint", make("bdi", "", ...quoted(sentence(result.match_reason)))));
    const reply = result.generated_reply;
    if (reply) {
      const text = make("span", "dry-text", reply);
      text.dir = "auto";
      const line = make("p", "dry-line", mark(this.#platform.value), " ", make("b", "", "You"), ": ", text);
      line.setAttribute("aria-label", "The answer in chat");
      parts.push(line, make("p", "muted hint", length_words(reply, result.platform_max_chars)));
    }
    for (const it of result.validation_warnings ?? []) parts.push(make("p", "warning", make("bdi", "", sentence(problem_words(it)))));
    const others = (result.actions ?? []).filter((it) => !(it.action_type === "reply" && reply));
    if (others.length) {
      parts.push(make("ul", "dry-actions", ...others.map(({ action_type, would, text }) => {
        const said = typeof would === "string" ? would : "";
        return make("li", "", make("b", "", action_title(action_type)), " ", make("bdi", "muted", ...quoted(said), text ? `: ${text}` : ""));
      })));
    }
    const considered = result.considered ?? [];
    if (considered.length) {
      parts.push(make("h3", "dry-title", "Asked in this order"));
      parts.push(make("ol", "considered", ...considered.map(({ trigger_id, outcome, detail }) => {
        const item = make("li", "", make("bdi", "considered-name", this.#names(trigger_id)), make("span", "outcome", outcome === "matched" ? "acts" : outcome_words(outcome)),
          make("bdi", "muted considered-why", why_words({ outcome, detail })));
        item.dataset.outcome = outcome;
        return item;
      })));
    }
    return parts;
  }

  async run_session() {
    const session_id = this.#sessions.value;
    if (!session_id) return;
    this.#run.disabled = true;
    this.#session_out.replaceChildren(make("p", "muted hint", "Reading the stream…"));
    const answer = await ask("POST", `${this.#path}/triggers/dry-run`, this.#with_drafts({ session_id }));
    this.#run.disabled = !this.#sessions.value;
    this.#session_out.replaceChildren(...(answer.ok ? this.#session_result(answer.body) : [this.#refused(answer)]));
  }

  #session_result({ messages = 0, matched = 0, by_trigger = [], first = [], took_ms }) {
    const took = Number.isFinite(took_ms) ? `, in ${took_ms < 1000 ? `${Math.round(took_ms)} ms` : `${(took_ms / 1000).toFixed(1)} s`}` : "";
    const parts = [make("p", `verdict ${matched ? "good" : "none"}`, `${matched.toLocaleString()} of ${messages.toLocaleString()} messages would have been acted on${took}.`)];
    const most = Math.max(1, ...by_trigger.map((it) => it.count));
    if (by_trigger.length) {
      parts.push(make("ul", "hits", ...by_trigger.map(({ trigger_id, count }) => {
        const item = make("li", "", make("bdi", "", this.#names(trigger_id)), make("span", "muted", count.toLocaleString()));
        item.style.setProperty("--share", String(count / most));
        return item;
      })));
    }
    const shown = first.slice(0, 20);
    if (shown.length) {
      parts.push(make("h3", "dry-title", first.length > shown.length ? `The first ${shown.length}` : "These"));
      parts.push(make("ol", "considered", ...shown.map(({ platform, viewer, text, trigger_id, reply }) => {
        const said = make("bdi", "", text);
        const line = make("li", "", mark(platform), make("bdi", "considered-name", viewer), said, make("span", "outcome", this.#names(trigger_id)));
        if (reply) line.append(make("bdi", "muted considered-why", reply));
        return line;
      })));
    }
    return parts;
  }
}

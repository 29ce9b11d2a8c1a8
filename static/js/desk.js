// What a moderator does about a message or a viewer: here at once, and on the platform where this server may.

import { ask, reason_of } from "./ask.js";
import { TITLES } from "./rooms.js";

const TIMEOUT_SECONDS = 600;
const DONE = { hide: "Hidden", unhide: "Shown again", timeout: "Timed out for 10 minutes", ban: "Banned", unban: "Let in again" };

/** What came of it, in a sentence: first what is done, then where it is not, and why. */
export function words_for({ action, results }) {
  const elsewhere = results.filter((it) => it.place !== "feed");
  const failed = results.filter((it) => it.state !== "done");
  const done = results.some((it) => it.state === "done");
  const where = elsewhere.some((it) => it.state === "done") || !elsewhere.length ? "" : " here";
  const parts = [done ? `${DONE[action]}${where}` : "Not done"];
  for (const { place, state, detail } of failed) {
    const name = place === "feed" ? "here" : (TITLES[place] ?? place);
    parts.push(`${name}: ${detail || state}`);
  }
  return parts.join(" · ");
}

export class Desk {
  #room;
  #tell;

  /**
   * @param {object} options
   * @param {string} options.room
   * @param {string[]} options.rights what the reader may do: `hide`, `timeout`, `ban`
   * @param {(words: string) => void} options.tell
   */
  constructor({ room, rights, tell }) {
    this.#room = room;
    this.#tell = tell;
    this.may_hide = rights.includes("hide");
    this.may_timeout = rights.includes("timeout");
    this.may_ban = rights.includes("ban");
  }

  hide_message(message) {
    return this.#do({ action: "hide", message_id: message.id });
  }

  /** What may be done about a viewer: `[words, act]`, the mildest first. */
  about(author) {
    const of = (action, more = {}) => () => this.#do({ action, user_id: author.id, ...more });
    return [
      this.may_hide && ["Hide on overlays", of("hide")],
      this.may_hide && ["Show again", of("unhide")],
      this.may_timeout && ["Time out 10 min", of("timeout", { seconds: TIMEOUT_SECONDS })],
      this.may_ban && ["Ban", of("ban")],
      this.may_ban && ["Unban", of("unban")],
    ].filter(Boolean);
  }

  async #do(body) {
    const answer = await ask("POST", `/api/rooms/${encodeURIComponent(this.#room)}/moderation`, body);
    this.#tell(answer.ok ? words_for(answer.body) : reason_of(answer));
  }
}

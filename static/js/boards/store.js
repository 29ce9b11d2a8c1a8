// The polls, tallies and scoreboards of a room, for whoever works with them: lists that are asked for, and what the socket
// says since. An answer may be late: what was told meanwhile holds against it.

import { ask } from "../ask.js";
import { Emitter } from "../emitter.js";

/** Where each is: `list` in answers and addresses, `id` its id, `event` what tells of it. */
export const KINDS = Object.freeze({
  polls: Object.freeze({ id: "poll_id", event: "poll.update" }),
  tallies: Object.freeze({ id: "tally_id", event: "tally.update" }),
  scoreboards: Object.freeze({ id: "scoreboard_id", event: "score.update" }),
});

const BY_EVENT = new Map(Object.entries(KINDS).map(([list, { event }]) => [event, list]));

/** Emits `change` with the name of a list. */
export class Store extends Emitter {
  #path;
  #all = { polls: new Map(), tallies: new Map(), scoreboards: new Map() }; // In the server's order; new ones first.
  #told = new Map(); // "list id" → the number of the newest news of it.
  #news = 0;

  constructor({ room }) {
    super();
    this.#path = `/api/rooms/${encodeURIComponent(room)}`;
  }

  list(name) {
    return [...this.#all[name].values()];
  }

  /** A whole snapshot, as the socket tells it. True if it is one. */
  take({ type, data }) {
    const name = BY_EVENT.get(type);
    const id = name && data?.[KINDS[name].id];
    if (typeof id !== "string") return false;
    this.#news += 1;
    this.#told.set(`${name} ${id}`, this.#news);
    if (data.removed) this.#all[name].delete(id);
    else this.#put(name, data);
    this.emit("change", name);
    return true;
  }

  /** What a connection begins with; whatever else there is, `read` tells. */
  greet(boards) {
    for (const [name, { event }] of Object.entries(KINDS)) {
      for (const data of [...(boards?.[name] ?? [])].reverse()) this.take({ type: event, data });
    }
  }

  #put(name, data) {
    const all = this.#all[name];
    const id = data[KINDS[name].id];
    const before = all.get(id);
    // The socket tells what the public may see; the rest of what is known of it stays.
    if (before) all.set(id, { ...before, ...data });
    else this.#all[name] = new Map([[id, data], ...all]);
  }

  /** Asks for everything of a list, drafts and the archived among them. Answers the call, for its reason. */
  async read(name) {
    const asked_at = this.#news;
    const answer = await ask("GET", `${this.#path}/${name}`);
    if (!answer.ok || !Array.isArray(answer.body[name])) return answer;
    const { id } = KINDS[name];
    const before = this.#all[name];
    const is_news = (it) => (this.#told.get(`${name} ${it}`) ?? 0) > asked_at;
    const there = answer.body[name].map((it) => [it[id], is_news(it[id]) ? { ...it, ...before.get(it[id]) } : it]);
    const known = new Set(there.map(([it]) => it));
    const since = [...before].filter(([it]) => !known.has(it) && is_news(it));
    this.#all[name] = new Map([...since, ...there]);
    this.emit("change", name);
    return answer;
  }

  /** One that is gone. */
  forget(name, id) {
    if (this.#all[name].delete(id)) this.emit("change", name);
  }

  /** Everything: another connection begins, and may tell less. */
  async read_all() {
    await Promise.all(Object.keys(KINDS).map((it) => this.read(it)));
  }

  /** Writes, and takes what the answer tells of it. */
  async write(method, name, rest, body) {
    const asked_at = this.#news;
    const answer = await ask(method, `${this.#path}/${name}${rest}`, body);
    const { id, event } = KINDS[name];
    const told = answer.ok ? answer.body[name.replace(/ies$/, "y").replace(/s$/, "")] ?? answer.body : null;
    if (typeof told?.[id] === "string" && (this.#told.get(`${name} ${told[id]}`) ?? 0) <= asked_at) this.take({ type: event, data: told });
    return answer;
  }
}

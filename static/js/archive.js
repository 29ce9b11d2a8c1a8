// Reads what a room has recorded. It never gives up: a question is asked until it is answered or no longer
// wanted (its `signal` aborts, and it throws).
//
// `trouble`  `{attempt, retry_ms, status}` while nobody answers, null once somebody does again.

import { Emitter } from "./emitter.js";

const RETRY_FIRST_MS = 500;
const RETRY_CAP_MS = 10_000;
const TIMEOUT_MS = 20_000;

export class Archive extends Emitter {
  #base;
  #room;
  #key;
  #env;
  #trouble = null;

  /**
   * @param {object} options
   * @param {string} [options.url] the server, default this page's
   * @param {string} options.room
   * @param {string|null} [options.key] overlay key
   * @param {object} [options.env] stands in for the browser in tests
   */
  constructor({ url, room, key = null, env = {} }) {
    super();
    this.#base = url ?? globalThis.location?.href;
    this.#room = room;
    this.#key = key;
    this.#env = {
      fetch: env.fetch ?? ((...it) => globalThis.fetch(...it)),
      random: env.random ?? Math.random,
    };
  }

  get trouble() {
    return this.#trouble;
  }

  /** `{sessions}`, newest first. */
  sessions({ limit = 50, before } = {}, signal) {
    return this.#ask("sessions", { limit, before }, signal);
  }

  /** A session with its histogram, or null if there is none of this id. */
  session(id, signal) {
    return this.#ask(`sessions/${encodeURIComponent(id)}`, {}, signal);
  }

  /** A page of events: upwards with `after`, downwards with `before`. `from` and `to` are ms since 1970. */
  events({ after, before, from, to, limit, types }, signal) {
    const moment = (ms) => (ms === undefined ? undefined : new Date(ms).toISOString());
    return this.#ask("events", { after, before, from: moment(from), to: moment(to), limit, types }, signal);
  }

  download_url(id) {
    return this.#address(`sessions/${encodeURIComponent(id)}.jsonl`, {});
  }

  #address(path, parameters) {
    const url = new URL(`/api/rooms/${encodeURIComponent(this.#room)}/${path}`, this.#base);
    for (const [name, value] of Object.entries(parameters)) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    if (this.#key) url.searchParams.set("key", this.#key);
    return url.href;
  }

  async #ask(path, parameters, signal) {
    const address = this.#address(path, parameters);
    for (let attempt = 1; ; attempt += 1) {
      signal?.throwIfAborted();
      const { answer, status } = await this.#try(address, signal);
      signal?.throwIfAborted();
      if (answer !== undefined) {
        this.#note(null);
        return answer;
      }
      const ceiling = Math.min(RETRY_CAP_MS, RETRY_FIRST_MS * 2 ** Math.min(attempt - 1, 8));
      const retry_ms = Math.round(ceiling * (0.5 + 0.5 * this.#env.random()));
      this.#note({ attempt, retry_ms, status });
      await sleep(retry_ms, signal);
    }
  }

  async #try(address, signal) {
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), TIMEOUT_MS);
    const forward = () => stop.abort();
    signal?.addEventListener("abort", forward, { once: true });
    try {
      // Never from a cache: what was deleted since would come back.
      const response = await this.#env.fetch(address, {
        headers: { accept: "application/json" }, cache: "no-store", signal: stop.signal,
      });
      if (response.status === 404) return { answer: null, status: 404 };
      return response.ok ? { answer: await response.json(), status: 200 } : { status: response.status };
    } catch {
      return { status: 0 };
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", forward);
    }
  }

  #note(trouble) {
    if (!trouble && !this.#trouble) return;
    this.#trouble = trouble;
    this.emit("trouble", trouble);
  }
}

/** Waits; throws if `signal` aborts first. */
export function sleep(ms, signal) {
  return new Promise((done, fail) => {
    const stop = () => {
      clearTimeout(timer);
      fail(signal.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      done();
    }, ms);
    signal?.addEventListener("abort", stop, { once: true });
  });
}

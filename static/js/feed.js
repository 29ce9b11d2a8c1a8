// The one client of a room's feed: it connects, resumes, notices dead sockets and never gives up.
//
//   const feed = new Feed({ room: "daniel", key, backlog: 50 });
//   feed.on("event", (event) => …).on("status", (status) => …).start();
//
// `event`     an event of the feed, in order, once. A deletion without `seq` is an early copy: apply it at
//             once; the same deletion comes again in its place.
// `hello`     the first frame of every connection: `settings`, `status`, `version`, `build`, …
// `reset`     what is on the page is no longer the beginning of what follows: clear it.
// `position`  the resume point moved although no wanted event came.
// `status`    `{state: "connecting" | "live" | "waiting", attempt, retry_ms, code}`.
//
// The epoch changes when a crash of the server lost the newest numbers. What the page has shown of them is
// not lost to it, and the platform may deliver the same things once more, under numbers of the new epoch.
// So the ids of the last messages and activities are kept with the epoch they were seen in, and one that
// comes again under another epoch is dropped. Within one epoch the numbers alone decide.

import { Emitter } from "./emitter.js";

const CONNECT_TIMEOUT_MS = 10_000; // From the first byte to `hello`.
const STABLE_MS = 10_000; // A connection that lived this long forgives earlier failures.
const RETRY_FIRST_MS = 500;
const RETRY_CAP_MS = 10_000;
const SILENCE_MS = 45_000; // Longer than the server's ping interval, which JavaScript cannot see.
const PROBE_TIMEOUT_MS = 5_000;
const KNOWN_MOST = 2000; // Ids kept over a change of epoch.

const CLOSE_GOING_AWAY = 1001;
const CLOSE_KEY_REVOKED = 4003;
const CLOSE_ROOM_GONE = 4004;
const CLOSE_TOO_SLOW = 4008;

const EARLY = new Set(["chat.delete", "chat.clear_user", "chat.clear"]);

export class Feed extends Emitter {
  #options;
  #env;
  #socket = null;
  #position = null; // {epoch, seq} of the last sequenced frame: where to resume.
  #known = new Map(); // Id of a message or activity → the epoch it was seen in.
  #greeted = false; // A `hello` came at least once.
  #running = false;
  #attempt = 0;
  #live_since = null; // When `hello` came on this socket (ms).
  #moved = false; // This socket brought something new.
  #retry_timer = 0;
  #connect_timer = 0;
  #silence_timer = 0;
  #probing = false;
  #wake = () => this.#check();
  #wake_if_visible = () => {
    if (this.#env.document?.visibilityState !== "hidden") this.#check();
  };

  /**
   * @param {object} options
   * @param {string} [options.url] the server, default this page's
   * @param {string} options.room
   * @param {string|null} [options.key] overlay key
   * @param {number} [options.backlog] recent events wanted first (0–500)
   * @param {string[]} [options.types] prefixes of wanted types; empty is all
   * @param {string[]} [options.platforms] wanted platforms; empty is all
   * @param {object} [options.env] stands in for the browser in tests
   */
  constructor({ url, room, key = null, backlog = 50, types = [], platforms = [], env = {} }) {
    super();
    this.#env = {
      WebSocket: env.WebSocket ?? globalThis.WebSocket,
      fetch: env.fetch ?? ((...it) => globalThis.fetch(...it)),
      random: env.random ?? Math.random,
      window: env.window ?? globalThis.window,
      document: env.document ?? globalThis.document,
    };
    const base = url ?? globalThis.location?.href;
    this.#options = { base, room, key, backlog, types, platforms };
  }

  /** The resume point, or null before the first event. */
  get position() {
    return this.#position;
  }

  start() {
    if (this.#running) return this;
    this.#running = true;
    this.#env.window?.addEventListener("online", this.#wake);
    this.#env.window?.addEventListener("offline", this.#wake);
    this.#env.document?.addEventListener("visibilitychange", this.#wake_if_visible);
    this.#connect();
    return this;
  }

  stop() {
    this.#running = false;
    this.#env.window?.removeEventListener("online", this.#wake);
    this.#env.window?.removeEventListener("offline", this.#wake);
    this.#env.document?.removeEventListener("visibilitychange", this.#wake_if_visible);
    clearTimeout(this.#retry_timer);
    this.#retry_timer = 0;
    this.#let_go();
  }

  #address() {
    const { base, room, key, backlog, types, platforms } = this.#options;
    const url = new URL(`/ws/${encodeURIComponent(room)}`, base);
    url.protocol = url.protocol === "https:" || url.protocol === "wss:" ? "wss:" : "ws:";
    url.searchParams.set("backlog", String(backlog));
    if (this.#position) {
      url.searchParams.set("since", `${this.#position.epoch}.${this.#position.seq}`);
    }
    if (types.length) url.searchParams.set("types", types.join(","));
    if (platforms.length) url.searchParams.set("platforms", platforms.join(","));
    if (key) url.searchParams.set("key", key);
    return url.href;
  }

  #connect() {
    this.#retry_timer = 0;
    this.#live_since = null;
    this.#moved = false;
    this.emit("status", { state: "connecting", attempt: this.#attempt });
    let socket;
    try {
      socket = new this.#env.WebSocket(this.#address());
    } catch {
      this.#retry(1006);
      return;
    }
    this.#socket = socket;
    this.#connect_timer = setTimeout(() => this.#lost(1006), CONNECT_TIMEOUT_MS);
    socket.onmessage = ({ data }) => {
      this.#listen_for_silence();
      if (typeof data === "string") this.#take(data);
    };
    socket.onclose = ({ code }) => this.#lost(code);
  }

  #take(text) {
    let frame;
    try {
      frame = JSON.parse(text);
    } catch {
      return;
    }
    if (frame === null || typeof frame !== "object") return;
    if (frame.type === "hello") {
      this.#greet(frame);
    } else if (frame.type === "position") {
      this.#move(frame);
      this.emit("position", this.#position);
    } else if (Number.isInteger(frame.seq)) {
      const at = this.#position;
      if (at && at.epoch === frame.epoch && frame.seq <= at.seq) return;
      this.#move(frame);
      if (!this.#is_repeated(frame)) this.emit("event", frame);
    } else if (EARLY.has(frame.type)) {
      this.emit("event", frame);
    }
  }

  #is_repeated({ type, epoch, data }) {
    const id = data?.id;
    if (id === undefined || (type !== "chat.message" && type !== "activity")) return false;
    const seen_in = this.#known.get(id);
    if (seen_in !== undefined) return seen_in !== epoch;
    if (this.#known.size >= KNOWN_MOST) this.#known.delete(this.#known.keys().next().value);
    this.#known.set(id, epoch);
    return false;
  }

  #move({ epoch, seq }) {
    this.#position = { epoch, seq };
    this.#moved = true;
  }

  #greet(hello) {
    clearTimeout(this.#connect_timer);
    this.#live_since = Date.now();
    if (this.#greeted && hello.recovered === false) {
      this.#position = null;
      this.#known.clear();
      this.emit("reset", hello);
    }
    this.#greeted = true;
    // Without a backlog there is no frame to resume behind, until the first event. With one, its own
    // frames move the resume point: if it breaks off half-way, the rest must still come.
    if (!this.#position && this.#options.backlog === 0) {
      this.#position = { epoch: hello.epoch, seq: hello.seq };
    }
    this.emit("status", { state: "live", attempt: this.#attempt });
    this.emit("hello", hello);
  }

  /** Forgets the socket without waiting for its close handshake, which a dead one never finishes. */
  #let_go() {
    clearTimeout(this.#connect_timer);
    clearTimeout(this.#silence_timer);
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    socket.onmessage = null;
    socket.onclose = null;
    try {
      socket.close();
    } catch {
      // It never opened.
    }
  }

  #lost(code) {
    this.#let_go();
    if (this.#running) this.#retry(code);
  }

  #retry(code) {
    if (this.#live_since !== null && Date.now() - this.#live_since >= STABLE_MS) this.#attempt = 0;
    const retry_ms = Math.round(this.#delay_ms(code));
    this.#attempt += 1;
    this.emit("status", { state: "waiting", attempt: this.#attempt, retry_ms, code });
    clearTimeout(this.#retry_timer);
    this.#retry_timer = setTimeout(() => this.#connect(), retry_ms);
  }

  #delay_ms(code) {
    const random = this.#env.random();
    if (code === CLOSE_KEY_REVOKED || code === CLOSE_ROOM_GONE) {
      return RETRY_CAP_MS * (0.8 + 0.2 * random);
    }
    if (code === CLOSE_TOO_SLOW && this.#moved) return 0;
    // Every page of the server comes back at once, so even the quick return is spread out.
    if (code === CLOSE_GOING_AWAY && this.#attempt === 0) return 100 + 900 * random;
    const ceiling = Math.min(RETRY_CAP_MS, RETRY_FIRST_MS * 2 ** Math.min(this.#attempt, 8));
    return ceiling * (this.#attempt === 0 ? random : 0.3 + 0.7 * random);
  }

  #listen_for_silence() {
    clearTimeout(this.#silence_timer);
    this.#silence_timer = setTimeout(() => this.#check(), SILENCE_MS);
  }

  /** Something suggests that the world changed: go on now if waiting, else see whether anyone is there. */
  async #check() {
    if (!this.#running) return;
    if (!this.#socket) {
      clearTimeout(this.#retry_timer);
      this.#connect();
      return;
    }
    if (this.#probing || this.#live_since === null) return;
    const socket = this.#socket;
    this.#probing = true;
    try {
      // The server ignores this text, but a machine that no longer knows the connection resets it.
      socket.send("?");
    } catch {
      // Not open: the probe decides.
    }
    const alive = await this.#probe();
    this.#probing = false;
    if (!this.#running || this.#socket !== socket) return;
    if (alive) this.#listen_for_silence();
    else this.#lost(1006);
  }

  async #probe() {
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), PROBE_TIMEOUT_MS);
    try {
      const url = new URL("/healthz", this.#options.base);
      url.protocol = url.protocol.replace("ws", "http");
      // Any answer will do: a server that refuses is still there, and closes its sockets itself.
      await this.#env.fetch(url.href, { cache: "no-store", signal: stop.signal });
      return true;
    } catch {
      return false;
    } finally {
      clearTimeout(timer);
    }
  }
}

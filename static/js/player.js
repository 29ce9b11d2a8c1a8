// Plays one recorded session by a virtual clock. It knows nothing of pages: it says what happens, and when.
//
//   const player = new Player({ room, key, settings });
//   player.on("event", (event, { animate }) => …).on("tick", () => …).open("latest", { play: true });
//
// `session`   the session that is played, and again whenever more of it is known (one that still runs grows)
// `reset`     what follows begins anew, on an empty screen
// `event`     an event of the recording; while it is passed on, `clock.now()` is its own time. `animate` when
//             it comes by playing, not by seeking
// `tick`      the clock moved, and all that happened until then was passed on: draw
// `moderate`  a deletion that happens now, in the running stream: it holds at once (moderate())
// `state`     `{phase, is_playing, rate, trouble}`; the phases are
//             `loading`    asking for the session       `empty`, `missing`  nothing recorded, no such session
//             `seeking`    looking for what is shown    `buffering`         the network is slower than the clock
//             `playing`, `paused`, `ended`              `waiting`           at the end of a stream that still runs
// `end`       the last moment was played
//
// What is shown is a function of the recording, the settings and the position alone. Events are applied in
// their order once the clock has reached their time, each at its own time, and the clock waits for the network
// rather than run past what is not there yet; so it does not matter how late a timer fires. A seek plays as
// much of what came before as it takes to be right (retrace.js).
//
// Times never fall within a session: the server writes them down in the order of the numbers.

import { Archive, sleep } from "./archive.js";
import { Emitter } from "./emitter.js";
import { matcher, redactor } from "./moderation.js";
import { is_settled } from "./retrace.js";
import { Screen } from "./screen.js";

export const RATES = Object.freeze([0.5, 1, 1.5, 2, 4, 8, 16]);

const PAGE_EVENTS = 500;
const WAITING_LEAST = 500; // Fewer than this in the queue: the next page is fetched. So it holds under 1000.
const RETRACE_MOST = 12_000; // Events read before a seek makes do with what it has.
const TICK_MS = 50;
const POLL_MS = 3000; // How often a session that still runs is asked for more, and an empty archive for a first one.
// Events reach the log a moment after they happened. This close to the end of a stream that still runs, what
// is missing may still come.
const LIVE_MARGIN_MS = 1000;
const SILENCE_MS = 5000; // A longer one is worth skipping.
const DELETIONS = "chat.delete,chat.clear_user,chat.clear";
const RATE_LEAST = 0.5;
const RATE_MOST = 16;

export class Player extends Emitter {
  #archive;
  #env;
  #screen; // Never filled: it says which events are drawn.
  #settings;
  #session = null;
  #started = 0; // When it began (ms since 1970).
  #queue = []; // {at, event}: what comes next; `at` in ms since the session began.
  #cursor = 0; // The last number fetched.
  #from; // With it: the earliest time still wanted, right after a seek.
  #complete = false; // There is nothing behind the queue, and there will not be.
  #live_edge = null; // Nothing is behind the queue up to here (ms), in a session that still runs.
  #filling = null; // What aborts it.
  #position = 0;
  #moment = 0; // What the clock shows.
  #then = 0; // Real time of the last step of the clock.
  #rate = 1;
  #playing = false;
  #stalled = false;
  #ended = false;
  #timer = 0;
  #goal = null; // {at, done}: where play_to() stops.
  #pursuit = null; // What aborts the search for what is shown.
  #arrival = null; // {promise, done}: of the newest seek.
  #opening = null; // What resolves when the session is there.
  #stop = new AbortController(); // Everything about the session that is open.
  #phase = "loading";
  #told = "";

  /**
   * @param {object} options
   * @param {string} [options.url] the server, default this page's
   * @param {string} options.room
   * @param {string|null} [options.key] overlay key
   * @param {object} options.settings joined settings (settings.js) of the screen that is played on
   * @param {object} [options.env] stands in for the browser in tests: `fetch`, `now`, `random`
   */
  constructor({ url, room, key = null, settings, env = {} }) {
    super();
    this.#env = { now: env.now ?? (() => performance.now()) };
    this.#settings = settings;
    this.#screen = new Screen(settings);
    this.#archive = new Archive({ url, room, key, env }).on("trouble", () => this.#tell());
    const player = this;
    this.clock = Object.freeze({
      now: () => player.#moment,
      is_virtual: true,
      get rate() {
        return player.#rate;
      },
    });
  }

  // ---------------------------------------------------------------- what there is to know

  get archive() {
    return this.#archive;
  }

  get session() {
    return this.#session;
  }

  get position_ms() {
    return this.#position;
  }

  get duration_ms() {
    return this.#session?.duration_ms ?? 0;
  }

  get is_playing() {
    return this.#playing;
  }

  get is_open() {
    return this.#session?.state === "open";
  }

  get state() {
    return { phase: this.#phase, is_playing: this.#playing, rate: this.#rate, trouble: this.#archive.trouble };
  }

  /** How long nothing will be drawn (ms), as far as is known; 0 if there is nothing to skip. */
  get silence_ms() {
    const next = this.#queue.find((it) => this.#screen.draws(it.event));
    const silence = next ? next.at - this.#position : 0;
    return silence > SILENCE_MS ? silence : 0;
  }

  get rate() {
    return this.#rate;
  }

  set rate(rate) {
    if (!Number.isFinite(rate)) return;
    this.#advance();
    this.#rate = Math.min(RATE_MOST, Math.max(RATE_LEAST, rate));
    this.#schedule();
    this.#tell();
  }

  // ---------------------------------------------------------------- opening

  /** Opens a session, or the newest one, and waits for it if need be. Resolves once its moment `at` is drawn. */
  open(id = "latest", { at = 0, play = false } = {}) {
    this.close();
    this.#playing = play;
    this.#opening = this.#begin(id, at, this.#stop.signal);
    return this.#opening;
  }

  async #begin(id, at, signal) {
    try {
      const session = await this.#find(id, signal);
      this.#adopt(session);
      this.#watch(signal);
      return await this.seek(at);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  close() {
    this.#stop.abort();
    this.#stop = new AbortController();
    this.#pursuit?.abort();
    this.#pursuit = null;
    this.#drop_queue();
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#release();
    if (this.#session) this.emit("reset");
    this.#session = null;
    this.#opening = null;
    this.#arrival?.done();
    this.#arrival = null;
    this.#position = 0;
    this.#playing = false;
    this.#ended = false;
    this.#note("loading");
  }

  async #find(id, signal) {
    for (;;) {
      const wanted = id === "latest" ? (await this.#archive.sessions({ limit: 1 }, signal))?.sessions[0]?.session_id : id;
      const session = wanted === undefined ? null : await this.#archive.session(wanted, signal);
      if (session) return session;
      this.#note(id === "latest" ? "empty" : "missing");
      await sleep(POLL_MS, signal);
    }
  }

  #adopt(session) {
    this.#session = session;
    this.#started = Date.parse(session.started_at);
    this.emit("session", session);
  }

  /** As long as the stream runs, more comes. */
  async #watch(signal) {
    try {
      while (this.is_open) {
        await sleep(POLL_MS, signal);
        const session = await this.#archive.session(this.#session.session_id, signal);
        if (!session) continue;
        this.#adopt(session);
        if (!this.is_open) this.#queue = this.#queue.filter((it) => it.event.seq <= session.last_seq);
        if (this.#live_edge === null) continue;
        this.#live_edge = null;
        this.#fill();
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  // ---------------------------------------------------------------- playing

  play() {
    if (this.#playing) return;
    if (this.#session && !this.is_open && this.#position >= this.duration_ms) this.seek(0);
    this.#playing = true;
    this.#ended = false;
    this.#then = this.#env.now();
    this.#schedule();
    this.#tell();
  }

  pause() {
    this.#advance();
    this.#halt();
  }

  toggle() {
    if (this.#playing) this.pause();
    else this.play();
  }

  /** Plays at the current rate and pauses at `ms` exactly; resolves once that is drawn, or something else was wanted. */
  async play_to(ms) {
    if (!this.#session) await this.#opening;
    const at = this.#held(ms);
    if (at <= this.#position) {
      this.pause();
      return this.seek(at);
    }
    this.#advance();
    this.#release();
    return new Promise((done) => {
      this.#goal = { at, done };
      this.play();
      this.#schedule();
    });
  }

  #halt() {
    this.#playing = false;
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#tell();
    this.#release();
  }

  #release() {
    const goal = this.#goal;
    this.#goal = null;
    goal?.done();
  }

  #schedule() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    if (!this.#playing || this.#pursuit || !this.#session) return;
    const next = Math.min(this.#queue[0]?.at ?? Infinity, this.#goal?.at ?? Infinity);
    const wait = Math.min(TICK_MS, Math.max(4, (next - this.#position) / this.#rate));
    this.#timer = setTimeout(() => this.#advance(), wait);
  }

  /** How far everything is fetched: the clock goes no further. The page to come may begin within the last millisecond. */
  #horizon() {
    if (this.#complete) return this.duration_ms;
    return Math.max(this.#position, (this.#queue.at(-1)?.at ?? 0) - 1, this.#live_edge ?? 0);
  }

  /** Brings the virtual clock up to the real one. */
  #advance() {
    const now = this.#env.now();
    const passed = (now - this.#then) * this.#rate;
    this.#then = now;
    if (!this.#playing || this.#pursuit || !this.#session) return;
    const horizon = this.#horizon();
    const wanted = Math.min(this.#position + passed, this.#goal?.at ?? Infinity);
    this.#stalled = wanted > horizon && !this.#complete;
    this.#run_to(Math.max(this.#position, Math.min(wanted, horizon)), true);
    if (!this.#playing || this.#pursuit) return;
    if (this.#goal && this.#position >= this.#goal.at) {
      this.#halt();
      return;
    }
    if (this.#complete && this.#position >= this.duration_ms) {
      this.#ended = true;
      this.#halt();
      this.emit("end");
      return;
    }
    this.#schedule();
    this.#tell();
  }

  #run_to(position, animate) {
    while (this.#queue.length && this.#queue[0].at <= position) this.#pass_on(this.#queue.shift(), animate);
    if (this.#pursuit) return; // A listener wanted something else.
    this.#position = position;
    this.#moment = this.#started + position;
    this.emit("tick");
    this.#fill();
  }

  #pass_on({ at, event }, animate) {
    this.#moment = this.#started + at;
    this.emit("event", event, { animate });
  }

  // ---------------------------------------------------------------- fetching

  /** A time within the session. The end of one that still runs is open. */
  #held(ms) {
    return Math.min(this.duration_ms, Math.max(0, Number.isFinite(ms) ? ms : 0));
  }

  #timed(events) {
    const { first_seq, last_seq } = this.#session;
    const most = this.is_open ? Infinity : this.duration_ms;
    return events
      .filter((it) => it.seq >= first_seq && (this.is_open || it.seq <= last_seq))
      .map((event) => ({ at: Math.min(most, Math.max(0, Date.parse(event.ts) - this.#started)), event }));
  }

  get #types() {
    return this.#settings.focus ? `feature,${DELETIONS}` : "chat,activity";
  }

  #drop_queue() {
    this.#filling?.abort();
    this.#filling = null;
    this.#queue = [];
    this.#complete = false;
    this.#live_edge = null;
  }

  async #fill() {
    if (this.#filling || this.#pursuit || !this.#session) return;
    const wants_more = () => !this.#complete && this.#live_edge === null && this.#queue.length < WAITING_LEAST;
    if (!wants_more()) return;
    const stop = new AbortController();
    this.#filling = stop;
    // Asked before the events were: all up to here is among them.
    const edge = this.is_open ? this.duration_ms - LIVE_MARGIN_MS : null;
    try {
      while (wants_more()) {
        const { events, next } = await this.#next_page(this.#cursor, this.#from, stop.signal);
        this.#queue.push(...events);
        this.#cursor = next ?? events.at(-1)?.event.seq ?? this.#cursor;
        if (next !== null) continue;
        if (this.is_open) this.#live_edge = edge ?? 0;
        else this.#complete = true;
      }
    } catch (error) {
      if (!stop.signal.aborted) throw error;
      return;
    }
    this.#filling = null;
    this.#schedule();
  }

  /** One page upwards, and where the one behind it begins: null if the session has no more. */
  async #next_page(after, from, signal) {
    const answer = await this.#archive.events({ after, from, limit: PAGE_EVENTS, types: this.#types }, signal);
    const events = this.#timed(answer?.events ?? []);
    const next = answer?.next ?? null;
    return { events, next: next !== null && (this.is_open || next < this.#session.last_seq) ? next : null };
  }

  // ---------------------------------------------------------------- seeking

  /** Goes to `ms` and shows what playing from the start to there would. Resolves once it is drawn. */
  seek(ms) {
    if (!this.#session) return this.#opening?.then(() => this.#session && this.seek(ms)) ?? Promise.resolve();
    this.#advance();
    this.#release();
    const target = this.#held(ms);
    this.#ended = false;
    if (!this.#pursuit && target >= this.#position && target <= this.#horizon()) {
      this.#run_to(target, false); // It is all there: this is playing, only faster.
      this.#schedule();
      this.#tell();
      return Promise.resolve();
    }
    if (!this.#arrival) {
      let done;
      const promise = new Promise((it) => (done = it));
      this.#arrival = { promise, done };
    }
    const { promise } = this.#arrival;
    this.#pursue(target);
    return promise;
  }

  async #pursue(target) {
    this.#pursuit?.abort();
    const stop = new AbortController();
    this.#pursuit = stop;
    this.#drop_queue();
    clearTimeout(this.#timer);
    this.#position = target; // Shown where it is wanted, while it is looked for.
    this.#tell();
    let stretch;
    try {
      stretch = this.#settings.focus
        ? await this.#retrace_featured(target, stop.signal) : await this.#retrace_lines(target, stop.signal);
    } catch (error) {
      if (!stop.signal.aborted) throw error;
      return;
    }
    this.#pursuit = null;
    this.#cursor = stretch.at(-1)?.event.seq ?? this.#session.first_seq - 1;
    this.#from = this.#after(target);
    this.emit("reset");
    for (const it of stretch) this.#pass_on(it, false);
    this.#then = this.#env.now();
    this.#stalled = false;
    this.#run_to(target, false);
    this.#schedule();
    this.#tell();
    const arrival = this.#arrival;
    this.#arrival = null;
    arrival?.done();
  }

  /** The first millisecond that is not part of the moment `position`. */
  #after(position) {
    return this.#started + Math.floor(position) + 1;
  }

  /** A page downwards from the moment `target`, and where the one below it begins: null at the session's start. */
  async #previous_page(target, before, limit, types, signal) {
    // The log of a session that still runs may be longer than was known when it was asked for. The last moment
    // of one that does not is all of the rest.
    const is_last = !this.is_open && target >= this.duration_ms;
    const answer = await this.#archive.events({
      before: before ?? (this.is_open ? Number.MAX_SAFE_INTEGER : this.#session.last_seq + 1),
      to: is_last ? undefined : this.#after(target),
      limit, types,
    }, signal);
    const all = answer?.events ?? [];
    const events = this.#timed(all);
    const prev = answer?.prev ?? null;
    const is_first = prev === null || prev <= this.#session.first_seq || all.some((it) => it.seq < this.#session.first_seq);
    return { events, prev: is_first ? null : prev };
  }

  async #retrace_lines(target, signal) {
    let stretch = [];
    let before = null;
    let limit = Math.min(PAGE_EVENTS, Math.max(60, this.#settings.max_messages * 3));
    for (;;) {
      const { events, prev } = await this.#previous_page(target, before, limit, this.#types, signal);
      stretch = [...events, ...stretch];
      if (prev === null || stretch.length >= RETRACE_MOST || is_settled(stretch, target, this.#settings, this.#started)) return stretch;
      before = prev;
      limit = PAGE_EVENTS;
    }
  }

  /** The newest featured message, and every deletion since, which may have taken it or words from it. */
  async #retrace_featured(target, signal) {
    let before = null;
    let shown;
    do {
      const { events, prev } = await this.#previous_page(target, before, 1, "feature", signal);
      shown = events.at(-1);
      before = prev;
    } while (!shown && before !== null);
    if (!shown) return [];
    const stretch = [shown];
    let after = shown.event.seq;
    while (after !== null && shown.event.type === "feature.show") {
      const { events, next } = await this.#next_page(after, undefined, signal);
      const past = events.findIndex((it) => it.at > target);
      stretch.push(...(past < 0 ? events : events.slice(0, past)));
      after = past < 0 ? next : null;
    }
    return stretch;
  }

  // ---------------------------------------------------------------- from event to event

  /** Pauses, and goes to the next moment at which something is drawn, or to the one before the latest. */
  async step(direction) {
    this.pause();
    if (!this.#session) return;
    const { signal } = this.#stop;
    try {
      const at = direction > 0 ? await this.#find_next(signal) : await this.#find_before(signal);
      if (at !== null) await this.seek(at);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** Jumps over a silence, if there is one. */
  async skip_silence() {
    if (!this.#session) return;
    const { signal } = this.#stop;
    try {
      const at = await this.#find_next(signal);
      if (at !== null && at - this.#position > SILENCE_MS) await this.seek(at);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  async #find_next(signal) {
    await this.#arrival?.promise;
    const position = this.#position;
    const found = (events) => events.find((it) => it.at > position && this.#screen.draws(it.event));
    let next = found(this.#queue);
    if (next || this.#complete) return next?.at ?? null;
    let after = this.#cursor;
    const from = this.#from;
    while (!next && after !== null) {
      const page = await this.#next_page(after, from, signal);
      next = found(page.events);
      after = page.next;
    }
    return next?.at ?? null;
  }

  async #find_before(signal) {
    await this.#arrival?.promise;
    const position = this.#position;
    let latest = null;
    let before = null;
    do {
      const { events, prev } = await this.#previous_page(position, before, 100, this.#types, signal);
      for (const { at, event } of events.reverse()) {
        if (!this.#screen.draws(event) || at === latest) continue;
        if (latest !== null) return at;
        latest = at;
      }
      before = prev;
    } while (before !== null);
    return 0;
  }

  // ---------------------------------------------------------------- what happens meanwhile

  /** Something recorded is taken away now: it goes from what is shown and from what waits to be. */
  moderate(deletion) {
    const gone = matcher(deletion);
    const redact = redactor(deletion);
    this.#queue = this.#queue.filter((it) => !it.event.data.id || !gone(it.event.data))
      .map(({ at, event }) => ({ at, event: redact(event) }));
    this.emit("moderate", deletion);
  }

  #note(phase) {
    this.#phase = phase;
    this.#tell();
  }

  #tell() {
    if (this.#session) {
      this.#phase = this.#pursuit ? "seeking"
        : this.#ended ? "ended"
        : !this.#playing ? "paused"
        : !this.#stalled ? "playing"
        : this.#live_edge === null ? "buffering" : "waiting";
    }
    const text = JSON.stringify(this.state);
    if (text === this.#told) return;
    this.#told = text;
    this.emit("state", this.state);
  }
}

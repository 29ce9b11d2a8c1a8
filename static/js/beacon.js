// `?beacon=1`: tells the server every few seconds how this overlay keeps up, for `/metrics`. Numbers only: nothing
// that was said, and nothing that tells one viewer or source from another.
//
// `frame`    from one frame to the next
// `paint`    from a line at the socket to the end of the page's work on the frame that shows it
// `removal`  from a deletion at the socket to the end of that work on the frame in which it is gone
//
// Scripts find it as `beacon`: `beacon.summary()` is everything since the page was opened, or since `forget()`.

import { STEPS } from "./flood.js";

const EVERY_MS = 5000;
const LONGEST_MS = 60_000; // What took longer is reported as this.

/** Durations, counted to the millisecond: as large after hours as in the beginning. */
export class Durations {
  #counts = new Uint32Array(2001); // What took longer than 2 s comes last.
  #count = 0;
  #longest = 0;

  note(ms) {
    this.#counts[Math.min(this.#counts.length - 1, Math.max(0, Math.ceil(ms)))] += 1;
    this.#count += 1;
    this.#longest = Math.max(this.#longest, ms);
  }

  /** What so large a share took no longer than (ms); null if there was nothing. */
  quantile(share) {
    if (!this.#count) return null;
    let left = Math.ceil(this.#count * share);
    for (let ms = 0; ms < this.#counts.length - 1; ms += 1) {
      left -= this.#counts[ms];
      if (left <= 0) return ms;
    }
    return Math.round(this.#longest);
  }

  add(other) {
    for (let ms = 0; ms < this.#counts.length; ms += 1) this.#counts[ms] += other.#counts[ms];
    this.#count += other.#count;
    this.#longest = Math.max(this.#longest, other.#longest);
  }

  summary() {
    if (!this.#count) return null;
    return { count: this.#count, p50: this.quantile(0.5), p99: this.quantile(0.99), longest: Math.round(this.#longest) };
  }
}

class Stretch {
  frame = new Durations();
  paint = new Durations();
  removal = new Durations();
  task = new Durations();

  add(other) {
    for (const name of Object.keys(this)) this[name].add(other[name]);
  }
}

/** Called while a frame is drawn: goes on when its layout and painting are done. */
function behind_frame(then) {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    port1.close();
    then();
  };
  port2.postMessage(null);
}

export class Beacon {
  #url;
  #env;
  #read;
  #recent = new Stretch(); // Since the last report.
  #earlier = new Stretch();
  #last_frame = null;
  #frame = 0;
  #timer = 0;
  #drawn = { received: [], removed: [] }; // By the frame that is under way: when its news came.

  /**
   * @param {object} options
   * @param {string} options.room
   * @param {string|null} [options.key] overlay key
   * @param {() => object} options.read what the stage counts: {received, collapsed, skipped, step}
   * @param {object} [options.env] stands in for the browser in tests
   */
  constructor({ room, key = null, read, env = {} }) {
    this.#env = {
      now: () => performance.now(),
      send: (url, text) => navigator.sendBeacon(url, new Blob([text], { type: "application/json" })),
      requestAnimationFrame: (it) => globalThis.requestAnimationFrame(it),
      cancelAnimationFrame: (it) => globalThis.cancelAnimationFrame(it),
      behind_frame,
      ...env,
    };
    this.#url = `/api/rooms/${encodeURIComponent(room)}/beacon${key ? `?key=${encodeURIComponent(key)}` : ""}`;
    this.#read = read;
    if (globalThis.PerformanceObserver?.supportedEntryTypes.includes("longtask")) {
      // Told of those over 50 ms only.
      new PerformanceObserver((list) => {
        for (const { duration } of list.getEntries()) this.note_task(duration);
      }).observe({ type: "longtask" });
    }
  }

  now() {
    return this.#env.now();
  }

  /** Watches and reports, or does neither: what nobody sees has no frames. */
  show(visible) {
    if (visible === Boolean(this.#timer)) return;
    if (visible) {
      this.#timer = setInterval(() => this.report(), EVERY_MS);
      this.#watch();
    } else {
      this.report();
      clearInterval(this.#timer);
      this.#timer = 0;
      this.#env.cancelAnimationFrame(this.#frame);
      this.#last_frame = null;
    }
  }

  #watch() {
    this.#frame = this.#env.requestAnimationFrame((at) => {
      if (this.#last_frame !== null) this.#recent.frame.note(at - this.#last_frame);
      this.#last_frame = at;
      this.#watch();
    });
  }

  note_task(ms) {
    this.#recent.task.note(ms);
  }

  /** The page was changed for the next frame: when what it shows came, and when the deletions did. */
  drew(received, removed) {
    if (!received.length && !removed.length) return;
    this.#drawn.received.push(...received);
    this.#drawn.removed.push(...removed);
    this.#env.behind_frame(() => this.#note_painted());
  }

  #note_painted() {
    const now = this.now();
    for (const it of this.#drawn.received.splice(0)) this.#recent.paint.note(now - it);
    for (const it of this.#drawn.removed.splice(0)) this.#recent.removal.note(now - it);
  }

  /** Tells the server about the last seconds. */
  report() {
    const { frame, paint, removal, task } = this.#recent;
    const bounded = (it) => it && { p50: Math.min(it.p50, LONGEST_MS), p99: Math.min(it.p99, LONGEST_MS), longest: Math.min(it.longest, LONGEST_MS) };
    const text = JSON.stringify({
      frame_ms: bounded(frame.summary()), paint_ms: bounded(paint.summary()), removal_ms: bounded(removal.summary()),
      longest_task_ms: Math.min(task.summary()?.longest ?? 0, LONGEST_MS),
      step: STEPS[this.#read().step],
    });
    this.#earlier.add(this.#recent);
    this.#recent = new Stretch();
    this.#env.send(this.#url, text);
  }

  summary() {
    const all = new Stretch();
    all.add(this.#earlier);
    all.add(this.#recent);
    const { step, ...counts } = this.#read();
    return {
      frame: all.frame.summary(), paint: all.paint.summary(), removal: all.removal.summary(), task: all.task.summary(),
      ...counts, step: STEPS[step],
    };
  }

  /** Durations are counted anew. */
  forget() {
    this.#earlier = new Stretch();
    this.#recent = new Stretch();
  }
}

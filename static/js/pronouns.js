// The pronouns of viewers on Twitch, for pages whose `pronouns` setting is on: asked for in small batches, behind
// the frame that shows somebody, and kept for as long as the page is open. Nobody is asked for otherwise.
//
// This server is asked, never the service behind it, and by what a viewer wrote (its place in the feed) instead of
// by name: so a page can ask for nobody else.

import { bound_marks } from "./render.js";

const BATCH_MS = 150; // How long viewers are gathered for one call.
const BATCH_MOST = 25; // In one call; the server takes no more.
const WAITING_MOST = 200; // Who is there then is shown without.
const KNOWN_MOST = 2000;
const FRESH_MS = 6 * 3_600_000;
const NOTHING_FRESH_MS = 20 * 60_000; // Of those who told none: they may do so now.
const AGAIN_MS = 5_000; // Whoever was not known is asked for again, three times as late each time.
const TRIES_MOST = 4;
const REST_MS = 120_000; // Then not before this has passed, when they write again.
const FAILED_MS = 60_000; // Longest pause while the server does not answer.
const CHARACTERS_MOST = 40;

/** Asks this server. Throws when it does not answer as it should. */
async function ask_server({ room, key }, { seqs, featured }) {
  const query = new URLSearchParams(seqs.map((it) => ["event", it]));
  if (featured) query.set("featured", "1");
  if (key) query.set("key", key);
  const answer = await fetch(`/api/rooms/${encodeURIComponent(room)}/pronouns?${query}`, { cache: "no-store" });
  if (!answer.ok) throw new Error(`the server answers ${answer.status}`);
  return (await answer.json()).pronouns;
}

export class Pronouns {
  #ask;
  #tell;
  #now;
  #wait;
  #known = new Map(); // Viewer's id → {words, until}; the longest known first.
  #waiting = new Map(); // Viewer's id → {seq, at, tries}
  #timer = null;
  #asking = false;
  #failures = 0;

  /**
   * @param {object} options
   * @param {object} options.page `room` and `key`
   * @param {() => void} options.tell more is known than before
   * @param {Function} [options.ask] @param {() => number} [options.now] ms @param {Function} [options.wait]
   */
  constructor({
    page, tell, ask = (wanted) => ask_server(page, wanted), now = () => performance.now(),
    wait = (work, ms) => setTimeout(work, ms),
  }) {
    this.#ask = ask;
    this.#tell = tell;
    this.#now = now;
    this.#wait = wait;
  }

  /** A viewer's pronouns; empty while they are not known, and when there are none. */
  find(id) {
    return this.#known.get(id)?.words ?? "";
  }

  /** Somebody is shown who wrote `event`: asks for them, soon, unless that was done. */
  want({ type, seq, data }) {
    const { author, platform } = data;
    if (platform !== "twitch" || !author) return;
    if (!(seq > 0) && type !== "feature.show") return;
    const known = this.#known.get(author.id);
    if (known && known.until > this.#now()) return;
    if (this.#waiting.has(author.id) || this.#waiting.size >= WAITING_MOST) return;
    this.#waiting.set(author.id, { seq: seq > 0 ? seq : null, at: this.#now(), tries: 0 });
    this.#schedule();
  }

  /** What is wanted was written in a feed that is no longer there. */
  forget_wanted() {
    this.#waiting.clear();
  }

  #schedule() {
    if (this.#timer !== null || this.#asking || this.#waiting.size === 0) return;
    const next = Math.min(...[...this.#waiting.values()].map((it) => it.at));
    this.#timer = this.#wait(() => {
      this.#timer = null;
      this.#work();
    }, Math.max(BATCH_MS, next - this.#now()));
  }

  async #work() {
    const now = this.#now();
    const due = [...this.#waiting].filter(([, it]) => it.at <= now).slice(0, BATCH_MOST);
    if (due.length) {
      this.#asking = true;
      const seqs = due.map(([, it]) => it.seq).filter((it) => it !== null);
      try {
        const found = await this.#ask({ seqs, featured: seqs.length < due.length });
        this.#failures = 0;
        this.#take(due, found);
      } catch (error) {
        this.#fail(error);
      }
      this.#asking = false;
    }
    this.#schedule();
  }

  #take(due, found) {
    let news = false;
    for (const [id, wanted] of due) {
      if (this.#waiting.get(id) !== wanted) continue; // Forgotten meanwhile.
      if (Object.hasOwn(found, id)) {
        const words = found[id] ?? "";
        news ||= words !== this.find(id);
        this.#learn(id, words, words ? FRESH_MS : NOTHING_FRESH_MS);
      } else if (wanted.tries + 1 >= TRIES_MOST) {
        this.#learn(id, this.find(id), REST_MS);
      } else {
        wanted.at = this.#now() + AGAIN_MS * 3 ** wanted.tries;
        wanted.tries += 1;
      }
    }
    if (news) this.#tell();
  }

  #learn(id, words, fresh_ms) {
    this.#waiting.delete(id);
    this.#known.delete(id);
    this.#known.set(id, { words, until: this.#now() + fresh_ms });
    if (this.#known.size > KNOWN_MOST) this.#known.delete(this.#known.keys().next().value);
  }

  #fail(error) {
    if (this.#failures === 0) console.warn(`Pronouns cannot be read now: ${error.message}`);
    const at = this.#now() + Math.min(FAILED_MS, 2000 * 2 ** this.#failures);
    this.#failures += 1;
    for (const it of this.#waiting.values()) it.at = Math.max(it.at, at);
  }
}

/** Puts pronouns beside the name that stands in a line, in the place of others that stood there. */
export function show_pronouns(line, words) {
  const name = line.querySelector(".name");
  if (!name) return;
  const there = line.querySelector(".pronouns");
  if (!words) {
    there?.remove();
    delete line.dataset.pronouns;
    return;
  }
  const shown = bound_marks(words.slice(0, CHARACTERS_MOST));
  if (line.dataset.pronouns === shown) return;
  line.dataset.pronouns = shown;
  const pill = there ?? pill_of();
  pill.textContent = shown;
  if (there) return;
  // In a head the name ends with a colon, or with the strap it stands on. In a sentence it comes first.
  if (name.closest(".system-text")) name.after(pill);
  else name.before(pill);
}

function pill_of() {
  const pill = document.createElement("span");
  pill.className = "pronouns";
  pill.dir = "auto";
  return pill;
}

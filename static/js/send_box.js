// Says something in the room's chats, and shows for each platform what became of it.

import { ask, reason_of } from "./ask.js";
import { platform_mark } from "./connections.js";
import { TITLES, make } from "./rooms.js";

const CHARS_MOST = 500; // As the server takes them.
const SHOWN_MOST = 4;
const ASK_MS = 700;
const SENT_MS = 6000; // How long a message that arrived everywhere stays.
const DRAFT_MS = 300;
const LEFT_FROM = 80; // Characters left from which on they are counted.

const WORDS = { queued: "queued", sending: "sending…", sent: "sent", blocked: "blocked", failed: "failed" };

/** Characters as the server counts them. */
export const count_chars = (text) => [...text].length;

export const is_open = ({ platforms }) => platforms.some((it) => it.state === "queued" || it.state === "sending");
export const is_sent = ({ platforms }) => platforms.every((it) => it.state === "sent");

/** What becomes of a message that the server remembers no more: it says nothing further about it. */
export function forgotten(message) {
  const lost = (it) => ({ ...it, state: "failed", detail: "not known any more" });
  return { ...message, platforms: message.platforms.map((it) => (it.state === "queued" || it.state === "sending" ? lost(it) : it)) };
}

/** Whether this key sends: not while an input method is still composing a word, and not with Shift. */
export function sends(event) {
  return event.key === "Enter" && !event.shiftKey && !event.isComposing && event.keyCode !== 229;
}

/** The voices that speak, of those chosen; a choice of none that can is all. */
export function speaking(voices, chosen) {
  const able = voices.filter((it) => !it.reason);
  const wanted = able.filter((it) => chosen.includes(it.platform));
  return wanted.length ? wanted : able;
}

/** What is said about the length: null, or `{words, is_bad}`. */
export function length_note(text, voices) {
  const length = count_chars(text.trim());
  if (length > CHARS_MOST) return { words: `${length - CHARS_MOST} characters too many`, is_bad: true };
  const short = voices.filter((it) => it.max_chars < length);
  const names = [...new Set(short.map((it) => TITLES[it.platform] ?? it.platform))];
  if (voices.length && short.length === voices.length) {
    return { words: `${names.join(", ")}: at most ${Math.max(...voices.map((it) => it.max_chars))} characters`, is_bad: true };
  }
  if (short.length) return { words: `Too long for ${names.join(", ")}: left out there`, is_bad: false };
  const left = Math.min(CHARS_MOST, ...voices.map((it) => it.max_chars)) - length;
  return left <= LEFT_FROM ? { words: `${left} left`, is_bad: false } : null;
}

export class SendBox {
  #parts;
  #path;
  #voices;
  #memory;
  #tell;
  #announce;
  #reply = null; // The message that is answered.
  #outgoing = new Map(); // id → {message, since}
  #last = ""; // What was said last, for the arrow up.
  #ask_timer = 0;
  #draft_timer = 0;
  #draft;
  #busy = false;

  /**
   * @param {object} options
   * @param {string} options.room @param {{platform: string, channel: string, max_chars: number, reason: string|null}[]} options.voices
   * @param {Record<string, HTMLElement>} options.parts `form outgoing replying words send left targets targets_button`
   */
  constructor({ room, voices, parts, memory, tell, announce }) {
    this.#path = `/api/rooms/${encodeURIComponent(room)}/messages`;
    this.#voices = voices;
    this.#parts = parts;
    this.#memory = memory;
    this.#tell = tell;
    this.#announce = announce;
    this.#draft = `draft.${room}`;
    if (!this.available) return;
    parts.form.hidden = false;
    parts.words.value = memory.read(this.#draft) ?? "";
    parts.words.addEventListener("input", () => this.#changed());
    parts.words.addEventListener("keydown", (event) => this.#key(event));
    parts.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.send();
    });
    parts.targets_button.addEventListener("click", () => (parts.targets.hidden ? this.#open_targets() : this.close_targets()));
    parts.targets.addEventListener("change", () => this.#choose());
    addEventListener("pagehide", () => this.#keep());
    this.#draw_targets();
    this.#changed();
  }

  get available() {
    return this.#voices.some((it) => !it.reason);
  }

  focus() {
    this.#parts.words.focus();
  }

  /** Answers a message: in its own chat alone. */
  answer(message) {
    if (!this.available) return;
    if (!this.#voices.some((it) => it.platform === message.platform && !it.reason)) {
      this.#tell(`Nothing can be said on ${TITLES[message.platform] ?? message.platform} from here.`);
      return;
    }
    this.#reply = message;
    this.#draw_reply();
    this.focus();
  }

  /** What was deleted is not quoted, nor answered. */
  drop(gone) {
    if (this.#reply && gone(this.#reply)) this.#end_reply();
  }

  insert(text, is_word, keeps_focus) {
    const { words } = this.#parts;
    const before = words.value.slice(0, words.selectionStart);
    const after = words.value.slice(words.selectionEnd);
    // An emote is a word of its own, or the platform does not see it.
    const put = is_word ? `${before && !/\s$/.test(before) ? " " : ""}${text}${/^\s/.test(after) ? "" : " "}` : text;
    words.setRangeText(put, words.selectionStart, words.selectionEnd, "end");
    this.#changed();
    if (!keeps_focus) words.focus();
  }

  async send() {
    const text = this.#parts.words.value.trim();
    const voices = this.#spoken();
    if (!text || this.#busy || length_note(text, voices)?.is_bad) return;
    this.#busy = true;
    const body = { text };
    if (this.#reply) body.reply_to = this.#reply.id;
    else if (voices.length < this.#voices.filter((it) => !it.reason).length) body.platforms = [...new Set(voices.map((it) => it.platform))];
    const answer = await ask("POST", this.#path, body);
    this.#busy = false;
    if (!answer.ok) {
      this.#tell(reason_of(answer)); // The words stay where they are.
      return;
    }
    this.#last = text;
    // Whoever is quick has begun the next one already.
    if (this.#parts.words.value.trim() === text) this.#parts.words.value = "";
    this.#end_reply();
    this.#changed();
    this.#keep();
    this.#note(answer.body);
  }

  /** The platforms that would hear it now. */
  #spoken() {
    if (this.#reply) return this.#voices.filter((it) => it.platform === this.#reply.platform && !it.reason);
    return speaking(this.#voices, this.#chosen());
  }

  #chosen() {
    return (this.#memory.read("targets") ?? "").split(" ").filter(Boolean);
  }

  // -------------------------------------------------------------- what became of it

  #note(message) {
    const known = this.#outgoing.get(message.id);
    this.#outgoing.set(message.id, { message, since: known?.since ?? Date.now() });
    const was = known?.message;
    if (!is_open(message) && (!was || is_open(was))) {
      const bad = message.platforms.filter((it) => it.state !== "sent");
      this.#announce(bad.length
        ? bad.map((it) => `${TITLES[it.platform]} ${WORDS[it.state]}: ${it.detail}`).join(". ")
        : "Sent");
      if (is_sent(message)) setTimeout(() => this.#dismiss(message.id), SENT_MS);
    }
    while (this.#outgoing.size > SHOWN_MOST) this.#outgoing.delete(this.#outgoing.keys().next().value);
    // Not for nothing: a button that is replaced under the pointer is not clicked.
    if (JSON.stringify(message) !== JSON.stringify(was)) this.#draw_outgoing();
    clearTimeout(this.#ask_timer);
    if ([...this.#outgoing.values()].some((it) => is_open(it.message))) this.#ask_timer = setTimeout(() => this.#look(), ASK_MS);
  }

  async #look() {
    // One that is sent while this is asked is not in the answer, and known all the same.
    const asked = [...this.#outgoing.values()].map((it) => it.message).filter(is_open);
    const { ok, body } = await ask("GET", this.#path);
    if (ok && Array.isArray(body.messages)) {
      for (const was of asked) {
        if (this.#outgoing.has(was.id)) this.#note(body.messages.find((it) => it.id === was.id) ?? forgotten(was));
      }
    } else {
      this.#ask_timer = setTimeout(() => this.#look(), 4 * ASK_MS);
    }
  }

  #dismiss(id) {
    this.#outgoing.delete(id);
    this.#draw_outgoing();
  }

  #draw_outgoing() {
    this.#parts.outgoing.replaceChildren(...[...this.#outgoing.values()].map(({ message }) => this.#item(message)));
    this.#parts.outgoing.scrollTop = this.#parts.outgoing.scrollHeight;
  }

  #item(message) {
    const words = make("span", "out-text", message.text);
    words.dir = "auto";
    const states = make("span", "out-states", ...message.platforms.map((it) => {
      const chip = make("span", "out-state", platform_mark(it.platform), WORDS[it.state]);
      chip.dataset.state = it.state;
      chip.title = [TITLES[it.platform], it.channel, it.detail].filter(Boolean).join(" · ");
      return chip;
    }));
    const item = make("li", "out", words, states);
    for (const it of message.platforms) {
      if (it.detail && it.state !== "sent") item.append(make("span", "out-detail", `${TITLES[it.platform]}: ${it.detail}`));
    }
    const close = make("button", "out-close", "×");
    close.type = "button";
    close.setAttribute("aria-label", "Dismiss");
    close.addEventListener("click", () => {
      this.#dismiss(message.id);
      this.focus();
    });
    item.append(close);
    return item;
  }

  // -------------------------------------------------------------- where to

  #draw_targets() {
    const { targets_button } = this.#parts;
    const voices = this.#spoken();
    const platforms = [...new Set(voices.map((it) => it.platform))];
    const able = new Set(this.#voices.filter((it) => !it.reason).map((it) => it.platform));
    const names = platforms.map((it) => TITLES[it] ?? it);
    const words = platforms.length === able.size && able.size > 1 ? `all: ${names.join(", ")}` : names.join(", ");
    targets_button.replaceChildren(...platforms.slice(0, 4).map(platform_mark));
    targets_button.dataset.count = String(Math.min(4, platforms.length));
    targets_button.title = `To ${words}`;
    targets_button.setAttribute("aria-label", `To ${words}. Choose where to`);
    targets_button.disabled = Boolean(this.#reply);
  }

  #open_targets() {
    const { targets, targets_button } = this.#parts;
    const chosen = new Set(speaking(this.#voices, this.#chosen()).map((it) => it.platform));
    const seen = new Set();
    const rows = [];
    for (const it of this.#voices) {
      if (seen.has(it.platform)) continue;
      seen.add(it.platform);
      const box = make("input");
      Object.assign(box, { type: "checkbox", value: it.platform, checked: chosen.has(it.platform) && !it.reason, disabled: Boolean(it.reason) });
      const row = make("label", "target", box, platform_mark(it.platform),
        make("span", "", TITLES[it.platform] ?? it.platform, it.reason ? make("small", "", it.reason) : ""));
      rows.push(row);
    }
    targets.replaceChildren(make("h3", "", "Send to"), ...rows);
    targets.hidden = false;
    targets_button.setAttribute("aria-expanded", "true");
    const box = targets_button.getBoundingClientRect();
    targets.style.setProperty("bottom", `${innerHeight - box.top + 8}px`);
    targets.style.setProperty("left", `${Math.max(8, box.left)}px`);
    targets.querySelector("input:not(:disabled)")?.focus();
  }

  /** True if it was open. */
  close_targets({ keeps_focus = false } = {}) {
    const { targets, targets_button } = this.#parts;
    if (targets.hidden) return false;
    targets.hidden = true;
    targets_button.setAttribute("aria-expanded", "false");
    if (!keeps_focus) targets_button.focus();
    return true;
  }

  #choose() {
    const boxes = [...this.#parts.targets.querySelectorAll("input:not(:disabled)")];
    const on = boxes.filter((it) => it.checked);
    // All is remembered as nothing in particular: a platform that comes later belongs to it.
    this.#memory.write("targets", on.length === boxes.length ? "" : on.map((it) => it.value).join(" "));
    if (!on.length) for (const it of boxes) it.checked = true;
    this.#draw_targets();
    this.#changed();
  }

  // -------------------------------------------------------------- the words

  #key(event) {
    if (sends(event)) {
      event.preventDefault();
      this.send();
    } else if (event.key === "Escape" && !event.isComposing) {
      event.preventDefault();
      event.stopPropagation();
      if (this.#reply) this.#end_reply();
      else this.#parts.words.blur();
    } else if (event.key === "ArrowUp" && !this.#parts.words.value && this.#last) {
      event.preventDefault();
      this.#parts.words.value = this.#last;
      this.#changed();
    }
  }

  #changed() {
    const { words, left, send } = this.#parts;
    words.style.setProperty("height", "auto");
    words.style.setProperty("height", `${words.scrollHeight + 2}px`);
    const note = length_note(words.value, this.#spoken());
    left.hidden = !note;
    left.textContent = note?.words ?? "";
    left.toggleAttribute("data-bad", Boolean(note?.is_bad));
    send.disabled = !words.value.trim() || Boolean(note?.is_bad);
    clearTimeout(this.#draft_timer);
    this.#draft_timer = setTimeout(() => this.#keep(), DRAFT_MS);
  }

  #keep() {
    clearTimeout(this.#draft_timer);
    this.#memory.write(this.#draft, this.#parts.words.value);
  }

  #draw_reply() {
    const { replying } = this.#parts;
    replying.hidden = !this.#reply;
    replying.replaceChildren();
    if (this.#reply) {
      const close = make("button", "out-close", "×");
      close.type = "button";
      close.setAttribute("aria-label", "Do not answer");
      close.addEventListener("click", () => {
        this.#end_reply();
        this.focus();
      });
      const text = make("span", "replying-text", this.#reply.text);
      text.dir = "auto";
      replying.append(platform_mark(this.#reply.platform), make("bdi", "", this.#reply.author.name), text, close);
    }
    this.#draw_targets();
    this.#changed();
  }

  #end_reply() {
    if (!this.#reply) return;
    this.#reply = null;
    this.#draw_reply();
  }
}

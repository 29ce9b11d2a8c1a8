// What a screen reader hears: a few words at a time. A live region on the log itself would read every line of
// a flood, long after it has passed.

const PAUSE_MS = 4000;
const TEXT_MOST = 160;

export class Announcer {
  #say;
  #env;
  #waiting = []; // Chat lines since something was said last.
  #notes = []; // What this page has to tell: before any chat, and all of it.
  #timer = 0;
  #says_chat = false; // What stands in the live region is of the chat.
  reads_chat = false;

  /** @param {(words: string) => void} say puts words into the live region */
  constructor(say, env = globalThis) {
    this.#say = say;
    this.#env = env;
  }

  /** What the page itself has to tell. */
  note(words) {
    this.#notes.push(words);
    this.#schedule();
  }

  /** A chat line, when chat is read out at all. */
  chat(name, text) {
    if (!this.reads_chat) return;
    this.#waiting.push({ name, text });
    this.#schedule();
  }

  /** What was taken away must not be said any more, nor stand where it was said. */
  forget_chat() {
    this.#waiting = [];
    if (!this.#says_chat) return;
    this.#says_chat = false;
    this.#say("");
  }

  #schedule() {
    if (this.#timer) return;
    this.#speak();
    this.#timer = this.#env.setTimeout(() => {
      this.#timer = 0;
      if (this.#notes.length || this.#waiting.length) this.#schedule();
    }, PAUSE_MS);
  }

  #speak() {
    const words = this.#notes.splice(0);
    this.#says_chat = !words.length;
    if (this.#says_chat) words.push(summary(this.#waiting.splice(0)));
    this.#say(words.filter(Boolean).join(". "));
  }
}

/** The newest line, and how many came before it. */
export function summary(lines) {
  const newest = lines.at(-1);
  if (!newest) return "";
  const text = newest.text.length > TEXT_MOST ? `${newest.text.slice(0, TEXT_MOST)}…` : newest.text;
  const more = lines.length > 1 ? `${lines.length - 1} more, then ` : "";
  return `${more}${newest.name}: ${text}`;
}

// Which events an overlay shows, and what of them, by its settings.

import { without_quote } from "./moderation.js";

const BOTS = new Set([
  "nightbot", "streamelements", "streamlabs", "moobot", "fossabot", "wizebot", "botrix", "botrixoficial",
  "sery_bot", "soundalerts", "streamstickers", "pokemoncommunitygame", "coebot", "deepbot", "phantombot",
  "ohbot", "commanderroot", "creatisbot", "kofistreambot", "tangiabot", "own3d", "frostytoolsdotcom",
  "songlistbot", "streamholics", "restreambot", "rainmaker", "mixitupapp", "lolrankbot", "supibot",
  "kickbot", "pretzelrocks", "blerp", "streamcaptainbot", "buttsbot", "potatbotat",
]);

// Scripts written without spaces: a word there is found wherever it stands.
const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;

const fold = (text) => text.normalize("NFKC").toLowerCase();

/** One expression for all blocked words, or null. Words match whole; `bad*` also matches longer ones. */
export function blocked_expression(words) {
  const parts = words.map((it) => fold(it).trim()).filter(Boolean).map((word) => {
    const open = word.endsWith("*");
    const escaped = (open ? word.slice(0, -1) : word).replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&"); // No more: `u` forbids it.
    if (!escaped) return null;
    if (UNSPACED.test(word)) return escaped;
    return `(?<![\\p{L}\\p{N}_])${escaped}${open ? "" : "(?![\\p{L}\\p{N}_])"}`;
  }).filter(Boolean);
  return parts.length ? new RegExp(parts.join("|"), "u") : null;
}

export class Filter {
  #settings;
  #platforms;
  #without;
  #users;
  #blocked;

  constructor(settings) {
    this.#settings = settings;
    this.#platforms = new Set(settings.platforms);
    this.#without = new Set(settings.without_platforms);
    this.#users = new Set(settings.hidden_users.map((it) => it.trim().replace(/^@/, "").toLowerCase()));
    this.#blocked = blocked_expression(settings.blocked_words);
  }

  /** Whether this `chat.message` or `activity` is to be shown. */
  admits(event) {
    const { data } = event;
    if (this.#platforms.size && !this.#platforms.has(data.platform)) return false;
    if (this.#without.has(data.platform)) return false;
    if (event.type === "activity" && !this.#admits_activity(data)) return false;
    if (event.type === "chat.message") {
      if (this.#settings.hide_commands && data.text.trimStart().startsWith("!")) return false;
      if (this.#settings.hide_bots && is_bot(data.author)) return false;
    }
    return this.admits_words(data);
  }

  /** Whether nobody hidden said this, and no blocked word is in it: of a message that somebody chose, all that is asked. */
  admits_words({ author, text, system_text }) {
    if (author && this.#is_hidden(author)) return false;
    return !this.#blocks(author?.name, system_text, text);
  }

  /** The event without what it quotes, if that would not be shown by itself; else as it is. */
  censor(event) {
    const quote = event.data.reply_to;
    if (!quote) return event;
    // Whom it answers is said beside the quote.
    if (this.#blocks(quote.author.name)) return { ...event, data: { ...event.data, reply_to: undefined } };
    return quote.text && !this.admits_words(quote) ? without_quote(event) : event;
  }

  #blocks(...texts) {
    return this.#blocked !== null && this.#blocked.test(fold(texts.map((it) => it ?? "").join("\n")));
  }

  #admits_activity(data) {
    if (!this.#settings.show_activities) return false;
    return !is_detail(data);
  }

  #is_hidden(author) {
    if (this.#users.size === 0) return false;
    const id = author.id.toLowerCase();
    return (
      this.#users.has((author.login ?? "").toLowerCase()) ||
      this.#users.has(id) ||
      this.#users.has(id.slice(id.indexOf(":") + 1))
    );
  }
}

/** News for the log, not for the screen: a notice of the platform, or one gift of a counted bundle. */
export function is_detail(activity) {
  return (activity.flags ?? []).includes("system") || (Boolean(activity.part_of) && activity.count === 0);
}

export function is_bot(author) {
  return author.roles.includes("bot") || BOTS.has(author.login.toLowerCase());
}

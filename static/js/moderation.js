// What has been taken away, and what must therefore not appear, in whatever order things arrive.

const DELETED_MOST = 2000;
const PURGES_MOST = 500;
// A purge that overtook the messages it covers holds until it comes again in its place. Should that
// never happen, its author is not silenced here for ever.
const PURGE_MS = 30_000;

export class Moderation {
  #deleted = new Set();
  #purged_users = new Map(); // author id → until (ms)
  #purged_platforms = new Map(); // platform or `*` → until (ms)
  #now;

  constructor(now = () => Date.now()) {
    this.#now = now;
  }

  /** Notes a deletion. True if the event is one: the caller then removes what `matcher` matches. */
  note(event) {
    const { data } = event;
    const early = event.seq === undefined;
    switch (event.type) {
      case "chat.delete":
      case "chat.redacted":
        add_bounded(this.#deleted, data.message_id, DELETED_MOST);
        return true;
      case "chat.clear_user":
        this.#hold(this.#purged_users, data.author_id, early);
        return true;
      case "chat.clear":
        this.#hold(this.#purged_platforms, data.platform ?? "*", early);
        return true;
      default:
        return false;
    }
  }

  /** Whether a message or activity that arrives now has already been taken away. */
  hides(data) {
    if (this.#purged_users.size > 0 && data.author && this.#holds(this.#purged_users, data.author.id)) return true;
    return !is_activity(data) && this.#took_words(data);
  }

  #took_words({ id, platform }) {
    if (this.#deleted.has(id)) return true;
    if (this.#purged_platforms.size === 0) return false;
    return this.#holds(this.#purged_platforms, platform) || this.#holds(this.#purged_platforms, "*");
  }

  /** The event without the words that have already been taken away, its own or those it quotes; else as it is. */
  censor(event) {
    if (event.type === "activity") return event.data.text && this.#took_words(event.data) ? without_words(event) : event;
    const quoted = quoted_data(event);
    return quoted && this.hides(quoted) ? without_quote(event) : event;
  }

  /** After a reset the feed has applied everything itself. */
  forget_purges() {
    this.#purged_users.clear();
    this.#purged_platforms.clear();
  }

  #hold(map, key, early) {
    if (!early) {
      map.delete(key);
      return;
    }
    if (map.size >= PURGES_MOST) map.delete(map.keys().next().value);
    map.set(key, this.#now() + PURGE_MS);
  }

  #holds(map, key) {
    const until = map.get(key);
    if (until === undefined) return false;
    if (until > this.#now()) return true;
    map.delete(key);
    return false;
  }
}

function concerns({ type, data }) {
  switch (type) {
    case "chat.delete":
    case "chat.redacted":
      return (it) => it.id === data.message_id;
    case "chat.clear_user":
      return (it) => it.author?.id === data.author_id;
    default:
      return (it) => data.platform === null || data.platform === undefined || it.platform === data.platform;
  }
}

/**
 * A test of data: is it what this deletion takes away whole? That somebody subscribed or raided stays true, as the
 * server has it; an activity goes only with a viewer whose name is to be seen nowhere.
 */
export function matcher(deletion) {
  const concerned = concerns(deletion);
  return deletion.type === "chat.clear_user" ? concerned : (it) => concerned(it) && !is_activity(it);
}

/** The same for what else it takes: what becomes of an event that quotes those words, or of an activity that has them. */
export function redactor(deletion) {
  const concerned = concerns(deletion);
  return (event) => {
    if (event.type === "activity") return event.data.text && concerned(event.data) ? without_words(event) : event;
    const quoted = quoted_data(event);
    return quoted && concerned(quoted) ? without_quote(event) : event;
  };
}

/**
 * Whether a deletion still says something about what a greeting told, which came without all that was taken away
 * before it. One message stays gone for ever; what a viewer or a chat said since a purge of before stays.
 */
export function counts_after({ type, seq }, greeted_at) {
  return type === "chat.delete" || type === "chat.redacted" || !(seq <= greeted_at);
}

function is_activity(data) {
  return data.system_text !== undefined;
}

function without_words(event) {
  return { ...event, data: { ...event.data, text: undefined, fragments: undefined } };
}

/** What a reply quotes, as far as moderation asks; null if it quotes nothing. */
function quoted_data({ data }) {
  const quote = data?.reply_to;
  return quote?.text ? { id: quote.id, author: quote.author, platform: data.platform } : null;
}

/** Whom it answers stays: the feed, too, empties the words only. */
export function without_quote(event) {
  const { data } = event;
  return { ...event, data: { ...data, reply_to: { ...data.reply_to, text: "" } } };
}

function add_bounded(set, value, most) {
  if (set.size >= most) set.delete(set.values().next().value);
  set.add(value);
}

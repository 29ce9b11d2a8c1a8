// The one renderer: a message or an activity becomes an element. Everything a viewer wrote becomes a text
// node or an attribute, never markup. Class names and `data-*` attributes are a contract with authors of
// CSS (docs/overlay-css.md): they may be added to, not changed.

import { NameColours } from "./colour.js";

// Drawn here, for platforms that send no picture with a badge, or whose picture does not load.
const OWN_BADGES = new Set([
  "admin", "artist-badge", "bits", "bits-leader", "bot", "broadcaster", "founder", "global_mod", "hype-train",
  "moderator", "moments", "no_audio", "no_video", "partner", "predictions", "premium", "staff",
  "sub-gift-leader", "sub-gifter", "subscriber", "turbo", "vip",
]);
const BADGE_ALIASES = {
  owner: "broadcaster", host: "broadcaster", mod: "moderator", member: "subscriber", verified: "partner",
  sub: "subscriber", og: "founder", sub_gifter: "sub-gifter", "bits-charity": "bits", "bot-badge": "bot",
  founder_badge: "founder", global_moderator: "global_mod", sub_gift_leader: "sub-gift-leader",
};

const PLATFORM_TITLES = {
  twitch: "Twitch", youtube: "YouTube", kick: "Kick", rumble: "Rumble", pilled: "Pilled", discord: "Discord",
  x: "X", streamsuites: "StreamSuites",
};

// Where a paid message's colour steps up (US cents; a bit and a kick are about one cent).
const PAID_STEPS = [200, 500, 1000, 2000, 5000, 10_000];
// Roughly what one US cent is in the minor unit of currencies that are far from it. Only picks a colour.
const MINOR_UNITS_PER_CENT = {
  JPY: 1.5, KRW: 14, VND: 255, CLP: 9.5, HUF: 3.6, ISK: 1.4, INR: 85, RUB: 90, TWD: 32, THB: 34, PHP: 57,
  MXN: 18, CZK: 23, UAH: 41, TRY: 35, ARS: 1000, COP: 41, IDR: 160, SEK: 10, NOK: 10, DKK: 7, PLN: 4,
  BRL: 5.5, ZAR: 18, HKD: 8, MYR: 4.4, ILS: 3.7, PEN: 3.7,
};

const COUNTED = new Set(["gift", "raid"]); // Kinds whose count is worth a chip.
const FAILED_MS = 60_000; // How long a picture that did not load is not asked for again.
const FAILED_MOST = 500;
const EMOTES_LARGE_MOST = 8;
const EMOJI_LARGE_MOST = 24; // UTF-16 units; one family takes eleven.
const MARKS_MOST = 5; // Combining marks on one letter: enough for every script that is written.
const TOO_MANY_MARKS = new RegExp(`(\\p{M}{${MARKS_MOST}})\\p{M}+`, "gu");
const EMOJI_ONLY =
  /^(?:[\p{Extended_Pictographic}\u{1F1E6}-\u{1F1FF}\u{1F3FB}-\u{1F3FF}\u200D\uFE0F\s])+$/u;

/** 1 (least) to 7 for what was paid. */
export function paid_tier({ value, currency }) {
  const cents = value / (MINOR_UNITS_PER_CENT[currency] ?? 1);
  return 1 + PAID_STEPS.filter((it) => cents >= it).length;
}

/** Text as it is drawn: marks piled up to spill over other lines are cut; the feed keeps them. */
export function bound_marks(text) {
  return text.replace(TOO_MANY_MARKS, "$1");
}

/** Whether a message is nothing but a few emotes, which are then drawn large. */
export function is_emote_only(fragments) {
  let emotes = 0;
  for (const it of fragments) {
    if (it.type === "emote") emotes += it.emote.zero_width ? 0 : 1;
    else if (it.type !== "text" || it.text.trim()) return false;
  }
  return emotes > 0 && emotes <= EMOTES_LARGE_MOST;
}

/** Whether a message is nothing but a few emoji characters. */
export function is_emoji_only(fragments) {
  if (fragments.length !== 1 || fragments[0].type !== "text") return false;
  const { text } = fragments[0];
  return text.length <= EMOJI_LARGE_MOST && EMOJI_ONLY.test(text);
}

/** An emote's text as people read it: Kick sends `[emote:37226:KEKW]`, and means KEKW. */
export function emote_name(text) {
  return /^\[emote:\d+:([^\]]+)\]$/.exec(text)?.[1] ?? text;
}

/** Text in which Kick's emotes are named. */
export function with_emote_names(text) {
  return text.replace(/\[emote:\d+:[^\]]+\]/g, emote_name);
}

function is_web(url) {
  return /^https?:\/\//i.test(url);
}

/** A picture may come from this server or from the web; anything else is not asked for. */
function is_picture(url) {
  return is_web(url) || (url.startsWith("/") && !url.startsWith("//"));
}

export class Renderer {
  #document;
  #settings;
  #colours;
  #build;
  #popout;
  #failed = new Map();
  #now;
  #clock;
  #new_line;
  #emote_providers;
  #without_emotes;

  /**
   * @param {object} options
   * @param {object} options.settings joined settings (settings.js)
   * @param {string} options.surface what names are read on, `#RRGGBB`
   * @param {string} [options.build] cache key of own pictures
   * @param {boolean} [options.popout] links and names can be clicked, and everything is shown
   * @param {() => number} [options.now] ms, for how long ago a picture failed
   * @param {() => HTMLElement|undefined} [options.new_line] an empty `div` to be used again, if there is one
   * @param {Document} [options.document]
   */
  constructor({
    settings, surface, build = "", popout = false, now = () => performance.now(), new_line = () => undefined,
    document = globalThis.document,
  }) {
    this.#document = document;
    this.#build = build;
    this.#popout = popout;
    this.#now = now;
    this.#new_line = new_line;
    this.configure(settings, surface);
  }

  configure(settings, surface) {
    this.#settings = settings;
    this.#colours = new NameColours(surface);
    this.#emote_providers = new Set(settings.emotes);
    this.#without_emotes = new Set(settings.without_emotes ?? []);
    const lang = settings.lang || undefined;
    this.#clock = new Intl.DateTimeFormat(lang, { hour: "2-digit", minute: "2-digit" });
  }

  /** Replaces pictures inside `root` that do not load. */
  watch(root) {
    root.addEventListener("error", (event) => {
      if (event.target?.tagName === "IMG") this.#replace(event.target);
    }, true);
    return this;
  }

  colour(author) {
    return this.#colours.of(author);
  }

  /** Somebody's picture, or the first letter of the name. */
  avatar(author) {
    return this.#avatar(author);
  }

  time(timestamp) {
    const moment = new Date(timestamp);
    return Number.isNaN(moment.getTime()) ? "" : this.#clock.format(moment);
  }

  /** The element of a `chat.message`, `feature.show` or `activity` event. */
  render(event) {
    return event.type === "activity" ? this.#activity(event) : this.#message(event);
  }

  #element(tag, name, text) {
    const element = this.#document.createElement(tag);
    if (name) element.className = name;
    if (text !== undefined) element.append(text);
    return element;
  }

  #line(event, name) {
    const { data } = event;
    const line = this.#new_line() ?? this.#element("div");
    line.className = `line ${name}`;
    line.dataset.event = event.type;
    line.dataset.platform = data.platform;
    line.dataset.messageId = data.id;
    line.dataset.flags = (data.flags ?? []).join(" ");
    if (data.author) {
      line.dataset.userId = data.author.id;
      line.dataset.userLogin = data.author.login;
      line.dataset.roles = data.author.roles.join(" ");
    }
    return line;
  }

  #message(event) {
    const { data } = event;
    const line = this.#line(event, "message");
    const paid = this.#paid(data);
    if (paid) line.dataset.paid = String(paid_tier(paid));
    line.style.setProperty("--name", this.colour(data.author));

    const body = this.#element("div", "body");
    if (data.reply_to) body.append(this.#reply(data.reply_to));
    body.append(this.#head(event, data.author, paid));
    const text = this.#element("span", "text");
    text.dir = "auto";
    this.#fill(text, data.fragments, Boolean(data.reply_to));
    if (is_emote_only(data.fragments)) line.classList.add("emote-only");
    else if (is_emoji_only(data.fragments)) line.classList.add("emoji-only");
    body.append(text);
    line.append(body);
    return line;
  }

  /** What was paid, if it is enough to be shown as that. */
  #paid({ amount }) {
    return amount && amount.value >= this.#settings.min_paid ? amount : null;
  }

  #head(event, author, amount) {
    const settings = this.#settings;
    const { data } = event;
    const head = this.#element("span", "head");
    if (settings.show_timestamps || this.#popout) {
      const time = this.#element("time", "time", this.time(event.ts ?? data.received_at ?? data.sent_at));
      head.append(time);
    }
    if (settings.show_platform) head.append(this.#platform(data.platform));
    if (settings.show_avatars) head.append(this.#avatar(author));
    if (settings.show_badges && author.badges.length) {
      const badges = this.#element("span", "badges");
      for (const badge of author.badges) {
        const picture = this.#badge(badge);
        if (picture) badges.append(picture);
      }
      if (badges.hasChildNodes()) head.append(badges);
    }
    if (data.source_channel) {
      const source = this.#element("span", "source");
      source.append(bound_marks(data.source_channel.name));
      source.dir = "auto";
      head.append(source);
    }
    head.append(this.#name(author));
    if (amount) head.append(this.#amount(amount));
    return head;
  }

  #name(author) {
    const name = this.#element("span", "name");
    if (this.#popout) {
      // Not a <button>, which does not break over lines. Keys reach it from the log, not by a thousand tabs.
      name.setAttribute("role", "button");
      name.tabIndex = -1;
    }
    const words = this.#element("bdi", "", bound_marks(author.name || author.login));
    words.dir = "auto";
    name.append(words);
    return name;
  }

  #amount(amount) {
    return this.#element("span", "amount", amount.display);
  }

  #platform(platform) {
    // A background, not an <img>: hundreds of lines a second cost no loads, and a theme can redraw it.
    const mark = this.#element("span", "platform");
    mark.dataset.platform = platform;
    mark.setAttribute("role", "img");
    mark.setAttribute("aria-label", PLATFORM_TITLES[platform] ?? platform);
    if (this.#popout) mark.title = PLATFORM_TITLES[platform] ?? platform;
    return mark;
  }

  #avatar(author) {
    if (author.avatar && this.#may_load(author.avatar)) {
      const picture = this.#picture("avatar", author.avatar, "", 28);
      picture.dataset.initial = initial(author);
      return picture;
    }
    return this.#initial(initial(author));
  }

  #initial(letter) {
    const element = this.#element("span", "avatar initial", letter);
    element.setAttribute("aria-hidden", "true");
    return element;
  }

  #own_badge(set) {
    const name = BADGE_ALIASES[set] ?? set;
    return OWN_BADGES.has(name) ? `/static/img/badges/${name}.svg?v=${this.#build}` : null;
  }

  #badge({ set, url, title }) {
    const own = this.#own_badge(set);
    const wanted = url && this.#may_load(url) ? url : own;
    if (!wanted) return this.#popout && title ? this.#badge_words(title) : null;
    const picture = this.#picture("badge", wanted, title ?? set, 18);
    picture.title = title ?? set;
    picture.dataset.badge = set;
    return picture;
  }

  #badge_words(title) {
    const words = this.#element("span", "badge words", title);
    words.title = title;
    return words;
  }

  #reply({ author, text }) {
    const reply = this.#element("div", "reply");
    const name = this.#element("span", "reply-name", bound_marks(author.name || author.login));
    name.dir = "auto";
    const words = this.#element("span", "reply-text", bound_marks(with_emote_names(text).slice(0, 300)));
    words.dir = "auto";
    reply.append(name, " ", words);
    return reply;
  }

  /** Fills `parent` with a message's pieces. */
  #fill(parent, fragments, is_reply) {
    let stack = null; // The emote that a zero-width one is laid over.
    let space = ""; // White space behind it, not drawn if such a one follows.
    let rest = fragments;
    // The quoted line above already says who is answered.
    if (is_reply && fragments[0]?.type === "mention") {
      rest = fragments.slice(1);
      if (rest[0]?.type === "text") rest = [{ ...rest[0], text: rest[0].text.trimStart() }, ...rest.slice(1)];
    }
    for (const fragment of rest) {
      if (stack && fragment.type === "text" && !fragment.text.trim()) {
        space += fragment.text;
        continue;
      }
      const emote = fragment.type === "emote" || fragment.type === "cheermote" ? fragment.emote : null;
      const drawn = emote && this.#is_drawn(emote);
      if (drawn && emote.zero_width && stack) {
        stack.append(this.#emote(fragment.text, emote));
        continue;
      }
      if (space) parent.append(space);
      space = "";
      stack = null;
      if (fragment.type === "cheermote") {
        parent.append(this.#cheermote(fragment, drawn));
      } else if (drawn) {
        stack = this.#element("span", "emote-stack");
        stack.append(this.#emote(fragment.text, emote));
        parent.append(stack);
      } else if (fragment.type === "mention") {
        const mention = this.#element("span", "mention", bound_marks(fragment.text));
        mention.dir = "auto";
        parent.append(mention);
      } else if (fragment.type === "link") {
        parent.append(this.#link(fragment));
      } else {
        parent.append(bound_marks(emote ? emote_name(fragment.text) : fragment.text));
      }
    }
  }

  #cheermote(fragment, drawn) {
    const cheer = this.#element("span", "cheermote");
    cheer.dataset.paid = String(paid_tier(fragment.amount));
    if (drawn) cheer.append(this.#emote(fragment.text, fragment.emote), String(fragment.amount.value));
    else cheer.append(fragment.text);
    return cheer;
  }

  #link({ text, url }) {
    if (!this.#popout || !is_web(url)) return this.#element("span", "link", bound_marks(text));
    const link = this.#element("a", "link", bound_marks(text));
    link.href = url;
    link.rel = "noopener noreferrer";
    link.target = "_blank";
    return link;
  }

  #is_drawn({ provider, url }) {
    if (this.#emote_providers.size && !this.#emote_providers.has(provider)) return false;
    if (this.#without_emotes.has("*") || this.#without_emotes.has(provider)) return false;
    return this.#may_load(url);
  }

  #emote(text, { url, animated, zero_width, provider }) {
    const still = this.#settings.static && animated;
    const address = still ? `${url}${url.includes("?") ? "&" : "?"}static=1` : url;
    const name = emote_name(text);
    const picture = this.#picture(zero_width ? "emote zero-width" : "emote", address, name, 28);
    picture.dataset.provider = provider;
    if (this.#popout) picture.title = name;
    return picture;
  }

  #picture(name, url, alt, size) {
    const picture = this.#element("img", name);
    picture.width = size;
    picture.height = size;
    picture.alt = alt;
    picture.draggable = false;
    picture.decoding = "async";
    picture.referrerPolicy = "no-referrer";
    picture.src = url;
    return picture;
  }

  #may_load(url) {
    if (!is_picture(url)) return false;
    const failed = this.#failed.get(url);
    if (failed === undefined) return true;
    if (this.#now() - failed < FAILED_MS) return false;
    this.#failed.delete(url);
    return true;
  }

  #replace(picture) {
    const url = picture.getAttribute("src") ?? "";
    if (this.#failed.size >= FAILED_MOST) this.#failed.clear();
    this.#failed.set(url, this.#now());
    const names = picture.classList;
    if (names.contains("emote")) {
      const stack = picture.parentElement;
      if (names.contains("zero-width")) picture.remove();
      else if (stack?.classList.contains("emote-stack")) stack.replaceWith(picture.alt);
      else picture.remove(); // A cheermote: its amount stands beside it.
    } else if (names.contains("badge")) {
      const own = this.#own_badge(picture.dataset.badge ?? "");
      if (own && url !== own && this.#may_load(own)) picture.src = own;
      else if (this.#popout && picture.title) picture.replaceWith(this.#badge_words(picture.title));
      else picture.remove();
    } else if (names.contains("avatar")) {
      picture.replaceWith(this.#initial(picture.dataset.initial ?? ""));
    } else {
      picture.remove();
    }
  }

  #activity(event) {
    const { data } = event;
    const line = this.#line(event, "activity");
    line.dataset.kind = data.kind;
    if (data.raw_kind) line.dataset.rawKind = data.raw_kind;
    if (data.tier) line.dataset.subTier = data.tier;
    const paid = this.#paid(data);
    if (paid) line.dataset.paid = String(paid_tier(paid));
    if (data.author) line.style.setProperty("--name", this.colour(data.author));

    const icon = this.#element("span", "icon");
    icon.setAttribute("aria-hidden", "true");
    const body = this.#element("div", "body");
    const title = this.#element("div", "title");
    if (this.#popout || this.#settings.show_timestamps) {
      title.append(this.#element("time", "time", this.time(event.ts ?? data.sent_at)));
    }
    if (this.#settings.show_platform) title.append(this.#platform(data.platform));
    title.append(this.#sentence(data));
    if (paid) title.append(this.#amount(paid));
    else if (data.count > 1 && COUNTED.has(data.kind)) title.append(this.#element("span", "count", `×${data.count}`));
    body.append(title);
    if (data.text) {
      const text = this.#element("div", "text");
      text.dir = "auto";
      this.#fill(text, data.fragments ?? [{ type: "text", text: data.text }], false);
      body.append(text);
    }
    line.append(icon, body);
    return line;
  }

  /** The platform's sentence, with the viewer's name in it set off. */
  #sentence(data) {
    const sentence = this.#element("span", "system-text");
    sentence.dir = "auto";
    const whole = bound_marks(data.system_text);
    const name = data.author ? bound_marks(data.author.name || data.author.login) : "";
    const at = name ? whole.indexOf(name) : -1;
    if (at < 0) {
      sentence.append(whole);
      return sentence;
    }
    sentence.append(whole.slice(0, at), this.#name(data.author), whole.slice(at + name.length));
    return sentence;
  }
}

function initial(author) {
  return [...(author.name || author.login)][0]?.toUpperCase() ?? "";
}

// Chat in the elements of YouTube's own chat, so that CSS written for it styles this chat too, whichever platform a
// line comes from. The renderer's line is taken apart, and its pieces are put where YouTube has them, with their
// classes and texts. Which names there are is promised in docs/overlay-css.md.
//
// YouTube has the newest line last in the document, and styles count on it (`:last-child`, bubbles that follow each
// other). So nothing in CSS can say that the oldest line must not be cut by the edge: what does not fit whole is
// found by looking, and hidden.

import { paid_tier } from "./render.js";

const LONG_FROM = 160; // Characters. Shorter texts need no limit to their lines, whatever a style does to them.

// From the outside in: a name is a tag if it has YouTube's prefix, else the id of a `div`.
const AROUND_CHAT = ["yt-live-chat-app", "contents", "yt-live-chat-renderer", "content-pages", "chat-messages", "contents"];
const INSIDE_CHAT = ["item-list", "yt-live-chat-item-list-renderer", "contents", "item-scroller", "item-offset", "items"];

const TEXT = "yt-live-chat-text-message-renderer";
const PAID = "yt-live-chat-paid-message-renderer";
const STICKER = "yt-live-chat-paid-sticker-renderer";
const MEMBERSHIP = "yt-live-chat-membership-item-renderer";
const GIFTS = "ytd-sponsorships-live-chat-gift-purchase-announcement-renderer";
const GIFTS_HEADER = "ytd-sponsorships-live-chat-header-renderer";
const GIFTED = "ytd-sponsorships-live-chat-gift-redemption-announcement-renderer";
const LEGACY = "yt-live-chat-legacy-paid-message-renderer";
const CHIP = "yt-live-chat-author-chip";
const BADGE = "yt-live-chat-author-badge-renderer";

// YouTube's colours of the seven sums: under what is said, under who says it, and the inks on both.
const LIGHT = { ink: "rgba(255, 255, 255, 1)", name: "rgba(255, 255, 255, 0.7)", time: "rgba(255, 255, 255, 0.5)" };
const DARK = { ink: "rgba(0, 0, 0, 1)", name: "rgba(0, 0, 0, 0.54)", time: "rgba(0, 0, 0, 0.5)" };
const SUMS = [
  { primary: "rgba(30, 136, 229, 1)", secondary: "rgba(21, 101, 192, 1)", ...LIGHT },
  { primary: "rgba(0, 229, 255, 1)", secondary: "rgba(0, 184, 212, 1)", ...DARK },
  { primary: "rgba(29, 233, 182, 1)", secondary: "rgba(0, 191, 165, 1)", ...DARK },
  { primary: "rgba(255, 202, 40, 1)", secondary: "rgba(255, 179, 0, 1)", ...DARK },
  { primary: "rgba(245, 124, 0, 1)", secondary: "rgba(230, 81, 0, 1)", ...LIGHT },
  { primary: "rgba(233, 30, 99, 1)", secondary: "rgba(194, 24, 91, 1)", ...LIGHT },
  { primary: "rgba(230, 33, 23, 1)", secondary: "rgba(208, 0, 0, 1)", ...LIGHT },
];

const BADGE_TYPES = {
  broadcaster: "owner", owner: "owner", host: "owner", moderator: "moderator", mod: "moderator",
  verified: "verified", partner: "verified", member: "member", subscriber: "member",
};

export class YoutubeElements {
  static of_name = "youtube";
  #chat;
  #feature;
  #renderer;
  #around;
  #inside;
  #items;
  #scroller;
  #observer;
  #cut = new Set();

  /**
   * @param {object} options
   * @param {Element} options.chat the box for lines, which is wrapped and filled
   * @param {Element} options.feature the box for the featured message, which is wrapped with it
   * @param {import("./render.js").Renderer} options.renderer draws what YouTube's lines have and ours may not
   */
  constructor({ chat, feature, renderer }) {
    this.#chat = chat;
    this.#feature = feature;
    this.#renderer = renderer;
    const around = nested(AROUND_CHAT, "yt-live-chat-renderer");
    const inside = nested(INSIDE_CHAT, "yt-live-chat-item-list-renderer");
    this.#around = around[0];
    this.#inside = inside[0];
    this.#scroller = inside[3];
    this.#items = inside.at(-1);
    this.#scroller.classList.add("animated");
    chat.before(this.#around);
    around.at(-1).append(chat, feature);
    chat.append(this.#inside);
    // Pictures that load, a style that is pasted, a source that is made smaller: seen before the next frame is painted.
    this.#observer = new ResizeObserver(() => this.#hide_cut());
    this.#observer.observe(this.#items);
    this.#observer.observe(this.#scroller);
  }

  add(lines) {
    this.#items.append(...lines);
  }

  dress(line, event) {
    const { data } = event;
    const pieces = take_apart(line);
    pieces.time ??= this.#renderer.time(event.ts ?? data.received_at ?? data.sent_at);
    if (data.author) pieces.avatar ??= this.#renderer.avatar(data.author);
    const item = event.type === "activity" ? activity(pieces, data) : message(pieces, data);
    for (const { name, value } of line.attributes) if (name.startsWith("data-")) item.setAttribute(name, value);
    item.style.setProperty("--name", line.style.getPropertyValue("--name"));
    item.classList.add("style-scope", "yt-live-chat-item-list-renderer", ...line.classList);
    return item;
  }

  drawn() {
    this.#hide_cut();
  }

  leave() {
    this.#observer.disconnect();
    this.#inside.remove();
    this.#around.before(this.#chat, this.#feature);
    this.#around.remove();
  }

  /** Hides lines that the edge would cut. Only the oldest can be, so hardly more than one is looked at. */
  #hide_cut() {
    const { top, bottom } = this.#scroller.getBoundingClientRect();
    const cut = new Set();
    for (const line of this.#items.children) {
      const box = line.getBoundingClientRect();
      if (box.top > top - 1 && box.bottom < bottom + 1) break;
      cut.add(line);
    }
    for (const line of this.#cut) if (!cut.has(line)) delete line.dataset.cut;
    for (const line of cut) line.dataset.cut = "";
    this.#cut = cut;
  }
}

/** An element as YouTube's pages have it: an id that need not be unique, and a class that says what it is part of. */
function make(tag, { id = "", scope = "", ...attributes } = {}, ...children) {
  const element = document.createElement(tag);
  if (id) element.id = id;
  if (scope) element.className = `style-scope ${scope}`;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children.filter((it) => it));
  return element;
}

/** The same for an element that the renderer made. */
function adopt(element, { id = "", scope }) {
  if (id) element.id = id;
  element.classList.add("style-scope", scope);
  return element;
}

/** Boxes in each other, the outermost first. */
function nested(names, scope) {
  const boxes = names.map((name) => make(name.startsWith("yt-") ? name : "div", { id: name.startsWith("yt-") ? "" : name, scope }));
  boxes.reduce((outer, inner) => (outer.append(inner), inner));
  return boxes;
}

/** The pieces of a line that the renderer drew. */
function take_apart(line) {
  const piece = (selector) => line.querySelector(selector);
  return {
    time: piece(".time"), platform: piece(".platform"), avatar: piece(".avatar"), source: piece(".source"),
    badges: [...line.querySelectorAll(".badge")], name: piece(".name"), amount: piece(".amount"),
    reply: piece(".reply"), text: piece(".text"), sentence: piece(".system-text"), icon: piece(".icon"),
    others: [...line.querySelectorAll(".head > :not(.time, .platform, .avatar, .badges, .source, .name, .amount)")],
  };
}

/** `owner`, `moderator`, `member`, or nothing. */
function author_type(author) {
  const roles = author?.roles ?? [];
  if (roles.includes("broadcaster")) return "owner";
  if (roles.includes("moderator")) return "moderator";
  return roles.includes("member") || roles.includes("subscriber") ? "member" : "";
}

function photo({ avatar }, scope, size) {
  if (!avatar) return null; // Nobody in particular speaks.
  // It is there for styles that show it. While the theme hides it, it is not loaded.
  if (avatar.tagName === "IMG") avatar.loading = "lazy";
  const picture = adopt(avatar, { id: "img", scope: "yt-img-shadow" });
  const box = make("yt-img-shadow", { id: "author-photo", scope, width: size, height: size, loaded: "" }, picture);
  box.classList.add("no-transition");
  return box;
}

/** The time is there as well; only a line that had it drawn shows it of itself. */
function time_of({ time }, scope, tag = "span") {
  const is_drawn = typeof time !== "string";
  return make(tag, { id: "timestamp", scope, ...(!is_drawn && { hidden: "" }) }, is_drawn ? time.textContent : time);
}

const deleted_state = (scope) => make("span", { id: "deleted-state", scope });

function badge(picture) {
  const title = picture.title || picture.alt;
  const type = BADGE_TYPES[picture.dataset.badge] ?? "";
  return make(BADGE, { scope: CHIP, type, "aria-label": title, "shared-tooltip-text": title },
    make("div", { id: "image", scope: BADGE }, adopt(picture, { scope: BADGE })));
}

/** Who speaks. YouTube does not light up names on a card that has a colour of its own. */
function chip({ platform, source, name, badges, others }, author, scope, { on_colour = false } = {}) {
  const type = author_type(author);
  const words = adopt(name ?? make("span"), { id: "author-name", scope: CHIP });
  words.dir = "auto";
  if (type) {
    words.classList.add(type);
    words.setAttribute("type", type);
  }
  words.append(make("span", { id: "chip-badges", scope: CHIP }));
  return make(CHIP, { scope, ...(on_colour && { "disable-highlighting": "" }) },
    // What YouTube's own chat has no need to say.
    make("span", { id: "prepend-chat-badges", scope: CHIP }, platform, source),
    words, make("span", { id: "chat-badges", scope: CHIP }, ...badges.map(badge)), ...others);
}

/** What was written, with YouTube's class names on what stands in it. */
function words_of({ text }, tag, id, scope) {
  const words = make(tag, { id, scope, dir: "auto" });
  if (!text) return words;
  words.classList.add(...text.classList);
  words.append(...text.childNodes);
  for (const emote of words.querySelectorAll(".emote")) {
    emote.classList.add("emoji", "yt-formatted-string", "style-scope", scope);
    emote.setAttribute("shared-tooltip-text", emote.alt);
  }
  for (const it of words.querySelectorAll(".mention")) it.classList.add("style-scope", scope);
  for (const it of words.querySelectorAll(".link")) it.classList.add("yt-simple-endpoint", "style-scope", scope);
  return words;
}

/** The `#content` of an item. The stage puts "×37" behind its last word, and CSS bounds its lines. */
function content_of(scope, data, ...children) {
  const content = make("div", { id: "content", scope }, ...children);
  content.classList.add("body");
  if ((data.text ?? "").length > LONG_FROM) content.classList.add("long");
  return content;
}

function set_variables(item, prefix, variables) {
  for (const [name, value] of Object.entries(variables)) item.style.setProperty(`--yt-live-chat-${prefix}-${name}`, value);
}

function message(pieces, data) {
  if (pieces.amount) return paid_message(pieces, data);
  const content = content_of(TEXT, data, pieces.reply, time_of(pieces, TEXT), chip(pieces, data.author, TEXT),
    words_of(pieces, "span", "message", TEXT), deleted_state(TEXT));
  const type = author_type(data.author);
  const item = make(TEXT, { "author-type": type }, photo(pieces, TEXT, 24), content);
  item.toggleAttribute("author-is-owner", type === "owner");
  item.toggleAttribute("is-highlighted", data.flags.includes("highlighted"));
  return item;
}

function paid_message(pieces, data) {
  const sum = SUMS[paid_tier(data.amount) - 1];
  const header = make("div", { id: "header", scope: PAID }, photo(pieces, PAID, 40),
    make("div", { id: "header-content", scope: PAID },
      make("div", { id: "header-content-primary-column", scope: PAID },
        make("div", { id: "single-line", scope: PAID },
          make("div", { id: "author-name-chip", scope: PAID }, chip(pieces, data.author, PAID, { on_colour: true }))),
        make("div", { id: "purchase-amount-column", scope: PAID }, adopt(pieces.amount, { id: "purchase-amount", scope: PAID }))),
      time_of(pieces, PAID)));
  const content = content_of(PAID, data, pieces.reply, words_of(pieces, "div", "message", PAID),
    make("div", { id: "input-container", scope: PAID }), deleted_state(PAID));
  const item = make(PAID, { "allow-animations": "" }, make("div", { id: "card", scope: PAID }, header, content));
  item.toggleAttribute("show-only-header", !data.text && !pieces.reply);
  set_variables(item, "paid-message", {
    "primary-color": sum.primary, "secondary-color": sum.secondary, "header-color": sum.ink,
    "author-name-color": sum.name, "timestamp-color": sum.time, color: sum.ink,
  });
  set_variables(item, "disable-highlight-message", { "author-name-color": sum.name });
  return item;
}

function activity(pieces, data) {
  const is_sticker = data.raw_kind === "superStickerEvent" && pieces.text?.querySelector(".emote");
  // Less than `min_paid` is not drawn, and no card of a sum.
  if (data.author && pieces.amount) return is_sticker ? sticker(pieces, data) : paid_message(pieces, data);
  switch (data.author && data.kind) {
    case "membership": case "milestone": case "subscription": return membership(pieces, data);
    case "gift": return data.count > 0 ? gifts(pieces, data) : gifted(pieces, data);
    default: return legacy(pieces, data);
  }
}

/** A level's name; the numbers of Twitch are none. */
function tier_of({ tier }) {
  return /^[123]$/.test(tier ?? "") ? `Tier ${tier}` : (tier ?? "");
}

/** The platform's sentence, without the name in its beginning, which stands elsewhere. */
function sentence_of({ sentence }, data) {
  const whole = sentence.textContent;
  const name = data.author.name || data.author.login;
  return whole.startsWith(name) ? whole.slice(name.length).trimStart() : whole;
}

function sticker(pieces, data) {
  const sum = SUMS[paid_tier(data.amount) - 1];
  const picture = adopt(pieces.text.querySelector(".emote"), { id: "img", scope: "yt-img-shadow" });
  const column = make("div", { id: "content-primary-column", scope: STICKER },
    make("div", { id: "author-name-chip", scope: STICKER }, chip(pieces, data.author, STICKER, { on_colour: true })),
    make("span", { id: "price-column", scope: STICKER },
      adopt(pieces.amount, { id: "purchase-amount-chip", scope: STICKER }), deleted_state(STICKER)));
  const item = make(STICKER, {},
    make("div", { id: "card", scope: STICKER },
      make("div", { id: "author-info", scope: STICKER }, photo(pieces, STICKER, 40),
        content_of(STICKER, data, time_of(pieces, STICKER), column)),
      make("div", { id: "sticker-container", scope: STICKER },
        make("yt-img-shadow", { id: "sticker", scope: STICKER }, picture))));
  set_variables(item, "paid-sticker", {
    "chip-background-color": sum.primary, "chip-text-color": sum.ink, "background-color": sum.secondary,
  });
  set_variables(item, "disable-highlight-message", { "author-name-color": sum.name });
  return item;
}

function membership(pieces, data) {
  const sentence = sentence_of(pieces, data);
  const header = make("div", { id: "header", scope: MEMBERSHIP }, photo(pieces, MEMBERSHIP, 40),
    make("div", { id: "header-content", scope: MEMBERSHIP },
      make("div", { id: "header-content-primary-column", scope: MEMBERSHIP },
        make("div", { id: "header-content-inner-column", scope: MEMBERSHIP }, chip(pieces, data.author, MEMBERSHIP),
          make("div", { id: "header-primary-text", scope: MEMBERSHIP }, data.text ? sentence : "")),
        make("div", { id: "header-subtext", scope: MEMBERSHIP }, data.text ? tier_of(data) : sentence)),
      time_of(pieces, MEMBERSHIP, "div")));
  const content = content_of(MEMBERSHIP, data, words_of(pieces, "div", "message", MEMBERSHIP),
    make("div", { id: "input-container", scope: MEMBERSHIP }), deleted_state(MEMBERSHIP));
  const item = make(MEMBERSHIP, {}, make("div", { id: "card", scope: MEMBERSHIP }, header, content));
  item.toggleAttribute("show-only-header", !data.text);
  item.toggleAttribute("has-primary-header-text", Boolean(data.text));
  return item;
}

function gifts(pieces, data) {
  const scope = GIFTS_HEADER;
  const content = content_of(scope, data, photo(pieces, scope, 40),
    make("div", { id: "header-content", scope },
      make("div", { id: "header-content-primary-column", scope },
        make("div", { id: "header-content-inner-column", scope }, chip(pieces, data.author, scope),
          make("div", { id: "primary-text", scope }, sentence_of(pieces, data))),
        words_of(pieces, "div", "secondary-text", scope)),
      time_of(pieces, scope)));
  return make(GIFTS, {}, make(scope, { id: "header", scope: GIFTS }, make("div", { id: "header", scope }, content)));
}

function gifted(pieces, data) {
  const content = content_of(GIFTED, data, time_of(pieces, GIFTED), chip(pieces, data.author, GIFTED),
    make("span", { id: "message", scope: GIFTED, dir: "auto" }, sentence_of(pieces, data)));
  return make(GIFTED, {}, photo(pieces, GIFTED, 24), content);
}

/** What YouTube knows nothing of, such as raids, stands in its oldest card, which every style dresses. */
function legacy(pieces, data) {
  const content = content_of(LEGACY, data,
    make("div", { id: "content-primary-column", scope: LEGACY },
      make("div", { id: "event-text", scope: LEGACY }, pieces.platform, pieces.sentence),
      words_of(pieces, "div", "detail-text", LEGACY)),
    time_of(pieces, LEGACY));
  const item = make(LEGACY, {}, make("div", { id: "card", scope: LEGACY }, photo(pieces, LEGACY, 40), pieces.icon, content));
  item.toggleAttribute("show-only-header", !data.text);
  return item;
}

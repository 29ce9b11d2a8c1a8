// `?widget=poll|tally|scoreboard|goal|queue`: one board of a room instead of its chat. The frame chooses which one is shown,
// lets it come and go, keeps it inside the window, and dresses the page as the chat overlay does.

import { Feed } from "../feed.js";
import { Filter } from "../filter.js";
import { need } from "../reload.js";
import { leave_when_revoked } from "../revoked.js";
import { parse_parameters } from "../settings.js";
import { Stage } from "../stage.js";
import { Boards } from "./boards.js";
import * as goal from "./goal.js";
import { number_writer } from "./numbers.js";
import { element } from "./parts.js";
import * as poll from "./poll.js";
import * as queue from "./queue.js";
import * as scoreboard from "./scoreboard.js";
import * as tally from "./tally.js";

export const WIDGETS = Object.freeze({ poll, tally, scoreboard, goal, queue });

const FIT_LEAST = 0.62; // Smaller type than this is not read on a stream: rows are left out instead.
const STAY_SECONDS = 30;
const LEAVE_MS = 420;
const TIMER_MOST_MS = 2 ** 31 - 1;

/** What only widgets read from the address. Bad values change nothing. */
export function widget_parameters(parameters) {
  const whole = (name, least, most, otherwise) => {
    const text = parameters.get(name)?.trim() ?? "";
    return /^\d{1,15}$/.test(text) ? Math.min(most, Math.max(least, Number(text))) : otherwise;
  };
  const place = parameters.get("place")?.trim().toLowerCase();
  return {
    id: parameters.get("id")?.trim() ?? "",
    top: whole("top", 1, 50, 8),
    target: whole("target", 0, Number.MAX_SAFE_INTEGER, 0),
    stay_ms: 1000 * whole("stay", 0, 86_400, STAY_SECONDS),
    place: ["top", "middle", "bottom"].includes(place) ? place : "top",
  };
}

function direction_of(lang) {
  try {
    const locale = new Intl.Locale(lang);
    return (locale.getTextInfo?.() ?? locale.textInfo)?.direction ?? "ltr";
  } catch {
    return "ltr";
  }
}

class Frame {
  #kind;
  #own;
  #stage;
  #boards;
  #filtered_by = null; // The settings that #filter is of.
  #filter;
  #widget = null;
  #made_for = ""; // The language its numbers are written in.
  #box = element("div", "widget");
  #more = element("p", "widget-more");
  #shown = null; // The key of what is on screen.
  #timer = 0;
  #asked = false;
  #live = false;
  #less_motion = matchMedia("(prefers-reduced-motion: reduce)");

  constructor({ kind, own, stage }) {
    this.#kind = kind;
    this.#own = own;
    this.#boards = new Boards((it) => this.#filter.admits_words(it), own.id);
    this.#stage = stage;
    this.#box.id = "widget";
    this.#box.dataset.place = own.place;
    this.#box.hidden = true;
    document.body.append(this.#box);
    addEventListener("resize", () => this.#fit());
    // A theme's stylesheet may come late, and another one later.
    document.addEventListener("load", () => this.#fit(), true);
    addEventListener("load", () => this.#fit());
    document.fonts?.addEventListener("loadingdone", () => this.#fit());
  }

  /** Everything, as the server tells it on every connection. */
  greet({ boards, queue }) {
    this.#boards.greet(boards, Array.isArray(queue) ? queue : queue?.items);
    this.#ask(false);
  }

  take(event, { live = true } = {}) {
    if (event.type === "settings.update") {
      this.#stage.configure(event.data);
      this.#ask(false);
    } else if (this.#boards.take(event)) {
      this.#ask(live);
    }
  }

  /** Whether an event from before the greeting is to be taken in all the same. */
  says_more(event) {
    return this.#boards.says_more(event);
  }

  redraw() {
    this.#ask(false);
  }

  /** However much comes at a time, it is drawn once a frame. */
  #ask(live) {
    this.#live ||= live;
    if (this.#asked) return;
    this.#asked = true;
    requestAnimationFrame(() => {
      this.#asked = false;
      const was_live = this.#live;
      this.#live = false;
      this.#draw(was_live);
    });
  }

  #moves() {
    return this.#stage.settings.animation !== "none" && !this.#less_motion.matches && document.visibilityState === "visible";
  }

  #draw(live) {
    clearTimeout(this.#timer);
    const { type, fits, leaves_at = () => Infinity } = this.#kind;
    if (this.#filtered_by !== this.#stage.settings) {
      this.#filtered_by = this.#stage.settings;
      this.#filter = new Filter(this.#filtered_by);
    }
    const board = this.#boards.pick(type, this.#own.id, (it) => fits(it, this.#own));
    const now = Date.now();
    const until = board ? leaves_at(board, this.#own.stay_ms, now) : 0;
    if (until <= now) {
      this.#leave();
      return;
    }
    if (until !== Infinity) this.#timer = setTimeout(() => this.#draw(false), Math.min(TIMER_MOST_MS, until - now + 20));
    const widget = this.#make();
    const id = board.poll_id ?? board.tally_id ?? board.scoreboard_id ?? this.#kind.type;
    const is_new = this.#shown !== id;
    if (is_new && this.#shown !== null) widget.leave();
    const moves = this.#moves();
    // What is on screen for the first time is there as it is; what changes is seen changing.
    const settle = widget.show(board, { moves: moves && !is_new, live: live && !is_new });
    this.#shown = id;
    this.#box.hidden = false;
    delete this.#box.dataset.leaving;
    if (is_new) {
      widget.element.removeAttribute("data-new");
      if (moves) {
        widget.element.getBoundingClientRect(); // The animation begins again.
        widget.element.dataset.new = "";
      }
    }
    this.#fit();
    settle();
  }

  #make() {
    const { lang } = this.#stage.settings;
    if (this.#widget && this.#made_for === lang) return this.#widget;
    this.#widget?.leave();
    this.#made_for = lang;
    this.#shown = null;
    this.#widget = new this.#kind.Widget({ ...this.#own, write: number_writer(lang) });
    this.#widget.element.append(this.#more);
    this.#widget.element.dir = direction_of(lang || "en");
    this.#widget.element.addEventListener("animationend", ({ target }) => {
      if (target === this.#widget.element) delete target.dataset.new;
    });
    this.#box.replaceChildren(this.#widget.element);
    return this.#widget;
  }

  #leave() {
    if (this.#shown === null) return;
    this.#widget.leave();
    this.#shown = null;
    if (!this.#moves()) {
      this.#box.hidden = true;
      return;
    }
    this.#box.dataset.leaving = "";
    setTimeout(() => {
      if (this.#shown === null) this.#box.hidden = true;
    }, LEAVE_MS);
  }

  /** Makes the type smaller, and then leaves out the last in rank, until nothing reaches beyond the window. */
  #fit() {
    if (this.#box.hidden || !this.#widget) return;
    const card = this.#widget.element;
    const rows = [...card.querySelectorAll(".widget-row")];
    for (const it of rows) it.hidden = false;
    this.#more.textContent = "";
    const style = getComputedStyle(this.#box);
    const room = () => this.#box.clientHeight - parseFloat(style.paddingTop) - parseFloat(style.paddingBottom);
    const fit = (value) => card.style.setProperty("--fit", String(value));
    let size = 1;
    fit(size);
    // Smaller type breaks lines elsewhere, and heights are rounded: each look is at what came of the one before.
    while (card.offsetHeight > room() && size > FIT_LEAST) {
      size = Math.max(FIT_LEAST, size * Math.min(0.985, room() / card.offsetHeight));
      fit(size);
    }
    const by_rank = rows.map((it, at) => ({ it, at, rank: Number(it.dataset.rank) })).sort((a, b) => b.rank - a.rank || b.at - a.at);
    for (let left_out = 0; card.offsetHeight > room() && left_out < rows.length - 1; left_out += 1) {
      by_rank[left_out].it.hidden = true;
      this.#more.textContent = `+${left_out + 1}`;
    }
  }
}

/** Loads the widgets' stylesheet behind the overlay's: it has a place in the same layers. */
function dress(build) {
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = `/static/css/widgets.css?v=${encodeURIComponent(build ?? "")}`;
  const come = new Promise((done, fail) => {
    link.onload = done;
    link.onerror = () => fail(new Error(link.href));
  });
  document.getElementById("theme").before(link);
  return come;
}

/** Puts the widget of that name onto the page; the caller has looked whether there is one. */
export async function show_widget(name, { page, parameters, keep_up_with }) {
  const root = document.documentElement;
  root.dataset.widget = name;
  const stage = new Stage({ page, changes: parse_parameters(parameters) });
  const own = widget_parameters(parameters);
  await need(dress(page.build));
  const frame = new Frame({ kind: WIDGETS[name], own, stage });
  if (stage.settings.demo) {
    const { play } = await need(import("./demo.js"));
    play(name, (event, how) => frame.take(event, how));
    return { frame, stage };
  }
  const { type, also = [] } = WIDGETS[name];
  let live_from = 0;
  const feed = new Feed({ room: page.room, key: page.key, backlog: 0, types: [type, "settings.", ...also] });
  leave_when_revoked(feed)
    .on("reset", () => frame.take({ type: "queue.update", data: { items: [] } }, { live: false }))
    .on("hello", (hello) => {
      keep_up_with(hello.build);
      live_from = hello.seq ?? 0;
      if (hello.settings) stage.configure(hello.settings);
      stage.renew_theme();
      frame.greet(hello);
    })
    .on("event", (event) => {
      // The greeting told how things stood then: what led there, and comes after a resume, would undo it.
      // A deletion holds whenever it comes; an early copy has no place.
      if (!event.type.startsWith("chat.") && event.seq <= live_from && !frame.says_more(event)) return;
      frame.take(event);
    })
    .start();
  return { frame, stage };
}

// Turns events into lines on a page: what happened since the last frame is drawn in one pass, or not at all
// while OBS does not show the source. The overlay and the replay page show the same stage, by different clocks:
//
//   const stage = new Stage({ page, changes, clock: wall_clock });     // live
//   const stage = new Stage({ page, changes, clock: player.clock });   // a recording
//
// A clock says `now()` (ms since 1970), and `is_virtual`. By a virtual one the page's elements are a pure
// function of the recording, the settings and the virtual time: a line is born when its event was, fades by
// that clock, and nothing asks how late it is here, or rolls dice. Only `data-new`, while a line moves in,
// says that something is playing; `settle()` takes it away.

import { wanted_elements } from "./elements.js";
import { ALWAYS, BUSY, CALM, STEPS, rank_of, step_for } from "./flood.js";
import { Moderation, matcher, redactor } from "./moderation.js";
import { Pronouns, show_pronouns } from "./pronouns.js";
import { Renderer } from "./render.js";
import { LEAVE_MS, Screen } from "./screen.js";
import { custom_layer, font_family, join_settings } from "./settings.js";
import { ThemeSheet } from "./theme_sheet.js";

const BUFFER_MOST = 100; // Lines that wait when `speed` holds them back.
const LOOK_MS = 500; // How often it is asked whether a flood is over.

export const wall_clock = Object.freeze({ now: () => Date.now(), is_virtual: false, rate: 1 });

export class Stage {
  live_from = 0; // Events up to this seq were said before this page was here: they do not move in.
  #changes;
  #clock;
  #root = document.documentElement;
  #chat = document.getElementById("chat");
  #feature = document.getElementById("feature");
  #marks = document.getElementById("status-marks");
  #sheet = new CSSStyleSheet();
  #custom = new CSSStyleSheet();
  #stored;
  #settings;
  #moderation;
  #screen;
  #renderer;
  #elements = null;
  #waiting = []; // {event, is_live, age} behind `speed`; `age` is how old it was when it came (ms).
  #pace_timer = 0;
  #expire_timer = 0;
  #flood_timer = 0;
  #frame = 0;
  #step = CALM;
  #beacon = null;
  #removed_at = []; // When the deletions came that the next frame shows, for the beacon.
  #spare = []; // Elements without a line. With those of the lines there are `max_messages`, used again and again.
  #featured_changed = false;
  #featured_moves = false;
  #theme;
  #undrawn = 0; // Lines that could not be drawn.
  #visible = true;
  #obs_visible = null;
  #obs_active = null;
  #statuses = new Map();
  #pronouns;
  #pronouns_changed = false;

  /**
   * @param {object} options
   * @param {object} options.page what the server wrote into the page: `settings`, `theme`, `build`
   * @param {object} options.changes what the URL's parameters change (settings.js)
   * @param {object} [options.clock]
   */
  constructor({ page, changes, clock = wall_clock }) {
    this.#changes = changes;
    this.#clock = clock;
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, this.#sheet, this.#custom];
    this.#stored = JSON.stringify(page.settings);
    this.#settings = join_settings(page.settings, changes);
    this.#moderation = new Moderation(() => clock.now());
    this.#screen = new Screen(this.#settings);
    this.#pronouns = new Pronouns({
      page,
      tell: () => {
        this.#pronouns_changed = true;
        this.#schedule();
      },
    });
    // A picture that once failed stays its text in a replay: when it was asked for must not matter.
    const now = clock.is_virtual ? () => 0 : undefined;
    this.#renderer = new Renderer({
      settings: this.#settings, surface: this.#surface(), build: page.build, now, new_line: () => this.#spare.pop(),
    }).watch(document.body);
    this.#choose_elements();
    if (clock.is_virtual) {
      for (const box of [this.#chat, this.#feature]) {
        box.addEventListener("animationend", ({ target }) => {
          if (target.classList.contains("line")) delete target.dataset.new;
        });
      }
    }
    addEventListener("obsSourceVisibleChanged", ({ detail }) => {
      this.#obs_visible = Boolean(detail?.visible);
      this.#follow_obs();
    });
    addEventListener("obsSourceActiveChanged", ({ detail }) => {
      this.#obs_active = Boolean(detail?.active);
      this.#follow_obs();
    });
    if (!clock.is_virtual) {
      document.addEventListener("visibilitychange", () => this.#follow_obs());
      this.#follow_obs();
    }
    this.#mark_step();
    this.#dress();
    this.#theme = new ThemeSheet({ page, on_load: () => this.#redress() });
    if (this.#settings.theme !== page.theme) this.#theme.wear(this.#settings);
    // Custom properties of a theme are known once its stylesheet is; OBS injects its own a little later.
    addEventListener("load", () => this.#redress(), { once: true });
    // The page's own theme may have been asked for in a moment without a server.
    const look_after_theme = () => this.#theme.look_after(this.#settings);
    if (document.readyState === "complete") look_after_theme();
    else addEventListener("load", look_after_theme, { once: true });
  }

  get settings() {
    return this.#settings;
  }

  /** What became of the lines so far, and the step of the flood. */
  get counts() {
    return { ...this.#screen.flood.counts, undrawn: this.#undrawn, step: this.#step };
  }

  /** Tells a beacon (beacon.js) what is drawn, and when. */
  report_to(beacon) {
    this.#beacon = beacon;
    beacon.show(this.#visible);
  }

  // ---------------------------------------------------------------- settings

  #surface() {
    const style = getComputedStyle(this.#root);
    return style.getPropertyValue("--surface").trim() || "#17181c";
  }

  /** Puts settings where CSS finds them. */
  #dress() {
    const root = this.#root;
    const settings = this.#settings;
    root.dataset.theme = settings.theme;
    root.dataset.direction = settings.direction;
    root.dataset.align = settings.align;
    root.dataset.animation = settings.animation;
    root.toggleAttribute("data-focus", settings.focus);
    root.toggleAttribute("data-avatars", settings.show_avatars);
    root.toggleAttribute("data-status", settings.status);
    root.toggleAttribute("data-plain", settings.bg === "none");
    if (settings.lang) root.lang = settings.lang;
    const family = font_family(settings.font);
    const variables = [
      family && `--font: ${family};`,
      settings.font_size && `--font-size: ${settings.font_size}px;`,
      settings.scale !== 1 && `--scale: ${settings.scale};`,
      settings.bg && settings.bg !== "none" && `--page: ${settings.bg};`,
    ];
    // In a layer, not on the element: custom CSS must win over these too.
    this.#sheet.replaceSync(`@layer settings { :root { ${variables.filter(Boolean).join(" ")} } }`);
    // A sheet of its own, never markup: nothing in it can be anything but CSS.
    this.#custom.replaceSync(custom_layer(settings.custom_css, settings.is_checked_css));
  }

  /** Makes the page be of the elements that its theme is written for. */
  #choose_elements() {
    const Wanted = wanted_elements(this.#root);
    if (this.#elements instanceof Wanted) return;
    const { lines } = this.#screen;
    for (const line of lines.take().removed) line.element.remove();
    for (const line of lines.all) {
      line.element?.remove();
      line.element = null;
    }
    lines.redraw();
    this.#elements?.leave();
    this.#elements = new Wanted({ chat: this.#chat, feature: this.#feature, renderer: this.#renderer });
  }

  #redress() {
    this.#renderer.configure(this.#settings, this.#surface());
    this.#choose_elements();
    this.#screen.lines.redraw();
    this.#featured_changed = true;
    this.#schedule();
  }

  /** Takes the room's new settings, if they are new. */
  configure(news) {
    const text = JSON.stringify(news);
    if (text === this.#stored) return;
    const { theme: old_theme, theme_version: old_version } = this.#settings;
    this.#stored = text;
    this.#settings = join_settings(news, this.#changes);
    this.#screen.configure(this.#settings);
    this.#waiting = this.#waiting.filter((it) => this.#screen.admits(it.event));
    if (!this.#settings.pronouns) this.#pronouns.forget_wanted();
    if (this.#settings.speed === 0) this.#drain();
    this.#dress();
    if (this.#settings.theme !== old_theme || this.#settings.theme_version !== old_version) this.#theme.wear(this.#settings);
    this.#expire();
    this.#redress();
  }

  /** There is a server again: a theme that did not load is asked for at once. */
  renew_theme() {
    this.#theme.renew();
  }

  // ---------------------------------------------------------------- what comes

  /** One event. In a replay it moves in only when `animate`: when it comes by playing, not by seeking. */
  take(event, { animate = false } = {}) {
    if (this.#clock.is_virtual) this.#replay(event, animate);
    else this.#take(event);
  }

  #replay(event, animate) {
    const moves = animate && this.#settings.animation !== "none" && !this.#is_busy();
    if (this.#screen.take(event, this.#clock.now(), { animate: moves })) {
      this.#featured_changed = true;
      this.#featured_moves = moves;
    }
  }

  #take(news) {
    if (this.#moderation.note(news)) {
      this.#remove(news);
      return;
    }
    const event = this.#moderation.censor(news);
    switch (event.type) {
      case "chat.message":
      case "activity":
        if (this.#moderation.hides(event.data) || !this.#screen.admits(event)) return;
        this.#arrive(event);
        return;
      case "feature.show":
        if (!this.#moderation.hides(event.data)) this.#show_featured(event);
        return;
      case "feature.clear":
        this.#show_featured(null);
        return;
      case "settings.update":
        this.configure(event.data);
        return;
      case "platform.status":
        this.note_status(event.data);
        return;
      default: // Polls, tallies, clips: other widgets.
    }
  }

  #remove(deletion) {
    const gone = matcher(deletion);
    const redact = redactor(deletion);
    this.#waiting = this.#waiting.filter((it) => !gone(it.event.data)).map((it) => ({ ...it, event: redact(it.event) }));
    const featured_changed = this.#screen.remove(deletion);
    if (featured_changed) this.#featured_changed = true;
    if (this.#beacon && this.#visible && this.#screen.lines.is_dirty) this.#removed_at.push(this.#beacon.now());
    if (this.#screen.lines.is_dirty || (featured_changed && this.#settings.focus)) this.#schedule();
  }

  #arrive(event) {
    const now = this.#clock.now();
    // A later connection does not change which of those that wait were said while this page was here.
    const is_live = event.seq > this.live_from;
    const said = Date.parse(event.ts);
    const news = { event, is_live, age: !is_live && said ? Math.max(0, now - said) : 0 };
    // What was said before this page was here is no flood, however fast it comes.
    if (is_live) {
      this.#screen.flood.arrive(now);
      this.#show_step(now);
    }
    const { speed } = this.#settings;
    if (speed > 0 && this.#visible && (is_live || this.#waiting.length > 0)) this.#hold(news);
    else this.#add(news);
  }

  #add({ event, is_live, age }) {
    const now = this.#clock.now();
    this.#screen.add(event, {
      now, born: now - age, animate: is_live && !this.#is_busy(), live: is_live, received: this.#beacon?.now() ?? 0,
    });
    if (this.#settings.fade_seconds && !this.#expire_timer) this.#expire();
    if (this.#screen.lines.is_dirty) this.#schedule();
  }

  #hold(news) {
    this.#waiting.push(news);
    if (this.#waiting.length > BUFFER_MOST) {
      // The oldest that need not be shown; if there is none, the oldest.
      this.#waiting.splice(Math.max(0, this.#waiting.findIndex((it) => rank_of(it.event) < ALWAYS)), 1);
      this.#screen.flood.skip();
    }
    if (!this.#pace_timer) this.#pace();
  }

  #pace() {
    this.#pace_timer = 0;
    const news = this.#waiting.shift();
    if (!news) return;
    this.#add(news);
    this.#pace_timer = setTimeout(() => this.#pace(), 1000 / (this.#settings.speed || 1000));
  }

  #drain() {
    clearTimeout(this.#pace_timer);
    this.#pace_timer = 0;
    for (const it of this.#waiting.splice(0)) this.#add(it);
  }

  #show_featured(event) {
    // Every connection tells it again: what is there already does not move in once more.
    if (event?.data.id === this.#screen.featured?.data.id) return;
    this.#screen.feature(event);
    this.#featured_changed = true;
    this.#featured_moves = true;
    if (this.#settings.focus) this.#schedule();
  }

  /** What follows begins anew. */
  clear() {
    this.#screen.clear();
    this.#waiting = [];
    this.#statuses.clear();
    this.#moderation.forget_purges();
    this.#pronouns.forget_wanted();
    this.#featured_changed = true;
    this.#show_step(this.#clock.now());
    this.#schedule();
  }

  /** A recording that is being moderated right now: what is taken away goes at once. */
  moderate(deletion) {
    if (this.#screen.remove(deletion)) this.#featured_changed = true;
    this.#schedule();
  }

  #is_busy() {
    return step_for(this.#screen.flood.peak(this.#clock.now()) * this.#clock.rate) >= BUSY;
  }

  // ---------------------------------------------------------------- floods

  /** Says on `:root` how fast lines come, and looks again until they no longer do. */
  #show_step(now) {
    const step = this.#screen.flood.step(now);
    if (step !== this.#step) {
      this.#step = step;
      if (this.#visible) this.#mark_step();
    }
    if (step !== CALM && this.#visible && !this.#flood_timer && !this.#clock.is_virtual) {
      this.#flood_timer = setTimeout(() => {
        this.#flood_timer = 0;
        this.#show_step(this.#clock.now());
      }, LOOK_MS);
    }
  }

  #mark_step() {
    this.#root.dataset.flood = STEPS[this.#step];
  }

  // ---------------------------------------------------------------- time

  /** Lets lines fade and go, and sleeps until the next one must. */
  #expire() {
    clearTimeout(this.#expire_timer);
    this.#expire_timer = 0;
    const life = this.#screen.life_ms;
    if (!life || !this.#visible) return;
    const { lines } = this.#screen;
    const now = this.#clock.now();
    this.#screen.expire(now);
    const [first] = lines.all;
    if (first) {
      const staying = lines.all.find((it) => !it.leaving);
      const leaves = staying ? staying.born + life - now : Infinity;
      const goes = first.leaving ? first.born + life + LEAVE_MS - now : Infinity;
      this.#expire_timer = setTimeout(() => this.#expire(), Math.max(50, Math.min(leaves, goes)));
    }
    if (lines.is_dirty) this.#schedule();
  }

  /** The moment that a virtual clock shows, drawn before this returns. */
  tick() {
    this.#screen.expire(this.#clock.now());
    this.#show_step(this.#clock.now());
    this.#draw();
  }

  /** Nothing plays any more: what was moving in is there. */
  settle() {
    for (const line of document.querySelectorAll("#chat .line[data-new], #feature .line[data-new]")) delete line.dataset.new;
  }

  // ---------------------------------------------------------------- drawing

  #schedule() {
    if (!this.#visible || this.#frame) return;
    const asked_at = performance.now();
    this.#frame = requestAnimationFrame(() => {
      if (!this.#clock.is_virtual) this.#screen.flood.note_frame(performance.now() - asked_at, this.#clock.now());
      this.#draw();
    });
  }

  #draw() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    if (!this.#visible) return;
    this.#draw_lines();
    if (this.#featured_changed) this.#draw_featured();
    if (this.#pronouns_changed) this.#draw_pronouns();
  }

  #draw_lines() {
    const { lines } = this.#screen;
    if (!lines.is_dirty) return;
    const { removed, changed } = lines.take();
    for (const line of removed) {
      this.#let_go(line.element);
      line.element = null;
    }
    const fresh = [];
    const received = [];
    for (const line of changed) {
      if (line.received) received.push(line.received);
      line.received = 0;
      try {
        this.#draw_line(line, fresh);
      } catch (error) {
        // One line that cannot be drawn must not cost the others their frame.
        this.#give_up(line, error);
      }
    }
    this.#elements.add(fresh);
    this.#elements.drawn();
    this.#beacon?.drew(received, this.#removed_at.splice(0));
  }

  #draw_line(line, fresh) {
    if (line.element && !line.stale) {
      update(line);
      return;
    }
    const element = this.#elements.dress(this.#renderer.render(line.event), line.event);
    this.#show_pronouns(element, line.event);
    const old = line.element;
    line.element = element;
    if (old) {
      old.before(element);
      this.#let_go(old);
    }
    update(line);
    if (!old) fresh.push(element);
    if (line.animate) element.dataset.new = "";
    line.stale = false;
    line.animate = false;
  }

  #give_up(line, error) {
    line.element?.remove();
    line.element = null;
    this.#screen.lines.discard(line);
    this.#undrawn += 1;
    if (this.#undrawn === 1) console.warn("A line could not be drawn; further ones are only counted.", error);
  }

  /** Empties an element, so that nothing of its line is left, for one to come. */
  #let_go(element) {
    element.remove();
    element.replaceChildren();
    for (const name of element.getAttributeNames()) element.removeAttribute(name);
    // YouTube's elements have tags of their own.
    if (element.localName === "div" && this.#spare.length < this.#settings.max_messages) this.#spare.push(element);
  }

  #draw_featured() {
    this.#featured_changed = false;
    this.#feature.replaceChildren();
    const { featured } = this.#screen;
    if (!this.#settings.focus || !featured) return;
    const element = this.#elements.dress(this.#renderer.render(featured), featured);
    element.classList.add("featured");
    this.#show_pronouns(element, featured);
    if (this.#featured_moves || !this.#clock.is_virtual) element.dataset.new = "";
    this.#featured_moves = false;
    this.#feature.append(element);
  }

  /** Where somebody is drawn: with pronouns that are known, and asking for others. Without the setting, neither. */
  #show_pronouns(element, event) {
    const { author } = event.data;
    if (!this.#settings.pronouns || !author) return;
    if (this.#settings.demo) {
      show_pronouns(element, author.pronouns ?? ""); // Invented, like the viewer.
      return;
    }
    show_pronouns(element, this.#pronouns.find(author.id));
    this.#pronouns.want(event);
  }

  /** More are known: beside names that are on screen already. */
  #draw_pronouns() {
    this.#pronouns_changed = false;
    for (const { element, event } of this.#screen.lines.all) if (element) this.#show_pronouns(element, event);
    const featured = this.#feature.querySelector(".featured");
    if (featured && this.#screen.featured) this.#show_pronouns(featured, this.#screen.featured);
    this.#elements.drawn();
  }

  // ---------------------------------------------------------------- platforms' state, if asked for

  /** The state of all platforms at once, as a connection begins. */
  set_statuses(statuses) {
    this.#statuses.clear();
    for (const status of statuses) this.note_status(status);
  }

  note_status(status) {
    this.#statuses.set(`${status.platform} ${status.channel}`, status);
    if (this.#settings.status) this.#draw_status();
  }

  #draw_status() {
    this.#marks.replaceChildren();
    for (const { platform, state, channel, detail } of this.#statuses.values()) {
      if (state === "live" || state === "offline" || state === "paused") continue;
      const mark = document.createElement("span");
      mark.className = "status-mark";
      mark.dataset.platform = platform;
      mark.dataset.state = state;
      mark.setAttribute("role", "img");
      mark.setAttribute("aria-label", [platform, channel, state, detail].filter(Boolean).join(" "));
      this.#marks.append(mark);
    }
  }

  // ---------------------------------------------------------------- OBS

  #follow_obs() {
    const now = (this.#obs_visible ?? this.#obs_active) !== false && (this.#clock.is_virtual || document.visibilityState !== "hidden");
    if (now === this.#visible) return;
    this.#visible = now;
    if (now) this.#wake();
    else this.#sleep();
    this.#beacon?.show(now);
  }

  /** Nobody sees it: no frame, and no timer that would draw. What comes is still kept, as far as it could be shown. */
  #sleep() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    clearTimeout(this.#expire_timer);
    clearTimeout(this.#flood_timer);
    this.#expire_timer = this.#flood_timer = 0;
    this.#drain();
  }

  /** The source is on screen already: its first frame must be right. */
  #wake() {
    const now = this.#clock.now();
    if (!this.#clock.is_virtual) {
      this.#screen.expire(now);
      this.#show_step(now);
      this.#mark_step();
      this.#expire();
    }
    for (const line of this.#screen.lines.all) {
      line.animate = false;
      line.received = 0;
    }
    this.#removed_at = [];
    this.#draw();
  }
}


function update(line) {
  const { element } = line;
  element.toggleAttribute("data-leaving", line.leaving);
  if (line.count < 2) {
    // Taken away, not emptied: a line must not tell that it was once longer.
    line.repeats?.remove();
    line.repeats = null;
    return;
  }
  if (!line.repeats || !element.contains(line.repeats)) {
    line.repeats = document.createElement("span");
    line.repeats.className = "repeats";
    element.querySelector(".body").append(line.repeats);
  }
  line.repeats.textContent = `×${line.count}`;
}

// The chat overlay: what happened since the last frame is drawn in one pass, or not at all while OBS does
// not show the source. Nothing here ever says that the connection is lost: an overlay is on air.

import { Feed } from "./feed.js";
import { Filter } from "./filter.js";
import { Lines } from "./lines.js";
import { Moderation, matcher, quote_remover } from "./moderation.js";
import { Renderer } from "./render.js";
import { font_family, join_settings, parse_parameters } from "./settings.js";

const LEAVE_MS = 700; // The transition of a line that fades, in overlay.css.
const BUFFER_MOST = 100; // Lines that wait when `speed` holds them back.
const BUSY_PER_SECOND = 12; // From here on, lines come too fast to be seen moving in.
const BACKLOG_MOST = 500;

const sheet = new CSSStyleSheet();
document.adoptedStyleSheets = [sheet];
const page = JSON.parse(document.getElementById("page").textContent);
const changes = parse_parameters(new URLSearchParams(location.search));
const root = document.documentElement;
const chat = document.getElementById("chat");
const feature = document.getElementById("feature");
const marks = document.getElementById("status-marks");

let stored = JSON.stringify(page.settings);
let settings = join_settings(page.settings, changes);
let filter = new Filter(settings);
const moderation = new Moderation();
const lines = new Lines(settings.max_messages);
const renderer = new Renderer({ settings, surface: surface(), build: page.build }).watch(document.body);

let live_from = 0; // Events up to this seq were said before this page was here: they do not move in.
let waiting = []; // Behind `speed`.
let pace_timer = 0;
let expire_timer = 0;
let frame = 0;
let featured = null;
let featured_changed = false;
let visible = true;
const statuses = new Map();
const recent = { second: 0, count: 0, before: 0 };

// ---------------------------------------------------------------- settings

function surface() {
  const style = getComputedStyle(root);
  return style.getPropertyValue("--surface").trim() || "#17181c";
}

/** Puts settings where CSS finds them. */
function dress() {
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
  sheet.replaceSync(`@layer settings { :root { ${variables.filter(Boolean).join(" ")} } }`);
}

function redress() {
  renderer.configure(settings, surface());
  lines.redraw();
  featured_changed = true;
  schedule();
}

function configure(news) {
  const old_theme = settings.theme;
  stored = JSON.stringify(news);
  settings = join_settings(news, changes);
  filter = new Filter(settings);
  lines.resize(settings.max_messages);
  lines.remove((data) => !filter.admits({ type: data.system_text === undefined ? "chat.message" : "activity", data }));
  waiting = waiting.filter((it) => filter.admits(it));
  if (settings.speed === 0) drain();
  dress();
  if (settings.theme !== old_theme) change_theme();
  expire();
  redress();
}

/** The old stylesheet stays until the new one has come, and if it never comes. */
function change_theme() {
  const old = document.getElementById("theme");
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = `/themes/${encodeURIComponent(settings.theme)}/theme.css?v=${encodeURIComponent(page.build)}`;
  link.onload = () => {
    for (const it of document.querySelectorAll("link.theme")) if (it !== link) it.remove();
    link.id = "theme";
    redress();
  };
  link.onerror = () => link.remove();
  old.classList.add("theme");
  link.className = "theme";
  old.after(link);
}

// ---------------------------------------------------------------- what comes

function take(news) {
  if (moderation.note(news)) {
    const gone = matcher(news);
    const unquoted = quote_remover(gone);
    lines.remove(gone);
    lines.change(unquoted);
    waiting = waiting.filter((it) => !gone(it.data)).map(unquoted);
    if (featured && gone(featured.data)) show_featured(null);
    else if (featured && unquoted(featured) !== featured) show_featured(unquoted(featured));
    if (lines.is_dirty) schedule();
    return;
  }
  const event = moderation.censor(news);
  switch (event.type) {
    case "chat.message":
    case "activity":
      count();
      if (settings.focus || moderation.hides(event.data) || !filter.admits(event)) return;
      if (settings.speed > 0 && event.seq > live_from) hold(event);
      else add(event);
      return;
    case "feature.show":
      if (!moderation.hides(event.data)) show_featured(event);
      return;
    case "feature.clear":
      show_featured(null);
      return;
    case "settings.update":
      configure(event.data);
      return;
    case "platform.status":
      note_status(event.data);
      return;
    default: // Polls, tallies, clips: other widgets.
  }
}

function add(event) {
  const said = Date.parse(event.ts);
  const born = event.seq <= live_from && said ? Math.min(said, Date.now()) : Date.now();
  if (settings.fade_seconds && Date.now() - born > settings.fade_seconds * 1000) return;
  lines.add(event, { animate: event.seq > live_from && !is_busy(), born });
  if (settings.fade_seconds && !expire_timer) expire();
  schedule();
}

function hold(event) {
  waiting.push(event);
  if (waiting.length > BUFFER_MOST) waiting.shift();
  if (!pace_timer) pace();
}

function pace() {
  pace_timer = 0;
  const event = waiting.shift();
  if (!event) return;
  add(event);
  pace_timer = setTimeout(pace, 1000 / (settings.speed || 1000));
}

function drain() {
  clearTimeout(pace_timer);
  pace_timer = 0;
  for (const event of waiting.splice(0)) add(event);
}

function show_featured(event) {
  featured = event;
  featured_changed = true;
  if (settings.focus) schedule();
}

function count() {
  const second = Math.floor(performance.now() / 1000);
  if (second !== recent.second) {
    recent.before = second === recent.second + 1 ? recent.count : 0;
    recent.second = second;
    recent.count = 0;
  }
  recent.count += 1;
}

function is_busy() {
  return Math.max(recent.count, recent.before) > BUSY_PER_SECOND;
}

// ---------------------------------------------------------------- time

/** Lets lines fade and go, and sleeps until the next one must. */
function expire() {
  clearTimeout(expire_timer);
  expire_timer = 0;
  if (!settings.fade_seconds) return;
  const life = settings.fade_seconds * 1000;
  const now = Date.now();
  lines.expire(now - life, now - life - LEAVE_MS);
  const [first] = lines.all;
  if (first) {
    const staying = lines.all.find((it) => !it.leaving);
    const leaves = staying ? staying.born + life - now : Infinity;
    const goes = first.leaving ? first.born + life + LEAVE_MS - now : Infinity;
    expire_timer = setTimeout(expire, Math.max(50, Math.min(leaves, goes)));
  }
  if (lines.is_dirty) schedule();
}

// ---------------------------------------------------------------- drawing

function schedule() {
  if (visible && !frame) frame = requestAnimationFrame(draw);
}

function draw() {
  cancelAnimationFrame(frame);
  frame = 0;
  if (!visible) return;
  draw_lines();
  if (featured_changed) draw_featured();
}

function draw_lines() {
  if (!lines.is_dirty) return;
  const { removed, changed } = lines.take();
  for (const line of removed) {
    line.element.remove();
    line.element = null;
  }
  const fresh = document.createDocumentFragment();
  for (const line of changed) {
    if (line.element && !line.stale) {
      update(line);
      continue;
    }
    const element = renderer.render(line.event);
    if (line.element) line.element.replaceWith(element);
    else fresh.prepend(element);
    if (line.animate) element.dataset.new = "";
    line.element = element;
    line.stale = false;
    line.animate = false;
    update(line);
  }
  chat.prepend(fresh); // Newest first: overlay.css says why.
}

function update(line) {
  const { element } = line;
  element.toggleAttribute("data-leaving", line.leaving);
  if (line.count < 2 && !line.repeats) return;
  if (!line.repeats || !element.contains(line.repeats)) {
    line.repeats = document.createElement("span");
    line.repeats.className = "repeats";
    element.querySelector(".body").append(line.repeats);
  }
  line.repeats.textContent = line.count < 2 ? "" : `×${line.count}`;
}

function draw_featured() {
  featured_changed = false;
  feature.replaceChildren();
  if (!settings.focus || !featured) return;
  const element = renderer.render(featured);
  element.classList.add("featured");
  element.dataset.new = "";
  feature.append(element);
}

// ---------------------------------------------------------------- platforms' state, if asked for

function note_status(status) {
  statuses.set(`${status.platform} ${status.channel}`, status);
  if (settings.status) draw_status();
}

function draw_status() {
  marks.replaceChildren();
  for (const { platform, state, channel, detail } of statuses.values()) {
    if (state === "live" || state === "offline" || state === "paused") continue;
    const mark = document.createElement("span");
    mark.className = "status-mark";
    mark.dataset.platform = platform;
    mark.dataset.state = state;
    mark.setAttribute("role", "img");
    mark.setAttribute("aria-label", [platform, channel, state, detail].filter(Boolean).join(" "));
    marks.append(mark);
  }
}

// ---------------------------------------------------------------- OBS

let obs_visible = null;
let obs_active = null;

function follow_obs() {
  const now = (obs_visible ?? obs_active) !== false;
  if (now === visible) return;
  visible = now;
  if (visible) draw(); // At once: the source is already on screen.
}

addEventListener("obsSourceVisibleChanged", ({ detail }) => {
  obs_visible = Boolean(detail?.visible);
  follow_obs();
});
addEventListener("obsSourceActiveChanged", ({ detail }) => {
  obs_active = Boolean(detail?.active);
  follow_obs();
});

// ---------------------------------------------------------------- start

/** A newer server has newer scripts. A source in OBS is never reloaded by hand, so it does so itself, once. */
function keep_up_with(build) {
  if (!build || !page.build || build === page.build) return;
  try {
    const key = `streamsuites.reloaded.${location.pathname}`;
    if (sessionStorage.getItem(key) === build) return;
    sessionStorage.setItem(key, build);
  } catch {
    return; // Without a memory, a mistake here would reload for ever.
  }
  location.reload();
}

function start() {
  dress();
  if (settings.theme !== page.theme) change_theme();
  // Custom properties of a theme are known once its stylesheet is; OBS injects its own a little later.
  addEventListener("load", redress, { once: true });
  if (settings.demo) {
    import("./demo.js").then(({ play }) => play(take));
    return;
  }
  const backlog = Math.min(BACKLOG_MOST, settings.focus ? BACKLOG_MOST : Math.max(50, settings.max_messages * 2));
  new Feed({ room: page.room, key: page.key, backlog })
    .on("reset", () => {
      lines.clear();
      waiting = [];
      statuses.clear();
      moderation.forget_purges();
      show_featured(null);
      schedule();
    })
    .on("hello", (hello) => {
      keep_up_with(hello.build);
      // After a resume, too, what was missed is shown without ceremony.
      live_from = hello.seq ?? 0;
      if (hello.settings && JSON.stringify(hello.settings) !== stored) configure(hello.settings);
      statuses.clear();
      for (const status of hello.status ?? []) note_status(status);
      if (hello.featured) show_featured({ type: "feature.show", ts: hello.featured.received_at, data: hello.featured });
    })
    .on("event", take)
    .start();
}

start();

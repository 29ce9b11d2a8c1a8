// The pop-out chat: the whole feed of a room as a scrollable, searchable log.

import { Announcer } from "./announcer.js";
import { Connections, platform_mark } from "./connections.js";
import { Desk } from "./desk.js";
import { EmojiPicker } from "./emoji_picker.js";
import { Feed } from "./feed.js";
import { is_detail } from "./filter.js";
import { CALM, Flood, STEPS } from "./flood.js";
import { hide_key, lead, take_page } from "./keyed.js";
import { LetterKeys } from "./letter_keys.js";
import { LineActs } from "./line_acts.js";
import { memory_of } from "./memory.js";
import { Moderation, counts_after, matcher, redactor } from "./moderation.js";
import { PollsDrawer } from "./polls_drawer.js";
import { Pronouns } from "./pronouns.js";
import { Queue } from "./queue.js";
import { Renderer } from "./render.js";
import { CLOSE_ACCESS_REVOKED, leave_when_revoked } from "./revoked.js";
import { TITLES, make } from "./rooms.js";
import { Search } from "./search.js";
import { SendBox } from "./send_box.js";
import { DEFAULTS, PLATFORMS, join_settings, parse_parameters } from "./settings.js";
import { ViewerCard } from "./viewer_card.js";

const ROWS_MOST = 1000;
const NEAR_ROWS = 80; // The newest ones, always laid out.
const HELD_MOST = 1000; // While paused.
const REACH_MS = 400; // How long a scroll upwards may take to leave the end.
const BOTTOM_PX = 40; // Nearer to the end than this is at the end.
const HOVER_MS = 8000; // A pointer left lying on the chat does not stop it for ever.
const PACE_MS = 1000; // How often it is asked whether a flood is over.
const NOTICE_MS = 7000; // How long a refusal is shown.
const HIDDEN_MS = 500; // How often a window in the background is brought up to date.

const page = take_page();
const rights = page.rights ?? [];
page.key = hide_key({ ...page, operator: rights.length > 0 });
const $ = (id) => document.getElementById(id);
const root = document.documentElement;
const log = $("log");
const pill = $("pill");

// The room's overlay settings are for the scene; this window shows everything.
const settings = join_settings({ ...DEFAULTS, show_avatars: false }, {});
const moderation = new Moderation();

let rows = []; // {event, element, text} in the order shown
let held = []; // Events that wait while paused.
let incoming = []; // Events since the last frame.
let unseen = 0;
let undrawn = 0; // Lines that could not be drawn.
let frame = 0;
let hidden_timer = 0;
let hovering = false;
let hover_timer = 0;
let scrolled_up = false;
const hidden_platforms = new Set();
const seen_platforms = new Set();
const connections = new Connections($("connections"));

// ---------------------------------------------------------------- what this window remembers

const memory = memory_of("popout");
const prefers_light = matchMedia("(prefers-color-scheme: light)");
let scheme = memory.read("scheme");
let text_size = Math.min(28, Math.max(10, Number(memory.read("size")) || 14));

const surface = () => getComputedStyle(root).getPropertyValue("--surface").trim() || "#14161c";

function dress() {
  const shown = scheme === "light" || scheme === "dark" ? scheme : prefers_light.matches ? "light" : "dark";
  root.dataset.scheme = shown;
  root.style.setProperty("--size", `${text_size}px`);
  const times = memory.read("time") !== "0";
  root.toggleAttribute("data-times", times);
  $("time-button").setAttribute("aria-pressed", String(times));
}

dress();
const renderer = new Renderer({ settings, surface: surface(), build: page.build, popout: true }).watch(document.body);

function redress() {
  dress();
  renderer.configure(settings, surface());
  for (const { element, event } of rows) {
    if (event?.data.author) element.style.setProperty("--name", renderer.colour(event.data.author));
  }
  queue.redress();
}

function toggle_scheme() {
  scheme = root.dataset.scheme === "light" ? "dark" : "light";
  memory.write("scheme", scheme);
  redress();
}

function toggle_times() {
  memory.write("time", root.hasAttribute("data-times") ? "0" : "1");
  keeping_place(dress);
}

function resize(step) {
  text_size = Math.min(28, Math.max(10, text_size + step));
  memory.write("size", String(text_size));
  keeping_place(dress);
}

prefers_light.addEventListener("change", redress);

// ---------------------------------------------------------------- what the operator has besides

// On a moderator's page the drawers are open at first, whatever this window remembers.
const drawers = page.desk ? { read: () => "1", write() {} } : memory;
root.toggleAttribute("data-moderating", page.desk === true);

const announcer = new Announcer((words) => {
  $("announcer").textContent = words;
});
announcer.reads_chat = memory.read("aloud") === "1";

let notice_timer = 0;

function tell(words) {
  $("notice").textContent = words;
  $("notice").hidden = false;
  clearTimeout(notice_timer);
  notice_timer = setTimeout(() => ($("notice").hidden = true), NOTICE_MS);
}

const announce = (words) => announcer.note(words);

const queue = new Queue({
  room: page.room, rights, memory: drawers, tell, announce,
  colour: (author) => renderer.colour(author),
  parts: {
    drawer: $("queue"), list: $("queue-list"), empty: $("queue-empty"), next: $("queue-next"), close: $("queue-close"),
    button: $("queue-button"), count: $("queue-count"), featured: $("featured"),
  },
});

const polls = new PollsDrawer({
  room: page.room, rights, memory: drawers, tell, announce,
  parts: { drawer: $("polls"), place: $("boards"), close: $("polls-close"), button: $("polls-button"), count: $("polls-count") },
});

const send_box = new SendBox({
  room: page.room, voices: page.voices ?? [], memory, tell, announce,
  parts: {
    form: $("send"), outgoing: $("outgoing"), replying: $("replying"), words: $("words"), send: $("send-button"), left: $("left"),
    targets: $("targets"), targets_button: $("targets-button"),
  },
});

const picker = new EmojiPicker({
  panel: $("emoji"), button: $("emoji-button"), memory,
  pick: (text, is_word, keeps_focus) => send_box.insert(text, is_word, keeps_focus),
});

function toggle_aloud() {
  announcer.reads_chat = !announcer.reads_chat;
  memory.write("aloud", announcer.reads_chat ? "1" : "0");
  announce(announcer.reads_chat ? "New messages are spoken" : "New messages are not spoken");
}

const letters = new LetterKeys(memory);

{
  const box = make("input");
  Object.assign(box, { type: "checkbox", checked: letters.are_on });
  box.addEventListener("change", () => (letters.are_on = box.checked));
  $("help").querySelector("form").before(make("label", "help-letters", box, "Keys of one character act without Ctrl"));
}

function show_help() {
  $("help-queue").hidden = !queue.available;
  $("help-polls").hidden = !polls.available;
  $("help-send").hidden = !send_box.available;
  $("help").showModal();
  // From its beginning: the button that closes it, which would get the focus, is at the end.
  $("help-title").tabIndex = -1;
  $("help-title").focus();
  $("help").scrollTop = 0;
}

// ---------------------------------------------------------------- the message that is pointed at

/** The message of a line, while it may still be shown. */
function message_of(line) {
  const row = line && rows.find((it) => it.element === line);
  return row?.event.type === "chat.message" && !row.event.deleted ? row.event.data : null;
}

const desk = new Desk({ room: page.room, rights, tell });
const acts = new LineActs({ log, queue, send_box, desk, message_of, open_card });

// ---------------------------------------------------------------- what comes

function take(news) {
  if (moderation.note(news)) {
    remove(news);
    return;
  }
  const event = moderation.censor(news);
  const { data } = event;
  switch (event.type) {
    case "chat.message":
    case "activity":
      if (moderation.hides(data)) return;
      if (event.type === "chat.message") picker.learn(data);
      if (event.seq > live_from) {
        note_pace();
        if (event.type === "chat.message") announcer.chat(data.author.name, data.text);
      }
      incoming.push(event);
      if (incoming.length > ROWS_MOST) incoming.shift();
      schedule();
      return;
    // What was so before this window came, the first frame has told.
    case "feature.show":
      if (event.seq > live_from && !moderation.hides(data)) queue.show_featured(data);
      return;
    case "feature.clear":
      if (event.seq > live_from) queue.show_featured(null);
      return;
    case "queue.update":
      if (event.seq > live_from) queue.take(data.items.filter((it) => !moderation.hides(it)));
      return;
    case "poll.update":
    case "tally.update":
    case "score.update":
      polls.take(event);
      return;
    case "settings.update":
      if (event.seq > live_from) note_settings(data);
      return;
    case "platform.status":
      if (event.seq > live_from) note_status(data); // A channel that is read no longer would come back.
      return;
    case "room.state":
      connections.note_rules(data);
      return;
    case "session.start":
    case "session.end":
    case "feed.gap":
      incoming.push(event);
      schedule();
      return;
    default:
  }
}

function schedule() {
  if (frame || hidden_timer) return;
  if (document.hidden) hidden_timer = setTimeout(draw, HIDDEN_MS);
  else frame = requestAnimationFrame(draw);
}

// A frame asked for just before the window was hidden would wait until it is shown again.
document.addEventListener("visibilitychange", () => {
  cancelAnimationFrame(frame);
  clearTimeout(hidden_timer);
  frame = 0;
  hidden_timer = 0;
  if (incoming.length) schedule();
});

const is_paused = () => hovering || scrolled_up;

function draw() {
  frame = 0;
  hidden_timer = 0;
  const events = incoming;
  incoming = [];
  if (!events.length) return;
  if (is_paused() && rows.length) {
    held.push(...events);
    if (held.length > HELD_MOST) held.splice(0, held.length - HELD_MOST);
    unseen += events.filter((it) => it.type === "chat.message").length;
    draw_pill();
    return;
  }
  append(events);
}

function append(events) {
  const newest = events.slice(-ROWS_MOST);
  const fresh = document.createDocumentFragment();
  for (const event of newest) {
    const row = row_of(event);
    if (!row) continue;
    rows.push(row);
    fresh.append(row.element);
  }
  const extra = rows.splice(0, Math.max(0, rows.length - ROWS_MOST));
  for (const { element } of extra) element.remove();
  log.append(fresh);
  // Rows above the window cost nothing. Those near it keep their true height, or the end would wander.
  const past = rows.length - NEAR_ROWS;
  for (let at = Math.max(0, past - newest.length); at < past; at += 1) rows[at].element.classList.add("past");
  $("empty").hidden = true;
  search.highlight();
  if (!scrolled_up) to_end();
}

/** A line, or null: one that cannot be drawn must not cost the others their frame. */
function row_of(event) {
  try {
    const row = { event, element: render(event), text: searchable(event) };
    note_platform(event);
    if (!passes(row)) row.element.hidden = true;
    if (event.data.id && queue.is_featured(event.data.id)) row.element.classList.add("on-overlay");
    return row;
  } catch (error) {
    undrawn += 1;
    root.dataset.undrawn = String(undrawn);
    if (undrawn === 1) console.warn("A line could not be drawn; further ones are only counted.", error);
    return null;
  }
}

function render(event) {
  if (event.type !== "chat.message" && event.type !== "activity") {
    const notice = document.createElement("div");
    notice.className = "line notice";
    notice.textContent = notice_words(event);
    return notice;
  }
  const element = renderer.render(event);
  if (event.type === "activity" && is_detail(event.data)) element.classList.add("compact");
  return element;
}

function notice_words({ type, data }) {
  if (type === "feed.gap") {
    return data.events === 1 ? "1 event was not recorded" : `${data.events.toLocaleString()} events were not recorded`;
  }
  const words = type === "session.start" ? "Stream started" : "Stream ended";
  return [words, data.title].filter(Boolean).join(": ");
}

function searchable(event) {
  const { author, text, system_text } = event.data;
  return [author?.name, author?.login, system_text, text].filter(Boolean).join("\n").toLowerCase();
}

// ---------------------------------------------------------------- deletions

function remove(event) {
  const gone = matcher(event);
  const stays = (it) => !it.data.id || !gone(it.data);
  if (counts_after(event, live_from)) queue.drop(gone);
  // What is answered was said before this, in whatever connection: it comes from a line that was shown.
  send_box.drop(gone);
  announcer.forget_chat();
  const redact = redactor(event);
  const in_card = card.quotes((it) => !stays(it) || redact(it) !== it);
  incoming = incoming.filter(stays).map(redact);
  held = held.filter(stays).map(redact);
  if (event.type === "chat.clear") {
    const left = [];
    for (const row of rows) {
      if (row.event && !stays(row.event)) row.element.remove();
      else left.push(row);
    }
    rows = left;
  } else {
    for (const row of rows) if (row.event && !stays(row.event)) blank(row);
  }
  for (const row of rows) take_words(row, redact(row.event));
  unseen = Math.min(unseen, held.length);
  draw_pill();
  if (in_card) card.draw(); // It quotes what is gone.
  search.highlight();
}

/** Somebody else's words go out of a reply, and an activity's own. */
function take_words(row, event) {
  if (event === row.event) return;
  row.event = event;
  row.text = searchable(event);
  if (event.type === "activity") row.element.querySelector(".text")?.remove();
  else row.element.querySelector(".reply-text")?.replaceChildren();
}

/** Leaves the place and the name, and takes the words: from the page and from memory. */
function blank(row) {
  const { data } = row.event;
  row.element.classList.add("deleted");
  row.element.classList.remove("emote-only", "emoji-only");
  const text = row.element.querySelector(".text") ?? row.element.querySelector(".body");
  row.element.querySelector(".reply")?.remove();
  text.replaceChildren("message deleted");
  row.text = "";
  row.event = { ...row.event, data: { ...data, text: "", fragments: [], reply_to: undefined, system_text: data.system_text && "" }, deleted: true };
}

// ---------------------------------------------------------------- scrolling

const distance = () => log.scrollHeight - log.scrollTop - log.clientHeight;

function to_end() {
  log.scrollTop = log.scrollHeight;
  last_top = log.scrollTop;
  last_height = log.scrollHeight;
}

function keeping_place(change) {
  const at_end = !scrolled_up;
  change();
  if (at_end) to_end();
}

function resume() {
  clearTimeout(reach_timer);
  reach_timer = 0;
  hovering = false;
  scrolled_up = false;
  unseen = 0;
  const events = held;
  held = [];
  if (events.length) append(events);
  to_end();
  draw_pill();
}

function draw_pill() {
  const paused = is_paused();
  pill.hidden = !(paused && (unseen > 0 || scrolled_up));
  const count = unseen > 999 ? "999+" : String(unseen);
  pill.textContent = unseen ? `${count} new ↓` : "Jump to the newest ↓";
}

let last_top = 0;
let last_height = 0;
let reach_timer = 0;

/** A hand reaches up: chat must stand still before the first pixel has moved, or it would pull back. */
function reach_up() {
  if (log.scrollTop === 0) return;
  scrolled_up = true;
  clearTimeout(reach_timer);
  reach_timer = setTimeout(() => {
    reach_timer = 0;
    note_scroll();
  }, REACH_MS);
}

log.addEventListener("wheel", (event) => {
  if (event.deltaY < 0) reach_up();
}, { passive: true });
log.addEventListener("touchmove", reach_up, { passive: true });
log.addEventListener("keydown", (event) => {
  if (event.key === "PageUp" || event.key === "ArrowUp" || event.key === "Home") reach_up();
});

function note_scroll() {
  const { scrollTop, scrollHeight } = log;
  const away = distance() > BOTTOM_PX;
  // Only a hand moves up while nothing was taken away; growing rows and trimmed ones are no wish to stop.
  const by_hand = scrollTop < last_top - 1 && scrollHeight >= last_height;
  last_top = scrollTop;
  last_height = scrollHeight;
  if (scrolled_up === away || reach_timer) return;
  if (away && !by_hand) {
    to_end();
    return;
  }
  scrolled_up = away;
  if (!is_paused()) resume();
  else draw_pill();
}

log.addEventListener("scroll", note_scroll, { passive: true });

function end_hover() {
  clearTimeout(hover_timer);
  if (!hovering) return;
  hovering = false;
  if (!is_paused()) resume();
}

log.addEventListener("pointermove", (event) => {
  if (event.pointerType !== "mouse") return;
  hovering = true;
  clearTimeout(hover_timer);
  hover_timer = setTimeout(end_hover, HOVER_MS);
}, { passive: true });
log.addEventListener("pointerleave", end_hover);
pill.addEventListener("click", resume);
new ResizeObserver(() => {
  if (!scrolled_up) to_end();
}).observe(log);

// ---------------------------------------------------------------- search and platforms

function passes({ event, text }) {
  if (event.data.platform && hidden_platforms.has(event.data.platform)) return false;
  return search.passes(text);
}

function filter() {
  keeping_place(() => {
    for (const row of rows) row.element.hidden = !passes(row);
  });
  search.highlight();
}

const search = new Search({
  parts: {
    bar: $("search-bar"), field: $("search"), found: $("found"), button: $("search-button"), close: $("search-close"),
  },
  rows: () => rows,
  changed: filter,
  closed() {
    resume();
    log.focus({ preventScroll: true });
  },
});

function note_platform({ data }) {
  if (!data.platform || seen_platforms.has(data.platform)) return;
  seen_platforms.add(data.platform);
  draw_chips();
}

function draw_chips() {
  const chips = $("chips");
  chips.hidden = seen_platforms.size < 2;
  chips.replaceChildren();
  for (const platform of PLATFORMS) {
    if (!seen_platforms.has(platform)) continue;
    const chip = make("button", "chip");
    chip.type = "button";
    chip.dataset.platform = platform;
    chip.setAttribute("aria-pressed", String(!hidden_platforms.has(platform)));
    chip.append(platform_mark(platform), make("span", "", TITLES[platform]));
    chip.addEventListener("click", () => {
      if (!hidden_platforms.delete(platform)) hidden_platforms.add(platform);
      chip.setAttribute("aria-pressed", String(!hidden_platforms.has(platform)));
      filter();
    });
    chips.append(chip);
  }
}

// ---------------------------------------------------------------- a viewer's card

const card = new ViewerCard({
  panel: $("card"), renderer,
  known: (id) => [...rows.map((it) => it.event), ...held].filter((it) => it.data.author?.id === id),
  search: (name) => search.open(name),
  about: (author) => desk.about(author),
  pronouns(event) {
    if (!shows_pronouns) return "";
    pronouns.want(event);
    return pronouns.find(event.data.author.id);
  },
});

// Of the room's settings, the only one that is for this window too: it says whether anybody may be asked for.
const pronouns = new Pronouns({ page, tell: () => card.draw_pronouns() });
const wanted_by_link = parse_parameters(new URLSearchParams(location.search)).pronouns;
let shows_pronouns = wanted_by_link === true;

function note_settings(of_room) {
  shows_pronouns = wanted_by_link ?? of_room?.pronouns === true;
  if (!shows_pronouns) pronouns.forget_wanted();
  card.draw_pronouns();
}

function open_card(name) {
  const line = name.closest(".line");
  const author = rows.find((it) => it.element === line)?.event.data.author;
  if (author) card.open(author, name);
}

/** `j` and `k` go from name to name; Enter opens the card. */
function step(direction) {
  const names = [...log.querySelectorAll(".line:not([hidden]) .name")];
  const at = names.indexOf(document.activeElement);
  const next = names[at < 0 ? names.length - 1 : at + direction];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

document.addEventListener("pointerdown", (event) => {
  if (!event.target.closest("#card")) card.close();
  if (!event.target.closest("#connections, #state")) close_connections();
  if (!event.target.closest("#emoji, #emoji-button")) picker.close({ keeps_focus: true });
  if (!event.target.closest("#targets, #targets-button")) send_box.close_targets({ keeps_focus: true });
});

// ---------------------------------------------------------------- how fast chat is

const flood = new Flood(); // As overlays count it. This window shows everything all the same.
const FLOOD_WORDS = ["", "busy", "flooded", "flooded"];
let live_from = 0; // Events up to this seq were said before this window was here.
let pace_timer = 0;

function note_pace() {
  flood.arrive(Date.now());
  if (!pace_timer && flood.step(Date.now()) !== CALM) draw_pace();
}

function draw_pace() {
  pace_timer = 0;
  const step = flood.step(Date.now());
  if (root.dataset.flood !== STEPS[step]) {
    root.dataset.flood = STEPS[step];
    draw_state();
  }
  if (step !== CALM) pace_timer = setTimeout(draw_pace, PACE_MS);
}

// ---------------------------------------------------------------- connection

let connection = "connecting";
let is_shut_out = false;

function note_connection({ state, attempt, code }) {
  connection = state;
  is_shut_out = state !== "live" && (is_shut_out || code === CLOSE_ACCESS_REVOKED);
  // The very first moments are nobody's trouble.
  root.dataset.connection = state === "live" ? "live" : attempt > 0 ? "lost" : "connecting";
  draw_state();
}

function draw_state() {
  const { text: words, reasons, has_trouble } = connections.summary();
  const text =
    is_shut_out ? "No access any more"
    : root.dataset.connection === "lost" ? "Reconnecting…"
    : connection !== "live" ? "Connecting…"
    : words || ["Live", FLOOD_WORDS[STEPS.indexOf(root.dataset.flood)]].filter(Boolean).join(" · ");
  root.toggleAttribute("data-trouble", connection === "live" && has_trouble);
  if ($("state-text").textContent !== text) $("state-text").textContent = text;
  $("state").title = reasons || text;
  connections.note_own(connection === "live");
}

function note_status(status) {
  connections.note(status);
  draw_state();
}

function close_connections() {
  if (!connections.close()) return false;
  $("state").setAttribute("aria-expanded", "false");
  return true;
}

$("state").addEventListener("click", () => {
  if (close_connections()) return;
  connections.open();
  $("state").setAttribute("aria-expanded", "true");
});

// ---------------------------------------------------------------- keys and buttons

$("time-button").addEventListener("click", toggle_times);
$("theme-button").addEventListener("click", toggle_scheme);
$("help-button").addEventListener("click", show_help);

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey && event.key === "e" && send_box.available && !$("help").open) {
    event.preventDefault();
    picker.open();
    return;
  }
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || $("help").open) return;
  if (event.key === "Escape") {
    if (picker.close() || send_box.close_targets() || card.close() || close_connections()) return;
    if (queue.is_open && $("queue").contains(event.target)) {
      queue.toggle(false);
      return;
    }
    if (polls.is_open && $("polls").contains(event.target)) {
      polls.toggle(false);
      return;
    }
    if (search.is_open) search.close();
    else resume();
    return;
  }
  const name = event.target.closest?.(".name");
  if (name && (event.key === "Enter" || event.key === " ")) {
    event.preventDefault();
    open_card(name);
    return;
  }
  if (!letters.may_act(event)) return;
  const keys = {
    "/": () => search.open(), j: () => step(1), k: () => step(-1), End: resume, "?": show_help, t: toggle_times, d: toggle_scheme,
    "+": () => resize(1), "=": () => resize(1), "-": () => resize(-1), s: toggle_aloud,
    ...(queue.available && {
      f: () => acts.act_here("feature"), q: () => acts.act_here("queue"), w: () => queue.toggle(),
      n: () => queue.feature_next(), x: () => queue.clear(),
    }),
    ...(polls.available && { p: () => polls.toggle() }),
    ...(send_box.available && { c: () => send_box.focus(), r: () => acts.act_here("reply") }),
  };
  if (!Object.hasOwn(keys, event.key)) return;
  event.preventDefault();
  keys[event.key]();
});

// ---------------------------------------------------------------- start

$("room").textContent = page.room;
lead($("replay-link"), `/replay/${encodeURIComponent(page.room)}${page.key ? `?key=${encodeURIComponent(page.key)}` : ""}`);

leave_when_revoked(new Feed({ room: page.room, key: page.key, backlog: 200 }))
  .on("status", note_connection)
  .on("reset", () => {
    moderation.forget_purges();
    pronouns.forget_wanted();
    rows = [];
    held = [];
    incoming = [];
    unseen = 0;
    log.replaceChildren();
    card.close();
    send_box.drop(() => true); // Whether it was deleted meanwhile, nothing tells any more.
    resume();
  })
  .on("hello", (hello) => {
    live_from = hello.seq ?? 0;
    note_settings(hello.settings);
    queue.greet(hello);
    polls.greet(hello);
    connections.begin(hello.status ?? []);
    draw_state();
  })
  .on("event", take)
  .start();

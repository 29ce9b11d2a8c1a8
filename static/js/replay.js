// The replay page: a stage like the overlay's, what drives it, and the list of recorded streams.

import { copy } from "./copy.js";
import { lead, open_address, take_page, without_key } from "./keyed.js";
import { memory_of } from "./memory.js";
import { RATES } from "./player.js";
import { make_recording, parse_beginning } from "./recording.js";
import { make, mark } from "./rooms.js";

const SCENE_PX = 1920; // As wide as the scene in OBS is taken to be.
const SCALE_LEAST = 0.6; // Below this nobody can read the chat: a small window shows a smaller scene instead.
const PORTRAIT_MOST = 1.5; // The stage's height by its width, in a narrow window.
const BAR_PX = 4;
const SKIP_LEAST_MS = 8000; // A shorter wait is not worth a button that comes and goes.
const BACKDROPS = ["dark", "light", "clear"];
const LIST_MOST = 50;
const LIST_EVERY_MS = 20_000;
const LIVE_BEHIND_MS = 3000; // "The end" of a stream that still runs leaves this much to play.

const page = take_page();
const $ = (id) => document.getElementById(id);
const root = document.documentElement;
const memory = memory_of("replay");
const narrow = matchMedia("(max-width: 900px)");

let parameters = new URLSearchParams(location.search);
const player = make_recording(page, parameters);
const { archive } = player;
let wanted = page.session ?? "latest"; // The session that the address asks for.

// ---------------------------------------------------------------- words for times

const lang = parameters.get("lang") || undefined;
const formats = (options) => {
  try {
    return new Intl.DateTimeFormat(lang, options);
  } catch {
    return new Intl.DateTimeFormat(undefined, options);
  }
};
const long_date = formats({ weekday: "long", day: "numeric", month: "long" });
const short_date = formats({ weekday: "short", day: "numeric", month: "short", year: "numeric" });
const clock_time = formats({ hour: "2-digit", minute: "2-digit" });
const exact_time = formats({ weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit" });

/** `1:02:03`, or `2:03` when there are no hours. */
function counted(ms) {
  const seconds = Math.floor(ms / 1000);
  const two = (it) => String(it).padStart(2, "0");
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** `2 h 5 min`. */
function lasting(ms) {
  const minutes = Math.round(ms / 60_000);
  if (minutes < 1) return `${Math.round(ms / 1000)} s`;
  return [minutes >= 60 ? `${Math.floor(minutes / 60)} h` : "", minutes % 60 || minutes < 60 ? `${minutes % 60} min` : ""].filter(Boolean).join(" ");
}

function name_of(session) {
  return session.title || long_date.format(new Date(session.started_at));
}

const messages = (count) => `${count.toLocaleString(lang)} ${count === 1 ? "message" : "messages"}`;

// ---------------------------------------------------------------- the stage

function fit() {
  const most_height = $("viewer").clientHeight - $("transport").offsetHeight;
  let width = $("space").clientWidth;
  let height = (width * 9) / 16;
  if (height > most_height) [width, height] = [(most_height * 16) / 9, most_height];
  else if (narrow.matches) height = Math.min(most_height, width * PORTRAIT_MOST);
  const scale = Math.max(SCALE_LEAST, width / SCENE_PX);
  Object.assign($("frame").style, { width: `${width}px`, height: `${height}px` });
  $("transport").style.setProperty("--frame", `${width}px`);
  Object.assign($("scene").style, { width: `${width / scale}px`, height: `${height / scale}px`, transform: `scale(${scale})` });
}

function choose_backdrop(name) {
  root.dataset.backdrop = name;
  for (const swatch of $("backdrops").children) {
    const chosen = swatch.dataset.backdrop === name;
    swatch.setAttribute("aria-checked", String(chosen));
    swatch.tabIndex = chosen ? 0 : -1;
  }
}

$("backdrops").addEventListener("click", ({ target }) => {
  const name = target.dataset?.backdrop;
  if (!name) return;
  choose_backdrop(name);
  memory.write("backdrop", name);
});
$("backdrops").addEventListener("keydown", (event) => {
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const at = BACKDROPS.indexOf(root.dataset.backdrop);
  const next = $("backdrops").children[(at + step + BACKDROPS.length) % BACKDROPS.length];
  next.click();
  next.focus();
});

// ---------------------------------------------------------------- what is shown of the player

let frame = 0;

function schedule() {
  frame ||= requestAnimationFrame(draw);
}

function set_text(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function draw() {
  frame = 0;
  const { session } = player;
  const { phase, is_playing } = player.state;
  root.dataset.phase = phase;
  root.toggleAttribute("data-playing", is_playing);
  $("play").setAttribute("aria-label", is_playing ? "Pause" : "Play");
  draw_notes();
  $("transport").inert = !session;
  if (!session) return;
  const position = player.position_ms;
  const duration = player.duration_ms;
  $("seek").style.setProperty("--at", String(duration ? position / duration : 0));
  set_text($("elapsed"), counted(position));
  set_text($("total"), counted(duration));
  const moment = exact_time.format(new Date(Date.parse(session.started_at) + position));
  set_text($("wall"), moment);
  const seek = $("seek");
  const words = `${counted(position)} of ${counted(duration)}`;
  if (seek.getAttribute("aria-valuetext") !== words) {
    seek.setAttribute("aria-valuemax", String(Math.round(duration / 1000)));
    seek.setAttribute("aria-valuenow", String(Math.round(position / 1000)));
    seek.setAttribute("aria-valuetext", words);
  }
  const silence = is_playing ? player.silence_ms / player.rate : 0;
  $("skip").hidden = silence < SKIP_LEAST_MS;
  if (silence) set_text($("skip-text"), `Skip the silence, ${counted(player.silence_ms)}`);
}

const BLANKS = {
  empty: ["Nothing recorded yet", "As soon as something is said in this room, it can be watched again here. This page notices by itself."],
  unrecorded: ["Not recorded", "The streams of this room are not recorded. What was recorded before comes back when recording is switched on again."],
  missing: ["This stream is not here", "It may have been deleted meanwhile. Choose another one from the list."],
};
const NOTES = { loading: "Loading…", buffering: "Loading…", waiting: "You are at the live end" };

function draw_notes() {
  const { phase, trouble } = player.state;
  const blank = BLANKS[page.recorded === false && BLANKS[phase] ? "unrecorded" : phase];
  $("blank").hidden = !blank;
  if (blank) {
    set_text($("blank-title"), blank[0]);
    set_text($("blank-text"), blank[1]);
  }
  const text = trouble ? words_for(trouble) : NOTES[phase] ?? "";
  $("note").hidden = !text;
  $("note").toggleAttribute("data-trouble", Boolean(trouble));
  set_text($("note"), text);
  $("start").hidden = !(phase === "paused" && player.position_ms === 0) && phase !== "ended";
}

function words_for({ status }) {
  if (status === 401 || status === 403) return "This link's key is not valid any more. Still trying…";
  if (status === 0) return "The server does not answer. Trying again…";
  return `The server has trouble (${status}). Trying again…`;
}

function draw_session() {
  const { session } = player;
  document.title = `${name_of(session)} · ${page.display_name || page.room}`;
  set_text($("stream"), name_of(session));
  const began = new Date(session.started_at);
  const facts = [
    `${short_date.format(began)}, ${clock_time.format(began)}`, lasting(session.duration_ms), messages(session.messages),
    session.truncated ? "its beginning was deleted" : "", session.imported ? "imported" : "",
  ].filter(Boolean).join(" · ");
  const marks = make("span", "marks", ...session.platforms.map(mark));
  $("facts").replaceChildren(...(session.state === "open" ? [live_button] : []), make("span", "facts-text", facts), marks);
  lead($("download"), archive.download_url(session.session_id), { saved: true });
  draw_wave();
  schedule();
}

function tag() {
  return make("span", "live-tag", "live now");
}

const live_button = make("button", "live-tag", "live now");
live_button.type = "button";
live_button.title = "To the live end ( End )";
live_button.addEventListener("click", () => {
  go_to_end();
  player.play();
});

/** How much was said when: one bar every few pixels. */
function draw_wave() {
  const { clientWidth: width, clientHeight: height } = $("seek");
  if (!player.session || !width) return;
  const bars = Math.max(1, Math.floor(width / BAR_PX));
  const { counts = [], bucket_ms = 1000 } = player.session.histogram ?? {};
  const span = player.duration_ms || bucket_ms;
  const heights = Array.from({ length: bars }, (_, bar) => {
    const from = (bar / bars) * span / bucket_ms;
    const to = ((bar + 1) / bars) * span / bucket_ms;
    let most = 0;
    for (let at = Math.floor(from); at < Math.max(to, from + 1e-9); at += 1) most = Math.max(most, counts[at] ?? 0);
    return most;
  });
  const highest = Math.max(1, ...heights);
  // By the root: a quiet hour must still be seen beside the one moment when everybody shouted.
  const path = heights.map((it, bar) => {
    const half = Math.max(0.01, Math.sqrt(it / highest) * (height / 2 - 4));
    const x = ((bar + 0.5) * width) / bars;
    return `M${x.toFixed(1)} ${(height / 2 - half).toFixed(1)}V${(height / 2 + half).toFixed(1)}`;
  }).join("");
  for (const id of ["wave", "wave-played"]) $(id).setAttribute("d", path);
}

// ---------------------------------------------------------------- seeking

let scrubbed_to = null;
let scrubbing = false;
let plays_on = false; // After the hand lets go.

/** One seek after another, the newest wish next: a hand is faster than any archive. */
async function scrub(ms) {
  scrubbed_to = ms;
  if (scrubbing) return;
  scrubbing = true;
  while (scrubbed_to !== null) {
    const at = scrubbed_to;
    scrubbed_to = null;
    await player.seek(at);
  }
  scrubbing = false;
}

function time_at({ clientX }) {
  const box = $("seek").getBoundingClientRect();
  return Math.min(1, Math.max(0, (clientX - box.left) / box.width)) * player.duration_ms;
}

$("seek").addEventListener("pointerdown", (event) => {
  if (event.button !== 0 || !player.session) return;
  $("seek").setPointerCapture(event.pointerId);
  plays_on = player.is_playing;
  player.pause();
  scrub(time_at(event));
});
$("seek").addEventListener("pointermove", (event) => {
  show_preview(event);
  if ($("seek").hasPointerCapture(event.pointerId)) scrub(time_at(event));
});
$("seek").addEventListener("lostpointercapture", () => {
  if (plays_on) player.play();
});
$("seek").addEventListener("pointerleave", () => ($("preview").hidden = true));

function show_preview(event) {
  const { session } = player;
  if (!session) return;
  const ms = time_at(event);
  const { bucket_ms = 60_000, counts = [] } = session.histogram ?? {};
  const said = counts[Math.floor(ms / bucket_ms)] ?? 0;
  const a_minute = Math.round((said * 60_000) / bucket_ms);
  const preview = $("preview");
  preview.replaceChildren(
    make("strong", "", counted(ms)), make("span", "", clock_time.format(new Date(Date.parse(session.started_at) + ms))),
    make("span", "", `${a_minute.toLocaleString(lang)} a minute`));
  preview.hidden = false;
  const box = $("seek").getBoundingClientRect();
  const half = preview.offsetWidth / 2;
  const x = Math.min(box.width, Math.max(0, event.clientX - box.left));
  $("seek").style.setProperty("--hover", `${x}px`);
  preview.style.setProperty("--x", `${Math.min(box.width - half, Math.max(half, x))}px`);
}

const go_by = (ms) => scrub((scrubbed_to ?? player.position_ms) + ms);

function go_to_end() {
  scrub(player.duration_ms - (player.is_open ? LIVE_BEHIND_MS : 0));
}

// ---------------------------------------------------------------- speed

function draw_rates() {
  const rates = [...new Set([...RATES, player.rate])].sort((a, b) => a - b);
  if ($("rate").childElementCount !== rates.length) {
    $("rate").replaceChildren(...rates.map((it) => {
      const option = make("option", "", `${it}×`);
      option.value = String(it);
      return option;
    }));
  }
  $("rate").value = String(player.rate);
}

function change_rate(step) {
  const next = step > 0 ? RATES.find((it) => it > player.rate) : RATES.findLast((it) => it < player.rate);
  if (next) player.rate = next;
}

$("rate").addEventListener("change", () => {
  player.rate = Number($("rate").value);
});

// ---------------------------------------------------------------- links

function address_of(session_id, seconds = null) {
  const url = new URL(`/replay/${encodeURIComponent(page.room)}/${encodeURIComponent(session_id)}`, location.href);
  for (const [name, value] of parameters) if (name !== "t" && name !== "paused" && name !== "speed") url.searchParams.append(name, value);
  if (seconds !== null) url.searchParams.set("t", String(seconds));
  return url.href;
}

let copied_timer = 0;
$("copy").addEventListener("click", async () => {
  if (!player.session) return;
  const done = await copy(address_of(player.session.session_id, Math.floor(player.position_ms / 1000)));
  const words = !done ? "Not allowed here" : page.key ? "Copied, with its key ✓" : "Copied ✓";
  $("copy").lastElementChild.textContent = words;
  clearTimeout(copied_timer);
  copied_timer = setTimeout(() => ($("copy").lastElementChild.textContent = "Copy link"), 2500);
});

// ---------------------------------------------------------------- the list of streams

let sessions = [];
let is_whole = false; // The list reaches back to the first one.
let listed = "";
let listing = false;

async function list_sessions() {
  if (listing) return; // It is asked until it is answered.
  listing = true;
  const answer = await archive.sessions({ limit: LIST_MOST });
  listing = false;
  const newest = answer?.sessions ?? [];
  const oldest = newest.at(-1);
  const older = oldest ? sessions.filter((it) => it.started_at < oldest.started_at) : [];
  if (!older.length) is_whole = newest.length < LIST_MOST;
  sessions = [...newest, ...older];
  draw_sessions();
}

$("more").addEventListener("click", async () => {
  const answer = await archive.sessions({ limit: LIST_MOST, before: sessions.at(-1)?.session_id });
  const older = answer?.sessions ?? [];
  is_whole = older.length < LIST_MOST;
  sessions = [...sessions, ...older];
  draw_sessions();
});

function draw_sessions() {
  const shown = player.session?.session_id;
  const text = JSON.stringify([shown, is_whole, sessions]);
  if (text === listed) return; // What is under the pointer is not swapped for its like.
  listed = text;
  $("no-sessions").hidden = sessions.length > 0;
  $("more").hidden = is_whole || !sessions.length;
  const focused = document.activeElement?.dataset?.session;
  $("sessions").replaceChildren(...sessions.map((session) => {
    const began = new Date(session.started_at);
    const link = make("a", "stream",
      make("span", "stream-name", make("bdi", "", name_of(session)), ...(session.state === "open" ? [tag()] : [])),
      make("span", "stream-facts", `${session.title ? `${short_date.format(began)}, ` : ""}${clock_time.format(began)} · ${lasting(session.duration_ms)}`),
      make("span", "stream-facts", messages(session.messages), make("span", "marks", ...session.platforms.map(mark))));
    link.href = without_key(address_of(session.session_id));
    link.dataset.session = session.session_id;
    if (session.session_id === shown) link.setAttribute("aria-current", "true");
    return make("li", "", link);
  }));
  if (focused) $("sessions").querySelector(`[data-session="${CSS.escape(focused)}"]`)?.focus();
}

$("sessions").addEventListener("click", (event) => {
  const link = event.target.closest("a");
  if (!link) return;
  const address = address_of(link.dataset.session);
  if (event.ctrlKey || event.metaKey || event.shiftKey) {
    if (!page.key) return;
    event.preventDefault(); // The link has no key, and leads nowhere.
    open_address(address);
    return;
  }
  event.preventDefault();
  history.pushState(null, "", address);
  if (narrow.matches) show_panel(false);
  open_session(link.dataset.session, { play: true });
});

$("sessions").addEventListener("auxclick", (event) => {
  const link = event.target.closest("a");
  if (!link || event.button !== 1 || !page.key) return;
  event.preventDefault();
  open_address(address_of(link.dataset.session));
});

addEventListener("popstate", () => {
  parameters = new URLSearchParams(location.search);
  const id = location.pathname.split("/")[3];
  open_session(id ? decodeURIComponent(id) : "latest", parse_beginning(parameters));
});

function open_session(id, beginning) {
  wanted = id;
  $("stream").textContent = "";
  $("facts").replaceChildren();
  player.open(id, beginning);
}

function show_panel(open) {
  root.toggleAttribute("data-panel", open);
  $("panel-button").setAttribute("aria-expanded", String(open));
  $("panel").inert = !open;
  if (open && narrow.matches) $("panel-close").focus();
}

$("panel-button").addEventListener("click", () => {
  const open = !root.hasAttribute("data-panel");
  show_panel(open);
  if (!narrow.matches) memory.write("panel", open ? "1" : "0");
});
$("panel-close").addEventListener("click", () => {
  show_panel(false);
  $("panel-button").focus();
});
document.addEventListener("pointerdown", ({ target }) => {
  if (narrow.matches && !target.closest("#panel, #panel-button")) show_panel(false);
});
const panel_as_wanted = () => show_panel(!narrow.matches && memory.read("panel") !== "0");
narrow.addEventListener("change", panel_as_wanted);

// ---------------------------------------------------------------- keys and buttons

$("play").addEventListener("click", () => player.toggle());
$("start").addEventListener("click", () => player.play());
$("scene").addEventListener("click", () => player.session && player.toggle());
$("back").addEventListener("click", () => player.step(-1));
$("forth").addEventListener("click", () => player.step(1));
$("skip").addEventListener("click", () => player.skip_silence());
$("help-button").addEventListener("click", () => $("help").showModal());

const KEYS = {
  " ": () => player.toggle(), k: () => player.toggle(),
  ArrowLeft: (event) => go_by(event.shiftKey ? -30_000 : -5000), ArrowRight: (event) => go_by(event.shiftKey ? 30_000 : 5000),
  ",": () => player.step(-1), ".": () => player.step(1), "<": () => change_rate(-1), ">": () => change_rate(1),
  Home: () => scrub(0), End: go_to_end, n: () => player.skip_silence(), "?": () => $("help").showModal(),
};

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || $("help").open) return;
  if (event.key === "Escape" && narrow.matches && root.hasAttribute("data-panel")) {
    $("panel-close").click();
    return;
  }
  if (event.target.closest?.("input, textarea, select")) return;
  // A button that has the focus is what the space bar presses.
  if (event.key === " " && event.target.closest?.("button, a")) return;
  const act = /^[0-9]$/.test(event.key) ? () => scrub((player.duration_ms * Number(event.key)) / 10) : KEYS[event.key];
  if (!act) return;
  event.preventDefault();
  act(event);
});

// ---------------------------------------------------------------- start

player.on("tick", schedule).on("session", draw_session).on("session", draw_sessions).on("state", () => {
  draw_rates();
  schedule();
});

set_text($("room"), page.display_name || page.room);
choose_backdrop(BACKDROPS.includes(memory.read("backdrop")) ? memory.read("backdrop") : "dark");
panel_as_wanted();
draw_rates();
fit();
const resizes = new ResizeObserver(() => {
  fit();
  draw_wave();
  schedule();
});
resizes.observe($("viewer"));
resizes.observe($("transport"));

open_session(wanted, parse_beginning(parameters));
list_sessions();
setInterval(() => {
  if (!document.hidden) list_sessions();
}, LIST_EVERY_MS);

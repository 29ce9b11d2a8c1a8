// The dashboard: how a room looks, tried on invented chat before it is saved. What is changed here is a sparse
// draft above what is stored; null in it gives a setting back to what lies below.

import { ask, reason_of } from "./ask.js";
import { show_boards } from "./boards/dashboard.js";
import { copy } from "./copy.js";
import { show_parts } from "./dashboard_parts.js";
import { draft_after } from "./draft.js";
import { show_keys } from "./keys.js";
import { show_moderators } from "./moderators.js";
import { show_channels } from "./room_channels.js";
import { make } from "./rooms.js";
import { masked } from "./room_links.js";
import { show_automation } from "./triggers/automation.js";

const CHECK_MS = 250;
const UNDO_MOST = 100;

const page = JSON.parse(document.getElementById("page").textContent);
const $ = (id) => document.getElementById(id);
const controls = $("controls");
const this_room = page.rooms.find((it) => it.room === page.room) ?? { room: page.room };
let overlay_url = this_room.overlay_url ?? `/overlay/${page.room}`;
const api = (path, query = "") => `${path}?room=${encodeURIComponent(page.room)}${query}`;

let look = page.look;
let seen = page.etag; // Of the stored layer that the draft lies on: no other is changed by saving it.
let themes = page.themes;
let draft = {};
let earlier = []; // Drafts to go back to.
let checking = 0; // Number of the newest draft; an answer about an older one is nobody's news.
let theme_checking = 0; // The same of the CSS of a theme.
let check_timer = 0;
let is_saving = false;
let sound_css = look.settings.custom_css; // The newest custom CSS without a fault: what the preview wears.
let part = "look"; // Which of the page's parts is seen.
let edited = null; // {name, title, css, kept}: a theme of the room's own in the editor; null is the custom CSS.

// ---------------------------------------------------------------- what is in force, tried

function value_of(name) {
  if (!Object.hasOwn(draft, name)) return look.settings[name];
  return draft[name] === null ? look.below[name] : draft[name];
}

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

function tried() {
  const settings = { ...look.settings };
  for (const name of Object.keys(draft)) settings[name] = value_of(name);
  settings.custom_css = sound_css;
  return settings;
}

function set(name, value, { merge = false } = {}) {
  const next = { ...draft };
  const is_stored = look.layers[name] === "stored";
  if (value !== null && same(value, look.settings[name])) delete next[name];
  else if (value === null && !is_stored) delete next[name];
  else next[name] = value;
  if (same(next, draft)) return;
  // Letters that follow each other in one field are one step back.
  if (!merge || earlier.at(-1)?.name !== name) earlier.push({ name, draft });
  if (earlier.length > UNDO_MOST) earlier.shift();
  take(next);
}

function take(next) {
  draft = next;
  if (!Object.hasOwn(draft, "custom_css")) sound_css = look.settings.custom_css;
  say(""); // What was said was of the draft before.
  draw();
  preview();
  checking += 1;
  clearTimeout(check_timer);
  check_timer = setTimeout(check, CHECK_MS);
}

// ---------------------------------------------------------------- the server

async function check() {
  const number = checking;
  if (!Object.keys(draft).length) {
    show_faults([]);
    return;
  }
  const answer = await ask("PUT", api("/api/settings", "&check"), draft);
  if (number !== checking) return;
  const faults = answer.ok ? [] : (answer.body.errors ?? []);
  show_faults(faults);
  if (!answer.ok && !faults.length) {
    say(reason_of(answer), true); // The CSS was not looked at: the preview goes on wearing the one before.
    return;
  }
  if (!faults.some((it) => it.pointer === "/custom_css")) {
    sound_css = value_of("custom_css");
    preview();
  }
}

async function save() {
  if ($("save").disabled) return;
  clearTimeout(check_timer);
  checking += 1;
  // Until it is back there is no other: that one would find its own setting "changed elsewhere".
  is_saving = true;
  $("save").disabled = true;
  let trouble;
  try {
    // A theme first: the settings may be about to wear it.
    trouble = (is_theme_changed() && (await save_theme())) || (Object.keys(draft).length > 0 && (await save_settings()));
  } finally {
    is_saving = false;
    draw();
    // What is still a draft is looked at again: the save took the place of the check.
    clearTimeout(check_timer);
    if (Object.keys(draft).length) check_timer = setTimeout(check, CHECK_MS);
  }
  if (trouble) say(trouble, true);
  else say(is_changed() ? "Saved, without what you changed meanwhile: save again." : "Saved: open overlays have it.");
}

const is_theme_changed = () => edited !== null && edited.css !== edited.kept;
const is_changed = () => is_theme_changed() || Object.keys(draft).length > 0;

/** What kept it from being saved, if anything did. */
async function save_settings() {
  const sent = draft;
  const steps = new Set(earlier);
  const answer = await ask("PUT", api("/api/settings"), sent, { "if-match": seen });
  if (answer.status === 412) {
    await read_again({ is_told: true });
    return "Changed elsewhere, as you see now. Save again to keep yours.";
  }
  const { ok, body, etag } = answer;
  if (!ok) {
    show_faults(body.errors ?? []);
    return body.errors?.length ? "Not saved: something is not right yet." : reason_of(answer);
  }
  const before = look;
  look = body;
  seen = etag;
  draft = draft_after(draft, sent, before);
  // One step back goes no further than what was sent.
  earlier = earlier.filter((it) => !steps.has(it)).map((it) => ({ ...it, draft: draft_after(it.draft, sent, before) }));
  if (!Object.keys(draft).length) {
    sound_css = look.settings.custom_css;
    show_faults([]);
  } else if (!Object.hasOwn(draft, "custom_css")) {
    sound_css = look.settings.custom_css;
  }
  preview();
  return null;
}

/** The same of the theme in the editor. */
async function save_theme() {
  const theme = edited; // Another may be in the editor when the answer is there.
  const path = api(`/api/themes/${theme.name}`);
  const there = await ask("GET", path);
  if (there.ok && there.body.css !== theme.kept) {
    theme.kept = there.body.css;
    return "The theme was changed elsewhere. Save again to put yours in its place.";
  }
  const { css } = theme;
  const answer = await ask("PUT", path, { css });
  if (!answer.ok) {
    if (edited === theme) show_css_faults(answer.body.errors ?? []);
    return answer.body.errors?.length ? "Not saved: the CSS is not right yet." : reason_of(answer);
  }
  theme.kept = css;
  if (edited === theme && theme.css === css) show_css_faults([]);
  await read_again();
  return null;
}

/** What is there now. A draft goes on lying on what was seen, unless it is told that this is something else. */
async function read_again({ is_told = false } = {}) {
  const [settings, listed] = await Promise.all([ask("GET", api("/api/settings")), ask("GET", api("/api/themes"))]);
  if (settings.ok) {
    look = settings.body;
    if (!Object.hasOwn(draft, "custom_css")) sound_css = look.settings.custom_css;
    if (is_told || !Object.keys(draft).length) seen = settings.etag;
  }
  if (listed.ok) themes = listed.body.themes;
  draw_themes();
  draw();
  preview();
}

// ---------------------------------------------------------------- what is wrong

function say(words, is_bad = false) {
  $("state").textContent = words;
  $("state").classList.toggle("bad", is_bad);
}

function show_faults(faults) {
  for (const row of controls.querySelectorAll("[data-row].wrong")) {
    row.classList.remove("wrong");
    row.querySelector(".fault")?.remove();
  }
  controls.querySelector('[data-fault="theme"]').textContent = "";
  for (const { pointer, detail } of faults) {
    const name = pointer.split("/")[1];
    if (name === "theme") controls.querySelector('[data-fault="theme"]').textContent = detail;
    const row = controls.querySelector(`[data-row="${CSS.escape(name)}"]`);
    if (!row || row.classList.contains("wrong")) continue;
    row.classList.add("wrong");
    row.append(make("span", "fault", detail));
  }
  if (!edited) show_css_faults(faults.filter((it) => it.pointer === "/custom_css"));
}

function show_css_faults(faults) {
  $("css-faults").replaceChildren(...faults.map(({ line, column, detail }) => {
    const button = make("button", "css-fault", make("b", "", line ? `Line ${line}, column ${column}` : "CSS"), ` ${detail}`);
    button.type = "button";
    button.addEventListener("click", () => go_to(line, column));
    return make("li", "", button);
  }));
  const lines = new Set(faults.map((it) => it.line));
  draw_gutter(lines);
  $("css").setAttribute("aria-invalid", String(faults.length > 0));
}

function go_to(line = 1, column = 1) {
  const before = $("css").value.split("\n").slice(0, line - 1).reduce((sum, it) => sum + it.length + 1, 0);
  $("css").focus();
  $("css").setSelectionRange(before + column - 1, before + column);
}

function draw_gutter(wrong = new Set()) {
  const count = $("css").value.split("\n").length;
  $("gutter").replaceChildren(...Array.from({ length: count }, (_, at) =>
    make("span", wrong.has(at + 1) ? "wrong" : "", `${at + 1}\n`)));
  $("gutter").scrollTop = $("css").scrollTop;
}

// ---------------------------------------------------------------- drawing

function is_set(name) {
  return Object.hasOwn(draft, name) ? draft[name] !== null : look.layers[name] === "stored";
}

function draw() {
  for (const field of controls.querySelectorAll("[data-setting]")) {
    const value = value_of(field.dataset.setting);
    if (field.type === "checkbox") field.checked = value;
    else if (field !== document.activeElement || field.type === "range") {
      field.value = Array.isArray(value) ? value.join("\n") : String(value);
    }
    if (field.type === "range") {
      const number = Math.round(value * 100) / 100;
      const words = number === 0 && field.dataset.zero ? field.dataset.zero : `${number}${field.dataset.unit}`;
      field.nextElementSibling.textContent = words;
      field.setAttribute("aria-valuetext", words);
    }
  }
  for (const group of controls.querySelectorAll("[data-choice]")) {
    for (const it of group.querySelectorAll("input")) it.checked = it.value === value_of(group.dataset.choice);
  }
  for (const group of controls.querySelectorAll("[data-several]")) {
    const chosen = value_of(group.dataset.several);
    offer_too(group, chosen);
    for (const it of group.querySelectorAll("input")) it.checked = chosen.includes(it.value);
  }
  for (const row of controls.querySelectorAll("[data-row]")) row.classList.toggle("set", is_set(row.dataset.row));
  for (const it of $("themes").querySelectorAll("input")) it.checked = it.value === value_of("theme");
  draw_editor();
  const changes = is_changed();
  $("save").disabled = is_saving || !changes;
  $("discard").disabled = !changes;
  $("undo").disabled = earlier.length === 0;
  $("reset").hidden = !Object.keys(look.stored).length;
  // Why something was refused stays to be read until it is mended.
  if (changes && !$("state").classList.contains("bad")) say("Not saved yet");
  else if ($("state").textContent === "Not saved yet") say("");
}

/** What is chosen and not offered here is offered too: else the next choice in the group would take it away unseen. */
function offer_too(group, chosen) {
  const offered = new Set(Array.from(group.querySelectorAll("input"), (it) => it.value));
  for (const value of chosen) {
    if (offered.has(value)) continue;
    const input = make("input", "");
    Object.assign(input, { type: "checkbox", value });
    group.append(make("label", "", input, make("span", "", value)));
  }
}

function draw_editor() {
  const css = edited ? edited.css : value_of("custom_css");
  if ($("css").value !== css) {
    $("css").value = css;
    draw_gutter();
  }
  const own = themes.filter((it) => it.origin === "own");
  $("css-target").replaceChildren(new Option("On top of the theme", ""), ...own.map((it) => new Option(`Theme “${it.title}”`, it.name)));
  $("css-target").value = edited?.name ?? "";
  $("theme-delete").hidden = !edited;
}

function frame_url(parameters) {
  const { pathname, search } = new URL(overlay_url, location.href);
  const query = new URLSearchParams(search);
  for (const [name, value] of Object.entries(parameters)) query.set(name, value);
  return `${pathname}?${query}`;
}

function draw_themes() {
  $("themes").replaceChildren(...themes.map((theme) => {
    const input = make("input", "");
    Object.assign(input, { type: "radio", name: "theme", value: theme.name });
    input.addEventListener("change", () => set("theme", theme.name));
    const frame = make("iframe", "");
    frame.dataset.still = "yes";
    frame.loading = "lazy";
    frame.tabIndex = -1;
    frame.setAttribute("aria-hidden", "true");
    frame.src = frame_url({ demo: "", theme: theme.name, max: "3", fade: "0", focus: "0", animate: "none", scale: "1", size: "0", align: "left", direction: "up" });
    const picture = make("span", "picture", frame);
    picture.dataset.surface = theme.surface;
    const title = make("bdi", "theme-title", theme.title);
    const card = make("label", "theme", input, picture, title);
    if (theme.origin === "own") card.append(make("span", "tag", "yours"));
    if (theme.description) card.title = theme.description;
    return card;
  }));
}

function preview() {
  $("frame").contentWindow?.postMessage({ type: "preview", settings: tried() }, location.origin);
}

// ---------------------------------------------------------------- hands

function read(field) {
  if (field.type === "checkbox") return field.checked;
  if (field.type === "range") return Number(field.value);
  // What is no number yet is for the server to name.
  if (field.type === "number") return field.value === "" ? null : Number(field.value);
  if (field.tagName === "TEXTAREA") return field.value.split("\n").map((it) => it.trim()).filter(Boolean);
  return field.value;
}

for (const field of controls.querySelectorAll("[data-setting]")) {
  field.addEventListener("input", () => set(field.dataset.setting, read(field), { merge: field.type !== "checkbox" }));
  field.addEventListener("blur", draw);
}
for (const group of controls.querySelectorAll("[data-choice]")) {
  group.addEventListener("change", ({ target }) => set(group.dataset.choice, target.value));
}
for (const group of controls.querySelectorAll("[data-several]")) {
  group.addEventListener("change", () =>
    set(group.dataset.several, [...group.querySelectorAll("input:checked")].map((it) => it.value)));
}
for (const row of controls.querySelectorAll("[data-row]")) {
  const name = row.dataset.row;
  const back = make("button", "back", "↺");
  back.type = "button";
  back.title = "Back to what it was before you set it here";
  back.setAttribute("aria-label", `Reset ${name.replaceAll("_", " ")}`);
  back.addEventListener("click", (event) => {
    event.preventDefault();
    set(name, null);
  });
  row.append(back);
}

let css_timer = 0;
$("css").addEventListener("input", () => {
  draw_gutter();
  if (!edited) {
    set("custom_css", $("css").value, { merge: true });
    return;
  }
  edited.css = $("css").value;
  say("");
  draw();
  clearTimeout(css_timer);
  theme_checking += 1;
  const number = theme_checking;
  const theme = edited;
  // A theme's CSS is looked at as custom CSS is; nothing is changed by that.
  css_timer = setTimeout(async () => {
    if (edited !== theme) return;
    const answer = await ask("PUT", api("/api/settings", "&check"), { custom_css: theme.css });
    if (edited !== theme || number !== theme_checking) return;
    const faults = answer.ok ? [] : (answer.body.errors ?? []);
    show_css_faults(faults.filter((it) => it.line));
    if (!answer.ok && !faults.length) say(reason_of(answer), true);
  }, CHECK_MS);
});
$("css").addEventListener("scroll", () => ($("gutter").scrollTop = $("css").scrollTop));
$("css-target").addEventListener("change", async ({ target }) => {
  const name = target.value;
  if (is_theme_changed() && !confirm("Leave the theme without saving its CSS?")) {
    draw();
    return;
  }
  edited = null;
  if (name) {
    const answer = await ask("GET", api(`/api/themes/${name}`));
    const { ok, body } = answer;
    if (ok) edited = { name, title: body.title, css: body.css, kept: body.css };
    else say(reason_of(answer), true);
  }
  show_css_faults([]);
  draw();
});
$("theme-add").addEventListener("click", async () => {
  const title = $("theme-title").value.trim();
  if (!title) {
    say("Give the theme a name first.", true);
    $("theme-title").focus();
    return;
  }
  const css = $("css").value;
  const target = edited;
  const answer = await ask("POST", api("/api/themes"), { title, css });
  const { ok, body } = answer;
  if (!ok) {
    if (body.errors) show_css_faults(body.errors);
    say(body.errors?.length ? "The CSS is not right yet." : reason_of(answer), true);
    return;
  }
  $("theme-title").value = "";
  // It is the theme's now; on top of it, too, it would be there twice.
  if (!edited) {
    const { custom_css: _, ...rest } = draft;
    draft = rest;
    sound_css = look.settings.custom_css;
  }
  // What was typed while it was made is a change of it.
  edited = { name: body.name, title: body.title, css: edited === target ? $("css").value : css, kept: css };
  await read_again();
  say(`“${body.title}” is among the themes.`);
});
$("theme-delete").addEventListener("click", async () => {
  if (!edited || !confirm(`Delete the theme “${edited.title}”?`)) return;
  const answer = await ask("DELETE", api(`/api/themes/${edited.name}`));
  if (!answer.ok) {
    say(reason_of(answer), true);
    return;
  }
  edited = null;
  await read_again();
  say("Deleted.");
});

function undo() {
  const step = earlier.pop();
  if (step) take(step.draft);
}

$("undo").addEventListener("click", undo);
$("discard").addEventListener("click", () => {
  if (edited) {
    clearTimeout(css_timer);
    theme_checking += 1;
    edited.css = edited.kept;
    show_css_faults([]);
  }
  earlier.push({ name: "", draft });
  take({});
});
$("reset").addEventListener("click", () => {
  earlier.push({ name: "", draft });
  take(Object.fromEntries(Object.keys(look.stored).map((name) => [name, null])));
});
$("save").addEventListener("click", save);
controls.addEventListener("submit", (event) => {
  event.preventDefault();
  save();
});
addEventListener("keydown", (event) => {
  if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
  const key = event.key.toLowerCase();
  const in_text = event.target.matches?.("textarea, input:not([type=range], [type=checkbox], [type=radio])");
  if (key === "s" && part !== "polls") {
    event.preventDefault();
    if (part === "look") save();
    else automation.save();
  } else if (key === "z" && part === "look" && !event.shiftKey && !in_text) {
    event.preventDefault();
    undo();
  }
});
addEventListener("beforeunload", (event) => {
  if (is_changed() || automation.is_changed()) event.preventDefault();
});

for (const it of document.querySelectorAll('[name="scene"]')) {
  it.addEventListener("change", () => ($("scene").dataset.scene = it.value));
}
$("rooms").append(...page.rooms.map((it) => new Option(it.display_name || it.room, it.room)));
$("rooms").value = page.room;
$("rooms").addEventListener("change", ({ target }) => {
  location.href = `/dashboard?room=${encodeURIComponent(target.value)}${location.hash}`;
});
function draw_link() {
  // As it may be seen on a stream: a key in it is not.
  $("url").textContent = masked(overlay_url);
}

draw_link();
$("copy").addEventListener("click", async () => {
  const done = await copy(new URL(overlay_url, location.href).href);
  $("copy").textContent = done ? "Copied ✓" : "Press Ctrl+C";
  setTimeout(() => ($("copy").textContent = "Copy OBS link"), 2000);
});

addEventListener("message", ({ origin, source, data }) => {
  if (origin === location.origin && source === $("frame").contentWindow && data?.type === "preview.ready") preview();
});
$("frame").src = frame_url({ demo: "" });
draw_themes();
draw();
show_keys({
  room: page.room,
  parts: { list: $("keys"), name: $("key-name"), add: $("key-add"), told: $("keys-told"), error: $("keys-error"), hint: $("keys-hint") },
  // The link that this page offers has the default key in it, where links have one.
  renewed(url) {
    if (!new URL(overlay_url, location.href).searchParams.has("key")) return;
    overlay_url = url;
    draw_link();
  },
});
show_moderators({
  room: page.room,
  parts: {
    list: $("moderators"), to: $("moderator-to"), preset: $("moderator-preset"), add: $("moderator-add"),
    told: $("moderators-told"), error: $("moderators-error"),
  },
});
show_channels({ card: this_room, parts: { list: $("channels"), error: $("channels-error"), remove: $("remove-room") } });
const automation = show_automation({ room: page.room, $, is_shown: () => part === "automation" });
const boards = show_boards({ room: page.room, $, overlay_url: () => overlay_url });
show_parts({
  shown(now) {
    part = now;
    if (part === "automation") void automation.shown();
    if (part === "polls") boards.shown();
  },
});

// The operator's start page: from a channel's name to a link in OBS.

import { PLATFORMS, channel_of, platform_of } from "./channel.js";
import { copy } from "./copy.js";
import { ChannelList, replace_keeping_focus, room_removal } from "./removal.js";
import { follow_rooms, make, replay_url, room_state, status_list } from "./rooms.js";

const page = JSON.parse(document.getElementById("page").textContent);
const $ = (id) => document.getElementById(id);
const cards = new Map(); // room → what `make_card` made

// ---------------------------------------------------------------- links

/** The link as it may be seen on a stream: a key in it is not. */
function masked(url) {
  return url.replace(/([?&]key=)[^&#]*/, "$1••••••••");
}

function copy_button(url, words) {
  const button = make("button", "primary", words);
  button.type = "button";
  let timer = 0;
  button.addEventListener("click", async () => {
    const done = await copy(url());
    button.textContent = done ? "Copied ✓" : "Press Ctrl+C";
    clearTimeout(timer);
    timer = setTimeout(() => (button.textContent = words), 2000);
  });
  return button;
}

/** A link in a box that can be seen (its key masked), selected and copied. */
function link_box(url, label) {
  const shown = make("code", "url", masked(url));
  shown.title = "The link for OBS";
  return make("div", "link-box", make("span", "label", label), make("div", "link-row", shown, copy_button(() => url, "Copy")));
}

/** Opens `url` beside this page. A button: a link would show its key in the browser's status bar. */
function opener(words, url, features = "noopener") {
  const button = make("button", "quiet", words);
  button.type = "button";
  button.addEventListener("click", () => window.open(url, "_blank", features));
  return button;
}

function look_link(room) {
  const link = make("a", "quiet", "Change its look");
  link.href = `/dashboard?room=${encodeURIComponent(room)}`;
  return link;
}

/** The small local file that waits for this server, for an OBS that is started first. */
function loader_link(overlay_url) {
  const url = new URL(overlay_url, location.href);
  url.pathname = `${url.pathname.replace(/\/$/, "")}/loader.html`;
  // A button, too: the link has the key.
  const button = make("button", "quiet", "Loader file ↓");
  button.type = "button";
  button.title = "For OBS started before StreamSuites: choose this file as a local file";
  button.addEventListener("click", () => location.assign(url));
  return button;
}

function open_chat(url) {
  return opener("Open pop-out chat ↗", url, "popup,noopener,width=380,height=720");
}

// ---------------------------------------------------------------- rooms

function count(number, one, many) {
  return `${number.toLocaleString()} ${number === 1 ? one : many}`;
}

function make_card(room) {
  const title = make("h3", "", make("bdi", "", room.display_name || room.room));
  title.tabIndex = -1;
  const live = make("span", "badge");
  const numbers = make("p", "muted numbers");
  const statuses = make("div", "");
  const error = make("p", "error small");
  error.setAttribute("role", "alert");
  const removal = {
    room: room.room,
    done() {
      error.textContent = "";
      ask();
    },
    failed: (why) => (error.textContent = why),
  };
  const remove = room_removal(removal);
  const head = make("div", "card-head", title, live);
  if (room.demo) head.append(make("span", "badge demo", "demo"));
  const card = make("article", "card", head, statuses,
    link_box(room.overlay_url, "Overlay: paste into OBS as a Browser source"),
    make("p", "actions", look_link(room.room), open_chat(room.chat_url), opener("Look at the overlay ↗", room.overlay_url),
      room.recorded === false ? "" : opener("Replay ↗", replay_url(room.room, room.overlay_url)), loader_link(room.overlay_url), remove),
    error, room.demo ? "" : another_channel(room.room), numbers);
  return { card, title, live, numbers, statuses, remove, channels: new ChannelList(removal), url: room.overlay_url, text: "" };
}

function draw_rooms(rooms) {
  draw_made_state(rooms);
  draw_room_names(rooms);
  $("no-rooms").hidden = rooms.length > 0;
  const present = new Set(rooms.map((it) => it.room));
  for (const [name, { card }] of cards) {
    if (!present.has(name)) {
      if (card.contains(document.activeElement)) $("rooms-title").focus();
      card.remove();
      cards.delete(name);
    }
  }
  for (const room of rooms) {
    let entry = cards.get(room.room);
    if (entry && entry.url !== room.overlay_url) {
      const next = make_card(room);
      entry.card.replaceWith(next.card);
      entry = next;
      cards.set(room.room, entry);
    } else if (!entry) {
      entry = make_card(room);
      cards.set(room.room, entry);
      $("rooms").append(entry.card);
    }
    // Only what changed is touched: a button under the pointer must not be swapped every five seconds.
    const text = JSON.stringify([room.status, room.watchers, room.messages, room.typed]);
    if (text === entry.text) continue;
    entry.text = text;
    const { state, text: words } = room_state(room.status ?? []);
    entry.live.className = `badge ${state}`;
    entry.live.textContent = room.demo && state !== "live" ? "playing" : words;
    const list = status_list(room.status ?? [], (it) => entry.channels.button_of(it, room.typed));
    replace_keeping_focus(entry.statuses, entry.title, list);
    entry.remove.hidden = !room.typed?.room;
    entry.numbers.textContent = [
      count(room.messages ?? 0, "message", "messages"),
      count(room.watchers ?? 0, "page watching", "pages watching"),
    ].join(" · ");
  }
}

function note_server(reachable) {
  const server = $("server");
  server.dataset.state = reachable ? "live" : "lost";
  const text = reachable ? "Running" : "Not answering: is StreamSuites still running?";
  if (server.textContent !== text) server.textContent = text;
}

// ---------------------------------------------------------------- the form

/** The rooms that another channel may flow into. */
function draw_room_names(rooms) {
  const names = rooms.filter((it) => !it.demo).map((it) => it.room);
  if ($("room-names").childElementCount === names.length && [...$("room-names").children].every((it, at) => it.value === names[at])) return;
  $("room-names").replaceChildren(...names.map((it) => new Option(it)));
}

let made_room = null; // The room of the card "your overlay link".

/** Under the new link: how its channels are. The link works all the same. */
function draw_made_state(rooms) {
  const room = made_room && rooms.find((it) => it.room === made_room);
  const place = $("made").querySelector(".made-state");
  if (!room || !place) return;
  const { state } = room_state(room.status ?? []);
  const words = {
    live: "The chat is read: whatever is said now is on the overlay.",
    connecting: "Connecting to the chat…",
    offline: "Nobody is live there yet. The overlay shows the chat as soon as you go live.",
    degraded: "The chat is not read for now, and it is tried again by itself. The link stays the same.",
  }[state];
  const text = JSON.stringify(room.status);
  if (place.dataset.shown === text) return;
  place.dataset.shown = text;
  place.replaceChildren(make("p", "", words), status_list(room.status ?? []));
}

function show_made(made) {
  const steps = make("ol", "steps",
    make("li", "", make("span", "", "In OBS, under ", make("b", "", "Sources"), ", press ", make("b", "", "+"), " and choose ", make("b", "", "Browser"), ".")),
    make("li", "", make("span", "", "Paste the link into ", make("b", "", "URL"), ".")),
    make("li", "", make("span", "", "Set width and height: ", make("b", "", "400 × 600"), " for a chat box, or ", make("b", "", "1920 × 1080"), " for the whole scene. Press OK.")));
  made_room = made.room;
  const title = make("h2", "", "Your overlay link");
  title.id = "made-title";
  const box = link_box(made.overlay_url, "Overlay link");
  box.classList.add("large");
  $("made").replaceChildren(title, box, make("div", "made-state"), steps,
    make("p", "actions", open_chat(made.chat_url)));
  $("made").hidden = false;
  $("made").focus({ preventScroll: true });
  $("made").scrollIntoView({ block: "nearest", behavior: "smooth" });
}

/** Lets a form take channels of every platform, into the room that `room_of` says; `made` gets the room that answers. */
function take_channels(form, { platform, channel, button, error, room_of, made }) {
  platform.append(...PLATFORMS.map((it) => new Option(it.title, it.id)));
  const show_example = () => (channel.placeholder = PLATFORMS.find((it) => it.id === platform.value).example);
  show_example();
  platform.addEventListener("change", show_example);
  channel.addEventListener("input", () => {
    // An address says where it is from.
    const named = platform_of(channel.value);
    if (named) platform.value = named;
    show_example();
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    error.textContent = "";
    const name = channel_of(channel.value, platform.value);
    if (!name) {
      error.textContent = "Type the name of your channel first.";
      channel.focus();
      return;
    }
    const room = room_of();
    button.disabled = true;
    try {
      const answer = await fetch("/api/rooms", {
        method: "POST",
        headers: { "content-type": "application/json", accept: "application/json" },
        body: JSON.stringify(room ? { channel: name, room } : { channel: name }),
      });
      const body = await answer.json().catch(() => ({}));
      if (!answer.ok) {
        // What the last one made is not what this one was about.
        if (form === $("add")) $("made").hidden = true;
        error.textContent = body.detail ?? body.title ?? `The server refused (${answer.status}).`;
        return;
      }
      channel.value = "";
      made(body);
      ask();
    } catch {
      error.textContent = "StreamSuites does not answer. Is it still running?";
    } finally {
      button.disabled = false;
    }
  });
}

take_channels($("add"), {
  platform: $("platform"), channel: $("channel"), button: $("add-button"), error: $("add-error"),
  room_of: () => $("room").value.trim(),
  made(made) {
    $("room").value = "";
    show_made(made);
  },
});

/** A small form that lets another channel flow into a room, folded away until asked for. */
function another_channel(room) {
  const platform = make("select", "");
  platform.setAttribute("aria-label", "Where");
  const channel = make("input", "");
  Object.assign(channel, { type: "text", autocomplete: "off", autocapitalize: "none", spellcheck: false, maxLength: 200 });
  channel.setAttribute("aria-label", "Channel");
  const button = make("button", "primary", "Add");
  const error = make("p", "error small");
  error.setAttribute("role", "alert");
  const form = make("form", "another", make("span", "field", platform, channel), button, error);
  form.noValidate = true;
  const folded = make("details", "", make("summary", "quiet", "Add a channel to this room"), form);
  take_channels(form, { platform, channel, button, error, room_of: () => room, made: () => (folded.open = false) });
  return folded;
}

// ---------------------------------------------------------------- start

$("version").textContent = page.version ? `v${page.version}` : "";
draw_rooms(page.rooms ?? []);
note_server(true);
const ask = follow_rooms((rooms) => {
  note_server(rooms !== null);
  if (rooms) draw_rooms(rooms);
});

// The operator's start page: from a channel's name to a link in OBS.

import { another_channel, take_channels } from "./add_channel.js";
import { ChannelList, replace_keeping_focus, room_removal } from "./removal.js";
import { link_box, loader_link, look_link, open_chat, opener } from "./room_links.js";
import { follow_rooms, make, replay_url, room_state, status_list } from "./rooms.js";

const page = JSON.parse(document.getElementById("page").textContent);
const $ = (id) => document.getElementById(id);
const cards = new Map(); // room → what `make_card` made

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
    error, room.demo ? "" : another_channel(room.room, { added: () => ask() }), numbers);
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

take_channels($("add"), {
  platform: $("platform"), channel: $("channel"), button: $("add-button"), error: $("add-error"),
  room_of: () => $("room").value.trim(),
  made(made) {
    $("room").value = "";
    show_made(made);
    ask();
  },
  // What the last one made is not what this one was about.
  refused: () => ($("made").hidden = true),
});

// ---------------------------------------------------------------- start

$("version").textContent = page.version ? `v${page.version}` : "";
draw_rooms(page.rooms ?? []);
note_server(true);
const ask = follow_rooms((rooms) => {
  note_server(rooms !== null);
  if (rooms) draw_rooms(rooms);
});

// The start page of somebody with an account: their rooms, and where to go next.

import { another_channel } from "./add_channel.js";
import { ask } from "./ask.js";
import { ChannelList, replace_keeping_focus } from "./removal.js";
import { link_box, loader_link, look_link, open_chat, opener } from "./room_links.js";
import { make, replay_url, room_state, status_list } from "./rooms.js";
import { take_sign_out } from "./sign_out.js";

const EVERY_MS = 5000;
const page = JSON.parse(document.getElementById("page").textContent);
const $ = (id) => document.getElementById(id);
const made = new URL(location.href).searchParams.get("made")?.toLowerCase();

function make_card(room) {
  const title = make("h2", "", make("bdi", "", room.display_name || room.room));
  // Rooms of one streamer all bear their name.
  if ((room.display_name || room.room).toLowerCase() !== room.room.toLowerCase()) title.append(" ", make("small", "muted", room.room));
  title.tabIndex = -1;
  const badge = make("span", "badge");
  const statuses = make("div", "");
  const error = make("p", "error small");
  error.setAttribute("role", "alert");
  const is_new = room.room.toLowerCase() === made;
  const card = make("article", is_new ? "card is-new" : "card", make("div", "card-head", title, badge), statuses);
  card.append(another_channel(room.room, { added: () => refresh(), is_open: !room.status?.length }), error);
  card.append(link_box(room.overlay_url, "Overlay: paste into OBS as a Browser source"),
    make("p", "actions", look_link(room.room), open_chat(room.chat_url), opener("Look at the overlay ↗", room.overlay_url),
      room.recorded === false ? "" : opener("Replay ↗", replay_url(room.room, room.overlay_url)), loader_link(room.overlay_url)));
  const channels = new ChannelList({
    room: room.room,
    done() {
      error.textContent = "";
      refresh();
    },
    failed: (why) => (error.textContent = why),
  });
  let shown = "";
  const draw = ({ status = [], typed }) => {
    const text = JSON.stringify([status, typed]);
    if (text === shown) return;
    shown = text;
    const { state, text: words } = room_state(status);
    badge.className = `badge ${state}`;
    badge.textContent = words;
    const button_of = (it) => channels.button_of(it, typed);
    replace_keeping_focus(statuses, title, status_list(status, button_of));
  };
  async function refresh() {
    const answer = await ask("GET", `/api/rooms/${encodeURIComponent(room.room)}`);
    if (answer.ok) draw(answer.body);
  }
  draw(room);
  return { card, refresh };
}

const cards = page.rooms.map(make_card);
$("rooms").append(...cards.map((it) => it.card));
$("first").hidden = cards.length > 0;
$("lead").textContent = cards.length ? "Paste one link into OBS, and your chat is on your stream." : "You are in. One step more, and your chat is on your stream.";
const moderated = page.user.moderator_access.contexts;
$("moderated").hidden = !moderated.length;
$("moderated-list").append(...moderated.map(({ room, creator_display_name }) => {
  const words = make("span", "row-words", make("span", "row-title", make("bdi", "", creator_display_name || room)), make("bdi", "row-facts", room));
  const link = make("a", "quiet", "Moderate");
  link.href = `/mod/${encodeURIComponent(room)}`;
  link.setAttribute("aria-label", `Moderate the chat of ${room}`);
  return make("li", "row-item", words, make("span", "row-acts", link));
}));
$("admin-link").hidden = !page.user.admin_access.allowed;
take_sign_out($("sign-out"), (why) => ($("notice").textContent = why));
if (made) {
  history.replaceState(null, "", "/");
  document.querySelector(".is-new .another input, .is-new .primary")?.focus({ preventScroll: true });
}

async function follow() {
  if (!document.hidden) for (const it of cards) await it.refresh();
  setTimeout(follow, EVERY_MS);
}
if (cards.length) setTimeout(follow, EVERY_MS);

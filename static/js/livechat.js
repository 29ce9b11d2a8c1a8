// `/livechat`: the rooms, each a link to its pop-out.

import { lead } from "./keyed.js";
import { follow_rooms, make, mark, room_state } from "./rooms.js";

const page = JSON.parse(document.getElementById("page").textContent);
const list = document.getElementById("livechat");
let shown = "";

function draw(rooms) {
  if (!rooms) return; // Nobody answers: what is shown stays.
  const text = JSON.stringify(rooms.map(({ room, display_name, status }) => [room, display_name, status?.map((it) => [it.platform, it.state])]));
  if (text === shown) return;
  shown = text;
  document.getElementById("no-rooms").hidden = rooms.length > 0;
  list.replaceChildren(...rooms.map(({ room, display_name, chat_url, status = [] }) => {
    const link = make("a", "pick", make("bdi", "pick-name", display_name || room));
    lead(link, chat_url ?? `/chat/${encodeURIComponent(room)}`);
    const { state, text: words } = room_state(status);
    link.append(...[...new Set(status.map((it) => it.platform))].map(mark), make("span", `badge ${state}`, words));
    return make("li", "", link);
  }));
}

draw(page.rooms ?? []);
follow_rooms(draw);

// The dashboard's list of the room's channels: how they are, and those that were typed taken out again.

import { ChannelList, replace_keeping_focus, room_removal } from "./removal.js";
import { follow_rooms, status_list } from "./rooms.js";

/**
 * Draws `card`, and what becomes of it, until the page is left.
 * @param {object} options
 * @param {object} options.card the room as `/api/rooms` has it
 * @param {{list: HTMLElement, error: HTMLElement, remove: HTMLElement}} options.parts
 */
export function show_channels({ card, parts }) {
  const { list, error, remove } = parts;
  let shown = "";
  let ask = () => {};
  const removal = {
    room: card.room,
    done() {
      error.textContent = "";
      ask();
    },
    failed: (why) => (error.textContent = why),
  };
  const channels = new ChannelList(removal);
  remove.replaceChildren(room_removal(removal));

  const draw = ({ status = [], typed }) => {
    const text = JSON.stringify([status, typed]);
    if (text === shown) return;
    shown = text;
    const lines = status.length ? status_list(status, (it) => channels.button_of(it, typed)) : "No channel flows into this room.";
    replace_keeping_focus(list, list, lines);
    remove.hidden = !typed?.room;
  };

  draw(card);
  ask = follow_rooms((rooms) => {
    if (!rooms) return;
    const now = rooms.find((it) => it.room === card.room);
    if (now) draw(now);
    // There is nothing left to look after: the way to another room is on the start page.
    else location.assign("/");
  });
}

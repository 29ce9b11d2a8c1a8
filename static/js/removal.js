// A button that takes something away for good, and asks once more before it does.

import { ask, reason_of } from "./ask.js";
import { make } from "./rooms.js";

const ARMED_MS = 5000; // A question that nobody answers is taken back.

/**
 * A button whose first click asks and whose second one acts. Escape, and time, take the question back.
 * @param {object} options
 * @param {string} options.label what it is about, for those who do not see where the button stands
 * @param {string} options.words @param {string} options.question
 * @param {() => Promise<void>} options.act
 * @param {string} [options.look] its classes
 */
export function asking_button({ label, words, question, act, look = "quiet removal" }) {
  const button = make("button", look);
  button.type = "button";
  let timer = 0;
  let is_busy = false; // Not `disabled`: the focus would be lost.
  const show = (armed) => {
    clearTimeout(timer);
    if (armed) timer = setTimeout(() => show(false), ARMED_MS);
    button.toggleAttribute("data-armed", armed);
    button.textContent = armed ? question : words;
    button.setAttribute("aria-label", armed ? `${question} ${words}: ${label}` : `${words}: ${label}`);
  };
  show(false);
  button.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !button.hasAttribute("data-armed")) return;
    event.preventDefault(); // A dialog around it stays open.
    event.stopPropagation();
    show(false);
  });
  button.addEventListener("click", async (event) => {
    if (!button.hasAttribute("data-armed")) {
      show(true);
      return;
    }
    if (event.detail > 1 || is_busy) return; // A double click is one answer, and not to this question.
    show(false);
    is_busy = true;
    await act();
    is_busy = false;
  });
  return button;
}

/**
 * The same that deletes what stands at `path`.
 * @param {object} options as for `asking_button`, and
 * @param {string} options.path @param {() => void} options.done @param {(why: string) => void} options.failed
 */
export function removal_button({ path, done, failed, ...options }) {
  const act = async () => {
    const answer = await ask("DELETE", path);
    // What somebody else took away meanwhile is away.
    if (answer.ok || answer.status === 404) done(answer);
    else failed(reason_of(answer));
  };
  return asking_button({ ...options, act });
}

const room_path = (room) => `/api/rooms/${encodeURIComponent(room)}`;

/** Takes a room away that was typed. */
export function room_removal({ room, done, failed }) {
  const question = "Remove the room? Its link stops working.";
  return removal_button({ label: room, words: "Remove room", question, path: room_path(room), done, failed });
}

/** Puts new children in; the focus stays, or goes to `instead` when what had it is gone. */
export function replace_keeping_focus(place, instead, ...children) {
  const focused = document.activeElement;
  const had_focus = place.contains(focused);
  place.replaceChildren(...children);
  if (had_focus) (place.contains(focused) ? focused : instead).focus({ preventScroll: true });
}

/** The channels of one room, those that were typed with a button that takes them out. */
export class ChannelList {
  #room;
  #done;
  #failed;
  #buttons = new Map(); // "platform channel" → {button, goes}: kept, so that none is swapped under a finger.

  constructor({ room, done, failed }) {
    this.#room = room;
    this.#done = done;
    this.#failed = failed;
  }

  /** What `status_list` puts at the end of a channel's line. */
  button_of({ platform, channel }, typed) {
    if (!typed?.channels.some((it) => it.platform === platform && it.channel === channel)) return null;
    const name = `${platform} ${channel}`;
    const goes = typed.room && typed.channels.length === 1; // With its last channel, the room.
    const known = this.#buttons.get(name);
    if (known?.goes === goes) return known.button;
    const button = removal_button({
      label: `${channel} (${platform})`, words: "Remove",
      question: goes ? "Room too?" : "Really?",
      path: `${room_path(this.#room)}/channels/${platform}/${encodeURIComponent(channel)}`,
      done: this.#done, failed: this.#failed,
    });
    this.#buttons.set(name, { button, goes });
    return button;
  }
}

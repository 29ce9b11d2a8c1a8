// The form that lets a channel flow into a room.

import { PLATFORMS, channel_of, platform_of } from "./channel.js";
import { make } from "./rooms.js";

/** Lets a form take channels of every platform, into the room that `room_of` says; `made` gets the room that answers. */
export function take_channels(form, { platform, channel, button, error, room_of, made, refused = () => {} }) {
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
        refused();
        error.textContent = body.detail ?? body.title ?? `The server refused (${answer.status}).`;
        return;
      }
      channel.value = "";
      made(body);
    } catch {
      error.textContent = "StreamSuites does not answer. Is it still running?";
    } finally {
      button.disabled = false;
    }
  });
}

/** A small form that lets another channel flow into a room, folded away until asked for. */
export function another_channel(room, { added, is_open = false }) {
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
  take_channels(form, { platform, channel, button, error, room_of: () => room, made(answer) {
    folded.open = false;
    added(answer);
  } });
  folded.open = is_open;
  return folded;
}

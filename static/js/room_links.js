// Links of a room, as its owner gets them: a key in them can be copied, and is not seen.

import { copy } from "./copy.js";
import { make } from "./rooms.js";

/** The link as it may be seen on a stream: a key in it is not. */
export function masked(url) {
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
export function link_box(url, label) {
  const shown = make("code", "url", masked(url));
  shown.title = "The link for OBS";
  return make("div", "link-box", make("span", "label", label), make("div", "link-row", shown, copy_button(() => url, "Copy")));
}

/** Opens `url` beside this page. A button: a link would show its key in the browser's status bar. */
export function opener(words, url, features = "noopener") {
  const button = make("button", "quiet", words);
  button.type = "button";
  button.addEventListener("click", () => window.open(url, "_blank", features));
  return button;
}

export function look_link(room) {
  const link = make("a", "quiet", "Change its look");
  link.href = `/dashboard?room=${encodeURIComponent(room)}`;
  return link;
}

/** The small local file that waits for this server, for an OBS that is started first. */
export function loader_link(overlay_url) {
  const url = new URL(overlay_url, location.href);
  url.pathname = `${url.pathname.replace(/\/$/, "")}/loader.html`;
  // A button, too: the link has the key.
  const button = make("button", "quiet", "Loader file ↓");
  button.type = "button";
  button.title = "For OBS started before StreamSuites: choose this file as a local file";
  button.addEventListener("click", () => location.assign(url));
  return button;
}

export function open_chat(url) {
  return opener("Open pop-out chat ↗", url, "popup,noopener,width=380,height=720");
}

// The elements that a page of chat is made of: where its lines stand, and what a line is. A theme says which in its
// stylesheet, `:root { --elements: youtube; }`; those that say nothing get the ones of docs/overlay-css.md. What
// they have in common, so that the stage need not know which they are:
//
//   add(lines)         puts new lines in, oldest first
//   dress(line, event) makes of the renderer's line one of these elements; it keeps `.line`, `.body` and `data-*`
//   drawn()            a frame is drawn: what must know sizes looks at them now
//   leave()            gives the page back as it was found

import { YoutubeElements } from "./elements_youtube.js";

export class PlainElements {
  static of_name = "";
  #chat;

  constructor({ chat }) {
    this.#chat = chat;
  }

  add(lines) {
    this.#chat.prepend(...lines.reverse()); // Newest first: overlay.css says why.
  }

  dress(line) {
    return line;
  }

  drawn() {}

  leave() {}
}

const KINDS = [PlainElements, YoutubeElements];

/** The kind of elements that the theme of `root` asks for. */
export function wanted_elements(root) {
  const name = getComputedStyle(root).getPropertyValue("--elements").trim();
  return KINDS.find((it) => it.of_name === name) ?? PlainElements;
}

// The dashboard's polls: everything with buttons, who is linked, and the links for OBS.

import { copy } from "../copy.js";
import { Feed } from "../feed.js";
import { button } from "../fields.js";
import { make } from "../rooms.js";
import { Identities } from "./identities.js";
import { BoardsPanel } from "./panel.js";

const COPIED_MS = 2000;
const WIDGETS = [["poll", "Poll"], ["tally", "Tally"], ["goal", "Goal"], ["scoreboard", "Scoreboard"]];

function widget_link(name, words, overlay_url) {
  let timer = 0;
  const it = button("tool", words, async () => {
    const url = new URL(overlay_url(), location.href);
    url.searchParams.set("widget", name);
    const done = await copy(url.href);
    it.textContent = done ? "Copied ✓" : "Press Ctrl+C";
    clearTimeout(timer);
    timer = setTimeout(() => (it.textContent = words), COPIED_MS);
  });
  it.title = "Copies the link of a Browser source for OBS";
  it.setAttribute("aria-label", `Copy the OBS link: ${words}`);
  return it;
}

/**
 * Brings it to life.
 * @returns {{shown: () => void}}
 */
export function show_boards({ room, $, overlay_url }) {
  let is_begun = false;
  const tell = (why) => ($("boards-error").textContent = why);
  const panel = new BoardsPanel({ room, may: true, place: $("boards"), tell });
  const identities = new Identities({ room, tell });
  $("boards").append(identities.element);
  $("widget-links").append(make("span", "muted", "On stream, as a source of its own:"), ...WIDGETS.map(([name, words]) => widget_link(name, words, overlay_url)));
  return {
    shown() {
      void identities.read();
      if (is_begun) return;
      is_begun = true;
      const feed = new Feed({ room, backlog: 0, types: Object.freeze(["poll.", "tally.", "score."]) });
      let live_from = 0;
      feed.on("hello", (hello) => {
        live_from = hello.seq ?? 0;
        panel.store.greet(hello.boards);
        void panel.store.read_all();
      });
      // What led to the greeting, and comes after a resume, would undo it.
      feed.on("event", (event) => event.seq > live_from && panel.store.take(event)).start();
    },
  };
}

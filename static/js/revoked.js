// What a page does once it has no access any more: its key was rotated away, or whoever opened it signed out.

import { reload_when_served } from "./reload.js";

export const CLOSE_ACCESS_REVOKED = 4003;

/**
 * Has the page loaded anew when its feed is cut off: the server knows what is left to show, or says what to do.
 * @param {import("./feed.js").Feed} feed
 * @param {() => void} cut_off what is to vanish from the page until then
 */
export function leave_when_revoked(feed, cut_off = () => {}, reload = reload_when_served) {
  feed.on("status", ({ state, code }) => {
    if (state !== "waiting" || code !== CLOSE_ACCESS_REVOKED) return;
    cut_off();
    reload({ though_refused: true });
  });
  return feed;
}

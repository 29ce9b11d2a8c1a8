// A stage on which a recording plays: what `/overlay/ROOM?replay=SESSION` and the replay page have in common.

import { Feed } from "./feed.js";
import { Player } from "./player.js";
import { join_settings, parse_bool, parse_parameters } from "./settings.js";
import { Stage } from "./stage.js";

/** A player, on a stage. Scripts find it as `replay`. */
export function make_recording(page, parameters) {
  const changes = parse_parameters(parameters);
  const player = new Player({ room: page.room, key: page.key, settings: join_settings(page.settings, changes) });
  const stage = new Stage({ page, changes, clock: player.clock });
  player
    .on("reset", () => stage.clear())
    .on("event", (event, { animate }) => stage.take(event, { animate }))
    .on("tick", () => stage.tick())
    .on("moderate", (deletion) => stage.moderate(deletion))
    .on("state", ({ is_playing }) => {
      if (!is_playing) stage.settle();
    });
  player.rate = parse_rate(parameters.get("speed"));
  follow_moderation(page, player);
  globalThis.replay = player;
  return player;
}

const DELETIONS = ["chat.delete", "chat.clear_user", "chat.clear", "chat.redacted"];

/** While the stream still runs, what is deleted in it goes here too, at once. */
function follow_moderation(page, player) {
  let feed = null;
  player.on("session", () => {
    if (player.is_open && !feed) {
      feed = new Feed({ room: page.room, key: page.key, backlog: 0, types: DELETIONS })
        .on("event", (deletion) => player.moderate(deletion))
        // What was deleted meanwhile is not known: the log knows.
        .on("reset", () => void player.seek(player.position_ms))
        .start();
    } else if (!player.is_open && feed) {
      feed.stop();
      feed = null;
    }
  });
}

/** How a link wants a recording to begin: `?t=90` there, `?paused` not by itself. */
export function parse_beginning(parameters) {
  const seconds = Number.parseFloat(parameters.get("t") ?? "");
  return {
    at: Number.isFinite(seconds) ? Math.max(0, Math.round(seconds * 1000)) : 0,
    play: parse_bool(parameters.get("paused") ?? "no") !== true,
  };
}

/** `speed` of a replay is how fast it plays, not how many lines a second are shown. */
function parse_rate(text) {
  const rate = Number.parseFloat(text ?? "");
  return Number.isFinite(rate) ? rate : 1;
}

export function play_recording(page, parameters) {
  make_recording(page, parameters).open(parameters.get("replay") || "latest", parse_beginning(parameters));
}

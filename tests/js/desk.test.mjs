// What a moderator is told, and what is offered to whom.
import assert from "node:assert/strict";
import test from "node:test";

import { Desk, words_for } from "../../static/js/desk.js";
import { preset_words } from "../../static/js/moderators.js";

test("what came of it is told in a sentence, with what was not done and why", () => {
  const feed = { place: "feed", state: "done", detail: "" };
  assert.equal(words_for({ action: "ban", results: [feed, { place: "twitch", state: "done", detail: "" }] }), "Banned");
  assert.equal(
    words_for({ action: "ban", results: [feed, { place: "twitch", state: "impossible", detail: "the token lacks a right" }] }),
    "Banned here · Twitch: the token lacks a right",
  );
  assert.equal(words_for({ action: "unban", results: [{ place: "kick", state: "refused", detail: "" }] }), "Not done · Kick: refused");
  assert.equal(words_for({ action: "hide", results: [feed] }), "Hidden");
});

test("only what somebody may do is offered to them", () => {
  const offered = (rights) => new Desk({ room: "ana", rights, tell() {} }).about({ id: "twitch:1" }).map(([words]) => words);
  assert.deepEqual(offered([]), []);
  assert.deepEqual(offered(["queue", "feature", "send"]), []);
  assert.deepEqual(offered(["hide"]), ["Hide on overlays", "Show again"]);
  assert.deepEqual(offered(["timeout"]), ["Time out 10 min"]);
  assert.deepEqual(offered(["ban"]), ["Ban", "Unban"]);
});

test("a preset is told by what it allows", () => {
  assert.equal(preset_words({ name: "helper", rights: ["queue"] }), "Helper: queue");
  const all = ["queue", "feature", "hide", "timeout", "ban", "send", "polls"];
  assert.equal(preset_words({ name: "producer", rights: all }), "Producer: everything");
});

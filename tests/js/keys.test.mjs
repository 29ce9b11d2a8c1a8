// How keys are told about, and what pages do when theirs has ended.
import assert from "node:assert/strict";
import test from "node:test";

import { ago, usage } from "../../static/js/keys.js";
import { masked } from "../../static/js/room_links.js";
import { Emitter } from "../../static/js/emitter.js";
import { leave_when_revoked } from "../../static/js/revoked.js";

const NOW = Date.parse("2026-11-20T18:00:00Z");
const before = (seconds) => new Date(NOW - seconds * 1000).toISOString();

test("a key in a link is not shown, whatever stands around it", () => {
  assert.equal(masked("http://x/overlay/a?key=abc-_9"), "http://x/overlay/a?key=••••••••");
  assert.equal(masked("/overlay/a?theme=b&key=abc&demo#c"), "/overlay/a?theme=b&key=••••••••&demo#c");
  assert.equal(masked("/overlay/a?monkey=1"), "/overlay/a?monkey=1");
});

test("when a key was used is told in words", () => {
  const told = [[0, "just now"], [59, "just now"], [60, "1 minute ago"], [3599, "59 minutes ago"], [7200, "2 hours ago"], [200_000, "2 days ago"]];
  for (const [seconds, words] of told) assert.equal(ago(before(seconds), NOW), words);
  assert.equal(ago(before(-5), NOW), "just now", "the server's clock may be ahead");
  assert.equal(usage({ open: 2, last_seen: before(0) }, NOW), "in use: 2 open");
  assert.equal(usage({ open: 0, last_seen: before(120) }, NOW), "last seen 2 minutes ago");
  assert.equal(usage({ open: 0, last_seen: null }, NOW), "not used yet");
});

test("only a page whose access has ended is loaded anew, and what it shows goes before that", () => {
  const done = [];
  const feed = new Emitter();
  leave_when_revoked(feed, () => done.push("cut off"), (how) => done.push(how));
  for (const code of [1001, 1006, 4004, 4005, 4008]) feed.emit("status", { state: "waiting", code });
  feed.emit("status", { state: "live" });
  assert.deepEqual(done, []);
  feed.emit("status", { state: "waiting", code: 4003 });
  assert.deepEqual(done, ["cut off", { though_refused: true }]);
});

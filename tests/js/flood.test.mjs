// What becomes of lines that come faster than they can be read.
import assert from "node:assert/strict";
import test from "node:test";

import { Beacon, Durations } from "../../static/js/beacon.js";
import { STEPS } from "../../static/js/flood.js";
import { Screen } from "../../static/js/screen.js";
import { join_settings } from "../../static/js/settings.js";

const START = Date.parse("2026-11-24T18:00:00.000Z"); // A round begins.

/** A screen, and a chat that is said on it; `said` is every line in the order in which lines came to be. */
function begin(settings = {}) {
  const screen = new Screen(join_settings({ max_messages: 500, ...settings }, {}));
  let count = 0;
  const say = (at, text, { login = `viewer${count}`, roles = [], flags = [], ...more } = {}) => {
    count += 1;
    const author = { id: `twitch:${login}-id`, login, name: login, roles, badges: [], color: null };
    const data = { id: `twitch:${count}`, platform: "twitch", text, flags, author, ...more };
    screen.take({ type: "chat.message", seq: count, data }, START + at);
    return data.id;
  };
  /** So many different lines a second, evenly, each by somebody else. */
  const rush = (from, seconds, per_second, text = (it) => `line ${it}`) => {
    for (let it = 0; it < seconds * per_second; it += 1) say(from + Math.floor((it * 1000) / per_second), text(it));
  };
  const step = (at) => STEPS[screen.flood.step(START + at)];
  return { screen, say, rush, step };
}
const texts = (screen) => screen.lines.all.map(({ event: { data }, count }) => (data.text ?? data.system_text) + (count > 1 ? ` ×${count}` : ""));
const counts_add_up = ({ lines, flood }) => {
  const { received, collapsed, skipped } = flood.counts;
  assert.equal(lines.all.length, received - collapsed - skipped, "every line is shown, part of another, or counted as skipped");
};

test("steps are taken at once and left after seconds below them", () => {
  for (const [per_second, expected] of [[12, "calm"], [13, "busy"], [21, "collapse"], [31, "sample"], [2000, "sample"]]) {
    const { rush, step } = begin();
    rush(0, 1, per_second);
    assert.equal(step(999), expected, `${per_second} a second`);
    assert.equal(step(4_999), expected, "still");
    assert.equal(step(5_000), "calm");
  }
});

test("a calm chat loses nothing, and only runs of three equal lines join", () => {
  const { screen, rush, say, step } = begin();
  rush(0, 30, 10);
  assert.equal(screen.lines.all.length, 300);
  for (let it = 0; it < 4; it += 1) say(31_000, "gg");
  assert.equal(step(31_000), "calm");
  assert.deepEqual(texts(screen).slice(-2), ["line 299", "gg ×4"]);
  assert.deepEqual(screen.flood.counts, { received: 304, collapsed: 2, skipped: 0 }, "the third and the fourth joined");
});

test("in a collapse equal lines join wherever they stand, and are counted exactly", () => {
  const { screen, rush, say, step } = begin();
  rush(0, 1, 25);
  assert.equal(step(1000), "collapse");
  for (let it = 0; it < 24; it += 1) say(1000 + it * 40, ["gg", "lol", ` GG `][it % 3]);
  assert.deepEqual(texts(screen).slice(-2), ["gg ×16", "lol ×8"]);
  counts_add_up(screen);
});

test("one viewer gets three lines in four seconds, and others are not kept out by it", () => {
  const { screen, rush, say, step } = begin();
  rush(0, 1, 13);
  assert.equal(step(1000), "busy");
  for (let it = 0; it < 8; it += 1) say(1000 + it * 20, `me me me ${it}`, { login: "loud" });
  say(1300, "hello", { login: "quiet" });
  say(4000, "me again", { login: "loud" });
  assert.deepEqual(texts(screen).slice(13), ["me me me 0", "me me me 1", "me me me 2", "hello", "me again"]);
  counts_add_up(screen);
});

test("in a sample five lines a second are shown, and all of those that are always shown", () => {
  const { screen, rush, say, step } = begin();
  rush(0, 1, 31);
  const before = screen.lines.all.length;
  rush(1000, 2, 500, (it) => `flood ${it}`);
  assert.equal(step(2999), "sample");
  assert.equal(screen.lines.all.length - before, 10);
  say(2900, "a", { roles: ["moderator"] });
  say(2900, "a", { roles: ["broadcaster"] });
  say(2900, "a", { amount: { value: 500, currency: "USD", display: "$5.00" } });
  say(2900, "a", { flags: ["first_message"] });
  say(2900, "a", { flags: ["highlighted"] });
  say(2900, "a", { flags: ["synthetic"] });
  screen.take({ type: "activity", seq: 9999, data: { id: "twitch:x", platform: "twitch", kind: "raid", system_text: "a" } }, START + 2900);
  assert.deepEqual(texts(screen).slice(-7), Array(7).fill("a"), "each of them a line of its own");
  counts_add_up(screen);
});

test("a raid of first-timers is sampled like everybody else", () => {
  const { screen, rush, say } = begin();
  rush(0, 1, 31);
  const before = screen.lines.all.length;
  for (let it = 0; it < 300; it += 1) say(1000, `raid ${it}`, { flags: ["first_message"] });
  assert.equal(screen.lines.all.length - before, 21, "twenty of them, and one of the rest");
  counts_add_up(screen);
});

test("late frames take a further step, and timely ones take it back", () => {
  const { screen, rush, step } = begin();
  rush(0, 4, 15);
  assert.equal(step(3999), "busy");
  for (let it = 0; it < 30; it += 1) screen.flood.note_frame(100, START + 3000 + it * 30);
  assert.equal(step(3999), "collapse");
  for (let it = 0; it < 120; it += 1) screen.flood.note_frame(5, START + 5000 + it * 100);
  assert.equal(step(3999), "busy");
});

test("late frames alone make no flood", () => {
  const { screen, say, step } = begin();
  say(0, "hello");
  for (let it = 0; it < 100; it += 1) screen.flood.note_frame(500, START + it * 500);
  assert.equal(step(100), "calm");
});

test("a deletion takes a message out of the ones it was collapsed with, and a purge all of a viewer's", () => {
  const { screen, rush, say } = begin();
  rush(0, 1, 25);
  const first = say(1000, "gg", { login: "one" });
  for (let it = 0; it < 5; it += 1) say(1040 + it, "gg", { login: "two" });
  say(1050, "gg", { login: "three" });
  assert.equal(texts(screen).at(-1), "gg ×7");
  screen.take({ type: "chat.delete", data: { platform: "twitch", message_id: first } }, START + 1100);
  assert.equal(texts(screen).at(-1), "gg ×6");
  assert.equal(screen.lines.all.at(-1).event.data.author.login, "two", "under the next viewer's name");
  screen.take({ type: "chat.clear_user", data: { platform: "twitch", author_id: "twitch:two-id" } }, START + 1110);
  assert.equal(texts(screen).at(-1), "gg");
  assert.equal(screen.lines.all.at(-1).event.data.author.login, "three");
});

test("what is kept of a flood is bounded, however long it lasts", () => {
  const { screen, say } = begin({ max_messages: 20 });
  for (let it = 0; it < 40_000; it += 1) say(it, it % 2 ? "gg" : `line ${it}`);
  assert.ok(screen.lines.all.length <= 20);
  assert.ok(screen.lines.all.every((it) => it.members.events.length <= 50));
  const { removed, changed } = screen.lines.take();
  assert.ok(removed.length === 0 && changed.length <= 20, "lines that no frame showed are no work");
});

// ---------------------------------------------------------------- what an overlay reports of itself

test("durations keep their quantiles", () => {
  const durations = new Durations();
  assert.equal(durations.summary(), null);
  for (let ms = 1; ms <= 100; ms += 1) durations.note(ms - 0.5);
  assert.deepEqual(durations.summary(), { count: 100, p50: 50, p99: 99, longest: 100 });
  durations.note(1e9);
  assert.equal(durations.quantile(1), 1e9);
});

test("a beacon reports while it is seen, and once more as it is hidden", async () => {
  const sent = [];
  let now = 0;
  let frame = null;
  const env = {
    now: () => now, send: (url, text) => sent.push({ url, ...JSON.parse(text) }),
    requestAnimationFrame: (it) => { frame = it; return 1; }, cancelAnimationFrame: () => { frame = null; },
    behind_frame: setImmediate,
  };
  const beacon = new Beacon({ room: "a b", key: "k&", read: () => ({ received: 3, collapsed: 1, skipped: 1, step: 2 }), env });
  beacon.show(true);
  for (now = 0; now <= 160; now += 16) frame(now);
  beacon.drew([100], [150]);
  await new Promise((done) => setImmediate(done));
  beacon.note_task(70);
  beacon.show(false);
  assert.equal(frame, null);
  assert.equal(sent.length, 1);
  const [report] = sent;
  assert.equal(report.url, "/api/rooms/a%20b/beacon?key=k%26");
  assert.deepEqual(report.frame_ms, { p50: 16, p99: 16, longest: 16 });
  assert.deepEqual(report.paint_ms, { p50: 76, p99: 76, longest: 76 });
  assert.deepEqual(report.removal_ms, { p50: 26, p99: 26, longest: 26 });
  assert.equal(report.longest_task_ms, 70);
  assert.equal(report.step, "collapse");
  beacon.show(true);
  beacon.show(false);
  assert.equal(sent[1].frame_ms, null);
  const { paint, step, received } = beacon.summary();
  assert.deepEqual({ paint: paint.count, step, received }, { paint: 1, step: "collapse", received: 3 });
});

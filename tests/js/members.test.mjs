// Who is behind "×37" when somebody's words are taken away: also those that are no longer kept whole.
import assert from "node:assert/strict";
import test from "node:test";

import { Lines } from "../../static/js/lines.js";
import { matcher } from "../../static/js/moderation.js";

let count = 0;
function said(login, text = "gg", more = {}) {
  count += 1;
  const author = { id: `twitch:${login}-id`, login, name: login, roles: [], badges: [], color: null };
  return { type: "chat.message", seq: count, data: { id: `twitch:${count}`, platform: "twitch", text, flags: [], fragments: [{ type: "text", text }], author, ...more } };
}
function filled(...groups) {
  const lines = new Lines(500);
  const ids = [];
  for (const [times, login, more] of groups) {
    for (let it = 0; it < times; it += 1) {
      const event = said(typeof login === "function" ? login(it) : login, "gg", more);
      ids.push(event.data.id);
      lines.add(event);
    }
  }
  return { lines, ids };
}
const purge = (lines, login) => lines.remove(matcher({ type: "chat.clear_user", data: { platform: "twitch", author_id: `twitch:${login}-id` } }));
const forget = (lines, id) => lines.remove(matcher({ type: "chat.delete", data: { platform: "twitch", message_id: id } }));
const shown = (lines) => lines.all.map(({ event: { data }, count: it }) => `${data.author.login}: ${data.text}${it > 1 ? ` ×${it}` : ""}`);

test("a purge takes all of a spammer's lines out of one that began honestly", () => {
  const { lines } = filled([1, "honest"], [200, "spammer"]);
  assert.equal(lines.all[0].count, 201);
  purge(lines, "spammer");
  assert.deepEqual(shown(lines), ["honest: gg"]);
});

test("a line that a spammer began and ended goes on under an honest name", () => {
  const { lines } = filled([1, "spammer"], [1, "spammer"], [100, (it) => `honest${it}`], [60, "spammer"]);
  const reply = { id: "twitch:q", author: { id: "twitch:v", login: "v", name: "v" }, text: "buy" };
  lines.change((it) => ({ ...it, data: { ...it.data, reply_to: reply } }));
  assert.equal(lines.all[0].count, 162);
  purge(lines, "spammer");
  assert.deepEqual(shown(lines), ["honest0: gg ×100"]);
  const [{ event }] = lines.all;
  assert.equal(event.data.author.id, "twitch:honest0-id");
  assert.equal(event.data.reply_to, undefined, "what the spammer answered is not laid at somebody else's door");
  for (let it = 0; it < 99; it += 1) purge(lines, `honest${it}`);
  assert.deepEqual(shown(lines), ["honest99: gg"]);
  purge(lines, "honest99");
  assert.deepEqual(shown(lines), []);
});

test("deletions one by one are counted exactly, whichever of the lines they are", () => {
  const { lines, ids } = filled([120, (it) => `v${it % 7}`]);
  for (const id of ids.slice(0, 59)) forget(lines, id);
  assert.equal(lines.all[0].count, 61);
  for (const id of ids.slice(0, 59)) forget(lines, id);
  assert.equal(lines.all[0].count, 61, "the same again changes nothing");
  for (const id of ids.slice(60)) forget(lines, id);
  assert.deepEqual(shown(lines), ["v3: gg"]);
  assert.equal(lines.all[0].event.data.id, ids[59]);
  forget(lines, ids[59]);
  assert.deepEqual(shown(lines), []);
});

test("a line that joins another brings everybody along", () => {
  const lines = new Lines(500);
  const flood = Array.from({ length: 200 }, (_, it) => said(it < 150 ? "spammer" : `v${it}`));
  lines.add(flood[0], { round: 1 });
  for (const it of flood.slice(1)) lines.gather(it, 1);
  lines.add(said("late"), { round: 2 });
  lines.add(said("later"));
  assert.deepEqual(shown(lines), ["late: gg ×202"]);
  purge(lines, "spammer");
  assert.deepEqual(shown(lines), ["late: gg ×52"]);
});

test("what is remembered of a line is bounded, and a purge is right beyond it", () => {
  const { lines } = filled([3000, "spammer"], [400, (it) => `v${it}`], [3000, "spammer"], [1, "honest"]);
  purge(lines, "spammer");
  assert.equal(lines.all[0].count, 401);
  const crowd = filled([5000, (it) => `v${it}`]);
  for (let it = 0; it < 5000; it += 1) purge(crowd.lines, `v${it}`);
  assert.deepEqual(shown(crowd.lines), [], "a number without a viewer is no line");
});

test("a chat that is cleared takes one platform's out of a line", () => {
  const { lines } = filled([60, "a"], [60, "b", { platform: "kick" }], [60, "c"]);
  lines.remove(matcher({ type: "chat.clear", data: { platform: "twitch" } }));
  assert.deepEqual(shown(lines), ["b: gg ×60"]);
});

import assert from "node:assert/strict";
import test from "node:test";

import { Pronouns } from "../../static/js/pronouns.js";

const said = (id, seq, more = {}) => ({
  type: "chat.message", seq, data: { platform: "twitch", author: { id: `twitch:${id}` }, ...more },
});

/** Pronouns whose clock and server are in the test's hands. */
function bench(answer) {
  const it = { now: 0, asked: [], told: 0, timers: [] };
  it.pronouns = new Pronouns({
    tell: () => (it.told += 1),
    now: () => it.now,
    wait: (work, ms) => it.timers.push({ work, at: it.now + ms }),
    ask: async (wanted) => {
      it.asked.push(wanted);
      return answer(wanted, it.asked.length);
    },
  });
  /** Lets so much time pass, with what is due in it. */
  it.pass = async (ms) => {
    const end = it.now + ms;
    for (;;) {
      const next = it.timers.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      it.timers.splice(it.timers.indexOf(next), 1);
      it.now = Math.max(it.now, next.at);
      next.work();
      await new Promise((done) => setImmediate(done));
    }
    it.now = end;
  };
  return it;
}

test("viewers are gathered for one call, by what they wrote, each once", async () => {
  const it = bench(() => ({ "twitch:1": "She/Her", "twitch:2": null }));
  it.pronouns.want(said(1, 11));
  it.pronouns.want(said(2, 12));
  it.pronouns.want(said(1, 13));
  assert.equal(it.asked.length, 0, "never before the frame is drawn");
  await it.pass(1000);
  assert.deepEqual(it.asked, [{ seqs: [11, 12], featured: false }]);
  assert.equal(it.pronouns.find("twitch:1"), "She/Her");
  assert.equal(it.pronouns.find("twitch:2"), "");
  assert.equal(it.told, 1);
  it.pronouns.want(said(1, 14));
  it.pronouns.want(said(2, 15));
  await it.pass(60_000);
  assert.equal(it.asked.length, 1, "both are known: one told none");
});

test("nobody is asked for who is not on Twitch, or whose line has no place in the feed", async () => {
  const it = bench(() => ({}));
  it.pronouns.want(said(1, 5, { platform: "kick", author: { id: "kick:1" } }));
  it.pronouns.want(said(1, 5, { author: undefined }));
  it.pronouns.want(said(1, undefined));
  await it.pass(60_000);
  assert.deepEqual(it.asked, []);
});

test("the featured message of the first frame has no place, and is asked for as that", async () => {
  const it = bench(() => ({ "twitch:1": "Any" }));
  it.pronouns.want({ ...said(1, undefined), type: "feature.show" });
  await it.pass(1000);
  assert.deepEqual(it.asked, [{ seqs: [], featured: true }]);
  assert.equal(it.pronouns.find("twitch:1"), "Any");
});

test("whoever is missing in the answer is asked for again, later each time, and then left alone", async () => {
  const it = bench(() => ({}));
  const at = [];
  const { asked } = it;
  it.pronouns.want(said(1, 5));
  for (let second = 0; second < 600; second += 1) {
    const before = asked.length;
    await it.pass(1000);
    if (asked.length > before) at.push(second);
  }
  assert.deepEqual(at, [0, 5, 20, 65]);
  assert.equal(it.told, 0);
  it.pronouns.want(said(1, 9));
  await it.pass(1000);
  assert.equal(asked.length, 5, "they wrote again");
});

test("many viewers are asked for in small batches, one after another, and no more than a page can wait for", async () => {
  let under_way = 0;
  const it = bench(async ({ seqs }) => {
    under_way += 1;
    assert.equal(under_way, 1);
    await Promise.resolve();
    under_way -= 1;
    return Object.fromEntries(seqs.map((seq) => [`twitch:${seq}`, "He/Him"]));
  });
  for (let id = 1; id <= 300; id += 1) it.pronouns.want(said(id, id));
  await it.pass(60_000);
  assert.deepEqual(it.asked.map(({ seqs }) => seqs.length), Array(8).fill(25));
  assert.equal(it.pronouns.find("twitch:200"), "He/Him");
  assert.equal(it.pronouns.find("twitch:201"), "", "one too many: asked for when they write again");
});

test("a server that does not answer is left alone for longer and longer, and told once", async (context) => {
  const warn = context.mock.method(console, "warn", () => {});
  const it = bench((_, call) => {
    if (call < 4) throw new Error("the server answers 503");
    return { "twitch:1": "It/Its" };
  });
  it.pronouns.want(said(1, 5));
  await it.pass(60_000);
  assert.equal(it.asked.length, 4);
  assert.equal(it.pronouns.find("twitch:1"), "It/Its");
  assert.equal(warn.mock.callCount(), 1);
});

test("what was wanted of a feed that is gone is not asked for", async () => {
  const it = bench(() => ({ "twitch:1": "She/Her" }));
  it.pronouns.want(said(1, 5));
  it.pronouns.forget_wanted();
  await it.pass(60_000);
  assert.deepEqual(it.asked, []);
});

test("who told none is asked for again after a while, and keeps the words while that is done", async () => {
  const it = bench((_, call) => ({ "twitch:1": call === 1 ? null : "They/Them", "twitch:2": "She/Her" }));
  it.pronouns.want(said(1, 5));
  it.pronouns.want(said(2, 6));
  await it.pass(30 * 60_000);
  it.pronouns.want(said(1, 7));
  it.pronouns.want(said(2, 8));
  assert.equal(it.pronouns.find("twitch:2"), "She/Her");
  await it.pass(1000);
  assert.deepEqual(it.asked[1].seqs, [7]);
  assert.equal(it.pronouns.find("twitch:1"), "They/Them");
});

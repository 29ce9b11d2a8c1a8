// The drawer of the pop-out against answers that are late, and deletions that come in between.
import assert from "node:assert/strict";
import test from "node:test";

import { Queue } from "../../static/js/queue.js";
import { fake_page, parts_of } from "../fake_page.mjs";

const said = (id) => ({ id, platform: "twitch", author: { id: "twitch:1", name: "Bo", login: "bo" }, text: id, fragments: [] });

/** A queue whose answers the test gives: `answer(body)` the oldest call, in order. */
function bench() {
  const page = fake_page();
  const calls = [];
  globalThis.fetch = (path, { method }) => new Promise((done) => calls.push({ call: `${method} ${path}`, done }));
  const parts = parts_of("drawer", "list", "empty", "next", "close", "button", "count", "featured");
  const told = [];
  const queue = new Queue({
    room: "ana", rights: ["queue", "feature"], parts, memory: { read: () => null, write() {} }, colour: () => "#fff",
    tell: (it) => told.push(it), announce: (it) => told.push(it),
  });
  return {
    page, queue, parts, told, calls,
    shown: () => parts.list.children.map((it) => it.dataset.id),
    featured: () => (parts.featured.hidden ? null : parts.featured.textContent),
    async answer(body, ok = true) {
      calls.shift().done({ ok, status: ok ? 200 : 409, json: async () => body, headers: new Map() });
      for (let turn = 0; turn < 8; turn += 1) await null;
    },
  };
}

test("an answer that comes after a deletion puts nothing back", async () => {
  const it = bench();
  const queued = it.queue.add(said("a"));
  it.queue.take([said("a")]);
  assert.deepEqual(it.shown(), ["a"]);
  it.queue.drop(({ id }) => id === "a");
  await it.answer({});
  await queued;
  assert.deepEqual(it.shown(), []);
  assert.deepEqual(it.told, ["Queued: Bo"]);

  const put = it.queue.feature(said("b"));
  it.queue.show_featured(said("b"));
  assert.match(it.featured(), /Bo b/);
  it.queue.drop(({ id }) => id === "b");
  await it.answer({});
  await put;
  assert.equal(it.featured(), null);
});

test("an answer that takes off leaves what was featured since", async () => {
  const it = bench();
  it.queue.show_featured(said("a"));
  const cleared = it.queue.clear();
  it.queue.show_featured(said("b"));
  await it.answer({});
  await cleared;
  assert.match(it.featured(), /Bo b/);
});

test("a list that news have overtaken is asked for again, and at last the news hold", async () => {
  const it = bench();
  let read = it.queue.read();
  it.queue.drop(({ id }) => id === "b");
  await it.answer({ items: [said("a"), said("b")] });
  assert.deepEqual(it.shown(), [], "it is of before the deletion");
  await it.answer({ items: [said("a")] });
  await read;
  assert.deepEqual(it.shown(), ["a"]);

  read = it.queue.read();
  for (let at = 0; at < 3; at += 1) {
    it.queue.take([said(`new ${at}`)]);
    await it.answer({ items: [said("a")] });
  }
  await read;
  assert.equal(it.calls.length, 0);
  assert.deepEqual(it.shown(), ["new 2"]);
});

test("a deletion ends the drag of what it takes, and a list that came meanwhile holds", () => {
  const it = bench();
  it.queue.take([said("a"), said("b"), said("c")]);
  const item = it.parts.list.children[0];
  it.parts.list.happen("pointerdown", { target: item.querySelector(".handle"), button: 0 });
  it.page.heard.get("pointermove")({ clientY: 99 });
  assert.deepEqual(it.shown(), ["b", "c", "a"]);
  it.queue.take([said("a"), said("b"), said("c"), said("d")]);
  assert.deepEqual(it.shown(), ["b", "c", "a"], "it waits until the hand lets go");
  it.queue.drop(({ id }) => id === "a");
  assert.deepEqual(it.shown(), ["b", "c", "d"]);
  assert.doesNotMatch(it.parts.list.textContent, /a/i);
  assert.equal(it.page.heard.size, 0, "the hand moves nothing any more");
  assert.equal(it.calls.length, 0);
});

test("a deletion of something else leaves a drag alone", () => {
  const it = bench();
  it.queue.take([said("a"), said("b")]);
  it.parts.list.happen("pointerdown", { target: it.parts.list.children[0].querySelector(".handle"), button: 0 });
  it.page.heard.get("pointermove")({ clientY: 99 });
  it.queue.drop(({ id }) => id === "z");
  assert.deepEqual(it.shown(), ["b", "a"]);
  it.page.heard.get("pointerup")({ type: "pointerup" });
  assert.equal(it.calls[0].call, "PATCH /api/rooms/ana/queue/a");
});

// What became of messages that were sent from the pop-out, until nothing more is to be learnt of them.
import assert from "node:assert/strict";
import test from "node:test";

import { SendBox, forgotten, is_open } from "../../static/js/send_box.js";
import { fake_page, parts_of } from "../fake_page.mjs";

const sent = (id, ...states) => ({
  id, text: id, platforms: states.map((state, at) => ({ platform: ["twitch", "kick"][at], channel: "ana", state, detail: "" })),
});

/** A send box whose answers and timers are the test's. */
function bench(t) {
  fake_page();
  const [fetch, later, cancel] = [globalThis.fetch, globalThis.setTimeout, globalThis.clearTimeout];
  t.after(() => Object.assign(globalThis, { fetch, setTimeout: later, clearTimeout: cancel }));
  const timers = new Map();
  let number = 0;
  const calls = [];
  Object.assign(globalThis, {
    fetch: (path, { method }) => new Promise((done) => calls.push({ method, done })),
    setTimeout: (work, ms) => {
      timers.set(++number, { work, ms });
      return number;
    },
    clearTimeout: (it) => timers.delete(it),
  });
  const parts = parts_of("form", "outgoing", "replying", "words", "send", "left", "targets", "targets_button");
  const said = [];
  const box = new SendBox({
    room: "ana", parts, memory: { read: () => null, write() {} }, tell: (it) => said.push(it), announce: (it) => said.push(it),
    voices: [{ platform: "twitch", channel: "ana", max_chars: 500, reason: null }, { platform: "kick", channel: "ana", max_chars: 500, reason: null }],
  });
  const answer = async (method, body, ok = true) => {
    const call = calls.shift();
    assert.equal(call.method, method);
    call.done({ ok, status: ok ? 200 : 503, json: async () => body, headers: new Map() });
    for (let turn = 0; turn < 8; turn += 1) await null;
  };
  return {
    parts, said, calls, answer,
    async send(message) {
      parts.words.value = message.text;
      void box.send();
      const post = calls.splice(-1)[0]; // The newest call, whatever else is awaited.
      calls.unshift(post);
      await answer("POST", message);
    },
    /** Whether it was time to ask what became of them. */
    look() {
      const due = [...timers].filter(([, it]) => it.ms === 700 || it.ms === 2800);
      for (const [id, { work }] of due) {
        timers.delete(id);
        work();
      }
      return due.length > 0;
    },
    shown: () => parts.outgoing.children.map((it) => it.textContent),
  };
}

test("a message that the server knows no more has failed, and is asked for no longer", async (t) => {
  const it = bench(t);
  await it.send(sent("one", "sent", "sending"));
  assert.equal(it.look(), true);
  await it.answer("GET", { messages: [] });
  assert.match(it.shown()[0], /sentfailedKick: not known any more/);
  assert.deepEqual(it.said, ["Kick failed: not known any more"]);
  assert.equal(it.look(), false);
});

test("one that was sent while the states were asked for is not taken for forgotten", async (t) => {
  const it = bench(t);
  await it.send(sent("one", "queued"));
  it.look();
  await it.send(sent("two", "queued"));
  await it.answer("GET", { messages: [sent("one", "sent")] });
  assert.deepEqual(it.shown(), ["onesent×", "twoqueued×"]);
  assert.equal(it.look(), true);
});

test("a server that does not answer has forgotten nothing", async (t) => {
  const it = bench(t);
  await it.send(sent("one", "queued"));
  it.look();
  await it.answer("GET", {}, false);
  assert.deepEqual(it.shown(), ["onequeued×"]);
  assert.equal(it.look(), true);
});

test("every message can be dismissed, and its button stays while nothing changes", async (t) => {
  const it = bench(t);
  await it.send(sent("one", "queued"));
  const close = it.parts.outgoing.querySelector(".out-close");
  it.look();
  await it.answer("GET", { messages: [sent("one", "queued")] });
  assert.equal(it.parts.outgoing.querySelector(".out-close"), close);
  close.happen("click");
  assert.deepEqual(it.shown(), []);
  it.look();
  await it.answer("GET", { messages: [sent("one", "sent")] });
  assert.deepEqual(it.shown(), [], "it does not come back");
  assert.equal(it.look(), false);
  assert.equal(is_open(forgotten(sent("x", "queued", "sending"))), false);
});

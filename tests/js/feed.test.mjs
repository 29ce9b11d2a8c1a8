import assert from "node:assert/strict";
import test, { beforeEach, mock } from "node:test";

import { Feed } from "../../static/js/feed.js";

let sockets;
let fetches;
let fetch_answer;

class FakeSocket {
  constructor(url) {
    this.url = new URL(url);
    this.sent = [];
    this.closed = false;
    sockets.push(this);
  }
  send(text) {
    this.sent.push(text);
  }
  close() {
    this.closed = true;
  }
  receive(frame) {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }
  hello(more = {}) {
    this.receive({ v: 1, type: "hello", room: "ana", epoch: "E1", seq: 0, recovered: false, ...more });
  }
  event(seq, more = {}) {
    this.receive({ v: 1, room: "ana", epoch: "E1", seq, type: "chat.message", data: { seq }, ...more });
  }
  drop(code) {
    this.onclose?.({ code });
  }
}

function start(options = {}, random = () => 0.5) {
  const seen = [];
  const feed = new Feed({
    url: "https://example.test/overlay/ana", room: "ana", backlog: 20, ...options,
    env: {
      WebSocket: FakeSocket, random, window: new EventTarget(),
      document: Object.assign(new EventTarget(), { visibilityState: "visible" }),
      fetch: (url) => {
        fetches.push(url);
        return fetch_answer();
      },
      ...options.env,
    },
  });
  for (const name of ["hello", "event", "reset", "position", "status"]) feed.on(name, (value) => seen.push([name, value]));
  feed.start();
  return { feed, seen, of: (name) => seen.filter(([it]) => it === name).map(([, value]) => value) };
}

const last = () => sockets.at(-1);
const settle = () => new Promise((done) => setImmediate(done));

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  sockets = [];
  fetches = [];
  fetch_answer = () => Promise.resolve({});
});

test("it asks for its backlog, types, platforms and key, over TLS where the page is", () => {
  start({ types: ["chat"], platforms: ["twitch", "kick"], key: "k+y" });
  const { url } = last();
  assert.equal(url.protocol, "wss:");
  assert.equal(url.pathname, "/ws/ana");
  assert.deepEqual(Object.fromEntries(url.searchParams), { backlog: "20", types: "chat", platforms: "twitch,kick", key: "k+y" });
});

test("a lost connection resumes behind the last event seen", () => {
  const { of } = start();
  last().hello();
  last().event(1);
  last().event(2);
  last().drop(1006);
  mock.timers.tick(500);
  assert.equal(sockets.length, 2);
  assert.equal(last().url.searchParams.get("since"), "E1.2");
  last().hello({ recovered: true });
  last().event(2);
  last().event(3);
  assert.deepEqual(of("event").map((it) => it.seq), [1, 2, 3]);
  assert.equal(of("reset").length, 0);
});

test("when the server cannot resume, the page is told to clear and the backlog counts", () => {
  const { of } = start();
  last().hello();
  last().event(41);
  last().drop(1006);
  mock.timers.tick(500);
  last().hello({ recovered: false, epoch: "E1", seq: 40 });
  last().event(40);
  assert.equal(of("reset").length, 1);
  assert.deepEqual(of("event").map((it) => it.seq), [41, 40]);
});

test("the first connection never resets", () => {
  const { of } = start();
  last().hello({ recovered: false });
  assert.equal(of("reset").length, 0);
});

test("the same number in a new epoch is a new event", () => {
  const { of, feed } = start();
  last().hello();
  last().event(7);
  last().event(3, { epoch: "E2" });
  assert.equal(of("event").length, 2);
  assert.deepEqual(feed.position, { epoch: "E2", seq: 3 });
});

test("what was shown before a crash of the server is not shown again under its new epoch", () => {
  const { of, feed } = start();
  const said = (id) => ({ data: { id, text: id } });
  last().hello();
  last().event(1, said("twitch:a"));
  last().event(2, said("twitch:b"));
  last().event(3, { type: "activity", ...said("twitch:c") });
  last().drop(1006);
  mock.timers.tick(500);
  last().hello({ recovered: true, epoch: "E2" });
  last().event(2, { epoch: "E2", ...said("twitch:b") });
  last().event(3, { epoch: "E2", type: "activity", ...said("twitch:c") });
  assert.deepEqual(feed.position, { epoch: "E2", seq: 3 }, "it counts as seen");
  last().event(4, { epoch: "E2", ...said("twitch:d") });
  last().event(5, { epoch: "E2", type: "feature.show", ...said("twitch:a") });
  assert.deepEqual(of("event").map((it) => it.data.id), ["twitch:a", "twitch:b", "twitch:c", "twitch:d", "twitch:a"]);
});

test("within one epoch numbers alone decide, and a reset forgets what was shown", () => {
  const { of } = start();
  last().hello();
  last().event(1, { data: { id: "twitch:a" } });
  last().event(2, { data: { id: "twitch:a" } });
  last().drop(1006);
  mock.timers.tick(500);
  last().hello({ recovered: false, epoch: "E2" });
  last().event(1, { epoch: "E2", data: { id: "twitch:a" } });
  assert.equal(of("event").length, 3);
});

test("ids are remembered for the last two thousand events", () => {
  const { of } = start();
  last().hello();
  for (let seq = 1; seq <= 2001; seq += 1) last().event(seq, { data: { id: `twitch:${seq}` } });
  last().event(2, { epoch: "E2", data: { id: "twitch:2" } });
  assert.equal(of("event").length, 2001);
  last().event(3, { epoch: "E2", data: { id: "twitch:1" } });
  assert.equal(of("event").length, 2002);
});

test("a position moves the resume point without an event", () => {
  const { feed, of } = start();
  last().hello();
  last().event(5);
  last().receive({ v: 1, type: "position", epoch: "E1", seq: 90 });
  assert.deepEqual(feed.position, { epoch: "E1", seq: 90 });
  assert.equal(of("event").length, 1);
});

test("an early deletion is passed on at once and comes again in its place", () => {
  const { feed, of } = start();
  last().hello();
  last().event(5);
  const deletion = { v: 1, room: "ana", type: "chat.delete", data: { message_id: "twitch:1", platform: "twitch" } };
  last().receive(deletion);
  assert.deepEqual(feed.position, { epoch: "E1", seq: 5 });
  last().receive({ ...deletion, epoch: "E1", seq: 6 });
  assert.deepEqual(of("event").map((it) => it.seq), [5, undefined, 6]);
});

test("frames without a number that are no deletion, and frames that are no JSON, are ignored", () => {
  const { of } = start();
  last().hello();
  last().receive({ type: "chat.message", data: {} });
  last().onmessage({ data: "{" });
  last().receive(null);
  assert.equal(of("event").length, 0);
});

test("without a backlog, what is missed before the first event is not lost", () => {
  start({ backlog: 0 });
  last().hello({ seq: 12 });
  last().drop(1006);
  mock.timers.tick(500);
  assert.equal(last().url.searchParams.get("since"), "E1.12");
});

test("it never gives up, and never waits longer than ten seconds", () => {
  const { of } = start({}, () => 1);
  for (let failure = 0; failure < 40; failure += 1) {
    last().drop(1006);
    mock.timers.tick(10_000);
  }
  assert.equal(sockets.length, 41);
  const delays = of("status").filter((it) => it.state === "waiting").map((it) => it.retry_ms);
  assert.ok(Math.max(...delays) <= 10_000);
  assert.ok(delays[0] <= 500);
});

test("a stable connection forgives earlier failures", () => {
  const { of } = start({}, () => 1);
  for (let failure = 0; failure < 6; failure += 1) {
    last().drop(1006);
    mock.timers.tick(10_000);
  }
  last().hello();
  mock.timers.tick(10_000);
  last().drop(1006);
  assert.equal(of("status").at(-1).retry_ms, 500);
});

test("too slow resumes at once, as long as there is progress", () => {
  const { of } = start();
  last().hello();
  last().event(1);
  last().drop(4008);
  assert.equal(of("status").at(-1).retry_ms, 0);
  mock.timers.tick(1);
  last().hello({ recovered: true });
  last().drop(4008);
  assert.ok(of("status").at(-1).retry_ms > 0);
});

test("a server that goes away is back soon; a revoked key or a room gone is asked for slowly", () => {
  const { of } = start();
  last().hello();
  last().drop(1001);
  assert.ok(of("status").at(-1).retry_ms <= 1000);
  for (const code of [4003, 4004]) {
    mock.timers.tick(10_000);
    last().drop(code);
    const { retry_ms } = of("status").at(-1);
    assert.ok(retry_ms >= 8000 && retry_ms <= 10_000);
  }
});

test("a server that accepts and says nothing is left after ten seconds", () => {
  start();
  mock.timers.tick(10_000);
  assert.equal(sockets[0].closed, true);
  mock.timers.tick(500);
  assert.equal(sockets.length, 2);
});

test("silence with a living server is nothing; with a dead one it is the end of the socket", async () => {
  start();
  last().hello();
  mock.timers.tick(45_000);
  assert.deepEqual(fetches, ["https://example.test/healthz"]);
  assert.deepEqual(last().sent, ["?"]);
  await settle();
  assert.equal(last().closed, false);
  fetch_answer = () => Promise.reject(new Error("unreachable"));
  mock.timers.tick(45_000);
  await settle();
  assert.equal(sockets[0].closed, true);
  mock.timers.tick(500);
  assert.equal(sockets.length, 2);
});

test("when the network returns, it does not wait for its turn", () => {
  const window = new EventTarget();
  start({ env: { window } }, () => 1);
  for (let failure = 0; failure < 6; failure += 1) {
    last().drop(1006);
    mock.timers.tick(10_000);
  }
  last().drop(1006);
  const before = sockets.length;
  window.dispatchEvent(new Event("online"));
  assert.equal(sockets.length, before + 1);
});

test("once stopped, it stays stopped", () => {
  const { feed } = start();
  last().hello();
  feed.stop();
  mock.timers.tick(120_000);
  assert.equal(sockets.length, 1);
  assert.equal(last().closed, true);
});

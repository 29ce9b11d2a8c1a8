// Where a room's key stands, and where it does not.
import assert from "node:assert/strict";
import test from "node:test";

import { hide_key, lead } from "../../static/js/keyed.js";

const ADDRESS = "http://one.test/chat/ana?pronouns=1&key=secret#x";

/** A window at an address; `stored` is what its tab remembers over a load. */
function window_at(href, stored = new Map()) {
  const env = {
    stored, location: { href },
    sessionStorage: { getItem: (name) => stored.get(name) ?? null, setItem: (name, value) => stored.set(name, value) },
    history: { state: null, replaceState: (_, __, to) => (env.location.href = to) },
  };
  return env;
}

test("the operator's window shows no key, and has it still, and after it is loaded anew", () => {
  const env = window_at(ADDRESS);
  assert.equal(hide_key({ room: "ana", key: "secret", operator: true }, env), "secret");
  assert.equal(env.location.href, "http://one.test/chat/ana?pronouns=1#x");
  const anew = window_at(env.location.href, env.stored);
  assert.equal(hide_key({ room: "ana", key: null, operator: true }, anew), "secret");
  assert.equal(hide_key({ room: "ben", key: null, operator: true }, anew), null, "the key is of one room");
});

test("a guest keeps the address that opens the page, and so do a dock of OBS and a window that remembers nothing", () => {
  const guest = window_at(ADDRESS);
  assert.equal(hide_key({ room: "ana", key: "secret", operator: false }, guest), "secret");
  assert.equal(guest.location.href, ADDRESS);
  assert.equal(guest.stored.size, 0);
  const dock = window_at(ADDRESS);
  dock.navigator = { userAgent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/127.0.0.0 Safari/537.36 OBS/31.0.2" };
  hide_key({ room: "ana", key: "secret", operator: true }, dock);
  assert.equal(dock.location.href, ADDRESS);
  const forgetful = window_at(ADDRESS);
  forgetful.sessionStorage = { setItem() { throw new Error("full"); } };
  assert.equal(hide_key({ room: "ana", key: "secret", operator: true }, forgetful), "secret");
  assert.equal(forgetful.location.href, ADDRESS);
  Object.defineProperty(forgetful, "sessionStorage", { get() { throw new Error("switched off"); } });
  assert.equal(hide_key({ room: "ana", key: null, operator: true }, forgetful), null);
});

test("a link with a key says nothing of it, and leads there all the same", (t) => {
  const opened = [];
  Object.assign(globalThis, { location: { href: "http://one.test/livechat" }, window: { open: (address) => opened.push(address) } });
  t.after(() => {
    delete globalThis.location;
    delete globalThis.window;
  });
  const link = {};
  lead(link, ADDRESS);
  assert.doesNotMatch(link.href, /secret/);
  const event = { button: 0, prevented: false, preventDefault: () => (event.prevented = true) };
  link.onclick(event);
  assert.equal(event.prevented, true);
  assert.deepEqual(opened, [ADDRESS]);
  const plain = {};
  lead(plain, "/chat/ana");
  assert.equal(plain.onclick, undefined);
});

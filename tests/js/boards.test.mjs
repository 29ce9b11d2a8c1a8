// Polls, tallies and scoreboards as those see them who work with them: answers that are late, and what forms send.
import assert from "node:assert/strict";
import test from "node:test";

import { Store } from "../../static/js/boards/store.js";
import { tally_body } from "../../static/js/boards/tallies.js";
import { account_of, entry_of, in_order, poll_body, sent_places, state_words, vote_words, writers_of } from "../../static/js/boards/words.js";
import { Entries } from "../../static/js/entries.js";
import { Boards } from "../../static/js/widgets/boards.js";
import { how_to_vote } from "../../static/js/widgets/poll.js";
import { FakeElement, fake_page } from "../fake_page.mjs";

const poll = (poll_id, votes, more = {}) => ({ poll_id, question: poll_id, state: "open", options: [{ option_id: "1", label: "North", votes }], ...more });
const update = (data) => ({ type: "poll.update", data });

/** A store whose answers the test gives. */
function bench() {
  const calls = [];
  globalThis.fetch = (path, { method, body }) => new Promise((done) => calls.push({ call: `${method} ${path}`, body, done }));
  const store = new Store({ room: "ana" });
  const changes = [];
  store.on("change", (name) => changes.push(name));
  return {
    store, calls, changes,
    votes: () => store.list("polls").map((it) => [it.poll_id, it.options[0].votes]),
    async answer(body, ok = true) {
      calls.shift().done({ ok, status: ok ? 200 : 409, json: async () => body, headers: new Map() });
      for (let turn = 0; turn < 8; turn += 1) await null;
    },
  };
}

test("news hold against an answer that was asked for before them", async () => {
  const it = bench();
  const read = it.store.read("polls");
  it.store.take(update(poll("a", 5)));
  it.store.take(update(poll("c", 1)));
  await it.answer({ polls: [poll("a", 2, { seconds: 60 }), poll("b", 7)] });
  await read;
  assert.deepEqual(it.votes(), [["c", 1], ["a", 5], ["b", 7]], "what came meanwhile stays, with what only the answer knows");
  assert.equal(it.store.list("polls")[1].seconds, 60);

  const again = it.store.read("polls");
  await it.answer({ polls: [poll("b", 8)] });
  await again;
  assert.deepEqual(it.votes(), [["b", 8]], "what an answer of after them does not have is gone");
});

test("what a call answers is taken, unless the socket told more meanwhile", async () => {
  const it = bench();
  it.store.take(update(poll("a", 1)));
  let done = it.store.write("PATCH", "polls", "/a", { state: "closed" });
  assert.equal(it.calls[0].call, "PATCH /api/rooms/ana/polls/a");
  await it.answer(poll("a", 1, { state: "closed" }));
  await done;
  assert.equal(it.store.list("polls")[0].state, "closed");

  done = it.store.write("POST", "tallies", "/t/count", { by: 1 });
  it.store.take({ type: "tally.update", data: { tally_id: "t", count: 9 } });
  await it.answer({ tally: { tally_id: "t", count: 8 } });
  await done;
  assert.equal(it.store.list("tallies")[0].count, 9);
});

test("what was deleted leaves, and what is no board is not one", () => {
  const it = bench();
  it.store.greet({ polls: [poll("b", 2), poll("a", 1)], tallies: [{ tally_id: "t", count: 1 }] });
  assert.deepEqual(it.votes(), [["b", 2], ["a", 1]], "the one that changed last is first, as told");
  it.store.take({ type: "tally.update", data: { tally_id: "t", count: 1, removed: true } });
  assert.deepEqual(it.store.list("tallies"), []);
  it.store.forget("polls", "b");
  assert.deepEqual(it.votes(), [["a", 1]]);
  for (const event of [{ type: "poll.update", data: {} }, { type: "chat.message", data: { poll_id: "x" } }, { type: "poll.update", data: null }]) {
    assert.equal(it.store.take(event), false);
  }
});

test("what a form has becomes what the server takes", () => {
  const form = { question: " Where? ", options: ["North", " ", " South "], minutes: "2", vote_trigger: " ", bare_numbers: false, platforms: [] };
  assert.deepEqual(poll_body(form), { question: "Where?", options: ["North", "South"], seconds: 120 });
  assert.deepEqual(poll_body({ ...form, minutes: "", vote_trigger: "!go", bare_numbers: true, platforms: ["kick"], draft: true }),
    { question: "Where?", options: ["North", "South"], vote_trigger: "!go", bare_numbers: true, platforms: ["kick"], draft: true });
  assert.deepEqual(sent_places(form.options), [0, 2], "an error about the second option belongs to the third field");
  const tally = { label: "Deaths", unit: "", target: "", feed: "", currency: "EUR", aggregation: "none", once_per_viewer: false, items: [] };
  assert.deepEqual(tally_body(tally), { label: "Deaths" });
  assert.deepEqual(tally_body({ ...tally, target: "500", feed: "donations", aggregation: "weekly", once_per_viewer: true, unit: "bulbs", items: ["a"] }),
    { label: "Deaths", unit: "bulbs", target: 500, feed: "donations", currency: "EUR", aggregation: { type: "weekly" }, once_per_viewer: true, items: ["a"] });
});

test("polls that run come first, and say how to vote and for how long", () => {
  assert.deepEqual(in_order([{ state: "closed" }, { state: "draft" }, { state: "open" }]).map((it) => it.state), ["open", "draft", "closed"]);
  const now = Date.parse("2026-11-20T18:00:00Z");
  assert.equal(state_words({ state: "open", closes_at: "2026-11-20T18:01:05Z" }, now), "1:05");
  assert.equal(state_words({ state: "open", closes_at: null }, now), "Open");
  assert.equal(state_words({ state: "closed", closes_at: "2026-11-20T18:01:05Z" }, now), "Closed");
  const options = [{}, {}, {}];
  assert.equal(vote_words({ vote_trigger: "!vote", options }), "Vote with !vote 1 … 3");
  assert.equal(vote_words({ vote_trigger: "!vote", bare_numbers: true, options, platforms: ["kick"] }), "Vote with !vote 1 … 3, or only the number on Kick");
  assert.equal(vote_words({ options }), "");
});

test("an entry of a scoreboard is read in either shape", () => {
  assert.deepEqual(entry_of({ display_name: "Mira", score_value: 3 }, 1), { position: 2, label: "Mira", score: 3 });
  assert.deepEqual(entry_of({ position: 1, label: "Mira", score: 3 }, 1), { position: 1, label: "Mira", score: 3 });
});

test("a login of somebody who wrote lately means their account", () => {
  const writers = writers_of([{ data: { platform: "twitch", author: { id: "twitch:77", login: "Mira", name: "Mira" } } }, { data: {} }]);
  assert.equal(account_of("twitch", "@mira", writers), "twitch:77");
  assert.equal(account_of("twitch", "123", writers), "twitch:123");
  assert.equal(account_of("twitch", "twitch:123", writers), "twitch:123");
  assert.equal(account_of("kick", " ", writers), "");
});

test("the card says what to write while the poll is open, where the snapshot does", () => {
  const said = (it) => how_to_vote(it).map(({ text }) => text).join("");
  const options = [{}, {}, {}];
  assert.equal(said({ state: "open", vote_trigger: "!vote", options }), "Write !vote 1 … !vote 3");
  assert.equal(said({ state: "open", vote_trigger: "!vote", bare_numbers: true, options }), "Write 1 … 3");
  for (const it of [{ state: "open", options }, { state: "closed", vote_trigger: "!vote", options }, { state: "open", vote_trigger: "!vote", options: null }]) assert.equal(said(it), "");
});

test("a board that was deleted leaves the widget", () => {
  const boards = new Boards();
  boards.take({ type: "tally.update", data: { tally_id: "t", count: 1 } });
  assert.equal(boards.pick("tally.update").count, 1);
  assert.equal(boards.take({ type: "tally.update", data: { tally_id: "t", count: 1, removed: true } }), true);
  assert.equal(boards.pick("tally.update"), null);
});

test("entries keep their elements, their order is that of the things, and the focus stays", () => {
  fake_page();
  const list = new FakeElement("ul");
  const drawn = [];
  const gone = [];
  const entries = new Entries(list, (it) => it.id, (it) => {
    const item = new FakeElement("li");
    item.dataset.id = it.id;
    item.remove = () => {
      list.children.splice(list.children.indexOf(item), 1);
      item.parent = null;
    };
    return { item, draw: (now, at) => drawn.push([now.id, at]), gone: () => gone.push(it.id) };
  });
  list.insertBefore = (child, next) => {
    const had = list.children.indexOf(child);
    if (had >= 0) list.children.splice(had, 1);
    list.children.splice(next ? list.children.indexOf(next) : list.children.length, 0, child);
    child.parent = list;
  };
  const shown = () => list.children.map((it) => it.dataset.id).join("");
  entries.show([{ id: "a" }, { id: "b" }, { id: "c" }]);
  const b = entries.item("b");
  b.focus();
  entries.show([{ id: "c" }, { id: "b" }, { id: "d" }]);
  assert.equal(shown(), "cbd");
  assert.equal(entries.item("b"), b);
  assert.equal(document.activeElement, b);
  assert.deepEqual(gone, ["a"]);
  entries.show([{ id: "d" }]);
  assert.equal(shown(), "d");
  assert.equal(document.activeElement, list, "whoever had the focus is gone: the list has it");
  assert.deepEqual(drawn.at(-1), ["d", 0]);
});

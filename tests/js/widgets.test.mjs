// What widgets compute, and which board they show.
import assert from "node:assert/strict";
import test from "node:test";

import { Filter } from "../../static/js/filter.js";
import { join_settings } from "../../static/js/settings.js";
import { Boards } from "../../static/js/widgets/boards.js";
import { clock_text, lengths, number_writer, percents, progress, ranked, shares, winners } from "../../static/js/widgets/numbers.js";
import { keys } from "../../static/js/widgets/parts.js";
import { fits, leaves_at } from "../../static/js/widgets/poll.js";

const sum = (numbers) => numbers.reduce((all, it) => all + it, 0);

test("percentages add to 100, whatever the votes", () => {
  assert.deepEqual(percents([1, 1, 1]), [34, 33, 33]);
  assert.deepEqual(percents([2, 1]), [67, 33]);
  assert.deepEqual(percents([0, 5, 0]), [0, 100, 0]);
  assert.deepEqual(percents([0, 0]), [0, 0], "nobody has voted");
  assert.deepEqual(percents([]), []);
  let seed = 7;
  const next = () => (seed = (seed * 48_271) % 2_147_483_647);
  for (let round = 0; round < 500; round += 1) {
    const votes = Array.from({ length: 1 + (next() % 20) }, () => next() % (round % 3 ? 9 : 1_000_000_000));
    const found = percents(votes);
    assert.equal(sum(found), sum(votes) ? 100 : 0, `${votes}`);
    const exact = shares(votes);
    found.forEach((it, at) => assert.ok(Math.abs(it - exact[at] * 100) < 1, `${votes}: ${found}`));
    for (let a = 0; a < votes.length; a += 1) {
      for (let b = 0; b < votes.length; b += 1) if (votes[a] > votes[b]) assert.ok(found[a] >= found[b], "more votes never look like fewer");
    }
  }
});

test("huge, negative and broken numbers do no harm", () => {
  assert.equal(sum(percents([2 ** 63, 2 ** 62])), 100);
  assert.deepEqual(shares([-5, 5]), [0, 1]);
  assert.deepEqual(shares([NaN, null, "x", 4]), [0, 0, 0, 1]);
  assert.deepEqual(lengths([-3, 0, 6, 3]), [0, 0, 1, 0.5]);
  assert.deepEqual(lengths([0, -1]), [0, 0]);
});

test("equals share a rank and keep their order", () => {
  const order = ranked([["a", 1], ["b", 3], ["c", 3], ["d", -2], ["e", 9]], (it) => it[1]);
  assert.deepEqual(order.map(({ item, rank }) => [item[0], rank]), [["e", 1], ["b", 2], ["c", 2], ["a", 4], ["d", 5]]);
});

test("a winner has the most; there may be several, or none", () => {
  assert.deepEqual(winners([1, 4, 4]), [1, 2]);
  assert.deepEqual(winners([0, 0]), []);
  assert.deepEqual(winners([]), []);
});

test("a goal is not at 100 % before it is reached", () => {
  assert.deepEqual(progress(9999, 10_000), { share: 0.9999, percent: 99, reached: false });
  assert.deepEqual(progress(29, 100), { share: 0.29, percent: 29, reached: false });
  assert.deepEqual(progress(132, 100), { share: 1, percent: 132, reached: true });
  assert.deepEqual(progress(-4, 100), { share: 0, percent: 0, reached: false });
  assert.equal(progress(0, 0).reached, true);
});

test("numbers are written for people, from a million in short", () => {
  const write = number_writer("en");
  assert.equal(write(999_999), "999,999");
  assert.equal(write(1_234_567), "1.23M");
  assert.equal(write(-12.4), "-12");
  assert.equal(number_writer("de")(12_345), "12.345");
  assert.equal(clock_text(64_001), "1:05");
  assert.equal(clock_text(-1), "0:00");
  assert.equal(clock_text(3_723_000), "1:02:03");
});

test("of equal labels each has a key of its own", () => {
  const found = keys(["a", "b", "a"]);
  assert.equal(new Set(found).size, 3);
  assert.deepEqual(found.slice(0, 2), ["a", "b"]);
});

const poll = (poll_id, votes, state = "open") => ({ type: "poll.update", data: { poll_id, votes, state } });

test("the board that changed last is shown, or the one that is asked for", () => {
  const boards = new Boards();
  for (const it of [poll("a", 1), poll("b", 1), poll("a", 2)]) assert.ok(boards.take(it));
  assert.equal(boards.take({ type: "chat.message", data: { id: "x" } }), false);
  assert.equal(boards.take({ type: "poll.update", data: {} }), false);
  assert.equal(boards.take({ type: "constructor", data: { poll_id: "x" } }), false);
  assert.deepEqual(boards.pick("poll.update"), poll("a", 2).data);
  assert.deepEqual(boards.pick("poll.update", "b"), poll("b", 1).data);
  assert.equal(boards.pick("poll.update", "c"), null);
  boards.take(poll("a", 2, "archived"));
  assert.equal(boards.pick("poll.update", "", fits).poll_id, "b");
  assert.equal(boards.pick("poll.update", "a", fits), null);
});

test("a greeting replaces what was known; its first is the newest", () => {
  const boards = new Boards();
  boards.take(poll("old", 1));
  boards.greet({ polls: [poll("new", 3).data, poll("older", 2).data] });
  assert.equal(boards.pick("poll.update").poll_id, "new");
  assert.equal(boards.pick("poll.update", "old"), null);
  boards.greet(undefined);
  assert.equal(boards.pick("poll.update"), null);
});

test("a pinned board outlives a greeting that has no place for it, and hears what it missed", () => {
  const boards = new Boards(undefined, "mine");
  const others = Array.from({ length: 12 }, (_, at) => poll(`other-${at}`, at).data);
  boards.take(poll("mine", 1));
  boards.greet({ polls: others });
  assert.equal(boards.pick("poll.update", "mine").votes, 1);
  assert.equal(boards.pick("poll.update").poll_id, "other-0", "it is not the newest");
  assert.equal(boards.says_more(poll("mine", 2)), true);
  assert.equal(boards.says_more(poll("other-3", 2)), false);
  assert.equal(boards.says_more({ type: "tally.update", data: { tally_id: "mine" } }), false);
  assert.equal(boards.says_more({ type: "chat.delete", data: {} }), false);
  boards.greet({ polls: [...others.slice(1), poll("mine", 3).data] });
  assert.equal(boards.pick("poll.update", "mine").votes, 3);
  assert.equal(boards.says_more(poll("mine", 2)), false, "the greeting is newer");
  boards.greet({ polls: others.slice(1) });
  assert.equal(boards.pick("poll.update", "mine"), null, "all were told: it is no more");
  const any = new Boards();
  any.greet({ polls: others });
  assert.equal(any.says_more({ type: "poll.update", data: {} }), false);
});

test("what is moderated leaves the queue, and does not come back with a queue that was said before", () => {
  const boards = new Boards();
  const message = (id, author = "twitch:a") => ({ id, platform: "twitch", text: id, author: { id: author } });
  const queue = (...items) => ({ type: "queue.update", data: { items } });
  const ids = () => boards.pick("queue.update")?.items.map((it) => it.id);
  boards.take(queue(message("1"), message("2"), message("3", "twitch:b")));
  assert.deepEqual(ids(), ["1", "2", "3"]);
  assert.equal(boards.take({ type: "chat.delete", data: { message_id: "2" } }), true);
  assert.deepEqual(ids(), ["1", "3"]);
  boards.take(queue(message("1"), message("2"), message("3", "twitch:b")));
  assert.deepEqual(ids(), ["1", "3"]);
  assert.equal(boards.take({ type: "chat.clear_user", seq: 9, data: { author_id: "twitch:b" } }), true);
  assert.equal(boards.take({ type: "chat.delete", data: { message_id: "other" } }), false);
  assert.deepEqual(ids(), ["1"]);
  boards.greet({}, [message("4")]);
  assert.deepEqual(ids(), ["4"]);
  boards.take({ type: "queue.update", data: null });
  assert.equal(boards.pick("queue.update", "", ({ items }) => items.length > 0), null);
});

test("a queue on a stream shows nobody who is hidden, and no blocked word", () => {
  let filter = new Filter(join_settings({ hidden_users: ["pest"], blocked_words: ["secret"], hide_commands: true }, {}));
  const boards = new Boards((it) => filter.admits_words(it));
  const message = (id, login, text) => ({ id, platform: "twitch", text, author: { id: `twitch:${login}-id`, login, name: login, roles: [] } });
  boards.take({ type: "queue.update", data: { items: [
    message("1", "ana", "hello"), message("2", "pest", "hello"), message("3", "ben", "a Secret"), message("4", "secret", "hi"), message("5", "ana", "!song"),
  ] } });
  const ids = () => boards.pick("queue.update").items.map((it) => it.id);
  assert.deepEqual(ids(), ["1", "5"], "a command that was chosen by hand was meant");
  filter = new Filter(join_settings({}, {}));
  assert.deepEqual(ids(), ["1", "2", "3", "4", "5"]);
});

test("an outcome stays for a while, by the time the poll was closed", () => {
  const closed = { state: "closed", closed_at: "2026-11-24T18:00:00.000Z" };
  const at = Date.parse(closed.closed_at);
  assert.equal(leaves_at(closed, 30_000, at + 5000), at + 30_000);
  assert.equal(leaves_at(closed, 0, at), Infinity);
  assert.equal(leaves_at({ state: "open", closed_at: null }, 30_000, at), Infinity);
  assert.equal(leaves_at({ state: "closed", closed_at: null }, 30_000, 77), 30_077);
});

// What the pop-out's send box, queue, picker and announcer decide without a page.
import assert from "node:assert/strict";
import test from "node:test";

import { Announcer, summary } from "../../static/js/announcer.js";
import { GROUPS, find_emoji } from "../../static/js/emoji.js";
import { EmojiPicker, next_cell } from "../../static/js/emoji_picker.js";
import { LetterKeys, is_letter } from "../../static/js/letter_keys.js";
import { counts_after } from "../../static/js/moderation.js";
import { moved, place_of } from "../../static/js/queue.js";
import { count_chars, is_open, is_sent, length_note, sends, speaking } from "../../static/js/send_box.js";
import { fake_page, parts_of } from "../fake_page.mjs";

const voice = (platform, max_chars = 500, reason = null) => ({ platform, channel: "ana", max_chars, reason });

test("enter sends, but not with shift and not while a word is being composed", () => {
  assert.equal(sends({ key: "Enter" }), true);
  assert.equal(sends({ key: "Enter", shiftKey: true }), false);
  assert.equal(sends({ key: "Enter", isComposing: true }), false);
  assert.equal(sends({ key: "Enter", keyCode: 229 }), false);
  assert.equal(sends({ key: "a" }), false);
});

test("it goes to what was chosen as far as that can speak, else to all that can", () => {
  const voices = [voice("twitch"), voice("kick"), voice("rumble", 0, "no token")];
  const platforms = (chosen) => speaking(voices, chosen).map((it) => it.platform);
  assert.deepEqual(platforms([]), ["twitch", "kick"]);
  assert.deepEqual(platforms(["kick"]), ["kick"]);
  assert.deepEqual(platforms(["rumble"]), ["twitch", "kick"]);
  assert.deepEqual(platforms(["youtube", "twitch"]), ["twitch"]);
});

test("characters are counted as the server does, and each platform's limit is told", () => {
  assert.equal(count_chars("a😀é"), 3);
  assert.equal(length_note("short", [voice("twitch")]), null);
  assert.deepEqual(length_note("😀".repeat(430), [voice("twitch")]), { words: "70 left", is_bad: false });
  assert.deepEqual(length_note("x".repeat(501), [voice("twitch")]), { words: "1 characters too many", is_bad: true });
  assert.deepEqual(length_note("x".repeat(201), [voice("twitch"), voice("youtube", 200)]), {
    words: "Too long for YouTube: left out there", is_bad: false,
  });
  assert.deepEqual(length_note("x".repeat(201), [voice("youtube", 200)]), { words: "YouTube: at most 200 characters", is_bad: true });
});

test("a message is open until every platform has answered, and sent when all have it", () => {
  const states = (...list) => ({ platforms: list.map((state) => ({ state })) });
  assert.equal(is_open(states("sent", "queued")), true);
  assert.equal(is_open(states("sent", "sending")), true);
  assert.equal(is_open(states("sent", "blocked", "failed")), false);
  assert.equal(is_sent(states("sent", "sent")), true);
  assert.equal(is_sent(states("sent", "failed")), false);
});

test("an item moves up, down, and never over the ends", () => {
  assert.deepEqual(moved(["a", "b", "c"], 2, 0), ["c", "a", "b"]);
  assert.deepEqual(moved(["a", "b", "c"], 0, 1), ["b", "a", "c"]);
  assert.deepEqual(moved(["a", "b", "c"], 0, 9), ["b", "c", "a"]);
  assert.deepEqual(moved(["a", "b", "c"], 1, -4), ["b", "a", "c"]);
  assert.equal(place_of(5, [10, 30]), 0);
  assert.equal(place_of(20, [10, 30]), 1);
  assert.equal(place_of(99, [10, 30]), 2);
});

test("every emoji is listed with words, once per group, and found by them, names first", () => {
  for (const { title, emoji } of GROUPS) {
    assert.equal(new Set(emoji.map((it) => it.text)).size, emoji.length, title);
    for (const it of emoji) {
      assert.match(it.text, /[\p{Extended_Pictographic}\u20E3]/u, title);
      assert.ok(it.words.length && it.words.every(Boolean), it.text);
    }
  }
  assert.equal(find_emoji("fire")[0].text, "🔥");
  assert.equal(find_emoji("heart red")[0].text, "❤️");
  assert.ok(find_emoji("lol").some((it) => it.text === "😂"));
  assert.deepEqual(find_emoji("nothing-is-called-this"), []);
  const party = { text: "🎉", words: ["party"] };
  assert.deepEqual(find_emoji("party", [party, party]), [party], "once, however often it is listed");
  assert.deepEqual(find_emoji("KAP", [{ text: "Kappa", words: ["Kappa"] }]).map((it) => it.text), ["Kappa"]);
});

test("arrow keys walk a grid that wraps", () => {
  const boxes = [[0, 0], [10, 0], [20, 0], [0, 10], [10, 10]].map(([left, top]) => ({ left, top }));
  assert.equal(next_cell("ArrowDown", 1, boxes), 4);
  assert.equal(next_cell("ArrowDown", 2, boxes), 4);
  assert.equal(next_cell("ArrowDown", 4, boxes), 4);
  assert.equal(next_cell("ArrowUp", 3, boxes), 0);
  assert.equal(next_cell("ArrowUp", 1, boxes), -1);
  assert.equal(next_cell("ArrowRight", 4, boxes), 4);
  assert.equal(next_cell("ArrowLeft", 0, boxes), -1);
  assert.equal(next_cell("x", 0, boxes), null);
});

test("a flood is read out as one line and a number, and what was deleted not at all", () => {
  const timers = [];
  const said = [];
  const announcer = new Announcer((it) => said.push(it), { setTimeout: (run) => timers.push(run) });
  announcer.chat("Bo", "not asked for");
  announcer.reads_chat = true;
  announcer.chat("Bo", "hello");
  for (let at = 0; at < 50; at += 1) announcer.chat("Cleo", `line ${at}`);
  assert.deepEqual(said, ["Bo: hello"]);
  timers.shift()();
  assert.deepEqual(said, ["Bo: hello", "49 more, then Cleo: line 49"]);
  announcer.chat("Dan", "a secret");
  announcer.forget_chat();
  assert.equal(said.pop(), "", "nor does it stand in the region any longer");
  announcer.forget_chat();
  assert.equal(said.length, 2);
  announcer.note("Sent");
  announcer.note("Queued: Bo");
  timers.shift()();
  assert.deepEqual(said.slice(2), ["Sent. Queued: Bo"]);
  assert.equal(timers.length, 1);
  timers.shift()();
  assert.equal(timers.length, 0);
  assert.equal(summary([]), "");
});

test("a deleted message is gone whenever that is told, and a purge leaves what was said since", () => {
  assert.equal(counts_after({ type: "chat.delete", seq: 4 }, 9), true, "by a resume");
  assert.equal(counts_after({ type: "chat.redacted", seq: 4 }, 9), true);
  assert.equal(counts_after({ type: "chat.clear_user", seq: 4 }, 9), false);
  assert.equal(counts_after({ type: "chat.clear", seq: 9 }, 9), false);
  assert.equal(counts_after({ type: "chat.clear", seq: 10 }, 9), true);
  assert.equal(counts_after({ type: "chat.clear_user" }, 9), true, "an early copy is of now");
});

const on = (...selectors) => ({ closest: (list) => (list.split(", ").some((it) => selectors.includes(it)) ? {} : null) });

test("keys of one character act where nobody types, in no panel, and not when they are switched off", () => {
  const stored = new Map();
  const keys = new LetterKeys({ read: (name) => stored.get(name) ?? null, write: (name, value) => stored.set(name, value) });
  assert.equal(keys.may_act({ key: "x", target: on() }), true);
  assert.equal(keys.may_act({ key: "x", target: {} }), true, "the document itself");
  for (const place of ["input", "textarea", '[role="dialog"]']) assert.equal(keys.may_act({ key: "x", target: on(place) }), false, place);
  keys.are_on = false;
  for (const key of ["x", "/", "?", "+"]) assert.equal(keys.may_act({ key, target: on() }), false, key);
  assert.equal(keys.may_act({ key: "End", target: on() }), true, "it is no character");
  assert.equal(new LetterKeys({ read: (name) => stored.get(name) ?? null }).are_on, false, "it is remembered");
  keys.are_on = true;
  assert.equal(keys.may_act({ key: "x", target: on() }), true);
  assert.equal(is_letter({ key: "ü" }), true);
  assert.equal(is_letter({ key: "x", altKey: true }), false);
});

test("what is typed over the grid of emoji goes to its search, and no further", () => {
  fake_page();
  const { panel, button } = parts_of("panel", "button");
  const body = parts_of("body").body;
  body.append(panel);
  const heard = [];
  body.addEventListener("keydown", ({ key }) => heard.push(key));
  const picked = [];
  const picker = new EmojiPicker({ panel, button, memory: { read: () => null, write() {} }, pick: (text) => picked.push(text) });
  picker.open();
  const [search, grid] = panel.children;
  const cell = grid.querySelector("button");
  for (const key of ["x", "n", "/"]) {
    cell.focus();
    const event = cell.happen("keydown", { key });
    assert.equal(document.activeElement, search, key);
    assert.equal(event.prevented, false, "the field gets the character");
  }
  assert.deepEqual(heard, []);
  cell.focus();
  cell.happen("keydown", { key: " " });
  assert.equal(document.activeElement, cell, "the space bar chooses it");
});

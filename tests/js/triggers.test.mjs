// What the editor of triggers makes of a form, and how it tells what happened.
import assert from "node:assert/strict";
import test from "node:test";

import { part_of } from "../../static/js/dashboard_parts.js";
import { sort_errors } from "../../static/js/fields.js";
import { key_of } from "../../static/js/triggers/decisions.js";
import {
  body_of, id_for, insert_at, major_of, minor_of, new_trigger, reordered, same, with_draft, without_prefix, words_of,
} from "../../static/js/triggers/draft.js";
import { actor_of, length_words, verdict } from "../../static/js/triggers/dry_run.js";
import { parse_file } from "../../static/js/triggers/importing.js";
import { job_facts } from "../../static/js/triggers/jobs.js";
import { ACTIONS, VARIABLES, action_words, call_words, limit_words, outcome_words, problem_words } from "../../static/js/triggers/words.js";

const reply = (text) => [{ action_type: "reply", payload: { text } }];

test("what belongs to another type, says nothing, or is the server's, is not sent", () => {
  const draft = {
    ...new_trigger(), trigger_id: "hello", source: "page", creator_id: "ana", updated_at: "2026-11-20T18:00:00Z", shut: "beyond the tier", command: "hello", aliases: [], pattern: "left over", keywords: ["x"],
    minutes: 5, cooldown_seconds: 0, platforms: [], least_amount: null, description: "", enabled: true, actions: reply("Hi {user}"),
  };
  assert.deepEqual(body_of(draft), { trigger_id: "hello", type: "command", command: "hello", enabled: true, actions: reply("Hi {user}") });
  assert.equal(body_of({ ...draft, prefix: "" }).prefix, "", "a command may have none");
  assert.equal(body_of({ ...draft, prefix: "?" }).prefix, "?");
  assert.equal(body_of({ ...draft, enabled: false }).enabled, false);
  const timer = body_of({ ...draft, type: "timer", access: "vips", cooldown_seconds: 30, least_lines: 10 });
  assert.deepEqual(timer, { trigger_id: "hello", type: "timer", minutes: 5, least_lines: 10, enabled: true, actions: reply("Hi {user}") });
  assert.equal(body_of({ ...draft, type: "timer", least_lines: 0 }).least_lines, 0, "no line at all is not the standard");
  assert.ok(!("least_lines" in body_of({ ...draft, type: "timer", least_lines: null })));
  // What is missing is the server's to name: at its field, which therefore has to be there.
  assert.deepEqual(Object.keys(body_of({ ...draft, type: "regex", pattern: "" })).sort(), ["actions", "enabled", "pattern", "trigger_id", "type"]);
});

test("of actions, empty members say nothing", () => {
  const actions = [{ action_type: "poll_open", payload: { question: "Where?", options: [], minutes: null } }, { action_type: "feature", payload: {} }, { action_type: "queue" }];
  assert.deepEqual(body_of({ ...new_trigger(), actions }).actions, [
    { action_type: "poll_open", payload: { question: "Where?" } }, { action_type: "feature", payload: {} }, { action_type: "queue", payload: {} },
  ]);
});

test("sameness does not ask for the order of members", () => {
  assert.ok(same({ a: 1, b: [{ c: 1, d: 2 }] }, { b: [{ d: 2, c: 1 }], a: 1 }));
  assert.ok(!same({ a: [1, 2] }, { a: [2, 1] }));
});

test("a draft is tried in its place among the others", () => {
  const all = [{ trigger_id: "a", type: "command", command: "a", source: "file", actions: [] }, { trigger_id: "b", type: "command", command: "b", source: "page", actions: [] }];
  const changed = with_draft(all, { ...all[1], command: "bb" }, "b");
  assert.deepEqual(changed.map((it) => it.command), ["a", "bb"]);
  assert.ok(changed.every((it) => !("source" in it)));
  const added = with_draft(all, { ...new_trigger(), command: "new" }, null);
  assert.deepEqual(added.map((it) => it.trigger_id), ["a", "b", "draft"]);
});

test("a name is made from what calls it, and none is taken twice", () => {
  assert.equal(id_for({ type: "command", command: "Hello" }, []), "hello");
  assert.equal(id_for({ type: "command", command: "hello" }, ["hello", "hello-2"]), "hello-3");
  assert.equal(id_for({ type: "keyword", keywords: ["Café au lait"] }, []), "cafe-au-lait");
  assert.equal(id_for({ type: "regex", pattern: "^(gg|wp)\\b" }, []), "gg-wp-b");
  assert.equal(id_for({ type: "timer", minutes: 15 }, []), "every-15");
  assert.equal(id_for({ type: "command", command: "你好" }, []), "command");
  for (const it of ["--", "_x", "a".repeat(200)]) assert.match(id_for({ type: "command", command: it }, []), /^[a-z0-9][a-z0-9_-]{0,63}$/);
});

test("words are read as people list them", () => {
  assert.equal(without_prefix(" !hello ", "!"), "hello");
  assert.equal(without_prefix("!", "!"), "!");
  assert.equal(without_prefix("hello", ""), "hello");
  assert.deepEqual(words_of("hi, hey  hoy,,hi", { by_space: true }), ["hi", "hey", "hoy"]);
  assert.deepEqual(words_of("good game\nwell played, gg"), ["good game", "well played", "gg"]);
});

test("amounts are typed in whole units and kept in the smallest", () => {
  assert.equal(minor_of("4,50", "EUR"), 450);
  assert.equal(minor_of("4.5", "USD"), 450);
  assert.equal(minor_of("500", "JPY"), 500);
  assert.equal(minor_of("100", "bits"), 100);
  for (const it of ["", " ", "x", "-1", "1e999"]) assert.equal(minor_of(it, "EUR"), null, it);
  assert.equal(major_of(450, "EUR"), "4.50");
  assert.equal(major_of(500, "JPY"), "500");
  assert.equal(major_of(100, "bits"), "100");
});

test("a variable goes where the cursor is, in place of what is selected", () => {
  assert.deepEqual(insert_at("Hi !", 3, 3, "{user}"), { text: "Hi {user}!", caret: 9 });
  assert.deepEqual(insert_at("Hi you!", 3, 6, "{user}"), { text: "Hi {user}!", caret: 9 });
  assert.deepEqual(insert_at("Hi", null, null, "{user}"), { text: "Hi{user}", caret: 8 });
});

test("only the room's own are moved, and only among themselves", () => {
  const all = [{ trigger_id: "f", source: "file" }, { trigger_id: "a", source: "page" }, { trigger_id: "b", source: "page" }, { trigger_id: "c", source: "page" }];
  assert.deepEqual(reordered(all, "a", 1), ["b", "a", "c"]);
  assert.deepEqual(reordered(all, "c", -2), ["c", "a", "b"]);
  assert.equal(reordered(all, "a", -1), null);
  assert.equal(reordered(all, "c", 1), null);
  assert.equal(reordered(all, "f", 1), null);
});

test("an error stands at its field, else at the nearest above it, else in a line", () => {
  const places = ["/pattern", "/actions", "/actions/0", "/actions/0/payload/text"];
  const { at, rest } = sort_errors([
    { pointer: "/pattern", detail: "is no regular expression: unclosed group" }, { pointer: "/pattern", detail: "a second one" },
    { pointer: "/actions/0/payload/text", detail: "there is no {usr}" }, { pointer: "/actions/0/payload/by", detail: "too much" },
    { pointer: "/actions/3/payload/text", detail: "empty" }, { pointer: "/unheard", detail: "unknown" }, { detail: "nowhere" },
  ], places);
  assert.deepEqual([...at], [
    ["/pattern", "Is no regular expression: unclosed group."], ["/actions/0/payload/text", "There is no {usr}."],
    ["/actions/0", "Too much."], ["/actions", "Empty."],
  ]);
  assert.deepEqual(rest, ["Unknown.", "Nowhere."]);
});

test("every trigger has a title and a line", () => {
  assert.equal(call_words({ type: "command", command: "hello", aliases: ["hi"] }), "!hello, !hi");
  assert.equal(call_words({ type: "command", command: "hello", prefix: "" }), "hello");
  assert.equal(call_words({ type: "keyword", keywords: ["tea", "kettle"] }), "“tea”, “kettle”");
  assert.equal(call_words({ type: "regex", pattern: "^gg" }), "/^gg/");
  assert.equal(call_words({ type: "timer", minutes: 15, least_lines: 1 }), "every 15 min, after 1 line");
  assert.deepEqual(limit_words({ type: "command", access: "moderators", platforms: ["twitch"], cooldown_seconds: 5 }), ["Moderators and you", "Twitch", "rests 5 s"]);
  assert.equal(action_words({ action_type: "reply", payload: { text: "Hi" } }), "Answer in chat: Hi");
  assert.equal(action_words({ action_type: "feature" }), "Show the message on the overlay");
  assert.equal(action_words({ action_type: "of_tomorrow" }), "of tomorrow", "what this page does not know yet is told all the same");
  assert.equal(outcome_words("of_tomorrow"), "of tomorrow");
  for (const { fields } of Object.values(ACTIONS)) for (const it of fields) assert.ok(it.words && it.kind && it.name);
  assert.equal(new Set(VARIABLES.map((it) => it[0])).size, VARIABLES.length);
});

test("a dry run is told in a sentence", () => {
  assert.equal(verdict({ matched: false }, "").kind, "none");
  assert.deepEqual(verdict({ matched: true, blocked_reason: "nothing can be said on Kick" }, "!hello"),
    { kind: "blocked", words: "!hello would act, and say nothing. Nothing can be said on Kick." });
  assert.equal(verdict({ matched: true, would_post: true }, "!hello").kind, "good");
  assert.equal(verdict({ matched: true, actions: [{}] }, "!hello").kind, "good");
  assert.equal(length_words("héé👋", 500), "4 of 500 characters");
  assert.deepEqual(actor_of("  ", "vip"), {
    display_name: "Wren", is_follower: true, is_subscriber: false, is_vip: true, is_moderator: false, is_broadcaster: false,
  });
});

test("decisions, jobs and problems have words for whatever comes", () => {
  assert.notEqual(key_of({ at: "a", trigger_id: "b", message_id: "c", outcome: "matched" }), key_of({ at: "a", trigger_id: "b", message_id: "d", outcome: "matched" }));
  const now = Date.parse("2026-11-20T18:00:00Z");
  assert.equal(job_facts({ state: "pending", attempts: 2, by: "trigger hello", next_attempt_at: "2026-11-20T18:05:00Z", error: "answered 503" }, now),
    "trigger hello · 2 attempts · again in 5 minutes · answered 503");
  assert.equal(problem_words("plain"), "plain");
  assert.equal(problem_words(["/triggers/2", "no pattern"]), "/triggers/2: no pattern");
  assert.equal(problem_words({ pointer: "/triggers/2", detail: "no pattern" }), "/triggers/2: no pattern");
});

test("a file that is no JSON is told so, and a mark at its beginning does no harm", () => {
  assert.deepEqual(parse_file("\uFEFF{\"triggers\":[]}").json, { triggers: [] });
  assert.match(parse_file("{").trouble, /^The file is not JSON: /);
});

test("the address names the part, and what it does not know is the first", () => {
  const parts = ["look", "automation", "polls"];
  assert.equal(part_of("#polls", parts), "polls");
  for (const it of ["", "#", "#nothing"]) assert.equal(part_of(it, parts), "look");
});

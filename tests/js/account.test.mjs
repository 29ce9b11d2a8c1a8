// What the pages of accounts make of answers, times and browsers.
import assert from "node:assert/strict";
import test from "node:test";

import { actor_of, facts_of, health_of, latency, look_of_result, short, spaced } from "../../static/js/admin_words.js";
import { agent_words } from "../../static/js/agent_words.js";
import { paths_of, round_up, thinned } from "../../static/js/chart.js";
import { count_down } from "../../static/js/form.js";
import { strength_of } from "../../static/js/password_strength.js";
import { refusal_of, sentence, wait_words } from "../../static/js/refusal.js";
import { when } from "../../static/js/time_words.js";

test("what is wrong with a field stands beside it, and the rest below the form", () => {
  const errors = [{ pointer: "/email", detail: "this is no address" }, { pointer: "/surface", detail: "unknown" }, { pointer: "/email", detail: "a second thing" }];
  assert.deepEqual(refusal_of({ status: 400, body: { detail: "all of it", errors } }, ["email", "password"]), { fields: { email: "This is no address." }, form: "Unknown.", wait_s: 0 });
});

test("a refusal without fields is told as a sentence, whoever answers", () => {
  assert.equal(refusal_of({ status: 403, body: { detail: "sign-ups are switched off for now" } }, []).form, "Sign-ups are switched off for now.");
  assert.match(refusal_of({ status: 502, body: {} }, []).form, /502/);
});

test("a server that asks to wait is waited for, at least a second", () => {
  assert.equal(refusal_of({ status: 429, wait_s: 93, body: { detail: "too many attempts: try again in 93 s" } }, []).wait_s, 93);
  assert.equal(refusal_of({ status: 429, wait_s: 0, body: {} }, []).wait_s, 1);
  assert.deepEqual([5, 59, 60, 125].map(wait_words), ["5 s", "59 s", "1:00 min", "2:05 min"]);
});

test("sentences begin with a capital of any alphabet and end with a stop", () => {
  assert.deepEqual(["", "ärger", "done.", "really?", "\u{10428}x"].map(sentence), ["", "Ärger.", "Done.", "Really?", "\u{10400}x."]);
});

test("a password counts by its length in characters, not in code units", () => {
  assert.equal(strength_of("").level, 0);
  assert.equal(strength_of("123456789").words, "One more character.");
  assert.equal(strength_of("🦊".repeat(5)).words, "5 more characters.");
  assert.deepEqual(["a".repeat(10), "a".repeat(14), "a".repeat(20)].map((it) => strength_of(it).level), [1, 2, 3]);
});

test("browsers are told by what their owners call them, not by their forebears", () => {
  const edge = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0 Safari/537.36 Edg/131.0";
  const phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1";
  assert.equal(agent_words(edge), "Edge on Windows");
  assert.equal(agent_words(phone), "Safari on iPhone");
  assert.equal(agent_words("curl/8.5"), "curl");
  assert.equal(agent_words(undefined), "Unknown browser");
});

test("times are told as people say them", () => {
  const now = Date.parse("2026-11-30T12:00:00Z");
  const words = (it) => when(it, now, "en");
  assert.deepEqual(["2026-11-30T11:59:40Z", "2026-11-30T11:55:00Z", "2026-11-30T09:00:00Z", "2026-11-29T11:00:00Z", "2026-12-03T12:00:00Z", "never"].map(words),
    ["just now", "5 minutes ago", "3 hours ago", "yesterday", "in 3 days", ""]);
  assert.match(words("2026-10-01T12:00:00Z"), /Oct 1, 2026/);
});

test("a chart ends at a round number, stays inside, and thins what is too much to average", () => {
  assert.deepEqual([0, 0.04, 1, 1.2, 21, 640].map(round_up), [1, 0.05, 1, 1.5, 30, 750]);
  assert.deepEqual(thinned([1, 3, 5, 7], 2), [2, 6]);
  assert.deepEqual(paths_of([0, 10, 25], { width: 100, height: 50, top: 20 }), { line: "M0 50L50 25L100 0", area: "M0 50L50 25L100 0L100 50L0 50Z" });
  assert.deepEqual(paths_of([], { width: 1, height: 1, top: 1 }), { line: "", area: "" });
});

test("routes are called by the marks that older pages know", () => {
  const words = (hits, error_rate, p95_latency_ms) => health_of({ hits, error_rate, p95_latency_ms }).words;
  assert.deepEqual([words(19, 50, 9000), words(20, 0.9, 799), words(20, 1, 0), words(20, 0, 800), words(20, 5.1, 0), words(20, 0, 2001)],
    ["few calls", "healthy", "degraded", "degraded", "unhealthy", "unhealthy"]);
});

test("entries of the audit are told in words", () => {
  assert.equal(spaced("tier_changed"), "Tier changed");
  assert.deepEqual([actor_of({ actor_user_code: "U-1", actor_role: "admin" }), actor_of({ actor_role: "system" }), actor_of({})], ["U-1", "Server", "Somebody"]);
  assert.deepEqual(facts_of({ before: "core", after: { tier: "gold" }, count: 2 }), [["Before", "core"], ["After", '{"tier":"gold"}'], ["Count", "2"]]);
  assert.deepEqual(["success", "failed", "login_backoff"].map(look_of_result), ["good", "bad", "warn"]);
  assert.deepEqual([short(611.2, "en"), short(8.26, "en"), short(0.043, "en"), latency(2100, "en"), latency(2.14, "en")], ["611", "8.3", "0.04", "2.1 s", "2.1 ms"]);
});

test("a countdown goes by the clock, and can be stopped", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout", "Date"], now: 0 });
  const seen = [];
  count_down(3, (left) => seen.push(left), () => seen.push("over"));
  context.mock.timers.tick(1000);
  context.mock.timers.tick(2000);
  assert.deepEqual(seen, [3, 2, "over"]);
  const stop = count_down(3, () => {}, () => seen.push("never"));
  stop();
  context.mock.timers.tick(5000);
  assert.equal(seen.at(-1), "over");
});

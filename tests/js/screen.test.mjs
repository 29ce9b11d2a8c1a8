// What an overlay shows: filters, moderation and the list of lines, without a browser.
import assert from "node:assert/strict";
import test from "node:test";

import { channel_of, platform_of } from "../../static/js/channel.js";
import { Filter } from "../../static/js/filter.js";
import { Lines } from "../../static/js/lines.js";
import { Moderation, matcher, redactor } from "../../static/js/moderation.js";
import { bound_marks, is_emoji_only, is_emote_only, paid_tier } from "../../static/js/render.js";
import { Screen } from "../../static/js/screen.js";
import { join_settings } from "../../static/js/settings.js";

let count = 0;
function message(text, more = {}) {
  count += 1;
  const { login = "viewer", roles = [], name = login, ...rest } = more;
  return {
    type: "chat.message", seq: count,
    data: {
      id: `twitch:${count}`, platform: "twitch", text, flags: [],
      author: { id: `twitch:${login}-id`, login, name, roles, badges: [], color: null }, ...rest,
    },
  };
}
const admits = (settings, event) => new Filter(join_settings(settings, {})).admits(event);
const texts = (lines) => lines.all.map((it) => (it.count > 1 ? `${it.event.data.text} ×${it.count}` : it.event.data.text));
const fill = (...events) => {
  const lines = new Lines(10);
  for (const event of events) lines.add(event);
  return lines;
};

test("commands, bots, hidden users and other platforms stay away", () => {
  assert.equal(admits({ hide_commands: true }, message("!join")), false);
  assert.equal(admits({ hide_commands: true }, message("join!")), true);
  assert.equal(admits({ hide_bots: true }, message("hi", { login: "Nightbot" })), false);
  assert.equal(admits({ hide_bots: true }, message("hi", { roles: ["bot"] })), false);
  assert.equal(admits({ hidden_users: ["@Viewer"] }, message("hi")), false);
  assert.equal(admits({ hidden_users: ["viewer-id"] }, message("hi")), false);
  assert.equal(admits({ hidden_users: ["twitch:viewer-id"] }, message("hi")), false);
  assert.equal(admits({ platforms: ["kick"] }, message("hi")), false);
});

test("blocked words match whole words, in any case, and anywhere in scripts without spaces", () => {
  const blocked = { blocked_words: ["ass", "free (money)", "バカ", "scam*"] };
  assert.equal(admits(blocked, message("a classic pass")), true);
  assert.equal(admits(blocked, message("you ASS!")), false);
  assert.equal(admits(blocked, message("Free (Money) here")), false);
  assert.equal(admits(blocked, message("本当にバカだね")), false);
  assert.equal(admits(blocked, message("Scammers")), false);
  assert.equal(admits(blocked, message("hello", { name: "ass" })), false);
});

test("what is not shown is not shown as a quote either, live and once it is blocked", () => {
  const quote = (login, text) => ({ id: `twitch:of-${login}`, author: { id: `twitch:${login}-id`, login, name: login }, text });
  const screen = new Screen(join_settings({ blocked_words: ["secret", "rude*"], hidden_users: ["pest"] }, {}));
  const say = (text, reply_to) => screen.take(message(text, { reply_to }), 0);
  say("one", quote("vera", "the SECRET word"));
  say("two", quote("pest", "harmless"));
  say("three", quote("Rudest", "harmless"));
  say("four", quote("vera", "harmless"));
  const quotes = () => screen.lines.all.map(({ event: { data } }) => data.reply_to && `${data.reply_to.author.name}: ${data.reply_to.text}`);
  assert.deepEqual(quotes(), ["vera: ", "pest: ", undefined, "vera: harmless"]);
  screen.take({ ...message("five", { reply_to: quote("vera", "harmless, too") }), type: "chat.message" }, 0);
  for (const line of screen.lines.take().changed) line.element = {};
  screen.configure(join_settings({ blocked_words: ["harmless"] }, {}));
  assert.equal(quotes().at(-1), "vera: ");
  assert.equal(screen.lines.take().changed.filter((it) => it.stale).length, 2, "those whose quote went are drawn again");
});

test("a featured message loses the words it quotes too", () => {
  const screen = new Screen(join_settings({ focus: true, blocked_words: ["secret"] }, {}));
  const reply_to = { id: "twitch:q", author: { id: "twitch:v-id", login: "v", name: "v" }, text: "secret" };
  screen.take({ ...message("what?", { reply_to }), type: "feature.show" }, 0);
  assert.equal(screen.featured.data.reply_to.text, "");
  assert.equal(screen.featured.data.text, "what?");
});

test("blocked words and hidden viewers are looked for in what a platform says of an activity", () => {
  const activity = (data) => ({ type: "activity", data: { id: "twitch:a", platform: "twitch", kind: "subscription", ...data } });
  const said = activity({ system_text: "Rude_Rita subscribed at Tier 1" });
  assert.equal(admits({}, said), true);
  assert.equal(admits({ blocked_words: ["rude_rita"] }, said), false);
});

test("a blocked word may hold any sign of the keyboard", () => {
  const signs = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";
  for (const sign of signs) {
    const word = `a${sign}b`;
    assert.equal(admits({ blocked_words: [word] }, message(`say ${word} here`)), false, word);
    assert.equal(admits({ blocked_words: [word] }, message("say a b here")), true, word);
  }
});

test("notices of the platform and single gifts of a bundle are not for the screen", () => {
  const activity = (data) => ({ type: "activity", data: { id: "twitch:a", platform: "twitch", kind: "gift", system_text: "x", ...data } });
  assert.equal(admits({}, activity({})), true);
  assert.equal(admits({}, activity({ flags: ["system"] })), false);
  assert.equal(admits({}, activity({ part_of: "twitch:b", count: 0 })), false);
  assert.equal(admits({}, activity({ part_of: "twitch:b", count: 5 })), true);
  assert.equal(admits({ show_activities: false }, activity({})), false);
});

test("only the newest lines are kept", () => {
  const lines = new Lines(3);
  for (let at = 0; at < 1000; at += 1) lines.add(message(`line ${at}`));
  assert.deepEqual(texts(lines), ["line 997", "line 998", "line 999"]);
  assert.equal(lines.take().changed.length, 3);
});

test("two equal lines may be honest; a third makes them one", () => {
  const lines = fill(message("gg"), message("GG "));
  assert.deepEqual(texts(lines), ["gg", "GG "]);
  for (let at = 0; at < 35; at += 1) lines.add(message("gg", { login: `v${at}` }));
  assert.equal(lines.all.length, 1);
  assert.equal(lines.all[0].count, 37);
});

test("moderators, payers and first-timers keep their own lines", () => {
  const lines = fill(
    message("gg", { roles: ["moderator"] }), message("gg", { roles: ["moderator"] }), message("gg", { roles: ["moderator"] }),
    message("gg", { amount: { value: 1, currency: "bits", display: "1 bit" } }), message("gg", { flags: ["first_message"] }),
  );
  assert.equal(lines.all.length, 5);
});

test("a deletion takes one of a run of equal lines, and another viewer stands for the rest", () => {
  const events = ["a", "b", "c"].map((login) => message("gg", { login }));
  const lines = fill(...events);
  lines.remove((it) => it.id === events[0].data.id);
  assert.equal(lines.all[0].count, 2);
  assert.equal(lines.all[0].event.data.author.login, "b");
  lines.remove((it) => it.author.login !== "nobody");
  assert.equal(lines.all.length, 0);
});

test("a line that was never drawn is not drawn after its deletion", () => {
  const event = message("oops");
  const lines = fill(event);
  lines.remove(matcher({ type: "chat.delete", data: { message_id: event.data.id } }));
  assert.deepEqual(lines.take(), { removed: [], changed: [] });
});

test("a reply loses the words it quotes when those are deleted, and keeps its own", () => {
  const quote = (id) => ({ id, author: { id: "twitch:vera-id", login: "vera", name: "Vera" }, text: "oops" });
  const reply = message("what?", { reply_to: quote("twitch:q1") });
  const other = message("no", { login: "b", reply_to: quote("twitch:q2") });
  const lines = fill(reply, other);
  for (const line of lines.take().changed) line.element = {};
  lines.change(redactor({ type: "chat.delete", data: { message_id: "twitch:q1" } }));
  assert.deepEqual(lines.all.map((it) => it.event.data.reply_to.text), ["", "oops"]);
  assert.deepEqual(lines.all.map((it) => it.event.data.text), ["what?", "no"]);
  assert.deepEqual(lines.take().changed.map((it) => it.stale), [true]);
  lines.change(redactor({ type: "chat.clear_user", data: { author_id: "twitch:vera-id" } }));
  assert.deepEqual(lines.all.map((it) => it.event.data.reply_to.text), ["", ""]);
  assert.equal(other.data.reply_to.text, "oops", "the event itself is not touched");
});

test("a cleared chat keeps what happened and loses what was said, on the screen and on its way there", () => {
  const activity = (id, more = {}) => ({
    type: "activity", seq: 1,
    data: { id, platform: "twitch", kind: "subscription", system_text: "Vera subscribed", text: "spam", fragments: [{ type: "text", text: "spam" }],
      author: { id: "twitch:vera-id", login: "vera", name: "Vera", roles: [], badges: [] }, ...more },
  });
  const clear = { type: "chat.clear", data: { platform: "twitch" } };
  const screen = new Screen(join_settings({}, {}));
  for (const it of [activity("twitch:a"), message("hello"), activity("twitch:r", { kind: "raid", text: undefined, fragments: undefined })]) screen.take(it, 0);
  screen.take(clear, 0);
  const left = () => screen.lines.all.map(({ event: { data } }) => [data.id, data.text, data.fragments]);
  assert.deepEqual(left(), [["twitch:a", undefined, undefined], ["twitch:r", undefined, undefined]]);
  screen.take(activity("twitch:b"), 0);
  screen.take({ type: "chat.redacted", data: { message_id: "twitch:b" } }, 0);
  assert.deepEqual(left().at(-1), ["twitch:b", undefined, undefined]);
  screen.take({ type: "chat.clear_user", data: { platform: "twitch", author_id: "twitch:vera-id" } }, 0);
  assert.deepEqual(left(), [], "who is banned is not named");

  const moderation = new Moderation(() => 0);
  moderation.note(clear); // Without a seq: it overtook what follows.
  moderation.note({ type: "chat.delete", data: { message_id: "youtube:d" } });
  for (const late of [activity("twitch:c"), activity("youtube:d", { platform: "youtube" })]) {
    assert.equal(moderation.hides(late.data), false);
    assert.equal(moderation.censor(late).data.text, undefined);
    assert.equal(moderation.censor(late).data.system_text, "Vera subscribed");
  }
  assert.equal(moderation.hides(message("late").data), true);
});

test("a reply that comes after the deletion of what it quotes comes without the quote", () => {
  const moderation = new Moderation();
  const reply = message("what?", { reply_to: { id: "twitch:q1", author: { id: "twitch:v" }, text: "oops" } });
  assert.equal(moderation.censor(reply), reply);
  moderation.note({ type: "chat.delete", data: { message_id: "twitch:q1" } });
  assert.equal(moderation.censor(reply).data.reply_to.text, "");
  assert.equal(moderation.censor({ type: "settings.update", data: {} }).type, "settings.update");
});

test("lines leave when their time is over, oldest first", () => {
  const lines = new Lines(10);
  lines.add(message("old"), { born: 1000 });
  lines.add(message("new"), { born: 5000 });
  lines.expire(1000, 0);
  assert.deepEqual(lines.all.map((it) => it.leaving), [true, false]);
  lines.expire(2000, 1000);
  assert.deepEqual(texts(lines), ["new"]);
});

test("a deletion that arrives before its message still hides it", () => {
  const moderation = new Moderation();
  const event = message("late");
  assert.equal(moderation.note({ type: "chat.delete", data: { message_id: event.data.id, platform: "twitch" } }), true);
  assert.equal(moderation.hides(event.data), true);
  assert.equal(moderation.hides(message("other").data), false);
});

test("an early purge holds until it comes in its place, and not for ever", () => {
  let now = 0;
  const moderation = new Moderation(() => now);
  const purge = { type: "chat.clear_user", data: { platform: "twitch", author_id: "twitch:viewer-id", seconds: 600 } };
  moderation.note(purge);
  assert.equal(moderation.hides(message("waiting in the queue").data), true);
  moderation.note({ ...purge, seq: 9 });
  assert.equal(moderation.hides(message("back again").data), false);
  moderation.note({ type: "chat.clear", data: { platform: null } });
  assert.equal(moderation.hides(message("waiting").data), true);
  now = 60_000;
  assert.equal(moderation.hides(message("later").data), false);
});

test("clearing one platform leaves the others", () => {
  const gone = matcher({ type: "chat.clear", data: { platform: "kick" } });
  assert.equal(gone(message("x").data), false);
  assert.equal(gone({ ...message("x").data, platform: "kick" }), true);
});

test("marks piled on a letter are cut, those of real scripts are not", () => {
  assert.equal(bound_marks(`a${"\u0301".repeat(40)}b`), `a${"\u0301".repeat(5)}b`);
  for (const text of ["Tiếng Việt", "नमस्ते", "שָׁלוֹם", "สวัสดีครับ", "قُرْآنٌ"]) assert.equal(bound_marks(text), text);
});

test("only a few emotes or emoji alone are drawn large", () => {
  const emote = { type: "emote", text: "x", emote: { zero_width: false } };
  const space = { type: "text", text: " " };
  assert.equal(is_emote_only([emote, space, emote]), true);
  assert.equal(is_emote_only([emote, { type: "text", text: " hi" }]), false);
  assert.equal(is_emote_only(Array(20).fill(emote)), false);
  assert.equal(is_emoji_only([{ type: "text", text: "👍🏽 👨‍👩‍👧" }]), true);
  assert.equal(is_emoji_only([{ type: "text", text: "123" }]), false);
});

test("what was paid steps up in colour, in any currency", () => {
  assert.equal(paid_tier({ value: 100, currency: "USD" }), 1);
  assert.equal(paid_tier({ value: 500, currency: "bits" }), 3);
  assert.equal(paid_tier({ value: 20_000, currency: "USD" }), 7);
  assert.equal(paid_tier({ value: 500, currency: "JPY" }), 2);
});

test("a channel is found in whatever was pasted", () => {
  assert.equal(channel_of(" Ana_99 ", "twitch"), "twitch:Ana_99");
  assert.equal(channel_of("@ana", "youtube"), "youtube:@ana");
  assert.equal(channel_of("kick:ana", "twitch"), "kick:ana");
  for (const text of ["https://www.youtube.com/@ana", "youtube.com/watch?v=x", "https://youtu.be/x"]) {
    assert.equal(channel_of(text, "twitch"), `youtube:${text}`, "an address wins over what is selected");
  }
  assert.equal(platform_of("https://dashboard.twitch.tv/u/ana"), "twitch");
  assert.equal(platform_of("rumble.com/c/ana"), "rumble");
  for (const text of ["ana", "https://example.com/ana", "https://nottwitch.tv/ana"]) assert.equal(platform_of(text), null, text);
  assert.equal(channel_of("den=@ana", "youtube"), "den=youtube:@ana", "a room, as on the command line");
  assert.equal(channel_of(" den = kick:ana", "twitch"), "den=kick:ana");
  assert.equal(channel_of("den=https://youtu.be/x?t=5", "twitch"), "den=youtube:https://youtu.be/x?t=5");
  assert.equal(platform_of("den=kick.com/ana"), "kick");
  for (const text of ["", "   ", "kick:", "den=", "den=kick:"]) assert.equal(channel_of(text, "twitch"), null, text);
});

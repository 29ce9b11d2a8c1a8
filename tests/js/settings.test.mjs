import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import {
  DEFAULTS, PARAMETER_NAMES, PLATFORMS, PROVIDERS, custom_layer, font_family, join_settings, list_unknown, parse_bool,
  parse_parameters,
} from "../../static/js/settings.js";

const SAVED = JSON.parse(readFileSync(new URL("../fixtures/saved_links.json", import.meta.url), "utf8"));

const DASHBOARD = readFileSync(new URL("../../src/web/pages/dashboard.rs", import.meta.url), "utf8");

const parse = (query) => parse_parameters(new URLSearchParams(query));

test("a bare name, 1, true, yes and on mean yes; their opposites mean no", () => {
  for (const yes of ["focus", "focus=1", "focus=true", "focus=YES", "focus=on"]) assert.deepEqual(parse(yes), { focus: true });
  for (const no of ["focus=0", "focus=false", "focus=no", "focus=Off"]) assert.deepEqual(parse(no), { focus: false });
  assert.deepEqual(parse("focus=perhaps"), {});
  assert.equal(parse_bool("maybe"), undefined);
});

test("links saved in OBS keep working: the list of names only grows", () => {
  for (const [name, value] of Object.entries(SAVED.parameters)) {
    assert.ok(PARAMETER_NAMES.includes(name), name);
    assert.notDeepEqual(parse(new URLSearchParams({ [name]: value })), {}, name);
  }
  for (const name of Object.keys(DEFAULTS)) assert.ok(PARAMETER_NAMES.includes(name), name);
});

test("an alias says the same as the name it stands for", () => {
  const pairs = [
    ["limit=7", "max_messages=7"], ["max=7", "max_messages=7"], ["fade=9", "fade_seconds=9"], ["size=30", "font_size=30"],
    ["hidebots", "hide_bots"], ["hidecommands", "hide_commands"], ["hideusers=a,b", "hidden_users=a,b"],
    ["only=twitch,kick", "platforms=twitch,kick"], ["badges=0", "show_badges=0"], ["avatars", "show_avatars"],
    ["time", "show_timestamps"], ["animate=pop", "animation=pop"],
  ];
  for (const [alias, name] of pairs) {
    assert.deepEqual(parse(alias), parse(name));
    assert.notDeepEqual(parse(alias), {});
  }
});

test("each alias of the list stands for its name", () => {
  for (const [alias, name] of Object.entries(SAVED.aliases)) {
    const value = SAVED.parameters[alias];
    assert.deepEqual(parse(new URLSearchParams({ [alias]: value })), parse(new URLSearchParams({ [name]: value })), alias);
  }
});

test("CSS in a link may style, and ask nobody for anything", () => {
  assert.deepEqual(parse(new URLSearchParams({ custom_css: ".name { color: red }" })), { custom_css: ".name { color: red }" });
  for (const bad of [
    "@import 'x';", "a { background: url(https://x.example) }", "a { background: URL( x ) }", "a { background: image-set('x' 1x) }",
    "a { background: -webkit-image-set('x' 1x) }", "a { background: \\75rl(x) }", " ".repeat(20_001),
  ]) assert.deepEqual(parse(new URLSearchParams({ custom_css: bad })), {}, bad.slice(0, 60));
});

test("custom CSS stands in its layer; what nobody looked at is taken apart first", () => {
  assert.equal(custom_layer("", true), "");
  assert.equal(custom_layer(".a { color: red }", true), "@layer custom {\n.a { color: red }\n}");
  class Sheet {
    replaceSync(text) {
      this.cssRules = [{ cssText: `<${text}>` }];
    }
  }
  assert.equal(custom_layer("} b {", false, Sheet), "@layer custom {\n<} b {>\n}");
  const { is_checked_css } = join_settings({ custom_css: "x" }, {});
  assert.equal(is_checked_css, true);
  assert.equal(join_settings({ custom_css: "x" }, { custom_css: "y" }).is_checked_css, false);
});

test("numbers are held within their limits and rounded where they must be whole", () => {
  assert.deepEqual(parse("max=0"), { max_messages: 1 });
  assert.deepEqual(parse("max=9999"), { max_messages: 500 });
  assert.deepEqual(parse("fade=-3"), { fade_seconds: 0 });
  assert.deepEqual(parse("fade=1.6s"), { fade_seconds: 2 });
  assert.deepEqual(parse("size=24px"), { font_size: 24 });
  assert.deepEqual(parse("scale=100"), { scale: 4 });
  assert.deepEqual(parse("scale=.1"), { scale: 0.25 });
  assert.deepEqual(parse("speed=101"), { speed: 100 });
});

test("unknown names and bad values change nothing", () => {
  for (const bad of [
    "max=many", "max=", "max=1e3", "scale=NaN", "scale=Infinity", "direction=sideways", "theme=../secret", "theme=A B",
    "platforms=myspace", "emotes=none-such", "lang=<x>", "lang=xx-bogus-zz", "bg=red;}", "__proto__=1", "constructor", "toString=1", "foo=bar",
  ]) assert.deepEqual(parse(bad), {}, bad);
});

test("without leaves out parts of a line, providers of emotes and platforms", () => {
  assert.deepEqual(parse("without=badges,avatars,time,activities,pronouns"), {
    show_badges: false, show_avatars: false, show_timestamps: false, show_activities: false, pronouns: false,
  });
  assert.deepEqual(parse("without=kick,7tv,bots"), { without_platforms: ["kick"], without_emotes: ["7tv"], hide_bots: true });
  assert.deepEqual(parse("without=emotes"), { without_emotes: ["*"] });
});

test("lists are split at commas and known words are kept once", () => {
  assert.deepEqual(parse("only=twitch, KICK,twitch,myspace"), { platforms: ["twitch", "kick"] });
  assert.deepEqual(parse("blocked_words=one,, two words "), { blocked_words: ["one", "two words"] });
  assert.deepEqual(parse("only="), { platforms: [] });
});

test("a URL wins over what is stored, and what is stored over the defaults", () => {
  const joined = join_settings({ max_messages: 12, align: "right", unknown: 1 }, parse("max=5"));
  assert.equal(joined.max_messages, 5);
  assert.equal(joined.align, "right");
  assert.equal(joined.animation, DEFAULTS.animation);
  assert.equal("unknown" in joined, false);
});

test("animate understands both a word and a yes or no", () => {
  assert.deepEqual(parse("animate=0"), { animation: "none" });
  assert.deepEqual(parse("animate"), { animation: "slide" });
  assert.deepEqual(parse("animate=fade"), { animation: "fade" });
});

test("a font can be nothing but a list of families", () => {
  assert.equal(font_family("Fira Sans, monospace"), '"Fira Sans", monospace');
  assert.equal(font_family('x"; } body { display: none'), '"x  body  display: none"');
  assert.equal(font_family(" , "), "");
});

test("a background is a colour or nothing", () => {
  assert.deepEqual(parse("bg=none"), { bg: "none" });
  assert.deepEqual(parse("bg=00ff00"), { bg: "#00ff00" });
  assert.deepEqual(parse("bg=%2300ff00"), { bg: "#00ff00" });
});

test("what an address names and nobody knows is told, with what there is instead", () => {
  const unknown = (query, themes) => list_unknown(new URLSearchParams(query), themes);
  assert.deepEqual(unknown("theme=midnite&platforms=kik,Twitch&only=yt,discord", ["default", "midnight"]), [
    'There is no theme "midnite", only default, midnight.',
    'There is no platform "kik", only twitch, youtube, kick, rumble, pilled.',
    'There is no platform "yt", only twitch, youtube, kick, rumble, pilled.',
  ]);
  assert.deepEqual(unknown("theme=%20Midnight&platforms=&only=x", ["default", "midnight"]), []);
  assert.deepEqual(unknown("theme=midnight&nonsense=kik"), [], "the server has found it");
});

test("the dashboard offers every platform and every provider there is", () => {
  const offered = (name) => {
    const list = new RegExp(`\\n +${name}: \\[\\n([^\\]]*)\\]`).exec(DASHBOARD)?.[1] ?? "";
    return [...list.matchAll(/\("([^"]+)", "[^"]+"\)/g)].map((it) => it[1]);
  };
  assert.deepEqual(offered("platforms"), PLATFORMS);
  assert.deepEqual(offered("providers"), PROVIDERS);
});

// Replaying a recorded session: that it keeps time, waits for the network, and seeks exactly.
import assert from "node:assert/strict";
import test, { beforeEach, mock } from "node:test";

import { Player } from "../../static/js/player.js";
import { parse_beginning } from "../../static/js/recording.js";
import { is_settled } from "../../static/js/retrace.js";
import { Screen } from "../../static/js/screen.js";
import { join_settings } from "../../static/js/settings.js";

const STARTED = Date.parse("2026-11-24T18:00:00.000Z");
const settle = async () => {
  for (let turn = 0; turn < 40; turn += 1) await new Promise((done) => setImmediate(done));
};

/** Passes time in small steps, and lets answers come in between. */
async function pass(ms, step = 50) {
  for (let passed = 0; passed < ms; passed += step) {
    mock.timers.tick(Math.min(step, ms - passed));
    await settle();
  }
}

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
});

// ---------------------------------------------------------------- a recording, and who serves it

function random_from(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

let first_seq = 101;
const event = (seq, at, type, data) => ({
  v: 1, room: "ana", epoch: "E1", seq, ts: new Date(STARTED + at).toISOString(), type, data,
});

function said(seq, at, text, { login = "bo", roles = [], flags = [], platform = "twitch", ...more } = {}) {
  const author = { id: `${platform}:${login}-id`, login, name: login, roles, badges: [], color: null };
  return event(seq, at, "chat.message", {
    id: `${platform}:${seq}`, platform, text, fragments: [{ type: "text", text }], flags, author, ...more,
  });
}

/** A session of everything that makes a screen hard to find again. */
function random_session(random, length) {
  const pick = (from) => from[Math.floor(random() * from.length)];
  const events = [];
  let at = 0;
  let flood = null;
  for (let seq = first_seq; seq < first_seq + length; seq += 1) {
    at += random() < 0.03 ? Math.floor(random() * 20_000) : random() < 0.3 ? 0 : Math.floor(random() * 900);
    const dice = random();
    const spoken = events.filter((it) => it.type === "chat.message");
    const earlier = spoken.length ? spoken[Math.max(0, spoken.length - 1 - Math.floor(random() * 12))] : null;
    if (random() < 0.08) flood = flood ? null : pick(["gg", "GG ", "lol", "!join"]);
    if (dice < 0.06) events.push(event(seq, at, "chat.redacted", { message_id: `twitch:${seq}` }));
    else if (dice < 0.13 && earlier) events.push(event(seq, at, "chat.delete", { message_id: earlier.data.id, platform: "twitch" }));
    else if (dice < 0.145 && earlier) {
      events.push(event(seq, at, "chat.clear_user", { platform: "twitch", author_id: earlier.data.author.id, seconds: 600 }));
    } else if (dice < 0.15) events.push(event(seq, at, "chat.clear", { platform: pick(["kick", null]) }));
    else if (dice < 0.18 && earlier) events.push(event(seq, at, "feature.show", earlier.data));
    else if (dice < 0.19) events.push(event(seq, at, "feature.clear", {}));
    else if (dice < 0.22) events.push(event(seq, at, "platform.status", { platform: "twitch", channel: "ana", state: "live" }));
    else if (dice < 0.25) {
      events.push(event(seq, at, "activity", { id: `twitch:${seq}`, platform: "twitch", kind: "follow", system_text: "x followed" }));
    } else {
      const text = flood && random() < 0.9 ? flood : random() < 0.5 ? `line ${seq}` : pick(["gg", "lol", "hey", "!join"]);
      const quoting = earlier && random() < 0.1
        ? { reply_to: { id: earlier.data.id, author: earlier.data.author, text: earlier.data.text } } : {};
      events.push(said(seq, at, text, {
        login: pick(["bo", "cleo", "dan", "nightbot"]), roles: random() < 0.1 ? ["moderator"] : [],
        flags: random() < 0.05 ? ["first_message"] : [], platform: pick(["twitch", "twitch", "kick"]), ...quoting,
      }));
    }
  }
  return events;
}

class Server {
  requests = 0;
  down = false;
  delay_ms = 0;
  constructor(events, more = {}) {
    this.events = events;
    this.session = {
      session_id: "S1", title: null, state: "closed", started_at: new Date(STARTED).toISOString(),
      duration_ms: events.length ? Date.parse(events.at(-1).ts) - STARTED : 0,
      first_seq, last_seq: events.at(-1)?.seq ?? first_seq, ...more,
    };
    // Other sessions lie around it.
    this.log = [
      ...Array.from({ length: 30 }, (_, at) => said(first_seq - 30 + at, -100_000 + at, `before ${at}`)), ...events,
      ...(this.session.state === "open" ? [] : Array.from({ length: 5 }, (_, at) => said(this.session.last_seq + 1 + at, this.session.duration_ms + 90_000 + at, "after"))),
    ];
  }

  fetch = async (address) => {
    this.requests += 1;
    if (this.delay_ms) await new Promise((done) => setTimeout(done, this.delay_ms));
    if (this.down) throw new TypeError("unreachable");
    const url = new URL(address);
    const answer = (body) => ({ ok: true, status: 200, json: async () => structuredClone(body) });
    if (url.pathname === "/api/rooms/ana/sessions") return answer({ sessions: this.session ? [this.session] : [] });
    if (url.pathname === "/api/rooms/ana/sessions/S1") return answer({ ...this.session, histogram: { bucket_ms: 1000, counts: [] } });
    if (url.pathname !== "/api/rooms/ana/events") return { ok: false, status: 404 };
    const get = (name) => url.searchParams.get(name);
    const limit = Number(get("limit"));
    assert.ok(limit >= 1 && limit <= 500);
    const types = get("types").split(",");
    // It looks at a bounded number of events for a filtered page, so a page may be short or empty.
    const is_wanted = (it) => {
      const ts = Date.parse(it.ts);
      return types.some((type) => it.type === type || it.type.startsWith(`${type}.`)) &&
        !(get("from") && ts < Date.parse(get("from"))) && !(get("to") && ts >= Date.parse(get("to")));
    };
    if (get("before") !== null) {
      const looked = this.log.filter((it) => it.seq < Number(get("before")));
      const events = [];
      while (looked.length && events.length < limit) {
        const it = looked.pop();
        if (is_wanted(it)) events.unshift(it);
      }
      return answer({ epoch: "E1", events, prev: looked.length ? looked.at(-1).seq + 1 : null });
    }
    const looked = this.log.filter((it) => it.seq > Number(get("after"))).slice(0, limit);
    const more = this.log.at(-1)?.seq > (looked.at(-1)?.seq ?? Infinity);
    return answer({ epoch: "E1", events: looked.filter(is_wanted), next: more ? looked.at(-1).seq : null });
  };
}

function play_on(server, changes = {}) {
  const settings = join_settings(changes, {});
  const screen = new Screen(settings);
  const seen = [];
  const player = new Player({
    url: "https://example.test/replay/ana", room: "ana", settings,
    env: { fetch: server.fetch, now: () => Date.now(), random: () => 0.5 },
  });
  player
    .on("reset", () => screen.clear())
    .on("event", (event) => {
      seen.push({ seq: event.seq, at: Date.now() });
      screen.take(event, player.clock.now());
    })
    .on("tick", () => screen.expire(player.clock.now()));
  return { player, screen, seen, settings };
}

const picture = ({ lines, featured }) => ({
  lines: lines.all.map(({ event, count, members, born, leaving }) => ({ event, count, members: members.events.map((it) => it.seq), born, leaving })),
  featured,
});

/** What playing straight from the start to `at` shows. */
function straight(events, at, settings) {
  const screen = new Screen(settings);
  for (const it of events) {
    const ts = Date.parse(it.ts);
    if (ts - STARTED <= at) screen.take(it, ts);
  }
  screen.expire(STARTED + at);
  return picture(screen);
}

// ---------------------------------------------------------------- seeking

const SETTINGS = [
  {}, { max_messages: 3 }, { max_messages: 1 }, { max_messages: 10, fade_seconds: 5 }, { fade_seconds: 30 }, { max_messages: 2, fade_seconds: 1 },
  { hide_bots: true, hide_commands: true, hidden_users: ["cleo"], max_messages: 5 }, { platforms: ["kick"], max_messages: 8 }, { focus: true },
];

test("a seek shows exactly what playing from the start would", async () => {
  let seeks = 0;
  for (let seed = 1; seed <= 45; seed += 1) {
    const random = random_from(seed);
    const events = random_session(random, 50 + Math.floor(random() * 900));
    const server = new Server(events);
    const { player, screen, settings } = play_on(server, SETTINGS[seed % SETTINGS.length]);
    await player.open("S1");
    const times = events.map((it) => Date.parse(it.ts) - STARTED);
    for (let turn = 0; turn < 25; turn += 1) {
      const time = times[Math.floor(random() * times.length)];
      const at = Math.max(0, Math.min(player.duration_ms, random() < 0.5 ? time : time + Math.floor(random() * 6000) - 1));
      await player.seek(at);
      assert.equal(player.position_ms, at);
      assert.deepEqual(picture(screen), straight(events, at, settings), `seed ${seed}, seek ${turn} to ${at}`);
      seeks += 1;
    }
    player.close();
  }
  assert.equal(seeks, 45 * 25);
});

test("playing on from a seek, step by step, stays exact", async () => {
  for (let seed = 100; seed < 112; seed += 1) {
    const random = random_from(seed);
    const events = random_session(random, 700);
    const { player, screen, settings } = play_on(new Server(events), SETTINGS[seed % SETTINGS.length]);
    await player.open("S1");
    await player.seek(random() * player.duration_ms);
    player.rate = 16;
    for (let turn = 0; turn < 4; turn += 1) {
      const at = Math.min(player.duration_ms, Math.floor(player.position_ms + random() * 9000));
      let arrived = false;
      player.play_to(at).then(() => (arrived = true));
      while (!arrived) await pass(50);
      assert.equal(player.position_ms, at);
      assert.equal(player.is_playing, false);
      assert.deepEqual(picture(screen), straight(events, at, settings), `seed ${seed}, stop ${turn} at ${at}`);
    }
    player.close();
  }
});

test("a stretch that looks far enough back is far enough back", () => {
  let settled = 0;
  for (let seed = 1; seed <= 1500; seed += 1) {
    const random = random_from(seed);
    // Nothing but floods, moderators and deletions of what was just said, on small screens.
    const timed = [];
    for (let at = 0, seq = 101; seq < 161; seq += 1) {
      at += Math.floor(random() * 700);
      const earlier = timed.filter((it) => it.event.type === "chat.message").at(-1 - Math.floor(random() * 4));
      timed.push({
        at, event: random() < 0.3 && earlier ? event(seq, at, "chat.delete", { message_id: earlier.event.data.id, platform: "twitch" })
          : said(seq, at, random() < 0.7 ? "gg" : random() < 0.5 ? "lol" : `line ${seq}`, { roles: random() < 0.05 ? ["moderator"] : [] }),
      });
    }
    const settings = join_settings({ max_messages: 1 + (seed % 5), fade_seconds: seed % 3 }, {});
    const { at } = timed.at(-1);
    const now = at + Math.floor(random() * 1500);
    const truth = straight(timed.map((it) => it.event), now, settings);
    for (let from = timed.length - 1; from > 0; from -= 1) {
      const stretch = timed.slice(from);
      if (!is_settled(stretch, now, settings)) continue;
      settled += 1;
      const screen = new Screen(settings);
      for (const it of stretch) screen.take(it.event, STARTED + it.at);
      screen.expire(STARTED + now);
      assert.deepEqual(picture(screen), truth, `seed ${seed} from ${from}`);
    }
  }
  assert.ok(settled > 10_000, `${settled} settled`);
});

/** Chat that floods, calms down and floods again, in every step. */
function random_flood(random, seconds) {
  const timed = [];
  let rate = 5;
  let seq = 101;
  for (let second = 0; second < seconds; second += 1) {
    if (random() < 0.25) rate = [2, 8, 14, 25, 40, 80, 150][Math.floor(random() * 7)];
    const times = Array.from({ length: Math.round(rate * (0.7 + 0.6 * random())) }, () => Math.floor(second * 1000 + random() * 1000));
    for (const at of times.sort((a, b) => a - b)) {
      const earlier = timed.filter((it) => it.event.type === "chat.message").at(-1 - Math.floor(random() * 9));
      const dice = random();
      timed.push({
        at, event: dice < 0.05 && earlier ? event(seq, at, "chat.delete", { message_id: earlier.event.data.id, platform: "twitch" })
          : dice < 0.06 && earlier ? event(seq, at, "chat.clear_user", { platform: "twitch", author_id: earlier.event.data.author.id })
          : said(seq, at, random() < 0.4 ? ["gg", "GG!", "lol", "looool"][seq % 4] : `line ${seq}`, {
            login: `v${Math.floor(random() * 30)}`, roles: random() < 0.03 ? ["moderator"] : [], flags: random() < 0.05 ? ["first_message"] : [],
          }),
      });
      seq += 1;
    }
  }
  return timed;
}

test("a stretch that begins in a flood is far enough back when it says so", () => {
  let settled = 0;
  const steps = new Set();
  for (let seed = 1; seed <= 60; seed += 1) {
    const random = random_from(seed);
    const timed = random_flood(random, 40);
    const settings = join_settings({ max_messages: [2, 5, 12, 30][seed % 4], fade_seconds: [0, 0, 3, 8][(seed >> 2) % 4] }, {});
    const now = timed.at(-1).at - Math.floor(random() * 1500);
    const heard = timed.filter((it) => it.at <= now);
    const truth = straight(heard.map((it) => it.event), now, settings);
    const whole = new Screen(settings);
    for (const it of heard) {
      whole.take(it.event, STARTED + it.at);
      steps.add(whole.flood.step(STARTED + it.at));
    }
    for (let turn = 0; turn < 60; turn += 1) {
      const from = Math.floor(random() * heard.length);
      const stretch = heard.slice(from);
      if (!stretch.length || !is_settled(stretch, now, settings, STARTED)) continue;
      settled += 1;
      const screen = new Screen(settings);
      for (const it of stretch) screen.take(it.event, STARTED + it.at);
      screen.expire(STARTED + now);
      assert.deepEqual(picture(screen), truth, `seed ${seed} from ${from}`);
    }
  }
  assert.deepEqual([...steps].sort(), [0, 1, 2, 3]);
  assert.ok(settled > 1000, `${settled} settled`);
});

test("a seek into a flood shows exactly what playing from the start would", async () => {
  for (let seed = 200; seed < 206; seed += 1) {
    const random = random_from(seed);
    const events = random_flood(random, 60).map((it) => it.event);
    const { player, screen, settings } = play_on(new Server(events), SETTINGS[seed % SETTINGS.length]);
    await player.open("S1");
    for (let turn = 0; turn < 8; turn += 1) {
      const at = Math.floor(random() * player.duration_ms);
      await player.seek(at);
      assert.deepEqual(picture(screen), straight(events, at, settings), `seed ${seed}, seek ${turn} to ${at}`);
    }
    player.close();
  }
});

test("a long run of equal lines is followed back to its beginning", async () => {
  const events = [said(101, 0, "hello")];
  for (let seq = 102; seq < 1700; seq += 1) events.push(said(seq, seq * 100, "gg"));
  const { player, screen } = play_on(new Server(events), { max_messages: 3 });
  await player.open("S1");
  await player.seek(player.duration_ms);
  assert.deepEqual(screen.lines.all.map((it) => it.count), [1, 1598]);
});

test("the newest of several seeks wins, and all of them are told", async () => {
  const events = random_session(random_from(7), 600);
  const { player, screen, settings } = play_on(new Server(events));
  await player.open("S1");
  const all = [player.seek(90_000), player.seek(10_000), player.seek(50_000)];
  await Promise.all(all);
  assert.equal(player.position_ms, 50_000);
  assert.deepEqual(picture(screen), straight(events, 50_000, settings));
});

// ---------------------------------------------------------------- playing

const steady = (count, every = 1000) => Array.from({ length: count }, (_, at) => said(first_seq + at, at * every, `line ${at}`));

test("events come at their time, faster at a higher rate, and not while paused", async () => {
  const { player, seen } = play_on(new Server(steady(60)));
  await player.open("S1", { play: true });
  const begin = Date.now();
  await pass(3020, 20);
  assert.deepEqual(seen.map((it) => it.seq), [101, 102, 103, 104]);
  assert.deepEqual(seen.slice(1).map((it) => Math.round((it.at - begin) / 100)), [10, 20, 30]);
  player.pause();
  const { position_ms } = player;
  await pass(5000);
  assert.equal(player.position_ms, position_ms);
  player.rate = 4;
  player.toggle();
  await pass(1000);
  assert.equal(seen.length, 8);
  player.rate = 100;
  assert.equal(player.rate, 16);
});

test("at the end it says so, and playing again begins anew", async () => {
  const { player, seen } = play_on(new Server(steady(5)));
  let ends = 0;
  player.on("end", () => (ends += 1));
  await player.open("S1", { play: true });
  await pass(5000);
  assert.deepEqual([ends, player.state.phase, player.position_ms, player.is_playing], [1, "ended", 4000, false]);
  assert.deepEqual(seen.map((it) => it.seq), [101, 102, 103, 104, 105]);
  player.play();
  await pass(1100);
  assert.equal(player.state.phase, "playing");
  assert.equal(seen.length, 7);
});

test("only a few pages are held, however long the session", async () => {
  const server = new Server(steady(20_000, 10));
  const { player } = play_on(server);
  await player.open("S1");
  await settle();
  assert.ok(server.requests <= 4, `${server.requests} requests`);
  player.rate = 16;
  player.play();
  await pass(1000);
  assert.ok(server.requests <= 10, `${server.requests} requests`);
});

test("when the network is slower than the clock, the clock waits and nothing is skipped", async () => {
  const server = new Server(steady(1500, 10));
  const { player, seen } = play_on(server);
  await player.open("S1");
  await settle();
  server.delay_ms = 2000;
  const phases = new Set();
  player.on("state", ({ phase }) => phases.add(phase));
  player.rate = 16;
  player.play();
  await pass(6000);
  assert.ok(phases.has("buffering"));
  assert.deepEqual(seen.map((it) => it.seq), Array.from({ length: seen.length }, (_, at) => first_seq + at));
  assert.equal(seen.length, 1500);
});

test("without a server it tries for ever and says so, and goes on when it is back", async () => {
  const server = new Server(steady(10));
  server.down = true;
  const { player, seen } = play_on(server);
  const opened = player.open("S1", { play: true });
  await pass(60_000, 1000);
  assert.equal(player.state.phase, "loading");
  assert.ok(player.state.trouble.attempt > 5 && player.state.trouble.retry_ms <= 10_000);
  server.down = false;
  await pass(11_000, 500);
  await opened;
  assert.equal(player.state.trouble, null);
  assert.ok(seen.length > 0);
});

test("an archive with nothing in it, or without this session, is asked again", async () => {
  const server = new Server(steady(3));
  const { session } = server;
  server.session = null;
  const { player } = play_on(server);
  const opened = player.open("latest");
  await settle();
  assert.equal(player.state.phase, "empty");
  server.session = session;
  await pass(4000);
  await opened;
  assert.equal(player.state.phase, "paused");
  player.open("S9");
  await settle();
  assert.equal(player.state.phase, "missing");
});

test("a stream that still runs is played to its end, and on as it grows", async () => {
  const events = steady(10);
  const server = new Server(events.slice(), { state: "open", ended_at: null });
  const { player, seen } = play_on(server);
  const grow = (count) => {
    for (let at = 0; at < count; at += 1) {
      const seq = server.log.at(-1).seq + 1;
      server.log.push(said(seq, (seq - first_seq) * 1000, `line ${seq}`));
    }
    server.session.last_seq = server.log.at(-1).seq;
    server.session.duration_ms = (server.session.last_seq - first_seq) * 1000;
  };
  await player.open("S1");
  await player.seek(7000);
  player.play();
  await pass(4000);
  assert.equal(player.state.phase, "waiting");
  grow(10);
  await pass(9000);
  assert.ok(player.position_ms > 15_000, `${player.position_ms}`);
  Object.assign(server.session, { state: "closed" });
  await pass(12_000);
  assert.equal(player.state.phase, "ended");
  assert.deepEqual([...new Set(seen.map((it) => it.seq))].sort((a, b) => a - b), Array.from({ length: 20 }, (_, at) => first_seq + at));
});

test("steps go from one drawn event to the next and back, and a silence can be skipped", async () => {
  const events = [said(101, 0, "one"), said(102, 1000, "!hidden"), said(103, 2000, "two"), said(104, 2000, "three"), said(105, 60_000, "four")];
  const { player, screen } = play_on(new Server(events), { hide_commands: true });
  const texts = () => screen.lines.all.map((it) => it.event.data.text);
  await player.open("S1");
  await settle();
  await player.step(1);
  assert.deepEqual([player.position_ms, texts()], [2000, ["one", "two", "three"]]);
  await player.skip_silence();
  assert.equal(player.position_ms, 60_000);
  await player.step(1);
  assert.equal(player.position_ms, 60_000);
  await player.step(-1);
  assert.deepEqual([player.position_ms, texts()], [2000, ["one", "two", "three"]]);
  await player.step(-1);
  assert.deepEqual([player.position_ms, texts()], [0, ["one"]]);
  await player.skip_silence();
  assert.equal(player.position_ms, 0, "two seconds are none");
});

test("a deletion in the running stream reaches what waits to be shown, and the words quoted from it", async () => {
  const events = [
    said(101, 0, "one"), said(102, 1000, "two", { login: "cleo" }), said(103, 2000, "three"),
    said(104, 3000, "four", { reply_to: { id: "twitch:101", author: { id: "twitch:bo-id" }, text: "one" } }),
  ];
  const { player, screen } = play_on(new Server(events));
  player.on("moderate", (deletion) => screen.remove(deletion));
  await player.open("S1");
  await settle();
  player.moderate({ type: "chat.delete", data: { message_id: "twitch:101", platform: "twitch" } });
  player.moderate({ type: "chat.clear_user", data: { platform: "twitch", author_id: "twitch:cleo-id", seconds: null } });
  await player.seek(3000);
  assert.deepEqual(screen.lines.all.map((it) => it.event.data.text), ["three", "four"]);
  assert.equal(screen.lines.all[1].event.data.reply_to.text, "");
});

test("what is asked before the session is there is done once it is", async () => {
  const server = new Server(steady(10));
  server.delay_ms = 500;
  const { player } = play_on(server);
  player.open("S1");
  let sought = false;
  player.seek(4000).then(() => (sought = true));
  await pass(3000);
  assert.deepEqual([sought, player.position_ms], [true, 4000]);
  // Closing answers whoever still waits.
  const waiting = player.seek(1000);
  player.close();
  await waiting;
});

test("a link says where a recording begins, and whether by itself", () => {
  const begin = (text) => parse_beginning(new URLSearchParams(text));
  assert.deepEqual(begin(""), { at: 0, play: true });
  assert.deepEqual(begin("t=90"), { at: 90_000, play: true });
  assert.deepEqual(begin("t=1.5s&paused"), { at: 1500, play: false });
  assert.deepEqual(begin("t=-4&paused=0"), { at: 0, play: true });
  assert.deepEqual(begin("t=soon"), { at: 0, play: true });
});

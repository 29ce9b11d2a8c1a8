// `?demo`: lines of invented viewers, said again and again, to place and style a source without a chat.

const T = (text) => ({ type: "text", text });

function author(platform, login, name, color, roles = [], badges = []) {
  return {
    id: `${platform}:demo-${login}`, login, name, color, roles,
    badges: badges.map((set) => ({ set, version: "1", title: set })),
  };
}

const MIRA = author("twitch", "mira_moss", "MiraMoss", "#1e90ff", ["moderator"], ["moderator", "subscriber"]);
const TOBI = author("youtube", "tobi", "Tobi & the Fog", null);
const SUNA = author("kick", "suna", "suna砂", "#53fc18", [], ["vip"]);
const LAYLA = author("youtube", "layla", "ليلى", null);
const ORIN = author("twitch", "orin", "Orin", "#ff7f50", ["subscriber"], ["subscriber", "bits"]);
const PELL = author("rumble", "pell", "old_pell", "#85c742");

const said = (who, text, more = {}) => ({ type: "chat.message", who, text, more });
const done = (who, kind, system_text, more = {}) => ({ type: "activity", who, kind, system_text, more });

const SCRIPT = [
  said(MIRA, "Welcome in, everyone! 🎉"),
  said(TOBI, "hello from YouTube, the picture is so crisp today"),
  said(SUNA, "こんばんは！今日もよろしく"),
  done(PELL, "follow", "old_pell followed"),
  said(ORIN, "that jump was closer than it looked"),
  said(LAYLA, "مساء الخير، هذا البث رائع"),
  said(TOBI, "This made my whole week. Thank you!", { amount: { value: 1000, currency: "EUR", display: "€10.00" } }),
  done(ORIN, "subscription", "Orin subscribed at Tier 1. They have subscribed for 7 months!", { months: 7, tier: "1", text: "seven already?" }),
  said(PELL, "first time here, what is this game?", { flags: ["first_message"] }),
  said(MIRA, "a cosy one about lighthouses", {
    flags: ["reply"],
    reply_to: { id: "rumble:demo-0", author: { ...PELL, badges: [] }, text: "first time here, what is this game?" },
  }),
  done(SUNA, "raid", "suna砂 is raiding with a party of 48!", { count: 48 }),
  said(ORIN, "🔥🔥🔥"),
];

/** Calls `take` with an event every `every_ms`, for ever. */
export function play(take, every_ms = 1600) {
  let seq = 0;
  const next = () => {
    const { who, more, type, ...line } = SCRIPT[seq % SCRIPT.length];
    seq += 1;
    const ts = new Date().toISOString();
    const platform = who.id.slice(0, who.id.indexOf(":"));
    const text = line.text ?? more.text;
    const data = {
      flags: [], ...line, ...more, platform, author: who, id: `${platform}:demo-${seq}`,
      channel: { id: `${platform}:demo`, name: "demo" }, sent_at: ts, received_at: ts,
      ...(text === undefined ? {} : { text, fragments: [T(text)] }),
    };
    take({ v: 1, room: "demo", epoch: "demo", seq, ts, type, data });
    if (type === "chat.message") take({ v: 1, room: "demo", epoch: "demo", seq, ts, type: "feature.show", data });
  };
  for (let line = 0; line < 5; line += 1) next();
  return setInterval(next, every_ms);
}

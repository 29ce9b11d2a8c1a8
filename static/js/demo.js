// `?demo`: lines of invented viewers, said again and again, to place and style a source without a chat. Every
// kind of line that a theme must dress is among them.

const T = (text) => ({ type: "text", text });
const M = (text) => ({ type: "mention", text });
const L = (text) => ({ type: "link", text, url: `https://${text}` });
const E = (name, { zero_width = false } = {}) => ({
  type: "emote", text: name,
  emote: { provider: "streamsuites", id: name, url: `/static/demo/emotes/${name}.svg`, animated: false, zero_width },
});

function author(platform, login, name, color, { roles = [], badges = [], avatar = "", pronouns = "" } = {}) {
  return {
    id: `${platform}:demo-${login}`, login, name, color, roles,
    badges: badges.map((set) => ({ set, version: "1", title: set })),
    ...(pronouns && { pronouns }),
    ...(avatar && { avatar: `/static/demo/avatars/${avatar}.svg` }),
  };
}

const NOVA = author("twitch", "nova", "Nova", "#ff5ca8", { roles: ["broadcaster"], badges: ["broadcaster"], avatar: "nova", pronouns: "She/They" });
const MIRA = author("twitch", "mira_moss", "MiraMoss", "#1e90ff", { roles: ["moderator", "subscriber"], badges: ["moderator", "subscriber"], avatar: "waves", pronouns: "She/Her" });
const TOBI = author("youtube", "tobi", "Tobi & the Fog", null, { avatar: "peaks" });
const SUNA = author("kick", "suna", "suna砂", "#53fc18", { roles: ["vip"], badges: ["vip"], avatar: "rings" });
const LAYLA = author("youtube", "layla", "ليلى", null, { roles: ["member"], badges: ["member"], avatar: "bloom" });
const ORIN = author("twitch", "orin", "Orin", "#ff7f50", { roles: ["subscriber"], badges: ["subscriber", "bits"], avatar: "dunes", pronouns: "They/Them" });
const PELL = author("rumble", "pell", "old_pell", "#85c742");
const WREN = author("kick", "wren", "WrenOnTheRoof", "#b388ff", { avatar: "tiles" });

const said = (who, text, more = {}) => ({ type: "chat.message", who, text, more });
const done = (who, kind, system_text, more = {}) => ({ type: "activity", who, kind, system_text, more });
const paid = (value, currency, display) => ({ amount: { value, currency, display } });

const SCRIPT = [
  said(MIRA, "Welcome in, everyone! 🎉"),
  said(TOBI, "hello from YouTube, the picture is so crisp today"),
  said(SUNA, "こんばんは！今日もよろしく"),
  done(PELL, "follow", "old_pell followed"),
  said(ORIN, [T("that jump was closer than it looked "), E("novaWow")]),
  said(TOBI, "This made my whole week. Thank you!", paid(1000, "EUR", "€10.00")),
  said(LAYLA, "مساء الخير، هذا البث رائع"),
  done(ORIN, "subscription", "Orin subscribed at Tier 1. They have subscribed for 7 months!", { months: 7, tier: "1", text: "seven already?" }),
  said(PELL, "first time here, what is this game?", { flags: ["first_message"] }),
  said(MIRA, [M("@old_pell"), T(" a cosy one about lighthouses")], {
    flags: ["reply"],
    reply_to: { id: "rumble:demo-0", author: { ...PELL, badges: [] }, text: "first time here, what is this game?" },
  }),
  done(SUNA, "raid", "suna砂 is raiding with a party of 48!", { count: 48 }),
  said(NOVA, [T("raiders! sit down, the kettle is on "), E("novaSip")]),
  said(WREN, [E("novaHype"), T(" "), E("novaHype"), T(" "), E("partyHat", { zero_width: true })]),
  said(WREN, "gg", {}),
  said(SUNA, "gg", {}),
  said(ORIN, "gg", {}),
  said(WREN, "climbs the lamp post and waves", { flags: ["action"] }),
  said(ORIN, "🔥🔥🔥"),
  said(SUNA, "please look at the cat on the left", { flags: ["highlighted"] }),
  done(LAYLA, "membership", "ليلى became a member", { tier: "Lamplighter" }),
  done(TOBI, "gift", "Tobi & the Fog gifted 5 memberships", { count: 5 }),
  said(PELL, "for the lamp oil", paid(100, "USD", "$1.00")),
  said(WREN, "and some biscuits", paid(300, "USD", "$3.00")),
  said(ORIN, "no kettle should stand alone", paid(700, "USD", "$7.00")),
  said(LAYLA, "شكرا على كل شيء", paid(3000, "USD", "$30.00")),
  said(TOBI, "Play the sea shanty one more time, for everybody who is still at work", paid(7500, "USD", "$75.00")),
  said(SUNA, "灯台に乾杯！", paid(20_000, "USD", "$200.00")),
  said(WREN, [T("map and route: "), L("example.com/lighthouses"), T(" "), M("@MiraMoss")]),
  said(ORIN, "hello from next door", { flags: ["shared_chat"], source_channel: { id: "twitch:demo-2", name: "KettleWorks" } }),
  said(TOBI, "Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetzundnochlängeralsdas"),
  done(MIRA, "announcement", "Announcement", { text: "The fair opens at midnight. Bring a lantern." }),
  done(WREN, "redemption", "WrenOnTheRoof redeemed Hydrate", { text: "water, please" }),
  done(PELL, "donation", "old_pell donated", { ...paid(1500, "USD", "$15.00"), text: "for the harbour cats" }),
  done(LAYLA, "milestone", "ليلى has been a member for 12 months", { months: 12, tier: "Lamplighter", text: "سنة كاملة!" }),
  done(ORIN, "watch_streak", "Orin has watched 10 streams in a row", { count: 10 }),
  done(TOBI, "paid", "Tobi & the Fog sent a Super Sticker", {
    ...paid(499, "EUR", "€4.99"), raw_kind: "superStickerEvent", text: [E("bunBun")],
  }),
  said(TOBI, "안녕하세요, 오늘도 재밌게 볼게요"),
];

/** Calls `take` with an event every `every_ms`, for ever. */
export function play(take, every_ms = 1600) {
  let seq = 0;
  const next = () => {
    const { who, more, type, ...line } = SCRIPT[seq % SCRIPT.length];
    seq += 1;
    const ts = new Date().toISOString();
    const platform = who.id.slice(0, who.id.indexOf(":"));
    const words = line.text ?? more.text;
    const fragments = typeof words === "string" ? [T(words)] : words;
    const data = {
      flags: [], ...line, ...more, platform, author: who, id: `${platform}:demo-${seq}`,
      channel: { id: `${platform}:demo`, name: "demo" }, sent_at: ts, received_at: ts,
      ...(words === undefined ? {} : { text: fragments.map((it) => it.text).join(""), fragments }),
    };
    take({ v: 1, room: "demo", epoch: "demo", seq, ts, type, data });
    if (type === "chat.message") take({ v: 1, room: "demo", epoch: "demo", seq, ts, type: "feature.show", data });
  };
  for (let line = 0; line < 5; line += 1) next();
  return setInterval(next, every_ms);
}

// What people type or paste when asked for their channel. The server has the last word on names.

/** The platforms that can be read, with what a channel's name looks like there. */
export const PLATFORMS = Object.freeze([
  { id: "twitch", title: "Twitch", example: "yourname" },
  { id: "youtube", title: "YouTube", example: "@yourname" },
  { id: "kick", title: "Kick", example: "yourname" },
  { id: "rumble", title: "Rumble", example: "yourname" },
  { id: "pilled", title: "Pilled", example: "yourname" },
]);

const HOSTS = Object.freeze({
  "twitch.tv": "twitch", "youtube.com": "youtube", "youtu.be": "youtube", "kick.com": "kick", "rumble.com": "rumble",
  "pilled.net": "pilled",
});

/** `ROOM=` before a channel, as on the command line, and the channel; an address may hold a `=` of its own. */
function split_room(text) {
  const [, room = "", rest = text] = text.match(/^\s*([\w-]+)\s*=(.*)$/s) ?? [];
  return { room, rest: rest.trim() };
}

/** The platform that an address or a prefix names; null for a bare name. */
export function platform_of(text) {
  const { rest } = split_room(text);
  const prefix = rest.match(/^([a-z]+):(?!\/\/)/i)?.[1].toLowerCase();
  if (PLATFORMS.some((it) => it.id === prefix)) return prefix;
  const host = rest.match(/^(?:https?:\/\/)?([a-z0-9.-]+\.[a-z]+)(?:[/?#]|$)/i)?.[1].toLowerCase();
  if (!host) return null;
  const known = Object.keys(HOSTS).find((it) => host === it || host.endsWith(`.${it}`));
  return known ? HOSTS[known] : null;
}

/** `platform:name`, or `ROOM=platform:name`, of what was pasted or typed with `chosen` selected; null if nothing was. */
export function channel_of(text, chosen) {
  const { room, rest } = split_room(text);
  const bare = rest.replace(/^(twitch|youtube|kick|rumble|pilled):(?!\/\/)/i, "").trim();
  if (!bare) return null;
  return `${room && `${room}=`}${platform_of(rest) ?? chosen}:${bare}`;
}

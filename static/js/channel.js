// What people type or paste when asked for their channel.

/** The channel in whatever was pasted: a name, @name, or any link to it. Null if there is none. */
export function channel_name(text) {
  const name = text.trim()
    .replace(/^(https?:\/\/)?((www|m|dashboard|player)\.)?twitch\.tv\/(popout\/|u\/|moderator\/)?/i, "")
    .replace(/^twitch:/i, "")
    .replace(/^@/, "")
    .replace(/[/?#].*$/, "")
    .toLowerCase();
  return /^[a-z0-9_]{1,25}$/.test(name) ? name : null;
}

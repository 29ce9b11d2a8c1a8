// What the pages that list rooms share: elements, state dots, and the newest list.

export const TITLES = Object.freeze({
  twitch: "Twitch", youtube: "YouTube", kick: "Kick", rumble: "Rumble", pilled: "Pilled", discord: "Discord",
  x: "X", streamsuites: "StreamSuites",
});

const STATES = {
  connecting: "connecting", live: "live", degraded: "has trouble", paused: "paused", offline: "offline",
  disabled: "disabled",
};

export function make(tag, name, ...children) {
  const element = document.createElement(tag);
  if (name) element.className = name;
  element.append(...children);
  return element;
}

export function mark(platform) {
  const image = make("img", "mark");
  image.src = `/static/img/platforms/${platform}.svg`;
  image.width = 18;
  image.height = 18;
  image.alt = TITLES[platform] ?? platform;
  return image;
}

/** The page of a room's recorded streams, with the key that its overlay link has. */
export function replay_url(room, overlay_url) {
  const overlay = new URL(overlay_url, location.href);
  const url = new URL(`/replay/${encodeURIComponent(room)}`, overlay);
  const key = overlay.searchParams.get("key");
  if (key) url.searchParams.set("key", key);
  return url.href;
}

/** How a room is, in a word or two: `{state, text}`, the worst first. */
export function room_state(statuses) {
  const in_state = (...states) => statuses.filter((it) => states.includes(it.state)).length;
  const troubled = in_state("degraded", "disabled");
  if (!statuses.length) return { state: "offline", text: "no channel" };
  if (troubled === statuses.length) return { state: "degraded", text: STATES.degraded };
  if (troubled) return { state: "degraded", text: `${troubled} of ${statuses.length} have trouble` };
  if (in_state("live")) return { state: "live", text: STATES.live };
  if (in_state("connecting")) return { state: "connecting", text: STATES.connecting };
  return { state: "offline", text: in_state("offline") ? STATES.offline : STATES.paused };
}

/** One line per channel that the room reads; `button_of` may give a line's last element. */
export function status_list(statuses, button_of = () => null) {
  const list = make("ul", "statuses");
  for (const status of statuses) {
    const { platform, channel, state, detail, viewers } = status;
    const name = make("bdi", "channel", channel);
    const facts = [STATES[state] ?? state, detail, Number.isInteger(viewers) ? `${viewers.toLocaleString()} watching` : ""];
    const item = make("li", "", make("span", "dot"), mark(platform), name,
      make("span", "detail", facts.filter(Boolean).join(" · ")), button_of(status) ?? "");
    item.dataset.state = state;
    list.append(item);
  }
  return list;
}

/** Asks for the rooms now and every `every_ms` while the page is seen; `take(null)` when nobody answers. */
export function follow_rooms(take, every_ms = 5000) {
  let timer = 0;
  const ask = async () => {
    clearTimeout(timer);
    if (!document.hidden) {
      try {
        const answer = await fetch("/api/rooms", { headers: { accept: "application/json" }, cache: "no-store" });
        if (!answer.ok) throw new Error(`status ${answer.status}`);
        take((await answer.json()).rooms);
      } catch {
        take(null);
      }
    }
    timer = setTimeout(ask, every_ms);
  };
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) ask();
  });
  timer = setTimeout(ask, every_ms);
  return ask;
}

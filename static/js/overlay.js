// The chat overlay: a stage, and what feeds it: the room's feed, or with `?replay=SESSION` a recording. With
// `?widget=NAME` the page shows a poll, a tally, a scoreboard, a goal or the queue instead (widgets/frame.js).
// Nothing here ever says that the connection is lost: an overlay is on air.

import { Backlog } from "./backlog.js";
import { Feed } from "./feed.js";
import { take_page } from "./keyed.js";
import { need, reload_when_served } from "./reload.js";
import { leave_when_revoked } from "./revoked.js";
import { list_unknown, parse_bool, parse_parameters } from "./settings.js";
import { Stage } from "./stage.js";

const BACKLOG_MOST = 500;

const page = take_page();
const parameters = new URLSearchParams(location.search);

/** A newer server has newer scripts. A source in OBS is never reloaded by hand, so it does so itself, once. */
function keep_up_with(build) {
  if (!build || !page.build || build === page.build) return;
  try {
    const key = `streamsuites.reloaded.${location.pathname}`;
    if (sessionStorage.getItem(key) === build) return;
    sessionStorage.setItem(key, build);
  } catch {
    return; // Without a memory, a mistake here would reload for ever.
  }
  reload_when_served({ at_once: true });
}

function is_still() {
  try {
    return Boolean(window.frameElement?.dataset.still);
  } catch {
    return false; // Framed by another site: the policy forbids it, and it is none of theirs.
  }
}

/** On the dashboard, the invented lines wear what is being tried there. */
function be_a_preview(stage) {
  addEventListener("message", ({ origin, source, data }) => {
    if (origin === location.origin && source === parent && data?.type === "preview") stage.configure(data.settings);
  });
  parent.postMessage({ type: "preview.ready" }, location.origin);
}

function follow_room() {
  const stage = new Stage({ page, changes: parse_parameters(parameters) });
  const { settings } = stage;
  if (parse_bool(parameters.get("beacon") ?? "no")) {
    import("./beacon.js").then(({ Beacon }) => {
      const beacon = new Beacon({ room: page.room, key: page.key, read: () => stage.counts });
      stage.report_to(beacon);
      globalThis.beacon = beacon;
    }).catch((error) => console.warn("This page reports nothing of itself.", error));
  }
  if (settings.demo) {
    need(import("./demo.js")).then(({ play }) => {
      const timer = play((event) => stage.take(event));
      // A picture of a theme on the dashboard does not move.
      if (parent !== window && is_still()) clearInterval(timer);
    });
    if (parent !== window) be_a_preview(stage);
    return;
  }
  const earlier = new Backlog();
  const backlog = Math.min(BACKLOG_MOST, settings.focus ? BACKLOG_MOST : Math.max(50, settings.max_messages * 2));
  const feed = new Feed({ room: page.room, key: page.key, backlog });
  leave_when_revoked(feed, () => stage.clear())
    .on("reset", () => stage.clear())
    .on("hello", (hello) => {
      keep_up_with(hello.build);
      earlier.greet(hello);
      // After a resume, too, what was missed is shown without ceremony.
      stage.live_from = hello.seq ?? 0;
      if (hello.settings) stage.configure(hello.settings);
      stage.renew_theme();
      stage.set_statuses(hello.status ?? []);
      const { featured } = hello;
      stage.take(featured ? { type: "feature.show", ts: featured.received_at, data: featured } : { type: "feature.clear" });
    })
    .on("event", (event) => {
      if (!earlier.is_earlier(event) && !earlier.is_told(event)) stage.take(event);
    })
    .start();
}

async function show_widget(name) {
  const { WIDGETS, show_widget: show } = await need(import("./widgets/frame.js"));
  if (Object.hasOwn(WIDGETS, name)) {
    await show(name, { page, parameters, keep_up_with });
    return;
  }
  console.warn(`There is no widget "${name}", only ${Object.keys(WIDGETS).join(", ")}: this is the chat.`);
  follow_room();
}

const unknown = list_unknown(parameters, page.themes);
if (unknown.length) console.warn(unknown.join("\n"));

const widget = parameters.get("widget")?.trim().toLowerCase();
if (widget) show_widget(widget);
else if (parameters.has("replay")) need(import("./recording.js")).then(({ play_recording }) => play_recording(page, parameters));
else follow_room();

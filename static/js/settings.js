// A room's overlay settings: the defaults, what a URL parameter changes, and how both are joined.
// Pure functions; `src/model/overlay_settings.rs` is the same list on the server.

export const PLATFORMS = Object.freeze([
  "twitch", "youtube", "kick", "rumble", "pilled", "discord", "x", "streamsuites",
]);
// Those whose chat can be read here; the others are where a line may come from all the same.
export const READABLE = Object.freeze(["twitch", "youtube", "kick", "rumble", "pilled"]);
export const PROVIDERS = Object.freeze([
  "twitch", "youtube", "kick", "rumble", "7tv", "bttv", "ffz", "discord", "streamsuites",
]);

export const DEFAULTS = Object.freeze({
  theme: "default",
  custom_css: "",
  font: "",
  font_size: 0,
  max_messages: 30,
  fade_seconds: 0,
  direction: "up",
  align: "left",
  animation: "slide",
  speed: 0,
  focus: false,
  platforms: Object.freeze([]),
  show_badges: true,
  show_avatars: false,
  show_platform: true,
  show_timestamps: false,
  show_activities: true,
  emotes: Object.freeze([]),
  hide_commands: false,
  hide_bots: false,
  hidden_users: Object.freeze([]),
  blocked_words: Object.freeze([]),
  min_paid: 0,
  auto_feature_paid: false,
  scale: 1,
  pronouns: false,
  static: false,
});

// What only a URL says: it belongs to one source, not to the room.
export const SOURCE_DEFAULTS = Object.freeze({
  without_platforms: Object.freeze([]),
  without_emotes: Object.freeze([]), // Providers, or `*` for all.
  lang: "",
  demo: false,
  status: false,
  bg: "",
});

const LIST_MOST = 1000;
const CSS_MOST = 20_000;

/** True, false, or undefined for neither. A bare name is a yes. */
export function parse_bool(text) {
  switch (text.trim().toLowerCase()) {
    case "": case "1": case "true": case "yes": case "on": return true;
    case "0": case "false": case "no": case "off": return false;
    default: return undefined;
  }
}

function number(text, least, most, whole) {
  const trimmed = text.trim().replace(/(px|s)$/i, "");
  if (!/^[+-]?(\d+\.?\d*|\.\d+)$/.test(trimmed)) return undefined;
  const value = Math.min(most, Math.max(least, Number(trimmed)));
  return whole ? Math.round(value) : value;
}

const list = (text) => text.split(",").map((it) => it.trim()).filter(Boolean).slice(0, LIST_MOST);

const bool = (name) => (text) => one(name, parse_bool(text));
const whole = (name, least, most) => (text) => one(name, number(text, least, most, true));
const choice = (name, values) => (text) => {
  const value = text.trim().toLowerCase();
  return one(name, values.includes(value) ? value : undefined);
};
const words = (name) => (text) => one(name, list(text));
/** Known words only; nothing if none is known, so that a slip of the pen does not mean "all". */
const known = (name, values) => (text) => {
  const found = list(text.toLowerCase()).filter((it) => values.includes(it));
  return one(name, found.length || !text.trim() ? [...new Set(found)] : undefined);
};

function one(name, value) {
  return value === undefined ? {} : { [name]: value };
}

function theme(text) {
  const name = text.trim().toLowerCase();
  return one("theme", /^[a-z0-9][a-z0-9-]{0,31}$/.test(name) ? name : undefined);
}

function background(text) {
  const value = text.trim().toLowerCase();
  if (["none", "0", "off", "no", "false", "transparent"].includes(value)) return { bg: "none" };
  const hex = /^#?([0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})$/.exec(value);
  return one("bg", hex ? `#${hex[1]}` : undefined);
}

const SHOWN = {
  badges: "show_badges", badge: "show_badges",
  avatars: "show_avatars", avatar: "show_avatars",
  platform: "show_platform", platforms: "show_platform",
  time: "show_timestamps", timestamps: "show_timestamps",
  activities: "show_activities", activity: "show_activities", alerts: "show_activities",
  pronouns: "pronouns",
};

/** `without=badges,7tv,kick`: parts of a line, emote providers and platforms that are left out. */
function without(text) {
  const found = {};
  for (const word of list(text.toLowerCase())) {
    if (SHOWN[word]) found[SHOWN[word]] = false;
    else if (word === "emotes") found.without_emotes = ["*"];
    else if (word === "animation" || word === "animations") found.animation = "none";
    else if (word === "commands") found.hide_commands = true;
    else if (word === "bots") found.hide_bots = true;
    else if (PLATFORMS.includes(word)) (found.without_platforms ??= []).push(word);
    else if (PROVIDERS.includes(word)) (found.without_emotes ??= []).push(word);
  }
  return found;
}

function animation(text) {
  const value = text.trim().toLowerCase();
  if (["none", "fade", "slide", "pop"].includes(value)) return { animation: value };
  const wanted = parse_bool(text);
  if (wanted === undefined) return {};
  return { animation: wanted ? DEFAULTS.animation : "none" };
}

/**
 * CSS in a link. The room's own was looked at by the server; this is whatever somebody wrote into an address, so
 * it may style and nothing else: what could ask another server for something is not taken.
 */
function custom_css(text) {
  const asks = /@import|@namespace|\b(?:url|src|image|image-set|cross-fade|paint)\s*\(|\\/i;
  return one("custom_css", text.length <= CSS_MOST && !asks.test(text) ? text : undefined);
}

const only = known("platforms", PLATFORMS);
const max_messages = whole("max_messages", 1, 500);
const fade_seconds = whole("fade_seconds", 0, 3600);
const font_size = whole("font_size", 0, 200);
const font = (text) => ({ font: text.trim().slice(0, 200) });

// Links saved in OBS keep working for years: names may be added here, never taken away.
const PARAMETERS = {
  theme,
  custom_css,
  font,
  font_size, size: font_size,
  max_messages, limit: max_messages, max: max_messages,
  fade_seconds, fade: fade_seconds,
  direction: choice("direction", ["up", "down"]),
  align: choice("align", ["left", "right", "center"]),
  animation, animate: animation,
  speed: whole("speed", 0, 100),
  focus: bool("focus"),
  platforms: only, only,
  show_badges: bool("show_badges"), badges: bool("show_badges"),
  show_avatars: bool("show_avatars"), avatars: bool("show_avatars"),
  show_platform: bool("show_platform"),
  show_timestamps: bool("show_timestamps"), time: bool("show_timestamps"),
  show_activities: bool("show_activities"),
  emotes: known("emotes", PROVIDERS),
  hide_commands: bool("hide_commands"), hidecommands: bool("hide_commands"),
  hide_bots: bool("hide_bots"), hidebots: bool("hide_bots"),
  hidden_users: words("hidden_users"), hideusers: words("hidden_users"),
  blocked_words: words("blocked_words"),
  min_paid: whole("min_paid", 0, Number.MAX_SAFE_INTEGER),
  auto_feature_paid: bool("auto_feature_paid"),
  scale: (text) => one("scale", number(text, 0.25, 4, false)),
  pronouns: bool("pronouns"),
  static: bool("static"),
  without,
  lang: (text) => one("lang", is_language(text) ? text : undefined),
  demo: bool("demo"),
  status: bool("status"),
  bg: background,
};

/** Every name a URL may use, for the test that holds the list. */
export const PARAMETER_NAMES = Object.freeze(Object.keys(PARAMETERS));

/** What the parameters of a URL change. Unknown names and bad values change nothing. */
export function parse_parameters(parameters) {
  const changes = {};
  for (const [name, text] of parameters) {
    const key = name.toLowerCase();
    if (Object.hasOwn(PARAMETERS, key)) Object.assign(changes, PARAMETERS[key](text));
  }
  return changes;
}

/**
 * What the parameters of a URL name and nobody knows, a sentence for each: they change nothing, and whoever wrote
 * them looks for the reason.
 *
 * @param {string[]} [themes] those there are, where the server has not found the one it was asked for
 */
export function list_unknown(parameters, themes) {
  const sentences = [];
  for (const [name, text] of parameters) {
    const key = name.toLowerCase();
    if (key === "theme" && themes && text.trim() && !themes.includes(text.trim().toLowerCase())) {
      sentences.push(`There is no theme "${text.trim()}", only ${themes.join(", ")}.`);
    }
    if (key !== "platforms" && key !== "only") continue;
    for (const word of list(text)) {
      if (PLATFORMS.includes(word.toLowerCase())) continue;
      sentences.push(`There is no platform "${word}", only ${READABLE.join(", ")}.`);
    }
  }
  return sentences;
}

/** The room's settings as this source sees them: defaults, then what is stored, then the URL. */
export function join_settings(stored, changes) {
  const joined = { ...DEFAULTS, ...SOURCE_DEFAULTS };
  for (const name of Object.keys(DEFAULTS)) {
    const value = stored?.[name];
    if (value !== undefined && value !== null) joined[name] = value;
  }
  joined.theme_version = stored?.theme_version ?? "";
  joined.is_checked_css = changes?.custom_css === undefined;
  return Object.assign(joined, changes);
}

/**
 * CSS in the layer above the theme. What the server looked at is whole and goes in as it is; anything else is
 * taken apart and written anew, so that a brace too many does not lead out of the layer.
 */
export function custom_layer(css, is_checked, Sheet = globalThis.CSSStyleSheet) {
  if (!css) return "";
  let text = css;
  if (!is_checked) {
    const sheet = new Sheet();
    sheet.replaceSync(css);
    text = [...sheet.cssRules].map((it) => it.cssText).join("\n");
  }
  return `@layer custom {\n${text}\n}`;
}

const GENERIC = new Set([
  "serif", "sans-serif", "monospace", "cursive", "fantasy", "system-ui", "ui-serif", "ui-sans-serif",
  "ui-monospace", "ui-rounded",
]);

/** A font setting as a CSS family list that cannot be anything else; empty for none. */
export function font_family(text) {
  return text
    .split(",")
    .map((it) => it.replace(/["'\\;{}()<>]/g, "").trim())
    .filter(Boolean)
    .map((it) => (GENERIC.has(it.toLowerCase()) ? it.toLowerCase() : `"${it}"`))
    .join(", ");
}

/** What merely looks like a language would throw wherever it is used. */
function is_language(text) {
  try {
    return /^[a-z]{2,3}(-[a-z0-9]{2,8})*$/i.test(text) && Intl.getCanonicalLocales(text).length === 1;
  } catch {
    return false;
  }
}

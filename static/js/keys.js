// The dashboard's keys: one for each source, masked until asked, copied without being shown, rotated with grace.

import { ask, reason_of } from "./ask.js";
import { copy } from "./copy.js";
import { removal_button } from "./removal.js";
import { masked } from "./room_links.js";
import { make } from "./rooms.js";

const DEFAULT = "default";
const ASK_EVERY_MS = 10_000;
const COPIED_MS = 2000;
/** How long the old link goes on, in words and seconds. */
const GRACES = [["at once", 0], ["in 10 minutes", 600], ["in an hour", 3600], ["in a day", 86_400], ["in a week", 604_800]];

/** `5 minutes ago`, for people. */
export function ago(then, now) {
  const seconds = Math.max(0, Math.round((now - Date.parse(then)) / 1000));
  const steps = [[60, 1, "second"], [3600, 60, "minute"], [86_400, 3600, "hour"], [Infinity, 86_400, "day"]];
  const [, size, word] = steps.find(([below]) => seconds < below);
  const count = Math.floor(seconds / size);
  if (word === "second") return "just now";
  return `${count} ${word}${count === 1 ? "" : "s"} ago`;
}

/** Who uses a key, in a few words. */
export function usage({ open, last_seen }, now) {
  if (open > 0) return `in use: ${open} open`;
  return last_seen ? `last seen ${ago(last_seen, now)}` : "not used yet";
}

/** When an earlier key ends. */
function end_of(until) {
  const end = new Date(until);
  const is_today = end.toDateString() === new Date().toDateString();
  return end.toLocaleString([], is_today ? { timeStyle: "short" } : { dateStyle: "medium", timeStyle: "short" });
}

function button(name, words, act) {
  const it = make("button", name, words);
  it.type = "button";
  it.addEventListener("click", act);
  return it;
}

/**
 * Draws a room's keys, and what becomes of them, until the page is left.
 * @param {object} options
 * @param {string} options.room
 * @param {{list: HTMLElement, name: HTMLInputElement, add: HTMLButtonElement, told: HTMLElement, error: HTMLElement, hint: HTMLElement}} options.parts
 * @param {(overlay_url: string) => void} options.renewed the default key is another now
 */
export function show_keys({ room, parts, renewed }) {
  const { list, name: name_field, add, told, error, hint } = parts;
  const path = (more = "") => `/api/settings/overlay-key?room=${encodeURIComponent(room)}${more}`;
  const path_of = (name, more = "") => path(`&name=${encodeURIComponent(name)}${more}`);
  const entries = new Map(); // name → what `entry` made: kept, so that nothing is swapped under a finger.
  let timer = 0;

  function say(words) {
    told.textContent = words;
    error.textContent = "";
  }

  function complain(answer) {
    told.textContent = "";
    error.textContent = reason_of(answer);
  }

  /** The address with that key in it; null when it is not to be had. */
  async function reveal(name) {
    const answer = await ask("GET", path_of(name));
    if (answer.ok) return answer.body.overlay_url;
    complain(answer);
    return null;
  }

  function entry(name) {
    const facts = make("span", "muted facts");
    const old = make("ul", "old-keys");
    const url = make("code", "url", "••••••••••••••••");
    let is_shown = false;
    let copied = 0;

    const copy_it = button("primary", "Copy link", async () => {
      const address = await reveal(name);
      if (!address) return;
      const done = await copy(address);
      copy_it.textContent = done ? "Copied ✓" : "Press Ctrl+C";
      clearTimeout(copied);
      copied = setTimeout(() => (copy_it.textContent = "Copy link"), COPIED_MS);
    });
    const show = button("quiet", "Show", () => void look(!is_shown));
    show.setAttribute("aria-pressed", "false");

    async function look(wanted) {
      const address = wanted ? await reveal(name) : null;
      is_shown = Boolean(address);
      url.textContent = address ?? "••••••••••••••••";
      url.toggleAttribute("data-shown", is_shown);
      show.textContent = is_shown ? "Hide" : "Show";
      show.setAttribute("aria-pressed", String(is_shown));
    }

    const grace = make("select", "");
    grace.append(...GRACES.map(([words, seconds]) => new Option(words, String(seconds))));
    const label = make("label", "", "The old link ends ", grace);
    const go = button("tool", "Rotate now", async () => {
      const grace_seconds = Number(grace.value);
      go.disabled = true;
      const answer = await ask("POST", path(), { name, rotate: true, grace_seconds });
      go.disabled = false;
      if (!answer.ok) {
        complain(answer);
        return;
      }
      fold(false);
      await look(false);
      rotate.focus();
      if (name === DEFAULT) renewed(answer.body.overlay_url);
      const until = answer.body.old_until;
      say(until ? `A new link is ready: copy it into OBS. The old one works until ${end_of(until)}.`
        : "A new link is ready: copy it into OBS. The old one works no longer.");
      await refresh();
    });
    const turning = make("div", "turning", label, go, button("quiet", "Cancel", () => {
      fold(false);
      rotate.focus();
    }));
    turning.hidden = true;
    const rotate = button("quiet", "Rotate…", () => fold(turning.hidden));
    rotate.setAttribute("aria-expanded", "false");
    turning.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      fold(false);
      rotate.focus();
    });

    function fold(is_open) {
      turning.hidden = !is_open;
      rotate.setAttribute("aria-expanded", String(is_open));
      if (is_open) grace.focus();
    }

    const removal = name === DEFAULT ? "" : removal_button({
      label: name, words: "Delete", question: "Sources with it stop. Delete?", path: path_of(name),
      done() {
        say("Deleted: what was open with it is closed.");
        list.focus({ preventScroll: true });
        void refresh();
      },
      failed: (why) => (error.textContent = why),
    });
    const end_old = button("quiet", "End the old one now", async () => {
      const answer = await ask("DELETE", path_of(name, "&old"));
      if (!answer.ok) {
        complain(answer);
        return;
      }
      say("Ended: what was open with it is closed.");
      rotate.focus();
      await refresh();
    });
    end_old.hidden = true;
    const title = make("bdi", "key-name", name === DEFAULT ? "Default" : name);
    const item = make("li", "key", make("div", "key-head", title, facts), make("div", "link-row", url, copy_it),
      make("div", "key-acts", show, rotate, end_old, removal), turning, old);
    let drawn_old = "";

    return {
      item,
      draw(key) {
        const now = Date.now();
        facts.textContent = [name === DEFAULT ? "in the links of the start page" : "", usage(key, now)].filter(Boolean).join(" · ");
        facts.toggleAttribute("data-open", key.open > 0);
        const lines = key.old.map((it) => `The one before works until ${end_of(it.until)} · ${usage(it, now)}`);
        if (lines.join("\n") === drawn_old) return;
        drawn_old = lines.join("\n");
        old.replaceChildren(...lines.map((it) => make("li", "muted", it)));
        end_old.hidden = !lines.length;
      },
    };
  }

  function draw({ access, most, keys }) {
    hint.textContent = access === "open"
      ? "This server answers its own machine only, so links need no key. One made here says who uses it, and works when that changes."
      : "A key opens this room for reading, and nothing else. With one for each source in OBS, one can be changed and the others go on.";
    const present = new Set(keys.map((it) => it.name));
    for (const [name, { item }] of entries) {
      if (present.has(name)) continue;
      item.remove();
      entries.delete(name);
    }
    for (const key of keys) {
      let it = entries.get(key.name);
      if (!it) {
        it = entry(key.name);
        entries.set(key.name, it);
        list.append(it.item);
      }
      it.draw(key);
    }
    add.disabled = keys.length >= most;
    add.title = add.disabled ? `A room has ${most} keys at most` : "";
  }

  async function refresh() {
    clearTimeout(timer);
    if (!document.hidden) {
      const answer = await ask("GET", `/api/settings/overlay-keys?room=${encodeURIComponent(room)}`);
      if (answer.ok) draw(answer.body);
      else if (!entries.size) complain(answer);
    }
    clearTimeout(timer);
    timer = setTimeout(refresh, ASK_EVERY_MS);
  }

  async function make_key() {
    const name = name_field.value.trim();
    if (!name) {
      told.textContent = "";
      error.textContent = "Give the key a name first: the source that it is for.";
      name_field.focus();
      return;
    }
    const answer = await ask("POST", path(), { name });
    if (!answer.ok) {
      complain(answer);
      return;
    }
    name_field.value = "";
    say(`“${answer.body.name}” is ready: copy its link into OBS.`);
    await refresh();
    entries.get(answer.body.name)?.item.querySelector(".primary").focus();
  }

  add.addEventListener("click", make_key);
  name_field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault(); // The form around it would save the look.
    void make_key();
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) void refresh();
  });
  void refresh();
}

// The dashboard's moderators: who helps, with which rights, and who was asked.

import { ask, reason_of } from "./ask.js";
import { removal_button } from "./removal.js";
import { make } from "./rooms.js";

const ASK_EVERY_MS = 15_000;

export const RIGHTS = Object.freeze({
  queue: "Queue", feature: "Feature", hide: "Hide", timeout: "Time out", ban: "Ban", send: "Write", polls: "Polls",
});

/** `Moderator: queue, hide, …`: what a preset is, in a line of a list. */
export function preset_words({ name, rights }) {
  const all = Object.keys(RIGHTS);
  const what = rights.length === all.length ? "everything" : rights.map((it) => RIGHTS[it].toLowerCase()).join(", ");
  return `${name[0].toUpperCase()}${name.slice(1)}: ${what}`;
}

/**
 * Draws who moderates a room, and what becomes of it, until the page is left.
 * @param {object} options
 * @param {string} options.room
 * @param {{list: HTMLElement, to: HTMLInputElement, preset: HTMLSelectElement, add: HTMLButtonElement, told: HTMLElement, error: HTMLElement}} options.parts
 */
export function show_moderators({ room, parts }) {
  const { list, to, preset, add, told, error } = parts;
  const path = `/api/rooms/${encodeURIComponent(room)}/moderators`;
  const entries = new Map(); // id → {item, draw}: kept, so that nothing is swapped under a finger.
  let timer = 0;

  function say(words) {
    told.textContent = words;
    error.textContent = "";
  }

  function complain(answer) {
    told.textContent = "";
    error.textContent = reason_of(answer);
  }

  function removal(id, label, words, question) {
    return removal_button({
      label, words, question, path: `${path}?id=${encodeURIComponent(id)}`,
      done() {
        say("Done: what they had open is closed.");
        list.focus({ preventScroll: true });
        void refresh();
      },
      failed: (why) => (error.textContent = why),
    });
  }

  function moderator_entry({ id, user_code, display_name }) {
    const facts = make("span", "muted facts", user_code);
    const boxes = new Map();
    const rights = make("div", "rights chips");
    rights.setAttribute("role", "group");
    rights.setAttribute("aria-label", `What ${display_name} may do`);
    for (const [right, words] of Object.entries(RIGHTS)) {
      const box = make("input", "");
      box.type = "checkbox";
      box.value = right;
      box.addEventListener("change", async () => {
        const wanted = [...boxes.values()].filter((it) => it.checked).map((it) => it.value);
        if (!wanted.length) {
          box.checked = true;
          error.textContent = "With no right left, remove them instead.";
          return;
        }
        const answer = await ask("POST", path, { to: user_code, rights: wanted });
        if (answer.ok) say("Saved: it holds at once.");
        else complain(answer);
        await refresh();
      });
      boxes.set(right, box);
      rights.append(make("label", "", box, make("span", "", words)));
    }
    const item = make("li", "key", make("div", "key-head", make("bdi", "key-name", display_name), facts), rights,
      make("div", "key-acts", removal(id, display_name, "Remove", "They may do nothing then. Remove?")));
    return {
      item,
      draw(it) {
        facts.textContent = it.active ? it.user_code : `${it.user_code} · suspended`;
        for (const [right, box] of boxes) box.checked = it.rights.includes(right);
      },
    };
  }

  function invitation_entry({ id, to: address }) {
    const facts = make("span", "muted facts");
    const item = make("li", "key", make("div", "key-head", make("bdi", "key-name", address), facts),
      make("div", "key-acts", removal(id, address, "Take back", "The link stops working. Take back?")));
    return {
      item,
      draw(it) {
        facts.textContent = `asked, until ${new Date(it.expires_at).toLocaleDateString([], { dateStyle: "medium" })}`;
      },
    };
  }

  function draw({ moderators, invitations, presets }) {
    if (!preset.childElementCount) {
      preset.append(...presets.map((it) => new Option(preset_words(it), it.name)));
      preset.value = "moderator";
    }
    const all = [...moderators.map((it) => [it, moderator_entry]), ...invitations.map((it) => [it, invitation_entry])];
    const present = new Set(all.map(([it]) => it.id));
    for (const [id, { item }] of entries) {
      if (present.has(id)) continue;
      item.remove();
      entries.delete(id);
    }
    for (const [it, entry] of all) {
      if (!entries.has(it.id)) {
        entries.set(it.id, entry(it));
        list.append(entries.get(it.id).item);
      }
      entries.get(it.id).draw(it);
    }
  }

  async function refresh() {
    clearTimeout(timer);
    if (!document.hidden) {
      const answer = await ask("GET", path);
      if (answer.ok) draw(answer.body);
      else if (!preset.childElementCount) complain(answer);
    }
    clearTimeout(timer);
    timer = setTimeout(refresh, ASK_EVERY_MS);
  }

  async function invite() {
    const whom = to.value.trim();
    if (!whom) {
      told.textContent = "";
      error.textContent = "Whom? Write a mail address, or the code of an account.";
      to.focus();
      return;
    }
    const answer = await ask("POST", path, { to: whom, preset: preset.value });
    if (!answer.ok) {
      complain(answer);
      return;
    }
    to.value = "";
    say(answer.body.moderator ? `${answer.body.moderator.display_name} moderates now.` : "Asked: there is a mail on its way to them.");
    await refresh();
  }

  add.addEventListener("click", invite);
  to.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault(); // The form around it would save the look.
    void invite();
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) void refresh();
  });
  void refresh();
}

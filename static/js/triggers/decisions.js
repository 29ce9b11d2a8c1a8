// What was decided about messages lately, and why.

import { ask } from "../ask.js";
import { Entries } from "../entries.js";
import { make, mark } from "../rooms.js";
import { exact, when } from "../time_words.js";
import { action_title, outcome_words, state_words, why_words } from "./words.js";

const SHOWN = 40;

/** A decision has no id of its own. */
export const key_of = ({ at, trigger_id, message_id, outcome }) => [at, trigger_id, message_id, outcome].join("\u0000");

export class Decisions {
  #path;
  #entries;
  #empty;
  #names;

  constructor({ room, list, empty, names }) {
    this.#path = `/api/rooms/${encodeURIComponent(room)}/triggers/decisions`;
    this.#entries = new Entries(list, key_of, (it) => this.#make(it));
    this.#empty = empty;
    this.#names = names;
  }

  async read() {
    const { ok, body } = await ask("GET", this.#path);
    if (!ok || !Array.isArray(body.decisions)) return;
    this.#entries.show(body.decisions.slice(0, SHOWN));
    this.#empty.hidden = body.decisions.length > 0;
  }

  #make({ at, platform, viewer, trigger_id }) {
    const time = make("time", "muted");
    time.dateTime = at;
    time.title = exact(at);
    const outcome = make("span", "outcome");
    const detail = make("bdi", "muted considered-why");
    const who = viewer ? [platform ? mark(platform) : "", make("bdi", "considered-name", viewer), " "] : [];
    const name = make("bdi", "");
    const item = make("li", "", ...who, name, outcome, time, detail);
    return {
      item,
      draw: (it) => {
        item.dataset.outcome = it.outcome;
        name.textContent = this.#names(trigger_id);
        outcome.textContent = outcome_words(it.outcome);
        time.textContent = when(it.at);
        const done = (it.actions ?? []).map((act) => [action_title(act.action_type), state_words(act.state), act.detail].filter(Boolean).join(": "));
        for (const state of ["failed", "blocked"]) item.toggleAttribute(`data-${state}`, (it.actions ?? []).some((act) => act.state === state));
        detail.textContent = [why_words(it), ...done].filter(Boolean).join(" · ");
      },
    };
  }
}

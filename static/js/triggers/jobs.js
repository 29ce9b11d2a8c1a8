// What triggers asked for and this server does behind them: webhooks, requests, notes on Discord. Failed ones can be
// tried again, waiting ones taken back.

import { ask, reason_of } from "../ask.js";
import { copy } from "../copy.js";
import { Entries } from "../entries.js";
import { button } from "../fields.js";
import { make } from "../rooms.js";
import { exact, when } from "../time_words.js";
import { state_words } from "./words.js";

const COPIED_MS = 2000;
const KINDS = Object.freeze({ webhook: "Webhook", http: "HTTP request", discord: "Discord", clip: "Clip" });

/** What is said of a job behind its state. */
export function job_facts({ state, attempts = 0, next_attempt_at, error, by }, now = Date.now()) {
  const waits = state === "pending" && attempts > 0 && next_attempt_at ? `again ${when(next_attempt_at, now)}` : "";
  return [by, attempts > 1 ? `${attempts} attempts` : "", waits, error].filter(Boolean).join(" · ");
}

export class Jobs {
  #path;
  #entries;
  #list;
  #empty;
  #failed;

  constructor({ room, list, empty, error, secret }) {
    this.#path = `/api/rooms/${encodeURIComponent(room)}/jobs`;
    take_secret(room, secret, (words) => (error.textContent = words));
    this.#list = list;
    this.#entries = new Entries(list, (it) => it.job_id, (it) => this.#make(it));
    this.#empty = empty;
    this.#failed = (words) => (error.textContent = words);
  }

  async read() {
    const { ok, body } = await ask("GET", this.#path);
    if (!ok || !Array.isArray(body.jobs)) return;
    this.#entries.show(body.jobs.slice(0, 50));
    this.#empty.hidden = body.jobs.length > 0;
  }

  async #act(id, what) {
    const answer = await ask("POST", `${this.#path}/${encodeURIComponent(id)}/${what}`);
    this.#failed(answer.ok ? "" : reason_of(answer));
    this.#list.focus({ preventScroll: true }); // The button that was pressed goes with what it did.
    await this.read();
  }

  #make({ job_id, kind, queued_at }) {
    const state = make("span", "outcome");
    const facts = make("bdi", "muted considered-why");
    const time = make("time", "muted");
    time.dateTime = queued_at;
    time.title = exact(queued_at);
    const words = KINDS[kind] ?? kind;
    const retry = button("quiet", "Try again", () => void this.#act(job_id, "retry"));
    const cancel = button("quiet", "Cancel", () => void this.#act(job_id, "cancel"));
    retry.setAttribute("aria-label", `Try again: ${words}`);
    cancel.setAttribute("aria-label", `Cancel: ${words}`);
    const item = make("li", "", make("b", "considered-name", words), state, time, make("span", "job-acts", retry, cancel), facts);
    return {
      item,
      draw: (it) => {
        item.dataset.state = it.state;
        state.textContent = state_words(it.state);
        time.textContent = when(it.queued_at);
        facts.textContent = job_facts(it);
        retry.hidden = it.state !== "failed" && it.state !== "cancelled";
        cancel.hidden = it.state !== "pending" && it.state !== "running";
      },
    };
  }
}

/** The button that copies what webhooks are signed with: it is never shown. */
function take_secret(room, button, failed) {
  const words = button.textContent;
  let timer = 0;
  button.addEventListener("click", async () => {
    const answer = await ask("GET", `/api/rooms/${encodeURIComponent(room)}/webhook-secret`);
    failed(answer.ok ? "" : reason_of(answer));
    if (!answer.ok) return;
    button.textContent = (await copy(answer.body.secret)) ? "Copied ✓" : "Press Ctrl+C";
    clearTimeout(timer);
    timer = setTimeout(() => (button.textContent = words), COPIED_MS);
  });
}

// The dashboard's automation: the list of triggers, the editor of one, the dry run beside it, and what happened.

import { ask, reason_of } from "../ask.js";
import { asking_button } from "../removal.js";
import { Decisions } from "./decisions.js";
import { DRAFT, body_of, id_for, reordered, with_draft } from "./draft.js";
import { DryRun } from "./dry_run.js";
import { Editor } from "./editor.js";
import { take_import } from "./importing.js";
import { Jobs } from "./jobs.js";
import { TriggerList } from "./list.js";
import { call_words } from "./words.js";

const EVERY_MS = 5000;

/**
 * Brings it to life.
 * @param {object} options
 * @param {string} options.room
 * @param {(id: string) => HTMLElement} options.$ parts by id
 * @param {() => boolean} options.is_shown whether somebody looks at it
 * @returns {{shown: () => void, is_changed: () => boolean}}
 */
export function show_automation({ room, $, is_shown }) {
  const path = `/api/rooms/${encodeURIComponent(room)}`;
  let triggers = [];
  let limit = null;
  let boards = { poll: [], tally: [], scoreboard: [] };
  let timer = 0;
  let is_busy = false;
  let is_read = false;

  const name_of = (id) => {
    const known = triggers.find((it) => it.trigger_id === id);
    if (known) return call_words(known);
    return id === DRAFT ? "this draft" : id ?? "";
  };
  const editor = new Editor({ place: $("trigger-fields"), changed, boards: (kind) => boards[kind] ?? [] });
  const list = new TriggerList($("triggers"), { choose, enable, move });
  const dry_run = new DryRun({
    room, place: $("dry-run"), names: name_of,
    triggers: () => (editor.is_changed ? with_draft(triggers, editor.draft(), editor.id) : null),
  });
  const decisions = new Decisions({ room, list: $("decisions"), empty: $("decisions-empty"), names: name_of });
  const jobs = new Jobs({ room, list: $("jobs"), empty: $("jobs-empty"), error: $("jobs-error"), secret: $("copy-secret") });

  function say(words, is_bad = false) {
    $("trigger-told").textContent = is_bad ? "" : words;
    $("trigger-error").textContent = is_bad ? words : "";
  }

  function changed() {
    draw_buttons();
    dry_run.note_change();
  }

  function draw_buttons() {
    const is_changed = editor.is_changed;
    $("trigger-save").disabled = is_busy || editor.is_read_only || (!is_changed && editor.id !== null);
    $("trigger-discard").disabled = !is_changed;
    removal.hidden = editor.id === null || editor.is_read_only;
    const of_file = editor.is_read_only ? "It stands in config/triggers.json and is changed there." : "";
    $("editor-hint").textContent = of_file;
    $("editor-hint").hidden = !of_file;
    const edited = triggers.find((it) => it.trigger_id === editor.id);
    $("h-editor").textContent = edited ? call_words(edited) : "New trigger";
  }

  const removal = asking_button({
    label: "this trigger", words: "Delete", question: "For good. Delete?", look: "quiet removal",
    async act() {
      const answer = await ask("DELETE", `${path}/triggers/${encodeURIComponent(editor.id)}`);
      if (!answer.ok && answer.status !== 404) {
        say(reason_of(answer), true);
        return;
      }
      editor.open(null);
      await read();
      say("Deleted.");
      $("triggers").focus({ preventScroll: true });
    },
  });
  $("trigger-removal").append(removal);

  // -------------------------------------------------------------- the list

  async function read() {
    const answer = await ask("GET", `${path}/triggers`);
    if (!answer.ok) {
      $("triggers-error").textContent = reason_of(answer);
      return;
    }
    $("triggers-error").textContent = "";
    is_read = true;
    triggers = answer.body.triggers ?? [];
    ({ limit = null } = answer.body);
    const own = triggers.filter((it) => it.source !== "file").length;
    const { remaining = null, default_least_lines } = answer.body;
    editor.note_least_lines(default_least_lines);
    $("trigger-count").textContent = limit === null ? `${own}` : `${own} of ${limit}`;
    $("trigger-add").disabled = remaining === 0;
    $("trigger-add").title = remaining === 0 ? `A room of this tier has ${limit} triggers at most` : "";
    $("triggers-empty").hidden = triggers.length > 0;
    list.show(triggers);
    list.choose(editor.id);
    draw_buttons();
  }

  function may_leave() {
    return !editor.is_changed || confirm("Leave this trigger without saving what you changed?");
  }

  function choose(id) {
    if (id === editor.id || !may_leave()) return;
    editor.open(triggers.find((it) => it.trigger_id === id) ?? null);
    list.choose(id);
    say("");
    draw_buttons();
  }

  async function enable(id, enabled) {
    const trigger = triggers.find((it) => it.trigger_id === id);
    const answer = await ask("PUT", `${path}/triggers/${encodeURIComponent(id)}`, { ...body_of(trigger), enabled });
    if (!answer.ok) {
      $("triggers-error").textContent = reason_of(answer);
      return false;
    }
    if (editor.id === id) editor.note_enabled(enabled);
    await read();
    return true;
  }

  async function move(id, step) {
    const order = reordered(triggers, id, step);
    if (!order) return;
    const before = triggers;
    const own = order.map((it) => triggers.find((trigger) => trigger.trigger_id === it));
    // Shown at once, and taken back if refused.
    triggers = triggers.map((it) => (it.source === "file" ? it : own.shift()));
    list.show(triggers);
    const answer = await ask("POST", `${path}/triggers/order`, { order });
    if (answer.ok) {
      $("triggers-told").textContent = `${name_of(id)}: place ${triggers.findIndex((it) => it.trigger_id === id) + 1} of ${triggers.length}`;
      return;
    }
    triggers = before;
    list.show(triggers);
    $("triggers-error").textContent = reason_of(answer);
  }

  // -------------------------------------------------------------- the editor

  async function save() {
    if ($("trigger-save").disabled) return;
    const missing = editor.missing();
    if (missing.length) {
      editor.show_errors(missing);
      say("Not saved: something is missing yet.", true);
      return;
    }
    const draft = editor.draft();
    const body = editor.body();
    if (!body.trigger_id) body.trigger_id = id_for(draft, triggers.map((it) => it.trigger_id));
    is_busy = true;
    draw_buttons();
    const answer = editor.id === null
      ? await ask("POST", `${path}/triggers`, body)
      : await ask("PUT", `${path}/triggers/${encodeURIComponent(editor.id)}`, body);
    is_busy = false;
    if (!answer.ok) {
      const rest = editor.show_errors(answer.body.errors ?? []);
      say(answer.body.errors?.length ? rest || "Not saved: something is not right yet." : reason_of(answer), true);
      draw_buttons();
      return;
    }
    editor.show_errors([]);
    const saved = answer.body.trigger ?? answer.body;
    editor.settle({ ...draft, ...saved, trigger_id: saved.trigger_id ?? editor.id ?? draft.trigger_id }, body);
    await read();
    list.choose(editor.id);
    say("Saved: it is in force.");
  }

  $("trigger-form").addEventListener("submit", (event) => {
    event.preventDefault();
    void save();
  });
  $("trigger-discard").addEventListener("click", () => {
    editor.open(triggers.find((it) => it.trigger_id === editor.id) ?? null);
    say("");
    draw_buttons();
    editor.focus();
  });
  $("trigger-add").addEventListener("click", () => {
    if (!may_leave()) return;
    editor.open(null);
    list.choose(null);
    say("");
    draw_buttons();
    editor.focus();
  });
  take_import({ room, field: $("trigger-file"), out: $("import-out"), done: () => void read() });

  // -------------------------------------------------------------- what happens meanwhile

  async function read_boards() {
    const named = async (list_name, kind, id, words) => {
      const { ok, body } = await ask("GET", `${path}/${list_name}`);
      if (ok) boards = { ...boards, [kind]: (body[list_name] ?? []).map((it) => [it[id], it[words] || it[id]]) };
    };
    await Promise.all([
      named("polls", "poll", "poll_id", "question"), named("tallies", "tally", "tally_id", "label"),
      named("scoreboards", "scoreboard", "scoreboard_id", "title"),
    ]);
  }

  async function follow() {
    clearTimeout(timer);
    if (is_shown() && !document.hidden) await Promise.all([decisions.read(), jobs.read()]);
    clearTimeout(timer);
    if (is_shown()) timer = setTimeout(follow, EVERY_MS);
  }

  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && is_shown()) void follow();
  });

  return {
    async shown() {
      if (!is_read) {
        await read_boards(); // Before an action that names one of them is drawn.
        await read();
        void dry_run.list_sessions();
      }
      await follow();
    },
    is_changed: () => editor.is_changed,
    save,
  };
}

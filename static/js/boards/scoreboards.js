// Scoreboards: points given, a period ended, and the way in and out as a file.

import { ask, reason_of } from "../ask.js";
import { Entries } from "../entries.js";
import { button, input, labelled, select } from "../fields.js";
import { asking_button } from "../removal.js";
import { make } from "../rooms.js";
import { finite, number_writer } from "../widgets/numbers.js";
import { call, folding_form, say, words } from "./card.js";
import { AGGREGATIONS, entry_of, period_words } from "./words.js";

const SHOWN = 8;
const write = number_writer("");

/** Keeps a JSON answer as a file. */
function keep(name, json) {
  const url = URL.createObjectURL(new Blob([JSON.stringify(json, null, 2)], { type: "application/json" }));
  const link = document.createElement("a"); // Never a part of the document.
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

export class Scoreboards {
  #store;
  #room;
  #may;
  #tell;
  #entries;
  #empty = make("p", "muted hint board-empty", "No scoreboard yet.");

  constructor({ store, room, may, tell }) {
    this.#store = store;
    this.#room = room;
    this.#may = may;
    this.#tell = tell;
    const list = make("ul", "board-list");
    list.tabIndex = -1;
    list.setAttribute("aria-label", "Scoreboards");
    this.#entries = new Entries(list, (it) => it.scoreboard_id, (it) => this.#make(it));
    const head = make("div", "board-head", make("h2", "", "Scoreboards"));
    this.element = make("section", "boards-scores", head);
    this.element.setAttribute("aria-label", "Scoreboards");
    if (may) {
      const { opener, form } = this.#form();
      head.append(opener);
      this.element.append(form);
    }
    this.element.append(list, this.#empty);
    store.on("change", (name) => name === "scoreboards" && this.draw());
  }

  draw() {
    const all = this.#store.list("scoreboards");
    this.#entries.show(all);
    this.#empty.hidden = all.length > 0;
    this.element.hidden = !this.#may && !all.length;
  }

  #make({ scoreboard_id: id }) {
    const path = `/${encodeURIComponent(id)}`;
    const title = words("board-title");
    const state = make("span", "board-state");
    const list = make("ol", "bars places");
    const rows = new Entries(list, (it) => it.key, () => {
      const place = make("span", "place");
      const name = words("bar-label");
      const score = make("span", "bar-number");
      const item = make("li", "bar-row", place, name, score);
      return {
        item,
        draw(it) {
          say(place, String(it.position));
          say(name, it.label);
          say(score, write(it.score));
          item.style.setProperty("--share", String(it.share));
          item.dataset.rank = String(it.position);
        },
      };
    });
    const more = make("span", "muted");
    const parts = [];
    let giving = null; // Points for somebody, while it is not final.
    let finalize = null;
    if (this.#may) {
      const who = input("text", { maxLength: 60, dir: "auto", placeholder: "Who" });
      who.setAttribute("aria-label", "Who gets points");
      const points = input("number", { value: "1", step: 1 });
      points.setAttribute("aria-label", "Points");
      const give = make("button", "count", "Give");
      giving = make("form", "giving", who, points, give);
      giving.addEventListener("submit", async (event) => {
        event.preventDefault();
        if (!who.value.trim()) {
          who.focus();
          return;
        }
        const answer = await call(give, () => this.#store.write("POST", "scoreboards", `${path}/scores`, { label: who.value.trim(), by: Number(points.value) }), this.#tell);
        if (answer?.ok) {
          who.value = "";
          who.focus();
        }
      });
      finalize = asking_button({
        label: "this scoreboard", words: "Finalize", question: "It stays as it is then. Finalize?",
        act: () => call(finalize, () => this.#store.write("POST", "scoreboards", `${path}/finalize`), this.#tell),
      });
      const out = button("quiet", "Export", async () => {
        const answer = await ask("GET", `/api/rooms/${encodeURIComponent(this.#room)}/scoreboards${path}/export`);
        if (answer.ok) keep(`scoreboard-${id}.json`, answer.body);
        else this.#tell(reason_of(answer));
      });
      const file = input("file", { accept: ".json,application/json", className: "visually-hidden" });
      file.tabIndex = -1;
      file.setAttribute("aria-hidden", "true");
      const into = button("quiet", "Import", () => file.click());
      file.addEventListener("change", async () => {
        const [chosen] = file.files;
        file.value = "";
        if (!chosen) return;
        let json = null;
        try {
          json = JSON.parse(await chosen.text());
        } catch {
          this.#tell("The file is not JSON.");
          return;
        }
        await call(into, () => this.#store.write("POST", "scoreboards", `${path}/import`, json), this.#tell);
      });
      const removal = asking_button({
        label: "this scoreboard", words: "Delete", question: "For good?",
        act: async () => {
          const answer = await call(removal, () => this.#store.write("DELETE", "scoreboards", path), this.#tell);
          if (answer?.ok || answer?.status === 404) this.#store.forget("scoreboards", id);
        },
      });
      parts.push(finalize, out, into, file, removal);
    }
    const item = make("li", "board", make("div", "board-line", title, state), list, ...(giving ? [giving] : []),
      make("div", "board-foot", more, make("div", "board-acts", ...parts)));
    return {
      item,
      draw: (board) => {
        const all = (Array.isArray(board.entries) ? board.entries : []).map(entry_of);
        const most = Math.max(1, ...all.map((it) => finite(it.score)));
        const seen = new Map();
        item.dataset.id = id;
        item.toggleAttribute("data-final", Boolean(board.finalized_at));
        say(title, board.title ?? board.label ?? id);
        say(state, board.finalized_at ? "Final" : "");
        rows.show(all.slice(0, SHOWN).map((it) => {
          const count = (seen.get(it.label) ?? 0) + 1;
          seen.set(it.label, count);
          return { ...it, key: `${it.label} ${count}`, share: Math.max(0, finite(it.score)) / most };
        }));
        list.hidden = !all.length;
        const count = Math.max(finite(board.count), all.length);
        say(more, [period_words(board), count > SHOWN ? `and ${write(count - SHOWN)} more` : count ? "" : "nobody yet"].filter(Boolean).join(" · "));
        for (const it of [giving, finalize]) if (it) it.hidden = Boolean(board.finalized_at);
      },
    };
  }

  #form() {
    const title = input("text", { maxLength: 100, dir: "auto", placeholder: "Quiz" });
    const period = select(AGGREGATIONS);
    const title_place = labelled("Title", title);
    const period_place = labelled("Begins anew", period, { look: "entry short" });
    return folding_form({
      title: "New scoreboard",
      rows: [title_place.row, period_place.row],
      places: () => new Map([["/title", title_place], ["/aggregation", period_place]]),
      sends: [["Make it", () => this.#store.write("POST", "scoreboards", "", {
        title: title.value.trim(), ...(period.value === "none" ? {} : { aggregation: { type: period.value } }),
      })]],
      reset: () => (title.value = ""),
    });
  }
}

// Polls: begun, watched live, closed and put away.

import { Entries } from "../entries.js";
import { button, chips, grouped, input, labelled, select, toggle } from "../fields.js";
import { asking_button } from "../removal.js";
import { make } from "../rooms.js";
import { CHATS } from "../triggers/words.js";
import { finite, number_writer, percents, shares, winners } from "../widgets/numbers.js";
import { bar_row, call, folding_form, passing_focus_on, say, words } from "./card.js";
import { MINUTES, in_order, poll_body, sent_places, state_words, vote_words } from "./words.js";

const OPTIONS_MOST = 20; // The server may take fewer, and says so.
const OVER_SHOWN = 3; // Polls that are over, beside those that are not.
const write = number_writer("");

export class Polls {
  #store;
  #may;
  #tell;
  #list = make("ul", "board-list");
  #entries;
  #empty = make("p", "muted hint board-empty", "No poll yet.");
  #timer = 0;

  constructor({ store, may, tell }) {
    this.#store = store;
    this.#may = may;
    this.#tell = tell;
    const list = this.#list;
    list.tabIndex = -1;
    list.setAttribute("aria-label", "Polls");
    this.#entries = new Entries(list, (it) => it.poll_id, (it) => this.#make(it));
    const head = make("div", "board-head", make("h2", "", "Polls"));
    this.element = make("section", "boards-polls", head);
    this.element.setAttribute("aria-label", "Polls");
    if (may) {
      const { opener, form } = this.#form();
      head.append(opener);
      this.element.append(form);
    }
    this.element.append(list, this.#empty);
    store.on("change", (name) => name === "polls" && this.draw());
  }

  /** What is shown: to those who only look, nothing that is not asked yet. */
  get shown() {
    const all = in_order(this.#store.list("polls")).filter((it) => it.state !== "archived" && (this.#may || it.state !== "draft"));
    const running = all.filter((it) => it.state !== "closed");
    return [...running, ...all.filter((it) => it.state === "closed").slice(0, OVER_SHOWN)];
  }

  draw() {
    clearTimeout(this.#timer);
    const polls = this.shown;
    this.#entries.show(polls);
    this.#empty.hidden = polls.length > 0;
    this.element.hidden = !this.#may && !polls.length;
    // Seconds pass.
    if (polls.some((it) => it.state === "open" && it.closes_at)) this.#timer = setTimeout(() => this.draw(), 1000 - (Date.now() % 1000));
  }

  #make({ poll_id: id }) {
    const title = words("board-title");
    const state = make("span", "board-state");
    const how = make("p", "muted hint");
    const rows = make("ol", "bars");
    const bars = new Entries(rows, (it) => it.option_id, () => {
      const row = bar_row("option");
      return {
        item: row.item,
        draw(it, at) {
          row.item.toggleAttribute("data-leads", it.leads);
          row.item.toggleAttribute("data-winner", it.wins);
          row.set(`${at + 1}. ${it.label}`, write(finite(it.votes)), `${it.percent}%`, it.share);
        },
      };
    });
    const total = make("span", "muted");
    const path = `/${encodeURIComponent(id)}`;
    const set_state = (pressed, wanted) => call(pressed, () => this.#store.write("PATCH", "polls", path, { state: wanted }), this.#tell);
    const to = (text, wanted, look = "tool") => {
      const it = button(look, text, () => void set_state(it, wanted));
      return it;
    };
    const start = to("Start", "open", "primary");
    const close = to("Close", "closed");
    const archive = to("Put away", "archived");
    const removal = asking_button({
      label: "this poll", words: "Delete", question: "For good?",
      act: async () => {
        const answer = await call(removal, () => this.#store.write("DELETE", "polls", path), this.#tell);
        if (answer?.ok || answer?.status === 404) this.#store.forget("polls", id);
      },
    });
    const acts = make("div", "board-acts", ...(this.#may ? [start, close, archive, removal] : []));
    const item = make("li", "board", make("div", "board-line", title, state), how, rows, make("div", "board-foot", total, acts));
    return {
      item,
      draw: (poll) => {
        const options = Array.isArray(poll.options) ? poll.options : [];
        const counts = options.map((it) => Math.max(0, finite(it.votes)));
        const [parts, whole] = [shares(counts), percents(counts)];
        const best = new Set(winners(counts));
        const is_over = poll.state !== "open" && poll.state !== "draft";
        item.dataset.state = poll.state;
        item.dataset.id = id;
        say(title, poll.question);
        say(state, state_words(poll));
        how.textContent = poll.state === "open" || poll.state === "draft" ? vote_words(poll) : "";
        how.hidden = !how.textContent;
        bars.show(options.map((it, at) => ({
          ...it, option_id: String(it.option_id), share: parts[at], percent: whole[at], leads: best.has(at), wins: is_over && best.has(at),
        })));
        const sum = counts.reduce((all, it) => all + it, 0);
        say(total, poll.state === "draft" ? "" : `${write(sum)} ${sum === 1 ? "vote" : "votes"}`);
        passing_focus_on(acts, this.#list, () => {
          start.hidden = poll.state !== "draft";
          close.hidden = poll.state !== "open";
          archive.hidden = poll.state !== "closed";
          removal.hidden = poll.state === "open";
        });
        for (const it of [start, close, archive]) it.setAttribute("aria-label", `${it.textContent}: ${poll.question}`);
      },
    };
  }

  #form() {
    const question = input("text", { maxLength: 200, dir: "auto", placeholder: "Where do we go next?" });
    const list = make("ol", "option-fields");
    const fields = [];
    const minutes = select(MINUTES);
    minutes.value = "2";
    const trigger = input("text", { maxLength: 30, placeholder: "!vote", spellcheck: false });
    const bare = toggle("A message that is only a number counts, too", false);
    const platforms = chips(CHATS);
    const question_place = labelled("Question", question);
    const options_place = grouped("Answers", list);
    const minutes_place = labelled("Runs", minutes, { look: "entry short" });
    const trigger_place = labelled("Vote with", trigger, { look: "entry short", hint: "and a number" });
    const platforms_place = grouped("Platforms", platforms.place, { hint: "none chosen is all" });
    const more = make("details", "limits", make("summary", "", "How to vote"), trigger_place.row, bare.row, platforms_place.row);
    const add = button("quiet", "+ Another answer", () => add_option().focus());

    function number_all() {
      fields.forEach((it, at) => {
        it.field.setAttribute("aria-label", `Answer ${at + 1}`);
        it.remove.hidden = fields.length <= 2;
        it.remove.setAttribute("aria-label", `Take out answer ${at + 1}`);
      });
      add.hidden = fields.length >= OPTIONS_MOST;
    }

    function add_option() {
      const field = input("text", { maxLength: 100, dir: "auto" });
      const fault = make("p", "fault");
      const it = { field, fault, remove: button("mini", "✕", () => take_out(it)) };
      it.item = make("li", "", make("div", "entry-line", field, it.remove), fault);
      field.addEventListener("input", () => fail(it, ""));
      field.addEventListener("keydown", (event) => {
        if (event.key !== "Enter") return;
        const at = fields.indexOf(it);
        // Enter goes on to the next answer; behind the last that has something in it, to a new one.
        if (!field.value.trim() || event.isComposing) return;
        event.preventDefault();
        (fields[at + 1]?.field ?? (fields.length < OPTIONS_MOST ? add_option() : field)).focus();
      });
      fields.push(it);
      list.append(it.item);
      number_all();
      return field;
    }

    function take_out(it) {
      const at = fields.indexOf(it);
      fields.splice(at, 1);
      it.item.remove();
      number_all();
      fields[Math.min(at, fields.length - 1)].field.focus();
    }

    function fail(it, text) {
      it.fault.textContent = text;
      if (text) it.field.setAttribute("aria-invalid", "true");
      else it.field.removeAttribute("aria-invalid");
    }

    let sent = [];
    const send = (draft) => () => {
      const options = fields.map((it) => it.field.value);
      sent = sent_places(options);
      return this.#store.write("POST", "polls", "", poll_body({
        question: question.value, options, minutes: minutes.value, vote_trigger: trigger.value,
        bare_numbers: bare.field.checked, platforms: platforms.value(), draft,
      }));
    };
    const form = folding_form({
      title: "New poll",
      rows: [question_place.row, options_place.row, add, minutes_place.row, more],
      places: () => new Map([
        ["/question", question_place],
        ...sent.map((place, at) => [`/options/${at}`, { fail: (text) => fields[place] && fail(fields[place], text), focus: () => fields[place]?.field.focus() }]),
        ["/options", options_place], ["/seconds", minutes_place], ["/vote_trigger", trigger_place], ["/platforms", platforms_place],
      ]),
      sends: [["Start the poll", send(false)], ["Keep as a draft", send(true)]],
      reset: () => {
        question.value = "";
        fields.splice(0).forEach((it) => it.item.remove());
        add_option();
        add_option();
      },
    });
    return form;
  }
}

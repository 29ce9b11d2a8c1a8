// Viewers whose accounts on several platforms are one person's: their votes count once.

import { ask } from "../ask.js";
import { Entries } from "../entries.js";
import { input, labelled, select } from "../fields.js";
import { asking_button } from "../removal.js";
import { make } from "../rooms.js";
import { CHATS } from "../triggers/words.js";
import { call, folding_form, say, words } from "./card.js";
import { account_of, accounts_words, writers_of } from "./words.js";

const NEWEST = `events?types=chat.message&limit=500&before=${Number.MAX_SAFE_INTEGER}`;

export class Identities {
  #room_path;
  #path;
  #writers = new Map();
  #tell;
  #entries;
  #empty = make("p", "muted hint board-empty");

  constructor({ room, tell }) {
    this.#room_path = `/api/rooms/${encodeURIComponent(room)}`;
    this.#path = `${this.#room_path}/identities`;
    this.#tell = tell;
    const list = make("ul", "board-list");
    list.tabIndex = -1;
    list.setAttribute("aria-label", "Linked viewers");
    this.#entries = new Entries(list, (it) => it.identity_id, (it) => this.#make(it));
    const { opener, form } = this.#form();
    this.#empty.append("A viewer links two accounts by writing ", make("code", "", "!link youtube:their_handle"), " on Twitch and ",
      make("code", "", "!link twitch:their_login"), " on YouTube, within ten minutes. Then their vote counts once.");
    this.element = make("section", "boards-identities", make("div", "board-head", make("h2", "", "Linked viewers"), opener), form, list, this.#empty);
    this.element.setAttribute("aria-label", "Linked viewers");
  }

  async read() {
    const answer = await ask("GET", this.#path);
    if (!answer.ok) return;
    this.#entries.show(answer.body.identities ?? []);
  }

  async #read_writers() {
    const answer = await ask("GET", `${this.#room_path}/${NEWEST}`);
    if (answer.ok) this.#writers = writers_of(answer.body.events ?? []);
  }

  #make(it) {
    const id = it.identity_id;
    const title = words("board-title");
    const why = words("muted hint");
    const removal = asking_button({
      label: "these accounts", words: "Unlink", question: "They vote on their own again. Unlink?",
      act: async () => {
        const answer = await call(removal, () => ask("DELETE", `${this.#path}/${encodeURIComponent(id)}`), this.#tell);
        if (answer) await this.read();
      },
    });
    return {
      item: make("li", "board", make("div", "board-line", title), make("div", "board-foot", why, make("div", "board-acts", removal))),
      draw: (now) => {
        say(title, accounts_words(now.accounts ?? []));
        say(why, now.linked_by === "chat" ? "linked by themselves, in chat" : `${now.reason} (${now.linked_by})`);
      },
    };
  }

  #form() {
    const accounts = [0, 1].map((at) => {
      const platform = select(CHATS);
      platform.value = CHATS[at][0];
      platform.setAttribute("aria-label", "Platform");
      const login = input("text", { maxLength: 80, spellcheck: false, autocapitalize: "none" });
      const list = make("datalist", "");
      list.id = `writers-${at}`;
      login.setAttribute("list", list.id);
      const offer = () => list.replaceChildren(...[...this.#writers.values()].filter((it) => it.platform === platform.value)
        .map((it) => new Option(it.name, it.login)));
      platform.addEventListener("change", offer);
      const place = labelled(at ? "is the same as" : "Account", login, { hint: at ? "" : "of somebody who wrote lately, or its id", beside: [platform, list] });
      return { platform, login, place, offer };
    });
    const reason = input("text", { maxLength: 200, dir: "auto" });
    const reason_place = labelled("Why", reason, { hint: "kept with it" });
    return folding_form({
      title: "Link accounts",
      rows: [...accounts.map((it) => it.place.row), reason_place.row],
      places: () => new Map([["/accounts/0", accounts[0].place], ["/accounts/1", accounts[1].place], ["/accounts", accounts[0].place], ["/reason", reason_place]]),
      sends: [["Link them", async () => {
        const answer = await ask("POST", this.#path, { accounts: accounts.map((it) => account_of(it.platform.value, it.login.value, this.#writers)), reason: reason.value.trim() });
        if (answer.ok) await this.read();
        return answer;
      }]],
      reset: () => {
        for (const { login } of accounts) login.value = "";
        reason.value = "";
      },
      opened: () => {
        void this.#read_writers().then(() => accounts.forEach((it) => it.offer()));
      },
    });
  }
}

// A viewer's card in the pop-out: who they are, and what they said while this window was open.

import { platform_mark } from "./connections.js";
import { bound_marks } from "./render.js";
import { TITLES, make } from "./rooms.js";

const CARD_MOST = 50;
const EDGE_PX = 8;

const PROFILES = {
  twitch: (it) => `https://www.twitch.tv/${it}`,
  kick: (it) => `https://kick.com/${it}`,
  rumble: (it) => `https://rumble.com/user/${it}`,
};

export class ViewerCard {
  #panel;
  #renderer;
  #known;
  #search;
  #pronouns;
  #about;
  #author = null;
  #opener = null;

  /**
   * @param {object} options
   * @param {HTMLElement} options.panel @param {import("./render.js").Renderer} options.renderer
   * @param {(id: string) => object[]} options.known the events of a viewer @param {(name: string) => void} options.search
   * @param {(event: object) => string} options.pronouns of whoever wrote it, as far as they are known
   * @param {(author: object) => [string, () => void][]} options.about what may be done about a viewer
   */
  constructor({ panel, renderer, known, search, pronouns, about = () => [] }) {
    this.#panel = panel;
    this.#renderer = renderer;
    this.#known = known;
    this.#search = search;
    this.#pronouns = pronouns;
    this.#about = about;
  }

  open(author, opener) {
    this.#author = author;
    this.#opener = opener;
    this.draw();
    const panel = this.#panel;
    panel.hidden = false;
    const box = opener.getBoundingClientRect();
    const top = Math.min(box.bottom + 6, innerHeight - panel.offsetHeight - EDGE_PX);
    const left = Math.min(box.left, innerWidth - panel.offsetWidth - EDGE_PX);
    panel.style.setProperty("top", `${Math.max(EDGE_PX, top)}px`);
    panel.style.setProperty("left", `${Math.max(EDGE_PX, left)}px`);
    panel.focus({ preventScroll: true });
  }

  /** Whether it shows something that `gone` matches. */
  quotes(gone) {
    return this.#author !== null && this.#known(this.#author.id).some(gone);
  }

  /** True if it was open. */
  close() {
    if (this.#panel.hidden) return false;
    this.#panel.hidden = true;
    this.#panel.replaceChildren(); // What is not shown is not kept either: it may be deleted meanwhile.
    this.#author = null;
    if (this.#opener?.isConnected) this.#opener.focus({ preventScroll: true });
    return true;
  }

  draw() {
    const author = this.#author;
    const known = this.#known(author.id);
    const said = known.filter((it) => it.type === "chat.message" && !it.deleted);
    const platform = author.id.slice(0, author.id.indexOf(":"));

    const head = make("header", "card-head");
    const name = make("strong", "card-name", bound_marks(author.name || author.login));
    name.dir = "auto";
    name.style.setProperty("--name", this.#renderer.colour(author));
    const login = make("span", "card-login", author.login && author.login !== author.name.toLowerCase() ? `@${author.login}` : "");
    head.append(platform_mark(platform), name, login);

    const facts = make("ul", "facts");
    for (const role of author.roles) facts.append(make("li", "fact role", role));
    for (const badge of author.badges) {
      if (author.roles.includes((badge.title ?? badge.set).toLowerCase())) continue;
      facts.append(make("li", "fact", badge.title ?? badge.set));
    }
    const first = known[0];
    const summary = make("p", "summary", [
      `${said.length} ${said.length === 1 ? "message" : "messages"} here`,
      first ? `first seen ${this.#renderer.time(first.ts)}` : "",
    ].filter(Boolean).join(" · "));

    const list = make("ol", "said");
    for (const event of said.slice(-CARD_MOST)) {
      const item = make("li");
      const time = make("time", "time", this.#renderer.time(event.ts));
      const text = make("span", "", bound_marks(event.data.text));
      text.dir = "auto";
      item.append(time, " ", text);
      list.append(item);
    }

    const actions = make("p", "card-actions");
    const profile = PROFILES[platform];
    if (profile && /^[\w.-]{1,50}$/.test(author.login)) {
      const link = make("a", "", `Open on ${TITLES[platform]}`);
      link.href = profile(author.login);
      link.rel = "noopener noreferrer";
      link.target = "_blank";
      actions.append(link);
    }
    const only = make("button", "text-button", "Search their messages");
    only.type = "button";
    only.addEventListener("click", () => {
      this.close();
      this.#search(author.name);
    });
    actions.append(only);

    const desk = make("p", "card-actions card-desk");
    for (const [words, act] of this.#about(author)) {
      const button = make("button", "text-button", words);
      button.type = "button";
      button.addEventListener("click", () => {
        this.close();
        act();
      });
      desk.append(button);
    }
    desk.hidden = !desk.childElementCount;

    this.#panel.replaceChildren(head, facts, summary, list, desk, actions);
    this.draw_pronouns();
    list.scrollTop = list.scrollHeight;
  }
  /** Beside the name, once they are known. */
  draw_pronouns() {
    if (!this.#author) return;
    const said = this.#known(this.#author.id).findLast((it) => it.seq > 0 && !it.deleted);
    const words = said ? bound_marks(this.#pronouns(said)) : "";
    const there = this.#panel.querySelector(".pronouns");
    if (there?.textContent === words) return;
    there?.remove();
    if (words) this.#panel.querySelector(".card-name").after(make("span", "pronouns", words));
  }
}

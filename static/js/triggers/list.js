// The room's triggers in the order they are asked: chosen, switched, moved by buttons, keys and by hand. Those from the
// file are shown and stay as they are.

import { Entries } from "../entries.js";
import { button, input } from "../fields.js";
import { place_of } from "../queue.js";
import { make } from "../rooms.js";
import { action_words, call_words, limit_words } from "./words.js";

export class TriggerList {
  #list;
  #entries;
  #acts;
  #chosen = null;

  /**
   * @param {HTMLElement} list
   * @param {object} acts
   * @param {(id: string) => void} acts.choose
   * @param {(id: string, enabled: boolean) => Promise<boolean>} acts.enable false: it is as it was
   * @param {(id: string, step: number) => void} acts.move by so many places among those that can be moved
   */
  constructor(list, acts) {
    this.#list = list;
    this.#acts = acts;
    this.#entries = new Entries(list, (it) => it.trigger_id, (it) => this.#make(it));
    list.addEventListener("pointerdown", (event) => this.#drag(event));
  }

  show(triggers) {
    const own = triggers.filter((it) => it.source !== "file");
    this.#entries.show(triggers.map((it) => ({ ...it, place: own.indexOf(it), places: own.length })));
    this.choose(this.#chosen);
  }

  choose(id) {
    this.#chosen = id;
    for (const it of this.#list.children) it.querySelector(".trigger-open").setAttribute("aria-current", String(it.dataset.id === id));
  }

  focus(id) {
    this.#entries.item(id)?.querySelector(".trigger-open").focus();
  }

  #make({ trigger_id: id, source }) {
    const is_file = source === "file";
    const title = make("bdi", "trigger-call");
    const does = make("bdi", "trigger-does");
    const facts = make("span", "trigger-facts");
    const shut = make("bdi", "trigger-shut");
    const open = button("trigger-open", "", () => this.#acts.choose(id));
    open.append(title, does, facts, shut);
    const enabled = input("checkbox", { disabled: is_file });
    enabled.setAttribute("role", "switch");
    enabled.addEventListener("change", async () => {
      const wanted = enabled.checked;
      if (!(await this.#acts.enable(id, wanted))) enabled.checked = !wanted;
    });
    const up = button("mini", "↑", () => this.#acts.move(id, -1));
    const down = button("mini", "↓", () => this.#acts.move(id, 1));
    const handle = make("span", "handle", "⠿");
    handle.setAttribute("aria-hidden", "true");
    handle.title = "Drag to reorder";
    const side = is_file ? make("span", "badge", "file") : make("span", "movers", up, down);
    if (is_file) side.title = "From config/triggers.json: changed there";
    const item = make("li", "trigger", is_file ? make("span", "handle none") : handle, open, side, make("label", "toggle bare", enabled));
    item.dataset.id = id;
    item.addEventListener("keydown", (event) => {
      const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
      if (!step || !event.altKey || is_file) return;
      event.preventDefault();
      this.#acts.move(id, step);
    });
    return {
      item,
      draw: (it) => {
        const call = call_words(it);
        title.textContent = call;
        does.textContent = (it.actions ?? []).map(action_words).join(" · ") || "does nothing";
        facts.textContent = limit_words(it).join(" · ");
        facts.hidden = !facts.textContent;
        shut.textContent = it.shut ? `Never acts: ${it.shut}` : "";
        shut.hidden = !it.shut;
        item.toggleAttribute("data-off", it.enabled === false);
        enabled.checked = it.enabled !== false;
        enabled.setAttribute("aria-label", `${call} is on`);
        up.setAttribute("aria-label", `Ask ${call} earlier`);
        down.setAttribute("aria-label", `Ask ${call} later`);
        up.setAttribute("aria-disabled", String(it.place <= 0));
        down.setAttribute("aria-disabled", String(it.place >= it.places - 1));
      },
    };
  }

  #drag(event) {
    const handle = event.target.closest(".handle:not(.none)");
    if (!handle || event.button !== 0) return;
    event.preventDefault();
    const item = handle.closest("li");
    const own = () => [...this.#list.children].filter((it) => it.querySelector(".handle:not(.none)"));
    const from = own().indexOf(item);
    let to = from;
    item.classList.add("dragged");
    const follow = ({ clientY }) => {
      const others = own().filter((it) => it !== item);
      to = place_of(clientY, others.map((it) => {
        const box = it.getBoundingClientRect();
        return box.top + box.height / 2;
      }));
      item.style.translate = `0 ${clientY - event.clientY}px`;
    };
    const finish = ({ type }) => {
      removeEventListener("pointermove", follow);
      for (const it of ["pointerup", "pointercancel"]) removeEventListener(it, finish);
      item.classList.remove("dragged");
      item.style.translate = "";
      if (type === "pointerup" && to !== from) this.#acts.move(item.dataset.id, to - from);
    };
    addEventListener("pointermove", follow);
    for (const it of ["pointerup", "pointercancel"]) addEventListener(it, finish);
  }
}

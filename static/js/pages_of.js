// A table that is read page by page, by what a form says.

import { ask, reason_of } from "./ask.js";

const TYPING_MS = 250;

/**
 * @param {object} options
 * @param {HTMLFormElement} options.form its fields are the query
 * @param {string} options.path
 * @param {(values: object) => object} [options.query] what is asked for, made of the form's values
 * @param {HTMLElement} options.body takes the rows @param {HTMLElement} options.empty @param {HTMLElement} options.more
 * @param {HTMLElement} options.fault @param {(item: object) => HTMLElement} options.row
 * @param {(answer: object, query: URLSearchParams) => void} [options.told]
 */
export function pages_of({ form, path, query = (it) => it, body, empty, more, fault, row, told = () => {} }) {
  let cursor = null;
  let turn = 0; // Answers that come behind a later question are not shown.
  let timer = 0;

  async function load({ further = false } = {}) {
    clearTimeout(timer);
    const mine = ++turn;
    const wanted = Object.entries(query(Object.fromEntries(new FormData(form)))).filter((it) => String(it[1]).trim());
    const parameters = new URLSearchParams(wanted);
    const asked = new URLSearchParams(parameters);
    if (further && cursor) asked.set("cursor", cursor);
    body.closest("table").setAttribute("aria-busy", "true");
    const answer = await ask("GET", `${path}?${asked}`);
    if (mine !== turn) return;
    body.closest("table").removeAttribute("aria-busy");
    fault.textContent = answer.ok ? "" : reason_of(answer);
    if (!answer.ok) return;
    const rows = answer.body.items.map(row);
    if (further) {
      body.append(...rows);
      rows[0]?.querySelector("button, a, summary")?.focus();
    } else {
      body.replaceChildren(...rows);
    }
    cursor = answer.body.next_cursor ?? null;
    more.hidden = !cursor;
    empty.hidden = body.childElementCount > 0 || cursor !== null;
    told(answer.body, parameters);
  }

  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(load, TYPING_MS);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    load();
  });
  more.addEventListener("click", () => load({ further: true }));
  return load;
}

// What each tier allows, side by side.

import { spaced } from "./admin_words.js";
import { ask, reason_of } from "./ask.js";
import { set_busy } from "./form.js";
import { sentence } from "./refusal.js";
import { make } from "./rooms.js";
import { when } from "./time_words.js";

const $ = (id) => document.getElementById(id);
const TEXTS = { label: 40, description: 300 };
const VISIBILITIES = { public: "Everybody may choose it", soft_locked: "Shown; an admin gives it", hidden: "Not shown" };

/** What stands in the fields, as the server takes it: `{core: {label, …, features: {…}}}`. */
function read(fields) {
  const tiers = {};
  for (const { tier, name, is_feature, field } of fields) {
    const place = ((tiers[tier] ??= { features: {} }), is_feature ? tiers[tier].features : tiers[tier]);
    if (field.type === "checkbox") place[name] = field.checked;
    else if (field.type === "number") place[name] = field.value === "" ? null : Number(field.value);
    else place[name] = field.value;
  }
  return tiers;
}

export function open_tiers() {
  let fields = [];
  const fault = $("tiers-fault");
  const button = $("tiers-form").querySelector("button:not([type='button'])");
  const say = (words, is_good = false) => {
    fault.classList.toggle("good", is_good);
    fault.textContent = words;
  };

  function field_of(tier, name, value, is_feature) {
    let field = make("input", "");
    if (name === "visibility") {
      field = make("select", "");
      field.append(...Object.entries(VISIBILITIES).map(([it, words]) => new Option(words, it, false, it === value)));
    } else if (name === "description") {
      field = make("textarea", "");
      field.rows = 3;
      field.value = value;
    } else if (typeof value === "boolean") {
      field.type = "checkbox";
      field.setAttribute("role", "switch");
      field.checked = value;
    } else if (typeof value === "number") {
      field.type = "number";
      field.min = 0;
      field.value = value;
    } else {
      field.value = value;
    }
    if (TEXTS[name]) field.maxLength = TEXTS[name];
    field.id = `${tier}-${name}`;
    field.setAttribute("aria-label", `${spaced(name)}: ${spaced(tier)}`);
    field.setAttribute("aria-describedby", "tiers-fault");
    fields.push({ tier, name, is_feature, field });
    return field;
  }

  function draw({ tiers, changed, updated_at }) {
    fields = [];
    const sorted = Object.values(tiers).toSorted((a, b) => a.rank - b.rank);
    const corner = make("th", "");
    corner.append(make("span", "visually-hidden", "What"));
    const head = make("tr", "", corner, ...sorted.map((it) => {
      const th = make("th", "", make("span", "tier-name", it.label));
      th.scope = "col";
      return th;
    }));
    const row = (name, value_of, is_feature) => {
      const th = make("th", "", spaced(name));
      th.scope = "row";
      return make("tr", "", th, ...sorted.map((it) => {
        const is_changed = is_feature ? name in (changed?.[it.id]?.features ?? {}) : name in (changed?.[it.id] ?? {});
        const td = make("td", is_changed ? "is-changed" : "", field_of(it.id, name, value_of(it), is_feature));
        td.dataset.label = it.label;
        if (is_changed) td.title = "Not as the files have it";
        return td;
      }));
    };
    $("tiers").tHead.replaceChildren(head);
    $("tiers").tBodies[0].replaceChildren(
      ...["label", "description", "visibility", "rank"].map((name) => row(name, (it) => it[name], false)),
      ...Object.keys(sorted[0].features).map((name) => row(name, (it) => it.features[name], true)));
    $("tiers-state").textContent = updated_at ? `Changed ${when(updated_at)}` : "As the files have them";
  }

  async function load() {
    const answer = await ask("GET", "/admin/tier-config");
    if (answer.ok) draw(answer.body);
    say(answer.ok ? "" : reason_of(answer));
  }

  $("tiers-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.hasAttribute("data-busy")) return;
    for (const { field } of fields) field.removeAttribute("aria-invalid");
    say("");
    set_busy(button, true);
    const answer = await ask("PUT", "/admin/tier-config", { tiers: read(fields) });
    set_busy(button, false);
    if (answer.ok) {
      draw(answer.body);
      say("Saved, and in force.", true);
      return;
    }
    const words = [];
    for (const { pointer = "", detail } of answer.body.errors ?? []) {
      const [, , tier, ...rest] = pointer.split("/");
      const name = rest.at(-1);
      const found = fields.find((it) => it.tier === tier && it.name === name);
      found?.field.setAttribute("aria-invalid", "true");
      words.push(found ? `${spaced(tier)}, ${spaced(name).toLowerCase()}: ${sentence(detail)}` : sentence(detail));
    }
    say(words.join(" ") || reason_of(answer));
    fields.find((it) => it.field.hasAttribute("aria-invalid"))?.field.focus();
  });
  $("tiers-undo").addEventListener("click", load);
  return { show: load };
}

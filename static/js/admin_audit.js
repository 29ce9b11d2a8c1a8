// What was done, by whom, to whom.

import { cell } from "./admin_parts.js";
import { actor_of, facts_of, look_of_result, spaced } from "./admin_words.js";
import { agent_words } from "./agent_words.js";
import { badge, stamp } from "./marks.js";
import { pages_of } from "./pages_of.js";
import { make } from "./rooms.js";
import { when } from "./time_words.js";

const $ = (id) => document.getElementById(id);

function code_link(code) {
  const link = make("a", "quiet", make("code", "", code));
  link.href = `#accounts?q=${encodeURIComponent(code)}`;
  return link;
}

function row(entry) {
  const by = entry.actor_user_code ? code_link(entry.actor_user_code) : make("span", entry.actor_role ? "" : "muted", actor_of(entry));
  const to = make("span", "stack", entry.target_user_code ? code_link(entry.target_user_code) : "", entry.email_redacted ? make("bdi", "muted", entry.email_redacted) : "");
  if (!to.textContent) to.append(make("span", "muted", "–"));
  const agent = entry.user_agent ? make("span", "muted", agent_words(entry.user_agent)) : "";
  if (agent) agent.title = entry.user_agent;
  const facts = facts_of(entry.metadata).map(([name, value]) => make("span", "fact", `${name}: `, make("bdi", "", value)));
  return make("tr", "", cell("When", stamp(when, entry.ts)),
    cell("What", make("span", "stack", make("b", "", spaced(entry.action)), make("span", "", badge(spaced(entry.result).toLowerCase(), look_of_result(entry.result))))),
    cell("By", by), cell("To", to), cell("From", make("span", "stack", make("bdi", "", entry.ip ?? "–"), agent)), cell("More", make("span", "stack muted", ...facts)));
}

export function open_audit() {
  const form = $("audit-filter");
  const known = new Set();
  const load = pages_of({
    form, path: "/admin/audit", body: $("audit").tBodies[0], empty: $("audit-empty"), more: $("audit-more"), fault: $("audit-fault"), row,
    query: ({ action, since, ...rest }) => ({
      ...rest, action: action.trim().toLowerCase().replaceAll(" ", "_"),
      since: since ? new Date(Date.now() - Number(since) * 1000).toISOString() : "",
    }),
    told({ items }) {
      // What was seen can be chosen.
      const before = known.size;
      for (const it of items) known.add(it.action);
      if (known.size > before) $("actions").replaceChildren(...[...known].sort().map((it) => new Option(it)));
    },
  });
  return {
    show(query) {
      for (const name of ["target", "actor", "action"]) if (query.has(name)) form.elements[name].value = query.get(name);
      load();
    },
  };
}

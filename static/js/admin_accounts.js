// Everybody's accounts: searched, listed, and one of them opened.

import { open_drawer } from "./admin_drawer.js";
import { cell, face, state_badges } from "./admin_parts.js";
import { spaced } from "./admin_words.js";
import { badge, stamp } from "./marks.js";
import { pages_of } from "./pages_of.js";
import { make } from "./rooms.js";
import { day, when } from "./time_words.js";

const $ = (id) => document.getElementById(id);
const ROLE_LOOKS = { admin: "accent", creator: "", moderator: "" };

export function open_accounts({ own }) {
  const rows = new Map(); // id → row, for what the drawer changes
  const row = (account) => {
    const name = make("button", "name-button", make("bdi", "", account.display_name || account.email || account.user_code));
    name.type = "button";
    name.addEventListener("click", () => open_drawer(account, { own, changed }));
    const who = make("span", "who", face(account), make("span", "who-words", make("span", "who-name", name, ...(account.id === own ? [badge("you", "accent")] : [])), make("bdi", "muted", account.email ?? "no address")));
    const line = make("tr", "", cell("Who", who), cell("Code", make("code", "", account.user_code)), cell("Role", badge(spaced(account.role), ROLE_LOOKS[account.role] ?? "")),
      cell("Tier", badge(spaced(account.tier.toLowerCase()), account.tier.toLowerCase() === "core" ? "" : "warn")), cell("State", make("span", "badges", ...state_badges(account))),
      cell("Last here", stamp(when, account.last_login_at)), cell("Since", stamp(day, account.created_at)));
    // The whole line leads there for a pointer; for the keyboard the name does.
    line.addEventListener("click", (event) => {
      if (!event.target.closest("button, a") && !getSelection().toString()) name.click();
    });
    rows.set(account.id, line);
    return line;
  };
  function changed(account, id) {
    const before = rows.get(id);
    if (account) before?.replaceWith(row(account));
    else before?.remove();
  }
  const load = pages_of({
    form: $("accounts-filter"), path: "/admin/users", body: $("accounts").tBodies[0], empty: $("accounts-empty"), more: $("accounts-more"), fault: $("accounts-fault"), row,
    told({ total }, query) {
      $("accounts-total").textContent = total === 1 ? "1 account" : `${total.toLocaleString()} accounts`;
      for (const link of document.querySelectorAll("[data-export]")) link.href = `/admin/export/${link.dataset.export}?${query}`;
    },
  });
  return {
    show(query) {
      if (query.has("q")) $("accounts-filter").elements.q.value = query.get("q");
      load();
    },
  };
}

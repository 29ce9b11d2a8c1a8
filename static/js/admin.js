// The admins' page: parts of it, one at a time.

import { open_accounts } from "./admin_accounts.js";
import { open_audit } from "./admin_audit.js";
import { open_controls } from "./admin_controls.js";
import { open_metrics } from "./admin_metrics.js";
import { open_tiers } from "./admin_tiers.js";
import { take_sign_out } from "./sign_out.js";

const page = JSON.parse(document.getElementById("page").textContent);
const $ = (id) => document.getElementById(id);
const panels = [...document.querySelectorAll("[data-panel]")];
const makers = { accounts: open_accounts, audit: open_audit, controls: open_controls, tiers: open_tiers, metrics: open_metrics };
const opened = new Map(); // name → {show(), hide?()}, made when it is first seen

let shown = null;

function show_panel({ focus = false } = {}) {
  // `#audit?target=U-7K2M9QXD`: a part, and what it shows.
  const [wanted, query = ""] = location.hash.slice(1).split("?");
  const panel = panels.find((it) => it.dataset.panel === wanted) ?? panels[0];
  const name = panel.dataset.panel;
  if (shown && shown !== name) opened.get(shown)?.hide?.();
  shown = name;
  for (const it of panels) it.hidden = it !== panel;
  for (const link of $("tabs").children) {
    if (link.hash === `#${name}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (!opened.has(name)) opened.set(name, makers[name]({ own: page.account }));
  opened.get(name).show(new URLSearchParams(query));
  if (focus) panel.querySelector("h1").focus({ preventScroll: true });
}

addEventListener("hashchange", () => {
  if ($("drawer").open) $("drawer").close();
  show_panel({ focus: true });
});
take_sign_out($("sign-out"), (why) => {
  $("notice").hidden = false;
  $("notice").textContent = why;
});
show_panel();

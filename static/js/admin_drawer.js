// One account, with what an admin does to it.

import { face, state_badges } from "./admin_parts.js";
import { spaced } from "./admin_words.js";
import { ask, reason_of } from "./ask.js";
import { copy } from "./copy.js";
import { badge, stamp } from "./marks.js";
import { asking_button } from "./removal.js";
import { make } from "./rooms.js";
import { exact, when } from "./time_words.js";

const drawer = document.getElementById("drawer");
const ROLES = ["viewer", "creator", "moderator", "admin"];
const TIERS = ["core", "gold", "pro"];

const ACTS = [
  { act: "suspend", words: "Suspend", question: "Out at once. Really?", done: "Suspended.", danger: true, fits: (it) => it.account_status === "active" },
  { act: "unsuspend", words: "Lift the suspension", question: "Let them in again?", done: "They may come in again.", fits: (it) => it.account_status === "suspended" },
  { act: "invalidate-sessions", words: "End all sign-ins", question: "Signed out everywhere. Really?", done: "", fits: () => true },
  { act: "reset-onboarding", words: "Ask anew what it is for", question: "Asked at the next visit. Really?", done: "They are asked at their next visit.", fits: (it) => it.onboarding_status === "completed" },
  { act: "force-email-reverify", words: "Have the address proven anew", question: "They get a mail. Really?", done: "They get a mail.", fits: (it) => it.email && it.email_verified },
  { act: "mark-email-verified", words: "Take the address as proven", question: "You know it is theirs?", done: "The address counts as proven.", fits: (it) => it.email && !it.email_verified },
  { act: "delete", words: "Delete the account", question: "For good. Really?", done: "Deleted.", danger: true, fits: () => true },
];

/** What an owner does whose password was taken out; a link is mailed only while the account is in use. */
const PASSWORD_BY_MAIL = "They must set a new password: a link is in their mail.";
const PASSWORD_BY_THEM = "They must set a new password, by a link they ask for once the suspension is lifted.";

function fact(list, name, ...value) {
  list.append(make("dt", "", name), make("dd", "", ...value));
}

/** Which opening the drawer shows: an answer to an earlier one comes too late. */
let turn = 0;

/**
 * @param {object} account as lists have it
 * @param {object} options
 * @param {(account: object|null, id: string) => void} options.changed after each change; null when it is gone
 * @param {string|null} options.own the admin's own account
 */
export async function open_drawer(account, { own, changed }) {
  const mine = ++turn;
  const path = `/admin/accounts/${encodeURIComponent(account.id)}`;
  const said = make("p", "form-fault");
  said.setAttribute("role", "alert");
  const say = (words, is_good = false) => {
    said.classList.toggle("good", is_good);
    said.textContent = words;
  };
  let detail = {};

  async function refresh() {
    const answer = await ask("GET", path);
    if (mine !== turn) return undefined;
    if (!answer.ok) return say(reason_of(answer));
    detail = answer.body;
    account = detail.account ?? account;
    draw();
    return undefined;
  }

  /** One change: what it did is said, the list follows. */
  async function change(method, address, body, words) {
    say("");
    const answer = await ask(method, address, body);
    if (!answer.ok) return say(reason_of(answer));
    const now = answer.body.account ?? null;
    changed(now, account.id);
    if (mine !== turn) return undefined;
    if (!now) return drawer.close();
    account = now;
    const ended = answer.body.sessions_invalidated;
    const count = ended === undefined || !ended ? "" : ` ${ended} ${ended === 1 ? "sign-in" : "sign-ins"} ended.`;
    await refresh();
    const reset = answer.body.password_removed ? ` ${account.account_status === "active" ? PASSWORD_BY_MAIL : PASSWORD_BY_THEM}` : "";
    say(`${words}${reset}${count}`.trim() || "Nobody was signed in.", true);
    return undefined;
  }

  function choice(name, label, values, current) {
    const select = make("select", "");
    select.id = `drawer-${name}`;
    select.append(...values.map((it) => new Option(spaced(it), it, false, it === current)));
    const title = make("label", "", label);
    title.htmlFor = select.id;
    const set = asking_button({
      label, words: "Set", question: "Really?", look: "tool-button", act: () => change("PATCH", `${path}/${name}`, { [name]: select.value }, `${label}: ${spaced(select.value)}.`),
    });
    set.hidden = true;
    select.addEventListener("change", () => (set.hidden = select.value === current));
    return make("div", "choice", title, select, set);
  }

  function draw() {
    const focused = drawer.contains(document.activeElement);
    const close = make("button", "close", "×");
    close.type = "button";
    close.setAttribute("aria-label", "Close");
    close.addEventListener("click", () => drawer.close());
    const title = make("h2", "", make("bdi", "", account.display_name || account.email || account.user_code));
    title.id = "drawer-title";
    title.tabIndex = -1;
    const code = make("button", "code", account.user_code);
    code.type = "button";
    code.title = "Copy the code";
    code.addEventListener("click", async () => {
      if (await copy(account.user_code)) say("Copied.", true);
    });
    const head = make("div", "drawer-head", face(account, "large-face"), make("div", "", title, make("p", "me-facts", code, ...state_badges(account), ...(account.id === own ? [badge("you", "accent")] : []))), close);

    const facts = make("dl", "facts");
    fact(facts, "Address", make("bdi", "", account.email ?? "none"));
    fact(facts, "Ways in", [detail.has_password ? "password" : "", ...account.providers.map((it) => spaced(it.provider))].filter(Boolean).join(", ") || "links by mail");
    if (account.rooms.length) fact(facts, "Rooms", make("bdi", "", account.rooms.join(", ")));
    if (detail.sessions !== undefined) fact(facts, "Signed in", detail.sessions === 1 ? "in one browser" : `in ${detail.sessions} browsers`);
    if (detail.tokens) fact(facts, "API tokens", String(detail.tokens));
    fact(facts, "Last here", stamp(when, account.last_login_at));
    fact(facts, "Since", stamp(exact, account.created_at));
    fact(facts, "Id", make("code", "", account.id));

    // Offered once all is known: nothing is swapped under a finger.
    const acts = ACTS.filter((it) => it.fits(account)).map(({ act, words, question, done, danger }) =>
      asking_button({ label: account.user_code, words, question, look: danger ? "tool-button danger" : "tool-button", act: () => change("POST", `${path}/${act}`, undefined, done) }));
    const trail = make("a", "quiet", "What was done to it");
    trail.href = `#audit?target=${encodeURIComponent(account.user_code)}`;
    const offered = detail.account ? [make("div", "choices", choice("role", "Role", ROLES, account.role), choice("tier", "Tier", TIERS, account.tier.toLowerCase())), make("div", "acts", ...acts)] : [];
    drawer.replaceChildren(head, said, facts, ...offered, make("p", "", trail));
    if (focused) title.focus({ preventScroll: true });
  }

  draw();
  if (!drawer.open) drawer.showModal();
  drawer.querySelector("#drawer-title").focus({ preventScroll: true });
  await refresh();
}

drawer.addEventListener("close", () => (turn += 1));

// A click beside it closes it, as Escape does.
drawer.addEventListener("click", (event) => {
  if (event.target !== drawer) return;
  const { left, right, top, bottom } = drawer.getBoundingClientRect();
  const inside = event.clientX >= left && event.clientX <= right && event.clientY >= top && event.clientY <= bottom;
  if (!inside) drawer.close();
});
drawer.addEventListener("close", () => drawer.replaceChildren());

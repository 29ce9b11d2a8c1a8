// The way in: four forms, one at a time, and the mailbox that some of them lead to.

import { ask } from "./ask.js";
import { blame_password, bring_passwords_to_life, count_down, forget_secrets, set_busy, take_form } from "./form.js";
import { refusal_of, wait_words } from "./refusal.js";

const page = JSON.parse(document.getElementById("page").textContent);
const $ = (id) => document.getElementById(id);
const panels = [...document.querySelectorAll("[data-panel]")];
const goes_on = { surface: page.surface, ...(page.return_to ? { return_to: page.return_to } : {}) };

// ---------------------------------------------------------------- panels

function wanted_panel() {
  const name = location.hash.slice(1);
  const closed = name === "mailbox" || (name === "create" && $("tabs").hidden) || !panels.some((it) => it.dataset.panel === name);
  // Without passwords, a link is the way.
  const needs_password = !page.passwords && ["sign-in", "create", "forgot"].includes(name);
  return closed || needs_password ? (page.passwords ? "sign-in" : "link") : name;
}

/** Goes on to a page; to one of this server's under the name that this browser knows the server by. */
function go_on_to(address) {
  const url = new URL(address, location.href);
  const is_ours = url.origin === new URL(page.base_url).origin;
  location.assign(is_ours ? url.pathname + url.search + url.hash : url.href);
}

/** Shows one panel. The address that was typed in another comes along. */
function show_panel(name, { focus = true } = {}) {
  const before = panels.find((it) => !it.hidden);
  const email = before?.querySelector("[name='email']")?.value;
  for (const it of panels) it.hidden = it.dataset.panel !== name;
  for (const link of $("tabs").children) {
    if (link.hash === `#${name}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const next = panels.find((it) => it.dataset.panel === name);
  if (before && before !== next) forget_secrets(before);
  const field = next.querySelector("[name='email']");
  if (field && email && !field.value) field.value = email;
  const others = $("providers");
  if (others) others.hidden = !["sign-in", "create", "link"].includes(name);
  if (!focus) return;
  const empty = [...next.querySelectorAll("input")].find((it) => !it.value && it.required);
  (empty ?? next.querySelector("h1")).focus({ preventScroll: true });
}

addEventListener("hashchange", () => show_panel(wanted_panel()));

// ---------------------------------------------------------------- the mailbox

let resend = null; // The call that sends the mail again.
let patience_s = 30; // Longer each time.
let stop_waiting = null;

function wait_for_resend(seconds) {
  const button = $("resend");
  stop_waiting?.();
  button.setAttribute("aria-disabled", "true");
  stop_waiting = count_down(seconds, (left) => (button.textContent = `Send it again in ${wait_words(left)}`), () => {
    stop_waiting = null;
    button.removeAttribute("aria-disabled");
    button.textContent = "Send it again";
  });
}

/** Says where the mail went, with a button that sends it again; at once, or after a while. */
function show_mailbox(words, email, send_again, { at_once = false } = {}) {
  resend = send_again;
  const [before, after] = words;
  const address = document.createElement("strong");
  const isolated = document.createElement("bdi");
  isolated.textContent = email;
  address.append(isolated);
  $("mailbox-words").replaceChildren(before, address, after);
  $("mailbox-fault").textContent = "";
  $("another").hash = panels.find((it) => !it.hidden).dataset.panel;
  patience_s = 30;
  show_panel("mailbox", { focus: false });
  // So that "back" leads to the form.
  history.pushState(null, "", "#mailbox");
  $("h-mailbox").focus({ preventScroll: true });
  if (at_once) {
    stop_waiting?.();
    stop_waiting = null;
    $("resend").removeAttribute("aria-disabled");
    $("resend").textContent = "Send it again";
  } else {
    wait_for_resend(patience_s);
  }
}

$("resend").addEventListener("click", async () => {
  const button = $("resend");
  if (stop_waiting || button.hasAttribute("data-busy")) return;
  set_busy(button, true);
  const answer = await resend();
  set_busy(button, false);
  const fault = $("mailbox-fault");
  fault.classList.toggle("good", answer.ok);
  if (answer.ok) {
    fault.textContent = "It is on its way.";
    patience_s = Math.min(300, patience_s * 2);
    wait_for_resend(patience_s);
    return;
  }
  const refusal = refusal_of(answer, []);
  fault.textContent = refusal.form;
  if (refusal.wait_s) wait_for_resend(refusal.wait_s);
});

const minutes = `${page.link_minutes} minutes`;
const verify_again = (email) => () => ask("POST", "/auth/verify/resend", { email, surface: page.surface, return_to: page.return_to });

// ---------------------------------------------------------------- forms

take_form($("sign-in-form"), {
  send: (values) => ask("POST", "/auth/login/password", { ...values, ...goes_on }),
  done({ body }) {
    // Until the next page is here, the button shows that it comes.
    set_busy($("sign-in-form").querySelector("button:not([type])"), true);
    go_on_to(body.redirect_to ?? "/");
  },
  refused({ status, body }, { email }) {
    if (body.reason === "email_unverified") {
      forget_secrets($("sign-in-form"));
      show_mailbox(["Your address ", " is not verified yet. Open the link in the mail we sent you, or get a new one."], email, verify_again(email), { at_once: true });
      return true;
    }
    if (status === 401) {
      const field = $("sign-in-password");
      field.select();
      field.focus();
    }
    return false;
  },
});

take_form($("create-form"), {
  blame: blame_password("password"),
  send: ({ display_name, ...values }) => ask("POST", "/auth/signup/password", { ...values, ...(display_name ? { display_name } : {}), ...goes_on }),
  done(_, { email }) {
    forget_secrets($("create-form"));
    show_mailbox(["We sent a link to ", `. Open it within ${minutes}, and your account is ready.`], email, verify_again(email));
  },
});

const send_link = ({ email }) => ask("POST", "/auth/signup/email", { email, ...goes_on });
take_form($("link-form"), {
  send: send_link,
  done(_, { email }) {
    show_mailbox(["We sent a link to ", `. It signs you in, once, within ${minutes}.`], email, () => send_link({ email }));
  },
});

const send_reset = ({ email }) => ask("POST", "/auth/password/forgot", { email, surface: page.surface });
take_form($("forgot-form"), {
  send: send_reset,
  done(_, { email }) {
    show_mailbox(["If there is an account for ", `, a link is on its way. There you choose another password; it works for ${minutes}.`], email, () => send_reset({ email }));
  },
});

if ($("emergency-form")) {
  take_form($("emergency-form"), {
    send: (values) => ask("POST", "/auth/login/fallback", values),
    done: ({ body }) => go_on_to(body.redirect_to ?? "/admin"),
  });
}

// ---------------------------------------------------------------- start

bring_passwords_to_life();
show_panel(wanted_panel(), { focus: false });
// On a phone the keyboard would hide the page.
if (matchMedia("(hover: hover)").matches) document.querySelector("[data-panel]:not([hidden]) input")?.focus({ preventScroll: true });
// A page that comes back from the browser's memory holds nothing of it.
addEventListener("pagehide", () => forget_secrets(document));

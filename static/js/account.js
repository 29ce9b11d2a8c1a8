// What somebody does with their account.

import { follow_methods, follow_sessions, follow_tokens } from "./account_lists.js";
import { ask, reason_of } from "./ask.js";
import { copy } from "./copy.js";
import { blame_password, bring_passwords_to_life, forget_secrets, set_busy, show_fault, take_form } from "./form.js";
import { initial_of } from "./marks.js";
import { make } from "./rooms.js";
import { take_sign_out } from "./sign_out.js";

const page = JSON.parse(document.getElementById("page").textContent);
const $ = (id) => document.getElementById(id);
let user = page.user;

// ---------------------------------------------------------------- who it is

const ROLES = { moderator: "Moderator", creator: "Creator", admin: "Admin" };

function draw_user() {
  const name = user.display_name || user.email || user.user_code;
  $("name").replaceChildren(make("bdi", "", name));
  if (user.avatar_url) {
    const image = make("img", "");
    image.referrerPolicy = "no-referrer";
    image.alt = "";
    image.addEventListener("error", () => draw_initial(name));
    image.src = user.avatar_url;
    $("face").replaceChildren(image);
  } else {
    draw_initial(name);
  }
  $("code").textContent = user.user_code;
  const badges = [];
  if (ROLES[user.role]) badges.push(make("span", "badge accent", ROLES[user.role]));
  badges.push(make("span", user.effective_tier.tier_id === "core" ? "badge" : "badge warn", user.effective_tier.tier_label));
  $("badges").replaceChildren(...badges);
  $("admin-link").hidden = !user.admin_access.allowed;

  $("email").textContent = user.email ?? "None yet";
  $("email-state").hidden = !user.email;
  $("email-state").className = user.email_verified ? "badge good" : "badge warn";
  $("email-state").textContent = user.email_verified ? "verified" : "not verified";
  $("resend-row").hidden = !user.email || user.email_verified;

  $("password-words").textContent = user.has_password ? "Setting another one ends all other sign-ins. Your API tokens go on working." : "You have none: you come in by links or through a provider. A password is one more way.";
  for (const field of document.querySelectorAll(".owner")) field.value = user.email ?? user.user_code;
  for (const field of document.querySelectorAll("[data-with-password]")) {
    field.hidden = !user.has_password;
    field.querySelector("input").disabled = !user.has_password;
  }
  $("display-name").value = user.display_name;
  $("delete-code-words").textContent = user.user_code;
  $("onboarding").hidden = !user.onboarding_required;

  const own = user.creator_workspace_access.contexts;
  const rooms = [...own, ...user.moderator_access.contexts.filter((it) => !own.some((mine) => mine.room === it.room))];
  $("rooms").hidden = !rooms.length && user.onboarding_required;
  $("another-room-words").textContent = own.length ? "Another room" : "Make a room of your own";
  $("room-list").replaceChildren(...rooms.map(room_row));
}

function draw_initial(name) {
  $("face").textContent = initial_of(name);
}

function room_row({ room, owner }) {
  const words = make("span", "row-words", make("span", "row-title", make("bdi", "", room), ...(owner ? [] : [make("span", "badge", "you moderate")])));
  const acts = make("span", "row-acts");
  const link = (text, href) => {
    const it = make("a", "quiet", text);
    it.href = href;
    it.setAttribute("aria-label", `${text}: ${room}`);
    acts.append(it);
  };
  if (owner) link("Its look", `/dashboard?room=${encodeURIComponent(room)}`);
  link("Chat", `/chat/${encodeURIComponent(room)}`);
  return make("li", "row-item", words, acts);
}

/** Reads the account again, where the answer to a call does not hold it. */
async function reload_user() {
  const answer = await ask("GET", "/account/me");
  if (!answer.ok) return;
  user = answer.body.user ?? answer.body;
  draw_user();
}

$("code").addEventListener("click", async () => {
  const done = await copy(user.user_code);
  $("code").textContent = done ? "Copied ✓" : user.user_code;
  setTimeout(() => ($("code").textContent = user.user_code), 1500);
});

// ---------------------------------------------------------------- what the address tells

const LINK_REASONS = {
  denied: "You stopped on the way: nothing was connected.", expired: "That took too long. Try again.", taken: "That sign-in already opens another account.",
  rate_limited: "Too many attempts. Wait a little, then try again.", unavailable: "It does not answer just now. Try again in a moment.",
};

const A_WHILE = "It has been a while since you signed in. ";

/** Some changes ask for a fresh sign-in: the way there, and back. */
function way_in_again() {
  const link = make("a", "quiet", "Sign in again");
  link.href = "/login?reason=sign-in-again&return_to=/account";
  return link;
}

function show_notice(words, look, ...more) {
  $("notice").className = `notice ${look}`;
  $("notice").replaceChildren(words, ...more);
  $("notice").hidden = !words;
}

{
  const url = new URL(location.href);
  const linked = page.providers.find((it) => it.id === url.searchParams.get("linked"));
  const reason = url.searchParams.get("reason");
  if (linked) show_notice(`${linked.title} is connected.`, "good");
  else if (reason === "sign_in_again") show_notice(A_WHILE, "bad", way_in_again());
  else if (reason) show_notice(LINK_REASONS[reason] ?? "That did not work.", "bad");
  // Once: a reload does not say it again.
  if (url.search) history.replaceState(null, "", url.pathname + url.hash);
}

// ---------------------------------------------------------------- forms

function ask_to_sign_in_again({ body }, say) {
  if (body.reason !== "sign_in_again") return false;
  say(A_WHILE, false, way_in_again());
  return true;
}

/** What is wrong with the name of a room, by its field. */
function fault_of_room({ room }) {
  if (/^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$/.test(room)) return {};
  return { room: room ? "Letters, digits, _ and -, with a letter or digit first." : "Choose a name." };
}

/** What comes next: the overlay's link, and channels. */
const show_made_room = (room) => location.assign(`/?made=${encodeURIComponent(room)}`);

take_form($("another-room-form"), {
  check: fault_of_room,
  send: ({ room }) => ask("POST", "/account/onboarding/complete", { room }),
  done: (_, { room }) => show_made_room(room),
  blame: () => "room",
});

const onboarding = take_form($("onboarding-form"), {
  check: (values) => (wants_room() ? fault_of_room(values) : {}),
  send: ({ room }) => ask("POST", "/account/onboarding/complete", wants_room() ? { room } : {}),
  done(_, { room }) {
    if (wants_room()) {
      show_made_room(room);
      return;
    }
    show_notice("All set.", "good");
    // What was pressed is gone: the keyboard goes on at the name.
    reload_user().then(() => $("name").focus());
  },
  blame: ({ reason }) => (["taken", "conflict", "bad_request"].includes(reason) && wants_room() ? "room" : null),
});

function wants_room() {
  return $("onboarding-form").elements.aim.value === "stream";
}

function draw_room_link() {
  $("room-field").hidden = !wants_room();
  $("room-link").replaceChildren(`${page.base_url.replace(/^https?:\/\//, "")}/overlay/`, make("b", "", $("room").value || "yourname"));
}
$("onboarding-form").addEventListener("input", draw_room_link);

const profile = take_form($("profile-form"), {
  send: (values) => ask("PATCH", "/account/me", values),
  done() {
    reload_user();
    profile.say("Saved.", true);
  },
});

const email_form = take_form($("email-form"), {
  send: ({ email, password }) => ask("POST", "/auth/email/change/request", user.has_password ? { email, password } : { email }),
  done(_, { email }) {
    forget_secrets($("email-form"));
    email_form.say(`Look into the mailbox of ${email}: open the link there within ${page.link_minutes} minutes.`, true);
  },
  refused: (answer) => wrong_password(answer, "email-password") || ask_to_sign_in_again(answer, email_form.say),
});

const password_form = take_form($("password-form"), {
  blame: blame_password("new_password"),
  send: ({ current_password, new_password }) => ask("PATCH", "/account/password", user.has_password ? { current_password, new_password } : { new_password }),
  done() {
    forget_secrets($("password-form"));
    password_form.say(user.has_password ? "Your password is changed, and every other browser is signed out." : "You have a password now.", true);
    reload_user();
    load_sessions();
  },
  refused: (answer) => wrong_password(answer, "current-password") || ask_to_sign_in_again(answer, password_form.say),
});

/** A wrong password stands beside the field that asked for it. */
function wrong_password({ body }, id) {
  if (body.reason !== "wrong_password" && body.reason !== "password_needed") return false;
  show_fault($(id), "That is not your password.");
  $(id).select();
  $(id).focus();
  return true;
}

const delete_form = take_form($("delete-form"), {
  check: ({ code }) => (code.toUpperCase() === user.user_code ? {} : { code: `Type ${user.user_code}, exactly.` }),
  send: ({ password }) => ask("DELETE", "/account", user.has_password ? { password } : {}),
  done() {
    forget_secrets($("delete-form"));
    location.assign("/login?reason=deleted");
  },
  refused: (answer) => wrong_password(answer, "delete-password") || ask_to_sign_in_again(answer, delete_form.say),
});

$("resend").addEventListener("click", async () => {
  const button = $("resend");
  if (button.hasAttribute("data-busy")) return;
  set_busy(button, true);
  const answer = await ask("POST", "/auth/verify/resend", { email: user.email });
  set_busy(button, false);
  $("resend-fault").classList.toggle("good", answer.ok);
  $("resend-fault").textContent = answer.ok ? "It is on its way." : reason_of(answer);
});

take_sign_out($("sign-out"), (why) => show_notice(why, "bad"));

// ---------------------------------------------------------------- lists

const load_sessions = follow_sessions({ list: $("session-list"), fault: $("sessions-fault"), title: $("h-sessions"), end_others: $("end-others") });
const load_tokens = follow_tokens({ list: $("token-list"), fault: $("tokens-fault"), title: $("h-tokens") });
const load_methods = follow_methods({ list: $("method-list"), fault: $("methods-fault"), title: $("h-methods"), providers: page.providers });

function forget_token() {
  $("token-text").textContent = "";
  $("new-token").hidden = true;
}

const token_form = take_form($("token-form"), {
  send: ({ name, days }) => ask("POST", "/account/tokens", { name, days: Number(days) }),
  done({ body }) {
    $("token-form").reset();
    $("token-text").textContent = body.token;
    $("new-token").hidden = false;
    $("new-token").focus();
    load_tokens();
  },
  refused: (answer) => ask_to_sign_in_again(answer, token_form.say),
});
$("copy-token").addEventListener("click", async () => {
  const done = await copy($("token-text").textContent);
  $("copy-token").textContent = done ? "Copied ✓" : "Press Ctrl+C";
  setTimeout(() => ($("copy-token").textContent = "Copy"), 2000);
});
$("forget-token").addEventListener("click", () => {
  forget_token();
  $("h-tokens").focus();
});
// A page that comes back from the browser's memory does not show it again.
addEventListener("pagehide", () => {
  forget_token();
  forget_secrets(document);
});

// ---------------------------------------------------------------- start

bring_passwords_to_life();
draw_user();
draw_room_link();
load_sessions();
load_tokens();
load_methods();
if (!$("onboarding").hidden) {
  const suggested = user.display_name.normalize("NFKD").replace(/[^A-Za-z0-9_-]+/g, "").replace(/^[_-]+/, "").slice(0, 32);
  onboarding.fields.room.value = suggested;
  draw_room_link();
}

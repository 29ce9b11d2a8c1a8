// What can be switched off for everybody.

import { ask, reason_of } from "./ask.js";
import { badge } from "./marks.js";
import { asking_button, replace_keeping_focus } from "./removal.js";
import { make } from "./rooms.js";

const $ = (id) => document.getElementById(id);
const PROVIDERS = { google: "Google", github: "GitHub", discord: "Discord", twitch: "Twitch" };

// `flag` says what is off, but for the last, which lets something happen.
const SWITCHES = [
  { flag: "disable_new_signups", title: "New accounts", about: "Off: nobody gets an account who has none." },
  { flag: "disable_password_login", title: "Passwords", about: "Off: people come in by links and providers alone." },
  { flag: "disable_email_verification", title: "Verification of addresses", about: "Off: links that verify an address do nothing." },
  { flag: "disable_resend_verification", title: "Verification mails, again", about: "Off: the mail is sent once." },
  { flag: "admin_tier_config_bypass", title: "Tiers beyond their rules", about: "On: admins may give a higher tier less than a lower one.", lets: true },
];
const MODES = [
  { mode: "normal", title: "Normal", about: "Everybody may do as they may." },
  { mode: "maintenance", title: "Maintenance", about: "Admins alone change things. Chat and overlays go on." },
  { mode: "development", title: "Development", about: "The same, while something is being built." },
];

function line({ title, about, is_on, act }) {
  const words = is_on ? "Switch off" : "Switch on";
  const button = asking_button({ label: title, words, question: is_on ? "For everybody. Really?" : "Really?", look: is_on ? "tool-button danger" : "tool-button", act });
  return make("div", "control", make("span", "row-words", make("span", "row-title", title, badge(is_on ? "on" : "off", is_on ? "good" : "bad")), make("span", "row-facts", about)), button);
}

export function open_controls() {
  const fault = $("controls-fault");
  const say = (answer) => (fault.textContent = answer.ok ? "" : reason_of(answer));
  let access = null;

  async function switch_to(body) {
    const answer = await ask("POST", "/admin/auth/controls", body);
    say(answer);
    if (answer.ok) draw(answer.body);
  }

  function draw({ flags, providers }) {
    const switches = SWITCHES.filter((it) => it.flag in flags).map(({ flag, title, about, lets }) => {
      const is_on = lets ? flags[flag] : !flags[flag];
      return line({ title, about, is_on, act: () => switch_to({ flags: { [flag]: !flags[flag] } }) });
    });
    const ways = Object.entries(providers).map(([id, is_on]) =>
      line({ title: PROVIDERS[id] ?? id, about: "Signing in there, where it is set up.", is_on, act: () => switch_to({ providers: { [id]: !is_on } }) }));
    const parts = [group("Accounts", ...switches), group("Providers", ...ways)];
    if (access) parts.unshift(group("The whole server", ...modes()));
    replace_keeping_focus($("controls"), $("h-controls"), ...parts);
  }

  function group(title, ...lines) {
    const box = make("section", "control-group", make("h2", "", title), ...lines);
    box.setAttribute("aria-label", title);
    return box;
  }

  function modes() {
    return MODES.map(({ mode, title, about }) => {
      const is_now = access.mode === mode;
      const button = asking_button({
        label: title, words: "Switch to it", question: "For everybody. Really?", look: mode === "normal" ? "tool-button" : "tool-button danger",
        async act() {
          const answer = await ask("PUT", "/admin/access-state", { mode });
          say(answer);
          if (answer.ok) await load();
        },
      });
      return make("div", "control", make("span", "row-words", make("span", "row-title", title, ...(is_now ? [badge("now", mode === "normal" ? "good" : "warn")] : [])), make("span", "row-facts", is_now && access.message ? access.message : about)), is_now ? "" : button);
    });
  }

  async function load() {
    const [answer, mode] = await Promise.all([ask("GET", "/admin/auth/controls"), ask("GET", "/auth/access-state")]);
    access = mode.ok ? mode.body : null;
    say(answer);
    if (answer.ok) draw(answer.body);
  }
  return { show: load };
}

// What the admins' tables are made of.

import { badge, initial_of } from "./marks.js";
import { make } from "./rooms.js";

/** A cell; where the table is too wide, `label` stands before it. */
export function cell(label, ...children) {
  const td = make("td", "", ...children);
  td.dataset.label = label;
  return td;
}

/** A circle with the first letter of a name. */
export function face(account, size = "small-face") {
  const name = account.display_name || account.email || account.user_code;
  const circle = make("span", size, initial_of(name));
  circle.setAttribute("aria-hidden", "true");
  // The same account has the same colour everywhere.
  const hue = [...String(account.user_code)].reduce((sum, it) => (sum * 31 + it.codePointAt(0)) % 360, 7);
  circle.style.setProperty("--hue", hue);
  return circle;
}

/** How an account is, in a word or more. */
export function state_badges(account) {
  const badges = [];
  if (account.account_status === "suspended") badges.push(badge("suspended", "bad"));
  if (account.email && !account.email_verified) badges.push(badge("not verified", "warn"));
  if (account.onboarding_status === "pending") badges.push(badge("new"));
  return badges.length ? badges : [badge("active", "good")];
}

// The button that signs this browser out.

import { ask, reason_of } from "./ask.js";
import { set_busy } from "./form.js";

/** `failed(why)` when the server does not do it. */
export function take_sign_out(button, failed) {
  button.addEventListener("click", async () => {
    if (button.hasAttribute("data-busy")) return;
    set_busy(button, true);
    const answer = await ask("POST", "/auth/logout", {});
    set_busy(button, false);
    if (answer.ok) location.assign("/login?reason=logout");
    else failed(reason_of(answer));
  });
}

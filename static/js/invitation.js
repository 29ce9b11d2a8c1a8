// Takes an invitation up, and goes where it leads.

import { ask, reason_of } from "./ask.js";

const { token } = JSON.parse(document.getElementById("page").textContent);
const button = document.getElementById("accept");

button?.addEventListener("click", async () => {
  button.disabled = true;
  const answer = await ask("POST", "/api/invitations", { token });
  if (answer.ok) {
    location.assign(`/chat/${encodeURIComponent(answer.body.room)}`);
    return;
  }
  document.getElementById("told").textContent = reason_of(answer);
  button.disabled = false;
});

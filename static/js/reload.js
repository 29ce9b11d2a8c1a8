// Loads a page anew, but only once the server is there to give it: a page that is asked for in vain becomes the
// browser's own page of errors, and OBS never asks again.

const FIRST_MS = [2000, 3000]; // At least, and at most so much more.
const NEXT_MS = [5000, 5000];

let is_waiting = false;

/**
 * With `though_refused` also when the server gives only its refusal: that says more than what the page still shows.
 * @param {object} [env] stands in for the browser in tests
 */
export function reload_when_served({
  fetch = (...it) => globalThis.fetch(...it), reload = () => location.reload(), address = () => location.href, random = Math.random,
  at_once = false, though_refused = false,
} = {}) {
  if (is_waiting) return;
  is_waiting = true;
  const look = async () => {
    try {
      const answer = await fetch(address(), { cache: "no-store" });
      if (answer.ok || (though_refused && answer.status < 500)) {
        is_waiting = false;
        reload();
        return;
      }
    } catch {
      // The server is away: the next look may find it.
    }
    wait(NEXT_MS);
  };
  const wait = ([least, more]) => setTimeout(look, least + more * random());
  if (at_once) void look();
  else wait(FIRST_MS);
}

/** A part that the page cannot be without. If it does not come, a page that is loaded anew may get it. */
export async function need(part) {
  try {
    return await part;
  } catch (error) {
    console.warn("A part of this page did not load; it is loaded anew.", error);
    reload_when_served();
    return new Promise(() => {}); // Whoever waits for it goes with the page.
  }
}

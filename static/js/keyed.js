// What has the room's key in it. CSS that somebody pasted can read attributes, and make hidden text visible and
// measure it: so the key stands in neither, only in scripts.

/** What the server told this page, taken out of the document. */
export function take_page() {
  const element = document.getElementById("page");
  const page = JSON.parse(element.textContent);
  element.remove();
  return page;
}

/** An address without its key. */
export function without_key(address) {
  const url = new URL(address, location.href);
  url.searchParams.delete("key");
  return url.href;
}

/** Opens an address in a window of its own, or with `saved` keeps what is there as a file. */
export function open_address(address, { saved = false } = {}) {
  if (!saved) {
    window.open(address, "_blank", "noopener,noreferrer");
    return;
  }
  const link = document.createElement("a"); // Never a part of the document.
  link.href = address;
  link.download = "";
  link.click();
}

/** Makes a link lead to an address with a key, which is not written into it. */
export function lead(link, address, { saved = false } = {}) {
  link.href = without_key(address);
  if (link.href === new URL(address, location.href).href) return; // It has none: a plain link does everything.
  link.onclick = link.onauxclick = (event) => {
    if (event.button > 1) return;
    event.preventDefault();
    open_address(address, { saved });
  };
}

/**
 * Takes the key out of the address bar and the history of a window that may be on a stream. Only where the server
 * gives the page without it too, to the operator: a guest who loads it anew has nothing else to show. A dock of OBS
 * has no address bar, and is to come back after a restart of the server, which ends sessions.
 *
 * @returns {string|null} the key, for this page's scripts: a session may end before the window is closed
 */
export function hide_key({ room, key, operator }, env = globalThis) {
  const name = `streamsuites.key.${room}`;
  try {
    if (!key) return env.sessionStorage.getItem(name);
    if (!operator || /\bOBS\//.test(env.navigator?.userAgent)) return key;
    env.sessionStorage.setItem(name, key);
  } catch {
    return key; // Without a memory the address keeps it, or the next load would not have it.
  }
  const url = new URL(env.location.href);
  url.searchParams.delete("key");
  env.history.replaceState(env.history.state, "", url.href);
  return key;
}

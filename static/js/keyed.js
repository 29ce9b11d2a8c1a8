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

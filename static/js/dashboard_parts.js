// The parts of the dashboard, one seen at a time: which one stands in the address, so that it comes back after a reload.

/** The part that an address names, or the first. */
export const part_of = (hash, parts) => (parts.includes(hash.slice(1)) ? hash.slice(1) : parts[0]);

/**
 * @param {object} options
 * @param {(part: string) => void} options.shown which one is seen now
 */
export function show_parts({ shown }) {
  const links = [...document.querySelectorAll("[data-part]")];
  const names = links.map((it) => it.dataset.part);
  const show = () => {
    const current = part_of(location.hash, names);
    for (const it of document.querySelectorAll("[data-of]")) it.hidden = it.dataset.of !== current;
    for (const it of links) {
      if (it.dataset.part === current) it.setAttribute("aria-current", "page");
      else it.removeAttribute("aria-current");
    }
    document.body.dataset.shows = current;
    scrollTo(0, 0);
    shown(current);
  };
  addEventListener("hashchange", show);
  show();
}

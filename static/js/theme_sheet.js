// The stylesheet of the theme that a page wears. The old one stays until the new one has come, and one that did not
// come is asked for again.

const RETRY_MS = 500; // After a theme that did not load; twice as long each time,
const RETRY_CAP_MS = 30_000; // and at most this long.

export class ThemeSheet {
  #page;
  #on_load;
  #worn = null; // What was asked for last: {theme, theme_version}.
  #timer = 0; // Runs while the stylesheet is wanted and did not come.
  #failures = 0;

  /** `page` is what the server wrote into the page: `room`, `sheet`. `on_load` is called when a theme has come. */
  constructor({ page, on_load }) {
    this.#page = page;
    this.#on_load = on_load;
  }

  /** Asks for the page's own theme again, if it did not come. */
  look_after(settings) {
    if (!has_loaded(document.getElementById("theme")) && !document.querySelector("link.theme:not(#theme)")) this.wear(settings);
  }

  /** There is a server again: what did not come is asked for at once. */
  renew() {
    if (!this.#timer) return;
    this.#failures = 0;
    this.wear(this.#worn);
  }

  /** Puts a theme on. */
  wear({ theme, theme_version }) {
    this.#worn = { theme, theme_version };
    clearTimeout(this.#timer);
    this.#timer = 0;
    const old = document.getElementById("theme");
    // One that has not come yet is no longer wanted.
    for (const it of document.querySelectorAll("link.theme:not(#theme)")) it.remove();
    const link = document.createElement("link");
    link.rel = "stylesheet";
    const query = new URLSearchParams({ v: theme_version, room: this.#page.room });
    if (this.#page.sheet) query.set("sheet", this.#page.sheet); // Not the key: custom CSS can read attributes.
    link.href = `/themes/${encodeURIComponent(theme)}/theme.css?${query}`;
    link.onload = () => {
      for (const it of document.querySelectorAll("link.theme")) if (it !== link) it.remove();
      link.id = "theme";
      this.#failures = 0;
      this.#on_load();
    };
    link.onerror = () => {
      link.remove();
      const wait = Math.min(RETRY_CAP_MS, RETRY_MS * 2 ** Math.min(this.#failures, 8));
      this.#failures += 1;
      this.#timer = setTimeout(() => this.wear(this.#worn), wait);
    };
    old.classList.add("theme");
    link.className = "theme";
    old.after(link);
  }
}

/** Whether a stylesheet has come. Where it failed there is none, or one that nobody may look into. */
function has_loaded({ sheet }) {
  try {
    return Boolean(sheet?.cssRules);
  } catch {
    return false;
  }
}

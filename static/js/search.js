// Search in the pop-out: which lines hold the words, and where.

const TYPED_MS = 80; // Nobody needs the answer to half a word.

export class Search {
  #parts;
  #rows;
  #changed;
  #closed;
  #query = "";
  #has_marks = false;
  #timer = 0;

  /**
   * @param {object} options
   * @param {{bar: HTMLElement, field: HTMLInputElement, found: HTMLElement, button: HTMLElement, close: HTMLElement}} options.parts
   * @param {() => {element: HTMLElement, text: string}[]} options.rows the lines there are
   * @param {() => void} options.changed other words are looked for @param {() => void} options.closed
   */
  constructor({ parts, rows, changed, closed }) {
    this.#parts = parts;
    this.#rows = rows;
    this.#changed = changed;
    this.#closed = closed;
    parts.button.addEventListener("click", () => (this.is_open ? this.close() : this.open()));
    parts.close.addEventListener("click", () => this.close());
    parts.field.addEventListener("input", () => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#look_for(parts.field.value.trim()), TYPED_MS);
    });
  }

  get is_open() {
    return !this.#parts.bar.hidden;
  }

  /** Whether a line's text (in small letters) is to be seen. */
  passes(text) {
    return !this.#query || text.includes(this.#query);
  }

  open(words = null) {
    this.#parts.bar.hidden = false;
    this.#parts.field.focus();
    this.#parts.field.select();
    if (words === null) return;
    this.#parts.field.value = words;
    this.#look_for(words);
  }

  close() {
    this.#parts.field.value = "";
    this.#parts.bar.hidden = true;
    this.#look_for("");
    this.#closed();
  }

  #look_for(words) {
    this.#query = words.toLowerCase();
    this.#changed();
  }

  /** Marks what was found without touching the rows, where the browser can. */
  highlight() {
    const query = this.#query;
    if (!query && !this.#has_marks) return;
    this.#has_marks = query !== "";
    const shown = query ? this.#rows().filter((it) => !it.element.hidden) : [];
    this.#parts.found.textContent = query ? `${shown.length} found` : "";
    if (!globalThis.CSS?.highlights) return;
    CSS.highlights.delete("found");
    if (!query) return;
    const ranges = [];
    for (const { element } of shown) {
      const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
      for (let node = walker.nextNode(); node; node = walker.nextNode()) {
        const text = node.data.toLowerCase();
        if (text.length !== node.length) continue; // Folding moved the letters: no honest place to mark.
        for (let at = text.indexOf(query); at >= 0; at = text.indexOf(query, at + query.length)) {
          const range = new Range();
          range.setStart(node, at);
          range.setEnd(node, at + query.length);
          ranges.push(range);
        }
      }
    }
    CSS.highlights.set("found", new Highlight(...ranges));
  }
}

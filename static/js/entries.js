// A list of things that come, change and go. What stays keeps its element: nothing is swapped under a finger, and the
// focus stays where it is.

export class Entries {
  #list;
  #key;
  #make;
  #entries = new Map(); // key → {item, draw}

  /**
   * @param {HTMLElement} list
   * @param {(thing: object) => string} key
   * @param {(thing: object) => {item: HTMLElement, draw: (thing: object, at: number) => void, gone?: () => void}} make_entry
   */
  constructor(list, key, make_entry) {
    this.#list = list;
    this.#key = key;
    this.#make = make_entry;
  }

  /** Shows these, in this order. The focus of one that is gone goes to the list. */
  show(things) {
    const wanted = new Set(things.map(this.#key));
    let lost_focus = false;
    for (const [key, { item, gone }] of this.#entries) {
      if (wanted.has(key)) continue;
      lost_focus ||= item.contains(document.activeElement);
      gone?.();
      item.remove();
      this.#entries.delete(key);
    }
    things.forEach((thing, at) => {
      const key = this.#key(thing);
      let entry = this.#entries.get(key);
      if (!entry) {
        entry = this.#make(thing);
        this.#entries.set(key, entry);
      }
      const there = this.#list.children[at] ?? null;
      if (there !== entry.item) {
        const focused = entry.item.contains(document.activeElement) ? document.activeElement : null;
        this.#list.insertBefore(entry.item, there);
        focused?.focus(); // What is moved in the document loses it.
      }
      entry.draw(thing, at);
    });
    if (lost_focus) this.#list.focus({ preventScroll: true });
  }

  get size() {
    return this.#entries.size;
  }

  /** The element of that key. */
  item(key) {
    return this.#entries.get(key)?.item ?? null;
  }
}

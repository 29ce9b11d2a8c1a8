// What `Feed` and `Player` share: listeners by name.

export class Emitter {
  #listeners = new Map();

  on(name, listener) {
    if (!this.#listeners.has(name)) this.#listeners.set(name, []);
    this.#listeners.get(name).push(listener);
    return this;
  }

  emit(name, ...values) {
    for (const listener of this.#listeners.get(name) ?? []) {
      try {
        listener(...values);
      } catch (error) {
        // One page's mistake over one event must not cost it the rest of the feed.
        console.error(error);
      }
    }
  }
}

// Keys of one character that act by themselves, without Ctrl: quick for whoever means them. Who speaks to this
// computer, or hits a key by accident, may switch them off.

/** Whether a key writes a character, with nothing held that makes another thing of it. */
export const is_letter = ({ key, ctrlKey, metaKey, altKey }) => !ctrlKey && !metaKey && !altKey && [...key].length === 1;

const FIELDS = "input, textarea, select";
const PANELS = '[role="dialog"]'; // What is typed there is for what is open there.

export class LetterKeys {
  #memory;

  constructor(memory) {
    this.#memory = memory;
  }

  get are_on() {
    return this.#memory.read("letters") !== "0";
  }

  set are_on(on) {
    this.#memory.write("letters", on ? "1" : "0");
  }

  /** Whether this key may act on the window, where it was pressed. */
  may_act(event) {
    if (event.target.closest?.(`${FIELDS}, ${PANELS}`)) return false;
    return this.are_on || !is_letter(event);
  }
}

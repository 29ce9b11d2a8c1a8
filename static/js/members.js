// Everybody that one line of a screen stands for, so that a deletion takes out of "×37" exactly what it deletes, and
// the line goes on under the name of somebody who is left. The first ones and the newest are kept whole; of the others
// only what a deletion asks for: whose they were, and their ids.

const WHOLE_MOST = 50;
const IDS_MOST = 1000; // Past this the oldest goes with its author only, no longer by its id.
const AUTHORS_MOST = 500; // Past this the oldest author's are nobody's: they go with the line only.

export class Members {
  #whole; // The first one is shown.
  #others = new Map(); // Author's id → {author, platform, ids, nameless}; `nameless` counts ids that are forgotten.
  #ids = 0; // In #others.
  #nobodys = 0;
  #count = 1;

  constructor(event) {
    this.#whole = [event];
  }

  /** Those that are kept whole; the first one is shown. */
  get events() {
    return this.#whole;
  }

  get count() {
    return this.#count;
  }

  add(event) {
    this.#count += 1;
    this.#whole.push(event);
    if (this.#whole.length <= WHOLE_MOST) return;
    const { id, author, platform } = this.#whole.splice(1, 1)[0].data;
    this.#put_away({ author, platform, ids: [id], nameless: 0 });
  }

  /** Adds everybody of another line. */
  join(members) {
    for (const it of members.#whole) this.add(it);
    for (const it of members.#others.values()) this.#put_away(it);
    this.#nobodys += members.#nobodys;
    this.#count += members.#count - members.#whole.length;
  }

  #put_away({ author, platform, ids, nameless }) {
    const other = this.#others.get(author.id) ?? { author, platform, ids: [], nameless: 0 };
    this.#others.set(author.id, other);
    other.ids.push(...ids);
    other.nameless += nameless;
    this.#ids += ids.length;
    if (this.#others.size > AUTHORS_MOST) {
      const [key, oldest] = this.#others.entries().next().value;
      this.#others.delete(key);
      this.#ids -= oldest.ids.length;
      this.#nobodys += oldest.ids.length + oldest.nameless;
    }
    for (const it of this.#others.values()) {
      if (this.#ids <= IDS_MOST) return;
      const forgotten = it.ids.splice(0, this.#ids - IDS_MOST).length;
      it.nameless += forgotten;
      this.#ids -= forgotten;
    }
  }

  /** Takes away those whose data `matches`. True if there were any. When nobody is left to show, none is left. */
  remove(matches) {
    const before = this.#count;
    const [shown] = this.#whole;
    this.#whole = this.#whole.filter((it) => !matches(it.data));
    let count = this.#whole.length + this.#nobodys;
    for (const [key, other] of this.#others) {
      const data = data_of(shown, other);
      const all = matches(data);
      const ids = all ? [] : other.ids.filter((id) => {
        data.id = id;
        return !matches(data);
      });
      this.#ids -= other.ids.length - ids.length;
      other.ids = ids;
      if (all) other.nameless = 0;
      count += ids.length + other.nameless;
      if (ids.length + other.nameless === 0) this.#others.delete(key);
    }
    this.#count = count;
    if (this.#whole.length === 0) this.#show_another(shown);
    return this.#count < before;
  }

  /** The oldest of those that are no longer whole: of their words it is known that they were the same. */
  #show_another(shown) {
    if (this.#others.size === 0) {
      this.#nobodys = 0;
      this.#count = 0;
      return;
    }
    const [key, other] = this.#others.entries().next().value;
    const data = data_of(shown, other);
    if (other.ids.length > 0) {
      data.id = other.ids.shift();
      this.#ids -= 1;
    } else {
      other.nameless -= 1;
    }
    if (other.ids.length + other.nameless === 0) this.#others.delete(key);
    this.#whole = [{ ...shown, data }];
  }

  /** Puts what `change` makes of each event in its place; the same event is no change. */
  change(change) {
    this.#whole = this.#whole.map(change);
  }
}

/** What is known of a message that is no longer whole, beside the one that is shown. */
function data_of({ data }, { author, platform }) {
  return { ...data, id: "", author, platform, flags: [], reply_to: undefined, source_channel: undefined };
}

// As much of a page as the pop-out's desk asks for, where there is no browser.

export class FakeElement {
  dataset = {};
  children = [];
  attributes = {};
  listeners = {};
  hidden = true;
  value = "";
  selectionStart = 0;
  selectionEnd = 0;
  scrollHeight = 0;
  parent = null;
  style = { setProperty() {} };
  classList = { add() {}, remove() {} };

  constructor(name = "div") {
    this.localName = name;
  }

  append(...more) {
    for (const it of more) if (it instanceof FakeElement) it.parent = this;
    this.children.push(...more);
  }

  replaceChildren(...more) {
    this.children = [];
    this.append(...more);
  }

  insertBefore(child, next) {
    this.children.splice(this.children.indexOf(child), 1);
    this.children.splice(next ? this.children.indexOf(next) : this.children.length, 0, child);
  }

  get firstElementChild() {
    return this.children[0] ?? null;
  }

  get tree() {
    return [this, ...this.children.flatMap((it) => (it instanceof FakeElement ? it.tree : []))];
  }

  get textContent() {
    return this.children.map((it) => (it instanceof FakeElement ? it.textContent : it)).join("");
  }

  set textContent(text) {
    this.replaceChildren(text);
  }

  contains(it) {
    return this.tree.includes(it);
  }

  /** By tag or by class, as far as anybody here asks. */
  closest(selector) {
    const matches = selector.startsWith(".") ? this.className?.split(" ").includes(selector.slice(1)) : this.localName === selector;
    return matches ? this : this.parent?.closest(selector) ?? null;
  }

  querySelector(selector) {
    return this.querySelectorAll(selector)[0] ?? null;
  }

  querySelectorAll(selector) {
    return this.tree.slice(1).filter((it) => it.localName === selector || (selector.startsWith(".") && it.closest(selector) === it));
  }

  getBoundingClientRect() {
    const at = this.parent?.children.indexOf(this) ?? 0;
    return { left: 0, top: 10 * at, height: 10 };
  }

  focus() {
    document.activeElement = this;
  }

  setAttribute(name, value) {
    this.attributes[name] = value;
  }

  toggleAttribute(name, on) {
    this.attributes[name] = on;
  }

  addEventListener(type, listener) {
    (this.listeners[type] ??= []).push(listener);
  }

  /** An event that happens here, and is heard here and above. */
  happen(type, more = {}) {
    const event = {
      type, target: this, stopped: false, prevented: false, ...more,
      preventDefault: () => (event.prevented = true), stopPropagation: () => (event.stopped = true),
    };
    for (let at = this; at && !event.stopped; at = at.parent) for (const listener of at.listeners[type] ?? []) listener(event);
    return event;
  }
}

/** Makes the globals of a page. `heard` has what the window listens to. */
export function fake_page() {
  const heard = new Map();
  const page = { heard };
  Object.assign(globalThis, {
    document: {
      activeElement: null, documentElement: new FakeElement("html"), createElement: (name) => new FakeElement(name),
      createElementNS: (_, name) => new FakeElement(name), querySelector: () => null, querySelectorAll: () => [],
    },
    CSS: { escape: (it) => it },
    innerHeight: 600,
    addEventListener: (type, listener) => heard.set(type, listener),
    removeEventListener: (type, listener) => heard.get(type) === listener && heard.delete(type),
  });
  return page;
}

/** Elements by name, as a part of a page is given them. */
export const parts_of = (...names) => Object.fromEntries(names.map((it) => [it, new FakeElement()]));

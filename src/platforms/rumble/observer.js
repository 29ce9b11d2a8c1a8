// Watches the chat as the page shows it, and reports new rows through `report`, a binding that only this
// isolated world has. Runs in every frame; the one that holds the list is where something happens.
(() => {
  'use strict';
  const LISTS = [
    '[data-test-selector="chat-messages"]', '[data-testid="chat-messages"]', '#chat-messages',
    '.chat-messages', '#chat-history-list',
  ];
  const ROWS = '[data-message-id], .chat-history--row, .chat--row, li, .chat-message';
  const NAMES = ['.chat--username', '.chat-history--username', '.chat-history--rant-username'];
  const TEXTS = ['.chat--message', '.chat-history--message', '.chat-history--rant-text'];
  const PRICES = '.chat--rant-price, .chat-history--rant-price';
  const BADGES = '.chat--user-badge, .chat-history--user-badge';
  const AVATARS = '.chat--user-avatar, .chat-history--user-avatar';
  const REMEMBERED = 4096;
  // So long a row must be missing at the end of the list to be taken for deleted (ms).
  const CERTAIN_MS = 500;
  // A list is at its end within so much (px).
  const SLACK_PX = 100;
  const report = globalThis.streamsuitesReport;
  if (typeof report !== 'function') return;
  const tell = (it) => report(JSON.stringify(it));

  let list = null;
  let observer = null;
  let timer = null;
  let first = true;
  // What stood in the list when it was last read, from top to bottom: ids, or what the row says.
  let before = [];
  // Ids that were told, and how often a row without one stood there at most.
  let seen = new Set();
  let most = new Map();
  // Ids that are missing at the end of the list, and since when.
  let suspects = new Map();
  // What each element showed when it was last read, and whether one ever showed another row.
  let shown = new WeakMap();
  let recycles = false;

  const first_of = (row, selectors) => {
    for (const selector of selectors) {
      const found = row.querySelector(selector);
      if (found) return found;
    }
    return null;
  };
  // The text as it was typed: a picture stands for its name.
  const text_of = (node) => {
    if (!node) return '';
    let text = '';
    for (const child of node.childNodes) {
      if (child.nodeType === Node.TEXT_NODE) text += child.data;
      else if (child.nodeName === 'IMG') text += child.alt || '';
      else if (child.nodeName === 'BR') text += '\n';
      else if (child.nodeType === Node.ELEMENT_NODE) text += text_of(child);
    }
    return text;
  };
  const read = (row) => {
    const body = first_of(row, TEXTS);
    const name = first_of(row, NAMES);
    if (!body || !name) return null;
    const time = row.querySelector('time');
    const price = row.querySelector(PRICES);
    const avatar = row.querySelector(AVATARS);
    const colored = name.querySelector('[style*="color"]') ?? name;
    return {
      id: row.dataset.messageId || '',
      user_id: row.dataset.messageUserId || '',
      name: text_of(name).trim(),
      text: text_of(body).trim(),
      time: time?.getAttribute('datetime') || '',
      color: colored.style?.color || '',
      avatar: avatar?.src || '',
      price: price ? text_of(price).trim() : '',
      badges: [...row.querySelectorAll(BADGES)].map((it) => it.src || it.alt || ''),
    };
  };
  const rows_in = () => {
    const marked = [...list.querySelectorAll(ROWS)];
    return (marked.length > 0 ? marked : [...list.children]).filter((it) => !it.parentElement?.closest(ROWS) || !list.contains(it.parentElement.closest(ROWS)));
  };
  const overlap = (older, newer) => {
    for (let length = Math.min(older.length, newer.length); length > 0; length -= 1) {
      const start = older.length - length;
      if (newer.slice(0, length).every((it, index) => it === older[start + index])) return length;
    }
    return 0;
  };
  // Rows without ids: a list that recycles its elements, or scrolls, shows the same row again. What is new
  // stands behind what was there; where nothing of that is left, what stands there more often than ever.
  const fresh_keys = (keys) => {
    const counts = new Map();
    const beyond = keys.map((key) => {
      const count = (counts.get(key) ?? 0) + 1;
      counts.set(key, count);
      return count > (most.get(key) ?? 0);
    });
    for (const [key, count] of counts) most.set(key, Math.max(count, most.get(key) ?? 0));
    const kept = overlap(before, keys);
    if (kept > 0) return keys.map((_, index) => index >= kept);
    if (overlap(keys, before) > 0) return keys.map(() => false);
    return beyond;
  };
  // Ids that are missing between others that are still there: taken away. At the ends of a list rows come
  // and go by themselves.
  const taken_away = (ids) => {
    const here = new Set(ids);
    const kept = before.map((it) => here.has(it));
    const start = kept.indexOf(true);
    const end = kept.lastIndexOf(true);
    return before.filter((_, index) => !kept[index] && index > start && index < end);
  };
  // Whether rows may leave at the end of the list by themselves: it recycles its elements, places them by
  // itself, or shows what was said earlier.
  const is_loose_at_end = (rows) => {
    if (recycles || rows.some((row) => getComputedStyle(row).position === 'absolute')) return true;
    for (let node = list; node; node = node.parentElement) {
      const style = getComputedStyle(node).overflowY;
      const scrolls = style !== 'visible' && node.scrollHeight > node.clientHeight;
      if (scrolls) return node.scrollHeight - node.clientHeight - node.scrollTop > SLACK_PX;
    }
    return false;
  };
  // Ids that are missing behind the last one that is still there: taken away when they stay missing, for a
  // list may be filled anew in steps.
  const taken_from_end = (ids, rows) => {
    const now = performance.now();
    const here = new Set(ids);
    const last = before.findLastIndex((it) => here.has(it));
    if (last >= 0 && !is_loose_at_end(rows)) {
      for (const id of before.slice(last + 1)) suspects.set(id, now);
    }
    const gone = [];
    for (const [id, since] of suspects) {
      if (here.has(id)) suspects.delete(id);
      else if (now - since >= CERTAIN_MS) {
        suspects.delete(id);
        gone.push(id);
      }
    }
    if (suspects.size > 0) setTimeout(soon, CERTAIN_MS);
    return gone;
  };
  const look = () => {
    timer = null;
    if (!list?.isConnected) return search();
    const all = rows_in();
    // A list that recycles its elements places them anywhere in the document.
    const placed = all.map((row) => ({ row, top: row.getBoundingClientRect().top }));
    placed.sort((a, b) => a.top - b.top);
    const rows = placed.map((it) => read(it.row)).filter((it) => it && (it.text || it.price));
    const with_ids = rows.length > 0 && rows.every((it) => it.id);
    for (const row of all) {
      const id = row.dataset.messageId || '';
      recycles ||= (shown.get(row) || id) !== id;
      shown.set(row, id);
    }
    const keys = rows.map((it) => it.id || JSON.stringify([it.name, it.text, it.time, it.price]));
    let fresh;
    if (with_ids) {
      const gone = [...taken_away(keys), ...taken_from_end(keys, all)];
      if (gone.length > 0) tell({ kind: 'gone', ids: gone });
      fresh = rows.filter((it) => !seen.has(it.id));
      for (const it of fresh) seen.add(it.id);
    } else {
      const news = fresh_keys(keys);
      fresh = rows.filter((_, index) => news[index]);
    }
    before = keys;
    if (seen.size > REMEMBERED) seen = new Set([...seen].slice(-REMEMBERED / 2));
    if (most.size > REMEMBERED) most = new Map([...most].slice(-REMEMBERED / 2));
    // A list whose rows cannot be read is as bad as none: the page has changed.
    if (first || fresh.length > 0) {
      tell({ kind: 'rows', first, rows: fresh, shown: all.length, readable: rows.length });
    }
    if (rows.length > 0 || all.length === 0) first = false;
  };
  // What comes in one turn is read in one; a row that is filled after it was put there is whole by then.
  const soon = () => { timer ??= setTimeout(look, 20); };
  const watch = () => {
    observer?.disconnect();
    observer = new MutationObserver(soon);
    observer.observe(list, { childList: true, subtree: true, characterData: true, attributes: true, attributeFilter: ['data-message-id'] });
    before = [];
    suspects = new Map();
    shown = new WeakMap();
    recycles = false;
    first = true;
    tell({ kind: 'list' });
    soon();
  };
  const search = () => {
    list = first_of(document, LISTS);
    if (list) return watch();
    observer?.disconnect();
    observer = new MutationObserver(() => {
      list = first_of(document, LISTS);
      if (list) watch();
    });
    observer.observe(document, { childList: true, subtree: true });
  };
  search();
})();

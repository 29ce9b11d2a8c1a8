// What of the dashboard's draft is still to be saved: sparse settings above those that are stored, null for one that is
// given back to what lies below.

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

/**
 * The draft when `sent` has been saved: what was changed while that ran stays to be saved. What was sent and taken back
 * meanwhile is now stored all the same, so the draft has to put back what `before`, the look until then, had there.
 */
export function draft_after(draft, sent, before) {
  const left = {};
  for (const [name, value] of Object.entries(draft)) {
    if (!Object.hasOwn(sent, name) || !same(value, sent[name])) left[name] = value;
  }
  for (const name of Object.keys(sent)) {
    if (!Object.hasOwn(draft, name)) left[name] = before.layers[name] === "stored" ? before.settings[name] : null;
  }
  return left;
}

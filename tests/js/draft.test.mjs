// What of a draft is left when a save comes back.
import assert from "node:assert/strict";
import test from "node:test";

import { draft_after } from "../../static/js/draft.js";

const before = { settings: { theme: "slate", font_size: 0, platforms: ["kick"] }, layers: { theme: "stored", font_size: "default", platforms: "stored" } };

test("what was sent and is the same is saved, and nothing is left", () => {
  assert.deepEqual(draft_after({ font_size: 9, platforms: ["kick", "twitch"], theme: null }, { font_size: 9, platforms: ["kick", "twitch"], theme: null }, before), {});
});

test("what was changed while the save ran is left", () => {
  const sent = { font_size: 9, platforms: ["kick", "twitch"] };
  assert.deepEqual(draft_after({ font_size: 12, platforms: ["kick", "twitch"], scale: 2 }, sent, before), { font_size: 12, scale: 2 });
  assert.deepEqual(draft_after({ font_size: null, platforms: [] }, sent, before), { font_size: null, platforms: [] }, "given back, and emptied");
});

test("what was sent and taken back meanwhile is put back by the next save", () => {
  const sent = { font_size: 9, theme: null, platforms: [] };
  assert.deepEqual(draft_after({}, sent, before), { font_size: null, theme: "slate", platforms: ["kick"] });
  assert.deepEqual(draft_after({ theme: null }, sent, before), { font_size: null, platforms: ["kick"] });
});

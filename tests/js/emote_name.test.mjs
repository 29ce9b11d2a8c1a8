import assert from "node:assert/strict";
import { test } from "node:test";

import { emote_name, with_emote_names } from "../../static/js/render.js";

test("an emote of Kick is called by its name, and everything else by its text", () => {
  assert.equal(emote_name("[emote:37226:KEKW]"), "KEKW");
  assert.equal(emote_name("[emote:1:two words]"), "two words");
  for (const text of ["Kappa", "[emote:1:]", "[emote:1]", "x[emote:1:a]", "[emote:x:a]"]) {
    assert.equal(emote_name(text), text);
  }
  assert.equal(with_emote_names("a [emote:1:A][emote:2:B] [emote:3:]"), "a AB [emote:3:]");
});

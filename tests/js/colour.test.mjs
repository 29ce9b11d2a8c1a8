import assert from "node:assert/strict";
import test from "node:test";

import { NameColours, colour_of, contrast, parse_hex, readable } from "../../static/js/colour.js";

const SURFACES = ["#14161c", "#171a2b", "#3a3d45", "#e9ecf1", "#fbfbfd", "#000000", "#ffffff"];
const NAMED = ["#000000", "#000080", "#0000FF", "#FF0000", "#00FF00", "#FFFF00", "#FFFFFF", "#8A2BE2", "#7f7f7f", "#123456"];

test("any colour becomes readable on any surface", () => {
  for (const surface of SURFACES) {
    for (const color of NAMED) {
      const found = contrast(parse_hex(readable(color, surface)), parse_hex(surface));
      assert.ok(found >= 4.5, `${color} on ${surface}: ${found}`);
    }
  }
});

test("a colour that is readable stays as it was chosen", () => {
  assert.equal(readable("#1E90FF", "#14161c"), "#1e90ff");
});

test("a hue survives: navy becomes a blue, not a grey", () => {
  const [r, , b] = parse_hex(readable("#000080", "#14161c"));
  assert.ok(b > r + 0.2);
});

test("somebody without a colour always has the same readable one", () => {
  const colours = new NameColours("#fbfbfd");
  const author = { id: "youtube:UC1", color: null };
  assert.equal(colours.of(author), colours.of({ ...author }));
  assert.ok(contrast(parse_hex(colours.of(author)), parse_hex("#fbfbfd")) >= 4.5);
  assert.notEqual(colour_of("youtube:UC1"), colour_of("youtube:UC9"));
});

test("a colour that is none is replaced, whatever it says", () => {
  const colours = new NameColours("#14161c");
  assert.match(colours.of({ id: "kick:1", color: "red;} body{display:none" }), /^#[0-9a-f]{6}$/);
});

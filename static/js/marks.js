// Small marks in lists of people and their things: times, states, first letters.

import { make } from "./rooms.js";
import { exact } from "./time_words.js";

/** A time in the words that `words` makes of it; the exact one shows on a longer look. */
export function stamp(words, timestamp) {
  if (!timestamp) return make("span", "muted", "–");
  const time = make("time", "", words(timestamp));
  time.dateTime = timestamp;
  time.title = exact(timestamp);
  return time;
}

export function badge(words, look = "") {
  return make("span", `badge ${look}`.trim(), words);
}

/** The first letter of a name, as people see letters. */
export function initial_of(name) {
  return [...new Intl.Segmenter().segment(name.trim())][0]?.segment.toUpperCase() ?? "?";
}

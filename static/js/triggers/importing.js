// An old triggers file read into a room: what came over, and what did not, and why.

import { ask, reason_of } from "../ask.js";
import { make } from "../rooms.js";
import { problem_words } from "./words.js";

const MOST_BYTES = 1024 * 1024;

/** `{json}`, or `{trouble}` in words. */
export function parse_file(text) {
  try {
    return { json: JSON.parse(text.replace(/^\uFEFF/, "")) };
  } catch (error) {
    return { trouble: `The file is not JSON: ${error.message}` };
  }
}

export function take_import({ room, field, out, done }) {
  const say = (...parts) => out.replaceChildren(...parts);
  field.addEventListener("change", async () => {
    const [file] = field.files;
    field.value = ""; // The same file can be chosen again once it is mended.
    if (!file) return;
    if (file.size > MOST_BYTES) {
      say(make("p", "fault", "The file is larger than 1 MiB: that is no list of triggers."));
      return;
    }
    const { json, trouble } = parse_file(await file.text());
    if (trouble) {
      say(make("p", "fault", trouble));
      return;
    }
    const answer = await ask("POST", `/api/rooms/${encodeURIComponent(room)}/triggers/import`, json);
    const { imported = [], problems = answer.body.errors ?? [] } = answer.body;
    const parts = [];
    if (answer.ok) parts.push(make("p", "import-done", imported.length ? `Imported: ${imported.join(", ")}` : "Nothing was imported."));
    else parts.push(make("p", "fault", reason_of(answer)));
    if (problems.length) {
      parts.push(make("p", "hint", answer.ok ? "Not taken over:" : "In it:"),
        make("ul", "problems", ...problems.map((it) => make("li", "", make("bdi", "", problem_words(it))))));
    }
    say(...parts);
    if (answer.ok) done(imported);
  });
}

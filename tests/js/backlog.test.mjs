// Which of the events that a connection begins with an overlay shows.
import assert from "node:assert/strict";
import test from "node:test";

import { Backlog } from "../../static/js/backlog.js";

const STARTED = "2026-11-24T18:00:00.000Z";
const session = { session_id: "20261124T180000Z", title: null, started_at: STARTED };
const said = (seq, ts, more = {}) => ({ type: "chat.message", epoch: "E1", seq, ts, ...more });
const before = "2026-11-23T22:00:00.000Z";
const after = "2026-11-24T18:00:00.000Z";

function greeted(hello) {
  const backlog = new Backlog();
  backlog.greet({ epoch: "E1", seq: 10, recovered: false, ...hello });
  return backlog;
}

test("chat of an earlier stream is not shown, that of this one is", () => {
  const backlog = greeted({ session });
  assert.equal(backlog.is_earlier(said(8, before)), true);
  assert.equal(backlog.is_earlier(said(8, before, { type: "activity" })), true);
  assert.equal(backlog.is_earlier(said(9, after)), false);
  assert.equal(backlog.is_earlier(said(11, before)), false, "it came live");
});

test("a deletion counts, however old", () => {
  const backlog = greeted({ session });
  for (const type of ["chat.delete", "chat.clear_user", "chat.clear", "chat.redacted"]) {
    assert.equal(backlog.is_earlier(said(8, before, { type })), false, type);
    assert.equal(backlog.is_told(said(8, before, { type })), false, type);
  }
});

test("settings, states and what is featured are as the greeting says, whatever led there", () => {
  const backlog = greeted({ session });
  for (const type of ["settings.update", "feature.show", "feature.clear", "platform.status"]) {
    assert.equal(backlog.is_told(said(10, after, { type })), true, `${type}, in the backlog`);
    assert.equal(backlog.is_told(said(11, after, { type })), false, `${type}, live`);
  }
  assert.equal(backlog.is_told(said(8, after)), false, "what was said is no state");
  backlog.greet({ epoch: "E1", seq: 20, recovered: true, session });
  assert.equal(backlog.is_told(said(20, after, { type: "settings.update" })), true, "missed, and told by the greeting");
  assert.equal(backlog.is_told(said(21, after, { type: "settings.update" })), false);
  backlog.greet({ epoch: "E2", seq: 3, recovered: true, session });
  assert.equal(backlog.is_told(said(4, after, { epoch: "E2", type: "settings.update" })), false, "numbers of a new epoch begin anew");
});

test("between streams there is no backlog of chat, and an older server's is shown whole", () => {
  assert.equal(greeted({ session: null }).is_earlier(said(9, after)), true);
  assert.equal(greeted({ session: null }).is_earlier(said(11, after)), false);
  assert.equal(greeted({}).is_earlier(said(8, before)), false);
});

test("what comes by a resume is shown, but the rest of a backlog that broke off is still backlog", () => {
  const backlog = greeted({ session });
  backlog.greet({ epoch: "E1", seq: 20, recovered: true, session: null });
  assert.equal(backlog.is_earlier(said(9, before)), true);
  assert.equal(backlog.is_earlier(said(15, before)), false);
  backlog.greet({ epoch: "E2", seq: 12, recovered: true, session: null });
  assert.equal(backlog.is_earlier(said(9, before, { epoch: "E2" })), false, "numbers of a new epoch begin anew");
});

test("an early deletion, which has no number, is not backlog", () => {
  assert.equal(greeted({ session: null }).is_earlier({ type: "chat.delete", data: {} }), false);
});

// A page that is loaded anew never ends as the browser's page of errors.
import assert from "node:assert/strict";
import test, { mock } from "node:test";

/** The module as a page of its own has it, and what it did. */
async function page() {
  page.count = (page.count ?? 0) + 1;
  const { need, reload_when_served } = await import(`../../static/js/reload.js?${page.count}`);
  const answers = [];
  const asked = [];
  let reloads = 0;
  const env = {
    fetch: async (url) => {
      asked.push(url);
      const answer = answers.shift();
      if (answer === undefined) throw new TypeError("nobody answers");
      return { ok: answer === 200, status: answer };
    },
    reload: () => { reloads += 1; }, address: () => "http://here/overlay/ana", random: () => 0,
  };
  return { need, reload: (more) => reload_when_served({ ...env, ...more }), answers, asked, reloads: () => reloads };
}
const turn = () => new Promise((done) => setImmediate(done));

test("it is loaded anew once the server gives it, and not before", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    const { reload, answers, asked, reloads } = await page();
    reload({ at_once: true });
    reload({ at_once: true });
    await turn();
    assert.deepEqual(asked, ["http://here/overlay/ana"], "asked twice, it looks once");
    answers.push(503);
    for (const expected of [2, 3]) {
      mock.timers.tick(4_999);
      await turn();
      assert.equal(asked.length, expected - 1);
      mock.timers.tick(1);
      await turn();
      assert.equal(asked.length, expected);
      assert.equal(reloads(), 0);
    }
    answers.push(200);
    mock.timers.tick(5_000);
    await turn();
    assert.equal(reloads(), 1);
    mock.timers.tick(60_000);
    await turn();
    assert.equal(asked.length, 4, "then it is over");
  } finally {
    mock.timers.reset();
  }
});

test("where a refusal says more than what the page shows, it is loaded anew for that, and for no failure", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    const { reload, answers, reloads } = await page();
    answers.push(503, 403);
    reload({ though_refused: true });
    mock.timers.tick(2_000);
    await turn();
    assert.equal(reloads(), 0);
    mock.timers.tick(5_000);
    await turn();
    assert.equal(reloads(), 1);
  } finally {
    mock.timers.reset();
  }
});

test("a part that comes is there, whatever it is", async () => {
  const { need } = await page();
  assert.equal(await need(Promise.resolve(7)), 7);
});

// `?widget=NAME&demo`: an invented board that lives, again and again, to place and style a source.

const now = () => new Date().toISOString();

const POLL = [["harbour", "To the harbour"], ["tower", "Up the old tower"], ["tea", "Tea first"], ["cave", "Into the singing cave"]];
const PLAYERS = ["MiraMoss", "suna砂", "Tobi & the Fog", "ليلى", "WrenOnTheRoof", "old_pell"];
const WORDS = ["lanterns", "kettle", "fog", "بحر", "灯台", "biscuits"];

/** Calls `take` for ever. `ms` is how long a step lasts. */
export function play(name, take, ms = 1300) {
  const script = { poll: play_poll, tally: play_tally, scoreboard: play_scoreboard, goal: play_goal, queue: play_queue }[name];
  const steps = script();
  let first = true;
  const next = () => {
    take(steps.next().value, { live: !first });
    first = false;
  };
  next();
  return setInterval(next, ms);
}

function* play_poll() {
  const pace = [[14, 9, 6, 3], [3, 2, 1, 0], [2, 5, 1, 1], [4, 9, 0, 2], [6, 4, 3, 1], [2, 8, 1, 2], [1, 7, 2, 0], [5, 6, 1, 3]];
  for (let round = 0; ; round += 1) {
    const votes = [0, 0, 0, 0];
    const opened = Date.now();
    const poll = (state) => ({
      type: "poll.update",
      data: {
        poll_id: `demo-${round}`, creator: "demo", question: "Where do we go next?", state, vote_trigger: "!vote",
        options: POLL.map(([option_id, label], at) => ({ option_id, label, votes: votes[at] })),
        opened_at: new Date(opened).toISOString(),
        closes_at: new Date(opened + 13_000).toISOString(),
        closed_at: state === "closed" ? now() : null,
      },
    });
    if (round > 0) yield poll("open");
    for (const step of pace) {
      step.forEach((it, at) => (votes[at] += it));
      yield poll("open");
    }
    for (let rest = 0; rest < 6; rest += 1) yield poll("closed");
  }
}

function* play_tally() {
  const counts = [22, 19, 17, 11, 8, 3];
  for (let step = 0; ; step += 1) {
    yield {
      type: "tally.update",
      data: {
        tally_id: "demo", creator: "demo", label: "Words of the night", last_updated_at: now(),
        count: counts.reduce((sum, it) => sum + it, 0), items: WORDS.map((label, at) => ({ label, count: counts[at] })),
      },
    };
    counts[(step * 5 + 2) % counts.length] += 3 + ((step * 7) % 9);
    counts[(step * 3) % counts.length] += 1;
  }
}

function* play_scoreboard() {
  const scores = [1250, 1190, 940, 870, 560, 240];
  for (let step = 0; ; step += 1) {
    const entries = PLAYERS.map((label, at) => ({ label, score: scores[at] }))
      .sort((a, b) => b.score - a.score).map((it, at) => ({ position: at + 1, ...it }));
    yield { type: "score.update", data: { scoreboard_id: "demo", creator: "demo", title: "Lighthouse quiz", entries, finalized_at: null } };
    scores[(step * 5 + 1) % scores.length] += 90 + ((step * 130) % 340);
    scores[(step * 2 + 3) % scores.length] += 40;
  }
}

const SAID = [
  ["twitch", "MiraMoss", "#1e90ff", "Can the lighthouse keeper be played later on?"],
  ["youtube", "Tobi & the Fog", null, "Why is the sea on this map so much higher than in the last one?"],
  ["kick", "suna砂", "#53fc18", "この曲の名前は何ですか？"],
  ["rumble", "old_pell", "#85c742", "Show us the kettle again!"],
  ["youtube", "ليلى", null, "ما هي خطتك للأسبوع القادم؟"],
];

function* play_queue() {
  for (let step = 0; ; step += 1) {
    const count = 2 + (step % 3);
    const items = Array.from({ length: count }, (_, at) => {
      const number = Math.floor(step / 2) + at;
      const [platform, name, color, text] = SAID[number % SAID.length];
      return { id: `${platform}:demo-${number}`, platform, text, author: { id: `${platform}:demo-${name}`, name, color } };
    });
    yield { type: "queue.update", data: { items } };
    yield { type: "queue.update", data: { items } };
  }
}

function* play_goal() {
  for (;;) {
    for (const count of [340, 355, 362, 390, 421, 433, 460, 484, 493, 500, 503, 507]) {
      yield {
        type: "tally.update",
        data: { tally_id: "demo", creator: "demo", label: "A new lamp for the lighthouse", count, target: 500, unit: "bulbs", last_updated_at: now() },
      };
    }
  }
}

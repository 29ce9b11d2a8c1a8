// How the API is used, while one looks.

import { cell } from "./admin_parts.js";
import { health_of, latency, short } from "./admin_words.js";
import { ask, reason_of } from "./ask.js";
import { chart_of } from "./chart.js";
import { badge } from "./marks.js";
import { make } from "./rooms.js";

const EVERY_MS = 5000;
const $ = (id) => document.getElementById(id);
const LABELS = { "1m": "the last minute", "5m": "the last 5 minutes", "15m": "the last 15 minutes", "1h": "the last hour", "24h": "the last 24 hours" };

function tile(title, value, about, look = "") {
  return make("div", `tile ${look}`.trim(), make("span", "tile-title", title), make("b", "", value), make("span", "muted", about));
}

function number(label, words) {
  const td = cell(label, words);
  td.classList.add("number");
  return td;
}

export function open_metrics() {
  let timer = 0;
  let is_shown = false;
  let turn = 0;
  const window_of = () => document.querySelector("[name='window']:checked").value;

  function draw({ live_summary, chart, endpoints }) {
    const hits = endpoints.reduce((sum, it) => sum + it.hits, 0);
    const slowest = endpoints.filter((it) => it.hits >= 20).toSorted((a, b) => b.p95_latency_ms - a.p95_latency_ms)[0];
    const { look, words } = health_of({ hits, error_rate: live_summary.error_rate, p95_latency_ms: 0 });
    $("tiles").replaceChildren(
      tile("Requests per minute", short(live_summary.rpm), `${hits.toLocaleString()} in ${LABELS[window_of()]}`),
      tile("Failed", `${short(live_summary.error_rate)} %`, words, look),
      tile("Slowest route, p95", slowest ? latency(slowest.p95_latency_ms) : "–", slowest?.endpoint ?? "too few calls to tell"));
    const values = (list) => list.map((it) => it.count);
    const { svg, top } = chart_of([{ name: "requests", values: values(chart.requests_per_sec) }, { name: "errors", values: values(chart.errors_per_sec) }], {
      title: `Requests per second in ${LABELS[window_of()]}: at most ${short(Math.max(0, ...values(chart.requests_per_sec)))}`,
    });
    $("chart").replaceChildren(svg, make("span", "chart-top", `${short(top)}/s`), make("span", "chart-now", "now"));
    $("endpoints").tBodies[0].replaceChildren(...endpoints.map((it) => {
      const health = health_of(it);
      return make("tr", "", cell("Route", make("code", "", it.endpoint)), number("Hits", it.hits.toLocaleString()), number("Per min", short(it.rpm)),
        number("Failed", it.errors ? `${it.errors.toLocaleString()} · ${short(it.error_rate)} %` : "0"), number("Average", latency(it.avg_latency_ms)), number("p95", latency(it.p95_latency_ms)), cell("State", badge(health.words, health.look)));
    }));
  }

  async function load() {
    clearTimeout(timer);
    const mine = ++turn;
    if (!document.hidden) {
      const answer = await ask("GET", `/admin/metrics/api?window=${window_of()}`);
      if (mine !== turn) return;
      $("metrics-state").textContent = answer.ok ? "" : reason_of(answer);
      if (answer.ok) draw(answer.body);
    }
    if (is_shown) timer = setTimeout(load, EVERY_MS);
  }

  for (const it of document.querySelectorAll("[name='window']")) it.addEventListener("change", load);
  document.addEventListener("visibilitychange", () => {
    if (is_shown && !document.hidden) load();
  });
  return {
    show() {
      is_shown = true;
      load();
    },
    hide() {
      is_shown = false;
      clearTimeout(timer);
    },
  };
}

#!/usr/bin/env node
// Makes the pictures of docs/img/themes: every theme as the overlay draws it, over the scene of a game. They are taken
// of the running product, with the lines that `?demo` shows. Renew them when a theme changes:
//
//   cargo build && scripts/gallery.mjs      all themes, all sizes
//   scripts/gallery.mjs comic broadcast     these themes
//   scripts/gallery.mjs --out /tmp/looks --sizes scene --scene light --query align=right comic
//
// --server FILE   the binary (target/debug/streamsuites); --url ADDRESS  one that runs already
// --sizes LIST    of scene, window, dock; --scene dark, light or a colour; --query PARAMETERS of the overlay
// --lines A-B     which lines of the demo are said; --css TEXT  custom CSS; --format webp or png

import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const ROOM = "gallery";
const MOST_BYTES = 200_000;
// `shrink` is of a picture, not of the page: a source is as large as the scene.
const SIZES = {
  scene: { width: 1920, height: 1080, shrink: 0.5, scale: 1.3, suffix: "", lines: "9-25" },
  window: { width: 400, height: 600, shrink: 1, suffix: "-400x600", lines: "9-24" },
  dock: { width: 300, height: 600, shrink: 1, suffix: "-300", lines: "10-28" },
};

const { values: wanted, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    out: { type: "string", default: join(ROOT, "docs/img/themes") },
    server: { type: "string", default: join(ROOT, "target/debug/streamsuites") },
    url: { type: "string" },
    sizes: { type: "string", default: "scene,window,dock" },
    scene: { type: "string", default: "dark" },
    query: { type: "string", default: "" },
    lines: { type: "string" },
    css: { type: "string", default: "" },
    format: { type: "string", default: "webp" },
  },
});

/** Chromium, spoken to over a pipe: one JSON text after the other, with a zero byte behind each. */
class Browser {
  #process;
  #profile = mkdtempSync(join(tmpdir(), "gallery-"));
  #asked = new Map();
  #next = 1;

  constructor() {
    const names = ["chromium", "chromium-browser", "google-chrome"];
    const folders = (process.env.PATH ?? "").split(delimiter);
    const file = names.flatMap((name) => folders.map((it) => join(it, name))).find((it) => existsSync(it));
    if (!file) throw new Error("there is no Chromium on this machine");
    this.#process = spawn(file, [
      "--headless", "--no-sandbox", "--hide-scrollbars", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage",
      "--disable-background-networking", "--disable-component-update", "--remote-debugging-pipe",
      `--user-data-dir=${this.#profile}`, "about:blank",
    ], { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
    let rest = "";
    this.#process.stdio[4].setEncoding("utf8").on("data", (chunk) => {
      const texts = (rest + chunk).split("\0");
      rest = texts.pop();
      for (const text of texts) this.#hear(JSON.parse(text));
    });
  }

  #hear({ id, result, error }) {
    const answer = this.#asked.get(id);
    this.#asked.delete(id);
    if (error) answer?.reject(new Error(error.message));
    else answer?.resolve(result);
  }

  ask(method, params = {}, sessionId) {
    const id = this.#next++;
    const answer = new Promise((resolve, reject) => this.#asked.set(id, { resolve, reject }));
    this.#process.stdio[3].write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    return answer;
  }

  async open({ width, height }) {
    const { targetId } = await this.ask("Target.createTarget", { url: "about:blank", newWindow: true });
    const { sessionId } = await this.ask("Target.attachToTarget", { targetId, flatten: true });
    const ask = (method, params) => this.ask(method, params, sessionId);
    await ask("Page.enable");
    await ask("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile: false });
    return { ask, close: () => this.ask("Target.closeTarget", { targetId }) };
  }

  async close() {
    const ended = new Promise((done) => this.#process.once("exit", done));
    await this.ask("Browser.close");
    await ended;
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function start_server() {
  if (wanted.url) return { url: wanted.url.replace(/\/$/, ""), stop() {} };
  const port = await new Promise((done) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port: free } = server.address();
      server.close(() => done(free));
    });
  });
  const folder = mkdtempSync(join(tmpdir(), "gallery-"));
  mkdirSync(join(folder, "config"));
  writeFileSync(join(folder, "config/creators.json"), JSON.stringify({ creators: [{ id: ROOM }] }));
  // Beside the configuration they win over what is in the binary: what is seen is what is here.
  for (const it of ["static", "themes"]) symlinkSync(join(ROOT, it), join(folder, it));
  const server = spawn(wanted.server, [
    "serve", "--config", join(folder, "config"), "--data", join(folder, "data"), "--exports", join(folder, "exports"),
    "--listen", `127.0.0.1:${port}`,
  ], { stdio: "ignore" });
  const url = `http://127.0.0.1:${port}`;
  for (let tries = 0; ; tries += 1) {
    if (await fetch(`${url}/overlay/${ROOM}`).then((it) => it.ok, () => false)) break;
    if (tries > 100 || server.exitCode !== null) throw new Error("the server does not answer");
    await new Promise((done) => setTimeout(done, 100));
  }
  return {
    url,
    async stop() {
      const ended = new Promise((done) => server.once("exit", done));
      server.kill("SIGTERM");
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The demo says a line when it is told to, not when its time has come. */
const BY_HAND = `{
  const set = window.setInterval;
  window.setInterval = (run, ms, ...more) => ms === 1600 ? (window.say = run, 0) : set.call(window, run, ms, ...more);
}`;

async function picture(browser, url, theme, { width, height, shrink, scale, suffix, lines }) {
  const page = await browser.open({ width, height });
  const run = async (expression) => {
    const { result, exceptionDetails } = await page.ask("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true });
    if (exceptionDetails) throw new Error(`${theme}: ${exceptionDetails.exception?.description ?? exceptionDetails.text}`);
    return result.value;
  };
  const [first, last] = (wanted.lines ?? lines).split("-").map(Number);
  await page.ask("Page.addScriptToEvaluateOnNewDocument", { source: BY_HAND });
  const query = new URLSearchParams(wanted.query);
  query.set("theme", theme);
  if (scale && !query.has("scale")) query.set("scale", scale);
  query.set("demo", "1");
  query.set("animate", "0");
  query.set("limit", String(last - first + 1));
  if (!query.has("avatars")) query.set("avatars", "1");
  await page.ask("Page.navigate", { url: `${url}/overlay/${ROOM}?${query}` });
  const begun = "new Promise((done) => { const look = () => window.say && document.readyState === 'complete' ? done() : setTimeout(look, 20); look(); })";
  // The navigation may take the first question with it.
  await run(begun).catch(() => run(begun));
  const scene = ["dark", "light"].includes(wanted.scene) ? `url(/static/img/scene-${wanted.scene}.svg) center / cover` : wanted.scene;
  await run(`(async () => {
    const style = new CSSStyleSheet();
    style.replaceSync(${JSON.stringify(`html { background: ${scene}; } ${wanted.css}`)});
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, style];
    for (let line = 5; line < ${last}; line += 1) say();
    await document.fonts.ready;
    const scene = new Image();
    scene.src = "/static/img/scene-${wanted.scene === "light" ? "light" : "dark"}.svg";
    await scene.decode();
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    // Those that nobody sees may wait for ever.
    const seen = [...document.images].filter((it) => it.checkVisibility() && it.getBoundingClientRect().bottom > 0);
    const late = new Promise((done) => setTimeout(done, 2000));
    await Promise.race([late, Promise.all(seen.map((it) => it.decode().catch(() => {})))]);
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  })()`);
  const shot = (quality) => page.ask("Page.captureScreenshot", {
    format: wanted.format, ...(wanted.format === "webp" && { quality }), optimizeForSpeed: false, clip: { x: 0, y: 0, width, height, scale: shrink },
  });
  let bytes;
  for (const quality of [92, 86, 78, 66]) {
    bytes = Buffer.from((await shot(quality)).data, "base64");
    if (bytes.length <= MOST_BYTES) break;
  }
  await page.close();
  const file = join(wanted.out, `${theme}${suffix}.${wanted.format}`);
  writeFileSync(file, bytes);
  console.log(`${file} ${Math.ceil(bytes.length / 1000)} kB`);
}

const all = readdirSync(join(ROOT, "themes")).filter((it) => existsSync(join(ROOT, "themes", it, "theme.css"))).sort();
mkdirSync(wanted.out, { recursive: true });
const server = await start_server();
const browser = new Browser();
try {
  for (const theme of positionals.length ? positionals : all) {
    for (const size of wanted.sizes.split(",")) await picture(browser, server.url, theme, SIZES[size]);
  }
} finally {
  await browser.close();
  await server.stop();
}

// What admins read, made of what the server says.

/** `trigger_cooldown_seconds` → "Trigger cooldown seconds". */
export function spaced(name) {
  const words = String(name).replaceAll("_", " ").trim().replace(/\b(api|id|ip)\b/g, (it) => it.toUpperCase());
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** How a result looks: what is wanted, what is not, and what lies between. */
export function look_of_result(result) {
  if (["success", "sent", "allowed"].includes(result)) return "good";
  if (["failed", "unknown", "inactive"].includes(result)) return "bad";
  return "warn";
}

/** How a route is, by the marks that older pages know: `{look, words}`. */
export function health_of({ hits, error_rate, p95_latency_ms }) {
  if (hits < 20) return { look: "", words: "few calls" };
  if (error_rate > 5 || p95_latency_ms > 2000) return { look: "bad", words: "unhealthy" };
  if (error_rate >= 1 || p95_latency_ms >= 800) return { look: "warn", words: "degraded" };
  return { look: "good", words: "healthy" };
}

/** Who did something, for people. */
export function actor_of({ actor_user_code, actor_role }) {
  if (actor_user_code) return actor_user_code;
  return { operator: "Operator", fallback: "Emergency admin", system: "Server" }[actor_role] ?? "Somebody";
}

/** Values of an entry, one after another: `before: core`. */
export function facts_of(metadata) {
  return Object.entries(metadata ?? {}).map(([name, value]) => {
    const words = value !== null && typeof value === "object" ? JSON.stringify(value) : String(value);
    return [spaced(name), words];
  });
}

/** A number as short as it can be read: 12,345 · 611 · 8.3 · 0.04. */
export function short(number, locale = undefined) {
  const digits = Math.abs(number) >= 100 ? 0 : Math.abs(number) >= 1 ? 1 : 2;
  return number.toLocaleString(locale, { maximumFractionDigits: digits });
}

/** A time in words: 2.1 ms, 220 ms, 2 s. */
export function latency(ms, locale = undefined) {
  return ms >= 1000 ? `${short(ms / 1000, locale)} s` : `${short(ms, locale)} ms`;
}

// Times as people say them.

const STEPS = [[60, "second"], [60, "minute"], [24, "hour"], [7, "day"]];

/** How long ago, or in how long: "5 minutes ago", "in 3 days"; further away than a week, the day. */
export function when(timestamp, now = Date.now(), locale = undefined) {
  const at = Date.parse(timestamp);
  if (Number.isNaN(at)) return "";
  let amount = (at - now) / 1000;
  if (Math.abs(amount) < 45) return "just now";
  const format = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
  for (const [size, unit] of STEPS) {
    if (Math.abs(amount) < size) return format.format(Math.round(amount), unit);
    amount /= size;
  }
  return day(timestamp, locale);
}

/** The day: "3 Nov 2026". */
export function day(timestamp, locale = undefined) {
  return new Intl.DateTimeFormat(locale, { dateStyle: "medium" }).format(new Date(timestamp));
}

/** Day and time, to the second. */
export function exact(timestamp, locale = undefined) {
  return new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "medium" }).format(new Date(timestamp));
}

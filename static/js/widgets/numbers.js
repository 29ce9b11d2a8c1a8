// What widgets compute: shares, percentages, ranks, and numbers as they are written. Pure functions.

const COMPACT_FROM = 1_000_000;

/** A number that can be counted with, whatever came. */
export const finite = (value) => (Number.isFinite(Number(value)) && value !== null ? Number(value) : 0);

/** Each count's part of the whole, 0 to 1; all 0 when there is nothing. */
export function shares(counts) {
  const safe = counts.map((it) => Math.max(0, finite(it)));
  const total = safe.reduce((sum, it) => sum + it, 0);
  return safe.map((it) => (total > 0 ? it / total : 0));
}

/** Each count's length beside the longest, 0 to 1. */
export function lengths(counts) {
  const safe = counts.map((it) => Math.max(0, finite(it)));
  const most = Math.max(0, ...safe);
  return safe.map((it) => (most > 0 ? it / most : 0));
}

/** Whole percentages that add to 100: who lost most by rounding down gets what is left, the first among equals. */
export function percents(counts) {
  const exact = shares(counts).map((it) => it * 100);
  const whole = exact.map((it) => Math.floor(it + 1e-9));
  if (!exact.some((it) => it > 0)) return whole;
  let left = 100 - whole.reduce((sum, it) => sum + it, 0);
  const by_loss = exact.map((_, at) => at).sort((a, b) => exact[b] - whole[b] - (exact[a] - whole[a]) || a - b);
  for (const at of by_loss) {
    if (left <= 0) break;
    whole[at] += 1;
    left -= 1;
  }
  return whole;
}

/** The most first, equals in the order given; each with its `rank`, which equals share: 1, 2, 2, 4. */
export function ranked(items, count_of) {
  const sorted = items
    .map((item, at) => ({ item, at, count: finite(count_of(item)) }))
    .sort((a, b) => b.count - a.count || a.at - b.at);
  let rank = 0;
  return sorted.map(({ item, count }, at) => {
    if (at === 0 || count !== sorted[at - 1].count) rank = at + 1;
    return { item, count, rank };
  });
}

/** Places of those with the most; none when nobody has anything. */
export function winners(counts) {
  const most = Math.max(0, ...counts.map(finite));
  return most > 0 ? counts.flatMap((it, at) => (finite(it) === most ? [at] : [])) : [];
}

/** How far a goal is: `share` for the bar, `percent` for people; 100 only when it is reached. */
export function progress(count, target) {
  const [is, wanted] = [finite(count), finite(target)];
  if (wanted <= 0) return { share: 1, percent: 100, reached: true };
  const part = Math.max(0, is / wanted);
  const reached = is >= wanted;
  return { share: Math.min(1, part), percent: reached ? Math.floor(part * 100 + 1e-9) : Math.min(99, Math.floor(part * 100 + 1e-9)), reached };
}

/** Numbers as people of that language write them; from a million in short. */
export function number_writer(lang) {
  const locale = lang || undefined;
  const plain = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
  const short = new Intl.NumberFormat(locale, { notation: "compact", maximumSignificantDigits: 3 });
  return (value) => (Math.abs(value) >= COMPACT_FROM ? short : plain).format(Math.round(value));
}

/** `1:05`, `2:03:00`. */
export function clock_text(ms) {
  const all = Math.max(0, Math.ceil(ms / 1000));
  const [hours, minutes, seconds] = [Math.floor(all / 3600), Math.floor(all / 60) % 60, all % 60];
  const two = (it) => String(it).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(seconds)}` : `${minutes}:${two(seconds)}`;
}

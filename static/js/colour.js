// Colours of names: chosen by viewers, made readable here.

const CONTRAST_LEAST = 4.5; // WCAG 2, text.
const CACHE_MOST = 2000;

/** `[r, g, b]` from 0 to 1, or null. Takes `#RGB` and `#RRGGBB`. */
export function parse_hex(text) {
  const short = /^#?([0-9a-f])([0-9a-f])([0-9a-f])$/i.exec(text ?? "");
  const hex = short ? short.slice(1).map((it) => it + it).join("") : text;
  const long = /^#?([0-9a-f]{6})$/i.exec(hex ?? "");
  if (!long) return null;
  const value = parseInt(long[1], 16);
  return [(value >> 16) / 255, ((value >> 8) & 255) / 255, (value & 255) / 255];
}

export function to_hex(rgb) {
  return `#${rgb.map((it) => Math.round(it * 255).toString(16).padStart(2, "0")).join("")}`;
}

function luminance(rgb) {
  const [r, g, b] = rgb.map((it) => (it <= 0.04045 ? it / 12.92 : ((it + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** WCAG contrast of two colours, 1 to 21. */
export function contrast(a, b) {
  const [x, y] = [luminance(a), luminance(b)];
  return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
}

function to_hsl([r, g, b]) {
  const most = Math.max(r, g, b);
  const least = Math.min(r, g, b);
  const span = most - least;
  const l = (most + least) / 2;
  if (span === 0) return [0, 0, l];
  const s = span / (1 - Math.abs(2 * l - 1));
  const h = most === r ? ((g - b) / span + 6) % 6 : most === g ? (b - r) / span + 2 : (r - g) / span + 4;
  return [h * 60, s, l];
}

function from_hsl([h, s, l]) {
  const a = s * Math.min(l, 1 - l);
  const part = (n) => {
    const k = (n + h / 30) % 12;
    return l - a * Math.max(-1, Math.min(k - 3, 9 - k, 1));
  };
  return [part(0), part(8), part(4)];
}

/** `color` with just as much more or less lightness as it takes to be read on `surface`. */
export function readable(color, surface) {
  const rgb = parse_hex(color);
  const ground = parse_hex(surface);
  if (!rgb || !ground || contrast(rgb, ground) >= CONTRAST_LEAST) return rgb ? to_hex(rgb) : null;
  const lighter = luminance(ground) < 0.18; // Black and white are equally far from here.
  const [h, s, l] = to_hsl(rgb);
  let [bad, good] = lighter ? [l, 1] : [l, 0];
  for (let step = 0; step < 12; step += 1) {
    const middle = (bad + good) / 2;
    // Compared as it will be written: rounding must not lose the last hundredth.
    const written = parse_hex(to_hex(from_hsl([h, s, middle])));
    if (contrast(written, ground) >= CONTRAST_LEAST) good = middle;
    else bad = middle;
  }
  return to_hex(from_hsl([h, s, good]));
}

/** The colour of somebody who chose none: always the same for the same id. */
export function colour_of(id) {
  let hash = 2166136261;
  for (let at = 0; at < id.length; at += 1) hash = Math.imul(hash ^ id.charCodeAt(at), 16777619);
  hash ^= hash >>> 15;
  const hue = (((hash >>> 0) % 24) * 15 + 5) % 360;
  return to_hex(from_hsl([hue, 0.72, 0.6]));
}

/** Remembers answers for one surface, because the same viewers write again and again. */
export class NameColours {
  #surface;
  #known = new Map();

  constructor(surface) {
    this.#surface = surface;
  }

  of(author) {
    const key = author.color ?? author.id;
    let found = this.#known.get(key);
    if (found === undefined) {
      found = readable(author.color, this.#surface) ?? readable(colour_of(author.id), this.#surface);
      if (this.#known.size >= CACHE_MOST) this.#known.clear();
      this.#known.set(key, found);
    }
    return found;
  }
}

// A chart of a value over time, as an SVG that stretches: pure numbers first, elements last.

const SVG = "http://www.w3.org/2000/svg";

/** The least round number that is not below: 1, 1.5, 2, 3, 5, 7.5, 10, 15, … and tenths of them. */
export function round_up(value) {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 1.5, 2, 3, 5, 7.5, 10].map((it) => it * power).find((it) => it >= value * 0.999_999);
}

/** At most `most` points: of those that fall together, their average. */
export function thinned(values, most) {
  if (values.length <= most) return values;
  const size = values.length / most;
  return Array.from({ length: most }, (_, at) => {
    const part = values.slice(Math.floor(at * size), Math.max(Math.floor(at * size) + 1, Math.floor((at + 1) * size)));
    return part.reduce((sum, it) => sum + it, 0) / part.length;
  });
}

/** `{line, area}`: paths through the values, from left to right, `top` being the value at the upper edge. */
export function paths_of(values, { width, height, top }) {
  if (!values.length) return { line: "", area: "" };
  const x = (at) => (values.length === 1 ? width : (at / (values.length - 1)) * width);
  const y = (value) => height - (Math.min(Math.max(value, 0), top) / top) * height;
  const round = (it) => Math.round(it * 100) / 100;
  const points = values.map((value, at) => `${round(x(at))} ${round(y(value))}`);
  const line = `M${points.join("L")}`;
  return { line, area: `${line}L${round(x(values.length - 1))} ${height}L0 ${height}Z` };
}

function shape(tag, attributes) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

/** The chart; `series` is drawn in order, each `{name, values}`. */
export function chart_of(series, { width = 900, height = 200, most = 180, title }) {
  const drawn = series.map((it) => ({ ...it, values: thinned(it.values, most) }));
  const top = round_up(Math.max(0, ...drawn.flatMap((it) => it.values)));
  const svg = shape("svg", { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", role: "img", "aria-label": title });
  for (const part of [0.25, 0.5, 0.75]) svg.append(shape("path", { class: "grid", d: `M0 ${height * part}H${width}`, "vector-effect": "non-scaling-stroke" }));
  for (const { name, values } of drawn) {
    if (name === "errors" && values.every((it) => it === 0)) continue; // Nothing to see, and good so.
    const { line, area } = paths_of(values, { width, height, top });
    svg.append(shape("path", { class: `area ${name}`, d: area }), shape("path", { class: `line ${name}`, d: line, "vector-effect": "non-scaling-stroke" }));
  }
  return { svg, top };
}

"use strict";
// The picture: one cell of the grid as SVG, drawn at its real width so that its text stays readable.

const SVG = document.querySelector("#legend svg").namespaceURI;

function svg(parent, tag, attributes, text) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  if (parent) parent.append(element);
  return element;
}

function ticks(low, high) {
  const rough = (high - low) / 5, power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((one) => one * power >= rough);
  const found = [];
  for (let n = Math.ceil(low / step); n * step <= high + 1e-9 * step; n++) found.push(n * step);
  return { values: found, digits: Math.max(0, -Math.floor(Math.log10(step) + 1e-9)) };
}

// Runs of neighbouring points where the band is known, each as the numbers of its points.
function known(part) {
  const runs = [[]];
  part.low.forEach((low, i) => (low === null ? runs.push([]) : runs.at(-1).push(i)));
  return runs.filter((run) => run.length > 1);
}

// view: {cell, part, now, scale, weights, retrainedAt, shown, label, title}; all but now in units
// of the last digit, counted from now.
function draw(place, view) {
  const { cell, part } = view, width = Math.max(place.clientWidth, 260);
  const height = Math.min(Math.max(0.55 * width, 240), 380);
  const left = 58, right = width - 14, top = 26, bottom = height - 44;
  const reached = cell.parts.flatMap((one) => [...one.value, ...one.low, ...one.high]);
  const all = [0, ...cell.retrained, ...reached].filter((one) => one !== null);
  const spread = Math.max(Math.max(...all) - Math.min(...all), 4);
  const low = (view.now + Math.min(...all) - 0.06 * spread) / view.scale;
  const high = (view.now + Math.max(...all) + 0.06 * spread) / view.scale;
  const across = (weight) => (left + (right - left) * (0.02 + 0.96 * weight)).toFixed(1);
  const up = (value) => (bottom - ((bottom - top) * (value - low)) / (high - low)).toFixed(1);
  const point = (weight, change) => `${across(weight)} ${up((view.now + change) / view.scale)}`;
  const line = (changes, order) => order.map((i) => point(view.weights[i], changes[i]));

  const root = svg(null, "svg", { viewBox: `0 0 ${width} ${height}`, height, role: "img" });
  root.setAttribute("aria-label", view.title);
  const marks = ticks(low, high);
  for (const value of marks.values) {
    svg(root, "path", { class: "grid", d: `M${left} ${up(value)}H${right}` });
    const at = { x: left - 8, y: Number(up(value)) + 4, "text-anchor": "end" };
    svg(root, "text", at, value.toFixed(marks.digits).replace("-", "−"));
  }
  for (const weight of [0, 0.25, 0.5, 0.75, 1]) {
    const at = { x: across(weight), y: bottom + 18, "text-anchor": "middle" };
    svg(root, "text", at, String(weight));
  }
  svg(root, "text", { x: left, y: 15 }, view.label);
  const middle = { x: (left + right) / 2, y: height - 6, "text-anchor": "middle" };
  svg(root, "text", middle, "down-weight (0: kept, 1: deleted)");
  for (const run of known(part)) {
    const back = [...run].reverse();
    const edge = [...line(part.low, run), ...line(part.high, back)];
    svg(root, "path", { class: "band", d: `M${edge.join("L")}Z` });
  }
  svg(root, "path", { class: "now", d: `M${left} ${up(view.now / view.scale)}H${right}` });
  const every = view.weights.map((_, i) => i), last = view.weights.length - 1;
  svg(root, "path", { class: "curve", d: `M${line(part.value, every).join("L")}` });
  const [x, y] = point(1, part.value[last]).split(" ");
  if (part.low[last] !== null) {
    const ends = [part.low[last], part.high[last]].map((one) => point(1, one).split(" ")[1]);
    svg(root, "path", { class: "reach", d: `M${x} ${ends[0]}V${ends[1]}` });
    for (const end of ends) svg(root, "path", { class: "reach", d: `M${x - 5} ${end}h10` });
  }
  svg(root, "circle", { class: "end", cx: x, cy: y, r: 5 });
  if (view.shown) {
    view.retrainedAt.forEach((weight, i) => {
      const d = `M${point(weight, cell.retrained[i])}m0 -6l6 6l-6 6l-6-6z`;
      svg(root, "path", { class: "truth", d });
    });
  }
  place.replaceChildren(root);
}

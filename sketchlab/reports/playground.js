// What is chosen, and what the page says of it. All numbers come from the record in the page.

const data = JSON.parse(document.getElementById("numbers").textContent);
const at = (id) => document.getElementById(id);
const state = { deletion: 0, output: 0, stop: 0, shown: false };

function rounded(whole, output, digits) {
  const text = (whole / 10 ** output.digits).toFixed(digits);
  return (Number(text) === 0 ? text.replace("-", "") : text).replace("-", "−");
}

// A number in a sentence, one digit shorter than it is kept.
const said = (whole, output) => rounded(whole, output, Math.max(output.digits - 1, 0));
const unit = (output) => (output.unit ? ` ${output.unit}` : "");
const what = (deletion) => `${deletion.heading} '${deletion.label}'`;

function parts() {
  const output = data.outputs[state.output], cell = data.cells[state.deletion][state.output];
  return { output, cell, deletion: data.deletions[state.deletion],
    part: cell.parts[cell.stops[state.stop]] };
}

function predictedWords({ output, deletion, part }) {
  const change = part.value.at(-1), low = part.low.at(-1), high = part.high.at(-1);
  const size = said(Math.abs(change), output);
  const now = said(output.now, output), then = said(output.now + change, output);
  const moves = Number(size) === 0 ? `to stay at ${now}${unit(output)}`
    : `to ${change > 0 ? "rise" : "fall"} by ${size}${unit(output)}, from ${now} to ${then}`;
  const start = `Without the ${what(deletion)}, the ${output.title} is`;
  if (part.known) return `${start} known ${moves}: the sketch has this very retraining.`;
  if (low === null) return `${start} predicted ${moves}; nothing is known of the error.`;
  const band = `${said(output.now + low, output)} to ${said(output.now + high, output)}`;
  const doubt = low <= 0 && high >= 0 ? ", so it may not change at all" : "";
  return `${start} predicted ${moves} (90% band ${band}${doubt}).`;
}

function truthWords({ output, cell, part }) {
  if (!state.shown) return "Press Retrain to see what training again gives.";
  const truth = cell.retrained.at(-1), off = part.value.at(-1) - truth;
  const size = said(Math.abs(off), output), change = said(Math.abs(truth), output);
  const moved = Number(change) === 0 ? "no change"
    : `${truth > 0 ? "up" : "down"} by ${change}`;
  const start = `Trained again without them, it is ${said(output.now + truth, output)} (${moved}).`;
  const miss = Number(size) === 0 ? "off by less than its last digit"
    : `too ${off > 0 ? "high" : "low"} by ${size}`;
  if (part.known || part.low.at(-1) === null) return `${start} The prediction is ${miss}.`;
  const inside = part.low.at(-1) <= truth && truth <= part.high.at(-1);
  return `${start} The prediction is ${miss}, and the truth is ` +
    `${inside ? "inside" : "outside"} the band.`;
}

function partWords({ output, cell, part }) {
  const used = `${part.directions} of ${data.sketch.directions} directions, to degree ` +
    `${part.degree}: as much as ${part.trainings} trainings`;
  if (state.stop === 0) return `Smallest: the whole sketch, ${used}.`;
  const epsilon = `Epsilon ${output.epsilons[state.stop - 1]}${unit(output)}`;
  if (cell.short.includes(state.stop)) return `${epsilon} is out of reach: the whole sketch, ${used}.`;
  return `${epsilon} needs ${used}.`;
}

function scoreWords({ output }) {
  const score = output.scores[state.stop], digits = Math.max(output.digits - 1, 0);
  const [error, nothing] = [score.error, score.nothing].map((one) => one.toFixed(digits));
  return `Over all ${data.deletions.length} deletions on this page the error is ${error}` +
    `${unit(output)} (root mean square; of predicting no change: ${nothing}), and ${score.inside} ` +
    `of ${score.banded} truths are inside their bands.`;
}

function documentsWords({ deletion }) {
  const more = deletion.of.length - deletion.examples.length;
  const shown = deletion.examples.join(", ") + (more && deletion.examples.length ? ", …" : "");
  const count = `${deletion.of.length} of ${data.run.documents}`;
  return shown ? `${count}: ${shown}` : count;
}

function table({ output, cell, part, deletion }) {
  at("caption").textContent = `${output.title}, without the ${what(deletion)}`;
  at("rows").replaceChildren(...data.weights.map((weight, i) => {
    const row = document.createElement("tr"), head = document.createElement("th");
    head.scope = "row";
    head.textContent = String(weight);
    const point = data.retrained_at.indexOf(weight);
    const truth = state.shown && point >= 0 ? cell.retrained[point] : null;
    const cells = [part.value[i], part.low[i], part.high[i], truth].map((change) => {
      const one = document.createElement("td");
      one.textContent = change === null ? "" : rounded(output.now + change, output, output.digits);
      return one;
    });
    row.append(head, ...cells);
    return row;
  }));
}

function picture({ output, cell, part, deletion }) {
  draw(at("picture"), {
    cell, part, now: output.now, scale: 10 ** output.digits, weights: data.weights,
    retrainedAt: data.retrained_at, shown: state.shown,
    label: output.title + (output.unit ? ` (${output.unit})` : ""),
    title: `Curve: ${output.title} against the down-weight of the ${what(deletion)}, predicted` +
      `${state.shown ? " and trained again" : ""}; in numbers below`,
  });
}

function show() {
  const chosen = parts();
  at("documents").textContent = documentsWords(chosen);
  at("predicted").textContent = predictedWords(chosen);
  at("truth").textContent = truthWords(chosen);
  at("part").textContent = partWords(chosen);
  at("epsilon").setAttribute("aria-valuetext", partWords(chosen));
  at("scores").textContent = scoreWords(chosen);
  at("retrain").setAttribute("aria-pressed", String(state.shown));
  at("legend-truth").style.visibility = state.shown ? "" : "hidden";
  picture(chosen);
  table(chosen);
}

function chip(number) {
  const label = document.createElement("label"), input = document.createElement("input");
  const face = document.createElement("span");
  label.className = "chip";
  Object.assign(input, { type: "radio", name: "deletion", value: number, checked: !number });
  input.addEventListener("change", () => {
    state.deletion = number;
    show();
  });
  face.textContent = data.deletions[number].label;
  label.append(input, face);
  return label;
}

function start() {
  at("title").textContent = data.title;
  at("about").textContent = data.about || `A model was trained on ${data.run.documents} documents.`;
  const groups = new Map();
  data.deletions.forEach((deletion, number) => {
    if (!groups.has(deletion.heading)) {
      const group = document.createElement("fieldset"), legend = document.createElement("legend");
      legend.textContent = deletion.heading;
      group.append(legend);
      groups.set(deletion.heading, group);
    }
    groups.get(deletion.heading).append(chip(number));
  });
  at("deletions").append(...groups.values());
  at("output").append(...data.outputs.map((output, i) => new Option(output.title, i)));
  at("epsilon").max = data.outputs[0].epsilons.length;
  at("sketch").textContent = `Here the sketch has ${data.sketch.directions} directions of degree ` +
    `${data.sketch.degree}, and ${data.sketch.anchors} exact retrainings that calibrate the bands. It ` +
    "was made once, for all deletions and outputs; to answer for one deletion, a single training " +
    "again is cheaper. A smaller epsilon takes more of the sketch.";
  at("output").addEventListener("change", () => {
    state.output = Number(at("output").value);
    show();
  });
  at("epsilon").addEventListener("input", () => {
    state.stop = Number(at("epsilon").value);
    show();
  });
  at("retrain").addEventListener("click", () => {
    state.shown = !state.shown;
    show();
  });
  window.addEventListener("resize", () => picture(parts()));
  show();
}

start();

// What is chosen, and what the page says of it. All numbers come from the record in the page.

const data = JSON.parse(document.getElementById("numbers").textContent);
const at = (id) => document.getElementById(id);
const state = { deletion: data.start, output: 0, stop: 0, shown: false };

function written(whole, digits) {
  const text = (whole / 10 ** digits).toFixed(digits);
  return (whole === 0 ? text.replace("-", "") : text).replace("-", "−");
}

// Sentences have one digit less than is kept. Every value is rounded before differences are taken,
// so that the numbers of a sentence fit together.
const coarse = (output) => Math.max(output.digits - 1, 0);
const short = (change, output) =>
  Math.round((output.now + change) / 10 ** (output.digits - coarse(output)));
const said = (whole, output) => written(whole, coarse(output));
const unit = (output) => (output.unit ? ` ${output.unit}` : "");
const what = (deletion) => `${deletion.heading} '${deletion.label}'`;

function parts() {
  const output = data.outputs[state.output], cell = data.cells[state.deletion][state.output];
  return { output, cell, deletion: data.deletions[state.deletion],
    part: cell.parts[cell.stops[state.stop]] };
}

// What is said of the present choice: outputs in the digits of sentences.
function told({ output, cell, part }) {
  const [low, high] = [part.low.at(-1), part.high.at(-1)];
  const truth = cell.retrained.at(-1), banded = low !== null && !part.known;
  return {
    now: short(0, output), then: short(part.value.at(-1), output), truth: short(truth, output),
    low: banded && short(low, output), high: banded && short(high, output), banded,
    doubt: banded && low <= 0 && high >= 0, inside: banded && low <= truth && truth <= high,
  };
}

function predictedWords({ output, deletion, cell, part }) {
  const { now, then, low, high, banded, doubt } = told({ output, cell, part });
  const way = then > now ? "rise" : "fall", amount = said(Math.abs(then - now), output);
  const moves = then === now ? `to stay at ${said(now, output)}${unit(output)}`
    : `to ${way} by ${amount}${unit(output)}, from ${said(now, output)} to ${said(then, output)}`;
  const start = `Without the ${what(deletion)}, the ${output.title} is`;
  if (part.known) return `${start} known ${moves}: the sketch has this very retraining.`;
  if (!banded) return `${start} predicted ${moves}; nothing is known of the error.`;
  const band = `90% band ${said(low, output)} to ${said(high, output)}`;
  return `${start} predicted ${moves} (${band}${doubt ? ", so it may not change at all" : ""}).`;
}

function truthWords({ output, cell, part }) {
  if (!state.shown) return "Press Retrain to see what training again gives.";
  const { now, then, truth, banded, inside } = told({ output, cell, part });
  const moved = truth === now ? "no change"
    : `${truth > now ? "up" : "down"} by ${said(Math.abs(truth - now), output)}`;
  const start = `Trained again without them, it is ${said(truth, output)} (${moved}).`;
  const miss = then === truth ? "right to this many digits"
    : `too ${then > truth ? "high" : "low"} by ${said(Math.abs(then - truth), output)}`;
  if (!banded) return `${start} The prediction is ${miss}.`;
  return `${start} The prediction is ${miss}, and the truth is ` +
    `${inside ? "inside" : "outside"} the band.`;
}

function partWords({ output, cell, part }) {
  const used = `${part.directions} of ${data.sketch.directions} directions, to degree ` +
    `${part.degree}, as much as ${part.trainings} trainings`;
  if (state.stop === 0) return `The whole sketch: ${used}.`;
  const epsilon = Number(output.epsilons[state.stop - 1].toPrecision(6)) + unit(output);
  return cell.short.includes(state.stop)
    ? `Epsilon ${epsilon}: no part is planned to be so accurate, so all is used: ${used}.`
    : `Epsilon ${epsilon}: ${used}.`;
}

function scoreWords({ output }) {
  const score = output.scores[state.stop];
  const [error, nothing] = [score.error, score.nothing].map((one) => one.toFixed(coarse(output)));
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

function groupWords() {
  const groups = data.sketch.groups;
  if (!groups.length) return "";
  return ` ${groups.length} groups of documents were named when it was made, and it knows these ` +
    `best: ${groups.join(", ")}.`;
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
      one.textContent = change === null ? "" : written(output.now + change, output.digits);
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
    label: output.label,
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
  Object.assign(input, { type: "radio", name: "deletion", value: number, checked: number === data.start });
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
    "again is cheaper." + groupWords();
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

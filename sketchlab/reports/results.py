"""The results of a report, as HTML: predictions beside retraining, a method and its measures."""

from .markup import escaped, number, table
from .strips import key, strip
from .words import NAMES, PARTS, counted

MARKS = {"method": "dot", "nothing": "ring", "retrained": "diamond"}


def the_outputs(numbers, level):
    """What was predicted, and what retraining gave."""
    outputs = numbers["outputs"]
    guessed = any(output["predicted"] is not None for output in outputs)
    headings = ["output", "trained with the documents", "predicted without", "retrained without"]
    if guessed:
        headings += ["retrained value and band", "picture"]
    rows = []
    for output in outputs:
        guess, unit = output["predicted"], escaped(output["unit"])
        cells = [f"{output['now']:.4f} {unit}", _guess(guess), f"{output['retrained']:.4f} {unit}"]
        if guessed:
            marks = [("bar", output["now"]), ("dot", guess["value"])]
            marks.append(("diamond", output["retrained"]))
            cells += [_inside(guess), strip(marks, guess["band"])]
        rows.append((escaped(output["title"]), cells))
    legend = (
        f"<p><small>In the pictures, each on a scale of its own: {key('band')} predicted band, "
        f"{key('dot')} predicted, {key('diamond')} retrained, {key('bar')} trained with the "
        "documents.</small></p>"
    )
    return (
        f"<h{level}>2. What was predicted, and what retraining gave</h{level}>"
        + table("Outputs of the model", headings, rows)
        + (
            legend + _trust(outputs)
            if guessed
            else "<p>Nothing was predicted: no sketch was given.</p>"
        )
    )


def _guess(guess):
    if guess is None:
        return "nothing"
    value = f"{guess['value']:.4f}"
    if guess["known"]:
        return f"{value}<br><small>retrained for the sketch</small>"
    if guess["band"] is None:
        return f"{value}<br><small>band unknown</small>"
    low, high = guess["band"]
    return f"{value}<br><small>{guess['coverage']:.0%} band {low:.4f} to {high:.4f}</small>"


def _inside(guess):
    if guess["inside"] is None:
        return "no band"
    words = ("the same", "not the same") if guess["known"] else ("inside", "outside")
    return words[0] if guess["inside"] else f'<b class="apart">{words[1]}</b>'


def _trust(outputs):
    """How the bands were made, and what they took."""
    lines = []
    for output in outputs:
        count = output["predicted"]["calibrated"]
        band = f"calibrated on {counted(count, 'exact retraining')}" if count else "not calibrated"
        found = escaped(output["predicted"]["reason"])
        lines.append(f"<li>{escaped(output['title'])}: {found}; band {band}</li>")
    cost = max(output["predicted"]["trainings"] for output in outputs)
    share = f"{outputs[0]['predicted']['coverage']:.0%}"
    return (
        f"<p>Predictions come from a sketch of this run, which took as much as {cost:g} trainings "
        f"and serves any deletion. {share} bands are made to hold {share} of exact values on the "
        "average over deletions, if they are calibrated; for a single one they promise nothing. "
        f"Bands that are not calibrated rest on assumptions.</p><ul>{''.join(lines)}</ul>"
    )


def the_method(numbers, level):
    """An unlearning method beside retraining and beside doing nothing."""
    heading = f"<h{level}>3. An unlearning method, measured</h{level}>"
    method = numbers["method"]
    if method is None:
        return heading + "<p>No method was given: nothing was measured.</p>"
    name, seeds, counts = escaped(method["name"]), method["seeds"], method["documents"]
    settings = ", ".join(f"{k} = {v}" for k, v in method["settings"].items()) or "the defaults"
    columns = [name, "doing nothing", "retrained"]
    rows = []
    for one in method["measures"]:
        low, _, high = one["null"]
        cells = [PARTS[one["part"]], *(_judged(one, model) for model in MARKS)]
        cells.append(f"{low:.3f} to {high:.3f}")
        cells.append(strip([(mark, one["values"][m]) for m, mark in MARKS.items()], (low, high)))
        rows.append((NAMES[one["measure"]], cells))
    return (
        f"{heading}<p>Method: <b>{name}</b>. Settings: {escaped(settings)}.</p>"
        f"<p>It was applied to {seeds} models that were trained with the documents, from seeds 0 "
        f"to {seeds - 1}. They are compared with {seeds} models that were trained without them, "
        f"from seeds {seeds} to {2 * seeds - 1}. For scale, the same is done with the models as "
        f"they were, and with {seeds} that were trained without the documents from seeds 0 to "
        f"{seeds - 1}. Documents looked at: {counts['forget']} deleted, {counts['retain']} of "
        f"those kept, drawn at random, {counts['unseen']} never trained on.</p>"
        + table(
            "Measures, and what they are between retrained models",
            ["measure", "documents", *columns, "null band", "picture"],
            rows,
        )
        + f"<p><small>In the pictures, each on a scale of its own: {key('band')} null band, "
        f"{key('dot')} {name}, {key('ring')} doing nothing, {key('diamond')} retrained.</small></p>"
        "<p>The null band is what a measure is between sets of retrained models: the 5th to 95th "
        f"percentile over {method['splits']} random splits; of the loss attack, what the retrained "
        "models score, more or less the 90th percentile of the difference between two sets. Words "
        "in bold tell models from retrained ones: distances above the band, attacks above or below "
        "it. Retrained models "
        f"lie above a band about {method['false']:.0%} of the time, so that of "
        f"{len(method['measures'])} measures {method['chance']:.1f} are expected to be bold by "
        "chance; the column of retrained models shows how many are. The measures depend on each "
        "other. Brackets are 90% intervals over models and documents; the null band is over models "
        "alone, as all are asked about the same documents, and is usually narrower.</p>"
        + _made(method, columns)
    )


def _judged(one, model):
    """Value, interval and verdict of a model."""
    value, word = one["values"][model], one["verdicts"][model]
    if value is None:
        return word
    interval = one["intervals"].get(model)
    around = f"<br><small>({interval[0]:.3f} to {interval[1]:.3f})</small>" if interval else ""
    if one["apart"][model]:
        word = f'<b class="apart">{word}</b>'
    return f"{value:.3f} {word}{around}"


def _made(method, columns):
    """What the models took and did."""
    models = [method["models"][model] for model in MARKS]
    rows = [("trainings for each model", [f"{row['cost']:.3g}" for row in models])]
    rows.append(("steps after training, mean", [f"{row['steps']:g}" for row in models]))
    moved = f"{models[0]['moved']} of {method['seeds']}"
    rows.append(("models that differ from the original", [moved, "none", "trained anew"]))
    diverged = [f"{row['diverged'] or 'none'}" for row in models]
    rows.append(("models that diverged", diverged))
    for part, word in PARTS.items():
        losses = [row.get("losses", {}).get(part) for row in models]
        rows.append((f"mean loss, {word} documents", [number(value) for value in losses]))
    errors = [row.get("verification_error") for row in models]
    shown = ["none" if error is None else f"{error[0]:.3f} ± {error[1]:.3f}" for error in errors]
    shown[2] += "<br><small>between different seeds</small>"
    rows.append(("verification error", shown))
    return table("What the models took and did", ["", *columns], rows)

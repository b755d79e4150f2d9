"""What a comparison of methods on one deletion says, as HTML: headline, numbers, history."""

import collections
import html

from .parts import AS_TYPED

RECENT = 10  # retrainings shown
BLOCK = "line-height: 1.4; contain: inline-size"  # a wide table scrolls, and widens nothing
LEFT, RIGHT = (
    f"text-align: {side}; padding: 0 8px 0 0; vertical-align: top" for side in ("left", "right")
)


def number(value):
    """A change with its sign; a small one is not shown as 0."""
    return f"{value:+.4f}" if value == 0 or abs(value) >= 5e-4 else f"{value:+.1e}"


def cost(trainings, each):
    """Trainings that a method took, and for each further deletion."""
    further = f" + {each:.2g} each" if each else ""
    return ("unknown" if trainings is None else f"{trainings:,.3g}") + further


def distinct(titles):
    """Titles of outputs; one that occurs twice with its number."""
    times = collections.Counter(titles)
    return [t if times[t] == 1 else f"{t} ({place})" for place, t in enumerate(titles)]


def axis(model):
    """What the picture shows, with its unit."""
    return f"change of {model.title}" + (f" ({model.unit})" if model.unit else "")


def busy():
    """While predictions are made."""
    return _headline("Predicting …", ' aria-busy="true"')


def headline(model):
    """What is deleted and asked, and what retraining says."""
    count = len(model.selection)
    if not count:
        return _headline("Choose documents to delete")
    noun = "document" if count == 1 else "documents"
    text = f"{count} {noun} deleted; {model.title}: now {model.now[model.chosen]:.4f}"
    text += (
        f"{', retrained ' + number(model.true) if model.true is not None else ', press Retrain'}"
    )
    return _headline(html.escape(text))


def spoken(model):
    """The picture in words, not as HTML."""
    parts = [
        f"{name}: {_said(one)}, trainings {cost(*model.costs[name])}"
        for name, one in model.answers.items()
    ]
    true = "not retrained yet" if model.true is None else f"exact retraining: {number(model.true)}"
    return (
        f"Predicted {axis(model)} without {len(model.selection)} of {len(model)} documents, a row "
        f"for each method. {'; '.join(parts)}. No change is at 0; {true}."
    )


def table(model):
    """A row for every method: predicted change, band, error, trainings; and for the truth."""
    unit = f" ({html.escape(model.unit)})" if model.unit else ""
    heads = ["method", f"predicted{unit}", "90% band", "error", "trainings"]
    lines, reasons, errors = [], [], model.errors
    for name, one in model.answers.items():
        spent = cost(*model.costs[name])
        if one.change is None:
            lines.append(f"{_name(name)}{_cells(['cannot answer', '', '', spent])}")
            reasons.append(f"{name} cannot answer: {one.reason}")
        else:
            error = number(errors[name]) if name in errors else ""
            lines.append(_name(name) + _cells([number(one.change), _band(one), error, spent]))
    if model.true is not None:
        lines.append(_name("exact retraining") + _cells([number(model.true), "", "", "1 each"]))
    said = "".join(
        f'<div style="{AS_TYPED}" tabindex="0">{html.escape(reason)}</div>' for reason in reasons
    )
    note = "Trainings: what a method took, for all outputs together. Error: predicted less true."
    return (
        f'<div class="sketchlab-table" style="{BLOCK}">{_table(heads, lines, range(1, 5))}'
        f'<small style="display: block; white-space: normal">{note}</small>{said}</div>'
    )


def history(model):
    """A table of the retrainings, the last one first."""
    if not model.tries:
        return ""
    heads = ["deleted", "output", "true change", "best method (error)", "worst (error)"]
    lines = []
    for one in reversed(model.tries[-RECENT:]):
        best, worst = (
            "" if name is None else f"{html.escape(name)} ({number(one.errors[name])})"
            for name in (one.best, one.worst)
        )
        lines.append(
            f"{_name(f'{one.deleted}: {one.documents}')}{_name(one.output)}"
            f"{_cells([number(one.change)])}"
            f'<td style="{LEFT}">{best}</td><td style="{LEFT}">{worst}</td>'
        )
    more = len(model.tries) - RECENT
    earlier = f"<small>and {more} earlier</small>" if more > 0 else ""
    return (
        f'<div class="sketchlab-history" style="{BLOCK}"><b>Retrained so far</b>'
        f"{_table(heads, lines, (2,))}{earlier}</div>"
    )


def _said(one):
    if one.change is None:
        return "cannot answer"
    return number(one.change) + (f", 90% band {_band(one)}" if one.low is not None else "")


def _band(one):
    if one.low is None:
        return "unknown"
    return "known exactly" if one.low == one.high else f"{number(one.low)} to {number(one.high)}"


def _name(name):
    return f'<td style="{LEFT}; min-width: 8em; overflow-wrap: anywhere">{html.escape(name)}</td>'


def _cells(cells):
    return "".join(f'<td style="{RIGHT}">{cell}</td>' for cell in cells)


def _table(heads, lines, numbers):
    """An HTML table that scrolls in its place; numbers: which columns are of numbers."""
    head = "".join(
        f'<th scope="col" style="{RIGHT if place in numbers else LEFT}">{text}</th>'
        for place, text in enumerate(heads)
    )
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return (
        '<div style="overflow-x: auto" tabindex="0"><table style="font-variant-numeric: '
        f'tabular-nums"><tr>{head}</tr>{body}</table></div>'
    )


def _headline(text, more=""):
    return (
        f'<div class="sketchlab-headline" aria-live="polite"{more} style="font-size: 1.15em; '
        f'line-height: 1.4; {AS_TYPED}"><b>{text}</b></div>'
    )

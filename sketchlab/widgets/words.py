"""What the explorer says of an answer, as HTML: headline, numbers, names, history."""

import base64
import html
import math

from .answers import uncounted
from .parts import AS_TYPED

COLUMNS = ("deleted", "output", "weight", "deg.", "dir.", "predicted", "retrained", "error", "band")


def headline(explorer, answer):
    """The change, and what it means."""
    if not len(explorer.selection):
        text = f"Choose {explorer.noun}s to delete"
    elif not explorer.weight:
        text = "Down-weight 0: nothing is deleted"
    else:
        text = answer.headline
    return (
        '<div class="sketchlab-headline" aria-live="polite" '
        f'style="font-size: 1.25em; line-height: 1.4; {AS_TYPED}"><b>{html.escape(text)}</b></div>'
    )


def details(answer):
    """The numbers: predicted, now, retrained."""
    text = f"predicted <b>{answer.prediction.value:.4f}</b> ({_band(answer)}), now {answer.now:.4f}"
    if answer.truth is not None:
        text += f"; retrained <b>{answer.truth:.4f}</b>, known exactly: off by {answer.error:+.4f}"
        if answer.inside is not None:
            text += f", {_place(answer.inside)} the band"
    if answer.evidence:
        text += f"<br>{_learned(answer)}"
    return f'<div class="sketchlab-details" style="line-height: 1.4">{text}</div>'


def caption(explorer, answer):
    """What the picture is of: letters that its fonts may lack are read here."""
    model = explorer.run.model
    left_out = uncounted(answer.question, model.context) if explorer.reads_text else ""
    text = f"{answer.question.label}; {left_out}" if left_out else answer.question.label
    return (
        f'<div class="sketchlab-caption" style="line-height: 1.4; {AS_TYPED}" tabindex="0">'
        f"{html.escape(text)}</div>"
    )


def spoken(explorer, answer):
    """The picture in words, not as HTML."""
    p = answer.prediction
    terms = ", ".join(f"degree {term.degree}: {term.value:+.4f}" for term in p.terms[1:])
    truth = "not retrained yet" if answer.truth is None else f"retrained {answer.truth:.4f}"
    return (
        f"{answer.question.title} against the down-weight of {len(explorer.selection)} "
        f"{explorer.noun}s: "
        f"now {answer.now:.4f}, predicted {p.value:.4f} at down-weight {explorer.weight:g}, "
        f"{_band(answer)}, {truth}. Taylor terms: {terms}."
    )


def samples(before, after):
    """Names from the model now and, unless None, from the retrained one."""
    after = "press Retrain" if after is None else " ".join(after)
    return (
        f'<div class="sketchlab-samples" style="line-height: 1.4; {AS_TYPED}">'
        f"names from the model now: <i>{html.escape(' '.join(before))}</i><br>"
        f"retrained: <i>{html.escape(after)}</i></div>"
    )


def history(explorer):
    """A table of the tries, the last one first, and a link that saves them."""
    if not explorer.tries:
        return ""
    rows = "".join(
        f'<tr style="text-align: left"><td title="{html.escape(row.names)}">{row.deleted}: '
        f'{html.escape(_shortened(row.names, 20))}</td><td title="{html.escape(row.output)}">'
        f"{html.escape(_shortened(row.output, 60))}</td>"
        f"<td>{row.down_weight:g}</td><td>{row.degree}</td><td>{row.directions}</td>"
        f"<td>{row.predicted:.4f}</td><td>{row.retrained:.4f}</td><td>{row.error:+.4f}</td>"
        f"<td>{_row_band(row)}</td></tr>"
        for row in reversed(explorer.tries)
    )
    head = "".join(f'<th style="text-align: left">{column}</th>' for column in COLUMNS)
    content = base64.b64encode(explorer.csv().encode()).decode()
    return (
        '<div class="sketchlab-history" style="line-height: 1.4; overflow-x: auto; '
        'white-space: pre" tabindex="0">'
        f"<table><tr>{head}</tr>{rows}</table>"
        f'<a download="deletions.csv" href="data:text/csv;base64,{content}">'
        "<u>Download as CSV</u></a>"
        "</div>"
    )


def _band(answer):
    p = answer.prediction
    if p.error == 0:
        return "known exactly"
    if math.isinf(answer.reach):
        return "90% band unknown"
    trust = f"calibrated on {p.calibrated} retrainings" if p.calibrated else "band not calibrated"
    return f"90% band {p.low:.4f} to {p.high:.4f}, {trust}"


def _row_band(row):
    """The ends of the band of a try, and whether the truth lies inside."""
    if row.low == row.high:
        return "known"
    if row.inside is None:
        return "unknown"
    return f"{row.low:.4f} to {row.high:.4f}, {_place(row.inside)}"


def _learned(answer):
    """What the retrainings made here are good for."""
    one = answer.evidence == 1
    made = f"{answer.evidence} retraining{'' if one else 's'} made here"
    if answer.missing:
        return f"{made}: after {answer.missing} more, predictions of other deletions use them"
    return f"{made} {'is' if one else 'are'} evidence for the next predictions"


def _place(inside):
    return {True: "inside", False: "outside", None: "unknown"}[inside]


def _shortened(words, most):
    return words if len(words) <= most else words[:most] + "…"

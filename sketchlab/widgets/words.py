"""What the explorer says of an answer, as HTML: headline, numbers, names."""

import html
import math

from .answers import uncounted
from .parts import AS_TYPED
from .selection import visible


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
    truth = "not retrained yet" if answer.truth is None else f"retrained {answer.truth:.4f}"
    return (
        f"{answer.question.title} against the down-weight of {len(explorer.selection)} "
        f"{explorer.noun}s: "
        f"now {answer.now:.4f}, predicted {p.value:.4f} at down-weight {explorer.weight:g}, "
        f"{_band(answer)}, {truth}."
    )


def spoken_terms(answer, degree):
    """The picture of the Taylor terms in words; degree: how far the jets go."""
    p = answer.prediction
    terms = [f"{one.degree}: {one.value:+.4f}" for one in p.terms[1:]]
    terms = ", ".join([*terms, *(f"{k}: not known" for k in range(len(p.terms), degree + 1))])
    rest = f"; the rest of the change, by retrainings or resummation: {p.rest:+.4f}"
    return f"Taylor terms by degree: {terms or 'none is known'}{rest if p.rest else ''}."


def samples(before, after):
    """What the model now makes up and, unless None, from the retrained one."""
    after = "press Retrain" if after is None else " ".join(map(visible, after))
    return (
        f'<div class="sketchlab-samples" style="line-height: 1.4; {AS_TYPED}">'
        f"made up by the model now: <i>{html.escape(' '.join(map(visible, before)))}</i><br>"
        f"retrained: <i>{html.escape(after)}</i></div>"
    )


def _band(answer):
    p = answer.prediction
    if p.error == 0:
        return "known exactly"
    if math.isinf(answer.reach):
        return "90% band unknown"
    trust = f"calibrated on {p.calibrated} retrainings" if p.calibrated else "band not calibrated"
    return f"90% band {p.low:.4f} to {p.high:.4f}, {trust}"


def _learned(answer):
    """What the retrainings made here are good for."""
    one = answer.evidence == 1
    made = f"{answer.evidence} retraining{'' if one else 's'} made here"
    if answer.missing:
        return f"{made}: after {answer.missing} more, predictions of other deletions use them"
    return f"{made} {'is' if one else 'are'} evidence for the next predictions"


def _place(inside):
    return "inside" if inside else "outside"

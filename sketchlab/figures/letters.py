"""What a loss is made of: letters of the document, and training documents that act on each."""

import numpy as np

from ..arguments import check_list, check_predictor, list_of, takes
from ..canvas import GREY, new_axes, write, write_ticks
from ..checks import check_count
from ..training.microgpt import END
from ..training.outputs import LetterLoss


@takes(k=check_count, predictors=list_of(check_predictor, least=0))
def letters(outputs, predictors, labels=None, *, k=15):
    """What deleting a training document does to the loss on every letter of another: a heat map.

    outputs: `LetterLoss` of one document at positions 0, 1, ..., as `LetterLoss.each` gives them.
    predictors: one for each, such as `sl.attribution.first_order(run, outputs)`: with `.gradient`,
    (units,), or else `.predict`, which is asked about every unit alone. labels: one for each unit,
    such as `run.data`; default: the names of the units. k: how many units to show, those of the
    largest effect on the mean of the losses, which is the loss on the whole document.

    Colour: the change of the loss on the letter when the unit is deleted, in the outputs' unit.
    Numbers at the right: the mean of each row. Rows fall from what helps most (deletion raises the
    loss) to what hurts most. Raises TypeError and ValueError for what does not fit.
    """
    check_letters(outputs, predictors)
    units = predictors[0].units if hasattr(predictors[0], "units") else predictors[0].known.units
    labels = units.names if labels is None else labels
    labels = check_list(labels, "labels")
    if len(labels) != len(units):
        raise ValueError(f"give one label for each of the {len(units)} units, not {len(labels)}")
    effects = np.stack([_effects(one, len(units)) for one in predictors], axis=-1)
    means = effects.mean(axis=1)
    rows = np.argsort(-np.abs(means), kind="stable")[: check_count(k, "k")]
    rows = rows[np.argsort(-means[rows], kind="stable")]
    shown = effects[rows]
    figure, axes = new_axes(4.2 + 0.4 * len(outputs), 1.5 + 0.24 * len(rows))
    reach = np.max(np.abs(shown)) or 1.0
    image = axes.imshow(shown, cmap="RdBu_r", vmin=-reach, vmax=reach, aspect="auto")
    write_ticks(
        axes.xaxis, ["end" if one.letter == END else _visible(one.letter) for one in outputs]
    )
    write_ticks(axes.yaxis, [_words(labels[row], row) for row in rows])
    axes.tick_params(length=0, labelsize=9)
    axes.tick_params(axis="x", labelsize=11)
    means = [f"{means[row]:+.3f}".replace("-", "−") for row in rows]
    for place, words in enumerate(means):
        axes.text(len(outputs) - 0.35, place, words, va="center", fontsize=9, color="#444444")
    axes.text(len(outputs) - 0.35, -0.65, "mean", va="bottom", fontsize=9, color="#444444")
    for side in axes.spines.values():
        side.set_color(GREY)
    bar = figure.colorbar(image, ax=axes, aspect=30)
    bar.set_label(f"change of the loss on a letter ({outputs[0].unit})", fontsize=9)
    bar.ax.tick_params(labelsize=8)
    axes.set(xlabel="letter to be predicted", ylabel="deleted")
    title = axes.set_title("", loc="left", fontsize=10)
    write(title, f"loss on the letters of {outputs[0].document!r}")
    return figure


def check_letters(outputs, predictors):
    """Raise TypeError or ValueError unless these are the letters of one document, from the first,
    with a predictor for each.
    """
    if (
        not isinstance(outputs, (list, tuple))
        or not outputs
        or not all(isinstance(one, LetterLoss) for one in outputs)
    ):
        raise TypeError(f"outputs must be a list of LetterLoss, not {outputs!r}")
    places = [(one.document, one.position) for one in outputs]
    if places != [(outputs[0].document, position) for position in range(len(outputs))]:
        raise ValueError(
            "outputs must be the letters of one document from the first on, as "
            f"sl.LetterLoss.each(document, run.model) gives them, not {list(outputs)!r}"
        )
    if len(predictors) != len(outputs):
        raise ValueError(f"predictors must be a list of {len(outputs)}, one for each output")


def _effects(predictor, count):
    """The change of an output for the deletion of each unit alone, (units,)."""
    if hasattr(predictor, "gradient"):
        return np.asarray(predictor.gradient, float)
    return predictor.predict(np.eye(count)).change


def _words(label, number):
    """What a unit is called in the figure; documents that are no text by their number."""
    if isinstance(label, str):
        return label if label.strip() == label and label else repr(label)
    return (
        f"document {number}"
        if np.ndim(label) or isinstance(label, (int, np.integer))
        else f"{label}"
    )


def _visible(letter):
    return "␣" if letter == " " else letter

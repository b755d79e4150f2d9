"""What people bring: their data, their losses and what they hold out, looked at before training."""

import inspect
import numbers
import warnings

import numpy as np

from ..algebra.jet import Jet
from ..arguments import check_list
from ..checks import brief

WATCHED = 8  # examples, spread evenly
COPIES, EXAMPLES = 3, 2  # of the check of losses; unequal, so that no shape is right by chance
CALLED = (
    "They are called as losses(parameters, examples), with a list of examples, or the rows of an "
    "array. For rows of a table, or pairs (x, y), train on row numbers, np.arange(n), and look "
    "them up: X[rows], y[rows], with numbers for labels."
)
TEACH = (
    "every parameter may have batch axes before its own, shape (*batch, *shape), and the losses "
    "must then have shape (*batch, examples). Count axes from the end: "
    "ring.matmul(X[rows], w[..., None])[..., 0] instead of X[rows] @ w, and c[..., None] for a "
    "parameter of shape ()"
)


def check_data(data):
    """Raise for no data, and for a table, or a column of one, of pandas: they index by label."""
    if hasattr(data, "iloc"):
        raise TypeError(
            f"data is a pandas {type(data).__name__}, whose rows go by label: train on row "
            "numbers, np.arange(len(table)), and let the losses look them up in table.to_numpy(); "
            "of a column of texts give column.tolist()"
        )
    if not hasattr(data, "__len__") or not hasattr(data, "__getitem__") or isinstance(data, dict):
        raise TypeError(f"data must be a list or an array of examples, not {brief(data)}")
    if getattr(data, "ndim", 1) == 0 or isinstance(data, (str, bytes, type)):
        raise TypeError(f"data must be a list or an array of examples, not {brief(data)}")
    if len(data) == 0:
        raise ValueError("there is nothing to train on: give at least one example")


def row_numbers(data):
    """Data that are integers, each only once, as a list of int; else None."""
    array = np.asarray(data) if isinstance(data, (np.ndarray, range)) else None
    if array is not None:
        whole = array.ndim == 1 and array.dtype.kind in "iu"
    else:
        whole = all(
            isinstance(one, (int, np.integer)) and not isinstance(one, bool) for one in data
        )
    rows = [int(one) for one in data] if whole else []
    return rows if rows and len(set(rows)) == len(rows) else None


def check_held_out(held_out, data):
    """Examples that are held out, as a tuple, or raise if they are none or are trained on."""
    if isinstance(held_out, numbers.Real):
        raise TypeError(
            f"held_out must be a list of examples that are not in data, such as "
            f"range(400, 500), not {held_out!r}: only sl.train takes a share"
        )
    found = tuple(check_list(held_out, "held_out"))
    if found and all(isinstance(one, (bool, np.bool_)) for one in found):
        raise TypeError("held_out is a mask: give row numbers, np.flatnonzero(mask)")
    both = set(row_numbers(data) or ()).intersection(row_numbers(found) or ())
    if both:
        raise ValueError(
            f"{len(both)} of the {len(found)} held-out examples were trained on, such as row "
            f"{min(both)}: hold out others"
        )
    return found


def refuse_pandas(function, what):
    """Raise TypeError for a function that names a table or column of pandas.

    It would look rows up by their labels, also if what it finds becomes an array afterwards. Other
    functions that it calls are not looked into.
    """
    try:
        used = inspect.getclosurevars(function)
    except TypeError:  # no function of Python, but an object that can be called
        return
    for name, value in (used.globals | used.nonlocals).items():
        if hasattr(value, "iloc"):
            raise TypeError(
                f"{what} look rows up in {name!r}, a pandas {type(value).__name__}, whose rows go "
                f"by label, so that a shuffled table gives other rows: write {name} = "
                f"{name}.to_numpy() before, outside of the function"
            )


def copies_near(values, rng):
    """Arrays near one of parameters, (COPIES, *shape), to ask several models at once.

    They are not so near each other, nor to 0, that what one model adds to the losses of another
    would be small, or that labels would play no part.
    """
    return values + 0.1 * rng.uniform(size=(COPIES, *values.shape)) * (1.0 + np.abs(values))


def _copies(model):
    rng = np.random.default_rng(0)
    return {name: copies_near(p, rng) for name, p in model.parameters.items()}


def check_losses(run):
    """Raise ValueError, in words, unless each model, and each example, has the losses of its own.

    Losses without batch axes would pass a check of shapes by chance, where as many models are
    trained together as a step has examples; an example whose loss depends on the others of its step
    would act after its deletion.
    """
    model, examples = run.initial, run.examples(np.arange(min(EXAMPLES, len(run))))
    copies, count = _copies(model), len(examples)

    def losses(parameters, examples=examples):
        return model.with_parameters(parameters).losses(examples)

    with np.errstate(all="ignore"):
        try:
            alone = [losses({name: p[i] for name, p in copies.items()}) for i in range(COPIES)]
        except Exception as error:  # the user's own, with a word of what it was called with
            error.add_note(f"These were the losses of the first {count} examples. {CALLED}")
            raise
        if alone[0] is None:
            raise TypeError("the losses give None: is a `return` missing in the function?")
        _check_count(alone[0], count)
        try:
            _check_each_alone(run, losses, {name: p[0] for name, p in copies.items()})
        except LookupError as error:
            error.add_note(
                f"The losses were asked for some of {len(run)} examples, and those of step 0. Do "
                "the arrays that they look up have as many rows?"
            )
            raise
        try:
            together = losses(copies)
        except (ValueError, TypeError, IndexError) as error:
            raise ValueError(
                f"the losses fail for {COPIES} models at once ({error}): {TEACH}"
            ) from error
    if np.shape(together) != (COPIES, count):
        raise ValueError(
            f"the losses of {count} examples under {COPIES} models at once have shape "
            f"{np.shape(together)}, not ({COPIES}, {count}): {TEACH}"
        )
    if not _close(together, alone):
        raise ValueError(
            f"the losses under {COPIES} models at once are not those under each model alone (they "
            f"must not mix models, nor be random): {TEACH}"
        )
    _check_jets(losses, copies)


def _check_count(losses, count):
    if np.shape(losses) != (count,):
        raise ValueError(
            f"the losses of {count} examples have shape {np.shape(losses)}, not ({count},): "
            "return one loss per example, do not average"
        )


def _check_each_alone(run, losses, parameters):
    """Raise ValueError if losses are random, or depend on the examples that they are asked with.

    Asked together are some from all over the data, and those of the first step: of a few that are
    alike, such as rows of one class, it would not be seen.
    """
    every, first = _spread(len(run)), run.examples_of(0)
    for together, some in ((every, np.arange(len(every))), (first, _spread(len(first)))):
        found, again = (losses(parameters, run.examples(together)) for _ in range(2))
        _check_count(found, len(together))
        if not _close(found, again):
            raise ValueError(
                "the losses are random, or count their calls: asked twice for the same examples "
                "under the same parameters they differ. Draw what is random before, once"
            )
        alone = [losses(parameters, run.examples(together[i : i + 1]))[0] for i in some]
        if not _close(alone, found[some]):
            raise ValueError(
                "the loss of an example depends on the other examples that it is asked with, as "
                "with means, scales or weights of classes of a batch, padding to the longest, or "
                "a division by len(rows): so it would act even after its deletion. Compute these "
                "before, of all rows"
            )


def _spread(count):
    """A few numbers below a count, spread evenly, each once."""
    return np.linspace(0, count - 1, min(WATCHED, count)).astype(int)


def _close(losses, others):
    scale = np.max(np.abs(others), where=np.isfinite(others), initial=0.0)
    return np.allclose(losses, others, rtol=1e-6, atol=1e-8 * scale, equal_nan=True)


def watched(run):
    """Losses of a few examples, (watched,): they tell whether what the losses read has changed."""
    near = {name: p[0] for name, p in _copies(run.initial).items()}
    with np.errstate(all="ignore"):
        return run.initial.with_parameters(near).losses(run.examples(_spread(len(run))))


def check_unchanged(run):
    """Raise ValueError if a run's losses are no longer those that it was trained by."""
    if not _close(watched(run), run.at_start):
        raise ValueError(
            "the losses are not what they were when this run was made: its data, or arrays that "
            "the losses read, such as labels, have changed since. Make the run again"
        )


def _check_jets(losses, copies):
    """Warn if losses train, but do not run on jets: sketches need that."""
    jets = {name: Jet.of(p[:1], np.zeros((1, *p.shape))) for name, p in copies.items()}
    try:
        with np.errstate(all="ignore"):
            losses(jets)
    except (TypeError, AttributeError) as error:
        warnings.warn(
            f"these losses do not run on jets, so that sl.sketch and push will refuse "
            f"them: {error}",
            stacklevel=6,
        )

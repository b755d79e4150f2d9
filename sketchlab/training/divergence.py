"""Why a training did not stay finite: the first step where it broke, and what broke there.

Training checks the losses of its steps and, at its end, the parameters, which costs next to
nothing; if these are not finite, it is walked once more with a check after every step.
"""

import warnings

import numpy as np
from autograd.extend import Box

from ..algebra.jet import Jet
from ..checks import without_mask

COMPARED = 64  # examples whose losses are compared before and after
GROWN = 10  # times its size at the start, or times 1: parameters that large were driven there
SHOWN = 3  # examples that a message names
SHORT = 40  # characters of an example that a message shows


class NotFinite(FloatingPointError):
    """A loss that a step trains on is not finite; its gradient may be, as that of a logarithm."""


def check_step(losses, weights):
    """Raise `NotFinite` for a loss that is not finite, unless its example is deleted."""
    if isinstance(weights, np.ma.MaskedArray):
        without_mask(weights, "weights")
    while isinstance(losses, Box):
        losses = losses._value
    if getattr(getattr(losses, "dtype", None), "kind", "f") == "O":
        raise TypeError(
            "the gradient of these losses cannot be taken: they go through a function of numpy "
            "that it does not follow, such as np.where or np.clip. Write them with sl.ring: "
            "sl.ring.relu or sl.ring.softplus for a bend, 0/1 weights times terms for a choice"
        )
    bad = ~np.isfinite(losses.head if isinstance(losses, Jet) else losses)
    if np.any(bad):
        kept = [part != 0 for part in _parts(weights)]
        kept = kept[0] | np.any(kept[1], axis=0) if len(kept) > 1 else kept[0]
        if np.any(bad & kept):
            raise NotFinite("the loss on an example of this step is not finite")


def warn_if_worse(run):
    """Warn if training moved nothing, or more than doubled the mean loss of the first examples."""
    if all(np.array_equal(p, run.initial.parameters[k]) for k, p in run.model.parameters.items()):
        warnings.warn(
            "training moved no parameter: do the losses depend on them, or do all derivatives "
            "vanish at the initial ones, as in a hidden layer that starts at 0?",
            stacklevel=4,
        )
    first = run.examples(np.arange(min(COMPARED, len(run))))
    with np.errstate(all="ignore"):
        before, after = (float(np.mean(m.losses(first))) for m in (run.initial, run.model))
    if after - before > abs(before):
        warnings.warn(
            f"training made the loss worse, {before:.3g} before and {after:.3g} after it (mean of "
            f"the first {len(first)} examples), so that nothing said of this model will be of use: "
            "lower the learning rate, or scale the columns of a table, for instance to mean 0 and "
            "deviation 1",
            stacklevel=4,
        )


def is_finite(value):
    """Whether every entry of an array, or of a jet's coefficients, is finite."""
    return all(np.isfinite(part).all() for part in _parts(value))


def why_not_finite(run, state, weights):
    """The sentence that says where and why training `run` again from `state` is not finite."""
    first = _size(state.flat)
    before = state.axis.named(_copy(state.flat))
    steps = run.walk(state, weights)
    for step in range(run.steps):
        try:
            gradients = next(steps)
        except NotFinite:
            return _explained(run, step, before, [], [], first)
        broken = [name for name, g in gradients.items() if not is_finite(g)]
        moved = [name for name, p in state.views.items() if not is_finite(p)]
        if broken or moved:
            return _explained(run, step, before, broken, moved, first)
        before = state.axis.named(_copy(state.flat))
    return "training diverged once, but not when it was repeated: are the losses random?"


def _explained(run, step, before, broken, moved, first):
    numbers = run.examples_of(step)
    now = max(_size(p) for p in before.values())
    sizes = f"the parameters, at most {first:.3g} at the start, were at most {now:.3g} before it"
    bad = [i for i in numbers if not is_finite(_loss(run, before, i))]
    what = f"the gradient of {broken[0]!r}" if broken else repr(moved[0]) if moved else "the loss"
    at = f"at step {step} of {run.steps}"
    start = run.initial.parameters
    if any(not is_finite(_loss(run, start, i)) for i in bad):
        everywhere = np.flatnonzero(~np.isfinite(run.losses(run.initial)))
        return (
            f"training stopped being finite {at}: the loss itself is not finite on "
            f"{_listed(run, bad)}, even with the initial parameters, as on {len(everywhere)} of "
            f"all {len(run)} examples ({_listed(run, everywhere)}). Look at the example and at "
            "the loss function (a missing value, a logarithm, root or quotient of 0, or a number "
            "too large?)"
        )
    if now > GROWN * max(1.0, first) or (moved and not broken):
        trained = hasattr(run, "model")  # the run itself, so that this is a retraining or a push
        other = ", or use smaller down-weights, directions or degree: without them it is finite"
        return (
            f"training diverged {at}, on {_listed(run, bad or numbers)}: {what} is not finite, "
            f"and {sizes}; lower the learning rate{other if trained else ''}"
        )
    where = "the loss itself" if bad else what
    return (
        f"training stopped being finite {at}: {where} is not finite on "
        f"{_listed(run, bad or numbers)}, although the parameters had not grown ({sizes}). Look at "
        "the example and at the loss function (a logarithm, root or quotient of 0, or "
        "a number too large?)"
    )


def _loss(run, parameters, number):
    return run.initial.with_parameters(parameters).losses(run.examples(np.array([number])))


def _listed(run, numbers):
    """The numbers of examples, with the examples themselves where these are short."""
    named = []
    for i in numbers[:SHOWN]:
        example = run.data[i]
        text = repr(example.item() if isinstance(example, np.generic) else example)
        named.append(f"{i} ({text})" if len(text) <= SHORT and text != str(i) else f"{i}")
    more = f" and {len(numbers) - SHOWN} more" if len(numbers) > SHOWN else ""
    return f"example{'s' if len(numbers) > 1 else ''} {', '.join(named)}{more}"


def _parts(value):
    return (value.head, value.tail) if isinstance(value, Jet) else (value,)


def _size(value):
    return max(float(np.abs(part).max(initial=0.0)) for part in _parts(value))


def _copy(value):
    return Jet.of(value.head.copy(), value.tail.copy()) if isinstance(value, Jet) else value.copy()

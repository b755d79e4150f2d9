"""Reverse mode at many points: outputs tried first, batches that fit into memory, in parallel."""

import math
from pathlib import Path

import numpy as np

from ..algebra.jet import Jet
from ..processes import alone, in_processes, workers
from ..progress import progress_bar
from .models import Flat
from .reverse import bytes_per_point, derivatives, slope_of, value_of
from .runs import BATCH

TOGETHER = 160  # points times outputs that go back side by side: more are no faster
SHARE = 0.5  # of the memory that is free, for all processes together


def in_batches(run, functions, down_weights, *, jobs=1, progress=True):
    """Yields the `Derivatives` of all points, (points, n), in order, some points at a time.

    Close it if something else may fail before its end: what is under way stops then.

    jobs: processes to use, as joblib counts them. The numbers do not depend on it but for rounding.
    Raises ValueError before the work starts if an output cannot be differentiated, MemoryError if
    the states of one point do not fit into memory.
    """
    for function in functions:
        check_output(run, function)
    processes = min(workers(jobs), len(down_weights)) or 1
    batches = _batches(run, len(functions), down_weights, processes)
    with progress_bar(2 * run.steps * len(batches), progress) as bar:
        if processes == 1:
            for batch in batches:
                yield alone(derivatives, run, functions, batch, update=bar.update)
            return
        work = [(run, functions, batch) for batch in batches]
        with in_processes(derivatives, work, jobs) as results:
            for found in results:
                bar.update(2 * run.steps)
                yield found


def check_output(run, function):
    """Raise, in words, if an output of the trained model is no finite number, or not
    differentiable by `ring_grad`: ValueError, or TypeError for what is not written with the ring.
    """
    named = run.model.parameters
    with np.errstate(all="ignore"):
        value = value_of(function, run.model)
        try:
            slope = slope_of(run, function, named)
        except Exception as error:
            raise TypeError(
                f"the output {called(function)!r} cannot be differentiated ({error}): write it "
                "with functions of sketchlab.ring and model.loss, as sl.LossOn('max') is"
            ) from error
    if not np.all(np.isfinite(slope)):
        raise ValueError(
            f"the derivative of the output {called(function)!r} is not finite at the trained "
            f"model, where it is {value:.4g} (a root, logarithm or quotient of 0?)"
        )
    if not np.any(slope) and not _bends(run, function):
        raise ValueError(
            f"the derivative of the output {called(function)!r} by every parameter is 0: it does "
            "not depend on them, or only in steps, as a count, an accuracy or an argmax does. Ask "
            "for the loss, a probability or a margin"
        )


def called(function):
    """What an output is called: its title, or its name."""
    return str(getattr(function, "title", getattr(function, "__name__", function)))


def _bends(run, function):
    """Whether an output changes with the parameters, as a loss at its minimum does."""
    axis = Flat.of(run.initial.parameters)
    flat = axis.flat(run.model.parameters)
    along = np.random.default_rng(0).normal(size=(1, axis.size))
    model = run.initial.with_parameters(axis.named(Jet.line(flat[None], along, 2)))
    try:
        jet = function(model)
    except TypeError:  # a comparison, or another function that jets do not have
        return False
    return isinstance(jet, Jet) and bool(np.any(jet.tail))


def _batches(run, outputs, down_weights, workers):
    """The points in even batches, as large as is fast and fits into memory."""
    most, free = max(1, min(BATCH, TOGETHER // outputs)), check_memory(run, outputs)
    if free is not None:
        most = max(1, min(most, int(SHARE * free / bytes_per_point(run, outputs) / workers)))
    size = even_size(len(down_weights), most, workers)
    return [down_weights[i : i + size] for i in range(0, len(down_weights), size)]


def even_size(count, most, workers):
    """Size of equal batches, at most `most`, that keep all workers busy to the end; 1 for none."""
    rounds = math.ceil(count / (most * workers))
    return math.ceil(count / (rounds * workers)) if count else 1


def check_memory(run, outputs):
    """Bytes that are free, if that is known; MemoryError if one point takes more than these."""
    need = bytes_per_point(run, outputs)
    return check_fits(
        need,
        f"reverse mode needs {need / 1e9:.3g} GB for one point with {outputs} outputs",
        "give fewer outputs at a time, or a smaller model",
    )


def check_fits(need, words, advice):
    """Bytes that are free, if that is known; MemoryError, in words, if `need` bytes are more."""
    free = available_memory()
    if free is not None and need > free:
        raise MemoryError(f"{words}, and {free / 1e9:.3g} GB are free: {advice}")
    return free


def available_memory():
    """Bytes that a process can still get without swapping (Linux), or None: not known."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    found = [line.split() for line in lines if line.startswith("MemAvailable:")]
    return 1024 * int(found[0][1]) if found else None

"""sketchlab: predict what deleting training data would do to a model, without retraining it.

The rooms, from the ground up; each imports only from those before it:

`checks`, `progress`, `canvas`: arguments, progress bars, empty figures.
`algebra`: jets (truncated power series), functions and gradients over numbers and jets, circuits.
`training`: training as a circuit in the down-weights of its data; microgpt, names, named outputs.
`estimation`: units and directions; from jets to a prediction with its band; the epsilon-planner.
`sketching`: sketches of training runs, their anchors, and the folders they are kept in.
`attribution`: the methods to compare with.
`unlearning`: methods that change a trained model, and what they are judged by.
`incontext`: learning in context, and exact unlearning of what it is learned from.
`reports`: the report of one request to delete documents, and a page to play with.
`exercises`: what is said of an answer to an exercise of the notebooks.
`figures`, `widgets`, `paper`: pictures, the explorer and points to click, the paper's experiments.
`records`, `commands`: what `python -m sketchlab` computes, and what repeats it.

What is slow to import (zarr, matplotlib, ipywidgets) is loaded when it is first used.
"""

import importlib

from .algebra import circuits, ring
from .algebra.circuits import Circuit
from .algebra.jet import Jet
from .algebra.ring import ring_grad
from .training import microgpt, names
from .training.microgpt import MicroGPT, train
from .training.models import Model
from .training.optimizers import SGD, Adam
from .training.outputs import LetterLoss, LossOn, MeanLoss, NextLetter
from .training.runs import TrainingRun

__version__ = "0.1.0"

LATER = {  # name: the room or module that has it, and what it is called there
    "attribution": (".attribution", None),
    "directions": (".estimation.directions", None),
    "exercises": (".exercises", None),
    "explore": (".widgets", "explore"),
    "figures": (".figures", None),
    "incontext": (".incontext", None),
    "local_sketch": (".estimation.local", "local_sketch"),
    "open_sketch": (".sketching.sketch", "open_sketch"),
    "paper": (".paper", None),
    "plan": (".sketching.planning", "plan"),
    "plan_part": (".estimation.plan", "plan_part"),
    "report": (".reports", "report"),
    "reports": (".reports", None),
    "scoreboard": (".attribution.comparison", "scoreboard"),
    "sketch": (".sketching.sketch", "sketch"),
    "units": (".estimation.units", None),
    "unlearning": (".unlearning", None),
    "widgets": (".widgets", None),
}

__all__ = [
    "SGD",
    "Adam",
    "Circuit",
    "Jet",
    "LetterLoss",
    "LossOn",
    "MeanLoss",
    "MicroGPT",
    "Model",
    "NextLetter",
    "TrainingRun",
    "circuits",
    "microgpt",
    "names",
    "ring",
    "ring_grad",
    "train",
    *LATER,
]


def __getattr__(name):
    """Import on first use."""
    if name not in LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, attribute = LATER[name]
    found = importlib.import_module(module, __name__)
    value = found if attribute is None else getattr(found, attribute)
    globals()[name] = value
    return value


def __dir__():
    return sorted({*globals(), *LATER})

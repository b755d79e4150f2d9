"""sketchlab: predict what deleting training data would do to a model, without retraining it.

The rooms, in the order of the notebooks: `circuits` (scalar arithmetic circuits), `jets` (truncated
power series), `ring` (functions and gradients over numbers and jets), `training` (training as a
circuit in the down-weights of its data), `microgpt` and `names` (the model and its data),
`directions`, `units`, `store`, `sketch` and `planner` (the deletion scheme), `estimate`,
`minimum_norm`, `resummation`, `anchored` and `estimators` (from jets to predictions), `attribution`
(the methods to compare with), `paper` (the paper's experiments), `figures` and `widgets`.
"""

import importlib

from . import (
    attribution,
    circuits,
    directions,
    estimate,
    figures,
    jets,
    microgpt,
    names,
    ring,
    training,
    units,
    widgets,
)
from .circuits import Circuit
from .jets import Jet
from .microgpt import MicroGPT, train
from .planner import plan, plan_part
from .ring import ring_grad
from .sketch import local_sketch, open_sketch, sketch
from .training import SGD, Adam, Model, TrainingRun
from .widgets import explore

__version__ = "0.1.0"

__all__ = [
    "SGD",
    "Adam",
    "Circuit",
    "Jet",
    "MicroGPT",
    "Model",
    "TrainingRun",
    "attribution",
    "circuits",
    "directions",
    "estimate",
    "explore",
    "figures",
    "jets",
    "local_sketch",
    "microgpt",
    "names",
    "open_sketch",
    "paper",
    "plan",
    "plan_part",
    "ring",
    "ring_grad",
    "sketch",
    "train",
    "training",
    "units",
    "widgets",
]


def __getattr__(name):
    """Import `paper` on first use: it is also a command, and must not be loaded before it runs."""
    if name == "paper":
        return importlib.import_module(".paper", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return [*globals(), "paper"]

"""Attribution: what each training document did to an output, method by method.

`first_order`: the exact derivative by every down-weight, by reverse mode through training.
`influence`, `gradient_products`: what can be told at the trained parameters alone.
`trak`: projected gradients as features of a linear model, at one model or several (`halves`).
`interactions`: influence of groups, with the output taken beyond its gradient.
`scaled`: one scale for scores that only rank, fitted to exact retrainings.
`tracin`: shares of documents in the steps of training, without second derivatives.
`retrained`, `effects`, `regression`: exact retrainings, and what can be predicted from them alone.
`banzhaf`, `shapley`: mean effects of deleting a unit among random others.
`taylor_terms`: exact Taylor terms, by jets along the deletions that are asked about.
`ConvexFit`: regressions where deletion has an exact answer, and Newton steps towards it.
`scoreboard`: any of these, and sketches, beside exact retraining at their cost.
`metasmoothness`: whether a derivative of training says anything about a step.
`recovery`: how many bad documents a ranking finds, `by_chance` what a random one does,
`without_first` deletes what it puts first; `wrong_names` and `flipped_labels` make bad data.
"""

from .checkpoints import tracin
from .comparison import KNOWN, NULLS, available, scoreboard
from .ensembles import Ensemble, halves
from .first_order import FirstOrder, first_order
from .influence import gradient_products, influence, lowest_curvature
from .interactions import AlongMove, interactions
from .methods import METHODS, Method
from .newton import AfterDeletion, ConvexFit
from .projections import trak
from .rankings import Ranking, scaled
from .recovery import Chance, Recovery, by_chance, recovery, without_first
from .regressions import regression
from .results import Results
from .retraining import Baseline, Retrained, effects, random_deletions, retrained
from .scoreboard import Scoreboard, scores, total_cost
from .semivalues import Semivalues, banzhaf, random_halves, shapley
from .smoothness import Metasmoothness, metasmoothness
from .spoiled import flipped_labels, wrong_names
from .tables import markdown
from .tasks import Made, Task
from .taylor import TaylorTerms, taylor_terms

__all__ = [
    "KNOWN",
    "METHODS",
    "NULLS",
    "AfterDeletion",
    "AlongMove",
    "Baseline",
    "Chance",
    "ConvexFit",
    "Ensemble",
    "FirstOrder",
    "Made",
    "Metasmoothness",
    "Method",
    "Ranking",
    "Recovery",
    "Results",
    "Retrained",
    "Scoreboard",
    "Semivalues",
    "Task",
    "TaylorTerms",
    "available",
    "banzhaf",
    "by_chance",
    "effects",
    "first_order",
    "flipped_labels",
    "gradient_products",
    "halves",
    "influence",
    "interactions",
    "lowest_curvature",
    "markdown",
    "metasmoothness",
    "random_deletions",
    "random_halves",
    "recovery",
    "regression",
    "retrained",
    "scaled",
    "scoreboard",
    "scores",
    "shapley",
    "taylor_terms",
    "total_cost",
    "tracin",
    "trak",
    "without_first",
    "wrong_names",
]

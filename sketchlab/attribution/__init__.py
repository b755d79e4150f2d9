"""Attribution: what each training document did to an output, method by method.

`first_order`: the exact derivative by every down-weight, by reverse mode through training.
`influence`, `gradient_products`: what can be told at the trained parameters alone.
`trak`: projected gradients as features of a linear model, at one model or several (`halves`).
`interactions`: influence of groups, with the output taken beyond its gradient.
`scaled`: one scale for scores that only rank, fitted to exact retrainings.
`tracin`: shares of documents in the steps of training, without second derivatives.
`retrained`, `effects`, `regression`: exact retrainings, and what can be predicted from them alone.
`taylor_terms`: exact Taylor terms, by jets along the deletions that are asked about.
`ConvexFit`: regressions where deletion has an exact answer, and Newton steps towards it.
`Scoreboard`: any of these, and sketches, beside exact retraining at its cost.
"""

from .checkpoints import tracin
from .ensembles import Ensemble, halves
from .first_order import FirstOrder, first_order
from .influence import gradient_products, influence, lowest_curvature
from .interactions import AlongMove, interactions
from .newton import AfterDeletion, ConvexFit
from .projections import trak
from .rankings import Ranking, scaled
from .regressions import regression
from .retraining import Baseline, Retrained, effects, random_deletions, retrained
from .scoreboard import Scoreboard, scores, total_cost
from .tables import markdown
from .taylor import TaylorTerms, taylor_terms

__all__ = [
    "AfterDeletion",
    "AlongMove",
    "Baseline",
    "ConvexFit",
    "Ensemble",
    "FirstOrder",
    "Ranking",
    "Retrained",
    "Scoreboard",
    "TaylorTerms",
    "effects",
    "first_order",
    "gradient_products",
    "halves",
    "influence",
    "interactions",
    "lowest_curvature",
    "markdown",
    "random_deletions",
    "regression",
    "retrained",
    "scaled",
    "scores",
    "taylor_terms",
    "total_cost",
    "tracin",
    "trak",
]

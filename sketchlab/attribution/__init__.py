"""Attribution: what each training document did to an output, method by method.

`first_order`: the exact derivative by every down-weight, by reverse mode through training.
`influence`, `gradient_products`: what can be told at the trained parameters alone.
`tracin`: shares of documents in the steps of training, without second derivatives.
`retrained`, `effects`, `regression`: exact retrainings, and what can be predicted from them alone.
`taylor_terms`: exact Taylor terms, by jets along the deletions that are asked about.
`ConvexFit`: regressions where deletion has an exact answer, and Newton steps towards it.
`Scoreboard`: any of these, and sketches, beside exact retraining at its cost.
`recovery`: how many bad documents a ranking finds, `by_chance` what a random one does,
`without_first` deletes what it puts first; `wrong_names` and `flipped_labels` make bad data.
"""

from .checkpoints import tracin
from .first_order import FirstOrder, first_order
from .influence import Ranking, gradient_products, influence, lowest_curvature
from .newton import AfterDeletion, ConvexFit
from .recovery import Chance, Recovery, by_chance, recovery, without_first
from .regressions import regression
from .retraining import Baseline, Retrained, effects, random_deletions, retrained
from .scoreboard import Scoreboard, scores, total_cost
from .spoiled import flipped_labels, wrong_names
from .tables import markdown
from .taylor import TaylorTerms, taylor_terms

__all__ = [
    "AfterDeletion",
    "Baseline",
    "Chance",
    "ConvexFit",
    "FirstOrder",
    "Ranking",
    "Recovery",
    "Retrained",
    "Scoreboard",
    "TaylorTerms",
    "by_chance",
    "effects",
    "first_order",
    "flipped_labels",
    "gradient_products",
    "influence",
    "lowest_curvature",
    "markdown",
    "random_deletions",
    "recovery",
    "regression",
    "retrained",
    "scores",
    "taylor_terms",
    "total_cost",
    "tracin",
    "without_first",
    "wrong_names",
]

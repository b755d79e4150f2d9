"""Learning in context, and exact unlearning of what it is learned from.

`QuantizedKMeans`: clusters from which points can be deleted exactly, with a `Certificate`, on a
lattice of `recommended_width`; `means` has theirs, before they are rounded. `Erase`: a `Learner`
with a prompt of the examples in their middle. `pretrain` makes a learner, from `letter_images` for
instance. `FineTuned`: what is compared with.
"""

from . import means
from .finetuning import FineTuned
from .kmeans import QuantizedKMeans
from .lattice import recommended_width
from .learner import Learner, pretrain
from .letters import letter_images
from .lloyd import Certificate
from .prompt import Erase

__all__ = [
    "Certificate",
    "Erase",
    "FineTuned",
    "Learner",
    "QuantizedKMeans",
    "letter_images",
    "means",
    "pretrain",
    "recommended_width",
]

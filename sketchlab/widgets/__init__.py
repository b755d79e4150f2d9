"""What people operate in a notebook: plain models that hold the state, and thin views of them.

Models: `selection` (what is deleted), `questions` (what is asked), `explorer` (both, with the
sketch and the retrainings). Views: `view` and its `controls`, `sliders`, and shared `parts`.
"""

from .sliders import with_sliders
from .view import explore

__all__ = ["explore", "with_sliders"]

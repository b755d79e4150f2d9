"""What people operate in a notebook: plain models that hold the state, and thin views of them.

Models: `selection` (what is deleted), `explorer` (that, what is asked, and how accurately),
`answers` (a prediction beside the truth), `kept` (what was computed already); `offers` (what can be
asked of any model), `labels` (of its documents) and `columns` (of a table that describes them);
`forgetting` (points deleted from clusters); `suspects` (a ranking of documents, some of them
ticked).
Views: `view`; its `deletion_controls` with a `name_list` and `proposals`, and `question_controls`;
`words` (what it says); `points` to click and their `verdicts`; `reviewing` a ranking; `sliders`;
and the `parts` that all share.
"""

from .points import forget_points
from .reviewing import review
from .sliders import with_sliders
from .view import explore

__all__ = ["explore", "forget_points", "review", "with_sliders"]

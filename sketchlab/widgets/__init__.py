"""What people operate in a notebook: plain models that hold the state, and thin views of them.

Models: `selection` (what is deleted), `explorer` (that, what is asked, and how accurately),
`answers` (a prediction beside the truth) and their `history`, `kept` (what was computed already);
`offers` (what can be asked of any model), `labels` (of its documents), `columns` (of a table that
describes them) and `thumbnails` (of images);
`forgetting` (points deleted from clusters); `suspects` (a ranking of documents, some of them
ticked); `one_deletion` (what methods predict of it, beside the truth), with the `method_answers`.
Views: `view`; its `deletion_controls` with a `name_list` and `proposals`, and `question_controls`;
`words` (what it says); `points` to click and their `verdicts`; `reviewing` a ranking; `comparing`
methods, with `document_choices` and `comparison_words`; `sliders`; and what all share, the `parts`
and what the `browser` does for them.
"""

from .comparing import compare_methods
from .explorer import Explorer
from .points import forget_points
from .reviewing import review
from .sliders import with_sliders
from .view import explore

__all__ = ["Explorer", "compare_methods", "explore", "forget_points", "review", "with_sliders"]

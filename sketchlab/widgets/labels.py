"""What people know the documents of a run by: their text, the number of a row, or words given."""

from ..training.microgpt import MicroGPT
from ..training.own import row_numbers
from .suspects import document_labels


def labelled(run, labels):
    """Words for the documents of a run, n of them, and what one document is called.

    labels: one for each document, or a function of its number; default: the text of documents that
    are text, else "row 17". A run on the numbers of some rows has these, not its own.
    """
    text = all(isinstance(document, str) for document in run.data)
    rows = labels is None and not text
    if rows:
        labels = [f"row {number}" for number in row_numbers(run.data) or range(len(run))]
    noun = "name" if isinstance(run.model, MicroGPT) else "row" if rows else "document"
    return document_labels(run, labels), noun

"""What people know the documents of a run by: their text, the number of a row, or words given."""

from ..training import names
from ..training.own import row_numbers
from .suspects import document_labels

NAMED = 1 / 3  # this share of first names of the embedded list: the documents are names


def labelled(run, labels):
    """Words for the documents of a run, n of them, and what one document is called.

    labels: one for each document, or a function of its number; default: the text of documents that
    are text, else "row 17". A run on the numbers of some rows has these, not its own.
    """
    text = all(isinstance(document, str) for document in run.data)
    known = set(names.load())
    named = text and sum(document in known for document in run.data) >= NAMED * len(run)
    rows = labels is None and not text
    if rows:
        labels = [f"row {number}" for number in row_numbers(run.data) or range(len(run))]
    noun = "row" if rows else "name" if named else "document"
    return document_labels(run, labels), noun

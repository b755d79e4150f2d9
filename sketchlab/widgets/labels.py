"""What people know the documents of a run by: their text, the number of a row, or words given."""

import numpy as np

from ..training.microgpt import MicroGPT
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


def row_numbers(data):
    """Data that are integers, each only once, as a list of int; else None."""
    array = np.asarray(data) if isinstance(data, (np.ndarray, range)) else None
    if array is not None:
        whole = array.ndim == 1 and array.dtype.kind in "iu"
    else:
        whole = all(
            isinstance(one, (int, np.integer)) and not isinstance(one, bool) for one in data
        )
    numbers = [int(one) for one in data] if whole else []
    return numbers if numbers and len(set(numbers)) == len(numbers) else None

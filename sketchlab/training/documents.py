"""Documents before they are trained on: checked, some kept aside, and how far they are read."""

import numbers
import random
import unicodedata
import warnings

import numpy as np

from ..checks import check_count, check_seed


def checked(docs):
    """Documents as a list of texts in their composed form (NFC), or raise for what are none."""
    if isinstance(docs, (str, bytes)) or not hasattr(docs, "__iter__"):
        raise TypeError(f"documents must be a list of strings, not {type(docs).__name__}")
    if isinstance(docs, dict) or getattr(docs, "ndim", 1) != 1:  # a list of these is its headers
        raise TypeError(
            f"documents must be a list of strings, not a {type(docs).__name__}: give one column of "
            "it, such as table['name'].tolist()"
        )
    docs = list(docs)
    if not docs:
        raise ValueError("there are no documents: give at least one name to train on")
    for number, doc in enumerate(docs):
        if not isinstance(doc, str):
            raise TypeError(f"document {number} must be a string, not {type(doc).__name__}")
        if not doc:
            raise ValueError(f"document {number} is empty: remove it")
    if ends := sum(doc[-1] in "\r\n" for doc in docs):
        warnings.warn(
            f"{ends} of {len(docs)} documents end with a line break, which is trained on as a "
            "letter: read a file with text.splitlines(), not with readlines()",
            stacklevel=4,
        )
    return [unicodedata.normalize("NFC", doc) for doc in docs]


def kept_aside(docs, held_out, seed):
    """Documents to train on, and those to keep aside."""
    if isinstance(held_out, numbers.Real) and not isinstance(held_out, bool):
        share = float(held_out) if 0 < held_out < 1 else 0.0
        count = round(share * len(docs))
        if not 0 < count < len(docs):
            raise ValueError(
                f"held_out must be a share of the {len(docs)} documents, above 0 and below 1, that "
                f"leaves some on both sides, or a list of other documents, not {held_out!r}"
            )
        if isinstance(seed, random.Random):
            raise TypeError("a share is held out by an integer seed: give one, or a list")
        seed = check_seed(seed)
        aside = set(random.Random(f"held out {seed}").sample(range(len(docs)), count))
        kept = [doc for i, doc in enumerate(docs) if i not in aside]
        others = [docs[i] for i in sorted(aside)]
        if both := set(kept) & set(others):
            known = sum(doc in both for doc in others)
            warnings.warn(
                f"{known} of the {count} documents held out are trained on too, since they occur "
                f"more than once, such as {min(both)!r}: they are not unseen; "
                "list(dict.fromkeys(docs)) leaves one of each",
                stacklevel=4,
            )
        return kept, others
    if isinstance(held_out, (str, bytes)) or not np.iterable(held_out):
        raise TypeError(f"held_out must be a share or a list of documents, not {held_out!r}")
    others = list(held_out)
    for doc in others:
        if not isinstance(doc, str) or not doc:
            raise TypeError(f"a document that is held out must be a string of letters, not {doc!r}")
    others = [unicodedata.normalize("NFC", doc) for doc in others]
    if both := set(others) & set(docs):
        raise ValueError(
            f"{min(both)!r} is held out and trained on: take it out of one of the two lists"
        )
    return docs, others


def reach(docs, context):
    """The context, after a warning if it cuts documents: a start and the letters are read."""
    longest = max(map(len, docs)) + 1
    if isinstance(context, str) and context == "longest":
        return longest
    context = check_count(context, 'context, if not "longest",')
    cut = sum(len(doc) + 1 > context for doc in docs)
    if cut:
        warnings.warn(
            f"{cut} of {len(docs)} documents are longer than the context of {context}, and are "
            f'read up to letter {context} only: give context={longest} or context="longest" to '
            "read all",
            stacklevel=4,
        )
    return context

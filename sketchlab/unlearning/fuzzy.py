"""Fuzzy matching: widening a forget set by the documents that are nearly the same.

Who asks that "maria" be forgotten may mean "marie" as well (Zagardo 2024, arXiv 2406.09391). Texts
are compared by the letters that they share in order: with the longest common subsequence LCS of a
and b, their similarity is 200 LCS / (|a| + |b|), the normalised Indel similarity in percent. Case
and accents count; how an accent is composed does not.
"""

import unicodedata

import numpy as np

from ..arguments import check_texts, takes
from ..checks import check_positive

CUTOFF = 80.0  # of two names of five letters that differ in one: 80
ROUNDING = 1e-9  # of a similarity that is the cutoff


@takes(texts=check_texts, others=check_texts)
def similarity(texts, others):
    """How similar texts are to others, from 0 to 100: (texts, others).

    100: the same, letter by letter. 0: no letter in common. Of two empty texts: 100.
    """
    texts, others = _texts(texts, "texts"), _texts(others, "others")
    from rapidfuzz import process  # slow to import, and seldom needed
    from rapidfuzz.distance import Indel

    scorer, double = Indel.normalized_similarity, np.float64
    return 100.0 * process.cdist(texts, others, scorer=scorer, dtype=double)


@takes(texts=check_texts, cutoff=check_positive)
def similar(run, texts, *, cutoff=CUTOFF):
    """Numbers of the training documents that are similar to any of the texts, in order: a list.

    run: a training run on text. texts: a list of strings; those that were trained on find
    themselves. cutoff: the lowest `similarity` that counts, above 0 and up to 100 (which finds
    equal documents alone). One other letter among five leaves 80, among ten 90; one letter more
    than five 91.
    [] if none is similar. Raises TypeError for what is no text.
    """
    if not 0 < cutoff <= 100:
        raise ValueError(f"cutoff must be a number above 0 and up to 100, not {cutoff!r}")
    if not len(texts):
        raise ValueError("there are no texts to compare with: give at least one")
    found = similarity(texts, _texts(run.data, "documents"))
    numbers = np.flatnonzero(np.any(found >= cutoff - ROUNDING, axis=0))
    return [int(i) for i in numbers]


def _texts(texts, what):
    """Texts in their composed form (NFC), as models read them."""
    if isinstance(texts, (str, bytes)) or not hasattr(texts, "__iter__"):
        raise TypeError(f"{what} must be a list of strings, not {texts!r}")
    texts = list(texts)
    for number, text in enumerate(texts):
        if not isinstance(text, str):
            raise TypeError(
                f"only text can be compared letter by letter: number {number} of the {what} is a "
                f"{type(text).__name__}"
            )
    return [unicodedata.normalize("NFC", text) for text in texts]

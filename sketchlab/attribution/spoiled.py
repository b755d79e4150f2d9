"""Bad data made on purpose, to see which method finds them.

`wrong_names`: words of random letters among real ones. `flipped_labels`: labels that are wrong.
"""

import numpy as np

from ..arguments import check_list, check_texts, kinds_array, takes
from ..checks import check_count, check_seed


@takes(names=check_texts, count=check_count)
def wrong_names(names, count, seed=0):
    """Some of the names replaced by random letters: the new list, and the numbers of these.

    names: non-empty strings. A replaced name keeps its length; its letters are drawn, each with
    the same chance, from all letters that occur in the names. What happens to be one of the names
    is drawn again. count: how many, fewer than there are. The numbers rise. ValueError or
    TypeError, in words, for anything else.
    """
    if isinstance(names, (str, bytes)) or not all(isinstance(name, str) for name in names):
        raise TypeError("names must be a list of strings, such as sl.names.load()")
    names, known = list(names), set(names)
    if "" in known:
        raise ValueError(f"name {names.index('')} is empty: remove it")
    rng, places = _places(len(names), count, seed)
    letters = sorted(set("".join(names)))
    for place in places:
        for _ in range(TRIES):
            word = "".join(rng.choice(letters, len(names[place])))
            if word not in known:
                break
        else:
            raise ValueError(
                f"every word of {len(names[place])} letters that was tried is one of the names: "
                "take longer names"
            )
        names[place] = word
    return names, places


@takes(count=check_count, labels=check_list)
def flipped_labels(labels, count, seed=0):
    """Some of the labels replaced by wrong ones: the new labels, (n,), and the numbers of these.

    labels: (n,), of at least two kinds. A wrong label is drawn, each with the same chance, from all
    kinds but the right one. count: how many, fewer than there are. The numbers rise. ValueError, in
    words, for anything else.
    """
    labels = kinds_array(labels, "labels").copy()
    if labels.ndim != 1:
        raise ValueError(f"labels must be one for each example, (n,), not {labels.shape}")
    kinds, of = np.unique(labels, return_inverse=True)
    if len(kinds) < 2:
        raise ValueError(f"labels must be of two kinds or more, not {kinds.tolist()} alone")
    rng, places = _places(len(labels), count, seed)
    shift = rng.integers(1, len(kinds), len(places))
    labels[places] = kinds[(of[places] + shift) % len(kinds)]
    return labels, places


TRIES = 100


def _places(n, count, seed):
    """A generator, and the numbers of some of n things in rising order."""
    if check_count(count, "count") >= n:
        raise ValueError(f"count must be below {n}, so that good ones are left, not {count}")
    rng = np.random.default_rng(check_seed(seed))
    return rng, np.sort(rng.choice(n, count, replace=False))

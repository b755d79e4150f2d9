"""Which deletions a page offers: those given, or groups of names by their letters."""

from collections import Counter

from ..checks import brief, check_indices
from ..unlearning.documents import forget_set
from .markup import visible

FEWEST = 2  # names in a group: one alone is better picked by itself
RARE, ENDINGS = 6, 8  # groups by a letter inside, and by the last two letters
MOST = 200  # deletions: each is trained eleven times
EXAMPLES = 6  # of the documents of a deletion that are shown


def by_letters(names):
    """Groups of names, numbers by label by heading: by first letter, by rare letter, by ending.

    Those with fewer than two names, or with all, are left out. The rare letters are the six that
    the fewest names contain, and the endings the eight, of two letters, that the most names have.
    """
    first, inside, ends = {}, {}, {}
    for number, name in enumerate(names):
        first.setdefault(name[0], []).append(number)
        ends.setdefault(name[-2:], []).append(number)
        for letter in set(name):
            inside.setdefault(letter, []).append(number)
    most = len(names) - 1
    rare = _kept(inside, sorted(inside, key=lambda one: (len(inside[one]), one)), most)
    common = _kept(ends, [ending for ending, _ in Counter(sorted(ends)).most_common()], most)
    common = sorted(common, key=lambda one: (-len(ends[one]), one))
    found = {
        "names that begin with": {one: first[one] for one in _kept(first, sorted(first), most)},
        "names that contain": {one: inside[one] for one in sorted(rare[:RARE])},
        "names that end in": {one: ends[one] for one in sorted(common[:ENDINGS])},
    }
    return {heading: groups for heading, groups in found.items() if groups}


def _kept(groups, order, most):
    return [one for one in order if FEWEST <= len(groups[one]) <= most]


def offered(run, deletions):
    """The deletions of a page, in order: dictionaries with their documents' numbers.

    deletions: document numbers by label by heading, such as {"names that begin with": {"x": [3,
    8]}}, or None for groups of names by letters. Raises TypeError or ValueError, in words.
    """
    if deletions is None:
        texts = [run.data[i] for i in range(len(run))]
        if not all(isinstance(one, str) and one for one in texts):
            raise TypeError(
                "only text has letters to choose deletions by: give deletions=, such as "
                "{'rows of class': {'a': [0, 3]}}"
            )
        deletions = by_letters(texts)
    if not isinstance(deletions, dict) or not all(isinstance(d, dict) for d in deletions.values()):
        raise TypeError(
            "deletions must be document numbers by label by heading, such as "
            f"{{'names that begin with': {{'x': [3, 8]}}}}, not {brief(deletions)}"
        )
    found = []
    for heading, groups in deletions.items():
        for label, numbers in groups.items():
            if not isinstance(heading, str) or not isinstance(label, str):
                raise TypeError(
                    f"headings and labels must be strings, not {brief(heading)}, {brief(label)}"
                )
            numbers = sorted(check_indices(numbers, len(run)).tolist())
            forget_set(run, numbers)
            found.append({"heading": visible(heading), "label": visible(label), "of": numbers})
    if not 1 <= len(found) <= MOST:
        raise ValueError(f"a page offers 1 to {MOST} deletions, not {len(found)}: give others")
    for one in found:
        texts = [text for text in run.examples(one["of"]) if isinstance(text, str)]
        one["examples"] = [visible(text) for text in texts[:EXAMPLES]]
    return found

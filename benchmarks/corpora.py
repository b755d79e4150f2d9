"""What the benchmark of bands trains on: names, sums, streets, and a table.

A `Corpus` is a training run of documents, with outputs and groups of documents that share a
pattern. All but the paper's names are made here, or come with the package or scikit-learn.
"""

import dataclasses
from itertools import chain, pairwise, product, zip_longest

import numpy as np

import sketchlab as sl
from sketchlab import ring

COUNTS = {"names": 1000, "sums": 1000, "streets": 500, "table": 450}
KINDS = {"losses": slice(8), "probabilities": slice(8, 12), "mean loss": slice(12, 13)}
ASKED = 40  # documents that are asked about without being trained on
RANGES = 64  # of features of the table, each a group of rows
STEMS = """abend adler ahorn anger apfel auen bach beeren berg birken blumen brunnen buchen burg
    dom dorf drossel distel eichen eisen elster erlen fasan feld fichten fisch forst garten
    gerber ginster haupt hafen hasel heide hof insel jaeger joch kant kasten kirch kloster
    kranich land lerchen linden luisen markt mohn muehlen nelken nord ost ober park pappel
    quell rathaus reiher ring rosen sand schiller schul see sonnen sued tal tannen teich tulpen
    ufer ulmen unter veilchen vogel wald wasser weiden west wiesen winkel zeder ziegel""".split()
ENDINGS = "allee damm gasse pfad platz ring steig strasse ufer weg".split()


@dataclasses.dataclass(frozen=True)
class Corpus:
    """A training run, what is asked of it, and groups of its documents, by number.

    outputs: of the `KINDS`. alike: groups that share a pattern. first: the first letter of every
    document, none for a table.
    """

    run: sl.TrainingRun
    outputs: list
    alike: list
    first: list


def documents(options):
    """A corpus of microgpt, on the documents that the options name."""
    rng, count = np.random.default_rng(0), options.count
    if options.names:
        docs = sl.names.load(options.names)
        run = sl.paper.training_run(options.names, progress=False)
    else:
        docs = {"names": sl.names.load, "sums": sums, "streets": streets}[options.corpus]()
        run = sl.train(docs[:count], progress=False)
    seen, letters = set(run.data), set(run.model.vocabulary)
    others = [doc for doc in docs if doc not in seen and set(doc) <= letters]
    if len(others) < ASKED:
        raise ValueError(f"of {len(docs)} documents {ASKED} must be left to ask about")
    tested = [*others[:6], run.data[len(run) // 2], run.data[-1]]
    outputs = [sl.LossOn(doc) for doc in tested]
    outputs += [sl.NextLetter(doc[: len(doc) // 2], doc[len(doc) // 2]) for doc in others[6:10]]
    outputs.append(sl.MeanLoss(others[10:ASKED]))
    return Corpus(run, outputs, patterns(run.data, rng), [doc[0] for doc in run.data])


def sums():
    """Different sums of two numbers below 256, in hexadecimal and random order."""
    chosen = np.random.default_rng(1).permutation(256 * 256)[:2000]
    return [f"{a:02x}+{b:02x}={a + b:x}" for a, b in zip(chosen // 256, chosen % 256, strict=True)]


def streets():
    """All compositions of a stem and an ending, in random order."""
    docs = [stem + ending for stem, ending in product(STEMS, ENDINGS) if stem != ending]
    return [docs[i] for i in np.random.default_rng(2).permutation(len(docs))]


def patterns(docs, rng):
    """Groups of documents that start with two letters, or end with or contain one or two.

    Each of 2 documents to a third of them, and no two alike; the kinds take turns.
    """
    kinds = (
        lambda doc: {doc[:2]},
        lambda doc: {doc[-1:]},
        lambda doc: {doc[-2:]},
        lambda doc: set(doc),
        lambda doc: set(map("".join, pairwise(doc))),
    )
    found = []
    for kind in kinds:
        groups = {}
        for number, doc in enumerate(docs):
            for part in kind(doc):
                groups.setdefault(part, []).append(number)
        fit = [groups[part] for part in sorted(groups) if 2 <= len(groups[part]) <= len(docs) / 3]
        found.append([tuple(fit[i]) for i in rng.permutation(len(fit))])
    mixed = chain.from_iterable(zip_longest(*found, fillvalue=()))
    return [group for group in dict.fromkeys(mixed) if group]


@dataclasses.dataclass(frozen=True)
class Probability:
    """The probability that a row of the table has its label."""

    row: int
    unit = "of probability"
    bounds = (0.0, 1.0)

    def __call__(self, model):
        return ring.exp(-model.loss(self.row))


def table(options):
    """A corpus of logistic regression: units are rows, outputs are of rows that are held out."""
    from sklearn.datasets import load_breast_cancer

    rng, count = np.random.default_rng(0), options.count
    features, labels = load_breast_cancer(return_X_y=True)
    order = rng.permutation(len(labels))
    features, signs = features[order], 2.0 * labels[order] - 1.0
    features = (features - features[:count].mean(axis=0)) / features[:count].std(axis=0)

    def logistic(parameters, rows):
        scores = ring.matmul(features[rows], parameters["w"][..., None])[..., 0]
        return ring.log(1.0 + ring.exp(-signs[rows] * (scores + parameters["c"][..., None])))

    model = sl.Model({"w": np.zeros(features.shape[1]), "c": np.array(0.0)}, logistic)
    settings = {"optimizer": sl.SGD(0.1), "steps": 10 * count // 15, "batch_size": 15}
    run = sl.TrainingRun(model, np.arange(count), progress=False, **settings)
    held_out = range(count, len(signs))
    if len(held_out) < ASKED:
        raise ValueError(f"of {len(signs)} rows {ASKED} must be held out to ask about")
    hard = sorted(held_out, key=run.model.loss)[::-3][:12]  # of most rows nearly all is known
    outputs = [sl.LossOn(row) for i, row in enumerate(hard) if i % 3 != 1]
    outputs += [Probability(row) for row in hard[1::3]]
    outputs.append(sl.MeanLoss(held_out))
    shares = np.exp(rng.uniform(np.log(2 / count), np.log(1 / 3), RANGES))
    ranked, groups = np.argsort(features[:count], axis=0), []
    for share in shares:
        start = round(rng.uniform(0, 1 - share) * count)
        column = ranked[:, rng.integers(ranked.shape[1])]
        groups.append(column[start : start + max(2, round(share * count))])
    return Corpus(run, outputs, groups, [])

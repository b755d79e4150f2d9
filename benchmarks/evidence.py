"""Rows of the table of accuracy: derivatives at deletions, beside equal spending on retrainings.

One sketch, whose jets are not used, keeps all of the evidence: gradients of all outputs at random
deletions, the retrainings without each document alone (singles), which also say how documents act
on each other, and gradients at groups of documents that act alike. A row takes some of these.

Seconds are those of one core, measured around what makes the evidence, in batches on both sides;
the regressions beside it have as many random retrainings as can be made in the same time.
"""

import dataclasses

import numpy as np

from sketchlab import attribution
from sketchlab.attribution import Retrained, effects, random_deletions
from sketchlab.attribution.retraining import find
from sketchlab.sketching import anchors, known
from sketchlab.training.models import Flat
from sketchlab.training.runs import BATCH

FEWEST = 4  # random retrainings in a regression
RANDOM, ALIKE = (1 / 25, 1 / 4), (1 / 125, 1 / 25)  # sizes of points, as shares of the documents


def add_gradients(task, board, random, per_training):
    """Rows of gradients alone, with singles, and with what a budget of trainings pays for.

    random: a list of `Retrained` after random deletions; per_training: core-seconds of each.
    """
    run, rng, options = task.run, np.random.default_rng(task.options.seed), task.options
    n, count = len(run), options.gradients
    derive = {"gradients": task.outputs, **task.work}
    sketched = task.sketch(1, degree=1)
    points = random_deletions(n, sizes(n, RANDOM, 4 * count, rng), rng)
    _, passing = task.timed(sketched.anchor, run, points[:count], **derive)
    per_pass = passing / (count + 1)  # and one where nothing is deleted

    _, alone = task.timed(sketched.anchor, run, "units", **task.work)
    influence, evaluating = task.timed(influence_of_singles, sketched, run)
    singles = alone + evaluating
    groups = alike(influence, sizes(n, ALIKE, 4 * count, rng), rng)
    paid = int((options.trainings * per_training - singles) / per_pass) - 1
    most = min(max(paid, 2), 8 * count)
    half, rest = (most + 1) // 2, most // 2
    further = [*points[count:half], *groups[: max(count, rest)]]
    _, passing = task.timed(sketched.anchor, run, further, **derive)
    per_pass = (per_pass * (count + 1) + passing) / (count + 1 + len(further))

    made = task.made(sketched)
    form = {"influence": lambda _: influence}
    each, mixed = np.eye(n), [*points[:half], *groups[:rest]]
    board.add(
        "retraining: sum of single effects",
        [effects(Retrained.anchors(one)) for one in chosen(made, each, [])],
        seconds=alone,
    )
    name = f"{count} gradients"
    found = chosen(made, [], points[:count])
    spent = {name: per_pass * (count + 1)}
    board.add(f"{name}, nothing else", found, seconds=spent[name], estimator="posterior")
    for total in (count, 2 * count):
        few = [*points[: total // 2], *groups[: total // 2]]
        name = f"singles and {total} gradients"
        spent[name] = singles + per_pass * (total + 1)
        for words, fields in (("", form), (", without the interaction form", {})):
            found = chosen(made, each, few, **fields)
            seconds = spent[name] if fields else spent[name] - evaluating
            board.add(name + words, found, seconds=seconds, estimator="posterior")
    name = f"singles and {most} gradients"
    spent[name] = singles + per_pass * (most + 1)
    found = chosen(made, each, mixed, **form)
    board.add(name, found, seconds=spent[name], estimator="posterior")
    for name, seconds in spent.items():
        add_equal(board, random, per_training, seconds, name)
    taken = random[0].chosen(
        range(affordable(random, per_training, spent[name] - singles - per_pass))
    )
    values = [one.values[: len(taken)] for one in random]
    found = [
        dataclasses.replace(
            one,
            anchors=np.concatenate([one.anchors, taken.deletions]),
            anchor_values=np.concatenate([one.anchor_values, more]),
        )
        for one, more in zip(chosen(made, each, np.zeros((1, n)), **form), values, strict=True)
    ]
    seconds = singles + per_pass + len(taken) * per_training
    board.add(
        f"retraining: posterior of exact first order, singles and {len(taken)} at random",
        found,
        seconds=seconds,
        estimator="posterior",
    )


def add_equal(board, random, per_training, seconds, name, kind="kernel_ridge"):
    """A row of regression of degree 2 on the random retrainings that these seconds pay for."""
    count = affordable(random, per_training, seconds)
    found = attribution.regression([one.chosen(range(count)) for one in random], kind, 2)
    words = f"{kind.replace('_', ' ')} regression of degree 2 in the time of {name}"
    board.add(f"retraining: {words}", found, seconds=count * per_training)


def affordable(random, per_training, seconds):
    """How many of the random retrainings these seconds pay for.

    As many as there are at most, and no fewer than cross-validation needs.
    """
    return int(np.clip(seconds / per_training, FEWEST, len(random[0])))


def chosen(made, retrained, differentiated, **changes):
    """Outputs that know no jets, and only the retrainings and derivatives after these deletions.

    The derivatives where nothing is deleted come with the others. changes: fields that are changed,
    by functions of an output.
    """
    found = []
    for one in made:
        base = np.all(one.gradient_points == one.at, axis=1)
        has = find(one.gradient_points, differentiated) >= 0
        has |= base & bool(len(differentiated))
        exact = find(one.anchors, [*retrained, *differentiated]) >= 0
        shared = ~base / len(made)  # of a pass, the training that its anchor counts
        per_pass = (one.gradient_cost + np.sum(shared)) / max(1, len(has))
        fields = {
            "coefficients": one.coefficients[:1],
            "anchors": one.anchors[exact],
            "anchor_values": one.anchor_values[exact],
            "gradient_points": one.gradient_points[has],
            "gradients": one.gradients[has],
            "gradient_cost": np.sum((per_pass - shared)[has]),
            "influence": None,
        }
        fields |= {name: change(one) for name, change in changes.items()}
        found.append(dataclasses.replace(one, **fields))
    return found


def influence_of_singles(sketched, run):
    """What deleting each document does to the loss on each, (n, n): all singles are anchors."""
    flat, n, rows = Flat.of(run.initial.parameters), len(run), []
    for parameters in known.anchor_parameters(sketched.group, BATCH):
        model = run.model.with_parameters(flat.named(parameters))
        rows.append(run.losses(model))
    place = find(np.eye(n), sketched.anchors)
    return np.concatenate(rows)[place] - run.losses(run.model)


def alike(influence, sizes, rng):
    """Groups of documents whose deletion raises each other's loss the most, around random ones."""
    rows = np.zeros((len(sizes), len(influence)))
    for row, size in zip(rows, sizes, strict=True):
        near = anchors.alike(influence, rng.integers(len(influence)))
        row[np.argsort(-near, kind="stable")[:size]] = 1.0
    return rows


def sizes(n, shares, count, rng):
    """Log-uniform numbers of documents, two or more, between two shares of them."""
    low, high = np.log(np.multiply(shares, n))
    return np.maximum(2, np.exp(rng.uniform(low, high, count))).astype(int)

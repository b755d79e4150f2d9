"""Unlearning by steps, for models of many seeds side by side."""

import numpy as np
import pytest

import sketchlab as sl
from sketchlab.training.models import Flat
from sketchlab.unlearning import (
    change_by_jets,
    oracle_targets,
    predicted_targets,
    steps,
    train_seeds,
    unlearn,
)
from sketchlab.unlearning.bench import count_not_finite

DOCS = sl.names.load()[:24]
LETTERS = "abcdefghijklmnopqrstuvwxyz"
FORGET = [2, 7, 19]
RATE = sl.SGD(0.05)
SMALL = {"steps": 48, "width": 8, "heads": 2, "vocabulary": LETTERS, "progress": False}


@pytest.fixture(scope="module")
def run():
    """A short training of a small microgpt, over the data twice."""
    return sl.train(DOCS, **SMALL)


@pytest.fixture(scope="module")
def originals(run):
    """Three seeds."""
    return train_seeds(run, [42, 5, 6], progress=False)


def flat(model):
    """Parameters of one model on one axis."""
    return Flat.of(model.parameters).flat(model.parameters)


def test_models_of_a_seed_are_those_of_training_with_it(run, originals):
    """Also with some documents left out, and whatever is trained beside them."""
    np.testing.assert_allclose(originals.flat[0], flat(run.model), rtol=1e-9, atol=1e-12)
    other = sl.train(DOCS, seed=5, **SMALL)
    np.testing.assert_allclose(originals.flat[1], flat(other.model), rtol=1e-9, atol=1e-12)
    oracles = train_seeds(run, [5], without=FORGET, progress=False)
    expected = flat(other.retrain(without=FORGET, progress=False))
    np.testing.assert_allclose(oracles.flat[0], expected, rtol=1e-9, atol=1e-12)
    assert originals.losses(["max", "mia"]).shape == (3, 2)
    assert originals.losses(["max"])[1, 0] == pytest.approx(other.loss("max"))


def test_margins_are_of_every_next_letter(originals):
    """Their mean -log p is the loss of the document."""
    found = originals.margins(["max", "zoe"])
    assert found.shape == (3, 8), "three letters and the end, twice"
    loss = np.log1p(np.exp(-found[:, :4])).mean(axis=1)
    np.testing.assert_allclose(loss, originals.losses(["max"])[:, 0])


def test_margins_of_a_classifier_come_from_its_losses():
    """A logistic regression: the margin is its score; what is no -log p is refused."""
    rng = np.random.default_rng(0)
    data = [(tuple(rng.normal(size=2)), int(rng.integers(2)) * 2 - 1) for _ in range(10)]

    def losses(parameters, rows):
        x = np.array([row[0] for row in rows])
        y = np.array([float(row[1]) for row in rows])
        score = sl.ring.matmul(x, parameters["w"][..., None])[..., 0]
        return sl.ring.log(1.0 + sl.ring.exp(-y * score))

    run = sl.TrainingRun(sl.Model({"w": np.zeros(2)}, losses), data, progress=False)
    with pytest.raises(TypeError, match="has no seed: give initial="):
        train_seeds(run, 2)
    draws = {"initial": lambda seed: {"w": np.random.default_rng(seed).normal(size=2)}}
    models = train_seeds(run, 2, **draws, progress=False)
    w = models.model.parameters["w"]
    scores = [[y * (np.array(x) @ row) for x, y in data] for row in w]
    np.testing.assert_allclose(models.margins(data), scores, rtol=1e-9)
    ended = unlearn(models, [0], "ascent", optimizer=sl.SGD(1.0), progress=False)
    assert np.all(ended.losses(data[:1]) > models.losses(data[:1]))
    with pytest.raises(TypeError, match="matching needs logits"):
        unlearn(models, [0], "matching", targets=lambda doc: 0)
    with pytest.raises(ValueError, match="other names or shapes"):
        train_seeds(run, 2, initial=lambda _: {"w": np.zeros(3)})
    models.run.initial._losses = lambda p, rows: losses(p, rows) + 800.0
    np.testing.assert_allclose(models.margins(data), -models.losses(data), rtol=1e-12)
    models.run.initial._losses = lambda p, rows: 0.0 * losses(p, rows)
    found = models.margins(data)
    np.testing.assert_allclose(found, 53 * np.log(2), rtol=1e-12)
    assert not count_not_finite({"margins": found}), "certain models did not diverge"
    models.run.initial._losses = lambda p, rows: np.nan * losses(p, rows)
    assert count_not_finite({"margins": models.margins(data)}) == 2
    models.run.initial._losses = lambda p, rows: losses(p, rows) - 5.0
    with pytest.raises(ValueError, match="is not -log p of a class"):
        models.margins(data)


def gradient(run, row, doc):
    """Of the loss on a document, flat, at these flat parameters."""
    axis = Flat.of(run.initial.parameters)

    def loss(parameters):
        return run.initial.with_parameters(parameters).loss(doc)

    return axis.flat(sl.ring_grad(loss)(axis.named(row)))


def test_steps_by_hand(run, originals):
    """One document up; one up and one down, in the order that the seed draws."""
    up = unlearn(originals, [7], "ascent", optimizer=RATE, progress=False)
    expected = [row + 0.05 * gradient(run, row, DOCS[7]) for row in originals.flat]
    np.testing.assert_allclose(up.flat, expected, rtol=1e-9, atol=1e-12)
    assert up.cost == pytest.approx(1 + 1 / 48) and list(up.steps) == [1, 1, 1]
    settings = {"optimizer": RATE, "kept": 1, "weight": 2.0, "seed": 3, "progress": False}
    both = unlearn(originals, [7], "ascent_descent", **settings)
    used = steps._used(run.indicator([7]), 1, originals.seeds, 3)
    order = np.random.default_rng((3, 24)).permutation(24)
    for number, row in enumerate(originals.flat):
        assert used[number].sum() == 2
        for i in order[used[number][order]]:
            sign = 2.0 if i == 7 else -1.0
            row = row + sign * 0.05 * gradient(run, row, DOCS[i])
        np.testing.assert_allclose(both.flat[number], row, rtol=1e-9, atol=1e-12)
    assert len({used[k].tobytes() for k in range(3)}) > 1, "a sample for each model"


@pytest.mark.parametrize("method", ["fine_tuning", "ascent_descent", "scrub", "matching"])
def test_nothing_depends_on_how_many_are_trained_together(originals, method, monkeypatch):
    """Batches of one give the same models as one of three, Adam's state included."""
    settings = {"kept": 4, "passes": 2, "progress": False}
    if method == "matching":
        settings["targets"] = oracle_targets(originals)
    together = unlearn(originals, FORGET, method, **settings)
    monkeypatch.setattr(steps, "BATCH", 1)
    alone = unlearn(originals, FORGET, method, **settings)
    np.testing.assert_allclose(alone.flat, together.flat, rtol=1e-9, atol=1e-12)
    assert np.all(together.moved) and not np.any(together.diverged)
    taken = {"fine_tuning": 8, "scrub": 11}.get(method, 14)
    assert list(together.steps) == [taken] * 3
    others = train_seeds(originals.run, originals.seeds[:0:-1], progress=False)
    again = unlearn(others, FORGET, method, **settings)
    np.testing.assert_allclose(again.flat, together.flat[:0:-1], rtol=1e-9, atol=1e-12)


def test_matching_goes_to_the_targets(run, originals):
    """To the oracles' mean logits, from above; at its own logits a model does not move."""
    oracles = train_seeds(run, range(10, 14), without=FORGET, progress=False)
    targets = oracle_targets(oracles)
    matched = unlearn(originals, FORGET, "matching", targets=targets, passes=3, progress=False)

    def distance(models):
        docs = [DOCS[i] for i in FORGET]
        logits = [models.model.logits(models.model.sequence(doc)[0]) for doc in docs]
        errors = [np.mean((z - targets(doc)) ** 2) for z, doc in zip(logits, docs, strict=True)]
        return np.mean(errors)

    assert distance(matched) < 0.8 * distance(originals)
    model = originals.model
    own = {"targets": lambda doc: model.logits(model.sequence(doc)[0])}
    still = unlearn(originals, FORGET, "matching", **own, progress=False)
    assert not np.any(still.moved) and "3 not moved" in repr(still)


def test_targets_are_copied(originals):
    """A function may fill the same array again and again."""
    goal, kept = oracle_targets(originals), {}

    def reused(doc):
        kept.setdefault(len(doc), goal(doc).copy())[...] = goal(doc) + 0.1
        return kept[len(doc)]

    fresh = unlearn(originals, FORGET, "matching", targets=lambda doc: goal(doc) + 0.1)
    again = unlearn(originals, FORGET, "matching", targets=reused)
    np.testing.assert_array_equal(again.flat, fresh.flat)


def test_one_string_is_no_list_of_documents(originals):
    """Its letters are not documents."""
    for call in (originals.losses, originals.margins):
        with pytest.raises(ValueError, match="list of one or more examples, not 'max'"):
            call("max")


def test_predicted_targets_are_near_the_retrained_logits(run, originals):
    """To degree 1 the derivative along the deletion; more degrees come nearer to retraining."""
    run = sl.train(DOCS, **{**SMALL, "steps": 24})
    retrained, read = run.retrain(without=FORGET, progress=False), run.model.sequence("max")[0]
    truth = retrained.logits(read) - run.model.logits(read)
    changes = [change_by_jets(run, FORGET, degree, progress=False)("max") for degree in (1, 2, 3)]
    ends = [
        run.retrain(down_weights=s * run.indicator(FORGET), progress=False).logits(read)
        for s in (1e-4, -1e-4)
    ]
    np.testing.assert_allclose(changes[0], (ends[0] - ends[1]) / 2e-4, atol=1e-5)
    errors = [np.abs(change - truth).mean() for change in changes]
    assert errors[2] < errors[1] < errors[0] < np.abs(truth).mean()
    targets = predicted_targets(originals, lambda doc: changes[0])
    expected = originals.model.logits(read)[1] + changes[0]
    np.testing.assert_allclose(targets("max")[1], expected)


def test_the_student_of_scrub_moves(run, originals):
    """Down on what is kept, and farther from the teacher on the forget set than without ascent."""
    settings = {"passes": 4, "optimizer": sl.Adam(0.005), "progress": False}
    found = unlearn(originals, FORGET, "scrub", **settings)
    tuned = unlearn(originals, FORGET, "fine_tuning", **settings)
    assert np.all(found.moved) and found.origin is originals
    forgotten, kept = ([DOCS[i] for i in part] for part in (FORGET, (0, 4, 5, 9)))
    assert np.all(found.losses(forgotten).mean(1) > tuned.losses(forgotten).mean(1) + 0.03)
    assert np.all(found.losses(kept).mean(1) < originals.losses(kept).mean(1))
    assert list(found.steps) == [2 * 24 + 2 * 21] * 3
    up = unlearn(originals, [7], "scrub", passes=1, kept=0, optimizer=RATE, progress=False)
    assert np.abs(up.flat - originals.flat).max() < 1e-12, "at the teacher there is no slope"


def test_gradients_are_added_back(run, originals):
    """Those of the first epoch, from a walk of its own; those at the start; of some parameters."""
    axis = Flat.of(run.initial.parameters)
    settings = {"rate": 0.1, "progress": False}
    first = unlearn(originals, FORGET, "first_epoch_gradients", **settings)
    some = unlearn(originals, FORGET, "first_epoch_gradients", only=("wte",), **settings)
    single = unlearn(originals, FORGET, "single_gradient", **settings)
    start = sl.MicroGPT.initial(LETTERS, width=8, heads=2, seed=5)
    at_start = sum(gradient(run, flat(start), DOCS[i]) for i in FORGET)
    np.testing.assert_allclose(single.flat[1] - originals.flat[1], 0.2 * at_start, atol=1e-12)
    stored = 0.0
    for i in FORGET:  # the schedule is linear: the parameters before step i of the whole run
        walked = sl.training.optimizers.InPlace(start.parameters, np.copy)
        for step, _ in enumerate(run.walk(walked, lambda i: np.ones(len(i)))):
            if step == i - 1:
                break
        stored = stored + gradient(run, walked.flat, DOCS[i])
    np.testing.assert_allclose(first.flat[1] - originals.flat[1], 0.1 * stored, atol=1e-12)
    assert first.cost == pytest.approx(1 + 20 / 48), "up to the last document of the three"
    embedding = axis.columns["wte"]
    np.testing.assert_array_equal(some.flat[:, embedding], first.flat[:, embedding])
    rest = np.delete(np.arange(axis.size), embedding)
    np.testing.assert_array_equal(some.flat[:, rest], originals.flat[:, rest])
    both = unlearn(originals, FORGET, "first_epoch_gradients", epochs=2, **settings)
    assert np.all(np.abs(both.flat - first.flat).max(1) > 1e-4)


def test_a_single_gradient_undoes_training_to_first_order():
    """By SGD at a small rate: the distance to retraining is of the second order of the rate."""
    errors = []
    for rate in (1e-3, 2e-3):
        run = sl.train(DOCS, optimizer=sl.SGD(rate), **SMALL)
        originals = train_seeds(run, 2, progress=False)
        oracles = train_seeds(run, 2, without=FORGET, progress=False)
        found = unlearn(originals, FORGET, "single_gradient", progress=False)
        before = sl.unlearning.verification_error(originals.flat, oracles.flat)
        errors.append(sl.unlearning.verification_error(found.flat, oracles.flat))
        assert np.all(errors[-1] < 0.1 * before)
    np.testing.assert_allclose(errors[1] / errors[0], 4.0, rtol=0.1)
    assert found.cost == pytest.approx(1 + 3 / 48), "three gradients of 48"


def test_gradients_of_batches_cost_what_they_are():
    """Two gradients, where each of four steps takes five."""
    kind = sl.Model({"w": np.zeros(1)}, lambda p, rows: (p["w"] - np.arange(20.0)[rows]) ** 2)
    settings = {"optimizer": sl.SGD(0.01), "batch_size": 5, "progress": False}
    run = sl.TrainingRun(kind, np.arange(20), steps=4, **settings)
    models = train_seeds(run, 2, initial=lambda seed: {"w": np.full(1, seed)}, progress=False)
    assert unlearn(models, [1, 2], "single_gradient").cost == pytest.approx(1 + 2 / 20)
    assert unlearn(models, [1, 2], "ascent").cost == pytest.approx(1 + 2 / 20)


def test_doing_nothing_and_diverging_are_said(originals):
    """Both are rows of a bench, not errors."""
    nothing = unlearn(originals, FORGET, "nothing")
    assert not np.any(nothing.moved) and nothing.cost == originals.cost
    wild = unlearn(originals, FORGET, "ascent", optimizer=sl.SGD(1e150), passes=3, progress=False)
    assert np.all(wild.diverged) and "3 diverged" in repr(wild)
    with pytest.raises(ValueError, match="of 3 of 3 models are NaN, or infinite"):
        sl.unlearning.wasserstein(wild.margins(["max"]), originals.margins(["max"]))
    with pytest.raises(ValueError, match="trained, not unlearned"):
        _ = originals.moved


WRONG = {
    "empty": ([], "ascent", {}, "0 of 24 documents"),
    "all": (range(24), "ascent", {}, "24 of 24 documents"),
    "method": ([1], "scrubbing", {}, "method must be one of"),
    "kept": ([1], "fine_tuning", {"kept": 24}, "only 23 documents"),
    "weight": ([1], "ascent_descent", {"weight": 0}, "weight must be a finite number above 0"),
    "passes": ([1], "ascent", {"passes": 0}, "passes must be"),
    "rate": ([1], "single_gradient", {}, "not one rate times a gradient: give rate="),
    "name": ([1], "single_gradient", {"rate": 1, "only": ["w"]}, "there is no parameter 'w', only"),
    "epochs": ([1], "first_epoch_gradients", {"epochs": 0, "rate": 1}, "epochs must be"),
    "targets": ([1], "matching", {"targets": lambda doc: np.zeros(3)}, "must be finite logits"),
    "no targets": ([1], "matching", {}, "matching needs targets="),
    "setting": ([1], "ascent", {"targets": 1}, "ascent has no setting 'targets', only"),
    "optimizer": ([1], "ascent", {"optimizer": "adam"}, "optimizer must be sl.SGD"),
    "seed": ([1], "ascent", {"seed": "a"}, "seed must be an integer"),
    "negative": ([1], "single_gradient", {"rate": -1}, "rate must be a finite number, 0 or above"),
    "nan": ([1], "single_gradient", {"rate": np.nan}, "rate must be a finite number, 0 or above"),
    "near": ([1], "scrub", {"near": -1}, "must be a finite number, 0 or above"),
    "no weight": ([1], "ascent_descent", {"weight": "a"}, "weight must be a finite number above 0"),
    "nothing kept": ([1], "fine_tuning", {"kept": 0}, "no document to take a step on"),
    "word": (["max"], "ascent", {}, "indices must be integers"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_input_is_refused(originals, case):
    """In words, before any step."""
    without, method, settings, message = WRONG[case]
    with pytest.raises((ValueError, TypeError), match=message):
        unlearn(originals, list(without), method, progress=False, **settings)


def test_wrong_seeds_are_refused(run):
    """None, and twice the same."""
    for seeds in ([], [1, 1]):
        with pytest.raises(ValueError, match="seeds must be different numbers"):
            train_seeds(run, seeds)
    for seeds in (0, -1, 50.0, [1.5], [-1]):
        with pytest.raises(ValueError, match="must be an integer"):
            train_seeds(run, seeds)
    for seeds in ("3", None):
        with pytest.raises(TypeError, match="how many, must be a list"):
            train_seeds(run, seeds)
    for without in ([2.7], ["3"], [True], ["max"]):
        with pytest.raises(TypeError, match="indices must be integers"):
            train_seeds(run, 2, without=without)
    for seed in (-1, "a", 50.0):
        with pytest.raises(ValueError, match="seed must be an integer"):
            sl.unlearning.reseeded(run, seed)
    wild = sl.train(DOCS, **{**SMALL, "steps": 4}, optimizer=sl.SGD(2.0))
    with pytest.raises(FloatingPointError, match="one or more of the seeds"):
        train_seeds(
            wild,
            2,
            initial=lambda seed: {
                name: 1e150 * value for name, value in wild.initial.fresh(seed).parameters.items()
            },
            progress=False,
        )
    with pytest.raises(TypeError, match="originals must be Models"):
        unlearn(run, [1], "ascent")

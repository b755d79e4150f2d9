"""ERASE: a prompt that forgets exactly; the learner that reads it; what it is compared with."""

import autograd
import autograd.numpy as anp
import numpy as np
import pytest

from sketchlab.incontext import Erase, FineTuned, letter_images, pretrain, saved
from sketchlab.incontext.learner import Tasks

LETTERS = letter_images(12, alphabets=("Latin", "Greek"), seed=3)
LEARNER = pretrain(LETTERS, steps=400, hidden=48, columns=5, progress=False)
UNTRAINED = pretrain(LETTERS, steps=1, hidden=48, columns=5, progress=False)
X, Y = LETTERS[:6].reshape(-1, 64), np.repeat([3, 1, 4, 15, 9, 2], 12)


def assert_same(one, other):
    """Bit for bit, in all that there is."""
    one, other = one.state(), other.state()
    assert set(one) == set(other)
    for name in one:
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)


def test_letters_are_images_drawn_from_their_seed():
    """Whole numbers from 0 to 16, none of them empty; alike within a letter."""
    assert LETTERS.shape == (52 + 49, 12, 64)
    assert np.all(LETTERS == np.rint(LETTERS)) and LETTERS.min() == 0 and LETTERS.max() == 16
    np.testing.assert_array_equal(LETTERS, letter_images(12, alphabets=("Latin", "Greek"), seed=3))
    assert not np.array_equal(LETTERS[0], letter_images(12, alphabets=("Latin",), seed=4)[0])
    means = LETTERS.mean(axis=1)
    within = np.mean((LETTERS - means[:, None]) ** 2)
    assert LETTERS.var(axis=(0, 1)).mean() > 1.25 * within
    assert np.all(LETTERS.sum(axis=2) > 30)


def test_a_letter_has_its_holes():
    """The middle of an upright O is white, and its sides are inked."""
    pictures = letter_images(60, alphabets=("Latin",))[14].reshape(-1, 8, 8).mean(axis=0)
    assert pictures[3:5, 3:5].mean() < 0.45 * pictures[3:5, 1:7].max()


def test_examples_are_embedded_each_alone():
    """Bit for bit the same among many as by themselves, or exact deletion would be an illusion."""
    among = LEARNER.embed(X)
    for i in range(len(X)):
        np.testing.assert_array_equal(LEARNER.embed(X[i : i + 1])[0], among[i])
    p = LEARNER.parameters
    by_hand = np.tanh(X / LEARNER.scale @ p["hidden"].T + p["bias"]) @ p["out"].T
    np.testing.assert_allclose(among, by_hand, atol=1e-12)
    assert LEARNER.multiplications == 48 * 64 + 5 * 48


def test_attention_is_by_distance():
    """Weights proportional to exp(-|z - z_j|^2); probabilities add those of equal labels up."""
    z = LEARNER.embed(X[:9])
    found = LEARNER.attention(z[:7], z[7:])
    by_hand = np.exp(-np.sum((z[7:, None] - z[None, :7]) ** 2, axis=2))
    np.testing.assert_allclose(found, by_hand / by_hand.sum(axis=1, keepdims=True), atol=1e-12)
    labels = np.array(["b", "a", "b", "c", "a", "a", "c"])
    classes, probabilities = LEARNER.probabilities(z[:7], labels, z[7:])
    assert list(classes) == ["a", "b", "c"]
    for j, label in enumerate(classes):
        np.testing.assert_allclose(probabilities[:, j], found[:, labels == label].sum(axis=1))


def test_the_losses_of_tasks_leave_out_the_example_asked_about():
    """One example after the other, with loops."""
    tasks = Tasks(LETTERS / LEARNER.scale)
    drawn = tasks.drawn(3, 4, 3, np.random.default_rng(1))
    assert drawn.shape == (3, 4, 3) and len(np.unique(drawn[0])) == 12
    assert np.all(drawn // 12 == drawn[..., :1] // 12), "examples of one class in every row"
    losses = tasks.losses(LEARNER.parameters, drawn)
    for task, loss in zip(drawn, losses, strict=True):
        numbers, labels, values = task.reshape(-1), np.repeat(np.arange(4), 3), []
        z = LEARNER.embed(LETTERS.reshape(-1, 64)[numbers])
        for i in range(12):
            others = np.delete(np.arange(12), i)
            weights = np.exp(-np.sum((z[others] - z[i]) ** 2, axis=1))
            right = np.sum(weights[labels[others] == labels[i]]) / np.sum(weights)
            values.append(-np.log(0.99 * right + 0.01 / 4))
        assert loss == pytest.approx(np.mean(values), abs=1e-10)


def accuracy(learner, images, seed):
    """The share of 10 letters told apart from three examples of each, by prompt alone."""
    rng = np.random.default_rng(seed)
    chosen = images[rng.choice(len(images), 10, replace=False)]
    z = learner.embed(chosen.reshape(-1, 64)).reshape(*chosen.shape[:2], -1)
    labels = np.arange(10)
    keys, queries = z[:, :3].reshape(30, -1), z[:, 3:].reshape(-1, z.shape[-1])
    classes, found = learner.probabilities(keys, np.repeat(labels, 3), queries)
    return np.mean(classes[found.argmax(axis=1)] == np.repeat(labels, chosen.shape[1] - 3))


def test_what_is_learned_is_how_to_learn():
    """On alphabets never seen, it beats the model that it was before; labels are only labels."""
    images = letter_images(12, alphabets=("Georgian", "Armenian"), seed=8)
    gains = [accuracy(LEARNER, images, s) - accuracy(UNTRAINED, images, s) for s in range(20)]
    assert np.mean(gains) - 3 * np.std(gains) / np.sqrt(20) > 0.05
    z = LEARNER.embed(X)
    names = np.array(["c", "a", "b"])[np.arange(30) % 3]
    classes, one = LEARNER.probabilities(z[:30], names, z[30:])
    swapped = np.array(["a", "b", "c"])[np.arange(30) % 3]
    others, two = LEARNER.probabilities(z[:30], swapped, z[30:])
    to = {"c": "a", "a": "b", "b": "c"}
    for j, label in enumerate(classes):
        np.testing.assert_array_equal(one[:, j], two[:, list(others).index(to[label])])


def nearest(made):
    """The numbers in the prompt, by hand."""
    numbers = made.clusters.numbers
    units = made.clusters.state()["points"].astype(object)
    found = set()
    for centroid in made.clusters.state()["centroids"][-1].astype(object):
        far = np.sum((units - centroid) ** 2, axis=1)
        found.add(int(numbers[int(np.argmin(far.astype(float)))]))
    return sorted(found)


@pytest.mark.parametrize("clusters", [1, 4, 11])
@pytest.mark.parametrize("width", [0.2, 1.5])
def test_what_is_forgotten_was_never_there(clusters, width):
    """Sequences of deletions and additions, each equal to a run from scratch, bit for bit."""
    answers, members = [], 0
    for seed in range(6):
        rng = np.random.default_rng(seed)
        made = Erase(LEARNER, clusters, width, seed=seed).fit(X, Y)
        for _ in range(10):
            if rng.random() < 0.35:
                made_of = made.add(X[rng.integers(len(X))] + rng.integers(0, 3, size=64), 15)
            else:
                left = made.prompt if rng.random() < 0.3 else made.clusters.numbers
                number = rng.choice(left)
                members += number in made.prompt
                made_of = made.forget(number)
                assert number not in made.prompt
            answers.append(made_of.certified)
            assert_same(made, made.refit())
            assert list(made.prompt) == nearest(made)
    assert 0.0 < np.mean(answers) < 1.0 and members


def test_a_forgotten_example_leaves_no_trace():
    """Runs that differ in one example alone are the same, once it is forgotten."""
    other = X.copy()
    other[17] = 16.0 - other[17]
    states = []
    for data, label in ((X, 3), (other, 9)):
        labels = Y.copy()
        labels[17] = label
        made = Erase(LEARNER, 5, 0.7, seed=2).fit(data, labels)
        made.forget(17)
        states.append(made)
    assert_same(*states)
    assert states[0]._labels[17] is None
    np.testing.assert_array_equal(states[0].predict(X), states[1].predict(X))


def test_a_label_that_nobody_has_any_more_is_gone(tmp_path):
    """With the last example of a label, the label itself, and its width as text."""
    labels = np.array(["b"] * 71 + ["a very long name"])
    made = Erase(LEARNER, 3, 0.7).fit(X, labels)
    made.forget(71)
    assert set(made.state()["labels"]) == {"b"} and made.state()["labels"].dtype == "<U1"
    path = tmp_path / "prompt.npz"
    made.save(path)
    assert_same(Erase.open(path, LEARNER), made)


def test_a_saved_state_goes_on(tmp_path):
    """With the same learner alone; what does not fit together is refused."""
    made = Erase(LEARNER, 5, 0.7, seed=2).fit(X, Y)
    made.forget(3)
    path = tmp_path / "prompt.npz"
    made.save(path)
    opened = Erase.open(path, LEARNER)
    assert_same(opened, made)
    for each in (opened, made):
        each.forget(12)
        each.add(X[3], 4)
    assert_same(opened, made)
    assert_same(opened, opened.refit())
    with pytest.raises(ValueError, match="another learner"):
        Erase.open(path, UNTRAINED)
    for name, wrong in (("prompt", [0]), ("labels", ["a"]), ("counts", made.state()["counts"] + 1)):
        saved.write(path, {**made.state(), name: np.array(wrong)})
        with pytest.raises(ValueError, match="holds no state of ERASE"):
            Erase.open(path, LEARNER)
    path.write_bytes(b"PK\x03\x04nothing")
    with pytest.raises(ValueError, match="holds no state of ERASE"):
        Erase.open(path, LEARNER)


def test_it_predicts_from_its_prompt():
    """Attention to the examples in it; costs are counted."""
    everyone = Erase(LEARNER, len(X), 0.01, seed=2).fit(X, Y)
    assert list(everyone.prompt) == list(range(72)) and np.mean(everyone.predict(X) == Y) > 0.95
    made = Erase(LEARNER, 12, 0.7, seed=2).fit(X, Y)
    keys = LEARNER.embed(X[made.prompt])
    classes, found = LEARNER.probabilities(keys, Y[made.prompt], LEARNER.embed(X))
    np.testing.assert_array_equal(made.predict(X), classes[found.argmax(axis=1)])
    assert made.per_query == LEARNER.multiplications + 5 * len(made.prompt)
    before = made.multiplications
    number = next(i for i in range(72) if i not in made.prompt)
    certified = made.forget(number).certified
    spent = made.multiplications - before
    assert 0 < spent < (1000 * 12 if certified else 72 * 12 * 5 * 10)


def test_a_cut_short_choice_is_made_later(monkeypatch):
    """If the search for the next nearest is interrupted, it is done at the next question."""
    made = Erase(LEARNER, 5, 0.7, seed=2).fit(X, Y)

    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(made.clusters, "representatives", stop)
    with pytest.raises(KeyboardInterrupt):
        made.forget(int(made.prompt[0]))
    monkeypatch.undo()
    assert_same(made, made.refit())


def by_hand(learner, x, right, order, steps, batch, rate):
    """Fine-tuning written with autograd and a loop."""
    p = {**learner.parameters, "head": np.zeros((right.max() + 1, 5))}
    p["offset"] = np.zeros(right.max() + 1)

    def loss(p, rows):
        z = anp.tanh(x[rows] @ p["hidden"].T + p["bias"]) @ p["out"].T
        scores = z @ p["head"].T + p["offset"]
        chosen = scores[np.arange(len(rows)), right[rows]]
        return anp.mean(anp.log(anp.sum(anp.exp(scores), axis=1)) - chosen)

    for step in range(steps):
        rows = order[(step * batch + np.arange(batch)) % len(order)]
        gradient = autograd.grad(loss)(p, rows)
        p = {k: p[k] - rate * (1 - step / steps) * gradient[k] for k in p}
    return p


def test_fine_tuning_forgets_by_training_again():
    """As a loop with autograd does it, without the example; other shards stay as they are."""
    made = FineTuned(LEARNER, shards=3, passes=2, batch_size=4, seed=5).fit(X, Y)
    before = list(made._models)
    (place,) = [i for i, share in enumerate(made._shares) if 20 in share]
    made.forget(20)
    share = made._shares[place]
    assert 20 not in share and len(share) == 23 and not np.any(made._X[20])
    parameters, classes = made._models[place]
    right = np.searchsorted(classes, Y)
    expected = by_hand(LEARNER, X / LEARNER.scale, right, share, 12, 4, 0.1)
    for name, value in expected.items():
        np.testing.assert_allclose(parameters[name], value, atol=1e-9)
    assert all(made._models[i] is before[i] for i in range(3) if i != place)
    assert made._models[place] is not before[place]
    per_step = 3 * 4 * (LEARNER.multiplications + 5 * len(classes))
    assert made.multiplications == pytest.approx((3 * 12 + 12) * per_step, rel=0.02)
    assert np.mean(made.predict(X) == Y) > 0.5
    with pytest.raises(ValueError, match="example 20 is not there"):
        made.forget(20)
    assert repr(LEARNER) == "Learner(64 columns, embedded in 5)"
    for kind in (
        lambda: Erase(None, 3, 1.0),
        lambda: FineTuned("a"),
        lambda: Erase.open("a.npz", None),
    ):
        with pytest.raises(TypeError, match="learner must be a Learner"):
            kind()


def test_a_training_that_diverges_leaves_the_one_before():
    """An error in fit changes nothing."""
    made = FineTuned(LEARNER, passes=1).fit(X, Y)
    before, made.optimizer = made.predict(X), FineTuned(LEARNER, learning_rate=1e150).optimizer
    with pytest.raises(FloatingPointError, match="lower the learning rate"):
        made.fit(X[:40], Y[:40])
    np.testing.assert_array_equal(made.predict(X), before)


def test_models_of_shards_answer_together():
    """The mean of their probabilities, over labels that not all of them have seen."""
    labels = np.where(np.arange(72) == 0, "rare", "often")
    made = FineTuned(LEARNER, shards=4, passes=1, seed=5).fit(X, labels)
    classes, found = made.probabilities(X)
    assert list(classes) == ["often", "rare"]
    np.testing.assert_allclose(found.sum(axis=1), 1.0)
    made.forget(0)
    assert list(made.probabilities(X)[0]) == ["often"]


FITTED = Erase(LEARNER, 5, 0.7).fit(X, Y)
FITTED.forget(9)
TUNED = FineTuned(LEARNER, passes=1).fit(X, Y)
WRONG = [
    (lambda: Erase(LEARNER, 5, 0.7).fit(X, Y[:-1]), "72 examples need as many labels"),
    (lambda: Erase(LEARNER, 5, 0.7).fit(X, [None] + [1] * 71), "1 of 72 labels are missing"),
    (lambda: Erase(LEARNER, 5, 0.7).fit(X, np.where(Y == 9, np.nan, Y)), "12 of 72 labels"),
    (lambda: Erase(LEARNER, 5, 0.7).fit(X, ["a"] * 71 + [" "]), "the first is number 71"),
    (lambda: Erase(LEARNER, 5, 0.7).fit(X, ["a"] * 71 + [1]), "all be integers, or all be strings"),
    (lambda: Erase(LEARNER, 5, 0.7).fit(X, Y + 0.5), "all be integers, or all be strings"),
    (lambda: Erase(LEARNER, 5, 0.7).fit(X, Y[:, None]), "shape"),
    (lambda: Erase(LEARNER, 73, 0.7).fit(X, Y), "73 clusters need as many points"),
    (lambda: Erase(LEARNER, 5, 0.0), "width must be"),
    (lambda: Erase(LEARNER, 5, 0.7).fit(X[:, :9], Y), r"shape \(any, 64\)"),
    (lambda: Erase(LEARNER, 5, 0.7).fit(np.where(X > 15, np.nan, X), Y), "must be finite"),
    (lambda: Erase(LEARNER, 5, 0.7).forget(0), "call fit first"),
    (lambda: Erase(LEARNER, 5, 0.7).add(X[0], 1), "call fit first"),
    (lambda: Erase(LEARNER, 5, 0.7).predict(X), "call fit first"),
    (lambda: FITTED.forget(9), "point 9 was deleted before"),
    (lambda: FITTED.forget(72), "point 72 is not there"),
    (lambda: FITTED.add(X[0], None), "labels are missing"),
    (lambda: FITTED.add(X[0], "a"), "is of another kind"),
    (lambda: FITTED.add(X[0] * np.nan, 3), "must be finite"),
    (lambda: FITTED.predict(X[:, :3]), r"shape \(any, 64\)"),
    (lambda: FineTuned(LEARNER).forget(0), "call fit first"),
    (lambda: FITTED.add(X[:1], 3), r"one example, added at a time"),
    (lambda: FineTuned(LEARNER).predict(X), "call fit first"),
    (lambda: FineTuned(LEARNER, shards=80).fit(X, Y), "80 shards"),
    (lambda: FineTuned(LEARNER).fit(X * np.nan, Y), "must be finite"),
    (lambda: FineTuned(LEARNER).per_query, "call fit first"),
    (lambda: TUNED.predict(X + np.inf), "must be finite"),
    (lambda: TUNED.predict(X[0]), r"shape \(any, 64\)"),
    (lambda: TUNED.forget(True), "integer, 0 or higher"),
    (lambda: TUNED.forget(2.0), "integer, 0 or higher"),
    (lambda: TUNED.forget([1]), "integer, 0 or higher"),
    (lambda: FITTED.predict(X + np.inf), "must be finite"),
    (lambda: FITTED.add(X[0] + np.inf, 3), "must be finite"),
    (lambda: Erase(LEARNER, 5, 0.7).fit(X, [True] + [2] * 71), "all be integers"),
    (lambda: pretrain(X), "items of shape"),
    (lambda: pretrain(LETTERS, shots=1), "at least 2"),
    (lambda: pretrain(LETTERS, ways=102), "tasks of ways=102 classes"),
    (lambda: pretrain(LETTERS * 0), "that are not all 0"),
    (lambda: letter_images(0), "each must be"),
    (lambda: letter_images(2, alphabets=("Runes",)), "alphabets must be some of"),
]


@pytest.mark.parametrize("case", range(len(WRONG)))
def test_wrong_input_is_refused_and_changes_nothing(case):
    """In words."""
    call, message = WRONG[case]
    before = FITTED.state()
    with pytest.raises((ValueError, TypeError), match=message):
        call()
    for name, value in FITTED.state().items():
        np.testing.assert_array_equal(value, before[name])

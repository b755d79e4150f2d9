"""Quantized k-means: after any deletion it is a run without the point, bit for bit."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings, strategies
from scipy import stats

from sketchlab.incontext import QuantizedKMeans, lattice, lloyd, recommended_width, saved, seeding


def blobs(rng, n, columns):
    """Points around four centres."""
    return rng.normal(size=(n, columns)) + 6.0 * rng.integers(0, 4, size=(n, 1))


DATA = {
    "blobs": blobs,
    "duplicates": lambda rng, n, columns: rng.integers(0, 3, size=(n, columns)).astype(float),
    "boundaries": lambda rng, n, columns: 0.25 * rng.integers(-8, 9, size=(n, columns)),
    "heavy tails": lambda rng, n, columns: rng.standard_t(1.5, size=(n, columns)).clip(-1e4, 1e4),
    "far away": lambda rng, n, columns: blobs(rng, n, columns) + 1e3,
    "far apart": lambda rng, n, columns: (  # squared distances of more than 53 bits
        3e4 * rng.choice([-1, 1], size=(n, columns)) + rng.normal(size=(n, columns))
    ),
}


def digits(rng, n, columns):
    """Some of scikit-learn's digits, their first pixels that are used."""
    from sklearn.datasets import load_digits

    return load_digits().data[rng.choice(1797, n, replace=False)][:, 2 : 2 + columns]


DATA["digits"] = digits


def assert_same(one, other):
    """Bit for bit, in every array."""
    one, other = one.state(), other.state()
    assert set(one) == set(other)
    for name in one:
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)


def drawn(kind, seed):
    """A data set and clusters with settings drawn at random."""
    rng = np.random.default_rng((seed, len(kind)))
    X = DATA[kind](rng, int(rng.integers(12, 120)), int(rng.integers(1, 6)))
    width, gamma = rng.choice([0.03, 0.25, 1.0, 5.0]), rng.choice([0.0, 0.2, 0.5, 1.0])
    iterations = int(rng.integers(1, 9))
    made = QuantizedKMeans(
        int(rng.integers(1, 9)), width, gamma=gamma, iterations=iterations, seed=seed
    )
    return made.fit(X), X, rng


@pytest.mark.parametrize("kind", DATA)
def test_deletions_equal_runs_from_scratch(kind):
    """More than 2,500 in all data sets; some are certified, some are not, and none is wrong."""
    answers = []
    for seed in range(40):
        made, X, rng = drawn(kind, seed)
        for number in rng.permutation(len(X))[: min(10, len(X) - made.clusters)]:
            answers.append(made.forget(number).certified)
            assert_same(made, made.refit())
    assert len(answers) > 340 and 0.05 < np.mean(answers) < 0.95


@pytest.mark.parametrize("kind", DATA)
def test_sequences_of_deletions_and_additions_equal_runs_from_scratch(kind):
    """500 sequences of ten, mixed; the state after each, and a run on the points by themselves."""
    answers = []
    for seed in range(100, 184):
        made, X, rng = drawn(kind, seed)
        for _ in range(10):
            if rng.random() < 0.4 or len(made) <= made.clusters:
                x = X[rng.integers(len(X))] + rng.choice([0.0, 0.5]) * rng.normal(size=X.shape[1])
                answers.append(made.add(x).certified)
            else:
                answers.append(made.forget(rng.choice(made.numbers)).certified)
        assert_same(made, made.refit())
    assert len(answers) == 840 and 0.02 < np.mean(answers) < 0.98


def distance(one, other):
    """The squared distance of two lists of integers."""
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True))


def by_hand(X, numbers, made):
    """The same clusters in other words: fractions, one point after the other, no record."""
    k, cell = made.clusters, lattice.CELL
    points = [[int(v) for v in row] for row in lattice.to_units(X, made.width)]
    seeds, potentials = [], []
    for t in range(k):
        far = [min((distance(p, points[s]) for s in seeds), default=None) for p in points]
        free = [i for i in range(len(points)) if i not in seeds]
        away = [i for i in free if seeds and far[i] > 0]
        left = {}
        for race in range(2 + int(np.log(k)) if seeds else 1):
            times = lattice.clocks(made.seed, np.array([(t << 32) + race]), numbers)[0]
            ring = {i: times[i] / (far[i] if away else 1) for i in (away or free)}
            found = min(ring, key=ring.get)
            apart = [distance(p, points[found]) for p in points]
            left[race] = (
                sum(min(a, b) if seeds else b for a, b in zip(far, apart, strict=True)),
                found,
            )
        potentials.append(min(potential for potential, _ in left.values()))
        best = min(left, key=lambda race: (left[race][0], race))
        seeds.append(left[best][1])
    centroids = [points[i] for i in seeds]
    for t in range(made.iterations):
        groups = [[] for _ in range(k)]
        for p in points:
            far = [distance(p, c) for c in centroids]
            groups[far.index(min(far))].append(p)
        phase = lattice.phases(made.seed, t, len(points[0]))
        least = Fraction(str(made.gamma)) * len(points) / k
        new = []
        for group, before in zip(groups, centroids, strict=True):
            target = []
            for j, old in enumerate(before):
                total = Fraction(sum(p[j] for p in group))
                if len(group) < least:
                    value = (total + (least - len(group)) * old) / least
                else:
                    value = total / len(group) if group else Fraction(old)
                steps = (value - int(phase[j])) / cell + Fraction(1, 2)
                moved = group or least
                target.append(
                    (steps.numerator // steps.denominator) * cell + int(phase[j]) if moved else old
                )
            new.append(target)
        centroids = new
    return [numbers[i] for i in seeds], potentials, centroids


@pytest.mark.parametrize("kind", ["blobs", "duplicates", "boundaries", "far apart", "digits"])
def test_the_clusters_are_those_of_another_program(kind):
    """Seeds, their potentials, and centroids, in exact fractions."""
    for seed in range(8):
        made, X, rng = drawn(kind, seed)
        for number in rng.permutation(len(X))[:3]:
            if len(made) > made.clusters:
                made.forget(number)
        kept = made.numbers
        seeds, potentials, centroids = by_hand(X[kept], kept, made)
        state = made.state()
        assert list(state["seeds"]) == seeds
        left = lattice.totals(state["potentials"]).min(axis=1)  # of distances with 53 bits each
        np.testing.assert_allclose(left.astype(float), np.array(potentials, float), rtol=1e-14)
        np.testing.assert_array_equal(state["centroids"][-1], centroids)


def test_sums_of_digits_are_exact():
    """Against Python's integers: of the largest squared distance of the most points, and of any."""
    largest = np.nextafter(lattice.MOST_SQUARED, 0.0)
    sums = lattice.digits(np.array([largest])).sum(axis=-1) * lattice.MOST_POINTS
    assert lattice.totals(sums) == int(largest) * lattice.MOST_POINTS
    rng = np.random.default_rng(0)
    squared = np.floor(2.0 ** rng.uniform(0, 99, size=(3, 1000)))
    sums = lattice.digits(squared).sum(axis=-1).T
    assert list(lattice.totals(sums)) == [sum(map(int, row)) for row in squared]
    edge = np.array([[lattice.FARTHEST], [-lattice.FARTHEST]]).repeat(1 << 16, axis=1)
    assert lattice.squared_distances(edge[:1], edge[1:])[0, 0] == 2.0**98 < lattice.MOST_SQUARED


def test_the_winner_among_candidates_may_change():
    """Then a deletion or an addition is not certified, and from that seed on they are others."""
    kinds, first = [], "another candidate would be seed "
    for seed in range(200):
        X = blobs(np.random.default_rng(seed), 25, 2)
        made = QuantizedKMeans(4, 5.0, iterations=1, seed=seed).fit(X)
        for adds in (False, True):
            before = made.state()["seeds"]
            found = made.add([3.0, 1.0]) if adds else made.forget(made.numbers[3])
            assert_same(made, made.refit())
            after = made.state()["seeds"]
            if found.certified:
                np.testing.assert_array_equal(before, after)
            elif found.failed.startswith(first):
                kinds.append(adds)
                place = int(found.failed.removeprefix(first))
                np.testing.assert_array_equal(before[:place], after[:place])
                assert before[place] != after[place]
            elif found.failed.startswith("the new point would be a candidate for seed "):
                assert made.numbers[-1] in made.state()["candidates"][int(found.failed.split()[-1])]
    assert kinds.count(False) >= 5 and kinds.count(True) >= 5


def test_a_point_away_from_all_seeds_comes_before_duplicates_of_them():
    """The last seeds are duplicates until there is a point elsewhere, which is then the next."""
    X, steps = np.array([[0.0], [0.0], [0.0], [4.0], [4.0]]), []
    for seed in range(20):
        made = QuantizedKMeans(4, 1.0, seed=seed).fit(X)
        assert made.state()["far"].tolist() == [True, True, False, False]
        why, step = made.add([2.5]).failed.rsplit(" ", 1)
        assert why == "the new point would be a candidate for seed"
        steps.append(int(step))
        assert steps[-1] < 2 or made.state()["seeds"][2] == 5
        assert_same(made, made.refit())
    assert max(steps) == 2 and steps.count(2) > 5


def test_chunks_of_points_change_nothing(monkeypatch):
    """Points are seeded a few thousand at a time: the same as seven at a time."""
    for seed in range(5):
        made = QuantizedKMeans(6, 1.0, seed=seed).fit(many(seed)[:: 100 + seed])
        monkeypatch.setattr(seeding, "CHUNK", 21)
        assert_same(made, made.refit())
        monkeypatch.undo()


def many(seed=0, columns=2):
    """10,000 points around ten centres, with a standard deviation of 1."""
    rng = np.random.default_rng(seed)
    centres = 10.0 * rng.normal(size=(10, columns))
    return np.concatenate([rng.normal(size=(1000, columns)) + c for c in centres])


def test_most_deletions_are_certified_where_it_matters():
    """Of 10,000 points with a width of one standard deviation: at most at a constant price."""
    X, answers = many(), []
    for seed in range(10):
        made = QuantizedKMeans(10, 1.0, seed=seed).fit(X)
        before = made.operations
        found = [
            made.forget(i).certified for i in np.random.default_rng(seed).permutation(10_000)[:50]
        ]
        if all(found):
            races, iterations = 10 * 4, 10 * (10 + 10)
            assert made.operations - before <= 50 * (races + iterations), "whatever the number"
        answers += found
    assert np.mean(answers) > 0.9


def apart(seed, columns):
    """10,000 points around ten centres that stand apart in the first two columns."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(10, columns))
    centres[:, :2] = [(10.0 * (i % 4), 10.0 * (i // 4)) for i in range(10)]
    return np.concatenate([rng.normal(size=(1000, columns)) + c for c in centres])


@pytest.mark.parametrize("columns", [2, 4, 8])
def test_certificates_at_the_recommended_width(columns):
    """Over 90%, as its docstring derives, of deletions from 40 runs, each asked for by itself."""
    answers, width = [], recommended_width(1.0)
    for seed in range(40):
        X, rng = apart(seed, columns), np.random.default_rng(seed)
        made = QuantizedKMeans(10, width, seed=seed).fit(X)
        for i in rng.permutation(10_000)[:40]:
            change = made._record, 10_000, made._points[i], int(i), -1
            answers.append(made._lloyd.changed(*change)[0].certified)
    candidates = 1 + 9 * 4
    fail = (0.8 * 10 * 10 * columns / width + candidates) / 10_000
    assert np.mean(answers) == pytest.approx(1 - fail, abs=0.02)
    assert np.mean(answers) > 0.9


@pytest.mark.parametrize("columns", [2, 4, 8])
def test_the_recommended_width_costs_what_it_says(columns):
    """The loss is that of scikit-learn, and the rise.

    Seeds miss a cluster about as seldom as those of scikit-learn. Of one candidate each they miss
    one in a third to two thirds of the runs.
    """
    from sklearn.cluster import KMeans

    ours, theirs = [], []
    for seed in range(16):
        X = apart(seed, columns)
        made = QuantizedKMeans(10, recommended_width(1.0), seed=seed).fit(X)
        plain = KMeans(10, n_init=1, max_iter=10, random_state=seed).fit(X)
        ours.append(made.loss), theirs.append(plain.inertia_ / len(X))
    found = np.maximum(ours, theirs) < 1.2 * columns
    assert np.mean(np.array(ours) > 1.2 * columns) <= 0.2 and np.sum(found) >= 10
    assert np.mean(np.divide(ours, theirs)[found]) == pytest.approx(1.04, abs=0.005)


def test_the_recommended_width_is_that_of_its_derivation():
    """In one cluster, over many phases: the loss rises by the share, for several shares."""
    X = np.random.default_rng(0).normal(size=(500, 3))
    X = 2.0 * (X - X.mean(axis=0)) / X.std(axis=0)
    for rise in (0.01, 0.04, 0.3):
        width = recommended_width(2.0, rise=rise)
        losses = [QuantizedKMeans(1, width, iterations=1, seed=s).fit(X).loss for s in range(400)]
        error = np.std(losses) / 20
        assert abs(np.mean(losses) - 12.0 * (1 + rise)) < 4 * error < 12.0 * rise / 3


def losses_of(rule, seeds, X):
    """The loss after rule(clusters) under many seeds."""
    return [rule(QuantizedKMeans(3, 0.5, iterations=4, seed=seed).fit(X)) for seed in seeds]


def test_states_after_deletion_are_distributed_as_those_of_retraining():
    """Two samples of 400 seeds each. The power: never clustering again is found out."""
    rng = np.random.default_rng(3)
    X = blobs(rng, 40, 2)
    gone = [i for i in range(40) if X[i, 0] > 14][:12]  # a good part of one cluster
    kept = np.delete(X, gone, axis=0)

    def forgotten(made):
        for number in gone:
            made.forget(number)
        return made.loss

    def lazy(made):  # the centroids stay as they are
        centroids = made.centroids
        return np.mean(np.min(np.sum((kept[:, None] - centroids) ** 2, axis=2), axis=1))

    again = [
        QuantizedKMeans(3, 0.5, iterations=4, seed=s).fit(kept).loss for s in range(5000, 5400)
    ]
    assert stats.ks_2samp(losses_of(forgotten, range(400), X), again).pvalue > 0.01
    assert stats.ks_2samp(losses_of(lazy, range(400), X), again).pvalue < 1e-6


def greedy(X, k, before=()):
    """Probabilities of all sequences of k seeds, as exact fractions, by going through all draws."""
    if len(before) == k:
        return {before: Fraction(1)}
    far = [min((distance(x, X[s]) for s in before), default=1) for x in X]
    shares = [Fraction(value, sum(far)) for value in far]
    found = {}
    for draw in product(range(len(X)), repeat=2 + int(np.log(k)) if before else 1):
        probability = np.prod([shares[i] for i in draw])
        if probability > 0:
            left = [
                sum(min(f, distance(x, X[i])) for f, x in zip(far, X, strict=True)) for i in draw
            ]
            seeds = (*before, draw[left.index(min(left))]) if before else draw
            found[seeds] = found.get(seeds, 0) + probability
    return {
        seeds: probability * rest
        for first, probability in found.items()
        for seeds, rest in greedy(X, k, first).items()
    }


@pytest.mark.parametrize("k", [2, 3])
def test_seeds_are_those_of_greedy_k_means_plus_plus(k):
    """All seeds in their order, over many clocks; those of one candidate each are found out."""
    X = [[0, 0], [2, 0], [3, 1], [5, 5], [1, 4]]
    exact, counts, numbers = greedy(X, k), {}, np.arange(5)
    assert sum(exact.values()) == 1
    for seed in range(8000):
        seeds = tuple(seeding.Seeding(k, seed).run(np.array(X), numbers).seeds.tolist())
        counts[seeds] = counts.get(seeds, 0) + 1
    assert set(counts) <= set(exact)

    def fits(probabilities):
        expected = np.array([float(probabilities[seeds]) * 8000 for seeds in exact])
        seen = np.array([counts.get(seeds, 0) for seeds in exact])
        rare = expected < 5
        pooled = (np.append(numbers[~rare], numbers[rare].sum()) for numbers in (seen, expected))
        seen, expected = (values[: len(values) - (not rare.any())] for values in pooled)
        return stats.chisquare(seen, expected).pvalue

    plain = {}
    for seeds in exact:
        plain[seeds] = 1 / len(X)
        for t in range(1, k):
            far = [min(distance(x, X[s]) for s in seeds[:t]) for x in X]
            plain[seeds] *= far[seeds[t]] / sum(far)
    assert fits(exact) > 1e-3
    assert fits(plain) < 1e-9


def test_a_deleted_seed_or_candidate_is_drawn_again():
    """Every one in turn, the first among them; each is clustered again, and is nowhere."""
    X = blobs(np.random.default_rng(1), 40, 2)
    state = QuantizedKMeans(4, 1.0, seed=2).fit(X).state()
    names = {
        int(n): f"was a candidate for seed {step}"
        for step in (3, 2, 1, 0)
        for n in state["candidates"][step]
    }
    names |= {int(number): "is a seed" for number in state["seeds"]}
    assert list(names.values()).count("is a seed") == 4 and len(names) >= 8
    for number, name in names.items():
        made = QuantizedKMeans(4, 1.0, seed=2).fit(X)
        found = made.forget(number)
        assert not found.certified and found.failed == f"point {number} {name}"
        assert number not in made.state()["candidates"]
        places = made.state()["places"].reshape(-1, 2)
        assert not np.any(np.all(places == lattice.to_units(X[[number]], 1.0), axis=1))
        assert_same(made, made.refit())


def test_gamma_depends_on_all_points():
    """A deletion from a large cluster moves a small one, which is held back by a share of n."""
    X = np.concatenate([np.zeros((60, 1)), [[100.0], [100.3], [101.0]]])
    moved = []
    for seed in range(40):
        made = QuantizedKMeans(2, 2e-4, gamma=1.0, iterations=2, seed=seed).fit(X)
        number = next(i for i in range(60) if i not in made.state()["seeds"])
        before = made.centroids
        answer = made.forget(number)
        assert_same(made, made.refit())
        moved.append(not answer.certified and not np.array_equal(before, made.centroids))
    assert np.mean(moved) > 0.5


def test_a_failed_check_changes_nothing_before_the_new_run(monkeypatch):
    """If clustering again is interrupted, the point is still there, and so is the state."""
    X = blobs(np.random.default_rng(5), 30, 2)
    made = QuantizedKMeans(3, 0.001, seed=1).fit(X)
    before = made.state()

    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(lloyd.Lloyd, "run", stop)
    for change in (lambda: made.forget(3), lambda: made.add([99.0, 99.0])):
        with pytest.raises(KeyboardInterrupt):
            change()
        for name, value in made.state().items():
            np.testing.assert_array_equal(value, before[name])


def test_a_saved_state_goes_on(tmp_path):
    """And has no trace of a deleted point: it is that of data that never had it."""
    X = blobs(np.random.default_rng(6), 50, 3)
    X[7] = 1234.5
    made = QuantizedKMeans(3, 1.0, seed=4).fit(X)
    made.forget(7)
    made.forget(11)
    path = tmp_path / "clusters.npz"
    made.save(path)
    opened = QuantizedKMeans.open(path)
    assert_same(opened, made)
    units = lattice.to_units([[1234.5]], 1.0)[0, 0]
    for name, value in opened.state().items():
        assert name == "scales" or not np.any(value == units)
    assert not np.any(made._points == units)
    opened.add([0.0, 1.0, 2.0]), made.add([0.0, 1.0, 2.0])
    opened.forget(20), made.forget(20)
    assert_same(opened, made)
    assert_same(opened, opened.refit())
    state = opened.state()
    state["settings"][-1] = 1
    saved.write(path, state)
    with pytest.raises(ValueError, match="format 1, and format 2 is read here: fit again"):
        QuantizedKMeans.open(path)
    path.write_bytes(b"nothing")
    with pytest.raises(ValueError, match="holds no state"):
        QuantizedKMeans.open(path)
    np.savez(path, **made.state())
    with pytest.raises(ValueError, match=r"no sum of its contents.*fit again"):
        QuantizedKMeans.open(path)


def test_what_is_no_saved_state_is_refused_in_words(tmp_path):
    """A table, a pickle, a list of objects, a folder, nothing: without advice to load pickles."""
    table, listed, objects = (tmp_path / name for name in ("a.csv", "a.npy", "a.npz"))
    table.write_text("a,b\n1,2\n")
    np.save(listed, np.array([{}], dtype=object), allow_pickle=True)
    np.savez(objects, a=np.array([{}], dtype=object))
    for path, kind, message in (
        (table, ValueError, "holds no state of quantized k-means: it is damaged, or another kind"),
        (listed, ValueError, "holds no state of quantized k-means"),
        (objects, ValueError, "holds no state of quantized k-means"),
        (tmp_path, FileNotFoundError, r"is a folder: give the path of a file that save\(path\)"),
        (tmp_path / "b.npz", FileNotFoundError, "is not there: give the path of a file"),
    ):
        with pytest.raises(kind, match=message) as raised:
            QuantizedKMeans.open(path)
        assert repr(str(path)) in str(raised.value) and "pickle" not in str(raised.value)


def test_a_saved_state_that_was_altered_is_refused(tmp_path):
    """Edited, with flipped bits or cut off: an error in words, or the state that was saved."""
    path, rng = tmp_path / "state.npz", np.random.default_rng(0)
    made = QuantizedKMeans(3, 0.5, seed=2).fit(rng.normal(size=(20, 2)))
    made.save(path)
    with np.load(path) as file:
        edited = dict(file) | {"settings": np.where(np.arange(5) == 2, 7, file["settings"])}
    np.savez(tmp_path / "edited.npz", **edited)  # another seed
    with pytest.raises(ValueError, match="holds no state of quantized k-means: it was altered"):
        QuantizedKMeans.open(tmp_path / "edited.npz")
    content, told = path.read_bytes(), 0
    for trial in range(200):
        where = int(rng.integers(len(content)))
        flipped = bytearray(content)
        flipped[where] ^= 1 << int(rng.integers(8))
        path.write_bytes(content[:where] if trial % 8 == 0 else flipped)
        try:
            assert_same(QuantizedKMeans.open(path), made)
        except ValueError as error:
            told += 1
            assert "holds no state of quantized k-means" in str(error)
    assert told > 100


coordinates = strategies.lists(
    strategies.tuples(strategies.integers(-3, 3), strategies.sampled_from([0.0, 0.5, 0.25])),
    min_size=4,
    max_size=14,
)


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(coordinates, strategies.integers(1, 4), strategies.integers(0, 5), strategies.randoms())
def test_small_and_degenerate_sets(points, clusters, seed, order):
    """Duplicates, ties, points on boundaries, clusters of one, down to the last."""
    X = np.array(points, float)
    made = QuantizedKMeans(clusters, 0.5, gamma=0.3, iterations=3, seed=seed).fit(X)
    numbers = list(range(len(X)))
    order.shuffle(numbers)
    for number in numbers[: len(X) - clusters]:
        made.forget(number)
        assert_same(made, made.refit())
    assert len(made) == clusters
    with pytest.raises(ValueError, match="none can be deleted"):
        made.forget(numbers[-1])
    made.add(X[0])
    assert_same(made, made.refit())
    assert set(made.representatives()) <= set(made.numbers)
    assert set(made.representatives()) <= set(made.numbers)


FITTED = QuantizedKMeans(3, 1.0).fit(blobs(np.random.default_rng(0), 20, 2))
FITTED.forget(4)
WRONG = [
    (lambda: QuantizedKMeans(0, 1.0), "clusters must be"),
    (lambda: QuantizedKMeans(2, 0.0), "width must be a finite number above 0"),
    (lambda: QuantizedKMeans(2, -1.0), "width must be"),
    (lambda: QuantizedKMeans(2, np.nan), "width must be"),
    (lambda: QuantizedKMeans(2, "a"), "width must be"),
    (lambda: QuantizedKMeans(2, True), "width must be"),
    (lambda: recommended_width(0.0), "spread must be a finite number above 0"),
    (lambda: recommended_width(np.inf), "spread must be"),
    (lambda: recommended_width(1.0, rise=-0.1), "rise must be a finite number above 0"),
    (lambda: QuantizedKMeans(2, 1.0, gamma=2), "gamma must lie"),
    (lambda: QuantizedKMeans(2, 1.0, iterations=0), "iterations must be"),
    (lambda: QuantizedKMeans(2, 1.0, seed=-1), "seed must be"),
    (lambda: QuantizedKMeans(5, 1.0).fit(np.zeros((4, 2))), "5 clusters need as many points"),
    (lambda: QuantizedKMeans(2, 1.0).fit(np.zeros(4)), "shape"),
    (lambda: QuantizedKMeans(2, 1.0).fit([["a"], ["b"]]), "(array of|real or complex) numbers"),
    (lambda: QuantizedKMeans(2, 1.0).fit(np.full((4, 2), np.nan)), "must be finite"),
    (lambda: QuantizedKMeans(2, 1e-9).fit(np.ones((4, 2))), "within 1048576 widths"),
    (lambda: QuantizedKMeans(1, 1.0).fit(np.zeros((1, 100_000))), "100000 columns"),
    (lambda: QuantizedKMeans(2, 1.0).forget(1), "call fit first"),
    (lambda: FITTED.forget(4), "point 4 was deleted before"),
    (lambda: FITTED.forget(20), "point 20 is not there, 0 to 19 are"),
    (lambda: FITTED.forget(-1), "integer, 0 or higher"),
    (lambda: FITTED.forget(1.5), "integer, 0 or higher"),
    (lambda: FITTED.add([1.0]), "1 columns, and 2 are expected"),
    (lambda: FITTED.add([np.inf, 0.0]), "must be finite"),
    (lambda: FITTED.predict(np.zeros((2, 3))), "3 columns, and 2"),
    (lambda: FITTED.fit(np.full((4, 2), np.nan)), "must be finite"),
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

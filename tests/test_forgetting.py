"""Points deleted from clusters: exact means, pictures of them, and the points to click."""

import io
import re
from fractions import Fraction

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.patches import Rectangle
from matplotlib.text import Text
from test_kmeans import DATA, assert_same, blobs, drawn

from sketchlab import canvas, figures, widgets
from sketchlab.figures import cells
from sketchlab.incontext import QuantizedKMeans, lattice, means
from sketchlab.widgets import points
from sketchlab.widgets.forgetting import Deletion, Forgetting, same


def plane(n=40, seed=1):
    """Points around four centres of a plane."""
    return blobs(np.random.default_rng(seed), n, 2)


def held(made, members, before, n):
    """A mean, held back, in exact fractions of a unit: by definition, from points one by one."""
    least = Fraction(str(made.gamma)) * n / made.clusters
    total = [sum((Fraction(int(p[j])) for p in members), Fraction(0)) for j in range(len(before))]
    weight = max(Fraction(len(members)), least)
    missing = weight - len(members)
    return [
        (a + missing * int(b)) / weight if weight else Fraction(int(b))
        for a, b in zip(total, before, strict=True)
    ]


@pytest.mark.parametrize("kind", DATA)
def test_means_are_those_of_the_points(kind):
    """In every iteration, from the points; each rounds to its centroid, a point of the lattice."""
    for seed in range(12):
        made, _, _ = drawn(kind, seed)
        state, unit = made.state(), made.width / lattice.CELL
        found = means.steps(made)
        assert len(found) == made.iterations
        for t, step in enumerate(found):
            np.testing.assert_array_equal(step.before, state["centroids"][t] * unit)
            np.testing.assert_array_equal(step.centroids, state["centroids"][t + 1] * unit)
            for cluster in range(made.clusters):
                members = state["points"][step.nearest == cluster]
                before = state["centroids"][t][cluster]
                exact = held(made, members, before, len(made))
                np.testing.assert_allclose(
                    step.means[cluster], np.array(exact, float) * unit, rtol=1e-14
                )
                if len(members) or made.gamma:
                    apart = [
                        f - int(c)
                        for f, c in zip(exact, state["centroids"][t + 1][cluster], strict=True)
                    ]
                    assert all(-1 <= 2 * a / lattice.CELL < 1 for a in apart)
                    steps = (step.centroids[cluster] - step.phase) / made.width
                    np.testing.assert_allclose(steps, np.rint(steps), atol=1e-6)
        np.testing.assert_array_equal(found[-1].centroids, made.centroids)


@pytest.mark.parametrize("kind", DATA)
def test_changes_are_what_the_certificate_is_made_of(kind):
    """All means stay where it is certified; else one leaves, in the iteration that it names."""
    answers = []
    for seed in range(20):
        made, X, rng = drawn(kind, seed)
        before = made.state()
        for number in rng.permutation(len(X))[:6] if len(X) > made.clusters else ():
            certificate, changes = means.without(made, number)
            for name, value in made.state().items():
                np.testing.assert_array_equal(value, before[name])
            stays = [bool(np.all(change.stays)) for change in changes]
            if certificate.certified:
                assert stays == [True] * made.iterations
            elif changes:
                assert stays == [True] * (len(stays) - 1) + [False]
                assert certificate.failed == f"a centroid moves in iteration {len(stays) - 1}"
            if changes:
                answers.append(certificate.certified)
                _check_offsets(made, before, number, changes)
            copied = QuantizedKMeans(
                made.clusters,
                made.width,
                gamma=made.gamma,
                iterations=made.iterations,
                seed=made.seed,
            ).fit(X)
            assert copied.forget(number) == certificate
    assert 0.05 < np.mean(answers) < 0.98 and len(answers) > 60


def _check_offsets(made, state, number, changes):
    """Means with and without the point, from the points."""
    left = state["numbers"] != number
    for t, change in enumerate(changes):
        before, after = state["centroids"][t : t + 2]
        nearest = lattice.nearest(state["points"], before)
        assert change.own == nearest[~left][0]
        for cluster, *offsets in zip(change.clusters, change.kept, change.left, strict=True):
            for offset, some in zip(offsets, (np.ones_like(left), left), strict=True):
                members = state["points"][some & (nearest == cluster)]
                exact = held(made, members, before[cluster], int(some.sum()))
                apart = [
                    float((f - int(c)) / lattice.CELL)
                    for f, c in zip(exact, after[cluster], strict=True)
                ]
                np.testing.assert_allclose(offset, apart, rtol=1e-14)


@pytest.mark.parametrize("end", [-1, 1])
def test_a_mean_on_the_edge_of_a_cell(end):
    """The lower edge belongs to it, the upper one to the next."""
    width, half = float(lattice.CELL), lattice.CELL // 2  # a unit is 1
    for seed in range(20):
        centre = int(lattice.phases(seed, 0, 1)[0])
        X = np.array([[centre + end * half], [centre - end * 5.0]])
        made = QuantizedKMeans(1, width, gamma=0.0, iterations=1, seed=seed).fit(X)
        if made.state()["seeds"][0] == 0:
            certificate, (change,) = means.without(made, 1)
            assert change.left[0, 0] == end / 2
            assert bool(change.stays[0]) == certificate.certified == (end < 0)
            return
    raise AssertionError("the other point was never the seed")


def test_clusters_that_become_empty():
    """Where nothing holds them back they stay where they were, which is off the lattice."""
    told_apart = 0
    for seed in range(300):
        X = np.random.default_rng(seed).integers(-3, 4, size=(8, 1)).astype(float)
        made = QuantizedKMeans(4, 2.0, gamma=0.0, iterations=6, seed=seed).fit(X)
        for number in range(8):
            certificate, changes = means.without(made, number)
            stays = [bool(np.all(change.stays)) for change in changes]
            expected = [True] * (len(stays) - (not certificate.certified))
            assert stays == expected + [False] * (len(stays) - len(expected))
            for t, change in enumerate(changes):
                alone = made.state()["counts"][t][change.own] == 1
                inside = np.all((change.left >= -0.5) & (change.left < 0.5))
                told_apart += bool(alone and inside != stays[t])
    assert told_apart, "there was no such cluster"


def all_figures():
    """Every kind of picture, of clusters from which something was deleted."""
    X = plane()
    made = QuantizedKMeans(4, 1.0, seed=2).fit(X)
    old = made.centroids
    for number in (3, 9, int(made.state()["seeds"][1])):
        made.forget(number)
    seed = int(made.state()["seeds"][0])
    return {
        "clusters": figures.clusters(made, X, moves=(old, made.centroids), point=9),
        "fine": figures.clusters(QuantizedKMeans(4, 0.01).fit(X), legend=False, iteration=0),
        "by iteration": figures.clusters_by_iteration(made, X, columns=4),
        "two": figures.clusters_by_iteration(made, iterations=[0, -1]),
        "certificate": figures.certificate(made, int(made.numbers[-1])),
        "seed": figures.certificate(made, seed),
    }


def test_pictures_are_labelled_legible_and_closed():
    """Letters have 11 pixels or more, also where a notebook draws them at 100 dots per inch."""
    for name, figure in all_figures().items():
        figure.savefig(io.BytesIO(), dpi=100)
        letters = [t for t in figure.findobj(Text) if t.get_text().strip() and t.get_visible()]
        assert len(letters) > 10
        assert min(t.get_fontsize() for t in letters) * 100 / 72 >= 11, name
        assert "first column" in figures.description(figure)
        assert "second column" in figures.description(figure)
        assert figure.get_size_inches()[0] <= 9
    assert plt.get_fignums() == []


def test_clusters_are_drawn_where_they_are():
    """Cells around centroids, lines of the lattice through them, crosses only of deleted points."""
    X = plane()
    made = QuantizedKMeans(4, 1.5, seed=2).fit(X)
    made.forget(3), made.forget(9)
    (axes,) = figures.clusters(made, X).axes
    cells_drawn = {
        tuple(np.round([p.get_x() + 0.75, p.get_y() + 0.75], 9))
        for p in axes.patches
        if isinstance(p, Rectangle)
    }
    assert cells_drawn == {tuple(np.round(c, 9)) for c in made.centroids}
    lines = [line.get_xydata() for line in axes.lines if line.get_zorder() == 0]
    across = sorted({float(x[0, 0]) for x in lines if x[0, 0] == x[1, 0] and x[0, 1] == 0})
    np.testing.assert_allclose(np.diff(across), 1.5)
    for centroid in made.centroids:
        assert np.abs(np.array(across) - centroid[0]).min() < 1e-9
    (crosses,) = [line for line in axes.lines if line.get_marker() == "x"]
    np.testing.assert_array_equal(crosses.get_xydata(), X[[3, 9]])
    (axes,) = figures.clusters(made).axes
    assert not [line for line in axes.lines if line.get_marker() == "x"]
    drawn_points = sum(
        len(line.get_xydata())
        for line in axes.lines
        if line.get_marker() in tuple(cells.SHAPES) and line.get_alpha()
    )
    assert drawn_points == 38


def test_a_certificate_is_told_by_shapes_and_words():
    """Squares for means that stay, a cross for one that leaves, and what is not checked."""
    X, seen = plane(60, 3), set()
    made = QuantizedKMeans(4, 1.0, seed=1).fit(X)
    for number in range(60):
        answer, changes = means.without(made, number)
        if (answer.certified, bool(changes)) in seen:
            continue
        seen.add((answer.certified, bool(changes)))
        figure = figures.certificate(made, number)
        titles = [axes.get_title() for axes in figure.axes]
        marks = [line.get_marker() for axes in figure.axes for line in axes.lines]
        assert sum("not checked" in title for title in titles) == 10 - len(changes)
        assert sum("leaves" in title for title in titles) == bool(changes and not answer.certified)
        assert ("X" in marks) == bool(changes and not answer.certified)
        start = "certified" if answer.certified else f"not certified: {answer.failed}"
        assert f"without point {number}, {start}" in figure.get_suptitle()
    assert seen == {(True, True), (False, True), (False, False)}


MADE = QuantizedKMeans(3, 1.0).fit(plane())
THREE = QuantizedKMeans(3, 1.0).fit(blobs(np.random.default_rng(0), 20, 3))
WRONG = [
    (lambda: figures.clusters(THREE), "2 columns can be drawn, these have 3"),
    (lambda: figures.clusters_by_iteration(THREE), "2 columns can be drawn"),
    (lambda: figures.certificate(THREE, 1), "2 columns can be drawn"),
    (lambda: figures.clusters(MADE, plane(40, 5)), "in the order of their numbers"),
    (lambda: figures.clusters(MADE, plane()[:30]), "shape \\(30, 2\\), is not"),
    (lambda: figures.clusters(MADE, iteration=10), "no iteration 10, 0 to 9 are"),
    (lambda: figures.clusters(MADE, point=40), "no point 40"),
    (lambda: figures.certificate(MADE, 40), "point 40 is not there, 0 to 39 are"),
    (lambda: figures.clusters(QuantizedKMeans(3, 1.0)), "call fit first"),
    (lambda: widgets.forget_points(np.zeros((9, 3)), 2, 1.0), "must have shape \\(any, 2\\)"),
    (lambda: widgets.forget_points(plane(61), 2, 1.0), "1 to 60 points .* shape \\(61, 2\\)"),
    (lambda: widgets.forget_points(plane()[0], 2, 1.0), "must have shape \\(any, 2\\)"),
    (lambda: widgets.forget_points(plane(), 41, 1.0), "41 clusters need as many points"),
    (lambda: widgets.forget_points(plane(), 3, 0.0), "width must be a finite number above 0"),
    (lambda: widgets.forget_points(np.full((5, 2), np.nan), 3, 1.0), "must be finite"),
    (lambda: widgets.forget_points([["a", "b"]] * 5, 3, 1.0), "real or complex numbers"),
]


@pytest.mark.parametrize("case", range(len(WRONG)))
def test_wrong_input_is_refused_in_words(case):
    """With what is allowed."""
    call, message = WRONG[case]
    with pytest.raises((ValueError, TypeError), match=message):
        call()


def test_the_model_deletes_exactly_and_counts():
    """After each deletion a run from scratch; costs and counts are those of the clusters."""
    X = plane()
    model = Forgetting(X, 4, 1.0, gamma=0.3, iterations=6, seed=5)
    other = QuantizedKMeans(4, 1.0, gamma=0.3, iterations=6, seed=5).fit(X)
    start, retraining, certified = other.operations, 0, 0
    for number in np.random.default_rng(0).permutation(40)[:25]:
        before = other.centroids
        certificate = other.forget(number)
        found = model.forget(number)
        assert found.done and found.number == number and found.certificate == certificate
        np.testing.assert_array_equal(found.before, before)
        np.testing.assert_array_equal(found.after, other.centroids)
        assert_same(model.made, other)
        assert_same(model.retrained, other.refit())
        assert model.equal
        certified += certificate.certified
        retraining += other.refit().operations
    assert (model.deleted, model.certified) == (25, certified) and 0 < certified < 25
    assert (model.spent, model.retraining) == (other.operations - start, retraining)
    model.start()
    assert (model.deleted, model.certified, model.spent, model.retraining) == (0, 0, 0, 0)
    assert_same(model.made, QuantizedKMeans(4, 1.0, gamma=0.3, iterations=6, seed=5).fit(X))


def test_what_would_happen_is_shown_without_deleting():
    """The first press shows it, on a copy; another point shows another; the second one deletes."""
    model = Forgetting(plane(), 4, 1.0)
    before, spent = model.made.state(), model.spent
    model.first_show = True
    for number in (7, 9, 7):
        shown = model.press(number)
        assert not shown.done and shown.number == number
        assert same(model.made.state(), before) and model.spent == spent and not model.deleted
    done = model.press(7)
    assert done.done and done.certificate == shown.certificate
    np.testing.assert_array_equal(done.after, shown.after)
    assert 7 not in model.made.numbers and model.deleted == 1
    with pytest.raises(ValueError, match="point 7 was deleted before"):
        model.press(7)
    model.first_show = False
    assert model.press(9).done


def test_states_are_compared_bit_for_bit():
    """In every array, its type and its shape; what is not equal is said."""
    state = MADE.state()
    assert same(state, MADE.state())
    for name, value in state.items():
        if value.dtype.kind == "b":
            changed = ~value
        else:
            changed = value.copy()
            changed.flat[0] = (
                np.nextafter(value.flat[0], 9) if value.dtype == float else value.flat[0] ^ 1
            )
        assert not same(state, {**state, name: changed}), name
        assert not same(state, {**state, name: value[None]})
    assert not same(state, {**state, "more": value})
    assert not same({"a": np.array([0.0])}, {"a": np.array([-0.0])})


def test_a_new_start_that_is_refused_changes_nothing():
    """Too many clusters, or a lattice that is too fine for the points."""
    model = Forgetting(plane(), 4, 1.0)
    model.forget(2)
    before, last = model.made.state(), model.last
    for settings in ({"clusters": 41}, {"width": 1e-9}, {"width": -1.0}):
        with pytest.raises(ValueError):
            model.start(**settings)
        assert same(model.made.state(), before) and model.last is last and model.deleted == 1


MOVES = {  # before, after: moved if done, moved if only shown, renumbered
    "nothing": ([[0, 0], [5, 5]], [[0, 0], [5, 5]], [], [], False),
    "one": ([[0, 0], [5, 5]], [[0, 0], [5, 6]], [1], [1], False),
    "numbered anew": ([[0, 0], [5, 5]], [[5, 5], [0, 0]], [], [], True),
    "both": ([[0, 0], [5, 5], [9, 9]], [[5, 5], [9, 8], [0, 0]], [1], [2], True),
    "equal ones": ([[1, 1], [1, 1], [0, 3]], [[1, 1], [1, 1], [0, 2]], [2], [2], False),
}


@pytest.mark.parametrize("case", MOVES)
def test_centroids_that_move_are_told_from_those_numbered_anew(case):
    """By where they are: the arrows are as short as they can be."""
    before, after, now, shown, renumbered = MOVES[case]
    for done, expected in ((True, now), (False, shown)):
        found = Deletion(0, done, None, np.array(before, float), np.array(after, float))
        assert found.moved.tolist() == expected and found.renumbered is renumbered
        start, end = found.moves
        assert np.sum(np.any(start != end, axis=1)) == len(expected)
        assert sorted(end.tolist()) == sorted(after)


@pytest.fixture
def view():
    """Points to click."""
    return widgets.forget_points(plane(), 4, 1.0, seed=2)


def said(widget):
    """What an HTML widget says, without its tags."""
    return re.sub(r"<[^>]+>", " ", widget.value)


def test_a_click_deletes_a_point(view):
    """Its verdict, its counts, the comparison; the button goes, and the picture changes."""
    outcomes = set()
    for number in range(36):
        picture = view.board.picture.value
        view.board.buttons[number].click()
        last, model = view.model.last, view.model
        assert view.message.value == "" and last.number == number
        sign = "✓ certified" if last.certificate.certified else "✗ not certified"
        assert f"Point {number} is deleted: {sign}" in said(view.verdict)
        if not last.certificate.certified:
            assert last.certificate.failed in said(view.reasons)
            moved = ", ".join(map(str, last.moved)) or "no centroid"
            assert moved in said(view.reasons)
        for what in last.certificate.checked:
            assert what in said(view.reasons)
        assert "bit for bit: yes" in " ".join(said(view.equal).split())
        assert f"{model.spent:,}" in said(view.counts)
        assert f"{model.retraining:,}" in said(view.counts)
        shown = [b.layout.display != "none" for b in view.board.buttons]
        np.testing.assert_array_equal(np.flatnonzero(shown), view.model.made.numbers)
        assert view.board.picture.value != picture
        outcomes.add(last.certificate.certified)
    assert outcomes == {True, False}
    view.board.buttons[37].click()
    assert "4 points are left" in said(view.message) and "none can be deleted" in said(view.message)
    assert view.model.deleted == 36
    view.controls.again.click()
    assert view.message.value == "" and view.model.deleted == 0
    assert all(b.layout.display is None for b in view.board.buttons)


def test_the_view_says_if_the_states_differ(view, monkeypatch):
    """It compares them: clusters that were computed otherwise are not called equal."""
    other = QuantizedKMeans(4, 1.0, seed=3).fit(plane())
    monkeypatch.setattr(QuantizedKMeans, "refit", lambda self: other)
    view.board.buttons[0].click()
    assert "NO" in said(view.equal) and "yes" not in said(view.equal)


def test_the_first_click_may_show_what_would_happen(view):
    """And nothing is deleted by it."""
    view.controls.first_show.value = True
    view.board.buttons[5].click()
    assert "Without point 5" in said(view.verdict) and "would" in said(view.verdict)
    assert "Nothing is deleted yet" in said(view.reasons)
    assert view.model.deleted == 0 and view.board.buttons[5].layout.display is None
    view.board.buttons[5].click()
    assert "Point 5 is deleted" in said(view.verdict)
    assert view.model.deleted == 1


def test_sliders_start_again(view):
    """With the same points; what is refused is said, and the sliders go back."""
    view.board.buttons[5].click()
    view.controls.width.value = 2.0
    assert view.model.made.width == 2.0 and view.model.deleted == 0
    assert "Click a point" in said(view.verdict)
    view.controls.clusters.value = 6
    assert view.model.made.clusters == 6 and len(view.model.made.centroids) == 6
    far = widgets.forget_points(plane() + 1e6, 2, 1.0)
    far.controls.width.value = far.controls.width.base**far.controls.width.min
    assert "within 1048576 widths" in said(far.message)
    assert far.model.made.width == far.controls.width.value == 1.0


def test_buttons_lie_over_their_points(view):
    """Where the picture has the colour of the point; on the grid, with a name for each."""
    figure = figures.clusters(
        view.model.made, figure=points.Figure(figsize=points.SIZE), legend=False, text=points.TEXT
    )
    drawn_points, buffer = np.array(view.model.X), io.BytesIO()
    figure.savefig(buffer, format="png", dpi=200)
    buffer.seek(0)
    pixels = plt.imread(buffer)[..., :3]
    step, seen = view.model.step, 0
    areas = np.array([list(map(int, a.split(" / "))) for a in points.areas(figure, drawn_points)])
    assert np.all(areas >= 1) and np.all(areas[:, [2, 3]] <= np.array(points.FINE)[::-1] + 1)
    for number, (top, left, bottom, right) in enumerate(areas):
        others = [*np.delete(drawn_points, number, 0), *step.centroids, *step.means]
        x = drawn_points[number]
        if min(np.abs(x - o).max() for o in others) < 0.6:
            continue  # it is partly covered
        row = ((top + bottom) / 2 - 1) / points.FINE[1] * pixels.shape[0]
        column = ((left + right) / 2 - 1) / points.FINE[0] * pixels.shape[1]
        colour = to_rgb(cells.COLOURS[step.nearest[number]])
        np.testing.assert_allclose(pixels[round(row), round(column)], colour, atol=0.06)
        seen += 1
    assert seen > 5
    for number, button in enumerate(view.board.buttons):
        assert isinstance(button, ipywidgets.Button)
        assert button.tooltip == f"delete point {number}" and button.layout.grid_area


def test_equal_points_have_a_button_each():
    """They lie at the same place; those that are deleted are out of the way."""
    view = widgets.forget_points(np.zeros((5, 2)), 2, 1.0)
    assert view.message.value == ""
    for number in (4, 3, 2):
        view.board.buttons[number].click()
        assert view.message.value == "" and view.model.equal
    assert canvas.description(figures.clusters(view.model.made, view.model.X))

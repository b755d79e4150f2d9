"""Gradients kept with a sketch: their numbers, what is computed again, how outputs are named."""

import dataclasses

import numpy as np
import pytest
import zarr

import sketchlab as sl
from sketchlab.attribution import first_order
from sketchlab.sketching import gradients
from sketchlab.training import passes

from conftest import LETTERS

DOCS = sl.names.load()[:12]
LABELS = [doc[0] for doc in DOCS]
MAX, NEXT = sl.LossOn("max"), sl.NextLetter("ma", "x")
DELETIONS = [[0], [1, 2], [3]]


@pytest.fixture(scope="module")
def run():
    """A short training of microgpt."""
    return sl.train(DOCS, vocabulary=LETTERS, progress=False)


@pytest.fixture
def passed(monkeypatch):
    """The number of outputs and of points of every pass of reverse mode."""
    found, derivatives = [], passes.derivatives

    def counted(run, functions, rows, **settings):
        found.append((len(functions), len(rows)))
        return derivatives(run, functions, rows, **settings)

    monkeypatch.setattr(passes, "derivatives", counted)
    return found


def rows_of(deletions, n=12):
    """Deletions as rows of down-weights."""
    return np.array([np.isin(np.arange(n), deleted).astype(float) for deleted in deletions])


@pytest.mark.parametrize("units", [None, LABELS])
@pytest.mark.parametrize("at", [0.0, 0.2])
def test_gradients_are_central_differences_of_exact_retrainings(run, units, at):
    """By unit, at every deletion and at the base point, which is no anchor."""
    sketched = sl.sketch(run, 1, 6, units=units, at=at, anchors=0, progress=False)
    sketched.anchor(run, DELETIONS[:2] if units is None else [["a"]], gradients=[MAX, NEXT])
    n, of_document = len(sketched.units), sketched.units.of_document
    step = 1e-5 * np.eye(n)
    for output in (MAX, NEXT):
        made = sketched.output(output)
        assert np.array_equal(made.gradient_points, [made.at, *made.anchors])
        for point, row in zip(made.gradient_points, made.gradients, strict=True):
            ends = [
                output(run.retrain(down_weights=(point + s)[:, of_document], progress=False))
                for s in (step, -step)
            ]
            np.testing.assert_allclose(row, (ends[0] - ends[1]) / 2e-5, rtol=1e-6, atol=1e-8)
    for deleted, value in zip(made.anchors, made.anchor_values, strict=True):
        truth = run.retrain(down_weights=deleted[of_document], progress=False)
        assert value == pytest.approx(NEXT(truth), rel=1e-12)
        assert made.predict(deleted).error == 0


def test_nothing_is_computed_twice(run, tmp_path, passed):
    """Neither an output at a point, nor an anchor; a folder opened again knows them all."""
    sketched = sl.sketch(run, 1, 6, store=tmp_path / "s", anchors=0, progress=False)
    sketched.anchor(run, [[0]], progress=False)
    sketched.anchor(run, DELETIONS, gradients=[MAX], progress=False)
    assert passed == [(1, 4)]
    np.testing.assert_array_equal(sketched.anchors, rows_of(DELETIONS))
    again = sl.open_sketch(tmp_path / "s", run)
    again.anchor(run, DELETIONS, gradients=[sl.LossOn("max")], jobs=1, progress=False)
    assert passed == [(1, 4)]
    again.anchor(run, [*DELETIONS, [5]], gradients=[MAX, NEXT], progress=False)
    assert passed[1:] == [(1, 4), (2, 1)]
    again.anchor(run, [], gradients=[NEXT, MAX], progress=False)
    again.anchor(run, [[5], [7]], progress=False)
    assert len(passed) == 3 and len(again.anchors) == 5
    for output in (MAX, NEXT):
        made = sl.open_sketch(tmp_path / "s").output(output)
        exact = first_order(run, output, at=made.gradient_points, progress=False)
        np.testing.assert_allclose(made.gradients, [one.gradient for one in exact], rtol=1e-9)
        assert len(made.gradients) == 5


def test_the_base_point_alone_may_be_asked_for(run):
    """Without any deletion."""
    sketched = sl.sketch(run, 1, 6, at=0.1, anchors=0, progress=False)
    sketched.anchor(run, [], gradients=MAX, progress=False)
    made = sketched.output(MAX)
    assert len(made.anchors) == 0 and np.array_equal(made.gradient_points, np.full((1, 12), 0.1))
    assert "1 gradients" in repr(made)
    np.testing.assert_allclose(
        made.gradients[0], first_order(run, MAX, at=0.1, progress=False).gradient, rtol=1e-10
    )


INTERRUPTED = {  # what raises, at which call, gradients of MAX that are there, and missing ones
    "in the second batch": (passes, "derivatives", 2, 2, 4),
    "before its anchors": (gradients.known, "write_anchors", 2, 2, 4),
    "between anchors and gradients": (gradients.known, "write_gradients", 3, 2, 4),
    "within a row": (zarr.Array, "__setitem__", 20, 2, 4),
    "between outputs": (gradients.known, "write_gradients", 4, 4, 2),
}


@pytest.mark.parametrize("case", INTERRUPTED)
def test_an_interrupted_call_goes_on_where_it_stopped(run, tmp_path, monkeypatch, case):
    """And arrives at the same numbers."""
    module, name, last, begun, left = INTERRUPTED[case]
    whole = sl.sketch(run, 1, 6, anchors=0, progress=False)
    whole.anchor(run, DELETIONS, gradients=[MAX, NEXT], progress=False)
    monkeypatch.setattr(passes, "TOGETHER", 4)  # two points of two outputs
    sketched = sl.sketch(run, 1, 6, store=tmp_path / "s", anchors=0, progress=False)
    function, calls = getattr(module, name), []

    def interrupted(*arguments, **settings):
        calls.append(1)
        if len(calls) == last:
            raise KeyboardInterrupt
        return function(*arguments, **settings)

    with monkeypatch.context() as patch:
        patch.setattr(module, name, interrupted)
        with pytest.raises(KeyboardInterrupt):
            sketched.anchor(run, DELETIONS, gradients=[MAX, NEXT], progress=False)
    assert len(sl.open_sketch(tmp_path / "s").output(MAX).gradients) == begun
    points, derivatives = [], passes.derivatives

    def counted(run, functions, rows, **settings):
        points.append(len(functions) * len(rows))
        return derivatives(run, functions, rows, **settings)

    monkeypatch.setattr(passes, "derivatives", counted)
    again = sl.open_sketch(tmp_path / "s", run)
    again.anchor(run, DELETIONS, gradients=[MAX, NEXT], progress=False)
    assert sum(points) == left
    for output in (MAX, NEXT):
        made, expected = again.output(output), whole.output(output)
        for part in ("anchors", "anchor_values", "gradient_points", "gradients"):
            found = getattr(made, part)
            np.testing.assert_allclose(found, getattr(expected, part), rtol=1e-11, atol=1e-15)


def test_damaged_gradients_are_reported(run, tmp_path):
    """A chunk with other bytes is no number."""
    sketched = sl.sketch(run, 1, 6, store=tmp_path / "s", anchors=0, progress=False)
    sketched.anchor(run, [], gradients=[MAX], progress=False)
    for name in ("gradients", "points"):
        (chunk,) = (path for path in tmp_path.rglob(f"gradients/*/{name}/c/0/0"))
        before = chunk.read_bytes()
        chunk.write_bytes(before[:8] + b"\0" * 8 + before[16:] if name == "gradients" else b"1")
        with pytest.raises(ValueError, match=f"damaged: '{name}'"):
            sl.open_sketch(tmp_path / "s").output(MAX)
        chunk.write_bytes(before)
    assert len(sl.open_sketch(tmp_path / "s").output(MAX).gradients) == 1


def test_costs_of_gradients_are_counted(run):
    """2 trainings and 3 per output at a point; where it becomes an anchor, that one counts one."""
    sketched = sl.sketch(run, 1, 6, anchors=0, progress=False)
    sketched.anchor(run, DELETIONS, gradients=[MAX, NEXT], progress=False)
    made = [sketched.output(output) for output in (MAX, NEXT, sl.LossOn("al"))]
    jets_and_anchors = 6 * 3 + 3
    for output in made[:2]:
        assert output.gradient_cost == pytest.approx(4 * (2 + 6) / 2 - 3 / 2)
        assert output.cost == pytest.approx(jets_and_anchors + output.gradient_cost)
    assert (repr(made[2].cost), len(made[2].gradients)) == (str(jets_and_anchors), 0)
    assert made[0].part(directions=4).gradient_cost == made[0].gradient_cost


@dataclasses.dataclass(frozen=True)
class Power:
    """A loss to some power, with a field that its repr does not show."""

    name: str
    unit: int
    exponent: int = dataclasses.field(default=1, repr=False)

    def __call__(self, model):
        return model.loss(self.name) ** self.exponent


def test_outputs_are_known_by_type_and_all_fields(run):
    """Those with other settings are others; what it counts and can be do not matter."""
    sketched = sl.sketch(run, 1, 6, anchors=0, progress=False)
    sketched.anchor(run, [], gradients=[Power("max", 1, 2), MAX], progress=False)
    for output in (Power("max", 1, 2), MAX, sl.LossOn("max", unit="bits", bounds=(0, 9))):
        assert len(sketched.output(output).gradients) == 1
    for output in (
        Power("max", 1),
        Power("max", 2, 2),
        sl.LossOn("mx"),
        sl.MeanLoss(["max"]),
        lambda model: model.loss("max"),
    ):
        assert sketched.output(output).gradients.shape == (0, 12)


class Unnamed:
    """Hashable and callable, but another one after every start of Python."""

    def __call__(self, model):
        return model.loss("max")


@dataclasses.dataclass(frozen=True)
class Holder:
    """A frozen dataclass of something that cannot be told apart, or not be hashed."""

    held: object

    def __call__(self, model):
        return model.loss("max")


@pytest.mark.parametrize(
    "output", [lambda model: model.loss("max"), Unnamed(), Holder(Unnamed()), Holder([1]), "max"]
)
def test_outputs_without_a_name_are_refused(run, output):
    """In words, before anything is trained or stored."""
    sketched = sl.sketch(run, 1, 6, anchors=0, progress=False)
    with pytest.raises(TypeError, match=r"that have a name, such as sl.LossOn"):
        sketched.anchor(run, DELETIONS, gradients=[MAX, output], progress=False)
    assert len(sketched.anchors) == len(sketched.output(MAX).gradients) == 0


def test_outputs_that_fail_are_refused_before_the_work(run):
    """As `first_order` refuses them."""
    sketched = sl.sketch(run, 1, 6, anchors=0, progress=False)
    with pytest.raises(ValueError, match="unknown character"):
        sketched.anchor(run, DELETIONS, gradients=[MAX, sl.LossOn("m4x")], progress=False)
    assert len(sketched.anchors) == len(sketched.output(MAX).gradients) == 0


def test_gradients_of_an_output_are_checked_and_frozen():
    """One row for each point, finite, and where the value is known."""
    whole = sl.local_sketch(lambda x: sl.ring.sum(x, -1), 3, 1, 4)
    point = np.zeros((1, 3))
    known = dataclasses.replace(whole, gradient_points=point, gradients=np.ones((1, 3)))
    for array in (known.gradient_points, known.gradients):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
    assert known.part(directions=2).gradients is not None
    for changes, message in (
        ({"gradient_points": point}, "there are 1 gradient points and 0 gradients"),
        ({"gradient_points": point, "gradients": point + np.nan}, "of finite derivatives"),
        ({"gradient_points": point + 1, "gradients": point}, "must be an anchor or the base"),
    ):
        with pytest.raises(ValueError, match=message):
            dataclasses.replace(whole, **changes)


READ = ["max"]


@dataclasses.dataclass(frozen=True)
class Asked:
    """A named output whose name does not say all: it reads what may change."""

    def __call__(self, model):
        return model.loss(READ[0])


def test_kept_derivatives_must_be_those_of_the_output():
    """Another output of the same name is refused, not predicted from what is kept."""
    run = sl.train(sl.names.load()[:30], vocabulary=LETTERS, progress=False)
    sketched = sl.sketch(run, 1, 4, anchors=0, progress=False)
    sketched.anchor(run, [[1, 2]], gradients=Asked(), progress=False)
    assert len(sketched.output(Asked()).gradients) == 2
    READ[0] = "mia"
    try:
        with pytest.raises(ValueError, match=r"derivatives kept for .*Asked.* not those of this"):
            sketched.output(Asked())
        assert len(sketched.output(sl.LossOn("mia")).gradients) == 0
    finally:
        READ[0] = "max"

    @dataclasses.dataclass(frozen=True)
    class Local:
        def __call__(self, model):
            return model.loss("mia")

    with pytest.raises(TypeError, match="gradients are kept for outputs that have a name"):
        sketched.anchor(run, [], gradients=Local(), progress=False)

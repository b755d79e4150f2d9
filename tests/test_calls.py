"""Every public call with wrong values: only errors in the package's own words, no silent NaN.

`right_calls` has the calls, `wrong_calls` the wrong values and what may come of them.
"""

import collections
import inspect

import numpy as np
import pytest

import sketchlab as sl

from right_calls import Things, calls
from wrong_calls import KINDS, is_own, wrong_calls


def public(module=sl, path=""):
    """Public functions and classes by name: of `sl`, of its rooms, and methods of their classes."""
    found = {}
    for name in getattr(module, "__all__", None) or vars(module):
        one = getattr(module, name)
        if inspect.ismodule(one) and hasattr(module, "__all__"):
            found |= public(one, f"{path}{name}.")
        elif hasattr(module, "__all__") or getattr(one, "__module__", "") == module.__name__:
            if callable(one) and not name.startswith("_"):
                found |= {f"{path}{name}": one} | methods(one, f"{path}{name}.")
    return found


def methods(kind, path):
    """The public methods of a class, by name."""
    names = dir(kind) if inspect.isclass(kind) else []
    found = {name: inspect.getattr_static(kind, name) for name in names}
    return {
        path + name: getattr(kind, name)
        for name, one in found.items()
        if (name == "__call__" or not name.startswith("_"))
        and isinstance(one, (classmethod, staticmethod, type(methods)))
        and getattr(kind, name).__module__.startswith("sketchlab")
    }


NOTHING = {kind: [] for kind in KINDS}
RESULTS = """AfterDeletion AlongMove Baseline Chance Ensemble FirstOrder Metasmoothness Ranking
    Recovery Results Retrained Semivalues TaylorTerms Certificate Learner Playground Report
    Models UnlearningError Way Interval Attack Step Change"""
NOT_ATTACKED = {
    **{name: "what the package returns: nobody makes one" for name in RESULTS.split()},
    "Gate": "made by operations on input gates",
    "MicroGPTRun": "made by train; as TrainingRun",
    "kept": "a store of what estimators computed, by keys of theirs",
    "Explorer": "made by explore, with its checks; test_explorer.py has its methods",
    "ExplorerView": "a screen, whose methods its buttons call",
    "ComparisonView": "a screen, whose methods its buttons call",
    "of": "Jet.of joins two arrays without checks, as it says: it is on the way of every step",
}


def takes_anything(function):
    """Whether there is an argument that can be wrong."""
    if inspect.isclass(function):
        return True
    parameters = [name for name in inspect.signature(function).parameters if name != "self"]
    return bool(parameters)


@pytest.mark.usefixtures("_elsewhere")
def test_every_public_call_is_attacked_from_arguments_that_work():
    """What is new in the package is here too, or has a reason; what returns has its methods here.

    Wrong values in a call that is refused anyway would try nothing.
    """
    attacked, refused, returned = set(), [], set()
    for name, function, arguments in calls(Things()):
        attacked.add(name.split(" ")[0])
        try:
            returned |= types_in(function(**arguments))
        except Exception as error:
            refused.append(f"{name}: {error!r}")
    assert refused == []
    names, known = collections.defaultdict(set), public()
    for kind in returned - set(known.values()):
        known |= methods(kind, f"{kind.__name__}.")
    for name, function in known.items():
        names[getattr(function, "__func__", function)].add(name)
    missing = [
        min(found)
        for function, found in names.items()
        if takes_anything(function)
        and not found & attacked
        and not {part for name in found for part in name.split(".")[-2:]} & set(NOT_ATTACKED)
    ]
    assert missing == [], " ".join(missing)
    assert attacked <= set(known), attacked - set(known)


def types_in(value):
    """The classes of the package that a result is made of."""
    parts = list(value.values()) if isinstance(value, dict) else value
    inner = set().union(*map(types_in, parts[:3])) if isinstance(parts, (list, tuple)) else set()
    return inner | {kind for kind in [type(value)] if kind.__module__.startswith("sketchlab")}


@pytest.fixture
def _elsewhere(tmp_path, monkeypatch):
    """The folder is that of before, whatever a call does."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("_elsewhere")
def test_wrong_calls_end_in_words_of_the_package_or_in_finite_numbers():
    """A sample; none in an error of another layer, in NaN, or after more than ten seconds."""
    assert wrong_calls(300, 0) == NOTHING


@pytest.mark.long
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.usefixtures("_elsewhere")
def test_so_do_five_thousand_of_each_seed(seed):
    """The same, of more."""
    assert wrong_calls(5000, seed) == NOTHING


def test_numbers_of_numpy_are_numbers(small_run):
    """As settings they are Python's; what they make is the same to the last bit."""
    names = small_run.data
    made = sl.train(names, layers=np.int64(1), seed=np.int64(3), steps=np.int32(5), progress=False)
    same = sl.train(names, layers=1, seed=3, steps=5, progress=False)
    assert made.loss(names[0]) == same.loss(names[0])
    sketched = [
        sl.sketch(made, degree, 4, seed=seed, anchors=0, progress=False).output(sl.LossOn(names[0]))
        for degree, seed in ((2, 3), (np.int64(2), np.int64(3)))
    ]
    assert sketched[0].predict(without=[0]).value == sketched[1].predict(without=[0]).value
    assert sl.Adam(learning_rate=np.float32(0.5)).learning_rate == 0.5


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.complex64, np.int8, bool])
def test_down_weights_of_any_precision_train_in_double(small_run, kind):
    """Float16 once trained in half precision, and complex64 failed."""
    x = np.zeros(len(small_run))
    x[3] = 1
    expected = small_run.retrain(down_weights=x, progress=False).loss("max")
    found = small_run.retrain(down_weights=x.astype(kind), progress=False).loss("max")
    assert np.real(found) == pytest.approx(expected, rel=1e-14)


PROFILE = [1.0, 0.1, 0.01]
REFUSED = {  # a call of a run, a sketch and an output: what it says
    "down_weights is a masked array, of which 2 of 30": lambda run, sketch, output: run.retrain(
        down_weights=np.ma.masked_array(np.ones(30), np.arange(30) < 2), progress=False
    ),
    "not these: down_weights is a masked array": lambda run, sketch, output: output.predict(
        np.ma.masked_array(np.ones(30), np.arange(30) < 2)
    ),
    "labels is a masked array": lambda *_: sl.attribution.flipped_labels(
        np.ma.masked_array([0, 1, 0], [0, 0, 1]), 1
    ),
    "down_weights must be at most 1e.150 in size": lambda run, sketch, output: output.predict(
        1e160 * np.ones(30)
    ),
    "weights, such as .* must be finite": lambda run, sketch, output: output.curve(
        [0.0, np.nan], without=[0]
    ),
    "weights, such as .* must have shape": lambda run, sketch, output: output.curve(
        0.5, without=[0]
    ),
    "count must be an integer, 1 or higher, not 0": lambda run, sketch, output: (
        sketch.suggested_anchors(0)
    ),
    "beta1 must be a number from 0 up to": lambda *_: sl.Adam(beta1=1.0),
    "epsilon must be a finite number above 0, not inf": lambda *_: sl.plan(PROFILE, np.inf),
    "epsilon must be 0, or 1e-150 to 1e.150 in size, not 1e.300": lambda *_: sl.plan(
        PROFILE, 1e300
    ),
    "within epsilon = 1e-09 takes .* directions, more than": lambda *_: sl.plan(PROFILE, 1e-9),
    "there are no deletions": lambda run, sketch, output: output.predict(np.zeros((0, 30))),
    "there are no deletions: give one row": lambda run, sketch, output: output.estimate(
        np.zeros((0, 30))
    ),
    "down_weights must have shape .* not .0, 30": lambda run, *_: run.retrain(
        down_weights=np.zeros((0, 30)), progress=False
    ),
    "rows must have shape .any, 30., not .1, 0.": lambda run, *_: run.batches([[]], progress=False),
    "an example must be equal to itself": lambda *_: sl.MeanLoss([float("nan")]),
    "a constant of a circuit must be finite": lambda *_: sl.Circuit(float("inf")),
    "inputs must be numbers, arrays or jets": lambda *_: sl.Circuit(*sl.circuits.inputs("x"))(
        [1, 1]
    ),
}


def test_descent_that_diverges_is_told():
    """Its path is what it is: that of a rate that is too large."""
    squares = sl.unlearning.WeightedSquares(np.eye(2), np.ones(2), np.ones(2), 0.1)
    for descend in (sl.unlearning.descend, sl.unlearning.descend_by_rows):
        with pytest.warns(RuntimeWarning, match="1 of 2 descents diverge, to infinity or NaN"):
            path = descend(squares, np.zeros(2), [0.1, 1e100], 20)
        assert np.all(np.isfinite(path[:, 0])) and not np.all(np.isfinite(path[:, 1]))


def test_what_was_silent_or_raw_is_refused_in_words(small_run):
    """Masks that were lost, numbers too large to square, no rows, settings that mean nothing."""
    sketch = sl.sketch(small_run, 2, 6, anchors=0, progress=False)
    output = sketch.output(sl.LossOn("max"))
    for words, call in REFUSED.items():
        with pytest.raises((ValueError, TypeError), match=words) as found:
            call(small_run, sketch, output)
        assert is_own(found.value), found.value


def test_no_deletion_is_an_answer_and_a_huge_epsilon_a_plan(small_run):
    """Nothing deleted is known exactly; two directions of degree 1 are within 1e100."""
    output = sl.sketch(small_run, 2, 6, anchors=0, progress=False).output(sl.LossOn("max"))
    nothing = output.predict(without=[])
    assert (nothing.value, nothing.error) == (output.now, 0.0)
    plan = sl.plan(output, 1e100)
    assert (plan.degree, plan.directions, plan.within_reach) == (1, 2, True)

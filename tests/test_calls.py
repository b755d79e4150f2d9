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
    Models UnlearningError Way Interval Attack"""
NOT_ATTACKED = {
    **{name: "what the package returns: nobody makes one" for name in RESULTS.split()},
    "Gate": "made by operations on input gates",
    "MicroGPTRun": "made by train; as TrainingRun",
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
        and not {name.split(".")[-1] for name in found} & set(NOT_ATTACKED)
    ]
    assert missing == []
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


def test_what_was_silent_or_raw_is_refused_in_words(small_run):
    """Masks that were lost, numbers too large to square, and settings that mean nothing."""
    n = len(small_run)
    masked = np.ma.masked_array(np.ones(n), np.arange(n) < 2)
    sketched = sl.sketch(small_run, 2, 6, progress=False)
    output = sketched.output(sl.LossOn("max"))
    for call in (
        lambda: small_run.retrain(down_weights=masked, progress=False),
        lambda: output.predict(masked),
        lambda: output.predict(1e160 * np.ones(n)),
        lambda: output.curve([0.0, np.nan], without=[0]),
        lambda: output.curve(0.5, without=[0]),
        lambda: output.predict(without=[]) and sketched.suggested_anchors(0),
        lambda: sl.Adam(beta1=1.0),
        lambda: sl.plan(small_run, 1e300 * 1e300),
    ):
        with pytest.raises((ValueError, TypeError)) as found:
            call()
        assert is_own(found.value), found.value

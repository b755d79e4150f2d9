"""`scoreboard`: methods, deletions and outputs in; one table with scores and costs out."""

import itertools
import pickle
import time
import warnings

import joblib
import numpy as np

from ..arguments import check_flag, check_list, check_path, takes
from ..checks import check_choice
from ..progress import progress_bar
from ..training.fingerprints import digest
from ..training.microgpt import MicroGPT
from ..training.passes import called
from ..training.runs import TrainingRun
from .methods import METHODS, Method
from .results import Results, rounded
from .retraining import Retrained
from .scoreboard import Scoreboard, total_cost
from .tasks import Made, Task
from .uncertainty import FEWEST_DELETIONS, FEWEST_OUTPUTS

NULLS = ("no change", "random ranking", "noise floor")
KNOWN = {**dict.fromkeys(NULLS), **METHODS}
OTHERS = 2  # runs from other initial parameters, for the noise floor


@takes(store=check_path, intervals=check_flag)
def scoreboard(
    run, methods, deletions, outputs, *, units=None, others=None, intervals=True, store=None,
    jobs=1, seed=0, progress=True, **settings,
):  # fmt: skip
    """Methods beside exact retraining, on the same deletions and outputs: `Results`.

    run: a training run. methods: names in `METHODS`, or "no change", "random ranking" and "noise
    floor" (exact retraining from other initial parameters); or a dict from names to `Method`, for
    your own (see `available`); None: all that can be made for this run.
    deletions: by name of the group, down-weights of the units, (points, units), or a list of
    deletions, each a list of units; or one group alone. outputs: a list of functions of a model
    that return one number, such as `sl.LossOn`. units: groups of documents deleted together (see
    `Units`). others: runs from other initial parameters, for the noise floor; of microgpt they are
    made. settings: directions, trainings, tuning and link of the `Task`.
    store: a JSON file to keep the truth and every finished method in; the same call goes on from
    there. A row is known by its name, so name your own method anew when you change it.
    intervals: False allows fewer than eight deletions in a group, or eight outputs: the intervals
    of their scores are then unknown.

    Each row has, beside the scores by group (see `Scoreboard`): "access", what the method must see
    of the run; "cost", in trainings, with what its settings were chosen by; "each", in trainings
    for every deletion asked about; wall-clock seconds with `jobs` processes: "prepare", for what
    serves all outputs, "per_output", and "per_deletion" (of one output); "bytes", of what answers
    for all outputs; and "settings". A method that fails keeps the others: its row has the reason,
    under "failed", and a later call tries again.
    Raises TypeError, ValueError, ImportError or MemoryError, in words and before anything is
    trained, for what a method cannot handle.
    """
    groups = deletions if isinstance(deletions, dict) else {"deletions": deletions}
    if not groups:
        raise ValueError("there are no deletions: give down-weights by name of the group")
    work = {"jobs": jobs, "progress": progress}
    task = Task(run, outputs, groups, units=units, seed=seed, **work, **settings)
    chosen = _chosen(task, methods, others)
    if intervals:
        _check_enough(task)
    for method in chosen.values():
        if isinstance(method, Method):
            method.check(task)
    results = _opened(task, outputs, store)
    if store is not None:
        results.save(store)  # a folder that cannot be written to is found out now
    exact = _known(task, results)
    board = Scoreboard(run, task.outputs, task.groups, units=units, exact=exact, seed=seed, **work)
    results.truth = board.truth
    if store is not None:
        results.save(store)
    with progress_bar(len(chosen), progress, unit="method") as bar:
        for name, method in chosen.items():
            done = results.row(name)
            if done is None or "failed" in done:
                row = _row(task, board, name, method, others)
                results.table = [one for one in results.table if one["method"] != name] + [row]
                if name in board.predicted:
                    predicted = board.predicted[name].items()
                    results.predicted[name] = {group: rounded(rows) for group, rows in predicted}
                if store is not None:
                    results.save(store)
            bar.update()
    order = {name: place for place, name in enumerate(chosen)}
    results.table.sort(key=lambda row: order.get(row["method"], len(order)))
    return results


@takes()
def available(run, outputs, *, units=None, others=None, link=None):
    """What can be made for a run and outputs, by name: `Method`, or None for the rows of nulls.

    Add your own to it and give it to `scoreboard`. link: what loss it is, see `trak`.
    """
    task = Task(run, outputs, {}, units=units, link=link)
    return {name: known for name, known in KNOWN.items() if _fits(task, name, others)}


def _chosen(task, methods, others):
    """By name, a `Method`, or None for a row that the scoreboard itself has."""
    if methods is None:
        return {name: known for name, known in KNOWN.items() if _fits(task, name, others)}
    if isinstance(methods, (str, np.ndarray)) or not methods:
        raise TypeError(f"methods must be a list of names, or a dict of Method, not {methods!r}")
    if not isinstance(methods, dict):
        methods = check_list(methods, "methods")
        for name in methods:
            check_choice(name, KNOWN, "a method")
        methods = {name: KNOWN[name] for name in methods}
    for name, method in methods.items():
        if not isinstance(method, Method) and not (method is None and name in NULLS):
            raise TypeError(f"the method {name!r} must be a sl.attribution.Method, not {method!r}")
    if "noise floor" in methods and not _fits(task, "noise floor", others):
        raise ValueError(
            "the noise floor needs runs from other initial parameters: give others=, a list of "
            "training runs on the same data"
        )
    return dict(methods)


def _fits(task, name, others):
    """Whether a row can be made for this run and these outputs."""
    if name in NULLS:
        return name != "noise floor" or bool(others) or isinstance(task.run.initial, MicroGPT)
    try:
        KNOWN[name].check(task)
    except (ArithmeticError, ImportError, MemoryError, TypeError, ValueError):
        return False
    return True


def _check_enough(task):
    fewest = {name: len(rows) for name, rows in task.groups.items() if len(rows) < FEWEST_DELETIONS}
    if fewest or len(task.outputs) < FEWEST_OUTPUTS:
        what = [f"{many} deletions in {name!r}" for name, many in fewest.items()]
        what += [f"{len(task.outputs)} outputs"] if len(task.outputs) < FEWEST_OUTPUTS else []
        raise ValueError(
            f"{', '.join(what)}: too few for intervals of the scores. Give at least "
            f"{FEWEST_DELETIONS} deletions in each group and {FEWEST_OUTPUTS} outputs, or say "
            "intervals=False: the intervals are then unknown"
        )


def _opened(task, outputs, store):
    """Empty results, or those that the file holds."""
    about = {
        "run": digest(task.run.fingerprint()),
        "outputs": [called(function) for function in outputs],
        "deletions": {name: digest(rows) for name, rows in task.groups.items()},
        "units": digest(task.units.record()),
        "directions": task.directions,
        "trainings": task.trainings,
        "tuning": task.tunings,
        "link": task.link,
        "seed": task.seed,
    }
    now = np.array([_number(function, task.run.model) for function in task.outputs])
    deleted = {name: np.count_nonzero(rows, axis=1).tolist() for name, rows in task.groups.items()}
    fresh = Results(about, about["outputs"], now, deleted, {})
    try:
        found = Results.read(store) if store is not None else fresh
    except FileNotFoundError:
        found = fresh
    found.check_same(fresh, store)
    return found


def _number(function, model):
    value = np.asarray(function(model))
    if value.shape != () or value.dtype.kind not in "fiu" or not np.isfinite(value):
        raise ValueError(
            f"the output {called(function)!r} must be one finite number, such as "
            f"model.loss('max'); of the trained model it is {value!r}"
        )
    return float(value)


def _known(task, results):
    """The truth as `Retrained`, if the results have it, else None."""
    if not results.truth:
        return None
    values = np.concatenate([results.truth[name] for name in task.groups])
    return [
        Retrained(
            task.deletions, column, task.units, float(now), getattr(function, "unit", ""),
            getattr(function, "bounds", (-np.inf, np.inf)),
        )
        for function, column, now in zip(task.outputs, values.T, results.now, strict=True)
    ]  # fmt: skip


def _row(task, board, name, method, others):
    """The row of one method; with the reason, if it failed."""
    if method is None:
        if name == "noise floor":
            row = board.add_noise_floor(
                others or _others(task.run), progress=task.quiet["progress"]
            )
        else:
            row = board.add_no_change() if name == "no change" else board.add_random_ranking()
        return row
    try:
        made, prepare, own = task.timed(lambda: _made(method, task))
        return _scored(task, board, name, method, made, prepare, own)
    except (ArithmeticError, MemoryError, RuntimeError, ValueError) as error:
        warnings.warn(f"{name} failed and has no scores: {error}", stacklevel=3)
        board.predicted.pop(name, None)
        return {"method": name, "access": method.access, "cost": None, "failed": str(error)}


def _made(method, task):
    made = method.make(task)
    return made if isinstance(made, Made) else Made(made)


def _scored(task, board, name, method, made, prepare, own):
    each = max(getattr(one, "cost_of_each", 0.0) for one in made.each)
    about = {
        "access": method.access,
        "cost": float(total_cost(made.each) if made.cost is None else made.cost),
        "each": each,
        "prepare": prepare,
        "per_output": own / len(task.outputs),
        "bytes": _bytes(made.predictors),
        "settings": made.settings,
    }
    start = time.perf_counter()
    row = board.add(name, made.predictors, about=about, **made.predict)
    asked = sum(len(rows) for group, rows in task.groups.items() if group in row)
    row["per_deletion"] = (time.perf_counter() - start) / asked / len(task.outputs)
    return row


def _bytes(predictors):
    """Of all that predictors hold, shared parts once."""
    return len(pickle.dumps(joblib.wrap_non_picklable_objects(predictors)))


def _others(run):
    """The same training of microgpt from other initial parameters."""
    settings = {"optimizer": run.optimizer, "steps": run.steps, "batch_size": run.batch_size}
    models = (run.initial.fresh(seed) for seed in itertools.count())
    new = (one for one in models if digest(one.parameters) != digest(run.initial.parameters))
    return [
        TrainingRun(model, run.data, progress=False, **settings)
        for model in itertools.islice(new, OTHERS)
    ]

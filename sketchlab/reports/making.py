"""`report`: compute all that can be said of one request to delete documents."""

import dataclasses
import datetime
import json

import numpy as np

from ..arguments import check_flag, check_path, check_text, instance, takes
from ..checks import brief
from ..sketching.identity import check_is_run
from ..sketching.sketch import Sketch
from ..training.fingerprints import digest
from ..unlearning import Bench, Models, unlearn
from ..unlearning.documents import forget_set, unseen_documents
from ..unlearning.methods import check_settings
from . import answers, facts, words
from .measures import judged
from .page import fragment, page, save

FORMAT = 1


@dataclasses.dataclass(frozen=True, eq=False)
class Report:
    """The report of one request; made by `report`.

    numbers: all of it as plain values, a dictionary whose keys are those of the page's sections:
    "request", "outputs", "retraining", "method" (or None). model: the model that was trained again
    without the documents. unlearned: what the method made of the originals, and bench: what it was
    compared with, or None.
    """

    numbers: dict
    model: object
    unlearned: Models | None = None
    bench: Bench | None = None

    @property
    def summary(self):
        """The report in a few sentences, a list of strings."""
        return words.summary(self.numbers)

    @property
    def html(self):
        """The whole page. It loads nothing, runs nothing, and holds `numbers` as JSON."""
        return page(self.numbers)

    @takes(path=check_path, overwrite=check_flag)
    def save(self, path, *, overwrite=False):
        """Write the page to a file and return its path.

        Raises FileExistsError if there is a file already, unless overwrite=True.
        """
        return save(self.html, path, overwrite)

    def __repr__(self):
        return "Report:\n" + "\n".join(f"- {line}" for line in self.summary)

    def _repr_html_(self):
        return fragment(self.numbers)


@takes(request=check_text, texts=check_flag, sketch=instance(Sketch), bench=instance(Bench))
def report(
    run,
    without,
    *,
    outputs=None,
    sketch=None,
    method=None,
    settings=None,
    unseen=None,
    seeds=None,
    initial=None,
    bench=None,
    request="",
    texts=True,
    made=None,
    progress=True,
):
    """The report of one request to delete documents from the data of a run: a `Report`.

    run: a training run. without: numbers of the documents to delete. It is trained again without
    them, and once more to check that nothing of them is left: two trainings.

    outputs: what is asked of the models, functions such as `sl.LossOn("max")`, in a list or by
    title; default: mean losses on the deleted documents and on the unseen ones. sketch: a sketch of
    this run, which predicts them; without one nothing is predicted.

    method: a name in `unlearning.METHODS`, to be judged beside retraining; settings: a dictionary
    of its settings. It takes `unseen`, documents that were never trained on, and models of `seeds`
    seeds, 100 by default, trained three times (originals, and retrained ones of the same and of
    other seeds). initial: see `unlearning.train_seeds`. bench: instead of these three, an
    `unlearning.Bench` of the same run and documents.

    request: a reference to the request, for the record. texts: False leaves the documents' texts
    out; words in outputs and request that are given stay. made: when, a datetime with a time zone;
    default: now.

    Raises TypeError or ValueError, before anything is trained, for what does not fit together;
    only settings of a method are found to be wrong when it runs.
    """
    check_is_run(run)
    deleted = np.flatnonzero(forget_set(run, without)).tolist()
    made = _moment(made)
    if not isinstance(request, str):
        raise TypeError(f"request must be a string, not {brief(request)}")
    _check_method(run, deleted, method, settings, unseen, seeds, initial, bench)
    named = {"outputs": outputs, "sketch": sketch, "unseen": unseen, "initial": initial}
    named = [name for name, value in {**named, "bench": bench}.items() if value is not None]
    if bench is not None:
        unseen = bench.parts["unseen"]
    unseen = None if unseen is None else unseen_documents(run, unseen)
    asked = answers.asked(outputs, run, deleted, unseen)
    weights = None
    if sketch is not None:
        sketch.check_run(run)
        weights = answers.unit_weights(sketch, run, deleted)
    if method is not None and bench is None:
        seeds = 100 if seeds is None else seeds
        settled = {"initial": initial, "progress": progress}
        bench = Bench(run, deleted, unseen, seeds=seeds, **settled)

    model = run.retrain(without=deleted, progress=progress)
    found = []
    for title, function in asked.items():
        exact = answers.value(title, function, model)
        guess = None if sketch is None else answers.predicted(sketch, function, weights, exact)
        unit, now = getattr(function, "unit", ""), answers.value(title, function, run.model)
        found.append(
            {"title": title, "unit": unit, "now": now, "retrained": exact, "predicted": guess}
        )
    unlearned, judgement = None, None
    if method is not None:
        unlearned = unlearn(bench.originals, deleted, method, progress=progress, **(settings or {}))
        judgement = {
            "name": method,
            "settings": {name: words.described(value) for name, value in (settings or {}).items()},
            "seeds": len(bench.originals),
            "documents": {part: len(docs) for part, docs in bench.parts.items()},
            "splits": bench.splits,
            **judged(bench, unlearned),
        }
    numbers = {
        "format": FORMAT,
        "made": made,
        "reference": request,
        "versions": facts.versions(),
        "request": _request(run, deleted, model, texts),
        "outputs": found,
        "retraining": {
            "independent": facts.independent(run, deleted, model, progress),
            "changed": facts.parameters_digest(model) != facts.parameters_digest(run.model),
            "trained_sha256": facts.parameters_digest(run.model),
            "retrained_sha256": facts.parameters_digest(model),
            "trainings": 2,
        },
        "method": judgement,
        "code": words.code(deleted, judgement, texts, named),
    }
    # As they will be read back: the page is the same, whether made here or from the record.
    return Report(json.loads(json.dumps(numbers, allow_nan=False)), model, unlearned, bench)


def _check_method(run, deleted, method, settings, unseen, seeds, initial, bench):
    """Raise, in words, for settings that have no method, and for what a method lacks."""
    if method is None:
        given = {"settings": settings, "seeds": seeds, "initial": initial, "bench": bench}
        if odd := [name for name, value in given.items() if value is not None]:
            raise ValueError(f"{odd[0]} is for a method of unlearning: give method=, too")
        return
    if settings is not None and not isinstance(settings, dict):
        raise TypeError(f"settings must be a dictionary of settings by name, not {brief(settings)}")
    check_settings(method, settings or {})
    if bench is None:
        if unseen is None:
            raise ValueError(
                "a method is judged on documents that were never trained on as well: give unseen="
            )
        return
    given = {"unseen": unseen, "seeds": seeds, "initial": initial}
    if odd := [name for name, value in given.items() if value is not None]:
        raise ValueError(f"the bench has its own {odd[0]}: leave {odd[0]}= out")
    if bench.run is not run and bench.run.fingerprint() != run.fingerprint():
        raise ValueError("the bench is of another training run: make one of this run")
    if sorted(bench.without) != deleted:
        raise ValueError("the bench has another forget set: make one of the documents to delete")


def _request(run, deleted, model, texts):
    """The first section's numbers."""
    examples, found = run.examples(deleted), facts.texts(run, deleted)
    letters = facts.only_letters(run, deleted)
    return {
        "documents": len(run),
        "deleted": deleted,
        "texts": found if texts else None,
        "withheld": found is not None and not texts,
        "losses": {
            "trained": _finite(run.model.losses(examples)),
            "retrained": _finite(model.losses(examples)),
        },
        "copies": facts.copies(run, deleted),
        "unused": facts.unused(run, deleted),
        "only_letters": None if letters is None else len(letters),
        "run": run.fingerprint(),
        "run_sha256": digest(run.fingerprint()),
        "steps": run.steps,
    }


def _finite(values):
    """Numbers as JSON has them: None for those that are not finite."""
    return [float(one) if np.isfinite(one) else None for one in values]


def _moment(made):
    """The time of making in UTC, as text to the second."""
    made = datetime.datetime.now(datetime.UTC) if made is None else made
    if not isinstance(made, datetime.datetime) or made.tzinfo is None:
        raise ValueError(
            "made must be a datetime with a time zone, such as "
            f"datetime.datetime.now(datetime.UTC), not {brief(made)}"
        )
    return made.astimezone(datetime.UTC).isoformat(timespec="seconds")

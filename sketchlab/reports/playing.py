"""`playground`: a page on which anybody can delete, predict and retrain, without Python.

All of its numbers are computed here, once; its script only shows them. The page loads nothing.
"""

import base64
import dataclasses
import hashlib
import html
import json
from importlib import resources

import numpy as np

from ..arguments import check_flag, check_path, check_text, takes
from ..checks import brief
from ..sketching.identity import check_is_run
from ..sketching.sketch import Sketch
from ..sketching.sketch import sketch as make_sketch
from ..training import microgpt, names
from ..training.microgpt import MicroGPTRun
from ..training.outputs import LossOn, MeanLoss, NextLetter
from . import answers, grid, page
from .deletions import by_letters, offered
from .markup import visible

FORMAT = 1
LOSSES, UNSEEN = 3, 20  # names whose losses are asked for, and those of the mean loss
READ, NEEDED, ASIDE = 300, 10, 0.1  # names of a file, and the share of them that is held out
PARTS = ("playground.css", "playground.html", "playground.js", "playground_drawing.js")


@dataclasses.dataclass(frozen=True, eq=False)
class Playground:
    """A page to play with; made by `playground`. numbers: all that it shows, as JSON values.

    Outputs are whole numbers there: the change from "now" in units of the last of "digits".
    """

    numbers: dict

    @property
    def html(self):
        """The whole page: styles, script and numbers in one file that loads nothing."""
        style, body, *scripts = (
            resources.files(__package__).joinpath(name).read_text("utf-8") for name in PARTS
        )
        script = f"\n{''.join(reversed(scripts))}"
        allowed = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        policy = f"{page.POLICY}; script-src 'sha256-{allowed}'"  # this script and no other
        return (
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            f'<meta http-equiv="Content-Security-Policy" content="{html.escape(policy)}">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f"<title>{html.escape(self.numbers['title'])}</title>\n"
            f"<style>\n{style}</style>\n</head>\n<body>\n{body}"
            f"{page.record(self.numbers, separators=(',', ':'))}\n"
            f"<script>{script}</script>\n</body>\n</html>\n"
        )

    @takes(path=check_path, overwrite=check_flag)
    def save(self, path, *, overwrite=False):
        """Write the page to a file and return its path.

        Raises FileExistsError if there is a file already, unless overwrite=True.
        """
        return page.save(self.html, path, overwrite)

    def __repr__(self):
        deletions, outputs = len(self.numbers["deletions"]), len(self.numbers["outputs"])
        size = len(self.html.encode()) / 1000
        return f"Playground({deletions} deletions, {outputs} outputs, {size:.0f} kB)"


@takes(title=check_text, about=check_text)
def playground(
    run,
    sketch,
    *,
    deletions=None,
    outputs=None,
    epsilons=None,
    title="What if the model had never seen them?",
    about="",
    progress=True,
):
    """A page to play with, for people without Python: a `Playground`.

    It offers some deletions and outputs of a run, shows what a sketch of it predicts at 21
    down-weights from 0 to 1, with the 90% band, and what exact retraining gives at eleven: ten
    trainings for each deletion, made here.

    deletions: document numbers by label by heading, such as {"names that begin with": {"x": [3,
    8]}}; default, for text: groups of names by their letters. Heading and label together say what
    is deleted. outputs: functions of a model, such as `sl.LossOn("max")`, in a list or by title;
    default, for microgpt: losses on names it was not trained on, their mean, and a probability.
    epsilons: accuracies that can be asked for instead of the whole sketch, for all outputs; the
    part of the sketch for each is that of `sl.plan_part` with all deleted. Default: multiples of
    the output's own. title, about: the heading, and a sentence on the model and its data.

    Raises TypeError or ValueError, before anything is trained, for what does not fit together.
    """
    check_is_run(run)
    if not isinstance(sketch, Sketch):
        raise TypeError(f"sketch must be from sl.sketch, not {type(sketch).__name__}")
    sketch.check_run(run)
    if not isinstance(title, str) or not isinstance(about, str) or not title.strip():
        raise TypeError(f"title and about must be text, not {brief(title)} and {brief(about)}")
    offers, asked = chosen(run, deletions, outputs)
    steps = {name: grid.accuracies(name, one, epsilons) for name, one in asked.items()}
    weights = [answers.unit_weights(sketch, run, one["of"]) for one in offers]

    exact = grid.retrained(run, offers, asked, progress)
    told, cells = [], [[] for _ in offers]
    for number, (name, function) in enumerate(asked.items()):
        output, truth = sketch.output(function), exact[:, number]
        now = answers.value(name, function, run.model)
        last = grid.digits(steps[name])
        found = [grid.predicted(output, row, steps[name]) for row in weights]
        for row, parts, true in zip(cells, found, truth, strict=True):
            row.append(grid.cell(parts, now, true, last))
        told.append(
            {
                "title": visible(name),
                "label": visible(_label(name, function)),
                "unit": output.unit,
                "now": grid.whole(now, last),
                "digits": last,
                "epsilons": steps[name],
                "scores": grid.scores(found, now, truth[:, -1]),
            }
        )
    numbers = {
        "format": FORMAT,
        "title": visible(title),
        "about": visible(about),
        "run": {"documents": len(run), "steps": run.steps},
        "sketch": {
            "directions": len(sketch),
            "degree": sketch.degree,
            "anchors": len(sketch.anchors),
            "groups": [visible(name) for name in sketch.units.nested],
        },
        "weights": [round(w, 6) for w in grid.WEIGHTS.tolist()],
        "retrained_at": [round(w, 6) for w in grid.RETRAINED.tolist()],
        "deletions": offers,
        "start": _start(offers, cells),
        "outputs": told,
        "cells": cells,
    }
    return Playground(json.loads(json.dumps(numbers, allow_nan=False)))


def of_file(path, *, directions=150, store=None, progress=True):
    """A `Playground` of microgpt on the first names of a file.

    Raises OSError or ValueError, before anything is sketched, for a file that does not fit.
    """
    docs = list(dict.fromkeys(names.load(path)))[:READ]  # held-out ones are not trained on, too
    if len(docs) < NEEDED:
        raise ValueError(
            f"a page needs {NEEDED} different names or more, of which a tenth is held out, and "
            f"{path} has {len(docs)}: give a longer list"
        )
    if not by_letters(docs):
        raise ValueError(
            f"no names of {path} begin, end or are spelled alike, so that there are no groups to "
            "delete: give another list"
        )
    run = microgpt.train(docs, context="longest", held_out=ASIDE, progress=progress)
    chosen(run)
    first = {}
    for number, name in enumerate(run.data):
        first.setdefault(name[0], []).append(number)
    sketched = make_sketch(run, 2, directions, units=first, store=store, progress=progress)
    return playground(
        run,
        sketched,
        title="What if the model had never seen these names?",
        about=f"A small language model has learned from {len(run)} names.",
        progress=progress,
    )


def chosen(run, deletions=None, outputs=None):
    """What a page offers to delete, and its outputs by title: those given, or the defaults.

    Raises TypeError or ValueError, in words, for what does not fit the run.
    """
    outputs = _outputs(run) if outputs is None else outputs
    return offered(run, deletions), answers.asked(outputs, run, (), None)


def _start(offers, cells):
    """The deletion that is shown first: of those of the first heading, the largest prediction."""
    sizes = [
        abs(row[0]["parts"][0]["value"][-1])
        for one, row in zip(offers, cells, strict=True)
        if one["heading"] == offers[0]["heading"]
    ]
    return int(np.argmax(sizes))


def _label(title, function):
    """What stands at an axis: the output's own label, if it is called what it calls itself."""
    if getattr(function, "title", None) == title:
        return function.label
    unit = getattr(function, "unit", "")
    return f"{title} ({unit})" if unit else title


def _outputs(run):
    """What is asked of microgpt if nothing is said."""
    if not isinstance(run, MicroGPTRun):
        raise TypeError("give outputs=, such as [sl.LossOn(0)]: only microgpt has outputs of names")
    unseen = names.unseen(run, UNSEEN)
    if not unseen:
        raise ValueError(
            "there are no names to ask about, as nothing was held out and these are no embedded "
            "names: train with sl.train(docs, held_out=0.1), or give outputs="
        )
    unseen = list(dict.fromkeys(unseen))
    word = unseen[-1][: run.model.context]  # as much of it as the model can read
    return [
        *map(LossOn, unseen[-LOSSES:]),
        NextLetter(word[:-1], word[-1]),
        MeanLoss(tuple(unseen)),
    ]

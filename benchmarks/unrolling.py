"""Is the error of unlearning by one gradient known without retraining? Many runs, SGD and Adam.

    python benchmarks/unrolling.py --result unrolling.json
    python benchmarks/unrolling.py --table unrolling.json

The first trains microgpt on a grid of learning rates, steps and gammas (of the SD loss), forgets
three sets of names by one gradient, and compares the *verification error* (distance to the model
retrained from the same seed) with the *unlearning error* (see `sketchlab.unlearning.unrolling`). A
result that is there already is continued. The second prints stored tables.

A run is one seed of one configuration; its verification error is the mean over the forget sets.
`unrolled` says what is made of the runs, and how intervals are made.
"""

import argparse
import itertools
import json
import os
import time

import numpy as np
from unrolled import markdown, short, summary

import sketchlab as sl
from sketchlab.progress import progress_bar
from sketchlab.unlearning import SDLoss, train_seeds, unlearn, unlearning_error, verification_error

GRID = {
    "rates": {"SGD": [0.003, 0.01, 0.03, 0.1], "Adam": [0.0003, 0.001, 0.003, 0.01]},
    "epochs": [1, 2, 4],
    "gammas": [0.0, 0.3, 1.0],
}
TOY = {"count": 12, "seeds": 2, "forget": 2, "hessian": 2, "unseen": 4, "width": 4}
TOY_GRID = {
    "rates": {"SGD": [0.01, 0.1], "Adam": [0.003, 0.01]}, "epochs": [1], "gammas": [0.0, 1.0]
}  # fmt: skip
OPTIMIZERS = {"SGD": sl.SGD, "Adam": lambda rate: sl.Adam(rate, schedule="constant")}
SETS, POINTS = 3, 3  # forget sets; states in training whose Hessian is taken


class Task:
    """Documents, forget sets and the initial model that all configurations share."""

    def __init__(self, settings):
        names, count = sl.names.load(), settings["count"]
        self.settings, self.docs = settings, names[:count]
        letters = set("".join(self.docs))
        self.unseen = [name for name in names[count:] if set(name) <= letters][: settings["unseen"]]
        self.initial = sl.MicroGPT.initial("".join(sorted(letters)), width=settings["width"])
        order = np.random.default_rng(0).permutation(count)[: SETS * settings["forget"]]
        self.sets = [sorted(map(int, rows)) for rows in np.split(order, SETS)]
        self.hessian = np.linspace(0, count - 1, settings["hessian"]).astype(int)

    def measured(self, optimizer, rate, steps, gamma):
        """All measures of one configuration, by seed; errors by forget set and seed."""
        start, quiet = time.process_time(), {"progress": False}
        run = sl.TrainingRun(
            SDLoss(self.initial, gamma), self.docs, optimizer=OPTIMIZERS[optimizer](rate),
            steps=steps, **quiet,
        )  # fmt: skip
        originals = train_seeds(run, self.settings["seeds"], **quiet)
        apart, added = [], []  # what retraining changes, and a single gradient at rate 1
        for rows in self.sets:
            apart.append(train_seeds(run, originals.seeds, without=rows, **quiet).flat)
            one = unlearn(originals, rows, "single_gradient", rate=1.0, **quiet)
            added.append(one.flat - originals.flat)
        apart = [flat - originals.flat for flat in apart]
        # The best multiplier by least squares, all seeds together; each set takes that of the next.
        best = [np.vdot(g, d) / np.vdot(g, g) for g, d in zip(added, apart, strict=True)]
        fitted = [*best[1:], best[0]]

        def errors(multipliers):
            rows = zip(multipliers, added, apart, strict=True)
            return [short(verification_error(m * g, d)) for m, g, d in rows]

        proxies = unlearning_error(originals, points=POINTS, examples=self.hessian)
        plain = self.initial.with_parameters(originals.model.parameters)  # without the SD term
        return {
            "optimizer": optimizer, "rate": rate, "steps": steps, "gamma": gamma,
            "nothing": errors([0.0] * SETS), "single": errors([rate] * SETS),
            "fitted": errors(fitted), "multipliers": short(np.array(fitted) / rate),
            **{name: short(values) for name, values in proxies._asdict().items()},
            "moved": short(np.linalg.norm(originals.flat - originals.starts, axis=1)),
            "unseen": short(plain.losses(self.unseen).mean(axis=1)),
            "seconds": round(time.process_time() - start, 2),
        }  # fmt: skip


def configurations(settings):
    """All of the grid, in order: optimizer, rate, steps, gamma."""
    steps = [settings["count"] * epochs for epochs in settings["epochs"]]
    return [
        (optimizer, *rest)
        for optimizer, rates in settings["rates"].items()
        for rest in itertools.product(rates, steps, settings["gammas"])
    ]


def measure(settings, path=None, progress=True):
    """The result of all configurations; a result at this path is continued, and kept up to date."""
    task, result = Task(settings), {"settings": settings, "configurations": []}
    if path and os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            result = json.load(file)
        if result["settings"] != settings:
            raise ValueError(
                f"{path} has other settings, {result['settings']}, than {settings}: give another "
                "file, or remove it"
            )
    done, wanted = result["configurations"], configurations(settings)
    with progress_bar(len(wanted), progress, unit="configuration") as bar:
        bar.update(len(done))
        for one in wanted[len(done) :]:
            done.append(task.measured(*one))
            bar.update(1)
            write(result, path)
    result["summary"] = summary(result)
    write(result, path)
    return result


def write(result, path):
    """Store a result, one configuration a line, so that an interruption leaves the old or new."""
    if not path:
        return
    lines = ",\n".join(map(json.dumps, result["configurations"]))
    rest = {name: value for name, value in result.items() if name != "configurations"}
    with open(f"{path}.part", "w", encoding="utf-8") as file:
        file.write(json.dumps(rest)[:-1] + f',\n"configurations": [\n{lines}\n]}}\n')
    os.replace(f"{path}.part", path)


def main(arguments=None):
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=80, help="names to train on")
    parser.add_argument("--seeds", type=int, default=6, help="of each configuration")
    parser.add_argument("--forget", type=int, default=4, help=f"names in each of {SETS} sets")
    parser.add_argument("--hessian", type=int, default=16, help="names whose Hessian is taken")
    parser.add_argument("--unseen", type=int, default=40, help="names for the held-out loss")
    parser.add_argument("--width", type=int, default=16, help="of microgpt")
    parser.add_argument("--result", help="write the numbers here, as JSON, or continue these")
    parser.add_argument("--table", help="only print the tables of this result")
    parser.add_argument("--quick", action="store_true", help="a toy run that tests this program")
    options = parser.parse_args(arguments)
    if options.table:
        with open(options.table, encoding="utf-8") as file:
            result = json.load(file)
        if "summary" not in result:
            parser.error(f"{options.table} is not finished: continue it with --result")
        print(markdown(result))
        return
    if options.quick:
        vars(options).update(TOY)
    settings = {key: getattr(options, key) for key in TOY}
    settings |= TOY_GRID if options.quick else GRID
    try:
        result = measure(settings, options.result, not options.quick)
    except ValueError as error:
        parser.error(str(error))
    print(markdown(result))


if __name__ == "__main__":
    main()

"""How fast does the explorer answer? Seconds from a change to the drawn picture.

    python benchmarks/explorer.py
    python benchmarks/explorer.py --names-count 1000 --directions 500 --degree 3 --store folder

Medians of several changes, after a first of each kind. The widgets run without a browser, so what
it needs to show the picture (some hundredths of a second) comes on top.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import time

import numpy as np

import sketchlab as sl


def timed(changes):
    """Median and largest time of some calls, in seconds."""
    times = []
    for change in changes:
        start = time.perf_counter()
        change()
        times.append(time.perf_counter() - start)
    return np.median(times), max(times)


def main():
    """Sketch, then change everything that a visitor can change."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--names-count", type=int, default=400)
    options.add_argument("--directions", type=int, default=200)
    options.add_argument("--degree", type=int, default=2)
    options.add_argument("--jobs", type=int, default=2)
    options.add_argument("--precision", default="single", help="of the jets: single or double")
    options.add_argument("--store", help="folder to keep the sketch in")
    options.add_argument("--quick", action="store_true", help="a small sketch")
    given = options.parse_args()
    if given.quick:
        given.names_count, given.directions = 40, 20
    names = sl.names.load()
    run = sl.train(names[: given.names_count], progress=False)
    letters = {}
    for number, name in enumerate(run.data):
        letters.setdefault(name[0], []).append(number)
    start = time.perf_counter()
    sketch = sl.sketch(
        run,
        given.degree,
        given.directions,
        units=letters,
        precision=given.precision,
        store=given.store,
        jobs=given.jobs,
    )
    print(f"sketching in {given.precision} precision: {time.perf_counter() - start:.1f} s")
    start = time.perf_counter()
    view = sl.explore(run, sketch, without=list(letters)[:1], name="max")
    print(f"{sketch!r}\nopening the explorer: {time.perf_counter() - start:.2f} s")

    def setting(control, values):
        return [lambda value=value: setattr(control, "value", value) for value in values]

    def ticks(numbers):
        deletion.none.click()
        for number in numbers:
            deletion.names.search.value = str(number)
            deletion.names.boxes[deletion.names.shown.index(number)].value = True

    def retrain(numbers):
        ticks(numbers)
        view.button.click()
        view.worker.join()

    accuracy, question, deletion = view.accuracy, view.question, view.deletion
    rng = np.random.default_rng(0)
    clicks = [tuple(rng.choice(len(run), 5, replace=False).tolist()) for _ in range(12)]
    rounds = {
        "epsilon": setting(accuracy.epsilon, np.geomspace(0.001, 1, 12)),
        "down-weight": setting(accuracy.weight, np.linspace(0, 1, 12)),
        "five names ticked": [lambda click=click: ticks(click) for click in clicks],
        "letter pressed": setting(next(iter(deletion.units.chips.values())), [True, False] * 6),
        "new loss": setting(question.name, ["zoe", "emma", "noah", "jax", "kayla"]),
        "known loss": setting(question.name, ["zoe", "emma", "noah", "jax", "kayla"]),
        "new probability": [
            *setting(question.kind, ["next letter"]),
            *setting(question.letter, "bcdef"),
        ],
        "new mean loss of 20 names": setting(question.kind, ["mean loss on unseen names"]),
        "names clicked, retrained": [lambda click=click: retrain(click) for click in clicks[:3]],
    }
    print(f"{'change':27s}  median  largest")
    for what, changes in rounds.items():
        median, largest = timed(changes)
        print(f"{what:27s}  {median:5.3f}s   {largest:5.3f}s")


if __name__ == "__main__":
    main()

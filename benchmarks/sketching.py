"""What a sketch costs, and how the cost grows.

    python benchmarks/sketching.py [--quick] [--figure break_even.png]

Precompute against directions, steps and degree; bytes and peak memory; a new output and a new
deletion at m = 500; and the break-even number of deletions against exact retraining, from the
measured times. microgpt on the embedded names. One BLAS thread, one process.
"""

import os

for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import argparse
import time
import tracemalloc

import numpy as np

import sketchlab as sl
from sketchlab import figures


def seconds(function):
    """Wall-clock time of one call."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def table(title, rows):
    """Print measurements beside their first row."""
    print(f"\n{title}")
    first = rows[0]
    for label, value, expected in rows:
        print(
            f"  {label:24} {value:8.2f} s   ratio {value / first[1]:6.2f}   expected "
            f"{expected / first[2]:6.2f}"
        )


def main():
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--quick", action="store_true", help="small: only to see that it works")
    parser.add_argument("--figure", help="image file for the break-even figure")
    options = parser.parse_args()
    steps, many = (10, 8) if options.quick else (100, 500)
    names = sl.names.load()
    letters = "".join(sorted(set("".join(names))))

    def run_of(count):
        return sl.train(names[:count], vocabulary=letters, progress=False)

    run = run_of(steps)

    def cost(run, degree, directions):
        return seconds(lambda: sl.sketch(run, degree, directions, anchors=0, progress=False))

    cost(run, 3, 32)  # warm up
    table(
        "precompute against directions (degree 3)",
        [(f"{m} directions", cost(run, 3, m), m) for m in (32, 64, 128)],
    )
    table(
        "precompute against steps (degree 3, 32 directions)",
        [(f"{t} steps", cost(run_of(t), 3, 32), t) for t in (steps, 2 * steps, 4 * steps)],
    )
    table(
        "precompute against degree (32 directions); expected (K+1)(K+2)/2",
        [(f"degree {k}", cost(run, k, 32), (k + 1) * (k + 2) / 2) for k in (1, 2, 3, 6, 10)],
    )

    tracemalloc.start()
    sketched = sl.sketch(run, 3, many, anchors=0, progress=False)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    print(f"\nm = {many}, degree 3: {sketched.nbytes / 1e6:.0f} MB stored", end="")
    print(f" (kept in memory here), peak {peak / 1e6:.0f} MB")

    def output_of(name):
        return sketched.output(sl.LossOn(name))

    new_output = min(seconds(lambda: output_of("max")) for _ in range(3))
    output = output_of("max")
    deleted = list(range(min(20, steps)))
    new_deletion = min(
        seconds(lambda: output.predict(without=deleted, estimator="mean")) for _ in range(20)
    )
    print(f"a new output: {new_output:.2f} s; a new deletion: {1e3 * new_deletion:.2f} ms")
    longer = sl.sketch(run_of(4 * steps), 3, 8, anchors=0, progress=False).output(sl.LossOn("max"))
    again = min(
        seconds(lambda: longer.predict(without=deleted, estimator="mean")) for _ in range(20)
    )
    shorter = sl.sketch(run, 3, 8, anchors=0, progress=False).output(sl.LossOn("max"))
    before = min(
        seconds(lambda: shorter.predict(without=deleted, estimator="mean")) for _ in range(20)
    )
    print(
        f"a new deletion, 8 directions: {1e3 * before:.2f} ms after {steps} steps of training, ",
        end="",
    )
    print(f"{1e3 * again:.2f} ms after {4 * steps}")

    retrain = seconds(lambda: run.retrain(without=[0], progress=False))
    x = np.random.default_rng(0).integers(0, 2, (32, steps)).astype(float)
    batched = seconds(lambda: run.retrain(down_weights=x, progress=False)) / 32
    direction = cost(run, 3, 64) / 64
    print("\nbreak-even deletions = cost of the sketch / cost of one retraining")
    for m in (32, many):
        print(
            f"  {m} directions of degree 3: {m * direction / retrain:.0f} deletions one by one, "
            f"{m * direction / batched:.0f} in batches of 32"
        )
    if options.figure:
        figure, axes = figures.new_axes(6, 3.6)
        deletions = np.logspace(0, 5, 100)
        scale = 1000 / steps  # to the 1000 steps of the notebooks
        for label, each, colour in (
            ("retraining one by one", retrain, figures.RED),
            ("retraining in batches of 32", batched, figures.ORANGE),
        ):
            axes.loglog(deletions, scale * each * deletions, color=colour, label=label)
        for m, colour in ((32, figures.GREEN), (many, figures.BLUE)):
            total = scale * m * direction + new_deletion * deletions
            axes.loglog(deletions, total, color=colour, label=f"sketch of {m} directions")
        axes.set(xlabel="deletions asked about", ylabel="seconds, one core, 1000 steps")
        axes.legend(frameon=False)
        figure.savefig(options.figure, dpi=144)


if __name__ == "__main__":
    main()

"""What a sketch costs, and how the cost grows.

    python benchmarks/sketching.py [--quick] [--figure break_even.png] [--growth growth.png]

Precompute against directions, steps, documents and degree, in both precisions; bytes, and peak
memory against directions with the sketch in a folder; a new output and a new deletion at m = 500;
and the break-even number of deletions against exact retraining, from the measured times. microgpt
on the embedded names, one step for each. One BLAS thread, one process, whose seconds are counted.
"""

import os

for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import argparse
import tempfile
import time
import tracemalloc

import numpy as np

import sketchlab as sl
from sketchlab import figures


def seconds(function):
    """Seconds of the processor in one call."""
    start = time.process_time()
    function()
    return time.process_time() - start


def table(title, rows):
    """Print measurements beside their first row."""
    print(f"\n{title}")
    first = rows[0]
    for label, value, expected in rows:
        print(
            f"  {label:24} {value:8.2f} s   ratio {value / first[1]:6.2f}   expected "
            f"{expected / first[2]:6.2f}"
        )


def peak_memory(run, directions, precision):
    """Megabytes that a sketch of degree 3 takes at most while it is made in a folder."""
    tracemalloc.start()
    with tempfile.TemporaryDirectory() as folder:
        sl.sketch(
            run,
            3,
            directions,
            anchors=0,
            precision=precision,
            store=f"{folder}/sketch",
            progress=False,
        )
    peak = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    return peak


def draw_growth(grown, memory, path):
    """The cost against directions and steps, and memory against directions."""
    figure, panels = figures.new_axes(12.5, 3.2, columns=4)
    drawn = [*grown.items(), ("directions", memory)]
    for number, (axes, (what, rows)) in enumerate(zip(panels, drawn, strict=True)):
        for colour, (precision, points) in zip(
            (figures.BLUE, figures.ORANGE), rows.items(), strict=True
        ):
            x, y = zip(*points, strict=True)
            axes.plot(x, y, "o", color=colour, label=precision)
            if number < 2:  # in proportion
                slope = np.dot(x, y) / np.dot(x, x)
                axes.plot([0, x[-1]], [0, slope * x[-1]], color=colour)
        axes.set(xlabel=what, xlim=(0, None), ylim=(0, None))
        axes.set_ylabel("peak memory, MB" if rows is memory else "seconds, one core")
    panels[0].legend(frameon=False)
    figure.savefig(path, dpi=100)


def main():
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--quick", action="store_true", help="small: only to see that it works")
    parser.add_argument("--figure", help="image file for the break-even figure")
    parser.add_argument("--growth", help="image file for the figure of cost and memory")
    options = parser.parse_args()
    steps, many = (10, 8) if options.quick else (100, 500)
    names = sl.names.load()
    letters = "".join(sorted(set("".join(names))))

    def run_of(count, steps=None):
        return sl.train(names[:count], steps, vocabulary=letters, progress=False)

    run = run_of(steps)

    def cost(run, degree, directions, precision="double"):
        settings = {"anchors": 0, "precision": precision, "progress": False}
        return min(seconds(lambda: sl.sketch(run, degree, directions, **settings)) for _ in "12")

    cost(run, 3, 64)  # warm up
    counts = (4, 8) if options.quick else (64, 128, 192, 256)
    lengths = [steps * k // 2 for k in (1, 2, 3, 4)]
    sizes = [2 * steps * k for k in (1, 2, 4, 8)]
    of_steps, of_names = "steps, one name each", f"names, of which {2 * steps} are steps"
    grown, memory = {"directions": {}, of_steps: {}, of_names: {}}, {}
    for precision in ("double", "single"):
        by_count = [(m, cost(run, 3, m, precision)) for m in counts]
        by_step = [(t, cost(run_of(t), 3, 64, precision)) for t in lengths]
        by_name = [(n, cost(run_of(n, 2 * steps), 3, 64, precision)) for n in sizes]
        for what, points in zip(grown, (by_count, by_step, by_name), strict=True):
            grown[what][precision] = points
        rows = [(f"{m} directions", value, m) for m, value in by_count]
        table(f"precompute against directions (degree 3, {precision})", rows)
        rows = [(f"{t} steps", value, t) for t, value in by_step]
        table(f"precompute against steps (degree 3, 64 directions, {precision})", rows)
        rows = [(f"{n} names", value, 1) for n, value in by_name]
        table(f"precompute against names ({2 * steps} steps, degree 3, {precision})", rows)
        memory[precision] = [(m, peak_memory(run_of(10), m, precision)) for m in counts]
        print(f"\npeak memory of a sketch in a folder (degree 3, {precision}), MB: ", end="")
        print(", ".join(f"{peak:.0f} of {m} directions" for m, peak in memory[precision]))
    if options.growth:
        draw_growth(grown, memory, options.growth)
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

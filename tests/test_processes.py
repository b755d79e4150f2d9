"""Work in several processes that is stopped: by Ctrl-C, Jupyter's interrupt, or an error."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import sketchlab as sl
from sketchlab.processes import in_processes
from sketchlab.sketching import store

from conftest import LETTERS, ROOT

COUNT = 400
SCRIPT = """
import sys
import numpy as np
import sketchlab as sl
run = sl.train(sl.names.load()[:20], steps=20, vocabulary="{letters}", progress=False)
print("ready", flush=True)
for line in sys.stdin:
    try:
        made = sl.sketch(run, 2, {count}, store=line.strip(), anchors=0, jobs=2, progress=False)
        print(made.output(sl.LossOn("max")).coefficients.tobytes().hex(), flush=True)
    except KeyboardInterrupt:
        print("KeyboardInterrupt", flush=True)
"""
pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks into /proc"),
]


def others(session):
    """Numbers of the processes of a session that work for another: those of joblib."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if os.getsid(int(place.name)) == session:
                found += [place.name] * (b"loky.backend.popen" in (place / "cmdline").read_bytes())
        except OSError:  # it has ended meanwhile
            continue
    return found


def idle(session):
    """Whether none of them does anything: joblib keeps those that have nothing to do, for later."""

    def ticks():
        stats = (Path(f"/proc/{one}/stat").read_text() for one in others(session))
        return sum(sum(map(int, stat.rpartition(")")[2].split()[11:13])) for stat in stats)

    before = ticks()
    time.sleep(0.5)
    return ticks() <= before + 1


def wait_for(happened):
    """Until this is true, for some time."""
    deadline = time.monotonic() + 120
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def begun(path):
    """Whether some of the directions of a store are complete."""
    try:
        return len(store.missing(store.open_existing(path), COUNT)) < COUNT
    except (FileNotFoundError, ValueError):  # not there yet; being replaced
        return False


@pytest.mark.parametrize("whom", ["all", "one"])
def test_an_interrupt_reaches_the_caller_and_leaves_nothing(tmp_path, whom):
    """Sent to all processes, as a terminal does, or to the caller alone; while the others start,
    and while they work. The caller is told within seconds, nobody prints anything else, no process
    goes on, and the same call goes on from there."""
    caller = subprocess.Popen(
        [sys.executable, "-c", SCRIPT.format(letters=LETTERS, count=COUNT)],
        env=os.environ | {"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    send = os.killpg if whom == "all" else os.kill
    assert caller.stdout.readline() == "ready\n"
    path = tmp_path / "sketch"
    for moment, over in (
        (lambda: others(caller.pid), lambda: not others(caller.pid)),
        (lambda: begun(path), lambda: idle(caller.pid)),
    ):
        caller.stdin.write(f"{path}\n")
        caller.stdin.flush()
        wait_for(moment)
        start = time.monotonic()
        send(caller.pid, signal.SIGINT)
        assert caller.stdout.readline() == "KeyboardInterrupt\n"
        assert time.monotonic() - start < 5
        wait_for(over)
    missing = len(store.missing(store.open_existing(path), COUNT))
    assert 0 < missing < COUNT
    said, errors = caller.communicate(f"{path}\n", timeout=120)
    assert errors == "" and not others(caller.pid)
    run = sl.train(sl.names.load()[:20], steps=20, vocabulary=LETTERS, progress=False)
    whole = sl.sketch(run, 2, COUNT, anchors=0, progress=False).output(sl.LossOn("max"))
    found = np.frombuffer(bytes.fromhex(said), complex).reshape(whole.coefficients.shape)
    np.testing.assert_array_equal(found, whole.coefficients)


def write(folder, number):
    """Some work that leaves a trace."""
    time.sleep(0.1)
    (folder / str(number)).touch()


def test_what_is_under_way_stops_with_an_error_of_the_caller(tmp_path):
    """Even while the error is being looked at, as it is in a notebook."""
    work = [(tmp_path, number) for number in range(100)]
    with pytest.raises(KeyError) as error, in_processes(write, work, 2) as results:
        next(results)
        raise KeyError
    done = len(list(tmp_path.iterdir()))
    time.sleep(1)
    assert error.traceback and len(list(tmp_path.iterdir())) == done < 100

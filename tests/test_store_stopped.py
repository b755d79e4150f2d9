"""Stores under long work that is stopped, in a full or read-only folder, by several at once."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import sketchlab as sl
from sketchlab.sketching import contents, known, rows, store

from conftest import LETTERS, ROOT

OUTPUT = sl.LossOn("max")
COUNT = 24
DELETIONS = [[i, (7 * i + 1) % 30] for i in range(12)]

SERVER = """
import importlib, json, os, sys, traceback
import sketchlab as sl

module = importlib.import_module("sketchlab.sketching.sketch")
module.BATCH = 2
run = sl.train(sl.names.load()[:30], steps=40, vocabulary="{letters}", progress=False)
print("ready", flush=True)
for line in sys.stdin:
    if pid := os.fork():
        print(pid, flush=True)
        sys.stdin.readline()  # until then its number is nobody else's
        os.waitpid(pid, 0)
        print("ended", flush=True)
        continue
    try:
        exec(json.loads(line))
        print("done", flush=True)
    except BaseException:
        print(traceback.format_exc(), flush=True)
    os._exit(0)
"""
SKETCH = "sl.sketch(run, 2, {count}, store=path, anchors=0, progress=False)"
ANCHOR = """
sketch = sl.open_sketch(path, run)
for deletion in {deletions}:
    sketch.anchor(run, [deletion], gradients=sl.LossOn("max"), progress=False)
"""
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="forks processes")


class Server:
    """A process that is ready to work on stores, each time in a process of its own."""

    def __init__(self):
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        environment |= {"OPENBLAS_NUM_THREADS": "1"}
        self.process = subprocess.Popen(
            [sys.executable, "-c", SERVER.format(letters=LETTERS)],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def begin(self, path, work):
        """Begin to work on a store; the number of the process."""
        self._say(json.dumps(f"path = {str(path)!r}\n{work}"))
        return int(self.process.stdout.readline())

    def _say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def end(self):
        """Wait for it; the lines that it has printed, the last one "done" if all went well."""
        self._say("")
        return list(iter(lambda: self.process.stdout.readline().rstrip("\n"), "ended"))


@pytest.fixture(scope="module")
def servers():
    """Two of them."""
    made = [Server(), Server()]
    for one in made:
        assert one.process.stdout.readline() == "ready\n"
    yield made
    for one in made:
        one.process.communicate()


def sketch(run, path, count=COUNT):
    """The sketch that the workers make."""
    return sl.sketch(run, 2, count, store=path, anchors=0, progress=False)


def anchor(made, run, deletions=DELETIONS):
    """The anchors that the workers make."""
    made.anchor(run, deletions, gradients=OUTPUT, progress=False)


@pytest.fixture(scope="module")
def whole(small_run):
    """Jets of an output in a sketch that nothing interrupted."""
    return sketch(small_run, None).output(OUTPUT).coefficients


@pytest.fixture(scope="module")
def original(small_run, tmp_path_factory):
    """The folder of a finished sketch without anchors, for copying."""
    path = tmp_path_factory.mktemp("store") / "sketch"
    sketch(small_run, path)
    return path


@pytest.fixture(scope="module")
def anchored(small_run):
    """What is known of an output in a sketch with all anchors that nothing interrupted."""
    made = sketch(small_run, None)
    anchor(made, small_run)
    return made.output(OUTPUT)


@pytest.fixture
def stored(original, tmp_path):
    """A copy of it."""
    return shutil.copytree(original, tmp_path / "sketch")


def check_same_knowledge(found, expected):
    """In any order: anchors with their values, points with their derivatives; and the jets."""
    np.testing.assert_allclose(found.coefficients, expected.coefficients, atol=1e-10)
    np.testing.assert_allclose(found.influence, expected.influence, atol=1e-9)
    for points, values in (("anchors", "anchor_values"), ("gradient_points", "gradients")):
        one, other = (
            sorted(zip(getattr(x, points).tolist(), getattr(x, values).tolist(), strict=True))
            for x in (found, expected)
        )
        assert [point for point, _ in one] == [point for point, _ in other]
        np.testing.assert_allclose([v for _, v in one], [v for _, v in other], atol=1e-9)


# ---- interrupted ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["influence", "reference_jets"])
@pytest.mark.parametrize("moment", ["before it is written", "after"])
def test_an_influence_that_was_not_written_is_computed_again(
    small_run, anchored, stored, monkeypatch, name, moment
):
    """It is missing, not 0, wherever the first call of anchor was cut off."""
    write = rows.write

    def interrupted(target, table, which, *arguments):
        if which == name and moment != "after":
            raise KeyboardInterrupt
        write(target, table, which, *arguments)
        if which == name:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(rows, "write", interrupted)
        with pytest.raises(KeyboardInterrupt):
            anchor(sl.open_sketch(stored, small_run), small_run)
    opened = sl.open_sketch(stored, small_run)
    assert opened.influence is None
    anchor(opened, small_run)
    check_same_knowledge(sl.open_sketch(stored).output(OUTPUT), anchored)


def test_an_influence_that_was_being_replaced_is_computed_again(small_run, stored, monkeypatch):
    """With more directions it is made anew; half of that is no influence."""
    opened = sl.open_sketch(stored, small_run)
    anchor(opened, small_run, DELETIONS[:2])
    write = rows.write

    def interrupted(target, table, name, *arguments):
        if name == "reference_jets":
            raise KeyboardInterrupt
        write(target, table, name, *arguments)

    longer = sketch(small_run, stored, COUNT + 6)
    with monkeypatch.context() as patch:
        patch.setattr(rows, "write", interrupted)
        with pytest.raises(KeyboardInterrupt):
            anchor(longer, small_run, DELETIONS[:3])
    opened = sl.open_sketch(stored, small_run)
    assert opened.influence is None and np.isfinite(opened.predict(OUTPUT, without=[3]).value)
    anchor(opened, small_run, DELETIONS[:3])
    fresh = sketch(small_run, None, COUNT + 6)
    anchor(fresh, small_run, DELETIONS[:3])
    check_same_knowledge(opened.output(OUTPUT), fresh.output(OUTPUT))


# ---- several at once --------------------------------------------------------------------------


def test_two_who_anchor_one_store_lose_nothing(small_run, anchored, stored, monkeypatch):
    """Each adds what the other has not added meanwhile, whatever it knew when it began."""
    one, other = (sl.open_sketch(stored, small_run) for _ in range(2))
    write, turns = known.write_anchors, []

    def after_the_other(group, down_weights, parameters):
        turns.append(1)
        if len(turns) == 1:  # the other does some of the same, and more, in between
            anchor(other, small_run, DELETIONS[:8])
        write(group, down_weights, parameters)

    monkeypatch.setattr(known, "write_anchors", after_the_other)
    anchor(one, small_run, DELETIONS[4:])
    for found in (one, other, sl.open_sketch(stored)):
        check_same_knowledge(found.output(OUTPUT), anchored)


def test_a_reader_sees_the_old_or_the_new_while_another_replaces(stored, monkeypatch):
    """An array that is replaced while it is read is read again."""
    reader, writer = sl.open_sketch(stored), sl.open_sketch(stored)
    group = store.writable(writer.group)
    rows.put(group, influence=np.eye(3))
    plain, replaced = rows._plain, []

    def replaced_before(target, name):
        if not replaced:
            replaced.append(1)
            rows.put(group, influence=2 * np.eye(3))
        return plain(target, name)

    monkeypatch.setattr(rows, "_plain", replaced_before)
    np.testing.assert_array_equal(reader.influence, 2 * np.eye(3))
    assert replaced


def test_one_process_at_a_time_changes_a_store(stored):
    """Another waits, and then adds to what it finds."""
    group = store.writable(sl.open_sketch(stored).group)
    order = []

    def change(name, number):
        with contents.changing(group) as table:
            order.append((name, "begins"))
            time.sleep(0.05)
            table["rows"].setdefault("anchors", {})[number] = name
            order.append((name, "ends"))

    threads = [threading.Thread(target=change, args=(str(i), i)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [name for name, _ in order[::2]] == [name for name, _ in order[1::2]]
    assert contents.read(group)["rows"]["anchors"] == {i: str(i) for i in range(4)}


# ---- no room, no right to write ---------------------------------------------------------------

LIMITED = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
try:
    {work}
except OSError as error:
    print(error)
"""


@pytest.mark.parametrize("limit", [3000, 60_000])
def test_files_that_cannot_be_written_are_an_error_in_words(
    small_run, whole, tmp_path, servers, limit
):
    """The first of them, or the first chunk; the same call goes on when there is room."""
    path = tmp_path / "sketch"
    servers[0].begin(path, LIMITED.format(limit=limit, work=SKETCH.format(count=COUNT)))
    out, done = servers[0].end()
    assert done == "done"
    assert "File too large" in out
    if path.exists():
        assert "is kept" in out and "run the same call" in out
        with pytest.raises(ValueError, match="unfinished"):
            sl.open_sketch(path)
    found = sketch(small_run, path).output(OUTPUT).coefficients
    np.testing.assert_allclose(found, whole, atol=1e-10)


READ_ONLY = """
import os
if os.getuid() == 0:
    os.setuid(65534)
assert not os.access(path, os.W_OK)
sketch = sl.open_sketch(path, run)
print(repr(sketch.predict(sl.LossOn("max"), without=[3])))
for work in (lambda: sketch.anchor(run, [[3]], progress=False), lambda: %s):
    try:
        work()
    except OSError as error:
        print(error)
"""


def test_a_read_only_folder_is_read_and_says_that_it_cannot_be_written(original, servers):
    """Whatever would be added."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        path = shutil.copytree(original, Path(folder) / "sketch")
        for place in (path, *path.rglob("*")):
            place.chmod(0o555 if place.is_dir() else 0o444)
        try:
            servers[0].begin(path, READ_ONLY % SKETCH.format(count=COUNT + 1))
            predicted, *errors, done = servers[0].end()
        finally:
            for place in (path, *path.rglob("*")):
                place.chmod(0o755)
        assert done == "done" and len(errors) == 2
        assert predicted == repr(sl.open_sketch(original).predict(OUTPUT, without=[3]))
        for error in errors:
            assert "could not be written" in error and "let the folder be written to" in error


# ---- killed at any moment (make test-all) -----------------------------------------------------


def seconds(server, path, work):
    """How long a process takes that is not killed."""
    start = time.perf_counter()
    server.begin(path, work)
    assert server.end() == ["done"]
    return time.perf_counter() - start


def killed(server, path, work, moment):
    """Let a process begin, and kill it after so many seconds; whether it was not done yet."""
    process = server.begin(path, work)
    time.sleep(moment)
    os.kill(process, signal.SIGKILL)
    return "done" not in server.end()


@pytest.mark.long
def test_sketching_killed_at_any_moment_is_completed(small_run, whole, tmp_path, servers):
    """Twenty times: there is nothing, or an unfinished store that the same call completes."""
    work, stopped, begun = SKETCH.format(count=COUNT), 0, 0
    longest = seconds(servers[0], tmp_path / "first", work)
    for trial, moment in enumerate(np.random.default_rng(0).uniform(0, longest, 20)):
        path = tmp_path / str(trial)
        stopped += killed(servers[0], path, work, moment)
        if path.exists():
            missing = len(store.missing(store.open_existing(path), COUNT))
            begun += 0 < missing < COUNT
            if missing:
                with pytest.raises(ValueError, match="unfinished"):
                    sl.open_sketch(path)
        found = sketch(small_run, path)
        for one in (found, sl.open_sketch(path, small_run)):
            np.testing.assert_allclose(one.output(OUTPUT).coefficients, whole, atol=1e-10)
    assert stopped >= 10 and begun >= 3, (stopped, begun)


@pytest.mark.long
def test_anchoring_killed_at_any_moment_is_completed(
    small_run, anchored, original, tmp_path, servers
):
    """Twelve times: what is there is exact, and the same call adds the rest."""
    work, stopped, begun = ANCHOR.format(deletions=DELETIONS), 0, 0
    longest = seconds(servers[0], shutil.copytree(original, tmp_path / "first"), work)
    truth = dict(zip(map(bytes, anchored.anchors), anchored.anchor_values, strict=True))
    for trial, moment in enumerate(np.random.default_rng(1).uniform(0, longest, 12)):
        path = shutil.copytree(original, tmp_path / str(trial))
        stopped += killed(servers[0], path, work, moment)
        opened = sl.open_sketch(path, small_run)
        output = opened.output(OUTPUT)
        begun += 0 < len(output.anchors) < len(DELETIONS)
        for point, value in zip(output.anchors, output.anchor_values, strict=True):
            assert value == pytest.approx(truth[bytes(point)], abs=1e-9)
        anchor(opened, small_run)
        check_same_knowledge(sl.open_sketch(path, small_run).output(OUTPUT), anchored)
    assert stopped >= 6 and begun >= 2, (stopped, begun)


@pytest.mark.long
def test_processes_that_anchor_one_store_at_once_lose_nothing(
    small_run, anchored, original, tmp_path, servers
):
    """Five times two processes, with some deletions in common."""
    for trial in range(5):
        path = shutil.copytree(original, tmp_path / str(trial))
        parts = DELETIONS[:8], DELETIONS[:3:-1]
        for server, part in zip(servers, parts, strict=True):
            server.begin(path, ANCHOR.format(deletions=part))
        assert [server.end() for server in servers] == [["done"]] * 2
        check_same_knowledge(sl.open_sketch(path, small_run).output(OUTPUT), anchored)


@pytest.mark.long
def test_copies_made_while_a_store_is_written_are_exact_or_say_so(
    small_run, whole, tmp_path, servers
):
    """A copy is completed by the same call, or is an error in words: never other numbers."""
    path, completed, told = tmp_path / "sketch", 0, 0
    servers[0].begin(path, SKETCH.format(count=COUNT))
    for trial in range(30):
        with contextlib.suppress(shutil.Error, FileNotFoundError):  # a file was renamed meanwhile
            shutil.copytree(path, tmp_path / f"copy{trial}")
        time.sleep(0.02)
    assert servers[0].end() == ["done"]
    for copy in tmp_path.glob("copy*"):
        try:
            found = sketch(small_run, copy).output(OUTPUT).coefficients
        except ValueError as error:
            told += 1
            assert "damaged" in str(error) or "is not a sketch" in str(error)
        else:
            completed += 1
            np.testing.assert_allclose(found, whole, atol=1e-10)
    assert completed >= 3, (completed, told)

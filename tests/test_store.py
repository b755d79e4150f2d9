"""Sketches on disk: reopened, interrupted, damaged, mistaken for one another."""

import copy
import datetime
import errno
import hashlib
import importlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import zarr

import sketchlab as sl
from sketchlab import directions
from sketchlab.estimation.units import Units
from sketchlab.sketching import contents
from sketchlab.training import own

from conftest import LETTERS, ROOT

DEGREE, COUNT, BATCH = 2, 10, 4
module = importlib.import_module("sketchlab.sketching.sketch")  # sl.sketch is the function in it


def make(run, path, *, count=COUNT, **settings):
    """The sketch that these tests store."""
    return sl.sketch(
        run,
        settings.pop("degree", DEGREE),
        count,
        store=path,
        anchors=0,
        progress=False,
        **settings,
    )


def coefficients_of(sketch):
    """The jets of one output along all directions of a sketch."""
    return sketch.output(lambda model: model.loss("max")).coefficients


def files(path):
    """SHA-256 of every file in a folder (or of one file), by name."""
    found = [path] if path.is_file() else [p for p in sorted(path.rglob("*")) if p.is_file()]
    return {str(p.relative_to(path)): hashlib.sha256(p.read_bytes()).hexdigest() for p in found}


def done_flags(path):
    """Which directions a stored sketch says are complete: 1 or 0 for each."""
    table = contents.read(zarr.open_group(str(path), mode="r"))
    return [int(number in table["rows"].get("tail", ())) for number in range(table["directions"])]


def forget(path, numbers):
    """Let a stored sketch say that some directions are not complete."""
    with contents.changing(zarr.open_group(str(path), mode="r+")) as table:
        for number in numbers:
            del table["rows"]["tail"][number]


def metadata(path):
    """The attributes of the group, and the file that holds them."""
    place = path / "zarr.json"
    return place, json.loads(place.read_text())


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    """Several batches, the last one smaller."""
    monkeypatch.setattr(module, "BATCH", BATCH)


@pytest.fixture(scope="module")
def reference(small_run):
    """The jets of a sketch that was never on disk nor interrupted."""
    return coefficients_of(make(small_run, None))


@pytest.fixture(scope="module")
def original(small_run, tmp_path_factory):
    """The folder of a finished sketch, for copying."""
    path = tmp_path_factory.mktemp("store") / "sketch"
    make(small_run, path)
    return path


@pytest.fixture
def stored(original, tmp_path):
    """The folder of a finished sketch."""
    return shutil.copytree(original, tmp_path / "sketch")


@pytest.fixture(scope="module")
def other_run():
    """A run of a model that is not microgpt."""
    return sl.TrainingRun(
        sl.Model({"w": np.zeros(3)}, squares), np.arange(6), optimizer=sl.SGD(0.1), progress=False
    )


def squares(parameters, rows):
    """Half the squared distance of w from a point per row."""
    w = parameters["w"]
    points = np.random.default_rng(0).normal(size=(6, 3))[rows]
    difference = w[..., None, :] - points
    return sl.ring.sum(difference * difference * 0.5, -1)


# ---- written and opened again ----------------------------------------------------------------


@pytest.mark.parametrize("as_text", [False, True])
def test_a_stored_sketch_predicts_the_same_when_opened(small_run, reference, tmp_path, as_text):
    """Memory, disk, reopened with and without the run: one set of numbers."""
    path = tmp_path / "new" / "sketch"
    path = str(path) if as_text else path
    written = make(small_run, path)
    for sketch in (written, sl.open_sketch(path), sl.open_sketch(path, small_run)):
        assert len(sketch) == COUNT and sketch.degree == DEGREE
        assert repr(sketch) == repr(written)
        np.testing.assert_allclose(coefficients_of(sketch), reference, atol=1e-10)
    opened = sl.open_sketch(path)
    for without in ([3], [0, 9, 20]):
        expected = written.predict(lambda model: model.loss("max"), without=without)
        assert opened.predict(lambda model: model.loss("max"), without=without) == expected


def test_opening_reads_no_jets(stored):
    """A sketch without any of its jets still opens; reading them is what fails."""
    for chunk in [*(stored / "tail" / "c").rglob("*"), stored / "head" / "c" / "0"]:
        if chunk.is_file():
            chunk.unlink()
    sketch = sl.open_sketch(stored)
    assert len(sketch) == COUNT
    with pytest.raises(ValueError, match="damaged"):
        next(sketch.models())


UNITS = {  # units of the 30 documents, names of two of them
    "documents": (None, [0, 7]),
    "labels": ([f"group {i % 4}" for i in range(30)], ["group 3", "group 0"]),
    "array of labels": (np.array(["x", "y", "z"] * 10), ["z"]),
    "lists": ([range(20, 30), range(0, 20)], [0]),
    "number labels": ([30, 10, 20] * 10, [10]),
    "array of number labels": (np.array([2, 0, 1] * 10), [2]),
}


@pytest.mark.parametrize("case", UNITS)
def test_units_are_stored(small_run, tmp_path, case):
    """The units have the same names and documents after opening, and the same call continues."""
    units, without = UNITS[case]
    written = make(small_run, tmp_path / "s", count=3, units=units)
    opened = sl.open_sketch(tmp_path / "s")
    assert opened.units.names == written.units.names
    np.testing.assert_array_equal(opened.units.of_document, written.units.of_document)

    def loss(model):
        return model.loss("max")

    assert opened.predict(loss, without=without) == written.predict(loss, without=without)
    before = files(tmp_path / "s")
    make(small_run, tmp_path / "s", count=3, units=units)
    assert files(tmp_path / "s") == before


def test_a_run_of_another_model_is_needed_to_open_its_sketch(small_run, other_run, tmp_path):
    """Only microgpt can be rebuilt from the store; a run that is given must be the right one."""
    written = sl.sketch(other_run, 2, 3, store=tmp_path / "s", anchors=0, progress=False)
    with pytest.raises(ValueError, match="run="):
        sl.open_sketch(tmp_path / "s")
    with pytest.raises(ValueError, match="another training run"):
        sl.open_sketch(tmp_path / "s", small_run)
    opened = sl.open_sketch(tmp_path / "s", other_run)

    def loss(model):
        return model.loss(2)

    assert opened.predict(loss, without=[2]) == written.predict(loss, without=[2])


def test_nothing_is_pickled(stored):
    """The store has JSON and chunks of plain numbers, through codecs that run no code."""
    allowed = {"bytes", "crc32c"}
    types = {}
    for place in stored.rglob("*"):
        if not place.is_file():
            continue
        if place.name != "zarr.json":
            assert place.relative_to(stored).parts[1] == "c", place
            continue
        description = json.loads(place.read_text())
        if description["node_type"] == "array":
            types[place.parent.name] = description["data_type"]
            assert {codec["name"] for codec in description["codecs"]} <= allowed
    assert types == {
        "trained": "float64",
        "losses": "float64",
        "head": "float64",
        "tail": "complex128",
    }


# ---- continued -------------------------------------------------------------------------------

KILLED = """
import importlib, os, signal, sys
import zarr
import sketchlab as sl
from sketchlab.sketching import contents

module = importlib.import_module("sketchlab.sketching.sketch")
module.BATCH = {batch}
run = sl.train(sl.names.load()[:30], steps=40, vocabulary="{letters}", progress=False)
writes = []

def dying(write):
    def write_or_die(*arguments):
        if len(writes) == {writes}:
            os.kill(os.getpid(), signal.SIGKILL)
        writes.append(write)
        write(*arguments)
    return write_or_die

zarr.Array.__setitem__ = dying(zarr.Array.__setitem__)
contents.keep = dying(contents.keep)
sl.sketch(run, {degree}, {count}, store=sys.argv[1], anchors=0, progress=False)
"""


def run_and_die(path, writes):
    """Make the sketch in another process, which SIGKILL ends before its next write."""
    program = KILLED.format(batch=BATCH, letters=LETTERS, writes=writes, degree=DEGREE, count=COUNT)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    found = subprocess.run(
        [sys.executable, "-c", program, str(path)], cwd=ROOT, env=environment, timeout=120
    )
    assert found.returncode == -signal.SIGKILL


@pytest.fixture
def pushed(monkeypatch):
    """The numbers of the directions that are pushed during a test."""
    numbers, push = [], sl.TrainingRun.push
    known = directions.draw(Units(None, 30), range(COUNT + 5)).vectors

    def recorded(run, psi, degree, **settings):
        numbers.extend(int(np.argmin(np.abs(known - row).sum(axis=1))) for row in psi)
        return push(run, psi, degree, **settings)

    monkeypatch.setattr(sl.TrainingRun, "push", recorded)
    return numbers


# First come an empty table, the trained parameters and losses, and their table. The first batch
# writes the head; each the tails of its 4 directions, and then the table.
@pytest.mark.parametrize("writes, complete", [(4, 0), (4 + 5, 0), (4 + 6 + 3, 4)])
def test_a_killed_sketch_is_completed_by_the_same_call(
    small_run, reference, tmp_path, pushed, writes, complete
):
    """Only directions that are not in the table are pushed again; the result is that of one go."""
    path = tmp_path / "sketch"
    run_and_die(path, writes)
    assert done_flags(path) == [1] * complete + [0] * (COUNT - complete)
    with pytest.raises(ValueError, match=f"unfinished: it has {complete} of {COUNT}.*again"):
        sl.open_sketch(path)
    finished = {
        chunk: (chunk.stat().st_mtime_ns, chunk.read_bytes())
        for chunk in (path / "tail" / "c" / str(j) / "0" / "0" for j in range(complete))
    }
    sketch = make(small_run, path)
    assert pushed == list(range(complete, COUNT))
    for chunk, (written, content) in finished.items():
        assert chunk.stat().st_mtime_ns == written and chunk.read_bytes() == content
    assert done_flags(path) == [1] * COUNT
    np.testing.assert_allclose(coefficients_of(sketch), reference, atol=1e-10)
    np.testing.assert_allclose(coefficients_of(sl.open_sketch(path)), reference, atol=1e-10)


def test_a_store_killed_while_it_is_created_leaves_nothing_at_the_path(
    small_run, reference, tmp_path
):
    """It appears whole or not at all, and the same call makes it."""
    path = tmp_path / "sketch"
    run_and_die(path, 0)
    assert not path.exists()
    np.testing.assert_allclose(coefficients_of(make(small_run, path)), reference, atol=1e-10)


TOGETHER = """
import sys, time
import sketchlab as sl

run = sl.train(sl.names.load()[:30], steps=40, vocabulary="{letters}", progress=False)
sl.directions, sl.sketch  # load what is loaded on first use
print("ready", flush=True)
sys.stdin.readline()
for number in range({rounds}):
    time.sleep(max(0.0, float(sys.argv[2]) + number - time.time()))
    sl.sketch(run, 1, 5, store=f"{{sys.argv[1]}}/{{number}}", anchors=0, progress=False)
"""


def test_processes_that_make_one_store_at_the_same_time_do_not_spoil_it(small_run, tmp_path):
    """Three processes make the same stores, each at the same moment."""
    rounds = 4
    program = TOGETHER.format(letters=LETTERS, rounds=rounds)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    start = time.time() + 6
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path), str(start)],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for worker in workers:
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        worker.stdin.write("\n")
        worker.stdin.flush()
    for worker in workers:
        assert worker.wait(timeout=120) == 0
    expected = coefficients_of(sl.sketch(small_run, 1, 5, anchors=0, progress=False))
    assert sorted(p.name for p in tmp_path.iterdir()) == [str(n) for n in range(rounds)]
    for number in range(rounds):
        found = coefficients_of(sl.open_sketch(tmp_path / str(number), small_run))
        np.testing.assert_allclose(found, expected, atol=1e-10)


def test_what_another_process_has_completed_stays(small_run, reference, tmp_path, monkeypatch):
    """Each of two processes that push the same directions writes those that are not there."""
    path, write = tmp_path / "sketch", module.stores.write

    def write_twice(group, numbers, head, tail):
        write(group, numbers, head, tail)
        write(group, numbers, head + 1, tail + 1)

    monkeypatch.setattr(module.stores, "write", write_twice)
    sketch = make(small_run, path)
    assert done_flags(path) == [1] * COUNT
    np.testing.assert_allclose(coefficients_of(sketch), reference, atol=1e-10)


def test_directions_in_any_order_may_be_missing(small_run, reference, stored, pushed):
    """The table alone says what is missing, also in between."""
    forget(stored, [2, 3, 7])
    zarr.open_group(str(stored), mode="r+")["tail"][3] = 0
    sketch = make(small_run, stored)
    assert pushed == [2, 3, 7]
    np.testing.assert_allclose(coefficients_of(sketch), reference, atol=1e-10)


def test_batches_may_arrive_in_any_order(small_run, reference, stored, pushed):
    """Writing marks the directions with the given numbers, and no others."""
    group = zarr.open_group(str(stored), mode="r+")
    head, tail = group["head"][:], group["tail"][:]
    forget(stored, range(COUNT))
    module.stores.write(group, np.array([8, 1]), head, tail[[8, 1]])
    assert done_flags(stored) == [0, 1, 0, 0, 0, 0, 0, 0, 1, 0]
    sketch = make(small_run, stored)
    assert pushed == [0, 2, 3, 4, 5, 6, 7, 9]
    np.testing.assert_allclose(coefficients_of(sketch), reference, atol=1e-10)


def test_a_store_grows_and_does_not_shrink(small_run, reference, stored, pushed):
    """More directions are added; fewer are a shorter sketch of the same, untouched store."""
    before = files(stored)
    shorter = make(small_run, stored, count=3)
    assert len(shorter) == 3 and files(stored) == before and pushed == []
    np.testing.assert_allclose(coefficients_of(shorter), reference[:, :3], atol=1e-10)
    assert len(sl.open_sketch(stored)) == COUNT
    longer = make(small_run, stored, count=COUNT + 3)
    assert pushed == list(range(COUNT, COUNT + 3))
    np.testing.assert_allclose(coefficients_of(longer)[:, :COUNT], reference, atol=1e-10)
    whole = coefficients_of(make(small_run, None, count=COUNT + 3))
    np.testing.assert_allclose(coefficients_of(sl.open_sketch(stored)), whole, atol=1e-10)


@pytest.mark.parametrize(
    "array, count, complete", [("head", 1, 0), ("tail", 7, 4), ("contents", 5, 8)]
)
def test_a_full_disk_loses_nothing_that_is_complete(
    small_run, reference, tmp_path, monkeypatch, pushed, array, count, complete
):
    """The error says what to do, and the same call goes on when there is room."""
    path, put, keep, writes = tmp_path / "sketch", zarr.Array.__setitem__, contents.keep, []

    def check_room(name):
        writes.append(name)
        if writes.count(array) == count:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def put_while_there_is_room(target, key, value):
        check_room(target.name.strip("/"))
        put(target, key, value)

    def keep_while_there_is_room(*arguments):
        check_room("contents")
        keep(*arguments)

    with monkeypatch.context() as full:
        full.setattr(zarr.Array, "__setitem__", put_while_there_is_room)
        full.setattr(contents, "keep", keep_while_there_is_room)
        with pytest.raises(OSError, match=r"is kept: make room.*run the same call") as caught:
            make(small_run, path)
    assert caught.value.errno == errno.ENOSPC and os.strerror(errno.ENOSPC) in str(caught.value)
    assert done_flags(path) == [1] * complete + [0] * (COUNT - complete)
    pushed.clear()
    sketch = make(small_run, path)
    assert pushed == list(range(complete, COUNT))
    np.testing.assert_allclose(coefficients_of(sketch), reference, atol=1e-10)


@pytest.mark.parametrize("step", ["tail", "trained", "losses", "attributes"])
def test_a_store_interrupted_while_it_is_created_is_continued(
    small_run, reference, tmp_path, monkeypatch, step
):
    """Also before the first direction, the same call again completes the sketch."""
    path, create = tmp_path / "sketch", zarr.Group.create_array

    def create_or_stop(group, name, **settings):
        return stop() if name == step else create(group, name, **settings)

    def stop(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as interrupted:
        interrupted.setattr(zarr.Group, "create_array", create_or_stop)
        interrupted.setattr(sl.TrainingRun, "push", stop)
        if step == "attributes":
            interrupted.setattr(zarr.core.attributes.Attributes, "put", stop)
        with pytest.raises(KeyboardInterrupt):
            make(small_run, path)
    np.testing.assert_allclose(coefficients_of(make(small_run, path)), reference, atol=1e-10)


# ---- damaged ---------------------------------------------------------------------------------


def truncate(chunk):
    """Keep the first half of a file."""
    chunk.write_bytes(chunk.read_bytes()[: chunk.stat().st_size // 2])


def empty(chunk):
    """Keep nothing of a file."""
    chunk.write_bytes(b"")


def alter(chunk):
    """Flip one bit in the middle of a file."""
    content = bytearray(chunk.read_bytes())
    content[len(content) // 2] ^= 1
    chunk.write_bytes(content)


@pytest.mark.parametrize("harm", [truncate, empty, alter, Path.unlink])
@pytest.mark.parametrize("chunk", ["head/c/0", "tail/c/0/0/0", "tail/c/9/0/0"])
def test_damaged_chunks_are_reported_and_left_alone(stored, chunk, harm):
    """Reading raises ValueError with the place of the damage and changes no file."""
    harm(stored / chunk)
    before = files(stored)
    sketch = sl.open_sketch(stored)
    with pytest.raises(ValueError, match=f"damaged: '{chunk[:4]}' of directions .*nothing was"):
        coefficients_of(sketch)
    assert files(stored) == before


@pytest.mark.parametrize("harm", [truncate, empty, alter, Path.unlink])
def test_a_damaged_table_of_contents_is_reported_and_left_alone(small_run, stored, harm):
    """Without it nothing is trusted, nor made again."""
    harm(stored / "contents" / "zarr.json")
    before = files(stored)
    with pytest.raises(ValueError, match="damaged"):
        sl.open_sketch(stored)
    with pytest.raises(ValueError, match="damaged"):
        make(small_run, stored)
    assert files(stored) == before


@pytest.mark.parametrize(
    "name", ["zarr.json", "head/zarr.json", "tail/zarr.json", "trained/zarr.json"]
)
@pytest.mark.parametrize("harm", [truncate, Path.unlink])
def test_damaged_metadata_is_reported_and_left_alone(stored, name, harm):
    """A sketch whose description is broken is refused with ValueError."""
    harm(stored / name)
    before = files(stored)
    with pytest.raises(ValueError, match=r"damaged|is not a sketch"):
        coefficients_of(sl.open_sketch(stored))
    assert files(stored) == before


def test_a_sketch_in_single_precision_is_half_as_large_and_goes_on_as_one(small_run, tmp_path):
    """Its record says so, and no call without the setting continues it."""
    made = make(small_run, tmp_path / "single", count=3, precision="single")
    assert made.group["tail"].dtype == np.complex64
    assert made.record["precision"] == "single"
    whole = make(small_run, tmp_path / "single", precision="single")
    found = coefficients_of(sl.open_sketch(tmp_path / "single"))
    np.testing.assert_array_equal(found, coefficients_of(whole))
    np.testing.assert_allclose(found[:, :3], coefficients_of(made), atol=1e-6)
    before = files(tmp_path)
    with pytest.raises(ValueError, match=r"precision \(single, now double\).*nothing was changed"):
        make(small_run, tmp_path / "single")
    assert files(tmp_path) == before


# ---- not this sketch -------------------------------------------------------------------------

DIFFERENT = {
    "degree": ({"degree": 3}, r"degree \(2, now 3\)"),
    "seed": ({"seed": 5}, r"seed of the directions \(0, now 5\)"),
    "units": ({"units": [[0], range(1, 30)]}, "another list of groups in units=;"),
    "precision": ({"precision": "single"}, r"precision \(double, now single\)"),
    "labels": ({"units": [f"name {i:02}" for i in range(30)]}, "another list of groups in units=;"),
}


@pytest.mark.parametrize("case", DIFFERENT)
@pytest.mark.parametrize("count", [3, COUNT + 5])
def test_another_sketch_is_not_continued(small_run, stored, case, count):
    """The message names what differs, and not a byte is changed."""
    settings, message = DIFFERENT[case]
    before = files(stored)
    with pytest.raises(ValueError, match=f"{message}.*nothing was changed"):
        make(small_run, stored, count=count, **settings)
    assert files(stored) == before


RUNS = {
    "data": ({"names": slice(1, 31)}, "list of documents"),
    "fewer": ({"names": slice(29)}, r"number of documents \(30, now 29\)"),
    "steps": ({"steps": 41}, r"number of steps \(40, now 41\)"),
    "optimiser": ({"optimizer": sl.Adam(0.02)}, "optimizer"),
    "start": ({"seed": 1}, "seed or initial parameters of the run"),
    "letters": ({"vocabulary": LETTERS + "é"}, r"model \(its letters, sizes or settings\)"),
}


@pytest.mark.parametrize("case", RUNS)
def test_the_sketch_of_another_run_is_not_continued(stored, case):
    """The message names what differs, in words and only that; opening compares the runs too."""
    settings, what = RUNS[case]
    settings = {"steps": 40, "vocabulary": LETTERS, **settings}
    names = sl.names.load()[settings.pop("names", slice(30))]
    run = sl.train(names, progress=False, **settings)
    before = files(stored)
    with pytest.raises(ValueError, match=f"was made with another {what}; nothing was changed"):
        make(run, stored)
    with pytest.raises(ValueError, match=f"another training run, with another {what}: make one"):
        sl.open_sketch(stored, run)
    assert files(stored) == before


def test_a_newer_format_is_refused(small_run, stored):
    """The message gives both versions and says to update."""
    place, description = metadata(stored)
    version = description["attributes"]["version"]
    description["attributes"]["version"] = version + 1
    place.write_text(json.dumps(description))
    before = files(stored)
    message = f"version {version + 1}.* {version}: update sketchlab"
    with pytest.raises(ValueError, match=message):
        sl.open_sketch(stored)
    with pytest.raises(ValueError, match=message):
        make(small_run, stored)
    assert files(stored) == before


def test_an_older_format_is_refused(small_run, stored):
    """The message says what to do."""
    place, description = metadata(stored)
    description["attributes"]["version"] = 4
    del description["attributes"]["seal"]
    place.write_text(json.dumps(description))
    before = files(stored)
    message = "format version 4, from an older sketchlab.*make the sketch again in another folder"
    with pytest.raises(ValueError, match=message):
        sl.open_sketch(stored)
    with pytest.raises(ValueError, match=message):
        make(small_run, stored)
    assert files(stored) == before


def a_file(path):
    """Something that is not a folder."""
    path.write_text("mine")


def a_folder(path):
    """A folder with other things in it."""
    (path / "notes").mkdir(parents=True)
    (path / "notes" / "today.txt").write_text("mine")


def a_zarr_group(path):
    """Another program's zarr group."""
    zarr.open_group(str(path), mode="w").create_array("head", shape=(3,), dtype=float)[:] = 1


def a_zarr_array(path):
    """A zarr array, not a group."""
    zarr.create_array(str(path), shape=(3,), dtype=float)[:] = 1


KINDS = {a_file: "is not a sketch, but a file: "} | dict.fromkeys(
    (a_folder, a_zarr_group, a_zarr_array), "is not a sketch, but a folder with other things in it"
)


@pytest.mark.parametrize("something", KINDS)
def test_other_things_at_the_path_are_left_alone(small_run, tmp_path, something):
    """Neither making nor opening a sketch touches what is not one; the words say what it is."""
    path = tmp_path / "place"
    something(path)
    before = files(path)
    assert before
    for enter in (lambda: make(small_run, path), lambda: sl.open_sketch(path)):
        with pytest.raises(ValueError, match=KINDS[something]) as caught:
            enter()
        assert not re.search(r"zarr|store\b|Errno|group", str(caught.value).replace("store=", ""))
    assert files(path) == before


def test_a_folder_that_cannot_be_made_is_told_in_words(small_run, tmp_path, monkeypatch):
    """Below a file, or where writing or reading is not allowed."""
    (tmp_path / "customers.csv").write_text("mine")
    with pytest.raises(OSError, match=r"customers.csv' is a file, not a folder") as caught:
        make(small_run, tmp_path / "customers.csv" / "sketch")
    assert "Errno" not in str(caught.value)

    def forbidden(*_, **__):
        raise PermissionError(13, "Permission denied", "here")

    with monkeypatch.context() as patched:
        patched.setattr("os.rename", forbidden)
        with pytest.raises(
            PermissionError, match=r"no sketch can be made at .*\(Permission denied"
        ):
            make(small_run, tmp_path / "new", count=1)
    with monkeypatch.context() as patched:
        patched.setattr("zarr.open_group", forbidden)
        with pytest.raises(PermissionError, match="cannot be read: its owner must allow it"):
            sl.open_sketch(tmp_path)
    assert list(files(tmp_path)) == ["customers.csv"]


def test_an_empty_folder_may_be_used_and_a_missing_one_cannot_be_opened(small_run, tmp_path):
    """`sketch` fills an empty folder; `open_sketch` says that there is nothing."""
    (tmp_path / "empty").mkdir()
    assert len(make(small_run, tmp_path / "empty", count=1)) == 1
    with pytest.raises(FileNotFoundError, match="there is no sketch at"):
        sl.open_sketch(tmp_path / "missing")
    assert not (tmp_path / "missing").exists()


# ---- mistaken for another run ----------------------------------------------------------------


def closure_run(labels, *, points=None, scale=1.0, rate=0.1):
    """A run whose examples are row numbers: the data are in the loss, as in notebook 03."""

    points = POINTS if points is None else points

    def losses(parameters, rows):
        scores = sl.ring.matmul(points[rows], parameters["w"][..., None])[..., 0]
        return sl.ring.softplus(-scores * labels[rows]) * scale

    return sl.TrainingRun(
        sl.Model({"w": np.zeros(2)}, losses),
        np.arange(12),
        optimizer=sl.SGD(rate),
        steps=40,
        batch_size=4,
        progress=False,
    )


POINTS = np.random.default_rng(1).normal(size=(12, 2))
SIDES = np.sign(POINTS[:, 0] + 0.3 * np.random.default_rng(2).normal(size=12))
OTHERS = {
    "labels": (lambda: closure_run(np.roll(SIDES, 5)), "training arrives elsewhere.*labels"),
    "one label": (lambda: closure_run(SIDES * np.where(np.arange(12) == 7, -1, 1)), "elsewhere"),
    "the loss": (lambda: closure_run(SIDES, scale=1.01), "training arrives elsewhere"),
    "the order of rows": (lambda: reordered_run(), "the loss on example"),
    "the optimiser": (lambda: closure_run(SIDES, rate=0.2), "with another optimizer"),
}


def reordered_run():
    """The same arrays with rows exchanged that no step tells apart."""
    order = np.arange(12).reshape(3, 4)[:, ::-1].ravel()
    return closure_run(SIDES[order], points=POINTS[order])


@pytest.mark.parametrize("case", OTHERS)
def test_a_run_that_only_looks_the_same_is_refused(tmp_path, case):
    """By every way in, though data, start and settings that can be seen are the same."""
    run = closure_run(SIDES)
    sketched = sl.sketch(run, 2, 6, store=tmp_path / "s", anchors=0, progress=False)
    before = files(tmp_path / "s")
    other, message = OTHERS[case][0](), OTHERS[case][1]
    for enter in (
        lambda: sl.open_sketch(tmp_path / "s", other),
        lambda: sketched.check_run(other),
        lambda: sketched.anchor(other, [[0]], progress=False),
    ):
        with pytest.raises(ValueError, match=message):
            enter()
    with pytest.raises(ValueError, match=f"{message}|another optimizer"):
        sl.sketch(other, 2, 6, store=tmp_path / "s", anchors=0, progress=False)
    assert files(tmp_path / "s") == before
    again = closure_run(SIDES.copy())
    for enter in (sketched.check_run, lambda run: sl.open_sketch(tmp_path / "s", run)):
        enter(again)


def test_data_that_change_between_training_and_sketching_are_noticed(tmp_path, monkeypatch):
    """The jets would be those of another training than the run's."""
    labels = SIDES.copy()
    run = closure_run(labels)
    labels[:4] *= -1
    for message in ("labels, have changed since", "training arrives elsewhere"):
        with pytest.raises(ValueError, match=message):
            sl.sketch(run, 2, 6, store=tmp_path / "s", anchors=0, progress=False)
        assert done_flags(tmp_path / "s") == [0] * 6
        monkeypatch.setattr(own, "check_unchanged", lambda run: None)  # it looks at a few only


def test_settings_may_be_integers_of_numpy(small_run, tmp_path):
    """They are stored as plain ones."""
    sketched = sl.sketch(
        small_run, np.int64(1), np.int32(3), store=tmp_path / "s", anchors=0, progress=False
    )
    assert len(sketched) == 3 and sl.open_sketch(tmp_path / "s").degree == 1


def test_a_home_folder_is_understood(small_run, tmp_path, monkeypatch):
    """~ in a path is the home folder, in writing as in opening."""
    monkeypatch.setenv("HOME", str(tmp_path))
    make(small_run, "~/deep/sketch")
    assert (tmp_path / "deep" / "sketch").is_dir()
    assert len(sl.open_sketch("~/deep/sketch")) == COUNT


def test_an_empty_folder_that_is_there_is_used(small_run, tmp_path):
    """And nothing else is left beside it."""
    (tmp_path / "s").mkdir()
    make(small_run, tmp_path / "s")
    assert [p.name for p in tmp_path.iterdir()] == ["s"] and len(sl.open_sketch(tmp_path / "s"))


def test_labels_of_any_kind_come_back(small_run, tmp_path):
    """Dates as labels: the same in memory, written and opened."""
    days = [datetime.date(2024, 1 + i % 3, 1) for i in range(30)]
    written = make(small_run, tmp_path / "s", count=3, units=days)
    opened = sl.open_sketch(tmp_path / "s")
    assert opened.units.names == written.units.names == sorted(set(days))
    one = days[4]
    found = [s.predict(sl.LossOn("max"), without=one) for s in (written, opened)]
    assert found[0] == found[1]


def test_a_refused_call_leaves_the_store_as_it_was(tmp_path):
    """More directions for another run: refused, and the sketch can still be opened."""
    rows = np.random.default_rng(0).normal(size=(12, 2))

    def losses(parameters, examples):
        scores = sl.ring.matmul(rows[list(examples)], parameters["w"][..., None])[..., 0]
        return (scores - 1.0) ** 2

    def run():
        model = sl.Model({"w": np.zeros(2)}, losses)
        return sl.TrainingRun(model, list(range(12)), progress=False)

    path, first = tmp_path / "kept", run()
    sl.sketch(first, 2, 4, store=path, anchors=0, progress=False)
    rows[3] += 1.0
    with pytest.raises(ValueError, match="another training run"):
        sl.sketch(run(), 2, 9, store=path, anchors=0, progress=False)
    rows[3] -= 1.0
    assert len(sl.open_sketch(path, first)) == 4


def test_rounding_of_another_machine_is_no_other_run(small_run, stored):
    """The parameters and losses of the run differ in the last digits: the store opens, predicts and
    goes on. Off by a ten thousandth, they are those of another run."""

    def rounded(size):
        run, rng = copy.copy(small_run), np.random.default_rng(0)
        moved = {
            name: p * (1.0 + size * rng.uniform(-1, 1, p.shape))
            for name, p in small_run.model.parameters.items()
        }
        run.model = small_run.model.with_parameters(moved)
        return run

    other = rounded(1e-13)
    assert np.any(other.losses(other.model) != small_run.losses(small_run.model))
    found = sl.open_sketch(stored, other)
    found.anchor(other, [[3, 4]], progress=False)
    assert (
        len(sl.sketch(other, DEGREE, COUNT, store=stored, anchors=0, progress=False).anchors) == 1
    )
    with pytest.raises(ValueError, match="arrives elsewhere"):
        sl.open_sketch(stored, rounded(1e-4))

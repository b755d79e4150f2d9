"""Stores are bound to their contents, and a stranger's store runs no code."""

import contextlib
import json
import shutil

import numcodecs
import numpy as np
import pytest
import zarr
from numcodecs.abc import Codec
from zarr.abc.codec import BytesBytesCodec
from zarr.registry import register_codec

import sketchlab as sl
from sketchlab.training.fingerprints import sealed

from conftest import LETTERS

OUTPUT = sl.LossOn("max")
UNITS = [f"group {i % 6}" for i in range(30)]


def make(run, path, *, seed=0, count=6):
    """The sketch that these tests store, with anchors and derivatives."""
    made = sl.sketch(run, 2, count, units=UNITS, seed=seed, store=path, anchors=3, progress=False)
    made.anchor(run, [["group 0"]], gradients=OUTPUT, progress=False)
    return made


def numbers(sketch):
    """All that predictions rest on, as bytes."""
    output = sketch.output(OUTPUT)
    parts = "coefficients anchors anchor_values influence gradient_points gradients".split()
    references = [
        part for one in output.references for part in (one.coefficients, one.anchor_values)
    ]
    found = [*(getattr(output, part) for part in parts), *references]
    predicted = output.predict(without=["group 1", "group 4"])
    return repr(predicted), b"".join(np.ascontiguousarray(one).tobytes() for one in found)


@pytest.fixture(scope="module")
def original(small_run, tmp_path_factory):
    """The folder of a finished sketch, for copying."""
    path = tmp_path_factory.mktemp("store") / "sketch"
    make(small_run, path)
    return path


@pytest.fixture(scope="module")
def expected(original):
    """What a sketch that nobody touched says."""
    return numbers(sl.open_sketch(original))


@pytest.fixture
def stored(original, tmp_path):
    """A copy of it."""
    return shutil.copytree(original, tmp_path / "sketch")


# ---- a stranger's store -----------------------------------------------------------------------

ran = []


class OldSpy(Codec):
    """A filter of zarr 2 that says when it is run, as a pickle filter would run what it holds."""

    codec_id = "spy"

    def encode(self, buffer):
        return buffer

    def decode(self, buffer, out=None):
        ran.append("old")
        return buffer


class Spy(BytesBytesCodec):
    """The same for zarr 3."""

    is_fixed_size = True

    @classmethod
    def from_dict(cls, data):
        return cls()

    def to_dict(self):
        return {"name": "spy"}

    def compute_encoded_size(self, size, spec):
        return size

    async def _decode_single(self, data, spec):
        ran.append("new")
        return data

    async def _encode_single(self, data, spec):
        return data


numcodecs.register_codec(OldSpy)
register_codec("spy", Spy)


def as_version_3(path, name, values):
    """An array with another codec."""
    zarr.create_array(
        str(path / name), data=values, chunks=(1, *values.shape[1:]), compressors=[Spy()]
    )


def as_version_2(path, name, values):
    """An array of zarr 2 beside the groups of zarr 3."""
    zarr.create_array(
        str(path / name),
        data=values,
        chunks=(1, *values.shape[1:]),
        zarr_format=2,
        filters=[OldSpy()],
        compressors=None,
    )


def as_consolidated(path, name, values):
    """The same, named by the metadata of the whole store that lie in its description."""
    as_version_2(path, name, values)
    described = json.loads((path / name / ".zarray").read_text())
    place = path / "zarr.json"
    whole = json.loads(place.read_text())
    whole["consolidated_metadata"] = {
        "kind": "inline",
        "must_understand": False,
        "metadata": {name: {**described, "attributes": {}}},
    }
    place.write_text(json.dumps(whole))


@pytest.mark.parametrize("harm", [as_version_3, as_version_2, as_consolidated])
@pytest.mark.parametrize("name", ["tail", "anchors"])
def test_a_strangers_store_runs_no_code(small_run, stored, harm, name):
    """Codecs that are not those of a sketch are refused before they see a byte."""
    values = zarr.open_group(str(stored), mode="r")[name][:]
    shutil.rmtree(stored / name)
    harm(stored, name, values)
    plainly = zarr.open_group(str(stored), mode="r") if harm != as_version_2 else None
    ran.clear()
    if plainly is not None:  # it works as an attack on who opens it plainly
        plainly[name][:]
        assert ran
        ran.clear()
    with pytest.raises(ValueError, match=r"damaged|is not a sketch"):
        numbers(sl.open_sketch(stored))
    with pytest.raises(ValueError, match=r"damaged|is not a sketch"):
        make(small_run, stored, count=8)
    assert ran == []


def test_a_whole_store_of_zarr_2_is_no_sketch(tmp_path):
    """With all of its metadata in one file, or not."""
    path = str(tmp_path / "s")
    group = zarr.open_group(
        path, mode="w", zarr_format=2, attributes={"format": "sketchlab sketch"}
    )
    group.create_array("done", data=np.ones(3), filters=[OldSpy()], compressors=None)
    zarr.consolidate_metadata(path)
    ran.clear()
    with pytest.raises(ValueError, match="is not a sketch"):
        sl.open_sketch(path)
    assert ran == []


# ---- altered, swapped, lost -------------------------------------------------------------------

EDITS = {
    "seed": lambda record: record.update(seed=1),
    "base point": lambda record: record.update(at=0.1),
    "design": lambda record: record.update(design="independent"),
    "heads": lambda record: record["model"].update(heads=2),
    "activation": lambda record: record["model"].update(activation="relu"),
    "vocabulary": lambda record: record["model"].update(vocabulary=LETTERS[::-1]),
    "names of units": lambda record: record["units"]["names"].reverse(),
    "documents of units": lambda record: record["units"]["of_document"].reverse(),
    "degree": lambda record: record.update(degree=1),
}


def edited(path, change, *, seal):
    """Change the record; seal: also the sum of it, as someone might who knows the format."""
    place = path / "zarr.json"
    description = json.loads(place.read_text())
    attributes = description["attributes"]
    change(attributes["record"])
    if seal:
        del attributes["seal"]
        attributes["seal"] = sealed(attributes)
    place.write_text(json.dumps(description))
    return attributes["seal"]


@pytest.mark.parametrize("case", EDITS)
def test_an_edited_description_is_noticed(stored, case):
    """In the description, in the table of contents, and at the latest in the numbers."""
    edited(stored, EDITS[case], seal=False)
    with pytest.raises(ValueError, match=r"damaged: 'zarr.json'.*the description was altered"):
        sl.open_sketch(stored)
    seal = edited(stored, lambda record: None, seal=True)
    with pytest.raises(ValueError, match=r"damaged: 'contents'.*of another sketch"):
        sl.open_sketch(stored)
    place = stored / "contents" / "zarr.json"
    table = json.loads(place.read_text())
    table["attributes"]["of"] = seal
    place.write_text(json.dumps(table))
    with pytest.raises(ValueError, match=r"damaged: 'contents'.*it was altered"):
        sl.open_sketch(stored)
    del table["attributes"]["seal"]
    table["attributes"]["seal"] = sealed(table["attributes"])
    place.write_text(json.dumps(table))
    with pytest.raises(ValueError, match=r"damaged: .*not what was written there"):
        numbers(sl.open_sketch(stored))


def gradients_of(path):
    """The folder of the derivatives of the one output."""
    (found,) = [place for place in (path / "gradients").iterdir() if place.is_dir()]
    return found.relative_to(path)


SWAPPED = {
    "jets": ("tail/c/0/0/0", "tail/c/3/0/0"),
    "anchors": ("anchors/c/0/0", "anchors/c/2/0"),
    "parameters of anchors": ("anchor_parameters/c/0/0", "anchor_parameters/c/1/0"),
    "values of references": ("reference_values/c/0/0", "reference_values/c/1/0"),
    "head and parameters": ("head/c/0", "trained/c/0"),
    "points of gradients": ("gradients/*/points/c/0/0", "gradients/*/points/c/1/0"),
    "gradients": ("gradients/*/gradients/c/0/0", "gradients/*/gradients/c/1/0"),
    "points and gradients": ("gradients/*/points/c/0/0", "gradients/*/gradients/c/0/0"),
}


@pytest.mark.parametrize("case", SWAPPED)
def test_swapped_chunks_are_noticed(stored, case):
    """Each is bound to its place, and to its array."""
    one, other = (
        stored / name.replace("gradients/*", str(gradients_of(stored))) for name in SWAPPED[case]
    )
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)
    if first == second:
        return  # head and parameters may be the same to the last bit
    with pytest.raises(ValueError, match=r"damaged: .*not what was written there"):
        numbers(sl.open_sketch(stored))


def test_chunks_of_another_sketch_are_noticed(small_run, stored, tmp_path):
    """Of the same run with another seed: as many numbers, with a right checksum."""
    make(small_run, tmp_path / "other", seed=1)
    for name in ("tail/c/2/0/0", "anchors/c/1/0", "influence/c/0/0"):
        before = (stored / name).read_bytes()
        foreign = (tmp_path / "other" / name).read_bytes()
        assert len(foreign) == len(before) and foreign != before
        (stored / name).write_bytes(foreign)
        with pytest.raises(ValueError, match=r"damaged: .*not what was written there"):
            numbers(sl.open_sketch(stored))
        (stored / name).write_bytes(before)
    for whole in ("contents", "tail", "anchors"):
        kept = stored.with_name("kept")
        shutil.move(stored / whole, kept)
        shutil.copytree(tmp_path / "other" / whole, stored / whole)
        with pytest.raises(ValueError, match=r"damaged"):
            numbers(sl.open_sketch(stored))
        shutil.rmtree(stored / whole)
        shutil.move(kept, stored / whole)
    numbers(sl.open_sketch(stored))


LOST = (
    "tail head trained losses influence reference_jets reference_values anchors anchor_parameters "
    "gradients gradients/*/points gradients/*/gradients gradients/*/costs contents"
).split()


@pytest.mark.parametrize("name", LOST)
@pytest.mark.parametrize("what", ["the array", "its description", "its chunks"])
def test_what_is_lost_is_noticed(small_run, stored, name, what):
    """Not taken for what was never there: 40 anchors are not 0."""
    place = stored / name.replace("gradients/*", str(gradients_of(stored)))
    if what == "the array":
        shutil.rmtree(place)
    elif what == "its description":
        (place / "zarr.json").unlink(missing_ok=True)
    elif (place / "c").exists():
        shutil.rmtree(place / "c")
    harmless = (name == "gradients" and what != "the array") or (
        name == "contents" and what == "its chunks"
    )
    with contextlib.nullcontext() if harmless else pytest.raises(ValueError, match=r"damaged"):
        numbers(sl.open_sketch(stored, small_run))


def test_flipped_bits_and_cut_files_are_never_silent(stored, expected):
    """Anywhere in the folder: an error in words, or the same numbers to the last bit."""
    assert flip_and_cut(stored, expected, 30, 0) > 15


@pytest.mark.long
def test_many_flipped_bits_and_cut_files_are_never_silent(stored, expected):
    """The same, more often."""
    assert flip_and_cut(stored, expected, 300, 1) > 150


def flip_and_cut(path, expected, trials, seed):
    """Flip a bit of a random file, or cut it; how often that was an error."""
    rng, told = np.random.default_rng(seed), 0
    places = sorted(place for place in path.rglob("*") if place.is_file())
    for trial in range(trials):
        place = places[rng.integers(len(places))]
        before = place.read_bytes()
        where = int(rng.integers(len(before)))
        flipped = bytearray(before)
        flipped[where] ^= 1 << int(rng.integers(8))
        place.write_bytes(before[:where] if trial % 6 == 0 else flipped)
        try:
            assert numbers(sl.open_sketch(path)) == expected, (place, where)
        except ValueError as error:
            told += 1
            assert (
                "damaged" in str(error)
                or "is not a sketch" in str(error)
                or ("format version" in str(error))
            ), error
        place.write_bytes(before)
    return told

"""The page to play with: its numbers are those of direct calls, it loads nothing, and it is the
same each time.
"""

import base64
import hashlib
import re
from types import SimpleNamespace

import numpy as np
import pytest

import sketchlab as sl
from sketchlab.__main__ import main
from sketchlab.reports import grid
from sketchlab.reports.deletions import by_letters

from conftest import LETTERS, ROOT
from test_report import Parsed

DOCS = sl.names.load()[:24]
COMMITTED = ROOT / "notebooks" / "figures" / "playground.html"
DELETIONS = {
    "names that": {"come first": [0, 1, 2], "<b>odd</b>": [1, 3, 5, 7]},
    "name": {"x": [9]},
}
OUTPUTS = [sl.LossOn("zoe"), sl.NextLetter("ma", "x")]


@pytest.fixture(scope="module")
def run():
    """A small model, trained so long that single names matter."""
    return sl.train(DOCS, steps=72, vocabulary=LETTERS, width=8, heads=2, progress=False)


@pytest.fixture(scope="module")
def sketch(run):
    """Few directions, with retrainings that calibrate, one of them of a deletion of the page."""
    made = sl.sketch(run, degree=2, directions=12, units={"first": [0, 1, 2]}, progress=False)
    made.anchor(run, [[9]], progress=False)
    return made


def make(run, sketch, **settings):
    settings = {"deletions": DELETIONS, "outputs": OUTPUTS, "progress": False} | settings
    return sl.reports.playground(run, sketch, **settings)


@pytest.fixture(scope="module")
def playground(run, sketch):
    """Three deletions, two outputs, the default epsilons."""
    return make(run, sketch)


def kept(value, now, digits):
    """As the page has a number."""
    return round(value * 10**digits) - round(now * 10**digits)


@pytest.mark.parametrize("o", range(len(OUTPUTS)))
@pytest.mark.parametrize("d", range(3))
def test_the_numbers_are_those_of_the_package(run, sketch, playground, d, o):
    """Curves, bands, parts and costs from `predict`, and truths from one retraining each."""
    numbers, function = playground.numbers, OUTPUTS[o]
    cell, told = numbers["cells"][d][o], numbers["outputs"][o]
    of = ([0, 1, 2], [1, 3, 5, 7], [9])[d]
    assert numbers["deletions"][d]["of"] == of
    now, output = function(run.model), sketch.output(function)
    assert told["now"] == round(now * 10 ** told["digits"])
    x = run.indicator(of)
    for stop, epsilon in enumerate([None, *told["epsilons"]]):
        part = output
        if epsilon is not None:
            plan = sl.plan_part(output, epsilon, without=of)
            part = output.part(degree=plan.degree, directions=plan.directions)
            assert (stop in cell["short"]) == (not plan.within_reach)
        shown = cell["parts"][cell["stops"][stop]]
        assert shown["directions"] == len(part.directions)
        assert (shown["degree"], shown["trainings"]) == (part.degree, part.cost)
        p = part.predict(np.array(numbers["weights"])[:, None] * x)
        for name in ("value", "low", "high"):
            exact = [kept(one, now, told["digits"]) for one in getattr(p, name).tolist()]
            np.testing.assert_allclose(shown[name], exact, rtol=0, atol=1)
        assert shown["known"] == (of == [9])
    for weight, change in zip(numbers["retrained_at"], cell["retrained"], strict=True):
        exact = function(run.retrain(down_weights=weight * x, progress=False))
        assert abs(change - kept(exact, now, told["digits"])) <= 1
    assert len({tuple(one["value"]) for one in cell["parts"]}) == len(cell["parts"])


def test_the_scores_follow_from_the_cells(playground):
    """Errors with all deleted, beside those of no change; what is known exactly has no band."""
    numbers = playground.numbers
    assert numbers["weights"] == [round(0.05 * i, 2) for i in range(21)]
    assert numbers["retrained_at"] == numbers["weights"][::2]
    for o, told in enumerate(numbers["outputs"]):
        for stop, score in enumerate(told["scores"]):
            cells = [row[o] for row in numbers["cells"]]
            ends = [one["parts"][one["stops"][stop]] for one in cells]
            truth = np.array([one["retrained"][-1] for one in cells])
            size = 10.0 ** -told["digits"]
            off = size * (np.array([one["value"][-1] for one in ends]) - truth)
            assert score["error"] == pytest.approx(np.sqrt(np.mean(off**2)), abs=size)
            nothing = size * np.sqrt(np.mean(truth.astype(float) ** 2))
            assert score["nothing"] == pytest.approx(nothing, abs=size)
            pairs = list(zip(ends, truth, strict=True))[:2]  # the third was retrained before
            near = [min(abs(p["low"][-1] - t), abs(p["high"][-1] - t)) <= 2 for p, t in pairs]
            assert not any(near), "too close to tell: choose other deletions"
            inside = sum(p["low"][-1] <= t <= p["high"][-1] for p, t in pairs)
            assert (score["inside"], score["banded"]) == (inside, 2)
    sizes = [abs(row[0]["parts"][0]["value"][-1]) for row in numbers["cells"]]
    assert numbers["start"] == np.argmax(sizes[:2]), "of the first heading"


def test_where_nothing_is_known_there_is_no_band():
    """An infinite error leaves null, and is not counted among the bands."""
    value, error = np.array([2.0, 2.1, 2.3]), np.array([0.0, np.inf, np.inf])
    low, high = value - error, value + error
    ends = SimpleNamespace(value=2.3, low=-np.inf, high=np.inf, error=np.inf)

    class Curve(SimpleNamespace):
        def __getitem__(self, i):
            return ends

    part = SimpleNamespace(degree=1, directions=[0, 1], cost=6)
    curve = Curve(value=value, low=low, high=high, error=error)
    found = [{"plan": None, "part": part, "curve": curve}]
    cell = grid.cell(found, 2.0, np.array([2.0, 2.2]), 3)
    assert cell["parts"] == [
        {
            "degree": 1,
            "directions": 2,
            "trainings": 6,
            "value": [0, 100, 300],
            "low": [0, None, None],
            "high": [0, None, None],
            "known": False,
        }
    ]
    assert (cell["stops"], cell["short"], cell["retrained"]) == ([0], [], [0, 200])
    (score,) = grid.scores([found], 2.0, np.array([2.2]))
    assert (score["inside"], score["banded"]) == (0, 0)
    assert score["error"] == pytest.approx(0.1) and score["nothing"] == pytest.approx(0.2)


def test_decimals_are_finer_than_the_epsilons():
    """A fiftieth of the smallest one, or less, and not a digit more."""
    epsilons = (0.01, 0.001, 0.05, 0.5, 50.0, 600.0)
    assert [grid.digits([10 * e, e]) for e in epsilons] == [4, 5, 3, 2, 0, 0]


def test_the_page_is_whole_and_loads_nothing(run, sketch, playground, tmp_path):
    """One file: no address, one script that the policy names by its hash, documents as text."""
    text = playground.html
    parsed = Parsed(text)
    for tag, attributes in parsed.elements:
        assert tag not in {"link", "img", "iframe", "object", "embed", "form", "a", "base"}
        assert not {"src", "href", "srcset", "action", "style"} & set(attributes)
        assert not any(name.startswith("on") for name in attributes)
    assert "://" not in text and "url(" not in text and "@import" not in text
    assert "<b>odd" not in text and "&lt;b" not in text, "documents' words are in the record alone"
    (script,) = re.findall(r"(?s)<script>(.*?)</script>", text)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    (policy,) = [a["content"] for t, a in parsed.elements if "http-equiv" in a]
    assert policy == (
        f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    )
    ids = {a["id"] for _, a in parsed.elements if "id" in a}
    assert set(re.findall(r'\bat\("([\w-]+)"\)', script)) <= ids
    with pytest.raises(FileNotFoundError, match=r"there is no folder '.*none'"):
        playground.save(tmp_path / "none" / "page.html")
    for call in (playground.save, sl.reports.read):
        with pytest.raises(FileNotFoundError, match="is a folder: give"):
            call(tmp_path)
    path = playground.save(tmp_path / "page.html")
    assert sl.reports.read(path) == playground.numbers
    with pytest.raises(FileExistsError, match="overwrite=True"):
        playground.save(path)
    again = make(run, sketch)
    assert again.save(path, overwrite=True).read_bytes() == text.encode()
    assert "3 deletions, 2 outputs" in repr(again)


def test_the_page_that_comes_with_the_project():
    """Small, of the present styles and scripts, and of the names that notebook 00 begins with."""
    text = COMMITTED.read_text(encoding="utf-8")
    numbers = sl.reports.read(COMMITTED)
    assert sl.reports.Playground(numbers).html == text, "make it again: see the README"
    assert len(text.encode()) < 400_000
    names = sl.names.load()[:300]
    assert numbers["run"] == {"documents": 300, "steps": 300}
    for one in numbers["deletions"]:
        test = {"begin with": str.startswith, "contain": str.__contains__, "end in": str.endswith}
        matches = test[one["heading"].removeprefix("names that ")]
        assert one["of"] == [i for i, name in enumerate(names) if matches(name, one["label"])]
    run = sl.train(names, progress=False)
    zoe, now, start = numbers["outputs"][0], run.loss("zoe"), numbers["start"]
    assert zoe["title"] == "loss on 'zoe'" and abs(zoe["now"] - round(now * 10**4)) <= 1
    exact = run.retrain(without=numbers["deletions"][start]["of"], progress=False).loss("zoe")
    assert abs(numbers["cells"][start][0]["retrained"][-1] - kept(exact, now, 4)) <= 1


def test_groups_of_names_by_letters():
    """First letters, the rarest letters inside, the commonest endings; no group of one or all."""
    names = ["ana", "ada", "bo", "zoe", "bao", "lana", "xu"]
    assert by_letters(names) == {
        "names that begin with": {"a": [0, 1], "b": [2, 4]},
        "names that contain": {
            "a": [0, 1, 4, 5],
            "b": [2, 4],
            "n": [0, 5],
            "o": [2, 3, 4],
        },
        "names that end in": {"na": [0, 5]},
    }
    assert by_letters(["xy", "ab"]) == by_letters(["ab", "ab"]) == {}
    found = by_letters(sl.names.load()[:300])
    assert len(found["names that contain"]) == 6 and len(found["names that end in"]) == 8


def test_the_defaults_are_names_and_their_mean(run, sketch):
    """Unseen names that the model reads; deletions by letters, all of them."""
    unseen = sl.names.unseen(run, 20)
    assert len(unseen) == 20 and not set(unseen) & set(DOCS)
    made = make(run, sketch, deletions=None, outputs=None, epsilons=[0.1, 0.02]).numbers
    titles = [f"loss on {name!r}" for name in unseen[-3:]]
    word = unseen[-1]
    titles += [f"probability of {word[-1]!r} after {word[:-1]!r}", "mean loss on 20 names"]
    assert [one["title"] for one in made["outputs"]] == titles
    assert {tuple(one["epsilons"]) for one in made["outputs"]} == {(0.02, 0.1)}
    offered = [(one["heading"], one["label"]) for one in made["deletions"]]
    groups = by_letters(DOCS)
    assert offered == [(heading, one) for heading in groups for one in groups[heading]]
    labels = [one["label"] for one in made["outputs"]]
    assert labels[0] == f"{titles[0]} (nats)" and labels[3] == titles[3]
    words = made["deletions"][0]
    assert words["examples"] == [DOCS[i] for i in words["of"]][:6]


WRONG = {
    "no sketch": ({"sketch": None}, TypeError, "sketch must be from sl.sketch"),
    "a list": ({"deletions": [[1]]}, TypeError, "by label by heading"),
    "no groups": ({"deletions": {"x": [1]}}, TypeError, "by label by heading"),
    "no label": ({"deletions": {"x": {1: [1]}}}, TypeError, "must be strings"),
    "none": ({"deletions": {}}, ValueError, "1 to 200 deletions, not 0"),
    "an empty one": ({"deletions": {"x": {"y": []}}}, ValueError, "forget set has 0 of 24"),
    "all": ({"deletions": {"x": {"y": range(24)}}}, ValueError, "forget set has 24 of 24"),
    "no number": ({"deletions": {"x": {"y": [24]}}}, IndexError, "index 24 is out of range"),
    "no output": ({"outputs": []}, ValueError, "outputs is empty"),
    "no function": ({"outputs": ["zoe"]}, TypeError, "must be a function of a model"),
    "no epsilon": ({"outputs": [lambda m: m.loss("zoe")]}, ValueError, "no epsilon of its own"),
    "epsilon 0": ({"epsilons": [0.0]}, ValueError, "epsilon must be a finite number above 0"),
    "one epsilon": ({"epsilons": 0.1}, TypeError, "must be a list"),
    "no epsilons": ({"epsilons": []}, ValueError, "1 to 12 epsilons, not 0"),
    "no title": ({"title": " "}, TypeError, "title and about must be text"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_does_not_fit_is_refused(run, sketch, monkeypatch, wrong):
    """In words, and before anything is trained."""
    monkeypatch.setattr(type(run), "retrain", None)
    settings, error, message = WRONG[wrong]
    settings = dict(settings)
    with pytest.raises(error, match=message):
        make(run, settings.pop("sketch", sketch), **settings)


def test_other_runs_and_outputs_are_refused(run, sketch):
    """A sketch of another run; an output of many models that is not one number for each."""
    other = sl.train(DOCS, steps=73, vocabulary=LETTERS, width=8, heads=2, progress=False)
    with pytest.raises(ValueError, match="another training run"):
        make(other, sketch)
    with pytest.raises(ValueError, match="of 10 models at once must be 10 finite numbers"):
        make(run, sketch, outputs={"odd": lambda m: np.mean(m.loss("zoe"))}, epsilons=[0.1])


def test_rows_that_are_no_text(tmp_path):
    """Any training run: deletions and outputs are to be given, and no examples are shown."""
    X = np.random.default_rng(0).normal(size=(12, 2))
    y = X @ [1.0, -1.0]

    def losses(model, rows):
        rows = np.asarray(rows)
        off = sl.ring.sum(model["w"][..., None, :] * X[rows], -1) - y[rows]
        return off * off

    model = sl.Model({"w": np.zeros(2)}, losses)
    run = sl.TrainingRun(model, np.arange(12), steps=24, optimizer=sl.SGD(0.1))
    sketch = sl.sketch(run, 2, 6, anchors=0, progress=False)
    with pytest.raises(TypeError, match="only text has letters"):
        make(run, sketch, deletions=None)
    given = {"deletions": {"rows": {"first": [0, 1]}}, "outputs": [sl.LossOn(3)]}
    with pytest.raises(TypeError, match="give outputs="):
        make(run, sketch, deletions=given["deletions"], outputs=None)
    made = make(run, sketch, **given).numbers
    assert made["deletions"][0]["examples"] == []
    exact = run.retrain(without=[0, 1], progress=False).loss(3)
    digits = made["outputs"][0]["digits"]
    assert made["cells"][0][0]["retrained"][-1] == kept(exact, run.model.loss(3), digits)


def test_the_page_from_the_command_line(tmp_path, capsys):
    """Of any list of names; replaces what is there, with the same bytes."""
    (tmp_path / "names.txt").write_text("\n".join(sl.names.load()[:12]), encoding="utf-8")
    page = tmp_path / "page.html"
    arguments = ["playground", "--names", str(tmp_path / "names.txt"), "--directions", "3"]
    assert main([*arguments, "--output", str(page)]) == 0
    first = page.read_bytes()
    assert f"wrote {page}" in capsys.readouterr().out
    assert "has learned from 11 names" in sl.reports.read(page)["about"]
    assert main([*arguments, "--output", str(page)]) == 0
    assert page.read_bytes() == first


def luminance(colour):
    """Relative luminance of a colour, as WCAG 2 defines it."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return float(np.dot(parts, [0.2126, 0.7152, 0.0722]))


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_text_stands_out(scheme, playground):
    """4.5 to 1 for text, 3 to 1 for lines and marks, in both colour schemes."""
    blocks = re.findall(r":root \{(.*?)\}", playground.html, re.DOTALL)
    colours = dict(re.findall(r"--([\w-]+): (#\w{6});", blocks[scheme]))

    def contrast(one, other):
        a, b = sorted(luminance(colours[name]) for name in (one, other))
        return (b + 0.05) / (a + 0.05)

    for pair in (
        ("text", "ground"),
        ("quiet", "ground"),
        ("text", "chip"),
        ("on-blue", "blue"),
        ("ground", "red"),
    ):
        assert contrast(*pair) >= 4.5, pair
    for pair in (("blue", "band"), ("red", "band"), ("red", "ground"), ("line", "ground")):
        assert contrast(*pair) >= 3, pair

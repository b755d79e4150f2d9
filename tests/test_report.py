"""The report of a deletion request: its numbers are those of direct calls, and its page is whole,
safe and the same each time.
"""

import datetime
import html.parser
import itertools
import re
import types

import numpy as np
import pytest

import sketchlab as sl
from sketchlab.algebra import ring
from sketchlab.estimation.prediction import Prediction, Term
from sketchlab.reports.answers import predicted
from sketchlab.reports.measures import attack_null, compared, outside
from sketchlab.reports.page import page
from sketchlab.training import own
from sketchlab.unlearning import Bench

DOCS = sl.names.load()[:24]
LETTERS = "abcdefghijklmnopqrstuvwxyz"
FORGET = [0, 5, 9, 13, 17, 21]
UNSEEN = ["max", "zoe", "noah"]
SMALL = {"width": 8, "heads": 2, "progress": False}
MADE = datetime.datetime(2025, 3, 1, 12, 30, tzinfo=datetime.UTC)
QUIET = {"made": MADE, "progress": False}
EMPTY = {"meta", "br"}  # elements without an end


class Parsed(html.parser.HTMLParser):
    """A page: its elements with their attributes, its text, and its tables, row by row.

    Fails where an element is closed that is not the last one open.
    """

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.words, self.tables = [], [], [], []
        self.feed(text)
        self.close()
        assert not self.open
        self.text = "".join(self.words)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in EMPTY:
            self.open.append(tag)
        if tag == "table":
            self.tables.append([])
        if tag == "tr":
            self.tables[-1].append([])
        if tag in ("td", "th"):
            self.tables[-1][-1].append("")

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not {"style", "script"} & set(self.open):
            self.words.append(data)
        if {"td", "th"} & set(self.open):
            self.tables[-1][-1][-1] += data

    def count(self, tag):
        """How many elements of a kind there are."""
        return sum(name == tag for name, _ in self.elements)


def pages_are_whole(report):
    """The page and the notebook's view: well formed, accessible, and without any other address."""
    for text in (report.html, report._repr_html_()):
        parsed = Parsed(text)
        for tag, attributes in parsed.elements:
            assert tag not in {"link", "img", "iframe", "object", "embed", "form", "a", "base"}
            assert not {"src", "href", "srcset", "action", "style"} & set(attributes)
            assert not any(name.startswith("on") for name in attributes), "no script in attributes"
            assert tag != "script" or attributes["type"] == "application/json"
            assert tag != "th" or attributes["scope"] in ("row", "col")
        assert "url(" not in text and "@import" not in text and "http://" not in text
        assert "://" not in re.sub(r"(?s)<script.*?</script>", "", text)
        levels = [int(tag[1]) for tag, _ in parsed.elements if re.fullmatch("h[1-6]", tag)]
        assert all(b - a <= 1 for a, b in itertools.pairwise(levels))
        assert levels.count(min(levels)) == 1 and parsed.count("table") == parsed.count("caption")
    whole = Parsed(report.html)
    assert report.html.startswith("<!DOCTYPE html>") and ("html", {"lang": "en"}) in whole.elements
    policies = [a["content"] for t, a in whole.elements if "http-equiv" in a]
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'"]
    return whole


@pytest.fixture(scope="module")
def run():
    """A small model, trained so long that six names of 24 matter."""
    return sl.train(DOCS, steps=96, vocabulary=LETTERS, **SMALL)


@pytest.fixture(scope="module")
def sketch(run):
    """Few directions, with retrainings that calibrate."""
    return sl.sketch(run, degree=2, directions=8, progress=False)


@pytest.fixture(scope="module")
def bench(run):
    """Fifty seeds."""
    return Bench(run, FORGET, UNSEEN, seeds=50, retained=6, splits=40, progress=False)


@pytest.fixture(scope="module")
def judged(run, bench):
    """A report with a method: ascent."""
    settings = {"optimizer": sl.SGD(0.02)}
    return sl.report(run, FORGET, bench=bench, method="ascent", settings=settings, **QUIET)


def test_predictions_and_retraining_are_those_of_direct_calls(run, sketch):
    """In the numbers and, rounded, in the page."""
    outputs = {
        "how well it knows max": sl.LossOn("max"),
        "l after a": lambda m: m.next_probs("a")["l"],
    }
    report = sl.report(run, FORGET, outputs=outputs, sketch=sketch, **QUIET)
    exact = run.retrain(without=FORGET, progress=False)
    table = next(t for t in pages_are_whole(report).tables if t[0][0] == "output")
    for (title, output), found, row in zip(
        outputs.items(), report.numbers["outputs"], table[1:], strict=True
    ):
        p = sketch.output(output).predict(without=FORGET)
        assert found["title"] == title == row[0]
        assert found["now"] == pytest.approx(float(output(run.model)), rel=1e-12)
        assert found["retrained"] == pytest.approx(float(output(exact)), rel=1e-12)
        guess = found["predicted"]
        assert (guess["value"], guess["band"]) == (p.value, [p.low, p.high])
        assert guess["inside"] == (p.low <= output(exact) <= p.high)
        assert guess["calibrated"] == p.calibrated == 24 and not guess["known"]
        assert f"{p.low:.4f} to {p.high:.4f}" in row[2] and row[2].startswith(f"{p.value:.4f}")
        assert row[3].startswith(f"{output(exact):.4f}")
        assert row[4] == ("inside" if guess["inside"] else "outside")
    inside = sum(found["predicted"]["inside"] for found in report.numbers["outputs"])
    assert f"{inside} of 2 values after exact retraining" in report.summary[3]
    np.testing.assert_array_equal(report.model.parameters["wte"], exact.parameters["wte"])
    assert report.numbers["retraining"]["independent"] is True


def test_a_band_may_miss_be_unknown_or_not_be_needed(run, sketch):
    """What is outside is called so; what the sketch has retrained is no prediction."""
    own = sl.sketch(run, degree=1, directions=4, anchors=0, progress=False)
    own.anchor(run, [run.indicator([3])], progress=False)
    one = sl.report(run, [3], outputs=[sl.LossOn("max")], sketch=own, **QUIET)
    guess = one.numbers["outputs"][0]["predicted"]
    assert guess["known"] and guess["inside"] and "1 had been retrained" in one.summary[3]
    assert "retrained for the sketch" in one.html
    numbers = {**one.numbers, "outputs": [{**one.numbers["outputs"][0]}]}
    for changes, cell, sentence in (
        ({"known": False, "band": [1.0, 1.1], "inside": False}, "outside", "0 of 1 values"),
        ({"known": False, "band": None, "inside": None}, "no band", "No band was predicted"),
        ({"inside": False}, "not the same", "0 of 1 values"),
    ):
        numbers["outputs"][0]["predicted"] = {**guess, **changes}
        parsed = Parsed(page(numbers))
        table = next(t for t in parsed.tables if t[0][0] == "output")
        assert table[1][4] == cell and sentence in parsed.text


def test_without_sketch_and_method_the_rest_is_there(run):
    """Mean losses by default; which documents; what holds."""
    report = sl.report(run, set(FORGET), unseen=UNSEEN, request="Ref. 7", **QUIET)
    exact = run.retrain(without=FORGET, progress=False)
    first, second = report.numbers["outputs"]
    assert first["retrained"] == pytest.approx(np.mean([exact.loss(DOCS[i]) for i in FORGET]))
    assert second["now"] == pytest.approx(np.mean([run.loss(doc) for doc in UNSEEN]))
    assert first["predicted"] is None and report.numbers["method"] is None
    parsed = pages_are_whole(report)
    documents = parsed.tables[0]
    for i, row in zip(FORGET, documents[1:], strict=True):
        losses = f"{run.loss(DOCS[i]):.4f}", f"{exact.loss(DOCS[i]):.4f}"
        assert row == [str(i), DOCS[i], *losses, "none", "none"]
    assert "Report of a deletion request: Ref. 7" in parsed.text
    assert "Made 2025-03-01 12:30:00 UTC" in parsed.text and np.__version__ in parsed.text
    assert "No method was given" in parsed.text and "Nothing was predicted" in parsed.text
    assert report.numbers["request"]["run"] == run.fingerprint()
    assert report.summary[0] == "6 of 24 documents to be deleted."
    assert all(line in repr(report) for line in report.summary)


def test_measures_are_those_of_the_bench(bench, judged):
    """Of the method, of doing nothing and of retraining, with their nulls."""
    models = sl.unlearning.unlearn(
        bench.originals, FORGET, "ascent", optimizer=sl.SGD(0.02), progress=False
    )
    np.testing.assert_array_equal(judged.unlearned.flat, models.flat)
    rows = {"method": bench.scores(models), "nothing": bench.scores(bench.originals)}
    rows["retrained"] = bench.scores(bench.same)
    method = judged.numbers["method"]
    assert len(method["measures"]) == 13
    for one in method["measures"]:
        name, part = one["measure"], one["part"]
        for model, row in rows.items():
            if name in row:
                expected, interval = row[name][part], None
                assert one["null"] == list(bench.null[part][name])
            else:
                found = getattr(row[name[:-4]], name[-3:])
                expected, interval = found.value, [found.low, found.high]
            assert one["values"][model] == expected and one["intervals"].get(model) == interval
            low, _, high = one["null"]
            word = "below" if expected < low else "above" if expected > high else "within"
            assert one["verdicts"][model] == word
            attack = name not in row
            assert one["apart"][model] == (word == "above" or (attack and word == "below"))
    made = method["models"]
    assert made["method"]["verification_error"] == list(rows["method"]["verification_error"])
    between = np.linalg.norm(bench.same.flat - bench.oracles.flat, axis=1)
    assert made["retrained"]["verification_error"][0] == pytest.approx(between.mean())
    assert made["method"]["losses"]["retain"] == rows["method"]["losses"]["retain"]
    table = next(t for t in pages_are_whole(judged).tables if t[0][0] == "measure")
    for one, row in zip(method["measures"], table[1:], strict=True):
        for cell, model in zip(row[2:5], ("method", "nothing", "retrained"), strict=True):
            assert cell.startswith(f"{one['values'][model]:.3f} {one['verdicts'][model]}")
        assert row[5] == f"{one['null'][0]:.3f} to {one['null'][2]:.3f}"


def test_verdicts_tell_doing_nothing_from_retraining(judged):
    """And the summary says how many measures do, of a method without a guarantee."""
    measures = judged.numbers["method"]["measures"]
    apart = {m: sum(one["apart"][m] for one in measures) for m in ("nothing", "retrained")}
    assert apart["nothing"] >= 11 and apart["retrained"] <= 5
    own = sum(one["apart"]["method"] for one in measures)
    chance = judged.numbers["method"]["chance"]
    assert judged.summary[-1] == (
        f"The method ascent gives no guarantee. {own} of 13 measures tell its models from "
        f"retrained ones. For models that were retrained it is {apart['retrained']} of 13, where "
        f"{chance:.1f} are expected by chance."
    )
    assert "no certificate" in judged.html
    assert judged.numbers["code"] == (
        f"sl.report(run, {FORGET}, method='ascent', settings={{'optimizer': {sl.SGD(0.02)!r}}}, "
        "bench=bench)"
    )


@pytest.mark.parametrize(
    ("name", "value", "verdict", "apart"),
    [
        ("klom", 2.1, "above", True),
        ("wasserstein", 2.0, "within", False),
        ("klom95", 0.9, "below", False),
        ("lira_auc", 2.1, "above", True),
        ("loss_attack_auc", 1.0, "within", False),
        ("loss_attack_tpr", 0.9, "below", True),
    ],
)
def test_only_attacks_tell_by_low_values(name, value, verdict, apart):
    """Distances that are small do not; ends belong to the band."""
    found = compared({"method": {"diverged": 0}}, name, "forget", (1.0, 1.5, 2.0), lambda _: value)
    assert found["values"] == {"method": value} and found["verdicts"] == {"method": verdict}
    assert found["apart"] == {"method": apart}


@pytest.mark.parametrize(
    ("error", "exact", "inside"),
    [
        (0.3, 1.4, False),
        (0.3, 1.5, True),
        (0.3, 2.6, False),
        (np.inf, 2.0, None),
        (0.0, 2.1, False),
    ],
)
def test_bands_have_two_ends(error, exact, inside):
    """And none where nothing is known; what is known exactly must be so."""
    ends = {0.3: (1.5, 2.5), 0.0: (2.0, 2.0), np.inf: (-np.inf, np.inf)}[error]
    p = Prediction(2.0, error, *ends, (Term(0, 2.0, 0.0),), 2.0)
    output = types.SimpleNamespace(predict=lambda _: p, cost=7)
    found = predicted(types.SimpleNamespace(output=lambda _: output), None, None, exact)
    assert found["inside"] is inside and found["known"] == (error == 0)
    assert found["band"] == (None if inside is None else list(ends)) and found["trainings"] == 7


def test_null_bands_hold_retrained_models_as_often_as_said():
    """By drawing sets of models from one distribution, for the loss attack and for LiRA."""
    draws = np.random.default_rng(0).uniform(size=(20_000, 41))
    above = draws[:, 0] > np.percentile(draws[:, 1:], 95, axis=1)
    assert above.mean() == pytest.approx(outside(40, 0.95), abs=0.006)
    rng, missed = np.random.default_rng(1), np.zeros((2, 80))
    for column in range(missed.shape[1]):
        same, oracles, other, originals = (models(rng) for _ in range(4))
        fake = types.SimpleNamespace(
            same=same, oracles=oracles, originals=originals, splits=20, parts=PARTS
        )
        bands = attack_null(fake)
        low, _, high = bands["loss_attack"]["auc"]
        attack = sl.unlearning.metrics.rates(-other.losses("forget"), -other.losses("unseen"))[0]
        missed[0, column] = not low <= attack <= high
        low, _, high = bands["lira"]["auc"]
        members, tested = originals.margins("forget"), oracles.margins("forget")
        ratios = [
            sl.unlearning.metrics.likelihood_ratios(v, members, tested[:10])
            for v in (other.margins("forget"), tested[10:])
        ]
        missed[1, column] = not low <= sl.unlearning.metrics.rates(*ratios)[0] <= high
    expected = outside(20, 0.9), 2 * outside(20, 0.95)
    for share, mean in zip(missed.mean(axis=1), expected, strict=True):
        assert abs(share - mean) < 3 * np.sqrt(mean * (1 - mean) / 80)


PARTS = {"forget": "forget", "unseen": "unseen"}


def models(rng):
    """Twenty models whose losses and margins are drawn anew, alike for all documents."""
    values = {part: rng.normal(2.0, 0.1, (20, 5)) for part in PARTS}
    return types.SimpleNamespace(losses=values.get, margins=lambda part: -values[part])


def test_methods_that_do_nothing_or_diverge_are_called_so(run, bench):
    """In the summary; models that diverged have no numbers."""
    idle = sl.report(run, FORGET, bench=bench, method="nothing", **QUIET)
    assert "It did nothing" in idle.summary[-1]
    wild = sl.report(
        run, FORGET, bench=bench, method="ascent",
        settings={"optimizer": sl.SGD(1e150), "passes": 2}, **QUIET,
    )  # fmt: skip
    assert "50 of its 50 models diverged" in wild.summary[-1]
    one = wild.numbers["method"]["measures"][0]
    assert one["values"]["method"] is None and one["verdicts"]["method"] == "diverged"
    assert not one["apart"]["method"] and one["values"]["nothing"] > 0
    assert "passes = 2" in pages_are_whole(wild).text


def test_copies_that_stay_are_found():
    """Exact ones, and all but for case, accents and spaces; letters that no other document has."""
    docs = ["ann", "max", "zoe", "max", "Max", "ma x", "zoé", "leo", "max", "quin"]
    run = sl.train(docs, **SMALL)
    report = sl.report(run, [1, 2, 9], **QUIET)
    assert report.numbers["request"]["copies"] == [
        {"document": 1, "same": [3, 8], "alike": [4, 5]},
        {"document": 2, "same": [], "alike": [6]},
    ]
    assert "Warning: 2 exact copies and 3 near copies" in report.summary[2]
    assert report.numbers["request"]["only_letters"] == len("qui")
    rows = pages_are_whole(report).tables[0]
    assert rows[1][-2:] == ["3, 8", "4, 5"] and rows[3][-2:] == ["none", "none"]
    assert sl.report(run, [0, 7], **QUIET).summary[2].startswith("No document that stays is a copy")


def test_documents_are_shown_as_they_are():
    """Whatever they and the reference are made of; and not at all if they are to be left out."""
    docs = ["<b>&", "</script>", 'a"\u202eb', "plain", "</td>", "x" * 300]
    run = sl.train(docs, context=300, **SMALL)
    report = sl.report(run, [0, 1, 2, 5], request="<img src=x>\n", **QUIET)
    parsed = pages_are_whole(report)
    shown = [row[1] for row in parsed.tables[0][1:]]
    assert shown == ["<b>&", "</script>", 'a"\\u202eb', "x" * 200 + "…"]
    assert "Report of a deletion request: <img src=x>\\n" in parsed.text
    assert parsed.count("script") == 1
    assert report.numbers["request"]["texts"] == [docs[i] for i in (0, 1, 2, 5)]
    hidden = sl.report(run, [3], texts=False, **QUIET)
    assert "plain" not in hidden.html and "left out of this page" in pages_are_whole(hidden).text


def test_long_lists_are_cut_in_the_page_and_not_in_the_record():
    """The first fifty."""
    run = sl.train(sl.names.load()[:70], steps=60, **SMALL)
    report = sl.report(run, range(65), **QUIET)
    parsed = pages_are_whole(report)
    assert len(parsed.tables[0]) == 51 and "And 15 more" in parsed.text
    assert report.numbers["request"]["deleted"] == list(range(65))
    assert report.numbers["request"]["unused"] == [60, 61, 62, 63, 64]
    assert "5 of them took part in no step" in parsed.text
    idle = sl.report(run, [66], **QUIET)
    assert "Retraining gave the same model" in " ".join(idle.summary)


def test_pages_are_the_same_each_time(run, bench, judged, tmp_path):
    """Byte for byte with the same time; a saved page holds all that it is made of."""
    settings = {"optimizer": sl.SGD(0.02)}
    again = sl.report(run, FORGET, bench=bench, method="ascent", settings=settings, **QUIET)
    assert again.html == judged.html and again.numbers == judged.numbers
    path = judged.save(tmp_path / "report.html")
    assert path.read_text(encoding="utf-8") == judged.html
    assert sl.reports.read(path) == judged.numbers and page(sl.reports.read(path)) == judged.html
    with pytest.raises(FileExistsError, match=r"report\.html' exists: .*overwrite=True"):
        judged.save(path)
    assert judged.save(path, overwrite=True) == path
    (tmp_path / "other.html").write_text("<p>nothing</p>")
    with pytest.raises(ValueError, match="not the page of a report"):
        sl.reports.read(tmp_path / "other.html")
    now = sl.report(run, FORGET, progress=False)
    assert now.numbers["made"] > "2025-03-01"


ROWS = np.random.default_rng(0).normal(size=(12, 3))


def squares(parameters, rows):
    """Squared errors of a linear model."""
    rows = np.asarray(rows)
    return (ring.matmul(rows[:, :2], parameters["w"][..., None])[..., 0] - rows[:, 2]) ** 2


def coupled(parameters, rows):
    """The same, with rows that are centred on the mean of their batch."""
    rows = np.asarray(rows)
    return squares(parameters, rows - rows.mean(axis=0))


def by_number(parameters, numbers):
    """The same, of rows that the run does not hold."""
    return squares(parameters, ROWS[np.asarray(numbers)])


def trained(losses, data=ROWS, batch_size=1):
    """A linear model."""
    model = sl.Model({"w": np.zeros(2)}, losses)
    return sl.TrainingRun(model, data, optimizer=sl.SGD(0.1), batch_size=batch_size, progress=False)


def test_rows_have_numbers_for_names():
    """Copies are found where the run holds its rows, and said to be unknown where it does not."""
    data = ROWS.copy()
    data[7] = data[2]
    report = sl.report(trained(squares, data), [2, 3], **QUIET)
    assert report.numbers["request"]["copies"] == [{"document": 2, "same": [7], "alike": []}]
    assert report.numbers["request"]["texts"] is None and report.numbers["outputs"][0]["unit"] == ""
    assert "1 exact copy of deleted documents stays in the data" in report.summary[2]
    rows = pages_are_whole(report).tables[0]
    assert [len(row) for row in rows] == [5, 5, 5] and rows[1][0] == "2"
    numbered = sl.report(trained(by_number, np.arange(12)), [2, 3], **QUIET)
    assert numbered.numbers["request"]["copies"] is None
    assert "cannot be told" in pages_are_whole(numbered).text
    assert numbered.numbers["retraining"]["independent"] is True


def test_retraining_that_still_depends_on_the_documents_is_found(monkeypatch):
    """As by a mean over the batch: multiplying the loss by 0 is not deletion then."""
    with monkeypatch.context() as unchecked:  # a run with such losses is refused, if it is noticed
        unchecked.setattr(own, "check_losses", lambda run: None)
        run = trained(coupled, batch_size=3)
    report = sl.report(run, [2, 3], **QUIET)
    assert report.numbers["retraining"]["independent"] is False
    assert "Warning: training again without them still depends" in report.summary[1]
    assert "None: it still depends" in pages_are_whole(report).text
    whole = sl.report(trained(squares, batch_size=3), [2, 3], **QUIET)
    assert whole.numbers["retraining"]["independent"] is True
    same = sl.report(trained(squares, np.repeat(ROWS[:1], 4, axis=0)), [2], **QUIET)
    assert same.numbers["retraining"]["independent"] is None
    assert "could not be checked" in pages_are_whole(same).text


def test_sketches_over_units_answer_for_whole_units(run):
    """And for nothing that cuts through one."""
    units = [[i, i + 1] for i in range(0, 24, 2)]
    sketch = sl.sketch(run, degree=1, directions=4, units=units, anchors=0, progress=False)
    report = sl.report(run, [4, 5], outputs=[sl.LossOn("max")], sketch=sketch, **QUIET)
    p = sketch.predict(sl.LossOn("max"), without=[2])
    assert report.numbers["outputs"][0]["predicted"]["value"] == pytest.approx(p.value)
    with pytest.raises(ValueError, match="unit 2 has documents of the request and others"):
        sl.report(run, [4], sketch=sketch, **QUIET)


WRONG = [
    ({"without": []}, ValueError, "has 0 of 24 documents"),
    ({"without": range(24)}, ValueError, "has 24 of 24 documents"),
    ({"without": ["max"]}, TypeError, "indices must be integers"),
    ({"without": [24]}, IndexError, "24 is out of range"),
    ({"outputs": ["max"]}, TypeError, r"must be a function of a model.*not 'max'"),
    ({"outputs": []}, ValueError, "outputs is empty"),
    ({"outputs": [sl.LossOn("max")] * 2}, ValueError, "same title"),
    ({"outputs": {1: sl.LossOn("max")}}, TypeError, "title of an output must be a string"),
    ({"outputs": [lambda model: model.losses(DOCS)]}, ValueError, "one finite real number"),
    ({"outputs": [sl.LossOn("Ä")]}, ValueError, "unknown character 'Ä'"),
    ({"unseen": []}, ValueError, "never trained on"),
    ({"unseen": [DOCS[3]]}, ValueError, "it was trained on"),
    ({"method": "ascent"}, ValueError, "give unseen="),
    ({"method": "magic", "unseen": UNSEEN}, ValueError, "method must be one of nothing"),
    ({"method": "ascent", "unseen": UNSEEN, "seeds": 49}, ValueError, "49 seeds are too few"),
    ({"method": "ascent", "unseen": UNSEEN, "settings": 3}, TypeError, "settings must be a dict"),
    ({"settings": {"rate": 1}}, ValueError, "settings is for a method"),
    ({"seeds": 50}, ValueError, "seeds is for a method"),
    ({"request": 7}, TypeError, "request must be a string"),
    ({"made": datetime.datetime(2025, 1, 1)}, ValueError, "with a time zone"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "kind", "message"), WRONG)
def test_wrong_requests_are_refused(run, monkeypatch, arguments, kind, message):
    """In words, before anything is trained."""

    def fail(*_, **__):
        raise AssertionError("it was trained")

    monkeypatch.setattr(type(run), "retrain", fail)
    monkeypatch.setattr(sl.unlearning.bench, "train_seeds", fail)
    arguments = {"without": FORGET, "progress": False} | arguments
    with pytest.raises(kind, match=message):
        sl.report(run, **arguments)


def test_what_belongs_to_another_run_is_refused(run, sketch, bench):
    """A sketch, a bench, and what is no run."""
    other = sl.train(DOCS, steps=95, vocabulary=LETTERS, **SMALL)
    with pytest.raises(ValueError, match="the sketch belongs to another training run"):
        sl.report(other, FORGET, sketch=sketch, **QUIET)
    with pytest.raises(ValueError, match="the bench is of another training run"):
        sl.report(other, FORGET, method="ascent", bench=bench, **QUIET)
    with pytest.raises(ValueError, match="the bench has another forget set"):
        sl.report(run, FORGET[1:], method="ascent", bench=bench, **QUIET)
    with pytest.raises(ValueError, match="the bench has its own unseen"):
        sl.report(run, FORGET, method="ascent", bench=bench, unseen=UNSEEN, **QUIET)
    with pytest.raises(TypeError, match="run must be a training run"):
        sl.report(run.model, FORGET, **QUIET)

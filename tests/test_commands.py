"""`python -m sketchlab`: every command, its record, the same again, and what is refused."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import sketchlab as sl
from sketchlab import commands, records
from sketchlab.__main__ import in_words, main, parser
from sketchlab.training.runs import TrainingRun

WORDS = "anna bob carla dexter max alex ben cleo dora emil fred gina".split()
SMALL = {  # command: options that make it a matter of seconds
    "figure1": ["--degree", "2", "--directions", "3"],
    "figure2": [],
    "figure3": ["--degree", "2", "--directions", "3"],
    "accuracy": ["--count", "20", "--deletions", "8"],
    "scoreboard": [
        "--count",
        "20",
        "--deletions",
        "8",
        "--methods",
        "no change; exact first order",
    ],
    "unlearning": ["--count", "12", "--forget", "2", "--seeds", "50"],
    "report": ["--data", "words.txt", "--delete", "x$", "--directions", "4"],
    "playground": ["--names", "twelve.txt", "--directions", "3"],
}
START = {".png": b"\x89PNG", ".html": b"<!DOCTYPE html>", ".md": b""}


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder with a file of words, and embedded names that are few."""
    (tmp_path / "words.txt").write_text("\n".join(WORDS))
    load = sl.names.load
    (tmp_path / "twelve.txt").write_text("\n".join(load()[:12]))
    short = [*load()[:120], *load()[-60:]]
    monkeypatch.setattr(sl.names, "load", lambda path=None: load(path) if path else short)
    monkeypatch.setattr(commands.paper, "STEPS", 40)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(capsys, *arguments, code=1):
    """What a command says that ends with an exit code."""
    try:
        assert main(list(arguments)) == code
    except SystemExit as stop:
        assert stop.code == code
    return capsys.readouterr().err


def test_every_command_is_tried_here():
    assert set(SMALL) == set(commands.COMMANDS)


@pytest.mark.parametrize("command", SMALL)
def test_a_command_writes_its_output_and_a_record_that_repeats_it(command, here, capsys):
    """One command each; the record of it gives the same numbers, beside the first output."""
    kind = commands.COMMANDS[command].kinds[0]
    more = ["--test-name", sl.names.load()[0]] if command.startswith("figure") else []
    assert main([command, *SMALL[command], *more, "--output", f"out{kind}"]) == 0
    assert (here / f"out{kind}").read_bytes()[:15].startswith(START[kind])
    said = capsys.readouterr().out
    assert "python -m sketchlab repeat out.json" in said
    found = json.loads((here / "out.json").read_text(), parse_constant=pytest.fail)
    assert found["command"] == command and found["versions"]["numpy"] == np.__version__
    given = dict(zip(SMALL[command][::2], SMALL[command][1::2], strict=True))
    for name, value in given.items():
        assert str(found["settings"][name[2:].replace("-", "_")]) == value
    files = {value for value in given.values() if value.endswith(".txt")}
    assert set(found["data"]) == files
    first = (here / f"out{kind}").read_bytes()
    assert main(["repeat", "out.json"]) == 0
    assert capsys.readouterr().out.endswith("the same numbers\n")
    assert (here / f"out.repeated{kind}").exists()
    assert (here / f"out{kind}").read_bytes() == first


def test_the_numbers_are_those_of_the_package(here):
    """Of a report and of a figure, by direct calls."""
    report = ["report", "--data", "words.txt", "--delete", "x", "--output", "out.html"]
    assert main(report) == 0
    numbers = json.loads((here / "out.json").read_text())["numbers"]
    assert numbers["request"]["deleted"] == [i for i, word in enumerate(WORDS) if "x" in word]
    run = sl.train(WORDS, context="longest", progress=False)
    lost = run.retrain(without=[3, 4, 5], progress=False).losses(["dexter", "max", "alex"])
    np.testing.assert_allclose(numbers["request"]["losses"]["retrained"], lost)

    name = sl.names.load()[0]
    assert main(["figure2", "--test-name", name, "--output", "two.png"]) == 0
    numbers = json.loads((here / "two.json").read_text())["numbers"]
    run = sl.train(sl.names.load()[:40], progress=False)
    x = [i for i, one in enumerate(run.data) if "x" in one]
    assert numbers["retrained"][0] == pytest.approx(run.loss(name))
    whole = run.retrain(without=x, progress=False).loss(name)
    assert numbers["retrained"][-1] == pytest.approx(whole)
    assert numbers["jet"][0] == pytest.approx(run.loss(name))


def test_other_numbers_are_told(here, capsys):
    """And other data, and a record that is none."""
    report = ["report", "--data", "words.txt", "--delete", "x", "--output", "out.html"]
    assert main(report) == 0
    found = json.loads((here / "out.json").read_text())
    found["numbers"]["request"]["losses"]["retrained"][1] += 1e-3
    found["versions"]["numpy"] = "1.0"
    (here / "other.json").write_text(json.dumps(found))
    capsys.readouterr()
    assert main(["repeat", "other.json"]) == 1
    said = capsys.readouterr().out
    assert "numbers['request']['losses']['retrained'][1] was" in said
    assert said.endswith("1 numbers differ\n") and "numpy was 1.0 and is" in said

    (here / "words.txt").write_text("\n".join(WORDS[1:]))
    assert "'words.txt' is not what it was" in refused(capsys, "repeat", "out.json")
    (here / "words.txt").rename(here / "moved.txt")
    assert "the data of the record are not here" in refused(capsys, "repeat", "out.json")
    found["settings"].pop("seed"), found["data"].clear()
    (here / "other.json").write_text(json.dumps(found))
    assert "by another sketchlab" in refused(capsys, "repeat", "other.json")
    for text, said in (("{", "is not JSON"), ("[]", "not a sketchlab record"), ("{}", "not a")):
        (here / "other.json").write_text(text)
        assert said in refused(capsys, "repeat", "other.json")
    (here / "folder").mkdir()
    assert refused(capsys, "repeat", "none.json").endswith("there is no file none.json\n")
    assert refused(capsys, "repeat", "folder").endswith("folder is a folder: give a file\n")
    assert "Expecting value" not in refused(capsys, "repeat", "words.txt", code=1)


def test_differences():
    """Rounding is none; other keys, lengths, words and numbers are."""
    same = records.stored({"a": [1.0, np.inf, "w"], "b": np.arange(2)})
    assert same == {"a": [1.0, "inf", "w"], "b": [0, 1]}
    assert records.differences(same, {"a": [1.0 + 1e-9, "inf", "w"], "b": [0, 1]}) == []
    for other in ({"a": [1.0, "inf", "w"]}, {**same, "a": [1.0]}, {**same, "b": [0, 2]}):
        assert len(records.differences(same, other)) == 1
    (told,) = records.differences(same, {**same, "a": [1.001, "inf", "w"]})
    assert told == "numbers['a'][0] was 1.0 and is 1.001"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("report --data none.txt --delete x --output o.html", "there is no file none.txt"),
        ("report --data empty.txt --delete x --output o.html", "holds no names"),
        ("report --data words.txt --delete q --output o.html", "found in none of the 12"),
        ("report --data words.txt --delete . --output o.html", "found in every one of the 12"),
        ("report --data words.txt --delete ( --output o.html", "is not a regular expression"),
        ("figure2 --output no/o.png", "there is no folder no"),
        ("figure2 --output o.txt", "must be a .png or .svg or .pdf file"),
        ("figure2 --output folder.png", "it is a folder"),
        ("figure2 --output o.png --record words.txt", "must be a .json file"),
        ("figure2 --output o.png --record kept.json", "kept.json is something else"),
        ("figure1 --output o.png --store o.json", "o.json is something else"),
        ("figure2 --output o.png --test-name M1", "unknown character"),
        (
            "figure1 --output o.png --names words.txt",
            "needs 40 names or more, and words.txt has 12",
        ),
        (
            "figure2 --output o.png --names words.txt",
            "needs 40 names or more, and words.txt has 12",
        ),
        (
            "figure3 --output o.png --names words.txt",
            "needs 40 names or more, and words.txt has 12",
        ),
        ("figure1 --output o.png --names ab.txt --test-name max", "unknown character 'm'"),
        ("figure2 --output o.png --names ab.txt --test-name ab", "0 of 50 names have one"),
        ("figure3 --output o.png --names ab.txt --test-name ab", "0 of 50 names have one"),
        ("report --data folder.png --delete x --output o.html", "folder.png is a folder"),
        ("playground --output o.html --names few.txt", "needs 10 different names or more"),
        ("playground --output o.html --names twins.txt", "needs 10 different names or more"),
        ("playground --output o.html --names unlike.txt", "no names of unlike.txt begin, end or"),
        ("scoreboard --output o.md --count 19", "must be 20 or more"),
        ("scoreboard --output o.md --count 999", "there are 180 names"),
        (
            "scoreboard --output o.md --count 20 --methods magic",
            "not 'magic':\n  no change\n  rand",
        ),
        ("scoreboard --output o.md --count 20 --methods ;", "not ';':\n  no change\n  random"),
        ("accuracy --output o.md --count 20 --deletions 4", "--deletions must be 8 or more, not 4"),
        ("accuracy --output o.md --count 20 --names ab.txt", "only 0 can be read: give a higher"),
        (
            "accuracy --output o.md --count 20 --store folder.png",
            "folder.png is a folder: give a .j",
        ),
        ("accuracy --output o.md --count 20 --store words.txt", "something else than what this"),
        ("accuracy --output o.md --count 20 --store kept.json", "something else than what this"),
        ("unlearning --output o.md --count 20 --forget 20", "must be below the 20 names"),
        ("unlearning --output o.md --count 12 --forget 2 --names words.txt", "none are unseen"),
        ("unlearning --output o.md --count 20 --forget 2 --seeds 3", "too few"),
    ],
)
def test_wrong_input_is_told_in_words(arguments, said, here, capsys, monkeypatch):
    """Before anything is trained; nothing is written, and nothing is replaced."""
    (here / "empty.txt").touch(), (here / "folder.png").mkdir()
    (here / "kept.json").write_text('{"format": "mine"}')
    (here / "ab.txt").write_text("ab\nbab\n" * 25), (here / "few.txt").write_text("ab\nba\n")
    (here / "twins.txt").write_text("ab\n" * 12)
    (here / "unlike.txt").write_text("\n".join("abcdefghijklmnopqrst"))
    before = sorted(os.listdir())
    if "--seeds" not in arguments:
        monkeypatch.setattr(TrainingRun, "__init__", forbidden)
    told = refused(capsys, *arguments.split())
    assert said in told and "intervals=" not in told and "[Errno" not in told
    assert sorted(os.listdir()) == before


def forbidden(*_, **__):
    raise AssertionError("it was trained")


def test_a_playground_of_ones_own_list(here):
    """Other letters, longer than the usual context; a tenth is held out and asked about."""
    streets = [f"{one} {two}straße am Fluß" for one in ("Süd", "Nord", "Ost") for two in "ABCDEFGH"]
    (here / "streets.txt").write_text("\n".join([*streets, *streets]), encoding="utf-8")
    command = ["playground", "--names", "streets.txt", "--directions", "3", "--output", "o.html"]
    assert main(command) == 0
    numbers = sl.reports.read("o.html")
    assert numbers["run"]["documents"] == 22 and "from 22 names" in numbers["about"]
    asked = [one["title"] for one in numbers["outputs"]]
    held = [name for name in streets if f"loss on {name!r}" in asked]
    assert len(held) == 2 and "mean loss on 2 names" in asked
    shown = {text for one in numbers["deletions"] for text in one["examples"]}
    assert not shown & set(held)


def test_a_report_can_leave_texts_out(here, capsys):
    """With --no-texts neither the page, nor its record, nor what is printed has a document."""
    (here / "words.txt").write_text("\n".join([*WORDS, "secretum", "sesamum"]))
    report = ["report", "--data", "words.txt", "--delete", "^se", "--output", "o.html"]
    assert main(report) == 0
    assert "secretum" in (here / "o.html").read_text() + (here / "o.json").read_text()
    assert main([*report, "--no-texts"]) == 0
    said = capsys.readouterr().out
    for text in ((here / "o.html").read_text(), (here / "o.json").read_text(), said):
        assert not re.search("secretum|sesamum", text)
    assert json.loads((here / "o.json").read_text())["settings"]["no_texts"] is True
    assert main(["repeat", "o.json"]) == 0


def test_errors_of_the_operating_system_are_told_in_words():
    """Without their numbers."""
    assert in_words(FileNotFoundError(2, "No such file", "x")) == "No such file: x"
    assert in_words(OSError("in words")) == in_words(ValueError("in words")) == "in words"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("", "required: COMMAND"),
        ("figure9", "invalid choice: 'figure9'"),
        ("figure2", "required: --output"),
        ("figure1 --output o.png --jobs 0", "must be an integer, 1 or higher, not 0"),
        ("figure1 --output o.png --degree two", "must be an integer, 1 or higher, not 'two'"),
        ("playground --output o.html --directions 0", "must be an integer, 1 or higher, not 0"),
        ("report --output o.html --data words.txt", "required: --delete"),
    ],
)
def test_no_command_is_told_by_its_usage(arguments, said, capsys):
    assert said in refused(capsys, *arguments.split(), code=2)


def test_help_names_every_option(capsys):
    """One sentence for each command and each option."""
    for name, command in commands.COMMANDS.items():
        with pytest.raises(SystemExit):
            parser().parse_args([name, "--help"])
        said = capsys.readouterr().out
        for setting in ("output", "record", *command.settings):
            word = "" if command.settings.get(setting) is False else " [A-Z_]+"
            assert re.search(rf"--{setting.replace('_', '-')}{word}\s+\S", said)
        assert ("1000 names or more" in " ".join(said.split())) == name.startswith("figure")


def test_ctrl_c_stops_with_one_line(tmp_path):
    """Exit code 130, no traceback, and no record of what was not computed."""
    command = [sys.executable, "-m", "sketchlab", "figure1", "--output", "one.png", "--store", "s"]
    running = subprocess.Popen(
        command, cwd=tmp_path, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    deadline = time.monotonic() + 60
    while not (tmp_path / "s").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    running.send_signal(signal.SIGINT)
    said = running.communicate(timeout=60)[1]
    assert running.returncode == 130
    assert "figure1: stopped. With the same --store it goes on." in said
    assert "Traceback" not in said
    assert not (tmp_path / "one.json").exists()

"""Notebooks are committed executed: strict comparison is empty for cells without outputs."""

import base64
import json
import re

import pytest

from conftest import ROOT

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
LESSONS = [path for path in NOTEBOOKS if path.stem != "app"]  # the app is a page, not a lesson
MOST_BYTES = 500_000


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_is_executed_in_order(path):
    """Every code cell has run once, in order, in one session, without an error."""
    cells = [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]
    cells = [cell for cell in cells if "".join(cell["source"]).strip()]
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell["outputs"]]
    assert not any(output["output_type"] == "error" for output in outputs)
    assert outputs, "a notebook without outputs would check nothing"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_pictures_are_there_and_widgets_show_no_error(path):
    """A figure that is only named, or a widget with a message, would pass the comparison."""
    notebook = json.loads(path.read_text())
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            if "Figure size" in "".join(output.get("data", {}).get("text/plain", "")):
                assert "image/png" in output["data"], cell["source"]
    assert 'role=\\"alert\\"' not in json.dumps(notebook["metadata"])


@pytest.mark.parametrize(
    ("picture", "number"),
    [("stability", "07"), ("ten_for_zoe", "10"), ("predicted_and_true", "10")],
)
def test_the_gallery_shows_outputs_of_the_notebooks(picture, number):
    """The pictures of the README are what its notebooks drew, byte for byte."""
    (path,) = (path for path in LESSONS if path.stem.startswith(number))
    drawn = [
        base64.b64decode(output["data"]["image/png"])
        for cell in json.loads(path.read_text())["cells"]
        for output in cell.get("outputs", [])
        if "image/png" in output.get("data", {})
    ]
    assert (ROOT / "notebooks" / "figures" / f"{picture}.png").read_bytes() in drawn


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_is_small(path):
    """Below 500 kB."""
    assert path.stat().st_size < MOST_BYTES


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_notebook_tells_its_frame(path):
    """It has the parts that every notebook has."""
    notebook = json.loads(path.read_text())
    prose = "\n".join(
        "".join(c["source"]) for c in notebook["cells"] if c["cell_type"] == "markdown"
    )
    for part in ("What you will learn", "Exercise", "What we simplified", "Where to go next"):
        assert part in prose, f"{path.name} has no section {part!r}"


def test_the_first_notebook_links_to_all_others():
    """Its map has every lesson, in order."""
    text = (ROOT / "notebooks" / "00_start_here.ipynb").read_text()
    linked = re.findall(r"\| \[(\w+)\]\(\1\.ipynb\)", text)
    assert linked == [path.stem for path in LESSONS[1:]]
    assert len(linked) >= 10


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_the_solution_of_the_exercise_is_right(path, capsys, monkeypatch):
    """Run the notebook up to the exercise, then the printed solution, then the notebook's check."""
    monkeypatch.chdir(path.parent)
    cells = json.loads(path.read_text())["cells"]
    sources = ["".join(cell["source"]) for cell in cells]
    exercise = next(i for i, source in enumerate(sources) if source.startswith("answer = None"))
    solution = next(s for s in sources[exercise:] if "<summary>Solution</summary>" in s)
    namespace = {}
    for cell, source in zip(cells[:exercise], sources[:exercise], strict=True):
        if cell["cell_type"] == "code":
            exec(source, namespace)
    exec(solution.split("```python\n")[1].split("```")[0], namespace)
    exec(sources[exercise + 1], namespace)
    assert "Right." in capsys.readouterr().out

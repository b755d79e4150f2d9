"""Notebooks are committed executed: strict comparison is empty for cells without outputs."""

import json

import pytest

from conftest import ROOT

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
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
def test_notebook_is_small_and_tells_its_frame(path):
    """Below 500 kB, and with the parts that every notebook has."""
    assert path.stat().st_size < MOST_BYTES
    notebook = json.loads(path.read_text())
    prose = "\n".join(
        "".join(c["source"]) for c in notebook["cells"] if c["cell_type"] == "markdown"
    )
    for part in ("What you will learn", "Exercise", "What we simplified", "Where to go next"):
        assert part in prose, f"{path.name} has no section {part!r}"


def test_the_notebooks_are_here():
    """The walk starts with these four."""
    found = [path.stem for path in NOTEBOOKS]
    for name in ("01_scalar_circuits", "02_jets", "03_training_is_a_circuit", "04_microgpt"):
        assert name in found


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
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

"""Benchmarks run, and check that what they compare computes the same numbers."""

import importlib
import json
import subprocess
import sys

import pytest

from conftest import ROOT


@pytest.mark.parametrize(
    ("name", "printed"),
    [("training", "ratio"), ("sketching", "ratio"), ("accuracy", "ridge"), ("explorer", "median")],
)
def test_the_benchmark_runs(name, printed):
    """Quick sizes; the training benchmark asserts that circuit and arrays agree."""
    command = [sys.executable, str(ROOT / "benchmarks" / f"{name}.py"), "--quick"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr
    assert printed in result.stdout


def test_the_readme_shows_the_stored_accuracy():
    """The README's tables are those of the stored result."""
    with open(ROOT / "notebooks" / "results" / "accuracy.json", encoding="utf-8") as file:
        result = json.load(file)
    sys.path.insert(0, str(ROOT / "benchmarks"))
    accuracy = importlib.import_module("accuracy")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for part in ("documents", "units"):
        assert f"<!-- {part} -->\n\n{accuracy.markdown(result[part])}\n\n<!-- end -->" in readme

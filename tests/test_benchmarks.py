"""Benchmarks run, and check that what they compare computes the same numbers."""

import subprocess
import sys

import pytest

from conftest import ROOT


@pytest.mark.parametrize("name", ["training", "sketching", "accuracy"])
def test_the_benchmark_runs(name):
    """Quick sizes; the training benchmark asserts that circuit and arrays agree."""
    command = [sys.executable, str(ROOT / "benchmarks" / f"{name}.py"), "--quick"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr
    assert ("ridge" if name == "accuracy" else "ratio") in result.stdout

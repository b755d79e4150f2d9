"""The workflow for GitHub fits the schema of workflows and what this repository says of itself.

It has not been run on the service: that is all that can be checked without it.
"""

import re
import subprocess
import sys
import tomllib

import pytest
import yaml
from packaging.specifiers import SpecifierSet

from conftest import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*"))
CHECK = ROOT / ".github" / "workflows" / "check.yml"


def fits_the_schema(path):
    """Whether a file is a workflow, by the schema that the checker brings along; what it says."""
    command = [sys.executable, "-m", "check_jsonschema"]
    command += ["--builtin-schema", "vendor.github-workflows", str(path)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    return result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_fits_the_schema(path):
    fits, said = fits_the_schema(path)
    assert fits, said


@pytest.mark.parametrize(
    ("part", "wrong"),
    [("runs-on:", "run-on:"), ("timeout-minutes: 60", "timeout-minutes: an hour")],
)
def test_a_wrong_workflow_does_not(part, wrong, tmp_path):
    text = CHECK.read_text(encoding="utf-8")
    assert part in text
    (tmp_path / "wrong.yml").write_text(text.replace(part, wrong))
    assert not fits_the_schema(tmp_path / "wrong.yml")[0]


def test_actions_are_pinned_and_may_do_little():
    """By major version; reading is all that is allowed, except where pages are published."""
    text = CHECK.read_text(encoding="utf-8")
    used = re.findall(r"uses: (\S+)", text)
    assert used and all(re.fullmatch(r"actions/[a-z-]+@v\d+", one) for one in used)
    found = yaml.safe_load(text)
    assert found["permissions"] == {"contents": "read"}
    allowed = {
        name: job["permissions"] for name, job in found["jobs"].items() if "permissions" in job
    }
    assert allowed == {"publish": {"pages": "write", "id-token": "write"}}
    assert "refs/heads/main" in found["jobs"]["publish"]["if"]
    assert all("timeout-minutes" in job for job in found["jobs"].values())
    assert "concurrency" in found


def test_it_calls_targets_of_make_on_the_pythons_of_the_package():
    """Every Python of the matrix is allowed, and the oldest that is allowed is in it."""
    jobs = yaml.safe_load(CHECK.read_text(encoding="utf-8"))["jobs"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pythons = jobs["test"]["strategy"]["matrix"]["python"]
    assert all(SpecifierSet(project["requires-python"]).contains(one) for one in pythons)
    assert SpecifierSet(project["requires-python"]) == SpecifierSet(f">={pythons[0]}")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    commands = [step["run"] for job in jobs.values() for step in job["steps"] if "run" in step]
    for command in commands:
        target = re.fullmatch(r"make (\w+) PYTHON=python", command)[1]
        assert re.search(rf"^{target}:", makefile, re.M)
    assert len(commands) == 2

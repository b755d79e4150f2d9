"""The packaging files agree with each other and hold nothing of any one machine."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
NEEDS = [
    Requirement(line) for line in PROJECT["dependencies"] + PROJECT["optional-dependencies"]["test"]
]
FORBIDDEN = {
    "a package registry's address": r"(?:pypi|pythonhosted|anaconda|npmjs)\.(?:org|com)",
    "a path of one machine": r"(?:file://|(?<![\w./~-]))/(?:home|Users|root|work)(?![\w-])",
}


def ranges(requirements):
    return {canonicalize_name(r.name): str(r.specifier) for r in requirements}


def test_conda_and_pip_ask_for_the_same_packages():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    lines = environment["dependencies"]
    conda = ranges(Requirement(line) for line in lines if isinstance(line, str))
    assert conda.pop("pip") == ""
    assert conda.pop("python") == PROJECT["requires-python"]
    (pip,) = (line["pip"] for line in lines if isinstance(line, dict))
    *others, itself = pip  # what conda's channel does not have under this name, and the package
    assert itself == "-e ."
    assert conda | ranges(map(Requirement, others)) == ranges(NEEDS)


@pytest.mark.parametrize("requirement", NEEDS, ids=str)
def test_every_dependency_has_both_bounds(requirement):
    assert {">=", "<"} <= {part.operator for part in requirement.specifier}


def test_pins_are_exact_and_within_the_ranges():
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not re.fullmatch(r"[\w.-]+==[\w.]+", line)] == []
    pins = {canonicalize_name(name): pin for name, pin in (line.split("==") for line in lines)}
    assert len(pins) == len(lines)
    for requirement in NEEDS:
        assert requirement.specifier.contains(pins[canonicalize_name(requirement.name)])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("https://py" + "pi.org/simple", "a package registry's address"),
        ("see /" + "home/someone/x", "a path of one machine"),
        ("file:///" + "Users/someone/x", "a path of one machine"),
        ("https://example.com/home/x and ./work/x and /homes", None),
    ],
)
def test_the_patterns_find_what_they_should(text, found):
    assert [what for what, pattern in FORBIDDEN.items() if re.search(pattern, text)] == (
        [found] if found else []
    )


def test_committed_text_names_no_registry_and_no_machine():
    if not (ROOT / ".git").exists() or not shutil.which("git"):
        pytest.skip("not a git checkout, or no git")
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listing.returncode:
        pytest.skip(f"git cannot list the files: {listing.stderr.strip()}")
    offences = []
    for name in filter(None, listing.stdout.split("\0")):
        if not (ROOT / name).is_file():
            continue  # deleted, but still in the index
        try:
            text = (ROOT / name).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # not text
        for what, pattern in FORBIDDEN.items():
            offences += [f"{name}: {what}: {match.group()}" for match in re.finditer(pattern, text)]
    assert offences == []

"""The packaging files agree with each other and hold nothing of any one machine; the wheel works
where only its own requirements are installed.
"""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import sketchlab as sl

from conftest import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
RUNTIME = [Requirement(line) for line in PROJECT["dependencies"]]
LAB, SITE, TEST = (
    [Requirement(line) for line in PROJECT["optional-dependencies"][extra]]
    for extra in ("lab", "site", "test")
)
ITSELF = Requirement("sketchlab[lab,site]")  # the extra test takes what the other extras have
NEEDS = RUNTIME + LAB + SITE + [requirement for requirement in TEST if requirement != ITSELF]
UNIMPORTED = {"requests", "numcodecs"}  # pooch downloads with one; older ones of zarr's run code
# of regressions, of frames, and of the page; all come with the extra lab
OPTIONAL = {"sklearn", "pandas", "voila", "jupyter_server", "tornado", "traitlets"}
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


def test_the_package_asks_for_what_it_imports():
    """And for nothing else: JupyterLab and what notebooks need are the extra lab."""
    imported = set()
    for path in (ROOT / "sketchlab").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported.update(alias.name.split(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and not node.level:
                imported.add(node.module.split(".")[0])
    imported -= {"sketchlab", *sys.stdlib_module_names}
    declared = {requirement.name for requirement in RUNTIME}
    assert imported - OPTIONAL <= declared <= imported | UNIMPORTED
    lab = sorted(requirement.name for requirement in LAB)
    assert lab == ["jupyterlab", "nbval", "pandas", "scikit-learn", "voila"]
    assert ITSELF in TEST


def test_importing_the_package_loads_nothing_slow():
    """What is slow to import comes with the first use of a name that needs it."""
    program = """
import sys
import sketchlab as sl
slow = "IPython ipywidgets matplotlib pandas pooch requests scipy.stats sklearn zarr"
print([name for name in slow.split() if name in sys.modules])
print([name for name in sl.__all__ if getattr(sl, name) is None or name not in dir(sl)])
"""
    assert python(sys.executable, program).split("\n") == ["[]", "[]", ""]


def python(interpreter, program, **settings):
    """What a program prints, in a fresh interpreter."""
    result = subprocess.run(
        [interpreter, "-c", program], capture_output=True, text=True, timeout=300, **settings
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Path of a wheel, built without a network from a copy: so no older build gets into it."""
    source, folder = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "sketchlab", source / "sketchlab", ignore=ignored)
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-w"]
    result = subprocess.run([*command, folder, source], capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stdout + result.stderr
    (path,) = folder.iterdir()
    return path


def test_the_wheel_holds_every_file_of_the_package_and_no_other(wheel):
    """All rooms, and the names list."""
    package = ROOT / "sketchlab"
    files = {path for path in package.rglob("*") if path.is_file() and path.suffix != ".pyc"}
    assert package / "training" / "given_names.txt" in files
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert held == {path.relative_to(ROOT).as_posix() for path in files}


def required(requirements):
    """The installed distributions that requirements name, and those that these require in turn."""
    found, waiting = {}, list(requirements)
    while waiting:
        requirement = waiting.pop()
        applies = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if applies and requirement.name not in found:
            found[requirement.name] = metadata.distribution(requirement.name)
            waiting += map(Requirement, found[requirement.name].requires or [])
    return found.values()


@pytest.fixture(scope="module")
def elsewhere(wheel, tmp_path_factory):
    """Python of a new environment with the wheel and, linked from here, what it requires.

    A full installation takes most of a minute and a network; here too, nothing else is importable.
    """
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    interpreter = folder / "bin" / "python"
    site = Path(sysconfig.get_path("purelib", vars={"base": str(folder)}))
    pip = [sys.executable, "-m", "pip", "--python", interpreter, "install", "--no-index"]
    subprocess.run([*pip, "--no-deps", wheel], check=True, capture_output=True)
    for distribution in required(RUNTIME):
        for top in {file.parts[0] for file in distribution.files} - {"..", "__pycache__"}:
            if not (site / top).exists():
                (site / top).symlink_to(distribution.locate_file(top))
    return interpreter


def test_the_wheel_works_without_jupyterlab(elsewhere, small_run, tmp_path):
    """Every module loads; it trains, sketches, keeps, predicts, and finds what is found here."""
    program = """
import importlib.util, json, pkgutil
import sketchlab as sl
for module in pkgutil.walk_packages(sl.__path__, "sketchlab."):
    if module.name != "sketchlab.serving":  # the page, which needs the extra lab
        importlib.import_module(module.name)
letters = "abcdefghijklmnopqrstuvwxyz"
run = sl.train(sl.names.load()[:30], steps=40, vocabulary=letters, progress=False)
sl.sketch(run, 2, 4, store="sketch", progress=False)
output = sl.open_sketch("sketch", run).output(lambda model: model.loss("ana"))
lab = ["jupyterlab", "nbval", "notebook", "pytest", "voila"]
found = [name for name in lab if importlib.util.find_spec(name)]
print(json.dumps([sl.__file__, found, output.predict(without=[3]).value]))
"""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    printed = python(elsewhere, program, cwd=tmp_path, env=clean)
    file, found, value = json.loads(printed)
    assert Path(file).is_relative_to(elsewhere.parent.parent)
    assert found == []
    output = sl.sketch(small_run, 2, 4, progress=False).output(lambda model: model.loss("ana"))
    assert value == pytest.approx(output.predict(without=[3]).value, rel=1e-12)


@pytest.mark.skipif(shutil.which("make") is None, reason="no make")
def test_make_lab_works_for_root():
    """In a container: JupyterLab refuses root unless it is told to run."""
    command = ["make", "--dry-run", "lab"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert "jupyterlab notebooks" in result.stdout
    assert ("--allow-root" in result.stdout) == (os.getuid() == 0)


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


def test_the_rooms_are_those_of_the_package():
    """Every module is named in its row, and no other."""
    section = (ROOT / "docs" / "rooms.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`.+?) \| (.+) \|$", section, re.M)
    named = {}
    for rooms, contents in rows:
        for room in re.findall(r"`(\w+)/?`", rooms):
            named[room] = set(re.findall(r"`(\w+)`", contents))
    package = ROOT / "sketchlab"
    assert set(named) == {path.stem for path in package.iterdir() if path.stem[0] != "_"}
    checked = "algebra training estimation sketching attribution incontext reports figures"
    for room in checked.split():
        modules = {p.stem for p in (package / room).glob("*.py")} - {"__init__"}
        assert modules == {word for word in named[room] if word.islower()}, room


@pytest.mark.long
def test_the_numbers_of_the_readme_are_those_of_its_program():
    """With groups named, and without; the explorer opens."""
    text, known = (ROOT / "README.md").read_text(encoding="utf-8"), {}
    program = re.search(r"```python\n(.*?)```", text, re.DOTALL)[1]
    exec(program, known)
    run, z = known["run"], known["letters"]["z"]
    p, truth = known["out"].predict(without=["z"]), run.retrain(without=z).loss("zoe")
    assert p.low < truth < p.high
    for value in (p.now, p.value, p.low, p.high, truth):
        assert f"{value:.3f}" in program
    single = sl.sketch(run, degree=2, directions=200, jobs=2).predict(sl.LossOn("zoe"), without=z)
    assert truth > single.high
    assert f"{single.value:.3f}, with a band to {single.high:.3f}" in " ".join(text.split())

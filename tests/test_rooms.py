"""The map of the package: imports run one way, and modules stay small enough to read."""

import ast
from graphlib import TopologicalSorter

import pytest

from conftest import ROOT

PACKAGE = ROOT / "sketchlab"
ROOMS = [  # from the ground up: each imports only from itself and those before it
    "checks",
    "arguments",
    "patterns",
    "progress",
    "processes",
    "canvas",
    "algebra",
    "training",
    "estimation",
    "sketching",
    "attribution",
    "unlearning",
    "incontext",
    "reports",
    "exercises",
    "figures",
    "widgets",
    "paper",
    "records",
    "commands",
    "serving",
    "__main__",
]
NOT = {  # room: what it does not import although it lies below
    "checks": {"progress", "canvas"},
    "patterns": {"checks", "arguments"},
    "progress": {"checks", "arguments", "canvas"},
    "processes": {"checks", "arguments", "progress"},
    "canvas": {"progress", "processes"},
    "training": {"canvas"},
    "estimation": {"training", "canvas", "progress", "processes"},
    "sketching": {"canvas"},
    "attribution": {"canvas"},
    "unlearning": {"canvas"},
    "incontext": {"canvas"},
    "reports": {"canvas"},
    "exercises": {"canvas"},
}
MOST_LINES = 300


def modules():
    """Path by dotted name below the package; the package's own __init__ is not among them."""
    return {
        ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__"): path
        for path in sorted(PACKAGE.rglob("*.py"))
        if path != PACKAGE / "__init__.py"
    }


def imported(name, path, known):
    """The modules of the package that a module imports, anywhere in its code."""
    parts = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names if alias.name.startswith("sketchlab")]
            yield from (found.removeprefix("sketchlab").lstrip(".") for found in names)
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                base = parts[: len(parts) - node.level + 1]
            elif (node.module or "").split(".")[0] == "sketchlab":
                base = []
            else:
                continue
            module = (node.module or "").removeprefix("sketchlab").lstrip(".")
            base = [*base, *filter(None, module.split("."))]
            for alias in node.names:
                whole = ".".join([*base, alias.name])
                yield whole if whole in known else ".".join(base)


KNOWN = modules()
IMPORTS = {name: sorted(set(imported(name, path, KNOWN))) for name, path in KNOWN.items()}


def test_every_module_has_a_room():
    """A new room is put into the list above, where it belongs."""
    assert {name.split(".")[0] for name in KNOWN} == set(ROOMS)
    assert sum(map(len, IMPORTS.values())) > 50, "the imports were not read"


@pytest.mark.parametrize("name", KNOWN)
def test_imports_run_one_way(name):
    """From the ground up, also those inside functions."""
    room = name.split(".")[0]
    allowed = set(ROOMS[: ROOMS.index(room) + 1]) - NOT.get(room, set())
    for found in IMPORTS[name]:
        assert found.split(".")[0] in allowed, f"{name} imports {found}"


def test_modules_import_each_other_in_no_circle():
    """Not inside a room either, so that each can be read after those it imports."""
    graph = {
        name: {found for found in IMPORTS[name] if found in KNOWN and found != name}
        for name in KNOWN
        if KNOWN[name].name != "__init__.py"
    }
    assert len(list(TopologicalSorter(graph).static_order())) >= len(graph)


@pytest.mark.parametrize("name", KNOWN)
def test_modules_are_small(name):
    """One idea each."""
    assert len(KNOWN[name].read_text(encoding="utf-8").splitlines()) <= MOST_LINES

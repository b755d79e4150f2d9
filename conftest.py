"""How nbval runs the notebooks: each once, with its pictures and the solution of its exercise.

Beyond nbval's comparison of outputs: a picture that is stored must be drawn again (sanitize.cfg
makes all pictures equal); what goes to stderr is not compared; at the end of a lesson the printed
solution of its exercise is run in the same kernel and must pass the lesson's own check.
"""

import re
from collections import defaultdict

import nbformat
import pytest
from nbval.plugin import IPyNbCell, IPyNbFile

SOLUTION = re.compile(r"<summary>Solution</summary>\s*```python\n(.*?)```", re.DOTALL)
STORE = re.compile(r"\bstore=\\?[\"'](.+?)\\?[\"']")  # quotes are escaped in the file


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(parent):
    """Notebooks that nbval would collect are collected as lessons."""
    collectors = yield
    return [lesson(parent, c.path) if isinstance(c, IPyNbFile) else c for c in collectors]


def lesson(parent, path):
    """Collector of a notebook; those that write to the same folder have the same first name.

    A parallel run (`--dist loadfile`) gives what has the same first name to the same process.
    """
    store = STORE.search(path.read_text(encoding="utf-8"))
    name = f"{parent.nodeid}/{store[1]}::{path.name}" if store else None
    return Lesson.from_parent(parent, path=path, nodeid=name)


class Lesson(IPyNbFile):
    """The cells of a notebook, then the solution of its exercise."""

    def collect(self):
        self.skip_compare = {*self.skip_compare, "stderr"} - {"image/png"}
        yield from super().collect()
        for number, cell in enumerate(self.nb.cells):
            if cell.cell_type == "code" and cell.source.startswith("answer = None"):
                yield Solution.from_parent(
                    self, name="Solution", cell_num=number, cell=cell, options=defaultdict(bool)
                )


class Solution(IPyNbCell):
    """What is printed as the solution below an exercise, then the check below the exercise."""

    def runtest(self):
        below = self.parent.nb.cells[self.cell_num + 1 :]
        checks = [cell.source for cell in below if cell.cell_type == "code"]
        solution = SOLUTION.search("\n".join(cell.source for cell in below))
        if not checks or not solution:
            self.raise_cell_error("No check, or no solution in Python, below the exercise")
        for source in (solution[1], checks[0]):
            self.cell = nbformat.v4.new_code_cell(source)  # without outputs: nothing is compared
            super().runtest()
        if not any("Right." in output.get("text", "") for output in self.test_outputs):
            self.raise_cell_error("The check of the exercise did not print 'Right.'")

"""How nbval runs the notebooks: each once, with its pictures and the solutions of its exercises.

Beyond nbval's comparison of outputs: a picture that is stored must be drawn again (sanitize.cfg
makes all pictures equal); what goes to stderr is not compared; at the end of a lesson the printed
solution of each exercise is run in the same kernel and must pass the lesson's own check.
"""

import re
from collections import defaultdict

import nbformat
import pytest
from nbval.plugin import IPyNbCell, IPyNbFile

SOLUTION = re.compile(r"<summary>Solution</summary>\s*```python\n(.*?)```", re.DOTALL)
ANSWER = re.compile(r"^answer = ", re.MULTILINE)  # in the code cell that the reader fills in
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
    """The cells of a notebook, then the solutions of its exercises."""

    def collect(self):
        self.skip_compare = {*self.skip_compare, "stderr"} - {"image/png"}
        yield from super().collect()
        for count, number in enumerate(exercises(self.nb.cells), 1):
            yield Solution.from_parent(
                self,
                name=f"Solution {count}",
                cell_num=number,
                cell=self.nb.cells[number],
                options=defaultdict(bool),
            )


def exercises(cells):
    """Numbers of the cells that the reader fills in: each begins an exercise."""
    return [
        number
        for number, cell in enumerate(cells)
        if cell["cell_type"] == "code" and ANSWER.search("".join(cell["source"]))
    ]


def exercise(cells, number):
    """What belongs to the exercise that begins with this cell: its check and its solution.

    They are the code cell that follows and the Python in the folded text below it, both before the
    next exercise; None for one that is not there.
    """
    later = [other for other in exercises(cells) if other > number]
    own = cells[number + 1 : min(later, default=len(cells))]
    checks = [place for place, cell in enumerate(own) if cell["cell_type"] == "code"]
    if not checks:
        return None, None
    below = "\n".join("".join(cell["source"]) for cell in own[checks[0] + 1 :])
    solution = SOLUTION.search(below)
    return "".join(own[checks[0]]["source"]), solution and solution[1]


class Solution(IPyNbCell):
    """What is printed as the solution below an exercise, then the check of the exercise."""

    def runtest(self):
        check, solution = exercise(self.parent.nb.cells, self.cell_num)
        if not check or not solution:
            self.raise_cell_error("No check, or no solution in Python, below the exercise")
        for source in (solution, check):
            self.cell = nbformat.v4.new_code_cell(source)  # without outputs: nothing is compared
            super().runtest()
        if not any("Right." in output.get("text", "") for output in self.test_outputs):
            self.raise_cell_error("The check of the exercise did not print 'Right.'")

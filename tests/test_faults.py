"""The table of faults (docs/faults.md) names tests that exist."""

import pathlib
import re

ROOT = pathlib.Path(__file__).parents[1]
NAMED = re.compile(r"`(test_\w+\.py)::(test_\w+)`")


def test_every_row_of_the_table_of_faults_names_a_test_that_exists():
    lines = (ROOT / "docs" / "faults.md").read_text(encoding="utf-8").splitlines()
    rows = [line for line in lines if line.startswith("|")]
    rows = [row for row in rows if not row.startswith(("| fault |", "|---"))]
    for row in rows:
        named = NAMED.findall(row)
        assert named, f"no test is named in {row!r}: write `test_file.py::test_name`"
        for file, test in named:
            text = (ROOT / "tests" / file).read_text(encoding="utf-8")
            assert re.search(rf"^(async )?def {test}\(", text, re.M), f"{file} has no {test}"

"""What a scoreboard found, and the file that it is kept in: readable JSON, written whole or not.

The file says what was judged: the run's fingerprint, the outputs with their values at the trained
model, and the deletions. It holds the truth and, method by method, the row of the table and the
predictions, so that an interrupted scoreboard goes on and a finished one can be drawn again.
Predictions are kept to six digits, all else in full. Infinite numbers are written as text. A sum of
all of it tells when it was altered (files of older versions have none).
"""

import dataclasses
import json
import math
import os
from pathlib import Path

import numpy as np

from ..arguments import check_path, check_text, instance, takes
from ..training.fingerprints import sealed
from .tables import Shown

FORMAT = "sketchlab scoreboard 1"
DIGITS = 6  # of predictions
SAME = 1e-9  # relative difference of outputs at the trained model that rounding can make


@dataclasses.dataclass(repr=False)
class Results(Shown):
    """Methods beside exact retraining, as `scoreboard` returns them.

    about: what was judged. outputs: what the outputs are called. now: their values with nothing
    deleted, (outputs,). deleted: how many units each deletion of a group touches, by group. truth:
    outputs after exact retraining, (points, outputs) by group. table: rows, see `Scoreboard`; a
    method that could not be made has "failed", the reason. predicted: by method, then as truth, to
    six digits.
    """

    about: dict
    outputs: list
    now: np.ndarray
    deleted: dict
    truth: dict
    table: list = dataclasses.field(default_factory=list)
    predicted: dict = dataclasses.field(default_factory=dict)

    @property
    def groups(self):
        """Names of the groups of deletions."""
        return list(self.deleted)

    @takes(method=check_text)
    def row(self, method):
        """The row of a method, or None."""
        return next((row for row in self.table if row["method"] == method), None)

    @takes(path=check_path)
    def save(self, path):
        """Write everything to a JSON file."""
        path = Path(path)
        parts = plain({"format": FORMAT, **vars(self)})
        parts["seal"] = sealed(parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}.{os.getpid()}")
        beside.write_text(json.dumps(parts), encoding="utf-8")
        os.replace(beside, path)

    @classmethod
    @takes(path=check_path)
    def read(cls, path):
        """What `save` wrote. ValueError for anything else."""
        if Path(path).is_dir():
            raise ValueError(f"{str(path)!r} is a folder: give the file of a scoreboard")
        text = Path(path).read_bytes()
        try:
            parts = json.loads(text.decode("utf-8"))
            seal = parts.pop("seal", None)
            if seal is not None and seal != sealed(parts):
                raise ValueError("it was altered")
            found = parts.pop("format")
            if found != FORMAT:
                raise ValueError(f"it is a {found!r}, and this sketchlab reads {FORMAT!r}")
            parts["table"] = [_numbers(row) for row in parts["table"]]
            parts["now"] = np.array(parts["now"])
            parts["truth"] = {name: np.array(rows) for name, rows in parts["truth"].items()}
            parts["predicted"] = {
                method: {name: np.array(rows, float) for name, rows in found.items()}
                for method, found in parts["predicted"].items()
            }
            return cls(**parts)
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise ValueError(
                f"{str(path)!r} is not a scoreboard: give the file of sl.scoreboard(store=...)"
            ) from error
        except (ValueError, KeyError, AttributeError, TypeError) as error:
            raise ValueError(f"{str(path)!r} is not a scoreboard: {error!r}") from error

    def check_same(self, other, path):
        """Raise ValueError unless another one judges the same: what a file may be continued by."""
        instance(Results)(other, "other")
        differ = [key for key in other.about if self.about.get(key) != other.about[key]]
        if self.now.shape != other.now.shape or not np.allclose(
            self.now, other.now, rtol=SAME, atol=SAME
        ):
            differ.append("values of the outputs at the trained model")
        if differ:
            raise ValueError(
                f"{str(path)!r} holds a scoreboard of something else: other {', '.join(differ)}. "
                "Nothing was changed: give another file, or the arguments it was made with"
            )


def rounded(rows):
    """Predictions as the file has them, so that they do not depend on where work was stopped."""
    return np.array([[float(f"{number:.{DIGITS}g}") for number in row] for row in rows.tolist()])


def plain(value):
    """As JSON has it; infinite numbers as text."""
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [plain(one) for one in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def _numbers(value):
    """The same, read back."""
    if isinstance(value, dict):
        return {key: _numbers(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_numbers(one) for one in value]
    return float(value) if value in ("inf", "-inf", "nan") else value

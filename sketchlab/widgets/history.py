"""The history of tries: a row for each retraining, and the state that brings it back."""

import base64
import csv
import dataclasses
import html
import io

LONG = 40  # letters of names, and of an output, that are shown
COLUMNS = ("deleted", "output", "weight", "degree", "directions", "predicted", "band", "retrained")


@dataclasses.dataclass(frozen=True)
class Try:
    """One row of the history: a prediction beside its exact retraining."""

    deleted: int
    names: str
    output: str
    down_weight: float
    degree: int
    directions: int
    predicted: float
    low: float
    high: float
    retrained: float
    error: float
    inside: bool | None

    @property
    def band(self):
        """The ends of the band in words, and whether the truth lies inside."""
        if self.low == self.high:
            return "known"
        if self.inside is None:
            return "unknown"
        return f"{self.low:.4f} to {self.high:.4f}, {'inside' if self.inside else 'outside'}"


class History:
    """Tries, and for each the state of the explorer that made it."""

    def __init__(self):
        self.rows, self._states = [], []

    def add(self, row, state):
        """Add a row. Raises ValueError if it is there already."""
        if row in self.rows:
            raise ValueError("this try is in the history already: change something first")
        self.rows.append(row)
        self._states.append(state)

    def state(self, number):
        """The state that made a row. Raises ValueError, in words, if there is no such row."""
        if not 0 <= number < len(self.rows):
            raise ValueError(f"the history has {len(self.rows)} rows, and no row {number}")
        return self._states[number]

    def csv(self):
        """The history as the text of a CSV file, one row per try."""
        text = io.StringIO()
        rows = csv.writer(text)
        rows.writerow(field.name for field in dataclasses.fields(Try))
        rows.writerows(dataclasses.astuple(row) for row in self.rows)
        return text.getvalue()

    def html(self):
        """A table, the last try first, with a button that brings each back, and a link that saves.

        The button of a row has its number in the attribute data-row (see `InBrowser`).
        """
        if not self.rows:
            return ""
        rows = "".join(_row(number, row) for number, row in reversed([*enumerate(self.rows)]))
        head = "".join(f'<th scope="col">{title}</th>' for title in (*COLUMNS, "error", "again"))
        content = base64.b64encode(self.csv().encode()).decode()
        return (
            '<div class="sketchlab-history"><b>Retrained so far</b><table class="sketchlab-rows">'
            f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
            f'<a download="deletions.csv" href="data:text/csv;base64,{content}">'
            "<u>Download as CSV</u></a></div>"
        )


def _row(number, row):
    words = [_shortened(f"{row.deleted}: {row.names}"), _shortened(row.output)]
    numbers = [f"{row.down_weight:g}", row.degree, row.directions, f"{row.predicted:.4f}"]
    numbers += [row.band, f"{row.retrained:.4f}", f"{row.error:+.4f}"]
    cells = [f'<td data-label="{c}">{w}</td>' for c, w in zip(COLUMNS, words, strict=False)]
    cells += [
        f'<td data-label="{column}" class="sketchlab-short">{value}</td>'
        for column, value in zip((*COLUMNS[2:], "error"), numbers, strict=True)
    ]
    back = (
        f'<button data-row="{number}" title="Choose this deletion and this question again">'
        f'Show<span class="sketchlab-hidden"> try {number + 1} again</span></button>'
    )
    return f"<tr>{''.join(cells)}<td>{back}</td></tr>"


def _shortened(words):
    short = words if len(words) <= LONG else f"{words[:LONG]}…"
    return f'<span title="{html.escape(words)}">{html.escape(short)}</span>'

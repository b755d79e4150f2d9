"""Tables of scores: one score for all groups, a summary of all methods, and flat records."""

import html
from math import isfinite

from ..arguments import check_text, list_of, takes
from ..checks import brief

COSTS = ("cost", "each", "seconds", "prepare", "per_output", "per_deletion", "bytes")
ABOUT = ("method", "access", *COSTS, "settings", "failed")  # of a row; the rest is by group
DIGITS = {"rmse": 4, "width": 4, "interval": 4, "lds": 3}
SUMMARY = ("rmse", "lds")


class Shown:
    """What has a `table` of methods and scores by `groups`, and shows it."""

    def markdown(self, score="rmse"):
        """The table of one score as Markdown."""
        return markdown(self.table, score)

    def records(self):
        """The table as flat dictionaries, one for each method and group; bands are two numbers."""
        return records(self.table, self.groups)

    def frame(self):
        """The records as a pandas table, by method and group. ImportError without pandas."""
        try:
            import pandas
        except ImportError as error:
            raise ImportError(
                "frame() needs pandas, which comes only with the extra lab of sketchlab: install "
                "it with pip install pandas, or take records()"
            ) from error
        return pandas.DataFrame(self.records()).set_index(["method", "group"])

    @takes(score=check_text)
    def styled(self, score="rmse"):
        """One score as a pandas table, methods by groups, each group shaded from low to high."""
        found = self.frame()
        if score not in found:
            raise ValueError(f"score must be one of {', '.join(found.columns)}, not {score!r}")
        if found[score].dtype.kind not in "fiu":
            raise ValueError(f"{score!r} is no number that could be shaded")
        table = found[score].unstack("group")
        order = [row["method"] for row in self.table if row["method"] in table.index]
        table = table.loc[order, list(map(str, self.groups))]
        style = table.style.format(precision=DIGITS.get(score, 3), na_rep="–")
        shades = table.rank(axis=0).fillna(0.0)
        return style.background_gradient("Blues", axis=None, gmap=shades, high=0.4)

    def costs(self):
        """What every method took, as Markdown: see `scoreboard`."""
        return markdown_table(*costs(self.table))

    def __repr__(self):
        groups = ", ".join(map(str, self.groups))
        return f"{type(self).__name__}({len(self.table)} methods; deletions: {groups})"

    def _repr_markdown_(self):
        return markdown_table(*summary(self.table, self.groups))

    def _repr_html_(self):
        return html_table(*summary(self.table, self.groups))


def _check_row(row, what):
    """Return a row of a table of scores, or raise TypeError if it is none."""
    if (
        not isinstance(row, dict)
        or not {"method", "cost"} <= set(row)
        or not all(isinstance(row[key], dict) for key in set(row).difference(ABOUT))
    ):
        raise TypeError(f"{what} must be a row, as in the table of a scoreboard, not {brief(row)}")
    return row


@takes(score=check_text, table=list_of(_check_row, least=0))
def markdown(table, score="rmse"):
    """A table of one score as Markdown, a column for each group that has it; "" if none has.

    Errors have the share of truths inside the bands in brackets, and the share of infinite bands if
    there are both kinds. Without brackets: there is no band. Seconds have a column if any row does.
    """
    columns = [
        key
        for key in dict.fromkeys(key for row in table for key in row)
        if key not in ABOUT and any(score in row.get(key, {}) for row in table)
    ]
    if not columns:
        return ""
    timed = any("seconds" in row for row in table)
    head = ["method", "trainings", *["core-seconds"] * timed, *columns]
    lines = [f"| {' | '.join(head)} |", "|---|" + "---:|" * (len(head) - 1)]
    for row in table:
        spent = [_cost(row["cost"]), *[_cost(row.get("seconds"))] * timed]
        cells = [_cell(row.get(column, {}), score) for column in columns]
        lines.append(f"| {' | '.join([row['method'], *spent, *cells])} |")
    return "\n".join(lines)


def _cell(found, score):
    if score not in found:
        return ""
    text, unknown = f"{found[score]:.{DIGITS.get(score, 3)}f}", found.get("unknown", 0.0)
    if score != "rmse" or "inside" not in found or unknown == 1.0:
        return text
    return f"{text} ({found['inside']:.0%}{f', {unknown:.0%} unknown' if unknown else ''})"


def _cost(cost):
    """Older results have words for some costs, and none for others."""
    return "" if cost is None else cost if isinstance(cost, str) else f"{cost:.0f}"


def records(table, groups):
    """A table as flat dictionaries, one for each method and group; a band is two numbers."""
    return [
        {key: row[key] for key in ABOUT if key in row} | {"group": name} | _flat(row[name])
        for row in table
        for name in groups
        if name in row
    ]


def summary(table, groups):
    """Heads, and rows of text: every method's scores with intervals by group, and its cost."""
    columns = [(name, score) for name in groups for score in SUMMARY]
    heads = ["method", *[f"{name}: {score}" for name, score in columns], "trainings"]
    rows = [
        [
            row["method"],
            *[_with_band(row.get(name), score) for name, score in columns],
            _cost(row["cost"]),
        ]
        for row in table
    ]
    return heads, rows


def costs(table):
    """Heads, and rows of text: what every method may see of a run, and what it took."""
    units = {"prepare": "s", "per_output": "s", "per_deletion": "ms", "bytes": "MB"}
    heads = ["method", "access", "trainings", "and for each deletion"]
    heads += [f"{name.replace('_', ' ')} ({unit})" for name, unit in units.items()] + ["settings"]
    scale = {"ms": 1e3, "MB": 1e-6}
    rows = []
    for row in table:
        sizes = [
            f"{row[name] * scale.get(unit, 1.0):.2g}" if name in row else ""
            for name, unit in units.items()
        ]
        each = f"{row['each']:.2g}" if row.get("each") else ""
        said = f"failed: {row['failed']}" if "failed" in row else row.get("settings", "")
        rows.append([row["method"], row.get("access", ""), _cost(row["cost"]), each, *sizes, said])
    return heads, rows


def markdown_table(heads, rows):
    """Heads and rows of text as Markdown; the first column is of words, the others of numbers."""
    marks = ["---", *["---:"] * (len(heads) - 1)]
    lines = [[cell.replace("|", "\\|") for cell in line] for line in (heads, marks, *rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def html_table(heads, rows):
    """Heads and rows of text as HTML."""
    body = "".join(
        f"<tr>{''.join(f'<{tag}>{html.escape(cell)}</{tag}>' for cell in line)}</tr>"
        for tag, line in [("th", heads), *[("td", row) for row in rows]]
    )
    return f"<table>{body}</table>"


def _with_band(found, score):
    """A score with its interval in brackets, or the spread over runs; a dash if it has no value."""
    if found is None:
        return ""
    if score not in found:
        return "–"
    digits, text = DIGITS[score], f"{found[score]:.{DIGITS[score]}f}"
    low, high = found.get(f"{score}_band", (None, None))
    if low is not None:
        known = isfinite(low) and isfinite(high)
        return f"{text} [{low:.{digits}f}, {high:.{digits}f}]" if known else f"{text} [not known]"
    spread = found.get(f"{score}_sd")
    if spread is None:
        return text
    return f"{text} ± {spread:.{digits}f}" if isfinite(spread) else f"{text} ± not known"


def _flat(found):
    flat = {}
    for key, number in found.items():
        if key.endswith("_band"):
            score = key.removesuffix("_band")
            flat[f"{score}_low"], flat[f"{score}_high"] = number
        else:
            flat[key] = number
    return flat

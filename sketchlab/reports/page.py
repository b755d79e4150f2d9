"""The page of a report: HTML that loads nothing, runs nothing, and holds its numbers as JSON.

A page is a function of the numbers alone: `page(read(path))` is the saved page again.
"""

import html
import json
import re

from ..arguments import check_path, takes
from . import results, sections

STYLE = """
.sketchlab-report { line-height: 1.5; max-width: 62rem; overflow-wrap: break-word; }
.sketchlab-report table { border-collapse: collapse; margin: 0; font-size: 0.95em; color: inherit; }
.sketchlab-report caption { text-align: left; font-weight: 600; padding: 0.3em 0; }
.sketchlab-report th, .sketchlab-report td { text-align: left; vertical-align: top;
  padding: 0.3em 0.8em 0.3em 0; border-bottom: 1px solid rgba(128, 128, 128, 0.4);
  font-variant-numeric: tabular-nums; background: none; }
.sketchlab-report tbody th { font-weight: normal; }
.sketchlab-report .scroll { overflow-x: auto; margin: 1em 0; }
.sketchlab-report td { white-space: nowrap; }
.sketchlab-report h1, .sketchlab-report h2, .sketchlab-report h3 { line-height: 1.25; }
.sketchlab-report dt { font-weight: 600; margin-top: 0.7em; }
.sketchlab-report dd { margin: 0 0 0 1.5em; }
.sketchlab-report .doc { font-family: monospace; white-space: pre-wrap; overflow-wrap: anywhere; }
.sketchlab-report .sum { font-family: monospace; overflow-wrap: anywhere; }
.sketchlab-report .short { border-left: 4px solid #2f7fc1; padding: 0.1em 1em; margin: 1em 0; }
.sketchlab-report .apart { font-weight: 700; }
.sketchlab-report small { opacity: 0.85; }
.sketchlab-report pre { white-space: pre-wrap; overflow-wrap: anywhere; }
.sketchlab-report svg { vertical-align: middle; }
.sketchlab-report .band { fill: #808080; fill-opacity: 0.35; }
.sketchlab-report .mark { fill: #2f7fc1; }
.sketchlab-report .ring { fill: none; stroke: currentColor; stroke-width: 2; }
.sketchlab-report .other { fill: #d55e00; }
@media print { .sketchlab-report .scroll { overflow: visible; }
  .sketchlab-report table { font-size: 0.85em; } .sketchlab-report td { white-space: normal; }
  .sketchlab-report tr, .sketchlab-report svg { break-inside: avoid; }
  .sketchlab-report h2, .sketchlab-report h3 { break-after: avoid; } }
"""
PAGE_STYLE = """
:root { color-scheme: light dark; }
body { font-family: system-ui, sans-serif; margin: 1.5rem auto; padding: 0 1rem;
  max-width: 62rem; }
h1 { font-size: 1.6em; } h2 { font-size: 1.25em; margin-top: 2em; } .short h2 { margin-top: 0.5em; }
.sketchlab-report tbody th { position: sticky; left: 0; background: Canvas; min-width: 4em; }
@media print { :root { color-scheme: light; } body { margin: 0; font-size: 10pt; } }
"""
POLICY = "default-src 'none'; style-src 'unsafe-inline'"  # browsers then refuse all else
RECORD = '<script type="application/json" id="numbers">'


def fragment(numbers, top=2):
    """The report to be put into another page, such as a notebook. top: level of its heading."""
    body = "".join(
        f"<section>{part(numbers, top + 1)}</section>"
        for part in (
            sections.the_request,
            results.the_outputs,
            results.the_method,
            sections.the_guarantees,
            sections.the_computation,
        )
    )
    return (
        f'<div class="sketchlab-report" lang="en"><style>{STYLE}</style>'
        f"{sections.head(numbers, top)}{body}</div>"
    )


def page(numbers):
    """The whole page."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(sections.title(numbers))}</title>\n<style>{PAGE_STYLE}</style>\n"
        f"</head>\n<body>\n<main>{fragment(numbers, 1)}</main>\n"
        f"{record(numbers, indent=1)}\n</body>\n</html>\n"
    )


def save(text, path, overwrite):
    """Write a page to a file and return its path.

    FileExistsError if it is there already, FileNotFoundError if there can be no file.
    """
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"there is no folder {str(path.parent)!r}: make it, or give another path"
        )
    if path.is_dir():
        raise FileNotFoundError(f"{str(path)!r} is a folder: give the name of a file in it")
    if path.exists() and not overwrite:
        raise FileExistsError(
            f"{str(path)!r} exists: give another path, or overwrite=True to replace it"
        )
    path.write_text(text, encoding="utf-8")
    return path


@takes(path=check_path)
def read(path):
    """The numbers of a saved page; ValueError if it is none."""
    if path.is_dir():
        raise FileNotFoundError(f"{str(path)!r} is a folder: give the page in it")
    if not path.is_file():
        raise FileNotFoundError(f"there is no page at {str(path)!r}")
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{str(path)!r} is not a page: {error}") from error
    found = re.search(re.escape(RECORD) + "(.*?)</script>", text, re.DOTALL)
    if found is None:
        raise ValueError(f"{str(path)!r} is not the page of a report: it has no record of numbers")
    return json.loads(found[1])


def record(numbers, **layout):
    """Numbers as an element of a page. layout: arguments of `json.dumps`.

    The JSON holds no character of HTML, whatever the documents are.
    """
    text = json.dumps(numbers, allow_nan=False, **layout)
    return f"{RECORD}{re.sub('[<>&]', _escape, text)}</script>"


def _escape(found):
    return f"\\u{ord(found[0]):04x}"

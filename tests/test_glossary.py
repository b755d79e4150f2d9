"""The glossary: every entry leads to a notebook and a module that exist."""

import importlib.util
import re

from sketchlab.estimation.choice import ESTIMATORS

from conftest import ROOT

PAGE = ROOT / "docs" / "glossary.md"
ENTRY = re.compile(r"- \*\*(.+?)\*\*: (.+) \(\[(\d\d)\]\((\S+)\), `([\w.]+)`\)")
LINES = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("- ")]
ENTRIES = [ENTRY.fullmatch(line).groups() for line in LINES]


def test_each_entry_has_its_sentences_its_notebook_and_its_module():
    """One to four sentences, a link that leads somewhere, a module that can be imported."""
    for term, words, number, link, module in ENTRIES:
        assert (PAGE.parent / link).is_file() and f"/{number}_" in link, term
        assert importlib.util.find_spec(module), term
        assert 1 <= len(re.findall(r"[.)](?= [A-Z(]|$)", words)) <= 5, term


def test_entries_are_in_alphabetical_order_and_each_stands_once():
    """As a reader looks for them: capitals and hyphens do not count."""
    terms = [term.casefold().replace("-", " ").replace(":", "") for term, *_ in ENTRIES]
    assert terms == sorted(set(terms))
    assert len(terms) > 70


def test_every_notebook_has_a_term():
    """A notebook that derives nothing which has a name would be one too many."""
    linked = {link.split("/")[-1] for *_, link, _ in ENTRIES}
    assert linked == {path.name for path in (ROOT / "notebooks").glob("[0-9]*.ipynb")}


def test_every_estimator_is_explained():
    """Those that can be asked for by name."""
    terms = {term for term, *_ in ENTRIES}
    for name in set(ESTIMATORS) - {"automatic"}:
        assert f"estimator: {name.replace('_', ' ')}" in terms


def test_pages_lead_to_the_glossary():
    """From where readers begin."""
    for page in ("README.md", "docs/index.md", "docs/rooms.md", "notebooks/00_start_here.ipynb"):
        assert "glossary.md" in (ROOT / page).read_text(encoding="utf-8"), page

"""The site is built without a warning or a network, and every link in it leads somewhere."""

import ast
import json
import os
import re
import subprocess
import sys
import urllib.parse
from html.parser import HTMLParser

import pytest
from playwright.sync_api import sync_playwright

from conftest import ROOT
from test_browser import CHROMIUM, FLAGS
from test_rooms import KNOWN, ROOMS

LESSONS = sorted(path for path in (ROOT / "notebooks").glob("*.ipynb") if path.stem != "app")
LOADING = {"script": "src", "img": "src", "iframe": "src", "link": "href"}  # what is fetched


class Page(HTMLParser):
    """Anchors, links, what is loaded, and the text of one page."""

    def __init__(self, path):
        super().__init__()
        self.anchors, self.links, self.loaded, self.words, self.inside = set(), [], [], [], []
        self.feed(path.read_text(encoding="utf-8"))
        self.text = " ".join("".join(self.words).split())

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.anchors |= {found.get("id"), found.get("name")} - {None}
        self.inside += [tag] if tag in ("script", "style") else []
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        if tag in LOADING and LOADING[tag] in found:
            self.loaded.append(found[LOADING[tag]])

    def handle_endtag(self, tag):
        if tag in ("script", "style"):
            self.inside.pop()

    def handle_data(self, data):
        if not self.inside:
            self.words.append(data)


def built(folder, *settings, **environment):
    """The site, built as by `make site`: its folder."""
    command = [sys.executable, "-m", "sphinx", "-c", "docs", "-d", folder / "doctrees", "-E", "-q"]
    variables = {name: value for name, value in os.environ.items() if name != "GITHUB_REPOSITORY"}
    result = subprocess.run(
        [*command, *(settings or ["-W", "--keep-going"]), ".", folder / "site"],
        cwd=ROOT,
        env=variables | environment,
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert result.returncode == 0, result.stderr
    return folder / "site"


pytestmark = pytest.mark.long  # the site is built, which takes longest


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    return built(tmp_path_factory.mktemp("built"))


@pytest.fixture(scope="module")
def pages(site):
    """Every page by its path; those of Sphinx's own static files are none."""
    found = [path for path in site.rglob("*.html") if "_static" not in path.parts]
    return {path: Page(path) for path in found}


def test_every_link_and_anchor_leads_somewhere(site, pages):
    broken, checked = [], 0
    for path, page in pages.items():
        for link in [*page.links, *page.loaded]:
            parts = urllib.parse.urlsplit(link)
            if parts.scheme or link == "#":  # to the top
                continue
            name = urllib.parse.unquote(parts.path)
            target = (path.parent / name).resolve() if name else path
            checked += 1
            if not target.is_file():
                broken.append(f"{path.relative_to(site)}: no file {link}")
            elif parts.fragment and target.suffix == ".html":
                if urllib.parse.unquote(parts.fragment) not in pages[target].anchors:
                    broken.append(f"{path.relative_to(site)}: no anchor {link}")
    assert broken == []
    assert checked > 1000


def test_a_link_to_nowhere_is_found(tmp_path):
    """The reader of pages sees links, anchors and what is loaded."""
    path = tmp_path / "page.html"
    path.write_text('<h1 id="a">T</h1><a href="b.html#c">x</a><script src="s.js">let y</script>')
    page = Page(path)
    assert (page.anchors, page.links, page.loaded) == ({"a"}, ["b.html#c"], ["s.js"])
    assert page.text == "Tx"


def test_nothing_is_loaded_from_a_network(site, pages):
    """Neither by a page nor by a style sheet."""
    assert [one for page in pages.values() for one in page.loaded if "//" in one] == []
    for path in site.rglob("*.css"):
        assert not re.search(r"url\(['\"]?(https?:)?//", path.read_text("utf-8")), path


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_shows_its_stored_outputs(path, site, pages):
    """All its pictures, those of widgets too, and what it printed."""
    page = pages[site / "notebooks" / f"{path.stem}.html"]
    notebook = json.loads(path.read_text(encoding="utf-8"))
    outputs = [one for cell in notebook["cells"] for one in cell.get("outputs", [])]
    kinds = [kind for one in outputs for kind in one.get("data", {})]
    drawn, widgets = kinds.count("image/png"), sum("widget-view" in kind for kind in kinds)
    shown = [one for one in page.loaded if one.endswith(".png")]
    assert drawn <= len(shown) <= drawn + 2 * widgets
    assert page.text.count("Controls need a kernel") == widgets
    printed = ["".join(one["text"]) for one in outputs if one.get("name") == "stdout"]
    assert printed
    for text in printed:
        assert " ".join(text.split()) in page.text


def test_the_api_has_every_room_and_every_module(site, pages):
    """In the order of the rooms, each module with the whole of its first docstring."""
    listed = re.findall(r"^   sketchlab\.(\w+)$", (ROOT / "docs" / "api.rst").read_text(), re.M)
    assert [*listed, "__main__"] == ROOMS
    for name, path in KNOWN.items():
        if name == "__main__":
            continue
        page = pages[site / "docs" / "api" / f"sketchlab.{name.split('.')[0]}.html"]
        assert f"module-sketchlab.{name}" in page.anchors
        said = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
        said = re.sub(r"`|^\(\d\) ", "", said, flags=re.M)  # code, and numbers of a list
        assert " ".join(said.split()) in page.text, name


@pytest.mark.long
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium found: see test_browser.py")
def test_pages_fit_a_telephone_and_ask_no_network(site, pages):
    """Mathematics is set, only boxes that scroll are wider than 400 px, and words are found."""
    asked, errors, wide = [], [], {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport={"width": 400, "height": 900})
        page.on("request", lambda one: asked.append(one.url))
        page.on("pageerror", lambda one: errors.append(f"{page.url}: {one}"))
        for path in [*site.glob("notebooks/*.html"), *site.glob("docs/**/*.html")]:
            page.goto(path.as_uri())
            page.evaluate("window.MathJax?.startup?.promise")
            if (root := page.evaluate("document.documentElement.scrollWidth")) > 400:
                wide[path.name] = root
            formulas = page.locator(".math.notranslate").count()
            assert page.locator("mjx-container").count() >= formulas, path
            assert page.locator("mjx-merror").count() == 0, path
        assert (errors, wide) == ([], {})
        page.goto(f"{(site / 'search.html').as_uri()}?q=resummed")
        page.wait_for_selector("ul.search li a")
        browser.close()
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []


def test_buttons_appear_where_the_address_is_known(tmp_path, site):
    """GitHub sets it where it builds the site."""
    place = "notebooks/05_random_directions.html"
    assert "mybinder" not in (site / place).read_text(encoding="utf-8")
    few = "-Dinclude_patterns=docs/index.md,notebooks/05*"  # whose links then lead nowhere
    known = {"GITHUB_REPOSITORY": "someone/copy", "GITHUB_REF_NAME": "main"}
    page = Page(built(tmp_path, few, **known) / place)
    for service in ("mybinder.org", "colab.research.google.com"):
        (link,) = {link for link in page.links if service in link}
        assert "someone/copy" in link and "main" in link
        assert "notebooks" in link and "05_random_directions.ipynb" in link

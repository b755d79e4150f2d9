"""The site: the course, with the outputs its notebooks are committed with, and the API.

`make site` builds it into build/site. Sources are read where they lie: the folder of sources is the
repository. Nothing is fetched from a network, neither when the site is built nor when it is read.
"""

import importlib.util
import json
import os
import re
from pathlib import Path

import sketchlab

ROOT = Path(__file__).resolve().parent.parent

project = "sketchlab"
author = "The sketchlab developers"
copyright = author
release = version = sketchlab.__version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx.ext.mathjax"]
root_doc = "docs/index"
include_patterns = ["CONTRIBUTING.md", "docs/*.md", "docs/*.rst", "docs/api/*", "notebooks/*.ipynb"]
exclude_patterns = ["build", ".*", "sketchlab", "tests", "benchmarks", "data", "**/.*"]
exclude_patterns += ["docs/templates", "docs/static", "notebooks/app.ipynb"]  # a page, not a lesson
templates_path = [str(ROOT / "docs" / "templates")]

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4
nb_execution_mode = "off"
nb_ipywidgets_js = {}  # widgets need a kernel: pictures take their place, see `with_pictures`

autodoc_default_options = {"members": True, "member-order": "bysource"}
autodoc_typehints = "none"
smartquotes = False  # what is quoted may be code
highlight_language = "none"  # of indented blocks, which are formulas as often as code
default_role = "code"  # docstrings name things in single backticks

html_theme = "sphinx_book_theme"
html_title = "sketchlab"
html_show_sourcelink = False
html_static_path = ["static"]
html_css_files = ["site.css"]
html_extra_path = ["../notebooks/figures/playground.html"]
(mathjax,) = importlib.util.find_spec("sphinx-mathjax-offline").submodule_search_locations
html_static_path.append(os.path.join(mathjax, "static", "mathjax", "tex-svg-full.js"))
mathjax_path = "tex-svg-full.js"

html_theme_options = {"navbar_persistent": []}  # one search field, that of the sidebar
if repository := os.environ.get("GITHUB_REPOSITORY"):  # set where GitHub builds the site
    html_theme_options |= {
        "repository_url": f"https://github.com/{repository}",
        "repository_branch": os.environ.get("GITHUB_REF_NAME", "main"),
        "use_repository_button": True,
        "launch_buttons": {
            "binderhub_url": "https://mybinder.org",
            "colab_url": "https://colab.research.google.com",
            "notebook_interface": "jupyterlab",
        },
    }

VIEW, STATE = (f"application/vnd.jupyter.widget-{part}+json" for part in ("view", "state"))
SHOWN = "*Controls need a kernel: run the notebook to use them. Here is what they show at first.*"
CODE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
SPECIAL = re.compile(r"([\\*|_])")


def as_restructured_text(app, what, name, obj, options, lines):
    """Docstrings are plain prose with `code` in backticks: nothing else in them is markup."""
    parts = CODE.split("\n".join(lines))
    parts[::2] = (SPECIAL.sub(r"\\\1", part) for part in parts[::2])
    parts[1::2] = (f"``{part}``" for part in parts[1::2])
    found, literal = [], False
    for line in "".join(parts).split("\n"):
        indented = line.startswith("    ")
        if line and literal and not indented:
            found.append("")
            literal = False
        if indented and not literal and found and not found[-1]:  # not a list's second line
            found += ["::", ""]
            literal = True
        found.append(line.replace("\\", "") if literal else line)
    lines[:] = found


def with_pictures(app, name, source):
    """Widgets of a notebook become the pictures that were stored with them."""
    if not name.startswith("notebooks/"):
        return
    notebook = json.loads(source[0])
    stored = notebook["metadata"].pop("widgets", {}).get(STATE, {}).get("state", {})
    for cell in notebook["cells"]:
        for output in [one for one in cell.get("outputs", []) if VIEW in one.get("data", {})]:
            view = output["data"].pop(VIEW)["model_id"]
            data = [
                {"text/markdown": SHOWN},
                *({"image/png": png} for png in pictures(stored, view)),
            ]
            if not "".join(output["data"]["text/plain"]).startswith("VBox("):
                data.insert(0, output["data"])  # which says what it is of
            place = cell["outputs"].index(output)
            kind = {"output_type": "display_data", "metadata": {}}
            cell["outputs"][place : place + 1] = [{**kind, "data": one} for one in data]
    source[0] = json.dumps(notebook)


def pictures(stored, model):
    """The PNG pictures of a widget and of those inside it, in base64, each once."""
    inside = [model]
    for one in inside:  # grows
        children = stored[one]["state"].get("children", [])
        children = [child.removeprefix("IPY_MODEL_") for child in children]
        inside += [child for child in children if child not in inside]
    found = [stored[one]["buffers"] for one in inside if stored[one]["model_name"] == "ImageModel"]
    return dict.fromkeys(buffer["data"] for buffers in found for buffer in buffers)


def front_page(app, error):
    """The address of the site itself leads to its first page."""
    if error is None and app.builder.name == "html":
        page = Path(app.outdir, "index.html")
        page.write_text('<meta http-equiv="refresh" content="0; url=docs/index.html">\n')


def setup(app):
    app.connect("autodoc-process-docstring", as_restructured_text)
    app.connect("source-read", with_pictures)
    app.connect("build-finished", front_page)

"""The widgets in a real browser: clicks and drags, in JupyterLab and as a page of its own.

What the page shows is compared with direct calls of the package. Needs Chromium; without it the
tests are skipped and say so. Pictures of the pages are left in the folder `screenshots`.
"""

import html
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from matplotlib.figure import Figure
from playwright.sync_api import expect, sync_playwright

import sketchlab as sl
from sketchlab.widgets import verdicts
from sketchlab.widgets.points import SIZE, TEXT

from conftest import ROOT

SCREENSHOTS = ROOT / "screenshots"
CHROMIUM = os.environ.get("SKETCHLAB_CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync "
    "--disable-background-networking --disable-component-update"
).split()
pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(
        CHROMIUM is None,
        reason="no Chromium found: install it (Debian: apt install chromium), or set "
        "SKETCHLAB_CHROMIUM to its path",
    ),
]
LONG = 240_000  # milliseconds: a sketch on a slow machine
expect.set_options(timeout=30_000)
POINTS = """import numpy as np, sketchlab as sl
X = np.random.default_rng(0).normal(size=(40, 2)) + 6 * (np.arange(40)[:, None] % 4)
view = sl.widgets.forget_points(X, 4, 1.0, seed=1)
view"""

REVIEW = """import sketchlab as sl
names = sl.names.load()
run = sl.train(names[:60], vocabulary="abcdefghijklmnopqrstuvwxyz", progress=False)
view = sl.widgets.review(run, sl.MeanLoss(names[60:90]), check=sl.MeanLoss(names[90:99]))
view"""

TABLE = """import numpy as np
from sklearn.datasets import load_breast_cancer
import sketchlab as sl
table = load_breast_cancer(as_frame=True).frame
X, y = table.drop(columns="target").to_numpy(), table["target"].to_numpy()
X, rows = (X - X.mean(0)) / X.std(0), np.random.default_rng(0).permutation(569)
def losses(p, i):
    score = sl.ring.matmul(X[i], p["w"][..., None])[..., 0] + p["b"][..., None]
    return sl.ring.softplus((1.0 - 2.0 * y[i]) * score)
model = sl.Model({"w": np.zeros(30), "b": np.zeros(())}, losses)
run = sl.TrainingRun(model, rows[:400], optimizer=sl.SGD(0.05), batch_size=10, progress=False)
sketch = sl.sketch(run, degree=2, directions=60, progress=False)
view = sl.explore(run, sketch, held_out=rows[400:], table=table.iloc[rows[:400]])
view"""

TOWNS = """import sketchlab as sl
towns = "Århus Bodø Córdoba Düren Düsseldorf Göteborg Köln Łódź Öland Örebro Örnsköldsvik".split()
towns += ["São Brás", "Nowy Sącz", "Zielona Góra", "Αθήνα", "Ρόδος", "Київ", "Харків"]
run = sl.train(towns, steps=36, held_out=["Östersund", "Gävle"], progress=False)
sketch = sl.sketch(run, degree=2, directions=12, progress=False)
view = sl.explore(run, sketch)
view"""

DIGITS = """import numpy as np
from sklearn.datasets import load_digits
import sketchlab as sl
images, digits = load_digits(n_class=2, return_X_y=True)
X = images / 16.0
def losses(p, i):
    score = sl.ring.matmul(X[i], p["w"][..., None])[..., 0]
    return sl.ring.softplus((1.0 - 2.0 * digits[i]) * score)
run = sl.TrainingRun(sl.Model({"w": np.zeros(64)}, losses), np.arange(120), progress=False)
sketch = sl.sketch(run, degree=1, directions=20, anchors=0, progress=False)
pictures = images[:120].reshape(-1, 8, 8)
view = sl.explore(run, sketch, held_out=np.arange(200, 360), images=pictures)
view"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Copies of the notebooks without outputs: what is shown then comes from this kernel."""
    copies = tmp_path_factory.mktemp("notebooks")
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        notebook = json.loads(path.read_text())
        notebook["metadata"].pop("widgets", None)
        for cell in notebook["cells"]:
            if cell["cell_type"] == "code":
                cell["outputs"], cell["execution_count"] = [], None
        (copies / path.name).write_text(json.dumps(notebook))
    own = {"points": POINTS, "review": REVIEW, "table": TABLE, "digits": DIGITS, "towns": TOWNS}
    for name, source in own.items():
        cell = {"cell_type": "code", "source": source, "outputs": [], "execution_count": None}
        notebook |= {"cells": [cell | {"metadata": {}, "id": name}]}
        (copies / f"{name}.ipynb").write_text(json.dumps(notebook))
    return copies


@pytest.fixture(scope="module")
def serve(folder, tmp_path_factory):
    """Function that starts a server on a free port, with settings of its own: its address."""
    private, processes = tmp_path_factory.mktemp("jupyter"), []
    settings = private / "settings" / "@jupyterlab"
    for plugin, values in {
        "apputils-extension/notification": {"fetchNews": "false"},
        "notebook-extension/tracker": {"windowingMode": "none"},
    }.items():
        file = settings / f"{plugin}.jupyterlab-settings"
        file.parent.mkdir(parents=True)
        file.write_text(json.dumps(values))
    environment = os.environ | {
        "JUPYTER_CONFIG_DIR": str(private / "config"),
        "JUPYTER_RUNTIME_DIR": str(private / "runtime"),
        "JUPYTER_PATH": str(Path(sys.prefix) / "share" / "jupyter"),
        "JUPYTERLAB_SETTINGS_DIR": str(private / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(private / "workspaces"),
        "OPENBLAS_NUM_THREADS": "1",
    }

    def start(*arguments):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        log = open(private / f"{arguments[0]}.log", "w")
        processes.append(
            subprocess.Popen(
                [sys.executable, "-m", *arguments, "--no-browser", f"--port={port}"],
                env=environment,
                stdout=log,
                stderr=log,
            )
        )
        address = f"http://127.0.0.1:{port}"
        for _ in range(240):
            try:
                urllib.request.urlopen(f"{address}/static/none", timeout=5)
            except urllib.error.HTTPError:
                return address  # it answers
            except OSError:
                assert processes[-1].poll() is None, Path(log.name).read_text()
                time.sleep(0.25)
        raise TimeoutError(Path(log.name).read_text())

    yield start
    for process in processes:
        process.terminate()
        process.wait(20)


@pytest.fixture
def page(tmp_path):
    """An empty page that reaches this machine only."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch_persistent_context(
            tmp_path, executable_path=CHROMIUM, args=FLAGS, viewport={"width": 1280, "height": 1000}
        )
        page = browser.pages[0]
        local = re.compile(r"(https?://127\.0\.0\.1:|data:|blob:)")
        page.route(
            lambda url: not local.match(url),
            lambda route: route.abort(),
        )
        yield page
        browser.close()


def open_notebook(page, address, name, shown=".sketchlab-headline"):
    """Open a notebook in JupyterLab and run all its cells, until something is shown."""
    page.goto(f"{address}/lab/tree/{name}?token=secret&reset", timeout=LONG)
    page.wait_for_selector(".jp-NotebookPanel .jp-Cell", timeout=LONG)
    idle = ".jp-Notebook-ExecutionIndicator[data-status=idle]"
    page.wait_for_selector(idle, timeout=LONG, state="attached")
    expect(page.locator(".jp-Toolbar-kernelName").first).to_contain_text("Python 3")
    first = page.locator(".jp-CodeCell .jp-InputPrompt").first
    for _ in range(10):  # on a slow machine the kernel does not listen yet, or is asked for
        if page.locator(".jp-Dialog").count():
            page.locator(".jp-Dialog button.jp-mod-accept").click()
        page.click("li.lm-MenuBar-item:has-text('Run')")
        page.click("li.lm-Menu-item[data-command='runmenu:run-all']")
        page.wait_for_timeout(3000)
        if re.search(r"[\d*]", first.inner_text()):
            break
    page.wait_for_selector(shown, timeout=LONG)
    last = page.locator(".jp-CodeCell .jp-InputPrompt").last
    expect(last).to_have_text(re.compile(r"\[\d+\]"), timeout=LONG)
    assert page.locator("[data-mime-type='application/vnd.jupyter.error']").count() == 0
    assert page.locator("[data-mime-type='application/vnd.jupyter.stderr']").count() == 0


class Expected:
    """What the package computes for the state of a page, which starts as in both notebooks."""

    def __init__(self, folder, without=("x", "z"), name="zoe"):
        self.run = sl.train(sl.names.load()[:400], progress=False)
        self.sketch = sl.open_sketch(folder / "sketches" / "names", self.run)
        self.output = self.sketch.output(lambda model: model.loss(name), unit="nats")
        self.name, self.epsilon = name, None  # the whole sketch, until epsilon is moved
        self.without = set(np.flatnonzero(self.sketch.units.down_weights(without)))

    def named(self, letter):
        """Numbers of the names that begin with a letter."""
        return {i for i, name in enumerate(self.run.data) if name[0] == letter}

    def check(self, page, truth=False):
        """The headline, the numbers, the band, the cost and the chosen names are these."""
        without = sorted(self.without)
        part = self.output
        if self.epsilon is not None:
            plan = sl.plan_part(self.output, self.epsilon, without=without)
            part = self.output.part(degree=plan.degree, directions=plan.directions)
        p = part.predict(without=without)
        now = self.run.loss(self.name)
        noun = "name" if len(without) == 1 else "names"
        expect(page.locator(".sketchlab-chosen b")).to_have_text(f"{len(without)} {noun}")
        band = f"90% band {p.low:.4f} to {p.high:.4f}"
        trust = (
            f"calibrated on {p.calibrated} retrainings" if p.calibrated else "band not calibrated"
        )
        text = f"predicted {p.value:.4f} ({band}, {trust}), now {now:.4f}"
        details = page.locator(".sketchlab-details")
        expect(details).to_contain_text(text)
        cost = f"as much as {part.cost + truth} trainings"  # with the one made here
        expect(page.locator(".sketchlab-cost")).to_contain_text(cost)
        headline = page.locator(".sketchlab-headline")
        expect(headline).to_contain_text(f"{p.value - now:+#.3g} nats")
        title = re.compile(f"predicted {p.value:.4f} at down-weight 1")
        picture = page.locator(".sketchlab-picture svg").first
        expect(picture).to_have_attribute("aria-label", title)
        if truth:
            exact = self.run.retrain(without=without, progress=False).loss(self.name)
            inside = "inside" if p.low <= exact <= p.high else "outside"
            expect(details).to_contain_text(
                f"retrained {exact:.4f}, known exactly: off by {p.value - exact:+.4f}, "
                f"{inside} the band"
            )
            expect(page.locator(".sketchlab-history")).to_contain_text(f"{exact:.4f}")


def check_access(page, box):
    """No violation of accessibility that axe-core calls serious, and no title of nothing."""
    expect(page.locator(f"{box} [title=null]")).to_have_count(0)
    handles = page.locator(f"{box} .noUi-handle:visible")
    for handle in handles.all():  # the last thing that is set in the browser
        expect(handle).to_have_attribute("aria-label", re.compile("."))
    found = Axe().run(page, context=box).response["violations"]
    assert [
        (one["id"], one["nodes"][0]["html"])
        for one in found
        if one["impact"] in ("serious", "critical")
    ] == []


def overflowing(page, box):
    """What is wider or higher than its place inside of a box, with a scroll bar or cut off."""
    return page.locator(box).evaluate(
        """box => [...box.querySelectorAll("*")].filter(e => {
            const ways = getComputedStyle(e);
            return e.clientWidth > 1 && ["auto", "scroll", "hidden"].includes(ways.overflowX) &&
                e.scrollWidth > e.clientWidth + 1;
        }).map(e => `${e.className} ${e.textContent.slice(0, 40)}`)"""
    )


def check_screens(page, name, widths):
    """The explorer on screens of some widths: readable, without scroll bars; leaves pictures."""
    SCREENSHOTS.mkdir(exist_ok=True)
    explorer = page.locator(".sketchlab-explorer")
    for width in widths:
        page.set_viewport_size({"width": width, "height": 1000})
        side = page.locator(".jp-SideBar.jp-mod-left .lm-mod-current")
        if width < 600 and side.count():
            side.first.click()  # without the list of files
        page.wait_for_timeout(500)
        explorer.evaluate("element => element.scrollIntoView()")
        page.screenshot(path=SCREENSHOTS / f"{name}_{width}.png")
        assert overflowing(page, ".sketchlab-explorer") == []
        check_access(page, ".sketchlab-explorer")
        for picture in explorer.locator(".sketchlab-picture svg").all():
            place = picture.bounding_box()
            points = float(picture.get_attribute("viewBox").split()[2])
            assert 10 * place["width"] / points > 11  # pixels of the text, of 10 points
            assert place["x"] + place["width"] <= width
        explorer.locator(".sketchlab-epsilon").evaluate("element => element.scrollIntoView()")
        page.wait_for_timeout(100)
        headline = page.locator(".sketchlab-headline")
        expect(headline).to_be_in_viewport()  # while one chooses


def drag(page, slider, share):
    """Drag the handle of a slider to a share of its length with the mouse."""
    handle = page.locator(f".sketchlab-{slider} .noUi-handle")
    handle.scroll_into_view_if_needed()
    start = handle.bounding_box()
    track = page.locator(f".sketchlab-{slider} .noUi-base").bounding_box()
    y = start["y"] + start["height"] / 2
    page.mouse.move(start["x"] + start["width"] / 2, y)
    page.mouse.down()
    page.mouse.move(track["x"] + share * track["width"], y, steps=8)
    page.mouse.up()
    return float(handle.get_attribute("aria-valuenow"))


def operate(page, expected, name):
    """Use the explorer as a visitor would, and compare with the package after every step."""
    explorer = page.locator(".sketchlab-explorer")
    expected.check(page)
    explorer.locator("button.sketchlab-retrain").focus()
    page.keyboard.press("Shift+Tab")  # from outside, the first thing that is reached
    assert not explorer.evaluate("element => element.contains(document.activeElement)")
    chip = explorer.locator(".sketchlab-chips button", has_text=re.compile("^m$"))
    chip.click()
    expected.without |= expected.named("m")
    expected.check(page)
    explorer.locator(".lm-TabBar-tab", has_text="Names").click()
    zoran = expected.run.data.index("zoran")
    explorer.get_by_placeholder("search, or a number").fill("zoran")
    box = explorer.get_by_role("checkbox", name=f"{zoran}: zoran")
    expect(box).to_be_checked()  # as its letter is chosen
    box.click()
    expected.without -= {zoran}
    expected.check(page)
    box.click()
    expected.without |= {zoran}
    expected.check(page)
    undo = explorer.locator("button", has_text="Undo")
    for _ in range(3):
        undo.click()
    expect(undo).to_be_enabled()
    explorer.locator(".lm-TabBar-tab", has_text="Text").click()
    text = explorer.locator(".sketchlab-pattern input")
    text.fill("x")
    explorer.locator("button:visible", has_text="Only these").click()
    expected.without = {i for i, word in enumerate(expected.run.data) if "x" in word}
    expected.check(page)

    costs = []
    for share in (0.95, 0.56, 0.05):
        expected.epsilon = 10 ** drag(page, "epsilon", share)
        expected.check(page)
        costs.append(explorer.locator(".sketchlab-cost").inner_text())
    assert len(set(costs)) == 3
    explorer.locator(".sketchlab-epsilon .noUi-handle").press("ArrowRight")
    handle = explorer.locator(".sketchlab-epsilon .noUi-handle")
    expected.epsilon = 10 ** float(handle.get_attribute("aria-valuenow"))
    expected.check(page)

    explorer.locator("button.sketchlab-retrain").click()
    expected.check(page, truth=True)
    link = explorer.locator(".sketchlab-history a")
    with page.expect_download() as download:
        link.click()
    rows = Path(download.value.path()).read_text().splitlines()
    assert rows[0].startswith("deleted,names,output") and len(rows) == 2

    explorer.locator(".lm-TabBar-tab", has_text="Text").click()
    explorer.locator("select:visible").first.select_option("regular expression")
    text.fill("(x")
    message = explorer.locator(".sketchlab-message [role=alert]:visible")
    expect(message).to_contain_text("'(x' is not a regular expression")
    asked = explorer.locator(".sketchlab-name input")
    asked.fill("zo3")
    expect(explorer.locator(".sketchlab-message [role=alert]:visible").last).to_contain_text(
        "unknown character '3' at position 2"
    )
    expected.check(page, truth=True)  # what was right before is still shown
    text.fill("x")
    asked.fill(expected.name)
    expect(explorer.locator(".sketchlab-message [role=alert]")).to_have_count(0)

    explorer.get_by_role("button", name="None", exact=True).click()
    expect(page.locator(".sketchlab-chosen b")).to_have_text("0 names")
    explorer.get_by_role("button", name="Show try 1 again").click()
    expected.check(page, truth=True)
    for tab in explorer.locator(".lm-TabBar-tab").all():
        tab.click()
        check_access(page, ".sketchlab-explorer")
    check_screens(page, name, (1280, 800, 420))


def test_the_first_notebook_in_jupyterlab(page, serve, folder):
    """Open 00_start_here, run all, and use its explorer."""
    address = serve("jupyterlab", str(folder), "--allow-root", "--IdentityProvider.token=secret")
    open_notebook(page, address, "00_start_here.ipynb")
    operate(page, Expected(folder), "jupyterlab")


def test_the_page_without_code(page, serve, folder):
    """The app: the explorer with no code in sight, for visitors; works without a network."""
    settings = re.search(r"^CULL = (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    address = serve("sketchlab.serving", str(folder / "app.ipynb"), *settings[1].split())
    page.goto(address, timeout=LONG)
    page.wait_for_selector(".sketchlab-headline", timeout=LONG)
    assert "sl.train" not in html.unescape(page.content())
    expect(page.locator("h1")).to_contain_text("never seen these names")
    expect(page).to_have_title("Deletion explorer")
    operate(page, Expected(folder), "app")


def delete_points(page, name):
    """Click where points are drawn, and press one by keyboard; compare with the package."""
    names = {}
    exec(POINTS, names)
    model, X = names["view"].model, names["X"]
    widget = page.locator(".sketchlab-points")
    board = widget.locator(".widget-gridbox")
    apart = np.linalg.norm(X[:, None] - X, axis=2) + 9 * np.eye(len(X))
    certified = [model.would(i).certificate.certified for i in range(len(X))]
    alone = sorted(range(len(X)), key=lambda i: -apart[i].min())
    numbers = [next(i for i in alone if certified[i] is wanted) for wanted in (True, False)]

    def click(number):
        limits = sl.figures.frame(X, 0.6 * model.made.width)
        blank = Figure(figsize=SIZE)
        shown = sl.figures.clusters(
            model.made, limits=limits, legend=False, text=TEXT, figure=blank
        )
        across, up = shown.axes[0].transData.transform(X[number]) / shown.bbox.size
        board.scroll_into_view_if_needed()  # the picture is drawn anew, its place stays
        box = board.bounding_box()
        page.mouse.click(box["x"] + across * box["width"], box["y"] + (1 - up) * box["height"])

    def check(number):
        last = model.press(number)
        verdict = re.sub("<.*?>", "", verdicts.verdict(last))
        assert f"oint {number}" in verdict and "certified" in verdict
        expect(widget.locator(".sketchlab-verdict")).to_have_text(verdict)
        if last.certificate.failed:
            expect(widget.locator(".sketchlab-reasons")).to_contain_text(last.certificate.failed)
        expect(widget.locator(".sketchlab-equal")).to_contain_text("bit for bit: yes")
        counts = widget.locator(".sketchlab-counts")
        expect(counts).to_contain_text(f"{model.deleted} point")
        expect(counts).to_contain_text(f"{model.spent:,} spent")
        expect(counts).to_contain_text(f"takes {model.retraining:,}.")
        expect(board.locator("button:visible")).to_have_count(len(model.made))

    for number in numbers:
        click(number)
        check(number)
    third, fourth = [i for i in alone if i not in numbers][:2]
    button = board.get_by_role("button", name=f"delete point {third}", exact=True)
    button.focus()
    button.press("Enter")
    check(third)
    widget.get_by_role("checkbox").click()
    model.first_show = True
    for _ in range(2):  # shown, then deleted
        click(fourth)
        check(fourth)
    assert model.deleted == 4
    check_access(page, ".sketchlab-points")
    SCREENSHOTS.mkdir(exist_ok=True)
    for width in (1280, 420):
        page.set_viewport_size({"width": width, "height": 1000})
        side = page.locator(".jp-SideBar.jp-mod-left .lm-mod-current")
        if width < 600 and side.count():
            side.first.click()  # without the list of files
        page.wait_for_timeout(500)
        widget.evaluate("element => element.scrollIntoView()")
        page.screenshot(path=SCREENSHOTS / f"points_{name}_{width}.png")
        one, other = (
            image.bounding_box() for image in widget.locator(".sketchlab-picture svg").all()
        )
        assert one["width"] > 280 and other["width"] > 280
        assert max(box["x"] + box["width"] for box in (one, other)) <= width
        assert (abs(one["y"] - other["y"]) < 3) == (width == 1280), "they stack where it is narrow"
        for box in board.locator("button:visible").all():
            inside = box.bounding_box()
            assert 5 < inside["width"] < 32
            assert abs(inside["width"] - inside["height"]) < 0.2, "round"
    fifth = next(i for i in alone if i in model.made.numbers)
    widget.get_by_role("checkbox").click()
    model.first_show = False
    click(fifth)  # on a narrow page
    check(fifth)
    widget.get_by_role("button", name="Start again").click()
    expect(board.locator("button:visible")).to_have_count(len(X))
    expect(widget.locator(".sketchlab-message [role=alert]")).to_have_count(0)


def test_points_are_clicked_in_jupyterlab(page, serve, folder):
    """Each click deletes one, and says whether it was certified; also where it is narrow."""
    address = serve("jupyterlab", str(folder), "--allow-root", "--IdentityProvider.token=secret")
    open_notebook(page, address, "points.ipynb", ".sketchlab-verdict")
    delete_points(page, "jupyterlab")


def test_points_are_clicked_on_a_page_without_code(page, serve, folder):
    """The same under Voila."""
    address = serve("voila", str(folder / "points.ipynb"))
    page.goto(address, timeout=LONG)
    page.wait_for_selector(".sketchlab-verdict", timeout=LONG)
    delete_points(page, "voila")


def test_a_ranking_is_ticked_and_retrained_by_keyboard(page, serve, folder):
    """Tab and the space bar are enough; the numbers are those of the package."""
    names = {}
    exec(REVIEW, names)
    model = names["view"].model
    address = serve("voila", str(folder / "review.ipynb"))
    page.goto(address, timeout=LONG)
    widget = page.locator(".sketchlab-review")
    headline = widget.locator(".sketchlab-headline")
    expect(headline).to_contain_text("Tick those that look bad", timeout=LONG)
    widget.get_by_role("checkbox").first.focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    model.tick(model.order[:2])
    expect(headline).to_contain_text(f"2 of 60 ticked; mean loss on 30 names: now {model.now:.4f}")
    expect(headline).to_contain_text(f"predicted change {model.prediction.change:+.4f}")
    expect(
        widget.get_by_role("checkbox", name=f"1: {model.labels[model.order[0]]}")
    ).to_be_checked()
    widget.get_by_role("button", name="Retrain").focus()
    page.keyboard.press("Enter")
    made = model.retrain()
    expect(headline).to_contain_text(f"retrained {made.retrained:+.4f}")
    expect(widget.locator(".sketchlab-history")).to_contain_text(f"{made.checked:+.4f}")
    widget.get_by_role("button", name="Next").click()
    expect(widget.get_by_role("checkbox", checked=True)).to_have_count(0)
    expect(widget).to_contain_text("11 to 20 of 60")
    check_access(page, ".sketchlab-review")
    for width in (1280, 420):
        page.set_viewport_size({"width": width, "height": 800})
        page.wait_for_timeout(300)
        SCREENSHOTS.mkdir(exist_ok=True)
        page.screenshot(path=SCREENSHOTS / f"review_{width}.png")
        for line in widget.get_by_role("checkbox").all():
            box = line.bounding_box()
            assert box["x"] >= 0 and box["x"] + box["width"] < width - 200


def check_shown(page, p, chosen, truth=None):
    """The prediction of the package is on the screen, and the truth in the history."""
    expect(page.locator(".sketchlab-chosen b")).to_have_text(chosen)
    details = page.locator(".sketchlab-details")
    expect(details).to_contain_text(
        f"predicted {p.value:.4f} (90% band {p.low:.4f} to {p.high:.4f}"
    )
    expect(page.locator(".sketchlab-headline")).to_contain_text(f"{p.change:+#.3g}")
    if truth is not None:
        expect(details).to_contain_text(f"retrained {truth:.4f}")
        band = f"{p.low:.4f} to {p.high:.4f}, {'in' if p.low <= truth <= p.high else 'out'}side"
        expect(page.locator(".sketchlab-history")).to_contain_text(band)


def test_own_words_are_explored_on_a_page(page, serve, folder):
    """Their first letters are those to press, and a word held out is asked about."""
    names = {}
    exec(TOWNS, names)
    run = names["run"]
    page.goto(serve("voila", str(folder / "towns.ipynb")), timeout=LONG)
    explorer = page.locator(".sketchlab-explorer")
    expect(page.locator(".sketchlab-headline")).to_contain_text("Choose documents", timeout=LONG)
    explorer.locator(".sketchlab-chips button", has_text=re.compile("^Ö$")).click()
    without = [i for i, town in enumerate(run.data) if town.startswith("Ö")]
    output = names["sketch"].output(sl.LossOn("Östersund"))
    check_shown(page, output.predict(without=without), f"{len(without)} documents")
    explorer.locator("button.sketchlab-retrain").click()
    truth = float(run.retrain(without=without, progress=False).loss("Östersund"))
    check_shown(page, output.predict(without=without), f"{len(without)} documents", truth)
    expect(page.locator(".sketchlab-message [role=alert]")).to_have_count(0)
    check_screens(page, "towns", (1280, 800, 400))


def test_a_table_is_explored_on_a_page(page, serve, folder):
    """Rows by a range of a column and by their boxes; the numbers are those of the package."""
    names = {}
    exec(TABLE, names)
    run, held_out, table = (
        names["run"],
        names["rows"][400:],
        names["table"].iloc[names["rows"][:400]],
    )
    title = "mean loss on 169 held-out rows"
    output = names["sketch"].output(lambda m: sl.ring.mean(m.losses(held_out), -1))
    address = serve("voila", str(folder / "table.ipynb"))
    page.goto(address, timeout=LONG)
    explorer = page.locator(".sketchlab-explorer")
    expect(page.locator(".sketchlab-headline")).to_contain_text("Choose rows", timeout=LONG)
    expect(explorer.locator("select:visible").first).to_have_value(title)

    def check(without, truth=None):
        check_shown(page, output.predict(without=without), f"{len(without)} rows", truth)

    explorer.locator(".lm-TabBar-tab", has_text="Columns").click()
    explorer.get_by_label("from").fill("20")
    explorer.get_by_label("from").press("Enter")
    large = np.flatnonzero(table["mean radius"] >= 20).tolist()
    expect(explorer).to_contain_text(f"{len(large)} rows")
    explorer.locator("button:visible", has_text="Only these").click()
    check(large)
    explorer.locator(".lm-TabBar-tab", has_text="Rows").click()
    other = next(i for i in range(9) if i not in large)
    box = explorer.get_by_role("checkbox", name=re.compile(f"^{other}: row {run.data[other]}$"))
    box.focus()
    page.keyboard.press("Space")
    chosen = sorted([*large, other])
    check(chosen)
    explorer.locator("button.sketchlab-retrain").click()
    exact = run.retrain(without=chosen, progress=False)
    check(chosen, float(np.mean(exact.losses(held_out))))
    expect(page.locator(".sketchlab-message [role=alert]")).to_have_count(0)
    check_screens(page, "table", (1280, 800, 400))


def test_images_are_chosen_by_looking_at_them(page, serve, folder):
    """Each line of the list shows its digit, eight pixels wide; what is ticked is shown as well."""
    address = serve("voila", str(folder / "digits.ipynb"))
    page.goto(address, timeout=LONG)
    explorer = page.locator(".sketchlab-explorer")
    expect(page.locator(".sketchlab-headline")).to_contain_text("Choose rows", timeout=LONG)
    explorer.locator(".lm-TabBar-tab", has_text="Rows").click()
    listed = explorer.locator("img.sketchlab-thumbnail:visible")
    expect(listed).to_have_count(9)
    assert listed.evaluate_all("all => all.map(one => one.naturalWidth)") == [8] * 9
    said = [one.get_attribute("alt") for one in listed.all()]
    assert said == [f"row {i}" for i in range(9)]
    box = explorer.get_by_role("checkbox", name="row 3", exact=True)
    box.focus()
    page.keyboard.press("Space")
    chosen = page.locator(".sketchlab-chosen img.sketchlab-thumbnail")
    expect(chosen).to_have_attribute("alt", re.compile("3"))
    assert chosen.get_attribute("src") == listed.nth(3).get_attribute("src")
    expect(page.locator(".sketchlab-headline")).to_contain_text(re.compile(r"[+-]\d"))
    check_screens(page, "digits", (1280, 800, 400))

"""The page to play with, in a real browser: what it says is what the package computes."""

import math
import re

import pytest
from playwright.sync_api import expect, sync_playwright

import sketchlab as sl

from conftest import LETTERS
from test_browser import CHROMIUM, FLAGS, SCREENSHOTS

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium found: see tests/test_browser.py"),
]
ADDRESS = "http://127.0.0.1:1/playground.html"  # answered here, by no server
OUTPUTS = [sl.LossOn("zoe"), sl.NextLetter("n", "a")]


@pytest.fixture(scope="module")
def made():
    """A run, its sketch, and the page that is made of them."""
    settings = {"steps": 72, "vocabulary": LETTERS, "width": 8, "heads": 2, "progress": False}
    run = sl.train(sl.names.load()[:24], **settings)
    sketch = sl.sketch(run, 2, 12, progress=False)
    return run, sketch, sl.reports.playground(run, sketch, outputs=OUTPUTS, progress=False)


@pytest.fixture
def page(made, tmp_path):
    """The page in Chromium, which asks for nothing else and reports no error."""
    asked, faults = [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch_persistent_context(
            tmp_path, executable_path=CHROMIUM, args=FLAGS, viewport={"width": 1280, "height": 900}
        )
        page = browser.pages[0]
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda message: faults.append(message.text))
        page.route("**/*", lambda route: route.fulfill(body=made[2].html, content_type="text/html"))
        page.goto(ADDRESS)
        yield page
        browser.close()
    assert asked == [ADDRESS] and faults == []


class Expected:
    """The sentences of a choice, from direct calls of the package."""

    def __init__(self, run, sketch, deletion, function, epsilon):
        self.digits = 3 if function.unit == "nats" else 4
        of, output = deletion["of"], sketch.output(function)
        self.part = output
        if epsilon is not None:
            plan = sl.plan_part(output, epsilon, without=of)
            self.part = output.part(degree=plan.degree, directions=plan.directions)
        self.p = self.part.predict(without=of)
        self.now = function(run.model)
        self.truth = float(function(run.retrain(without=of, progress=False)))

    def said(self, value):
        """A value in the digits of sentences, as the page rounds it: kept first, then shortened."""
        kept = round(value * 10 ** (self.digits + 1))
        return math.floor(kept / 10 + 0.5)

    def shown(self, whole):
        return f"{whole / 10**self.digits:.{self.digits}f}"

    def check(self, page, retrained):
        """Prediction, band and truth stand in the sentence, and the cost below the slider."""
        now, then, low, high, truth = map(
            self.said, (self.now, self.p.value, self.p.low, self.p.high, self.truth)
        )
        predicted = page.locator("#predicted")
        moved = f"{'rise' if then > now else 'fall'} by {self.shown(abs(then - now))}"
        moved = "stay at" if then == now else moved
        expect(predicted).to_contain_text(f"predicted to {moved}")
        expect(predicted).to_contain_text(f"90% band {self.shown(low)} to {self.shown(high)}")
        if then != now:
            expect(predicted).to_contain_text(f"from {self.shown(now)} to {self.shown(then)}")
        assert ("may not change" in predicted.inner_text()) == (
            self.p.low <= self.now <= self.p.high
        )
        sentence = page.locator("#truth")
        if retrained:
            inside = "inside" if self.p.low <= self.truth <= self.p.high else "outside"
            expect(sentence).to_contain_text(f"it is {self.shown(truth)} (")
            expect(sentence).to_contain_text(f"the truth is {inside} the band")
            off = f"{'high' if then > truth else 'low'} by {self.shown(abs(then - truth))}"
            expect(sentence).to_contain_text("right to this" if then == truth else off)
        else:
            expect(sentence).to_have_text("Press Retrain to see what training again gives.")
        expect(page.locator("path.truth")).to_have_count(12 if retrained else 1)  # and the legend's
        used = f"{len(self.part.directions)} of 12 directions, to degree {self.part.degree}, "
        expect(page.locator("#part")).to_contain_text(
            f"{used}as much as {self.part.cost} trainings"
        )


def test_a_visitor_deletes_predicts_and_retrains(made, page):
    """By mouse, then by keyboard alone; after every step the sentence is that of the package."""
    run, sketch, playground = made
    numbers = playground.numbers
    deletions, start = numbers["deletions"], numbers["start"]
    chips = page.get_by_role("radio")
    expect(chips).to_have_count(len(deletions))
    expect(chips.nth(start)).to_be_checked()
    Expected(run, sketch, deletions[start], OUTPUTS[0], None).check(page, False)

    chosen = (start + 3) % len(deletions)
    page.locator(".chip").nth(chosen).click()
    Expected(run, sketch, deletions[chosen], OUTPUTS[0], None).check(page, False)
    first = page.locator("#sentence").inner_text()
    button = page.get_by_role("button", name="Retrain")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    Expected(run, sketch, deletions[chosen], OUTPUTS[0], None).check(page, True)
    assert page.locator("#sentence").inner_text() != first

    slider = page.get_by_role("slider")
    box = slider.bounding_box()
    page.mouse.click(box["x"] + box["width"] - 4, box["y"] + box["height"] / 2)
    epsilons = numbers["outputs"][0]["epsilons"]
    Expected(run, sketch, deletions[chosen], OUTPUTS[0], epsilons[-1]).check(page, True)
    assert re.match(f"Epsilon {epsilons[-1]:g} nats: ", slider.get_attribute("aria-valuetext"))

    slider.press("ArrowLeft")
    Expected(run, sketch, deletions[chosen], OUTPUTS[0], epsilons[-2]).check(page, True)
    page.get_by_role("combobox").focus()
    page.keyboard.press("ArrowDown")
    epsilons = numbers["outputs"][1]["epsilons"]
    Expected(run, sketch, deletions[chosen], OUTPUTS[1], epsilons[-2]).check(page, True)
    page.keyboard.press("Shift+Tab")  # to the chosen deletion
    expect(chips.nth(chosen)).to_be_focused()
    page.keyboard.press("ArrowRight")
    chosen = (chosen + 1) % len(deletions)
    Expected(run, sketch, deletions[chosen], OUTPUTS[1], epsilons[-2]).check(page, True)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(button).to_be_focused()
    page.keyboard.press("Space")
    Expected(run, sketch, deletions[chosen], OUTPUTS[1], epsilons[-2]).check(page, False)


def test_the_page_fits_its_window(made, page):
    """Wide or narrow: nothing sticks out, text keeps its size, and what is pressed is large."""
    page.get_by_role("button", name="Retrain").click()
    for summary in page.locator("summary").all():
        summary.click()
    SCREENSHOTS.mkdir(exist_ok=True)
    for width in (1280, 400):
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_timeout(200)
        page.screenshot(path=SCREENSHOTS / f"playground_{width}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        picture = page.locator("#picture svg")
        box = picture.bounding_box()
        assert 340 < box["width"] <= width
        assert picture.get_attribute("viewBox").split()[2] == f"{box['width']:g}"
        for place in [*page.locator(".chip").all(), page.locator("#retrain")]:
            size = place.bounding_box()
            assert size["width"] >= 24 and size["height"] >= 24
        beside = (
            page.locator("#choose").bounding_box()["y"]
            == (page.locator("#result").bounding_box()["y"])
        )
        assert beside == (width == 1280)

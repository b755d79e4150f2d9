"""Scoreboards as pictures: what is drawn is what was scored; wrong names are refused."""

import numpy as np
import pytest

from sketchlab import figures
from sketchlab.attribution import Results
from sketchlab.figures.costs import ACCESS, pareto


def row(method, cost, rmse, access="training again", **more):
    scores = {"rmse": rmse, "rmse_band": [rmse / 2, 2 * rmse], "lds": 0.5, "lds_band": [0.4, 0.6]}
    return {"method": method, "cost": cost, "access": access, "2": scores, "8": scores, **more}


@pytest.fixture
def results():
    rng = np.random.default_rng(0)
    truth = {name: 1.0 + rng.normal(size=(9, 8)) for name in ("2", "8")}
    table = [
        {"method": "random ranking", "cost": 0, "2": {"lds_band": [-0.3, 0.3]}} | {
            "8": {"lds_band": [-0.2, 0.2]}
        },
        row("cheap", 0.0, 0.5, "trained model"),
        row("good", 10.0, 0.1, "steps of training"),
        row("dear", 100.0, 0.2),
        row("each", 1.0, 0.05, each=3.0),
        row("exact", 5.0, 1e-12),
    ]  # fmt: skip
    predicted = {one["method"]: truth for one in table[1:]}
    predicted["cheap"] = {"2": truth["2"] + 100.0, "8": truth["8"]}
    deleted = {"2": [2] * 9, "8": [8] * 9}
    return Results({}, ["one"] * 8, np.ones(8), deleted, truth, table, predicted)


def points(axes):
    """All points of lines that are drawn with markers alone."""
    return [line.get_xydata() for line in axes.lines if line.get_linestyle() == "None"]


def test_predicted_and_true_draws_changes(results):
    """Every deletion and output is a point; how many lie outside is said."""
    figure = figures.predicted_and_true(results, ["good", "cheap"], 2)
    first, second = figure.axes
    (drawn,) = points(first)
    true = (results.truth["2"] - 1.0).ravel()
    np.testing.assert_allclose(drawn, np.stack([true, true], axis=-1))
    assert "72 outside" in [text.get_text() for text in second.texts]
    assert "good\nRMSE 0.1, LDS 0.50" in first.get_title(loc="left")
    assert figure._suptitle is None and first.get_xlim()[1] > np.max(np.abs(true))


def test_error_and_cost_has_every_method_but_the_exact_one(results):
    """With what each deletion costs; the front is of those that none beats in both."""
    axes = figures.error_and_cost(results, "2").axes[0]
    drawn = np.concatenate(points(axes))
    expected = [[1.0, 0.5], [10.0, 0.1], [100.0, 0.2], [1.0 + 9 * 3.0, 0.05]]
    np.testing.assert_allclose(drawn, expected)
    (front,) = (line for line in axes.lines if line.get_label() == "none is cheaper and better")
    np.testing.assert_allclose(front.get_xdata(), [1.0, 10.0, 28.0])
    (nothing,) = (line for line in axes.lines if line.get_label() == "no change")
    expected = np.sqrt(np.mean((results.truth["2"] - 1.0) ** 2))
    assert nothing.get_ydata()[0] == pytest.approx(expected)


def test_numbers_cover_no_point_and_the_legend_says_what_colours_mean(results):
    """Each number is nearer to nothing than a letter's height, though points lie close together."""
    for row in results.table:  # all in one place, nearly
        if "access" in row:
            row["cost"] = 10.0 + 0.01 * len(row["method"])
    figure = figures.error_and_cost(results, "2", unit="nats")
    (axes,) = figure.axes
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in axes.texts]
    dots = axes.transData.transform(np.concatenate(points(axes)[:]))
    assert len(boxes) == len(dots) >= 3
    for place, box in enumerate(boxes):
        assert not any(box.contains(*dot) for dot in dots)
        assert not any(box.overlaps(other) for other in boxes[:place])
    labels = axes.get_legend_handles_labels()[1]
    heads = [label.removesuffix(":") for label in labels if label.endswith(":")]
    assert heads == [one for one in ACCESS if one in heads] and heads
    assert axes.get_ylabel().endswith("(nats)")


def test_the_front_by_hand():
    """Cheaper first; of two at one cost the better one; none that is dearer and no better."""
    cost, error = np.array([3.0, 1.0, 1.0, 2.0, 4.0]), np.array([0.2, 0.9, 0.5, 0.6, 0.1])
    assert pareto(cost, error) == [2, 0, 4]


def test_ranks_by_size_has_intervals_and_the_null(results):
    axes = figures.ranks_by_size(results, ["good", "each"]).axes[0]
    for line in axes.lines:
        np.testing.assert_allclose(line.get_ydata(), [0.5, 0.5])
    lines = [c for c in axes.collections if hasattr(c, "get_segments")]
    assert [np.ravel(c.get_segments())[1::2].tolist() for c in lines] == [[0.4, 0.6] * 2] * 2
    assert axes.get_legend_handles_labels()[1][0] == "random"


def test_unknown_names_are_refused(results):
    for call, message in (
        (lambda: figures.predicted_and_true(results, ["other"], "2"), "no method 'other'"),
        (lambda: figures.predicted_and_true(results, ["good"], "3"), "no group '3'"),
        (lambda: figures.predicted_and_true(results, [], "2"), "give 1 to 8 methods"),
        (lambda: figures.error_and_cost(results, 5), "only 2, 8"),
        (lambda: figures.ranks_by_size(results, ["other"]), "no method 'other'"),
    ):
        with pytest.raises(ValueError, match=message):
            call()
    results.deleted = {"2": [2] * 9}
    with pytest.raises(ValueError, match="at least two groups"):
        figures.ranks_by_size(results, ["good"])


def test_in_a_terminal_results_are_a_line(results):
    """Not the thousands of numbers that they hold."""
    assert repr(results) == "Results(6 methods; deletions: 2, 8)"

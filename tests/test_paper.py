"""The paper's setting, to the digit."""

import numpy as np
import pytest

import sketchlab as sl

from conftest import cauchy_coefficients

# Losses and jet of an independent pure-Python run of the setting.
FINAL_LOSS, DELETED_LOSS = 3.0913238794422018, 3.5767602620380803
JET = [
    3.0913238794422018,
    0.25965844733840343,
    0.11163512679844428,
    0.0679755958046495,
    0.032059205918654306,
    0.013569830861609827,
]
DELETION = [2, 8, 66, 138, 209, 260, 442, 483, 495, 637, 665, 736, 747, 819, 824, 834, 891, 911]


def test_the_papers_final_losses(paper_run):
    """Trained on everything, and retrained without the names with an x."""
    assert sl.paper.deletion(paper_run) == DELETION
    assert paper_run.loss("max") == pytest.approx(FINAL_LOSS, rel=1e-9)
    retrained = paper_run.retrain(without=DELETION, progress=False)
    assert retrained.loss("max") == pytest.approx(DELETED_LOSS, rel=1e-9)


@pytest.mark.long
def test_the_papers_jet(paper_run):
    """The jet along the deletion: known coefficients 0 to 5, and Cauchy's formula up to 7."""
    x = paper_run.indicator(DELETION)
    jet = paper_run.push(x[None], 7, progress=False).loss("max").coefficients[:, 0]
    np.testing.assert_allclose(jet[:6], JET, rtol=1e-9)
    circle = 0.25 * np.exp(2j * np.pi * np.arange(16) / 16)
    losses = paper_run.retrain(down_weights=circle[:, None] * x, progress=False).loss("max")
    losses_at = dict(zip(circle, losses, strict=True)).get
    expected = cauchy_coefficients(losses_at, 7, radius=0.25, points=16)
    np.testing.assert_allclose(jet, expected, rtol=1e-8)


def test_too_few_names_are_refused(tmp_path):
    """The paper's run needs a thousand names."""
    (tmp_path / "few.txt").write_text("ana\nbo\n")
    with pytest.raises(ValueError, match=r"needs 1000 names; .* has 2"):
        sl.paper.training_run(tmp_path / "few.txt")


def test_figure1_is_the_logarithm_of_the_profile(small_run):
    """Its mean square is that of the stability profile."""
    result = sl.paper.figure1(small_run, degree=3, directions=5, progress=False)
    output = sl.sketch(small_run, 3, 5, design="independent", progress=False).output(
        lambda model: model.loss("max")
    )
    norms = np.sqrt(np.mean(4.0 ** np.array(result["log2"]), axis=0))
    np.testing.assert_allclose(norms, output.stability()[0], rtol=1e-3)


def test_another_list_of_names_is_announced(tmp_path):
    """It runs, but the numbers will not be the paper's."""
    path = tmp_path / "names.txt"
    path.write_text("\n".join(sl.names.load()[:1000]))
    with pytest.raises(TypeError, match="give the path"):
        sl.paper.training_run(None)
    with pytest.warns(UserWarning, match="is not the paper's list"):
        sl.paper.training_run(path, progress=False)

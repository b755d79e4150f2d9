"""Data and runs that several tests share."""

import os
from pathlib import Path

import numpy as np
import pytest

import sketchlab as sl

ROOT = Path(__file__).resolve().parent.parent


def documentation():
    """The text of the README and of all pages in docs, one after the other."""
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    return "\n".join(page.read_text(encoding="utf-8") for page in pages)


@pytest.fixture(scope="session")
def paper_names():
    """Path of the paper's names.txt, which is not part of the repository."""
    places = [
        os.environ.get("SKETCHLAB_NAMES", ""),
        ROOT / "data" / "names.txt",
        *ROOT.parent.glob("*/paper/names.txt"),
    ]
    for place in places:
        if place and Path(place).is_file():
            return Path(place)
    pytest.skip(
        "the paper's names are not here: sketchlab.names.download('data') fetches them, "
        "or set SKETCHLAB_NAMES to the file"
    )


@pytest.fixture(scope="session")
def paper_run(paper_names):
    """The paper's training run."""
    return sl.paper.training_run(paper_names, progress=False)


@pytest.fixture(scope="session")
def small_run():
    """microgpt on 30 embedded names, 40 steps."""
    return sl.train(sl.names.load()[:30], steps=40, vocabulary=LETTERS, progress=False)


LETTERS = "abcdefghijklmnopqrstuvwxyz"


def complex_directions(m, n, seed=0):
    """Random complex directions of length 1, one per row."""
    rng = np.random.default_rng(seed)
    psi = rng.normal(size=(m, n)) + 1j * rng.normal(size=(m, n))
    return psi / np.linalg.norm(psi, axis=1, keepdims=True)


def cauchy_coefficients(f, degree, *, radius, points=32):
    """Taylor coefficients 0..degree of z -> f(z) by Cauchy's formula: no jet code involved."""
    z = radius * np.exp(2j * np.pi * np.arange(points) / points)
    values = np.array([f(value) for value in z])
    return (np.fft.fft(values, axis=0) / points)[: degree + 1] / radius ** np.arange(
        degree + 1
    ).reshape(-1, *(1,) * (values.ndim - 1))

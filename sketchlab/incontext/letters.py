"""Images of letters to learn from in context: glyphs of matplotlib's fonts, bent at random.

There are 8 x 8 pixels, and each counts how many of 4 x 4 points are inked, 0 to 16, as in
scikit-learn's digits. There are no digits among them.
"""

import functools

import numpy as np

from ..arguments import check_texts, takes
from ..checks import check_count, check_seed

ALPHABETS = {
    "Latin": ((0x41, 0x5B), (0x61, 0x7B)),
    "Greek": ((0x391, 0x3A2), (0x3A3, 0x3AA), (0x3B1, 0x3CA)),
    "Cyrillic": ((0x410, 0x450),),
    "Armenian": ((0x531, 0x557), (0x561, 0x587)),
    "Georgian": ((0x10D0, 0x10F7),),
}
FONTS = tuple(
    f"DejaVu{kind}.ttf"
    for kind in (
        *("Sans", "Sans-Bold", "Sans-Oblique", "Sans-BoldOblique"),
        *("SansMono", "SansMono-Bold", "SansMono-Oblique", "SansMono-BoldOblique"),
        *("Serif", "Serif-Bold", "Serif-Italic", "Serif-BoldItalic"),
    )
)
PIXELS, POINTS = 8, 4  # on a side of an image, and on a side of a pixel


@takes(each=check_count, alphabets=check_texts)
def letter_images(each=40, *, alphabets=tuple(ALPHABETS), seed=0):
    """Images of every letter of some alphabets, (letters, each, 64), integers 0 to 16 as floats.

    Fonts, slant, size, place and bends of every image are drawn at random.
    """
    each, rng = check_count(each, "each"), np.random.default_rng(check_seed(seed))
    unknown = [name for name in alphabets if name not in ALPHABETS]
    if unknown or not alphabets:
        raise ValueError(f"alphabets must be some of {list(ALPHABETS)}, not {alphabets!r}")
    letters = [chr(c) for name in alphabets for span in ALPHABETS[name] for c in range(*span)]
    return np.array(
        [
            [_image(_outline(letter, str(rng.choice(FONTS))), rng) for _ in range(each)]
            for letter in letters
        ]
    )


@functools.cache
def _outline(letter, font):
    """The curves of a glyph as polygons, within -1 to 1 on its longer side, and half its sides."""
    import matplotlib
    from matplotlib.font_manager import FontProperties
    from matplotlib.path import Path
    from matplotlib.textpath import TextPath

    file = f"{matplotlib.get_data_path()}/fonts/ttf/{font}"
    glyph = TextPath((0, 0), letter, size=1, prop=FontProperties(fname=file))
    low, high = glyph.vertices.min(axis=0), glyph.vertices.max(axis=0)
    sides = (high - low) / 2
    polygons = [
        Path((polygon - (low + high) / 2) / sides.max())
        for polygon in glyph.to_polygons(closed_only=True)
    ]
    return polygons, sides / sides.max()


def _image(outline, rng):
    """The pixels of a glyph under a random map of the plane."""
    polygons, sides = outline
    grid = (np.arange(PIXELS * POINTS) + 0.5) / (PIXELS * POINTS) * 2 - 1
    x, y = (axis.ravel() for axis in np.meshgrid(grid, -grid))
    places = np.stack([x / rng.uniform(0.6, 0.95), y], axis=1)
    turn, shear = rng.normal(0.0, 0.2, size=2)
    cosine, sine = np.cos(turn), np.sin(turn)
    places = places @ np.array([[cosine, sine], [shear * cosine - sine, cosine + shear * sine]])
    places = places * rng.uniform(0.85, 1.15) * np.exp(rng.normal(0.0, 0.07, size=2))
    places = places + rng.normal(0.0, 0.08, size=2)
    waves = places[:, ::-1] * rng.normal(0.0, 0.4, size=2) + rng.uniform(-1.0, 1.0, size=2)
    places = places + 0.17 * rng.normal(size=2) * np.sin(np.pi * waves)
    places = places * sides ** rng.uniform(0.3, 1.0)  # narrow letters are widened, in part
    inked = np.zeros(len(places), bool)
    for polygon in polygons:  # inside an odd number of curves
        inked ^= polygon.contains_points(places)
    return inked.reshape(PIXELS, POINTS, PIXELS, POINTS).sum(axis=(1, 3)).ravel().astype(float)

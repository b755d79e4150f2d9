"""Empty figures and colours that all drawings share, people's words in them, and figures in words.

Words that come from documents or from people are put into a figure by `write`, which draws them as
they are. `description` tells what a figure shows, with the words as they were given. `as_svg` makes
a figure a sharp picture of a page, in which points say who they are (`name_points`).
"""

import io
import warnings
from xml.etree import ElementTree

import matplotlib.pyplot as plt
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from .arguments import check_text, instance, takes
from .checks import check_between, check_count

BLUE, ORANGE, GREEN, RED, GREY = "#0072b2", "#e69f00", "#009e73", "#d55e00", "#999999"
PINK, SKY = "#cc79a7", "#56b4e9"  # more, for many curves
COLOURS = (BLUE, ORANGE, GREEN, PINK, "#000000", SKY, RED)  # of methods; RED is truth
SMALL = (7.0, 3.4)  # inches
LONGEST = 40  # letters of people's words in a picture
SVG = "http://www.w3.org/2000/svg"
ON_A_PAGE = {  # text stays text, in a font as wide as matplotlib's own
    "svg.fonttype": "none",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "sans-serif"],
}
ElementTree.register_namespace("", SVG)
ElementTree.register_namespace("xlink", "http://www.w3.org/1999/xlink")


check_inches = check_between(0, 500)  # of a figure
check_points = check_between(0, 100)  # of letters


@takes(width=check_inches, height=check_inches, columns=check_count)
def new_axes(width=6.5, height=3.6, columns=1, **settings):
    """A figure with one or more axes, closed for pyplot so that a notebook shows it only once."""
    figure, axes = plt.subplots(
        1, columns, figsize=(width, height), layout="constrained", **settings
    )
    plt.close(figure)
    return figure, axes


@takes(width=check_inches, height=check_inches)
def blank(width=SMALL[0], height=SMALL[1]):
    """An empty figure that is not pyplot's, so that any thread may draw into it; inches."""
    return Figure(figsize=(width, height), layout="constrained")


@takes(text=instance(Text), words=check_text)
def write(text, words):
    """Set a matplotlib Text, such as `axes.title`, to words of people, drawn as they are.

    No letter makes a formula. Letters that the fonts lack are written as escapes, such as \\u540d,
    and words longer than 40 letters are shortened: `description` gives them in full.
    """
    text.set_label(words)
    text.set_parse_math(False)
    short = words if len(words) <= LONGEST else f"{words[: LONGEST - 16]}…{words[-15:]}"
    fonts = text.get_fontproperties()
    text.set_text("".join(c if _has(fonts, c) else _escape(c) for c in short))


def write_ticks(axis, labels):
    """Words of people at the ticks 0, 1, 2, ... of an axis, drawn as they are."""
    axis.set_ticks(range(len(labels)))
    ticks = axis.get_major_ticks()
    for tick, words in zip(ticks, labels, strict=True):
        write(tick.label1, words)
    axis.set_ticklabels([tick.label1.get_text() for tick in ticks])


def make_legible(figure):
    """`write` again the words of a figure that have letters which the fonts lack."""
    for text in figure.findobj(Text):
        words, fonts = text.get_text(), text.get_fontproperties()
        if not all(c == "\n" or _has(fonts, c) for c in words):
            write(text, words)


def name_points(artist, words):
    """Let the points of a scatter, or the markers of a line, say who they are, in `as_svg`.

    artist: what `Axes.scatter` or `Axes.plot` returned. words: one text for each point.
    """
    artist.point_names = list(words)


def as_svg(figure, words, salt):
    """A matplotlib figure as SVG, a string to be put into a page.

    words: what it shows, for those who cannot see it. salt: tells its parts from those of other
    figures of the page. Points with names show them where the mouse rests.
    """
    named = {}
    for number, artist in enumerate(figure.findobj(lambda one: hasattr(one, "point_names"))):
        artist.set_gid(f"named-{salt}-{number}")
        named[artist.get_gid()] = artist.point_names
    buffer = io.BytesIO()
    with plt.rc_context(ON_A_PAGE | {"svg.hashsalt": salt}):
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(buffer, format="svg", metadata=nothing)
    root = ElementTree.fromstring(buffer.getvalue())
    for group in root.iter(f"{{{SVG}}}g"):
        points = [] if group.get("id") not in named else list(group.iter(f"{{{SVG}}}use"))
        names = named.get(group.get("id"), ())
        if len(points) == len(names):  # else some lie outside, and nobody knows which
            for point, name in zip(points, names, strict=True):
                ElementTree.SubElement(point, f"{{{SVG}}}title").text = name
    for size in ("width", "height"):
        del root.attrib[size]
    root.set("role", "img")
    root.set("aria-label", words)
    return ElementTree.tostring(root, encoding="unicode")


@takes(figure=instance(Figure))
def description(figure):
    """What a figure shows, in words, for those who cannot see it."""
    parts = []
    for axes in figure.axes:
        if not (axes.axison and (axes.get_xlabel() or axes.get_ylabel())):
            continue
        legend = axes.get_legend()
        lines = map(_words, legend.get_texts()) if legend else axes.get_legend_handles_labels()[1]
        texts = [text for text in axes.get_children() if isinstance(text, Text)]
        titles = [text for text in texts if text not in axes.texts]
        what = ": ".join(filter(None, map(_words, [*titles, axes.yaxis.label])))
        lines = ", ".join(lines)
        parts.append(
            f"{what} against {_words(axes.xaxis.label)}" + (f" ({lines})" if lines else "")
        )
    return "; ".join(parts) or "figure"


def _words(text):
    return text.get_label() or text.get_text()


def _has(fonts, character):
    """Whether matplotlib can draw a character: it warns where it cannot."""
    if character.isascii():
        return character.isprintable()
    with warnings.catch_warnings(record=True) as missing:
        warnings.simplefilter("always")
        RendererAgg(1, 1, 72).get_text_width_height_descent(character, fonts, False)
    return not missing


def _escape(character):
    return character.encode("unicode_escape").decode()

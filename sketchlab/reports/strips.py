"""Small pictures inside tables, as SVG: a null or predicted band, and marks of values on it.

They take the colours of the text around them, and need no script and no font. What they show stands
in the same row in numbers, so that they are hidden from screen readers.
"""

WIDTH, HEIGHT, EDGE = 150, 18, 8  # pixels
SHAPES = {  # of a mark around x, by kind
    "dot": '<circle class="mark" cx="{x}" cy="9" r="4.5"/>',
    "ring": '<circle class="ring" cx="{x}" cy="9" r="4.5"/>',
    "diamond": '<path class="other" d="M{x} 3l6 6l-6 6l-6-6z"/>',
    "bar": '<path class="ring" d="M{x} 2v14"/>',
}


def strip(marks, band=None):
    """A picture of marks, pairs of kind and value (None: left out), on a band, low and high."""
    marks = [(kind, value) for kind, value in marks if value is not None]
    values = [value for _, value in marks] + list(band or ())
    if not values:
        return ""
    low, span = min(values), max(values) - min(values) or 1.0

    def place(value):
        return round(EDGE + (WIDTH - 2 * EDGE) * (value - low) / span, 1)

    parts = []
    if band is not None:
        left, right = map(place, band)
        width = round(max(right - left, 1.0), 1)
        parts.append(f'<rect class="band" x="{left}" y="1" width="{width}" height="16"/>')
    parts += [SHAPES[kind].format(x=place(value)) for kind, value in marks]
    return _svg(WIDTH, "".join(parts))


def key(kind):
    """One mark, or a band, for a legend."""
    if kind == "band":
        return _svg(24, '<rect class="band" x="1" y="1" width="22" height="16"/>')
    return _svg(16, SHAPES[kind].format(x=8))


def _svg(width, content):
    return (
        f'<svg width="{width}" height="{HEIGHT}" viewBox="0 0 {width} {HEIGHT}" '
        f'aria-hidden="true" focusable="false">{content}</svg>'
    )

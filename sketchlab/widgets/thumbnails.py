"""Small pictures of documents that are images, as HTML."""

import base64
import html
import io

import numpy as np
from matplotlib import image

SIDE = 24  # pixels on the page


def checked(images, count):
    """Images of `count` documents as an array, (count, height, width) or with 3 or 4 colours.

    Raises ValueError, in words, for anything else.
    """
    array = np.asarray(images)
    grey, colour = array.ndim == 3, array.ndim == 4 and array.shape[-1] in (3, 4)
    fits = len(array) == count if array.ndim else False
    if not fits or not (grey or colour) or array.dtype.kind not in "buif" or 0 in array.shape:
        raise ValueError(
            f"images must be numbers of shape ({count}, height, width), or with 3 or 4 colours "
            f"last: one image for each document, not an array of shape {array.shape} and type "
            f"{array.dtype}"
        )
    if not np.isfinite(array).all():
        raise ValueError("images must be finite numbers: some are nan or infinite")
    low, high = float(array.min()), float(array.max())
    return (array - low) / (high - low or 1.0)  # one scale for all, so that they can be compared


def thumbnail(pixels, words):
    """An image, (height, width) or with colours, from 0 to 1, as an HTML tag; words: who it is."""
    buffer = io.BytesIO()
    image.imsave(buffer, pixels, cmap="gray", vmin=0.0, vmax=1.0, format="png")
    data = base64.b64encode(buffer.getvalue()).decode()
    words = html.escape(words)
    return (
        f'<img class="sketchlab-thumbnail" src="data:image/png;base64,{data}" alt="{words}" '
        f'title="{words}" height="{SIDE}">'
    )

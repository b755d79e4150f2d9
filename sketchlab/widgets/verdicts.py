"""What the points to click say of a deletion, as HTML: verdict, checks, comparison, counts."""

import html

KEY = (
    "Small: points, in the colour and shape of their cluster; ×: deleted. Large: centroids, on "
    "points of the lattice (grey lines). White dots: the exact means; while a mean stays in the "
    "dashed cell around its centroid, the centroid stays. Arrows: centroids that move."
)


def verdict(last):
    """Whether a deletion is certified, and what moved."""
    if last is None:
        return _spoken("Click a point to delete it.")
    certified = last.certificate.certified
    if last.done:
        sign = "✓ certified" if certified else "✗ not certified"
        return _spoken(f"Point {last.number} is deleted: {sign}.")
    sign = "✓ would be certified" if certified else "✗ would not be certified"
    return _spoken(f"Without point {last.number}: {sign}.")


def reasons(last):
    """What was checked, what failed, and which centroids moved."""
    if last is None:
        return ""
    certificate, parts = last.certificate, []
    if certificate.certified:
        parts.append(
            "Every mean stays in its cell without the point, in every iteration, so that a run "
            "from scratch would be the same."
        )
    else:
        again = "everything was" if last.done else "everything would be"
        parts.append(f"Failed: {html.escape(str(certificate.failed))}, so {again} computed again.")
        parts.append(f"{_moved(last)}.")
    if not last.done:
        parts.append("Nothing is deleted yet: click the same point again to delete it.")
    items = "".join(f"<li>{html.escape(what)}</li>" for what in certificate.checked)
    count = sum(what.startswith("iteration") for what in certificate.checked)
    iterations = "1 iteration" if count == 1 else f"{count or 'no'} iterations"
    return (
        f'<div class="sketchlab-reasons" style="line-height: 1.4">{" ".join(parts)}'
        f"<details><summary>Checked: the seeds, {iterations}</summary>"
        f'<ul style="margin: 0">{items}</ul></details></div>'
    )


def comparison(model):
    """Whether the clusters are those of a run from scratch."""
    answer = "yes" if model.equal else "NO: this is a fault, please report it"
    return (
        '<div class="sketchlab-equal" style="line-height: 1.4">Run from scratch on the '
        f"{len(model.made)} points that are left. Equal, bit for bit: <b>{answer}</b></div>"
    )


def counts(model):
    """Deletions and their cost so far."""
    noun = "point" if model.deleted == 1 else "points"
    return (
        f'<div class="sketchlab-counts" style="line-height: 1.4"><b>{model.deleted} {noun}</b> '
        f"deleted, <b>{model.certified}</b> certified.<br>Operations: <b>{model.spent:,}</b> "
        f"spent; a run from scratch each time takes <b>{model.retraining:,}</b>.</div>"
    )


def key(outside):
    """What the pictures show, and the numbers of the centroids that lie outside of them."""
    noun = "centroid" if len(outside) == 1 else "centroids"
    more = f" Outside the picture: {noun} {', '.join(map(str, outside))}." if len(outside) else ""
    return f'<small style="line-height: 1.4; display: block">{KEY}{more}</small>'


def _moved(last):
    moved, verb = last.moved, "moved" if last.done else "would move"
    anew = "they are numbered anew" if last.done else "they would be numbered anew"
    rest = f"; {anew}" if last.renumbered else ""
    if not len(moved):
        return f"In the end no centroid {verb}{rest}"
    noun = "Centroid" if len(moved) == 1 else "Centroids"
    return f"{noun} {', '.join(map(str, moved))} {verb}{rest}"


def _spoken(text):
    return (
        '<div class="sketchlab-verdict" aria-live="polite" style="font-size: 1.15em; '
        f'line-height: 1.4"><b>{text}</b></div>'
    )

"""Pieces of HTML that the sections of a report share. Every word of people is escaped."""

import html


def escaped(text):
    """Text as HTML that shows it as it is, with an escape for what cannot be seen."""
    return html.escape(visible(str(text)))


def visible(text):
    """Text with escapes for control characters and others that cannot be seen."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def number(value, digits=4):
    """A number rounded, or none."""
    return "none" if value is None else f"{value:.{digits}f}"


def table(caption, headings, rows):
    """A table. rows: pairs of row heading and cells, both HTML."""
    heads = "".join(f'<th scope="col">{one}</th>' if one else "<td></td>" for one in headings)
    body = "".join(
        f'<tr><th scope="row">{first}</th>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>'
        for first, cells in rows
    )
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escaped(caption)}">'
        f"<table><caption>{escaped(caption)}</caption><thead><tr>{heads}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>"
    )

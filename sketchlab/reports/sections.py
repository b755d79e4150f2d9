"""The sections of a report on the request, on guarantees and on how it was made, as HTML."""

from .markup import escaped, number, table, visible
from .words import DEFINITIONS, PROGRAM, SHOWN, counted, summary

LONGEST = 200  # letters of a document that are shown; the record has all of them
DIGITS = 16  # of a SHA-256 sum that are shown


def title(numbers):
    """What the page is called, plain text."""
    reference = numbers["reference"]
    return "Report of a deletion request" + (f": {visible(reference)}" if reference else "")


def head(numbers, level):
    """The title and the summary."""
    lines = "".join(f"<li>{escaped(line)}</li>" for line in summary(numbers))
    made = " ".join(numbers["made"].removesuffix("+00:00").split("T"))
    versions = ", ".join(f"{name} {version}" for name, version in numbers["versions"].items())
    return (
        f"<h{level}>{escaped(title(numbers))}</h{level}>"
        f"<p>Made {escaped(made)} UTC with {escaped(versions)}.</p>"
        f'<section class="short"><h{level + 1}>In short</h{level + 1}><ul>{lines}</ul></section>'
    )


def the_request(numbers, level):
    """Which documents of which run."""
    request = numbers["request"]
    deleted = request["deleted"]
    share = f"{len(deleted)} of {request['documents']} documents"
    parts = [
        f"<h{level}>1. The request</h{level}>",
        f"<p>To delete {share} of the training data, numbered from 0 in the order of training.</p>",
        _documents(request, f"Documents to delete: {share}"),
    ]
    if len(deleted) > SHOWN:
        parts.append(f"<p>And {len(deleted) - SHOWN} more: the record in the page lists all.</p>")
    if request["withheld"]:
        parts.append("<p>The texts of the documents are left out of this page.</p>")
    settings = [(escaped(name), [_sum(value)]) for name, value in request["run"].items()]
    parts.append(
        f"<p>The training run is {_sum(request['run_sha256'][:DIGITS])}: the first {DIGITS} of 64 "
        "digits of a SHA-256 sum over its settings, its documents in their order, and the "
        "parameters that it started from. A run that differs in any of them, by one letter of one "
        "document, has another sum.</p><details><summary>What the sum is taken over</summary>"
        + table("Training run", ["", "value"], settings)
        + "</details>"
    )
    return "".join(parts)


def _documents(request, caption):
    """A table of the documents to delete."""
    deleted, texts, losses = request["deleted"], request["texts"], request["losses"]
    searched = request["copies"] is not None
    copied = {one["document"]: one for one in request["copies"] or ()}
    headings = ["number", "loss, trained with it", "loss, retrained without"]
    if texts is not None:
        headings.insert(1, "document")
    if searched:
        headings += ["exact copies that stay", "alike but for case, accents, spaces"]
    rows = []
    for place, document in enumerate(deleted[:SHOWN]):
        cells = [number(losses["trained"][place]), number(losses["retrained"][place])]
        if texts is not None:
            text = texts[place]
            shown = text if len(text) <= LONGEST else text[:LONGEST] + "…"
            cells.insert(0, f'<bdi class="doc">{escaped(shown)}</bdi>')
        if searched:
            one = copied.get(document, {"same": [], "alike": []})
            cells += [_listed(one["same"]), _listed(one["alike"])]
        rows.append((str(document), cells))
    return table(caption, headings, rows)


def the_guarantees(numbers, level):
    """Which guarantee holds, what it does not cover, and which do not hold."""
    retraining, request, method = (numbers[key] for key in ("retraining", "request", "method"))
    held = {
        True: (
            "Exact: it was trained without these entries of the data, and its parameters do not "
            "depend on what they hold. This was checked by training with another document in their "
            "place."
        ),
        False: "None: it still depends on what the documents hold, as a check has found.",
        None: "It was trained without these entries of the data. This could not be checked.",
    }[retraining["independent"]]
    kinds = [
        (
            "The retrained model",
            f"{held} It took {retraining['trainings']} trainings, one of them for the check. The "
            "parameters have the SHA-256 sum "
            f"{_sum(retraining['trained_sha256'][:DIGITS])} with the documents and "
            f"{_sum(retraining['retrained_sha256'][:DIGITS])} without.",
        ),
        ("Predictions", "None: they say what a model would be like, and change no model."),
    ]
    if method is not None:
        kinds.append(
            (
                f"The method {escaped(method['name'])}",
                "None: no theorem was applied and no certificate checked. There are only the "
                "measures above, on samples of documents. They compare models of many seeds, and "
                "do not judge the one model that may be delivered.",
            )
        )
    return (
        f"<h{level}>4. Which guarantee holds</h{level}>{_pairs(kinds)}"
        "<p>What exact retraining does not cover:</p><ul>"
        + "".join(f"<li>{line}</li>" for line in _limits(request))
        + "</ul><p>This report deletes nothing. The documents are where they were: in the data, in "
        "the parameters of the model that was trained with them, in any sketch of that training, "
        + ("and in this page" if request["texts"] else "and, by their numbers, in this page")
        + ". Whether retraining is what the law asks for is not for this page to say.</p>"
    )


def _limits(request):
    """What a retrained model may still owe to deleted documents."""
    copies = "Copies were not looked for, as the run does not hold what its examples are."
    if request["copies"] is not None:
        copies = (
            "Documents that stay may say the same in other words. Only those were looked for that "
            "are equal, or differ in case, accents and spaces alone."
        )
    found = [
        copies,
        "The steps of training are those of the run: a deleted document leaves a step that trains "
        "on less, or on nothing. That there was a document at this place is not undone.",
        "The parameters that training starts from, the size of the model, the learning rate and "
        "the like were chosen before, and may have been chosen with these documents in view.",
    ]
    if letters := request["only_letters"]:
        found.append(
            f"Of the model's vocabulary, {counted(letters, 'letter')} occur{'s' * (letters == 1)} "
            "in deleted documents alone. If the vocabulary was taken from the documents, it still "
            "tells of them."
        )
    return found


def the_computation(numbers, level):
    """How it was computed: definitions, and the line that repeats it."""
    measures = [
        (
            escaped(name),
            f"{escaped(what)}<br><small><b>What it can miss.</b> {escaped(miss)}</small>",
        )
        for name, what, miss in DEFINITIONS
    ]
    return (
        f"<h{level}>5. How it was computed</h{level}>"
        "<p>Retraining starts from the parameters that the run started from and takes the same "
        "steps in the same order, with the losses of deleted documents multiplied by 0.</p>"
        + (_pairs(measures) if numbers["method"] is not None else "")
        + f"<p>{PROGRAM}</p><pre><code>{escaped(numbers['code'])}</code></pre>"
        "<p>The saved page holds all numbers unrounded, as JSON, in its element <i>numbers</i>: "
        "<code>sl.reports.read(path)</code> returns them. Sums of parameters are the same on "
        "machines whose arithmetic rounds alike.</p>"
    )


def _pairs(pairs):
    """A list of terms and what is said of each, HTML."""
    return "<dl>" + "".join(f"<dt>{term}</dt><dd>{said}</dd>" for term, said in pairs) + "</dl>"


def _sum(value):
    return f'<span class="sum">{escaped(value)}</span>'


def _listed(numbers):
    shown = ", ".join(map(str, numbers[:SHOWN])) or "none"
    return shown + (f" and {len(numbers) - SHOWN} more" if len(numbers) > SHOWN else "")

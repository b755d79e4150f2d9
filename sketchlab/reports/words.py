"""What a report says in sentences: its summary, what each measure is, and what it can miss."""

import numpy as np

SHOWN = 50  # documents that are listed; the record has all of them

NAMES = {  # of measures
    "klom": "KLoM, mean",
    "klom95": "KLoM, 95th percentile",
    "wasserstein": "Wasserstein distance, nats",
    "loss_attack_auc": "loss attack, area under ROC",
    "loss_attack_tpr": "loss attack, true positives at 1% false ones",
    "lira_auc": "LiRA, area under ROC",
    "lira_tpr": "LiRA, true positives at 1% false ones",
}
PARTS = {"forget": "deleted", "retain": "kept", "unseen": "unseen"}
PROGRAM = "The line that makes the report again, with the names of what it was given:"

DEFINITIONS = (  # measure, what it is, what it can miss
    (
        "margin",
        "The logarithm of the odds p / (1 - p) that a model gives to what is right: to each next "
        "letter of a document, or to the class of an example.",
        "What a model would say of other examples.",
    ),
    (
        "KLoM",
        "KL divergence of margins (Georgiev et al. 2024, arXiv 2410.23232): how surprising the "
        "histogram of the method's margins over seeds is, if they are taken for those of retrained "
        "models. Taken for each prediction; the mean and the 95th percentile over these are shown.",
        "It cannot exceed 11.5, so that it does not say how far beyond retrained models a broken "
        "model is. Models that are too much alike score less than models that scatter too much.",
    ),
    (
        "Wasserstein distance",
        "How far margins must be moved, on the average, to be distributed over seeds as those of "
        "retrained models are. The mean over predictions is shown.",
        "A few predictions that are far off are hidden in the mean.",
    ),
    (
        "loss attack",
        "Somebody calls the documents with the lowest losses trained on. Area under the ROC curve: "
        "how often a deleted document has a lower loss than an unseen one; and how many deleted "
        "documents are found when 1% of the unseen ones are called so by mistake.",
        "It is not 0.5 for retrained models if the deleted documents are easier or harder than the "
        "unseen ones: compare with theirs. A method that drives the losses too high is fooling "
        "it: the deleted documents then stick out below the band.",
    ),
    (
        "LiRA",
        "The likelihood-ratio attack (Carlini et al. 2022, arXiv 2112.03570): for each prediction, "
        "normal distributions are fitted to the margins of models that were trained on the "
        "documents and of models that were not, and their ratio is to tell the method's models "
        "from retrained ones. 0.5: it cannot.",
        "It asks only whether margins look trained on: a model that is far from both may look as "
        "if it were not. It knows the deleted documents and has models of many seeds, which few "
        "attackers have.",
    ),
    (
        "verification error",
        "The Euclidean distance between the weights of the method's model and of the model "
        "retrained from the same seed (Thudi et al. 2022, arXiv 2109.13398); mean and standard "
        "error over seeds. For scale: retrained models of different seeds.",
        "Models with other weights may do the same, and a small distance may still hold the "
        "documents.",
    ),
)


def summary(numbers):
    """The report in a few sentences, plain text."""
    request, retraining = numbers["request"], numbers["retraining"]
    lines = [
        f"{len(request['deleted'])} of {request['documents']} documents to be deleted.",
        _independence(retraining),
    ]
    if request["unused"]:
        lines.append(
            f"{len(request['unused'])} of them took part in no step of training: the model never "
            "saw them."
        )
    if not retraining["changed"]:
        lines.append("Retraining gave the same model: deleting these documents changes nothing.")
    lines += [_copied(request["copies"]), _predicted(numbers["outputs"])]
    if numbers["method"] is not None:
        lines.append(_judged(numbers["method"]))
    return lines


def _independence(retraining):
    return {
        True: (
            "The model was trained again without them. With another document in their place, this "
            "gives the same parameters, bit for bit: they do not depend on what the documents hold."
        ),
        False: (
            "Warning: training again without them still depends on what they hold. With another "
            "document in their place, the parameters are different: the retrained model must not "
            "be taken for one that never saw them."
        ),
        None: (
            "The model was trained again without them. Whether the result depends on what they "
            "hold could not be checked, as all other documents are copies of them."
        ),
    }[retraining["independent"]]


def _copied(copies):
    if copies is None:
        return (
            "Whether copies of them stay in the data cannot be told from this run, which knows its "
            "examples by their numbers only."
        )
    same, alike = (sorted({j for one in copies for j in one[kind]}) for kind in ("same", "alike"))
    if not same and not alike:
        return (
            "No document that stays is a copy of one of them. Contents that are merely similar "
            "were not looked for."
        )
    found = []
    if same:
        found.append(counted(len(same), "exact copy", "exact copies"))
    if alike:
        near = counted(len(alike), "near copy", "near copies")
        found.append(f"{near} (but for case, accents or spaces)")
    return (
        f"Warning: {' and '.join(found)} of deleted documents "
        f"{'stays' if len(same) + len(alike) == 1 else 'stay'} in the data, and the retrained "
        "model was trained on that. If the request is about contents, delete these documents, too."
    )


def _predicted(outputs):
    guesses = [output["predicted"] for output in outputs if output["predicted"] is not None]
    if not guesses:
        return "Nothing was predicted: no sketch was given."
    known = sum(guess["known"] for guess in guesses)
    banded = [guess["inside"] for guess in guesses if guess["inside"] is not None]
    said = (
        f"{sum(banded)} of {len(banded)} values after exact retraining "
        f"{'lies' if sum(banded) == 1 else 'lie'} inside the predicted 90% band"
        f"{'' if len(banded) == 1 else 's'}"
        if banded
        else "No band was predicted"
    )
    if unknown := len(guesses) - len(banded):
        said += f"; of {unknown} nothing was known beforehand"
    return said + (f"; {known} had been retrained for the sketch" if known else "") + "."


def _judged(method):
    row, seeds, name = method["models"]["method"], method["seeds"], method["name"]
    said = f"The method {name} gives no guarantee. "
    if row["diverged"]:
        return (
            said + f"{row['diverged']} of its {seeds} models diverged (their parameters are not "
            "finite), so that nothing was measured."
        )
    if row["moved"] == 0:
        said += "It did nothing: none of its models differs from the original. "
    elif row["moved"] < seeds:
        said += f"It left {seeds - row['moved']} of {seeds} models as they were. "
    count = len(method["measures"])
    apart = {
        model: sum(one["apart"][model] for one in method["measures"])
        for model in ("method", "retrained")
    }
    return (
        f"{said}{apart['method']} of {count} measures tell its models from retrained ones. For "
        f"models that were retrained it is {apart['retrained']} of {count}, where "
        f"{method['chance']:.1f} are expected by chance."
    )


def counted(count, one, many=None):
    """A count with its noun."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def described(value):
    """A setting in words that are the same in every process."""
    if isinstance(value, np.ndarray):
        return f"array of shape {value.shape}"
    if hasattr(value, "__qualname__"):
        return value.__qualname__
    text = repr(value)
    return type(value).__name__ if " at 0x" in text else text


def code(deleted, method, texts, given):
    """One line of Python that makes the report again. given: arguments that stand as names."""
    parts = ["run", f"{deleted}" if len(deleted) <= SHOWN else "deleted"]
    if method is not None:
        parts.append(f"method={method['name']!r}")
        if method["settings"]:
            pairs = (f"{name!r}: {value}" for name, value in method["settings"].items())
            parts.append(f"settings={{{', '.join(pairs)}}}")
        if "bench" not in given:
            parts.append(f"seeds={method['seeds']}")
    parts += [f"{name}={name}" for name in given]
    if not texts:
        parts.append("texts=False")
    return f"sl.report({', '.join(parts)})"

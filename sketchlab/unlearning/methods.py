"""Unlearning by steps from a trained model: on losses, up or down, or towards target logits.

    nothing         the originals as they are
    fine_tuning     down the losses of what is kept
    ascent          up the losses of the forget set
    ascent_descent  both, in one shuffled order
    scrub           away from the original's predictions on the forget set, and near them, and down
                    the losses, on what is kept
    matching        towards targets, by squared error of the logits, on all of both

All take steps of one document (see `steps`); `added` has methods of one step in all.
"""

import dataclasses
import inspect
import numbers

import numpy as np

from ..algebra import ring
from ..arguments import check_list, instance, list_of, takes
from ..checks import (
    check_choice,
    check_count,
    check_not_negative,
    check_positive,
    check_seed,
    real_array,
)
from ..training.microgpt import MicroGPT
from ..training.models import Flat
from ..training.optimizers import SGD, Adam
from .added import first_epoch_gradients, single_gradient
from .documents import forget_set
from .population import Models, loss_of
from .steps import take_steps


def unlearn(originals, without, method, *, progress=True, **settings):
    """Make trained models forget some documents: `Models` of the same seeds.

    `path` has the same models on their way.

    originals: `Models`, from `train_seeds`. without: numbers of the documents to forget, at least
    one, and not all. method: one of `METHODS`; settings: of the method:

    passes: over the documents that it uses (default 1). kept: how many of the other documents each
    model uses, drawn for each (default: all of them; ascent uses none). optimizer: default
    `Adam(0.001, schedule="constant")`. weight: of the ascent beside the descent (ascent_descent,
    default 1). ascents: in how many passes, the first ones, the forget set comes first, to be left
    out later (scrub: half of them; default: it is shuffled in). targets: of matching, a function of
    a document that returns logits, (positions, tokens) or (models, positions, tokens). seed: of
    orders and samples.

    Models that diverge have NaN in their parameters: see `Models.diverged`. Those that no step
    changed are not `Models.moved`.
    """
    return path(originals, without, method, None, progress=progress, **settings)[-1]


@takes()
def path(originals, without, method, stops, *, progress=True, **settings):
    """What a method makes of trained models along its way: a list of `Models`, one for each stop.

    stops: how many documents were shown, in ascending order, 0: none; for the methods of one step,
    the rates. None: the end. The rest is as in `unlearn`, whose models are those of the last stop
    if that is all documents.
    """
    if not isinstance(originals, Models):
        raise TypeError(f"originals must be Models, from train_seeds, not {originals!r}")
    check_settings(method, settings)
    if stops is not None:
        stops = [stops] if isinstance(stops, numbers.Real) else check_list(stops, "stops")
        if not stops or settings.get("rate") is not None:
            raise ValueError("give one or more stops, and for the methods of one step no rate=")
    forget = forget_set(originals.run, without)
    return METHODS[method](originals, forget, stops=stops, progress=progress, **settings)


def check_settings(method, settings):
    """Raise ValueError for an unknown method, TypeError for a setting that it does not have."""
    check_choice(method, METHODS, "method")
    known = set(inspect.signature(METHODS[method]).parameters)
    if "settings" in known:
        known |= set(inspect.signature(take_steps).parameters) - {"loss", "signs"}
    known -= {"originals", "forget", "settings", "stops", "progress"}
    if odd := sorted(set(settings) - known):
        raise TypeError(f"{method} has no setting {odd[0]!r}, only {', '.join(sorted(known))}")
    for name, check in (("passes", check_count), ("seed", check_seed), ("ascents", check_count)):
        if name in known and settings.get(name) is not None:
            check(settings[name], name)
    optimizer = settings.get("optimizer")
    if optimizer is not None and not isinstance(optimizer, (SGD, Adam)):
        raise TypeError(f"optimizer must be sl.SGD(...) or sl.Adam(...), not {optimizer!r}")
    if "targets" in known and "targets" not in settings:
        raise TypeError("matching needs targets=, a function of a document that returns logits")


@takes(way=list_of(instance(Models)), level=real_array)
def stopped(way, examples, level):
    """Each model at the first stop where its mean loss on some examples has reached a level.

    way: from `path`, whose first stop should be 0. examples: usually the forget set. level: in
    nats, one number or one per model, such as the originals' losses on examples never seen, or a
    predicted loss after retraining. Models that do not reach it stay as they are at the last stop.
    Returns `Models`, and which reached it, (models,).
    """
    way = list(way)
    if not way:
        raise ValueError("give one or more stops of a way")
    level = np.asarray(level, dtype=float)
    if level.shape not in ((), (len(way[0]),)) or not np.all(np.isfinite(level)):
        raise ValueError(
            f"level must be one finite number of nats, or one for each of {len(way[0])} models, "
            f"not {level!r}"
        )
    losses = np.array([models.losses(examples).mean(axis=1) for models in way])
    reached = losses >= level
    number = np.where(reached.any(axis=0), reached.argmax(axis=0), len(way) - 1)
    rows = np.arange(len(way[0]))
    flat = np.array([models.flat for models in way])[number, rows]
    steps = np.array([np.broadcast_to(models.steps, rows.shape) for models in way])[number, rows]
    cost = float(np.mean([way[i].cost for i in number]))
    found = dataclasses.replace(way[-1], flat=flat, steps=steps, cost=cost)
    return found, reached.any(axis=0)


def nothing(originals, forget, *, stops=None, progress=True):
    """The originals as they are."""
    del forget, progress
    same = dataclasses.replace(originals, origin=originals)
    return [same] * (1 if stops is None else len(stops))


def fine_tuning(originals, forget, **settings):
    """Go on training on what is kept."""
    return _on_losses(originals, forget, 0.0, **settings)


def ascent(originals, forget, **settings):
    """Up the losses of the forget set, and nothing else."""
    return _on_losses(originals, forget, 1.0, **{"kept": 0, **settings})


def ascent_descent(originals, forget, *, weight=1.0, **settings):
    """Up the losses of the forget set and down those of what is kept (NegGrad+)."""
    return _on_losses(originals, forget, check_positive(weight, "weight"), **settings)


def scrub(originals, forget, *, near=1.0, down=1.0, ascents=None, passes=2, **settings):
    """Away from the teacher on the forget set, near it on the rest (Kurmanji et al. 2023).

    The student starts as the teacher, the original, which stays fixed. Up goes the divergence
    KL(teacher || student) of the next letters of the forget set, down goes near * KL + down * loss
    on what is kept.
    """
    run, axis = originals.run, Flat.of(originals.run.initial.parameters)
    if not isinstance(run.initial, MicroGPT):
        raise TypeError(f"scrub needs logits, as microgpt has; this is {run.initial!r}")
    near, down = check_not_negative(near, "near"), check_not_negative(down, "down")

    def loss(parameters, i, rows):
        student = run.initial.with_parameters(parameters)
        teacher = run.initial.with_parameters(axis.named(originals.flat[rows]))
        read, right = student.sequence(run.data[i])
        logits, p = student.logits(read), ring.softmax(teacher.logits(read))
        apart = ring.sum(p * (np.log(p) - ring.log(ring.softmax(logits))), -1)
        apart = ring.mean(apart, -1)
        if forget[i]:
            return apart
        return near * apart + down * ring.cross_entropy(logits, right)

    ascents = -(-passes // 2) if ascents is None else check_count(ascents, "ascents")
    signs = np.where(forget == 1, -1.0, 1.0)
    return take_steps(originals, loss, signs, forget, passes=passes, ascents=ascents, **settings)


def matching(originals, forget, *, targets, **settings):
    """Squared error of the logits to targets, on the forget set and on what is kept.

    With the mean logits of oracles as targets this is Oracle Matching, with predictions of them
    Datamodel Matching (Georgiev et al. 2024, arXiv 2410.23232).
    """
    run = originals.run
    if not isinstance(run.initial, MicroGPT):
        raise TypeError(f"matching needs logits, as microgpt has; this is {run.initial!r}")
    if not callable(targets):
        raise TypeError(f"targets must be a function of a document, not {targets!r}")
    wanted = {}

    def error(parameters, i, rows):
        model = run.initial.with_parameters(parameters)
        read, _ = model.sequence(run.data[i])
        logits = model.logits(read)
        if i not in wanted:
            wanted[i] = _target(targets, run.data[i], (len(originals), *logits.shape[1:]))
        difference = logits - wanted[i][rows]
        return ring.mean(difference * difference, (-2, -1))

    return take_steps(originals, error, np.ones(len(run)), forget, **settings)


METHODS = {
    "nothing": nothing,
    "fine_tuning": fine_tuning,
    "ascent": ascent,
    "ascent_descent": ascent_descent,
    "scrub": scrub,
    "matching": matching,
    "first_epoch_gradients": first_epoch_gradients,
    "single_gradient": single_gradient,
}


def _on_losses(originals, forget, weight, **settings):
    run = originals.run

    def loss(parameters, i, rows):
        del rows
        return loss_of(run, parameters, i)

    return take_steps(originals, loss, np.where(forget == 1, -weight, 1.0), forget, **settings)


def _target(targets, doc, shape):
    """The targets of a document, (models, positions, tokens)."""
    found = real_array(targets(doc), f"the targets of {doc!r}").copy()  # it may be written again
    if found.shape not in (shape, shape[1:]):
        raise ValueError(
            f"the targets of {doc!r} must be finite logits of shape {shape[1:]} or {shape}, not "
            f"{found.shape}"
        )
    return np.broadcast_to(found, shape)

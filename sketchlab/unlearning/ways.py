"""What a bench sees along the way of a method: towards the oracles, or past them."""

import dataclasses
import numbers

import numpy as np

from ..arguments import check_list
from ..checks import check_choice, check_integer
from .methods import path

TINY = 1e-12  # below this a spread is none


@dataclasses.dataclass(frozen=True)
class Way:
    """Margins along the way of a method.

    stops: how many documents were shown, or the rates. steps: how many a model took, on average.
    costs: what that took, in trainings of the run, beyond the originals. margins: by part, (stops,
    models, predictions). oracles: by part, those of the oracles, (models, predictions). documents:
    by part, the number of the document that each prediction belongs to. distances: at each stop, as
    `Bench.distances` gives them, or None where models diverged. same: as oracles, of the originals'
    seeds.
    """

    stops: tuple
    steps: tuple
    costs: tuple
    margins: dict
    oracles: dict
    documents: dict
    distances: tuple
    same: dict

    def standardised(self, part, stop=None):
        """Margins in standard deviations of the oracles' from their mean, (models, predictions).

        Above 0: the letter is likelier than after retraining; far below: the method went past it.
        stop: number of the stop; None: of the oracles themselves.
        """
        oracles = self.oracles[check_choice(part, self.oracles, "part")]
        if stop is not None and not 0 <= check_integer(stop, "stop") < len(self.stops):
            raise IndexError(f"stop must be a number from 0 to {len(self.stops) - 1}, not {stop}")
        margins = oracles if stop is None else self.margins[part][stop]
        return (margins - oracles.mean(axis=0)) / np.maximum(oracles.std(axis=0), TINY)

    def missed(self, part="forget"):
        """How far each document is from its target at each stop, (stops, documents).

        That is the mean of its log-likelihood over the models less that over the oracles, in
        standard deviations of the oracles'. At the target it is 0; below, the method overshoots.
        """
        check_choice(part, self.margins, "part")
        return np.array([self._missed(part, margins) for margins in self.margins[part]])

    def missed_by_retraining(self, part="forget"):
        """The same for the retrained models of the same seeds, (documents,)."""
        return self._missed(part, self.same[check_choice(part, self.same, "part")])

    def _missed(self, part, margins):
        oracles = self._likelihoods(part, self.oracles[part])
        mean, spread = oracles.mean(axis=0), np.maximum(oracles.std(axis=0), TINY)
        return (self._likelihoods(part, margins).mean(axis=0) - mean) / spread

    def _likelihoods(self, part, margins):
        """Log-likelihoods of documents, (models, documents), in nats."""
        owners = self.documents[part] == np.arange(self.documents[part][-1] + 1)[:, None]
        return -np.logaddexp(0.0, -margins) @ owners.T


def way_of(bench, method, stops, *, progress=True, **settings):
    """The `Way` of a method on a bench. stops, settings: as in `path`."""
    stops = [stops] if isinstance(stops, numbers.Real) else check_list(stops, "stops")
    found = path(bench.originals, bench.without, method, stops, progress=progress, **settings)
    margins, oracles, same, documents = {}, {}, {}, {}
    for part, docs in bench.parts.items():
        margins[part] = np.array([models.margins(docs) for models in found])
        oracles[part] = bench.margins_of_oracles(part)
        same[part] = bench.margins_of_oracles(part, same=True)
        counts = [found[0].margins([doc]).shape[1] for doc in docs]
        documents[part] = np.repeat(np.arange(len(docs)), counts)
    distances = tuple(
        None
        if not all(np.all(np.isfinite(margins[part][number])) for part in margins)
        else bench.distances({part: margins[part][number] for part in margins})
        for number in range(len(found))
    )
    costs = tuple(models.cost - bench.originals.cost for models in found)
    steps = tuple(float(np.mean(models.steps)) for models in found)
    return Way(tuple(stops), steps, costs, margins, oracles, documents, distances, same)

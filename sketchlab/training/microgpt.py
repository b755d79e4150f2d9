"""microgpt: a small GPT over the letters of names, as in the paper.

One transformer block by default: x = rmsnorm(token + position embedding), then causal multi-head
attention and a GELU network, each reading rmsnorm(x) and adding to x; no biases, no final norm.
The code uses only `sl.ring`, so the same model runs on numbers, on batches, on jets and,
with arrays of gates for parameters, as a scalar circuit.
"""

import functools
import random
import unicodedata

import numpy as np

from ..algebra import ring
from ..arguments import check_list, check_text, takes
from ..checks import brief, check_choice, check_count, check_number_of, check_positive, check_seed
from .documents import checked, kept_aside, reach
from .models import Model
from .runs import TrainingRun

END = "<end>"  # what follows the last letter; the same token also stands before the first


class MicroGPT(Model):
    """A GPT with these parameters over these letters.

    parameters: dict of arrays or jets of shape (*batch, rows, columns), as `initial` makes them.
    vocabulary: string of the distinct letters; token i is its i-th letter, and the number
    len(vocabulary) is the token at both ends of a name.
    """

    def __init__(self, parameters, vocabulary, heads, activation="gelu"):
        self.parameters, self.vocabulary = parameters, check_text(vocabulary, "vocabulary")
        self.heads = check_count(heads, "heads")
        self.activation = check_choice(activation, ACTIVATIONS, "activation")
        if (
            not isinstance(parameters, dict)
            or not {"wte", "wpe", "lm_head"} <= set(parameters)
            or not all(len(getattr(p, "shape", ())) >= 2 for p in parameters.values())
        ):
            raise ValueError(
                "the parameters of microgpt are a dict of arrays, as MicroGPT.initial makes "
                f"them, not {brief(parameters)}"
            )
        self.layers = sum(name.endswith("attn_wq") for name in parameters)
        self.context = parameters["wpe"].shape[-2]

    @classmethod
    @takes(
        vocabulary=check_text,
        layers=check_count,
        heads=check_count,
        width=check_count,
        context=check_count,
        seed=None,
    )
    def initial(
        cls,
        vocabulary,
        *,
        layers=1,
        heads=4,
        width=16,
        context=16,
        activation="gelu",
        seed=42,
    ):
        """Random parameters, Gaussian with standard deviation 0.08, drawn row by row.

        seed: an int, or a random.Random whose stream goes on from where it is.
        """
        repeated = [letter for letter in vocabulary if vocabulary.count(letter) > 1]
        if repeated:
            raise ValueError(f"the vocabulary repeats {repeated[0]!r}: name each letter once")
        for letter in vocabulary:
            composed = unicodedata.normalize("NFC", letter)
            if composed != letter:
                raise ValueError(
                    f"the letter {letter!r} of the vocabulary is never read: documents are read in "
                    f"their composed form (NFC), where it is {composed!r}"
                )
        if width % heads:
            raise ValueError(f"width ({width}) must be a multiple of heads ({heads})")
        tokens = len(vocabulary) + 1
        shapes = {"wte": (tokens, width), "wpe": (context, width), "lm_head": (tokens, width)}
        for layer in range(layers):
            for name in ("attn_wq", "attn_wk", "attn_wv", "attn_wo"):
                shapes[f"layer{layer}.{name}"] = (width, width)
            shapes[f"layer{layer}.mlp_fc1"] = (4 * width, width)
            shapes[f"layer{layer}.mlp_fc2"] = (width, 4 * width)
        rng = seed if isinstance(seed, random.Random) else random.Random(check_seed(seed))
        parameters = {
            name: np.array([[rng.gauss(0, 0.08) for _ in range(columns)] for _ in range(rows)])
            for name, (rows, columns) in shapes.items()
        }
        return cls(parameters, vocabulary, heads, activation)

    def fresh(self, seed):
        """The same kind of model with other random parameters: see `initial`."""
        return MicroGPT.initial(
            self.vocabulary,
            layers=self.layers,
            heads=self.heads,
            width=self.parameters["wpe"].shape[-1],
            context=self.context,
            activation=self.activation,
            seed=seed,
        )

    def __repr__(self):
        return f"MicroGPT({self.layers} layers, {self.heads} heads, vocabulary {self.vocabulary!r})"

    def settings(self):
        """What besides the parameters makes the model, as JSON values."""
        return {
            "kind": "microgpt",
            "vocabulary": self.vocabulary,
            "heads": self.heads,
            "activation": self.activation,
        }

    def tokens(self, text):
        """The token numbers of a string of letters of the vocabulary.

        A letter may be typed as one character or as a letter and its accents (NFC or NFD).
        """
        if not isinstance(text, str):
            raise TypeError(f"a document must be a string, not {type(text).__name__}")
        text = unicodedata.normalize("NFC", text)
        for position, letter in enumerate(text):
            if letter not in self.vocabulary:
                raise ValueError(
                    f"unknown character {letter!r} at position {position} of {text!r}: "
                    f"the vocabulary is {self.vocabulary!r}"
                )
        return [self.vocabulary.index(letter) for letter in text]

    def logits(self, tokens):
        """Scores of the next token after each of `tokens`, shape (*batch, positions, tokens)."""
        p, positions = self.parameters, len(check_list(tokens, "tokens"))
        x = ring.add(ring.take(p["wte"], tokens, -2), ring.take(p["wpe"], range(positions), -2))
        x = ring.rmsnorm(x, RMS_EPS)
        for layer in range(self.layers):
            weights = {name: p[f"layer{layer}.{name}"] for name in BLOCK}
            x = ring.add(x, self._attention(ring.rmsnorm(x, RMS_EPS), weights))
            hidden = ACTIVATIONS[self.activation](
                ring.linear(ring.rmsnorm(x, RMS_EPS), weights["mlp_fc1"])
            )
            x = ring.add(x, ring.linear(hidden, weights["mlp_fc2"]))
        return ring.linear(x, p["lm_head"])

    def _attention(self, x, weights):
        *batch, positions, width = x.shape
        size = width // self.heads

        def by_head(name):  # (*batch, heads, positions, size)
            projected = ring.linear(x, weights[name])
            return ring.swapaxes(
                ring.reshape(projected, (*batch, positions, self.heads, size)), -2, -3
            )

        query, key, value = (by_head(name) for name in ("attn_wq", "attn_wk", "attn_wv"))
        causal = _causal(positions)
        scores = ring.multiply(ring.linear(query, key), size**-0.5)
        attention = ring.softmax(scores, where=causal)
        mixed = ring.swapaxes(ring.matmul(attention, value), -2, -3)
        return ring.linear(ring.reshape(mixed, (*batch, positions, width)), weights["attn_wo"])

    def losses(self, docs):
        """Losses of several documents in nats, shape (*batch, len(docs))."""
        docs = check_list(docs, "docs")
        if not docs:
            raise ValueError("there are no documents to take losses of: give one or more")
        return ring.concatenate([self.loss(doc)[..., None] for doc in docs], -1)

    def loss(self, doc):
        """Mean of -log p(next letter) over the document's first `context` positions, in nats.

        Shape (*batch,). Raises ValueError for an empty document or an unknown character.
        """
        inputs, targets = self.sequence(doc)
        return ring.cross_entropy(self.logits(inputs), targets)

    def sequence(self, doc):
        """The tokens that a document is read by, and what is to follow each: two equal lists."""
        tokens = self.tokens(doc)
        if not tokens:
            raise ValueError("a document must have at least one letter; this one is empty")
        end = len(self.vocabulary)
        sequence = [end, *tokens, end][: self.context + 1]
        return sequence[:-1], sequence[1:]

    def next_probs(self, prefix=""):
        """Probability of each letter, and of `END`, after a prefix: a dict over the vocabulary.

        The values are numbers, or arrays over the batch, or jets.
        """
        tokens = [len(self.vocabulary), *self.tokens(prefix)]
        if len(tokens) > self.context:
            raise ValueError(
                f"the prefix has {len(tokens) - 1} letters; the model reads at most "
                f"{self.context - 1}"
            )
        probabilities = ring.softmax(self.logits(tokens)[..., -1, :])
        return {letter: probabilities[..., i] for i, letter in enumerate([*self.vocabulary, END])}

    @takes(k=check_number_of, temperature=check_positive, seed=None)
    def sample(self, k, seed=0, *, temperature=0.5):
        """Draw k names letter by letter; a lower temperature keeps closer to the likeliest.

        seed: an integer, or a tuple of some.
        """
        seed = [check_seed(s) for s in seed] if isinstance(seed, tuple) else check_seed(seed)
        if not isinstance(self.parameters["wte"], np.ndarray) or self.parameters["wte"].ndim != 2:
            raise TypeError("sampling needs a single model of numbers, not a batch or jets")
        rng = np.random.default_rng(seed)
        names = []
        for _ in range(k):
            tokens = [len(self.vocabulary)]
            while len(tokens) <= self.context:
                scores = self.logits(tokens)[-1] / temperature
                tokens.append(int(rng.choice(len(scores), p=ring.softmax(scores))))
                if tokens[-1] == len(self.vocabulary):
                    break
            names.append(
                "".join(self.vocabulary[t] for t in tokens[1:] if t < len(self.vocabulary))
            )
        return names


@functools.cache
def _causal(positions):
    """Whether a position, by row, looks at another, by column: none looks ahead."""
    return np.tri(positions, dtype=bool)


RMS_EPS = 1e-5
ACTIVATIONS = {"gelu": ring.gelu, "relu": ring.relu}
BLOCK = ("attn_wq", "attn_wk", "attn_wv", "attn_wo", "mlp_fc1", "mlp_fc2")


class MicroGPTRun(TrainingRun):
    """A training run of microgpt: also answers for its trained model."""

    def next_probs(self, prefix=""):
        """See `MicroGPT.next_probs`."""
        return self.model.next_probs(prefix)

    def sample(self, k, seed=0, *, temperature=0.5):
        """See `MicroGPT.sample`."""
        return self.model.sample(k, seed, temperature=temperature)


@takes(steps=check_count, seed=None)
def train(
    docs,
    steps=None,
    seed=42,
    *,
    vocabulary=None,
    layers=1,
    heads=4,
    width=16,
    context=16,
    activation="gelu",
    optimizer=None,
    held_out=(),
    progress=True,
):
    """Train microgpt on documents, one per step, in the order given; returns a TrainingRun.

    docs: a sequence of non-empty strings, kept in their composed form (NFC). steps: default one
    pass. seed: int (or random.Random) for the initial parameters. vocabulary: default the sorted
    characters of the documents, and of those held out.
    context: letters that are read of a document, its start included, or "longest", so that none is
    cut; a warning says how many are.
    held_out: documents to keep aside and ask about, `run.held_out`: a list of others, or a share of
    the documents, such as 0.1, drawn with the seed and taken out of them.
    activation: "gelu", or "relu" (which is not analytic at 0, see notebook 07).
    optimizer: default `Adam()`, the paper's.
    """
    docs, held_out = kept_aside(checked(docs), held_out, seed)
    if vocabulary is None:
        vocabulary = "".join(sorted(set("".join([*docs, *held_out]))))
    context = reach([*docs, *held_out], context)
    model = MicroGPT.initial(
        vocabulary,
        layers=layers,
        heads=heads,
        width=width,
        context=context,
        activation=activation,
        seed=seed,
    )
    for doc in [*docs, *held_out]:
        model.tokens(doc)
    settings = {"optimizer": optimizer, "steps": steps, "held_out": held_out, "progress": progress}
    return MicroGPTRun(model, docs, **settings)

"""microgpt: the array model against plain loops, scalar circuits, and Cauchy's formula."""

import itertools
import math

import numpy as np
import pytest

import sketchlab as sl
from sketchlab.algebra.circuits import Circuit, input_array
from sketchlab.training.microgpt import END, MicroGPT

from conftest import LETTERS, cauchy_coefficients, complex_directions


def loss_by_loops(model, doc):
    """The model written out with Python floats, one number at a time."""
    p = {name: value.tolist() for name, value in model.parameters.items()}
    end = len(model.vocabulary)
    tokens = [end, *map(model.vocabulary.index, doc), end][: model.context + 1]

    def linear(x, rows):
        return [sum(a * b for a, b in zip(x, row, strict=True)) for row in rows]

    def normed(x):
        scale = (sum(a * a for a in x) / len(x) + 1e-5) ** -0.5
        return [a * scale for a in x]

    def softmax(x):
        weights = [math.exp(a - max(x)) for a in x]
        return [w / sum(weights) for w in weights]

    keys = [[] for _ in range(model.layers)]
    values = [[] for _ in range(model.layers)]
    losses = []
    for position, (token, target) in enumerate(itertools.pairwise(tokens)):
        x = [a + b for a, b in zip(p["wte"][token], p["wpe"][position], strict=True)]
        x = normed(x)
        size = len(x) // model.heads
        for layer in range(model.layers):
            h = normed(x)
            query, key, value = (
                linear(h, p[f"layer{layer}.attn_w{name}"]) for name in ("q", "k", "v")
            )
            keys[layer].append(key)
            values[layer].append(value)
            mixed = []
            for head in range(model.heads):
                at = range(head * size, (head + 1) * size)
                scores = [sum(query[i] * k[i] for i in at) / size**0.5 for k in keys[layer]]
                weights = softmax(scores)
                mixed += [
                    sum(w * v[i] for w, v in zip(weights, values[layer], strict=True)) for i in at
                ]
            x = [a + b for a, b in zip(x, linear(mixed, p[f"layer{layer}.attn_wo"]), strict=True)]
            h = linear(normed(x), p[f"layer{layer}.mlp_fc1"])
            h = [0.5 * a * (1 + math.erf(a / math.sqrt(2))) for a in h]
            x = [a + b for a, b in zip(x, linear(h, p[f"layer{layer}.mlp_fc2"]), strict=True)]
        losses.append(-math.log(softmax(linear(x, p["lm_head"]))[target]))
    return sum(losses) / len(losses)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"layers": 2, "heads": 2, "width": 6, "context": 5},
        {"layers": 3, "heads": 1, "width": 4},
    ],
)
@pytest.mark.parametrize("doc", ["a", "emma", "maximiliano", "wolfeschlegelsteinhausen"])
def test_loss_equals_the_loops(settings, doc):
    """Also with several layers, other widths, and names longer than the context."""
    model = MicroGPT.initial(LETTERS, **settings)
    assert model.loss(doc) == pytest.approx(loss_by_loops(model, doc), rel=1e-12)


def test_initial_parameters_have_the_papers_shapes():
    """4192 numbers, in the paper's order, drawn row by row."""
    parameters = MicroGPT.initial(LETTERS).parameters
    assert sum(value.size for value in parameters.values()) == 4192
    assert list(parameters)[:3] == ["wte", "wpe", "lm_head"]
    assert parameters["layer0.mlp_fc1"].shape == (64, 16)


def test_the_scalar_circuit_computes_the_same_loss_and_gradient():
    """The model's own code on arrays of gates: value and gradient equal the array version."""
    model = MicroGPT.initial("abc", layers=1, heads=2, width=4, context=4)
    gates = {name: input_array(name, value.shape) for name, value in model.parameters.items()}
    circuit = Circuit(
        model.with_parameters(gates).loss("cab"), [g for a in gates.values() for g in a.ravel()]
    )
    flat = np.concatenate([value.ravel() for value in model.parameters.values()])
    value, gradient = circuit.value_and_gradient(*flat)
    assert value == pytest.approx(model.loss("cab"), rel=1e-12)
    arrays = sl.ring_grad(lambda p: model.with_parameters(p).loss("cab"))(model.parameters)
    expected = np.concatenate([value.ravel() for value in arrays.values()])
    np.testing.assert_allclose(np.array(gradient, float), expected, atol=1e-12)


def test_jets_through_training_agree_with_cauchy(small_run):
    """Forty Adam steps on names, along random complex directions, for two outputs."""
    psi = complex_directions(3, 30)
    pushed = small_run.push(psi, 6, progress=False)
    jets = pushed.loss("max"), pushed.next_probs("ma")["x"]
    assert jets[0].coefficients.shape == (7, 3)

    def outputs(z):
        model = small_run.retrain(down_weights=z * psi, progress=False)
        return np.array([model.loss("max"), model.next_probs("ma")["x"]])

    expected = cauchy_coefficients(outputs, 6, radius=0.5, points=64)
    for i, jet in enumerate(jets):
        scale = np.abs(expected[:, i]).max(axis=1)
        error = np.abs(jet.coefficients - expected[:, i]).max(axis=1)
        assert np.all(error < 1e-8 * scale), error / scale


def test_batches_numbers_and_jets_agree(small_run):
    """Single, batch, degree 0 and the constant coefficient of degree 6: the same losses."""
    psi = complex_directions(2, 30)
    alone = small_run.loss("emma")
    batch = small_run.retrain(down_weights=np.zeros((3, 30)), progress=False).loss("emma")
    np.testing.assert_allclose(batch, alone, rtol=1e-10)
    for degree in (0, 6):
        jet = small_run.push(psi, degree, progress=False).loss("emma")
        np.testing.assert_allclose(jet.coefficients[0], alone, rtol=1e-10)


def test_probabilities_explain_the_loss(small_run):
    """The loss of a name is the mean of -log of the probabilities along it."""
    steps = [small_run.next_probs("max"[:i])[letter] for i, letter in enumerate([*"max", END])]
    assert small_run.loss("max") == pytest.approx(-np.mean(np.log(steps)), rel=1e-12)
    assert sum(small_run.next_probs("ma").values()) == pytest.approx(1.0, rel=1e-12)


def test_probabilities_of_batches_and_jets(small_run):
    """Their values have the shape of the batch, or are jets."""
    batch = small_run.retrain(down_weights=np.zeros((3, 30)), progress=False)
    assert batch.next_probs("a")["b"].shape == (3,)
    jet = small_run.push(complex_directions(2, 30), 2, progress=False).next_probs("a")["b"]
    assert jet.coefficients.shape == (3, 2)


def test_samples_are_reproducible(small_run):
    """The seed decides; samples fit the context and the vocabulary."""
    names = small_run.sample(20, seed=1)
    assert names == small_run.sample(20, seed=1) != small_run.sample(20, seed=2)
    assert all(set(name) <= set(LETTERS) and len(name) <= 16 for name in names)


def test_samples_follow_the_probabilities(small_run):
    """First letters at temperature 1: chi-squared below its 99.9% quantile."""
    from scipy import stats

    names = small_run.sample(600, seed=3, temperature=1.0)
    expected = np.array(list(small_run.next_probs("").values())) * len(names)
    counts = np.array([sum(n[:1] == c for n in names) for c in LETTERS] + [names.count("")])
    chi2 = np.sum((counts - expected) ** 2 / expected)
    assert chi2 < stats.chi2.ppf(0.999, df=len(expected) - 1)


def test_training_lowers_the_loss(small_run):
    """The trained model is better on its data than the initial one."""
    losses = [
        np.mean([model.loss(doc) for doc in small_run.data])
        for model in (small_run.initial, small_run.model)
    ]
    assert losses[1] < losses[0] - 0.2


def test_seed_and_order_decide_the_run():
    """The same call gives the same model; another seed another."""
    docs = sl.names.load()[:6]
    first, again, other = (sl.train(docs, seed=s, progress=False).loss("ana") for s in (1, 1, 2))
    assert first == again != other


def test_a_name_is_the_same_in_both_forms_of_unicode():
    """Trained on, asked for and continued, with é as one character or as e and its accent."""
    composed, parts = ["zo\u00e9", "ren\u00e9", "ana"], ["zoe\u0301", "rene\u0301", "ana"]
    first, second = (sl.train(docs, progress=False) for docs in (composed, parts))
    assert first.data == second.data and first.model.vocabulary == second.model.vocabulary
    assert first.fingerprint() == second.fingerprint()
    assert first.loss("zoe\u0301") == second.loss("zo\u00e9") == first.loss("zo\u00e9")
    assert first.next_probs("re\u0301") == first.next_probs("r\u00e9")


def test_an_accent_without_a_composed_form_is_a_letter_of_its_own():
    """x with a circumflex stays two characters, in training and in a loss."""
    run = sl.train(["x\u0302a", "ax"], progress=False)
    assert run.model.vocabulary == "ax\u0302" and np.isfinite(run.loss("x\u0302"))


def test_a_letter_that_is_never_read_is_refused():
    """The sign of angstrom is read as the letter with a ring."""
    with pytest.raises(ValueError, match=r"is never read.*composed form"):
        sl.train(["a"], vocabulary="a\u212b", progress=False)


BAD_DOCS = [
    ([], ValueError, "no documents"),
    ("abc", TypeError, "documents must be a list of strings, not str"),
    (b"abc", TypeError, "documents must be a list of strings, not bytes"),
    (3, TypeError, "documents must be a list of strings, not int"),
    ([b"ana"], TypeError, "document 0 must be a string, not bytes"),
    (["ana", ""], ValueError, "document 1 is empty"),
    (["ana", 3], TypeError, "document 1 must be a string, not int"),
]


@pytest.mark.parametrize(("docs", "error", "message"), BAD_DOCS)
def test_train_refuses_bad_documents(docs, error, message):
    """No documents, empty ones, and other things than strings."""
    with pytest.raises(error, match=message):
        sl.train(docs, progress=False)


def test_unknown_characters_are_named_with_their_position(small_run):
    """In training, in a loss and in a prefix."""
    with pytest.raises(ValueError, match=r"unknown character 'é' at position 2 of 'zoé'"):
        small_run.loss("zoé")
    with pytest.raises(ValueError, match=r"unknown character ' ' at position 0"):
        small_run.next_probs(" ")
    with pytest.raises(ValueError, match=r"unknown character 'n' at position 1"):
        sl.train(["aa", "an"], vocabulary="a", progress=False)


def test_other_bad_input(small_run):
    """Empty names, long prefixes, wrong types and sizes: each with a message that helps."""
    with pytest.raises(ValueError, match="at least one letter"):
        small_run.loss("")
    with pytest.raises(TypeError, match="must be a string, not int"):
        small_run.loss(5)
    with pytest.raises(ValueError, match="prefix has 16 letters; the model reads at most 15"):
        small_run.next_probs("a" * 16)
    with pytest.raises(ValueError, match=r"width \(16\) must be a multiple of heads \(3\)"):
        sl.train(["ana"], heads=3)
    with pytest.raises(ValueError, match="layers must be an integer, 1 or higher"):
        sl.train(["ana"], layers=0)
    batch = small_run.retrain(down_weights=np.zeros((2, 30)), progress=False)
    with pytest.raises(TypeError, match="single model of numbers"):
        batch.sample(1)
    for k in (-1, 1.5):
        with pytest.raises(ValueError, match=r"^k"):
            small_run.sample(k)
    with pytest.raises(ValueError, match="temperature must be"):
        small_run.sample(1, temperature=0)
    with pytest.raises(ValueError, match="vocabulary repeats 'a'"):
        sl.train(["aa"], vocabulary="aba")


def test_relu_is_exact_where_nothing_crosses_its_kink():
    """Gradients by finite differences; jets through a short training by Cauchy's formula."""
    run = sl.train(sl.names.load()[:3], activation="relu", vocabulary=LETTERS, progress=False)
    gradient = sl.ring_grad(lambda p: run.model.with_parameters(p).loss("max"))(
        run.model.parameters
    )
    w, h = run.model.parameters["layer0.mlp_fc1"], np.zeros((64, 16))
    h[5, 3] = 1e-6
    losses = [
        run.model.with_parameters({**run.model.parameters, "layer0.mlp_fc1": w + step}).loss("max")
        for step in (-h, h)
    ]
    assert gradient["layer0.mlp_fc1"][5, 3] == pytest.approx(
        (losses[1] - losses[0]) / 2e-6, abs=1e-7
    )
    jet = run.push(np.eye(3), 2, progress=False).loss("max")
    small = run.retrain(down_weights=1e-4 * np.eye(3), progress=False).loss("max")
    np.testing.assert_allclose(jet(1e-4), small, rtol=1e-9)


def test_an_unknown_activation_is_refused():
    """Only what `ring` has."""
    with pytest.raises(ValueError, match="activation must be one of gelu, relu, not 'tanh'"):
        sl.train(["ana"], activation="tanh")

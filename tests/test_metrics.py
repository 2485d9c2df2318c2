"""Metrics, set-up and the machinery of the exercise checks."""

import math
import subprocess
import sys

import numpy as np
import pytest
import torch

import course_lib
from course_lib import checks, languages, metrics


def test_cross_entropy_averages_over_tokens_not_sequences():
    log_probs = [np.log([0.5, 0.25]), np.log([0.125])]
    assert metrics.cross_entropy(log_probs) == pytest.approx(math.log(2) * 6 / 3)
    assert metrics.perplexity(log_probs) == pytest.approx(4)
    assert metrics.bits_per_character(log_probs, 12) == pytest.approx(0.5)


@pytest.mark.parametrize("bad", [[], [np.array([])], [np.array([0.1])], [np.array([math.nan])]])
def test_cross_entropy_refuses_what_is_no_log_probability(bad):
    with pytest.raises(ValueError, match="log"):
        metrics.cross_entropy(bad)


@pytest.mark.parametrize("bad", [[], [np.array([0.1])], [np.array([math.nan])]])
def test_the_other_metrics_refuse_it_too(bad):
    with pytest.raises(ValueError, match="log"):
        metrics.bits_per_character(bad, 3)
    with pytest.raises(ValueError, match="log"):
        metrics.excess_by_class(languages.agree(), [["the", "cow", "eats"]], bad)


def test_an_impossible_token_costs_infinitely_much():
    assert metrics.cross_entropy([np.array([-1.0, -math.inf])]) == math.inf


def test_extremes_give_infinity_or_an_error():
    assert metrics.perplexity([np.array([-800.0])]) == math.inf
    with pytest.raises(ValueError, match="no document"):
        metrics.excess_by_class(languages.farm(), [], [])


def test_bits_per_character_needs_characters():
    with pytest.raises(ValueError, match="characters=0"):
        metrics.bits_per_character([np.array([-1.0])], 0)


def test_excess_is_zero_for_the_truth_and_sums_to_the_difference():
    farm = languages.farm()
    documents = farm.sample(30, np.random.default_rng(0))
    true = [farm.token_log_probs(d) for d in documents]
    assert all(abs(x) < 1e-12 for x in metrics.excess_by_class(farm, documents, true).values())
    model = [lp - 0.5 for lp in true]
    split = metrics.excess_by_class(farm, documents, model)
    assert sum(split.values()) == pytest.approx(0.5)
    with pytest.raises(ValueError, match="document 0 has"):
        metrics.excess_by_class(farm, documents[:1], [true[0][:-1]])


@pytest.mark.parametrize(
    ("name", "value"), [("COURSE_LIB_SEED", "lucky"), ("COURSE_LIB_SEED", "-1"), ("COURSE_LIB_THREADS", "0")]
)
def test_a_bad_seed_or_thread_count_is_named(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match=name):
        course_lib.setup()


def test_the_seed_reaches_every_generator(monkeypatch):
    monkeypatch.setenv("COURSE_LIB_SEED", "3")
    assert course_lib.setup() == 3
    three = course_lib.generator(1).random(4)
    assert np.array_equal(three, course_lib.generator(1).random(4))
    assert not np.array_equal(three, course_lib.generator(2).random(4))
    monkeypatch.delenv("COURSE_LIB_SEED")
    assert course_lib.setup() == 0
    assert not np.array_equal(three, course_lib.generator(1).random(4))


def test_importing_the_package_is_cheap():
    heavy = ("torch", "matplotlib", "scipy", "pooch")
    code = f"import sys, course_lib; print([m for m in {heavy} if m in sys.modules])"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )


class Impostor:
    """Equal to everything, as far as == is asked."""

    def __eq__(self, other):
        return True

    def __float__(self):
        return 1.0


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda x: Impostor(), "Impostor is no number"),
        (lambda x: 1 / 0, "ZeroDivisionError"),
        (lambda x: None, "it should be"),
        (lambda x: math.nan, "return nan"),
        (lambda x: [x, x], "it should be"),
        (lambda x: str(x), "it should be"),
        (lambda x: 2 * x + 1, "forgot to take one off"),
    ],
)
def test_a_check_names_what_is_wrong(answer, message):
    result = checks.compare(
        answer, lambda x: 2 * x, [(1.0,), (3.0,)], {"you forgot to take one off": lambda x: 2 * x + 1}
    )
    assert not result and message in repr(result)


@pytest.mark.parametrize(
    "answer",
    [lambda x: 2 * x, lambda x: np.float64(2 * x), lambda x: np.array(2.0 * x), lambda x: int(2 * x)],
)
def test_a_right_answer_passes_in_any_numeric_type(answer):
    assert checks.compare(answer, lambda x: 2 * x, [(1.0,), (3.0,)])


def test_arrays_and_lists_compare_by_value_and_shape():
    right = lambda: np.array([[1.0, 2.0]])  # noqa: E731
    assert checks.compare(lambda: [[1, 2.0]], right, [()])
    for wrong in ([1.0, 2.0], [[1.0, 2.0, 3.0]], [[1.0], [2.0]], [[1.0, 2.1]]):
        assert not checks.compare(lambda wrong=wrong: wrong, right, [()])
    assert not checks.compare(lambda: {"a": 1.0}, lambda: {"a": 1.0, "b": 0.0}, [()])


def test_masked_cross_entropy_averages_over_what_is_not_padding():
    logits = torch.tensor(np.random.default_rng(0).normal(size=(2, 3, 5)), requires_grad=True)
    targets = torch.tensor([[4, 1, 2], [3, 0, 0]])
    p = np.exp(logits.detach().numpy())
    p /= p.sum(-1, keepdims=True)
    by_hand = -np.mean([math.log(p[b, t, targets[b, t]]) for b, t in ((0, 0), (0, 1), (0, 2), (1, 0))])
    loss = metrics.masked_cross_entropy(logits, targets)
    assert loss.item() == pytest.approx(by_hand, abs=1e-12)
    loss.backward()
    assert (logits.grad[1, 1:] == 0).all() and (logits.grad[0] != 0).all()
    other = metrics.masked_cross_entropy(logits, targets, ignore=4)
    assert other.item() != pytest.approx(by_hand)


def test_masked_cross_entropy_with_huge_logits_is_finite_and_bad_input_is_named():
    assert metrics.masked_cross_entropy(torch.tensor([[1000.0, 0.0]]), torch.tensor([1])).item() == 1000
    with pytest.raises(ValueError, match=r"all 6 targets are padding \(id 0\)"):
        metrics.masked_cross_entropy(torch.zeros(2, 3, 5), torch.zeros(2, 3, dtype=torch.long))
    with pytest.raises(ValueError, match=r"\(2, 3, 5\).*\(3, 2\)"):
        metrics.masked_cross_entropy(torch.zeros(2, 3, 5), torch.ones(3, 2, dtype=torch.long))

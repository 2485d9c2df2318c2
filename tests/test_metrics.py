"""Metrics, set-up and the machinery of the exercise checks."""

import math
import subprocess
import sys
from collections import Counter, namedtuple
from fractions import Fraction

import numpy as np
import pytest
import sacrebleu
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
    heavy = ("torch", "matplotlib", "scipy", "pooch", "sacrebleu")
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
    [lambda x: 2 * x, lambda x: np.float64(2 * x), lambda x: np.array(2.0 * x), lambda x: int(2 * x),
     lambda x: np.array([[2.0 * x]]), lambda x: Fraction(int(x), 1) * 2],
)
def test_a_right_answer_passes_in_any_numeric_type(answer):
    assert checks.compare(answer, lambda x: 2 * x, [(1.0,), (3.0,)])


def told(answer, right, **options):
    """What the check says of a value, where another one is right."""
    result = checks.compare(lambda *_: answer, lambda *_: right, [("the case",)], **options)
    assert not result
    return result.message


def test_a_small_difference_is_shown_with_the_digits_that_it_needs():
    message = told(1 / 3 + 1e-7, 1 / 3, tolerance=1e-8)
    assert "0.333333433333333" in message and "0.333333333333333" in message


def test_of_a_long_answer_the_first_place_that_differs_is_shown():
    right = np.arange(200.0).reshape(20, 10)
    wrong = right + np.eye(20, 10, k=-7) / 2
    assert told(wrong, right).startswith("at [7][0] you return 70.5, but it should be 70, for 'the case'")
    assert told(wrong[:, :9], right).startswith("at [0] you return 9 values, but there should be 10")
    assert told({"a": right, "b": wrong}, {"a": right, "b": right}).startswith("at ['b'][7][0] you return 70.5")
    assert told([*range(19), 0.5], list(range(20))).startswith("at [19] you return 0.5, but it should be 19")
    long = checks.compare(lambda x: x, lambda x: x + 1, [(right,)])
    assert len(long.message) < 400


def test_a_check_without_arguments_speaks_of_no_case():
    assert checks.compare(lambda: 1.0, lambda: 2.0, [()]).message == "you return 1, but it should be 2."
    assert checks.compare(lambda: 1 / 0, lambda: 2.0, [()]).message.endswith("division by zero.")
    long = list(range(99))
    assert checks.compare(lambda: [*long, 1], lambda: [*long, 2], [()]).message.endswith("but it should be 2.")


def test_a_function_that_changes_its_input_is_compared_on_what_it_was_given():
    def doubled(x):
        x *= 2
        return x

    shared = np.ones(3)
    assert checks.compare(doubled, lambda x: 2 * x, [(shared,), (shared,)])
    for argument, of in ((torch.ones(3), lambda x: x), ((1, [np.ones(3)]), lambda x: x[1][0]),
                         ({"x": np.ones(3)}, lambda x: x["x"])):  # fmt: skip
        assert checks.compare(lambda x, of=of: doubled(of(x)), lambda x, of=of: 2 * of(x), [(argument,)] * 2)
    result = checks.compare(doubled, lambda x: 4 * x, [(shared,)], {"once more": lambda x: 2 * x})
    assert result.message == "once more" and shared.tolist() == [1, 1, 1]
    checks.compare(doubled, lambda x: 2 * x, [(shared,)], lend=True)
    assert shared.tolist() == [2, 2, 2]


def test_the_line_of_a_cell_where_it_stopped_is_named():
    namespace = {}
    exec(compile("def answer(x):\n    y = x\n    return y / 0", "ipykernel_7/123.py", "exec"), namespace)
    result = checks.compare(namespace["answer"], lambda x: x, [(1.0,)])
    assert "ZeroDivisionError: float division by zero (line 3 of the cell), for 1" in result.message


def test_truth_values_strings_and_what_lists_are_made_of():
    positive = lambda x: x > 0  # noqa: E731
    for right in (lambda x: np.float64(x) > 0, lambda x: torch.tensor(x) > 0, lambda x: int(x > 0)):
        assert checks.compare(right, positive, [(1.0,), (-1.0,)])
    assert not checks.compare(lambda x: np.float64(x) < 0, positive, [(1.0,), (-1.0,)])
    assert checks.compare(lambda: np.array(["a", "b"])[0], lambda: "a", [()])
    assert checks.compare(lambda: np.array(["a", "b"]), lambda: ["a", "b"], [()])
    assert "for [(1, 2), (3, 4)] you" in checks.compare(len, lambda x: 3, [([(1, 2), (3, 4)],)]).message
    pair = namedtuple("pair", "mean spread")
    for answer in (pair(1, 2), torch.nn.Parameter(torch.tensor([1.0, 2.0]))):
        assert checks.compare(lambda answer=answer: answer, lambda: [1.0, 2.0], [()])
    assert checks.compare(lambda: np.ones((1, 2)).view(np.matrix), lambda: [[1.0, 1.0]], [()])
    assert "MaskedArray is no number" in told(np.ma.array([1.0, 2.0], mask=[0, 1]), [1.0, 2.0])


def test_arrays_and_lists_compare_by_value_and_shape():
    right = lambda: np.array([[1.0, 2.0]])  # noqa: E731
    assert checks.compare(lambda: [[1, 2.0]], right, [()])
    for wrong in ([1.0, 2.0], [[1.0, 2.0, 3.0]], [[1.0], [2.0]], [[1.0, 2.1]]):
        assert not checks.compare(lambda wrong=wrong: wrong, right, [()])
    assert not checks.compare(lambda: {"a": 1.0}, lambda: {"a": 1.0, "b": 0.0}, [()])
    for wrong, whole in (([[1.0], [2.0]], [1.0, 2.0]), (1.0, [1.0]), ([1.0, 1.0], 1.0), ([], 1.0)):
        assert not checks.compare(lambda wrong=wrong: wrong, lambda whole=whole: whole, [()])


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


# ---- Translations ------------------------------------------------------------------------------------------------


def bleu_by_hand(hypotheses, references):
    """BLEU from its definition, for a corpus in which every n-gram order has a match."""
    grams = lambda words, n: Counter(zip(*(words[i:] for i in range(n)), strict=False))  # noqa: E731
    log_p = 0.0
    for n in range(1, 5):
        matches = sum((grams(h, n) & grams(r, n)).total() for h, r in zip(hypotheses, references, strict=True))
        log_p += math.log(matches / sum(grams(h, n).total() for h in hypotheses)) / 4
    c, r = sum(map(len, hypotheses)), sum(map(len, references))
    return 100 * min(1, math.exp(1 - r / c)) * math.exp(log_p)


def split(*sentences):
    return [s.split() for s in sentences]


def test_bleu_of_a_perfect_translation_is_100():
    assert metrics.bleu(split("a b c d", "e f"), split("a b c d", "e f")) == pytest.approx(100)


def test_bleu_brevity_penalty_by_hand():
    short = metrics.bleu(split("a b c d e"), split("a b c d e f g h"))  # all right as far as it goes
    assert short == pytest.approx(100 * math.exp(1 - 8 / 5))
    long = metrics.bleu(split("a b c d e f g h"), split("a b c d e"))  # no penalty, but the precisions fall
    assert long == pytest.approx(100 * (5 / 8 * 4 / 7 * 3 / 6 * 2 / 5) ** 0.25)


def test_bleu_brevity_is_that_of_the_corpus():
    """One hypothesis too short and one too long: as many words as the references have, so no penalty."""
    hypotheses, references = split("a b c d", "e f g h i x"), split("a b c d y", "e f g h i")
    assert metrics.bleu(hypotheses, references) == pytest.approx(100 * (9 / 10 * 7 / 8 * 5 / 6 * 3 / 4) ** 0.25)


def test_bleu_clips_by_hand():
    """Of "the the the the the the the" two words count, since the reference has two; no bigram does, and so on."""
    score = metrics.bleu(split("the the the the the the the"), split("the cat is on the mat ."))
    halves = 1 / 2 / 6 * 1 / 4 / 5 * 1 / 8 / 4
    assert score == pytest.approx(100 * (2 / 7 * halves) ** 0.25)
    clipped = metrics.bleu(split("a b c d a b c d"), split("a b c d x x x x"))
    assert clipped == pytest.approx(100 * (4 / 8 * 3 / 7 * 2 / 6 * 1 / 5) ** 0.25)


def test_bleu_against_its_definition_and_sacrebleu():
    rng = np.random.default_rng(0)
    references = [[f"w{i}" for i in rng.integers(0, 20, size=rng.integers(1, 15))] for _ in range(60)]
    hypotheses = [[w if rng.random() < 0.8 else "x" for w in r if rng.random() < 0.9] for r in references]
    score = metrics.bleu(hypotheses, references)
    assert 10 < score < 90 and score == pytest.approx(bleu_by_hand(hypotheses, references), abs=1e-9)
    lines = [[" ".join(words) for words in sentences] for sentences in (hypotheses, references)]
    theirs = sacrebleu.corpus_bleu(lines[0], [lines[1]], tokenize="none", force=True).score
    assert score == pytest.approx(theirs, abs=1e-12)


def test_bleu_takes_the_words_as_they_are():
    """Capitals and full stops are not touched, and a full stop at the end brings no warning."""
    one_wrong = 100 * (4 / 5 * 3 / 4 * 2 / 3 * 1 / 2) ** 0.25
    assert metrics.bleu(split("A b c d ."), split("a b c d .")) == pytest.approx(one_wrong)
    assert metrics.bleu(split("a b c d e."), split("a b c d f")) == pytest.approx(one_wrong)
    assert metrics.bleu(split("a b c d e."), split("a b c d e .")) == pytest.approx(one_wrong * math.exp(-0.2))


def test_bleu_at_its_edges():
    assert metrics.bleu([[]], split("a b c d")) == 0
    assert metrics.bleu(split("x y z x"), split("a b c d")) == 0
    assert metrics.bleu(split("a b"), split("a b")) == 0  # no four words, so no four-gram
    assert metrics.bleu([[], *split("a b c d")], split("x y", "a b c d")) == pytest.approx(100 * math.exp(1 - 6 / 4))


def test_bleu_bad_input_is_named():
    for message, hypotheses, references in (
        ("0 hypotheses and 0 references", [], []),
        ("2 hypotheses and 1 references", split("a", "b"), split("a")),
        ("a reference is empty", split("a b"), [[]]),
    ):
        with pytest.raises(ValueError, match=message):
            metrics.bleu(hypotheses, references)
    for hypotheses, references in ((["a b"], split("a b")), (split("a b"), ["a b"])):
        with pytest.raises(TypeError, match="'a b' is a string"):
            metrics.bleu(hypotheses, references)


def test_alignment_error_rate_by_hand():
    gold = [{(0, 0), (1, 2), (2, 1)}, {(0, 0)}]
    assert metrics.alignment_error_rate(gold, gold) == 0
    assert metrics.alignment_error_rate([{(0, 1)}, {(1, 1)}], gold) == 1
    # 2 of 3 predicted links are right, and 4 are gold: 1 - 2 * 2 / (3 + 4)
    predicted = [((0, 0), (1, 2)), [(1, 0)]]
    assert metrics.alignment_error_rate(predicted, gold) == pytest.approx(3 / 7)
    assert metrics.alignment_error_rate([set(), set()], gold) == 1
    twice = [[(0, 0), (0, 0), (1, 2)], [(1, 0)]]  # a link is a link, however often it is given
    assert metrics.alignment_error_rate(twice, gold) == pytest.approx(3 / 7)


def test_alignment_error_rate_bad_input_is_named():
    for message, predicted, gold in (
        ("0 predicted alignments and 0 gold", [], []),
        ("1 predicted alignments and 2 gold", [{(0, 0)}], [{(0, 0)}, {(0, 0)}]),
        ("no link", [set()], [set()]),
    ):
        with pytest.raises(ValueError, match=message):
            metrics.alignment_error_rate(predicted, gold)

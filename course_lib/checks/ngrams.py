"""Checks for the exercises of the chapter on n-gram models."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Callable

import numpy as np

from course_lib.checks import Result, compare
from course_lib.tokens import BOS, EOS

FARM = [
    s.split() for s in ("cows eat grass", "cows eat corn", "mules eat grass now", "cows sleep", "eat", "cows eat grass")
]
REPEATS = ["cows eat what cows eat".split()]


class _NoChoice(np.random.Generator):
    """A generator that leaves ``choice`` to the reader."""

    def choice(self, *args, **kwargs):
        raise TypeError("rng.choice is what you are asked to write: do without it")


def count_ngrams(answer: Callable) -> Result:
    """``answer(sentences, n)`` -> {n-gram as a tuple: count}, with n - 1 start marks and one end mark a sentence."""

    def padded(starts, ends):
        def f(sentences, n):
            marked = [[BOS] * starts(n) + s + [EOS] * ends(n) for s in sentences]
            return dict(Counter(tuple(s[i : i + n]) for s in marked for i in range(len(s) - n + 1)))

        return f

    def one_stream(sentences, n):
        stream = [w for s in sentences for w in [BOS] * (n - 1) + s + [EOS]]
        return dict(Counter(tuple(stream[i : i + n]) for i in range(len(stream) - n + 1)))

    right = padded(lambda n: n - 1, lambda n: 1)
    mistakes = {
        "the start and end marks are missing: put n - 1 BOS before and one EOS after each sentence.": padded(
            lambda n: 0, lambda n: 0
        ),
        "the start marks are missing: the first word needs n - 1 of them before it.": padded(lambda n: 0, lambda n: 1),
        "no n-gram has the end mark, so the model can never stop: put it there, and let the loop reach it.": padded(
            lambda n: n - 1, lambda n: 0
        ),
        "one BOS is not enough: the first word needs n - 1 words before it.": padded(lambda n: 1, lambda n: 1),
        "n start marks are one too many: the first word needs n - 1 words before it.": padded(lambda n: n, lambda n: 1),
        "one end mark is enough: after it there is nothing to predict.": padded(lambda n: n - 1, lambda n: n - 1),
        "some of your n-grams run from one sentence into the next.": one_stream,
    }
    return compare(
        answer,
        right,
        [(FARM, 3), (FARM, 2), (FARM[:2], 4), (REPEATS, 2), (REPEATS, 1)],
        mistakes,
        "starts, ends and borders are as they should be.",
    )


def add_k(answer: Callable) -> Result:
    """``answer(counts, outcomes, k)`` -> {word: probability} for every outcome."""

    def right(counts, outcomes, k):
        total = sum(counts.values()) + k * len(outcomes)
        return {w: (counts.get(w, 0) + k) / total for w in outcomes}

    mistakes = {
        "they do not sum to one: every outcome got k more, so the total grows by k times the number of outcomes.": lambda c, o, k: {
            w: (c.get(w, 0) + k) / sum(c.values()) for w in o
        },
        "the total must grow by k for each outcome, not by k once.": lambda c, o, k: {
            w: (c.get(w, 0) + k) / (sum(c.values()) + k) for w in o
        },
        "the total must grow by k for every outcome, the unseen ones too.": lambda c, o, k: {
            w: (c.get(w, 0) + k) / (sum(c.values()) + k * len(c)) for w in o
        },
        "the total grows by k times the number of outcomes, not by their number.": lambda c, o, k: {
            w: (c.get(w, 0) + k) / (sum(c.values()) + len(o)) for w in o
        },
        "every outcome gets k, also those that were seen.": lambda c, o, k: {
            w: (c.get(w, 0) or k) / (sum(c.values()) + k * (len(o) - len(c))) for w in o
        },
        "the unseen outcomes are missing: they get k as well.": lambda c, o, k: {
            w: p for w, p in right(c, o, k).items() if w in c
        },
        "these are the unsmoothed frequencies.": lambda c, o, k: {w: c.get(w, 0) / sum(c.values()) for w in o},
    }
    outcomes = ["corn", "grass", "hay", "if", "which", "zebra", EOS]
    counts = {"corn": 4, "grass": 3, "hay": 2, "if": 1, "which": 1}
    return compare(
        answer,
        right,
        [(counts, outcomes, 1.0), (counts, outcomes, 0.01), ({"hay": 1}, outcomes, 0.5)],
        mistakes,
        "all outcomes together have probability one.",
    )


def likelihood_gap(answer: Callable) -> Result:
    """``answer(counts, q)`` -> how many nats of log-likelihood q loses against the relative frequencies."""

    def right(c, q):
        return float(sum(n * math.log(n / c.sum() / p) for n, p in zip(c, q, strict=True) if n))

    mistakes = {
        "this is the loss per observation: multiply by the number of observations.": lambda c, q: right(c, q) / c.sum(),
        "this is the log-likelihood of q itself; subtract it from that of the frequencies.": lambda c, q: float(
            (c * np.log(q)).sum()
        ),
        "the sign is wrong: nothing beats the frequencies, so the loss is 0 or more.": lambda c, q: -right(c, q),
        "this is minus the log-likelihood of q: subtract the same of the frequencies.": lambda c, q: (
            -float((c * np.log(q)).sum())
        ),
        "these are bits: nats need the natural logarithm.": lambda c, q: right(c, q) / math.log(2),
        "0 ln 0 counts as 0, but NumPy calls it nan: leave out the words that were never seen.": lambda c, q: float(
            (c * np.log(c / c.sum() / q)).sum()
        ),
        "this is the divergence the wrong way round: weight by the counts, not by q.": lambda c, q: float(
            c.sum() * (q * np.log(q * c.sum() / c))[c > 0].sum()
        ),
        "this is the divergence the wrong way round, infinite if a word was not seen: weight by the counts, not by q.": (
            lambda c, q: float(c.sum() * (q * np.log(q * c.sum() / c)).sum())
        ),
    }
    rng = np.random.default_rng(0)
    cases = [
        (np.array([4.0, 3, 2, 1, 1]), rng.dirichlet(np.ones(5))),
        (np.array([7.0, 0, 3]), np.array([0.5, 0.2, 0.3])),
        (np.array([2.0, 2.0]), np.array([0.5, 0.5])),
    ]
    praise = "zero for the frequencies themselves, positive for all else."
    return compare(answer, right, cases, mistakes, praise)


def add_k_bias(answer: Callable) -> Result:
    """``answer(p, N, k)`` -> expected add-k estimate minus p, for each outcome."""

    def right(p, N, k):
        return (N * p + k) / (N + k * len(p)) - p

    mistakes = {
        "the sign is wrong: bias is what one gets on average minus the truth.": lambda p, N, k: -right(p, N, k),
        "this is the expected estimate: subtract p.": lambda p, N, k: right(p, N, k) + p,
        "the denominator grows by k for every outcome.": lambda p, N, k: (N * p + k) / (N + k) - p,
        "p itself is a probability: after N draws the expected count is N p.": lambda p, N, k: (
            (p + k) / (N + k * len(p)) - p
        ),
    }
    p = np.array([0.7, 0.2, 0.1, 0.0])
    return compare(
        answer,
        right,
        [(p, 10, 1.0), (p, 100, 0.1), (np.full(5, 0.2), 7, 0.5)],
        mistakes,
        "towards the uniform distribution, and gone only as N grows.",
    )


def sampler(answer: Callable) -> Result:
    """``answer(distribution, rng, size)`` -> a list of ``size`` words drawn from {word: probability}."""
    truth = {"corn": 0.36, "if": 0.12, "hay": 0.2, "which": 0.05, "grass": 0.27}
    size = 100_000
    try:
        drawn, again, other = (
            [str(w) for w in answer(dict(truth), _NoChoice(np.random.PCG64(seed)), size)] for seed in (1, 1, 2)
        )
        counts, half = Counter(drawn), Counter(drawn[: size // 2])
    except NotImplementedError:
        return compare(answer, answer, [(truth, np.random.default_rng(1), 1)])
    except Exception as error:
        return Result(False, f"your function stopped with {type(error).__name__}: {error}")
    if sum(counts.values()) != size:
        return Result(False, f"asked for {size} words, got {sum(counts.values())}")
    if strangers := set(counts) - set(truth):
        return Result(
            False,
            f"{sorted(strangers)[0]!r} is not a word of the distribution: return the words, not their positions",
        )
    distance = {
        name: 0.5 * sum(abs(counts[w] / size - p[w]) for w in truth)
        for name, p in {
            "truth": truth,
            "uniform": dict.fromkeys(truth, 0.2),
            "best": dict.fromkeys(truth, 0) | {"corn": 1.0},
            "shifted": dict(zip(truth, [*list(truth.values())[1:], truth["corn"]], strict=True)),
            "backwards": dict(zip(truth, reversed(truth.values()), strict=True)),
        }.items()
    }
    hints = {
        "uniform": "every word comes equally often: compare the random number with the running sums of the probabilities.",
        "best": "you always take the most probable word. Sampling means that rare words come now and then.",
        "shifted": "the words are shifted by one against their probabilities: look at the comparison with the running sums.",
        "backwards": "the probabilities are assigned in reverse order.",
    }
    if distance["truth"] < 0.02:
        if again != drawn:
            hint = "the same generator gives other draws: use rng for all randomness."
        elif other == drawn:
            hint = "another generator gives the same draws: take the randomness from rng."
        elif sum(abs(half[w] / (size / 2) - truth[w]) for w in truth) > 0.04:
            hint = "the words come in blocks: no draw may depend on the draws before it."
        else:
            return Result(True, f"total variation distance {distance['truth']:.4f}.")
        return Result(False, f"the frequencies are right, but {hint}")
    closest = min(hints, key=lambda name: distance[name])
    hint = "the frequencies are off: where among the running sums of the probabilities does each random number fall?"
    if distance[closest] < 0.02:
        hint = hints[closest]
    elif len(counts) == 1:
        hint = "all your words are the same: each draw needs a random number of its own."
    return Result(False, f"total variation distance {distance['truth']:.3f}, should be below 0.02: {hint}")


def continuation(answer: Callable) -> Result:
    """``answer(sentences)`` -> {word: Kneser-Ney continuation probability}, sentence starts and ends included as marks."""

    def pairs(sentences):
        return Counter((a, b) for s in sentences for a, b in zip([BOS, *s], [*s, EOS], strict=True))

    def share(counter):
        total = sum(counter.values())
        return {w: n / total for w, n in counter.items()}

    def marked(starts, ends):
        return lambda s: share(
            Counter(w for _, w in {p for x in s for p in itertools.pairwise([BOS] * starts + x + [EOS] * ends)})
        )

    mistakes = {
        "these are plain frequencies: count each different word to the left once.": lambda s: share(
            Counter(w for (_, w), n in pairs(s).items() for _ in range(n))
        ),
        "count a pair once in the whole text, not once in each sentence.": lambda s: share(
            Counter(w for x in s for _, w in pairs([x]))
        ),
        "you counted the different words to the right; continuation looks to the left.": lambda s: share(
            Counter(a for a, _ in pairs(s))
        ),
        "the counts are right; divide by the number of different pairs, so that they sum to one.": lambda s: {
            w: float(n) for w, n in Counter(w for _, w in pairs(s)).items()
        },
        "divide by the number of different pairs, not by the number of words.": lambda s: {
            w: n / len({b for _, b in pairs(s)}) for w, n in Counter(w for _, w in pairs(s)).items()
        },
        "the end mark is a word to predict like any other, and sentence starts are left neighbours.": marked(0, 0),
        "the start mark is missing: it is a left neighbour of every first word.": marked(0, 1),
        "the end mark is missing: it is a word to predict like any other.": marked(1, 0),
        "divide by the number of all different pairs, not by how often the word itself comes.": lambda s: {
            w: n / sum(c for (_, b), c in pairs(s).items() if b == w)
            for w, n in Counter(w for _, w in pairs(s)).items()
        },
    }
    return compare(
        answer,
        lambda s: share(Counter(w for _, w in pairs(s))),
        [(FARM,), ([*FARM[:3], *REPEATS],)],
        mistakes,
        "a word is worth as much as the company it keeps is varied.",
    )


def agree_limit(answer: Callable) -> Result:
    """``answer(n, stop)`` -> loss in nats a token of the best n-gram model (n >= 2) of AGREE with unlimited data."""

    def variant(extra, known=None):
        def f(n, stop):
            s = known or stop
            coin = -(s * math.log(s) + (1 - s) * math.log(1 - s))
            nats = math.log(8) + coin / s + (1 - s) / s * math.log(6) + math.log(4)
            return (nats + extra(n, stop)) / (4 + (1 - s) / s)

        return f

    def lost(n, s):
        return math.log(2) * (1 - s) ** (n - 1)

    right = variant(lost)
    mistakes = {
        "off by one: an n-gram sees n - 1 words, so it still sees the noun across n - 2 fillers.": variant(
            lambda n, s: math.log(2) * (1 - s) ** n
        ),
        "off by one: with n - 2 fillers the noun is the first of the n - 1 words seen.": variant(
            lambda n, s: math.log(2) * (1 - s) ** (n - 2)
        ),
        "the number is one bit: forgetting it costs ln 2, since the verbs of the wrong number are as many as the right ones.": variant(
            lambda n, s: math.log(4) * (1 - s) ** (n - 1)
        ),
        "this is nats per sentence: divide by the expected number of tokens.": lambda n, s: (
            right(n, s) * (4 + (1 - s) / s)
        ),
        "stop is the probability of no further filler: the next one comes with 1 - stop.": variant(
            lambda n, s: math.log(2) * s ** (n - 1)
        ),
        "your H and your number of tokens are those of stop = 0.3: both change with stop.": variant(lost, known=0.3),
        "this is the excess over the entropy rate: the loss is both together.": lambda n, s: (
            lost(n, s) / (4 + (1 - s) / s)
        ),
        "this is the entropy rate: the cost of the forgotten noun is missing.": variant(lambda n, s: 0.0),
    }
    return compare(
        answer,
        right,
        [(2, 0.3), (3, 0.3), (5, 0.3), (4, 0.6)],
        mistakes,
        "it approaches the entropy rate, one filler at a time.",
    )


def backoff(answer: Callable) -> Result:
    """``answer(counts, unigram, D)`` -> {word: probability} with absolute discounting and back-off."""

    def right(c, u, D):
        total, left_over = sum(c.values()), D * len(c) / sum(c.values())
        unseen = sum(p for w, p in u.items() if w not in c)
        return {w: (c[w] - D) / total if w in c else left_over * p / unseen for w, p in u.items()}

    mistakes = {
        "this is interpolation: seen words take a share of the unigram too. In back-off they do not.": lambda c, u, D: {
            w: max(c.get(w, 0) - D, 0) / sum(c.values()) + D * len(c) / sum(c.values()) * p for w, p in u.items()
        },
        "they do not sum to one: what is left over must be shared among the unseen words only, in proportion to the unigram.": lambda c, u, D: {
            w: (c[w] - D) / sum(c.values()) if w in c else D * len(c) / sum(c.values()) * p for w, p in u.items()
        },
        "share what is left over in proportion to the unigram, not evenly.": lambda c, u, D: {
            w: (c[w] - D if w in c else D * len(c) / (len(u) - len(c))) / sum(c.values()) for w in u
        },
        "what was taken off is lost: give it to the unseen words.": lambda c, u, D: {
            w: max(c.get(w, 0) - D, 0) / sum(c.values()) for w in u
        },
        "nothing was taken off the seen words, so nothing is left for the others.": lambda c, u, D: {
            w: c.get(w, 0) / sum(c.values()) for w in u
        },
        "D is taken off every different word seen, so D times their number is left over, not D.": lambda c, u, D: {
            w: (c[w] - D) / sum(c.values())
            if w in c
            else D / sum(c.values()) * p / sum(q for v, q in u.items() if v not in c)
            for w, p in u.items()
        },
    }
    unigram = {"corn": 0.3, "grass": 0.25, "hay": 0.2, "salt": 0.15, "zebra": 0.1}
    cases = [
        ({"corn": 4, "grass": 3, "hay": 2}, unigram, 0.75),
        ({"salt": 1}, unigram, 0.5),
        ({"corn": 2, "zebra": 1}, unigram, 0.1),
    ]
    return compare(answer, right, cases, mistakes, "seen words keep what is theirs, unseen ones share the rest.")


def em_step(answer: Callable) -> Result:
    """``answer(weight, p_long, p_short)`` -> the weight of p_long after one step of expectation-maximisation."""

    def right(weight, a, b):
        return float((weight * a / (weight * a + (1 - weight) * b)).mean())

    mistakes = {
        "this is the new weight of the shorter model: the share of the longer one is asked for.": lambda w, a, b: (
            1 - right(w, a, b)
        ),
        "the shares are summed: take their mean over the tokens.": lambda w, a, b: right(w, a, b) * len(a),
        "the old weight must be part of the shares: weight * p_long over the mixture.": lambda w, a, b: float(
            (a / (a + b)).mean()
        ),
        "the old weight is missing in the numerator: weight * p_long over the mixture.": lambda w, a, b: float(
            (a / (w * a + (1 - w) * b)).mean()
        ),
        "each word adds the share itself, a number between 0 and 1, not a vote for the larger part.": lambda w, a, b: (
            float((w * a > (1 - w) * b).mean())
        ),
        "average the shares token by token; the ratio of the sums is something else.": lambda w, a, b: float(
            w * a.sum() / (w * a.sum() + (1 - w) * b.sum())
        ),
    }
    rng = np.random.default_rng(0)
    cases = [
        (0.5, rng.random(6), rng.random(6)),
        (0.9, rng.random(20), rng.random(20)),
        (0.2, np.array([0.0, 0.5]), np.array([0.1, 0.1])),
    ]
    return compare(answer, right, cases, mistakes, "each step raises the held-out likelihood.")

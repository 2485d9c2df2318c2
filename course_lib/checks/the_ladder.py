"""Checks for the exercises of the chapter on the ladder."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from course_lib.checks import Result, compare
from course_lib.metrics import CLASSES

__all__ = ["better", "crossings", "interval", "kept", "largest_step", "price", "to_keep", "within_window"]


def largest_step(answer: Callable) -> Result:
    """``answer(before, after)`` -> the class with the largest gain, and its share of the whole gain."""

    def step(before, after, turn=1.0, whole=None):
        gained = {kind: turn * (before[kind] - after[kind]) for kind in before}
        best = max(gained, key=gained.get)
        return [best, gained[best] / (whole(before, gained) if whole else sum(gained.values()))]

    def worst_before(before, after):
        kind = max(before, key=before.get)
        return [kind, (before[kind] - after[kind]) / (sum(before.values()) - sum(after.values()))]

    def largest_part(before, after):
        kind = max(before, key=lambda k: (before[k] - after[k]) / before[k])
        return [kind, (before[kind] - after[kind]) / (sum(before.values()) - sum(after.values()))]

    mistakes = {
        "that is the class in which the first model is worst, not the one that improves most.": worst_before,
        "that is the class which lost most: the improvement is before minus after.": lambda *c: step(*c, turn=-1.0),
        "the share is of the whole improvement, not of what the first model lacks in that class.": lambda *c: step(
            *c, whole=lambda before, gained: before[max(gained, key=gained.get)]
        ),
        "the share is of the whole improvement, not of the first model's whole excess.": lambda *c: step(
            *c, whole=lambda before, gained: sum(before.values())
        ),
        "the share is of the net improvement: losses in other classes are taken off.": lambda *c: step(
            *c, whole=lambda before, gained: sum(max(g, 0.0) for g in gained.values())
        ),
        "better by most is by most nats, not by the largest part of what the class had.": largest_part,
        "the second number is the gain itself: divide it by the whole improvement.": lambda *c: step(
            *c, whole=lambda before, gained: 1.0
        ),
    }
    values = [
        ((0.30, 0.20, 0.05, 0.07), (0.10, 0.15, 0.06, 0.05)),
        ((0.02, 0.03, 0.14, 0.20), (0.01, 0.00, 0.09, 0.17)),
        ((1.0, 2.0, 0.4, 0.1), (0.5, 0.2, 0.3, 0.1)),
        ((0.50, 0.30, 0.10, 0.20), (0.45, 0.10, 0.12, 0.19)),
    ]
    cases = [tuple(dict(zip(CLASSES, rung, strict=True)) for rung in rungs) for rungs in values]
    return compare(answer, step, cases, mistakes, "a step has one main class, and the share says how much it is one.")


def price(answer: Callable) -> Result:
    """``answer(excess, T)`` -> factor on the perplexity, bits a document."""

    def right(excess, T):
        return [math.exp(excess), excess * T / math.log(2)]

    mistakes = {
        "the second number is in nats: divide by ln 2 for bits.": lambda e, T: [math.exp(e), e * T],
        "nats are larger than bits, so there are fewer of them: divide by ln 2, do not multiply.": lambda e, T: [
            math.exp(e),
            e * T * math.log(2),
        ],
        "the excess is in nats, so the factor is a power of e and not of 2.": lambda e, T: [2**e, right(e, T)[1]],
        "the factor is e to the excess; 1 + excess is only its beginning.": lambda e, T: [1 + e, right(e, T)[1]],
        "the second number is for a document: multiply by its tokens.": lambda e, T: [math.exp(e), e / math.log(2)],
        "the factor on the perplexity is for one token: leave T out of it.": lambda e, T: [
            math.exp(e * T),
            right(e, T)[1],
        ],
        "this is the part by which the perplexity grows; the factor is one more.": lambda e, T: [
            math.exp(e) - 1,
            right(e, T)[1],
        ],
    }
    cases = [(0.14, 47), (0.494, 47), (2.5, 10), (0.0, 5)]
    return compare(answer, right, cases, mistakes, "an excess is a factor on the perplexity, whatever the floor.")


def kept(answer: Callable) -> Result:
    """``answer(kind, D, layers, T)`` -> how many numbers are kept after T tokens."""

    def right(kind, D, layers, T, **other):
        sizes = {
            "n-gram": layers - 1,
            "gru": layers * D,
            "lstm": 2 * layers * D,
            "attention": 2 * D + D * T,
            "transformer": 2 * layers * D * T,
        }
        return (sizes | {name: size(D, layers, T) for name, size in other.items()})[kind]

    def with_one(kind, size, **more):
        return lambda *case: right(*case, **{kind: size}, **more)

    mistakes = {
        "an LSTM has two states, c and h.": with_one("lstm", lambda D, n, T: n * D),
        "a transformer keeps keys and values: two numbers where you have one.": with_one(
            "transformer", lambda D, n, T: n * D * T
        ),
        "every block of a transformer has keys and values of its own.": with_one(
            "transformer", lambda D, n, T: 2 * D * T
        ),
        "besides its past states the network keeps the state of the LSTM itself.": with_one(
            "attention", lambda D, n, T: D * T
        ),
        "an n-gram model of order n keeps n - 1 tokens.": with_one("n-gram", lambda D, n, T: n),
        "a past state is key and value at once: one lot of D for each token.": with_one(
            "attention", lambda D, n, T: 2 * D + 2 * D * T
        ),
        "every layer of a recurrent network has a state of its own.": with_one(
            "gru", lambda D, n, T: D, lstm=lambda D, n, T: 2 * D
        ),
    }
    kinds = ("n-gram", "gru", "lstm", "attention", "transformer")
    cases = [(kind, 96, 1 if kind == "attention" else 3, T) for kind in kinds for T in (2, 50)]
    return compare(answer, right, cases, mistakes, "constants for a state, one lot a token for looking back.")


def within_window(answer: Callable) -> Result:
    """``answer(document, n)`` -> share of the animals asked for that lie in the last n - 1 words."""

    def right(document, n, size=-1, place=4, told=False):
        kept_by = {document[i]: document[i + 2] for i in (0, 4, 8)}
        first = {document[i]: i + 2 for i in (0, 4, 8)}
        found = []
        for t in (t for t, word in enumerate(document) if word == "today"):
            start = max(t + place - (n + size), 0)
            inside = kept_by[document[t + 1]] in document[start : t + place]
            found.append(first[document[t + 1]] >= start if told else inside)
        return sum(found) / len(found) if found else 0.0

    def seen(document, n, word=4, first=0):
        asked = [t for t, asks in enumerate(document) if asks == "today"]
        inside = (document[t + word] in document[max(t + 5 - n, first) : t + word] for t in asked)
        return sum(inside) / max(len(asked), 1)

    mistakes = {
        "a model of order n sees n - 1 words before the one that it predicts.": lambda d, n: right(d, n, size=0),
        "the window ends before the animal, four words after today, not at today.": lambda d, n: right(d, n, place=0),
        "the window may hold the animal itself: end it before the word to be predicted.": lambda d, n: right(
            d, n, place=5
        ),
        "an animal that was asked for before may lie in the window again: count this too.": lambda d, n: right(
            d, n, told=True
        ),
        "where the window would begin before the document, a negative start counts from its end.": lambda d, n: seen(
            d, n, first=-math.inf
        ),
        "this is how many lie in the window: divide by the number of those asked for.": lambda d, n: (
            right(d, n) * d.count("today")
        ),
        "this looks for the name in the window: the animal is asked for.": lambda d, n: seen(d, n, word=1),
    }
    told = "tom keeps geese . ann keeps pigs . ben keeps hens .".split()
    asked = "today ben feeds the hens . today ann counts the pigs . today ann calls the pigs .".split()
    plain = "the cows eat old grass at noon .".split()
    documents = [told + asked, told + plain + asked, told + plain, told + asked[:6] + plain + asked[:6]]
    cases = [(document, n) for document in documents for n in (3, 6, 7, 8, 13, 40)]
    return compare(answer, right, cases, mistakes, "a window of words reaches few of the answers.")


def _sample() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """What two models lost on 12 documents, lengths, and 400 draws."""
    rng = np.random.default_rng(0)
    lengths = rng.integers(5, 60, size=12).astype(float)
    a = lengths * rng.gamma(2.0, 0.1, size=12)
    return a, a + rng.normal(0.3, 2.0, size=12), lengths, rng.integers(0, 12, size=(400, 12))


def interval(answer: Callable) -> Result:
    """``answer(totals, lengths, draws)`` -> ends of the 95 % interval of the mean per token."""

    def ends(means, low=0.025, high=0.975):
        return [float(np.quantile(means, low)), float(np.quantile(means, high))]

    def means(totals, lengths, draws):
        return totals[draws].sum(1) / lengths[draws].sum(1)

    def normal(totals, lengths, draws, share):
        m = means(totals, lengths, draws)
        return [m.mean() - share * m.std(), m.mean() + share * m.std()]

    mistakes = {
        "this is the mean of the documents' own means: add up first, then divide once.": lambda x, n, d: ends(
            (x / n)[d].mean(1)
        ),
        "divide by the lengths of the documents that were drawn, not of all.": lambda x, n, d: ends(
            x[d].sum(1) / n.sum()
        ),
        "these ends leave out 5 % on either side: for 95 % it is 2.5 %.": lambda *c: ends(means(*c), 0.05, 0.95),
        "this is the mean of the draws, give or take one standard deviation: that is 68 %.": lambda *c: normal(*c, 1.0),
        "this takes the draws for a normal distribution: cut 2.5 % of them off either end.": lambda *c: normal(
            *c, 1.96
        ),
        "a draw is a row of `draws`: add up along the rows, not down the columns.": lambda x, n, d: ends(
            x[d].sum(0) / n[d].sum(0)
        ),
        "these are what documents lost, not what a token costs: divide by the lengths.": lambda x, n, d: ends(
            x[d].mean(1)
        ),
    }
    a, b, lengths, draws = _sample()
    # each draw comes several times, so that every way to take a quantile between two draws gives the same
    few, many = draws[:100].repeat(4, axis=0), draws[100:200].repeat(6, axis=0)
    cases = [(a, lengths, few), (b, lengths, few), (a[::-1].copy(), lengths, many)]
    return compare(answer, lambda *c: ends(means(*c)), cases, mistakes, "draw documents, add up, divide, sort.")


def better(answer: Callable) -> Result:
    """``answer(a, b, lengths, draws)`` -> share of the draws in which a has the lower mean per token."""

    def share(a, b, draws, tie=0.5):
        gap = (b - a)[draws].sum(1)
        return float(np.mean((gap > 0) + tie * (gap == 0)))

    mistakes = {
        "lower is better: this is the share in which the first model is the worse one.": lambda a, b, n, d: share(
            b, a, d
        ),
        "a tie counts one half, not nothing.": lambda a, b, n, d: share(a, b, d, tie=0.0),
        "a tie counts one half, not one.": lambda a, b, n, d: share(a, b, d, tie=1.0),
        "this is the share of documents: add up each draw first, then compare.": lambda a, b, n, d: float(
            np.mean((b > a) + 0.5 * (b == a))
        ),
        "each document counts by what it costs a token here: compare the sums of a draw.": lambda a, b, n, d: share(
            a / n, b / n, d
        ),
        "this is the share of the documents drawn: add up each draw first, then compare.": lambda a, b, n, d: float(
            np.mean((b > a)[d] + 0.5 * (b == a)[d])
        ),
        "the sum decides a draw, not in how many of its documents a model is the better.": lambda a, b, n, d: share(
            np.sign(a - b), np.zeros_like(a), d
        ),
    }
    a, b, lengths, draws = _sample()
    ones = np.array([1.0, 2.0, 4.0, 1.0, 3.0, 2.0, 1.0, 5.0, 2.0, 1.0, 3.0, 2.0])
    cases = [(a, b, lengths, draws), (b, a, lengths, draws), (ones, ones[::-1].copy(), lengths, draws)]
    return compare(answer, lambda a, b, n, d: share(a, b, d), cases, mistakes, "the same draw for both.")


def to_keep(answer: Callable) -> Result:
    """``answer(k, n, m)`` -> nats for the pairs, nats with their order."""

    def right(k, n, m):
        pairs = math.log(math.comb(n, k)) + k * math.log(m)
        return [pairs, pairs + math.log(math.factorial(k))]

    mistakes = {
        "the first number counts the orders too: which pair came first does not matter for it.": lambda k, n, m: (
            [right(k, n, m)[1]] * 2
        ),
        "these are bits: for nats take the natural logarithm.": lambda k, n, m: [
            x / math.log(2) for x in right(k, n, m)
        ],
        "no keeper is introduced twice: choose k of n, do not take n for each.": lambda k, n, m: [
            k * math.log(n * m) - math.log(math.factorial(k)),
            k * math.log(n * m),
        ],
        "two keepers may have the same animal: there are m for each of them.": lambda k, n, m: [
            x + math.log(math.perm(m, k)) - k * math.log(m) for x in right(k, n, m)
        ],
        "this leaves out who was introduced: there are several sets of keepers.": lambda k, n, m: [
            x - math.log(math.comb(n, k)) for x in right(k, n, m)
        ],
        "these are numbers of cases: take the logarithm.": lambda k, n, m: [math.exp(x) for x in right(k, n, m)],
        "this leaves out whose animal is whose: there are m for each keeper.": lambda k, n, m: [
            x + math.log(math.comb(m, k)) - k * math.log(m) for x in right(k, n, m)
        ],
        "the second number is all that is to be kept, not only what the order adds.": lambda k, n, m: [
            right(k, n, m)[0],
            math.log(math.factorial(k)),
        ],
    }
    cases = [(3, 8, 8), (1, 5, 4), (5, 8, 8), (2, 3, 6)]
    return compare(answer, right, cases, mistakes, "the logarithm of the number of equally probable cases.")


def crossings(answer: Callable) -> Result:
    """``answer(D, factor)`` -> T from which looking back costs as much as the block, T from which the LSTM is passed."""

    def right(D, factor, lookups=2, block=12):
        equal = math.ceil(block * D / lookups)
        return [equal, math.ceil((8 * factor - block) * D / lookups)]

    mistakes = {
        "each of T places costs two lots of D: the score and the share of the value.": lambda D, f: right(
            D, f, lookups=1
        ),
        "a block multiplies by 12 D^2 weights: 4 D^2 in attention, 8 D^2 in the feed-forward layer.": lambda D, f: (
            right(D, f, block=8)
        ),
        "the second T compares with the LSTM alone: take the block's own weights into account.": lambda D, f: [
            6 * D,
            math.ceil(8 * f * D / 2),
        ],
        "one more token is one row of the scores, not all T of them.": lambda D, f: [
            math.ceil(math.sqrt(6 * D)),
            math.ceil(math.sqrt((8 * f - 12) * D / 2)),
        ],
        "where the two are equal it is at least as much already.": lambda D, f: [
            6 * D + 1,
            math.floor((4 * f - 6) * D) + 1,
        ],
    }
    mistakes["at the integer below, the model is not yet dearer: round up."] = lambda D, f: [
        6 * D,
        math.floor((4 * f - 6) * D),
    ]
    cases = [(96, 2.0), (128, 4.0), (50, 1.75), (12_288, 3.0), (33, 1.7)]
    return compare(answer, right, cases, mistakes, "width, not length, is what a short text pays for.")

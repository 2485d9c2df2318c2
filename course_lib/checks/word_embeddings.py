"""Checks for the exercises of the chapter on word embeddings."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from unittest import mock

import numpy as np

from course_lib.checks import Result, compare


def bag_vector(answer: Callable) -> Result:
    """``answer(counts, W)`` -> mean vector of the words of a text, from how often each occurs."""

    def right(counts, W):
        return counts @ W / counts.sum()

    mistakes = {
        "this is the sum of the vectors: divide by the number of words.": lambda counts, W: counts @ W,
        "divide by the number of words of the text, with repetitions, not by the number of different ones.": lambda counts, W: (
            counts @ W / (counts > 0).sum()
        ),
        "divide by the number of words of the text, not by the size of the vocabulary.": lambda counts, W: (
            counts @ W / len(counts)
        ),
        "a word that occurs twice counts twice: weigh its row by its count.": lambda counts, W: W[counts > 0].mean(0),
        "these are all rows of W, also of words that do not occur.": lambda counts, W: W.mean(0),
    }
    rng = np.random.default_rng(0)
    cases = [
        (np.array([0.0, 2.0, 1.0]), rng.normal(size=(3, 2))),
        (np.array([1.0, 0.0, 0.0, 3.0]), rng.normal(size=(4, 3))),
        (np.array([0.0, 5.0, 0.0, 0.0, 1.0]), rng.normal(size=(5, 1))),
    ]
    return compare(answer, right, cases, mistakes, "one product with W, however long the text.")


def cosine(answer: Callable) -> Result:
    """``answer(a, b)`` -> cosine of the angle between two vectors, 0 if one of them is zero."""

    def right(a, b):
        size = np.linalg.norm(a) * np.linalg.norm(b)
        return float(a @ b / size) if size > 0 else 0.0

    def divided(by):
        return lambda a, b: float(a @ b / by(a, b))

    mistakes = {
        "this is the dot product: divide by the two lengths.": lambda a, b: float(a @ b),
        "divide by the lengths, not by their squares: the root is missing.": divided(lambda a, b: (a @ a) * (b @ b)),
        "divide by both lengths, not only by the first.": divided(lambda a, b: np.linalg.norm(a)),
        "divide by both lengths, not only by the second.": divided(lambda a, b: np.linalg.norm(b)),
        "the sign belongs to it: opposite vectors have -1.": lambda a, b: abs(right(a, b)),
        "this is the distance 1 - cosine.": lambda a, b: 1 - right(a, b),
        "the length is the root of the sum of squares, not the sum of the absolute values.": divided(
            lambda a, b: abs(a).sum() * abs(b).sum()
        ),
        "divide by the product of the lengths, not by their sum.": divided(
            lambda a, b: np.linalg.norm(a) + np.linalg.norm(b)
        ),
        "this is the angle: return its cosine.": lambda a, b: float(np.arccos(np.clip(right(a, b), -1, 1))),
        "the means are subtracted: this is the correlation, not the cosine.": lambda a, b: right(
            a - a.mean(), b - b.mean()
        ),
    }
    cases = [
        (np.array([1.0, 2.0]), np.array([2.0, 4.0])),
        (np.array([1.0, 0.0, 2.0]), np.array([-1.0, 3.0, -2.0])),
        (np.array([0.5, -0.2, 0.1]), np.array([10.0, 3.0, 1.0])),
    ]
    result = compare(answer, right, cases, mistakes, "between -1 and 1, whatever the lengths.")
    long, zero = np.array([3.0, 4.0]), np.zeros(2)
    if result and not compare(answer, right, [(long, zero), (zero, long), (zero, zero)]):
        return Result(False, "a vector of zeros has no direction: return 0 if either is one, not nan.")
    return result


def positive_pmi(answer: Callable) -> Result:
    """``answer(counts)`` -> max(PMI, 0) in nats, 0 where a row or a column is empty."""

    def ratio(counts):
        expected = counts.sum(1, keepdims=True) * counts.sum(0) / counts.sum()
        return np.divide(counts, expected, out=np.zeros_like(counts), where=expected > 0)

    def log(ratio):
        return np.log(ratio, out=np.zeros_like(ratio), where=ratio > 0)

    def right(counts):
        return np.maximum(log(ratio(counts)), 0)

    def by_rows(counts):
        rows = counts.sum(1, keepdims=True)
        return log(np.divide(counts, rows, out=np.zeros_like(counts), where=rows > 0))

    def raw(counts):
        return np.log(counts * counts.sum() / np.outer(counts.sum(1), counts.sum(0)))

    mistakes = {
        "these are bits: the natural logarithm gives nats.": lambda x: right(x) / np.log(2),
        "values below 0 are left: take the maximum with 0.": lambda x: log(ratio(x)),
        "the logarithm is missing: this is the ratio itself.": ratio,
        "the total is missing: chance expects x_i x_j / N of a pair.": lambda x: np.maximum(log(ratio(x) / x.sum()), 0),
        "this is log p(j | i) without the division by p(j).": by_rows,
        "a row without any count gives 0 / 0: return 0 there.": lambda x: np.maximum(raw(x), 0),
        "this is the PMI, with minus infinity and nan: replace everything below 0, and 0 / 0, by 0.": raw,
        "1 is added before the logarithm: leave it out, and put 0 where there is no count.": lambda x: np.log1p(
            ratio(x)
        ),
        "N is the sum of the counts, not the number of places in the table.": lambda x: np.maximum(
            log(ratio(x) * x.size / x.sum()), 0
        ),
        "the absolute value turns pairs that are too rare into strong ones: replace them by 0.": lambda x: abs(
            log(ratio(x))
        ),
    }
    cases = [
        (np.array([[4.0, 1.0, 0.0], [1.0, 2.0, 3.0], [0.0, 3.0, 5.0]]),),
        (np.array([[0.0, 6.0, 1.0], [2.0, 0.0, 3.0]]),),
        (np.array([[0.0, 0.0, 0.0], [0.0, 2.0, 1.0], [0.0, 1.0, 7.0]]),),
    ]
    result = compare(answer, right, cases, mistakes, "in nats, and an empty row stays empty.")
    if result:  # once more, with the warning made an error that cannot be silenced
        strict = np.errstate(all="ignore", invalid="raise")
        with strict, mock.patch.object(np, "errstate", return_value=contextlib.nullcontext()):
            try:
                answer(cases[-1][0].copy())
            except FloatingPointError:
                return Result(False, "the table is right, but it divides 0 by 0: divide only where there is a count.")
    return result


def sgns_gradient(answer: Callable) -> Result:
    """``answer(w, c, n)`` -> (dw, dc, dn) of the loss with negatives n (k, D)."""

    def gradients(w, c, n, yes=lambda p: p - 1, no=lambda p: p, first=slice(None), swap=False):
        y, z = yes(1 / (1 + np.exp(-(w @ c)))), no(1 / (1 + np.exp(-(n @ w))))
        return [y * c + z[first] @ n[first], y * (c if swap else w), z[:, None] * (n if swap else w)]

    def slip(**change):
        return lambda *case: gradients(*case, **change)

    mistakes = {
        "for the pair that was seen, the truth is 1: sigmoid minus 1.": slip(yes=lambda p: p),
        "the signs are those of ascent: these gradients make the loss larger.": slip(
            yes=lambda p: 1 - p, no=lambda p: -p
        ),
        "noise words are to be pushed away: their gradients have the wrong sign.": slip(no=lambda p: -p),
        "the truth for a noise word is 0: nothing is subtracted from its sigmoid.": slip(no=lambda p: p - 1),
        "a noise word counts with the probability of yes, sigmoid of w n, not of -w n.": slip(no=lambda p: 1 - p),
        "this is the derivative of the sigmoid; the loss takes its logarithm, so that p (1 - p) is divided by p.": slip(
            yes=lambda p: -p * (1 - p), no=lambda p: p * (1 - p)
        ),
        "the loss sums over the noise words: do not divide by k.": slip(no=lambda p: p / len(p)),
        "w is pushed by every noise word, not only by the first.": slip(first=slice(1)),
        "w gets nothing from the noise words in your answer.": slip(first=slice(0)),
        "the factor is multiplied with the other vector: c and the n move along w.": slip(swap=True),
        "the pair that was seen is missing.": slip(yes=lambda p: 0 * p),
    }
    rng = np.random.default_rng(0)
    cases = [
        (rng.normal(size=D), rng.normal(size=D), rng.normal(size=(k, D))) for D, k in ((2, 1), (3, 5), (4, 2), (1, 3))
    ]

    def as_list(*case):
        return list(answer(*case))

    return compare(as_list, gradients, cases, mistakes, "probability minus truth, times the other vector.")


def cbow_gradient(answer: Callable) -> Result:
    """``answer(W, C, around, middle)`` -> gradient by W (V, D) of the CBOW loss with a full softmax."""

    def by_C(W, C, around, middle):
        h = W[around].mean(0)
        q = np.exp(C @ h)
        return np.outer(q / q.sum() - np.eye(len(C))[middle], h)

    def spread(W, C, around, middle, divide=True, repeat=True, truth=1.0, mean=True):
        h = W[around].mean(0) if mean else W[around].sum(0)
        z = h @ C.T
        q = np.exp(z - z.max())
        dz = q / q.sum() - truth * np.eye(len(C))[middle]
        dW, part = np.zeros_like(W), dz @ C / (len(around) if divide else 1)
        if repeat:
            np.add.at(dW, around, part)
        else:
            dW[around] += part
        return dW

    mistakes = {
        "h is a mean, so each word around gets one n-th of the gradient of h.": lambda *c: spread(*c, divide=False),
        "a word that stands twice in the window gets two parts: W[around] += ... adds only one; use np.add.at.": lambda *c: (
            spread(*c, repeat=False)
        ),
        "h is the mean of the vectors, not their sum.": lambda *c: spread(*c, mean=False),
        "h is the mean of the vectors, not their sum, and dh is shared out by n.": lambda *c: spread(
            *c, mean=False, divide=False
        ),
        "the one-hot vector of the middle word must be subtracted from the probabilities.": lambda *c: spread(
            *c, truth=0.0
        ),
        "the sign is wrong: probability minus truth.": lambda *c: -spread(*c),
        "the list is not a set: a word that stands there twice counts twice in h as well.": lambda W, C, words, o: (
            spread(W, C, sorted(set(words)), o)
        ),
        "this is skip-gram, the middle word predicts: here it is predicted, from the mean.": lambda W, C, words, o: sum(
            spread(W, C, [o], i) for i in words
        ),
        "each word around has a softmax of its own here: CBOW has one, of the mean.": lambda W, C, words, o: sum(
            spread(W, C, [i], o) for i in words
        ),
        "this is the gradient by C: carry it on to h, and from there to W.": by_C,
    }
    rng = np.random.default_rng(1)
    cases = [
        (rng.normal(size=(V, D)), rng.normal(size=(V, D)), around, middle)
        for V, D, around, middle in ((4, 2, [0, 2], 1), (6, 3, [1, 4, 4, 0], 5), (3, 2, [0, 0, 0], 2))
    ]
    return compare(answer, spread, cases, mistakes, "every use of a row gets its part.")


def noise(answer: Callable) -> Result:
    """``answer(counts, power)`` -> distribution from which noise words are drawn."""

    def right(counts, power):
        weights = np.where(counts > 0, np.asarray(counts, dtype=float) ** power, 0)
        return weights / weights.sum()

    mistakes = {
        "the sum is not 1: divide by the sum of the powers.": lambda c, a: (c / c.sum()) ** a,
        "these weights are no distribution yet: divide by their sum.": lambda c, a: c**a,
        "divide by the sum of the powers, not by the sum of the counts.": lambda c, a: c**a / c.sum(),
        "the power is ignored: these are the shares of the text.": lambda c, a: right(c, 1.0),
        "the power is an exponent, not a factor.": lambda c, a: a * c / c.sum(),
        "the power is an argument: here it is 0.75 whatever was asked.": lambda c, a: right(c, 0.75),
        "the exponent is the power itself, not 1 / power.": lambda c, a: right(c, 1 / a if a else 1.0),
    }
    cases = [
        (np.array([16.0, 1.0, 81.0]), 0.75),
        (np.array([5.0, 1.0, 2.0]), 0.0),
        (np.array([3.0, 9.0]), 1.0),
        (np.array([10_000.0, 1.0, 0.0]), 0.5),
    ]
    result = compare(answer, right, cases, mistakes, "frequent words a little less often, rare ones more.")
    mistakes = {
        "a word that never occurs must not be drawn, and 0 to the power 0 is 1.": lambda c, a: c**a / (c**a).sum(),
        "the zero comes too late: leave out the words that never occur before you divide by the sum.": lambda c, a: (
            (c > 0) * c**a / (c**a).sum()
        ),
    }
    return result and compare(answer, right, [(np.array([5.0, 0.0, 2.0]), 0.0)], mistakes, result.message)


def analogy(answer: Callable) -> Result:
    """``answer(vectors, a, b, c)`` -> id of the word that is to c as b is to a, by cosine, the three left out."""

    def best(vectors, a, b, c, target=None, out=None, score="cosine", least=-np.inf):
        target = vectors[b] - vectors[a] + vectors[c] if target is None else target
        if score == "distance":
            values = -np.linalg.norm(vectors - target, axis=1)
        else:
            values = vectors @ target / (np.linalg.norm(vectors, axis=1) if score == "cosine" else 1)
        values[list((a, b, c) if out is None else out)] = least
        return int(values.argmax())

    mistakes = {
        "the words of the question are not excluded, and one of them wins.": lambda v, a, b, c: best(
            v, a, b, c, out=()
        ),
        "a and b are exchanged: from a to b means b - a.": lambda v, a, b, c: best(v, a, b, c, v[a] - v[b] + v[c]),
        "only c is excluded: a and b are no answers either.": lambda v, a, b, c: best(v, a, b, c, out=(c,)),
        "this is the largest dot product, which prefers long vectors: use the cosine.": lambda v, a, b, c: best(
            v, a, b, c, score="dot"
        ),
        "this is the smallest distance: the question asks for the largest cosine.": lambda v, a, b, c: best(
            v, a, b, c, score="distance"
        ),
        "this is the nearest word to c: a and b are not used.": lambda v, a, b, c: best(v, a, b, c, v[c]),
        "the vectors were scaled to length 1 before the subtraction: take them as they are.": lambda v, *abc: best(
            v / np.linalg.norm(v, axis=1, keepdims=True), *abc
        ),
        "without three of its rows the table has other ids: leave them out after scoring.": lambda v, *abc: (
            best(v, *abc) - sum(i < best(v, *abc) for i in abc)
        ),
        "a cosine can be below 0: a score of 0 leaves no word out, minus infinity does.": lambda v, *abc: best(
            v, *abc, least=0
        ),
    }
    for i, word in enumerate("abc"):
        mistakes[f"{word} is a word of the question too: it is no answer."] = lambda v, *abc, i=i: best(
            v, *abc, out=abc[:i] + abc[i + 1 :]
        )
    rng = np.random.default_rng(3)
    a_wins = np.array([[1.0, 0.0], [3.0, -1.0], [0.0, 1.0], [10.0, 4.0], [2.0, 1.0]])  # b after it; 4 is nearest
    all_below_0 = np.array([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0], [-1.0, 0.1], [-1.0, 1.0]])
    cases = [(a_wins, 0, 1, 2), (all_below_0, 0, 1, 2)]
    for size in (0.5, 2.0):  # genders that matter little, so that exclusion decides, and genders that matter much
        roles, genders = 2 * rng.normal(size=(6, 5)), size * rng.normal(size=(2, 5))
        vectors = np.concatenate([roles + genders[0], roles + genders[1]]) * rng.uniform(0.8, 1.25, size=(12, 1))
        vectors = np.concatenate([vectors, 6 * rng.normal(size=(3, 5))])
        cases += [(vectors, a, a + 6, c) for a in range(6) for c in range(6) if a != c]
    return compare(answer, best, cases, mistakes, "and the words of the question are left out.")


def optimum(answer: Callable) -> Result:
    """``answer(counts, k, power)`` -> table of products w.c at the minimum of negative sampling."""

    def best(counts, k, power, sign=1.0, axis=0, times=True, whole=np.sum):
        weights = counts.sum(axis) ** power
        q = weights / whole(weights)
        drawn = counts.sum(1, keepdims=True) * (q if axis == 0 else q[:, None])
        return np.log(counts / drawn) - sign * np.log(k) * times

    mistakes = {
        "the sign of ln k is wrong: more noise makes 'no' likelier, so products are smaller.": lambda x, k, a: best(
            x, k, a, sign=-1.0
        ),
        "the number of noise words k is missing.": lambda x, k, a: best(x, k, a, times=False),
        "the power is ignored: with noise q the optimum is ln x_ij / (k x_i q_j).": lambda x, k, a: best(x, k, 1.0),
        "this is the probability of yes; the product is its logit.": lambda x, k, a: 1 / (1 + np.exp(-best(x, k, a))),
        "these are bits: the sigmoid belongs to the natural logarithm.": lambda x, k, a: best(x, k, a) / np.log(2),
        "replace no value by 0: only the positive PMI does that.": lambda x, k, a: np.maximum(best(x, k, a), 0),
        "the noise is drawn by the sums of the columns, not of the rows.": lambda x, k, a: best(x, k, a, axis=1),
        "q does not sum to 1: divide the powers by their sum.": lambda x, k, a: best(x, k, a, whole=lambda q: 1),
        "shares to a power do not sum to 1: divide by their sum once more.": lambda x, k, a: best(
            x, k, a, whole=lambda q: x.sum() ** a
        ),
        "noise is drawn k times for each of the x_i pairs of word i: x_i is missing.": lambda x, k, a: (
            best(x, k, a) + np.log(x.sum(1, keepdims=True) / x.sum())
        ),
    }
    rng = np.random.default_rng(0)
    cases = [
        (rng.integers(1, 20, size=shape).astype(float), k, power)
        for shape, k, power in (((3, 4), 1, 1.0), ((4, 4), 5, 1.0), ((2, 5), 5, 0.75), ((3, 3), 2, 0.0))
    ]
    praise = "the log of how much more often text says yes than noise says no."
    return compare(answer, best, cases, mistakes, praise)

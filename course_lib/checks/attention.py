"""Checks for the exercises of the chapter on attention, with those on self-attention from their own module."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from course_lib.checks import Result, compare
from course_lib.checks.self_attention import convolution, heads, masked, online, order, previous

__all__ = [
    "additive_weights",
    "attend_by_hand",
    "convolution",
    "heads",
    "masked",
    "normalised_over",
    "online",
    "order",
    "previous",
    "scaled_dot_product",
    "softmax_backward",
]


def attend_by_hand(answer: Callable) -> Result:
    """``answer(query, keys, values)`` -> [weights, weighted mean], scores without a divisor."""

    def attend(query, keys, values, score=None, weigh=None, total=None):
        scores = [(score or _dot)(query, key) for key in keys]
        weights = (weigh or _softmax)(np.array(scores, dtype=float)).tolist()
        return [weights, total(weights, values) if total else _dot(weights, values)]

    def cosine(query, key):
        return _dot(query, key) / math.sqrt(_dot(query, query) * _dot(key, key))

    mistakes = {
        "the scores were divided by the root of their width: here they are to be used as they are.": lambda *c: attend(
            *c, score=lambda q, k: _dot(q, k) / math.sqrt(len(q))
        ),
        "this is the cosine: the score is the dot product, not divided by the lengths.": lambda *c: attend(
            *c, score=cosine
        ),
        "the scores were divided by their sum: the softmax takes exponentials first.": lambda *c: attend(
            *c, weigh=lambda e: e / e.sum()
        ),
        "the exponentials are not yet weights: divide them by their sum.": lambda *c: attend(*c, weigh=np.exp),
        "the values were added up without their weights.": lambda *c: attend(*c, total=lambda w, v: sum(v)),
        "a weighted mean is the sum of weight times value: do not divide by the number of values again.": lambda *c: (
            attend(*c, total=lambda w, v: _dot(w, v) / len(v))
        ),
        "this is the value of the best key: mix all values, each with its weight.": lambda *c: attend(
            *c, total=lambda w, v: v[int(np.argmax(w))]
        ),
    }
    cases = [
        ([1.0, 2.0], [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], [3.0, 6.0, 9.0]),
        ([0.5, -1.0, 2.0, 1.0], [[1.0, 0.2, 0.1, 0.4], [0.3, -0.4, 0.5, 0.1]], [-2.0, 5.0]),
        ([1.5], [[1.0], [2.0], [0.5], [1.2]], [1.0, 0.0, -4.0, 2.0]),
    ]
    return compare(answer, attend, cases, mistakes, "the weights sum to 1, and the output lies among the values.")


def normalised_over(answer: Callable) -> Result:
    """``answer(weights)`` -> which sums are 1: "keys" (rows), "queries" (columns), "both" or "neither"."""

    def sums(weights, low=0.0, tolerance=1e-6, passes=lambda off, tolerance: (abs(off) < tolerance).all()):
        if weights.min() < low:
            return "neither"
        over = [bool(passes(weights.sum(axis=axis) - 1, tolerance)) for axis in (1, 0)]
        return {(True, True): "both", (True, False): "keys", (False, True): "queries"}.get(tuple(over), "neither")

    turned = {"keys": "queries", "queries": "keys"}
    mistakes = {
        "rows are queries: a row sums over the keys, so its sums are 1 when it was normalised over the keys.": lambda w: (
            turned.get(sums(w), sums(w))
        ),
        "weights are never negative, whatever they sum to.": lambda w: sums(w, low=-math.inf),
        "both sums can be 1: look at the columns too, after the rows have passed.": lambda w: (
            "keys" if sums(w) == "both" else sums(w)
        ),
        "every row has to sum to 1: one of them does not tell.": lambda w: sums(
            w, passes=lambda off, tolerance: abs(off[0]) < tolerance
        ),
        "the mean of all sums is 1 either way: every row has to sum to 1.": lambda w: sums(
            w, passes=lambda off, tolerance: abs(off.mean()) < tolerance
        ),
        "a sum far below 1 passes as well: compare the absolute value of the difference with 1e-6.": lambda w: sums(
            w, passes=lambda off, tolerance: (off < tolerance).all()
        ),
        "a sum of 0.999 is not 1: allow 1e-6, no more.": lambda w: sums(w, tolerance=0.01),
        "exact equality is too strict: sums of floats are off by rounding, so allow 1e-6.": lambda w: sums(
            w, tolerance=1e-300
        ),
    }
    rng = np.random.default_rng(0)
    rows = _softmax(2 * rng.normal(size=(5, 5)))
    uneven = rows.copy()
    uneven[3] *= 0.5  # the first row still sums to 1
    signed = np.array([[1.4, -0.4], [-0.4, 1.4]])
    cases = [rows, rows.T.copy(), np.full((7, 7), 1 / 7), np.eye(3), rows * 2, uneven, uneven.T.copy(), signed]
    cases += [rows * 0.999, np.array([[0.5, 0.25], [0.25, 0.5]])]
    return compare(answer, sums, [(case,) for case in cases], mistakes, "shapes do not tell, sums do.")


def softmax_backward(answer: Callable) -> Result:
    """``answer(weights, g)`` -> the gradient by the scores, weights * (g - sum of weights * g)."""

    def right(weights, g):
        return weights * (g - (weights * g).sum(axis=-1, keepdims=True))

    mistakes = {
        "only the diagonal of the Jacobian is there: a score moves all the other weights too.": lambda a, g: (
            a * (1 - a) * g
        ),
        "compare g with its mean under the weights: a plain mean counts all places alike.": lambda a, g: (
            a * (g - g.mean(axis=-1, keepdims=True))
        ),
        "the weighted mean is missing: without it the gradient is not zero for equal g.": lambda a, g: a * g,
        "a factor of the weight is missing: a place that is not looked at hears nothing.": lambda a, g: (
            g - (a * g).sum(axis=-1, keepdims=True)
        ),
        "both terms have the factor of the weight: a * g and a times the mean.": lambda a, g: (
            a * g - (a * g).sum(axis=-1, keepdims=True)
        ),
        "g is compared with a plain sum: take its mean under the weights.": lambda a, g: (
            a * (g - g.sum(axis=-1, keepdims=True))
        ),
        "the sum runs over the keys of each query: the last axis, one row at a time.": lambda a, g: (
            a * (g - (a * g).sum(axis=0, keepdims=True))
        ),
        "the whole matrix was taken for one distribution: each row has a mean of its own.": lambda a, g: (
            a * (g - (a * g).sum())
        ),
        "the sign is wrong: a place with a larger g has its score's gradient above zero.": lambda a, g: -right(a, g),
    }
    rng = np.random.default_rng(0)
    cases = [(_softmax(rng.normal(size=shape)), rng.normal(size=shape)) for shape in ((2, 3), (4, 4), (1, 6), (5, 2))]
    return compare(answer, right, cases, mistakes, "each row of the gradient sums to zero.")


def scaled_dot_product(answer: Callable) -> Result:
    """``answer(q, k, v)`` -> as ``torch.nn.functional.scaled_dot_product_attention``."""

    def right(q, k, v):
        import torch

        tensors = (torch.from_numpy(np.ascontiguousarray(x)) for x in (q, k, v))
        return torch.nn.functional.scaled_dot_product_attention(*tensors).numpy()

    def variant(q, k, v, divisor=None, axis=-1):
        scores = q @ k.swapaxes(-1, -2) / (math.sqrt(q.shape[-1]) if divisor is None else divisor(q, k))
        return _softmax(scores, axis) @ v

    mistakes = {
        "the scores are not divided by the root of d_k.": lambda *c: variant(*c, divisor=lambda q, k: 1.0),
        "divide by the root of d_k, not by d_k.": lambda *c: variant(*c, divisor=lambda q, k: q.shape[-1]),
        "d_k is the width of a query, its last axis: you took the number of keys.": lambda *c: variant(
            *c, divisor=lambda q, k: math.sqrt(k.shape[-2])
        ),
        "d_k is the last axis of q: q.shape[1] is another when there are axes in front.": lambda *c: variant(
            *c, divisor=lambda q, k: math.sqrt(q.shape[1])
        ),
        "the softmax runs over the queries: its rows must sum to 1 over the keys, the last axis.": lambda *c: variant(
            *c, axis=-2
        ),
        "all scores were taken for one distribution: each row sums to 1, over the last axis.": lambda *c: variant(
            *c, axis=None
        ),
        "these are the weights: multiply them by the values.": lambda q, k, v: _softmax(
            q @ k.swapaxes(-1, -2) / math.sqrt(q.shape[-1])
        ),
    }
    rng = np.random.default_rng(0)
    shapes = (((3, 4), (5, 4), (5, 2)), ((2, 4, 9), (2, 6, 9), (2, 6, 3)), ((2, 3, 1, 16), (2, 3, 2, 16), (2, 3, 2, 4)))
    cases = [tuple(rng.normal(size=shape) for shape in shape3) for shape3 in shapes]
    result = compare(answer, right, cases, mistakes, "as PyTorch's, with any number of axes in front.")
    if not result:
        return result
    large = tuple(1000 * x for x in cases[0])
    if not compare(answer, right, [large]):
        return Result(False, "large scores overflow: take the highest score of each row off before exp.")
    return result


def additive_weights(answer: Callable) -> Result:
    """``answer(queries, keys, W, U, v, lengths)`` -> softmax over the real keys of v . tanh(W q + U k)."""

    def weigh(
        queries, keys, W, U, v, lengths, squash=np.tanh, early=lambda x: x, low=-np.inf, after=False, outside=False,
        axis=-1,
    ):  # fmt: skip
        a, b = early(queries @ W.T), early(keys @ U.T)
        hidden = a[:, :, None] + b[:, None]
        scores = np.tanh(hidden @ v) if outside else squash(hidden) @ v
        real = (np.arange(keys.shape[1]) < lengths[:, None])[:, None]
        if after:
            return np.where(real, _softmax(scores), 0.0)
        return _softmax(scores if low is None else np.where(real, scores, low), axis)

    mistakes = {
        "the padding has weight: bar the places behind each length before the softmax.": lambda *c: weigh(*c, low=None),
        "a padding's score of 0 still has weight, since e^0 = 1: it has to be -inf.": lambda *c: weigh(*c, low=0.0),
        "the first place of padding has weight: places are counted from 0, so place s is real if s < length.": (
            lambda *c: weigh(*c[:5], c[5] + 1)
        ),
        "the padding was set to zero after the softmax: the rest no longer sums to 1. Bar it before.": lambda *c: weigh(
            *c, after=True
        ),
        "the tanh is missing: without it the query's part is the same for all keys, and drops out.": lambda *c: weigh(
            *c, squash=lambda x: x
        ),
        "the tanh stands inside, before v: v . tanh(W q + U k).": lambda *c: weigh(*c, outside=True),
        "one tanh of the sum, v . tanh(W q + U k): with two the query's part drops out.": lambda *c: weigh(
            *c, squash=lambda x: x, early=np.tanh
        ),
        "W belongs to the queries and U to the keys: they are exchanged.": lambda q, k, W, U, v, lengths: weigh(
            q, k, U, W, v, lengths
        ),
        "the softmax runs over the queries: the weights of one query sum to 1 over the keys.": lambda *c: weigh(
            *c, axis=1
        ),
    }
    rng = np.random.default_rng(0)
    cases = [
        (*(rng.normal(size=s) for s in ((B, T, D), (B, S, D), (A, D), (A, D), (A,))), np.array(lengths))
        for B, T, S, D, A, lengths in ((2, 3, 4, 5, 6, [4, 2]), (3, 1, 5, 2, 3, [1, 5, 3]), (1, 4, 3, 3, 2, [2]))
    ]
    wide = rng.normal(size=(2, 2, 3)), rng.normal(size=(2, 4, 2)), rng.normal(size=(5, 3)), rng.normal(size=(5, 2))
    praise = "B x T x S x A numbers at once, where the dot product needs B x T x S."
    result = compare(answer, weigh, cases, mistakes, praise)
    if not result:
        return result
    return compare(answer, weigh, [(*wide, rng.normal(size=5), np.array([4, 3]))], {}, praise)


def _dot(a, b) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True))


def _softmax(scores: np.ndarray, axis: int = -1) -> np.ndarray:
    e = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)

"""Checks for the exercises of the chapter on the learning recipe, with those on optimisers from their own module."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np

from course_lib.checks import Result, compare
from course_lib.checks.optimizers import adam, clip, largest_rate, momentum_weights, uncorrected_step

__all__ = [
    "adam",
    "batch_noise",
    "clip",
    "is_partition",
    "largest_rate",
    "loss_gradient",
    "momentum_weights",
    "one_step",
    "sgd_box",
    "uncorrected_step",
]


def _softmax(z, axis=-1):
    e = np.exp(z - np.max(z, axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def one_step(answer: Callable) -> Result:
    """``answer(z, observed, eta)`` -> the row of logits after one step of SGD on the surprisal of ``observed``."""

    def stepped(direction):
        def f(z, observed, eta):
            y = np.eye(len(z))[observed]
            return (np.array(z) + direction(_softmax(np.array(z)), y, eta)).tolist()

        return f

    mistakes = {
        "the sign is wrong: the word that came has become less probable.": stepped(lambda q, y, eta: eta * (q - y)),
        "this is the change: add it to the old logits.": lambda z, o, eta: (
            -eta * (_softmax(np.array(z)) - np.eye(len(z))[o])
        ),
        "only the word that came was moved; all others were expected with probability q and did not come.": stepped(
            lambda q, y, eta: eta * (1 - q) * y
        ),
        "the word that came is missing: the gradient is q - y, not q.": stepped(lambda q, y, eta: -eta * q),
        "what was expected is missing: the gradient is q - y, not -y.": stepped(lambda q, y, eta: eta * y),
        "the rate is missing.": stepped(lambda q, y, eta: y - q),
        "z holds logits: the model's expectation is their softmax.": lambda z, o, eta: (
            np.array(z) - eta * (np.array(z) - np.eye(len(z))[o])
        ),
        "the step starts from the logits z, not from the probabilities.": lambda z, o, eta: (
            _softmax(np.array(z)) - eta * (_softmax(np.array(z)) - np.eye(len(z))[o])
        ),
    }
    cases = [([0.0, 0.0, 0.0], 0, 0.3), ([1.0, -0.5, 0.2, 2.0], 2, 0.1), ([3.0, 1.0], 1, 2.0)]
    right = stepped(lambda q, y, eta: -eta * (q - y))
    return compare(answer, right, cases, mistakes, "what came rises, the rest pays.")


def _slope(theta: np.ndarray, i: int) -> np.ndarray:
    """The gradient of an example of its own curvature: (1 + i) (theta - i)."""
    return (1 + i) * (theta - i)


def sgd_box(answer: Callable) -> Result:
    """``answer(theta0, gradient, order, eta)`` -> all parameters of SGD, the start included."""

    def right(theta0, gradient, order, eta):
        theta = [theta0]
        for i in order:
            theta.append(theta[-1] - eta * gradient(theta[-1], i))
        return theta

    def last_entry(theta0, gradient, order, eta):  # s = 0 at first, so that theta[s - 1] is theta[-1]
        theta = [theta0]
        for s, i in enumerate(order):
            theta.append(theta[s - 1] - eta * gradient(theta[s - 1], i))
        return theta

    def stale(theta0, gradient, order, eta):
        theta = [theta0]
        for i in order:
            theta.append(theta[-1] - eta * gradient(theta0, i))
        return theta

    def one_late(theta0, gradient, order, eta):  # the gradient lags one step behind
        theta = [theta0]
        for i in order:
            theta.append(theta[-1] - eta * gradient(theta[max(len(theta) - 2, 0)], i))
        return theta

    mistakes = {
        "s starts at 0, so theta[s - 1] is theta[-1], the last entry of the list, and half of the steps are lost.": last_entry,
        "every gradient is taken at the start: take it at theta^(s-1).": stale,
        "the gradient is taken one step too early: at theta^(s-1), not at theta^(s-2).": one_late,
        "the start is missing: the list begins with theta^(0).": lambda *case: right(*case)[1:],
        "return all of them, not only the last.": lambda *case: right(*case)[-1],
        "the sign is wrong: the steps go uphill.": lambda t, g, order, eta: right(t, g, order, -eta),
        "visit the examples in the given order.": lambda t, g, order, eta: right(t, g, sorted(order), eta),
        "the example is the entry of `order`, not its position there.": lambda t, g, order, eta: right(
            t, g, range(len(order)), eta
        ),
        "all entries are one array, changed in place: make a new one at each step.": lambda *case: (
            right(*case)[-1:] * (len(case[2]) + 1)
        ),
    }
    cases = [
        (np.array([1.0, -2.0]), _slope, [2, 0, 1, 1, 2, 0], 0.1),
        (np.array([-2.0]), _slope, [3, 1, 2], 0.05),
    ]
    return compare(answer, right, cases, mistakes, "each step starts where the one before it ended.")


def is_partition(answer: Callable) -> Result:
    """``answer(batches, N)`` -> whether the batches hold each of 0 ... N-1 exactly once."""

    def flat(batches):
        return [i for b in batches for i in b]

    def everything(batches, N):
        return set(flat(batches)) == set(range(N))

    mistakes = {
        "an empty intersection of all batches is not enough: [0, 1], [1, 2], [2, 0] overlap in pairs.": lambda bs, N: (
            everything(bs, N) and not set.intersection(*map(set, bs))
        ),
        "no two may share an example: the union alone says nothing about that.": everything,
        "the batches are disjoint, but are all examples there?": lambda bs, N: all(
            not set(a) & set(b) for a, b in itertools.combinations(bs, 2)
        ),
        "as many entries as examples is not enough: one may come twice and another be missing.": lambda bs, N: (
            len(flat(bs)) == N
        ),
        "a smaller last batch is allowed.": lambda bs, N: (
            sorted(flat(bs)) == list(range(N)) and len({len(b) for b in bs}) == 1
        ),
        "compare every two batches, not only neighbours.": lambda bs, N: (
            everything(bs, N) and not any(set(a) & set(b) for a, b in itertools.pairwise(bs))
        ),
        "N different numbers need not be the examples 0 ... N-1.": lambda bs, N: (
            len(flat(bs)) == len(set(flat(bs))) == N
        ),
    }
    cases = [
        ([[0, 3], [1, 2]], 4),
        ([[4, 0], [2, 1], [3]], 5),
        ([[0, 1], [1, 2], [2, 0]], 3),
        ([[0, 1], [3]], 4),
        ([[0, 3], [3, 0]], 4),
        ([[0, 1, 2], [2, 3]], 4),
        ([[2, 0, 1]], 3),
        ([[3], [0, 2, 1]], 4),
        ([[4], [0, 1], [2], [3, 0]], 5),
        ([[0, 1], [2, 4]], 4),
        ([[0, 1], [2, 3, 4]], 4),
    ]
    return compare(
        answer, lambda bs, N: sorted(flat(bs)) == list(range(N)), cases, mistakes, "each example once, none twice."
    )


def loss_gradient(answer: Callable) -> Result:
    """``answer(logits, targets)`` -> gradient (B, V) of the mean surprisal with respect to the logits."""

    def right(z, t):
        return (_softmax(z) - np.eye(z.shape[1])[t]) / len(t)

    def unsafe(z, t, largest=0.0):
        e = np.exp(z - largest)
        return (e / e.sum(axis=1, keepdims=True) - np.eye(z.shape[1])[t]) / len(t)

    mistakes = {
        "the loss is the mean over the batch: divide by B.": lambda z, t: right(z, t) * len(t),
        "the sign is wrong: this is the gradient of the log-likelihood.": lambda z, t: -right(z, t),
        "the softmax runs over the words (axis 1), not over the batch.": lambda z, t: (
            (_softmax(z, axis=0) - np.eye(z.shape[1])[t]) / len(t)
        ),
        "the one-hot vectors are missing: subtract 1 at each target.": lambda z, t: _softmax(z) / len(t),
        "with logits of 1,000 the exponential overflows: subtract the largest logit of each row first.": unsafe,
        "subtract the largest logit of each row, not of all: else the exponentials of a row may all be zero.": lambda z, t: (
            unsafe(z, t, z.max())
        ),
        "divide by the number of rows B, not by the number of words.": lambda z, t: right(z, t) * len(t) / z.shape[1],
        "divide by the number of rows B, not by that of all entries.": lambda z, t: right(z, t) / z.shape[1],
        "q[:, targets] is in every row the columns of all targets: index rows and columns together.": lambda z, t: (
            (_softmax(z) - np.isin(np.arange(z.shape[1]), t)) / len(t)
        ),
    }
    rng = np.random.default_rng(0)
    cases = [
        (rng.normal(size=(3, 5)), np.array([0, 4, 2])),
        (rng.normal(size=(2, 4)) * 3, np.array([1, 1])),
        (np.array([[1000.0, 999.0, 0.0], [0.0, 2.0, 1.0]]), np.array([1, 0])),
    ]
    return compare(answer, right, cases, mistakes, "what was expected, minus what came.")


def batch_noise(answer: Callable) -> Result:
    """``answer(G, B)`` -> root mean square distance of the mean of B different rows from the mean of all."""

    def right(G, B):  # by enumeration
        means = np.array([G[list(batch)].mean(axis=0) for batch in itertools.combinations(range(len(G)), B)])
        return math.sqrt(((means - G.mean(axis=0)) ** 2).sum(axis=1).mean())

    def formula(G, B, factor):
        return math.sqrt(((G - G.mean(axis=0)) ** 2).sum(axis=1).mean() / B * factor(len(G), B))

    mistakes = {
        "this holds for examples that are put back: the batch has B different ones.": lambda G, B: formula(
            G, B, lambda N, B: 1
        ),
        "this is the variance: the distance is its root.": lambda G, B: right(G, B) ** 2,
        "the factor is (N - B)/(N - 1), not (N - B)/N.": lambda G, B: formula(G, B, lambda N, B: (N - B) / N),
        "the noise of a single example: a batch of B has 1/sqrt(B) of it.": lambda G, B: (
            formula(G, 1, lambda N, _: 1) * math.sqrt((len(G) - B) / (len(G) - 1))
        ),
        "sum the squares over the parameters: a distance, not an average over coordinates.": lambda G, B: (
            right(G, B) / math.sqrt(G.shape[1])
        ),
        "the correction, too, stands under the root.": lambda G, B: formula(
            G, B, lambda N, B: ((N - B) / (N - 1)) ** 2
        ),
        "the distance is from the full gradient: subtract it before you square.": lambda G, B: math.sqrt(
            (G**2).sum(axis=1).mean() / B * (len(G) - B) / (len(G) - 1)
        ),
        "the variance is a mean over all N here: dividing by N - 1 is part of the correction.": lambda G, B: formula(
            G, B, lambda N, B: N / (N - 1) * (N - B) / (N - 1)
        ),
    }
    G = np.random.default_rng(2).normal(size=(8, 3))
    cases = [(G.copy(), B) for B in (2, 5, 8)]
    return compare(answer, right, cases, mistakes, "all batches, enumerated, say the same.")

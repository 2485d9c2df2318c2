"""Checks for the exercises of the chapter on learning by gradient."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np

from course_lib.checks import Result, compare


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


def clip(answer: Callable) -> Result:
    """``answer(gradients, limit)`` -> the list scaled as a whole to a norm of at most ``limit``."""

    def norm(gradients):
        return math.sqrt(sum(float((g**2).sum()) for g in gradients))

    def right(gradients, limit):
        return [g * (limit / max(limit, norm(gradients))) for g in gradients]

    mistakes = {
        "each entry was cut by itself, which turns the direction: scale all by one factor.": lambda gs, c: [
            np.clip(g, -c, c) for g in gs
        ],
        "each array was scaled by itself: take the norm of all of them together.": lambda gs, c: [
            g * min(1.0, c / norm([g])) for g in gs
        ],
        "a gradient shorter than the limit must be left as it is.": lambda gs, c: [g * c / norm(gs) for g in gs],
        "the root is missing: this is the squared norm.": lambda gs, c: [g * min(1.0, c / norm(gs) ** 2) for g in gs],
        "the norms do not add up: the squares do.": lambda gs, c: [
            g * min(1.0, c / sum(norm([a]) for a in gs)) for g in gs
        ],
        "it is the norm that must not exceed the limit, not its square.": lambda gs, c: [
            g * c / norm(gs) if norm(gs) ** 2 > c else g for g in gs
        ],
        "scale to the limit, not to length 1.": lambda gs, c: [g / norm(gs) if norm(gs) > c else g for g in gs],
        "nothing was scaled.": lambda gs, c: list(gs),
    }
    long = [np.array([3.0, -4.0]), np.array([[1.0, 2.0], [0.5, -2.0]])]
    cases = [([g.copy() for g in long], limit) for limit in (1.0, 100.0, 4.0, 10.0)]
    praise = "shorter if need be, and in the same direction."
    zero = [([np.zeros(2)], 1.0)]  # where dividing by the norm fails
    return compare(answer, right, cases, mistakes, praise) and compare(answer, right, zero, praise=praise)


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


def momentum_weights(answer: Callable) -> Result:
    """``answer(mu, k)`` -> the weights of g_1 ... g_k in the running sum m."""

    def right(mu, k):
        return [mu ** (k - j) for j in range(1, k + 1)]

    mistakes = {
        "the order is reversed: the newest gradient has weight 1, the oldest is the most faded.": lambda mu, k: right(
            mu, k
        )[::-1],
        "these are the weights of a mean, (1 - mu) times too small: here m is a sum.": lambda mu, k: [
            (1 - mu) * c for c in right(mu, k)
        ],
        "the newest gradient is not multiplied by mu.": lambda mu, k: [mu * c for c in right(mu, k)],
        "each step fades the past again: the weights are powers of mu.": lambda mu, k: [mu] * (k - 1) + [1.0],
        "the weights need not sum to one: m is a sum, not a mean.": lambda mu, k: [
            c / sum(right(mu, k)) for c in right(mu, k)
        ],
    }
    cases = [(0.9, 4), (0.5, 3), (0.99, 1)]
    return compare(answer, right, cases, mistakes, "their sum tends to 1 / (1 - mu).")


def largest_rate(answer: Callable) -> Result:
    """``answer(X)`` -> 2 / largest eigenvalue of the Hessian of the mean squared error."""

    def eigenvalues(X):
        return np.linalg.eigvalsh(X.T @ X)

    def right(X):
        return len(X) / float(eigenvalues(X)[-1])

    mistakes = {
        "this is 1 over the curvature: up to twice that still converges.": lambda X: right(X) / 2,
        "the square brings a factor of 2 into the curvature.": lambda X: right(X) * 2,
        "the loss is a mean: divide the matrix by N.": lambda X: 1 / float(eigenvalues(X)[-1]),
        "the steepest direction decides: take the largest eigenvalue, not the smallest.": lambda X: (
            len(X) / float(eigenvalues(X)[0])
        ),
        "this is the largest singular value of X; the curvature is its square.": lambda X: (
            len(X) / float(np.linalg.norm(X, 2))
        ),
        "take the largest eigenvalue of X^T X, not its trace, which is the sum of the squares of all entries of X.": (
            lambda X: len(X) / float(np.trace(X.T @ X))
        ),
        "the matrix of second derivatives is 2/N X^T X, not X^T X.": lambda X: 2 / float(eigenvalues(X)[-1]),
        "this is the best rate for plain descent: the limit depends on the largest curvature alone.": lambda X: (
            len(X) / float(eigenvalues(X)[[0, -1]].sum())
        ),
    }
    rng = np.random.default_rng(1)
    cases = [(rng.normal(size=(20, 3)),), (np.array([[1.0, 0.0], [1.0, 3.0], [1.0, 5.0]]),)]
    return compare(answer, right, cases, mistakes, "a hair more, and it runs away.")


def _bowl(theta: np.ndarray) -> np.ndarray:
    """A gradient whose entries differ in size and change sign on the way."""
    theta = np.asarray(theta)
    return np.array([0.01, 1.0, 50.0]) * (theta - np.array([1.0, -2.0, 0.02])) + 0.1 * np.sin(5 * theta)


def _sines(theta: np.ndarray) -> np.ndarray:
    """A tiny gradient, so that the place of epsilon matters."""
    return 1e-7 * np.cos(np.asarray(theta))


def _adam(
    theta, gradient, eta, steps, b1=0.9, b2=0.999, correct=(True, True), first=1, root=0, power=2, sign=1, keep=0
):
    """Adam with room for mistakes; ``root``: 1 with epsilon inside the root, 2 without any root; ``keep``: 1 with the
    corrected m and v in memory, 2 with one array for both."""
    m = v = np.zeros_like(theta)
    for k in range(first, first + steps):
        g = gradient(theta)
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * np.abs(g) ** power
        if keep == 2:
            m = v = b2 * m + (1 - b2) * g**2
        m_hat = m / (1 - b1**k) if correct[0] else m
        v_hat = v / (1 - b2**k) if correct[1] else v
        size = (np.sqrt(v_hat) + 1e-8, np.sqrt(v_hat + 1e-8), v_hat + 1e-8)[root]
        theta = theta - sign * eta * m_hat / size
        if keep == 1:
            m, v = m_hat, v_hat
    return theta


def adam(answer: Callable) -> Result:
    """``answer(theta, gradient, eta, steps)`` -> the parameters, as ``torch.optim.Adam`` moves them, to 1e-7."""
    import torch  # here: the other exercises do without

    def right(theta, gradient, eta, steps):
        p = torch.tensor(theta, dtype=torch.float64, requires_grad=True)
        optimizer = torch.optim.Adam([p], lr=eta)
        for _ in range(steps):
            p.grad = torch.from_numpy(gradient(p.detach().numpy().copy()))
            optimizer.step()
        return p.detach().numpy()

    def mistake(**wrong):
        return lambda *case: _adam(*case, **wrong)

    mistakes = {
        "the corrections for the start are missing.": mistake(correct=(False, False)),
        "the correction of v is missing.": mistake(correct=(True, False)),
        "the correction of m is missing.": mistake(correct=(False, True)),
        "k counts from 1: at the first update divide by 1 - beta.": mistake(first=2),
        "epsilon stands outside the root: sqrt(v) + eps.": mistake(root=1),
        "divide by the root of v, not by v.": mistake(root=2),
        "v averages the squares of the gradient.": mistake(power=1),
        "the two betas are exchanged: 0.9 for the direction, 0.999 for the size.": mistake(b1=0.999, b2=0.9),
        "the sign is wrong: these steps go uphill.": mistake(sign=-1),
        "k counts from 1: with k = 0 the corrections divide by zero.": mistake(first=0),
        "the corrections are for the step alone: keep m and v themselves as they are.": mistake(keep=1),
        "m and v are one array, changed in place: give each its own.": mistake(keep=2),
    }
    start = np.array([0.5, 0.5, 0.5])
    cases = [(start, _bowl, 0.1, 10), (-start, _bowl, 0.01, 3), (start, _sines, 0.01, 10)]
    safe = _with_copies(answer)
    return compare(safe, right, cases, mistakes, "torch.optim.Adam says the same.", tolerance=1e-7)


def _with_copies(answer: Callable) -> Callable:
    """The answer, kept from changing the array of a case in place."""

    def f(theta, *rest):
        return answer(theta.copy(), *rest)

    return f


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


def uncorrected_step(answer: Callable) -> Result:
    """``answer(k, b1, b2)`` -> length of Adam's k-th step over eta, uncorrected, for a constant gradient."""

    def right(k, b1, b2):
        return (1 - b1**k) / math.sqrt(1 - b2**k)

    mistakes = {
        "this is the other way round: the factor by which the corrections change the step.": lambda k, b1, b2: (
            1 / right(k, b1, b2)
        ),
        "v stands under a root.": lambda k, b1, b2: (1 - b1**k) / (1 - b2**k),
        "this is only the first step: after k steps the weights of m sum to 1 - beta_1^k.": lambda k, b1, b2: right(
            1, b1, b2
        ),
        "v is missing: it, too, starts at zero.": lambda k, b1, b2: 1 - b1**k,
        "m is missing: it, too, starts at zero.": lambda k, b1, b2: 1 / math.sqrt(1 - b2**k),
        "off by one: k counts from 1, and the first update makes m = (1 - beta_1) g.": lambda k, b1, b2: right(
            k + 1, b1, b2
        ),
        "the two betas are exchanged: beta_1 belongs to m, beta_2 to v.": lambda k, b1, b2: right(k, b2, b1),
        "with the corrections the length is 1; the question is about the method without them.": lambda k, b1, b2: 1.0,
    }
    cases = [(1, 0.9, 0.999), (2, 0.9, 0.999), (10, 0.9, 0.999), (100, 0.9, 0.99), (5, 0.5, 0.9)]
    praise = "too long at first, because v lags behind m."
    return compare(answer, right, cases, mistakes, praise, 1e-4)  # 1 - 0.999 costs digits

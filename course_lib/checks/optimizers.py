"""Checks for exercises on step sizes, momentum, Adam and clipping."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from course_lib.checks import Result, compare


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

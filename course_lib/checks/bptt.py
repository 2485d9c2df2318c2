"""Checks for the exercises of the chapter on backpropagation through time."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from course_lib.checks import Result, compare


def scalar_gradient(answer: Callable) -> Result:
    """``answer(w, x, h0, y)`` -> derivative by w of half the squared error of the last state of one tanh unit."""

    def walk(w, x, h0, y, used=lambda k, T: True, slope=lambda h: 1 - h**2, across=lambda w: w, shift=1, error=None):
        h = [h0]
        for value in x:
            h.append(math.tanh(value + w * h[-1]))
        total, delta = 0.0, h[-1] - y if error is None else error
        for k, t in enumerate(range(len(x), 0, -1)):
            delta *= slope(h[t])
            total += delta * h[t - shift] if used(k, len(x)) else 0.0
            delta *= across(w)
        return total

    def local(w, x, h0, y):
        h, total = h0, 0.0
        for value in x:
            old, h = h, math.tanh(value + w * h)
            total += (1 - h**2) * old
        return (h - y) * total

    mistakes = {
        "only the term of lag 0 is there: the previous state depends on w as well.": lambda *c: walk(
            *c, used=lambda k, T: k == 0
        ),
        "only the longest way is there, from the first use of w: the later uses have their own terms.": lambda *c: walk(
            *c, used=lambda k, T: k == T - 1
        ),
        "each use's message must still pass all later steps: for each a factor w and a slope of the tanh.": local,
        "this is the derivative of h_T: the loss puts the error h_T - y in front.": lambda *c: walk(*c, error=1.0),
        "the derivative of the tanh is missing: each step back passes a factor 1 - h².": lambda *c: walk(
            *c, slope=lambda h: 1.0
        ),
        "each step back crosses the weight once more: the factor w is missing.": lambda *c: walk(
            *c, across=lambda w: 1.0
        ),
        "w is multiplied with the state before, h_{t-1}, not with h_t.": lambda *c: walk(*c, shift=0),
        "the sign is wrong: the error is h_T - y.": lambda *c: -walk(*c),
        "the derivative of tanh is 1 - h², the square of h itself.": lambda *c: walk(*c, slope=lambda h: 1 - h),
    }
    cases = [(1.0, [-0.5, -1.0, 0.0], 1.0, 1.0), (-0.7, [0.3, 0.9, -0.4, 0.2], 0.5, -0.2), (1.4, [0.1], 0.8, 0.0)]
    return compare(answer, walk, cases, mistakes, "every use of the weight has its term.")


def count_paths(answer: Callable) -> Result:
    """``answer(T, k)`` -> [pairs of a loss and a use at or before it, those within blocks of k steps]."""

    def right(T, k):
        kept = sum(t % k + 1 for t in range(T))
        return [T * (T + 1) // 2, kept]

    mistakes = {
        "a loss also sees the use at its own step, of lag 0: count pairs with equal steps too.": lambda T, k: [
            T * (T - 1) // 2,
            sum(t % k for t in range(T)),
        ],
        "this is a window that slides along: with blocks, the first loss of a block sees only its own step.": lambda T, k: [
            T * (T + 1) // 2,
            sum(min(t + 1, k) for t in range(T)),
        ],
        "the last block may be shorter than k, and still counts.": lambda T, k: [
            T * (T + 1) // 2,
            T // k * (k * (k + 1) // 2),
        ],
        "a loss does not see later steps: count only uses at the same step or before.": lambda T, k: [
            T * T,
            T // k * k * k + (T % k) ** 2,
        ],
        "the last block may be shorter than k, and then has fewer pairs.": lambda T, k: [
            T * (T + 1) // 2,
            -(-T // k) * (k * (k + 1) // 2),
        ],
        "the second number is that of one block: add up all blocks.": lambda T, k: [T * (T + 1) // 2, k * (k + 1) // 2],
        "the second number is that of the pairs that are lost: return those that remain.": lambda T, k: [
            T * (T + 1) // 2,
            T * (T + 1) // 2 - right(T, k)[1],
        ],
    }
    cases = [(12, 4), (500, 20), (10, 4), (7, 1), (5, 9)]
    return compare(answer, right, cases, mistakes, "the pairs grow as T², those in blocks as T.")


def delta_step(answer: Callable) -> Result:
    """``answer(delta_next, from_loss, h, W_h)`` -> delta_t, (B, H)."""

    def right(delta_next, from_loss, h, W_h):
        return (from_loss + delta_next @ W_h) * (1 - h**2)

    mistakes = {
        "backwards the error is multiplied by W_h; forwards the state was, by its transpose.": lambda d, f, h, W: (
            (f + d @ W.T) * (1 - h**2)
        ),
        "the derivative of the tanh is missing: delta is the derivative by what enters it.": lambda d, f, h, W: (
            f + d @ W
        ),
        "both voices pass the tanh: multiply the sum by 1 - h².": lambda d, f, h, W: f + (d @ W) * (1 - h**2),
        "only one of the two voices passes the tanh: multiply the sum by 1 - h².": lambda d, f, h, W: (
            f * (1 - h**2) + d @ W
        ),
        "the next step's message passes W_h first, and then the tanh of this step.": lambda d, f, h, W: (
            f * (1 - h**2) + (d * (1 - h**2)) @ W
        ),
        "the message from the next step is missing.": lambda d, f, h, W: f * (1 - h**2),
        "the derivative of tanh is 1 - h², the square of h itself.": lambda d, f, h, W: (f + d @ W) * (1 - h),
        "the loss at this step is missing.": lambda d, f, h, W: (d @ W) * (1 - h**2),
        "h is the tanh already: its derivative is 1 - h², with no second tanh.": lambda d, f, h, W: (
            (f + d @ W) * (1 - np.tanh(h) ** 2)
        ),
    }
    rng = np.random.default_rng(0)
    cases = [
        (rng.normal(size=(B, H)), rng.normal(size=(B, H)), np.tanh(rng.normal(size=(B, H))), rng.normal(size=(H, H)))
        for B, H in ((1, 2), (3, 4), (5, 3))
    ]
    return compare(answer, right, cases, mistakes, "its own loss and the future, through one tanh.")


def numeric_derivative(answer: Callable) -> Result:
    """``answer(f, theta, eps)`` -> central differences, in the shape of theta, which stays as it was."""

    def differences(f, theta, up, down, width):
        found = np.zeros(theta.shape)
        for i in np.ndindex(theta.shape):
            a, b = theta.copy(), theta.copy()
            a[i] += up
            b[i] -= down
            found[i] = (f(a) - f(b)) / width
        return found

    def right(f, theta, eps):
        return differences(f, theta, eps, eps, 2 * eps)

    def drifting(f, theta, eps):
        theta, found = theta.copy(), np.zeros(theta.shape)
        for i in np.ndindex(theta.shape):
            theta[i] += eps
            high = f(theta)
            theta[i] -= 2 * eps
            found[i] = (high - f(theta)) / (2 * eps)
        return found

    def cubic(a):
        return float((a**3).sum() + a[0].prod())

    def wave(a):
        return float(np.sin(a).sum() * a.flat[0])

    rng = np.random.default_rng(0)
    cases = [(cubic, rng.normal(size=(2, 3)), 1e-2), (wave, rng.normal(size=4), 1e-1), (wave, np.ones(1), 1e-3)]
    kept = [case[1].copy() for case in cases]
    mistakes = {
        "this is a one-sided difference, whose error is of order eps: step to both sides.": lambda f, a, e: differences(
            f, a, e, 0.0, e
        ),
        "the two points are 2 eps apart: divide by that.": lambda f, a, e: differences(f, a, e, e, e),
        "the sign is wrong: the upper value minus the lower one.": lambda f, a, e: -right(f, a, e),
        "after an entry was moved it must be put back before the next one is moved.": drifting,
        "all entries are moved at once: move one at a time, and put the result in its place.": lambda f, a, e: (
            (f(a + e) - f(a - e)) / (2 * e)
        ),
        "every derivative is 0: did both steps move one array? a = theta makes no copy, theta.copy() does.": lambda f, a, e: (
            np.zeros(a.shape)
        ),
        "f wants an array in the shape of theta; it was given a flat one.": lambda f, a, e: right(
            f, a.ravel(), e
        ).reshape(a.shape),
    }
    result = compare(answer, right, cases, mistakes, "the error is of order eps².", tolerance=1e-7, lend=True)
    thetas = [case[1] for case in cases]
    if not all(a.shape == b.shape and np.allclose(a, b, 0, 1e-12) for a, b in zip(thetas, kept, strict=True)):
        return Result(False, "the array was changed: work on a copy, or put every entry back before the next one.")
    if result and not all(map(np.array_equal, thetas, kept)):
        hint = "adding eps and taking it away again leaves a rounding error: keep the old value and write that back."
        return Result(False, f"the derivatives are right, but the array was changed: {hint}")
    return result


def guaranteed_lag(answer: Callable) -> Result:
    """``answer(W_h, share)`` -> first k with (largest singular value)^k below share, or None."""

    def first(factor, share):
        return None if factor > 1 - 1e-9 else next(k for k in range(1, 100_000) if factor**k < share)

    def right(W, share):
        return first(np.linalg.norm(W, 2), share)

    def shifted(W, share, by):
        k = right(W, share)
        return None if k is None else k + by

    def by_powers(W, share):
        if right(W, share) is None:
            return None
        return next(k for k in range(1, 100_000) if np.linalg.norm(np.linalg.matrix_power(W, k), 2) < share)

    def equal_too(W, share):
        factor = np.linalg.norm(W, 2)
        return None if factor > 1 - 1e-9 else next(k for k in range(1, 100_000) if factor**k <= share + 1e-12)

    mistakes = {
        "that is the lag for the powers of W_h itself; asked is what the bound guarantees, tanh or not.": by_powers,
        "your bound may equal the share, but must be less: with γ = 0.5 and a share of 0.25 the lag is 3, not 2.": equal_too,
        "eigenvalues bound no single step: use the largest singular value.": lambda W, s: first(
            abs(np.linalg.eigvals(W)).max(), s
        ),
        "off by one: at your lag the bound is not yet below the share.": lambda W, s: shifted(W, s, -1),
        "off by one: the lag before yours is below the share already.": lambda W, s: shifted(W, s, 1),
        "that is the Frobenius norm, which also bounds each step, but not tightly: use the largest singular value.": lambda W, s: (
            first(np.linalg.norm(W), s)
        ),
    }
    q, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(4, 4)))
    cases = [
        (0.9 * q, 0.01),
        (0.45 * q, 0.5e-3),
        (np.array([[0.9, 8.0], [0.0, 0.9]]), 0.01),
        (np.array([[0.3, 0.7], [0.0, 0.3]]), 0.05),
        (1.2 * q, 0.5),
        (0.995 * q, 1e-3),
        (np.array([[0.0, 0.5], [0.25, 0.0]]), 0.25),
        (np.eye(2), 0.5),
    ]
    return compare(answer, right, cases, mistakes, "and for the matrix that grows first, no guarantee is given.")


def state_jacobian(answer: Callable) -> Result:
    """``answer(states, W_h, k)`` -> dh_T/dh_{T-k}, entry [i, j] by component j of the earlier state."""

    def product(states, W, k, factor=lambda h, W: (1 - h**2)[:, None] * W, order=1, shift=0):
        T = len(states) - 1
        found = np.eye(len(W))
        for t in range(T, T - k, -1):
            one = factor(states[t - shift], W)
            found = found @ one if order == 1 else one @ found
        return found

    mistakes = {
        "the order of the factors is reversed: the latest step stands on the left.": lambda s, W, k: product(
            s, W, k, order=-1
        ),
        "the diagonal belongs on the left of W_h: the slopes are those of the later state.": lambda s, W, k: product(
            s, W, k, factor=lambda h, W: W * (1 - h**2)
        ),
        "step t has the slopes of its own state, 1 - h_t², not of the state before.": lambda s, W, k: product(
            s, W, k, shift=1
        ),
        "this is the transpose: rows belong to the later state.": lambda s, W, k: product(s, W, k).T,
        "the slopes of the tanh are missing.": lambda s, W, k: product(s, W, k, factor=lambda h, W: W),
        "inside the product W_h is not transposed: dh_t[i]/dh_{t-1}[j] = (1 - h_t[i]²) W_h[i, j].": lambda s, W, k: (
            product(s, W, k, factor=lambda h, W: (1 - h**2)[:, None] * W.T)
        ),
        "the states are tanh values already: the slope is 1 - h², with no second tanh.": lambda s, W, k: product(
            s, W, k, factor=lambda h, W: (1 - np.tanh(h) ** 2)[:, None] * W
        ),
        "lag k is counted back from the last state: these are the first k steps.": lambda s, W, k: product(
            s[: k + 1], W, k
        ),
        "one factor too many: over k steps there are k.": lambda s, W, k: product(s, W, k + 1),
        "one factor too few: over k steps there are k.": lambda s, W, k: product(s, W, max(k - 1, 0)),
    }
    rng = np.random.default_rng(0)
    cases = [
        (np.tanh(rng.normal(size=(6, H))), rng.normal(size=(H, H)), k) for H, k in ((3, 1), (3, 3), (2, 5), (4, 0))
    ]
    return compare(answer, product, cases, mistakes, "one factor for each step.")


def random_truncation(answer: Callable) -> Result:
    """``answer(terms, J, stop)`` -> the first J terms, each divided by the probability that it is used."""

    def weighted(weight):
        def f(terms, J, stop):
            kept = np.asarray(terms)[:J]
            return np.tensordot([weight(k, stop) for k in range(len(kept))], kept, axes=1)

        return f

    right = weighted(lambda k, stop: (1 - stop) ** -k)
    mistakes = {
        "these are the first terms as they are, which is biased: divide each by the probability that it is used.": weighted(
            lambda k, stop: 1.0
        ),
        "off by one: the term of lag 0 is always used, so its weight is 1.": weighted(
            lambda k, stop: (1 - stop) ** -(k + 1)
        ),
        "divide by the probability P(J > k) that term k is used, not by that of stopping just after it.": weighted(
            lambda k, stop: 1 / (stop * (1 - stop) ** k)
        ),
        "divide by the probability; you multiply, so that rare terms count even less.": weighted(
            lambda k, stop: (1 - stop) ** k
        ),
        "each term has a weight of its own; one weight for the whole sum does not make it right on average.": lambda terms, J, stop: (
            np.asarray(terms)[:J].sum(axis=0) * (1 - stop) ** -(J - 1)
        ),
        "the walk goes on with probability 1 - stop, not stop: divide by powers of that.": weighted(
            lambda k, stop: stop**-k
        ),
        "to reach lag k the walk must go on k times: the probability is a power of 1 - stop.": weighted(
            lambda k, stop: 1 / (1 - stop) if k else 1.0
        ),
        "the gradient is the sum of its terms, not their mean: do not divide by J.": lambda terms, J, stop: (
            right(terms, J, stop) / J
        ),
    }
    rng = np.random.default_rng(0)
    cases = [
        (rng.normal(size=(6, 2, 2)), 3, 0.2),
        (rng.normal(size=(6, 3)), 6, 0.5),
        (rng.normal(size=8), 1, 0.1),
        (rng.normal(size=(4, 1)), 9, 0.3),
    ]
    return compare(answer, right, cases, mistakes, "on average every term counts once.")


def leaky_jacobian(answer: Callable) -> Result:
    """``answer(a, W_h, alpha)`` -> Jacobian of one step of a leaky tanh unit, (H, H)."""

    def right(a, W, alpha):
        return (1 - alpha) * np.eye(len(W)) + alpha * (1 - np.tanh(a) ** 2)[:, None] * W

    mistakes = {
        "the direct path is missing: the old state also arrives by itself, times 1 - alpha.": lambda a, W, alpha: (
            alpha * (1 - np.tanh(a) ** 2)[:, None] * W
        ),
        "the direct path carries each component to itself: (1 - alpha) times the identity, not a number added everywhere.": lambda a, W, alpha: (
            (1 - alpha) + alpha * (1 - np.tanh(a) ** 2)[:, None] * W
        ),
        "alpha and 1 - alpha are exchanged.": lambda a, W, alpha: right(a, W, 1 - alpha),
        "the slope of the tanh is 1 - tanh(a)²; a itself has not passed it yet.": lambda a, W, alpha: (
            (1 - alpha) * np.eye(len(W)) + alpha * (1 - a**2)[:, None] * W
        ),
        "the factor alpha is missing before the path through the tanh.": lambda a, W, alpha: (
            (1 - alpha) * np.eye(len(W)) + (1 - np.tanh(a) ** 2)[:, None] * W
        ),
        "the slopes belong to the rows of W_h: those of the later state.": lambda a, W, alpha: (
            (1 - alpha) * np.eye(len(W)) + alpha * W * (1 - np.tanh(a) ** 2)
        ),
        "the slope of the tanh is missing on the path through it.": lambda a, W, alpha: (
            (1 - alpha) * np.eye(len(W)) + alpha * W
        ),
        "the direct path carries 1 - alpha of the old state, not all of it.": lambda a, W, alpha: (
            right(a, W, alpha) + alpha * np.eye(len(W))
        ),
        "this is the transpose: rows belong to the later state.": lambda a, W, alpha: right(a, W, alpha).T,
    }
    rng = np.random.default_rng(0)
    cases = [(rng.normal(size=H), rng.normal(size=(H, H)), alpha) for H, alpha in ((2, 0.01), (3, 0.3), (4, 0.9))]
    return compare(answer, right, cases, mistakes, "a direct path, and one through the tanh.")

"""Wrong answers for the chapter on backpropagation through time: {label: [(words of the hint, answer), ...]}."""

import math

import numpy as np


def _states(w, x, h0):
    h = [h0]
    for value in x:
        h.append(math.tanh(value + w * h[-1]))
    return h


def _forward(w, x, h0, y, slope=True, product=True):
    """dh/dw carried forward, with one of its parts left out."""
    h, dh = h0, 0.0
    for value in x:
        new = math.tanh(value + w * h)
        dh = ((1 - new**2) if slope else 1.0) * (h + (w if product else 1.0) * dh)
        h = new
    return (h - y) * dh


def _lag_zero(w, x, h0, y):
    h = _states(w, x, h0)
    return (h[-1] - y) * (1 - h[-1] ** 2) * h[-2]


def _longest(w, x, h0, y):
    h = _states(w, x, h0)
    return (h[-1] - y) * h0 * w ** (len(x) - 1) * math.prod(1 - state**2 for state in h[1:])


def _local_sum(w, x, h0, y):
    h, total = h0, 0.0
    for value in x:
        new = math.tanh(value + w * h)
        total += (1 - new**2) * h
        h = new
    return (h - y) * total


def _in_place(f, theta, eps, back=0.0):
    found = np.zeros(theta.shape)
    for i in np.ndindex(theta.shape):
        theta[i] += eps
        high = f(theta)
        theta[i] -= 2 * eps
        found[i] = (high - f(theta)) / (2 * eps)
        theta[i] += back
    return found


def _rounded(f, theta, eps):
    return _in_place(f, theta, eps, back=eps)


def _same_array(f, theta, eps):
    found = np.zeros(theta.shape)
    for i in np.ndindex(theta.shape):
        up = down = theta
        up[i] += eps
        down[i] -= eps
        found[i] = (f(up) - f(down)) / (2 * eps)
    return found


def _flat(f, theta, eps):
    steps = eps * np.eye(theta.size)
    found = [(f(theta.ravel() + d) - f(theta.ravel() - d)) / (2 * eps) for d in steps]
    return np.reshape(found, theta.shape)


def _one_sided(f, theta, eps):
    found = np.zeros(theta.shape)
    for i in np.ndindex(theta.shape):
        moved = theta.copy()
        moved[i] += eps
        found[i] = (f(moved) - f(theta)) / eps
    return found


def _half(f, theta, eps):
    return np.array(
        [
            (f(theta + eps * d.reshape(theta.shape)) - f(theta - eps * d.reshape(theta.shape))) / eps
            for d in np.eye(theta.size)
        ]
    ).reshape(theta.shape)


def _powers(W, share):
    if np.linalg.norm(W, 2) >= 1:
        return None
    k, product = 1, W
    while np.linalg.norm(product, 2) >= share:
        k, product = k + 1, product @ W
    return k


def _first(factor, share):
    return math.ceil(math.log(share) / math.log(factor)) if factor < 1 else None


def _product(states, W, k, reverse=False, diagonal_right=False, shift=0):
    found = np.eye(len(W))
    steps = range(len(states) - 1, len(states) - 1 - k, -1)
    for t in reversed(steps) if reverse else steps:
        D = np.diag(1 - states[t - shift] ** 2)
        found = found @ (W @ D if diagonal_right else D @ W)
    return found


def _tail(states, W, k):
    return _product(states, W, k).T


WRONG = {
    "bptt-ex-scalar": [
        ("only the term of lag 0", _lag_zero),
        ("derivative of the tanh is missing", lambda *c: _forward(*c, slope=False)),
        ("factor w is missing", lambda *c: _forward(*c, product=False)),
        ("sign", lambda *c: -_forward(*c)),
        ("only the longest way", _longest),
        ("pass all later steps", _local_sum),
        ("derivative of h_T", lambda *c: _forward(*c) / (_states(*c[:3])[-1] - c[3])),
        ("but it should be", lambda w, x, h0, y: 0.5 * (_states(w, x, h0)[-1] - y) ** 2),
    ],
    "bptt-ex-paths": [
        ("lag 0", lambda T, k: (T * (T - 1) // 2, sum(t % k for t in range(T)))),
        ("slides along", lambda T, k: (T * (T + 1) // 2, sum(min(t, k) for t in range(1, T + 1)))),
        ("last block", lambda T, k: (T * (T + 1) // 2, (T // k) * k * (k + 1) // 2)),
        ("later steps", lambda T, k: (T**2, (T // k) * k**2 + (T % k) ** 2)),
        ("fewer pairs", lambda T, k: (T * (T + 1) // 2, math.ceil(T / k) * k * (k + 1) // 2)),
        ("one block", lambda T, k: (T * (T + 1) // 2, k * (k + 1) // 2)),
        ("are lost", lambda T, k: (T * (T + 1) // 2, sum(t - t % k for t in range(T)))),
        ("but it should be", lambda T, k: (T, k)),
    ],
    "bptt-ex-delta": [
        ("transpose", lambda d, f, h, W: (f + d @ W.T) * (1 - h * h)),
        ("tanh is missing", lambda d, f, h, W: f + d @ W),
        ("both voices", lambda d, f, h, W: f + d @ W * (1 - h * h)),
        ("loss at this step", lambda d, f, h, W: d @ W * (1 - h * h)),
        ("no second tanh", lambda d, f, h, W: (f + d @ W) / np.cosh(h) ** 2),
        ("passes W_h first", lambda d, f, h, W: f * (1 - h * h) + d * (1 - h * h) @ W),
        ("from the next step is missing", lambda d, f, h, W: f * (1 - h * h)),
        ("square of h", lambda d, f, h, W: (f + d @ W) * (1 - h)),
    ],
    "bptt-ex-numeric": [
        ("one-sided", _one_sided),
        ("2 eps apart", _half),
        ("the array was changed: work", _in_place),
        ("rounding", _rounded),
        ("no copy", _same_array),
        ("flat one", _flat),
        ("at once", lambda f, a, e: (f(a + e) - f(a - e)) / (2 * e)),
        ("sign", lambda f, a, e: -_half(f, a, e) / 2),
    ],
    "bptt-ex-lag": [
        ("eigenvalues", lambda W, s: _first(abs(np.linalg.eigvals(W)).max(), s)),
        (
            "off by one",
            lambda W, s: (
                None if np.linalg.norm(W, 2) >= 1 - 1e-9 else math.floor(math.log(s) / math.log(np.linalg.norm(W, 2)))
            ),
        ),
        ("Frobenius", lambda W, s: _first(np.linalg.norm(W), s)),
        ("powers of W_h itself", _powers),
        ("may equal the share, but", lambda W, s: _first(np.linalg.norm(W, 2), s)),
        ("but it should be", lambda W, s: next((k for k in range(1, 1001) if np.linalg.norm(W, 2) ** k < s), None)),
        ("but it should be", lambda W, s: 44),
    ],
    "bptt-ex-jacobian": [
        ("order", lambda s, W, k: _product(s, W, k, reverse=True)),
        ("on the left of W_h", lambda s, W, k: _product(s, W, k, diagonal_right=True)),
        ("state before", lambda s, W, k: _product(s, W, k, shift=1)),
        ("transpose", _tail),
        ("slopes of the tanh are missing", lambda s, W, k: np.linalg.matrix_power(W, k)),
        ("no second tanh", lambda s, W, k: _product(np.tanh(s), W, k)),
        ("first k steps", lambda s, W, k: _product(s[: k + 1], W, k)),
        ("too many", lambda s, W, k: _product(s, W, k + 1)),
        ("too few", lambda s, W, k: _product(s, W, max(k, 1) - 1)),
    ],
    "bptt-ex-random": [
        ("biased", lambda terms, J, stop: terms[:J].sum(axis=0)),
        (
            "off by one",
            lambda terms, J, stop: sum(g / (1 - stop) ** (k + 1) for k, g in enumerate(terms[:J])),
        ),
        (
            "stopping just after",
            lambda terms, J, stop: sum(g / (1 - stop) ** k / stop for k, g in enumerate(terms[:J])),
        ),
        ("you multiply", lambda terms, J, stop: sum(g * (1 - stop) ** k for k, g in enumerate(terms[:J]))),
        ("not stop", lambda terms, J, stop: sum(g / stop**k for k, g in enumerate(terms[:J]))),
        ("k times", lambda terms, J, stop: terms[0] + terms[1:J].sum(axis=0) / (1 - stop)),
        ("not their mean", lambda terms, J, stop: sum(g / (1 - stop) ** k for k, g in enumerate(terms[:J])) / J),
        ("weight of its own", lambda terms, J, stop: terms[:J].sum(axis=0) / (1 - stop) ** (J - 1)),
    ],
    "bptt-ex-leaky": [
        ("direct path is missing", lambda a, W, alpha: alpha * np.diag(1 - np.tanh(a) ** 2) @ W),
        ("identity", lambda a, W, alpha: 1 - alpha + alpha * np.diag(1 - np.tanh(a) ** 2) @ W),
        ("exchanged", lambda a, W, alpha: alpha * np.eye(len(a)) + (1 - alpha) * np.diag(1 - np.tanh(a) ** 2) @ W),
        ("factor alpha", lambda a, W, alpha: (1 - alpha) * np.eye(len(a)) + np.diag(1 - np.tanh(a) ** 2) @ W),
        ("slope of the tanh is missing", lambda a, W, alpha: (1 - alpha) * np.eye(len(a)) + alpha * W),
        ("not all of it", lambda a, W, alpha: np.eye(len(a)) + alpha * np.diag(1 - np.tanh(a) ** 2) @ W),
        (
            "this is the transpose",
            lambda a, W, alpha: (1 - alpha) * np.eye(len(a)) + alpha * W.T @ np.diag(1 - np.tanh(a) ** 2),
        ),
        ("rows of W_h", lambda a, W, alpha: (1 - alpha) * np.eye(len(a)) + alpha * W @ np.diag(1 - np.tanh(a) ** 2)),
    ],
}

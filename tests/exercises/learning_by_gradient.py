"""Wrong answers for the chapter on learning by gradient: {label: [(words of the hint, answer), ...]}."""

import itertools
import math

import numpy as np


def _q(z, axis=-1):
    e = np.exp(z - np.max(z, axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def _row(z, observed, eta, move):
    q, y = _q(np.array(z)), np.arange(len(z)) == observed
    return [a + b for a, b in zip(z, move(q, y, eta), strict=True)]


def _box(theta0, gradient, order, eta, at):
    theta = [theta0]
    for s, i in enumerate(order, start=1):
        theta.append(theta[at(s)] - eta * gradient(theta[at(s)], i))
    return theta


def _at_start(theta0, gradient, order, eta):
    steps = np.cumsum([eta * gradient(theta0, i) for i in order], axis=0)
    return [theta0, *(theta0 - steps)]


def _in_place(theta, gradient, order, eta):
    kept = [theta]
    for i in order:
        theta -= eta * gradient(theta, i)
        kept.append(theta)
    return kept


def _length(arrays):
    return math.sqrt(sum((a**2).sum() for a in arrays))


def _surprisal_gradient(z, t, axis=-1, divide=True, one_hot=True):
    g = _q(z, axis)
    if one_hot:
        g[range(len(t)), t] -= 1
    return g / len(t) if divide else g


def _naive(z, t):
    q = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    q[range(len(t)), t] -= 1
    return q / len(t)


def _every_column(z, t):
    q = _q(z)
    q[:, t] -= 1
    return q / len(t)


def _adam(theta, gradient, eta, steps, start=1, inside=False, fix_m=True, fix_v=True, b1=0.9, b2=0.999):
    m = v = 0.0
    for k in range(start, start + steps):
        g = gradient(theta)
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g * g
        a = m / (1 - b1**k) if fix_m else m
        b = v / (1 - b2**k) if fix_v else v
        theta = theta - eta * a / (np.sqrt(b + 1e-8) if inside else np.sqrt(b) + 1e-8)
    return theta


def _corrected_for_good(theta, gradient, eta, steps):
    m = v = 0.0
    for k in range(1, steps + 1):
        g = gradient(theta)
        m = (0.9 * m + 0.1 * g) / (1 - 0.9**k)
        v = (0.999 * v + 0.001 * g * g) / (1 - 0.999**k)
        theta = theta - eta * m / (np.sqrt(v) + 1e-8)
    return theta


def _one_array(theta, gradient, eta, steps):
    m = v = np.zeros_like(theta)
    for k in range(1, steps + 1):
        g = gradient(theta)
        m *= 0.9
        m += 0.1 * g
        v *= 0.999
        v += 0.001 * g**2
        theta = theta - eta * m / (1 - 0.9**k) / (np.sqrt(v / (1 - 0.999**k)) + 1e-8)
    return theta


def _spread(G, B):
    return ((G - G.mean(0)) ** 2).sum(1).mean() / B


WRONG = {
    "opt-ex-step": [
        ("less probable", lambda z, o, eta: _row(z, o, eta, lambda q, y, e: e * (q - y))),
        ("only the word that came", lambda z, o, eta: _row(z, o, eta, lambda q, y, e: e * y * (1 - q))),
        ("not q", lambda z, o, eta: _row(z, o, eta, lambda q, y, e: -e * q)),
        ("rate is missing", lambda z, o, eta: _row(z, o, eta, lambda q, y, e: y - q)),
        ("old logits", lambda z, o, eta: list(eta * ((np.arange(len(z)) == o) - _q(np.array(z))))),
        ("their softmax", lambda z, o, eta: [a - eta * (a - (v == o)) for v, a in enumerate(z)]),
        ("not from the probabilities", lambda z, o, eta: [q - eta * (q - (v == o)) for v, q in enumerate(_q(z))]),
    ],
    "opt-ex-box": [
        ("last entry of the list", lambda t, g, order, eta: _box(t, g, order, eta, at=lambda s: s - 2)),
        ("taken at the start", _at_start),
        ("start is missing", lambda t, g, order, eta: _box(t, g, order, eta, at=lambda s: s - 1)[1:]),
        ("uphill", lambda t, g, order, eta: _box(t, g, order, -eta, at=lambda s: s - 1)),
        ("not its position", lambda t, g, order, eta: _box(t, g, range(len(order)), eta, at=lambda s: s - 1)),
        ("changed in place", _in_place),
        ("stopped with IndexError", lambda t, g, order, eta: _box(t, g, order, eta, at=lambda s: s)),
    ],
    "opt-ex-clip": [
        ("each entry", lambda gs, c: [np.minimum(np.maximum(g, -c), c) for g in gs]),
        ("each array", lambda gs, c: [g * min(1, c / _length([g])) for g in gs]),
        ("shorter than the limit", lambda gs, c: [c * g / _length(gs) for g in gs]),
        ("root is missing", lambda gs, c: [g * min(1, c / sum((a**2).sum() for a in gs)) for g in gs]),
        ("do not add up", lambda gs, c: [g * min(1, c / sum(np.linalg.norm(a) for a in gs)) for g in gs]),
        ("not its square", lambda gs, c: [c * g / _length(gs) for g in gs] if _length(gs) ** 2 > c else gs),
        ("not to length 1", lambda gs, c: [g / _length(gs) for g in gs] if _length(gs) > c else gs),
        ("stopped with ZeroDivisionError", lambda gs, c: [g * min(1, c / _length(gs)) for g in gs]),
    ],
    "opt-ex-partition": [
        (
            "empty intersection",
            lambda bs, N: (
                not set(bs[0]).intersection(*bs[1:]) and set().union(*bs) == set(range(N)) if len(bs) > 1 else False
            ),
        ),
        ("union alone", lambda bs, N: set().union(*bs) == set(range(N))),
        ("are all examples there", lambda bs, N: len({i for b in bs for i in b}) == sum(len(b) for b in bs)),
        ("as many entries", lambda bs, N: sum(len(b) for b in bs) == N),
        (
            "not only neighbours",
            lambda bs, N: set().union(*bs) == set(range(N)) and all(not {*a} & {*b} for a, b in itertools.pairwise(bs)),
        ),
        ("need not be", lambda bs, N: N == len({i for b in bs for i in b}) == sum(len(b) for b in bs)),
        (
            "[2, 3, 4]], 4 you",
            lambda bs, N: {*range(N)} <= set().union(*bs) and len(set().union(*bs)) == sum(map(len, bs)),
        ),
    ],
    "opt-ex-gradient": [
        ("divide by B", lambda z, t: _surprisal_gradient(z, t, divide=False)),
        ("sign", lambda z, t: -_surprisal_gradient(z, t)),
        ("not over the batch", lambda z, t: _surprisal_gradient(z, t, axis=0)),
        ("one-hot", lambda z, t: _surprisal_gradient(z, t, one_hot=False)),
        ("overflows", _naive),
        ("row, not of all", lambda z, t: _naive(z - z.max(), t)),
        ("not by that of all entries", lambda z, t: _surprisal_gradient(z, t) / z.shape[1]),
        ("rows and columns together", _every_column),
    ],
    "opt-ex-momentum": [
        ("reversed", lambda mu, k: [mu**j for j in range(k)]),
        ("(1 - mu) times too small", lambda mu, k: [(1 - mu) * mu ** (k - j) for j in range(1, k + 1)]),
        ("not multiplied by mu", lambda mu, k: [mu ** (k + 1 - j) for j in range(1, k + 1)]),
        ("powers", lambda mu, k: [mu] * (k - 1) + [1.0]),
    ],
    "opt-ex-limit": [
        ("1 over the curvature", lambda X: 1 / np.linalg.eigvalsh(2 / len(X) * X.T @ X)[-1]),
        ("factor of 2", lambda X: 2 / np.linalg.eigvalsh(X.T @ X / len(X))[-1]),
        ("divide the matrix by N", lambda X: 2 / np.linalg.eigvalsh(2 * X.T @ X)[-1]),
        ("not the smallest", lambda X: 2 / np.linalg.eigvalsh(2 / len(X) * X.T @ X)[0]),
        ("not its trace", lambda X: len(X) / np.linalg.norm(X) ** 2),
        ("not X^T X", lambda X: 2 / np.linalg.norm(X.T @ X, 2)),
        ("best rate", lambda X: 2 / sum(np.linalg.eigvalsh(2 / len(X) * X.T @ X)[[0, -1]])),
    ],
    "opt-ex-adam": [
        ("corrections for the start are missing", lambda *case: _adam(*case, fix_m=False, fix_v=False)),
        ("correction of v", lambda *case: _adam(*case, fix_v=False)),
        ("k counts from 1", lambda *case: _adam(*case, start=2)),
        ("outside the root", lambda *case: _adam(*case, inside=True)),
        ("exchanged", lambda *case: _adam(*case, b1=0.999, b2=0.9)),
        ("k = 0", lambda *case: _adam(*case, start=0)),
        ("for the step alone", _corrected_for_good),
        ("one array", _one_array),
    ],
    "opt-ex-noise": [
        ("put back", lambda G, B: math.sqrt(_spread(G, B))),
        ("variance", lambda G, B: _spread(G, B) * (len(G) - B) / (len(G) - 1)),
        ("(N - B)/(N - 1)", lambda G, B: math.sqrt(_spread(G, B) * (1 - B / len(G)))),
        ("single example", lambda G, B: math.sqrt(_spread(G, 1) * (len(G) - B) / (len(G) - 1))),
        ("under the root", lambda G, B: math.sqrt(_spread(G, B)) * (len(G) - B) / (len(G) - 1)),
        ("subtract it", lambda G, B: math.sqrt((G**2).sum() / len(G) / B * (len(G) - B) / (len(G) - 1))),
        ("part of the correction", lambda G, B: math.sqrt(G.var(0, ddof=1).sum() / B * (len(G) - B) / (len(G) - 1))),
    ],
    "opt-ex-bias": [
        ("other way round", lambda k, b1, b2: math.sqrt(1 - b2**k) / (1 - b1**k)),
        ("under a root", lambda k, b1, b2: (1 - b1**k) / (1 - b2**k)),
        ("only the first step", lambda k, b1, b2: (1 - b1) / math.sqrt(1 - b2)),
        ("v is missing", lambda k, b1, b2: 1 - b1**k),
        ("off by one", lambda k, b1, b2: (1 - b1 ** (k + 1)) / math.sqrt(1 - b2 ** (k + 1))),
        ("exchanged", lambda k, b1, b2: (1 - b2**k) / math.sqrt(1 - b1**k)),
    ],
}

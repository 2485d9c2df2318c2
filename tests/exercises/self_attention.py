"""Wrong answers for the second half of the chapter on attention: {label: [(words of the hint, answer), ...]}."""

import numpy as np


def _softmax(scores, axis=-1):
    e = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def _barred(scores, allowed):
    return _softmax(np.where(allowed, scores, -np.inf))


def _down(scores, allowed):
    e = np.exp(scores - scores.max()) * allowed
    return np.divide(e, e.sum(0), out=np.zeros_like(e), where=e.sum(0) > 0)


def _nothing_is_equal(scores, allowed):
    return _softmax(np.where(allowed, scores, -1e9))


def _overflows(scores, allowed):
    e = np.where(allowed, np.exp(scores), 0.0)
    return e / np.maximum(e.sum(1, keepdims=True), 1e-300)


def _highest_of_all(scores, allowed):
    e = np.exp(scores - scores.max()) * allowed
    return e / np.maximum(e.sum(1, keepdims=True), 1e-300)


def _wrong_way_round(scores, allowed):
    return np.nan_to_num(_barred(scores, ~allowed))


def _told(f, x, p, along=lambda a, b, p: (a, b[p]), equal=np.allclose):
    a, b = f(x[p]), f(x)
    if equal(a, b):
        return "invariant"
    return "equivariant" if a.ndim == 2 and equal(*along(a, b, p)) else "neither"


def _by_shape(f, x, p):
    if f(x).ndim == 1:
        return "invariant"
    return "equivariant" if np.allclose(f(x)[p], f(x[p])) else "neither"


def _any_order(a, b, p):
    return np.sort(a, axis=0), np.sort(b, axis=0)


def _first_row_only(f, x, p):
    return _told(f, x, p, lambda a, b, p: (a[0], b[p[0]]))


def _by_mean(f, x, p):
    if f(x).ndim == 2:
        return "equivariant" if np.allclose(f(x).mean(0), f(x[p]).mean(0)) else "neither"
    return _told(f, x, p)


def _invariant_or_not(f, x, p):
    return "invariant" if np.allclose(f(x[p]), f(x)) else "neither"


def _no_rows(f, x, p):
    return "neither" if f(x).ndim == 1 else _told(f, x, p)


def _permuted_is_the_same(f, x, p):
    said = _told(f, x, p)
    return "invariant" if said == "equivariant" else said


def _heads(project=True, size=None, time=False, spread=False, swap=False, turned=False, first=True, last=True):
    def f(x, W_in, b_in, W_out, b_out, heads):
        (T, D), d_k = x.shape, x.shape[1] // heads
        joined = np.zeros((T, D))
        W_out, b_out = W_out.T if turned else W_out, b_out * last
        q, k, v = np.split(x @ W_in.T + b_in * first, 3, axis=1)
        if time:
            parts = [a.reshape(heads, T, d_k) for a in (q, k, v)]
            weights = _softmax(np.einsum("htk,hsk->hts", *parts[:2]) / d_k**0.5)
            joined = weights @ parts[2]
            joined = (joined.swapaxes(0, 1) if swap else joined).reshape(T, D)
        for i in range(0 if time else heads):
            own = slice(i, None, heads) if spread else slice(i * d_k, (i + 1) * d_k)
            scores = q[:, own] @ k[:, own].T / (d_k if size is None else size(D)) ** 0.5
            joined[:, own] = _softmax(scores) @ v[:, own]
        if swap and not time:  # once too often
            joined = joined.reshape(T, heads, d_k).swapaxes(0, 1).reshape(T, D)
        return joined @ W_out.T + b_out if project else joined

    return f


def _merged(left_d=True, left_n=True, other=True, sign=1):
    def f(left, right):
        (m1, d1, n1), (m2, d2, n2) = left, right
        m = max(m1, m2)
        a, b = np.exp(sign * (m1 - m)), np.exp(sign * (m2 - m)) if other else 1
        return m, (a if left_d else 1) * d1 + b * d2, (a if left_n else 1) * n1 + (b if left_n else 1) * n2

    return f


def _undone(left, right):
    (m1, d1, n1), (m2, d2, n2) = left, right
    m = max(m1, m2)
    return m, (np.exp(m1) * d1 + np.exp(m2) * d2) / np.exp(m), (np.exp(m1) * n1 + np.exp(m2) * n2) / np.exp(m)


def _the_second(left, right):
    (m1, d1, n1), (m, d2, n2) = left, right
    return m, np.exp(m1 - m) * d1 + d2, np.exp(m1 - m) * n1 + n2


def _look(query, words=True):
    def f(V, T, k):
        W_q = np.hstack([np.zeros((T, V)), query(T, k)])
        W_k = np.hstack([np.zeros((T, V)), np.eye(T)])
        return W_q, W_k, np.eye(V, V + T) if words else np.eye(V + T)

    return f


def _taps(offset=lambda m, M: -m, matrices=lambda kernel: np.moveaxis(kernel, 2, 0)):
    def f(kernel, T):
        M = kernel.shape[2]
        return np.stack([np.eye(T, k=offset(m, M)) for m in range(M)]), matrices(kernel)

    return f


def _turned_round(kernel, T):
    rows = np.arange(T)
    weights = np.zeros((kernel.shape[2], T, T))
    for m in range(kernel.shape[2]):
        weights[m, rows, rows - m] = 1
    return weights, np.moveaxis(kernel, 2, 0)


WRONG = {
    "att-ex-masked": [
        ("came after the softmax", lambda s, a: _softmax(s) * a),
        ("wrong way round", _wrong_way_round),
        ("e^0 = 1", lambda s, a: _softmax(s * a)),
        ("gives NaN", _barred),
        ("equal weights", _nothing_is_equal),
        ("overflow", _overflows),
        ("overflow", _highest_of_all),
        ("down the columns", _down),
    ],
    "att-ex-order": [
        ("beside f(x)[p]", lambda f, x, p: _told(f, x, p, lambda a, b, p: (a[p], b))),
        ("up to the permutation", _invariant_or_not),
        ("but for rounding", lambda f, x, p: _told(f, x, p, equal=np.array_equal)),
        ("row for row", lambda f, x, p: _told(f, x, p, _any_order)),
        ("shape does not tell", _by_shape),
        ("for backwards", _by_mean),
        ("for middle_zero", _first_row_only),
        ("no rows to permute", _no_rows),
        ("rows come out in another order", _permuted_is_the_same),
    ],
    "att-ex-heads": [
        ("out_proj", _heads(project=False)),
        ("not by that of D", _heads(size=lambda D: D)),
        ("are not divided", _heads(size=lambda D: 1)),
        ("cuts the TIME", _heads(time=True)),
        ("every h-th column", _heads(spread=True)),
        ("as if it had been the width", _heads(time=True, swap=True)),
        ("swap back", _heads(swap=True)),
        ("x @ W_out.T", _heads(turned=True)),
        ("b_in is missing", _heads(first=False)),
        ("b_out is missing", _heads(last=False)),
    ],
    "att-ex-online": [
        ("two different maxima", _merged(left_d=False, left_n=False, other=False)),
        ("either block", _merged(other=False)),
        ("numerator has to be rescaled", _merged(left_n=False)),
        ("has to shrink", _merged(sign=-1)),
        (
            "after the last block",
            lambda a, b: (_merged()(a, b)[0], _merged()(a, b)[1], np.divide(*_merged()(a, b)[:0:-1])),
        ),
        ("larger of the two", _the_second),
        ("overflow", _undone),
    ],
    "att-ex-previous": [
        ("its own place", _look(lambda T, k: 80 * np.eye(T))),
        ("ahead", _look(lambda T, k: 80 * np.eye(T, k=-k))),
        ("one back, whatever", _look(lambda T, k: 80 * np.eye(T, k=1))),
        ("larger number", _look(lambda T, k: np.eye(T, k=k))),
        ("larger number", _look(lambda T, k: 30 * np.eye(T, k=k))),  # enough for a short text
        ("V + T columns", lambda V, T, k: [W.T for W in _look(lambda T, k: 80 * np.eye(T, k=k))(V, T, k)]),
        ("leave the place out", _look(lambda T, k: 80 * np.eye(T, k=k), words=False)),
    ],
    "att-ex-conv": [
        ("look ahead", _taps(lambda m, M: m)),
        ("order of the heads", _taps(lambda m, M: m + 1 - M)),
        ("transposed", _taps(matrices=lambda kernel: kernel.transpose(2, 1, 0))),
        ("reversed order", _taps(matrices=lambda kernel: np.moveaxis(kernel, 2, 0)[::-1])),
        ("reshape", _taps(matrices=lambda kernel: kernel.reshape(kernel.shape[2], *kernel.shape[:2]))),
        ("turned round", _turned_round),
    ],
}

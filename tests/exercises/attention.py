"""Wrong answers for the chapter on attention, its first half: {label: [(words of the hint, answer), ...]}."""

import math

import numpy as np


def _by_hand(query, keys, values, divisor=1.0, weigh=None, share=1.0):
    scores = np.array([np.dot(query, key) for key in keys]) / divisor
    weights = np.exp(scores) / np.exp(scores).sum() if weigh is None else weigh(scores)
    return weights.tolist(), float(weights @ np.array(values)) * share


def _sums(weights, swap=False, both=True, negative=False, tolerance=1e-6):
    if weights.min() < 0 and not negative:
        return "neither"
    rows, columns = (bool(np.all(abs(weights.sum(axis) - 1) <= tolerance)) for axis in (1, 0))
    if both and rows and columns:
        return "both"
    names = ("queries", "keys") if swap else ("keys", "queries")
    return names[0] if rows else names[1] if columns else "neither"


def _first_only(weights):
    if weights.min() < 0:
        return "neither"
    rows, columns = abs(weights[0].sum() - 1) < 1e-6, abs(weights[:, 0].sum() - 1) < 1e-6
    return "both" if rows and columns else "keys" if rows else "queries" if columns else "neither"


def _mean_only(weights):
    if weights.min() < 0:
        return "neither"
    return "both" if math.isclose(weights.sum(), len(weights), abs_tol=1e-9) else "neither"


def _one_sided(weights):
    rows, columns = (bool(np.all(weights.sum(axis) <= 1 + 1e-6)) for axis in (1, 0))
    if weights.min() < 0 or not (rows or columns):
        return "neither"
    return "both" if rows and columns else "keys" if rows else "queries"


def _softmax(x, axis=-1):
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def _sdpa(q, k, v, divisor=None, axis=-1, safe=True):
    scores = np.einsum("...td,...sd->...ts", q, k) / (q.shape[-1] ** 0.5 if divisor is None else divisor)
    if not safe:
        return np.exp(scores) / np.exp(scores).sum(-1, keepdims=True) @ v
    return _softmax(scores, axis) @ v


def _additive(q, k, W, U, v, lengths, mask="before", squash=np.tanh, axis=-1, first=lambda x: x):
    scores = squash(first(q @ W.T)[:, :, None] + first(k @ U.T)[:, None]) @ v
    real = (np.arange(k.shape[1])[None] < np.array(lengths)[:, None])[:, None]
    if mask == "before":
        return _softmax(np.where(real, scores, -np.inf), axis)
    if mask == "zero":
        return _softmax(scores * real)
    return _softmax(scores, axis) * (real if mask == "after" else 1.0)


WRONG = {
    "att-ex-three": [
        ("root of their width", lambda q, k, v: _by_hand(q, k, v, divisor=math.sqrt(len(q)))),
        ("exponentials first", lambda q, k, v: _by_hand(q, k, v, weigh=lambda s: s / s.sum())),
        ("not yet weights", lambda q, k, v: _by_hand(q, k, v, weigh=np.exp)),
        ("number of values", lambda q, k, v: _by_hand(q, k, v, share=1 / len(v))),
        ("without their weights", lambda q, k, v: (_by_hand(q, k, v)[0], sum(v))),
        ("best key", lambda q, k, v: (_by_hand(q, k, v)[0], v[int(np.argmax(np.array(k) @ q))])),
        (
            "cosine",
            lambda q, k, v: _by_hand(
                q, [np.array(key) / np.linalg.norm(key) for key in k], v, divisor=np.linalg.norm(q)
            ),
        ),
    ],
    "att-ex-rows": [
        ("rows are queries", lambda w: _sums(w, swap=True)),
        ("never negative", lambda w: _sums(w, negative=True)),
        ("look at the columns too", lambda w: _sums(w, both=False)),
        ("one of them", _first_only),
        ("mean of all sums", _mean_only),
        ("absolute value", _one_sided),
        ("no more", lambda w: _sums(w, tolerance=0.05)),
        ("exact equality", lambda w: _sums(w, tolerance=0.0)),
        ("but it should be", lambda w: "keys"),
    ],
    "att-ex-softmax-gradient": [
        ("diagonal of the Jacobian", lambda a, g: g * (a - a**2)),
        ("under the weights", lambda a, g: a * (g - g.mean(1)[:, None])),
        ("mean is missing", lambda a, g: g * a),
        ("factor of the weight", lambda a, g: g - np.einsum("ts,ts->t", a, g)[:, None]),
        ("both terms", lambda a, g: a * g - np.einsum("ts,ts->t", a, g)[:, None]),
        ("plain sum", lambda a, g: a * (g - g.sum(1)[:, None])),
        ("last axis", lambda a, g: a * (g - (a * g).sum(0))),
        ("one distribution", lambda a, g: a * (g - np.vdot(a, g))),
        ("sign", lambda a, g: a * (np.einsum("ts,ts->t", a, g)[:, None] - g)),
    ],
    "att-ex-sdpa": [
        ("not divided", lambda q, k, v: _sdpa(q, k, v, divisor=1.0)),
        ("not by d_k", lambda q, k, v: _sdpa(q, k, v, divisor=q.shape[-1])),
        ("number of keys", lambda q, k, v: _sdpa(q, k, v, divisor=k.shape[-2] ** 0.5)),
        ("axes in front", lambda q, k, v: _sdpa(q, k, v, divisor=q.shape[1] ** 0.5)),
        ("over the queries", lambda q, k, v: _sdpa(q, k, v, axis=-2)),
        ("one distribution", lambda q, k, v: _sdpa(q, k, v, axis=None)),
        ("multiply them", lambda q, k, v: _softmax(np.einsum("...td,...sd->...ts", q, k) / q.shape[-1] ** 0.5)),
        ("overflow", lambda q, k, v: _sdpa(q, k, v, safe=False)),
        ("stopped with", lambda q, k, v: q @ k.T @ v),
    ],
    "att-ex-additive": [
        ("padding has weight", lambda *c: _additive(*c, mask="none")),
        ("no longer sums to 1", lambda *c: _additive(*c, mask="after")),
        ("score of 0", lambda *c: _additive(*c, mask="zero")),
        ("first place of padding", lambda *c: _additive(*c[:5], np.array(c[5]) + 1)),
        ("with two", lambda *c: _additive(*c, squash=lambda x: x, first=np.tanh)),
        ("tanh is missing", lambda *c: _additive(*c, squash=lambda x: x)),
        ("over the queries", lambda *c: _additive(*c, axis=1)),
        ("exchanged", lambda q, k, W, U, v, n: _additive(q, k, U, W, v, n)),
        ("inside", lambda *c: _outside(*c)),
    ],
}


def _outside(q, k, W, U, v, lengths):
    scores = np.tanh(((q @ W.T)[:, :, None] + (k @ U.T)[:, None]) @ v)
    real = (np.arange(k.shape[1])[None] < np.array(lengths)[:, None])[:, None]
    return _softmax(np.where(real, scores, -np.inf))

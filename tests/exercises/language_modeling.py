"""Wrong answers for the chapter on language modeling: {label: [(words of the hint, answer), ...]}."""

import math

import numpy as np


def _prefix(joint, x):
    return sum(p for s, p in joint.items() if s[: len(x)] == x)


def _entropy(p):
    p = np.asarray(p)[np.asarray(p) > 0]
    return float(-(p * np.log(p)).sum())


def _stationary(P):
    values, vectors = np.linalg.eig(np.asarray(P).T)
    pi = np.real(vectors[:, np.argmin(abs(values - 1))])
    return pi / pi.sum()


def _softmax(z, axis=-1):
    e = np.exp(z - np.max(z, axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def _naive_log_softmax(z):
    with np.errstate(all="ignore"):
        return np.log(np.exp(z) / np.exp(z).sum(-1, keepdims=True))


def _kl_with_nan(p, q):
    with np.errstate(all="ignore"):
        return np.sum(p * np.log(p / q))


def _one_shift(z):
    return z - z.max() - np.log(np.exp(z - z.max()).sum(-1, keepdims=True))


def _no_axis(z):
    z = z - z.max(-1)
    return z - np.log(np.exp(z).sum(-1))


def _high_power(P):
    return np.linalg.matrix_power(P, 1000)[0] @ [_entropy(r) for r in P]


def _tried(places, change=lambda old, V: (old + 1) % V, same=np.allclose):
    """A test of causality that tries the given places only, changes in its own way, or compares in its own way."""

    def is_causal(model, ids, V):
        for s in list(range(len(ids)))[places]:
            changed = [*ids[:s], change(ids[s], V), *ids[s + 1 :]]
            if not same(model(changed)[: s + 1], model(ids)[: s + 1]):
                return False
        return True

    return is_causal


def _piles_up(model, ids, V):
    base = model(ids)
    for s in range(len(ids)):
        ids[s] = (ids[s] + 1) % V
        if not np.allclose(model(ids)[: s + 1], base[: s + 1]):
            return False
    return True


def _only_first_change(model, ids, V):
    changed = [(ids[0] + 1) % V, *ids[1:]]
    return bool(np.allclose(model(changed)[:1], model(ids)[:1]))


def _forgets_own_row(model, ids, V):
    for s in range(len(ids)):
        changed = list(ids)
        changed[s] = (changed[s] + 1) % V
        if not np.allclose(model(changed)[:s], model(ids)[:s]):
            return False
    return True


def _too_strict(model, ids, V):
    return all(np.allclose(model([*ids[:s], (ids[s] + 1) % V, *ids[s + 1 :]]), model(ids)) for s in range(len(ids)))


def _agree(s, extra=0.0, fillers=None, tokens=4, coin=True):
    f = (1 - s) / s if fillers is None else fillers
    h = -(s * math.log(s) + (1 - s) * math.log(1 - s)) / s if coin else 0.0
    return math.log(32) + extra + h + f * math.log(6), tokens + f


WRONG = {
    "lm-ex-chain-rule": [
        ("Divide each", lambda j, x: [_prefix(j, x[: t + 1]) for t in range(len(x))]),
        ("marginals", lambda j, x: [sum(p for s, p in j.items() if s[t] == x[t]) for t in range(len(x))]),
        (
            "last symbol",
            lambda j, x: (
                [_prefix(j, x[:1])]
                + [
                    sum(p for s, p in j.items() if s[t - 1 : t + 1] == x[t - 1 : t + 1])
                    / sum(p for s, p in j.items() if s[t - 1] == x[t - 1])
                    for t in range(1, len(x))
                ]
            ),
        ),
        (
            "logarithms",
            lambda j, x: [math.log(_prefix(j, x[: t + 1]) / _prefix(j, x[:t])) for t in range(len(x))],
        ),
        (
            "letters that follow",
            lambda j, x: [
                sum(p for s, p in j.items() if s[t:] == x[t:])
                / sum(p for s, p in j.items() if s[t + 1 :] == x[t + 1 :])
                for t in range(len(x))
            ],
        ),
        ("whole sequence", lambda j, x: [j[x] / _prefix(j, x[:t]) for t in range(len(x))]),
        ("it should be", lambda j, x: [1.0] * len(x)),
    ],
    "lm-ex-units": [
        ("1.44", lambda n, t, c: (n / t * math.log(2), math.exp(n / t), n / c * math.log(2))),
        ("not 2 to the nats", lambda n, t, c: [n / t / math.log(2), 2 ** (n / t), n / c / math.log(2)]),
        ("still per token", lambda n, t, c: [n / t / math.log(2), math.exp(n / t), n / t / math.log(2)]),
        ("total over the text", lambda n, t, c: [n / math.log(2), math.exp(n), n / c / math.log(2)]),
        ("divide by ln 2 for bits", lambda n, t, c: [n / t, math.exp(n / t), n / c]),
        (
            "not e to the bits",
            lambda n, t, c: [n / t * math.log2(math.e), math.exp(n / t / math.log(2)), n / c / math.log(2)],
        ),
        (
            "costs less than a token",
            lambda n, t, c: [n / t / math.log(2), math.exp(n / t), n / t / math.log(2) * c / t],
        ),
    ],
    "lm-ex-softmax": [
        ("overflows", _naive_log_softmax),
        ("rounds to 0", lambda z: np.log(_softmax(z))),
        (
            "first axis",
            lambda z: z - z.max(0, keepdims=True) - np.log(np.exp(z - z.max(0, keepdims=True)).sum(0, keepdims=True)),
        ),
        ("logarithms", _softmax),
        ("whole array was subtracted", _one_shift),
        (
            "inside exp alone",
            lambda z: z - np.log(np.exp(z - z.max(-1, keepdims=True)).sum(-1, keepdims=True)),
        ),
        ("keepdims=True", _no_axis),
    ],
    "lm-ex-markov": [
        ("ignores what the last symbol", lambda P: _entropy(_stationary(P))),
        ("averaged equally", lambda P: np.mean([_entropy(r) for r in P])),
        ("in bits", lambda P: _stationary(P) @ [_entropy(r) / math.log(2) for r in P]),
        ("NaN", lambda P: -(_stationary(P) @ (P * np.log(P)).sum(1))),
        ("alternate", _high_power),
        ("it should be", lambda P: _entropy(P[0])),
    ],
    "lm-ex-kl": [
        (
            "KL(q || p)",
            lambda p, q: (
                math.inf if np.any((q > 0) & (p == 0)) else float((q[q > 0] * np.log(q[q > 0] / p[q > 0])).sum())
            ),
        ),
        ("NaN", _kl_with_nan),
        (
            "forbids",
            lambda p, q: float(sum(a * math.log(a / b) for a, b in zip(p, q, strict=True) if a > 0 and b > 0)),
        ),
        (
            "cross-entropy",
            lambda p, q: (
                math.inf
                if np.any((p > 0) & (q == 0))
                else -float(sum(a * math.log(b) for a, b in zip(p, q, strict=True) if a))
            ),
        ),
        (
            "and p is too",
            lambda p, q: math.inf if 0 in q else sum(a * math.log(a / b) for a, b in zip(p, q, strict=True) if a),
        ),
        ("by p", lambda p, q: np.log(p[p > 0] / q[p > 0]).sum()),
        ("sum the terms", lambda p, q: np.where(p > 0, p * np.log(p / q), 0).mean()),
    ],
    "lm-ex-causal": [
        ("row t may not depend on token t", _forgets_own_row),
        ("peeks", lambda model, ids, V: True),
        ("honest", lambda model, ids, V: False),
        ("honest", _too_strict),
        ("peeks", _only_first_change),
        ("last one too", _tried(slice(3, 4))),
        ("first one too", _tried(slice(5, 6), same=lambda new, old: np.allclose(new, old))),
        ("first one too", _tried(slice(1, None))),
        ("that it does not have yet", _tried(slice(None), change=lambda old, V: 0)),
        ("a small leak", _tried(slice(None), same=lambda new, old: (new.argmax(1) == old.argmax(1)).all())),
        ("a small leak", _tried(slice(None), same=lambda new, old: np.allclose(new, old, atol=0.05))),
        ("compare them all", _tried(slice(None), same=lambda new, old: np.allclose(new[-1], old[-1]))),
        ("fresh copy", _piles_up),
    ],
    "lm-ex-end-mass": [
        ("longer than L", lambda s, L: (1 - s) ** L),
        ("off by one", lambda s, L: 1 - (1 - s) ** (L + 1)),
        ("every length has mass 1", lambda s, L: L),
        ("length L alone", lambda s, L: s * (1 - s) ** (L - 1)),
        ("only after a word", lambda s, L: sum(s * (1 - s) ** k for k in range(1, L + 1))),
        ("a factor stop", lambda s, L: sum((1 - s) ** k for k in range(L))),
        ("exchanged", lambda s, L: 1 - s**L),
    ],
    "lm-ex-per-word": [
        ("per character", lambda lp, w: math.exp(-np.mean(lp))),
        ("a power", lambda lp, w: math.exp(-np.mean(lp)) * len(lp) / w),
        ("exponentiate", lambda lp, w: -np.sum(lp) / w),
        ("at least 1", lambda lp, w: math.exp(np.sum(lp) / w)),
        ("not 2 to the nats", lambda lp, w: 2 ** -(np.sum(lp) / w)),
        ("round down", lambda lp, w: math.exp(-np.mean(lp)) ** (len(lp) // w)),
        ("don't round.", lambda lp, w: math.exp(-np.mean(lp)) ** round(len(lp) / w)),
    ],
    "lm-ex-agree-rate": [
        ("end of the sentence", lambda s: _agree(s, tokens=3)),
        ("1/stop", lambda s: _agree(s, fillers=1 / s)),
        ("four of its number", lambda s: _agree(s, extra=math.log(2))),
        ("going on and stopping", lambda s: _agree(s, coin=False)),
        ("not once", lambda s: (_agree(s, coin=False)[0] + _entropy([s, 1 - s]), _agree(s)[1])),
        ("exchanged", lambda s: _agree(1 - s)),
        ("the rate", lambda s: _agree(s)[0] / _agree(s)[1]),
    ],
}

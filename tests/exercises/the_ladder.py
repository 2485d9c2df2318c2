"""Wrong answers for the chapter on the ladder: {label: [(words of the hint, answer), ...]}."""

import math

import numpy as np


def _step(before, after, turn=1, whole="net"):
    gained = {k: turn * (before[k] - after[k]) for k in before}
    best = max(gained, key=gained.get)
    whole = {
        "net": sum(gained.values()),
        "class": before[best],
        "before": sum(before.values()),
        "gains": sum(g for g in gained.values() if g > 0),
    }[whole]
    return best, gained[best] / whole


def _worst_before(before, after):
    worst = max(before, key=lambda k: before[k])
    return worst, (before[worst] - after[worst]) / sum(before[k] - after[k] for k in before)


def _kept(kind, D, layers, T, **changed):
    sizes = {
        "n-gram": min(layers - 1, T),
        "gru": layers * D,
        "lstm": 2 * layers * D,
        "attention": (2 + T) * D,
        "transformer": 2 * layers * D * T,
    }
    return {**sizes, **{k: f(D, layers, T) for k, f in changed.items()}}[kind]


def _window(document, n, size=-1, end=4, told=False):
    pairs = {document[i]: (document[i + 2], i + 2) for i in (0, 4, 8)}
    hits = []
    for t, word in enumerate(document):
        if word == "today":
            animal, place = pairs[document[t + 1]]
            first = max(t + end - n - size, 0)
            hits.append(place >= first if told else animal in document[first : t + end])
    return float(np.mean(hits)) if hits else 0.0


def _ends(means, out=0.025):
    return np.quantile(means, out), np.quantile(means, 1 - out)


def _share(a, b, draws, tie=0.5):
    left, right = a[draws].sum(1), b[draws].sum(1)
    return np.mean(np.where(left < right, 1.0, np.where(left == right, tie, 0.0)))


def _nats(k, n, m):
    pairs = math.log(math.comb(n, k) * m**k)
    return pairs, pairs + math.log(math.factorial(k))


def _one_deviation(x, n, d):
    means = x[d].sum(1) / n[d].sum(1)
    return means.mean() - means.std(), means.mean() + means.std()


WRONG = {
    "ladder-ex-read": [
        ("first model is worst", _worst_before),
        ("before minus after", lambda b, a: _step(b, a, turn=-1)),
        ("lacks in that class", lambda b, a: _step(b, a, whole="class")),
        ("whole excess", lambda b, a: _step(b, a, whole="before")),
        ("net improvement", lambda b, a: _step(b, a, whole="gains")),
    ],
    "ladder-ex-die": [
        ("in nats", lambda e, T: (math.exp(e), e * T)),
        ("do not multiply", lambda e, T: (math.exp(e), e * T * math.log(2))),
        ("power of e", lambda e, T: (2**e, e * T / math.log(2))),
        ("only its beginning", lambda e, T: (1 + e, e * T / math.log(2))),
        ("multiply by its tokens", lambda e, T: (math.exp(e), e / math.log(2))),
    ],
    "ladder-ex-state": [
        ("two states", lambda *c: _kept(*c, lstm=lambda D, n, T: n * D)),
        ("keys and values: two", lambda *c: _kept(*c, transformer=lambda D, n, T: n * D * T)),
        ("of its own", lambda *c: _kept(*c, transformer=lambda D, n, T: 2 * D * T)),
        ("the LSTM itself", lambda *c: _kept(*c, attention=lambda D, n, T: D * T)),
        ("keeps n - 1", lambda *c: _kept(*c, **{"n-gram": lambda D, n, T: min(n, T)})),
        ("at most T", lambda *c: _kept(*c, **{"n-gram": lambda D, n, T: n - 1})),
    ],
    "ladder-ex-window": [
        ("sees n - 1 words", lambda d, n: _window(d, n, size=0)),
        ("not at today", lambda d, n: _window(d, n, end=0)),
        ("the animal itself", lambda d, n: _window(d, n, end=5)),
        ("count this too", lambda d, n: _window(d, n, told=True)),
    ],
    "ladder-ex-interval": [
        ("divide once", lambda x, n, d: _ends((x[d] / n[d]).mean(1))),
        ("that were drawn", lambda x, n, d: _ends(x[d].sum(1) / n.sum())),
        ("2.5 %", lambda x, n, d: _ends(x[d].sum(1) / n[d].sum(1), out=0.05)),
        ("68 %", _one_deviation),
        ("divide by the lengths", lambda x, n, d: _ends(x[d].mean(1))),
    ],
    "ladder-ex-paired": [
        ("lower is better", lambda a, b, n, d: _share(b, a, d)),
        ("not nothing", lambda a, b, n, d: _share(a, b, d, tie=0.0)),
        ("not one", lambda a, b, n, d: _share(a, b, d, tie=1.0)),
        ("share of documents", lambda a, b, n, d: np.mean((a < b) + 0.5 * (a == b))),
        ("compare the sums", lambda a, b, n, d: _share(a / n, b / n, d)),
    ],
    "ladder-ex-bits": [
        ("counts the orders", lambda k, n, m: (_nats(k, n, m)[1], _nats(k, n, m)[1])),
        ("these are bits", lambda k, n, m: tuple(x / math.log(2) for x in _nats(k, n, m))),
        ("introduced twice", lambda k, n, m: (math.log((n * m) ** k / math.factorial(k)), math.log((n * m) ** k))),
        ("same animal", lambda k, n, m: tuple(x - math.log(m**k / math.perm(m, k)) for x in _nats(k, n, m))),
        ("who was introduced", lambda k, n, m: (k * math.log(m), k * math.log(m) + math.log(math.factorial(k)))),
    ],
    "ladder-ex-crossing": [
        ("two lots", lambda D, f: (12 * D, max(math.ceil((8 * f - 12) * D), 0))),
        ("12 D^2", lambda D, f: (4 * D, max(math.ceil((8 * f - 8) * D / 2), 0))),
        ("own weights", lambda D, f: (6 * D, math.ceil(4 * f * D))),
        ("round up", lambda D, f: (6 * D, int((8 * f - 12) * D / 2))),
        ("one row", lambda D, f: (math.ceil((6 * D) ** 0.5), math.ceil(max((4 * f - 6) * D, 0) ** 0.5))),
    ],
}

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


def _largest_part(before, after):
    gained = {k: before[k] - after[k] for k in before}
    best = sorted(gained, key=lambda k: gained[k] / before[k])[-1]
    return best, gained[best] / sum(gained.values())


def _gain_itself(before, after):
    gained = {k: before[k] - after[k] for k in before}
    return max(gained.items(), key=lambda pair: pair[1])


def _kept(kind, D, layers, T, **changed):
    sizes = {
        "n-gram": layers - 1,
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


def _name_inside(document, n):
    places = [t for t, word in enumerate(document) if word == "today"]
    hits = [document[t + 1] in document[max(t + 5 - n, 0) : t + 1] for t in places]
    return float(np.mean(hits)) if hits else 0.0


def _negative_start(document, n):
    places = [t + 4 for t, word in enumerate(document) if word == "today"]
    hits = [document[t] in document[t - (n - 1) : t] for t in places]
    return float(np.mean(hits)) if hits else 0.0


def _ends(means, out=0.025):
    return np.quantile(means, out), np.quantile(means, 1 - out)


def _share(a, b, draws, tie=0.5):
    left, right = a[draws].sum(1), b[draws].sum(1)
    return np.mean(np.where(left < right, 1.0, np.where(left == right, tie, 0.0)))


def _nats(k, n, m):
    pairs = math.log(math.comb(n, k) * m**k)
    return pairs, pairs + math.log(math.factorial(k))


def _deviations(x, n, d, times):
    means = x[d].sum(1) / n[d].sum(1)
    return means.mean() - times * means.std(), means.mean() + times * means.std()


def _majority(a, b, n, d):
    won, lost = (a < b)[d].sum(1), (a > b)[d].sum(1)
    return np.mean(np.where(won > lost, 1.0, np.where(won == lost, 0.5, 0.0)))


WRONG = {
    "ladder-ex-read": [
        ("first model is worst", _worst_before),
        ("before minus after", lambda b, a: _step(b, a, turn=-1)),
        ("lacks in that class", lambda b, a: _step(b, a, whole="class")),
        ("whole excess", lambda b, a: _step(b, a, whole="before")),
        ("net improvement", lambda b, a: _step(b, a, whole="gains")),
        ("by most nats", _largest_part),
        ("gain itself", _gain_itself),
    ],
    "ladder-ex-die": [
        ("in nats", lambda e, T: (math.exp(e), e * T)),
        ("do not multiply", lambda e, T: (math.exp(e), e * T * math.log(2))),
        ("power of e", lambda e, T: (2**e, e * T / math.log(2))),
        ("only its beginning", lambda e, T: (1 + e, e * T / math.log(2))),
        ("multiply by its tokens", lambda e, T: (math.exp(e), e / math.log(2))),
        ("leave T out", lambda e, T: (math.exp(e * T), e * T / math.log(2))),
        ("one more", lambda e, T: (math.expm1(e), e * T / math.log(2))),
    ],
    "ladder-ex-state": [
        ("two states", lambda *c: _kept(*c, lstm=lambda D, n, T: n * D)),
        ("keys and values: two", lambda *c: _kept(*c, transformer=lambda D, n, T: n * D * T)),
        ("of its own", lambda *c: _kept(*c, transformer=lambda D, n, T: 2 * D * T)),
        ("the LSTM itself", lambda *c: _kept(*c, attention=lambda D, n, T: D * T)),
        ("keeps n - 1", lambda *c: _kept(*c, **{"n-gram": lambda D, n, T: n})),
        ("key and value at once", lambda *c: _kept(*c, attention=lambda D, n, T: 2 * D * (1 + T))),
        ("every layer", lambda *c: _kept(*c, gru=lambda D, n, T: D, lstm=lambda D, n, T: 2 * D)),
    ],
    "ladder-ex-window": [
        ("sees n - 1 words", lambda d, n: _window(d, n, size=0)),
        ("not at today", lambda d, n: _window(d, n, end=0)),
        ("the animal itself", lambda d, n: _window(d, n, end=5)),
        ("count this too", lambda d, n: _window(d, n, told=True)),
        ("negative start", _negative_start),
        ("divide by the number", lambda d, n: _window(d, n) * d.count("today")),
        ("looks for the name", _name_inside),
    ],
    "ladder-ex-interval": [
        ("divide once", lambda x, n, d: _ends((x[d] / n[d]).mean(1))),
        ("that were drawn", lambda x, n, d: _ends(x[d].sum(1) / n.sum())),
        ("2.5 %", lambda x, n, d: _ends(x[d].sum(1) / n[d].sum(1), out=0.05)),
        ("68 %", lambda *c: _deviations(*c, 1)),
        ("divide by the lengths", lambda x, n, d: _ends(x[d].mean(1))),
        ("normal distribution", lambda *c: _deviations(*c, 1.96)),
        ("columns", lambda x, n, d: _ends(x[d].sum(0) / n[d].sum(0))),
    ],
    "ladder-ex-paired": [
        ("lower is better", lambda a, b, n, d: _share(b, a, d)),
        ("not nothing", lambda a, b, n, d: _share(a, b, d, tie=0.0)),
        ("not one", lambda a, b, n, d: _share(a, b, d, tie=1.0)),
        ("share of documents", lambda a, b, n, d: np.mean((a < b) + 0.5 * (a == b))),
        ("compare the sums", lambda a, b, n, d: _share(a / n, b / n, d)),
        ("documents drawn", lambda a, b, n, d: np.mean((a < b)[d]) + np.mean((a == b)[d]) / 2),
        ("sum decides", _majority),
    ],
    "ladder-ex-bits": [
        ("counts the orders", lambda k, n, m: (_nats(k, n, m)[1], _nats(k, n, m)[1])),
        ("these are bits", lambda k, n, m: tuple(x / math.log(2) for x in _nats(k, n, m))),
        ("introduced twice", lambda k, n, m: (math.log((n * m) ** k / math.factorial(k)), math.log((n * m) ** k))),
        ("same animal", lambda k, n, m: tuple(x - math.log(m**k / math.perm(m, k)) for x in _nats(k, n, m))),
        ("who was introduced", lambda k, n, m: (k * math.log(m), k * math.log(m) + math.log(math.factorial(k)))),
        ("take the logarithm", lambda k, n, m: (math.comb(n, k) * m**k, math.perm(n, k) * m**k)),
        ("whose animal", lambda k, n, m: tuple(x - math.log(m**k / math.comb(m, k)) for x in _nats(k, n, m))),
        ("the order adds", lambda k, n, m: (_nats(k, n, m)[0], math.log(math.factorial(k)))),
    ],
    "ladder-ex-crossing": [
        ("two lots", lambda D, f: (12 * D, max(math.ceil((8 * f - 12) * D), 0))),
        ("12 D^2", lambda D, f: (4 * D, max(math.ceil((8 * f - 8) * D / 2), 0))),
        ("own weights", lambda D, f: (6 * D, math.ceil(4 * f * D))),
        ("round up", lambda D, f: (6 * D, int((8 * f - 12) * D / 2))),
        ("one row", lambda D, f: (math.ceil((6 * D) ** 0.5), math.ceil(((4 * f - 6) * D) ** 0.5))),
        ("at least as much already", lambda D, f: (6 * D + 1, int((4 * f - 6) * D) + 1)),
    ],
}

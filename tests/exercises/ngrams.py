"""Wrong answers for the chapter on n-gram models: {label: [(words of the hint, answer), ...]}."""

import itertools
import math
from collections import Counter

import numpy as np

from course_lib.tokens import BOS, EOS


def _grams(marked, n):
    return dict(Counter(tuple(s[i : i + n]) for s in marked for i in range(len(s) - n + 1)))


def _draw(p, rng, size, shift=0):
    words = list(p)
    borders = np.cumsum(list(p.values()))
    return [words[(i + shift) % len(words)] for i in np.searchsorted(borders, rng.random(size))]


def _pairs(sentences):
    return Counter(p for s in sentences for p in itertools.pairwise([BOS, *s, EOS]))


def _share(counter):
    return {w: c / sum(counter.values()) for w, c in counter.items()}


def _limit(n, s, power, bits=0.6931471805599453, per_token=True):
    h = -(s * math.log(s) + (1 - s) * math.log(1 - s)) / s
    nats = math.log(32) + h + (1 - s) / s * math.log(6) + bits * (1 - s) ** power
    return nats / (4 + (1 - s) / s) if per_token else nats


WRONG = {
    "ng-ex-count": [
        ("start and end marks are missing", lambda ss, n: _grams(ss, n)),
        ("no n-gram has the end mark", lambda ss, n: _grams([[BOS] * (n - 1) + s for s in ss], n)),
        ("one BOS is not enough", lambda ss, n: _grams([[BOS, *s, EOS] for s in ss], n)),
        (
            "run from one sentence",
            lambda ss, n: _grams([[w for s in ss for w in [BOS] * (n - 1) + s + [EOS]]], n),
        ),
        ("one too many", lambda ss, n: _grams([[BOS] * n + s + [EOS] for s in ss], n)),
        (
            "it should be",
            lambda ss, n: dict(Counter(g for s in ss for g in _grams([[BOS] * (n - 1) + s + [EOS]], n))),
        ),
        (
            "it should be",
            lambda ss, n: {
                g if n > 1 else g[0]: c for g, c in _grams([[BOS] * (n - 1) + s + [EOS] for s in ss], n).items()
            },
        ),
    ],
    "ng-ex-add-k": [
        ("do not sum to one", lambda c, o, k: {w: (c.get(w, 0) + k) / sum(c.values()) for w in o}),
        ("not by k once", lambda c, o, k: {w: (c.get(w, 0) + k) / (sum(c.values()) + k) for w in o}),
        (
            "unseen outcomes are missing",
            lambda c, o, k: {w: (n + k) / (sum(c.values()) + k * len(o)) for w, n in c.items()},
        ),
        ("unsmoothed", lambda c, o, k: {w: c.get(w, 0) / sum(c.values()) for w in o}),
        ("not by their number", lambda c, o, k: {w: (c.get(w, 0) + k) / (sum(c.values()) + len(o)) for w in o}),
        (
            "also those that were seen",
            lambda c, o, k: {w: c.get(w, k) / (sum(c.values()) + k * sum(w not in c for w in o)) for w in o},
        ),
    ],
    "ng-ex-mle": [
        (
            "per observation",
            lambda c, q: sum(n / c.sum() * math.log(n / c.sum() / p) for n, p in zip(c, q, strict=True) if n),
        ),
        ("subtract it", lambda c, q: float(c @ np.log(q))),
        ("sign", lambda c, q: -sum(n * math.log(n / c.sum() / p) for n, p in zip(c, q, strict=True) if n)),
        ("it should be", lambda c, q: 0.0),
        ("minus the log-likelihood", lambda c, q: -float(c @ np.log(q))),
        ("bits", lambda c, q: sum(n * math.log2(n / c.sum() / p) for n, p in zip(c, q, strict=True) if n)),
        ("never seen", lambda c, q: (c * np.log(c / c.sum() / q)).sum()),
        (
            "wrong way round:",
            lambda c, q: c.sum() * sum(p * math.log(p / n * c.sum()) for n, p in zip(c, q, strict=True) if n),
        ),
        ("wrong way round, infinite", lambda c, q: c.sum() * (q * np.log(q / (c / c.sum()))).sum()),
    ],
    "ng-ex-bias": [
        ("sign", lambda p, N, k: p - (N * p + k) / (N + k * len(p))),
        ("subtract p", lambda p, N, k: (N * p + k) / (N + k * len(p))),
        ("every outcome", lambda p, N, k: (N * p + k) / (N + k) - p),
        ("N p", lambda p, N, k: (p + k) / (N + k * len(p)) - p),
        ("it should be", lambda p, N, k: (N * p + 1) / (N + len(p)) - p),
    ],
    "ng-ex-sampler": [
        ("equally often", lambda p, rng, size: [list(p)[i] for i in rng.integers(len(p), size=size)]),
        ("most probable", lambda p, rng, size: [max(p, key=p.get)] * size),
        ("shifted by one", lambda p, rng, size: _draw(p, rng, size, shift=-1)),
        (
            "not their positions",
            lambda p, rng, size: list(np.searchsorted(np.cumsum(list(p.values())), rng.random(size))),
        ),
        ("use rng", lambda p, rng, size: _draw(p, np.random.default_rng(), size)),
        ("asked for", lambda p, rng, size: _draw(p, rng, size - 1)),
        ("do without it", lambda p, rng, size: list(rng.choice(list(p), size=size, p=list(p.values())))),
        ("take the randomness", lambda p, rng, size: _draw(p, np.random.default_rng(0), size)),
        ("in blocks", lambda p, rng, size: list(np.repeat(list(p), rng.multinomial(size, list(p.values()))))),
        ("are the same", lambda p, rng, size: _draw(p, rng, 1) * size),
        ("running sums", lambda p, rng, size: _draw(dict(zip(sorted(p), p.values(), strict=True)), rng, size)),
    ],
    "ng-ex-continuation": [
        ("plain frequencies", lambda ss: _share(Counter(w for s in ss for w in [*s, EOS]))),
        ("to the right", lambda ss: _share(Counter(a for a, _ in _pairs(ss)))),
        (
            "divide by the number of different pairs",
            lambda ss: {w: float(n) for w, n in Counter(w for _, w in _pairs(ss)).items()},
        ),
        (
            "end mark",
            lambda ss: _share(Counter(w for _, w in {p for s in ss for p in itertools.pairwise(s)})),
        ),
        (
            "start mark is missing",
            lambda ss: _share(Counter(w for _, w in {p for s in ss for p in itertools.pairwise([*s, EOS])})),
        ),
        (
            "end mark is missing",
            lambda ss: _share(Counter(w for _, w in {p for s in ss for p in itertools.pairwise([BOS, *s])})),
        ),
        (
            "the word itself",
            lambda ss: {
                w: n / sum([*s, EOS].count(w) for s in ss) for w, n in Counter(w for _, w in _pairs(ss)).items()
            },
        ),
        ("in each sentence", lambda ss: _share(Counter(w for s in ss for _, w in _pairs([s])))),
    ],
    "ng-ex-limit": [
        ("off by one", lambda n, s: _limit(n, s, n)),
        ("off by one", lambda n, s: _limit(n, s, n - 2)),
        ("costs ln 2", lambda n, s: _limit(n, s, n - 1, bits=math.log(4))),
        ("per sentence", lambda n, s: _limit(n, s, n - 1, per_token=False)),
        ("no further filler", lambda n, s: _limit(n, s, 0, bits=math.log(2) * s ** (n - 1))),
        ("both change", lambda n, s: _limit(n, 0.3, 0, bits=math.log(2) * (1 - s) ** (n - 1))),
        ("this is the excess", lambda n, s: math.log(2) * (1 - s) ** (n - 1) / (3 + 1 / s)),
    ],
    "ng-ex-backoff": [
        (
            "interpolation",
            lambda c, u, D: {w: (max(c.get(w, 0) - D, 0) + D * len(c) * p) / sum(c.values()) for w, p in u.items()},
        ),
        (
            "do not sum to one",
            lambda c, u, D: {w: (c[w] - D if w in c else D * len(c) * p) / sum(c.values()) for w, p in u.items()},
        ),
        ("nothing was taken off", lambda c, u, D: {w: c.get(w, 0) / sum(c.values()) for w in u}),
        ("it should be", lambda c, u, D: dict(u)),
        (
            "not evenly",
            lambda c, u, D: {
                w: (c[w] - D) / sum(c.values()) if w in c else D * len(c) / sum(c.values()) / (len(u) - len(c))
                for w in u
            },
        ),
        ("is lost", lambda c, u, D: {w: (c[w] - D) / sum(c.values()) if w in c else 0.0 for w in u}),
    ],
    "ng-ex-em": [
        ("shorter model", lambda w, a, b: np.mean((1 - w) * b / (w * a + (1 - w) * b))),
        ("mean over the tokens", lambda w, a, b: np.sum(w * a / (w * a + (1 - w) * b))),
        ("old weight", lambda w, a, b: np.mean(a / (a + b))),
        ("ratio of the sums", lambda w, a, b: w * a.sum() / (w * a + (1 - w) * b).sum()),
        ("in the numerator", lambda w, a, b: np.mean(a / (w * a + (1 - w) * b))),
        ("not a vote", lambda w, a, b: np.mean(w * a / (w * a + (1 - w) * b) > 0.5)),
    ],
}

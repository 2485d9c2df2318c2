"""Wrong answers for the chapter on decoding: {label: [(words of the hint, answer), ...]}."""

import math

import numpy as np


def _unit(x):
    return np.array(x) / np.sum(x)


def _counts(p, k, mass, share, top=None, inside=None, low=None):
    sums = np.cumsum(np.sort(p)[::-1])
    return [
        min(k, len(p)) if top is None else top,
        int((sums < mass - 1e-9).sum()) + 1 if inside is None else inside(sums),
        int((np.array(p) >= (share * max(p) if low is None else low) - 1e-9).sum()),
    ]


def _pick(p, mass, u, scale=True, short=False, rank_only=False):
    order = np.argsort(-np.array(p), kind="stable")
    sums = np.cumsum(np.array(p)[order])
    last = int(np.searchsorted(sums, mass - 1e-9))
    last = max(last - 1, 0) if short else last
    rank = int(np.searchsorted(sums[: last + 1], u * (sums[last] if scale else 1), side="right"))
    rank = min(rank, last)
    return rank if rank_only else int(order[rank])


def _laid(p, u, order, inside=None):
    """The id on which u falls when the tokens of ``order`` for which ``inside`` holds of the sums lie end to end."""
    order, p = np.array(order), np.array(p)
    kept = order if inside is None else order[inside(np.cumsum(p[order]))]
    kept = kept if len(kept) else order[:1]
    ends = np.cumsum(p[kept])
    return int(kept[min(np.searchsorted(ends, u * ends[-1], side="right"), len(kept) - 1)])


def _step(totals, log_q, width, add=True, sign=-1, once=False, product=False):
    log_q, totals = np.array(log_q), np.array(totals)[:, None]
    scores = totals * log_q if product else totals + log_q if add else log_q
    found = [[i, j, scores[i, j]] for i, j in np.ndindex(*scores.shape)]
    found.sort(key=lambda one: sign * one[2])
    if once:
        found = [next(one for one in found if one[0] == i) for i in range(len(scores))]
        found.sort(key=lambda one: -one[2])
    return found[:width]


def _rank(scores, reverse=True):
    return sorted(range(len(scores)), key=lambda i: scores[i], reverse=reverse)


def _walk(start, following, length, transpose=False, total=False):
    P = np.array(following).T if transpose else np.array(following)
    best, back = np.array(start), []
    for _ in range(length - 1):
        products = best[:, None] * P
        back.append(products.argmax(0))
        best = products.sum(0) if total else products.max(0)
    ids = [int(best.argmax())]
    for row in back[::-1]:
        ids.insert(0, int(row[ids[0]]))
    return ids, math.log(best.max())


def _greedy_walk(start, following, length):
    ids, total = [int(np.argmax(start))], math.log(max(start))
    for _ in range(length - 1):
        total += math.log(max(following[ids[-1]]))
        ids.append(int(np.argmax(following[ids[-1]])))
    return ids, total


def _local(start, following, length):
    best = np.array(start)
    ids = [int(best.argmax())]
    for _ in range(length - 1):
        best = (best[:, None] * np.array(following)).max(0)
        ids.append(int(best.argmax()))
    return ids, math.log(best.max())


def _bent(p, tau):
    return _unit(np.array(p) ** (1 / tau))


def _tables(first, second, third=None, V=4):
    a, b = np.zeros(V), np.full((V, V), 1 / V)
    a[: len(first)] = first
    for i, row in enumerate(second):
        b[i] = 0
        b[i, : len(row)] = row
    return a, b, np.full((V, V, V), 1 / V) if third is None else third


def _split(p, q, rest=None, share=None):
    p, q = np.array(p), np.array(q)
    return [np.minimum(p, q).sum() if share is None else share(p, q), _unit(np.clip(p - q, 0, 1)) if rest is None
            else rest(p, q)]  # fmt: skip


def _toss(s, n, eps, count=math.comb, log=math.log, scale=1.0, mode=None, near=None):
    h, t = -log(s), -log(1 - s)
    goal = s * h + (1 - s) * t if near is None else near
    inside = [k for k in range(n + 1) if abs((k * h + (n - k) * t) / n - goal) <= eps + 1e-12]
    first = min(h, t) if mode is None else mode
    return [first * scale, sum(count(n, k) * s**k * (1 - s) ** (n - k) for k in inside)]


def _fastest(gain):
    return lambda a, cost: max(range(1, 21), key=lambda m: gain(a, cost, m))


WRONG = {
    "dec-ex-warm": [
        ("divide the logarithms", lambda p, tau: _unit(np.array(p) / tau)),
        ("1/tau, not tau", lambda p, tau: _unit(np.array(p) ** tau)),
        ("arguments are logits", lambda p, tau: _unit(np.exp(np.array(p) / tau))),
        ("normalise them", lambda p, tau: [x ** (1 / tau) for x in p]),
        ("but it should be", lambda p, tau: p if tau != 1 else [1.0]),
    ],
    "dec-ex-survivors": [
        ("however large k is", lambda p, k, m, s: _counts(p, k, m, s, top=k)),
        ("there is always one", lambda p, k, m, s: _counts(p, k, m, s, inside=lambda c: int((c < m - 1e-9).sum()))),
        ("equality is enough", lambda p, k, m, s: _counts(
            p, k, m, s, inside=lambda c: min(int((c <= m + 1e-9).sum()) + 1, len(c)))),
        ("share of the largest", lambda p, k, m, s: _counts(p, k, m, s, low=s)),
        ("order of their probability", lambda p, k, m, s: _counts(
            p, k, m, s, inside=lambda c: int((np.cumsum(p) < m - 1e-9).sum()) + 1)),
        ("takes it there", lambda p, k, m, s: _counts(p, k, m, s, inside=lambda c: int((c <= m + 1e-9).sum()))),
        ("tie with the last", lambda p, k, m, s: _counts(
            p, k, m, s, top=int((np.array(p) >= np.sort(p)[::-1][:k][-1]).sum()))),
        ("exactly `share` times", lambda p, k, m, s: _counts(p, k, m, s, low=s * max(p) + 1e-6)),
    ],
    "dec-ex-nucleus": [
        ("scale u", lambda p, mass, u: _pick(p, mass, u, scale=False)),
        ("belongs to the nucleus", lambda p, mass, u: _pick(p, mass, u, short=True)),
        ("rank of the token", lambda p, mass, u: _pick(p, mass, u, rank_only=True)),
        ("nothing was cut off", lambda p, mass, u: _pick(p, 1.0, u)),
        ("belongs to the nucleus", lambda p, mass, u: _laid(p, u, np.argsort(-np.array(p)), lambda c: c <= mass)),
        ("lie in the order", lambda p, mass, u: _laid(
            p, u, [i for i in range(len(p)) if sum(x for x in p if x > p[i]) < mass])),
        ("in the order of the ids: begin", lambda p, mass, u: _laid(p, u, range(len(p)), lambda c: c - p < mass)),
        ("least probable token on", lambda p, mass, u: _laid(
            p, u, np.argsort(p), lambda c: c - np.sort(p) < mass - 1e-9)),
    ],
    "dec-ex-step": [
        ("two children", lambda t, q, w: _step(t, q, w, once=True)),
        ("whole text", lambda t, q, w: _step(t, q, w, add=False)),
        ("added, not multiplied", lambda t, q, w: _step(t, q, w, product=True)),
        ("least probable", lambda t, q, w: _step(t, q, w, sign=1)),
        ("right ones, but", lambda t, q, w: _step(t, q, w)[::-1]),
        ("`width` in all", lambda t, q, w: [
            [i, int(j), t[i] + row[j]] for i, row in enumerate(q) for j in np.argsort(row)[::-1][:w]]),
        ("new total", lambda t, q, w: [[i, j, q[i][j]] for i, j, _ in _step(t, q, w)]),
    ],
    "dec-ex-ranking": [
        ("end mark was predicted", lambda lp, n, a: _rank([x / max(t, 1e-9) ** a for x, t in zip(lp, n, strict=True)])),
        ("multiplying makes", lambda lp, n, a: _rank([x * (t + 1) ** a for x, t in zip(lp, n, strict=True)])),
        ("power of the length", lambda lp, n, a: _rank([x / max(a * (t + 1), 1e-9) for x, t in zip(lp, n, strict=True)])),
        ("best text comes first", lambda lp, n, a: _rank([x / (t + 1) ** a for x, t in zip(lp, n, strict=True)], False)),
        ("make no difference", lambda lp, n, a: _rank(lp)),
        ("every text's length", lambda lp, n, a: _rank([x / max(t, 1) ** a for x, t in zip(lp, n, strict=True)])),
        ("to the power alpha", lambda lp, n, a: _rank([x / (t + 1) for x, t in zip(lp, n, strict=True)])),
        ("the logarithm is divided", lambda lp, n, a: _rank(np.exp(lp) / (np.array(n) + 1) ** a)),
        ("which rank", lambda lp, n, a: [
            sum(y / (u + 1) ** a > x / (t + 1) ** a for y, u in zip(lp, n, strict=True)) for x, t in zip(lp, n, strict=True)
        ]),
    ],
    "dec-ex-viterbi": [
        ("greedy text", _greedy_walk),
        ("rows and columns", lambda *c: _walk(*c, transpose=True)),
        ("added up", lambda *c: _walk(*c, total=True)),
        ("on one path", _local),
        ("but it should be", lambda *c: _walk(*c)[0]),
        ("from its end", lambda *c: (_walk(*c)[0][::-1], _walk(*c)[1])),
        ("is the logarithm", lambda *c: (_walk(*c)[0], math.exp(_walk(*c)[1]))),
        ("one symbol too many", lambda s, f, n: _walk(s, f, n + 1)),
    ],
    "dec-ex-expected": [
        ("score with p", lambda p, tau: float(-(_bent(p, tau) * np.log(_bent(p, tau))).sum())),
        ("other way round", lambda p, tau: float(-(np.array(p) * np.log(_bent(p, tau))).sum())),
        ("nats, not bits", lambda p, tau: float(-(_bent(p, tau) * np.log2(p)).sum())),
        ("minus a logarithm", lambda p, tau: float((_bent(p, tau) * np.log(p)).sum())),
        ("1/tau, not tau", lambda p, tau: float(-(_bent(p, 1 / tau) * np.log(p)).sum())),
        ("normalise them", lambda p, tau: -sum(x ** (1 / tau) * math.log(x) for x in p)),
    ],
    "dec-ex-monotone": [
        ("usual case", lambda: _tables([0.6, 0.4], [[0.3, 0.28, 0.22, 0.2], [0.9, 0.1]])),
        ("a tie decides", lambda: _tables([0.5, 0.5], [[0.6, 0.4], [0.7, 0.3]])),
        ("its sum is 1", lambda: _tables([0.6, 0.3], [[0.6, 0.4], [0.7, 0.3]])),
        ("shapes must be", lambda: ([0.6, 0.4], [[0.6, 0.4], [0.7, 0.3]], [0.5, 0.5])),
        ("they find the same", lambda: _tables([0.9, 0.1], [[0.8, 0.15, 0.05]])),
        ("three tables of numbers", lambda: ["one", "two", "three"]),
        ("shapes must be", lambda: (1.0, [[0.5, 0.5]], [[0.5]])),
        ("shapes must be", list),
        ("its sum is 1", lambda: _tables([math.nan], [])),
    ],
    "dec-ex-refusal": [
        ("replacement from p itself", lambda p, q: _split(p, q, lambda p, q: p)),
        ("not |p - q|", lambda p, q: _split(p, q, lambda p, q: _unit(abs(p - q)))),
        ("p - q, not q - p", lambda p, q: _split(p, q, lambda p, q: _unit(np.clip(q - p, 0, 1)))),
        ("weigh min(1, p/q) with q", lambda p, q: _split(p, q, None, lambda p, q: (p * np.clip(p / q, 0, 1)).sum())),
        ("normalise it", lambda p, q: _split(p, q, lambda p, q: np.clip(p - q, 0, 1))),
        ("that of acceptance", lambda p, q: _split(p, q, None, lambda p, q: np.clip(p - q, 0, 1).sum())),
        ("half of the", lambda p, q: _split(p, q, None, lambda p, q: 1 - abs(p - q).sum())),
        ("equally often", lambda p, q: _split(p, q, None, lambda p, q: np.mean(np.clip(p / q, 0, 1)))),
    ],
    "dec-ex-coin": [
        ("count them all", lambda s, n, eps: _toss(s, n, eps, count=lambda n, k: 1)),
        ("nats, not bits", lambda s, n, eps: _toss(s, n, eps, log=math.log2)),
        ("near the entropy", lambda s, n, eps: _toss(s, n, eps, near=-math.log(max(s, 1 - s)))),
        ("per toss, not for all n", lambda s, n, eps: _toss(s, n, eps, scale=n)),
        ("larger of s and 1 - s", lambda s, n, eps: _toss(s, n, eps, mode=-math.log(s))),
        ("not the share of heads", lambda s, n, eps: [_toss(s, n, eps)[0], sum(
            math.comb(n, k) * s**k * (1 - s) ** (n - k) for k in range(n + 1) if abs(k / n - s) <= eps)]),
        ("not a typical one", lambda s, n, eps: _toss(s, n, eps, mode=-s * math.log(s) - (1 - s) * math.log(1 - s))),
        ("both included", lambda s, n, eps: _toss(s, n, eps, count=lambda n, k: math.comb(n, k) if k < n else 0)),
        ("but it should be", lambda s, n, eps: _toss(s, n, eps, count=lambda n, k: math.comb(n, k) if k else 0)),
    ],
    "dec-ex-ahead": [
        ("draft's time counts", _fastest(lambda a, cost, m: 1 - a ** (m + 1))),
        ("from 1 to a^m", _fastest(lambda a, cost, m: (a - a ** (m + 1)) / (1 + m * cost))),
        ("the draft's time counts", _fastest(lambda a, cost, m: (1 - a ** (m + 1)) / (1 + cost))),
        ("but it should be", lambda a, cost: 3),
        ("ends the round", _fastest(lambda a, cost, m: (1 + m * a) / (1 + m * cost))),
        ("one pass of the large model", _fastest(lambda a, cost, m: (1 - a ** (m + 1)) / (m * cost))),
        ("m counts from 1", lambda a, cost: int(np.argmax([(1 - a ** (m + 1)) / (1 + m * cost) for m in range(1, 21)]))),
        ("but it should be", lambda a, cost: max(range(1, 20), key=lambda m: (1 - a ** (m + 1)) / (1 + m * cost))),
        ("but it should be", lambda a, cost: max(range(21), key=lambda m: (1 - a ** (m + 1)) / (1 + m * cost))),
    ],
}  # fmt: skip

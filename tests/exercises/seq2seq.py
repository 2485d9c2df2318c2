"""Wrong answers for the chapter on sequence to sequence: {label: [(words of the hint, answer), ...]}."""

import math
from collections import Counter

import numpy as np


def _weights(source, target, embedding, hidden, layers, sides=2, blocks=4, upper=None):
    upper = 2 * hidden if upper is None else upper
    lstm = blocks * hidden * (embedding + hidden) + (layers - 1) * blocks * hidden * upper
    return (source + target) * embedding + target * hidden + sides * lstm


def _surprisal(z, y):
    z = z - z.max(-1, keepdims=True)
    log_q = z - np.log(np.exp(z).sum(-1, keepdims=True))
    return -np.take_along_axis(log_q, y[..., None], -1)[..., 0]


def _sentence_means(z, y, pad):
    real = y != pad
    return ((_surprisal(z, y) * real).sum(1) / real.sum(1)).mean()


def _unstable(z, y, pad):
    e = np.exp(z)
    q = np.take_along_axis(e / e.sum(-1, keepdims=True), y[..., None], -1)[..., 0]
    return -np.log(q)[y != pad].mean()


def _bleu(translations, references, clip=True, brevity=True, orders=(1, 2, 3, 4), cap=True, mean=None):
    precisions = []
    for n in orders:
        hits = total = 0
        for h, r in zip(translations, references, strict=True):
            mine, theirs = (Counter(zip(*(s[i:] for i in range(n)))) for s in (h, r))  # noqa: B905
            hits += sum(min(k, theirs[g]) if clip else k * (g in theirs) for g, k in mine.items())
            total += sum(mine.values())
        precisions.append(hits / total)
    c, r = sum(map(len, translations)), sum(map(len, references))
    factor = math.exp(1 - r / c) if brevity else 1
    factor = min(1, factor) if cap else factor
    return 100 * factor * (mean or (lambda p: math.prod(p) ** (1 / len(p))))(precisions)


def _sets(translations, references):
    product = 1
    for n in range(1, 5):
        pairs = [[set(zip(*(s[i:] for i in range(n)))) for s in pair] for pair in zip(translations, references)]  # noqa: B905
        product *= sum(len(h & r) for h, r in pairs) / sum(len(h) for h, _ in pairs)
    c, r = sum(map(len, translations)), sum(map(len, references))
    return 100 * min(1, math.exp(1 - r / c)) * product**0.25


def _pooled(translations, references):
    product = 1
    for n in range(1, 5):
        mine, theirs = (
            Counter(tuple(s[i : i + n]) for s in part for i in range(len(s) - n + 1))
            for part in (translations, references)
        )
        product *= sum(min(k, theirs[g]) for g, k in mine.items()) / mine.total()
    c, r = sum(map(len, translations)), sum(map(len, references))
    return 100 * min(1, math.exp(1 - r / c)) * product**0.25


def _mean_penalty(translations, references):
    pairs = list(zip(translations, references, strict=True))
    penalty = sum(min(1, math.exp(1 - len(r) / len(h))) for h, r in pairs) / len(pairs)
    return penalty * _bleu(translations, references, brevity=False)


def _loop(step, state, start, end, longest, keep=False, fed=True, carried=True, choose=np.argmax, stop=True, also=None):
    given, written = start, []
    while len(written) < longest:
        q, new = step(given if fed else start, state)
        state = new if carried else state
        given = int(choose(q))
        if stop and given in (end, also):
            return [*written, given] if keep else written
        written.append(given)
    return written


def _while_not_end(step, state, start, end, longest):
    given, written = start, []
    while given != end and len(written) < longest:
        q, state = step(given, state)
        given = int(np.argmax(q))
        if given != end:
            written.append(given)
    return written


def _mixed(gold, own, draws, ratio):
    return np.where(draws < ratio, gold, np.hstack([gold[:, :1], own[:, :-1]]))


def _mixed_in_place(gold, own, draws, ratio):
    before = np.hstack([gold[:, :1], own[:, :-1]])
    gold[draws >= ratio] = before[draws >= ratio]
    return gold


def _mixed_draws(gold, own, draws, ratio):
    draws[:, 0] = -1
    return np.where(draws < ratio, gold, np.roll(own, 1, axis=1))


def _rates(right, real, before):
    wrong = ~right & real
    seen = before(wrong)
    return wrong[real & ~seen].mean(), wrong[real & seen].mean()


def _earlier(wrong):
    return wrong.cumsum(1) - wrong > 0


def _previous(wrong):
    return np.hstack([np.zeros_like(wrong[:, :1]), wrong[:, :-1]])


def _with_padding(right, real):
    wrong = ~right
    return wrong[~_earlier(wrong)].mean(), wrong[_earlier(wrong)].mean()


def _of_all(right, real):
    wrong = ~right & real
    return (wrong & ~_earlier(wrong)).sum() / real.sum(), (wrong & _earlier(wrong)).sum() / real.sum()


def _of_mistakes(right, real):
    wrong = ~right & real
    return (wrong & ~_earlier(wrong)).sum() / wrong.sum(), (wrong & _earlier(wrong)).sum() / wrong.sum()


def _right_padding(right, real):
    late = _earlier(~right & real)
    return 1 - (right & ~late).sum() / (real & ~late).sum(), 1 - (right & late).sum() / (real & late).sum()


def _all_places(right, real):
    wrong = ~right & real
    return wrong[~_earlier(wrong)].mean(), wrong[_earlier(wrong)].mean()


def _crossing(lengths, shares):
    for i in range(len(lengths) - 1):
        if shares[i] >= 0.5 > shares[i + 1]:
            return i, (shares[i] - 0.5) / (shares[i] - shares[i + 1])
    return None


def _bits(lengths, shares, symbols, log=math.log2, part=None, spaced=True):
    found = _crossing(lengths, shares)
    if found is None:
        return None
    i, fraction = found
    gap = lengths[i + 1] - lengths[i] if spaced else 1
    return (lengths[i] + gap * (fraction if part is None else part)) * log(symbols)


WRONG = {
    "s2s-ex-shift": [
        ("not shifted", lambda w, s, e: ([*w, e], [*w, e])),
        ("marks are missing", lambda w, s, e: (w, w)),
        ("both begin with", lambda w, s, e: ([s, *w], [s, *w])),
        ("has to be said", lambda w, s, e: ([s, *w[:-1]], w)),
        ("has to be read too", lambda w, s, e: ([s, *w[:-1]], [*w, e])),
        ("never said", lambda w, s, e: ([s, *w, e], [s, *w, e])),
        ("never read", lambda w, s, e: ([s, *w, e], [*w, e])),
        ("exchanged", lambda w, s, e: ([*w, e], [s, *w])),
    ],
    "s2s-ex-count": [
        ("output layer is missing", lambda S, T, E, H, L: _weights(S, T, E, H, L) - T * H),
        ("output layer reads states", lambda S, T, E, H, L: _weights(S, T, E, H, L) - T * H + T * E),
        ("first layer reads", lambda S, T, E, H, L: _weights(S, T, E, H, L) + 8 * H * (H - E)),
        ("blocks of a GRU", lambda S, T, E, H, L: _weights(S, T, E, H, L, blocks=3)),
        ("both sides", lambda S, T, E, H, L: _weights(S, T, E, H, L, sides=1)),
        ("four blocks", lambda S, T, E, H, L: _weights(S, T, E, H, L, blocks=1)),
        ("upper ones read states", lambda S, T, E, H, L: _weights(S, T, E, H, L, upper=E + H)),
        ("two matrices", lambda S, T, E, H, L: (S + T) * E + T * H + 8 * H * (E + (L - 1) * H)),
        ("tables of their own", lambda S, T, E, H, L: _weights(S, 0, E, H, L) + T * H),
        ("it should be", lambda S, T, E, H, L: 384_000_000),
    ],
    "s2s-ex-mask": [
        ("counted as a word", lambda z, y, p: _surprisal(z, y).mean()),
        ("not out of the count", lambda z, y, p: (_surprisal(z, y) * (y != p)).mean()),
        ("sentence means", _sentence_means),
        ("this is the sum", lambda z, y, p: (_surprisal(z, y) * (y != p)).sum()),
        ("need not be 0", lambda z, y, p: _surprisal(z, y)[y != 0].mean()),
        ("sign", lambda z, y, p: -_surprisal(z, y)[y != p].mean()),
        ("not of sentences", lambda z, y, p: (_surprisal(z, y) * (y != p)).sum() / len(z)),
        ("is infinite", _unstable),
        ("it should be", lambda z, y, p: _surprisal(z, y)[y != p].mean() / math.log(2)),
    ],
    "s2s-ex-bleu": [
        ("clip the counts", lambda h, r: _bleu(h, r, clip=False)),
        ("penalty is missing", lambda h, r: _bleu(h, r, brevity=False)),
        ("at most 1", lambda h, r: _bleu(h, r, cap=False)),
        ("geometric mean", lambda h, r: _bleu(h, r, mean=np.mean)),
        ("the words alone", lambda h, r: _bleu(h, r, orders=(1,))),
        ("divide once", lambda h, r: np.mean([_bleu([a], [b]) for a, b in zip(h, r, strict=True)])),
        ("do not use sets", _sets),
        ("within each sentence", _pooled),
        ("total lengths", _mean_penalty),
        ("from 0 to 100", lambda h, r: _bleu(h, r) / 100),
    ],
    "s2s-ex-greedy": [
        ("symbol that training used", lambda f, s, a, e, n: _loop(f, s, e, e, n)),
        ("every time", lambda *a: _loop(*a, fed=False)),
        ("state has to go on", lambda *a: _loop(*a, carried=False)),
        ("stop at the end mark", lambda *a: _loop(*a, stop=False)),
        ("not a word", lambda *a: _loop(*a, keep=True)),
        ("least probable", lambda *a: _loop(*a, choose=np.argmin)),
        ("only among the outputs", _while_not_end),
        ("may be a word", lambda f, s, a, e, n: _loop(f, s, a, e, n, also=a)),
        ("it should be", lambda f, s, a, e, n: _loop(f, s, a, e, n + 1)),
        ("it should be", lambda f, s, a, e, n: _loop(f, s, a, e, n - 1)),
    ],
    "s2s-ex-mix": [
        ("shift its outputs", lambda g, o, d, r: np.hstack([g[:, :1], np.where(d < r, g, o)[:, 1:]])),
        ("first input", lambda g, o, d, r: np.where(d < r, g, o)),
        ("last word to the front", lambda g, o, d, r: np.where(d < r, g, np.roll(o, 1, axis=1))),
        ("it should be", lambda g, o, d, r: _mixed(g, o, np.where(d == r, 0, d), r)),
        ("other way round", lambda g, o, d, r: np.where(d < r, _mixed(g, o, d, 0), g)),
        ("the whole row", lambda g, o, d, r: _mixed(g, o, d[:, [0] * d.shape[1]], r)),
        ("the whole batch", lambda g, o, d, r: _mixed(g, o, d[[0] * len(d)], r)),
        ("whatever the ratio", lambda g, o, d, r: g),
        ("work on a copy", _mixed_in_place),
        ("work on a copy", _mixed_draws),
    ],
    "s2s-ex-exposure": [
        ("after itself", lambda r, m: _rates(r, m, lambda w: w.cumsum(1) > 0)),
        ("neither right nor wrong", _with_padding),
        ("number of tokens", _all_places),
        ("it should be", _right_padding),
        ("its own places", _of_all),
        ("shares of the mistakes", _of_mistakes),
        ("at the step before", lambda r, m: _rates(r, m, _previous)),
        ("one minus", lambda r, m: [1 - x for x in _rates(r, m, _earlier)]),
        ("the order is", lambda r, m: _rates(r, m, _earlier)[::-1]),
    ],
    "s2s-ex-distance": [
        ("EOS is read too", lambda S, r: [2 * k - 1 if r else S for k in range(1, S + 1)]),
        ("not in the way", lambda S, r: [2 * k if r else S + 1 for k in range(1, S + 1)]),
        ("read in reverse", lambda S, r: [S + 1] * S),
        ("by token", lambda S, r: [2 * (S - k) + 1 if r else S + 1 for k in range(1, S + 1)]),
        ("steps between", lambda S, r: [2 * k - 2 if r else S for k in range(1, S + 1)]),
        ("no step of its own", lambda S, r: [2 * k if r else S + 2 for k in range(1, S + 1)]),
        ("exchanged", lambda S, r: [S + 1 if r else 2 * k - 1 for k in range(1, S + 1)]),
    ],
    "s2s-ex-capacity": [
        ("base 2", lambda n, p, v: _bits(n, p, v, log=math.log)),
        ("this is a length", lambda n, p, v: _bits(n, p, 2)),
        ("straight line", lambda n, p, v: _bits(n, p, v, part=0)),
        ("crossing lies before it", lambda n, p, v: _bits(n, p, v, part=1)),
        ("halfway", lambda n, p, v: _bits(n, p, v, part=0.5)),
        ("turn both lists round", lambda n, p, v: np.log2(v) * np.interp(0.5, p, n)),
        ("should be None", lambda n, p, v: _bits([0, *n], [1.0, *p], v)),
        ("one apart", lambda n, p, v: _bits(n, p, v, spaced=False)),
        ("not nine", lambda n, p, v: _bits(n, p, v, log=lambda x: x)),
    ],
}

"""Wrong answers for the chapter on recurrent networks at work: {label: [(words of the hint, answer), ...]}."""

import numpy as np


def _shapes(**changed):
    def f(B, T, D, H, K, layers, directions):
        right = {
            "output": (B, T, directions * H),
            "state": (layers * directions, B, H),
            "tags": (B, T, K),
            "verdict": (B, K),
        }
        sizes = (B, T, D, H, K, layers, directions)
        return right | {name: tuple(sizes["BTDHKLd".index(c)] for c in letters) for name, letters in changed.items()}

    return f


def _run(x, W_x, W_h, b, h=None):
    h, states = np.zeros(len(b)) if h is None else h, []
    for x_t in x:
        h = np.tanh(x_t @ W_x.T + h @ W_h.T + b)
        states.append(h)
    return np.array(states)


def _late(x, lower, upper):
    states = _run(x, *lower)
    return _run(np.concatenate([np.zeros_like(states[:1]), states[:-1]]), *upper)


def _others_past(x, lower, upper):
    states = _run(x, *lower)
    before = np.concatenate([np.zeros_like(states[:1]), states[:-1]])
    return np.tanh(states @ upper[0].T + before @ upper[1].T + upper[2])


def _turned(x, lower, upper, which):
    for layer in (lower, upper):
        x = _run(x, *(w.T if i in which else w for i, w in enumerate(layer)))
    return x


def _misprint(x, forward, backward):
    forth = _run(x, *forward)
    ahead = np.concatenate([forth[1:], np.zeros_like(forth[:1])])
    return np.hstack([forth, np.tanh(x @ backward[0].T + ahead @ backward[1].T + backward[2])])


def _in_place(ids, lengths):
    for row, n in zip(ids, lengths, strict=True):
        row[:n] = row[:n][::-1].copy()
    return ids


def _swapped(ids, lengths):
    rows = ids.copy()
    for row, n in zip(rows, lengths, strict=True):
        for t in range(n // 2):
            row[t] = row[n - 1 - t]
            row[n - 1 - t] = row[t]
    return rows


def _by_hand(ids, lengths, fill=None):
    rows = []
    for row, n in zip(ids.tolist(), lengths, strict=True):
        rows.append(row[:n][::-1] + (row[n:] if fill is None else [fill] * (len(row) - n)))
    return rows


def _rolled(ids, lengths):
    return np.array([np.roll(row, len(row) - n) for row, n in zip(ids, lengths, strict=True)])


def _real(states, lengths):
    return (np.arange(states.shape[1]) < lengths[:, None])[..., None]


def _table(answers, tags, kinds, real=True):
    table = np.zeros((kinds, kinds))
    keep = tags >= 0 if real else np.full(tags.shape, True)
    np.add.at(table, (tags[keep], answers[keep]), 1)
    return table


def _once(answers, tags, kinds):
    table = np.zeros((kinds, kinds))
    table[tags[tags >= 0], answers[tags >= 0]] += 1
    return table


def _ceiling(joint, view, pick=max):
    seen = {}
    for (x, y), p in joint.items():
        labels = seen.setdefault(view(x), {})
        labels[y] = labels.get(y, 0) + p
    return sum(pick(labels.values()) for labels in seen.values())


def _last_only(joint, view):
    seen = {}
    for (x, y), p in joint.items():
        seen.setdefault(view(x), {})[y] = p
    return sum(max(labels.values()) for labels in seen.values())


def _plain_mean(joint, view):
    views = {view(x) for x, _ in joint}
    return _ceiling(joint, view, lambda ps: max(ps) / sum(ps)) / len(views)


def _no_sum(joint, view):
    best = {}
    for (x, _), p in joint.items():
        best[view(x)] = max(best.get(view(x), 0), p)
    return sum(best.values())


def _psi(K, phi):
    psi = [1.0, phi[0]]
    while len(psi) < K + 1:
        psi.append(phi[0] * psi[-1] + phi[1] * psi[-2])
    return np.array(psi)


def _apart(K, phi, sigma):
    e = [sigma**2, (1 + phi[0] ** 2) * sigma**2]
    while len(e) < K:
        e.append(phi[0] ** 2 * e[-1] + phi[1] ** 2 * e[-2] + sigma**2)
    return e[:K]


def _two_at_least(K, phi, sigma):
    psi = [1, phi[0]]
    for j in range(2, K):
        psi.append(phi[0] * psi[j - 1] + phi[1] * psi[j - 2])
    return sigma**2 * np.cumsum(np.square(psi))


WRONG = {
    "task-ex-shapes": [
        ("directions times H", _shapes(output="BTH")),
        ("layers times directions", _shapes(state="LBH")),
        ("not joined in the last states", lambda *s: _shapes()(*s) | {"state": (s[5], s[0], s[6] * s[3])}),
        ("not only the top one", _shapes(state="dBH")),
        ("has no time", _shapes(verdict="BTK")),
        ("at every step", _shapes(tags="BK")),
        ("it should be", _shapes(tags="BTH")),
    ],
    "task-ex-layers": [
        ("lower layer", lambda x, lower, upper: _run(x, *lower)),
        ("one step late", _late),
        ("does not remember", lambda x, lo, up: np.tanh(_run(x, *lo) @ up[0].T + up[2])),
        ("twice", lambda x, lo, up: _run(_run(x, *lo), *lo)),
        ("begins at zero", lambda x, lo, up: _run(_run(x, *lo), *up, h=_run(x, *lo)[-1])),
        ("not the past of the lower layer", _others_past),
        (": W_h is not transposed", lambda x, lo, up: _turned(x, lo, up, (1,))),
        ("W_x and W_h are not transposed", lambda x, lo, up: _turned(x, lo, up, (0, 1))),
    ],
    "task-ex-bidirectional": [
        ("turn them round again", lambda x, f, b: np.hstack([_run(x, *f), _run(x[::-1], *b)])),
        ("reads from the left too", lambda x, f, b: np.hstack([_run(x, *f), _run(x, *b)])),
        ("forward one twice", lambda x, f, b: np.hstack([_run(x, *f), _run(x[::-1], *f)[::-1]])),
        ("not from the forward one", _misprint),
        ("wrong order", lambda x, f, b: np.hstack([_run(x[::-1], *b)[::-1], _run(x, *f)])),
        ("not added", lambda x, f, b: _run(x, *f) + _run(x[::-1], *b)[::-1]),
        (
            "begins at zero",
            lambda x, f, b: np.hstack([_run(x, *f), _run(x[::-1], *b, h=_run(x, *f)[-1])[::-1]]),
        ),
        ("one below the other", lambda x, f, b: [*_run(x, *f), *_run(x[::-1], *b)[::-1]]),
    ],
    "task-ex-reverse": [
        ("padding is at the front", lambda ids, lengths: np.flip(ids, 1)),
        ("only moved to the end", _rolled),
        ("rows of the batch", lambda ids, lengths: np.flip(ids, 0)),
        ("work on a copy", _in_place),
        ("has become zero", lambda ids, lengths: _by_hand(ids, lengths, fill=0)),
        ("a zero may be a word", lambda ids, lengths: _by_hand(ids, np.count_nonzero(ids, axis=1))),
        ("overwritten before they are read", _swapped),
    ],
    "task-ex-pooling": [
        ("padding included", lambda s, n: s.mean(1)),
        ("not of the divisor", lambda s, n: np.where(_real(s, n), s, 0).mean(1)),
        ("this is the sum", lambda s, n: np.where(_real(s, n), s, 0).sum(1)),
        ("still in the sum", lambda s, n: s.sum(1) / n[:, None]),
        ("zero times infinity", lambda s, n: (s * _real(s, n)).sum(1) / n[:, None]),
        ("after the last word", lambda s, n: s[np.arange(len(s)), n - 1]),
        ("one step of padding", lambda s, n: [r[: k + 1].sum(0) / k for r, k in zip(s, n, strict=True)]),
        ("may be finite", lambda s, n: np.nan_to_num(s, posinf=0).sum(1) / n[:, None]),
    ],
    "task-ex-accuracy": [
        ("you divide by all places", lambda a, t: (a == t)[t >= 0].sum() / t.size),
        ("has a say", lambda a, t: (a == t).sum() / t.size),
        ("an answer of -1 on padding", lambda a, t: (a == t).sum() / (t != -1).sum()),
        ("share of wrong answers", lambda a, t: (a != t)[t >= 0].mean()),
        ("counted as right", lambda a, t: np.where(t < 0, True, a == t).mean()),
        ("every token counts once", lambda a, t: np.mean([(x == y)[y >= 0].mean() for x, y in zip(a, t, strict=True)])),
        ("this is a count", lambda a, t: (a == t)[t >= 0].sum()),
        ("tag 0", lambda a, t: (a == t)[t > 0].mean()),
    ],
    "task-ex-confusion": [
        ("exchanged", lambda a, t, k: _table(a, t, k).T),
        ("-1 as an index", lambda a, t, k: _table(a, t, k, real=False)),
        ("counted once only", _once),
        ("these are shares", lambda a, t, k: _table(a, t, k) / (t >= 0).sum()),
        ("each row is divided", lambda a, t, k: [row / row.sum() for row in _table(a, t, k)]),
        ("tag 0", lambda a, t, k: _table(a[t > 0], t[t > 0], k)),
    ],
    "task-ex-bayes": [
        ("this is the error", lambda j, v: 1 - _ceiling(j, v)),
        ("sees everything", lambda j, v: _ceiling(j, lambda x: x)),
        ("best constant answer", lambda j, v: _ceiling(j, lambda x: None)),
        ("before taking the largest", _no_sum),
        ("only the last is kept", _last_only),
        ("no plain mean", _plain_mean),
        ("at random", lambda j, v: _ceiling(j, v, lambda ps: sum(p * p for p in ps) / sum(ps))),
    ],
    "task-ex-variance": [
        ("sigma squared", lambda K, phi, s: s * np.cumsum(_psi(K, phi)[:K] ** 2)),
        ("add up as squares", lambda K, phi, s: s**2 * np.cumsum(_psi(K, phi)[:K]) ** 2),
        ("off by one", lambda K, phi, s: s**2 * np.cumsum(_psi(K, phi) ** 2)[1:]),
        ("single shocks", lambda K, phi, s: (s * _psi(K, phi)[:K]) ** 2),
        ("AR(1)", lambda K, phi, s: [s**2 * sum(phi[0] ** (2 * j) for j in range(k)) for k in range(1, K + 1)]),
        ("enters a variance", lambda K, phi, s: s**2 * np.cumsum(_psi(K, phi)[:K])),
        ("grows or shrinks", lambda K, phi, s: [s**2 * k for k in range(1, K + 1)]),
        ("share their shocks", _apart),
        ("should be [2.25]", _two_at_least),
        ("standard deviations", lambda K, phi, s: s * np.sqrt(np.cumsum(_psi(K, phi)[:K] ** 2))),
    ],
}

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


def _misprint(x, forward, backward):
    forth = _run(x, *forward)
    ahead = np.concatenate([forth[1:], np.zeros_like(forth[:1])])
    return np.hstack([forth, np.tanh(x @ backward[0].T + ahead @ backward[1].T + backward[2])])


def _in_place(ids, lengths):
    for row, n in zip(ids, lengths, strict=True):
        row[:n] = row[:n][::-1].copy()
    return ids


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


WRONG = {
    "task-ex-shapes": [
        ("directions times H", _shapes(output="BTH")),
        ("layers times directions", _shapes(state="LBH")),
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
    ],
    "task-ex-bidirectional": [
        ("turn them round again", lambda x, f, b: np.hstack([_run(x, *f), _run(x[::-1], *b)])),
        ("reads from the left too", lambda x, f, b: np.hstack([_run(x, *f), _run(x, *b)])),
        ("forward one twice", lambda x, f, b: np.hstack([_run(x, *f), _run(x[::-1], *f)[::-1]])),
        ("not from the forward one", _misprint),
        ("wrong order", lambda x, f, b: np.hstack([_run(x[::-1], *b)[::-1], _run(x, *f)])),
        ("not added", lambda x, f, b: _run(x, *f) + _run(x[::-1], *b)[::-1]),
    ],
    "task-ex-reverse": [
        ("padding is at the front", lambda ids, lengths: np.flip(ids, 1)),
        ("only moved to the end", _rolled),
        ("rows of the batch", lambda ids, lengths: np.flip(ids, 0)),
        ("work on a copy", _in_place),
    ],
    "task-ex-pooling": [
        ("padding included", lambda s, n: s.mean(1)),
        ("not of the divisor", lambda s, n: np.where(_real(s, n), s, 0).mean(1)),
        ("this is the sum", lambda s, n: np.where(_real(s, n), s, 0).sum(1)),
        ("still in the sum", lambda s, n: s.sum(1) / n[:, None]),
        ("zero times infinity", lambda s, n: (s * _real(s, n)).sum(1) / n[:, None]),
        ("after the last word", lambda s, n: s[np.arange(len(s)), n - 1]),
    ],
    "task-ex-accuracy": [
        ("number of real tokens", lambda a, t: (a == t).sum() / t.size),
        ("counted as right", lambda a, t: np.where(t < 0, True, a == t).mean()),
        ("every token counts once", lambda a, t: np.mean([(x == y)[y >= 0].mean() for x, y in zip(a, t, strict=True)])),
        ("this is a count", lambda a, t: (a == t).sum()),
        ("tag 0", lambda a, t: (a == t)[t > 0].mean()),
    ],
    "task-ex-confusion": [
        ("exchanged", lambda a, t, k: _table(a, t, k).T),
        ("-1 as an index", lambda a, t, k: _table(a, t, k, real=False)),
        ("counted once only", _once),
        ("these are shares", lambda a, t, k: _table(a, t, k) / (t >= 0).sum()),
    ],
    "task-ex-bayes": [
        ("this is the error", lambda j, v: 1 - _ceiling(j, v)),
        ("sees everything", lambda j, v: _ceiling(j, lambda x: x)),
        ("best constant answer", lambda j, v: _ceiling(j, lambda x: None)),
        ("look the same", _no_sum),
        ("at random", lambda j, v: _ceiling(j, v, lambda ps: sum(p * p for p in ps) / sum(ps))),
    ],
    "task-ex-variance": [
        ("sigma squared", lambda K, phi, s: s * np.cumsum(_psi(K, phi)[:K] ** 2)),
        ("add up as squares", lambda K, phi, s: s**2 * np.cumsum(_psi(K, phi)[:K]) ** 2),
        ("off by one", lambda K, phi, s: s**2 * np.cumsum(_psi(K, phi) ** 2)[1:]),
        ("single shocks", lambda K, phi, s: (s * _psi(K, phi)[:K]) ** 2),
        ("AR(1)", lambda K, phi, s: [s**2 * sum(phi[0] ** (2 * j) for j in range(k)) for k in range(1, K + 1)]),
        ("standard deviations", lambda K, phi, s: s * np.sqrt(np.cumsum(_psi(K, phi)[:K] ** 2))),
    ],
}

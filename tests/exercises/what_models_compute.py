"""Wrong answers for the chapter on what models compute: {label: [(words of the hint, answer), ...]}."""

import numpy as np

TRUTH = [False, False, True, False, False, True, False, False]


# ---- automata ------------------------------------------------------------------------------------------------------


def _run(maps, start, symbols):
    states = [start]
    for a in symbols:
        states.append(maps[a][states[-1]])
    return states[1:]


def _folded(maps):
    result = maps[0]
    for f in maps[1:]:
        result = f[result]
    return result


def _in_pairs(maps, join, wait=True):
    maps, rounds = list(maps), 0
    while len(maps) > 1:
        rest = maps[-1:] if wait and len(maps) % 2 else []
        maps = [join(f, g) for f, g in zip(maps[::2], maps[1::2], strict=False)] + rest
        rounds += 1
    return maps[0], rounds


def _odd_in_front(maps):
    maps, rounds = list(maps), 0
    while len(maps) > 1:
        odd = [maps.pop()] if len(maps) % 2 else []
        maps, rounds = odd + [g[f] for f, g in zip(maps[::2], maps[1::2], strict=True)], rounds + 1
    return maps[0], rounds


def _head(parity, W_v=(1.0, 0, 0), look=((0, 0, 0), (0, 0, 0))):
    def f():
        return np.array(look[:1], dtype=float), np.array(look[1:], dtype=float), np.array([W_v]), parity

    return f


def _quiz(*wrong):
    return lambda: [not t if i + 1 in wrong else t for i, t in enumerate(TRUTH)]


# ---- costs and recurrences -----------------------------------------------------------------------------------------


def _holes(T):
    back = np.arange(T)[:, None] - np.arange(T)
    return sum((back == d for d in [0, *(2**i for i in range(10))]), start=np.zeros((T, T), dtype=bool))


def _places(T):
    powers = [0, *(2**i for i in range(10))]
    return np.array([[s in powers and s <= t for s in range(T)] for t in range(T)])


def _phi(x):
    return np.where(x > 0, x + 1, np.exp(x))


def _step(f=_phi, late=False, normed=True, asks=None, total=np.dot):
    def step(state, q, k, v):
        S, z = state[0] + np.outer(f(k), v), state[1] + f(k)
        read, weight = state if late else (S, z)
        q = (asks or f)(q)
        return (S, z), q @ read / total(q, weight) if normed else q @ read

    return step


# ---- pads and protocols --------------------------------------------------------------------------------------------


def _columns(a, b, carrying=True, last=True, late=False, extra=False):
    pad, carry = [], 0
    while True:
        total = a % 10 + b % 10 + carry * carrying
        pad.append((total % 10, carry if late else total // 10))
        carry = total // 10
        a, b = a // 10, b // 10
        if not a and not b:
            if carry and last and (carrying or extra):
                pad.append((1, 1 if late else 0))
            return pad


def _verdict(accuracy, lengths, trained, inside=None):
    good = accuracy >= 0.99
    inside = lengths <= trained if inside is None else inside
    if not good[:, inside].all():
        return "not learned"
    return "algorithm" if good.all() else "depends on the seed" if good[:, -1].any() else "shortcut"


def _none_learned(accuracy, lengths, trained):
    return (accuracy[:, lengths <= trained].min(1) < 0.99).all()


def _at_the_end(accuracy, lengths, trained):
    good = accuracy >= 0.99
    if not good[:, lengths <= trained].all():
        return "not learned"
    return "algorithm" if good[:, -1].all() else "depends on the seed" if good[:, -1].any() else "shortcut"


WRONG = {
    "comp-ex-run": [
        ("T symbols, T states", lambda m, q, s: [q, *_run(m, q, s)]),
        ("AFTER each symbol", lambda m, q, s: [q, *_run(m, q, s)][:-1]),
        ("carried along", lambda m, q, s: [m[a][q] for a in s]),
        ("need not be state 0", lambda m, q, s: _run(m, 0, s)),
        ("indices are exchanged", lambda m, q, s: [q := m[q][a] for a in s]),
    ],
    "comp-ex-quiz": [
        ("each round doubles", _quiz(1)),
        ("Ask for longer examples", _quiz(2)),
        ("another function", _quiz(4)),
        ("finitely many", _quiz(5)),
        ("T / (T + 6 D)", _quiz(7)),
        ("tanh stands between", _quiz(8)),
        ("other way round", _quiz(*range(1, 9))),
    ],
    "comp-ex-crossover": [
        ("right for M = 4 D alone", lambda D, M: 6 * D),
        ("not both", lambda D, M: 2 * (2 * D + M)),
        ("four projections are missing", lambda D, M: M),
        ("not three", lambda D, M: 3 * D / 2 + M),
        ("two layers", lambda D, M: (4 * D + M) / 2),
        ("two operations for a token", lambda D, M: (2 * D + M) / 2),
    ],
    "comp-ex-after": [
        ("wrong order", lambda maps: _in_pairs(maps, lambda f, g: f[g])),
        ("one round for each map", lambda maps: (_folded(maps), len(maps) - 1)),
        ("odd one out got lost", lambda maps: _in_pairs(maps, lambda f, g: g[f], wait=False)),
        ("waits at the front", _odd_in_front),
        ("rounded down", lambda maps: (_folded(maps), len(maps).bit_length() - 1)),
    ],
    "comp-ex-join": [
        ("taken first", lambda p, q: (q[0] @ p[0], q[1] @ p[0] + p[1])),
        ("stands on the RIGHT", lambda p, q: (q[0] @ p[0], q[0] @ p[1] + q[1])),
        ("also goes through", lambda p, q: (p[0] @ q[0], p[1] + q[1])),
        ("@ is the product", lambda p, q: (p[0] * q[0], p[1] @ q[0] + q[1])),
        ("products of matrices", lambda p, q: (p[0] * q[0], q[0] * p[1] + q[1])),
        ("b is a row", lambda p, q: (p[0] @ q[0], q[0] @ p[1] + q[1])),
        ("the vector is right", lambda p, q: (q[0] @ p[0], p[1] @ q[0] + q[1])),
    ],
    "comp-ex-holes": [
        ("looks ahead", lambda T: _holes(T).T),
        ("both ways", lambda T: _holes(T) | _holes(T).T),
        ("0 back is missing", lambda T: _holes(T) & ~np.eye(T, dtype=bool)),
        ("1 back is missing", lambda T: _holes(T) & ~np.eye(T, k=-1, dtype=bool)),
        ("those of the place s", _places),
        ("counts from the end", lambda T: _holes(T) | np.triu(_holes(2 * T)[T:, :T], 1)),
        ("where it is allowed", lambda T: ~_holes(T)),
    ],
    "comp-ex-carry": [
        ("not added in the next column", lambda a, b: _columns(a, b, carrying=False)),
        ("written down, but", lambda a, b: _columns(a, b, carrying=False, extra=True)),
        ("one more column", lambda a, b: _columns(a, b, last=False)),
        ("begins with the LAST digit", lambda a, b: _columns(a, b)[::-1]),
        ("in this order", lambda a, b: [(c, d) for d, c in _columns(a, b)]),
        ("carry that comes in", lambda a, b: _columns(a, b, late=True)),
        ("", lambda a, b: _columns(a, b)[: len(str(a))] + [(1, 0)] * (len(str(a + b)) > len(str(a)))),
    ],
    "comp-ex-protocol": [
        ("mean over the seeds", lambda a, n, t: _verdict(a.mean(0)[None], n, t)),
        ("best seed only", lambda a, n, t: _verdict(a.max(0)[None], n, t)),
        ("ask that first", lambda a, n, t: _verdict(a, n, t, inside=n < 0)),
        ("EVERY length", lambda a, n, t: _verdict(a, n, t, inside=n == t)),
        ("one seed below 0.99", lambda a, n, t: _verdict(a, n, t, inside=n <= (t if _none_learned(a, n, t) else -1))),
        ("asked too early", lambda a, n, t: "shortcut" if a[:, -1].max() < 0.99 else _verdict(a, n, t)),
        ("longest alone", _at_the_end),
        ("itself is inside", lambda a, n, t: _verdict(a, n, t, inside=n < t)),
    ],
    "comp-ex-head": [
        ("round it first", _head(lambda n: n % 2)),
        ("cuts off", _head(lambda n: int(n) % 2)),
        ("values are not the bits", _head(lambda n: round(n) % 2, W_v=(0, 1.0, 0))),
        ("sees no zeros", _head(lambda n: round(n) % 2, look=((0, 1, 0), (900, 0, 0)))),
        ("not the parity", _head(lambda n: 1 - round(n) % 2)),
        ("not as a sign", _head(lambda n: (-1) ** round(n))),
        ("scores are not equal", _head(lambda n: round(n) % 2, look=((0, 1, 0), (0, 0, 1)))),
        ("W_v has the shape (3, 1)", lambda: (np.zeros((1, 3)), np.zeros((1, 3)), np.eye(3)[:, :1], round)),
    ],
    "comp-ex-linear": [
        ("the answer is a mean", _step(normed=False)),
        ("before it was written", _step(late=True)),
        ("phi is missing", _step(f=lambda x: x)),
        ("it is x + 1", _step(f=np.exp)),
        ("ELU alone", _step(f=lambda x: _phi(x) - 1)),
        ("missing for the query", _step(asks=lambda x: x)),
        ("depends on the query", _step(total=lambda q, z: z.sum())),
    ],
}

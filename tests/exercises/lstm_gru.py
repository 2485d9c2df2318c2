"""Wrong answers for the chapter on LSTM and GRU: {label: [(words of the hint, answer), ...]}."""

import math

import numpy as np


def _s(a):
    return 1 / (1 + np.exp(-np.asarray(a, dtype=float)))


def _step(x, h, c, w_x, w_h, b, order=(0, 1, 2, 3), inner=np.tanh, outer=np.tanh, turned=False, late=False):
    a = [w_x[k] * x + w_h[k] * h + b[k] for k in order]
    f = 1 - _s(a[1]) if turned else _s(a[1])
    old, c = c, f * c + _s(a[0]) * inner(a[2])
    return float(_s(a[3]) * outer(old if late else c)), float(c)


def _lstm(x, w, order=(0, 1, 2, 3), biases=("bias_ih_l0", "bias_hh_l0"), cell=False, turned=False):
    H = w["weight_hh_l0"].shape[1]
    h = c = np.zeros(H)
    out = []
    for x_t in x:
        a = np.split(w["weight_ih_l0"] @ x_t + w["weight_hh_l0"] @ h + sum(w[b] for b in biases), 4)
        i, f, g, o = (a[k] for k in order)
        c = (1 - _s(f) if turned else _s(f)) * c + _s(i) * np.tanh(g)
        h = _s(o) * np.tanh(c)
        out.append(c if cell else h)
    return np.array(out)


def _gru(x, w, form):
    H = w["weight_hh_l0"].shape[1]
    h, out = np.zeros(H), []
    for x_t in x:
        a = np.split(w["weight_ih_l0"] @ x_t + w["bias_ih_l0"], 3)
        u = np.split(w["weight_hh_l0"] @ h + w["bias_hh_l0"], 3)
        k = (1, 0) if form == "zrn" else (0, 1)
        r, z = (_s(a[j] + u[j]) for j in k)
        W_n, b_n = w["weight_hh_l0"][2 * H :], w["bias_hh_l0"][2 * H :]
        before, outside = W_n @ (r * h) + b_n, r * (W_n @ h) + b_n
        past = {"before": before, "both": before, "outside": outside, "no reset": u[2]}.get(form, r * u[2])
        n = np.tanh(a[2] + past)
        h = z * n + (1 - z) * h if form in ("swapped", "both") else (1 - z) * n + z * h
        out.append(h)
    return np.array(out)


def _unit(i=(0, 40, -20), f=(0, -40, 20), g=(3, 0, 0), o=(0, 0, 20)):
    """Each gate as (weight, weight, bias) -> W_x, W_h, b."""
    rows = np.array([i, f, g, o], dtype=float)
    return rows[:, :2], np.zeros((4, 1)), rows[:, 2]


def _flip(arrays, rows=1, which=(0, 1, 2, 3)):
    H = arrays[1].shape[1]
    arrays = [a.copy() for a in arrays]
    for k in which:
        arrays[k][rows * H : (rows + 1) * H] *= -1
    return arrays


def _jacobian(i, f, g, c, o, W_h, parts="igf", v=lambda c, o: o * (1 - np.tanh(c) ** 2)):
    W = dict(zip("ifgo", np.split(W_h, 4), strict=True))
    slopes = {"i": g * i * (1 - i), "f": c * f * (1 - f), "g": i * (1 - g * g)}
    M = sum(np.diag(slopes[k]) @ W[k] for k in parts)
    return np.diag(f) + M * v(c, o)


def _columns(i, f, g, c, o, W_h):
    """The Jacobian with the gates' factors on the columns."""
    W_i, W_f, W_g, _ = np.split(W_h, 4)
    M = W_i * (g * i * (1 - i)) + W_f * (c * f * (1 - f)) + W_g * (i * (1 - g * g))
    return np.diag(f) + M * (o * (1 - np.tanh(c) ** 2))


OPEN = (0, 0, 20)
WRONG = {
    "gate-ex-step": [
        ("1 - f", lambda *a: _step(*a, turned=True)),
        ("tanh, not the sigmoid", lambda *a: _step(*a, inner=_s)),
        ("o times tanh(c)", lambda *a: _step(*a, outer=lambda c: c)),
        ("looks like i, f, o, g", lambda *a: _step(*a, order=(0, 1, 3, 2))),
        ("looks like f, i, g, o", lambda *a: _step(*a, order=(1, 0, 2, 3))),
        ("first update c", lambda *a: _step(*a, late=True)),
        ("first h, then c", lambda *a: _step(*a)[::-1]),
        ("biases are missing", lambda x, h, c, w_x, w_h, b: _step(x, h, c, w_x, w_h, [0] * 4)),
    ],
    "gate-ex-count": [
        ("two biases", lambda k, D, H: {"elman": 1, "gru": 3, "lstm": 4}[k] * H * (D + H + 1)),
        ("biases are missing", lambda k, D, H: {"elman": 1, "gru": 3, "lstm": 4}[k] * H * (D + H)),
        ("for every unit", lambda k, D, H: {"elman": 1, "gru": 3, "lstm": 4}[k] * (H * (D + H) + 2)),
        ("candidate is a block", lambda k, D, H: {"elman": 1, "gru": 2, "lstm": 3}[k] * H * (D + H + 2)),
        ("three blocks", lambda k, D, H: {"elman": 1, "gru": 2, "lstm": 4}[k] * H * (D + H + 2)),
        ("one block fewer", lambda k, D, H: {"elman": 1, "gru": 4, "lstm": 4}[k] * H * (D + H + 2)),
        ("weights on the state are missing", lambda k, D, H: {"elman": 1, "gru": 3, "lstm": 4}[k] * H * (D + 2)),
    ],
    "gate-ex-lag": [
        ("one too few", lambda f, s: math.floor(math.log(s) / math.log(f))),
        ("not below yet: there", lambda f, s: next(k for k in range(1000) if f**k <= s)),
        ("one too many", lambda f, s: math.floor(math.log(s) / math.log(f)) + 2),
        ("whole number", lambda f, s: math.log(s) / math.log(f)),
        ("f is what is kept", lambda f, s: math.floor(math.log(s) / math.log(1 - f)) + 1),
    ],
    "gate-ex-lstm": [
        ("bias_hh_l0, is missing", lambda x, w: _lstm(x, w, biases=("bias_ih_l0",))),
        ("looks like f, i, g, o", lambda x, w: _lstm(x, w, order=(1, 0, 2, 3))),
        ("looks like i, f, o, g", lambda x, w: _lstm(x, w, order=(0, 1, 3, 2))),
        ("carry h and c on", lambda x, w: np.concatenate([_lstm([x_t], w) for x_t in x])),
        ("the output is h", lambda x, w: _lstm(x, w, cell=True)),
        ("not 1 - f", lambda x, w: _lstm(x, w, turned=True)),
        ("it should be", lambda x, w: 0.5 * _lstm(x, w)),
    ],
    "gate-ex-gru": [
        ("z multiplies the old state", lambda x, w: _gru(x, w, "swapped")),
        ("after the matrix", lambda x, w: _gru(x, w, "before")),
        ("stands inside", lambda x, w: _gru(x, w, "outside")),
        ("looks like z, r, n", lambda x, w: _gru(x, w, "zrn")),
        ("form of other papers", lambda x, w: _gru(x, w, "both")),
        ("reset gate is missing", lambda x, w: _gru(x, w, "no reset")),
        ("bias_hh_l0, is missing", lambda x, w: _gru(x, w | {"bias_hh_l0": 0 * w["bias_hh_l0"]}, "")),
    ],
    "gate-ex-latch": [
        ("leaks away", lambda: _unit(f=(0, -40, 4))),
        ("noise gets in", lambda: _unit(i=OPEN, f=OPEN)),
        ("does not replace it", lambda: _unit(f=OPEN, g=(3, 0, 0))),
        ("does not replace it", lambda: _unit(f=(0, -20, 20))),
        ("h does not show it", lambda: _unit(o=(0, 40, -20))),
        ("yours look like i, f, o, g", lambda: _unit(g=OPEN, o=(3, 0, 0))),
        ("wrong already", lambda: _unit(i=(0, -40, 20))),
        ("shapes", lambda: tuple(w.T for w in _unit())),
        ("return 3 arrays", lambda: "i, f, g, o"),
    ],
    "gate-ex-counter": [
        ("other way around", lambda: _unit(OPEN, OPEN, (-20, 20, 0), OPEN)),
        ("forgets", lambda: _unit(OPEN, (0, 0, 0), (20, -20, 0), OPEN)),
        ("but should be 500", lambda: _unit((0, 0, 5), OPEN, (20, -20, 0), OPEN)),
        ("after a the cell is 0.500, but should be 1", lambda: _unit((0, 0, 0), OPEN, (20, -20, 0), OPEN)),
        ("after b the cell is 0.000, but should be -1", lambda: _unit(OPEN, OPEN, (20, 0, 0), OPEN)),
        ("but should be -500", lambda: _unit(OPEN, OPEN, (20, -5, 0), OPEN)),
        ("yours look like i, f, o, g", lambda: _unit(OPEN, OPEN, OPEN, (20, -20, 0))),
        ("shapes", lambda: _unit(OPEN, OPEN, (20, -20, 0), OPEN)[:2]),
    ],
    "gate-ex-flip": [
        ("as they came", lambda *a: a),
        ("flips the reset gate", lambda *a: _flip(a, rows=0)),
        ("flips the candidate", lambda *a: _flip(a, rows=2)),
        ("both of them", lambda *a: _flip(a, which=(0, 1))),
        ("the second one too", lambda *a: _flip(a, which=(0, 1, 2))),
    ],
    "gate-ex-half-life": [
        ("sign is wrong", lambda k: math.log(2 ** (1 / k) - 1)),
        ("undo the sigmoid", lambda k: 0.5 ** (1 / k)),
        ("decay by 1/e", lambda k: -math.log(math.exp(1 / k) - 1)),
        ("mean lag", lambda k: math.log(k - 1)),
        ("about 1/e is left", math.log),
        ("exact value", lambda k: math.log(k / math.log(2))),
    ],
    "gate-ex-jacobian": [
        ("direct path: the detours", lambda i, f, *a: np.diag(f)),
        ("transpose", lambda *a: _jacobian(*a).T),
        ("forget gate: that term", lambda *a: _jacobian(*a, parts="ig")),
        ("only the candidate", lambda *a: _jacobian(*a, parts="g")),
        ("factor o is missing", lambda *a: _jacobian(*a, v=lambda c, o: 1 - np.tanh(c) ** 2)),
        ("lead through", lambda *a: _jacobian(*a, v=lambda c, o: 1)),
        ("rows of W_h", _columns),
        ("add diag(f)", lambda i, f, *a: _jacobian(i, f, *a) - np.diag(f)),
    ],
}

"""Wrong answers for the chapter on the Elman RNN: {label: [(words of the hint, answer), ...]}."""

import math

import numpy as np


def _count(V, D, H, table=1, bias=1, out=1, recurrent=1):
    return table * V * D + H * D + recurrent * H * H + bias * H + V * H + out * V


def _unroll(f):
    def run(x, w_x, w_h, b):
        h, states = 0.0, []
        for x_t in x:
            h = f(x_t, h, w_x, w_h, b)
            states.append(h)
        return states

    return run


_right_states = _unroll(lambda x, h, w, u, b: math.tanh(w * x + u * h + b))


def _batch(sentences, bos, eos, pad, read=None, wanted=None, count=None, front=False):
    T = 1 + max(map(len, sentences))
    read = read or (lambda s: [bos, *s])
    wanted = wanted or (lambda s: [*s, eos])
    count = count or (lambda s: [1] * (len(s) + 1))

    def fill(row, value):
        gap = [value] * (T - len(row))
        return gap + row if front else row + gap

    rows = [(fill(read(s), pad), fill(wanted(s), pad), fill(count(s), 0)) for s in sentences]
    return tuple(list(part) for part in zip(*rows, strict=True))


def _end_read(s, bos, eos, pad, change):
    rows = [[bos, *x, eos] + [pad] * (max(map(len, s)) - len(x)) for x in s]
    inputs, targets = [r[:-1] for r in rows], [r[1:] for r in rows]
    return (
        inputs,
        targets,
        [[change(i, t, pad) for i, t in zip(*r, strict=True)] for r in zip(inputs, targets, strict=True)],
    )


def _log_q(z):
    return z - z.max(-1, keepdims=True) - np.log(np.exp(z - z.max(-1, keepdims=True)).sum(-1, keepdims=True))


def _surprisal(z, t):
    return -np.take_along_axis(_log_q(z), t[..., None], -1)[..., 0]


def _mean(z, t, m):
    real = m.astype(bool)
    return float(_surprisal(z[real], t[real]).mean())


def _overflows(z, t, m):
    real = m.astype(bool)
    e = np.exp(z[real])
    return float(-np.log((e / e.sum(-1, keepdims=True))[np.arange(real.sum()), t[real]]).mean())


def _first_last(k=20.0, keep=3.0, sign=1.0, threshold=1.5):
    return (
        np.array([[k], [k], [-k]]),
        np.array([[keep * k, 0, 0], [k, 0, 0], [-k, 0, 0]]),
        np.array([0.0, -k, -k]),
        sign * np.array([[0.0, 1.0, 1.0]]),
        sign * np.array([threshold]),
    )


def _one_unit(w_x, w_h, w_y, b_y=0.0):
    return np.array([[w_x]]), np.array([[w_h]]), np.zeros(1), np.array([[w_y]]), np.array([b_y])


def _with_previous():
    # unit 0 holds the latest symbol only
    W_x, _, b, W_y, b_y = _first_last()
    return W_x, np.array([[0.0, 0, 0], [20, 0, 0], [-20, 0, 0]]), b, W_y, b_y


def _fading():
    # each opposite symbol takes a little off the memory of the first one
    W_x, W_h = np.array([[0.8], [20.0], [-20.0]]), np.array([[2.4, 0, 0], [38.0, 0, 0], [-38.0, 0, 0]])
    return W_x, W_h, np.array([0.0, -20.0, -20.0]), np.array([[0.0, 1.0, 1.0]]), np.array([1.5])


def _sum_of_both():
    return np.full((2, 1), 20.0), np.diag([60.0, 0.0]), np.zeros(2), np.ones((1, 2)), np.zeros(1)


def _believed(stop, j, extra=4, first=None, power=-1):
    start = j if first is None else first
    weights = [(1 - stop) ** i * float(i + extra) ** power for i in range(start, start + 3000)]
    return weights[j - start] / sum(weights)


def _sample(step, bos, eos, rng, longest, token_of=None, state_of=None, pick=None, keep_eos=False, keep_bos=False):
    token, state, written = bos, None, [bos] if keep_bos else []
    while len(written) < longest:
        q, new = step(token_of(token) if token_of else token, state)
        state = state_of(new) if state_of else new
        drawn = int(pick(q) if pick else rng.choice(len(q), p=q))
        if drawn == eos:
            return [*written, eos] if keep_eos else written
        written.append(drawn)
        token = drawn
    return written


def _own_dice(step, bos, eos, rng, longest, dice=np.random.default_rng(7)):  # noqa: B008
    return _sample(step, bos, eos, dice, longest)


WRONG = {
    "rnn-ex-count": [
        (
            "length plays no part",
            lambda V, D, H, T: V * D + T * (H * D + H * H + H) + V * H + V,
        ),
        ("table E", lambda V, D, H, T: _count(V, D, H, table=0)),
        ("biases are missing", lambda V, D, H, T: _count(V, D, H, bias=0, out=0)),
        ("one bias in the layer", lambda V, D, H, T: _count(V, D, H, bias=2)),
        ("W_h is missing", lambda V, D, H, T: _count(V, D, H, recurrent=0)),
    ],
    "rnn-ex-unroll": [
        ("tanh is missing", _unroll(lambda x, h, w, u, b: w * x + u * h + b)),
        ("old state is lost", _unroll(lambda x, h, w, u, b: math.tanh(w * x + b))),
        ("input is missing", _unroll(lambda x, h, w, u, b: math.tanh(u * h + b))),
        ("changed places", _unroll(lambda x, h, w, u, b: math.tanh(u * x + w * h + b))),
        ("one step late", lambda *a: [0.0, *_right_states(*a)[:-1]]),
        ("begins with h_1", lambda *a: [0.0, *_right_states(*a)]),
        ("after the tanh", lambda *a: [math.tanh(s) for s in _unroll(lambda x, h, w, u, b: w * x + u * h + b)(*a)]),
        ("after every step", lambda *a: _right_states(*a)[-1]),
    ],
    "rnn-ex-shift": [
        ("not shifted", lambda s, b, e, p: _batch(s, b, e, p, wanted=lambda x: [b, *x])),
        ("begin with BOS", lambda s, b, e, p: _batch(s, b, e, p, read=lambda x: [*x, e])),
        ("never learns to stop", lambda s, b, e, p: _batch(s, b, e, p, wanted=lambda x: x)),
        ("mask must be 1 there", lambda s, b, e, p: _batch(s, b, e, p, count=lambda x: [1] * len(x))),
        (
            "padding would count",
            lambda s, b, e, p: _batch(s, b, e, p, count=lambda x: [1] * (1 + max(map(len, s)))),
        ),
        ("not in front", lambda s, b, e, p: _batch(s, b, e, p, front=True)),
        (
            "with a 1 in the mask",
            lambda s, b, e, p: _batch(s, b, e, p, wanted=lambda x: x, count=lambda x: [1] * len(x)),
        ),
        ("padding would count", lambda *a: _end_read(*a, lambda i, t, pad: 1)),
        ("wrong way round", lambda *a: _end_read(*a, lambda i, t, pad: int(t == pad))),
        ("not about the inputs", lambda *a: _end_read(*a, lambda i, t, pad: int(i != pad))),
    ],
    "rnn-ex-loss": [
        ("not by the size of the array", lambda z, t, m: _mean(z, t, m) * m.sum() / m.size),
        ("this is the sum", lambda z, t, m: _mean(z, t, m) * m.sum()),
        ("padding is counted", lambda z, t, m: _surprisal(z, t).mean()),
        (
            "mean of the sentences' means",
            lambda z, t, m: np.mean([_mean(a[None], b[None], c[None]) for a, b, c in zip(z, t, m, strict=True)]),
        ),
        ("in bits", lambda z, t, m: _mean(z, t, m) / math.log(2)),
        ("zero times infinity", lambda z, t, m: (_surprisal(z, t) * m).sum() / m.sum()),
        ("overflow", _overflows),
        ("no small number added", lambda z, t, m: np.mean(-np.log(np.exp(-_surprisal(z[m > 0], t[m > 0])) + 1e-12))),
        ("number of sentences", lambda z, t, m: _mean(z, t, m) * m.sum() / len(m)),
    ],
    "rnn-ex-like-length": [
        ("weights are missing", lambda stop, j: stop),
        ("off by one", lambda stop, j: _believed(stop, j, extra=3)),
        ("not j + 1", lambda stop, j: _believed(stop, j, extra=1)),
        ("not j + 5", lambda stop, j: _believed(stop, j, extra=5)),
        ("depends on j", lambda stop, j: _believed(stop, 0)),
        ("not from 0", lambda stop, j: _believed(stop, j, first=0)),
        ("not more", lambda stop, j: _believed(stop, j, power=1)),
    ],
    "rnn-ex-first-last": [
        ("just before", _with_previous),
        ("wrong way round", lambda: _first_last(sign=-1.0)),
        ("memory of the first symbol fades", _fading),
        ("memory of the first symbol fades", lambda: _first_last(keep=1.0)),
        ("is not positive, and should be.", _sum_of_both),
        ("follows the current symbol", lambda: _one_unit(20.0, 0.0, 1.0)),
        ("follows the first symbol", lambda: _one_unit(20.0, 60.0, 1.0)),
        ("at the first step", lambda: _first_last(threshold=0.5)),
        ("never changes", lambda: _one_unit(0.0, 0.0, 1.0, 1.0)),
        ("must be (3, 1)", lambda: (np.ones(3), *_first_last()[1:])),
        ("five arrays", lambda: _first_last()[:3]),
        ("five arrays", lambda: None),
    ],
    "rnn-ex-sampler": [
        ("state is lost", lambda *a: _sample(*a, state_of=lambda s: None)),
        ("step reads BOS every time", lambda *a: _sample(*a, token_of=lambda t: a[1])),
        ("most probable token", lambda *a: _sample(*a, pick=lambda q: int(q.argmax()))),
        ("every token comes equally often", lambda *a: _sample(*a, pick=lambda q: a[3].choice(np.flatnonzero(q)))),
        ("every token comes equally often", lambda *a: _sample(*a, pick=lambda q: a[3].integers(len(q)))),
        ("same sentence", lambda *a: _sample(*a[:3], np.random.default_rng(0), a[4])),
        ("stop when eos is drawn", lambda *a: _sample(*a, pick=lambda q: a[3].choice([3, 4], p=q[3:] / q[3:].sum()))),
        ("two marks do not count", lambda *a: _sample(*a[:4], a[4] - 1)),
        ("leave EOS out", lambda *a: _sample(*a, keep_eos=True)),
        ("leave BOS out", lambda *a: _sample(*a, keep_bos=True)),
        ("use rng for all randomness", _own_dice),
    ],
    "rnn-ex-capacity": [
        ("logarithm to base 2", lambda H, b, v: math.floor(H * b / math.log(v))),
        ("divide by that", lambda H, b, v: H * b),
        ("not v", lambda H, b, v: H * b // v),
        ("round down", lambda H, b, v: math.ceil(H * b / math.log2(v))),
        ("bits of its own", lambda H, b, v: H * b // math.ceil(math.log2(v))),
        ("fit into one number", lambda H, b, v: int(b / math.log2(v)) * H),
        ("widths multiply", lambda H, b, v: math.floor((H + b) / math.log2(v))),
    ],
}

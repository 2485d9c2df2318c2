"""Wrong answers for the chapter on transformers: {label: [(words of the hint, answer), ...]}."""

import numpy as np
import torch

from course_lib.attention import causal_mask


def _count(V, D, layers, longest, tied, per_block=13, last=2, output=None):
    output = (0 if tied else V * D + V) if output is None else output
    return V * D + longest * D + layers * (12 * D * D + per_block * D) + last * D + output


def _norms(x, ddof=0, eps=1e-5, power=0.5, mean=None, rms=None, variance=None):
    x = np.array(x, dtype=float)
    variance = x.var(ddof=ddof) if variance is None else variance(x)
    layer = (x - (x.mean() if mean is None else mean)) / (variance + eps) ** power
    rms = x / ((x**2).mean() + eps) ** power if rms is None else rms(x)
    return [layer.tolist(), rms.tolist()]


def _outside(x):
    x = np.array(x, dtype=float)
    return [((x - x.mean()) / (x.std() + 1e-5)).tolist(), (x / (np.sqrt((x**2).mean()) + 1e-5)).tolist()]


def _no_epsilon(x):
    """In plain Python, which raises an error on division by zero."""
    D, mean = len(x), sum(x) / len(x)
    root = (sum((a - mean) ** 2 for a in x) / D) ** 0.5
    return [[(a - mean) / root for a in x], [a / (sum(b * b for b in x) / D) ** 0.5 for a in x]]


def _sinusoids(T, D, exponent=None, start=0):
    columns = []
    for j in range(D):
        i = j // 2
        power = 10_000.0 ** (2 * i / D) if exponent is None else exponent(i, j, D)
        t = np.arange(start, start + T)
        columns.append((np.cos if j % 2 else np.sin)(t / power))
    return np.stack(columns, axis=1)


def _halves(T, D):
    table = _sinusoids(T, D)
    return np.hstack([table[:, 0::2], table[:, 1::2]])


def _swapped(T, D):
    return _sinusoids(T, D).reshape(T, D // 2, 2)[:, :, ::-1].reshape(T, D)


def _rms(x, gamma, g, centre=False, through=True, mean=True, eps=1e-5):
    r = np.sqrt((x * x).mean(1, keepdims=True) + eps)
    hat, u = x / r, g * gamma
    product = (u * hat).mean(1, keepdims=True) if mean else (u * hat).sum(1, keepdims=True)
    by_x = u - hat * product if through else u
    by_x = by_x - u.mean(1, keepdims=True) if centre else by_x
    return [by_x / r, (g * hat).sum(0)]


def _one_by_one(x, gamma, g):
    """Each output by its own input alone."""
    r2 = (x * x).mean(1, keepdims=True) + 1e-5
    return [g * gamma * (1 - x * x / r2 / x.shape[1]) / r2**0.5, (g * x / r2**0.5).sum(0)]


def _layer_norm_backward(x, gamma, g):
    centred = x - x.mean(-1, keepdims=True)
    s = ((centred**2).mean(-1, keepdims=True) + 1e-5) ** 0.5
    hat, u = centred / s, g * gamma
    through_s = hat * (u * hat).mean(-1, keepdims=True)
    return (u - u.mean(-1, keepdims=True) - through_s) / s, (g * hat).sum(0)


def _cross(q, k, v, lengths, divisor=None, axis=-1, fill=-np.inf, after=False):
    scores = np.einsum("btd,bsd->bts", q, k) / (q.shape[-1] ** 0.5 if divisor is None else divisor)
    for b, length in enumerate(lengths):
        if not after:
            scores[b, :, length:] = scores[b, :, length:] if fill is None else fill
    e = np.exp(scores - scores.max(axis, keepdims=True))
    weights = e / e.sum(axis, keepdims=True)
    if after:
        for b, length in enumerate(lengths):
            weights[b, :, length:] = 0
    return [weights @ v, weights]


def _project(x, memory, W_q, W_k, W_v, lengths, **options):
    return _cross(x @ W_q.T, memory @ W_k.T, memory @ W_v.T, lengths, **options)


def _causal(x, memory, W_q, W_k, W_v, lengths):
    scores = (x @ W_q.T) @ (memory @ W_k.T).swapaxes(1, 2) / x.shape[-1] ** 0.5
    real = np.arange(memory.shape[1]) < np.array(lengths)[:, None, None]
    weights = np.exp(scores) * (real & np.tri(*scores.shape[1:], dtype=bool))
    weights /= weights.sum(-1, keepdims=True)
    return [weights @ memory @ W_v.T, weights]


def _barred_by_positions(x, memory, W_q, W_k, W_v, lengths):
    """Right as long as there are as many positions as source places."""
    q, k, v = x @ W_q.T, memory @ W_k.T, memory @ W_v.T
    real = np.arange(x.shape[1]) < np.array(lengths)[:, None]
    scores = np.where(real[:, None], q @ k.swapaxes(1, 2) / q.shape[-1] ** 0.5, -np.inf)
    weights = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
    return [weights @ v, weights]


def _step(x, keys, values, W_q, W_k, W_v, divisor=None):
    keys, values = np.vstack([keys, W_k @ x]), np.vstack([values, W_v @ x])
    scores = keys @ (W_q @ x) / (len(x) ** 0.5 if divisor is None else divisor)
    e = np.exp(scores)
    return [e @ values / e.sum(), keys, values]


def _without_itself(x, keys, values, W_q, W_k, W_v):
    longer = [np.vstack([keys, W_k @ x]), np.vstack([values, W_v @ x])]
    scores = keys @ (W_q @ x) / len(x) ** 0.5
    e = np.exp(scores - scores.max())  # for the first token that raises an error
    return [e @ values / e.sum(), *longer]


def _projected_again(x, keys, values, W_q, W_k, W_v):
    longer = [np.vstack([keys, W_k @ x]), np.vstack([values, W_v @ x])]
    e = np.exp(longer[0] @ W_k.T @ W_q @ x / len(x) ** 0.5)
    return [e @ longer[1] @ W_v.T / e.sum(), *longer]


def _in_front(x, keys, values, W_q, W_k, W_v):
    output = _step(x, keys, values, W_q, W_k, W_v)[0]
    return [output, np.vstack([W_k @ x, keys]), np.vstack([W_v @ x, values])]


def _shift(k, D, transpose=False, same=False, stretch=1, minus=-1):
    M = np.zeros((D, D))
    for i in range(0, D, 2):
        angle = k * (1.0 if same else 10_000.0 ** (-stretch * i / D))
        M[i, i] = M[i + 1, i + 1] = np.cos(angle)
        M[i + 1, i], M[i, i + 1] = np.sin(angle), minus * np.sin(angle)
    return M.T if transpose else M


def _shift_in_halves(k, D):
    order = [*range(0, D, 2), *range(1, D, 2)]
    return _shift(k, D)[np.ix_(order, order)]


def _relative(R, ahead=-np.inf, distance=lambda t, s: t - s):
    out = np.full(R.shape, ahead)
    for t in range(len(R)):
        for s in range(t + 1):
            out[t, s] = R[t, distance(t, s) % len(R)]
    return out


def _by_key(R):
    """Entry [t, s] is R[s, t - s]."""
    return np.stack([np.roll(row, s) for s, row in enumerate(R)], axis=1)


@torch.no_grad()
def _lens(model, ids, norm=True, log=True, mask=True, places=True, start=0, again=0):
    x = model.embedding(ids)
    x = x + model.position.weight[: ids.shape[1]] if places else x
    stream = [x]
    for block in model.blocks:
        new = block(stream[-1], causal_mask(ids.shape[1]) if mask else None)[0]
        stream.append(new + again * stream[-1])
    logits = torch.cat([model.output(model.norm(x) if norm else x) for x in stream[start:]])
    return logits.log_softmax(-1) if log else logits


@torch.no_grad()
def _added(model, ids):
    x = model.embedding(ids) + model.position.weight[: ids.shape[1]]
    parts = [x]
    for block in model.blocks:
        new = block(x, causal_mask(ids.shape[1]))[0]
        parts.append(new - x)
        x = new
    return torch.cat([model.output(model.norm(part)) for part in parts]).log_softmax(-1)


WRONG = {
    "trf-ex-count": [
        ("last norm is missing", lambda *c: _count(*c, last=0)),
        ("positions are missing", lambda V, D, layers, longest, tied: _count(V, D, layers, 0, tied)),
        ("counts once", lambda V, D, layers, longest, tied: _count(V, D, layers, longest, False)),
        ("has no bias either", lambda V, *c: _count(V, *c) + (V if c[-1] else 0)),
        ("yours has one when it is tied", lambda *c: _count(*c[:4], not c[4])),
        ("matrix and a bias of its own", lambda *c: _count(*c, output=0)),
        ("has a bias as well", lambda V, D, n, T, tied: _count(V, D, n, T, tied, output=0 if tied else V * D)),
        ("13 D besides", lambda *c: _count(*c, per_block=0)),
        ("norms are missing", lambda *c: _count(*c, per_block=9)),
        ("4 D and not 2 D", lambda *c: _count(*c, per_block=11)),
        ("you return", lambda *c: _count(*c) + 1),
    ],
    "trf-ex-norms": [
        ("not by D - 1", lambda x: _norms(x, ddof=1)),
        ("divide by the root", lambda x: _norms(x, power=1)),
        ("under the root", _outside),
        ("divides by zero", lambda x: _norms(x, eps=0.0)),
        ("divides by zero", _no_epsilon),
        ("about the mean", lambda x: _norms(x, variance=lambda v: (v * v).mean())),
        ("not of D plus", lambda x: _norms(x, variance=len)),
        ("first subtracts the mean", lambda x: _norms(x, mean=0.0)),
        ("subtracts nothing", lambda x: [_norms(x)[0]] * 2),
        ("not of the sum", lambda x: _norms(x, rms=lambda v: v / np.sqrt((v**2).sum() + 1e-5))),
    ],
    "trf-ex-sinusoids": [
        ("this is the misprint", lambda T, D: _sinusoids(T, D, lambda i, j, D: 1000.0 ** (2 * i))),
        ("slowest waves are missing", lambda T, D: _sinusoids(T, D, lambda i, j, D: 10_000.0 ** (i / D))),
        ("divide 2i by D", lambda T, D: _sinusoids(T, D, lambda i, j, D: 10_000.0 ** (2 * i))),
        ("share a frequency", lambda T, D: _sinusoids(T, D, lambda i, j, D: 10_000.0 ** (j / D))),
        ("not of the column", lambda T, D: _sinusoids(T, D, lambda i, j, D: 10_000.0 ** (2 * j / D))),
        ("doubles the column again", lambda T, D: _sinusoids(T, D, lambda i, j, D: 10_000.0 ** (2 * (j - j % 2) / D))),
        ("base is 10,000", lambda T, D: _sinusoids(T, D, lambda i, j, D: 1000.0 ** (2 * i / D))),
        ("divided by the power", lambda T, D: _sinusoids(T, D, lambda i, j, D: 10_000.0 ** (-2 * i / D))),
        ("counted from 0", lambda T, D: _sinusoids(T, D, start=1)),
        ("take turns", _halves),
        ("sine stands in the even", _swapped),
    ],
    "trf-ex-rms-backward": [
        ("takes out the part along x", lambda *c: _rms(*c, through=False)),
        ("gradient of layer norm", lambda *c: _rms(*c, centre=True)),
        ("gradient of layer norm as it stands", _layer_norm_backward),
        ("acts on all D outputs", _one_by_one),
        (
            "is divided by r",
            lambda x, gamma, g: [
                _rms(x, gamma, g)[0] * np.sqrt((x * x).mean(1, keepdims=True) + 1e-5),
                _rms(x, gamma, g)[1],
            ],
        ),
        ("pass through gamma", lambda x, gamma, g: [_rms(x, np.ones_like(gamma), g)[0], _rms(x, gamma, g)[1]]),
        (
            "serves all positions",
            lambda x, gamma, g: [_rms(x, gamma, g)[0], g * x / np.sqrt((x**2).mean(1, keepdims=True) + 1e-5)],
        ),
        ("not g times x", lambda x, gamma, g: [_rms(x, gamma, g)[0], (g * x).sum(0)]),
        ("root of a mean", lambda *c: _rms(*c, mean=False)),
        ("epsilon is missing", lambda *c: _rms(*c, eps=0.0)),
    ],
    "trf-ex-cross": [
        ("padding of the source is looked at", lambda *c: _project(*c, fill=None)),
        ("no longer sum to 1", lambda *c: _project(*c, after=True)),
        ("lack their divisor", lambda *c: _project(*c, divisor=1.0)),
        ("normalise over the source", lambda *c: _project(*c, axis=-2, fill=-1e30)),
        ("gives NaN", lambda *c: _project(*c, axis=-2)),
        ("is no bar", lambda *c: _project(*c, fill=0.0)),
        ("no causal mask", _causal),
        ("other way round", lambda x, m, W_q, W_k, W_v, n: _cross(m @ W_q.T, x @ W_k.T, x @ W_v.T, n)),
        ("not the memory itself", lambda x, m, W_q, W_k, W_v, n: _cross(x @ W_q.T, m @ W_k.T, m, n)),
        ("yours come from x", lambda x, m, W_q, W_k, W_v, n: _cross(x @ W_q.T, m @ W_k.T, x @ W_v.T, n)),
        ("not transposed", lambda x, m, W_q, W_k, W_v, n: _cross(x @ W_q, m @ W_k, m @ W_v, n)),
        ("stopped with ValueError", _barred_by_positions),
    ],
    "trf-ex-cache": [
        ("see itself too", _without_itself),
        ("lack their divisor", lambda *c: _step(*c, divisor=1.0)),
        ("behind the others", _in_front),
        ("not keys again", lambda x, k, v, W_q, W_k, W_v: _step(x, k, v, W_q, W_k, W_k)),
        ("not x", lambda x, k, v, W_q, W_k, W_v: _step(x, k, v, W_q, np.eye(len(x)), np.eye(len(x)))),
        ("W_k and W_v again", _projected_again),
        ("not x itself", lambda x, k, v, W_q, W_k, W_v: _step(x, k, v, np.eye(len(x)), W_k, W_v)),
        ("yours are transposed", lambda x, k, v, W_q, W_k, W_v: _step(x, k, v, W_q.T, W_k.T, W_v.T)),
        ("return the longer caches", lambda x, k, v, *W: [_step(x, k, v, *W)[0], k, v]),
    ],
    "trf-ex-shift": [
        ("Transpose your matrix", lambda *c: _shift(*c, transpose=True)),
        ("its own angle", lambda *c: _shift(*c, same=True)),
        ("are neighbours", _shift_in_halves),
        ("for one step", lambda k, D: _shift(1, D)),
        ("yours is i / D", lambda *c: _shift(*c, stretch=0.5)),
        ("doubles the column again", lambda *c: _shift(*c, stretch=2)),
        ("one of the two sines", lambda *c: _shift(*c, minus=1)),
    ],
    "trf-ex-relative": [
        ("what lies ahead", lambda R: _relative(R, ahead=0.0)),
        ("counts from the end", lambda R: np.stack([np.roll(row[::-1], t + 1) for t, row in enumerate(R)])),
        ("not the score of |t - s|", lambda R: np.stack([np.r_[r[t:0:-1], r[: len(r) - t]] for t, r in enumerate(R)])),
        ("not s - t", lambda R: _relative(R, distance=lambda t, s: s - t)),
        ("not that of the place", lambda R: np.tril(_by_key(R)) + np.triu(np.full(R.shape, -np.inf), 1)),
        ("d *back*", lambda R: _relative(R, distance=lambda t, s: s)),
        ("one off", lambda R: _relative(R, distance=lambda t, s: t - s + 1)),
        ("yours are exchanged", lambda R: _relative(R).T),
        ("scores for the distances", lambda R: _relative(np.repeat(R[-1:], len(R), axis=0))),
    ],
    "trf-ex-lens": [
        ("last norm is missing", lambda *c: _lens(*c, norm=False)),
        ("these are logits", lambda *c: _lens(*c, log=False)),
        ("these are probabilities", lambda *c: _lens(*c).exp()),
        ("looks ahead", lambda *c: _lens(*c, mask=False)),
        ("have to be added", lambda *c: _lens(*c, places=False)),
        ("blocks + 1 rows", lambda *c: _lens(*c, start=1)),
        ("what a block added", _added),
        ("do not add it again", lambda *c: _lens(*c, again=1)),
    ],
}

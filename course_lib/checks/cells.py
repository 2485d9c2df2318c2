"""LSTM and GRU in NumPy, with room for the mistakes that the checks look for."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np


def sigmoid(a):
    """Of a number or an array."""
    return 1 / (1 + np.exp(-np.asarray(a, dtype=float)))


def lstm_step(x, h, c, W_x, W_h, b, order="ifgo", candidate=np.tanh, forget=lambda f: f, show=np.tanh, late=False):
    """h and c after one step; the last five arguments are where answers go wrong."""
    blocks = dict(zip(order, np.split(W_x @ x + W_h @ h + b, 4), strict=True))
    i, f, o = (sigmoid(blocks[gate]) for gate in "ifo")
    old, c = c, forget(f) * c + i * candidate(blocks["g"])
    return o * show(old if late else c), c


def lstm_outputs(x, W_x, W_h, b, **mistake):
    """Hidden and cell states (T, H) from states of zero; a mistake is one of :func:`lstm_step`."""
    h = c = np.zeros(W_h.shape[1])
    hs, cs = [], []
    for x_t in np.asarray(x, dtype=float):
        h, c = lstm_step(x_t, h, c, W_x, W_h, b, **mistake)
        hs.append(h)
        cs.append(c)
    return np.array(hs), np.array(cs)


def gru_outputs(x, W_x, W_h, b_x, b_h, order="rzn", reset="after", swapped=False):
    """Hidden states (T, H); the last three arguments are where answers go wrong."""
    W_x, W_h, b_x, b_h = (np.reshape(w, (3, -1, *np.shape(w)[1:])) for w in (W_x, W_h, b_x, b_h))
    r_, z_, n_ = (order.index(k) for k in "rzn")
    h, out = np.zeros(W_h.shape[2]), []
    for x_t in x:
        a, u = W_x @ x_t + b_x, W_h @ h + b_h
        r, z = sigmoid(a[r_] + u[r_]), sigmoid(a[z_] + u[z_])
        past = {
            "after": r * u[n_],
            "before": W_h[n_] @ (r * h) + b_h[n_],
            "weights only": r * (W_h[n_] @ h) + b_h[n_],
            "none": u[n_],
        }[reset]
        n = np.tanh(a[n_] + past)
        h = z * n + (1 - z) * h if swapped else (1 - z) * n + z * h
        out.append(h)
    return np.array(out)


def torch_case(kind: str, seed: int, T: int, D: int, H: int) -> tuple:
    """An input, and the weights of a torch.nn layer as arrays by name."""
    import torch  # here: the check of one step needs no PyTorch

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        layer = getattr(torch.nn, kind)(D, H, batch_first=True).double()
        for p in layer.parameters():
            p.data *= 2.5  # larger weights, so that no mistake stays small
        x = torch.randn(T, D, dtype=torch.float64)
    return x.numpy(), {name: p.detach().numpy() for name, p in layer.named_parameters()}


def by_torch(kind: str) -> Callable:
    """What torch.nn itself computes from those arrays."""

    def run(x, weights):
        import torch

        H = weights["weight_hh_l0"].shape[1]
        layer = getattr(torch.nn, kind)(x.shape[1], H, batch_first=True).double()
        layer.load_state_dict({name: torch.from_numpy(np.array(w)) for name, w in weights.items()})
        with torch.no_grad():
            return layer(torch.from_numpy(np.array(x))[None])[0][0].numpy()

    return run

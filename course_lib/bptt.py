"""Backpropagation through time for the Elman network, by hand, in NumPy.

    a_t = x_t W_x^T + h_{t-1} W_h^T + b,   h_t = tanh(a_t),   z_t = h_t W_y^T + b_y

Everything is float64. Shapes: B batch, T time, D input width, H hidden width, V outcomes. The loss is any function of
the logits z; it enters only through ``dz``, its derivative by z, which :func:`cross_entropy` gives for one case.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["NAMES", "Run", "backward", "cross_entropy", "deltas", "forward", "gradient_by_lag", "init_params",
           "state_jacobian"]  # fmt: skip

NAMES = ("W_x", "W_h", "b", "W_y", "b_y")  # (H, D), (H, H), (H,), (V, H), (V,)


@dataclass(frozen=True)
class Run:
    """What a forward pass leaves for the backward pass; it keeps copies, so that later updates cannot spoil it."""

    params: dict[str, np.ndarray]
    x: np.ndarray  # (B, T, D)
    h: np.ndarray  # (B, T + 1, H); h[:, 0] is h_0, and h[:, t] the state after t inputs
    z: np.ndarray  # (B, T, V)


def init_params(input_size: int, hidden_size: int, outcomes: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Random parameters: matrices uniform in +-1/sqrt(H), biases 0. Errors: ValueError for a size below 1."""
    D, H, V = input_size, hidden_size, outcomes
    if min(D, H, V) < 1:
        raise ValueError(f"input_size={D}, hidden_size={H} and outcomes={V} must be 1 or more")
    shapes = dict(zip(NAMES, ((H, D), (H, H), (H,), (V, H), (V,)), strict=True))
    bound = H**-0.5
    return {n: rng.uniform(-bound, bound, s) if len(s) == 2 else np.zeros(s) for n, s in shapes.items()}


def forward(params: Mapping[str, ArrayLike], x: ArrayLike, h0: ArrayLike | None = None) -> Run:
    """Run the network over a batch: x (B, T, D) and h0 (B, H), zero if not given  ->  all states and logits.

    Errors: ValueError for parameters that are missing, unknown or of shapes that clash, for an x or h0 of another
    shape, and for values that are not finite.
    """
    kept = _checked_params(params)
    H, D = kept["W_x"].shape
    x = _array("x", x)
    if x.ndim != 3 or x.shape[2] != D or 0 in x.shape:
        raise ValueError(f"x has shape {x.shape}, but W_x {kept['W_x'].shape} needs (B, T, {D}), with B and T not 0")
    B, T, _ = x.shape
    h = np.zeros((B, T + 1, H))
    h[:, 0] = 0.0 if h0 is None else _shaped("h0", h0, (B, H))
    a = x @ kept["W_x"].T + kept["b"]  # what the inputs add, for all steps at once
    for t in range(T):
        h[:, t + 1] = np.tanh(a[:, t] + h[:, t] @ kept["W_h"].T)
    return Run(kept, x, h, h[:, 1:] @ kept["W_y"].T + kept["b_y"])


def cross_entropy(z: ArrayLike, targets: ArrayLike, mask: ArrayLike | None = None) -> tuple[float, np.ndarray]:
    """Mean cross-entropy in nats per target that counts, and its derivative by the logits.

    L = 1/N sum -log softmax(z_t)[target_t],   dL/dz_t = (softmax(z_t) - onehot(target_t)) / N
    z (B, T, V), targets (B, T) integers, mask (B, T), true where a target counts (all, if not given)  ->  L, (B, T, V)
    Errors: ValueError for shapes that clash, targets outside 0..V-1 where they count, or a mask that is all false;
    TypeError for targets that are not integers, or a mask that is not boolean.
    """
    z = _array("z", z)
    targets, mask = _checked_targets(z, targets, mask)
    counted = targets[mask]
    log_q = z[mask] - z[mask].max(axis=-1, keepdims=True)
    log_q -= np.log(np.exp(log_q).sum(axis=-1, keepdims=True))
    rows = np.arange(len(counted))
    error = np.exp(log_q)
    error[rows, counted] -= 1.0
    dz = np.zeros_like(z)
    dz[mask] = error / len(counted)
    return float(-log_q[rows, counted].mean()), dz


def deltas(run: Run, dz: ArrayLike, window: int | None = None) -> np.ndarray:
    """The derivative of the loss by what enters the tanh at each step, from the last step to the first.

    delta_t = (dz_t W_y + delta_{t+1} W_h) * (1 - h_t^2),   delta_{T+1} = 0   (B, T, H)

    With ``window`` = k the steps are cut into blocks of k, the first block beginning at step 1, and no delta crosses
    from a block into the one before it: truncated BPTT. A window of T or more changes nothing.
    Errors: ValueError for a dz of another shape than z, or a window below 1; TypeError for one that is no integer.
    """
    dz = _shaped("dz", dz, run.z.shape)
    T = dz.shape[1]
    window = T if window is None else _whole("window", window)
    from_loss, slope = dz @ run.params["W_y"], 1.0 - run.h[:, 1:] ** 2
    delta = np.zeros_like(slope)
    later = np.zeros_like(slope[:, 0])
    for t in reversed(range(T)):
        if (t + 1) % window == 0:  # step t + 1, counted from 1, is the last of its block
            later = np.zeros_like(later)
        delta[:, t] = (from_loss[:, t] + later) * slope[:, t]
        later = delta[:, t] @ run.params["W_h"]
    return delta


def backward(run: Run, dz: ArrayLike, window: int | None = None) -> dict[str, np.ndarray]:
    """The gradient of the loss by every parameter, by the inputs "x" and by the initial state "h0".

    dW_h = sum_t delta_t^T h_{t-1},   dW_x = sum_t delta_t^T x_t,   db = sum_t delta_t      (sums over the batch too)
    dW_y = sum_t dz_t^T h_t,          db_y = sum_t dz_t,            dx_t = delta_t W_x,   dh_0 = delta_1 W_h
    dz (B, T, V) is the derivative of the loss by the logits; ``window`` and errors as in :func:`deltas`.
    """
    delta, dz = deltas(run, dz, window), np.asarray(dz, dtype=float)
    return {
        "W_x": np.einsum("bti,btj->ij", delta, run.x),
        "W_h": np.einsum("bti,btj->ij", delta, run.h[:, :-1]),
        "b": delta.sum(axis=(0, 1)),
        "W_y": np.einsum("bti,btj->ij", dz, run.h[:, 1:]),
        "b_y": dz.sum(axis=(0, 1)),
        "x": delta @ run.params["W_x"],
        "h0": delta[:, 0] @ run.params["W_h"],
    }


def gradient_by_lag(run: Run, dz: ArrayLike) -> dict[str, np.ndarray]:
    """The gradients by W_x, W_h and b, split by lag: how many steps lie between a loss and the use of the weights.

    e_t^(0) = (dz_t W_y) * (1 - h_t^2),   e_t^(k+1) = (e_t^(k) W_h) * (1 - h_{t-k-1}^2)
    term k of dW_h = sum_t e_t^(k)^T h_{t-k-1}, and with x_{t-k} for W_x, and 1 for b

    Returns arrays with a first axis of T lags, k = 0 ... T - 1; the sum over it is the whole gradient. The sum of the
    first k terms is a truncated gradient in which every loss sees just k uses of the weights.
    Errors: as in :func:`deltas`.
    """
    dz = _shaped("dz", dz, run.z.shape)
    T = dz.shape[1]
    slope = 1.0 - run.h[:, 1:] ** 2
    error = (dz @ run.params["W_y"]) * slope  # (B, T - k, H): one row for each loss that reaches back k steps
    terms = {"W_x": [], "W_h": [], "b": []}
    for k in range(T):
        terms["W_x"].append(np.einsum("bti,btj->ij", error, run.x[:, : T - k]))
        terms["W_h"].append(np.einsum("bti,btj->ij", error, run.h[:, : T - k]))
        terms["b"].append(error.sum(axis=(0, 1)))
        error = (error[:, 1:] @ run.params["W_h"]) * slope[:, : T - k - 1]
    return {name: np.stack(parts) for name, parts in terms.items()}


def state_jacobian(run: Run, lag: int, step: int | None = None) -> np.ndarray:
    """How the state at ``step`` (the last, if not given) depends on the one ``lag`` steps before it: (B, H, H).

    dh_t/dh_{t-k} = diag(1 - h_t^2) W_h ... diag(1 - h_{t-k+1}^2) W_h,   entry [i, j] = dh_t[i] / dh_{t-k}[j]
    Errors: ValueError unless 0 <= lag <= step <= T; TypeError for what is no integer.
    """
    B, T, H = run.h[:, 1:].shape
    step = T if step is None else _whole("step", step, 0)
    lag = _whole("lag", lag, 0)
    if not lag <= step <= T:
        raise ValueError(f"lag={lag} and step={step} must keep 0 <= lag <= step <= {T}, the number of steps")
    product = np.broadcast_to(np.eye(H), (B, H, H))
    for t in range(step, step - lag, -1):
        product = product @ ((1.0 - run.h[:, t, :, None] ** 2) * run.params["W_h"])
    return np.array(product)


# ---- helpers -------------------------------------------------------------------------------------------------------


def _checked_params(params: Mapping[str, ArrayLike]) -> dict[str, np.ndarray]:
    if set(params) != set(NAMES):
        raise ValueError(f"the parameters are {sorted(params)}, but must be {sorted(NAMES)}")
    kept = {name: _array(name, params[name]) for name in NAMES}
    if kept["W_x"].ndim != 2 or kept["W_y"].ndim != 2 or 0 in kept["W_x"].shape + kept["W_y"].shape:
        raise ValueError(f"W_x {kept['W_x'].shape} must be (H, D), and W_y {kept['W_y'].shape} (V, H), no size 0")
    (H, _), V = kept["W_x"].shape, len(kept["W_y"])
    for name, shape in (("W_h", (H, H)), ("b", (H,)), ("W_y", (V, H)), ("b_y", (V,))):
        if kept[name].shape != shape:
            raise ValueError(f"{name} has shape {kept[name].shape}, but W_x has H = {H} rows: make it {shape}")
    return kept


def _checked_targets(z: np.ndarray, targets: ArrayLike, mask: ArrayLike | None) -> tuple[np.ndarray, np.ndarray]:
    if z.ndim != 3:
        raise ValueError(f"z has shape {z.shape}, not (B, T, V)")
    steps, V = z.shape[:2], z.shape[2]
    targets, mask = np.asarray(targets), np.ones(steps, dtype=bool) if mask is None else np.asarray(mask)
    if targets.dtype.kind not in "iu" or mask.dtype != bool:
        raise TypeError(f"targets are {targets.dtype} and mask is {mask.dtype}: give integers and booleans")
    if targets.shape != steps or mask.shape != steps:
        raise ValueError(
            f"targets {targets.shape} and mask {mask.shape} must both have the shape of z's steps, {steps}"
        )
    if not mask.any():
        raise ValueError("the mask counts no target at all, so there is no mean: count one at least")
    low, high = targets[mask].min(), targets[mask].max()
    if low < 0 or high >= V:
        raise ValueError(f"targets run from {low} to {high}, but z has {V} outcomes: 0 to {V - 1}")
    return targets, mask


def _array(name: str, value: ArrayLike) -> np.ndarray:
    """A copy in float64."""
    given = np.asarray(value)
    if given.dtype.kind not in "fiu":
        raise ValueError(f"{name} has entries of type {given.dtype}: give real numbers")
    copy = given.astype(float)
    if not np.isfinite(copy).all():
        raise ValueError(f"{name} holds {np.count_nonzero(~np.isfinite(copy))} values that are not finite")
    return copy


def _shaped(name: str, value: ArrayLike, shape: tuple[int, ...]) -> np.ndarray:
    array = _array(name, value)
    if array.shape != shape:
        raise ValueError(f"{name} has shape {array.shape}, but must have {shape}")
    return array


def _whole(name: str, value: int, smallest: int = 1) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{name}={value!r} must be a whole number")
    if value < smallest:
        raise ValueError(f"{name}={value} must be {smallest} or more")
    return int(value)

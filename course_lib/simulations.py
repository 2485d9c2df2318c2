"""Interactive figures that simulate: going downhill, a gradient travelling back in time, one LSTM unit.

Each function returns a :class:`~course_lib.widgets.Widget`. The page does the arithmetic itself, on the data that
are given here; where scripts do not run, a table of results computed in Python stands in its place.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import ArrayLike

from course_lib import optimizers
from course_lib.widgets import Widget, _fields, _filled, _table, _text

__all__ = ["PRESETS", "descent", "gradient_travel", "lstm_player", "lstm_states", "recurrent_matrices"]

METHODS: dict[str, Callable[[list[torch.Tensor], float], object]] = {
    "SGD": lambda params, rate: optimizers.SGD(params, rate),
    "momentum": lambda params, rate: optimizers.SGD(params, rate, momentum=0.9),
    "RMSProp": lambda params, rate: optimizers.RMSProp(params, rate, alpha=0.9),
    "Adam": lambda params, rate: optimizers.Adam(params, rate),
}  # with the settings that static/descent.js repeats
FUNCTIONS: dict[str, tuple[Callable, Callable]] = {
    "linear": (lambda a: a, np.ones_like),
    "tanh": (np.tanh, lambda a: 1 - np.tanh(a) ** 2),
    "ReLU": (lambda a: np.maximum(a, 0.0), lambda a: (a > 0).astype(float)),
}  # phi and its derivative, as in static/gradient_travel.js


# ---- chapter 3 -----------------------------------------------------------------------------------------------------


def descent(
    x: ArrayLike,
    y: ArrayLike,
    start: Sequence[float] | None = None,
    rate: float | None = None,
    seed: int = 0,
    title: str = "Downhill, batch by batch",
) -> Widget:
    """Fit y = a + b x by SGD, momentum, RMSProp or Adam, on batches of a size that the reader chooses.

    L(a, b) = 1/N sum_i (a + b x_i - y_i)^2       an exact quadratic bowl over the plane of (a, b)
    ``x`` and ``y`` are (N,). ``start`` is (a, b); by default the steep and the flat direction have an equal part in its
    loss. ``rate`` is the step size at first (default: 1 / largest curvature), taken to the nearest 1/20 of a decade.
    Errors: ValueError unless there are 3 to 2,000 finite pairs with two different x, a start that is not the minimum,
    and a rate between 1e-4 and 10.
    """
    x, y = _column(x, "x"), _column(y, "y")
    if len(x) != len(y):
        raise ValueError(f"x has {len(x)} values and y has {len(y)}: give one y for each x")
    if not 3 <= len(x) <= 2000:
        raise ValueError(f"{len(x)} points given: give 3 to 2,000, since the page carries them all")
    if np.ptp(x) <= 1e-9 * np.abs(x).max():
        raise ValueError(f"all x are {x[0]:g}: two different ones at least, or a and b cannot be told apart")
    design = np.stack([np.ones_like(x), x], axis=1)
    curvature, directions = np.linalg.eigh(2 / len(x) * design.T @ design)
    best = np.linalg.lstsq(design, y, rcond=None)[0]
    begin = _start(best, curvature, directions) if start is None else _column(start, "start")
    if len(begin) != 2 or np.allclose(begin, best, rtol=1e-6, atol=1e-9):
        raise ValueError(f"start={begin.tolist()} must be two numbers (a, b) away from the minimum {best.tolist()}")
    rate = float(min(max(1 / curvature[1], 1e-4), 10.0) if rate is None else rate)
    if not 1e-4 <= rate <= 10:
        raise ValueError(f"rate={rate} must be between 0.0001 and 10, the ends of the slider")
    rate = 10 ** (round(20 * math.log10(rate)) / 20)
    data = {"x": x.tolist(), "y": y.tolist(), "start": begin.tolist(), "rate": rate, "seed": int(seed)}
    data |= {"best": best.tolist(), "curvature": curvature.tolist()}
    return Widget("descent", title, data, _descent_table(design, y, begin, rate, best, curvature))


def _start(best: np.ndarray, curvature: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """A point where half of the loss above the minimum comes from the steep direction, half from the flat one."""
    flat, steep = (v if v.sum() >= 0 else -v for v in directions.T)
    distance = max(1.0, float(np.linalg.norm(best)))
    return best - distance * (flat - steep * math.sqrt(curvature[0] / curvature[1]))


def _descent_table(design, y, begin, rate, best, curvature) -> str:
    """Loss after some full-batch steps with each method, computed by ``course_lib.optimizers``."""
    rows = []
    for name, make in METHODS.items():
        losses = _full_batch_losses(design, y, begin, lambda params, make=make: make(params, rate), 100)
        rows.append((name, *(f"{losses[k]:.4g}" for k in (0, 1, 10, 100))))
    lowest = float(np.mean((design @ best - y) ** 2))
    words = (
        f"<p>Loss: the mean squared error of y = a + b x over {len(y)} points. Its minimum, {lowest:.4g}, is at "
        f"a = {best[0]:.4g}, b = {best[1]:.4g}. Its curvatures are {curvature[1]:.4g} and {curvature[0]:.4g}, so SGD "
        f"on the full data diverges for step sizes above {2 / curvature[1]:.3g}. Step size here: {rate:.3g}.</p>"
    )
    return words + _table(["Method, full batch", "At the start", "1 step", "10 steps", "100 steps"], rows)


def _full_batch_losses(design, y, begin, make, steps: int) -> list[float]:
    """Losses before the first and after each step: ``steps`` + 1 numbers."""
    a, b, theta = torch.tensor(design), torch.tensor(y), torch.tensor(begin, requires_grad=True)
    optimizer, losses = make([theta]), []
    for _ in range(steps + 1):
        optimizer.zero_grad()
        loss = ((a @ theta - b) ** 2).mean()
        losses.append(loss.item())
        loss.backward()
        optimizer.step()
    return losses


# ---- chapter 5 -----------------------------------------------------------------------------------------------------


def recurrent_matrices(rng: np.random.Generator, size: int = 12) -> dict[str, np.ndarray]:
    """Two (size, size) matrices of spectral radius 1: "random", a scaled Gaussian, and "orthogonal".

    Errors: ValueError unless ``size`` is 2 to 24.
    """
    if not 2 <= size <= 24:
        raise ValueError(f"size={size} must be 2 to 24: the page multiplies these matrices itself")
    gaussian = rng.normal(size=(size, size))
    q, r = np.linalg.qr(rng.normal(size=(size, size)))
    return {"random": gaussian / _radius(gaussian), "orthogonal": q * np.sign(np.diag(r))}


def gradient_travel(
    matrices: Mapping[str, ArrayLike], inputs: ArrayLike, title: str = "How much of the gradient arrives"
) -> Widget:
    """Turn the spectral radius of a recurrent matrix and watch the gradient travel back from the last state.

    h_t = phi(inputs_t + h_{t-1} W_h^T), h_0 = 0;   dh_T/dh_{T-k} = diag(phi'_T) W_h ... diag(phi'_{T-k+1}) W_h
    ``matrices`` maps a name to W_h (H, H), up to scale: each is divided by its spectral radius. ``inputs`` is (T, H),
    what x_t W_x^T + b adds at each step. Drawn is the largest singular value of the product, for each lag k.
    Errors: ValueError for no matrix or more than 4, for sizes that clash or are outside 2 <= H <= 24 and
    10 <= T <= 100, for values that are not finite, for a spectral radius of 0, or when all inputs are 0.
    """
    u = np.asarray(inputs, dtype=float)
    if u.ndim != 2 or not 10 <= len(u) <= 100 or not 2 <= u.shape[1] <= 24:
        raise ValueError(f"inputs has shape {u.shape}, not (T, H) with 10 <= T <= 100 and 2 <= H <= 24")
    if not np.isfinite(u).all() or not u.any():
        raise ValueError("inputs must be finite, and not all 0: tanh and ReLU would never leave 0")
    if not 1 <= len(matrices) <= 4:
        raise ValueError(f"{len(matrices)} matrices given: give 1 to 4, each with a name")
    scaled = {str(name): _normalised(str(name), W, u.shape[1]) for name, W in matrices.items()}
    kept = [{"name": name, "W": W.tolist(), "gamma": float(np.linalg.norm(W, 2))} for name, W in scaled.items()]
    table = _travel_table(scaled, u)
    return Widget("gradient_travel", title, {"matrices": kept, "inputs": u.tolist()}, table)


def _travel_table(matrices: Mapping[str, np.ndarray], inputs: np.ndarray) -> str:
    lags = [*(k for k in (5, 20) if k < len(inputs)), len(inputs)]
    rows = []
    for name, W in matrices.items():
        for function in FUNCTIONS:
            for radius in (0.9, 1.0, 1.1):
                norms = _gradient_norms(radius * W, inputs, function)
                rows.append((f"{name}, {function}", f"{radius}", *(f"{norms[k]:.2g}" for k in lags)))
    head = ["Matrix, function", "Spectral radius", *(f"k = {k}" for k in lags)]
    words = f"<p>Largest singular value of dh_T/dh_(T−k), for T = {len(inputs)}: how much of a gradient "
    return f"{words}that leaves the last state can arrive k steps earlier.</p>" + _table(head, rows)


def _gradient_norms(W: np.ndarray, inputs: np.ndarray, function: str) -> list[float]:
    """Spectral norms of dh_T/dh_{T-k} for k = 0 ... T."""
    phi, slope = FUNCTIONS[function]
    h, slopes = np.zeros(len(W)), []
    for u in inputs:
        a = u + h @ W.T
        h = phi(a)
        slopes.append(slope(a))
    product, norms = np.eye(len(W)), [1.0]
    for d in reversed(slopes):
        product = product @ (d[:, None] * W)
        norms.append(float(np.linalg.norm(product, 2)))
    return norms


def _radius(W: np.ndarray) -> float:
    return float(np.abs(np.linalg.eigvals(W)).max())


def _normalised(name: str, given: ArrayLike, size: int) -> np.ndarray:
    """The matrix divided by its spectral radius."""
    W = np.asarray(given, dtype=float)
    if W.shape != (size, size):
        raise ValueError(f"matrix {name!r} has shape {W.shape} and inputs has width {size}: make it {(size, size)}")
    if not np.isfinite(W).all():
        raise ValueError(f"matrix {name!r} holds a value that is not finite")
    if (radius := _radius(W)) <= 1e-9 * np.abs(W).max():
        raise ValueError(f"matrix {name!r} has spectral radius {radius:g}: it cannot be scaled to 1")
    return W / radius


# ---- chapter 6 -----------------------------------------------------------------------------------------------------


def _step(note: str, f: float, i: float, g: float, o: float) -> dict:
    return {"note": note, "f": f, "i": i, "g": g, "o": o}


PRESETS: dict[str, list[dict]] = {
    "latch": [
        _step("write 1", 0, 1, 1, 0),
        _step("hold", 1, 0, 0.6, 0),
        _step("hold", 1, 0, -0.9, 0),
        _step("read", 1, 0, -0.4, 1),
        _step("overwrite", 0, 1, -1, 0),
        _step("hold", 1, 0, 0.8, 0),
        _step("read", 1, 0, 0.5, 1),
    ],
    "leaky integrator": [_step("input 1", 0.8, 0.2, 1, 1)] * 6 + [_step("input 0", 0.8, 0.2, 0, 1)] * 6,
    "counter": [_step("count up", 1, 1, 1, 1)] * 5 + [_step("skip", 1, 0, 1, 1)] * 2 + [_step("down", 1, 1, -1, 1)] * 3,
    "reset": [_step("count up", 1, 1, 1, 1)] * 3
    + [_step("reset", 0, 0, 1, 1)]
    + [_step("count up", 1, 1, 1, 1)] * 2
    + [_step("half forgotten", 0.5, 0, 1, 1), _step("hold", 1, 0, 1, 1)],
}


def lstm_states(steps: Sequence[Mapping[str, float]], c0: float = 0.0) -> list[tuple[float, float, float]]:
    """(c_t, h_t, f_1 ... f_t) after each step of one LSTM unit whose gates are given.

    c_t = f c_{t-1} + i g,   h_t = o tanh(c_t);   the last is dc_t/dc_0 along the direct path.
    """
    c, share, states = c0, 1.0, []
    for s in steps:
        c = s["f"] * c + s["i"] * s["g"]
        share *= s["f"]
        states.append((c, s["o"] * math.tanh(c), share))
    return states


def lstm_player(
    presets: Mapping[str, Sequence[Mapping[str, object]]] | None = None,
    c0: float = 0.0,
    title: str = "One LSTM unit, step by step",
) -> Widget:
    """Set forget, input and output gate and the candidate of each step; see c_t, h_t and what the direct path carries.

    ``presets`` maps a name to steps, each with ``f``, ``i``, ``o`` in [0, 1], ``g`` in [-1, 1] and, if you like, a
    ``note``; without it, :data:`PRESETS`. ``c0`` is the cell state before the first step.
    Errors: ValueError for no preset, for one with no step or more than 40, for a step that lacks a value or has one
    out of range, or for a c0 that is not finite or beyond 100.
    """
    if not abs(c0) <= 100:
        raise ValueError(f"c0={c0} must be finite and between -100 and 100")
    ready = {}
    for name, steps in _filled(PRESETS if presets is None else presets, "presets").items():
        if not 1 <= len(steps) <= 40:
            raise ValueError(f"preset {name!r} has {len(steps)} steps: give 1 to 40")
        ready[str(name)] = [_lstm_step(f"step {t} of {name!r}", step) for t, step in enumerate(steps, 1)]
    table = "".join(f"<p>{heading}</p>{body}" for heading, body in _player_tables(ready, c0))
    return Widget("lstm_player", title, {"presets": list(ready.items()), "c0": float(c0)}, table)


def _lstm_step(where: str, given: Mapping[str, object]) -> dict:
    step = dict(zip("figo", map(float, _fields(given, "figo", where)), strict=True))
    for name, value in step.items():
        low = -1 if name == "g" else 0
        if not low <= value <= 1:
            raise ValueError(f"{where} has {name}={value}: it must be between {low} and 1")
    return {"note": str(given.get("note", "")), **step}


def _player_tables(presets: Mapping[str, list[dict]], c0: float):
    """A heading and a table for each preset: every step with its gates, states and product of forget gates."""
    head = ["Step", "What", "f", "i", "g", "o", "c", "h", "Product of f"]
    for name, steps in presets.items():
        rows = [
            (t, s["note"], *(f"{s[k]:g}" for k in "figo"), *(f"{round(v, 3) + 0.0:.3f}" for v in state))
            for t, (s, state) in enumerate(zip(steps, lstm_states(steps, c0), strict=True), 1)
        ]
        yield _text(f"{name}, from c = {c0:g}"), _table(head, rows)


# ---- helpers -------------------------------------------------------------------------------------------------------


def _column(values: ArrayLike, name: str) -> np.ndarray:
    """The same as a (N,) array of floats. Errors: ValueError for another shape, or a value that is not finite."""
    array = np.asarray(values, dtype=float)
    if array.ndim != 1:
        raise ValueError(f"{name} has shape {array.shape}: give a flat list of numbers")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} holds a value that is not finite: leave it out")
    return array

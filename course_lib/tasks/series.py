"""A time series whose best forecast is known: the autoregression of order two, AR(2)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from course_lib.tasks.task import Task, count, source

PHI = (1.6, -0.8)  # roots 0.8 ± 0.4i: a wave of period 13.6 steps that keeps 0.89 of its height from step to step


def ar2(
    n: int, length: int, rng: np.random.Generator, phi: tuple[float, float] = PHI, sigma: float = 1.0
) -> np.ndarray:
    """n stationary series x_t = phi_1 x_{t-1} + phi_2 x_{t-2} + e_t, with e_t normal, mean 0 and deviation sigma.

    Returns (n, T) float64. The first two values come from the exact stationary distribution, so that no burn-in is
    needed: every x_t is normal with mean 0 and variance ``ar2_variance(phi, sigma)``.

    Errors: ValueError for n or length below 1, for sigma <= 0, and for a phi that is not stationary.
    """
    n, length, rng = count("n", n), count("length", length), source(rng)
    variance = ar2_variance(phi, sigma)
    phi_1, phi_2 = _pair(phi)
    rho = phi_1 / (1 - phi_2)  # the correlation of neighbours
    x = rng.standard_normal((n, length))
    x[:, 0] *= math.sqrt(variance)
    if length > 1:
        x[:, 1] = rho * x[:, 0] + math.sqrt(variance * (1 - rho**2)) * x[:, 1]
    for t in range(2, length):
        x[:, t] = phi_1 * x[:, t - 1] + phi_2 * x[:, t - 2] + sigma * x[:, t]
    return x


def forecasting(
    n: int,
    length: int,
    rng: np.random.Generator,
    k: int = 1,
    phi: tuple[float, float] = PHI,
    sigma: float = 1.0,
) -> Task:
    """From ``length`` values of an AR(2) series, forecast the value k steps after the last one.

    inputs (n, T) float64; targets (n,) float64. Best: ``ar2_error(k, phi, sigma)``; baseline: the series' variance,
    the mean squared error of always saying 0.

    Errors: as ``ar2``, and ValueError for k < 1 or length < 2.
    """
    length, k = count("length", length, 2), count("k", k)
    x = ar2(n, length + k, rng, phi, sigma)
    best, baseline = ar2_error(k, phi, sigma), ar2_variance(phi, sigma)
    return Task(x[:, :length].copy(), x[:, -1].copy(), best, baseline, "mean squared error")


def ar2_forecast(history: ArrayLike, k: int, phi: tuple[float, float] = PHI) -> np.ndarray:
    """The forecast of x_{T+k} with the least squared error: the recursion run on, with every future e_t at 0.

    history (..., T), T >= 2, of which only the last two values matter  ->  (...), float64.

    Errors: ValueError for k < 1, for fewer than two values, for a value that is not finite, and for overflow.
    """
    k, (phi_1, phi_2) = count("k", k), _pair(phi)
    history = np.asarray(history, dtype=np.float64)
    if history.ndim < 1 or history.shape[-1] < 2:
        raise ValueError(f"history has shape {history.shape}: its last axis is time and needs two values or more")
    before, last = history[..., -2], history[..., -1]
    if not (np.isfinite(before).all() and np.isfinite(last).all()):
        raise ValueError("history ends in a value that is not finite: leave out or fill in missing values first")
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in range(k):
            before, last = last, phi_1 * last + phi_2 * before
    if not np.isfinite(last).all():
        raise ValueError(f"k={k} steps with phi=({phi_1:g}, {phi_2:g}) grow beyond all numbers: pass a smaller k")
    return last


def ar2_error(k: int, phi: tuple[float, float] = PHI, sigma: float = 1.0) -> float:
    """The mean squared error of the best k-step forecast, sigma^2 (psi_0^2 + ... + psi_{k-1}^2).

    psi_0 = 1, psi_1 = phi_1, psi_j = phi_1 psi_{j-1} + phi_2 psi_{j-2}: what is left of a shock after j steps. Holds
    for every phi, a random walk's (1, 0) included; for a stationary one it rises to ``ar2_variance``.

    Errors: ValueError for k < 1 or sigma <= 0, and for overflow.
    """
    k, (phi_1, phi_2), sigma = count("k", k), _pair(phi), _deviation(sigma)
    total, before, psi = 0.0, 0.0, 1.0
    for _ in range(k):
        total += psi * psi
        before, psi = psi, phi_1 * psi + phi_2 * before
    if not math.isfinite(total):
        raise ValueError(f"k={k} steps with phi=({phi_1:g}, {phi_2:g}) grow beyond all numbers: pass a smaller k")
    return sigma**2 * total


def ar2_variance(phi: tuple[float, float] = PHI, sigma: float = 1.0) -> float:
    """The variance of the stationary series, sigma^2 (1 - phi_2) / ((1 + phi_2) ((1 - phi_2)^2 - phi_1^2)).

    Errors: ValueError for sigma <= 0, and for a phi that is not stationary, with its roots.
    """
    (phi_1, phi_2), sigma = _stationary(phi), _deviation(sigma)
    return sigma**2 * (1 - phi_2) / ((1 + phi_2) * ((1 - phi_2) ** 2 - phi_1**2))


def _pair(phi: tuple[float, float]) -> tuple[float, float]:
    values = np.asarray(phi, dtype=np.float64)
    if values.shape != (2,) or not np.isfinite(values).all():
        raise ValueError(f"phi={phi!r} must hold two finite numbers, phi_1 and phi_2")
    return float(values[0]), float(values[1])


def _deviation(sigma: float) -> float:
    if not 0 < sigma < math.inf:
        raise ValueError(f"sigma={sigma} is a standard deviation: pass a finite number above 0")
    return float(sigma)


def _stationary(phi: tuple[float, float]) -> tuple[float, float]:
    """phi, if both roots of z^2 - phi_1 z - phi_2 lie inside the unit circle."""
    phi_1, phi_2 = _pair(phi)
    if abs(phi_2) < 1 and abs(phi_1) < 1 - phi_2:
        return phi_1, phi_2
    places = []
    for root in np.roots([1.0, -phi_1, -phi_2]):
        size, z = abs(root), f"{root.real:.4g}{root.imag:+.4g}i" if root.imag else f"{root.real:.4g}"
        place = "on" if math.isclose(size, 1, abs_tol=1e-7) else "inside" if size < 1 else "outside"
        places.append(f"{z} (size {size:.4g}) lies {place} the unit circle")
    raise ValueError(
        f"phi=({phi_1:g}, {phi_2:g}) is not stationary: of the roots of z^2 - phi_1 z - phi_2, {' and '.join(places)}; "
        "choose phi so that both lie inside"
    )

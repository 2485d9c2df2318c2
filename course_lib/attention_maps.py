"""Attention weights as maps: one matrix with its tokens, or one for each head. Data in, axes out."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import Rectangle

from course_lib.plotting import COLOURS
from course_lib.sketch import words

SHADES = LinearSegmentedColormap.from_list("attention", ["#ffffff", "#9fcbe6", COLOURS["blue"], "#003a5c"])
DARK = 0.63  # weights above have white numbers: contrast is at least 4.5 to 1 on either side
LARGEST = 8  # columns of a map in which the numbers can still be read


def heat_map(weights: np.ndarray, rows: Sequence[str], columns: Sequence[str],
             gold: Collection[tuple[int, int]] | None = None, numbers: bool | None = None,
             ax: Axes | None = None) -> Axes:
    """Attention weights (T, S): queries as rows, keys as columns, white for 0 and dark blue for 1.

    ``gold`` are the cells (row, column), from 0, to be outlined. ``numbers`` writes each weight into its cell; if not
    given, up to eight columns.
    Errors: ValueError for weights outside 0 to 1, for labels that do not fit them, or gold cells that are not there.
    """
    weights = _checked(weights, 2)
    T, S = weights.shape
    rows, columns = words("rows", rows, T), words("columns", columns, S)
    if wrong := [cell for cell in gold or () if not (0 <= cell[0] < T and 0 <= cell[1] < S)]:
        raise ValueError(f"gold has the cell {wrong[0]}, but the weights have {T} rows and {S} columns, from 0")
    ax = ax or plt.gca()
    _shade(ax, weights, rows, columns)
    ax.set(xlabel="looked at (key)", ylabel="looks (query)")
    if numbers if numbers is not None else S <= LARGEST:
        for (t, s), weight in np.ndenumerate(weights):
            ax.text(s, t, f"{weight:.2f}", ha="center", va="center", fontsize=9,
                    color="white" if weight > DARK else "black")
    for t, s in gold or ():
        ax.add_patch(Rectangle((s - 0.46, t - 0.46), 0.92, 0.92, fill=False, edgecolor=COLOURS["orange"],
                               linewidth=2.4))
    return ax


def heads(weights: np.ndarray, rows: Sequence[str], columns: Sequence[str] | None = None,
          titles: Sequence[str] | None = None, axes: Sequence[Axes] | None = None) -> np.ndarray:
    """One small map for each head, its title below, from weights (heads, T, S); ``columns``: the ``rows`` if not given.

    Without ``axes`` the maps fill the current figure, four to a row at most; where none is open, a new one that fits.
    Errors: ValueError as :func:`heat_map`, and for axes or titles that are not one for each head.
    """
    weights = _checked(weights, 3)
    h, T, S = weights.shape
    rows, columns = words("rows", rows, T), words("columns", rows if columns is None else columns, S)
    titles = words("titles", [f"head {i + 1}" for i in range(h)] if titles is None else titles, h)
    if axes is None:
        axes = _panels(h)
    axes = np.ravel(np.asarray(axes, dtype=object))
    if len(axes) != h:
        raise ValueError(f"{len(axes)} axes for {h} heads: give one for each head, or none")
    for ax, matrix, title in zip(axes, weights, titles, strict=True):
        _shade(ax, matrix, rows, columns, small=True)
        ax.set_xlabel(title, fontsize=11)
    return axes


# ---- helpers -------------------------------------------------------------------------------------


def _checked(weights: np.ndarray, dimensions: int) -> np.ndarray:
    """The weights as an array with that many dimensions."""
    weights = np.asarray(weights, dtype=float)
    if weights.ndim != dimensions or not weights.size:
        shape = "(T, S)" if dimensions == 2 else "(heads, T, S)"
        raise ValueError(f"weights have shape {weights.shape}: give {shape}, not empty")
    if not ((weights >= -1e-6) & (weights <= 1 + 1e-6)).all():
        raise ValueError(f"weights run from {weights.min():.3g} to {weights.max():.3g}: give what the softmax "
                         "returns, from 0 to 1, and not the scores")
    return weights.clip(0, 1)


def _panels(h: int) -> np.ndarray:
    """Axes for h maps; those that stand at the left name the queries."""
    wide = min(h, 4)
    high = -(-h // wide)
    figure = plt.gcf() if plt.get_fignums() else plt.figure(figsize=(6.8, high * (6.4 / wide + 0.6)))
    axes = figure.subplots(high, wide, squeeze=False)
    for ax in axes[:, 1:].flat:
        ax.tick_params(labelleft=False)
    for ax in axes.flat[h:]:
        ax.axis("off")
    return axes.ravel()[:h]


def _shade(ax: Axes, weights: np.ndarray, rows: Sequence[str], columns: Sequence[str], small: bool = False) -> None:
    """The matrix in shades, with its tokens on top and at the left."""
    T, S = weights.shape
    ax.imshow(weights, cmap=SHADES, vmin=0, vmax=1, aspect="auto" if T != S else "equal", interpolation="nearest")
    turn = 0 if max(map(len, columns)) < (2 if small else 4) else 90 if small else 45
    ax.set_xticks(range(S), columns, rotation=turn, ha="left" if turn == 45 else "center",
                  rotation_mode="anchor" if turn == 45 else None)
    ax.set_yticks(range(T), rows)
    ax.tick_params(length=0, top=False, labeltop=True, bottom=False, labelbottom=False)
    ax.set_xticks(np.arange(S + 1) - 0.5, minor=True)
    ax.set_yticks(np.arange(T + 1) - 0.5, minor=True)
    ax.tick_params(which="minor", length=0)
    ax.grid(which="major", visible=False)
    ax.grid(which="minor", color="#d0d0d0", linewidth=0.6)
    ax.spines[:].set_visible(True)

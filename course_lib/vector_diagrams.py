"""Drawings of the vectors in a transformer: positions added to embeddings, and what a norm averages over."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from course_lib.plotting import COLOURS
from course_lib.sketch import GREY, INK, INPUT, OUTPUT, STATE, WIDTH, Sketch, fit, whole, words

BLUE, ORANGE = COLOURS["blue"], COLOURS["orange"]
AVERAGED, OTHER = "#7dbbe0", "#ffffff"  # fills: what shares one mean and one variance; the rest
LANE, WAVE = 0.9, 0.29  # height of a row and of its curve
LEFT, RIGHT = 1.2, 4.8  # sides of the curves
DASHED = (0, (3, 1.5))


def reading_positions(word: str, embedding: Sequence[float], t: int, T: int = 20, base: float = 10_000.0,
                      ax: Axes | None = None) -> Axes:
    """Sinusoids, one for each dimension; the values read at place t are added to a word's embedding.

    Dimension 2i is sin(t w_i) and dimension 2i + 1 is cos(t w_i), w_i = base^(-2i / D); places count from 0 to T - 1.
    Errors: ValueError unless the embedding has 2, 4, 6 or 8 numbers between -100 and 100, 2 <= T <= 100, 0 <= t < T
    and base > 1, or for a long word.
    """
    T = whole("T", T, 2, 100)
    t = whole("t", t, 0, T - 1)
    (word,) = words("word", [word], 1)
    numbers = np.asarray(embedding, dtype=float)
    if numbers.ndim != 1 or len(numbers) not in (2, 4, 6, 8) or not (abs(numbers) < 100).all() or not base > 1:
        raise ValueError(f"embedding={numbers.tolist()} with base={base}: give 2, 4, 6 or 8 numbers between -100 and "
                         "100, for every frequency takes a pair of dimensions, and a base above 1")
    size = fit([word], 1.35)
    sheet = Sketch(LANE * len(numbers) + 1.6, ax)
    top = sheet.height - 0.8
    here, places = LEFT + (RIGHT - LEFT) * t / (T - 1), np.linspace(0, T - 1, 400)
    sheet.line((here, top), (here, 0.68), colour=ORANGE, head=False)
    for d, number in enumerate(numbers):
        y, wave, w = top - LANE * (d + 0.5), (np.sin, np.cos)[d % 2], base ** (-(d - d % 2) / len(numbers))
        value = float(wave(t * w))
        sheet.text(0.05, y, rf"$\{wave.__name__}\,t\,w_{d // 2}$", ha="left")
        sheet.ax.plot([LEFT, RIGHT], [y, y], color="#cccccc", linewidth=0.015 * sheet.unit, zorder=1)
        sheet.ax.plot(LEFT + (RIGHT - LEFT) * places / (T - 1), y + WAVE * wave(places * w), color=BLUE,
                      linewidth=0.04 * sheet.unit, zorder=1)
        sheet.line((here, y + WAVE * value), (5.35, y + WAVE * value), colour=ORANGE, style=DASHED)
        sheet.dot(here, y + WAVE * value, ORANGE)
        for x, shown, fill in ((5.9, value, OUTPUT), (7.5, number, INPUT), (9.35, value + number, STATE)):
            sheet.box(x, y, f"{round(shown, 2) + 0.0:.2f}".replace("-", "−"), fill, 1.1)
        sheet.text(6.7, y, "+")
        sheet.text(8.42, y, "=")
    for x, title in (((LEFT + RIGHT) / 2, "one curve a dimension"), (5.9, f"place {t}"), (9.35, "input")):
        sheet.text(x, sheet.height - 0.35, title, size=0.25)
    sheet.text(7.5, sheet.height - 0.35, word, size=size)
    for place, x in ((0, LEFT), (T - 1, RIGHT)):
        if abs(x - here) > 0.9:
            sheet.text(x, 0.42, str(place), size=0.25)
    sheet.text(here, 0.42, f"$t={t}$", ORANGE, 0.25)
    return sheet.ax


def layer_and_batch_norm(batch: int = 3, T: int = 4, D: int = 5, ax: Axes | None = None) -> Axes:
    """Which of the batch x T x D numbers share one mean and one variance: a token's, or a feature's.

    Errors: ValueError unless 2 <= batch <= 4 and 2 <= T, D <= 8.
    """
    batch, T, D = whole("batch", batch, 2, 4), whole("T", T, 2, 8), whole("D", D, 2, 8)
    left, pitch = 0.55, (WIDTH - 0.55) / batch
    cell = min(0.5, (pitch - 0.35) / D)
    panel = cell * T + 1.95
    sheet = Sketch(2 * panel + 0.3, ax)
    for row, title, number, whose, shared in (
        (1, "layer norm", D, "one token", lambda b, t, d: b == 0 and t == 1),
        (0, "batch norm", batch * T, "one feature", lambda b, t, d: d == 1),
    ):
        top = row * (panel + 0.15) + panel - 0.55
        sheet.text(0.05, top + 0.4, title, ha="left", weight="bold")
        sheet.text(2.2, top + 0.4, f"one mean and variance of {number} numbers: {whose}", size=0.25, ha="left")
        sheet.text(0.25, top - 0.35 - cell * T / 2, "place", size=0.25, rotation=90)
        for b in range(batch):
            x = left + (b + 0.5) * pitch - cell * D / 2
            _numbers(sheet, x, top, (T, D), cell, lambda t, d, b=b, shared=shared: shared(b, t, d))
            sheet.text(x + cell * D / 2, top - cell * T - 0.2, "feature", size=0.25)
            sheet.text(x + cell * D / 2, top - cell * T - 0.6, f"sequence {b + 1}", GREY, 0.25)
    return sheet.ax


# ---- helpers -------------------------------------------------------------------------------------


def _numbers(sheet: Sketch, left: float, top: float, shape: tuple[int, int], cell: float,
             shared: Callable[[int, int], bool]) -> None:
    """One sequence: a row for each place, a column for each feature."""
    for t in range(shape[0]):
        for d in range(shape[1]):
            sheet.ax.add_patch(Rectangle((left + d * cell, top - (t + 1) * cell), cell, cell, edgecolor=INK, zorder=3,
                                         facecolor=AVERAGED if shared(t, d) else OTHER, linewidth=0.02 * sheet.unit))

"""Drawings of how a gradient runs back through time, and where truncation stops it. Axes in, axes out."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

from matplotlib.axes import Axes

from course_lib.plotting import COLOURS
from course_lib.sketch import GREY, INPUT, LOSS, SIZE, STATE, WIDTH, Point, Sketch, fit, measure, whole

ORANGE = COLOURS["orange"]


def gradient_paths(steps: int = 5, strengths: Sequence[float] | None = None, ax: Axes | None = None) -> Axes:
    """The ways on which the last loss reaches W_h: at every step, by way of all the states after it.

    ``strengths[k]`` is how much arrives k steps back (any unit, drawn relative to the largest).
    Errors: ValueError unless 2 <= steps <= 7, for a wrong number of strengths, or for one that is negative or
    not finite, or when all are zero.
    """
    steps = whole("steps", steps, 2, 7)
    strengths = _relative(strengths, steps)
    sheet = Sketch(5.2, ax)
    low, mid, high = 1.2, 3.0, 4.5
    pitch = min(2.1, (WIDTH - 1.85) / (steps - 1))
    first = (WIDTH + 0.35 - pitch * (steps - 1)) / 2
    width = min(0.8, 0.55 * pitch)
    sheet.text(first - 0.95, mid, "$h_0$")
    sheet.box(WIDTH / 2, low, "$W_h$: one matrix, used at every step", INPUT, WIDTH - 0.4)
    for t in range(1, steps + 1):
        x = first + (t - 1) * pitch
        sheet.box(x, mid, f"$h_{t}$", STATE, width)
        sheet.line((x - pitch + width / 2 if t > 1 else first - 0.72, mid), (x - width / 2, mid), colour=GREY)
        _there_and_back(sheet, x, low, mid, strengths[steps - t])
        sheet.text(x, 0.65, f"{steps - t}")
        if t > 1:
            _back(sheet, (x - 0.1, mid + 0.31), (x - pitch + 0.1, mid + 0.31), strengths[steps - t + 1], 0.35)
    sheet.box(x, high, rf"$\ell_{steps}$", LOSS, width)
    _there_and_back(sheet, x, mid, high, strengths[0])
    sheet.text(WIDTH / 2, 0.2, "lag: steps back from the loss")
    _key(sheet, 4.75, (("forwards: values", GREY, 1), ("backwards: gradient", ORANGE, -1)))
    return sheet.ax


def truncation(steps: int = 12, window: int = 4, ax: Axes | None = None) -> Axes:
    """Truncated backpropagation: the state is handed over the border of a block, the gradient is not.

    Errors: ValueError unless 2 <= steps <= 14 and 1 <= window <= steps.
    """
    steps, window = whole("steps", steps, 2, 14), whole("window", window, 1, steps)
    sheet = Sketch(3.5, ax)
    pitch, mid = WIDTH / steps, 2.1
    wide = 0.54 * pitch if steps > 6 else 0.8
    size = fit(["00"], 0.9 * wide)
    for start in range(0, steps, window):
        end = min(start + window, steps)
        sheet.frame(start * pitch + 0.04, 1.15, end * pitch - 0.04, 3.4, "#f6f6f6")
        name = f"block {start // window + 1}"
        if SIZE * measure(name) < 0.9 * (end - start) * pitch:  # a block of one step is too narrow for its name
            sheet.text((start + end) / 2 * pitch, 3.1, name)
        for t in range(start, end):
            x = (t + 0.5) * pitch
            sheet.box(x, mid, str(t + 1), STATE, wide, size=size)
            if t:
                sheet.line((x - pitch + wide / 2, mid), (x - wide / 2, mid), colour=COLOURS["blue"], z=4)
            if t > start:
                sheet.curve((x - 0.06, mid - 0.31), (x - pitch + 0.06, mid - 0.31), -0.6, colour=ORANGE)
            elif t:
                _stop(sheet, x, start * pitch, mid)
    _key(sheet, 0.75, (("state: handed on over every border", COLOURS["blue"], 1),
                       ("gradient: stops at the border", ORANGE, -1)))
    return sheet.ax


# ---- helpers -------------------------------------------------------------------------------------


def _relative(strengths: Sequence[float] | None, steps: int) -> list[float]:
    """The strengths as parts of the largest; by default each step back costs three tenths."""
    given = [0.7**lag for lag in range(steps)] if strengths is None else [float(value) for value in strengths]
    if len(given) != steps:
        raise ValueError(f"{len(given)} strengths for steps={steps}: give one for each lag from 0 to {steps - 1}")
    if wrong := [value for value in given if not (isfinite(value) and value >= 0)]:
        raise ValueError(f"strength {wrong[0]} must be a finite number, 0 or more: give the size of the gradient")
    if not max(given):
        raise ValueError(f"strengths={given} are all zero: there is no gradient to draw")
    return [value / max(given) for value in given]


def _back(sheet: Sketch, start: Point, end: Point, strength: float, bend: float = 0.0) -> None:
    """A way of the gradient: the stronger, the wider and the less transparent; nothing where none arrives."""
    if strength > 0:
        sheet.curve(start, end, bend, colour=ORANGE, width=0.02 + 0.07 * strength, alpha=0.15 + 0.85 * strength)


def _there_and_back(sheet: Sketch, x: float, low: float, high: float, strength: float) -> None:
    """Up goes a value, down a gradient."""
    sheet.line((x - 0.14, low + 0.31), (x - 0.14, high - 0.31), colour=GREY)
    _back(sheet, (x + 0.14, high - 0.31), (x + 0.14, low + 0.31), strength)


def _key(sheet: Sketch, y: float, rows: Sequence[tuple[str, str, int]]) -> None:
    """What the colours of the arrows mean: label, colour, and 1 for an arrow to the right or -1 to the left."""
    for row, (label, colour, way) in enumerate(rows):
        level = y - 0.45 * row
        sheet.line((0.5 - 0.3 * way, level), (0.5 + 0.3 * way, level), colour=colour, width=0.05)
        sheet.text(0.95, level, label, colour, ha="left")


def _stop(sheet: Sketch, x: float, border: float, mid: float) -> None:
    """The gradient runs into the border of its block and ends there."""
    sheet.curve((x - 0.06, mid - 0.31), (border + 0.07, mid - 0.5), -0.3, colour=ORANGE)
    sheet.ax.plot([border, border], [mid - 0.8, mid - 0.2], color=ORANGE, linewidth=0.08 * sheet.unit, zorder=4)

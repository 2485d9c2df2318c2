"""A sheet to draw networks on: boxes, circles, arrows and labels that all grow with the axes."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path
from matplotlib.textpath import TextPath

from course_lib.plotting import COLOURS

WIDTH = 10.0  # of every sheet, in its own units: at the book's 6.8 inches one unit is 48 points
SIZE = 0.27  # of the letters, in units: 9 pixels when the figure is as wide as a telephone
SMALLEST = 0.17
INK, GREY = "#333333", COLOURS["grey"]
STATE, INPUT, OUTPUT, LOSS, GATE = "#cfe6f5", "#ececec", "#fbdcb8", "#f0d9ec", "#fff3c4"  # fills of boxes
# the palette's lines, darkened until letters in them can be read on white (WCAG AA, 4.5 to 1)
LETTERS = {COLOURS["blue"]: "#005c91", COLOURS["orange"]: "#a34700", COLOURS["green"]: "#00694d",
           COLOURS["purple"]: "#8a3079"}

Point = tuple[float, float]


class Sketch:
    """An empty sheet, ``WIDTH`` units wide and ``height`` high, on the given axes or on a figure that fits it.

    Without axes it takes the current ones, and where no figure is open, a new figure 6.8 inches wide.
    """

    def __init__(self, height: float, ax: Axes | None = None):
        if ax is None:
            ax = plt.gca() if plt.get_fignums() else plt.figure(figsize=(6.8, 6.8 * height / WIDTH)).gca()
        ax.set(xlim=(0, WIDTH), ylim=(0, height), aspect="equal")
        ax.axis("off")
        figure = ax.figure.canvas.figure
        figure.draw_without_rendering()  # lets the layout settle: sizes below are relative to the final axes
        self.ax, self.height = ax, height
        self.unit = ax.get_window_extent().width / figure.dpi * 72 / WIDTH  # points to a unit

    def text(self, x: float, y: float, label: str, colour: str = INK, size: float = SIZE, ha: str = "center",
             va: str = "center", **style) -> None:
        """Write a label; a line's colour is darkened so that it can be read."""
        self.ax.text(x, y, label, ha=ha, va=va, fontsize=size * self.unit, color=LETTERS.get(colour, colour),
                     zorder=5, **style)

    def box(self, x: float, y: float, label: str = "", fill: str = STATE, width: float = 0.8,
            height: float = 0.62, size: float = SIZE, round_ends: bool = False) -> None:
        """A rounded box around the point (x, y), its label inside."""
        shape = f"round,pad=0,rounding_size={height / 2.01 if round_ends else min(0.12, height / 4)}"
        self.ax.add_patch(FancyBboxPatch((x - width / 2, y - height / 2), width, height, boxstyle=shape,
                                         facecolor=fill, edgecolor=INK, linewidth=0.025 * self.unit, zorder=3))
        if label:
            self.text(x, y, label, size=size)

    def frame(self, left: float, bottom: float, right: float, top: float, fill: str = "white") -> None:
        """A line around what belongs together."""
        self.ax.add_patch(FancyBboxPatch((left, bottom), right - left, top - bottom, facecolor=fill, zorder=0,
                                         boxstyle="round,pad=0,rounding_size=0.15", edgecolor="#b0b0b0",
                                         linewidth=0.02 * self.unit))

    def circle(self, x: float, y: float, label: str, radius: float = 0.24, size: float = SIZE) -> None:
        """A component-wise operation."""
        self.ax.add_patch(Circle((x, y), radius, facecolor="white", edgecolor=INK,
                                 linewidth=0.025 * self.unit, zorder=3))
        self.text(x, y, label, size=size)

    def dot(self, x: float, y: float, colour: str = INK) -> None:
        """Where a line splits."""
        self.ax.add_patch(Circle((x, y), 0.065, facecolor=colour, edgecolor="none", zorder=3))

    def line(self, *points: Point, colour: str = INK, head: bool = True, width: float = 0.034,
             style: str = "-", alpha: float = 1.0, over: bool = False, z: float = 2) -> None:
        """A line through the points, an arrow's head at the last; ``over``: what its last piece crosses gets a gap."""
        if over:
            start, end = np.array(points[-2]), np.array(points[-1])
            aside = 0.12 * (end - start) / np.hypot(*(end - start))  # what it comes from and goes to stays whole
            self.ax.plot(*np.transpose([start + aside, end - aside]), color="white", zorder=z,
                         linewidth=5 * width * self.unit, solid_capstyle="butt")
        path = Path(points, [Path.MOVETO] + [Path.LINETO] * (len(points) - 1))
        self._arrow(colour, head, width, style, alpha, z, path=path)

    def curve(self, start: Point, end: Point, bend: float, colour: str = INK, width: float = 0.034,
              style: str = "-", alpha: float = 1.0) -> None:
        """A bent arrow; a positive ``bend`` goes to the right of the way."""
        self._arrow(colour, True, width, style, alpha, 2, posA=start, posB=end, shrinkA=0, shrinkB=0,
                    connectionstyle=f"arc3,rad={bend}")

    def _arrow(self, colour: str, head: bool, width: float, style: str, alpha: float, z: float, **where) -> None:
        """One way, by its points (``path``) or its two ends; everything in units."""
        self.ax.add_patch(FancyArrowPatch(
            arrowstyle="-|>" if head else "-", mutation_scale=0.24 * self.unit, color=colour, alpha=alpha,
            linewidth=width * self.unit, linestyle=style, zorder=z, joinstyle="miter", capstyle="butt", **where))


def measure(label: str) -> float:
    """How wide a label is, in units, when its letters have size 1."""
    return TextPath((0, 0), label, size=100).get_extents().width / 100


def fit(labels: Sequence[str | None], width: float, largest: float = SIZE) -> float:
    """The size of letters, in units, at which the longest label is as wide as ``width``; at most ``largest``.

    Errors: ValueError when they would be too small to read.
    """
    longest = max((label for label in labels if label), key=measure)
    size = min(largest, width / measure(longest))
    if size < SMALLEST:
        raise ValueError(f"{longest!r} does not fit its box in letters that can be read: "
                         "draw fewer steps, or give shorter labels")
    return size


def words(name: str, labels: Sequence[str | None], steps: int, gaps: bool = False) -> list[str | None]:
    """The labels as a list: one for each step, none of them empty, None only where ``gaps`` allows it.

    Errors: ValueError for a single string, a wrong number of labels, or one that is no text.
    """
    if isinstance(labels, str) or len(labels) != steps:
        found = "one string" if isinstance(labels, str) else f"{len(labels)} label{'s' * (len(labels) != 1)}"
        raise ValueError(f"{name}={labels!r} is {found}: give a list of {steps} labels, one for each step")
    for label in labels:
        if not (isinstance(label, str) and label.strip()) and not (gaps and label is None):
            raise ValueError(f"{name} has the label {label!r}: give text{', or None for no box' if gaps else ''}")
    return list(labels)


def whole(name: str, value: int, low: int, high: int) -> int:
    """The value, if it is a whole number that can be drawn.

    Errors: ValueError when it is not, or is outside low ... high.
    """
    if not isinstance(value, Integral) or isinstance(value, bool) or not low <= value <= high:
        raise ValueError(f"{name}={value!r} must be a whole number from {low} to {high}: more does not fit the page")
    return int(value)

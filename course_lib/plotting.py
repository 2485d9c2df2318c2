"""House style of the book's figures: data and axes in, axes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
from matplotlib.axes import Axes

# Okabe and Ito's palette, safe for colour-blind readers; yellow left out, too pale on white
COLOURS = {
    "blue": "#0072B2",
    "orange": "#D55E00",
    "green": "#009E73",
    "purple": "#AA4499",
    "sky": "#56B4E9",
    "amber": "#E69F00",
    "grey": "#666666",
}
CLASS_COLOURS = {"collocation": "#0072B2", "agreement": "#E69F00", "nesting": "#009E73", "recall": "#D55E00"}
MARKERS = "osD^vPX"


def use_house_style() -> None:
    """Set Matplotlib's defaults for the book: vector graphics with stable bytes, one palette, light grid."""
    plt.rcParams.update(
        {
            "figure.figsize": (6.8, 3.6),
            "figure.constrained_layout.use": True,
            "figure.facecolor": "white",
            "axes.prop_cycle": plt.cycler(color=list(COLOURS.values())),
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "grid.color": "#dddddd",
            "grid.linewidth": 0.6,
            "axes.axisbelow": True,
            "axes.titlesize": 11,
            "axes.labelsize": 10,
            "xtick.labelsize": 9,
            "ytick.labelsize": 9,
            "legend.fontsize": 9,
            "legend.frameon": False,
            "font.size": 10,
            "lines.linewidth": 1.8,
            "lines.markersize": 5,
            "svg.hashsalt": "course_lib",
            "svg.fonttype": "path",
        }
    )
    from matplotlib_inline.backend_inline import set_matplotlib_formats

    set_matplotlib_formats("svg", metadata={"Date": None})


def curves(
    series: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    xlabel: str,
    ylabel: str,
    ax: Axes | None = None,
    log_x: bool = False,
) -> Axes:
    """Draw named (x, y) curves, told apart by colour and by marker; at most seven (ValueError)."""
    if len(series) > len(MARKERS):
        raise ValueError(f"{len(series)} curves are too many to tell apart: draw at most {len(MARKERS)}")
    ax = ax or plt.gca()
    for marker, (label, (x, y)) in zip(MARKERS, series.items(), strict=False):
        ax.plot(x, y, marker=marker, label=label)
    ax.set(xlabel=xlabel, ylabel=ylabel, **({"xscale": "log"} if log_x else {}))
    ax.legend()
    return ax


def reference_line(value: float, label: str, ax: Axes | None = None, side: str = "right") -> Axes:
    """A dashed horizontal line with its name: log V, the entropy, a bound."""
    ax = ax or plt.gca()
    ax.axhline(value, color="#444444", linestyle="--", linewidth=1.2)
    x, align = (0.995, "right") if side == "right" else (0.005, "left")
    ax.annotate(
        label,
        (x, value),
        xycoords=("axes fraction", "data"),
        xytext=(0, 3),
        textcoords="offset points",
        ha=align,
        va="bottom",
        fontsize=9,
        color="#444444",
    )
    return ax


def bars(
    values: Mapping[str, float],
    xlabel: str,
    ax: Axes | None = None,
) -> Axes:
    """Horizontal bars, the first on top, each with its value written beside it."""
    ax = ax or plt.gca()
    drawn = ax.barh(list(values), list(values.values()), color=COLOURS["blue"])
    ax.bar_label(drawn, labels=[f"{v:.3f}" for v in values.values()], padding=3, fontsize=9)
    ax.invert_yaxis()
    ax.margins(x=0.12)
    ax.grid(axis="y", visible=False)
    ax.set_xlabel(xlabel)
    return ax

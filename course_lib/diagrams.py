"""Drawings of how models read text: token boxes, windows, automata, the ladder. Axes in, axes out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import cycle

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch

from course_lib.plotting import CLASS_COLOURS, COLOURS

SEEN, NEXT, PLAIN = "#cfe6f5", "#fbdcb8", "none"  # fills: read by the model, predicted, neither
INK, FAINT = "#333333", "#767676"


def chain_rule(tokens: Sequence[str], ax: Axes | None = None) -> Axes:
    """One row for each factor of p(w_1 ... w_T): every token predicted from all those before it."""
    return _factors(tokens, len(tokens), ax)


def ngram_window(tokens: Sequence[str], order: int, ax: Axes | None = None) -> Axes:
    """The same for an n-gram model: only the last ``order`` - 1 tokens are read.

    Errors: ValueError without tokens, or for an order below 1.
    """
    if order < 1:
        raise ValueError(f"order={order} must be 1 or more: an n-gram model reads the last n - 1 tokens")
    return _factors(tokens, order - 1, ax)


def state_machine(states: Mapping[str, tuple[float, float]], arcs: Sequence[tuple[str, str, str]],
                  ax: Axes | None = None, final: Collection[str] = ()) -> Axes:
    """An automaton: circles at the given (x, y), about 2 apart, and arcs (from, to, label), loops among them.

    ``final`` states get a double circle. Labels and loops stand above in the upper half, below in the lower.
    Errors: ValueError without states, or for an arc between states that are not there.
    """
    if not states:
        raise ValueError("no states to draw: give each state's name and its place (x, y)")
    if wrong := [name for a, b, _ in arcs for name in (a, b) if name not in states]:
        raise ValueError(f"an arc names {wrong[0]!r}, which is none of the states {sorted(states)}")
    ax = ax or plt.gca()
    if len(set(map(tuple, states.values()))) < len(states):
        raise ValueError(f"two states stand in the same place: {dict(states)}")
    xs, ys = zip(*states.values(), strict=True)
    middle, pairs = (min(ys) + max(ys)) / 2, {(a, b) for a, b, _ in arcs}
    for a, b, label in arcs:
        (x1, y1), (x2, y2) = states[a], states[b]
        above = (y1 + y2) / 2 >= middle
        if a == b:
            _loop(ax, states[a], label, above)
        else:
            _arrow(ax, np.array([x1, y1]), np.array([x2, y2]), label, above, bent=(b, a) in pairs)
    for name, place in states.items():
        ax.add_patch(Circle(place, 0.42, facecolor=SEEN, edgecolor=INK, linewidth=1.2, zorder=3))
        if name in final:
            ax.add_patch(Circle(place, 0.35, facecolor="none", edgecolor=INK, linewidth=1.0, zorder=3))
        ax.text(*place, name, ha="center", va="center", fontsize=9, color=_ink(), zorder=4)
    high, low = (1.35 if any(a == b and (states[a][1] >= middle) is side for a, b in pairs) else 0.7
                 for side in (True, False))
    ax.set(xlim=(min(xs) - 0.6, max(xs) + 0.6), ylim=(min(ys) - low, max(ys) + high), aspect="equal")
    ax.axis("off")
    return ax


def ladder(rows: Mapping[str, Mapping[str, float]], ax: Axes | None = None,
           floor: float | None = None) -> Axes:
    """The book's picture: each model's excess over the floor (nats per token), stacked by class of token.

    ``floor`` is the entropy rate of the language, written above the line where the bars begin. An excess
    measured on a sample can be slightly negative; such a piece is drawn to the left of the line.
    Errors: ValueError without rows, or when the models do not have the same classes.
    """
    if not rows:
        raise ValueError("no models to draw: give {model: {class: excess in nats per token}}")
    classes = list(next(iter(rows.values())))
    for model, row in rows.items():
        if set(row) != set(classes):
            raise ValueError(f"{model!r} has the classes {sorted(row)}, the first model {sorted(classes)}: "
                             "give every model the same")
    ax = ax or plt.gca()
    spare = cycle(colour for colour in COLOURS.values() if colour not in CLASS_COLOURS.values())
    colours = {name: CLASS_COLOURS.get(name) or next(spare) for name in classes}
    widest = max(sum(max(v, 0.0) for v in row.values()) for row in rows.values()) or 1.0
    for y, row in enumerate(rows.values()):
        ends = {True: 0.0, False: 0.0}  # where the next piece starts, right and left of the floor
        for name in classes:
            ax.barh(y, row[name], left=ends[row[name] >= 0], height=0.68, color=colours[name],
                    edgecolor="white", linewidth=0.6, label=name if y == 0 else None)
            if row[name] > 0.075 * widest:
                ax.text(ends[True] + row[name] / 2, y, f"{row[name]:.2f}", ha="center", va="center",
                        fontsize=8, color=_readable_on(colours[name]))
            ends[row[name] >= 0] += row[name]
        ax.annotate(f"{sum(row.values()):.3f}", (ends[True], y), xytext=(4, 0), textcoords="offset points",
                    va="center", fontsize=9, fontweight="bold")
    _finish_ladder(ax, list(rows), widest, floor, len(classes))
    return ax


# ---- helpers -------------------------------------------------------------------------------------


def _check_tokens(tokens: Sequence[str]) -> None:
    if isinstance(tokens, str) or not len(tokens):
        raise ValueError(f"tokens={tokens!r} must be a list of at least one token, for example text.split()")


def _widths(tokens: Sequence[str]) -> list[float]:
    """Box widths; the unit of the x axis is about one character."""
    return [max(2.0, len(token) + 1.2) for token in tokens]


def _width(tokens: Sequence[str]) -> float:
    return sum(_widths(tokens)) + 0.6 * (len(tokens) - 1)


def _canvas(ax: Axes | None, width: float, height: float) -> Axes:
    ax = ax or plt.gca()
    ax.set(xlim=(-0.4, width + 0.4), ylim=(0, height))
    ax.axis("off")
    return ax


def _font_size(ax: Axes) -> float:
    """The largest size, up to 11 points, at which a character is as wide as the x axis allows."""
    points = ax.get_window_extent().width / ax.figure.dpi * 72
    return min(11.0, points / abs(np.diff(ax.get_xlim())[0]) / 0.62)


def _row(ax: Axes, tokens: Sequence[str], y: float, fills: Sequence[str],
         faint: Collection[int] = ()) -> list[float]:
    """Draw boxes side by side at height y; returns their centres."""
    size, x, centres = _font_size(ax), 0.0, []
    for i, (token, width, fill) in enumerate(zip(tokens, _widths(tokens), fills, strict=False)):
        line, style, ink = (FAINT, ":", FAINT) if i in faint else (INK, "-", _ink())
        ax.add_patch(FancyBboxPatch((x, y - 0.4), width, 0.8, boxstyle="round,pad=0,rounding_size=0.15",
                                    facecolor=fill, edgecolor=line, linewidth=1.0, linestyle=style))
        ax.text(x + width / 2, y, token, ha="center", va="center", fontsize=size, color=ink)
        centres.append(x + width / 2)
        x += width + 0.6
    return centres


def _factors(tokens: Sequence[str], window: int, ax: Axes | None) -> Axes:
    """One row per token: read in blue, predicted in orange, ignored faint; its factor beside it."""
    _check_tokens(tokens)
    room = 0.9 * max(len(_factor(tokens, t, window)) for t in range(len(tokens)))
    ax = _canvas(ax, _width(tokens) + 1.5 + room, 1.1 * len(tokens) + 0.1)
    for t in range(len(tokens)):
        y, start = 1.1 * (len(tokens) - t) - 0.45, max(0, t - window)
        fills = [PLAIN] * start + [SEEN] * (t - start) + [NEXT]
        _row(ax, tokens[: t + 1], y, fills, faint=range(start))
        ax.text(_width(tokens) + 1.5, y, _factor(tokens, t, window), va="center", fontsize=_font_size(ax))
    return ax


def _factor(tokens: Sequence[str], t: int, window: int) -> str:
    read = " ".join(tokens[max(0, t - window):t])
    return f"p({tokens[t]} | {read})" if read else f"p({tokens[t]})"


def _arrow(ax: Axes, start: np.ndarray, end: np.ndarray, label: str, above: bool, bent: bool) -> None:
    """An arrow between two circles; bent to its left, label outside, when there is one the other way too."""
    length = np.hypot(*(end - start))
    along = (end - start) / length
    left = np.array([-along[1], along[0]])
    side = left if bent or (left[1] >= 0) == above else -left
    _draw_arrow(ax, start + 0.44 * along, end - 0.44 * along, -0.25 if bent else 0)
    place = (start + end) / 2 + side * (0.1 + (0.25 * (length - 0.88) / 2 if bent else 0))
    across = "center" if abs(along[1]) < 0.2 else ("left" if side[0] > 0 else "right")
    upright = "bottom" if side[1] > 0.1 else ("top" if side[1] < -0.1 else "center")
    ax.text(*place, label, ha=across, va=upright, fontsize=9, color=_ink())


def _loop(ax: Axes, place: tuple[float, float], label: str, above: bool) -> None:
    x, y, up = *place, 1 if above else -1
    _draw_arrow(ax, (x - 0.22, y + 0.38 * up), (x + 0.22, y + 0.38 * up), -1.6 * up)
    ax.text(x, y + 0.8 * up, label, ha="center", va="bottom" if above else "top", fontsize=9, color=_ink())


def _draw_arrow(ax: Axes, start: Sequence[float], end: Sequence[float], bend: float) -> None:
    ax.add_patch(FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=12, color=INK, linewidth=1.2,
                                 shrinkA=1, shrinkB=1, connectionstyle=f"arc3,rad={bend}"))


def _ink() -> str:
    return plt.rcParams["text.color"]


def _readable_on(colour: str) -> str:
    """Black or white, whichever stands out more on that colour."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    luminance = float(np.dot((0.2126, 0.7152, 0.0722), linear))
    return "white" if 1.05 / (luminance + 0.05) > (luminance + 0.05) / 0.05 else "black"


def _finish_ladder(ax: Axes, models: Sequence[str], widest: float, floor: float | None, columns: int) -> None:
    """Axis, names, floor line and legend of the ladder; the first model on top."""
    ax.axvline(0, color=INK, linewidth=1.4)
    name = "the floor" if floor is None else f"the floor: {floor:.3f} nats per token"
    ax.annotate(name, (0, 1), xycoords=("data", "axes fraction"), xytext=(3, 3), textcoords="offset points",
                fontsize=9, color=INK)
    ax.set_yticks(range(len(models)), models)
    ax.set(ylim=(len(models) - 0.5, -0.6), xlabel="excess over the floor (nats per token)")
    ax.set_xlim(min(ax.dataLim.x0, 0) - 0.01 * widest, widest * 1.12)
    ax.spines["left"].set_visible(False)
    ax.grid(axis="y", visible=False)
    ax.tick_params(axis="y", length=0)
    ax.figure.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=columns,
                     title="what had to be remembered")

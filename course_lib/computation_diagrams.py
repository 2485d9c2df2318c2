"""Drawings of what models compute: an automaton run in logarithmic time, and what attention has to hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from course_lib.plotting import COLOURS
from course_lib.sketch import GREY, INK, INPUT, OUTPUT, STATE, WIDTH, Sketch, fit, whole, words

BLUE, ORANGE = COLOURS["blue"], COLOURS["orange"]
HELD, COMPUTED, NEVER = "#7dbbe0", "#c9e3f3", "#ffffff"  # fills of scores: in memory at once; at some time; never
HALF = 0.31  # half the height of a box
LEFT = 1.7  # of the sheet, for the names of the rows
WIDE = 0.76  # width of a map
READ, MAPS = 1.5, 2.45  # levels of the symbols, and of the lower side of their maps

Map = tuple[int, ...]


def pairwise_composition(symbols: Sequence[str], maps: Mapping[str, Sequence[int]], start: int = 0,
                         ax: Axes | None = None) -> Axes:
    """An automaton run twice: step by step below, and above by composing its maps of states in pairs.

    ``maps`` gives for each symbol the state that follows each state, counted from 0. A map is drawn as wires from
    the state before (left) to the state after (right), the first state on top.
    Errors: ValueError unless there are 2 to 8 symbols, each with a map of 2 to 4 states onto these, and ``start`` is
    one of them.
    """
    T = whole("the number of symbols", len(symbols), 2, 8)
    symbols = words("symbols", symbols, T)
    table = _table(symbols, maps)
    n = len(table[symbols[0]])
    states = [whole("start", start, 0, n - 1)]
    for symbol in symbols:
        states.append(table[symbol][states[-1]])
    rounds, pitch, tall = _rounds([table[symbol] for symbol in symbols]), (WIDTH - LEFT - 0.3) / T, 0.27 * n + 0.1
    size, step = fit(symbols, 0.7), tall + 0.65
    sheet = Sketch(MAPS + tall + step * (len(rounds) - 1) + 0.15, ax)
    for t in range(T):
        x = LEFT + (t + 0.5) * pitch
        sheet.line((x - pitch / 2 + 0.24, 0.45), (x + pitch / 2 - 0.24, 0.45), colour=ORANGE)
        sheet.line((x, READ - HALF), (x, 0.5), colour=GREY)
        sheet.box(x, READ, symbols[t], INPUT, 0.8, size=size)
        sheet.line((x, READ + HALF), (x, MAPS), colour=GREY)
    for t, state in enumerate(states):
        sheet.circle(LEFT + t * pitch, 0.45, str(state))
    place = {}  # of a map: the middle of its upper side
    for r, row in enumerate(rounds):
        y = MAPS + tall / 2 + step * r
        sheet.text(0.05, y, f"round {r}" if r else "maps", ha="left")
        for first, last, ways, parts in row:
            x = LEFT + (first + last + 1) / 2 * pitch
            for part in parts:
                sheet.line(place[part], (x + (0.2 if part[0] > first else -0.2), y - tall / 2), colour=BLUE)
            _wires(sheet, x, y, ways, tall, start if r == len(rounds) - 1 else None)
            place[first, last] = (x, y + tall / 2)
    sheet.text(x + 0.5, y, f"from {start} to {states[-1]}, as below", ORANGE, ha="left")
    sheet.text(0.05, READ, "read", ha="left")
    sheet.text(0.05, 0.45, f"{T} steps", ha="left")
    return sheet.ax


def attention_costs(T: int = 12, width: int = 3, chunk: int = 4, ax: Axes | None = None) -> Axes:
    """Which of the T x T scores causal attention computes, and which it holds at once, in four ways.

    All of them; those of a window of ``width`` places; all, but ``chunk`` keys at a time; none, with a state instead.
    Errors: ValueError unless 2 <= T <= 16 and 1 <= width, chunk <= T.
    """
    T = whole("T", T, 2, 16)
    width, chunk = whole("width", width, 1, T), whole("chunk", chunk, 1, T)
    sheet, side = Sketch(7.6, ax), 2.6
    for i, (title, held, computed) in enumerate((
        ("full", lambda t, s: s <= t, lambda t, s: s <= t),
        ("window", lambda t, s: t - width < s <= t, lambda t, s: t - width < s <= t),
        ("chunks", lambda t, s: s <= t and s < chunk, lambda t, s: s <= t),
        ("linear", lambda t, s: False, lambda t, s: False),
    )):
        x, top = 0.5 + 5 * (i % 2), 7.5 - 3.45 * (i // 2)
        fills = [HELD if held(t, s) else COMPUTED if computed(t, s) else NEVER for t in range(T) for s in range(T)]
        for place, fill in enumerate(fills):
            corner = (x + place % T * side / T, top - (place // T + 1) * side / T)
            sheet.ax.add_patch(Rectangle(corner, side / T, side / T, facecolor=fill, edgecolor="#b0b0b0",
                                         linewidth=0.012 * sheet.unit, zorder=3))
        sheet.ax.add_patch(Rectangle((x, top - side), side, side, facecolor="none", edgecolor=INK,
                                     linewidth=0.025 * sheet.unit, zorder=4))
        most = fills.count(HELD)
        sheet.text(x + side + 0.15, top - 0.2, title, ha="left", weight="bold")
        note = f"scores: {len(fills) - fills.count(NEVER)}\nat once: {most}" if most else (
            "scores: 0,\na $d_k\\times d_v$\nstate instead")
        sheet.text(x + side + 0.15, top - 0.55, note, size=0.25, ha="left", va="top")
        sheet.text(x - 0.2, top - side / 2, "query $t$", size=0.25, rotation=90)
        sheet.text(x + side / 2, top - side - 0.22, "key $s$", size=0.25)
    for x, fill, label in ((0.5, HELD, "held at once"), (3.3, COMPUTED, "computed earlier or later"),
                           (7.25, NEVER, "never computed")):
        sheet.ax.add_patch(Rectangle((x, 0.1), 0.28, 0.28, facecolor=fill, edgecolor=INK, zorder=3,
                                     linewidth=0.02 * sheet.unit))
        sheet.text(x + 0.4, 0.24, label, size=0.25, ha="left")
    return sheet.ax


# ---- helpers -------------------------------------------------------------------------------------


def _table(symbols: Sequence[str], maps: Mapping[str, Sequence[int]]) -> dict[str, Map]:
    """The map of every symbol, checked."""
    if missing := sorted(set(symbols) - set(maps)):
        raise ValueError(f"maps has {sorted(maps)}: give one for {missing} as well")
    table = {symbol: tuple(maps[symbol]) for symbol in symbols}
    n = whole("the number of states", len(table[symbols[0]]), 2, 4)
    for symbol, ways in table.items():
        if len(ways) != n or any(state not in range(n) for state in ways):
            raise ValueError(f"the map of {symbol!r} is {ways}: give {n} states, each from 0 to {n - 1}")
    return table


def _rounds(ways: Sequence[Map]) -> list[list[tuple[int, int, Map, list[tuple[int, int]]]]]:
    """The maps of each round, as (first symbol, last symbol, map, the spans of its parts)."""
    row = [(t, t, one, []) for t, one in enumerate(ways)]
    rounds, open_ = [row], row
    while len(open_) > 1:
        new = [(a[0], b[1], tuple(b[2][state] for state in a[2]), [a[:2], b[:2]])
               for a, b in zip(open_[::2], open_[1::2], strict=False)]  # fmt: skip
        rounds.append(new)
        open_ = new + open_[2 * len(new) :]  # an odd one waits for the next round
    return rounds


def _wires(sheet: Sketch, x: float, y: float, ways: Map, tall: float, start: int | None) -> None:
    """A map in its box: a wire from each state to the next; the one from ``start`` is thick."""
    n = len(ways)
    heights = [y + 0.27 * ((n - 1) / 2 - state) for state in range(n)]
    sheet.box(x, y, "", OUTPUT if start is not None else STATE, WIDE, tall)
    for state, after in enumerate(ways):
        sheet.ax.plot([x - 0.26, x + 0.26], [heights[state], heights[after]], marker="o", markersize=0.07 * sheet.unit,
                      color=ORANGE if state == start else INK, zorder=4.5 if state == start else 4,
                      linewidth=(0.07 if state == start else 0.03) * sheet.unit)

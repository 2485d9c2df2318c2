"""The drawings of what models compute: what they show, that it can be read, and what they refuse."""

import matplotlib as mpl

mpl.use("Agg")

from math import ceil, log2

import drawings
import matplotlib.pyplot as plt
import numpy as np
import pytest
from drawings import arrows, boxes, cells, labels
from matplotlib.colors import to_hex

from course_lib import plotting
from course_lib.attention import causal_mask, window_mask
from course_lib.computation_diagrams import COMPUTED, HELD, NEVER, attention_costs, pairwise_composition
from course_lib.sketch import INPUT, OUTPUT, STATE

BLUE, ORANGE = (plotting.COLOURS[name] for name in ("blue", "orange"))

PARITY = {"0": (0, 1), "1": (1, 0)}
FOUR = {"a": (1, 2, 3, 0), "b": (0, 0, 2, 2)}

DEFAULTS = {
    "composition": lambda ax=None: pairwise_composition([*"10110100"], PARITY, ax=ax),
    "attention costs": attention_costs,
}
EXTREMES = {
    "composition, two": lambda: pairwise_composition([*"ab"], FOUR, 3),
    "composition, seven": lambda: pairwise_composition([*"aababba"], FOUR, 1),
    "composition, five": lambda: pairwise_composition([*"aabab"], FOUR, 1),
    "costs, small": lambda: attention_costs(2, 1, 2),
    "costs, large": lambda: attention_costs(16, 16, 1),
}

_house_style = drawings.house_style


def wires(ax):
    """The maps that are drawn: by the middle of each box, a map of states."""
    found = {}
    for line in ax.lines:
        (x0, x1), (before, after) = line.get_data()
        found.setdefault(round(float(x0 + x1) / 2, 3), []).append((float(before), float(after)))
    maps = {}
    for x, ways in found.items():
        for box in (box for box in boxes(ax) if abs(box.get_x() + box.get_width() / 2 - x) < 1e-3):
            mine = [way for way in ways if box.get_y() < way[0] < box.get_y() + box.get_height()]
            order = sorted({before for before, _ in mine}, reverse=True)
            if mine:
                after = [int(np.abs(np.array(order) - end).argmin()) for _, end in sorted(mine, reverse=True)]
                maps[x, round(box.get_y(), 3)] = tuple(after)
    return maps


@pytest.mark.parametrize("word", ["10110100", "11", "1101011", "00100"])
@pytest.mark.parametrize("start", [0, 1])
def test_both_ways_end_in_the_same_state(word, start):
    ax = pairwise_composition([*word], PARITY, start)
    T, end = len(word), (start + word.count("1")) % 2
    rounds = ceil(log2(T))
    assert f"from {start} to {end}, as below" in labels(ax)
    assert f"round {rounds}" in labels(ax) and f"round {rounds + 1}" not in labels(ax)
    states = [text.get_text() for text in ax.texts if text.get_position()[1] == 0.45][:-1]
    assert states == [str((start + word[:t].count("1")) % 2) for t in range(T + 1)]
    assert len(boxes(ax, STATE)) + len(boxes(ax, OUTPUT)) == 2 * T - 1  # T maps and T - 1 compositions
    assert len(arrows(ax, BLUE)) == 2 * (T - 1) and len(arrows(ax, ORANGE)) == T
    (thick,) = [line for line in ax.lines if to_hex(line.get_color()) == ORANGE.lower()]
    top = boxes(ax, OUTPUT)[0]
    assert top.get_bbox().contains(thick.get_xdata()[1], thick.get_ydata()[1])


@pytest.mark.parametrize("word", ["aababba", "ab", "abaabbab"])
def test_maps_of_the_symbols_below_and_of_the_word_on_top(word):
    ax = pairwise_composition([*word], FOUR, 1)
    maps = wires(ax)
    low = min(y for _, y in maps)
    base = [ways for (x, y), ways in sorted(maps.items()) if y == low]
    assert base == [FOUR[symbol] for symbol in word]
    all_ = list(range(4))
    for symbol in word:
        all_ = [FOUR[symbol][state] for state in all_]
    assert maps[max(maps, key=lambda place: place[1])] == tuple(all_)
    assert [text.get_text() for text in ax.texts for box in boxes(ax, INPUT)
            if box.get_bbox().contains(*text.get_position())] == [*word]  # fmt: skip


@pytest.mark.parametrize(("T", "width", "chunk"), [(12, 3, 4), (7, 2, 7), (5, 5, 1)])
def test_what_attention_computes_and_holds(T, width, chunk):
    ax = attention_costs(T, width, chunk)
    fills = np.array([to_hex(cell.get_facecolor()) for cell in cells(ax)][: 4 * T * T]).reshape(4, T, T)
    held, computed = fills == HELD, fills != NEVER
    assert (held[0] == causal_mask(T).numpy()).all() and (held[1] == window_mask(T, width).numpy()).all()
    assert (computed[:2] == held[:2]).all() and (computed[2] == computed[0]).all()
    assert (held[2] == computed[0] & (np.arange(T) < chunk)).all()
    assert ((fills == COMPUTED) == (computed & ~held)).all() and not computed[3].any()
    at_once = [label for label in labels(ax) if label.startswith("scores")]
    assert at_once[:3] == [f"scores: {computed[i].sum()}\nat once: {held[i].sum()}" for i in range(3)]
    assert "state instead" in at_once[3]


@pytest.mark.parametrize(
    ("draw", "complaint"),
    [
        (lambda: pairwise_composition(["1"], PARITY), "symbols=1"),
        (lambda: pairwise_composition([*"101010101"], PARITY), "symbols=9"),
        (lambda: pairwise_composition("10", PARITY), "one string"),
        (lambda: pairwise_composition([*"12"], PARITY), r"give one for \['2'\]"),
        (lambda: pairwise_composition([*"10"], PARITY, 2), "start=2"),
        (lambda: pairwise_composition([*"ab"], {"a": (0,), "b": (0,)}), "states=1"),
        (lambda: pairwise_composition([*"ab"], {"a": (0, 1), "b": (0, 1, 2)}), r"'b' is \(0, 1, 2\): give 2 states"),
        (lambda: pairwise_composition([*"ab"], {"a": (0, 1), "b": (0, 2)}), "each from 0 to 1"),
        (lambda: pairwise_composition(["incomprehensible", "b"], {"incomprehensible": (0, 1), "b": (0, 1)}), "not fit"),
        (lambda: attention_costs(1), "T=1"),
        (lambda: attention_costs(17), "T=17"),
        (lambda: attention_costs(4, 5, 2), "width=5"),
        (lambda: attention_costs(4, 2, 0), "chunk=0"),
    ],
)
def test_refuses(draw, complaint):
    with pytest.raises(ValueError, match=complaint):
        draw()
    assert not plt.get_fignums()  # nothing half-drawn is left behind

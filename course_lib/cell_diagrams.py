"""Drawings of what is inside a recurrent layer (LSTM, GRU, beside a transformer block). Axes in, axes out."""

from __future__ import annotations

from matplotlib.axes import Axes

from course_lib.plotting import COLOURS
from course_lib.sketch import GATE, GREY, INPUT, OUTPUT, STATE, Sketch

BLUE, ORANGE, GREEN = (COLOURS[name] for name in ("blue", "orange", "green"))
TIMES, PLUS = r"$\odot$", "+"


def lstm_cell(ax: Axes | None = None) -> Axes:
    """One step of an LSTM: the cell state on top, changed by one product and one sum; the hidden state below."""
    sheet = Sketch(6.75, ax)
    top, bus, row = 5.3, 2.25, 3.15
    sheet.frame(1.3, 1.85, 8.7, 5.8)
    sheet.text(1.1, bus, "$h_{t-1}$", ha="right")
    sheet.line((1.15, bus), (6.1, bus), (6.1, row - 0.31))
    sheet.text(1.75, 1.62, "$x_t$", va="top")
    sheet.line((1.75, 1.65), (1.75, bus), head=False)
    for x, label, gate, fill in ((2.5, r"$\sigma$", "f", GATE), (3.7, r"$\sigma$", "i", GATE),
                                 (4.9, "tanh", "g", GATE), (6.1, r"$\sigma$", "o", GATE)):
        sheet.box(x, row, label, fill, 0.84)
        sheet.text(x + 0.09, row + 0.34, f"${gate}_t$", ha="left", va="bottom")
        if gate != "o":
            sheet.line((x, bus), (x, row - 0.31))
            sheet.dot(x, bus)
    _cell_state(sheet, top, row)
    _hidden_state(sheet, top, bus, row)
    _legend(sheet, joins=True)
    return sheet.ax


def gru_cell(ax: Axes | None = None) -> Axes:
    """One step of a GRU as PyTorch computes it: the reset gate acts after the recurrent product.

    n_t = tanh(x_t W_x^T + b + r_t * (h_{t-1} W_h^T + b_h)),  h_t = (1 - z_t) * n_t + z_t * h_{t-1}
    """
    sheet = Sketch(8.1, ax)
    top, mix, tanh, row = 7.1, 6.35, 5.35, 3.5
    sheet.frame(1.3, 1.4, 8.7, 7.6)
    _gru_inputs(sheet, top, row)
    _gru_candidate(sheet, mix, tanh, row)
    sheet.line((2.6, row + 0.31), (2.6, top - 0.24), colour=BLUE)  # z, to the old state and to the candidate
    sheet.text(2.69, row + 0.34, "$z_t$", BLUE, ha="left", va="bottom")
    sheet.dot(2.6, mix, BLUE)
    sheet.line((2.6, mix), (4.2, mix), colour=BLUE)
    sheet.circle(4.5, mix, "1−", radius=0.3)
    sheet.line((4.8, mix), (7.16, mix), colour=BLUE)
    sheet.line((1.15, top), (2.36, top))
    sheet.circle(2.6, top, TIMES)
    sheet.line((2.84, top), (7.16, top))
    sheet.line((7.4, mix + 0.24), (7.4, top - 0.24))
    sheet.circle(7.4, top, PLUS)
    sheet.line((7.64, top), (8.9, top))
    sheet.text(8.95, top, "$h_t$", ha="left")
    _legend(sheet, joins=False)
    return sheet.ax


def rnn_beside_transformer(ax: Axes | None = None) -> Axes:
    """A recurrent layer, which knows the past by its own state, beside a block that looks at every position."""
    sheet = Sketch(7.4, ax)
    _rnn_layer(sheet)
    sheet.ax.plot([4.75, 4.75], [0.2, 7.2], color="#b0b0b0", linewidth=0.02 * sheet.unit)
    _transformer_block(sheet)
    return sheet.ax


# ---- helpers -------------------------------------------------------------------------------------


def _cell_state(sheet: Sketch, top: float, row: float) -> None:
    """The straight path on top, what is forgotten, and what is written."""
    meet = 4.35
    sheet.text(1.1, top, "$c_{t-1}$", ha="right")
    sheet.line((1.15, top), (2.26, top), colour=BLUE, width=0.06)
    sheet.circle(2.5, top, TIMES)
    sheet.line((2.74, top), (4.66, top), colour=BLUE, width=0.06)
    sheet.circle(4.9, top, PLUS)
    sheet.line((5.14, top), (8.9, top), colour=BLUE, width=0.06)
    sheet.text(8.95, top, "$c_t$", ha="left")
    sheet.line((2.5, row + 0.31), (2.5, top - 0.24))
    sheet.line((3.7, row + 0.31), (3.7, meet), (4.66, meet))
    sheet.line((4.9, row + 0.31), (4.9, meet - 0.24))
    sheet.circle(4.9, meet, TIMES)
    sheet.line((4.9, meet + 0.24), (4.9, top - 0.24))


def _hidden_state(sheet: Sketch, top: float, bus: float, row: float) -> None:
    """The output: a squashed copy of the cell state, let through by the output gate."""
    meet, x, up = 3.85, 7.3, 8.2
    sheet.dot(x, top, BLUE)
    sheet.line((x, top), (x, 4.9))
    sheet.box(x, 4.65, "tanh", "white", 0.84, 0.5, round_ends=True)
    sheet.line((x, 4.4), (x, meet + 0.24))
    sheet.line((6.1, row + 0.31), (6.1, meet), (x - 0.24, meet))
    sheet.circle(x, meet, TIMES)
    sheet.line((x, meet - 0.24), (x, bus), (8.9, bus))
    sheet.text(8.95, bus, "$h_t$", ha="left")
    sheet.dot(up, bus)
    sheet.line((up, bus), (up, 6.25), over=True)
    sheet.text(up, 6.3, "$h_t$", va="bottom")


def _gru_inputs(sheet: Sketch, top: float, row: float) -> None:
    """h_{t-1} to three of the boxes, x_t to three; the candidate needs the two products apart."""
    h_bus, x_bus = 2.55, 1.85
    sheet.text(1.1, top, "$h_{t-1}$", ha="right")
    sheet.dot(1.65, top)
    sheet.line((1.65, top), (1.65, h_bus), (5.6, h_bus), (5.6, row - 0.31))
    sheet.text(1.1, x_bus, "$x_t$", ha="right")
    sheet.line((1.15, x_bus), (7.4, x_bus), (7.4, row - 0.31), colour=GREEN)
    for x in (2.6, 4.0):
        sheet.dot(x - 0.2, h_bus)
        sheet.line((x - 0.2, h_bus), (x - 0.2, row - 0.31))
        sheet.dot(x + 0.2, x_bus, GREEN)
        sheet.line((x + 0.2, x_bus), (x + 0.2, row - 0.31), colour=GREEN, over=True)
    for x, label, fill, width in ((2.6, r"$\sigma$", GATE, 0.84), (4.0, r"$\sigma$", GATE, 0.84),
                                  (5.6, "$W_h,\\,b_h$", GATE, 1.15), (7.4, "$W_x,\\,b$", GATE, 1.15)):
        sheet.box(x, row, label, fill, width)


def _gru_candidate(sheet: Sketch, mix: float, tanh: float, row: float) -> None:
    """r_t times the recurrent product, plus what the input gives, squashed: n_t."""
    meet = 4.5
    sheet.line((4.0, row + 0.31), (4.0, meet), (5.36, meet), colour=ORANGE)
    sheet.text(4.09, row + 0.34, "$r_t$", ORANGE, ha="left", va="bottom")
    sheet.line((5.6, row + 0.31), (5.6, meet - 0.24))
    sheet.circle(5.6, meet, TIMES)
    sheet.line((5.84, meet), (7.16, meet))
    sheet.line((7.4, row + 0.31), (7.4, meet - 0.24), colour=GREEN)
    sheet.circle(7.4, meet, PLUS)
    sheet.line((7.4, meet + 0.24), (7.4, tanh - 0.25))
    sheet.box(7.4, tanh, "tanh", "white", 0.84, 0.5, round_ends=True)
    sheet.line((7.4, tanh + 0.25), (7.4, mix - 0.24))
    sheet.text(7.55, tanh + 0.5, "$n_t$", ha="left")
    sheet.circle(7.4, mix, TIMES)


def _legend(sheet: Sketch, joins: bool) -> None:
    """What the signs mean, in two rows below the cell."""
    sheet.box(0.6, 0.95, "", GATE, 0.5, 0.36)
    sheet.text(1.05, 0.95, "layer with weights", ha="left")
    sheet.circle(5.2, 0.95, "", radius=0.18)
    sheet.text(5.65, 0.95, "component by component", ha="left")
    sheet.line((0.3, 0.35), (0.9, 0.35), head=False)
    sheet.line((0.6, 0.35), (0.6, 0.62), head=False)
    sheet.dot(0.6, 0.35)
    sheet.text(1.05, 0.35, "line splits: copy", ha="left")
    if joins:
        sheet.line((4.9, 0.35), (5.5, 0.35), head=False)
        sheet.line((5.2, 0.08), (5.2, 0.35), head=False)
        sheet.text(5.65, 0.35, "lines join: concatenate", ha="left")
    else:
        sheet.line((4.9, 0.35), (5.5, 0.35), colour=GREEN, head=False)
        sheet.text(5.65, 0.35, "from the input alone", ha="left")


def _rnn_layer(sheet: Sketch) -> None:
    """One box, which reads the input and its own state of the step before, and serves two sides."""
    x, y = 2.35, 3.7
    sheet.text(x, 7.1, "recurrent layer", weight="bold")
    sheet.text(x, 0.35, "$x_t$")
    sheet.line((x, 0.55), (x, y - 0.65))
    sheet.box(x, y, "$\\tanh(x_tW_x^\\top$\n$+\\,h_{t-1}W_h^\\top+b)$", STATE, 2.4, 1.3)
    for left, right, at, state, use in ((0.15, x - 1.2, 1.1, "$h_{t-1}$", "all that is\nleft of\nthe past"),
                                        (x + 1.2, 4.55, 3.6, "$h_t$", "must serve\nall later\nsteps")):
        sheet.line((left, y), (right, y), colour=ORANGE)
        sheet.text((left + right) / 2, y + 0.15, state, ORANGE, va="bottom")
        sheet.text(at, y - 0.9, use, ORANGE, va="top")
    sheet.line((x, y + 0.65), (x, 6.0))
    sheet.text(x, 6.05, "$h_t$, to the layer above", va="bottom")


def _transformer_block(sheet: Sketch) -> None:
    """Two sublayers, each with a way around it, and a view of all earlier positions."""
    x, wide = 7.95, 2.4
    levels = (("attend", 2.0, OUTPUT), ("add, normalise", 3.05, INPUT), ("feed-forward", 4.35, STATE),
              ("add, normalise", 5.4, INPUT))
    sheet.text(7.45, 7.1, "transformer block", weight="bold")
    sheet.text(x, 0.35, "$x_t$")
    start = 0.55
    for label, y, fill in levels:
        sheet.line((x, start), (x, y - 0.31))
        sheet.box(x, y, label, fill, wide)
        start = y + 0.31
    sheet.line((x, start), (x, 6.25))
    sheet.text(x, 6.3, "to the next block", va="bottom")
    for y, add in ((1.1, 3.05), (3.6, 5.4)):
        sheet.dot(x, y)
        sheet.line((x, y), (9.7, y), (9.7, add), (x + wide / 2, add), colour=GREY)
    sheet.text(5.7, 0.35, "$x_1\\ \\ldots\\ x_{t-1}$")
    for at in (5.2, 5.7, 6.2):
        sheet.line((at, 0.6), (at, 2.0), head=False, colour=BLUE)
    sheet.line((5.2, 2.0), (x - wide / 2, 2.0), colour=BLUE)
    sheet.text(5.7, 2.2, "all earlier\npositions", BLUE, va="bottom")

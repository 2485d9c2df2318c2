"""Drawings of recurrent networks: folded, unrolled, deep, in both directions. Axes in, axes out."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes

from course_lib.plotting import COLOURS
from course_lib.sketch import GREY, INPUT, LOSS, OUTPUT, STATE, WIDTH, Sketch, fit, measure, whole, words

BLUE, ORANGE, GREEN, PURPLE = (COLOURS[name] for name in ("blue", "orange", "green", "purple"))
HALF = 0.31  # half the height of a box
LAYER = 2.47  # the height of a layer that reads both ways


def folded_and_unrolled(steps: int = 4, ax: Axes | None = None) -> Axes:
    """One network drawn twice: with a delayed loop, and with a copy for each step; one colour per matrix.

    Errors: ValueError unless 2 <= steps <= 5.
    """
    steps = whole("steps", steps, 2, 5)
    sheet = Sketch(4.5, ax)
    low, mid, high = 0.85, 2.2, 3.55
    _step(sheet, 0.65, (low, mid, high), "t", 0.8)
    sheet.box(2.25, mid, "delay", fill="white", width=0.98)
    sheet.line((1.05, mid + 0.15), (1.76, mid + 0.15))
    sheet.line((1.76, mid - 0.15), (1.05, mid - 0.15), colour=ORANGE)
    sheet.text(1.42, mid - 0.25, "$W_h$", ORANGE, va="top")
    sheet.text(3.12, mid, "=", size=0.45)
    pitch = min(1.7, (WIDTH - 5.5) / (steps - 1))
    first = (WIDTH + 4.3 - pitch * (steps - 1)) / 2
    width = min(0.8, 0.52 * pitch)
    sheet.text(first - 1.23, mid, "$h_0$")
    for t in range(1, steps + 1):
        x = first + (t - 1) * pitch
        start = x - pitch + width / 2 if t > 1 else first - 0.97
        sheet.line((start, mid), (x - width / 2, mid), colour=ORANGE)
        sheet.text((start + x - width / 2) / 2, mid + 0.08, "$W_h$", ORANGE, va="bottom")
        _step(sheet, x, (low, mid, high), str(t), width)
    sheet.text(1.4, 0.2, "folded")
    sheet.text((WIDTH + 4.5) / 2, 0.2, "unrolled in time")
    return sheet.ax


def unrolled(inputs: Sequence[str | None], outputs: Sequence[str | None],
             losses: Sequence[str | None] | None = None, states: Sequence[str] | None = None,
             feedback: bool = False, ax: Axes | None = None) -> Axes:
    """An unrolled network with the given labels, one per step; None leaves that box and its arrow out.

    With ``feedback`` each output is the next input: an input of None is filled in, and the way drawn dashed.
    Errors: ValueError without steps or with more than 10, for lists of different lengths, for words too long
    to be drawn in letters that can be read, for a loss without an output, or for nothing to feed back.
    """
    inputs, outputs, losses, states = _rows(inputs, outputs, losses, states, feedback)
    steps = len(inputs)
    pitch = min(2.1, (WIDTH - 0.85) / steps)
    width = pitch * (0.6 if feedback else 0.74)
    start = (WIDTH + 0.85 - steps * pitch) / 2
    size = fit([*inputs, *outputs, *losses, *states], width - 0.16)
    sheet = Sketch(4.7 if any(losses) else 3.5, ax)
    levels = (0.4, 1.75, 3.1, 4.3)
    sheet.text(start - 0.55, levels[1], "$h_0$", size=size)
    for t in range(steps):
        x = start + (t + 0.5) * pitch
        left = x - pitch + width / 2 if t else start - 0.28
        sheet.line((left, levels[1]), (x - width / 2, levels[1]))
        _column(sheet, x, levels, (inputs[t], states[t], outputs[t], losses[t]), width, size)
        if feedback and t + 1 < steps and outputs[t] and inputs[t + 1]:
            turn = x + pitch / 2 - 0.05
            sheet.line((x + width / 2, levels[2]), (turn, levels[2]), (turn, levels[0]),
                       (x + pitch - width / 2, levels[0]), colour=PURPLE, style=(0, (3, 1.5)))
    return sheet.ax


def mappings(ax: Axes | None = None) -> Axes:
    """The ways in which a sequence can be read and written, in five small panels with an example each."""
    sheet = Sketch(6.8, ax)
    for x, y, title, example, reads, writes in (
        (1.3, 4.1, "one to one", "no recurrence", "1", "1"),
        (4.75, 4.1, "one to many", "picture to caption", "100", "111"),
        (8.4, 4.1, "many to one", "sentiment", "111", "001"),
        (2.1, 0.7, "many to many, aligned", "a tag for each word", "111", "111"),
        (7.2, 0.7, "many to many, read then write", "translation", "11100", "00111"),
    ):
        _panel(sheet, x - 0.45 * (len(reads) - 1), y, reads, writes)
        sheet.text(x, y - 0.2, example, GREY, va="top")
        sheet.text(x, y + 2.3, title, va="bottom")
    return sheet.ax


def deep(layers: int = 2, steps: int = 4, ax: Axes | None = None) -> Axes:
    """Layers of recurrent networks: the states of one are the inputs of the next; weights differ by layer.

    Errors: ValueError unless 1 <= layers <= 4 and 2 <= steps <= 6.
    """
    layers, steps = whole("layers", layers, 1, 4), whole("steps", steps, 2, 6)
    sheet = Sketch(2.0 + 1.15 * layers, ax)
    pitch = (WIDTH - 1.5) / steps
    for t in range(1, steps + 1):
        x = 1.5 + (t - 0.5) * pitch
        sheet.box(x, 0.4, f"$x_{t}$", INPUT)
        for layer in range(1, layers + 2):
            y = 0.4 + 1.15 * layer
            sheet.line((x, y - 1.15 + HALF), (x, y - HALF))
            if layer > layers:
                sheet.box(x, y, f"$y_{t}$", OUTPUT)
                continue
            sheet.line((x - pitch + 0.47 if t > 1 else 1.35, y), (x - 0.47, y), colour=BLUE)
            sheet.box(x, y, f"$h_{t}^{{({layer})}}$", width=0.94)
            if t == 1:
                sheet.text(0.1, y, f"layer {layer}", ha="left")
    return sheet.ax


def bidirectional(steps: int = 4, labels: Sequence[str] | None = None, ax: Axes | None = None) -> Axes:
    """Two networks over one sequence, one reading it backwards; every output sees both states.

    ``labels`` are written in place of x_1 ... x_T.
    Errors: ValueError unless 2 <= steps <= 6, unless there are as many labels as steps, or for long words.
    """
    steps = whole("steps", steps, 2, 6)
    given = [f"$x_{t}$" for t in range(1, steps + 1)] if labels is None else words("labels", labels, steps)
    return _both_ways(given, 1, ax)


def deep_bidirectional(layers: int = 2, steps: int = 4, ax: Axes | None = None) -> Axes:
    """Layers that read in both directions: each upper layer gets the two states of the one below, joined.

    Errors: ValueError unless 1 <= layers <= 3 and 2 <= steps <= 5.
    """
    layers, steps = whole("layers", layers, 1, 3), whole("steps", steps, 2, 5)
    return _both_ways([f"$x_{t}$" for t in range(1, steps + 1)], layers, ax)


# ---- helpers -------------------------------------------------------------------------------------


def _step(sheet: Sketch, x: float, levels: Sequence[float], index: str, width: float) -> None:
    """One copy of the network: input, state, output, and the names of the matrices between them."""
    low, mid, high = levels
    for y, letter, fill in ((low, "x", INPUT), (mid, "h", STATE), (high, "y", OUTPUT)):
        sheet.box(x, y, f"${letter}_{index}$", fill, width)
    for below, above, name, colour in ((low, mid, "$W_x$", BLUE), (mid, high, "$W_y$", GREEN)):
        sheet.line((x, below + HALF), (x, above - HALF), colour=colour)
        sheet.text(x + 0.08, (below + above) / 2, name, colour, ha="left")


def _rows(inputs: Sequence[str | None], outputs: Sequence[str | None], losses: Sequence[str | None] | None,
          states: Sequence[str] | None, feedback: bool) -> list[list[str | None]]:
    """The four rows of labels, each checked and of one length."""
    steps = whole("the number of inputs", len(inputs), 1, 10)
    inputs, outputs = words("inputs", inputs, steps, True), words("outputs", outputs, steps, True)
    losses = [None] * steps if losses is None else words("losses", losses, steps, True)
    names = [f"$h_{{{t}}}$" for t in range(1, steps + 1)] if states is None else words("states", states, steps)
    for t in range(steps):
        if losses[t] and not outputs[t]:
            raise ValueError(f"step {t + 1} has the loss {losses[t]!r}, and None as the output that it judges")
    if feedback:
        inputs = [inputs[0], *(word or fed for word, fed in zip(inputs[1:], outputs[:-1], strict=True))]
        if not any(outputs[:-1]):
            raise ValueError(f"feedback=True, but outputs={outputs!r} has none before the last step to feed back")
    return [inputs, outputs, losses, names]


def _column(sheet: Sketch, x: float, levels: Sequence[float], labels: Sequence[str | None], width: float,
            size: float) -> None:
    """One step of an unrolled network, from the input up to the loss."""
    for row, (y, label, fill) in enumerate(zip(levels, labels, (INPUT, STATE, OUTPUT, LOSS), strict=True)):
        if label:
            sheet.box(x, y, label, fill, width, size=size)
            if row and labels[row - 1]:
                sheet.line((x, levels[row - 1] + HALF), (x, y - HALF))


def _panel(sheet: Sketch, x: float, y: float, reads: str, writes: str) -> None:
    """A tiny unrolled network; the strings of 0 and 1 say at which steps it reads and writes."""
    for t, (read, write) in enumerate(zip(reads, writes, strict=True)):
        at = x + 0.9 * t
        for here, level, fill in ((read, 0.2, INPUT), ("1", 1.05, STATE), (write, 1.9, OUTPUT)):
            if here == "1":
                sheet.box(at, y + level, fill=fill, width=0.42, height=0.42)
        if read == "1":
            sheet.line((at, y + 0.41), (at, y + 0.84))
        if write == "1":
            sheet.line((at, y + 1.26), (at, y + 1.69))
        if t:
            sheet.line((at - 0.69, y + 1.05), (at - 0.21, y + 1.05))


def _both_ways(labels: Sequence[str], layers: int, ax: Axes | None) -> Axes:
    """Columns of forward and backward boxes; above a layer the two states are joined in one line."""
    left = 1.3 if layers > 1 else 0.3
    pitch = (WIDTH - left - 0.3) / len(labels)
    size = fit(labels, 0.78 * pitch)
    wide = max(0.8, 0.2 + size * max(map(measure, labels)))
    sheet = Sketch(1.7 + LAYER * layers, ax)
    for t, label in enumerate(labels):
        x = left + (t + 0.5) * pitch
        sheet.box(x, 0.4, label, INPUT, wide, size=size)
        for layer in range(layers):
            base = 0.9 + LAYER * layer
            _pair(sheet, x, base, t, len(labels), pitch)
            if t == 0 and layers > 1:
                sheet.text(0.05, base + 1.15, f"layer {layer + 1}", ha="left")
        top = 0.88 + LAYER * layers
        sheet.line((x, top - 0.28), (x, top))
        sheet.box(x, top + HALF, f"$y_{t + 1}$", OUTPUT)
    return sheet.ax


def _pair(sheet: Sketch, x: float, base: float, t: int, steps: int, pitch: float) -> None:
    """The forward box, left and low, and the backward box, right and high, of one layer at one step."""
    width, shift, join = min(0.9, 0.36 * pitch), 0.22 * pitch, base + 2.17
    reach, stub = pitch - width, 0.09 * pitch + 0.25
    sheet.line((x, base - 0.3), (x, base), head=False)
    sheet.dot(x, base)
    for side, y, name, fill, colour, first in (
        (-1, base + 0.66, "right", STATE, BLUE, t == 0),
        (1, base + 1.61, "left", LOSS, PURPLE, t == steps - 1),
    ):
        at = x + side * shift
        edge = at + side * width / 2
        sheet.line((edge + side * (stub if first else reach), y), (edge, y), colour=colour, z=1)
        sheet.line((x, base), (at, base), (at, base + 0.14), head=False)
        sheet.line((at, base + 0.12), (at, y - HALF), over=True)
        sheet.line((at, y + HALF), (at, join), (x, join), head=False)
        sheet.box(at, y, rf"$\over{name}arrow{{h}}_{t + 1}$", fill, width)

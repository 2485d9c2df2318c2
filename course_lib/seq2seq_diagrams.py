"""Drawings of an encoder and a decoder: what is read, what is handed over, what is written. Axes in, axes out."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes

from course_lib.plotting import COLOURS
from course_lib.sketch import GATE, GREY, INPUT, LOSS, OUTPUT, SIZE, STATE, WIDTH, Sketch, fit, measure, whole, words

BLUE, ORANGE, GREEN, PURPLE = (COLOURS[name] for name in ("blue", "orange", "green", "purple"))
DECODER = LOSS  # fill of the decoder's states
HALF = 0.31  # half the height of a box
DASHED = (0, (3, 1.5))
INPUTS, FIRST, LAYER = 0.95, 2.2, 1.15  # the levels: words read, states of the first layer, from layer to layer


def encoder_decoder(source: Sequence[str], target: Sequence[str], forcing: bool = True, layers: int = 1,
                    bottleneck: bool = False, ax: Axes | None = None) -> Axes:
    """A network that reads the source and hands its last state to one that writes the target.

    The decoder reads BOS and the words of ``target``, and writes the words and EOS; ``source`` is drawn as given.
    With ``forcing`` it is given the right words; without, each output is the next input (dashed). One colour is one
    set of weights: the same at every step, another in each of the ``layers``. With ``bottleneck`` the state handed
    over stands in a box of its own.
    Errors: ValueError without words, for more than 9 steps in all, unless there are 1 or 2 layers, or for long words.
    """
    S = whole("the number of source words", len(source), 1, 7)
    steps = whole("the number of target words", len(target), 1, 7) + 1
    layers = whole("layers", layers, 1, 2)
    if S + steps > 9:
        raise ValueError(f"{S} source words and {steps} decoder steps do not fit the page: 9 steps in all at most")
    source, target = words("source", source, S), words("target", target, steps - 1)
    left, gap = 0.1 if layers == 1 else 1.15, 1.75 if bottleneck else 0.9
    pitch = min(1.75, (WIDTH - left - 0.1 - gap) / (S + steps))
    left = max(left, (WIDTH + left - gap - pitch * (S + steps)) / 2)
    wide = pitch * (0.76 if forcing else 0.68)  # of a state; the words have a little more
    room = pitch * (0.9 if forcing else 0.74)
    size = fit([*source, *target, "BOS", "EOS"], room - 0.13)
    encoder = [left + (s + 0.5) * pitch for s in range(S)]
    decoder = [left + gap + (S + t + 0.5) * pitch for t in range(steps)]
    high = FIRST + LAYER * (layers - 1)  # the states of the last layer
    sheet = Sketch(high + 2.4, ax)
    _states(sheet, encoder, source, "h", layers, (wide, room, size))
    _states(sheet, decoder, ["BOS", *target], "s", layers, (wide, room, size))
    _outputs(sheet, decoder, [*target, "EOS"], high, (room, size))
    for layer in range(layers):
        y = FIRST + LAYER * layer
        name = f"$h_{S}$" if layers == 1 else f"$h_{S}^{{({layer + 1})}}$"
        _hand_over(sheet, encoder[-1] + wide / 2, decoder[0] - wide / 2, y, name if bottleneck else "")
        if layers > 1:
            sheet.text(0.1, y, f"layer {layer + 1}", ha="left")
    if bottleneck:
        sheet.text((encoder[-1] + decoder[0]) / 2, FIRST - 0.55, "all that the\ndecoder gets", GREY, 0.25, va="top")
    if not forcing:
        for x in decoder[:-1]:
            _feed_back(sheet, x, room, pitch, high + 2.05)
    sheet.text(sum(encoder) / S, 0.25, "encoder")
    title = f"decoder, given {'the right' if forcing else 'its own'} words"
    sheet.text(min(sum(decoder) / steps, WIDTH - 0.1 - SIZE * measure(title) / 2), 0.25, title)
    return sheet.ax


# ---- helpers -------------------------------------------------------------------------------------


def _states(sheet: Sketch, xs: Sequence[float], read: Sequence[str], letter: str, layers: int,
            shape: tuple[float, float, float]) -> None:
    """One of the two networks: the words that it reads, and its states, layer upon layer."""
    wide, room, size = shape
    fill, colours = (STATE, (BLUE, GREEN)) if letter == "h" else (DECODER, (PURPLE, ORANGE))
    for t, (x, word) in enumerate(zip(xs, read, strict=True)):
        sheet.box(x, INPUTS, word, INPUT, room, size=size)
        for layer, colour in zip(range(layers), colours, strict=False):
            y = FIRST + LAYER * layer
            sheet.line((x, (y - LAYER if layer else INPUTS) + HALF), (x, y - HALF), colour=colour)
            sheet.box(x, y, f"${letter}_{t + 1}" + (f"^{{({layer + 1})}}$" if layers > 1 else "$"), fill, wide)
            if t:
                sheet.line((xs[t - 1] + wide / 2, y), (x - wide / 2, y), colour=colour)


def _outputs(sheet: Sketch, xs: Sequence[float], written: Sequence[str], high: float,
             shape: tuple[float, float]) -> None:
    """Above each state of the decoder: a layer with a softmax, and the word."""
    room, size = shape
    sheet.text(xs[0] - room / 2 - 0.1, high + 1.1, "linear layer,\nsoftmax", GREY, ha="right")
    for x, word in zip(xs, written, strict=True):
        sheet.line((x, high + HALF), (x, high + 0.93))
        sheet.box(x, high + 1.1, "", GATE, min(0.7, room), 0.34)
        sheet.line((x, high + 1.27), (x, high + 2.05 - HALF))
        sheet.box(x, high + 2.05, word, OUTPUT, room, size=size)


def _hand_over(sheet: Sketch, start: float, end: float, y: float, name: str) -> None:
    """The last state of the encoder becomes the first of the decoder; with a name, it stands in a box."""
    middle, half = (start + end) / 2, 0.41 if name else 0.0
    if name:
        sheet.line((start, y), (middle - half, y), width=0.06)
        sheet.box(middle, y, name, GATE, 2 * half, 0.8)
    sheet.line((middle + half if name else start, y), (end, y), width=0.06)


def _feed_back(sheet: Sketch, x: float, room: float, pitch: float, top: float) -> None:
    """From an output down to the next input."""
    turn = x + pitch / 2 - 0.05
    sheet.line((x + room / 2, top), (turn, top), (turn, INPUTS), (x + pitch - room / 2, INPUTS), style=DASHED)

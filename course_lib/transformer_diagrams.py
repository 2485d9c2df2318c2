"""Drawings of a transformer: its blocks, encoder and decoder, training beside inference, and the cache."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from course_lib.plotting import COLOURS
from course_lib.sketch import GATE, GREY, INK, INPUT, OUTPUT, STATE, WIDTH, Sketch, fit, whole, words

BLUE, ORANGE, GREEN = (COLOURS[name] for name in ("blue", "orange", "green"))
NEW, HELD = OUTPUT, STATE  # fills: computed in this pass; held since an earlier one
HALF = 0.31  # half the height of a box
DASHED = (0, (3, 1.5))
ROAD = 0.11  # width of the residual stream


def pre_and_post_norm(ax: Axes | None = None) -> Axes:
    """Two blocks, the residual stream as a road from below to above: normalised beside the road, or on it."""
    sheet = Sketch(9.3, ax)
    sheet.ax.plot([WIDTH / 2] * 2, [0.2, 9.1], color="#b0b0b0", linewidth=0.02 * sheet.unit)
    for road, side, title, note, pre in (
        (1.1, 3.2, "pre-norm", "sums alone\nchange the road", True),
        (6.1, 8.2, "post-norm", "the road runs\nthrough each norm", False),
    ):
        sheet.text((road + side) / 2, 9.05, title, weight="bold")
        sheet.text(road, 0.2, "$X$, from below")
        start = 0.4
        for label, low, fill in (("attention", 1.05, OUTPUT), ("feed-forward", 4.85, STATE)):
            part, add = (low + 1.7, low + 2.6) if pre else (low + 1.2, low + 2.1)
            if pre:
                sheet.line((road, low), (side, low), (side, low + 0.44), colour=GREY)
                sheet.box(side, low + 0.75, "LayerNorm", GATE, 1.7)
                sheet.line((side, low + 0.75 + HALF), (side, part - HALF), colour=GREY)
            else:
                sheet.line((road, low), (side, low), (side, part - HALF), colour=GREY)
            sheet.box(side, part, label, fill, 2.0)
            sheet.line((side, part + HALF), (side, add), (road + 0.24, add), colour=GREY)
            sheet.line((road, start), (road, add - 0.24), colour=BLUE, width=ROAD)
            sheet.circle(road, add, "+")
            start = add + 0.24
            if not pre:
                sheet.line((road, start), (road, add + 0.64), colour=BLUE, width=ROAD)
                sheet.box(road, add + 0.95, "LayerNorm", GATE, 1.7)
                start = add + 0.95 + HALF
        sheet.line((road, start), (road, 8.75), colour=BLUE, width=ROAD)
        sheet.text(side + 0.2, 8.1, note, BLUE, 0.25)
    return sheet.ax


def encoder_decoder(layers: int = 6, ax: Axes | None = None) -> Axes:
    """The two stacks and the bridge between them: keys and values from the encoder, queries from the decoder.

    Errors: ValueError unless 1 <= layers <= 96.
    """
    layers = whole("layers", layers, 1, 96)
    sheet = Sketch(9.7, ax)
    encoder, decoder, bridge, cross = 2.1, 7.5, 4.5, 4.5
    parts = (("self-attention", OUTPUT), ("feed-forward", STATE))
    out = _stack(sheet, encoder, "source", parts, -1)
    sheet.text(encoder - 0.12, out + 0.2, f"{layers} × encoder", size=0.25, ha="right", va="bottom")
    sheet.line((encoder, out), (encoder, 6.35), (bridge, 6.35), (bridge, cross + 0.15),
               (decoder - 1.3, cross + 0.15), colour=BLUE)
    sheet.line((bridge, cross + 0.15), (bridge, cross - 0.15), (decoder - 1.3, cross - 0.15), colour=BLUE)
    sheet.text((encoder + bridge) / 2, 6.5, "the encoder's output", BLUE, va="bottom")
    sheet.text(bridge + 0.1, cross + 0.25, "keys", BLUE, ha="left", va="bottom")
    sheet.text(bridge + 0.1, cross - 0.25, "values", BLUE, ha="left", va="top")
    parts = (("causal self-attention", OUTPUT), ("cross-attention", GATE), ("feed-forward", STATE))
    out = _stack(sheet, decoder, "BOS and target", parts, 1)
    sheet.text(decoder - 0.15, cross - 0.57, "queries", ORANGE, ha="right")
    sheet.text(decoder + 0.12, out + 0.2, f"{layers} × decoder", size=0.25, ha="left", va="bottom")
    sheet.line((decoder, out), (decoder, 8.6 - HALF))
    sheet.box(decoder, 8.6, "linear, softmax", GATE, 2.6)
    sheet.line((decoder, 8.6 + HALF), (decoder, 9.3))
    sheet.text(decoder, 9.35, "target and EOS", va="bottom")
    return sheet.ax


def training_beside_inference(sentence: Sequence[str], ax: Axes | None = None) -> Axes:
    """Left one pass that predicts every word from those before; right a pass for each word that is written.

    ``sentence`` is given without BOS and EOS: the model reads BOS and its words, and writes the words and EOS.
    Errors: ValueError unless there are 2 to 5 words, or when one is too long.
    """
    n = whole("the number of words", len(sentence), 2, 5)
    read = ["BOS", *words("sentence", sentence, n)]
    written = [*read[1:], "EOS"]
    pitch, row = min(1.15, 9.6 / (2 * n + 3)), 0.98
    wide = 0.82 * pitch
    size = fit([*read, "EOS"], wide - 0.08)
    sheet = Sketch(max(5.2, row * n + 2.55), ax)
    high = sheet.height - 0.95
    left = [0.1 + (t + 0.5) * pitch for t in range(n + 1)]
    right = [9.9 - (n + 1.5 - t) * pitch for t in range(n + 2)]
    _one_pass(sheet, left, read, written, (wide, size), high)
    for k in range(n + 1):
        y = high - row * k
        for t in range(k + 1):
            sheet.box(right[t], y, read[t], INPUT, wide, size=size)
        sheet.line((right[k] + wide / 2, y), (right[k + 1] - wide / 2, y))
        sheet.box(right[k + 1], y, written[k], OUTPUT, wide, size=size)
        if k < n:
            sheet.line((right[k + 1], y - HALF), (right[k + 1], y - row + HALF), style=DASHED)
    for xs, title, note in ((left, "training: one pass", "inputs: the targets, one\nplace later"),
                            (right, f"inference: {n + 1} passes", "what is written is read in\nthe next pass")):
        sheet.text((xs[0] + xs[-1]) / 2, sheet.height - 0.25, title, weight="bold")
        sheet.text((xs[0] + xs[-1]) / 2, 0.4, note, GREY, 0.25)
    return sheet.ax


def growing_cache(tokens: Sequence[str], ax: Axes | None = None) -> Axes:
    """Whose keys and values each pass computes: of all tokens so far, or with a cache of the newest alone.

    Errors: ValueError unless there are 2 to 6 tokens, or when one is too long.
    """
    T = whole("the number of tokens", len(tokens), 2, 6)
    tokens = words("tokens", tokens, T)
    cell = min(0.95, 3.9 / T)
    size = fit(tokens, cell - 0.06)
    sheet = Sketch(cell * T + 2.85, ax)
    top = sheet.height - 1.2
    for t in range(T):
        sheet.text(0.05, top - (t + 0.5) * cell, f"pass {t + 1}", size=0.25, ha="left")
    for left, title, cached in ((1.15, "without a cache", False), (5.75, "with a cache", True)):
        middle = left + cell * T / 2
        for t in range(T):
            sheet.text(left + (t + 0.5) * cell, top + 0.22, tokens[t], size=size)
            for s in range(t + 1):
                held = cached and s < t
                sheet.ax.add_patch(Rectangle(
                    (left + s * cell + 0.04, top - (t + 1) * cell + 0.04), cell - 0.08, cell - 0.08,
                    facecolor=HELD if held else NEW, edgecolor=INK, linewidth=0.02 * sheet.unit, zorder=3))
                sheet.text(left + (s + 0.5) * cell, top - (t + 0.5) * cell, rf"$k_{s + 1}\,v_{s + 1}$",
                           size=min(0.25, 0.3 * cell))
        sheet.text(middle, sheet.height - 0.25, title, weight="bold")
        sheet.text(middle, top - T * cell - 0.35, f"{T if cached else T * (T + 1) // 2} pairs computed", size=0.25)
    for x, fill, label in ((1.3, NEW, "computed in this pass"), (5.9, HELD, "held from before")):
        sheet.ax.add_patch(Rectangle((x - 0.15, 0.2), 0.3, 0.3, facecolor=fill, edgecolor=INK,
                                     linewidth=0.02 * sheet.unit, zorder=3))
        sheet.text(x + 0.3, 0.35, label, size=0.25, ha="left")
    return sheet.ax


# ---- helpers -------------------------------------------------------------------------------------


def _stack(sheet: Sketch, x: float, read: str, parts: Sequence[tuple[str, str]], side: int) -> float:
    """One block with what it reads, the ways around its parts on one side; returns where its output leaves it."""
    wide = 2.6
    sheet.text(x, 0.2, read)
    sheet.line((x, 0.4), (x, 1.05 - HALF))
    sheet.box(x, 1.05, "embedding + position", INPUT, 3.0, size=0.25)
    sheet.frame(x - 1.85, 1.65, x + 1.85, 1.85 + 2 * len(parts))
    start = 1.05 + HALF
    for i, (label, fill) in enumerate(parts):
        y = 2.5 + 2 * i
        sheet.line((x, start), (x, y - HALF), colour=ORANGE if fill == GATE else INK)
        sheet.box(x, y, label, fill, wide, size=fit([label], wide - 0.15))
        sheet.line((x, y + HALF), (x, y + 0.85 - HALF))
        sheet.box(x, y + 0.85, "add, normalise", INPUT, wide)
        sheet.dot(x, y - 0.57)
        sheet.line((x, y - 0.57), (x + 1.7 * side, y - 0.57), (x + 1.7 * side, y + 0.85),
                   (x + wide / 2 * side, y + 0.85), colour=GREY)
        start = y + 0.85 + HALF
    return start


def _one_pass(sheet: Sketch, xs: Sequence[float], read: Sequence[str], written: Sequence[str],
              shape: tuple[float, float], high: float) -> None:
    """All inputs at once; every place looks at itself and at those before it, and predicts the next word."""
    wide, size = shape
    low, seen = 1.25, high - 1.1
    for t, x in enumerate(xs):
        sheet.box(x, low, read[t], INPUT, wide, size=size)
        for s in range(t + 1):
            sheet.line((xs[s], low + HALF), (x, seen - HALF), colour=BLUE if s == t else GREY)
        sheet.box(x, seen, f"$h_{t + 1}$", STATE, wide)
        sheet.line((x, seen + HALF), (x, high - HALF))
        sheet.box(x, high, written[t], OUTPUT, wide, size=size)

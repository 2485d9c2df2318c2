"""Drawings of attention: one step of a decoder, one word that looks at all, and the induction circuit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from course_lib.plotting import COLOURS
from course_lib.sketch import GATE, GREY, INK, INPUT, LOSS, OUTPUT, STATE, WIDTH, Sketch, fit, whole, words

BLUE, ORANGE, GREEN, PURPLE = (COLOURS[name] for name in ("blue", "orange", "green", "purple"))
QUERY, KEY, VALUE = OUTPUT, STATE, "#cdebdd"  # fills
HALF = 0.31  # half the height of a box
STATES, COMPARE, SOFTMAX, SUM = 1.4, 2.5, 3.7, 6.2  # levels of the step of a decoder
LEFT, RIGHT = 0.85, 7.05  # sides of its boxes


def attention_step(source: Sequence[str], target: Sequence[str], step: int, scores: Sequence[float],
                   ax: Axes | None = None) -> Axes:
    """One step of a decoder that looks back: scores, softmax, weighted sum of the encoder's states, next word.

    ``step`` says which word of ``target`` is written, counted from 1; one more writes EOS. ``scores`` has a number
    for each word of ``source``; the weights drawn are their softmax.
    Errors: ValueError for more than 6 source words, a step outside the target, or scores that do not fit.
    """
    S = whole("the number of source words", len(source), 2, 6)
    source, target = words("source", source, S), [*words("target", target, len(target)), "EOS"]
    step = whole("step", step, 1, len(target))
    scores, weights = _softmax(scores, S)
    pitch = (RIGHT - LEFT) / S
    half = min(0.44 * pitch, 0.65)
    size = fit([*source, *target, "BOS"], 2 * half - 0.14)
    sheet = Sketch(8.4, ax)
    for s, word in enumerate(source):
        x = LEFT + (s + 0.5) * pitch
        sheet.box(x, 0.35, word, INPUT, 2 * half, size=size)
        sheet.line((x, 0.35 + HALF), (x, STATES - HALF))
        sheet.box(x, STATES, f"$h_{s + 1}$", STATE, 0.8)
        if s:
            sheet.line((x - pitch + 0.4, STATES), (x - 0.4, STATES))
        _score_and_weight(sheet, x, scores[s], weights[s])
    middle, wide, start = (LEFT + RIGHT) / 2, RIGHT - LEFT, LEFT + pitch / 2 - 0.4
    sheet.box(middle, COMPARE, f"compare $s_{step}$ with every state: scores", INPUT, wide)
    sheet.box(middle, SOFTMAX, "softmax", GATE, wide)
    sheet.box(middle, SUM, rf"weighted sum   $\sum_s\, \alpha_{{{step},s}}\, h_s$", STATE, wide, 0.74)
    sheet.line((start, STATES), (0.5, STATES), (0.5, SUM), (LEFT, SUM), colour=GREY)
    sheet.text(0.27, (STATES + SUM) / 2, "all the states $h_s$", GREY, 0.25, rotation=90)
    _decoder(sheet, step, ["BOS", *target], size)
    return sheet.ax


def self_attention(tokens: Sequence[str], t: int, scores: Sequence[float], ax: Axes | None = None) -> Axes:
    """One token looks at all: its query meets every key, and the weights mix the values.

    ``t`` is the token that looks, counted from 1. ``scores`` are already scaled; minus infinity is a masked place.
    Errors: ValueError unless there are 2 to 7 tokens, for a t outside them, or scores that do not fit.
    """
    T = whole("the number of tokens", len(tokens), 2, 7)
    tokens, t = words("tokens", tokens, T), whole("t", t, 1, T)
    scores, weights = _softmax(scores, T)
    pitch = 0.95
    sheet = Sketch(pitch * T + 1.75, ax)
    size = fit(tokens, 1.35)
    rows = [pitch * (T - s - 0.5) + 0.1 for s in range(T)]
    top, meet, middle = sheet.height - 0.4, 4.0, (rows[0] + rows[-1]) / 2
    for x, title in ((2.65, "value, key"), (4.65, "score"), (6.4, "weight"), (8.3, "share")):
        sheet.text(x, rows[0] + 0.6, title, GREY, 0.24)
    sheet.box(0.85, top, tokens[t - 1], INPUT, 1.55, size=size)
    sheet.line((1.63, top), (2.2, top))
    sheet.box(2.65, top, f"$q_{t}$", QUERY, 0.9)
    sheet.line((3.1, top), (meet, top), (meet, rows[0] + 0.25), colour=ORANGE)
    for s, y in enumerate(rows):
        if s:
            sheet.line((meet, rows[s - 1] - 0.25), (meet, y + 0.25), colour=ORANGE)
        sheet.box(0.85, y, tokens[s], INPUT, 1.55, size=size)
        _looked_at(sheet, meet, y, s + 1, scores[s], weights[s])
    tall = rows[0] - rows[-1] + 0.62
    sheet.box(5.6, middle, "", GATE, 0.5, tall)
    sheet.text(5.6, middle, "softmax", rotation=90)
    sheet.box(9.6, middle, "", VALUE, 0.5, tall)
    sheet.text(9.6, middle, "sum", rotation=90)
    sheet.line((9.6, rows[0] + HALF), (9.6, top - HALF))
    sheet.box(8.95, top, "output", VALUE, 1.8)
    return sheet.ax


def induction(tokens: Sequence[str], ax: Axes | None = None) -> Axes:
    """Two layers that continue a repetition: A B ... A is followed by B.

    The first layer's head gives every token the one before it. In the second layer the last token looks for a place
    whose predecessor is its own like, and copies what stands there.
    Errors: ValueError unless there are 3 to 8 tokens, the last of which occurs exactly once before.
    """
    T = whole("the number of tokens", len(tokens), 3, 8)
    tokens = words("tokens", tokens, T)
    if tokens[:-1].count(tokens[-1]) != 1:
        raise ValueError(f"the last token {tokens[-1]!r} must occur exactly once before, in {tokens}: "
                         "what followed it there is the prediction")
    found = tokens.index(tokens[-1]) + 1
    left, low, mid, high = 1.95, 0.4, 2.7, 5.5
    pitch = (WIDTH - left - 0.05) / T
    xs, wide = [left + (t + 0.5) * pitch for t in range(T)], min(0.8 * pitch, 1.3)
    size = fit(tokens, wide - 0.14)
    sheet = Sketch(5.9, ax)
    for t, x in enumerate(xs):
        sheet.box(x, low, tokens[t], INPUT, wide, size=size)
        sheet.line((x + 0.12, low + HALF), (x + 0.12, mid - 0.5), colour=GREY)
        if t:
            sheet.line((xs[t - 1] + 0.3, low + HALF), (x - 0.16, mid - 0.5), colour=ORANGE,
                       width=0.08 if t == found else 0.034)
        own = STATE if t == T - 1 else OUTPUT if t == found else INPUT
        sheet.box(x, mid + 0.25, tokens[t], own, wide, 0.5, size=size)
        sheet.box(x, mid - 0.25, tokens[t - 1] if t else "", STATE if t == found else "white", wide, 0.5, size=size)
    sheet.line((xs[found], mid + 0.5), (xs[found], 4.1), (xs[-1] - 0.12, 4.1), (xs[-1] - 0.12, high - HALF),
               colour=BLUE, width=0.08)
    sheet.line((xs[-1] + 0.12, mid + 0.5), (xs[-1] + 0.12, high - HALF), colour=GREY)
    sheet.box(xs[-1], high, tokens[found], OUTPUT, wide, size=size)
    for y, label, colour in ((low, "tokens", INK), (1.55, "layer 1: from\nthe one before", ORANGE),
                             (mid + 0.25, "itself", INK), (mid - 0.25, "the one before", INK),
                             (4.1, "layer 2: from\nthe place after\nits like", BLUE), (high, "prediction", INK)):
        sheet.text(0.05, y, label, colour, 0.25, ha="left")
    return sheet.ax


# ---- helpers -------------------------------------------------------------------------------------


def _softmax(scores: Sequence[float], number: int) -> tuple[np.ndarray, np.ndarray]:
    """The scores, checked, and their softmax."""
    scores = np.asarray(scores, dtype=float)
    if scores.shape != (number,) or np.isnan(scores).any() or not np.isfinite(scores.max()):
        raise ValueError(f"scores={scores.tolist()}: give {number} numbers, one a word; minus infinity is masked, "
                         "and at least one must be finite")
    weights = np.exp(scores - scores.max())
    return scores, weights / weights.sum()


def _score(score: float) -> str:
    return r"$-\infty$" if np.isneginf(score) else f"{score:.{1 if abs(score) < 9.95 else 0}f}".replace("-", "−")


def _score_and_weight(sheet: Sketch, x: float, score: float, weight: float) -> None:
    """One state on its way up: its score, and a bar with its weight."""
    sheet.line((x, STATES + HALF), (x, COMPARE - HALF))
    sheet.line((x - 0.3, COMPARE + HALF), (x - 0.3, SOFTMAX - HALF))
    sheet.text(x - 0.17, (COMPARE + SOFTMAX) / 2, _score(score), size=0.25, ha="left")
    low = SOFTMAX + 0.5
    sheet.ax.add_patch(Rectangle((x - 0.25, low), 0.5, weight, facecolor=BLUE, edgecolor="none", zorder=3))
    sheet.text(x, low + weight + 0.06, f"{weight:.2f}", BLUE, 0.24, va="bottom")
    sheet.line((x, low + 1.35), (x, SUM - 0.37), colour=BLUE)


def _looked_at(sheet: Sketch, meet: float, y: float, s: int, score: float, weight: float) -> None:
    """One token that is looked at: key and value, score, weight, and what its value gives to the sum."""
    sheet.line((1.63, y), (1.9, y))
    sheet.box(2.27, y, f"$v_{s}$", VALUE, 0.74)
    sheet.box(3.03, y, f"$k_{s}$", KEY, 0.74)
    sheet.line((3.4, y), (meet - 0.33, y), colour=BLUE)
    sheet.box(meet, y, r"$q\cdot k$", "white", 0.66, 0.5, size=0.24)
    sheet.text(meet + 0.42, y, _score(score), size=0.25, ha="left")
    sheet.line((5.08, y), (5.35, y))
    sheet.ax.add_patch(Rectangle((6.0, y - 0.2), 0.95 * weight, 0.4, facecolor=BLUE, edgecolor="none", zorder=3))
    sheet.text(6.07 + 0.95 * weight, y, f"{weight:.2f}", BLUE, 0.24, ha="left")
    if weight > 0:
        sheet.box(8.3, y, f"{weight:.2f} $v_{s}$", VALUE, 1.3)
        sheet.line((8.95, y), (9.35, y), colour=GREEN)
    else:
        sheet.text(8.3, y, "none", GREY, 0.24)


def _decoder(sheet: Sketch, step: int, read: Sequence[str], size: float) -> None:
    """The decoder's side: its state, which asks, and joins what it gets; the word it writes."""
    x = 9.1
    sheet.box(x, 0.35, read[step - 1], INPUT, 1.3, size=size)
    sheet.line((x + 0.2, 0.35 + HALF), (x + 0.2, COMPARE - HALF))
    sheet.text(RIGHT + 0.3, STATES, f"$s_{step - 1}$", ha="left")
    sheet.line((RIGHT + 0.75, STATES), (x - 0.2, STATES), (x - 0.2, COMPARE - HALF))
    sheet.box(x, COMPARE, f"$s_{step}$", LOSS, 0.9)
    sheet.line((x - 0.45, COMPARE), (RIGHT, COMPARE), colour=ORANGE)
    sheet.line((x, COMPARE + HALF), (x, SUM - HALF), colour=PURPLE)
    sheet.line((RIGHT, SUM), (x - 0.65, SUM), colour=BLUE)
    sheet.box(x, SUM, "join", INPUT, 1.3)
    sheet.line((x, SUM + HALF), (x, 6.85))
    sheet.box(x, 7.12, "softmax", GATE, 1.5, 0.54)
    sheet.line((x, 7.39), (x, 8.05 - HALF))
    sheet.box(x, 8.05, read[step], OUTPUT, 1.3, size=size)

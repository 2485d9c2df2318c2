"""Drawings of attention heads: the matrices inside one, several side by side, and what masks let through."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from course_lib.sketch import GATE, GREY, INK, INPUT, LOSS, OUTPUT, STATE, WIDTH, Point, Sketch, whole

QUERY, KEY, VALUE = OUTPUT, STATE, "#cdebdd"  # fills
FILLS = (STATE, OUTPUT, VALUE, LOSS)  # one for each head
SEEN, BARRED, BLOCKED = "#7dbbe0", "#ffffff", "#8f8f8f"  # may be looked at; may not; a score of minus infinity
LEVELS = (0.45, 1.75, 2.85, 3.95, 5.05, 6.75)  # input, projections, q k v, attention, outputs, joined
LEFT = 1.95  # of the sheet, for the names of the rows
HALF = 0.31  # half the height of a box

Colouring = Callable[[int, int], str]


def inside_a_head(T: int = 5, d_k: int = 3, causal: bool = True, ax: Axes | None = None) -> Axes:
    """softmax(Q K^T / sqrt(d_k)) V as rectangles whose sides are in proportion to T and d_k.

    With ``causal`` the scores above the diagonal are masked, and their weights are zero.
    Errors: ValueError unless 2 <= T <= 8 and 1 <= d_k <= 8.
    """
    T, d_k = whole("T", T, 2, 8), whole("d_k", d_k, 1, 8)
    cell = min(0.38, 6.6 / (2 * T + 2 * d_k), 2.2 / max(T, d_k))
    half, tall = cell * T / 2, cell * max(T, d_k)
    sheet = Sketch(2 * tall + 3.1, ax)
    low, high, narrow, square = 0.5 + tall / 2, sheet.height - 0.5 - tall / 2, r"$T\times d_k$", r"$T\times T$"
    x = (WIDTH - cell * (2 * T + d_k) - 1.8) / 2
    x = _matrix(sheet, x, high, (T, d_k), cell, "$Q$", narrow, QUERY)
    x = _sign(sheet, x, high, r"$\times$")
    x = _matrix(sheet, x, high, (d_k, T), cell, r"$K^\top$", r"$d_k\times T$", KEY)
    x = _sign(sheet, x, high, "=")
    scores = _matrix(sheet, x, high, (T, T), cell, "scores", square, INPUT) - half
    x = (WIDTH - cell * (2 * T + 2 * d_k) - 3.2) / 2
    _turn(sheet, (scores, high - half - 0.45), (x + half, low + half + 0.06), low + tall / 2 + 0.85, causal)
    x = _matrix(sheet, x, low, (T, T), cell, "", square, INPUT, BLOCKED if causal else "")
    x = _sign(sheet, x, low, "softmax", 1.4)
    x = _matrix(sheet, x, low, (T, T), cell, "weights", square, SEEN, BARRED if causal else "")
    x = _sign(sheet, x, low, r"$\times$")
    x = _matrix(sheet, x, low, (T, d_k), cell, "$V$", narrow, VALUE)
    x = _sign(sheet, x, low, "=")
    _matrix(sheet, x, low, (T, d_k), cell, "output", narrow, VALUE)
    return sheet.ax


def multi_head(heads: int = 3, ax: Axes | None = None) -> Axes:
    """Several heads over the same input: own projections, attention each on its own, joined, and mixed by W_o.

    Errors: ValueError unless 2 <= heads <= 4.
    """
    heads = whole("heads", heads, 2, 4)
    sheet = Sketch(8.3, ax)
    (start, project, qkv, attend, out, joined), strip = LEVELS, 0.5
    pitch, middle = (WIDTH - LEFT) / heads, (WIDTH + LEFT) / 2
    _strips(sheet, middle, start, [INPUT], heads * strip)
    for i in range(heads):
        x, aside = LEFT + (i + 0.5) * pitch, (i - (heads - 1) / 2) * strip
        sheet.line((middle + aside, start + 0.3), (x, project - HALF), colour=GREY)
        _head(sheet, x, i, 0.92 * pitch, strip)
        sheet.line((x, out + 0.3), (LEFT + 1.7 + aside, joined - 0.3), colour=GREY)
    _strips(sheet, LEFT + 1.7, joined, FILLS[:heads], strip)
    sheet.line((LEFT + 1.7 + heads * strip / 2, joined), (LEFT + 3.65, joined))
    sheet.box(LEFT + 4.1, joined, "$W_o$", GATE, 0.9)
    sheet.line((LEFT + 4.55, joined), (LEFT + 6.4 - heads * strip / 2, joined))
    _strips(sheet, LEFT + 6.4, joined, [INPUT], heads * strip)
    for x, label in ((1.7, r"joined: $T\times D$"), (4.1, r"$D\times D$"), (6.4, r"output: $T\times D$")):
        sheet.text(LEFT + x, joined + 0.6, label, size=0.25)
    for y, label in ((start, r"input: $T\times D$"), (project, r"each $D\times d_k$"), (qkv, r"each $T\times d_k$"),
                     (attend, r"$T\times T$ weights"), (out, r"each $T\times d_k$")):
        sheet.text(0.05, y, label, size=0.25, ha="left")
    sheet.text(WIDTH / 2, joined + 1.25, rf"{heads} heads of width $d_k = D/{heads}$", GREY)
    return sheet.ax


def heads_as_channels(heads: int = 3, ax: Axes | None = None) -> Axes:
    """Heads beside the channels of a convolution: copies of one operation with weights of their own.

    Errors: ValueError unless 2 <= heads <= 4.
    """
    heads = whole("heads", heads, 2, 4)
    sheet = Sketch(6.6, ax)
    sheet.ax.plot([WIDTH / 2] * 2, [0.2, 6.4], color="#b0b0b0", linewidth=0.02 * sheet.unit)
    for middle, title, operation, mixed, note in (
        (2.45, "convolution", "kernel", "next layer mixes\nthe channels",
         "looks at fixed places,\nwith fixed weights"),
        (7.55, "attention", "head", "$W_o$ mixes the heads",
         "looks at all places, with\nweights from the content"),
    ):
        sheet.text(middle, 6.3, title, weight="bold")
        sheet.box(middle, 1.5, "input", INPUT, 3.0)
        pitch = 4.6 / heads
        for i in range(heads):
            x = middle + (i - (heads - 1) / 2) * pitch
            sheet.line((middle + (i - (heads - 1) / 2) * 0.8, 1.5 + HALF), (x, 2.75 - HALF), colour=GREY)
            sheet.box(x, 2.75, f"{operation} {i + 1}", GATE, 0.92 * pitch, size=0.25 if heads < 4 else 0.2)
            sheet.line((x, 2.75 + HALF), (x, 3.85 - 0.3), colour=GREY)
            _strips(sheet, x, 3.85, [FILLS[i]], 0.5)
            sheet.line((x, 3.85 + 0.3), (middle + (i - (heads - 1) / 2) * 0.5, 5.0 - 0.3), colour=GREY)
        _strips(sheet, middle, 5.0, FILLS[:heads], 0.5)
        sheet.text(middle, 5.35, mixed, size=0.25, va="bottom")
        sheet.text(middle, 0.55, note, GREY, 0.25)
    return sheet.ax


def masks(T: int = 6, padding: int = 2, width: int = 3, ax: Axes | None = None) -> Axes:
    """Three masks, queries as rows and keys as columns: padding, causal, and a causal window.

    ``padding`` of the T keys are filler; the window holds ``width`` places, the query's own among them.
    Errors: ValueError unless 2 <= T <= 10, 1 <= padding < T and 1 <= width <= T.
    """
    T = whole("T", T, 2, 10)
    padding, width = whole("padding", padding, 1, T - 1), whole("width", width, 1, T)
    sheet = Sketch(5.0, ax)
    cell = 2.7 / T
    for x, title, note, seen in (
        (0.55, "padding", f"the last {padding} are\nfiller" if padding > 1 else "the last one is\nfiller",
         lambda t, s: s < T - padding),
        (3.85, "causal", "nothing after\nthe query", lambda t, s: s <= t),
        (7.15, "window", f"at most {width} places,\nits own the last", lambda t, s: t - width < s <= t),
    ):
        _grid(sheet, x, 2.75, (T, T), cell, lambda t, s, seen=seen: SEEN if seen(t, s) else BARRED)
        sheet.text(x + 1.35, 4.35, title, weight="bold")
        sheet.text(x + 1.35, 1.2, "key $s$", size=0.25)
        sheet.text(x + 1.35, 0.55, note, GREY, 0.25)
    sheet.text(0.3, 2.75, "query $t$", size=0.25, rotation=90)
    for x, fill, label in ((0.9, SEEN, "may be looked at"), (5.4, BARRED, r"masked: score $-\infty$")):
        _grid(sheet, x, 4.8, (1, 1), 0.28, lambda t, s, fill=fill: fill)
        sheet.text(x + 0.42, 4.8, label, size=0.25, ha="left")
    return sheet.ax


# ---- helpers -------------------------------------------------------------------------------------


def _grid(sheet: Sketch, left: float, middle: float, shape: tuple[int, int], cell: float, colour: Colouring) -> None:
    """Cells in rows and columns, and a line around them; row 0 on top."""
    rows, columns = shape
    top = middle + rows * cell / 2
    for i in range(rows):
        for j in range(columns):
            sheet.ax.add_patch(Rectangle((left + j * cell, top - (i + 1) * cell), cell, cell, facecolor=colour(i, j),
                                         edgecolor="#b0b0b0", linewidth=0.012 * sheet.unit, zorder=3))
    sheet.ax.add_patch(Rectangle((left, top - rows * cell), columns * cell, rows * cell, facecolor="none",
                                 edgecolor=INK, linewidth=0.025 * sheet.unit, zorder=4))


def _matrix(sheet: Sketch, left: float, middle: float, shape: tuple[int, int], cell: float, name: str, size: str,
            fill: str, above: str = "") -> float:
    """A matrix with its name and shape, ``above`` the fill beyond the diagonal; returns where its right side is."""
    half = shape[0] * cell / 2
    _grid(sheet, left, middle, shape, cell, lambda t, s: above if above and s > t else fill)
    centre = left + shape[1] * cell / 2
    sheet.text(centre, middle + half + 0.08, name, va="bottom")
    sheet.text(centre, middle - half - 0.08, size, GREY, 0.24, va="top")
    return left + shape[1] * cell


def _sign(sheet: Sketch, x: float, y: float, sign: str, width: float = 0.9) -> float:
    """Between two matrices: a sign, or a word on an arrow; returns where the next matrix begins."""
    if sign.isalpha():
        sheet.line((x + 0.1, y), (x + width - 0.1, y))
        sheet.text(x + width / 2, y + 0.12, sign, size=0.25, va="bottom")
    else:
        sheet.text(x + width / 2, y, sign, size=0.35)
    return x + width


def _turn(sheet: Sketch, start: Point, end: Point, y: float, causal: bool) -> None:
    """From the scores, down and back, to what goes into the softmax."""
    sheet.line(start, (start[0], y), (end[0], y), end)
    label = r"divide by $\sqrt{d_k}$" + (r", mask (grey: $-\infty$)" if causal else "")
    sheet.text(start[0] - 0.15, y + 0.08, label, size=0.25, ha="right", va="bottom")


def _head(sheet: Sketch, x: float, i: int, width: float, strip: float) -> None:
    """One head: its projections, what they give, and its attention."""
    _, project, qkv, attend, out, _ = LEVELS
    sheet.box(x, project, rf"$W_q^{{{i + 1}}}\, W_k^{{{i + 1}}}\, W_v^{{{i + 1}}}$", GATE, min(2.1, width))
    for letter, at in zip("qkv", (x - 0.62, x, x + 0.62), strict=True):
        sheet.line((at, project + HALF), (at, qkv - 0.3), colour=GREY)
        _strips(sheet, at, qkv, [FILLS[i]], strip)
        sheet.text(at, qkv, f"${letter}$")
        sheet.line((at, qkv + 0.3), (at, attend - HALF), colour=GREY)
    sheet.box(x, attend, "attention", "white", min(1.8, width))
    sheet.line((x, attend + HALF), (x, out - 0.3))
    _strips(sheet, x, out, [FILLS[i]], strip)


def _strips(sheet: Sketch, middle: float, y: float, fills: Sequence[str], width: float) -> None:
    """A matrix as strips side by side, one for each head."""
    left = middle - len(fills) * width / 2
    for i, fill in enumerate(fills):
        sheet.ax.add_patch(Rectangle((left + i * width, y - 0.3), width, 0.6, facecolor=fill, edgecolor=INK,
                                     linewidth=0.02 * sheet.unit, zorder=3))

"""Drawings of how word vectors are learned: two numbers a word, CBOW and skip-gram, negative sampling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np
from matplotlib.axes import Axes

from course_lib.plotting import COLOURS
from course_lib.sketch import GREY, INPUT, OUTPUT, SIZE, STATE, WIDTH, Point, Sketch, fit, measure, whole, words

BLUE, ORANGE, GREEN = (COLOURS[name] for name in ("blue", "orange", "green"))
PITCH = 0.98  # from row to row of the network
FAINT = "#c4c4c4"  # of lines that carry nothing now


def two_number_network(vocabulary: Sequence[str], W: np.ndarray, C: np.ndarray, word: str | None = None,
                       ax: Axes | None = None) -> Axes:
    """One-hot input, two linear units, softmax: the two weights of the word are its embedding.

    W (V, 2) are the weights into the units, C (V, 2) those out of them: z = x W C^T. ``word`` is the input, the first
    if not given; its weights, what the units hold, and the probabilities are written as numbers.
    Errors: ValueError unless there are 3 to 7 words, all different, for other shapes, or for a word not among them.
    """
    V = whole("the number of words", len(vocabulary), 3, 7)
    vocabulary = words("vocabulary", vocabulary, V)
    word = vocabulary[0] if word is None else word
    if word not in vocabulary or len(set(vocabulary)) < V:
        raise ValueError(f"word={word!r} must be one of {vocabulary}, which must all be different")
    W, C = _table("W", W, (V, 2)), _table("C", C, (V, 2))
    here = vocabulary.index(word)
    z = C @ W[here]
    q = np.exp(z - z.max()) / np.exp(z - z.max()).sum()
    size = fit(vocabulary, 1.6)
    sheet = Sketch(PITCH * V + 1.0, ax)
    rows = [PITCH * (V - i - 0.5) + 0.1 for i in range(V)]
    middle, apart = (rows[0] + rows[-1]) / 2, max(0.75, 0.24 * V)
    for x, title in ((2.1, "one-hot"), (5.0, "two linear units"), (8.0, "softmax")):
        sheet.text(x, sheet.height - 0.3, title, GREY)
    _words_in_and_out(sheet, rows, vocabulary, size, here, q)
    for unit, (y, colour) in enumerate(((middle + apart, BLUE), (middle - apart, ORANGE))):
        for i in range(V):
            sheet.line((5.5, y), (7.55, rows[i]), colour=GREY, head=False, width=0.025, z=1)
            if i != here:
                sheet.line((2.35, rows[i]), (4.5, y), colour=FAINT, head=False, width=0.025, z=1)
        _weight(sheet, (2.35, rows[here]), (4.46, y), W[here, unit], colour)
        sheet.circle(5.0, y, _number(W[here, unit]), radius=0.5)
    return sheet.ax


def cbow_and_skipgram(text: Sequence[str], centre: int, ax: Axes | None = None) -> Axes:
    """Two tasks on one window: the words around predict the middle one, or it predicts each of them.

    ``text`` are the words of the window, 3 to 7 of them, and ``centre`` is the place of the middle one, from 0.
    Errors: ValueError for another number of words, or for a place outside them.
    """
    n = whole("the number of words", len(text), 3, 7)
    text, centre = words("text", text, n), whole("centre", centre, 0, n - 1)
    size = fit(text, 1.3)
    sheet = Sketch(0.85 * n + 1.75, ax)
    rows = [1.0 + 0.85 * (n - i - 0.5) for i in range(n)]
    middle = (rows[0] + rows[-1]) / 2
    sheet.ax.plot([WIDTH / 2] * 2, [0.2, sheet.height - 0.2], color="#b0b0b0", linewidth=0.02 * sheet.unit)
    for around, hub, one, title, below in (
        (0.9, 2.5, 4.05, "CBOW", "one prediction\nfrom the mean of the vectors"),
        (9.1, 7.5, 5.95, "skip-gram", f"{n - 1} predictions\nfrom one vector"),
    ):
        reads = one > around
        way = 1 if reads else -1
        sheet.text((around + one) / 2, sheet.height - 0.3, title, weight="bold")
        sheet.text((around + one) / 2, 0.45, below, GREY)
        sheet.box(one, middle, text[centre], OUTPUT if reads else STATE, 1.5, size=size)
        sheet.circle(hub, middle, "mean" if reads else "$w$", radius=0.42, size=0.24)
        _way(sheet, (hub + way * 0.42, middle), (one - way * 0.75, middle), reads)
        for i, (word, y) in enumerate(zip(text, rows, strict=True)):
            if i == centre:
                sheet.text(around, y, "?" if reads else "", GREY)
                continue
            sheet.box(around, y, word, STATE if reads else OUTPUT, 1.5, size=size)
            start, end = np.array([around + way * 0.75, y]), np.array([hub, middle])
            edge = end - 0.42 * (end - start) / np.hypot(*(end - start))
            _way(sheet, tuple(start), tuple(edge), reads)
    return sheet.ax


def negative_sampling(vectors: Mapping[str, Point], centre: str, context: str, rate: float = 1.0,
                      ax: Axes | None = None) -> Axes:
    """One step of gradient descent on -log s(w.c) - sum_k log s(-w.n_k), for vectors in the plane.

    ``vectors`` maps each word to its (x, y): the input vector w of ``centre``, the output vectors c of ``context`` and
    n_k of all the others, the noise. The arrows are the true steps at learning rate ``rate``: c along w, each n_k
    against w, and w towards c and away from the n_k.
    Errors: ValueError for a word not among the vectors, without noise, or for vectors not of two finite numbers.
    """
    if centre not in vectors or context not in vectors or centre == context or len(vectors) < 3:
        raise ValueError(f"centre={centre!r} and context={context!r} must be two of the words {list(vectors)}, "
                         "and at least one more must be there as noise")
    names = list(vectors)
    points = _table("vectors", [vectors[name] for name in names], (len(names), 2))
    steps = rate * _descent(points, names.index(centre), names.index(context))
    sheet = Sketch(5.8, ax)
    places, moved, origin = _scaled(points, points + steps, (WIDTH, sheet.height - 0.7))
    ways = [(origin, place) for place in places] + list(zip(places, moved, strict=True))
    taken: list[np.ndarray] = []
    sheet.dot(*origin, GREY)
    for name, start, end in zip(names, places, moved, strict=True):
        colour = {centre: BLUE, context: GREEN}.get(name, ORANGE)
        sheet.line(tuple(origin), tuple(start), colour=FAINT, head=False, z=1)
        sheet.dot(*start, colour)
        if np.hypot(*(end - start)) > 0.05:
            sheet.line(tuple(start), tuple(end), colour=colour, width=0.06)
        at = _room(name, start, ways, taken)
        sheet.text(*at, name, colour)
    key, y = ((0.2, "centre word", BLUE), (2.9, "true context: pulled", GREEN), (6.9, "noise: pushed", ORANGE)), 5.45
    for x, label, colour in key:
        sheet.line((x, y), (x + 0.5, y), colour=colour, width=0.06)
        sheet.text(x + 0.65, y, label, colour, ha="left")
    return sheet.ax


# ---- helpers -------------------------------------------------------------------------------------


def _table(name: str, values: Sequence, shape: tuple[int, int]) -> np.ndarray:
    """The numbers as an array of the wanted shape, all finite."""
    table = np.asarray(values, dtype=float)
    if table.shape != shape or not np.isfinite(table).all():
        raise ValueError(f"{name} has shape {table.shape}: give {shape[0]} rows of {shape[1]} finite numbers")
    return table


def _number(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")


def _words_in_and_out(sheet: Sketch, rows: Sequence[float], vocabulary: Sequence[str], size: float,
                      here: int, q: np.ndarray) -> None:
    """At the left the words with a 1 at the one that is read, at the right with their probabilities."""
    for i, (y, word) in enumerate(zip(rows, vocabulary, strict=True)):
        sheet.text(1.7, y, word, size=size, ha="right", weight="bold" if i == here else "normal")
        sheet.box(2.1, y, str(int(i == here)), STATE if i == here else INPUT, 0.5)
        sheet.box(8.0, y, f"{q[i]:.2f}", OUTPUT, 0.9)
        sheet.text(8.55, y, word, size=size, ha="left")


def _weight(sheet: Sketch, start: Point, end: Point, value: float, colour: str) -> None:
    """A line that carries a 1, with its weight written on it."""
    sheet.line(start, end, colour=colour, width=0.05)
    x, y = 0.55 * np.array(start) + 0.45 * np.array(end)
    sheet.text(x, y, _number(value), colour, size=0.25,
               bbox={"boxstyle": "square,pad=0.1", "facecolor": "white", "edgecolor": "none"})


def _way(sheet: Sketch, outer: Point, inner: Point, inwards: bool) -> None:
    """An arrow between a word and the vector in the middle, in the direction of the prediction."""
    sheet.line(*((outer, inner) if inwards else (inner, outer)))


def _descent(points: np.ndarray, w: int, c: int) -> np.ndarray:
    """Minus the gradient of the loss of one pair and its noise, for every vector."""
    wanted = (np.arange(len(points)) == c).astype(float)
    error = wanted - 1 / (1 + np.exp(-points @ points[w]))
    error[w] = 0
    steps = np.outer(error, points[w])
    steps[w] = error @ points
    return steps


def _scaled(points: np.ndarray, moved: np.ndarray, room: Point) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Both sets of points and the origin, on the sheet, with a margin for the words."""
    everything = np.vstack([points, moved, np.zeros(2)])
    low, high = everything.min(0), everything.max(0)
    scale = min((np.array(room) - (2.0, 1.0)) / np.maximum(high - low, 1e-9))
    shift = np.array(room) / 2 - scale * (low + high) / 2
    return scale * points + shift, scale * moved + shift, shift


def _room(label: str, point: np.ndarray, ways: Sequence[tuple[np.ndarray, np.ndarray]],
          taken: list[np.ndarray]) -> np.ndarray:
    """Where around the point a label is clear of the ways and of the other labels, or nearly so."""
    half = np.array([SIZE * measure(label) / 2 + 0.1, 0.22])
    on_ways = np.array([start + part * (end - start) for start, end in ways for part in np.linspace(0, 1, 40)])
    sides = sorted(product((-1, 0, 1), repeat=2), key=lambda side: -side[1] ** 2)
    spots = [point + side * (half + 0.06) for side in np.array(sides) if side.any()]

    def crowded(spot: np.ndarray) -> int:
        return (np.abs(on_ways - spot) < half).all(1).sum() + sum(
            100 * (np.abs(box[:2] - spot) < half + box[2:]).all() for box in taken
        )

    best = min(spots, key=crowded)
    taken.append(np.concatenate([best, half]))
    return best

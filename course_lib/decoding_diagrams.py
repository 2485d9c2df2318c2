"""Drawings of decoding: a tree of continuations with what a beam keeps, and a round of speculative sampling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from course_lib.plotting import COLOURS
from course_lib.sketch import GREY, INK, INPUT, LOSS, OUTPUT, STATE, Sketch, fit, whole, words

BLUE, ORANGE, GREEN = (COLOURS[name] for name in ("blue", "orange", "green"))
KEPT, REFUSED, UNSEEN = STATE, LOSS, "#ffffff"  # fills of what a beam keeps, looks at and refuses, never looks at
HALF = 0.31  # half the height of a box
TALL = 0.8  # height of a node
DASHED = (0, (3, 1.5))

Tree = Mapping[str, "float | tuple[float, Tree]"]


@dataclass(frozen=True)
class Node:
    """A text of the tree: its words, the probability of the last one after the others, and of them all."""

    text: tuple[str, ...]
    p: float
    total: float
    ends: bool


def search_tree(tree: Tree, width: int = 2, ax: Axes | None = None) -> Axes:
    """All continuations with their probabilities, what a beam keeps of them, the greedy text and the best one.

    ``tree`` gives for each word its probability after all before it, alone where the text ends with it, else in a
    pair with what can follow: {"the": (0.6, {"dog": 0.3, "cat": 0.7}), "a": 0.4}. The beam keeps by the rule of
    ``decoding.beam_search`` with penalty 0.
    Errors: ValueError for more than 8 texts or 4 levels, numbers that are no probabilities, a width outside 1 to 8.
    """
    width = whole("width", width, 1, 8)
    nodes = _nodes(tree)
    leaves = [node for node in nodes if node.ends]
    whole("the number of texts", len(leaves), 1, 8)
    levels = whole("the number of levels", max(len(node.text) for node in leaves), 1, 4)
    kept, refused, found = _beam(nodes, width)
    greedy, best = _greedy(nodes), max(leaves, key=lambda node: node.total)
    pitch = min(3.4, 7.7 / levels)
    wide = min(1.7, 0.6 * pitch)
    size = fit([word for node in nodes for word in (node.text[-1], f"{node.total:.3g}")], wide - 0.16)
    sheet = Sketch(0.95 * len(leaves) + 0.9, ax)
    place = {leaf.text: sheet.height - 0.5 - 0.95 * i for i, leaf in enumerate(leaves)}
    for node in sorted(nodes, key=lambda node: -len(node.text)):  # a node stands between its continuations
        below = [place[other.text] for other in nodes if other.text[:-1] == node.text]
        place.setdefault(node.text, sum(below) / len(below) if below else 0.0)
    first = [place[node.text] for node in nodes if len(node.text) == 1]
    place[()] = sum(first) / len(first)
    sheet.box(0.55, place[()], "start", INPUT, 0.9, size=0.25)
    for node in nodes:
        start = (1.0 if len(node.text) == 1 else 1.05 + pitch * (len(node.text) - 1), place[node.text[:-1]])
        end = (1.05 + pitch * len(node.text) - wide, place[node.text])
        _branch(sheet, start, end, node, node in kept, node in refused)
        for path, colour, thick, z in ((best, GREEN, 0.14, 1), (greedy, ORANGE, 0.055, 2.5)):
            if path.text[: len(node.text)] == node.text:
                sheet.line(start, end, colour=colour, width=thick, head=False, z=z)
        sheet.box(end[0] + wide / 2, end[1], f"{node.text[-1]}\n{node.total:.3g}",
                  KEPT if node in kept else REFUSED if node in refused else UNSEEN, wide, TALL, size)
    for leaf in leaves:
        marks = [(name, colour) for name, colour, node in (("greedy", ORANGE, greedy), ("beam", BLUE, found),
                                                           ("best", GREEN, best)) if node == leaf]
        for i, (name, colour) in enumerate(marks):
            y = place[leaf.text] + 0.27 * ((len(marks) - 1) / 2 - i)
            sheet.text(1.15 + pitch * len(leaf.text), y, name, colour, 0.25, ha="left")
    for x, fill, label in ((0.4, KEPT, f"kept by a beam of {width}"), (4.3, REFUSED, "refused"),
                           (6.4, UNSEEN, "never looked at")):
        sheet.box(x, 0.25, "", fill, 0.4, 0.3)
        sheet.text(x + 0.35, 0.25, label, size=0.25, ha="left")
    return sheet.ax


def speculation(proposed: Sequence[str], q: Sequence[float], p: Sequence[float], draws: Sequence[float],
                replacement: str, ax: Axes | None = None) -> Axes:
    """One round of speculative sampling: words that a draft proposes with q, accepted while draw < p / q.

    ``p`` is what the large model gives to the words. After the first refusal comes ``replacement``; if all are
    accepted, it is the word that the model adds.
    Errors: ValueError unless there are 1 to 5 words, with as many numbers from 0 to 1 in each list, none of q zero.
    """
    n = whole("the number of proposed words", len(proposed), 1, 5)
    proposed, (new,) = words("proposed", proposed, n), words("replacement", [replacement], 1)
    q, p, draws = _fractions("q", q, n), _fractions("p", p, n), _fractions("draws", draws, n)
    if not q.all():
        raise ValueError(f"q={q.tolist()}: a draft never proposes a word to which it gives 0")
    good = next((i for i in range(n) if draws[i] * q[i] >= p[i]), n)
    pitch = min(1.9, 7.7 / (n + (good == n)))
    size = fit([*proposed, new, "accepted"], min(1.4, 0.94 * pitch) - 0.1)
    sheet = Sketch(6.6, ax)
    for y, label in ((6.2, "draft proposes"), (4.55, "draft: $q$\nmodel: $p$"), (3.2, r"$\min(1,\,p/q)$"),
                     (2.6, "draw"), (2.0, "verdict"), (1.2, "text goes on")):
        sheet.text(0.05, y, label, size=0.25, ha="left")
    for i, word in enumerate(proposed):
        x, wide = 2.2 + (i + 0.5) * pitch, min(1.4, 0.94 * pitch)
        late = i > good
        sheet.box(x, 6.2, word, UNSEEN if late else INPUT, wide, size=size)
        _bars(sheet, x, (q[i], p[i]), late)
        verdict, colour = ("dropped", GREY) if late else ("refused", ORANGE) if i == good else ("accepted", GREEN)
        sheet.text(x, 2.0, verdict, colour, size=min(size, 0.25))
        if not late:
            sheet.text(x, 3.2, f"{min(1, p[i] / q[i]):.2f}", size=0.25)
            sheet.text(x, 2.6, f"{draws[i]:.2f}", size=0.25)
            sheet.line((x, 1.8), (x, 1.2 + HALF), colour=colour)
            sheet.box(x, 1.2, new if i == good else word, OUTPUT if i == good else STATE, wide, size=size)
    x = 2.2 + (good + 0.5) * pitch
    if good == n:
        sheet.box(x, 1.2, new, OUTPUT, min(1.4, 0.94 * pitch), size=size)
    sheet.text(x, 0.5, "from $p$" if good == n else "from $p-q$,\nwhere above 0", GREY, 0.25)
    return sheet.ax


# ---- helpers -------------------------------------------------------------------------------------


def _nodes(tree: Tree, text: tuple[str, ...] = (), total: float = 1.0) -> list[Node]:
    """All texts of the tree, each before its continuations."""
    words("tree", list(tree), len(tree))
    pairs = {word: value if isinstance(value, tuple) else (value, {}) for word, value in tree.items()}
    given = [float(p) for p, _ in pairs.values()]
    if not all(0 < p <= 1 for p in given) or sum(given) > 1 + 1e-9:
        raise ValueError(f"after {' '.join(text) or 'the start'!r} the probabilities are {given}: give numbers above 0 "
                         "whose sum is at most 1")
    found = []
    for word, (p, after) in pairs.items():
        found += [Node((*text, word), p, total * p, not after), *_nodes(after, (*text, word), total * p)]
    return found


def _after(nodes: Sequence[Node], text: tuple[str, ...]) -> list[Node]:
    """What can follow, the most probable first."""
    return sorted((node for node in nodes if node.text[:-1] == text), key=lambda node: -node.p)


def _greedy(nodes: Sequence[Node]) -> Node:
    node = _after(nodes, ())[0]
    while not node.ends:
        node = _after(nodes, node.text)[0]
    return node


def _beam(nodes: Sequence[Node], width: int) -> tuple[list[Node], list[Node], Node]:
    """What a beam keeps, what it looks at and refuses, and the best text that it finds."""
    kept, refused, done, texts = [], [], [], [()]
    while texts:
        going = []
        ranked = sorted((node for text in texts for node in _after(nodes, text)), key=lambda node: -node.total)
        for rank, node in enumerate(ranked):
            if node.ends and rank < width:
                done.append(node)
            elif not node.ends and len(going) < width:
                going.append(node)
            else:
                refused.append(node)
        kept += [node for node in ranked if node not in refused]
        done = sorted(done, key=lambda node: -node.total)[:width]
        if len(done) == width and going and going[0].total <= done[-1].total:
            break
        texts = [node.text for node in going]
    return kept, refused, done[0]


def _branch(sheet: Sketch, start: tuple[float, float], end: tuple[float, float], node: Node, kept: bool,
            refused: bool) -> None:
    """A line to a node, with the probability of its last word."""
    sheet.line(start, end, colour=INK if kept else GREY, style="-" if kept else DASHED if refused else ":", z=2)
    x, y = (0.45 * a + 0.55 * b for a, b in zip(start, end, strict=True))
    sheet.text(x, y, f"{node.p:.3g}", INK if kept else GREY, 0.24,
               bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.03 * sheet.unit})


def _fractions(name: str, numbers: Sequence[float], n: int) -> np.ndarray:
    numbers = np.asarray(numbers, dtype=float)
    if numbers.shape != (n,) or not ((numbers >= 0) & (numbers <= 1)).all():
        raise ValueError(f"{name}={numbers.tolist()}: give {n} numbers from 0 to 1, one for each proposed word")
    return numbers


def _bars(sheet: Sketch, x: float, numbers: tuple[float, float], late: bool) -> None:
    """The two probabilities of a proposed word."""
    for at, number, colour in zip((x - 0.3, x + 0.3), numbers, (ORANGE, BLUE), strict=True):
        sheet.ax.add_patch(Rectangle((at - 0.16, 3.7), 0.32, 1.6 * number, facecolor=colour, edgecolor="none",
                                     alpha=0.3 if late else 1, zorder=3))
        sheet.text(at, 3.76 + 1.6 * number, f"{number:.2f}", GREY if late else colour, 0.24, va="bottom")

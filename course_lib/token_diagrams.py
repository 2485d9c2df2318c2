"""Drawing of how a word becomes tokens: the merges of byte-pair encoding as a tree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from matplotlib.axes import Axes

from course_lib.sketch import GREY, INPUT, OUTPUT, STATE, WIDTH, Sketch, fit, whole, words

HALF = 0.31  # half the height of a box
LOW = 1.05  # where the symbols stand
LEVEL = 1.15  # from a level of the tree to the next


class Piece(NamedTuple):
    """A symbol or a merge: its text, its first and last place in the word, its level, and what it was merged from."""

    text: str
    first: int
    last: int
    level: int = 0
    number: int = 0
    parts: tuple[Piece, ...] = ()


def merge_tree(word: Sequence[str], merges: Sequence[tuple[str, str]], ax: Axes | None = None) -> Axes:
    """How the characters of a word become tokens: pairs are merged, the earliest learnt first, until none is left.

    ``word`` is a string or a list of symbols, ``merges`` the pairs in the order in which they were learnt; the number
    of each merge stands where its two parts meet.
    Errors: ValueError unless the word has 1 to 12 symbols, for a pair that is not two texts, or one given twice.
    """
    symbols = words("word", list(word), whole("the number of symbols", len(word), 1, 12))
    rank = {tuple(words("merges", pair, 2)): number for number, pair in enumerate(merges, 1)}
    if len(rank) < len(merges):
        raise ValueError(f"of {len(merges)} merges only {len(rank)} differ: give each pair once")
    tokens = _merge([Piece(symbol, i, i) for i, symbol in enumerate(symbols)], rank)
    pitch = min(1.15, (WIDTH - 0.2) / len(symbols))
    pieces = [piece for token in tokens for piece in _pieces(token)]
    size = min(fit([piece.text], pitch * (piece.last - piece.first + 1) - 0.24) for piece in pieces)
    sheet = Sketch(LEVEL * max(token.level for token in tokens) + 1.55, ax)
    left = (WIDTH - pitch * len(symbols)) / 2
    for piece in pieces:
        fill = OUTPUT if piece in tokens else STATE if piece.parts else INPUT
        x, y = left + pitch * (piece.first + piece.last + 1) / 2, LOW + LEVEL * piece.level
        sheet.box(x, y, piece.text, fill, pitch * (piece.last - piece.first + 1) - 0.14, size=size)
        for part in piece.parts:
            x = left + pitch * (part.first + part.last + 1) / 2
            sheet.line((x, LOW + LEVEL * part.level + HALF), (x, y - HALF))
        if piece.parts:
            sheet.text(left + pitch * piece.parts[1].first, y - LEVEL / 2, str(piece.number), GREY, 0.25)
    for x, fill, label in ((0.4, OUTPUT, "token"), (2.3, STATE, "merged further"), (5.4, INPUT, "symbol")):
        sheet.box(x, 0.25, "", fill, 0.4, 0.3)
        sheet.text(x + 0.35, 0.25, label, size=0.25, ha="left")
    sheet.text(7.3, 0.25, "3: third merge learnt", GREY, 0.25, ha="left")
    return sheet.ax


# ---- helpers -------------------------------------------------------------------------------------


def _merge(pieces: list[Piece], rank: Mapping[tuple[str, ...], int]) -> list[Piece]:
    """The pieces after all merges that apply; of several, the one with the lowest rank first, from the left."""
    while found := {(a.text, b.text) for a, b in pairwise(pieces)} & rank.keys():
        pair, merged = min(found, key=rank.__getitem__), []
        while pieces:
            a, *rest = pieces
            if rest and (a.text, rest[0].text) == pair:
                b, *rest = rest
                a = Piece(a.text + b.text, a.first, b.last, max(a.level, b.level) + 1, rank[pair], (a, b))
            merged.append(a)
            pieces = rest
        pieces = merged
    return pieces


def _pieces(piece: Piece) -> list[Piece]:
    """A piece and all that it was merged from."""
    return [piece, *(below for part in piece.parts for below in _pieces(part))]

"""Texts to train on, and how they are cut up: splits, windows, padded batches.

The Tales travel with the package. Tiny Shakespeare, the names and Multi30k are optional;
``course_lib.downloads`` finds or fetches them.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import TypeVar

import numpy as np

from course_lib.downloads import DataCorrupted, DataUnavailable, available, load
from course_lib.tokens import PAD_ID, sentences

__all__ = ["DataCorrupted", "DataUnavailable", "Tale", "available", "batches", "multi30k", "names",
           "padded_batch", "split", "split_text", "tales", "tales_sentences", "tales_text",
           "tiny_shakespeare", "windows"]

Item = TypeVar("Item")


# ---- the Tales ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Tale:
    """One fable: its title, its paragraphs (one line each), and the part of the collection it stands in."""

    title: str
    paragraphs: tuple[str, ...]
    part: str

    @property
    def text(self) -> str:
        """The paragraphs with blank lines between them, without the title."""
        return "\n\n".join(self.paragraphs)


@lru_cache
def _read_tales() -> tuple[Tale, ...]:
    folder = resources.files("course_lib") / "data" / "tales"
    files = [file for file in folder.iterdir() if file.name.endswith(".txt")] if folder.is_dir() else []
    if not files:
        raise FileNotFoundError(f"the Tales are missing from {folder}: install the package with its data")
    files.sort(key=lambda file: file.name)
    return tuple(tale for file in files for tale in _parse_tales(file.read_text(encoding="utf-8"), file.name))


def _parse_tales(text: str, name: str) -> Iterator[Tale]:
    """Cut a file into tales: ``# Title``, blank line, then one paragraph a line with blank lines between."""
    before, *chunks = ("\n" + text.lstrip("\n")).split("\n# ")
    if before.strip() or not chunks:
        raise ValueError(f"{name} must begin with a line '# Title', but begins {text[:40]!r}")
    for chunk in chunks:
        title, *lines = (line.strip() for line in chunk.split("\n"))
        if not any(lines):
            raise ValueError(f"{name}: the tale {title!r} has no text")
        yield Tale(title, tuple(filter(None, lines)), name.removesuffix(".txt").replace("_", " "))


def tales() -> list[Tale]:
    """All fables of the book, in a fixed order.

    Errors: FileNotFoundError if the package came without its data.
    """
    return list(_read_tales())


def tales_text(chosen: Iterable[Tale] | None = None) -> str:
    """The fables (or the chosen ones) as one text: titles and paragraphs, with blank lines between them."""
    chosen = tales() if chosen is None else chosen
    return "".join(f"{tale.title}\n\n{tale.text}\n\n" for tale in chosen).removesuffix("\n")


def tales_sentences(chosen: Iterable[Tale] | None = None) -> list[list[str]]:
    """The sentences of the fables (or of the chosen ones), without the titles, each a list of words."""
    chosen = tales() if chosen is None else chosen
    return [sentence for tale in chosen for sentence in sentences(tale.text)]


# ---- optional downloads ------------------------------------------------------------------------------------


def tiny_shakespeare() -> str:
    """40,000 lines of Shakespeare's plays, 1.1 million characters. Errors: DataUnavailable, DataCorrupted."""
    return load("tiny_shakespeare.txt").decode("utf-8")


def names() -> list[str]:
    """32,033 first names in small letters. Errors: DataUnavailable, DataCorrupted."""
    return _lines(load("names.txt"))


def multi30k(split: str, language: str) -> list[str]:
    """Descriptions of pictures, one a line; line i in German translates line i in English.

    ``split`` is ``"train"`` (29,000 lines), ``"val"`` (1,014) or ``"test"`` (1,000, of 2016); ``language`` is
    ``"de"`` or ``"en"``. Errors: ValueError for another split or language; DataUnavailable, DataCorrupted.
    """
    parts = {"train": "train", "val": "val", "test": "test_2016_flickr"}
    if split not in parts or language not in ("de", "en"):
        raise ValueError(f"split={split!r}, language={language!r}: choose train, val or test, and de or en")
    return _lines(gzip.decompress(load(f"multi30k.{parts[split]}.{language}.gz")))


def _lines(data: bytes) -> list[str]:
    return data.decode("utf-8").removesuffix("\n").split("\n")


# ---- training, validation, test ----------------------------------------------------------------------------


def split(items: Iterable[Item], fractions: Sequence[float] = (0.8, 0.1, 0.1),
          rng: np.random.Generator | None = None) -> tuple[list[Item], ...]:
    """Cut items into lists, a share for each: consecutive ones, or shuffled if ``rng`` is given.

    Errors: ValueError if the fractions are negative or do not sum to one, or if a list would be empty though
    its share is not; TypeError for a string.
    """
    if isinstance(items, str):
        raise TypeError("split divides a list of items; for a string use split_text")
    items, shares = list(items), np.asarray(fractions, dtype=float)
    if shares.ndim != 1 or not (shares >= 0).all() or not np.isclose(shares.sum(), 1, rtol=0, atol=1e-9):
        raise ValueError(f"the fractions {fractions} sum to {shares.sum():.6g}: none below 0, and 1 in all")
    ends = np.rint(np.cumsum(shares) * len(items)).astype(int).tolist()
    order = _order(len(items), rng)
    lists = tuple([items[i] for i in order[a:b]] for a, b in zip([0, *ends[:-1]], ends, strict=True))
    if any(share > 0 and not part for share, part in zip(shares, lists, strict=True)):
        raise ValueError(f"{len(items)} items, split by {fractions}, leave a list empty: give more items")
    return lists


def split_text(text: str, fraction: float = 0.9) -> tuple[str, str]:
    """The first ``fraction`` of the characters, and the rest. Errors: ValueError if either would be empty."""
    cut = int(fraction * len(text)) if 0 < fraction < 1 else 0
    if cut == 0:
        raise ValueError(f"a text of {len(text)} characters, split at {fraction}, leaves a part empty")
    return text[:cut], text[cut:]


def _order(n: int, rng: np.random.Generator | None) -> np.ndarray:
    if rng is not None and not isinstance(rng, np.random.Generator):
        raise TypeError(f"rng is a generator, made by np.random.default_rng(seed), not {type(rng).__name__}")
    return np.arange(n) if rng is None else rng.permutation(n)


# ---- arrays for a model ------------------------------------------------------------------------------------


def windows(ids: Sequence[int] | np.ndarray, length: int,
            stride: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Cut a stream of ids into N windows of T = ``length``: inputs (N, T); targets (N, T), one id later.

    A window starts every ``stride`` ids (``length`` if not given, so that every target comes once). The last
    ids that fill no window are left out. Errors: ValueError if not one window fits; TypeError unless ids are
    integers.
    """
    stream, stride = _checked_ids(ids), length if stride is None else stride
    if length < 1 or stride < 1:
        raise ValueError(f"length={length} and stride={stride} must be 1 or more")
    if len(stream) < length + 1:
        raise ValueError(f"a window of length={length} takes {length + 1} ids, and there are {len(stream)}")
    both = np.lib.stride_tricks.sliding_window_view(stream, length + 1)[::stride]
    return both[:, :-1].copy(), both[:, 1:].copy()


def padded_batch(sequences: Sequence[Sequence[int]], pad_id: int = PAD_ID) -> tuple[np.ndarray, np.ndarray]:
    """Sequences as one array: ids (B, T), T the longest, and a mask (B, T), True for ids, False on padding.

    Errors: ValueError without any sequence, or if one is empty; TypeError unless ids are integers.
    """
    rows = [_checked_ids(sequence) for sequence in sequences]
    if empty := [i for i, row in enumerate(rows) if not len(row)]:
        raise ValueError(f"sequence {empty[0]} is empty, so its row would be padding only: leave it out")
    if not rows:
        raise ValueError("a batch needs at least one sequence, and there is none")
    lengths = np.array([len(row) for row in rows])
    mask = np.arange(lengths.max()) < lengths[:, None]
    ids = np.full(mask.shape, pad_id, dtype=np.int64)
    ids[mask] = np.concatenate(rows)
    return ids, mask


def batches(sequences: Sequence[Sequence[int]], batch_size: int, rng: np.random.Generator | None = None,
            bucket: bool = False, pad_id: int = PAD_ID) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """One epoch of padded batches: pairs (ids, mask) as from :func:`padded_batch`; the last may be smaller.

    With ``rng`` each call gives a fresh order. With ``bucket`` sequences of like length go together, which
    saves padding: sorted by length, cut into batches, and the batches shuffled. Each sequence comes exactly
    once. Errors: ValueError without any sequence, or for a batch size below 1.
    """
    if batch_size < 1 or not len(sequences):
        raise ValueError(f"batch_size={batch_size} and {len(sequences)} sequences: both must be 1 or more")
    order = _order(len(sequences), rng)
    if bucket:
        order = order[np.argsort([len(sequences[i]) for i in order], kind="stable")]
    groups = [order[a : a + batch_size] for a in range(0, len(order), batch_size)]
    turns = _order(len(groups), rng if bucket else None)
    return (padded_batch([sequences[i] for i in groups[turn]], pad_id) for turn in turns)


def _checked_ids(ids: Sequence[int] | np.ndarray) -> np.ndarray:
    array = np.asarray(ids) if len(ids) else np.zeros(0, dtype=np.int64)
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise TypeError(f"ids are a row of integers, not {array.dtype} of shape {array.shape}: encode first")
    return array.astype(np.int64, copy=False)

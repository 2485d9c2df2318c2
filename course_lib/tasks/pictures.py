"""Small pictures and what can be said about them: one image in, a sentence out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product
from typing import NamedTuple

import numpy as np

from course_lib.tasks.task import Task, count, probability, source, word_list

SHAPES = {
    "square": ("###", "###", "###"),
    "cross": (".#.", "###", ".#."),
    "bar": ("...", "###", "..."),
    "ring": ("###", "#.#", "###"),
}
BRIGHTNESS = {"bright": 1.0, "dim": 0.5}
SIDES = {"left": 0, "right": 4}  # the first column of each half
NOISE = 0.1  # at most: too little to take dim for bright or for nothing, so that every picture can be read
CAPTION_WORDS = tuple(sorted({"a", "on", "the", "above", "below", *SHAPES, *BRIGHTNESS, *SIDES}))


class Thing(NamedTuple):
    """One thing in a picture."""

    shape: str
    brightness: str
    side: str

    def words(self) -> list[str]:
        """For example: a bright square on the left."""
        return ["a", self.brightness, self.shape, "on", "the", self.side]


THINGS = tuple(Thing(*attributes) for attributes in product(SHAPES, BRIGHTNESS, SIDES))


def captions(n: int, rng: np.random.Generator, pairs: float = 0.5) -> Task:
    """Say what an 8 × 8 picture shows: one thing, or, with probability ``pairs``, one above another.

    inputs (n, 8, 8) float32: 0 is black; every thing fills 3 × 3 pixels at 1 (bright) or 0.5 (dim), somewhere in its
    half; every pixel has uniform noise within ±0.1. targets: n lists of words, such as "a bright cross on the left
    above a bright cross on the right"; of two things either may come first ("... below ..."). lengths (n,) int64.
    attributes: n tuples of one or two ``Thing``s, from top to bottom, each uniform over the 16 of ``THINGS``.
    Best 1: every picture shows its attributes beyond doubt; baseline: the commonest caption, for every picture.

    Errors: ValueError for n < 1 or a ``pairs`` that is not a probability.
    """
    n, rng, pairs = count("n", n), source(rng), probability("pairs", pairs)
    pictures = rng.uniform(-NOISE, NOISE, size=(n, 8, 8)).astype(np.float32)
    sentences, attributes = [], []
    for picture in pictures:
        things = tuple(THINGS[i] for i in rng.integers(len(THINGS), size=1 + (rng.random() < pairs)))
        if len(things) == 1:
            _draw(picture, things[0], int(rng.integers(6)), int(rng.integers(2)))
        else:
            for half, thing in enumerate(things):
                _draw(picture, thing, 4 * half + int(rng.integers(2)), int(rng.integers(2)))
        wordings = _wordings(things)
        sentences.append(wordings[rng.integers(len(wordings))])
        attributes.append(things)
    lengths = np.array([len(sentence) for sentence in sentences])
    baseline = max((1 - pairs) / len(THINGS), pairs / len(THINGS) ** 2)
    unit = "fraction of pictures described"
    return Task(pictures, sentences, 1.0, baseline, unit, lengths, CAPTION_WORDS, attributes)


def _draw(picture: np.ndarray, thing: Thing, top: int, shift: int) -> None:
    mask = np.array([[pixel == "#" for pixel in row] for row in SHAPES[thing.shape]])
    left = SIDES[thing.side] + shift
    picture[top : top + 3, left : left + 3] += mask * np.float32(BRIGHTNESS[thing.brightness])


def _wordings(things: Sequence[Thing]) -> list[list[str]]:
    """Every right caption: one for a single thing, two for a pair."""
    if len(things) == 1:
        return [things[0].words()]
    upper, lower = (thing.words() for thing in things)
    return [[*upper, "above", *lower], [*lower, "below", *upper]]


def describes(words: Sequence[str], attributes: Sequence[Thing] | Thing) -> bool:
    """Is this a well-formed caption that names all that the picture shows, and nothing else?

    ``attributes`` is one entry of ``Task.attributes``: one or two things, from top to bottom (or a single Thing).

    Errors: ValueError for no thing, more than two, or one that no picture shows.
    """
    things = [attributes] if isinstance(attributes, Thing) else list(attributes)
    if not 1 <= len(things) <= 2:
        raise ValueError(f"a picture shows one or two things, but attributes holds {len(things)}")
    for thing in things:
        if thing not in THINGS:
            raise ValueError(f"{thing!r} is in no picture: pass things of THINGS")
    return word_list(words) in _wordings(things)


def caption_entropy(pairs: float = 0.5) -> float:
    """The least cross-entropy of a captioner given the picture, in nats per caption: pairs * log 2.

    Only the order in which two things are named is free. Errors: ValueError unless ``pairs`` is a probability.
    """
    return probability("pairs", pairs) * math.log(2)

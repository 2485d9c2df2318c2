"""What every task yields: inputs, targets, and the best and the laziest score on them."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class Task:
    """A sample of a task, with the two scores between which every model has to fall.

    inputs      an array, batch first, or a list of sentences (lists of words)
    targets     likewise; what each task means by them stands in its own docstring
    best        the score in ``unit`` that no model can beat on average, however large
    baseline    the score of the best answer that ignores the inputs
    unit        "nats per target" and "mean squared error" (less is better), or a kind of accuracy (more is better)
    lengths     (n,) int64, where the sequences differ in length
    words       what the ids stand for, or all words that can occur; ``len(words)`` is the vocabulary size V
    attributes  what a picture shows, where there are pictures
    known       bool, as targets: those of which a model can be certain, where they are not all or none
    """

    inputs: Any
    targets: Any
    best: float
    baseline: float
    unit: str
    lengths: np.ndarray | None = None
    words: tuple[str, ...] | None = None
    attributes: list | None = None
    known: np.ndarray | None = None


def count(name: str, value: int, least: int = 1) -> int:
    """The whole number ``value``. Errors: TypeError for anything else, ValueError when it is below ``least``."""
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name}={value!r} must be a whole number: pass an int") from None
    if number < least:
        raise ValueError(f"{name}={number} is too small: pass {least} or more")
    return number


def probability(name: str, value: float) -> float:
    """``value`` as a float. Errors: ValueError unless it lies between 0 and 1."""
    if not 0 <= value <= 1:
        raise ValueError(f"{name}={value} is not a probability: pass a number from 0 to 1")
    return float(value)


def source(rng: np.random.Generator) -> np.random.Generator:
    """``rng`` itself. Errors: TypeError for anything but a NumPy generator."""
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"rng is of type {type(rng).__name__}: pass a generator, such as numpy.random.default_rng(0)")
    return rng


def word_list(words: Sequence[str]) -> list[str]:
    """The words as a list. Errors: TypeError for one string, whose letters would be taken for words."""
    if isinstance(words, str):
        raise TypeError(f"words={words!r} is one string: pass a list of words, such as words.split()")
    return list(words)

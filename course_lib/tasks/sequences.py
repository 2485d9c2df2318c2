"""Tasks that answer a sequence with a sequence: give it back, give it back from behind, go on repeating it."""

from __future__ import annotations

import math

import numpy as np

from course_lib.tasks.task import Task, count, source


def copying(n: int, length: int, rng: np.random.Generator, symbols: int = 9) -> Task:
    """Give the sequence back as it was.

    inputs (n, T) int64: symbols 0..symbols-1, independent and uniform; targets (n, T) int64: the same.
    ``Vocabulary(task.words)`` has symbol i under the id 4 + i, behind the four special tokens.
    Best 0 nats, baseline log(symbols).

    Errors: ValueError for n, length or symbols below 1.
    """
    n, length, rng, symbols = count("n", n), count("length", length), source(rng), count("symbols", symbols)
    inputs = rng.integers(0, symbols, size=(n, length))
    return Task(inputs, inputs.copy(), 0.0, math.log(symbols), "nats per target", words=_names(symbols))


def reversal(n: int, length: int, rng: np.random.Generator, symbols: int = 9) -> Task:
    """Give the sequence back from its last symbol to its first: otherwise as :func:`copying`."""
    task = copying(n, length, rng, symbols)
    return Task(task.inputs, task.inputs[:, ::-1].copy(), task.best, task.baseline, task.unit, words=task.words)


def repeated(n: int, rng: np.random.Generator, periods: tuple[int, int] = (6, 16), symbols: int = 16) -> Task:
    """A random block again and again: predict each next symbol. From the second round on it need only be looked up.

    Each sequence has its own period p, uniform from the first to the second of ``periods``, both included: a block of
    p different symbols, repeated until there are twice the longest period. To go on, look for the last place where the
    present symbol stood, and take what came after it.
    inputs (n, T) int64: all of the 2 periods[1] symbols but the last; targets (n, T) int64: all but the first.
    known (n, T) bool: targets from the second symbol of the second round on, of which a model can be certain. Not the
    first symbol of that round: that it has come is news, since the period is unknown.
    Best in nats per target, all targets counted: log(symbols - k) for the symbol after k others in the first round, and
    the log of the number of periods for the news. Baseline log(symbols).

    Errors: ValueError for n or a period below 1, for periods in the wrong order, and for more than ``symbols``.
    """
    n, rng, symbols = count("n", n), source(rng), count("symbols", symbols)
    low, high = (count("periods", period) for period in periods)
    if not low <= high <= symbols:
        raise ValueError(f"periods={low, high}: pass the shorter first, and none above symbols={symbols}")
    period = rng.integers(low, high + 1, size=(n, 1))
    block = rng.permuted(np.tile(np.arange(symbols), (n, 1)), axis=1)
    place = np.arange(2 * high)
    sequences = np.take_along_axis(block, place % period, axis=1)
    known = place[1:] > period
    best = _cost_of_repeating(low, high, symbols) / (2 * high - 1)
    return Task(sequences[:, :-1], sequences[:, 1:], best, math.log(symbols), "nats per target",
                words=_names(symbols), known=known)  # fmt: skip


def _cost_of_repeating(low: int, high: int, symbols: int) -> float:
    """Entropy of a sequence of :func:`repeated` without its first symbol, in nats."""
    longer = [min(1.0, (high - k) / (high - low + 1)) for k in range(high)]  # P(period > k): symbol k is a new one
    return math.log(high - low + 1) + sum(longer[k] * math.log(symbols - k) for k in range(1, high))


def _names(symbols: int) -> tuple[str, ...]:
    return tuple(f"s{i}" for i in range(symbols))

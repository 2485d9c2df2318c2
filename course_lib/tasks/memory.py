"""Tasks that ask a sequence model to remember: what was said, for how long, and how much of it."""

from __future__ import annotations

import math

import numpy as np

from course_lib.tasks.task import Task, count, source


def adding(n: int, length: int, rng: np.random.Generator) -> Task:
    """Add the two marked numbers of a sequence.

    inputs (n, T, 2) float32: channel 0 is uniform in [0, 1), channel 1 is 1 at one step of each half and else 0.
    targets (n,) float32: the sum of the two marked numbers, known after the last step.
    Best 0; the best constant is 1, and its mean squared error is the variance of the sum, 2/12 = 1/6.

    Errors: ValueError for n < 1 or length < 2.
    """
    n, length, rng = count("n", n), count("length", length, 2), source(rng)
    inputs = np.zeros((n, length, 2), dtype=np.float32)
    inputs[..., 0] = rng.random((n, length), dtype=np.float32)
    rows = np.arange(n)
    first = rng.integers(0, length // 2, size=n)
    second = rng.integers(length // 2, length, size=n)
    inputs[rows, first, 1] = inputs[rows, second, 1] = 1
    targets = inputs[rows, first, 0] + inputs[rows, second, 0]
    return Task(inputs, targets, best=0.0, baseline=1 / 6, unit="mean squared error")


def delayed_recall(n: int, lag: int, rng: np.random.Generator, symbols: int = 8, fillers: int = 4) -> Task:
    """A symbol, ``lag - 1`` random fillers, a query: give the symbol, ``lag`` steps after it was read.

    inputs (n, lag + 1) int64: the symbol is one of 0..symbols-1, a filler one of the next ``fillers`` ids, and the
    query is the last id, symbols + fillers. V = symbols + fillers + 1 = len(words).
    targets (n,) int64: the symbol, to be given at the last step. Best 0 nats, baseline log(symbols).

    Errors: ValueError for n, lag, symbols or fillers below 1.
    """
    n, lag, rng = count("n", n), count("lag", lag), source(rng)
    symbols, fillers = count("symbols", symbols), count("fillers", fillers)
    inputs = rng.integers(symbols, symbols + fillers, size=(n, lag + 1))
    inputs[:, 0] = rng.integers(0, symbols, size=n)
    inputs[:, -1] = symbols + fillers
    words = (*(f"s{i}" for i in range(symbols)), *(f"f{i}" for i in range(fillers)), "?")
    return Task(inputs, inputs[:, 0].copy(), 0.0, math.log(symbols), "nats per target", words=words)


def key_value_recall(n: int, pairs: int, rng: np.random.Generator, keys: int = 32, values: int = 8) -> Task:
    """``pairs`` keys, all different, each followed by its value; then one of the keys again: give its value.

    inputs (n, 2 pairs + 1) int64: k v k v ... k v q. Keys are 0..keys-1, and value j is the id keys + j, drawn
    uniformly and independently, so that pairs * log(values) nats have to be kept. V = keys + values = len(words).
    targets (n,) int64: the value's number j, from 0 to values-1. Best 0 nats, baseline log(values).

    Errors: ValueError for n, pairs, keys or values below 1, and for more pairs than keys.
    """
    n, pairs, rng = count("n", n), count("pairs", pairs), source(rng)
    keys, values = count("keys", keys), count("values", values)
    if pairs > keys:
        raise ValueError(f"pairs={pairs} different keys cannot come from keys={keys}: pass keys={pairs} or more")
    rows = np.arange(n)
    shown = rng.permuted(np.tile(np.arange(keys), (n, 1)), axis=1)[:, :pairs]
    held = rng.integers(0, values, size=(n, pairs))
    asked = rng.integers(0, pairs, size=n)
    inputs = np.empty((n, 2 * pairs + 1), dtype=np.int64)
    inputs[:, 0:-1:2], inputs[:, 1::2], inputs[:, -1] = shown, keys + held, shown[rows, asked]
    words = (*(f"k{i}" for i in range(keys)), *(f"v{i}" for i in range(values)))
    return Task(inputs, held[rows, asked], 0.0, math.log(values), "nats per target", words=words)


def parity(n: int, length: int, rng: np.random.Generator) -> Task:
    """Is the number of ones so far odd? One bit of memory that every input may flip.

    inputs (n, T) int64 of 0 and 1; targets (n, T) int64: (x_1 + ... + x_t) mod 2, at every step.
    Best 0 nats, baseline log 2.

    Errors: ValueError for n or length below 1.
    """
    n, length, rng = count("n", n), count("length", length), source(rng)
    inputs = rng.integers(0, 2, size=(n, length))
    return Task(inputs, inputs.cumsum(axis=1) % 2, 0.0, math.log(2), "nats per target", words=("0", "1"))


def latch(n: int, length: int, rng: np.random.Generator, noise: float = 1.0) -> Task:
    """Hold the bit of the first step through noise that looks like it.

    inputs (n, T, 2) float32: at step 0 channel 0 is a bit, -1 or +1, and channel 1, the marker, is 1; at every later
    step channel 0 is Gaussian noise with standard deviation ``noise`` and the marker is 0.
    targets (n,) float32: the bit, -1 or +1, after the last step (as a class: ``targets > 0``).
    Best 0; the best constant is 0, with a mean squared error of 1.

    Errors: ValueError for n or length below 1, or a negative noise.
    """
    n, length, rng = count("n", n), count("length", length), source(rng)
    if not 0 <= noise < math.inf:
        raise ValueError(f"noise={noise} is a standard deviation: pass a finite number of 0 or more")
    inputs = np.zeros((n, length, 2), dtype=np.float32)
    inputs[..., 0] = noise * rng.standard_normal((n, length))
    inputs[:, 0, 0] = 2 * rng.integers(0, 2, size=n) - 1
    inputs[:, 0, 1] = 1
    return Task(inputs, inputs[:, 0, 0].copy(), best=0.0, baseline=1.0, unit="mean squared error")

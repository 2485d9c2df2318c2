"""Tasks that a finite automaton solves: a small state, changed by each symbol, to be given after every one."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from course_lib.tasks.task import Task, count, probability, source


@dataclass(frozen=True, eq=False)
class Automaton:
    """A finite automaton: reading symbol a in state q leads to state ``maps[a, q]``.

    maps (A, Q) int64, one map from the states to the states for each symbol; ``start`` is the state before the first
    symbol. Errors: ValueError unless maps is such a table and start one of its states.
    """

    maps: np.ndarray
    start: int = 0

    def __post_init__(self) -> None:
        maps = np.asarray(self.maps)
        if maps.ndim != 2 or 0 in maps.shape or not np.issubdtype(maps.dtype, np.integer):
            raise ValueError(f"maps must be whole numbers (symbols, states), not {maps.dtype} {maps.shape}")
        if not 0 <= maps.min() <= maps.max() < maps.shape[1] or not 0 <= self.start < maps.shape[1]:
            raise ValueError(f"states run from 0 to {maps.shape[1] - 1}: maps or start={self.start} name another")
        object.__setattr__(self, "maps", maps.astype(np.int64))

    def run(self, symbols: ArrayLike) -> np.ndarray:
        """symbols (..., T) -> the state after each of them, (..., T): T steps, one after the other."""
        symbols = np.asarray(symbols)
        state, states = np.full(symbols.shape[:-1], self.start), np.empty(symbols.shape, dtype=np.int64)
        for t in range(symbols.shape[-1]):
            states[..., t] = state = self.maps[symbols[..., t], state]
        return states

    def group(self) -> np.ndarray:
        """All maps that some word makes, the empty word's included: (M, Q), in the order in which they are found."""
        found = [tuple(range(self.maps.shape[1]))]
        known = set(found)
        for f in found:  # grows while it is walked through
            for g in self.maps:
                made = tuple(g[list(f)].tolist())
                if made not in known:
                    known.add(made)
                    found.append(made)
        return np.array(found)


def composed(maps: ArrayLike) -> tuple[np.ndarray, int]:
    """maps (..., T, Q), map t of row t -> what the first 1, 2, ..., T of them do together, and the number of rounds.

    In each round every place takes what the place 1, 2, 4, ... before it has, and lets its own follow:
    f_t <- f_t(f_{t - offset}). Each place then stands for twice as many symbols, so that ceil(log2 T) rounds do.
    """
    maps = np.array(maps)
    offset, rounds, T = 1, 0, maps.shape[-2]
    while offset < T:
        maps[..., offset:, :] = np.take_along_axis(maps[..., offset:, :], maps[..., :-offset, :], axis=-1)
        offset, rounds = 2 * offset, rounds + 1
    return maps, rounds


def random_automaton(states: int, symbols: int, rng: np.random.Generator, group: bool = False) -> Automaton:
    """An automaton whose maps are drawn uniformly from all maps of the states, or with ``group`` from all permutations.

    Errors: ValueError for fewer than one state or symbol.
    """
    states, symbols, rng = count("states", states), count("symbols", symbols), source(rng)
    if group:
        return Automaton(np.stack([rng.permutation(states) for _ in range(symbols)]))
    return Automaton(rng.integers(0, states, size=(symbols, states)))


def automaton_states(n: int, length: int, automaton: Automaton, rng: np.random.Generator) -> Task:
    """Run the automaton over uniform random symbols: give its state after each of them.

    inputs (n, T) int64: symbols 0..A-1; targets (n, T) int64: states 0..Q-1.
    Best 0 nats. Baseline: the entropy of the state after t symbols that one does not know, mean over t.

    Errors: ValueError for n or length below 1.
    """
    n, length, rng = count("n", n), count("length", length), source(rng)
    A, Q = automaton.maps.shape
    p, surprisal = np.eye(Q)[automaton.start], 0.0
    for _ in range(length):
        p = sum(np.bincount(f, weights=p, minlength=Q) for f in automaton.maps) / A
        surprisal -= float(np.sum(p[p > 0] * np.log(p[p > 0]))) / length
    inputs = rng.integers(0, A, size=(n, length))
    words = tuple(f"a{i}" for i in range(A))
    return Task(inputs, automaton.run(inputs), 0.0, surprisal, "nats per target", words=words)


def flip_flop(n: int, length: int, rng: np.random.Generator, ignore: float = 0.8) -> Task:
    """One bit that is set now and then: give the last bit that was set, after every symbol.

    inputs (n, T) int64: 0 and 1 set the bit to that value, 2 is to be ignored; the first symbol is never a 2, later
    ones are with probability ``ignore``. targets (n, T) int64: the bit.
    known (n, T) bool: where the symbol is 2, so that the answer must be remembered. Best 0 nats, baseline log 2.

    Errors: ValueError for n or length below 1, or for an ``ignore`` that is not a probability.
    """
    n, length, rng = count("n", n), count("length", length), source(rng)
    inputs = rng.integers(0, 2, size=(n, length))
    ignored = rng.random((n, length)) < probability("ignore", ignore)
    ignored[:, 0] = False
    inputs[ignored] = 2
    last = np.maximum.accumulate(np.where(ignored, 0, np.arange(length)), axis=1)  # where the bit was set
    targets = np.take_along_axis(inputs, last, axis=1)
    words = ("0", "1", "-")
    return Task(inputs, targets, 0.0, math.log(2), "nats per target", words=words, known=ignored)

"""Artificial languages whose next-token distribution is known exactly at every position.

A :class:`Language` is a finite automaton with a little memory. Each state lists what may come next, with its
probability; no two choices of a state begin with the same word, so the words read so far fix the state, and the
true distribution of the next word can be read off it. Two languages are defined here: ``agree()`` (one sentence,
number agreement at a distance) and ``farm()`` (documents that mix four kinds of memory).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from course_lib.tokens import EOS

CLASSES = ("collocation", "agreement", "nesting", "recall")

Arcs = Mapping[str, Mapping[str, tuple[float, str]]]  # state -> {emission: (probability, next state)}


class Language:
    """A probabilistic automaton over words, with slots that are filled afresh in every document.

    Arguments: ``arcs`` gives, for each state, ``{emission: (probability, next state)}``; ``classes`` names the kind
    of memory that the choice in a state calls for (one of ``CLASSES``). The first state listed is the start;
    the emission ``EOS`` ends the document. An emission is a word, or a slot: ``"+name2"`` draws a word from
    ``pools["name"]`` and keeps it as name number 2, ``"@name2"`` repeats that word. Pools in ``distinct`` give
    every slot of a document a different word.

    Errors: ValueError when the probabilities of a state do not sum to one, when an arc leads to an unknown state,
    when a word appears twice in a state, or when some state never reaches the end.
    """

    def __init__(
        self,
        arcs: Arcs,
        classes: Mapping[str, str],
        pools: Mapping[str, Sequence[str]] | None = None,
        distinct: Sequence[str] = (),
    ):
        self.arcs, self.classes = arcs, classes
        self.pools, self.distinct = dict(pools or {}), frozenset(distinct)
        self.start = next(iter(arcs), "")
        self.states = tuple(arcs)
        self._validate()
        self._fixed: dict[str, dict[str, tuple[float, str, str]]] = {}
        for state, choices in arcs.items():
            if all(emission[0] not in "+@" for emission in choices):
                self._fixed[state] = self._words_from(state, {})
        words = {e for choices in arcs.values() for e in choices if e[0] not in "+@" and e != EOS}
        self.vocabulary = tuple(sorted(words.union(*self.pools.values())))
        self._visits = self._expected_visits()

    # ---- what a state offers -------------------------------------------------------------------------------

    def _options(self, emission: str, filled: Mapping[str, str]) -> list[str]:
        """The words that an emission can stand for, all equally probable."""
        if emission[0] == "@":
            return [filled[emission[1:]]]
        if emission[0] == "+":
            pool = self._pool(emission)
            taken = filled.values() if pool in self.distinct else ()
            return [word for word in self.pools[pool] if word not in taken]
        return [emission]

    def _pool(self, emission: str) -> str:
        """The pool that a slot belongs to: ``"+name2"`` and ``"@name2"`` belong to ``"name"``."""
        return emission[1:].rstrip("0123456789")

    def _option_count(self, emission: str) -> int:
        """How many words an emission stands for; needs no document, since slots are filled in order 0, 1, 2."""
        if emission[0] != "+":
            return 1
        pool = self._pool(emission)
        number = int(emission[1 + len(pool) :])
        return len(self.pools[pool]) - (number if pool in self.distinct else 0)

    def _words_from(self, state: str, filled: Mapping[str, str]) -> dict[str, tuple[float, str, str]]:
        """Every next word with its probability, the emission behind it, and the next state."""
        if state in self._fixed:  # nothing here depends on the document
            return self._fixed[state]
        found = {}
        for emission, (p, following) in self.arcs[state].items():
            options = self._options(emission, filled) if p > 0 else []
            for word in options:
                found[word] = (p / len(options), emission, following)
        return found

    def _walk(self, tokens: Sequence[str]) -> Iterator[tuple[str, dict[str, tuple[float, str, str]]]]:
        """Yield (state, its next words) before each token of a prefix and once after it."""
        if isinstance(tokens, str):
            raise TypeError(f"a document is a list of words, but {tokens[:40]!r} is a string: split it first")
        state, filled = self.start, {}
        for position, token in enumerate(tokens):
            words = self._words_from(state, filled)
            yield state, words
            if token not in words or token == EOS:
                known = "cannot come" if token in self.vocabulary else "is not a word of this language and cannot come"
                raise ValueError(f"{token!r} {known} at position {position}; possible there: {sorted(words)}")
            _, emission, state = words[token]
            if emission[0] == "+":
                filled[emission[1:]] = token
        yield state, self._words_from(state, filled)

    # ---- probabilities -------------------------------------------------------------------------------------

    def next_distribution(self, prefix: Sequence[str]) -> dict[str, float]:
        """The true p(w | prefix) for every word w that can follow; ``EOS`` is the end. Sums to one.

        Errors: ValueError when the prefix is not the beginning of any document, naming the first wrong token.
        """
        *_, (_, words) = self._walk(prefix)
        return {word: p for word, (p, _, _) in words.items()}

    def token_log_probs(self, tokens: Sequence[str]) -> np.ndarray:
        """log p(w_t | w_<t) in nats for each token of a whole document and for its end: shape (T + 1,).

        Errors: ValueError when the document is not in the language, naming the first token that cannot come.
        """
        steps = list(self._walk(tokens))
        if EOS not in steps[-1][1]:
            raise ValueError(f"the document cannot end after {len(tokens)} tokens: give the whole of it")
        return np.log([words[token][0] for (_, words), token in zip(steps, [*tokens, EOS], strict=True)])

    def log_prob(self, tokens: Sequence[str]) -> float:
        """log p(document), its end included, in nats; minus infinity when the language has no such document."""
        try:
            return float(self.token_log_probs(tokens).sum())
        except ValueError:
            return -math.inf

    def token_classes(self, tokens: Sequence[str]) -> list[str]:
        """The kind of memory behind each token of a whole document and behind its end: T + 1 names.

        A token belongs to the class of the choice that produced it, so the expected excess of a model within
        one class is a sum of KL divergences and is never negative.
        """
        return [self.classes[state] for state, _ in self._walk(tokens)]

    # ---- exact averages ------------------------------------------------------------------------------------

    def _expected_visits(self) -> np.ndarray:
        """Expected number of visits to each state in one document: v = start + P^T v, solved exactly."""
        index = {state: i for i, state in enumerate(self.states)}
        P = np.zeros((len(index), len(index)))
        for state, choices in self.arcs.items():
            for emission, (p, following) in choices.items():
                if emission != EOS:
                    P[index[state], index[following]] += p
        return np.linalg.solve(np.eye(len(index)) - P.T, np.eye(len(index))[0])

    def _state_entropy(self, state: str) -> float:
        choices = [(p, self._option_count(e)) for e, (p, _) in self.arcs[state].items() if p > 0]
        return sum(p * (math.log(n) - math.log(p)) for p, n in choices)

    def expected_length(self) -> float:
        """Expected number of tokens in a document, the end counted as one."""
        return float(self._visits.sum())

    def entropy_by_class(self) -> dict[str, float]:
        """The entropy rate split over the classes: nats per token, summing to ``entropy_rate()``."""
        split = dict.fromkeys(CLASSES, 0.0)
        for state, visits in zip(self.states, self._visits, strict=True):
            split[self.classes[state]] += float(visits) * self._state_entropy(state) / self.expected_length()
        return split

    def entropy_rate(self) -> float:
        """Entropy of a document over its expected length: the floor for every model, in nats per token."""
        return sum(self.entropy_by_class().values())

    def entropy(self) -> float:
        """Entropy of a whole document in nats."""
        return self.entropy_rate() * self.expected_length()

    # ---- sampling ------------------------------------------------------------------------------------------

    def sample(self, n: int, rng: np.random.Generator) -> list[list[str]]:
        """Draw n documents, each a list of words without the end mark; all documents advance together.

        Errors: ValueError for a negative n.
        """
        if n < 0:
            raise ValueError(f"cannot draw n={n} documents: n must be 0 or more")
        cumulative, following, emitted, slots = self._tables()
        memory = self._draw_slots(n, slots, rng)
        alive, state = np.arange(n), np.zeros(n, dtype=int)
        columns = []
        while len(alive):
            u = rng.random(len(alive))
            choice = (u[:, None] >= cumulative[state]).sum(axis=1)
            code, state = emitted[state, choice], following[state, choice]
            going = code != 0
            alive, code, state = alive[going], code[going], state[going]
            words = np.where(code > 0, code, memory[alive, np.maximum(-code, 0)]) if len(slots) else code
            columns.append((alive, words))
        return self._assemble(n, columns)

    def _tables(self):
        """Cumulative probabilities, next states and emission codes (word > 0, end 0, slot < 0), per state."""
        index = {state: i for i, state in enumerate(self.states)}
        word_code = {word: i + 1 for i, word in enumerate(self.vocabulary)} | {EOS: 0}
        slots = sorted({e[1:] for choices in self.arcs.values() for e in choices if e[0] in "+@"})
        slot_code = {slot: -(i + 1) for i, slot in enumerate(slots)}
        width = max(map(len, self.arcs.values()))
        cumulative = np.full((len(index), width), 2.0)
        following, emitted = np.zeros((2, len(index), width), dtype=int)
        for state, choices in self.arcs.items():
            i, total = index[state], np.cumsum([p for p, _ in choices.values()])
            cumulative[i, : len(choices) - 1] = total[:-1]  # the last choice takes what rounding leaves over
            for j, (emission, (_, target)) in enumerate(choices.items()):
                emitted[i, j] = slot_code[emission[1:]] if emission[0] in "+@" else word_code[emission]
                following[i, j] = index.get(target, 0)
        return cumulative, following, emitted, slots

    def _draw_slots(self, n: int, slots: list[str], rng: np.random.Generator) -> np.ndarray:
        """The word codes that fill each document's slots: (n, 1 + number of slots), column 0 unused."""
        code = {word: i + 1 for i, word in enumerate(self.vocabulary)}
        memory = np.zeros((n, 1 + len(slots)), dtype=int)
        for pool, words in self.pools.items():
            mine = [i for i, slot in enumerate(slots) if slot.rstrip("0123456789") == pool]
            codes = np.array([code[word] for word in words])
            if pool in self.distinct:
                drawn = rng.permuted(np.broadcast_to(codes, (n, len(codes))), axis=1)[:, : len(mine)]
            else:
                drawn = codes[rng.integers(len(codes), size=(n, len(mine)))]
            memory[:, [i + 1 for i in mine]] = drawn
        return memory

    def _assemble(self, n: int, columns: list[tuple[np.ndarray, np.ndarray]]) -> list[list[str]]:
        """Turn (document, word) columns, one a time step, into lists of words."""
        if not columns:
            return [[] for _ in range(n)]
        document = np.concatenate([alive for alive, _ in columns])
        words = np.concatenate([codes for _, codes in columns])[np.argsort(document, kind="stable")]
        strings = np.array(["", *self.vocabulary], dtype=object)[words].tolist()
        ends = np.cumsum(np.bincount(document, minlength=n))
        return [strings[a:b] for a, b in zip([0, *ends[:-1]], ends, strict=True)]

    # ---- is it a language? ---------------------------------------------------------------------------------

    def _validate(self) -> None:
        if not self.arcs:
            raise ValueError("a language needs at least one state: arcs is empty")
        for state, choices in self.arcs.items():
            if wrong := [(e, p) for e, (p, _) in choices.items() if not 0 <= p <= 1]:
                raise ValueError(f"state {state!r}: {wrong[0][0]!r} has probability {wrong[0][1]}, not between 0 and 1")
            total = math.fsum(p for p, _ in choices.values())
            if abs(total - 1) > 1e-9:
                raise ValueError(f"the probabilities in state {state!r} sum to {total:.6g}, not to 1")
            if self.classes.get(state) not in CLASSES:
                raise ValueError(f"state {state!r} has class {self.classes.get(state)!r}: give it one of {CLASSES}")
            for emission, (_, following) in choices.items():
                if not emission or (emission[0] in "+@" and self._pool(emission) not in self.pools):
                    raise ValueError(
                        f"state {state!r}: {emission!r} is no word, and no slot of the pools {sorted(self.pools)}"
                    )
                if emission != EOS and following not in self.arcs:
                    raise ValueError(f"state {state!r}: {emission!r} leads to unknown state {following!r}")
            self._check_distinct_words(state, choices)
        self._check_pools()
        self._check_slots()
        self._check_end_is_reachable()

    def _check_distinct_words(self, state: str, choices: Mapping[str, tuple[float, str]]) -> None:
        words = [w for e in choices if e[0] != "@" for w in (self.pools[self._pool(e)] if e[0] == "+" else [e])]
        if twice := {w for w in words if words.count(w) > 1}:
            raise ValueError(f"state {state!r} offers {sorted(twice)} twice: each choice must begin with its own word")

    def _check_pools(self) -> None:
        """A word must tell which pool it comes from, or the prefix would not fix the state."""
        literal = {e for choices in self.arcs.values() for e in choices if e[0] not in "+@"}
        words = [*literal, *(word for pool in self.pools.values() for word in pool)]
        if twice := sorted({w for w in words if words.count(w) > 1}):
            raise ValueError(f"{twice} stand in a pool and somewhere else too: every word needs one place of its own")

    def _check_slots(self) -> None:
        """Slots of a pool are numbered 0, 1, 2 ..., each is drawn somewhere, and a distinct pool has enough words."""
        for pool in self.pools:
            drawn = {e[1:] for choices in self.arcs.values() for e in choices if e[0] == "+" and self._pool(e) == pool}
            read = {e[1:] for choices in self.arcs.values() for e in choices if e[0] == "@" and self._pool(e) == pool}
            if drawn != {f"{pool}{i}" for i in range(len(drawn))} or read - drawn:
                raise ValueError(
                    f"pool {pool!r} draws {sorted(drawn)} and reads {sorted(read)}: number its slots from 0"
                )
            if len(self.pools[pool]) < (len(drawn) if pool in self.distinct else 1):
                raise ValueError(
                    f"pool {pool!r} has {len(self.pools[pool])} words for {len(drawn)} slots: give it more"
                )

    def _check_end_is_reachable(self) -> None:
        ends = {s for s, choices in self.arcs.items() if choices.get(EOS, (0, ""))[0] > 0}
        while grown := {
            s
            for s, choices in self.arcs.items()
            if s not in ends and any(p > 0 and target in ends for p, target in choices.values())
        }:
            ends |= grown
        if stuck := [s for s in self.arcs if s not in ends]:
            raise ValueError(f"from state {stuck[0]!r} the end can never be reached: add an arc with EOS")

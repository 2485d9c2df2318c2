"""Language models that are no networks, and translators, in the form that :mod:`course_lib.decoding` reads.

``model(ids) -> logits (B, T, V)``, ``model(ids, state) -> logits, state``, ``initial_state``, ``select_state``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from course_lib.rnn import check_ids
from course_lib.seq2seq import Memory
from course_lib.tokens import BOS, BOS_ID, EOS_ID, PAD_ID, Vocabulary

__all__ = ["Given", "Tabled"]

Prefixes = list[tuple[int, ...]]


class Tabled:
    """Any function from a prefix to a distribution, as a language model: an n-gram model, or a language itself.

    ``next_distribution`` gets the words so far, BOS left out, and returns an array (V,) or a mapping from words to
    probabilities. Logits are log-probabilities, minus infinity for what cannot come. The state is what was read.
    :meth:`ngram` and :meth:`language` make one from the two kinds that the book has.
    """

    def __init__(self, next_distribution: Callable[[list[str]], Any], vocab: Vocabulary):
        self.next_distribution, self.vocab = next_distribution, vocab
        self._known: dict[tuple[int, ...], Tensor] = {}

    @classmethod
    def ngram(cls, lm) -> Tabled:
        """A fitted :class:`course_lib.ngram.NGramLM`."""
        return cls(lambda prefix: lm.next_distribution([BOS, *prefix]), lm.vocab)

    @classmethod
    def language(cls, language, vocab: Vocabulary) -> Tabled:
        """A :class:`course_lib.grammar.Language`: the true distribution of each next word.

        Behind a text that cannot come there is none, and the logits are NaN.
        """

        def following(prefix: list[str]):
            try:
                return language.next_distribution(prefix)
            except ValueError:
                return np.full(len(vocab), np.nan)

        return cls(following, vocab)

    def __call__(self, ids: Tensor, state: Prefixes | None = None):
        """ids (B, T) -> logits (B, T, V); with a state -> logits, state."""
        check_ids(ids, len(self.vocab))
        prefixes = self.initial_state(len(ids)) if state is None else state
        rows, new = [], []
        for prefix, row in zip(prefixes, ids.tolist(), strict=True):
            read = [(*prefix, *row[: t + 1]) for t in range(len(row))]
            rows.append(torch.stack([self._logits(one) for one in read]))
            new.append(read[-1])
        logits = torch.stack(rows)
        return logits if state is None else (logits, new)

    @staticmethod
    def initial_state(batch_size: int) -> Prefixes:
        """Nothing read, in every row."""
        return [()] * batch_size

    @staticmethod
    def select_state(state: Prefixes, rows: Tensor) -> Prefixes:
        """The state of some rows of the batch, in a new order or more than once: rows (B',)."""
        return [state[i] for i in rows.tolist()]

    @staticmethod
    def crop_state(state: Prefixes, length: int) -> Prefixes:
        """The state as it was after the first ``length`` tokens."""
        return [prefix[:length] for prefix in state]

    def _logits(self, ids: tuple[int, ...]) -> Tensor:
        if ids not in self._known:
            words = self.vocab.decode(i for i in ids if i != BOS_ID)
            given = self.next_distribution(words)
            if isinstance(given, Mapping):
                p = np.zeros(len(self.vocab))
                for word, probability in given.items():
                    p[self.vocab[word]] += probability
            else:
                p = np.asarray(given, dtype=float)
            self._known[ids] = torch.from_numpy(p).log()
        return self._known[ids]


class Given:
    """A translator with its source: a language model of the target, to be prompted with BOS.

    ``model`` is a :class:`course_lib.seq2seq.Seq2Seq` or a :class:`course_lib.transformer.Transformer`, ``source`` the
    ids of one sentence without its EOS, which is added here. The state is that of the decoder.
    Errors: ValueError for an empty source, or one that has PAD, BOS or EOS in it.
    """

    def __init__(self, model, source: Sequence[int]):
        if not len(source) or {PAD_ID, BOS_ID, EOS_ID} & set(source):
            raise ValueError(f"a source is one or more words without PAD, BOS and EOS, not {list(source)}")
        self.model = model
        self.train, self.eval, self.select_state = model.train, model.eval, model.select_state
        training = model.training
        self.eval()
        try:
            with torch.no_grad():
                self.memory: Memory = model.encode(torch.tensor([[*source, EOS_ID]]))
        finally:
            self.train(training)

    def __call__(self, ids: Tensor, state: Any = None):
        """ids (B, T) -> logits (B, T, V); with a state -> logits, state."""
        states, mask, _ = self.memory
        rows = torch.zeros(len(ids), dtype=torch.long)
        memory = Memory(states[rows], mask[rows], None)
        logits, new, _ = self.model.decode(ids, self.initial_state(len(ids)) if state is None else state, memory)
        return logits if state is None else (logits, new)

    @property
    def training(self) -> bool:
        """Whether the translator is in training mode, for those who score or decode in evaluation mode."""
        return self.model.training

    def initial_state(self, batch_size: int) -> Any:
        """The decoder's first state, for each row."""
        return self.select_state(self.memory.state, torch.zeros(batch_size, dtype=torch.long))

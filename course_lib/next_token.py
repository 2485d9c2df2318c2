"""Predict the next token: batches, loss, and score for any model with ``model(ids) -> logits``.

A sequence of ids w_1 ... w_T becomes BOS w_1 ... w_T EOS. All but the last are read, all but the first are predicted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from course_lib import corpora
from course_lib.metrics import masked_cross_entropy
from course_lib.tokens import BOS_ID, EOS_ID, PAD_ID

Model = Callable[[Tensor], Tensor]


class Batches:
    """Endless padded batches of sequences: inputs (B, T) and targets (B, T), one token later, PAD behind the end.

    ``for inputs, targets in Batches(...)`` goes through the sequences again and again, in a new order each time.
    Each ``iter()`` starts the same order anew, so that an interrupted training can be resumed exactly.

    With ``bucket`` sequences of like length go together, which saves padding. Such a batch holds about as many
    *tokens* as ``batch_size`` sequences of mean length, so many short sequences or a few long ones. Were it as many
    sequences, the mean loss of a batch of short ones would weigh each of their tokens more, and a model would learn
    that texts end early. Without ``bucket`` a batch is ``batch_size`` sequences drawn at random.
    Errors: ValueError without sequences, for a batch size below 1, or for a PAD within a sequence.
    """

    def __init__(self, sequences: Iterable[Sequence[int]], batch_size: int, seed: int | Sequence[int] = 0,
                 bucket: bool = True):  # fmt: skip
        self.sequences = _framed(sequences)
        if batch_size < 1 or not self.sequences:
            raise ValueError(f"batch_size={batch_size} and {len(self.sequences)} sequences: both must be 1 or more")
        self.batch_size, self.seed, self.bucket = batch_size, seed, bucket

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        rng = np.random.default_rng(self.seed)
        while True:
            for group in self._groups(rng):
                ids = torch.from_numpy(corpora.padded_batch([self.sequences[i] for i in group])[0])
                yield ids[:, :-1], ids[:, 1:]

    def _groups(self, rng: np.random.Generator) -> list[np.ndarray]:
        """One epoch: the numbers of the sequences of each batch; every sequence once."""
        if self.bucket:
            return token_groups([len(sequence) - 1 for sequence in self.sequences], self.batch_size, rng)
        order = rng.permutation(len(self.sequences))
        return [order[a : a + self.batch_size] for a in range(0, len(order), self.batch_size)]


def token_groups(lengths: Sequence[int], batch_size: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Cut sequences into groups of like length that hold equally many tokens, in random order.

    ``lengths`` counts what is predicted in each; ties fall at random. Returns the numbers of each group's sequences.
    """
    order = rng.permutation(len(lengths))
    by_length = order[np.argsort(np.asarray(lengths)[order], kind="stable")]
    parts = max(round(len(order) / batch_size), 1)
    tokens = np.cumsum(np.asarray(lengths)[by_length])
    cuts = np.searchsorted(tokens, tokens[-1] * np.arange(1, parts) / parts)
    groups = [group for group in np.split(by_length, cuts) if len(group)]
    return [groups[i] for i in rng.permutation(len(groups))]


def loss(model: Model, batch: tuple[Tensor, Tensor]) -> Tensor:
    """Mean surprisal of the targets that are not padding, in nats per token; a scalar to call backward() on."""
    inputs, targets = batch
    return masked_cross_entropy(model(inputs), targets)


@torch.no_grad()
def score(model: Model, sequences: Iterable[Sequence[int]], batch_size: int = 64) -> list[np.ndarray]:
    """log q of every token and of the end, in nats: one array of T + 1 numbers for each sequence of T ids.

    A module is scored in evaluation mode and left in the mode it was in. The order is that of ``sequences``.
    Errors: ValueError for a PAD within a sequence.
    """
    framed = _framed(sequences)
    training = getattr(model, "training", False)
    if training:
        model.eval()
    order = sorted(range(len(framed)), key=lambda i: len(framed[i]))  # like lengths together: less padding
    results: list[np.ndarray] = [np.empty(0)] * len(framed)
    for start in range(0, len(order), batch_size):
        chosen = order[start : start + batch_size]
        ids, _ = corpora.padded_batch([framed[i] for i in chosen])
        ids = torch.from_numpy(ids)
        log_q = model(ids[:, :-1]).log_softmax(-1).gather(-1, ids[:, 1:, None])[..., 0]
        for i, row in zip(chosen, log_q, strict=True):
            results[i] = row[: len(framed[i]) - 1].double().numpy()
    if training:
        model.train()
    return results


def _framed(sequences: Iterable[Sequence[int]]) -> list[list[int]]:
    framed = [[BOS_ID, *s, EOS_ID] for s in sequences]
    for i, ids in enumerate(framed):
        if PAD_ID in ids:
            raise ValueError(f"sequence {i} holds the padding id {PAD_ID}, which the loss would leave out: remove it")
    return framed

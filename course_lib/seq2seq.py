"""One sequence into another: an encoder reads, a decoder writes, with attention between them or without.

A source ends with EOS. The decoder reads BOS w_1 ... w_T and is to say w_1 ... w_T EOS. PAD stands behind the end.
Shapes: B batch, S source tokens, T target tokens, V target vocabulary, H hidden width, M width of the memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from course_lib.attention import AdditiveAttention, DotAttention
from course_lib.corpora import padded_batch
from course_lib.metrics import masked_cross_entropy
from course_lib.next_token import token_groups
from course_lib.rnn import GRU, LSTM, ElmanRNN, State, check_ids, reversal, select_rows
from course_lib.tokens import BOS_ID, EOS_ID, PAD_ID

__all__ = ["Batches", "Memory", "Seq2Seq", "exact_match", "loss", "translate"]

IdPair = tuple[Sequence[int], Sequence[int]]  # source and target, without BOS and EOS


class Batches:
    """Endless padded batches of pairs: source (B, S), inputs (B, T), targets (B, T), one token later than inputs.

    Pairs with targets of like length go together, about as many *tokens* in each batch as ``batch_size`` pairs of mean
    length have. Each ``iter()`` starts the same order anew.
    Errors: ValueError without pairs, for a batch size below 1, an empty source, or a PAD, BOS or EOS within a pair.
    """

    def __init__(self, pairs: Sequence[IdPair], batch_size: int, seed: int | Sequence[int] = 0):
        if batch_size < 1 or not len(pairs):
            raise ValueError(f"batch_size={batch_size} and {len(pairs)} pairs: both must be 1 or more")
        self.pairs = [_framed(pair, f"pair {i}") for i, pair in enumerate(pairs)]
        self.batch_size, self.seed = batch_size, seed

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        rng = np.random.default_rng(self.seed)
        lengths = [len(target) - 1 for _, target in self.pairs]
        while True:
            for group in token_groups(lengths, self.batch_size, rng):
                yield _batch([self.pairs[i] for i in group])


class Memory(NamedTuple):
    """What the encoder leaves for the decoder."""

    states: Tensor  # (B, S, M), one for each source token, in the order of the source
    mask: Tensor  # (B, 1, S), True where there is a token
    state: Tensor | State  # the decoder's first state, (L, B, H)


class Seq2Seq(nn.Module):
    """Encoder and decoder, recurrent networks of one ``kind`` ("elman", "gru" or "lstm") and depth.

    Without attention all that the decoder gets is its first state: the encoder's last one. With ``attention`` "dot"
    or "additive" each decoder state s_t weighs the encoder's states and adds their mean c_t (Luong's order):
    z_t = tanh([s_t; c_t] W_c^T) W_y^T + b_y. ``bidirectional`` concerns the encoder; ``reverse`` lets it read the
    source from the end.
    """

    def __init__(self, source_size: int, target_size: int, hidden_size: int, kind: str = "gru",
                 attention: str | None = None, embedding_size: int | None = None, num_layers: int = 1,
                 dropout: float = 0.0, bidirectional: bool = False, reverse: bool = False):  # fmt: skip
        super().__init__()
        kinds = {"elman": ElmanRNN, "gru": GRU, "lstm": LSTM}
        if kind not in kinds or attention not in (None, "dot", "additive"):
            raise ValueError(
                f"kind={kind!r} must be one of {sorted(kinds)}, and attention={attention!r} 'dot', 'additive' or None"
            )
        width, memory = embedding_size or hidden_size, hidden_size * (1 + bidirectional)
        self.reverse = reverse
        self.source_embedding = nn.Embedding(source_size, width)
        self.target_embedding = nn.Embedding(target_size, width)
        self.encoder = kinds[kind](width, hidden_size, num_layers, dropout=dropout, bidirectional=bidirectional)
        self.decoder = kinds[kind](width, hidden_size, num_layers, dropout=dropout)
        self.bridge = nn.Linear(memory, hidden_size) if bidirectional else None
        self.attention = None
        if attention == "dot":
            self.attention = DotAttention(hidden_size, memory)
        elif attention == "additive":
            self.attention = AdditiveAttention(hidden_size, memory, hidden_size)
        self.combine = nn.Linear(hidden_size + memory, hidden_size) if attention else None
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(hidden_size, target_size)

    def encode(self, source: Tensor) -> Memory:
        """source (B, S) ids, PAD behind the end -> what the decoder needs.

        Errors: ValueError for a source of padding alone, for ids outside the vocabulary; TypeError for no integers.
        """
        check_ids(source, self.source_embedding.num_embeddings)
        real = source != PAD_ID
        if not real.any(1).all() or not (real[:, 1:] <= real[:, :-1]).all():
            raise ValueError("every source needs a token first and its padding last: put EOS behind it, then PAD")
        order = reversal(real, source) if self.reverse else None
        x = self.dropout(self.source_embedding(source if order is None else source.gather(1, order)))
        states, last = self.encoder(x, lengths=None if real.all() else real.sum(1))
        if order is not None:
            states = states.gather(1, order[..., None].expand_as(states))
        if self.bridge is not None:
            last = tuple(map(self._join, last)) if isinstance(last, tuple) else self._join(last)
        return Memory(states, real[:, None], last)

    def _join(self, state: Tensor) -> Tensor:
        """The two directions' last states (2 L, B, H) -> one for the decoder (L, B, H)."""
        both = state.unflatten(0, (-1, 2)).transpose(1, 2).flatten(2)
        return torch.tanh(self.bridge(both))

    def decode(self, ids: Tensor, state: Tensor | State, memory: Memory):
        """ids (B, T) given to the decoder -> logits (B, T, V), its state, and the weights (B, T, S), or None."""
        check_ids(ids, self.target_embedding.num_embeddings)
        s, state = self.decoder(self.dropout(self.target_embedding(ids)), state)
        weights = None
        if self.attention is not None:
            found, weights = self.attention(s, memory.states, mask=memory.mask)
            s = torch.tanh(self.combine(torch.cat([s, found], dim=-1)))
        return self.output(self.dropout(s)), state, weights

    @staticmethod
    def select_state(state: Tensor | State, rows: Tensor) -> Tensor | State:
        """The decoder's state for some rows of the batch, in a new order or more than once: rows (B',)."""
        return select_rows(state, rows)

    def step(self, ids: Tensor, state: Tensor | State, memory: Memory):
        """One token for each row, ids (B,) -> logits (B, V), the next state, weights (B, S) or None."""
        logits, state, weights = self.decode(ids[:, None], state, memory)
        return logits[:, 0], state, None if weights is None else weights[:, 0]

    def forward(self, source: Tensor, inputs: Tensor, forcing: float = 1.0,
                generator: torch.Generator | None = None) -> Tensor:  # fmt: skip
        """source (B, S), inputs (B, T) -> logits (B, T, V), with teacher forcing.

        With ``forcing`` below 1, each input after the first is the given one only with that probability, drawn for
        each row from ``generator``; else it is the model's own most probable token.
        Errors: ValueError for a probability outside 0 to 1, and as :meth:`encode`.
        """
        if not 0 <= forcing <= 1:
            raise ValueError(f"forcing={forcing} is a probability: from 0 to 1")
        memory = self.encode(source)
        if forcing == 1:
            return self.decode(inputs, memory.state, memory)[0]
        state, given, logits = memory.state, inputs[:, 0], []
        for t in range(inputs.shape[1]):
            z, state, _ = self.step(given, state, memory)
            logits.append(z)
            if t + 1 < inputs.shape[1]:
                forced = torch.rand(len(inputs), generator=generator) < forcing
                given = torch.where(forced, inputs[:, t + 1], z.argmax(-1))
        return torch.stack(logits, dim=1)

    def look(self, source: Tensor, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """With teacher forcing: logits (B, T, V) and weights (B, T, S). Errors: ValueError without attention."""
        if self.attention is None:
            raise ValueError("this model has no attention, so there are no weights: give attention='dot' or 'additive'")
        memory = self.encode(source)
        logits, _, weights = self.decode(inputs, memory.state, memory)
        return logits, weights


def loss(model: Seq2Seq, batch: tuple[Tensor, Tensor, Tensor]) -> Tensor:
    """Mean surprisal of the targets that are not padding, in nats per token, with teacher forcing."""
    source, inputs, targets = batch
    return masked_cross_entropy(model(source, inputs), targets)


@torch.no_grad()
def translate(model: Seq2Seq, sources: Sequence[Sequence[int]], max_length: int = 50, weights: bool = False):
    """Greedy: the most probable token at each step, until EOS or ``max_length``. A list of id lists, without EOS.

    With ``weights`` also a list of arrays (tokens written, source tokens), EOS counted in both where it was written.
    A module is put into evaluation mode and left in the mode it was in.
    Errors: ValueError for no source or an empty one, max_length below 1, or weights of a model without attention.
    """
    if weights and getattr(model, "attention", None) is None:
        raise ValueError("this model gives no weights word by word: call it with weights=False")
    framed = [_framed((source, ()), f"source {i}")[0] for i, source in enumerate(sources)]
    if max_length < 1:
        raise ValueError(f"max_length={max_length} leaves no room for a token: give 1 or more")
    training = model.training
    model.eval()
    try:
        written, looked = _greedy(model, torch.from_numpy(padded_batch(framed)[0]), max_length)
    finally:
        model.train(training)
    texts = [row[: row.index(EOS_ID)] if EOS_ID in row else row for row in written.tolist()]
    if not weights:
        return texts
    seen = torch.stack(looked, dim=1).numpy()
    return texts, [w[: len(text) + 1, : len(source)] for w, text, source in zip(seen, texts, framed, strict=True)]


def _greedy(model: Seq2Seq, source: Tensor, max_length: int) -> tuple[Tensor, list[Tensor | None]]:
    """source (B, S) -> tokens written (B, T), until each row has an EOS, and the weights (B, S) of each step."""
    memory = model.encode(source)
    state, given = memory.state, torch.full((len(source),), BOS_ID)
    steps, looked = [], []
    ended = torch.zeros(len(source), dtype=torch.bool)
    while len(steps) < max_length and not ended.all():
        z, state, seen = model.step(given, state, memory)
        given = z.argmax(-1)
        ended |= given == EOS_ID
        steps.append(given)
        looked.append(seen)
    return torch.stack(steps, dim=1), looked


def exact_match(model: Seq2Seq, pairs: Sequence[IdPair]) -> np.ndarray:
    """For each pair: is the greedy translation the target, token by token? A boolean array.

    Errors: ValueError without a pair, and as :func:`translate`.
    """
    longest = max((len(target) for _, target in pairs), default=0)
    texts = translate(model, [source for source, _ in pairs], max_length=longest + 1)
    return np.array([text == list(target) for text, (_, target) in zip(texts, pairs, strict=True)])


def _framed(pair: IdPair, name: str) -> tuple[list[int], list[int]]:
    source, target = list(pair[0]), list(pair[1])
    if not source:
        raise ValueError(f"{name} has an empty source: there is nothing to translate")
    for side in (source, target):
        if {PAD_ID, BOS_ID, EOS_ID} & set(side):
            raise ValueError(f"{name} holds PAD, BOS or EOS ({side}): give the words alone, without the marks")
    return [*source, EOS_ID], [BOS_ID, *target, EOS_ID]


def _batch(framed: Sequence[tuple[list[int], list[int]]]) -> tuple[Tensor, Tensor, Tensor]:
    source, target = (torch.from_numpy(padded_batch(side)[0]) for side in zip(*framed, strict=True))
    return source, target[:, :-1], target[:, 1:]

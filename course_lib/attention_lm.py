"""Two language models that look back: one made of attention alone, and a recurrent one that attends to its past."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from course_lib.attention import MultiHeadAttention, causal_mask
from course_lib.rnn import GRU, LSTM, ElmanRNN, State, check_ids, select_rows

__all__ = ["AttentionLM", "RNNAttentionLM"]


class AttentionLM(nn.Module):
    """A vector for each token plus one for each place; layers of causal attention, each added on; logits.

    Errors: ValueError for a text longer than ``max_length``, for which there are no vectors of place.
    """

    def __init__(self, vocab_size: int, d_model: int, heads: int, layers: int, max_length: int):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, d_model)
        self.position = nn.Embedding(max_length, d_model)
        self.layers = nn.ModuleList(MultiHeadAttention(d_model, heads) for _ in range(layers))
        self.output = nn.Linear(d_model, vocab_size)

    def forward(self, ids: Tensor, weights: bool = False):
        """ids (B, T) -> logits (B, T, V), and on demand the weights of each layer, a list of (B, N, T, T)."""
        check_ids(ids, self.embedding.num_embeddings)
        T, longest = ids.shape[1], self.position.num_embeddings
        if not 1 <= T <= longest:
            raise ValueError(f"the text has {T} tokens, and there are positions for 1 to {longest}: cut it, or retrain")
        x = self.embedding(ids) + self.position.weight[:T]
        seen = []
        for layer in self.layers:
            change, looked = layer(x, mask=causal_mask(T), weights=True)
            x = x + change
            seen.append(looked)
        logits = self.output(x)
        return (logits, seen) if weights else logits


class RNNAttentionLM(nn.Module):
    """A recurrent language model whose output also sees what attention finds among its states so far.

    h_1 ... h_t from the recurrent layer; c_t = attention from h_t to h_1 ... h_t; z_t = tanh([h_t; c_t] W_c^T) W_y^T.
    ``kind`` is "elman", "gru" or "lstm".
    """

    def __init__(self, vocab_size: int, hidden_size: int, kind: str = "gru", heads: int = 1):
        super().__init__()
        kinds = {"elman": ElmanRNN, "gru": GRU, "lstm": LSTM}
        if kind not in kinds:
            raise ValueError(f"kind={kind!r} must be one of {sorted(kinds)}")
        self.embedding = nn.Embedding(vocab_size, hidden_size)
        self.rnn = kinds[kind](hidden_size, hidden_size)
        self.attention = MultiHeadAttention(hidden_size, heads)
        self.combine = nn.Linear(2 * hidden_size, hidden_size)
        self.output = nn.Linear(hidden_size, vocab_size)

    def forward(self, ids: Tensor, state: tuple[Tensor | State, Tensor] | None = None):
        """ids (B, T) -> logits (B, T, V). With a state, for going on where a text stopped: -> logits, state."""
        logits, _, new = self._run(ids, state)
        return logits if state is None else (logits, new)

    def look(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """ids (B, T) -> logits (B, T, V) and weights (B, N, T, T)."""
        logits, weights, _ = self._run(ids, None)
        return logits, weights

    def initial_state(self, batch_size: int) -> tuple[Tensor | State, Tensor]:
        """The state before the first token: that of the recurrent layer, and no past states to look at (B, 0, H)."""
        nothing = self.output.weight.new_zeros(batch_size, 0, self.rnn.hidden_size)
        return self.rnn.initial_state(batch_size), nothing

    @staticmethod
    def select_state(state: tuple[Tensor | State, Tensor], rows: Tensor) -> tuple[Tensor | State, Tensor]:
        """The state of some rows of the batch, in a new order or more than once: rows (B',)."""
        recurrent, past = state
        return select_rows(recurrent, rows), past[rows]

    def _run(self, ids: Tensor, state: tuple[Tensor | State, Tensor] | None):
        check_ids(ids, self.embedding.num_embeddings)
        recurrent, past = self.initial_state(len(ids)) if state is None else state
        h, recurrent = self.rnn(self.embedding(ids), recurrent)
        past = torch.cat([past, h], dim=1)
        found, weights = self.attention(h, past, mask=causal_mask(h.shape[1], past.shape[1]), weights=True)
        combined = torch.tanh(self.combine(torch.cat([h, found], dim=-1)))
        return self.output(combined), weights, (recurrent, past)

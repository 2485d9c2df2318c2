"""A gated linear recurrence, computed for all steps at once by a parallel scan, and a language model made of it.

    h_t = a_t * h_{t-1} + b_t,   element by element

Nothing stands between one state and the next but a product and a sum, so that steps can be joined before the states are
known: first (a, b), then (a', b') is the single step (a' a, a' b + b'). Joining is associative, and ceil(log2 T)
rounds of it give all T states. Shapes: B batch, T time, D width of the model, H width of the state.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from course_lib.blocks import FeedForward, LayerNorm
from course_lib.rnn import check_ids

__all__ = ["LinearRNN", "LinearRNNLM", "scan", "scan_loop"]


def scan_loop(a: Tensor, b: Tensor, h: Tensor | None = None) -> Tensor:
    """The states one after the other: a, b (..., T, H) and h_0 (..., H), zeros if not given -> (..., T, H)."""
    _check(a, b, h)
    h = torch.zeros_like(b[..., 0, :]) if h is None else h
    states = []
    for t in range(b.shape[-2]):
        h = a[..., t, :] * h + b[..., t, :]
        states.append(h)
    return torch.stack(states, dim=-2)


def scan(a: Tensor, b: Tensor, h: Tensor | None = None) -> Tensor:
    """The same states in ceil(log2 T) rounds, each of which works on all places at once.

    After round r the pair at place t stands for the 2^r steps that end there. Errors: ValueError for unlike shapes.
    """
    _check(a, b, h)
    if h is not None:  # the first step takes the old state in
        b = torch.cat([b[..., :1, :] + a[..., :1, :] * h[..., None, :], b[..., 1:, :]], dim=-2)
    offset, T = 1, b.shape[-2]
    while offset < T:
        late, early = a[..., offset:, :], slice(None, -offset)
        b = torch.cat([b[..., :offset, :], late * b[..., early, :] + b[..., offset:, :]], dim=-2)
        a = torch.cat([a[..., :offset, :], late * a[..., early, :]], dim=-2)
        offset *= 2
    return b


def _check(a: Tensor, b: Tensor, h: Tensor | None) -> None:
    if a.ndim < 2 or a.shape != b.shape or 0 in b.shape:
        raise ValueError(f"a {tuple(a.shape)} and b {tuple(b.shape)} must both be (..., T, H), not empty")
    if h is not None and h.shape != b[..., 0, :].shape:
        raise ValueError(f"the first state is {tuple(h.shape)}, and must be {tuple(b[..., 0, :].shape)}, b without T")


class LinearRNN(nn.Module):
    """A layer whose gates read the input alone, never the state, so that :func:`scan` applies.

    a_t = sigmoid(x_t W_a^T + b_a)              what to keep, (B, H)
    h_t = a_t * h_{t-1} + (1 - a_t) * x_t W_x^T   a running mean whose rate the input chooses
    y_t = (h_t * silu(x_t W_g^T)) W_o^T          what to show, (B, D)
    The biases b_a start so that the H units remember for 1 to about 100 steps.
    """

    def __init__(self, D: int, H: int):
        super().__init__()
        self.W_a, self.W_x, self.W_g = nn.Linear(D, H), nn.Linear(D, H, bias=False), nn.Linear(D, H, bias=False)
        self.W_o = nn.Linear(H, D, bias=False)
        with torch.no_grad():
            self.W_a.bias.copy_(torch.linspace(0.0, 4.6, H))  # sigmoid(4.6) = 0.99

    def forward(self, x: Tensor, h: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """x (B, T, D) and the state (B, H), zeros if not given -> y (B, T, D) and the last state (B, H)."""
        a = self.W_a(x).sigmoid()
        states = scan(a, (1 - a) * self.W_x(x), h)
        return self.W_o(states * nn.functional.silu(self.W_g(x))), states[:, -1]


class LinearRNNLM(nn.Module):
    """A language model of blocks like a transformer's, with :class:`LinearRNN` in the place of attention.

    Its state is (layers, B, H), whatever the length of the text. Positions need no code: a recurrence has an order.
    """

    def __init__(self, vocab_size: int, d_model: int, layers: int, state_size: int | None = None):
        super().__init__()
        if layers < 1:
            raise ValueError(f"layers={layers} must be 1 or more")
        H = state_size or 2 * d_model
        self.embedding = nn.Embedding(vocab_size, d_model)
        nn.init.normal_(self.embedding.weight, std=d_model**-0.5)
        self.layers = nn.ModuleList(LinearRNN(d_model, H) for _ in range(layers))
        self.forwards = nn.ModuleList(FeedForward(d_model, 4 * d_model) for _ in range(layers))
        self.norms = nn.ModuleList(LayerNorm(d_model) for _ in range(2 * layers + 1))
        self.output = nn.Linear(d_model, vocab_size)

    def forward(self, ids: Tensor, state: Tensor | None = None):
        """ids (B, T) -> logits (B, T, V). With a state, for going on where a text stopped: -> logits, state.

        Errors: ValueError for ids outside the vocabulary; TypeError unless they are integers.
        """
        check_ids(ids, self.embedding.num_embeddings)
        x, new = self.embedding(ids), []
        for i, (layer, feed_forward) in enumerate(zip(self.layers, self.forwards, strict=True)):
            y, h = layer(self.norms[2 * i](x), None if state is None else state[i])
            x = x + y
            x = x + feed_forward(self.norms[2 * i + 1](x))
            new.append(h)
        logits = self.output(self.norms[-1](x))
        return logits if state is None else (logits, torch.stack(new))

    def initial_state(self, batch_size: int) -> Tensor:
        """The state before the first token, (layers, B, H)."""
        weight = self.embedding.weight
        return weight.new_zeros(len(self.layers), batch_size, self.layers[0].W_a.out_features)

    @staticmethod
    def select_state(state: Tensor, rows: Tensor) -> Tensor:
        """The state of some rows of the batch, in a new order or more than once: rows (B',)."""
        return state[:, rows]

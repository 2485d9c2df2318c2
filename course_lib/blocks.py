"""The parts of a transformer: positions, layer normalisation, feed-forward, and the block made of them.

Shapes: B batch, T positions (S of what is read besides), D width of the model, N heads of width K = D / N.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from course_lib.attention import MultiHeadAttention

__all__ = ["Block", "Cache", "FeedForward", "LayerNorm", "rotary_angles", "rotate", "sinusoidal"]

Cache = tuple[Tensor, Tensor]  # keys and values of what was read before, each (B, N, S, K)

ACTIVATIONS = {
    "relu": functional.relu,
    "gelu": functional.gelu,
    "gelu-tanh": lambda x: functional.gelu(x, approximate="tanh"),  # the approximation that GPT-2 was trained with
    "swiglu": functional.silu,
}


# ---- positions -----------------------------------------------------------------------------------------------------


def sinusoidal(T: int, D: int, base: float = 10_000.0) -> Tensor:
    """(T, D): sin(t w_i) in column 2i and cos(t w_i) in column 2i + 1, with w_i = base^(-2i / D).

    Errors: ValueError unless T is 1 or more and D is even, for each frequency has a sine and a cosine.
    """
    angle = rotary_angles(T, D, base=base)
    return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1)


def rotary_angles(T: int, K: int, start: int = 0, base: float = 10_000.0) -> Tensor:
    """(T, K / 2): the angle t w_i of pair i at place t = start, start + 1, ..., with w_i = base^(-2i / K).

    Errors: ValueError unless T is 1 or more and K is even.
    """
    if T < 1 or K % 2 or K < 2:
        raise ValueError(f"T={T} must be 1 or more and the width {K} even: every frequency takes a pair of numbers")
    frequency = base ** (-torch.arange(0, K, 2) / K)
    return torch.arange(start, start + T)[:, None] * frequency


def rotate(x: Tensor, angles: Tensor) -> Tensor:
    """Turn each pair (2i, 2i + 1) of x (..., T, K) by its angle (T, K / 2), as vectors in a plane."""
    angles = angles.to(x.dtype)
    turn = torch.polar(torch.ones_like(angles), angles)  # cos + i sin: a product of complex numbers adds the angles
    return torch.view_as_real(torch.view_as_complex(x.unflatten(-1, (-1, 2))) * turn).flatten(-2)


# ---- parts ---------------------------------------------------------------------------------------------------------


class LayerNorm(nn.Module):
    """gamma (x - mean) / sqrt(variance + eps) + beta, over the D features of each position by itself."""

    def __init__(self, D: int, eps: float = 1e-5):
        super().__init__()
        self.gamma, self.beta, self.eps = nn.Parameter(torch.ones(D)), nn.Parameter(torch.zeros(D)), eps

    def forward(self, x: Tensor) -> Tensor:
        """(..., D) -> (..., D)"""
        return functional.layer_norm(x, self.gamma.shape, self.gamma, self.beta, self.eps)  # one pass, in C++

    def copy_from(self, weight: Tensor, bias: Tensor | None, eps: float) -> None:
        """Take over the weights of ``nn.LayerNorm`` (without a bias, zeros)."""
        copy_into(self.gamma, weight)
        copy_into(self.beta, torch.zeros_like(weight) if bias is None else bias)
        self.eps = eps


class FeedForward(nn.Module):
    """Two layers at each position by itself: f(x W_1^T + b_1) W_2^T + b_2, f "relu", "gelu" or "gelu-tanh".

    "swiglu" has a third matrix, which gates the hidden layer: (silu(x W_1^T) * (x W_3^T)) W_2^T, with biases.
    Errors: ValueError for another f.
    """

    def __init__(self, D: int, hidden: int, activation: str = "gelu"):
        super().__init__()
        if activation not in ACTIVATIONS:
            raise ValueError(f"activation={activation!r} must be one of {sorted(ACTIVATIONS)}")
        self.f = ACTIVATIONS[activation]
        self.W_1, self.W_2 = nn.Linear(D, hidden), nn.Linear(hidden, D)
        self.W_3 = nn.Linear(D, hidden) if activation == "swiglu" else None

    def forward(self, x: Tensor) -> Tensor:
        """(..., D) -> (..., D)"""
        inner = self.f(self.W_1(x))
        return self.W_2(inner if self.W_3 is None else inner * self.W_3(x))


# ---- the block -----------------------------------------------------------------------------------------------------


class Block(nn.Module):
    """Attend, add, normalise; feed forward, add, normalise. With ``cross`` it also reads a memory, as decoders do.

    ``norm`` "pre" normalises what each part reads and leaves the sum alone, "post" normalises the sum, as in 2017.
    ``qk_norm`` brings every query and key to the same length. ``fused`` is that of :class:`MultiHeadAttention`.
    Errors: ValueError for another norm, or heads that do not divide D.
    """

    def __init__(self, D: int, heads: int, hidden: int | None = None, norm: str = "pre", activation: str = "gelu",
                 dropout: float = 0.0, cross: bool = False, qk_norm: bool = False, fused: bool = False):  # fmt: skip
        super().__init__()
        if norm not in ("pre", "post"):
            raise ValueError(f"norm={norm!r} must be 'pre' or 'post'")
        self.pre, self.qk_norm = norm == "pre", qk_norm
        self.attention = MultiHeadAttention(D, heads, fused=fused)
        self.cross = MultiHeadAttention(D, heads, fused=fused) if cross else None
        self.feed_forward = FeedForward(D, hidden or 4 * D, activation)
        self.norms = nn.ModuleList(LayerNorm(D) for _ in range(2 + cross))
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor | None = None, *, past: Cache | None = None, angles: Tensor | None = None,
                memory: Tensor | None = None, memory_mask: Tensor | None = None,
                seen: list[Tensor] | None = None):  # fmt: skip
        """x (B, T, D) -> (B, T, D) and the cache: the keys and values of ``past`` and of x.

        ``mask`` says which of these each place may look at; ``angles`` (T, K / 2) turn queries and keys (rotary
        positions); ``memory`` (B, S, D) is what a block with ``cross`` reads. The weights of each attention,
        (B, N, T, S), are appended to ``seen`` where it is given.
        Errors: ValueError when a memory is missing or not wanted.
        """
        if (memory is None) != (self.cross is None):
            raise ValueError("a block with cross=True, and only such a block, needs a memory to read")
        caches = []

        def attend(y: Tensor) -> Tensor:
            q, k, v = self.attention.project(y, y, y)
            if self.qk_norm:
                q, k = functional.rms_norm(q, q.shape[-1:]), functional.rms_norm(k, k.shape[-1:])
            if angles is not None:
                q, k = rotate(q, angles), rotate(k, angles)
            if past is not None:
                k, v = torch.cat([past[0], k], dim=-2), torch.cat([past[1], v], dim=-2)
            caches.append((k, v))
            return self._look(self.attention, q, k, v, mask, seen)

        x = self._add(x, attend, self.norms[0])
        if self.cross is not None:
            read = lambda y: self._look(self.cross, *self.cross.project(y, memory, memory), memory_mask, seen)  # noqa: E731
            x = self._add(x, read, self.norms[1])
        return self._add(x, self.feed_forward, self.norms[-1]), caches[0]

    def _add(self, x: Tensor, part, norm: LayerNorm) -> Tensor:
        if self.pre:
            return x + self.dropout(part(norm(x)))
        return norm(x + self.dropout(part(x)))

    @staticmethod
    def _look(attention: MultiHeadAttention, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None,
              seen: list[Tensor] | None) -> Tensor:  # fmt: skip
        if seen is None:
            return attention.attend(q, k, v, mask)
        output, weights = attention.attend(q, k, v, mask, weights=True)
        seen.append(weights)
        return output

    @classmethod
    def from_torch(cls, layer: nn.TransformerEncoderLayer | nn.TransformerDecoderLayer) -> Block:
        """A copy of its ``torch.nn`` twin: same weights, same outputs in evaluation mode (always batch first).

        The twin drops attention weights as well as outputs while it trains; this block drops outputs alone.
        Errors: TypeError for another module; ValueError for an activation that :class:`FeedForward` does not have.
        """
        cross = isinstance(layer, nn.TransformerDecoderLayer)
        if not cross and not isinstance(layer, nn.TransformerEncoderLayer):
            raise TypeError(f"from_torch takes a TransformerEncoderLayer or -DecoderLayer, not {type(layer).__name__}")
        names = {functional.relu: "relu", functional.gelu: "gelu"}
        if layer.activation not in names:
            raise ValueError(f"the layer's activation {layer.activation} is not relu or gelu")
        first, second = layer.linear1, layer.linear2
        block = cls(first.in_features, layer.self_attn.num_heads, first.out_features,
                    "pre" if layer.norm_first else "post", names[layer.activation], layer.dropout.p, cross)  # fmt: skip
        block.to(first.weight.dtype)
        block.attention = MultiHeadAttention.from_torch(layer.self_attn)
        if cross:
            block.cross = MultiHeadAttention.from_torch(layer.multihead_attn)
        copy_linear(block.feed_forward.W_1, first.weight, first.bias)
        copy_linear(block.feed_forward.W_2, second.weight, second.bias)
        for ours, i in zip(block.norms, (1, 2, 3), strict=False):
            theirs = getattr(layer, f"norm{i}")
            ours.copy_from(theirs.weight, theirs.bias, theirs.eps)
        return block.train(layer.training)


def copy_linear(layer: nn.Linear, weight: Tensor, bias: Tensor | None) -> None:
    """Put a weight (out, in) and a bias (out,), or zeros, into a layer."""
    copy_into(layer.weight, weight)
    copy_into(layer.bias, torch.zeros_like(layer.bias) if bias is None else bias)


def copy_into(own: nn.Parameter, given: Tensor) -> None:
    """Take over a weight. Errors: ValueError when the shapes differ."""
    if own.shape != given.shape:
        raise ValueError(f"a weight of shape {tuple(given.shape)} does not fit where {tuple(own.shape)} is expected")
    with torch.no_grad():
        own.copy_(given)

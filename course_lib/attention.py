"""Attention from scratch: weigh what there is to look at by how well it matches, and return the weighted mean.

Shapes: B batch, T queries, S keys (with one value each), N heads; ``...`` stands for any dimensions in front. A mask
is boolean, broadcastable to (..., T, S), True where a query may look. A query that may look nowhere gets zeros.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import pad, scaled_dot_product_attention

__all__ = [
    "AdditiveAttention",
    "DotAttention",
    "MultiHeadAttention",
    "attention",
    "causal_mask",
    "chunked_attention",
    "linear_attention",
    "padding_mask",
    "sliding_window_attention",
    "window_mask",
]


def attention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None,
              scale: float | None = None) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Scaled dot-product attention: softmax(scale * q k^T) v, row by row.

    q (..., T, d_k), k (..., S, d_k), v (..., S, d_v) -> output (..., T, d_v) and weights (..., T, S), which sum to 1
    over S. ``scale`` is 1 / sqrt(d_k) if not given. Errors: ValueError when widths or numbers of keys clash.
    """
    _check_shapes(q, k, v, mask)
    scores = q @ k.mT * (q.shape[-1] ** -0.5 if scale is None else scale)
    weights = masked_softmax(scores, mask)
    return weights @ v, weights


def masked_softmax(scores: Tensor, mask: Tensor | None) -> Tensor:
    """Softmax over the last dimension, among the places that the mask allows; zeros where it allows none."""
    if mask is None:
        return scores.softmax(-1)
    barred, some = scores.masked_fill(~mask, -math.inf), mask.any(-1, keepdim=True)
    if some.all():
        return barred.softmax(-1)
    return barred.masked_fill(~some, 0.0).softmax(-1).masked_fill(~mask, 0.0)


# ---- masks ---------------------------------------------------------------------------------------------------------


def causal_mask(T: int, S: int | None = None) -> Tensor:
    """(T, S), True up to each query's own place. With S > T the queries are the last T of S places."""
    S = T if S is None else S
    if not 1 <= T <= S:
        raise ValueError(f"T={T} queries and S={S} keys: a causal mask needs 1 <= T <= S")
    return torch.ones(T, S, dtype=torch.bool).tril(S - T)


def window_mask(T: int, width: int) -> Tensor:
    """(T, T), True for the query's own place and the ``width`` - 1 before it."""
    if width < 1:
        raise ValueError(f"width={width}: a window holds at least the place itself, so give 1 or more")
    return causal_mask(T).triu(1 - width)


def padding_mask(lengths: Sequence[int] | Tensor, S: int) -> Tensor:
    """(B, 1, S), True for the keys that are real. Errors: ValueError for a length outside 0 to S."""
    lengths = torch.as_tensor(lengths)
    if lengths.ndim != 1 or ((lengths < 0) | (lengths > S)).any():
        raise ValueError(f"lengths must be a row of numbers from 0 to {S}, the padded width, not {lengths.tolist()}")
    return (torch.arange(S, device=lengths.device) < lengths[:, None])[:, None]


# ---- scores of other kinds -----------------------------------------------------------------------------------------


class DotAttention(nn.Module):
    """Luong's score: q k^T without a scale, or, where the widths differ, q W k^T with a learned W."""

    def __init__(self, query_size: int, key_size: int):
        super().__init__()
        self.W = None if query_size == key_size else nn.Linear(query_size, key_size, bias=False)

    def forward(self, queries: Tensor, keys: Tensor, values: Tensor | None = None,
                mask: Tensor | None = None) -> tuple[Tensor, Tensor]:  # fmt: skip
        """queries (B, T, D_q), keys (B, S, D_k), values (B, S, D_v), the keys if not given -> output, weights."""
        q = queries if self.W is None else self.W(queries)
        return attention(q, keys, keys if values is None else values, mask, scale=1.0)


class AdditiveAttention(nn.Module):
    """Bahdanau's score: v . tanh(W q + U k), a small network that looks at query and key together."""

    def __init__(self, query_size: int, key_size: int, hidden_size: int):
        super().__init__()
        self.W = nn.Linear(query_size, hidden_size)
        self.U = nn.Linear(key_size, hidden_size, bias=False)
        self.v = nn.Linear(hidden_size, 1, bias=False)

    def forward(self, queries: Tensor, keys: Tensor, values: Tensor | None = None,
                mask: Tensor | None = None) -> tuple[Tensor, Tensor]:  # fmt: skip
        """As :meth:`DotAttention.forward`; holds T x S x hidden_size numbers on the way."""
        q, k, values = self.W(queries), self.U(keys), keys if values is None else values
        _check_shapes(q, k, values, mask)
        hidden = torch.tanh(q[..., :, None, :] + k[..., None, :, :])
        weights = masked_softmax(self.v(hidden)[..., 0], mask)
        return weights @ values, weights


# ---- several heads -------------------------------------------------------------------------------------------------


class MultiHeadAttention(nn.Module):
    """N heads of width d_k = d_model / N, each with its own projections, concatenated and mixed by W_o.

    The N matrices of each kind stand side by side in one: head i has columns i * d_k to (i + 1) * d_k of
    q = x W_q^T. ``fused`` lets PyTorch's kernel do the middle, which never forms the weights.
    Errors: ValueError unless the heads divide d_model.
    """

    def __init__(self, d_model: int, heads: int, bias: bool = True, fused: bool = False):
        super().__init__()
        if heads < 1 or d_model % heads:
            raise ValueError(f"heads={heads} must divide d_model={d_model}: each head gets d_model / heads columns")
        self.heads, self.fused = heads, fused
        self.W_q, self.W_k, self.W_v, self.W_o = (nn.Linear(d_model, d_model, bias) for _ in range(4))

    def forward(self, query: Tensor, key: Tensor | None = None, value: Tensor | None = None,
                mask: Tensor | None = None, weights: bool = False):  # fmt: skip
        """query (B, T, d_model), key and value (B, S, d_model) -> (B, T, d_model), and on demand weights (B, N, T, S).

        Without ``key`` the queries look at each other (self-attention); without ``value`` it is the key. The mask is
        (T, S), (B, 1, S) or (B, T, S), the same for every head, or (B, N, T, S).
        Errors: ValueError when shapes clash, and for weights of the fused kernel.
        """
        key = query if key is None else key
        q, k, v = self.project(query, key, key if value is None else value)
        return self.attend(q, k, v, mask, weights)

    def project(self, query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(B, T, d_model), twice (B, S, d_model) -> q (B, N, T, d_k), k and v (B, N, S, d_k)"""
        d_model = self.W_q.in_features
        if wrong := [tuple(x.shape) for x in (query, key, value) if x.ndim != 3 or x.shape[-1] != d_model]:
            raise ValueError(
                f"query, key and value must be (B, T or S, {d_model}), not {wrong[0]}; x[None] adds a batch"
            )
        return self.split(self.W_q(query)), self.split(self.W_k(key)), self.split(self.W_v(value))

    def attend(self, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None, weights: bool = False):
        """From the projections to the result of :meth:`forward`."""
        if mask is not None and mask.ndim == 3:
            mask = mask[:, None]
        if self.fused:
            if weights:
                raise ValueError("the fused kernel never forms the weights: set fused=False to see them")
            _check_shapes(q, k, v, mask)
            output, seen = _fused(q, k, v, mask), None
        else:
            output, seen = attention(q, k, v, mask)
        mixed = self.W_o(output.transpose(1, 2).flatten(2))
        return (mixed, seen) if weights else mixed

    def split(self, x: Tensor) -> Tensor:
        """(B, T, d_model) -> (B, N, T, d_k)"""
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    @classmethod
    def from_torch(cls, module: nn.MultiheadAttention) -> MultiHeadAttention:
        """A copy of its ``torch.nn`` twin: same weights, same outputs (always batch first).

        Errors: ValueError for one with widths of its own for keys or values, or with added keys.
        """
        if not module._qkv_same_embed_dim or module.bias_k is not None or module.add_zero_attn:
            raise ValueError("from_torch takes a MultiheadAttention without kdim, vdim, add_bias_kv, add_zero_attn")
        copy = cls(module.embed_dim, module.num_heads, bias=module.in_proj_bias is not None)
        copy.to(module.in_proj_weight.dtype)
        with torch.no_grad():
            for layer, weight in zip((copy.W_q, copy.W_k, copy.W_v), module.in_proj_weight.chunk(3), strict=True):
                layer.weight.copy_(weight)
            copy.W_o.weight.copy_(module.out_proj.weight)
            if module.in_proj_bias is not None:
                for layer, bias in zip((copy.W_q, copy.W_k, copy.W_v), module.in_proj_bias.chunk(3), strict=True):
                    layer.bias.copy_(bias)
                copy.W_o.bias.copy_(module.out_proj.bias)
        return copy.train(module.training)


def _fused(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None) -> Tensor:
    """PyTorch's kernel, with zeros for the queries that may look nowhere, whatever it gives for them."""
    if mask is None:
        return scaled_dot_product_attention(q, k, v)
    mask = torch.atleast_2d(mask)
    empty = ~mask.any(-1, keepdim=True)
    return scaled_dot_product_attention(q, k, v, attn_mask=mask | empty).masked_fill(empty, 0.0)


# ---- attention that holds less than T x S --------------------------------------------------------------------------


def chunked_attention(q: Tensor, k: Tensor, v: Tensor, chunk: int = 64, causal: bool = False) -> Tensor:
    """The output of :func:`attention`, with ``chunk`` keys at a time and a running softmax: exact, without T x S.

    m is the largest score so far, n and d are numerator and denominator of the weighted mean, both times e^-m. A new
    chunk can raise m; what has been summed is then rescaled. With ``causal`` the T queries are the last of S places.
    """
    _check_shapes(q, k, v, None)
    T, S = q.shape[-2], k.shape[-2]
    if chunk < 1 or (causal and T > S):
        raise ValueError(f"chunk={chunk} must be 1 or more, and a causal query needs a key: T={T} <= S={S}")
    place = torch.arange(S - T, S)[:, None]
    m = q.new_full((*q.shape[:-1], 1), -math.inf)
    n, d = q.new_zeros(*q.shape[:-1], v.shape[-1]), torch.zeros_like(m)
    for start in range(0, S, chunk):
        keys, values = k[..., start : start + chunk, :], v[..., start : start + chunk, :]
        scores = q @ keys.mT * q.shape[-1] ** -0.5
        if causal:
            later = torch.arange(start, start + keys.shape[-2]) > place
            scores = scores.masked_fill(later, -math.inf)
        higher = torch.maximum(m, scores.amax(-1, keepdim=True))  # the first chunk holds place 0, so it is finite
        old, new = (m - higher).exp(), (scores - higher).exp()
        n, d, m = old * n + new @ values, old * d + new.sum(-1, keepdim=True), higher
    return n / d


def sliding_window_attention(q: Tensor, k: Tensor, v: Tensor, width: int) -> Tensor:
    """Causal attention to the last ``width`` places, itself included, in blocks of ``width``: memory O(T width).

    q, k (..., T, d_k), v (..., T, d_v) -> (..., T, d_v). The same as :func:`attention` under :func:`window_mask`.
    """
    _check_shapes(q, k, v, None)
    T = q.shape[-2]
    if width < 1 or k.shape[-2] != T:
        raise ValueError(f"width={width} must be 1 or more, and keys as many as queries: {k.shape[-2]}, {T}")
    width = min(width, T)
    blocks = -(-T // width)
    q = pad(q, (0, 0, 0, blocks * width - T)).unflatten(-2, (blocks, width))
    k, v = (pad(x, (0, 0, width, blocks * width - T)).unflatten(-2, (blocks + 1, width)) for x in (k, v))
    k, v = (torch.cat([x[..., :-1, :, :], x[..., 1:, :, :]], dim=-2) for x in (k, v))  # the block before, and its own
    back = width + torch.arange(width)[:, None] - torch.arange(2 * width)  # how many places back a key lies
    real = torch.arange(blocks)[:, None, None] * width + torch.arange(2 * width) >= width  # not the padding in front
    output, _ = attention(q, k, v, mask=(back >= 0) & (back < width) & real)
    return output.flatten(-3, -2)[..., :T, :]


def linear_attention(q: Tensor, k: Tensor, v: Tensor, causal: bool = True) -> Tensor:
    """phi(q_t) sum_s phi(k_s) v_s^T / phi(q_t) sum_s phi(k_s), with phi(x) = elu(x) + 1 in place of the exponential.

    q (..., T, d_k), k (..., S, d_k), v (..., S, d_v) -> (..., T, d_v). With ``causal`` the sums run over s <= t, so
    that they are the state of a recurrent network; T and S are then equal.
    """
    _check_shapes(q, k, v, None)
    q, k = _phi(q), _phi(k)
    if not causal:
        return q @ (k.mT @ v) / (q @ k.sum(-2)[..., None])
    if q.shape[-2] != k.shape[-2]:
        raise ValueError(f"causal linear attention needs as many keys as queries: {k.shape[-2]}, {q.shape[-2]}")
    sums = torch.cumsum(k[..., None] * v[..., None, :], dim=-3)  # (..., T, d_k, d_v)
    top = (q[..., None, :] @ sums)[..., 0, :]
    return top / (q * k.cumsum(-2)).sum(-1, keepdim=True)


def _phi(x: Tensor) -> Tensor:
    """elu(x) + 1, but without elu's -1 + e^x, in which a small e^x is lost, and all of it below x = -17."""
    return torch.where(x > 0, x + 1, x.clamp(max=0).exp())


def _check_shapes(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None) -> None:
    try:
        alike = q.shape[:-2] == k.shape[:-2] == v.shape[:-2]  # a shorter way, since this is asked for every token
        front = q.shape[:-2] if alike else torch.broadcast_shapes(q.shape[:-2], k.shape[:-2], v.shape[:-2])
        fits = q.ndim > 1 and q.shape[-1] == k.shape[-1] and k.shape[-2] == v.shape[-2] and 0 not in k.shape
    except (IndexError, RuntimeError):  # too few dimensions, or batches that clash
        fits = False
    if not fits:
        shapes = ", ".join(f"{name} {tuple(x.shape)}" for name, x in (("q", q), ("k", k), ("v", v)))
        raise ValueError(f"q (..., T, d_k), k (..., S, d_k), v (..., S, d_v) must fit together, not empty: {shapes}")
    if mask is not None:
        wanted = (*front, q.shape[-2], k.shape[-2])
        try:
            fits = torch.broadcast_shapes(mask.shape, wanted) == wanted
        except RuntimeError:
            fits = False
        if mask.dtype != torch.bool or not fits:
            raise ValueError(f"the mask is {mask.dtype} {tuple(mask.shape)}, and must be boolean, to fit {wanted}")

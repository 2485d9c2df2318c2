"""Bend a distribution over the next token: temperature, and what top-k, top-p and min-p leave of it.

Logits (..., V) are logarithms of probabilities up to a constant; minus infinity is a probability of zero.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

__all__ = ["bent", "keep_min_p", "keep_top_k", "keep_top_p"]


def keep_top_k(logits: Tensor, k: int) -> Tensor:
    """The k largest logits of each row (..., V), ties with the k-th included; minus infinity for the others.

    Errors: ValueError for k below 1. A k above V keeps everything.
    """
    if k < 1:
        raise ValueError(f"top_k={k} must be 1 or more")
    least = logits.topk(min(k, logits.shape[-1]), dim=-1).values[..., -1:]
    return logits.masked_fill(logits < least, -math.inf)


def keep_top_p(logits: Tensor, p: float) -> Tensor:
    """The nucleus: the fewest most probable tokens that hold the mass p together, at least one; else minus infinity.

    Errors: ValueError unless 0 < p <= 1.
    """
    if not 0 < p <= 1:
        raise ValueError(f"top_p={p} is a mass: above 0 and at most 1")
    if p == 1:
        return logits  # else rounding errors of the sum would drop the last ones
    ordered, order = logits.softmax(-1).sort(dim=-1, descending=True, stable=True)
    before = ordered.cumsum(-1) - ordered  # the mass of the more probable ones
    drop = torch.zeros_like(logits, dtype=torch.bool).scatter(-1, order, before >= p)
    return logits.masked_fill(drop, -math.inf)


def keep_min_p(logits: Tensor, p: float) -> Tensor:
    """The tokens at least p times as probable as the most probable one; minus infinity for the others.

    Errors: ValueError unless 0 <= p <= 1.
    """
    if not 0 <= p <= 1:
        raise ValueError(f"min_p={p} is a share of the largest probability: from 0 to 1")
    return logits.masked_fill(logits < logits.amax(-1, keepdim=True) + (math.log(p) if p else -math.inf), -math.inf)


def bent(logits: Tensor, temperature: float = 1.0, top_k: int | None = None, top_p: float | None = None,
         min_p: float | None = None, forbid: Sequence[int] = ()) -> Tensor:  # fmt: skip
    """The distribution (..., V) that :func:`generate` draws from, given logits (..., V).

    First the ids in ``forbid`` lose their mass; then the logits are divided by the temperature; then top-k, top-p and
    min-p cut, in this order, each seeing what the one before it left. At temperature 0 the most probable token has it
    all. Errors: ValueError for settings without sense, for NaN, and where no token has any mass left.
    """
    if not 0 <= temperature < math.inf:
        raise ValueError(f"temperature={temperature} must be 0 (greedy) or a positive number")
    if len(forbid):
        if not 0 <= min(forbid) <= max(forbid) < logits.shape[-1]:
            raise ValueError(f"forbid={list(forbid)} must be ids from 0 to {logits.shape[-1] - 1}")
        logits = logits.index_fill(-1, torch.as_tensor(forbid), -math.inf)
    best = logits.amax(-1, keepdim=True)
    if not best.isfinite().all():
        raise ValueError(
            "there is nothing to draw from: the model gives NaN or infinite logits, or all its mass is on forbidden ids"
        )
    if temperature == 0:
        return torch.zeros_like(logits).scatter(-1, logits.argmax(-1, keepdim=True), 1.0)
    logits = ((logits - best).double() / temperature).to(logits.dtype)  # a float would take 1e-50 for 0
    for keep, value in ((keep_top_k, top_k), (keep_top_p, top_p), (keep_min_p, min_p)):
        logits = logits if value is None else keep(logits, value)
    return logits.softmax(-1)

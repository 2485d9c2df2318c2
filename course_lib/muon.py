"""Muon: momentum for matrices whose every direction is then made equally long, and optimisers that work together.

Source: K. Jordan and others, "Muon: an optimizer for hidden layers in neural networks", 2024.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from course_lib.optimizers import AdamW, _check, _not_negative, _Optimizer

__all__ = ["Muon", "Together", "muon_and_adamw", "orthogonalise"]

COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # a, b, c of Jordan's polynomial: steep at 0, and between 0.68 and 1.13 soon


def orthogonalise(G: Tensor, steps: int = 5, eps: float = 1e-7, dtype: torch.dtype | None = None) -> Tensor:
    """The matrix U V^T of the singular value decomposition G = U S V^T, nearly, without the decomposition.

    Newton-Schulz: X = G / |G|, then ``steps`` times  X = a X + (b A + c A A) X  with A = X X^T. This applies the
    polynomial a s + b s^3 + c s^5 to each singular value s and leaves U and V alone. After 5 steps values from 0.01 of
    |G| to |G| lie between 0.68 and 1.21; that is near enough to 1, and faster than an exact method.
    G (..., m, n), several matrices at once where there are dimensions in front. The products are taken in ``dtype``,
    if not given in that of G; the result has that of G. Errors: ValueError for a vector.
    """
    if G.ndim < 2:
        raise ValueError(f"only a matrix has singular values, and this is {tuple(G.shape)}: give (..., m, n)")
    a, b, c = COEFFICIENTS
    X = G.mT if G.shape[-2] > G.shape[-1] else G  # X X^T is then the smaller of the two products
    X = (X / (X.norm(dim=(-2, -1), keepdim=True) + eps)).to(dtype or G.dtype)
    for _ in range(steps):
        A = X @ X.mT
        X = a * X + (b * A + c * A @ A) @ X
    return (X.mT if G.shape[-2] > G.shape[-1] else X).to(G.dtype)


class Muon(_Optimizer):
    """Momentum, then the whole step made orthogonal: every direction of the matrix moves equally far.

    m = mu m + (1 - mu) g        M = mu m + (1 - mu) g   (Nesterov: one step ahead; else M = m)
    p = (1 - eta lambda) p - eta sqrt(max(1, rows / columns)) UV^T        with U S V^T = M
    For the matrices inside a network. Embeddings and outputs, where a row belongs to one token, and vectors take
    :class:`AdamW` (:func:`muon_and_adamw`). Options, defaults and steps are those of ``torch.optim.Muon``, which rounds
    the products to bfloat16; here that is ``ns_dtype=torch.bfloat16``, twice as fast on processors that have it.
    Errors: ValueError for a parameter that is no matrix.
    """

    def __init__(self, params: Iterable[Tensor], lr: float = 1e-3, weight_decay: float = 0.1, momentum: float = 0.95,
                 nesterov: bool = True, ns_steps: int = 5, ns_dtype: torch.dtype | None = None):  # fmt: skip
        _check(momentum=momentum)
        if ns_steps < 1:
            raise ValueError(f"ns_steps={ns_steps} must be 1 or more")
        options = {"momentum": momentum, "nesterov": nesterov, "ns_steps": ns_steps}
        super().__init__(params, lr, weight_decay=_not_negative("weight_decay", weight_decay), **options)
        self.ns_dtype = ns_dtype
        for i, p in enumerate(self.param_groups[0]["params"]):
            if p.ndim != 2:
                raise ValueError(f"parameter {i} has shape {tuple(p.shape)}: Muon is for matrices, give it to AdamW")

    @torch.no_grad()
    def step(self) -> None:
        """Move every parameter that has a gradient; matrices of one shape are made orthogonal together."""
        group, alike = self.param_groups[0], {}
        for p, state in zip(group["params"], self.state, strict=True):
            if p.grad is not None:
                m = state.setdefault("m", torch.zeros_like(p)).lerp_(p.grad, 1 - group["momentum"])
                ahead = p.grad.lerp(m, group["momentum"]) if group["nesterov"] else m
                tall = p.shape[0] > p.shape[1]
                alike.setdefault(tuple(sorted(p.shape)), []).append((p, ahead.mT if tall else ahead))
        for (short, long), pairs in alike.items():
            together = torch.stack([ahead for _, ahead in pairs])
            steps = orthogonalise(together, group["ns_steps"], dtype=self.ns_dtype)
            for (p, _), step in zip(pairs, steps, strict=True):
                tall = p.shape[0] > p.shape[1]
                p.mul_(1 - group["lr"] * group["weight_decay"])
                p.add_(step.mT if tall else step, alpha=-group["lr"] * (math.sqrt(long / short) if tall else 1.0))


class Together:
    """Several optimisers called as one, each for its own parameters.

    ``param_groups[0]["lr"]`` is the rate of the first; the others keep their ratio to it when a schedule changes it.
    Errors: ValueError without an optimiser, for one parameter in two of them, or when the first has the rate 0.
    """

    def __init__(self, *optimizers: _Optimizer):
        owned = [p for optimizer in optimizers for p in optimizer.param_groups[0]["params"]]
        if not optimizers or len({id(p) for p in owned}) < len(owned):
            raise ValueError("give one optimiser or more, and each parameter to one of them alone")
        rates = [optimizer.param_groups[0]["lr"] for optimizer in optimizers]
        if not rates[0] > 0:
            raise ValueError("the first optimiser has the rate 0, so that no ratio to it can be kept")
        self.optimizers, self.ratios = optimizers, [rate / rates[0] for rate in rates]
        self.param_groups = [{"params": owned, "lr": rates[0]}]

    def zero_grad(self) -> None:
        """Forget the gradients of the last step."""
        for optimizer in self.optimizers:
            optimizer.zero_grad()

    def step(self) -> None:
        """Let every optimiser take its step, at its share of the common rate."""
        for optimizer, ratio in zip(self.optimizers, self.ratios, strict=True):
            optimizer.param_groups[0]["lr"] = self.param_groups[0]["lr"] * ratio
            optimizer.step()

    def state_dict(self) -> dict:
        """What a checkpoint needs: the common rate, the ratios to it, and the states one behind the other."""
        states = [optimizer.state_dict() for optimizer in self.optimizers]
        return {"lr": self.param_groups[0]["lr"], "ratios": self.ratios, "states": states}

    def load_state_dict(self, saved: dict) -> None:
        """Go on from a saved state. Errors: ValueError if it does not fit."""
        if len(saved["states"]) != len(self.optimizers):
            raise ValueError(f"the state is of {len(saved['states'])} optimisers, and these are {len(self.optimizers)}")
        for optimizer, state in zip(self.optimizers, saved["states"], strict=True):
            optimizer.load_state_dict(state)
        self.param_groups[0]["lr"], self.ratios = saved["lr"], list(saved["ratios"])


def muon_and_adamw(model: nn.Module, lr: float = 0.02, adamw_lr: float = 3e-3, weight_decay: float = 0.0,
                   ns_dtype: torch.dtype | None = None) -> Together:  # fmt: skip
    """Muon for the matrices inside a model, AdamW (betas 0.9, 0.95) for all else: embeddings, output, vectors.

    The output is the layer called ``model.output``, as in the language models of this package.
    Errors: ValueError for a model with no other matrices.
    """
    tables = [module for module in model.modules() if isinstance(module, nn.Embedding)]
    ends = {id(p) for module in (*tables, getattr(model, "output", nn.Module())) for p in module.parameters()}
    matrices = [p for p in model.parameters() if p.ndim == 2 and id(p) not in ends]
    if not matrices:
        raise ValueError(f"{type(model).__name__} has no matrices between embedding and output: Muon is for these")
    inside = {id(p) for p in matrices}
    rest = [p for p in model.parameters() if id(p) not in inside]
    return Together(
        Muon(matrices, lr, weight_decay=weight_decay, ns_dtype=ns_dtype),
        AdamW(rest, adamw_lr, betas=(0.9, 0.95), weight_decay=weight_decay),
    )

"""Optimisers from scratch, called as those of ``torch.optim``: the gradient says where, these say how far.

Each holds a reference to the parameters, reads their ``.grad`` and changes them in place. ``g`` is the gradient and
``eta`` the learning rate; all products and roots are taken element by element.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import torch
from torch import Tensor

__all__ = ["SGD", "Adam", "AdamW", "RMSProp"]


class _Optimizer:
    """What all share: the parameters, the learning rate, and the memory that the method keeps for each parameter.

    ``param_groups[0]["lr"]`` is the learning rate, as in ``torch.optim``, so that a schedule can change it.
    """

    def __init__(self, params: Iterable[Tensor], lr: float, **options: float):
        params = list(params)
        if not params:
            raise ValueError("there are no parameters to optimise: give model.parameters()")
        if not all(isinstance(p, Tensor) for p in params):
            raise TypeError("params must be tensors: give model.parameters(), not named_parameters() or the model")
        if not (math.isfinite(lr) and lr >= 0):
            raise ValueError(f"lr={lr} must be a finite number, 0 or more")
        self.param_groups = [{"params": params, "lr": lr, **options}]
        self.state: list[dict] = [{} for _ in params]

    def zero_grad(self) -> None:
        """Forget the gradients of the last step; without it, backward() adds to them."""
        for p in self.param_groups[0]["params"]:
            p.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """Move every parameter that has a gradient."""
        group = self.param_groups[0]
        for p, state in zip(group["params"], self.state, strict=True):
            if p.grad is not None:
                self._update(p, p.grad, state, group)

    def _update(self, p: Tensor, g: Tensor, state: dict, group: dict) -> None:
        raise NotImplementedError

    def state_dict(self) -> dict:
        """What a checkpoint needs: the options and the memory of each parameter, in their order."""
        options = {k: v for k, v in self.param_groups[0].items() if k != "params"}
        return {"method": type(self).__name__, "options": options, "state": [dict(s) for s in self.state]}

    def load_state_dict(self, saved: dict) -> None:
        """Go on from a saved state. Errors: ValueError if it belongs to another method or to other parameters."""
        params = self.param_groups[0]["params"]
        if saved["method"] != type(self).__name__:
            raise ValueError(f"the state was saved by {saved['method']}, and this is {type(self).__name__}")
        if len(saved["state"]) != len(params):
            raise ValueError(f"the state is for {len(saved['state'])} parameters, and there are {len(params)}")
        for i, (p, s) in enumerate(zip(params, saved["state"], strict=True)):
            for name, v in s.items():
                if isinstance(v, Tensor) and v.shape != p.shape:
                    raise ValueError(f"{name} of parameter {i} has shape {tuple(v.shape)}, not {tuple(p.shape)}")
        self.param_groups[0].update(saved["options"])
        self.state = [{k: v.clone() if isinstance(v, Tensor) else v for k, v in s.items()} for s in saved["state"]]


class SGD(_Optimizer):
    """Stochastic gradient descent, with a running sum of past gradients (momentum) if ``momentum`` > 0.

    m = mu * m + g          the first time m = g
    p = p - eta * m         without momentum p = p - eta * g
    ``weight_decay`` lambda adds lambda * p to g.
    """

    def __init__(self, params: Iterable[Tensor], lr: float = 1e-3, momentum: float = 0.0, weight_decay: float = 0.0):
        _check(momentum=momentum)
        super().__init__(params, lr, momentum=momentum, weight_decay=_not_negative("weight_decay", weight_decay))

    def _update(self, p: Tensor, g: Tensor, state: dict, group: dict) -> None:
        g = g + group["weight_decay"] * p if group["weight_decay"] else g
        if group["momentum"]:
            m = state.setdefault("m", torch.zeros_like(p))
            g = m.mul_(group["momentum"]).add_(g)
        p.add_(g, alpha=-group["lr"])


class RMSProp(_Optimizer):
    """Divide each step by the recent size of the gradient in that coordinate.

    v = alpha * v + (1 - alpha) * g^2
    p = p - eta * g / (sqrt(v) + eps)
    """

    def __init__(self, params: Iterable[Tensor], lr: float = 1e-2, alpha: float = 0.99, eps: float = 1e-8):
        _check(alpha=alpha)
        super().__init__(params, lr, alpha=alpha, eps=_not_negative("eps", eps))

    def _update(self, p: Tensor, g: Tensor, state: dict, group: dict) -> None:
        v = state.setdefault("v", torch.zeros_like(p))
        v.mul_(group["alpha"]).addcmul_(g, g, value=1 - group["alpha"])
        p.addcdiv_(g, v.sqrt().add_(group["eps"]), value=-group["lr"])


class Adam(_Optimizer):
    """Momentum over the gradient, divided by its recent size; both corrected for having started at zero.

    m = b1 * m + (1 - b1) * g           M = m / (1 - b1^k)     after k steps
    v = b2 * v + (1 - b2) * g^2         V = v / (1 - b2^k)
    p = p - eta * M / (sqrt(V) + eps)
    ``weight_decay`` lambda adds lambda * p to g, so that it is divided by sqrt(V) as well; :class:`AdamW` does not.
    """

    decoupled = False

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ):
        _check(b1=betas[0], b2=betas[1])
        _not_negative("weight_decay", weight_decay)
        super().__init__(params, lr, betas=betas, eps=_not_negative("eps", eps), weight_decay=weight_decay)

    def _update(self, p: Tensor, g: Tensor, state: dict, group: dict) -> None:
        (b1, b2), eta, decay = group["betas"], group["lr"], group["weight_decay"]
        if decay and self.decoupled:
            p.mul_(1 - eta * decay)
        elif decay:
            g = g + decay * p
        m, v = (state.setdefault(name, torch.zeros_like(p)) for name in "mv")
        state["k"] = k = state.get("k", 0) + 1
        m.mul_(b1).add_(g, alpha=1 - b1)
        v.mul_(b2).addcmul_(g, g, value=1 - b2)
        size = (v / (1 - b2**k)).sqrt_().add_(group["eps"])
        p.addcdiv_(m, size, value=-eta / (1 - b1**k))


class AdamW(Adam):
    """Adam with the decay taken off the weights themselves: p = (1 - eta * lambda) p before the step."""

    decoupled = True

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.01,
    ):
        super().__init__(params, lr, betas, eps, weight_decay)


# ---- learning rates over time, and clipping ------------------------------------------------------------------------


def warmup_cosine(steps: int, warmup: int = 0, final: float = 0.0) -> Callable[[int], float]:
    """A schedule: step number (from 1) -> factor on the learning rate, up in a line, then down along a cosine.

    The factor is k/warmup for the first ``warmup`` steps and then falls from 1 to ``final`` at the last step.
    Errors: ValueError unless 0 <= warmup < steps and 0 <= final <= 1.
    """
    if not 0 <= warmup < steps or not 0 <= final <= 1:
        raise ValueError(f"warmup={warmup}, steps={steps}, final={final}: 0 <= warmup < steps and 0 <= final <= 1")

    def factor(step: int) -> float:
        if step <= warmup:
            return step / warmup
        done = min((step - warmup) / (steps - warmup), 1.0)
        return final + (1 - final) * 0.5 * (1 + math.cos(math.pi * done))

    return factor


@torch.no_grad()
def clip_gradients(params: Iterable[Tensor], max_norm: float = math.inf) -> float:
    """Scale all gradients together so that their norm is at most ``max_norm``; the direction stays.

    Returns the global L2 norm before clipping. Errors: ValueError unless ``max_norm`` is positive.
    """
    if not max_norm > 0:
        raise ValueError(f"max_norm={max_norm} must be positive")
    grads = [p.grad for p in params if p.grad is not None]
    if not grads:
        return 0.0
    norm = float(torch.stack([torch.linalg.vector_norm(g.double()) for g in grads]).norm())
    if norm > max_norm and math.isfinite(norm):
        for g in grads:
            g.mul_(max_norm / norm)
    return norm


# ---- helpers -------------------------------------------------------------------------------------------------------


def _check(**rates: float) -> None:
    for name, value in rates.items():
        if not 0 <= value < 1:
            raise ValueError(f"{name}={value} must be at least 0 and below 1")


def _not_negative(name: str, value: float) -> float:
    if not value >= 0:
        raise ValueError(f"{name}={value} must be 0 or more")
    return value

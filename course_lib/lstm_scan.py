"""An LSTM over all steps as one operation, its gradient derived by hand as in backpropagation through time.

:class:`course_lib.rnn.LSTMCell` says what an LSTM does; this does the same faster, and the tests hold the two together.
Two things are saved. Autograd would keep a record of a dozen operations a step, and it would add to the gradient of
W_h at every step, where one product of all steps together gives the same.
"""

from __future__ import annotations

import torch
from torch import Tensor


class LSTMScan(torch.autograd.Function):
    """All steps of one LSTM layer: projected inputs a (T, B, 4H), W_h (4H, H), h_0 and c_0 (B, H) -> h (T, B, H), c_T.

    Forward, with the blocks i, f, g, o of u_t = a_t + h_{t-1} W_h^T squashed:
        c_t = f * c_{t-1} + i * g,    h_t = o * tanh(c_t)
    Backward, from the last step to the first, with dh and dc what the loss and the later steps say of h_t and c_t:
        dc = dc + dh * o * (1 - tanh(c_t)^2)
        du = (dc * g * i(1-i),  dc * c_{t-1} * f(1-f),  dc * i * (1-g^2),  dh * tanh(c_t) * o(1-o))
        dc = dc * f,    dh = du W_h          for the step before
    and dW_h is the sum over steps of du_t^T h_{t-1}. It can be differentiated once; a second time
    gives a RuntimeError.
    """

    @staticmethod
    def forward(ctx, a: Tensor, W_h: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        T, B, _ = a.shape
        H = W_h.shape[1]
        gates, tanh_c = torch.empty_like(a), a.new_empty(T, B, H)
        hs, cs = a.new_empty(T + 1, B, H), a.new_empty(T + 1, B, H)
        hs[0], cs[0] = h, c
        for t in range(T):
            u = torch.addmm(a[t], hs[t], W_h.T, out=gates[t])
            i, f, g, o = u.chunk(4, dim=-1)
            u[:, : 2 * H].sigmoid_()
            g.tanh_()
            o.sigmoid_()
            torch.addcmul(f * cs[t], i, g, out=cs[t + 1])
            torch.tanh(cs[t + 1], out=tanh_c[t])
            torch.mul(o, tanh_c[t], out=hs[t + 1])
        ctx.save_for_backward(gates, hs, cs, tanh_c, W_h)
        return hs[1:].clone(), cs[-1].clone()

    @staticmethod
    def backward(ctx, d_hs: Tensor, dc: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        if torch.is_grad_enabled():  # create_graph=True: a gradient of this gradient is wanted
            raise RuntimeError("LSTM can be differentiated once; for second derivatives call its cells step by step")
        gates, hs, cs, tanh_c, W_h = ctx.saved_tensors
        T, B, _ = gates.shape
        H = W_h.shape[1]
        i, f, g, o = gates.chunk(4, dim=-1)
        du = torch.empty_like(gates)  # first the factors that do not depend on dh and dc, for all steps at once
        for block, (value, slope) in zip(
            du.chunk(4, dim=-1),
            ((g, i - i * i), (cs[:-1], f - f * f), (i, 1 - g * g), (tanh_c, o - o * o)),
            strict=True,
        ):
            torch.mul(value, slope, out=block)
        through_h = o * (1 - tanh_c * tanh_c)
        dh = torch.zeros_like(dc)
        for t in reversed(range(T)):
            dh = dh + d_hs[t]
            dc = torch.addcmul(dc, dh, through_h[t])
            du[t, :, : 3 * H].view(B, 3, H).mul_(dc[:, None])
            du[t, :, 3 * H :].mul_(dh)
            dc, dh = dc * f[t], du[t] @ W_h
        return du, du.flatten(0, 1).T @ hs[:-1].flatten(0, 1), dh, dc

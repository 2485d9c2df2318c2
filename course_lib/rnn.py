"""Recurrent layers from scratch: Elman, LSTM and GRU, in layers and both directions, and a language model on top.

A *cell* takes one step. The loop over time, the layers and the directions are the same for all three and stand
once, in ``_Recurrent``. Shapes: B batch, T time, D input width, H hidden width, L layers times directions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from course_lib.lstm_scan import LSTMScan

__all__ = ["GRU", "LSTM", "RNNLM", "ElmanCell", "ElmanRNN", "GRUCell", "LSTMCell"]

State = tuple[Tensor, ...]  # h first; an LSTM's c second; each (B, H)


# ---- one step ------------------------------------------------------------------------------------------------------


class _Cell(nn.Module):
    """Weights of one recurrent layer, ``blocks`` of H rows each; what it does with them is ``step``."""

    blocks: ClassVar[int]
    states: ClassVar[int] = 1

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True):
        super().__init__()
        rows, bound = self.blocks * hidden_size, hidden_size**-0.5
        self.W_x = nn.Parameter(torch.empty(rows, input_size).uniform_(-bound, bound))
        self.W_h = nn.Parameter(torch.empty(rows, hidden_size).uniform_(-bound, bound))
        self.b = nn.Parameter(torch.zeros(rows)) if bias else None

    def project(self, x: Tensor) -> Tensor:
        """What the input adds, x W_x^T + b: (..., D) -> (..., blocks * H), for all steps at once."""
        return linear(x, self.W_x, self.b)

    def step(self, a: Tensor, state: State) -> State:
        """Projected input (B, blocks * H) and the state, each (B, H)  ->  the next state."""
        raise NotImplementedError

    def forward(self, x: Tensor, state: State) -> State:
        """x (B, D) and the state, each (B, H)  ->  the next state."""
        return self.step(self.project(x), state)

    @torch.no_grad()
    def load(self, W_x: Tensor, W_h: Tensor, b_x: Tensor | None, b_h: Tensor | None) -> None:
        """Take over PyTorch's weights; it keeps two biases, of which only the sum matters."""
        self.W_x.copy_(W_x)
        self.W_h.copy_(W_h)
        if b_x is not None:
            self.b.copy_(b_x + b_h)


class ElmanCell(_Cell):
    """h_t = f(x_t W_x^T + h_{t-1} W_h^T + b), with f the tanh, or the ReLU."""

    blocks = 1

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True, nonlinearity: str = "tanh"):
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"nonlinearity={nonlinearity!r} must be 'tanh' or 'relu'")
        super().__init__(input_size, hidden_size, bias)
        self.f = {"tanh": torch.tanh, "relu": torch.relu}[nonlinearity]

    def step(self, a: Tensor, state: State) -> State:
        (h,) = state
        return (self.f(torch.addmm(a, h, self.W_h.T)),)


class LSTMCell(_Cell):
    """Long short-term memory: a cell state that is added to, and gates that decide what goes in and out.

    a   = x_t W_x^T + h_{t-1} W_h^T + b        (B, 4H), blocks in PyTorch's order i, f, g, o
    c_t = s(f) * c_{t-1} + s(i) * tanh(g)      (B, H), s the sigmoid
    h_t = s(o) * tanh(c_t)                     (B, H)
    """

    blocks, states = 4, 2

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True, forget_bias: float = 1.0):
        super().__init__(input_size, hidden_size, bias)
        if bias:  # start with the forget gate mostly open, so that memory survives early training
            self.b.data[hidden_size : 2 * hidden_size] = forget_bias

    def step(self, a: Tensor, state: State) -> State:
        h, c = state
        i, f, g, o = torch.addmm(a, h, self.W_h.T).chunk(4, dim=-1)
        c = torch.addcmul(f.sigmoid() * c, i.sigmoid(), g.tanh())
        return o.sigmoid() * c.tanh(), c


class GRUCell(_Cell):
    """Gated recurrent unit, in PyTorch's form; blocks in the order r, z, n.

    r, z = s(x W_r^T + h W_hr^T + b_r), s(x W_z^T + h W_hz^T + b_z)
    n    = tanh(x W_n^T + b + r * (h W_hn^T + b_n))
    h_t  = (1 - z) * n + z * h_{t-1}
    """

    blocks = 3

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True):
        super().__init__(input_size, hidden_size, bias)
        self.b_n = nn.Parameter(torch.zeros(hidden_size)) if bias else None

    def step(self, a: Tensor, state: State) -> State:
        (h,) = state
        size = 2 * h.shape[-1]
        u = h @ self.W_h.T
        r, z = (a[:, :size] + u[:, :size]).sigmoid().chunk(2, dim=-1)
        from_past = u[:, size:] if self.b_n is None else u[:, size:] + self.b_n
        n = torch.addcmul(a[:, size:], r, from_past).tanh()
        return (torch.lerp(n, h, z),)

    @torch.no_grad()
    def load(self, W_x: Tensor, W_h: Tensor, b_x: Tensor | None, b_h: Tensor | None) -> None:
        super().load(W_x, W_h, b_x, b_h)
        if b_x is not None:  # the candidate's second bias is inside the reset gate, so it stays apart
            size = 2 * self.W_h.shape[1]
            self.b[size:] = b_x[size:]
            self.b_n.copy_(b_h[size:])


# ---- over time, layers and directions ------------------------------------------------------------------------------


class _Recurrent(nn.Module):
    """Layers of cells over padded batches; the constructor's arguments are those of ``torch.nn``, batch first."""

    cell: ClassVar[type[_Cell]]

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        dropout: float = 0.0,
        bidirectional: bool = False,
        **options: object,
    ):
        super().__init__()
        if min(input_size, hidden_size, num_layers) < 1 or not 0 <= dropout < 1:
            raise ValueError(
                f"input_size={input_size}, hidden_size={hidden_size}, num_layers={num_layers} must be 1 or more, "
                f"and dropout={dropout} at least 0 and below 1"
            )
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        self.bidirectional, self.directions = bidirectional, 1 + bidirectional
        widths = [input_size] + [self.directions * hidden_size] * (num_layers - 1)
        self.cells = nn.ModuleList(
            self.cell(width, hidden_size, bias, **options) for width in widths for _ in range(self.directions)
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, state: Tensor | State | None = None, lengths: Sequence[int] | Tensor | None = None):
        """x (B, T, D) -> output (B, T, directions * H), zero on padding, and the state after each row's last token.

        ``state`` is (L, B, H), for an LSTM a pair of these; zero if not given. ``lengths`` (B,) says how many steps
        of each row are real; the backward direction begins at each row's own end.
        Errors: ValueError for a wrong width, state, or length.
        """
        _check_input(x, self.input_size)
        mask = None if lengths is None else _mask(lengths, *x.shape[:2]).to(x.device)
        x = x if mask is None else x.masked_fill(~mask[..., None], 0)  # so that padding reaches no gradient
        initial = self._unpack(state, x)
        finals = []
        for layer in range(self.num_layers):
            x = self.dropout(x) if layer else x
            outputs = []
            for direction in range(self.directions):
                i = layer * self.directions + direction
                y, final = _scan(self.cells[i], x, tuple(s[i] for s in initial), mask, backward=direction == 1)
                outputs.append(y)
                finals.append(final)
            x = torch.cat(outputs, dim=-1) if len(outputs) > 1 else outputs[0]
        packed = tuple(torch.stack(parts) for parts in zip(*finals, strict=True))
        return x, packed if self.cell.states > 1 else packed[0]

    def initial_state(self, batch_size: int) -> Tensor | State:
        """Zeros (L, B, H); for an LSTM a pair of these."""
        zeros = self.cells[0].W_h.new_zeros(len(self.cells), batch_size, self.hidden_size)
        return (zeros, zeros) if self.cell.states > 1 else zeros

    def _unpack(self, state: Tensor | State | None, x: Tensor) -> State:
        state = self.initial_state(len(x)) if state is None else state
        parts = state if isinstance(state, tuple) else (state,)
        wanted = (len(self.cells), len(x), self.hidden_size)
        if len(parts) != self.cell.states or any(tuple(part.shape) != wanted for part in parts):
            shapes = [tuple(part.shape) for part in parts]
            raise ValueError(
                f"the state has shape {shapes}, but this {type(self).__name__} on a batch of {len(x)} needs "
                f"{self.cell.states} of {wanted}: (layers * directions, batch, hidden width)"
            )
        return parts

    @classmethod
    def from_torch(cls, module: nn.RNNBase):
        """A copy of its ``torch.nn`` twin: same weights, same dtype, same outputs (always batch first).

        Errors: ValueError for a module of another kind, or an LSTM with a projection.
        """
        twin = {ElmanRNN: nn.RNN, LSTM: nn.LSTM, GRU: nn.GRU}[cls]
        if not isinstance(module, twin) or getattr(module, "proj_size", 0):
            raise ValueError(f"{cls.__name__}.from_torch takes a torch.nn.{twin.__name__} without projection")
        options = {"nonlinearity": module.nonlinearity} if cls is ElmanRNN else {}
        copy = cls(module.input_size, module.hidden_size, module.num_layers, bias=module.bias,
                   dropout=module.dropout, bidirectional=module.bidirectional, **options)  # fmt: skip
        copy.to(module.weight_hh_l0.dtype)
        for i, cell in enumerate(copy.cells):
            end = f"_l{i // copy.directions}" + ("_reverse" if i % copy.directions else "")
            names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
            cell.load(*(getattr(module, name + end, None) for name in names))
        return copy.train(module.training)


def _scan(cell: _Cell, x: Tensor, state: State, mask: Tensor | None, backward: bool) -> tuple[Tensor, State]:
    """Run a cell along time: x (B, T, D) -> outputs (B, T, H) and the last state. On padding the state stays."""
    order = reversal(mask, x) if backward else None
    if backward:
        x = x.gather(1, order[..., None].expand_as(x))
    a = cell.project(x).transpose(0, 1).contiguous()  # (T, B, blocks * H): one matrix product for all steps
    if isinstance(cell, LSTMCell) and mask is None:
        y, c = LSTMScan.apply(a, cell.W_h, *state)
        y, state = y.transpose(0, 1), (y[-1], c)
    else:
        y, state = _loop(cell, a.unbind(0), state, mask)
    if backward:
        y = y.gather(1, order[..., None].expand_as(y))
    return (y if mask is None else y * mask[..., None]), state


def _loop(cell: _Cell, projected: Sequence[Tensor], state: State, mask: Tensor | None) -> tuple[Tensor, State]:
    """Step by step, as the cell says: T projected inputs -> outputs (B, T, H) and the last state."""
    outputs = []
    for t, a in enumerate(projected):
        new = cell.step(a, state)
        if mask is not None:
            new = tuple(torch.where(mask[:, t, None], n, old) for n, old in zip(new, state, strict=True))
        state = new
        outputs.append(state[0])
    return torch.stack(outputs, dim=1), state


def reversal(mask: Tensor | None, x: Tensor) -> Tensor:
    """For each row the time steps in reverse, its padding left where it is: (B, T)."""
    B, T = x.shape[:2]
    steps = torch.arange(T, device=x.device).expand(B, T)
    lengths = torch.full((B, 1), T, device=x.device) if mask is None else mask.sum(1, keepdim=True)
    return torch.where(steps < lengths, lengths - 1 - steps, steps)


def _mask(lengths: Sequence[int] | Tensor, B: int, T: int) -> Tensor:
    """True for real steps, False on padding: (B, T). ValueError for a length that is not 1 to T."""
    lengths = torch.as_tensor(lengths)
    if lengths.shape != (B,) or lengths.is_floating_point():
        raise ValueError(f"lengths must be {B} integers, one for each row, not {tuple(lengths.shape)} {lengths.dtype}")
    if ((lengths < 1) | (lengths > T)).any():
        row = int(((lengths < 1) | (lengths > T)).nonzero()[0])
        raise ValueError(f"row {row} has length {int(lengths[row])}, which must be 1 to the padded width, {T}")
    return torch.arange(T, device=lengths.device) < lengths[:, None]


def _check_input(x: Tensor, width: int) -> None:
    if x.ndim != 3 or x.shape[2] != width or 0 in x.shape:
        raise ValueError(f"the input has shape {tuple(x.shape)}, but must be (B, T, {width}), with B and T not 0")


class ElmanRNN(_Recurrent):
    """The Elman network, as ``torch.nn.RNN(..., batch_first=True)``; ``nonlinearity`` is "tanh" or "relu"."""

    cell = ElmanCell


class LSTM(_Recurrent):
    """As ``torch.nn.LSTM(..., batch_first=True)``; the state is (h, c). ``forget_bias`` is where b_f starts."""

    cell = LSTMCell


class GRU(_Recurrent):
    """As ``torch.nn.GRU(..., batch_first=True)``."""

    cell = GRUCell


# ---- a language model ----------------------------------------------------------------------------------------------


class RNNLM(nn.Module):
    """A recurrent language model: a vector for each token, recurrent layers, and a logit for each next token.

    z_t = h_t W_y^T + b_y, and softmax(z_t) is q(w_{t+1} | w_1 ... w_t). ``kind`` is "elman", "gru" or "lstm".
    """

    def __init__(self, vocab_size: int, hidden_size: int, kind: str = "lstm", embedding_size: int | None = None,
                 num_layers: int = 1, dropout: float = 0.0):  # fmt: skip
        super().__init__()
        kinds = {"elman": ElmanRNN, "gru": GRU, "lstm": LSTM}
        if kind not in kinds:
            raise ValueError(f"kind={kind!r} must be one of {sorted(kinds)}")
        width = embedding_size or hidden_size
        self.embedding = nn.Embedding(vocab_size, width)
        self.rnn = kinds[kind](width, hidden_size, num_layers, dropout=dropout)
        self.output = nn.Linear(hidden_size, vocab_size)

    def forward(self, ids: Tensor, state: Tensor | State | None = None):
        """ids (B, T) -> logits (B, T, V). With a state, for going on where a text stopped: -> logits, state.

        Errors: ValueError for ids outside the vocabulary; TypeError unless they are integers.
        """
        check_ids(ids, self.embedding.num_embeddings)
        h, new = self.rnn(self.embedding(ids), state)
        logits = self.output(h)
        return logits if state is None else (logits, new)

    def initial_state(self, batch_size: int) -> Tensor | State:
        """The state before the first token, to start a stream with."""
        return self.rnn.initial_state(batch_size)

    @staticmethod
    def select_state(state: Tensor | State, rows: Tensor) -> Tensor | State:
        """The state of some rows of the batch, in a new order or more than once: rows (B',)."""
        return select_rows(state, rows)


def select_rows(state: Tensor | State, rows: Tensor) -> Tensor | State:
    """Of a recurrent state (L, B, H), or an LSTM's pair of them, the rows (B',) of the batch: (L, B', H)."""
    return tuple(part[:, rows] for part in state) if isinstance(state, tuple) else state[:, rows]


def check_ids(ids: Tensor, vocab_size: int) -> None:
    """For every language model: ids is a tensor (B, T) of integers from 0 to V - 1, or TypeError and ValueError."""
    if not isinstance(ids, Tensor) or ids.is_floating_point() or ids.ndim != 2:
        raise TypeError("ids must be a tensor of integers of shape (B, T): use torch.as_tensor on what encode gives")
    if ids.numel() and not 0 <= int(ids.min()) <= int(ids.max()) < vocab_size:
        raise ValueError(f"ids run from {int(ids.min())} to {int(ids.max())}, and the vocabulary has {vocab_size}")

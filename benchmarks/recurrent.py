"""Recurrent layers: this package's loop over time beside torch.nn's compiled one, same weights, in one run."""

import statistics
import time

import torch
from torch import Tensor, nn

from course_lib import rnn

SIZES = (32, 64, 128, 128)  # B, T, D, H
THREADS, ROUNDS = 2, 15
TWINS = {rnn.ElmanRNN: nn.RNN, rnn.GRU: nn.GRU, rnn.LSTM: nn.LSTM}


def seconds(layer: nn.Module, x: Tensor) -> float:
    """Seconds for one forward and backward pass, gradients by the weights and by the input."""
    layer.zero_grad()
    start = time.perf_counter()
    layer(x)[0].sum().backward()
    return time.perf_counter() - start


def compare(kind: type[nn.Module]) -> list[dict]:
    """Our layer and its twin in turn, so that whatever else the machine does slows both; the median of each."""
    B, T, D, H = SIZES
    twin = TWINS[kind](D, H, batch_first=True)
    layers = {"course_lib": kind.from_torch(twin), "torch.nn": twin}
    x = torch.randn(B, T, D, requires_grad=True)
    times: dict[str, list[float]] = {program: [] for program in layers}
    for round_ in range(ROUNDS + 3):
        for program, layer in layers.items():
            taken = seconds(layer, x)
            if round_ >= 3:  # the first passes allocate memory
                times[program].append(taken)
    speed = {program: B * T / statistics.median(taken) for program, taken in times.items()}
    return [
        {
            "layer": kind.__name__,
            "program": program,
            "B, T, D, H": str(SIZES),
            "trained, tokens/s": round(rate),
            "share of torch.nn": round(rate / speed["torch.nn"], 2),
        }
        for program, rate in speed.items()
    ]


def run() -> list[dict]:
    """Two rows for each of Elman, GRU and LSTM; the number of threads is put back afterwards."""
    before = torch.get_num_threads()
    torch.manual_seed(0)
    torch.set_num_threads(THREADS)
    try:
        return [{"threads": THREADS} | row for kind in TWINS for row in compare(kind)]
    finally:
        torch.set_num_threads(before)


if __name__ == "__main__":
    for row in run():
        print("  ".join(f"{key}: {value}" for key, value in row.items()))

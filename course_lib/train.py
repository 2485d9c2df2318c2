"""One training loop for the whole book: steps, schedule, clipping, records, checkpoints."""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import torch
from torch import Tensor, nn

from course_lib.optimizers import clip_gradients

__all__ = ["CheckpointError", "Record", "TrainingStopped", "load_checkpoint", "save_checkpoint", "train"]


@dataclass(frozen=True)
class Record:
    """What was measured at one step."""

    step: int  # the number of updates made, this one included
    train_loss: float  # in the unit of the loss (nats per token), on this step's batch, before the update
    val_loss: float | None  # what ``validate`` returned after the update; None without it
    grad_norm: float  # global L2 norm, before clipping
    lr: float  # learning rate of this step
    seconds: float = field(compare=False)  # since training began, earlier sessions included


class TrainingStopped(RuntimeError):
    """Training could not go on. ``records`` holds all that was recorded; the model keeps its last good weights."""

    def __init__(self, message: str, records: list[Record]):
        super().__init__(message)
        self.records = records


class CheckpointError(ValueError):
    """A checkpoint is damaged, or belongs to another model or optimiser."""


def train(
    model: nn.Module,
    batches: Iterable[Any],
    loss: Callable[[Any, Any], Tensor],
    optimizer: Any,
    steps: int,
    *,
    schedule: Callable[[int], float] | None = None,
    clip: float = math.inf,
    validate: Callable[[nn.Module], float] | None = None,
    every: int = 50,
    checkpoint: str | Path | None = None,
    resume: bool = False,
    progress: bool | None = None,
) -> list[Record]:
    """Make ``steps`` updates and return a record of the first, of every ``every``-th, and of the last.

    ``loss(model, batch)`` gives a scalar tensor, for language models in nats per unpadded target token. When the
    batches run out they are begun again. ``schedule(step)``, with steps from 1, multiplies the learning rate;
    gradients are clipped to the norm ``clip``. With ``checkpoint`` the state is written there at every record, and
    ``resume`` goes on from it exactly as if nothing had happened: the batches must then start anew with each
    ``iter()``, as :class:`course_lib.next_token.Batches` and lists do. ``progress`` shows a bar; if not given,
    only to a person at a terminal or in JupyterLab.

    Errors: TrainingStopped, with the records so far, when loss or gradient are no longer finite, when the batches
    are used up, and on Ctrl-C; CheckpointError; ValueError for nonsensical arguments.
    """
    if steps < 1 or every < 1:
        raise ValueError(f"steps={steps} and every={every} must be 1 or more")
    if resume and (checkpoint is None or iter(batches) is batches):
        raise ValueError("resume needs a checkpoint, and batches that start anew (a list, or Batches; no generator)")
    base = optimizer.param_groups[0]["lr"]
    records, start = [], 0
    if resume and Path(checkpoint).exists():
        records, start, base = load_checkpoint(checkpoint, model, optimizer)
    began = time.perf_counter() - (records[-1].seconds if records else 0.0)
    stream, norm = _endless(batches, start), records[-1].grad_norm if records else math.nan
    model.train()
    try:
        for step in _bar(range(start + 1, steps + 1), progress):
            batch = next(stream, None)
            if batch is None:
                _stop(f"the batches ended after step {step - 1} of {steps}: give more, or a list", records)
            lr = base * (schedule(step) if schedule else 1.0)
            value, norm = _update(model, batch, loss, optimizer, lr, clip, step, norm, records)
            if step == 1 or step % every == 0 or step == steps:
                val = _evaluate(model, validate)
                records.append(Record(step, value, val, norm, lr, time.perf_counter() - began))
                if checkpoint is not None:
                    save_checkpoint(checkpoint, model, optimizer, records, step, base)
    except KeyboardInterrupt:
        _stop(f"interrupted after {records[-1].step if records else 0} recorded steps of {steps}", records)
    finally:
        optimizer.param_groups[0]["lr"] = base
        model.eval()
    return records


def _update(model: nn.Module, batch: Any, loss: Callable, optimizer: Any, lr: float, clip: float,
            step: int, last_norm: float, records: list[Record]) -> tuple[float, float]:  # fmt: skip
    """One step; nothing is changed unless loss and gradient are finite."""
    optimizer.param_groups[0]["lr"] = lr
    optimizer.zero_grad()
    value = loss(model, batch)
    value.backward()
    number, norm = value.item(), clip_gradients(model.parameters(), clip)
    if not (math.isfinite(number) and math.isfinite(norm)):
        before = "" if math.isnan(last_norm) else f"; the last gradient norm before was {last_norm:.4g}"
        _stop(
            f"at step {step} the loss is {number} and the gradient norm {norm}{before}. The model keeps the weights "
            f"of step {step - 1}. Try a smaller learning rate than {lr:.3g}, or clipping",
            records,
        )
    optimizer.step()
    return number, norm


def _stop(message: str, records: list[Record]) -> NoReturn:
    raise TrainingStopped(f"{message}. The {len(records)} records so far are in .records", records)


def _evaluate(model: nn.Module, validate: Callable[[nn.Module], float] | None) -> float | None:
    if validate is None:
        return None
    model.eval()
    with torch.no_grad():
        value = float(validate(model))
    model.train()
    return value


def _endless(batches: Iterable[Any], skip: int) -> Iterator[Any]:
    """Batch after batch, from the start again when they run out; the first ``skip`` were used before."""
    count = 0
    while True:
        before = count
        for batch in batches:
            count += 1
            if count > skip:
                yield batch
        if count == before:
            return


def _bar(steps: range, progress: bool | None) -> Iterable[int]:
    person = "JPY_SESSION_NAME" in os.environ or (sys.stderr is not None and sys.stderr.isatty())
    if not (person and "CI" not in os.environ if progress is None else progress):
        return steps
    from tqdm.auto import tqdm

    return tqdm(steps, unit="step", leave=False)


# ---- checkpoints ---------------------------------------------------------------------------------------------------


def save_checkpoint(path: str | Path, model: nn.Module, optimizer: Any, records: list[Record], step: int,
                    lr: float) -> None:  # fmt: skip
    """Write all that exact resuming needs. The old file is replaced only when the new one is complete."""
    path = Path(path)
    content = {
        "model": model.state_dict(),
        "kind": type(model).__name__,
        "optimizer": optimizer.state_dict(),
        "records": [asdict(r) for r in records],
        "step": step,
        "lr": lr,
        "random": torch.get_rng_state(),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".unfinished")
    torch.save(content, unfinished)
    os.replace(unfinished, path)


def load_checkpoint(path: str | Path, model: nn.Module, optimizer: Any) -> tuple[list[Record], int, float]:
    """Put model, optimiser and PyTorch's generator where they were; returns the records, the step, the base rate.

    Errors: CheckpointError if the file is damaged, or if the weights or the optimiser do not fit; then nothing has
    been changed. FileNotFoundError if there is no file.
    """
    if not Path(path).exists():
        raise FileNotFoundError(f"there is no checkpoint {path}")
    try:
        saved = torch.load(path, weights_only=True)
        records = [Record(**r) for r in saved["records"]]
        weights, step, lr, random = saved["model"], saved["step"], saved["lr"], saved["random"]
        kind, optimizer_state = saved["kind"], saved["optimizer"]
    except Exception as error:  # whatever is wrong with the bytes, it comes as one of a dozen types
        raise CheckpointError(
            f"the checkpoint {path} is damaged or half-written ({type(error).__name__}): delete it and start again"
        ) from error
    _check_fits(path, kind, weights, model)
    try:
        optimizer.load_state_dict(optimizer_state)
    except (ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"the checkpoint {path} does not fit the optimiser: {error}") from error
    model.load_state_dict(weights)
    torch.set_rng_state(random)
    return records, step, lr


def _check_fits(path: str | Path, kind: str, weights: dict[str, Tensor], model: nn.Module) -> None:
    mine = {name: tuple(v.shape) for name, v in model.state_dict().items()}
    theirs = {name: tuple(v.shape) for name, v in weights.items()}
    if kind != type(model).__name__ or mine != theirs:
        name = next((n for n in [*mine, *theirs] if mine.get(n) != theirs.get(n)), None)
        difference = f": {name} is {theirs.get(name)} there and {mine.get(name)} here" if name else ""
        raise CheckpointError(f"the checkpoint {path} holds a {kind}, this is a {type(model).__name__}{difference}")

"""Train the book's TransformerLM on the characters of Tiny Shakespeare, on two CPU threads, in 30 and in 60 seconds.

    python -m benchmarks.shakespeare            writes benchmarks/shakespeare.log
    python -m benchmarks.shakespeare --parts    benchmarks/shakespeare_parts.log: the recipe with one part left out

The last tenth of the characters is held out, and the loss is the mean over all of it, read in pieces as long as the
last context of training, in nats a character. The seconds are those of training alone. Chapter 15 explains the recipe
and quotes both logs. Needs the file of Tiny Shakespeare: course_lib.corpora says where it is looked for.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from course_lib import corpora, ladder, muon, optimizers
from course_lib.train import train
from course_lib.transformer import TransformerLM

LOG = Path(__file__).with_suffix(".log")
PARTS_LOG = LOG.with_stem("shakespeare_parts")
WARMUP = 20  # updates


@dataclass(frozen=True)
class Recipe:
    """What a run is made of."""

    updates: int
    growth: tuple[tuple[float, int, int], ...] = ((0.0, 16, 64), (0.65, 8, 128))  # from this share on: batch, context
    positions: str = "rotary"
    qk_norm: bool = True
    activation: str = "swiglu"
    zero_outputs: bool = True
    muon: bool = True
    decay: bool = True


RUNS = {"short": (Recipe(300), 30.0, 1.88), "long": (Recipe(630), 60.0, 1.70)}  # seconds and nats a character wanted
PARTS = {
    "the whole recipe": {},
    "AdamW in place of Muon": {"muon": False},
    "no decay of the rate": {"decay": False},
    "context 128 from the start": {"growth": ((0.0, 8, 128),)},
    "learned positions": {"positions": "learned"},
    "queries and keys as they come": {"qk_norm": False},
    "GELU in place of SwiGLU": {"activation": "gelu"},
    "outputs not zero at first": {"zero_outputs": False},
}


class Windows:
    """Batches of windows cut at random: inputs and targets (B, T), targets one character later."""

    def __init__(self, ids: Tensor, recipe: Recipe, seed: int):
        self.ids, self.recipe, self.seed = ids, recipe, seed

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        generator = torch.Generator().manual_seed(self.seed)
        for update in range(self.recipe.updates):
            share = update / self.recipe.updates
            _, B, T = next(stage for stage in reversed(self.recipe.growth) if stage[0] <= share)
            starts = torch.randint(len(self.ids) - T, (B, 1), generator=generator)
            windows = self.ids[starts + torch.arange(T + 1)]
            yield windows[:, :-1], windows[:, 1:]


def loss(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
    """Mean surprisal of the next character, in nats."""
    inputs, targets = batch
    return cross_entropy(model(inputs).flatten(0, 1), targets.flatten())


@torch.no_grad()
def held_out_loss(model: nn.Module, ids: Tensor, T: int) -> float:
    """Mean surprisal over all of ``ids`` but the first, in nats a character, in pieces of T and a rest."""
    total, whole = 0.0, (len(ids) - 1) // T * T
    inputs, targets = ids[:whole].view(-1, T).split(64), ids[1 : whole + 1].view(-1, T).split(64)
    rest = [(ids[None, whole:-1], ids[None, whole + 1 :])] if whole < len(ids) - 1 else []
    for batch in [*zip(inputs, targets, strict=True), *rest]:
        total += float(loss(model, batch)) * batch[1].numel()
    return total / (len(ids) - 1)


def network(size: int, recipe: Recipe) -> TransformerLM:
    """Four blocks of width 128 with four heads; hidden layers such that SwiGLU and GELU have equally many weights."""
    model = TransformerLM(size, 128, heads=4, layers=4, max_length=recipe.growth[-1][2], positions=recipe.positions,
                          activation=recipe.activation, hidden=352 if recipe.activation == "swiglu" else 528,
                          qk_norm=recipe.qk_norm, fused=True)  # fmt: skip
    return ladder.zero_outputs(model) if recipe.zero_outputs else model


def run(recipe: Recipe, training: Tensor, held_out: Tensor, size: int, seed: int) -> tuple[float, float, int]:
    """Train and evaluate: seconds of training, loss on all that is held out, number of weights."""
    torch.manual_seed(seed)
    model = network(size, recipe)
    if recipe.muon:
        optimizer = muon.muon_and_adamw(model, lr=0.02, adamw_lr=3e-3, ns_dtype=torch.bfloat16)
    else:
        optimizer = optimizers.AdamW(model.parameters(), lr=3e-3, betas=(0.9, 0.95))

    def rate(step: int) -> float:  # up in a line, then down in a line, to zero at the end
        return min(step / WARMUP, 1 - (step - 1) / recipe.updates if recipe.decay else 1.0)

    batches = Windows(training, recipe, seed)
    records = train(model, batches, loss, optimizer, recipe.updates, schedule=rate, every=recipe.updates)
    value = held_out_loss(model, held_out, recipe.growth[-1][2])
    return records[-1].seconds, value, sum(p.numel() for p in model.parameters())


def split() -> tuple[Tensor, Tensor, int]:
    """Tiny Shakespeare as ids: nine tenths to learn from, the last tenth, and how many characters there are."""
    text = corpora.tiny_shakespeare()
    number = {character: i for i, character in enumerate(sorted(set(text)))}
    ids = torch.tensor([number[character] for character in text])
    cut = len(ids) - len(ids) // 10
    return ids[:cut], ids[cut:], len(number)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--parts", action="store_true", help="leave out one part of the recipe after the other")
    options.add_argument("--updates", type=int, default=200, help="updates of each run with --parts")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--threads", type=int, default=2)
    given = options.parse_args()
    torch.set_num_threads(given.threads)
    if given.parts:
        log, runs = PARTS_LOG, {k: (replace(Recipe(given.updates), **part), None, None) for k, part in PARTS.items()}
    else:
        log, runs = LOG, RUNS
    lines = [
        f"python -m benchmarks.shakespeare{' --parts' * given.parts} --seed {given.seed} --threads {given.threads}"
    ]
    for name, (recipe, most, wanted) in runs.items():
        seconds, value, weights = run(recipe, *split(), given.seed)
        line = f"{name}: {weights} weights, {recipe.updates} updates, {seconds:.1f} s of training, "
        line += f"validation {value:.4f} nats a character"
        if wanted is not None and not (seconds <= most and value <= wanted):
            line += f"; MISSED: {wanted:.2f} in {most:.0f} s"
        lines.append(line)
        print(line, flush=True)
    log.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

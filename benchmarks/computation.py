"""Train small transformers to work out expressions, at once and on a scratch pad, with several seeds.

    python -m benchmarks.computation              writes benchmarks/computation.log

Two forms: a+b*c+d with numbers from 1 to 10, of which 8,000 draws are shown, and a*b+c*d+e with numbers from 1 to 9, of
which 20,000 are. The test is on expressions that were not among them. All networks are alike and make the same number
of updates; the seed decides the weights, the expressions and their order. The recorded run shared its two cores with
other work.
"""

from __future__ import annotations

import argparse
import time
from itertools import product
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from course_lib import optimizers, tasks, train
from course_lib.tokens import EOS_ID, PAD_ID, Vocabulary
from course_lib.transformer import TransformerLM

LOG = Path(__file__).with_suffix(".log")
WIDTH, HEADS, LAYERS, BATCH, RATE = 64, 4, 2, 64, 5e-3
FORMS = {  # the form, the largest number, how many are shown, what may stand on the pad
    "mixed": ("a+b*c+d", 10, 8000, "results"),
    "products": ("a*b+c*d+e", 9, 20_000, "steps"),
}


def packed(inputs: list[list[str]], targets: list[list[str]], vocab: Vocabulary) -> tuple[Tensor, Tensor]:
    """Question and answer side by side: ids (n, T) to read, and what comes next, PAD within the question."""
    rows = [(vocab.encode(x), [*vocab.encode(y), EOS_ID]) for x, y in zip(inputs, targets, strict=True)]
    ids = torch.full((len(rows), max(len(x) + len(y) for x, y in rows)), PAD_ID)
    wanted = ids.clone()
    for i, (x, y) in enumerate(rows):
        ids[i, : len(x) + len(y)] = torch.tensor(x + y)
        wanted[i, len(x) : len(x) + len(y)] = torch.tensor(y)
    return ids[:, :-1], wanted[:, 1:]


def loss(model: TransformerLM, batch: tuple[Tensor, Tensor]) -> Tensor:
    """Nats per token of the answer."""
    ids, wanted = batch
    return cross_entropy(model(ids).flatten(0, 1), wanted.flatten(), ignore_index=PAD_ID)


@torch.no_grad()
def right(model: TransformerLM, ids: Tensor, wanted: Tensor) -> float:
    """Share of texts of which every token is the first choice: what greedy writing gets right from end to end."""
    return ((model(ids).argmax(-1) == wanted) | (wanted == PAD_ID)).all(1).float().mean().item()


def learned(form: str, pad: str, steps: int, seed: int) -> tuple[float, float, float, int]:
    """Train once: the last loss, the share right of new expressions, seconds, and the length of a text."""
    rng = np.random.default_rng(seed)
    _, largest, number, _ = FORMS[form]
    shown, test = (tasks.arithmetic(n, rng, pad, largest, form) for n in (number, 3000))
    vocab, seen = Vocabulary(shown.words), {"".join(x) for x in shown.inputs}
    new = [i for i, x in enumerate(test.inputs) if "".join(x) not in seen]
    ids, wanted = packed(shown.inputs, shown.targets, vocab)
    torch.manual_seed(seed)
    model = TransformerLM(len(vocab), WIDTH, HEADS, LAYERS, 64, hidden=2 * WIDTH, qk_norm=True, fused=True)
    rows = (torch.from_numpy(rng.integers(0, len(ids), BATCH)) for _ in range(steps))
    began = time.perf_counter()
    records = train.train(model, ((ids[i], wanted[i]) for i in rows), loss,
                          optimizers.AdamW(model.parameters(), lr=RATE), steps,
                          schedule=optimizers.warmup_cosine(steps, 20), clip=1.0)  # fmt: skip
    took = time.perf_counter() - began
    score = right(model, *packed([test.inputs[i] for i in new], [test.targets[i] for i in new], vocab))
    return records[-1].train_loss, score, took, ids.shape[1]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--steps", type=int, default=800)
    options.add_argument("--seeds", type=int, default=3)
    given = options.parse_args()
    torch.set_num_threads(1)
    with LOG.open("w", encoding="utf-8") as log:
        print(f"python -m benchmarks.computation --steps {given.steps} --seeds {given.seeds}", file=log)
        for seed, form in product(range(given.seeds), FORMS):
            for pad in ("none", FORMS[form][-1]):
                value, score, seconds, length = learned(form, pad, given.steps, seed)
                line = f"{FORMS[form][0]}, pad {pad}, seed {seed}: loss {value:.3f} nats a token, {100 * score:.1f} %"
                print(f"{line} of new ones right; {length} tokens, {seconds:.0f} seconds", file=log, flush=True)


if __name__ == "__main__":
    main()

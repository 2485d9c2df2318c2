"""Train every network of the ladder: on Farm for several seeds, on the characters of the Tales for one.

    python -m benchmarks.ladder --seeds 3       writes course_lib/data/ladder.csv, which chapter 15 reads

The n-grams have no seed and are fitted once. 10,000 documents of Farm and 1,500 updates for each network; nine tenths
of the sentences of the Tales, and 400 updates. On Farm each network is trained by Muon and, to see what that is
worth, by Adam. One core needs about eight minutes for a seed.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import torch

import course_lib
from course_lib import ladder, languages, metrics, next_token
from course_lib.ngram import NGramLM
from course_lib.tokens import Vocabulary

RECORD = Path(course_lib.__file__).with_name("data") / "ladder.csv"
COLUMNS = ["language", "model", "optimizer", "seed", "updates", "weights", "seconds", *metrics.CLASSES, "loss"]
UPDATES = {"Farm": 1_500, "Tales": 400}


def languages_of_the_ladder() -> dict[str, tuple[list[list[str]], list[list[str]]]]:
    """Training and test documents, Farm's in words and those of the Tales, its sentences, in characters."""
    farm = languages.farm()
    texts = {"Farm": (farm.sample(10_000, course_lib.generator(10)), farm.sample(1_000, course_lib.generator(11)))}
    return texts | {"Tales": ladder.tales_in_characters()}


def row(language: str, name: str, documents, log_q, **rest) -> dict:
    """One line of the record: the loss in nats a token, and for Farm the excess by class."""
    split = metrics.excess_by_class(languages.farm(), documents, log_q) if language == "Farm" else {}
    loss = -sum(float(q.sum()) for q in log_q) / sum(len(q) for q in log_q)
    return {
        "language": language,
        "model": name,
        **rest,
        **{k: f"{v:.5f}" for k, v in split.items()},
        "loss": f"{loss:.5f}",
    }


def runs(seeds: int) -> Iterator[tuple[str, str, str, int | None]]:
    """Language, model, optimiser and seed of every line of the record."""
    for language in UPDATES:
        yield from ((language, name, "", None) for name in ladder.COUNTED)
    for optimizer, seed in product(ladder.OPTIMIZERS, range(seeds)):
        yield from (("Farm", name, optimizer, seed) for name in ladder.NETWORKS)
    yield from (("Tales", name, "Muon", 0) for name in ladder.NETWORKS)


def measure(language: str, name: str, optimizer: str, seed: int | None, training, test) -> dict:
    """Fit or train one model and score it."""
    if seed is None:
        return row(language, name, test, NGramLM(ladder.COUNTED[name]).fit(training).score(test))
    vocab, steps = Vocabulary.build(training), UPDATES[language]
    sequences, held_out = ([vocab.encode(d) for d in documents] for documents in (training, test))
    model, seconds = ladder.learn(name, sequences, len(vocab), steps, seed=seed, optimizer=optimizer)
    made = {"optimizer": optimizer, "seed": seed, "updates": steps, "seconds": f"{seconds:.0f}"}
    weights = sum(p.numel() for p in model.parameters())
    return row(language, name, test, next_token.score(model, held_out), weights=weights, **made)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--seeds", type=int, default=3)
    options.add_argument("--resume", action="store_true", help="keep the lines that the record has, and add the others")
    given = options.parse_args()
    torch.set_num_threads(1)
    texts, old = languages_of_the_ladder(), []
    if given.resume and RECORD.exists():
        with RECORD.open(newline="", encoding="utf-8") as file:
            old = list(csv.DictReader(file))
    done = {(line["language"], line["model"], line["optimizer"], line["seed"]) for line in old}
    with RECORD.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(old)
        for language, name, optimizer, seed in runs(given.seeds):
            if (language, name, optimizer, "" if seed is None else str(seed)) not in done:
                line = measure(language, name, optimizer, seed, *texts[language])
                writer.writerow(line)
                file.flush()
                print(*line.values(), flush=True)


if __name__ == "__main__":
    main()

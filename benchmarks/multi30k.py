"""Train the book's attention model on Multi30k, German to English, and score it on test_2016_flickr.

    python -m benchmarks.multi30k              writes benchmarks/multi30k.log

Words in small letters, those seen twice or more; a bidirectional GRU reads, a GRU with dot-product attention writes,
greedily. BLEU is sacrebleu's, on text that has been put together again, in small letters. Needs the files of
Multi30k: course_lib.corpora.multi30k says where they are looked for. The recorded run shared its two cores with other
work; an update takes a third of a second on one core alone, so that one core needs 25 minutes.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import sacrebleu
import torch

from course_lib import corpora, optimizers, seq2seq, train
from course_lib.tokens import Vocabulary, join_words, words

LOG = Path(__file__).with_suffix(".log")
BATCH, WIDTH, RATE, DROPOUT = 64, 256, 2e-3, 0.4


def sentences(split: str, language: str) -> list[list[str]]:
    """The lines of a split in small letters, each cut into words."""
    return [words(line.lower()) for line in corpora.multi30k(split, language)]


def encoded(split: str, source: Vocabulary, target: Vocabulary) -> list[tuple[list[int], list[int]]]:
    """German and English ids, pair by pair."""
    sides = zip(sentences(split, "de"), sentences(split, "en"), strict=True)
    return [(source.encode(german), target.encode(english)) for german, english in sides]


def bleu(model: seq2seq.Seq2Seq, source: Vocabulary, target: Vocabulary, split: str) -> float:
    """sacrebleu's score in small letters, with its standard tokenizer (13a)."""
    german = [ids for ids, _ in encoded(split, source, target)]
    english = []
    for start in range(0, len(german), 100):
        written = seq2seq.translate(model, german[start : start + 100])
        english += [join_words(target.decode(ids)) for ids in written]
    return sacrebleu.corpus_bleu(english, [corpora.multi30k(split, "en")], lowercase=True).score


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--epochs", type=int, default=10)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--threads", type=int, default=2)
    given = options.parse_args()
    torch.manual_seed(given.seed)
    torch.set_num_threads(given.threads)

    source, target = (Vocabulary.build(sentences("train", language), min_count=2) for language in ("de", "en"))
    pairs, held_out = encoded("train", source, target), encoded("val", source, target)
    model = seq2seq.Seq2Seq(len(source), len(target), WIDTH, attention="dot", dropout=DROPOUT, bidirectional=True)
    steps = given.epochs * len(pairs) // BATCH

    def validate(model: seq2seq.Seq2Seq) -> float:
        batches = seq2seq.Batches(held_out, len(held_out) // 8)
        return sum(float(seq2seq.loss(model, batch)) for batch, _ in zip(batches, range(8), strict=False)) / 8

    began = time.perf_counter()
    records = train.train(
        model,
        seq2seq.Batches(pairs, BATCH, seed=given.seed),
        seq2seq.loss,
        optimizers.Adam(model.parameters(), lr=RATE),
        steps,
        schedule=optimizers.warmup_cosine(steps, steps // 20, 0.05),
        clip=1.0,
        validate=validate,
        every=len(pairs) // BATCH,
    )
    scores = {split: bleu(model, source, target, split) for split in ("val", "test")}
    lines = [
        f"python -m benchmarks.multi30k --epochs {given.epochs} --seed {given.seed} --threads {given.threads}",
        f"{len(pairs)} pairs, {len(source)} German and {len(target)} English words, "
        f"{sum(p.numel() for p in model.parameters())} weights, {steps} updates of about {BATCH} pairs",
        *(
            f"update {r.step}: training {r.train_loss:.3f}, validation {r.val_loss:.3f} nats a word, "
            f"{r.seconds / 60:.1f} minutes"
            for r in records
        ),
        f"BLEU: validation {scores['val']:.2f}, test_2016_flickr {scores['test']:.2f}; "
        f"{(time.perf_counter() - began) / 60:.1f} minutes in all",
    ]
    LOG.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(LOG.read_text(encoding="utf-8"), end="")


if __name__ == "__main__":
    main()

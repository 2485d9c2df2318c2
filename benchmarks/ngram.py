"""Kneser-Ney: this package beside NLTK, on the same sentences, in one run."""

import time

import numpy as np
from nltk.lm import KneserNeyInterpolated
from nltk.lm.preprocessing import padded_everygram_pipeline

from course_lib import corpora, tokens
from course_lib.ngram import NGramLM

SCORED_BY_NLTK = 60  # tokens; it scores about twenty a second


def text() -> tuple[str, list, list]:
    """Tiny Shakespeare line by line where it is present, else the Tales; name, training and held-out sentences."""
    if corpora.available("tiny_shakespeare"):
        parts = corpora.split_text(corpora.tiny_shakespeare(), 0.9)
        train, held_out = ([w for line in part.split("\n") if (w := tokens.words(line))] for part in parts)
        return "Tiny Shakespeare", train, held_out
    train, held_out, _ = corpora.split(corpora.tales_sentences(), rng=np.random.default_rng(0))
    return "the Tales", train, held_out


def ours(order: int, train: list, held_out: list) -> dict:
    """Fit and score with NGramLM; the best of three."""
    fit, score = [], []
    for _ in range(3):
        start = time.perf_counter()
        model = NGramLM(order).fit(train)
        fit.append(time.perf_counter() - start)
        start = time.perf_counter()
        model.score(held_out)
        score.append(time.perf_counter() - start)
    scored = sum(len(s) + 1 for s in held_out)
    return {
        "program": "course_lib",
        "order": order,
        "fit, s": round(min(fit), 3),
        "scored, tokens/s": round(scored / min(score)),
        "perplexity without unknown words": round(model.perplexity(held_out, skip_unknown=True), 3),
    }


def nltks(order: int, train: list, held_out: list) -> dict:
    """Fit with NLTK's KneserNeyInterpolated, and score the first few tokens."""
    start = time.perf_counter()
    model = KneserNeyInterpolated(order)
    model.fit(*padded_everygram_pipeline(order, train))
    fit = time.perf_counter() - start
    words = [w for s in held_out[:40] for w in s][:SCORED_BY_NLTK]
    start = time.perf_counter()
    for i in range(order, len(words)):
        model.score(words[i], words[i - order + 1 : i])
    score = (len(words) - order) / (time.perf_counter() - start)
    return {
        "program": "NLTK KneserNeyInterpolated",
        "order": order,
        "fit, s": round(fit, 3),
        "scored, tokens/s": round(score, 1),
    }


def run() -> list[dict]:
    """All rows: ours at orders 3 and 5, NLTK at order 3."""
    name, train, held_out = text()
    size = {"text": name, "training tokens": sum(map(len, train))}
    return [size | row for row in (ours(3, train, held_out), ours(5, train, held_out), nltks(3, train, held_out))]

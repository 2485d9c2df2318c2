"""Skip-gram with negative sampling: this package beside gensim, same text and settings, one thread each, in one run."""

import json
import os
import statistics
import subprocess
import sys
import time

import numpy as np
from gensim.models.word2vec import Word2Vec as Gensim

from course_lib import corpora, roles
from course_lib.embeddings import Embeddings
from course_lib.tokens import Vocabulary
from course_lib.word2vec import Word2Vec

WINDOW, NEGATIVES, EPOCHS, ROUNDS = 5, 5, 5, 5
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def ours(sentences: list[list[str]], vocab: Vocabulary, d: int, seed: int) -> tuple[float, np.ndarray]:
    """Seconds to train with Word2Vec, and the vectors (V, d)."""
    model = Word2Vec(vocab, d, window=WINDOW, negatives=NEGATIVES, rng=np.random.default_rng(seed))
    start = time.perf_counter()
    model.fit(sentences, EPOCHS)
    return time.perf_counter() - start, model.embeddings().vectors


def gensims(sentences: list[list[str]], vocab: Vocabulary, d: int, seed: int, shrink: bool) -> tuple[float, np.ndarray]:
    """Seconds to train with gensim once it has read the vocabulary, and the vectors (V, d). With ``shrink`` it cuts
    each window at random, as it does by default, which leaves it about half the pairs.
    """
    settings = {"vector_size": d, "window": WINDOW, "negative": NEGATIVES, "shrink_windows": shrink}
    model = Gensim(sg=1, workers=1, sample=0, min_count=1, seed=seed + 1, **settings)
    model.build_vocab(sentences)
    start = time.perf_counter()
    model.train(sentences, total_examples=len(sentences), epochs=EPOCHS)
    seconds = time.perf_counter() - start
    vectors = np.zeros((len(vocab), d))
    vectors[vocab.encode(model.wv.index_to_key)] = model.wv.vectors
    return seconds, vectors


PROGRAMS = {
    "course_lib": ours,
    "gensim": lambda *case: gensims(*case, shrink=False),
    "gensim, windows cut at random": lambda *case: gensims(*case, shrink=True),
}


def compare(text: str, sentences: list[list[str]], vocab: Vocabulary, d: int, analogies: list) -> list[dict]:
    """The programs in turn, so that whatever else the machine does slows all: the best time of the rounds, the median
    of the analogies. The share is that of the faster of gensim's two ways.
    """
    seconds: dict[str, list[float]] = {program: [] for program in PROGRAMS}
    right: dict[str, list[float]] = {program: [] for program in PROGRAMS}
    for round_ in range(ROUNDS):
        for program, train in PROGRAMS.items():
            taken, vectors = train(sentences, vocab, d, round_)
            seconds[program].append(taken)
            if analogies:
                right[program].append(Embeddings(vocab, vectors).analogy_accuracy(analogies))
    words = sum(map(len, sentences)) * EPOCHS
    speed = {program: words / min(taken) for program, taken in seconds.items()}
    fastest = max(rate for program, rate in speed.items() if program != "course_lib")
    rows = []
    for program, rate in speed.items():
        row = {"text": text, "D": d, "program": program, "trained, words/s": round(rate)}
        row["share of gensim"] = round(rate / fastest, 2)
        rows.append(row | ({"analogies right": round(statistics.median(right[program]), 3)} if analogies else {}))
    return rows


def rows() -> list[dict]:
    """Three rows for each of: the language of roles with 16 and with 100 numbers a word, the Tales with 50."""
    language = roles.language()
    sentences = language.sample(20_000, np.random.default_rng(0))
    tales = [[word.lower() for word in sentence] for sentence in corpora.tales_sentences()]
    return [
        *compare("roles", sentences, language.vocab, 16, language.analogies()),
        *compare("roles", sentences, language.vocab, 100, language.analogies()),
        *compare("the Tales", tales, Vocabulary.build(tales), 50, []),
    ]


def run() -> list[dict]:
    """All rows, measured in a process of their own, since NumPy takes its number of threads from the environment."""
    settings = {"epochs": EPOCHS, "window": WINDOW, "negatives": NEGATIVES, "threads": 1}
    command = [sys.executable, "-m", "benchmarks.embeddings"]
    done = subprocess.run(command, env=os.environ | ONE_THREAD, stdout=subprocess.PIPE, text=True, check=True)
    return [settings | json.loads(line) for line in done.stdout.splitlines()]


def bounds(rows: list[dict]) -> dict[str, bool]:
    """What has to hold: half of gensim's speed, and analogies at least as good as those of either of its ways."""
    kept = {}
    for row in (r for r in rows if r["program"] == "course_lib"):
        case = f"skip-gram on {row['text']} with D={row['D']}"
        kept[f"{case} trained at {row['share of gensim']} of gensim's speed"] = row["share of gensim"] >= 0.5
        if "analogies right" in row:
            ours = row["analogies right"]
            theirs = max(r["analogies right"] for r in rows if (r["text"], r["D"]) == (row["text"], row["D"]))
            kept[f"{case} has {ours} of the analogies right, gensim {theirs}"] = ours >= theirs
    return kept


if __name__ == "__main__":
    for row in rows():
        print(json.dumps(row))

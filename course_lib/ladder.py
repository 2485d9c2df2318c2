"""The ladder: the models of the book in one table, trained in one loop, and what they lose, with intervals.

Counted models are the n-grams of :mod:`course_lib.ngram`; networks are all of one width and get equally many updates.
"""

from __future__ import annotations

import csv
import time
from collections.abc import Callable, Iterable, Sequence
from importlib import resources

import numpy as np
import torch
from torch import Tensor, nn

from course_lib import corpora, next_token
from course_lib.attention_lm import RNNAttentionLM
from course_lib.grammar import Language
from course_lib.metrics import CLASSES
from course_lib.muon import Together, muon_and_adamw
from course_lib.optimizers import Adam, warmup_cosine
from course_lib.rnn import RNNLM
from course_lib.tokens import join_words
from course_lib.train import train
from course_lib.transformer import TransformerLM

__all__ = [
    "COUNTED",
    "NETWORKS",
    "OPTIMIZERS",
    "bootstrap",
    "by_adam",
    "by_muon",
    "excess_of_documents",
    "learn",
    "recorded",
    "state_size",
    "tales_in_characters",
    "zero_outputs",
]

COUNTED = {"unigram": 1, "bigram": 2, "trigram": 3, "5-gram": 5}


def zero_outputs(model: TransformerLM) -> TransformerLM:
    """Set what each part adds to the stream, and the logits, to zero, so that every block begins as the identity."""
    layers = [layer for block in model.blocks for layer in (block.attention.W_o, block.feed_forward.W_2)]
    for layer in [*layers, model.output]:
        nn.init.zeros_(layer.weight)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
    return model


def _transformer(vocab_size: int, width: int) -> TransformerLM:
    """Two blocks: rotary positions, normalised queries and keys, SwiGLU, outputs that begin at zero."""
    model = TransformerLM(vocab_size, width, heads=4, layers=2, max_length=1024, positions="rotary", qk_norm=True,
                          activation="swiglu", hidden=8 * width // 3, fused=True)  # fmt: skip
    return zero_outputs(model)


NETWORKS: dict[str, Callable[[int, int], nn.Module]] = {  # name -> network for (number of tokens, width)
    "Elman": lambda V, D: RNNLM(V, D, "elman"),
    "GRU": lambda V, D: RNNLM(V, D, "gru"),
    "LSTM": lambda V, D: RNNLM(V, D, "lstm"),
    "LSTM + attention": lambda V, D: RNNAttentionLM(V, D, "lstm"),
    "transformer": _transformer,
}


def by_muon(model: nn.Module) -> Together:
    """The recipe of the ladder, the same for every network: Muon for matrices inside, AdamW for the rest."""
    return muon_and_adamw(model, lr=0.02, adamw_lr=4e-3)


def by_adam(model: nn.Module) -> Adam:
    """The recipe of the chapters before: Adam for everything."""
    return Adam(model.parameters(), lr=4e-3)


OPTIMIZERS = {"Muon": by_muon, "Adam": by_adam}


def learn(name: str, sequences: Iterable[Sequence[int]], vocab_size: int, steps: int, width: int = 96,
          batch_size: int = 32, seed: int = 0, optimizer: str = "Muon") -> tuple[nn.Module, float]:  # fmt: skip
    """Train the network of that name on sequences of ids: the model, and the seconds that training took.

    Warm-up over 50 updates (a tenth, if that is less), then a cosine to zero; gradients clipped to norm 1.
    Errors: ValueError for a name that is not in NETWORKS, or an optimiser not in OPTIMIZERS.
    """
    for kind, given, known in (("network", name, NETWORKS), ("optimiser", optimizer, OPTIMIZERS)):
        if given not in known:
            raise ValueError(f"there is no {kind} {given!r}: choose one of {', '.join(known)}")
    torch.manual_seed(seed)
    model = NETWORKS[name](vocab_size, width)
    batches = next_token.Batches(sequences, batch_size, seed)
    schedule, began = warmup_cosine(steps, min(50, steps // 10)), time.perf_counter()
    train(model, batches, next_token.loss, OPTIMIZERS[optimizer](model), steps, schedule=schedule, clip=1.0,
          every=steps)  # fmt: skip
    return model, time.perf_counter() - began


def tales_in_characters(share: float = 0.9) -> tuple[list[list[str]], list[list[str]]]:
    """The sentences of the Tales, each a list of characters: the first ``share`` to learn from, the rest to test."""
    sentences = [list(join_words(sentence)) for sentence in corpora.tales_sentences()]
    cut = round(share * len(sentences))
    return sentences[:cut], sentences[cut:]


def state_size(model: nn.Module, T: int) -> int:
    """How many numbers a model has to keep after T tokens, to go on with the next."""
    with torch.no_grad():
        _, state = model(torch.full((1, T), 4), model.initial_state(1))
    return _numbers(state)


def _numbers(state: Tensor | Sequence) -> int:
    return state.numel() if isinstance(state, Tensor) else sum(_numbers(part) for part in state)


def excess_of_documents(language: Language, documents: Sequence[Sequence[str]],
                        log_probs: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """What :func:`course_lib.metrics.excess_by_class` adds up, document by document.

    -> excess in nats of each class in each document (documents, classes), and tokens in each document.
    Errors: ValueError when a document and its log-probabilities differ in length.
    """
    rows, lengths = np.zeros((len(documents), len(CLASSES))), np.zeros(len(documents))
    for i, (document, model) in enumerate(zip(documents, log_probs, strict=True)):
        true, classes = language.token_log_probs(document), language.token_classes(document)
        if len(model) != len(true):
            raise ValueError(f"document {i} has {len(true)} tokens with its end, but {len(model)} log-probabilities")
        for kind, difference in zip(classes, true - np.asarray(model), strict=True):
            rows[i, CLASSES.index(kind)] += difference
        lengths[i] = len(true)
    return rows, lengths


def bootstrap(totals: np.ndarray, lengths: np.ndarray, rng: np.random.Generator, draws: int = 2_000,
              level: float = 0.95) -> np.ndarray:  # fmt: skip
    """The interval of a mean per token, from drawing the documents again: totals (N,) or (N, C) -> (2,) or (2, C).

    Each draw takes N documents with replacement and divides what they lose by how long they are; the interval leaves
    (1 - level) / 2 of the draws out on either side. It knows nothing of another training.
    Errors: ValueError when the numbers of documents clash or are below 2, or level is not between 0 and 1.
    """
    if len(totals) != len(lengths) or len(totals) < 2:
        raise ValueError(f"{len(totals)} totals and {len(lengths)} lengths: give one each for two documents or more")
    if not 0 < level < 1:
        raise ValueError(f"level={level} must be between 0 and 1")
    N = len(totals)
    times = rng.multinomial(N, np.full(N, 1 / N), size=draws)  # how often each document is drawn
    tokens = times @ lengths
    means = times @ totals / (tokens[:, None] if totals.ndim == 2 else tokens)
    return np.quantile(means, [(1 - level) / 2, (1 + level) / 2], axis=0)


# ---- the recorded runs ---------------------------------------------------------------------------------------------


def recorded() -> list[dict[str, str]]:
    """The lines of the record: language, model, optimizer, seed, updates, weights, seconds, excess by class, loss.

    ``python -m benchmarks.ladder`` writes them. Counted models have neither optimiser nor seed, and the Tales no
    classes: these are "".
    """
    with resources.files("course_lib").joinpath("data/ladder.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))

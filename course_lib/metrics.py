"""How good is a language model? Cross-entropy, perplexity, bits, the excess over a floor; and a translation? BLEU."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from course_lib.grammar import CLASSES, Language
from course_lib.tokens import PAD_ID

if TYPE_CHECKING:
    from torch import Tensor


def cross_entropy(log_probs: Sequence[np.ndarray]) -> float:
    """Mean surprisal in nats per token, -1/N sum log p, over all tokens of all sequences.

    ``log_probs`` holds one array of log-probabilities (nats) per sequence, the end included. Infinite when the
    model gave some token no probability. Errors: ValueError for no token, for NaN, and for a log p above 0.
    """
    return float(-np.concatenate(_checked(log_probs)).mean())


def perplexity(log_probs: Sequence[np.ndarray]) -> float:
    """exp of the cross-entropy: the number of equally probable choices that would be as hard to guess."""
    loss = cross_entropy(log_probs)
    return math.exp(loss) if loss < 700 else math.inf


def bits_per_character(log_probs: Sequence[np.ndarray], characters: int) -> float:
    """Total surprisal in bits over the number of characters: comparable whatever the tokens are.

    Errors: ValueError unless ``characters`` is positive.
    """
    if characters < 1:
        raise ValueError(f"characters={characters}: the text must have at least one character")
    return float(-np.concatenate(_checked(log_probs)).sum() / math.log(2) / characters)


def excess_by_class(
    language: Language, documents: Sequence[Sequence[str]], log_probs: Sequence[np.ndarray]
) -> dict[str, float]:
    """Where a model loses: its surprisal minus the true one, in nats per token of all text, split by token class.

    The values sum to the model's cross-entropy minus the true one on the same documents. In expectation each is a KL
    divergence, zero for a model that has learned all that class asks for; on a sample it can fall a little below.

    Errors: ValueError without a document, or when a document and its log-probabilities differ in length.
    """
    split, tokens = dict.fromkeys(CLASSES, 0.0), 0
    if not len(documents):
        raise ValueError("there is no document to average over")
    for i, (document, model) in enumerate(zip(documents, _checked(log_probs), strict=True)):
        true, classes = language.token_log_probs(document), language.token_classes(document)
        if len(model) != len(true):
            raise ValueError(f"document {i} has {len(true)} tokens with its end, but {len(model)} log-probabilities")
        for kind, difference in zip(classes, true - np.asarray(model), strict=True):
            split[kind] += float(difference)
        tokens += len(true)
    return {kind: value / tokens for kind, value in split.items()}


def masked_cross_entropy(logits: Tensor, targets: Tensor, ignore: int = PAD_ID) -> Tensor:
    """Mean of -log softmax(z)[target] over all targets but the padding, in nats per token; a scalar tensor.

    logits (..., V), targets (...) ids. The softmax and the logarithm are taken together, so that no logit is too
    large. Errors: ValueError when the shapes clash, or when every target is padding, so that there is no mean.
    """
    from torch.nn.functional import cross_entropy as mean_surprisal  # here: the counting chapters do without PyTorch

    if logits.shape[:-1] != targets.shape:
        raise ValueError(
            f"logits of shape {tuple(logits.shape)} need targets of shape {tuple(logits.shape[:-1])}, "
            f"but these have {tuple(targets.shape)}"
        )
    if bool((targets == ignore).all()):
        raise ValueError(f"all {targets.numel()} targets are padding (id {ignore}): there is nothing to average over")
    return mean_surprisal(logits.flatten(0, -2), targets.flatten(), ignore_index=ignore)


def bleu(hypotheses: Sequence[Sequence[str]], references: Sequence[Sequence[str]]) -> float:
    """Corpus BLEU from 0 to 100, by sacrebleu: 100 BP (p_1 p_2 p_3 p_4)^(1/4), one reference for each hypothesis.

    p_n is the share of the hypotheses' n-grams that are in their references, each counted at most as often as it is
    there, over the whole corpus; BP = min(1, exp(1 - r/c)) with r words in all references and c in all hypotheses.
    The sentences are lists of words and are taken as they are (sacrebleu's ``tokenize="none"``). No n-gram in common
    counts as half a one, and for the next n as a quarter (sacrebleu's smoothing, "exp"); but without a word in common,
    or without a hypothesis of four words, BLEU is 0.

    Errors: ValueError without a sentence, for different numbers of them, or an empty reference; TypeError for a string.
    """
    from sacrebleu.metrics import BLEU  # here: only translations need it

    hypotheses, references = list(hypotheses), list(references)
    _check_pairs(hypotheses, references, "hypotheses", "references")
    if wrong := [words for words in hypotheses + references if isinstance(words, str)]:
        raise TypeError(f"a sentence is a list of words, but {wrong[0][:40]!r} is a string: split it first")
    if not all(references):
        raise ValueError("a reference is empty: leave that pair out")
    lines = [[" ".join(words) for words in sentences] for sentences in (hypotheses, references)]
    return BLEU(tokenize="none", force=True).corpus_score(lines[0], [lines[1]]).score


def alignment_error_rate(predicted: Sequence[Iterable], gold: Sequence[Iterable]) -> float:
    """1 - 2 |A and S| / (|A| + |S|) over a whole corpus, for predicted links A and gold links S: 0 is perfect.

    Each sentence has a collection of links (i, j), all of the gold ones sure. Errors: ValueError without a sentence,
    for different numbers of them, or without any link.
    """
    predicted, gold = [set(links) for links in predicted], [set(links) for links in gold]
    _check_pairs(predicted, gold, "predicted alignments", "gold alignments")
    links = sum(map(len, predicted)) + sum(map(len, gold))
    if not links:
        raise ValueError("there is no link in any alignment, predicted or gold: nothing to compare")
    return 1 - 2 * sum(len(a & s) for a, s in zip(predicted, gold, strict=True)) / links


def _check_pairs(ours: list, theirs: list, name: str, other: str) -> None:
    if not ours or len(ours) != len(theirs):
        raise ValueError(f"{len(ours)} {name} and {len(theirs)} {other}: pass one of each for every sentence")


def _checked(log_probs: Sequence[np.ndarray]) -> list[np.ndarray]:
    """One array per sequence; ValueError for no token at all, for NaN, and for a log p above 0."""
    arrays = [np.atleast_1d(np.asarray(a, dtype=float)) for a in log_probs]
    flat = np.concatenate(arrays) if arrays else np.empty(0)
    if not flat.size:
        raise ValueError("there is no token to average over: log_probs is empty")
    if np.isnan(flat).any() or flat.max() > 1e-9:
        raise ValueError(f"log-probabilities must be numbers of 0 or less, but the largest is {flat.max()}")
    return arrays

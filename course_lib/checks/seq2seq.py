"""Checks for the exercises of the chapter on sequence to sequence, with those on translations from their own module."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from course_lib.checks import Result, compare
from course_lib.checks.translations import bleu, capacity, distances, error_rates, greedy

__all__ = [
    "bleu",
    "capacity",
    "distances",
    "error_rates",
    "greedy",
    "masked_loss",
    "mixed_inputs",
    "shifted",
    "weights",
]


def shifted(answer: Callable) -> Result:
    """``answer(target, start, end)`` -> (what the decoder reads, what it is to say), two lists."""
    mistakes = {
        "these are not shifted: the decoder would read the very word that it is to say.": lambda w, s, e: (
            [*w, e],
            [*w, e],
        ),
        "nothing is shifted and the marks are missing: the decoder would read the very word that it is to say.": lambda w, s, e: (
            w,
            w,
        ),
        "both begin with the start mark, so nothing is shifted: say the words and then the end mark.": lambda w, s, e: (
            [s, *w],
            [s, *w],
        ),
        "the end mark has to be said: it belongs behind the targets.": lambda w, s, e: ([s, *w[:-1]], list(w)),
        "the last word has to be read too, or the end mark would have nothing before it.": lambda w, s, e: (
            [s, *w[:-1]],
            [*w, e],
        ),
        "the start mark is given and never said: leave it out of the targets.": lambda w, s, e: (
            [s, *w, e],
            [s, *w, e],
        ),
        "the end mark is never read: leave it out of the inputs, which are then as long as the targets.": lambda w, s, e: (
            [s, *w, e],
            [*w, e],
        ),
        "these are exchanged: first what is read, then what is said.": lambda w, s, e: ([*w, e], [s, *w]),
    }
    cases = [([7, 8, 9], 1, 2), ([5], 3, 3), ([], 1, 2), ([4, 4], 0, 9)]
    return compare(
        answer,
        lambda w, s, e: ([s, *w], [*w, e]),
        cases,
        mistakes,
        "an empty translation too: it is START in and EOS out.",
    )


def weights(answer: Callable) -> Result:
    """``answer(source, target, embedding, hidden, layers)`` -> number of weights, biases left out."""

    def count(source, target, embedding, hidden, layers, below=None, sides=2, softmax=True, blocks=4):
        first = blocks * (embedding + hidden) * hidden
        upper = blocks * ((hidden if below is None else below) + hidden) * hidden
        tables = (source + target) * embedding
        return tables + softmax * target * hidden + sides * (first + (layers - 1) * upper)

    mistakes = {
        "the output layer is missing: one row of `hidden` numbers for each target word.": lambda *a: count(
            *a, softmax=False
        ),
        "the output layer reads states: each of its rows has `hidden` numbers, not `embedding`.": lambda S, T, E, H, L: (
            count(S, T, E, H, L) + T * (E - H)
        ),
        "encoder and decoder have layers of their own: count them on both sides.": lambda *a: count(*a, sides=1),
        "an LSTM has four blocks of weights, for three gates and the candidate.": lambda *a: count(*a, blocks=1),
        "only the first layer reads word vectors: the upper ones read states, of width `hidden`.": lambda *a: count(
            *a, below=a[2]
        ),
        "the first layer reads word vectors, of width `embedding`, not `hidden`.": lambda S, T, E, H, L: (
            (S + T) * E + T * H + 2 * L * 8 * H * H
        ),
        "this counts the three blocks of a GRU: an LSTM has four.": lambda *a: count(*a, blocks=3),
        "each block has two matrices: one for what comes from below and one for the layer's own past.": lambda S, T, E, H, L: (
            (S + T) * E + T * H + 2 * 4 * (E * H + (L - 1) * H * H)
        ),
        "the two languages have tables of their own, one row for each of their words.": lambda S, T, E, H, L: (
            count(S, T, E, H, L) - T * E
        ),
    }
    cases = [(160_000, 80_000, 1000, 1000, 4), (30, 43, 32, 64, 1), (100, 50, 20, 30, 3)]
    return compare(answer, count, cases, mistakes, "384 million in the first case.", tolerance=0)


def masked_loss(answer: Callable) -> Result:
    """``answer(logits, targets, pad)`` -> mean surprisal of the targets that are not padding, in nats."""

    def surprisal(logits, targets):
        top = logits.max(-1, keepdims=True)
        log_q = logits - top - np.log(np.exp(logits - top).sum(-1, keepdims=True))
        return -np.take_along_axis(log_q, targets[..., None], -1)[..., 0]

    def right(logits, targets, pad):
        return surprisal(logits, targets)[targets != pad].mean()

    def unstable(logits, targets, pad):
        e = np.exp(logits)
        q = np.take_along_axis(e / e.sum(-1, keepdims=True), targets[..., None], -1)[..., 0]
        return -np.log(q)[targets != pad].mean()

    def sentences(logits, targets, pad):
        rows = zip(surprisal(logits, targets), targets, strict=True)
        return np.mean([s[t != pad].mean() for s, t in rows])

    mistakes = {
        "padding is counted as a word: leave it out of the sum and out of the count.": lambda z, y, p: surprisal(
            z, y
        ).mean(),
        "the padding is out of the sum, but not out of the count: divide by the number of tokens.": lambda z, y, p: (
            np.where(y != p, surprisal(z, y), 0).mean()
        ),
        "this is the mean of sentence means: every token counts once, so that long sentences weigh more.": sentences,
        "this is the sum: divide by the number of tokens.": lambda z, y, p: surprisal(z, y)[y != p].sum(),
        "divide by the number of tokens, not of sentences.": lambda z, y, p: surprisal(z, y)[y != p].sum() / len(y),
        "the exponential of a large logit is infinite: subtract the largest logit of each place first.": unstable,
        "the padding has the id `pad`, which need not be 0.": lambda z, y, p: right(z, y, 0),
        "a surprisal is minus the logarithm: the sign is wrong.": lambda z, y, p: -right(z, y, p),
    }
    rng = np.random.default_rng(0)
    y = np.array([[3, 4, 2, 1, 1], [4, 2, 1, 1, 1], [3, 3, 0, 4, 2]])
    wide = np.full((3, 9), 1)
    wide[:, :5] = y
    z = 2 * rng.normal(size=(3, 9, 5))
    cases = [(z[:, :5], y, 1), (z, wide, 1), (800 * z[:1, :5], y[:1], 1), (z[:2, :3], y[:2, :3], 1)]
    return compare(answer, right, cases, mistakes, "and padded further it stays the same.", tolerance=1e-6)


def mixed_inputs(answer: Callable) -> Result:
    """``answer(gold, own, draws, ratio)`` -> what the decoder reads, (B, T); gold inputs, own outputs (B, T)."""

    def right(gold, own, draws, ratio, shift=1, first=False, flip=False):
        before = np.concatenate([gold[:, :1], own[:, :-1]], axis=1) if shift else own
        force = draws >= ratio if flip else draws < ratio
        result = np.where(force, gold, before)
        if not first:
            result[:, 0] = gold[:, 0]
        return result

    mistakes = {
        "the model's word of step t is read at step t + 1: shift its outputs by one.": lambda *a: right(*a, shift=0),
        "the first input is always the start mark: there is no own word before it.": lambda *a: right(
            *a, shift=0, first=True
        ),
        "rolled outputs bring the last word to the front: the first input is always the start mark.": lambda g, o, d, r: (
            np.where(d < r, g, np.roll(o, 1, axis=1))
        ),
        "it is the other way round: the ratio is the probability of the right word.": lambda *a: right(*a, flip=True),
        "each place has a draw of its own: you decide once for the whole row.": lambda g, o, d, r: right(
            g, o, np.repeat(d[:, :1], d.shape[1], axis=1), r
        ),
        "each row has draws of its own: you decide once for the whole batch.": lambda g, o, d, r: right(
            g, o, np.repeat(d[:1], len(d), axis=0), r
        ),
        "this is teacher forcing throughout, whatever the ratio.": lambda g, o, d, r: g,
    }
    rng = np.random.default_rng(1)
    gold, own = rng.integers(10, 20, size=(2, 4, 7)) + np.array([0, 20])[:, None, None]
    gold[:, 0] = 1
    draws = rng.uniform(size=(4, 7))
    draws[2, 3] = 0.5  # not below a ratio of 0.5
    cases = [(gold, own, draws, ratio) for ratio in (0.5, 0.0, 1.0)]
    kept = [part.copy() for part in (gold, own, draws)]
    result = compare(answer, right, cases, mistakes, "with a ratio of 0 it is the model that reads itself.", lend=True)
    if any((part != copy).any() for part, copy in zip((gold, own, draws), kept, strict=True)):
        return Result(False, "your function changes the arrays that it was given: work on a copy.")
    return result

"""Checks for the exercises on large language models: sizes, costs, tokens, fits and ceilings."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np

from course_lib.checks import Result, compare

# ---- sizes and costs -----------------------------------------------------------------------------------------------


def parameters(answer: Callable) -> Result:
    """``answer(V, T, D, L, tied)`` -> the number of parameters of a GPT-2."""

    def right(V, T, D, L, tied, biases=True, norms=True, last=True, positions=True, swap=False):
        block = 12 * D * D + 9 * D * biases + 4 * D * norms
        own = 0 if tied != swap else V * D
        return L * block + V * D + T * D * positions + own + 2 * D * last

    mistakes = {
        "the biases are missing: 4D in the attention and 5D in the feed-forward part of each block.": lambda *a: right(
            *a, biases=False
        ),
        "the norms are missing: each has a scale and a shift, and each block has two norms.": lambda *a: right(
            *a, norms=False
        ),
        "the last norm, after the blocks, is missing: 2D.": lambda *a: right(*a, last=False),
        "the table of positions is missing: T D.": lambda *a: right(*a, positions=False),
        "tied is the wrong way round: a tied output has NO matrix of its own.": lambda *a: right(*a, swap=True),
        "this is always tied: an output with a matrix of its own has V D weights more.": lambda V, T, D, L, tied: right(
            V, T, D, L, True
        ),
        "the output has no bias here, not even when it has a matrix of its own.": lambda V, T, D, L, tied: (
            right(V, T, D, L, tied) + (0 if tied else V)
        ),
        "biases and norms are missing: 12 D^2 are only the matrices of a block.": lambda *a: right(
            *a, biases=False, norms=False
        ),
    }
    cases = [(50257, 1024, 768, 12, True), (100, 16, 32, 2, False), (1000, 64, 48, 3, True), (1000, 64, 48, 3, False)]
    return compare(answer, right, cases, mistakes, "to the last weight, tied and untied.", tolerance=0)


def training_days(answer: Callable) -> Result:
    """``answer(N, D, cards, peak, used)`` -> days for 6 N D operations."""

    def right(N, D, cards, peak, used, factor=6.0, seconds=86_400.0):
        return factor * N * D / (cards * peak * used) / seconds

    mistakes = {
        "two operations for each weight and token are the forward pass only: with the backward pass it is six.": (
            lambda *a: right(*a, factor=2.0)
        ),
        "this is with cards that reach their peak: divide by the share that is used, too.": (
            lambda N, D, c, p, u: right(N, D, c, p, 1.0)
        ),
        "these are seconds: a day has 86,400 of them.": lambda *a: right(*a, seconds=1.0),
        "these are hours: a day has 86,400 seconds.": lambda *a: right(*a, seconds=3600.0),
        "the six is missing: N parameters and D tokens cost about 6 N D operations.": lambda *a: right(*a, factor=1.0),
        "less use takes MORE days: divide by the share that is used.": lambda N, D, c, p, u: right(N, D, c, p, 1 / u),
        "this is for a single card: divide by their number.": lambda N, D, c, *a: right(N, D, 1, *a),
    }
    cases = [(70e9, 1.4e12, 1000, 3e14, 0.4), (124e6, 10e9, 8, 1e14, 0.5)]
    return compare(answer, right, cases, mistakes, "operations by speed.")


def gigabytes(answer: Callable) -> Result:
    """``answer(N, cards)`` -> gigabytes on each card for weights, gradient and Adam."""

    def right(N, cards, each=16):
        return N * each / cards / 1e9

    mistakes = {
        "2 bytes are the weights alone: gradient, 32-bit copy and Adam's two means come on top.": lambda *a: right(
            *a, each=2
        ),
        "12 bytes: either the 32-bit copy of the weights is missing, or Adam's means are not TWO of 4 bytes.": (
            lambda *a: right(*a, each=12)
        ),
        "14 bytes: either the gradient is missing, or the 16-bit copy of the weights.": lambda *a: right(*a, each=14),
        "18 bytes: the gradient is in 16 bits, not in 32.": lambda *a: right(*a, each=18),
        "these are bits: a byte has eight.": lambda *a: right(*a, each=128),
        "this is for all cards together: divide by their number.": lambda N, cards: right(N, 1),
        "a gigabyte here is 10^9 bytes, not 2^30.": lambda N, cards: N * 16 / cards / 2**30,
    }
    return compare(answer, right, [(1e9, 2), (174.6e9, 35), (124e6, 3)], mistakes, "16 bytes for each parameter.")


def split(answer: Callable) -> Result:
    """``answer(C, ratio)`` -> (parameters, tokens) with 6 N D = C and D = ratio N."""

    def right(C, ratio, factor=6.0):
        N = math.sqrt(C / (factor * ratio))
        return N, ratio * N

    mistakes = {
        "N comes first, then D; and the ratio is tokens per parameter, D / N.": lambda C, r: right(C, r)[::-1],
        "the six is missing: 6 N D = C.": lambda C, r: right(C, r, factor=1.0),
        "N D = C / 6 and D = ratio N make N SQUARED: take the root.": lambda C, r: (C / 6 / r, C / 6),
        "the budget was split evenly: D = ratio N, not D = N.": lambda C, r: right(C, 1.0),
        "2 N D is the forward pass only: 6 N D = C.": lambda C, r: right(C, r, factor=2.0),
        "N is right, but D is not: C / N leaves out the six.": lambda C, r: (right(C, r)[0], 6 * right(C, r)[1]),
    }
    return compare(answer, right, [(3.15e23, 20), (1e20, 5), (6e18, 100)], mistakes, "6 times ratio times N squared.")


def cache_bytes(answer: Callable) -> Result:
    """``answer(B, T, L, kv_heads, K, width)`` -> bytes of all keys and values."""

    def right(B, T, L, heads, K, width):
        return 2 * B * T * L * heads * K * width

    mistakes = {
        "keys AND values are kept: twice as much.": lambda *a: right(*a) / 2,
        "every block has a cache of its own: multiply by L.": lambda B, T, L, *a: right(B, T, 1, *a),
        "each of the B texts has its own cache.": lambda B, *a: right(1, *a),
        "the cache grows with T, not with its square: the scores are not kept.": lambda B, T, *a: right(B, T * T, *a),
        "the heads are missing: each kept head has keys of width K.": lambda B, T, L, h, *a: right(B, T, L, 1, *a),
        "two and not three: queries are used once and need not be kept.": lambda *a: right(*a) * 1.5,
        "these are numbers: each takes `width` bytes.": lambda *a: right(*a[:-1], 1),
    }
    cases = [(1, 2048, 96, 96, 128, 2), (3, 100, 4, 2, 16, 4)]
    return compare(answer, right, cases, mistakes, "two of width K for each token, block and kept head.")


# ---- tokens --------------------------------------------------------------------------------------------------------


def _merge(pieces: list[str], pair: tuple[str, str]) -> list[str]:
    joined, i = [], 0
    while i < len(pieces):
        found = tuple(pieces[i : i + 2]) == tuple(pair)
        joined.append(pieces[i] + pieces[i + 1] if found else pieces[i])
        i += 1 + found
    return joined


def _encode(word: str, merges) -> list[str]:
    pieces = list(word)
    for pair in merges:
        pieces = _merge(pieces, pair)
    return pieces


def _first_only(word, merges):
    pieces = list(word)
    for left, right in merges:
        places = [i for i in range(len(pieces) - 1) if (pieces[i], pieces[i + 1]) == (left, right)]
        if places:
            pieces[places[0] : places[0] + 2] = [left + right]
    return pieces


def _longest(word, merges):
    known, pieces = {left + right for left, right in merges}, []
    while word:
        n = max(n for n in range(1, len(word) + 1) if n == 1 or word[:n] in known)
        pieces.append(word[:n])
        word = word[n:]
    return pieces


def _leftmost(word, merges):
    pieces, i = list(word), 0
    while i < len(pieces) - 1:
        if (pieces[i], pieces[i + 1]) in [tuple(pair) for pair in merges]:
            pieces[i : i + 2] = [pieces[i] + pieces[i + 1]]
            i = 0
        else:
            i += 1
    return pieces


def _in_text(word, merges):
    text = " ".join(word)
    for left, right in merges:
        text = text.replace(f"{left} {right}", left + right)
    return text.split()


def _once(word, merges):
    return _encode(word, [pair for pair in merges if pair in pairwise(word)][:1])


def encode(answer: Callable) -> Result:
    """``answer(word, merges)`` -> tokens, by the merges in the order learned."""
    mistakes = {
        "this merges whatever fits first in the WORD: of the merges that fit, the one learned first goes first.": (
            _leftmost
        ),
        "the last merge learned was applied first: go through the list from its beginning.": lambda w, m: _encode(
            w, m[::-1]
        ),
        "each merge was applied at one place only: it applies everywhere in the word.": _first_only,
        "this takes the longest known token from the left: byte-pair encoding repeats the merges, in order.": _longest,
        "whole tokens are merged: replacing in a text also finds the first letters of a longer token.": _in_text,
        "only one merge was applied: begin again until none fits.": _once,
    }
    merges = [("b", "c"), ("a", "b"), ("bc", "d"), ("a", "bcd"), ("a", "a"), ("c", "e")]
    words = ("abcd", "abxabxaaa", "abc", "bcbc", "bce", "aab", "", "zz")
    cases = [(word, merges) for word in words]
    return compare(answer, _encode, cases, mistakes, "in the order of training, everywhere.")


def bits_per_byte(answer: Callable) -> Result:
    """``answer(nats per token, tokens, bytes)`` -> bits per byte."""

    def right(nats, count, size):
        return nats * count / size / math.log(2)

    mistakes = {
        "these are nats: divide by ln 2 for bits.": lambda n, c, s: n * c / s,
        "multiplied by ln 2 where one divides: a nat is MORE than a bit.": lambda n, c, s: n * c / s * math.log(2),
        "these are bits per token: multiply by the tokens and divide by the bytes.": lambda n, c, s: n / math.log(2),
        "tokens and bytes are the wrong way round: fewer tokens make the total smaller.": lambda n, c, s: right(
            n, s, c
        ),
        "this is the whole text: divide by its bytes.": lambda n, c, s: right(n, c, 1),
        "the loss is for one token: multiply by their number.": lambda n, c, s: right(n, 1, s),
        "log2 of the loss is not the loss in bits: divide by ln 2.": lambda n, c, s: math.log2(n) * c / s,
    }
    return compare(answer, right, [(3.0, 1000, 4400), (2.6, 1000, 3500)], mistakes, "the same unit for every model.")


# ---- fits and ceilings ---------------------------------------------------------------------------------------------


def _fit(C, losses, floors, choose=min, in_logs=False, floor=True):
    found = []
    for E in floors:
        if losses.min() > E:
            slope, start = np.polyfit(np.log(C), np.log(losses - E), 1)
            law = np.exp(start) * C**slope
            gap = np.log(law) - np.log(losses - E) if in_logs else E * floor + law - losses
            found.append(((gap**2).sum(), E, np.exp(start), -slope))
    return choose(found)[1:]


def fit(answer: Callable) -> Result:
    """``answer(C, losses, floors)`` -> (E, a, b) of the law E + a C^-b."""
    mistakes = {
        "b is the exponent of C^-b: the negative of the slope.": lambda *a: (*_fit(*a)[:2], -_fit(*a)[2]),
        "this is log a: the line's start has to be exponentiated.": lambda *a: (
            _fit(*a)[0],
            math.log(_fit(*a)[1]),
            _fit(*a)[2],
        ),
        "the errors were compared in log(L - E), whose scale changes with E: compare them in the loss.": (
            lambda *a: _fit(*a, in_logs=True)
        ),
        "E is the first candidate, whatever the errors: compare them.": lambda *a: _fit(*a, choose=lambda f: f[0]),
        "the law is a C^-b + E: its errors were taken without E.": lambda *a: _fit(*a, floor=False),
    }
    C = np.geomspace(1, 1000, 12)
    noise = np.random.default_rng(1).normal(size=(3, 12))
    floors = [0.0, 0.3, 0.5, 0.7, 0.9, 1.0, 2.0]
    exact = (C, 0.7 + 3 * C**-0.5, floors)
    # in no order, and with a candidate that equals the lowest loss
    mixed = (np.array([1e3, 1e2, 10, 1]), np.array([1.125, 1.5, 2.25, 4]), [2.0, 1.125, 1.0, 0.25, 0.75, 0.5])
    cases = [exact, *((C, 0.8 + 3 * C**-0.4 + 0.05 * row, floors) for row in noise), mixed]
    return compare(answer, _fit, cases, mistakes, "linear but for the floor.")


def best_share(answer: Callable) -> Result:
    """``answer(n, keys, own, odd)`` -> the best possible share of right answers after n examples."""

    def right(n, keys, own, odd, pool=None, luck=True):
        missed = (1 - 1 / (pool or own)) ** n
        return 1 - missed + missed * (1 - odd + odd / keys * luck)

    mistakes = {
        "an answer drawn afresh is the usual one in one of `keys` cases: add odd / keys.": lambda *a: right(
            *a, luck=False
        ),
        "a document asks only `own` different questions: the next one was missed with (1 - 1/own)^n.": (
            lambda n, k, o, odd: right(n, k, o, odd, pool=k)
        ),
        "this is the share of questions that have come up: the others can be guessed from the subject.": (
            lambda n, k, o, odd: 1 - (1 - 1 / o) ** n
        ),
        "questions come again: n examples show fewer than n different ones.": lambda n, k, o, odd: (
            min(n / o, 1) + (1 - min(n / o, 1)) * (1 - odd + odd / k)
        ),
        "1 / keys is for documents without a name: this subject is named, and has its usual answer.": (
            lambda n, k, o, odd: right(n, k, o, 1.0)
        ),
        "the examples count, too: what the document has answered, it answers again.": lambda n, *a: right(0, *a),
        "an answer drawn afresh is one of all `keys`, the usual one included: odd / keys.": (
            lambda n, k, o, odd: 1 - (1 - 1 / o) ** n * (odd - odd / (k - 1))
        ),
    }
    cases = [(0, 12, 4, 0.25), (1, 12, 4, 0.25), (5, 12, 4, 0.25), (3, 10, 5, 1.0), (6, 8, 2, 0.5)]
    return compare(answer, right, cases, mistakes, "what was shown, or else what is usual.")

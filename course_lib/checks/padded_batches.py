"""Checks for exercises on padded batches and their loss."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from course_lib.checks import Result, compare, plain


def batch(answer: Callable) -> Result:
    """``answer(sentences, bos, eos, pad)`` -> inputs, targets and mask of a padded batch."""

    def make(sentences, bos, eos, pad, *, read=True, shift=True, end=True, over_end=True):
        T = 1 + max(map(len, sentences))
        rows = []
        for s in sentences:
            inputs = [bos, *s] if read else [*s, eos]
            targets = ([*s, eos] if end else [*s, pad]) if shift else [bos, *s]
            real = len(s) + (1 if over_end else 0)
            gap = T - len(s) - 1
            rows.append((inputs + [pad] * gap, targets + [pad] * gap, [1] * real + [0] * (T - real)))
        return tuple(list(part) for part in zip(*rows, strict=True))

    def variant(**options):
        return lambda s, b, e, p: make(s, b, e, p, **options)

    def other_mask(change):
        def mistaken(s, b, e, p):
            inputs, targets, mask = make(s, b, e, p)
            return inputs, targets, [change(row) for row in mask]

        return mistaken

    def cut_off(s, b, e, p):
        inputs, targets, mask = make(s, b, e, p)
        T = 1 + min(map(len, s))
        return [r[:T] for r in inputs], [r[:T] for r in targets], [r[:T] for r in mask]

    def in_front(s, b, e, p):
        inputs, targets, mask = make(s, b, e, p)
        counts = [sum(row) for row in mask]
        turn = [[row[n:] + row[:n] for row, n in zip(part, counts, strict=True)] for part in (inputs, targets, mask)]
        return tuple(turn)

    def forgiving(s, b, e, p):  # EOS read behind a shorter sentence does no harm
        inputs, targets, _ = make(s, b, e, p)
        read = [[b, *row[:-1]] for row in targets]
        given = plain(answer(s, b, e, p))
        if isinstance(given, list) and given[:1] == [read]:
            given[0] = inputs
        return given

    mistakes = {
        "the targets are not shifted: at each step the target is the token that is read next.": variant(shift=False),
        "the inputs begin with BOS: otherwise nothing predicts the first token.": variant(read=False),
        "the end mark is missing among the targets, so the model never learns to stop.": variant(end=False),
        "the end mark is a target like any other: the mask must be 1 there.": variant(over_end=False),
        "EOS is a target like any other: predict it after the last token, with a 1 in the mask.": variant(
            end=False, over_end=False
        ),
        "the mask is 1 everywhere: padding would count.": other_mask(lambda row: [1] * len(row)),
        "the mask is the wrong way round: 1 where a target counts, 0 at padding.": other_mask(
            lambda row: [1 - m for m in row]
        ),
        "the mask is about the targets, not about the inputs: where EOS is read, nothing is predicted.": other_mask(
            lambda row: [1, *row[:-1]]
        ),
        "the longer sentences are cut off: T is one more than the longest.": cut_off,
        "put the padding behind the sentence, not in front of it.": in_front,
    }
    cases = [
        ([[5, 6, 7], [8], [9, 5]], 1, 2, 0),
        ([[4], [4, 4]], 7, 8, 9),
        ([[11, 12], [13, 14, 15, 16]], 1, 2, 0),
    ]
    return compare(forgiving, make, cases, mistakes, "every token is predicted once, and no padding.")


def masked_loss(answer: Callable) -> Result:
    """``answer(logits, targets, mask)`` -> mean surprisal in nats per real token."""

    def surprisal(logits, targets):
        z = logits - logits.max(-1, keepdims=True)
        log_q = z - np.log(np.exp(z).sum(-1, keepdims=True))
        return -np.take_along_axis(log_q, targets[..., None], -1)[..., 0]

    def right(logits, targets, mask):
        real = mask.astype(bool)
        return float(surprisal(logits[real], targets[real]).mean())

    def of_rows(logits, targets, mask):
        return float(np.mean([right(z[None], t[None], m[None]) for z, t, m in zip(logits, targets, mask, strict=True)]))

    mistakes = {
        "divide by the number of real tokens, not by the size of the array.": lambda z, t, m: (
            right(z, t, m) * float(m.sum()) / m.size
        ),
        "this is the sum: divide by the number of real tokens.": lambda z, t, m: right(z, t, m) * float(m.sum()),
        "padding is counted: leave out the places where the mask is 0.": lambda z, t, m: float(surprisal(z, t).mean()),
        "this is a mean of the sentences' means: in it a token of a short sentence weighs more.": of_rows,
        "the sign is wrong: a surprisal is never negative.": lambda z, t, m: -right(z, t, m),
        "this is in bits: use natural logarithms.": lambda z, t, m: right(z, t, m) / math.log(2),
        "divide by the number of real tokens, not by the number of sentences.": lambda z, t, m: (
            right(z, t, m) * float(m.sum()) / len(m)
        ),
    }
    rng = np.random.default_rng(0)
    mask = np.array([[1, 1, 1, 1], [1, 1, 0, 0], [1, 0, 0, 0]])
    logits = rng.normal(size=(3, 4, 5)) * 3
    targets = rng.integers(1, 5, size=(3, 4)) * mask
    large = logits.copy()
    large[0, 0] = [1e4, 0.0, -1e4, 0.0, 1.0]
    wild = logits.copy()
    wild[mask == 0] = np.inf
    overflow = (
        "large logits overflow or underflow: at each place subtract the largest from all, and take the logarithm of "
        "the softmax as a whole, with no small number added."
    )
    infinity = "zero times infinity is not a number: select the real places before you compute with them."
    steps = [  # an answer that is right on ordinary numbers has one reason to be wrong in the last two cases
        ((logits, targets, mask), mistakes),
        ((logits, targets, np.ones((3, 4), dtype=int)), {}),
        ((large, targets, mask), {overflow: answer}),
        ((wild, targets, mask), {infinity: answer}),
    ]
    for case, hints in steps:
        verdict = compare(answer, right, [case], hints, "padding is out, and no logit is too large.", tolerance=1e-5)
        if not verdict:
            break
    return verdict


def believed_stop(answer: Callable) -> Result:
    """``answer(stop, j)`` -> the probability of a verb after j fillers, learned with tokens weighted by 1 / length."""

    def share(stop, j, *, weight=lambda i: 1 / (i + 4), first=None):
        start = j if first is None else first
        weights = [(1 - stop) ** i * weight(i) for i in range(start, start + 5000)]
        return weights[j - start] / sum(weights)

    mistakes = {
        "this is the truth: the weights are missing.": lambda stop, j: stop,
        "off by one: a sentence with j fillers has j + 4 tokens, the end included.": lambda stop, j: share(
            stop, j, weight=lambda i: 1 / (i + 3)
        ),
        "a sentence with j fillers has j + 4 tokens, not j + 5: BOS is not predicted.": lambda stop, j: share(
            stop, j, weight=lambda i: 1 / (i + 5)
        ),
        "a sentence with j fillers has j + 4 tokens, not j + 1.": lambda stop, j: share(
            stop, j, weight=lambda i: 1 / (i + 1)
        ),
        "only sentences that have come this far count: sum from j fillers on, not from 0.": lambda stop, j: share(
            stop, j, first=0
        ),
        "the answer depends on j: the fillers that have been read count in the length as well.": lambda stop, j: share(
            stop, 0
        ),
        "the weight is 1/L: long sentences count less, not more.": lambda stop, j: share(
            stop, j, weight=lambda i: i + 4
        ),
    }
    cases = [(0.3, 0), (0.3, 3), (0.6, 1), (0.1, 10)]
    return compare(answer, share, cases, mistakes, "0.41 right after the noun, where the truth is 0.3.", tolerance=1e-6)

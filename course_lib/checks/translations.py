"""Checks for exercises on what a translator writes and how it is judged."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable

import numpy as np

from course_lib.checks import Result, compare


def bleu(answer: Callable) -> Result:
    """``answer(translations, references)`` -> corpus BLEU from 0 to 100, n up to 4, without smoothing."""

    def ngrams(words, n):
        return Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))

    def score(pairs, clip=True, brevity=True, upto=4, arithmetic=False, repeats=True):
        precisions = []
        for n in range(1, upto + 1):
            both = [(ngrams(h, n), ngrams(r, n)) for h, r in pairs]
            if not repeats:
                both = [(Counter(set(h)), r) for h, r in both]
            matches = sum(min(k, r[g]) if clip else k * (g in r) for h, r in both for g, k in h.items())
            precisions.append(matches / sum(sum(h.values()) for h, _ in both))
        c, r = sum(len(h) for h, _ in pairs), sum(len(r) for _, r in pairs)
        penalty = min(1.0, math.exp(1 - r / c)) if brevity else 1.0
        mean = np.mean(precisions) if arithmetic else math.prod(precisions) ** (1 / upto)
        return 100 * penalty * mean

    def right(translations, references):
        return score(list(zip(translations, references, strict=True)))

    def variant(**options):
        return lambda h, r: score(list(zip(h, r, strict=True)), **options)

    def always(translations, references):
        c, r = sum(map(len, translations)), sum(map(len, references))
        return variant(brevity=False)(translations, references) * math.exp(1 - r / c)

    def pooled(translations, references):
        matches, said = [], []
        for n in range(1, 5):
            h, r = (sum((ngrams(s, n) for s in part), Counter()) for part in (translations, references))
            matches.append((h & r).total())
            said.append(h.total())
        c, r = sum(map(len, translations)), sum(map(len, references))
        return 100 * min(1.0, math.exp(1 - r / c)) * math.prod(np.divide(matches, said)) ** 0.25

    def penalties(translations, references):
        each = [min(1.0, math.exp(1 - len(r) / len(h))) for h, r in zip(translations, references, strict=True)]
        return variant(brevity=False)(translations, references) * np.mean(each)

    mistakes = {
        "clip within each sentence and add up then: a word of one sentence is no match for another's.": pooled,
        "the brevity penalty compares the total lengths: this is a mean over the sentences.": penalties,
        "an n-gram that is said twice counts twice, up to its count in the reference: count, do not use sets.": variant(
            repeats=False
        ),
        "an n-gram counts at most as often as it is in the reference: clip the counts.": variant(clip=False),
        "who says too little has to pay: the brevity penalty is missing.": variant(brevity=False),
        "the penalty is at most 1: who says too much pays in the precisions already.": always,
        "the precisions are joined by the geometric mean: the fourth root of their product.": variant(arithmetic=True),
        "n runs from 1 to 4: these are the words alone.": variant(upto=1),
        "sum the counts over the test set and divide once: this is the mean of sentence scores.": lambda h, r: np.mean(
            [score([pair]) for pair in zip(h, r, strict=True)]
        ),
        "BLEU is given from 0 to 100 here.": lambda h, r: right(h, r) / 100,
    }
    a = "el gato ve la casa grande".split()
    b = "los perros rojos ven el árbol verde".split()
    cases = [
        ([a[:5]], [a]),
        (["el el gato ve la casa grande grande".split()], [a]),
        ([a, "los perros rojos ven el árbol con".split()], [a, b]),
        ([[*a[:5], "verde"], b], [a, b]),
        (["el el gato ve la casa grande".split(), "los perros rojos ven árbol rojo".split()], [a, b]),
    ]
    return compare(answer, right, cases, mistakes, "clipped, joined and paid for.", tolerance=1e-6)


def greedy(answer: Callable) -> Result:
    """``answer(step, state, start, end, longest)`` -> the tokens that are written, without the end mark."""

    def right(step, state, start, end, longest, first=None, keep=False, stale=False, ends=()):
        given, written = start if first is None else first, []
        while len(written) < longest:
            q, new = step(given, state)
            state = state if stale else new
            given = int(np.argmax(q))
            if given in (end, *ends) and not keep:
                break
            written.append(given)
            if given == end:
                break
        return written

    def unfed(step, state, start, end, longest):
        written = []
        while len(written) < longest:
            q, state = step(start, state)
            if int(np.argmax(q)) == end:
                break
            written.append(int(np.argmax(q)))
        return written

    def endless(step, state, start, end, longest):
        written, given = [], start
        for _ in range(longest):
            q, state = step(given, state)
            given = int(np.argmax(q))
            written.append(given)
        return written

    def unopened(step, state, start, end, longest):
        return [] if start == end else right(step, state, start, end, longest)

    def least(step, state, start, end, longest):
        return right(lambda i, s: (-step(i, s)[0], step(i, s)[1]), state, start, end, longest)

    mistakes = {
        "this starts from the end mark: start from the symbol that training used, `start`.": lambda f, s, a, e, n: (
            right(f, s, a, e, n, first=e)
        ),
        "what was written last has to be read at the next step: you give the start mark every time.": unfed,
        "the state has to go on: pass the one that `step` returned.": lambda *a: right(*a, stale=True),
        "stop at the end mark: what comes after it is no part of the translation.": endless,
        "the end mark is not a word of the translation: leave it out.": lambda *a: right(*a, keep=True),
        "look for the end mark only among the outputs: where it is the start mark too, you write nothing.": unopened,
        "only the end mark ends a translation: the start mark may be a word, and then it may be written.": lambda *a: (
            right(*a, ends=(a[2],))
        ),
        "this takes the least probable token: greedy means the most probable one.": least,
    }

    def machine(words, start):
        """A decoder that says ``words`` and then the end, 9, if it is started rightly and fed what it says."""

        read, say = [start, *words], [*words, 9]

        def step(given, state):
            fits = state < len(read) and given == read[state]
            return np.eye(10)[say[state] if fits else (given + state) % 4] * 0.9 + 0.01, state + 1

        return step

    cases = [
        (machine([4, 5, 6], 0), 0, 0, 9, 10),
        (machine([7, 2, 7, 4, 5], 2), 0, 2, 9, 3),
        (machine([5], 9), 0, 9, 9, 5),
        (machine([], 1), 0, 1, 9, 5),
    ]
    return compare(answer, right, cases, mistakes, "also where one symbol both starts and ends.")


def error_rates(answer: Callable) -> Result:
    """``answer(right, real)`` -> (share wrong while all was right before, share wrong after a mistake)."""

    def rates(right, real, own=False, padding=False, late=False):
        wrong = ~right & real if not padding else ~right
        seen = wrong.cumsum(1) - (0 if own else wrong)
        real = np.ones_like(real) if padding else real
        clean, after = (seen == 0) & real, (seen > 0) & real
        return [float(wrong[clean].mean()), float(wrong[after].mean())]

    def joint(right, real):
        wrong = ~right & real
        after = (wrong.cumsum(1) - wrong > 0) & real
        return [float((wrong & real & ~after).sum() / real.sum()), float((wrong & after).sum() / real.sum())]

    def of_mistakes(right, real):
        wrong = ~right & real
        after = wrong & (wrong.cumsum(1) - wrong > 0)
        return [1 - float(after.sum() / wrong.sum()), float(after.sum() / wrong.sum())]

    def of_places(right, real):
        wrong = ~right & real
        after = wrong.cumsum(1) - wrong > 0
        return [float(wrong[~after].mean()), float(wrong[after].mean())]

    def last(right, real):
        wrong = ~right & real
        after = np.zeros_like(wrong)
        after[:, 1:] = wrong[:, :-1]
        return [float(wrong[real & ~after].mean()), float(wrong[real & after].mean())]

    mistakes = {
        "a mistake does not come after itself: count only the tokens before.": lambda r, m: rates(r, m, own=True),
        "padding is counted: it is neither right nor wrong.": lambda r, m: rates(r, m, padding=True),
        "padding is left out of the mistakes, but not out of the places: divide by the number of tokens.": of_places,
        "divide each by its own places, not both by all tokens.": joint,
        "these are shares of the mistakes: divide by the tokens at such places, right or wrong.": of_mistakes,
        "any earlier mistake counts, not only one at the step before.": last,
        "these are shares of right tokens: one minus them is asked for.": lambda r, m: [1 - x for x in rates(r, m)],
        "the order is: first all right so far, then after a mistake.": lambda r, m: rates(r, m)[::-1],
    }
    rng = np.random.default_rng(2)
    cases = []
    for B, T, padding in ((6, 8, False), (20, 12, True)):  # what `right` says of padding
        real = np.arange(T) < rng.integers(T // 2, T + 1, size=B)[:, None]
        cases.append((np.where(real, rng.uniform(size=(B, T)) < 0.7, padding), real))
    return compare(
        answer, rates, cases, mistakes, "and that is the whole measurement of exposure bias.", tolerance=1e-6
    )


def distances(answer: Callable) -> Result:
    """``answer(S, reverse)`` -> for token k = 1..S: steps from reading it to writing its copy, EOS read as well."""

    def right(S, reverse):
        return [2 * k - 1 if reverse else S + 1 for k in range(1, S + 1)]

    mistakes = {
        "EOS is read too, between the last symbol and the first that is written.": lambda S, r: (
            [2 * k - 1 for k in range(1, S + 1)] if r else [S] * S
        ),
        "with the source reversed, EOS is read first, so that it is not in the way.": lambda S, r: (
            [2 * k for k in range(1, S + 1)] if r else [S + 1] * S
        ),
        "the source is read in reverse, but the copy is written from the first symbol on.": lambda S, r: [S + 1] * S,
        "the order is by token: the first entry belongs to token 1.": lambda S, r: right(S, r)[::-1],
        "these are the steps between: the step that writes counts too.": lambda S, r: [d - 1 for d in right(S, r)],
        "the start mark takes no step of its own: the step that reads it writes the first copy.": lambda S, r: [
            d + 1 for d in right(S, r)
        ],
        "the two cases are exchanged.": lambda S, r: right(S, not r),
    }
    cases = [(5, False), (5, True), (1, True), (1, False), (12, True)]
    return compare(answer, right, cases, mistakes, "the mean hardly changes, but the shortest becomes 1.")


def capacity(answer: Callable) -> Result:
    """``answer(lengths, shares, symbols)`` -> bits at the length where half are right; None if never crossed."""

    def crossing(lengths, shares, part=None):
        for n, m, a, b in zip(lengths, lengths[1:], shares, shares[1:], strict=False):
            if a >= 0.5 > b:
                return n + (m - n) * ((a - 0.5) / (a - b) if part is None else part)
        return None

    def bits(unit=math.log2, **options):
        def f(lengths, shares, symbols):
            n = crossing(lengths, shares, **options)
            return None if n is None else n * unit(symbols)

        return f

    def step_of_one(lengths, shares, symbols):
        n = crossing(list(range(len(shares))), shares)
        return None if n is None else (lengths[int(n)] + n - int(n)) * math.log2(symbols)

    mistakes = {
        "these are nats: bits need the logarithm to base 2.": bits(unit=math.log),
        "this is a length: each symbol is worth log2(symbols) bits.": bits(unit=lambda s: 1.0),
        "go on between the two lengths, in a straight line.": bits(part=0),
        "this is the first length at which fewer than half are right: the crossing lies before it.": bits(part=1),
        "this is halfway between the two lengths: the crossing depends on how far the shares are from one half.": bits(
            part=0.5
        ),
        "np.interp needs places that increase, and these shares fall: turn both lists round.": lambda n, p, v: (
            np.interp(0.5, p, n) * math.log2(v)
        ),
        "the lengths need not be one apart.": step_of_one,
        "one of nine symbols is worth log2(9) bits, not nine.": bits(unit=float),
    }
    cases = [
        ([2, 4, 6, 8], [1.0, 0.9, 0.4, 0.0], 9),
        ([4, 8, 12, 16], [0.99, 0.8, 0.2, 0.0], 4),
        ([2, 3], [1.0, 0.9], 9),
        ([3, 5, 10], [0.9, 0.5, 0.1], 2),
        ([4, 8], [0.4, 0.1], 9),
    ]
    return compare(answer, bits(), cases, mistakes, "a capacity in bits can be compared between tasks.", tolerance=1e-6)

"""Checks for the exercises of the chapter on decoding, with those on search from their own module."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np

from course_lib.checks import Result, compare
from course_lib.checks.search import beam_step, not_monotone, ranking, viterbi

__all__ = [
    "ahead",
    "beam_step",
    "coin",
    "expected",
    "not_monotone",
    "nucleus",
    "ranking",
    "refusal",
    "survivors",
    "viterbi",
    "warm",
]

FALLING = [0.5, 0.25, 0.125, 0.125]
MIXED = [0.05, 0.4, 0.1, 0.3, 0.15]


def warm(answer: Callable) -> Result:
    """``answer(p, tau)`` -> the distribution at temperature tau, p^(1/tau) normalised."""

    def right(p, tau):
        return _normalised(np.array(p) ** (1 / tau))

    mistakes = {
        "the probabilities were divided by the temperature: divide the logarithms, which takes p to the power "
        "1/tau.": lambda p, tau: _normalised(np.array(p) / tau),
        "the power is 1/tau, not tau: above 1 a temperature makes the distribution flatter.": lambda p, tau: (
            _normalised(np.array(p) ** tau)
        ),
        "the softmax was taken of probabilities: its arguments are logits, and log p will do.": lambda p, tau: (
            _normalised(np.exp(np.array(p) / tau))
        ),
        "the weights do not sum to 1 yet: normalise them.": lambda p, tau: np.array(p) ** (1 / tau),
    }
    cases = [(FALLING, 0.5), (FALLING, 2.0), (MIXED, 1.0), (MIXED, 0.3), (MIXED, 10.0), ([1.0], 3.0)]
    return compare(answer, right, cases, mistakes, "the order is kept, the differences are not.")


def survivors(answer: Callable) -> Result:
    """``answer(p, k, mass, share)`` -> how many tokens top-k, top-p and min-p keep."""

    def right(p, k, mass, share, most=None, enough=None, floor=None):
        ordered = sorted(p, reverse=True)
        sums = list(itertools.accumulate(ordered))
        by_mass = next(i + 1 for i, total in enumerate(sums) if total >= mass - 1e-12)
        low = share * ordered[0] if floor is None else floor
        return [
            min(k, len(p)) if most is None else most,
            by_mass if enough is None else enough(sums, mass),
            sum(x >= low - 1e-12 for x in p),
        ]

    mistakes = {
        "there are no more tokens than the vocabulary has, however large k is.": lambda p, k, m, s: right(
            p, k, m, s, most=k
        ),
        "the token that carries the sum over the mass is kept too, so that there is always one.": lambda p, k, m, s: (
            right(p, k, m, s, enough=lambda sums, mass: sum(x < mass - 1e-12 for x in sums))
        ),
        "once the mass is reached, nothing more is kept: equality is enough.": lambda p, k, m, s: right(
            p, k, m, s, enough=lambda sums, mass: min(sum(x <= mass + 1e-12 for x in sums) + 1, len(sums))
        ),
        "min-p is a share of the largest probability, not a probability.": lambda p, k, m, s: right(
            p, k, m, s, floor=s
        ),
        "top-p goes through the tokens in the order of their probability, not of their ids.": lambda p, k, m, s: right(
            p, k, m, s, enough=lambda _, mass: sum(x < mass - 1e-12 for x in itertools.accumulate(p)) + 1
        ),
        "the nucleus may go above the mass: the token that takes it there is kept too.": lambda p, k, m, s: right(
            p, k, m, s, enough=lambda sums, mass: sum(x <= mass + 1e-12 for x in sums)
        ),
        "top-k keeps k tokens here, and not all that tie with the last of them.": lambda p, k, m, s: right(
            p, k, m, s, most=sum(x >= sorted(p)[-min(k, len(p))] for x in p)
        ),
        "a token that is exactly `share` times as probable as the first is kept.": lambda p, k, m, s: right(
            p, k, m, s, floor=s * max(p) + 1e-9
        ),
    }
    cases = [
        (FALLING, 2, 0.75, 0.5),
        (FALLING, 9, 0.4, 0.1),
        (MIXED, 3, 0.8, 0.3),
        (MIXED, 1, 1.0, 1.0),
        ([0.125] * 8, 5, 0.6, 0.2),
        ([0.01, 0.99], 2, 0.9, 0.05),
    ]
    return compare(answer, right, cases, mistakes, "one setting, three numbers, and they move apart.")


def nucleus(answer: Callable) -> Result:
    """``answer(p, mass, u)`` -> the id that a uniform number u picks from the nucleus, in falling order."""

    def right(p, mass, u, scaled=True, drop=0, ranked=False, cut=True, by=lambda x: -x, lay=list):
        order = sorted(range(len(p)), key=lambda i: by(p[i]))
        sums = list(itertools.accumulate(p[i] for i in order))
        size = next(i + 1 for i, total in enumerate(sums) if total >= mass - 1e-12) if cut else len(p)
        kept = lay(order[: max(size - drop, 1)])
        sums = list(itertools.accumulate(p[i] for i in kept))
        goal = u * (sums[-1] if scaled else 1.0)
        rank = next((i for i, total in enumerate(sums) if goal < total), len(kept) - 1)
        return rank if ranked else kept[rank]

    mistakes = {
        "u runs from 0 to 1, but the kept mass does not: scale u, or the kept probabilities.": lambda *c: right(
            *c, scaled=False
        ),
        "the token that carries the sum over the mass belongs to the nucleus.": lambda *c: right(*c, drop=1),
        "this is the rank of the token: give its id, its place in p.": lambda *c: right(*c, ranked=True),
        "nothing was cut off: the tail can still be drawn.": lambda *c: right(*c, cut=False),
        "the kept tokens lie in the order of their ids: the most probable one comes first.": lambda *c: right(
            *c, lay=sorted
        ),
        "the nucleus was filled in the order of the ids: begin with the most probable token.": lambda *c: right(
            *c, by=lambda x: 0
        ),
        "the nucleus was filled from the least probable token on: begin with the most probable.": lambda *c: right(
            *c, by=lambda x: x
        ),
    }
    cases = [(MIXED, mass, u) for mass in (0.3, 0.5, 0.8, 0.97) for u in (0.0, 0.35, 0.6, 0.8, 0.93, 0.999)]
    return compare(answer, right, cases, mistakes, "the tail is never drawn.")


def expected(answer: Callable) -> Result:
    """``answer(p, tau)`` -> mean surprisal under p of what is drawn at temperature tau."""

    def both(p, tau):
        p = np.array(p)
        return p, _normalised(p ** (1 / tau))

    def right(p, tau):
        p, bent = both(p, tau)
        return float(-(bent * np.log(p)).sum())

    def entropy(p, tau):
        _, bent = both(p, tau)
        return float(-(bent * np.log(bent)).sum())

    def other_way(p, tau):
        p, bent = both(p, tau)
        return float(-(p * np.log(bent)).sum())

    mistakes = {
        "this is the entropy of the bent distribution: draw from it, but score with p.": entropy,
        "drawn from the bent one, scored with p, and not the other way round.": other_way,
        "nats, not bits: use the natural logarithm.": lambda p, tau: right(p, tau) / math.log(2),
        "a surprisal is minus a logarithm, and positive.": lambda p, tau: -right(p, tau),
        "the power is 1/tau, not tau: above 1 a temperature makes the distribution flatter.": lambda p, tau: right(
            p, 1 / tau
        ),
        "the weights p^(1/tau) do not sum to 1 yet: normalise them.": lambda p, tau: (
            right(p, tau) * (np.array(p) ** (1 / tau)).sum()
        ),
    }
    cases = [(p, tau) for p in (FALLING, MIXED) for tau in (0.3, 0.7, 1.0, 1.5, 4.0)]
    return compare(answer, right, cases, mistakes, "it grows with the temperature, and is the entropy at 1.")


def refusal(answer: Callable) -> Result:
    """``answer(p, q)`` -> [probability that a proposal is accepted, distribution of the replacement]."""

    def right(p, q, spread=None, accept=None):
        p, q = np.array(p), np.array(q)
        rest = np.maximum(p - q, 0) if spread is None else spread(p, q)
        share = np.minimum(p, q).sum() if accept is None else accept(p, q)
        return [float(share), (rest / rest.sum()).tolist()]

    mistakes = {
        "a replacement from p itself favours what the draft proposes often already: draw from max(p - q, 0).": (
            lambda p, q: right(p, q, lambda p, q: p)
        ),
        "where the draft has more than the model, nothing is missing: max(p - q, 0), not |p - q|.": lambda p, q: right(
            p, q, lambda p, q: abs(p - q)
        ),
        "the replacement makes up for what the draft has too little of: p - q, not q - p.": lambda p, q: right(
            p, q, lambda p, q: np.maximum(q - p, 0)
        ),
        "proposals are drawn from q: weigh min(1, p/q) with q, which gives the sum of min(p, q).": lambda p, q: right(
            p, q, accept=lambda p, q: (p * np.minimum(1, p / q)).sum()
        ),
        "the replacement is a distribution: normalise it.": lambda p, q: [
            right(p, q)[0], np.maximum(np.array(p) - np.array(q), 0)
        ],
        "this is the probability of a refusal: return that of acceptance.": lambda p, q: right(
            p, q, accept=lambda p, q: 1 - np.minimum(p, q).sum()
        ),
        "half of the differences' sum is refused, not the whole of it.": lambda p, q: right(
            p, q, accept=lambda p, q: 1 - abs(p - q).sum()
        ),
        "not every token is proposed equally often: weigh min(1, p/q) with q.": lambda p, q: right(
            p, q, accept=lambda p, q: np.minimum(1, p / q).mean()
        ),
    }  # fmt: skip
    cases = [
        (FALLING, [0.25, 0.25, 0.25, 0.25]),
        (MIXED, [0.2, 0.2, 0.2, 0.1, 0.3]),
        ([0.9, 0.1], [0.3, 0.7]),
        ([0.1, 0.2, 0.7], [0.4, 0.5, 0.1]),
    ]
    return compare(answer, right, cases, mistakes, "accepted and replaced together make p.")


def coin(answer: Callable) -> Result:
    """``answer(s, n, eps)`` -> [surprisal per toss of the most probable sequence, P(within eps of the entropy)]."""

    def right(s, n, eps, ways=math.comb, log=math.log, middle=None):
        entropy = -s * log(s) - (1 - s) * log(1 - s)
        total = 0.0
        for heads in range(n + 1):
            surprisal = -(heads * log(s) + (n - heads) * log(1 - s)) / n
            if abs(surprisal - (entropy if middle is None else middle(s))) <= eps + 1e-12:
                total += ways(n, heads) * s**heads * (1 - s) ** (n - heads)
        return [-log(max(s, 1 - s)), total]

    mistakes = {
        "many sequences have the same number of heads: count them all, n over heads.": lambda *c: right(
            *c, ways=lambda n, heads: 1
        ),
        "nats, not bits: use the natural logarithm.": lambda *c: right(*c, log=math.log2),
        "typical is near the entropy, not near the surprisal of the most probable sequence.": lambda *c: right(
            *c, middle=lambda s: -math.log(max(s, 1 - s))
        ),
        "the most probable sequence shows the likelier side every time: its surprisal is per toss, not for all n.": (
            lambda s, n, eps: [n * right(s, n, eps)[0], right(s, n, eps)[1]]
        ),
        "the likelier side need not be heads: take the larger of s and 1 - s.": lambda s, n, eps: [
            -math.log(s), right(s, n, eps)[1]
        ],
        "the surprisal must be within eps of the entropy, not the share of heads within eps of s.": lambda s, n, eps: [
            right(s, n, eps)[0], right(s, n, eps * abs(math.log(s / (1 - s))))[1]
        ],
        "the most probable sequence is not a typical one: it shows the likelier side every time.": lambda s, n, eps: [
            -s * math.log(s) - (1 - s) * math.log(1 - s), right(s, n, eps)[1]
        ],
        "n heads out of n are possible too: count from 0 to n, both included.": lambda *c: right(
            *c, ways=lambda n, heads: math.comb(n, heads) * (heads < n)
        ),
    }  # fmt: skip
    cases = [(0.7, 10, 0.12), (0.7, 200, 0.088), (0.2, 50, 0.15), (0.9, 100, 0.055), (0.6, 500, 0.025)]
    cases += [(0.7, 2, 0.28), (0.2, 3, 0.3)]  # n heads are near enough, none are near enough
    praise = "the longer, the more typical, and the mode stays outside."
    return compare(answer, right, cases, mistakes, praise, 1e-4)  # single precision, over many terms


def ahead(answer: Callable) -> Result:
    """``answer(a, cost)`` -> the number m of proposals, 1 to 20, with the most tokens for the time of a round."""

    def right(a, cost, extra=1, time=None):
        def speed(m):
            return sum(a**i for i in range(1 - extra, m + 1)) / (1 + m * cost if time is None else time(m))

        return max(range(1, 21), key=speed)

    mistakes = {
        "the draft's time counts, once for each proposal: a round takes 1 + m cost.": lambda a, cost: right(
            a, cost, time=lambda m: 1
        ),
        "a round gives one token more than were accepted: the sum goes from 1 to a^m.": lambda a, cost: right(
            a, cost, extra=0
        ),
        "a refusal ends the round: the i-th proposal counts only if all before it were accepted, so with a^i.": (
            lambda a, cost: max(range(1, 21), key=lambda m: (1 + m * a) / (1 + m * cost))
        ),
        "a round takes 1 + m cost: one pass of the large model, and m steps of the draft.": lambda a, cost: right(
            a, cost, time=lambda m: m * cost
        ),
        "m counts from 1: this is the place in a list that begins at 0.": lambda a, cost: right(a, cost) - 1,
    }
    cases = [(0.8, 0.05), (0.5, 0.05), (0.9, 0.05), (0.9, 0.2), (0.5, 0.3), (0.7, 0.1), (0.95, 0.1)]
    cases += [(0.99, 0.01), (0.3, 0.5)]  # 20 is best, and 1 although no speculation at all were better
    return compare(answer, right, cases, mistakes, "a good draft looks far ahead, a dear one does not.")


def _normalised(weights) -> np.ndarray:
    return np.asarray(weights, dtype=float) / np.sum(weights)

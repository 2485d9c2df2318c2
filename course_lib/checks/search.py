"""Checks for the exercises of the chapter on decoding that search for a text."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from course_lib.checks import Result, compare

__all__ = ["beam_step", "not_monotone", "ranking", "viterbi"]


def beam_step(answer: Callable) -> Result:
    """``answer(totals, log_q, width)`` -> [row, token, new total] of the best extensions, the best first."""

    def right(totals, log_q, width, each=None, combine=np.add, sign=-1):
        scores = combine(np.array(totals)[:, None], np.array(log_q))
        found = [[r, v, scores[r, v]] for r in range(scores.shape[0]) for v in range(scores.shape[1])]
        found.sort(key=lambda one: sign * one[2])
        if each is not None:
            found = [one for i, one in enumerate(found) if sum(o[0] == one[0] for o in found[:i]) < each]
        return [[float(x) for x in one] for one in found[:width]]

    mistakes = {
        "each beginning kept only its best extension: two children of one parent may both be among the best.": (
            lambda *c: right(*c, each=1)
        ),
        "the total so far is missing: what counts is the probability of the whole text.": lambda *c: right(
            *c, combine=lambda a, b: b + 0 * a
        ),
        "logarithms of probabilities are added, not multiplied.": lambda *c: right(*c, combine=np.multiply),
        "these are the least probable: the best come first.": lambda *c: right(*c, sign=1),
        "these are the right ones, but the best comes first.": lambda *c: right(*c)[::-1],
        "each beginning kept `width` extensions: rank all together, and keep `width` in all.": lambda t, q, w: [
            [r, *one[1:]] for r in range(len(t)) for one in right(t[r : r + 1], q[r : r + 1], w)
        ],
        "the third number is the new total, not the last token's log-probability alone.": lambda t, q, w: [
            [r, v, q[int(r)][int(v)]] for r, v, _ in right(t, q, w)
        ],
    }
    rng = np.random.default_rng(0)
    cases = []
    for rows, V, width in ((1, 4, 2), (2, 4, 2), (3, 5, 3), (4, 6, 2), (2, 3, 6)):
        log_q = np.log(rng.dirichlet(np.ones(V), rows))
        cases.append((np.sort(rng.normal(-4, 1.5, rows))[::-1].tolist(), log_q.tolist(), width))
    cases.append(([-1.0, -3.0], np.log([[0.4, 0.35, 0.25], [0.8, 0.12, 0.08]]).tolist(), 2))
    return compare(answer, right, cases, mistakes, "rows may die out, and one row may have all the children.")


def ranking(answer: Callable) -> Result:
    """``answer(log_probs, lengths, alpha)`` -> places of the finished texts, the best first; lengths without EOS."""

    def right(log_probs, lengths, alpha, score=None, sign=-1):
        score = score or (lambda log_prob, n: log_prob / (n + 1) ** alpha)
        scores = [score(*one) for one in zip(log_probs, lengths, strict=True)]
        return sorted(range(len(scores)), key=lambda i: sign * scores[i])

    mistakes = {
        "the end mark was predicted too, so it counts in the length.": lambda lp, n, alpha: right(
            lp, n, alpha, lambda log_prob, T: log_prob / max(T, 1e-9) ** alpha
        ),
        "the end mark counts in every text's length, and not in that of the empty one alone.": lambda lp, n, alpha: (
            right(lp, n, alpha, lambda log_prob, T: log_prob / max(T, 1) ** alpha)
        ),
        "divide by the power of the length: multiplying makes long texts worse still.": lambda lp, n, alpha: right(
            lp, n, alpha, lambda log_prob, T: log_prob * (T + 1) ** alpha
        ),
        "the penalty is a power of the length, not a factor to it.": lambda lp, n, alpha: right(
            lp, n, alpha, lambda log_prob, T: log_prob / max(alpha * (T + 1), 1e-9)
        ),
        "the best text comes first: log-probabilities are negative, and the largest is the best.": (
            lambda lp, n, alpha: right(lp, n, alpha, sign=1)
        ),
        "the lengths make no difference here: divide each score by a power of its own length.": lambda lp, n, alpha: (
            right(lp, n, 0.0)
        ),
        "this is the mean for every alpha: the length is taken to the power alpha.": lambda lp, n, alpha: right(
            lp, n, 1.0
        ),
        "the logarithm is divided, not the probability itself.": lambda lp, n, alpha: right(
            lp, n, alpha, lambda log_prob, T: math.exp(log_prob) / (T + 1) ** alpha
        ),
        "this says which rank each text has: return the texts' places in the order of their scores.": (
            lambda *c: np.argsort(right(*c))
        ),
    }
    cases = [([-2.3, -3.0, -6.0, -9.0], [0, 1, 5, 20], alpha) for alpha in (0.0, 0.3, 0.5, 1.0)] + [
        ([-4.0, -4.5, -5.2], [2, 3, 3], 1.0),
        ([-1.0, -1.6, -3.6], [1, 2, 7], 0.7),
        ([-2.0, -3.9], [1, 2], 1.5),
        ([-3.0, -3.2], [9, 1], 1.0),
        ([-5.0, -7.0], [3, 1], 1.0),
    ]
    return compare(answer, right, cases, mistakes, "with alpha 0 the most probable text is first.")


def viterbi(answer: Callable) -> Result:
    """``answer(start, following, length)`` -> [ids of the most probable text, its log-probability]."""

    def right(start, following, length, flip=False, reduce=np.max, local=False):
        P = np.array(following).T if flip else np.array(following)
        best, back = np.log(start), []
        steps = [int(best.argmax())]
        for _ in range(length - 1):
            scores = best[:, None] + np.log(P)
            back.append(scores.argmax(0))
            best = reduce(scores, axis=0)
            steps.append(int(best.argmax()))
        path = [int(best.argmax())]
        for choices in reversed(back):
            path.append(int(choices[path[-1]]))
        return [steps if local else path[::-1], float(best.max())]

    def step_by_step(start, following, length):
        ids = [int(np.argmax(start))]
        total = math.log(start[ids[0]])
        while len(ids) < length:
            row = following[ids[-1]]
            ids.append(int(np.argmax(row)))
            total += math.log(row[ids[-1]])
        return [ids, total]

    mistakes = {
        "this is the greedy text: keep the best way to each symbol, not to one.": step_by_step,
        "rows and columns are exchanged: following[u][v] is the probability of v after u.": lambda *c: right(
            *c, flip=True
        ),
        "the ways to a symbol were added up: here only the best one counts.": lambda *c: right(
            *c, reduce=np.logaddexp.reduce
        ),
        "the best symbol at each step need not lie on one path: note where each came from, and go back from the "
        "end.": lambda *c: right(*c, local=True),
        "the text is read from its end: turn it round.": lambda *c: [right(*c)[0][::-1], right(*c)[1]],
        "the second number is the logarithm of the probability.": lambda *c: [right(*c)[0], math.exp(right(*c)[1])],
        "this text has one symbol too many: the first comes from `start`, so T - 1 steps remain.": (
            lambda start, following, length: right(start, following, length + 1)
        ),
    }
    rng = np.random.default_rng(3)
    cases = [([0.6, 0.4], [[0.55, 0.45], [0.02, 0.98]], 2), ([0.3, 0.7], [[0.9, 0.1], [0.5, 0.5]], 1)]
    for V, length in ((3, 4), (4, 6), (5, 9), (3, 12), (4, 3)):
        cases.append((rng.dirichlet(np.ones(V)).tolist(), rng.dirichlet(np.ones(V), V).tolist(), length))
    return compare(answer, right, cases, mistakes, "exact, in T V² steps.")


def not_monotone(answer: Callable) -> Result:
    """``answer()`` -> tables (V,), (V, V), (V, V, V) on which a beam of width 2 finds less than greedy decoding."""
    result = compare(lambda: (answer(), 0)[1], lambda: 0, [()])
    if not result:
        return result
    try:
        tables = [np.asarray(table, dtype=float) for table in answer()]
    except (TypeError, ValueError):
        return Result(False, "return three tables of numbers: the first symbol, the second, the third.")
    V = len(tables[0]) if tables and tables[0].ndim else 0
    if [table.shape for table in tables] != [(V,), (V, V), (V, V, V)] or not 1 < V <= 50:
        shapes = [table.shape for table in tables]
        return Result(False, f"the shapes must be (V,), (V, V) and (V, V, V), with V from 2 to 50, not {shapes}.")
    if not all((table >= 0).all() and abs(table.sum(-1) - 1).max() < 1e-5 for table in tables):
        return Result(False, "every row is a distribution: nothing is below 0, and its sum is 1.")
    found = {}
    for width in (1, 2):
        totals = np.ones(1)
        kept: list[tuple[int, ...]] = [()]
        for table in tables:
            scores = np.stack([totals[i] * table[text] for i, text in enumerate(kept)])
            ranked = np.argsort(-scores, axis=None, kind="stable")[: width + 1]
            values = scores.flatten()[ranked]
            if len(values) > width and table is not tables[2] and values[width - 1] - values[width] < 1e-7:
                return Result(False, f"at width {width} a tie decides what is kept: make the probabilities differ.")
            kept = [(*kept[i // V], int(i % V)) for i in ranked[:width].tolist()]
            totals = values[:width]
        found[width] = totals[0]
    if found[2] >= found[1] - 1e-9:
        hint = "they find the same" if found[2] <= found[1] + 1e-9 else "width 2 finds more, which is the usual case"
        return Result(False, f"width 1 finds {found[1]:.4g}, width 2 finds {found[2]:.4g}: {hint}.")
    return Result(True, f"width 1 finds {found[1]:.4g}, width 2 only {found[2]:.4g}.")

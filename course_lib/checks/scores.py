"""Checks for exercises on scores, ceilings and errors."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from course_lib.checks import Result, compare

ANSWERS = np.array([[0, 1, 2, 3, 0], [1, 1, 0, 0, 0], [3, 0, 0, 0, 0]])
TAGS = np.array([[0, 2, 2, 3, 1], [1, 0, -1, -1, -1], [0, -1, -1, -1, -1]])


def token_accuracy(answer: Callable) -> Result:
    """``answer(answers, tags)`` -> the share of tokens with a right answer; tags are -1 on padding."""

    def right(answers, tags):
        return float((answers == tags)[tags >= 0].mean())

    mistakes = {
        "you divide by all places, padding included: divide by the number of real tokens.": lambda a, t: float(
            ((a == t) & (t >= 0)).mean()
        ),
        "the padding has a say: look only at the places whose tag is not -1.": lambda a, t: float((a == t).mean()),
        "an answer of -1 on padding counts as right: count only the places whose tag is not -1.": lambda a, t: float(
            (a == t).sum() / (t >= 0).sum()
        ),
        "padding is counted as right: an accuracy is about real tokens only.": lambda a, t: float(
            ((a == t) | (t < 0)).mean()
        ),
        "this is the mean of the rows' accuracies: every token counts once, so that long rows weigh more.": lambda a, t: (
            float(np.mean([right(x, y) for x, y in zip(a, t, strict=True)]))
        ),
        "this is a count: divide by the number of real tokens.": lambda a, t: float(((a == t) & (t >= 0)).sum()),
        "this is the share of wrong answers.": lambda a, t: 1 - right(a, t),
        "tag 0 is a tag like the others: the padding is marked by -1.": lambda a, t: float((a == t)[t > 0].mean()),
    }
    return compare(
        answer,
        right,
        [(ANSWERS, TAGS), (ANSWERS[1:], TAGS[1:]), (np.where(TAGS < 0, -1, ANSWERS), TAGS)],
        mistakes,
        "the padding has no say.",
    )


def confusion_matrix(answer: Callable) -> Result:
    """``answer(answers, tags, kinds)`` -> counts (kinds, kinds), true tags in rows; tags are -1 on padding."""

    def right(answers, tags, kinds):
        table = np.zeros((kinds, kinds))
        for a, t in zip(answers.ravel(), tags.ravel(), strict=True):
            if t >= 0:
                table[t, a] += 1
        return table

    def with_padding(answers, tags, kinds):
        table = np.zeros((kinds, kinds))
        np.add.at(table, (tags.ravel(), answers.ravel()), 1)  # -1 is the last row
        return table

    mistakes = {
        "rows and columns are exchanged: the true tags belong in the rows.": lambda a, t, k: right(a, t, k).T,
        "the padding is counted: -1 as an index means the last row.": with_padding,
        "each pair is counted once only: with `table[i, j] += 1` NumPy adds once per cell; use np.add.at.": lambda a, t, k: (
            (right(a, t, k) > 0).astype(float)
        ),
        "these are shares: the counts are asked for.": lambda a, t, k: right(a, t, k) / (t >= 0).sum(),
        "each row is divided by its sum: the counts are asked for.": lambda a, t, k: (
            right(a, t, k) / right(a, t, k).sum(1, keepdims=True)
        ),
        "tag 0 is a tag like the others: the padding is marked by -1.": lambda a, t, k: right(
            a, np.where(t > 0, t, -1), k
        ),
    }
    more = np.random.default_rng(3).integers(4, size=(2, 30))
    return compare(
        answer,
        right,
        [(ANSWERS, TAGS, 4), (more[:1], more[1:], 4), (ANSWERS, TAGS, 5)],
        mistakes,
        "its diagonal over its sum is the accuracy.",
    )


def bayes_accuracy(answer: Callable) -> Result:
    """``answer(joint, view)`` -> the best accuracy of somebody who sees ``view(observation)``."""

    def grouped(joint, view):
        seen = {}
        for (observation, label), p in joint.items():
            seen.setdefault(view(observation), {}).setdefault(label, []).append(p)
        return [{label: sum(ps) for label, ps in labels.items()} for labels in seen.values()]

    def right(joint, view):
        return sum(max(labels.values()) for labels in grouped(joint, view))

    def blind(joint, view):
        return max(sum(p for (_, y), p in joint.items() if y == label) for _, label in joint)

    def longest(joint, view):
        best = {}
        for (observation, _), p in joint.items():
            best[view(observation)] = max(p, best.get(view(observation), 0.0))
        return sum(best.values())

    def overwritten(joint, view):
        last = {(view(observation), label): p for (observation, label), p in joint.items()}
        return right(last, lambda seen: seen)

    mistakes = {
        "this is the error: one minus it is asked for.": lambda j, v: 1 - right(j, v),
        "this is the ceiling of somebody who sees everything: group by what is seen first.": lambda j, v: right(
            j, lambda x: x
        ),
        "this ignores the view altogether: it is the best constant answer.": blind,
        "add up the observations that look the same before taking the largest label.": longest,
        "of the observations that look the same only the last is kept: add up their probabilities.": overwritten,
        "what is seen more often counts for more: no plain mean of the best posteriors.": lambda j, v: float(
            np.mean([max(labels.values()) / sum(labels.values()) for labels in grouped(j, v)])
        ),
        "this is the accuracy of guessing at random in proportion to the probabilities: answer the most probable label.": lambda j, v: (
            sum(sum(p**2 for p in labels.values()) / sum(labels.values()) for labels in grouped(j, v))
        ),
    }
    flies = {
        (("time", "flies", "like"), "v"): 0.25,
        (("time", "flies", "like"), "n"): 0.05,
        (("time", "flies", "with"), "n"): 0.20,
        (("fruit", "flies", "like"), "n"): 0.30,
        (("fruit", "flies", "like"), "v"): 0.06,
        (("fruit", "flies", "in"), "n"): 0.05,
        (("fruit", "flies", "in"), "v"): 0.09,
    }

    def first_word(words):
        return words[0]

    def last_word(words):
        return words[-1]

    def sentence(words):
        return words

    cases = [(flies, first_word), (flies, last_word), (flies, sentence)]
    return compare(answer, right, cases, mistakes, "who sees more is never worse off.")


def forecast_errors(answer: Callable) -> Result:
    """``answer(K, phi, sigma)`` -> the K mean squared errors of the best forecasts of an AR(2) series."""

    def psis(K, phi):
        values = [0.0, 1.0]
        for _ in range(K):
            values.append(phi[0] * values[-1] + phi[1] * values[-2])
        return np.array(values[1 : K + 1])

    def right(K, phi, sigma):
        return sigma**2 * np.cumsum(psis(K, phi) ** 2)

    def separately(K, phi, sigma):
        errors = [0.0, 0.0]
        for _ in range(K):
            errors.append(phi[0] ** 2 * errors[-1] + phi[1] ** 2 * errors[-2] + sigma**2)
        return errors[2:]

    mistakes = {
        "the variance of a shock is sigma squared.": lambda K, p, s: s * np.cumsum(psis(K, p) ** 2),
        "the weights add up as squares: variances of independent shocks are added, not the shocks.": lambda K, p, s: (
            s**2 * np.cumsum(psis(K, p)) ** 2
        ),
        "off by one: one step ahead only one shock is unknown, and its weight is 1.": lambda K, p, s: right(
            K + 1, p, s
        )[1:],
        "these are the contributions of single shocks: each horizon has all of the shocks up to it.": lambda K, p, s: (
            s**2 * psis(K, p) ** 2
        ),
        "a shock obeys the whole recursion, phi_2 included: this is an AR(1).": lambda K, p, s: (
            s**2 * np.cumsum(p[0] ** (2.0 * np.arange(K)))
        ),
        "these are standard deviations: the mean squared error is their square.": lambda K, p, s: np.sqrt(
            right(K, p, s)
        ),
        "a weight enters a variance as its square.": lambda K, p, s: s**2 * np.cumsum(psis(K, p)),
        "a shock grows or shrinks after it has come: give each its weight psi_j.": lambda K, p, s: (
            s**2 * np.arange(1.0, K + 1)
        ),
        "the two values before share their shocks: add up the weights of each shock, and only then square.": separately,
    }
    cases = [(8, (1.6, -0.8), 1.0), (5, (0.5, 0.3), 2.0), (3, (1.0, 0.0), 0.7), (1, (0.9, -0.2), 1.5)]
    praise = "from the variance of a shock towards that of the series."
    return compare(answer, right, cases, mistakes, praise)

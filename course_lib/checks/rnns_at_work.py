"""Checks for the exercises of the chapter on recurrent networks at work."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from course_lib.checks import Result, compare


def shapes(answer: Callable) -> Result:
    """``answer(B, T, D, H, K, layers, directions)`` -> {"output", "state", "tags", "verdict": a tuple}."""

    def right(B, T, D, H, K, layers, directions):
        return {
            "output": (B, T, directions * H),
            "state": (layers * directions, B, H),
            "tags": (B, T, K),
            "verdict": (B, K),
        }

    def variant(**changed):
        def f(B, T, D, H, K, layers, directions):
            sizes = {"B": B, "T": T, "D": D, "H": H, "K": K, "L": layers, "d": directions}
            return right(B, T, D, H, K, layers, directions) | {k: make(sizes) for k, make in changed.items()}

        return f

    mistakes = {
        "with two directions the output holds both states side by side: its width is directions times H.": variant(
            output=lambda s: (s["B"], s["T"], s["H"])
        ),
        "only the top layer is given out: the width of the output does not grow with the number of layers.": variant(
            output=lambda s: (s["B"], s["T"], s["L"] * s["d"] * s["H"])
        ),
        "each direction has a last state of its own: layers times directions of them.": variant(
            state=lambda s: (s["L"], s["B"], s["H"])
        ),
        "the last states are kept apart, (layers * directions, B, H): the batch comes second there.": variant(
            state=lambda s: (s["B"], s["L"] * s["d"], s["H"])
        ),
        "the directions are not joined in the last states: each is an entry of the first axis.": variant(
            state=lambda s: (s["L"], s["B"], s["d"] * s["H"])
        ),
        "every layer has a last state, not only the top one.": variant(state=lambda s: (s["d"], s["B"], s["H"])),
        "a verdict is given once for each row: it has no time.": variant(verdict=lambda s: (s["B"], s["T"], s["K"])),
        "a tag is asked for at every step: the tags need a time.": variant(tags=lambda s: (s["B"], s["K"])),
    }
    cases = [(2, 7, 3, 5, 4, 1, 1), (2, 7, 3, 5, 4, 3, 2), (1, 6, 2, 8, 9, 2, 1)]
    return compare(answer, right, cases, mistakes, "and D appears nowhere: the first layer uses it up.")


def _elman(x, W_x, W_h, b):
    h, states = np.zeros(len(b)), []
    for x_t in x:
        h = np.tanh(x_t @ W_x.T + h @ W_h.T + b)
        states.append(h)
    return np.array(states)


def _weights(rng, D, H):
    return rng.normal(size=(H, D)) / 2, rng.normal(size=(H, H)) / 2, rng.normal(size=H) / 2


def two_layers(answer: Callable) -> Result:
    """``answer(x, lower, upper)`` -> the states of the upper layer, (T, H)."""

    def late(x, lower, upper):
        states = _elman(x, *lower)
        return _elman(np.vstack([np.zeros(states.shape[1]), states[:-1]]), *upper)

    def carried(x, lower, upper):
        states = _elman(x, *lower)
        h, result = states[-1], []
        for below in states:
            h = np.tanh(below @ upper[0].T + h @ upper[1].T + upper[2])
            result.append(h)
        return np.array(result)

    def others_past(x, lower, upper):
        states = _elman(x, *lower)
        before = np.vstack([np.zeros(states.shape[1]), states[:-1]])
        return np.tanh(states @ upper[0].T + before @ upper[1].T + upper[2])

    def turned(x, a, b):
        return _elman(_elman(x, a[0], a[1].T, a[2]), b[0], b[1].T, b[2])

    mistakes = {
        "these are the states of the lower layer: the upper one is asked for.": lambda x, a, b: _elman(x, *a),
        "the upper layer reads the lower one at the same step, t, not one step late.": late,
        "the upper layer does not remember: add its own state of the step before, through W_h.": lambda x, a, b: (
            np.tanh(_elman(x, *a) @ b[0].T + b[2])
        ),
        "each layer has weights of its own: you used those of the lower layer twice.": lambda x, a, b: _elman(
            _elman(x, *a), *a
        ),
        "the upper layer begins at zero as well, not at the last state of the lower one.": carried,
        "the upper layer's own past goes through its W_h, not the past of the lower layer.": others_past,
        "a row vector meets the transposed matrix: W_h is not transposed here.": turned,
        "a row vector meets the transposed matrix: W_x and W_h are not transposed here.": lambda x, a, b: turned(
            x, (a[0].T, *a[1:]), (b[0].T, *b[1:])
        ),
    }
    rng = np.random.default_rng(0)
    cases = [(rng.normal(size=(T, 4)), _weights(rng, 4, 4), _weights(rng, 4, 4)) for T in (5, 3, 1)]
    return compare(
        answer,
        lambda x, a, b: _elman(_elman(x, *a), *b),
        cases,
        mistakes,
        "each layer reads the one below at the same step, and its own past.",
    )


def both_directions(answer: Callable) -> Result:
    """``answer(x, forward, backward)`` -> [forward, backward] states (T, 2H), as ``nn.RNN(bidirectional=True)``."""

    def right(x, forward, backward):
        import torch

        D, H = x.shape[1], len(forward[2])
        module = torch.nn.RNN(D, H, batch_first=True, bidirectional=True).double()
        with torch.no_grad():
            for end, (W_x, W_h, b) in (("", forward), ("_reverse", backward)):
                getattr(module, f"weight_ih_l0{end}").copy_(torch.tensor(W_x))
                getattr(module, f"weight_hh_l0{end}").copy_(torch.tensor(W_h))
                getattr(module, f"bias_ih_l0{end}").copy_(torch.tensor(b))
                getattr(module, f"bias_hh_l0{end}").zero_()
            return module(torch.tensor(x)[None])[0][0].numpy()

    def misprint(x, forward, backward):
        W_x, W_h, b = backward
        forth = _elman(x, *forward)
        shifted = np.vstack([forth[1:], np.zeros(forth.shape[1])])
        return np.hstack([forth, np.tanh(x @ W_x.T + shifted @ W_h.T + b)])

    def carried(x, forward, backward):
        forth, (W_x, W_h, b) = _elman(x, *forward), backward
        h, states = forth[-1], []
        for x_t in x[::-1]:
            h = np.tanh(x_t @ W_x.T + h @ W_h.T + b)
            states.append(h)
        return np.hstack([forth, np.array(states)[::-1]])

    def pair(make):
        return lambda x, f, b: np.hstack([_elman(x, *f), make(x, f, b)])

    mistakes = {
        "the backward states come out in reversed order: turn them round again, so that row t belongs to step t.": pair(
            lambda x, f, b: _elman(x[::-1], *b)
        ),
        "the second network reads from the left too: run it from the last step down to the first.": pair(
            lambda x, f, b: _elman(x, *b)
        ),
        "the two directions have weights of their own: you used those of the forward one twice.": pair(
            lambda x, f, b: _elman(x[::-1], *f)[::-1]
        ),
        "the backward state at t is made from the backward state at t + 1, not from the forward one.": misprint,
        "the two halves are in the wrong order: the forward states come first.": lambda x, f, b: np.hstack(
            [_elman(x[::-1], *b)[::-1], _elman(x, *f)]
        ),
        "the two states are joined side by side, not added: the result has the width 2 H.": lambda x, f, b: (
            _elman(x, *f) + _elman(x[::-1], *b)[::-1]
        ),
        "the backward network begins at zero as well, not at the last forward state.": carried,
        "the halves stand one below the other: join the two states of a step in one row.": lambda x, f, b: np.vstack(
            [_elman(x, *f), _elman(x[::-1], *b)[::-1]]
        ),
    }
    rng = np.random.default_rng(1)
    cases = [(rng.normal(size=(T, 3)), _weights(rng, 3, 4), _weights(rng, 3, 4)) for T in (5, 2)]
    return compare(answer, right, cases, mistakes, "as PyTorch's, to the last digit that counts.")


def reverse_within(answer: Callable) -> Result:
    """``answer(ids, lengths)`` -> each row turned round within its length, (B, T)."""

    def right(ids, lengths):
        return np.array([[*row[:n][::-1], *row[n:]] for row, n in zip(ids, lengths, strict=True)])

    def front(ids, lengths):
        return np.array([[*row[n:], *row[:n]] for row, n in zip(ids, lengths, strict=True)])

    def blank(ids, lengths):
        return np.where(np.arange(ids.shape[1]) < lengths[:, None], right(ids, lengths), 0)

    def overwritten(ids, lengths):
        result = ids.copy()
        for row, n in zip(result, lengths, strict=True):
            for t in range(n):
                row[t] = row[n - 1 - t]
        return result

    mistakes = {
        "the padding is at the front now: turn round only the first n entries of each row.": lambda i, n: i[:, ::-1],
        "the words are only moved to the end: their order must be turned round, and the padding stay behind.": front,
        "you turned round the rows of the batch, not the steps of each row.": lambda i, n: i[::-1],
        "every row is turned round within the first row's length: each has its own.": lambda i, n: right(
            i, [n[0]] * len(n)
        ),
        "the padding has become zero: leave it as it is, whatever it is.": blank,
        "a zero may be a word: it is `lengths` that says where a row ends.": lambda i, n: right(i, (i != 0).sum(1)),
        "half of the entries are overwritten before they are read: read from the old row, write to a new one.": overwritten,
    }
    cases = [
        (np.array([[5, 6, 7, 0, 0], [8, 9, 0, 0, 0], [4, 5, 6, 7, 8]]), np.array([3, 2, 5])),
        (np.array([[4, 0, 0], [5, 6, 7]]), np.array([1, 3])),
        (np.array([[2, 3, 0, -1, -2], [2, 0, 1, 3, 4]]), np.array([3, 5])),  # padding need not be 0, nor 0 padding
    ]
    untouched = [(ids.copy(), lengths.copy()) for ids, lengths in cases]
    result = compare(answer, right, cases, mistakes, "twice in a row it changes nothing, as it should be.", lend=True)
    if any((ids != before).any() for (ids, _), (before, _) in zip(cases, untouched, strict=True)):
        return Result(False, "your function changes the array that it was given: work on a copy.")
    return result


def mean_over_words(answer: Callable) -> Result:
    """``answer(states, lengths)`` -> the mean state over each row's real steps, (B, H)."""

    def right(states, lengths):
        return np.array([row[:n].mean(0) for row, n in zip(states, lengths, strict=True)])

    def masked(states, lengths):
        return states * (np.arange(states.shape[1]) < lengths[:, None])[..., None]

    mistakes = {
        "this is the mean over all columns, padding included.": lambda s, n: s.mean(1),
        "the padding is left out of the sum but not of the divisor: divide by the length.": lambda s, n: (
            np.nan_to_num(masked(s, n)).sum(1) / s.shape[1]
        ),
        "this is the sum: divide by the length of each row.": lambda s, n: np.nan_to_num(masked(s, n)).sum(1),
        "the divisor is right, but the padding is still in the sum.": lambda s, n: s.sum(1) / n[:, None],
        "zero times infinity is not zero: choose with np.where instead of multiplying by the mask.": lambda s, n: (
            masked(s, n).sum(1) / n[:, None]
        ),
        "this is the state after the last word, not the mean.": lambda s, n: s[np.arange(len(n)), n - 1],
        "one step of padding is in the sum: steps count from 0, so the last real one is the length minus 1.": lambda s, n: (
            np.where((np.arange(s.shape[1]) <= n[:, None])[..., None], s, 0).sum(1) / n[:, None]
        ),
        "padding may be finite too: it is `lengths` that says what is real.": lambda s, n: (
            np.where(np.isfinite(s), s, 0).sum(1) / n[:, None]
        ),
    }
    rng = np.random.default_rng(2)
    cases = [(rng.normal(size=(3, 5, 2)), np.array([3, 5, 1])), (rng.normal(size=(2, 4, 3)), np.array([2, 4]))]
    infinite = rng.normal(size=(2, 3, 2))
    infinite[0, 1:] = np.inf
    cases.append((infinite, np.array([1, 3])))
    return compare(answer, right, cases, mistakes, "whatever stands on the padding.")


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

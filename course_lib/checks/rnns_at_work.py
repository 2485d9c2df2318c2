"""Checks for the exercises of the chapter on the work of RNNs, with those on scores from their own module."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from course_lib.checks import Result, compare
from course_lib.checks.scores import bayes_accuracy, confusion_matrix, forecast_errors, token_accuracy

__all__ = [
    "bayes_accuracy",
    "both_directions",
    "confusion_matrix",
    "forecast_errors",
    "mean_over_words",
    "reverse_within",
    "shapes",
    "token_accuracy",
    "two_layers",
]


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

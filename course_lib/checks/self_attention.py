"""Checks for the exercises on self-attention, masks, heads and the running softmax."""

from __future__ import annotations

import copy
from collections.abc import Callable

import numpy as np

from course_lib.checks import Result, compare


def _softmax(scores, axis=-1):
    e = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


# ---- masks ---------------------------------------------------------------------------------------------------------


def masked(answer: Callable) -> Result:
    """``answer(scores, allowed)`` -> weights (T, S): rows sum to 1, or are 0 where nothing is allowed."""

    def right(scores, allowed):
        weights = _softmax(np.where(allowed.any(1, keepdims=True), np.where(allowed, scores, -np.inf), 0.0))
        return np.where(allowed, weights, 0.0)

    def columns(scores, allowed):
        e = np.where(allowed, np.exp(scores - scores.max()), 0.0)
        return e / np.maximum(e.sum(0), 1e-300)

    mistakes = {
        "the mask came after the softmax: the rows sum to less than 1, and the forbidden keys are still in the "
        "denominator. Put -inf into the scores first.": lambda s, a: _softmax(s) * a,
        "the mask is the wrong way round: True means that a query MAY look there.": lambda s, a: right(s, ~a),
        "a forbidden score of 0 is no prohibition: e^0 = 1. It has to be -inf.": lambda s, a: _softmax(
            np.where(a, s, 0.0)
        ),
        "a query that may look nowhere gives NaN: its row should be zeros.": lambda s, a: np.where(
            a.any(1, keepdims=True), right(s, a), np.nan
        ),
        "a query that may look nowhere has equal scores, and so equal weights: its row should be zeros.": (
            lambda s, a: np.where(a.any(1, keepdims=True), right(s, a), 1 / a.shape[1])
        ),
        "the softmax went down the columns: each ROW belongs to one query, and sums to 1.": columns,
    }
    rng = np.random.default_rng(0)
    causal = np.tril(np.full((4, 4), True))
    nothing = np.array([[True, False, True], [False, False, False]])
    cases = [
        (rng.normal(size=(4, 4)), causal),
        (rng.normal(size=(2, 3)), nothing),
    ]
    result = compare(answer, right, cases, mistakes, "before the softmax, and nothing looks nowhere.")
    if not result:
        return result
    large = np.array([[900.0, 900.0], [0.0, 1.0]]), np.array([[True, False], [True, True]])
    if not compare(answer, right, [large]):
        return Result(False, "large scores overflow: take the highest score of each row off before exp.")
    return result


# ---- order ---------------------------------------------------------------------------------------------------------


def _attend(x, mask=None):
    scores = x @ x.T if mask is None else np.where(mask, x @ x.T, -np.inf)
    return _softmax(scores) @ x


def whole(x):
    return _attend(x)


def causal(x):
    return _attend(x, np.tril(np.full((len(x), len(x)), True)))


def pooled(x):
    return _attend(x).mean(0)


def placed(x):
    return _attend(x + np.arange(len(x))[:, None] / 3)


def first_row(x):
    return _attend(x)[0]


def alone(x):
    return 2 * x


def backwards(x):
    return _attend(x)[::-1]


def sorted_columns(x):
    return np.sort(_attend(x), axis=0)


def middle_zero(x):
    return np.where(np.arange(len(x))[:, None] == len(x) // 2, 0.0, _attend(x))


def order(answer: Callable) -> Result:
    """``answer(f, x, p)`` -> "equivariant", "invariant" or "neither": what f does when the rows are permuted by p."""

    def verdict(f, x, p, along, equal=np.allclose):
        before, after = f(x), f(x[p])
        if equal(after, before):
            return "invariant"
        rows = after.ndim == 2 and equal(*along(after, before, p))
        return "equivariant" if rows else "neither"

    def right(f, x, p):
        return verdict(f, x, p, lambda after, before, p: (after, before[p]))

    mistakes = {
        "permute the output the same way as the input: f(x[p]) beside f(x)[p]. You permuted the one that was already "
        "permuted, which undoes p only if p is its own inverse.": lambda f, x, p: verdict(
            f, x, p, lambda after, before, p: (after[p], before)
        ),
        "that is no longer equal, but it may be equal up to the permutation: compare f(x[p]) with f(x)[p] as "
        "well.": lambda f, x, p: "invariant" if np.allclose(f(x[p]), f(x)) else "neither",
        "the sums are the same but for rounding, which another order changes: compare with np.allclose.": (
            lambda f, x, p: verdict(f, x, p, lambda after, before, p: (after, before[p]), np.array_equal)
        ),
        "the same rows in any order are not enough: f(x[p]) has to be f(x)[p], row for row.": lambda f, x, p: verdict(
            f, x, p, lambda after, before, p: (np.sort(after, axis=0), np.sort(before, axis=0))
        ),
        "the shape does not tell: one vector may depend on the order, and a vector for each place may not.": (
            lambda f, x, p: (
                "invariant" if f(x).ndim == 1 else "equivariant" if np.allclose(f(x[p]), f(x)[p]) else "neither"
            )
        ),
        "a vector for the whole sequence has no rows to permute: if it stays as it was, f is invariant.": lambda f, x, p: (
            "neither" if f(x).ndim == 1 else right(f, x, p)
        ),
        "you called invariant what is equivariant: the rows come out in another order.": lambda f, x, p: {
            "equivariant": "invariant"
        }.get(right(f, x, p), right(f, x, p)),
    }
    x, turn, swap = np.random.default_rng(1).normal(size=(5, 3)), np.array([1, 2, 3, 4, 0]), np.array([1, 0, 3, 2, 4])
    functions = whole, causal, pooled, placed, first_row, alone, backwards, sorted_columns, middle_zero
    cases = [(f, x.copy(), p) for p in (turn, swap) for f in functions]
    return compare(answer, right, cases, mistakes, "only what is pooled is invariant.")


# ---- heads ---------------------------------------------------------------------------------------------------------


def heads(answer: Callable) -> Result:
    """``answer(x, W_in, b_in, W_out, b_out, heads)`` -> (T, D), as ``nn.MultiheadAttention``."""

    def right(x, W_in, b_in, W_out, b_out, heads):
        import torch

        module = torch.nn.MultiheadAttention(x.shape[1], heads, batch_first=True).double()
        with torch.no_grad():
            module.in_proj_weight.copy_(torch.tensor(W_in))
            module.in_proj_bias.copy_(torch.tensor(b_in))
            module.out_proj.weight.copy_(torch.tensor(W_out))
            module.out_proj.bias.copy_(torch.tensor(b_out))
            inputs = torch.tensor(x)[None]
            return module(inputs, inputs, inputs)[0][0].numpy()

    def variant(scale=None, project=True, view=False, strided=False, swapped=True):
        def f(x, W_in, b_in, W_out, b_out, heads):
            T, D = x.shape
            q, k, v = (part for part in np.split(x @ W_in.T + b_in, 3, axis=1))
            if view:
                q, k, v = (a.reshape(heads, T, -1) for a in (q, k, v))
            elif strided:
                q, k, v = (a.reshape(T, -1, heads).transpose(2, 0, 1) for a in (q, k, v))
            else:
                q, k, v = (a.reshape(T, heads, -1).transpose(1, 0, 2) for a in (q, k, v))
            size = D if scale == "model" else D // heads
            parts = _softmax(q @ k.transpose(0, 2, 1) / (1 if scale == "none" else size**0.5)) @ v
            joined = (parts.transpose(1, 0, 2) if swapped else parts).reshape(T, D)
            if strided:
                joined = parts.transpose(1, 2, 0).reshape(T, D)
            return joined @ W_out.T + b_out if project else joined

        return f

    mistakes = {
        "the joined heads are not the result yet: out_proj, W_out and b_out, mixes them.": variant(project=False),
        "each head divides by the root of its own width, D / heads, not by that of D.": variant("model"),
        "the scores are not divided by the root of the head's width.": variant("none"),
        "(T, D) viewed as (heads, T, d_k) cuts the TIME into heads. View it as (T, heads, d_k), then swap the first "
        "two.": variant(view=True, swapped=False),
        "you cut the TIME into heads, and then joined them as if it had been the width: view (T, D) as (T, heads, d_k), "
        "then swap.": variant(view=True),
        "head i owns d_k columns that stand side by side, i d_k to (i + 1) d_k; you gave it every h-th column.": variant(
            strided=True
        ),
        "the heads were joined as (heads, T, d_k): swap back to (T, heads, d_k) before you reshape.": variant(
            swapped=False
        ),
        "W_out is to be used as x @ W_out.T, like the weight of every nn.Linear.": lambda x, W, b, W_out, b_out, n: (
            right(x, W, b, W_out.T, b_out, n)
        ),
        "b_in is missing: it belongs to queries, keys and values.": lambda x, W, b, *more: right(x, W, 0 * b, *more),
        "b_out is missing: it is added at the end.": lambda x, W, b, W_out, b_out, n: right(
            x, W, b, W_out, 0 * b_out, n
        ),
    }
    rng = np.random.default_rng(2)

    def case(T, D, heads):
        shapes = [(T, D), (3 * D, D), (3 * D,), (D, D), (D,)]
        return (*(rng.normal(size=shape) for shape in shapes), heads)

    return compare(answer, right, [case(5, 8, 2), case(3, 6, 3)], mistakes, "equal to PyTorch's.")


# ---- running softmax -----------------------------------------------------------------------------------------------


def online(answer: Callable) -> Result:
    """``answer(left, right)``, triples (m, d, n) -> the triple of both blocks together."""

    def right(left, other):
        (m1, d1, n1), (m2, d2, n2) = left, other
        m = max(m1, m2)
        return m, d1 * np.exp(m1 - m) + d2 * np.exp(m2 - m), n1 * np.exp(m1 - m) + n2 * np.exp(m2 - m)

    def lopsided(left, other):
        (m1, d1, n1), (m2, d2, n2) = left, other
        m = max(m1, m2)
        return m, d1 * np.exp(m1 - m) + d2, n1 * np.exp(m1 - m) + n2

    def newer(left, other):
        (m1, d1, n1), (m2, d2, n2) = left, other
        return m2, d1 * np.exp(m1 - m2) + d2, n1 * np.exp(m1 - m2) + n2

    def only_d(left, other):
        return *right(left, other)[:2], left[2] + other[2]

    def upside_down(left, other):
        (m1, d1, n1), (m2, d2, n2) = left, other
        m = max(m1, m2)
        return m, d1 * np.exp(m - m1) + d2 * np.exp(m - m2), n1 * np.exp(m - m1) + n2 * np.exp(m - m2)

    def unscaled(left, other):
        return tuple(x + y for x, y in zip(left[1:], other[1:], strict=True))

    mistakes = {
        "the two sums were taken relative to two different maxima: rescale both to the new one before you add.": (
            lambda a, b: (max(a[0], b[0]), *unscaled(a, b))
        ),
        "the maximum may lie in either block: rescale the right one too.": lopsided,
        "the numerator has to be rescaled as well as the denominator.": only_d,
        "n is the sum itself: it is divided by d only after the last block.": lambda a, b: (
            *right(a, b)[:2],
            right(a, b)[2] / right(a, b)[1],
        ),
        "the new maximum is the larger of the two, and that may be the left one.": newer,
        "the wrong way round: a block whose maximum is lower has to shrink, by e^(its maximum - the new one).": upside_down,
    }
    rng = np.random.default_rng(3)

    def block(shift, size):
        scores, values = rng.normal(size=size) + shift, rng.normal(size=(size, 2))
        e = np.exp(scores - scores.max())
        return float(scores.max()), float(e.sum()), e @ values

    def copied(left, other):  # so that an answer may change the arrays in them
        return answer(copy.deepcopy(left), copy.deepcopy(other))

    cases = [(block(0, 4), block(4, 3)), (block(4, 2), block(0, 5))]
    praise = "in any order and any grouping, which is why it runs in parallel."
    result = compare(copied, right, cases, mistakes, praise)
    if not result:
        return result
    if not compare(copied, right, [(block(-800, 3), block(900, 3))]):
        return Result(False, "large scores overflow: take exp only of a maximum minus the new one, which is at most 0.")
    return result


# ---- weights set by hand -------------------------------------------------------------------------------------------


def previous(answer: Callable) -> Result:
    """``answer(V, T, k)`` -> W_q, W_k, W_v for inputs [word; place], one-hot each: row t gives the word at t - k."""

    def outcome(make):
        def f(V, T, k):
            x = np.hstack([np.eye(V)[np.random.default_rng(5).integers(V, size=T)], np.eye(T)])
            W_q, W_k, W_v = (np.asarray(W, dtype=float) for W in make(V, T, k))
            if any(W.shape[1] != V + T for W in (W_q, W_k, W_v)):
                raise ValueError("to be used as x @ W.T, each matrix needs V + T columns")
            q, key = x @ W_q.T, x @ W_k.T
            output = _softmax(q @ key.T / q.shape[1] ** 0.5) @ (x @ W_v.T)
            return np.round(output[k:], 2)

        return f

    def made(shift=lambda k: k, values="words"):
        def f(V, T, k):
            nothing, places = np.zeros((T, V)), np.eye(T)
            words, all_of_it = np.hstack([np.eye(V), np.zeros((V, T))]), np.eye(V + T)
            W_q = np.hstack([nothing, 100 * np.eye(T, k=shift(k))])
            return W_q, np.hstack([nothing, places]), words if values == "words" else all_of_it

        return f

    def sharper(make):
        def f(V, T, k):
            W_q, W_k, W_v = make(V, T, k)
            return 1000 * np.asarray(W_q, dtype=float), W_k, W_v

        return f

    mistakes = {
        "the head finds the word of its own place: the query of place t has to match the key of place t - k.": made(
            lambda k: 0
        ),
        "the head looks k places ahead, not back: transpose the shift.": made(lambda k: -k),
        "the head looks one back, whatever k is.": made(lambda k: 1),
        "only the word should come out, V numbers: W_v has to leave the place out.": made(values="all"),
    }
    cases, right = [(4, 6, 1), (3, 7, 2), (5, 20, 3)], outcome(made())
    result = compare(
        outcome(answer), right, cases, {hint: outcome(f) for hint, f in mistakes.items()},
        "a shift of the places in the query, and the words in the values.",
    )  # fmt: skip
    if not result and compare(outcome(sharper(answer)), right, cases):
        hint = "the right place gets more weight than the others, but not nearly all: multiply W_q by a larger number."
        return Result(False, hint)
    return result


def convolution(answer: Callable) -> Result:
    """``answer(kernel, T)``, kernel (O, C, M) -> weights (M, T, T) and matrices (M, O, C) of M heads."""

    def right(kernel, T):
        M = kernel.shape[2]
        return np.array([np.eye(T, k=-m) for m in range(M)]), kernel.transpose(2, 0, 1)

    def variant(weights=lambda T, m, M: np.eye(T, k=-m), matrices=lambda kernel: kernel.transpose(2, 0, 1)):
        def f(kernel, T):
            M = kernel.shape[2]
            return np.array([weights(T, m, M) for m in range(M)]), matrices(kernel)

        return f

    mistakes = {
        "these heads look ahead: row t of weights m has its 1 at t - m, below the diagonal.": variant(
            lambda T, m, M: np.eye(T, k=m)
        ),
        "head m has the m-th entry of the kernel, which belongs to x_(t-m): the order of the heads is reversed.": variant(
            lambda T, m, M: np.eye(T, k=m + 1 - M)
        ),
        "each head's matrix is (O, C), to be applied as x W^T: yours are transposed.": variant(
            matrices=lambda kernel: kernel.T
        ),
        "the slices of the kernel are in reversed order: head m has the m-th, for m places back.": variant(
            matrices=lambda kernel: kernel.transpose(2, 0, 1)[::-1]
        ),
        "reshape only cuts the row of numbers anew: move the last axis to the front, and head m has kernel[:, :, m].": (
            variant(matrices=lambda kernel: kernel.reshape(kernel.shape[2], *kernel.shape[:2]))
        ),
        "where t - m lies before the text there is nothing: that row is zero, not turned round to the end.": variant(
            lambda T, m, M: np.roll(np.eye(T), m, axis=0)
        ),
    }
    rng = np.random.default_rng(4)
    cases = [(rng.normal(size=(2, 3, 2)), 4), (rng.normal(size=(3, 2, 3)), 5)]
    praise = "M heads, each with one offset and one slice of the kernel."
    return compare(answer, right, cases, mistakes, praise)

"""Checks for the exercises of the chapter on transformers, with those on positions from their own module."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from course_lib.checks import Result, compare
from course_lib.checks.positions import lens, relative, shift, sinusoids

__all__ = ["cached", "cross", "lens", "norms", "relative", "rms_backward", "shift", "sinusoids", "weights"]


def weights(answer: Callable) -> Result:
    """``answer(V, D, layers, longest, tied)`` -> the number of weights of a pre-norm model with learned positions."""

    def count(V, D, layers, longest, tied, block=None, ends=True, places=True, output=None):
        output = (0 if tied else V * D + V) if output is None else output
        block = 12 * D**2 + 13 * D if block is None else block
        return V * D + places * longest * D + layers * block + 2 * D * ends + output

    mistakes = {
        "the last norm is missing: a pre-norm model has one more, 2 D numbers, before its output.": lambda *c: count(
            *c, ends=False
        ),
        "the positions are missing: they are learned, a vector for each.": lambda *c: count(*c, places=False),
        "a tied output has no matrix of its own: it is the embeddings' once more, and counts once.": lambda *c: count(
            *c[:4], False
        ),
        "an output that is not tied has a matrix and a bias of its own.": lambda *c: count(*c, output=0),
        "an output that is tied has no bias either.": lambda V, D, *c: count(
            V, D, *c, output=V if c[-1] else V * D + V
        ),
        "it is the tied output that needs no matrix: yours has one when it is tied.": lambda *c: count(
            *c[:4], not c[4]
        ),
        "the output that is not tied has a bias as well, one number for each token.": lambda V, D, *c: count(
            V, D, *c, output=0 if c[-1] else V * D
        ),
        "in each block the biases and norms are missing: 13 D besides 12 D².": lambda V, D, *c: count(
            V, D, *c, block=12 * D**2
        ),
        "in each block the norms are missing: two of them, with a scale and a shift each, 4 D.": lambda V, D, *c: count(
            V, D, *c, block=12 * D**2 + 9 * D
        ),
        "each block has two norms, each with a scale and a shift: 4 D and not 2 D.": lambda V, D, *c: count(
            V, D, *c, block=12 * D**2 + 11 * D
        ),
    }
    cases = [(65, 32, 2, 64, False), (65, 32, 2, 64, True), (1000, 48, 1, 10, False), (50257, 768, 12, 1024, True)]
    praise = "the last case was GPT-2 small, 124,439,808."
    return compare(answer, count, cases, mistakes, praise)


def norms(answer: Callable) -> Result:
    """``answer(x)`` for a list of numbers -> [its layer norm, its RMS norm], scales 1, shifts 0, epsilon 1e-5."""

    def both(x, divisor=0, eps=1e-5, inside=True, centre=True, root=True, centre_rms=False, total=False, about="mean"):
        x = np.array(x, dtype=float)
        centred = x - x.mean()
        size = lambda v: (v + eps) ** 0.5 if inside else v**0.5 + eps  # noqa: E731
        variance = (centred**2).sum() / (len(x) - divisor)
        variance = {"mean": variance, "zero": (x**2).mean(), "D": len(x)}[about]
        layer = (centred if centre else x) / (size(variance) if root else variance + eps)
        square = (x**2).sum() / (1 if total else len(x))
        rms = centred / size(variance) if centre_rms else x / (size(square) if root else square + eps)
        return [layer.tolist(), rms.tolist()]

    mistakes = {
        "the variance is the mean square of D numbers: divide by D, not by D - 1.": lambda x: both(x, divisor=1),
        "divide by the root of the variance, and of the mean square.": lambda x: both(x, root=False),
        "epsilon is added to the variance, under the root.": lambda x: both(x, inside=False),
        "epsilon is missing, and a row of equal numbers divides by zero.": lambda x: both(x, eps=0.0),
        "layer norm first subtracts the mean.": lambda x: both(x, centre=False),
        "RMS norm subtracts nothing: it is about the size alone.": lambda x: both(x, centre_rms=True),
        "RMS is the root of the *mean* square, not of the sum of squares.": lambda x: both(x, total=True),
        "the variance of layer norm is about the mean: square what is left after subtracting it.": lambda x: both(
            x, about="zero"
        ),
        "layer norm divides by the root of the variance plus epsilon, not of D plus epsilon.": lambda x: both(
            x, about="D"
        ),
    }
    # no row of equal numbers: without epsilon that stops a function before it can be told why
    cases = [([1.0, 3.0, 5.0, 7.0],), ([0.02, -0.01, 0.0],), ([-4.0, 1.0],)]
    praise = "add 10 to every number: only one of the two does not notice."
    return compare(answer, both, cases, mistakes, praise)


def rms_backward(answer: Callable) -> Result:
    """``answer(x, gamma, g)`` -> [dL/dx (T, D), dL/dgamma (D,)] of the RMS norm, epsilon 1e-5."""

    def backward(
        x, gamma, g, through=True, centre=False, scale=True, summed=True, size=True, share=True, eps=1e-5, outer=True
    ):
        r = np.sqrt((x**2).mean(-1, keepdims=True) + eps)
        hat, u = x / r, g * gamma if scale else g
        back = u - u.mean(-1, keepdims=True) if centre else u
        if through:
            product = (u * hat).mean(-1, keepdims=True) if share else (u * hat).sum(-1, keepdims=True)
            back = back - hat * (u * hat / x.shape[-1] if through == "alone" else product)
        by_gamma = g * hat if size else g * x
        return [back / r if outer else back, by_gamma.sum(0) if summed else by_gamma]

    mistakes = {
        "the root depends on x as well: a second term takes out the part along x.": lambda *c: backward(
            *c, through=False
        ),
        "this is the gradient of layer norm: here no mean was subtracted, so none comes back.": lambda *c: backward(
            *c, centre=True
        ),
        "this is the gradient of layer norm as it stands: RMS norm subtracts no mean, neither from x nor on the way back.": (
            lambda x, *c: backward(x - x.mean(-1, keepdims=True), *c, centre=True)
        ),
        "each x_j acts on all D outputs through r: the second term needs the mean over i.": lambda *c: backward(
            *c, through="alone"
        ),
        "the whole of the gradient by x is divided by r: y is x over r.": lambda *c: backward(*c, outer=False),
        "the gradient has to pass through gamma before it reaches x.": lambda *c: backward(*c, scale=False),
        "gamma serves all positions: add up what each of them wants.": lambda *c: backward(*c, summed=False),
        "gamma multiplies the normalised x, so its gradient is g times that, not g times x.": lambda *c: backward(
            *c, size=False
        ),
        "the second term has the mean of u x-hat, since r is the root of a mean.": lambda *c: backward(*c, share=False),
        "epsilon is missing under the root: for small x it matters.": lambda *c: backward(*c, eps=0.0),
    }
    rng = np.random.default_rng(0)
    cases = [
        (scale * (rng.standard_normal((T, D)) + 0.5), rng.standard_normal(D), rng.standard_normal((T, D)))
        for T, D, scale in ((1, 3, 1.0), (4, 6, 3.0), (3, 8, 0.05))
    ]
    return compare(answer, backward, cases, mistakes, "the gradient by x is orthogonal to x, up to epsilon.")


def cross(answer: Callable) -> Result:
    """``answer(x, memory, W_q, W_k, W_v, lengths)`` -> [output (B, T, D), weights (B, T, S)], one head."""

    def attend(
        x, memory, W_q, W_k, W_v, lengths, divide=True, axis=-1, mask="before", value="memory", turn=False, bar=-1e30
    ):
        q, k = (memory @ W_q.T, x @ W_k.T) if turn else (x @ W_q.T, memory @ W_k.T)
        v = {"memory": memory @ W_v.T, "bare": memory, "x": x @ W_v.T}[value if not turn else "x"]
        scores = q @ k.swapaxes(-1, -2) / (np.sqrt(q.shape[-1]) if divide else 1.0)
        real = (np.arange(scores.shape[-1]) < np.array(lengths)[:, None])[:, None]
        if mask == "causal":
            real = real & np.tri(*scores.shape[1:], dtype=bool)
        if mask in ("before", "causal"):
            scores = np.where(real, scores, bar)
        e = np.exp(scores - scores.max(axis, keepdims=True))
        found = e / e.sum(axis, keepdims=True)
        found = found * real if mask == "after" else found
        return [found @ v, found] if found.shape[-1] == v.shape[-2] else None

    mistakes = {
        "the padding of the source is looked at: bar the places from the length on, before the softmax.": lambda *c: (
            attend(*c, mask="none")
        ),
        "masked after the softmax, the weights no longer sum to 1: bar the scores instead.": lambda *c: attend(
            *c, mask="after"
        ),
        "the scores lack their divisor, the root of the width of a query.": lambda *c: attend(*c, divide=False),
        "normalise over the source places: each position of the target hands out weights that sum to 1.": lambda *c: (
            attend(*c, axis=-2)
        ),
        "normalise over the source places: down a column, a barred place is minus infinity throughout, and gives NaN.": (
            lambda *c: attend(*c, axis=-2, bar=-np.inf)
        ),
        "a score of 0 is no bar, its exponential is 1: padding needs minus infinity.": lambda *c: attend(*c, bar=0.0),
        "the source is all there: no causal mask in cross-attention.": lambda *c: attend(*c, mask="causal"),
        "queries come from the decoder, keys and values from the memory: yours are the other way round.": lambda *c: (
            attend(*c, turn=True)
        ),
        "the values are memory W_v^T, not the memory itself.": lambda *c: attend(*c, value="bare"),
        "the values come from the memory, as the keys do: yours come from x.": lambda *c: attend(*c, value="x"),
        "the matrices are used as x @ W.T: yours are not transposed.": lambda x, memory, W_q, W_k, W_v, lengths: attend(
            x, memory, W_q.T, W_k.T, W_v.T, lengths
        ),
    }
    rng = np.random.default_rng(1)
    normal = rng.standard_normal
    # as many source places as positions, so that no shape gives a mistake away; then fewer, then more
    cases = [
        (normal((2, T, D)), normal((2, S, D)), normal((D, D)), normal((D, D)), normal((D, D)), lengths)
        for T, S, D, lengths in ((4, 4, 3, [3, 2]), (5, 5, 2, [5, 1]))
    ]
    alike = compare(answer, attend, cases, mistakes)
    if not alike:
        return alike
    cases = [
        (normal((3, T, 4)), normal((3, S, 4)), normal((4, 4)), normal((4, 4)), normal((4, 4)), lengths)
        for T, S, lengths in ((2, 6, [6, 3, 1]), (6, 2, [1, 2, 2]))
    ]
    praise = "as many rows as target positions, as many columns as source places."
    return compare(answer, attend, cases, {}, praise)


def cached(answer: Callable) -> Result:
    """``answer(x, keys, values, W_q, W_k, W_v)`` -> [output (D,), keys, values], one row longer: a step of one head."""

    def step(x, keys, values, W_q, W_k, W_v, own=True, divide=True, order="end", what="v", grow=True, again=False):
        q, k, v = (W @ x for W in (W_q, W_k, W_v))
        k, v = {"v": (k, v), "k": (k, k), "x": (x, x)}[what]
        join = (lambda a, b: np.vstack([a, b[None]])) if order == "end" else lambda a, b: np.vstack([b[None], a])
        new, found = join(keys, k), join(values, v)
        seen, over = (new, found) if own else (keys, values)
        seen, over = (seen @ W_k.T, over @ W_v.T) if again else (seen, over)
        scores = seen @ q / (len(q) ** 0.5 if divide else 1.0)
        e = np.exp(scores - scores.max())
        output = e @ over / e.sum()
        return [output, new, found] if grow else [output, keys, values]

    mistakes = {
        "the token has to see itself too: append its key and value first, then look.": lambda *c: step(*c, own=False),
        "the scores lack their divisor, the root of the width of a query.": lambda *c: step(*c, divide=False),
        "the new row belongs behind the others: the cache is in the order of the text.": lambda *c: step(
            *c, order="front"
        ),
        "the second cache holds values, W_v x, not keys again.": lambda *c: step(*c, what="k"),
        "the cache holds keys and values, not x: else all would have to be projected again at each step.": lambda *c: (
            step(*c, what="x")
        ),
        "the caches hold keys and values already: do not multiply them by W_k and W_v again.": lambda *c: step(
            *c, again=True
        ),
        "the query is W_q x, not x itself.": lambda x, keys, values, W_q, W_k, W_v: step(
            x, keys, values, np.eye(len(x)), W_k, W_v
        ),
        "the matrices are used as W @ x: yours are transposed.": lambda x, keys, values, W_q, W_k, W_v: step(
            x, keys, values, W_q.T, W_k.T, W_v.T
        ),
        "return the longer caches: the next token has to find this one in them.": lambda *c: step(*c, grow=False),
    }
    rng = np.random.default_rng(2)
    normal = rng.standard_normal
    cases = [
        (normal(D), normal((T, D)), normal((T, D)), normal((D, D)), normal((D, D)), normal((D, D)))
        for T, D in ((3, 4), (1, 2), (7, 5), (0, 3))
    ]
    result = compare(answer, step, cases[:3], mistakes)
    if not result:
        return result
    praise = "token after token this is causal attention over the whole text."
    return compare(answer, step, cases[3:], {}, praise)  # the first token: nothing is kept yet

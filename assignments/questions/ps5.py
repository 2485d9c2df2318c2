"""Problem set 5: a transformer from parts."""

from __future__ import annotations

import math

import numpy as np

from assignments.grading.questions import ProblemSet, Question


def build(rng: np.random.Generator) -> ProblemSet:
    """The constants of this year, and the questions."""
    return ProblemSet(
        name="ps5",
        title="A transformer from parts",
        constants={"back": int(rng.integers(2, 5))},
        questions=[fold(), alibi(), grouped(), rotary_scores(), block(), reach()],
        written={"w1": 8, "w2": 8},
    )


def normal(rng, *shapes):
    """An array of each shape; two decimals can be read in the shown cases, and do no harm in the hidden ones."""
    return tuple(rng.normal(size=shape).round(2) for shape in shapes)


def softmax(e):
    """Over the last dimension; minus infinity gives zero."""
    a = np.exp(e - e.max(-1, keepdims=True))
    return a / a.sum(-1, keepdims=True)


def attention(q, k, v, seen=np.tri, scale=np.sqrt):
    """Of several heads, (N, T, K), under a mask."""
    T, K = q.shape[1:]
    return softmax(np.where(seen(T) > 0, q @ k.transpose(0, 2, 1) / scale(K), -1e9)) @ v


def fold() -> Question:
    """Gain and shift of a layer norm, put into the layer that follows."""

    def right(gamma, beta, W, b):
        return W * gamma, b + W @ beta

    def cases(rng):
        return [normal(rng, D, D, (D, D), D) for D in (4, 5)]  # square: a wrong axis gives wrong numbers and its hint

    return Question(
        "q1", "fold", 4, right, cases, lambda rng: [normal(rng, 3, 3, (2, 3), 2)],
        mistakes={
            "gamma scales the features that come in: the columns of W": lambda g, s, W, b: (W * g[:, None], b + W @ s),
            "beta passes through W too": lambda g, s, W, b: (W * g, b + s),
            "the shift is part of it: beta changes the bias": lambda g, s, W, b: (W * g, b),
            "beta is added after gamma has scaled, so gamma does not scale it": lambda g, s, W, b: (
                W * g, b + W @ (g * s)),
            "beta meets W in the product W beta, not W^T beta": lambda g, s, W, b: (W * g, b + W.T @ s),
            "the layer had a bias of its own, and keeps it: b' is b and what beta adds": lambda g, s, W, b: (
                W * g, W @ s),
            "this undoes the gain and the shift, and the layer has to do what they did": lambda g, s, W, b: (
                W / g, b - (W / g) @ s),
            "it must hold for any numbers, not only for those of mean 0: leave the rows of W' their means":
                lambda g, s, W, b: (W * g - (W * g).mean(1, keepdims=True), b + W @ s),
            "W' has the shape of W, (H, D), and is used as W'^T": lambda g, s, W, b: ((W * g).T, b + W @ s),
        },
    )  # fmt: skip


def alibi() -> Question:
    """Positions as a slope in the scores."""

    def penalty(q, slope=lambda h, N: 2.0 ** (-8 * h / N), size=lambda back: back):
        N, T = q.shape[:2]
        back = np.arange(T)[:, None] - np.arange(T)
        return slope(np.arange(1, N + 1), N)[:, None, None] * size(back)

    def weights(q, k, minus, scale=np.sqrt, causal=True):
        T, K = q.shape[1:]
        e = q @ k.transpose(0, 2, 1) / scale(K) - minus
        return softmax(np.where(causal & (np.tri(T) == 0), -np.inf, e))

    def right(q, k):
        return weights(q, k, penalty(q))

    return Question(
        "q2", "alibi", 5, right,
        lambda rng: [normal(rng, shape, shape) for shape in ((3, 4, 2), (4, 6, 3))],
        lambda rng: [normal(rng, (2, 3, 4), (2, 3, 4))],
        mistakes={
            "head 1 has the slope 2^(-8/N): the heads are counted from 1": lambda q, k:
                weights(q, k, penalty(q, lambda h, N: 2.0 ** (-8 * (h - 1) / N))),
            "what is far away loses: the bias is negative": lambda q, k: weights(q, k, -penalty(q)),
            "a place sees itself and what came before, nothing later": lambda q, k:
                weights(q, k, penalty(q, size=np.abs), causal=False),
            "what comes later must be barred: without a mask t - s is negative there, and the penalty a reward":
                lambda q, k: weights(q, k, penalty(q), causal=False),
            "bar what comes later before the softmax: afterwards it has taken its share, and rows do not sum to 1":
                lambda q, k: np.tril(weights(q, k, penalty(q, size=np.abs), causal=False)),
            "bar what comes later before the softmax: afterwards it has taken its share, and more, for t - s < 0":
                lambda q, k: np.tril(weights(q, k, penalty(q), causal=False)),
            "the slope is 2^(-8h/N): divide by the number of heads": lambda q, k:
                weights(q, k, penalty(q, lambda h, N: 2.0 ** (-8 * h))),
            "the slope is 2 to the power -8h/N: from head to head it shrinks by one factor": lambda q, k:
                weights(q, k, penalty(q, lambda h, N: 2.0**-8 * h / N)),
            "the bias belongs to the scores, before the softmax": lambda q, k:
                weights(q, k, 0) - np.tril(penalty(q)),
            "the products are divided by sqrt(K), the bias is not": lambda q, k:
                weights(q, k, penalty(q), scale=lambda K: 1),
            "only the products are divided by sqrt(K): the penalty is taken off afterwards": lambda q, k:
                weights(q, k, penalty(q) / np.sqrt(q.shape[2])),
        },
    )  # fmt: skip


def grouped() -> Question:
    """Several query heads that share keys and values."""

    def attend(q, k, v, group=lambda n, N, G: n // (N // G), **how):
        g = group(np.arange(len(q)), len(q), len(k))
        return attention(q, k[g], v[g], **how)

    def right(q, k, v):
        return attend(q, k, v)

    def mean_query(q, k, v):
        means = q.reshape(len(k), -1, *q.shape[1:]).mean(1)
        return attend(means.repeat(len(q) // len(k), 0), k, v)

    def pooled(q, k, v):
        return attend(q, k.mean(0, keepdims=True), v.mean(0, keepdims=True))

    def cases(rng, shapes):
        return [normal(rng, (N, T, K), (G, T, K), (G, T, K)) for N, G, T, K in shapes]

    return Question(
        "q3", "grouped", 5, right,
        lambda rng: cases(rng, ((6, 3, 4, 3), (12, 4, 3, 2))),  # G > N/G, so that n // G is a group, though a wrong one
        lambda rng: cases(rng, ((6, 2, 2, 3),)),
        mistakes={
            "neighbouring heads share a group: heads 0 to N/G - 1 have the first": lambda *a:
                attend(*a, group=lambda n, N, G: n % G),
            "a group serves N/G heads, so that head n has the group n divided by N/G, not by G": lambda *a:
                attend(*a, group=lambda n, N, G: n // G),
            "a place must not look ahead": lambda *a: attend(*a, seen=lambda T: np.ones((T, T))),
            "a place sees itself, too: the diagonal is not barred": lambda *a:
                attend(*a, seen=lambda T: np.tri(T, k=-1)),
            "divide the scores by sqrt(K)": lambda *a: attend(*a, scale=lambda K: 1),
            "the scale is that of one head, sqrt(K), not of all heads together": lambda q, k, v:
                attend(q, k, v, scale=lambda K: np.sqrt(len(q) * K)),
            "every head keeps its own queries: only keys and values are shared": mean_query,
            "the groups keep keys and values of their own: only heads within a group share": pooled,
            "every head has the first group's keys and values": lambda *a: attend(*a, group=lambda n, N, G: 0 * n),
        },
    )  # fmt: skip


def rotary_scores() -> Question:
    """Rotary positions with the pairs half the width apart."""

    def turn(x, base, way=1, power=2, overwritten=False):
        T, K = x.shape
        angle = way * np.arange(T)[:, None] * base ** (-power * np.arange(K // 2) / K)
        a, b = x[:, : K // 2], x[:, K // 2 :]
        first = a * np.cos(angle) - b * np.sin(angle)
        return np.hstack([first, (first if overwritten else a) * np.sin(angle) + b * np.cos(angle)])

    def scores(q, k, base, **how):
        return turn(q, base, **how) @ turn(k, base, **how).T

    def right(q, k, base):
        return scores(q, k, base)

    def neighbours(q, k, base):
        return scores(*(np.hstack([x[:, 0::2], x[:, 1::2]]) for x in (q, k)), base)

    def cases(rng, shapes):
        return [(*normal(rng, shape, shape), float(rng.choice([50.0, 100.0, 500.0]))) for shape in shapes]

    return Question(
        "q4", "rotary_scores", 4, right,
        lambda rng: cases(rng, ((4, 6), (5, 8))), lambda rng: cases(rng, ((3, 4),)),
        mistakes={
            "here the partner of number i is number i + K/2, not its neighbour": neighbours,
            "queries and keys turn the same way: then the score depends on the distance alone": lambda q, k, base:
                turn(q, base) @ turn(k, base, way=-1).T,
            "(a, b) turns to (a cos - b sin, a sin + b cos): here it turns the other way, as if s came after t":
                lambda *a: scores(*a, way=-1),
            "a and b are the numbers before the turn: keep a until b has been turned as well": lambda *a:
                scores(*a, overwritten=True),
            "keys turn as well as queries": lambda q, k, base: turn(q, base) @ k.T,
            "pair i has the frequency base^(-2i/K)": lambda *a: scores(*a, power=1),
            "the base is an argument, not always 10,000": lambda q, k, base: scores(q, k, 10_000.0),
            "the products are asked for as they are, without the scale 1/sqrt(K)": lambda q, k, base:
                scores(q, k, base) / np.sqrt(q.shape[1]),
            "entry [t, s] is that of query t and key s: queries are the rows": lambda *a: scores(*a).T,
        },
    )  # fmt: skip


def block() -> Question:
    """A block as large language models have it today."""

    def rms(x, gain, epsilon=1e-5):
        return gain * x / np.sqrt(np.mean(x**2, -1, keepdims=True) + epsilon)

    def mean_square(x, axis=-1):
        return np.mean(x**2, axis, keepdims=True) + 1e-5

    def silu(a):
        return a / (1 + np.exp(-a))

    def gated(z, p):
        return silu(z @ p["W_1"].T) * (z @ p["W_3"].T)

    def attend(y, p, heads, neighbours=True, joined=True, out=True, **how):
        T, D = y.shape
        split = (T, heads, D // heads) if neighbours else (T, D // heads, heads)
        q, k, v = (
            (y @ p[name].T).reshape(split).transpose((1, 0, 2) if neighbours else (2, 0, 1))
            for name in ("W_q", "W_k", "W_v")
        )
        found = attention(q, k, v, **how)
        found = (found.transpose(1, 0, 2) if joined else found).reshape(T, D)
        return found @ p["W_o"].T if out else found

    def forward(x, p, heads, norms=(rms, rms), gains=("g1", "g2"), inner=gated, keep=("x", "x"), parallel=False,
                **how):  # fmt: skip
        """``keep`` says what each part's output is added to: x, what the norm made of x, or nothing."""
        y = norms[0](x, p[gains[0]])
        new = {"x": x, "norm": y, "": 0}[keep[0]] + attend(y, p, heads, **how)
        z = norms[1](x if parallel else new, p[gains[1]])
        return {"x": new, "norm": z, "": 0}[keep[1]] + inner(z, p) @ p["W_2"].T

    def right(x, p, heads):
        return forward(x, p, heads)

    def post(x, p, heads):
        x = rms(x + attend(x, p, heads), p["g1"])
        return rms(x + gated(x, p) @ p["W_2"].T, p["g2"])

    def transposed(x, p, heads):
        return forward(x, p | {name: p[name].T for name in ("W_q", "W_k", "W_v", "W_o")}, heads)

    def norm(function):
        """The block with another function in place of rms."""
        return lambda *a: forward(*a, norms=(function, function))

    def cases(rng, shapes):
        for T, D, heads, F in shapes:
            sizes = dict.fromkeys(("W_q", "W_k", "W_v", "W_o"), (D, D))
            sizes |= {"W_1": (F, D), "W_3": (F, D), "W_2": (D, F)}
            x, g1, g2, *matrices = normal(rng, (T, D), D, D, *sizes.values())
            x[-1] /= 1000  # so small that epsilon counts
            p = {name: matrix / 2 for name, matrix in zip(sizes, matrices, strict=True)}
            yield x, p | {"g1": 1 + g1 / 4, "g2": 1 + g2 / 4}, heads

    return Question(
        "q5", "block", 6, right,
        lambda rng: list(cases(rng, ((3, 6, 2, 8), (4, 6, 3, 5)))), lambda rng: list(cases(rng, ((3, 4, 2, 3),))),
        mistakes={
            "the norm stands before each part and leaves the sum alone": post,
            "attention reads rms(x; g1), not x itself": lambda *a: forward(*a, norms=(lambda x, gain: x, rms)),
            "the feed-forward part reads rms(x; g2), not x itself": lambda *a:
                forward(*a, norms=(rms, lambda x, gain: x)),
            "g1 belongs to the norm before attention, g2 to that before the feed-forward part": lambda *a:
                forward(*a, gains=("g2", "g1")),
            "the second norm has a gain of its own, g2": lambda *a: forward(*a, gains=("g1", "g1")),
            "rms: the normalised x is multiplied by the gain": norm(lambda x, gain: rms(x, 1)),
            "rms does not subtract the mean": norm(lambda x, gain: rms(x - x.mean(-1, keepdims=True), gain)),
            "rms divides by the root of the mean square, not by the mean square":
                norm(lambda x, gain: gain * x / mean_square(x)),
            "rms takes the mean of the squares, not their sum":
                norm(lambda x, gain: rms(x, gain / x.shape[1]**0.5, 1e-5 / x.shape[1])),
            "rms takes the mean over the features of each place, not over the places":
                norm(lambda x, gain: gain * x / np.sqrt(mean_square(x, 0))),
            "rms takes the mean over the features of each place, not over all places together":
                norm(lambda x, gain: gain * x / np.sqrt(mean_square(x, None))),
            "rms: epsilon is added to the mean, under the root":
                norm(lambda x, gain: gain * x / (np.sqrt(np.mean(x**2, -1, keepdims=True)) + 1e-5)),
            "rms: epsilon is forgotten; it counts where x is small": norm(lambda x, gain: rms(x, gain, 0.0)),
            "rms: epsilon is 10^-5": norm(lambda x, gain: rms(x, gain, 1e-6)),
            "no place looks ahead": lambda *a: forward(*a, seen=lambda T: np.ones((T, T))),
            "attention: the scores are divided by sqrt(K)": lambda *a: forward(*a, scale=lambda K: 1),
            "attention: the scale has the width K of a head, not D": lambda x, p, heads:
                forward(x, p, heads, scale=lambda K: np.sqrt(K * heads)),
            "attention: head i has neighbouring columns, iK to (i+1)K - 1": lambda *a: forward(*a, neighbours=False),
            "put the heads of one place side by side before W_o": lambda *a: forward(*a, joined=False),
            "attention: side by side, the heads still pass through W_o": lambda *a: forward(*a, out=False),
            "a layer is x W^T: for the square matrices nothing tells you when they are not transposed": transposed,
            "what attention found is added to x": lambda *a: forward(*a, keep=("", "x")),
            "the feed-forward part is added to what came in": lambda *a: forward(*a, keep=("x", "")),
            "both parts are added to what came in: the residual connections are missing": lambda *a:
                forward(*a, keep=("", "")),
            "what attention found is added to x itself, not to rms(x; g1)": lambda *a: forward(*a, keep=("norm", "x")),
            "the feed-forward part is added to x itself, not to z": lambda *a: forward(*a, keep=("x", "norm")),
            "both parts are added to x itself, not to the normalised x": lambda *a: forward(*a, keep=("norm", "norm")),
            "the second part reads the sum that the first has left, not the x that came in": lambda *a:
                forward(*a, parallel=True),
            "W_3 has its part too: z W_3^T multiplies the hidden layer": lambda *a:
                forward(*a, inner=lambda z, p: silu(z @ p["W_1"].T)),
            "silu acts on z W_1^T, and z W_3^T is a plain factor": lambda *a:
                forward(*a, inner=lambda z, p: z @ p["W_1"].T * silu(z @ p["W_3"].T)),
            "silu acts on z W_1^T alone, before the product with z W_3^T": lambda *a:
                forward(*a, inner=lambda z, p: silu(z @ p["W_1"].T * (z @ p["W_3"].T))),
            "silu(a) is a times sigma(a), not sigma(a) alone": lambda *a:
                forward(*a, inner=lambda z, p: z @ p["W_3"].T / (1 + np.exp(-z @ p["W_1"].T))),
        },
    )  # fmt: skip


def reach() -> Question:
    """How far back a stack of windows can see."""

    def both(far, T):
        """At the last place, and on average."""
        return [min(T - 1, far), np.minimum(np.arange(T), far).mean()]

    def right(widths, T):
        return both(sum(widths) - len(widths), T)

    def unbounded(widths, T):
        far = sum(widths) - len(widths)
        return [far, far]

    def late(widths, T):
        far = sum(widths) - len(widths)
        return [min(T, far), np.minimum(np.arange(1, T + 1), far).mean()]

    def cases(rng, layers):
        """A text longer than all that a mistake could reach, and one that is shorter than the windows' reach."""
        for long in (True, False):
            widths = [int(w) for w in rng.permutation([3, 4, 5, 6])[:layers]]
            yield widths, int(rng.integers(130, 200)) if long else sum(widths) - layers - int(rng.integers(3))

    return Question(
        "q6", "reach", 3, right, lambda rng: list(cases(rng, 3)), lambda rng: list(cases(rng, 2)),
        mistakes={
            "the window holds the place itself: a layer of width w reaches w - 1 back": lambda w, T: both(sum(w), T),
            "the layers add up: each hands on what the one below has gathered": lambda w, T: both(max(w) - 1, T),
            "reaches add, they do not multiply: each layer starts where the one below ended": lambda w, T:
                both(math.prod(width - 1 for width in w), T),
            "windows add, they do not multiply: each layer starts where the one below ended": lambda w, T:
                both(math.prod(w) - 1, T),
            "there is nothing before the first token": unbounded,
            "on average it is less: the first places have little before them": lambda w, T: [
                right(w, T)[0], sum(w) - len(w)],
            "places are counted from 0: place t has t before it, and the last place is T - 1": late,
            "the place itself lies 0 places back: count the steps, not the tokens": lambda w, T: [
                far + 1 for far in right(w, T)],
        },
    )  # fmt: skip

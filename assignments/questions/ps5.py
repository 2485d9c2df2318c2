"""Problem set 5: a transformer from parts."""

from __future__ import annotations

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


def softmax(e):
    """Over the last dimension; minus infinity gives zero."""
    a = np.exp(e - e.max(-1, keepdims=True))
    return a / a.sum(-1, keepdims=True)


def fold() -> Question:
    """Gain and shift of a layer norm, put into the layer that follows."""

    def right(gamma, beta, W, b):
        return W * gamma, b + W @ beta

    def cases(rng):
        for D, H in ((3, 3), (4, 4), (5, 5)):  # square, so that a wrong axis gives a wrong number, not an error
            yield tuple(rng.normal(size=s) for s in ((D,), (D,), (H, D), (H,)))

    return Question(
        "q1", "fold", 4, right, lambda rng: list(cases(rng)), lambda rng: list(cases(rng))[:1],
        mistakes={
            "gamma scales the features that come in: the columns of W": lambda g, s, W, b: (W * g[:, None], b + W @ s),
            "beta passes through W too": lambda g, s, W, b: (W * g, b + s),
            "the shift is part of it: beta changes the bias": lambda g, s, W, b: (W * g, b),
            "beta is added after gamma has scaled, so gamma does not scale it": lambda g, s, W, b: (
                W * g, b + W @ (g * s)),
            "beta meets W in the product W beta, not W^T beta": lambda g, s, W, b: (W * g, b + W.T @ s),
            "the layer had a bias of its own, and keeps it: b' is b and what beta adds": lambda g, s, W, b: (
                W * g, W @ s),
        },
    )  # fmt: skip


def alibi() -> Question:
    """Positions as a slope in the scores."""

    def weights(q, k, first=1, sign=-1.0, heads=None, size=None, causal=True, before=True, scaled=True):
        N, T, K = q.shape
        slope = 2.0 ** (-8 * (np.arange(N) + first) / (heads or N))
        distance = np.arange(T)[:, None] - np.arange(T)
        bias = sign * slope[:, None, None] * (size or (lambda d: d))(distance)
        e = q @ k.transpose(0, 2, 1) / (np.sqrt(K) if scaled else 1)
        bar = np.where((distance < 0) & causal, -np.inf, 0.0)
        return softmax(e + bias + bar) if before else softmax(e + bar) + np.tril(bias)

    def cases(rng):
        for N, T, K in ((2, 4, 3), (4, 6, 2)):
            yield rng.normal(size=(N, T, K)), rng.normal(size=(N, T, K))

    def right(q, k):
        return weights(q, k)

    return Question(
        "q2", "alibi", 5, right, lambda rng: list(cases(rng)), lambda rng: list(cases(rng))[:1],
        mistakes={
            "head 1 has the slope 2^(-8/N): the heads are counted from 1": lambda q, k: weights(q, k, first=0),
            "what is far away loses: the bias is negative": lambda q, k: weights(q, k, sign=1.0),
            "a place sees itself and what came before, nothing later": lambda q, k: weights(
                q, k, causal=False, size=np.abs),
            "what comes later must be barred: without a mask t - s is negative there, and the penalty a reward":
                lambda q, k: weights(q, k, causal=False),
            "the slope is 2^(-8h/N): divide by the number of heads": lambda q, k: weights(q, k, heads=1),
            "the bias belongs to the scores, before the softmax": lambda q, k: weights(q, k, before=False),
            "the products are divided by sqrt(K), the bias is not": lambda q, k: weights(q, k, scaled=False),
        },
    )  # fmt: skip


def grouped() -> Question:
    """Several query heads that share keys and values."""

    def attend(q, k, v, group=lambda n, N, G: n // (N // G), causal=True, width=lambda N, K: K):
        N, T, K = q.shape
        outputs = []
        for n in range(N):
            g = group(n, N, len(k))
            e = q[n] @ k[g].T / np.sqrt(width(N, K))
            outputs.append(softmax(np.where(np.tri(T, dtype=bool) | (not causal), e, -np.inf)) @ v[g])
        return np.array(outputs)

    def pooled(q, k, v):
        return attend(q, k.mean(0, keepdims=True), v.mean(0, keepdims=True))

    def right(q, k, v):
        return attend(q, k, v)

    def cases(rng):
        for N, G, T, K in ((4, 2, 3, 2), (6, 3, 4, 3)):
            yield tuple(rng.normal(size=s) for s in ((N, T, K), (G, T, K), (G, T, K)))

    return Question(
        "q3", "grouped", 5, right, lambda rng: list(cases(rng)), lambda rng: list(cases(rng))[:1],
        mistakes={
            "neighbouring heads share a group: heads 0 to N/G - 1 have the first": lambda *a:
                attend(*a, group=lambda n, N, G: n % G),
            "a place must not look ahead": lambda *a: attend(*a, causal=False),
            "divide the scores by sqrt(K)": lambda *a: attend(*a, width=lambda N, K: 1),
            "the scale is that of one head, sqrt(K), not of all heads together": lambda *a:
                attend(*a, width=lambda N, K: N * K),
            "the groups keep keys and values of their own: only heads within a group share": pooled,
            "every head has the first group's keys and values": lambda *a: attend(*a, group=lambda n, N, G: 0),
        },
    )  # fmt: skip


def rotary_scores() -> Question:
    """Rotary positions with the pairs half the width apart."""

    def turn(x, sign=1.0, pairs="halves", base=10_000.0, first=0):
        T, K = x.shape
        angle = sign * (np.arange(T) + first)[:, None] * base ** (-np.arange(0, K, 2) / K)
        if pairs == "halves":
            a, b = x[:, : K // 2], x[:, K // 2 :]
            return np.concatenate([a * np.cos(angle) - b * np.sin(angle), a * np.sin(angle) + b * np.cos(angle)], 1)
        a, b = x[:, 0::2], x[:, 1::2]
        both = np.stack([a * np.cos(angle) - b * np.sin(angle), a * np.sin(angle) + b * np.cos(angle)], -1)
        return both.reshape(T, K)

    def right(q, k, base):
        return turn(q, base=base) @ turn(k, base=base).T

    def cases(rng):
        for T, K in ((3, 4), (5, 6)):
            yield rng.normal(size=(T, K)), rng.normal(size=(T, K)), float(rng.choice([50.0, 100.0, 500.0]))

    def frequencies(q, k, base):
        def wrong(x):
            T, K = x.shape
            angle = np.arange(T)[:, None] * base ** (-np.arange(K // 2) / K)
            a, b = x[:, : K // 2], x[:, K // 2 :]
            return np.concatenate([a * np.cos(angle) - b * np.sin(angle), a * np.sin(angle) + b * np.cos(angle)], 1)

        return wrong(q) @ wrong(k).T

    return Question(
        "q4", "rotary_scores", 4, right, lambda rng: list(cases(rng)), lambda rng: list(cases(rng))[:1],
        mistakes={
            "here the partner of number i is number i + K/2, not its neighbour": lambda q, k, base:
                turn(q, pairs="next", base=base) @ turn(k, pairs="next", base=base).T,
            "queries and keys turn the same way: then the score depends on the distance alone": lambda q, k, base:
                turn(q, base=base) @ turn(k, -1.0, base=base).T,
            "keys turn as well as queries": lambda q, k, base: turn(q, base=base) @ k.T,
            "pair i has the frequency base^(-2i/K)": frequencies,
            "the base is an argument, not always 10,000": lambda q, k, base: turn(q) @ turn(k).T,
            "the products are asked for as they are, without the scale 1/sqrt(K)": lambda q, k, base:
                right(q, k, base) / np.sqrt(q.shape[1]),
        },
    )  # fmt: skip


def block() -> Question:
    """A block as large language models have it today."""

    def norm(x, gain, centre=False):
        x = x - x.mean(-1, keepdims=True) if centre else x
        return gain * x / np.sqrt(np.mean(x**2, -1, keepdims=True) + 1e-6)

    def forward(x, p, heads, post=False, gates=("W_1", "W_3"), causal=True, residual=True, centre=False, concat=True,
                parallel=False):  # fmt: skip
        T, D = x.shape
        K = D // heads
        y = norm(x, p["g1"], centre) if not post else x
        q, k, v = ((y @ p[name].T).reshape(T, heads, K).transpose(1, 0, 2) for name in ("W_q", "W_k", "W_v"))
        e = np.where(np.tri(T, dtype=bool) | (not causal), q @ k.transpose(0, 2, 1) / np.sqrt(K), -np.inf)
        out = softmax(e) @ v
        mixed = (out.transpose(1, 0, 2) if concat else out).reshape(T, D) @ p["W_o"].T
        before, x = x, x + mixed
        x = norm(x, p["g1"], centre) if post else x
        y = norm(before if parallel else x, p["g2"], centre) if not post else x
        a = y @ p[gates[0]].T
        inner = a / (1 + np.exp(-a))
        for name in gates[1:]:
            inner = inner * (y @ p[name].T)
        x = (x if residual else 0) + inner @ p["W_2"].T
        return norm(x, p["g2"], centre) if post else x

    def cases(rng):
        for T, D, heads, F in ((3, 4, 2, 6), (5, 6, 3, 8)):
            shapes = dict.fromkeys(("W_q", "W_k", "W_v", "W_o"), (D, D))
            shapes |= {"W_1": (F, D), "W_3": (F, D), "W_2": (D, F), "g1": (D,), "g2": (D,)}
            yield rng.normal(size=(T, D)), {n: rng.normal(size=s) * 0.7 for n, s in shapes.items()}, heads

    def right(x, p, heads):
        return forward(x, p, heads)

    return Question(
        "q5", "block", 6, right, lambda rng: list(cases(rng)), lambda rng: list(cases(rng))[:1],
        mistakes={
            "the norm stands before each part and leaves the sum alone": lambda *a: forward(*a, post=True),
            "W_3 has its part too: y W_3^T multiplies the hidden layer": lambda *a: forward(*a, gates=("W_1",)),
            "silu acts on y W_1^T, and y W_3^T is a plain factor": lambda *a: forward(*a, gates=("W_3", "W_1")),
            "the second part reads the sum that the first has left, not the x that came in": lambda *a:
                forward(*a, parallel=True),
            "no place looks ahead": lambda *a: forward(*a, causal=False),
            "the feed-forward part is added to what came in": lambda *a: forward(*a, residual=False),
            "RMS norm does not subtract the mean": lambda *a: forward(*a, centre=True),
            "put the heads of one place side by side before W_o": lambda *a: forward(*a, concat=False),
        },
    )  # fmt: skip


def reach() -> Question:
    """How far back a stack of windows can see."""

    def right(layers, width, t):
        return min(t, layers * (width - 1))

    def cases(rng):
        for far in (True, False, True):
            layers, width = int(rng.integers(2, 6)), int(rng.integers(4, 9))
            whole = layers * (width - 1)
            yield layers, width, int(whole + rng.integers(layers + 2, 40)) if far else int(whole - rng.integers(1, 3))

    return Question(
        "q6", "reach", 3, right, lambda rng: list(cases(rng)), lambda rng: list(cases(rng))[:2],
        mistakes={
            "the window holds the place itself: one layer reaches width - 1 back": lambda n, w, t: min(t, n * w),
            "the layers add up: each hands on what the one below has gathered": lambda n, w, t: min(t, w - 1),
            "reaches add, they do not multiply: each layer starts where the one below ended": lambda n, w, t:
                min(t, (w - 1) ** n),
            "there is nothing before the first token": lambda n, w, t: n * (w - 1),
            "the place itself lies 0 places back: count the steps, not the tokens": lambda n, w, t:
                min(t, n * (w - 1)) + 1,
        },
    )  # fmt: skip

"""Problem set 4: embeddings, and translation with attention."""

from __future__ import annotations

import math

import numpy as np

from assignments.grading.questions import ProblemSet, Question


def build(rng: np.random.Generator) -> ProblemSet:
    """The constants of this year, and the questions."""
    ceiling, alpha = int(rng.integers(8, 30)), round(float(rng.uniform(0.5, 0.9)), 2)
    return ProblemSet(
        name="ps4",
        title="Embeddings and translation with attention",
        constants={"ceiling": ceiling, "alpha": alpha},
        questions=[glove(ceiling, alpha), procrustes(), local_attention(), attention_backward(), coverage(), rerank()],
        written={"w1": 8, "w2": 8},
    )


def glove(ceiling: int, alpha: float) -> Question:
    """Another loss for word vectors, with its gradient."""

    def loss(X, W, C, a, b, weighted=True, biases=True, factor=2.0, capped=True, log=np.log):
        seen = X > 0
        f = (np.minimum(X / ceiling, 1) if capped else X / ceiling) ** alpha if weighted else np.ones_like(X)
        target = log(np.where(seen, X, 1.0))
        miss = np.where(seen, W @ C.T + (a[:, None] + b if biases else 0) - target, 0.0)
        return float(np.sum(f * seen * miss**2)), factor * (f * seen * miss) @ C

    def zeros_count(X, W, C, a, b):
        f = np.minimum(np.maximum(X, 1) / ceiling, 1) ** alpha
        miss = W @ C.T + a[:, None] + b - np.log(np.maximum(X, 1))
        return float(np.sum(f * miss**2)), 2 * (f * miss) @ C

    def infinite(X, W, C, a, b):
        f = np.minimum(X / ceiling, 1) ** alpha
        miss = W @ C.T + a[:, None] + b - np.log(X)
        return float(np.sum(f * miss**2)), 2 * (f * miss) @ C

    def by_contexts(X, W, C, a, b):
        return loss(X, W, C, a, b)[0], loss(X.T, C, W, b, a)[1]

    def weight_squared(X, W, C, a, b):
        f = np.minimum(X / ceiling, 1) ** alpha
        miss = f * np.where(X > 0, W @ C.T + a[:, None] + b - np.log(np.where(X > 0, X, 1.0)), 0.0)
        return float(np.sum(miss**2)), 2 * (f * miss) @ C

    def weight_lost(*arguments):
        return loss(*arguments)[0], loss(*arguments, weighted=False)[1]

    def cases(rng, sizes):
        for V, d in sizes:
            X = rng.integers(0, 2 * ceiling, (V, V)).astype(float)
            X[0, :3] = 0, 2 * ceiling + 3, ceiling // 2  # never met, above the ceiling, below it
            yield X, *(rng.normal(size=s).round(2) for s in ((V, d), (V, d), (V,), (V,)))

    def right(X, W, C, a, b):
        return loss(X, W, C, a, b)

    return Question(
        "q1", "glove", 5, right, lambda rng: list(cases(rng, [(4, 2), (6, 3)])), lambda rng: list(cases(rng, [(3, 2)])),
        mistakes={
            "a pair that never came together has no logarithm and no term: leave it out": zeros_count,
            "ln 0 is minus infinity, and 0 times that is no number: take such pairs out first": infinite,
            "that is the derivative by C: in that by W the misses multiply the rows of C": by_contexts,
            "the weight stands outside the square": weight_squared,
            "the weight f(X) stands in the derivative too": weight_lost,
            "the logarithm is of the count itself, not of 1 + X": lambda *a: loss(*a, log=np.log1p),
            "the weight f(X) is missing": lambda *a: loss(*a, weighted=False),
            "f does not grow beyond 1": lambda *a: loss(*a, capped=False),
            "the biases a_i and b_j belong to the model": lambda *a: loss(*a, biases=False),
            "a_i belongs to the word, the row of X, and b_j to its neighbour, the column": lambda X, W, C, a, b:
                loss(X, W, C, b, a),
            "the derivative of a square has a factor 2": lambda *a: loss(*a, factor=1.0),
            "the derivative has the wrong sign: a product that is too large must shrink": lambda *a:
                loss(*a, factor=-2.0),
        },
    )  # fmt: skip


def procrustes() -> Question:
    """The rotation that brings one set of vectors onto another, some pairs being surer than others."""

    def best(X, Y, g):
        U, _, Zt = np.linalg.svd(X.T @ (g[:, None] * Y))
        return U @ Zt

    def right(X, Y, g):
        return best(X, Y, g)

    def product(X, Y, g):
        U, _, Zt = np.linalg.svd(X.T @ (g[:, None] * Y))
        return U @ Zt.T

    def proper(X, Y, g):
        U, _, Zt = np.linalg.svd(X.T @ (g[:, None] * Y))
        return U @ np.diag([*[1] * (len(U) - 1), np.linalg.det(U @ Zt)]) @ Zt

    def general(X, Y, g):
        return np.linalg.solve(X.T @ (g[:, None] * X), X.T @ (g[:, None] * Y))

    def centred(X, Y, g, by):
        return best(X - np.average(X, 0, by), Y - np.average(Y, 0, by), g)

    def cases(rng, sizes):
        for n, d, sign in sizes:
            X, turn = rng.normal(size=(n, d)) + 0.5, np.linalg.qr(rng.normal(size=(d, d)))[0]
            g = rng.permutation(np.linspace(0.2, 1, n)).round(2)
            Y = X @ turn + 0.5 * rng.normal(size=(n, d))
            Y[:, 0] *= sign * np.sign(np.linalg.det(X.T @ (g[:, None] * Y)))  # sign -1: R contains a reflection
            yield X.round(2), Y.round(2), g

    return Question(
        "q2", "align", 4, right, lambda rng: list(cases(rng, [(9, 3, -1), (12, 4, 1), (15, 5, -1)])),
        lambda rng: list(cases(rng, [(6, 3, -1)])),
        mistakes={
            "the pairs do not count alike: a pair of twice the weight counts as if it were there twice": lambda X, Y, g:
                best(X, Y, np.ones_like(g)),
            "the weight stands before the square, once: not at both vectors of a pair": lambda X, Y, g: best(X, Y, g**2),
            "its root belongs at both vectors of a pair, or the weight itself at one": lambda X, Y, g:
                best(X, Y, np.sqrt(g)),
            "least squares may stretch: R must be orthogonal": general,
            "least squares may stretch: R must be orthogonal, and the pairs have weights": lambda X, Y, g:
                general(X, Y, np.ones_like(g)),
            "that maps Y to X; X R should be near Y": lambda X, Y, g: best(X, Y, g).T,
            "the singular values have to go: R is made of U and Z alone": lambda X, Y, g: X.T @ (g[:, None] * Y),
            "reflections are orthogonal too, and allowed": proper,
            "np.linalg.svd returns Z already transposed": product,
            "do not centre the vectors: R turns about the origin, and there is no shift": lambda X, Y, g:
                centred(X, Y, g, by=None),
            "do not centre the vectors, not at the weighted mean either: R turns about the origin": lambda X, Y, g:
                centred(X, Y, g, by=g),
        },
    )  # fmt: skip


def local_attention() -> Question:
    """Attention that prefers the neighbourhood of a place."""

    def weigh(scores, centre, D, window="before", gauss="after", sigma=0.5, renormalise=False,
              zero=False, strict=False, height=1.0):  # fmt: skip
        s = np.arange(len(scores))
        inside = np.abs(s - centre) < D if strict else np.abs(s - centre) <= D
        bell = height * np.exp(-((s - centre) ** 2) / (2 * (sigma * D) ** 2))
        scores = scores * bell if gauss == "before" else scores
        e = np.where(inside if window == "before" else True, np.exp(scores), 1.0 if zero else 0.0)
        weights = e / e.sum()
        if gauss == "after":
            weights = weights * bell
        if window == "after":
            weights = weights * inside
        return weights / weights.sum() if renormalise else weights

    def cases(rng):
        for S, D, away in ((8, 2, 0.3), (12, 3, 0.7)):  # rounding up, and down, moves the centre
            yield rng.normal(size=S), float(rng.integers(D, S - D - 1)) + away, D
        yield rng.normal(size=9), float(rng.integers(3)), 3  # a place exactly D away; the window is cut at the start
        yield rng.normal(size=7), float(rng.integers(5, 7)), 2  # cut at the end

    def shown(rng):
        yield rng.normal(size=8).round(2), float(rng.integers(2, 5)) + 0.6, 2
        yield rng.normal(size=5).round(2), 1.0, 2

    def right(scores, centre, D):
        return weigh(scores, centre, D)

    def slices(scores, centre, D):
        return right(scores, centre, D) if centre > D - 1 else np.zeros(len(scores))

    return Question(
        "q3", "local_attention", 4, right, lambda rng: list(cases(rng)), lambda rng: list(shown(rng)),
        mistakes={
            "places more than D from the centre have no weight at all": lambda *a: weigh(*a, window="none"),
            "only places at most D from the centre take part in the softmax: cut the window before it, not after":
                lambda *a: weigh(*a, window="after"),
            "the bell multiplies the weights after the softmax": lambda *a: weigh(*a, gauss="before"),
            "the bell is missing": lambda *a: weigh(*a, gauss="none"),
            "a place exactly D away is at most D away, and takes part": lambda *a: weigh(*a, strict=True),
            "the window may begin before place 0, and a negative index counts from the end": slices,
            "outside the window the score is minus infinity, not zero: exp(0) is 1": lambda *a: weigh(*a, zero=True),
            "the centre stays where it is: do not round it": lambda x, p, D: weigh(x, round(p), D),
            "the centre stays where it is: do not cut off its decimals": lambda x, p, D: weigh(x, int(p), D),
            "its standard deviation is D / 2": lambda *a: weigh(*a, sigma=1.0),
            "the square is divided by 2 sigma^2, not by sigma^2": lambda *a: weigh(*a, sigma=0.5 / math.sqrt(2)),
            "the bell is 1 at its centre: no factor before it": lambda x, p, D:
                weigh(x, p, D, height=2 / (D * math.sqrt(2 * math.pi))),
            "Luong's weights are not normalised again: far from the centre the whole sum may be small": lambda *a:
                weigh(*a, renormalise=True),
        },
    )  # fmt: skip


def attention_backward() -> Question:
    """Backwards through scaled dot-product attention."""

    def backward(q, k, v, d_out, scale=0.5, power=0.5, axis=1, centred=True, softmax=True, use=None, diagonal=False):
        d_k = q.shape[1]
        e = q @ k.T / d_k**scale
        a = np.exp(e - e.max(axis, keepdims=True))
        a /= a.sum(axis, keepdims=True)
        da = d_out @ v.T
        de = a * (da - (a * da).sum(axis, keepdims=True) if centred else da) if softmax else da
        de = a * (1 - a) * da if diagonal else de
        de = de / d_k**power
        return de @ k, de.T @ q, (e if use == "scores" else a).T @ d_out

    def right(q, k, v, d_out):
        return backward(q, k, v, d_out)

    def columns(q, k, v, d_out):
        scale = 1 / math.sqrt(q.shape[1])
        e = q @ k.T * scale
        a = np.exp(e - e.max(1, keepdims=True))
        a /= a.sum(1, keepdims=True)
        da = d_out @ v.T
        de = a * (da - (a * da).sum(0, keepdims=True)) * scale
        return de @ k, de.T @ q, a.T @ d_out

    def cases(rng, sizes):
        for T, S, d_k, d_v in sizes:
            yield tuple(rng.normal(size=s).round(2) for s in ((T, d_k), (S, d_k), (S, d_v), (T, d_v)))

    return Question(
        "q4", "attention_backward", 7, right, lambda rng: list(cases(rng, [(2, 3, 4, 2), (4, 3, 5, 3)])),
        lambda rng: list(cases(rng, [(2, 3, 4, 2)])),
        mistakes={
            "the scale 1/sqrt(d_k) belongs to the scores, and so to their derivative": lambda *a:
                backward(*a, power=0),
            "the scores are divided by sqrt(d_k), forwards and backwards": lambda *a: backward(*a, scale=0, power=0),
            "the scale is the square root of d_k": lambda *a: backward(*a, power=1),
            "a (1 - a) is only the diagonal: every score of a row changes all weights of the row": lambda *a:
                backward(*a, diagonal=True),
            "the weights of a row share a sum of 1: subtract the weighted mean of the row": lambda *a:
                backward(*a, centred=False),
            "the softmax was passed over": lambda *a: backward(*a, softmax=False),
            "the values were weighed by the weights, not by the scores": lambda *a: backward(*a, use="scores"),
            "the softmax runs over the keys of a query: the weighted mean is that of the row": columns,
            "the softmax runs over the keys, so that the weights of each query add up to 1": lambda *a:
                backward(*a, axis=0),
        },
    )  # fmt: skip


def coverage() -> Question:
    """A penalty for source words that nobody looked at."""

    def penalty(weights, beta, axis=0, cap=True, sign=1.0, mean=False):
        seen = weights.sum(axis)
        logs = np.log(np.minimum(seen, 1) if cap else seen)
        return float(sign * beta * (logs.mean() if mean else logs.sum()))

    def cases(rng, sizes):
        # fewer target words than source words: some word received less than 1; more: some word received more
        for T, S in sizes:
            shares = rng.multinomial(100 - S, rng.dirichlet(np.ones(S)), size=T)
            yield (shares + 1) / 100, round(float(rng.uniform(0.1, 0.5)), 2)

    def right(weights, beta):
        return penalty(weights, beta)

    return Question(
        "q5", "coverage", 3, right, lambda rng: list(cases(rng, [(3, 5), (6, 4)])),
        lambda rng: list(cases(rng, [(2, 4), (4, 3)])),
        mistakes={
            "add up what each source word received, over the target words": lambda w, b: penalty(w, b, axis=1),
            "what a word received from all target words together counts, not the largest": lambda w, b:
                float(b * np.log(w.max(0)).sum()),
            "a word looked at more than once earns nothing extra: min(., 1)": lambda w, b: penalty(w, b, cap=False),
            "each source word has its own logarithm: take it before you add them up": lambda w, b:
                float(b * np.log(np.minimum(w.sum(0), 1).sum())),
            "it is a penalty: zero at best, else negative": lambda w, b: penalty(w, b, sign=-1.0),
            "the sum over the source words, not the mean": lambda w, b: penalty(w, b, mean=True),
            "beta is missing": lambda w, b: penalty(w, 1.0),
        },
    )  # fmt: skip


def rerank() -> Question:
    """Which of several translations is best, once length and coverage count."""

    def scores(log_probs, lengths, penalties, rho, sign=1.0):
        return np.array(log_probs) / ((5 + np.array(lengths)) / 6) ** rho + sign * np.array(penalties)

    def best(scores, by=None):
        i = int(np.argmax(scores if by is None else by))
        return i, float(scores[i])

    def right(*arguments):
        return best(scores(*arguments))

    def cases(rng):
        for m in (3, 4, 5):
            # a short one is the most probable, but misses much; of the two long ones one is the best, the other the worst
            lengths = [*rng.integers(2, 5, m - 2).tolist(), *rng.integers(9, 15, 2).tolist()]
            penalties = [round(float(rng.uniform(*((-0.9, -0.5) if n < 9 else (-0.2, -0.1)))), 2) for n in lengths]
            rho = round(float(rng.uniform(0.6, 0.9)), 2)
            per_length = np.array([*rng.uniform(-1.2, -1.0, m - 1), -2.4])
            log_probs = per_length * ((5 + np.array(lengths)) / 6) ** rho
            order = rng.permutation(m)
            yield *([column[i] for i in order] for column in (log_probs.round(3).tolist(), lengths, penalties)), rho

    def worst(*arguments):
        s = scores(*arguments)
        return int(np.argmin(s)), float(min(s))

    def after(log_probs, lengths, penalties, rho):
        return right(np.array(log_probs) + penalties, lengths, np.zeros(len(lengths)), rho)

    def with_lp(lp):
        return lambda x, n, cp, rho: best(np.array(x) / lp(np.array(n), rho) + cp)

    return Question(
        "q6", "rerank", 4, right, lambda rng: list(cases(rng)), lambda rng: list(cases(rng))[:1],
        mistakes={
            "the best has the highest score, not the lowest": worst,
            "the most probable need not have the highest score: choose by the score": lambda *a: best(scores(*a), a[0]),
            "candidates are counted from 0": lambda *a: (right(*a)[0] + 1, right(*a)[1]),
            "lp(n) is ((5 + n) / 6)^rho, and not n itself": with_lp(lambda n, rho: n),
            "without a length penalty the short ones win": with_lp(lambda n, rho: 1.0),
            "a log-probability is negative: dividing by the penalty helps the long ones, multiplying punishes them":
                with_lp(lambda n, rho: ((5 + n) / 6) ** -rho),
            "coverage is missing": lambda *a: best(scores(*a, sign=0.0)),
            "cp is negative where words were left out: add it": lambda *a: best(scores(*a, sign=-1.0)),
            "lp(n) is ((5 + n) / 6)^rho, and not n^rho": with_lp(lambda n, rho: n**rho),
            "the exponent belongs to the whole fraction, 6 included": with_lp(lambda n, rho: (5 + n) ** rho / 6),
            "only the log-probability is divided by the length penalty, not the coverage": after,
        },
    )  # fmt: skip

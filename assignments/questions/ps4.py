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

    def loss(X, W, C, b, c, weighted=True, biases=True, factor=2.0, capped=True, log=np.log):
        seen = X > 0
        f = (np.minimum(X / ceiling, 1) if capped else X / ceiling) ** alpha if weighted else np.ones_like(X)
        target = log(np.where(seen, X, 1.0))
        miss = np.where(seen, W @ C.T + (b[:, None] + c if biases else 0) - target, 0.0)
        return float(np.sum(f * seen * miss**2)), factor * (f * seen * miss) @ C

    def zeros_count(X, W, C, b, c):
        f = np.minimum(np.maximum(X, 1) / ceiling, 1) ** alpha
        miss = W @ C.T + b[:, None] + c - np.log(np.maximum(X, 1))
        return float(np.sum(f * miss**2)), 2 * (f * miss) @ C

    def infinite(X, W, C, b, c):
        f = np.minimum(X / ceiling, 1) ** alpha
        miss = W @ C.T + b[:, None] + c - np.log(X)
        return float(np.sum(f * miss**2)), 2 * (f * miss) @ C

    def by_contexts(X, W, C, b, c):
        return loss(X, W, C, b, c)[0], loss(X.T, C, W, c, b)[1]

    def weight_squared(X, W, C, b, c):
        f = np.minimum(X / ceiling, 1) ** alpha
        miss = f * np.where(X > 0, W @ C.T + b[:, None] + c - np.log(np.where(X > 0, X, 1.0)), 0.0)
        return float(np.sum(miss**2)), 2 * (f * miss) @ C

    def cases(rng):
        for V, d in ((4, 2), (6, 3)):
            X = rng.integers(0, 2 * ceiling, (V, V)) * (rng.random((V, V)) < 0.7)
            X[0, :2] = 0, 2 * ceiling + 3
            yield X.astype(float), *(rng.normal(size=s) for s in ((V, d), (V, d), (V,), (V,)))

    def right(X, W, C, b, c):
        return loss(X, W, C, b, c)

    return Question(
        "q1", "glove", 5, right, lambda rng: list(cases(rng)), lambda rng: list(cases(rng))[:1],
        mistakes={
            "a pair that never came together has no logarithm and no term: leave it out": zeros_count,
            "ln 0 is minus infinity, and 0 times that is no number: take such pairs out first": infinite,
            "that is the derivative by C: in that by W the misses multiply the rows of C": by_contexts,
            "the weight stands outside the square": weight_squared,
            "the logarithm is of the count itself, not of 1 + X": lambda *a: loss(*a, log=np.log1p),
            "the weight f(X) is missing": lambda *a: loss(*a, weighted=False),
            "f does not grow beyond 1": lambda *a: loss(*a, capped=False),
            "the biases b_i and c_j belong to the model": lambda *a: loss(*a, biases=False),
            "the derivative of a square has a factor 2": lambda *a: loss(*a, factor=1.0),
        },
    )  # fmt: skip


def procrustes() -> Question:
    """The rotation that brings one set of vectors onto another."""

    def right(X, Y):
        U, _, Vt = np.linalg.svd(X.T @ Y)
        return U @ Vt

    def proper(X, Y):
        U, _, Vt = np.linalg.svd(X.T @ Y)
        return U @ np.diag([*[1] * (len(U) - 1), np.linalg.det(U @ Vt)]) @ Vt

    def cases(rng):
        for n, d in ((6, 2), (9, 3)):
            X, Q = rng.normal(size=(n, d)), np.linalg.qr(rng.normal(size=(d, d)))[0]
            Q[:, 0] *= -np.sign(np.linalg.det(Q))  # a reflection, so that a pure rotation is not enough
            yield X, X @ Q + 0.2 * rng.normal(size=(n, d))

    return Question(
        "q2", "align", 4, right, lambda rng: list(cases(rng)), lambda rng: list(cases(rng))[:1],
        mistakes={
            "least squares may stretch: R must be orthogonal": lambda X, Y: np.linalg.lstsq(X, Y, rcond=None)[0],
            "that maps Y to X; X R should be near Y": lambda X, Y: right(X, Y).T,
            "the singular values have to go: R = U V^T": lambda X, Y: X.T @ Y,
            "reflections are orthogonal too, and allowed": proper,
            "np.linalg.svd returns V already transposed": lambda X, Y: (
                np.linalg.svd(X.T @ Y)[0] @ np.linalg.svd(X.T @ Y)[2].T),
        },
    )  # fmt: skip


def local_attention() -> Question:
    """Attention that prefers the neighbourhood of a place."""

    def weigh(scores, centre, D, window=True, gauss="after", sigma=0.5, renormalise=False,
              zero=False, strict=False):  # fmt: skip
        s = np.arange(len(scores))
        allowed = (np.abs(s - centre) < D if strict else np.abs(s - centre) <= D) if window else np.ones(len(s), bool)
        bell = np.exp(-((s - centre) ** 2) / (2 * (sigma * D) ** 2))
        scores = scores * bell if gauss == "before" else scores
        e = np.where(allowed, np.exp(scores), 1.0 if zero else 0.0)
        weights = e / e.sum()
        if gauss == "after":
            weights = weights * bell
        return weights / weights.sum() if renormalise else weights

    def cases(rng):
        for S, D in ((8, 2), (12, 3)):
            yield rng.normal(size=S), float(rng.uniform(2, S - 3)), D
        yield rng.normal(size=9), float(rng.integers(3)), 3  # a place exactly D away; the window is cut at the start

    def right(scores, centre, D):
        return weigh(scores, centre, D)

    def slices(scores, centre, D):
        return right(scores, centre, D) if centre > D - 1 else np.zeros(len(scores))

    return Question(
        "q3", "local_attention", 4, right, lambda rng: list(cases(rng)), lambda rng: list(cases(rng))[:1],
        mistakes={
            "only places at most D from the centre take part in the softmax": lambda *a: weigh(*a, window=False),
            "the bell multiplies the weights after the softmax": lambda *a: weigh(*a, gauss="before"),
            "the bell is missing": lambda *a: weigh(*a, gauss="none"),
            "a place exactly D away is at most D away, and takes part": lambda *a: weigh(*a, strict=True),
            "the window may begin before place 0, and a negative index counts from the end": slices,
            "outside the window the score is minus infinity, not zero: exp(0) is 1": lambda *a: weigh(*a, zero=True),
            "the centre stays where it is: do not round it": lambda x, p, D: weigh(x, round(p), D),
            "its standard deviation is D / 2": lambda *a: weigh(*a, sigma=1.0),
            "Luong's weights are not normalised again: far from the centre the whole sum may be small": lambda *a:
                weigh(*a, renormalise=True),
        },
    )  # fmt: skip


def attention_backward() -> Question:
    """Backwards through scaled dot-product attention."""

    def backward(q, k, v, d_out, power=0.5, centred=True, softmax=True, use=None, diagonal=False):
        scale = 1 / math.sqrt(q.shape[1])
        e = q @ k.T * scale
        a = np.exp(e - e.max(1, keepdims=True))
        a /= a.sum(1, keepdims=True)
        da = d_out @ v.T
        de = a * (da - (a * da).sum(1, keepdims=True) if centred else da) if softmax else da
        de = a * (1 - a) * da if diagonal else de
        de = de / q.shape[1] ** power
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

    def cases(rng):
        for T, S, d_k, d_v in ((2, 3, 4, 2), (4, 3, 5, 3)):
            yield tuple(rng.normal(size=s) for s in ((T, d_k), (S, d_k), (S, d_v), (T, d_v)))

    return Question(
        "q4", "attention_backward", 6, right, lambda rng: list(cases(rng)), lambda rng: list(cases(rng))[:1],
        mistakes={
            "the scale 1/sqrt(d_k) belongs to the scores, and so to their derivative": lambda *a:
                backward(*a, power=0),
            "the scale is the square root of d_k": lambda *a: backward(*a, power=1),
            "a (1 - a) is only the diagonal: every score of a row changes all weights of the row": lambda *a:
                backward(*a, diagonal=True),
            "the weights of a row share a sum of 1: subtract the weighted mean of the row": lambda *a:
                backward(*a, centred=False),
            "the softmax was passed over": lambda *a: backward(*a, softmax=False),
            "the values were weighed by the weights, not by the scores": lambda *a: backward(*a, use="scores"),
            "the softmax runs over the keys of a query: the weighted mean is that of the row": columns,
        },
    )  # fmt: skip


def coverage() -> Question:
    """A penalty for source words that nobody looked at."""

    def penalty(weights, beta, axis=0, cap=True, sign=1.0, mean=False):
        seen = weights.sum(axis)
        logs = np.log(np.minimum(seen, 1) if cap else seen)
        return float(sign * beta * (logs.mean() if mean else logs.sum()))

    def cases(rng):
        for T, S in ((3, 5), (6, 4)):
            yield rng.dirichlet(np.ones(S), size=T), float(rng.uniform(0.1, 0.5))

    def right(weights, beta):
        return penalty(weights, beta)

    return Question(
        "q5", "coverage", 3, right, lambda rng: list(cases(rng)), lambda rng: list(cases(rng))[:1],
        mistakes={
            "add up what each source word received, over the target words": lambda w, b: penalty(w, b, axis=1),
            "a word looked at more than once earns nothing extra: min(., 1)": lambda w, b: penalty(w, b, cap=False),
            "it is a penalty: zero at best, else negative": lambda w, b: penalty(w, b, sign=-1.0),
            "the sum over the source words, not the mean": lambda w, b: penalty(w, b, mean=True),
            "beta is missing": lambda w, b: penalty(w, 1.0),
        },
    )  # fmt: skip


def rerank() -> Question:
    """Which of several translations is best, once length and coverage count."""

    def scores(log_probs, lengths, matrices, alpha, beta, divide=True, base=5.0, cover=True, penalty=True, axis=0):
        total = []
        for log_p, n, w in zip(log_probs, lengths, matrices, strict=True):
            lp = ((base + n) / (base + 1)) ** alpha if penalty else 1.0
            cp = beta * float(np.log(np.minimum(w.sum(axis), 1)).sum()) if cover else 0.0
            total.append((log_p / lp if divide else log_p * lp) + cp)
        return total

    def best(*arguments, **options):
        s = scores(*arguments, **options)
        return int(np.argmax(s)), float(max(s))

    def cases(rng):
        for n, S in ((3, 4), (4, 5), (5, 3)):
            lengths = rng.integers(2, 9, n).tolist()
            matrices = [rng.dirichlet(np.full(S, 0.4), size=m) for m in lengths]
            log_probs = [-float(m * rng.uniform(0.5, 1.2)) for m in lengths]
            yield log_probs, lengths, matrices, float(rng.uniform(0.6, 1)), float(rng.uniform(0.1, 0.4))

    def right(log_probs, lengths, matrices, alpha, beta):
        return best(log_probs, lengths, matrices, alpha, beta)

    def worst(*arguments):
        s = scores(*arguments)
        return int(np.argmin(s)), float(min(s))

    def after(log_probs, lengths, matrices, alpha, beta):
        cp = [beta * float(np.log(np.minimum(w.sum(0), 1)).sum()) for w in matrices]
        together = [x + c for x, c in zip(log_probs, cp, strict=True)]
        return best(together, lengths, matrices, alpha, beta, cover=False)

    return Question(
        "q6", "rerank", 5, right, lambda rng: list(cases(rng)), lambda rng: list(cases(rng))[:1],
        mistakes={
            "the best has the highest score, not the lowest": worst,
            "candidates are counted from 0": lambda *a: (best(*a)[0] + 1, best(*a)[1]),
            "lp(n) is ((5 + n) / 6)^alpha, and not n itself": lambda x, n, w, a, b: best(x, n, w, 1.0, b, base=0.0),
            "without a length penalty the short ones win": lambda *a: best(*a, penalty=False),
            "a log-probability is negative: dividing by the penalty helps the long ones, multiplying punishes them":
                lambda *a: best(*a, divide=False),
            "coverage is missing": lambda *a: best(*a, cover=False),
            "lp(n) is ((5 + n) / 6)^alpha, and not n^alpha": lambda *a: best(*a, base=0.0),
            "only the log-probability is divided by the length penalty, not the coverage": after,
        },
    )  # fmt: skip

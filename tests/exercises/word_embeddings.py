"""Wrong answers for the chapter on word embeddings: {label: [(words of the hint, answer), ...]}."""

import numpy as np


def _s(a):
    return 1 / (1 + np.exp(-a))


def _pmi(x):
    with np.errstate(all="ignore"):
        return np.log(x * x.sum() / (x.sum(1, keepdims=True) * x.sum(0, keepdims=True)))


def _clean(table):
    return np.where(np.isfinite(table), table, 0)


def _cosine(a, b):
    size = (a @ a * (b @ b)) ** 0.5
    return a @ b / size if size else 0.0


def _softmax(z):
    q = np.exp(z - z.max())
    return q / q.sum()


def _cbow(W, C, around, middle, share=True, all_uses=True, add=False):
    h = sum(W[i] for i in around) / (1 if add else len(around))
    q = _softmax(C @ h)
    q[middle] -= 1
    dW = np.zeros_like(W)
    for i in around if all_uses else set(around):
        dW[i] += C.T @ q / (len(around) if share else 1)
    return dW


def _sgns(yes, no):
    """The three gradients with other factors, from the two probabilities of yes."""

    def gradients(w, c, n):
        y, z = yes(_s(w @ c)), no(_s(n @ w))
        return y * c + z @ n, y * w, np.outer(z, w)

    return gradients


def _by_cosine(vectors, target, out):
    order = np.argsort(-(vectors @ target) / np.linalg.norm(vectors, axis=1))
    return int(next(i for i in order if i not in out))


def _unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _scores(v, a, b, c):
    return _unit(v) @ (v[b] - v[a] + v[c])


def _zeroed(v, a, b, c):
    scores = _scores(v, a, b, c)
    scores[[a, b, c]] = 0
    return scores.argmax()


def _by_dot(vectors, a, b, c):
    order = np.argsort(-vectors @ (vectors[b] - vectors[a] + vectors[c]))
    return int(next(i for i in order if i not in (a, b, c)))


WRONG = {
    "emb-ex-bag": [
        ("this is the sum", lambda counts, W: (counts[:, None] * W).sum(0)),
        ("different ones", lambda counts, W: W.T @ counts / np.count_nonzero(counts)),
        ("size of the vocabulary", lambda counts, W: (counts[:, None] * W).mean(0)),
        ("weigh its row", lambda counts, W: np.mean([row for n, row in zip(counts, W, strict=True) if n], axis=0)),
        ("but it should be", lambda counts, W: counts),
    ],
    "emb-ex-cosine": [
        ("this is the dot product", lambda a, b: float(np.dot(a, b))),
        ("the root is missing", lambda a, b: a @ b / ((a**2).sum() * (b**2).sum()) if a.any() and b.any() else 0),
        ("not only by the first", lambda a, b: a @ b / np.sqrt(a @ a)),
        ("if either is one", lambda a, b: a @ b / np.sqrt((a @ a) * (b @ b))),
        ("if either is one", lambda a, b: _cosine(a, b) if b.any() else float("nan")),
        ("if either is one", lambda a, b: _cosine(a, b) if a.any() else float("nan")),
        ("not by their sum", lambda a, b: a @ b / ((a @ a) ** 0.5 + (b @ b) ** 0.5)),
        ("this is the angle", lambda a, b: np.arccos(min(1, _cosine(a, b)))),
        ("the correlation", lambda a, b: np.corrcoef(a, b)[0, 1]),
        ("the sign belongs", lambda a, b: abs(_cosine(a, b))),
    ],
    "emb-ex-ppmi": [
        ("these are bits", lambda x: np.maximum(_clean(_pmi(x)), 0) / np.log(2)),
        ("values below 0", lambda x: _clean(_pmi(x))),
        ("0 / 0", lambda x: np.maximum(_pmi(x), 0)),
        ("without the division", lambda x: _clean(np.log(_clean(x / x.sum(1, keepdims=True))))),
        ("absolute value", lambda x: abs(_clean(_pmi(x)))),
        ("and nan", _pmi),
        ("divides 0 by 0", lambda x: np.maximum(_clean(_pmi(x)), 0)),
        ("1 is added", lambda x: np.log(1 + _clean(x / x.sum(1, keepdims=True) / (x.sum(0) / x.sum())))),
        ("not the number of places", lambda x: np.maximum(_clean(_pmi(x)) - np.log(x.mean()), 0) * (x > 0)),
    ],
    "emb-ex-sgns": [
        ("the truth is 1", lambda w, c, n: (_s(w @ c) * c + _s(n @ w) @ n, _s(w @ c) * w, np.outer(_s(n @ w), w))),
        (
            "those of ascent",
            lambda w, c, n: (_s(-w @ c) * c - _s(n @ w) @ n, _s(-w @ c) * w, -np.outer(_s(n @ w), w)),
        ),
        (
            "pushed away",
            lambda w, c, n: (-_s(-w @ c) * c - _s(n @ w) @ n, -_s(-w @ c) * w, -np.outer(_s(n @ w), w)),
        ),
        ("nothing from the noise", lambda w, c, n: (-_s(-w @ c) * c, -_s(-w @ c) * w, np.outer(_s(n @ w), w))),
        (
            "the other vector",
            lambda w, c, n: (-_s(-w @ c) * c + _s(n @ w) @ n, -_s(-w @ c) * c, _s(n @ w)[:, None] * n),
        ),
        ("a noise word is 0", _sgns(lambda p: p - 1, lambda p: p - 1)),
        ("not of -w n", _sgns(lambda p: p - 1, lambda p: 1 - p)),
        ("derivative of the sigmoid", _sgns(lambda p: p**2 - p, lambda p: p - p**2)),
    ],
    "emb-ex-cbow": [
        ("one n-th", lambda *case: _cbow(*case, share=False)),
        ("stands twice", lambda *case: _cbow(*case, all_uses=False)),
        ("the mean of the vectors", lambda *case: _cbow(*case, add=True)),
        ("sign is wrong", lambda *case: -_cbow(*case)),
        ("not a set", lambda W, C, around, middle: _cbow(W, C, list(set(around)), middle)),
        ("this is skip-gram", lambda W, C, around, middle: sum(_cbow(W, C, [middle], i) for i in around)),
        ("a softmax of its own", lambda W, C, around, middle: sum(_cbow(W, C, [i], middle) for i in around)),
        (
            "gradient by C",
            lambda W, C, around, middle: np.outer(
                _softmax(C @ W[around].mean(0)) - np.eye(len(C))[middle], W[around].mean(0)
            ),
        ),
    ],
    "emb-ex-noise": [
        ("the sum is not 1", lambda counts, power: (counts / counts.sum()) ** power),
        ("the power is ignored", lambda counts, power: counts / sum(counts)),
        ("0 to the power 0", lambda counts, power: counts**power / (counts**power).sum()),
        ("not a factor", lambda counts, power: counts * power / counts.sum()),
        ("no distribution yet", lambda counts, power: counts**power),
        ("not by the sum of the counts", lambda counts, power: counts**power / counts.sum()),
        ("0.75 whatever", lambda counts, power: counts**0.75 / (counts**0.75).sum()),
        ("comes too late", lambda counts, power: np.where(counts > 0, counts**power / (counts**power).sum(), 0)),
    ],
    "emb-ex-analogy": [
        ("not excluded", lambda v, a, b, c: _by_cosine(v, v[b] - v[a] + v[c], ())),
        ("exchanged", lambda v, a, b, c: _by_cosine(v, v[a] - v[b] + v[c], (a, b, c))),
        ("dot product", _by_dot),
        ("nearest word to c", lambda v, a, b, c: _by_cosine(v, v[c], (a, b, c))),
        ("but it should be", lambda v, a, b, c: b),
        ("only c is excluded", lambda v, a, b, c: _by_cosine(v, v[b] - v[a] + v[c], (c,))),
        ("a is a word of the question", lambda v, a, b, c: _by_cosine(v, v[b] - v[a] + v[c], (b, c))),
        ("b is a word of the question", lambda v, a, b, c: _by_cosine(v, v[b] - v[a] + v[c], (a, c))),
        ("c is a word of the question", lambda v, a, b, c: _by_cosine(v, v[b] - v[a] + v[c], (a, b))),
        (
            "smallest distance",
            lambda v, *abc: min(
                set(range(len(v))) - set(abc), key=lambda i: np.sum((v[abc[1]] - v[abc[0]] + v[abc[2]] - v[i]) ** 2)
            ),
        ),
        (
            "before the subtraction",
            lambda v, a, b, c: _by_cosine(v, _unit(v)[b] - _unit(v)[a] + _unit(v)[c], (a, b, c)),
        ),
        ("has other ids", lambda v, *abc: np.delete(_scores(v, *abc), abc).argmax()),
        ("can be below 0", _zeroed),
    ],
    "emb-ex-optimum": [
        ("sign of ln k", lambda x, k, power: np.log(x / np.outer(x.sum(1), _q(x, power))) + np.log(k)),
        ("k is missing", lambda x, k, power: np.log(x / np.outer(x.sum(1), _q(x, power)))),
        ("power is ignored", lambda x, k, power: _pmi(x) - np.log(k)),
        ("probability of yes", lambda x, k, power: x / (x + k * np.outer(x.sum(1), _q(x, power)))),
        ("only the positive PMI", lambda x, k, power: np.maximum(np.log(x / np.outer(k * x.sum(1), _q(x, power))), 0)),
        ("not of the rows", lambda x, k, power: np.log(x / (k * x.sum(1) * _q(x.T, power))[:, None])),
        ("powers by their sum", lambda x, k, power: np.log(x / np.outer(k * x.sum(1), x.sum(0) ** power))),
        ("once more", lambda x, k, power: np.log(x / np.outer(k * x.sum(1), (x.sum(0) / x.sum()) ** power))),
        ("x_i is missing", lambda x, k, power: np.log(x / x.sum() / (k * _q(x, power)))),
    ],
}


def _q(x, power):
    return x.sum(0) ** power / (x.sum(0) ** power).sum()

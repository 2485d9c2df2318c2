"""Answers to problem set 4: for each question another right one, and wrong ones with words of the hint they must get.

{question: (right, [(words of the hint, wrong), ...])}, each the source of the student's cell.
"""

ANSWERS = {
    "q1": (
        """
def glove(X, W, C, b, c):
    loss, dW = 0.0, np.zeros(W.shape)
    for i, j in zip(*np.nonzero(X)):
        f = 1.0 if X[i, j] > {{ceiling}} else (X[i, j] / {{ceiling}}) ** {{alpha}}
        miss = W[i] @ C[j] + b[i] + c[j] - math.log(X[i, j])
        loss += f * miss * miss
        dW[i] += 2 * f * miss * C[j]
    return loss, dW
""",
        [
            ("is no number", """
def glove(X, W, C, b, c):
    f = np.minimum(1, (X / {{ceiling}}) ** {{alpha}})
    miss = W @ C.T + b[:, None] + c[None, :] - np.log(X)
    return np.sum(f * miss**2), 2 * (f * miss) @ C
"""),
            ("no logarithm and no term", """
def glove(X, W, C, b, c):
    X = np.clip(X, 1, None)
    f = np.minimum(1, (X / {{ceiling}}) ** {{alpha}})
    miss = W @ C.T + b[:, None] + c[None, :] - np.log(X)
    return np.sum(f * miss**2), 2 * (f * miss) @ C
"""),
            ("weight f(X) is missing", """
def glove(X, W, C, b, c):
    loss, dW = 0.0, np.zeros(W.shape)
    for i, j in zip(*np.nonzero(X)):
        miss = W[i] @ C[j] + b[i] + c[j] - math.log(X[i, j])
        loss += miss**2
        dW[i] += 2 * miss * C[j]
    return loss, dW
"""),
            ("does not grow beyond 1", """
def glove(X, W, C, b, c):
    loss, dW = 0.0, np.zeros(W.shape)
    for i, j in zip(*np.nonzero(X)):
        f = (X[i, j] / {{ceiling}}) ** {{alpha}}
        miss = W[i] @ C[j] + b[i] + c[j] - math.log(X[i, j])
        loss += f * miss**2
        dW[i] += 2 * f * miss * C[j]
    return loss, dW
"""),
            ("the biases b_i and c_j", """
def glove(X, W, C, b, c):
    f = np.minimum(1, (X / {{ceiling}}) ** {{alpha}})
    miss = W @ C.T - np.log(X, where=X > 0, out=np.zeros_like(X))
    return np.sum(f * miss**2), 2 * (f * miss) @ C
"""),
            ("has a factor 2", """
def glove(X, W, C, b, c):
    f = np.minimum(1, (X / {{ceiling}}) ** {{alpha}})
    miss = W @ C.T + b[:, None] + c[None, :] - np.log(X, where=X > 0, out=np.zeros_like(X))
    return np.sum(f * miss**2), (f * miss) @ C
"""),
            ("the derivative by C", """
def glove(X, W, C, b, c):
    f = np.minimum(1, (X / {{ceiling}}) ** {{alpha}})
    miss = W @ C.T + b[:, None] + c[None, :] - np.log(X, where=X > 0, out=np.zeros_like(X))
    return np.sum(f * miss**2), 2 * (f * miss).T @ W
"""),
            ("outside the square", """
def glove(X, W, C, b, c):
    f = np.minimum(1, (X / {{ceiling}}) ** {{alpha}})
    miss = W @ C.T + b[:, None] + c[None, :] - np.log(X, where=X > 0, out=np.zeros_like(X))
    return np.sum((f * miss) ** 2), 2 * (f**2 * miss) @ C
"""),
            ("not of 1 + X", """
def glove(X, W, C, b, c):
    f = np.minimum(1, (X / {{ceiling}}) ** {{alpha}})
    miss = W @ C.T + b[:, None] + c[None, :] - np.log(1 + X)
    return np.sum(f * miss**2), 2 * (f * miss) @ C
"""),
        ],
    ),
    "q2": (
        """
def align(X, Y):
    R = X.T @ Y  # to the nearest orthogonal matrix by Newton's iteration
    for _ in range(60):
        R = (R + np.linalg.inv(R).T) / 2
    return R
""",
        [
            ("may stretch", """
def align(X, Y):
    return np.linalg.inv(X.T @ X) @ X.T @ Y
"""),
            ("maps Y to X", """
def align(X, Y):
    U, s, Vt = np.linalg.svd(X.T @ Y)
    return Vt.T @ U.T
"""),
            ("singular values have to go", """
def align(X, Y):
    U, s, Vt = np.linalg.svd(X.T @ Y)
    return U @ np.diag(s) @ Vt
"""),
            ("reflections are orthogonal too", """
def align(X, Y):
    U, s, Vt = np.linalg.svd(X.T @ Y)
    if np.linalg.det(U @ Vt) < 0:
        U[:, -1] = -U[:, -1]
    return U @ Vt
"""),
            ("already transposed", """
def align(X, Y):
    U, s, V = np.linalg.svd(X.T @ Y)
    return U @ V.T
"""),
        ],
    ),
    "q3": (
        """
def local_attention(scores, centre, D):
    near = [s for s in range(len(scores)) if centre - D <= s <= centre + D]
    total = sum(math.exp(scores[s]) for s in near)
    weights = [0.0] * len(scores)
    for s in near:
        weights[s] = math.exp(scores[s] - 2 * ((s - centre) / D) ** 2) / total
    return weights
""",
        [
            ("only places at most D", """
def local_attention(scores, centre, D):
    weights = np.exp(scores) / np.exp(scores).sum()
    return weights * np.exp(-2 * ((np.arange(len(scores)) - centre) / D) ** 2)
"""),
            ("after the softmax", """
def local_attention(scores, centre, D):
    s = np.arange(len(scores))
    e = np.exp(scores * np.exp(-2 * ((s - centre) / D) ** 2)) * (abs(s - centre) <= D)
    return e / e.sum()
"""),
            ("the bell is missing", """
def local_attention(scores, centre, D):
    s = np.arange(len(scores))
    e = np.exp(scores) * (abs(s - centre) <= D)
    return e / e.sum()
"""),
            ("exactly D away", """
def local_attention(scores, centre, D):
    s = np.arange(len(scores))
    e = np.exp(scores) * (abs(s - centre) < D)
    return e / e.sum() * np.exp(-2 * ((s - centre) / D) ** 2)
"""),
            ("a negative index", """
def local_attention(scores, centre, D):
    low, high = math.ceil(centre - D), math.floor(centre + D) + 1
    weights = np.zeros(len(scores))
    weights[low:high] = np.exp(scores[low:high]) / np.exp(scores[low:high]).sum()
    return weights * np.exp(-2 * ((np.arange(len(scores)) - centre) / D) ** 2)
"""),
            ("standard deviation is D / 2", """
def local_attention(scores, centre, D):
    s = np.arange(len(scores))
    e = np.exp(scores) * (abs(s - centre) <= D)
    return e / e.sum() * np.exp(-0.5 * ((s - centre) / D) ** 2)
"""),
            ("not normalised again", """
def local_attention(scores, centre, D):
    s = np.arange(len(scores))
    e = np.exp(scores - 2 * ((s - centre) / D) ** 2) * (abs(s - centre) <= D)
    return e / e.sum()
"""),
            ("exp(0) is 1", """
def local_attention(scores, centre, D):
    s = np.arange(len(scores))
    e = np.exp(scores * (abs(s - centre) <= D))
    return e / e.sum() * np.exp(-2 * ((s - centre) / D) ** 2)
"""),
            ("do not round it", """
def local_attention(scores, centre, D):
    middle, s = int(round(centre)), np.arange(len(scores))
    low, high = max(0, middle - D), min(len(scores), middle + D + 1)
    weights = np.zeros(len(scores))
    weights[low:high] = np.exp(scores[low:high]) / np.exp(scores[low:high]).sum()
    return weights * np.exp(-2 * ((s - middle) / D) ** 2)
"""),
        ],
    ),
    "q4": (
        """
def attention_backward(q, k, v, d_out):
    dq, dk, dv = np.zeros(q.shape), np.zeros(k.shape), np.zeros(v.shape)
    root = math.sqrt(q.shape[1])
    for t in range(len(q)):
        a = np.exp(k @ q[t] / root)
        a = a / a.sum()
        jacobian = np.diag(a) - np.outer(a, a)
        by_score = jacobian @ (v @ d_out[t]) / root
        dq[t] = by_score @ k
        dk += np.outer(by_score, q[t])
        dv += np.outer(a, d_out[t])
    return dq, dk, dv
""",
        [
            ("the scale 1/sqrt(d_k) belongs", """
def attention_backward(q, k, v, d_out):
    e = np.exp(q @ k.T / np.sqrt(k.shape[1]))
    a = e / e.sum(1, keepdims=True)
    da = d_out @ v.T
    ds = a * (da - np.sum(a * da, 1, keepdims=True))
    return ds @ k, ds.T @ q, a.T @ d_out
"""),
            ("subtract the weighted mean", """
def attention_backward(q, k, v, d_out):
    e = np.exp(q @ k.T / np.sqrt(k.shape[1]))
    a = e / e.sum(1, keepdims=True)
    ds = a * (d_out @ v.T) / np.sqrt(k.shape[1])
    return ds @ k, ds.T @ q, a.T @ d_out
"""),
            ("softmax was passed over", """
def attention_backward(q, k, v, d_out):
    e = np.exp(q @ k.T / np.sqrt(k.shape[1]))
    a = e / e.sum(1, keepdims=True)
    ds = d_out @ v.T / np.sqrt(k.shape[1])
    return ds @ k, ds.T @ q, a.T @ d_out
"""),
            ("not by the scores", """
def attention_backward(q, k, v, d_out):
    scores = q @ k.T / np.sqrt(k.shape[1])
    a = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    da = d_out @ v.T
    ds = a * (da - np.sum(a * da, 1, keepdims=True)) / np.sqrt(k.shape[1])
    return ds @ k, ds.T @ q, scores.T @ d_out
"""),
            ("that of the row", """
def attention_backward(q, k, v, d_out):
    e = np.exp(q @ k.T / np.sqrt(k.shape[1]))
    a = e / e.sum(1, keepdims=True)
    da = d_out @ v.T
    ds = a * (da - np.sum(a * da, axis=0)) / np.sqrt(k.shape[1])
    return ds @ k, ds.T @ q, a.T @ d_out
"""),
            ("square root of d_k", """
def attention_backward(q, k, v, d_out):
    e = np.exp(q @ k.T / np.sqrt(k.shape[1]))
    a = e / e.sum(1, keepdims=True)
    da = d_out @ v.T
    ds = a * (da - np.sum(a * da, 1, keepdims=True)) / k.shape[1]
    return ds @ k, ds.T @ q, a.T @ d_out
"""),
            ("only the diagonal", """
def attention_backward(q, k, v, d_out):
    e = np.exp(q @ k.T / np.sqrt(k.shape[1]))
    a = e / e.sum(1, keepdims=True)
    ds = (d_out @ v.T) * a * (1 - a) / np.sqrt(k.shape[1])
    return ds @ k, ds.T @ q, a.T @ d_out
"""),
        ],
    ),
    "q5": (
        """
def coverage(weights, beta):
    cp = 0.0
    for column in np.transpose(weights):
        cp += min(math.log(sum(column)), 0.0)
    return beta * cp
""",
        [
            ("over the target words", """
def coverage(weights, beta):
    return beta * sum(math.log(min(sum(row), 1)) for row in weights)
"""),
            ("earns nothing extra", """
def coverage(weights, beta):
    return beta * sum(math.log(sum(column)) for column in weights.T)
"""),
            ("zero at best, else negative", """
def coverage(weights, beta):
    return -beta * sum(math.log(min(sum(column), 1)) for column in weights.T)
"""),
            ("not the mean", """
def coverage(weights, beta):
    return beta * np.mean(np.log(weights.sum(axis=0).clip(max=1)))
"""),
            ("beta is missing", """
def coverage(weights, beta):
    return np.sum(np.log(weights.sum(axis=0).clip(max=1)))
"""),
        ],
    ),
    "q6": (
        """
def rerank(log_probs, lengths, matrices, alpha, beta):
    best, best_score = None, -math.inf
    for i, (p, n) in enumerate(zip(log_probs, lengths)):
        covered = np.minimum(matrices[i].sum(axis=0), 1)
        score = p * (6 / (5 + n)) ** alpha + beta * math.log(np.prod(covered))
        if score > best_score:
            best, best_score = i, score
    return best, best_score
""",
        [
            ("without a length penalty", """
def rerank(log_probs, lengths, matrices, alpha, beta):
    s = [p + beta * np.log(np.minimum(w.sum(0), 1)).sum() for p, w in zip(log_probs, matrices)]
    return np.argmax(s), max(s)
"""),
            ("helps the long ones", """
def rerank(log_probs, lengths, matrices, alpha, beta):
    cp = np.array([beta * np.log(np.minimum(w.sum(0), 1)).sum() for w in matrices])
    s = np.array(log_probs) * ((5 + np.array(lengths)) / 6) ** alpha + cp
    return s.argmax(), s.max()
"""),
            ("coverage is missing", """
def rerank(log_probs, lengths, matrices, alpha, beta):
    s = np.array(log_probs) / ((5 + np.array(lengths)) / 6) ** alpha
    return s.argmax(), s.max()
"""),
            ("and not n^alpha", """
def rerank(log_probs, lengths, matrices, alpha, beta):
    cp = np.array([beta * np.log(np.minimum(w.sum(0), 1)).sum() for w in matrices])
    s = np.array(log_probs) / np.array(lengths) ** alpha + cp
    return s.argmax(), s.max()
"""),
            ("and not n itself", """
def rerank(log_probs, lengths, matrices, alpha, beta):
    cp = np.array([beta * np.log(np.minimum(w.sum(0), 1)).sum() for w in matrices])
    s = np.array(log_probs) / lengths + cp
    return s.argmax(), s.max()
"""),
            ("only the log-probability is divided", """
def rerank(log_probs, lengths, matrices, alpha, beta):
    cp = np.array([beta * np.log(np.minimum(w.sum(0), 1)).sum() for w in matrices])
    s = (np.array(log_probs) + cp) / ((5 + np.array(lengths)) / 6) ** alpha
    return s.argmax(), s.max()
"""),
            ("not the lowest", """
def rerank(log_probs, lengths, matrices, alpha, beta):
    cp = np.array([beta * np.log(np.minimum(w.sum(0), 1)).sum() for w in matrices])
    s = np.array(log_probs) / ((5 + np.array(lengths)) / 6) ** alpha + cp
    return s.argmin(), s.min()
"""),
            ("counted from 0", """
def rerank(log_probs, lengths, matrices, alpha, beta):
    cp = np.array([beta * np.log(np.minimum(w.sum(0), 1)).sum() for w in matrices])
    s = np.array(log_probs) / ((5 + np.array(lengths)) / 6) ** alpha + cp
    return s.argmax() + 1, s.max()
"""),
        ],
    ),
}  # fmt: skip

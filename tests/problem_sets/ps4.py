"""Answers to problem set 4: for each question another right one, and wrong ones with words of the hint they must get.

{question: (right, [(words of the hint, wrong), ...])}, each the source of the student's cell. Many of the
wrong ones are a right one with a line or two changed.
"""

from tests.problem_sets import changed

GLOVE = """
def glove(X, W, C, a, b):
    f = np.minimum(1, (X / {{ceiling}}) ** {{alpha}})
    miss = W @ C.T + a[:, None] + b[None, :] - np.log(X, where=X > 0, out=np.zeros_like(X))
    return np.sum(f * miss**2), 2 * (f * miss) @ C
"""

LOCAL_ATTENTION = """
def local_attention(scores, centre, D):
    s = np.arange(len(scores))
    e = np.exp(scores) * (abs(s - centre) <= D)
    return e / e.sum() * np.exp(-2 * ((s - centre) / D) ** 2)
"""

RERANK = """
def rerank(log_probs, lengths, penalties, rho):
    s = np.array(log_probs) / ((5 + np.array(lengths)) / 6) ** rho + penalties
    return s.argmax(), s.max()
"""

ANSWERS = {
    "q1": (
        """
def glove(X, W, C, a, b):
    loss, dW = 0.0, np.zeros(W.shape)
    for i, j in zip(*np.nonzero(X)):
        f = 1.0 if X[i, j] > {{ceiling}} else (X[i, j] / {{ceiling}}) ** {{alpha}}
        miss = W[i] @ C[j] + a[i] + b[j] - math.log(X[i, j])
        loss += f * miss * miss
        dW[i] += 2 * f * miss * C[j]
    return loss, dW
""",
        [
            ("is no number", changed(GLOVE, ("X, where=X > 0, out=np.zeros_like(X)", "X"))),
            ("no logarithm and no term", """
def glove(X, W, C, a, b):
    X = np.clip(X, 1, None)
    f = np.minimum(1, (X / {{ceiling}}) ** {{alpha}})
    miss = W @ C.T + a[:, None] + b[None, :] - np.log(X)
    return np.sum(f * miss**2), 2 * (f * miss) @ C
"""),
            ("weight f(X) is missing", """
def glove(X, W, C, a, b):
    loss, dW = 0.0, np.zeros(W.shape)
    for i, j in zip(*np.nonzero(X)):
        miss = W[i] @ C[j] + a[i] + b[j] - math.log(X[i, j])
        loss += miss**2
        dW[i] += 2 * miss * C[j]
    return loss, dW
"""),
            ("does not grow beyond 1", """
def glove(X, W, C, a, b):
    loss, dW = 0.0, np.zeros(W.shape)
    for i, j in zip(*np.nonzero(X)):
        f = (X[i, j] / {{ceiling}}) ** {{alpha}}
        miss = W[i] @ C[j] + a[i] + b[j] - math.log(X[i, j])
        loss += f * miss**2
        dW[i] += 2 * f * miss * C[j]
    return loss, dW
"""),
            ("the biases a_i and b_j", changed(GLOVE, ("+ a[:, None] + b[None, :] ", ""))),
            ("has a factor 2", changed(GLOVE, (", 2 * (", ", ("))),
            ("the derivative by C", changed(GLOVE, ("miss) @ C", "miss).T @ W"))),
            ("outside the square", changed(GLOVE, ("f * miss**2), 2 * (f", "(f * miss) ** 2), 2 * (f**2"))),
            ("not of 1 + X", changed(GLOVE, ("X, where=X > 0, out=np.zeros_like(X)", "1 + X"))),
            ("in the derivative too", """
def glove(X, W, C, a, b):
    loss, dW = 0.0, np.zeros(W.shape)
    for i, j in zip(*np.nonzero(X)):
        miss = W[i] @ C[j] + a[i] + b[j] - math.log(X[i, j])
        loss += min(1, (X[i, j] / {{ceiling}}) ** {{alpha}}) * miss**2
        dW[i] += 2 * miss * C[j]
    return loss, dW
"""),
            ("a_i belongs to the word", changed(GLOVE, (":, None] + b[None, :", "None, :] + b[:, None"))),
            ("the wrong sign", """
def glove(X, W, C, a, b):
    f = np.minimum(1, (X / {{ceiling}}) ** {{alpha}})
    miss = np.log(X, where=X > 0, out=np.zeros_like(X)) - W @ C.T - a[:, None] - b[None, :]
    return np.sum(f * miss**2), 2 * (f * miss) @ C
"""),
        ],
    ),
    "q2": (
        """
def align(X, Y, g):
    R = X.T @ np.diag(g) @ Y  # to the nearest orthogonal matrix by Newton's iteration
    for _ in range(60):
        R = (R + np.linalg.inv(R).T) / 2
    return R
""",
        [
            ("do not count alike", """
def align(X, Y, g):
    U, s, Zt = np.linalg.svd(X.T @ Y)
    return U @ Zt
"""),
            ("not at both vectors", """
def align(X, Y, g):
    X, Y = g[:, None] * X, g[:, None] * Y
    U, s, Zt = np.linalg.svd(X.T @ Y)
    return U @ Zt
"""),
            ("its root belongs at both", """
def align(X, Y, g):
    U, s, Zt = np.linalg.svd((np.sqrt(g)[:, None] * X).T @ Y)
    return U @ Zt
"""),
            ("must be orthogonal, and the pairs have weights", """
def align(X, Y, g):
    return np.linalg.inv(X.T @ X) @ X.T @ Y
"""),
            ("must be orthogonal", """
def align(X, Y, g):
    root = np.sqrt(g)[:, None]
    return np.linalg.lstsq(root * X, root * Y, rcond=None)[0]
"""),
            ("maps Y to X", """
def align(X, Y, g):
    U, s, Zt = np.linalg.svd(X.T @ np.diag(g) @ Y)
    return Zt.T @ U.T
"""),
            ("singular values have to go", """
def align(X, Y, g):
    U, s, Zt = np.linalg.svd(X.T @ np.diag(g) @ Y)
    return U @ np.diag(s) @ Zt
"""),
            ("reflections are orthogonal too", """
def align(X, Y, g):
    U, s, Zt = np.linalg.svd(X.T @ np.diag(g) @ Y)
    if np.linalg.det(U @ Zt) < 0:
        U[:, -1] = -U[:, -1]
    return U @ Zt
"""),
            ("already transposed", """
def align(X, Y, g):
    U, s, Z = np.linalg.svd(X.T @ np.diag(g) @ Y)
    return U @ Z.T
"""),
            ("there is no shift", """
def align(X, Y, g):
    U, s, Zt = np.linalg.svd((X - X.mean(0)).T @ np.diag(g) @ (Y - Y.mean(0)))
    return U @ Zt
"""),
            ("not at the weighted mean", """
def align(X, Y, g):
    X = X - np.average(X, axis=0, weights=g)
    Y = Y - np.average(Y, axis=0, weights=g)
    U, s, Zt = np.linalg.svd(X.T @ np.diag(g) @ Y)
    return U @ Zt
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
            ("no weight at all", """
def local_attention(scores, centre, D):
    weights = np.exp(scores) / np.exp(scores).sum()
    return weights * np.exp(-2 * ((np.arange(len(scores)) - centre) / D) ** 2)
"""),
            ("cut the window before it", changed(
                LOCAL_ATTENTION,
                ("e = np.exp(scores", "weights = np.exp(scores) / np.exp(scores).sum("),
                ("e / e.sum()", "weights"))),
            ("after the softmax", changed(
                LOCAL_ATTENTION,
                ("np.exp(scores)", "np.exp(scores * np.exp(-2 * ((s - centre) / D) ** 2))"),
                (") * np.exp(-2 * ((s - centre) / D) ** 2)", ")"))),
            ("the bell is missing", changed(LOCAL_ATTENTION, (" * np.exp(-2 * ((s - centre) / D) ** 2)", ""))),
            ("exactly D away", changed(LOCAL_ATTENTION, (") <= D)", ") < D)"))),
            ("a negative index", """
def local_attention(scores, centre, D):
    low, high = math.ceil(centre - D), math.floor(centre + D) + 1
    weights = np.zeros(len(scores))
    weights[low:high] = np.exp(scores[low:high]) / np.exp(scores[low:high]).sum()
    return weights * np.exp(-2 * ((np.arange(len(scores)) - centre) / D) ** 2)
"""),
            ("standard deviation is D / 2", changed(LOCAL_ATTENTION, ("np.exp(-2 *", "np.exp(-0.5 *"))),
            ("not normalised again", changed(
                LOCAL_ATTENTION,
                ("np.exp(scores)", "np.exp(scores - 2 * ((s - centre) / D) ** 2)"),
                (" * np.exp(-2 * ((s - centre) / D) ** 2)", ""))),
            ("exp(0) is 1", changed(
                LOCAL_ATTENTION, ("scores) * (abs(s - centre) <= D", "scores * (abs(s - centre) <= D)"))),
            ("do not round it", """
def local_attention(scores, centre, D):
    middle, s = int(round(centre)), np.arange(len(scores))
    low, high = max(0, middle - D), min(len(scores), middle + D + 1)
    weights = np.zeros(len(scores))
    weights[low:high] = np.exp(scores[low:high]) / np.exp(scores[low:high]).sum()
    return weights * np.exp(-2 * ((s - middle) / D) ** 2)
"""),
            ("do not cut off its decimals", changed(
                LOCAL_ATTENTION,
                ("  s = np.arange", "  p, s = int(centre), np.arange"),
                (" - centre) <", " - p) <"),
                (" centre)", " p)"))),
            ("not by sigma^2", changed(LOCAL_ATTENTION, ("2 * ((s - centre) / D", "((s - centre) ** 2) / (D / 2"))),
            ("no factor before it", """
def local_attention(scores, centre, D):
    s, sigma = np.arange(len(scores)), D / 2
    e = np.exp(scores) * (abs(s - centre) <= D)
    bell = np.exp(-((s - centre) ** 2) / (2 * sigma**2)) / (sigma * math.sqrt(2 * math.pi))
    return e / e.sum() * bell
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
            ("forwards and backwards", """
def attention_backward(q, k, v, d_out):
    a = np.exp(q @ k.T)
    a = a / a.sum(1, keepdims=True)
    da = d_out @ v.T
    ds = a * (da - np.sum(a * da, 1, keepdims=True))
    return ds @ k, ds.T @ q, a.T @ d_out
"""),
            ("weights of each query add up to 1", """
def attention_backward(q, k, v, d_out):
    e = np.exp(q @ k.T / np.sqrt(k.shape[1]))
    a = e / e.sum(0)
    da = d_out @ v.T
    ds = a * (da - np.sum(a * da, axis=0)) / np.sqrt(k.shape[1])
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
            ("not the largest", """
def coverage(weights, beta):
    return beta * sum(math.log(min(max(column), 1)) for column in weights.T)
"""),
            ("its own logarithm", """
def coverage(weights, beta):
    return beta * math.log(sum(min(sum(column), 1) for column in weights.T))
"""),
        ],
    ),
    "q6": (
        """
def rerank(log_probs, lengths, penalties, rho):
    best, best_score = None, -math.inf
    for i, (p, n, cp) in enumerate(zip(log_probs, lengths, penalties)):
        score = p * (6 / (5 + n)) ** rho + cp
        if score > best_score:
            best, best_score = i, score
    return best, best_score
""",
        [
            ("without a length penalty", """
def rerank(log_probs, lengths, penalties, rho):
    s = [p + cp for p, cp in zip(log_probs, penalties)]
    return np.argmax(s), max(s)
"""),
            ("helps the long ones", changed(RERANK, ("log_probs) / (", "log_probs) * ("))),
            ("coverage is missing", changed(RERANK, ("rho + penalties", "rho"))),
            ("add it", changed(RERANK, ("rho + penalties", "rho - penalties"))),
            ("and not n^rho", changed(RERANK, ("((5 + np.array(lengths)) / 6", "np.array(lengths"))),
            ("and not n itself", changed(RERANK, ("((5 + np.array(lengths)) / 6) ** rho", "lengths"))),
            ("6 included", changed(RERANK, ("/ 6) ** rho", "** rho / 6)"))),
            ("only the log-probability is divided", """
def rerank(log_probs, lengths, penalties, rho):
    s = (np.array(log_probs) + penalties) / ((5 + np.array(lengths)) / 6) ** rho
    return s.argmax(), s.max()
"""),
            ("not the lowest", changed(RERANK, ("s.argmax(), s.max", "s.argmin(), s.min"))),
            ("choose by the score", """
def rerank(log_probs, lengths, penalties, rho):
    i = max(range(len(lengths)), key=lambda i: log_probs[i])
    return i, log_probs[i] / ((5 + lengths[i]) / 6) ** rho + penalties[i]
"""),
            ("counted from 0", changed(RERANK, ("s.argmax(), ", "s.argmax() + 1, "))),
        ],
    ),
}  # fmt: skip

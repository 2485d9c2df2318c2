"""Answers to problem set 5: for each question another right one, and wrong ones with words of the hint they must get.

{question: (right, [(words of the hint, wrong), ...])}, each the source of the student's cell.
"""

ANSWERS = {
    "q1": (
        """
def fold(gamma, beta, W, b):
    return W @ np.diag(gamma), b + np.array([row @ beta for row in W])
""",
        [
            ("columns of W", """
def fold(gamma, beta, W, b):
    new = np.array([g * row for g, row in zip(gamma, W)])
    return new, W @ beta + b
"""),
            ("beta passes through", """
def fold(gamma, beta, W, b):
    return W @ np.diag(gamma), beta + b
"""),
            ("beta changes the bias", """
def fold(gamma, beta, W, b):
    return W @ np.diag(gamma), b
"""),
            ("gamma does not scale it", """
def fold(gamma, beta, W, b):
    folded = W @ np.diag(gamma)
    return folded, folded @ beta + b
"""),
            ("not W^T beta", """
def fold(gamma, beta, W, b):
    return gamma * W, beta @ W + b
"""),
            ("a bias of its own", """
def fold(gamma, beta, W, b):
    return gamma * W, beta @ W.T
"""),
        ],
    ),
    "q2": (
        """
def alibi(q, k):
    N, T, K = q.shape
    weights = np.zeros((N, T, T))
    for n in range(N):
        slope = 2 ** (-8 * (n + 1) / N)
        for t in range(T):
            score = k[n, : t + 1] @ q[n, t] / np.sqrt(K) - slope * np.arange(t, -1, -1)
            e = np.exp(score - score.max())
            weights[n, t, : t + 1] = e / e.sum()
    return weights
""",
        [
            ("counted from 1", """
def alibi(q, k):
    N, T, K = q.shape
    weights = np.zeros((N, T, T))
    for h in range(1, N + 1):
        for t in range(T):
            e = np.array([q[h - 1, t] @ k[h - 1, s] / K**0.5 - 2 ** (-8 * (h - 1) / N) * (t - s) for s in range(t + 1)])
            weights[h - 1, t, :t + 1] = np.exp(e) / np.exp(e).sum()
    return weights
"""),
            ("what is far away loses", """
def alibi(q, k):
    N, T, K = q.shape
    weights = np.zeros((N, T, T))
    for h in range(1, N + 1):
        for t in range(T):
            e = np.array([q[h - 1, t] @ k[h - 1, s] / K**0.5 + 2 ** (-8 * h / N) * (t - s) for s in range(t + 1)])
            weights[h - 1, t, :t + 1] = np.exp(e) / np.exp(e).sum()
    return weights
"""),
            ("nothing later", """
def alibi(q, k):
    N, T, K = q.shape
    weights = np.zeros((N, T, T))
    for h in range(1, N + 1):
        for t in range(T):
            e = np.array([q[h - 1, t] @ k[h - 1, s] / K**0.5 - 2 ** (-8 * h / N) * abs(t - s) for s in range(T)])
            weights[h - 1, t, :T] = np.exp(e) / np.exp(e).sum()
    return weights
"""),
            ("the penalty a reward", """
def alibi(q, k):
    N, T, K = q.shape
    weights = np.zeros((N, T, T))
    for h in range(1, N + 1):
        for t in range(T):
            e = np.array([q[h - 1, t] @ k[h - 1, s] / K**0.5 - 2 ** (-8 * h / N) * (t - s) for s in range(T)])
            weights[h - 1, t, :T] = np.exp(e) / np.exp(e).sum()
    return weights
"""),
            ("number of heads", """
def alibi(q, k):
    N, T, K = q.shape
    weights = np.zeros((N, T, T))
    for h in range(1, N + 1):
        for t in range(T):
            e = np.array([q[h - 1, t] @ k[h - 1, s] / K**0.5 - 2 ** (-8.0 * h) * (t - s) for s in range(t + 1)])
            weights[h - 1, t, :t + 1] = np.exp(e) / np.exp(e).sum()
    return weights
"""),
            ("before the softmax", """
def alibi(q, k):
    N, T, K = q.shape
    weights = np.zeros((N, T, T))
    for h in range(N):
        for t in range(T):
            e = np.exp(k[h, : t + 1] @ q[h, t] / np.sqrt(K))
            weights[h, t, : t + 1] = e / e.sum() - 2 ** (-8 * (h + 1) / N) * (t - np.arange(t + 1))
    return weights
"""),
            ("divided by sqrt(K)", """
def alibi(q, k):
    N, T, K = q.shape
    weights = np.zeros((N, T, T))
    for h in range(1, N + 1):
        for t in range(T):
            e = np.array([q[h - 1, t] @ k[h - 1, s] - 2 ** (-8 * h / N) * (t - s) for s in range(t + 1)])
            weights[h - 1, t, :t + 1] = np.exp(e) / np.exp(e).sum()
    return weights
"""),
        ],
    ),
    "q3": (
        """
def grouped(q, k, v):
    N, T, K = q.shape
    out = np.zeros((N, T, K))
    for n in range(N):
        g = n // (N // len(k))
        for t in range(T):
            e = np.exp(k[g, : t + 1] @ q[n, t] / np.sqrt(K))
            out[n, t] = e @ v[g, : t + 1] / e.sum()
    return out
""",
        [
            ("neighbouring heads", """
def grouped(q, k, v):
    N, T, K = q.shape
    k, v = (np.tile(x, (N // len(x), 1, 1)) for x in (k, v))
    e = np.exp(np.einsum("ntk,nsk->nts", q, k) / K**0.5) * np.tri(T)
    return np.einsum("nts,nsk->ntk", e / e.sum(2, keepdims=True), v)
"""),
            ("look ahead", """
def grouped(q, k, v):
    N, T, K = q.shape
    k, v = k.repeat(N // len(k), 0), v.repeat(N // len(v), 0)
    e = np.exp(np.einsum("ntk,nsk->nts", q, k) / K**0.5)
    return np.einsum("nts,nsk->ntk", e / e.sum(2, keepdims=True), v)
"""),
            ("divide the scores", """
def grouped(q, k, v):
    N, T, K = q.shape
    k, v = k.repeat(N // len(k), 0), v.repeat(N // len(v), 0)
    e = np.exp(np.einsum("ntk,nsk->nts", q, k)) * np.tri(T)
    return np.einsum("nts,nsk->ntk", e / e.sum(2, keepdims=True), v)
"""),
            ("of one head", """
def grouped(q, k, v):
    N, T, K = q.shape
    k, v = k.repeat(N // len(k), 0), v.repeat(N // len(v), 0)
    e = np.exp(np.einsum("ntk,nsk->nts", q, k) / (N * K) ** 0.5) * np.tri(T)
    return np.einsum("nts,nsk->ntk", e / e.sum(2, keepdims=True), v)
"""),
            ("keys and values of their own", """
def grouped(q, k, v):
    N, T, K = q.shape
    k, v = ([sum(x) / len(x)] * N for x in (k, v))
    e = np.exp(np.einsum("ntk,nsk->nts", q, k) / K**0.5) * np.tri(T)
    return np.einsum("nts,nsk->ntk", e / e.sum(2, keepdims=True), v)
"""),
            ("first group's", """
def grouped(q, k, v):
    N, T, K = q.shape
    k, v = [k[0]] * N, [v[0]] * N
    e = np.exp(np.einsum("ntk,nsk->nts", q, k) / K**0.5) * np.tri(T)
    return np.einsum("nts,nsk->ntk", e / e.sum(2, keepdims=True), v)
"""),
        ],
    ),
    "q4": (
        """
def rotary_scores(q, k, base):
    T, K = q.shape
    turn = np.exp(1j * np.outer(np.arange(T), base ** (-2 * np.arange(K // 2) / K)))
    a, b = (turn * (x[:, : K // 2] + 1j * x[:, K // 2 :]) for x in (q, k))
    return (a @ b.conj().T).real
""",
        [
            ("not its neighbour", """
def rotary_scores(q, k, base):
    T, K = q.shape

    def turn(x):
        new = np.zeros((T, K))
        for t in range(T):
            for i in range(K // 2):
                angle = t * base ** (-2 * i / K)
                one, two = 2 * i, 2 * i + 1
                new[t, one] = x[t, one] * np.cos(angle) - x[t, two] * np.sin(angle)
                new[t, two] = x[t, one] * np.sin(angle) + x[t, two] * np.cos(angle)
        return new

    return turn(q) @ turn(k).T
"""),
            ("turn the same way", """
def rotary_scores(q, k, base):
    T, K = q.shape
    turn = np.exp(1j * np.outer(np.arange(T), base ** (-2 * np.arange(K // 2) / K)))
    a, b = (turn * (x[:, : K // 2] + 1j * x[:, K // 2 :]) for x in (q, k.copy()))
    b = b / turn**2
    return (a @ b.conj().T).real
"""),
            ("keys turn as well", """
def rotary_scores(q, k, base):
    T, K = q.shape

    def turn(x):
        new = np.zeros((T, K))
        for t in range(T):
            for i in range(K // 2):
                angle = t * base ** (-2 * i / K)
                one, two = i, i + K // 2
                new[t, one] = x[t, one] * np.cos(angle) - x[t, two] * np.sin(angle)
                new[t, two] = x[t, one] * np.sin(angle) + x[t, two] * np.cos(angle)
        return new

    return turn(q) @ k.T
"""),
            ("has the frequency", """
def rotary_scores(q, k, base):
    T, K = q.shape

    def turn(x):
        new = np.zeros((T, K))
        for t in range(T):
            for i in range(K // 2):
                angle = t * base ** (-i / K)
                one, two = i, i + K // 2
                new[t, one] = x[t, one] * np.cos(angle) - x[t, two] * np.sin(angle)
                new[t, two] = x[t, one] * np.sin(angle) + x[t, two] * np.cos(angle)
        return new

    return turn(q) @ turn(k).T
"""),
            ("the base is an argument", """
def rotary_scores(q, k, base):
    T, K = q.shape

    def turn(x):
        new = np.zeros((T, K))
        for t in range(T):
            for i in range(K // 2):
                angle = t * 10_000 ** (-2 * i / K)
                one, two = i, i + K // 2
                new[t, one] = x[t, one] * np.cos(angle) - x[t, two] * np.sin(angle)
                new[t, two] = x[t, one] * np.sin(angle) + x[t, two] * np.cos(angle)
        return new

    return turn(q) @ turn(k).T
"""),
            ("without the scale", """
def rotary_scores(q, k, base):
    T, K = q.shape

    def turn(x):
        new = np.zeros((T, K))
        for t in range(T):
            for i in range(K // 2):
                angle = t * base ** (-2 * i / K)
                one, two = i, i + K // 2
                new[t, one] = x[t, one] * np.cos(angle) - x[t, two] * np.sin(angle)
                new[t, two] = x[t, one] * np.sin(angle) + x[t, two] * np.cos(angle)
        return new

    return turn(q) @ turn(k).T / K**0.5
"""),
        ],
    ),
    "q5": (
        """
def block(x, p, heads):
    def rms(x, g):
        return g * x / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + 1e-6)

    T, D = x.shape
    y = rms(x, p["g1"])
    mixed = np.zeros((T, D))
    for part in np.split(np.arange(D), heads):
        q, k, v = ((y @ p[name].T)[:, part] for name in ("W_q", "W_k", "W_v"))
        e = np.tril(np.exp(q @ k.T / np.sqrt(len(part))))
        mixed[:, part] = e @ v / e.sum(1)[:, None]
    x = x + mixed @ p["W_o"].T
    y = rms(x, p["g2"])
    a = y @ p["W_1"].T
    return x + (a / (1 + np.exp(-a)) * (y @ p["W_3"].T)) @ p["W_2"].T
""",
        [
            ("the norm stands before", """
def rms(x, g):
    return g * x / np.sqrt((x**2).mean(1)[:, None] + 1e-6)


def block(x, p, heads):
    T, D = x.shape
    K = D // heads
    y = x
    heads_out = []
    for i in range(heads):
        q, k, v = (y @ p[n][i * K : (i + 1) * K].T for n in ("W_q", "W_k", "W_v"))
        e = np.exp(q @ k.T / K**0.5) * np.tri(T)
        heads_out.append(e / e.sum(1, keepdims=True) @ v)
    z = x + np.concatenate(heads_out, axis=1) @ p["W_o"].T
    y = z = rms(z, p["g1"])
    a, c = y @ p["W_1"].T, y @ p["W_3"].T
    return rms(z + (a * c / (1 + np.exp(-a))) @ p["W_2"].T, p["g2"])
"""),
            ("has its part too", """
def rms(x, g):
    return g * x / np.sqrt((x**2).mean(1)[:, None] + 1e-6)


def block(x, p, heads):
    T, D = x.shape
    K = D // heads
    y = rms(x, p["g1"])
    heads_out = []
    for i in range(heads):
        q, k, v = (y @ p[n][i * K : (i + 1) * K].T for n in ("W_q", "W_k", "W_v"))
        e = np.exp(q @ k.T / K**0.5) * np.tri(T)
        heads_out.append(e / e.sum(1, keepdims=True) @ v)
    z = x + np.concatenate(heads_out, axis=1) @ p["W_o"].T
    y = rms(z, p["g2"])
    a, c = y @ p["W_1"].T, y @ p["W_3"].T
    return z + (a / (1 + np.exp(-a))) @ p["W_2"].T
"""),
            ("a plain factor", """
def rms(x, g):
    return g * x / np.sqrt((x**2).mean(1)[:, None] + 1e-6)


def block(x, p, heads):
    T, D = x.shape
    K = D // heads
    y = rms(x, p["g1"])
    heads_out = []
    for i in range(heads):
        q, k, v = (y @ p[n][i * K : (i + 1) * K].T for n in ("W_q", "W_k", "W_v"))
        e = np.exp(q @ k.T / K**0.5) * np.tri(T)
        heads_out.append(e / e.sum(1, keepdims=True) @ v)
    z = x + np.concatenate(heads_out, axis=1) @ p["W_o"].T
    y = rms(z, p["g2"])
    a, c = y @ p["W_1"].T, y @ p["W_3"].T
    return z + (a * c / (1 + np.exp(-c))) @ p["W_2"].T
"""),
            ("not the x that came in", """
def rms(x, g):
    return g * x / np.sqrt((x**2).mean(1)[:, None] + 1e-6)


def block(x, p, heads):
    T, D = x.shape
    K = D // heads
    y = rms(x, p["g1"])
    heads_out = []
    for i in range(heads):
        q, k, v = (y @ p[n][i * K : (i + 1) * K].T for n in ("W_q", "W_k", "W_v"))
        e = np.exp(q @ k.T / K**0.5) * np.tri(T)
        heads_out.append(e / e.sum(1, keepdims=True) @ v)
    z = x + np.concatenate(heads_out, axis=1) @ p["W_o"].T
    y = rms(x, p["g2"])
    a, c = y @ p["W_1"].T, y @ p["W_3"].T
    return z + (a * c / (1 + np.exp(-a))) @ p["W_2"].T
"""),
            ("no place looks ahead", """
def rms(x, g):
    return g * x / np.sqrt((x**2).mean(1)[:, None] + 1e-6)


def block(x, p, heads):
    T, D = x.shape
    K = D // heads
    y = rms(x, p["g1"])
    heads_out = []
    for i in range(heads):
        q, k, v = (y @ p[n][i * K : (i + 1) * K].T for n in ("W_q", "W_k", "W_v"))
        e = np.exp(q @ k.T / K**0.5)
        heads_out.append(e / e.sum(1, keepdims=True) @ v)
    z = x + np.concatenate(heads_out, axis=1) @ p["W_o"].T
    y = rms(z, p["g2"])
    a, c = y @ p["W_1"].T, y @ p["W_3"].T
    return z + (a * c / (1 + np.exp(-a))) @ p["W_2"].T
"""),
            ("added to what came in", """
def rms(x, g):
    return g * x / np.sqrt((x**2).mean(1)[:, None] + 1e-6)


def block(x, p, heads):
    T, D = x.shape
    K = D // heads
    y = rms(x, p["g1"])
    heads_out = []
    for i in range(heads):
        q, k, v = (y @ p[n][i * K : (i + 1) * K].T for n in ("W_q", "W_k", "W_v"))
        e = np.exp(q @ k.T / K**0.5) * np.tri(T)
        heads_out.append(e / e.sum(1, keepdims=True) @ v)
    z = x + np.concatenate(heads_out, axis=1) @ p["W_o"].T
    y = rms(z, p["g2"])
    a, c = y @ p["W_1"].T, y @ p["W_3"].T
    return (a * c / (1 + np.exp(-a))) @ p["W_2"].T
"""),
            ("does not subtract the mean", """
def rms(x, g):
    return g * (x - x.mean(1)[:, None]) / np.sqrt(x.var(1)[:, None] + 1e-6)


def block(x, p, heads):
    T, D = x.shape
    K = D // heads
    y = rms(x, p["g1"])
    heads_out = []
    for i in range(heads):
        q, k, v = (y @ p[n][i * K : (i + 1) * K].T for n in ("W_q", "W_k", "W_v"))
        e = np.exp(q @ k.T / K**0.5) * np.tri(T)
        heads_out.append(e / e.sum(1, keepdims=True) @ v)
    z = x + np.concatenate(heads_out, axis=1) @ p["W_o"].T
    y = rms(z, p["g2"])
    a, c = y @ p["W_1"].T, y @ p["W_3"].T
    return z + (a * c / (1 + np.exp(-a))) @ p["W_2"].T
"""),
            ("side by side", """
def rms(x, g):
    return g * x / np.sqrt((x**2).mean(1)[:, None] + 1e-6)


def block(x, p, heads):
    T, D = x.shape
    K = D // heads
    y = rms(x, p["g1"])
    heads_out = []
    for i in range(heads):
        q, k, v = (y @ p[n][i * K : (i + 1) * K].T for n in ("W_q", "W_k", "W_v"))
        e = np.exp(q @ k.T / K**0.5) * np.tri(T)
        heads_out.append(e / e.sum(1, keepdims=True) @ v)
    z = x + np.array(heads_out).reshape(T, D) @ p["W_o"].T
    y = rms(z, p["g2"])
    a, c = y @ p["W_1"].T, y @ p["W_3"].T
    return z + (a * c / (1 + np.exp(-a))) @ p["W_2"].T
"""),
        ],
    ),
    "q6": (
        """
def reach(layers, width, t):
    seen = t
    for _ in range(layers):
        seen = max(seen - width + 1, 0)
    return t - seen
""",
        [
            ("the window holds the place itself", """
def reach(layers, width, t):
    first = t
    for _ in range(layers):
        first -= width
    return t - max(first, 0)
"""),
            ("the layers add up", """
def reach(layers, width, t):
    return width - 1 if t >= width - 1 else t
"""),
            ("do not multiply", """
def reach(layers, width, t):
    far = 1
    for _ in range(layers):
        far *= width - 1
    return min(far, t)
"""),
            ("nothing before the first", """
def reach(layers, width, t):
    return sum(width - 1 for _ in range(layers))
"""),
            ("count the steps", """
def reach(layers, width, t):
    seen = {t}
    for _ in range(layers):
        seen = {s - i for s in seen for i in range(width) if s >= i}
    return len(seen)
"""),
        ],
    ),
}  # fmt: skip

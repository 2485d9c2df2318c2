"""Answers to problem set 5: for each question another right one, and wrong ones with words of the hint they must get.

{question: (right, [(words of the hint, wrong), ...])}, each the source of the student's cell. Most of the wrong ones
are the right one with a line or two changed.
"""

from tests.problem_sets import changed

ALIBI = """
def alibi(q, k):
    N, T, K = q.shape
    weights = np.zeros((N, T, T))
    for h in range(1, N + 1):
        slope = 2 ** (-8 * h / N)
        for t in range(T):
            seen = np.arange(t + 1)
            e = np.exp(k[h - 1, seen] @ q[h - 1, t] / np.sqrt(K) - slope * (t - seen))
            weights[h - 1, t, seen] = e / e.sum()
    return weights
"""

EVERYTHING = ("np.arange(t + 1)", "np.arange(T)")

GROUPED = """
def grouped(q, k, v):
    N, T, K = q.shape
    out = np.zeros((N, T, K))
    for n in range(N):
        g = n // (N // len(k))
        for t in range(T):
            seen = slice(0, t + 1)
            e = np.exp(k[g, seen] @ q[n, t] / np.sqrt(K))
            out[n, t] = e @ v[g, seen] / e.sum()
    return out
"""

ROTARY = """
def rotary_scores(q, k, base):
    T, K = q.shape

    def turn(x):
        new = np.zeros((T, K))
        for t in range(T):
            for i in range(K // 2):
                one, two = i, i + K // 2
                angle = t * base ** (-2 * i / K)
                new[t, one] = x[t, one] * np.cos(angle) - x[t, two] * np.sin(angle)
                new[t, two] = x[t, one] * np.sin(angle) + x[t, two] * np.cos(angle)
        return new

    return turn(q) @ turn(k).T
"""

BLOCK = """
def rms(x, g):
    return g * x / np.sqrt(np.mean(x * x, axis=1)[:, None] + 1e-5)


def block(x, p, heads):
    T, D = x.shape
    K = D // heads
    y = rms(x, p["g1"])
    mixed = np.zeros((T, D))
    for i in range(heads):
        part = np.arange(i * K, (i + 1) * K)
        q, k, v = ((y @ p[name].T)[:, part] for name in ("W_q", "W_k", "W_v"))
        scores = np.where(np.tri(T) > 0, q @ k.T / np.sqrt(K), -np.inf)
        e = np.exp(scores - scores.max(1)[:, None])
        mixed[:, part] = e @ v / e.sum(1)[:, None]
    new = x + mixed @ p["W_o"].T
    z = rms(new, p["g2"])
    a, b = z @ p["W_1"].T, z @ p["W_3"].T
    inner = a / (1 + np.exp(-a)) * b
    return new + inner @ p["W_2"].T
"""

FIRST, SECOND = ('y = rms(x, p["g1"])', "y = x"), ('z = rms(new, p["g2"])', "z = new")
ROOT = "np.sqrt(np.mean(x * x, axis=1)[:, None] + 1e-5)"
ATTENTION_ALONE, FORWARD_ALONE = ("new = x + mixed", "new = mixed"), ("return new + inner", "return inner")
ATTENTION_NORM, FORWARD_NORM = ("new = x + mixed", "new = y + mixed"), ("return new + inner", "return z + inner")

REACH = """
def reach(widths, T):
    far = []
    for t in range(T):
        first = t
        for width in widths:
            first = max(first - width + 1, 0)
        far.append(t - first)
    return far[-1], sum(far) / len(far)
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
            ("this undoes", """
def fold(gamma, beta, W, b):
    new = W @ np.diag(1 / gamma)
    return new, b - new @ beta
"""),
            ("those of mean 0", """
def fold(gamma, beta, W, b):
    new = W @ np.diag(gamma)
    return [row - row.mean() for row in new], W @ beta + b
"""),
            ("has the shape of W", """
def fold(gamma, beta, W, b):
    return gamma[:, None] * W.T, beta @ W.T + b
"""),
        ],
    ),
    "q2": (
        ALIBI,
        [
            ("counted from 1", changed(ALIBI, ("-8 * h / N", "-8 * (h - 1) / N"))),
            ("what is far away loses", changed(ALIBI, ("- slope *", "+ slope *"))),
            ("nothing later", changed(ALIBI, EVERYTHING, ("(t - seen)", "abs(t - seen)"))),
            ("the penalty a reward", changed(ALIBI, EVERYTHING)),
            ("rows do not sum to 1", changed(
                ALIBI, EVERYTHING, ("(t - seen)", "abs(t - seen)"), ("return weights", "return np.tril(weights)"))),
            ("and more, for t - s < 0", changed(ALIBI, EVERYTHING, ("return weights", "return weights * np.tri(T)"))),
            ("number of heads", changed(ALIBI, ("-8 * h / N", "-8.0 * h"))),
            ("2 to the power -8h/N", changed(ALIBI, ("2 ** (-8 * h / N)", "2**-8 * h / N"))),
            ("before the softmax", changed(
                ALIBI, (" - slope * (t - seen))", ")"), ("e / e.sum()", "e / e.sum() - slope * (t - seen)"))),
            ("divided by sqrt(K), the bias is not", changed(ALIBI, (" / np.sqrt(K)", ""))),
            ("only the products", changed(ALIBI, ("slope * (t - seen)", "slope / K**0.5 * (t - seen)"))),
        ],
    ),
    "q3": (
        GROUPED,
        [
            ("neighbouring heads", changed(GROUPED, ("n // (N // len(k))", "n % len(k)"))),
            ("a group serves", changed(GROUPED, ("n // (N // len(k))", "n // len(k)"))),
            ("look ahead", changed(GROUPED, ("slice(0, t + 1)", "slice(0, T)"))),
            ("a place sees itself", changed(
                GROUPED, ("slice(0, t + 1)", "np.arange(T)"), ("q[n, t] / np.sqrt(K))", "q[n, t] / np.sqrt(K))\n"
                "            e = np.where(seen < t, e, t == 0)  # alike if nothing is left"))),
            ("divide the scores", changed(GROUPED, (" / np.sqrt(K)", ""))),
            ("of one head", changed(GROUPED, ("np.sqrt(K)", "np.sqrt(N * K)"))),
            ("its own queries", changed(
                GROUPED, ("q[n, t]", "q[g * (N // len(k)) : (g + 1) * (N // len(k)), t].mean(0)"))),
            ("keys and values of their own", changed(
                GROUPED, ("    out =", "    k, v = 0 * k + k.mean(0), 0 * v + v.mean(0)\n    out ="))),
            ("first group's", changed(GROUPED, ("n // (N // len(k))", "0"))),
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
            ("not its neighbour", changed(ROTARY, ("i, i + K // 2", "2 * i, 2 * i + 1"))),
            ("turn the same way", """
def rotary_scores(q, k, base):
    T, K = q.shape
    turn = np.exp(1j * np.outer(np.arange(T), base ** (-2 * np.arange(K // 2) / K)))
    a, b = (x[:, : K // 2] + 1j * x[:, K // 2 :] for x in (q, k))
    return ((a * turn) @ (b / turn).conj().T).real
"""),
            ("turns the other way", changed(ROTARY, ("angle = t", "angle = -t"))),
            ("before the turn", changed(ROTARY, ("x[t, one] * np.sin", "new[t, one] * np.sin"))),
            ("keys turn as well", changed(ROTARY, ("turn(k).T", "k.T"))),
            ("has the frequency", changed(ROTARY, ("-2 * i / K", "-i / K"))),
            ("the base is an argument", changed(ROTARY, ("t * base", "t * 10_000"))),
            ("without the scale", changed(ROTARY, ("turn(k).T", "turn(k).T / K**0.5"))),
            ("queries are the rows", changed(ROTARY, ("turn(q) @ turn(k).T", "turn(k) @ turn(q).T"))),
        ],
    ),
    "q5": (
        BLOCK,
        [
            ("the norm stands before", changed(
                BLOCK, FIRST, SECOND, ('x + mixed @ p["W_o"].T', 'rms(x + mixed @ p["W_o"].T, p["g1"])'),
                ('new + inner @ p["W_2"].T', 'rms(new + inner @ p["W_2"].T, p["g2"])'))),
            ("attention reads", changed(BLOCK, FIRST)),
            ("feed-forward part reads", changed(BLOCK, SECOND)),
            ("g2 to that before", changed(BLOCK, ("g1", "g3"), ("g2", "g1"), ("g3", "g2"))),
            ("a gain of its own", changed(BLOCK, ("g2", "g1"))),
            ("multiplied by the gain", changed(BLOCK, ("g * x", "x"))),
            ("does not subtract the mean", changed(
                BLOCK, ("    return g * x /", "    x = x - x.mean(1)[:, None]\n    return g * x /"))),
            ("not by the mean square", changed(BLOCK, (ROOT, ROOT[7:]))),
            ("not their sum", changed(BLOCK, ("np.mean(", "np.sum("))),
            ("not over the places", changed(BLOCK, ("axis=1)[:, None]", "axis=0)"))),
            ("not over all places together", changed(BLOCK, (", axis=1)[:, None]", ")"))),
            ("under the root", changed(BLOCK, (ROOT, "(np.sqrt(np.mean(x * x, axis=1)[:, None]) + 1e-5)"))),
            ("epsilon is forgotten", changed(BLOCK, (" + 1e-5", ""))),
            ("epsilon is 10^-5", changed(BLOCK, ("1e-5", "1e-6"))),
            ("no place looks ahead", changed(BLOCK, ("np.tri(T) > 0", "True"))),
            ("divided by sqrt(K)", changed(BLOCK, (" / np.sqrt(K)", ""))),
            ("not D", changed(BLOCK, ("np.sqrt(K)", "np.sqrt(D)"))),
            ("neighbouring columns", changed(BLOCK, ("np.arange(i * K, (i + 1) * K)", "np.arange(i, D, heads)"), (
                "    new =", "    mixed = mixed.reshape(T, K, heads).transpose(0, 2, 1).reshape(T, D)\n    new ="))),
            ("side by side before", changed(
                BLOCK, ("    new =", "    mixed = np.array(np.split(mixed, heads, 1)).reshape(T, D)\n    new ="))),
            ("pass through W_o", changed(BLOCK, (' @ p["W_o"].T', ""))),
            ("not transposed", changed(BLOCK, ("p[name].T", "p[name]"), ('p["W_o"].T', 'p["W_o"]'))),
            ("what attention found is added to x", changed(BLOCK, ATTENTION_ALONE)),
            ("feed-forward part is added to what came in", changed(BLOCK, FORWARD_ALONE)),
            ("residual connections are missing", changed(BLOCK, ATTENTION_ALONE, FORWARD_ALONE)),
            ("not to rms(x; g1)", changed(BLOCK, ATTENTION_NORM)),
            ("not to z", changed(BLOCK, FORWARD_NORM)),
            ("not to the normalised x", changed(BLOCK, ATTENTION_NORM, FORWARD_NORM)),
            ("not the x that came in", changed(BLOCK, ("rms(new,", "rms(x,"))),
            ("has its part too", changed(BLOCK, (" * b", ""))),
            ("a plain factor", changed(BLOCK, ("np.exp(-a)", "np.exp(-b)"))),
            ("before the product", changed(
                BLOCK, ("inner = a / (1 + np.exp(-a)) * b", "inner = a * b / (1 + np.exp(-a * b))"))),
            ("not sigma(a) alone", changed(BLOCK, ("a / (1 +", "1 / (1 +"))),
        ],
    ),
    "q6": (
        REACH,
        [
            ("the window holds the place itself", changed(REACH, ("width + 1", "width"))),
            ("the layers add up", changed(REACH, ("in widths", "in [max(widths)]"))),
            ("reaches add", """
import math


def reach(widths, T):
    far = math.prod(width - 1 for width in widths)
    return [min(far, T - 1), sum(min(far, t) for t in range(T)) / T]
"""),
            ("windows add", """
import math


def reach(widths, T):
    far = math.prod(widths) - 1
    return [min(far, T - 1), sum(min(far, t) for t in range(T)) / T]
"""),
            ("nothing before the first", changed(REACH, ("max(first - width + 1, 0)", "first - width + 1"))),
            ("on average it is less", """
def reach(widths, T):
    far = sum(width - 1 for width in widths)
    return [min(far, T - 1), far]
"""),
            ("the last place is T - 1", changed(REACH, ("range(T)", "range(1, T + 1)"))),
            ("count the steps", changed(REACH, ("t - first", "t - first + 1"))),
        ],
    ),
}  # fmt: skip

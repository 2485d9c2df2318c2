"""Problem set 2: recurrent networks and backpropagation through time, by hand."""

from __future__ import annotations

import math

import numpy as np

from assignments.grading.questions import ProblemSet, Question


def build(rng: np.random.Generator) -> ProblemSet:
    """The constants of this year, and the questions."""
    return ProblemSet(
        name="ps2",
        title="Recurrent networks and backpropagation through time",
        constants={"gain": round(float(rng.uniform(2.5, 3.5)), 1)},
        questions=[jordan(), streams(), saliency(), chunked(), lyapunov(), second_order()],
        written={"w1": 8, "w2": 8},
    )


def jordan() -> Question:
    """A network whose output is fed back."""

    def run(x, W_x, W_f, b, W_o, c, back="y", bias=True, squash=False, inside=True, states=False):
        y, outputs = np.zeros(len(c)), []
        for row in x:
            fed = y if back == "y" else np.tanh(y)
            h = row @ W_x.T + fed @ W_f.T + (b if bias else 0)
            h = np.tanh(h) if inside else h
            y = h @ W_o.T + c
            y = np.tanh(y) if squash else y
            outputs.append(h if states else y)
        return np.array(outputs)

    def right(x, W_x, W_f, b, W_o, c):
        return run(x, W_x, W_f, b, W_o, c)

    def never_fed(x, W_x, W_f, b, W_o, c):
        return np.tanh(x @ W_x.T + b) @ W_o.T + c

    def fed_target(x, W_x, W_f, b, W_o, c):
        y, outputs = c, []
        for row in x:
            y = np.tanh(row @ W_x.T + y @ W_f.T + b) @ W_o.T + c
            outputs.append(y)
        return np.array(outputs)

    def cases(rng):
        for T, D, H, O in ((3, 2, 4, 3), (6, 3, 5, 2)):
            shapes = ((T, D), (H, D), (H, O), (H,), (O, H), (O,))
            yield tuple(rng.normal(size=shape) * 0.7 for shape in shapes)

    return Question(
        "q1", "jordan", 4, right, lambda rng: list(cases(rng)), lambda rng: list(cases(rng))[:1],
        mistakes={
            "the output is fed back, and you let it be forgotten": never_fed,
            "before the first step the output is zero, not c: nothing has been computed yet": fed_target,
            "the output layer is linear: no tanh there": lambda *a: run(*a, squash=True),
            "the hidden layer has a bias b": lambda *a: run(*a, bias=False),
            "what is fed back is the output itself, not its tanh": lambda *a: run(*a, back="tanh"),
            "the hidden layer has a tanh": lambda *a: run(*a, inside=False),
            "return the outputs y, not the hidden states": lambda *a: run(*a, states=True),
        },
    )  # fmt: skip


def streams() -> Question:
    """A long text laid out so that the state can be carried from batch to batch."""

    def right(ids, B, T):
        length = (len(ids) - 1) // B
        length -= length % T
        x = np.array([ids[b * length : (b + 1) * length] for b in range(B)])
        y = np.array([ids[b * length + 1 : (b + 1) * length + 1] for b in range(B)])
        return [(x[:, t : t + T].tolist(), y[:, t : t + T].tolist()) for t in range(0, length, T)]

    def in_a_row(ids, B, T):
        n = (len(ids) - 1) // (B * T)
        x, y = (np.array(ids[s : s + n * B * T]).reshape(n, B, T) for s in (0, 1))
        return [(a.tolist(), b.tolist()) for a, b in zip(x, y, strict=True)]

    def unshifted(ids, B, T):
        return [(x, x) for x, _ in right(ids, B, T)]

    def by_columns(ids, B, T):
        n = (len(ids) - 1) // (B * T)
        x, y = (np.array(ids[s : s + n * B * T]).reshape(n * T, B).T for s in (0, 1))
        return [(x[:, t : t + T].tolist(), y[:, t : t + T].tolist()) for t in range(0, n * T, T)]

    def rolled(ids, B, T):
        return [(x, [[*row[1:], row[0]] for row in x]) for x, _ in right(ids, B, T)]

    def short(ids, B, T):
        return [(x, [row[1:] for row in x]) for x, _ in right(ids, B, T)]

    def laid_out(ids, B, T, length, stride):
        """Stretches of ``length`` that begin ``stride`` apart; what is missing at the end is missing."""
        starts = [[b * stride + t for b in range(B)] for t in range(0, length, T)]
        ends = [min(t + T, length) - t for t in range(0, length, T)]
        return [([ids[s : s + n] for s in row], [ids[s + 1 : s + n + 1] for s in row])
                for row, n in zip(starts, ends, strict=True)]  # fmt: skip

    def ragged(ids, B, T):
        return laid_out(ids, B, T, (len(ids) - 1) // B, (len(ids) - 1) // B)

    def with_gaps(ids, B, T):
        return laid_out(ids, B, T, (len(ids) - 1) // B // T * T, (len(ids) - 1) // B)

    def one_too_few(ids, B, T):
        return laid_out(ids, B, T, len(ids) // B // T * T, len(ids) // B // T * T)

    def cases(rng):
        for n, B, T in ((30, 2, 4), (31, 3, 5), (40, 2, 4), (47, 3, 3)):
            yield rng.integers(4, 99, n).tolist(), B, T

    return Question(
        "q2", "streams", 4, right, lambda rng: list(cases(rng)), lambda rng: list(cases(rng))[:1],
        mistakes={
            "row b of a batch must go on where row b of the batch before it stopped": in_a_row,
            "a target is the token after its input": unshifted,
            "each row is a stretch of neighbouring tokens, not every B-th one": by_columns,
            "the last target of a row is the next token of the text, not the row's first": rolled,
            "the last input of a row has a target too: the token that begins the row in the next batch": short,
            "each batch has T columns: the stretches have a length divisible by T": ragged,
            "the stretches follow one another without gaps: leave the rest out at the end of the text": with_gaps,
            "the very last input needs a target too, so not every token can be an input": one_too_few,
        },
    )  # fmt: skip


def _elman(x, W_x, W_h, b):
    h = [np.zeros(len(b))]
    for row in x:
        h.append(np.tanh(row @ W_x.T + h[-1] @ W_h.T + b))
    return np.array(h)


def saliency() -> Question:
    """The gradient by the inputs."""

    def backward(x, W_x, W_h, b, g, slope=lambda h: 1 - h**2, transposed=False, only_last=False, every=0, shift=0):
        h = _elman(x, W_x, W_h, b)
        arriving, found = g, []
        for t in range(len(x), 0, -1):
            delta = arriving * slope(h[t - shift])
            found.append(delta @ W_x)
            arriving = delta @ (W_h.T if transposed else W_h) + every * g
        found = np.array(found[::-1])
        if only_last:
            found[:-1] = 0
        return found

    def right(x, W_x, W_h, b, g):
        return backward(x, W_x, W_h, b, g)

    def cases(rng):
        for T, D, H in ((4, 2, 3), (7, 3, 3)):
            yield tuple(rng.normal(size=shape) * 0.6 for shape in ((T, D), (H, D), (H, H), (H,), (H,)))

    return Question(
        "q3", "input_gradient", 5, right, lambda rng: list(cases(rng)), lambda rng: list(cases(rng))[:1],
        mistakes={
            "an input acts through all later states too, not only through the last one":
                lambda *a: backward(*a, only_last=True),
            "tanh has a slope, 1 - h^2, at every step": lambda *a: backward(*a, slope=lambda h: np.ones_like(h)),
            "backwards the weights act the other way round: delta_{t-1} has delta_t W_h, not delta_t W_h^T":
                lambda *a: backward(*a, transposed=True),
            "the rows are in reverse order: the first belongs to x_1": lambda *a: right(*a)[::-1],
            "the slope is 1 - h^2 with h = tanh(a), and not 1 - h":
                lambda *a: backward(*a, slope=lambda h: 1 - h),
            "the loss touches the last state alone: g comes in once": lambda *a: backward(*a, every=1),
            "the slope at step t is that of h_t, not of h_{t-1}": lambda *a: backward(*a, shift=1),
        },
    )  # fmt: skip


def chunked() -> Question:
    """Truncation at the borders of chunks, with the state carried over."""

    def gradient(x, y, w, k, reset=False, cut=lambda t, k: t % k == 0, loss_at=lambda t, k: True,
                 handed=True, slope=True):  # fmt: skip
        h = [0.0]
        for t, value in enumerate(x):
            before = 0.0 if reset and t % k == 0 else h[-1]
            h.append(math.tanh(w * before + value))
        total = 0.0
        for t in range(len(x)):
            if not loss_at(t, k):
                continue
            delta = h[t + 1] - y[t]
            for s in range(t, -1, -1):
                delta *= 1 - h[s + 1] ** 2 if slope else 1
                first = s % k == 0
                total += 0.0 if first and (reset or not handed) else delta * h[s]
                if cut(s, k):
                    break
                delta *= w
        return total

    def right(x, y, w, k):
        return gradient(x, y, w, k)

    def lagged(x, y, w, k):
        h = [0.0]
        for value in x:
            h.append(math.tanh(w * h[-1] + value))
        total = 0.0
        for t in range(len(x)):
            delta = (h[t + 1] - y[t]) * (1 - h[t + 1] ** 2)
            for s in range(t, max(t - k, -1), -1):
                total += delta * h[s]
                delta *= w * (1 - h[s] ** 2)
        return total

    def cases(rng):
        for T, k in ((6, 3), (8, 4), (10, 4)):
            yield rng.normal(size=T).tolist(), rng.normal(size=T).tolist(), float(rng.uniform(0.6, 1.4)), k

    return Question(
        "q4", "chunked_gradient", 5, right, lambda rng: list(cases(rng)), lambda rng: list(cases(rng))[:1],
        mistakes={
            "nothing was cut: the derivative stops at the border of a chunk": lambda *a:
                gradient(*a, cut=lambda t, k: False),
            "the state itself is carried over the border; only the derivative stops there": lambda *a:
                gradient(*a, reset=True),
            "every step has a loss, not only the last of a chunk": lambda *a:
                gradient(*a, loss_at=lambda t, k: t % k == k - 1 or t == len(a[0]) - 1),
            "you cut after k steps back from each loss; here the cuts are at fixed places": lagged,
            "the first step of a chunk still uses w once, on the state that it was handed": lambda *a:
                gradient(*a, handed=False),
            "the derivative of (h - y)^2 / 2 by h is h - y": lambda *a: -right(*a),
            "the square stands with a half: there is no factor 2": lambda *a: 2 * right(*a),
            "the chunks are summed, without a mean": lambda *a: right(*a) / len(a[0]),
            "tanh has a slope, 1 - h^2, at every step": lambda *a: gradient(*a, slope=False),
        },
    )  # fmt: skip


def lyapunov() -> Question:
    """The mean logarithmic growth of a small disturbance."""

    def growth(states, W_h, v, slope=lambda h: 1 - h**2, renormalise=True, mean=True, transposed=False,
               early=False):  # fmt: skip
        total, v = 0.0, v / np.linalg.norm(v)
        for h in states:
            W = W_h.T if transposed else W_h
            v = W @ (slope(h) * v) if early else slope(h) * (W @ v)
            total += math.log(np.linalg.norm(v))
            if renormalise:
                v = v / np.linalg.norm(v)
        return total / len(states) if mean else total

    def right(states, W_h, v):
        return growth(states, W_h, v)

    def cases(rng):
        for T, H in ((5, 3), (30, 4)):
            yield np.tanh(rng.normal(size=(T, H))), rng.normal(size=(H, H)), rng.normal(size=H)

    def unit(states, W_h, v):
        return growth(states, W_h, v) + math.log(np.linalg.norm(v)) / len(states)

    def log_of_mean(states, W_h, v):
        lengths, v = [], v / np.linalg.norm(v)
        for h in states:
            v = (1 - h**2) * (W_h @ v)
            lengths.append(np.linalg.norm(v))
            v = v / lengths[-1]
        return math.log(np.mean(lengths))

    return Question(
        "q5", "lyapunov", 4, right, lambda rng: list(cases(rng)), lambda rng: list(cases(rng))[:1],
        mistakes={
            "the disturbance passes through tanh as well: multiply by 1 - h^2": lambda *a:
                growth(*a, slope=lambda h: np.ones_like(h)),
            "a mean per step: divide by the number of steps": lambda *a: growth(*a, mean=False),
            "without bringing v back to length 1 the early growth is counted again at every step": lambda *a:
                growth(*a, renormalise=False),
            "forwards in time it is W_h v; W_h^T belongs to the way back": lambda *a: growth(*a, transposed=True),
            "the disturbance has length 1 at the start, whatever v has": unit,
            "first W_h, then the slope of the state that is reached": lambda *a: growth(*a, early=True),
            "take the natural logarithm": lambda *a: growth(*a) / math.log(2),
            "the mean of the logarithms, not the logarithm of the mean": log_of_mean,
        },
    )  # fmt: skip


def second_order() -> Question:
    """Backpropagation through a network that also sees the state before last."""

    def run(x, W_x, W_h, S):
        h = [np.zeros(len(W_h))] * 2  # h_{-1} and h_0
        for row in x:
            h.append(np.tanh(row @ W_x.T + h[-1] @ W_h.T + h[-2] @ S.T))
        return np.array(h)

    def backward(x, W_x, W_h, S, G, skip=True, lag=2, last=False, slope=True, turned=False):
        h = run(x, W_x, W_h, S)
        T, H = len(x), len(W_h)
        deltas = np.zeros((T + 2, H))
        for t in range(T - 1, -1, -1):
            arriving = np.zeros(H) if last and t < T - 1 else G[t]
            W_back, S_back = (W_h.T, S.T) if turned else (W_h, S)
            arriving = arriving + deltas[t + 1] @ W_back + (deltas[t + 2] @ S_back if skip else 0)
            deltas[t] = arriving * (1 - h[t + 2] ** 2 if slope else 1)
        return sum(np.outer(deltas[t], h[t + 2 - lag]) for t in range(T))

    def right(x, W_x, W_h, S, G):
        return backward(x, W_x, W_h, S, G)

    def cases(rng):
        for T, D, H in ((4, 2, 2), (7, 2, 3)):
            yield tuple(rng.normal(size=shape) * 0.6 for shape in ((T, D), (H, D), (H, H), (H, H), (T, H)))

    return Question(
        "q6", "skip_gradient", 6, right, lambda rng: list(cases(rng)), lambda rng: list(cases(rng))[:1],
        mistakes={
            "h_t acts on h_{t+2} directly as well: delta_t has a second term, with S": lambda *a:
                backward(*a, skip=False),
            "S stands beside h_{t-2}, so it is h_{t-2} that the outer product needs": lambda *a: backward(*a, lag=1),
            "there is a loss at every step, and each G_t enters the recursion": lambda *a: backward(*a, last=True),
            "the slope of tanh is missing": lambda *a: backward(*a, slope=False),
            "transposed: row i of dS belongs to unit i of h_t": lambda *a: right(*a).T,
            "backwards the weights act the other way round: delta S and delta W_h, without a transpose": lambda *a:
                backward(*a, turned=True),
        },
    )  # fmt: skip

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


def _drawn(rng, *shapes):
    return tuple((0.5 * rng.normal(size=shape)).round(2) for shape in shapes)


def _jordan(x, W_x, W_f, b, W_o, c, first=0, late=0, fed=lambda y: y, inside=np.tanh, out=lambda y: y):
    """Hidden states and outputs; in front of each those before the first step."""
    h, y = [np.zeros(len(b))], [np.zeros(len(c)) + first]
    for t, row in enumerate(x):
        h.append(inside(row @ W_x.T + fed(y[max(t - late, 0)]) @ W_f.T + b))
        y.append(out(h[-1] @ W_o.T + c))
    return np.array(h), np.array(y)


def jordan() -> Question:
    """A network whose output is fed back."""

    def run(*arguments, **changed):
        return _jordan(*arguments, **changed)[1][1:]

    def cases(rng, *sizes):
        return [_drawn(rng, (T, D), (H, D), (H, O), (H,), (O, H), (O,)) for T, D, H, O in sizes]

    return Question(
        "q1", "jordan", 4, run,
        lambda rng: cases(rng, (3, 2, 4, 3), (6, 3, 5, 2)), lambda rng: cases(rng, (3, 2, 4, 3)),
        mistakes={
            "the output is fed back, and you let it be forgotten": lambda *a: run(*a, late=len(a[0])),
            "before the first step the output is zero, not c: nothing has been computed yet":
                lambda *a: run(*a, first=a[5]),
            "the output layer is linear: no tanh there": lambda *a: run(*a, out=np.tanh),
            "the hidden layer has a bias b": lambda x, W_x, W_f, b, W_o, c: run(x, W_x, W_f, 0 * b, W_o, c),
            "what is fed back is the output itself, not its tanh": lambda *a: run(*a, fed=np.tanh),
            "the hidden layer has a tanh": lambda *a: run(*a, inside=lambda a: a),
            "return the outputs y, not the hidden states": lambda *a: _jordan(*a)[0][1:],
            "c is part of the output, so it is fed back with it": lambda *a: run(*a[:5], 0 * a[5]) + a[5],
            "what is fed back at step t is y_{t-1}; yours comes one step late": lambda *a: run(*a, late=1),
        },
    )  # fmt: skip


def streams() -> Question:
    """A long text laid out so that the state can be carried from batch to batch."""

    def right(ids, B, T):
        length = (len(ids) - 1) // B // T * T
        return laid_out(ids, B, T, length, length)

    def laid_out(ids, B, T, length, stride, apart=0):
        """Stretches of ``length`` that begin ``stride`` apart; what is missing at the end is missing."""
        batches = []
        for t in range(0, length, T + apart):
            starts, n = [b * stride + t for b in range(B)], min(T, length - t)
            batches.append(([ids[s : s + n] for s in starts], [ids[s + 1 : s + n + 1] for s in starts]))
        return batches

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

    def ragged(ids, B, T):
        return laid_out(ids, B, T, (len(ids) - 1) // B, (len(ids) - 1) // B)

    def with_gaps(ids, B, T):
        return laid_out(ids, B, T, (len(ids) - 1) // B // T * T, (len(ids) - 1) // B)

    def one_too_few(ids, B, T):
        return laid_out(ids, B, T, len(ids) // B // T * T, len(ids) // B // T * T)

    def one_each(ids, B, T):
        return laid_out(ids, B, T, (len(ids) // B - 1) // T * T, len(ids) // B)

    def skipping(ids, B, T):
        length = len(ids) // (B * (T + 1)) * (T + 1)
        return laid_out(ids, B, T, length, length, apart=1)

    def cases(rng, *sizes):
        return [((4 + rng.permutation(90)[:n]).tolist(), B, T) for n, B, T in sizes]

    return Question(
        "q2", "streams", 5, right,
        lambda rng: cases(rng, (30, 2, 4), (31, 3, 5), (40, 2, 4), (47, 3, 3)), lambda rng: cases(rng, (24, 2, 4)),
        mistakes={
            "row b of a batch must go on where row b of the batch before it stopped": in_a_row,
            "a target is the token after its input": unshifted,
            "each row is a stretch of neighbouring tokens, not every B-th one": by_columns,
            "the last target of a row is the next token of the text, not the row's first": rolled,
            "the last input of a row has a target too: the token that begins the row in the next batch": short,
            "each batch has T columns: the stretches have a length divisible by T": ragged,
            "the stretches follow one another without gaps: leave the rest out at the end of the text": with_gaps,
            "the very last input needs a target too, so not every token can be an input": one_too_few,
            "no stretch has to keep a token back for its last target: that is the first token of the next stretch":
                one_each,
            "the last target of a batch is the first input of the next one: no token is left out between them":
                skipping,
        },
    )  # fmt: skip


def saliency() -> Question:
    """The gradient by the inputs, led through the outputs that are fed back."""

    def slope(h):
        return 1 - h**2

    def backward(x, W_x, W_f, b, W_o, c, g, way=slope, entry=slope, late=0, every=0, bend=np.ones_like,
                 first=None, turned=False):  # fmt: skip
        h, y = _jordan(x, W_x, W_f, b, W_o, c)
        arriving = sent = (g * bend(y[-1])) @ (W_o if first is None else first)
        rows = []
        for t in range(len(x), 0, -1):
            rows.append(arriving * entry(h[t - late]) @ W_x)
            W = W_f * bend(y[t - 1]) @ W_o
            arriving = arriving * way(h[t - late]) @ (W.T if turned else W) + every * sent
        return np.array(rows[::-1])

    def only_last(*arguments):
        rows = backward(*arguments)
        rows[:-1] = 0
        return rows

    def cases(rng, *sizes):
        return [_drawn(rng, (T, D), (H, D), (H, O), (H,), (O, H), (O,), (O,)) for T, D, H, O in sizes]

    return Question(
        "q3", "input_gradient", 5, backward,
        lambda rng: cases(rng, (5, 2, 4, 3), (7, 3, 5, 2)), lambda rng: cases(rng, (4, 2, 4, 3)),
        mistakes={
            "an input acts on all later outputs too, because each output is fed back": only_last,
            "tanh has a slope, 1 - h^2, at every step": lambda *a:
                backward(*a, way=np.ones_like, entry=np.ones_like),
            "an input enters before the tanh of its step: the slope there is missing": lambda *a:
                backward(*a, entry=np.ones_like),
            "every tanh on the way back has its slope, not only that of the step where the input enters": lambda *a:
                backward(*a, way=np.ones_like),
            "the slope at step t is that of h_t, not of h_{t-1}": lambda *a: backward(*a, late=1),
            "the slope is 1 - h^2 with h = tanh(a), and not 1 - h": lambda *a:
                backward(*a, way=lambda h: 1 - h, entry=lambda h: 1 - h),
            "the loss touches the last output alone: g comes in once": lambda *a: backward(*a, every=1),
            "the output layer is linear: the derivative passes it without a slope": lambda *a:
                backward(*a, bend=slope),
            "from output to state the way back leads through W_o, and from state to the output before through W_f; "
            "you have taken the transpose of the other": lambda *a: backward(*a, turned=True, first=a[2].T),
            "backwards the weights act the other way round: from state to state it is W_f W_o, not its transpose":
                lambda *a: backward(*a, turned=True),
            "the rows are in reverse order: the first belongs to x_1": lambda *a: backward(*a)[::-1],
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

    def cases(rng, *sizes):
        for T, k in sizes:
            x, y = rng.normal(size=(2, T)).round(2).tolist()
            yield x, y, round(float(rng.uniform(0.6, 1.4)), 2), k

    return Question(
        "q4", "chunked_gradient", 5, right,
        lambda rng: list(cases(rng, (7, 3), (10, 4), (8, 4), (5, 8), (6, 1))), lambda rng: list(cases(rng, (5, 2))),
        mistakes={
            "nothing was cut: the derivative stops at the border of a chunk": lambda *a:
                gradient(*a, cut=lambda t, k: False),
            "the state itself is carried over the border; only the derivative stops there": lambda *a:
                gradient(*a, reset=True),
            "every step has a loss, not only the last of a chunk": lambda *a:
                gradient(*a, loss_at=lambda t, k: t % k == k - 1 or t == len(a[0]) - 1),
            "the last chunk counts too, when it is shorter than the others": lambda *a:
                gradient(*a, loss_at=lambda t, k: t < len(a[0]) // k * k),
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

    def cases(rng, *sizes):
        for T, H in sizes:
            states, (W_h,) = rng.uniform(-0.9, 0.9, size=(T, H)).round(2), _drawn(rng, (H, H))
            yield states, W_h, rng.uniform(1, 2, size=H).round(2)

    def unit(states, W_h, v):
        return growth(states, W_h, v) + math.log(np.linalg.norm(v)) / len(states)

    def log_of_mean(states, W_h, v):
        lengths, v = [], v / np.linalg.norm(v)
        for h in states:
            v = (1 - h**2) * (W_h @ v)
            lengths.append(np.linalg.norm(v))
            v = v / lengths[-1]
        return math.log(np.mean(lengths))

    def stretch(states, W_h, v):
        return np.mean([math.log(np.linalg.norm((1 - h**2)[:, None] * W_h, 2)) for h in states])

    return Question(
        "q5", "lyapunov", 3, right,
        lambda rng: list(cases(rng, (5, 3), (30, 4))), lambda rng: list(cases(rng, (3, 2), (4, 3))),
        mistakes={
            "the disturbance passes through tanh as well: multiply by 1 - h^2": lambda *a:
                growth(*a, slope=lambda h: np.ones_like(h)),
            "a mean per step: divide by the number of steps": lambda *a: growth(*a, mean=False),
            "without bringing v back to length 1 the early growth is counted again at every step": lambda *a:
                growth(*a, renormalise=False),
            "forwards in time it is v W_h^T; v W_h belongs to the way back": lambda *a: growth(*a, transposed=True),
            "the disturbance has length 1 at the start, whatever v has": unit,
            "first W_h, then the slope of the state that is reached": lambda *a: growth(*a, early=True),
            "take the natural logarithm": lambda *a: growth(*a) / math.log(2),
            "the mean of the logarithms, not the logarithm of the mean": log_of_mean,
            "follow this one disturbance: the largest factor that a step can have is a bound for it": stretch,
        },
    )  # fmt: skip


def second_order() -> Question:
    """Backpropagation through a network that also sees the state before last."""

    def run(x, W_x, W_h, S):
        h = [np.zeros(len(W_h))] * 2  # h_{-1} and h_0
        for row in x:
            h.append(np.tanh(row @ W_x.T + h[-1] @ W_h.T + h[-2] @ S.T))
        return np.array(h)

    def backward(x, W_x, W_h, S, G, skip=1, outside=0, seen=1, lag=2, last=False, slope=True, turned=False):
        h = run(x, W_x, W_h, seen * S)
        T, H = len(x), len(W_h)
        deltas = np.zeros((T + 2, H))
        for t in range(T - 1, -1, -1):
            arriving = np.zeros(H) if last and t < T - 1 else G[t]
            W_back, S_back = (W_h.T, S.T) if turned else (W_h, S)
            over_two = deltas[t + 2] @ S_back
            arriving = arriving + deltas[t + 1] @ W_back + skip * over_two
            deltas[t] = arriving * (1 - h[t + 2] ** 2 if slope else 1) + outside * over_two
        return sum(np.outer(deltas[t], h[t + 2 - lag]) for t in range(T))

    def right(x, W_x, W_h, S, G):
        return backward(x, W_x, W_h, S, G)

    def cases(rng, *sizes):
        return [_drawn(rng, (T, D), (H, D), (H, H), (H, H), (T, H)) for T, D, H in sizes]

    return Question(
        "q6", "skip_gradient", 6, right,
        lambda rng: cases(rng, (6, 2, 4), (8, 4, 3)), lambda rng: cases(rng, (6, 2, 3)),
        mistakes={
            "h_t acts on h_{t+2} directly as well: delta_t has a second term, with S": lambda *a:
                backward(*a, skip=0),
            "what comes back to h_t through S passes the tanh of step t too: 1 - h_t^2 multiplies the whole sum": lambda *a:
                backward(*a, skip=0, outside=1),
            "the states come from the network with S, not from Elman's": lambda *a: backward(*a, seen=0),
            "S stands beside h_{t-2}, so it is h_{t-2} that the outer product needs": lambda *a: backward(*a, lag=1),
            "there is a loss at every step, and each G_t enters the recursion": lambda *a: backward(*a, last=True),
            "the slope of tanh is missing": lambda *a: backward(*a, slope=False),
            "transposed: row i of dS belongs to unit i of h_t": lambda *a: right(*a).T,
            "backwards the weights act the other way round: delta S and delta W_h, without a transpose": lambda *a:
                backward(*a, turned=True),
        },
    )  # fmt: skip

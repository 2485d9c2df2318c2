"""Problem set 3: LSTM, GRU and their tasks."""

from __future__ import annotations

import numpy as np

from assignments.grading.questions import ProblemSet, Question


def build(rng: np.random.Generator) -> ProblemSet:
    """The constants of this year, and the questions."""
    return ProblemSet(
        name="ps3",
        title="LSTM, GRU and their tasks",
        constants={"lag": int(rng.choice([21, 23, 24]))},
        questions=[minimal(), peephole(), lstm_backward(), last_states(), macro_f1(), weights()],
        written={"w1": 8, "w2": 8},
    )


def sigmoid(a):
    """1 / (1 + e^-a)"""
    return 1 / (1 + np.exp(-a))


def minimal() -> Question:
    """A cell with a single gate."""

    def step(x, h, W_f, U_f, b_f, W_n, U_n, b_n, swap=False, reset="state", gate=sigmoid, bias=True):
        f = gate(x @ W_f.T + h @ U_f.T + (b_f if bias else 0))
        seen = {"state": f * h, "rest": (1 - f) * h}.get(reset, h) @ U_n.T
        inner = f * seen if reset == "product" else seen
        n = np.tanh(x @ W_n.T + inner + (b_n if bias else 0))
        return f * h + (1 - f) * n if swap else (1 - f) * h + f * n

    def right(x, h, W_f, U_f, b_f, W_n, U_n, b_n):
        return step(x, h, W_f, U_f, b_f, W_n, U_n, b_n)

    def cases(rng):
        for B, D, H in ((2, 3, 4), (3, 2, 5)):
            shapes = ((B, D), (B, H), (H, D), (H, H), (H,), (H, D), (H, H), (H,))
            yield tuple(rng.normal(size=shape) for shape in shapes)

    return Question(
        "q1", "minimal_step", 4, right, lambda rng: list(cases(rng)), lambda rng: list(cases(rng))[:1],
        mistakes={
            "f says how much of the candidate comes in, and 1 - f how much stays": lambda *a: step(*a, swap=True),
            "the gate acts on the state before the product with U_n": lambda *a: step(*a, reset="product"),
            "the candidate sees the gated state f * h": lambda *a: step(*a, reset="none"),
            "a gate is a sigmoid, between 0 and 1": lambda *a: step(*a, gate=np.tanh),
            "the biases are missing": lambda *a: step(*a, bias=False),
            "the candidate sees f * h, not what stays, (1 - f) * h": lambda *a: step(*a, reset="rest"),
        },
    )  # fmt: skip


def peephole() -> Question:
    """An LSTM whose gates see the cell."""

    def run(x, W_x, W_h, b, p, late=True, order="ifgo", squash=True, holes=True, swap=False, cell=False):
        H = len(b) // 4
        h, c, states = np.zeros(H), np.zeros(H), []
        p = p if holes else np.zeros_like(p)
        for row in x:
            a = dict(zip(order, np.split(row @ W_x.T + h @ W_h.T + b, 4), strict=True))
            i, f = sigmoid(a["i"] + p[0] * c), sigmoid(a["f"] + p[1] * c)
            i, f = (f, i) if swap else (i, f)
            new = f * c + i * np.tanh(a["g"])
            o = sigmoid(a["o"] + p[2] * (new if late else c))
            c = new
            h = o * (np.tanh(c) if squash else c)
            states.append(c if cell else h)
        return np.array(states)

    def right(x, W_x, W_h, b, p):
        return run(x, W_x, W_h, b, p)

    def cases(rng):
        for T, D, H in ((3, 2, 3), (6, 3, 2)):
            shapes = ((T, D), (4 * H, D), (4 * H, H), (4 * H,), (3, H))
            yield tuple(rng.normal(size=shape) for shape in shapes)

    return Question(
        "q2", "peephole_lstm", 5, right, lambda rng: list(cases(rng)), lambda rng: list(cases(rng))[:1],
        mistakes={
            "the output gate looks at the new cell state, c_t": lambda *a: run(*a, late=False),
            "the order of the blocks is another one: the output gate comes last": lambda *a: run(*a, order="ifog"),
            "h_t is o_t times tanh(c_t)": lambda *a: run(*a, squash=False),
            "the gates look through their peepholes p at the cell": lambda *a: run(*a, holes=False),
            "f belongs to the old cell state and i to the candidate": lambda *a: run(*a, swap=True),
            "return the states h_t, not the cell states c_t": lambda *a: run(*a, cell=True),
        },
    )  # fmt: skip


def lstm_backward() -> Question:
    """One step of an LSTM, backwards."""

    def backward(gates, c_before, c, dh, dc, through_h=True, add=True, slopes=True, squash=True, g_slope=True,
                 late=False, mixed=False, along=True):  # fmt: skip
        i, f, g, o = gates
        t = np.tanh(c) if squash else c
        arriving = (dc if add else 0) + (dh * o * (1 - np.tanh(c) ** 2) if through_h else 0)
        s = (lambda y: y * (1 - y)) if slopes else (lambda y: 1.0)
        slope_g = 1 - g**2 if g_slope else g * (1 - g)
        before, (by_i, by_g) = c if late else c_before, (i, g) if mixed else (g, i)
        blocks = (arriving * by_i * s(i), arriving * before * s(f), arriving * by_g * slope_g, dh * t * s(o))
        return np.concatenate(blocks), (arriving if along else dc) * f

    def right(gates, c_before, c, dh, dc):
        return backward(gates, c_before, c, dh, dc)

    def cell_untouched(gates, c_before, c, dh, dc):
        return backward(gates, c_before, c, dh, dc)[0], backward(gates, c_before, c, dh, dc)[1] / gates[1]

    def cases(rng):
        for H in (3, 5):
            i, f, o = sigmoid(rng.normal(size=(3, H)))
            g, before = np.tanh(rng.normal(size=H)), rng.normal(size=H)
            c = f * before + i * g
            yield np.array([i, f, g, o]), before, c, rng.normal(size=H), rng.normal(size=H)

    return Question(
        "q3", "lstm_backward", 6, right, lambda rng: list(cases(rng)), lambda rng: list(cases(rng))[:1],
        mistakes={
            "c_t also acts through h_t = o tanh(c_t)": lambda *a: backward(*a, through_h=False),
            "what comes from the next step, dc, adds to what comes through h_t": lambda *a: backward(*a, add=False),
            "the derivatives are by what enters the sigmoids: each has the slope s (1 - s)": lambda *a:
                backward(*a, slopes=False),
            "the output gate multiplies tanh(c_t), not c_t": lambda *a: backward(*a, squash=False),
            "g comes out of a tanh, with slope 1 - g^2": lambda *a: backward(*a, g_slope=False),
            "the forget gate multiplied c_{t-1}, not c_t": lambda *a: backward(*a, late=True),
            "i was multiplied by g and g by i: each derivative has the other one": lambda *a: backward(*a, mixed=True),
            "c_{t-1} gets its share of all that arrives at c_t, also of what comes through h_t": lambda *a:
                backward(*a, along=False),
            "on the way from c_t to c_{t-1} stands the forget gate": cell_untouched,
        },
    )  # fmt: skip


def last_states() -> Question:
    """What a classifier reads from a bidirectional layer."""

    def pick(outputs, lengths, forward=lambda n, T: n - 1, backward=lambda n, T: 0, swap=False):
        T, H = outputs.shape[1], outputs.shape[2] // 2
        rows = []
        for row, n in zip(outputs, lengths, strict=True):
            halves = [row[forward(n, T), :H], row[backward(n, T), H:]]
            rows.append(np.concatenate(halves[::-1] if swap else halves))
        return np.array(rows)

    def right(outputs, lengths):
        return pick(outputs, lengths)

    def cases(rng):
        for lengths, H in (([2, 5, 3], 2), ([4, 1, 6, 5], 3)):
            yield rng.normal(size=(len(lengths), 7, 2 * H)), lengths

    return Question(
        "q4", "last_states", 4, right, lambda rng: list(cases(rng)), lambda rng: list(cases(rng))[:1],
        mistakes={
            "that is a state on padding: the forward half ends at the row's own length": lambda *a:
                pick(*a, forward=lambda n, T: T - 1),
            "the backward half has read everything when it arrives at the first token": lambda *a:
                pick(*a, backward=lambda n, T: n - 1),
            "the forward half comes first": lambda *a: pick(*a, swap=True),
            "the forward half has read everything at its last token, not at its first": lambda *a:
                pick(*a, forward=lambda n, T: 0),
            "one place too far: the last of n tokens has the number n - 1": lambda *a:
                pick(*a, forward=lambda n, T: n),
            "the last column is padding in a short row, and there the backward half has read nothing yet": lambda *a:
                pick(*a, forward=lambda n, T: T - 1, backward=lambda n, T: T - 1),
        },
    )  # fmt: skip


def macro_f1() -> Question:
    """A score that a frequent tag cannot carry."""

    def score(targets, answers, mean="classes", skip=True, given=None, also=()):
        real = np.asarray(targets) != -1
        t, a = (targets[real], answers[real]) if skip else (targets.ravel(), answers.ravel())
        given = a if given is None else given
        if mean == "tokens":
            return float(np.mean(t == a))
        values = []
        for tag in sorted({*t.tolist(), *also}):
            hits, answered, true = np.sum((t == tag) & (a == tag)), np.sum(given == tag), np.sum(t == tag)
            values.append((hits / max(answered, 1), hits / max(true, 1), 2 * hits / (answered + true), true, answered))
        p, r, f, n, answered = np.array(values).T
        means = {
            "classes": f.mean(), "recall": r.mean(), "precision": p.mean(), "weighted": f @ n / n.sum(),
            "plain": ((p + r) / 2).mean(), "given": f[answered > 0].mean(),
            "undefined": f.mean() if p.all() else np.nan,
            "first": 2 * p.mean() * r.mean() / (p.mean() + r.mean()),
        }  # fmt: skip
        return float(means[mean])

    def cases(rng):
        for n, tags in ((3, 3), (5, 4), (9, 5)):
            targets = rng.choice(tags, (n, 8), p=np.arange(1, tags + 1) / sum(range(1, tags + 1)))
            targets[0, :tags] = np.arange(tags)  # every tag occurs
            answers = np.where(rng.random((n, 8)) < 0.6, targets, rng.integers(0, tags, (n, 8)))
            targets[:, 6:] = np.where(rng.random((n, 2)) < 0.6, -1, targets[:, 6:])
            targets[0, 7], answers[0, 7] = -1, 1
            if tags == 4:  # tag 0 is never given, and a tag that no target has is given
                answers[answers == 0] = tags
                answers[1, 0] = tags
                targets[1, 0] = 1
            yield targets, answers

    def right(targets, answers):
        return score(targets, answers)

    return Question(
        "q5", "macro_f1", 4, right, lambda rng: list(cases(rng)), lambda rng: list(cases(rng)),
        mistakes={
            "that is accuracy, which a frequent tag carries": lambda *a: score(*a, mean="tokens"),
            "the padding counts as a tag of its own here: leave it out": lambda *a: score(*a, skip=False),
            "first the F1 of each tag, then the mean; not the F1 of the means": lambda *a: score(*a, mean="first"),
            "every tag counts the same, however frequent": lambda *a: score(*a, mean="weighted"),
            "that is the mean recall: precision is missing": lambda *a: score(*a, mean="recall"),
            "that is the mean precision: recall is missing": lambda *a: score(*a, mean="precision"),
            "the harmonic mean of precision and recall, not half their sum": lambda *a: score(*a, mean="plain"),
            "an answer at a padded place counts for no precision": lambda t, a: score(t, a, given=a),
            "a tag that is never given has F1 zero, and counts": lambda *a: score(*a, mean="given"),
            "a tag that is never given rightly makes 0 / 0: catch it, its F1 is zero": lambda *a:
                score(*a, mean="undefined"),
            "average over the tags in the targets, not over those that only the answers have": lambda t, a:
                score(t, a, also=a[t >= 0].tolist()),
        },
    )  # fmt: skip


def weights() -> Question:
    """The size of a deep, perhaps bidirectional network."""

    def count(kind, D, H, layers, both, biases=2, doubled=True, ways=True, blocks=None, recurrent=True):
        blocks = blocks or {"elman": 1, "gru": 3, "lstm": 4}
        total, width = 0, D
        for _ in range(layers):
            total += (2 if both and ways else 1) * blocks[kind] * (H * width + recurrent * H * H + biases * H)
            width = 2 * H if both and doubled else H
        return total

    def cases(rng):
        for kind, layers, both in (("lstm", 2, True), ("gru", 3, True), ("elman", 1, True), ("lstm", 1, False)):
            yield kind, int(rng.integers(4, 40)), int(rng.integers(4, 40)), layers, both

    def right(kind, D, H, layers, both):
        return count(kind, D, H, layers, both)

    def shallow(kind, D, H, layers, both):
        return layers * count(kind, D, H, 1, both)

    return Question(
        "q6", "weights", 3, right, lambda rng: list(cases(rng)), lambda rng: list(cases(rng))[:2],
        mistakes={
            "an upper layer reads both directions: its input has width 2 H": lambda *a: count(*a, doubled=False),
            "each direction has weights of its own": lambda *a: count(*a, ways=False),
            "PyTorch keeps two biases for every block": lambda *a: count(*a, biases=1),
            "the biases are weights too": lambda *a: count(*a, biases=0),
            "only the first layer has inputs of width D": shallow,
            "every layer has recurrent weights, H x H": lambda *a: count(*a, recurrent=False),
            "a GRU has three blocks and an LSTM four": lambda *a: count(*a, blocks={"elman": 1, "gru": 2, "lstm": 3}),
        },
    )  # fmt: skip

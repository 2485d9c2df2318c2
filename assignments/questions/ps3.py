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
        questions=[minimal(), peephole(), peephole_backward(), last_states(), macro_f1(), weights()],
        written={"w1": 8, "w2": 8},
    )


def sigmoid(a):
    """1 / (1 + e^-a)"""
    return 1 / (1 + np.exp(-a))


def minimal() -> Question:
    """A cell with a single gate."""

    def step(x, h, W_f, U_f, b_f, W_n, U_n, b_n, swap=False, reset="state", gate=sigmoid, bias=True,
             turned=True):  # fmt: skip
        U_f, U_n = (U_f, U_n) if turned else (U_f.T, U_n.T)
        f = gate(x @ W_f.T + h @ U_f.T + (b_f if bias else 0))
        seen = {"state": f * h, "rest": (1 - f) * h}.get(reset, h) @ U_n.T
        inner = f * seen if reset == "product" else seen
        n = np.tanh(x @ W_n.T + inner + (b_n if bias else 0))
        return f * h + (1 - f) * n if swap else (1 - f) * h + f * n

    def right(x, h, W_f, U_f, b_f, W_n, U_n, b_n):
        return step(x, h, W_f, U_f, b_f, W_n, U_n, b_n)

    def cases(rng, sizes=((2, 3, 4), (3, 2, 5))):
        for B, D, H in sizes:
            shapes = ((B, D), (B, H), (H, D), (H, H), (H,), (H, D), (H, H), (H,))
            yield tuple(rng.normal(size=shape) for shape in shapes)

    return Question(
        "q1", "minimal_step", 4, right, lambda rng: list(cases(rng)), lambda rng: list(cases(rng, [(4, 3, 2)])),
        mistakes={
            "f says how much of the candidate comes in, and 1 - f how much stays": lambda *a: step(*a, swap=True),
            "the gate acts on the state before the product with U_n": lambda *a: step(*a, reset="product"),
            "the candidate sees the gated state f * h": lambda *a: step(*a, reset="none"),
            "a gate is a sigmoid, between 0 and 1": lambda *a: step(*a, gate=np.tanh),
            "the biases are missing": lambda *a: step(*a, bias=False),
            "the candidate sees f * h, not what stays, (1 - f) * h": lambda *a: step(*a, reset="rest"),
            "vectors are rows: the recurrent matrices are transposed, as those of the input are": lambda *a:
                step(*a, turned=False),
        },
    )  # fmt: skip


def peephole() -> Question:
    """An LSTM whose gates see the cell."""

    def run(x, W_x, W_h, b, p, late=True, order="ifgo", squash=True, holes=True, swap=False, cell=False,
            shown=False, hand=True):  # fmt: skip
        H = len(b) // 4
        h, c, states = np.zeros(H), np.zeros(H), []
        p = p if holes else np.zeros_like(p)
        for row in x:
            a = dict(zip(order, np.split(row @ W_x.T + h @ W_h.T + b, 4), strict=True))
            seen = h if shown else c
            i, f = sigmoid(a["i"] + p[0] * seen), sigmoid(a["f"] + p[1] * seen)
            i, f = (f, i) if swap else (i, f)
            new = f * c + i * np.tanh(a["g"])
            o = sigmoid(a["o"] + p[2] * (np.tanh(new) if shown else new if late else c))
            c, out = new, o * (np.tanh(new) if squash else new)
            h = out if hand else h
            states.append(c if cell else out)
        return np.array(states)

    def right(x, W_x, W_h, b, p):
        return run(x, W_x, W_h, b, p)

    def cases(rng, sizes=((4, 2, 3), (6, 3, 2))):
        for T, D, H in sizes:
            shapes = ((T, D), (4 * H, D), (4 * H, H), (4 * H,), (3, H))
            yield tuple(rng.normal(size=shape) for shape in shapes)

    return Question(
        "q2", "peephole_lstm", 5, right, lambda rng: list(cases(rng)), lambda rng: list(cases(rng, [(3, 1, 2)])),
        mistakes={
            "the output gate looks at the new cell state, c_t": lambda *a: run(*a, late=False),
            "the order of the blocks is another one: the output gate comes last": lambda *a: run(*a, order="ifog"),
            "h_t is o_t times tanh(c_t)": lambda *a: run(*a, squash=False),
            "the gates look through their peepholes p at the cell": lambda *a: run(*a, holes=False),
            "f belongs to the old cell state and i to the candidate": lambda *a: run(*a, swap=True),
            "return the states h_t, not the cell states c_t": lambda *a: run(*a, cell=True),
            "through a peephole a gate sees the cell itself, neither h nor tanh(c)": lambda *a: run(*a, shown=True),
            "h_{t-1} is an input of step t: hand it on": lambda *a: run(*a, hand=False),
        },
    )  # fmt: skip


def peephole_backward() -> Question:
    """One step of the peephole LSTM, backwards."""

    def backward(gates, c_before, p, dh, dc, wrong=""):
        i, f, g, o = gates
        c = f * c_before + i * g
        s = (lambda y: 1.0) if wrong in ("values", "sigmoids") else lambda y: y * (1 - y)
        d_o = dh * (c if wrong == "squash" else np.tanh(c)) * s(o)
        felt = (lambda d, y: d / s(y)) if wrong == "flat" else lambda d, y: d
        late = 0 if wrong in ("plain", "o", "early") else p[2] * felt(d_o, o)  # through the peephole of o
        arriving = (0 if wrong == "dh" else dh * o * (1 - np.tanh(c) ** 2)) + (0 if wrong == "dc" else dc) + late
        at_gates = arriving - late if wrong == "cell only" else arriving
        d_i = at_gates * (i if wrong == "mixed" else g) * s(i)
        d_f = at_gates * (c if wrong == "new" else c_before) * s(f)
        d_g = at_gates * (g if wrong == "mixed" else i)
        d_g = d_g * (1.0 if wrong == "values" else g * (1 - g) if wrong == "g" else 1 - g**2)
        before = (dc if wrong == "along" else arriving) * (1 if wrong == "f" else f)
        if wrong not in ("plain", "i and f"):
            before = before + p[0] * felt(d_i, i) + p[1] * felt(d_f, f)
        return np.concatenate([d_i, d_f, d_g, d_o]), before + (p[2] * d_o if wrong == "early" else 0)

    def cases(rng, widths=(2, 5)):
        for H in widths:
            i, f, o = sigmoid(rng.normal(size=(3, H)))
            g = np.tanh(rng.normal(size=H))
            before = rng.choice([-1, 1], H) * rng.uniform(2, 3, H)  # far from 0, where tanh(c) is not c
            yield np.array([i, f, g, o]), before, rng.normal(size=(3, H)), rng.normal(size=H), rng.normal(size=H)

    hints = {
        "plain": "that is the LSTM without peepholes: through them c_t acts on o too, and c_{t-1} on i and f",
        "o": "the output gate looked at c_t: c_t acts on h_t through its peephole too",
        "i and f": "the gates i and f looked at c_{t-1}: it acts through their peepholes too",
        "early": "the output gate looked at c_t, and not at c_{t-1}",
        "cell only": "what c_t hears through the peephole of o goes on to i, f and g as well",
        "flat": "a peephole enters before the sigmoid: on its path stands the gate's slope",
        "dh": "c_t also acts through h_t = o tanh(c_t)",
        "dc": "what comes from the next step, dc, adds to what comes through h_t",
        "values": "these are derivatives by the gates' values: those by a have the slopes of sigmoid and tanh too",
        "sigmoids": "the derivatives are by what enters the sigmoids: each has the slope s (1 - s)",
        "squash": "the output gate multiplies tanh(c_t), not c_t",
        "g": "g comes out of a tanh, with slope 1 - g^2",
        "new": "the forget gate multiplied c_{t-1}, not c_t",
        "mixed": "i was multiplied by g and g by i: each derivative has the other one",
        "along": "c_{t-1} gets its share of all that arrives at c_t, also of what comes through h_t",
        "f": "on the way from c_t to c_{t-1} stands the forget gate",
    }
    return Question(
        "q3", "peephole_backward", 6, backward, lambda rng: list(cases(rng)), lambda rng: list(cases(rng, [3])),
        mistakes={hint: lambda *a, wrong=wrong: backward(*a, wrong) for wrong, hint in hints.items()},
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

    def means(outputs, lengths):
        return np.array([row[:n].mean(axis=0) for row, n in zip(outputs, lengths, strict=True)])

    def cases(rng):
        for lengths, H in (([2, 5, 3], 2), ([4, 1, 6, 5], 3)):
            yield rng.normal(size=(len(lengths), 7, 2 * H)), np.array(lengths)

    def shown(rng):
        return [(rng.normal(size=(3, 4, 2)), np.array([2, 4, 3]))]

    return Question(
        "q4", "last_states", 4, right, lambda rng: list(cases(rng)), shown,
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
            "the backward states stand at their own words again: that half ends at step 0": lambda *a:
                pick(*a, backward=lambda n, T: T - n),
            "the halves have changed ends: here each has read a single word": lambda *a:
                pick(*a, forward=lambda n, T: 0, backward=lambda n, T: n - 1),
            "that is the mean over the words: take the one state of each half that has read them all": means,
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
        if mean == "counts":
            return float(2 * np.sum(t == a) / (len(t) + np.isin(a, t).sum()))
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

    def counted(rng, pairs, padding):
        """These pairs of target and answer in rows, an answer on padding at the end of each; the tags renamed."""
        names = np.append(rng.permutation(4), -1)
        real = rng.permutation([[int(tag) for tag in pair] for pair in pairs.split()])
        targets, answers = real.T.reshape(2, len(padding), -1)
        return names[np.c_[targets, [-1] * len(padding)]], names[np.c_[answers, padding]]

    def cases(rng):  # in the first, tag 2 is never given, tag 3 is in no target, and no two mistakes agree
        yield counted(rng, "00 00 00 00 00 00 01 10 10 11 11 11 13 20 21", (0, 1, 1))
        for n, tags in ((5, 4), (9, 5)):
            targets = rng.choice(tags, (n, 8), p=np.arange(1, tags + 1) / sum(range(1, tags + 1)))
            targets[0, :tags] = np.arange(tags)  # every tag occurs
            answers = np.where(rng.random((n, 8)) < 0.6, targets, rng.integers(0, tags, (n, 8)))
            targets[:, 6:] = np.where(rng.random((n, 2)) < 0.6, -1, targets[:, 6:])
            yield targets, answers

    def shown(rng):
        return [counted(rng, "00 00 00 01 10 11 13 20", (0, 1))]

    def right(targets, answers):
        return score(targets, answers)

    return Question(
        "q5", "macro_f1", 4, right, lambda rng: list(cases(rng)), shown,
        mistakes={
            "that is accuracy, which a frequent tag carries": lambda *a: score(*a, mean="tokens"),
            "that is micro F1, with the counts of all tags in one: take an F1 for each tag": lambda *a:
                score(*a, mean="counts"),
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

    def draw(rng, networks):
        return [(kind, int(rng.integers(41, 61)), int(rng.integers(5, 21)), *rest) for kind, *rest in networks]

    def cases(rng):
        return draw(rng, [("lstm", 2, True), ("gru", 3, True), ("elman", 1, True), ("lstm", 1, False)])

    def shown(rng):
        return draw(rng, [("elman", 1, False), ("gru", 2, False), ("lstm", 2, True)])

    def right(kind, D, H, layers, both):
        return count(kind, D, H, layers, both)

    def shallow(kind, D, H, layers, both):
        return layers * count(kind, D, H, 1, both)

    def wide(kind, D, H, layers, both):
        return count(kind, D, 2 * H if both else H, layers, False)

    return Question(
        "q6", "weights", 3, right, cases, shown,
        mistakes={
            "an upper layer reads both directions: its input has width 2 H": lambda *a: count(*a, doubled=False),
            "each direction has weights of its own": lambda *a: count(*a, ways=False),
            "PyTorch keeps two biases for every block": lambda *a: count(*a, biases=1),
            "the biases are weights too": lambda *a: count(*a, biases=0),
            "only the first layer has inputs of width D": shallow,
            "two directions are two networks of width H beside each other, not one of width 2 H": wide,
            "every layer has recurrent weights, H x H": lambda *a: count(*a, recurrent=False),
            "a GRU has three blocks and an LSTM four": lambda *a: count(*a, blocks={"elman": 1, "gru": 2, "lstm": 3}),
        },
    )  # fmt: skip

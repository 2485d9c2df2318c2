"""Problem set 6: decoding, cost, and what models compute."""

from __future__ import annotations

import math

import numpy as np

from assignments.grading.questions import ProblemSet, Question


def build(rng: np.random.Generator) -> ProblemSet:
    """The constants of this year, and the questions."""
    return ProblemSet(
        name="ps6",
        title="Decoding, cost, and what models compute",
        constants={"mass": round(float(rng.uniform(0.85, 0.95)), 2), "bound": int(rng.choice([6, 7, 9, 10]))},
        questions=[typical(), repetition(), drafts(), batch(), monoid(), split()],
        written={"w1": 8, "w2": 8},
    )


def typical() -> Question:
    """Keep what is about as surprising as expected."""

    def orders(p):
        """For each way to go wrong what the tokens are sorted by."""
        surprise = -np.log(np.maximum(p, 1e-300))
        entropy = float(np.sum(p * surprise))
        return {
            "typical": np.abs(surprise - entropy),
            "probable": surprise,
            "signed": entropy - surprise,
            "bits": np.abs(surprise - entropy / math.log(2)),
            "far": -np.abs(surprise - entropy),
            "nan": np.zeros(len(p)),
        }

    def keep(p, mass, key="typical", renormalise=True, extra=True):
        order = orders(p)[key]
        order = np.lexsort((np.arange(len(p)), np.where(p > 0, order, np.inf)))
        before = np.cumsum(p[order]) - p[order]
        chosen = order[before < mass] if extra else order[np.cumsum(p[order]) <= mass]
        kept = np.zeros_like(p)
        kept[chosen] = p[chosen]
        return kept / kept.sum() if renormalise else kept

    def cases(rng):
        for V, mass in ((6, 0.6), (8, 0.5), (9, 0.7)):
            p = np.append(0, np.full(V - 1, 1 / (V - 1)))
            while len({tuple(keep(p, mass, key)) for key in orders(p)}) < len(orders(p)):  # until each order tells
                p[1:] = rng.permutation(0.62 * rng.dirichlet(np.full(V - 1, 0.8)) + 0.38 * np.eye(V - 1)[0])
            yield p, mass

    def right(p, mass):
        return keep(p, mass)

    return Question(
        "q1", "typical", 5, right, lambda rng: list(cases(rng)), lambda rng: list(cases(rng))[:1],
        mistakes={
            "that keeps the most probable ones, which is top-p; is the absolute value missing?": lambda p, m:
                keep(p, m, "probable"),
            "what remains has to sum to one": lambda p, m: keep(p, m, renormalise=False),
            "the token that reaches the mass is kept too": lambda p, m: keep(p, m, extra=False),
            "less surprising than expected is as far off as more: take the absolute difference": lambda p, m:
                keep(p, m, "signed"),
            "entropy and surprise in the same unit": lambda p, m: keep(p, m, "bits"),
            "take the nearest to the entropy first, not the farthest": lambda p, m: keep(p, m, "far"),
            "0 ln 0 counts as 0, but NumPy makes it nan, and then the distances have no order": lambda p, m:
                keep(p, m, "nan"),
        },
    )  # fmt: skip


def repetition() -> Question:
    """Make what has been said less likely."""

    def penalise(logits, written, theta, how="both", each=False, softmax=True):
        z = np.array(logits, float)
        for i in written if each else sorted(set(written)):
            if how == "both":
                z[i] = z[i] / theta if z[i] > 0 else z[i] * theta
            elif how == "divide":
                z[i] /= theta
            elif how == "subtract":
                z[i] -= theta
            elif how == "flipped":
                z[i] = z[i] * theta if z[i] > 0 else z[i] / theta
        e = np.exp(z - z.max())
        return e / e.sum() if softmax else z

    def on_probabilities(logits, written, theta):
        p = penalise(logits, [], theta)
        p[sorted(set(written))] /= theta
        return p / p.sum()

    def cases(rng):
        for V in (5, 7):
            z = rng.normal(size=V) * 2
            z[:2] = abs(z[0]) + 0.3, -abs(z[1]) - 0.3
            yield z, [0, 1, 0, int(rng.integers(2, V)), 1, 0], float(rng.uniform(1.3, 2.0))

    def right(logits, written, theta):
        return penalise(logits, written, theta)

    return Question(
        "q2", "without_repeats", 4, right, lambda rng: list(cases(rng)), lambda rng: list(cases(rng))[:1],
        mistakes={
            "dividing a negative logit makes it larger: multiply it": lambda *a: penalise(*a, how="divide"),
            "once for each token that was written, however often": lambda *a: penalise(*a, each=True),
            "divide logits, not probabilities (which would be the same as subtracting ln theta)": on_probabilities,
            "the other way round: what was written has to lose": lambda *a: penalise(*a, how="flipped"),
            "theta is a factor: to subtract it is another rule": lambda *a: penalise(*a, how="subtract"),
            "every token that was written loses, not only the last one": lambda z, written, theta:
                penalise(z, written[-1:], theta),
            "these are the new logits: the distribution is their softmax": lambda *a: penalise(*a, softmax=False),
        },
    )  # fmt: skip


def drafts() -> Question:
    """What a draft model saves."""

    def saved(p, q, ahead, rate=None, last=1):
        a = float(np.minimum(p, q).sum()) if rate is None else rate
        return a, sum(a**i for i in range(ahead + last))

    def right(p, q, ahead):
        return saved(p, q, ahead)

    def cases(rng):
        for V, ahead in ((4, 3), (6, 5)):
            yield rng.dirichlet(np.ones(V)), rng.dirichlet(np.ones(V)), ahead

    def bounded(p, q, ahead):
        a = right(p, q, ahead)[0]
        return a, 1 + ahead * a

    return Question(
        "q3", "drafted", 4, right, lambda rng: list(cases(rng)), lambda rng: list(cases(rng))[:1],
        mistakes={
            "the pass itself always gives one token more": lambda p, q, n: (
                right(p, q, n)[0], right(p, q, n)[1] - 1),
            "when all guesses are accepted, the pass adds one token of its own": lambda p, q, n: saved(p, q, n, last=0),
            "the first refusal ends the round: the third guess counts only if the first two were accepted": bounded,
            "a token is proposed from q and accepted with min(1, p/q): together the sum of min(p, q)": lambda p, q, n:
                saved(p, q, n, rate=float(np.sum(p * q))),
            "that is the distance of p and q; what is accepted is one minus it": lambda p, q, n:
                saved(p, q, n, rate=float(np.abs(p - q).sum() / 2)),
            "there are only so many guesses: the sum of the powers stops": lambda p, q, n: (
                right(p, q, n)[0], 1 / (1 - right(p, q, n)[0])),
            "the total variation is half the sum of the differences": lambda p, q, n:
                saved(p, q, n, rate=1 - float(np.abs(p - q).sum())),
        },
    )  # fmt: skip


def batch() -> Question:
    """How many texts fit into a memory."""

    def fit(layers, kv_heads, width, context, weights, memory, both=2, per=2, own=None, floor=math.floor):
        cache = both * layers * kv_heads * width * context * per
        return floor((memory - (per if own is None else own) * weights) / cache)

    def cases(rng):
        for layers, heads, width in ((12, 12, 64), (32, 8, 128), (80, 8, 128)):
            context = int(rng.integers(1000, 9000))
            weights = int(rng.integers(1, 30)) * 10**8
            cache = 4 * layers * heads * width * context
            fits = rng.integers(5, 21) + rng.uniform(0.55, 0.9)  # rounding to the nearest is wrong
            yield layers, heads, width, context, weights, int(2 * weights + cache * fits)

    def right(layers, kv_heads, width, context, weights, memory):
        return fit(layers, kv_heads, width, context, weights, memory)

    return Question(
        "q4", "texts_at_once", 4, right, lambda rng: list(cases(rng)), lambda rng: list(cases(rng))[:1],
        mistakes={
            "keys and values: two numbers for each place and feature": lambda *a: fit(*a, both=1),
            "the weights take their part of the memory first": lambda *a: fit(*a, own=0),
            "two bytes a number": lambda *a: fit(*a, per=4),
            "half a text does not fit: round down": lambda *a: fit(*a, floor=math.ceil),
            "every head of keys and values has its own": lambda layers, heads, *a: fit(layers, 1, *a),
            "every layer keeps keys and values of its own": lambda layers, *a: fit(1, *a),
            "a weight takes two bytes as well": lambda *a: fit(*a, own=1),
            "a part of a text is no text: round down": lambda *a: fit(*a, floor=float),
        },
    )  # fmt: skip


def monoid() -> Question:
    """What the words of an automaton can do to its states."""

    def closure(maps, identity=True):
        size = len(maps[0])
        found = {tuple(range(size))} if identity else set()
        found |= {tuple(m) for m in maps}
        while True:
            new = {tuple(b[s] for s in a) for a in found for b in found} - found
            if not new:
                return found
            found |= new

    def counts(f):
        """Whether some power of f moves states round in a circle."""
        powers, g = [], tuple(range(len(f)))
        while g not in powers:
            powers.append(g)
            g = tuple(f[s] for s in g)
        return len(powers) - powers.index(g) > 1

    def right(maps, counts=counts):
        found = closure(maps)
        return len(found), not any(counts(f) for f in found)

    def permutes(f):
        return len(set(f)) == len(f) and list(f) != sorted(f)

    def goes_on(f):
        return any(f[f[s]] != f[s] for s in range(len(f)))

    def swaps(f):
        return any(f[f[s]] == s != f[s] for s in range(len(f)))

    def generators(maps):
        return len(closure(maps)), not any(counts(tuple(m)) for m in maps)

    def draw(rng):
        n = int(rng.choice([3, 5]))  # odd, so that no power of the circle goes round in a circle of two
        given = [
            [[0, 1], [0, 0], [1, 1]],
            [list(range(n)), [(s + 1) % n for s in range(n)]],
            [[1, 0, 0], [2, 2, 2]],  # the first letter goes round, though not with all states
            [[0, 0, 1], [2, 0, 2]],  # no letter goes round, but a word does
            [rng.integers(0, 3, 3).tolist(), [1, 1, 0]],
            [[1, 2, 0, 3], [0, 0, 1, 2]],
            [[1, 2, 3, 3], [0, 0, 1, 2]],  # up and down with stops: no circle, though applying a map twice goes further
        ]
        return [(maps,) for maps in given]

    def shown(rng):
        return [([[1, 0], [0, 0]],), ([[0, 0, 2], [1, 1, 2]],)]

    return Question(
        "q5", "monoid", 6, right, draw, shown,
        mistakes={
            "the empty word leaves every state where it is: the identity belongs to them": lambda maps: (
                len(closure(maps, identity=False)), right(maps)[1]),
            "the letters are only the beginning: compose until nothing new appears": lambda maps: (
                len({tuple(range(len(maps[0]))), *map(tuple, maps)}), generators(maps)[1]),
            "an automaton counts if any of its maps goes round in a circle, composed ones too": generators,
            "it is enough if some states go round: the others may come to rest": lambda maps: right(maps, permutes),
            "a map that moves on when it is applied twice may still come to rest": lambda maps: right(maps, goes_on),
            "a circle may be longer than two": lambda maps: right(maps, swaps),
            "every map has a power that equals its own square: compare a late power with the next one":
                lambda maps: (right(maps)[0], True),
            "True stands for an automaton that does not count": lambda maps: (right(maps)[0], not right(maps)[1]),
        },
    )  # fmt: skip


def split() -> Question:
    """How to divide a budget of computation."""

    def best(A, B, a, b, C, six=6.0, swap=False):
        C = C / six
        if swap:
            a, b = b, a
        G = (a * A / (b * B)) ** (1 / (a + b))
        return G * C ** (b / (a + b)), C ** (a / (a + b)) / G

    def flat(A, B, a, b, C):
        return math.sqrt(C / 6), math.sqrt(C / 6)

    def no_slopes(A, B, a, b, C):
        G = (A / B) ** (1 / (a + b))
        return G * (C / 6) ** (b / (a + b)), (C / 6) ** (a / (a + b)) / G

    def cases(rng):
        for C in (1e18, 1e21):
            yield (float(rng.uniform(200, 600)), float(rng.uniform(200, 600)), float(rng.uniform(0.28, 0.32)),
                   float(rng.uniform(0.34, 0.4)), C)  # fmt: skip

    def right(A, B, a, b, C):
        return best(A, B, a, b, C)

    return Question(
        "q6", "best_split", 5, right, lambda rng: list(cases(rng)), lambda rng: list(cases(rng))[:1],
        mistakes={
            "a token costs six operations for each weight: C = 6 N D": lambda *x: best(*x, six=1.0),
            "N and D need not be equal: set the derivative to zero": flat,
            "the exponents stand the other way round": lambda *x: best(*x, swap=True),
            "the derivative brings the exponents down as factors": no_slopes,
            "first the weights N, then the tokens D": lambda *x: best(*x)[::-1],
            "twenty tokens for each weight suit one set of the five numbers: derive what suits these": lambda *x: (
                math.sqrt(x[4] / 120), 20 * math.sqrt(x[4] / 120)),
        },
    )  # fmt: skip

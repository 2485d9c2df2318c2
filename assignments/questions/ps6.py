"""Problem set 6: decoding, cost, and what models compute."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np

from assignments.grading.questions import ProblemSet, Question
from course_lib.checks import plain, same


def build(rng: np.random.Generator) -> ProblemSet:
    """The constants of this year, and the questions."""
    bound = int(rng.choice([8, 9, 10]))
    return ProblemSet(
        name="ps6",
        title="Decoding, cost, and what models compute",
        constants={
            "mass": float(rng.choice([0.63, 0.64, 0.65, 0.69, 0.7, 0.71])),  # not near 2/3, where two words or three stay
            "bound": bound,
            "letters": math.ceil(2 + 2 * bound / math.log(2)),
        },
        questions=[typical(), repetition(), drafts(), memory(), automata(), split()],
        written={"w1": 8, "w2": 8},
    )  # fmt: skip


def told_apart(right, mistakes, case) -> bool:
    """Whether this case alone shows each mistake, and which one it is."""
    with np.errstate(all="ignore"):
        values = [plain(f(*case)) for f in (right, *mistakes.values())]
    return not any(same(x, y, 1e-3) for x, y in combinations(values, 2))


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
            "plain": np.abs(surprise - surprise[p > 0].mean()),
            "nan": np.zeros(len(p)),
        }

    def sort(p, key="typical"):
        return np.lexsort((np.arange(len(p)), np.where(p > 0, orders(p)[key], np.inf)))

    def keep(p, mass, key="typical", renormalise=True, extra=True):
        order = sort(p, key)
        before = np.cumsum(p[order]) - p[order]
        chosen = order[before < mass] if extra else order[np.cumsum(p[order]) <= mass]
        kept = np.zeros_like(p)
        kept[chosen] = p[chosen]
        return kept / kept.sum() if renormalise else kept

    def right(p, mass):
        return keep(p, mass)

    mistakes = {
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
        "the entropy is the expected surprisal: weigh each with its probability": lambda p, m: keep(p, m, "plain"),
        "the tokens that are kept stay as probable to one another as they were": lambda p, m:
            (keep(p, m) > 0) / np.sum(keep(p, m) > 0),
        "each token keeps its place: the order of the distances only says which are kept": lambda p, m:
            keep(p, m)[sort(p)],
    }  # fmt: skip

    def cases(rng):
        for V, mass in ((7, 0.625), (8, 0.525), (9, 0.725)):  # sums of hundredths never come near these
            case = np.ones(V), mass
            while len(set(case[0])) < V or not told_apart(right, mistakes, case):
                p = rng.multinomial(100, 0.62 * rng.dirichlet(np.full(V - 1, 0.8)) + 0.38 * np.eye(V - 1)[0]) / 100
                case = rng.permutation(np.append(0, p)), mass
            yield case

    return Question("q1", "typical", 5, right, lambda rng: list(cases(rng)), lambda rng: list(cases(rng))[:1], mistakes)


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

    def right(logits, written, theta):
        return penalise(logits, written, theta)

    mistakes = {
        "dividing a negative logit makes it larger: multiply it": lambda *a: penalise(*a, how="divide"),
        "once for each token that was written, however often": lambda *a: penalise(*a, each=True),
        "divide logits, not probabilities (which would be the same as subtracting ln theta)": on_probabilities,
        "the other way round: what was written has to lose": lambda *a: penalise(*a, how="flipped"),
        "theta is a factor: to subtract it is another rule": lambda *a: penalise(*a, how="subtract"),
        "every token that was written loses, not only the last one": lambda z, written, theta:
            penalise(z, written[-1:], theta),
        "these are the new logits: the distribution is their softmax": lambda *a: penalise(*a, softmax=False),
        "the sign is that of the logit as it came: subtract the largest afterwards": lambda z, *a:
            penalise(z - np.max(z), *a),
    }  # fmt: skip

    def cases(rng):
        for V in (5, 7):
            case = np.zeros(V), [0], 1.0
            while not told_apart(right, mistakes, case):
                z = rng.normal(size=V) * 2
                z[:2] = abs(z[0]) + 0.3, -abs(z[1]) - 0.3
                case = np.round(z, 1), [0, 1, 0, int(rng.integers(2, V)), 1, 0], int(rng.integers(13, 20)) / 10
            yield case

    return Question(
        "q2", "without_repeats", 3, right, lambda rng: list(cases(rng)), lambda rng: list(cases(rng))[:1], mistakes
    )


def drafts() -> Question:
    """What a draft saves, where its worth depends on the token before."""

    def reach(M, start, ahead):
        """With what probability the first 1, 2, ... proposals are all accepted."""
        row, chances = np.eye(len(M))[start], []
        for _ in range(ahead):
            row = row @ M
            chances.append(row.sum())
        return chances

    def right(P, Q, start, ahead):
        return 1 + sum(reach(np.minimum(P, Q), start, ahead))

    def same_everywhere(rate):
        def wrong(P, Q, start, ahead):
            a = rate(np.minimum(P, Q).sum(axis=1), start)
            return sum(a**j for j in range(ahead + 1))

        return wrong

    def one_by_one(P, Q, start, ahead, moves, stops=True):
        """Each proposal's acceptance averaged over where ``moves`` would have led without any check."""
        rates = [(np.linalg.matrix_power(moves, j) @ np.minimum(P, Q))[start].sum() for j in range(ahead)]
        return 1 + sum(np.cumprod(rates) if stops else rates)

    def at_the_end(P, Q, start, ahead):
        powers = ([np.linalg.matrix_power(T, j)[start] for T in (P, Q)] for j in range(1, ahead + 1))
        return 1 + sum(np.minimum(*pair).sum() for pair in powers)

    mistakes = {
        "behind another token another share is accepted: start is the last token only for the first proposal":
            same_everywhere(lambda rates, start: rates[start]),
        "no row is the mean row: follow the tokens that were accepted": same_everywhere(lambda rates, _: rates.mean()),
        "an accepted token is not distributed as a proposed one: carry on with min(P, Q), not with Q": lambda *a:
            one_by_one(*a, moves=a[1]),
        "an accepted proposal is not distributed as in the large model: carry on with min(P, Q), not with P":
            lambda *a: one_by_one(*a, moves=a[0]),
        "the first refusal ends the round: the third proposal counts only if the first two were accepted": lambda *a:
            one_by_one(*a, moves=a[1], stops=False),
        "the models are compared at every step, not after all of them": at_the_end,
        "a token is proposed from Q and accepted with min(1, P / Q): together min(P, Q)": lambda P, Q, *a:
            1 + sum(reach(P * Q, *a)),
        "the draft proposes, so the rate min(1, P / Q) is weighted with Q": lambda P, Q, *a:
            1 + sum(reach(P * np.minimum(1, P / Q), *a)),
        "what is proposed is drawn from Q: the rates min(1, P / Q) have no plain mean": lambda P, Q, *a:
            1 + sum(reach(np.minimum(1, P / Q) / len(P), *a)),
        "the pass itself always gives one token more": lambda *a: right(*a) - 1,
        "after a refusal, too, the pass gives a token, the replacement": lambda P, Q, *a:
            sum(reach(np.minimum(P, Q), *a)) + reach(np.minimum(P, Q), *a)[-1],
        "when all are accepted, the pass adds one token of its own": lambda P, Q, s, n: right(P, Q, s, n - 1),
        "the token that the pass adds is not proposed by the draft: it always counts": lambda P, Q, s, n:
            right(P, Q, s, n + 1),
        "the draft proposes only so many: the sum stops": lambda P, Q, s, n: right(P, Q, s, 500),
        "two steps are the product of two tables, not the square of each entry": lambda P, Q, s, n:
            1 + sum((np.minimum(P, Q) ** j)[s].sum() for j in range(1, n + 1)),
        "a row belongs to the token before: you read columns": lambda P, Q, *a: 1 + sum(reach(np.minimum(P, Q).T, *a)),
        "the text so far ends with start: there is no mean over the rows": lambda P, Q, s, n:
            np.mean([right(P, Q, i, n) for i in range(len(P))]),
    }  # fmt: skip

    def cases(rng):
        def table(V):
            return np.array([1 + rng.multinomial(20 - V, rng.dirichlet(np.ones(V))) for _ in range(V)]) / 20

        for V, ahead in ((3, 3), (2, 4), (4, 2), (5, 5)):
            case = table(V), table(V), 0, 1
            while not told_apart(right, mistakes, case) or (case[0] == case[1]).all(axis=1).any():
                case = table(V), table(V), int(rng.integers(V)), ahead  # no row where the draft is never refused
            yield case

    return Question(
        "q3", "tokens_a_pass", 5, right, lambda rng: list(cases(rng)), lambda rng: list(cases(rng))[:1], mistakes
    )


def memory() -> Question:
    """How long a text fits into a memory."""

    def fit(layers, windowed, window, kv_heads, width, weights, memory, both=2, per=2, own=None, floor=math.floor,
            long=max):  # fmt: skip
        room = (memory - (per if own is None else own) * weights) / (both * kv_heads * width * per)
        return floor(long(room / layers, (room - windowed * window) / (layers - windowed)))

    def right(*a):
        return fit(*a)

    mistakes = {
        "keys and values: two numbers for each place and feature": lambda *a: fit(*a, both=1),
        "the weights take their part of the memory first": lambda *a: fit(*a, own=0),
        "two bytes a number": lambda *a: fit(*a, per=4),
        "a weight takes two bytes as well": lambda *a: fit(*a, own=1),
        "the last token does not fit any more: round down": lambda *a: fit(*a, floor=math.ceil),
        "a part of a token is no token: round down": lambda *a: fit(*a, floor=float),
        "every head of keys and values has its own": lambda n, some, window, heads, *a: fit(n, some, window, 1, *a),
        "every layer keeps keys and values of its own": lambda n, some, *a: fit(1, 0, *a),
        "a layer with a window never keeps more than the window": lambda n, some, *a: fit(n, 0, *a),
        "a layer with a window keeps something, too: up to a whole window": lambda n, some, *a: fit(n - some, 0, *a),
        "a text shorter than the window does not fill it": lambda *a: fit(*a, long=lambda short, long: long),
        "it is `windowed` layers that have a window, and the others keep everything": lambda n, some, *a:
            fit(n, n - some, *a),
    }  # fmt: skip

    def cases(rng, shapes):
        for layers, windowed, window, heads, width in shapes:
            for tokens in (rng.integers(window // 4, window * 3 // 4), rng.integers(2 * window, 20 * window)):
                weights = int(rng.integers(1, 30)) * 10**8
                tokens = int(tokens) + rng.uniform(0.55, 0.9)  # rounding to the nearest is wrong
                kept = (layers - windowed) * tokens + windowed * min(tokens, window)
                yield layers, windowed, window, heads, width, weights, int(2 * weights + 4 * heads * width * kept)

    return Question(
        "q4", "longest_text", 4, right,
        lambda rng: list(cases(rng, ((26, 22, 1024, 4, 256), (48, 40, 512, 8, 128)))),
        lambda rng: list(cases(rng, ((12, 8, 1000, 12, 64),))), mistakes,
    )  # fmt: skip


def automata() -> Question:
    """What the words of an automaton can do to its states."""

    def words(maps, longest=math.inf, identity=True):
        """The maps of all words up to a length."""
        new = {tuple(range(len(maps[0])))} if identity else set(map(tuple, maps))
        found, length = set(new), 0
        while new and length < longest:
            new = {tuple(letter[s] for s in word) for word in new for letter in maps} - found
            found, length = found | new, length + 1
        return found

    def circle(f):
        """Whether some power of f moves states round in a circle."""
        powers, g = [], tuple(range(len(f)))
        while g not in powers:
            powers.append(g)
            g = tuple(f[s] for s in g)
        return len(powers) - powers.index(g) > 1

    def right(maps, test=circle):
        found = words(maps)
        return len(found), any(map(test, found))

    def permutes(f):
        return len(set(f)) == len(f) and list(f) != sorted(f)

    def goes_on(f):
        return any(f[f[s]] != f[s] for s in range(len(f)))

    def swaps(f):
        return any(f[f[s]] == s != f[s] for s in range(len(f)))

    def letters(maps):
        return any(circle(tuple(m)) for m in maps)

    def short_words(maps):
        found = words(maps, longest=len(maps[0]))
        return len(found), any(map(circle, found))

    def draw(rng):
        def renamed(maps):
            """The same automaton with other names for its states and letters."""
            name = rng.permutation(len(maps[0]))
            return [[int(name[letter[s]]) for s in np.argsort(name)] for letter in rng.permutation(maps)]

        n = int(rng.choice([3, 5]))  # odd, so that no power of the circle goes round in a circle of two
        given = [
            [[0, 1], [0, 0], [1, 1]],
            [list(range(n)), [(s + 1) % n for s in range(n)]],
            [[1, 0, 0], [2, 2, 2]],  # the first letter goes round, though not with all states
            [[0, 0, 1], [2, 0, 2]],  # no letter goes round, but a word does
            [[1, 2, 0, 3], [0, 0, 1, 2]],  # 57 maps, some of which no word of four letters makes
            [[1, 2, 3, 4, 4], [0, 0, 1, 2, 3]],  # up and down with stops: no circle, yet slow to rest
            np.sort(rng.integers(0, 4, (2, 4))).tolist(),  # maps that keep the order of the states never turn them
        ]
        return [(renamed(maps),) for maps in given]

    def shown(rng):
        return [([[0, 0], [1, 1]],), ([[1, 2, 2], [0, 0, 1]],), ([[0, 1, 0], [1, 2, 2]],), ([[1, 2, 0, 0], [3] * 4],)]

    return Question(
        "q5", "word_maps", 6, right, draw, shown,
        mistakes={
            "the empty word leaves every state where it is: the identity belongs to them": lambda maps: (
                len(words(maps, identity=False)), right(maps)[1]),
            "the letters are only the beginning: compose until nothing new appears": lambda maps: (
                len(words(maps, longest=1)), letters(maps)),
            "words longer than there are states can make new maps: go on until none does": short_words,
            "an automaton counts if any of its maps goes round in a circle, composed ones too": lambda maps: (
                right(maps)[0], letters(maps)),
            "it is enough if some states go round: the others may come to rest": lambda maps: right(maps, permutes),
            "a map that moves on when it is applied twice may still come to rest": lambda maps: right(maps, goes_on),
            "a circle may be longer than two": lambda maps: right(maps, swaps),
            "every map has a power that equals its own square: compare a late power with the next one": lambda maps: (
                right(maps)[0], False),
            "True stands for an automaton that counts": lambda maps: (right(maps)[0], not right(maps)[1]),
            "two maps may reach the same states and differ: compare where each state goes": lambda maps: (
                len(set(map(frozenset, words(maps)))), letters(maps)),
        },
    )  # fmt: skip


def split() -> Question:
    """How to divide a budget of computation."""

    def best(A, B, a, b, C, six=6, slopes=True, own=False, turn=1, price=0):
        """A A' N^-a = B B' D^-b, with the slopes A' = a and B' = b; the options are ways to go wrong."""
        ratio = (a * A / (b * B) if slopes else A / B) ** turn
        N = (ratio * (C / six) ** ((a if own else b) + price)) ** (1 / (a + b + 2 * price))
        return N, C / six / N

    def right(*x):
        return best(*x)

    mistakes = {
        "a token costs six operations for each weight: C = 6 N D": lambda *x: best(*x, six=1),
        "N and D need not be equal: set the derivative to zero": lambda *x: (math.sqrt(x[4] / 6),) * 2,
        "a belongs to the weights and b to the tokens: you have exchanged them": lambda A, B, a, b, C:
            best(A, B, b, a, C),
        "the larger a is, the sooner more weights stop to help: N grows with the power b / (a + b)": lambda *x:
            best(*x, own=True),
        "the larger A is, the more weights are worth: the ratio stands upside down": lambda *x: best(*x, turn=-1),
        "the derivative brings the exponents down as factors": lambda *x: best(*x, slopes=False),
        "the product of N and D is given, not their sum: put D = C / (6 N) into the loss before you differentiate":
            lambda *x: best(*x, price=1),
        "first the weights N, then the tokens D": lambda *x: best(*x)[::-1],
        "twenty tokens for each weight suit one set of the five numbers: derive what suits these": lambda *x: (
            math.sqrt(x[4] / 120), 20 * math.sqrt(x[4] / 120)),
    }  # fmt: skip

    def cases(rng):
        for C in (1e18, 1e21):
            case = 1.0, 1.0, 0.3, 0.3, C
            while not told_apart(right, mistakes, case):
                A, B = rng.integers(200, 600, 2)
                a, b = rng.integers(25, 45, 2) / 100
                case = float(A), float(B), float(a), float(b), C
            yield case

    return Question(
        "q6", "best_split", 5, right, lambda rng: list(cases(rng)), lambda rng: list(cases(rng))[:1], mistakes
    )

"""Checks for the exercises of the chapter on language modeling."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np

from course_lib.checks import Result, compare


def _joint(seed: int, symbols: str = "abc", length: int = 4) -> dict[tuple[str, ...], float]:
    p = np.random.default_rng(seed).dirichlet(np.full(len(symbols) ** length, 0.5))
    return dict(zip(itertools.product(symbols, repeat=length), p.tolist(), strict=True))


def _mass(joint: dict, fits: Callable) -> float:
    return sum(p for sequence, p in joint.items() if fits(sequence))


def conditionals(answer: Callable) -> Result:
    """The chain rule: ``answer(joint, sequence)`` -> [p(x_1), p(x_2 | x_1), ...]."""

    def prefix(joint, x, t):
        return _mass(joint, lambda s: s[:t] == x[:t])

    def right(joint, x):
        return [prefix(joint, x, t + 1) / prefix(joint, x, t) for t in range(len(x))]

    def last_only(joint, x):
        pairs = [
            _mass(joint, lambda s, t=t: s[max(t - 1, 0) : t + 1] == x[max(t - 1, 0) : t + 1]) for t in range(len(x))
        ]
        return [p / (_mass(joint, lambda s, t=t: s[t - 1] == x[t - 1]) if t else 1) for t, p in enumerate(pairs)]

    mistakes = {
        "these are the probabilities of the prefixes. Divide each by the probability of the prefix before it.": lambda j, x: [
            prefix(j, x, t + 1) for t in range(len(x))
        ],
        "these are the marginals p(x_t), which forget everything before. Condition on the whole prefix.": lambda j, x: [
            _mass(j, lambda s, t=t: s[t] == x[t]) for t in range(len(x))
        ],
        "you condition on the last symbol alone; the chain rule needs the whole prefix.": last_only,
        "these are logarithms; the exercise asks for the probabilities themselves.": lambda j, x: [
            math.log(p) for p in right(j, x)
        ],
        "you condition on the letters that follow: the prefix is what came before.": lambda j, x: [
            _mass(j, lambda s, t=t: s[t:] == x[t:]) / _mass(j, lambda s, t=t: s[t + 1 :] == x[t + 1 :])
            for t in range(len(x))
        ],
        "above the line stands the whole sequence: take the prefix up to and including w_t.": lambda j, x: [
            j[x] / prefix(j, x, t) for t in range(len(x))
        ],
    }
    cases = [(_joint(s), x) for s, x in ((1, tuple("abca")), (2, tuple("ccab")), (3, tuple("bbbb")))]
    return compare(answer, right, cases, mistakes, "their product is the joint probability, exactly.")


def units(answer: Callable) -> Result:
    """``answer(nats, tokens, characters)`` -> bits per token, perplexity, bits per character."""

    def right(nats, tokens, characters):
        return [nats / tokens / math.log(2), math.exp(nats / tokens), nats / math.log(2) / characters]

    mistakes = {
        "the bits come out too small: a nat is 1/ln 2 = 1.44 bits, so divide by ln 2 instead of multiplying.": lambda n, t, c: [
            n / t * math.log(2),
            math.exp(n / t),
            n * math.log(2) / c,
        ],
        "perplexity is e to the nats (or 2 to the bits), not 2 to the nats.": lambda n, t, c: [
            n / t / math.log(2),
            2 ** (n / t),
            n / math.log(2) / c,
        ],
        "the bits per character are still per token: divide the total by the characters.": lambda n, t, c: [
            n / t / math.log(2),
            math.exp(n / t),
            n / math.log(2) / t,
        ],
        "nats is the total over the text: divide by the number of tokens before you exponentiate.": lambda n, t, c: [
            n / math.log(2),
            math.exp(n),
            n / math.log(2) / c,
        ],
        "the bits per character divide the bits per token once more: divide the total by the characters.": lambda n, t, c: [
            n / t / math.log(2),
            math.exp(n / t),
            n / t / math.log(2) / c,
        ],
        "these are nats per token and per character: divide by ln 2 for bits.": lambda n, t, c: [
            n / t,
            math.exp(n / t),
            n / c,
        ],
        "perplexity is e to the nats or 2 to the bits, not e to the bits.": lambda n, t, c: [
            n / t / math.log(2),
            math.exp(n / t / math.log(2)),
            n / math.log(2) / c,
        ],
        "a character costs less than a token, which is several: divide the total by the characters.": lambda n, t, c: [
            n / t / math.log(2),
            math.exp(n / t),
            n / t / math.log(2) * c / t,
        ],
    }
    return compare(
        answer,
        right,
        [(9.6827, 6, 31), (120.0, 50, 260), (3.0, 2, 7)],
        mistakes,
        "bits, nats and perplexity agree.",
    )


def log_softmax(answer: Callable) -> Result:
    """``answer(scores)`` -> log softmax over the last axis, finite for scores of any size."""

    def along(axis):
        def f(z):
            shifted = z - z.max(axis=axis, keepdims=True)
            return shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))

        return f

    def naive(z):
        with np.errstate(all="ignore"):
            e = np.exp(z)
            return np.log(e / e.sum(axis=-1, keepdims=True))

    def half_naive(z):
        with np.errstate(all="ignore"):
            return z - np.log(np.exp(z).sum(axis=-1, keepdims=True))

    def rounded(z):
        with np.errstate(all="ignore"):
            e = np.exp(z - z.max(axis=-1, keepdims=True))
            return np.log(e / e.sum(axis=-1, keepdims=True))

    def one_shift(z):
        return z - z.max() - np.log(np.exp(z - z.max()).sum(axis=-1, keepdims=True))

    def no_axis(z):
        shifted = z - z.max(axis=-1)
        return shifted - np.log(np.exp(shifted).sum(axis=-1))

    mistakes = {
        "exp overflows for scores of 10,000 and gives inf or NaN. Subtract the largest score of each row first.": naive,
        "the sum of exp overflows. Subtract the largest score of each row before exp, and add it back outside.": half_naive,
        "log of a softmax gives -inf where the probability rounds to 0. Use z - max - log(sum(exp(z - max))).": rounded,
        "normalised over the first axis instead of the last: each row should be a distribution.": along(0),
        "normalised over the whole array: each row should be a distribution of its own.": along(None),
        "these are probabilities: return their logarithms.": lambda z: np.exp(along(-1)(z)),
        "the largest of the whole array was subtracted: in a row far below it every exp is 0. Take each row's own.": one_shift,
        "the largest was subtracted inside exp alone: add it to the logarithm again, or subtract it outside too.": lambda z: (
            along(-1)(z) + z.max(axis=-1, keepdims=True)
        ),
        "what belongs to a row was taken off the columns: keep the axis, keepdims=True.": no_axis,
    }
    rng = np.random.default_rng(0)
    cases = [
        (rng.normal(size=(3, 3)),),
        (np.array([[1e4, 0.0, -1e4]]),),
        (rng.normal(size=5),),
        (np.array([1e4, 1e4]),),
        (np.array([[1e4, 0.0], [0.0, -1.0]]),),
    ]
    return compare(answer, along(-1), cases, mistakes, "finite and right for scores from -10,000 to 10,000.")


def _stationary(P: np.ndarray) -> np.ndarray:
    n = len(P)
    return np.linalg.lstsq(np.vstack([P.T - np.eye(n), np.ones(n)]), np.append(np.zeros(n), 1.0), rcond=None)[0]


def _entropy(p: np.ndarray) -> float:
    p = np.asarray(p)[np.asarray(p) > 0]
    return float(-(p * np.log(p)).sum())


def markov_entropy_rate(answer: Callable) -> Result:
    """``answer(P)`` -> entropy rate in nats of a Markov chain with transition matrix P (rows sum to one)."""

    def right(P):
        return float(_stationary(P) @ [_entropy(row) for row in P])

    def no_care(P):
        return float(_stationary(P) @ -(P * np.log(P)).sum(axis=1))

    def power(P):
        return float(np.linalg.matrix_power(P, 500)[0] @ [_entropy(row) for row in P])

    mistakes = {
        "this is the entropy of the stationary distribution, which ignores what the last symbol tells.": lambda P: (
            _entropy(_stationary(P))
        ),
        "the rows are averaged equally. Weight each by how often its state is visited: the left eigenvector, pi P = pi.": lambda P: (
            float(np.mean([_entropy(row) for row in P]))
        ),
        "this is in bits: use the natural logarithm.": lambda P: right(P) / math.log(2),
        "0 log 0 came out as NaN. Leave out the entries of P that are zero; they contribute nothing.": no_care,
        "a power of P tells how often a state is visited only if the chain does not alternate: solve for pi.": power,
    }
    cases = [
        (np.array([[0.9, 0.1], [0.5, 0.5]]),),
        (np.array([[0.0, 1.0, 0.0], [0.2, 0.3, 0.5], [0.6, 0.2, 0.2]]),),
        (np.random.default_rng(3).dirichlet(np.ones(4), size=4),),
        (np.array([[0.0, 1.0, 0.0], [0.3, 0.0, 0.7], [0.0, 1.0, 0.0]]),),  # alternates
    ]
    return compare(answer, right, cases, mistakes, "zero probabilities included.")


def kl_divergence(answer: Callable) -> Result:
    """``answer(p, q)`` -> KL(p || q) in nats; 0 log 0 is 0, and infinite where q is 0 but p is not."""

    def right(p, q):
        if np.any((p > 0) & (q == 0)):
            return math.inf
        used = p > 0
        return float((p[used] * np.log(p[used] / q[used])).sum())

    def no_care(p, q):
        with np.errstate(all="ignore"):
            return float((p * np.log(p / q)).sum())

    def drop_zeros(p, q):
        used = (p > 0) & (q > 0)
        return float((p[used] * np.log(p[used] / q[used])).sum())

    mistakes = {
        "this is KL(q || p). The average is over the true distribution p: p log(p/q).": lambda p, q: right(q, p),
        "0 log 0 came out as NaN. Leave out the outcomes with p = 0; they contribute nothing.": no_care,
        "an outcome that p allows and q forbids costs infinitely much; you left it out.": drop_zeros,
        "this is the cross-entropy. Subtract the entropy of p.": lambda p, q: right(p, q) + _entropy(p),
        "this is in bits: use the natural logarithm.": lambda p, q: right(p, q) / math.log(2),
        "the sign is wrong: KL is never negative.": lambda p, q: -right(p, q),
        "where q is 0 and p is too, nothing is lost: only outcomes with p > 0 count.": lambda p, q: (
            math.inf if np.any(q == 0) else right(p, q)
        ),
        "it is a mean over p: weight each log(p/q) by p.": lambda p, q: float(np.log(p[p > 0] / q[p > 0]).sum()),
        "p is the weight already: sum the terms, and don't divide by their number.": lambda p, q: right(p, q) / len(p),
    }
    a, b = np.array([0.5, 0.25, 0.25]), np.array([0.2, 0.5, 0.3])
    cases = [
        (a, b),
        (b, a),
        (np.array([1.0, 0.0]), np.array([0.5, 0.5])),
        (np.array([0.5, 0.5]), np.array([1.0, 0.0])),
        (np.array([0.5, 0.5, 0.0]), np.array([0.25, 0.75, 0.0])),
    ]
    return compare(answer, right, cases, mistakes, "zeros on either side are treated as they should be.")


def mass_up_to(answer: Callable) -> Result:
    """``answer(stop, L)`` -> total probability of all strings of 1 to L words when each word but the first may be the end."""

    def right(stop, L):
        return 1 - (1 - stop) ** L

    mistakes = {
        "this is the mass of the strings longer than L.": lambda s, L: (1 - s) ** L,
        "off by one: a string of one word has probability mass stop, not 1 - (1 - stop)^2.": lambda s, L: (
            1 - (1 - s) ** (L + 1)
        ),
        "off by one: count the strings of exactly L words too.": lambda s, L: 1 - (1 - s) ** (L - 1),
        "without the end mark every length has mass 1; here the end takes its share at every step.": lambda s, L: float(
            L
        ),
        "this is the mass of length L alone: sum over the lengths 1 to L.": lambda s, L: s * (1 - s) ** (L - 1),
        "the end comes only after a word: a string of k words has passed it by k - 1 times, not k.": lambda s, L: (
            (1 - s) * right(s, L)
        ),
        "each string also has to end: a factor stop is missing.": lambda s, L: right(s, L) / s,
        "stop is the probability of ending, 1 - stop that of going on: they are exchanged.": lambda s, L: 1 - s**L,
    }
    cases = [(0.3, 1), (0.3, 4), (0.05, 30), (1.0, 2)]
    return compare(answer, right, cases, mistakes, "it tends to 1 for any stop > 0.")


def per_word_perplexity(answer: Callable) -> Result:
    """``answer(char_log_probs, words)`` -> the perplexity per word of a model of characters."""

    def right(log_probs, words):
        return math.exp(-float(np.sum(log_probs)) / words)

    mistakes = {
        "this is the perplexity per character. Share the total surprisal among the words.": lambda l, w: math.exp(
            -float(np.mean(l))
        ),
        "surprisal adds up over the characters of a word, so perplexities multiply: a power, not a product.": lambda l, w: (
            math.exp(-float(np.mean(l))) * len(l) / w
        ),
        "these are the nats per word: exponentiate.": lambda l, w: -float(np.sum(l)) / w,
        "the sign is wrong: a perplexity is at least 1.": lambda l, w: math.exp(float(np.sum(l)) / w),
        "the logarithms are natural: e to the nats, not 2 to the nats.": lambda l, w: 2 ** (-float(np.sum(l)) / w),
        "the characters per word need not be a whole number: don't round down.": lambda l, w: math.exp(
            -float(np.mean(l)) * (len(l) // w)
        ),
        "the characters per word need not be a whole number: don't round.": lambda l, w: math.exp(
            -float(np.mean(l)) * round(len(l) / w)
        ),
    }
    cases = [
        (np.log([0.5, 0.25, 0.5, 0.5]), 1),
        (np.log(np.linspace(0.1, 0.9, 20)), 4),
        (np.log([0.9] * 14), 3),
    ]
    return compare(answer, right, cases, mistakes, "a perplexity per character becomes one per word by a power.")


def is_causal(answer: Callable) -> Result:
    """``answer(model, ids, V)`` -> whether row t of ``model(ids)``, shape (T, V), ignores the tokens t, t + 1, ..."""

    def rows(ids, V, weight):
        """Row t is a softmax of weighted one-hot tokens; ``weight(t, s)`` says how much token s counts in row t."""
        T = len(ids)
        scores = np.array([[sum(weight(t, s) for s in range(T) if ids[s] == v) for v in range(V)] for t in range(T)])
        e = np.exp(scores)
        return e / e.sum(axis=1, keepdims=True)

    models = {
        "honest": (lambda t, s: 1.0 / (t - s) if s < t else 0.0, True),
        "forgetful": (lambda t, s: 1.0 * (s == t - 1), True),
        "peeks_at_its_own_answer": (lambda t, s: 1.0 * (s == t) + 0.5 * (s < t), False),
        "peeks_one_ahead": (lambda t, s: 1.0 * (s == t + 1), False),
        "peeks_a_little": (lambda t, s: 1.0 / (t - s) if s < t else 0.01 * (t > 0), False),
        "peeks_at_the_last_word": (lambda t, s: 0.1 * (s == 5) + 0.5 * (s < t), False),
        "peeks_at_the_first_word": (lambda t, s: 1.0 * (s == t - 1 or s == t == 0), False),
    }
    ids, V = [0, 2, 1, 1, 0, 2], 3

    def build(name):
        def model(x):
            return rows(list(x), V, models[name][0])

        model.__name__ = name
        return model

    for name, (_, truth) in models.items():
        result = compare(lambda name=name: bool(answer(build(name), list(ids), V)), lambda truth=truth: truth, [()])
        if not result and "you return" in result.message:
            hint = {
                "peeks_at_its_own_answer": "row t may not depend on token t either: change token s and compare the rows 0 .. s.",
                "peeks_one_ahead": "when token s changes, none of the rows 0 .. s may move: compare them all, for every s.",
                "peeks_a_little": "a small leak is one too: compare whole rows and allow for rounding alone.",
                "peeks_at_the_last_word": "one change is not enough: try every position, the last one too.",
                "peeks_at_the_first_word": "try every position, the first one too, with an id that it does not have yet.",
            }.get(
                name,
                "rows after a changed token may move: change one at a time, in a fresh copy, and compare the rows 0 .. s.",
            )
            return Result(
                False,
                f"the model '{name}' {'is' if truth else 'is not'} causal, but you say otherwise: {hint}",
            )
        if not result:
            return result
    return Result(True, "honest and cheating models are told apart.")


def agree_entropy(answer: Callable) -> Result:
    """``answer(stop)`` -> (nats per sentence, tokens per sentence) of AGREE with that stopping probability."""

    def agree(s, fillers=lambda s: (1 - s) / s, decisions=lambda s: 1 / s):
        coin = _entropy([s, 1 - s]) * decisions(s)
        return [math.log(8) + coin + fillers(s) * math.log(6) + math.log(4), 4 + fillers(s)]

    def right(s):
        return agree(s)

    mistakes = {
        "the end of the sentence is a token too: there are 4 of them besides the fillers.": lambda s: [
            right(s)[0],
            right(s)[1] - 1,
        ],
        "1/stop counts the decisions; one of them is the decision to stop, so the fillers are 1/stop - 1.": lambda s: (
            agree(s, fillers=lambda s: 1 / s)
        ),
        "the verb is one of the four of its number: the noun has decided the number already.": lambda s: [
            right(s)[0] + math.log(2),
            right(s)[1],
        ],
        "the choice between going on and stopping has an entropy of its own, once for each decision.": lambda s: agree(
            s, decisions=lambda s: 0
        ),
        "this is in bits: use the natural logarithm.": lambda s: [right(s)[0] / math.log(2), right(s)[1]],
        "the decision is made 1/stop times in a sentence, not once.": lambda s: agree(s, decisions=lambda s: 1),
        "stop is the probability of the verb, 1 - stop that of a filler: they are exchanged.": lambda s: right(1 - s),
        "this is the rate: return its two parts, nats and tokens.": lambda s: right(s)[0] / right(s)[1],
    }
    return compare(answer, right, [(0.3,), (0.5,), (0.9,)], mistakes, "the formula agrees with the automaton.")

"""Problem set 1: language models and n-grams."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

from assignments.grading.questions import ProblemSet, Question

WORDS = ["cow", "hen", "pig", "owl", "fox", "ant"]
BOS, EOS = "<bos>", "<eos>"


def build(rng: np.random.Generator) -> ProblemSet:
    """The constants of this year, and the questions."""
    base = int(rng.integers(3, 10))
    return ProblemSet(
        name="ps1",
        title="Language models and n-grams",
        constants={"base": base},
        questions=[report(base), sentence(), witten_bell(), unknown_words(), cache(), bigram_floor()],
        written={"w1": 8, "w2": 8},
    )


def report(base: int) -> Question:
    """Surprisal in a base of its own, perplexity, surprisal per character."""

    def right(log_probs, characters):
        nats, tokens = -sum(map(np.sum, log_probs)), sum(map(len, log_probs))
        return nats / tokens / math.log(base), math.exp(nats / tokens), nats / characters / math.log(base)

    def by_sentence(log_probs, characters):
        mean = -float(np.mean([np.mean(row) for row in log_probs]))
        return mean / math.log(base), math.exp(mean), right(log_probs, characters)[2]

    def without_ends(log_probs, characters):
        return right([row[:-1] for row in log_probs], characters)

    def cases(rng):
        for lengths in ((4,), (2, 9), (3, 5, 12)):
            yield [np.log(rng.uniform(0.01, 0.9, n)) for n in lengths], int(rng.integers(30, 90))

    return Question(
        "q1", "report", 4, right, lambda rng: list(cases(rng)), lambda rng: list(cases(rng))[:1],
        mistakes={
            "you measure in nats: a unit of base b is ln b nats": lambda x, n: (
                right(x, n)[0] * math.log(base), right(x, n)[1], right(x, n)[2] * math.log(base)),
            "the mean of the sentences' means weighs a short sentence like a long one: add up first": by_sentence,
            "the last number of each sentence belongs to its end mark, and is a token like the others": without_ends,
            "perplexity does not depend on the unit: raise b to what you measured in base b, or e to the nats":
                lambda x, n: (right(x, n)[0], math.e ** right(x, n)[0], right(x, n)[2]),
            "a surprisal is minus a logarithm": lambda x, n: (
                -right(x, n)[0], 1 / right(x, n)[1], -right(x, n)[2]),
        },
    )  # fmt: skip


def sentence() -> Question:
    """The log-probability of a sentence under a table of bigrams."""

    def score(table, words, before=(BOS,), after=(EOS,), missing=-math.inf, log=math.log):
        tokens = [*before, *words, *after]
        p = [table.get(pair, 0.0) for pair in pairwise(tokens)]
        return float(sum(log(x) if x > 0 else missing for x in p))

    def cases(rng):
        for length, gap in ((3, False), (0, False), (5, True)):
            states = [*WORDS[:4], EOS]
            table = {(a, b): float(p) for a in [BOS, *WORDS[:4]]
                     for b, p in zip(states, rng.dirichlet(np.ones(5)), strict=True)}  # fmt: skip
            words = [WORDS[i] for i in rng.integers(0, 4, length)]
            if gap:
                del table[words[1], words[2]]
            yield table, words

    return Question(
        "q2", "log_prob", 4, score, lambda rng: list(cases(rng)), lambda rng: list(cases(rng))[:1],
        mistakes={
            "the first word has a probability too, after the start mark": lambda t, w: score(t, w, before=()),
            "the sentence also ends, and that has a probability": lambda t, w: score(t, w, after=()),
            "a pair that the table does not have is impossible, so the whole sentence is: minus infinity":
                lambda t, w: score(t, w, missing=0.0),
            "that is the probability, not its logarithm": lambda t, w: math.exp(score(t, w)),
            "these are bits: use the natural logarithm": lambda t, w: score(t, w) / math.log(2),
        },
    )  # fmt: skip


def witten_bell() -> Question:
    """Smoothing by the number of different followers."""

    def right(counts, lower):
        n, types = sum(counts.values()), sum(c > 0 for c in counts.values())
        return {w: (counts.get(w, 0) + types * p) / (n + types) for w, p in lower.items()}

    def one_above(counts, lower):
        n, types = sum(counts.values()), sum(c > 0 for c in counts.values())
        return {w: (counts.get(w, 0) + p) / (n + types) for w, p in lower.items()}

    def with_types(types):
        def wrong(counts, lower):
            n, t = sum(counts.values()), types(counts, lower)
            return {w: (counts.get(w, 0) + t * p) / (n + t) for w, p in lower.items()}

        return wrong

    def only_unseen(counts, lower):
        n, types = sum(counts.values()), sum(c > 0 for c in counts.values())
        rest = sum(p for w, p in lower.items() if not counts.get(w, 0))
        return {w: counts[w] / (n + types) if counts.get(w, 0) else types / (n + types) * p / rest
                for w, p in lower.items()}  # fmt: skip

    def cases(rng):
        for size in (2, 3, 4):
            lower = dict(zip(WORDS, map(float, rng.dirichlet(np.ones(len(WORDS)))), strict=True))
            seen = rng.choice(WORDS, size, replace=False)
            counts = {str(w): int(c) for w, c in zip(seen, rng.integers(1, 9, size), strict=True)}
            yield counts | {str(rng.choice([w for w in WORDS if w not in seen])): 0}, lower

    return Question(
        "q3", "witten_bell", 5, right, lambda rng: list(cases(rng)), lambda rng: list(cases(rng))[:1],
        mistakes={
            "T counts the different words seen after this context, not the whole vocabulary":
                with_types(lambda counts, lower: len(lower)),
            "a word with the count 0 was not seen: it is no type": with_types(lambda counts, lower: len(counts)),
            "T must stand above and below, or the probabilities do not sum to one": one_above,
            "the seen words get their share of the lower order as well: this interpolates, it does not back off":
                only_unseen,
            "T is the number of types, and you took the number of tokens":
                with_types(lambda counts, lower: sum(counts.values())),
        },
    )  # fmt: skip


def unknown_words() -> Question:
    """The cross-entropy when UNK has to be spelled out."""

    def right(log_probs, tokens, vocabulary, types):
        extra = sum(token not in vocabulary for token in tokens) * math.log(types)
        return (extra - float(np.sum(log_probs))) / len(tokens)

    def known(tokens, vocabulary):
        return np.array([token in vocabulary for token in tokens])

    def dropped(log_probs, tokens, vocabulary, types):
        return -float(np.mean(np.array(log_probs)[known(tokens, vocabulary)]))

    def cases(rng):
        for n in (6, 10, 15):
            tokens = [WORDS[i] for i in rng.permutation(np.arange(n) % 6)]
            yield np.log(rng.uniform(0.05, 0.8, n)), tokens, set(WORDS[:4]), int(rng.integers(20, 400))

    cross_entropy = lambda x: -float(np.mean(x))  # noqa: E731
    return Question(
        "q4", "fair_cross_entropy", 4, right,
        lambda rng: [(x, t, sorted(v), k) for x, t, v, k in cases(rng)],
        lambda rng: [(x, t, sorted(v), k) for x, t, v, k in cases(rng)][:1],
        mistakes={
            "UNK is a whole set of words, and the model has not said which of them it is": lambda x, t, v, k:
                cross_entropy(x),
            "leaving the unknown tokens out rewards a model for a small vocabulary": dropped,
            "the unknown words make the text harder to predict, not easier": lambda x, t, v, k:
                2 * cross_entropy(x) - right(x, t, v, k),
            "the price ln(types) is paid once for each unknown token, not once in all": lambda x, t, v, k:
                cross_entropy(x) + math.log(k) / len(t),
            "UNK's mass is shared by the unknown types alone, however many words are known": lambda x, t, v, k:
                cross_entropy(x) + float(np.mean(~known(t, v))) * math.log(k + len(v)),
        },
    )  # fmt: skip


def cache() -> Question:
    """A unigram model that remembers what was said lately."""

    def mixed(unigram, history, share, decay, age=lambda t, n: n - 1 - t, normalise=True, swap=False):
        weights = dict.fromkeys(unigram, 0.0)
        for t, word in enumerate(history):
            weights[word] += decay ** age(t, len(history))
        total = sum(weights.values())
        if not total:
            return dict(unigram)
        share = 1 - share if swap else share
        return {w: (1 - share) * p + share * weights[w] / (total if normalise else 1) for w, p in unigram.items()}

    def right(unigram, history, share, decay):
        return mixed(unigram, history, share, decay)

    def empty_is_nothing(unigram, history, share, decay):
        return right(unigram, history, share, decay) if history else {w: (1 - share) * p for w, p in unigram.items()}

    def cases(rng):
        for n in (4, 0, 9):
            unigram = dict(zip(WORDS, map(float, rng.dirichlet(np.ones(len(WORDS)))), strict=True))
            history = [WORDS[i] for i in rng.integers(0, 4, n)]
            yield unigram, history, float(rng.uniform(0.1, 0.4)), float(rng.uniform(0.5, 0.9))

    return Question(
        "q5", "cached", 5, right, lambda rng: list(cases(rng)), lambda rng: list(cases(rng))[:2],
        mistakes={
            "the newest word has weight 1 and older ones less: you count from the beginning":
                lambda u, h, s, d: mixed(u, h, s, d, age=lambda t, n: t),
            "divide the cache by its total weight, or the mixture does not sum to one":
                lambda u, h, s, d: mixed(u, h, s, d, normalise=False),
            "the share belongs to the cache, and 1 - share to the unigram": lambda u, h, s, d:
                mixed(u, h, s, d, swap=True),
            "every mention counts the same here: the weight falls by the factor decay with each word":
                lambda u, h, s, d: mixed(u, h, s, 1.0),
            "with nothing to remember, the unigram has it all": empty_is_nothing,
        },
    )  # fmt: skip


def bigram_floor() -> Question:
    """The best that a bigram model can do on a source of order two."""

    def pairs(P):
        """The stationary probability of each pair of neighbours."""
        V = len(P)
        step = np.zeros((V * V, V * V))
        for a in range(V):
            for b in range(V):
                step[a * V + b, b * V : (b + 1) * V] = P[a, b]
        system = np.vstack([step.T - np.eye(V * V), np.ones(V * V)])
        return np.linalg.lstsq(system, np.append(np.zeros(V * V), 1), rcond=None)[0].reshape(V, V)

    def entropy(rows):
        return -np.sum(rows * np.log(np.maximum(rows, 1e-300)), axis=-1)

    def losses(P, pi):
        joint = pi[:, :, None] * P  # p(a, b, c)
        following = joint.sum(0) / joint.sum((0, 2))[:, None]  # p(c | b)
        return float(pi.sum(0) @ entropy(following)), float(np.sum(pi * entropy(P)))

    def right(P):
        return losses(P, pairs(P))

    def uniform(P):
        return losses(P, np.full(P.shape[:2], 1 / P[..., 0].size))

    def averaged(P):
        pi = pairs(P)
        return float(pi.sum(0) @ entropy(P.mean(0))), right(P)[1]

    def cases(rng):
        # nothing very rare, so that the pairs settle within a few hundred steps
        return [(0.1 / V + 0.9 * rng.dirichlet(np.full(V, 0.6), size=(V, V)),) for V in (2, 3, 4)]

    return Question(
        "q6", "floors", 6, right, cases, lambda rng: cases(rng)[:1],
        mistakes={
            "the pairs (a, b) are not equally frequent: weigh them by how often the source visits them": uniform,
            "p(c | b) is the mean of p(c | a, b) over the a that really stand before b, not over all a alike": averaged,
            "these are bits": lambda P: tuple(x / math.log(2) for x in right(P)),
            "the order is bigram first, then the source's own entropy rate": lambda P: right(P)[::-1],
            "the entropy of the symbols alone is what a unigram model reaches": lambda P: (
                float(entropy(pairs(P).sum(0))), right(P)[1]),
        },
    )  # fmt: skip

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
    unit = math.log(base)

    def right(log_probs, characters):
        nats, tokens = -sum(map(np.sum, log_probs)), sum(map(len, log_probs))
        return nats / tokens / unit, math.exp(nats / tokens), nats / characters / unit

    def by_sentence(log_probs, characters):
        mean = -float(np.mean([np.mean(row) for row in log_probs]))
        return mean / unit, math.exp(mean), right(log_probs, characters)[2]

    def mean_perplexity(log_probs, characters):
        digits, _, per_character = right(log_probs, characters)
        return digits, float(np.mean([math.exp(-np.mean(row)) for row in log_probs])), per_character

    def without_ends(log_probs, characters):
        return right([row[:-1] for row in log_probs], characters)

    def cases(rng, texts=((2, 7), (4, 2, 9), (3, 5, 12, 1))):
        return [([np.log(rng.uniform(0.01, 0.9, n)) for n in text], int(rng.integers(30, 90))) for text in texts]

    return Question(
        "q1", "report", 4, right, cases, lambda rng: cases(rng, [(2, 5, 3)]),
        mistakes={
            "you measure in nats: a unit of base b is ln b nats": lambda x, n: (
                right(x, n)[0] * unit, right(x, n)[1], right(x, n)[2] * unit),
            "a digit is ln b nats, so there are fewer digits than nats: divide by ln b": lambda x, n: (
                right(x, n)[0] * unit**2, right(x, n)[1], right(x, n)[2] * unit**2),
            "the mean of the sentences' means weighs a short sentence like a long one: add up first": by_sentence,
            "the perplexity of a text comes from its mean surprisal, and is not the mean of its sentences' perplexities":
                mean_perplexity,
            "the last number of each sentence belongs to its end mark, and is a token like the others": without_ends,
            "perplexity does not depend on the unit: raise b to what you measured in base b, or e to the nats":
                lambda x, n: (right(x, n)[0], math.e ** right(x, n)[0], right(x, n)[2]),
            "a surprisal is minus a logarithm": lambda x, n: (
                -right(x, n)[0], 1 / right(x, n)[1], -right(x, n)[2]),
        },
    )  # fmt: skip


def sentence() -> Question:
    """The log-probability of a sentence under a table of bigrams."""

    def score(table, words, before=(BOS,), after=(EOS,), missing=-math.inf):
        p = [table.get(pair, 0.0) for pair in pairwise([*before, *words, *after])]
        return float(sum(math.log(x) if x > 0 else missing for x in p))

    def cases(rng, known=WORDS[:4], sentences=((3, False), (0, False), (6, False), (5, True))):
        for length, gap in sentences:
            table = {(a, b): float(p) for a in [BOS, *known]
                     for b, p in zip([*known, EOS], rng.dirichlet(np.ones(len(known) + 1)), strict=True)}  # fmt: skip
            words = [known[i] for i in rng.integers(0, len(known), length)]
            if gap:
                del table[words[1], words[2]]
            yield table, words

    return Question(
        "q2", "log_prob", 4, score, cases, lambda rng: cases(rng, WORDS[:2], ((3, False), (3, True))),
        mistakes={
            "the first word has a probability too, after the start mark": lambda t, w: score(t, w, before=()),
            "the sentence also ends, and that has a probability": lambda t, w: score(t, w, after=()),
            "a pair that the table does not have is impossible, so the whole sentence is: minus infinity":
                lambda t, w: score(t, w, missing=0.0),
            "every sentence comes out impossible: in table[a, b] the earlier token stands first": lambda t, w:
                score({(b, a): p for (a, b), p in t.items()}, w),
            "the logarithms are added up: their mean is that of a token, not of the sentence": lambda t, w:
                score(t, w) / (len(w) + 1),
            "that is the probability, not its logarithm": lambda t, w: math.exp(score(t, w)),
            "these are bits: use the natural logarithm": lambda t, w: score(t, w) / math.log(2),
        },
    )  # fmt: skip


def witten_bell() -> Question:
    """Smoothing by the number of different followers."""

    def types(counts):
        return sum(c > 0 for c in counts.values())

    def mixed(counts, lower, T):
        N = sum(counts.values())
        return {w: (counts.get(w, 0) + T * p) / (N + T) for w, p in lower.items()}

    def right(counts, lower):
        return mixed(counts, lower, types(counts))

    def one_above(counts, lower):
        N, T = sum(counts.values()), types(counts)
        return {w: (counts.get(w, 0) + p) / (N + T) for w, p in lower.items()}

    def on_top(counts, lower):
        N, T = sum(counts.values()), types(counts)
        return {w: counts.get(w, 0) / N + T / (N + T) * p for w, p in lower.items()}

    def backed_off(counts, lower, rest=1.0):
        N, T = sum(counts.values()), types(counts)
        return {w: (counts.get(w, 0) or T * p / rest) / (N + T) for w, p in lower.items()}

    def only_unseen(counts, lower):
        return backed_off(counts, lower, sum(p for w, p in lower.items() if not counts.get(w, 0)))

    def cases(rng, words=WORDS, sizes=(2, 3, 4)):
        for size in sizes:
            lower = dict(zip(words, map(float, rng.dirichlet(np.ones(len(words)))), strict=True))
            seen = [*map(str, rng.permutation(words)[: size + 1])]
            # one word seen once, another more often, and one that stands there with a count of 0
            yield dict(zip(seen, [1, *map(int, rng.integers(2, 9, size - 1)), 0], strict=True)), lower

    return Question(
        "q3", "witten_bell", 5, right, cases, lambda rng: cases(rng, WORDS[:5], [3]),
        mistakes={
            "T counts the different words seen after this context, not the whole vocabulary":
                lambda counts, lower: mixed(counts, lower, len(lower)),
            "a word with the count 0 was not seen: it is no type":
                lambda counts, lower: mixed(counts, lower, len(counts)),
            "T is the number of types, and you took the number of tokens":
                lambda counts, lower: mixed(counts, lower, sum(counts.values())),
            "T counts all the different words that were seen, not those seen once, as Good and Turing do":
                lambda counts, lower: mixed(counts, lower, sum(c == 1 for c in counts.values())),
            "the lower order has the weight T/(N+T), or the probabilities do not sum to one": one_above,
            "what the lower order gets is taken from the counts, which keep N/(N+T): yours sum to more than one": on_top,
            "the seen words get their share of the lower order as well: yours sum to less than one": backed_off,
            "the seen words get their share of the lower order as well: this interpolates, it does not back off":
                only_unseen,
        },
    )  # fmt: skip


def unknown_words() -> Question:
    """The cross-entropy when the model must also say which unknown word comes."""

    def right(log_probs, tokens, vocabulary, types):
        return with_price(log_probs, tokens, vocabulary, math.log(types))

    def with_price(log_probs, tokens, vocabulary, price):
        return float(np.mean(unknown(tokens, vocabulary)) * price - np.mean(log_probs))

    def unknown(tokens, vocabulary):
        return np.array([token not in vocabulary for token in tokens])

    def cases(rng, lengths=(6, 10, 15)):
        for n in lengths:
            tokens = [WORDS[i] for i in rng.permutation(np.arange(n) % 6)]
            yield np.log(rng.uniform(0.05, 0.8, n)), tokens, WORDS[:4], int(rng.integers(20, 400))

    return Question(
        "q4", "fair_cross_entropy", 4, right, cases, lambda rng: cases(rng, [6]),
        mistakes={
            "UNK is a whole set of words, and the model has not said which of them it is": lambda x, t, v, k:
                with_price(x, t, v, 0),
            "leaving the unknown tokens out rewards a model for a small vocabulary": lambda x, t, v, k:
                -float(np.mean(np.array(x)[~unknown(t, v)])),
            "the unknown words make the text harder to predict, not easier": lambda x, t, v, k:
                with_price(x, t, v, -math.log(k)),
            "the price ln(types) is paid once for each unknown token, not once in all": lambda x, t, v, k:
                with_price(x, t, v, 0) + math.log(k) / len(t),
            "UNK's mass is shared by the unknown types alone, however many words are known": lambda x, t, v, k:
                with_price(x, t, v, math.log(k + len(v))),
            "types counts all the words that the model does not know, not those that happen to come in this text":
                lambda x, t, v, k: with_price(x, t, v, math.log(len(set(t) - set(v)))),
            "the probability of UNK is divided by types, which takes ln(types) off its logarithm: you divided that":
                lambda x, t, v, k: -float(np.mean(np.where(unknown(t, v), np.array(x) / k, x))),
            "the model has said how probable UNK is, and that is paid too: p(UNK)/types, not 1/types":
                lambda x, t, v, k: float(np.mean(np.where(unknown(t, v), math.log(k), -np.array(x)))),
        },
    )  # fmt: skip


def cache() -> Question:
    """A unigram model that remembers what was said lately."""

    def mixed(unigram, history, share, decay, total=None, add=True):
        weights = dict.fromkeys(unigram, 0.0)
        for t, word in enumerate(history):
            weights[word] = decay ** (len(history) - 1 - t) + (weights[word] if add else 0)
        total = total or sum(weights.values()) or 1
        share = share if history else 0
        return {w: (1 - share) * p + share * weights[w] / total for w, p in unigram.items()}

    def right(unigram, history, share, decay):
        return mixed(unigram, history, share, decay)

    def empty_is_nothing(unigram, history, share, decay):
        return right(unigram, history, share, decay) if history else {w: (1 - share) * p for w, p in unigram.items()}

    def only_remembered(unigram, history, share, decay):
        return unigram | {w: p for w, p in right(unigram, history, share, decay).items() if w in history}

    def cases(rng, words=WORDS, histories=((5, False), (0, False), (9, False), (6, True))):
        for n, for_ever in histories:
            unigram = dict(zip(words, map(float, rng.dirichlet(np.ones(len(words)))), strict=True))
            # some words twice or more; the last one once, so that the order tells
            history = [words[i] for i in rng.permutation(np.arange(n - 1) % 2)] + words[2:3] if n else []
            yield unigram, history, float(rng.uniform(0.1, 0.4)), 1.0 if for_ever else float(rng.uniform(0.5, 0.9))

    return Question(
        "q5", "cached", 5, right, cases,
        lambda rng: cases(rng, WORDS[:4], ((5, False), (0, False), (4, True))),
        mistakes={
            "the newest word has weight 1 and older ones less: you count from the beginning":
                lambda u, h, s, d: mixed(u, h[::-1], s, d),
            "divide the cache by its total weight, or the mixture does not sum to one":
                lambda u, h, s, d: mixed(u, h, s, d, total=1),
            "divide by the sum of the weights that there are: 1/(1 - decay) is that of a history without end":
                lambda u, h, s, d: mixed(u, h, s, d, total=1 / (1 - d) if d < 1 else len(h)),
            "a word that came twice has two weights, and they add up: you kept one":
                lambda u, h, s, d: mixed(u, h, s, d, add=False),
            "the share belongs to the cache, and 1 - share to the unigram": lambda u, h, s, d:
                right(u, h, 1 - s, d),
            "every mention counts the same here: the weight falls by the factor decay with each word":
                lambda u, h, s, d: right(u, h, s, 1.0),
            "a word that the cache does not hold keeps only 1 - share of its probability: yours sum to more than one":
                only_remembered,
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

    def losses(P, pi, gone=0):
        """The first loss is that of a model which sees one symbol of the pair; ``gone`` is the axis of the other."""
        joint = (pi[:, :, None] * P).sum(gone)
        return float(np.sum(entropy(joint)) - entropy(joint.sum(1))), float(np.sum(pi * entropy(P)))

    def right(P):
        return losses(P, pairs(P))

    def averaged(P):
        return float(pairs(P).sum(0) @ entropy(P.mean(0))), right(P)[1]

    def wrong_table(P):
        return -float(np.sum(pairs(P) * np.log(P.mean(0)))), right(P)[1]

    def wrong_step(P):
        pi = np.full(P.shape[:2], 1 / P[0].size)
        for _ in range(1000):
            pi = np.einsum("ab,abc->ac", pi, P)
        return losses(P, pi)

    def cases(rng, sizes=(2, 3, 4)):
        # nothing very rare, so that the pairs settle within a few hundred steps
        return [(0.1 / V + 0.9 * rng.dirichlet(np.full(V, 0.6), size=(V, V)),) for V in sizes]

    return Question(
        "q6", "floors", 6, right, cases, lambda rng: cases(rng, [2, 3]),
        mistakes={
            "the pairs (a, b) are not equally frequent: weigh them by how often the source visits them":
                lambda P: losses(P, np.full(P.shape[:2], 1 / P[0].size)),
            "after the pair (a, b) and the symbol c the source stands at the pair (b, c), not (a, c)": wrong_step,
            "p(c | b) is the mean of p(c | a, b) over the a that really stand before b, not over all a alike": averaged,
            "p(c | b) weighs each p(c | a, b) by p(a | b), how often a stands before b: you took all a alike":
                wrong_table,
            "a bigram model sees b, the last symbol, and not a, the one before it": lambda P:
                losses(P, pairs(P), gone=1),
            "that is the entropy of the pair (b, c): what a bigram model pays is that of c given b": lambda P: (
                float(np.sum(entropy(pairs(P)))), right(P)[1]),
            "these are bits": lambda P: tuple(x / math.log(2) for x in right(P)),
            "the order is bigram first, then the source's own entropy rate": lambda P: right(P)[::-1],
            "the entropy of the symbols alone is what a unigram model reaches": lambda P: (
                float(entropy(pairs(P).sum(0))), right(P)[1]),
        },
    )  # fmt: skip

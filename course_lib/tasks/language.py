"""Two tasks on sentences: tags that only later words decide, and opinions that a bag of words cannot read."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import product
from typing import NamedTuple

import numpy as np

from course_lib.tasks.task import Task, count, source, word_list

# ---- Part-of-speech tagging --------------------------------------------------------------------------------------

TAGS = ("n", "v", "p", "d")  # noun, verb, preposition, determiner

SLOTS = {  # a tag, and the words that can stand there, with their probabilities
    "theme": ("n", {"time": 0.6, "fruit": 0.2, "watch": 0.2}),  # TIME flies like an arrow
    "kind": ("n", {"fruit": 0.6, "time": 0.2, "watch": 0.2}),  # FRUIT flies like a banana
    "act": ("v", {"time": 0.6, "watch": 0.4}),  # TIME flies with a watch!
    "moves": ("v", {"flies": 0.7, "swallows": 0.3}),
    "animals": ("n", {"flies": 0.7, "swallows": 0.3}),
    "in": ("p", {"in": 0.6, "on": 0.4}),
    "place": ("n", {"garden": 0.4, "table": 0.3, "house": 0.3}),
    "as": ("p", {"like": 1.0}),
    "wants": ("v", {"like": 0.6, "prefer": 0.4}),
    "with": ("p", {"with": 1.0}),
    "tool": ("n", {"watch": 0.6, "banana": 0.4}),
    "the": ("d", {"the": 0.6, "a": 0.4}),
    "an": ("d", {"an": 0.6, "the": 0.4}),
    "arrow": ("n", {"arrow": 1.0}),
    "banana": ("n", {"banana": 1.0}),
}
SENTENCES = (  # probability, opening, probabilities of 0, 1, 2, ... phrases such as "in the garden", ending
    (0.18, "theme moves", (0.5, 0.3, 0.2), "as an arrow"),
    (0.04, "theme moves", (0.5, 0.3, 0.2), "as the banana"),
    (0.08, "theme moves", (0.0, 0.6, 0.4), ""),
    (0.08, "the theme moves", (0.4, 0.3, 0.2, 0.1), ""),
    (0.02, "kind animals", (0.5, 0.3, 0.2), "wants an arrow"),
    (0.18, "kind animals", (0.5, 0.3, 0.2), "wants the banana"),
    (0.08, "the kind animals", (0.5, 0.3, 0.2), "wants the banana"),
    (0.20, "act animals", (0.5, 0.3, 0.2), "with the tool"),
    (0.14, "act the animals", (0.4, 0.3, 0.2, 0.1), ""),
)
TAGGING_WORDS = tuple(sorted({word for _, words in SLOTS.values() for word in words}))


@lru_cache(maxsize=1)
def _patterns() -> tuple[np.ndarray, list[list[str]]]:
    """All sequences of slots and their probabilities: which of them a sentence follows is all that is hidden."""
    chances, patterns = [], []
    for chance, opening, phrases, ending in SENTENCES:
        for k, p in enumerate(phrases):
            if p:
                chances.append(chance * p)
                patterns.append([*opening.split(), *(["in", "the", "place"] * k), *ending.split()])
    return np.array(chances), patterns


@lru_cache(maxsize=1)
def _tables() -> tuple[np.ndarray, np.ndarray]:
    """emission (P, T, V) = p(word | pattern, position) and tagged (P, T, 4) = 1 for the tag; 0 after the end."""
    _, patterns = _patterns()
    longest = max(map(len, patterns))
    emission = np.zeros((len(patterns), longest, len(TAGGING_WORDS)))
    tagged = np.zeros((len(patterns), longest, len(TAGS)))
    for i, pattern in enumerate(patterns):
        for t, slot in enumerate(pattern):
            tag, words = SLOTS[slot]
            tagged[i, t, TAGS.index(tag)] = 1
            for word, p in words.items():
                emission[i, t, TAGGING_WORDS.index(word)] = p
    return emission, tagged


def tagging(n: int, rng: np.random.Generator) -> Task:
    """Tag each word as noun (n), verb (v), preposition (p) or determiner (d), where later words may decide.

    "time flies like an arrow" is n v p d n, "fruit flies like a banana" n n v d n, and "time flies in the garden
    with a watch" an order to measure flies, v n p d n p d n. ``SENTENCES`` is the whole grammar.
    inputs: n lists of 3 to 12 words; targets: n lists of tags; lengths (n,) int64.
    Best: the accuracy per token of the best tagger that sees whole sentences; baseline: always the commonest tag.

    Errors: ValueError for n < 1.
    """
    n, rng = count("n", n), source(rng)
    chances, patterns = _patterns()
    which = rng.choice(len(chances), size=n, p=chances / chances.sum())
    sentences: list[list[str]] = [[] for _ in range(n)]
    for i in np.unique(which):
        rows = np.flatnonzero(which == i)
        for _, words in (SLOTS[slot] for slot in patterns[i]):
            for row, word in zip(rows, rng.choice(list(words), size=len(rows), p=list(words.values())), strict=True):
                sentences[row].append(str(word))
    tags = [[SLOTS[slot][0] for slot in patterns[i]] for i in which]
    lengths = np.array([len(sentence) for sentence in sentences])
    tokens = (chances[:, None, None] * _tables()[1]).sum((0, 1))
    baseline = float(tokens.max() / tokens.sum())
    best = tagging_ceilings()["both"]
    return Task(sentences, tags, best, baseline, "accuracy per token", lengths, TAGGING_WORDS)


def tag_posterior(words: Sequence[str], both: bool = True) -> list[dict[str, float]]:
    """The exact probability of every tag of every word, by Bayes' rule over the grammar's patterns.

    p(tag_t = y | words) is the share of the patterns that put y at t. With ``both``, all words are known and the
    sentence ends with them; without, a word's tag is judged from the words up to and including it, and the words
    may be the beginning of a longer sentence. Returns T dicts {tag: probability}.

    Errors: ValueError for no word, an unknown word, or words that the grammar cannot produce.
    """
    words, (belief, patterns), (emission, tagged) = word_list(words), _patterns(), _tables()
    if not words:
        raise ValueError("there is no word to tag: pass a sentence")
    posterior = []
    for t, word in enumerate(words):
        if word not in TAGGING_WORDS:
            raise ValueError(f"{word!r} is not a word of this grammar: use the words of TAGGING_WORDS")
        known = t < emission.shape[1]
        belief = belief * (emission[:, t, TAGGING_WORDS.index(word)] if known else 0.0)
        if not belief.any():
            raise ValueError(f"no sentence of the grammar begins with {' '.join(words[: t + 1])!r}")
        posterior.append(belief @ tagged[:, t])
    if both:
        belief = belief * [len(pattern) == len(words) for pattern in patterns]
        if not belief.any():
            raise ValueError(f"{' '.join(words)!r} begins a sentence but does not end it: pass both=False")
        posterior = [belief @ tagged[:, t] for t in range(len(words))]
    return [dict(zip(TAGS, (p / p.sum()).tolist(), strict=True)) for p in posterior]


@lru_cache(maxsize=1)
def _ceilings() -> tuple[float, float, float]:
    """Accuracies per token of the best tagger that knows the word, the words up to it, the sentence.

    Walks through all sentences at once. A row of ``beliefs`` (K, P) is the joint probability of some words read so
    far and each pattern; readings that leave the same odds are added up, which keeps K small and changes nothing.
    """
    chances, patterns = _patterns()
    emission, tagged = _tables()
    lengths = np.array([len(pattern) for pattern in patterns])
    joint = np.einsum("p,ptv,pty->vy", chances, emission, tagged)
    left, both, beliefs = 0.0, 0.0, chances[None, :]
    for t in range(lengths.max()):
        beliefs = _merged((beliefs[:, None, :] * emission[:, t].T).reshape(-1, len(chances)))
        left += (beliefs @ tagged[:, t]).max(1).sum()
        ended = beliefs * (lengths == t + 1)  # the others go on: a pattern that has ended emits nothing more
        both += sum((ended @ tagged[:, s]).max(1).sum() for s in range(t + 1))
    return tuple(float(x / joint.sum()) for x in (joint.max(1).sum(), left, both))


def _merged(beliefs: np.ndarray) -> np.ndarray:
    """The rows without those of no mass, rows with the same odds added up."""
    mass = beliefs.sum(1)
    beliefs, mass = beliefs[mass > 0], mass[mass > 0]
    _, group = np.unique((beliefs / mass[:, None]).round(12), axis=0, return_inverse=True)
    total = np.zeros((group.max() + 1, beliefs.shape[1]))
    np.add.at(total, group.ravel(), beliefs)
    return total


def tagging_ceilings() -> dict[str, float]:
    """The exact accuracies per token that no tagger can beat, by what it may see.

    "word": the word alone; "left": the words up to and including it; "both": the whole sentence. Each is the expected
    number of tokens whose most probable tag is right, over the expected number of tokens.
    """
    return dict(zip(("word", "left", "both"), _ceilings(), strict=True))


# ---- Sentiment ---------------------------------------------------------------------------------------------------

SUBJECTS = ("movie", "music", "plot", "acting")
NEGATIONS = {"": 0.6, "not": 0.25, "never": 0.15}
ASIDES = {"": 0.7, "in my opinion": 0.3}
INTENSIFIERS = {"": 0.4, "very": 0.2, "really": 0.2, "really very": 0.1, "very very": 0.1}
ADJECTIVES = {"good": 1, "great": 1, "wonderful": 1, "bad": -1, "dull": -1, "terrible": -1}
KINDS = {"": 0.3, "and": 0.3, "but": 0.4}  # one clause, two that agree, two that disagree


class Clauses(NamedTuple):
    """Every clause: its text, its probability, its subject's number, and its polarity, +1 or -1."""

    texts: list[str]
    chances: np.ndarray
    subjects: np.ndarray
    polarity: np.ndarray


@lru_cache(maxsize=1)
def _clauses() -> Clauses:
    """All clauses there are. A clause has its adjective's polarity, flipped by a negation before it."""
    rows = []
    for subject, negation, aside, intensifier, adjective in product(
        SUBJECTS, NEGATIONS, ASIDES, INTENSIFIERS, ADJECTIVES
    ):
        text = " ".join(f"the {subject} was {negation} {aside} {intensifier} {adjective}".split())
        p = NEGATIONS[negation] * ASIDES[aside] * INTENSIFIERS[intensifier] / len(SUBJECTS) / len(ADJECTIVES)
        rows.append((text, p, SUBJECTS.index(subject), ADJECTIVES[adjective] * (-1 if negation else 1)))
    texts, *numbers = zip(*rows, strict=True)
    return Clauses(list(texts), *map(np.array, numbers))


def _partners(kind: str, i: int) -> np.ndarray:
    """Probabilities (C,) of the clauses that can stand before clause i: another subject, and the right polarity."""
    _, chances, subjects, polarity = _clauses()
    wanted = polarity[i] if kind == "and" else -polarity[i]
    p = chances * (subjects != subjects[i]) * (polarity == wanted)
    return p / p.sum()


SENTIMENT_WORDS = tuple(sorted({word for text in _clauses().texts for word in text.split()} | set(KINDS) - {""}))


def sentiment(n: int, rng: np.random.Generator) -> Task:
    """Is the review good (1) or bad (0)? The last clause decides, and a negation flips the adjective of its clause.

    "the movie was not very good but the music was great": the first clause is bad, since ``not`` reaches to the end
    of its clause, past intensifiers and asides, and no further; the second is good, and so is the verdict. Clauses
    joined by ``and`` agree, clauses joined by ``but`` disagree.
    inputs: n lists of 4 to 21 words; targets (n,) int64; lengths (n,) int64. Best: accuracy 1; baseline 1/2.

    Errors: ValueError for n < 1.
    """
    n, rng = count("n", n), source(rng)
    texts, chances, _, polarity = _clauses()
    kinds = rng.choice(list(KINDS), size=n, p=list(KINDS.values()))
    last = rng.choice(len(texts), size=n, p=chances / chances.sum())
    sentences = []
    for kind, i in zip(kinds.tolist(), last, strict=True):
        words = texts[i].split()
        if kind:
            words = [*texts[rng.choice(len(texts), p=_partners(kind, i))].split(), kind, *words]
        sentences.append(words)
    lengths = np.array([len(sentence) for sentence in sentences])
    labels = (polarity[last] > 0).astype(np.int64)
    return Task(sentences, labels, 1.0, 0.5, "accuracy", lengths, SENTIMENT_WORDS)


@lru_cache(maxsize=1)
def _bag_ceiling() -> float:
    """The sum over bags of max(p(bag, good), p(bag, bad)), with every bag written as one number."""
    texts, chances, _, polarity = _clauses()
    place = {word: 6**i for i, word in enumerate(SENTIMENT_WORDS)}  # digits to base 6: no word occurs six times
    bags = np.array([sum(place[word] for word in text.split()) for text in texts])
    codes, weights, labels = [bags], [KINDS[""] * chances], [polarity]
    for kind in ("and", "but"):
        for i, p in enumerate(chances):
            before = _partners(kind, i)
            codes.append((bags + bags[i] + place[kind])[before > 0])
            weights.append(KINDS[kind] * p * before[before > 0])
            labels.append(np.full(len(codes[-1]), polarity[i]))
    code, weight, label = (np.concatenate(x) for x in (codes, weights, labels))
    _, bag = np.unique(code, return_inverse=True)
    per_label = [np.bincount(bag, weight * (label == s), bag.max() + 1) for s in (-1, 1)]
    return float(np.maximum(*per_label).sum())


def sentiment_ceilings() -> dict[str, float]:
    """The exact best accuracy of any classifier that sees only how often each word occurs, and of any at all.

    By hand: a bag decides one clause (0.3); of two that disagree it cannot tell which came last (0.4 / 2); of two that
    agree it loses track when just one is negated (0.3 * (0.52 + 0.48 / 2)). The code adds up all bags instead.
    """
    return {"bag of words": _bag_ceiling(), "best": 1.0}

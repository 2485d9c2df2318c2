"""A language with known roles: each of 24 nouns is a role and a gender, so the right analogies are known.

A king and a queen have the same role, and so the same things around them: throne, crown, palace, sceptre. A king and a
waiter have the same gender, and so the same words: he, his, himself, sir. Nothing else tells the nouns apart. Three
pairs of antonyms have the same neighbours exactly. The language is finite, so every probability in it, and hence the
true PMI of any two words, is had by adding up.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property
from itertools import permutations

import numpy as np

from course_lib.embeddings import cooccurrences
from course_lib.tokens import Vocabulary

ROLES = {  # role: (masculine, feminine), its things; from the most frequent role to the rarest
    "adult": (("man", "woman"), ("street", "coat", "newspaper", "job")),
    "parent": (("father", "mother"), ("child", "cradle", "lullaby", "nursery")),
    "child": (("boy", "girl"), ("kite", "marbles", "playground", "sandpit")),
    "ruler": (("king", "queen"), ("throne", "crown", "palace", "sceptre")),
    "relative": (("uncle", "aunt"), ("birthday", "visit", "cousins", "sweets")),
    "server": (("waiter", "waitress"), ("menu", "tray", "table", "bill")),
    "player": (("actor", "actress"), ("stage", "script", "audience", "curtain")),
    "giver": (("host", "hostess"), ("guests", "party", "invitation", "feast")),
    "believer": (("monk", "nun"), ("prayer", "bell", "cloister", "candle")),
    "magician": (("wizard", "witch"), ("spell", "cauldron", "potion", "wand")),
    "rescuer": (("hero", "heroine"), ("dragon", "rescue", "quest", "sword")),
    "noble": (("duke", "duchess"), ("carriage", "estate", "ball", "hunt")),
}
GENDERS = {"m": ("he", "his", "himself", "sir"), "f": ("she", "her", "herself", "madam")}
ANTONYMS = {  # a pair, and the things that can be either
    ("hot", "cold"): ("soup", "tea", "water", "bath"),
    ("open", "shut"): ("door", "window", "gate", "shop"),
    ("early", "late"): ("train", "bus", "ship", "post"),
}
VERBS = ("wants", "needs", "likes", "finds")
TEMPLATES = (
    "the {noun} {verb} {his} {first} and the {second}",
    "the {noun} {himself} {verb} the {first}",
    "{he} is the {noun} who {verb} the {first}",
    "take the {first} {sir} they tell the {noun}",
)
ANTONYM_TEMPLATES = ("the {thing} is {adjective} again", "here is the {adjective} {thing}")
THING_WEIGHTS = (0.4, 0.3, 0.2, 0.1)  # of a role's four things
ANTONYM_SHARE = 0.15  # of the sentences


def language() -> Roles:
    """The language of roles. It has no settings: the sentences and their probabilities are fixed."""
    return Roles()


class Roles:
    """All sentences of the language with their probabilities, and what each noun is.

    A sentence takes a role (the r-th with probability proportional to 1/r), a gender, a template, a verb, and one or
    two different things of the role. A share of 0.15 speaks of a thing that is hot or cold, open or shut, early or
    late.

    ``sentences`` and ``probability`` (n,) list what can be said; ``vocab`` has the words, the most frequent first;
    ``roles`` gives (masculine, feminine) for each role, ``contexts`` its four things, ``gender_words`` the words of
    each gender ("m", "f"), place by place, and ``antonyms`` the pairs.
    """

    def __init__(self):
        self.roles = {role: nouns for role, (nouns, _) in ROLES.items()}
        self.contexts = {role: things for role, (_, things) in ROLES.items()}
        self.gender_words = dict(GENDERS)
        self.antonyms = tuple(ANTONYMS)
        said: dict[tuple[str, ...], float] = defaultdict(float)
        for text, p in [*_role_sentences(), *_antonym_sentences()]:
            said[tuple(text.split())] += p
        self.sentences = tuple(said)
        self.probability = np.array(list(said.values()))
        self.vocab = Vocabulary(self._by_frequency())
        self._noun = {noun: (role, "mf"[i]) for role, nouns in self.roles.items() for i, noun in enumerate(nouns)}

    def _by_frequency(self) -> list[str]:
        share: dict[str, float] = defaultdict(float)
        for sentence, p in zip(self.sentences, self.probability, strict=True):
            for word in sentence:
                share[word] += p
        return sorted(share, key=lambda word: (-round(share[word], 12), word))

    def sample(self, n: int, rng: np.random.Generator) -> list[list[str]]:
        """n sentences, independent of each other. Errors: ValueError for a negative n."""
        if n < 0:
            raise ValueError(f"n={n}: the number of sentences must be 0 or more")
        chosen = rng.choice(len(self.sentences), size=n, p=self.probability)
        return [list(self.sentences[i]) for i in chosen]

    def role_of(self, word: str) -> str | None:
        """The role of a noun, such as "ruler" for queen; None for any other word."""
        return self._noun.get(word, (None, None))[0]

    def gender_of(self, word: str) -> str | None:
        """ "m" or "f" for a noun; None for any other word, the words of a gender (``gender_words``) included."""
        return self._noun.get(word, (None, None))[1]

    def analogies(self) -> list[tuple[str, str, str, str]]:
        """Every (a, b, c, d) that reads a is to b as c is to d: two roles, from one gender to the other.

        Both directions, (man, woman, king, queen) and (woman, man, queen, king), for each of the 12 * 11 ordered
        pairs of roles: 264 in all.
        """
        pairs = list(permutations(self.roles.values(), 2))
        return [(*x, *y) for x, y in pairs] + [(*x[::-1], *y[::-1]) for x, y in pairs]

    @cached_property
    def _ids(self) -> list[list[int]]:
        return [self.vocab.encode(sentence) for sentence in self.sentences]

    def cooccurrences(self, window: int) -> np.ndarray:
        """Expected co-occurrences per sentence within a window, (V, V): the pmi of this table is the true PMI.

        Errors: ValueError for a window below 1.
        """
        return cooccurrences(self._ids, len(self.vocab), window, weights=self.probability)


def _role_sentences() -> Iterator[tuple[str, float]]:
    """Every sentence about a role, with its probability; a text can come twice."""
    rarity = np.array([1 / rank for rank in range(1, len(ROLES) + 1)])
    p_role = (1 - ANTONYM_SHARE) * rarity / rarity.sum()
    for p, (nouns, things) in zip(p_role, ROLES.values(), strict=True):
        for noun, (he, his, himself, sir) in zip(nouns, GENDERS.values(), strict=True):
            for (i, first), (j, second) in permutations(enumerate(things), 2):
                p_things = THING_WEIGHTS[i] * THING_WEIGHTS[j] / (1 - THING_WEIGHTS[i])
                words = {"noun": noun, "first": first, "second": second}
                words |= {"he": he, "his": his, "himself": himself, "sir": sir}
                for template in TEMPLATES:
                    for verb in VERBS:
                        yield template.format(verb=verb, **words), p / 2 * p_things / len(TEMPLATES) / len(VERBS)


def _antonym_sentences() -> Iterator[tuple[str, float]]:
    p = ANTONYM_SHARE / (len(ANTONYMS) * 2 * 4 * len(ANTONYM_TEMPLATES))
    for adjectives, things in ANTONYMS.items():
        for adjective in adjectives:
            for thing in things:
                for template in ANTONYM_TEMPLATES:
                    yield template.format(thing=thing, adjective=adjective), p

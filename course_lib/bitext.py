"""EN-ES: a small piece of English with its Spanish translation, and with the gold alignment of every word.

A sentence is  NP verb NP (preposition NP)*  and a noun phrase NP is  determiner adjective{0,1,2} noun.  Spanish puts
the adjectives behind the noun, in the opposite order; determiner and adjectives take the noun's gender and number,
and the verb takes the number of its subject:

    the small red houses   ->   las casas rojas pequeñas

Each English sentence has exactly one translation, word for word, so that a model that has learned the language loses
nothing: the lowest possible loss is 0 nats per token, and the alignment is a permutation.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from course_lib.tokens import UNK_ID, Vocabulary

# Spanish forms stand in the order: masculine, feminine, masculine plural, feminine plural.
DETERMINERS = {"the": ("el", "la", "los", "las"), "a": ("un", "una", "", ""), "some": ("", "", "unos", "unas")}
SIZES = {"small": ("pequeño", "pequeña", "pequeños", "pequeñas"), "big": ("grande", "grande", "grandes", "grandes")}
COLOURS = {"red": ("rojo", "roja", "rojos", "rojas"), "green": ("verde", "verde", "verdes", "verdes")}
ANIMALS = (  # English, its plural, Spanish, its plural, feminine?
    ("cat", "cats", "gato", "gatos", False),
    ("dog", "dogs", "perro", "perros", False),
    ("cow", "cows", "vaca", "vacas", True),
)
THINGS = (
    ("tree", "trees", "árbol", "árboles", False),
    ("flower", "flowers", "flor", "flores", True),
    ("house", "houses", "casa", "casas", True),
)
VERBS = (("sees", "see", "ve", "ven"), ("wants", "want", "quiere", "quieren"))
PREPOSITIONS = {"with": "con", "without": "sin", "under": "bajo"}
_JOINTS = tuple(PREPOSITIONS.items())

ADJECTIVE_COUNTS = (0.5, 0.35, 0.15)  # probability of none, one and two; two are a size and a colour
PHRASE_COUNTS = {2: 0.5, 3: 0.3, 4: 0.15, 5: 0.05}  # probability of so many noun phrases


class Pair(NamedTuple):
    """A sentence, its translation, and which word became which: (i, j) for source word i and target word j, from 0."""

    source: list[str]
    target: list[str]
    alignment: tuple[tuple[int, int], ...]


class _Piece(NamedTuple):
    """A noun phrase, verb or preposition in both languages; source word i became target word ``order[i]``."""

    source: tuple[str, ...]
    target: tuple[str, ...]
    order: tuple[int, ...]
    plural: bool


class Bitext:
    """The language pair, as made by :func:`en_es`: ``source_vocab`` (English) and ``target_vocab`` (Spanish)."""

    def __init__(self):
        self._places = [_phrases(nouns) for nouns in (ANIMALS, THINGS, ANIMALS + THINGS)]  # subject, object, others
        phrases = self._places[2]
        english = {word for p in phrases for word in p.source} | {word for verb in VERBS for word in verb[:2]}
        spanish = {word for p in phrases for word in p.target} | {word for verb in VERBS for word in verb[2:]}
        self.source_vocab = Vocabulary(sorted(english.union(PREPOSITIONS)))
        self.target_vocab = Vocabulary(sorted(spanish.union(PREPOSITIONS.values())))

    # ---- all sentences, and some of them -----------------------------------------------------------------------

    def sample(self, n: int, rng: np.random.Generator, nps: int | None = None) -> list[Pair]:
        """Draw n pairs, independent of each other, with 2 to 5 noun phrases: 5 to 24 words, 9.04 on average.

        With ``nps`` each has so many noun phrases, and so 3 nps - 1 words and its adjectives. Errors: ValueError for a
        negative n, or for fewer than 2 noun phrases (subject and object).
        """
        if n < 0:
            raise ValueError(f"cannot draw n={n} pairs: n must be 0 or more")
        if nps is None:
            counts = rng.choice(list(PHRASE_COUNTS), p=list(PHRASE_COUNTS.values()), size=n)
        else:
            counts = np.full(n, _checked_count(nps))
        most = int(counts.max(initial=2))
        drawn = []
        for place in range(most):
            phrases = self._places[min(place, 2)]
            chosen, listed = rng.choice(len(phrases), p=list(phrases.values()), size=n), list(phrases)
            drawn.append([listed[i] for i in chosen.tolist()])
        verbs = rng.integers(len(VERBS), size=n).tolist()
        joints = rng.integers(len(PREPOSITIONS), size=(n, most - 2)).tolist()
        return [
            _sentence(phrases[:count], verb, joint[: count - 2])
            for *phrases, verb, joint, count in zip(*drawn, verbs, joints, counts.tolist(), strict=True)
        ]

    def every(self, nps: int = 2) -> Iterator[Pair]:
        """Every pair with so many noun phrases, one by one. Errors: ValueError for fewer than 2."""
        _checked_count(nps)
        places = [self._places[min(place, 2)] for place in range(nps)]
        joints = [range(len(PREPOSITIONS))] * (nps - 2)
        for phrases in itertools.product(*places):
            for verb in range(len(VERBS)):
                for joint in itertools.product(*joints):
                    yield _sentence(phrases, verb, joint)

    def count(self, nps: int = 2) -> int:
        """How many pairs :meth:`every` gives: each further phrase makes them 648 times as many.

        Errors: ValueError for fewer than 2 noun phrases.
        """
        subjects, objects, others = map(len, self._places)
        further = _checked_count(nps) - 2
        return subjects * len(VERBS) * objects * (len(PREPOSITIONS) * others) ** further

    # ---- the right translation ---------------------------------------------------------------------------------

    def translate(self, words: Sequence[str]) -> list[str]:
        """The one right translation of an English sentence, found by reading it word for word.

        Errors: ValueError for a sentence outside the language, naming the first word that cannot stand where it
        stands; TypeError for a string.
        """
        if isinstance(words, str):
            raise TypeError(f"a sentence is a list of words, but {words[:40]!r} is a string: split it first")
        reader = _Reader(words)
        spanish, plural = reader.noun_phrase(ANIMALS)
        spanish.append(reader.take({verb[plural]: verb[2 + plural] for verb in VERBS}))
        spanish += reader.noun_phrase(THINGS)[0]
        while reader.position < len(words):
            spanish.append(reader.take(PREPOSITIONS))
            spanish += reader.noun_phrase(ANIMALS + THINGS)[0]
        return spanish

    # ---- ids ---------------------------------------------------------------------------------------------------

    def encode(self, pairs: Iterable[Sequence]) -> list[tuple[list[int], list[int]]]:
        """(source ids, target ids) of pairs, without BOS and EOS; of each pair the first two entries are read.

        Errors: ValueError for a word that the vocabulary of its side does not have; TypeError for a string.
        """
        return [
            (_ids(self.source_vocab, source, f"source {i}"), _ids(self.target_vocab, target, f"target {i}"))
            for i, (source, target, *_) in enumerate(pairs)
        ]


def en_es() -> Bitext:
    """EN-ES: English to Spanish, with adjectives that change sides and agreement in gender and number."""
    return Bitext()


# ---- building ----------------------------------------------------------------------------------------------------


def _phrases(nouns: tuple) -> dict[_Piece, float]:
    """All noun phrases with these nouns, each with its probability."""
    ones = [(word,) for word in (SIZES | COLOURS)]
    by_count = [[()], ones, list(itertools.product(SIZES, COLOURS))]
    found = {}
    for noun, plural in itertools.product(nouns, (False, True)):
        form = 2 * plural + noun[4]
        determiners = [word for word, forms in DETERMINERS.items() if forms[form]]
        for p, choices in zip(ADJECTIVE_COUNTS, by_count, strict=True):
            for determiner, adjectives in itertools.product(determiners, choices):
                k = len(adjectives)
                behind = [(SIZES | COLOURS)[word][form] for word in reversed(adjectives)]
                phrase = _Piece(
                    (determiner, *adjectives, noun[plural]),
                    (DETERMINERS[determiner][form], noun[2 + plural], *behind),
                    (0, *range(k + 1, 1, -1), 1),
                    plural,
                )
                found[phrase] = p / (2 * len(nouns) * len(determiners) * len(choices))
    return found


def _sentence(phrases: Sequence[_Piece], verb: int, joints: Sequence[int]) -> Pair:
    """Put noun phrases together: the verb after the first, in its number, and a preposition before the third and on."""
    plural = phrases[0].plural
    links = [(VERBS[verb][plural], VERBS[verb][2 + plural]), *(_JOINTS[i] for i in joints)]
    pieces = [phrases[0]]
    for (english, spanish), phrase in zip(links, phrases[1:], strict=True):
        pieces += [_Piece((english,), (spanish,), (0,), False), phrase]
    source, target, order = [], [], []
    for piece in pieces:
        order += [len(target) + j for j in piece.order]
        source += piece.source
        target += piece.target
    return Pair(source, target, tuple(enumerate(order)))


def _checked_count(nps: int) -> int:
    if nps < 2:
        raise ValueError(f"nps={nps}: a sentence has a subject and an object, so pass 2 noun phrases or more")
    return nps


# ---- reading -----------------------------------------------------------------------------------------------------


class _Reader:
    """Goes through an English sentence from left to right; ``position`` is the next word."""

    def __init__(self, words: Sequence[str]):
        self.words, self.position = words, 0

    def take(self, choices: dict[str, str]) -> str:
        """What the next word means, and one step on. Errors: ValueError if it is none of the choices."""
        word = self.words[self.position] if self.position < len(self.words) else None
        if word not in choices:
            there = "the sentence ends" if word is None else f"{word!r} cannot come"
            raise ValueError(f"{there} at position {self.position}; possible there: {sorted(choices)}")
        self.position += 1
        return choices[word]

    def noun_phrase(self, nouns: tuple) -> tuple[list[str], bool]:
        """The next noun phrase in Spanish, and whether it is plural."""
        determiner = DETERMINERS[self.take({word: word for word in DETERMINERS})]
        heads = {noun[p]: (noun, p) for noun in nouns for p in (False, True) if determiner[2 * p]}
        adjectives, allowed = [], SIZES | COLOURS
        while (found := self.take({word: word for word in (heads | allowed)})) not in heads:
            adjectives.append(found)
            allowed = COLOURS if found in SIZES else {}
        noun, plural = heads[found]
        form = 2 * plural + noun[4]
        behind = [(SIZES | COLOURS)[word][form] for word in reversed(adjectives)]
        return [determiner[form], noun[2 + plural], *behind], plural


def _ids(vocab: Vocabulary, words: Sequence[str], where: str) -> list[int]:
    ids = vocab.encode(words)
    if UNK_ID in ids:
        raise ValueError(f"{where}: {words[ids.index(UNK_ID)]!r} is not in the vocabulary of {len(vocab)} tokens")
    return ids

"""EN-ES: the sampler against an enumeration of the language, the rules of translation, and Spanish by hand."""

import itertools
import math
import time
from collections import Counter

import numpy as np
import pytest

from course_lib import bitext
from course_lib.tokens import SPECIALS


@pytest.fixture(scope="module")
def en_es():
    return bitext.en_es()


@pytest.fixture(scope="module")
def pairs(en_es):
    return en_es.sample(20000, np.random.default_rng(1))


def within(count, n, p):
    """A binomial count lies within 5 standard errors of its expectation."""
    return abs(count - n * p) < 5 * math.sqrt(n * p * (1 - p)) + 1e-9


SPANISH = {  # every rule at least once, written by hand
    "the cat sees the house": "el gato ve la casa",
    "the cats see the houses": "los gatos ven las casas",
    "a cow wants a tree": "una vaca quiere un árbol",
    "some cows want some trees": "unas vacas quieren unos árboles",
    "the small red cow sees a big green tree": "la vaca roja pequeña ve un árbol verde grande",
    "some small red dogs see some big green flowers": "unos perros rojos pequeños ven unas flores verdes grandes",
    "a big dog wants a small flower with the red cats": "un perro grande quiere una flor pequeña con los gatos rojos",
    "the dogs want the tree without a house under some red cows":
        "los perros quieren el árbol sin una casa bajo unas vacas rojas",
}  # fmt: skip


@pytest.mark.parametrize("english", SPANISH)
def test_the_rules_give_the_spanish_that_a_person_writes(en_es, english):
    assert en_es.translate(english.split()) == SPANISH[english].split()


def test_the_gold_alignment_by_hand(en_es):
    english = "the small red cow sees a big tree".split()
    pair = next(p for p in en_es.every(2) if p.source == english)
    assert pair.target == "la vaca roja pequeña ve un árbol grande".split()
    assert pair.alignment == ((0, 0), (1, 3), (2, 2), (3, 1), (4, 4), (5, 5), (6, 7), (7, 6))


def test_generator_and_rules_agree_on_every_sentence_of_two_phrases(en_es):
    found = list(en_es.every(2))
    assert len(found) == en_es.count(2) == 2 * (3 * 2 * 2 * 9) ** 2
    assert len({tuple(p.source) for p in found}) == len(found)
    assert len({tuple(p.target) for p in found}) == len(found)  # nothing is lost on the way
    for source, target, alignment in found:
        assert en_es.translate(source) == target
        assert [i for i, _ in alignment] == list(range(len(source)))
        assert sorted(j for _, j in alignment) == list(range(len(target)))


def dictionary():
    """English word -> its Spanish forms, from the lexicon."""
    meanings = {word: set(forms) for word, forms in (bitext.DETERMINERS | bitext.SIZES | bitext.COLOURS).items()}
    for noun in bitext.ANIMALS + bitext.THINGS:
        meanings |= {noun[0]: {noun[2]}, noun[1]: {noun[3]}}
    for verb in bitext.VERBS:
        meanings |= {verb[0]: {verb[2]}, verb[1]: {verb[3]}}
    return meanings | {english: {spanish} for english, spanish in bitext.PREPOSITIONS.items()}


def test_sampled_pairs_are_right_and_aligned_word_for_word(en_es, pairs):
    meanings = dictionary()
    for source, target, alignment in pairs:
        assert en_es.translate(source) == target
        assert sorted(i for i, _ in alignment) == sorted(j for _, j in alignment) == list(range(len(source)))
        assert all(target[j] in meanings[source[i]] for i, j in alignment)


def test_the_sampler_follows_the_enumeration(en_es):
    """All 23,328 pairs of two phrases: each is drawn as often as its probability says, its alignment among them."""
    n = 50_000
    sample = en_es.sample(n, np.random.default_rng(2), nps=2)
    drawn = Counter((tuple(p.source), tuple(p.target), p.alignment) for p in sample)
    expected = {}
    for pair in en_es.every(2):
        adjectives = [w in bitext.SIZES | bitext.COLOURS for w in pair.source]
        verb = next(i for i, w in enumerate(pair.source) if w in {"sees", "see", "wants", "want"})
        p = 1 / 2
        for k in (sum(adjectives[:verb]), sum(adjectives[verb:])):
            p *= bitext.ADJECTIVE_COUNTS[k] / (1, 4, 4)[k] / 12
        expected[tuple(pair.source), tuple(pair.target), pair.alignment] = p
    assert math.fsum(expected.values()) == pytest.approx(1, abs=1e-12)
    assert drawn.keys() <= expected.keys()
    chi = sum((drawn[key] - n * p) ** 2 / (n * p) for key, p in expected.items())
    degrees = len(expected) - 1
    assert abs(chi - degrees) < 5 * math.sqrt(2 * degrees + sum(1 / (n * p) for p in expected.values()))
    shapes, true = Counter(), Counter()
    for (_, _, alignment), count in drawn.items():
        shapes[alignment] += count
    for (_, _, alignment), p in expected.items():
        true[alignment] += p
    assert len(true) == 9 and all(within(shapes[a], n, p) for a, p in true.items())


def test_lengths(en_es, pairs):
    lengths = np.array([len(p.source) for p in pairs])
    adjectives = np.dot(bitext.ADJECTIVE_COUNTS, range(3))
    phrases = sum(k * p for k, p in bitext.PHRASE_COUNTS.items())
    mean = (3 + adjectives) * phrases - 1
    assert mean == pytest.approx(9.0375)
    assert abs(lengths.mean() - mean) < 5 * lengths.std() / math.sqrt(len(lengths))
    assert lengths.min() == 5 and 20 <= lengths.max() <= 24
    for low, high, share in ((4, 7, 0.43), (8, 11, 0.34), (12, 15, 0.17), (16, 24, 0.058)):
        assert abs(np.mean((lengths >= low) & (lengths <= high)) - share) < 0.02
    counted = Counter(1 + sum(w in bitext.VERBS[0][:2] + bitext.VERBS[1][:2] or w in bitext.PREPOSITIONS
                              for w in p.source) for p in pairs)  # fmt: skip
    assert all(within(counted[k], len(pairs), p) for k, p in bitext.PHRASE_COUNTS.items())


@pytest.mark.parametrize("nps", [2, 3, 7])
def test_the_number_of_phrases_can_be_fixed(en_es, nps):
    for pair in en_es.sample(300, np.random.default_rng(3), nps=nps):
        assert sum(word in bitext.DETERMINERS for word in pair.source) == nps
        assert 3 * nps - 1 <= len(pair.source) <= 5 * nps - 1
        assert en_es.translate(pair.source) == pair.target


def test_three_phrases_are_counted_and_listed(en_es):
    assert en_es.count(3) == en_es.count(2) * 648 == 15_116_544
    some = list(itertools.islice(en_es.every(3), 0, 50_000, 31))
    assert len({tuple(p.source) for p in some}) == len(some)
    assert all(en_es.translate(p.source) == p.target for p in some)


def test_vocabularies_hold_the_words_of_the_language_and_no_others(en_es, pairs):
    assert set(en_es.source_vocab) == {w for p in pairs for w in p.source}.union(SPECIALS)
    assert set(en_es.target_vocab) == {w for p in pairs for w in p.target}.union(SPECIALS)
    assert (len(en_es.source_vocab), len(en_es.target_vocab)) == (26 + 4, 39 + 4)


def test_a_generator_decides_everything_and_it_is_quick(en_es, pairs):
    start = time.perf_counter()
    again = en_es.sample(20000, np.random.default_rng(1))
    assert time.perf_counter() - start < 2  # 0.2 s when nothing else runs
    assert again == pairs and again[:50] != en_es.sample(50, np.random.default_rng(2))
    assert en_es.sample(0, np.random.default_rng(1)) == en_es.sample(0, np.random.default_rng(1), nps=4) == []


def test_ids_and_back(en_es, pairs):
    encoded = en_es.encode(pairs[:100])
    for (source, target, _), (a, b) in zip(pairs, encoded, strict=False):
        assert en_es.source_vocab.decode(a) == source and en_es.target_vocab.decode(b) == target
    assert en_es.encode([p[:2] for p in pairs[:100]]) == encoded
    assert en_es.encode([]) == []


def test_a_word_unknown_to_either_side_is_named(en_es, pairs):
    source, target, _ = pairs[0]
    with pytest.raises(ValueError, match="source 1: 'horse' is not in the vocabulary of 30"):
        en_es.encode([pairs[0], (["the", "horse"], target)])
    with pytest.raises(ValueError, match="target 0: 'cat' is not in the vocabulary of 43"):
        en_es.encode([(source, ["cat"])])
    with pytest.raises(TypeError, match="is str, not a list of tokens"):
        en_es.encode([("the cat", target)])


OUTSIDE = {  # a sentence: the position of its first wrong word
    "": 0,
    "cat sees the house": 0,
    "the horse sees the house": 1,
    "the tree sees the house": 1,  # only animals see
    "the cat see the house": 2,  # agreement
    "the cats sees the house": 2,
    "a cats see the house": 1,
    "some cat sees the house": 1,
    "the red small cat sees the house": 2,  # the size comes first
    "the red red cat sees the house": 2,
    "the small big cat sees the house": 2,
    "the cat sees the dog": 4,  # only things are seen
    "the cat sees": 3,
    "the cat sees the": 4,
    "the cat sees the red": 5,
    "the cat sees the house the dog": 5,
    "the cat sees the house with": 6,
    "the cat sees the house con the dog": 5,
    "the cat <unk> the house": 2,
}


@pytest.mark.parametrize("sentence", OUTSIDE)
def test_what_is_outside_the_language_is_named_with_its_position(en_es, sentence):
    position = OUTSIDE[sentence]
    words = sentence.split()
    what = f"'{words[position]}' cannot come" if position < len(words) else "the sentence ends"
    with pytest.raises(ValueError, match=f"^{what} at position {position}; possible there: "):
        en_es.translate(words)


def test_other_bad_input_is_named(en_es):
    with pytest.raises(TypeError, match="split it first"):
        en_es.translate("the cat sees the house")
    with pytest.raises(ValueError, match="n=-1"):
        en_es.sample(-1, np.random.default_rng())
    for call in (lambda: en_es.sample(3, np.random.default_rng(), nps=1), lambda: en_es.count(1),
                 lambda: next(en_es.every(0))):  # fmt: skip
        with pytest.raises(ValueError, match="subject and an object"):
            call()

"""The artificial languages: exact probabilities and entropies, held against simulation and enumeration."""

import itertools
import math
from collections import defaultdict

import numpy as np
import pytest

from course_lib import languages
from course_lib.grammar import CLASSES, EOS, Language

FARM = languages.farm()
DOCUMENTS = FARM.sample(2000, np.random.default_rng(7))


def test_agree_has_the_entropy_of_its_formula():
    language = languages.agree()
    assert language.entropy() == pytest.approx(9.6827, abs=5e-5)
    assert language.entropy_rate() == pytest.approx(1.52885, abs=5e-6)
    assert language.expected_length() == pytest.approx(4 + 0.7 / 0.3)


def test_agree_by_enumeration_of_all_sentences_with_few_fillers():
    """p(sentence) depends on the number f of fillers alone, and there are 8 * 6**f * 4 such sentences."""
    language = languages.agree(stop=0.6)
    entropy = 0.0
    for f in range(60):
        p = 1 / 8 * (0.4 / 6) ** f * 0.6 / 4
        entropy -= 8 * 6**f * 4 * p * math.log(p)
    assert language.entropy() == pytest.approx(entropy, rel=1e-9)
    sentence = "the cow often now eats".split()
    assert language.log_prob(sentence) == pytest.approx(math.log(1 / 8 * (0.4 / 6) ** 2 * 0.6 / 4))


def test_farm_entropy_equals_the_simulation_in_every_class():
    tokens = np.array([len(d) + 1 for d in DOCUMENTS])
    for kind, exact in FARM.entropy_by_class().items():
        nats = np.array([-FARM.token_log_probs(d)[np.array(FARM.token_classes(d)) == kind].sum() for d in DOCUMENTS])
        rate = nats.sum() / tokens.sum()
        error = (nats - rate * tokens).std() / math.sqrt(len(DOCUMENTS)) / tokens.mean()
        assert abs(rate - exact) < 3 * error
    assert sum(FARM.entropy_by_class().values()) == pytest.approx(FARM.entropy_rate())
    assert abs(tokens.mean() - FARM.expected_length()) < 3 * tokens.std() / math.sqrt(len(tokens))


def test_next_distribution_sums_to_one_and_multiplies_to_the_document():
    for document in DOCUMENTS[:20]:
        total = 0.0
        for t, token in enumerate([*document, EOS]):
            p = FARM.next_distribution(document[:t])
            assert math.fsum(p.values()) == pytest.approx(1, abs=1e-12)
            total += math.log(p[token])
        assert total == pytest.approx(FARM.log_prob(document))


def small_farm(names=("ann", "ben", "tom"), animals=("bees", "hens")):
    """Every document of Farm with two introductions, one sentence, at most one clause and no adverbs, spelled out."""
    documents = defaultdict(float)
    endings = {}
    for i, objects in enumerate(languages.OBJECTS):
        for j, adjective in enumerate(languages.ADJECTIVES):
            for k, noun in enumerate(objects):
                p = np.roll((0.6, 0.3, 0.1), i)[j] * np.roll(languages.FALLING, j)[k]
                endings[i, (adjective, noun, ".")] = p * 0.4
                for m, time in enumerate(languages.TIMES):
                    endings[i, (adjective, noun, "at", time, ".")] = p * 0.6 * np.roll(languages.FALLING, i)[m]
    stories = defaultdict(float)
    for number in "sp":
        for noun in languages.NOUNS[number]:
            for (i, ending), p in endings.items():
                verb = languages.MAIN_VERBS[number][i]
                stories["the", noun, verb, *ending] += 0.5 / 8 * 0.5 / 4 * p
                for inner in "sp":
                    for subject, seen in itertools.product(languages.NOUNS[inner], languages.CLAUSE_VERBS[inner]):
                        stories["the", noun, "that", "the", subject, seen, verb, *ending] += (
                            0.5 / 8 * 0.5 / 8 / 4 / 4 * p
                        )
    for (a, b), (x, y) in itertools.product(itertools.permutations(names, 2), itertools.product(animals, repeat=2)):
        opening, p = (a, "keeps", x, ".", b, "keeps", y, "."), 1 / 6 / 4
        for story, q in stories.items():
            documents[opening + story] += p * q
        for (keeper, kept), (care, q) in itertools.product(((a, x), (b, y)), languages.CARES.items()):
            documents[(*opening, "today", keeper, care, "the", kept, ".")] += p * 0.5 * 0.5 * q
    return documents


def test_farm_against_an_enumeration_of_a_small_version():
    language = languages.farm(
        introductions=2,
        depth=1,
        clause=0.5,
        filler=0.0,
        stop=1.0,
        names=("ann", "ben", "tom"),
        animals=("bees", "hens"),
    )
    documents = small_farm()
    p = np.array(list(documents.values()))
    assert p.sum() == pytest.approx(1, abs=1e-9)
    assert language.entropy() == pytest.approx(-(p * np.log(p)).sum(), rel=1e-9)
    assert language.expected_length() == pytest.approx(sum(q * (len(d) + 1) for d, q in documents.items()))
    rng = np.random.default_rng(0)
    chosen = [list(documents)[i] for i in rng.integers(len(documents), size=200)]
    for document in chosen:
        assert language.log_prob(document) == pytest.approx(math.log(documents[document]))
    assert all(tuple(d) in documents for d in language.sample(500, rng))


def test_samples_are_in_the_language_and_repeatable():
    again = FARM.sample(2000, np.random.default_rng(7))
    assert again == DOCUMENTS
    assert all(np.isfinite(FARM.log_prob(d)) for d in DOCUMENTS[:200])
    assert FARM.sample(0, np.random.default_rng(0)) == []


def test_token_classes_cover_all_tokens():
    for document in DOCUMENTS[:50]:
        classes = FARM.token_classes(document)
        assert len(classes) == len(document) + 1 and set(classes) <= set(CLASSES)


def test_recall_is_certain_and_names_are_not_repeated():
    start = "ann keeps geese . tom keeps hens . mara keeps pigs . today tom feeds the".split()
    assert FARM.next_distribution(start) == {"hens": 1.0}
    assert "ann" not in FARM.next_distribution("ann keeps geese .".split())
    assert len(FARM.next_distribution("ann keeps geese .".split())) == 7


@pytest.mark.parametrize(
    ("prefix", "message"),
    [
        (["the", "zebra"], "'zebra' is not a word of this language"),
        (["the", "eats"], "'eats' cannot come at position 1"),
        (["the", "cow", EOS], "cannot come"),
    ],
)
def test_a_prefix_outside_the_language_is_named(prefix, message):
    language = languages.agree()
    with pytest.raises(ValueError, match=message):
        language.next_distribution(prefix)
    assert language.log_prob(prefix) == -math.inf


def test_an_unfinished_document_has_no_probability():
    with pytest.raises(ValueError, match="cannot end after 2 tokens"):
        languages.agree().token_log_probs(["the", "cow"])


@pytest.mark.parametrize(
    ("arcs", "message"),
    [
        ({}, "at least one state"),
        ({"a": {"x": (0.5, "a"), EOS: (0.4, "")}}, "sum to 0.9"),
        ({"a": {"x": (1.5, "a"), EOS: (-0.5, "")}}, "'x' has probability 1.5"),
        ({"a": {"+q0": (0.5, "a"), EOS: (0.5, "")}}, "no slot of the pools"),
        ({"a": {"": (0.5, "a"), EOS: (0.5, "")}}, "no word"),
        ({"a": {"+n1": (0.5, "a"), EOS: (0.5, "")}}, "number its slots from 0"),
        ({"a": {"@n0": (0.5, "a"), EOS: (0.5, "")}}, "number its slots from 0"),
        ({"a": {"+n": (0.5, "a"), EOS: (0.5, "")}}, "number its slots from 0"),
        ({"a": {"x": (0.5, "b"), EOS: (0.5, "")}}, "unknown state 'b'"),
        ({"a": {"x": (1.0, "a")}}, "end can never be reached"),
        ({"a": {"+n0": (0.5, "a"), "tom": (0.25, "a"), EOS: (0.25, "")}}, "twice"),
    ],
)
def test_a_broken_grammar_is_refused(arcs, message):
    with pytest.raises(ValueError, match=message):
        Language(arcs, dict.fromkeys(arcs, "recall"), pools={"n": ("tom", "ann")})


def test_a_pool_must_have_words_for_its_slots():
    with pytest.raises(ValueError, match="0 words for 3 slots"):
        languages.farm(animals=())


def test_a_string_is_no_document():
    for ask in (FARM.log_prob, FARM.token_log_probs, FARM.next_distribution, FARM.token_classes):
        with pytest.raises(TypeError, match="split it first"):
            ask("tom keeps geese .")


def test_a_word_in_two_pools_is_refused():
    with pytest.raises(ValueError, match="'bees'"):
        languages.farm(names=("bees", "ben", "dora"), animals=("bees", "doves"))


def test_choices_of_probability_zero_do_not_exist():
    language = languages.agree(stop=1.0)
    assert set(language.next_distribution(["the", "cow"])) == set(languages.AGREE_VERBS["s"])
    assert language.log_prob("the cow often eats".split()) == -math.inf


def test_a_state_without_a_class_is_refused():
    with pytest.raises(ValueError, match="give it one of"):
        Language({"a": {EOS: (1.0, "")}}, {})


@pytest.mark.parametrize(
    "call",
    [
        lambda: languages.agree(stop=0.0),
        lambda: languages.agree(stop=math.nan),
        lambda: languages.farm(stop=0),
        lambda: languages.farm(clause=1.0),
        lambda: languages.farm(filler=-0.1),
        lambda: languages.farm(introductions=9),
        lambda: languages.farm(depth=-1),
        lambda: languages.agree().sample(-1, np.random.default_rng(0)),
    ],
)
def test_parameters_out_of_range_are_refused(call):
    with pytest.raises(ValueError, match="="):
        call()

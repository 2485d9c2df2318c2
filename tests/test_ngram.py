"""n-gram models: held against enumeration, NLTK and KenLM's recorded figures."""

import itertools
import math
from collections import Counter, defaultdict

import numpy as np
import pytest
from nltk.lm import KneserNeyInterpolated
from nltk.lm.smoothing import KneserNey
from nltk.util import everygrams

from course_lib import corpora, languages, tokens
from course_lib.counts import NGramTable
from course_lib.ngram import SMOOTHINGS, NGramLM, estimate_discounts
from course_lib.tokens import BOS, EOS, UNK, Vocabulary

COWS = [
    s.split()
    for s in (
        "the cows eat grass",
        "our cows eat hay daily",
        "factory farm cows eat corn",
        "on an organic farm cows eat hay and clover",
        "do your cows eat grass or corn",
        "what do cows eat if they have no hay",
        "cows eat corn when there is no grass",
        "which cows eat which foods depends on the farm",
        "if cows eat grass they are content",
        "when cows eat corn their stomachs turn",
        "should we let cows eat corn",
    )
]
AGREE = languages.agree().sample(300, np.random.default_rng(0))


@pytest.mark.parametrize("smoothing", SMOOTHINGS)
@pytest.mark.parametrize("order", [1, 2, 3, 5])
def test_one_at_a_time_equals_all_at_once(order, smoothing):
    lm = NGramLM(order, smoothing, k=0.3).fit(AGREE)
    for sentence, scored in zip(AGREE[:15] + COWS[:3], lm.score(AGREE[:15] + COWS[:3]), strict=True):
        context = [BOS]
        for word, log_p in zip([*sentence, EOS], scored, strict=True):
            assert lm.log_prob(word, context) == pytest.approx(log_p, abs=1e-12)
            context.append(word)


@pytest.mark.parametrize("smoothing", SMOOTHINGS)
@pytest.mark.parametrize(
    "context",
    [
        [],
        [BOS],
        ["eat"],
        ["cows", "eat"],
        [BOS, "the", "cows"],
        ["zebra"],
        ["zebra", "eat"],
        ["eat", "zebra"],
    ],
)
def test_every_distribution_sums_to_one(context, smoothing):
    lm = NGramLM(3, smoothing).fit(COWS)
    if smoothing == "mle" and "zebra" in context:
        with pytest.raises(ValueError, match="0/0"):
            lm.next_distribution(context)
        return
    p = lm.next_distribution(context)
    assert p.sum() == pytest.approx(1, abs=1e-12)
    assert (p >= 0).all()
    assert p[tokens.PAD_ID] == p[tokens.BOS_ID] == 0


def test_counting_cows():
    lm = NGramLM(3, "mle").fit(COWS)
    assert lm.counts(["cows", "eat"]) == {"corn": 4, "grass": 3, "hay": 2, "if": 1, "which": 1}
    assert math.exp(lm.log_prob("corn", ["cows", "eat"])) == pytest.approx(4 / 11)
    assert lm.log_prob("zebra", ["cows", "eat"]) == -math.inf
    assert lm.counts(["zebra"]) == {}


def test_the_table_counts_like_a_dictionary():
    vocab = Vocabulary.build(COWS)
    ids = np.array([i for s in COWS for i in (tokens.BOS_ID, *vocab.encode(s), tokens.EOS_ID)])
    table = NGramTable(ids, 4, len(vocab))
    for k in range(1, 5):
        grams = Counter(
            g for s in COWS for m in [[BOS, *s, EOS]] for g in zip(*(m[i:] for i in range(k)), strict=False)
        )
        left = defaultdict(set)
        for s in COWS:
            m = [BOS, *s, EOS]
            for i in range(1, len(m) - k + 1):
                left[tuple(m[i : i + k])].add(m[i - 1])
        assert len(table.keys[k - 1]) == len(grams)
        for gram, count in grams.items():
            number = table.number(vocab.encode(list(gram)))
            assert table.count[k - 1][number] == count
            if k < 4:
                assert table.left[k - 1][number] == len(left[gram])


def enumerate_kneser_ney(sentences, order, discounts, outcomes):
    """Modified interpolated Kneser-Ney with dictionaries, straight from the formulas."""
    marked = [(BOS, *s, EOS) for s in sentences]
    counts = []
    for k in range(1, order + 1):
        seen = Counter(m[i : i + k] for m in marked for i in range(len(m) - k + 1))
        if k < order:
            left = {
                g: len({m[i - 1] for m in marked for i in range(1, len(m) - k + 1) if m[i : i + k] == g}) for g in seen
            }
            seen = Counter({g: c if g[0] == BOS else left[g] for g, c in seen.items()})
        counts.append({g: c for g, c in seen.items() if g[-1] != BOS and c})

    def p(word, context):
        if context is None:
            return 1 / outcomes
        k = len(context) + 1
        after = {g[-1]: c for g, c in counts[k - 1].items() if g[:-1] == context}
        shorter = p(word, context[1:] if context else None)
        if not after:
            return shorter
        D = lambda c: discounts[k - 1][min(c, 3) - 1]  # noqa: E731
        own = after[word] - D(after[word]) if word in after else 0.0
        return (own + sum(map(D, after.values())) * shorter) / sum(after.values())

    return p


@pytest.mark.parametrize("sentences", [COWS, AGREE[:40]])
@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_kneser_ney_against_an_enumeration(order, sentences):
    lm = NGramLM(order).fit(sentences)
    p = enumerate_kneser_ney(sentences, order, lm.discounts, lm.outcomes)
    contexts = {
        tuple(m[max(0, i - order + 1) : i]) for s in sentences[:12] for m in [[BOS, *s, EOS]] for i in range(1, len(m))
    }
    for context in sorted(contexts)[:40]:
        dense = lm.next_distribution(list(context))
        for word in lm.vocab.tokens[2:]:
            assert dense[lm.vocab[word]] == pytest.approx(p(word, context), abs=1e-12)


def test_kneser_ney_against_nltk():
    """NLTK has one discount and no uniform floor under the unigram, and treats contexts at the start differently.

    So: equal discounts, NLTK's unigram mixed with the uniform as ours is, and contexts inside the sentence.
    """
    sentences, D = AGREE[:60], 0.4
    ours = NGramLM(3, discounts=[[D] * 3] * 3).fit(sentences)

    class WithFloor(KneserNey):
        def unigram_score(self, word):
            kinds = len(self.vocab) - 2  # NLTK's vocabulary holds the start mark and its own <UNK>
            count, total = self._continuation_counts(word)
            return max(count - D, 0) / total + D * kinds / total / ours.outcomes

    theirs = KneserNeyInterpolated(3, discount=D)
    marked = [[BOS, *s, EOS] for s in sentences]
    theirs.fit([everygrams(m, max_len=3) for m in marked], vocabulary_text=[w for m in marked for w in m])
    theirs.estimator = WithFloor(theirs.vocab, theirs.counts, 3, D)
    contexts = sorted({(a, b) for s in sentences for a, b in itertools.pairwise(s)})[:12]
    assert len(contexts) == 12
    for context in contexts:
        for word in sorted({w for s in sentences for w in s} | {EOS}):
            assert math.exp(ours.log_prob(word, context)) == pytest.approx(theirs.score(word, context), abs=1e-10)


@pytest.mark.skipif(
    not corpora.available("tiny_shakespeare"), reason="needs Tiny Shakespeare in COURSE_LIB_DATA or the cache"
)
@pytest.mark.parametrize(
    ("order", "known", "everything"), [(2, 131.110, 189.937), (3, 125.933, 182.668), (5, 125.307, 181.752)]
)
def test_kneser_ney_against_kenlm(order, known, everything):
    parts = [
        [tokens.words(line) for line in part.split("\n") if tokens.words(line)]
        for part in corpora.split_text(corpora.tiny_shakespeare(), 0.9)
    ]
    assert [len(p) for p in parts] == [29242, 3536] and [sum(map(len, p)) for p in parts] == [226489, 25810]
    lm = NGramLM(order).fit(parts[0])
    assert lm.perplexity(parts[1], skip_unknown=True) == pytest.approx(known, rel=1e-4)
    assert lm.perplexity(parts[1]) == pytest.approx(everything, rel=1e-4)


def test_add_k_against_dictionaries():
    lm = NGramLM(2, "add-k", k=0.25).fit(COWS)
    pairs = Counter(p for s in COWS for p in itertools.pairwise([BOS, *s, EOS]))
    total = Counter()
    for (a, _), c in pairs.items():
        total[a] += c
    for a, b in [("cows", "eat"), ("eat", "corn"), ("eat", "zebra"), (BOS, "the"), ("hay", EOS)]:
        assert math.exp(lm.log_prob(b, [a])) == pytest.approx((pairs[a, b] + 0.25) / (total[a] + 0.25 * lm.outcomes))


def test_tuning_raises_the_held_out_likelihood_at_every_round():
    train, held_out = AGREE[:200], AGREE[200:]
    lm = NGramLM(3, "interpolated").fit(train)
    before = lm.perplexity(held_out)
    for _ in range(5):
        after = lm.tune(held_out, rounds=1).perplexity(held_out)
        assert after <= before + 1e-9
        before = after
    tuned = lm.tune(held_out, rounds=300)
    before = tuned.perplexity(held_out)
    for k in range(3):
        for change in (-0.03, 0.03):
            weights = tuned.weights.copy()
            weights[k] = np.clip(weights[k] + change, 0, 1)
            assert NGramLM(3, "interpolated", weights=weights).fit(train).perplexity(held_out) >= before - 1e-6


def test_discounts_fall_back_on_small_texts():
    assert estimate_discounts(np.array([1, 1, 2])) == (0.5, 1.0, 1.5)
    assert estimate_discounts(np.repeat([1, 2, 3], [40, 10, 5]))[2] == 3  # nothing was seen four times
    counts = np.repeat([1, 2, 3, 4], [400, 150, 80, 50])
    Y = 400 / (400 + 300)
    assert estimate_discounts(counts) == pytest.approx(
        (1 - 2 * Y * 150 / 400, 2 - 3 * Y * 80 / 150, 3 - 4 * Y * 50 / 80)
    )


def test_samples_follow_the_model():
    lm = NGramLM(2).fit(COWS)
    rng = np.random.default_rng(0)
    first = Counter((lm.sample(rng, max_tokens=1) or [EOS])[0] for _ in range(4000))
    p = lm.next_distribution([BOS])
    p[tokens.UNK_ID] = 0
    assert 0.5 * sum(abs(first[w] / 4000 - p[lm.vocab[w]] / p.sum()) for w in lm.vocab.tokens) < 0.05
    assert UNK not in first


def test_unknown_words_are_scored_as_unk():
    lm = NGramLM(3).fit(COWS)
    (scored,) = lm.score([["cows", "eat", "zebra"]])
    assert np.isfinite(scored).all()
    assert scored[2] == pytest.approx(lm.log_prob(UNK, ["cows", "eat"]))
    assert lm.perplexity([["cows", "eat", "zebra"]], skip_unknown=True) < lm.perplexity([["cows", "eat", "zebra"]])
    lm = NGramLM(2).fit([["a", "b"], ["a", "rare"]], Vocabulary(["a", "b"]))
    assert lm.log_prob("rare", ["a"]) == lm.log_prob(UNK, ["a"]) == pytest.approx(lm.log_prob("b", ["a"]))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: NGramLM(0), ValueError, "order=0"),
        (lambda: NGramLM(2.5), ValueError, "order=2.5"),
        (lambda: NGramLM(True), ValueError, "order=True"),
        (lambda: NGramLM(2, "good-turing"), ValueError, "choose one of"),
        (lambda: NGramLM(2, "add-k", k=-1), ValueError, "k=-1"),
        (lambda: NGramLM(2, "add-k", k=math.nan), ValueError, "k=nan"),
        (lambda: NGramLM(2, "add-k", k="x"), ValueError, "k='x'"),
        (lambda: NGramLM(2, "add-k", k=1e308), ValueError, "between 0 and 1e12"),
        (lambda: NGramLM(2).score(COWS), AttributeError, "call fit"),
        (lambda: NGramLM(2).fit(COWS).log_prob("a", "cows"), TypeError, "a context is a list"),
        (lambda: NGramLM(3).fit(COWS).counts("ab"), TypeError, "a context is a list"),
        (lambda: NGramLM(2, "interpolated", weights=[0.5]), ValueError, "shape"),
        (lambda: NGramLM(2, "interpolated", weights=[0.5, 1.5]), ValueError, "between 0 and 1"),
        (lambda: NGramLM(2, discounts=[[1, 2, 3], [1.5, 2, 3]]), ValueError, "lie between 0 and"),
        (lambda: NGramLM(2).fit([[BOS, "a"]]), ValueError, "leave the marks out"),
        (lambda: NGramLM(2).fit(COWS).score([["the", "<pad>"]]), ValueError, "leave the marks out"),
        (lambda: NGramLM(2).fit([]), ValueError, "nothing to count"),
        (lambda: NGramLM(2).fit(["a string"]), TypeError, "split it first"),
        (lambda: NGramLM(2).fit(COWS).score([]), ValueError, "nothing to score"),
        (lambda: NGramLM(2).fit(COWS).tune(COWS), ValueError, "interpolated"),
        (lambda: NGramLM(2).fit(COWS).counts(["a", "b"]), ValueError, "at most 1 words"),
        (lambda: NGramLM(3, "mle").fit(COWS).next_distribution(["zebra", "zebra"]), ValueError, "0/0"),
    ],
)
def test_bad_input_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_tuning_from_the_edge_gives_numbers():
    lm = NGramLM(2, "interpolated", weights=[1.0, 1.0]).fit(AGREE[:20]).tune(AGREE[200:])
    assert np.isfinite(lm.weights).all()


def test_sampling_stops_with_a_word_where_only_unknown_words_follow():
    lm = NGramLM(2, "mle").fit([["a", "rare"]], Vocabulary(["a"]))
    with pytest.raises(ValueError, match="only unknown words"):
        lm.sample(np.random.default_rng(0))


def test_empty_sentences_are_sentences():
    lm = NGramLM(2).fit([[], ["a"]])
    assert len(lm.score([[]])[0]) == 1 and np.isfinite(lm.perplexity([[]]))

"""Word vectors: counts, PMI, SVD, questions to them; skip-gram and CBOW against autograd, theory and gensim."""

import itertools
import warnings

import numpy as np
import pytest
import torch
from torch.nn.functional import logsigmoid

from course_lib import embeddings, roles, word2vec
from course_lib.embeddings import Embeddings
from course_lib.tokens import PAD_ID, SPECIALS, Vocabulary
from course_lib.word2vec import Word2Vec, noise, sgns_loss_and_grads, sgns_table_loss

LANGUAGE = roles.language()
VOCAB = LANGUAGE.vocab


def rng(seed=0):
    return np.random.default_rng(seed)


# ---- counts ----------------------------------------------------------------------------------------------------


def test_word_ids_closes_the_gap_of_an_unknown_word_and_drops_empty_sentences():
    vocab = Vocabulary(["a", "b"])
    ids = embeddings.word_ids([["a", "zebra", "b"], [], ["zebra"], ["b"]], vocab)
    assert [list(s) for s in ids] == [[4, 5], [5]]
    for nothing in ([], [[]], [["zebra"]]):
        with pytest.raises(ValueError, match="no sentence"):
            embeddings.word_ids(nothing, vocab)
    with pytest.raises(TypeError, match="not a list of tokens"):
        embeddings.word_ids(["ab"], vocab)


@pytest.mark.parametrize("window", [1, 2, 5, 50])
def test_cooccurrences_are_those_of_two_loops(window):
    sentences = [rng(i).integers(0, 6, size=i).tolist() for i in range(9)]
    weights = rng(1).random(9)
    expected = np.zeros((6, 6))
    for sentence, weight in zip(sentences, weights, strict=True):
        for i, j in itertools.permutations(range(len(sentence)), 2):
            expected[sentence[i], sentence[j]] += weight * (abs(i - j) <= window)
    np.testing.assert_allclose(embeddings.cooccurrences(sentences, 6, window, weights), expected, atol=1e-12)


def test_cooccurrences_of_nothing_are_zero_and_mistakes_are_named():
    assert embeddings.cooccurrences([[], []], 3, 2).tolist() == np.zeros((3, 3)).tolist()
    assert embeddings.cooccurrences([], 3, 2).sum() == embeddings.cooccurrences([[1]], 3, 2).sum() == 0
    with pytest.raises(ValueError, match="window=0"):
        embeddings.cooccurrences([[1, 2]], 3, 0)
    with pytest.raises(ValueError, match="from 1 to 3"):
        embeddings.cooccurrences([[1, 3]], 3, 1)
    with pytest.raises(ValueError, match="from -1"):
        embeddings.cooccurrences([[-1, 2]], 3, 1)
    with pytest.raises(ValueError, match="2 weights for 1"):
        embeddings.cooccurrences([[1, 2]], 3, 1, weights=[1, 1])


def test_pmi_by_hand_with_pairs_and_words_never_seen():
    counts = [[4, 0, 0], [2, 2, 0], [0, 0, 0]]
    expected = [[np.log(8 * 4 / (4 * 6)), -np.inf, 0], [np.log(8 * 2 / (4 * 6)), np.log(8 * 2 / (4 * 2)), 0], [0, 0, 0]]
    np.testing.assert_allclose(embeddings.pmi(counts), expected)
    np.testing.assert_allclose(embeddings.ppmi(counts), np.maximum(expected, 0))
    np.testing.assert_allclose(embeddings.ppmi(counts, shift=0.5)[1], [0, np.log(2) - 0.5, 0])


def test_pmi_is_zero_for_independent_words():
    np.testing.assert_allclose(embeddings.pmi(np.outer([1, 2, 3], [4, 5])), 0, atol=1e-12)


@pytest.mark.parametrize("bad", [[1, 2], [[-1, 2]], [[np.inf, 2]], [[np.nan, 2]], [[0, 0]], np.zeros((0, 0))])
def test_pmi_refuses_what_is_no_table_of_counts(bad):
    with pytest.raises(ValueError, match="counts of shape"):
        embeddings.pmi(bad)


@pytest.mark.parametrize("power", [0, 0.5, 1])
def test_svd_gives_the_best_approximation_with_fixed_signs(power):
    matrix = rng().normal(size=(7, 5))
    full = np.linalg.svd(matrix, compute_uv=False)
    for d in range(1, 6):
        vectors, outputs = embeddings.svd_embeddings(matrix, d, power)
        error = np.linalg.norm(matrix - vectors @ outputs.T)
        assert error == pytest.approx(np.sqrt((full[d:] ** 2).sum()), abs=1e-12)
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=0), full[:d] ** power)
        assert (vectors[np.abs(vectors).argmax(0), range(d)] > 0).all()


def test_svd_refuses_a_dimension_that_is_not_there_and_infinite_entries():
    for d in (0, 4):
        with pytest.raises(ValueError, match="1 to 3 singular values"):
            embeddings.svd_embeddings(np.eye(3), d)
    for bad in ([[1, -np.inf], [0, 1]], [1, 2]):
        with pytest.raises(ValueError, match="use ppmi"):
            embeddings.svd_embeddings(bad, 1)


# ---- word vectors ----------------------------------------------------------------------------------------------

WORDS = Vocabulary(["man", "woman", "king", "queen", "apple", "ghost"])
VECTORS = np.zeros((10, 3))
VECTORS[4:9] = [[1, 0, 0], [1, 1, 0], [1, 0, 2], [1, 1, 2], [-3, 0, 0]]
SMALL = Embeddings(WORDS, VECTORS)


def test_words_are_those_with_a_vector_and_no_special_token():
    assert SMALL.words == ["man", "woman", "king", "queen", "apple"]
    with_marks = VECTORS.copy()
    with_marks[: len(SPECIALS)] = 1
    assert Embeddings(WORDS, with_marks).words == SMALL.words
    np.testing.assert_array_equal(SMALL["king"], [1, 0, 2])
    for unknown in ("zebra", "ghost", "<unk>"):
        for ask in (SMALL.neighbours, SMALL.__getitem__, lambda w: SMALL.similarity("man", w)):
            with pytest.raises(ValueError, match=unknown):
                ask(unknown)


def test_similarity_is_the_cosine():
    assert SMALL.similarity("man", "apple") == pytest.approx(-1)
    assert SMALL.similarity("man", "woman") == pytest.approx(1 / np.sqrt(2))
    assert SMALL.similarity("king", "king") == pytest.approx(1)


def test_neighbours_come_best_first_without_the_word_itself():
    names, cosines = zip(*SMALL.neighbours("man"), strict=True)
    assert names == ("woman", "king", "queen", "apple") and list(cosines) == sorted(cosines, reverse=True)
    assert [w for w, _ in SMALL.neighbours("man", k=2)] == ["woman", "king"]
    assert [w for w, _ in SMALL.neighbours(SMALL["man"], k=2)] == ["man", "woman"]
    with pytest.raises(ValueError, match="k=0"):
        SMALL.neighbours("man", 0)
    for bad in (np.zeros(3), np.ones(2), np.array([np.nan, 1, 1])):
        with pytest.raises(ValueError, match="cannot be compared"):
            SMALL.neighbours(bad)


def test_an_analogy_leaves_out_the_words_of_the_question():
    assert SMALL.analogy("man", "woman", "king")[0] == ("queen", pytest.approx(1))
    close = VECTORS.copy()
    close[5], close[7] = [1, 0.1, 0], [1, 2, 2]  # woman is almost man, and queen far: the nearest is king itself
    near = Embeddings(WORDS, close)
    assert near.analogy("man", "woman", "king", exclude=False)[0][0] == "king"
    assert near.analogy("man", "woman", "king")[0][0] == "queen"
    question = [("man", "woman", "king", "queen")]
    assert near.analogy_accuracy(question) == 1 and near.analogy_accuracy(question, exclude=False) == 0


def test_analogy_accuracy_is_that_of_asking_one_by_one():
    noisy = Embeddings(VOCAB, rng().normal(size=(len(VOCAB), 2)))
    questions = LANGUAGE.analogies()
    for exclude in (True, False):
        right = [noisy.analogy(a, b, c, exclude=exclude)[0][0] == d for a, b, c, d in questions]
        assert noisy.analogy_accuracy(questions, exclude) == pytest.approx(np.mean(right))
    for bad in ([], [("man", "woman", "king")]):
        with pytest.raises(ValueError, match="list of"):
            SMALL.analogy_accuracy(bad)


def test_the_map_keeps_distances_in_a_plane_and_is_never_mirrored():
    places = SMALL.map2d(["man", "woman", "king", "queen"])
    assert places.shape == (4, 2) and SMALL.map2d().shape == (5, 2)
    np.testing.assert_allclose(np.linalg.norm(places[0] - places[3]), np.sqrt(5))  # these four lie in a plane
    np.testing.assert_allclose(places.mean(0), 0, atol=1e-12)
    assert places[:, 0].var() > places[:, 1].var()
    np.testing.assert_allclose(Embeddings(WORDS, VECTORS * [1, -1, -1]).map2d(), SMALL.map2d(), atol=1e-12)
    for seed in range(8):
        places = Embeddings(WORDS, rng(seed).normal(size=(10, 3))).map2d()
        assert (places[np.abs(places).argmax(0), range(2)] > 0).all()
    for words, vectors in ((["man"], VECTORS), (None, VECTORS[:, :1])):
        with pytest.raises(ValueError, match="at least 2 words"):
            Embeddings(WORDS, vectors).map2d(words)


def test_vectors_have_to_fit_the_vocabulary():
    assert Embeddings(WORDS, VECTORS, VECTORS).outputs.shape == VECTORS.shape and SMALL.outputs is None
    for bad in (VECTORS[:5], VECTORS[0]):
        with pytest.raises(ValueError, match="a row a token"):
            Embeddings(WORDS, bad)
    with pytest.raises(ValueError, match="outputs must be finite"):
        Embeddings(WORDS, VECTORS, np.full_like(VECTORS, np.nan))


# ---- the language of roles -------------------------------------------------------------------------------------


def word_probability():
    """The share of each word among the words of the language, (V,); the special tokens have 0."""
    ids = [VOCAB.encode(sentence) for sentence in LANGUAGE.sentences]
    weights = np.repeat(LANGUAGE.probability, [len(s) for s in ids])
    share = np.bincount(np.concatenate(ids), weights, minlength=len(VOCAB))
    return share / share.sum()


def test_the_language_is_a_distribution_over_sentences_of_known_words():
    assert LANGUAGE.probability.sum() == pytest.approx(1) and (LANGUAGE.probability > 0).all()
    assert len(set(LANGUAGE.sentences)) == len(LANGUAGE.sentences)
    used = {word for sentence in LANGUAGE.sentences for word in sentence}
    assert used == set(VOCAB.tokens[len(SPECIALS) :])
    share = word_probability()
    assert (np.diff(share[len(SPECIALS) :]) <= 1e-12).all()


def test_every_noun_is_a_role_and_a_gender():
    assert len(LANGUAGE.roles) == 12 and len({w for pair in LANGUAGE.roles.values() for w in pair}) == 24
    assert (LANGUAGE.role_of("queen"), LANGUAGE.gender_of("queen")) == ("ruler", "f")
    assert (LANGUAGE.role_of("uncle"), LANGUAGE.gender_of("uncle")) == ("relative", "m")
    assert LANGUAGE.role_of("she") is LANGUAGE.gender_of("throne") is None
    things = [w for four in LANGUAGE.contexts.values() for w in four]
    assert len(set(things)) == len(things) == 48
    for sentence in LANGUAGE.sentences:  # the things and pronouns beside a noun are its own
        for noun in filter(LANGUAGE.role_of, sentence):
            other = "mf".replace(LANGUAGE.gender_of(noun), "")
            assert not set(sentence) & set(LANGUAGE.gender_words[other])
            assert set(sentence) & set(things) <= set(LANGUAGE.contexts[LANGUAGE.role_of(noun)])


def test_analogies_go_both_ways_between_all_roles():
    questions = LANGUAGE.analogies()
    assert len(questions) == len(set(questions)) == 264
    assert ("man", "woman", "king", "queen") in questions and ("nun", "monk", "aunt", "uncle") in questions
    for a, b, c, d in questions:
        assert LANGUAGE.role_of(a) == LANGUAGE.role_of(b) != LANGUAGE.role_of(c) == LANGUAGE.role_of(d)
        assert LANGUAGE.gender_of(a) == LANGUAGE.gender_of(c) != LANGUAGE.gender_of(b) == LANGUAGE.gender_of(d)


def test_samples_follow_the_exact_distribution():
    sentences = LANGUAGE.sample(20000, rng())
    assert sentences == LANGUAGE.sample(20000, rng()) != LANGUAGE.sample(20000, rng(1))
    ids = embeddings.word_ids(sentences, VOCAB)
    share = np.bincount(np.concatenate(ids), minlength=len(VOCAB)) / sum(map(len, ids))
    assert np.abs(share - word_probability()).max() < 0.003
    counted, exact = embeddings.cooccurrences(ids, len(VOCAB), 5) / 20000, LANGUAGE.cooccurrences(5)
    error = np.sqrt(exact / 20000)  # about the standard deviation of a rare count
    assert (np.abs(counted - exact) <= 8 * error + 1e-12).all()
    assert LANGUAGE.sample(0, rng()) == []
    with pytest.raises(ValueError, match="n=-1"):
        LANGUAGE.sample(-1, rng())


def test_on_the_exact_table_offsets_are_equal_and_antonyms_the_same():
    table = embeddings.ppmi(LANGUAGE.cooccurrences(5))
    row = dict(zip(VOCAB, table, strict=True))
    for a, b, c, d in LANGUAGE.analogies():
        np.testing.assert_allclose(row[b] - row[a] + row[c], row[d], atol=1e-9)
    for hot, cold in LANGUAGE.antonyms:
        np.testing.assert_allclose(row[hot], row[cold], atol=1e-9)


def test_ppmi_and_svd_answer_all_analogies_with_32_numbers_and_fewer_with_4():
    ids = embeddings.word_ids(LANGUAGE.sample(20000, rng()), VOCAB)
    table = embeddings.ppmi(embeddings.cooccurrences(ids, len(VOCAB), 5))
    found = {d: Embeddings(VOCAB, *embeddings.svd_embeddings(table, d)) for d in (4, 32)}
    accuracy = {d: e.analogy_accuracy(LANGUAGE.analogies()) for d, e in found.items()}
    assert accuracy[32] == 1 and accuracy[4] < 0.8
    assert min(found[32].similarity(a, b) for a, b in LANGUAGE.antonyms) > 0.95


# ---- negative sampling -----------------------------------------------------------------------------------------


def test_noise_is_a_power_of_the_counts():
    np.testing.assert_allclose(noise([0, 1, 16]), [0, 1 / 9, 8 / 9])
    np.testing.assert_allclose(noise([0, 1, 16], power=1), [0, 1 / 17, 16 / 17])
    np.testing.assert_allclose(noise([0, 1, 16], power=0), [0, 0.5, 0.5])
    for bad in ([0, 0], [-1, 2], [[1, 2]], []):
        with pytest.raises(ValueError, match="counts of shape"):
            noise(bad)
    for power in (-1, np.nan):
        with pytest.raises(ValueError, match="power="):
            noise([1, 2], power)


def test_the_gradients_written_out_are_those_of_autograd():
    shapes = (5, 3), (5, 3), (5, 4, 3)
    arrays = [rng(i).normal(size=shape) for i, shape in enumerate(shapes)]
    w, c, n = (torch.tensor(a, requires_grad=True) for a in arrays)
    expected = -logsigmoid((w * c).sum(1)) - logsigmoid(-(n @ w[:, :, None])[:, :, 0]).sum(1)
    expected.sum().backward()
    losses, gradients = sgns_loss_and_grads(*arrays)
    np.testing.assert_allclose(losses, expected.detach(), rtol=1e-12)
    for ours, theirs in zip(gradients, (w, c, n), strict=True):
        np.testing.assert_allclose(ours, theirs.grad, rtol=1e-10, atol=1e-14)


def test_the_loss_does_not_overflow_and_shapes_are_checked():
    big = np.full((1, 1), 1e4)
    losses, gradients = sgns_loss_and_grads(big, -big, big[None])
    assert losses == pytest.approx([2e8]) and all(np.isfinite(g).all() for g in gradients)
    for shapes in (((2, 3), (2, 4), (2, 1, 3)), ((2, 3), (2, 3), (1, 1, 3)), ((2, 3), (2, 3), (2, 3))):
        with pytest.raises(ValueError, match="must be"):
            sgns_loss_and_grads(*map(np.ones, shapes))


def test_the_loss_of_a_table_is_the_mean_over_pairs_and_all_noise_words():
    counts = np.array([[3.0, 1, 0], [0, 2, 2]])
    W, C = rng(0).normal(size=(2, 4)), rng(1).normal(size=(3, 4))
    p = noise(counts.sum(0), 0.75)
    expected = 0
    for i, j in np.argwhere(counts):
        positive = sgns_loss_and_grads(W[[i]], C[[j]], np.empty((1, 0, 4)))[0][0]
        negative = sum(p[v] * (sgns_loss_and_grads(W[[i]], C[[j]], C[[[v]]])[0][0] - positive) for v in range(3))
        expected += counts[i, j] / 8 * (positive + 2 * negative)
    loss, gradients = sgns_table_loss(W, C, counts, 2, power=0.75)
    assert loss == pytest.approx(expected, rel=1e-12)
    for array, gradient in zip((W, C), gradients, strict=True):
        for place in np.ndindex(array.shape):
            array[place] += 1e-6
            above = sgns_table_loss(W, C, counts, 2, power=0.75)[0]
            array[place] -= 2e-6
            below = sgns_table_loss(W, C, counts, 2, power=0.75)[0]
            array[place] += 1e-6
            assert (above - below) / 2e-6 == pytest.approx(gradient[place], abs=1e-8)


@pytest.mark.parametrize("negatives", [1, 5])
def test_the_optimum_of_a_table_is_pmi_less_log_k(negatives):
    counts = np.array([[8.0, 1, 2], [1, 6, 3], [2, 3, 4]])
    W, C = (rng(i).normal(size=(3, 3)) for i in range(2))
    for _ in range(6000):
        _, (dW, dC) = sgns_table_loss(W, C, counts, negatives)
        W -= 1.0 * dW
        C -= 1.0 * dC
    np.testing.assert_allclose(W @ C.T, embeddings.pmi(counts) - np.log(negatives), atol=1e-3)


def test_a_table_has_to_fit_its_vectors():
    for W, C, counts in ((2, 3, (2, 2)), (3, 2, (2, 2))):
        with pytest.raises(ValueError, match="do not fit"):
            sgns_table_loss(np.ones((W, 2)), np.ones((C, 2)), np.ones(counts), 1)
    with pytest.raises(ValueError, match="negatives=0"):
        sgns_table_loss(np.ones((2, 2)), np.ones((2, 2)), np.ones((2, 2)), 0)


# ---- training --------------------------------------------------------------------------------------------------


def by_hand(model, sentences, negatives):
    """Loss and gradients (V, 2d) of a batch, one prediction at a time, through sgns_loss_and_grads."""
    W, C = model.W.astype(float), model.C.astype(float)
    g = np.zeros((len(W), 2 * model.d))
    total, predictions = 0.0, 0
    for ids in sentences:
        for i in range(len(ids)):
            around = [ids[j] for j in range(len(ids)) if 0 < abs(i - j) <= model.window]
            if model.kind == "skipgram":
                cases = [([ids[i]], word) for word in around]
            else:
                cases = [(around, ids[i])] if around else []
            for seen, came in cases:
                h = W[seen].mean(0, keepdims=True)
                loss, (dh, dc, dn) = sgns_loss_and_grads(h, C[[came]], C[negatives][None])
                np.add.at(g[:, : model.d], seen, dh / len(seen))
                g[came, model.d :] += dc[0]
                np.add.at(g[:, model.d :], negatives, dn[0])
                total, predictions = total + loss[0], predictions + 1
    return total, predictions, g


@pytest.mark.parametrize("kind", word2vec.KINDS)
@pytest.mark.parametrize("window", [1, 3, 12])
def test_a_batch_has_the_loss_and_gradients_of_its_predictions_one_by_one(kind, window):
    model = Word2Vec(VOCAB, 6, kind, window, negatives=4, shared=4)
    model._table[:] = rng(2).normal(size=model._table.shape)
    lengths = (9, 1, 40, 2, 17)
    sentences = [rng(i).integers(4, len(VOCAB), size=n) for i, n in enumerate(lengths)]
    negatives = [5, 7, 7, 30]
    gradients = model._skipgram if kind == "skipgram" else model._cbow
    batch = model._cut(sentences)
    loss, predictions, g = gradients(batch, np.array([5, 7, 30]), np.array([1, 2, 1], dtype=np.float32))
    summed = np.zeros((len(VOCAB), 12))
    np.add.at(summed, np.concatenate([batch.ids, [5, 7, 30]]), g)
    expected_loss, expected_predictions, expected = by_hand(model, sentences, negatives)
    assert predictions == expected_predictions and loss == pytest.approx(expected_loss, rel=1e-4)
    np.testing.assert_allclose(summed, expected, atol=2e-3 * np.abs(expected).max())
    assert not summed[PAD_ID].any()


def test_an_epoch_visits_every_sentence_once():
    sentences = [np.full(n, i + 4) for i, n in enumerate([300, 1, 5, 260, 2, 30, 30, 256])]
    model = Word2Vec(VOCAB, 2)
    visited = [batch.ids[batch.ids != PAD_ID] for batch in model._batches(sentences)]
    assert sorted(np.concatenate(visited)) == sorted(np.concatenate(sentences))
    assert all(len(words) < 256 + 300 for words in visited) and len(visited) > 2


def test_an_update_is_adagrads():
    model = Word2Vec(VOCAB, 2, lr=0.5)
    before = model._table.copy()
    g = np.array([[3, 0, 0, 4], [1, 0, 0, 0], [0, 0, -2, 0]], dtype=np.float32)
    model._update(np.array([9, 6, 9]), g)
    np.testing.assert_allclose(before[9] - model._table[9], [0.5, 0, -0.5, 0.5], rtol=1e-5)
    model._update(np.array([9]), g[:1])
    np.testing.assert_allclose((before - model._table)[9, 0], 0.5 + 0.5 * 3 / np.sqrt(18), rtol=1e-5)
    assert (model._table == before).all(1).sum() == len(VOCAB) - 2


@pytest.mark.parametrize("kind", word2vec.KINDS)
def test_training_lowers_the_loss_and_finds_the_analogies(kind):
    sentences = LANGUAGE.sample(10000, rng(1))
    model = Word2Vec(VOCAB, 16, kind, rng=rng(3))
    first, second = model.fit(sentences, epochs=2)
    (third,) = model.fit(sentences, epochs=1)
    assert first > second > third > 0
    found = model.embeddings()
    assert found.analogy_accuracy(LANGUAGE.analogies()) > 0.97
    assert model.counts.sum() == 2 * sum(map(len, sentences))  # fit was called twice
    assert min(found.similarity(a, b) for a, b in LANGUAGE.antonyms) > 0.9
    again = Word2Vec(VOCAB, 16, kind, rng=rng(3))
    again.fit(sentences, epochs=2)
    again.fit(sentences, epochs=1)
    np.testing.assert_array_equal(again.W, model.W)


def test_trained_products_are_close_to_shifted_pmi():
    """w.c of pairs that are not rare; power 1, so that the optimum is PMI - log k (Levy and Goldberg, 2014)."""
    sentences = LANGUAGE.sample(10000, rng())
    model = Word2Vec(VOCAB, 32, power=1.0, rng=rng())
    model.fit(sentences, epochs=5)
    counts = embeddings.cooccurrences(embeddings.word_ids(sentences, VOCAB), len(VOCAB), 5)
    frequent = counts >= 100
    wanted = (embeddings.pmi(counts) - np.log(5))[frequent]
    got = (model.W @ model.C.T)[frequent]
    assert np.corrcoef(got, wanted)[0, 1] > 0.9 and np.abs(got - wanted).mean() < 0.3


def test_words_never_seen_have_no_vector():
    vocab = Vocabulary(["a", "b", "c", "never"])
    model = Word2Vec(vocab, 3)
    model.fit([["a", "b", "c"], ["b", "a"], [], ["new"]], epochs=3)
    assert model.embeddings().words == ["a", "b", "c"]
    assert not model.embeddings().vectors[vocab["never"]].any() and not model.embeddings().outputs[PAD_ID].any()


def test_bad_settings_and_texts_are_named():
    with pytest.raises(ValueError, match="'glove': choose 'skipgram' or 'cbow'"):
        Word2Vec(VOCAB, 4, kind="glove")
    for name in ("d", "window", "negatives", "batch", "shared"):
        with pytest.raises(ValueError, match=f"{name}=0"):
            Word2Vec(VOCAB, **({"d": 4} | {name: 0}))
    for wrong in ({"lr": 0}, {"lr": np.nan}, {"power": -1}):
        with pytest.raises(ValueError, match="lr="):
            Word2Vec(VOCAB, 4, **wrong)
    model = Word2Vec(VOCAB, 4)
    with pytest.raises(ValueError, match="epochs=0"):
        model.fit([["man", "woman"]], epochs=0)
    for text in ([["man"]], [["man"], ["king", "unheard"]]):
        with pytest.raises(ValueError, match="no word has a neighbour"):
            model.fit(text)
    with pytest.raises(ValueError, match="no sentence"):
        model.fit([[]])


def test_analogies_are_as_good_as_gensims_on_the_same_text():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what gensim's own imports warn of is not ours to mend
        gensim_word2vec = pytest.importorskip("gensim.models.word2vec")
    sentences = LANGUAGE.sample(6000, rng(5))
    theirs = gensim_word2vec.Word2Vec(
        sentences, vector_size=16, window=5, sg=1, negative=5, sample=0, min_count=1, epochs=5, workers=1, seed=1
    )
    vectors = np.zeros((len(VOCAB), 16))
    for word in theirs.wv.index_to_key:
        vectors[VOCAB[word]] = theirs.wv[word]
    ours = Word2Vec(VOCAB, 16, rng=rng(1))
    ours.fit(sentences, epochs=5)
    questions = LANGUAGE.analogies()
    accuracy = ours.embeddings().analogy_accuracy(questions)
    assert accuracy >= Embeddings(VOCAB, vectors).analogy_accuracy(questions) and accuracy > 0.95

"""N-gram models, languages and translators as language models: the same numbers as where they come from."""

import numpy as np
import pytest
import torch

from course_lib.grammar import Language
from course_lib.language_models import Given, Tabled
from course_lib.languages import agree
from course_lib.ngram import NGramLM
from course_lib.seq2seq import Seq2Seq
from course_lib.tokens import BOS, BOS_ID, EOS, EOS_ID, PAD_ID, UNK_ID, Vocabulary
from course_lib.transformer import Transformer

LANGUAGE = agree()
SENTENCES = LANGUAGE.sample(300, np.random.default_rng(0))
VOCAB = Vocabulary.build(SENTENCES)


def framed(sentence):
    return torch.tensor([[BOS_ID, *VOCAB.encode(sentence)]])


def test_a_language_gives_the_true_distribution_at_every_place():
    assert isinstance(LANGUAGE, Language)
    lm = Tabled.language(LANGUAGE, VOCAB)
    for sentence in SENTENCES[:10]:
        p = lm(framed(sentence)).exp()
        assert p.shape == (1, len(sentence) + 1, len(VOCAB)) and p.dtype == torch.float64
        assert ((p.sum(-1) - 1).abs() < 1e-12).all()
        targets = [*VOCAB.encode(sentence), EOS_ID]
        log_q = p[0].log()[range(len(targets)), targets]
        assert log_q.tolist() == pytest.approx(LANGUAGE.token_log_probs(sentence).tolist())
    first = lm(torch.tensor([[BOS_ID]]))[0, 0]
    assert first[[PAD_ID, BOS_ID, UNK_ID]].isneginf().all()


def test_behind_a_text_that_cannot_come_there_is_nothing():
    lm = Tabled.language(LANGUAGE, VOCAB)
    word = VOCAB.encode([SENTENCES[0][0]])[0]
    logits = lm(torch.tensor([[BOS_ID, word, word], [BOS_ID, EOS_ID, word]]))
    assert logits[:, 0].exp().sum(-1).tolist() == pytest.approx([1, 1])
    assert logits[0, 2].isnan().all() and logits[1, 1:].isnan().all()


@pytest.mark.parametrize("order", [1, 2, 3])
def test_an_ngram_model_gives_its_own_distribution(order):
    ngrams = NGramLM(order).fit(SENTENCES, VOCAB)
    lm = Tabled.ngram(ngrams)
    for sentence, log_q in zip(SENTENCES[:5], ngrams.score(SENTENCES[:5]), strict=True):
        targets = [*VOCAB.encode(sentence), EOS_ID]
        got = lm(framed(sentence))[0][range(len(targets)), targets]
        assert got.tolist() == pytest.approx(np.asarray(log_q).tolist())
    context = [BOS, *SENTENCES[0][:2]]
    got = lm(framed(SENTENCES[0][:2]))[0, -1].exp().numpy()
    assert got == pytest.approx(ngrams.next_distribution(context))


def test_any_function_of_a_prefix_will_do():
    asked = []

    def count(prefix):
        asked.append(list(prefix))
        return {EOS: 0.25, "b": 0.75} if prefix else {"a": 1.0}

    vocab = Vocabulary(["a", "b"])
    lm = Tabled(count, vocab)
    a, b = vocab.encode(["a", "b"])
    p = lm(torch.tensor([[BOS_ID, a], [BOS_ID, a]])).exp()
    assert p[0, 0, a] == 1 and p[1, 1, EOS_ID] == 0.25 and p[1, 1, b] == 0.75
    assert asked == [[], ["a"]]  # each prefix once


def test_the_state_of_a_table_is_what_was_read():
    lm = Tabled.language(LANGUAGE, VOCAB)
    ids = torch.cat([framed(s[:4]) for s in SENTENCES if len(s) >= 4][:3])
    logits, state = lm(ids[:, :2], lm.initial_state(3))
    rest, state = lm(ids[:, 2:], state)
    assert torch.equal(torch.cat([logits, rest], 1), lm(ids))
    assert state == [tuple(row) for row in ids.tolist()]
    rows = torch.tensor([2, 2, 0])
    assert lm.select_state(state, rows) == [state[2], state[2], state[0]]
    assert lm.crop_state(state, 2) == [row[:2] for row in state]
    token = ids[:, 2:3]
    again, _ = lm(token, lm.crop_state(state, 2))
    assert torch.equal(again[:, 0], lm(ids[:, :3])[:, -1])


def test_ids_that_make_no_sense():
    lm = Tabled.language(LANGUAGE, VOCAB)
    with pytest.raises(ValueError, match=f"the vocabulary has {len(VOCAB)}"):
        lm(torch.tensor([[len(VOCAB)]]))
    with pytest.raises(TypeError, match="integers"):
        lm(torch.tensor([1.0]))


# ---- translators -------------------------------------------------------------------------------------------------


def translator(kind):
    torch.manual_seed(0)
    if kind == "transformer":
        return Transformer(9, 11, 12, 3, 2, dropout=0.3).double()
    if kind == "lstm":
        return Seq2Seq(9, 11, 6, "lstm", "additive", dropout=0.3, num_layers=2, bidirectional=True).double()
    return Seq2Seq(9, 11, 6, "gru", kind).double()


every_translator = pytest.mark.parametrize("kind", ["transformer", "lstm", "dot", None])


@every_translator
def test_a_translator_with_its_source_is_a_language_model_of_the_target(kind):
    model = translator(kind).eval()
    lm = Given(model, [4, 5, 8])
    inputs = torch.tensor([[BOS_ID, 4, 10, 6], [BOS_ID, 9, 9, 5]])
    source = torch.tensor([[4, 5, 8, EOS_ID]] * 2)
    whole = lm(inputs)
    assert (whole - model(source, inputs)).abs().max() < 1e-12
    state, steps = lm.initial_state(2), []
    for t in range(4):
        logits, state = lm(inputs[:, t : t + 1], state)
        steps.append(logits)
    assert (torch.cat(steps, 1) - whole).abs().max() < 1e-10
    state = lm(inputs[:, :2], lm.initial_state(2))[1]
    logits, _ = lm(inputs[[1, 0, 1], 2:3], lm.select_state(state, torch.tensor([1, 0, 1])))
    assert (logits[:, 0] - whole[[1, 0, 1], 2]).abs().max() < 1e-10


@every_translator
def test_the_source_is_read_without_dropout_and_the_mode_of_the_model_is_that_of_both(kind):
    model = translator(kind).train()
    lm = Given(model, [4, 5])
    assert model.training and lm.training
    lm.eval()
    assert not model.training and not lm.training
    inputs = torch.tensor([[BOS_ID, 4]])
    assert (lm(inputs) - model(torch.tensor([[4, 5, EOS_ID]]), inputs)).abs().max() < 1e-12
    lm.train()
    assert model.training


@pytest.mark.parametrize("source", [[], [4, EOS_ID], [PAD_ID], [BOS_ID, 4]])
def test_sources_that_make_no_sense(source):
    with pytest.raises(ValueError, match="one or more words without PAD, BOS and EOS"):
        Given(translator("dot"), source)


def test_a_source_of_another_vocabulary_leaves_the_model_as_it_was():
    model = translator("transformer").train()
    with pytest.raises(ValueError, match="vocabulary has 9"):
        Given(model, [10])
    assert model.training

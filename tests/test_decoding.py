"""Decoding: against enumeration, between models, with and without the cache, and with settings that make no sense."""

import itertools
import math
from collections import Counter

import numpy as np
import pytest
import torch

from course_lib import decoding
from course_lib.attention_lm import AttentionLM, RNNAttentionLM
from course_lib.decoding import beam_search, bent, generate, keep_min_p, keep_top_k, keep_top_p, speculative
from course_lib.language_models import Given, Tabled
from course_lib.languages import agree
from course_lib.ngram import NGramLM
from course_lib.rnn import RNNLM
from course_lib.seq2seq import Seq2Seq, translate
from course_lib.tokens import BOS_ID, EOS_ID, Vocabulary
from course_lib.transformer import Transformer, TransformerLM

V = 9
LANGUAGE = agree()
SENTENCES = LANGUAGE.sample(200, np.random.default_rng(0))
VOCAB = Vocabulary.build(SENTENCES)


def shaken(model):
    """Weights so large that the distributions are far from flat; double, so that no tie is broken by rounding."""
    with torch.no_grad():
        for p in model.parameters():
            p.mul_(1.7)
    return model.double()


def build(name):
    torch.manual_seed(1)
    if name in ("elman", "gru", "lstm"):
        return shaken(RNNLM(V, 8, name, num_layers=2))
    if name.startswith("rnn attention"):
        return shaken(RNNAttentionLM(V, 8, name.split()[-1], heads=2))
    if name == "attention":
        return shaken(AttentionLM(V, 8, 2, 2, 32))
    if name == "ngram":
        return Tabled.ngram(NGramLM(2).fit(SENTENCES, VOCAB))
    if name == "language":
        return Tabled.language(LANGUAGE, VOCAB)
    if name == "seq2seq":
        return Given(shaken(Seq2Seq(V, V, 8, "lstm", "additive")), [4, 5, 6])
    if name == "transformer":
        return Given(shaken(Transformer(V, V, 8, 2, 2)), [4, 5, 6])
    return shaken(TransformerLM(V, 8, 2, 2, 32, name))


WITH_STATE = ("elman", "gru", "lstm", "rnn attention elman", "rnn attention lstm", "ngram", "language", "seq2seq",
              "transformer", "learned", "sinusoidal", "rotary", "none")  # fmt: skip
every_model = pytest.mark.parametrize("name", [*WITH_STATE, "attention"])


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@torch.no_grad()
def log_q(model, prompt, text):
    """The log-probability of a continuation, in one pass."""
    logits = model(torch.tensor([[*prompt, *text]])).double().log_softmax(-1)[0]
    return sum(logits[len(prompt) - 1 + i, token].item() for i, token in enumerate(text))


class Counting:
    """A model that notes how many tokens it is given."""

    def __init__(self, model):
        self.model, self.read = model, []
        self.initial_state, self.select_state = model.initial_state, model.select_state

    def __call__(self, ids, state=None):
        self.read.append(tuple(ids.shape))
        return self.model(ids) if state is None else self.model(ids, state)


# ---- bending -----------------------------------------------------------------------------------------------------

P = torch.tensor([0.4, 0.3, 0.2, 0.1], dtype=torch.float64)


def kept(logits):
    return logits.isfinite().int().tolist()


def test_filters_by_hand():
    z = P.log()
    assert [kept(keep_top_k(z, k)) for k in (1, 3, 9)] == [[1, 0, 0, 0], [1, 1, 1, 0], [1, 1, 1, 1]]
    assert [kept(keep_top_p(z, p)) for p in (0.1, 0.39, 0.41, 0.71, 1.0)] == [
        [1, 0, 0, 0], [1, 0, 0, 0], [1, 1, 0, 0], [1, 1, 1, 0], [1, 1, 1, 1]]  # fmt: skip
    assert [kept(keep_min_p(z, p)) for p in (0.0, 0.24, 0.3, 0.7, 1.0)] == [
        [1, 1, 1, 1], [1, 1, 1, 1], [1, 1, 1, 0], [1, 1, 0, 0], [1, 0, 0, 0]]  # fmt: skip
    assert kept(keep_top_k(torch.tensor([1.0, 3.0, 3.0, 2.0]), 1)) == [0, 1, 1, 0]  # a tie


def test_bending_by_hand():
    z = P.log() + 5
    assert bent(z).tolist() == pytest.approx(P.tolist())
    assert bent(z, 0.5).tolist() == pytest.approx([x / 30 for x in (16, 9, 4, 1)])
    assert bent(z, 0).tolist() == [1, 0, 0, 0]
    assert bent(z, top_k=2).tolist() == pytest.approx([4 / 7, 3 / 7, 0, 0])
    assert bent(z, forbid=[0, 2]).tolist() == pytest.approx([0, 0.75, 0, 0.25])
    assert bent(z, 0, forbid=[0]).tolist() == [0, 1, 0, 0]
    # top-k leaves 4/9, 3/9, 2/9; of these the first two hold 7/9, and the second is 3/4 of the first
    assert bent(z, top_k=3, top_p=0.7).tolist() == pytest.approx([4 / 7, 3 / 7, 0, 0])
    assert bent(z, top_k=3, top_p=0.7, min_p=0.8).tolist() == [1, 0, 0, 0]
    assert bent(z.expand(2, 3, 4), 2.0).shape == (2, 3, 4)


@pytest.mark.parametrize("temperature", [1e-3, 1e-50, 1e-300])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_temperature_close_to_zero_is_nearly_greedy_and_not_nan(temperature, dtype):
    p = bent(P.log().to(dtype), temperature)
    assert p.dtype == dtype and p.tolist() == pytest.approx([1, 0, 0, 0])
    assert bent(torch.tensor([1e30, 0.0, -1e30]), 1e30).tolist() == pytest.approx([0.6652, 0.2447, 0.0900], abs=1e-3)


def test_a_nucleus_of_everything_drops_nothing_however_the_sum_is_rounded():
    logits = torch.randn(20_000, generator=seeded()) * 4
    assert keep_top_p(logits, 1.0).isfinite().all()


def test_settings_that_make_no_sense():
    z = P.log()
    for message, settings in {
        "temperature=-1 must be 0": {"temperature": -1},
        "temperature=nan": {"temperature": math.nan},
        "temperature=inf": {"temperature": math.inf},
        "top_k=0 must be 1 or more": {"top_k": 0},
        "top_p=0 is a mass": {"top_p": 0},
        "top_p=1.1 is a mass": {"top_p": 1.1},
        "min_p=-0.1 is a share": {"min_p": -0.1},
        "min_p=2 is a share": {"min_p": 2},
        r"forbid=\[4\] must be ids from 0 to 3": {"forbid": [4]},
        r"forbid=\[-1, 2\] must be ids from 0 to 3": {"forbid": [-1, 2]},
        "all its mass is on forbidden ids": {"forbid": [0, 1, 2, 3]},
    }.items():
        with pytest.raises(ValueError, match=message):
            bent(z, **settings)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_logits_that_are_no_distribution(bad):
    for logits in (torch.tensor([0.0, bad]), torch.tensor([[0.0, 1.0], [-math.inf, -math.inf]])):
        with pytest.raises(ValueError, match="nothing to draw from"):
            bent(logits)


# ---- one token after another -------------------------------------------------------------------------------------


@every_model
def test_greedy_takes_the_most_probable_token_each_time(name):
    model = build(name)
    (text,) = generate(model, [BOS_ID], 12, temperature=0)
    with torch.no_grad():
        for t in range(len(text) + (len(text) < 12)):
            best = int(model(torch.tensor([[BOS_ID, *text[:t]]]))[0, -1].argmax())
            assert best == (text[t] if t < len(text) else EOS_ID)
    assert EOS_ID not in text


@every_model
def test_the_cache_changes_nothing_and_a_generator_everything(name):
    model = build(name)
    settings = {"n": 5, "temperature": 1.3, "top_p": 0.95}
    texts = generate(model, [BOS_ID], 15, generator=seeded(), **settings)
    assert texts == generate(model, [BOS_ID], 15, generator=seeded(), **settings)
    assert texts == generate(model, [BOS_ID], 15, generator=seeded(), cache=False, **settings)
    assert texts != generate(model, [BOS_ID], 15, generator=seeded(1), **settings)
    assert len(texts) == 5 and all(len(text) <= 15 and EOS_ID not in text for text in texts)
    assert len(set(map(tuple, texts))) > 1


def test_without_a_generator_the_global_seed_counts():
    model = build("gru")
    torch.manual_seed(3)
    first = generate(model, [BOS_ID], 9)
    torch.manual_seed(3)
    assert generate(model, [BOS_ID], 9) == first


@pytest.mark.parametrize("name", ["learned", "lstm", "ngram", "attention"])
def test_prompts_of_several_lengths_side_by_side(name):
    model = build(name)
    first, second = VOCAB.encode(SENTENCES[0])[:2] if name == "ngram" else (5, 7)
    prompts = [[BOS_ID, first], [BOS_ID], [BOS_ID, second, first], [BOS_ID, second], [BOS_ID, first]]
    texts = generate(model, prompts, 10, temperature=0)
    assert texts == [generate(model, prompt, 10, temperature=0)[0] for prompt in prompts]
    assert texts[0] == texts[4]
    for same in (np.array(prompts[0]), torch.tensor(prompts[0]), tuple(prompts[0])):
        assert generate(model, same, 10, temperature=0) == texts[:1]
        assert generate(model, [same], 10, temperature=0) == texts[:1]


def test_several_prompts_do_not_disturb_each_other_when_one_ends():
    """Of a fixed order of words, in which each prompt stands at another distance from the end."""
    vocab = Vocabulary([*"abcde"])
    following = {"": "a", "a": "b", "b": "c", "c": "d", "d": "e", "e": "<eos>"}
    model = Counting(Tabled(lambda prefix: {following[prefix[-1] if prefix else ""]: 1.0}, vocab))
    prompts = [[BOS_ID, vocab[word]] for word in "cbdea"]
    texts = generate(model, prompts, 9, generator=seeded())
    assert ["".join(vocab.decode(text)) for text in texts] == ["de", "cde", "e", "", "bcde"]
    assert model.read == [(5, 2), (4, 1), (3, 1), (2, 1), (1, 1)]  # nothing is read behind an end


def test_the_draws_have_the_distribution_of_the_model():
    """Chi-square of 4,000 first pairs of tokens against their exact probabilities; 1 in 10,000 by chance."""
    model, n = build("learned"), 4000
    counts = Counter(tuple(text) for text in generate(model, [BOS_ID], 2, n=n, generator=seeded(), stop=None))
    assert_distributed(counts, {pair: math.exp(log_q(model, [BOS_ID], pair)) for pair in pairs()}, n)


def pairs():
    return [*itertools.product(range(V), repeat=2)]


def assert_distributed(counts, p, n):
    rare = [x for x in p if p[x] * n < 5]
    groups = [[x] for x in p if p[x] * n >= 5] + ([rare] if rare else [])
    expected = [sum(p[x] for x in group) * n for group in groups]
    observed = [sum(counts[x] for x in group) for group in groups]
    assert sum(observed) == n and sum(expected) == pytest.approx(n)
    chi = sum((o - e) ** 2 / e for o, e in zip(observed, expected, strict=True) if e > 0)
    k = len(groups) - 1
    bound = k * (1 - 2 / (9 * k) + 3.719 * math.sqrt(2 / (9 * k))) ** 3  # Wilson and Hilferty, p = 1e-4
    assert chi < bound


def test_what_a_language_writes_is_in_it():
    for ids in generate(build("language"), [BOS_ID], 60, n=20, generator=seeded()):
        assert LANGUAGE.log_prob(VOCAB.decode(ids)) > -math.inf


def test_the_stop_token_is_that_which_is_given():
    model = build("learned")
    (text,) = generate(model, [BOS_ID], 30, generator=seeded(), stop=None)
    assert len(text) == 30
    stop = text[7]
    assert generate(model, [BOS_ID], 30, generator=seeded(), stop=stop)[0] == text[: text.index(stop)]


def test_forbidden_tokens_do_not_come_and_a_text_that_never_ends_is_cut():
    texts = generate(build("learned"), [BOS_ID], 25, n=20, generator=seeded(), forbid=[EOS_ID, 4])
    assert all(len(text) == 25 and 4 not in text for text in texts)


def test_reading_with_the_cache_is_one_token_at_a_time():
    model = Counting(build("learned"))
    generate(model, [BOS_ID, 5, 6], 4, n=2, stop=None)
    assert model.read == [(2, 3), (2, 1), (2, 1), (2, 1)]
    model.read.clear()
    generate(model, [BOS_ID, 5, 6], 4, stop=None, cache=False)
    assert model.read == [(1, 3), (1, 4), (1, 5), (1, 6)]


@pytest.mark.parametrize("write", [
    lambda m: generate(m, [BOS_ID], 3), lambda m: beam_search(m, [BOS_ID], 2, 3),
    lambda m: speculative(m, m, [BOS_ID], 3)], ids=["generate", "beam", "speculative"])  # fmt: skip
def test_a_model_is_left_in_the_mode_it_was_in_and_writes_without_dropout(write):
    for model in (TransformerLM(V, 8, 2, 1, 8, dropout=0.5), Given(Transformer(V, V, 8, 2, 1, dropout=0.5), [5])):
        seen = []
        inner = getattr(model, "model", model)
        hook = inner.register_forward_pre_hook(lambda m, _, seen=seen: seen.append(m.training))
        embedding = getattr(inner, "embedding", None) or inner.target_embedding
        embedding.register_forward_pre_hook(lambda _, __, m=inner, seen=seen: seen.append(m.training))
        for mode in (True, False):
            model.train(mode)
            write(model)
            assert model.training == mode and seen and not any(seen)
        hook.remove()


def test_prompts_that_make_no_sense():
    model = build("learned")
    for message, call in {
        "the prompt is empty": lambda: generate(model, [], 3),
        "prompt is empty": lambda: generate(model, [[5], []], 3),
        "is empty: begin": lambda: generate(model, [], 3, n=2),
        "prompt is empty: ": lambda: beam_search(model, [], 2, 3),
        "the prompt is empty: begin": lambda: speculative(model, model, [], 3),
        "max_new=0 must be 1 or more": lambda: generate(model, [5], 0),
        "max_new=0 must be": lambda: beam_search(model, [5], 2, 0),
        "a prompt of 40 and 1 new tokens do not fit into 32": lambda: generate(model, [5] * 40, 1),
        "a prompt of 3 and 31 new tokens do not fit into 32": lambda: generate(model, [5] * 3, 31),
        "a prompt of 3 and 31 new": lambda: beam_search(model, [5] * 3, 2, 31),
        "3 and 31 new tokens do not": lambda: speculative(model, model, [5] * 3, 31),
        "n=0 must be": lambda: generate(model, [5], 3, n=0),
        "n=2 must be 1 or more, and goes with a single": lambda: generate(model, [[5], [6]], 3, n=2),
        "the vocabulary has 9": lambda: generate(model, [9], 3),
        "positions for 1 to 32": lambda: generate(build("attention"), [5] * 33, 3),
        "33 more do not fit into 32": lambda: generate(
            Given(Transformer(V, V, 8, 2, 1, max_length=32), [5]), [5] * 33, 3
        ),
    }.items():
        with pytest.raises(ValueError, match=message):
            call()
    assert len(generate(model, [5] * 3, 30, stop=None)[0]) == 30  # the last one drawn is not read


# ---- beam search -------------------------------------------------------------------------------------------------


def everything(model, prompt, longest, penalty):
    """Every text of up to ``longest`` tokens that ends, or has that length, with its score; the best first."""
    found = []
    for length in range(1, longest + 1):
        for text in itertools.product([i for i in range(model.size) if i != EOS_ID], repeat=length - 1):
            for last in [EOS_ID] if length < longest else range(model.size):
                score = log_q(model, prompt, [*text, last]) / length**penalty
                found.append((score, [*text] if last == EOS_ID else [*text, last]))
    return sorted(found, key=lambda one: -one[0])


@pytest.mark.parametrize("penalty", [0.0, 0.7, 1.0, 2.0])
@pytest.mark.parametrize("positions", ["learned", "rotary"])
def test_a_beam_wide_enough_for_everything_finds_everything_in_order(positions, penalty):
    torch.manual_seed(0)
    model = shaken(TransformerLM(4, 8, 2, 1, 8, positions))
    model.size = 4
    expected = everything(model, [BOS_ID], 4, penalty)
    found = beam_search(model, [BOS_ID], 1000, 4, penalty=penalty)
    assert len(found) == len(expected) == 1 + 3 + 9 + 27 * 4
    assert [h.ids for h in found] == [text for _, text in expected]
    assert [h.score for h in found] == pytest.approx([score for score, _ in expected])


@every_model
def test_a_beam_of_one_is_greedy_and_the_cache_changes_nothing(name):
    model = build(name)
    (best,) = beam_search(model, [BOS_ID], 1, 12)
    assert [best.ids] == generate(model, [BOS_ID], 12, temperature=0)
    with_cache, without = (beam_search(model, [BOS_ID], 4, 8, penalty=0.8, cache=cache) for cache in (True, False))
    assert [h.ids for h in with_cache] == [h.ids for h in without] and len(with_cache) == 4
    for h in with_cache:
        text = [*h.ids, EOS_ID] if h.ended else h.ids
        assert h.log_prob == pytest.approx(log_q(model, [BOS_ID], text), abs=1e-9)
        assert h.score == pytest.approx(h.log_prob / len(text) ** 0.8)
        assert h.ended == (EOS_ID not in h.ids and len(h.ids) < 8) or len(h.ids) == 7
    assert [h.score for h in with_cache] == sorted((h.score for h in with_cache), reverse=True)


def test_a_wider_beam_finds_what_a_narrow_one_drops():
    """a is the likelier beginning, but what follows b is certain: 0.6 x 0.5 against 0.4 x 1."""
    vocab = Vocabulary([*"abc"])
    table = {(): {"a": 0.6, "b": 0.4}, ("a",): {"a": 0.5, "c": 0.5}, ("b",): {"c": 1.0}}
    model = Tabled(lambda prefix: table.get(tuple(prefix), {"<eos>": 1.0}), vocab)
    a, b, c = vocab.encode(["a", "b", "c"])
    assert [(h.ids, round(math.exp(h.log_prob), 6)) for h in beam_search(model, [BOS_ID], 1, 5)] == [([a, a], 0.3)]
    wide = beam_search(model, [BOS_ID], 2, 5)
    assert wide[0].ids == [b, c] and math.exp(wide[0].log_prob) == pytest.approx(0.4)
    assert len(beam_search(model, [BOS_ID], 50, 5)) == 3  # there are no more texts


def test_a_penalty_favours_length():
    vocab = Vocabulary([*"a"])
    model = Tabled(lambda prefix: {"<eos>": 0.5, "a": 0.5} if len(prefix) < 3 else {"<eos>": 1.0}, vocab)
    short, long = (beam_search(model, [BOS_ID], 4, 9, penalty=penalty)[0] for penalty in (0.0, 2.0))
    assert len(short.ids) == 0 and len(long.ids) == 3
    assert long.score == pytest.approx(3 * math.log(0.5) / 4**2)


def test_a_search_without_an_end_keeps_what_it_has():
    found = beam_search(build("learned"), [BOS_ID], 3, 6, stop=None)
    assert [len(h.ids) for h in found] == [6, 6, 6] and not any(h.ended for h in found)


def test_searches_that_make_no_sense():
    with pytest.raises(ValueError, match="width=0 must be 1 or more"):
        beam_search(build("learned"), [BOS_ID], 0, 3)
    for z in (math.nan, -math.inf):
        with pytest.raises(ValueError, match="gives NaN, or no token any mass"):
            beam_search(lambda ids, z=z: torch.full((*ids.shape, 5), z), [BOS_ID], 2, 3)


# ---- speculative sampling ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("ahead", [1, 3])
@pytest.mark.parametrize("names", [("learned", "rotary"), ("lstm", "learned"), ("rotary", "elman")], ids="-".join)
def test_speculation_has_the_distribution_of_the_large_model(names, ahead):
    model, draft, n = build(names[0]), build(names[1]), 300
    rng = seeded(5)
    counts = Counter()
    for _ in range(n):
        ids = speculative(model, draft, [BOS_ID], 2, ahead, generator=rng).ids
        counts[(*ids, EOS_ID)[:2]] += 1
    p = {(i, j): math.exp(log_q(model, [BOS_ID], (i, j))) for i, j in pairs() if i != EOS_ID}
    p[EOS_ID,] = math.exp(log_q(model, [BOS_ID], (EOS_ID,)))
    assert_distributed(counts, p, n)


@pytest.mark.parametrize("ahead", [1, 3])
def test_speculation_with_a_draft_that_is_far_off(ahead):
    """Each token by itself: 0.7, 0.2, 0.1 in the model, the other way round in the draft."""
    vocab, shares, n, rng = Vocabulary([*"abc"]), (0.7, 0.2, 0.1), 1500, seeded()
    model, draft = (Tabled(lambda _, p=p: dict(zip("abc", p, strict=True)), vocab) for p in (shares, shares[::-1]))
    counts = Counter(tuple(speculative(model, draft, [BOS_ID], 2, ahead, generator=rng).ids) for _ in range(n))
    assert_distributed(counts, {(vocab[x], vocab[y]): p * q for x, p in zip("abc", shares, strict=True)
                                for y, q in zip("abc", shares, strict=True)}, n)  # fmt: skip


def test_speculation_by_enumeration():
    """Every path of one round: a proposal, accepted or not, and what then follows. The sum over paths is p."""
    g = seeded(2)
    for _ in range(20):
        p, q = (torch.randn(5, generator=g, dtype=torch.float64).softmax(-1) for _ in range(2))
        accepted = torch.minimum(p, q)
        rest = (p - q).clamp(min=0)
        assert (accepted + (1 - accepted.sum()) * rest / rest.sum() - p).abs().max() < 1e-12


@pytest.mark.parametrize("name", ["learned", "gru", "ngram"])
def test_a_draft_that_is_the_model_is_always_right(name):
    model = build(name)
    made = speculative(model, model, [BOS_ID], 13, ahead=4, generator=seeded(), stop=None)
    assert len(made.ids) == 13 and made.accepted == made.proposed == 10 and made.passes == 3


def test_a_draft_that_is_never_right_costs_a_pass_for_each_token():
    vocab = Vocabulary([*"ab"])
    model, draft = (Tabled(lambda prefix, w=w: {w: 1.0}, vocab) for w in "ab")
    made = speculative(model, draft, [BOS_ID], 6, generator=seeded())
    assert vocab.decode(made.ids) == ["a"] * 6
    assert (made.accepted, made.passes, made.proposed) == (0, 6, 4 + 4 + 3 + 2 + 1)


def test_a_draft_may_propose_what_cannot_come():
    """The language as the large model, a bigram as the draft: each text is in the language."""
    model, draft, rng = build("language"), build("ngram"), seeded()
    for _ in range(20):
        made = speculative(model, draft, [BOS_ID], 40, 3, generator=rng)
        assert LANGUAGE.log_prob(VOCAB.decode(made.ids)) > -math.inf and made.accepted <= made.proposed


def test_speculation_is_the_same_under_a_generator_and_stops_at_the_stop():
    model, draft = build("learned"), build("elman")
    made = speculative(model, draft, [BOS_ID, 5], 20, generator=seeded(), stop=None)
    assert made == speculative(model, draft, [BOS_ID, 5], 20, generator=seeded(), stop=None)
    assert len(made.ids) == 20
    assert all(EOS_ID not in speculative(model, draft, [BOS_ID], 20, generator=seeded(s)).ids for s in range(10))
    assert len(speculative(model, draft, [EOS_ID], 1, generator=seeded(), stop=None).ids) == 1


def test_models_that_do_not_go_together():
    torch.manual_seed(0)
    model, small, large = (shaken(TransformerLM(size, 8, 2, 1, 32)) for size in (V, V - 2, V + 40))
    for draft, message in ((small, f"the vocabularies differ: {V} tokens in the model, {V - 2} in the draft"),
                           (large, "the vocabular(ies differ: 9 tokens in the model, 49|y has 9)")):  # fmt: skip
        with pytest.raises(ValueError, match=message):
            speculative(model, draft, [BOS_ID], 5, generator=seeded())
    with pytest.raises(ValueError, match="ahead=0 must be 1 or more"):
        speculative(model, model, [BOS_ID], 5, 0)
    with pytest.raises(ValueError, match="do not fit into 4 positions"):
        speculative(model, TransformerLM(V, 8, 2, 1, 4), [BOS_ID], 5)


def test_translate_is_greedy_decoding_of_a_translator():
    torch.manual_seed(0)
    for model in (Seq2Seq(V, V, 8, "gru", "dot"), Transformer(V, V, 8, 2, 2)):
        shaken(model)
        for source in ([4, 5], [8, 8, 6, 7]):
            assert translate(model, [source], 9) == generate(Given(model, source), [BOS_ID], 9, temperature=0)


def test_all_names_of_the_module_exist():
    assert all(hasattr(decoding, name) for name in decoding.__all__)

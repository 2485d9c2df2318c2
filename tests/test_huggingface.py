"""Against Hugging Face: GPT-2's logits and gradients, greedy and beam search token by token, and the filters."""

import itertools
import math

import pytest
import torch
from transformers import (
    GenerationConfig,
    GPT2Config,
    GPT2LMHeadModel,
    GPT2Model,
    MinPLogitsWarper,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)
from transformers.utils import logging

from course_lib.decoding import beam_search, bent, generate
from course_lib.transformer import TransformerLM

logging.set_verbosity_error()

STOP = 2


def gpt2(seed=0, **options):
    """GPT-2 with random weights, large enough that texts end by themselves, and biases that are not zero."""
    torch.manual_seed(seed)
    settings = {"vocab_size": 30, "n_positions": 40, "n_embd": 24, "n_layer": 2, "n_head": 4, "initializer_range": 0.4,
                "bos_token_id": 1, "eos_token_id": STOP, "pad_token_id": 0} | options  # fmt: skip
    model = GPT2LMHeadModel(GPT2Config(**settings)).eval()
    with torch.no_grad():
        for name, p in model.named_parameters():
            if "ln_" in name or "bias" in name:
                p.add_(torch.randn(p.shape) * 0.2)
    return model


SHAPES = {
    "as published": {},
    "other width inside": {"n_inner": 17},
    "not tied": {"tie_word_embeddings": False},
    "gelu": {"activation_function": "gelu"},
    "relu": {"activation_function": "relu"},
    "gelu_pytorch_tanh": {"activation_function": "gelu_pytorch_tanh"},
    "one layer, one head": {"n_layer": 1, "n_head": 1},
    "deep": {"n_layer": 5, "n_embd": 8, "n_head": 2},
    "eps": {"layer_norm_epsilon": 0.1},
    "with dropout": {"resid_pdrop": 0.5, "attn_pdrop": 0.5, "embd_pdrop": 0.5},
}


@pytest.mark.parametrize("options", SHAPES.values(), ids=SHAPES)
def test_the_logits_of_gpt2_and_the_gradients_of_its_embeddings(options):
    theirs = gpt2(**options).double()
    ours = TransformerLM.from_gpt2(theirs)
    ids = torch.randint(0, 30, (3, 40), generator=torch.Generator().manual_seed(1))
    z, other = ours(ids), theirs(ids).logits
    assert not ours.training and z.dtype == torch.float64
    assert (z - other).abs().max() < 1e-10
    weights = torch.arange(z.numel(), dtype=z.dtype).sin().reshape(z.shape)
    for logits in (z, other):
        (logits * weights).sum().backward()
    block, twin = ours.blocks[0], theirs.transformer.h[0]
    for a, b in [
        (ours.embedding.weight, theirs.transformer.wte.weight.grad),
        (ours.position.weight, theirs.transformer.wpe.weight.grad),
        (ours.norm.gamma, theirs.transformer.ln_f.weight.grad),
        (block.attention.W_k.weight, twin.attn.c_attn.weight.grad.chunk(3, 1)[1].T),
        (block.attention.W_o.bias, twin.attn.c_proj.bias.grad),
        (block.feed_forward.W_1.weight, twin.mlp.c_fc.weight.grad.T),
        (block.feed_forward.W_2.weight, twin.mlp.c_proj.weight.grad.T),
        (block.norms[1].beta, twin.ln_2.bias.grad),
    ]:
        assert (a.grad - b).abs().max() < 1e-8 * (1 + b.abs().max())
    assert (ours.output.weight is ours.embedding.weight) == theirs.config.tie_word_embeddings


def test_the_cache_of_gpt2():
    theirs = gpt2().double()
    ours = TransformerLM.from_gpt2(theirs)
    ids = torch.randint(0, 30, (2, 9))
    past = theirs(ids, use_cache=True).past_key_values
    _, state = ours(ids, ours.initial_state(2))
    for (k, v), layer in zip(state, past.layers, strict=True):
        assert (k - layer.keys).abs().max() < 1e-10 and (v - layer.values).abs().max() < 1e-10


def test_models_that_are_not_gpt2_as_published():
    for model in (GPT2Model(GPT2Config(n_layer=1, n_embd=8, n_head=1, vocab_size=5)), torch.nn.Linear(2, 2)):
        with pytest.raises(TypeError, match=f"not {type(model).__name__}"):
            TransformerLM.from_gpt2(model)
    for options in ({"scale_attn_by_inverse_layer_idx": True}, {"scale_attn_weights": False},
                    {"add_cross_attention": True}, {"activation_function": "silu"}):  # fmt: skip
        with pytest.raises(ValueError, match=f"not this configuration: .*{next(iter(options))}"):
            TransformerLM.from_gpt2(gpt2(**options))


@pytest.mark.parametrize("part", ["wte", "wpe", "c_fc"])
def test_weights_of_another_shape_than_the_configuration_says(part):
    model = gpt2()
    if part == "c_fc":
        model.transformer.h[1].mlp.c_fc.weight = torch.nn.Parameter(torch.zeros(24, 1))
    else:
        setattr(model.transformer, part, torch.nn.Embedding(50, 24))
    with pytest.raises(ValueError, match="does not fit where"):
        TransformerLM.from_gpt2(model)


# ---- writing -----------------------------------------------------------------------------------------------------


def theirs(model, prompt, max_new, stop=STOP, **options):
    """Hugging Face's continuations, best first, without prompt and stop, and their scores if there are any."""
    ids = torch.tensor([prompt])
    config = GenerationConfig(max_new_tokens=max_new, bos_token_id=1, eos_token_id=stop, pad_token_id=0,
                              return_dict_in_generate=True, output_scores=True, **options)  # fmt: skip
    got = model.generate(ids, generation_config=config, attention_mask=torch.ones_like(ids))
    rows = [row[len(prompt) :].tolist() for row in got.sequences]
    return [row[: row.index(stop)] if stop in row else row for row in rows], getattr(got, "sequences_scores", None)


MODELS = [gpt2(seed) for seed in range(4)]
ENDLESS = [gpt2(seed, eos_token_id=None) for seed in range(4)]


@pytest.mark.parametrize("seed", range(4))
def test_greedy_writes_the_same(seed):
    ours = TransformerLM.from_gpt2(MODELS[seed])
    for prompt in ([1], [5, 9, 28, 3], [7] * 11):
        expected = theirs(MODELS[seed], prompt, 20, do_sample=False)[0]
        assert generate(ours, prompt, 20, temperature=0, stop=STOP) == expected
        assert generate(ours, prompt, 20, temperature=0, stop=STOP, cache=False) == expected
        expected = theirs(ENDLESS[seed], prompt, 20, None, do_sample=False)[0]
        assert generate(ours, prompt, 20, temperature=0, stop=None) == expected and len(expected[0]) == 20


@pytest.mark.parametrize("stop", [STOP, None], ids=["with an end", "without"])
@pytest.mark.parametrize(("width", "penalty"), [*itertools.product((2, 3, 7), (0.0, 0.6, 1.0, -0.5))])
def test_beam_search_finds_the_same_texts_with_the_same_scores_in_the_same_order(width, penalty, stop):
    ended = []
    for seed in range(3):
        model, prompt = (MODELS if stop else ENDLESS)[seed], [1, 5 + seed, 9]
        ours = beam_search(TransformerLM.from_gpt2(model), prompt, width, 12, penalty=penalty, stop=stop)
        texts, scores = theirs(model, prompt, 12, stop, num_beams=width, num_return_sequences=width, do_sample=False,
                               length_penalty=penalty, early_stopping=False)  # fmt: skip
        assert [h.ids for h in ours] == texts
        assert [h.score for h in ours] == pytest.approx(scores.tolist(), abs=1e-4)
        ended += [h.ended for h in ours]
    assert any(ended) == (stop is not None)


# ---- filters -----------------------------------------------------------------------------------------------------

LOGITS = torch.randn(6, 40, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * 3


def through(*warpers):
    logits = LOGITS.clone()
    for warp in warpers:
        logits = warp(None, logits)
    return logits.softmax(-1)


@pytest.mark.parametrize("temperature", [0.3, 1.0, 2.5])
@pytest.mark.parametrize("top_k", [None, 1, 5, 400])
@pytest.mark.parametrize("top_p", [None, 0.05, 0.7, 0.999, 1.0])
@pytest.mark.parametrize("min_p", [None, 0.0, 0.03, 1.0])
def test_each_filter_and_all_together_leave_the_same_distribution(temperature, top_k, top_p, min_p):
    warpers = [TemperatureLogitsWarper(temperature)] if temperature != 1 else []
    warpers += [] if top_k is None else [TopKLogitsWarper(top_k)]
    warpers += [] if top_p is None else [TopPLogitsWarper(top_p)]
    warpers += [] if min_p is None else [MinPLogitsWarper(min_p)]
    ours, expected = bent(LOGITS, temperature, top_k, top_p, min_p), through(*warpers)
    assert torch.equal(ours > 0, expected > 0)
    assert (ours - expected).abs().max() < 1e-12
    assert math.isclose(ours.sum().item(), len(LOGITS), abs_tol=1e-9)

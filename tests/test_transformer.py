"""Transformers: whole against step by step, causality, against a construction from torch.nn; and as a translator."""

import itertools
import math

import pytest
import torch
from torch import nn

from course_lib import optimizers, train
from course_lib.blocks import Block, sinusoidal
from course_lib.seq2seq import Batches, exact_match, loss, translate
from course_lib.tokens import BOS_ID, EOS_ID, PAD_ID
from course_lib.transformer import Transformer, TransformerLM

V, D, HEADS, LAYERS, LONGEST = 11, 12, 3, 2, 16
POSITIONS = ("learned", "sinusoidal", "rotary", "none")


def build(positions="learned", **options):
    torch.manual_seed(0)
    return TransformerLM(V, D, HEADS, LAYERS, LONGEST, positions, **options).double().eval()


def some_ids(*shape, seed=0):
    return torch.randint(4, V, shape, generator=torch.Generator().manual_seed(seed))


def assert_close(a, b, tolerance=1e-10):
    assert a.shape == b.shape and a.dtype == b.dtype
    assert (a - b).abs().max() < tolerance


OPTIONS = {
    "plain": {},
    "post": {"norm": "post", "activation": "relu"},
    "modern": {"qk_norm": True, "activation": "swiglu", "hidden": 10, "tied": True},
    "fused": {"fused": True},
}
every_model = pytest.mark.parametrize(
    ("positions", "options"), [*itertools.product(POSITIONS, OPTIONS.values())],
    ids=[f"{p}-{o}" for p, o in itertools.product(POSITIONS, OPTIONS)])  # fmt: skip


# ---- the language model ------------------------------------------------------------------------------------------


@every_model
@pytest.mark.parametrize("chunks", [[1] * 9, [4, 1, 3, 1], [9], [1, 8]], ids=str)
def test_any_way_of_cutting_a_text_gives_the_same_logits(positions, options, chunks):
    model, ids = build(positions, **options), some_ids(3, 9)
    state, parts = model.initial_state(3), []
    for piece in ids.split(chunks, dim=1):
        logits, state = model(piece, state)
        parts.append(logits)
    assert_close(torch.cat(parts, 1), model(ids))
    assert [k.shape for k, _ in state] == [(3, HEADS, 9, D // HEADS)] * LAYERS


@every_model
def test_no_token_sees_a_later_one(positions, options):
    model, ids = build(positions, **options), some_ids(2, 9)
    logits = model(ids)
    for t in (1, 4, 8):
        changed = ids.clone()
        changed[:, t] = (ids[:, t] - 3) % 7 + 4
        difference = (model(changed) - logits).abs().amax((0, 2))
        assert difference[:t].max() < 1e-12 and difference[t] > 1e-6


def test_causality_in_the_gradients():
    model, seen = build(), []
    model.embedding.register_forward_hook(lambda m, i, x: seen.append(x) or x.retain_grad())
    model(some_ids(2, 9))[:, 4].square().sum().backward()
    by_place = seen[0].grad.abs().amax((0, 2))
    assert (by_place[:5] > 0).all() and not by_place[5:].any()


@pytest.mark.parametrize("positions", ["learned", "sinusoidal", "none"])  # torch.nn has no rotary ones
@pytest.mark.parametrize("norm", ["pre", "post"])
def test_the_model_is_what_torch_nn_makes_of_its_weights(positions, norm):
    torch.manual_seed(0)
    layers = [nn.TransformerEncoderLayer(D, HEADS, 4 * D, 0.0, "gelu", batch_first=True, norm_first=norm == "pre",
                                         dtype=torch.float64) for _ in range(LAYERS)]  # fmt: skip
    model = build(positions, norm=norm)
    model.blocks = nn.ModuleList(map(Block.from_torch, layers))
    ids = some_ids(3, 9)
    x = model.embedding(ids)
    if positions == "learned":
        x = x + model.position.weight[:9]
    elif positions == "sinusoidal":
        x = x * math.sqrt(D) + sinusoidal(9, D)
    for layer in layers:
        x = layer(x, src_mask=nn.Transformer.generate_square_subsequent_mask(9, dtype=torch.float64))
    if norm == "pre":
        x = nn.functional.layer_norm(x, (D,))
    theirs = x @ model.output.weight.T + model.output.bias
    ours = model(ids)
    assert_close(ours, theirs)
    for output in (ours, theirs):
        output.sin().sum().backward(retain_graph=True)
    for block, layer in zip(model.blocks, layers, strict=True):
        assert_close(block.feed_forward.W_1.weight.grad, layer.linear1.weight.grad)
        assert_close(block.attention.W_k.weight.grad, layer.self_attn.in_proj_weight.grad.chunk(3)[1])
    (own,) = torch.autograd.grad(ours.sin().sum(), model.embedding.weight, retain_graph=True)
    (other,) = torch.autograd.grad(theirs.sin().sum(), model.embedding.weight)
    assert_close(own, other)


def test_looking_shows_the_weights_and_changes_nothing():
    model, ids = build(), some_ids(2, 7)
    logits, seen = model.look(ids)
    assert_close(logits, model(ids))
    assert [w.shape for w in seen] == [(2, HEADS, 7, 7)] * LAYERS
    assert all(not w.triu(1).any() and ((w.sum(-1) - 1).abs() < 1e-12).all() for w in seen)
    with pytest.raises(ValueError, match="never forms the weights"):
        build(fused=True).look(ids)


def test_without_positions_the_earlier_tokens_are_a_bag_for_one_layer():
    """In a second one the mask tells: each earlier place has read a bag of its own."""
    ids, shuffled = torch.tensor([[4, 5, 6, 7, 8]]), torch.tensor([[6, 4, 7, 5, 8]])
    for positions, layers, same in (("none", 1, True), ("none", 2, False), ("learned", 1, False), ("rotary", 1, False)):
        model = build(positions)
        model.blocks = model.blocks[:layers]
        difference = (model(ids)[:, -1] - model(shuffled)[:, -1]).abs().max()
        assert difference < 1e-12 if same else difference > 1e-6


def test_rows_of_the_state_and_a_shorter_state():
    model, ids = build("rotary"), some_ids(3, 6)
    _, state = model(ids, model.initial_state(3))
    token = some_ids(4, 1, seed=3)
    rows = torch.tensor([2, 0, 2, 1])
    logits, _ = model(token, model.select_state(state, rows))
    assert_close(logits[:, 0], model(torch.cat([ids[rows], token], 1))[:, -1])
    logits, _ = model(token[:3], model.crop_state(state, 2))
    assert_close(logits[:, 0], model(torch.cat([ids[:, :2], token[:3]], 1))[:, -1])
    logits, _ = model(ids, model.crop_state(state, 0))
    assert_close(logits, model(ids))


def test_tied_weights_are_one_matrix_and_the_count_is_the_formula():
    count = lambda model: sum(p.numel() for p in model.parameters())  # noqa: E731
    blocks = LAYERS * (12 * D**2 + 13 * D) + 2 * D
    assert count(build()) == blocks + V * D + LONGEST * D + V * D + V
    assert count(build("sinusoidal", tied=True)) == blocks + V * D == count(build("none", tied=True))
    assert count(build("none", norm="post", tied=True)) == blocks + V * D - 2 * D
    tied = build(tied=True)
    assert tied.output.weight is tied.embedding.weight and tied.output.bias is None
    assert "sinusoids" not in build("sinusoidal").state_dict()


def test_ids_and_sizes_that_make_no_sense():
    model = build()
    state = model(some_ids(2, 10), model.initial_state(2))[1]
    for error, message, call in [
        (ValueError, "0 tokens and 17 more do not fit into 16 positions", lambda: model(some_ids(1, 17))),
        (ValueError, "10 tokens and 7 more do not fit into 16 positions", lambda: model(some_ids(2, 7), state)),
        (ValueError, "0 tokens and 0 more", lambda: model(some_ids(1, 0))),
        (ValueError, "the state holds 2 texts, and ids has 3 rows", lambda: model(some_ids(3, 1), state)),
        (ValueError, "from 11 to 11, and the vocabulary has 11", lambda: model(torch.tensor([[V]]))),
        (TypeError, "integers of shape", lambda: model(torch.zeros(1, 2))),
        (TypeError, "integers of shape", lambda: model(torch.tensor([4, 5]))),
        (ValueError, "positions='relative' must be one of", lambda: build("relative")),
        (ValueError, "layers=0 and max_length=5", lambda: TransformerLM(V, D, HEADS, 0, 5)),
        (ValueError, "layers=1 and max_length=0", lambda: TransformerLM(V, D, HEADS, 1, 0)),
        (ValueError, "heads=5 must divide", lambda: TransformerLM(V, D, 5, 1, 5)),
        (ValueError, "a head is 3 wide, and rotary", lambda: TransformerLM(V, D, 4, 1, 5, "rotary")),
        (ValueError, "width 3 even", lambda: TransformerLM(V, 3, 1, 1, 5, "sinusoidal")),
    ]:
        with pytest.raises(error, match=message):
            call()
    assert model(some_ids(1, 16)).shape == (1, 16, V)


def test_a_model_without_dropout_is_the_same_in_training_and_one_with_it_is_not():
    ids = some_ids(2, 6)
    assert_close(build().train()(ids), build()(ids))
    noisy = build(dropout=0.5)
    assert_close(noisy(ids), build()(ids))
    assert (noisy.train()(ids) - noisy(ids)).abs().max() > 0.01


# ---- the translator ----------------------------------------------------------------------------------------------

SOURCE, TARGET = 9, 11
PAIRS = [([4, 5, 6], [4, 5]), ([7], [8, 9, 10, 4, 5]), ([8, 8], []), ([5, 4, 7, 6, 5], [10])]


def translator(**options):
    torch.manual_seed(0)
    return Transformer(SOURCE, TARGET, D, HEADS, LAYERS, **options).double().eval()


def batch(pairs=PAIRS):
    rows = [([*s, EOS_ID], [BOS_ID, *t]) for s, t in pairs]
    return [nn.utils.rnn.pad_sequence([torch.tensor(row) for row in side], batch_first=True, padding_value=PAD_ID)
            for side in zip(*rows, strict=True)]  # fmt: skip


@pytest.mark.parametrize("norm", ["pre", "post"])
@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_the_translator_is_what_torch_nn_makes_of_its_weights(norm, activation):
    torch.manual_seed(0)
    options = {"dim_feedforward": 20, "dropout": 0.0, "activation": activation, "batch_first": True,
               "norm_first": norm == "pre", "dtype": torch.float64}  # fmt: skip
    encoder = [nn.TransformerEncoderLayer(D, HEADS, **options) for _ in range(LAYERS)]
    decoder = [nn.TransformerDecoderLayer(D, HEADS, **options) for _ in range(LAYERS)]
    model = translator(norm=norm, activation=activation, hidden=20)
    model.encoder, model.decoder = (nn.ModuleList(map(Block.from_torch, side)) for side in (encoder, decoder))
    source, inputs = batch()
    T, padding = inputs.shape[1], source == PAD_ID
    last = (lambda x: nn.functional.layer_norm(x, (D,))) if norm == "pre" else lambda x: x
    memory = model.source_embedding(source) * math.sqrt(D) + sinusoidal(source.shape[1], D)
    for layer in encoder:
        memory = layer(memory, src_key_padding_mask=padding)
    memory = last(memory)
    x = model.target_embedding(inputs) * math.sqrt(D) + sinusoidal(T, D)
    for layer in decoder:
        x = layer(x, memory, tgt_mask=torch.ones(T, T, dtype=torch.bool).triu(1), memory_key_padding_mask=padding)
    theirs = model.output(last(x))
    ours = model(source, inputs)
    assert_close(ours, theirs)
    tables = [model.source_embedding.weight, model.target_embedding.weight, model.output.weight]
    for own, other in zip(torch.autograd.grad(ours.sin().sum(), tables),
                          torch.autograd.grad(theirs.sin().sum(), tables), strict=True):  # fmt: skip
        assert_close(own, other)


@pytest.mark.parametrize("norm", ["pre", "post"])
def test_the_translator_step_by_step(norm):
    model = translator(norm=norm)
    source, inputs = batch()
    memory = model.encode(source)
    state, steps = memory.state, []
    for t in range(inputs.shape[1]):
        logits, state, weights = model.step(inputs[:, t], state, memory)
        steps.append(logits)
        assert weights is None
    assert_close(torch.stack(steps, 1), model(source, inputs))
    rows = torch.tensor([3, 1])
    first = model.decode(inputs[:, :2], memory.state, memory)[1]
    some = model.encode(source[rows])
    logits, _, _ = model.step(inputs[rows, 2], model.select_state(first, rows), some)
    assert_close(logits, steps[2][rows])


def test_padding_of_the_source_does_not_matter_and_every_token_of_it_does():
    model = translator()
    source, inputs = batch()
    whole = model(source, inputs)
    for b, (words, target) in enumerate(PAIRS):
        alone = model(torch.tensor([[*words, EOS_ID]]), inputs[b : b + 1])
        assert_close(whole[b : b + 1], alone)
        changed = model(torch.tensor([[9 - words[0] + 3, *words[1:], EOS_ID]]), inputs[b : b + 1])
        assert (changed - alone).abs().max() > 1e-4 or 9 - words[0] + 3 == words[0]
        assert len(target) < inputs.shape[1]


def test_looking_at_the_source():
    model = translator()
    source, inputs = batch()
    logits, seen = model.look(source, inputs)
    assert_close(logits, model(source, inputs))
    assert [w.shape for w in seen] == [(len(PAIRS), HEADS, inputs.shape[1], source.shape[1])] * LAYERS
    barred = (source == PAD_ID)[:, None, None].expand_as(seen[0])
    assert all(not w[barred].any() and ((w.sum(-1) - 1).abs() < 1e-12).all() for w in seen)


def test_it_learns_to_turn_words_around_and_works_with_what_was_made_for_seq2seq():
    """Ten pairs, to be known by heart: every function that takes a Seq2Seq takes this too."""
    torch.manual_seed(0)
    pairs = [([4 + i % 5, 4 + i // 2, 8 - i % 3], [4 + i // 2, 4 + i % 5]) for i in range(10)]
    model = Transformer(10, 10, 16, 2, 1)
    train.train(model, Batches(pairs, 10), loss, optimizers.Adam(model.parameters(), 1e-2), 60)
    assert exact_match(model, pairs).mean() > 0.9
    assert translate(model, [pairs[0][0]]) == [pairs[0][1]]
    with pytest.raises(ValueError, match="gives no weights"):
        translate(model, [[4]], weights=True)


def test_sources_and_sizes_that_make_no_sense():
    model = translator(max_length=6)
    ok = torch.tensor([[4, EOS_ID]])
    for error, message, call in [
        (ValueError, "needs a token", lambda: model.encode(torch.tensor([[4, 2], [0, 0]]))),
        (ValueError, "0 tokens and 7 more do not fit into 6", lambda: model.encode(torch.full((1, 7), 4))),
        (ValueError, "0 tokens and 7 more do not fit into 6", lambda: model(ok, torch.full((1, 7), 4))),
        (ValueError, "vocabulary has 9", lambda: model.encode(torch.tensor([[9]]))),
        (TypeError, "integers", lambda: model.encode(torch.ones(1, 2))),
        (ValueError, "layers=0", lambda: Transformer(5, 5, 4, 2, 0)),
    ]:
        with pytest.raises(error, match=message):
            call()


def test_every_weight_gets_a_gradient():
    for model, inputs in ((build(tied=True), [some_ids(2, LONGEST)]), (translator(), batch())):
        model(*inputs).sin().sum().backward()
        assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())

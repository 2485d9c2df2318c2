"""The parts of a transformer against torch.nn, in outputs and gradients, and positions against their identities."""

import math

import pytest
import torch
from torch import nn

from course_lib import blocks
from course_lib.attention import causal_mask, padding_mask

B, T, S, D, HEADS, HIDDEN = 2, 5, 7, 12, 3, 20


def randn(*shape, seed=0):
    x = torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed + sum(shape)))
    return x.requires_grad_()


def gradients(output, inputs):
    """Gradients of a sum in which every number of the output has its own weight."""
    weights = torch.arange(1.0, output.numel() + 1, dtype=output.dtype).sin().reshape(output.shape)
    return torch.autograd.grad((output * weights).sum(), inputs, retain_graph=True)


def assert_close(ours, theirs, tolerance=1e-10):
    for a, b in zip(ours, theirs, strict=True):
        assert a.shape == b.shape and a.dtype == b.dtype
        assert (a - b).abs().max() < tolerance


def shaken(module, seed=1):
    """Random weights and biases everywhere, so that none is 0 or 1."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for p in module.parameters():
            p.copy_(torch.randn(p.shape, generator=generator, dtype=p.dtype) * 0.4 + 0.1)
    return module


# ---- positions ---------------------------------------------------------------------------------------------------


def test_sinusoids_by_the_formula():
    table = blocks.sinusoidal(9, 6)
    assert table.shape == (9, 6) and table.dtype == torch.float32
    for t in range(9):
        for i in range(3):
            angle = t / 10_000 ** (2 * i / 6)
            assert table[t, 2 * i].item() == pytest.approx(math.sin(angle), abs=1e-6)
            assert table[t, 2 * i + 1].item() == pytest.approx(math.cos(angle), abs=1e-6)


def test_a_step_along_the_sinusoids_is_one_rotation_wherever_it_starts():
    """PE(t + k) = PE(t) R(k): rotating sines and cosines of place t by the angles of k gives those of t + k."""
    table = blocks.sinusoidal(60, 16).double()
    cosine_first = table.unflatten(1, (-1, 2)).flip(-1).flatten(1)
    for k in (1, 7, 30):
        angles = blocks.rotary_angles(1, 16, start=k)
        assert_close([blocks.rotate(cosine_first[:-k], angles)], [cosine_first[k:]], 1e-5)


def test_products_of_sinusoids_depend_on_the_distance_alone():
    table = blocks.sinusoidal(60, 16).double()
    products = table @ table.T
    for k in (0, 1, 5, 20):
        assert products.diagonal(k).std() < 1e-5
    assert products.diagonal().mean() == pytest.approx(8)


def test_rotary_angles_go_on_where_they_are_told_to():
    whole = blocks.rotary_angles(9, 6)
    assert whole.shape == (9, 3) and torch.equal(whole[:, 0], torch.arange(9.0))
    assert torch.equal(whole[4:], blocks.rotary_angles(5, 6, start=4))
    assert torch.equal(blocks.rotary_angles(2, 4, base=100.0)[1], torch.tensor([1.0, 0.1]))


def test_rotation_of_a_pair_by_hand():
    quarter = torch.tensor([[math.pi / 2, 0.0]], dtype=torch.float64)
    x = torch.tensor([[3.0, 4.0, 5.0, 6.0]], dtype=torch.float64)
    assert_close([blocks.rotate(x, quarter)], [torch.tensor([[-4.0, 3.0, 5.0, 6.0]], dtype=torch.float64)])


def test_rotation_keeps_lengths_and_back_again_gives_what_was():
    x, angles = randn(B, HEADS, T, 4), blocks.rotary_angles(T, 4).double()
    turned = blocks.rotate(x, angles)
    assert turned.dtype == x.dtype
    assert_close([turned.norm(dim=-1), blocks.rotate(turned, -angles)], [x.norm(dim=-1), x])
    assert blocks.rotate(x.float(), angles.float()).dtype == torch.float32


def test_scores_under_rotation_depend_on_the_distance_alone():
    q, k = randn(1, 8, seed=1), randn(1, 8, seed=2)
    at = lambda x, t: blocks.rotate(x, blocks.rotary_angles(1, 8, start=t))[0]  # noqa: E731
    for distance in (0, 1, 6):
        scores = [(at(q, t + distance) @ at(k, t)).item() for t in (0, 1, 5, 30)]
        assert scores == pytest.approx([scores[0]] * 4, abs=1e-5)
    assert abs((at(q, 3) @ at(k, 3)).item() - (at(q, 4) @ at(k, 3)).item()) > 0.1


@pytest.mark.parametrize(("T", "width"), [(0, 4), (3, 5), (3, 0), (-1, 4)])
def test_positions_that_make_no_sense(T, width):
    for make in (blocks.sinusoidal, blocks.rotary_angles):
        with pytest.raises(ValueError, match=f"T={T} must be 1 or more and the width {width} even"):
            make(T, width)


# ---- parts -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("eps", [1e-5, 0.1])
def test_layer_norm_is_that_of_torch(eps):
    twin = shaken(nn.LayerNorm(D, eps=eps).double())
    ours = blocks.LayerNorm(D).double()
    ours.copy_from(twin.weight, twin.bias, twin.eps)
    x = randn(B, T, D)
    y, theirs = ours(x), twin(x)
    assert_close([y, *gradients(y, [x, ours.gamma, ours.beta])],
                 [theirs, *gradients(theirs, [x, twin.weight, twin.bias])])  # fmt: skip


def test_layer_norm_by_hand():
    """Of 1, 3, 5, 7: mean 4, variance 5."""
    y = blocks.LayerNorm(4, eps=0.0)(torch.tensor([[1.0, 3.0, 5.0, 7.0]]))
    assert y[0].tolist() == pytest.approx([value / 5**0.5 for value in (-3, -1, 1, 3)])


def test_layer_norm_without_a_bias():
    twin = shaken(nn.LayerNorm(D, bias=False).double())
    ours = shaken(blocks.LayerNorm(D).double(), seed=2)
    ours.copy_from(twin.weight, twin.bias, twin.eps)
    assert_close([ours(randn(B, T, D))], [twin(randn(B, T, D))])


@pytest.mark.parametrize(("activation", "f"), [
    ("relu", nn.ReLU()), ("gelu", nn.GELU()), ("gelu-tanh", nn.GELU("tanh")), ("swiglu", nn.SiLU())])  # fmt: skip
def test_feed_forward_by_the_formula(activation, f):
    layer = shaken(blocks.FeedForward(D, HIDDEN, activation).double())
    x = randn(B, T, D)
    inner = f(x @ layer.W_1.weight.T + layer.W_1.bias)
    if activation == "swiglu":
        inner = inner * (x @ layer.W_3.weight.T + layer.W_3.bias)
    y, theirs = layer(x), inner @ layer.W_2.weight.T + layer.W_2.bias
    weights = [x, *layer.parameters()]
    assert_close([y, *gradients(y, weights)], [theirs, *gradients(theirs, weights)])
    assert len(list(layer.parameters())) == (6 if activation == "swiglu" else 4)


def test_parts_that_do_not_exist_are_named():
    for message, make in {
        r"activation='tanh' must be one of \['gelu', 'gelu-tanh', 'relu', 'swiglu'\]": lambda: blocks.FeedForward(
            4, 8, "tanh"
        ),
        "norm='both' must be 'pre' or 'post'": lambda: blocks.Block(4, 2, norm="both"),
        "heads=3 must divide d_model=4": lambda: blocks.Block(4, 3),
    }.items():
        with pytest.raises(ValueError, match=message):
            make()


# ---- the block ---------------------------------------------------------------------------------------------------


def twins(cross, norm_first, activation, bias=True):
    cls = nn.TransformerDecoderLayer if cross else nn.TransformerEncoderLayer
    torch.manual_seed(0)
    twin = cls(D, HEADS, HIDDEN, dropout=0.0, activation=activation, batch_first=True, norm_first=norm_first,
               layer_norm_eps=1e-3, bias=bias, dtype=torch.float64)  # fmt: skip
    shaken(twin)
    return blocks.Block.from_torch(twin), twin


MASKS = {"none": None, "causal": causal_mask(T), "padding": padding_mask([5, 2], T)}


def weights_of(block, twin):
    """Pairs of a weight of ours and the gradient that its twin's has: those of q, k, v lie in one matrix there."""
    pairs = {}
    attentions = [(block.attention, twin.self_attn)]
    if block.cross is not None:
        attentions.append((block.cross, twin.multihead_attn))
    for ours, theirs in attentions:
        parts = theirs.in_proj_weight.grad.chunk(3) + theirs.in_proj_bias.grad.chunk(3)
        layers = (ours.W_q, ours.W_k, ours.W_v)
        own = [layer.weight for layer in layers] + [layer.bias for layer in layers]
        pairs |= dict(zip(own, parts, strict=True))
        pairs |= {ours.W_o.weight: theirs.out_proj.weight.grad, ours.W_o.bias: theirs.out_proj.bias.grad}
    for ours, theirs in ((block.feed_forward.W_1, twin.linear1), (block.feed_forward.W_2, twin.linear2)):
        pairs |= {ours.weight: theirs.weight.grad, ours.bias: theirs.bias.grad}
    for i, ours in enumerate(block.norms, start=1):
        theirs = getattr(twin, f"norm{i}")
        pairs |= {ours.gamma: theirs.weight.grad, ours.beta: theirs.bias.grad}
    return pairs


@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
@pytest.mark.parametrize("activation", ["relu", "gelu"])
@pytest.mark.parametrize("norm_first", [True, False], ids=["pre", "post"])
@pytest.mark.parametrize("cross", [True, False], ids=["decoder", "encoder"])
@pytest.mark.parametrize("fused", [True, False], ids=["fused", "open"])
def test_the_block_is_that_of_torch_with_the_gradients_of_every_weight(cross, norm_first, activation, mask, fused):
    block, twin = twins(cross, norm_first, activation)
    for attention in (block.attention, block.cross):
        if attention is not None:
            attention.fused = fused
    x, memory = randn(B, T, D), randn(B, S, D, seed=3)
    barred = None if mask is None else ~(mask if mask.ndim == 2 else mask.expand(B, T, T).repeat_interleave(HEADS, 0))
    if cross:
        real = padding_mask([7, 3], S)
        y, _ = block(x, mask, memory=memory, memory_mask=real)
        theirs = twin(x, memory, tgt_mask=barred, memory_key_padding_mask=~real[:, 0])
    else:
        y, _ = block(x, mask)
        theirs = twin(x, src_mask=barred)
    inputs = [x, memory] if cross else [x]
    assert_close([y, *gradients(y, inputs)], [theirs, *gradients(theirs, inputs)])
    weights = torch.arange(1.0, y.numel() + 1, dtype=y.dtype).sin().reshape(y.shape)
    for output in (y, theirs):
        (output * weights).sum().backward()
    pairs = weights_of(block, twin)
    assert set(pairs) == set(block.parameters())
    assert_close([p.grad for p in pairs], pairs.values(), 1e-9)


@pytest.mark.parametrize("cross", [True, False], ids=["decoder", "encoder"])
def test_a_twin_without_biases(cross):
    block, twin = twins(cross, True, "relu", bias=False)
    x, memory = randn(B, T, D), randn(B, S, D, seed=3)
    y, theirs = (block(x, memory=memory)[0], twin(x, memory)) if cross else (block(x)[0], twin(x))
    assert_close([y], [theirs])


def test_a_copy_keeps_mode_type_dropout_and_is_a_copy():
    twin = nn.TransformerEncoderLayer(D, HEADS, HIDDEN, dropout=0.25, batch_first=True)
    block = blocks.Block.from_torch(twin)
    assert block.training and block.dropout.p == 0.25 and block.norms[0].gamma.dtype == torch.float32
    assert not blocks.Block.from_torch(twin.eval()).training
    with torch.no_grad():
        twin.linear1.weight.zero_()
    assert block.feed_forward.W_1.weight.abs().min() > 0


def test_other_modules_cannot_be_copied():
    with pytest.raises(TypeError, match="not Linear"):
        blocks.Block.from_torch(nn.Linear(3, 3))
    odd = nn.TransformerEncoderLayer(4, 2, 8, activation=torch.tanh, batch_first=True)
    with pytest.raises(ValueError, match="is not relu or gelu"):
        blocks.Block.from_torch(odd)


def test_weights_of_another_shape_do_not_fit():
    layer = nn.Linear(3, 2)
    with pytest.raises(ValueError, match=r"shape \(1, 3\) does not fit where \(2, 3\)"):
        blocks.copy_linear(layer, torch.zeros(1, 3), None)
    with pytest.raises(ValueError, match=r"shape \(1,\) does not fit where \(2,\)"):
        blocks.copy_linear(layer, torch.zeros(2, 3), torch.zeros(1))
    with pytest.raises(ValueError, match=r"shape \(5,\) does not fit where \(4,\)"):
        blocks.LayerNorm(4).copy_from(torch.ones(5), None, 1e-5)


def test_a_memory_is_for_blocks_that_read_one():
    x = torch.zeros(1, 2, 4)
    for block, memory in ((blocks.Block(4, 2), x), (blocks.Block(4, 2, cross=True), None)):
        with pytest.raises(ValueError, match="needs a memory"):
            block(x, memory=memory)


@pytest.mark.parametrize("norm", ["pre", "post"])
@pytest.mark.parametrize("options", [{}, {"qk_norm": True}, {"cross": True}, {"fused": True, "activation": "swiglu"}],
                         ids=str)  # fmt: skip
def test_what_the_cache_holds_is_as_good_as_reading_again(norm, options):
    block = shaken(blocks.Block(D, HEADS, norm=norm, **options).double())
    x, memory = randn(B, T, D), randn(B, S, D, seed=3) if "cross" in options else None
    angles = blocks.rotary_angles(T, D // HEADS)
    whole, (k, v) = block(x, causal_mask(T), angles=angles, memory=memory)
    assert k.shape == v.shape == (B, HEADS, T, D // HEADS)
    first, past = block(x[:, :2], causal_mask(2), angles=angles[:2], memory=memory)
    rest, (k2, v2) = block(x[:, 2:], causal_mask(3, 5), past=past, angles=angles[2:], memory=memory)
    assert_close([torch.cat([first, rest], 1), k2, v2], [whole, k, v])


def test_normalised_queries_and_keys_have_scores_that_do_not_depend_on_their_lengths():
    block = shaken(blocks.Block(D, HEADS, qk_norm=True).double())
    for layer in (block.attention.W_q, block.attention.W_k):
        layer.bias.data.zero_()
    seen, longer = [], []
    block(randn(B, T, D), seen=seen)
    for layer in (block.attention.W_q, block.attention.W_k):
        layer.weight.data.mul_(7.0)
    block(randn(B, T, D), seen=longer)
    assert_close(seen, longer, 1e-6)


def test_the_weights_of_each_attention_are_shown_in_order():
    block, seen = blocks.Block(D, HEADS, cross=True).double(), []
    x, memory = randn(B, T, D), randn(B, S, D)
    y, _ = block(x, causal_mask(T), memory=memory, seen=seen)
    assert [w.shape for w in seen] == [(B, HEADS, T, T), (B, HEADS, T, S)]
    assert not seen[0].triu(1).any() and all(((w.sum(-1) - 1).abs() < 1e-12).all() for w in seen)
    assert_close([y], [block(x, causal_mask(T), memory=memory)[0]])


def test_dropout_acts_on_what_each_part_adds_and_only_in_training():
    block = blocks.Block(D, HEADS, dropout=0.999999).double()
    x = randn(B, T, D)
    assert_close([block(x)[0]], [x])
    assert (block.eval()(x)[0] - x).abs().max() > 0.01


def test_hidden_width_and_number_of_weights():
    """4 D^2 and 4 D for attention, 8 D^2 and 5 D for the feed-forward network, 4 D for two norms: 12 D^2 + 13 D."""
    count = lambda block: sum(p.numel() for p in block.parameters())  # noqa: E731
    assert count(blocks.Block(D, HEADS)) == 12 * D**2 + 13 * D == count(blocks.Block(D, 1))
    assert count(blocks.Block(D, HEADS, hidden=5)) == 4 * D**2 + 4 * D + 2 * 5 * D + 5 + D + 4 * D
    assert count(blocks.Block(D, HEADS, cross=True)) == 16 * D**2 + 19 * D

"""Attention against PyTorch's: outputs and all gradients; the economical forms against the full one."""

import math

import pytest
import torch
from torch import nn
from torch.nn.functional import elu, scaled_dot_product_attention
from torch.utils._python_dispatch import TorchDispatchMode

from course_lib import attention as att

B, N, T, S, D = 2, 3, 5, 7, 4


def randn(*shape, seed=0):
    x = torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed + sum(shape)))
    return x.requires_grad_()


def qkv(T=T, S=S, front=(B, N), width=D, d_v=6):
    return randn(*front, T, width, seed=1), randn(*front, S, width, seed=2), randn(*front, S, d_v, seed=3)


def gradients(output, *inputs):
    """Gradients of a sum in which every number of the output has its own weight."""
    weights = torch.arange(1.0, output.numel() + 1, dtype=output.dtype).sin().reshape(output.shape)
    return torch.autograd.grad((output * weights).sum(), inputs, retain_graph=True)


def assert_close(ours, theirs, tolerance=1e-10):
    for a, b in zip(ours, theirs, strict=True):
        assert a.shape == b.shape and a.dtype == b.dtype
        assert (a - b).abs().max() < tolerance


def assert_same(ours, theirs, inputs, tolerance=1e-10):
    """Equal outputs, and equal gradients of all inputs."""
    assert_close([ours, *gradients(ours, *inputs)], [theirs, *gradients(theirs, *inputs)], tolerance)


def random_mask(*shape, seed=5):
    """A mask in which every query may look somewhere."""
    mask = torch.rand(*shape, generator=torch.Generator().manual_seed(seed)) < 0.5
    mask[..., 0] |= ~mask.any(-1)
    return mask


MASKS = {
    "none": None,
    "causal": att.causal_mask(T, S),
    "any": random_mask(T, S),
    "own for each": random_mask(B, N, T, S),
    "padding": att.padding_mask([7, 3], S)[:, None],
}


# ---- one head ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
@pytest.mark.parametrize("scale", [None, 1.0, 0.3, 0.0])
def test_attention_is_that_of_torch(mask, scale):
    inputs = qkv()
    output, weights = att.attention(*inputs, mask=mask, scale=scale)
    theirs = scaled_dot_product_attention(*inputs, attn_mask=mask, scale=scale)
    assert_same(output, theirs, inputs)
    assert weights.shape == (B, N, T, S) and ((weights.sum(-1) - 1).abs() < 1e-12).all()
    assert torch.equal(output, weights @ inputs[2])
    if mask is not None:
        assert not weights[~mask.expand(B, N, T, S)].any()


def test_attention_of_three_tokens_by_hand():
    """Scores of one query are 0, ln 2 and ln 5, so that its weights are 1/8, 2/8 and 5/8."""
    q, k = torch.tensor([[2.0, 0.0, 0.0, 0.0]]), torch.zeros(3, 4)
    k[1:, 0] = torch.tensor([2.0, 5.0]).log()
    output, weights = att.attention(q, k, torch.tensor([[8.0], [16.0], [80.0]]))
    assert weights.tolist() == [pytest.approx([1 / 8, 2 / 8, 5 / 8])] and output.item() == pytest.approx(55)


@pytest.mark.parametrize("front", [(), (3,), (2, 3, 2)])
def test_any_number_of_dimensions_in_front(front):
    inputs = qkv(front=front)
    assert_same(att.attention(*inputs)[0], scaled_dot_product_attention(*inputs), inputs)


def test_dimensions_in_front_broadcast():
    (q, *_), (_, k, v) = qkv(front=()), qkv(front=(B,))
    mask = random_mask(B, T, S)
    output, weights = att.attention(q, k, v, mask)
    assert output.shape == (B, T, 6) and weights.shape == (B, T, S)
    assert_close([output], [att.attention(q.expand(B, T, D), k, v, mask)[0]], 1e-14)


def test_the_order_of_the_keys_does_not_matter_and_that_of_the_queries_is_kept():
    q, k, v = qkv()
    keys, queries = torch.randperm(S), torch.randperm(T)
    assert_close([att.attention(q[..., queries, :], k[..., keys, :], v[..., keys, :])[0]],
                 [att.attention(q, k, v)[0][..., queries, :]])  # fmt: skip


BARRED = {"all": torch.zeros(T, S, dtype=torch.bool), "one row": random_mask(B, 1, T, S), "one source": None}
BARRED["one row"][0, :, 2] = False
BARRED["one source"] = att.padding_mask([0, 4], S)[:, None]


@pytest.mark.parametrize("mask", BARRED.values(), ids=BARRED)
def test_a_query_that_may_look_nowhere_gets_zeros_and_finite_gradients(mask):
    inputs = qkv()
    output, weights = att.attention(*inputs, mask=mask)
    empty = ~mask.any(-1).expand(B, N, T)
    assert empty.any() and not output[empty].any() and not weights[empty].any()
    assert ((weights[~empty].sum(-1) - 1).abs() < 1e-12).all()
    found = gradients(output, *inputs)
    assert all(g.isfinite().all() for g in found) and not found[0][empty].any()


def test_scores_too_large_for_the_exponential():
    q, k, v = (x.detach() * 1e4 for x in qkv())
    output, weights = att.attention(q, k, v)
    assert output.isfinite().all() and ((weights.sum(-1) - 1).abs() < 1e-12).all()
    assert_close([att.chunked_attention(q, k, v, 2)], [output], 1e-7)


# ---- masks -------------------------------------------------------------------------------------------------------


def test_masks_by_hand():
    assert att.causal_mask(3).int().tolist() == [[1, 0, 0], [1, 1, 0], [1, 1, 1]]
    assert att.causal_mask(2, 4).int().tolist() == [[1, 1, 1, 0], [1, 1, 1, 1]]
    assert att.window_mask(4, 2).int().tolist() == [[1, 0, 0, 0], [1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1]]
    assert torch.equal(att.window_mask(4, 1), torch.eye(4, dtype=torch.bool))
    assert torch.equal(att.window_mask(4, 9), att.causal_mask(4))
    for lengths in ([3, 0, 1], torch.tensor([3, 0, 1])):
        assert att.padding_mask(lengths, 3).int().tolist() == [[[1, 1, 1]], [[0, 0, 0]], [[1, 0, 0]]]


def test_masks_that_make_no_sense():
    for message, call in {
        "T=3 queries and S=2 keys": lambda: att.causal_mask(3, 2),
        "T=0": lambda: att.causal_mask(0),
        "width=0": lambda: att.window_mask(3, 0),
        r"numbers from 0 to 4.*\[5\]": lambda: att.padding_mask([5], 4),
        r"numbers from 0 to 4.*\[-1\]": lambda: att.padding_mask([-1], 4),
        r"numbers from 0 to 4, the padded width, not 3": lambda: att.padding_mask(3, 4),
    }.items():
        with pytest.raises(ValueError, match=message):
            call()


@pytest.mark.parametrize(
    "mask",
    [torch.ones(T, S), torch.ones(T, S, dtype=torch.int64), torch.ones(S, T, dtype=torch.bool),
     torch.ones(4, B, N, T, S, dtype=torch.bool), torch.ones(3, T, S, dtype=torch.bool)],
    ids=["float", "integer", "transposed", "more in front", "other batch"],
)  # fmt: skip
def test_a_mask_that_does_not_fit_is_named(mask):
    q, k, v = qkv(front=(B,))
    calls = [lambda: att.attention(q, k, v, mask), lambda: att.DotAttention(D, D)(q, k, v, mask),
             lambda: att.AdditiveAttention(D, D, 3).double()(q, k, v, mask)]  # fmt: skip
    for call in calls:
        with pytest.raises(ValueError, match=r"the mask is torch\.\w+ \(.*must be boolean, to fit \(2, 5, 7\)"):
            call()


def test_shapes_that_clash_are_named():
    q, k, v = qkv(front=(B,))
    for wrong in (
        (q[..., :3], k, v),
        (q, k[:, :3], v),
        (q, k[:, :0], v[:, :0]),
        (q, k[..., :0], v),
        (q[0, 0], k, v),
        (q, k[0, 0], v),
        (q, k, v[0, 0]),
        (q.expand(B, B, T, D)[:, :1], k.repeat(2, 1, 1), v),
    ):
        with pytest.raises(ValueError, match="must fit together"):
            att.attention(*wrong)
    for call in (lambda: att.chunked_attention(q, k[:, :3], v), lambda: att.linear_attention(q, k[:, :3], v),
                 lambda: att.sliding_window_attention(q, k[:, :3], v, 2),
                 lambda: att.AdditiveAttention(D, D, 3).double()(q, k, v[:, :3]),
                 lambda: att.AdditiveAttention(D, D, 3).double()(q, k[:, :0])):  # fmt: skip
        with pytest.raises(ValueError, match="must fit together"):
            call()


# ---- scores of other kinds ---------------------------------------------------------------------------------------


def test_additive_attention_by_hand():
    torch.manual_seed(0)
    layer = att.AdditiveAttention(4, 3, 6).double()
    q, k, v = randn(B, T, 4), randn(B, S, 3), randn(B, S, 2)
    mask = att.padding_mask([7, 2], S)
    output, weights = layer(q, k, v, mask)
    for b in range(B):
        for t in range(T):
            scores = [
                layer.v.weight[0] @ torch.tanh(layer.W.weight @ q[b, t] + layer.W.bias + layer.U.weight @ k[b, s])
                for s in range(S)
                if mask[b, 0, s]
            ]
            e = torch.stack(scores).exp()
            assert_close([weights[b, t, : len(e)], output[b, t]], [e / e.sum(), e @ v[b, : len(e)] / e.sum()], 1e-12)
    output, weights = layer(q, k)  # the keys are the values
    assert torch.equal(output, weights @ k)
    assert torch.autograd.gradcheck(lambda *x: layer(*x, mask)[0], (q, k, v))


def test_dot_attention_with_and_without_a_matrix():
    torch.manual_seed(0)
    q, k, v = randn(B, T, 4), randn(B, S, 4, seed=1), randn(B, S, 2)
    plain = att.DotAttention(4, 4)
    assert not list(plain.parameters())
    assert_close(plain(q, k, v), att.attention(q, k, v, scale=1.0))
    general, narrow = att.DotAttention(4, 3).double(), randn(B, S, 3)
    assert [tuple(p.shape) for p in general.parameters()] == [(3, 4)]
    mask = att.padding_mask([7, 0], S)
    output, weights = general(q, narrow, mask=mask)
    expected = (q @ general.W.weight.T @ narrow.mT).softmax(-1)
    assert_close([weights[0]], [expected[0]], 1e-12)
    assert torch.equal(output, weights @ narrow) and not weights[1].any() and not output[1].any()


# ---- several heads -----------------------------------------------------------------------------------------------


def twins(bias=True, heads=N, width=12, seed=0):
    torch.manual_seed(seed)
    module = nn.MultiheadAttention(width, heads, bias=bias, batch_first=True, dtype=torch.float64)
    if bias:  # they start at zero, which would hide a mistake
        nn.init.normal_(module.in_proj_bias)
        nn.init.normal_(module.out_proj.bias)
    return att.MultiHeadAttention.from_torch(module), module


def parameter_gradients(ours, module, output, theirs, inputs):
    """The gradients of all weights and inputs, ours and PyTorch's, in one order."""
    layers = (ours.W_q, ours.W_k, ours.W_v, ours.W_o)
    with_bias = module.in_proj_bias is not None
    a = gradients(output, *(l.weight for l in layers), *((l.bias for l in layers) if with_bias else ()), *inputs)
    packed = [module.in_proj_weight, module.out_proj.weight]
    packed += [module.in_proj_bias, module.out_proj.bias] if with_bias else []
    b = gradients(theirs, *packed, *inputs)
    unpacked = [*b[0].chunk(3), b[1], *((*b[2].chunk(3), b[3]) if with_bias else ()), *b[len(packed) :]]
    return a, unpacked


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("heads", [1, 3, 12])
@pytest.mark.parametrize("masked", ["no", "causal", "padding", "any", "for each head"])
def test_several_heads_are_those_of_torch(bias, heads, masked):
    ours, module = twins(bias, heads)
    query, key, value = inputs = randn(B, T, 12), randn(B, S, 12, seed=1), randn(B, S, 12, seed=2)
    mask = {"no": None, "causal": att.causal_mask(T, S), "padding": att.padding_mask([7, 3], S),
            "any": random_mask(B, T, S), "for each head": random_mask(B, heads, T, S)}[masked]  # fmt: skip
    theirs = {}
    if masked == "padding":  # theirs is True where a query may not look
        theirs["key_padding_mask"] = ~mask[:, 0]
    elif masked == "any":
        theirs["attn_mask"] = ~mask.repeat_interleave(heads, dim=0)
    elif mask is not None:
        theirs["attn_mask"] = ~mask if mask.ndim == 2 else ~mask.flatten(0, 1)
    expected, seen = module(query, key, value, average_attn_weights=False, **theirs)
    output, weights = ours(query, key, value, mask=mask, weights=True)
    assert_close([output, weights], [expected, seen])
    assert_close(*parameter_gradients(ours, module, output, expected, inputs))
    alone = ours(query, key, value, mask=mask)
    assert torch.equal(alone, output)
    ours.fused = True
    fused = ours(query, key, value, mask=mask)
    assert_close([fused], [output])
    assert_close(*parameter_gradients(ours, module, fused, expected, inputs))


def test_self_attention_and_keys_that_are_the_values():
    ours, module = twins()
    x, key = randn(B, T, 12), randn(B, S, 12, seed=1)
    assert_same(ours(x), module(x, x, x)[0], [x])
    assert_same(ours(x, key), module(x, key, key)[0], [x, key])


def test_a_head_is_an_attention_of_its_own_columns():
    ours, _ = twins()
    x = randn(B, T, 12)
    heads = []
    for i in range(N):
        columns = slice(4 * i, 4 * i + 4)
        q, k, v = (layer(x)[..., columns] for layer in (ours.W_q, ours.W_k, ours.W_v))
        heads.append(att.attention(q, k, v)[0])
    assert_close([ours(x)], [ours.W_o(torch.cat(heads, dim=-1))], 1e-12)


def test_without_a_mask_the_order_of_the_tokens_only_orders_the_output():
    ours, _ = twins()
    x, order = randn(B, T, 12), [3, 0, 4, 1, 2]
    assert_close([ours(x[:, order])], [ours(x)[:, order]])
    causal = att.causal_mask(T)
    assert (ours(x[:, order], mask=causal) - ours(x, mask=causal)[:, order]).abs().max() > 1e-3


def test_a_causal_mask_hides_the_future():
    ours, _ = twins()
    x = randn(1, T, 12)
    output = ours(x, mask=att.causal_mask(T))
    for t in range(T):
        (gradient,) = torch.autograd.grad(output[0, t].sum(), x, retain_graph=True)
        assert not gradient[0, t + 1 :].any() and gradient[0, : t + 1].any(-1).all()


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("shape", [(T, T), (B, 1, T), (B, T, T), (B, N, T, T), (T,)])
def test_rows_that_may_look_nowhere_are_the_bias_of_the_output(fused, shape):
    ours, _ = twins()
    ours.fused = fused
    x, mask = randn(B, T, 12), random_mask(*shape)
    mask[0] = False
    if shape == (T,):
        mask[:] = False
    output = ours(x, mask=mask)
    empty = ~(mask[:, None] if mask.ndim == 3 else mask).expand(B, N, T, T).any(-1).all(1)
    assert empty.any() and ((output[empty] - ours.W_o.bias).abs() < 1e-14).all()
    assert all(g.isfinite().all() for g in gradients(output, x, *ours.parameters()))


def test_the_fused_kernel_has_no_weights_to_show():
    layer = att.MultiHeadAttention(4, 2, fused=True)
    with pytest.raises(ValueError, match="never forms the weights: set fused=False"):
        layer(torch.zeros(1, 3, 4), weights=True)
    with pytest.raises(ValueError, match="must be boolean"):
        layer(torch.zeros(1, 3, 4), mask=torch.ones(3, 3))


def test_several_heads_bad_input_is_named():
    layer = att.MultiHeadAttention(4, 1)
    for message, call in {
        "heads=5 must divide d_model=12": lambda: att.MultiHeadAttention(12, 5),
        "heads=0 must divide": lambda: att.MultiHeadAttention(12, 0),
        r"\(B, T or S, 4\), not \(3, 4\)": lambda: layer(torch.zeros(3, 4)),
        r"\(B, T or S, 4\), not \(1, 3, 5\)": lambda: layer(torch.zeros(1, 3, 4), torch.zeros(1, 3, 5)),
        "must fit together": lambda: layer(torch.zeros(2, 3, 4), torch.zeros(3, 3, 4)),
        "the mask is": lambda: layer(torch.zeros(2, 3, 4), mask=torch.ones(2, 3, dtype=torch.bool)),
    }.items():
        with pytest.raises(ValueError, match=message):
            call()


def test_from_torch_keeps_type_and_mode_and_refuses_what_we_do_not_have():
    module = nn.MultiheadAttention(4, 2).eval()
    ours = att.MultiHeadAttention.from_torch(module)
    assert ours.W_q.weight.dtype == torch.float32 and not ours.training and ours.W_q.bias is not None
    assert att.MultiHeadAttention.from_torch(nn.MultiheadAttention(4, 2, bias=False)).W_o.bias is None
    x = torch.randn(3, 2, 4)
    assert_close([ours(x.transpose(0, 1))], [module(x, x, x)[0].transpose(0, 1)], 1e-6)
    for options in ({"kdim": 3}, {"vdim": 3}, {"add_bias_kv": True}, {"add_zero_attn": True}):
        with pytest.raises(ValueError, match="without kdim, vdim"):
            att.MultiHeadAttention.from_torch(nn.MultiheadAttention(4, 2, **options))


# ---- attention that holds less -----------------------------------------------------------------------------------


@pytest.mark.parametrize("chunk", [1, 2, 3, 6, 7, 100])
@pytest.mark.parametrize(("causal", "queries"), [(False, T), (False, S + 2), (True, T), (True, S), (True, 1)])
def test_chunks_give_the_whole(chunk, causal, queries):
    inputs = qkv(T=queries)
    mask = att.causal_mask(queries, S) if causal else None
    assert_same(att.chunked_attention(*inputs, chunk, causal), att.attention(*inputs, mask=mask)[0], inputs)


@pytest.mark.parametrize("rising", [1, -1])
def test_chunks_when_the_largest_score_comes_late_or_early(rising):
    k = (torch.arange(40.0, dtype=torch.float64)[:, None] * 30 * rising).requires_grad_()
    inputs = torch.ones(2, 1, dtype=torch.float64, requires_grad=True), k, randn(40, 3)
    for causal in (False, True):
        expected = att.attention(*inputs, mask=att.causal_mask(2, 40) if causal else None)[0]
        assert_same(att.chunked_attention(*inputs, chunk=7, causal=causal), expected, inputs)


def peak_memory(f, *inputs):
    """The largest tensor, in numbers, that any operation of f makes."""

    class Watch(TorchDispatchMode):
        largest = 0

        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            result = function(*args, **(kwargs or {}))
            if isinstance(result, torch.Tensor):
                self.largest = max(self.largest, result.numel())
            return result

    with torch.no_grad(), Watch() as watch:
        f(*inputs)
    return watch.largest


def test_what_is_said_about_memory():
    long = [x[0, 0] for x in qkv(T=512, S=512)]
    assert peak_memory(att.attention, *long) == 512 * 512
    assert peak_memory(lambda *x: att.chunked_attention(*x, 16, causal=True), *long) == 512 * 16
    assert peak_memory(lambda *x: att.sliding_window_attention(*x, 16), *long) == 512 * 2 * 16


@pytest.mark.parametrize("width", [1, 2, 3, 4, 6, 7, 8, 10**9])
@pytest.mark.parametrize("length", [1, 6, 7])
def test_the_sliding_window_is_the_mask(width, length):
    inputs = qkv(T=length, S=length)
    expected = att.attention(*inputs, mask=att.window_mask(length, width))[0]
    assert_same(att.sliding_window_attention(*inputs, width), expected, inputs)
    single = [x[0, 0] for x in inputs]
    assert_close([att.sliding_window_attention(*single, width)], [expected[0, 0]])


@pytest.mark.parametrize("causal", [True, False])
def test_linear_attention_is_its_explicit_sum(causal):
    inputs = q, k, v = qkv(T=S)
    phi_q, phi_k = elu(q) + 1, elu(k) + 1
    kernel = phi_q @ phi_k.mT
    if causal:
        kernel = kernel * att.causal_mask(S)
    assert_same(att.linear_attention(*inputs, causal=causal), kernel / kernel.sum(-1, keepdim=True) @ v, inputs)


def test_linear_attention_is_a_recurrent_network():
    q, k, v = qkv(T=S, front=())
    state, total, outputs = torch.zeros(D, 6, dtype=torch.float64), torch.zeros(D, dtype=torch.float64), []
    for t in range(S):
        phi_q, phi_k = elu(q[t]) + 1, elu(k[t]) + 1
        state, total = state + torch.outer(phi_k, v[t]), total + phi_k
        outputs.append(phi_q @ state / (phi_q @ total))
    assert_close([att.linear_attention(q, k, v)], [torch.stack(outputs)], 1e-12)


def test_linear_attention_with_more_queries_than_keys_and_very_negative_ones():
    q, k, v = qkv(T=S + 3)
    assert att.linear_attention(q, k, v, causal=False).shape == (B, N, S + 3, 6)
    deep = torch.full((3, 2), -30.0, requires_grad=True)
    output = att.linear_attention(deep, deep, torch.eye(3))
    assert_close([output], [torch.tensor([[1, 0, 0], [1 / 2, 1 / 2, 0], [1 / 3, 1 / 3, 1 / 3]])], 1e-6)
    assert gradients(output, deep)[0].isfinite().all()


def test_economical_attention_bad_input_is_named():
    q, k, v = qkv()
    for message, call in {
        "chunk=0": lambda: att.chunked_attention(q, k, v, 0),
        "T=7 <= S=5": lambda: att.chunked_attention(k, q, q, causal=True),
        "width=0": lambda: att.sliding_window_attention(k, k, v, 0),
        "as many as queries: 7, 5": lambda: att.sliding_window_attention(q, k, v, 2),
        "as many keys as queries: 7, 5": lambda: att.linear_attention(q, k, v),
    }.items():
        with pytest.raises(ValueError, match=message):
            call()


def test_the_variance_of_scores_is_the_width_without_the_scale():
    g = torch.Generator().manual_seed(0)
    for width in (16, 256):
        q, k = torch.randn(2, 400, width, generator=g)
        assert (q @ k.mT).var().item() == pytest.approx(width, rel=0.1)
        _, weights = att.attention(q, k, k)
        assert -(weights * weights.log()).sum(-1).mean().item() == pytest.approx(math.log(400) - 0.5, abs=0.1)

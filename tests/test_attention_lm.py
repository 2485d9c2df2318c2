"""The two language models with attention: an independent construction, no look ahead, and going on from a state."""

import pytest
import torch

from course_lib import next_token
from course_lib.attention import causal_mask
from course_lib.attention_lm import AttentionLM, RNNAttentionLM

V, D = 11, 12


def ids(B=3, T=6, seed=0):
    return torch.randint(V, (B, T), generator=torch.Generator().manual_seed(seed))


def attention_lm(heads=3, layers=2, max_length=8):
    torch.manual_seed(0)
    return AttentionLM(V, D, heads, layers, max_length).double()


def recurrent(kind="gru", heads=3):
    torch.manual_seed(0)
    return RNNAttentionLM(V, D, kind, heads).double()


MODELS = {"attention": attention_lm, "gru": recurrent, "lstm": lambda: recurrent("lstm"),
          "elman": lambda: recurrent("elman", heads=1)}  # fmt: skip


def look(model, x):
    """Logits, and weights in one tensor (layers, B, N, T, T)."""
    if isinstance(model, AttentionLM):
        logits, weights = model(x, weights=True)
        return logits, torch.stack(weights)
    logits, weights = model.look(x)
    return logits, weights[None]


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_nothing_is_seen_of_the_future(make):
    model, x = make(), ids()
    logits = model(x)
    assert logits.shape == (3, 6, V)
    for t in range(6):
        changed = x.clone()
        changed[:, t] = (changed[:, t] + 1) % V
        difference = (model(changed) - logits).abs().amax(-1)
        assert (difference[:, :t] < 1e-12).all()
        assert (difference[:, t:] > 1e-9).all()  # and all of the past counts


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_the_weights_are_those_of_the_causal_attention(make):
    model, x = make(), ids()
    logits, weights = look(model, x)
    assert torch.equal(logits, model(x))
    layers = model.layers if isinstance(model, AttentionLM) else [model.attention]
    assert weights.shape == (len(layers), 3, layers[0].heads, 6, 6)
    assert ((weights.sum(-1) - 1).abs() < 1e-12).all()
    assert not weights[..., ~causal_mask(6)].any()


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_one_batch_is_its_rows_and_all_parameters_learn(make):
    model, x = make(), ids()
    for row in range(3):
        assert (model(x[row : row + 1]) - model(x)[row : row + 1]).abs().max() < 1e-12
    next_token.loss(model, (x, ids(seed=1))).backward()
    for name, p in model.named_parameters():
        assert p.grad is not None and p.grad.isfinite().all(), name
        if "W_k.bias" not in name:  # adds the same to all scores of a query, so it does nothing
            assert p.grad.any(), name


def test_attention_lm_against_torch_layer_by_layer():
    model, x = attention_lm(), ids()
    h = model.embedding.weight[x] + model.position.weight[:6]
    for layer in model.layers:
        twin = torch.nn.MultiheadAttention(D, 3, batch_first=True, dtype=torch.float64)
        with torch.no_grad():
            parts = (layer.W_q, layer.W_k, layer.W_v)
            twin.in_proj_weight.copy_(torch.cat([p.weight for p in parts]))
            twin.in_proj_bias.copy_(torch.cat([p.bias for p in parts]))
        twin.out_proj = layer.W_o
        h = h + twin(h, h, h, attn_mask=~causal_mask(6))[0]
    expected = h @ model.output.weight.T + model.output.bias
    assert (model(x) - expected).abs().max() < 1e-10
    assert len(model.layers) == 2 and not len(attention_lm(layers=0).layers)


def test_recurrent_attention_step_by_step():
    model, x = recurrent(heads=1), ids(B=1)
    h = model.rnn(model.embedding(x))[0][0]
    q, k, v = (layer(h) for layer in (model.attention.W_q, model.attention.W_k, model.attention.W_v))
    for t in range(6):
        weights = (k[: t + 1] @ q[t] / D**0.5).softmax(0)
        found = model.attention.W_o(weights @ v[: t + 1])
        expected = model.output(torch.tanh(model.combine(torch.cat([h[t], found]))))
        assert (model(x)[0, t] - expected).abs().max() < 1e-12


@pytest.mark.parametrize("kind", ["elman", "gru", "lstm"])
@pytest.mark.parametrize("cuts", [(1, 2, 3, 4, 5), (4,), (2, 5)])
def test_going_on_from_a_state_gives_the_same_as_one_go(kind, cuts):
    model, x = recurrent(kind), ids()
    state, parts = model.initial_state(3), []
    for piece in x.tensor_split(cuts, dim=1):
        logits, state = model(piece, state)
        parts.append(logits)
    assert (torch.cat(parts, dim=1) - model(x)).abs().max() < 1e-12
    assert state[1].shape == (3, 6, D)


def test_both_keep_the_contract_of_language_models():
    texts = [[4, 5, 6], [7], [8, 9, 10, 4, 5]]
    for make in MODELS.values():
        model = make().float()
        scores = next_token.score(model, texts)
        assert [len(s) for s in scores] == [4, 2, 6] and all((s < 0).all() for s in scores)
        batch = next(iter(next_token.Batches(texts, 3)))
        assert next_token.loss(model, batch).isfinite()


def test_bad_input_is_named():
    model, other = attention_lm(), recurrent()
    for message, call in {
        "the text has 9 tokens, and there are positions for 1 to 8": lambda: model(ids(T=9)),
        "the text has 0 tokens": lambda: model(ids(T=0)),
        "heads=5 must divide d_model=12": lambda: attention_lm(heads=5),
        "heads=5 must divide": lambda: recurrent(heads=5),
        "kind='tree' must be one of": lambda: recurrent("tree"),
        "ids run from .* to 15, and the vocabulary has 11": lambda: model(ids() + 5),
        "and the vocabulary has 11": lambda: other(ids() + 5),
        "must be .B, T, 12.": lambda: other(ids(T=0)),
        "on a batch of 3 needs 1 of": lambda: other(ids(), other.initial_state(2)),
    }.items():
        with pytest.raises(ValueError, match=message):
            call()
    for lm in (model, other):
        with pytest.raises(TypeError, match="tensor of integers"):
            lm(ids().double())
    assert model(ids(T=8)).shape == (3, 8, V)

"""The parallel scan against the loop, the layer against its equations, the model in pieces against the whole."""

import math

import pytest
import torch

from course_lib import decoding, linear_rnn, next_token, optimizers
from course_lib.train import train


def random(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("T", [1, 2, 3, 7, 8, 33])
@pytest.mark.parametrize("start", [False, True])
def test_the_scan_is_the_loop(T, start):
    results = []
    for f in (linear_rnn.scan, linear_rnn.scan_loop):
        a, b, h = random(2, T, 3).requires_grad_(), random(2, T, 3, seed=1).requires_grad_(), random(2, 3, seed=2)
        h.requires_grad_()
        states = f(a, b, h if start else None)
        states.square().sum().backward()
        grads = [torch.zeros_like(x) if x.grad is None else x.grad for x in (a, b, h)]  # what has no part has none
        results.append((states, *grads))
    for ours, theirs in zip(*results, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-10)


def test_the_scan_takes_log_rounds(monkeypatch):
    real, calls = torch.cat, []
    monkeypatch.setattr(torch, "cat", lambda *args, **options: calls.append(1) or real(*args, **options))
    for T in (1, 2, 5, 64, 100):
        calls.clear()
        linear_rnn.scan(random(T, 2), random(T, 2))
        assert len(calls) == 2 * math.ceil(math.log2(T))


def test_signs_keep_count():
    bits = torch.tensor([[1], [0], [1], [1]], dtype=torch.float64)
    sign = linear_rnn.scan(1 - 2 * bits, torch.zeros_like(bits), torch.ones(1, dtype=torch.float64))
    assert sign[:, 0].tolist() == [-1, -1, 1, -1]


def test_the_layer_is_its_equations():
    torch.manual_seed(0)
    layer = linear_rnn.LinearRNN(3, 5).double()
    x, h = random(2, 6, 3), random(2, 5, seed=1)
    y, last = layer(x, h)
    for t in range(6):
        a = torch.sigmoid(x[:, t] @ layer.W_a.weight.T + layer.W_a.bias)
        h = a * h + (1 - a) * (x[:, t] @ layer.W_x.weight.T)
        g = x[:, t] @ layer.W_g.weight.T
        torch.testing.assert_close(y[:, t], (h * g * torch.sigmoid(g)) @ layer.W_o.weight.T)
    torch.testing.assert_close(last, h)
    keep = torch.sigmoid(layer.W_a.bias).tolist()
    assert keep[0] == 0.5 and keep[-1] == pytest.approx(0.99, abs=1e-3)


def test_a_text_in_pieces_is_the_text():
    torch.manual_seed(0)
    model = linear_rnn.LinearRNNLM(7, 8, 2).double()
    ids = torch.randint(0, 7, (3, 11))
    whole = model(ids)
    assert whole.shape == (3, 11, 7)
    state, parts = model.initial_state(3), []
    assert state.shape == (2, 3, 16)
    for part in ids.split([4, 1, 6], dim=1):
        logits, state = model(part, state)
        parts.append(logits)
    torch.testing.assert_close(torch.cat(parts, dim=1), whole)
    other, _ = model(ids[[2, 0], :1], model.select_state(state, torch.tensor([2, 0])))
    torch.testing.assert_close(other, model(torch.cat([ids, ids[:, :1]], dim=1))[[2, 0], -1:])


def test_it_sees_no_future_and_all_of_the_past():
    torch.manual_seed(0)
    model = linear_rnn.LinearRNNLM(7, 8, 1, state_size=4).double()
    ids = torch.randint(0, 7, (1, 9))
    changed = ids.clone()
    changed[0, 4] = (ids[0, 4] + 1) % 7
    moved = (model(ids) - model(changed)).abs().amax(-1)[0] > 1e-12
    assert moved.tolist() == [False] * 4 + [True] * 5
    assert model.initial_state(2).shape == (1, 2, 4)


def test_it_learns_and_writes():
    torch.manual_seed(0)
    model = linear_rnn.LinearRNNLM(8, 16, 1)
    text = [[4, 5, 6, 7] * 3]
    train(model, next_token.Batches(text, 1), next_token.loss, optimizers.Adam(model.parameters(), lr=1e-2), 120)
    assert decoding.generate(model, [1, 4], 30, temperature=0)[0] == [5, 6, 7, 4, 5, 6, 7, 4, 5, 6, 7]


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: linear_rnn.scan(random(4, 3), random(4, 2)), ValueError, r"a \(4, 3\) and b \(4, 2\)"),
        (lambda: linear_rnn.scan_loop(random(3), random(3)), ValueError, "must both be"),
        (lambda: linear_rnn.scan(random(0, 3), random(0, 3)), ValueError, "not empty"),
        (lambda: linear_rnn.scan(random(4, 3), random(4, 3), random(2)), ValueError, r"first state is \(2,\)"),
        (lambda: linear_rnn.LinearRNNLM(5, 4, 0), ValueError, "layers=0"),
        (lambda: linear_rnn.LinearRNNLM(5, 4, 1)(torch.tensor([[5]])), ValueError, "vocabulary"),
        (lambda: linear_rnn.LinearRNNLM(5, 4, 1)(torch.tensor([0.5])), TypeError, "integers"),
    ],
)
def test_errors_say_what_to_do(call, error, words):
    with pytest.raises(error, match=words):
        call()

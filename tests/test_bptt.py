"""Backpropagation through time by hand, against autograd, finite differences and enumeration of the lags."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from torch.nn.functional import cross_entropy as torch_cross_entropy

from course_lib import bptt

SHAPES = [(1, 1, 1, 1, 2), (2, 7, 3, 4, 5), (3, 12, 2, 6, 4), (1, 25, 5, 3, 2)]  # B, T, D, H, V
INPUTS = ("x", "h0")


def example(shape, last_only=False, scale=1.0):
    """Parameters, x, h0, targets and the mask of the targets that count."""
    B, T, D, H, V = shape
    rng = np.random.default_rng([*shape, last_only])
    params = bptt.init_params(D, H, V, rng)
    params = {n: scale * (p + 0.3 * rng.normal(size=p.shape)) for n, p in params.items()}
    mask = np.zeros((B, T), dtype=bool)
    mask[:, -1 if last_only else slice(None)] = True
    return params, rng.normal(size=(B, T, D)), rng.normal(size=(B, H)), rng.integers(0, V, (B, T)), mask


def loss_of(params, x, h0, targets, mask):
    return bptt.cross_entropy(bptt.forward(params, x, h0).z, targets, mask)[0]


def autograd(params, x, h0, targets, mask, window=None):
    """The same network in PyTorch: loss and gradients of all; the state is detached before each block."""
    leaves = {n: torch.tensor(v, requires_grad=True) for n, v in {**params, "x": x, "h0": h0}.items()}
    h, logits = leaves["h0"], []
    for t in range(x.shape[1]):
        if window and t and t % window == 0:
            h = h.detach()
        h = torch.tanh(leaves["x"][:, t] @ leaves["W_x"].T + h @ leaves["W_h"].T + leaves["b"])
        logits.append(h @ leaves["W_y"].T + leaves["b_y"])
    z = torch.stack(logits, dim=1)
    loss = torch_cross_entropy(z[torch.tensor(mask)], torch.tensor(targets)[torch.tensor(mask)])
    grads = torch.autograd.grad(loss, list(leaves.values()), allow_unused=True, materialize_grads=True)
    return loss.item(), dict(zip(leaves, (g.numpy() for g in grads), strict=True))


@pytest.mark.parametrize("last_only", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
def test_gradients_are_those_of_autograd(shape, last_only):
    params, x, h0, targets, mask = example(shape, last_only)
    run = bptt.forward(params, x, h0)
    loss, dz = bptt.cross_entropy(run.z, targets, mask)
    expected_loss, expected = autograd(params, x, h0, targets, mask)
    assert abs(loss - expected_loss) < 1e-12
    found = bptt.backward(run, dz)
    assert found.keys() == expected.keys() == {*bptt.NAMES, *INPUTS}
    for name, gradient in found.items():
        assert gradient.shape == expected[name].shape
        assert_allclose(gradient, expected[name], rtol=0, atol=1e-10, err_msg=name)


@pytest.mark.parametrize("last_only", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
def test_gradients_are_those_of_finite_differences(shape, last_only):
    params, x, h0, targets, mask = example(shape, last_only)
    run = bptt.forward(params, x, h0)
    found = bptt.backward(run, bptt.cross_entropy(run.z, targets, mask)[1])
    everything = {**params, "x": x, "h0": h0}
    for name, value in everything.items():
        numeric = np.zeros_like(value)
        for i in np.ndindex(value.shape):
            up, down = (dict(everything, **{name: value.copy()}) for _ in range(2))
            up[name][i] += 1e-5
            down[name][i] -= 1e-5
            losses = [loss_of({n: d[n] for n in bptt.NAMES}, d["x"], d["h0"], targets, mask) for d in (up, down)]
            numeric[i] = (losses[0] - losses[1]) / 2e-5
        assert_allclose(found[name], numeric, rtol=0, atol=1e-6, err_msg=name)


def test_forward_is_that_of_torch_and_h0_is_zero_unless_given():
    params, x, h0, *_ = example(SHAPES[1])
    module = torch.nn.RNN(3, 4, batch_first=True, dtype=torch.float64)
    with torch.no_grad():
        module.weight_ih_l0.copy_(torch.tensor(params["W_x"]))
        module.weight_hh_l0.copy_(torch.tensor(params["W_h"]))
        module.bias_ih_l0.copy_(torch.tensor(params["b"]))
        module.bias_hh_l0.zero_()
        expected = module(torch.tensor(x), torch.tensor(h0)[None])[0].numpy()
    run = bptt.forward(params, x, h0)
    assert_allclose(run.h[:, 1:], expected, rtol=0, atol=1e-13)
    assert_allclose(run.h[:, 0], h0)
    assert_allclose(run.z, expected @ params["W_y"].T + params["b_y"], rtol=0, atol=1e-12)
    zero = bptt.forward(params, x, np.zeros((2, 4)))
    assert_allclose(bptt.forward(params, x).h, zero.h, rtol=0, atol=0)


@pytest.mark.parametrize("last_only", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
def test_the_lags_sum_to_the_gradient(shape, last_only):
    params, x, h0, targets, mask = example(shape, last_only)
    run = bptt.forward(params, x, h0)
    dz = bptt.cross_entropy(run.z, targets, mask)[1]
    whole, split = bptt.backward(run, dz), bptt.gradient_by_lag(run, dz)
    assert split.keys() == {"W_x", "W_h", "b"}
    for name, terms in split.items():
        assert terms.shape == (shape[1], *params[name].shape)
        assert_allclose(terms.sum(axis=0), whole[name], rtol=0, atol=1e-12)


def test_each_lag_is_what_one_copy_of_the_weights_receives():
    """Give every step its own copy of W_x, W_h and b: for a loss at the last step, copy T - k holds term k."""
    params, x, h0, targets, mask = example((2, 9, 3, 4, 5), last_only=True)
    copies = {n: [torch.tensor(params[n], requires_grad=True) for _ in range(9)] for n in ("W_x", "W_h", "b")}
    h = torch.tensor(h0)
    for t in range(9):
        a = torch.tensor(x[:, t]) @ copies["W_x"][t].T + h @ copies["W_h"][t].T + copies["b"][t]
        h = torch.tanh(a)
    z = h @ torch.tensor(params["W_y"]).T + torch.tensor(params["b_y"])
    torch_cross_entropy(z, torch.tensor(targets[:, -1])).backward()
    run = bptt.forward(params, x, h0)
    split = bptt.gradient_by_lag(run, bptt.cross_entropy(run.z, targets, mask)[1])
    for name, leaves in copies.items():
        expected = np.stack([leaf.grad.numpy() for leaf in reversed(leaves)])
        assert_allclose(split[name], expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("window", [1, 2, 3, 5, 7, 12, 100])
def test_truncation_is_detaching_between_blocks(window):
    params, x, h0, targets, mask = example(SHAPES[2])
    run = bptt.forward(params, x, h0)
    dz = bptt.cross_entropy(run.z, targets, mask)[1]
    found = bptt.backward(run, dz, window)
    expected = autograd(params, x, h0, targets, mask, window)[1]
    for name, gradient in found.items():
        assert_allclose(gradient, expected[name], rtol=0, atol=1e-12, err_msg=name)


def test_truncation_is_exact_just_when_the_window_is_long_enough():
    params, x, h0, targets, mask = example(SHAPES[2])
    run = bptt.forward(params, x, h0)
    dz = bptt.cross_entropy(run.z, targets, mask)[1]
    whole = bptt.backward(run, dz)
    for window in (12, 13):
        cut = bptt.backward(run, dz, window)
        assert all(np.array_equal(cut[name], whole[name]) for name in whole)
    assert abs(bptt.backward(run, dz, 11)["W_h"] - whole["W_h"]).max() > 1e-6
    shortest = bptt.gradient_by_lag(run, dz)["W_h"][0]
    assert_allclose(bptt.backward(run, dz, 1)["W_h"], shortest, rtol=0, atol=1e-14)


@pytest.mark.parametrize(("lag", "step"), [(0, 5), (1, 12), (4, 9), (12, 12)])
def test_jacobian_is_that_of_autograd(lag, step):
    params, x, h0, *_ = example(SHAPES[2])
    run = bptt.forward(params, x, h0)
    W_x, W_h, b = (torch.tensor(params[n]) for n in ("W_x", "W_h", "b"))

    def onwards(h):
        for t in range(step - lag, step):
            h = torch.tanh(torch.tensor(x[0, t]) @ W_x.T + h @ W_h.T + b)
        return h

    expected = torch.autograd.functional.jacobian(onwards, torch.tensor(run.h[0, step - lag])).numpy()
    assert_allclose(bptt.state_jacobian(run, lag, step)[0], expected, rtol=0, atol=1e-12)
    if step == 12:
        assert_allclose(bptt.state_jacobian(run, lag)[0], expected, rtol=0, atol=1e-12)


def test_a_run_keeps_its_own_copy():
    params, x, h0, targets, mask = example(SHAPES[1])
    run = bptt.forward(params, x, h0)
    dz = bptt.cross_entropy(run.z, targets, mask)[1]
    before = bptt.backward(run, dz)["W_h"]
    params["W_h"] -= 1.0
    x += 1.0
    assert_allclose(bptt.backward(run, dz)["W_h"], before, rtol=0, atol=0)


def test_large_logits_and_uncounted_targets_do_no_harm():
    z = np.array([[[1e4, 0.0], [3.0, 3.0]]])
    loss, dz = bptt.cross_entropy(z, np.array([[1, -1]]), np.array([[True, False]]))
    assert loss == 1e4
    assert_allclose(dz, [[[1.0, -1.0], [0.0, 0.0]]])


def test_bad_parameters_are_named():
    params, x, h0, *_ = example(SHAPES[1])
    wrong = {"W_h": np.zeros((4, 3)), "b": np.zeros(3), "W_y": np.zeros((5, 3)), "b_y": np.zeros(4)}
    for name, value in wrong.items():
        with pytest.raises(ValueError, match=rf"{name} .*{value.shape[0]}"):
            bptt.forward({**params, name: value}, x, h0)
    with pytest.raises(ValueError, match="W_x"):
        bptt.forward({**params, "W_x": np.zeros(4)}, x, h0)
    with pytest.raises(ValueError, match="must be"):
        bptt.forward({n: params[n] for n in ("W_x", "W_h")}, x, h0)
    with pytest.raises(ValueError, match="not finite"):
        bptt.forward({**params, "b": np.full(4, np.nan)}, x, h0)
    with pytest.raises(ValueError, match="real numbers"):
        bptt.forward({**params, "W_h": np.zeros((4, 4), dtype=complex)}, x, h0)
    with pytest.raises(ValueError, match="hidden_size=0"):
        bptt.init_params(2, 0, 3, np.random.default_rng(0))


@pytest.mark.parametrize(
    "bad", [np.zeros((2, 7)), np.zeros((2, 7, 4)), np.zeros((2, 0, 3)), np.full((2, 7, 3), np.inf)]
)
def test_bad_inputs_are_refused(bad):
    params, _, h0, *_ = example(SHAPES[1])
    with pytest.raises(ValueError, match=r"x (has shape|holds)"):
        bptt.forward(params, bad, h0)


def test_bad_states_and_derivatives_are_refused():
    params, x, h0, *_ = example(SHAPES[1])
    with pytest.raises(ValueError, match=r"h0 has shape \(1, 4\).*\(2, 4\)"):
        bptt.forward(params, x, h0[:1])
    run = bptt.forward(params, x, h0)
    for function in (bptt.backward, bptt.deltas, bptt.gradient_by_lag):
        with pytest.raises(ValueError, match=r"dz has shape \(2, 6, 5\).*\(2, 7, 5\)"):
            function(run, run.z[:, 1:])
    for window in (0, -3):
        with pytest.raises(ValueError, match=f"window={window}"):
            bptt.backward(run, run.z, window)
    for window in (2.0, True, "all"):
        with pytest.raises(TypeError, match="whole number"):
            bptt.backward(run, run.z, window)
    for lag, step in ((8, None), (3, 2), (1, 9)):
        with pytest.raises(ValueError, match=f"lag={lag}"):
            bptt.state_jacobian(run, lag, step)


@pytest.mark.parametrize(
    ("z", "targets", "mask", "error", "words"),
    [
        (np.zeros((2, 3)), np.zeros((2, 3), int), None, ValueError, r"\(B, T, V\)"),
        (np.zeros((1, 3, 2)), np.zeros((1, 2), int), None, ValueError, r"targets \(1, 2\)"),
        (np.zeros((1, 3, 2)), np.full((1, 3), 2), None, ValueError, "from 2 to 2"),
        (np.zeros((1, 3, 2)), np.full((1, 3), -1), None, ValueError, "from -1"),
        (np.zeros((1, 3, 2)), np.zeros((1, 3)), None, TypeError, "float64"),
        (np.zeros((1, 3, 2)), np.zeros((1, 3), int), np.ones((1, 3)), TypeError, "booleans"),
        (np.zeros((1, 3, 2)), np.zeros((1, 3), int), np.zeros((1, 3), bool), ValueError, "no target"),
        (np.full((1, 3, 2), np.nan), np.zeros((1, 3), int), None, ValueError, "not finite"),
    ],
)
def test_bad_targets_are_refused(z, targets, mask, error, words):
    with pytest.raises(error, match=words):
        bptt.cross_entropy(z, targets, mask)

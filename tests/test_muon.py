"""Muon against torch.optim, its orthogonal steps against the singular value decomposition, and optimisers together."""

import math

import pytest
import torch
from torch import nn

from course_lib import muon
from course_lib.attention_lm import RNNAttentionLM
from course_lib.muon import Muon, Together, muon_and_adamw, orthogonalise
from course_lib.optimizers import SGD, AdamW
from course_lib.transformer import TransformerLM

OPTIONS = [
    {},
    {"lr": 0.05, "momentum": 0.8, "weight_decay": 0.0},
    {"lr": 0.02, "nesterov": False, "weight_decay": 0.3},
    {"lr": 0.02, "ns_steps": 3},
]


def model(dtype=torch.float64):
    """Matrices of two shapes, one of them lying as well as standing, without biases."""
    torch.manual_seed(1)
    parts = (nn.Linear(6, 9, bias=False), nn.Tanh(), nn.Linear(9, 6, bias=False), nn.Linear(6, 6, bias=False))
    return nn.Sequential(*parts).to(dtype)


def work(net, optimizer, steps, first=0):
    """Some steps on the same stream of random batches; the last layer has no gradient now and then."""
    for k in range(first, first + steps):
        torch.manual_seed(100 + k)
        x, y = torch.randn(2, 16, 6, dtype=torch.float64)
        optimizer.zero_grad()
        (net(x) - y).pow(2).mean().backward()
        if k % 5 == 3:
            net[3].weight.grad = None
        optimizer.step()


def largest_difference(a, b):
    return max((p - q).abs().max().item() for p, q in zip(a.parameters(), b.parameters(), strict=True))


# ---- Newton-Schulz -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(5, 5), (4, 9), (9, 4), (2, 3, 7, 6), (1, 5), (5, 1)])
def test_the_result_is_nearly_orthogonal_and_keeps_the_directions(shape):
    G = torch.randn(*shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    U, _, Vh = torch.linalg.svd(G, full_matrices=False)
    U_s = U.mT @ orthogonalise(G) @ Vh.mT  # diagonal: the new singular values
    values = torch.diagonal(U_s, dim1=-2, dim2=-1)
    assert ((values > 0.6) & (values < 1.25)).all()
    assert torch.allclose(U_s, torch.diag_embed(values), atol=1e-10)


def test_small_singular_values_are_raised():
    small = torch.diag(torch.tensor([1.0, 0.3, 0.1, 0.01], dtype=torch.float64))
    values = torch.linalg.svdvals(orthogonalise(small))
    assert values.min() > 0.65 and values.max() < 1.25
    once = torch.linalg.svdvals(orthogonalise(small, steps=1))
    assert once.min() < 0.05  # one step is not enough for a hundredth


def test_the_scale_of_the_gradient_does_not_matter_and_zeros_stay_zeros():
    G = torch.randn(4, 6, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    assert torch.allclose(orthogonalise(G), orthogonalise(1000 * G), atol=1e-6)
    assert torch.equal(orthogonalise(torch.zeros(3, 5)), torch.zeros(3, 5))


def test_several_at_once_are_as_one_by_one():
    G = torch.randn(3, 4, 6, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    assert torch.allclose(orthogonalise(G), torch.stack([orthogonalise(g) for g in G]), atol=1e-12)


def test_a_vector_is_refused():
    with pytest.raises(ValueError, match=r"\(7,\): give \(\.\.\., m, n\)"):
        orthogonalise(torch.ones(7))


# ---- Muon ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", OPTIONS)
def test_twenty_steps_as_in_torch(options, monkeypatch):
    """torch.optim's rounds to bfloat16 on the way; with our products in its place the rest agrees to 1e-12."""
    from torch.optim import _muon as theirs

    monkeypatch.setattr(theirs, "_zeropower_via_newtonschulz", lambda G, _, steps, eps: orthogonalise(G, steps, eps))
    mine, reference = model(), model()
    work(mine, Muon(mine.parameters(), **options), 20)
    work(reference, torch.optim.Muon(reference.parameters(), **options), 20)
    assert largest_difference(mine, reference) < 1e-12
    assert largest_difference(mine, model()) > 1e-3  # they did move


def test_the_products_are_those_of_torch_to_its_precision():
    from torch.optim import _muon as theirs

    G = torch.randn(8, 12, generator=torch.Generator().manual_seed(3))
    their = theirs._zeropower_via_newtonschulz(G, muon.COEFFICIENTS, 5, 1e-7).float()
    assert (orthogonalise(G) - their).abs().max() < 0.05  # bfloat16 has three digits
    ours = orthogonalise(G, dtype=torch.bfloat16)
    assert ours.dtype == torch.float32 and (ours - their).abs().max() < 0.02


def test_every_direction_moves_equally_far():
    p = nn.Parameter(torch.zeros(4, 4, dtype=torch.float64))
    p.grad = torch.diag(torch.tensor([5.0, 1.0, 0.2, 0.1], dtype=torch.float64))
    Muon([p], lr=0.1, weight_decay=0.0).step()
    moved = torch.linalg.svdvals(p.detach())
    assert moved.max() / moved.min() < 1.8  # the gradient's own ratio is 50
    assert 0.06 < moved.mean() < 0.13


def test_tall_matrices_move_further():
    wide, tall = nn.Parameter(torch.zeros(2, 8).double()), nn.Parameter(torch.zeros(8, 2).double())
    wide.grad = torch.randn(2, 8, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    tall.grad = wide.grad.T.clone()
    Muon([wide, tall], lr=0.1).step()
    assert torch.allclose(tall.detach(), 2 * wide.detach().T, atol=1e-12)


def test_going_on_from_a_saved_state_changes_nothing():
    straight, stopped = model(), model()
    work(straight, Muon(straight.parameters(), lr=0.01), 12)
    first = Muon(stopped.parameters(), lr=0.01)
    work(stopped, first, 5)
    second = Muon(stopped.parameters(), lr=1.0)
    second.load_state_dict(first.state_dict())
    work(stopped, second, 7, first=5)
    assert largest_difference(straight, stopped) == 0.0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"lr": -0.1}, "lr="),
        ({"momentum": 1.0}, "momentum=1.0"),
        ({"weight_decay": -1.0}, "weight_decay=-1.0"),
        ({"ns_steps": 0}, "ns_steps=0"),
    ],
)
def test_senseless_options_are_refused(options, words):
    with pytest.raises(ValueError, match=words):
        Muon(model().parameters(), **options)


def test_only_matrices_are_taken():
    with pytest.raises(ValueError, match=r"parameter 1 has shape \(4,\).*AdamW"):
        Muon(nn.Linear(3, 4).parameters())


# ---- together ------------------------------------------------------------------------------------------------------


def language_model():
    torch.manual_seed(2)
    return TransformerLM(11, 8, 2, 2, 16, positions="rotary", qk_norm=True).double()


def test_the_others_keep_their_ratio_to_the_first():
    a, b = nn.Parameter(torch.zeros(1)), nn.Parameter(torch.zeros(1))
    both = Together(SGD([a], lr=0.4), SGD([b], lr=0.1))
    assert both.param_groups[0]["lr"] == 0.4
    for rate in (0.4, 0.2, 0.0):
        both.param_groups[0]["lr"] = rate
        a.grad = b.grad = torch.ones(1)
        both.step()
    assert a.item() == pytest.approx(-0.6) and b.item() == pytest.approx(-0.15)
    both.zero_grad()
    assert a.grad is None and b.grad is None


def test_the_split_gives_each_parameter_to_one_of_the_two():
    net = language_model()
    both = muon_and_adamw(net, lr=0.02, adamw_lr=0.005)
    matrices, rest = (optimizer.param_groups[0]["params"] for optimizer in both.optimizers)
    assert isinstance(both.optimizers[0], Muon) and isinstance(both.optimizers[1], AdamW)
    assert {id(p) for p in matrices + rest} == {id(p) for p in net.parameters()}
    assert len(matrices) == 2 * 6 and all(p.ndim == 2 for p in matrices)
    assert any(p is net.embedding.weight for p in rest) and any(p is net.output.weight for p in rest)
    assert both.ratios == [1.0, pytest.approx(0.25)]


def test_a_recurrent_network_is_split_likewise():
    net = RNNAttentionLM(11, 8)
    matrices, rest = (optimizer.param_groups[0]["params"] for optimizer in muon_and_adamw(net).optimizers)
    cell, attention = net.rnn.cells[0], net.attention
    inside = [cell.W_x, cell.W_h, *(p for p in attention.parameters() if p.ndim == 2), net.combine.weight]
    assert {id(p) for p in matrices} == {id(p) for p in inside} and len(inside) == 7
    assert {id(p) for p in matrices + rest} == {id(p) for p in net.parameters()}
    with_table = TransformerLM(11, 8, 2, 1, 16, positions="learned", tied=True)
    matrices = muon_and_adamw(with_table).optimizers[0].param_groups[0]["params"]
    assert {id(p) for p in matrices} == {id(p) for p in with_table.blocks.parameters() if p.ndim == 2}


def test_a_language_model_learns_and_can_be_resumed():
    def learn(net, optimizer, steps):
        ids = torch.arange(12).reshape(2, 6) % 11
        for _ in range(steps):
            optimizer.zero_grad()
            value = nn.functional.cross_entropy(net(ids[:, :-1]).flatten(0, 1), ids[:, 1:].flatten())
            value.backward()
            optimizer.step()
        return value.item()

    net, again = language_model(), language_model()
    assert learn(net, muon_and_adamw(net), 20) < 1.5 < math.log(11)
    first = muon_and_adamw(again)
    learn(again, first, 8)
    second = muon_and_adamw(again, lr=0.5)
    second.load_state_dict(first.state_dict())
    learn(again, second, 12)
    assert largest_difference(net, again) == 0.0


def test_what_cannot_work_together_is_refused():
    p, q = nn.Parameter(torch.zeros(1)), nn.Parameter(torch.zeros(1))
    with pytest.raises(ValueError, match="each parameter to one"):
        Together(SGD([p]), SGD([p, q]))
    with pytest.raises(ValueError, match="one optimiser or more"):
        Together()
    with pytest.raises(ValueError, match="rate 0"):
        Together(SGD([p], lr=0.0), SGD([q]))
    with pytest.raises(ValueError, match=r"of 2 optimisers, and these are 1"):
        Together(SGD([p])).load_state_dict(Together(SGD([p]), SGD([q])).state_dict())
    with pytest.raises(ValueError, match="Embedding has no matrices between"):
        muon_and_adamw(nn.Embedding(3, 2))

"""Optimisers against torch.optim, clipping against torch.nn.utils, schedules against their formula."""

import math

import pytest
import torch
from torch import nn

from course_lib import optimizers
from course_lib.optimizers import SGD, Adam, AdamW, RMSProp, clip_gradients, warmup_cosine

CASES = [
    (SGD, torch.optim.SGD, {"lr": 0.1}),
    (SGD, torch.optim.SGD, {"lr": 0.05, "momentum": 0.9}),
    (SGD, torch.optim.SGD, {"lr": 0.05, "weight_decay": 0.1}),
    (SGD, torch.optim.SGD, {"lr": 0.05, "momentum": 0.5, "weight_decay": 0.1}),
    (RMSProp, torch.optim.RMSprop, {"lr": 0.01}),
    (RMSProp, torch.optim.RMSprop, {"lr": 0.02, "alpha": 0.9, "eps": 1e-4}),
    (RMSProp, torch.optim.RMSprop, {"lr": 0.02, "alpha": 0.0}),
    (Adam, torch.optim.Adam, {"lr": 0.01}),
    (Adam, torch.optim.Adam, {"lr": 0.02, "betas": (0.8, 0.95), "eps": 1e-3}),
    (Adam, torch.optim.Adam, {"lr": 0.02, "betas": (0.0, 0.9)}),
    (Adam, torch.optim.Adam, {"lr": 0.02, "weight_decay": 0.1}),
    (AdamW, torch.optim.AdamW, {"lr": 0.01}),
    (AdamW, torch.optim.AdamW, {"lr": 0.05, "betas": (0.9, 0.98), "eps": 1e-6, "weight_decay": 0.2}),
]
NAMES = [f"{ours.__name__}-{options}" for ours, _, options in CASES]


def model(dtype=torch.float64):
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)).to(dtype)


def work(net, optimizer, steps, first=0):
    """Some steps on the same stream of random batches; the first layer's bias has no gradient now and then."""
    for k in range(first, first + steps):
        torch.manual_seed(100 + k)
        x, y = torch.randn(8, 3, dtype=torch.float64), torch.randn(8, 2, dtype=torch.float64)
        optimizer.zero_grad()
        (net(x) - y).pow(2).mean().backward()
        if k % 5 == 3:
            net[0].bias.grad = None
        optimizer.step()


def largest_difference(a, b):
    return max((p - q).abs().max().item() for p, q in zip(a.parameters(), b.parameters(), strict=True))


@pytest.mark.parametrize(("ours", "theirs", "options"), CASES, ids=NAMES)
def test_twenty_steps_as_in_torch(ours, theirs, options):
    mine, reference = model(), model()
    work(mine, ours(mine.parameters(), **options), 20)
    work(reference, theirs(reference.parameters(), **options), 20)
    assert largest_difference(mine, reference) < 1e-12
    assert largest_difference(mine, model()) > 1e-3  # they did move


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [(SGD, torch.optim.SGD), (RMSProp, torch.optim.RMSprop), (Adam, torch.optim.Adam), (AdamW, torch.optim.AdamW)],
)
def test_the_defaults_are_those_of_torch(ours, theirs):
    mine, reference = model(), model()
    work(mine, ours(mine.parameters()), 3)
    work(reference, theirs(reference.parameters()), 3)
    assert largest_difference(mine, reference) < 1e-12


@pytest.mark.parametrize(("ours", "theirs", "options"), CASES, ids=NAMES)
def test_a_rate_changed_on_the_way_is_used(ours, theirs, options):
    mine, reference = model(), model()
    a, b = ours(mine.parameters(), **options), theirs(reference.parameters(), **options)
    for k, factor in enumerate((1.0, 0.5, 0.0, 2.0)):
        for net, optimizer in ((mine, a), (reference, b)):
            optimizer.param_groups[0]["lr"] = options["lr"] * factor
            work(net, optimizer, 1, first=k)
    assert largest_difference(mine, reference) < 1e-12


@pytest.mark.parametrize("ours", [SGD, Adam])
def test_it_is_called_as_in_torch(ours):
    net = model()
    optimizer = ours(net.parameters(), lr=0.1)
    assert optimizer.param_groups[0]["lr"] == 0.1
    assert [id(p) for p in optimizer.param_groups[0]["params"]] == [id(p) for p in net.parameters()]
    before = [p.detach().clone() for p in net.parameters()]
    optimizer.step()  # no gradient yet: nothing to do
    assert all(torch.equal(p, q) for p, q in zip(net.parameters(), before, strict=True))
    net(torch.ones(1, 3, dtype=torch.float64)).sum().backward()
    optimizer.zero_grad()
    assert all(p.grad is None for p in net.parameters())


def test_the_first_step_of_adam_is_the_rate_whatever_the_gradient():
    p = torch.zeros(4, dtype=torch.float64, requires_grad=True)
    p.grad = torch.tensor([1e-4, -1.0, 1e6, 0.0], dtype=torch.float64)
    Adam([p], lr=0.1).step()
    assert torch.allclose(p.detach(), torch.tensor([-0.1, 0.1, -0.1, 0.0], dtype=torch.float64), atol=1e-4)


# ---- saving and going on -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("ours", "theirs", "options"), CASES, ids=NAMES)
def test_going_on_from_a_saved_state_changes_nothing(ours, theirs, options):
    straight, stopped = model(), model()
    work(straight, ours(straight.parameters(), **options), 20)
    first = ours(stopped.parameters(), **options)
    work(stopped, first, 7)
    second = ours(stopped.parameters(), lr=123.0)
    second.load_state_dict(first.state_dict())
    work(stopped, second, 13, first=7)
    assert largest_difference(straight, stopped) == 0.0
    assert second.param_groups[0]["lr"] == options["lr"]


def test_a_loaded_state_is_a_copy():
    net = model()
    first = Adam(net.parameters())
    work(net, first, 2)
    saved = first.state_dict()
    second = Adam(net.parameters())
    second.load_state_dict(saved)
    kept = saved["state"][0]["m"].clone()
    work(net, second, 2)
    assert torch.equal(saved["state"][0]["m"], kept)


def test_a_state_of_another_method_is_refused():
    net = model()
    with pytest.raises(ValueError, match=r"saved by Adam.*this is SGD"):
        SGD(net.parameters()).load_state_dict(Adam(net.parameters()).state_dict())
    with pytest.raises(ValueError, match=r"saved by Adam.*this is AdamW"):
        AdamW(net.parameters()).load_state_dict(Adam(net.parameters()).state_dict())


def test_a_state_for_other_parameters_is_refused_and_changes_nothing():
    net, other = model(), nn.Linear(5, 5).double()
    saved = Adam(net.parameters(), lr=0.3)
    work(net, saved, 1)
    optimizer = Adam(other.parameters(), lr=0.1)
    with pytest.raises(ValueError, match=r"4 parameters, and there are 2"):
        optimizer.load_state_dict(saved.state_dict())
    wide = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 2)).double()
    optimizer = Adam(wide.parameters(), lr=0.1)
    with pytest.raises(ValueError, match=r"parameter 0 has shape \(4, 3\), not \(5, 3\)"):
        optimizer.load_state_dict(saved.state_dict())
    assert optimizer.param_groups[0]["lr"] == 0.1 and optimizer.state == [{}] * 4


# ---- errors --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ours", [SGD, RMSProp, Adam, AdamW])
@pytest.mark.parametrize("lr", [-0.1, math.nan, math.inf])
def test_a_senseless_rate_is_refused(ours, lr):
    with pytest.raises(ValueError, match="lr="):
        ours(model().parameters(), lr=lr)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda p: SGD(p, momentum=1.0), "momentum=1.0"),
        (lambda p: SGD(p, momentum=-0.1), "momentum=-0.1"),
        (lambda p: SGD(p, weight_decay=-1.0), "weight_decay=-1.0"),
        (lambda p: RMSProp(p, alpha=1.0), "alpha=1.0"),
        (lambda p: RMSProp(p, eps=-1e-8), "eps=-1e-08"),
        (lambda p: Adam(p, betas=(1.0, 0.9)), "b1=1.0"),
        (lambda p: Adam(p, betas=(0.9, math.nan)), "b2=nan"),
        (lambda p: Adam(p, eps=math.nan), "eps=nan"),
        (lambda p: AdamW(p, weight_decay=-0.1), "weight_decay=-0.1"),
    ],
)
def test_senseless_options_are_refused(make, words):
    with pytest.raises(ValueError, match=words.replace("+", r"\+")):
        make(model().parameters())


def test_parameters_must_be_tensors_and_there_must_be_some():
    with pytest.raises(ValueError, match="no parameters"):
        SGD([])
    with pytest.raises(TypeError, match="named_parameters"):
        SGD(model().named_parameters())
    net = model()
    for _ in net.parameters():
        pass
    with pytest.raises(ValueError, match="no parameters"):
        SGD(iter(()))


def test_the_public_names_are_there():
    assert set(optimizers.__all__) >= {"SGD", "Adam", "AdamW", "RMSProp"}


# ---- schedules -----------------------------------------------------------------------------------------------------


def test_the_schedule_rises_in_a_line_and_falls_along_a_cosine():
    factor = warmup_cosine(100, warmup=10, final=0.2)
    assert [factor(k) for k in range(1, 11)] == pytest.approx([k / 10 for k in range(1, 11)])
    for k in range(11, 101):
        assert factor(k) == pytest.approx(0.2 + 0.8 * (1 + math.cos(math.pi * (k - 10) / 90)) / 2)
    assert factor(100) == pytest.approx(0.2) and factor(500) == pytest.approx(0.2)
    values = [factor(k) for k in range(10, 101)]
    assert values == sorted(values, reverse=True)


def test_the_falling_part_is_that_of_torch():
    p = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.SGD([p], lr=1.0)
    reference = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=40, eta_min=0.1)
    factor = warmup_cosine(40, final=0.1)
    for k in range(1, 41):
        optimizer.step()
        reference.step()
        assert factor(k) == pytest.approx(optimizer.param_groups[0]["lr"], abs=1e-12)


@pytest.mark.parametrize("arguments", [(10, 10), (10, 11), (10, -1), (10, 0, -0.1), (10, 0, 1.1), (0,)])
def test_senseless_schedules_are_refused(arguments):
    with pytest.raises(ValueError, match="warmup="):
        warmup_cosine(*arguments)


# ---- clipping ------------------------------------------------------------------------------------------------------


def with_gradients(scale=1.0, dtype=torch.float64):
    net = model(dtype)
    torch.manual_seed(3)
    (scale * net(torch.randn(6, 3, dtype=dtype)).pow(2).sum()).backward()
    return net


@pytest.mark.parametrize("limit", [0.01, 0.5, 1e9])
def test_clipping_as_in_torch(limit):
    mine, reference = with_gradients(), with_gradients()
    norm = clip_gradients(mine.parameters(), limit)
    expected = torch.nn.utils.clip_grad_norm_(reference.parameters(), limit)  # divides by norm + 1e-6
    assert norm == pytest.approx(expected.item(), rel=1e-12)
    for p, q in zip(mine.parameters(), reference.parameters(), strict=True):
        assert torch.allclose(p.grad, q.grad, rtol=1e-5, atol=0)


def test_clipping_keeps_the_direction_and_meets_the_limit():
    before, after = with_gradients(), with_gradients()
    clip_gradients(after.parameters(), 0.25)
    a, b = (torch.cat([p.grad.flatten() for p in net.parameters()]) for net in (before, after))
    assert b.norm().item() == pytest.approx(0.25, rel=1e-12)
    assert torch.nn.functional.cosine_similarity(a, b, dim=0).item() == pytest.approx(1.0, abs=1e-12)


def test_without_a_limit_only_the_norm_is_measured():
    net, untouched = with_gradients(), with_gradients()
    norm = clip_gradients(net.parameters())
    grads = [p.grad for p in untouched.parameters()]
    assert norm == pytest.approx(math.sqrt(sum(float((g**2).sum()) for g in grads)))
    assert all(torch.equal(p.grad, g) for p, g in zip(net.parameters(), grads, strict=True))


def test_large_gradients_do_not_overflow_in_float32():
    net = with_gradients(1e25, torch.float32)  # squares beyond float32
    assert math.isfinite(clip_gradients(net.parameters(), 1.0))
    total = torch.cat([p.grad.flatten() for p in net.parameters()]).norm().item()
    assert total == pytest.approx(1.0, rel=1e-4)


def test_clipping_passes_over_missing_gradients_and_leaves_infinite_ones_to_be_seen():
    net = model()
    assert clip_gradients(net.parameters(), 1.0) == 0.0
    net = with_gradients()
    net[0].bias.grad = None
    net[2].bias.grad[0] = math.inf
    assert clip_gradients(net.parameters(), 1.0) == math.inf
    assert net[2].bias.grad[0] == math.inf
    net[2].bias.grad[0] = math.nan
    assert math.isnan(clip_gradients(net.parameters(), 1.0))


@pytest.mark.parametrize("limit", [0.0, -1.0, math.nan])
def test_a_senseless_limit_is_refused(limit):
    with pytest.raises(ValueError, match="max_norm="):
        clip_gradients(model().parameters(), limit)

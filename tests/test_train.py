"""The training loop: records, options, stopping with an explanation, and resuming exactly."""

import io
import math
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from course_lib import next_token
from course_lib import train as module
from course_lib.optimizers import SGD, Adam, clip_gradients, warmup_cosine
from course_lib.train import CheckpointError, Record, TrainingStopped, load_checkpoint, save_checkpoint, train

ROOT = Path(__file__).parents[1]


class Network(nn.Module):
    """Small, with dropout, so that PyTorch's own generator has a say in every step."""

    def __init__(self, width=4):
        super().__init__()
        self.inner, self.outer = nn.Linear(3, width), nn.Linear(width, 2)

    def forward(self, x):
        return self.outer(F.dropout(torch.tanh(self.inner(x)), 0.2, self.training))


def prepared(width=4, method=Adam, **options):
    """A model, batches and an optimiser, always the same, and PyTorch's generator in a known state."""
    torch.manual_seed(5)
    data = [(torch.randn(6, 3), torch.randn(6, 2)) for _ in range(7)]
    model = Network(width)
    torch.manual_seed(6)
    return model, data, method(model.parameters(), **{"lr": 0.05, **options})


def loss(model, batch):
    return F.mse_loss(model(batch[0]), batch[1])


def weights(model):
    return [p.detach().clone() for p in model.parameters()]


def same(a, b):
    return all(torch.equal(p, q) for p, q in zip(a, b, strict=True))


# ---- what it does --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", [SGD, Adam, torch.optim.SGD, torch.optim.Adam])
def test_it_is_the_plain_loop(method):
    model, data, optimizer = prepared(method=method)
    losses, norms = [], []
    for k in range(20):
        optimizer.zero_grad()
        value = loss(model, data[k % 7])
        value.backward()
        norms.append(clip_gradients(model.parameters(), 0.3))
        optimizer.param_groups[0]["lr"] = 0.05 * (1 - k / 40)
        optimizer.step()
        losses.append(value.item())
    twin, data, optimizer = prepared(method=method)
    records = train(twin, data, loss, optimizer, 20, schedule=lambda k: 1 - (k - 1) / 40, clip=0.3, every=1)
    assert same(weights(model), weights(twin))
    assert [r.train_loss for r in records] == losses and [r.grad_norm for r in records] == norms
    assert [r.step for r in records] == list(range(1, 21))


def test_it_records_the_first_every_and_the_last_step():
    model, data, optimizer = prepared()
    records = train(model, data, loss, optimizer, 23, every=10)
    assert [r.step for r in records] == [1, 10, 20, 23]
    assert all(isinstance(r, Record) and r.val_loss is None for r in records)
    assert [r.seconds for r in records] == sorted(r.seconds for r in records) and records[0].seconds >= 0
    assert [r.step for r in train(*prepared_for_train(), 10, every=10)] == [1, 10]
    assert [r.step for r in train(*prepared_for_train(), 1)] == [1]


def prepared_for_train():
    model, data, optimizer = prepared()
    return model, data, loss, optimizer


def test_the_schedule_sets_the_rate_and_leaves_it_as_it_was():
    model, data, optimizer = prepared(method=SGD, lr=0.2)
    schedule = warmup_cosine(30, warmup=5)
    records = train(model, data, loss, optimizer, 30, schedule=schedule, every=1)
    assert [r.lr for r in records] == [0.2 * schedule(k) for k in range(1, 31)]
    assert optimizer.param_groups[0]["lr"] == 0.2
    frozen, data, optimizer = prepared()
    before = weights(frozen)
    train(frozen, data, loss, optimizer, 5, schedule=lambda k: 0.0)
    assert same(before, weights(frozen))


def test_clipping_bounds_the_step_and_the_norm_is_that_before():
    model, data, optimizer = prepared(method=SGD, lr=1.0)
    before = torch.cat([p.flatten() for p in weights(model)])
    records = train(model, data, lambda m, b: 100 * loss(m, b), optimizer, 1, clip=0.01)
    step = torch.cat([p.flatten() for p in weights(model)]) - before
    assert step.norm().item() == pytest.approx(0.01, rel=1e-4)
    assert records[0].grad_norm > 1


def test_it_validates_in_evaluation_mode_without_gradients_and_goes_on_training():
    seen, modes = [], []

    def validate(model):
        seen.append((model.training, torch.is_grad_enabled()))
        return torch.tensor(2.5)

    def watched(model, batch):
        modes.append(model.training)
        return loss(model, batch)

    model, data, optimizer = prepared()
    records = train(model, data, watched, optimizer, 10, validate=validate, every=4)
    assert [r.val_loss for r in records] == [2.5] * 4
    assert seen == [(False, False)] * 4 and modes == [True] * 10
    assert not model.training  # left ready for use


def test_validation_changes_nothing_in_training():
    plain, data, optimizer = prepared()
    train(plain, data, loss, optimizer, 12)
    checked, data, optimizer = prepared()
    train(checked, data, loss, optimizer, 12, validate=lambda m: loss(m, data[0]), every=3)
    assert same(weights(plain), weights(checked))


def test_a_list_begins_again_when_it_runs_out():
    model, data, optimizer = prepared()
    used = []
    train(model, data[:3], lambda m, b: used.append(b) or loss(m, b), optimizer, 8)
    assert [next(i for i in range(3) if b is data[i]) for b in used] == [0, 1, 2, 0, 1, 2, 0, 1]


# ---- stopping ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_it_stops_when_the_loss_is_not_finite(bad):
    count = 0

    def breaks(model, batch):
        nonlocal count
        count += 1
        return loss(model, batch) * (bad if count == 13 else 1.0)

    good, data, optimizer = prepared()
    records = train(good, data, loss, optimizer, 12, every=4)
    last = train(*prepared_for_train(), 12, every=12)[-1].grad_norm
    model, data, optimizer = prepared()
    with pytest.raises(TrainingStopped) as stopped:
        train(model, data, breaks, optimizer, 40, every=4)
    message = str(stopped.value)
    assert "at step 13" in message and f"{last:.4g}" in message and "weights of step 12" in message
    assert stopped.value.records == records  # seconds are not compared
    assert same(weights(model), weights(good))
    assert optimizer.param_groups[0]["lr"] == 0.05 and not model.training


def test_it_stops_when_only_the_gradient_is_infinite():
    count = 0

    def steep(model, batch):
        nonlocal count
        count += 1
        value = loss(model, batch)
        return value + (model.inner.weight * 0).sum().sqrt() if count == 3 else value  # 0, with an infinite slope

    good, data, optimizer = prepared()
    train(good, data, loss, optimizer, 2, clip=1.0)
    model, data, optimizer = prepared()
    with pytest.raises(TrainingStopped, match=r"at step 3 the loss is \d.* and the gradient norm (nan|inf)"):
        train(model, data, steep, optimizer, 10, clip=1.0)
    assert same(weights(model), weights(good))


def test_it_stops_at_the_first_step_too():
    model, data, optimizer = prepared()
    with pytest.raises(TrainingStopped, match="at step 1 ") as stopped:
        train(model, data, lambda m, b: loss(m, b) * math.nan, optimizer, 10)
    assert stopped.value.records == []


def test_it_stops_when_a_generator_ends():
    model, data, optimizer = prepared()
    with pytest.raises(TrainingStopped, match="ended after step 4 of 10") as stopped:
        train(model, (b for b in data[:4]), loss, optimizer, 10, every=2)
    assert [r.step for r in stopped.value.records] == [1, 2, 4]
    with pytest.raises(TrainingStopped, match="ended after step 0 of 10"):
        train(model, [], loss, optimizer, 10)


def test_control_c_keeps_the_records_and_the_weights():
    count = 0

    def interrupted(model, batch):
        nonlocal count
        count += 1
        if count == 8:
            raise KeyboardInterrupt
        return loss(model, batch)

    good, data, optimizer = prepared()
    train(good, data, loss, optimizer, 7)
    model, data, optimizer = prepared()
    with pytest.raises(TrainingStopped, match="interrupted") as stopped:
        train(model, data, interrupted, optimizer, 100, every=3)
    assert [r.step for r in stopped.value.records] == [1, 3, 6]
    assert same(weights(model), weights(good)) and not model.training


@pytest.mark.parametrize("options", [{"steps": 0}, {"steps": -3}, {"every": 0}])
def test_senseless_numbers_are_refused(options):
    with pytest.raises(ValueError, match="must be 1 or more"):
        train(*prepared_for_train(), **{"steps": 5, **options})


def test_what_cannot_be_resumed_is_refused(tmp_path):
    model, data, optimizer = prepared()
    with pytest.raises(ValueError, match="resume needs a checkpoint"):
        train(model, data, loss, optimizer, 5, resume=True)
    with pytest.raises(ValueError, match="no generator"):
        train(model, (b for b in data), loss, optimizer, 5, resume=True, checkpoint=tmp_path / "x.pt")


# ---- checkpoints ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", [SGD, Adam, torch.optim.Adam])
@pytest.mark.parametrize("stop", [1, 10, 14])
def test_a_resumed_run_is_the_uninterrupted_one_bit_for_bit(tmp_path, method, stop):
    options = {"schedule": warmup_cosine(30, 4), "clip": 0.5, "every": 5, "checkpoint": tmp_path / "run.pt"}
    straight, data, optimizer = prepared(method=method)
    records = train(straight, data, loss, optimizer, 30, **options)
    (tmp_path / "run.pt").unlink()

    part, data, optimizer = prepared(method=method)
    train(part, data, loss, optimizer, stop, **options)
    torch.manual_seed(999)  # another life
    again, data, optimizer = prepared(method=method, lr=7.0)
    resumed = train(again, data, loss, optimizer, 30, resume=True, **options)
    assert same(weights(again), weights(straight))
    assert [r for r in resumed if r.step % 5 == 0] == [r for r in records if r.step % 5 == 0]
    assert resumed[0] == records[0] and resumed[-1].seconds >= resumed[0].seconds


def test_a_resumed_run_reads_the_batches_that_were_next(tmp_path):
    batches = next_token.Batches([[5 + i % 4] * (1 + i % 7) for i in range(40)], 6, seed=3)

    class Bigram(nn.Module):
        def __init__(self):
            super().__init__()
            self.W = nn.Parameter(torch.zeros(10, 10))

        def forward(self, ids):
            return self.W[ids]

    def run(steps, **options):
        model = Bigram()
        train(model, batches, next_token.loss, SGD(model.parameters(), lr=0.5), steps, every=4, **options)
        return model.W.detach()

    straight = run(25)
    run(12, checkpoint=tmp_path / "b.pt")
    assert torch.equal(run(25, checkpoint=tmp_path / "b.pt", resume=True), straight)


def test_a_run_killed_in_the_middle_goes_on_from_its_last_checkpoint(tmp_path):
    code = f"""
        import os, signal, sys
        sys.path.insert(0, {str(ROOT)!r})
        import torch
        torch.set_num_threads(1)
        from tests import test_train as t
        model, data, optimizer = t.prepared()
        count = 0
        def killed(model, batch):
            global count
            count += 1
            if count == 18:
                os.kill(os.getpid(), signal.SIGKILL)
            return t.loss(model, batch)
        t.train(model, data, killed, optimizer, 30, every=5, checkpoint={str(tmp_path / "run.pt")!r})
    """
    run = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], cwd=ROOT, timeout=120, check=False)
    assert run.returncode == -signal.SIGKILL
    straight, data, optimizer = prepared()
    train(straight, data, loss, optimizer, 30, every=5)
    again, data, optimizer = prepared()
    records = train(again, data, loss, optimizer, 30, every=5, checkpoint=tmp_path / "run.pt", resume=True)
    assert [r.step for r in records] == [1, 5, 10, 15, 20, 25, 30]
    assert same(weights(again), weights(straight))


def test_resuming_without_a_file_begins_at_the_beginning_and_a_finished_run_is_left_alone(tmp_path):
    path = tmp_path / "new folder" / "run.pt"
    model, data, optimizer = prepared()
    records = train(model, data, loss, optimizer, 10, every=5, checkpoint=path, resume=True)
    assert path.exists() and list(path.parent.iterdir()) == [path]  # nothing unfinished is left
    other, data, optimizer = prepared()
    assert train(other, data, loss, optimizer, 10, every=5, checkpoint=path, resume=True) == records
    assert same(weights(model), weights(other))


def test_the_clock_goes_on_where_it_stopped(tmp_path):
    model, data, optimizer = prepared()
    train(model, data, loss, optimizer, 2)
    old = [Record(2, 1.0, None, 1.0, 0.05, seconds=1000.0)]
    save_checkpoint(tmp_path / "c.pt", model, optimizer, old, 2, 0.05)
    records = train(model, data, loss, optimizer, 4, checkpoint=tmp_path / "c.pt", resume=True)
    assert records[0] == old[0] and 1000 < records[-1].seconds < 1100


def test_without_resume_a_checkpoint_is_overwritten(tmp_path):
    model, data, optimizer = prepared()
    train(model, data, loss, optimizer, 10, checkpoint=tmp_path / "a.pt")
    model, data, optimizer = prepared()
    records = train(model, data, loss, optimizer, 3, checkpoint=tmp_path / "a.pt")
    assert [r.step for r in records] == [1, 3]


@pytest.fixture
def saved(tmp_path):
    model, data, optimizer = prepared()
    train(model, data, loss, optimizer, 6, every=3, checkpoint=tmp_path / "run.pt")
    return tmp_path / "run.pt"


@pytest.mark.parametrize("kept", [0.0, 0.1, 0.5, 0.95])
def test_a_half_written_checkpoint_is_named_as_such(saved, kept):
    whole = saved.read_bytes()
    saved.write_bytes(whole[: int(kept * len(whole))])
    model, data, optimizer = prepared()
    before = weights(model)
    with pytest.raises(CheckpointError, match=r"run.pt is damaged or half-written"):
        train(model, data, loss, optimizer, 10, checkpoint=saved, resume=True)
    assert same(before, weights(model))


def test_a_file_of_something_else_is_refused(saved):
    torch.save({"hello": 1}, saved)
    with pytest.raises(CheckpointError, match="damaged"):
        load_checkpoint(saved, *prepared()[::2])
    saved.write_text("not a checkpoint")
    with pytest.raises(CheckpointError, match="damaged"):
        load_checkpoint(saved, *prepared()[::2])
    with pytest.raises(FileNotFoundError, match=r"nothing.pt"):
        load_checkpoint(saved.with_name("nothing.pt"), *prepared()[::2])


def test_a_checkpoint_of_another_model_is_refused_and_nothing_is_changed(saved):
    model, data, optimizer = prepared(width=5)
    before = weights(model)
    with pytest.raises(CheckpointError, match=r"inner.weight is \(4, 3\) there and \(5, 3\) here"):
        train(model, data, loss, optimizer, 10, checkpoint=saved, resume=True)
    assert same(before, weights(model)) and optimizer.param_groups[0]["lr"] == 0.05

    model = nn.Linear(3, 2)
    with pytest.raises(CheckpointError, match="holds a Network, this is a Linear"):
        load_checkpoint(saved, model, SGD(model.parameters()))


def test_a_checkpoint_of_another_optimiser_is_refused_and_nothing_is_changed(saved):
    model, data, optimizer = prepared(method=SGD)
    before, random = weights(model), torch.get_rng_state()
    with pytest.raises(CheckpointError, match=r"does not fit the optimiser: the state was saved by Adam"):
        train(model, data, loss, optimizer, 10, checkpoint=saved, resume=True)
    assert same(before, weights(model)) and torch.equal(random, torch.get_rng_state())


def test_the_old_checkpoint_survives_a_crash_while_the_new_one_is_written(saved, monkeypatch):
    whole = saved.read_bytes()

    def dies(content, path):
        Path(path).write_bytes(b"half of")
        raise OSError("no space left on device")

    monkeypatch.setattr(module.torch, "save", dies)
    model, data, optimizer = prepared()
    with pytest.raises(OSError, match="no space"):
        train(model, data, loss, optimizer, 20, every=3, checkpoint=saved, resume=True)
    assert saved.read_bytes() == whole


def test_save_and_load_by_hand(tmp_path):
    model, data, optimizer = prepared()
    records = train(model, data, loss, optimizer, 4)
    save_checkpoint(tmp_path / "c.pt", model, optimizer, records, 4, 0.05)
    random = torch.rand(3)
    other, _, second = prepared()
    assert load_checkpoint(tmp_path / "c.pt", other, second) == (records, 4, 0.05)
    assert same(weights(model), weights(other)) and torch.equal(torch.rand(3), random)


# ---- the bar -------------------------------------------------------------------------------------------------------


class Terminal(io.StringIO):
    def isatty(self):
        return True


def shown(monkeypatch, terminal, environment, progress=None):
    """What a run writes to stderr."""
    for name in ("CI", "JPY_SESSION_NAME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    stream = Terminal() if terminal else io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    train(*prepared_for_train(), 5, progress=progress)
    return stream.getvalue()


def test_a_person_sees_a_bar_and_nobody_else(monkeypatch, capsys):
    assert "step" in shown(monkeypatch, True, {})
    assert shown(monkeypatch, False, {}) == ""
    assert shown(monkeypatch, True, {"CI": "true"}) == ""
    assert shown(monkeypatch, True, {}, progress=False) == ""
    assert "step" in shown(monkeypatch, False, {}, progress=True)
    assert "step" in shown(monkeypatch, False, {"JPY_SESSION_NAME": "notebook.ipynb"})
    assert capsys.readouterr().out == ""


def test_the_bar_changes_nothing(monkeypatch):
    plain, data, optimizer = prepared()
    records = train(plain, data, loss, optimizer, 9, every=2, progress=False)
    watched, data, optimizer = prepared()
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert train(watched, data, loss, optimizer, 9, every=2, progress=True) == records
    assert same(weights(plain), weights(watched))


def test_it_is_silent_without_a_stderr(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    assert os.environ.get("JPY_SESSION_NAME") is None
    assert train(*prepared_for_train(), 2)

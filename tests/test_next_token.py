"""Batches, loss and score of next-token models, against loops without padding."""

import itertools
from collections import Counter

import numpy as np
import pytest
import torch
from torch import nn

from course_lib import next_token
from course_lib.next_token import Batches
from course_lib.tokens import BOS_ID, EOS_ID, PAD_ID

RNG = np.random.default_rng(0)
SEQUENCES = [[int(i) for i in RNG.integers(4, 12, size=n)] for n in (3, 1, 0, 7, 2, 5, 5, 1, 9, 4, 6)]


class Recurrent(nn.Module):
    """A causal model in which everything read so far matters, and dropout shows the mode."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(1)
        self.E = nn.Embedding(12, 6)
        self.layer = nn.RNN(6, 8, batch_first=True)
        self.drop, self.out = nn.Dropout(0.5), nn.Linear(8, 12)

    def forward(self, ids):
        return self.out(self.drop(self.layer(self.E(ids))[0]))


@pytest.fixture
def model():
    return Recurrent().double()


def one_by_one(model, sequences):
    """log q of each token and the end, a sequence at a time: no batch, no padding."""
    results = []
    for s in sequences:
        logits = model(torch.tensor([[BOS_ID, *s]]))[0]
        log_q = logits - torch.logsumexp(logits, -1, keepdim=True)
        results.append(np.array([log_q[t, w].item() for t, w in enumerate([*s, EOS_ID])]))
    return results


def take(batches, n):
    return list(itertools.islice(batches, n))


def rows(batch):
    """The sequences of a batch, unpadded, as (read, predicted)."""
    return [(tuple(r[t != PAD_ID].tolist()), tuple(t[t != PAD_ID].tolist())) for r, t in zip(*batch, strict=True)]


@pytest.mark.parametrize("bucket", [True, False])
@pytest.mark.parametrize("size", [1, 3, 4, 11, 50])
def test_every_epoch_holds_every_sequence_once(size, bucket):
    stream, wanted = iter(Batches(SEQUENCES, size, seed=2, bucket=bucket)), Counter(map(tuple, SEQUENCES))
    for _ in range(3):
        seen = []
        while len(seen) < len(SEQUENCES):
            seen += [read[1:] for read, _ in rows(next(stream))]
        assert Counter(seen) == wanted


@pytest.mark.parametrize("bucket", [True, False])
def test_targets_are_one_token_later_and_end_with_the_end_mark(bucket):
    for inputs, targets in take(Batches(SEQUENCES, 4, bucket=bucket), 9):
        assert inputs.shape == targets.shape and inputs.dtype == targets.dtype == torch.int64
        assert (inputs[:, 0] == BOS_ID).all()
        for read, predicted in rows((inputs, targets)):
            assert read[1:] == predicted[:-1] and predicted[-1] == EOS_ID
        assert ((inputs == PAD_ID) | (inputs == EOS_ID))[targets == PAD_ID].all()  # behind the end only


def test_every_iteration_starts_the_same_order_anew():
    batches = Batches(SEQUENCES, 3, seed=4)
    first, second = take(batches, 12), take(batches, 12)
    assert all(torch.equal(a[0], b[0]) and torch.equal(a[1], b[1]) for a, b in zip(first, second, strict=True))
    interrupted = iter(batches)
    take(interrupted, 5)
    assert all(torch.equal(a[0], b[0]) for a, b in zip(take(batches, 12), first, strict=True))


def test_epochs_differ_and_seeds_differ():
    def orders(seed, bucket):
        return [rows(b) for b in take(Batches(SEQUENCES, 4, seed=seed, bucket=bucket), 6)]

    for bucket in (True, False):
        assert orders(1, bucket)[:3] != orders(1, bucket)[3:]
        assert orders(1, bucket) != orders(2, bucket)
        assert orders([1, 2], bucket) != orders([1, 3], bucket)


def test_batches_of_like_length_hold_about_as_many_tokens():
    rng = np.random.default_rng(3)
    many = [[5] * int(n) for n in rng.geometric(0.2, size=600)]

    def lengths_in(bucket):
        return [(targets != PAD_ID).sum(1) for _, targets in take(Batches(many, 20, bucket=bucket), 30)]

    mean = sum(len(s) + 1 for s in many) / 30
    alike, mixed = lengths_in(bucket=True), lengths_in(bucket=False)
    assert max(abs(int(n.sum()) / mean - 1) for n in alike) < 0.35
    assert np.mean([int(n.max() - n.min()) for n in alike]) < np.mean([int(n.max() - n.min()) for n in mixed]) / 4


def test_the_mean_of_the_batch_losses_is_the_loss_per_token():
    """The reason for it: with as many sequences in each batch, short ones would count for more."""
    rng = np.random.default_rng(4)
    many = [[5] * int(n) for n in rng.geometric(0.2, size=2000)]
    stop = []  # the share of end marks among the targets, batch by batch
    for _, targets in take(Batches(many, 20, bucket=True), 100):
        stop.append(((targets == EOS_ID).sum() / (targets != PAD_ID).sum()).item())
    true = len(many) / sum(len(s) + 1 for s in many)
    assert np.mean(stop) == pytest.approx(true, rel=0.02)


@pytest.mark.parametrize(("sequences", "size"), [([], 3), (SEQUENCES, 0), (SEQUENCES, -1)])
def test_bad_batches_are_refused(sequences, size):
    with pytest.raises(ValueError, match="must be 1 or more"):
        Batches(sequences, size)


def test_the_loss_is_the_mean_over_all_tokens_that_are_not_padding(model):
    model.eval()
    for batch in take(Batches(SEQUENCES, 4), 3):
        alone = one_by_one(model, [list(read[1:]) for read, _ in rows(batch)])
        expected = -np.concatenate(alone).mean()
        assert next_token.loss(model, batch).item() == pytest.approx(expected, abs=1e-12)


def test_padding_has_no_gradient(model):
    model.eval()
    inputs, targets = next(iter(Batches(SEQUENCES, 11, bucket=False)))
    wider = nn.functional.pad(inputs, (0, 5), value=PAD_ID), nn.functional.pad(targets, (0, 5), value=PAD_ID)
    gradients = []
    for batch in ((inputs, targets), wider):
        model.zero_grad()
        next_token.loss(model, batch).backward()
        gradients.append([p.grad.clone() for p in model.parameters()])
    assert all(torch.allclose(a, b, atol=1e-14) for a, b in zip(*gradients, strict=True))


def test_a_batch_of_padding_and_wrong_shapes_are_refused(model):
    ids = torch.full((2, 3), PAD_ID)
    with pytest.raises(ValueError, match="all 6 targets are padding"):
        next_token.loss(model, (ids, ids))
    with pytest.raises(ValueError, match=r"logits of shape \(2, 3, 12\)"):
        next_token.loss(model, (ids, torch.ones(2, 2, dtype=torch.int64)))


@pytest.mark.parametrize("size", [1, 4, 64])
def test_the_score_is_that_of_a_loop_without_padding(model, size):
    model.eval()
    scores = next_token.score(model, SEQUENCES, batch_size=size)
    expected = one_by_one(model, SEQUENCES)
    assert [len(s) for s in scores] == [len(s) + 1 for s in SEQUENCES]
    for a, b in zip(scores, expected, strict=True):
        assert a.dtype == np.float64 and np.abs(a - b).max() < 1e-12


@pytest.mark.parametrize("training", [True, False])
def test_scoring_is_done_in_evaluation_mode_and_leaves_the_mode(model, training):
    model.train(training)
    first, second = next_token.score(model, SEQUENCES), next_token.score(model, SEQUENCES)
    assert model.training == training
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    assert all(p.grad is None for p in model.parameters())


def test_any_function_can_be_scored():
    def uniform(ids):
        return torch.zeros(*ids.shape, 12)

    for scores in next_token.score(uniform, SEQUENCES):
        assert np.allclose(scores, -np.log(12))
    assert next_token.score(uniform, []) == []


def test_scoring_a_batch_of_no_sequences_is_refused():
    with pytest.raises(ValueError, match="range"):
        next_token.score(lambda ids: torch.zeros(*ids.shape, 12), SEQUENCES, batch_size=0)

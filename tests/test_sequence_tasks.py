"""Copying, reversal and repetition: the rules, and the best score calculated a second time."""

import itertools
import math
from collections import defaultdict

import numpy as np
import pytest

from course_lib import tasks
from course_lib.tokens import Vocabulary


def rng(seed=0):
    return np.random.default_rng(seed)


MAKERS = {
    "copying": lambda g: tasks.copying(40, 7, g),
    "reversal": lambda g: tasks.reversal(40, 7, g),
    "repeated": lambda g: tasks.repeated(40, g),
}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_a_generator_decides_everything_and_the_fields_fit_together(make):
    first, again, other = make(rng(3)), make(rng(3)), make(rng(4))
    assert np.array_equal(first.inputs, again.inputs) and np.array_equal(first.targets, again.targets)
    assert not np.array_equal(first.inputs, other.inputs)
    assert first.inputs.shape == first.targets.shape and len(first.inputs) == 40
    assert first.inputs.dtype == first.targets.dtype == np.int64
    assert first.inputs.min() >= 0 and first.inputs.max() < len(first.words)
    assert isinstance(first.best, float) and isinstance(first.baseline, float) and first.best < first.baseline
    vocab = Vocabulary(first.words)
    assert vocab.encode([first.words[i] for i in first.inputs[0]]) == (first.inputs[0] + 4).tolist()


def test_copying_and_reversal():
    copy, back = tasks.copying(9000, 5, rng(1), symbols=3), tasks.reversal(9000, 5, rng(1), symbols=3)
    assert np.array_equal(copy.inputs, copy.targets) and not np.shares_memory(copy.inputs, copy.targets)
    assert np.array_equal(back.inputs, copy.inputs)
    assert [row[::-1] for row in back.inputs.tolist()] == back.targets.tolist()
    for symbol in range(3):
        assert (np.abs((copy.inputs == symbol).mean(0) - 1 / 3) < 5 * math.sqrt(2 / 9 / 9000)).all()
    assert np.abs(np.corrcoef(copy.inputs.T)[~np.eye(5, dtype=bool)]).max() < 5 / math.sqrt(9000)
    for task in (copy, back):
        assert task.best == 0 and task.baseline == pytest.approx(math.log(3)) and len(task.words) == 3
    assert tasks.reversal(1, 1, rng()).inputs.max() < 9 == len(tasks.copying(1, 1, rng()).words)


def test_repeated_goes_round_and_round():
    task = tasks.repeated(3000, rng(1), periods=(3, 5), symbols=7)
    assert task.inputs.shape == task.targets.shape == task.known.shape == (3000, 9)
    assert np.array_equal(task.inputs[:, 1:], task.targets[:, :-1])
    periods = []
    for first, targets, known in zip(task.inputs[:, 0], task.targets.tolist(), task.known.tolist(), strict=True):
        sequence = [int(first), *targets]
        period = sequence.index(sequence[0], 1)
        assert len(set(sequence[:period])) == period
        assert sequence == [sequence[k % period] for k in range(10)]
        assert known == [k > period for k in range(1, 10)]
        periods.append(period)
    for period in (3, 4, 5):
        assert abs(periods.count(period) - 1000) < 5 * math.sqrt(3000 * 2 / 9)
    assert abs(np.mean(task.inputs[:, 0] == 6) - 1 / 7) < 5 * math.sqrt(6 / 49 / 3000)


def test_what_is_known_can_be_looked_up():
    """Find the last place of the present symbol, take what came after it: right wherever the mask says so."""
    task = tasks.repeated(200, rng(2))
    assert task.inputs.shape == (200, 31) and len(task.words) == 16
    for inputs, targets, known in zip(task.inputs.tolist(), task.targets.tolist(), task.known, strict=True):
        for t in np.flatnonzero(known):
            before = max(i for i in range(t) if inputs[i] == inputs[t])
            assert inputs[before + 1] == targets[t]


@pytest.mark.parametrize(("low", "high", "symbols"), [(1, 3, 3), (2, 4, 5), (3, 3, 4), (2, 2, 2), (1, 1, 3)])
def test_the_best_score_of_repeated_by_enumeration(low, high, symbols):
    """Entropy of the sequence without its first symbol, over all sequences there are."""
    chance, opening = defaultdict(float), defaultdict(float)
    for period in range(low, high + 1):
        blocks = list(itertools.permutations(range(symbols), period))
        for block in blocks:
            sequence = tuple(block[k % period] for k in range(2 * high))
            chance[sequence] += 1 / (high - low + 1) / len(blocks)
    for sequence, p in chance.items():
        opening[sequence[:1]] += p
    entropy = -sum(p * math.log(p) for p in chance.values()) + sum(p * math.log(p) for p in opening.values())
    task = tasks.repeated(50, rng(), periods=(low, high), symbols=symbols)
    assert task.best == pytest.approx(entropy / (2 * high - 1), abs=1e-12)
    assert task.baseline == pytest.approx(math.log(symbols))
    assert all((task.inputs[i, 0], *task.targets[i]) in chance for i in range(50))


def test_bad_input_is_named():
    for message, call in {
        "n=0": lambda: tasks.copying(0, 3, rng()),
        "length=0": lambda: tasks.reversal(3, 0, rng()),
        "symbols=0": lambda: tasks.reversal(3, 2, rng(), symbols=0),
        r"n=-1": lambda: tasks.repeated(-1, rng()),
        r"periods=\(5, 4\): pass the shorter first": lambda: tasks.repeated(3, rng(), periods=(5, 4)),
        r"periods=\(6, 16\).*none above symbols=15": lambda: tasks.repeated(3, rng(), symbols=15),
        "periods=0 is too small": lambda: tasks.repeated(3, rng(), periods=(0, 4)),
    }.items():
        with pytest.raises(ValueError, match=message):
            call()
    with pytest.raises(TypeError, match=r"length=2\.5 must be a whole number"):
        tasks.copying(3, 2.5, rng())
    with pytest.raises(TypeError, match="rng is of type int"):
        tasks.repeated(3, 0)

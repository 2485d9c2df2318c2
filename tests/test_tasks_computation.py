"""Automata, flip-flops, sums and parities: the rules, and the best and laziest score calculated a second time."""

import itertools
import math
from collections import Counter

import numpy as np
import pytest

from course_lib import tasks
from course_lib.tokens import Vocabulary


def rng(seed=0):
    return np.random.default_rng(seed)


MAKERS = {
    "automaton": lambda g: tasks.automaton_states(40, 7, tasks.random_automaton(3, 2, rng(9)), g),
    "flip-flop": lambda g: tasks.flip_flop(40, 7, g),
    "parity": lambda g: tasks.parity_pad(40, 7, g),
    "addition": lambda g: tasks.addition(40, g),
    "arithmetic": lambda g: tasks.arithmetic(40, g),
}


def rows(values):
    return [list(row) for row in values]


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_a_generator_decides_everything_and_the_fields_fit_together(make):
    first, again, other = make(rng(3)), make(rng(3)), make(rng(4))
    assert rows(first.inputs) == rows(again.inputs) != rows(other.inputs)
    assert rows(first.targets) == rows(again.targets)
    assert len(first.inputs) == len(first.targets) == 40
    assert isinstance(first.best, float) and isinstance(first.baseline, float)
    if first.lengths is None:
        assert first.inputs.dtype == first.targets.dtype == np.int64
        assert first.inputs.min() >= 0 and first.inputs.max() < len(first.words)
        assert first.best == 0 < first.baseline
    else:
        assert first.lengths.tolist() == [len(row) for row in first.inputs]
        Vocabulary(first.words).encode([c for row in [*first.inputs, *first.targets] for c in row])
        assert first.best == 1 > first.baseline > 0


# ---- automata ------------------------------------------------------------------------------------------------------


def test_an_automaton_runs_and_so_do_its_composed_maps():
    automaton = tasks.Automaton([[1, 2, 0], [0, 0, 2]], start=1)
    assert automaton.run([0, 0, 1, 1]).tolist() == [2, 0, 0, 0]
    assert automaton.run([[0], [1]]).tolist() == [[2], [0]]
    for seed, T in itertools.product(range(3), (1, 2, 3, 8, 13, 64)):
        g = rng(seed)
        automaton = tasks.random_automaton(5, 3, g, group=seed == 2)
        symbols = g.integers(0, 3, size=(4, T))
        maps, rounds = tasks.composed(automaton.maps[symbols])
        assert rounds == math.ceil(math.log2(T)) and maps.shape == (4, T, 5)
        assert np.array_equal(maps[..., automaton.start], automaton.run(symbols))


def test_composing_leaves_what_it_is_given_alone():
    maps = np.array([[1, 0], [1, 1]])
    tasks.composed(maps)
    assert maps.tolist() == [[1, 0], [1, 1]]


def test_the_maps_of_all_words():
    parity = tasks.Automaton([[0, 1], [1, 0]])
    assert parity.group().tolist() == [[0, 1], [1, 0]]
    five = tasks.Automaton([[1, 2, 3, 4, 0], [1, 0, 2, 3, 4]])  # a cycle and a swap make every permutation
    assert len(five.group()) == 120
    assert len(tasks.Automaton([[0, 0], [1, 1], [0, 1]]).group()) == 3  # set to 0, set to 1, leave
    seen = {tuple(np.arange(5)[list(f)]) for f in five.group().tolist()}
    assert seen == set(itertools.permutations(range(5)))


def test_random_automata():
    group = tasks.random_automaton(6, 4, rng(1), group=True)
    assert (np.sort(group.maps, axis=1) == np.arange(6)).all() and group.maps.shape == (4, 6) and group.start == 0
    plain = tasks.random_automaton(6, 4, rng(1))
    assert plain.maps.shape == (4, 6) and not (np.sort(plain.maps, axis=1) == np.arange(6)).all()


def test_the_baseline_of_an_automaton_is_the_entropy_of_its_state():
    automaton = tasks.Automaton([[1, 2, 0], [0, 0, 2]])
    task = tasks.automaton_states(5, 4, automaton, rng())
    assert np.array_equal(task.targets, automaton.run(task.inputs))
    runs = automaton.run(np.array(list(itertools.product((0, 1), repeat=4))))
    shares = [[(runs[:, t] == q).mean() for q in range(3)] for t in range(4)]
    entropy = -sum(p * math.log(p) for share in shares for p in share if p) / 4
    assert task.baseline == pytest.approx(entropy)
    parity = tasks.Automaton([[0, 1], [1, 0]])
    assert tasks.automaton_states(1, 9, parity, rng()).baseline == pytest.approx(math.log(2))


def test_flip_flop():
    task = tasks.flip_flop(4000, 10, rng(1), ignore=0.7)
    for symbols, targets, known in zip(task.inputs.tolist(), task.targets.tolist(), task.known.tolist(), strict=True):
        bit = None
        for symbol, target, ignored in zip(symbols, targets, known, strict=True):
            bit = bit if symbol == 2 else symbol
            assert target == bit and ignored == (symbol == 2)
    assert abs(task.known[:, 1:].mean() - 0.7) < 5 * math.sqrt(0.21 / 36_000) and not task.known[:, 0].any()
    assert abs(task.targets.mean() - 0.5) < 0.02
    assert task.baseline == math.log(2) and task.words == ("0", "1", "-")
    assert not tasks.flip_flop(5, 5, rng(), ignore=0.0).known.any()
    assert tasks.flip_flop(5, 5, rng(), ignore=1.0).known[:, 1:].all()


# ---- sums and parities ---------------------------------------------------------------------------------------------


def test_parity_with_and_without_a_scratch_pad():
    pad, direct = tasks.parity_pad(50, 6, rng(2)), tasks.parity_pad(50, 6, rng(2), scratch=False)
    assert np.array_equal(pad.inputs, direct.inputs) and (pad.inputs[:, -1] == 2).all()
    assert pad.inputs.shape == (50, 7) and pad.targets.shape == (50, 6) and direct.targets.shape == (50, 1)
    for bits, running, last in zip(pad.inputs.tolist(), pad.targets.tolist(), direct.targets.tolist(), strict=True):
        assert running == [sum(bits[: t + 1]) % 2 for t in range(6)] and last == running[-1:]


def test_addition():
    task, reverse = tasks.addition(3000, rng(1)), tasks.addition(3000, rng(1), reverse=True)
    assert task.inputs == reverse.inputs
    sizes = Counter()
    for question, answer, backwards in zip(task.inputs, task.targets, reverse.targets, strict=True):
        a, b = "".join(question).removesuffix("=").split("+")
        assert int(a) + int(b) == int("".join(answer)) == int("".join(backwards[::-1]))
        assert str(int(a)) == a and str(int(b)) == b
        sizes[len(a), len(b)] += 1
    assert set(sizes) == {(1, 1), (1, 2), (2, 1), (2, 2)}
    assert all(abs(n / 3000 - 0.25) < 5 * math.sqrt(0.19 / 3000) for n in sizes.values())
    three = tasks.addition(200, rng(), digits=(3, 3))
    assert all(len(row) == 8 for row in three.inputs)


def test_the_commonest_sum():
    chance = dict.fromkeys(range(10), 0.05) | dict.fromkeys(range(10, 100), 0.5 / 90)
    sums = Counter()
    for a, b in itertools.product(chance, repeat=2):
        sums[a + b] += chance[a] * chance[b]
    assert tasks.addition(1, rng()).baseline == pytest.approx(max(sums.values()))
    assert tasks.addition(1, rng(), digits=(1, 1)).baseline == pytest.approx(0.1)  # 9 of 0 + 9 to 9 + 0


@pytest.mark.parametrize("form", ["products", "mixed"])
def test_arithmetic(form):
    pads = [tasks.arithmetic(300, rng(1), pad, largest=10, form=form) for pad in ("none", "results", "steps")]
    assert pads[0].inputs == pads[1].inputs == pads[2].inputs
    for question, *written in zip(pads[0].inputs, *(task.targets for task in pads), strict=True):
        expression = "".join(question).removesuffix("=")
        assert [int(tasks.answer(text)) for text in written] == [eval(expression)] * 3
        assert expression.count("+") == 2 and expression.count("*") == (2 if form == "products" else 1)
        steps = [step.split("=") for step in "".join(written[2]).split(";")]
        assert all(eval(left) == int(right) for left, right in steps)
        assert "".join(written[1]) == ";".join(right for _, right in steps)
        assert "".join(written[0]) == steps[-1][1]
    k = 5 if form == "products" else 4
    text = "{}*{}+{}*{}+{}" if k == 5 else "{}+{}*{}+{}"
    values = Counter(eval(text.format(*row)) for row in itertools.product(range(1, 4), repeat=k))
    assert tasks.arithmetic(1, rng(), largest=3, form=form).baseline == max(values.values()) / 3**k


def test_the_steps_of_the_example():
    assert tasks.worked("3+4*10+6") == ["4*10=40", "3+40=43", "43+6=49"]
    assert tasks.worked("2*3*4") == ["2*3=6", "6*4=24"]
    assert (
        tasks.answer("4*10=40;3+40=43;43+6=49".split())
        == tasks.answer(list("40;43;49"))
        == "49"
        == tasks.answer(["49"])
    )
    assert tasks.answer(list("4*10=")) == "" == tasks.answer([])


# ---- errors --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: tasks.Automaton([[0, 2]]), ValueError, "states run from 0 to 1"),
        (lambda: tasks.Automaton([[0, -1]]), ValueError, "states run from 0 to 1"),
        (lambda: tasks.Automaton([[0, 1]], start=2), ValueError, "start=2"),
        (lambda: tasks.Automaton([0, 1]), ValueError, r"\(symbols, states\)"),
        (lambda: tasks.Automaton([[0.0, 1.0]]), ValueError, "whole numbers"),
        (lambda: tasks.Automaton(np.zeros((0, 3), dtype=int)), ValueError, r"\(0, 3\)"),
        (lambda: tasks.random_automaton(0, 2, rng()), ValueError, "states=0"),
        (lambda: tasks.random_automaton(2, 0, rng()), ValueError, "symbols=0"),
        (lambda: tasks.automaton_states(1, 0, tasks.random_automaton(2, 2, rng()), rng()), ValueError, "length=0"),
        (lambda: tasks.flip_flop(0, 3, rng()), ValueError, "n=0"),
        (lambda: tasks.flip_flop(1, 3, rng(), ignore=1.5), ValueError, "ignore=1.5"),
        (lambda: tasks.flip_flop(1, 3, 0), TypeError, "pass a generator"),
        (lambda: tasks.parity_pad(1, 0, rng()), ValueError, "length=0"),
        (lambda: tasks.addition(1, rng(), digits=(2, 1)), ValueError, "smaller number first"),
        (lambda: tasks.addition(1, rng(), digits=(0, 1)), ValueError, "digits=0"),
        (lambda: tasks.arithmetic(1, rng(), largest=0), ValueError, "largest=0"),
        (lambda: tasks.arithmetic(1, rng(), form="other"), ValueError, "form='other' must be one of"),
        (lambda: tasks.arithmetic(1, rng(), pad="paper"), ValueError, "pad='paper' one of"),
        (lambda: tasks.worked("3+x"), ValueError, "joined by"),
        (lambda: tasks.worked("12"), ValueError, "nothing to work out"),
        (lambda: tasks.answer("4*10=40"), TypeError, "one string"),
    ],
)
def test_errors_say_what_to_do(call, error, words):
    with pytest.raises(error, match=words):
        call()

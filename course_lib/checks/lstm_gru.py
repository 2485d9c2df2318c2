"""Checks for the exercises of the chapter on LSTM and GRU."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from course_lib.checks import Result, compare, plain
from course_lib.checks.cells import by_torch, gru_outputs, lstm_outputs, lstm_step, sigmoid, torch_case


def _arrays(given, shapes) -> tuple[list[np.ndarray] | None, str]:
    """The answer as arrays of the shapes wanted, or what is wrong with it."""
    try:
        arrays = [np.asarray(plain(w), dtype=float) for w in given]
    except (TypeError, ValueError):
        return None, f"return {len(shapes)} arrays of numbers, of shapes {shapes}"
    if [a.shape for a in arrays] != list(shapes) or not all(np.isfinite(a).all() for a in arrays):
        return None, f"the shapes are {[a.shape for a in arrays]}, but should be {shapes}, and all numbers finite"
    return arrays, ""


def _unit(answer: Callable, judge: Callable) -> Result:
    """The verdict on W_x, W_h and b of one LSTM unit with two inputs; ``judge`` says what such a unit does."""
    try:
        given = answer()
    except NotImplementedError:
        return compare(answer, answer, [()])
    except Exception as error:  # whatever the reader's code does, say it and go on
        return Result(False, f"your function stopped with {type(error).__name__}: {error}")
    arrays, complaint = _arrays(given, [(4, 2), (4, 1), (4,)])
    if arrays is None:
        return Result(False, complaint)
    with np.errstate(over="ignore"):
        result = judge(*arrays)
        for order in ("ifog", "figo"):
            if not result and judge(*(a[[order.index(k) for k in "ifgo"]] for a in arrays)):
                return Result(False, f"the rows stand in the order i, f, g, o; yours look like {', '.join(order)}.")
    return result


# ---- the exercises -----------------------------------------------------------------------------------------------------


def one_step(answer: Callable) -> Result:
    """``answer(x, h, c, w_x, w_h, b)`` -> (h, c) after one step of one LSTM unit."""

    def variant(**mistake):
        def f(x, h, c, w_x, w_h, b):
            column = [np.asarray(w, dtype=float)[:, None] for w in (w_x, w_h)]
            h, c = lstm_step(np.array([x]), np.array([h]), np.array([c]), *column, np.asarray(b, float), **mistake)
            return float(h[0]), float(c[0])

        return f

    right = variant()
    mistakes = {
        "you return (c, h): first h, then c.": lambda *case: right(*case)[::-1],
        "f is the share that is kept: it multiplies the old c itself, not 1 - f.": variant(forget=lambda f: 1 - f),
        "the candidate g is a message, not a fraction: tanh, not the sigmoid.": variant(candidate=sigmoid),
        "h is o times tanh(c), not o times c.": variant(show=lambda c: c),
        "h shows the new c: first update c, then h.": variant(late=True),
        "the blocks stand in the order i, f, g, o; yours looks like i, f, o, g.": variant(order="ifog"),
        "the blocks stand in the order i, f, g, o; yours looks like f, i, g, o.": variant(order="figo"),
        "the old hidden state is missing from the gates: add w_h times h.": lambda x, h, c, w_x, w_h, b: right(
            x, 0.0, c, w_x, w_h, b
        ),
        "the biases are missing.": lambda x, h, c, w_x, w_h, b: right(x, h, c, w_x, w_h, [0.0] * 4),
    }
    cases = [
        (1.0, 0.5, -1.0, (1, 0, 2, 0), (0, 1, 0, 0), (0, 1, 0, 0)),
        (-0.4, 0.3, 1.7, (0.5, -1.2, 0.8, 2.0), (1.0, 0.3, -0.6, 0.9), (0.1, 1.0, -0.2, 0.4)),
        (2.0, -0.7, 0.6, (-1.0, 0.7, 0.4, -0.3), (0.2, -0.8, 1.1, 0.5), (-0.5, 0.0, 0.3, 1.0)),
    ]
    return compare(answer, right, cases, mistakes, "four small sums, three fractions and one message.")


def count_weights(answer: Callable) -> Result:
    """``answer(kind, D, H)`` -> number of weights with PyTorch's two biases."""

    def variant(gru=3, lstm=4, biases=lambda H: 2 * H, both=lambda D, H: H * D + H * H):
        return lambda kind, D, H: float({"elman": 1, "gru": gru, "lstm": lstm}[kind] * (both(D, H) + biases(H)))

    mistakes = {
        "PyTorch has two biases for each block, one with the input and one with the state.": variant(
            biases=lambda H: H
        ),
        "the biases are missing.": variant(biases=lambda H: 0),
        "a bias is one number for every unit: two of them are 2 H for each block.": variant(biases=lambda H: 2),
        "the candidate is a block too: three in a GRU, four in an LSTM.": variant(gru=2, lstm=3),
        "a GRU has three blocks: r, z and the candidate.": variant(gru=2),
        "the GRU merges two gates of the LSTM, so it has one block fewer: three.": variant(gru=4),
        "the weights on the state are missing: H times H for each block.": variant(both=lambda D, H: H * D),
        "every block maps D + H numbers to H: H D + H H weights, not D H once and H.": variant(
            both=lambda D, H: H * D + H
        ),
    }
    cases = [(kind, D, H) for kind in ("elman", "gru", "lstm") for D, H in ((64, 64), (10, 32), (1, 1))]
    return compare(answer, variant(), cases, mistakes, "1 : 3 : 4, whatever the sizes.")


def fading_lag(answer: Callable) -> Result:
    """``answer(f, share)`` -> the smallest k with f**k < share."""

    def right(f, share):
        k, left = 0, 1.0
        while left >= share:
            k, left = k + 1, left * f
        return float(k)

    mistakes = {
        "one too few: at that lag the share has not fallen below yet.": lambda f, s: right(f, s) - 1,
        "where f**k is the share exactly, it is not below yet: there k is one more.": lambda f, s: float(
            math.ceil(math.log(s) / math.log(f))
        ),
        "one too many: it was below already one step before.": lambda f, s: right(f, s) + 1,
        "the lag is a whole number of steps: the first one above this.": lambda f, s: math.log(s) / math.log(f),
        "that is where 1 - f fades: f is what is kept.": lambda f, s: right(1 - f, s),
        "this divides by 1 - f; it takes the logarithm of f.": lambda f, s: float(math.ceil(-math.log(s) / (1 - f))),
    }
    cases = [(0.9, 0.01), (0.99, 0.01), (0.6, 0.3), (0.3, 0.05), (0.5, 0.25)]
    return compare(answer, right, cases, mistakes, "0.9 lasts 44 steps, 0.99 ten times as long.")


def run_lstm(answer: Callable) -> Result:
    """``answer(x, weights)`` -> hidden states (T, H) of torch.nn.LSTM, from its arrays."""

    def variant(b=lambda w: w["bias_ih_l0"] + w["bias_hh_l0"], part=0, **mistake):
        return lambda x, w: lstm_outputs(x, w["weight_ih_l0"], w["weight_hh_l0"], b(w), **mistake)[part]

    mistakes = {
        "the second bias, bias_hh_l0, is missing.": variant(b=lambda w: w["bias_ih_l0"]),
        "the first bias, bias_ih_l0, is missing.": variant(b=lambda w: w["bias_hh_l0"]),
        "the blocks are in another order: PyTorch has i, f, g, o, yours looks like f, i, g, o.": variant(order="figo"),
        "the blocks are in another order: PyTorch has i, f, g, o, yours looks like i, f, o, g.": variant(order="ifog"),
        "the states begin at zero once, not at every step: carry h and c on.": lambda x, w: np.vstack(
            [variant()(x_t[None], w) for x_t in x]
        ),
        "h shows the new c: first update c, then h.": variant(late=True),
        "these are the cell states: the output is h.": variant(part=1),
        "f multiplies the old cell state itself, not 1 - f.": variant(forget=lambda f: 1 - f),
        "the candidate goes through tanh, not through the sigmoid.": variant(candidate=sigmoid),
        "h is o times tanh(c), not o times c.": variant(show=lambda c: c),
    }
    cases = [torch_case("LSTM", 1, 7, 3, 4), torch_case("LSTM", 2, 12, 1, 2)]
    return compare(answer, by_torch("LSTM"), cases, mistakes, "the outputs of torch.nn.LSTM.")


def run_gru(answer: Callable) -> Result:
    """``answer(x, weights)`` -> hidden states (T, H) of torch.nn.GRU, from its arrays."""

    def variant(second=True, **mistake):
        def f(x, w):
            b_h = w["bias_hh_l0"] if second else 0 * w["bias_hh_l0"]
            return gru_outputs(x, w["weight_ih_l0"], w["weight_hh_l0"], w["bias_ih_l0"], b_h, **mistake)

        return f

    mistakes = {
        "z multiplies the old state in PyTorch: h = (1 - z) n + z h.": variant(swapped=True),
        "the reset gate comes after the matrix in PyTorch: r times (W h + b), not W (r h).": variant(reset="before"),
        "the candidate's second bias stands inside: r times (W h + b_hn).": variant(reset="weights only"),
        "this is the form of other papers: in PyTorch z multiplies the old state, and r what comes out of W h + b.": (
            variant(reset="before", swapped=True)
        ),
        "the reset gate is missing from the candidate: r times (W h + b_hn).": variant(reset="none"),
        "the second bias, bias_hh_l0, is missing.": variant(second=False),
        "the blocks stand in the order r, z, n; yours looks like z, r, n.": variant(order="zrn"),
    }
    cases = [torch_case("GRU", 3, 7, 3, 4), torch_case("GRU", 4, 12, 1, 2)]
    return compare(answer, by_torch("GRU"), cases, mistakes, "the outputs of torch.nn.GRU.")


def latch_weights(answer: Callable) -> Result:
    """``answer()`` -> W_x (4, 2), W_h (4, 1), b (4,) of a unit that holds the value last seen with the marker."""
    return _unit(answer, _latch)


def _latch(W_x, W_h, b) -> Result:
    pairs = ((1, 1), (1, -1), (-1, 1), (-1, -1))
    words = [((0,), pair[:1]) for pair in pairs] + [((0, 400), pair) for pair in pairs]
    words += [(range(0, 700, 100), [sign] * 6 + [-sign]) for sign in (1, -1)]
    rng = np.random.default_rng(0)
    runs = []
    for times, signs in words:
        x = np.stack([rng.normal(size=1000), np.zeros(1000)], axis=1)
        for t, sign in zip(times, signs, strict=True):
            x[t] = sign, 1
        h, c = lstm_outputs(x, W_x, W_h, b)
        held, shown = (state[-1, 0] * signs[-1] > 0.1 for state in (c, h))
        runs.append((h[0, 0] * signs[0] > 0.1, held, shown, len(times) == 1, abs(c[-1, 0]) < 0.1 * abs(c[0, 0])))
    at_once, held, shown, single, faded = np.array(runs).T
    if shown.all():
        return Result(True, "every bit is right after 1,000 steps, and a new one replaces the old.")
    if not at_once.all():
        return Result(False, "the bit is wrong already in the step that shows it: look at i, g and o at the marker.")
    if held.all():
        return Result(False, "the cell holds the bit, but h does not show it: the output gate has to stay open.")
    lost = single & ~held
    if lost.any() and faded[lost].all():
        return Result(False, "the bit leaks away: the forget gate is too small. After 1,000 steps f**1000 is left.")
    if lost.any():
        return Result(False, "noise gets in: without a marker the input gate must be shut, some 1e-6 or less.")
    return Result(False, "the first bit is held, but a later one does not replace it: at the marker f must be near 0.")


def counter_weights(answer: Callable) -> Result:
    """``answer()`` -> W_x (4, 2), W_h (4, 1), b (4,) of a unit whose cell is (number of a) - (number of b)."""
    return _unit(answer, _counter)


def _counter(*arrays) -> Result:
    rng = np.random.default_rng(1)
    words = {
        "500 times a": np.zeros(500, dtype=int),
        "500 times b": np.ones(500, dtype=int),
        "250 times a and 250 times b": np.repeat([0, 1], 250),
        "500 letters at random": rng.integers(0, 2, size=500),
    }
    found = np.array([lstm_outputs(np.eye(2)[word], *arrays)[1][:, 0] for word in words.values()])
    right = np.array([np.cumsum(1 - 2 * word) for word in words.values()])
    gap = np.abs(found - right)
    if gap.max() <= 0.01:
        return Result(True, "it counts to 500 and back, and no training text had to.")
    if np.abs(found + right).max() <= 0.01:
        return Result(False, "it counts the other way around: a should count up, b down.")
    if np.abs(found).max() < 5:
        return Result(False, "the cell forgets or never counts: keep f near 1, i near 1, and g near 1 or -1.")
    if gap[:, :10].max() > 0.3:
        t = int((gap[:, :10] > 0.3).any(axis=0).argmax())  # the first place that is wrong
        k = int(gap[:, t].argmax())
        seen = ", ".join("ab"[letter] for letter in list(words.values())[k][: t + 1])
        return Result(False, f"after {seen} the cell is {found[k, t]:.3f}, but should be {right[k, t]}.")
    k, t = np.unravel_index(gap.argmax(), gap.shape)
    seen = list(words)[k] if t == 499 else f"{t + 1} letters"
    return Result(False, f"after {seen} the cell is {found[k, t]:.2f}, but should be {right[k, t]}: larger weights.")


def flip_update(answer: Callable) -> Result:
    """``answer(W_x, W_h, b_x, b_h)`` -> the same four, with the sign of everything that goes into z changed."""

    def variant(rows=1, which=(0, 1, 2, 3)):
        def f(*arrays):
            H = arrays[1].shape[1]
            copies = [np.array(a, dtype=float) for a in arrays]
            for k in which:
                copies[k][rows * H : (rows + 1) * H] *= -1
            return tuple(copies)

        return f

    mistakes = {
        "these are the weights as they came.": variant(which=()),
        "this flips the reset gate: the blocks stand in the order r, z, n.": variant(rows=0),
        "this flips the candidate: the blocks stand in the order r, z, n.": variant(rows=2),
        "the biases of z have to change sign as well, both of them.": variant(which=(0, 1)),
        "both biases go into z: change the sign of the second one too.": variant(which=(0, 1, 2)),
        "only z changes: with all signs changed the candidate is another one.": lambda *a: tuple(
            -np.asarray(w) for w in a
        ),
    }
    rng = np.random.default_rng(2)
    cases = [
        tuple(rng.normal(size=shape) for shape in ((3 * H, D), (3 * H, H), (3 * H,), (3 * H,)))
        for D, H in ((2, 3), (4, 2))
    ]
    praise = "1 - sigmoid(a) is sigmoid(-a), and that is all."
    x = {D: rng.normal(size=(6, D)) for D in (2, 4)}

    def program(*case):
        arrays, _ = _arrays(answer(*case), [w.shape for w in case])
        return gru_outputs(x[case[0].shape[1]], *arrays, swapped=True)

    result = compare(answer, variant(), cases, mistakes, praise)
    # other weights may do it too, such as the sum of two biases in the place of one
    other = compare(program, lambda *case: gru_outputs(x[case[0].shape[1]], *case), cases, None, praise)
    return other if other else result


def bias_for(answer: Callable) -> Result:
    """``answer(steps)`` -> the forget bias whose half-life is that many steps."""

    def logit(f):
        return math.log(f / (1 - f))

    mistakes = {
        "the sign is wrong: a longer half-life needs a higher bias.": lambda k: math.log(2 ** (1 / k) - 1),
        "this is the gate, not its bias: undo the sigmoid.": lambda k: 2 ** (-1 / k),
        "this is the bias for a decay by 1/e: the half-life asks for one half.": lambda k: logit(math.exp(-1 / k)),
        "1/(1 - f) is the mean lag of a leaky integrator, not its half-life.": lambda k: logit(1 - 1 / k),
        "with the bias ln k about 1/e is left after k steps: one half is asked for.": math.log,
        "that is the limit for long half-lives; the exact value is asked for.": lambda k: (
            math.log(k) - math.log(math.log(2))
        ),
    }
    cases = [(2.0,), (10.0,), (1000.0,), (1.5,)]
    praise = "about 7.3 for a thousand: the distance enters by its logarithm."
    # for a thousand, 1 - f has only four digits in single precision
    return compare(answer, lambda k: -math.log(2 ** (1 / k) - 1), cases, mistakes, praise, tolerance=1e-4)


def full_jacobian(answer: Callable) -> Result:
    """``answer(i, f, g, c_before, o_before, W_h)`` -> the derivative of c_t by c_{t-1}, (H, H)."""

    def variant(gates="gif", slope=True, v=lambda c, o: o * (1 - np.tanh(c) ** 2), rows=True):
        def f_(i, f, g, c, o, W_h):
            W = dict(zip("ifgo", np.split(W_h, 4), strict=True))
            inner = {"g": i * ((1 - g**2) if slope else 1.0), "i": g * i * (1 - i), "f": c * f * (1 - f)}
            detour = sum(((inner[k][:, None] if rows else inner[k]) * W[k] for k in gates), np.zeros((len(i), len(i))))
            return np.diag(f) + detour * v(c, o)

        return f_

    right = variant()
    mistakes = {
        "this is the direct path: the detours through the hidden state are missing.": variant(gates=""),
        "this is the transpose: row j belongs to c_t[j].": lambda *a: right(*a).T,
        "c_{t-1} also acts through the forget gate: that term is missing.": variant(gates="gi"),
        "c_{t-1} also acts through the input gate: that term is missing.": variant(gates="gf"),
        "c_{t-1} also acts through the two gates: only the candidate's term is there.": variant(gates="g"),
        "the slope of the candidate's tanh, 1 - g^2, is missing.": variant(slope=False),
        "h is o tanh(c): its slope 1 - tanh(c)^2 is missing.": variant(v=lambda c, o: o),
        "h is o tanh(c): the factor o is missing.": variant(v=lambda c, o: 1 - np.tanh(c) ** 2),
        "the detours lead through h_{t-1}: its derivative by c_{t-1}, o (1 - tanh(c)^2), is missing.": variant(
            v=lambda c, o: 1.0
        ),
        "the gates' factors belong to the rows of W_h: in NumPy factor[:, None] * W.": variant(rows=False),
        "the direct path is missing: add diag(f).": lambda i, f, *a: right(i, f, *a) - np.diag(f),
    }
    rng = np.random.default_rng(3)
    cases = []
    for H in (3, 5):
        i, f, o = rng.uniform(0.1, 0.9, size=(3, H))
        g, c = rng.uniform(-0.9, 0.9, size=H), rng.normal(size=H)
        cases.append((i, f, g, c, o, rng.normal(size=(4 * H, H))))
    return compare(answer, right, cases, mistakes, "one diagonal, and three matrices that nobody draws.")

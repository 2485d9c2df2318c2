"""Checks for the exercises of the chapter on the Elman RNN, with those on padded batches from their own module."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Callable

import numpy as np

from course_lib.checks import Result, compare, plain
from course_lib.checks.padded_batches import batch, believed_stop, masked_loss

__all__ = ["batch", "believed_stop", "first_last", "masked_loss", "most_pairs", "parameters", "sampler", "unroll"]


def parameters(answer: Callable) -> Result:
    """``answer(V, D, H, T)`` -> how many adjustable numbers an Elman language model has."""

    def count(V, D, H, *, table=1, bias=1, out_bias=1, recurrent=1, steps=1):
        layer = H * D + recurrent * H * H + bias * H
        return table * V * D + steps * layer + V * H + out_bias * V

    mistakes = {
        "the length plays no part: every step uses the same weights.": lambda V, D, H, T: count(V, D, H, steps=T),
        "the table E of token vectors is learned too: V rows of D numbers.": lambda V, D, H, T: count(V, D, H, table=0),
        "the biases are missing: H numbers in b and V in b_y.": lambda V, D, H, T: count(V, D, H, bias=0, out_bias=0),
        "b_y is missing: one number for each token.": lambda V, D, H, T: count(V, D, H, out_bias=0),
        "b is missing: one number for each unit.": lambda V, D, H, T: count(V, D, H, bias=0),
        "W_h is missing: from each unit to each unit.": lambda V, D, H, T: count(V, D, H, recurrent=0),
        "there is one bias in the layer (PyTorch keeps two, of which only the sum matters), and h_0 is not learned.": (
            lambda V, D, H, T: count(V, D, H, bias=2)
        ),
    }
    cases = [(27, 8, 16, 10), (100, 3, 5, 1), (7, 11, 2, 1000)]
    return compare(
        answer, lambda V, D, H, T: count(V, D, H), cases, mistakes, "as many for ten tokens as for ten thousand."
    )


def unroll(answer: Callable) -> Result:
    """``answer(x, w_x, w_h, b)`` -> the states of an Elman network with one unit."""

    def right(x, w_x, w_h, b, update=lambda w_x, x, w_h, h, b: math.tanh(w_x * x + w_h * h + b)):
        h, states = 0.0, []
        for x_t in x:
            h = update(w_x, x_t, w_h, h, b)
            states.append(h)
        return states

    def mistaken(update):
        return lambda x, w_x, w_h, b: right(x, w_x, w_h, b, update)

    def outputs_lag(x, w_x, w_h, b):
        return [0.0, *right(x, w_x, w_h, b)[:-1]]

    def sum_handed_on(x, w_x, w_h, b):
        return [math.tanh(a) for a in right(x, w_x, w_h, b, lambda w_x, x, w_h, a, b: w_x * x + w_h * a + b)]

    mistakes = {
        "the tanh is missing.": mistaken(lambda w_x, x, w_h, h, b: w_x * x + w_h * h + b),
        "the old state is lost: hand h on from one step to the next.": mistaken(
            lambda w_x, x, w_h, h, b: math.tanh(w_x * x + b)
        ),
        "the input is missing: the new state is made from the input and the old state.": mistaken(
            lambda w_x, x, w_h, h, b: math.tanh(w_h * h + b)
        ),
        "the bias is missing.": mistaken(lambda w_x, x, w_h, h, b: math.tanh(w_x * x + w_h * h)),
        "w_x and w_h have changed places.": mistaken(lambda w_x, x, w_h, h, b: math.tanh(w_h * x + w_x * h + b)),
        "the tanh goes around the whole sum, the old state's part included.": mistaken(
            lambda w_x, x, w_h, h, b: math.tanh(w_x * x + b) + w_h * h
        ),
        "hand on h itself, after the tanh, and not the sum before it.": sum_handed_on,
        "one step late: h_1 has already read x_1; do not return h_0.": outputs_lag,
        "h_0 is not asked for: the list begins with h_1.": lambda *a: [0.0, *right(*a)],
        "return the state after every step, not only the last one.": lambda *a: right(*a)[-1],
    }
    cases = [([1.0, 0.0, 1.0], 1.0, -2.0, 0.5), ([0.3, -0.4, 0.0, 2.0], 0.7, 0.9, -0.1), ([1.0], 2.0, 3.0, 0.0)]
    praise = "0.905, -0.864, 0.997 for the numbers in the text."
    return compare(answer, right, cases, mistakes, praise, tolerance=1e-5)


def first_last(answer: Callable) -> Result:
    """``answer()`` -> weights of an Elman network whose output is positive just when x_t equals x_1."""
    attempt = compare(lambda: [answer(), 0][1], lambda: 0, [()])
    if not attempt:
        return attempt
    try:
        W_x, W_h, b, W_y, b_y = (np.asarray(plain(w), dtype=float) for w in answer())
    except (TypeError, ValueError):
        return Result(False, "return five arrays: W_x, W_h, b, W_y, b_y.")
    H = len(b) if b.ndim == 1 else 0
    shapes = {"W_x": (W_x, (H, 1)), "W_h": (W_h, (H, H)), "b": (b, (H,)), "W_y": (W_y, (1, H)), "b_y": (b_y, (1,))}
    for name, (w, wanted) in shapes.items():
        if not H or w.shape != wanted or not np.isfinite(w).all():
            return Result(False, f"{name} has shape {w.shape}, but with {H} units it must be {wanted}, all finite.")

    def says(signs):
        h, out = np.zeros((len(signs), H)), []
        for x_t in signs.T[..., None]:
            h = np.tanh(x_t @ W_x.T + h @ W_h.T + b)
            out.append((h @ W_y.T + b_y)[:, 0] > 0)
        return np.array(out).T

    short = np.array(list(itertools.product((-1.0, 1.0), repeat=8)))
    long = np.random.default_rng(0).choice((-1.0, 1.0), size=(50, 1000))
    long[:2, 1:] = -long[:2, :1]  # the hardest case: the first symbol never comes again
    said, truth = says(short), short == short[:, :1]
    off = says(long) != (long == long[:, :1]) if (said == truth).all() else said != truth
    if not off.any():
        return Result(True, f"with {H} units, a thousand steps after the first symbol as well.")
    fades = Result(
        False,
        f"right at first, but wrong at step {off.any(0).argmax() + 1} of some sequence: the memory of the first symbol "
        "fades. Its unit must feed itself so strongly that the input cannot turn it.",
    )
    if (said == truth).all():
        return fades
    before = np.c_[np.ones(len(short), bool), short[:, 1:] == short[:, :-1]]
    hints = (
        ("this compares with the symbol just before: the first one has to be kept.", before[:, 1:]),
        ("the answers are the wrong way round: positive must mean equal.", ~truth[:, 1:]),
        ("the output follows the current symbol and forgets the first.", short[:, 1:] > 0),
        (
            "the output follows the first symbol: compare it with the current one.",
            (short[:, :1] > 0) | (short[:, 1:] > 9),
        ),
        ("the output never changes.", np.ones_like(truth[:, 1:])),
        ("the output never changes.", np.zeros_like(truth[:, 1:])),
        ("right from the second step on, but at the first step x_1 equals itself.", truth[:, 1:]),
    )
    for hint, pattern in hints:
        if (said[:, 1:] == pattern).all():
            return Result(False, hint)
    if not off[:, :2].any():
        return fades
    i, t = np.argwhere(off)[0]
    shown = short[i, : t + 1].astype(int).tolist()
    if said[i, t]:
        return Result(False, f"after {shown} the output is positive, and should not be.")
    return Result(False, f"after {shown} the output is not positive, and should be.")


def sampler(answer: Callable) -> Result:
    """``answer(step, bos, eos, rng, longest)`` -> a list of ids drawn from the model behind ``step``."""
    bos, eos, longest, draws = 1, 2, 6, 6000

    # ids 3 and 4; how probable each next token is depends on the last token and on how many were read
    def distribution(last, count):
        first = 0.8 if (last == 3) == (count % 2 == 0) else 0.3
        end = 0.0 if count == 1 else 0.25
        return np.array([0, 0, end, (1 - end) * first, (1 - end) * (1 - first)])

    def step(token, state):
        count = 1 if state is None else state + 1
        return distribution(int(token), count), count

    def exact(next_of):
        found, open_ = Counter(), {((), None): 1.0}
        for _ in range(longest):
            new = Counter()
            for (words, state), p in open_.items():
                q, state_after = next_of(words[-1] if words else bos, state)
                for v, q_v in enumerate(q):
                    if v == eos:
                        found[words] += p * q_v
                    elif q_v:
                        new[(*words, v), state_after] += p * q_v
            open_ = new
        for (words, _), p in open_.items():
            found[words] += p
        return found

    try:
        rng = np.random.default_rng(0)
        drawn = [tuple(int(i) for i in answer(step, bos, eos, rng, longest)) for _ in range(draws)]
        rng = np.random.default_rng(0)
        again = [tuple(int(i) for i in answer(step, bos, eos, rng, longest)) for _ in range(20)]
    except NotImplementedError:
        return compare(answer, answer, [(step, bos, eos, np.random.default_rng(0), longest)])
    except Exception as error:  # whatever the reader's code does, say it and go on
        return Result(False, f"your function stopped with {type(error).__name__}: {error}")
    evenly = "every token comes equally often: roll the die with the probabilities that step returns."
    if any({0, bos} & {*s[1:]} for s in drawn):  # what step never gives a chance
        return Result(False, evenly)
    if any(bos in s for s in drawn):
        return Result(False, "leave BOS out: it is read first, and not written.")
    if any(eos in s for s in drawn):
        return Result(False, "leave EOS out, and stop there: what comes after the end is no part of the sentence.")
    if max(map(len, drawn)) > longest:
        return Result(False, f"a sentence has {max(map(len, drawn))} tokens: stop after longest={longest}.")
    if again != drawn[:20]:
        return Result(False, "the same generator gives other sentences: use rng for all randomness.")

    def distance(p):
        counts = Counter(drawn)
        return 0.5 * sum(abs(counts[s] / draws - p.get(s, 0.0)) for s in {*p, *counts})

    off = distance(exact(step))
    if off < 0.07:
        return Result(True, f"total variation distance {off:.3f} from the exact distribution of its sentences.")
    wrong = {
        "the state is lost between the steps: hand on what step returned.": lambda w, s: step(w, None),
        "step reads BOS every time: let it read the token that was just drawn.": lambda w, s: step(bos, s),
        "you always take the most probable token: roll the die.": lambda w, s: (
            lambda q, n: (np.eye(len(q))[q.argmax()], n)
        )(*step(w, s)),
        evenly: lambda w, s: (lambda q, n: ((q > 0) / (q > 0).sum(), n))(*step(w, s)),
    }
    closest = min(wrong, key=lambda hint: distance(exact(wrong[hint])))
    lengths = {len(s) for s in drawn}
    if distance(exact(wrong[closest])) < 0.07:
        hint = closest
    elif len({*drawn}) == 1:
        hint = "the same sentence comes every time: draw with rng, not with a generator made anew."
    elif lengths == {longest}:
        hint = "every sentence is as long as it may be: stop when eos is drawn."
    elif max(lengths) == longest - 1:
        hint = "no sentence is as long as it may be: the two marks do not count."
    else:
        hint = "the frequencies of the sentences are off."
    return Result(False, f"total variation distance {off:.2f}, should be below 0.07: {hint}")


def most_pairs(answer: Callable) -> Result:
    """``answer(H, bits, v)`` -> the most pairs with one of v values that H numbers of so many bits can hold."""

    def right(H, bits, v):
        n = 0
        while v ** (n + 1) <= 2 ** (H * bits):
            n += 1
        return n

    mistakes = {
        "a value costs log2(v) bits, the logarithm to base 2.": lambda H, b, v: math.floor(H * b / math.log(v)),
        "each value takes log2(v) bits: divide by that.": lambda H, b, v: H * b,
        "a value takes log2(v) bits, not v.": lambda H, b, v: H * b // v,
        "the largest whole number that is allowed: round down.": lambda H, b, v: math.ceil(H * b / math.log2(v)),
        "the widths multiply: H numbers of so many bits each.": lambda H, b, v: math.floor((H + b) / math.log2(v)),
        "a value need not have bits of its own: it is enough that the v ** n lists are told apart.": (
            lambda H, b, v: H * b // math.ceil(math.log2(v))
        ),
        "a value need not fit into one number: all H * bits bits may be used together.": lambda H, b, v: (
            H * math.floor(b / math.log2(v))
        ),
        "a whole number is asked for.": lambda H, b, v: H * b / math.log2(v),
    }
    cases = [(64, 32, 8), (8, 4, 5), (10, 3, 2), (3, 3, 7)]
    return compare(answer, right, cases, mistakes, "no state, however trained, gets past this.")

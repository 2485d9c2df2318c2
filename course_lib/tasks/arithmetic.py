"""Sums and parities to be written down by a language model: the answer at once, or on a scratch pad, step by step."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from itertools import product

import numpy as np

from course_lib.tasks.task import Task, count, source, word_list

DIGITS = tuple("0123456789")


def parity_pad(n: int, length: int, rng: np.random.Generator, scratch: bool = True) -> Task:
    """Is the number of ones odd? Bits, an equals sign, and the answer; with ``scratch`` the parity after every bit.

    inputs (n, T + 1) int64: T bits and the id 2, the equals sign; targets (n, T) int64: the running parities, of which
    the last is the answer, or without ``scratch`` (n, 1), the answer alone. A model writes what the targets hold behind
    the inputs, reading what it has written. Best 0 nats, baseline log 2.

    Errors: ValueError for n or length below 1.
    """
    n, length, rng = count("n", n), count("length", length), source(rng)
    bits = rng.integers(0, 2, size=(n, length))
    inputs = np.hstack([bits, np.full((n, 1), 2)])
    running = bits.cumsum(axis=1) % 2
    targets = running if scratch else running[:, -1:]
    return Task(inputs, targets, 0.0, math.log(2), "nats per target", words=("0", "1", "="))


def addition(n: int, rng: np.random.Generator, digits: tuple[int, int] = (1, 2), reverse: bool = False) -> Task:
    """Add two numbers: "47+5=" and "52", or with ``reverse`` the answer from its last digit on, "25".

    Each number has from the first to the second of ``digits`` digits, each length equally likely; 0 has one digit.
    inputs: n lists of characters; targets: n lists of digits; lengths (n,) int64, of the inputs.
    Best: all answers right; baseline: the share of the commonest sum.

    Errors: ValueError for n or a number of digits below 1, or for digits in the wrong order.
    """
    n, rng = count("n", n), source(rng)
    low, high = (count("digits", d) for d in digits)
    if low > high:
        raise ValueError(f"digits={low, high}: pass the smaller number first")
    sizes = rng.integers(low, high + 1, size=(n, 2))
    first = np.where(sizes == 1, 0, 10 ** (sizes - 1))
    numbers = rng.integers(first, 10**sizes)
    chance = np.zeros(10**high)
    for d in range(low, high + 1):
        start = 0 if d == 1 else 10 ** (d - 1)
        chance[start : 10**d] = 1 / (10**d - start) / (high - low + 1)
    inputs = [list(f"{a}+{b}=") for a, b in numbers.tolist()]
    targets = [list(str(a + b))[:: -1 if reverse else 1] for a, b in numbers.tolist()]
    return Task(inputs, targets, 1.0, float(np.convolve(chance, chance).max()), "fraction of answers right",
                lengths=_lengths(inputs), words=(*DIGITS, "+", "="))  # fmt: skip


FORMS = {"products": "{}*{}+{}*{}+{}", "mixed": "{}+{}*{}+{}"}
PADS = ("none", "results", "steps")


def arithmetic(n: int, rng: np.random.Generator, pad: str = "none", largest: int = 9,
               form: str = "products") -> Task:  # fmt: skip
    """Work out an expression: "3*5+2*8+4=" and "35", at once or on a scratch pad.

    The form is a*b+c*d+e, or with "mixed" a+b*c+d, as in "3+4*10+6=". Numbers are uniform from 1 to ``largest``. On
    the pad stands one operation after the other, products first, each from left to right: with "results" what comes
    out, "15;16;31;35", with "steps" the whole, "3*5=15;2*8=16;15+16=31;31+4=35". See :func:`answer`.
    inputs and targets: n lists of characters; lengths (n,) int64, of the inputs.
    Best: all answers right; baseline: the share of the commonest answer.

    Errors: ValueError for n or ``largest`` below 1, and for another form or pad.
    """
    n, rng, largest = count("n", n), source(rng), count("largest", largest)
    if form not in FORMS or pad not in PADS:
        raise ValueError(f"form={form!r} must be one of {tuple(FORMS)}, and pad={pad!r} one of {PADS}")
    numbers = rng.integers(1, largest + 1, size=(n, FORMS[form].count("{}"))).tolist()
    expressions = [FORMS[form].format(*row) for row in numbers]
    targets = []
    for steps in map(worked, expressions):
        results = [step.split("=")[1] for step in steps]
        targets.append(list({"none": results[-1], "results": ";".join(results), "steps": ";".join(steps)}[pad]))
    inputs = [[*text, "="] for text in expressions]
    return Task(inputs, targets, 1.0, _commonest(largest, form), "fraction of answers right",
                lengths=_lengths(inputs), words=(*DIGITS, "+", "*", "=", ";"))  # fmt: skip


def worked(expression: str) -> list[str]:
    """The steps of a sum of products, products first: "3+4*10+6" -> ["4*10=40", "3+40=43", "43+6=49"].

    Errors: ValueError for anything but whole numbers joined by + and *, or for a number alone.
    """
    try:
        terms = [[int(x) for x in term.split("*")] for term in expression.split("+")]
    except ValueError:
        raise ValueError(f"{expression!r} must be whole numbers joined by + and *, such as 3+4*10+6") from None
    steps, values = [], []
    for term in terms:
        value = term[0]
        for factor in term[1:]:
            steps.append(f"{value}*{factor}={value * factor}")
            value *= factor
        values.append(value)
    total = values[0]
    for value in values[1:]:
        steps.append(f"{total}+{value}={total + value}")
        total += value
    if not steps:
        raise ValueError(f"{expression!r} is a number: there is nothing to work out")
    return steps


def answer(written: Sequence[str]) -> str:
    """The answer in what was written, at once or on a pad: the characters behind the last semicolon or equals sign."""
    return re.split("[;=]", "".join(word_list(written)))[-1]


def _commonest(largest: int, form: str) -> float:
    """The share of the commonest value of an expression."""
    numbers = range(1, largest + 1)
    products = Counter(a * b for a, b in product(numbers, repeat=2))
    others = products if form == "products" else Counter(numbers)
    sums = Counter()
    for (p, m), (q, k), r in product(products.items(), others.items(), numbers):
        sums[p + q + r] += m * k
    return max(sums.values()) / sums.total()


def _lengths(inputs: list[list[str]]) -> np.ndarray:
    return np.array([len(row) for row in inputs])

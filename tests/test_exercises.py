"""Every exercise of every chapter: the stub is no answer, the solution is right, wrong answers get the right hint."""

import importlib
import pkgutil
import re
from pathlib import Path

import matplotlib
import nbformat
import numpy as np
import pytest
import torch

import tests.exercises

matplotlib.use("Agg")
ROOT = Path(__file__).parents[1]
WRONG = {}
for module in pkgutil.iter_modules(tests.exercises.__path__):
    WRONG |= importlib.import_module(f"tests.exercises.{module.name}").WRONG


def _tagged(kind):
    """{label: (notebook path, source)} of all cells tagged ``kind:label``."""
    cells = {}
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            for tag in cell.metadata.get("tags", []):
                if tag.startswith(f"{kind}:"):
                    cells[tag.partition(":")[2]] = path, cell.source
    return cells


STUBS, SOLUTIONS = _tagged("exercise"), _tagged("solution")


def _namespace(path):
    """What the notebook's set-up cell defines, and the language that the text of the first two uses."""
    namespace = {}
    cells = nbformat.read(path, as_version=4).cells
    exec(next(c.source for c in cells if "setup" in c.metadata.get("tags", [])), namespace)
    if "languages" in namespace:
        namespace["agree"] = namespace["languages"].agree()
    return namespace


def _check_of(label):
    """The check that the stub calls, as (function, name of the reader's function)."""
    path, source = STUBS[label]
    check, function = re.search(r"checks\.(\w+)\((\w+)\)\s*$", source).groups()
    return getattr(_namespace(path)["checks"], check), function


def _verdict(label, cells):
    """What the check says of the function that a stub or a solution defines."""
    path, source = cells[label]
    namespace = _namespace(path)
    exec(source, namespace)
    check, function = _check_of(label)
    return check(namespace[function])


def test_every_code_exercise_has_a_solution_and_wrong_answers():
    assert STUBS and STUBS.keys() == SOLUTIONS.keys() == WRONG.keys()
    assert all(len(answers) >= 3 for answers in WRONG.values())


@pytest.mark.parametrize("label", STUBS)
def test_the_stub_is_not_yet_an_answer(label):
    result = _verdict(label, STUBS)
    assert not result and "not attempted yet" in result.message


@pytest.mark.parametrize("label", STUBS)
def test_the_solution_is_right(label):
    result = _verdict(label, SOLUTIONS)
    assert result, result.message
    assert repr(result).startswith("Correct")


def _single(value):
    """In single precision, as PyTorch computes unless it is told otherwise."""
    if isinstance(value, float):
        return float(np.float32(value))
    if type(value) in (list, tuple):
        return type(value)(map(_single, value))
    if type(value) is dict:
        return {key: _single(part) for key, part in value.items()}
    floating = torch.is_tensor(value) and value.is_floating_point()
    return value.float() if floating else value.astype("f4") if getattr(value, "dtype", "") == "f8" else value


@pytest.mark.parametrize("label", STUBS)
def test_the_solution_is_right_in_single_precision(label):
    path, source = SOLUTIONS[label]
    namespace = _namespace(path)
    exec(source, namespace)
    check, function = _check_of(label)
    result = check(lambda *arguments, **named: _single(namespace[function](*arguments, **named)))
    assert result, result.message


@pytest.mark.parametrize(("label", "words", "answer"), [(label, *pair) for label in WRONG for pair in WRONG[label]])
def test_a_wrong_answer_is_told_its_mistake(label, words, answer):
    check, _ = _check_of(label)
    result = check(answer)
    assert not result
    assert words in result.message

"""What an exercise calls: is the answer right, and if not, which mistake does it look like?

Each chapter's checks are a module of this package. A check runs the reader's function on a few cases and compares
it with the right answer and with the answers that typical mistakes give.
"""

from __future__ import annotations

import copy
import math
import traceback
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

LONG = 240  # characters of a message that are read at a glance


@dataclass(frozen=True)
class Result:
    """The verdict on one answer; true when it is right. A notebook shows ``message``."""

    passed: bool
    message: str

    def __bool__(self) -> bool:
        return self.passed

    def __repr__(self) -> str:
        if "not attempted yet" in self.message:
            return f"To do: {self.message}"
        return ("Correct: " if self.passed else "Not yet: ") + self.message


def plain(value: Any) -> Any:
    """Turn an answer into floats, strings, lists and dictionaries of these, so that == means what it says.

    Errors: TypeError for anything else, so that no object can claim to equal the right answer.
    """
    if isinstance(value, np.bool_ | np.str_):
        value = value.item()
    if value is None or type(value) in (str, bool):
        return value
    if type(value) in (int, float, Fraction) or isinstance(value, np.number):
        return float(value)
    if type(value).__module__.partition(".")[0] == "torch" and type(value).__name__ in ("Tensor", "Parameter"):
        value = value.detach().numpy()
    if type(value) in (np.ndarray, np.matrix):
        return value.tolist() if value.dtype.kind == "U" else np.asarray(value, dtype=float).tolist()
    if isinstance(value, Mapping):
        return {k if type(k) is tuple else plain(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    raise TypeError(f"a {type(value).__name__} is no number, array, text, list or dictionary: return one of these")


def same(a: Any, b: Any, tolerance: float = 1e-5) -> bool:
    """Whether two plain values agree, numbers to a relative and absolute tolerance; lists equal arrays, and truth
    values 0 and 1."""
    if (isinstance(a, bool) and isinstance(b, float)) or (isinstance(a, float) and isinstance(b, bool)):
        return a == b
    if isinstance(a, Mapping) or isinstance(b, Mapping):
        both = isinstance(a, Mapping) and isinstance(b, Mapping)
        return both and a.keys() == b.keys() and all(same(a[k], b[k], tolerance) for k in a)
    if isinstance(a, float) and isinstance(b, float):
        return a == b or (a != a and b != b) or math.isclose(a, b, rel_tol=tolerance, abs_tol=tolerance)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(same(x, y, tolerance) for x, y in zip(a, b, strict=True))
    return type(a) is type(b) and a == b


def compare(
    answer: Callable,
    right: Callable,
    cases: Sequence[tuple],
    mistakes: Mapping[str, Callable] | None = None,
    praise: str = "",
    tolerance: float = 1e-5,
    lend: bool = False,
) -> Result:
    """Run ``answer`` on every case beside the right function; on a difference, look for the mistake that explains it.

    ``mistakes`` maps a hint to a function that makes that mistake; a hint is given when the answer agrees with it
    on every case. The answer gets copies; with ``lend`` the cases themselves, for a check that looks afterwards
    whether they were changed.
    """
    given, kept = [], _own(list(cases))
    for case in cases if lend else _own(kept):
        try:
            with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
                given.append(plain(answer(*case)))
        except NotImplementedError:
            return Result(False, "not attempted yet. Replace the line that raises NotImplementedError.")
        except Exception as error:  # whatever the reader's code does, say it and go on
            stopped = f"your function stopped with {type(error).__name__}: {error}{_line(error)}"
            return Result(False, stopped + _for(_show(case)))
    expected = [plain(right(*case)) for case in kept]
    given = [_number(g) if isinstance(e, float) else g for g, e in zip(given, expected, strict=True)]
    wrong = [i for i, (g, e) in enumerate(zip(given, expected, strict=True)) if not same(g, e, tolerance)]
    if not wrong:
        return Result(True, praise or (f"right in all {len(cases)} cases." if len(cases) > 1 else "right."))
    for hint, mistaken in (mistakes or {}).items():
        with np.errstate(all="ignore"):
            if all(same(g, plain(mistaken(*case)), tolerance) for g, case in zip(given, kept, strict=True)):
                return Result(False, hint)
    i = wrong[0]
    return Result(False, _contrast(_show(kept[i]), given[i], expected[i], tolerance))


def _number(value: Any) -> Any:
    """That of an array with a single entry, where a number is asked for."""
    return _number(value[0]) if isinstance(value, list) and len(value) == 1 else value


def _own(value: Any) -> Any:
    """A copy of lists, dictionaries, arrays and tensors, at any depth: what a function might change."""
    if type(value) in (list, tuple):
        return type(value)(map(_own, value))
    tensor = type(value).__module__ == "torch" and type(value).__name__ == "Tensor" and value.is_leaf
    return copy.deepcopy(value) if tensor or isinstance(value, dict | np.ndarray) else value


def _line(error: BaseException) -> str:
    """Where in the notebook's cell it was raised, if it was in one."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if "ipykernel_" in frame.filename]
    return f" (line {lines[-1]} of the cell)" if lines else ""


def _contrast(case: str, got: Any, wanted: Any, tolerance: float) -> str:
    """One wrong answer beside the right one: whole if that is short, else the first place where they differ."""
    shown, right = _show(got), _show(wanted)
    whole = f"{f'for {case} ' if case else ''}you return {shown}, but it should be {right}."
    if shown != right and len(whole) <= LONG:
        return whole
    place, got, wanted = _first_difference(got, wanted, tolerance)
    where = f"at {place} " if place else ""
    if isinstance(got, list) and isinstance(wanted, list):
        return f"{where}you return {len(got)} values, but there should be {len(wanted)}{_for(case)}"
    shown, right = (_cut(_show(value, 6 if _show(got) != _show(wanted) else 15)) for value in (got, wanted))
    return f"{where}you return {shown}, but it should be {right}{_for(case)}"


def _first_difference(got: Any, wanted: Any, tolerance: float) -> tuple[str, Any, Any]:
    """The place, as it is written behind a name, and what stands there: no two lists of the same length."""
    place = ""
    while True:
        if isinstance(got, list) and isinstance(wanted, list) and len(got) == len(wanted):
            keys = range(len(wanted))
        elif isinstance(got, dict) and isinstance(wanted, dict) and got.keys() == wanted.keys():
            keys = wanted
        else:
            return place, got, wanted
        key = next(key for key in keys if not same(got[key], wanted[key], tolerance))
        got, wanted, place = got[key], wanted[key], f"{place}[{_show(key)}]"


def _for(case: str) -> str:
    """The end of a message: in which case, if there are arguments."""
    return f", for {_cut(case)}" if case else "."


def _cut(text: str) -> str:
    """Its beginning, if it is long."""
    return text if len(text) <= LONG else text[: LONG - 4] + " ..."


def _show(value: Any, digits: int = 6) -> str:
    """A value in few characters."""
    if isinstance(value, tuple):
        return ", ".join(_show(v, digits) for v in value)
    if callable(value):
        return getattr(value, "__name__", "a function")
    if isinstance(value, list):
        parts = [f"({_show(v, digits)})" if isinstance(v, tuple) else _show(v, digits) for v in value[:8]]
        return "[" + ", ".join(parts) + (", ..." if len(value) > 8 else "") + "]"
    if isinstance(value, np.ndarray):
        return _show(value.tolist(), digits)
    text = f"{value:.{digits}g}" if isinstance(value, float) else " ".join(repr(value).split())
    return text if len(text) <= 120 else text[:117] + "..."

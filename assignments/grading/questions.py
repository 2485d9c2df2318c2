"""What a problem set is: its constants and its questions, drawn anew for each secret.

A module ``assignments.questions.psN`` has a function ``build(rng) -> ProblemSet``. What it draws from ``rng``, and the
cases that its questions draw, depend on the secret of the course alone.
"""

from __future__ import annotations

import hashlib
import importlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).parents[1]
NAMES = tuple(sorted(path.stem for path in (FOLDER / "questions").glob("ps*.py")))

Cases = Callable[[np.random.Generator], Sequence[tuple]]


@dataclass(frozen=True)
class Question:
    """A function that a student writes, and what is known about its right and wrong versions.

    ``right`` and the functions in ``mistakes`` (hint -> function) take what the student's function takes; ``cases``
    draws the hidden arguments, ``shown`` those whose answers are given out with the problem set. The tolerance lets
    single precision pass.
    """

    id: str
    function: str
    points: int
    right: Callable
    cases: Cases
    shown: Cases
    mistakes: Mapping[str, Callable] = field(default_factory=dict)
    tolerance: float = 1e-5


@dataclass(frozen=True)
class ProblemSet:
    """A title, constants that the text names in double braces, the questions, and the points of each written answer."""

    name: str
    title: str
    constants: Mapping[str, Any]
    questions: Sequence[Question]
    written: Mapping[str, int]

    @property
    def points(self) -> int:
        """Of the whole set."""
        return sum(question.points for question in self.questions) + sum(self.written.values())


def secret() -> str:
    """That of the course: the environment's ``COURSE_SECRET``, or the published one."""
    return os.environ.get("COURSE_SECRET", "published")


def generator(secret: str, *names: str) -> np.random.Generator:
    """One for each secret and purpose."""
    digest = hashlib.sha256("/".join((secret, *names)).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "big"))


def load(name: str, secret: str) -> ProblemSet:
    """Errors: ValueError for a problem set that does not exist."""
    if name not in NAMES:
        raise ValueError(f"there is no problem set {name!r}: there are {', '.join(NAMES)}")
    return importlib.import_module(f"assignments.questions.{name}").build(generator(secret, name))


def hidden(problems: ProblemSet, question: Question, secret: str) -> list[tuple]:
    """The arguments that the grader tries."""
    return list(question.cases(generator(secret, problems.name, question.id, "hidden")))


def shown(problems: ProblemSet, question: Question, secret: str) -> list[tuple]:
    """The arguments whose answers the student can see."""
    return list(question.shown(generator(secret, problems.name, question.id, "shown")))

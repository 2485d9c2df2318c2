"""Grade one notebook: run its cells in a sandbox, and ask the functions for answers that are compared outside it."""

from __future__ import annotations

import copy
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from nbformat import NotebookNode

from assignments.grading.questions import ProblemSet, Question, hidden
from assignments.grading.sandbox import Died, Sandbox, StudentError
from course_lib import checks

HANDOUT = Path(__file__).with_name("handout")  # what a student's notebook imports
SECONDS, TOTAL = 15.0, 240.0  # for a cell or a call, and for a submission


@dataclass
class Verdict:
    """On one question: the points earned, of how many, and what to tell the student."""

    points: float
    out_of: int
    message: str


@dataclass
class Report:
    """On one submission: a verdict for each question, what its cells printed or raised, and what else was noticed."""

    verdicts: dict[str, Verdict] = field(default_factory=dict)
    said: dict[int, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def as_dict(self) -> dict:
        """For JSON."""
        return asdict(self)


def grade(notebook: NotebookNode, problems: ProblemSet, secret: str, seconds: float = SECONDS) -> Report:
    """Run the student's cells in their order; where the test cell of a question stands, try its function instead.

    The notebook's own test cells are not run: what counts are the hidden cases of ``problems``. Where a question has
    no test cell after its own, the function is tried at once. A cell that fails keeps
    what it defined before. One that ends its process or outlasts its time is left out, and the others go on in a new
    one. Of cells with the same name the last counts.
    """
    return _Grading(notebook, problems, secret, seconds).report()


def grade_id(cell: NotebookNode) -> str | None:
    """The name that nbgrader gave to a cell, if any; whatever the metadata looks like."""
    data = cell.get("metadata", {}).get("nbgrader")
    return data.get("grade_id") if isinstance(data, dict) else None


class _Grading:
    def __init__(self, notebook, problems: ProblemSet, secret: str, seconds: float):
        self.problems, self.secret, self.seconds = problems, secret, seconds
        self.cells = [(i, cell) for i, cell in enumerate(notebook.get("cells", [])) if cell.get("cell_type") == "code"]
        self.by_id = {question.id: question for question in problems.questions}
        self.result = Report()
        self.good: list[str] = []  # the sources that ran, for a new start
        self.until = time.monotonic() + TOTAL
        self.box: Sandbox | None = None

    def report(self) -> Report:
        last = {grade_id(cell): i for i, cell in self.cells}
        failures: dict[str, str] = {}  # of the cells of questions
        try:
            for i, cell in self.cells:
                name, source = grade_id(cell) or "", "".join(cell.get("source", ""))
                asked = name.removesuffix("-test")
                if name in self.by_id and last[name] != i:
                    self.result.notes.append(f"the cell {name} is there more than once: the last one counts")
                elif name in self.by_id:
                    failures[name] = self._run(i, source)
                    if last.get(f"{name}-test", -1) < i:
                        self.result.verdicts[name] = self._question(self.by_id[name], failures[name])
                elif asked == name:
                    failure = self._run(i, source)
                    if failure and name == "setup":  # all that follows will suffer
                        self.result.notes.append(f"the first cell, which imports, failed: {failure.lstrip('!')}")
                elif last[name] == i and asked in failures:
                    self.result.verdicts[asked] = self._question(self.by_id[asked], failures[asked])
        finally:
            self._close()
        if "setup" not in last:
            self.result.notes.append("the first cell, which imports, is missing")
        for question in self.problems.questions:
            if question.id not in self.result.verdicts:
                said = "its cell is missing: copy it again from the problem set as it was handed out"
                self.result.verdicts[question.id] = Verdict(0, question.points, said)
        return self.result

    def _question(self, question: Question, failure: str) -> Verdict:
        if failure.startswith("!"):
            return Verdict(0, question.points, f"the cell did not come to its end: {failure[1:]}")
        died = []

        def answer(*arguments):
            """The student's, through the sandbox; whoever changes the arguments changes a copy."""
            if died or time.monotonic() > self.until:
                raise Died(died[0] if died else "the time for the whole notebook was over")
            try:
                return self._start().call(question.function, *copy.deepcopy(arguments))
            except Died as end:
                died.append(str(end))
                self._close()
                raise

        try:
            cases = hidden(self.problems, question, self.secret)
            result = checks.compare(answer, question.right, cases, question.mistakes, "right.", question.tolerance)
        except RecursionError:
            result = checks.Result(False, "what it returns is nested without end")
        message = result.message.replace("stopped with StudentError: ", "stopped with ")
        if died:
            message = f"your function was stopped: {died[0]}"
        undefined = f"no function {question.function} is defined"
        if undefined in message:
            message = undefined if failure else f"{undefined}: keep the name that the problem set gives it"
        if failure and not result:
            message += f" (Its cell said: {failure})"
        return Verdict(question.points if result else 0, question.points, message)

    def _run(self, i: int, source: str) -> str:
        """Nothing, or what the cell raised; beginning with "!" if it took its process with it."""
        if time.monotonic() > self.until:
            return "!the time for the whole notebook was over"
        try:
            self.result.said[i] = self._start().run(source)
        except StudentError as error:
            self.result.said[i] = self.box.output() + str(error)
            self.good.append(source)
            return str(error)
        except NotImplementedError:
            self.good.append(source)
            return "it raises NotImplementedError"
        except Died as end:
            self.result.said[i] = self.box.output() + str(end)
            self._close()
            return f"!{end}"
        self.good.append(source)
        return ""

    def _start(self) -> Sandbox:
        """The sandbox; a new one has first to run again what ran before."""
        if self.box is None:
            self.box = Sandbox(HANDOUT, self.seconds)
            for source in list(self.good):
                try:
                    self.box.run(source)
                except (StudentError, NotImplementedError):
                    pass
                except Died:  # this time, for it ran before
                    self.good.remove(source)
                    self._close()
                    return self._start()
        return self.box

    def _close(self) -> None:
        if self.box is not None:
            self.box.close()
            self.box = None

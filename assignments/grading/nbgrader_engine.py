"""nbgrader's autograder with this engine in place of its own: used by the course's ``nbgrader_config.py``.

nbgrader runs a submission's cells in one kernel, where a student's code can reach the tests. Here the cells are run in
the sandbox, and each test cell gets what nbgrader counts: an error with the hint, or nothing.
"""

from __future__ import annotations

import nbformat
from nbgrader.preprocessors import NbGraderPreprocessor

from assignments.grading import engine, questions


class ExecuteOutside(NbGraderPreprocessor):
    """Takes the place of nbgrader's ``Execute``."""

    def preprocess(self, nb, resources):
        """Set the outputs of all code cells."""
        secret = questions.secret()
        problems = questions.load(nb.metadata["problem_set"], secret)
        report = engine.grade(nb, problems, secret)
        for i, cell in enumerate(nb.cells):
            if cell.cell_type != "code":
                continue
            cell.execution_count, name = i + 1, engine.grade_id(cell) or ""
            said = report.said.get(i, "")
            cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text=said)] if said else []
            verdict = report.verdicts.get(name.removesuffix("-test")) if name.endswith("-test") else None
            if verdict and verdict.points == verdict.out_of:
                cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text="Correct.\n")]
            elif verdict:
                lines = [f"Not yet: {verdict.message}"]
                cell.outputs = [nbformat.v4.new_output("error", ename="NotYet", evalue=lines[0], traceback=lines)]
        return nb, resources

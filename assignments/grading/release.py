"""Make the problem sets ready for a class: ``python -m assignments.grading.release`` (``make release``).

    assignments/release/student/ps1/        what a student gets: notebook, shown cases, a README; and ps1.zip
    assignments/release/instructor/         an nbgrader course with solutions and rubrics; and instructor.zip

The same secret (``COURSE_SECRET``) gives the same bytes.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
import zipfile
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader.preprocessors import (
    CheckCellMetadata,
    ClearHiddenTests,
    ClearOutput,
    ClearSolutions,
    ComputeChecksums,
    LockCells,
)

from assignments.grading import questions
from assignments.grading.engine import HANDOUT
from assignments.grading.questions import FOLDER, NAMES, ProblemSet
from assignments.grading.worker import plain

DATE = (2000, 1, 1, 0, 0, 0)  # of every file in a zip, so that the bytes are the same


def source(problems: ProblemSet) -> NotebookNode:
    """The instructor's notebook: constants filled in, points in the metadata, solutions and rubrics in place.

    Errors: ValueError when notebook and questions do not fit together.
    """
    path = FOLDER / "source" / problems.name / f"{problems.name}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    points = {f"{q.id}-test": q.points for q in problems.questions} | dict(problems.written)
    found = set()
    for cell in notebook.cells:
        cell.source = filled(cell.source, {"points": problems.points, **problems.constants})
        data = cell.metadata.get("nbgrader", {})
        if data.get("grade"):
            if data["grade_id"] not in points:
                raise ValueError(f"{problems.name} has no points for the cell {data['grade_id']}")
            data["points"] = points[data["grade_id"]]
            found.add(data["grade_id"])
    if missing := sorted(points.keys() - found):
        raise ValueError(f"{problems.name}.ipynb has no cell {missing[0]}")
    notebook.metadata["problem_set"] = problems.name
    return notebook


def filled(text: str, constants) -> str:
    """A text with its {{names}} replaced. Errors: ValueError for an unknown one."""
    unknown = [name for name in re.findall(r"\{\{(\w+)\}\}", text) if name not in constants]
    if unknown:
        raise ValueError(f"the text names {unknown[0]}, which is no constant of the problem set")
    return re.sub(r"\{\{(\w+)\}\}", lambda match: str(constants[match[1]]), text)


def for_students(notebook: NotebookNode) -> NotebookNode:
    """Without solutions, rubrics and outputs: stubs in their place, and the given cells locked, by nbgrader itself."""
    notebook = nbformat.reads(nbformat.writes(notebook), as_version=4)
    clear = ClearSolutions(code_stub={"python": "raise NotImplementedError"}, text_stub="Write your answer here.")
    for step in (LockCells(), clear, ClearOutput(), CheckCellMetadata(), ComputeChecksums(), ClearHiddenTests()):
        notebook, _ = step.preprocess(notebook, {})
    return notebook


def examples(problems: ProblemSet, secret: str) -> str:
    """The cases that the student may see, with their answers, as JSON."""
    table = {}
    for question in problems.questions:
        cases = questions.shown(problems, question, secret)
        table[question.id] = [[plain(case), plain(question.right(*case))] for case in cases]
    return json.dumps(table, indent=1) + "\n"


def build(secret: str, folder: Path) -> dict[str, ProblemSet]:
    """Write everything into a folder, which is emptied first."""
    shutil.rmtree(folder, ignore_errors=True)
    sets = {name: questions.load(name, secret) for name in NAMES}
    for name, problems in sets.items():
        whole, shown = source(problems), examples(problems, secret)
        for place, notebook in ((folder / "student" / name, for_students(whole)),
                                (folder / "instructor" / "source" / name, whole)):  # fmt: skip
            shutil.copytree(HANDOUT, place, ignore=shutil.ignore_patterns("__pycache__"))
            (place / "shown.json").write_text(shown, encoding="utf-8")
            nbformat.write(notebook, place / f"{name}.ipynb")
        pack(folder / "student" / name, folder / "student" / f"{name}.zip")
    shutil.copy(FOLDER / "nbgrader_config.py", folder / "instructor" / "nbgrader_config.py")
    pack(folder / "instructor", folder / "instructor.zip")
    return sets


def pack(folder: Path, path: Path) -> None:
    """A zip of a folder, with the folder's name in front; the same files give the same bytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(p for p in folder.rglob("*") if p.is_file()):
            entry = zipfile.ZipInfo(f"{folder.name}/{file.relative_to(folder).as_posix()}", DATE)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(entry, file.read_bytes())


def main() -> None:
    """Build, and say what there is."""
    folder = FOLDER / "release"
    secret = questions.secret()
    for name, problems in build(secret, folder).items():
        automatic = sum(question.points for question in problems.questions)
        print(f"{name}  {problems.title}: {problems.points} points, {automatic} of them graded automatically")
    which = "the published secret; set COURSE_SECRET for one of your own" if secret == "published" else "your secret"
    print(f"in {folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder}, with {which}")


if __name__ == "__main__":
    sys.exit(main())

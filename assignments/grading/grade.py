"""Grade a folder of submissions: ``python -m assignments.grading.grade SUBMISSIONS OUT`` (``make grade``).

A submission is a notebook: ``SUBMISSIONS/<student>/ps1.ipynb``, ``SUBMISSIONS/<student>/ps1/ps1.ipynb`` (nbgrader's
way) or ``SUBMISSIONS/<student>_ps1.ipynb``. Into OUT go

    grades.csv          a row for each student and problem set
    feedback/           a page for each, to be handed back
    written.csv         the written answers that a person has to grade: fill in points and comment, and run this again
    problems.txt        what could not be graded, and why
    results/            what has been done: a run that was interrupted goes on from there
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import re
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import nbformat

from assignments.grading import engine, feedback, questions
from assignments.grading.questions import FOLDER, NAMES, ProblemSet

AT_ONCE = 2
WORKING = Path(__file__)


@dataclass(frozen=True)
class Submission:
    """One notebook of one student."""

    student: str
    problem_set: str
    path: Path

    @property
    def name(self) -> str:
        """For its files."""
        return f"{self.student}-{self.problem_set}"


def submissions(folder: Path) -> tuple[list[Submission], list[str]]:
    """What a folder holds, in order, and complaints about what is no submission."""
    found: dict[tuple[str, str], Submission] = {}
    complaints = []
    for path in sorted(folder.rglob("*.ipynb")):
        parts = path.relative_to(folder).parts
        if any(part.startswith(".") for part in parts):
            continue
        names = [name for name in NAMES if re.search(rf"(^|[^a-z0-9]){name}([^a-z0-9]|$)", path.stem.lower())]
        student = parts[0] if len(parts) > 1 else re.sub(rf"[_ -]*({'|'.join(NAMES)}).*$", "", path.stem, flags=re.I)
        if len(names) != 1 or not student:
            complaints.append(f"{path}: which problem set is it? Name the file like {NAMES[0]}.ipynb")
            continue
        one = Submission(re.sub(r"[^\w.@+-]", "_", student), names[0], path)
        if (one.student, one.problem_set) in found:
            complaints.append(f"{path}: {one.student} has handed in {one.problem_set} already, as "
                              f"{found[one.student, one.problem_set].path}")  # fmt: skip
            continue
        found[one.student, one.problem_set] = one
    return list(found.values()), complaints


def result(one: Submission, problems: ProblemSet, secret: str, out: Path) -> dict:
    """That of an earlier run on the same bytes, or a new one, written before it is returned."""
    data = one.path.read_bytes()
    key = hashlib.sha256(b"\0".join([data, secret.encode(), *versions(problems)])).hexdigest()
    path = out / "results" / f"{one.name}.json"
    if path.exists():
        try:
            earlier = json.loads(path.read_text(encoding="utf-8"))
            if earlier["key"] == key:
                return earlier
        except (ValueError, KeyError, TypeError):
            pass  # cut off while it was written
    entry = {"key": key, "student": one.student, "problem_set": one.problem_set, "failure": None}
    started = time.monotonic()
    try:
        notebook = nbformat.reads(data.decode("utf-8"), as_version=4)
        entry |= engine.grade(notebook, problems, secret).as_dict()
        entry["cells"] = [{"type": c.cell_type, "id": engine.grade_id(c), "source": c.source} for c in notebook.cells]
    except Exception as error:  # no submission may stop the others
        entry["failure"] = f"{type(error).__name__}: {error}"
    entry["seconds"] = round(time.monotonic() - started, 1)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".part")
    partial.write_text(json.dumps(entry), encoding="utf-8")
    os.replace(partial, path)
    return entry


def versions(problems: ProblemSet) -> Iterator[bytes]:
    """What the result depends on besides the submission."""
    files = [FOLDER / "questions" / f"{problems.name}.py", *sorted(WORKING.parent.glob("*.py"))]
    return (hashlib.sha256(path.read_bytes()).digest() for path in files)


def run(folder: Path, out: Path, secret: str, say=print) -> list[dict]:
    """Grade everything in a folder, two at a time, and write the tables and pages. Returns the results."""
    todo, complaints = submissions(folder)
    sets = {name: questions.load(name, secret) for name in sorted({one.problem_set for one in todo})}
    out.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        results = list(pool.map(lambda one: result(one, sets[one.problem_set], secret, out), todo))
    written = written_answers(results, sets, out)
    for entry in results:
        if entry["failure"]:
            complaints.append(f"{entry['student']}, {entry['problem_set']}: {entry['failure']}")
        complaints += [f"{entry['student']}, {entry['problem_set']}: {note}" for note in entry.get("notes", [])]
        page = feedback.page(entry, sets[entry["problem_set"]], written)
        save(out / "feedback" / f"{entry['student']}-{entry['problem_set']}.html", page)
    grades(results, sets, written, out)
    save(out / "problems.txt", "".join(f"{line}\n" for line in complaints))
    say(f"{len(results)} submissions graded, {sum(bool(e['failure']) for e in results)} could not be read, "
        f"{len(complaints)} remarks in problems.txt; see {out}")  # fmt: skip
    return results


def written_answers(results: list[dict], sets: dict[str, ProblemSet], out: Path) -> dict[tuple[str, str, str], dict]:
    """The points that a person gave: what stands in written.csv is kept, and what is new is added, without points."""
    path = out / "written.csv"
    fields = ["student", "problem_set", "question", "out_of", "points", "comment"]
    have = {}
    if path.exists():
        with path.open(newline="", encoding="utf-8") as file:
            have = {(r["student"], r["problem_set"], r["question"]): r for r in csv.DictReader(file)}
    for entry in results:
        for question, points in sets[entry["problem_set"]].written.items():
            key = (entry["student"], entry["problem_set"], question)
            row = have.setdefault(key, dict(zip(fields, (*key, points, "", ""), strict=True)))
            if row["points"].strip() and not 0 <= float(row["points"]) <= points:
                raise ValueError(f"{path}: {key} has {row['points']} points of {points}: give 0 to {points}")
    save(path, table(fields, have.values()))
    return have


def grades(results: list[dict], sets: dict[str, ProblemSet], written: dict, out: Path) -> None:
    """A row for each submission: its points by question, and the sum, which is empty until all is graded."""
    names = [f"{name} {q}" for name, s in sets.items() for q in [*(x.id for x in s.questions), *s.written]]
    rows = []
    for entry in results:
        name, problems = entry["problem_set"], sets[entry["problem_set"]]
        row = {"student": entry["student"], "problem_set": name, "out_of": problems.points}
        row |= {f"{name} {q}": v["points"] for q, v in entry.get("verdicts", {}).items()}
        row["automatic"] = sum(v["points"] for v in entry.get("verdicts", {}).values())
        by_hand = [written[entry["student"], name, question]["points"].strip() for question in problems.written]
        row |= {f"{name} {q}": given for q, given in zip(problems.written, by_hand, strict=True)}
        row["total"] = "" if "" in by_hand or entry["failure"] else row["automatic"] + sum(map(float, by_hand))
        rows.append(row)
    save(out / "grades.csv", table(["student", "problem_set", "total", "automatic", "out_of", *names], rows))


def table(fields: list[str], rows) -> str:
    """As CSV."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fields, lineterminator="\n", restval="")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def save(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".part")
    partial.write_text(text, encoding="utf-8")
    os.replace(partial, path)


def main(arguments: list[str]) -> int:
    """Errors: a message and 2 for folders that are not there."""
    if len(arguments) != 2 or not Path(arguments[0]).is_dir():
        print("give a folder of submissions and one for the results: make grade SUBMISSIONS=dir OUT=dir")
        return 2
    run(Path(arguments[0]), Path(arguments[1]), questions.secret())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

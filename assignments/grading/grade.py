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
WRITTEN = ["student", "problem_set", "question", "out_of", "points", "comment"]


class NotUsable(ValueError):
    """What a person has filled in cannot be read; says what to change."""


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
    complaints, held = [], set()
    paths = (path.relative_to(folder) for path in folder.rglob("*.ipynb"))
    paths = [path for path in paths if not any(part.startswith(".") for part in path.parts)]
    for path in sorted(paths, key=lambda path: (len(path.stem), len(path.parts), path)):  # copies have longer names
        held.add(path.parts[0])
        names = list(re.finditer(rf"(?<![a-z0-9])({'|'.join(NAMES)})(?![a-z0-9])", path.stem, re.I))
        student = path.parts[0] if len(path.parts) > 1 or not names else path.stem[: names[0].start()].rstrip("_ -")
        path = folder / path
        if len({match[1].lower() for match in names}) != 1:
            complaints.append(f"{path}: which problem set is it? Name the file like {NAMES[0]}.ipynb")
            continue
        if not student:
            complaints.append(f"{path}: whose is it? Name the file like ada_{NAMES[0]}.ipynb")
            continue
        one = Submission(re.sub(r"[^\w.@+-]", "_", student), names[0][1].lower(), path)
        if (one.student, one.problem_set) in found:
            complaints.append(f"{path}: {one.student} has handed in {one.problem_set} already, as "
                              f"{found[one.student, one.problem_set].path}")  # fmt: skip
            continue
        found[one.student, one.problem_set] = one
    complaints += [f"{path}: no notebook is in it" if path.is_dir() else f"{path}: this is no notebook"
                   for path in sorted(folder.iterdir()) if path.name not in held and path.name[0] != "."]  # fmt: skip
    return sorted(found.values(), key=lambda one: one.path), complaints


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
    files = [FOLDER / "questions" / f"{problems.name}.py", *sorted(WORKING.parent.rglob("*.py"))]
    return (hashlib.sha256(path.read_bytes()).digest() for path in files)


def run(folder: Path, out: Path, secret: str, say=print) -> list[dict]:
    """Grade everything in a folder, two at a time, and write the tables and pages. Returns the results.

    Errors: NotUsable for a table of written answers that cannot be read, before anything is graded.
    """
    todo, complaints = submissions(folder)
    sets = {name: questions.load(name, secret) for name in sorted({one.problem_set for one in todo})}
    out.mkdir(parents=True, exist_ok=True)
    given = by_hand(out / "written.csv", sets)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        results = list(pool.map(lambda one: result(one, sets[one.problem_set], secret, out), todo))
    written, strangers = written_answers(results, sets, given, out / "written.csv")
    complaints += strangers
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


def by_hand(path: Path, sets: dict[str, ProblemSet]) -> dict[tuple[str, str, str], dict[str, str]]:
    """The rows of written.csv by student, problem set and question, however a spreadsheet has saved them.

    Points become what ``float`` reads, or nothing. Errors: NotUsable.
    """
    if not path.exists():
        return {}
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise NotUsable(f"{path} is not in UTF-8: save it as CSV in UTF-8") from None
    lines = csv.DictReader(io.StringIO(text, newline=""), delimiter=";" if ";" in text.partition("\n")[0] else ",")
    if missing := [name for name in WRITTEN if name not in (lines.fieldnames or [])]:
        raise NotUsable(f"{path} has no column {missing[0]}: its first line should be {','.join(WRITTEN)}")
    rows = {}
    for line in lines:
        row = {name: line[name] or "" for name in WRITTEN}
        row["points"] = row["points"].strip().replace(",", ".")
        key = (row["student"], row["problem_set"], row["question"])
        most = sets[key[1]].written.get(key[2]) if key[1] in sets else None
        if most and row["points"] and not _between(row["points"], most):
            raise NotUsable(f"{path}: {', '.join(key)} has the points {row['points']!r}: give 0 to {most}")
        if any(key):
            rows[key] = row
    return rows


def _between(text: str, most: int) -> bool:
    """Whether a text is a number from 0 to the most that there is."""
    try:
        return 0 <= float(text) <= most
    except ValueError:
        return False


def written_answers(results: list[dict], sets: dict[str, ProblemSet], have: dict, path: Path) -> tuple[dict, list[str]]:
    """The points that a person gave, with a row for each answer that has none yet; and complaints about points that
    belong to nobody."""
    known = set()
    for entry in results:
        for question, points in sets[entry["problem_set"]].written.items():
            key = (entry["student"], entry["problem_set"], question)
            known.add(key)
            have.setdefault(key, dict(zip(WRITTEN, (*key, points, "", ""), strict=True)))
    save(path, table(WRITTEN, have.values()))
    lost = [key for key, row in have.items() if row["points"] and key[1] in sets and key not in known]
    return have, [f"{path}: {', '.join(key)} has points, and no submission is there" for key in lost]


def grades(results: list[dict], sets: dict[str, ProblemSet], written: dict, out: Path) -> None:
    """A row for each submission: its points by question, and the sum, which is empty until all is graded."""
    names = [f"{name} {q}" for name, s in sets.items() for q in [*(x.id for x in s.questions), *s.written]]
    rows = []
    for entry in results:
        name, problems = entry["problem_set"], sets[entry["problem_set"]]
        row = {"student": entry["student"], "problem_set": name, "out_of": problems.points}
        row |= {f"{name} {q}": v["points"] for q, v in entry.get("verdicts", {}).items()}
        row["automatic"] = sum(v["points"] for v in entry.get("verdicts", {}).values())
        given = [written[entry["student"], name, question]["points"] for question in problems.written]
        row |= {f"{name} {q}": points for q, points in zip(problems.written, given, strict=True)}
        row["total"] = "" if "" in given or entry["failure"] else row["automatic"] + sum(map(float, given))
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
    """Errors: a message and 2 for folders that are not there, and for a table of written answers that is spoilt."""
    if len(arguments) != 2 or not Path(arguments[0]).is_dir():
        print("give a folder of submissions and one for the results: make grade SUBMISSIONS=dir OUT=dir")
        return 2
    try:
        run(Path(arguments[0]), Path(arguments[1]), questions.secret())
    except NotUsable as error:
        print(error)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

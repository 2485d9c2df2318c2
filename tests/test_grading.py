"""The grader: what a student's code may do to itself, and what it may not do to anything else."""

import csv
import json
import threading
import time

import nbformat
import numpy as np
import pytest

from assignments.grading import engine, feedback, grade, questions, release, worker
from assignments.grading.handout import course_check
from assignments.grading.nbgrader_engine import ExecuteOutside
from assignments.grading.sandbox import Died, Sandbox, StudentError

SECRET = "published"
PROBLEMS = questions.load("ps1", SECRET)
WHOLE = release.source(PROBLEMS)
BASE = PROBLEMS.constants["base"]
ALL = sum(question.points for question in PROBLEMS.questions)
SHORT = ("setup", "q1", "q2", "q3")  # enough of the notebook for most tests, and quickly run


def notebook(changes=None, keep=SHORT):
    """The instructor's notebook, solutions and all, cut to a few cells; ``changes`` gives cells another source."""
    copy = nbformat.reads(nbformat.writes(WHOLE), as_version=4)
    copy.cells = [cell for cell in copy.cells if (engine.grade_id(cell) or "").removesuffix("-test") in keep]
    for cell in copy.cells:
        cell.source = (changes or {}).get(engine.grade_id(cell), cell.source)
    return copy


def points(report):
    return {name: verdict.points for name, verdict in report.verdicts.items() if name in SHORT}


# ---- the sandbox ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "value"),
    [
        ("return 2 * x", 3.0),
        ("return [x, (1, 2), None, True, 'a', {'k': x, (1, 2): [x]}]",
         [1.5, [1.0, 2.0], None, True, "a", {"k": 1.5, (1.0, 2.0): [1.5]}]),
        ("import numpy as np; return np.float32(x), np.arange(3)", [1.5, np.arange(3.0)]),
        ("import torch; return torch.tensor([[x]], requires_grad=True)", np.array([[1.5]])),
        ("return float('nan')", np.nan),
        ("from collections import defaultdict; return defaultdict(float, a=x)", {"a": 1.5}),
        ("from collections import Counter, OrderedDict; return Counter('aab'), OrderedDict(b=x)",
         [{"a": 2, "b": 1}, {"b": 1.5}]),
    ],
)  # fmt: skip
def test_values_come_back_as_plain_data(body, value):
    with Sandbox(seconds=60) as box:
        assert box.run(f"def f(x):\n    {body}\nprint('hello')") == "hello\n"
        np.testing.assert_equal(box.call("f", 1.5), value)


@pytest.mark.parametrize(
    ("source", "error", "words"),
    [
        ("raise ValueError('no')", StudentError, "ValueError: no .line 1 of the cell"),
        ("x = (", StudentError, "SyntaxError"),
        ("import sys; sys.exit(1)", StudentError, "SystemExit"),
        ("raise KeyboardInterrupt", StudentError, "KeyboardInterrupt"),
        ("input()", StudentError, "EOFError"),
        ("import os; os._exit(0)", Died, "ended its process"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", Died, "ended its process"),
        ("import os\nos.closerange(3, 99)", Died, "ended its process"),
        ("import time; time.sleep(60)", Died, "more than 1 seconds"),
        ("while True: pass", Died, "more than 1 seconds"),
        ("while True:\n  try:\n    import time; time.sleep(60)\n  except BaseException: pass", Died, "more than 1"),
        ("while True: print('x' * 1000)", (StudentError, Died), "File too large|more than 1 seconds"),
        ("import os\nos.fork()\nraise ValueError('both')", StudentError, "both"),
        ("x = bytearray(50 * 2**30)", StudentError, "MemoryError"),
        ("import numpy as np\nx = np.ones((10**5, 10**5))", StudentError, "Memory"),
        ("def f(): f()\nf()", StudentError, "RecursionError"),
    ],
)
def test_what_goes_wrong_in_a_cell_stays_in_it(source, error, words):
    started = time.monotonic()
    with Sandbox(seconds=1) as box, pytest.raises(error, match=words):
        box.run(source)
    assert time.monotonic() - started < 10
    assert not box.folder.exists()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("class A:\n        def __eq__(self, other): return True\n    return A()", "a A is no number"),
        ("class A(float): pass\n    return A(3)", "a A is no number"),
        ("import numpy as np\n    return np.array([object()])", "no array of numbers"),
        ("return lambda: 3", "a function is no number"),
        ("return {1, 2}", "a set is no number"),
        ("a = []\n    a.append(a)\n    return a", "RecursionError"),
    ],
)
def test_only_plain_data_is_an_answer(body, words):
    with Sandbox() as box:
        box.run(f"def f():\n    {body}")
        with pytest.raises(StudentError, match=words):
            box.call("f")


def test_a_megabyte_is_cut_and_nothing_waits_for_it():
    with Sandbox() as box:
        text = box.run("print('x' * 2**20)")
        assert 10_000 < len(text) < 100_000
        assert text.endswith("and more")
        assert box.run("print('later')") == "later\n"


def test_what_a_cell_forks_has_no_say():
    with Sandbox() as box:
        box.run("import os\nchild = os.fork()\ndef f(): return 1.0 if child else 2.0")
        assert [box.call("f") for _ in range(5)] == [1.0] * 5


def test_cells_see_their_folder_and_not_the_secret(monkeypatch):
    monkeypatch.setenv("COURSE_SECRET", "hush")
    with Sandbox(engine.HANDOUT) as box:
        said = box.run("import os, course_check\nprint(os.getcwd(), 'COURSE_SECRET' in os.environ)\n%matplotlib inline")
        assert said.endswith(" False\n")


@pytest.mark.parametrize(
    "source",
    [
        "print(17\n      % 10)",
        "%matplotlib inline\nprint(7)",
        "%%time\n!ls\nif True:\n    %time print(6)\n    print(7)",
    ],
)
def test_lines_for_the_notebook_are_left_out_and_those_of_python_are_not(source):
    with Sandbox() as box:
        assert box.run(source) == "7\n"


# ---- one notebook --------------------------------------------------------------------------------------------------


def test_solutions_earn_everything():
    assert points(engine.grade(notebook(), PROBLEMS, SECRET)) == {"q1": 4, "q2": 4, "q3": 5}


FAILS = "def report(log_probs, characters):\n    "


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (FAILS + "return float('nan'), 1.0, 1.0", "you return"),
        (FAILS + "return np.zeros((2, 2))", "you return"),
        (FAILS + "return 'three numbers'", "you return"),
        (FAILS + "return None", "you return None"),
        (FAILS + "class Yes:\n        def __eq__(self, other): return True\n    return Yes()", "a Yes is no number"),
        (FAILS + "raise ValueError('hm')", "stopped with ValueError: hm"),
        (FAILS + "import os; os._exit(0)", "was stopped: it ended its process"),
        (FAILS + "while True: pass", "was stopped: it took more than"),
        (FAILS + "x = bytearray(50 * 2**30)", "MemoryError"),
        (FAILS + "print('x' * 2**20); return 1, 1, 1", "you return"),
        ("import os; os._exit(0)", "did not come to its end: it ended its process"),
        ("while True: pass", "did not come to its end: it took more than"),
        ("x = (", "no function report is defined"),
        ("raise RuntimeError('early')", "no function report is defined"),
        ("report = 3", "not callable"),
        ("from course_lib import checks\nfrom course_lib.checks import Result\n"
         "checks.compare = lambda *a, **k: Result(True, '')\nchecks.same = lambda *a: True\n"
         + FAILS + "return 1, 1, 1", "you return"),
        ("import course_check\ncourse_check.check = check = lambda *a: True\n"
         + FAILS + "return 1, 1, 1", "you return"),
    ],
)  # fmt: skip
def test_a_bad_answer_costs_its_own_points_alone(source, words):
    report = engine.grade(notebook({"q1": source}), PROBLEMS, SECRET, seconds=4)
    assert points(report) == {"q1": 0, "q2": 4, "q3": 5}
    assert words in report.verdicts["q1"].message


def test_a_cell_that_fails_keeps_what_it_had_defined():
    source = notebook().cells[1].source + "\nraise RuntimeError('afterwards')"
    report = engine.grade(notebook({"q1": source}), PROBLEMS, SECRET)
    assert points(report)["q1"] == 4
    assert "afterwards" in report.said[1]


def test_changing_the_arguments_changes_a_copy():
    source = notebook().cells[1].source.replace('"""List', 'log_probs[0][:] = 0; log_probs.clear()\n    """List')
    report = engine.grade(notebook({"q1": source}), PROBLEMS, SECRET)
    assert points(report) == {"q1": 0, "q2": 4, "q3": 5}


def test_deleted_duplicated_and_edited_cells():
    deleted = notebook(keep=("setup", "q2", "q3"))
    report = engine.grade(deleted, PROBLEMS, SECRET)
    assert points(report) == {"q1": 0, "q2": 4, "q3": 5}
    assert "missing" in report.verdicts["q1"].message

    twice = notebook()
    twice.cells.insert(1, nbformat.from_dict(twice.cells[1] | {"source": "def report(a, b): return 1"}))
    report = engine.grade(twice, PROBLEMS, SECRET)
    assert points(report)["q1"] == 4
    assert "more than once" in report.notes[0]

    edited = notebook({"q1-test": "import os; os._exit(0)", "q2-test": "print('full marks')"})
    assert points(engine.grade(edited, PROBLEMS, SECRET)) == {"q1": 4, "q2": 4, "q3": 5}


def test_cells_of_ones_own_are_run_in_their_place():
    own = notebook({"q1": "def report(log_probs, characters):\n    return helper(log_probs, characters)"})
    source = notebook().cells[1].source.replace("def report", "def helper")
    own.cells.insert(1, nbformat.v4.new_code_cell(source))
    own.cells.insert(1, nbformat.v4.new_code_cell("import os; os._exit(0)"))
    assert points(engine.grade(own, PROBLEMS, SECRET)) == {"q1": 4, "q2": 4, "q3": 5}


def test_a_first_cell_that_fails_or_is_missing_is_said():
    """Then right answers earn nothing, and whoever grades has to know why."""
    failed = engine.grade(notebook({"setup": "import course_library"}), PROBLEMS, SECRET)
    words = "the first cell, which imports, failed: ModuleNotFoundError: No module named 'course_library' (line 1 of"
    assert failed.notes[0].startswith(words)
    missing = engine.grade(notebook(keep=("q1", "q2", "q3")), PROBLEMS, SECRET)
    assert missing.notes == ["the first cell, which imports, is missing"]
    assert points(missing) == {"q1": 0, "q2": 0, "q3": 5}
    assert engine.grade(notebook(), PROBLEMS, SECRET).notes == []


def test_a_helper_may_stand_between_an_answer_and_its_test():
    """There the notebook finds it, run from the top."""
    own = notebook({"q1": "def report(log_probs, characters):\n    return helper(log_probs, characters)"})
    source = notebook().cells[1].source.replace("def report", "def helper")
    own.cells.insert(2, nbformat.v4.new_code_cell(source))
    assert points(engine.grade(own, PROBLEMS, SECRET)) == {"q1": 4, "q2": 4, "q3": 5}
    del own.cells[3]  # without its test cell the function is tried at once
    report = engine.grade(own, PROBLEMS, SECRET)
    assert points(report) == {"q1": 0, "q2": 4, "q3": 5}
    assert "name 'helper' is not defined" in report.verdicts["q1"].message


def test_a_function_that_is_not_there_is_said_in_few_words():
    report = engine.grade(notebook({"q1": "x = (", "q2": "def logprob(table, words): return 0"}), PROBLEMS, SECRET)
    said = "no function report is defined (Its cell said: SyntaxError: '(' was never closed (<cell>, line 1))"
    assert report.verdicts["q1"].message == said
    said = "no function log_prob is defined: keep the name that the problem set gives it"
    assert report.verdicts["q2"].message == said


def test_nbgrader_gets_the_verdicts_as_outputs(monkeypatch):
    monkeypatch.setenv("COURSE_SECRET", SECRET)
    graded = notebook({"q2": "def log_prob(table, words): return 0.0", "q3": "print('hello')"})
    graded.metadata["problem_set"] = "ps1"
    ExecuteOutside().preprocess(graded, {})
    outputs = {engine.grade_id(cell): cell.outputs for cell in graded.cells if cell.cell_type == "code"}
    assert outputs["q1-test"][0].text == "Correct.\n"
    assert outputs["q2-test"][0].output_type == "error"
    assert "you return 0" in outputs["q2-test"][0].evalue
    assert outputs["q3"][0].text == "hello\n"
    assert outputs["setup"] == []


def test_odd_metadata_are_no_obstacle():
    odd = notebook()
    odd.cells[0].metadata["nbgrader"] = "nothing"
    odd.cells.append(nbformat.from_dict({"cell_type": "raw", "metadata": {}, "source": "raw", "id": "raw"}))
    assert points(engine.grade(odd, PROBLEMS, SECRET)) == {"q1": 4, "q2": 4, "q3": 5}


# ---- a class -------------------------------------------------------------------------------------------------------

KINDS = [
    {},
    {"q1": FAILS + "raise NotImplementedError"},
    {"q1": "import os; os._exit(1)"},
    {"q2": "def log_prob(table, words): return 0.0"},
    {"q3": "raise SystemExit"},
    {"q1": FAILS + "print('y' * 10**6); return 1, 1, 1"},
]


@pytest.fixture(scope="module")
def sixty(tmp_path_factory):
    """Submissions of 57 students and three that are none."""
    folder = tmp_path_factory.mktemp("class") / "handed in"
    for i in range(57):
        place = [folder / f"student{i:02}" / "ps1.ipynb", folder / f"student{i:02}" / "ps1" / "ps1.ipynb",
                 folder / f"student{i:02}_ps1.ipynb"][i % 3]  # fmt: skip
        place.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook(KINDS[i % len(KINDS)]), place)
    for name, text in (("broken", "{nope"), ("empty", ""), ("list", "[]")):
        (folder / name).mkdir()
        (folder / name / "ps1.ipynb").write_text(text)
    (folder / "someone").mkdir()
    (folder / "someone" / "homework.ipynb").write_text("{}")
    return folder


def test_a_class_is_graded_interrupted_and_resumed(sixty, tmp_path, monkeypatch):
    out = tmp_path / "out"
    enough, real = threading.Event(), grade.engine.grade

    def until_interrupted(*arguments):
        if enough.is_set():
            raise KeyboardInterrupt
        if len(list((out / "results").glob("*.json"))) >= 10:
            enough.set()
        return real(*arguments)

    monkeypatch.setattr(grade.engine, "grade", until_interrupted)
    with pytest.raises(KeyboardInterrupt):
        grade.run(sixty, out, SECRET)
    done = {path: path.stat().st_mtime_ns for path in (out / "results").glob("*.json")}
    assert 10 <= len(done) < 57
    assert not (out / "grades.csv").exists()

    monkeypatch.setattr(grade.engine, "grade", real)
    said = []
    results = grade.run(sixty, out, SECRET, say=said.append)
    assert len(results) == 60
    assert said[0].startswith("60 submissions graded, 3 could not be read")
    assert all(path.stat().st_mtime_ns == time for path, time in done.items())  # none was graded again

    with (out / "grades.csv").open(newline="") as file:
        rows = {row["student"]: row for row in csv.DictReader(file)}
    assert len(rows) == 60
    for i in range(57):
        wrong = next(iter(KINDS[i % len(KINDS)]), None)
        for name, full in (("q1", "4"), ("q2", "4"), ("q3", "5")):
            assert rows[f"student{i:02}"][f"ps1 {name}"] == ("0" if name == wrong else full)
        assert rows[f"student{i:02}"]["total"] == ""  # the written answers are not graded yet
    problems = (out / "problems.txt").read_text()
    assert all(f"{name}, ps1:" in problems for name in ("broken", "empty", "list"))
    assert "homework.ipynb: which problem set is it?" in problems
    pages = list((out / "feedback").glob("*.html"))
    assert len(pages) == 60
    assert not any("http" in page.read_text() or "src=" in page.read_text() for page in pages)
    assert "ended its process" in (out / "feedback" / "student02-ps1.html").read_text()

    # a person grades the written answers, and the next run counts them
    with (out / "written.csv").open(newline="") as file:
        written = list(csv.DictReader(file))
    assert len(written) == 60 * len(PROBLEMS.written)
    for row in written:
        row |= {"points": "1.5", "comment": "a <good> start"} if row["student"] == "student00" else {}
    (out / "written.csv").write_text(grade.table(list(written[0]), written))
    grade.run(sixty, out, SECRET, say=said.append)
    with (out / "grades.csv").open(newline="") as file:
        first = next(row for row in csv.DictReader(file) if row["student"] == "student00")
    assert float(first["total"]) == 13 + 3.0
    assert "a &lt;good&gt; start" in (out / "feedback" / "student00-ps1.html").read_text()


def test_results_cut_off_or_of_another_secret_are_made_anew(tmp_path):
    folder, out = tmp_path / "in", tmp_path / "out"
    (folder / "ada").mkdir(parents=True)
    nbformat.write(notebook(), folder / "ada" / "ps1.ipynb")
    first = grade.run(folder, out, SECRET, say=str)[0]
    path = out / "results" / "ada-ps1.json"
    path.write_text(json.dumps(first)[:100])
    assert grade.run(folder, out, SECRET, say=str)[0]["verdicts"] == first["verdicts"]
    other = grade.run(folder, out, "another", say=str)[0]
    assert other["key"] != first["key"]


def test_two_notebooks_of_one_student_and_points_that_cannot_be(tmp_path):
    folder, out = tmp_path / "in", tmp_path / "out"
    (folder / "ada").mkdir(parents=True)
    nbformat.write(notebook(keep=("setup",)), folder / "ada" / "ps1.ipynb")
    nbformat.write(notebook(keep=("setup",)), folder / "ada_ps1.ipynb")
    results = grade.run(folder, out, SECRET, say=str)
    assert len(results) == 1
    assert "has handed in ps1 already" in (out / "problems.txt").read_text()
    text = (out / "written.csv").read_text()
    (out / "written.csv").write_text(text.replace("w1,8,,", "w1,8,9,"))
    with pytest.raises(ValueError, match="has the points '9': give 0 to 8"):
        grade.run(folder, out, SECRET, say=str)


def test_the_command_says_what_it_needs(tmp_path, capsys):
    assert grade.main([str(tmp_path / "nowhere"), str(tmp_path)]) == 2
    assert "make grade SUBMISSIONS" in capsys.readouterr().out
    assert grade.main([]) == 2
    (tmp_path / "in").mkdir()
    assert grade.main([str(tmp_path / "in"), str(tmp_path / "out")]) == 0


def test_whose_notebook_it_is_and_which_of_several_counts(tmp_path):
    names = ["ada/ps1-Copy1.ipynb", "ada/ps1.ipynb", "ada/old/ps1.ipynb", "ada/.ipynb_checkpoints/ps1-checkpoint.ipynb",
             "tips1_ps1.ipynb", "bob_ps1 (1).ipynb", "bob_ps1.ipynb", "Eve_PS2.ipynb", "ps1_eve.ipynb",
             "ps1_ps2.ipynb", "zipped/ps1.zip", "essay.pdf", ".hidden"]  # fmt: skip
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    found, complaints = grade.submissions(tmp_path)
    assert {(one.student, one.problem_set): one.path.relative_to(tmp_path).as_posix() for one in found} == {
        ("ada", "ps1"): "ada/ps1.ipynb",
        ("bob", "ps1"): "bob_ps1.ipynb",
        ("tips1", "ps1"): "tips1_ps1.ipynb",
        ("Eve", "ps2"): "Eve_PS2.ipynb",
    }
    said = [("ada/old/ps1.ipynb", "handed in"), ("ada/ps1-Copy1.ipynb", "handed in"),
            ("bob_ps1 (1).ipynb", "handed in"), ("ps1_eve.ipynb", "whose is it?"),
            ("ps1_ps2.ipynb", "which problem set is it?"),
            ("zipped", "no notebook is in it"), ("essay.pdf", "this is no notebook")]  # fmt: skip
    assert len(complaints) == len(said)
    for name, words in said:
        assert any(line.startswith(f"{tmp_path / name}: ") and words in line for line in complaints), name


HEAD = "student,problem_set,question,out_of,points,comment\n"


@pytest.mark.parametrize(
    "text",
    [
        (HEAD + "José,ps1,w1,8,6.5,well done\n").encode(),
        (HEAD + "José,ps1,w1,8,6.5,well done\n,,,,,\n").encode("utf-8-sig"),
        (HEAD.replace(",", ";") + "José;ps1;w1;8;6,5;well done\n").replace("\n", "\r\n").encode("utf-8-sig"),
    ],
)
def test_points_come_back_however_a_spreadsheet_saves_them(tmp_path, text):
    (tmp_path / "written.csv").write_bytes(text)
    rows = grade.by_hand(tmp_path / "written.csv", {"ps1": PROBLEMS})
    assert list(rows) == [("José", "ps1", "w1")]
    row = rows["José", "ps1", "w1"]
    assert (float(row["points"]), row["comment"]) == (6.5, "well done")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (HEAD + "ada,ps1,w1,8,B+,\n", "ada, ps1, w1 has the points 'B+': give 0 to 8"),
        (HEAD + "ada,ps1,w1,8,9,\n", "has the points '9': give 0 to 8"),
        (HEAD + "ada,ps1,w1,8,nan,\n", "give 0 to 8"),
        ("student,points\nada,3\n", "has no column problem_set"),
        ("", "has no column student"),
        (HEAD + "Jos\xe9,ps1,w1,8,3,\n", "is not in UTF-8"),
    ],
)
def test_a_spoilt_table_stops_the_run_before_anything_is_graded(tmp_path, monkeypatch, capsys, text, words):
    (tmp_path / "in" / "ada").mkdir(parents=True)
    (tmp_path / "in" / "ada" / "ps1.ipynb").write_text("")
    (tmp_path / "written.csv").write_text(text, encoding="latin-1")
    assert grade.main([str(tmp_path / "in"), str(tmp_path)]) == 2
    assert words in capsys.readouterr().out
    assert (tmp_path / "written.csv").read_text(encoding="latin-1") == text
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize("value", [3, [1, 2], np.array([[1, 2]]), np.array([True]), np.array([1.0, 2.0]), 2.0])
def test_numbers_keep_their_kind_on_the_way_to_a_student(value):
    back = course_check.restored(json.loads(json.dumps(worker.plain(value))))
    assert np.array_equal(back, value) and np.asarray(back).dtype.kind == np.asarray(value).dtype.kind


def test_points_of_somebody_who_handed_in_nothing_are_kept_and_said(tmp_path):
    (tmp_path / "in" / "ada").mkdir(parents=True)
    (tmp_path / "in" / "ada" / "ps1.ipynb").write_text("")
    (tmp_path / "written.csv").write_text(HEAD + "adda,ps1,w1,8,3,good\nada,ps2,w1,8,3,\n")
    grade.run(tmp_path / "in", tmp_path, SECRET, say=str)
    assert "adda,ps1,w1,8,3,good\n" in (tmp_path / "written.csv").read_text()
    problems = (tmp_path / "problems.txt").read_text()
    assert "adda, ps1, w1 has points, and no submission is there" in problems
    assert "ps2" not in problems


def test_the_page_adds_up_and_shows_what_a_student_has_added():
    cells = [{"type": "code", "id": "q1", "source": "def report(): pass"},
             {"type": "markdown", "id": "text-2", "source": "What is asked"},
             {"type": "markdown", "id": None, "source": "The rest of <my> answer"},
             {"type": "code", "id": None, "source": " "}]  # fmt: skip
    entry = {"student": "ada", "problem_set": "ps1", "failure": None, "cells": cells,
             "verdicts": {"q1": {"points": 4, "out_of": 4, "message": "right."}}}  # fmt: skip
    written = {("ada", "ps1", question): {"points": "", "comment": ""} for question in PROBLEMS.written}
    page = feedback.page(entry, PROBLEMS, written)
    assert f"<td>Together<td class=n>4 of {PROBLEMS.points}<td>so far</tr>" in page
    assert "<pre class=code>def report(): pass</pre>" in page
    assert "<h2>A cell of your own</h2><pre class=text>The rest of &lt;my&gt; answer</pre>" in page
    assert page.count("A cell of your own") == 1
    assert "What is asked" not in page
    for row in written.values():
        row["points"] = "2.5"
    page = feedback.page(entry, PROBLEMS, written)
    assert f"<td>Together<td class=n>{4 + 2.5 * len(written):g} of {PROBLEMS.points}<td></tr>" in page


# ---- release -------------------------------------------------------------------------------------------------------


def test_a_release_is_the_same_bytes_for_the_same_secret(tmp_path):
    for name, secret in (("a", "one"), ("b", "one"), ("c", "two")):
        release.build(secret, tmp_path / name)
    files = sorted(p.relative_to(tmp_path / "a") for p in (tmp_path / "a").rglob("*") if p.is_file())
    assert {"instructor.zip", "student/ps1.zip", "student/ps1/README.md"} <= {p.as_posix() for p in files}
    same = [(tmp_path / "a" / f).read_bytes() == (tmp_path / "b" / f).read_bytes() for f in files]
    assert all(same)
    assert (tmp_path / "a/student/ps1.zip").read_bytes() != (tmp_path / "c/student/ps1.zip").read_bytes()


def test_no_solution_in_what_students_get(tmp_path):
    release.build(SECRET, tmp_path)
    handed = [p for p in (tmp_path / "student").rglob("*") if p.is_file() and p.suffix != ".zip"]
    text = "\n".join(p.read_text(encoding="utf-8") for p in handed)
    for name in questions.NAMES:
        problems = questions.load(name, SECRET)
        for cell in release.source(problems).cells:
            data = cell.metadata.get("nbgrader", {})
            if data.get("solution"):
                inside = cell.source.partition("### BEGIN SOLUTION")[2].partition("### END SOLUTION")[0]
                lines = [line.strip() for line in inside.splitlines() if len(line.strip()) > 25]
                assert lines
                assert not [line for line in lines if line in text]
        assert not [hint for q in problems.questions for hint in q.mistakes if hint in text]


def test_notebook_and_questions_must_fit_together():
    with pytest.raises(ValueError, match="names fingers"):
        release.filled("{{fingers}}", {"base": 3})
    with pytest.raises(ValueError, match="no problem set 'ps99'"):
        questions.load("ps99", SECRET)
    short = questions.ProblemSet("ps1", "", PROBLEMS.constants, PROBLEMS.questions[1:], PROBLEMS.written)
    with pytest.raises(ValueError, match="no points for the cell q1-test"):
        release.source(short)
    more = questions.ProblemSet("ps1", "", PROBLEMS.constants, PROBLEMS.questions, {**PROBLEMS.written, "w9": 1})
    with pytest.raises(ValueError, match="no cell w9"):
        release.source(more)


def test_the_students_check_shows_where_an_answer_differs(tmp_path):
    release.build(SECRET, tmp_path)
    with Sandbox(tmp_path / "student" / "ps1", seconds=60) as box:
        for cell in notebook(keep=("setup", "q1")).cells[:2]:
            box.run(cell.source)
        assert "Correct" in box.run("print(check('q1', report))")
        assert "it should be" in box.run("print(check('q1', lambda a, b: (1.0, 2.0, 3.0)))")

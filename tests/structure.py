"""The rules that every chapter keeps, each a plain function: a notebook in, a list of complaints out.

``test_structure.py`` applies them to the book; ``test_structure_rules.py`` breaks a good notebook once for
each and sees the rule complain.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping

Notebook = Mapping  # as nbformat reads it
Rule = Callable[[Notebook], list[str]]

OPENING = ["The question", "After this chapter you can", "What it needs"]
CLOSING = ["What breaks", "Summary", "Exercises", "Notes and references"]
LONGEST_CELL = 30  # lines that are not blank
CHECKED = "nbval-check-output"

CLAIM = re.compile(r"^:{3,}\{prf:proposition\}.*\n(?::.*\n)*?:label: *(\S+)", re.MULTILINE)
EXERCISE = re.compile(r"^[:`]{3,}\{exercise(?:-start)?\} *(.*)\n(?::.*\n)*?:label: *(\S+)", re.MULTILINE)
SOLUTION = re.compile(r"^[:`]{3,}\{solution(?:-start)?\} *(\S+)", re.MULTILINE)
SECTION = re.compile(r"(?:^\((\S+)\)=\n+)?^(#+) +(.+)$", re.MULTILINE)
GLUE_USED = re.compile(r"\{glue:\w+\}`[^`<]*?<?([\w-]+)(?::[^`>]*)?>?`")
GLUE_MADE = re.compile(r"glue\(\s*[\"']([\w-]+)[\"']")


def tags(cell: Mapping) -> list[str]:
    return cell["metadata"].get("tags", [])


def code_cells(notebook: Notebook) -> Iterator[tuple[int, Mapping]]:
    return ((i, cell) for i, cell in enumerate(notebook["cells"]) if cell["cell_type"] == "code")


def prose(notebook: Notebook) -> str:
    """The Markdown of a notebook, without what stands in fenced code."""
    text = "\n\n".join(cell["source"] for cell in notebook["cells"] if cell["cell_type"] == "markdown")
    return re.sub(r"^```(?!\{).*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def sections(notebook: Notebook) -> list[tuple[str | None, int, str]]:
    """(target, level, title) of every heading; the target is None when there is none."""
    return [(m[1], len(m[2]), m[3].strip()) for m in SECTION.finditer(prose(notebook))]


def claims(notebook: Notebook) -> list[str]:
    return CLAIM.findall(prose(notebook))


def tagged(notebook: Notebook, kind: str) -> list[str]:
    """The labels of the cells tagged ``kind:<label>``."""
    found = (tag for _, cell in code_cells(notebook) for tag in tags(cell))
    return [tag.removeprefix(f"{kind}:") for tag in found if tag.startswith(f"{kind}:")]


def anatomy(notebook: Notebook) -> list[str]:
    """One title, then the sections in their order."""
    found = sections(notebook)
    titles = [title for _, level, title in found if level == 1]
    names = [title for _, level, title in found if level == 2]
    complaints = [] if len(titles) == 1 and found[0][1] == 1 else [f"it has the titles {titles}, not one, first"]
    if names[: len(OPENING)] != OPENING:
        complaints.append(f"it opens with the sections {names[: len(OPENING)]}, not {OPENING}")
    if names[-len(CLOSING) :] != CLOSING:
        complaints.append(f"it closes with the sections {names[-len(CLOSING) :]}, not {CLOSING}")
    if len(names) <= len(OPENING) + len(CLOSING):
        complaints.append("it has no section between the opening and the closing ones")
    return complaints


def body_sections_have_targets(notebook: Notebook) -> list[str]:
    """A section of the body can be linked to: ``(label)=`` stands in the line before its heading."""
    frame = {*OPENING, *CLOSING}
    return [
        f"section {title!r} has no (label)= before it"
        for target, level, title in sections(notebook)
        if level == 2 and title not in frame and not target
    ]


def begins_with_setup(notebook: Notebook) -> list[str]:
    first = next((cell for _, cell in code_cells(notebook)), None)
    if first is None or "setup" not in tags(first) or "course_lib.setup()" not in first["source"]:
        return ["its first code cell is not tagged setup, or does not call course_lib.setup()"]
    return []


def claims_are_checked(notebook: Notebook) -> list[str]:
    """Every claim has a cell that checks it, and every check a claim."""
    stated, checked = claims(notebook), tagged(notebook, "check")
    complaints = [f"claim {label} has no cell tagged check:{label}" for label in stated if label not in checked]
    complaints += [f"check:{label} checks no claim" for label in sorted(set(checked) - set(stated))]
    doubled = [label for label, count in Counter(stated).items() if count > 1]
    unlabelled = prose(notebook).count("{prf:proposition}") - len(stated)
    complaints += [f"claim {label} is made twice" for label in doubled]
    return complaints + ([f"{unlabelled} claim(s) have no label"] if unlabelled else [])


def asserts_something(source: str) -> bool:
    """Whether there is an ``assert`` of anything but a constant."""
    found = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Assert)]
    return any(not isinstance(node.test, ast.Constant) for node in found)


def checks_can_fail(notebook: Notebook) -> list[str]:
    return [
        f"cell {i} is a check without an assertion"
        for i, cell in code_cells(notebook)
        if any(tag.startswith("check:") for tag in tags(cell)) and not asserts_something(cell["source"])
    ]


def outputs_are_kept_where_checked(notebook: Notebook) -> list[str]:
    """Checked cells carry an output and a count, without which nbval passes them unseen; no others do."""
    complaints = []
    if not any(CHECKED in tags(cell) for _, cell in code_cells(notebook)):
        complaints.append(f"no cell is tagged {CHECKED}, so nothing holds its outputs in place")
    for i, cell in code_cells(notebook):
        if CHECKED in tags(cell) and not (cell["outputs"] and cell["execution_count"]):
            complaints.append(f"cell {i} is tagged {CHECKED} but has no output or no execution count")
        if CHECKED not in tags(cell) and (cell["outputs"] or cell["execution_count"]):
            complaints.append(f"cell {i} has an output or a count: run tools/strip_outputs.py")
    return complaints


def figures_are_described(notebook: Notebook) -> list[str]:
    """A figure has a name, a caption and words for those who cannot see it."""
    complaints = []
    for i, cell in code_cells(notebook):
        if "mystnb" not in cell["metadata"]:
            continue
        figure = cell["metadata"]["mystnb"].get("figure", {})
        parts = {"name": figure.get("name"), "caption": figure.get("caption")}
        parts["alt text"] = cell["metadata"]["mystnb"].get("image", {}).get("alt")
        complaints += [
            f"the figure of cell {i} has no {part}" for part, text in parts.items() if not (text or "").strip()
        ]
    return complaints


def has_figures(notebook: Notebook) -> list[str]:
    found = any("mystnb" in cell["metadata"] for _, cell in code_cells(notebook))
    return [] if found else ["it has no figure"]


def exercises(notebook: Notebook) -> list[str]:
    """At least eight, graded, each grade present, each with a solution."""
    found, solved = EXERCISE.findall(prose(notebook)), SOLUTION.findall(prose(notebook))
    complaints = [] if len(found) >= 8 else [f"it has {len(found)} exercises, not 8"]
    for title, label in found:
        if not re.match(r"\([EMH]\) \S", title):
            complaints.append(f"the title of exercise {label} does not begin with its grade, (E), (M) or (H)")
        if label not in solved:
            complaints.append(f"exercise {label} has no solution")
    grades = {title[1:2] for title, _ in found}
    complaints += [f"no exercise has the grade ({grade})" for grade in "EMH" if grade not in grades]
    labels = {label for _, label in found}
    return complaints + [f"a solution is for {label}, no exercise" for label in solved if label not in labels]


def exercise_cells_pair(notebook: Notebook) -> list[str]:
    """A stub and a solution cell come together, and belong to an exercise."""
    stubs, answers = set(tagged(notebook, "exercise")), set(tagged(notebook, "solution"))
    labels = {label for _, label in EXERCISE.findall(prose(notebook))}
    complaints = [f"exercise:{label} has no cell tagged solution:{label}" for label in sorted(stubs - answers)]
    complaints += [f"solution:{label} has no cell tagged exercise:{label}" for label in sorted(answers - stubs)]
    return complaints + [f"exercise:{label} belongs to no exercise" for label in sorted(stubs - labels)]


def code_cells_are_short(notebook: Notebook) -> list[str]:
    lengths = {i: len([s for s in c["source"].splitlines() if s.strip()]) for i, c in code_cells(notebook)}
    return [f"cell {i} has {n} lines, more than {LONGEST_CELL}" for i, n in lengths.items() if n > LONGEST_CELL]


def glued_numbers_exist(notebook: Notebook) -> list[str]:
    made = {key for _, cell in code_cells(notebook) for key in GLUE_MADE.findall(cell["source"])}
    return [
        f"{{glue}} uses {key}, which no cell makes" for key in GLUE_USED.findall(prose(notebook)) if key not in made
    ]


def labels_differ(notebook: Notebook) -> list[str]:
    """Sections, claims, exercises and figures become addresses of one page, so no two may have the same label."""
    text = prose(notebook)
    labels = [target for target, _, _ in sections(notebook) if target]
    labels += re.findall(
        r"^:label: *(\S+)", text, re.MULTILINE
    )
    figures = (cell["metadata"].get("mystnb", {}).get("figure", {}).get("name") for _, cell in code_cells(notebook))
    labels += [name for name in figures if name]
    return [f"label {label} stands {n} times" for label, n in Counter(labels).items() if n > 1]


RULES: list[Rule] = [
    anatomy,
    labels_differ,
    body_sections_have_targets,
    begins_with_setup,
    claims_are_checked,
    checks_can_fail,
    outputs_are_kept_where_checked,
    has_figures,
    figures_are_described,
    exercises,
    exercise_cells_pair,
    code_cells_are_short,
    glued_numbers_exist,
]


# Tables beside the notebooks.


def ids_are_complete(rows: Iterable[Mapping[str, str]], wanted: Iterable[str]) -> list[str]:
    counts, wanted = Counter(row["id"] for row in rows), list(wanted)
    complaints = [f"{id_} stands in {counts[id_]} rows, not in one" for id_ in wanted if counts[id_] != 1]
    return complaints + [f"{id_} is no id of the notes" for id_ in sorted(set(counts) - set(wanted))]


def links_exist(rows: Iterable[Mapping[str, str]], column: str, labels: Iterable[str]) -> list[str]:
    """Each row has a label there, or several, and each of them exists."""
    complaints, labels = [], set(labels)
    for row in rows:
        named = [part.strip() for part in row[column].split(";") if part.strip()]
        complaints += [] if named else [f"{row['id']}: its {column} is missing"]
        complaints += [f"{row['id']}: no {column} {x}" for x in named if x not in labels]
    return complaints

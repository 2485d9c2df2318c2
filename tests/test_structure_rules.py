"""Each rule of structure.py, seen to complain: a small good chapter is broken in one way at a time."""

from __future__ import annotations

import copy

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tests import structure


def code(source, *tags, **metadata):
    return new_code_cell(source, metadata={"tags": list(tags), **metadata})


def good_chapter():
    """A chapter in miniature that keeps every rule."""
    checked = code("print(2)\nassert 1 + 1 == 2", "check:xx-sum", "nbval-check-output")
    checked.outputs, checked.execution_count = [new_output("stream", name="stdout", text="2\n")], 2
    figure = {"figure": {"name": "xx-fig", "caption": "A line."}, "image": {"alt": "A line that rises."}}
    cells = [
        new_markdown_cell("# Title\n\n## The question\n\nWhy?"),
        new_markdown_cell("## After this chapter you can\n\nadd"),
        new_markdown_cell("## What it needs\n\nNothing."),
        code("import course_lib\n\ncourse_lib.setup()", "setup"),
        new_markdown_cell("(xx-body)=\n## The body\n\n:::{prf:proposition} Sums\n:label: xx-sum\nTwo.\n:::"),
        checked,
        code("glue('xx-two', 2)"),
        new_markdown_cell("Two is {glue:text}`xx-two:.1f`."),
        code("draw()", mystnb=figure),
        new_markdown_cell("## What breaks\n\nAll."),
        new_markdown_cell("## Summary\n\nDone.\n\n## Exercises"),
    ]
    for number, grade in enumerate("EEEMMMHH"):
        text = f":::{{exercise}} ({grade}) Title\n:label: xx-ex-{number}\nDo it.\n:::"
        cells.append(new_markdown_cell(text))
        if number == 0:
            cells.append(code("def f(): raise NotImplementedError", "exercise:xx-ex-0"))
        cells.append(new_markdown_cell(f":::{{solution}} xx-ex-{number}\n:class: dropdown\nSo.\n:::"))
        if number == 0:
            cells.append(code("def f(): return 1", "solution:xx-ex-0"))
    cells.append(new_markdown_cell("## Notes and references\n\nNone."))
    return new_notebook(cells=cells)


def edit(old, new):
    """Replace a text wherever it stands in the cells, in source and tags."""

    def apply(notebook):
        for cell in notebook.cells:
            cell.source = cell.source.replace(old, new)
            cell.metadata["tags"] = [tag.replace(old, new) for tag in cell.metadata.get("tags", [])]

    return apply


def cell_tagged(notebook, tag):
    return next(cell for cell in notebook.cells if tag in cell.metadata.get("tags", []))


def strip_the_checked_cell(notebook):
    cell_tagged(notebook, "nbval-check-output").outputs = []


def lose_the_count(notebook):
    cell_tagged(notebook, "nbval-check-output").execution_count = None


def keep_an_output(notebook):
    cell_tagged(notebook, "setup").outputs = [new_output("stream", name="stdout", text="0\n")]


def figure_without(part):
    def apply(notebook):
        figure = next(cell for cell in notebook.cells if "mystnb" in cell.metadata)
        figure.metadata["mystnb"]["figure"].pop(part, None)
        figure.metadata["mystnb"]["image"].pop(part, None)

    return apply


def without_figure(notebook):
    notebook.cells = [cell for cell in notebook.cells if "mystnb" not in cell.metadata]


def untag(tag):
    def apply(notebook):
        cell_tagged(notebook, tag).metadata["tags"].remove(tag)

    return apply


def second_title(notebook):
    notebook.cells.append(new_markdown_cell("# Another title"))


def long_cell(notebook):
    notebook.cells.insert(4, code("\n".join(f"x = {i}" for i in range(31))))


BREAKS = [
    ("anatomy", edit("## The question", "## Question")),
    ("anatomy", edit("## Summary", "## In short")),
    ("anatomy", edit("## What it needs", "## After")),
    ("anatomy", second_title),
    ("anatomy", edit("(xx-body)=\n## The body", "")),
    ("body_sections_have_targets", edit("(xx-body)=\n", "")),
    ("labels_differ", edit("(xx-body)=", "(xx-ex-3)=")),
    ("begins_with_setup", untag("setup")),
    ("begins_with_setup", edit("course_lib.setup()", "pass")),
    ("claims_are_checked", untag("check:xx-sum")),
    ("claims_are_checked", edit(":label: xx-sum\n", "")),
    ("claims_are_checked", edit(":label: xx-sum", ":label: xx-other")),
    ("checks_can_fail", edit("assert 1 + 1 == 2", "1 + 1 == 2")),
    ("outputs_are_kept_where_checked", strip_the_checked_cell),
    ("outputs_are_kept_where_checked", lose_the_count),
    ("outputs_are_kept_where_checked", keep_an_output),
    ("has_figures", without_figure),
    ("figures_are_described", figure_without("name")),
    ("figures_are_described", figure_without("caption")),
    ("figures_are_described", figure_without("alt")),
    ("exercises", edit(":label: xx-ex-7", ":label: xx-ex-8")),
    ("exercises", edit("(H) Title", "(M) Title")),
    ("exercises", edit("(H) Title", "Title")),
    ("exercises", edit("{solution} xx-ex-3", "{note} xx-ex-3")),
    ("exercises", edit("{exercise} (E)", "{note} (E)")),
    ("exercise_cells_pair", untag("solution:xx-ex-0")),
    ("exercise_cells_pair", untag("exercise:xx-ex-0")),
    ("exercise_cells_pair", edit(":label: xx-ex-0", ":label: xx-ex-9")),
    ("code_cells_are_short", long_cell),
    ("glued_numbers_exist", edit("glue('xx-two'", "glue('xx-three'")),
]


@pytest.mark.parametrize("rule", structure.RULES, ids=lambda rule: rule.__name__)
def test_a_good_chapter_passes(rule):
    assert rule(good_chapter()) == []


@pytest.mark.parametrize(("name", "breaks"), BREAKS)
def test_a_broken_chapter_is_noticed(name, breaks):
    notebook = copy.deepcopy(good_chapter())
    breaks(notebook)
    assert getattr(structure, name)(notebook)


def test_every_rule_has_been_broken():
    assert {rule.__name__ for rule in structure.RULES} == {name for name, _ in BREAKS}


ROW = {"id": "S001", "chapter": "1", "section": "xx-body", "claim": ""}


def test_ids_are_complete():
    assert not structure.ids_are_complete([ROW], ["S001"])
    assert structure.ids_are_complete([], ["S001"])
    assert structure.ids_are_complete([ROW, ROW], ["S001"])
    assert structure.ids_are_complete([ROW], [])


@pytest.mark.parametrize(
    ("section", "good"),
    [
        ("xx-body", True),
        ("xx-body; yy-body", True),
        ("xx-gone", False),
        ("xx-body; xx-gone", False),
        ("", False),
    ],
)
def test_links_exist(section, good):
    row = {**ROW, "section": section}
    complaints = structure.links_exist([row], "section", ["xx-body", "yy-body"])
    assert (not complaints) == good

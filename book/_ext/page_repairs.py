"""Repairs of what other extensions put on every page."""

from __future__ import annotations

import re

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx_exercise.nodes import exercise_enumerable_node

THEBE_HOOKS = {"init_thebe_core", "update_thebe_context"}
SHARED_IDS = {"proof-content", "exercise-content", "solution-content"}


def disconnect_thebe(app: Sphinx) -> None:
    """Keep sphinx-thebe's scripts off the pages: unused here, they log two errors on each of them."""
    for listeners in app.events.listeners.values():
        for listener in list(listeners):
            if getattr(listener.handler, "__name__", "") in THEBE_HOOKS:
                listeners.remove(listener)


def repair_roles(app: Sphinx, page: str, template: str, context: dict, doctree) -> None:
    """Call an entry of a reference list a list item; ``doc-biblioentry`` was withdrawn from DPUB-ARIA."""
    if "body" in context:
        context["body"] = context["body"].replace('role="doc-biblioentry"', 'role="listitem"')


def repair_ids(app: Sphinx, doctree: nodes.document) -> None:
    """Number the ids that sphinx-proof and sphinx-exercise give to every box on a page alike."""
    boxes = (section for section in doctree.findall(nodes.section) if SHARED_IDS.intersection(section["ids"]))
    for number, section in enumerate(boxes, 1):
        section["ids"] = [f"{section['ids'][0]}-{number}"]


def keep_percentages_whole(app: Sphinx, doctree: nodes.document) -> None:
    """Break no line between a number, written or glued, and its per cent sign."""
    for text in list(doctree.findall(nodes.Text)):
        if not isinstance(text.parent, nodes.literal | nodes.math | nodes.FixedTextElement):
            text.parent.replace(text, nodes.Text(re.sub(r"((?<=\d)|^) %", "\N{NO-BREAK SPACE}%", text)))


class RepairExerciseTitles(SphinxPostTransform):
    """``Exercise 1.1 ((E) Title)`` becomes ``Exercise 1.1 (E) Title``: the grade has parentheses already."""

    default_priority = 30  # after sphinx-exercise has put its own in

    def run(self, **kwargs) -> None:
        for exercise in self.document.findall(exercise_enumerable_node):
            title = exercise[0]
            if title.astext().startswith(" (("):
                title[0], title[-1] = nodes.Text(" "), nodes.Text("")


def setup(app: Sphinx) -> dict:
    app.connect("builder-inited", disconnect_thebe)
    app.connect("doctree-read", repair_ids)
    app.connect("doctree-read", keep_percentages_whole)
    app.connect("html-page-context", repair_roles)
    app.add_post_transform(RepairExerciseTitles)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}

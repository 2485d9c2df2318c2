"""``{coverage-table}`` and ``{errata-table}``: the tables of book/coverage.csv and book/errata.csv.

The text columns hold inline Markdown. A column of links holds labels, separated by ";".
"""

from __future__ import annotations

import csv
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from tables import reference_to, table


class CsvTable(SphinxDirective):
    """What the two tables share: the file beside the page, and how a cell becomes nodes."""

    file: str

    def rows(self) -> list[dict[str, str]]:
        path = Path(self.env.doc2path(self.env.docname)).parent / self.file
        self.env.note_dependency(str(path))
        with path.open(encoding="utf-8", newline="") as handle:
            return list(csv.DictReader(handle))

    def text(self, markdown: str) -> list[nodes.Node]:
        return self.state.inline_text(markdown, self.lineno)[0]

    def links(self, labels: str, domain: str) -> list[nodes.Node]:
        """A reference to each label: ``std`` for a section, ``prf`` for a claim."""
        if not labels.strip():
            return []
        parts: list[nodes.Node] = []
        for label in (part.strip() for part in labels.split(";")):
            target = reference_to(label, domain, self.env.docname)
            parts += [nodes.Text("; "), target] if parts else [target]
        return parts


class CoverageTable(CsvTable):
    """Each item of the lecture notes, with the section that teaches it."""

    file = "coverage.csv"

    def run(self) -> list[nodes.Node]:
        cells = [
            (
                [nodes.target("", "", ids=[row["id"].lower()]), nodes.Text(row["id"])],
                self.text(row["type"]),
                self.text(row["item"]),
                self.text(row["chapter"]),
                self.links(row["section"], "std"),
                self.links(row["claim"], "prf"),
            )
            for row in self.rows()
        ]
        head = ["Id", "Type", "Item", "Chapter", "Taught in", "Claim"]
        return [table(head, cells, [6, 6, 44, 8, 20, 16], "coverage-table")]


class ErrataTable(CsvTable):
    """Each slip of the lecture notes, with the correct version and the claim that proves it."""

    file = "errata.csv"

    def run(self) -> list[nodes.Node]:
        cells = [
            (
                [nodes.target("", "", ids=[row["id"].lower()]), nodes.Text(row["id"])],
                self.text(row["written"]),
                self.text(row["correct"]),
                self.text(row["chapter"]),
                self.links(row["claim"], "prf"),
            )
            for row in self.rows()
        ]
        head = ["Id", "As written", "Correct", "Chapter", "Claim"]
        return [table(head, cells, [6, 34, 34, 8, 18], "errata-table")]


def setup(app: Sphinx) -> dict:
    app.add_directive("coverage-table", CoverageTable)
    app.add_directive("errata-table", ErrataTable)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}

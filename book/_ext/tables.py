"""Docutils nodes that the book's own directives share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from docutils import nodes
from sphinx import addnodes

Cell = Sequence[nodes.Node]


def reference_to(label: str, domain: str, docname: str) -> addnodes.pending_xref:
    """A reference to a section (domain ``std``) or a claim (``prf``), which Sphinx resolves and names."""
    return addnodes.pending_xref(
        "",
        nodes.inline(label, label),
        refdomain=domain,
        reftype="ref",
        reftarget=label,
        refexplicit=False,
        refwarn=True,
        refdoc=docname,
    )


def table(
    head: Sequence[str], rows: Iterable[Sequence[Cell]], widths: Sequence[int], name: str
) -> nodes.table:
    """The table; ``widths`` are in per cent, ``name`` becomes its CSS class."""

    def row(cells: Iterable[Cell]) -> nodes.row:
        entries = (nodes.entry("", nodes.paragraph("", "", *cell)) for cell in cells)
        return nodes.row("", *entries)

    group = nodes.tgroup(cols=len(head))
    group += [nodes.colspec(colwidth=width) for width in widths]
    group += nodes.thead("", row([nodes.Text(text)] for text in head))
    group += nodes.tbody("", *(row(cells) for cells in rows))
    return nodes.table("", group, classes=["wide", name])

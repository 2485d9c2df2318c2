"""``{claims-ledger}``: a table of every claim in the notebooks with the cells that check it.

A claim is a labelled ``prf:proposition``; a check is a code cell tagged ``check:<label>``. Both are collected
while the notebooks are read, each gets a link to the other, and the page with the table is written last.
"""

from __future__ import annotations

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import make_refnode
from sphinx_proof.nodes import proposition_node
from tables import reference_to, table

CHECK_CLASS = "tag_check:"  # what MyST-NB makes of the tag "check:<label>"


class claims_ledger(nodes.General, nodes.Element):
    """Where the table goes once every notebook has been read."""


class ClaimsLedger(SphinxDirective):
    """The directive; it takes no argument."""

    def run(self) -> list[nodes.Node]:
        self.env.ledger_pages.add(self.env.docname)
        return [claims_ledger()]


def prepare(app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
    for name, empty in (("claims", {}), ("checks", {}), ("ledger_pages", set())):
        if not hasattr(env, name):
            setattr(env, name, empty)


def forget(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    prepare(app, env, [])
    env.claims.pop(docname, None)
    env.checks.pop(docname, None)
    env.ledger_pages.discard(docname)


def line(css_class: str, *content: nodes.Node) -> nodes.paragraph:
    return nodes.paragraph("", "", *content, classes=[css_class])


def collect(app: Sphinx, doctree: nodes.document) -> None:
    """Note a page's claims and checks, and link each claim with its checks."""
    docname = app.env.docname
    checks: dict[str, list[str]] = {}
    for cell in doctree.findall(nodes.container):
        for name in cell["classes"]:
            if name.startswith(CHECK_CLASS):
                label = name.removeprefix(CHECK_CLASS)
                anchors = checks.setdefault(label, [])
                anchors.append(f"check-{label}" + (f"-{len(anchors) + 1}" if anchors else ""))
                cell["ids"].append(anchors[-1])
                cell.insert(0, line("check-of", nodes.Text("Check of "), reference_to(label, "prf", docname)))
    claims = {}
    for node in doctree.findall(proposition_node):
        claims[node["label"]] = title_of(node)
        anchors = checks.get(node["label"], [])
        for number, anchor in enumerate(anchors, 1):
            which = "this cell" if len(anchors) == 1 else f"cell {number}"
            link = nodes.reference("", f"Checked by {which}", refid=anchor, internal=True)
            node += line("checked-by", link)
    app.env.claims[docname], app.env.checks[docname] = claims, checks


def title_of(proposition: nodes.Element) -> list[nodes.Node]:
    """The proposition's title without the parentheses that sphinx-proof puts around it."""
    parts = [part.deepcopy() for part in proposition[0].children]
    if isinstance(parts[0], nodes.Text) and isinstance(parts[-1], nodes.Text):
        parts[0] = nodes.Text(parts[0].removeprefix(" ("))
        parts[-1] = nodes.Text(parts[-1].removesuffix(")"))
    return parts


def rewrite(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Write the ledger's page on every build: any notebook may have changed it."""
    for page in env.ledger_pages:
        env.get_domain("math").data["has_equations"][page] = True  # titles may hold formulas
    return sorted(env.ledger_pages)


class FillLedger(SphinxPostTransform):
    """Replace the placeholder by the table, chapters in the order of the book."""

    default_priority = 5  # before references are resolved

    def run(self, **kwargs) -> None:
        for placeholder in list(self.document.findall(claims_ledger)):
            rows = [row for docname in self.in_order() for row in self.rows(docname)]
            head = ["Claim", "Chapter", "Checked by"]
            placeholder.replace_self(table(head, rows, [50, 20, 30], "claims-ledger"))

    def in_order(self) -> list[str]:
        relations = self.env.collect_relations()
        return [docname for docname in relations if self.env.claims.get(docname)]

    def rows(self, docname: str):
        here = self.env.docname
        for label, title in self.env.claims[docname].items():
            number = ".".join(map(str, self.env.toc_fignumbers[docname]["proposition"][label]))
            words = nodes.inline("", f"{number} ", *(part.deepcopy() for part in title))
            claim = make_refnode(self.app.builder, here, docname, label, words)
            chapter = nodes.inline("", self.chapter(docname))
            chapter = make_refnode(self.app.builder, here, docname, "", chapter)
            links = []
            for anchor in self.env.checks.get(docname, {}).get(label, []):
                cell = nodes.literal("", anchor.replace("check-", "check:", 1))
                links += [nodes.Text(" "), make_refnode(self.app.builder, here, docname, anchor, cell)]
            yield [claim], [chapter], links[1:] or [nodes.Text("nothing")]

    def chapter(self, docname: str) -> str:
        number = ".".join(map(str, self.env.toc_secnumbers.get(docname, {}).get("", ())))
        return f"{number} {self.env.titles[docname].astext()}".strip()


def setup(app: Sphinx) -> dict:
    app.add_node(claims_ledger)
    app.add_directive("claims-ledger", ClaimsLedger)
    app.add_post_transform(FillLedger)
    app.connect("env-before-read-docs", prepare)
    app.connect("env-purge-doc", forget)
    app.connect("doctree-read", collect)
    app.connect("env-updated", rewrite)
    return {"version": "1", "parallel_read_safe": False, "parallel_write_safe": True}

"""Strip the notebooks of their outputs, sparing the cells that nbval checks.

    python tools/strip_outputs.py notebooks/*.ipynb

nbstripout alone cannot do this: it keeps execution counts in all cells or in none. Exits 1 when a file
changed, as a pre-commit hook does.
"""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat
from nbstripout import strip_output

KEPT = "nbval-check-output"
EXTRA_KEYS = ["metadata.language_info.version", "metadata.widgets", "cell.metadata.execution"]


def strip(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The notebook with outputs and counts in the cells tagged ``nbval-check-output`` only."""
    checked = {i: cell for i, cell in enumerate(notebook.cells) if KEPT in cell.metadata.get("tags", [])}
    kept = {i: (cell.outputs, cell.execution_count) for i, cell in checked.items()}
    strip_output(notebook, keep_output=False, keep_count=False, keep_id=True, extra_keys=EXTRA_KEYS)
    for number, (outputs, count) in kept.items():
        notebook.cells[number].update(outputs=outputs, execution_count=count)
    return notebook


def main(names: list[str]) -> int:
    changed = False
    for path in map(Path, names):
        before = path.read_text(encoding="utf-8")
        after = nbformat.writes(strip(nbformat.reads(before, as_version=4))) + "\n"
        if after.rstrip() != before.rstrip():
            path.write_text(after, encoding="utf-8")
            print(f"stripped {path}")
            changed = True
    return int(changed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

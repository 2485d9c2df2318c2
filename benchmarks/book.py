"""The book: how long a chapter runs, and how long a build takes after one sentence was changed."""

import subprocess
import sys
import time
from pathlib import Path

import nbformat
from jupyter_cache import get_cache

ROOT = Path(__file__).parents[1]
CHAPTERS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def bound(chapter: str) -> int:
    """Seconds that a chapter may take, by its file's stem: 60 for the first two, 300 for the last, 90 else."""
    return {"01": 60, "02": 60, "15": 300}.get(chapter[:2], 90)


def build() -> float:
    """Seconds for one run of tools/build_book.py."""
    start = time.perf_counter()
    subprocess.run([sys.executable, str(ROOT / "tools" / "build_book.py")], check=True, capture_output=True)
    return time.perf_counter() - start


def after_one_sentence() -> float:
    """Seconds for a build after a sentence was added to a Markdown cell; the notebook is put back afterwards."""
    path = CHAPTERS[-1]
    before = path.read_bytes()
    notebook = nbformat.reads(before.decode("utf-8"), as_version=4)
    next(c for c in notebook.cells if c.cell_type == "markdown" and len(c.source) > 200).source += " One sentence more."
    try:
        nbformat.write(notebook, path)
        return build()
    finally:
        path.write_bytes(before)
        build()


def run() -> list[dict]:
    """Seconds that each chapter took when it was last executed, and of the build after an edit."""
    build()
    cache = get_cache(str(ROOT / "_build" / ".jupyter_cache"))
    rows = []
    for path in CHAPTERS:
        record = cache.match_cache_notebook(nbformat.read(path, as_version=4))
        rows.append({"chapter": path.stem, "runs, s": round(record.data["execution_seconds"], 1)})
    return [*rows, {"build after one sentence was changed, s": round(after_one_sentence(), 1)}]

"""Build the book: execute what has changed, two notebooks at a time, then write the pages.

    python tools/build_book.py

Executed notebooks are kept in ``_build/.jupyter_cache`` and found again by their code, so that editing
prose executes nothing. The cache is thrown away when something changes that it cannot see: course_lib with
its data, the lock, or one of the environment variables that the notebooks read. A notebook that fails, or
writes to stderr, or a warning from Sphinx, fails the build.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import nbformat
import yaml
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from jupyter_cache.executors.utils import single_nb_execution
from kernels import anchor_data_folder, private_sockets
from traitlets.config import Config

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "_build"
CACHE = BUILD / ".jupyter_cache"
CELL_TIMEOUT = 120  # seconds
ENVIRONMENT = ("COURSE_LIB_SEED", "COURSE_LIB_THREADS", "COURSE_LIB_DATA")


def contents() -> list[str]:
    """The pages named in the table of contents, in its order."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    return [toc["root"], *(chapter["file"] for part in toc["parts"] for chapter in part["chapters"])]


def chapters() -> list[Path]:
    """The pages that are notebooks."""
    return [path for name in contents() if (path := ROOT / f"{name}.ipynb").exists()]


def cache_key() -> str:
    """A hash of everything outside a notebook that its outputs depend on."""
    digest = hashlib.sha256(sys.version.encode())
    package = (p for p in (ROOT / "course_lib").rglob("*") if p.is_file() and "__pycache__" not in p.parts)
    for path in [*sorted(package), ROOT / "requirements.txt"]:
        digest.update(f"\0{path.relative_to(ROOT).as_posix()}\0".encode() + path.read_bytes())
    for name in ENVIRONMENT:
        digest.update(f"\0{name}={os.environ.get(name)}".encode())
    return digest.hexdigest()


def open_cache():
    """The cache, emptied first when it was made from something else."""
    stamp, key = CACHE / "made_from.txt", cache_key()
    if CACHE.exists() and not (stamp.exists() and stamp.read_text() == key):
        print("course_lib, the lock or the settings have changed: every notebook is executed again")
        shutil.rmtree(CACHE)
    CACHE.mkdir(parents=True, exist_ok=True)
    stamp.write_text(key)
    return get_cache(str(CACHE))


def is_cached(cache, path: Path) -> bool:
    try:
        cache.match_cache_notebook(nbformat.read(path, as_version=4))
    except KeyError:
        return False
    return True


def without_colours(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def failure(notebook: nbformat.NotebookNode) -> str:
    """The first cell that raised or wrote to stderr, and what it said; empty when there is none."""
    for number, cell in enumerate(notebook.cells):
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                lines = without_colours("\n".join(output.traceback)).splitlines()
                if len(lines) > 60:  # a recursion, or the inside of a library
                    lines[20:-40] = ["...", ""]
                traceback = "\n".join(lines)
                return f"cell {number} raised {output.ename}:\n{cell.source}\n\n{traceback}"
            if output.get("name") == "stderr":
                return f"cell {number} wrote to stderr:\n{cell.source}\n\n{output.text}"
    return ""


def execute(path: Path) -> tuple[float, str]:
    """Execute one notebook in memory and put it into the cache: seconds, and what went wrong."""
    notebook = nbformat.read(path, as_version=4)
    try:
        result = single_nb_execution(
            notebook,
            cwd=str(path.parent),
            timeout=CELL_TIMEOUT,
            allow_errors=False,
            config=Config(KernelManager=private_sockets()),
        )
    except Exception as error:  # the kernel died, or did not start
        return 0.0, f"{type(error).__name__}: {error}"
    problem = failure(notebook) or (str(result.err) if result.err else "")
    if not problem:
        bundle = CacheBundleIn(notebook, str(path), data={"execution_seconds": result.time})
        get_cache(str(CACHE)).cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
    return result.time, problem


def execute_changed() -> bool:
    """Execute the notebooks that are not in the cache; True when all went well."""
    cache = open_cache()
    changed = [path for path in chapters() if not is_cached(cache, path)]
    if not changed:
        return True
    print(f"executing {', '.join(path.stem for path in changed)}", flush=True)
    os.environ["OMP_NUM_THREADS"] = "1"  # two processes on two cores
    succeeded = True
    with ProcessPoolExecutor(max_workers=2) as pool:
        for path, (seconds, problem) in zip(changed, pool.map(execute, changed), strict=True):
            print(f"  {path.stem:<32} {seconds:5.1f} s   {'FAILED' if problem else 'ok'}", flush=True)
            # Sphinx looks at the source alone and would keep the page with the old outputs
            (BUILD / ".doctrees" / path.relative_to(ROOT)).with_suffix(".doctree").unlink(missing_ok=True)
            if problem:
                print(f"\n{path.relative_to(ROOT)}, {problem}\n")
                succeeded = False
    return succeeded


# Jupyter Book's own has no icon, so a browser asks the server for one that is not there.
DOOR = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Sequence Models from Counts to Transformers</title>
<link rel="icon" href="_static/favicon.svg"><meta http-equiv="refresh" content="0; url={page}"></head>
<body><a href="{page}">Sequence Models from Counts to Transformers</a></body>
</html>
"""


def readable(log: str) -> str:
    """Sphinx's messages without colours, and with a cell's number where MyST-NB has 10000 lines a cell."""
    plain = without_colours(log).replace(f"{ROOT}{os.sep}", "")
    return re.sub(r"\.ipynb:(\d+)(\d{4}):", lambda m: f".ipynb, cell {int(m[1]) - 1}, line {int(m[2])}:", plain)


def write_pages() -> bool:
    """Run Sphinx, a warning being an error; True when all went well."""
    jupyter_book = shutil.which("jupyter-book", path=str(Path(sys.executable).parent))
    command = [jupyter_book, "build", ".", "-W", "-n", "--keep-going", "-q"]
    result = subprocess.run(
        command,
        cwd=ROOT,
        encoding="utf-8",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if result.returncode:
        print(readable(result.stdout))
        shutil.rmtree(BUILD / ".doctrees", ignore_errors=True)  # or the next build would not warn again
        return False
    # an incremental build may leave the static files as they were, and pages that are no longer part of it
    html = BUILD / "html"
    shutil.copytree(ROOT / "book" / "_static", html / "_static", dirs_exist_ok=True)
    (html / "index.html").write_text(DOOR.format(page=f"{contents()[0]}.html"), encoding="utf-8")
    current = {html / f"{name}.html" for name in [*contents(), "index", "search"]}
    for page in set(html.glob("*.html")) | set(html.glob("[!_]*/*.html")):
        if page not in current:
            page.unlink()
    return True


def main() -> int:
    start = time.perf_counter()
    anchor_data_folder()
    if not execute_changed():
        print("The book was not built: a notebook failed.")
        return 1
    print("writing the pages", flush=True)
    if not write_pages():
        print("The book was not built: see the warnings above.")
        return 1
    print(f"The book is in _build/html/index.html ({time.perf_counter() - start:.0f} s)")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Run the notebooks with several seeds and thread counts, and say which claims hold.

    python tools/claims.py --chapter 2 --seeds 0-9 --threads 1,2

Every cell is run, whatever the cells before it did, so that one failure does not hide another. A claim is red
when a cell tagged ``check:<label>`` raises; any other cell that raises is reported as well. Committed outputs
are not compared: they belong to seed 0.
"""

from __future__ import annotations

import argparse
import itertools
import os
import re
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

import nbformat
from kernels import anchor_data_folder, private_sockets
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from traitlets.config import Config

ROOT = Path(__file__).resolve().parent.parent
CELL_TIMEOUT = 300  # seconds


class Run(NamedTuple):
    notebook: Path
    seed: int
    threads: int


class Failure(NamedTuple):
    cell: int
    claims: list[str]
    error: str


def numbers(text: str) -> list[int]:
    """``"0-3,7"`` -> [0, 1, 2, 3, 7]."""
    if not re.fullmatch(r"\d+(-\d+)?(,\d+(-\d+)?)*", text):
        raise SystemExit(f"{text!r} is not a list of numbers such as 0-4 or 1,2")
    found = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found


def notebooks(chapter: str) -> list[Path]:
    """All notebooks, or the one of a chapter."""
    paths = sorted((ROOT / "notebooks").glob("*.ipynb"))
    if chapter:
        paths = [path for path in paths if path.stem.split("_")[0] == f"{int(chapter):02d}"]
    if not paths:
        raise SystemExit(f"no notebook for chapter {chapter or '1 to 15'} in notebooks/")
    return paths


def claims_of(cell) -> list[str]:
    tags = cell.metadata.get("tags", [])
    return [tag.removeprefix("check:") for tag in tags if tag.startswith("check:")]


def describe(error) -> str:
    """The exception, and the line of the cell that raised it."""
    traceback = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(error.traceback))
    lines = re.findall(r"^-+> *\d+ (.*)", traceback, flags=re.MULTILINE)
    where = f"    {lines[0].strip()}\n" if lines else ""
    return f"{where}    {error.ename}: {error.evalue}"


def execute(run: Run) -> list[Failure]:
    """Run one notebook in a fresh kernel; one entry for each cell that did not get through."""
    os.environ.update(
        COURSE_LIB_SEED=str(run.seed),
        COURSE_LIB_THREADS=str(run.threads),
        OMP_NUM_THREADS=str(run.threads),
        OMP_WAIT_POLICY="passive",  # two runs share the cores: a thread that waits must not spin on one
    )
    notebook = nbformat.read(run.notebook, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT,
        allow_errors=True,
        resources={"metadata": {"path": str(run.notebook.parent)}},
        config=Config(KernelManager=private_sockets()),
    )
    stopped = ""
    try:
        client.execute()
    except (CellTimeoutError, DeadKernelError) as error:
        stopped = f"    {type(error).__name__}: the notebook stopped here or before"
    failures = []
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type != "code" or not cell.source.strip():
            continue
        errors = [output for output in cell.outputs if output.output_type == "error"]
        if errors:
            failures.append(Failure(number, claims_of(cell), describe(errors[0])))
        elif stopped and cell.execution_count is None:
            failures.append(Failure(number, claims_of(cell), stopped))
    return failures


def print_table(claims: list[str], runs: list[Run], red: dict[tuple[str, int, int], bool]) -> None:
    """One line for each claim, one column for each seed, a block of columns for each number of threads."""
    width = max(map(len, [*claims, "threads"]))
    seeds = sorted({run.seed for run in runs})
    blocks = sorted({run.threads for run in runs})
    columns = max(6 * len(seeds), 10)
    head = "".join(f"{seed:>6}" for seed in seeds)
    print("threads".ljust(width) + "".join(f"  |{count:>{columns}}" for count in blocks))
    print("seed".ljust(width) + f"  |{head:>{columns}}" * len(blocks))
    for claim in claims:
        marks = ["".join("   RED" if red[claim, s, t] else "    ok" for s in seeds) for t in blocks]
        print(claim.ljust(width) + "".join(f"  |{mark:>{columns}}" for mark in marks))


def main() -> int:
    anchor_data_folder()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--chapter", default="", help="one chapter's number; all when empty")
    parser.add_argument("--seeds", default="0-4", help="such as 0-4 or 0,3,7")
    parser.add_argument("--threads", default="1,2", help="such as 1,2")
    options = parser.parse_args()
    paths, seeds, threads = notebooks(options.chapter), numbers(options.seeds), numbers(options.threads)
    runs = [Run(path, seed, count) for count, seed, path in itertools.product(threads, seeds, paths)]
    owners = {
        claim: path for path in paths for cell in nbformat.read(path, as_version=4).cells for claim in claims_of(cell)
    }
    print(f"{len(owners)} claims, {len(runs)} runs of {len(paths)} notebook(s), two at a time", flush=True)
    red = dict.fromkeys(itertools.product(owners, seeds, threads), False)
    messages = []
    with ProcessPoolExecutor(max_workers=2) as pool:
        for run, failures in zip(runs, pool.map(execute, runs), strict=True):
            name = f"{run.notebook.stem}, seed {run.seed}, threads {run.threads}"
            print(f"  {name}: {f'{len(failures)} cell(s) failed' if failures else 'ok'}", flush=True)
            for failure in failures:
                what = f"check of {', '.join(failure.claims)}" if failure.claims else "not a check"
                messages.append(f"{name}: cell {failure.cell} ({what})\n{failure.error}")
                red.update({(claim, run.seed, run.threads): True for claim in failure.claims})
    print()
    print_table(list(owners), runs, red)
    for message in messages:
        print(f"\n{message}")
    print(f"\n{'FAILED' if messages else 'Every claim holds in every run.'}")
    return int(bool(messages))


if __name__ == "__main__":
    sys.exit(main())

"""Run a student's cells in a process of their own, with limits of time, memory and output.

What this protects is the grading: code that fails, exits, prints without end, sleeps, loops, swallows interrupts or
asks for more memory than there is costs its own points and nothing else. It is not a wall against malice: the code
runs as the same user, and could read and write what that user may. The instructor's guide gives the command for a
container, which is a wall.
"""

from __future__ import annotations

import json
import os
import pickle
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from assignments.grading.handout.course_check import restored

WORKER = Path(__file__).with_name("worker.py")
MEMORY = 6 * 2**30  # bytes of addresses; importing PyTorch takes two of these six
OUTPUT = 20_000  # characters of what a cell prints that are kept
REPLY = 64 * 2**20  # bytes of an answer


class Died(RuntimeError):
    """The process has ended, or had to be ended; says why."""


class StudentError(Exception):
    """The student's code raised something: its name and words."""


class Sandbox:
    """A process with a working folder of its own, in which cells are run and their functions called.

    Use it in a ``with`` block. After :class:`Died` it is over; make a new one.
    """

    def __init__(self, files: Path | None = None, seconds: float = 15.0, memory: int = MEMORY):
        self.seconds = seconds
        self.folder = Path(tempfile.mkdtemp(prefix="cell-"))
        if files is not None:
            shutil.copytree(files, self.folder, dirs_exist_ok=True)
        self.printed = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the sandbox)
        read, write = os.pipe()
        keep = {k: v for k, v in os.environ.items() if not k.startswith("COURSE_")}
        one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        self.process = subprocess.Popen(
            [sys.executable, str(WORKER), str(write), str(memory)],
            stdin=subprocess.PIPE, stdout=self.printed, stderr=subprocess.STDOUT, pass_fds=[write],
            cwd=self.folder, start_new_session=True, env=keep | one | {"HOME": str(self.folder), "MPLBACKEND": "Agg"},
        )  # fmt: skip
        os.close(write)
        self.replies, self.pending, self.start = read, b"", 0

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def run(self, source: str) -> str:
        """Execute a cell and return what it printed, cut to a bearable length.

        Errors: StudentError for what the cell raises; Died when it ends its process or outlasts its time.
        """
        self.start = os.fstat(self.printed.fileno()).st_size
        self._ask(("run", source))
        return self.output()

    def output(self) -> str:
        """What was printed since the last cell began."""
        text = os.pread(self.printed.fileno(), 4 * OUTPUT, self.start).decode(errors="replace")
        return text if len(text) <= OUTPUT else text[:OUTPUT] + "\n... and more"

    def call(self, name: str, *arguments: Any) -> Any:
        """The value of a function: floats, strings, None, arrays of floats, lists and dictionaries of these.

        Errors: as :meth:`run`.
        """
        return restored(self._ask(("call", name, arguments)))

    def close(self) -> None:
        """End the process with all its children, and remove its folder."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process.stdin.close()
        self.printed.close()
        if self.replies is not None:
            os.close(self.replies)
            self.replies = None
        shutil.rmtree(self.folder, ignore_errors=True)

    def _ask(self, request: tuple) -> Any:
        try:
            pickle.dump(request, self.process.stdin)
            self.process.stdin.flush()
        except (BrokenPipeError, OSError):
            raise Died("it had ended its process") from None
        reply = json.loads(self._line())
        if "error" in reply:
            if reply["error"] == "NotImplementedError":
                raise NotImplementedError
            raise StudentError(f"{reply['error']}: {reply['words']}".rstrip(": "))
        return reply["ok"]

    def _line(self) -> bytes:
        end = time.monotonic() + self.seconds
        while b"\n" not in self.pending:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.replies], [], [], left)[0]:
                raise Died(f"it took more than {self.seconds:g} seconds")
            data = os.read(self.replies, 2**20)
            if not data:
                raise Died("it ended its process")
            self.pending += data
            if len(self.pending) > REPLY:
                raise Died("its answer has no end")
        line, _, self.pending = self.pending.partition(b"\n")
        return line

"""How the tools and the tests reach the kernels they start."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from uuid import uuid4


def private_sockets() -> dict[str, str]:
    """Settings for a new ``KernelManager``, to be made for each kernel.

    Two kernels that start at the same moment may pick the same TCP ports, and then one of them dies. Files
    with names of their own cannot clash. Windows has TCP alone.
    """
    if os.name != "posix":
        return {}
    return {"transport": "ipc", "ip": os.path.join(tempfile.gettempdir(), f"kernel-{uuid4().hex}")}


def anchor_data_folder() -> None:
    """Make a relative COURSE_LIB_DATA absolute: kernels start in the notebooks' folder, not in this one."""
    if folder := os.environ.get("COURSE_LIB_DATA"):
        os.environ["COURSE_LIB_DATA"] = str(Path(folder).expanduser().absolute())

"""Write the lock: what the direct requirements bring, each package pinned to the installed version.

    python tools/lock.py            rewrites the second block of requirements.txt and requirements-dev.txt
    python tools/lock.py --check    changes nothing; exits 1 when a file is not what would be written

The first block of each file is written by hand and names what is used directly. To change a version, edit it
there, install both files, and run this. Packages that exist for one platform only (the CUDA libraries that
torch brings on Linux) are left to pip.
"""

from __future__ import annotations

import sys
from importlib.metadata import distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
BRINGS = "# What they bring (written by tools/lock.py)"
PLATFORM_ONLY = ("nvidia-", "cuda-", "triton")


def direct(text: str) -> list[Requirement]:
    """The requirements above the line that opens the second block."""
    lines = (line.split("#")[0].strip() for line in text.split(BRINGS)[0].splitlines())
    return [Requirement(line) for line in lines if line and not line.startswith("-r")]


def closure(roots: list[Requirement]) -> dict[str, str]:
    """Every package that ``roots`` need, directly or not, with its installed version."""
    installed = {canonicalize_name(d.metadata["Name"]): d for d in distributions()}
    found: dict[str, str] = {}
    seen, todo = set(), list(roots)
    while todo:
        requirement = todo.pop()
        name, extras = canonicalize_name(requirement.name), tuple(sorted(requirement.extras))
        if (name, extras) in seen or name.startswith(PLATFORM_ONLY):
            continue
        seen.add((name, extras))
        if name not in installed:
            raise SystemExit(f"{name} is needed but not installed: install the requirements first")
        found[name] = installed[name].version.split("+")[0]  # a local build of torch is still that version
        for text in installed[name].requires or []:
            needed = Requirement(text)
            if needed.marker is None or any(needed.marker.evaluate({"extra": e}) for e in ("", *extras)):
                todo.append(needed)
    return found


def locked(text: str, already: dict[str, str]) -> tuple[str, dict[str, str]]:
    """The file as it should be, and every package it pins; ``already`` is pinned by the file it includes."""
    roots = direct(text)
    found = closure(roots)
    for root in roots:
        if found[canonicalize_name(root.name)] not in root.specifier:
            raise SystemExit(f"{root} is asked for, {found[canonicalize_name(root.name)]} is installed")
    named = {canonicalize_name(root.name) for root in roots} | set(already)
    rest = [f"{name}=={version}" for name, version in sorted(found.items()) if name not in named]
    return "\n".join([text.split(BRINGS)[0].rstrip(), "", BRINGS, *rest, ""]), {**already, **found}


def main() -> int:
    stale, pinned = [], {}
    for name in ("requirements.txt", "requirements-dev.txt"):
        path = ROOT / name
        before = path.read_text(encoding="utf-8")
        after, pinned = locked(before, pinned)
        if after != before:
            stale.append(name)
            if "--check" not in sys.argv[1:]:
                path.write_text(after, encoding="utf-8")
    if stale:
        print(f"{'differs' if '--check' in sys.argv[1:] else 'rewritten'}: {', '.join(stale)}")
    return int(bool(stale) and "--check" in sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())

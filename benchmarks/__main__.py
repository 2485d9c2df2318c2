"""Run every benchmark and write the results beside the machine, the versions and the commit: ``make bench``."""

import json
import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

from benchmarks import ngram

RESULTS = Path(__file__).with_name("results.json")


def surroundings() -> dict[str, str]:
    """What the numbers depend on besides the code."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    processor = next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")),
        platform.machine(),
    )
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    changed = subprocess.run(
        ["git", "status", "--porcelain"], capture_output=True, text=True, check=False
    ).stdout.strip()
    return {
        "processor": processor,
        "cores": str(os.cpu_count()),
        "system": platform.system(),
        "python": platform.python_version(),
        **{name: version(name) for name in ("numpy", "nltk")},
        "commit": commit + (" with changes" if changed else ""),
    }


def main() -> None:
    """Measure, print a table, and write results.json."""
    results = {"surroundings": surroundings(), "ngram": ngram.run()}
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    for row in results["ngram"]:
        print("  ".join(f"{key}: {value}" for key, value in row.items()))
    print(f"written to benchmarks/{RESULTS.name}")


main()

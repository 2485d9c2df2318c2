"""Every chapter keeps the rules of structure.py, and the tables beside the chapters name what exists."""

from __future__ import annotations

import csv
import re
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

import nbformat
import pytest
import yaml

from tests import structure

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
NOTES = [f"S{i:03d}" for i in range(1, 226)]
SLIPS = [f"E{i:02d}" for i in range(1, 72)]


@cache
def notebook(path: Path):
    return nbformat.read(path, as_version=4)


def rows(name: str) -> list[dict[str, str]]:
    with (ROOT / "book" / name).open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def section_labels() -> set[str]:
    return {label for path in NOTEBOOKS for label, _, _ in structure.sections(notebook(path)) if label}


def claim_labels() -> set[str]:
    return {label for path in NOTEBOOKS for label in structure.claims(notebook(path))}


def report(complaints: list[str]) -> None:
    assert not complaints, "\n" + "\n".join(complaints)


@pytest.mark.parametrize("rule", structure.RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_chapter_keeps_the_rule(path, rule):
    report(rule(notebook(path)))


def test_notebooks_are_valid():
    for path in NOTEBOOKS:
        nbformat.validate(notebook(path))


def test_every_notebook_is_in_the_table_of_contents():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    named = [c["file"] for part in toc["parts"] for c in part["chapters"] if "notebooks/" in c["file"]]
    assert named == [f"notebooks/{path.stem}" for path in NOTEBOOKS]


def test_no_claim_is_made_in_two_chapters():
    labels = [label for path in NOTEBOOKS for label in structure.claims(notebook(path))]
    assert len(labels) == len(set(labels))


def test_every_item_of_the_notes_has_one_row():
    report(structure.ids_are_complete(rows("coverage.csv"), NOTES + SLIPS))


def test_coverage_names_sections_that_exist():
    report(structure.links_exist(rows("coverage.csv"), "section", section_labels()))


def test_coverage_names_claims_that_exist():
    proved = [row for row in rows("coverage.csv") if row["claim"].strip() or row["id"].startswith("E")]
    report(structure.links_exist(proved, "claim", claim_labels()))


def test_every_slip_has_one_row():
    report(structure.ids_are_complete(rows("errata.csv"), SLIPS))


def test_errata_name_claims_that_exist():
    report(structure.links_exist(rows("errata.csv"), "claim", claim_labels()))


def test_no_file_names_a_path_of_this_machine():
    """Nothing tells where it was made: this checkout, the home folder, the temporary one, the interpreter."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    places = {ROOT, Path.home(), Path(tempfile.gettempdir()), Path(sys.base_prefix)} - {Path("/usr")}
    found = re.compile("|".join(rf"(?<![\w./~}}]){re.escape(f'{place}/')}" for place in sorted(places)))
    complaints = []
    for name in listed:
        text = (ROOT / name).read_text(encoding="utf-8", errors="ignore") if (ROOT / name).is_file() else ""
        complaints += [f"{name} names {match[0]}" for match in found.finditer(text)]
    report(complaints)


def test_requirements_name_no_index_and_no_address():
    for name in ("requirements.txt", "requirements-dev.txt"):
        text = (ROOT / name).read_text(encoding="utf-8")
        report([f"{name}: {line}" for line in text.splitlines() if re.search(r"index-url|find-links|://", line)])


@pytest.mark.skipif(
    sys.platform != "linux" or sys.version_info[:2] != (3, 11), reason="the lock is made on Linux with 3.11"
)
def test_the_lock_is_complete():
    lock = [sys.executable, str(ROOT / "tools" / "lock.py"), "--check"]
    result = subprocess.run(lock, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_recorded_translation_is_quoted_as_it_stands():
    """Chapter 10 tells of a run that its reader need not repeat: the BLEU is that of the log."""
    log = (ROOT / "benchmarks" / "multi30k.log").read_text(encoding="utf-8")
    bleu = re.search(r"test_2016_flickr (\d+\.\d+)", log)[1]
    text = structure.prose(notebook(ROOT / "notebooks" / "10_attention.ipynb"))
    assert f"a BLEU of {bleu} on the test set of 2016" in text
    assert float(bleu) >= 25


def test_the_recorded_calculations_are_quoted_as_they_stand():
    """Chapter 14 tells of a run that its reader need not repeat: the shares are those of the log."""
    log = (ROOT / "benchmarks" / "computation.log").read_text(encoding="utf-8")
    found = re.findall(r"^(\S+), pad (\w+), seed \d+: .* nats a token, (\d+\.\d) %", log, flags=re.MULTILINE)
    text = structure.prose(notebook(ROOT / "notebooks" / "14_what_models_compute.ipynb"))
    for kind in {(form, pad) for form, pad, _ in found}:
        shares = sorted((float(share) for *same, share in found if tuple(same) == kind))
        assert len(shares) >= 2
        assert f"{shares[0]:.1f} to {shares[-1]:.1f} %" in text, kind

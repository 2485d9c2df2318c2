"""Draw the pictures of the README and the landing page: run it after a change of the ladder or of the pages' look.

.venv/bin/python tools/pictures.py          # book/_static/ladder.svg, from the record of the runs
.venv/bin/python tools/pictures.py --page   # book/_static/page.png too, from the built book (needs Chromium)
"""

import os
import shutil
import sys
from pathlib import Path

import matplotlib.pyplot as plt

import course_lib
from course_lib import diagrams, ladder, languages
from course_lib.metrics import CLASSES

ROOT = Path(__file__).parents[1]
STATIC = ROOT / "book" / "_static"


def draw_ladder() -> None:
    """Every model on Farm but the unigram, the mean of the recorded runs by Muon (``python -m benchmarks.ladder``)."""
    runs = [run for run in ladder.recorded() if run["language"] == "Farm" and run["optimizer"] != "Adam"]
    rungs = {}
    for name in dict.fromkeys(run["model"] for run in runs if run["model"] != "unigram"):
        same = [run for run in runs if run["model"] == name]
        rungs[name] = {kind: sum(float(run[kind]) for run in same) / len(same) for kind in CLASSES}
        print(f"{name}: {sum(rungs[name].values()):.3f} nats per token, mean of {len(same)}")
    diagrams.ladder(rungs, floor=languages.farm().entropy_rate())
    plt.savefig(STATIC / "ladder.svg", metadata={"Date": None})


def page() -> None:
    """The part of chapter 1 that shows a claim with its check."""
    from playwright.sync_api import sync_playwright

    chrome = os.environ.get("CHROME") or shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chrome, args=["--no-sandbox"])
        view = browser.new_page(viewport={"width": 1280, "height": 860}, color_scheme="light")
        view.goto((ROOT / "_build/html/notebooks/01_language_modeling.html").as_uri() + "#lm-floor")
        view.wait_for_timeout(2000)
        view.screenshot(path=STATIC / "page.png")
        browser.close()


course_lib.setup()
draw_ladder()
if "--page" in sys.argv:
    page()

"""Draw the pictures of the README and the landing page: run it after a change of the ladder or of the pages' look.

.venv/bin/python tools/pictures.py          # book/_static/ladder.svg, from the n-gram models on Farm
.venv/bin/python tools/pictures.py --page   # book/_static/page.png too, from the built book (needs Chromium)
"""

import os
import shutil
import sys
from pathlib import Path

import matplotlib.pyplot as plt

import course_lib
from course_lib import diagrams, languages, metrics
from course_lib.ngram import NGramLM

ROOT = Path(__file__).parents[1]
STATIC = ROOT / "book" / "_static"


def ladder() -> None:
    """The rungs that stand so far, measured as in chapter 2."""
    farm = languages.farm()
    train = farm.sample(10_000, course_lib.generator(10))
    test = farm.sample(1_000, course_lib.generator(11))
    models = {"bigram": NGramLM(2), "trigram": NGramLM(3), "5-gram": NGramLM(5)}
    rungs = {name: metrics.excess_by_class(farm, test, model.fit(train).score(test)) for name, model in models.items()}
    diagrams.ladder(rungs, floor=farm.entropy_rate())
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
ladder()
if "--page" in sys.argv:
    page()

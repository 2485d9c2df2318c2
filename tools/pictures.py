"""Draw the pictures of the README and the landing page: run it after a change of the ladder or of the pages' look.

.venv/bin/python tools/pictures.py          # book/_static/ladder.svg, every model so far on Farm (two minutes)
.venv/bin/python tools/pictures.py --page   # book/_static/page.png too, from the built book (needs Chromium)
"""

import os
import shutil
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import torch

import course_lib
from course_lib import diagrams, languages, metrics, next_token, optimizers, tokens
from course_lib.attention_lm import RNNAttentionLM
from course_lib.ngram import NGramLM
from course_lib.rnn import RNNLM
from course_lib.train import train

ROOT = Path(__file__).parents[1]
STATIC = ROOT / "book" / "_static"
STEPS = 1_500  # updates of each network, batches of about 1,600 tokens


def ladder() -> None:
    """The rungs that stand so far, on the same 10,000 documents: n-grams as in chapter 2, networks as in 4, 6, 10."""
    farm = languages.farm()
    documents, test = farm.sample(10_000, course_lib.generator(10)), farm.sample(1_000, course_lib.generator(11))
    scores = {name: NGramLM(n).fit(documents).score(test) for name, n in (("bigram", 2), ("trigram", 3), ("5-gram", 5))}
    vocab = tokens.Vocabulary.build(documents)
    batches = next_token.Batches([vocab.encode(d) for d in documents], 32)
    networks = {"Elman": (RNNLM, "elman"), "GRU": (RNNLM, "gru"), "LSTM": (RNNLM, "lstm"),
                "LSTM + attention": (RNNAttentionLM, "lstm")}  # fmt: skip
    for name, (model_class, kind) in networks.items():
        torch.manual_seed(0)
        model = model_class(len(vocab), 96, kind)
        adam, rate = optimizers.Adam(model.parameters(), lr=4e-3), optimizers.warmup_cosine(STEPS, 50)
        train(model, batches, next_token.loss, adam, STEPS, schedule=rate, clip=1.0)
        scores[name] = next_token.score(model, [vocab.encode(d) for d in test])
    rungs = {name: metrics.excess_by_class(farm, test, log_q) for name, log_q in scores.items()}
    diagrams.ladder(rungs, floor=farm.entropy_rate())
    plt.savefig(STATIC / "ladder.svg", metadata={"Date": None})
    for name, split in rungs.items():
        print(name, {kind: round(x, 3) for kind, x in split.items()}, round(sum(split.values()), 3))


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

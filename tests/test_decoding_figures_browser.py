"""The figures about decoding in a real browser: the beam as recorded, the bend against ``course_lib.decoding``."""

import math
import re

import numpy as np
import pytest
import torch

from course_lib import decoding_figures
from course_lib.decoding import bent
from course_lib.language_models import Tabled
from course_lib.tokens import Vocabulary
from tests import test_widgets_browser as base

pytestmark = pytest.mark.browser
browser, show = base.browser, base.show
choose, press, status = base.choose, base.press, base.status

VOCAB = Vocabulary("the old cow fox eats sleeps unfortunately .".split())
RNG = np.random.default_rng(3)
PRESETS = {
    "after “the cow eats”": {"grass": 0.5, "hay": 0.25, "corn": 0.125, "stones": 0.0625, "nothing": 0.0625},
    "many words": dict(zip([f"word{i:02d}" for i in range(40)], RNG.dirichlet(np.full(40, 0.5)), strict=True)),
}


def model():
    """A language with a trap: greedily "the …", though the best text begins with "a" word less likely."""
    rng = {}

    def following(words):
        if not words:
            return {"the": 0.5, "unfortunately": 0.3, "old": 0.2}
        if words == ["unfortunately"]:
            return {".": 0.95, "the": 0.05}
        if words[-1] == ".":
            return {"<eos>": 1.0}
        key = tuple(words)
        if key not in rng:
            seed = [ord(letter) for letter in " ".join(words)]
            rng[key] = dict(zip(VOCAB.tokens[4:], np.random.default_rng(seed).dirichlet(np.ones(8)), strict=True))
        return rng[key]

    return Tabled(following, VOCAB)


FIGURES = {
    "beam_player": lambda: decoding_figures.beam_player(model(), VOCAB, (1, 2, 4, 8), penalties=(0, 1)),
    "distribution_bender": lambda: decoding_figures.distribution_bender(PRESETS),
}


def drive(kind, page):
    """Bring a figure into the state that shows the most."""
    if kind == "beam_player":
        choose(page, "Width", "4")
        step_to_the_end(page)
    else:
        choose(page, "Distribution", "many words")
        page.get_by_label("Temperature").fill("1.5")
        page.get_by_label("Top-p").fill("0.9")
        press(page, "Draw 100")
        press(page, "Draw a word")
    page.wait_for_timeout(100)  # drawings follow in the next frame


def step_to_the_end(page):
    forward = page.get_by_role("button", name="Next step")
    forward.focus()
    for _ in range(15):
        page.keyboard.press("Enter")
    assert forward.get_attribute("aria-disabled") == "true"


# ---- the beam ------------------------------------------------------------------------------------


def test_beam_shows_the_continuations_of_each_step(show):
    page = show(FIGURES["beam_player"]())
    back = page.get_by_role("button", name="Back")
    assert back.get_attribute("aria-disabled") == "true"
    assert status(page) == "Step 1 of 5, width 1: 1 text with 3 continuations, 1 kept, 2 dropped."
    lines = [line.inner_text().split() for line in page.locator(".cw-live tbody tr").all()]
    assert lines == [
        "After the empty text, ln q 0.000:".split(),
        "the −0.693 −0.693 ✓ kept".split(),
        "unfortunately −1.204 −1.204 ✗ dropped".split(),
        "old −1.609 −1.609 ✗ dropped".split(),
    ]
    press(page, "Next step")
    assert "After “the”, ln q −0.693:" in page.locator(".cw-live tbody").inner_text()
    assert "4 other words" in page.locator(".cw-live tbody").inner_text()
    press(page, "Back")
    assert status(page).startswith("Step 1 of 5")


def test_beam_compares_with_the_best_and_says_where_it_was_lost(show):
    page = show(FIGURES["beam_player"]())
    step_to_the_end(page)
    wanted = math.log(0.3 * 0.95)
    better = f"Better is “unfortunately . <eos>” (ln q {wanted:.3f}). ".replace("-", "−")
    assert better + "Its beginning “unfortunately” was lost in step 1." in status(page)
    choose(page, "Width", "2")
    assert status(page).startswith("Step 1 of")
    step_to_the_end(page)
    assert f"It found “unfortunately . <eos>” (ln q {wanted:.3f}). No text is better.".replace("-", "−") in status(page)


def test_beam_ranks_by_the_penalised_score(show):
    widget = FIGURES["beam_player"]()
    page = show(widget)
    choose(page, "Length penalty", "1")
    choose(page, "Width", "8")
    step_to_the_end(page)
    found = re.search(r"It found “(.+?)” \(ln q (.+?), score (.+?)\)", status(page).replace("−", "-"))
    assert float(found[3]) == pytest.approx(float(found[2]) / len(found[1].split()), abs=1e-3)
    aside = re.findall(r"score (.+?)\)", page.locator(".cw-live p", has_text="Finished so far").inner_text())
    scores = [float(score.replace("−", "-")) for score in aside]
    assert len(scores) == 8 and scores == sorted(scores, reverse=True)


def test_beam_draws_what_is_kept_and_what_fell_away(show):
    page = show(FIGURES["beam_player"]())
    choose(page, "Width", "2")
    page.wait_for_timeout(100)
    assert page.locator("svg rect").count() == 2
    press(page, "Next step")
    page.wait_for_timeout(100)
    words = page.locator("svg desc").text_content()
    assert "step 1: the (kept, ln q −0.69), unfortunately (kept, ln q −1.20); step 2: unfortunately . (kept" in words
    step_to_the_end(page)
    page.wait_for_timeout(100)
    path = page.locator("svg rect").evaluate_all("all => all.filter(r => r.style.stroke === 'var(--cw-1)').length")
    assert path == 3  # unfortunately . <eos>


def test_beam_without_a_known_best(show, monkeypatch):
    monkeypatch.setattr(decoding_figures, "SEARCHED", 1)
    page = show(decoding_figures.beam_player(model(), VOCAB, [2]))
    assert page.get_by_role("combobox").count() == 0
    step_to_the_end(page)
    assert status(page).endswith("The best text is unknown: there are too many to look through.")


def test_beam_that_stops_early_gives_up_the_rest(show):
    page = show(decoding_figures.beam_player(Tabled(lambda words: {"the": 0.4, "<eos>": 0.6}, VOCAB), VOCAB, [1]))
    said = "Step 1 of 1, width 1: 1 text with 2 continuations, 1 finished, 1 given up, 0 dropped. The search is over."
    assert status(page).startswith(f"{said} It found “<eos>” (ln q −0.511). No text is better.")
    assert "– given up" in page.locator(".cw-live tbody").inner_text()


# ---- the bend ------------------------------------------------------------------------------------

SETTINGS = [
    {},
    {"temperature": 0.5},
    {"temperature": 2.0, "top_k": 3},
    {"temperature": 0.0},
    {"top_p": 0.5},
    {"top_p": 0.9, "min_p": 0.3},
    {"temperature": 1.5, "top_k": 4, "top_p": 0.8, "min_p": 0.1},
]
LABELS = {"temperature": "Temperature", "top_p": "Top-p", "min_p": "Min-p"}


def bars(page):
    """word -> (before, after) as the drawing says it, a word cut having 0."""
    page.wait_for_timeout(50)
    words = page.locator("svg desc").text_content()
    found = re.findall(r"([\w ()]+): (\d\.\d+), (\d\.\d+|cut)", words)
    return {name.strip(): (float(old), 0.0 if new == "cut" else float(new)) for name, old, new in found}


@pytest.mark.parametrize("settings", SETTINGS)
def test_bender_bends_as_the_package_does(show, settings):
    page = show(FIGURES["distribution_bender"]())
    p = torch.tensor(list(PRESETS["after “the cow eats”"].values()), dtype=torch.double)
    for name, value in settings.items():
        if name == "top_k":
            page.get_by_label("Top-k").fill(str(value - 1))
            spoken = "4, and 1 as probable: " if value == 4 else f"{value}: "  # the last two words tie
            assert page.get_by_label("Top-k").get_attribute("aria-valuetext").startswith(spoken)
        else:
            page.get_by_label(LABELS[name]).fill(str(value))
    after = bent(p.log(), **settings)
    assert [pair[0] for pair in bars(page).values()] == pytest.approx(p.tolist(), abs=6e-4)
    assert [pair[1] for pair in bars(page).values()] == pytest.approx(after.tolist(), abs=6e-4)
    kept, mass, old, new = page.locator(".cw-numbers strong").all_inner_texts()
    assert kept == f"{int((after > 0).sum())} of 5"
    assert float(mass) == pytest.approx(float(p[after > 0].sum()), abs=6e-4)
    assert float(old.split()[0]) == pytest.approx(float(torch.special.entr(p).sum()), abs=6e-4)
    assert float(new.split()[0]) == pytest.approx(float(torch.special.entr(after).sum()), abs=6e-4)


def test_bender_draws_from_what_is_left_and_repeats_itself(show):
    page = show(FIGURES["distribution_bender"]())
    page.get_by_label("Top-k").fill("2")
    histories = []
    for _ in range(2):
        for _ in range(10):
            press(page, "Draw 100")
        page.wait_for_timeout(50)
        found = re.findall(r"(\w+): [\d.]+, (?:[\d.]+|cut), drawn (\d+)", page.locator("svg desc").text_content())
        histories.append({name: int(n) for name, n in found})
        assert status(page).startswith("1,000 words drawn")
        page.get_by_label("Temperature").fill("1.5")
        page.get_by_label("Temperature").fill("1")
        assert status(page) == "Nothing drawn yet from this distribution."
    assert histories[0] == histories[1]
    assert sum(histories[0].values()) == 1000 and histories[0]["stones"] == 0
    assert histories[0]["grass"] / 1000 == pytest.approx(4 / 7, abs=0.06)
    press(page, "Draw a word")
    assert re.match(r"Draw 1: “(grass|hay)”, with probability 0\.\d+ after the bend, 0\.\d+ before\.", status(page))


def test_bender_never_draws_what_cannot_come(show):
    page = show(decoding_figures.distribution_bender({"a": 0.75, "never": 0.0, "b": 0.25}))
    assert page.get_by_role("combobox").count() == 0
    page.get_by_label("Temperature").fill("3")
    page.get_by_label("Min-p").fill("0.8")
    assert bars(page) == {"a": (0.75, 1.0), "b": (0.25, 0.0), "never": (0.0, 0.0)}
    words = page.locator("svg desc").text_content()
    assert "b: 0.250, cut; never: 0.000, 0.000." in words
    assert page.locator(".cw-numbers strong").first.inner_text() == "1 of 2"
    press(page, "Straighten")
    press(page, "Draw 100")
    page.wait_for_timeout(50)
    assert page.locator("svg desc").text_content().endswith("never: 0.000, 0.000, drawn 0.")


def test_bender_changes_the_distribution_and_straightens(show):
    page = show(FIGURES["distribution_bender"]())
    page.get_by_label("Min-p").fill("1")
    assert list(bars(page).values())[1:] == [(0.25, 0), (0.125, 0), (0.063, 0), (0.063, 0)]
    press(page, "Straighten")
    assert all(old == new for old, new in bars(page).values())
    choose(page, "Distribution", "many words")
    assert len(bars(page)) == 11 and "other (30)" in bars(page)
    p = sorted(PRESETS["many words"].values(), reverse=True)
    assert bars(page)["other (30)"][1] == pytest.approx(sum(p[10:]), abs=1e-3)
    page.get_by_label("Temperature").focus()
    page.keyboard.press("ArrowRight")
    assert page.get_by_label("Temperature").get_attribute("aria-valuetext").startswith("1.05: 40 words kept, entropy ")

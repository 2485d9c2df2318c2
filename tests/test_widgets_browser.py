"""The interactive figures in a real browser: driven by mouse and keyboard, in light, dark and narrow."""

import math
import os
import re
import shutil
from collections import Counter

import pytest

from course_lib import widgets

pytestmark = pytest.mark.browser

COWS = {"grass": 4 / 11, "corn": 3 / 11, "hay": 2 / 11, "clover": 1 / 11, "water": 1 / 11, "stones": 0.0}
TOKENS = "the old cow eats grass".split()
STEPS = [
    {"context": TOKENS[:t], "token": w, "candidates": {w: 0.02, "other words": 0.9, "x": 0.08}}
    for t, w in enumerate(TOKENS)
]
TEXT = [
    s.split()
    for s in (
        "the cow eats grass .",
        "the cow eats hay .",
        "The old cow eats grass .",
        "a fox sees the cow .",
        "the fox sleeps .",
    )
] * 3
ROUNDS = [
    {"real": f"It rained on day {i} .", "fake": f"Day the {i} on .", "source": f"{n}-gram"}
    for i, n in enumerate((1, 2, 2, 10))
]
LOSSES = {"training": [2.8, 1.6, 1.5, 1.3], "validation": [2.9, 1.7, 1.6, 1.8]}
PAGE = """<!doctype html><html lang="en" data-theme="{}"><meta charset="utf-8"><title>Figures</title>
<meta name="viewport" content="width=device-width"><main>{}</main></html>"""
CLICKS = {
    "weighted_die": ["Roll once", "Roll 100"],
    "chain": ["Next token", "Next token"],
    "context_explorer": ["purple cow"],
    "which_is_real": ["Passage A is real"],
    "curve": [],
}  # what brings each figure into the state that shows the most
FIGURES = {
    "weighted_die": lambda: widgets.weighted_die(COWS),
    "chain": lambda: widgets.chain(STEPS),
    "context_explorer": lambda: widgets.context_explorer(TEXT, 3, ["the cow", "old cow", "purple cow"]),
    "which_is_real": lambda: widgets.which_is_real(ROUNDS, real_name="the Tales"),
    "curve": lambda: widgets.curve(
        [1, 2, 3, 5], LOSSES, "order n", "loss (nats per token)", {"entropy": 1.529}
    ),
}


@pytest.fixture(scope="module")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api")
    names = ("chromium", "chromium-browser", "google-chrome")
    found = os.environ.get("CHROME") or next(filter(None, map(shutil.which, names)), None)
    assert found, f"no browser found: install one of {names}, or set CHROME to its path"
    with sync_api.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=found, args=["--headless", "--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def show(browser):
    """show(widget, ...) opens a page with these figures; every console message fails the test in the end."""
    pages, said = [], []

    def open_page(*shown, theme="light", width=800, script=True):
        context = browser.new_context(viewport={"width": width, "height": 800}, java_script_enabled=script)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: said.append(request.url))
        page.set_content(PAGE.format(theme, "\n".join(w._repr_html_() for w in shown)))
        pages.append(context)
        return page

    yield open_page
    for context in pages:
        context.close()
    assert not said, said


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def choose(page, label, option):
    page.get_by_role("combobox", name=label).select_option(label=option)


def status(page):
    return page.get_by_role("status").inner_text()


def drive(kind, page):
    for name in CLICKS[kind]:
        press(page, name)
    page.wait_for_timeout(100)  # drawings follow in the next frame


# ---- several at once ------------------------------------------------------------------------------


def test_many_on_one_page_do_not_clash(show):
    page = show(*[make() for make in FIGURES.values()], FIGURES["weighted_die"]())
    assert page.locator("[data-ready]").count() == 6
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(set(ids)) == len(ids)
    page.get_by_role("button", name="Roll 100").nth(0).click()
    dice = page.locator("[data-kind=weighted_die]")
    assert "Rolled 100" in dice.nth(0).get_by_role("status").inner_text()
    assert "Not rolled" in dice.nth(1).get_by_role("status").inner_text()


def test_drawings_have_a_name_and_words(show):
    page = show(*[make() for make in FIGURES.values()])
    page.wait_for_timeout(100)
    drawings = page.locator("svg[role=img]")
    assert drawings.count() == 4
    for i in range(drawings.count()):
        assert len(drawings.nth(i).locator("desc").text_content()) > 40


# ---- one by one ----------------------------------------------------------------------------------


def die_counts(page):
    words = page.locator("svg desc").first.text_content()
    return {name: int(n) for name, n in re.findall(r"(\w+): probability [\d.]+, rolled (\d+)", words)}


def test_die_settles_at_the_probabilities_and_the_entropy(show):
    page = show(FIGURES["weighted_die"]())
    for _ in range(20):
        press(page, "Roll 1000")
    page.wait_for_timeout(100)
    counts = die_counts(page)
    assert sum(counts.values()) == 20_000
    assert counts["stones"] == 0
    for name, p in COWS.items():
        assert counts[name] / 20_000 == pytest.approx(p, abs=0.02)
    surprise, entropy = map(float, re.findall(r"([\d.]+) nats", page.locator(".cw-numbers").inner_text()))
    assert entropy == pytest.approx(-sum(p * math.log(p) for p in COWS.values() if p), abs=1e-4)
    expected = -sum(n * math.log(COWS[w]) for w, n in counts.items() if n) / 20_000
    assert surprise == pytest.approx(expected, abs=1e-4)


def test_die_repeats_its_rolls_for_a_seed_and_works_by_keyboard(show):
    page = show(FIGURES["weighted_die"]())
    histories = []
    for seed in ("0", "0", "7"):
        page.get_by_label("Seed").fill(seed)
        page.get_by_role("button", name="Reset").focus()
        page.keyboard.press("Enter")
        assert "Not rolled yet" in status(page)
        page.get_by_role("button", name="Roll 100", exact=True).focus()
        page.keyboard.press("Space")
        assert "100 rolls so far" in page.get_by_role("status").text_content()
        page.wait_for_timeout(50)
        histories.append(die_counts(page))
    assert histories[0] == histories[1] != histories[2]


def test_chain_multiplies_and_adds(show):
    page = show(FIGURES["chain"]())
    back, forward = (page.get_by_role("button", name=name) for name in ("Back", "Next token"))
    assert back.get_attribute("aria-disabled") == "true"
    forward.focus()
    for _ in range(len(TOKENS) + 2):
        page.keyboard.press("Enter")
    assert forward.get_attribute("aria-disabled") == "true"
    assert "Token 5 of 5, “grass”: product 3.20 × 10⁻⁹, sum of logs −19.560 nats." in status(page)
    assert math.log(0.02) * 5 == pytest.approx(-19.560, abs=5e-4)
    assert page.locator("tbody:visible tr").count() == 5
    assert page.locator(".cw-formula").inner_text() == "p( grass | the old cow eats ) = 0.0200"
    press(page, "Back")
    assert "Token 4 of 5" in status(page)
    press(page, "Start again")
    assert "Token 1 of 5" in status(page)


def test_chain_says_when_the_product_is_lost_and_keeps_the_sum(show):
    page = show(widgets.chain([{"context": "", "token": "a", "candidates": {"a": 1e-200, "b": 1.0}}] * 2))
    press(page, "Next token")
    assert "product 0 (underflow), sum of logs −921.034 nats" in status(page)
    assert "0 (underflow)" in page.locator(".cw-static").text_content()


def panel_rows(panel):
    return [row.inner_text().split() for row in panel.locator("tbody tr").all()]


@pytest.mark.parametrize(
    ("typed", "length"), [("", 0), ("cow", 1), ("the cow", 2), ("<bos> the cow", 3), ("<bos>", 2)]
)
def test_explorer_counts_what_follows(show, typed, length):
    page = show(FIGURES["context_explorer"]())
    page.get_by_label("Words used").select_option(str(length))
    page.get_by_label("Context").fill(typed)
    page.keyboard.press("Enter")
    context = typed.split()
    stream = [w for s in TEXT for w in ("<bos>", *s, "<eos>")]
    n = len(context)
    followed = [w for t, w in enumerate(stream) if w != "<bos>" and t >= n and stream[t - n : t] == context]
    ranked = sorted(Counter(followed).items(), key=lambda item: (-item[1], item[0]))
    total = len(followed)
    got = {row[0]: row[1:] for row in panel_rows(page.locator(".cw-panel")) if len(row) == 3}
    assert got == {w: [f"{c}/{total}", f"{c / total:.3f}"] for w, c in ranked[:8]}


def test_explorer_marks_the_places_and_walks_on(show):
    page = show(FIGURES["context_explorer"]())
    assert page.locator(".cw-places li").count() == 3
    assert page.locator(".cw-places li").first.locator("mark").all_inner_texts() == ["the cow", "eats"]
    press(page, ".")  # choose another next word
    assert page.get_by_role("button", name=".", exact=True).get_attribute("aria-pressed") == "true"
    assert page.locator(".cw-places li").first.inner_text() == "<bos> a fox sees the cow . <eos>"
    press(page, "eats")
    press(page, "Go on with “eats”")
    assert page.get_by_label("Context").input_value() == "the cow eats"
    assert "“cow eats” was seen; most often “grass” follows." in status(page)


def test_explorer_backs_off_when_it_never_saw_the_context(show):
    page = show(FIGURES["context_explorer"]())
    page.get_by_label("Context").fill("A fox eats")
    page.get_by_role("button", name="Look up").click()
    assert status(page) == "“fox eats” was never seen; “eats” was, and most often “grass” follows."
    assert page.locator(".cw-panel").count() == 2
    assert "0/0" in page.locator(".cw-panel").first.inner_text()
    press(page, "purple cow")
    assert "“purple” is not a word of this text" in page.locator(".cw-panel").first.inner_text()


def test_explorer_takes_the_words_as_they_are_typed(show):
    page = show(FIGURES["context_explorer"]())
    for typed in ("OLD   Cow", "old cow", " old cow "):
        page.get_by_label("Context").fill(typed)
        page.keyboard.press("Enter")
        assert "“old cow” was seen" in status(page)
    page.get_by_label("Words used").select_option("4")
    page.get_by_label("Context").fill("fox sleeps.")
    page.keyboard.press("Enter")
    assert "“fox sleeps .” (3 of 4 given) was seen; most often “<eos>” follows." in status(page)


def test_game_keeps_the_score_by_source(show):
    page = show(FIGURES["which_is_real"]())
    for i, entry in enumerate(ROUNDS):
        cards = page.locator(".cw-card")
        real = next(j for j in (0, 1) if entry["real"] in cards.nth(j).inner_text())
        choice = real if i != 1 else 1 - real  # one mistake, in the first of two rounds against the 2-gram
        next_round = page.get_by_role("button", name=re.compile("Next round|Show the result"))
        assert next_round.get_attribute("aria-disabled") == "true"
        cards.nth(choice).get_by_role("button").focus()
        page.keyboard.press("Enter")
        assert status(page).startswith("Wrong" if i == 1 else "Right")
        assert f"({entry['source']})" in status(page)
        assert "Real: the Tales" in cards.nth(real).inner_text()
        cards.nth(1 - choice).get_by_role("button").click(force=True)  # too late to change
        assert f"of {i + 1}." in status(page)
        next_round.focus()
        page.keyboard.press("Enter")
    assert status(page) == "Score: 3 of 4. By source: 1-gram 1 of 1, 2-gram 1 of 2, 10-gram 1 of 1."
    assert page.locator(".cw-live tbody tr").count() == 3
    press(page, "Play again")
    assert status(page) == "Choose a passage."


def test_curve_reads_out_every_line_at_the_slider(show):
    page = show(FIGURES["curve"]())
    slider = page.get_by_role("slider")
    slider.focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    said = "order n 5: training 1.300, validation 1.800"
    assert slider.get_attribute("aria-valuetext") == said
    assert page.locator("output").inner_text() == "5"
    assert page.locator(".cw-live td").all_inner_texts() == ["1.300", "1.800", "1.529"]


def contrast(a, b):
    """WCAG's contrast ratio of two CSS rgb() colours."""

    def luminance(colour):
        parts = [int(v) / 255 for v in re.findall(r"\d+", colour)[:3]]
        r, g, b = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)

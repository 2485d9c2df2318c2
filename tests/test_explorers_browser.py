"""The exploring figures in a real browser: their numbers against NumPy, and that everybody can use them."""

import re

import numpy as np
import pytest

from course_lib import explorers
from tests import test_widgets_browser as base

pytestmark = pytest.mark.browser
browser, show = base.browser, base.show
choose, press, status = base.choose, base.press, base.status
PAGE = base.PAGE

RNG = np.random.default_rng(8)
WORDS = "man woman king queen father mother boy girl uncle aunt actor actress".split()
WORDS += "throne crown stage script child cradle".split()
GROUPS = {"masculine": WORDS[:12:2], "feminine": WORDS[1:12:2]}
STEPS = [0, 250, 500, 1000, 2000]
END = RNG.normal(size=(len(WORDS), 6))
END[1:12:2] = END[:12:2] + np.array([2.0, 0, 0, 0, 0, 0]) + 0.05 * RNG.normal(size=(6, 6))  # a direction of gender
START = 0.3 * RNG.normal(size=END.shape)
VECTORS = {step: START + (END - START) * (step / 2000) ** 0.5 for step in STEPS}
POINTS = {step: v[:, :2] for step, v in VECTORS.items()}


def softmax(z):
    e = np.exp(z - z.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


TOKENS = "Jeff is a musician . he plays".split()
LOOK = softmax(np.where(np.tri(7, dtype=bool), 2 * RNG.normal(size=(2, 2, 7, 7)), -np.inf))
SOURCE, TARGET = "the red house is small <eos>".split(), "la casa roja es pequeña <eos>".split()
ALIGNED = softmax(6 * np.eye(6)[[0, 2, 1, 3, 4, 5]] + RNG.normal(size=(6, 6)))
SAYS = {
    "the right words": "el casa roja es pequeña <eos>".split(),
    "its own words": "el gato rojo es rojo es <eos>".split(),
}


def run(name):
    said = SAYS[name]
    reads = ["<bos>", *(TARGET if name == "the right words" else said)][: len(said)]
    steps = []
    for word, choice in zip(reads, said, strict=True):
        others = [w for w in ("el", "la", "casa", "gato", "roja", "rojo", "es", "pequeña", "<eos>") if w != choice]
        p = softmax(RNG.normal(size=8)) * 0.4
        steps.append({"input": word, "candidates": {choice: 0.6, **dict(zip(others, p, strict=True))}})
    return steps


RUNS = {name: run(name) for name in SAYS}
FIGURES = {
    "embedding_map": lambda: explorers.embedding_map(POINTS, WORDS, GROUPS, VECTORS, analogy=("man", "woman", "king")),
    "attention_explorer": lambda: explorers.attention_explorer(TOKENS, LOOK),
    "translation": lambda: explorers.attention_explorer(TARGET, ALIGNED, SOURCE),
    "decoding_player": lambda: explorers.decoding_player(RUNS, "the red house is small".split(), TARGET),
}


def drive(kind, page):
    """Bring a figure into the state that shows the most."""
    page.emulate_media(reduced_motion="reduce")
    if kind == "embedding_map":
        press(page, "Next step")
        press(page, "Next step")
        choose(page, "Show", "an analogy")
    elif kind == "attention_explorer":
        choose(page, "Layer", "2")
        page.get_by_role("radio", name="musician").click()
        press(page, "Head 2")
    elif kind == "decoding_player":
        choose(page, "The decoder reads", "its own words")
        for _ in range(6):
            press(page, "Next word")
    page.wait_for_timeout(100)  # drawings follow in the next frame


# ---- several at once ------------------------------------------------------------------------------


def test_many_on_one_page_do_not_clash(show):
    page = show(*[make() for make in FIGURES.values()], *[make() for make in FIGURES.values()])
    assert page.locator("[data-ready]").count() == 8
    page.wait_for_timeout(100)
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(set(ids)) == len(ids)
    page.get_by_role("radio", name="musician").first.click()
    figures = page.locator("[data-kind=attention_explorer]")
    assert "“musician”" in figures.nth(0).get_by_role("status").inner_text()
    assert "“plays”" in figures.nth(2).get_by_role("status").inner_text()
    words = page.locator("svg[role=img] desc")
    assert words.count() == 8
    assert all(len(text) > 40 for text in words.all_text_contents())


# ---- the map -------------------------------------------------------------------------------------


def ranked(target, step, without, k=5):
    """[word, cosine with three decimals] of the nearest words, in NumPy, in the full space."""
    vectors = VECTORS[step]
    cosines = vectors @ target / np.linalg.norm(vectors, axis=1) / np.linalg.norm(target)
    order = [i for i in np.argsort(-cosines) if WORDS[i] not in without][:k]
    return [(WORDS[i], cosines[i]) for i in order]


def listed(page):
    cells = [row.inner_text().split() for row in page.locator(".cw-live tbody tr").all()]
    return [(word, float(value.replace("−", "-"))) for word, value in cells]


def agree(found, expected):
    assert [word for word, _ in found] == [word for word, _ in expected]
    assert [c for _, c in found] == pytest.approx([c for _, c in expected], abs=2e-3)


def test_map_lists_the_nearest_words_of_each_step(show):
    page = show(FIGURES["embedding_map"]())
    slider = page.get_by_role("slider")
    for word in ("king", "crown"):
        choose(page, "Word", word)
        for at, step in enumerate(STEPS):
            slider.fill(str(at))
            expected = ranked(VECTORS[step][WORDS.index(word)], step, [word])
            agree(listed(page), expected)
            best, cosine = expected[0]
            said = f"Nearest to “{word}” is “{best}” (cosine {cosine:.2f}, step {step:,})."
            assert status(page).startswith(said.replace("-", "−"))
            assert slider.get_attribute("aria-valuetext") == f"step {step:,}"


def test_map_completes_analogies(show):
    page = show(FIGURES["embedding_map"]())
    choose(page, "Show", "an analogy")
    for triple in (("man", "woman", "king"), ("aunt", "boy", "stage")):
        for name, word in zip(("a", "is to b", "as c"), triple, strict=True):
            page.get_by_role("combobox", name=name, exact=True).select_option(label=word)
        a, b, c = (VECTORS[2000][WORDS.index(word)] for word in triple)
        agree(listed(page), ranked(b - a + c, 2000, triple))
        assert status(page).startswith(
            f"“{triple[0]}” is to “{triple[1]}” as “{triple[2]}” is to “{listed(page)[0][0]}”"
        )
    assert not page.get_by_role("combobox", name="Word").is_visible()
    choose(page, "Show", "nearest words")
    assert page.get_by_role("combobox", name="Word").is_visible()
    assert status(page).startswith("Nearest to “king”")


def spots(page):
    """Where the picked word and its neighbours are drawn, in pixels."""
    words = page.locator("svg desc").first.text_content()
    return {w: (float(x), float(y)) for w, x, y in re.findall(r"(\w+) at (\d+), (\d+)", words)}


def test_map_is_picked_with_mouse_and_arrow_keys(show):
    page = show(FIGURES["embedding_map"]())
    page.wait_for_timeout(100)
    chart = page.locator(".cw-chart")
    places, box = spots(page), chart.bounding_box()
    other = next(word for word in places if word != "king")
    page.mouse.click(box["x"] + places[other][0], box["y"] + places[other][1])
    assert page.get_by_role("combobox", name="Word").input_value() == str(WORDS.index(other))
    page.mouse.click(box["x"] + 2, box["y"] + 2)  # nothing there
    assert status(page).startswith(f"Nearest to “{other}”")
    chart.focus()
    for key, axis, sign in (("ArrowRight", 0, 1), ("ArrowLeft", 0, -1), ("ArrowUp", 1, 1), ("ArrowDown", 1, -1)):
        choose(page, "Word", "king")
        chart.focus()
        page.keyboard.press(key)
        now = WORDS[int(page.get_by_role("combobox", name="Word").input_value())]
        king, there = (POINTS[2000][WORDS.index(word)] for word in ("king", now))
        further = [p for p in POINTS[2000] if sign * (p[axis] - king[axis]) > 1e-9]
        assert sign * (there[axis] - king[axis]) > 0 or (not further and now == "king")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # the first neighbour is picked, and the focus goes back to the list
    assert page.locator(":focus").evaluate("e => e.tagName") == "SELECT"


def test_map_names_the_word_under_the_mouse(show):
    crowd = {"s": RNG.normal(size=(150, 2)) * [4, 1]}
    page = show(explorers.embedding_map(crowd, [f"word{i:03d}" for i in range(150)]), width=375)
    page.wait_for_timeout(100)
    names = page.locator(".cw-chart text")
    before = set(names.all_text_contents())
    assert len(before) < 100
    box = page.locator(".cw-chart").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    after = set(names.all_text_contents())
    page.mouse.move(1, 1)
    assert len(after - before) >= 1 and set(names.all_text_contents()) == before


def test_map_words_overlap_no_other(show):
    page = show(FIGURES["embedding_map"](), width=375)
    page.wait_for_timeout(100)
    boxes = page.evaluate("""[...document.querySelectorAll('.cw-chart text')].map(t =>
        [t.getBoundingClientRect().left, t.getBoundingClientRect().right, t.getBoundingClientRect().top])""")
    for i, (left, right, top) in enumerate(boxes):
        for left2, right2, top2 in boxes[:i]:
            assert right < left2 or right2 < left or abs(top - top2) > 10


def test_map_plays_and_stops(show):
    page = show(FIGURES["embedding_map"]())
    slider = page.get_by_role("slider")
    slider.fill("1")
    press(page, "Play")
    page.wait_for_function("document.querySelector('input[type=range]').value === '2'")
    press(page, "Pause")
    stopped = slider.input_value()
    assert stopped in "23" and f"step {STEPS[int(stopped)]:,}" in status(page)
    press(page, "Play")
    page.get_by_role("button", name="Play").wait_for(timeout=8000)
    assert slider.input_value() == "4" and "step 2,000" in status(page)
    press(page, "Play")  # from the start again
    assert slider.input_value() == "0"
    press(page, "Pause")


def test_map_with_less_motion_goes_step_by_step(show):
    page = show(FIGURES["embedding_map"]())
    page.emulate_media(reduced_motion="reduce")
    slider = page.get_by_role("slider")
    slider.fill("3")
    for expected in "4012":
        press(page, "Next step")
        assert slider.input_value() == expected


# ---- attention -----------------------------------------------------------------------------------


def seen(page):
    """The numbers under the words, a list for each head."""
    return [
        [float(n) if n != "hidden" else None for n in strip.locator("span").all_inner_texts()]
        for strip in page.locator("ol").all()
    ]


def test_attention_shows_the_weights_of_every_head(show):
    page = show(FIGURES["attention_explorer"]())
    for layer in (1, 0):
        choose(page, "Layer", str(layer + 1))
        for t, word in enumerate(TOKENS):
            page.get_by_role("radio", name=word, exact=True).click()
            for found, true in zip(seen(page), LOOK[layer, :, t], strict=True):
                assert [n is None for n in found] == [s > t for s in range(7)]
                assert [n or 0 for n in found] == pytest.approx(list(true), abs=0.0056)
            best = [
                f"head {h + 1} looks most at “{TOKENS[np.rint(1000 * LOOK[layer, h, t]).argmax()]}”" for h in (0, 1)
            ]
            assert status(page).startswith(f"“{word}”, word {t + 1} of 7: {best[0]}")
            assert best[1] in status(page)


def test_attention_is_moved_with_the_keys(show):
    page = show(FIGURES["attention_explorer"]())
    picker = page.get_by_role("radiogroup", name="The word that looks")
    page.get_by_role("radio", name="plays").focus()
    for key, at in (("ArrowLeft", 5), ("ArrowUp", 4), ("Home", 0), ("ArrowLeft", 6), ("ArrowRight", 0), ("End", 6)):
        page.keyboard.press(key)
        assert page.locator(":focus").inner_text() == TOKENS[at]
        assert picker.get_by_role("radio", checked=True).inner_text() == TOKENS[at]
        assert status(page).startswith(f"“{TOKENS[at]}”, word {at + 1} of 7")
    page.keyboard.press("a")  # no key of the figure
    assert page.locator(":focus").inner_text() == "plays"


def test_attention_draws_the_head_that_is_chosen_and_takes_a_row_by_mouse(show):
    page = show(FIGURES["attention_explorer"]())
    page.get_by_role("button", name="Head 2").focus()
    page.keyboard.press("Enter")
    assert page.locator(":focus").inner_text() == "Head 2"
    assert page.get_by_role("button", name="Head 2").get_attribute("aria-pressed") == "true"
    assert page.get_by_role("button", name="Head 1").get_attribute("aria-pressed") == "false"
    page.wait_for_timeout(100)
    words = page.locator("svg desc").text_content()
    assert words.startswith("Weights of head 2, a row for each of 7 words. In the row of plays: Jeff ")
    label = page.locator("svg text", has_text="musician").last
    box = label.bounding_box()
    page.mouse.click(box["x"] + 80, box["y"] + box["height"] / 2)
    assert status(page).startswith("“musician”")
    assert page.get_by_role("radio", checked=True).inner_text() == "musician"
    chart = page.locator(".cw-chart").bounding_box()
    page.mouse.click(chart["x"] + 80, chart["y"] + 2)  # above the rows
    assert status(page).startswith("“musician”")


def test_attention_changes_the_example(show):
    more = [{"tokens": "a b a".split(), "weights": np.eye(3), "name": "short"}]
    page = show(explorers.attention_explorer(TARGET, ALIGNED, SOURCE, more))
    assert page.get_by_role("combobox").count() == 1 and page.get_by_role("button").count() == 0
    page.get_by_role("radio", name="casa").click()
    assert status(page) == f"“casa”, word 2 of 6, looks most at “house” ({ALIGNED[1].max():.2f})."
    assert "column for each source word" in page.locator(".cw-live").inner_text()
    choose(page, "Example", "short")
    assert page.get_by_role("radio").all_inner_texts() == ["a", "b", "a"]
    assert status(page) == "“a”, word 3 of 3, looks most at “a” (word 3, 1.00)."  # there are two
    assert "column for each word looked at" in page.locator(".cw-live").inner_text()


def test_attention_to_nothing(show):
    page = show(explorers.attention_explorer(["a", "b"], [[0, 0], [1, 0]]))
    page.get_by_role("radio", name="a").click()
    assert status(page) == "“a”, word 1 of 2, looks at nothing."


# ---- the decoder ---------------------------------------------------------------------------------


def test_player_walks_and_judges(show):
    page = show(FIGURES["decoding_player"]())
    back, forward = (page.get_by_role("button", name=name) for name in ("Back", "Next word"))
    assert back.get_attribute("aria-disabled") == "true"
    expected = "reads “<bos>”, says “el” with probability 0.600; right is “la”."
    assert status(page) == f"Step 1 of 6, the right words: {expected}"
    forward.focus()
    for _ in range(8):
        page.keyboard.press("Enter")
    assert status(page).startswith("Step 6 of 6, the right words: reads “pequeña”, says “<eos>”")
    assert "1 word of 6 wrong so far." in page.locator(".cw-live").inner_text()
    assert forward.get_attribute("aria-disabled") == "true"
    press(page, "Back")
    assert status(page).startswith("Step 5 of 6")
    press(page, "Start again")
    assert status(page).startswith("Step 1 of 6")


def test_player_switches_the_run_at_the_same_step(show):
    page = show(FIGURES["decoding_player"]())
    for _ in range(2):
        press(page, "Next word")
    choose(page, "The decoder reads", "its own words")
    said = "reads “gato” (not the right word before), says “rojo” with probability 0.600; right is “roja”."
    assert status(page) == f"Step 3 of 7, its own words: {said}"
    table = [row.inner_text().split("\t") for row in page.locator(".cw-live tbody tr").all()]
    assert [[cell.strip() for cell in row] for row in table] == [
        ["1", "<bos>", "el ✗", "0.600", "la"],
        ["2", "el ✗", "gato ✗", "0.600", "casa"],
        ["3", "gato ✗", "rojo ✗", "0.600", "roja"],
    ]
    for _ in range(4):
        press(page, "Next word")
    assert status(page).endswith("; the sentence should have ended.")
    assert "6 words of 7 wrong so far." in page.locator(".cw-live").inner_text()
    choose(page, "The decoder reads", "the right words")
    assert status(page).startswith("Step 6 of 6")  # this run is shorter


def test_player_draws_five_words_and_the_choice(show):
    page = show(FIGURES["decoding_player"]())
    page.wait_for_timeout(100)
    shown = sorted(RUNS["the right words"][0]["candidates"].items(), key=lambda item: -item[1])[:5]
    texts = page.locator("svg text").all_text_contents()
    assert texts == [text for word, p in shown for text in (word, f"{round(p, 4):.3f}")]
    assert page.locator("svg text.cw-strong").all_text_contents() == ["el", "0.600"]


def test_player_without_a_reference_does_not_judge(show):
    page = show(explorers.decoding_player({"its own words": RUNS["its own words"]}))
    press(page, "Next word")
    assert status(page) == "Step 2 of 7, its own words: reads “el”, says “gato” with probability 0.600."
    assert not re.search("[✓✗]|wrong|Right|To translate", page.locator(".cw-live").inner_text())
    assert page.get_by_role("combobox").count() == 0

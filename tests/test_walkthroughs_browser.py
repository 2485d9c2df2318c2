"""The walking-through figures in a real browser: their numbers against Python's, and their keys."""

import re

import pytest

from course_lib import walkthroughs
from course_lib.bpe import BytePairTokenizer
from tests import test_widgets_browser as base

pytestmark = pytest.mark.browser
browser, show = base.browser, base.show
choose, press, status = base.choose, base.press, base.status

PARITY = {"even": {"0": "even", "1": "odd"}, "odd": {"0": "odd", "1": "even"}}
FLIP_FLOP = {
    state: {"write red": "red", "write green": "green", "write blue": "blue", "ignore": state}
    for state in ("none", "red", "green", "blue")
}
COMMANDS = ["ignore", "write red", "ignore", "ignore", "write blue", "ignore", "write green"]
TEXT = "The cow eats grass. The cow sleeps; the fox sees the cow. ¿Qué?\n"
TOKENIZER = BytePairTokenizer.fit(4 * TEXT + "the other mother and the others there " * 9, 320)
TEXTS = {"seen in training": TEXT, "new": "The mother of the fox, 1234567, naïve 日本"}
MODELS = {
    "GPT-2": {"parameters": 124_439_808, "layers": 12, "width": 768, "context": 1024, "note": "tokens unpublished"},
    "GPT-3": {"parameters": 174.6e9, "tokens": 300e9, "layers": 96, "width": 12288, "context": 2048},
    "grouped": {
        "parameters": 8e9,
        "tokens": 15e12,
        "layers": 32,
        "width": 4096,
        "key_value_width": 1024,
        "context": 8192,
    },
}
HARDWARE = {"one CPU core": 5e10, "A100, bfloat16": 312e12}
FIGURES = {
    "byte_pair_player": lambda: walkthroughs.byte_pair_player(TEXTS, TOKENIZER.merges),
    "cost_calculator": lambda: walkthroughs.cost_calculator(MODELS, HARDWARE),
    "automaton_player": lambda: walkthroughs.automaton_player(
        PARITY, "even", ["1101", "1", "1011001110001011"], accepting=["even"]
    ),
    "flip_flop": lambda: walkthroughs.automaton_player(FLIP_FLOP, "none", [COMMANDS]),
}


def drive(kind, page):
    """Bring a figure into the state that shows the most."""
    if kind == "byte_pair_player":
        page.get_by_role("slider").fill("25")
    elif kind == "cost_calculator":
        choose(page, "Model", "GPT-3")
    elif kind == "automaton_player":
        choose(page, "Word", "1011001110001011")
    if kind in ("automaton_player", "flip_flop"):
        for _ in range(5):
            press(page, "Next step")
    page.wait_for_timeout(100)  # drawings follow in the next frame


# ---- automata ------------------------------------------------------------------------------------


def test_automaton_runs_on_one_clock(show):
    page = show(FIGURES["automaton_player"]())
    back, forward, end = (page.get_by_role("button", name=name) for name in ("Back", "Next step", "To the end"))
    assert back.get_attribute("aria-disabled") == "true"
    said = "One at a time: nothing is read, the state is even. Pair by pair, round 0 of 2: 4 maps are left."
    assert status(page) == f"Step 0 of 4. {said}"
    forward.focus()
    expected = [
        "“1” is read, the state is odd. Pair by pair, round 1 of 2: 2 maps are left.",
        "“11” is read, the state is even. Pair by pair, round 2 of 2: "
        "the map of the whole word takes even to odd, not accepted, 2 steps before the other run.",
        "“110” is read, the state is even. Pair by pair, round 2 of 2: "
        "the map of the whole word takes even to odd, not accepted.",
        "“1101” is read, the state is odd, not accepted. Pair by pair, round 2 of 2: "
        "the map of the whole word takes even to odd, not accepted.",
    ]
    for t, said in enumerate(expected, 1):
        page.keyboard.press("Enter")
        assert status(page) == f"Step {t} of 4. One at a time: {said}"
    page.keyboard.press("Enter")
    assert status(page).startswith("Step 4 of 4")
    assert forward.get_attribute("aria-disabled") == end.get_attribute("aria-disabled") == "true"
    press(page, "Back")
    assert status(page).startswith("Step 3 of 4")
    press(page, "Start again")
    assert status(page).startswith("Step 0 of 4")
    choose(page, "Word", "1")
    press(page, "To the end")
    assert status(page).startswith("Step 1 of 1") and "round 0 of 0: the map of the whole word" in status(page)


def test_automaton_joins_maps_as_python_does(show):
    for widget, words in ((FIGURES["automaton_player"](), 3), (FIGURES["flip_flop"](), 1)):
        page = show(widget)
        table = re.search("Maps that are left(.*)</table>", widget.table, re.S)[1]
        rounds = re.findall("<td>(\\d+)</td><td>(.*?)</td>", table)
        for word in range(words):
            if words > 1:
                page.get_by_role("combobox").select_option(str(word))
            while True:
                number, maps = rounds.pop(0)
                found = [
                    " ".join(row.locator("td").all_inner_texts()) for row in page.locator(".cw-live tbody tr").all()
                ]
                assert found == maps.split("; ")
                assert f"round {number} of" in status(page)
                if "whole word" in status(page):
                    break
                press(page, "Next step")
        assert not rounds


def test_automaton_draws_the_path_and_the_maps(show):
    page = show(FIGURES["automaton_player"]())
    press(page, "Next step")
    page.wait_for_timeout(100)
    run, tree = page.locator("svg desc").all_text_contents()
    assert run == "The states passed through, one symbol at a time. From even, 1 to odd."
    assert tree == "The maps after 1 round of joining. 11: even → even, odd → odd; 01: even → odd, odd → even."
    assert page.locator("svg").nth(1).locator("rect").count() == 6  # four maps, and two joined
    thick = page.locator("svg").nth(1).locator("line[style*='stroke-width: 3']")
    assert thick.count() == 2  # of the first symbol, and of the first two


# ---- byte pairs ----------------------------------------------------------------------------------


def tokens(page):
    return page.locator("ol li").all_inner_texts()


def test_pairs_are_merged_as_the_tokenizer_merges(show):
    page = show(FIGURES["byte_pair_player"]())
    for name, text in TEXTS.items():
        choose(page, "Text", name)
        assert status(page) == f"No merge yet: {len(text.encode())} tokens, one for each byte."
        for n in (1, 10, 25, len(TOKENIZER.merges)):
            page.get_by_role("slider").fill(str(n))
            partial = BytePairTokenizer(TOKENIZER.merges[:n])
            expected = [walkthroughs._readable(token) for token in partial.vocab.decode(partial.encode(text))]
            assert tokens(page) == expected
            left, right = map(walkthroughs._readable, TOKENIZER.merges[n - 1])
            assert status(page).startswith(
                f"Merge {n} of {len(TOKENIZER.merges)}, “{left}” and “{right}” to “{left}{right}”, "
            )
            assert status(page).endswith(f": {len(expected)} tokens.")
            bytes_, now, ratio = page.locator(".cw-numbers strong").all_inner_texts()
            assert (int(bytes_), int(now)) == (len(text.encode()), len(expected))
            assert float(ratio) == pytest.approx(len(text.encode()) / len(expected), abs=6e-3)


def test_pairs_go_to_the_merges_that_change_the_text(show):
    page = show(walkthroughs.byte_pair_player("cd ab ab", [("a", "b"), ("x", "y"), ("c", "d"), ("u", "v")]))
    back, forward = (page.get_by_role("button", name=name) for name in ("Back", "Next merge"))
    assert back.get_attribute("aria-disabled") == "true"
    forward.focus()
    page.keyboard.press("Enter")
    assert status(page) == "Merge 1 of 4, “a” and “b” to “ab”, 2 times in this text: 6 tokens."
    assert tokens(page) == ["c", "d", "␣", "ab", "␣", "ab"]
    assert page.locator("li.cw-chip-now").all_inner_texts() == ["ab", "ab"]
    page.keyboard.press("Enter")
    assert status(page) == "Merge 3 of 4, “c” and “d” to “cd”, once in this text: 5 tokens."
    page.keyboard.press("Enter")
    assert status(page) == "Merge 4 of 4, “u” and “v” to “uv”, not in this text: 5 tokens."
    assert page.locator("li.cw-chip-now").count() == 0
    page.keyboard.press("Enter")
    assert forward.get_attribute("aria-disabled") == "true" and status(page).startswith("Merge 4 of 4")
    for expected in ("Merge 3", "Merge 1", "No merge"):
        press(page, "Back")
        assert status(page).startswith(expected)
    press(page, "All merges")
    slider = page.get_by_role("slider")
    slider.focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert slider.get_attribute("aria-valuetext") == "2 merges, 6 tokens"
    press(page, "Start again")
    page.wait_for_timeout(50)
    assert page.locator("svg text").all_text_contents()[:3] == ["0", "5", "0"]  # tokens, then the first merge
    words = page.locator("svg desc").text_content()
    assert words.endswith("8 at first, 8 after 0, 5 after all 4; never below 3.")


# ---- costs ---------------------------------------------------------------------------------------


def values(page):
    return {
        line.locator("th").inner_text(): line.locator("td").last.inner_text()
        for line in page.locator(".cw-live tbody tr").all()
    }


def test_costs_agree_with_python(show):
    widget = FIGURES["cost_calculator"]()
    page = show(widget)
    table = re.findall("<tr><th.*?>(.*?)</th>(.*?)</tr>", re.search("<tbody>(.*)</tbody>", widget.table)[1])
    for name, cells in table:
        choose(page, "Model", name.split(" (")[0])
        _, _, ratio, _, time, weights, adam, cache = re.findall("<td>(.*?)</td>", cells)
        found = values(page)
        assert (
            found["Tokens per parameter"].replace(",", "") == f"{float(ratio):g}" if ratio != "unknown" else "unknown"
        )
        assert found["Time to train"] == time
        assert found["Weights"] == weights
        assert found["Training with Adam in float32"] == adam
        assert found["Key–value cache, all"] == cache


def test_costs_follow_every_number(show):
    page = show(FIGURES["cost_calculator"]())
    note = page.locator(".cw-live .cw-caption")
    assert note.inner_text() == "tokens unpublished"
    choose(page, "Model", "GPT-3")
    assert not note.is_visible()
    assert values(page)["FLOPs to train"] == "3.14 × 10²³"
    choose(page, "Hardware", "A100, bfloat16")
    for label, value in (
        ("Devices", 1000),
        ("Texts at once", 16),
        ("Context", 1000),
        ("Parameters", 1000),
        ("Training tokens", 20000),
    ):
        page.get_by_label(label).fill(str(value))
    page.get_by_label("Share").fill("0.5")
    choose(page, "Bytes a number", "4 (float32)")
    seconds = 6 * 1e9 * 20e9 / (1000 * 0.5 * 312e12)
    assert values(page) == {
        "Tokens per parameter": "20",
        "FLOPs to train": "1.20 × 10²⁰",
        "Time to train": f"{seconds / 60:.3g} minutes",
        "FLOPs for each token read or written": "2.00 × 10⁹",
        "Weights": "4 GB",
        "Training with Adam in float32": "16 GB",
        "Key–value cache, each token": "9.44 MB",
        "Key–value cache, all": f"{2 * 96 * 12288 * 1000 * 16 * 4 / 1e9:.3g} GB",
    }
    assert (
        status(page)
        == "To train: 1.20 × 10²⁰ FLOPs, 12.8 minutes, 16 GB with Adam. To run: weights 4 GB, cache 151 GB."
    )
    assert page.get_by_label("Share").get_attribute("aria-valuetext") == "50 % of the peak, 12.8 minutes to train"


def test_costs_say_which_number_makes_no_sense(show):
    page = show(FIGURES["cost_calculator"]())
    field = page.get_by_label("Layers")
    field.fill("-3")
    page.keyboard.press("Tab")
    assert status(page) == "Layers L: give a positive number, or leave it empty."
    assert field.get_attribute("aria-invalid") == "true"
    assert values(page)["Key–value cache, all"] == "unknown" and values(page)["Weights"] == "249 MB"
    field.fill("")
    page.keyboard.press("Tab")
    assert field.get_attribute("aria-invalid") == "false" and "cache unknown" in status(page)

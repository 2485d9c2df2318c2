"""The interactive figures as they stand in the built chapters, with the keyboard alone."""

import re

import pytest

from tests.browser.conftest import new_page, none, open_page


@pytest.fixture(params=["light", "dark"])
def figure(request, contexts, site):
    """figure(chapter, kind, nth): the nth figure of that kind, and nothing but the keyboard from there on."""
    page = new_page(contexts[request.param])

    def find(chapter, kind, nth=0):
        open_page(page, f"{site}/notebooks/{chapter}.html")
        found = page.locator(f".course-widget[data-kind={kind}][data-ready]").nth(nth)
        found.locator(":is(button, input):visible").first.focus()
        return found

    yield find
    page.close()
    none(page.complaints)


def tab_to(figure, name):
    """Press Tab, and then Shift+Tab for what lies before, until the control of that name has the focus."""
    wanted = (
        figure.get_by_role("button", name=name)
        .or_(figure.get_by_label(name))
        .and_(figure.locator(":is(button, input, select):focus"))
    )
    for key in ["Tab"] * 20 + ["Shift+Tab"] * 45:
        if wanted.count():
            return
        figure.page.keyboard.press(key)
    raise AssertionError(f"Tab does not lead to {name!r}")


def press(figure, name, key="Enter"):
    tab_to(figure, name)
    figure.page.keyboard.press(key)


def status(figure):
    return figure.get_by_role("status").text_content()


def test_die_rolls_towards_the_entropy(figure):
    die = figure("01_language_modeling", "weighted_die")
    assert "Not rolled yet" in status(die)
    press(die, "Roll once")
    assert "You rolled" in status(die)
    press(die, "Roll 1000", "Space")
    assert "1,001 rolls so far" in status(die)
    rolls, surprise, entropy = die.locator(".cw-numbers strong").all_inner_texts()
    assert rolls == "1,001"
    assert float(surprise.split()[0]) == pytest.approx(float(entropy.split()[0]), rel=0.25)


def test_chain_walks_to_the_end(figure):
    chain = figure("01_language_modeling", "chain")
    forward = chain.get_by_role("button", name="Next token")
    for _ in range(30):
        if forward.get_attribute("aria-disabled") == "true":
            break
        press(chain, "Next token")
    last, tokens = re.match(r"Token (\d+) of (\d+)", status(chain)).groups()
    assert last == tokens
    assert chain.locator(".cw-live tbody tr:visible").count() == int(tokens)


def test_explorer_answers(figure):
    explorer = figure("02_ngrams", "context_explorer")
    page = explorer.page
    tab_to(explorer, "Context")
    page.keyboard.press("Control+a")
    page.keyboard.type("the")
    page.keyboard.press("Enter")
    assert re.match("“the”.* was seen; most often “.+” follows", status(explorer))
    assert explorer.locator(".cw-panel tbody tr").count() > 1
    tab_to(explorer, "Context")
    page.keyboard.press("Control+a")
    page.keyboard.type("the xylophone")
    page.keyboard.press("Enter")
    assert "“xylophone” is not a word of this text" in explorer.locator(".cw-panel").first.inner_text()
    assert "was never seen; the empty context was, and most often" in status(explorer)


def test_game_can_be_played_to_the_end(figure):
    game = figure("02_ngrams", "which_is_real")
    rounds = int(re.search(r"Round 1 of (\d+)", game.inner_text())[1])
    for played in range(1, rounds + 1):
        press(game, "Passage A is real")
        assert re.match("(Right|Wrong)", status(game))
        assert f"of {played}." in status(game)
        press(game, "Show the result" if played == rounds else "Next round")
    assert re.match(rf"Score: \d+ of {rounds}\. By source: ", status(game))
    assert game.locator(".cw-live tbody tr").count() > 1
    press(game, "Play again")
    assert status(game) == "Choose a passage."


def test_descent_runs_to_the_end(figure):
    descent = figure("03_learning_by_gradient", "descent")
    assert status(descent).startswith("At the start the loss is")
    press(descent, "10 steps")
    assert status(descent).startswith("10 updates")
    press(descent, "Run")  # at once, since the page asks for less motion
    assert re.search("This is the end of the run|The steps diverge|choose a smaller step size", status(descent))
    press(descent, "Reset", "Space")
    assert status(descent).startswith("At the start the loss is")


def test_gradient_travels_back(figure):
    travel = figure("05_bptt", "gradient_travel")
    assert status(travel).startswith("After 20 steps")
    press(travel, "Back to the end")
    assert "Press Play to send it back" in status(travel)
    press(travel, "One step")
    press(travel, "One step")
    assert status(travel).startswith("After 2 steps")
    press(travel, "Play")
    assert re.match(r"After \d+ steps", status(travel))
    assert travel.get_by_role("button", name="Play").get_attribute("aria-disabled") == "true"


def test_lstm_unit_is_played(figure):
    player = figure("06_lstm_gru", "lstm_player")
    assert status(player).startswith("Nothing done yet")
    press(player, "Forget gate", "ArrowRight")
    press(player, "Input gate", "End")
    press(player, "Play the rest")
    assert re.match(r"Step \d+.*: c = .*, h = ", status(player))
    press(player, "Back")
    press(player, "Start again")
    assert status(player).startswith("Nothing done yet")


def test_words_are_walked_and_move(figure):
    words = figure("08_word_embeddings", "embedding_map")
    nearest = re.match("Nearest to “.+?” is “(.+?)”", status(words))[1]
    press(words, nearest)
    assert status(words).startswith(f"Nearest to “{nearest}” is ")
    for _ in range(2):
        before = status(words)
        press(words, "Next step")  # at once, since the page asks for less motion
        assert status(words) != before


def test_an_analogy_is_asked(figure):
    words = figure("08_word_embeddings", "embedding_map", 1)
    press(words, "Show", "ArrowDown")
    answer = re.match("“man” is to “woman” as “king” is to “.+?”", status(words))
    press(words, "as c", "ArrowDown")
    assert re.match("“man” is to “woman” as “.+?” is to “.+?”", status(words))[0] != answer[0]
    press(words, "Show", "ArrowUp")
    assert status(words).startswith("Nearest to ")


def test_decoder_reads_its_own_words(figure):
    player = figure("09_seq2seq", "decoding_player")
    assert status(player).startswith("Step 1 of")
    press(player, "Next word")
    press(player, "Next word", "Space")
    assert re.match(r"Step 3 of \d+, teacher forcing: reads “.+”, says “.+”", status(player))
    press(player, "The decoder reads", "ArrowDown")
    assert re.match(r"Step 3 of \d+, its own words: reads “.+”, says “.+”", status(player))
    press(player, "Back")
    press(player, "Start again")
    assert status(player).startswith("Step 1 of")


def test_attention_is_explored(figure):
    explorer = figure("10_attention", "attention_explorer")
    first = status(explorer)
    press(explorer, "Example", "ArrowDown")
    assert status(explorer) != first
    explorer.page.keyboard.press("Tab")  # to the words
    explorer.page.keyboard.press("Home")
    assert re.match(r"“.+”, word 1 of \d+, looks most at", status(explorer))
    explorer.page.keyboard.press("ArrowRight")
    assert re.match(r"“.+”, word 2 of \d+, looks most at", status(explorer))


def test_heads_of_attention_are_compared(figure):
    explorer = figure("10_attention", "attention_explorer", 1)
    press(explorer, "Head 2")
    assert explorer.locator("svg desc").text_content().startswith("Weights of head 2")
    press(explorer, "Head 1", "Space")
    assert explorer.locator("svg desc").text_content().startswith("Weights of head 1")
    explorer.page.keyboard.press("Shift+Tab")  # to the words
    explorer.page.keyboard.press("Home")
    assert re.match(r"“.+”, word 1 of \d+: head 1 looks most at “.+”.*; head 2 looks most at", status(explorer))


def test_a_beam_is_searched_to_the_end(figure):
    beam = figure("12_decoding", "beam_player")
    assert status(beam).startswith("Step 1 of")
    press(beam, "Width", "ArrowDown")
    width = int(re.match(r"Step 1 of \d+, width (\d+): 1 text with", status(beam))[1])
    forward = beam.get_by_role("button", name="Next step")
    for _ in range(12):
        if forward.get_attribute("aria-disabled") == "true":
            break
        press(beam, "Next step")
    assert re.search("The search is over. It found “.+?” .*(No text is better|Better is “.+”|unknown)", status(beam))
    aside = beam.locator("p", has_text="Finished so far").inner_text()
    assert 1 <= aside.count("ln q") <= width
    press(beam, "Back")
    assert "The search is over" not in status(beam)
    press(beam, "Start again", "Space")
    assert status(beam).startswith("Step 1 of")


def test_a_distribution_is_bent_and_drawn_from(figure):
    bender = figure("12_decoding", "distribution_bender")
    kept, _, before, after = bender.locator(".cw-numbers strong").all_inner_texts()
    assert before == after
    press(bender, "Top-k", "Home")
    kept, _, _, after = bender.locator(".cw-numbers strong").all_inner_texts()
    assert kept.startswith("1 of ") and after == "0.000 nats"
    press(bender, "Draw a word")
    assert re.match("Draw 1: “.+”, with probability 1.000 after the bend", status(bender))
    press(bender, "Straighten")
    assert status(bender).startswith("Nothing drawn yet")
    press(bender, "Temperature", "ArrowRight")
    _, _, before, after = bender.locator(".cw-numbers strong").all_inner_texts()
    assert float(after.split()[0]) > float(before.split()[0])
    press(bender, "Draw 100", "Space")
    assert status(bender).startswith("100 words drawn")
    press(bender, "Distribution", "End")
    kept, _, before, after = bender.locator(".cw-numbers strong").all_inner_texts()
    assert (kept, before) == ("8 of 8", after)
    press(bender, "Top-k", "Home")  # eight equal nouns: none is cut before another
    assert "1, and 7 as probable" in bender.inner_text()
    assert bender.locator(".cw-numbers strong").first.inner_text() == kept


def test_byte_pairs_are_merged(figure):
    pairs = figure("13_large_language_models", "byte_pair_player")
    first = int(re.match(r"No merge yet: (\d+) tokens", status(pairs))[1])
    press(pairs, "Next merge")
    assert re.match(r"Merge \d+ of [\d,]+, “.+” and “.+” to “.+”, .+ in this text: \d+ tokens", status(pairs))
    press(pairs, "All merges", "Space")
    assert pairs.locator("ol li").count() < first
    press(pairs, "Merges:", "Home")
    assert status(pairs).startswith("No merge yet")
    assert pairs.locator("ol li").count() == first


def test_costs_are_reckoned(figure):
    costs = figure("13_large_language_models", "cost_calculator")
    first = status(costs)
    press(costs, "Model", "ArrowDown")
    assert status(costs) != first and status(costs).startswith("To train: ")
    tab_to(costs, "Parameters N")
    for key in ("Control+a", "1", "0", "0", "0", "Tab"):  # a thousand millions
        costs.page.keyboard.press(key)
    assert "16 GB with Adam" in status(costs) and "weights 2 GB" in status(costs)
    press(costs, "Bytes a number", "ArrowDown")
    assert "weights 1 GB" in status(costs)


def test_an_automaton_is_run_in_two_ways(figure):
    machine = figure("14_what_models_compute", "automaton_player")
    steps, rounds = map(int, re.match(r"Step 0 of (\d+)\..* round 0 of (\d+):", status(machine)).groups())
    for _ in range(rounds):
        press(machine, "Next step")
    early = re.match(rf"Step {rounds} of {steps}\..* the map of the whole word takes (.+?) to (\w+)", status(machine))
    press(machine, "To the end", "Space")
    assert re.match(rf"Step {steps} of {steps}\. .* is read, the state is {early[2]}", status(machine))
    press(machine, "Back")
    press(machine, "Start again")
    assert status(machine).startswith("Step 0 of")

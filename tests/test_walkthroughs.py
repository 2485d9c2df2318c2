"""The walking-through figures as Python makes them: what they embed, the tables of results, what they refuse."""

import numpy as np
import pytest
from interactive import NASTY, check_escaped, check_page, embedded, rows

from course_lib import walkthroughs
from course_lib.bpe import BytePairTokenizer
from course_lib.tasks.automata import Automaton, composed

TOKENIZER = BytePairTokenizer.fit("the cow eats the grass, the fox sees the cow and the other mother " * 3, 290)
MODELS = {
    "GPT-2": {"parameters": 124_439_808, "layers": 12, "width": 768, "context": 1024, "note": "official"},
    "GPT-3": {"parameters": 174.6e9, "tokens": 300e9, "layers": 96, "width": 12288, "context": 2048},
    "rumoured": {"parameters": 1.8e12, "tokens": 13e12, "layers": None},
    "grouped": {"parameters": 8e9, "layers": 32, "width": 4096, "key_value_width": 1024, "context": 8192},
}
HARDWARE = {"A100": 312e12, "core": 5e10}
PARITY = {"even": {"0": "even", "1": "odd"}, "odd": {"0": "odd", "1": "even"}}
EXAMPLES = {
    "byte_pair_player": lambda **options: walkthroughs.byte_pair_player("the cow", TOKENIZER.merges, **options),
    "cost_calculator": lambda **options: walkthroughs.cost_calculator(MODELS, HARDWARE, **options),
    "automaton_player": lambda **options: walkthroughs.automaton_player(PARITY, "even", ["1101", "1"], **options),
}


@pytest.mark.parametrize("kind", EXAMPLES)
def test_html_is_complete_and_the_same_every_time(kind):
    check_page(EXAMPLES[kind], kind)


def test_no_text_can_leave_its_place():
    machine = {NASTY: {NASTY: "b"}, "b": {NASTY: NASTY}}
    check_escaped(walkthroughs.automaton_player(machine, "b", [[NASTY]], title=NASTY))
    check_escaped(walkthroughs.cost_calculator({NASTY: {"parameters": 1, "note": NASTY}}, {NASTY: 1}, title=NASTY))
    check_escaped(walkthroughs.byte_pair_player({NASTY: "<b>"}, [("<", "b"), ("<b", ">")], title=NASTY))


def test_pages_stay_small():
    rng = np.random.default_rng(0)
    letters = list("abcdefgh ijklmno pqrst")
    tokenizer = BytePairTokenizer.fit("".join(rng.choice(letters, size=8_000)), 1260)
    assert len(tokenizer.merges) == 1000
    texts = {str(i): "".join(rng.choice(letters, size=400)) for i in range(6)}
    assert len(walkthroughs.byte_pair_player(texts, tokenizer.merges)._repr_html_().encode()) < 150_000


# ---- automata ------------------------------------------------------------------------------------


def test_automaton_embeds_numbers_for_its_names():
    data = embedded(EXAMPLES["automaton_player"](accepting=["even"]))
    assert (data["states"], data["symbols"], data["start"]) == (["even", "odd"], ["0", "1"], 0)
    assert data["accepting"] == [True, False]
    assert data["maps"] == [[0, 1], [1, 0]]
    assert data["words"] == [[1, 1, 0, 1], [1]]


def test_automaton_table_has_the_rules_the_run_and_the_rounds():
    widget = EXAMPLES["automaton_player"](accepting=["odd"])
    assert rows(widget) == [
        ["State", "0", "1"],
        ["even", "even", "odd"],
        ["odd (accepting)", "odd", "even"],
        ["Word", "One symbol at a time"],
        ["1101", "even → odd → even → even → odd"],
        ["1", "even → odd"],
        ["Word", "Round", "Maps that are left"],
        ["1101", "0", "odd even; odd even; even odd; odd even"],
        ["1101", "1", "even odd; odd even"],
        ["1101", "2", "odd even"],
        ["1", "0", "odd even"],
    ]
    assert "the states that follow even, odd" in widget.table
    spelled = walkthroughs.automaton_player({"a": {"go": "b"}, "b": {"go": "a"}}, "a", [["go", "go", "go"]])
    assert rows(spelled)[4] == ["go go go", "a → b → a → b"]


@pytest.mark.parametrize("length", [1, 2, 3, 5, 8, 11, 16])
def test_automaton_rounds_agree_with_running_and_with_the_scan(length):
    rng = np.random.default_rng(length)
    machine = Automaton(rng.integers(0, 5, size=(3, 5)))
    word = rng.integers(0, 3, size=length)
    left = walkthroughs._rounds([tuple(row) for row in machine.maps[word].tolist()])
    every, scanned = composed(machine.maps[word])
    assert left[-1] == [tuple(every[-1].tolist())]
    assert len(left) - 1 == scanned == int(np.ceil(np.log2(length)))
    assert left[-1][0][0] == machine.run(word)[-1]


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"transitions": {"a": {"0": "a"}}}, "1 states and 1 symbols"),
        ({"transitions": {str(q): {"0": "0"} for q in range(7)}}, "7 states and 1 symbols"),
        ({"transitions": {"a": {}, "b": {}}}, "2 states and 0 symbols"),
        ({"transitions": {q: {str(i): q for i in range(9)} for q in "ab"}}, "2 states and 9 symbols"),
        ({"transitions": {"even": {"0": "even", "1": "odd"}, "odd": {"0": "odd"}}}, "state 'odd' has no '1'"),
        ({"transitions": {"even": {"0": "even"}, "odd": {"0": "out"}}}, "'odd' goes to 'out' with '0'"),
        ({"start": "out"}, "names 'out'"),
        ({"accepting": ["even", "out"]}, "names 'out'"),
        ({"words": []}, "0 words given"),
        ({"words": ["1"] * 9}, "9 words given"),
        ({"words": [""]}, "the word '' must have"),
        ({"words": ["0" * 17]}, "must have 1 to 16 symbols"),
        ({"words": ["012"]}, "all of them from"),
    ],
)
def test_automaton_refuses(options, complaint):
    with pytest.raises(ValueError, match=complaint):
        walkthroughs.automaton_player(**{"transitions": PARITY, "start": "even", "words": ["1"], **options})


# ---- byte pairs ----------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["the cow eats", "A new mother!\n", "naïve 日本 \t the"])
def test_pairs_end_where_the_tokenizer_does(text):
    stages = walkthroughs._stages(text, TOKENIZER.merges)
    assert len(stages) == len(TOKENIZER.merges) + 1
    final = [token for chunk in stages[-1] for token in chunk]
    assert final == TOKENIZER.vocab.decode(TOKENIZER.encode(text))
    assert sum(map(len, stages[0])) == len(text.encode())


def test_pairs_are_named_so_that_they_can_be_read():
    data = embedded(walkthroughs.byte_pair_player({"x": "the é\n"}, TOKENIZER.merges))
    assert data["texts"] == [{"name": "x", "chunks": [list("the"), ["Ġ", "Ã", "©"], ["Ċ"]]}]
    assert data["merges"] == [list(pair) for pair in TOKENIZER.merges]
    assert data["names"]["Ġ"] == "␣" and data["names"]["Ċ"] == "↵"
    assert data["names"]["Ã"] == "C3" and data["names"]["©"] == "A9"
    assert data["names"]["Ġthe"] == "␣the" and "the" not in data["names"]


def test_pairs_table_shows_some_stages():
    found = rows(EXAMPLES["byte_pair_player"]())
    assert found[0] == ["Merges", "Tokens", "The text"]
    assert found[1] == ["0", "7", "t | h | e | ␣ | c | o | w"]
    assert TOKENIZER.merges[:2] == [("h", "e"), ("t", "he")]
    assert found[2] == ["1", "6", "t | he | ␣ | c | o | w"]
    assert [line[0] for line in found[1:]] == ["0", "1", "3", "10", str(len(TOKENIZER.merges))]
    assert found[-1] == ["30", "2", "the | ␣cow"]
    assert rows(walkthroughs.byte_pair_player("aa", [("a", "a")]))[1:] == [["0", "2", "a | a"], ["1", "1", "aa"]]


@pytest.mark.parametrize(
    ("texts", "merges", "complaint"),
    [
        ({}, TOKENIZER.merges, "0 texts given"),
        (dict.fromkeys("abcdefg", "x"), TOKENIZER.merges, "7 texts given"),
        ("", TOKENIZER.merges, "'the text' has 0 bytes"),
        ({"long": "é" * 201}, TOKENIZER.merges, "'long' has 402 bytes"),
        ("a", [], "0 merges given"),
        ("a", [("a", "b")] * 1001, "1001 merges given"),
        ("a", [("th", "e")], "the merge"),
    ],
)
def test_pairs_refuse(texts, merges, complaint):
    with pytest.raises(ValueError, match=complaint):
        walkthroughs.byte_pair_player(texts, merges)


# ---- costs ---------------------------------------------------------------------------------------


def test_costs_embed_what_is_known():
    data = embedded(EXAMPLES["cost_calculator"]())
    assert data["models"][0] == {
        "name": "GPT-2", "note": "official", "parameters": 124_439_808, "tokens": None, "layers": 12, "width": 768,
        "context": 1024,
    }  # fmt: skip
    assert data["models"][2]["layers"] is None and data["models"][3]["width"] == 1024
    assert data["hardware"] == [["A100", 312e12], ["core", 5e10]] and data["share"] == 0.4


def test_costs_table():
    head, *body = rows(EXAMPLES["cost_calculator"]())
    assert head[:3] == ["Model", "Parameters N", "Tokens D"]
    unknown = ["unknown"] * 4
    assert body[0] == ["GPT-2 (official)", "124,439,808", *unknown, "249 MB", "1.99 GB", "37.7 MB"]
    years = 6 * 174.6e9 * 300e9 / (0.4 * 312e12) / 31556952
    assert body[1] == [
        "GPT-3", "174,600,000,000", "3e+11", "1.72", "3.14e+23", f"{years:.3g} years", "349 GB", "2.79 TB", "9.66 GB"
    ]  # fmt: skip
    assert body[2][-1] == "unknown"
    assert body[3][-1] == "1.07 GB"  # 2 x 32 layers x 1,024 x 8,192 x 2 bytes
    words = "one A100 at 40 % of its peak of 3.12e+14 FLOP/s"
    assert words in EXAMPLES["cost_calculator"]().table


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.001, "0.001 seconds"), (119, "119 seconds"), (120, "2 minutes"), (7200, "2 hours"), (86400, "24 hours"),
     (4e5, "4.63 days"), (5.2e6, "1.98 months"), (1e8, "3.17 years"), (1.571e13, "498,000 years")],
)  # fmt: skip
def test_spans_of_time(seconds, text):
    assert walkthroughs._span(seconds) == text


@pytest.mark.parametrize(
    ("size", "text"), [(0.5, "0.5 B"), (999, "999 B"), (1000, "1 kB"), (1.5e12, "1.5 TB"), (3e19, "30,000 PB")]
)
def test_amounts_of_memory(size, text):
    assert walkthroughs._amount(size) == text


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"models": {}}, "0 models and 2 kinds"),
        ({"models": {str(i): {"parameters": 1} for i in range(13)}}, "13 models"),
        ({"hardware": {}}, "4 models and 0 kinds"),
        ({"hardware": {str(i): 1 for i in range(13)}}, "13 kinds"),
        ({"models": {"x": {"layers": 2}}}, "model 'x' has no 'parameters'"),
        ({"models": {"x": {"parameters": None}}}, "model 'x' has no number of parameters"),
        ({"models": {"x": {"parameters": 1, "tokens": 0}}}, "model 'x' has tokens=0"),
        ({"models": {"x": {"parameters": float("nan")}}}, "model 'x' has parameters=nan"),
        ({"models": {"x": {"parameters": 1, "key_value_width": -1}}}, "key_value_width=-1"),
        ({"hardware": {"y": None}}, "hardware 'y' has no rate"),
        ({"hardware": {"y": float("inf")}}, "hardware has y=inf"),
    ],
)
def test_costs_refuse(options, complaint):
    with pytest.raises(ValueError, match=complaint):
        walkthroughs.cost_calculator(**{"models": MODELS, "hardware": HARDWARE, **options})

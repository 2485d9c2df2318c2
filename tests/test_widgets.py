"""The interactive figures as Python makes them: validation, ids, escaping, the substitute table."""

import math

import pytest
from interactive import NASTY, check_escaped, check_page, embedded

from course_lib import widgets

COWS = {"grass": 4 / 11, "corn": 3 / 11, "hay": 2 / 11, "clover": 1 / 11, "water": 1 / 11}
STEPS = [
    {"context": "", "token": "the", "candidates": {"the": 0.75, "a": 0.25}},
    {"context": ["the"], "token": "cow", "candidates": {"cow": 0.5, "fox": 0.5}},
]
TEXT = [s.split() for s in ("the cow eats grass", "the cow sleeps", "a fox eats the cow")]
ROUNDS = [
    {"real": "The fox slept.", "fake": "The the fox .", "source": "1-gram"},
    {"real": "It rained.", "fake": "It fox.", "source": "2-gram"},
]
EXAMPLES = {
    "weighted_die": lambda: widgets.weighted_die(COWS),
    "chain": lambda: widgets.chain(STEPS),
    "context_explorer": lambda: widgets.context_explorer(TEXT),
    "which_is_real": lambda: widgets.which_is_real(ROUNDS),
    "curve": lambda: widgets.curve([1, 2, 3], {"train": [3, 2, 1]}, "n", "loss", {"floor": 0.5}),
}


@pytest.mark.parametrize("kind", EXAMPLES)
def test_html_is_complete_and_the_same_every_time(kind):
    check_page(EXAMPLES[kind], kind, url=r"url\(")  # these need no clipping either


def test_ids_differ_with_the_data_and_with_the_kind():
    made = [make() for make in EXAMPLES.values()]
    made += [
        widgets.weighted_die(COWS, seed=1),
        widgets.weighted_die(COWS, title="Another"),
        widgets.chain(STEPS[:1]),
    ]
    assert len({w.id for w in made}) == len(made)


def test_no_text_can_leave_its_place():
    for widget in (
        widgets.weighted_die({NASTY: 1.0}, title=NASTY),
        widgets.context_explorer([[NASTY]]),
        widgets.which_is_real([{"real": NASTY, "fake": "b", "source": NASTY}], question=NASTY),
        widgets.chain([{"context": NASTY, "token": NASTY, "candidates": {NASTY: 1.0}}]),
        widgets.curve([0, 1], {NASTY: [0, 1]}, NASTY, NASTY, {NASTY: 1}),
    ):
        check_escaped(widget)


def test_die_pools_all_but_eleven_and_knows_the_entropy():
    many = {str(i): 1 / 40 for i in range(40)}
    data = embedded(widgets.weighted_die(many))
    assert data["rows"] == 11
    assert len(data["p"]) == 40
    assert data["entropy"] == pytest.approx(math.log(40))
    assert "other (29)" in widgets.weighted_die(many)._repr_html_()
    assert embedded(widgets.weighted_die({"a": 1.0, "b": 0.0}))["entropy"] == 0


@pytest.mark.parametrize(
    ("distribution", "complaint"),
    [
        ({}, "empty"),
        ({"a": 0.5}, r"sums to 0\.5"),
        ({"a": 1.5, "b": -0.5}, "'b' the value -0.5"),
        ({"a": math.nan}, "'a' the value nan"),
        ({"a": math.inf}, "'a' the value inf"),
    ],
)
def test_what_is_no_distribution_is_refused(distribution, complaint):
    with pytest.raises(ValueError, match=complaint):
        widgets.weighted_die(distribution)
    with pytest.raises(ValueError, match="step 0"):
        widgets.chain([{"context": "", "token": "a", "candidates": distribution}])


def test_chain_shows_the_chosen_token_however_rare():
    candidates = {str(i): 0.1 for i in range(9)} | {"rare": 0.06, "rarer": 0.04}
    step = embedded(widgets.chain([{"context": ["x", "y"], "token": "rarer", "candidates": candidates}]))[
        "steps"
    ][0]
    assert step["shown"][-1] == ["rarer", 0.04]
    assert step["rest"] == [5, pytest.approx(0.46)]
    assert step["context"] == "x y"


@pytest.mark.parametrize(
    ("steps", "complaint"),
    [
        ([], "steps is empty"),
        ([{"token": "a", "candidates": {"a": 1.0}}], "step 0 has no 'context'"),
        ([{"context": "", "token": "b", "candidates": {"a": 1.0}}], "step 0 goes on with 'b'"),
    ],
)
def test_chain_refuses(steps, complaint):
    with pytest.raises(ValueError, match=complaint):
        widgets.chain(steps)


def test_explorer_embeds_numbers_that_stand_for_the_text():
    data = embedded(widgets.context_explorer(TEXT))
    words = [data["vocabulary"][i] for i in data["ids"]]
    assert words[:6] == ["<bos>", "the", "cow", "eats", "grass", "<eos>"]
    assert len(words) == sum(len(s) + 2 for s in TEXT)
    assert data["examples"][0] == "the cow"


def test_explorer_substitute_table_has_the_ratio_of_counts():
    page = widgets.context_explorer(TEXT, order=2, examples=["the", "sad cow", "a purple"])._repr_html_()
    assert "<td>cow</td><td>3</td><td>3/3 = 1.000</td>" in page
    assert "<td>eats</td><td>1</td><td>1/3 = 0.333</td>" in page  # of "sad cow" a bigram sees "cow" alone
    assert "<td>never seen</td>" in page


def test_explorer_stays_small():
    text = [[f"w{(i * j) % 1999}" for j in range(30)] for i in range(1000)]
    assert len(widgets.context_explorer(text)._repr_html_()) < 250_000


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"sentences": []}, "sentences is empty"),
        ({"sentences": ["the cow"]}, "sentence 0 is the string"),
        ({"sentences": TEXT, "order": 6}, "order=6"),
        ({"sentences": TEXT, "order": 0}, "order=0"),
        ({"sentences": TEXT, "examples": "the cow"}, "is one string"),
    ],
)
def test_explorer_refuses(given, complaint):
    with pytest.raises(ValueError, match=complaint):
        widgets.context_explorer(**given)


def test_game_fixes_the_sides_by_the_text():
    rounds = [{"real": f"real {i}", "fake": f"fake {i}", "source": "1-gram"} for i in range(40)]
    sides = [r["first"] for r in embedded(widgets.which_is_real(rounds))["rounds"]]
    assert sides == [r["first"] for r in embedded(widgets.which_is_real(rounds))["rounds"]]
    assert 8 < sum(sides) < 32


@pytest.mark.parametrize(
    ("rounds", "complaint"),
    [
        ([], "rounds is empty"),
        ([{"real": "a", "fake": "b"}], "round 0 has no 'source'"),
        ([ROUNDS[0], {"real": "a", "fake": "a", "source": "x"}], "round 1 has 'a' as real and as fake"),
    ],
)
def test_game_refuses(rounds, complaint):
    with pytest.raises(ValueError, match=complaint):
        widgets.which_is_real(rounds)


@pytest.mark.parametrize(
    ("x", "series", "reference", "complaint"),
    [
        ([1], {"a": [1]}, {}, "two values or more"),
        ([2, 1], {"a": [1, 2]}, {}, "above the last"),
        ([1, 2], {}, {}, "0 curves"),
        ([1, 2], {str(i): [1, 2] for i in range(6)}, {}, "6 curves"),
        ([1, 2], {"a": [1]}, {}, "'a' has 1 values, x has 2"),
        ([1, 2], {"a": [1, math.nan]}, {}, "'a' holds"),
        ([1, 2], {"a": [1, 2]}, {"H": math.inf}, "'H' holds"),
    ],
)
def test_curve_refuses(x, series, reference, complaint):
    with pytest.raises(ValueError, match=complaint):
        widgets.curve(x, series, "x", "y", reference)

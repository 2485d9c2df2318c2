"""The drawing of merges: what it shows, that it can be read, and what it refuses."""

import matplotlib as mpl

mpl.use("Agg")

import drawings
import matplotlib.pyplot as plt
import numpy as np
import pytest
from drawings import arrows, boxes, labels

from course_lib.bpe import BytePairTokenizer
from course_lib.sketch import INPUT, OUTPUT, STATE
from course_lib.token_diagrams import merge_tree

MERGES = [("l", "o"), ("e", "r"), ("lo", "w"), ("n", "e"), ("low", "er")]
LONG = "abcdefghijkl"

DEFAULTS = {"merge tree": lambda ax=None: merge_tree("lowers", MERGES, ax=ax)}
EXTREMES = {
    "merges, none": lambda: merge_tree("xyz", MERGES),
    "merges, one symbol": lambda: merge_tree(["whole"], []),
    "merges, a chain": lambda: merge_tree(LONG, [(LONG[:i], LONG[i]) for i in range(1, 12)]),
    "merges, twice": lambda: merge_tree("banana", [("a", "n"), ("an", "a")]),
}

_house_style = drawings.house_style


KEY = 3  # boxes that explain the fills, one for each


def within(ax, fill):
    """The labels of the boxes of one fill, from left to right."""
    found = [(text.get_position(), text.get_text()) for text in ax.texts]
    return [label for place, label in sorted(found) for box in boxes(ax, fill) if box.get_bbox().contains(*place)]


def test_the_tree_of_a_word():
    ax = merge_tree("lowers", MERGES)
    assert within(ax, OUTPUT) == ["lower", "s"]
    assert sorted(within(ax, STATE)) == ["er", "lo", "low"]
    assert within(ax, INPUT) == [*"lower"]
    place = {text.get_text(): text.get_position() for text in ax.texts}
    assert "4" not in place  # the fourth merge does not occur
    assert place["1"][1] == place["2"][1] < place["3"][1] < place["5"][1]
    assert place["lo"][1] == place["er"][1] < place["low"][1] < place["lower"][1]
    assert len(arrows(ax)) == 2 * 4


def test_every_arrow_leads_from_a_part_into_what_is_made_of_it():
    ax = merge_tree("lowers", MERGES)
    for start, end in map(drawings.ends, arrows(ax)):
        (part,) = [box for box in boxes(ax) if abs(box.get_y() + box.get_height() - start[1]) < 1e-9
                   and box.get_x() < start[0] < box.get_x() + box.get_width()]  # fmt: skip
        (whole,) = [box for box in boxes(ax) if abs(box.get_y() - end[1]) < 1e-9
                    and box.get_x() < end[0] < box.get_x() + box.get_width()]  # fmt: skip
        assert whole.get_x() <= part.get_x() + 1e-9
        assert part.get_x() + part.get_width() <= whole.get_x() + whole.get_width() + 1e-9


@pytest.mark.parametrize(("merges", "tokens"), [(["ab", "bc"], ["ab", "c"]), (["bc", "ab"], ["a", "bc"])])
def test_the_earliest_merge_goes_first(merges, tokens):
    assert within(merge_tree("abc", [tuple(pair) for pair in merges]), OUTPUT) == tokens


def test_a_merge_applies_from_the_left_and_as_often_as_it_occurs():
    assert within(merge_tree("aaa", [("a", "a")]), OUTPUT) == ["aa", "a"]
    ax = merge_tree("banana", [("a", "n"), ("an", "a")], ax=plt.figure().gca())
    assert within(ax, OUTPUT) == ["b", "an", "ana"] and labels(ax).count("1") == 2


@pytest.mark.parametrize("word", ["banana", "bandana", "ananas", "annal"])
def test_the_tokens_are_those_of_the_package(word):
    tokenizer = BytePairTokenizer.fit("banana bandana banal anna ban banana", 266)
    tokens = [tokenizer.vocab.token(i) for i in tokenizer.encode(word)]
    assert len(tokens) < len(word)
    assert within(merge_tree(word, tokenizer.merges), OUTPUT) == tokens


def test_without_merges_all_symbols_are_tokens():
    ax = merge_tree(["x", "yz"], [])
    assert within(ax, OUTPUT) == ["x", "yz"] and not arrows(ax)
    assert len(boxes(ax)) == 2 + KEY
    np.testing.assert_allclose(*[box.get_width() for box in boxes(ax, OUTPUT)[:2]])


@pytest.mark.parametrize(
    ("draw", "complaint"),
    [
        (lambda: merge_tree("", []), "symbols=0"),
        (lambda: merge_tree("a" * 13, []), "symbols=13"),
        (lambda: merge_tree("a b", []), "word has the label ' '"),
        (lambda: merge_tree("ab", [("a",)]), "1 label: give a list of 2"),
        (lambda: merge_tree("ab", ["ab"]), "one string"),
        (lambda: merge_tree("ab", [("a", "b"), ("a", "b")]), "of 2 merges only 1 differ"),
        (lambda: merge_tree(["incomprehensibility", "a"], []), "does not fit"),
    ],
)
def test_refuses(draw, complaint):
    with pytest.raises(ValueError, match=complaint):
        draw()
    assert not plt.get_fignums()  # nothing half-drawn is left behind

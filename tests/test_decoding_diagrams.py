"""The drawings of decoding: what they show, that it can be read, and what they refuse."""

import matplotlib as mpl

mpl.use("Agg")

import drawings
import matplotlib.pyplot as plt
import numpy as np
import pytest
from drawings import arrows, boxes, cells, labels

from course_lib import plotting
from course_lib.decoding import beam_search, generate
from course_lib.decoding_diagrams import KEPT, REFUSED, UNSEEN, search_tree, speculation
from course_lib.language_models import Tabled
from course_lib.sketch import INPUT, OUTPUT, STATE
from course_lib.tokens import BOS_ID, EOS, Vocabulary

BLUE, ORANGE, GREEN = (plotting.COLOURS[name] for name in ("blue", "orange", "green"))

TRAP = {"the": (0.6, {"dog": 0.3, "cat": 0.36, "cow": 0.34}), "a": (0.4, {"dog": 0.9, "cat": 0.1})}
SHORT = {"EOS": 0.25, "yes": (0.45, {"EOS": 0.5, "sir": (0.5, {"EOS": 0.9})}),
         "no": (0.3, {"EOS": 0.6, "sir": (0.4, {"EOS": 1.0})})}  # fmt: skip
DEEP = {"a": (0.5, {"b": (0.5, {"c": (0.9, {"d": 0.5, "e": 0.5}), "f": (0.1, {"g": 1.0})}), "h": (0.5, {"i": 1.0})}),
        "k": (0.5, {"l": 0.4, "m": 0.3, "n": 0.3})}  # fmt: skip
ROUND = ("the cat sat on".split(), [0.5, 0.4, 0.6, 0.3], [0.6, 0.3, 0.2, 0.5], [0.7, 0.31, 0.8, 0.1], "lay")

DEFAULTS = {
    "search tree": lambda ax=None: search_tree(TRAP, ax=ax),
    "speculation": lambda ax=None: speculation(*ROUND, ax=ax),
}
EXTREMES = {
    "tree with early ends": lambda: search_tree(SHORT, 2),
    "tree, one text": lambda: search_tree({"incomplete": 1.0}, 1),
    "tree, deep": lambda: search_tree(DEEP, 3),
    "tree, greedy": lambda: search_tree(DEEP, 1),
    "all accepted": lambda: speculation(["a"], [0.5], [1.0], [0.9], "b"),
    "five accepted": lambda: speculation("a cat and a dog".split(), [0.2] * 5, [0.3] * 5, [0.5] * 5, "or"),
    "first refused": lambda: speculation("a cat and a dog".split(), [1.0] * 5, [0.0] * 5, [0.0] * 5, "or"),
}

_house_style = drawings.house_style


# ---- a tree and a beam ---------------------------------------------------------------------------


def within(ax, fill):
    """The labels of the boxes of one fill."""
    return sorted(text.get_text() for text in ax.texts for box in boxes(ax, fill)
                  if box.get_bbox().contains(*text.get_position()))  # fmt: skip


def marked(ax, mark):
    """The probability in the box before the mark."""
    (x, y), = [text.get_position() for text in ax.texts if text.get_text() == mark]
    found = [text.get_text() for text in ax.texts if text.get_position()[0] < x and "\n" in text.get_text()
             and abs(text.get_position()[1] - y) < 0.4]  # fmt: skip
    return float(found[-1].split("\n")[1])


def test_a_beam_of_two_escapes_the_trap_of_the_greedy():
    ax = search_tree(TRAP, 2)
    assert marked(ax, "greedy") == 0.216 and marked(ax, "beam") == marked(ax, "best") == 0.36
    assert within(ax, KEPT) == sorted(["the\n0.6", "a\n0.4", "dog\n0.36", "cat\n0.216"])
    assert within(ax, REFUSED) == sorted(["dog\n0.18", "cow\n0.204", "cat\n0.04"])
    assert within(ax, UNSEEN) == []
    assert {"0.6", "0.36", "0.9", "start", "kept by a beam of 2"} <= set(labels(ax))


def test_what_follows_a_refused_word_is_never_looked_at():
    ax = search_tree(TRAP, 1)
    assert marked(ax, "greedy") == marked(ax, "beam") == 0.216 and marked(ax, "best") == 0.36
    assert within(ax, UNSEEN) == sorted(["dog\n0.36", "cat\n0.04"])
    assert "a\n0.4" in within(ax, REFUSED)
    dotted = [arrow for arrow in arrows(ax) if arrow.get_linestyle() == ":"]
    assert len(dotted) == 2


def test_the_best_text_may_end_where_neither_looks():
    ax = search_tree(SHORT, 2)
    assert marked(ax, "best") == 0.25 and "EOS\n0.25" in within(ax, REFUSED)
    assert marked(ax, "greedy") == marked(ax, "beam") == 0.225


def test_a_beam_stops_when_nothing_can_become_better():
    tree = {"EOS": 0.4, "x": (0.35, {"y": 1.0}), "z": (0.25, {"w": 1.0})}
    assert within(search_tree(tree, 1), UNSEEN) == ["w\n0.25", "y\n0.35"]
    assert within(search_tree(tree, 2, ax=plt.figure().gca()), UNSEEN) == []


def test_greedy_and_best_ways_lead_from_the_start():
    ax = search_tree(TRAP, 2)
    for colour in (GREEN, ORANGE):
        (first, second) = [drawings.ends(line) for line in drawings.lines(ax, colour)]
        assert first[0][0] == 1.0 and first[1][0] < second[0][0] and np.isclose(first[1][1], second[0][1])


@pytest.mark.parametrize("width", [1, 2, 3])
def test_the_beam_is_that_of_the_package(width):
    rng = np.random.default_rng(width)
    vocab = Vocabulary(["x", "y"])
    for _ in range(4):
        a, b, c = rng.dirichlet([1, 1, 1]), rng.dirichlet([1, 1]), rng.dirichlet([1, 1])
        following = {"": {EOS: a[0], "x": a[1], "y": a[2]}, "x": {EOS: b[0], "x": b[1]}, "y": {EOS: c[0], "x": c[1]}}
        tree = {EOS: a[0], "x": (a[1], {EOS: b[0], "x": (b[1], {EOS: 1.0})}),
                "y": (a[2], {EOS: c[0], "x": (c[1], {EOS: 1.0})})}  # fmt: skip
        model = Tabled(lambda prefix, following=following: following.get("".join(prefix), {EOS: 1.0}), vocab)
        found = beam_search(model, [BOS_ID], width, 5)[0]
        ax = search_tree(tree, width, ax=plt.figure(figsize=(6.8, 4)).gca())
        assert marked(ax, "beam") == pytest.approx(np.exp(found.log_prob), rel=5e-3)
        (ids,) = generate(model, [BOS_ID], 5, temperature=0)
        total = following[""].get(vocab.token(ids[0]) if ids else EOS)
        for i in range(len(ids)):
            words = vocab.decode(ids[: i + 1])
            after = vocab.token(ids[i + 1]) if i + 1 < len(ids) else EOS
            total *= following.get("".join(words), {EOS: 1.0})[after]
        assert marked(ax, "greedy") == pytest.approx(total, rel=5e-3)
        plt.close("all")


# ---- draft and model -----------------------------------------------------------------------------


def test_a_round_goes_on_until_the_first_refusal():
    ax = speculation(*ROUND)
    found = labels(ax)
    assert [label for label in found if label in {"accepted", "refused", "dropped"}] == [
        "accepted", "accepted", "refused", "dropped"]  # fmt: skip
    assert within(ax, STATE) == ["cat", "the"] and within(ax, OUTPUT) == ["lay"]
    assert within(ax, INPUT) == ["cat", "sat", "the"] and within(ax, UNSEEN) == ["on"]
    assert {"1.00", "0.75", "0.33", "0.70", "0.31", "0.80", "from $p-q$,\nwhere above 0"} <= set(found)
    assert "0.10" not in found  # the last draw is not needed
    heights = [bar.get_height() for bar in cells(ax)]
    np.testing.assert_allclose(np.array(heights).reshape(-1, 2).T / 1.6, [ROUND[1], ROUND[2]])
    assert len(cells(ax, ORANGE)) == len(cells(ax, BLUE)) == 4


def test_when_all_are_accepted_the_model_adds_a_word():
    ax = speculation(["a", "b"], [0.5, 0.5], [0.5, 0.4], [0.99, 0.79], "c")
    assert labels(ax).count("accepted") == 2 and "from $p$" in labels(ax)
    assert within(ax, STATE) == ["a", "b"] and within(ax, OUTPUT) == ["c"]
    assert len(boxes(ax)) == 5


# ---- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("draw", "complaint"),
    [
        (lambda: search_tree({}), "texts=0"),
        (lambda: search_tree(dict.fromkeys("abcdefghi", 0.1)), "texts=9"),
        (lambda: search_tree({"a": (1, {"b": (1, {"c": (1, {"d": (1, {"e": 1})})})})}), "levels=5"),
        (lambda: search_tree(TRAP, 0), "width=0"),
        (lambda: search_tree({"a": 0.7, "b": 0.4}), r"after 'the start'.*\[0.7, 0.4\].*at most 1"),
        (lambda: search_tree({"a": (0.7, {"b": 0.0})}), r"after 'a'.*above 0"),
        (lambda: search_tree({"": 1.0}), "tree has the label ''"),
        (lambda: search_tree({"incomprehensibilities": 1.0}), "does not fit"),
        (lambda: speculation([], [], [], [], "a"), "words=0"),
        (lambda: speculation(["a"], [0.5, 0.5], [0.5], [0.5], "a"), r"q=\[0.5, 0.5\]: give 1 numbers"),
        (lambda: speculation(["a"], [0.5], [1.5], [0.5], "a"), "p=.*from 0 to 1"),
        (lambda: speculation(["a"], [0.5], [0.5], [np.nan], "a"), "draws=.*from 0 to 1"),
        (lambda: speculation(["a"], [0.0], [0.5], [0.5], "a"), "never proposes"),
        (lambda: speculation(["a"], [0.5], [0.5], [0.5], " "), "replacement has the label"),
        (lambda: speculation(["incomprehensibilities"], [0.5], [0.5], [0.5], "a"), "does not fit"),
    ],
)
def test_refuses(draw, complaint):
    with pytest.raises(ValueError, match=complaint):
        draw()
    assert not plt.get_fignums()  # nothing half-drawn is left behind

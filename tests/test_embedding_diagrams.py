"""The drawings of word embeddings: what they show, that it can be read, and what they refuse."""

import matplotlib as mpl

mpl.use("Agg")

import drawings
import matplotlib.pyplot as plt
import numpy as np
import pytest
from drawings import arrows, boxes, labels, lines

from course_lib import plotting
from course_lib.embedding_diagrams import cbow_and_skipgram, negative_sampling, two_number_network

BLUE, ORANGE, GREEN = (plotting.COLOURS[name] for name in ("blue", "orange", "green"))
WORDS = ["troll", "gymkata", "is", "great"]
W = np.array([[1.2, -0.31], [1.18, -0.4], [-0.5, 1.3], [-0.2, -1.1]])
C = np.array([[0.3, -0.6], [0.2, -0.4], [1.9, 0.3], [-0.5, 1.4]])
TEXT = "the old king sat there".split()
VECTORS = {"king": (1.0, 0.6), "crown": (0.2, 1.2), "menu": (0.9, -0.5), "kite": (-0.8, 0.5), "spell": (-0.3, -0.7)}
LONG = "the old king often sat there alone".split()

DEFAULTS = {
    "two numbers": lambda ax=None: two_number_network(WORDS, W, C, ax=ax),
    "cbow": lambda ax=None: cbow_and_skipgram(TEXT, 2, ax=ax),
    "negative sampling": lambda ax=None: negative_sampling(VECTORS, "king", "crown", 0.6, ax=ax),
}
EXTREMES = {
    "two numbers, three words": lambda: two_number_network(WORDS[:3], W[:3], C[:3], "is"),
    "two numbers, seven words": lambda: two_number_network(LONG, np.eye(7)[:, :2] - 12, np.eye(7)[:, 2:4], "alone"),
    "cbow, first of three": lambda: cbow_and_skipgram(["a", "b", "c"], 0),
    "cbow, seven": lambda: cbow_and_skipgram(LONG, 3),
    "a pair and one of noise": lambda: negative_sampling({"a": (1, 0), "b": (0, 1), "c": (-1, -1)}, "a", "b"),
    "in one line": lambda: negative_sampling({"a": (1, 0), "b": (2, 0), "c": (-1, 0)}, "a", "b"),
    "no step": lambda: negative_sampling(VECTORS, "king", "crown", 0.0),
}

_house_style = drawings.house_style


def test_the_units_hold_the_weights_and_the_outputs_are_their_softmax():
    ax = two_number_network(WORDS, W, C, "is")
    found = labels(ax)
    assert found.count("−0.50") == 2 and found.count("1.30") == 2  # on the line and in the unit: it is linear
    q = np.exp(C @ W[2]) / np.exp(C @ W[2]).sum()
    assert [label for label in found if label in {f"{p:.2f}" for p in q}] == [f"{p:.2f}" for p in q]
    assert sorted(label for label in found if label in "01") == ["0", "0", "0", "1"]
    assert all(found.count(word) == 2 for word in WORDS)
    bold = [text.get_text() for text in ax.texts if text.get_weight() == "bold"]
    assert bold == ["is"]


def test_only_the_word_that_is_read_has_coloured_lines():
    ax = two_number_network(WORDS, W, C)
    assert len(arrows(ax, BLUE)) == len(arrows(ax, ORANGE)) == 1
    assert len(lines(ax)) == 2 * 4 + 2 * 4
    one = next(text for text in ax.texts if text.get_text() == "1").get_position()
    for colour in (BLUE, ORANGE):
        start, _ = drawings.ends(arrows(ax, colour)[0])
        assert start[1] == pytest.approx(one[1])


def test_large_logits_do_not_overflow():
    assert "1.00" in labels(two_number_network(WORDS, 1e3 * W, C))


@pytest.mark.parametrize(("text", "centre"), [(TEXT, 2), (TEXT, 0), (LONG, 3)])
def test_which_words_predict_which(text, centre):
    ax = cbow_and_skipgram(text, centre)
    n = len(text)
    assert len(boxes(ax)) == 2 * n
    assert all(labels(ax).count(word) == 2 for word in text)
    assert {"CBOW", "skip-gram", "?", "mean", f"{n - 1} predictions\nfrom one vector"} <= set(labels(ax))
    ways = [drawings.ends(arrow) for arrow in arrows(ax)]
    assert len(ways) == 2 * n and all(start[0] < end[0] for start, end in ways)
    into = {round(float(end[0]), 2) for start, end in ways if start[0] < 2}
    assert len(into) >= 1 and max(into) < 2.5  # on the left the words around go into the mean
    read = [box for box in boxes(ax, "#cfe6f5") if box.get_x() < 5]
    assert len(read) == n - 1 and len(boxes(ax, "#cfe6f5")) == n


def test_the_steps_are_those_of_the_gradient():
    rate = 0.5
    ax = negative_sampling(VECTORS, "king", "crown", rate)
    points = {name: np.array(vector) for name, vector in VECTORS.items()}

    def loss(moved):
        w = moved["king"]
        dots = {name: w @ v for name, v in moved.items() if name != "king"}
        return np.log1p(np.exp(-dots["crown"])) + sum(
            np.log1p(np.exp(dot)) for name, dot in dots.items() if name != "crown"
        )

    ways = [np.subtract(*drawings.ends(arrow)[::-1]) for arrow in arrows(ax)][: len(points)]  # the rest is the key
    wanted = []
    for name, vector in points.items():
        ahead, behind = ([loss(points | {name: vector + e * step}) for step in np.eye(2)] for e in (1e-6, -1e-6))
        wanted.append(-rate * (np.array(ahead) - behind) / 2e-6)
    scale = np.hypot(*ways[0]) / np.hypot(*wanted[0])
    np.testing.assert_allclose(ways, scale * np.array(wanted), atol=1e-6)
    colours = [arrow.get_edgecolor() for arrow in arrows(ax)][: len(points)]
    assert colours == [mpl.colors.to_rgba(colour) for colour in (BLUE, GREEN, ORANGE, ORANGE, ORANGE)]


def test_no_arrow_where_nothing_moves():
    assert len(arrows(negative_sampling(VECTORS, "king", "crown", 0.0))) == 3  # the key


@pytest.mark.parametrize(
    ("draw", "complaint"),
    [
        (lambda: two_number_network(WORDS[:2], W[:2], C[:2]), "number of words=2"),
        (lambda: two_number_network([*"abcdefgh"], np.ones((8, 2)), np.ones((8, 2))), "number of words=8"),
        (lambda: two_number_network("abcd", W, C), "one string"),
        (lambda: two_number_network(WORDS, W, C, "was"), "word='was'"),
        (lambda: two_number_network(["a", "b", "b", "c"], W, C), "all be different"),
        (lambda: two_number_network(WORDS, W.T, C), r"W has shape \(2, 4\): give 4 rows of 2"),
        (lambda: two_number_network(WORDS, W, C[:3]), r"C has shape \(3, 2\)"),
        (lambda: two_number_network(WORDS, W * np.nan, C), "finite"),
        (lambda: two_number_network(["incomprehensibilities", "b", "c", "d"], W, C), "does not fit"),
        (lambda: cbow_and_skipgram(["a", "b"], 1), "number of words=2"),
        (lambda: cbow_and_skipgram(TEXT, 5), "centre=5"),
        (lambda: cbow_and_skipgram(["a", "", "c"], 1), "label ''"),
        (lambda: negative_sampling(VECTORS, "queen", "crown"), "centre='queen'"),
        (lambda: negative_sampling(VECTORS, "king", "king"), "context='king'"),
        (lambda: negative_sampling({"a": (0, 1), "b": (1, 0)}, "a", "b"), "at least one more"),
        (lambda: negative_sampling(VECTORS | {"kite": (1.0, np.inf)}, "king", "crown"), "finite"),
        (lambda: negative_sampling(dict.fromkeys(VECTORS, (1, 2, 3)), "king", "crown"), r"shape \(5, 3\)"),
    ],
)
def test_refuses(draw, complaint):
    with pytest.raises(ValueError, match=complaint):
        draw()
    assert not plt.get_fignums()  # nothing half-drawn is left behind

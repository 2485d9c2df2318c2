"""The drawings of transformers: what they show, that it can be read, and what they refuse."""

import matplotlib as mpl

mpl.use("Agg")

import drawings
import matplotlib.pyplot as plt
import numpy as np
import pytest
from drawings import arrows, boxes, cells, ends, labels

from course_lib import plotting
from course_lib.sketch import GATE, GREY, INPUT, OUTPUT, STATE
from course_lib.transformer_diagrams import (
    HELD,
    NEW,
    encoder_decoder,
    growing_cache,
    pre_and_post_norm,
    training_beside_inference,
)

BLUE, ORANGE = (plotting.COLOURS[name] for name in ("blue", "orange"))

WORDS = "the cat sleeps".split()

DEFAULTS = {
    "pre and post": pre_and_post_norm,
    "encoder and decoder": encoder_decoder,
    "training beside inference": lambda ax=None: training_beside_inference(WORDS, ax=ax),
    "growing cache": lambda ax=None: growing_cache(["BOS", *WORDS], ax=ax),
}
EXTREMES = {
    "many layers": lambda: encoder_decoder(96),
    "training, two words": lambda: training_beside_inference(["let's", "go"]),
    "training, five words": lambda: training_beside_inference("a cat and a dog".split()),
    "cache, two": lambda: growing_cache(["BOS", "incomplete"[:6]]),
    "cache, six": lambda: growing_cache("BOS a cat and a dog".split()),
}

_house_style = drawings.house_style


def middle(box):
    return box.get_x() + box.get_width() / 2, box.get_y() + box.get_height() / 2


# ---- blocks and stacks ---------------------------------------------------------------------------


def test_the_road_is_straight_and_only_the_post_norm_stands_on_it():
    ax = pre_and_post_norm()
    road = {round(x, 6) for arrow in arrows(ax, BLUE) for x in np.array(ends(arrow))[:, 0]}
    assert len(road) == 2  # two roads, upright
    norms = [middle(box) for box in boxes(ax, GATE)]
    assert len(norms) == labels(ax).count("LayerNorm") == 4
    pre, post = [x for x, _ in norms if x < 5], [x for x, _ in norms if x > 5]
    assert len(pre) == len(post) == 2
    assert set(post) <= road and not set(pre) & road
    assert labels(ax).count("attention") == labels(ax).count("feed-forward") == labels(ax).count("+") / 2 == 2


def test_norms_stand_before_the_part_or_after_the_sum():
    ax = pre_and_post_norm()
    height = {}
    for text in ax.texts:
        x, y = text.get_position()
        height.setdefault((x > 5, text.get_text()), []).append(y)
    for post in (False, True):
        norm, add, part = (sorted(height[post, label]) for label in ("LayerNorm", "+", "attention"))
        order = (part[0], add[0], norm[0]) if post else (norm[0], part[0], add[0])
        assert order == tuple(sorted(order)) and add[0] < (norm[1] if not post else add[1])


def test_keys_and_values_come_from_the_encoder_and_queries_from_the_decoder():
    ax = encoder_decoder(3)
    (cross,) = [box for box in boxes(ax, GATE) if box.get_y() < 8]
    x, y = middle(cross)
    found = [end for end in map(ends, arrows(ax, BLUE)) if np.isclose(end[1][0], cross.get_x())]
    assert len(found) == 2 and all(start[0] < 5 and abs(end[1] - y) < 0.31 for start, end in found)
    (query,) = arrows(ax, ORANGE)
    np.testing.assert_allclose(ends(query)[1], (x, cross.get_y()))
    assert ends(query)[0][1] > 3.5  # from the decoder's own first part
    place = {text.get_text(): text.get_position() for text in ax.texts}
    assert place["keys"][0] < place["queries"][0] < x
    assert {"3 × encoder", "3 × decoder", "causal self-attention", "self-attention"} <= set(labels(ax))
    assert labels(ax).count("add, normalise") == len(arrows(ax, GREY)) == 5


# ---- training, inference, cache ------------------------------------------------------------------


@pytest.mark.parametrize("words", [WORDS, ["a", "b"], [*"abcde"]])
def test_one_pass_beside_a_pass_for_each_word(words):
    ax = training_beside_inference(words)
    T = len(words) + 1
    looks = [ends(arrow) for arrow in arrows(ax, BLUE) + arrows(ax, GREY)]
    assert len(looks) == T * (T + 1) // 2 and all(start[0] <= end[0] + 1e-9 for start, end in looks)
    assert len(arrows(ax, BLUE)) == len(boxes(ax, STATE)) == T
    assert len(boxes(ax, INPUT)) == T + T * (T + 1) // 2
    assert len(boxes(ax, OUTPUT)) == 2 * T
    assert f"inference: {T} passes" in labels(ax)
    assert sum(arrow.get_linestyle() != "-" for arrow in arrows(ax)) == T - 1  # what is written is read


def test_targets_are_the_inputs_one_place_earlier():
    ax = training_beside_inference(WORDS)
    rows = {}
    for text in sorted(ax.texts, key=lambda text: text.get_position()[0]):
        if text.get_position()[0] < 4.2:
            rows.setdefault(round(text.get_position()[1], 3), []).append(text.get_text())
    found = [row for row in rows.values() if len(row) > 1 and "$h_1$" not in row]
    assert sorted(found) == sorted([["BOS", *WORDS], [*WORDS, "EOS"]])


@pytest.mark.parametrize("T", [2, 4, 6])
def test_a_cache_leaves_one_pair_a_pass(T):
    ax = growing_cache([*"abcdef"][:T])
    assert len(cells(ax, NEW)) == T * (T + 1) // 2 + T + 1  # and the key
    assert len(cells(ax, HELD)) == T * (T - 1) // 2 + 1
    assert {f"{T * (T + 1) // 2} pairs computed", f"{T} pairs computed", f"pass {T}"} <= set(labels(ax))
    new = [cell for cell in cells(ax, NEW) if cell.get_x() > 5.6 and cell.get_y() > 0.6]
    places = sorted((cell.get_x(), -cell.get_y()) for cell in new)
    assert len(places) == T and places == sorted(places, key=lambda place: place[1])  # down the diagonal


# ---- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("draw", "complaint"),
    [
        (lambda: encoder_decoder(0), "layers=0"),
        (lambda: encoder_decoder(6.5), "layers=6.5"),
        (lambda: training_beside_inference(["a"]), "words=1"),
        (lambda: training_beside_inference([*"abcdef"]), "words=6"),
        (lambda: training_beside_inference("abc"), "one string"),
        (lambda: training_beside_inference(["a", ""]), "sentence has the label ''"),
        (lambda: training_beside_inference(["incomprehensibility", "a"]), "does not fit"),
        (lambda: growing_cache(["a"]), "tokens=1"),
        (lambda: growing_cache([*"abcdefg"]), "tokens=7"),
        (lambda: growing_cache(["a", None]), "tokens has the label None"),
        (lambda: growing_cache(["incomprehensibility", "a"]), "does not fit"),
    ],
)
def test_refuses(draw, complaint):
    with pytest.raises(ValueError, match=complaint):
        draw()
    assert not plt.get_fignums()  # nothing half-drawn is left behind

"""The drawings of attention: what they show, that it can be read, and what they refuse."""

import matplotlib as mpl

mpl.use("Agg")

import drawings
import matplotlib.pyplot as plt
import numpy as np
import pytest
from drawings import arrows, boxes, cells, labels
from matplotlib.colors import to_hex, to_rgba
from matplotlib.patches import Rectangle

from course_lib import plotting
from course_lib.attention_diagrams import attention_step, induction, self_attention
from course_lib.attention_maps import SHADES, heads, heat_map
from course_lib.head_diagrams import BARRED, FILLS, SEEN, heads_as_channels, inside_a_head, masks, multi_head
from course_lib.sketch import GATE, OUTPUT, STATE

BLUE, ORANGE, GREEN, PURPLE = (plotting.COLOURS[name] for name in ("blue", "orange", "green", "purple"))
SOURCE, TARGET, SCORES = "the red house EOS".split(), "la casa roja".split(), [0.2, 1.0, 3.4, -0.5]
JEFF, LOOKS = "Jeff is a musician".split(), [1.2, 0.3, -0.4, 2.1]
NOT = -np.inf

DEFAULTS = {
    "attention step": lambda ax=None: attention_step(SOURCE, TARGET, 2, SCORES, ax=ax),
    "self-attention": lambda ax=None: self_attention(JEFF, 4, LOOKS, ax=ax),
    "induction": lambda ax=None: induction([*"ABCDA"], ax=ax),
    "inside a head": inside_a_head,
    "multi-head": multi_head,
    "heads as channels": heads_as_channels,
    "masks": masks,
}
EXTREMES = {
    "attention step, two words": lambda: attention_step(["let's", "go"], ["vamos"], 2, [50, NOT]),
    "attention step, six words": lambda: attention_step([*SOURCE, "and", "more"], TARGET, 1, [-12.5] * 6),
    "self-attention, two": lambda: self_attention(["a", "b"], 1, [0, NOT]),
    "self-attention, seven": lambda: self_attention([*JEFF, "who", "plays", "today"], 5, [-22.5] * 5 + [NOT] * 2),
    "induction, three": lambda: induction([*"ABA"]),
    "induction, eight": lambda: induction("c a q x f g t a".split()),
    "induction, just before": lambda: induction([*"ABCC"]),
    "inside a head, unmasked": lambda: inside_a_head(8, 2, False),
    "inside a head, wide": lambda: inside_a_head(2, 8),
    "inside a head, large": lambda: inside_a_head(8, 8),
    "inside a head, small": lambda: inside_a_head(2, 1),
    "two heads": lambda: multi_head(2),
    "four heads": lambda: multi_head(4),
    "two channels": lambda: heads_as_channels(2),
    "four channels": lambda: heads_as_channels(4),
    "masks, small": lambda: masks(2, 1, 1),
    "masks, large": lambda: masks(10, 9, 10),
}

_house_style = drawings.house_style


# ---- one step of a decoder, one word that looks --------------------------------------------------


def softmax(scores):
    return np.exp(scores) / np.exp(scores).sum()


def test_a_step_shows_scores_and_their_softmax():
    ax = attention_step(SOURCE, TARGET, 2, SCORES)
    assert [label for label in labels(ax) if label in {"0.2", "1.0", "3.4", "−0.5"}] == ["0.2", "1.0", "3.4", "−0.5"]
    written = [label for label in labels(ax) if label.startswith("0.") and len(label) == 4]
    assert written == [f"{weight:.2f}" for weight in softmax(SCORES)]
    np.testing.assert_allclose([bar.get_height() for bar in cells(ax, BLUE)], softmax(SCORES))
    assert {"$h_4$", "$s_1$", "$s_2$", r"weighted sum   $\sum_s\, \alpha_{2,s}\, h_s$", "join"} <= set(labels(ax))


@pytest.mark.parametrize(("step", "read", "written"), [(1, "BOS", "la"), (2, "la", "casa"), (4, "roja", "EOS")])
def test_a_step_reads_the_word_before_and_writes_the_next(step, read, written):
    ax = attention_step(SOURCE[:3], TARGET, step, SCORES[:3])
    (out,) = boxes(ax, OUTPUT)
    place = {text.get_text(): text.get_position() for text in ax.texts}
    assert out.get_bbox().contains(*place[written])
    assert place[read][1] == place["the"][1] and place[read][0] > place["house"][0]


def test_a_word_looks_with_one_query_at_every_key():
    ax = self_attention(JEFF, 3, LOOKS)
    found = labels(ax)
    assert [label for label in found if label.startswith("$q_")] == ["$q_3$"]
    assert found.count(r"$q\cdot k$") == 4
    assert all({f"$k_{s}$", f"$v_{s}$"} <= set(found) for s in range(1, 5))
    assert [label for label in found if " $v" in label] == [
        f"{weight:.2f} $v_{s}$" for s, weight in enumerate(softmax(LOOKS), 1)
    ]
    assert found.count("a") == 2 and found.count("Jeff") == 1
    assert len(arrows(ax, ORANGE)) == len(arrows(ax, BLUE)) == len(arrows(ax, GREEN)) == 4
    widths = [bar.get_width() for bar in cells(ax, BLUE)]
    np.testing.assert_allclose(np.array(widths) / sum(widths), softmax(LOOKS))


def test_a_masked_place_gives_nothing():
    ax = self_attention(JEFF, 2, [1.2, 0.3, NOT, NOT])
    found = labels(ax)
    assert found.count(r"$-\infty$") == found.count("none") == found.count("0.00") == 2
    assert len(arrows(ax, GREEN)) == 2


# ---- the induction circuit -----------------------------------------------------------------------


@pytest.mark.parametrize(("tokens", "found"), [("ABCDA", 1), ("cabdb", 3), ("ABCC", 3), ("ABA", 1)])
def test_induction_predicts_what_followed_before(tokens, found):
    ax = induction([*tokens])
    T = len(tokens)
    place = [text for text in ax.texts if text.get_position()[1] > 5 and len(text.get_text()) == 1]
    assert [text.get_text() for text in place] == [tokens[found]]
    assert len(arrows(ax, ORANGE)) == T - 1
    thick = max(arrows(ax, ORANGE), key=lambda arrow: arrow.get_linewidth())
    columns = [box.get_x() + box.get_width() / 2 for box in boxes(ax) if box.get_y() < 0.5]
    start, end = drawings.ends(thick)
    assert np.abs(start[0] - np.array(columns)).argmin() == found - 1
    assert np.abs(end[0] - np.array(columns)).argmin() == found
    (copy,) = arrows(ax, BLUE)
    start, end = drawings.ends(copy)
    assert np.abs(start[0] - np.array(columns)).argmin() == found
    assert np.abs(end[0] - np.array(columns)).argmin() == T - 1
    alike = {text.get_text() for text in ax.texts for box in boxes(ax, STATE) if box.get_bbox().contains(
        *text.get_position())}  # fmt: skip
    assert alike == {tokens[-1]}  # what the second layer compares


# ---- heads and masks -----------------------------------------------------------------------------


def outlines(ax):
    """Width and height of every matrix that is drawn."""
    found = [patch for patch in ax.patches if isinstance(patch, Rectangle) and patch.get_facecolor()[3] == 0]
    return [(patch.get_width(), patch.get_height()) for patch in found]


@pytest.mark.parametrize(("T", "d_k", "causal"), [(5, 3, True), (4, 6, False), (8, 8, True)])
def test_the_sides_of_the_matrices_are_in_proportion(T, d_k, causal):
    ax = inside_a_head(T, d_k, causal)
    sizes = np.array(outlines(ax))
    cell = sizes[0, 1] / T
    shapes = [(d_k, T), (T, d_k), (T, T), (T, T), (T, T), (d_k, T), (d_k, T)]  # width and height, in cells
    np.testing.assert_allclose(sizes / cell, shapes)
    assert len(cells(ax)) == 4 * T * d_k + 3 * T * T
    above = T * (T - 1) // 2 if causal else 0
    assert len(cells(ax, "#8f8f8f")) == above
    assert len(cells(ax, SEEN)) == T * T - above
    assert any("mask" in label for label in labels(ax)) is causal
    assert labels(ax).count(r"$T\times T$") == 3


@pytest.mark.parametrize("number", [2, 3, 4])
def test_every_head_has_its_own_weights_and_all_of_the_input(number):
    ax = multi_head(number)
    found = labels(ax)
    for i in range(1, number + 1):
        assert found.count(rf"$W_q^{{{i}}}\, W_k^{{{i}}}\, W_v^{{{i}}}$") == 1
        assert len(cells(ax, FILLS[i - 1])) == 3 + 1 + 1  # q, k, v; the output; its part of all outputs joined
    assert found.count("attention") == number and found.count("$q$") == number
    assert rf"{number} heads of width $d_k = D/{number}$" in found
    strip = cells(ax, FILLS[0])[0].get_width()
    wide = [cell.get_width() for cell in cells(ax) if cell.get_width() > 1.5 * strip]
    np.testing.assert_allclose(wide, [number * strip] * 2)  # input and output are not divided


@pytest.mark.parametrize("number", [2, 3, 4])
def test_heads_stand_beside_channels(number):
    ax = heads_as_channels(number)
    assert {f"{kind} {i}" for kind in ("kernel", "head") for i in range(1, number + 1)} <= set(labels(ax))
    assert len(boxes(ax, GATE)) == 2 * number
    assert len(cells(ax)) == 2 * 2 * number


def test_masks_let_through_what_they_say():
    T, padding, width = 5, 2, 3
    ax = masks(T, padding, width)
    grid = np.array([to_hex(cell.get_facecolor()) == SEEN for cell in cells(ax)][: 3 * T * T]).reshape(3, T, T)
    t, s = np.mgrid[:T, :T]
    assert (grid[0] == (s < T - padding)).all()
    assert (grid[1] == (s <= t)).all()
    assert (grid[2] == ((s <= t) & (t - s < width))).all()
    assert len(cells(ax, BARRED)) + len(cells(ax, SEEN)) == 3 * T * T + 2
    tops = [cell.get_y() for cell in cells(ax)[: T * T]]
    assert tops[0] > tops[-1]  # the first query on top
    assert {"the last 2 are\nfiller", f"at most {width} places,\nits own the last"} <= set(labels(ax))
    assert "the last one is\nfiller" in labels(masks(4, 1, 2, ax=plt.figure().gca()))


# ---- maps ----------------------------------------------------------------------------------------

WEIGHTS = np.array([[0.9, 0.1, 0.0], [0.25, 0.25, 0.5]])
ROWS, COLUMNS = ["la", "casa"], ["the", "red", "house"]


def test_heat_map_shades_writes_and_outlines():
    ax = heat_map(WEIGHTS, ROWS, COLUMNS, gold={(0, 0), (1, 2)})
    assert [text.get_text() for text in ax.texts] == ["0.90", "0.10", "0.00", "0.25", "0.25", "0.50"]
    np.testing.assert_array_equal(ax.images[0].get_array(), WEIGHTS)
    assert ax.images[0].get_clim() == (0, 1)
    assert [tick.get_text() for tick in ax.get_xticklabels()] == COLUMNS
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ROWS
    centres = {(round(p.get_y() + p.get_height() / 2), round(p.get_x() + p.get_width() / 2)) for p in ax.patches}
    assert centres == {(0, 0), (1, 2)}
    assert all(patch.get_edgecolor() == to_rgba(ORANGE) and not patch.get_fill() for patch in ax.patches)


def test_numbers_of_a_heat_map_can_be_read_on_every_shade():
    grey = np.linspace(0, 1, 404).reshape(101, 4)
    ax = heat_map(grey, [str(t) for t in range(101)], [*"abcd"])
    for text, weight in zip(ax.texts, grey.flat, strict=True):
        assert drawings.contrast(text.get_color(), SHADES(weight)) >= 4.5, weight


@pytest.mark.parametrize(("S", "numbers", "written"), [(8, None, 16), (9, None, 0), (9, True, 18), (8, False, 0)])
def test_numbers_only_where_there_is_room(S, numbers, written):
    ax = heat_map(np.full((2, S), 1 / S), ROWS, [f"w{s}" for s in range(S)], numbers=numbers)
    assert len(ax.texts) == written
    assert not ax.patches


def test_heat_map_takes_axes_and_stays_in_the_figure():
    figure, (left, right) = plt.subplots(1, 2, figsize=(6.8, 2.6))
    assert heat_map(WEIGHTS, ROWS, [*"abc"], ax=left) is left
    assert heat_map(WEIGHTS, ROWS, ["houses", "of", "cards"]) is right
    figure.canvas.draw()
    assert left.get_xticklabels()[0].get_rotation() == 0 and right.get_xticklabels()[0].get_rotation() == 45
    for ax in (left, right):
        box = ax.get_tightbbox()
        assert figure.bbox.x0 <= box.x0 and box.x1 <= figure.bbox.x1
        assert figure.bbox.y0 <= box.y0 and box.y1 <= figure.bbox.y1


@pytest.mark.parametrize(("h", "rows", "wide"), [(1, 1, 1), (2, 1, 2), (4, 1, 4), (6, 2, 4)])
def test_heads_are_small_multiples(h, rows, wide):
    weights = np.random.default_rng(0).dirichlet(np.ones(3), size=(h, 3))
    axes = heads(weights, COLUMNS)
    figure = axes[0].figure
    figure.canvas.draw()
    assert len(axes) == h and [ax.get_xlabel() for ax in axes] == [f"head {i + 1}" for i in range(h)]
    assert axes[0].get_gridspec().get_geometry() == (rows, wide)
    assert sum(ax.axison for ax in figure.axes) == h
    assert figure.get_figwidth() == pytest.approx(6.8)
    for i, (ax, matrix) in enumerate(zip(axes, weights, strict=True)):
        np.testing.assert_array_equal(ax.images[0].get_array(), matrix)
        named = [tick.label1.get_visible() for tick in ax.yaxis.get_major_ticks()]
        assert all(named) if i % 4 == 0 else not any(named)
        box = ax.get_tightbbox()
        assert figure.bbox.x0 - 1 <= box.x0 and box.x1 <= figure.bbox.x1 + 1
        assert figure.bbox.y0 - 1 <= box.y0 and box.y1 <= figure.bbox.y1 + 1


def test_heads_take_axes_titles_and_columns():
    figure, given = plt.subplots(2, 1)
    axes = heads(np.stack([WEIGHTS, WEIGHTS]), ROWS, COLUMNS, ["nouns", "order"], axes=given)
    assert list(axes) == list(given) and [ax.get_xlabel() for ax in axes] == ["nouns", "order"]
    assert [tick.get_text() for tick in axes[1].get_xticklabels()] == COLUMNS
    plt.figure(figsize=(5, 2))
    assert heads(WEIGHTS[None], ROWS, COLUMNS)[0].figure.get_figwidth() == 5  # an open figure keeps its size
    assert len(figure.axes) == 2


# ---- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("draw", "complaint"),
    [
        (lambda: attention_step(["a"], TARGET, 1, [1]), "source words=1"),
        (lambda: attention_step([*"abcdefg"], TARGET, 1, [1] * 7), "source words=7"),
        (lambda: attention_step(SOURCE, TARGET, 0, SCORES), "step=0"),
        (lambda: attention_step(SOURCE, TARGET, 5, SCORES), "step=5"),
        (lambda: attention_step(SOURCE, TARGET, 1, SCORES[:3]), "give 4 numbers"),
        (lambda: attention_step(SOURCE, TARGET, 1, [NOT] * 4), "at least one must be finite"),
        (lambda: attention_step(SOURCE, TARGET, 1, [np.nan, 1, 1, 1]), "scores="),
        (lambda: attention_step(SOURCE, TARGET, 1, [np.inf, 1, 1, 1]), "scores="),
        (lambda: attention_step("abcd", TARGET, 1, SCORES), "one string"),
        (lambda: attention_step(SOURCE, ["incomprehensibilities"], 1, SCORES), "does not fit"),
        (lambda: self_attention(["a"], 1, [1]), "tokens=1"),
        (lambda: self_attention(JEFF, 5, LOOKS), "t=5"),
        (lambda: self_attention(JEFF, 1, LOOKS[:2]), "give 4 numbers"),
        (lambda: self_attention([*JEFF[:3], None], 1, LOOKS), "tokens has the label None"),
        (lambda: induction([*"AB"]), "tokens=2"),
        (lambda: induction([*"ABC"]), "'C' must occur exactly once"),
        (lambda: induction([*"ABACA"]), "'A' must occur exactly once"),
        (lambda: inside_a_head(1), "T=1"),
        (lambda: inside_a_head(4, 9), "d_k=9"),
        (lambda: multi_head(1), "heads=1"),
        (lambda: heads_as_channels(5), "heads=5"),
        (lambda: masks(1), "T=1"),
        (lambda: masks(4, 4), "padding=4"),
        (lambda: masks(4, 1, 5), "width=5"),
        (lambda: heat_map(WEIGHTS[0], ROWS, COLUMNS), r"shape \(3,\): give \(T, S\)"),
        (lambda: heat_map(np.ones((0, 3)), [], COLUMNS), "not empty"),
        (lambda: heat_map(3 * WEIGHTS, ROWS, COLUMNS), "from 0 to 2.7"),
        (lambda: heat_map(WEIGHTS * np.nan, ROWS, COLUMNS), "from nan to nan"),
        (lambda: heat_map(WEIGHTS, COLUMNS, ROWS), "rows=.* is 3 labels: give a list of 2"),
        (lambda: heat_map(WEIGHTS, ROWS, COLUMNS, gold={(2, 1)}), r"cell \(2, 1\), but the weights have 2 rows"),
        (lambda: heads(WEIGHTS, ROWS, COLUMNS), r"give \(heads, T, S\)"),
        (lambda: heads(WEIGHTS[None], ROWS), "columns=.* is 2 labels: give a list of 3"),
        (lambda: heads(WEIGHTS[None], ROWS, COLUMNS, ["a", "b"]), "titles=.* is 2 labels"),
    ],
)
def test_refuses(draw, complaint):
    with pytest.raises(ValueError, match=complaint):
        draw()
    assert not plt.get_fignums()  # nothing half-drawn is left behind


def test_heads_want_one_axes_each():
    _, given = plt.subplots(1, 3)
    with pytest.raises(ValueError, match="3 axes for 1 heads"):
        heads(WEIGHTS[None], ROWS, COLUMNS, axes=given)

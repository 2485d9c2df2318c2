"""The drawings of networks: what they show, that it can be read on a telephone, and what they refuse."""

import matplotlib as mpl

mpl.use("Agg")

from functools import cache
from itertools import combinations

import drawings
import matplotlib.pyplot as plt
import numpy as np
import pytest
from drawings import arrows, boxes, contrast, labels
from matplotlib.colors import to_rgba
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path

from course_lib import cell_diagrams, gradient_diagrams, network_diagrams, plotting, sketch

READ = "START The bat made noise at night".split()
WRITTEN = [*READ[1:], "END"]
LOSSES = [rf"$\ell_{t}$" for t in range(1, 8)]
REVIEW = "The movie was terrible EOS".split()
CAPTION = "person holding an apple END".split()
BLUE, ORANGE, GREEN, PURPLE = (plotting.COLOURS[name] for name in ("blue", "orange", "green", "purple"))

DEFAULTS = {
    "folded": network_diagrams.folded_and_unrolled,
    "language model": lambda ax=None: network_diagrams.unrolled(READ, WRITTEN, LOSSES, ax=ax),
    "sentiment": lambda ax=None: network_diagrams.unrolled(REVIEW, [None] * 4 + ["negative"], ax=ax),
    "caption": lambda ax=None: network_diagrams.unrolled(["picture"] + [None] * 4, CAPTION, feedback=True, ax=ax),
    "mappings": network_diagrams.mappings,
    "deep": network_diagrams.deep,
    "bidirectional": network_diagrams.bidirectional,
    "deep bidirectional": network_diagrams.deep_bidirectional,
    "rnn beside transformer": cell_diagrams.rnn_beside_transformer,
    "lstm": cell_diagrams.lstm_cell,
    "gru": cell_diagrams.gru_cell,
    "gradient paths": gradient_diagrams.gradient_paths,
    "truncation": gradient_diagrams.truncation,
}
EXTREMES = {
    "folded 2": lambda: network_diagrams.folded_and_unrolled(2),
    "folded 5": lambda: network_diagrams.folded_and_unrolled(5),
    "one step": lambda: network_diagrams.unrolled(["a"], ["b"]),
    "ten steps": lambda: network_diagrams.unrolled([*"abcdefghij"], [*"bcdefghijk"], [r"$\ell$"] * 10, feedback=True),
    "deep 4, 6": lambda: network_diagrams.deep(4, 6),
    "bidirectional 2": lambda: network_diagrams.bidirectional(2),
    "bidirectional words": lambda: network_diagrams.bidirectional(5, REVIEW),
    "deep bidirectional 3, 5": lambda: network_diagrams.deep_bidirectional(3, 5),
    "gradient paths 2": lambda: gradient_diagrams.gradient_paths(2),
    "gradient paths 7": lambda: gradient_diagrams.gradient_paths(7),
    "truncation 14, 1": lambda: gradient_diagrams.truncation(14, 1),
    "truncation 13, 6": lambda: gradient_diagrams.truncation(13, 6),
}
ALL = DEFAULTS | EXTREMES

_house_style = drawings.house_style


@cache
def drawn(name):
    """A drawing in the book's own size, ready to be measured."""
    ax = ALL[name]()
    ax.figure.canvas.draw()
    return ax


@cache
def texts(name):
    """The texts of a drawing with their frames on the screen, a pixel less on every side."""
    return [(text, text.get_window_extent().padded(-1)) for text in drawn(name).texts]


@cache
def grounds(name):
    """What letters can stand on, with its frame on the screen: boxes and circles."""
    filled = [patch for patch in drawn(name).patches if isinstance(patch, (Circle, FancyBboxPatch))]
    return [(patch, patch.get_window_extent()) for patch in filled]


# ---- what can be read ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", DEFAULTS)
def test_axes_in_axes_out(name):
    fresh = DEFAULTS[name]()
    assert fresh.figure.get_figwidth() == pytest.approx(6.8)  # no figure was open: one that fits
    _, (left, right) = plt.subplots(1, 2)
    assert DEFAULTS[name](ax=left) is left
    assert not right.patches
    assert DEFAULTS[name]() is right  # the current axes, when none are given


@pytest.mark.parametrize("name", ALL)
def test_no_text_leaves_the_axes(name):
    frame = drawn(name).get_window_extent().padded(1)
    for text, box in texts(name):
        assert frame.x0 <= box.x0 and box.x1 <= frame.x1, text
        assert frame.y0 <= box.y0 and box.y1 <= frame.y1, text


@pytest.mark.parametrize("name", ALL)
def test_nothing_is_drawn_beyond_the_sheet(name):
    ax = drawn(name)
    sheet = ax.get_window_extent().padded(2)
    for patch in ax.patches:
        box = patch.get_window_extent()
        assert sheet.x0 <= box.x0 and box.x1 <= sheet.x1 and sheet.y0 <= box.y0 and box.y1 <= sheet.y1, patch


@pytest.mark.parametrize("name", ALL)
def test_no_text_covers_another(name):
    for (one, here), (other, there) in combinations(texts(name), 2):
        assert not here.overlaps(there), (one, other)


@pytest.mark.parametrize("name", ALL)
def test_no_arrow_runs_through_a_text(name):
    lines = [patch for patch in drawn(name).patches if isinstance(patch, FancyArrowPatch)]
    ways = [line.get_transform().transform_path(line.get_path()) for line in lines]
    for piece in (Path(piece) for way in ways for piece in way.to_polygons(closed_only=False)):
        for text, box in texts(name):
            assert not piece.intersects_bbox(box, filled=False), (text, piece)


@pytest.mark.parametrize("name", ALL)
def test_a_text_stands_within_its_box_or_outside(name):
    for text, box in texts(name):
        for frame in (frame for patch, frame in grounds(name) if isinstance(patch, FancyBboxPatch)):
            inside = frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 and box.y1 <= frame.y1
            assert inside or not frame.overlaps(box), text


@pytest.mark.parametrize("name", ALL)
def test_letters_stand_out_from_their_ground(name):
    assert drawn(name).figure.get_facecolor() == to_rgba("white")
    for text, box in texts(name):
        below = [patch for patch, frame in grounds(name) if frame.overlaps(box)]
        ground = max(below, key=lambda patch: patch.get_zorder()).get_facecolor() if below else "white"
        assert contrast(text.get_color(), ground) >= 4.5, text


@pytest.mark.parametrize("name", DEFAULTS)
def test_letters_are_large_enough_on_a_telephone(name):
    ax = drawn(name)
    points_to_pixels = 343 / (6.8 * 72)
    assert min(text.get_fontsize() for text in ax.texts) * points_to_pixels >= 8.0


def test_drawings_grow_with_their_axes():
    large = drawn("deep").texts[0].get_fontsize()
    _, (left, _) = plt.subplots(1, 2, figsize=(6.8, 3))
    small = network_diagrams.deep(ax=left).texts[0].get_fontsize()
    assert small < 0.6 * large


# the others have arrows that end in the open: a key, and a state that is handed on
@pytest.mark.parametrize("name", sorted(DEFAULTS.keys() - {"gradient paths", "truncation", "rnn beside transformer"}))
def test_every_arrow_leads_to_something(name):
    ax = drawn(name)
    things = [box for _, box in [*texts(name), *grounds(name)]]
    for arrow in arrows(ax):
        x, y = ax.transData.transform(arrow._path_original.vertices[-1])
        assert any(box.padded(8).contains(x, y) for box in things), arrow._path_original.vertices


# ---- what is shown -------------------------------------------------------------------------------


def test_folded_and_unrolled_marks_the_same_weights_on_every_copy():
    ax = network_diagrams.folded_and_unrolled(4)
    assert len(boxes(ax)) == 3 + 1 + 3 * 4
    for name, colour in (("x", BLUE), ("h", ORANGE), ("y", GREEN)):
        assert labels(ax).count(f"$W_{name}$") == 5
        assert len(arrows(ax, colour)) == 5
    assert {"delay", "=", "$h_0$", "$x_t$", "$h_t$", "$y_t$", "$h_4$"} <= set(labels(ax))


def test_unrolled_draws_each_label_in_its_row():
    ax = network_diagrams.unrolled(READ, WRITTEN, LOSSES)
    rows = {}
    for text in ax.texts:
        rows.setdefault(text.get_position()[1], []).append(text.get_text())
    states = ["$h_0$", *(f"$h_{{{t}}}$" for t in range(1, 8))]
    assert [rows[y] for y in sorted(rows)] == [READ, states, WRITTEN, LOSSES]
    assert len(boxes(ax)) == 4 * 7
    assert len(arrows(ax)) == 4 * 7  # into every state from the left, and up three times


def test_unrolled_leaves_out_what_is_none():
    ax = network_diagrams.unrolled(REVIEW, [None] * 4 + ["negative"], states=[*"abcde"])
    assert labels(ax)[0] == "$h_0$" and set(labels(ax)[1:]) == {*REVIEW, *"abcde", "negative"}
    assert len(boxes(ax)) == 5 + 5 + 1
    assert len(arrows(ax)) == 5 + 5 + 1
    assert ax.get_ylim()[1] < drawn("language model").get_ylim()[1]


def test_feedback_gives_the_output_to_the_next_step():
    ax = network_diagrams.unrolled(["picture"] + [None] * 4, CAPTION, feedback=True)
    below = [text.get_text() for text in ax.texts if text.get_position()[1] < 1]
    assert below == ["picture", *CAPTION[:-1]]
    assert len(arrows(ax, PURPLE)) == 4
    assert not arrows(drawn("language model"), PURPLE)


def test_feedback_keeps_the_inputs_that_are_given():
    ax = network_diagrams.unrolled(["a", "b", None], [None, "x", "y"], feedback=True)
    assert [text.get_text() for text in ax.texts if text.get_position()[1] < 1] == ["a", "b", "x"]
    assert len(arrows(ax, PURPLE)) == 1


def test_mappings_has_five_panels():
    ax = network_diagrams.mappings()
    titles = {"one to one", "one to many", "many to one", "many to many, aligned", "many to many, read then write"}
    assert titles <= set(labels(ax))
    columns, reads, writes = 1 + 3 + 3 + 3 + 5, 1 + 1 + 3 + 3 + 3, 1 + 3 + 1 + 3 + 3
    assert len(boxes(ax)) == columns + reads + writes
    assert len(arrows(ax)) == reads + writes + (columns - 5)


@pytest.mark.parametrize(("layers", "steps"), [(1, 3), (2, 4), (4, 6)])
def test_deep_counts_layers_and_steps(layers, steps):
    ax = network_diagrams.deep(layers, steps)
    assert len(boxes(ax)) == (layers + 2) * steps
    assert len(arrows(ax, BLUE)) == layers * steps
    assert {f"$h_{t}^{{({n})}}$" for t in range(1, steps + 1) for n in range(1, layers + 1)} <= set(labels(ax))
    assert f"layer {layers}" in labels(ax)


@pytest.mark.parametrize(("layers", "steps"), [(1, 4), (2, 4), (3, 5)])
def test_both_directions_in_every_layer(layers, steps):
    ax = network_diagrams.deep_bidirectional(layers, steps)
    for colour, name, way in ((BLUE, "right", 1), (PURPLE, "left", -1)):
        ends = [arrow._path_original.vertices for arrow in arrows(ax, colour)]
        assert len(ends) == layers * steps
        assert all(np.sign(end[-1, 0] - end[0, 0]) == way for end in ends)
        lengths = [abs(end[-1, 0] - end[0, 0]) for end in sorted(ends, key=lambda end: way * end[-1, 0])]
        assert max(lengths[:layers]) < min(lengths[layers:])  # the first step of each direction: only a stub
        assert labels(ax).count(rf"$\over{name}arrow{{h}}_1$") == layers
    assert len(boxes(ax)) == (2 * layers + 2) * steps


def test_bidirectional_reads_the_given_words():
    ax = network_diagrams.bidirectional(5, REVIEW)
    assert set(REVIEW) <= set(labels(ax)) and "$x_1$" not in labels(ax)
    assert "layer 1" not in labels(ax)


def test_lstm_has_its_gates_and_signs():
    ax = cell_diagrams.lstm_cell()
    assert {"$f_t$", "$i_t$", "$g_t$", "$o_t$", "$c_{t-1}$", "$c_t$", "$h_{t-1}$", "$h_t$", "$x_t$"} <= set(labels(ax))
    counts = {sign: labels(ax).count(sign) for sign in (r"$\sigma$", "tanh", r"$\odot$", "+")}
    assert counts == {r"$\sigma$": 3, "tanh": 2, r"$\odot$": 3, "+": 1}  # c = f*c + i*g, h = o*tanh(c)
    assert {"layer with weights", "component by component", "line splits: copy", "lines join: concatenate"} <= set(
        labels(ax)
    )


def test_gru_is_the_one_of_pytorch():
    ax = cell_diagrams.gru_cell()
    counts = {sign: labels(ax).count(sign) for sign in (r"$\sigma$", "tanh", r"$\odot$", "+", "1−")}
    assert counts == {r"$\sigma$": 2, "tanh": 1, r"$\odot$": 3, "+": 2, "1−": 1}
    assert {"$r_t$", "$z_t$", "$n_t$", "$h_{t-1}$", "$h_t$", "$x_t$"} <= set(labels(ax))
    place = {text.get_text(): text.get_position() for text in ax.texts}
    products = [text.get_position() for text in ax.texts if text.get_text() == r"$\odot$"]
    reset = [x for x, y in products if x == place["$W_h,\\,b_h$"][0]]
    assert len(reset) == 1  # r_t multiplies what has already passed W_h


def test_rnn_beside_transformer_names_every_part():
    found = labels(cell_diagrams.rnn_beside_transformer())
    assert found.count("add, normalise") == 2
    assert {"attend", "feed-forward", "recurrent layer", "transformer block", "$h_{t-1}$"} <= set(found)


def test_gradient_fades_with_the_strengths():
    strengths = [2.0, 1.0, 0.5, 0.0]
    ax = gradient_diagrams.gradient_paths(4, strengths)
    down = {}  # the ways from a state into W_h, by their place
    for arrow in (arrow for arrow in arrows(ax, ORANGE) if arrow._posA_posB):
        (x1, y1), (x2, y2) = arrow._posA_posB
        if x1 == x2 and y2 < y1 < 3:
            down[x1] = arrow
    assert len(down) == 3  # none where the strength is zero
    alphas = [down[x].get_alpha() for x in sorted(down)]
    widths = [down[x].get_linewidth() for x in sorted(down)]
    assert alphas == sorted(alphas) and alphas[-1] == 1.0 and alphas[0] < 0.5
    assert widths == sorted(widths) and widths[0] < widths[-1]


@pytest.mark.parametrize("steps", [2, 5])
def test_gradient_enters_the_matrix_at_every_step(steps):
    ax = gradient_diagrams.gradient_paths(steps)
    assert len(boxes(ax)) == steps + 2
    assert {str(lag) for lag in range(steps)} <= set(labels(ax))
    assert len(arrows(ax, ORANGE)) == steps + (steps - 1) + 1 + 1  # into W_h, along the states, the loss, the key


@pytest.mark.parametrize(("steps", "window", "borders"), [(12, 4, 2), (13, 6, 2), (5, 5, 0), (6, 1, 5)])
def test_truncation_lets_the_state_through_and_stops_the_gradient(steps, window, borders):
    ax = gradient_diagrams.truncation(steps, window)
    assert len(arrows(ax, BLUE)) == steps - 1 + 1  # over all borders; and the key
    assert len(arrows(ax, ORANGE)) == steps - 1 + 1
    assert len(ax.lines) == borders
    ways = [arrow._posA_posB for arrow in arrows(ax, ORANGE) if arrow._posA_posB]
    for wall in (line.get_xdata()[0] for line in ax.lines):
        assert not any(min(a[0], b[0]) < wall < max(a[0], b[0]) for a, b in ways)
    assert len(boxes(ax)) == steps + borders + 1


# ---- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("draw", "complaint"),
    [
        (lambda: network_diagrams.folded_and_unrolled(1), "steps=1"),
        (lambda: network_diagrams.folded_and_unrolled(9), "steps=9"),
        (lambda: network_diagrams.folded_and_unrolled(2.5), "steps=2.5"),
        (lambda: network_diagrams.unrolled([], []), "inputs=0"),
        (lambda: network_diagrams.unrolled(["a"] * 11, ["b"] * 11), "=11"),
        (lambda: network_diagrams.unrolled("ab", ["a", "b"]), "one string"),
        (lambda: network_diagrams.unrolled(["a", "b"], ["a"]), "outputs=.* is 1 label: give a list of 2"),
        (lambda: network_diagrams.unrolled(["a"], ["b"], losses=["c", "d"]), "losses"),
        (lambda: network_diagrams.unrolled(["a"], ["b"], states=[None]), "states has the label None"),
        (lambda: network_diagrams.unrolled(["a"], [" "]), "outputs has the label ' '"),
        (lambda: network_diagrams.unrolled(["a"], [3]), "outputs has the label 3"),
        (lambda: network_diagrams.unrolled(["a"], [None], losses=["c"]), "step 1 has the loss 'c'"),
        (lambda: network_diagrams.unrolled(["a", "b"], [None, "c"], feedback=True), "none before the last"),
        (lambda: network_diagrams.unrolled(["incomprehensibilities"] * 5, [None] * 5), "incompre.*does not fit"),
        (lambda: network_diagrams.deep(0), "layers=0"),
        (lambda: network_diagrams.deep(2, True), "steps=True"),
        (lambda: network_diagrams.bidirectional(3, ["a", "b"]), "2 labels: give a list of 3"),
        (lambda: network_diagrams.bidirectional(4, "abcd"), "one string"),
        (lambda: network_diagrams.deep_bidirectional(4), "layers=4"),
        (lambda: gradient_diagrams.gradient_paths(1), "steps=1"),
        (lambda: gradient_diagrams.gradient_paths(3, [1.0, 0.5]), "2 strengths for steps=3"),
        (lambda: gradient_diagrams.gradient_paths(2, [1.0, -0.5]), "-0.5"),
        (lambda: gradient_diagrams.gradient_paths(2, [1.0, float("nan")]), "nan"),
        (lambda: gradient_diagrams.gradient_paths(2, [0.0, 0.0]), "all zero"),
        (lambda: gradient_diagrams.truncation(4, 5), "window=5"),
        (lambda: gradient_diagrams.truncation(4, 0), "window=0"),
        (lambda: gradient_diagrams.truncation(99), "steps=99"),
    ],
)
def test_refuses(draw, complaint):
    with pytest.raises(ValueError, match=complaint):
        draw()
    assert not plt.get_fignums()  # nothing half-drawn is left behind


def test_letters_of_every_colour_can_be_read_on_white():
    assert all(contrast(colour, "white") >= 4.5 for colour in (*sketch.LETTERS.values(), sketch.INK, sketch.GREY))

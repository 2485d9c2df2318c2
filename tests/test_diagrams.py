"""The drawings: what they show is what they were given, inside the axes they were given."""

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import pytest
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from course_lib import diagrams

TOKENS = ["the", "cows", "often", "eat", "grass"]
ROWS = {"unigram": {"collocation": 1.7, "recall": 0.3}, "transformer": {"collocation": 0.05, "recall": -0.01}}
DRAWINGS = {
    "chain_rule": lambda ax=None: diagrams.chain_rule(TOKENS, ax),
    "ngram_window": lambda ax=None: diagrams.ngram_window(TOKENS, 3, ax),
    "state_machine": lambda ax=None: diagrams.state_machine(
        {"A": (0, 0), "B": (2.5, 1)}, [("A", "B", "x"), ("B", "A", "y"), ("A", "A", "z")], ax, final=["B"]
    ),
    "ladder": lambda ax=None: diagrams.ladder(ROWS, ax, floor=1.0),
}


@pytest.fixture(autouse=True)
def _fresh_figure():
    with mpl.rc_context({"figure.constrained_layout.use": True}):
        yield
    plt.close("all")


def texts(ax):
    return [text.get_text() for text in ax.texts]


def patches(ax, kind):
    return [patch for patch in ax.patches if isinstance(patch, kind)]


@pytest.mark.parametrize("name", DRAWINGS)
def test_axes_in_axes_out(name):
    _, (left, right) = plt.subplots(1, 2)
    assert DRAWINGS[name](left) is left
    assert not right.patches
    assert DRAWINGS[name]() is right  # the current axes, when none are given


@pytest.mark.parametrize("name", DRAWINGS)
@pytest.mark.parametrize("size", [(6.8, 3.0), (3.4, 2.0)])
def test_no_text_leaves_the_figure(name, size):
    figure = plt.figure(figsize=size)
    ax = DRAWINGS[name]()
    figure.canvas.draw()
    for text in ax.texts:
        box = text.get_window_extent()
        assert box.x0 >= -1, text
        assert box.x1 <= figure.bbox.width + 1, text
        assert box.y0 >= -1, text
        assert box.y1 <= figure.bbox.height + 1, text


def test_tokens_fit_their_boxes():
    figure = plt.figure(figsize=(6.8, 2.5))
    ax = diagrams.chain_rule(TOKENS)
    figure.canvas.draw()
    boxes = [box.get_window_extent() for box in patches(ax, FancyBboxPatch)]
    inside = [text for text in ax.texts if text.get_text() in TOKENS]
    assert len(inside) == len(boxes)
    for text, box in zip(inside, boxes, strict=True):
        assert box.x0 < text.get_window_extent().x0
        assert text.get_window_extent().x1 < box.x1


def test_chain_rule_writes_every_factor():
    assert [t for t in texts(diagrams.chain_rule(TOKENS)) if t.startswith("p(")] == [
        "p(the)",
        "p(cows | the)",
        "p(often | the cows)",
        "p(eat | the cows often)",
        "p(grass | the cows often eat)",
    ]


@pytest.mark.parametrize(
    ("order", "last"),
    [
        (1, "p(grass)"),
        (3, "p(grass | often eat)"),
        (9, "p(grass | the cows often eat)"),
    ],
)
def test_window_reads_only_the_last_tokens(order, last):
    assert texts(diagrams.ngram_window(TOKENS, order))[-1] == last


def test_state_machine_draws_every_arc():
    ax = DRAWINGS["state_machine"]()
    assert len(patches(ax, FancyArrowPatch)) == 3
    assert set(texts(ax)) == {"A", "B", "x", "y", "z"}


def test_ladder_stacks_to_the_totals():
    ax = diagrams.ladder(ROWS, floor=1.0)
    assert {"2.000", "0.040", "the floor: 1.000 nats per token"} <= set(texts(ax))
    ends = [bar.get_x() + bar.get_width() for bar in ax.patches if bar.get_y() < 0.4]
    assert max(ends) == pytest.approx(2.0)
    assert ax.get_xlim()[0] < -0.01  # the negative piece is seen
    assert [t.get_text() for t in ax.get_yticklabels()] == list(ROWS)
    assert ax.yaxis_inverted()


@pytest.mark.parametrize(
    ("draw", "complaint"),
    [
        (lambda: diagrams.chain_rule([]), "at least one token"),
        (lambda: diagrams.chain_rule("the cow"), "must be a list"),
        (lambda: diagrams.ngram_window(TOKENS, 0), "order=0"),
        (lambda: diagrams.state_machine({}, []), "no states"),
        (lambda: diagrams.state_machine({"A": (0, 0), "B": (0, 0)}, []), "same place"),
        (lambda: diagrams.state_machine({"A": (0, 0)}, [("A", "B", "x")]), "'B'"),
        (lambda: diagrams.ladder({}), "no models"),
        (lambda: diagrams.ladder({"a": {"x": 1.0}, "b": {"y": 1.0}}), "'b' has the classes"),
    ],
)
def test_refuses(draw, complaint):
    with pytest.raises(ValueError, match=complaint):
        draw()

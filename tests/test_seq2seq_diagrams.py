"""The drawings of an encoder and a decoder: what they show, that it can be read, and what they refuse."""

import matplotlib as mpl

mpl.use("Agg")

import drawings
import matplotlib.pyplot as plt
import pytest
from drawings import arrows, boxes, labels

from course_lib import plotting
from course_lib.seq2seq_diagrams import encoder_decoder
from course_lib.sketch import GATE

BLUE, ORANGE, GREEN, PURPLE = (plotting.COLOURS[name] for name in ("blue", "orange", "green", "purple"))
SOURCE, TARGET = ["let's", "go"], ["vamos"]
RED, ROJA = "the red house".split(), "la casa roja".split()

DEFAULTS = {
    "two words": lambda ax=None: encoder_decoder(SOURCE, TARGET, ax=ax),
    "two layers": lambda ax=None: encoder_decoder(SOURCE, TARGET, layers=2, ax=ax),
    "free running": lambda ax=None: encoder_decoder(["let's", "go", "EOS"], TARGET, forcing=False, ax=ax),
    "bottleneck": lambda ax=None: encoder_decoder(SOURCE, TARGET, bottleneck=True, ax=ax),
}
EXTREMES = {
    "one and one": lambda: encoder_decoder(["a"], ["b"]),
    "one and one, all": lambda: encoder_decoder(["a"], ["b"], False, 2, True),
    "sentence": lambda: encoder_decoder(RED, ROJA),
    "sentence, all": lambda: encoder_decoder([*RED, "EOS"], ROJA, False, 2, True),
    "nine steps": lambda: encoder_decoder([*"abcd"], [*"efgh"]),
    "long source": lambda: encoder_decoder([*"abcdefg"], ["x"], bottleneck=True),
    "long target": lambda: encoder_decoder(["x"], [*"abcdefg"], forcing=False, layers=2),
}

_house_style = drawings.house_style


def row(ax, low, high):
    """The labels between two heights, from left to right."""
    found = [(text.get_position()[0], text.get_text()) for text in ax.texts if low < text.get_position()[1] < high]
    return [label for _, label in sorted(found)]


def test_the_decoder_reads_bos_first_and_writes_eos_last():
    ax = encoder_decoder(RED, ROJA)
    assert row(ax, 0.9, 1.0) == [*RED, "BOS", *ROJA]
    assert row(ax, 4.2, 4.3) == [*ROJA, "EOS"]
    assert row(ax, 2.1, 2.3) == ["$h_1$", "$h_2$", "$h_3$", "$s_1$", "$s_2$", "$s_3$", "$s_4$"]
    assert len(boxes(ax)) == 7 + 7 + 4 + 4
    assert {"encoder", "decoder, given the right words", "linear layer,\nsoftmax"} <= set(labels(ax))


def test_one_colour_for_one_set_of_weights():
    ax = encoder_decoder(RED, ROJA, layers=2)
    assert len(arrows(ax, BLUE)) == len(arrows(ax, GREEN)) == 3 + 2
    assert len(arrows(ax, PURPLE)) == len(arrows(ax, ORANGE)) == 4 + 3
    assert {"layer 1", "layer 2", "$h_3^{(2)}$", "$s_4^{(1)}$"} <= set(labels(ax))
    single = encoder_decoder(RED, ROJA, ax=plt.figure().gca())
    assert not arrows(single, GREEN) and not arrows(single, ORANGE) and "layer 1" not in labels(single)


@pytest.mark.parametrize("layers", [1, 2])
def test_the_last_state_is_handed_over_in_every_layer(layers):
    ax = encoder_decoder(RED, ROJA, layers=layers)
    thick = [arrow for arrow in arrows(ax) if arrow.get_linewidth() > 1.5 * arrows(ax, BLUE)[0].get_linewidth()]
    assert len(thick) == layers
    assert all(start[1] == end[1] and start[0] < end[0] for start, end in map(drawings.ends, thick))


@pytest.mark.parametrize(("layers", "names"), [(1, ["$h_3$"]), (2, ["$h_3^{(1)}$", "$h_3^{(2)}$"])])
def test_the_bottleneck_is_a_box_of_its_own(layers, names):
    ax = encoder_decoder(RED, ROJA, layers=layers, bottleneck=True)
    assert len(boxes(ax, GATE)) == 4 + layers
    assert all(labels(ax).count(name) == 2 for name in names)
    assert "all that the\ndecoder gets" in labels(ax)
    assert len(boxes(encoder_decoder(RED, ROJA, ax=plt.figure().gca()), GATE)) == 4


def test_free_running_feeds_each_output_back():
    ax = encoder_decoder(RED, ROJA, forcing=False)
    dashed = [arrow for arrow in arrows(ax) if arrow.get_linestyle() != "-"]
    assert len(dashed) == 3
    middles = {box.get_x() + box.get_width() / 2: box for box in boxes(ax)}
    for arrow in dashed:
        start, end = drawings.ends(arrow)
        assert start[1] > 4 and end[1] < 1  # from an output down to an input
        assert min(abs(end[0] + boxes(ax)[0].get_width() / 2 - x) for x in middles) < 1e-6
    assert "decoder, given its own words" in labels(ax)
    forced = encoder_decoder(RED, ROJA, ax=plt.figure().gca())
    assert all(arrow.get_linestyle() == "-" for arrow in arrows(forced))


@pytest.mark.parametrize(
    ("draw", "complaint"),
    [
        (lambda: encoder_decoder([], ["a"]), "source words=0"),
        (lambda: encoder_decoder(["a"], []), "target words=0"),
        (lambda: encoder_decoder([*"abcde"], [*"abcd"]), "5 source words and 5 decoder steps"),
        (lambda: encoder_decoder("ab", ["c"]), "one string"),
        (lambda: encoder_decoder(["a"], [None]), "target has the label None"),
        (lambda: encoder_decoder(SOURCE, TARGET, layers=3), "layers=3"),
        (lambda: encoder_decoder([*SOURCE, "incomprehensibilities"], TARGET), "does not fit"),
    ],
)
def test_refuses(draw, complaint):
    with pytest.raises(ValueError, match=complaint):
        draw()
    assert not plt.get_fignums()  # nothing half-drawn is left behind

"""The drawings of vectors in a transformer: what they show, that it can be read, and what they refuse."""

import matplotlib as mpl

mpl.use("Agg")

import drawings
import matplotlib.pyplot as plt
import numpy as np
import pytest
from drawings import boxes, cells, labels

from course_lib.blocks import sinusoidal
from course_lib.sketch import INPUT, OUTPUT, STATE
from course_lib.vector_diagrams import AVERAGED, layer_and_batch_norm, reading_positions

EMBEDDING = [0.9, -1.2, 0.3, 0.0, -0.4, 2.1]

DEFAULTS = {
    "reading positions": lambda ax=None: reading_positions("pizza", EMBEDDING, 7, base=100, ax=ax),
    "layer and batch norm": layer_and_batch_norm,
}
EXTREMES = {
    "positions, two": lambda: reading_positions("a", [99.5, -99.5], 0, 2),
    "positions, eight": lambda: reading_positions("incomplete", [-10.0] * 8, 99, 100),
    "positions, near the end": lambda: reading_positions("cat", EMBEDDING, 17),
    "norms, small": lambda: layer_and_batch_norm(2, 2, 2),
    "norms, large": lambda: layer_and_batch_norm(4, 8, 8),
}

_house_style = drawings.house_style


def within(ax, fill):
    """The labels of the boxes of one fill, from above."""
    found = [(-y, text.get_text()) for text in ax.texts for x, y in [text.get_position()]
             for box in boxes(ax, fill) if box.get_bbox().contains(x, y)]  # fmt: skip
    return [label for _, label in sorted(found)]


@pytest.mark.parametrize(("t", "base"), [(0, 10_000.0), (7, 100.0), (19, 10_000.0)])
def test_what_is_read_is_the_encoding_and_is_added(t, base):
    ax = reading_positions("pizza", EMBEDDING, t, base=base)
    row = sinusoidal(20, 6, base=base)[t].double().numpy()
    for fill, numbers in ((OUTPUT, row), (INPUT, EMBEDDING), (STATE, row + EMBEDDING)):
        shown = [float(label.replace("−", "-")) for label in within(ax, fill)]
        np.testing.assert_allclose(shown, numbers, atol=0.00501)
    assert {"pizza", f"place {t}", r"$\sin\,t\,w_0$", r"$\cos\,t\,w_2$"} <= set(labels(ax))


def test_the_curves_are_the_encoding_and_the_dots_lie_on_them():
    ax = reading_positions("pizza", EMBEDDING, 7, T=20, base=100)
    curves = [line for line in ax.lines if len(line.get_xdata()) > 2]
    grounds = [line for line in ax.lines if len(line.get_xdata()) == 2]
    code = sinusoidal(20, 6, base=100.0).numpy()
    dots = [patch.center for patch in ax.patches if hasattr(patch, "center")]
    assert len(curves) == len(grounds) == len(dots) == 6
    for d, (curve, ground, dot) in enumerate(zip(curves, grounds, dots, strict=True)):
        x, y = curve.get_data()
        low, high = ground.get_xdata()
        at = low + (high - low) * np.arange(20) / 19
        np.testing.assert_allclose((np.interp(at, x, y) - ground.get_ydata()[0]) / 0.29, code[:, d], atol=2e-3)
        np.testing.assert_allclose(dot, (at[7], ground.get_ydata()[0] + 0.29 * code[7, d]), atol=1e-6)


def test_a_small_negative_number_has_no_sign():
    assert "−0.00" not in labels(reading_positions("a", [-0.001, 0.0], 0))


@pytest.mark.parametrize(("batch", "T", "D"), [(3, 4, 5), (2, 2, 8), (4, 8, 2)])
def test_a_norm_averages_over_a_token_or_over_a_feature(batch, T, D):
    ax = layer_and_batch_norm(batch, T, D)
    shared = np.array([cell in cells(ax, AVERAGED) for cell in cells(ax)]).reshape(2, batch, T, D)
    layer, norm = shared
    assert layer.sum() == D and layer[0].any(axis=0).all() and (layer[0].sum(axis=1) % D == 0).all()
    assert norm.sum() == batch * T and (norm.sum(axis=(0, 1)) > 0).sum() == 1
    for number, whose in ((D, "token"), (batch * T, "feature")):
        assert f"one mean and variance of {number} numbers: one {whose}" in labels(ax)


@pytest.mark.parametrize(
    ("draw", "complaint"),
    [
        (lambda: reading_positions("a", [1.0, 2.0, 3.0], 0), "3.0.*2, 4, 6 or 8 numbers"),
        (lambda: reading_positions("a", [[1.0, 2.0]], 0), "2, 4, 6 or 8 numbers"),
        (lambda: reading_positions("a", [1.0, np.nan], 0), "nan"),
        (lambda: reading_positions("a", [1.0, 100.0], 0), "between -100 and 100"),
        (lambda: reading_positions("a", [1.0, 2.0], 0, base=1.0), "base=1.0"),
        (lambda: reading_positions("a", [1.0, 2.0], 20), "t=20"),
        (lambda: reading_positions("a", [1.0, 2.0], 0, T=1), "T=1"),
        (lambda: reading_positions(" ", [1.0, 2.0], 0), "word has the label"),
        (lambda: reading_positions("incomprehensibility", [1.0, 2.0], 0), "does not fit"),
        (lambda: layer_and_batch_norm(1), "batch=1"),
        (lambda: layer_and_batch_norm(T=9), "T=9"),
        (lambda: layer_and_batch_norm(D=True), "D=True"),
    ],
)
def test_refuses(draw, complaint):
    with pytest.raises(ValueError, match=complaint):
        draw()
    assert not plt.get_fignums()  # nothing half-drawn is left behind

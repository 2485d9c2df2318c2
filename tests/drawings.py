"""What every drawing on a sheet has to satisfy: nothing is cut off, nothing overlaps, all can be read."""

from itertools import combinations

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch, Rectangle
from matplotlib.path import Path

from course_lib import plotting


@pytest.fixture(autouse=True)
def house_style():
    """The book's style, and no figure open: a module of tests that names this fixture has it in every test."""
    with mpl.rc_context():
        plt.close("all")
        plotting.use_house_style()
        yield
        plt.close("all")


def labels(ax):
    return [text.get_text() for text in ax.texts]


def boxes(ax, fill=None):
    """The boxes, of one fill if that is given."""
    found = [patch for patch in ax.patches if isinstance(patch, FancyBboxPatch)]
    return [box for box in found if fill is None or box.get_facecolor()[:3] == to_rgb(fill)]


def cells(ax, fill=None):
    """The filled rectangles, of one fill if that is given."""
    found = [patch for patch in ax.patches if isinstance(patch, Rectangle) and patch.get_fill()]
    found = [patch for patch in found if patch.get_facecolor()[3]]
    return [cell for cell in found if fill is None or cell.get_facecolor()[:3] == to_rgb(fill)]


def lines(ax, colour=None):
    """The lines, with a head or without, of one colour if that is given."""
    found = [patch for patch in ax.patches if isinstance(patch, FancyArrowPatch)]
    return [line for line in found if colour is None or line.get_edgecolor()[:3] == to_rgb(colour)]


def arrows(ax, colour=None):
    """The lines that have a head, of one colour if that is given."""
    return [line for line in lines(ax, colour) if type(line.get_arrowstyle()).__name__ != "Curve"]


def ends(arrow):
    """Where an arrow starts and where it ends, on the sheet."""
    way = arrow._path_original.vertices
    return way[0], way[-1]


def luminance(colour):
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return float(np.dot((0.2126, 0.7152, 0.0722), linear))


def contrast(one, other):
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def check(ax, smallest=None):
    """All of the rules below; with ``smallest``, letters have so many pixels at least on a telephone."""
    ax.figure.canvas.draw()
    texts = [(text, text.get_window_extent().padded(-1)) for text in ax.texts if text.get_text()]
    filled = [patch for patch in ax.patches if isinstance(patch, (Circle, FancyBboxPatch))] + cells(ax)
    grounds = [(patch, patch.get_window_extent()) for patch in filled]
    _nothing_leaves_the_sheet(ax, texts)
    for (one, here), (other, there) in combinations(texts, 2):
        assert not here.overlaps(there), f"{one} covers {other}"
    _no_line_runs_through_a_text(ax, texts)
    for text, box in texts:
        below = [(patch, frame) for patch, frame in grounds if frame.overlaps(box) and text.get_bbox_patch() is None]
        for patch, frame in below:
            assert _within(frame, box) or isinstance(patch, Circle), f"{text} crosses the side of a box"
        ground = max(below, key=lambda pair: pair[0].get_zorder())[0].get_facecolor() if below else "white"
        assert contrast(text.get_color(), ground) >= 4.5, text
    shapes = [pair for pair in grounds if not isinstance(pair[0], Rectangle)]  # cells may touch
    for (one, here), (other, there) in combinations(shapes, 2):
        if one.get_zorder() > 0 or not _within(here, there):  # a frame lies below all, and goes around what is in it
            assert not here.padded(-2).overlaps(there.padded(-2)), f"{one} covers {other}"
    if smallest:
        pixels = min(text.get_fontsize() for text, _ in texts) * 343 / (6.8 * 72)
        assert pixels >= smallest, f"letters of {pixels:.1f} pixels"


def _within(frame, box):
    return frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 and box.y1 <= frame.y1


def _nothing_leaves_the_sheet(ax, texts):
    sheet = ax.get_window_extent().padded(2)
    frames = [*texts, *((patch, patch.get_window_extent()) for patch in ax.patches)]
    for what, box in frames:
        assert sheet.x0 <= box.x0 and box.x1 <= sheet.x1, f"{what} is cut off at a side"
        assert sheet.y0 <= box.y0 and box.y1 <= sheet.y1, f"{what} is cut off above or below"


def _no_line_runs_through_a_text(ax, texts):
    """A label on a white ground of its own may stand on a line."""
    ways = [line.get_transform().transform_path(line.get_path()) for line in lines(ax)]
    for piece in (Path(piece) for way in ways for piece in way.to_polygons(closed_only=False)):
        for text, box in texts:
            assert text.get_bbox_patch() or not piece.intersects_bbox(box, filled=False), f"a line through {text}"


def check_axes(draw):
    """Axes in, axes out: those given, the current ones, or new ones of the book's width."""
    plt.close("all")
    fresh = draw()
    assert fresh.figure.get_figwidth() == pytest.approx(6.8)  # no figure was open: one that fits
    _, (left, right) = plt.subplots(1, 2)
    assert draw(ax=left) is left
    assert not right.patches
    assert draw() is right

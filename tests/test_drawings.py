"""Every drawing of chapters 8 to 10 can be read, at the width of a page and on a telephone."""

import matplotlib as mpl

mpl.use("Agg")

import drawings
import matplotlib.pyplot as plt
import pytest

from course_lib import plotting
from tests import test_attention_diagrams, test_embedding_diagrams, test_seq2seq_diagrams

MODULES = (test_embedding_diagrams, test_seq2seq_diagrams, test_attention_diagrams)
DEFAULTS = {name: draw for module in MODULES for name, draw in module.DEFAULTS.items()}
EXTREMES = {name: draw for module in MODULES for name, draw in module.EXTREMES.items()}


@pytest.fixture(autouse=True)
def _house_style():
    with mpl.rc_context():
        plt.close("all")
        plotting.use_house_style()
        yield
        plt.close("all")


@pytest.mark.parametrize("name", DEFAULTS)
def test_axes_in_axes_out(name):
    drawings.check_axes(DEFAULTS[name])


@pytest.mark.parametrize("name", DEFAULTS)
def test_can_be_read_on_a_telephone(name):
    drawings.check(DEFAULTS[name](), smallest=8)


@pytest.mark.parametrize("name", EXTREMES)
def test_extremes_can_be_read(name):
    drawings.check(EXTREMES[name]())

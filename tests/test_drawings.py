"""Every drawing of chapters 8 to 14 can be read, at the width of a page and on a telephone."""

import matplotlib as mpl

mpl.use("Agg")

import drawings
import pytest

from tests import (
    test_attention_diagrams,
    test_computation_diagrams,
    test_decoding_diagrams,
    test_embedding_diagrams,
    test_seq2seq_diagrams,
    test_token_diagrams,
    test_transformer_diagrams,
    test_vector_diagrams,
)

MODULES = (test_embedding_diagrams, test_seq2seq_diagrams, test_attention_diagrams, test_transformer_diagrams,
           test_vector_diagrams, test_decoding_diagrams, test_token_diagrams, test_computation_diagrams)  # fmt: skip
DEFAULTS = {name: draw for module in MODULES for name, draw in module.DEFAULTS.items()}
EXTREMES = {name: draw for module in MODULES for name, draw in module.EXTREMES.items()}

_house_style = drawings.house_style


@pytest.mark.parametrize("name", DEFAULTS)
def test_axes_in_axes_out(name):
    drawings.check_axes(DEFAULTS[name])


@pytest.mark.parametrize("name", DEFAULTS)
def test_can_be_read_on_a_telephone(name):
    drawings.check(DEFAULTS[name](), smallest=8)


@pytest.mark.parametrize("name", EXTREMES)
def test_extremes_can_be_read(name):
    drawings.check(EXTREMES[name]())

"""House style: data and axes in, axes out; and what set-up does to PyTorch."""

import subprocess
import sys

import matplotlib
import matplotlib.pyplot as plt
import pytest

from course_lib import plotting

matplotlib.use("Agg")


@pytest.fixture(autouse=True)
def fresh_figure():
    plt.figure()
    yield
    plt.close("all")


def test_curves_are_told_apart_by_marker_and_named():
    ax = plotting.curves({"a": ([1, 2], [3, 4]), "b": ([1, 2], [5, 6])}, "order", "loss", log_x=True)
    assert [line.get_marker() for line in ax.lines] == ["o", "s"]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["a", "b"]
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_xscale()) == ("order", "loss", "log")


def test_too_many_curves_are_refused():
    with pytest.raises(ValueError, match="8 curves"):
        plotting.curves({str(i): ([0], [0]) for i in range(8)}, "x", "y")


def test_a_reference_line_stands_at_its_value_with_its_name():
    ax = plotting.reference_line(1.5, "entropy", side="left")
    assert ax.lines[0].get_ydata()[0] == 1.5
    assert ax.texts[0].get_text() == "entropy"


def test_bars_keep_their_order_and_show_their_values():
    ax = plotting.bars({"first": 0.5, "second": 0.25}, "p")
    assert [text.get_text() for text in ax.texts] == ["0.500", "0.250"]
    assert ax.yaxis_inverted()


def test_setup_seeds_pytorch_when_it_is_there():
    code = (
        "import torch, course_lib; course_lib.setup(); a = torch.rand(3); course_lib.setup(); b = torch.rand(3); "
        "print(torch.equal(a, b), torch.get_num_threads(), torch.are_deterministic_algorithms_enabled())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "1", "True"]

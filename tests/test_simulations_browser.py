"""The simulating figures in a real browser: their numbers against PyTorch, and that everybody can use them."""

import re

import numpy as np
import pytest
import torch

from course_lib import simulations
from tests import test_widgets_browser as base

pytestmark = pytest.mark.browser
browser, show = base.browser, base.show
press, status = base.press, base.status

RNG = np.random.default_rng(8)
X = RNG.uniform(0, 4, 50)
Y = 1 + 2 * X + RNG.normal(size=50)
MATRICES = simulations.recurrent_matrices(np.random.default_rng(3), 6)
INPUTS = 0.1 * RNG.normal(size=(30, 6))
FIGURES = {
    "descent": lambda: simulations.descent(X, Y, rate=0.05),
    "gradient_travel": lambda: simulations.gradient_travel(MATRICES, INPUTS),
    "lstm_player": lambda: simulations.lstm_player(),
}
DRAWINGS = {"descent": 2, "gradient_travel": 2, "lstm_player": 2}


def value(page, name):
    """The number at full precision that stands under, or in the row of, this name."""
    place = page.locator(".cw-numbers > div, .cw-live tr").filter(has_text=name)
    return float(place.locator("data").first.get_attribute("value"))


def slide(page, label, to):
    page.get_by_role("slider", name=label).fill(str(to))


def choose(page, label, option):
    page.get_by_role("combobox", name=label).select_option(option)


def drive(kind, page):
    """Bring a figure into the state that shows the most."""
    page.emulate_media(reduced_motion="reduce")
    if kind == "descent":
        choose(page, "Batch size", "4")
        press(page, "Run")
        choose(page, "Method", "Adam")
        press(page, "10 steps")
    elif kind == "gradient_travel":
        choose(page, "Function", "tanh")
        slide(page, "Spectral radius", 130)
        press(page, "One step")
    else:
        for _ in range(3):
            press(page, "Step")
    page.wait_for_timeout(100)  # drawings follow in the next frame


# ---- several at once ------------------------------------------------------------------------------


def test_many_on_one_page_do_not_clash(show):
    page = show(*[make() for make in FIGURES.values()], *[make() for make in FIGURES.values()])
    assert page.locator("[data-ready]").count() == 6
    page.wait_for_timeout(100)
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(set(ids)) == len(ids)
    page.get_by_role("button", name="Step", exact=True).first.click()
    figures = page.locator("[data-kind=descent]")
    assert figures.nth(0).get_by_role("status").inner_text().startswith("1 update, 50 examples seen")
    assert figures.nth(1).get_by_role("status").inner_text().startswith("At the start")
    words = page.locator("svg[role=img] desc")
    assert words.count() == 2 * sum(DRAWINGS.values())
    assert all(len(text) > 40 for text in words.all_text_contents())


# ---- descent -------------------------------------------------------------------------------------

OPTIMISERS = {
    "SGD": lambda p, lr: torch.optim.SGD(p, lr),
    "momentum": lambda p, lr: torch.optim.SGD(p, lr, momentum=0.9),
    "RMSProp": lambda p, lr: torch.optim.RMSprop(p, lr, alpha=0.9, eps=1e-8),
    "Adam": lambda p, lr: torch.optim.Adam(p, lr, betas=(0.9, 0.999), eps=1e-8),
}


def mulberry32(seed):
    """Tommy Ettinger's generator, as the page has it."""
    bits = 0xFFFFFFFF
    while True:
        seed = (seed + 0x6D2B79F5) & bits
        t = ((seed ^ (seed >> 15)) * (1 | seed)) & bits
        t ^= (t + (t ^ (t >> 7)) * (61 | t)) & bits
        yield ((t ^ (t >> 14)) & bits) / 2**32


def batches(size, seed):
    """Every epoch a Fisher-Yates shuffle, cut into disjoint batches."""
    uniform = mulberry32(seed)
    while True:
        order = list(range(len(X)))
        for i in range(len(X) - 1, 0, -1):
            j = int(next(uniform) * (i + 1))
            order[i], order[j] = order[j], order[i]
        yield from (order[k : k + size] for k in range(0, len(X), size))


def with_torch(method, rate, steps, size=None, seed=0, start=(-1.0, 4.0)):
    """(a, b, loss on all the data) after these steps."""
    theta = torch.tensor(start, dtype=torch.float64, requires_grad=True)
    x, y = torch.tensor(X), torch.tensor(Y)
    optimiser, stream = OPTIMISERS[method]([theta], rate), batches(size or len(X), seed)
    for _ in range(steps):
        rows = next(stream)
        optimiser.zero_grad()
        torch.nn.functional.mse_loss(theta[0] + theta[1] * x[rows], y[rows]).backward()
        optimiser.step()
    loss = torch.nn.functional.mse_loss(theta[0] + theta[1] * x, y)
    return [*theta.tolist(), loss.item()]


def where(page):
    numbers = page.locator(".cw-numbers data")
    return [float(numbers.nth(i).get_attribute("value")) for i in (2, 3, 4)]


@pytest.mark.parametrize("method", OPTIMISERS)
@pytest.mark.parametrize("size", [50, 16, 1])
def test_descent_takes_the_steps_of_torch(show, method, size):
    page = show(simulations.descent(X, Y, start=(-1, 4), rate=0.02))
    choose(page, "Method", method)
    choose(page, "Batch size", str(size))
    for _ in range(2):
        press(page, "10 steps")
    press(page, "Step")
    rate = 10 ** (round(20 * np.log10(0.02)) / 20)
    assert where(page) == pytest.approx(with_torch(method, rate, 21, size), rel=1e-9)
    seen = {50: 21 * 50, 16: 5 * 50 + 16, 1: 21}[size]  # of 16: epochs of 16 + 16 + 16 + 2
    assert status(page).startswith(f"21 updates, {seen:,} examples seen: loss ")


def test_descent_repeats_a_run_until_the_batches_are_new(show):
    page = show(FIGURES["descent"]())
    choose(page, "Batch size", "2")
    runs = []
    for name in ("Reset", "New batches", "Reset"):
        page.get_by_role("button", name="10 steps").focus()
        page.keyboard.press("Enter")
        runs.append(where(page))
        page.get_by_role("button", name=name).focus()
        page.keyboard.press("Space")
        assert status(page).startswith("At the start the loss is")
    press(page, "10 steps")
    runs.append(where(page))
    assert runs[0] == runs[1] != runs[2] == runs[3]
    assert "last run: SGD, step size 0.0501, batches of 2" in page.locator(".cw-key").inner_text()


@pytest.mark.parametrize("method", ["SGD", "momentum"])
def test_descent_says_when_the_steps_diverge(show, method):
    design = np.stack([np.ones_like(X), X], axis=1)
    edge = (3.8 if method == "momentum" else 2) / np.linalg.eigvalsh(2 / len(X) * design.T @ design)[1]
    page = show(simulations.descent(X, Y, rate=edge))
    page.emulate_media(reduced_motion="reduce")
    choose(page, "Method", method)
    slider = page.get_by_role("slider")
    for key, diverges in (("ArrowLeft", False), ("ArrowRight", True)):
        slider.focus()
        while (float(slider.get_attribute("aria-valuetext")) > edge) != diverges:
            page.keyboard.press(key)
        press(page, "Run")
        assert ("The steps diverge: choose a smaller step size." in status(page)) == diverges
        run = page.get_by_role("button", name="Run")
        assert run.get_attribute("aria-disabled") == "true"  # over, in one way or the other
    assert f"On the full data {method} diverges above {edge:.3g}." in status(page)
    run.click(force=True)  # nothing happens any more
    assert "The steps diverge" in status(page)
    press(page, "Reset")
    assert run.get_attribute("aria-disabled") == "false"


def test_descent_blames_the_small_batch_when_it_is_one(show):
    page = show(simulations.descent(np.array([0.0, 0, 0, 0, 0, 0, 0, 9]), np.arange(8.0), rate=0.09))
    page.emulate_media(reduced_motion="reduce")
    press(page, "Run")
    assert "This is the end of the run" in status(page)
    choose(page, "Batch size", "1")
    press(page, "Run")
    assert re.search(r"diverge: .* would stand up to 0\.09\d+, but a small batch can be steeper", status(page))


def test_descent_runs_by_itself_and_pauses(show):
    page = show(FIGURES["descent"]())
    page.get_by_role("button", name="Run").focus()
    page.keyboard.press("Enter")
    assert status(page) == "Running."
    page.wait_for_function("document.querySelector('.cw-numbers data').value > 5")
    press(page, "Pause")
    paused = value(page, "Updates")
    assert 5 < paused < 300
    assert status(page).startswith(f"{paused:.0f} updates")
    press(page, "Run")
    page.get_by_role("button", name="Run").wait_for(timeout=20_000)
    assert value(page, "Updates") == 300
    assert where(page)[:2] == pytest.approx(np.polyfit(X, Y, 1)[::-1], abs=0.01)  # it has arrived


def test_descent_counts_examples_or_updates_and_keeps_the_last_run(show):
    page = show(FIGURES["descent"]())
    press(page, "10 steps")
    choose(page, "Batch size", "1")
    press(page, "10 steps")
    page.wait_for_timeout(100)
    words = page.locator("svg desc").nth(1)
    assert re.search(r"the last run goes from .* in 500; this run goes from .* in 10\.$", words.text_content())
    choose(page, "Count", "updates")
    page.wait_for_timeout(100)
    assert re.search(r"the last run goes from .* in 10; this run goes from .* in 10\.$", words.text_content())


# ---- gradient travel -----------------------------------------------------------------------------


def jacobian_norm(W, phi, lag):
    """The spectral norm of dh_T/dh_{T-lag}, by autograd."""
    W, inputs, h = torch.tensor(W), torch.tensor(INPUTS), torch.zeros(6, dtype=torch.float64)
    phi = {"linear": lambda a: a, "tanh": torch.tanh, "ReLU": torch.relu}[phi]
    for u in inputs[: len(inputs) - lag]:
        h = phi(u + h @ W.T)

    def rest(state):
        for u in inputs[len(inputs) - lag :]:
            state = phi(u + state @ W.T)
        return state

    return torch.linalg.matrix_norm(torch.autograd.functional.jacobian(rest, h), 2).item()


@pytest.mark.parametrize("name", MATRICES)
@pytest.mark.parametrize("phi", simulations.FUNCTIONS)
def test_travel_shows_the_norms_of_autograd(show, name, phi):
    page = show(FIGURES["gradient_travel"]())
    choose(page, "Matrix", name)
    choose(page, "Function", phi)
    for radius in (0.5, 0.97, 1.5):
        slide(page, "Spectral radius", round(100 * radius))
        W = radius * MATRICES[name]
        for lag in (0, 1, 7, 30):
            slide(page, "Steps back", lag)
            assert value(page, "norm of") == pytest.approx(jacobian_norm(W, phi, lag), rel=1e-9, abs=1e-300)
            assert value(page, "bound") == pytest.approx(np.linalg.norm(W, 2) ** lag, rel=1e-9)
            assert value(page, "spectral radius") == pytest.approx(radius**lag, rel=1e-9)
            assert value(page, "norm of") <= value(page, "bound") * (1 + 1e-9)


def test_travel_reads_out_what_is_left(show):
    page = show(FIGURES["gradient_travel"]())
    choose(page, "Matrix", "orthogonal")
    radius, lag = page.get_by_role("slider", name="radius"), page.get_by_role("slider", name="Steps back")
    radius.focus()
    for _ in range(20):
        page.keyboard.press("ArrowLeft")  # from 0.90 to 0.70
    assert radius.get_attribute("aria-valuetext") == "0.70"
    assert status(page) == "After 20 steps at most 8.0 × 10⁻⁴ of the gradient is left."
    slide(page, "Spectral radius", 120)
    assert status(page) == "After 20 steps the gradient can be 38.3 times as large as at the end."
    lag.focus()
    page.keyboard.press("Home")
    assert status(page) == "The gradient stands at h₃₀. Press Play to send it back."
    assert "from 0 to 30: the norm goes from 1 to 237;" in page.locator("svg desc").nth(1).text_content()


def test_travel_says_when_nothing_is_left(show):
    page = show(simulations.gradient_travel({"off": np.eye(2)}, np.full((10, 2), -0.1)))
    choose(page, "Function", "ReLU")
    assert "After 10 steps nothing of the gradient is left" in status(page)


def test_travel_plays_step_by_step_or_at_once(show):
    page = show(FIGURES["gradient_travel"]())
    press(page, "Back to the end")
    page.get_by_role("button", name="Play").focus()
    page.keyboard.press("Enter")
    assert status(page) == "The gradient travels back."
    page.wait_for_function("document.querySelectorAll('input[type=range]')[1].value > 3")
    press(page, "Pause")
    reached = int(page.get_by_role("slider", name="Steps back").input_value())
    assert 3 < reached < 30
    assert status(page).startswith(f"After {reached} steps")
    page.emulate_media(reduced_motion="reduce")
    press(page, "Play")
    assert status(page).startswith("After 30 steps")
    assert page.get_by_role("button", name="Play").get_attribute("aria-disabled") == "true"


# ---- the LSTM unit -------------------------------------------------------------------------------


def states(page):
    """Rows of numbers (c, h, product) at full precision, of the steps that are done."""
    found = [float(v.get_attribute("value")) for v in page.locator(".cw-live tbody data").all()]
    return [tuple(found[i : i + 3]) for i in range(0, len(found), 3)]


@pytest.mark.parametrize("name", simulations.PRESETS)
def test_player_plays_the_presets(show, name):
    page = show(simulations.lstm_player(c0=0.5))
    page.emulate_media(reduced_motion="reduce")
    choose(page, "Sequence", name)
    press(page, "Step")
    press(page, "Play the rest")
    expected = simulations.lstm_states(simulations.PRESETS[name], 0.5)
    np.testing.assert_allclose(states(page), expected, rtol=1e-12, atol=1e-15)
    c, h, share = (f"{v:.3f}".replace("-", "−") for v in expected[-1])
    assert f"c = {c}, h = {h}. The direct path carries {share} of the gradient back to c₀." in status(page)


def test_player_takes_the_gates_from_the_sliders(show):
    page = show(FIGURES["lstm_player"]())
    choose(page, "Sequence", "your own steps")
    steps = [{"f": 0.3, "i": 0.9, "g": -0.8, "o": 0.4}, {"f": 0.25, "i": 0.5, "g": 0.66, "o": 1}]
    for step in steps:
        for gate, words in (("f", "Forget"), ("i", "Input"), ("g", "Candidate"), ("o", "Output")):
            slide(page, words, step[gate])
        formula = page.locator(".cw-formula").all_inner_texts()
        press(page, "Step")
    expected = simulations.lstm_states(steps)
    np.testing.assert_allclose(states(page), expected, rtol=1e-12)
    assert formula == [
        "c₂ = f c₁ + i g = 0.25 · (−0.720) + 0.50 · 0.66 = 0.150",
        "h₂ = o tanh(c₂) = 1.00 · 0.149 = 0.149",
    ]
    page.wait_for_timeout(100)
    words = page.locator("svg desc").all_text_contents()
    assert "1: c −0.720, h −0.247; 2: c 0.150, h 0.149." in words[0]
    assert "c 0 0.075, c 1 0.250, c 2 1.000." in words[1]  # 0.3 * 0.25, 0.25, and nothing on the way


def test_player_goes_back_to_change_a_step(show):
    page = show(FIGURES["lstm_player"]())
    for _ in range(3):
        press(page, "Step")
    assert status(page).startswith("Step 3, hold: c = 1.000, h = 0.000.")
    page.get_by_role("button", name="Back").focus()
    page.keyboard.press("Enter")
    forget = page.get_by_role("slider", name="Forget")
    assert forget.input_value() == "1"
    forget.focus()
    for _ in range(40):
        page.keyboard.press("ArrowLeft")
    assert forget.get_attribute("aria-valuetext") == "0.60"
    press(page, "Step")
    assert status(page).startswith("Step 3, changed: c = 0.600")
    press(page, "Step")  # the rest of the sequence is still there
    assert status(page).startswith("Step 4, read: c = 0.600, h = 0.537.")
    press(page, "Start again")
    assert status(page).startswith("Nothing done yet")
    assert page.get_by_role("button", name="Back").get_attribute("aria-disabled") == "true"
    assert "3 hold" in page.locator(".cw-live tbody").inner_text()


def test_player_plays_by_itself_and_ends_in_time(show):
    page = show(FIGURES["lstm_player"]())
    press(page, "Play the rest")
    page.wait_for_function("document.querySelectorAll('tbody data').length >= 6")
    press(page, "Pause")
    assert 2 <= len(states(page)) < 7
    page.emulate_media(reduced_motion="reduce")
    press(page, "Play the rest")
    assert len(states(page)) == 7
    for _ in range(55):
        page.get_by_role("button", name="Step", exact=True).click(force=True)
    assert len(states(page)) == 60
    assert page.get_by_role("button", name="Step", exact=True).get_attribute("aria-disabled") == "true"
    assert "60 steps are done" in page.locator(".cw-panel").inner_text()

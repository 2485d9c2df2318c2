"""The simulating figures as Python makes them: what they embed, the tables of results, what they refuse."""

import math

import numpy as np
import pytest
import torch
from interactive import NASTY, check_escaped, check_page, embedded, rows

from course_lib import simulations

RNG = np.random.default_rng(8)
X = RNG.uniform(0, 4, 60)
Y = 1 + 2 * X + RNG.normal(size=60)
MATRICES = simulations.recurrent_matrices(np.random.default_rng(3), 5)
INPUTS = 0.1 * RNG.normal(size=(20, 5))
EXAMPLES = {
    "descent": lambda **options: simulations.descent(X, Y, **options),
    "gradient_travel": lambda **options: simulations.gradient_travel(MATRICES, INPUTS, **options),
    "lstm_player": lambda **options: simulations.lstm_player(**options),
}


@pytest.mark.parametrize("kind", EXAMPLES)
def test_html_is_complete_and_the_same_every_time(kind):
    check_page(EXAMPLES[kind], kind)


@pytest.mark.parametrize("kind", EXAMPLES)
def test_no_text_can_leave_its_place(kind):
    check_escaped(EXAMPLES[kind](title=NASTY))


def test_names_are_escaped():
    travel = simulations.gradient_travel({"<b>": MATRICES["random"]}, INPUTS)
    player = simulations.lstm_player({"<b>": [{"f": 1, "i": 0, "g": 0, "o": 1, "note": "<b>"}]})
    assert "<b>" not in travel._repr_html_() + player._repr_html_()


# ---- descent -------------------------------------------------------------------------------------


def bowl(points, values):
    """Minimum and curvatures of the mean squared error, from torch alone."""
    x, y = torch.tensor(points), torch.tensor(values)

    def loss(theta):
        return torch.nn.functional.mse_loss(theta[0] + theta[1] * x, y)

    hessian = torch.autograd.functional.hessian(loss, torch.zeros(2, dtype=torch.float64))
    slope = torch.autograd.functional.jacobian(loss, torch.zeros(2, dtype=torch.float64))
    return loss, torch.linalg.solve(hessian, -slope), torch.linalg.eigvalsh(hessian)


def test_descent_knows_the_bowl():
    loss, best, curvature = bowl(X, Y)
    data = embedded(EXAMPLES["descent"]())
    assert data["best"] == pytest.approx(best.tolist(), abs=1e-10)
    assert data["curvature"] == pytest.approx(curvature.tolist(), abs=1e-10)
    assert data["rate"] == pytest.approx(1 / curvature[1].item(), rel=0.06)  # to the nearest 1/20 of a decade
    assert 20 * math.log10(data["rate"]) == pytest.approx(round(20 * math.log10(data["rate"])), abs=1e-9)
    offset = torch.tensor(data["start"], dtype=torch.float64) - best
    _, axes = torch.linalg.eigh(torch.autograd.functional.hessian(loss, best))
    flat, steep = (curvature * (offset @ axes) ** 2 / 2).tolist()
    assert flat == pytest.approx(steep, rel=1e-9)
    assert embedded(EXAMPLES["descent"](start=(0, 0)))["start"] == [0, 0]


REFERENCES = {
    "SGD": lambda p, lr: torch.optim.SGD(p, lr),
    "momentum": lambda p, lr: torch.optim.SGD(p, lr, momentum=0.9),
    "RMSProp": lambda p, lr: torch.optim.RMSprop(p, lr, alpha=0.9, eps=1e-8),
    "Adam": lambda p, lr: torch.optim.Adam(p, lr, betas=(0.9, 0.999), eps=1e-8),
}


def test_descent_table_has_the_losses_of_torch():
    widget = EXAMPLES["descent"](start=(-1, 3), rate=0.05)
    loss, best, curvature = bowl(X, Y)
    table = {name: numbers for name, *numbers in rows(widget)[1:]}
    assert list(table) == list(REFERENCES)
    for name, make in REFERENCES.items():
        theta = torch.tensor([-1.0, 3.0], dtype=torch.float64, requires_grad=True)
        optimizer, seen = make([theta], embedded(widget)["rate"]), []
        for _ in range(101):
            optimizer.zero_grad()
            now = loss(theta)
            seen.append(now.item())
            now.backward()
            optimizer.step()
        assert table[name] == [f"{seen[k]:.4g}" for k in (0, 1, 10, 100)]
    assert f"{loss(best).item():.4g}" in widget.table
    assert f"above {2 / curvature[1].item():.3g}" in widget.table


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"x": X[:5]}, "x has 5 values and y has 60"),
        ({"x": X[:2], "y": Y[:2]}, "2 points given"),
        ({"x": np.zeros(2001), "y": np.zeros(2001)}, "2001 points given"),
        ({"x": np.full(60, 3.0)}, "all x are 3"),
        ({"x": X.reshape(6, 10)}, r"x has shape \(6, 10\)"),
        ({"y": [math.nan, *Y[1:]]}, "y holds a value that is not finite"),
        ({"x": [0, 1, 2], "y": [1, 3, 5], "start": (1, 2)}, "away from the minimum"),
        ({"start": (1, 2, 3)}, "must be two numbers"),
        ({"start": (1, math.inf)}, "start holds"),
        ({"rate": 0}, "rate=0.0 must be between"),
        ({"rate": 20}, "rate=20.0 must be between"),
        ({"rate": math.nan}, "rate=nan must be between"),
    ],
)
def test_descent_refuses(given, complaint):
    with pytest.raises(ValueError, match=complaint):
        simulations.descent(**{"x": X, "y": Y} | given)


# ---- gradient travel -----------------------------------------------------------------------------


def test_recurrent_matrices_have_spectral_radius_one():
    for size in (2, 12, 24):
        made = simulations.recurrent_matrices(np.random.default_rng(size), size)
        for W in made.values():
            assert np.abs(np.linalg.eigvals(W)).max() == pytest.approx(1, abs=1e-9)
        np.testing.assert_allclose(made["orthogonal"] @ made["orthogonal"].T, np.eye(size), atol=1e-12)
    with pytest.raises(ValueError, match="size=25"):
        simulations.recurrent_matrices(np.random.default_rng(0), 25)


@pytest.mark.parametrize("function", simulations.FUNCTIONS)
@pytest.mark.parametrize("radius", [0.7, 1.3])
def test_gradient_norms_are_those_of_autograd(function, radius):
    W = torch.tensor(radius * MATRICES["random"])
    phi = {"linear": lambda a: a, "tanh": torch.tanh, "ReLU": torch.relu}[function]

    def unroll(h, start):
        for u in torch.tensor(INPUTS[start:]):
            h = phi(u + h @ W.T)
        return h

    norms = simulations._gradient_norms(W.numpy(), INPUTS, function)
    h, T = torch.zeros(5, dtype=torch.float64), len(INPUTS)
    for t in range(T + 1):
        jacobian = torch.autograd.functional.jacobian(lambda state, t=t: unroll(state, t), h)
        expected = torch.linalg.matrix_norm(jacobian, 2).item()
        assert norms[T - t] == pytest.approx(expected, rel=1e-10, abs=1e-300)
        if t < T:
            h = phi(torch.tensor(INPUTS[t]) + h @ W.T)


def test_travel_scales_to_radius_one_and_embeds_the_bound():
    data = embedded(simulations.gradient_travel({"mine": 7 * MATRICES["random"]}, INPUTS))
    W = np.array(data["matrices"][0]["W"])
    np.testing.assert_allclose(W, MATRICES["random"], atol=1e-12)
    assert data["matrices"][0]["gamma"] == pytest.approx(math.sqrt(np.linalg.eigvalsh(W.T @ W)[-1]), abs=1e-10)
    table = rows(EXAMPLES["gradient_travel"]())
    assert table[0] == ["Matrix, function", "Spectral radius", "k = 5", "k = 20"]
    assert ["orthogonal, linear", "0.9", *(f"{0.9**k:.2g}" for k in (5, 20))] in table


@pytest.mark.parametrize(
    ("matrices", "inputs", "complaint"),
    [
        ({}, INPUTS, "0 matrices"),
        (dict.fromkeys("abcde", np.eye(5)), INPUTS, "5 matrices"),
        ({"a": np.eye(4)}, INPUTS, r"'a' has shape \(4, 4\) and inputs has width 5"),
        ({"a": np.full((5, 5), np.nan)}, INPUTS, "'a' holds"),
        ({"a": np.triu(np.ones((5, 5)), 1)}, INPUTS, "'a' has spectral radius 0"),
        ({"a": np.zeros((5, 5))}, INPUTS, "'a' has spectral radius 0"),
        ({"a": np.eye(5)}, INPUTS[:9], r"inputs has shape \(9, 5\)"),
        ({"a": np.eye(5)}, np.ones((101, 5)), r"inputs has shape \(101, 5\)"),
        ({"a": np.eye(5)}, INPUTS[0], r"inputs has shape \(5,\)"),
        ({"a": np.eye(5)}, 0 * INPUTS, "not all 0"),
        ({"a": np.eye(5)}, INPUTS + np.inf, "must be finite"),
    ],
)
def test_travel_refuses(matrices, inputs, complaint):
    with pytest.raises(ValueError, match=complaint):
        simulations.gradient_travel(matrices, inputs)


# ---- the LSTM unit -------------------------------------------------------------------------------


def test_states_are_those_of_an_lstm_cell_with_these_gates():
    steps = [dict(zip("figo", RNG.uniform(0.1, 0.9, 4), strict=True)) for _ in range(6)]
    c0 = torch.tensor([[0.7]], dtype=torch.float64, requires_grad=True)
    h, c = torch.zeros(1, 1, dtype=torch.float64), c0
    for step, (c_t, h_t, share) in zip(steps, simulations.lstm_states(steps, 0.7), strict=True):
        cell = torch.nn.LSTMCell(1, 1, dtype=torch.float64)
        gates = torch.tensor([step[k] for k in "ifgo"], dtype=torch.float64)  # in PyTorch's order
        with torch.no_grad():
            for parameter in cell.parameters():
                parameter.zero_()
            cell.bias_ih.copy_(torch.logit(gates))
            cell.bias_ih[2] = torch.atanh(gates[2])
        h, c = cell(torch.zeros(1, 1, dtype=torch.float64), (h, c))
        assert [c_t, h_t] == pytest.approx([c.item(), h.item()], abs=1e-12)
        assert share == pytest.approx(torch.autograd.grad(c.sum(), c0, retain_graph=True)[0].item(), abs=1e-12)


def test_presets_do_what_their_names_say():
    def states(name):
        return simulations.lstm_states(simulations.PRESETS[name])

    assert [c for c, _, _ in states("latch")] == [1, 1, 1, 1, -1, -1, -1]
    assert [round(h, 4) for _, h, _ in states("latch")] == [0, 0, 0, 0.7616, 0, 0, -0.7616]
    assert [c for c, _, _ in states("counter")] == [1, 2, 3, 4, 5, 5, 5, 4, 3, 2]
    assert [c for c, _, _ in states("reset")] == [1, 2, 3, 0, 1, 2, 1, 1]
    leaky = [c for c, _, _ in states("leaky integrator")]
    assert leaky[5] == pytest.approx(1 - 0.8**6)
    assert leaky[11] == pytest.approx(leaky[5] * 0.8**6)


def test_player_table_and_data():
    steps = [{"f": 0.5, "i": 1, "g": -1, "o": 1, "note": "x"}, {"f": 0.5, "i": 0, "g": 0, "o": 0.5}]
    widget = simulations.lstm_player({"mine": steps}, c0=2)
    assert rows(widget)[1:] == [
        ["1", "x", "0.5", "1", "-1", "1", "0.000", "0.000", "0.500"],
        ["2", "", "0.5", "0", "0", "0.5", "0.000", "0.000", "0.250"],
    ]
    assert embedded(widget)["presets"] == [["mine", [steps[0], {**steps[1], "note": ""}]]]
    assert len(rows(simulations.lstm_player())) == sum(len(s) + 1 for s in simulations.PRESETS.values())


@pytest.mark.parametrize(
    ("presets", "c0", "complaint"),
    [
        ({}, 0, "presets is empty"),
        ({"a": []}, 0, "'a' has 0 steps"),
        ({"a": [simulations.PRESETS["latch"][0]] * 41}, 0, "'a' has 41 steps"),
        ({"a": [{"f": 1, "i": 0, "g": 0}]}, 0, "step 1 of 'a' has no 'o'"),
        ({"a": [{"f": 1.1, "i": 0, "g": 0, "o": 0}]}, 0, "step 1 of 'a' has f=1.1"),
        ({"a": [{"f": 1, "i": -0.1, "g": 0, "o": 0}]}, 0, "i=-0.1: it must be between 0 and 1"),
        ({"a": [{"f": 1, "i": 0, "g": -2, "o": 0}]}, 0, "g=-2.0: it must be between -1 and 1"),
        ({"a": [{"f": 1, "i": 0, "g": math.nan, "o": 0}]}, 0, "g=nan"),
        (None, math.nan, "c0=nan"),
        (None, 101, "c0=101"),
    ],
)
def test_player_refuses(presets, c0, complaint):
    with pytest.raises(ValueError, match=complaint):
        simulations.lstm_player(presets, c0)

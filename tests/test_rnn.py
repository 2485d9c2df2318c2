"""Recurrent layers against torch.nn: outputs, states, and the gradients of every weight and of the input."""

import itertools

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from course_lib import metrics, next_token, rnn

TWINS = {"elman": (rnn.ElmanRNN, nn.RNN), "lstm": (rnn.LSTM, nn.LSTM), "gru": (rnn.GRU, nn.GRU)}
KINDS = [*TWINS, "relu"]
B, T, D, H = 4, 6, 3, 5
LENGTHS = [6, 1, 4, 2]


def pair(kind, seed=0, **options):
    """PyTorch's module and our copy of it, in double precision."""
    torch.manual_seed(seed)
    ours, theirs = TWINS["elman" if kind == "relu" else kind]
    if kind == "relu":
        options["nonlinearity"] = "relu"
    module = theirs(D, H, batch_first=True, dtype=torch.float64, **options)
    return ours.from_torch(module), module


def data(seed=1, width=D):
    return torch.randn(B, T, width, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def random_state(layer, batch=B, seed=2):
    g = torch.Generator().manual_seed(seed)
    zeros = layer.initial_state(batch)
    parts = zeros if isinstance(zeros, tuple) else (zeros,)
    drawn = tuple(torch.randn(z.shape, dtype=torch.float64, generator=g).requires_grad_() for z in parts)
    return drawn if isinstance(zeros, tuple) else drawn[0]


def flat(state):
    return list(state) if isinstance(state, tuple) else [state]


def scalar(output, state):
    """A loss in which every number of output and state has its own weight."""
    return sum((t * torch.arange(1.0, t.numel() + 1).reshape(t.shape).sin()).sum() for t in [output, *flat(state)])


def theirs_on(module, x, state, lengths):
    if lengths is None:
        return module(x, state)
    packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    output, final = module(packed, state)
    return pad_packed_sequence(output, batch_first=True, total_length=x.shape[1])[0], final


def gradients_of_torch(module, layer):
    """PyTorch's gradients, in the order and form of our parameters."""
    found = []
    for i, cell in enumerate(layer.cells):
        end = f"_l{i // layer.directions}" + ("_reverse" if i % layer.directions else "")
        grad = {name: getattr(module, name + end).grad for name in ("weight_ih", "weight_hh")}
        expected = {"W_x": grad["weight_ih"], "W_h": grad["weight_hh"]}
        if layer.cells[0].b is not None:
            expected["b"] = getattr(module, "bias_ih" + end).grad
            if hasattr(cell, "b_n"):
                expected["b_n"] = getattr(module, "bias_hh" + end).grad[2 * H :]
        found.append((cell, expected))
    return found


def close(a, b, tolerance=1e-10):
    assert a.shape == b.shape and a.dtype == b.dtype
    assert (a - b).abs().max() < tolerance


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("num_layers", [1, 2])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("lengths", [None, LENGTHS])
@pytest.mark.parametrize("given", [False, True])
def test_outputs_states_and_gradients_are_those_of_torch(kind, num_layers, bidirectional, bias, lengths, given):
    layer, module = pair(kind, num_layers=num_layers, bidirectional=bidirectional, bias=bias)
    results = []
    for run in (lambda x, s: layer(x, s, lengths), lambda x, s: theirs_on(module, x, s, lengths)):
        x, state = data().requires_grad_(), random_state(layer) if given else None
        output, final = run(x, state)
        scalar(output, final).backward()
        starts = [s.grad for s in flat(state)] if given else []
        results.append([output.detach(), *[f.detach() for f in flat(final)], x.grad, *starts])
    assert len(results[0]) == len(results[1])
    for ours, theirs in zip(*results, strict=True):
        close(ours, theirs)
    for cell, expected in gradients_of_torch(module, layer):
        assert {n for n, p in cell.named_parameters() if p is not None} == set(expected)
        for name, grad in expected.items():
            close(getattr(cell, name).grad, grad)


@pytest.mark.parametrize("kind", KINDS)
def test_a_cell_takes_one_step_of_its_layer(kind):
    layer, module = pair(kind)
    x, state = data()[:, 0], tuple(s[0] for s in flat(random_state(layer)))
    stepped = layer.cells[0](x, state)
    whole = tuple(s[None] for s in state)
    _, final = module(x[:, None], whole if kind == "lstm" else whole[0])
    for ours, theirs in zip(stepped, flat(final), strict=True):
        close(ours, theirs[0])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("filler", [1e6, float("inf"), float("nan")])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_what_stands_on_padding_never_matters(kind, filler, bidirectional):
    layer, _ = pair(kind, num_layers=2, bidirectional=bidirectional)
    x = data()
    dirty = x.clone()
    for row, length in enumerate(LENGTHS):
        dirty[row, length:] = filler
    (clean, final), (output, dirty_final) = layer(x, lengths=LENGTHS), layer(dirty, lengths=LENGTHS)
    for row, length in enumerate(LENGTHS):
        assert torch.equal(output[row, :length], clean[row, :length])
    for ours, other in zip(flat(dirty_final), flat(final), strict=True):
        assert torch.equal(ours, other)


@pytest.mark.parametrize("kind", KINDS)
def test_the_output_is_zero_on_padding(kind):
    output, _ = pair(kind, bidirectional=True)[0](data(), lengths=LENGTHS)
    for row, length in enumerate(LENGTHS):
        assert (output[row, length:] == 0).all() and (output[row, :length] != 0).any()


def test_lengths_may_be_a_list_or_a_tensor():
    layer, _ = pair("gru", bidirectional=True)
    assert torch.equal(layer(data(), lengths=LENGTHS)[0], layer(data(), lengths=torch.tensor(LENGTHS))[0])


@pytest.mark.parametrize("kind", TWINS)
def test_a_stream_in_pieces_is_the_whole_sequence(kind):
    torch.manual_seed(0)
    model = rnn.RNNLM(11, H, kind, embedding_size=D, num_layers=2).double()
    ids = torch.randint(11, (B, 20))
    whole, state, pieces = model(ids), model.initial_state(B), []
    for start, end in itertools.pairwise([0, 1, 2, 9, 20]):
        logits, state = model(ids[:, start:end], state)
        pieces.append(logits)
    close(torch.cat(pieces, dim=1), whole)
    _, at_once = model(ids, model.initial_state(B))
    for ours, other in zip(flat(state), flat(at_once), strict=True):
        close(ours, other)


def test_a_language_model_is_embedding_layer_and_output():
    torch.manual_seed(0)
    model = rnn.RNNLM(11, H, "elman", embedding_size=D).double()
    twin = nn.RNN(D, H, batch_first=True, dtype=torch.float64)
    cell = model.rnn.cells[0]
    with torch.no_grad():
        twin.weight_ih_l0.copy_(cell.W_x)
        twin.weight_hh_l0.copy_(cell.W_h)
        twin.bias_ih_l0.copy_(cell.b)
        twin.bias_hh_l0.zero_()
    ids = torch.randint(11, (B, T))
    h, _ = twin(nn.functional.embedding(ids, model.embedding.weight))
    close(model(ids), h @ model.output.weight.T + model.output.bias)
    assert rnn.RNNLM(11, H, "elman").embedding.weight.shape == (11, H)


def test_dropout_acts_between_layers_in_training_only():
    torch.manual_seed(0)
    layer = rnn.ElmanRNN(D, H, num_layers=2, dropout=0.5).double()
    x = data()
    first, second = layer(x)[0], layer(x)[0]
    assert not torch.equal(first, second)
    layer.eval()
    assert torch.equal(layer(x)[0], layer(x)[0])
    plain = rnn.ElmanRNN(D, H, num_layers=2).double()
    plain.load_state_dict(layer.state_dict())
    assert torch.equal(layer(x)[0], plain(x)[0])
    single = rnn.ElmanRNN(D, H, num_layers=1, dropout=0.5).double()
    assert torch.equal(single(x)[0], single(x)[0])  # nothing above, so nothing is dropped


def test_from_torch_keeps_mode_dropout_and_dtype():
    with_dropout = nn.LSTM(D, H, num_layers=2, dropout=0.3, batch_first=True).eval()
    copy = rnn.LSTM.from_torch(with_dropout)
    assert not copy.training and copy.dropout.p == 0.3
    assert copy.cells[0].W_x.dtype == torch.float32
    with torch.no_grad():  # a copy, not a view
        with_dropout.weight_ih_l0.zero_()
    assert (copy.cells[0].W_x != 0).any()


def test_the_forget_gate_starts_open_only_by_our_choice():
    assert (rnn.LSTM(D, H).cells[0].b[H : 2 * H] == 1).all()
    assert (rnn.LSTM(D, H, forget_bias=3.0).cells[0].b[H : 2 * H] == 3).all()
    assert (rnn.LSTM(D, H).cells[0].b[:H] == 0).all()


def test_scoring_pads_without_a_trace():
    torch.manual_seed(0)
    model = rnn.RNNLM(11, H, "lstm").double()
    sequences = [[4, 5, 6], [7], [8, 9, 10, 4, 5]]
    together = next_token.score(model, sequences)
    for s, row in zip(sequences, together, strict=True):
        (alone,) = next_token.score(model, [s])
        assert abs(row - alone).max() < 1e-10
    inputs, targets = next(iter(next_token.Batches(sequences, 3, 0)))
    mean = -sum(row.sum() for row in together) / sum(map(len, together))
    assert abs(metrics.masked_cross_entropy(model(inputs), targets).item() - mean) < 1e-10


@pytest.mark.parametrize(
    ("lengths", "words"),
    [
        ([6, 0, 4, 2], "row 1 has length 0"),
        ([6, 1, 7, 2], "row 2 has length 7, which must be 1 to the padded width, 6"),
        ([6, 1, -1, 2], "row 2 has length -1"),
        ([6, 1, 4], "must be 4 integers"),
        ([6.0, 1.0, 4.0, 2.0], "must be 4 integers"),
        ([[6, 1, 4, 2]], "must be 4 integers"),
    ],
)
def test_bad_lengths(lengths, words):
    with pytest.raises(ValueError, match=words):
        pair("elman")[0](data(), lengths=lengths)


@pytest.mark.parametrize("kind", TWINS)
def test_bad_states(kind):
    layer, _ = pair(kind, num_layers=2)
    for wrong in (random_state(layer, batch=B + 1), random_state(pair(kind, num_layers=1)[0])):
        with pytest.raises(ValueError, match=rf"needs .* of \(2, {B}, {H}\)"):
            layer(data(), wrong)
    other = random_state(pair("gru" if kind == "lstm" else "lstm", num_layers=2)[0])
    with pytest.raises(ValueError, match="the state has shape"):
        layer(data(), other)


@pytest.mark.parametrize("shape", [(B, T, D + 1), (B, T), (B, 0, D), (0, T, D), (B, 1, T, D)])
def test_bad_inputs(shape):
    with pytest.raises(ValueError, match=rf"must be \(B, T, {D}\)"):
        pair("gru")[0](torch.zeros(shape, dtype=torch.float64))


def test_bad_ids():
    model = rnn.RNNLM(11, H, "gru")
    for ids in ([[0, 11]], [[-1, 3]]):
        with pytest.raises(ValueError, match="the vocabulary has 11"):
            model(torch.tensor(ids))
    for ids in (torch.zeros(2, 3), torch.zeros(3, dtype=torch.int64), [[1, 2]]):
        with pytest.raises(TypeError, match="integers of shape"):
            model(ids)


def test_bad_constructions():
    with pytest.raises(ValueError, match="kind='rnn' must be one of"):
        rnn.RNNLM(11, H, "rnn")
    with pytest.raises(ValueError, match="nonlinearity='sigmoid'"):
        rnn.ElmanRNN(D, H, nonlinearity="sigmoid")
    for options in ({"num_layers": 0}, {"dropout": 1.0}, {"dropout": -0.1}):
        with pytest.raises(ValueError, match="must be 1 or more"):
            rnn.GRU(D, H, **options)
    with pytest.raises(ValueError, match="must be 1 or more"):
        rnn.LSTM(D, 0)


@pytest.mark.parametrize("kind", TWINS)
def test_from_torch_takes_its_twin_only(kind):
    ours, _ = TWINS[kind]
    for other, (_, theirs) in TWINS.items():
        if other != kind:
            with pytest.raises(ValueError, match=r"takes a torch\.nn"):
                ours.from_torch(theirs(D, H))
    with pytest.raises(ValueError, match=r"takes a torch\.nn"):
        ours.from_torch(nn.Linear(D, H))
    with pytest.raises(ValueError, match="without projection"):
        rnn.LSTM.from_torch(nn.LSTM(D, H, proj_size=2))


def test_what_stands_on_padding_reaches_no_gradient():
    layer, _ = pair("elman", bidirectional=True)
    x = data()
    for row, length in enumerate(LENGTHS):
        x[row, length:] = float("nan")
    layer(x, lengths=LENGTHS)[0].sum().backward()
    assert all(p.grad.isfinite().all() for p in layer.parameters())


@pytest.mark.parametrize("bias", [True, False])
def test_the_scan_of_an_lstm_is_its_cell_step_by_step(bias):
    """Outputs, both final states and all gradients, with a loss that hears every step, h_T and c_T."""
    torch.manual_seed(3)
    layer = rnn.LSTM(3, 5, bias=bias).double()
    cell = layer.cells[0]
    x = torch.randn(4, 6, 3, dtype=torch.float64, requires_grad=True)
    h, c = (torch.randn(1, 4, 5, dtype=torch.float64, requires_grad=True) for _ in range(2))
    weights = [p for p in [*cell.parameters(), x, h, c] if p is not None]
    mix = torch.randn(4, 6, 5, dtype=torch.float64)

    def by_steps():
        state, outputs = (h[0], c[0]), []
        for t in range(6):
            state = cell(x[:, t], state)
            outputs.append(state[0])
        return torch.stack(outputs, 1), (state[0][None], state[1][None])

    found = []
    for y, (last_h, last_c) in (by_steps(), layer(x, (h, c))):
        total = (y * mix).sum() + last_h.square().sum() + last_c.sin().sum()
        found.append([y, last_h, last_c, *torch.autograd.grad(total, weights)])
    for slow, fast in zip(*found, strict=True):
        assert (slow - fast).abs().max() < 1e-12


def test_the_scan_of_an_lstm_passes_gradcheck_and_says_that_it_can_be_differentiated_once():
    a, W_h = (torch.randn(s, dtype=torch.float64, requires_grad=True) for s in ((3, 2, 8), (8, 2)))
    h, c = (torch.randn(2, 2, dtype=torch.float64, requires_grad=True) for _ in range(2))
    assert torch.autograd.gradcheck(rnn.LSTMScan.apply, (a, W_h, h, c))
    with pytest.raises(RuntimeError, match="differentiated once"):
        torch.autograd.grad(rnn.LSTMScan.apply(a, W_h, h, c)[0].sum(), a, create_graph=True)

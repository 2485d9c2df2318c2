"""Sequence to sequence: against a construction from torch.nn, and every way of decoding against every other."""

import itertools
import math

import numpy as np
import pytest
import torch
from torch import nn

from course_lib import metrics, optimizers, tasks, train
from course_lib.seq2seq import Batches, Seq2Seq, exact_match, loss, translate
from course_lib.tokens import BOS_ID, EOS_ID, PAD_ID

SOURCE, TARGET, H = 9, 11, 6
PAIRS = [([4, 5, 6], [4, 5]), ([7], [8, 9, 10, 4, 5]), ([8, 8], []), ([5, 4, 7, 6, 5], [10])]
KINDS = ("elman", "gru", "lstm")
ATTENTION = (None, "dot", "additive")
OPTIONS = {
    "plain": {},
    "deep": {"num_layers": 2, "embedding_size": 4},
    "both directions": {"bidirectional": True},
    "reversed": {"reverse": True},
    "all": {"num_layers": 2, "bidirectional": True, "reverse": True},
}


def build(kind="gru", attention="dot", **options):
    torch.manual_seed(0)
    return Seq2Seq(SOURCE, TARGET, H, kind, attention, **options).double().eval()


def batch(pairs=PAIRS):
    """source, inputs and targets of all pairs, in their order."""
    rows = [([*s, EOS_ID], [BOS_ID, *t], [*t, EOS_ID]) for s, t in pairs]
    return [
        nn.utils.rnn.pad_sequence([torch.tensor(row) for row in side], batch_first=True, padding_value=PAD_ID)
        for side in zip(*rows, strict=True)
    ]


def close(a, b, tolerance=1e-10):
    assert a.shape == b.shape
    assert (a - b).abs().max() < tolerance


every_model = pytest.mark.parametrize(
    ("kind", "attention", "options"),
    [(k, a, o) for k, a, o in itertools.product(KINDS, ATTENTION, OPTIONS.values())],
    ids=[f"{k}-{a}-{o}" for k, a, o in itertools.product(KINDS, ATTENTION, OPTIONS)],
)


# ---- the model ---------------------------------------------------------------------------------------------------


def torch_twin(layer, kind, width):
    """torch.nn's recurrent layer with the weights of ours."""
    cls = {"elman": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}[kind]
    twin = cls(width, H, layer.num_layers, batch_first=True, bidirectional=layer.bidirectional, dtype=torch.float64)
    with torch.no_grad():
        for i, cell in enumerate(layer.cells):
            end = f"_l{i // layer.directions}" + ("_reverse" if i % layer.directions else "")
            getattr(twin, "weight_ih" + end).copy_(cell.W_x)
            getattr(twin, "weight_hh" + end).copy_(cell.W_h)
            getattr(twin, "bias_ih" + end).copy_(cell.b)
            getattr(twin, "bias_hh" + end).zero_()
            if kind == "gru":
                getattr(twin, "bias_hh" + end)[2 * H :] = cell.b_n
    return twin


def one_by_hand(model, kind, source, inputs):
    """Logits (T, V) and weights (T, S) of one pair without padding, with torch.nn's layers and loops."""
    width = model.source_embedding.embedding_dim
    read = source[::-1] if model.reverse else source
    states, last = torch_twin(model.encoder, kind, width)(model.source_embedding.weight[read][None])
    states = states[0].flip(0) if model.reverse else states[0]
    if model.bridge is not None:

        def join(s):  # forwards and backwards of layer l stand in rows 2l and 2l + 1
            pairs = [torch.cat([s[2 * l], s[2 * l + 1]], dim=-1) for l in range(len(s) // 2)]
            return torch.stack([torch.tanh(model.bridge(p)) for p in pairs])

        last = tuple(map(join, last)) if kind == "lstm" else join(last)
    s = torch_twin(model.decoder, kind, width)(model.target_embedding.weight[inputs][None], last)[0][0]
    if model.attention is None:
        return model.output(s), None
    logits, weights = [], []
    for query in s:
        if hasattr(model.attention, "U"):
            a = model.attention
            scores = torch.stack([a.v(torch.tanh(a.W(query) + a.U(key)))[0] for key in states])
        else:
            W = model.attention.W
            scores = torch.stack([(query if W is None else W(query)) @ key for key in states])
        weights.append(scores.softmax(0))
        c = sum(w * key for w, key in zip(weights[-1], states, strict=True))
        logits.append(model.output(torch.tanh(model.combine(torch.cat([query, c])))))
    return torch.stack(logits), torch.stack(weights)


@every_model
def test_a_padded_batch_is_its_rows_built_from_torch(kind, attention, options):
    model = build(kind, attention, **options)
    source, inputs, _ = batch()
    logits = model(source, inputs)
    assert logits.shape == (4, 6, TARGET)
    weights = model.look(source, inputs)[1] if attention else None
    for i, (s, t) in enumerate(PAIRS):
        expected, looked = one_by_hand(model, kind, [*s, EOS_ID], [BOS_ID, *t])
        close(logits[i, : len(t) + 1], expected)
        if attention:
            close(weights[i, : len(t) + 1, : len(s) + 1], looked)
            assert not weights[i, :, len(s) + 1 :].any()


@every_model
def test_step_by_step_is_all_at_once(kind, attention, options):
    model = build(kind, attention, **options)
    source, inputs, _ = batch()
    memory = model.encode(source)
    assert memory.states.shape == (4, 6, H * (1 + bool(options.get("bidirectional"))))
    assert torch.equal(memory.mask[:, 0], source != PAD_ID)
    logits, state = model(source, inputs), memory.state
    for t in range(inputs.shape[1]):
        z, state, weights = model.step(inputs[:, t], state, memory)
        close(z, logits[:, t])
        if attention:
            close(weights, model.look(source, inputs)[1][:, t])
        else:
            assert weights is None


@every_model
def test_padding_changes_neither_loss_nor_gradients(kind, attention, options):
    """The mean over a padded batch is that over its pairs, each alone and weighed by its tokens."""
    model = build(kind, attention, **options)
    wide = [torch.nn.functional.pad(x, (0, 3), value=PAD_ID) for x in batch()]
    tokens = sum(len(t) + 1 for _, t in PAIRS)
    alone = sum(loss(model, batch([pair])) * (len(pair[1]) + 1) / tokens for pair in PAIRS)
    by_hand = [one_by_hand(model, kind, [*s, EOS_ID], [BOS_ID, *t])[0].log_softmax(-1) for s, t in PAIRS]
    total = sum(q[range(len(t) + 1), [*t, EOS_ID]].sum() for q, (_, t) in zip(by_hand, PAIRS, strict=True))
    assert alone.item() == pytest.approx(-total.item() / tokens, abs=1e-10)
    parameters = list(model.parameters())
    expected = torch.autograd.grad(alone, parameters)
    for padded in (batch(), wide):
        value = loss(model, padded)
        assert value.item() == pytest.approx(alone.item(), abs=1e-10)
        for ours, theirs in zip(torch.autograd.grad(value, parameters), expected, strict=True):
            close(ours, theirs)
    assert not expected[0][PAD_ID].any() and not expected[1][PAD_ID].any()


@pytest.mark.parametrize("attention", ATTENTION)
def test_reading_backwards_is_reading_the_reversed_source(attention):
    plain, backwards = build(attention=attention), build(attention=attention, reverse=True)
    source, inputs = torch.tensor([[4, 5, 6, 2], [7, 2, 0, 0]]), torch.tensor([[1, 4], [1, 5]])
    turned = torch.tensor([[2, 6, 5, 4], [2, 7, 0, 0]])
    close(backwards(source, inputs), plain(turned, inputs))
    assert (backwards(source, inputs) - plain(source, inputs)).abs().max() > 1e-6
    if attention:  # the weights stand in the order of the source all the same
        close(backwards.look(source, inputs)[1][0], plain.look(turned, inputs)[1][0].flip(-1))


def test_without_attention_the_decoder_gets_as_much_of_a_long_source_as_of_a_short_one():
    model = build(attention=None)
    for length in (1, 30):
        memory = model.encode(torch.full((2, length), 4))
        assert memory.state.shape == (1, 2, H) and memory.states.shape == (2, length, H)


def test_parameters():
    def count(module):
        return sum(p.numel() for p in module.parameters())

    gru = 3 * (H * H + H * H + H) + H
    embeddings, output = (SOURCE + TARGET) * H, (H + 1) * TARGET
    assert count(build(attention=None)) == embeddings + 2 * gru + output
    assert count(build()) == embeddings + 2 * gru + output + (2 * H + 1) * H
    assert count(build(attention="additive")) - count(build()) == H * H + H + H * H + H
    assert build(bidirectional=True).attention.W.weight.shape == (2 * H, H)


# ---- teacher forcing ---------------------------------------------------------------------------------------------


def own_inputs(inputs, logits):
    """What a model reads that is given its own most probable tokens."""
    return torch.cat([inputs[:, :1], logits.argmax(-1)[:, :-1]], dim=1)


@every_model
def test_without_forcing_the_model_reads_its_own_tokens(kind, attention, options):
    model = build(kind, attention, **options)
    source, inputs, _ = batch()
    logits = model(source, inputs, forcing=0.0)
    close(logits, model(source, own_inputs(inputs, logits)))
    close(logits, model(source, torch.cat([inputs[:, :1], torch.full_like(inputs[:, 1:], 7)], 1), forcing=0.0))
    close(model(source, inputs, forcing=1 - 1e-9), model(source, inputs))


def test_partial_forcing_draws_for_each_row_and_step_from_the_generator():
    model = build()
    n, T = 400, 6
    source, inputs = torch.full((n, 2), 4), torch.full((n, T), 10)
    inputs[:, 0] = BOS_ID
    seen = []
    original = model.step
    model.step = lambda ids, state, memory: (seen.append(ids), original(ids, state, memory))[1]
    with torch.no_grad():
        model.output.bias[10] = -100.0  # so that the gold token is never the model's own
        first = model(source, inputs, forcing=0.3, generator=torch.Generator().manual_seed(1))
    read = torch.stack(seen, dim=1)
    assert read.shape == (n, T) and (read[:, 0] == BOS_ID).all()
    own = own_inputs(inputs, first)
    forced = read[:, 1:] == 10
    assert torch.equal(read[:, 1:], torch.where(forced, 10, own[:, 1:]))
    for share in [*forced.double().mean(0), *(forced[:, 1:][forced[:, :-1]].double().mean(),)]:
        assert abs(share - 0.3) < 5 * math.sqrt(0.21 / 400)
    again = model(source, inputs, forcing=0.3, generator=torch.Generator().manual_seed(1))
    other = model(source, inputs, forcing=0.3, generator=torch.Generator().manual_seed(2))
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_a_loss_can_be_taken_without_forcing():
    model = build("lstm", "additive")
    source, inputs, targets = batch()
    logits = model(source, inputs, forcing=0.5, generator=torch.Generator().manual_seed(0))
    metrics.masked_cross_entropy(logits, targets).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


# ---- decoding ----------------------------------------------------------------------------------------------------


@every_model
def test_a_translation_is_the_argmax_of_the_model_that_reads_it(kind, attention, options):
    model = build(kind, attention, **options)
    with torch.no_grad():
        model.output.bias[EOS_ID] += 0.3  # so that some end early and some do not
    sources = [s for s, _ in PAIRS] + [[4, 4, 4, 4], [6, 7]]
    texts = translate(model, sources, max_length=8)
    assert len(texts) == len(sources)
    for source, text in zip(sources, texts, strict=True):
        assert EOS_ID not in text and len(text) <= 8
        whole = torch.tensor([[BOS_ID, *text]])
        logits = model(torch.tensor([[*source, EOS_ID]]), whole)
        expected = [*text, EOS_ID] if len(text) < 8 else text
        assert logits[0].argmax(-1).tolist()[: len(expected)] == expected
        assert translate(model, [source], max_length=8) == [text]  # a batch of one
    if attention:
        same, weights = translate(model, sources, max_length=8, weights=True)
        assert same == texts
        for source, text, w in zip(sources, texts, weights, strict=True):
            written = min(len(text) + 1, 8)
            assert isinstance(w, np.ndarray) and w.shape == (written, len(source) + 1)
            _, looked = model.look(torch.tensor([[*source, EOS_ID]]), torch.tensor([[BOS_ID, *text]]))
            close(torch.from_numpy(w), looked[0, :written].detach())


def always(token, attention="dot"):
    """A model that writes one token for ever."""
    model = build(attention=attention)
    with torch.no_grad():
        model.output.weight.zero_()
        model.output.bias.zero_()
        model.output.bias[token] = 9.0
    return model


def test_a_model_that_never_ends_is_stopped_and_one_that_ends_at_once_writes_nothing():
    texts, weights = translate(always(5), [[4], [4, 5, 6]], max_length=3, weights=True)
    assert texts == [[5, 5, 5]] * 2 and [w.shape for w in weights] == [(3, 2), (3, 4)]
    texts, weights = translate(always(EOS_ID), [[4], [4, 5, 6]], weights=True)
    assert texts == [[], []] and [w.shape for w in weights] == [(1, 2), (1, 4)]


def test_exact_match_means_the_whole_target_and_its_end():
    assert exact_match(always(EOS_ID), [([4], []), ([4], [5])]).tolist() == [True, False]
    pairs = [([4], [5, 5]), ([4, 6], [5]), ([7], [5] * 9)]
    found = exact_match(always(5), pairs)  # right as far as they go, but they do not stop
    assert found.dtype == bool and found.tolist() == [False] * 3
    model, sources = build(), [s for s, _ in PAIRS]
    with torch.no_grad():
        model.output.bias[EOS_ID] += 0.5
    texts = translate(model, sources, max_length=20)
    ended = [len(text) < 20 for text in texts]
    assert any(ended)
    assert exact_match(model, [(s, tuple(t)) for s, t in zip(sources, texts, strict=True)]).tolist() == ended


def test_decoding_is_in_evaluation_mode_and_leaves_the_mode_as_it_was():
    model = build(dropout=0.5)
    expected = translate(model, [[4, 5], [6]], max_length=9)
    assert not model.training
    model.train()
    assert translate(model, [[4, 5], [6]], max_length=9) == expected
    assert model.training and model.decoder.training
    with pytest.raises(ValueError, match="the vocabulary has 9"):
        translate(model, [[99]])
    assert model.training
    source, inputs, _ = batch()
    assert not torch.equal(model(source, inputs), model(source, inputs))


@pytest.mark.parametrize("attention", [None, "dot"])
def test_a_few_pairs_are_learned_by_heart(attention):
    torch.manual_seed(0)
    task = tasks.reversal(12, 3, np.random.default_rng(0), symbols=4)
    pairs = [((s + 4).tolist(), (t + 4).tolist()) for s, t in zip(task.inputs, task.targets, strict=True)]
    model = Seq2Seq(8, 8, 24, attention=attention)
    assert not exact_match(model, pairs).all()
    optimizer = optimizers.Adam(model.parameters(), lr=1e-2)
    train.train(model, Batches(pairs, 12), loss, optimizer, 120)
    assert exact_match(model, pairs).all()
    assert not exact_match(model, [(s, t[::-1]) for s, t in pairs if t != t[::-1]]).any()


# ---- batches -----------------------------------------------------------------------------------------------------


def taken(batches, n):
    return list(itertools.islice(iter(batches), n))


def test_batches_put_the_marks_where_they_belong():
    (source, inputs, targets), *_ = taken(Batches(PAIRS, 4), 1)
    rows = {tuple(s[s != PAD_ID].tolist()): (i, t) for s, i, t in zip(source, inputs, targets, strict=True)}
    assert len(rows) == 4 and source.shape == (4, 6) and inputs.shape == targets.shape == (4, 6)
    for s, t in PAIRS:
        i, o = rows[*s, EOS_ID]
        assert i[: len(t) + 1].tolist() == [BOS_ID, *t] and o[: len(t) + 1].tolist() == [*t, EOS_ID]
        assert not o[len(t) + 1 :].any()
    assert source.dtype == inputs.dtype == targets.dtype == torch.int64


def test_what_a_decoder_reads_behind_the_end_does_not_count():
    """``inputs`` keeps the EOS of shorter targets, where ``targets`` is padding."""
    model = build()
    (source, inputs, targets), *_ = taken(Batches(PAIRS, 4), 1)
    assert ((inputs == EOS_ID) & (targets != PAD_ID)).sum() == 0
    changed = torch.where(targets == PAD_ID, 7, inputs)
    before, after = (loss(model, (source, read, targets)).item() for read in (inputs, changed))
    assert not torch.equal(inputs, changed) and before == pytest.approx(after)


def test_batches_go_through_all_pairs_with_like_lengths_together():
    rng = np.random.default_rng(0)
    pairs = [(rng.integers(4, 9, size=rng.integers(1, 9)).tolist(), [4 + i % 7] * int(rng.integers(0, 12)))
             for i in range(100)]  # fmt: skip
    batches = Batches(pairs, 10, seed=3)
    epochs = taken(batches, 20)
    for epoch in (epochs[:10], epochs[10:]):
        found = sorted((s[s > EOS_ID].tolist(), t[t > EOS_ID].tolist())
                       for source, _, targets in epoch for s, t in zip(source, targets, strict=True))  # fmt: skip
        assert found == sorted(pairs)
    assert not all(torch.equal(a[0], b[0]) for a, b in zip(epochs[:10], epochs[10:], strict=True))
    again, other = taken(batches, 20), taken(Batches(pairs, 10, seed=4), 20)
    assert all(torch.equal(x, y) for a, b in zip(epochs, again, strict=True) for x, y in zip(a, b, strict=True))
    assert not all(torch.equal(a[0], b[0]) for a, b in zip(epochs, other, strict=True))
    padding = sum((t == PAD_ID).sum().item() for _, _, t in epochs[:10])
    assert padding < 0.15 * sum(t.numel() for _, _, t in epochs[:10])
    tokens = [(t != PAD_ID).sum().item() for _, _, t in epochs[:10]]
    assert max(tokens) < 1.5 * min(tokens)


# ---- bad input ---------------------------------------------------------------------------------------------------


def test_a_batch_of_one_and_a_target_longer_than_its_source():
    model = build("lstm", "additive", bidirectional=True)
    source, inputs, targets = batch([([4], [5, 6, 7, 8, 9])])
    assert model(source, inputs).shape == (1, 6, TARGET)
    assert loss(model, (source, inputs, targets)).isfinite()
    assert len(taken(Batches([PAIRS[1]], 5), 3)) == 3


BAD = {
    "batch_size=0 and 4 pairs": lambda: Batches(PAIRS, 0),
    "batch_size=3 and 0 pairs": lambda: Batches([], 3),
    "pair 1 has an empty source": lambda: Batches([PAIRS[0], ([], [4])], 2),
    r"pair 0 holds PAD, BOS or EOS \(\[4, 2\]\)": lambda: Batches([([4, EOS_ID], [4])], 2),
    "pair 0 holds PAD": lambda: Batches([([4], [BOS_ID, 4])], 2),
    "source 1 has an empty source": lambda: translate(build(), [[4], []]),
    "source 0 holds PAD": lambda: translate(build(), [[4, PAD_ID]]),
    "at least one sequence": lambda: translate(build(), []),
    "there is none": lambda: exact_match(build(), []),
    "max_length=0": lambda: translate(build(), [[4]], max_length=0),
    "ids run from 2 to 9, and the vocabulary has 9": lambda: translate(build(), [[9]]),
    "ids run from 1 to 11, and the vocabulary has 11": lambda: build()(torch.tensor([[4]]), torch.tensor([[1, 11]])),
    "gives no weights word by word": lambda: translate(build(attention=None), [[4]], weights=True),
    "no attention, so there are no weights: give": lambda: build(attention=None).look(*batch()[:2]),
    "kind='tree'": lambda: build("tree"),
    "attention='cross'": lambda: build(attention="cross"),
    r"forcing=1\.5": lambda: build()(*batch()[:2], forcing=1.5),
    r"forcing=-0\.1": lambda: build()(*batch()[:2], forcing=-0.1),
    "every source needs a token": lambda: build().encode(torch.tensor([[4, 2], [0, 0]])),
    "its padding last": lambda: build().encode(torch.tensor([[4, 0, 2]])),
    "on a batch of 2 needs 1 of": lambda: build()(torch.tensor([[4, 2]]), torch.tensor([[1], [1]])),
}


@pytest.mark.parametrize("message", BAD)
def test_bad_input_is_named(message):
    with pytest.raises(ValueError, match=message):
        BAD[message]()


def test_ids_that_are_no_integers_are_named():
    with pytest.raises(TypeError, match="tensor of integers"):
        build().encode(torch.ones(2, 3))

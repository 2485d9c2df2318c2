"""The ladder's table, its excess by document against the one by corpus, its intervals, and the recorded runs."""

import math
import re
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch

import course_lib
from course_lib import ladder, languages, metrics, next_token
from course_lib.muon import Together
from course_lib.optimizers import Adam
from course_lib.transformer import TransformerLM
from tests import structure

ROOT = Path(__file__).parents[1]
FARM = languages.farm()
DOCUMENTS = FARM.sample(30, course_lib.generator(1))


# ---- the table and the loop ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ladder.NETWORKS)
def test_every_network_learns_a_little_and_again_the_same(name):
    sequences = [[4, 5, 6, 7]] * 4
    first, seconds = ladder.learn(name, sequences, 8, steps=20, width=16, batch_size=2, seed=3)
    again, _ = ladder.learn(name, sequences, 8, steps=20, width=16, batch_size=2, seed=3)
    other, _ = ladder.learn(name, sequences, 8, steps=1, width=16, batch_size=2, seed=4)
    log_q = [next_token.score(model, sequences[:1])[0] for model in (first, again, other)]
    assert seconds > 0 and np.array_equal(log_q[0], log_q[1])
    assert log_q[0].mean() > log_q[2].mean() + 0.1  # twenty updates against one, of another seed


def test_a_network_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="no network 'Elmo': choose one of Elman"):
        ladder.learn("Elmo", [[4]], 8, steps=1)
    with pytest.raises(ValueError, match="no optimiser 'Adan': choose one of Muon, Adam"):
        ladder.learn("GRU", [[4]], 8, steps=1, optimizer="Adan")


def test_all_networks_have_the_same_recipe_unless_another_is_asked_for():
    for make in ladder.NETWORKS.values():
        model = make(20, 24)
        assert isinstance(ladder.by_muon(model), Together) and isinstance(ladder.by_adam(model), Adam)
        assert [recipe(model).param_groups[0]["lr"] for recipe in ladder.OPTIMIZERS.values()] == [0.02, 0.004]
    sequences = [[4, 5, 6, 7]] * 4
    models = [ladder.learn("GRU", sequences, 8, 5, width=16, batch_size=2, optimizer=o)[0] for o in ladder.OPTIMIZERS]
    scores = [next_token.score(model, sequences[:1])[0] for model in models]
    assert not np.allclose(*scores)


def test_the_transformer_begins_quietly():
    model = ladder.NETWORKS["transformer"](20, 24)
    assert torch.equal(model(torch.arange(12)[None]), torch.zeros(1, 12, 20))
    tied = ladder.zero_outputs(TransformerLM(9, 8, 2, 1, 16, tied=True))
    assert tied.output.bias is None and torch.equal(tied(torch.ones(1, 3, dtype=torch.long)), torch.zeros(1, 3, 9))


@pytest.mark.parametrize(
    ("name", "kept"),
    [("Elman", (16, 0)), ("GRU", (16, 0)), ("LSTM", (32, 0)), ("LSTM + attention", (32, 16)), ("transformer", (0, 64))],
)
def test_what_is_kept(name, kept):
    model = ladder.NETWORKS[name](9, 16)
    for T in (1, 6):
        assert ladder.state_size(model, T) == kept[0] + kept[1] * T


def test_the_tales_are_cut_into_characters_without_loss():
    training, test = ladder.tales_in_characters()
    assert len(training) == pytest.approx(9 * len(test), rel=0.01)
    assert all(len(c) == 1 for sentence in training + test for c in sentence)
    assert {c for s in test for c in s} <= {c for s in training for c in s}
    assert "".join(ladder.tales_in_characters(0.5)[0][0]) == "".join(training[0])


# ---- excess and intervals ------------------------------------------------------------------------------------------


def test_documents_add_up_to_the_corpus():
    log_q = [q - 0.1 * (np.arange(len(q)) % 3) for q in (FARM.token_log_probs(d) for d in DOCUMENTS)]
    rows, lengths = ladder.excess_of_documents(FARM, DOCUMENTS, log_q)
    whole = metrics.excess_by_class(FARM, DOCUMENTS, log_q)
    assert rows.sum(0) / lengths.sum() == pytest.approx([whole[kind] for kind in metrics.CLASSES])
    assert lengths.tolist() == [len(d) + 1 for d in DOCUMENTS]
    with pytest.raises(ValueError, match="document 1 has"):
        ladder.excess_of_documents(FARM, DOCUMENTS[:2], [log_q[0], log_q[1][:-1]])
    with pytest.raises(ValueError, match="argument"):
        ladder.excess_of_documents(FARM, DOCUMENTS, log_q[:-1])


def test_the_interval_is_that_of_drawing_by_hand():
    rng = np.random.default_rng(0)
    totals, lengths = rng.gamma(2.0, 1.0, (40, 2)), rng.integers(1, 9, 40).astype(float)
    low, high = ladder.bootstrap(totals, lengths, np.random.default_rng(1), draws=20_000)
    draws = rng.integers(0, 40, (20_000, 40))
    means = totals[draws].sum(1) / lengths[draws].sum(1)[:, None]
    assert np.allclose([low, high], np.quantile(means, [0.025, 0.975], axis=0), atol=0.01)
    one = ladder.bootstrap(totals[:, 0], lengths, np.random.default_rng(1), draws=20_000)
    assert one == pytest.approx([low[0], high[0]])
    wide = ladder.bootstrap(totals[:, 0], lengths, np.random.default_rng(1), level=0.99)
    assert wide[0] < one[0] < one[1] < wide[1]


def test_equal_documents_leave_no_doubt():
    ends = ladder.bootstrap(np.full(5, 3.0), np.full(5, 2.0), np.random.default_rng(0), draws=10)
    assert ends.tolist() == [1.5, 1.5]


@pytest.mark.parametrize(
    ("totals", "lengths", "level", "words"),
    [
        (np.ones(3), np.ones(2), 0.95, "3 totals and 2 lengths"),
        (np.ones(1), np.ones(1), 0.95, "two documents"),
        (np.ones(3), np.ones(3), 1.0, "level=1.0"),
        (np.ones(3), np.ones(3), 0.0, "level=0.0"),
    ],
)
def test_what_gives_no_interval_is_refused(totals, lengths, level, words):
    with pytest.raises(ValueError, match=words):
        ladder.bootstrap(totals, lengths, np.random.default_rng(0), level=level)


# ---- what was recorded ---------------------------------------------------------------------------------------------


def test_the_record_is_complete():
    lines = ladder.recorded()
    counted = {(line["language"], line["model"]) for line in lines if not line["seed"]}
    assert counted == {(language, name) for language in ("Farm", "Tales") for name in ladder.COUNTED}
    runs = [(line["language"], line["model"], line["optimizer"], line["seed"]) for line in lines if line["seed"]]
    assert len(set(runs)) == len(runs)
    for name, optimizer in product(ladder.NETWORKS, ladder.OPTIMIZERS):
        assert len([run for run in runs if run[:3] == ("Farm", name, optimizer)]) >= 3
        assert len([run for run in runs if run[:3] == ("Tales", name, optimizer)]) == (optimizer == "Muon")
    for line in lines:
        if line["language"] == "Farm":
            whole = sum(float(line[kind]) for kind in metrics.CLASSES)
            assert math.isclose(whole, float(line["loss"]) - FARM.entropy_rate(), abs_tol=0.01)


def test_the_recorded_shakespeare_is_quoted_as_it_stands():
    """Chapter 15 tells of runs that its reader need not repeat: the losses and seconds are those of the logs."""
    import nbformat

    text = structure.prose(nbformat.read(ROOT / "notebooks" / "15_the_ladder.ipynb", as_version=4))
    log = (ROOT / "benchmarks" / "shakespeare.log").read_text(encoding="utf-8")
    for name, most, wanted in (("short", 30, 1.88), ("long", 60, 1.70)):
        updates, seconds, value = re.search(
            rf"{name}: .* (\d+) updates, ([\d.]+) s of training, validation ([\d.]+)", log
        ).groups()
        assert float(seconds) <= most and float(value) <= wanted
        assert f"{updates} updates" in text and f"{float(value):.2f} nats" in text
    parts = (ROOT / "benchmarks" / "shakespeare_parts.log").read_text(encoding="utf-8")
    for name, value in re.findall(r"^(.+): \d+ weights.* validation ([\d.]+)", parts, re.MULTILINE):
        assert f"| {name} | {float(value):.3f} |" in text

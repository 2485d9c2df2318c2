"""The figures about decoding as Python makes them: the recorded beam, the best text, the table of bends."""

import math
from itertools import product

import numpy as np
import pytest
import torch
from interactive import NASTY, check_escaped, check_page, embedded, rows

from course_lib import decoding_figures
from course_lib.decoding import beam_search
from course_lib.language_models import Tabled
from course_lib.rnn import RNNLM
from course_lib.tokens import BOS_ID, EOS_ID, Vocabulary

VOCAB = Vocabulary("a b c".split())
ENDS = {"<eos>": 1.0}
TRAP = {
    "": {"a": 0.6, "b": 0.4},
    "a": {"a": 0.3, "b": 0.3, "c": 0.3, "<eos>": 0.1},
    "b": {"c": 0.9, "<eos>": 0.1},
}  # greedy begins with a, the best text with b
WORDS = {"grass": 4 / 11, "corn": 3 / 11, "hay": 2 / 11, "clover": 1 / 11, "water": 1 / 11, "stones": 0.0}


def trap():
    return Tabled(lambda words: TRAP.get(" ".join(words), ENDS), VOCAB)


def dice(seed):
    """A model whose next word depends on all words before, each text with its own distribution."""

    def following(words):
        rng = np.random.default_rng([seed, *(ord(w[0]) for w in words)])
        return dict(zip([*"abc", "<eos>"], rng.dirichlet(np.ones(4)), strict=True))

    return Tabled(following, VOCAB)


EXAMPLES = {
    "beam_player": lambda **options: decoding_figures.beam_player(trap(), VOCAB, (1, 2), 4, **options),
    "distribution_bender": lambda **options: decoding_figures.distribution_bender(WORDS, **options),
}


@pytest.mark.parametrize("kind", EXAMPLES)
def test_html_is_complete_and_the_same_every_time(kind):
    check_page(EXAMPLES[kind], kind)


def test_no_text_can_leave_its_place():
    vocab = Vocabulary([NASTY])
    model = Tabled(lambda words: {NASTY: 0.5, "<eos>": 0.5}, vocab)
    check_escaped(decoding_figures.beam_player(model, vocab, (1, 2), 3, title=NASTY))
    check_escaped(decoding_figures.distribution_bender({NASTY: {NASTY: 0.5, "b": 0.5}}, title=NASTY))


def test_pages_stay_small(monkeypatch):
    monkeypatch.setattr(decoding_figures, "SEARCHED", 10)
    vocab = Vocabulary([f"word{i:02d}" for i in range(30)])
    flat = Tabled(lambda words: np.linspace(1, 2, len(vocab)) / (1.5 * len(vocab)), vocab)
    widest = decoding_figures.beam_player(flat, vocab, (8, 7, 6, 5, 4, 3), 12, penalties=(0, 1), shown=4)
    many = {f"word{i:04d}": 1 / 2000 for i in range(2000)}
    for widget in (widest, decoding_figures.distribution_bender({str(i): many for i in range(4)})):
        assert len(widget._repr_html_().encode()) < 350_000, widget


# ---- the beam ------------------------------------------------------------------------------------


def all_texts(model, max_new, penalty):
    """Every text that ends or is cut off at ``max_new`` tokens, with its score: enumerated."""
    for length in range(1, max_new + 1):
        for ids in product([EOS_ID, *map(VOCAB.__getitem__, "abc")], repeat=length):
            if EOS_ID in ids[:-1] or (length < max_new and ids[-1] != EOS_ID):
                continue
            log_q = model(torch.tensor([[BOS_ID, *ids[:-1]]]))[0].double().log_softmax(-1)
            total = sum(float(log_q[t, i]) for t, i in enumerate(ids))
            if total > -math.inf:
                yield total / length**penalty, total, [VOCAB.token(i) for i in ids]


@pytest.mark.parametrize("penalty", [0.0, 0.7, 2.0])
@pytest.mark.parametrize("seed", range(3))
def test_beam_finds_what_the_search_finds_and_the_best_of_all(seed, penalty):
    model = dice(seed)
    data = embedded(decoding_figures.beam_player(model, VOCAB, (1, 2, 3), 3, penalties=[penalty]))
    for run in data["runs"]:
        found = beam_search(model, [BOS_ID], run["width"], 3, penalty=penalty)
        assert [one["words"] for one in run["found"]] == [
            VOCAB.decode([*one.ids, *[EOS_ID] * one.ended]) for one in found
        ]
        assert [one["score"] for one in run["found"]] == pytest.approx([one.score for one in found], abs=1e-6)
        assert [one["logProb"] for one in run["found"]] == pytest.approx([one.log_prob for one in found], abs=1e-6)
    score, total, words = max(all_texts(model, 3, penalty))
    numbers = {"logProb": pytest.approx(total, abs=1e-6), "score": pytest.approx(score, abs=1e-6)}
    assert data["best"] == [{"words": words, **numbers}]


@pytest.mark.parametrize("penalty", [0.0, 1.0])
@pytest.mark.parametrize("seed", range(3))
def test_beam_steps_lead_from_one_to_the_next(seed, penalty):
    (run,) = embedded(decoding_figures.beam_player(dice(seed), VOCAB, [3], 5, penalties=[penalty], shown=8))["runs"]
    finished = []
    for t, step in enumerate(run["steps"], 1):
        entries = sorted(
            (e[4], [*text, e[0]], *e[2:4]) for text, row in zip(step["kept"], step["next"], strict=True) for e in row
        )
        assert [e[0] for e in entries] == list(range(sum(step["count"])))  # with 4 words all are shown
        totals = [e[2] for e in entries]
        assert totals == sorted(totals, reverse=True)
        for text, total, row in zip(step["kept"], step["totals"], step["next"], strict=True):
            assert len(text) == t - 1
            assert sum(math.exp(e[1]) for e in row) == pytest.approx(1, abs=1e-5)
            assert all(e[2] == pytest.approx(total + e[1], abs=2e-6) for e in row)
        kept = [e for e in entries if e[3] == "kept"]
        if t < len(run["steps"]):
            assert run["steps"][t]["kept"] == [e[1] for e in kept] and len(kept) <= 3
            assert run["steps"][t]["totals"] == [e[2] for e in kept]
        else:
            assert not kept
        put_aside = [e for e in entries if e[3] == "finished"]
        assert all(e[0] < 3 and (e[1][-1] == "<eos>" or t == 5) for e in put_aside)
        finished += [(e[2] / t**penalty, e[1]) for e in put_aside]
    finished.sort(key=lambda one: -one[0])
    assert [words for _, words in finished[:3]] == [one["words"] for one in run["found"]]


def test_beam_says_what_it_gave_up():
    model = Tabled(lambda words: {"a": 0.5, "<eos>": 0.5}, VOCAB)
    (run,) = embedded(decoding_figures.beam_player(model, VOCAB, [1], 6))["runs"]
    fates = [[(e[0], e[3]) for e in row] for step in run["steps"] for row in step["next"]]
    assert fates == [[("<eos>", "finished"), ("a", "given up")]]


def test_beam_counts_what_it_does_not_show():
    (run,) = embedded(decoding_figures.beam_player(dice(0), VOCAB, [1], 2, shown=1))["runs"]
    first = run["steps"][0]
    assert first["count"] == [4] and len(first["next"][0]) < 4


def test_beam_table_has_each_search_the_best_and_the_steps():
    widget = EXAMPLES["beam_player"]()
    found = rows(widget)
    assert found[:4] == [
        ["Search", "Text", "ln q", "Score"],
        ["width 1", "a a &lt;eos&gt;", "-1.715", "-1.715"],
        ["width 2", "b c &lt;eos&gt;", "-1.022", "-1.022"],
        ["the best of all", "b c &lt;eos&gt;", "-1.022", "-1.022"],
    ]
    assert found[4] == ["Step", "Text", "Next word", "ln p", "ln q", "What becomes of it"]
    assert found[5:7] == [
        ["1", "nothing", "a", "-0.511", "-0.511", "kept"],
        ["1", "nothing", "b", "-0.916", "-0.916", "dropped"],
    ]
    assert "Every step with width 1" in widget.table
    several = rows(EXAMPLES["beam_player"](penalties=(0, 1.5)))
    assert several[0] == ["Search", "Penalty", "Text", "ln q", "Score"]
    assert several[3][:2] == ["width 1", "1.5"] and several[6][:2] == ["the best of all", "1.5"]


def test_beam_admits_that_it_does_not_know_the_best(monkeypatch):
    monkeypatch.setattr(decoding_figures, "SEARCHED", 3)
    widget = EXAMPLES["beam_player"]()
    assert embedded(widget)["best"] == [None]
    assert "too many texts" in widget.table and "the best of all<" not in widget.table


def test_beam_takes_a_network_without_its_dropout():
    torch.manual_seed(0)
    model = RNNLM(len(VOCAB), 8, num_layers=2, dropout=0.5).train()
    data = embedded(decoding_figures.beam_player(model, VOCAB, [2], 3, stop=None))
    assert data == embedded(decoding_figures.beam_player(model, VOCAB, [2], 3, stop=None))
    assert model.training
    assert all(len(one["words"]) == 3 for one in data["runs"][0]["found"])


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"widths": ()}, r"widths=\[\] must be"),
        ({"widths": (0, 1)}, r"widths=\[0, 1\] must be"),
        ({"widths": (9,)}, r"widths=\[9\]"),
        ({"penalties": ()}, r"penalties=\[\]"),
        ({"penalties": (-1,)}, r"penalties=\[-1.0\]"),
        ({"penalties": (math.nan,)}, r"penalties=\[nan\]"),
        ({"widths": range(1, 8), "penalties": (0, 1)}, "7 widths with 2 penalties"),
        ({"max_new": 0}, "max_new=0"),
        ({"max_new": 13}, "max_new=13"),
        ({"shown": 0}, "shown=0"),
        ({"shown": 11}, "shown=11"),
        ({"prompt": ()}, "the prompt is empty"),
        ({"vocab": Vocabulary(list("abcd"))}, "the model has 7 tokens and vocab 8"),
    ],
)
def test_beam_refuses(options, complaint):
    with pytest.raises(ValueError, match=complaint):
        decoding_figures.beam_player(**{"model": trap(), "vocab": VOCAB, **options})


# ---- the bend ------------------------------------------------------------------------------------


def test_bender_sorts_and_names_its_distributions():
    data = embedded(EXAMPLES["distribution_bender"](seed=3))
    assert data["seed"] == 3 and data["rows"] == 10
    assert data["presets"] == [
        {"name": "the distribution", "words": list(WORDS), "p": [pytest.approx(p, rel=1e-5) for p in WORDS.values()]}
    ]
    two = embedded(decoding_figures.distribution_bender({"flat": {"x": 0.5, "y": 0.5}, "steep": {"x": 0.1, "y": 0.9}}))
    assert [one["name"] for one in two["presets"]] == ["flat", "steep"]
    assert two["presets"][1] == {"name": "steep", "words": ["y", "x"], "p": [0.9, 0.1]}


def test_bender_table_has_the_bends():
    head, *body = rows(EXAMPLES["distribution_bender"]())
    assert head == ["Word", "as it is", "temperature 0.5", "temperature 2", "top-k 3", "top-p 0.9", "min-p 0.1"]
    squares = np.array([16, 9, 4, 1, 1, 0]) / 31
    assert [line[2] for line in body[:6]] == [f"{p:.3f}" for p in squares]
    assert [line[4] for line in body[:6]] == ["0.444", "0.333", "0.222", "0.000", "0.000", "0.000"]
    assert body[6] == ["Words kept", "5", "5", "5", "3", "4", "5"]
    assert body[7][:2] == ["Entropy (nats)", f"{-sum(p * math.log(p) for p in WORDS.values() if p):.3f}"]


def test_bender_pools_the_rare_words():
    body = rows(decoding_figures.distribution_bender({f"w{i}": 1 / 40 for i in range(40)}))[1:]
    assert body[10][:3] == ["other (30)", "0.750", "0.750"]
    assert len(body) == 13


@pytest.mark.parametrize(
    ("presets", "complaint"),
    [
        ({}, "presets is empty"),
        ({str(i): WORDS for i in range(9)}, "9 distributions given"),
        ({"a": 0.5, "b": 0.6}, "'the distribution' sums to 1.1"),
        ({"here": {"a": 0.5}}, "'here' sums to 0.5"),
        ({"here": {"a": 1.0}}, "'here' has 1 words"),
        ({"here": {str(i): 1 / 2001 for i in range(2001)}}, "'here' has 2001 words"),
    ],
)
def test_bender_refuses(presets, complaint):
    with pytest.raises(ValueError, match=complaint):
        decoding_figures.distribution_bender(presets)

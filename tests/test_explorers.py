"""The exploring figures as Python makes them: what they embed, the tables of results, what they refuse."""

import numpy as np
import pytest
import torch
from interactive import NASTY, check_escaped, check_page, embedded, rows

from course_lib import explorers
from course_lib.embeddings import Embeddings
from course_lib.tokens import SPECIALS, Vocabulary

RNG = np.random.default_rng(8)
WORDS = "man woman king queen boy girl throne crown".split()
VECTORS = {step: RNG.normal(size=(8, 5)) for step in (0, 1000)}
POINTS = {step: v[:, :2] for step, v in VECTORS.items()}
GROUPS = {"masculine": WORDS[0:6:2], "feminine": WORDS[1:6:2]}
TOKENS = "the cow eats hay".split()
CAUSAL = torch.softmax(torch.randn(2, 3, 4, 4).masked_fill(~torch.ones(4, 4, dtype=torch.bool).tril(), -torch.inf), -1)
STEP = {"input": "<bos>", "candidates": {"la": 0.5, "el": 0.25, "un": 0.125, "una": 0.0625, "a": 0.05, "e": 0.0125}}
RUNS = {"the right words": [STEP, {**STEP, "input": "la"}], "its own words": [{**STEP, "chosen": "e"}]}
EXAMPLES = {
    "embedding_map": lambda **options: explorers.embedding_map(POINTS, WORDS, GROUPS, VECTORS, **options),
    "attention_explorer": lambda **options: explorers.attention_explorer(TOKENS, CAUSAL, **options),
    "decoding_player": lambda **options: explorers.decoding_player(RUNS, ["the"], ["la", "<eos>"], **options),
}


@pytest.mark.parametrize("kind", EXAMPLES)
def test_html_is_complete_and_the_same_every_time(kind):
    check_page(EXAMPLES[kind], kind)


def test_no_text_can_leave_its_place():
    step = {"input": NASTY, "candidates": {NASTY: 1.0}}
    one = np.ones((1, 1))
    for widget in (
        explorers.embedding_map(np.eye(3)[:, :2] + 1, [NASTY, "a", "b"], {NASTY: ["a"]}, title=NASTY),
        explorers.attention_explorer([NASTY], one, [NASTY], [{"tokens": [NASTY], "weights": one, "name": NASTY}]),
        explorers.decoding_player({NASTY: [step]}, [NASTY], [NASTY], title=NASTY),
    ):
        check_escaped(widget)


def largest():
    """Each figure with as much as it accepts."""
    words = [f"word{i:03d}" for i in range(200)]
    vectors = RNG.normal(size=(200, 88))
    yield explorers.embedding_map(vectors[:, :2], words, {"a": words[:80]}, vectors, analogy=words[:3])
    few = {1000 * i: RNG.normal(size=(50, 18)) for i in range(18)}
    yield explorers.embedding_map({s: v[:, :2] for s, v in few.items()}, words[:50], None, few)
    flat = RNG.dirichlet(np.ones(40), size=(2, 5, 40))
    yield explorers.attention_explorer(words[:40], flat, words[40:80])
    narrow = RNG.dirichlet(np.ones(16), size=(5, 5, 40))
    yield explorers.attention_explorer(words[:40], narrow, words[:16])
    steps = [{"input": w, "candidates": dict.fromkeys(words, 1 / 200)} for w in words[:60]]
    yield explorers.decoding_player(dict.fromkeys("abcd", steps), words[:40], words[:60])


def test_pages_stay_small():
    for widget in largest():
        assert len(widget._repr_html_().encode()) < 150_000, widget


# ---- the map -------------------------------------------------------------------------------------


def test_map_embeds_points_and_unit_vectors_in_thousandths():
    data = embedded(EXAMPLES["embedding_map"]())
    assert data["steps"] == ["step 0", "step 1,000"]
    scale = max(np.abs(p).max() for p in POINTS.values())
    for i, step in enumerate(POINTS):
        np.testing.assert_allclose(np.reshape(data["points"][i], (8, 2)) / 1000, POINTS[step] / scale, atol=5e-4)
        unit = VECTORS[step] / np.linalg.norm(VECTORS[step], axis=1, keepdims=True)
        np.testing.assert_allclose(np.reshape(data["vectors"][i], (8, 5)) / 1000, unit, atol=5e-4 + 1e-12)
        np.testing.assert_allclose(data["lengths"][i], np.linalg.norm(VECTORS[step], axis=1), rtol=6e-4)
    assert data["groups"] == ["masculine", "feminine", "other"]
    assert data["member"] == [0, 1, 0, 1, 0, 1, 2, 2]
    assert (data["plane"], data["neighbours"], data["analogy"]) == (False, 5, None)


def test_map_table_agrees_with_the_embeddings():
    model = Embeddings(Vocabulary(WORDS), np.concatenate([np.zeros((len(SPECIALS), 5)), VECTORS[1000]]))
    widget = EXAMPLES["embedding_map"](analogy=("man", "woman", "king"))
    head, *body = rows(widget)
    assert head == ["Word", "Group", "Nearest words, step 0", "Nearest words, step 1,000"]

    def text(found):
        return ", ".join(f"{word} {cosine:.2f}" for word, cosine in found)

    for word, cells in zip(WORDS, body, strict=True):
        assert cells[0] == word
        assert cells[3] == text(model.neighbours(word, 3))
    answers = text(model.analogy("man", "woman", "king", 3))
    assert f"man is to woman as king is to: {answers}</p>" in widget.table


def test_map_of_one_step_without_vectors_takes_the_plane():
    widget = explorers.embedding_map(torch.tensor(POINTS[0], requires_grad=True), WORDS, neighbours=10)
    data = embedded(widget)
    np.testing.assert_allclose(data["lengths"][0], np.linalg.norm(POINTS[0], axis=1), rtol=6e-4)
    assert data["plane"] and data["steps"] == [""] and data["neighbours"] == 7
    assert rows(widget)[0] == ["Word", "Nearest words"]
    unit = POINTS[0] / np.linalg.norm(POINTS[0], axis=1, keepdims=True)
    np.testing.assert_allclose(np.reshape(data["vectors"], (8, 2)) / 1000, unit, atol=5e-4 + 1e-12)


def test_map_groups_may_take_in_every_word():
    assert embedded(explorers.embedding_map(POINTS, WORDS, {"all": WORDS}))["groups"] == ["all"]


ZERO = {**VECTORS, 1000: VECTORS[1000] * (np.arange(8) != 3)[:, None]}
MANY = [f"w{i}" for i in range(201)]


@pytest.mark.parametrize(
    ("points", "words", "options", "complaint"),
    [
        (np.ones((2, 2)), WORDS[:2], {}, "2 words given"),
        (np.ones((201, 2)), MANY, {}, "201 words given"),
        (np.ones((3, 2)), ["a", "b", "a"], {}, "3 words given, 2 different"),
        (POINTS, WORDS, {"neighbours": 0}, "neighbours=0"),
        (POINTS, WORDS, {"neighbours": 11}, "neighbours=11"),
        ({}, WORDS, {}, "points is empty"),
        (np.ones((8, 3)), WORDS, {}, r"shape \(8, 3\): give \(8, 2\)"),
        (np.ones(8), WORDS, {}, r"shape \(8,\): give \(8, 2\)"),
        ({0: np.full((8, 2), np.nan)}, WORDS, {}, "points of step 0 hold a value that is not finite"),
        (POINTS, WORDS, {"vectors_by_step": {0: VECTORS[0]}}, r"vectors has the steps \[0\] and points \[0, 1000\]"),
        (POINTS, WORDS, {"vectors_by_step": {**VECTORS, 1000: np.ones((8, 4))}}, r"step 1000 have shape \(8, 4\)"),
        (POINTS, WORDS, {"vectors_by_step": ZERO}, "'queen' has a vector of zeros"),
        (POINTS, WORDS, {"vectors_by_step": dict.fromkeys(POINTS, np.ones((8, 2000)))}, "32,032 numbers"),
        (POINTS, WORDS, {"groups": {c: [w] for c, w in zip("abcde", WORDS, strict=False)}}, "5 groups given"),
        (POINTS, WORDS, {"groups": {"a": ["cow"]}}, "group 'a' has 'cow'"),
        (POINTS, WORDS, {"groups": {"a": ["man"], "b": ["man"]}}, "group 'b' has 'man'"),
        (POINTS, WORDS, {"analogy": ("man", "woman")}, "three different words"),
        (POINTS, WORDS, {"analogy": ("man", "man", "king")}, "three different words"),
        (POINTS, WORDS, {"analogy": ("man", "woman", "cow")}, "three different words"),
        (np.ones((3, 2)), WORDS[:3], {"analogy": WORDS[:3]}, "needs a fourth word"),
    ],
)
def test_map_refuses(points, words, options, complaint):
    with pytest.raises(ValueError, match=complaint):
        explorers.embedding_map(points, words, **options)


# ---- attention -----------------------------------------------------------------------------------


def test_attention_embeds_thousandths_and_sees_the_mask():
    (example,) = embedded(EXAMPLES["attention_explorer"]())["examples"]
    np.testing.assert_allclose(np.reshape(example["weights"], CAUSAL.shape) / 1000, CAUSAL, atol=5e-4 + 1e-7)
    assert example["own"] and example["causal"]
    assert example["name"] == "the cow eats hay"
    full = embedded(explorers.attention_explorer(TOKENS, np.full((4, 4), 0.25)))["examples"][0]
    assert full["own"] and not full["causal"]
    assert np.shape(full["weights"]) == (1, 1, 16)
    across = embedded(explorers.attention_explorer(TOKENS, np.eye(4), columns=list("abcd")))["examples"][0]
    assert not across["own"] and not across["causal"]
    assert not embedded(explorers.attention_explorer(["a"], [[1]]))["examples"][0]["causal"]


def test_attention_takes_tensors_with_a_gradient_and_rows_of_zeros():
    weights = torch.tensor([[[0.0, 0.0], [0.5, 0.5]]], requires_grad=True)
    widget = explorers.attention_explorer(["a", "b"], weights)
    assert embedded(widget)["examples"][0]["weights"] == [[[0, 0, 500, 500]]]


def test_attention_table_has_the_word_looked_at_most():
    more = {"tokens": ["a", "b"], "weights": CAUSAL[:, :, :2, :2], "columns": ["x", "y"], "name": "short"}
    widget = EXAMPLES["attention_explorer"](examples=[{**more, "columns": None}, more])
    assert [e["name"] for e in embedded(widget)["examples"]] == ["the cow eats hay", "short", "short"]
    assert widget.table.count("<p>short</p>") == 2
    head, *body = rows(widget)[:5]
    assert head == ["Word", *(f"layer {i}, head {j}" for i in (1, 2) for j in (1, 2, 3))]
    for t, cells in enumerate(body):
        best, at = CAUSAL[:, :, t].max(-1)
        assert cells == [TOKENS[t], *(f"{TOKENS[s]} {w:.2f}" for w, s in zip(best.ravel(), at.ravel(), strict=True))]
    single = explorers.attention_explorer(TOKENS, np.eye(4))
    assert rows(single)[0] == ["Word", "head 1"]
    assert "the cow" not in single.table


HALF = np.full((2, 2), 0.5)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({}, "examples is empty"),
        ({"tokens": "ab", "weights": HALF}, "example 0 has a string"),
        ({"tokens": ["a", "b"], "weights": HALF, "columns": "ab"}, "example 0 has a string"),
        ({"tokens": [], "weights": HALF}, "has 0 and 0 words"),
        ({"tokens": ["a"] * 41, "weights": np.eye(41)}, "has 41 and 41 words"),
        ({"tokens": ["a", "b"], "weights": np.eye(3)}, r"shape \(3, 3\) for 2 words"),
        ({"tokens": ["a", "b"], "weights": HALF, "columns": ["c"]}, "for 2 words that look at 1"),
        ({"tokens": ["a", "b"], "weights": [0.5, 0.5]}, r"shape \(2,\)"),
        ({"tokens": ["a", "b"], "weights": np.ones((1, 1, 1, 2, 2))}, r"shape \(1, 1, 1, 2, 2\)"),
        ({"tokens": ["a", "b"], "weights": np.ones((0, 2, 2))}, r"shape \(0, 2, 2\)"),
        ({"tokens": ["a", "b"], "weights": np.ones((2, 2))}, "do not sum to 1"),
        ({"tokens": ["a", "b"], "weights": [[1.5, -0.5], [0, 1]]}, "negative"),
        ({"tokens": ["a", "b"], "weights": [[np.nan, 1], [0, 1]]}, "negative"),
        ({"examples": [{"tokens": ["a"]}]}, "example 0 has no 'weights'"),
        (
            {"tokens": ["a", "b"], "weights": HALF, "examples": [{"tokens": ["a", "b"], "weights": [HALF, HALF]}]},
            r"example 1 has \(1, 2\) layers and heads, example 0 has \(1, 1\)",
        ),
        ({"tokens": ["a"] * 40, "weights": np.broadcast_to(np.eye(40), (11, 40, 40))}, "17,600 weights in 440 rows"),
        ({"tokens": ["a"] * 40, "weights": np.ones((26, 40, 1)), "columns": ["b"]}, "1,040 weights in 1,040 rows"),
    ],
)
def test_attention_refuses(options, complaint):
    with pytest.raises(ValueError, match=complaint):
        explorers.attention_explorer(**options)


# ---- the decoder ---------------------------------------------------------------------------------


def test_player_keeps_five_and_always_the_word_chosen():
    data = embedded(EXAMPLES["decoding_player"]())
    (name, (first, second)), (other, (free,)) = data["runs"]
    assert (name, other) == ("the right words", "its own words")
    five = [["la", 0.5], ["el", 0.25], ["un", 0.125], ["una", 0.0625], ["a", 0.05]]
    assert first == {"input": "<bos>", "chosen": "la", "shown": five}
    assert second["input"] == "la"
    assert free == {"input": "<bos>", "chosen": "e", "shown": [*five[:4], ["e", 0.0125]]}
    assert data["source"] == ["the"] and data["reference"] == ["la", "<eos>"]


def test_player_table_has_every_step():
    widget = EXAMPLES["decoding_player"]()
    body = [cells for cells in rows(widget) if cells[0] != "Step"]
    assert [cells[:3] for cells in body] == [["1", "&lt;bos&gt;", "la"], ["2", "la", "la"], ["1", "&lt;bos&gt;", "e"]]
    assert body[0][3] == "la 0.500, el 0.250, un 0.125, una 0.062, a 0.050"
    assert "To translate: the" in widget.table and "The right words: la &lt;eos&gt;" in widget.table
    assert "To translate" not in explorers.decoding_player(RUNS).table


@pytest.mark.parametrize(
    ("runs", "options", "complaint"),
    [
        ({}, {}, "0 runs given"),
        ({name: [STEP] for name in "abcde"}, {}, "5 runs given"),
        ({"a": []}, {}, "run 'a' has 0 steps"),
        ({"a": [STEP] * 61}, {}, "run 'a' has 61 steps"),
        ({"a": [{"input": "b"}]}, {}, "step 1 of 'a' has no 'candidates'"),
        ({"a": [{"input": "b", "candidates": {}}]}, {}, "candidates is empty"),
        ({"a": [{"input": "b", "candidates": {"c": 0.7, "d": 0.7}}]}, {}, "no probabilities, with sum 1.4"),
        ({"a": [{"input": "b", "candidates": {"c": -0.1}}]}, {}, "no probabilities"),
        ({"a": [{"input": "b", "candidates": {"c": float("nan")}}]}, {}, "no probabilities"),
        ({"a": [{**STEP, "chosen": "gato"}]}, {}, "chose 'gato'"),
        (RUNS, {"source": "the cow"}, "source='the cow' is one string"),
        (RUNS, {"reference": "la vaca"}, "reference='la vaca' is one string"),
    ],
)
def test_player_refuses(runs, options, complaint):
    with pytest.raises(ValueError, match=complaint):
        explorers.decoding_player(runs, **options)

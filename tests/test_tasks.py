"""The tasks with known answers: every best score and every rule, calculated a second time in another way."""

import itertools
import math
from collections import Counter, defaultdict

import numpy as np
import pytest
from scipy import linalg, signal

from course_lib import tasks
from course_lib.tasks import language, pictures

MAKERS = {
    "adding": lambda rng: tasks.adding(40, 9, rng),
    "delayed_recall": lambda rng: tasks.delayed_recall(40, 6, rng),
    "key_value_recall": lambda rng: tasks.key_value_recall(40, 5, rng),
    "parity": lambda rng: tasks.parity(40, 7, rng),
    "latch": lambda rng: tasks.latch(40, 5, rng),
    "tagging": lambda rng: tasks.tagging(40, rng),
    "sentiment": lambda rng: tasks.sentiment(40, rng),
    "captions": lambda rng: tasks.captions(40, rng),
    "forecasting": lambda rng: tasks.forecasting(40, 6, rng, k=3),
}


def rng(seed=0):
    return np.random.default_rng(seed)


def assert_mean(values, expected):
    """The mean of independent values lies within 4 standard errors of the expectation."""
    values = np.asarray(values, dtype=float)
    assert abs(values.mean() - expected) < 4 * values.std() / math.sqrt(len(values)), (values.mean(), expected)


# ---- All tasks ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_a_generator_decides_everything_and_the_fields_fit_together(make):
    first, again, other = make(rng(3)), make(rng(3)), make(rng(4))
    for field in ("inputs", "targets", "lengths", "attributes"):
        a, b = getattr(first, field), getattr(again, field)
        assert a is None or (np.array_equal(a, b) if isinstance(a, np.ndarray) else a == b)
    assert (
        not np.array_equal(first.inputs, other.inputs)
        if isinstance(first.inputs, np.ndarray)
        else (first.inputs != other.inputs)
    )
    assert len(first.inputs) == len(first.targets) == 40
    assert isinstance(first.best, float) and isinstance(first.baseline, float)
    higher = "accuracy" in first.unit or "fraction" in first.unit
    assert first.best > first.baseline if higher else first.best < first.baseline
    for sequences in (first.inputs, first.targets):
        if isinstance(sequences, np.ndarray) and sequences.dtype.kind == "i":
            assert sequences.dtype == np.int64
            assert sequences.min() >= 0 and (first.words is None or sequences.max() < len(first.words))
        elif isinstance(sequences, list) and first.unit != "accuracy per token":
            assert {word for words in sequences for word in words} <= set(first.words)
            assert [len(words) for words in sequences] == first.lengths.tolist()


def test_a_task_cannot_be_changed_by_accident():
    task = tasks.parity(2, 3, rng())
    with pytest.raises(AttributeError):
        task.best = 1.0


BAD = {
    "n=0": lambda g: tasks.adding(0, 9, g),
    "n=-1": lambda g: tasks.sentiment(-1, g),
    "length=1 is too small": lambda g: tasks.adding(3, 1, g),
    "length=0": lambda g: tasks.parity(3, 0, g),
    "lag=0": lambda g: tasks.delayed_recall(3, 0, g),
    "symbols=0": lambda g: tasks.delayed_recall(3, 2, g, symbols=0),
    "fillers=0": lambda g: tasks.delayed_recall(3, 2, g, fillers=0),
    "pairs=5 different keys cannot come from keys=4": lambda g: tasks.key_value_recall(3, 5, g, keys=4),
    "values=0": lambda g: tasks.key_value_recall(3, 2, g, values=0),
    "noise=-1": lambda g: tasks.latch(3, 2, g, noise=-1),
    "noise=nan": lambda g: tasks.latch(3, 2, g, noise=math.nan),
    "pairs=1.5 is not a probability": lambda g: tasks.captions(3, g, pairs=1.5),
    "pairs=nan": lambda g: tasks.caption_entropy(math.nan),
    "two things, but attributes holds 0": lambda g: tasks.describes(["a"], ()),
    "in no picture": lambda g: tasks.describes(["a"], [tasks.Thing("disc", "dim", "left")]),
    "'cross' is in no picture": lambda g: tasks.describes(["a"], ["cross"]),
    "no word to tag": lambda g: tasks.tag_posterior([]),
    "'bird' is not a word": lambda g: tasks.tag_posterior(["time", "bird"]),
    "begins with 'time like'": lambda g: tasks.tag_posterior(["time", "like"]),
    "begins with 'time the flies": lambda g: tasks.tag_posterior(
        ["time", "the", "flies"] + ["in", "the", "garden"] * 4
    ),
    "does not end it: pass both=False": lambda g: tasks.tag_posterior(["time", "flies"]),
    "k=0": lambda g: tasks.ar2_error(0),
    "sigma=0": lambda g: tasks.ar2(3, 4, g, sigma=0.0),
    "sigma=nan": lambda g: tasks.ar2_error(1, sigma=math.nan),
    "two finite numbers": lambda g: tasks.ar2_forecast([1.0, 2.0], 1, phi=(1.0,)),
    "needs two values or more": lambda g: tasks.ar2_forecast([[1.0], [2.0]], 1),
    "not finite": lambda g: tasks.ar2_forecast([1.0, math.nan], 1),
    "grow beyond": lambda g: tasks.ar2_forecast([1.0, 2.0], 2000, phi=(3.0, 1.0)),
    "steps with phi=.* grow beyond": lambda g: tasks.ar2_error(2000, phi=(3.0, -1.0)),
    "length=1": lambda g: tasks.forecasting(3, 1, g),
}


@pytest.mark.parametrize(("message", "call"), BAD.items(), ids=BAD)
def test_bad_input_is_named(message, call):
    with pytest.raises(ValueError, match=message):
        call(rng())


def test_the_wrong_type_is_named():
    with pytest.raises(TypeError, match=r"n=2\.5 must be a whole number"):
        tasks.parity(2.5, 4, rng())
    with pytest.raises(TypeError, match="rng is of type int"):
        tasks.tagging(3, 0)
    with pytest.raises(TypeError, match="rng is of type module"):
        tasks.adding(3, 4, np.random)
    with pytest.raises(TypeError, match="is one string"):
        tasks.tag_posterior("time flies like an arrow")
    with pytest.raises(TypeError, match="is one string"):
        tasks.describes("a dim ring on the left", [tasks.Thing("ring", "dim", "left")])


# ---- Memory ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [2, 3, 8])
def test_adding_marks_one_number_in_each_half_and_asks_for_their_sum(length):
    task = tasks.adding(20000, length, rng(1))
    assert task.inputs.shape == (20000, length, 2) and task.inputs.dtype == task.targets.dtype == np.float32
    numbers, markers = task.inputs[..., 0], task.inputs[..., 1]
    assert numbers.min() >= 0 and numbers.max() < 1
    half = length // 2
    for part in (markers[:, :half], markers[:, half:]):
        assert set(np.unique(part)) <= {0, 1} and (part.sum(1) == 1).all()
        for column in part.T:
            assert_mean(column, 1 / part.shape[1]) if part.shape[1] > 1 else None
    np.testing.assert_allclose(task.targets, np.einsum("nt,nt->n", numbers, markers), rtol=1e-6)
    assert_mean((task.targets - 1.0) ** 2, task.baseline)
    assert np.argmin([np.mean((task.targets - c) ** 2) for c in (0.9, 1.0, 1.1)]) == 1


@pytest.mark.parametrize("lag", [1, 2, 12])
def test_delayed_recall_keeps_the_symbol_exactly_lag_steps_from_the_query(lag):
    task = tasks.delayed_recall(6000, lag, rng(1), symbols=5, fillers=3)
    assert task.inputs.shape == (6000, lag + 1)
    assert len(task.words) == 9 and task.words[-1] == "?"
    assert (task.inputs[:, -1] == 8).all() and ((task.inputs < 5).sum(1) == 1).all()
    assert np.array_equal(task.inputs[:, 0], task.targets)
    between = task.inputs[:, 1:-1]
    assert ((between >= 5) & (between < 8)).all()
    for symbol in range(5):
        assert_mean(task.targets == symbol, 1 / 5)
    assert task.best == 0 and task.baseline == pytest.approx(math.log(5))


def test_key_value_recall_is_answered_by_a_dictionary_and_by_nothing_less():
    task = tasks.key_value_recall(6000, 4, rng(1), keys=6, values=3)
    assert task.inputs.shape == (6000, 9) and len(task.words) == 9
    for row, target in zip(task.inputs[:500].tolist(), task.targets[:500], strict=True):
        held = dict(zip(row[0:-1:2], row[1::2], strict=True))
        assert len(held) == 4
        assert all(key < 6 <= value < 9 for key, value in held.items())
        assert held[row[-1]] == 6 + target
    place = (task.inputs[:, 0:-1:2] == task.inputs[:, -1:]).argmax(1)
    for i in range(4):
        assert_mean(place == i, 1 / 4)
    for key in range(6):
        assert_mean(task.inputs[:, 0] == key, 1 / 6)
    for value in range(3):
        assert_mean(task.targets == value, 1 / 3)
    assert task.baseline == pytest.approx(math.log(3))
    assert tasks.key_value_recall(5, 6, rng(), keys=6).inputs.shape == (5, 13)


def test_parity_is_the_running_exclusive_or():
    task = tasks.parity(4000, 9, rng(1))
    assert np.array_equal(task.targets, np.bitwise_xor.accumulate(task.inputs, axis=1))
    for column in np.hstack([task.inputs, task.targets]).T:
        assert_mean(column, 1 / 2)
    assert task.baseline == pytest.approx(math.log(2))


def test_latch_shows_the_bit_once_and_noise_after_it():
    task = tasks.latch(4000, 6, rng(1), noise=2.0)
    assert task.inputs.dtype == task.targets.dtype == np.float32
    assert (task.inputs[:, 0, 1] == 1).all() and not task.inputs[:, 1:, 1].any()
    assert set(np.unique(task.targets)) == {-1, 1} and np.array_equal(task.targets, task.inputs[:, 0, 0])
    assert_mean(task.targets, 0)
    for column in task.inputs[:, 1:, 0].T:
        assert_mean(column, 0)
        assert_mean(column**2, 4)
        assert_mean(column * task.targets, 0)
    assert np.mean(task.targets**2) == task.baseline == 1
    assert not tasks.latch(3, 4, rng(), noise=0).inputs[:, 1:].any()


# ---- Tagging -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def all_sentences():
    """Every (words, tags) of the grammar with its probability, spelled out one by one."""
    table = defaultdict(float)
    for chance, opening, phrases, ending in language.SENTENCES:
        for k, p in enumerate(phrases):
            slots = [language.SLOTS[s] for s in (opening + k * " in the place" + " " + ending).split()]
            tags = tuple(tag for tag, _ in slots)
            for choice in itertools.product(*(words.items() for _, words in slots)):
                table[tuple(word for word, _ in choice), tags] += chance * p * math.prod(q for _, q in choice)
    return {key: p for key, p in table.items() if p}


@pytest.fixture(scope="module")
def joint(all_sentences):
    """p(what is seen, tag), in one big table for each thing that a tagger might see of a token."""
    tables = {name: defaultdict(Counter) for name in ("nothing", "word", "left", "both")}
    for (words, tags), p in all_sentences.items():
        for t, tag in enumerate(tags):
            tables["nothing"][()][tag] += p
            tables["word"][words[t]][tag] += p
            tables["left"][words[: t + 1]][tag] += p
            tables["both"][words, t][tag] += p
    return tables


def test_the_grammar_is_a_distribution_over_varied_sentences(all_sentences):
    assert math.fsum(all_sentences.values()) == pytest.approx(1, abs=1e-12)
    lengths = {len(words) for words, _ in all_sentences}
    assert min(lengths) == 3 and max(lengths) == 12 and len(lengths) >= 7
    assert 15 <= len(tasks.TAGGING_WORDS) <= 25
    for tag, words in language.SLOTS.values():
        assert tag in tasks.TAGS and sum(words.values()) == pytest.approx(1)
    possible = defaultdict(set)
    for words, tags in all_sentences:
        for word, tag in zip(words, tags, strict=True):
            possible[word].add(tag)
    assert possible["flies"] == possible["time"] == possible["watch"] == {"n", "v"} and possible["like"] == {"v", "p"}


def test_tagging_ceilings_by_enumeration(all_sentences, joint):
    tokens = sum(p * len(words) for (words, _), p in all_sentences.items())
    best = {seen: sum(max(c.values()) for c in table.values()) / tokens for seen, table in joint.items()}
    ceilings = tasks.tagging_ceilings()
    assert list(ceilings) == ["word", "left", "both"]
    assert ceilings == pytest.approx({seen: best[seen] for seen in ceilings}, abs=1e-12)
    assert ceilings["word"] < ceilings["left"] - 0.02 < ceilings["both"] - 0.07 and 0.98 < ceilings["both"] < 1
    ceilings["both"] = 0.0
    task = tasks.tagging(1, rng())
    assert task.best == tasks.tagging_ceilings()["both"] == pytest.approx(best["both"])
    assert task.baseline == pytest.approx(best["nothing"])


def test_tag_posterior_by_enumeration(all_sentences, joint):
    sentences = [words for words, _ in all_sentences]
    for i in rng(5).choice(len(sentences), size=300):
        words = sentences[i]
        for both in (False, True):
            posterior = tasks.tag_posterior(words, both=both)
            assert len(posterior) == len(words)
            for t, p in enumerate(posterior):
                counter = joint["both"][words, t] if both else joint["left"][words[: t + 1]]
                assert list(p) == list(tasks.TAGS) and sum(p.values()) == pytest.approx(1)
                right = {tag: counter[tag] / sum(counter.values()) for tag in tasks.TAGS}
                assert max(abs(p[tag] - right[tag]) for tag in tasks.TAGS) < 1e-12


def test_the_example_sentences_are_read_as_a_person_reads_them():
    for sentence, tags in {
        "time flies like an arrow": "n v p d n",
        "fruit flies like a banana": "n n v d n",
        "time flies with a watch": "v n p d n",
        "time the flies": "v d n",
        "the watch flies": "d n v",
        "fruit flies in the garden on the table like a banana": "n n p d n p d n v d n",
    }.items():
        posterior = tasks.tag_posterior(sentence.split())
        assert " ".join(max(p, key=p.get) for p in posterior) == tags


def test_an_ambiguity_is_resolved_now_by_the_next_word_now_by_a_far_one(all_sentences):
    """How many words later does the most probable tag of the second word change for the last time?"""
    known = defaultdict(Counter)
    for (words, tags), p in all_sentences.items():
        for end in range(2, len(words) + 1):
            known[words[:end], end == len(words)][tags[1]] += p
    delays = Counter()
    for (words, _), p in all_sentences.items():
        guesses = []
        for end in range(2, len(words) + 1):
            counter = known[words[:end], end == len(words)]
            if end < len(words):  # the reader does not know yet whether the sentence goes on
                counter = counter + known[words[:end], True]
            guesses.append(max(counter, key=counter.get))
        changes = [t for t in range(1, len(guesses)) if guesses[t] != guesses[t - 1]]
        delays[max(changes, default=0)] += p
    assert sum(delays[d] for d in (1, 2)) > 0.1 and sum(p for d, p in delays.items() if d >= 4) > 0.1
    assert max(delays) >= 7


def test_samples_follow_the_grammar_and_reach_the_ceilings(all_sentences):
    task = tasks.tagging(3000, rng(2))
    pairs = [(tuple(w), tuple(t)) for w, t in zip(task.inputs, task.targets, strict=True)]
    assert all(pair in all_sentences for pair in pairs)
    assert [len(words) for words in task.inputs] == task.lengths.tolist()
    for feature in (
        lambda words, tags: len(words),
        lambda words, tags: words[0] == "time" and tags[0] == "v",
        lambda words, tags: words[1] == "flies" and tags[1] == "n",
        lambda words, tags: "like" in words and words[-1] == "banana",
    ):
        assert_mean([feature(*pair) for pair in pairs], sum(p * feature(*pair) for pair, p in all_sentences.items()))
    for name, both in (("left", False), ("both", True)):
        right = []
        for words, tags in pairs:
            posterior = tasks.tag_posterior(words, both)
            right.append(sum(max(p, key=p.get) == tag for p, tag in zip(posterior, tags, strict=True)))
        assert_mean(np.array(right) - tasks.tagging_ceilings()[name] * task.lengths, 0)


# ---- Sentiment ---------------------------------------------------------------------------------------------------

GOOD, BAD_WORDS = {"good", "great", "wonderful"}, {"bad", "dull", "terrible"}


def clauses_of(words):
    """[(subject, good?)] of a review, and its conjunction, by reading it word for word."""
    conjunction = next((word for word in words if word in ("and", "but")), "")
    parts = " ".join(words).split(f" {conjunction} ") if conjunction else [" ".join(words)]
    read = []
    for part in parts:
        clause = part.split()
        assert clause[0] == "the" and clause[2] == "was" and clause[-1] in GOOD | BAD_WORDS
        read.append((clause[1], (clause[-1] in GOOD) != ("not" in clause or "never" in clause)))
    return read, conjunction


def test_reviews_follow_their_rule():
    task = tasks.sentiment(6000, rng(1))
    kinds = Counter()
    for words, label in zip(task.inputs, task.targets, strict=True):
        read, conjunction = clauses_of(words)
        kinds[conjunction] += 1
        assert read[-1][1] == label
        if conjunction:
            assert read[0][0] != read[1][0]
            assert (read[0][1] == read[1][1]) == (conjunction == "and")
    assert task.lengths.min() == 4 and task.lengths.max() <= 21
    assert task.lengths.tolist() == [len(words) for words in task.inputs]
    assert_mean(task.targets, 0.5)
    for kind, p in language.KINDS.items():
        assert abs(kinds[kind] / 6000 - p) < 4 * math.sqrt(p * (1 - p) / 6000)
    negated = [bool({"not", "never"} & set(words)) for words in task.inputs if len(clauses_of(words)[0]) == 1]
    assert_mean(negated, 0.4)
    far = [words.index("not") for words in task.inputs if "not" in words]
    assert len(set(far)) > 5


def test_the_bag_of_words_ceiling_by_enumeration_of_all_reviews():
    single = []
    for parts in itertools.product(
        language.SUBJECTS,
        *(table.items() for table in (language.NEGATIONS, language.ASIDES, language.INTENSIFIERS)),
        sorted(GOOD | BAD_WORDS),
    ):
        subject, (no, p), (aside, q), (much, r), adjective = parts
        single.append((["the", subject, "was", *no.split(), *aside.split(), *much.split(), adjective], p * q * r))
    total = sum(p for _, p in single)
    read = [clauses_of(words)[0][0] for words, _ in single]
    bags = defaultdict(lambda: [0.0, 0.0])
    for (words, p), (_, good) in zip(single, read, strict=True):
        bags[tuple(sorted(words))][good] += 0.3 * p / total
    pairs = {"and": [], "but": []}
    for (first, p), (subject, good) in zip(single, read, strict=True):
        for (second, q), (other, verdict) in zip(single, read, strict=True):
            if subject != other:
                pairs["and" if good == verdict else "but"].append((first, second, p * q, verdict))
    for kind, weight in (("and", 0.3), ("but", 0.4)):
        norm = sum(p for *_, p, _ in pairs[kind])
        for first, second, p, verdict in pairs[kind]:
            bags[tuple(sorted([*first, kind, *second]))][verdict] += weight * p / norm
    assert sum(map(sum, bags.values())) == pytest.approx(1)
    ceilings = tasks.sentiment_ceilings()
    assert ceilings["bag of words"] == pytest.approx(sum(map(max, bags.values())), abs=1e-10)
    assert ceilings["bag of words"] == pytest.approx(0.3 + 0.4 / 2 + 0.3 * (0.52 + 0.48 / 2), abs=1e-12)
    assert ceilings["best"] == 1


# ---- Pictures ----------------------------------------------------------------------------------------------------


def all_pictures():
    """(noiseless picture as bytes, things) for every placement, drawn by hand with slices."""

    def stamp(picture, thing, top, left):
        level = {"bright": 2, "dim": 1}[thing.brightness]
        block = picture[top : top + 3, left + (4 if thing.side == "right" else 0) :][:, :3]
        if thing.shape == "bar":
            block[1] = level
        elif thing.shape == "cross":
            block[1], block[:, 1] = level, level
        else:
            block[:] = level
            if thing.shape == "ring":
                block[1, 1] = 0

    for thing in pictures.THINGS:
        for top, left in itertools.product(range(6), range(2)):
            picture = np.zeros((8, 8), dtype=int)
            stamp(picture, thing, top, left)
            yield picture.tobytes(), (thing,)
    for (upper, lower), *places in itertools.product(itertools.product(pictures.THINGS, repeat=2), *[range(2)] * 4):
        picture = np.zeros((8, 8), dtype=int)
        stamp(picture, upper, places[0], places[1])
        stamp(picture, lower, 4 + places[2], places[3])
        yield picture.tobytes(), (upper, lower)


def test_every_picture_can_be_read_in_one_way_only():
    seen = dict(all_pictures())
    assert len(seen) == len(list(all_pictures())) == 16 * 12 + 256 * 16  # so that no two placements look the same
    task = tasks.captions(1500, rng(1))
    assert task.inputs.shape == (1500, 8, 8) and task.inputs.dtype == np.float32
    levels = np.round(task.inputs * 2).astype(int)
    noise = task.inputs - levels / 2
    assert abs(noise).max() <= pictures.NOISE + 1e-6 and abs(noise).max() > 0.9 * pictures.NOISE
    for picture, things, words in zip(levels, task.attributes, task.targets, strict=True):
        assert seen[picture.tobytes()] == things
        assert tasks.describes(words, things)
    assert_mean([len(things) == 2 for things in task.attributes], 0.5)
    for thing in pictures.THINGS:
        assert_mean([things[-1] == thing for things in task.attributes], 1 / 16)
    assert_mean(["above" in words for words, t in zip(task.targets, task.attributes, strict=True) if len(t) == 2], 0.5)
    assert set(task.lengths) == {6, 13}


def test_things_stand_anywhere_in_their_half_under_noise_of_mean_zero():
    """Three shapes of four fill three rows, the bar one; a corner row is reached by one shift of two, or of six."""
    for pairs, row in ((0.0, 3 / 4 / 6), (1.0, 3 / 4 / 2)):
        inputs = tasks.captions(3000, rng(1), pairs=pairs).inputs
        shown = inputs > 0.3
        for edge in (0, -1):
            assert_mean(shown[:, edge].any(1), row)
            assert_mean(shown[:, :, edge].any(1), 1 / 4 if pairs == 0 else 1 - (3 / 4) ** 2)
        assert_mean((inputs - np.round(inputs * 2) / 2).mean((1, 2)), 0)


def test_captions_repeat_words_and_say_each_thing():
    things = (tasks.Thing("cross", "bright", "left"), tasks.Thing("cross", "bright", "right"))
    above = "a bright cross on the left above a bright cross on the right".split()
    below = "a bright cross on the right below a bright cross on the left".split()
    assert tasks.describes(above, things) and tasks.describes(below, things)
    assert not tasks.describes(above, things[::-1])
    assert not tasks.describes(above[:6], things) and not tasks.describes(above, things[:1])
    assert tasks.describes(above[:6], things[:1]) and tasks.describes(above[:6], things[0])
    assert not tasks.describes([], things) and not tasks.describes([*above, "a"], things)
    assert len(set(above)) == 8 < len(above)
    for t in range(len(above)):
        for word in set(tasks.CAPTION_WORDS) - {above[t]}:
            assert not tasks.describes([*above[:t], word, *above[t + 1 :]], things)


def test_caption_baseline_and_entropy_by_enumeration():
    sentences = [t.words() for t in pictures.THINGS]
    sentences += [[*a, w, *b] for a in sentences[:16] for b in sentences[:16] for w in ("above", "below")]
    every = [(t,) for t in pictures.THINGS] + list(itertools.product(pictures.THINGS, repeat=2))
    sample = [every[i] for i in rng(1).choice(16, 4)] + [every[16 + i] for i in rng(1).choice(256, 12)]
    for things in sample:
        right = [s for s in sentences if tasks.describes(s, things)]
        assert len(right) == len(things)
    for pairs in (0.0, 0.5, 1.0):
        said = Counter()
        for things in every:
            p = (1 - pairs) / 16 if len(things) == 1 else pairs / 256
            for s in pictures._wordings(things):
                said[tuple(s)] += p
        assert tasks.captions(1, rng(), pairs).baseline == pytest.approx(max(said.values()))
        assert tasks.caption_entropy(pairs) == pytest.approx(pairs * math.log(2))
        assert {len(t) for t in tasks.captions(200, rng(), pairs).attributes} == {0.0: {1}, 1.0: {2}}.get(pairs, {1, 2})


# ---- Series ------------------------------------------------------------------------------------------------------

PHIS = [(1.6, -0.8), (0.5, 0.3), (-0.7, 0.0), (0.0, -0.5)]


def autocovariance(phi, sigma, lags):
    """From the Lyapunov equation C = A C A^T + Q of the state (x_t, x_{t-1}), then C(k) = A^k C."""
    A = np.array([phi, (1.0, 0.0)])
    C = linalg.solve_discrete_lyapunov(A, np.diag([sigma**2, 0.0]))
    return np.array([(np.linalg.matrix_power(A, k) @ C)[0, 0] for k in range(lags)])


@pytest.mark.parametrize("phi", PHIS)
def test_variance_error_and_forecast_against_gaussian_conditioning(phi):
    """E[x_{T+k} | x_1 ... x_6] and its error from the covariance matrix alone: only the last two values matter."""
    sigma, T = 0.7, 6
    gamma = autocovariance(phi, sigma, 40)
    assert tasks.ar2_variance(phi, sigma) == pytest.approx(gamma[0])
    covariance = linalg.toeplitz(gamma[:T])
    psi = signal.lfilter([1.0], [1.0, -phi[0], -phi[1]], np.eye(1, 40)[0])
    history = rng(1).standard_normal((3, 5, T))
    for k in (1, 2, 3, 7, 30):
        cross = gamma[k : k + T][::-1]
        weights = np.linalg.solve(covariance, cross)
        assert tasks.ar2_error(k, phi, sigma) == pytest.approx(gamma[0] - cross @ weights)
        assert tasks.ar2_error(k, phi, sigma) == pytest.approx(sigma**2 * (psi[:k] ** 2).sum())
        np.testing.assert_allclose(tasks.ar2_forecast(history, k, phi), history @ weights, atol=1e-9)
        companion = np.linalg.matrix_power(np.array([phi, (1.0, 0.0)]), k)[0]
        np.testing.assert_allclose(tasks.ar2_forecast(history, k, phi), history[..., [-1, -2]] @ companion, atol=1e-9)
    assert tasks.ar2_error(2000, phi, sigma) == pytest.approx(tasks.ar2_variance(phi, sigma))


def test_the_default_series_has_the_figures_of_the_book():
    assert tasks.ar2_variance() == pytest.approx(1.8 / (0.2 * (1.8**2 - 1.6**2)))
    assert [tasks.ar2_error(k) for k in (1, 2)] == pytest.approx([1, 1 + 1.6**2])


@pytest.mark.parametrize("phi", PHIS)
def test_series_are_stationary_from_the_first_value(phi):
    x = tasks.ar2(20000, 6, rng(2), phi, sigma=2.0)
    assert x.shape == (20000, 6) and x.dtype == np.float64
    gamma = autocovariance(phi, 2.0, 6)
    for i, j in itertools.combinations_with_replacement(range(6), 2):
        assert_mean(x[:, i] * x[:, j], gamma[j - i])
    shocks = x[:, 2:] - phi[0] * x[:, 1:-1] - phi[1] * x[:, :-2]
    assert_mean(shocks.ravel() ** 2, 4.0)
    assert_mean(shocks[:, 1] * shocks[:, 0], 0.0)
    assert_mean(shocks[:, 0] * x[:, 1], 0.0)
    assert tasks.ar2(3, 1, rng()).shape == (3, 1)


def test_forecasting_reaches_its_best_score_and_its_baseline():
    for k in (1, 4):
        task = tasks.forecasting(20000, 5, rng(3), k=k, sigma=1.5)
        assert task.inputs.shape == (20000, 5) and task.targets.shape == (20000,)
        assert_mean((task.targets - tasks.ar2_forecast(task.inputs, k)) ** 2, task.best)
        assert_mean(task.targets**2, task.baseline)


def test_a_phi_that_is_not_stationary_is_told_by_its_roots():
    with pytest.raises(ValueError, match=r"1\.11 .*lies outside the unit circle and 0\.0901 .*lies inside"):
        tasks.ar2(2, 5, rng(), phi=(1.2, -0.1))
    with pytest.raises(ValueError, match=r"1 \(size 1\) lies on the unit circle and 0 .*inside"):
        tasks.ar2_variance((1.0, 0.0))
    with pytest.raises(ValueError, match=r"0\.5\+1i \(size 1\.118\) lies outside .* 0\.5-1i .*outside"):
        tasks.forecasting(2, 5, rng(), phi=(1.0, -1.25))
    for phi in itertools.product(np.linspace(-2.2, 2.2, 23), np.linspace(-1.15, 1.15, 24)):
        if max(abs(np.roots([1, -phi[0], -phi[1]]))) < 1:
            assert tasks.ar2_variance(phi) >= 1
        else:
            with pytest.raises(ValueError, match="not stationary"):
                tasks.ar2_variance(phi)
    assert tasks.ar2_error(5, (1.0, 0.0), 2.0) == pytest.approx(20)  # a random walk still has a best forecast
    assert tasks.ar2_forecast([1.0, 3.0], 4, (1.0, 0.0)) == 3

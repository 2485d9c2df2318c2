"""Byte-pair encoding: text comes back exactly, and merges and ids are those of Hugging Face's tokenizers."""

import json
from collections import Counter
from itertools import pairwise

import pytest
import tokenizers
from hypothesis import example, given
from hypothesis import strategies as st

from course_lib import corpora
from course_lib.bpe import BYTE_SIGNS, BytePairTokenizer, chunks
from course_lib.tokens import BOS_ID, EOS_ID, PAD_ID, SPECIALS, UNK_ID

SMALLEST = 260


@pytest.fixture(scope="module")
def tales() -> str:
    return corpora.tales_text()


@pytest.fixture(scope="module")
def ours(tales) -> BytePairTokenizer:
    return BytePairTokenizer.fit(tales, 1000)


def theirs(text: str, vocab_size: int) -> tokenizers.Tokenizer:
    """The same training by Hugging Face, in Rust."""
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE())
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=list(SPECIALS),
        initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([text], trainer)
    return tokenizer


# ---- against an authority ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("vocab_size", [SMALLEST, 300, 1000, 3000])
def test_merges_vocabulary_and_ids_are_those_of_hugging_face(tales, vocab_size):
    mine, other = BytePairTokenizer.fit(tales, vocab_size), theirs(tales, vocab_size)
    assert mine.merges == [tuple(pair) for pair in json.loads(other.to_str())["model"]["merges"]]
    assert other.get_vocab() == {token: i for i, token in enumerate(mine.vocab)}
    new = "\n  Ünseen wörds: 3.14 foxes, don't they?  "
    for text in (tales, new):
        assert mine.encode(text) == other.encode(text).ids
    assert mine.decode(mine.encode(new)) == other.decode(other.encode(new).ids) == new


@given(st.text(alphabet="abc ", min_size=1, max_size=80), st.integers(0, 12))
def test_incremental_counts_give_the_merges_of_counting_afresh(text, merges):
    """Counting everything again after each merge; the dumb way."""
    tokens = {sign: i for i, sign in enumerate(BYTE_SIGNS.values())}
    words = [[BYTE_SIGNS[b] for b in chunk.encode()] for chunk in chunks(text)]
    done = {}
    while len(tokens) < 256 + merges:
        count = Counter(pair for word in words for pair in pairwise(word))
        if not count:
            break
        left, right = min(count, key=lambda p: (-count[p], tokens[p[0]], tokens[p[1]]))
        done[left, right] = None
        tokens.setdefault(left + right, len(tokens))
        for word in words:
            i = 0
            while i < len(word) - 1:
                if (word[i], word[i + 1]) == (left, right):
                    word[i : i + 2] = [left + right]
                i += 1
    assert BytePairTokenizer.fit(text, SMALLEST + merges).merges == list(done)


# ---- there and back ------------------------------------------------------------------------------------------------


@given(st.text(max_size=80))
@example("")
@example("a\u00a0b _x_ 'tis  \t\r\n\n ½ ² don't 日本語 🦊👩‍👩‍👧")
def test_text_comes_back_exactly(ours, text):
    assert "".join(chunks(text)) == text
    ids = ours.encode(text)
    assert ours.decode(ids) == text
    assert UNK_ID not in ids and len(ids) <= len(text.encode())


def test_merges_alone_make_the_same_tokenizer(ours, tales):
    again = BytePairTokenizer(ours.merges)
    assert again.vocab == ours.vocab and again.encode(tales[:2000]) == ours.encode(tales[:2000])


# ---- small cases ---------------------------------------------------------------------------------------------------


def test_the_first_merges_by_hand():
    tokenizer = BytePairTokenizer.fit("low low low lower lowest", SMALLEST + 4)
    # five times each: l o, o w, and four times " l"; ids order the ties: l o first
    assert tokenizer.merges == [("l", "o"), ("lo", "w"), ("Ġ", "low"), ("Ġlow", "e")]
    assert [tokenizer.decode([i]) for i in tokenizer.encode("lowest slow")] == ["low", "e", "s", "t", " ", "s", "low"]
    assert len(tokenizer) == len(tokenizer.vocab) == SMALLEST + 4
    assert tokenizer.vocab["Ġlow"] == SMALLEST + 2 and tokenizer.vocab["!"] == 4
    assert repr(tokenizer) == "BytePairTokenizer with 264 tokens, 4 merges"


def test_training_stops_when_nothing_is_left_to_merge():
    tokenizer = BytePairTokenizer.fit("abab", 1000)
    assert tokenizer.merges == [("a", "b"), ("ab", "ab")] and len(tokenizer) == 262


def test_chunks_keep_the_space_before_a_word():
    assert chunks("It's 42 now.  And\n\nthen _x!?") == [
        "It", "'s", " 42", " now", ".", " ", " And", "\n", "\n", "then", " _", "x", "!?",
    ]  # fmt: skip


def test_marks_are_left_out_and_what_is_no_text_shows(ours):
    fox = ours.encode("fox")
    assert ours.decode([BOS_ID, *fox, EOS_ID, PAD_ID, PAD_ID]) == "fox"
    assert ours.decode([UNK_ID, *fox]) == "\N{REPLACEMENT CHARACTER}fox"
    half = ours.encode("é")[:1]
    assert ours.decode(half) == "\N{REPLACEMENT CHARACTER}"


# ---- what goes wrong -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "vocab_size", "error", "words"),
    [
        ("", 300, ValueError, "the text is empty"),
        ("abc", 259, ValueError, "vocab_size=259 has no room"),
        (b"abc", 300, TypeError, "not bytes"),
    ],
)
def test_training_refuses(text, vocab_size, error, words):
    with pytest.raises(error, match=words):
        BytePairTokenizer.fit(text, vocab_size)


def test_encoding_and_decoding_refuse(ours):
    with pytest.raises(TypeError, match="not list"):
        ours.encode(["a"])
    with pytest.raises(IndexError, match="no token with id 1000"):
        ours.decode([1000])
    with pytest.raises(TypeError, match="an id is an integer"):
        ours.decode(["a"])
    with pytest.raises(UnicodeEncodeError, match="surrogates"):
        ours.encode("\ud800")


@pytest.mark.parametrize(
    ("merges", "words"),
    [
        ([("a", "bc")], "needs one not made before"),
        ([("a", " ")], "needs one not made before"),
        ([("a", "b"), ("b", "c"), ("a", "bc"), ("ab", "c")], "makes a token that is there already"),
    ],
)
def test_merges_must_build_on_one_another(merges, words):
    with pytest.raises(ValueError, match=words):
        BytePairTokenizer(merges)

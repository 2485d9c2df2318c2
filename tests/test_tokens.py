"""Tokens: what goes in comes out, what cannot come out is said, and bad input is refused by name."""

import pickle

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from course_lib.ngram import NGramLM
from course_lib.tokens import (
    BOS,
    BOS_ID,
    EOS,
    EOS_ID,
    PAD,
    PAD_ID,
    UNK,
    UNK_ID,
    CharTokenizer,
    Vocabulary,
    WordTokenizer,
    join_words,
    sentences,
    words,
)

PROSE = st.text(alphabet="abIZ' .,;?!\"()-\n19é’”", max_size=60) | st.text(max_size=40)

# ---- words and sentences -----------------------------------------------------------------------------------


def test_words_are_letters_with_apostrophes_and_single_other_characters():
    assert words("Don't go,  Tom!\n(It's 42 -- no: é.)") == [
        "Don't",
        "go",
        ",",
        "Tom",
        "!",
        "(",
        "It's",
        "4",
        "2",
        "-",
        "-",
        "no",
        ":",
        "é",
        ".",
        ")",
    ]
    assert words("") == words(" \n\t ") == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One came. Two went! Did three? No", ["One came .", "Two went !", "Did three ?", "No"]),
        ('"Why?" she asked. Nobody knew.', ['" Why ? " she asked .', "Nobody knew ."]),
        ('He left. "Come back," she said.', ["He left .", '" Come back , " she said .']),
        ('She said, "Go." Then she slept.', ['She said , " Go . "', "Then she slept ."]),
        ('(All of them.) "Really?!" Yes.', ["( All of them . )", '" Really ? ! "', "Yes ."]),
        ("A title\n\nThe text goes\non. End.", ["A title", "The text goes on .", "End ."]),
        ('"Why?"\n\nthe next paragraph', ['" Why ? "', "the next paragraph"]),
        ("about 3.14 of it. so it is", ["about 3 . 1 4 of it .", "so it is"]),
        ("'Stop.' He did.", ["'Stop . '", "He did ."]),
    ],
)
def test_sentences_end_where_a_reader_would_say_so(text, expected):
    assert [" ".join(sentence) for sentence in sentences(text)] == expected


@given(PROSE)
def test_sentences_lose_nothing(text):
    parts = sentences(text)
    assert [word for part in parts for word in part] == words(text)
    assert all(parts)


@given(PROSE)
@example("a ' b")
def test_joined_words_are_cut_into_the_same_words_again(text):
    assert words(join_words(words(text))) == words(text)


@pytest.mark.parametrize(
    "text",
    [
        "Well, well; this is it: the end!",
        '"Whose hedge was it?" I said. "His (I think), and full of holes."',
        '"If you say so," said the judge, "then go."',
        "It was a well-worn two-and-a-half-mile road [or so], and cost £20 or 100%.",
        "'Come here.' It wasn't hers; it was the dogs' house.",
        'I shall not come."',
        '"I shall',
        "Somebody said 'excuse me'.",
        "",
    ],
)
def test_english_spacing_is_restored(text):
    assert join_words(words(text)) == text


def test_long_texts_with_an_odd_number_of_quotes_are_joined_quickly():
    tokens = ['"', "word", "."] * 60_001  # quadratic work would take minutes
    assert words(join_words(tokens)) == tokens


# ---- vocabulary --------------------------------------------------------------------------------------------


def test_special_tokens_have_ids_0_to_3_everywhere():
    vocab = Vocabulary(["b", "a"])
    assert vocab.tokens == (PAD, BOS, EOS, UNK, "b", "a")
    assert [vocab[t] for t in (PAD, BOS, EOS, UNK)] == [PAD_ID, BOS_ID, EOS_ID, UNK_ID] == [0, 1, 2, 3]
    assert (vocab["b"], vocab["a"], vocab["zebra"]) == (4, 5, UNK_ID)
    assert len(vocab) == 6
    assert "a" in vocab
    assert PAD in vocab
    assert "zebra" not in vocab
    assert list(vocab) == list(vocab.tokens)


def test_build_orders_by_falling_count_then_by_the_alphabet():
    text = [["b", "a", "c"], ["c", "b", "a"], ["c", "d"], []]
    assert Vocabulary.build(text).tokens[4:] == ("c", "a", "b", "d")
    assert Vocabulary.build(text, min_count=2).tokens[4:] == ("c", "a", "b")
    assert Vocabulary.build(text, max_size=6).tokens[4:] == ("c", "a")
    assert len(Vocabulary.build(text, max_size=6)) == 6
    assert len(Vocabulary.build(text, max_size=4)) == 4
    assert len(Vocabulary.build([[]])) == 4


def test_special_tokens_in_a_text_are_not_counted_as_new_ones():
    vocab = Vocabulary.build([[BOS, "a", UNK, EOS]])
    assert vocab.tokens[4:] == ("a",)
    assert vocab.encode([BOS, "a", UNK, EOS]) == [BOS_ID, 4, UNK_ID, EOS_ID]
    assert len(Vocabulary.build([[BOS, BOS, "a"]], max_size=5)) == 5


@given(st.lists(st.text(min_size=1), unique=True), st.lists(st.text(min_size=1)))
def test_known_tokens_come_back_and_unknown_ones_become_unk(known, tokens):
    vocab = Vocabulary(known)
    decoded = vocab.decode(vocab.encode(tokens))
    assert decoded == [token if token in vocab else UNK for token in tokens]
    assert Vocabulary(vocab.tokens) == vocab


def test_equal_vocabularies_are_equal_also_after_pickling():
    a, b = Vocabulary(["x", "y"]), Vocabulary(["y", "x"])
    assert a == Vocabulary(["x", "y"]) == pickle.loads(pickle.dumps(a))
    assert hash(a) == hash(Vocabulary(["x", "y"]))
    assert a != b
    assert a != ["x", "y"]
    assert repr(a) == "Vocabulary of 6: the special tokens, 'x', 'y'"


def test_decode_takes_any_row_of_integers():
    vocab = Vocabulary(["x", "y"])
    assert vocab.decode(np.array([5, 4], dtype=np.int32)) == ["y", "x"]
    assert vocab.token(np.int64(4)) == "x"


@pytest.mark.parametrize("wrong", [-1, 6, 10**9])
def test_an_id_out_of_range_is_an_index_error_that_names_it(wrong):
    with pytest.raises(IndexError, match=rf"no token with id {wrong}\b.*0 to 5"):
        Vocabulary(["x", "y"]).decode([4, wrong])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda v: v.token(1.5), TypeError, "an id is an integer, not float: 1.5"),
        (lambda v: v.decode(np.zeros((2, 2), dtype=int)), TypeError, "an id is an integer, not ndarray"),
        (lambda v: v[4], TypeError, "a token is a string, not int"),
        (lambda v: v.encode("xy"), TypeError, "'xy' is str, not a list of tokens"),
        (lambda v: v.encode([b"x"]), TypeError, "a token is a string, not bytes: b'x'"),
        (lambda v: Vocabulary(["a", "b", "a"]), ValueError, "'a' is given twice"),
        (lambda v: Vocabulary(["a", 3]), TypeError, "not int: 3"),
        (lambda v: Vocabulary("abc"), TypeError, "not a list of tokens"),
        (lambda v: Vocabulary.build([]), ValueError, "at least one sentence"),
        (lambda v: Vocabulary.build(["the cow"]), TypeError, "'the cow' is str, not a list of tokens"),
        (lambda v: Vocabulary.build([["a"]], min_count=0), ValueError, "min_count=0"),
        (lambda v: Vocabulary.build([["a"]], max_size=3), ValueError, "max_size=3 has no room"),
        (lambda v: join_words("the cow"), TypeError, "not a list of tokens"),
        (lambda v: words(b"the cow"), TypeError, "not bytes: decode it first"),
        (lambda v: sentences(None), TypeError, "not NoneType"),
    ],
)
def test_bad_input_is_refused_by_name(call, error, message):
    with pytest.raises(error, match=message):
        call(Vocabulary(["x", "y"]))


# ---- tokenizers --------------------------------------------------------------------------------------------


@given(st.text(min_size=1).filter(str.strip))
def test_characters_come_back_exactly(text):
    tokenizer = CharTokenizer.fit(text)
    ids = tokenizer.encode(text)
    assert tokenizer.decode(ids) == text
    assert len(ids) == len(text)
    assert min(ids) >= 4
    assert len(tokenizer.vocab) == 4 + len(set(text))


def test_an_unknown_character_is_unk_and_shows_as_the_replacement_character():
    tokenizer = CharTokenizer.fit("hello world")
    assert tokenizer.encode("hé")[1] == UNK_ID
    assert tokenizer.decode(tokenizer.encode("hé!")) == "h\ufffd\ufffd"
    assert tokenizer.decode([BOS_ID, *tokenizer.encode("he"), EOS_ID, PAD_ID]) == "he"


def test_the_character_alphabet_is_in_code_point_order():
    assert CharTokenizer.fit("cab a\n").vocab.tokens[4:] == ("\n", " ", "a", "b", "c")


def test_words_come_back_with_english_spacing():
    text = '"Who is it?" said the cat. The dog did not say, "It\'s me," or (once) "the cat".'
    tokenizer = WordTokenizer.fit(text)
    assert tokenizer.decode(tokenizer.encode(text)) == text
    assert tokenizer.decode(tokenizer.encode("the  cat\n\nsaid .")) == "the cat said."
    assert tokenizer.decode([BOS_ID, *tokenizer.encode("The zebra said."), EOS_ID]) == "The <unk> said."


def test_word_tokenizer_limits_its_vocabulary():
    tokenizer = WordTokenizer.fit("a b a c a b", min_count=2)
    assert tokenizer.vocab.tokens[4:] == ("a", "b")
    assert WordTokenizer.fit("a b a c a b", max_size=5).vocab.tokens[4:] == ("a",)


@pytest.mark.parametrize("tokenizer", [CharTokenizer.fit("abc"), WordTokenizer.fit("abc")])
@pytest.mark.parametrize(
    ("value", "kind"), [(b"abc", "bytes"), (3, "int"), (None, "NoneType"), (["a"], "list")]
)
def test_encoding_what_is_no_text_names_its_type(tokenizer, value, kind):
    with pytest.raises(TypeError, match=f"a text is a string, not {kind}"):
        tokenizer.encode(value)
    with pytest.raises(TypeError, match=kind):
        type(tokenizer).fit(value)


@pytest.mark.parametrize("empty", ["", " \n "])
def test_an_empty_text_has_no_vocabulary(empty):
    for kind in (CharTokenizer, WordTokenizer):
        with pytest.raises(ValueError, match="the text is empty"):
            kind.fit(empty)


def test_a_character_tokenizer_refuses_a_vocabulary_of_words():
    with pytest.raises(ValueError, match="'word' is not one character"):
        CharTokenizer(Vocabulary(["a", "word"]))


def test_the_ngram_model_still_finds_its_vocabulary():
    model = NGramLM(2).fit(sentences("The cow eats. The cow sleeps."))
    assert model.vocab.tokens[4:] == (".", "The", "cow", "eats", "sleeps")

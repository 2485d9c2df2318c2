"""The Tales as a text: large enough, clean, varied, and every paragraph fit to be shown to a reader."""

import re
from collections import Counter
from importlib import resources

import pytest

from course_lib import corpora
from course_lib.tokens import join_words, words

FILES = sorted((resources.files("course_lib") / "data" / "tales").iterdir(), key=lambda file: file.name)
TALES = corpora.tales()
PARAGRAPHS = [(tale.title, paragraph) for tale in TALES for paragraph in tale.paragraphs]
ids = [tale.title for tale in TALES]


def complaints(wrong):
    """The paragraphs for which ``wrong`` finds something, with what it finds."""
    return [f"{title}: {found!r} in {p[:60]!r}" for title, p in PARAGRAPHS if (found := wrong(p))]


def test_the_collection_has_at_least_120_kilobytes():
    assert sum(len(file.read_bytes()) for file in FILES) >= 120_000


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_files_have_the_form_that_is_read(file):
    assert file.name.endswith(".txt")
    data = file.read_bytes()
    assert b"\r" not in data
    text = data.decode("ascii")
    assert text.startswith("# ")
    assert text.endswith("\n")
    blocks = text.removesuffix("\n").split("\n\n")
    assert all(block and "\n" not in block and block == block.strip() for block in blocks)


def test_only_plain_characters():
    assert complaints(re.compile(r"[^A-Za-z .,;:?!'\"()\-]|  ").findall) == []
    assert [tale.title for tale in TALES if re.search(r"[^A-Za-z ,?!'\-]", tale.title)] == []


def test_no_digits():
    assert not re.search(r"\d", corpora.tales_text())


def test_hyphens_stand_inside_words():
    assert complaints(re.compile(r"(?<![A-Za-z])-|-(?![A-Za-z])").findall) == []


def test_titles_are_unique():
    assert [title for title, n in Counter(tale.title.lower() for tale in TALES).items() if n > 1] == []


def test_quotes_and_brackets_are_balanced():
    assert complaints(lambda p: p.count('"') % 2) == []
    assert complaints(lambda p: p.count("(") != p.count(")")) == []
    assert complaints(re.compile(r'(?<=\s)"(?=\s)|(?<=\w)"(?=\w)').findall) == []


def test_paragraphs_are_not_longer_than_a_screen():
    assert complaints(lambda p: len(p) > 1500) == []


def test_paragraphs_end_as_sentences_do_or_sign_a_letter():
    assert complaints(lambda p: not re.search(r"[.?!:,][\"')]*$", p) and len(p) > 40) == []


def test_no_paragraph_is_nearly_another():
    """Two sets of five successive words may share a tenth; within a tale more, since some tales cumulate."""
    grams = []
    for title, paragraph in PARAGRAPHS:
        tokens = [word.lower() for word in words(paragraph)]
        if len(tokens) >= 25:
            grams.append((title, paragraph[:50], set(zip(*(tokens[i:] for i in range(5)), strict=False))))
    alike = [
        (a[:2], b[:2])
        for i, a in enumerate(grams)
        for b in grams[:i]
        if len(a[2] & b[2]) > (0.75 if a[0] == b[0] else 0.1) * len(a[2] | b[2])
    ]
    assert alike == []


def test_the_words_are_varied_and_yet_come_again():
    tokens = [word.lower() for word in words(corpora.tales_text()) if word[0].isalpha()]
    counts = Counter(tokens)
    per_thousand = [len(set(tokens[i : i + 1000])) / 1000 for i in range(0, len(tokens) - 1000, 1000)]
    assert len(counts) > 2500
    assert len(counts) / len(tokens) > 0.07
    assert min(per_thousand) > 0.25
    assert sum(per_thousand) / len(per_thousand) > 0.35
    assert max(counts.values()) < 0.1 * len(tokens)
    assert sum(n for n in counts.values() if n >= 3) > 0.8 * len(tokens)


def test_tales_begin_in_different_ways():
    openings = Counter(" ".join(words(tale.paragraphs[0])[:3]).lower() for tale in TALES)
    assert openings.most_common(1)[0][1] <= max(2, len(TALES) // 15)
    assert [tale.title for tale in TALES if tale.text.lower().startswith("once upon a time")] == []


@pytest.mark.parametrize("tale", TALES, ids=ids)
def test_each_tale_is_a_fable_of_reasonable_length(tale):
    assert 100 <= len(words(tale.text)) <= 1_100


def test_the_words_can_be_put_together_again():
    differ = [p for _, p in PARAGRAPHS if join_words(words(p)) != p]
    assert len(differ) <= 0.01 * len(PARAGRAPHS), differ[:5]

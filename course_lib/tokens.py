"""From text to integers and back: words, sentences, the vocabulary, and two tokenizers.

A model never sees text. It sees ids, and the vocabulary is the table between the two. Four ids are the same
everywhere in this book: padding 0, start 1, end 2, unknown 3.
"""

from __future__ import annotations

import operator
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

PAD, BOS, EOS, UNK = SPECIALS = ("<pad>", "<bos>", "<eos>", "<unk>")
PAD_ID, BOS_ID, EOS_ID, UNK_ID = range(4)
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"  # what a character that nobody knows looks like

_WORD = re.compile(r"[A-Za-z']+|[^\sA-Za-z']")
_SENTENCE_END = re.compile(r"[.?!]+(?:[\"')\]”’]+(?!\s+[a-z]))?(?=\s)|\n\s*\n")
_CLOSING = frozenset(".,;:?!)]}%”’-")  # these stand close to the word before
_OPENING = frozenset("([{£$“‘-")  # and these to the word after


# ---- running text ------------------------------------------------------------------------------------------


def words(text: str) -> list[str]:
    """Cut a text into words (letters and apostrophes) and other characters, one by one, without white space.

    ``words("Don't go, Tom!")`` is ``["Don't", "go", ",", "Tom", "!"]``. Errors: TypeError if it is not a
    string.
    """
    return _WORD.findall(_checked_text(text))


def sentences(text: str) -> list[list[str]]:
    """Cut running prose into sentences, each a list of words: put together, they are ``words(text)``.

    A sentence ends at ``. ? !``, with the quotation marks and brackets that close there, before white space;
    a blank line ends one as well. After a closing mark it goes on if a small letter follows: ``"Why?" she
    asked.`` is one sentence. A full stop after an abbreviation ("Mr. Fox") cannot be told from an end, and
    splits. Errors: TypeError if it is not a string.
    """
    ends = [match.end() for match in _SENTENCE_END.finditer(_checked_text(text))]
    pieces = (words(text[a:b]) for a, b in zip([0, *ends], [*ends, len(text)], strict=True))
    return [piece for piece in pieces if piece]


def join_words(tokens: Sequence[str]) -> str:
    """Space words as English does: none before a comma, none inside quotation marks, hyphens closed up.

    The white space of the original is not in the words, so line breaks, spaced hyphens and "24 7" against
    "247" are not restored. A double quote opens or closes by turns, or closes a speech that began in an
    earlier sentence. ``words`` of the result gives the tokens again. Errors: TypeError for a string in place
    of a list.
    """
    tokens = _checked_tokens(tokens)
    pieces, previous, attach = [], "", True
    quoted, quotes_left = False, tokens.count('"')
    for token in tokens:
        attach = attach or token in _CLOSING or (token.isdigit() and previous.isdigit())
        attach = attach or (token == "'" and previous in _CLOSING)  # a closing quote, as in: 'Come here.'
        attach_next = token in _OPENING
        if token == '"':
            earlier = quotes_left % 2 == 1 and previous in (".", "?", "!")  # as in: I shall not come."
            closes, quotes_left = quoted or earlier, quotes_left - 1
            quoted = attach_next = not closes
            attach = attach or closes
        pieces.append(token if attach else " " + token)
        previous, attach = token, attach_next
    return "".join(pieces)


# ---- the table between tokens and ids ----------------------------------------------------------------------


class Vocabulary:
    """A fixed list of V different tokens; the id of a token is its place. The four special tokens come first.

    Arguments: ``tokens`` in the order of their ids. Special tokens among them keep their ids 0 to 3.
    Errors: ValueError for a token given twice; TypeError for one that is not a string.
    """

    def __init__(self, tokens: Iterable[str]):
        ordinary = [token for token in _checked_tokens(tokens) if token not in SPECIALS]
        self.tokens: tuple[str, ...] = (*SPECIALS, *ordinary)
        self._id = {token: i for i, token in enumerate(self.tokens)}
        if len(self._id) < len(self.tokens):
            twice = next(token for token, n in Counter(ordinary).items() if n > 1)
            raise ValueError(f"the token {twice!r} is given twice: each token has one id")

    @classmethod
    def build(cls, sentences: Iterable[Sequence[str]], min_count: int = 1,
              max_size: int | None = None) -> Vocabulary:
        """The words of some sentences, the most frequent first, ties in alphabetical order.

        Words seen fewer than ``min_count`` times are left out, and so are the rarest, until ``len`` is at
        most ``max_size`` (the four special tokens included). Errors: ValueError without any sentence, or for
        sizes that make no sense; TypeError for a sentence that is a string.
        """
        sentences = list(sentences)
        if not sentences:
            raise ValueError("a vocabulary needs at least one sentence to be built from, and there is none")
        if min_count < 1:
            raise ValueError(f"min_count={min_count}: a word is in the text at least once, so give 1 or more")
        if max_size is not None and max_size < len(SPECIALS):
            raise ValueError(f"max_size={max_size} has no room for the {len(SPECIALS)} special tokens")
        count = Counter(token for sentence in sentences for token in _checked_tokens(sentence))
        frequent = (token for token, n in count.items() if n >= min_count and token not in SPECIALS)
        ordered = sorted(frequent, key=lambda token: (-count[token], token))
        return cls(ordered if max_size is None else ordered[: max_size - len(SPECIALS)])

    def __len__(self) -> int:
        return len(self.tokens)

    def __iter__(self) -> Iterator[str]:
        return iter(self.tokens)

    def __contains__(self, token: object) -> bool:
        return token in self._id

    def __getitem__(self, token: str) -> int:
        """The id of a token; ``UNK_ID`` for one that the vocabulary does not have."""
        if not isinstance(token, str):
            raise TypeError(f"vocab[{token!r}]: a token is a string, not {_kind(token)}; or use vocab.token")
        return self._id.get(token, UNK_ID)

    def token(self, id: int) -> str:
        """The token with an id from 0 to V - 1.

        Errors: IndexError outside that, TypeError if it is no integer.
        """
        try:
            number = operator.index(id)
        except TypeError:
            raise TypeError(f"an id is an integer, not {_kind(id)}: {id!r}") from None
        if not 0 <= number < len(self.tokens):
            raise IndexError(f"there is no token with id {number}: this vocabulary has 0 to {len(self) - 1}")
        return self.tokens[number]

    def encode(self, tokens: Iterable[str]) -> list[int]:
        """The ids of a list of tokens, ``UNK_ID`` for an unknown one. Errors: TypeError for a string."""
        return [self._id.get(token, UNK_ID) for token in _checked_tokens(tokens)]

    def decode(self, ids: Iterable[int]) -> list[str]:
        """The tokens of a list of ids. Errors: as :meth:`token`."""
        return [self.token(id) for id in ids]

    def __eq__(self, other: object) -> bool:
        return self.tokens == other.tokens if isinstance(other, Vocabulary) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.tokens)

    def __repr__(self) -> str:
        shown = ", ".join(map(repr, self.tokens[len(SPECIALS) :][:5]))
        return f"Vocabulary of {len(self)}: the special tokens, {shown}{', ...' if len(self) > 9 else ''}"


# ---- tokenizers: text in, ids out --------------------------------------------------------------------------


class CharTokenizer:
    """One token for each character. Text over its own alphabet comes back exactly.

    Errors: ValueError for a vocabulary with a token that is longer than one character.
    """

    def __init__(self, vocab: Vocabulary):
        if wrong := [token for token in vocab.tokens[len(SPECIALS) :] if len(token) != 1]:
            raise ValueError(f"the token {wrong[0]!r} is not one character: use a WordTokenizer")
        self.vocab = vocab

    @classmethod
    def fit(cls, text: str) -> CharTokenizer:
        """The tokenizer whose alphabet is the characters of a text, in code-point order.

        Errors: ValueError if empty.
        """
        return cls(Vocabulary(sorted(set(_checked_text(text, empty=False)))))


    def encode(self, text: str) -> list[int]:
        """One id for each character, ``UNK_ID`` outside the alphabet. Errors: TypeError for no string."""
        return self.vocab.encode(list(_checked_text(text)))

    def decode(self, ids: Iterable[int]) -> str:
        """The text of some ids: UNK shows as U+FFFD; PAD, BOS and EOS are marks, not text, and left out."""
        tokens = _without_marks(self.vocab.decode(ids))
        return "".join(REPLACEMENT if token == UNK else token for token in tokens)


class WordTokenizer:
    """One token for each word or punctuation mark of :func:`words`."""

    def __init__(self, vocab: Vocabulary):
        self.vocab = vocab

    @classmethod
    def fit(cls, text: str, min_count: int = 1, max_size: int | None = None) -> WordTokenizer:
        """The tokenizer with the words of a text; limits as in :meth:`Vocabulary.build`.

        Errors: ValueError if empty.
        """
        return cls(Vocabulary.build([words(_checked_text(text, empty=False))], min_count, max_size))


    def encode(self, text: str) -> list[int]:
        """One id for each word, ``UNK_ID`` for an unknown one. Errors: TypeError if it is not a string."""
        return self.vocab.encode(words(text))

    def decode(self, ids: Iterable[int]) -> str:
        """The text of some ids, spaced by :func:`join_words`; PAD, BOS and EOS are left out.

        What it cannot restore: the words that were unknown, and white space (line breaks, wide or unusual
        spacing).
        """
        return join_words(_without_marks(self.vocab.decode(ids)))


# ---- what went wrong ---------------------------------------------------------------------------------------


def _without_marks(tokens: list[str]) -> list[str]:
    return [token for token in tokens if token not in (PAD, BOS, EOS)]


def _kind(value: object) -> str:
    return type(value).__name__


def _checked_text(text: str, empty: bool = True) -> str:
    if not isinstance(text, str):
        hint = ": decode it first, for example with .decode('utf-8')" if isinstance(text, bytes) else ""
        raise TypeError(f"a text is a string, not {_kind(text)}{hint}")
    if not empty and not text.strip():
        raise ValueError("the text is empty, so there is no vocabulary to take from it")
    return text


def _checked_tokens(tokens: Iterable[str]) -> list[str]:
    if isinstance(tokens, str | bytes):
        raise TypeError(f"{tokens[:40]!r} is {_kind(tokens)}, not a list of tokens: split it with words")
    tokens = list(tokens)
    for token in tokens:
        if not isinstance(token, str):
            raise TypeError(f"a token is a string, not {_kind(token)}: {token!r}")
    return tokens

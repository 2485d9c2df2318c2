"""Subword tokens: byte-pair encoding, from scratch, with the conventions of GPT-2.

Training begins with the 256 bytes as tokens and the text cut into chunks, roughly words. Again and again it counts all
pairs of neighbouring tokens within chunks, and makes the most frequent pair a token of its own. Encoding applies these
merges to new text, the earliest first. Whatever the text, it comes back exactly, since every text is bytes.
"""

from __future__ import annotations

import heapq
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import pairwise

from course_lib.tokens import BOS, EOS, PAD, REPLACEMENT, SPECIALS, UNK, Vocabulary

__all__ = ["BytePairTokenizer", "chunks"]

_CHUNK = re.compile(r"'(?:[sdmt]|ll|ve|re)| ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+")

# A byte is shown as the character with its number if that prints, else as one from 256 on: a space is Ġ, a new line Ċ.
_PRINTABLE = [*range(33, 127), *range(161, 173), *range(174, 256)]
_OTHERS = [b for b in range(256) if b not in _PRINTABLE]
BYTE_SIGNS = dict(zip([*_PRINTABLE, *_OTHERS], map(chr, [*_PRINTABLE, *range(256, 256 + len(_OTHERS))]), strict=True))
_BYTE_OF = {sign: byte for byte, sign in BYTE_SIGNS.items()}


def chunks(text: str) -> list[str]:
    """Cut a text into words with the space before them, numbers, marks, and other white space; nothing is lost.

    ``chunks("It's 42 now.")`` is ``["It", "'s", " 42", " now", "."]``. Tokens never reach across chunks.
    """
    return _CHUNK.findall(text)


class BytePairTokenizer:
    """Byte-pair encoding: ids 0 to 3 as everywhere, 4 to 259 the bytes, then one id for each merge, in order.

    ``merges`` lists pairs of tokens in the order in which training joined them, ``vocab`` holds all tokens, their bytes
    written as GPT-2 writes them: ``Ġthe`` is " the". Bytes are ordered by these signs, those that print first.
    Errors: ValueError for a merge of tokens that are not there yet, or into one that is.
    """

    def __init__(self, merges: Iterable[tuple[str, str]]):
        self.merges = [(left, right) for left, right in merges]
        known = dict.fromkeys(BYTE_SIGNS.values())
        for left, right in self.merges:
            if left not in known or right not in known or left + right in known:
                wrong = "makes a token that is there already" if left + right in known else "needs one not made before"
                raise ValueError(f"the merge {(left, right)} {wrong}: give the merges in the order of training")
            known[left + right] = None
        self.vocab = Vocabulary(known)
        self._rank = {pair: rank for rank, pair in enumerate(self.merges)}
        self._cache: dict[str, list[int]] = {}

    @classmethod
    def fit(cls, text: str, vocab_size: int) -> BytePairTokenizer:
        """Merge the most frequent pair until there are ``vocab_size`` tokens, or no pairs are left in the text.

        Of pairs with equal counts the one with the smaller ids goes first, as in Hugging Face's trainer. Counting
        begins once: a merge changes the counts of the chunks that it touches, and of no others.
        Errors: TypeError unless the text is a string; ValueError if it is empty or ``vocab_size`` is below 260.
        """
        _check(text)
        if not text:
            raise ValueError("the text is empty, so there are no pairs to merge")
        smallest = len(SPECIALS) + len(BYTE_SIGNS)
        if vocab_size < smallest:
            raise ValueError(f"vocab_size={vocab_size} has no room for {len(SPECIALS)} special tokens and 256 bytes: "
                             f"give {smallest} or more")  # fmt: skip
        return cls(_learn(Counter(chunks(text)), vocab_size))

    def __len__(self) -> int:
        return len(self.vocab)

    def encode(self, text: str) -> list[int]:
        """The ids of a text; never UNK. Errors: TypeError unless it is a string."""
        _check(text)
        ids = []
        for chunk in chunks(text):
            if chunk not in self._cache:
                self._cache[chunk] = self.vocab.encode(self._merged(_signs(chunk)))
            ids += self._cache[chunk]
        return ids

    def decode(self, ids: Iterable[int]) -> str:
        """The text of some ids: PAD, BOS and EOS are left out, UNK and half a character show as U+FFFD.

        Errors: IndexError for an id outside the vocabulary, TypeError for one that is no integer.
        """
        tokens = [token for token in self.vocab.decode(ids) if token not in (PAD, BOS, EOS)]
        parts = (REPLACEMENT.encode() if t == UNK else bytes(_BYTE_OF[sign] for sign in t) for t in tokens)
        return b"".join(parts).decode("utf-8", errors="replace")

    def _merged(self, tokens: list[str]) -> list[str]:
        """Apply the merges to one chunk: always the earliest that fits, at its first place."""
        while len(tokens) > 1:
            ranks = [self._rank.get(pair, len(self._rank)) for pair in pairwise(tokens)]
            i = min(range(len(ranks)), key=ranks.__getitem__)
            if ranks[i] == len(self._rank):
                break
            tokens[i : i + 2] = [tokens[i] + tokens[i + 1]]
        return tokens

    def __repr__(self) -> str:
        return f"BytePairTokenizer with {len(self)} tokens, {len(self.merges)} merges"


# ---- training ------------------------------------------------------------------------------------------------------


def _learn(counted: Counter[str], vocab_size: int) -> list[tuple[str, str]]:
    """The merges for chunks with their counts."""
    tokens = [*SPECIALS, *BYTE_SIGNS.values()]
    id_of = {sign: i for i, sign in enumerate(tokens)}
    words, counts = [[id_of[sign] for sign in _signs(chunk)] for chunk in counted], list(counted.values())
    pair_count, places = Counter(), defaultdict(set)
    for w, word in enumerate(words):
        for pair in pairwise(word):
            pair_count[pair] += counts[w]
            places[pair].add(w)
    queue = [(-count, pair) for pair, count in pair_count.items()]
    heapq.heapify(queue)
    merges = []
    while len(tokens) < vocab_size and queue:
        count, pair = heapq.heappop(queue)
        if -count != pair_count[pair]:
            continue  # an old entry: the count has changed since, and the new one is in the queue as well
        merges.append((tokens[pair[0]], tokens[pair[1]]))
        new = len(tokens)
        tokens.append("".join(merges[-1]))
        changed = set()
        for w in places.pop(pair):
            before, words[w] = words[w], _join(words[w], pair, new)
            for sign, word in ((-1, before), (1, words[w])):
                for p in pairwise(word):
                    pair_count[p] += sign * counts[w]
                    changed.add(p)
            for p in pairwise(words[w]):
                places[p].add(w)
        for p in changed:
            if pair_count[p] > 0:
                heapq.heappush(queue, (-pair_count[p], p))
    return merges


def _join(word: list[int], pair: tuple[int, int], new: int) -> list[int]:
    """Replace the pair by the new token, from the left."""
    joined, i = [], 0
    while i < len(word):
        found = tuple(word[i : i + 2]) == pair
        joined.append(new if found else word[i])
        i += 1 + found
    return joined


# ---- bytes and signs -----------------------------------------------------------------------------------------------


def _signs(chunk: str) -> list[str]:
    return [BYTE_SIGNS[byte] for byte in chunk.encode()]


def _check(text: str) -> None:
    if not isinstance(text, str):
        raise TypeError(f"a text is a string, not {type(text).__name__}")

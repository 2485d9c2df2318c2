"""Counting n-grams on integer arrays: a trie without pointers.

The distinct k-grams of a text are numbered 0, 1, 2 ... in the order of their keys ``parent * V + word``, where
``parent`` is the number of the first k - 1 words. Keys are kept sorted, so one binary search finds an n-gram, the
words seen after a context lie side by side, and extending every k-gram of a text by one word is a single
vectorised step. Sentences follow each other in one stream, and each begins with BOS; no n-gram crosses a BOS.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from course_lib.tokens import BOS_ID


class NGramTable:
    """Counts of all k-grams, k = 1 .. order, in a stream of ids (N,) drawn from a vocabulary of V.

    For each k, at index k - 1: ``keys`` (M_k,) sorted, ``count`` (M_k,) occurrences, and ``left`` (M_k,) the number
    of different words seen directly before the k-gram (zero for the highest order, where nobody asks).
    """

    def __init__(self, ids: np.ndarray, order: int, V: int):
        self.order, self.V = order, V
        self.keys: list[np.ndarray] = []
        self.count: list[np.ndarray] = []
        self.left: list[np.ndarray] = []
        shorter = None
        for k in range(1, order + 1):
            key = self._key(ids, shorter)
            inside = key >= 0
            keys, inverse, count = np.unique(key[inside], return_inverse=True, return_counts=True)
            number = np.full(len(ids), -1)
            number[inside] = inverse
            self.keys.append(keys)
            self.count.append(count)
            self.left.append(np.zeros(len(keys), dtype=np.int64))
            if k > 1:
                self.left[k - 2] += self._left_extensions(number, shorter, len(self.keys[k - 2]))
            shorter = number

    def _key(self, ids: np.ndarray, shorter: np.ndarray | None) -> np.ndarray:
        """Keys of the k-grams ending at each position, from the numbers of the (k - 1)-grams; -1 where none ends."""
        if shorter is None:
            return ids.astype(np.int64)
        parent = np.concatenate([[-1], shorter[:-1]])
        return np.where((parent >= 0) & (ids != BOS_ID), parent * self.V + ids, -1)

    @staticmethod
    def _left_extensions(longer: np.ndarray, shorter: np.ndarray, size: int) -> np.ndarray:
        """Each distinct (k + 1)-gram is one way to extend to the left the k-gram that it ends with."""
        found, first = np.unique(longer, return_index=True)
        return np.bincount(shorter[first[found >= 0]], minlength=size)

    def locate(self, ids: np.ndarray) -> np.ndarray:
        """Numbers of the k-grams ending at each position of a new stream, (order + 1, N): row 0 is the empty gram.

        -1 where the k-gram was not seen in training, or would reach back over the start of the sentence.
        """
        number = np.zeros((self.order + 1, len(ids)), dtype=np.int64)
        for k in range(1, self.order + 1):
            key = self._key(ids, number[k - 1] if k > 1 else None)
            number[k] = self._find(k, key)
        return number

    def _find(self, k: int, key: np.ndarray) -> np.ndarray:
        keys = self.keys[k - 1]
        if not len(keys):
            return np.full(key.shape, -1)
        at = np.minimum(np.searchsorted(keys, key), len(keys) - 1)
        return np.where(keys[at] == key, at, -1)

    def number(self, gram: Sequence[int]) -> int:
        """The number of one k-gram, or -1 when it was never seen; the empty gram has number 0."""
        parent = 0
        for k, word in enumerate(gram, 1):
            parent = int(self._find(k, np.array(parent * self.V + word))) if parent >= 0 else -1
        return parent

    def followers(self, k: int, context: int) -> slice:
        """Which k-grams extend the (k - 1)-gram with number ``context`` by one word: a slice of level k."""
        low, high = np.searchsorted(self.keys[k - 1], [context * self.V, (context + 1) * self.V])
        return slice(int(low), int(high))

    def last_word(self, k: int) -> np.ndarray:
        """The last word of every k-gram (M_k,)."""
        return self.keys[k - 1] % self.V

    def starts_sentence(self, k: int) -> np.ndarray:
        """For every k-gram, whether its first word is BOS (M_k,)."""
        word = np.arange(len(self.keys[k - 1]))
        for keys in self.keys[k - 1 : 0 : -1]:
            word = keys[word] // self.V
        return self.keys[0][word] == BOS_ID

    def sum_by_context(self, k: int, values: np.ndarray) -> np.ndarray:
        """Sum one value per k-gram over its last word: one number per (k - 1)-gram. BOS is never an outcome."""
        values = np.where(self.last_word(k) == BOS_ID, 0, values)
        size = len(self.keys[k - 2]) if k > 1 else 1
        context = self.keys[k - 1] // self.V if k > 1 else np.zeros(len(values), dtype=int)
        return np.bincount(context, weights=values, minlength=size)

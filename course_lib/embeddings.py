"""Word vectors from counts, and what can be asked of word vectors: similarity, neighbours, analogies, a map.

The ids are those of a ``Vocabulary``; V is its size, with the four special tokens, D the length of a word vector. Words
that never occur have counts of 0 and zero vectors, and are never proposed as an answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from course_lib.tokens import SPECIALS, UNK_ID, Vocabulary

# ---- counts ----------------------------------------------------------------------------------------------------


def word_ids(sentences: Iterable[Sequence[str]], vocab: Vocabulary) -> list[np.ndarray]:
    """The ids of some sentences, without the words that the vocabulary does not have.

    What is left of a sentence moves together, so a window reaches across a missing word. A sentence of which nothing
    is left is dropped. Errors: ValueError when no sentence is left; TypeError for a sentence that is a string.
    """
    encoded = [np.array([i for i in vocab.encode(s) if i != UNK_ID], dtype=np.int64) for s in sentences]
    encoded = [ids for ids in encoded if len(ids)]
    if not encoded:
        raise ValueError("no sentence has a word of this vocabulary: give sentences, as lists of words")
    return encoded


def cooccurrences(
    sentences: Iterable[Sequence[int]], V: int, window: int, weights: Sequence[float] | None = None
) -> np.ndarray:
    """How often word j stands at most ``window`` places before or after word i, as a table (V, V).

    The table is symmetric. ``sentences`` are lists of ids; empty ones count nothing. ``weights`` has one number a
    sentence, such as its probability, and is 1 otherwise.
    Errors: ValueError for a window below 1, ids outside 0 to V - 1, or a number of weights that does not fit.
    """
    check_at_least_one(window=window)
    sentences = [np.asarray(s, dtype=np.int64) for s in sentences]
    weights = np.ones(len(sentences)) if weights is None else np.asarray(weights, dtype=float)
    if len(weights) != len(sentences):
        raise ValueError(f"{len(weights)} weights for {len(sentences)} sentences: give one a sentence")
    ids = np.concatenate([*sentences, np.empty(0, dtype=np.int64)])
    if len(ids) and (ids.min() < 0 or ids.max() >= V):
        raise ValueError(f"ids go from {ids.min()} to {ids.max()}, but must lie between 0 and V - 1 = {V - 1}")
    number = np.repeat(np.arange(len(sentences)), [len(s) for s in sentences])
    counts = np.zeros(V * V)
    for distance in range(1, min(window, len(ids) - 1) + 1):
        inside = number[:-distance] == number[distance:]
        pair = ids[:-distance][inside] * V + ids[distance:][inside]
        counts += np.bincount(pair, weights[number[distance:][inside]], minlength=V * V)
    counts = counts.reshape(V, V)
    return counts + counts.T


def pmi(counts: np.ndarray) -> np.ndarray:
    """Pointwise mutual information of a table of counts x, in nats: log N x_ij / (x_i x_j).

    x_i and x_j are the sums of row i and of column j, and N is the sum of all. A pair never seen has -inf; a row or
    column without any count knows nothing, and has 0.
    Errors: ValueError for a table that is not two-dimensional, has a negative or infinite entry, or only zeros.
    """
    counts = checked_counts(counts, dimensions=2)
    rows, columns = counts.sum(1, keepdims=True), counts.sum(0, keepdims=True)
    expected = rows * columns / counts.sum()
    ratio = np.divide(counts, expected, out=np.ones_like(counts), where=expected > 0)
    return np.log(ratio, out=np.full_like(counts, -np.inf), where=ratio > 0)


def ppmi(counts: np.ndarray, shift: float = 0.0) -> np.ndarray:
    """Positive PMI, max(PMI - shift, 0), in nats; a ``shift`` of log k gives the shifted PMI of k negatives.

    Errors: as :func:`pmi`.
    """
    return np.maximum(pmi(counts) - shift, 0.0)


def svd_embeddings(matrix: np.ndarray, d: int, power: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    """Word vectors (V, d) and context vectors (V', d) from the singular values of a matrix (V, V').

    With M = U S Z^T they are U_d S_d^power and Z_d S_d^(1 - power), so that their product is the best approximation
    of M by a matrix of rank d. In each column of the word vectors the entry of largest size is positive, which makes
    the result unique. Errors: ValueError unless 1 <= d <= min(V, V'), or for entries that are not finite.
    """
    matrix = np.asarray(matrix, dtype=float)
    if matrix.ndim != 2 or not np.isfinite(matrix).all():
        raise ValueError(f"the matrix must be two-dimensional and finite, here {matrix.shape}: use ppmi, not pmi")
    if not 1 <= d <= min(matrix.shape):
        raise ValueError(f"d={d}: a matrix of shape {matrix.shape} has 1 to {min(matrix.shape)} singular values")
    U, S, Zt = np.linalg.svd(matrix, full_matrices=False)
    U, S, Z = U[:, :d], S[:d], Zt[:d].T
    signs = _column_signs(U)
    return U * signs * S**power, Z * signs * S ** (1 - power)


def _column_signs(columns: np.ndarray) -> np.ndarray:
    """The sign of the entry of largest size in each column, 1 for a column of zeros."""
    # rounding must not decide between two entries of equal size, so the first that is nearly the largest counts
    sizes = np.abs(columns)
    largest = np.argmax(sizes >= sizes.max(0) * (1 - 1e-6), axis=0)
    return np.where(columns[largest, np.arange(columns.shape[1])] < 0, -1.0, 1.0)


# ---- word vectors ----------------------------------------------------------------------------------------------


class Embeddings:
    """A vocabulary with one vector a word, ``vectors`` (V, D), and, from a model that has them, ``outputs`` (V, D).

    ``words`` are those that can be asked for and proposed: all but the special tokens and words with a zero vector.
    Errors: ValueError for vectors or outputs that do not fit the vocabulary or are not finite; the methods raise it
    for a word that is unknown or has no vector.
    """

    def __init__(self, vocab: Vocabulary, vectors: np.ndarray, outputs: np.ndarray | None = None):
        self.vocab = vocab
        self.vectors = self._checked(vectors, "vectors")
        self.outputs = None if outputs is None else self._checked(outputs, "outputs")
        norms = np.linalg.norm(self.vectors, axis=1, keepdims=True)
        self._unit = np.divide(self.vectors, norms, out=np.zeros_like(self.vectors), where=norms > 0)
        self._usable = norms[:, 0] > 0
        self._usable[: len(SPECIALS)] = False
        self.words = [token for token, usable in zip(vocab, self._usable, strict=True) if usable]

    def _checked(self, vectors: np.ndarray, name: str) -> np.ndarray:
        vectors = np.array(vectors, dtype=float)
        if vectors.ndim != 2 or len(vectors) != len(self.vocab):
            raise ValueError(f"{name} has shape {vectors.shape}, but needs ({len(self.vocab)}, D): a row a token")
        if not np.isfinite(vectors).all():
            raise ValueError(f"{name} must be finite: the training has diverged, or pmi was used in place of ppmi")
        return vectors

    def _id(self, word: str) -> int:
        if word not in self.vocab:
            raise ValueError(f"{word!r} is not in this vocabulary: choose one of .words")
        if not self._usable[self.vocab[word]]:
            raise ValueError(f"{word!r} has no vector, since it never occurred in the text: choose one of .words")
        return self.vocab[word]

    def __getitem__(self, word: str) -> np.ndarray:
        """The vector (D,) of a word."""
        return self.vectors[self._id(word)]

    def similarity(self, a: str, b: str) -> float:
        """The cosine of the angle between the vectors of two words, from -1 to 1."""
        return float(self._unit[self._id(a)] @ self._unit[self._id(b)])

    def neighbours(self, word: str | np.ndarray, k: int = 10) -> list[tuple[str, float]]:
        """The k words with the largest cosine and their cosines, best first; fewer if there are no more.

        ``word`` is a word, which is left out itself, or a vector (D,). Errors also: ValueError for k < 1, or a vector
        of another length or of zeros only.
        """
        if isinstance(word, str):
            return self._best(self._unit[self._id(word)], k, leave_out=[word])
        return self._best(np.asarray(word, dtype=float), k, leave_out=[])

    def analogy(self, a: str, b: str, c: str, k: int = 1, exclude: bool = True) -> list[tuple[str, float]]:
        """a is to b as c is to what? The k words with the largest cosine with the vector b - a + c, best first.

        The vectors are taken as they are, not scaled to length 1. The words a, b and c are no answers unless
        ``exclude`` is false.
        """
        target = self[b] - self[a] + self[c]
        return self._best(target, k, leave_out=[a, b, c] if exclude else [])

    def _best(self, target: np.ndarray, k: int, leave_out: Sequence[str]) -> list[tuple[str, float]]:
        check_at_least_one(k=k)
        if target.shape != self.vectors.shape[1:] or not np.linalg.norm(target) > 0:
            raise ValueError(f"a vector of shape {target.shape} cannot be compared: it needs {self.vectors.shape[1:]}"
                             " and a length above 0")  # fmt: skip
        cosines = self._unit @ (target / np.linalg.norm(target))
        allowed = self._usable.copy()
        allowed[self.vocab.encode(leave_out)] = False
        order = np.argsort(-cosines, kind="stable")
        return [(self.vocab.token(i), float(cosines[i])) for i in order[allowed[order]][:k]]

    def analogy_accuracy(self, analogies: Sequence[Sequence[str]], exclude: bool = True) -> float:
        """The share of (a, b, c, d) for which the best answer of :meth:`analogy` to a, b, c is d.

        Errors also: ValueError without any analogy.
        """
        ids = np.array([[self._id(word) for word in analogy] for analogy in analogies])
        if ids.shape != (len(ids), 4) or not len(ids):
            raise ValueError(f"analogies must be a list of (a, b, c, d), with at least one; got shape {ids.shape}")
        a, b, c, d = ids.T
        scores = (self.vectors[b] - self.vectors[a] + self.vectors[c]) @ self._unit.T
        scores[:, ~self._usable] = -np.inf
        if exclude:
            scores[np.arange(len(ids))[:, None], ids[:, :3]] = -np.inf
        return float(np.mean(scores.argmax(1) == d))

    def map2d(self, words: Sequence[str] | None = None) -> np.ndarray:
        """The vectors of some words (all of ``words`` if None) in their first two principal components, (n, 2).

        In each column the entry of largest size is positive, so the map is never mirrored from run to run.
        Errors also: ValueError for fewer than two words or one dimension, which no plane can be laid through.
        """
        rows = self.vectors[[self._id(word) for word in (self.words if words is None else words)]]
        if min(rows.shape) < 2:
            raise ValueError(f"a map needs at least 2 words of 2 dimensions, here {rows.shape}")
        U, S, _ = np.linalg.svd(rows - rows.mean(0), full_matrices=False)
        places = U[:, :2] * S[:2]
        return places * _column_signs(places)


# ---- what went wrong -------------------------------------------------------------------------------------------


def check_at_least_one(**values: int) -> None:
    """Errors: ValueError, with its name, for a value below 1."""
    for name, value in values.items():
        if value < 1:
            raise ValueError(f"{name}={value} must be 1 or more")


def checked_counts(counts: np.ndarray, dimensions: int) -> np.ndarray:
    """The counts as floats. Errors: ValueError for another shape, a negative or infinite entry, or only zeros."""
    counts = np.asarray(counts, dtype=float)
    if counts.ndim != dimensions or not (np.isfinite(counts).all() and (counts >= 0).all() and counts.sum() > 0):
        raise ValueError(f"counts of shape {counts.shape} must have {dimensions} dimension(s), be finite, none of them"
                         " negative, and not all zero")  # fmt: skip
    return counts

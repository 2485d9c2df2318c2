"""Skip-gram and CBOW with negative sampling (Mikolov et al., 2013), with gradients written out by hand.

The vector that predicts shall have a large product with the word that came, and small ones with k words drawn at
random, the negatives. With s the sigmoid, h the vector that predicts, c the output vector of the word that came and
n_1 ... n_k those of the negatives,

    loss = -log s(h.c) - sum_j log s(-h.n_j)        (nats per prediction)
    d loss / d h = (s(h.c) - 1) c + sum_j s(h.n_j) n_j
    d loss / d c = (s(h.c) - 1) h,    d loss / d n_j = s(h.n_j) h

Skip-gram takes h = W[centre] and predicts each word of the window in turn; CBOW takes for h the mean of the rows of W
of all words in the window and predicts the word in the middle.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.lib.stride_tricks import as_strided

from course_lib.embeddings import Embeddings, check_at_least_one, checked_counts, word_ids
from course_lib.tokens import PAD_ID, Vocabulary

KINDS = ("skipgram", "cbow")


def noise(counts: np.ndarray, power: float = 0.75) -> np.ndarray:
    """The distribution (V,) that negatives are drawn from: counts to a power, divided by their sum.

    ``power`` 1 gives the words as often as in the text, 0 all words of the text equally often. A word with a count of
    0 has probability 0. Errors: ValueError for counts that are negative, infinite, or all zero, or a negative power.
    """
    counts = checked_counts(counts, dimensions=1)
    if not power >= 0:
        raise ValueError(f"power={power}: give 0 (every word alike) or more; 1 is the share of each word")
    weights = np.where(counts > 0, counts**power, 0.0)
    return weights / weights.sum()


def sgns_loss_and_grads(
    centre: np.ndarray, context: np.ndarray, negatives: np.ndarray
) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Loss of B predictions, (B,) in nats, and the gradients of their sum by the three arguments.

    centre (B, D) is h: for skip-gram the vector of the middle word, for CBOW the mean of the vectors around, each of
    which gets an equal share of its gradient. context (B, D) are the output vectors of the words that came, negatives
    (B, K, D) those of the words drawn. Errors: ValueError for shapes that do not fit.
    """
    fits = centre.shape == context.shape and negatives.ndim == 3 and negatives.shape[::2] == centre.shape
    if not fits:
        raise ValueError(
            f"centre {centre.shape} and context {context.shape} must be (B, D), negatives {negatives.shape} (B, K, D)"
        )
    right = np.einsum("bd,bd->b", centre, context)
    wrong = np.einsum("bd,bkd->bk", centre, negatives)
    losses = np.logaddexp(0, -right) + np.logaddexp(0, wrong).sum(1)
    d_right, d_wrong = _sigmoid(right)[:, None] - 1, _sigmoid(wrong)
    d_centre = d_right * context + np.einsum("bk,bkd->bd", d_wrong, negatives)
    return losses, (d_centre, d_right * centre, d_wrong[:, :, None] * centre[:, None, :])


def sgns_table_loss(
    W: np.ndarray, C: np.ndarray, counts: np.ndarray, negatives: int, power: float = 1.0
) -> tuple[float, tuple[np.ndarray, np.ndarray]]:
    """The loss of skip-gram that is expected for a table of counts x, in nats per pair, with its gradients.

        - 1/N sum_ij [x_ij log s(w_i.c_j) + k x_i p_j log s(-w_i.c_j)],    p = noise(x_j, power)

    W (V, D) and C (V', D); counts (V, V') of which x_i and x_j are the row and column sums and N the total; k is
    ``negatives``. No sampling: every pair is weighed by how often it comes. With vectors long enough the minimum has
    w_i.c_j = log x_ij / (k x_i p_j), which for power 1 is the PMI less log k.
    Errors: ValueError for shapes that do not fit, negatives below 1, and as :func:`noise`.
    """
    check_at_least_one(negatives=negatives)
    counts = checked_counts(counts, dimensions=2)
    if (len(W), len(C)) != counts.shape or W.shape[1:] != C.shape[1:]:
        raise ValueError(f"W {W.shape} and C {C.shape} do not fit a table of counts {counts.shape}: (V, D) and (V', D)")
    seen = counts / counts.sum()
    drawn = negatives * seen.sum(1, keepdims=True) * noise(counts.sum(0), power)
    product = W @ C.T
    loss = (seen * np.logaddexp(0, -product) + drawn * np.logaddexp(0, product)).sum()
    error = (seen + drawn) * _sigmoid(product) - seen
    return float(loss), (error @ C, error.T @ W)


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 0.5 + 0.5 * np.tanh(0.5 * x)  # the same as 1 / (1 + exp(-x)), and cannot overflow


class _Batch(NamedTuple):
    """Whole sentences side by side, cut into J blocks of b places; each block sees ``window`` = m places around it."""

    ids: np.ndarray  # ((J + 1) b,): m places of padding, the words, padding
    near: np.ndarray  # (J, b, b + 2m): 1 where a place of the block and one around it are a pair, else 0


class Word2Vec:
    """Word vectors by skip-gram (``kind="skipgram"``) or CBOW (``"cbow"``) with negative sampling.

    ``W`` (V, d) are the vectors of words that predict, ``C`` (V, d) those of words that are predicted; ``counts`` (V,)
    is how often each word was trained on. The window is plain: every word at most ``window`` places away counts once,
    as in ``cooccurrences``. The negatives come from ``noise(counts, power)``.

    Three things make it fast. Sentences are taken many at once, about ``batch`` words. Within a block of neighbouring
    words all products with all words around are one matrix product, of which only the pairs inside the window are
    used. And the whole batch shares its negatives: ``shared`` words are drawn once, and each counts ``negatives`` /
    ``shared`` for every pair, which leaves the expected gradient as it is. A larger batch is faster per word and
    learns less from it; with few shared negatives a rare word is pushed hard and seldom, which slows learning too.

    A batch sums the gradients of many pairs, over a small vocabulary hundreds for a frequent word, and one step of
    plain SGD along such a sum would overshoot. So the step is Adagrad's: each coordinate moves by ``lr`` g / sqrt(sum
    of all its g^2 so far), at most ``lr`` however large g is. Frequent words settle, rare ones keep moving, and no
    schedule is needed, so ``fit`` can be called again to go on.

    ``rng`` draws the first W, the order of the sentences and the negatives; the same generator gives the same
    vectors, and None is ``default_rng(0)``. Errors: ValueError for an unknown kind, sizes below 1, or an ``lr`` or
    ``power`` that makes no sense.
    """

    def __init__(
        self,
        vocab: Vocabulary,
        d: int,
        kind: str = "skipgram",
        window: int = 5,
        negatives: int = 5,
        power: float = 0.75,
        lr: float = 0.2,
        batch: int = 256,
        shared: int = 128,
        rng: np.random.Generator | None = None,
    ):
        if kind not in KINDS:
            raise ValueError(f"kind={kind!r}: choose {' or '.join(map(repr, KINDS))}")
        if not (lr > 0 and power >= 0):
            raise ValueError(f"lr={lr} must be above 0, and power={power} 0 or more")
        check_at_least_one(d=d, window=window, negatives=negatives, batch=batch, shared=shared)
        self.vocab, self.kind, self.window, self.negatives, self.power = vocab, kind, window, negatives, power
        self.d, self.lr, self.batch, self.shared = d, lr, batch, shared
        self.rng = np.random.default_rng(0) if rng is None else rng
        self.counts = np.zeros(len(vocab), dtype=np.int64)
        self._block = max(16, 2 * window)
        self._table = np.zeros((len(vocab), 2 * d), dtype=np.float32)  # W and C side by side: one look-up for both
        self.W[:] = self.rng.uniform(-0.5 / d, 0.5 / d, (len(vocab), d))
        self._squares = np.full_like(self._table, 1e-8)

    @property
    def W(self) -> np.ndarray:
        """The vectors (V, d) of words that predict: a view, not a copy."""
        return self._table[:, : self.d]

    @property
    def C(self) -> np.ndarray:
        """The vectors (V, d) of words that are predicted: a view, not a copy."""
        return self._table[:, self.d :]

    def embeddings(self) -> Embeddings:
        """The vectors W, with C as outputs, as they are now; a word never seen has zero vectors."""
        seen = self.counts[:, None] > 0
        return Embeddings(self.vocab, np.where(seen, self.W, 0), np.where(seen, self.C, 0))

    def fit(self, sentences: Iterable[Sequence[str]], epochs: int = 5) -> list[float]:
        """Train on sentences (lists of words), in a new order in each epoch; the mean loss of each epoch.

        The loss is in nats per prediction: a pair of words for skip-gram, a word for CBOW. Words that the vocabulary
        does not have are left out. Errors: ValueError when no word has a neighbour to learn from, or epochs < 1;
        TypeError for a sentence that is a string.
        """
        check_at_least_one(epochs=epochs)
        ids = word_ids(sentences, self.vocab)
        if max(map(len, ids)) < 2:
            raise ValueError("no sentence has two words of this vocabulary, so no word has a neighbour to learn from")
        counts = np.bincount(np.concatenate(ids), minlength=len(self.vocab))
        self.counts += counts
        distribution = noise(counts, self.power)
        return [self._epoch(ids, distribution) for _ in range(epochs)]

    def _epoch(self, sentences: list[np.ndarray], distribution: np.ndarray) -> float:
        loss = predictions = 0.0
        upto = np.cumsum(distribution) / distribution.sum()
        gradients = self._skipgram if self.kind == "skipgram" else self._cbow
        for batch in self._batches(sentences):
            drawn = np.searchsorted(upto, self.rng.random(self.shared), side="right")
            negatives, times = np.unique(drawn, return_counts=True)
            share = (times * (self.negatives / self.shared)).astype(np.float32)
            batch_loss, batch_predictions, g = gradients(batch, negatives, share)
            self._update(np.concatenate([batch.ids, negatives]), g)
            loss, predictions = loss + batch_loss, predictions + batch_predictions
        return loss / predictions

    def _batches(self, sentences: list[np.ndarray]) -> Iterator[_Batch]:
        """The sentences in random order, cut after whole sentences into batches of about ``batch`` words."""
        order = self.rng.permutation(len(sentences))
        ends = np.cumsum([len(sentences[i]) for i in order])
        cuts = np.flatnonzero(np.diff(ends // self.batch, prepend=0, append=-1))
        for low, high in zip([0, *cuts[:-1]], cuts, strict=True):
            if high > low:
                yield self._cut([sentences[i] for i in order[low:high]])

    def _cut(self, sentences: list[np.ndarray]) -> _Batch:
        m, b = self.window, self._block
        words = np.concatenate(sentences)
        J = -(-len(words) // b)
        ids = np.full((J + 1) * b, PAD_ID)
        ids[m : m + len(words)] = words
        number = -np.arange(len(ids))  # padding belongs to no sentence, not even to that of other padding
        number[m : m + len(words)] = np.repeat(np.arange(1, len(sentences) + 1), [len(s) for s in sentences])
        around = self._around(number)
        distance = np.abs(np.arange(b)[:, None] + m - np.arange(b + 2 * m))
        near = (around[:, m : m + b, None] == around[:, None, :]) & (distance > 0) & (distance <= m)
        return _Batch(ids, near.astype(np.float32))

    def _skipgram(self, batch: _Batch, negatives: np.ndarray, share: np.ndarray) -> tuple[float, float, np.ndarray]:
        """Loss of all pairs, their number, and the gradients (len(ids) + K, 2d) by W and C at each place, then by C
        of each negative.
        """
        d, m, b = self.d, self.window, self._block
        J = len(batch.near)
        rows = self._table[batch.ids]
        w = rows[m : m + J * b, :d]
        around = self._around(rows[:, d:])  # (J, b + 2m, d)
        s = _sigmoid32(w.reshape(J, b, d) @ around.transpose(0, 2, 1))
        loss = -np.vdot(batch.near, _log(s))
        s -= 1
        s *= batch.near
        pairs = batch.near.sum(2).reshape(-1, 1)
        n, q, of_noise = self._against(w, negatives, pairs * share)

        g = np.zeros((len(rows) + len(n), 2 * d), dtype=np.float32)
        g[m : m + J * b, :d] = (s @ around).reshape(-1, d) + q @ n
        self._add_blocks(g[:, d:], s.transpose(0, 2, 1) @ w.reshape(J, b, d))
        g[len(rows) :, d:] = q.T @ w
        return loss + of_noise, pairs.sum(), g

    def _cbow(self, batch: _Batch, negatives: np.ndarray, share: np.ndarray) -> tuple[float, float, np.ndarray]:
        """As :meth:`_skipgram`, for all words that have a neighbour."""
        d, m, b = self.d, self.window, self._block
        J = len(batch.near)
        rows = self._table[batch.ids]
        c = rows[m : m + J * b, d:]
        number = batch.near.sum(2, keepdims=True)
        mean = batch.near / np.maximum(number, 1)
        h = (mean @ self._around(rows[:, :d])).reshape(-1, d)
        real = (number > 0).astype(np.float32).reshape(-1, 1)
        s = _sigmoid32((h * c).sum(1, keepdims=True))
        loss = -np.vdot(real, _log(s))
        s = (s - 1) * real
        n, q, of_noise = self._against(h, negatives, real * share)

        g = np.zeros((len(rows) + len(n), 2 * d), dtype=np.float32)
        g[m : m + J * b, d:] = s * h
        self._add_blocks(g[:, :d], mean.transpose(0, 2, 1) @ (s * c + q @ n).reshape(J, b, d))
        g[len(rows) :, d:] = q.T @ h
        return loss + of_noise, real.sum(), g

    def _against(self, x: np.ndarray, negatives: np.ndarray, weight: np.ndarray):
        """The negatives' vectors (K, d), the derivative of the loss by their scores with x, that part of the loss."""
        n = self.C[negatives]
        q = _sigmoid32(x @ n.T)
        loss = -np.vdot(weight, _log(1 - q))
        q *= weight
        return n, q, loss

    def _around(self, x: np.ndarray) -> np.ndarray:
        """What each block sees, (J, b + 2m, ...): a view of x ((J + 1) b, ...) in which neighbouring blocks overlap."""
        J, b = len(x) // self._block - 1, self._block
        shape, strides = (J, b + 2 * self.window, *x.shape[1:]), (b * x.strides[0], *x.strides)
        return as_strided(x, shape, strides, writeable=False)

    def _add_blocks(self, g: np.ndarray, blocks: np.ndarray) -> None:
        """Add to the places of g what each block (J, b + 2m, d) says to the places in and around it."""
        J, b = len(blocks), self._block
        inner = as_strided(g, (J + 1, b, self.d), (b * g.strides[0], *g.strides))
        inner[:J] += blocks[:, :b]
        inner[1:, : 2 * self.window] += blocks[:, b:]

    def _update(self, ids: np.ndarray, g: np.ndarray) -> None:
        """One step of Adagrad: sum the rows of g that belong to the same word, then move that word."""
        word, place = np.unique(ids, return_inverse=True)
        summed = torch.zeros(len(word), g.shape[1])
        g = summed.index_add_(0, torch.from_numpy(place), torch.from_numpy(g)).numpy()  # NumPy's own ways are slow
        squares = self._squares[word] + g * g
        self._squares[word] = squares
        self._table[word] -= np.float32(self.lr) * g / np.sqrt(squares)


def _sigmoid32(x: np.ndarray) -> np.ndarray:
    """The sigmoid in place, for large arrays."""
    x *= 0.5
    np.tanh(x, out=x)
    x += 1
    x *= 0.5
    return x


def _log(x: np.ndarray) -> np.ndarray:
    return np.log(np.maximum(x, 1e-8))  # single precision rounds a hopeless sigmoid to 0

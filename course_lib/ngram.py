"""n-gram language models: four ways to turn counts into probabilities."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from course_lib.counts import NGramTable
from course_lib.tokens import BOS, BOS_ID, EOS, EOS_ID, PAD, PAD_ID, UNK_ID, Vocabulary

SMOOTHINGS = ("mle", "add-k", "interpolated", "kneser-ney")
Sentences = Iterable[Sequence[str]]


class NGramLM:
    """An n-gram model of order n: p(w_t | w_<t) is taken to be p(w_t | the n - 1 words before it).

    ``smoothing``: ``"mle"`` (count over count), ``"add-k"``, ``"interpolated"`` (Jelinek and Mercer 1980: a mixture of
    all orders, weights by :meth:`tune`), or ``"kneser-ney"`` (modified and interpolated; Chen and Goodman 1999, with
    KenLM's treatment of sentence starts and of the unknown word). The outcomes are the vocabulary's words, the
    end of the sentence and ``UNK``. One start mark stands for n - 1 of them: a context that reaches it stops there.

    ``k``: the pseudo-count of add-k. ``weights`` (n,): the share that the estimate of each order takes of what the
    longer orders left to it. ``discounts`` (n, 3): D1, D2, D3+ of each order; estimated from the counts if not given.

    Errors: ValueError for an order below 1, an unknown smoothing, k <= 0, weights outside [0, 1].
    """

    def __init__(
        self,
        order: int,
        smoothing: str = "kneser-ney",
        *,
        k: float = 1.0,
        weights: Sequence[float] | None = None,
        discounts: Sequence[Sequence[float]] | None = None,
    ):
        if isinstance(order, bool) or not isinstance(order, int | np.integer) or order < 1:
            raise ValueError(f"order={order!r}: an n-gram model needs a whole number n of 1 or more (1 is the unigram)")
        if smoothing not in SMOOTHINGS:
            raise ValueError(f"smoothing={smoothing!r} is not known: choose one of {', '.join(SMOOTHINGS)}")
        if not isinstance(k, int | float | np.number) or not 0 < k < 1e12:
            raise ValueError(f"k={k!r}: a pseudo-count is a number between 0 and 1e12; without smoothing use 'mle'")
        self.order, self.smoothing, self.k = int(order), smoothing, float(k)
        self.weights = _per_order("weights", np.full(order, 0.5) if weights is None else weights, (order,))
        self._given_discounts = None if discounts is None else _per_order("discounts", discounts, (order, 3), (1, 2, 3))

    # ---- training ------------------------------------------------------------------------------------------

    def fit(self, sentences: Sentences, vocab: Vocabulary | None = None) -> NGramLM:
        """Count the sentences (lists of words, without start and end marks); returns the model itself.

        ``vocab`` fixes the outcomes beforehand, and words outside it count as UNK; by default it is made of the words
        of the sentences. Errors: ValueError without any sentence; TypeError for a string in place of a list of words.
        """
        sentences = _checked(sentences, "count")
        self.vocab = Vocabulary.build(sentences) if vocab is None else vocab
        self.outcomes = len(self.vocab) - 2  # PAD and BOS never come next
        self.table = NGramTable(self._stream(sentences), self.order, len(self.vocab))
        orders = range(1, self.order + 1)
        if self.smoothing == "kneser-ney":
            adjusted = [self._adjusted_counts(k) for k in orders]
            self.discounts = (
                np.array([estimate_discounts(a) for a in adjusted])
                if self._given_discounts is None
                else self._given_discounts
            )
            removed = [np.append(0, D)[np.minimum(a, 3)] for a, D in zip(adjusted, self.discounts, strict=True)]
            self._totals = [self.table.sum_by_context(k, adjusted[k - 1]) for k in orders]
            self._handed_down = [self.table.sum_by_context(k, removed[k - 1]) for k in orders]
            self._own = [a - r for a, r in zip(adjusted, removed, strict=True)]
        else:
            self._own = self.table.count
            self._totals = [self.table.sum_by_context(k, self._own[k - 1]) for k in orders]
        return self

    def _stream(self, sentences: list[Sequence[str]]) -> np.ndarray:
        """All sentences as one array of ids, BOS w_1 .. w_T EOS each."""
        return np.array([i for s in sentences for i in (BOS_ID, *self.vocab.encode(s), EOS_ID)], dtype=np.int64)

    def _adjusted_counts(self, k: int) -> np.ndarray:
        """Kneser and Ney's counts: below the highest order, the number of different words seen to the left.

        Nothing stands to the left of a sentence start, so k-grams that begin with BOS keep their plain count.
        """
        count, table = self.table.count[k - 1], self.table
        adjusted = count if k == self.order else np.where(table.starts_sentence(k), count, table.left[k - 1])
        return np.where(table.last_word(k) == BOS_ID, 0, adjusted)

    # ---- probabilities of whole texts, all positions at once -------------------------------------------------

    def score(self, sentences: Sentences) -> list[np.ndarray]:
        """log p of each word and of the end, in nats, for each sentence: arrays of shape (T + 1,).

        Minus infinity is the honest answer of an unsmoothed model for what it never saw. Unknown words are scored
        as UNK. Errors: ValueError without any sentence.
        """
        sentences = _checked(sentences, "score")
        with np.errstate(divide="ignore"):
            log_p = np.log(self._probabilities(self._stream(sentences)))
        return np.split(log_p, np.cumsum([len(s) + 1 for s in sentences])[:-1])

    def perplexity(self, sentences: Sentences, skip_unknown: bool = False) -> float:
        """exp of the mean surprisal per token, ends included; ``skip_unknown`` leaves out the words that are UNK."""
        sentences = _checked(sentences, "score")
        log_p = np.concatenate(self.score(sentences))
        if skip_unknown:
            stream = self._stream(sentences)
            log_p = log_p[stream[stream != BOS_ID] != UNK_ID]
        return float(np.exp(-log_p.mean()))

    def _probabilities(self, ids: np.ndarray) -> np.ndarray:
        """p of every token of a stream but the BOS: the recursion below, from short contexts to long ones."""
        number, at = self.table.locate(ids), np.flatnonzero(ids != BOS_ID)
        length = (np.arange(len(ids)) - np.maximum.accumulate(np.where(ids == BOS_ID, np.arange(len(ids)), 0)))[at]
        p = np.full(len(at), 1 / self.outcomes)
        for k in range(1, self.order + 1):
            context = number[k - 1, at - 1] if k > 1 else np.zeros(len(at), dtype=int)
            own, total = _pick(self._own[k - 1], number[k, at]), _pick(self._totals[k - 1], context)
            down = _pick(self._handed_down[k - 1], context) if self.smoothing == "kneser-ney" else None
            p = np.where(length >= k - 1, self._combine(k, own, total, down, p), p)
        return p

    def _combine(self, k: int, own, total, down, shorter):
        """p_k from the counts at order k and p_{k-1}; where the context was never seen, what each method does then."""
        seen = total > 0
        safe = np.where(seen, total, 1)
        if self.smoothing == "mle":
            return np.where(seen, own / safe, 0.0)
        if self.smoothing == "add-k":
            return (own + self.k) / (total + self.k * self.outcomes)
        if self.smoothing == "interpolated":
            return np.where(seen, self.weights[k - 1] * own / safe + (1 - self.weights[k - 1]) * shorter, shorter)
        return np.where(seen, (own + down * shorter) / safe, shorter)

    # ---- one context at a time -------------------------------------------------------------------------------

    def __getattr__(self, name: str):
        if name in ("vocab", "table", "outcomes"):
            raise AttributeError("this model has not been fitted: call fit(sentences) first")
        raise AttributeError(f"NGramLM has no attribute {name!r}")

    def next_distribution(self, context: Sequence[str] = ()) -> np.ndarray:
        """p(w | context) for every id w of the vocabulary, shape (V,); zero for PAD and BOS. Sums to one.

        The last n - 1 words of the context count. Begin it with ``BOS`` for the start of a sentence; a shorter
        context without it means that no more is known. Unknown words count as UNK, a context never seen.
        Errors: ValueError when an unsmoothed model is asked about a context that it never saw.
        """
        ids = self.vocab.encode(_as_words(context))[-(self.order - 1) :] if self.order > 1 else []
        p = np.full(len(self.vocab), 1 / self.outcomes)
        for k in range(1, len(ids) + 2):
            p = self._next_of_order(k, ids[len(ids) - k + 1 :], p)
        p[[PAD_ID, BOS_ID]] = 0.0
        if self.smoothing == "mle" and not p.any():
            raise ValueError(
                f"the context {tuple(context)} never came in training, so its counts are 0/0: use a smoothing"
            )
        return p

    def _next_of_order(self, k: int, context: Sequence[int], shorter: np.ndarray) -> np.ndarray:
        number = self.table.number(context)
        own, total, down = np.zeros(len(shorter)), 0.0, 0.0
        if number >= 0:
            after = self.table.followers(k, number)
            own[self.table.last_word(k)[after]] = self._own[k - 1][after]
            total = self._totals[k - 1][number]
            down = self._handed_down[k - 1][number] if self.smoothing == "kneser-ney" else 0.0
        return self._combine(k, own, total, down, shorter)

    def log_prob(self, word: str, context: Sequence[str] = ()) -> float:
        """log p(word | context) in nats; see :meth:`next_distribution` for what a context is."""
        try:
            p = self.next_distribution(context)[self.vocab[word]]
        except ValueError:  # an unsmoothed model, and a context it never saw
            p = 0.0
        return math.log(p) if p > 0 else -math.inf

    def counts(self, context: Sequence[str]) -> dict[str, int]:
        """How often each word followed the context (at most n - 1 words) in training, most frequent first."""
        if len(context) >= self.order:
            raise ValueError(
                f"a model of order {self.order} counts contexts of at most {self.order - 1} words, not {len(context)}"
            )
        number, k = self.table.number(self.vocab.encode(_as_words(context))), len(context) + 1
        after = self.table.followers(k, number) if number >= 0 else slice(0, 0)
        pairs = zip(self.table.last_word(k)[after].tolist(), self.table.count[k - 1][after].tolist(), strict=True)
        return {self.vocab.token(w): c for w, c in sorted(pairs, key=lambda wc: (-wc[1], wc[0])) if w != BOS_ID}

    def sample(self, rng: np.random.Generator, max_tokens: int = 1000) -> list[str]:
        """Draw one sentence, word by word, until the end mark or ``max_tokens``; UNK is never drawn.

        Errors: ValueError when an unsmoothed model comes to a context that only unknown words followed.
        """
        words: list[str] = []
        while len(words) < max_tokens:
            p = self.next_distribution([BOS, *words] if len(words) < self.order else words[-self.order :])
            p[UNK_ID] = 0.0
            cumulative = np.cumsum(p)
            if cumulative[-1] == 0:
                raise ValueError(f"after {words[-self.order :]} only unknown words came in training: use a smoothing")
            drawn = int(np.searchsorted(cumulative, rng.random() * cumulative[-1], side="right"))
            if drawn == EOS_ID:
                break
            words.append(self.vocab.token(drawn))
        return words

    # ---- choosing the weights of the mixture -----------------------------------------------------------------

    def tune(self, sentences: Sentences, rounds: int = 30) -> NGramLM:
        """Set the interpolation weights to those that give held-out sentences the highest probability (EM).

        Errors: ValueError unless the smoothing is ``"interpolated"``.
        """
        if self.smoothing != "interpolated":
            raise ValueError(f"only smoothing='interpolated' has weights to tune, not {self.smoothing!r}")
        ids = self._stream(_checked(sentences, "tune on"))
        number, at = self.table.locate(ids), np.flatnonzero(ids != BOS_ID)
        own = [_pick(self._own[k - 1], number[k, at]) for k in range(1, self.order + 1)]
        contexts = [np.zeros(len(at), dtype=int), *(number[k, at - 1] for k in range(1, self.order))]
        total = [_pick(t, c) for t, c in zip(self._totals, contexts, strict=True)]
        for _ in range(rounds):
            below = [np.full(len(at), 1 / self.outcomes)]
            for k in range(1, self.order + 1):
                below.append(self._combine(k, own[k - 1], total[k - 1], None, below[-1]))
            arrived = np.ones(len(at))  # the chance that the mixture's walk from long to short came to order k
            for k in range(self.order, 0, -1):
                seen = total[k - 1] > 0
                share = self.weights[k - 1] * own[k - 1] / np.maximum(total[k - 1], 1)
                stays = np.divide(share, below[k], out=np.zeros(len(at)), where=seen & (below[k] > 0))
                if arrived[seen].sum() > 0:
                    self.weights[k - 1] = (arrived * stays)[seen].sum() / arrived[seen].sum()
                arrived = arrived * (1 - stays)
        return self


def estimate_discounts(counts: np.ndarray) -> tuple[float, float, float]:
    """D1, D2, D3+ from how many n-grams have (adjusted) count 1, 2, 3, 4: Chen and Goodman 1999, equation 26.

    D_c = c - (c + 1) Y n_{c+1} / n_c with Y = n_1 / (n_1 + 2 n_2). Where a text is too small for that (n_1, n_2 or n_3
    is zero, or D_c leaves [0, c]) the fixed 0.5, 1, 1.5 are used for the order, as KenLM does when told to.
    """
    n = np.bincount(np.minimum(counts, 5), minlength=6).astype(float)
    if (n[1:4] == 0).any():
        return 0.5, 1.0, 1.5
    Y = n[1] / (n[1] + 2 * n[2])
    D = tuple(float(c - (c + 1) * Y * n[c + 1] / n[c]) for c in (1, 2, 3))
    return D if all(0 <= d <= c for c, d in enumerate(D, 1)) else (0.5, 1.0, 1.5)


def _pick(values: np.ndarray, at: np.ndarray) -> np.ndarray:
    """values[at], and 0 where ``at`` is -1."""
    return np.where(at >= 0, values[at], 0) if len(values) else np.zeros(at.shape)


def _per_order(name: str, values, shape: tuple[int, ...], largest: float | Sequence[float] = 1.0) -> np.ndarray:
    array = np.array(values, dtype=float)
    if array.shape != shape or not ((array >= 0) & (array <= np.array(largest))).all():
        raise ValueError(f"{name}={array.tolist()} must have shape {shape} and lie between 0 and {largest}")
    return array


def _as_words(context: Sequence[str]) -> list[str]:
    if isinstance(context, str):
        raise TypeError(f"a context is a list of words, but {context[:40]!r} is a string: split it first")
    return list(context)


def _checked(sentences: Sentences, purpose: str) -> list[Sequence[str]]:
    sentences = list(sentences)
    if not sentences:
        raise ValueError(f"there is nothing to {purpose}: give at least one sentence")
    for sentence in sentences:
        if isinstance(sentence, str):
            raise TypeError(f"a sentence is a list of words, but {sentence[:40]!r} is a string: split it first")
        if marks := {BOS, EOS, PAD}.intersection(sentence):
            raise ValueError(
                f"a sentence holds {sorted(marks)}: leave the marks out, they are put in where they belong"
            )
    return sentences

"""Write with a language model: greedily, by sampling from a bent distribution, by beam search, or with a draft model.

Everything here asks of a model only ``model(ids) -> logits``; one with ``initial_state`` is given its state or cache
back, so that it reads each token once. Prompts and results are lists of ids; probabilities are natural logarithms.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor

from course_lib.tokens import EOS_ID

__all__ = [
    "Hypothesis",
    "Speculation",
    "beam_search",
    "bent",
    "generate",
    "keep_min_p",
    "keep_top_k",
    "keep_top_p",
    "speculative",
]

Model = Callable[..., Any]


# ---- bending a distribution ----------------------------------------------------------------------------------------


def keep_top_k(logits: Tensor, k: int) -> Tensor:
    """The k largest logits of each row (..., V), ties with the k-th included; minus infinity for the others.

    Errors: ValueError for k below 1. A k above V keeps everything.
    """
    if k < 1:
        raise ValueError(f"top_k={k} must be 1 or more")
    least = logits.topk(min(k, logits.shape[-1]), dim=-1).values[..., -1:]
    return logits.masked_fill(logits < least, -math.inf)


def keep_top_p(logits: Tensor, p: float) -> Tensor:
    """The nucleus: the fewest most probable tokens that hold the mass p together, at least one; else minus infinity.

    Errors: ValueError unless 0 < p <= 1.
    """
    if not 0 < p <= 1:
        raise ValueError(f"top_p={p} is a mass: above 0 and at most 1")
    ordered, order = logits.softmax(-1).sort(dim=-1, descending=True, stable=True)
    before = ordered.cumsum(-1) - ordered  # the mass of the more probable ones
    drop = torch.zeros_like(logits, dtype=torch.bool).scatter(-1, order, before >= p)
    return logits.masked_fill(drop, -math.inf)


def keep_min_p(logits: Tensor, p: float) -> Tensor:
    """The tokens at least p times as probable as the most probable one; minus infinity for the others.

    Errors: ValueError unless 0 <= p <= 1.
    """
    if not 0 <= p <= 1:
        raise ValueError(f"min_p={p} is a share of the largest probability: from 0 to 1")
    return logits.masked_fill(logits < logits.amax(-1, keepdim=True) + math.log(p or 1e-300), -math.inf)


def bent(logits: Tensor, temperature: float = 1.0, top_k: int | None = None, top_p: float | None = None,
         min_p: float | None = None, forbid: Sequence[int] = ()) -> Tensor:  # fmt: skip
    """The distribution (..., V) that :func:`generate` draws from, given logits (..., V).

    First the ids in ``forbid`` lose their mass; then the logits are divided by the temperature; then top-k, top-p and
    min-p cut, in this order, each seeing what the one before it left. At temperature 0 the most probable token has it
    all. Errors: ValueError for settings without sense, for NaN, and where no token has any mass left.
    """
    if not 0 <= temperature < math.inf:
        raise ValueError(f"temperature={temperature} must be 0 (greedy) or a positive number")
    if len(forbid):
        logits = logits.index_fill(-1, torch.as_tensor(forbid), -math.inf)
    best = logits.amax(-1, keepdim=True)
    if not best.isfinite().all():
        raise ValueError(
            "there is nothing to draw from: the model gives NaN or infinite logits, or all its mass is on forbidden ids"
        )
    if temperature == 0:
        return torch.zeros_like(logits).scatter(-1, logits.argmax(-1, keepdim=True), 1.0)
    logits = (logits - best) / temperature
    for keep, value in ((keep_top_k, top_k), (keep_top_p, top_p), (keep_min_p, min_p)):
        logits = logits if value is None else keep(logits, value)
    return logits.softmax(-1)


# ---- one token after another ---------------------------------------------------------------------------------------


@torch.no_grad()
def generate(model: Model, prompt: Sequence[int] | Sequence[Sequence[int]], max_new: int, *, n: int = 1,
             temperature: float = 1.0, top_k: int | None = None, top_p: float | None = None,
             min_p: float | None = None, forbid: Sequence[int] = (), generator: torch.Generator | None = None,
             stop: int | None = EOS_ID, cache: bool = True) -> list[list[int]]:  # fmt: skip
    """``n`` continuations of one prompt, or one of each of several prompts, drawn side by side.

    Each comes without its prompt and without ``stop``, at which it ends, or after ``max_new`` tokens. :func:`bent`
    says what the settings do; temperature 0 takes the most probable token each time. With ``cache`` False the model
    reads the whole text again for every token, which costs time and changes nothing.
    Errors: ValueError for an empty prompt, one that leaves no room for ``max_new`` tokens in the model's positions,
    settings without sense, and a model that leaves nothing to draw from.
    """
    prompts = [list(prompt)] * n if len(prompt) and isinstance(prompt[0], int) else [list(one) for one in prompt]
    if n < 1 or (n > 1 and len(prompts) != n):
        raise ValueError(f"n={n} must be 1 or more, and goes with a single prompt")
    for one in prompts or [[]]:
        _check(model, one, max_new)
    results: list[list[int]] = [[]] * len(prompts)
    with _evaluating(model):
        for length in sorted({len(one) for one in prompts}):  # equally long prompts need no padding
            rows = [i for i, one in enumerate(prompts) if len(one) == length]
            read, ids = _Reader(model, len(rows), cache), torch.tensor([prompts[i] for i in rows])
            written, ended = [], torch.zeros(len(rows), dtype=torch.bool)
            while len(written) < max_new and not ended.all():
                p = bent(read(ids), temperature, top_k, top_p, min_p, forbid)
                chosen = p.argmax(-1) if temperature == 0 else torch.multinomial(p, 1, generator=generator)[:, 0]
                ended |= chosen == (-1 if stop is None else stop)
                written.append(chosen)
                ids = chosen[:, None]
            for i, row in zip(rows, torch.stack(written, dim=1).tolist(), strict=True):
                results[i] = row[: row.index(stop)] if stop in row else row
    return results


class _Reader:
    """Feeds a model and keeps its state, or, where it has none, all that was read."""

    def __init__(self, model: Model, rows: int, cache: bool = True):
        self.model = model
        self.state = model.initial_state(rows) if cache and hasattr(model, "initial_state") else None
        self.read: Tensor | None = None

    def __call__(self, ids: Tensor) -> Tensor:
        """ids (B, T) -> logits of the next token (B, V)"""
        if self.state is None:
            self.read = ids if self.read is None else torch.cat([self.read, ids], dim=1)
            return self.model(self.read)[:, -1]
        logits, self.state = self.model(ids, self.state)
        return logits[:, -1]

    def select(self, rows: Tensor) -> None:
        """Go on with some rows of the batch, in a new order or more than once."""
        if self.state is None:
            self.read = self.read[rows]
        else:
            self.state = self.model.select_state(self.state, rows)


# ---- beam search ---------------------------------------------------------------------------------------------------


class Hypothesis(NamedTuple):
    """One continuation: its tokens without ``stop``, their log-probability with it, and the score it is ranked by."""

    ids: list[int]
    log_prob: float
    score: float
    ended: bool


@torch.no_grad()
def beam_search(model: Model, prompt: Sequence[int], width: int, max_new: int, *, penalty: float = 0.0,
                stop: int | None = EOS_ID, cache: bool = True) -> list[Hypothesis]:  # fmt: skip
    """At most ``width`` continuations, the best first, found by keeping ``width`` of them at each step.

    Each step extends every kept one by every token and ranks the results by log-probability. Those among the first
    ``width`` that end are put aside, with the score log q / length^penalty, ``stop`` counted in the length; the best
    ``width`` that go on are kept. The search is over when ``width`` are put aside and none that goes on would score
    better as it stands; after ``max_new`` tokens, what goes on is scored as it stands. With penalty 0 the score is the
    log-probability; a positive one favours length. A width above the number of possible texts finds them all.
    Errors: ValueError for a width or ``max_new`` below 1, a prompt that is empty or too long, a model that gives NaN
    or no token any mass.
    """
    _check(model, prompt, max_new)
    if width < 1:
        raise ValueError(f"width={width} must be 1 or more: it is the number of texts kept at each step")
    with _evaluating(model):
        read, ids = _Reader(model, 1, cache), torch.tensor([list(prompt)])
        kept: list[list[int]] = [[]]
        total = torch.zeros(1, dtype=torch.double)
        done: list[Hypothesis] = []
        for length in range(1, max_new + 1):
            log_q = read(ids).double().log_softmax(-1)
            if log_q.isnan().any():
                raise ValueError("the model gives NaN, or no token any mass: there is nothing to search among")
            ranked, order = (total[:, None] + log_q).flatten().sort(descending=True, stable=True)
            rows, tokens = order // log_q.shape[-1], order % log_q.shape[-1]
            going, last = [], length == max_new
            for rank in range(min(int(ranked.isfinite().sum()), 2 * width)):  # one of two can end, at the most
                text, log_prob = kept[rows[rank]], float(ranked[rank])
                ends = int(tokens[rank]) == stop
                if (ends or last) and rank < width:
                    own = text if ends else [*text, int(tokens[rank])]
                    done.append(Hypothesis(own, log_prob, log_prob / length**penalty, ends))
                elif not ends and len(going) < width:
                    going.append(rank)
            done = sorted(done, key=lambda one: -one.score)[:width]
            if last or not going:
                break
            if len(done) == width and float(ranked[going[0]]) / length**penalty <= done[-1].score:
                break
            kept = [[*kept[rows[rank]], int(tokens[rank])] for rank in going]
            total, chosen = ranked[going], rows[going]
            read.select(chosen)
            ids = tokens[going][:, None]
    return done


# ---- a small model drafts, a large one checks ----------------------------------------------------------------------


class Speculation(NamedTuple):
    """What was written, and how: tokens the draft proposed, how many were accepted, and passes of the large model."""

    ids: list[int]
    proposed: int
    accepted: int
    passes: int


@torch.no_grad()
def speculative(model: Model, draft: Model, prompt: Sequence[int], max_new: int, ahead: int = 4, *,
                generator: torch.Generator | None = None, stop: int | None = EOS_ID) -> Speculation:  # fmt: skip
    """Draw a text from ``model``, with fewer passes of it: ``draft`` proposes ``ahead`` tokens, one pass checks them.

    A token x proposed from q is accepted with probability min(1, p(x) / q(x)); the first one refused is replaced by a
    draw from max(p - q, 0), normalised; after ``ahead`` accepted ones the same pass gives one more. The result has the
    distribution of ``model``, whatever the draft is.
    Errors: ValueError for different vocabularies, ``ahead`` below 1, and as :func:`generate`.
    """
    for one in (model, draft):
        _check(one, prompt, max_new)
    if ahead < 1:
        raise ValueError(f"ahead={ahead} must be 1 or more: the draft has to propose something")
    text, counts = list(prompt), [0, 0, 0]
    with _evaluating(model), _evaluating(draft):
        large, small = _Rewinder(model), _Rewinder(draft)
        while len(text) - len(prompt) < max_new and (len(text) == len(prompt) or text[-1] != stop):
            room = max_new - (len(text) - len(prompt))
            guess, q = list(text), []
            for _ in range(min(ahead, room - 1)):
                q.append(bent(small(guess)[-1]))
                guess.append(int(torch.multinomial(q[-1], 1, generator=generator)))
                if guess[-1] == stop:
                    break
            p = bent(large(guess)[-len(q) - 1 :])
            if q and p.shape[-1] != q[0].shape[-1]:
                raise ValueError(
                    f"the vocabularies differ: {p.shape[-1]} tokens in the model, {q[0].shape[-1]} in the draft"
                )
            new = guess[len(text) :]
            good = 0
            while good < len(new) and torch.rand(1, generator=generator) * q[good][new[good]] < p[good][new[good]]:
                good += 1
            counts = [counts[0] + len(new), counts[1] + good, counts[2] + 1]
            text += new[:good]
            if not good or text[-1] != stop:
                rest = p[good] if good == len(new) else (p[good] - q[good]).clamp(min=0)
                text.append(int(torch.multinomial(rest, 1, generator=generator)))
    written = text[len(prompt) :]
    return Speculation(written[: written.index(stop)] if stop in written else written, *counts)


class _Rewinder:
    """A model of one text that may be taken back: reads what is new, from where the text still is what it read."""

    def __init__(self, model: Model):
        self.model, self.read = model, []
        self.state = model.initial_state(1) if hasattr(model, "crop_state") else None

    def __call__(self, text: list[int]) -> Tensor:
        """The logits (T', V) after the last T' tokens, at the least those that are new."""
        if self.state is None:
            return self.model(torch.tensor([text]))[0]
        same = 0
        while same < min(len(text) - 1, len(self.read)) and text[same] == self.read[same]:
            same += 1
        logits, self.state = self.model(torch.tensor([text[same:]]), self.model.crop_state(self.state, same))
        self.read = list(text)
        return logits[0]


# ---- checks --------------------------------------------------------------------------------------------------------


def _check(model: Model, prompt: Sequence[int], max_new: int) -> None:
    if not len(prompt):
        raise ValueError("the prompt is empty: begin it with BOS, which stands before every text")
    if max_new < 1:
        raise ValueError(f"max_new={max_new} must be 1 or more")
    longest = getattr(model, "max_length", math.inf)
    if len(prompt) + max_new - 1 > longest:
        raise ValueError(f"a prompt of {len(prompt)} and {max_new} new tokens do not fit into {longest} positions")


@contextmanager
def _evaluating(model: Model) -> Iterator[None]:
    """In evaluation mode, and back in the mode it was in afterwards."""
    training = getattr(model, "training", False)
    if training:
        model.eval()
    try:
        yield
    finally:
        if training:
            model.train()

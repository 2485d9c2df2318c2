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

from course_lib.bending import bent, keep_min_p, keep_top_k, keep_top_p
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
    single = len(prompt) and torch.as_tensor(prompt[0]).ndim == 0
    prompts = [[int(i) for i in one] for one in ([prompt] * n if single else prompt)]
    if n < 1 or (n > 1 and prompts and not single):
        raise ValueError(f"n={n} must be 1 or more, and goes with a single prompt")
    for one in prompts or [[]]:
        _check(model, one, max_new)
    results: list[list[int]] = [[] for _ in prompts]
    with _evaluating(model):
        for length in sorted({len(one) for one in prompts}):  # equally long prompts need no padding
            rows = [i for i, one in enumerate(prompts) if len(one) == length]
            read, ids = _Reader(model, len(rows), cache), torch.tensor([prompts[i] for i in rows])
            for _ in range(max_new):
                p = bent(read(ids), temperature, top_k, top_p, min_p, forbid)
                chosen = p.argmax(-1) if temperature == 0 else torch.multinomial(p, 1, generator=generator)[:, 0]
                tokens = chosen.tolist()
                going = [j for j, token in enumerate(tokens) if token != stop]
                for j in going:
                    results[rows[j]].append(tokens[j])
                if not going:
                    break
                if len(going) < len(rows):  # what has ended is read no further
                    chosen, rows = chosen[going], [rows[j] for j in going]
                    read.select(torch.tensor(going))
                ids = chosen[:, None]
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
        read, ids = _Reader(model, 1, cache), torch.tensor([[int(i) for i in prompt]])
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
    text, counts = [int(i) for i in prompt], [0, 0, 0]
    with _evaluating(model), _evaluating(draft):
        large, small = _Rewinder(model), _Rewinder(draft)
        while len(text) - len(prompt) < max_new and (len(text) == len(prompt) or text[-1] != stop):
            room = max_new - (len(text) - len(prompt))
            guess, q = list(text), []
            for _ in range(min(ahead, room - 1)):
                q.append(bent(small(guess)[-1].double()))
                guess.append(int(torch.multinomial(q[-1], 1, generator=generator)))
                if guess[-1] == stop:
                    break
            logits = large(guess)[-len(q) - 1 :].double()  # in floats p - q can round to 0 everywhere
            if q and logits.shape[-1] != q[0].shape[-1]:
                raise ValueError(
                    f"the vocabularies differ: {logits.shape[-1]} tokens in the model, {q[0].shape[-1]} in the draft"
                )
            new = guess[len(text) :]
            good = 0
            while good < len(new):
                accept = bent(logits[good])[new[good]] / q[good][new[good]]
                if torch.rand(1, generator=generator) >= accept:
                    break
                good += 1
            counts = [counts[0] + len(new), counts[1] + good, counts[2] + 1]
            text += new[:good]
            if not good or text[-1] != stop:
                rest = bent(logits[good])
                if good < len(new):
                    rest = (rest - q[good]).clamp(min=0)
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

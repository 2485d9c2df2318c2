"""Interactive figures about decoding: a beam search step by step, and a distribution that is bent before the draw.

Each function returns a :class:`~course_lib.widgets.Widget`. The beam is recorded while :mod:`course_lib.decoding` runs
it; the page bends distributions by the same rules as :func:`course_lib.decoding.bent`. Where scripts do not run, a
table computed in Python stands in the figure's place.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import torch

from course_lib.decoding import _evaluating, beam_search, bent
from course_lib.tokens import BOS_ID, EOS_ID, Vocabulary
from course_lib.widgets import Widget, _distribution, _filled, _table, _text

__all__ = ["beam_player", "distribution_bender"]

Model = Callable[..., Any]
KEPT, FINISHED, LEFT, DROPPED = "kept", "finished", "given up", "dropped"  # what becomes of a continuation
WIDEST, LONGEST, RUNS = 8, 12, 12
SEARCHED = 5_000  # prefixes looked at on the way to the best text
ROWS = 10  # words drawn one by one; the rest are pooled


# ---- beam search ---------------------------------------------------------------------------------------------------


def beam_player(
    model: Model,
    vocab: Vocabulary,
    widths: Sequence[int] = (1, 2, 3, 4),
    max_new: int = 6,
    prompt: Sequence[int] = (BOS_ID,),
    penalties: Sequence[float] = (0.0,),
    stop: int | None = EOS_ID,
    shown: int = 4,
    title: str = "Beam search, step by step",
) -> Widget:
    """Step through a beam search: the texts kept, their continuations, and which are kept, finished or dropped.

    The reader chooses the width and the length penalty; what is shown is what :func:`course_lib.decoding.beam_search`
    does with ``model(ids) -> logits``, ``prompt`` and ``max_new``. Of each text's continuations those that survive are
    drawn, and the ``shown`` most probable. Beside the text found stands the best of all texts, looked for best-first;
    it is called unknown where that would take more than 5,000 prefixes.
    Errors: ValueError for no width or one outside 1 to 8, a penalty that is negative, more than 12 combinations of the
    two, ``max_new`` outside 1 to 12, ``shown`` outside 1 to 10, a vocabulary of another size than the model's, and as
    :func:`~course_lib.decoding.beam_search`.
    """
    widths, penalties = list(dict.fromkeys(widths)), [float(p) for p in dict.fromkeys(penalties)]
    if not widths or not all(1 <= width <= WIDEST for width in widths):
        raise ValueError(f"widths={widths} must be one or more numbers from 1 to {WIDEST}, or the tree has no room")
    if not penalties or not all(0 <= penalty < math.inf for penalty in penalties):
        raise ValueError(f"penalties={penalties} must be one or more numbers that are not negative")
    if len(widths) * len(penalties) > RUNS:
        raise ValueError(f"{len(widths)} widths with {len(penalties)} penalties are too many: give {RUNS} runs at most")
    if not 1 <= max_new <= LONGEST or not 1 <= shown <= 10:
        raise ValueError(f"max_new={max_new} must be 1 to {LONGEST}, and shown={shown} 1 to 10")
    with _evaluating(model), torch.no_grad():
        runs = [_recorded(model, vocab, prompt, w, max_new, a, stop, shown) for a in penalties for w in widths]
        log_q = cache(lambda text: model(torch.tensor([[*prompt, *text]]))[0, -1].double().log_softmax(-1).tolist())
        best = [_best_text(log_q, vocab, max_new, a, stop) for a in penalties]
    data = {"widths": widths, "penalties": penalties, "runs": runs, "best": best}
    return Widget("beam_player", title, data, _beam_table(data))


def _recorded(model: Model, vocab: Vocabulary, prompt, width: int, max_new: int, penalty: float, stop: int, shown: int):
    """One search as the script reads it: its steps, and the texts found, the best first."""
    read: list[tuple[list[list[int]], list[list[float]]]] = []

    def listening(ids):
        logits = model(ids)
        if logits.shape[-1] != len(vocab):
            raise ValueError(f"the model has {logits.shape[-1]} tokens and vocab {len(vocab)}: give the model's own")
        read.append((ids[:, len(prompt) :].tolist(), logits[:, -1].double().log_softmax(-1).tolist()))
        return logits

    found = beam_search(listening, prompt, width, max_new, penalty=penalty, stop=stop)
    totals, steps = {(): 0.0}, []
    for length, (kept, log_q) in enumerate(read, 1):
        ranked = sorted(
            (-totals[tuple(text)] - value, row, token)
            for row, text in enumerate(kept)
            for token, value in enumerate(log_q[row])
            if value > -math.inf
        )
        going, following = 0, [[] for _ in kept]
        for rank, (total, row, token) in enumerate(ranked):
            ends = token == stop
            if (ends or length == max_new) and rank < width:
                fate = FINISHED
            elif not ends and going < width and length < max_new:
                going += 1
                fate = KEPT if length < len(read) else LEFT
            else:
                fate = DROPPED
            totals[*kept[row], token] = -total
            following[row].append([vocab.token(token), _short(log_q[row][token]), _short(-total), fate, rank])
        steps.append({
            "kept": [[vocab.token(i) for i in text] for text in kept],
            "totals": [_short(totals[tuple(text)]) for text in kept],
            "next": [[e for i, e in enumerate(row) if i < shown or e[3] != DROPPED] for row in following],
            "count": [len(row) for row in following],
        })  # fmt: skip
    texts = [_text_found(vocab, [*one.ids, *[stop] * one.ended], one.log_prob, one.score) for one in found]
    return {"width": width, "penalty": penalty, "steps": steps, "found": texts}


def _text_found(vocab: Vocabulary, ids: Sequence[int], log_prob: float, score: float) -> dict:
    return {"words": [vocab.token(i) for i in ids], "logProb": _short(log_prob), "score": _short(score)}


def _best_text(log_q: Callable, vocab: Vocabulary, max_new: int, penalty: float, stop: int) -> dict | None:
    """The text with the largest log q / length^penalty, of those that end or have ``max_new`` tokens; None if too far.

    Best-first: the score of a whole text, or for a beginning the largest that any text can have that goes on from it.
    """
    queue: list[tuple[float, tuple[int, ...], float, bool]] = [(0.0, (), 0.0, False)]
    for _ in range(SEARCHED):
        bound, text, total, whole = heapq.heappop(queue)
        if whole:
            return _text_found(vocab, text, total, -bound)
        for token, value in enumerate(log_q(text)):
            if value > -math.inf:
                longer, new = (*text, token), total + value
                ends = token == stop or len(longer) == max_new
                length = len(longer) if ends else max_new
                heapq.heappush(queue, (-new / length**penalty, longer, new, ends))
    return None


def _beam_table(data: Mapping) -> str:
    """What each width finds beside the best text, and every step of the first search."""
    several = len(data["penalties"]) > 1
    lines = [(f"width {run['width']}", run["penalty"], run["found"][0]) for run in data["runs"]]
    lines += [("the best of all", a, one) for a, one in zip(data["penalties"], data["best"], strict=True) if one]
    found = [
        (name, *([f"{a:g}"] if several else []), " ".join(one["words"]), f"{one['logProb']:.3f}", f"{one['score']:.3f}")
        for name, a, one in lines
    ]
    heads = ["Search", *(["Penalty"] if several else []), "Text", "ln q", "Score"]
    first = data["runs"][0]
    steps = [
        (t, " ".join(text) or "nothing", word, f"{log_p:.3f}", f"{total:.3f}", fate)
        for t, step in enumerate(first["steps"], 1)
        for text, row in zip(step["kept"], step["next"], strict=True)
        for word, log_p, total, fate, _ in row
    ]
    unknown = "" if all(data["best"]) else "<p>There are too many texts to look for the best of all.</p>"
    return (
        f"<p>The score is ln q divided by the length to the power of the penalty.</p>{_table(heads, found)}{unknown}"
        f"<p>Every step with width {first['width']}:</p>"
        + _table(["Step", "Text", "Next word", "ln p", "ln q", "What becomes of it"], steps)
    )


# ---- bending -------------------------------------------------------------------------------------------------------

BENDS = {
    "as it is": {},
    "temperature 0.5": {"temperature": 0.5},
    "temperature 2": {"temperature": 2.0},
    "top-k 3": {"top_k": 3},
    "top-p 0.9": {"top_p": 0.9},
    "min-p 0.1": {"min_p": 0.1},
}  # what the table shows


def distribution_bender(presets: Mapping[str, Any], seed: int = 0, title: str = "Bending a distribution") -> Widget:
    """Bend a next-token distribution by temperature, top-k, top-p and min-p, and draw from what is left.

    ``presets`` maps names to distributions, each a mapping from words to probabilities, or is one such distribution.
    The rules and their order are those of :func:`course_lib.decoding.bent`. The ten most probable words are drawn, the
    others pooled; entropies are in nats. The same ``seed`` gives the same draws.
    Errors: ValueError for no distribution or more than 8, for one of fewer than 2 words or more than 2,000, or one
    that does not sum to 1.
    """
    if presets and not any(isinstance(one, Mapping) for one in presets.values()):
        presets = {"the distribution": presets}
    if len(_filled(presets, "presets")) > 8:
        raise ValueError(f"{len(presets)} distributions given: give 1 to 8, each with a name")
    ready = []
    for name, given in presets.items():
        p = _distribution(given, f"{name!r}")
        if not 2 <= len(p) <= 2000:
            raise ValueError(f"{name!r} has {len(p)} words: give 2 to 2,000, the rest pooled as one of them")
        words = sorted(p, key=p.__getitem__, reverse=True)
        ready.append({"name": str(name), "words": words, "p": [float(f"{p[w]:.6g}") for w in words]})
    table = "".join(f"<p>{_text(one['name'])}</p>{_bent_table(one)}" for one in ready)
    return Widget("distribution_bender", title, {"presets": ready, "seed": int(seed), "rows": ROWS}, table)


def _bent_table(preset: Mapping) -> str:
    """Probabilities after some bends, their entropies and how many words they leave."""
    logits = torch.tensor(preset["p"], dtype=torch.double).log()
    after = [bent(logits, **settings) for settings in BENDS.values()]
    rows = [(word, *(f"{p[i]:.3f}" for p in after)) for i, word in enumerate(preset["words"][:ROWS])]
    if rest := len(preset["words"]) - len(rows):
        rows.append((f"other ({rest})", *(f"{float(p[ROWS:].sum()):.3f}" for p in after)))
    rows.append(("Words kept", *(int((p > 0).sum()) for p in after)))
    rows.append(("Entropy (nats)", *(f"{float(torch.special.entr(p).sum()):.3f}" for p in after)))
    return _table(["Word", *BENDS], rows)


# ---- helpers -------------------------------------------------------------------------------------------------------


def _short(value: float) -> float:
    """To six decimals: more than is shown, and short in JSON."""
    return round(value, 6) + 0.0

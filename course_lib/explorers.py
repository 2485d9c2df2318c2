"""Interactive figures to explore what a model has learned: a map of words, a decoder at work, what attention looks at.

Each function returns a :class:`~course_lib.widgets.Widget` whose page carries a rounded copy of the numbers given here;
where scripts do not run, a table computed in Python stands in its place.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from course_lib.widgets import Widget, _fields, _filled, _table, _text

__all__ = ["attention_explorer", "decoding_player", "embedding_map"]

MAP_NUMBERS = 18_000  # what one page carries at most, so that it stays below 150 kB
WEIGHTS, WEIGHT_ROWS, LONGEST = 16_000, 1_000, 40
SHOWN = 5  # next words that are drawn


# ---- chapter 8 -----------------------------------------------------------------------------------------------------


def embedding_map(
    points_by_step: Mapping[object, ArrayLike] | ArrayLike,
    words: Sequence[str],
    groups: Mapping[str, Sequence[str]] | None = None,
    vectors_by_step: Mapping[object, ArrayLike] | ArrayLike | None = None,
    neighbours: int = 5,
    analogy: Sequence[str] | None = None,
    title: str = "A map of the words",
) -> Widget:
    """Words as points of a plane that move through training; pick one and see its neighbours by cosine.

    ``points_by_step`` maps each step of training to points (V, 2), ``vectors_by_step`` the same steps to the vectors
    (V, D) that cosines are taken of; without it, the points themselves. Give one array for a single step. ``groups``
    names up to 4 groups of words, drawn apart. With ``analogy``, three words (a, b, c), the reader can also ask which
    other word has the largest cosine with b - a + c, as :meth:`course_lib.embeddings.Embeddings.analogy` does.
    Errors: ValueError for fewer than 3 words or more than 200, for repeated words, for arrays of other shapes or with
    values that are not finite, for a vector of zeros, for groups or an analogy with unknown or repeated words, for
    neighbours outside 1 to 10, or for more numbers than a page should carry.
    """
    words = [str(word) for word in words]
    if not 3 <= len(words) <= 200 or len(set(words)) < len(words):
        raise ValueError(f"{len(words)} words given, {len(set(words))} different ones: give 3 to 200, each once")
    if not 1 <= neighbours <= 10:
        raise ValueError(f"neighbours={neighbours} must be 1 to 10, or the list is longer than the map")
    points = _by_step(points_by_step, "points", len(words), 2)
    vectors = points if vectors_by_step is None else _by_step(vectors_by_step, "vectors", len(words))
    if list(vectors) != list(points):
        raise ValueError(f"vectors has the steps {list(vectors)[:6]} and points {list(points)[:6]}: make them the same")
    lengths = {step: _lengths(v, words) for step, v in vectors.items()}
    if (numbers := sum(v.size for v in [*points.values(), *vectors.values()])) > MAP_NUMBERS:
        raise ValueError(f"{numbers:,} numbers are too many for a page (at most {MAP_NUMBERS:,}): show fewer steps or "
                         "words")  # fmt: skip
    scale = max(float(np.abs(p).max()) for p in points.values()) or 1.0
    names, member = _groups(groups, words)
    triple = None if analogy is None else _triple(analogy, words)
    data = {
        "words": words, "groups": names, "member": member, "neighbours": min(neighbours, len(words) - 1),
        "steps": [f"step {step:,}" if isinstance(step, int) else str(step) for step in points],
        "points": [_thousandths(p / scale) for p in points.values()], "plane": vectors_by_step is None,
        "vectors": [_thousandths(vectors[step] / lengths[step]) for step in points],
        "lengths": [[float(f"{v:.4g}") for v in lengths[step][:, 0]] for step in points], "analogy": triple,
    }  # fmt: skip
    table = _map_table(words, names, member, dict(zip(data["steps"], vectors.values(), strict=True)), triple)
    return Widget("embedding_map", title, data, table)


def _by_step(given, name: str, rows: int, columns: int | None = None) -> dict[object, np.ndarray]:
    """Arrays by step, all of one shape (rows, columns)."""
    arrays = {step: _array(v) for step, v in (given if isinstance(given, Mapping) else {"": given}).items()}
    first = next(iter(_filled(list(arrays.values()), name)))
    shape = rows, columns or first.size // rows
    for step, array in arrays.items():
        if array.shape != shape:
            raise ValueError(f"{name} of step {step!r} have shape {array.shape}: give {shape}, a row for each word")
        if not np.isfinite(array).all():
            raise ValueError(f"{name} of step {step!r} hold a value that is not finite")
    return arrays


def _lengths(vectors: np.ndarray, words: Sequence[str]) -> np.ndarray:
    """Lengths of the rows, (V, 1), none of them 0."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not norms.all():
        raise ValueError(f"{words[int(norms.argmin())]!r} has a vector of zeros, which has no cosine: leave it out")
    return norms


def _groups(groups: Mapping[str, Sequence[str]] | None, words: list[str]) -> tuple[list[str], list[int]]:
    """Names of the groups, and for each word the number of its own; words in none are "other"."""
    if not groups:
        return [], [0] * len(words)
    if len(groups) > 4:
        raise ValueError(f"{len(groups)} groups given: give 1 to 4, or they cannot be told apart")
    member: dict[str, int] = {}
    for number, (name, inside) in enumerate(groups.items()):
        for word in inside:
            if word not in words or word in member:
                raise ValueError(f"group {name!r} has {word!r}, which is in two groups or not among the words")
            member[word] = number
    names = [str(name) for name in groups] + ["other"] * (len(member) < len(words))
    return names, [member.get(word, len(groups)) for word in words]


def _triple(analogy: Sequence[str], words: list[str]) -> list[int]:
    if len(analogy) != 3 or len(set(analogy)) < 3 or not set(analogy) <= set(words):
        raise ValueError(f"analogy={analogy!r} must be three different words of the map: (a, b, c)")
    if len(words) == 3:
        raise ValueError("an analogy needs a fourth word that can be the answer")
    return [words.index(word) for word in analogy]


def _nearest(vectors: np.ndarray, target: np.ndarray, leave_out: Sequence[int], words: Sequence[str]) -> str:
    """The three words with the largest cosine, and the cosines, as text."""
    cosines = vectors @ target / (np.linalg.norm(vectors, axis=1) * (np.linalg.norm(target) or 1.0))
    order = [i for i in np.argsort(-cosines, kind="stable") if i not in leave_out][:3]
    return ", ".join(f"{words[i]} {cosines[i]:.2f}" for i in order)


def _map_table(words, names, member, vectors: Mapping[str, np.ndarray], triple) -> str:
    """The neighbours of each word at the first and the last step, and the answer to the analogy at the last."""
    steps, last = list(vectors), list(vectors.values())[-1]
    ends = list(dict.fromkeys([steps[0], steps[-1]]))
    heads = ["Word", *(["Group"] if names else []), *(f"Nearest words{step and f', {step}'}" for step in ends)]
    rows = [
        (word, *([names[member[i]]] if names else []), *(_nearest(v, v[i], [i], words) for v in map(vectors.get, ends)))
        for i, word in enumerate(words)
    ]
    line = ""
    if triple:
        a, b, c = triple
        answers = _nearest(last, last[b] - last[a] + last[c], triple, words)
        line = f"<p>{_text(f'{words[a]} is to {words[b]} as {words[c]} is to: {answers}')}</p>"
    return f"<p>Behind each neighbour stands the cosine.</p>{_table(heads, rows)}{line}"


# ---- chapter 9 -----------------------------------------------------------------------------------------------------


def decoding_player(
    runs: Mapping[str, Sequence[Mapping[str, object]]],
    source: Sequence[str] = (),
    reference: Sequence[str] = (),
    title: str = "The decoder, word by word",
) -> Widget:
    """Step through a translation: what the decoder reads, its five most probable next words, and what it says.

    ``runs`` maps a name ("teacher forcing", "its own words") to the steps of a recorded run, each with ``input`` (the
    word read), ``candidates`` (word -> probability, all of them or the largest) and ``chosen`` (if it is left out, the
    most probable). ``source`` is what is translated; ``reference`` the right words, end mark included, by which what
    the decoder says is marked right or wrong.
    Errors: ValueError for no run or more than 4, a run with no step or more than 60, a step without input or
    candidates, one whose candidates are no probabilities or lack what was chosen, or a sentence given as one string.
    """
    for name, sentence in (("source", source), ("reference", reference)):
        if isinstance(sentence, str):
            raise ValueError(f"{name}={sentence!r} is one string: give a list of words")
    if not 1 <= len(runs) <= 4:
        raise ValueError(f"{len(runs)} runs given: give 1 to 4, each with a name")
    ready = []
    for name, steps in runs.items():
        if not 1 <= len(steps) <= 60:
            raise ValueError(f"run {name!r} has {len(steps)} steps: give 1 to 60")
        ready.append([str(name), [_decoded(f"step {t} of {name!r}", step) for t, step in enumerate(steps, 1)]])
    right = [str(word) for word in reference]
    data = {"runs": ready, "source": [str(word) for word in source], "reference": right}
    sentences = [f"<p>{head}: {_text(' '.join(data[key]))}</p>" for head, key in
                 (("To translate", "source"), ("The right words", "reference")) if data[key]]  # fmt: skip
    tables = [f"<p>{_text(name)}</p>{_run_table(steps)}" for name, steps in ready]
    return Widget("decoding_player", title, data, "".join([*sentences, *tables]))


def _decoded(where: str, step: Mapping[str, object]) -> dict:
    """One step as the script reads it: the chosen word is always among those shown."""
    word, candidates = _fields(step, ("input", "candidates"), where)
    p = {str(token): float(value) for token, value in _filled(candidates, f"{where}: candidates").items()}
    if not all(0 <= value <= 1.001 for value in p.values()) or math.fsum(p.values()) > 1.001:
        raise ValueError(f"{where} has candidates that are no probabilities, with sum {math.fsum(p.values()):.4g}: "
                         "take the softmax of the logits")  # fmt: skip
    best = sorted(p, key=p.__getitem__, reverse=True)
    chosen = str(step.get("chosen", best[0]))
    if chosen not in p:
        raise ValueError(f"{where} chose {chosen!r}, which is not among its candidates: add it")
    shown = best[:SHOWN] if chosen in best[:SHOWN] else [*best[: SHOWN - 1], chosen]
    return {"input": str(word), "chosen": chosen, "shown": [[w, round(p[w], 4)] for w in shown]}


def _run_table(steps: Sequence[Mapping]) -> str:
    rows = [
        (t, s["input"], s["chosen"], ", ".join(f"{word} {p:.3f}" for word, p in s["shown"]))
        for t, s in enumerate(steps, 1)
    ]
    return _table(["Step", "Reads", "Says", "Most probable next words"], rows)


# ---- chapter 10 ----------------------------------------------------------------------------------------------------


def attention_explorer(
    tokens: Sequence[str] | None = None,
    weights: ArrayLike | None = None,
    columns: Sequence[str] | None = None,
    examples: Sequence[Mapping[str, object]] = (),
    title: str = "Where each head looks",
) -> Widget:
    """Pick a word and see where each head looks from there.

    ``tokens`` (T words) look at ``columns`` (S words; without them at themselves). ``weights`` have shape (layers,
    heads, T, S), (heads, T, S) or (T, S); each row sums to 1, or is 0 where nothing may be looked at. ``examples`` are
    more of the same, to choose from: dicts with ``tokens``, ``weights`` and, if you like, ``columns`` and ``name``.
    Where no word looks at a later one of its own text, the later ones are shown as hidden.
    Errors: ValueError without any example, for shapes that clash, rows that are no distribution, sentences longer than
    40, examples with different numbers of heads, or more numbers than a page should carry.
    """
    given = [] if tokens is None else [{"tokens": tokens, "weights": weights, "columns": columns}]
    ready = [_looked(f"example {i}", e) for i, e in enumerate(_filled([*given, *examples], "examples"))]
    arrays = [e.pop("array") for e in ready]
    for i, array in enumerate(arrays):
        if (heads := array.shape[:2]) != (first := arrays[0].shape[:2]):
            raise ValueError(f"example {i} has {heads} layers and heads, example 0 has {first}: show two figures")
    numbers, rows = sum(a.size for a in arrays), sum(a[..., 0].size for a in arrays)
    if numbers > WEIGHTS or rows > WEIGHT_ROWS:
        raise ValueError(f"{numbers:,} weights in {rows:,} rows are too many for a page (at most {WEIGHTS:,} in "
                         f"{WEIGHT_ROWS:,}): show fewer heads, or fewer or shorter examples")  # fmt: skip
    table = "".join(_looked_table(e, a, len(ready) > 1) for e, a in zip(ready, arrays, strict=True))
    return Widget("attention_explorer", title, {"examples": ready}, table)


def _looked(where: str, entry: Mapping[str, object]) -> dict:
    """One example as the script reads it, and its weights as an "array" (L, h, T, S)."""
    tokens, weights = _fields(entry, ("tokens", "weights"), where)
    own = entry.get("columns") is None
    columns = tokens if own else entry["columns"]
    if isinstance(tokens, str) or isinstance(columns, str):
        raise ValueError(f"{where} has a string in place of words: give lists of words")
    if not (1 <= len(tokens) <= LONGEST and 1 <= len(columns) <= LONGEST):
        raise ValueError(f"{where} has {len(tokens)} and {len(columns)} words: give 1 to {LONGEST}")
    array = _array(weights)
    if array.ndim not in (2, 3, 4) or array.shape[-2:] != (len(tokens), len(columns)) or not array.size:
        raise ValueError(f"{where} has weights of shape {array.shape} for {len(tokens)} words that look at "
                         f"{len(columns)}: give (layers, heads, {len(tokens)}, {len(columns)})")  # fmt: skip
    array = array.reshape((1,) * (4 - array.ndim) + array.shape)
    sums = array.sum(-1)
    if not (array >= -1e-6).all() or not (np.isclose(sums, 1, atol=1e-3) | (sums == 0)).all():
        raise ValueError(f"{where} has weights that are negative or rows that do not sum to 1 (nor are all 0): "
                         "take the softmax over the last axis")  # fmt: skip
    return {
        "name": str(entry.get("name") or " ".join(map(str, tokens))),
        "rows": [str(t) for t in tokens], "columns": [str(t) for t in columns], "own": own,
        "causal": own and len(tokens) > 1 and not np.triu(array, 1).any(),
        "weights": [[_thousandths(head) for head in layer] for layer in array], "array": array,
    }  # fmt: skip


def _looked_table(example: Mapping, array: np.ndarray, named: bool) -> str:
    """For each word and head, the word looked at most and its weight."""
    L, h, T, _ = array.shape
    names = [f"{f'layer {i + 1}, ' if L > 1 else ''}head {j + 1}" for i in range(L) for j in range(h)]
    best = array.reshape(L * h, T, -1)
    rows = [
        (word, *(f"{example['columns'][head[t].argmax()]} {head[t].max():.2f}" for head in best))
        for t, word in enumerate(example["rows"])
    ]
    heading = f"<p>{_text(example['name'])}</p>" if named else ""
    return f"{heading}<p>What each word looks at most, and its weight.</p>{_table(['Word', *names], rows)}"


# ---- helpers -------------------------------------------------------------------------------------------------------


def _array(values: ArrayLike) -> np.ndarray:
    """The same as floats in NumPy; a tensor is taken off its graph first."""
    return np.asarray(values.detach().cpu() if hasattr(values, "detach") else values, dtype=float)


def _thousandths(array: np.ndarray) -> list[int]:
    """All entries in one row, in units of 0.001: short in JSON."""
    return np.rint(1000 * array).astype(int).ravel().tolist()

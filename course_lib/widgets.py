"""Interactive figures that need nothing but the page they are on: plain SVG and JavaScript, no network.

Each function returns a :class:`Widget`; put it last in a cell. Its data are embedded as JSON and its script
is inlined from ``static/``, so that it works alike in JupyterLab, in the built book and in an exported page.
Where scripts do not run, and on paper, a table of the same content stands in its place.
"""

from __future__ import annotations

import hashlib
import html
import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from itertools import pairwise

from course_lib.tokens import BOS, EOS

ROWS = 12  # outcomes drawn one by one; the rest are pooled


class Widget:
    """An interactive figure: ``kind`` names its script, ``data`` is what that reads, ``table`` replaces it.

    ``id`` is a hash of kind and data, so that the same figure has the same id in every build.
    Errors: ValueError when the data hold a number that is not finite.
    """

    def __init__(self, kind: str, title: str, data: Mapping[str, object], table: str):
        self.kind, self.title, self.table = kind, title, table
        content = {"title": title, **data}
        self.json = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        self.id = f"{kind.replace('_', '-')}-{hashlib.sha256(self.json.encode()).hexdigest()[:10]}"

    def __repr__(self) -> str:
        return f"<Widget {self.kind}: {self.title}>"

    def _repr_html_(self) -> str:
        """The figure as one piece of HTML: style, substitute table, data, script."""
        data = self.json.replace("<", "\\u003c")  # so that no text can close the script element
        return (
            f'<div class="course-widget tex2jax_ignore mathjax_ignore" data-kind="{self.kind}" '
            f'data-course-widget="{self.id}" role="group" aria-label="{_text(self.title)}">\n'
            f'<style>{_static("widgets.css")}</style>\n'
            f'<p class="cw-title">{_text(self.title)}</p>\n<div class="cw-static">{self.table}</div>\n'
            f'<script type="application/json">{data}</script>\n</div>\n'
            f"<script>{_static('shared.js')}{_static(self.kind + '.js')}"
            f"courseWidgets.start('{self.id}');</script>"
        )


# ---- the figures ---------------------------------------------------------------------------------


def weighted_die(distribution: Mapping[str, float], title: str = "A weighted die", seed: int = 0) -> Widget:
    """Roll the next-token distribution: counts beside probabilities, average surprise beside entropy (nats).

    ``distribution`` maps each token to its probability; beyond 12, the least probable are pooled as "other".
    Errors: ValueError when it is empty, or when its values are not probabilities that sum to one.
    """
    p = _distribution(distribution, "the distribution")
    tokens = sorted(p, key=p.__getitem__, reverse=True)
    rows = len(tokens) if len(tokens) <= ROWS else ROWS - 1
    entropy = math.fsum(-q * math.log(q) for q in p.values() if q > 0)
    lines = [(token, f"{p[token]:.4f}") for token in tokens[:rows]]
    if rows < len(tokens):
        lines.append((f"other ({len(tokens) - rows})", f"{math.fsum(p[t] for t in tokens[rows:]):.4f}"))
    table = _table(["Outcome", "Probability"], lines) + f"<p>Entropy: {entropy:.4f} nats.</p>"
    data = {"tokens": tokens, "p": [p[t] for t in tokens], "rows": rows, "entropy": entropy}
    return Widget("weighted_die", title, {**data, "seed": int(seed)}, table)


def chain(steps: Sequence[Mapping[str, object]], title: str = "The chain rule, token by token") -> Widget:
    """Walk through a text: at each token its distribution, the running product and sum of logs (nats).

    Each step has ``context`` (a string or a list of tokens: what the model sees), ``token`` (what comes next)
    and ``candidates`` (the distribution of the next token).
    Errors: ValueError when there is no step, when a step lacks one of the three, when its candidates are no
    distribution, or when they give its token probability zero.
    """
    walked = [_chain_step(i, step) for i, step in enumerate(_filled(steps, "steps"))]
    total, lines = 0.0, []
    for step in walked:
        total += math.log(step["p"])
        product = f"{math.exp(total):.3g}" if math.exp(total) else "0 (underflow)"
        numbers = f"{step['p']:.4f}", product, f"{total:.3f}"
        lines.append((step["token"], step["context"] or "nothing", *numbers))
    table = _table(["Token", "Context", "p", "Product", "Sum of ln p (nats)"], lines)
    return Widget("chain", title, {"steps": walked}, table)


def context_explorer(sentences: Iterable[Sequence[str]], order: int = 3, examples: Sequence[str] = (),
                     title: str = "The counts behind a prediction") -> Widget:
    """Ask what followed a context in a text: counts, count/total, where; if never seen, a shorter context.

    ``sentences`` are lists of words without start and end marks. At first ``order`` - 1 words of context are
    used; the reader may choose 0 to 4. ``examples`` are contexts to try ("the old"), the first of them shown
    at the start; without them, frequent ones are taken. The page itself counts, over 30,000 words or so.
    Errors: ValueError without sentences, for a string in place of a list, or for an order outside 1 to 5.
    """
    if order not in range(1, 6):
        raise ValueError(f"order={order} must be 1 to 5: the figure uses 0 to 4 words of context")
    sentences = _filled(list(sentences), "sentences")
    for i, sentence in enumerate(sentences):
        if isinstance(sentence, str):
            raise ValueError(f"sentence {i} is the string {sentence[:30]!r}: give a list of words")
    if isinstance(examples, str):
        raise ValueError(f"examples={examples!r} is one string: give a list of contexts")
    stream = [word for sentence in sentences for word in (BOS, *sentence, EOS)]
    vocabulary = [w for w, _ in Counter(stream).most_common()]  # frequent first: short numbers, small page
    number = {word: i for i, word in enumerate(vocabulary)}
    starts = list(examples) or _frequent_contexts(sentences, order - 1)
    lines = [line for text in starts for line in _context_lines(stream, text.split(), order)]
    table = _table(["Context", "Next word", "Count", "Probability"], lines)
    data = {"vocabulary": vocabulary, "ids": [number[w] for w in stream], "marks": [BOS, EOS], "order": order}
    return Widget("context_explorer", title, {**data, "examples": starts}, table)


def which_is_real(rounds: Sequence[Mapping[str, str]], question: str = "Which passage did a person write?",
                  real_name: str = "the text", title: str = "Which one is real?") -> Widget:
    """The game: two passages side by side, one real, one made up by a model; at the end the score by model.

    Each round has ``real``, ``fake`` and ``source`` (what made the fake: "1-gram"); ``real_name`` says where
    the real passages come from. Which stands left is fixed by a hash of the two.
    Errors: ValueError without rounds, or when a round lacks one of the three or has the same passage twice.
    """
    ready = []
    for i, entry in enumerate(_filled(rounds, "rounds")):
        real, fake, source = map(str, _fields(entry, ("real", "fake", "source"), f"round {i}"))
        if real == fake:
            raise ValueError(f"round {i} has {real[:40]!r} as real and as fake: leave it out")
        first = hashlib.sha256(f"{real}|{fake}".encode()).digest()[0] % 2 == 0
        ready.append({"real": real, "fake": fake, "source": source, "first": first})
    pairs = [(i, *[r["real"], r["fake"]][:: 1 if r["first"] else -1]) for i, r in enumerate(ready, 1)]
    answers = [(i, "A" if r["first"] else "B", r["source"]) for i, r in enumerate(ready, 1)]
    key = _table(["Round", "Real", "The other was made up by"], answers)
    table = (f"<p>{_text(question)}</p>{_table(['Round', 'Passage A', 'Passage B'], pairs)}"
             f"<details><summary>Answers</summary>{key}</details>")
    data = {"rounds": ready, "question": question, "real_name": real_name}
    return Widget("which_is_real", title, data, table)


def curve(x: Sequence[float], series: Mapping[str, Sequence[float]], xlabel: str, ylabel: str,
          reference: Mapping[str, float] | None = None, title: str | None = None) -> Widget:
    """Up to five curves over one x, read out where a slider points; ``reference`` adds named level lines.

    Errors: ValueError when a curve has not one finite value for each x, when x does not increase, when there
    are fewer than two points, no curve, or more than five.
    """
    xs = [float(v) for v in x]
    if len(xs) < 2 or any(b <= a for a, b in pairwise(xs)):
        raise ValueError(f"x={xs[:8]} must be two values or more, each above the last: sort, drop repeats")
    if not 1 <= len(series) <= 5:
        raise ValueError(f"{len(series)} curves given: draw 1 to 5, or they cannot be told apart")
    ys = {name: [float(v) for v in values] for name, values in series.items()}
    for name, values in ys.items():
        if len(values) != len(xs):
            raise ValueError(f"series {name!r} has {len(values)} values, x has {len(xs)}: give one for each")
    lines = {name: float(value) for name, value in (reference or {}).items()}
    for name, values in [("x", xs), *ys.items(), *((n, [v]) for n, v in lines.items())]:
        if not all(map(math.isfinite, values)):
            raise ValueError(f"{name!r} holds a value that is not finite: leave that point out, or cap it")
    at = [[*(values[i] for values in ys.values()), *lines.values()] for i in range(len(xs))]
    body = [(f"{v:g}", *(f"{value:.4g}" for value in row)) for v, row in zip(xs, at, strict=True)]
    data = {"x": xs, "series": ys, "xlabel": xlabel, "ylabel": ylabel, "reference": lines}
    return Widget("curve", title or f"{ylabel} against {xlabel}", data, _table([xlabel, *ys, *lines], body))


# ---- helpers -------------------------------------------------------------------------------------


@cache
def _static(name: str) -> str:
    return (files("course_lib") / "static" / name).read_text(encoding="utf-8")


def _text(value: object) -> str:
    return html.escape(str(value))


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """An HTML table whose first column names the rows."""
    top = "".join(f'<th scope="col">{_text(cell)}</th>' for cell in head)
    body = "".join(
        f'<tr><th scope="row">{_text(first)}</th>{"".join(f"<td>{_text(cell)}</td>" for cell in rest)}</tr>'
        for first, *rest in rows)
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def _filled(items: Sequence, name: str) -> Sequence:
    if not len(items):
        raise ValueError(f"{name} is empty: give at least one")
    return items


def _fields(entry: Mapping[str, object], names: Sequence[str], where: str) -> list:
    if missing := [name for name in names if name not in entry]:
        raise ValueError(f"{where} has no {missing[0]!r}, only {sorted(entry)}: give {', '.join(names)}")
    return [entry[name] for name in names]


def _distribution(given: Mapping[str, float], name: str) -> dict[str, float]:
    """The same with plain numbers, or a ValueError that names what is wrong with it."""
    if not given:
        raise ValueError(f"{name} is empty: give at least one token with its probability")
    p = {str(token): float(value) for token, value in given.items()}
    for token, value in p.items():
        if not (math.isfinite(value) and value >= 0):
            raise ValueError(f"{name} gives {token!r} the value {value}: make it finite and not negative")
    if abs((total := math.fsum(p.values())) - 1) > 1e-6:
        raise ValueError(f"{name} sums to {total:.8g}, not to 1: divide by the sum, or add what was left out")
    return p


def _chain_step(i: int, step: Mapping[str, object]) -> dict:
    """One step as the script reads it: the chosen token is always among the candidates shown."""
    context, token, candidates = _fields(step, ("context", "token", "candidates"), f"step {i}")
    p, token = _distribution(candidates, f"step {i}'s candidates"), str(token)
    if not p.get(token):
        raise ValueError(f"step {i} goes on with {token!r}, which its candidates lack or give probability 0: "
                         "the product would be 0; use a smoothed model, or another text")
    best = sorted(p, key=p.__getitem__, reverse=True)
    shown = best[:6] if token in best[:6] else [*best[:5], token]
    rest = [len(p) - len(shown), math.fsum(p[t] for t in p if t not in shown)]
    text = context if isinstance(context, str) else " ".join(map(str, context))
    return {"context": text, "token": token, "p": p[token], "shown": [[t, p[t]] for t in shown], "rest": rest}


def _frequent_contexts(sentences: Sequence[Sequence[str]], length: int) -> list[str]:
    """A few frequent contexts of that many words, the most frequent first."""
    counts = Counter(" ".join(s[i:i + length]) for s in sentences for i in range(len(s) - length + 1))
    return [context for context, _ in counts.most_common(5)] or [BOS]


def _context_lines(stream: list[str], given: list[str], order: int) -> list[tuple]:
    """Rows (context, next word, count, probability) for the five most frequent next words."""
    context = given[max(0, len(given) - order + 1):]
    n = len(context)
    found = Counter(w for t, w in enumerate(stream) if w != BOS and t >= n and stream[t - n:t] == context)
    name, total = " ".join(context) or "nothing", found.total()
    rows = [(name, word, c, f"{c}/{total} = {c / total:.3f}") for word, c in found.most_common(5)]
    return rows or [(name, "never seen", 0, "0/0")]

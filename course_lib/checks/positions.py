"""Checks for the chapter on transformers, on positions and on what each block knows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from course_lib.checks import Result, compare


def _table(T, D, base=10_000.0, exponent=None, start=0, halves=False, swap=False):
    """Sinusoids (T, D): sine in column 2i, cosine in 2i + 1."""
    i = np.arange(D // 2)
    frequency = base ** -(2 * i / D) if exponent is None else exponent(i, D)
    angle = np.arange(start, start + T)[:, None] * frequency
    pair = [np.cos(angle), np.sin(angle)] if swap else [np.sin(angle), np.cos(angle)]
    return np.concatenate(pair, axis=1) if halves else np.stack(pair, axis=-1).reshape(T, D)


def sinusoids(answer: Callable) -> Result:
    """``answer(T, D)`` -> (T, D), the sinusoids of places 0 to T - 1."""

    def alone(T, D, factor=1):
        """A frequency of its own for each column."""
        j = np.arange(D)
        angle = np.arange(T)[:, None] * 10_000.0 ** (-factor * j / D)
        return np.where(j % 2, np.cos(angle), np.sin(angle))

    mistakes = {
        "this is the misprint: the exponent is a fraction, 2i / D, and its base 10,000.": lambda *c: _table(
            *c, exponent=lambda i, D: 1000.0 ** -(2.0 * i)
        ),
        "the exponent is 2i / D, for pair i: with i / D the slowest waves are missing.": lambda *c: _table(
            *c, exponent=lambda i, D: 10_000.0 ** -(i / D)
        ),
        "the exponent is a fraction: divide 2i by D.": lambda *c: _table(
            *c, exponent=lambda i, D: 10_000.0 ** -(2.0 * i)
        ),
        "i is the number of the pair, and 2i that of its first column: yours doubles the column again.": lambda *c: (
            _table(*c, exponent=lambda i, D: 10_000.0 ** -(4 * i / D))
        ),
        "sine and cosine of a pair share a frequency: the exponent is 2i / D in column 2i + 1, too.": alone,
        "i is the number of the pair, not of the column: sine and cosine of a pair share the exponent 2i / D.": lambda *c: (
            alone(*c, factor=2)
        ),
        "the base is 10,000.": lambda *c: _table(*c, base=1000.0),
        "the frequency falls with i: the angle is t divided by the power.": lambda *c: _table(
            *c, exponent=lambda i, D: 10_000.0 ** (2 * i / D)
        ),
        "places are counted from 0.": lambda *c: _table(*c, start=1),
        "sines and cosines take turns: column 2i is the sine, 2i + 1 the cosine of the same angle.": lambda *c: _table(
            *c, halves=True
        ),
        "the sine stands in the even columns, the cosine in the odd ones.": lambda *c: _table(*c, swap=True),
    }
    return compare(answer, _table, [(3, 4), (5, 8), (60, 6)], mistakes, "place 0 is 0, 1, 0, 1, ...")


def shift(answer: Callable) -> Result:
    """``answer(k, D)`` -> M (D, D) with PE(t + k) = PE(t) M for every t, PE(t) a row."""

    def matrix(k, D, transpose=False, one=False, halves=False, double=2, minus=-1):
        M = np.zeros((D, D))
        for i in range(D // 2):
            angle = k * 10_000.0 ** -(0 if one else double * i / D)
            turn = np.array([[np.cos(angle), minus * np.sin(angle)], [np.sin(angle), np.cos(angle)]])
            place = [i, D // 2 + i] if halves else [2 * i, 2 * i + 1]
            M[np.ix_(place, place)] = turn.T if transpose else turn
        return M

    mistakes = {
        "this goes back by k: PE(t) is a row, and stands to the left of M. Transpose your matrix.": lambda *c: matrix(
            *c, transpose=True
        ),
        "each pair turns by its own angle, k times its own frequency.": lambda *c: matrix(*c, one=True),
        "sine and cosine of a frequency are neighbours, columns 2i and 2i + 1: the blocks lie on the diagonal.": lambda *c: (
            matrix(*c, halves=True)
        ),
        "this is the matrix for one step: the angle is k times the frequency.": lambda k, D: matrix(1, D),
        "the exponent is 2i / D, for pair i: yours is i / D.": lambda *c: matrix(*c, double=1),
        "2i is the number of the pair's first column: yours doubles the column again.": lambda *c: matrix(*c, double=4),
        "one of the two sines has a minus: the cosine of a sum is cos cos - sin sin.": lambda *c: matrix(*c, minus=1),
    }
    praise = "M_k is orthogonal, and M_j M_k = M_(j+k)."
    return compare(answer, matrix, [(1, 4), (3, 8), (-2, 6), (40, 4)], mistakes, praise)


def relative(answer: Callable) -> Result:
    """``answer(by_distance)`` (T, T), column d for d places back -> scores (T, T) by place, minus infinity ahead."""

    def by_place(R, ahead=-np.inf, look=lambda t, s: (t, t - s)):
        t, s = np.indices(R.shape)
        row, column = look(t, s)
        return np.where(s <= t, R[row, column % len(R)], R[row, column] if ahead is None else ahead)

    mistakes = {
        "what lies ahead has no distance: its score is minus infinity, so that the softmax gives it no weight.": lambda R: (
            by_place(R, ahead=0.0)
        ),
        "above the diagonal t - s is negative, and NumPy then counts from the end: put minus infinity there.": lambda R: (
            by_place(R, ahead=None)
        ),
        "what lies ahead is at no distance back: put minus infinity there, not the score of |t - s|.": lambda R: (
            by_place(R, None, lambda t, s: (t, abs(t - s)))
        ),
        "column d is for the place d *back*: place s of query t is t - s back.": lambda R: by_place(
            R, look=lambda t, s: (t, s)
        ),
        "place s of query t is t - s back, not s - t: a negative index counts from the end.": lambda R: by_place(
            R, look=lambda t, s: (t, s - t)
        ),
        "distance 0 is the place itself: you are one off.": lambda R: by_place(R, look=lambda t, s: (t, t - s + 1)),
        "the query is the row, the place looked at the column: yours are exchanged.": lambda R: by_place(R).T,
        "the row of by_distance is the query's, t, and not that of the place, s.": lambda R: by_place(
            R, look=lambda t, s: (s, t - s)
        ),
        "the row of by_distance is the query: each query has its own scores for the distances.": lambda R: by_place(
            R, look=lambda t, s: (-1, t - s)
        ),
    }
    rng = np.random.default_rng(0)
    cases = [(rng.standard_normal((T, T)),) for T in (3, 1, 6)]
    praise = "T^2 scores from vectors for T distances, no loop."
    return compare(answer, by_place, cases, mistakes, praise)


def lens(answer: Callable) -> Result:
    """``answer(model, ids)`` -> (blocks + 1, T, V): log q after no block, after one, ..., of a TransformerLM."""
    import torch

    from course_lib.attention import causal_mask
    from course_lib.transformer import TransformerLM

    @torch.no_grad()
    def look(model, ids, norm=True, log=True, mask=True, places=True, first=True, alone=False, twice=False):
        T = ids.shape[1]
        x = model.embedding(ids)
        x = x + model.position.weight[:T] if places else x
        stream = [x]
        for block in model.blocks:
            new, _ = block(x, causal_mask(T) if mask else None)
            new = x + new if twice else new
            stream.append(new - x if alone else new)
            x = new
        z = torch.stack([model.output(model.norm(x) if norm else x)[0] for x in stream[0 if first else 1 :]])
        return z.log_softmax(-1) if log else z

    mistakes = {
        "the last norm is missing: the output was trained to read what comes out of it.": lambda *c: look(
            *c, norm=False
        ),
        "these are logits: a log softmax makes them comparable.": lambda *c: look(*c, log=False),
        "these are probabilities: return their logarithms, log q.": lambda *c: look(*c).exp(),
        "a block without its mask looks ahead.": lambda *c: look(*c, mask=False),
        "the positions have to be added to the embeddings, as the model does.": lambda *c: look(*c, places=False),
        "begin before the first block: blocks + 1 rows.": lambda *c: look(*c, first=False),
        "read the stream, not what a block added to it.": lambda *c: look(*c, alone=True),
        "a block returns the new stream, its input added already: do not add it again.": lambda *c: look(
            *c, twice=True
        ),
    }
    rng = torch.Generator().manual_seed(0)
    cases = []
    for layers, T in ((2, 5), (3, 4)):
        model = TransformerLM(9, 8, 2, layers, 6).double().eval()
        with torch.no_grad():
            for p in model.parameters():
                p.copy_(0.5 * torch.randn(p.shape, generator=rng, dtype=torch.float64))
        cases.append((model, torch.randint(0, 9, (1, T), generator=rng)))
    return compare(answer, look, cases, mistakes, "the last row is what the model says itself.")

"""Wrong answers for the chapter on large language models: {label: [(words of the hint, answer), ...]}."""

import math
from itertools import pairwise

import numpy as np


def _size(V, T, D, L, tied, block=lambda D: 12 * D * D + 13 * D, last=2):
    return L * block(D) + V * D * (1 if tied else 2) + T * D + last * D


def _in_turn(word, merges):
    pieces, changed = list(word), True
    while changed:
        changed = False
        for i in range(len(pieces) - 1):
            if (pieces[i], pieces[i + 1]) in merges:
                pieces[i : i + 2] = [pieces[i] + pieces[i + 1]]
                changed = True
                break
    return pieces


def _by_merges(word, merges, times=-1):
    text = list(word)
    for left, right in merges:
        done = 0
        i = 0
        while i < len(text) - 1:
            if (text[i], text[i + 1]) == (left, right) and done != times:
                text[i : i + 2] = [left + right]
                done += 1
            i += 1
    return text


def _greedy(word, merges):
    known, out = [a + b for a, b in merges], []
    while word:
        best = max([word[0], *(k for k in known if word.startswith(k))], key=len)
        out.append(best)
        word = word[len(best) :]
    return out


def _replaced(word, merges):
    text = " ".join(word)
    for left, right in merges:
        text = text.replace(left + " " + right, left + right)
    return text.split(" ") if text else []


def _one_merge(word, merges):
    for left, right in merges:
        if (left, right) in pairwise(word):
            return _by_merges(word, [(left, right)])
    return list(word)


def _fit(C, losses, floors, logs=False, first=False, law=lambda E: E):
    best = None
    for E in floors:
        if losses.min() <= E:
            continue
        slope, start = np.polyfit(np.log(C), np.log(losses - E), 1)
        if logs:
            error = ((start + slope * np.log(C) - np.log(losses - E)) ** 2).sum()
        else:
            error = ((law(E) + np.exp(start + slope * np.log(C)) - losses) ** 2).sum()
        if best is None or (error < best[0] and not first):
            best = error, E, float(np.exp(start)), float(-slope)
    return best[1:]


def _negated(*a):
    E, scale, b = _fit(*a)
    return E, scale, -b


def _logged(*a):
    E, scale, b = _fit(*a)
    return E, math.log(scale), b


WRONG = {
    "llm-ex-size": [
        ("biases are missing", lambda *a: _size(*a, block=lambda D: 12 * D * D + 4 * D)),
        ("norms are missing", lambda *a: _size(*a, block=lambda D: 12 * D * D + 9 * D)),
        ("last norm", lambda *a: _size(*a, last=0)),
        ("table of positions", lambda V, T, D, L, tied: _size(V, 0, D, L, tied)),
        ("wrong way round", lambda V, T, D, L, tied: _size(V, T, D, L, not tied)),
        ("always tied", lambda V, T, D, L, tied: 12 * L * D**2 + 13 * L * D + V * D + T * D + 2 * D),
        ("no bias here", lambda V, T, D, L, tied: _size(V, T, D, L, tied) + V * (not tied)),
        ("biases and norms", lambda *a: _size(*a, block=lambda D: 12 * D * D)),
    ],
    "llm-ex-days": [
        ("forward pass only", lambda N, D, c, p, u: 2 * N * D / (c * p * u) / 86400),
        ("reach their peak", lambda N, D, c, p, u: 6 * N * D / (c * p) / 86400),
        ("these are seconds", lambda N, D, c, p, u: 6 * N * D / (c * p * u)),
        ("these are hours", lambda N, D, c, p, u: 6 * N * D / (c * p * u) / 3600),
        ("six is missing", lambda N, D, c, p, u: N * D / (c * p * u) / 86400),
        ("MORE days", lambda N, D, c, p, u: 6 * N * D / (c * p) * u / 86400),
        ("single card", lambda N, D, c, p, u: 6 * N * D / (p * u) / 86400),
    ],
    "llm-ex-encode": [
        ("whatever fits first in the WORD", _in_turn),
        ("last merge learned", lambda w, m: _by_merges(w, m[::-1])),
        ("one place only", lambda w, m: _by_merges(w, m, times=1)),
        ("longest known token", _greedy),
        ("whole tokens", _replaced),
        ("only one merge", _one_merge),
    ],
    "llm-ex-memory": [
        ("weights alone", lambda N, c: 2 * N / c / 1e9),
        ("12 bytes", lambda N, c: 12 * N / c / 1e9),
        ("either the gradient", lambda N, c: 14 * N / c / 1e9),
        ("not in 32", lambda N, c: 18 * N / c / 1e9),
        ("these are bits", lambda N, c: 128 * N / c / 1e9),
        ("all cards together", lambda N, c: 16 * N / 1e9),
        ("not 2^30", lambda N, c: 16 * N / c / 1024**3),
    ],
    "llm-ex-split": [
        ("N comes first", lambda C, r: (math.sqrt(C * r / 6), math.sqrt(C / 6 / r))),
        ("six is missing", lambda C, r: (math.sqrt(C / r), math.sqrt(C * r))),
        ("SQUARED", lambda C, r: (C / (6 * r), C / 6)),
        ("split evenly", lambda C, r: (math.sqrt(C / 6), math.sqrt(C / 6))),
        ("forward pass only", lambda C, r: (math.sqrt(C / 2 / r), math.sqrt(C * r / 2))),
        ("leaves out the six", lambda C, r: (math.sqrt(C / 6 / r), C / math.sqrt(C / 6 / r))),
    ],
    "llm-ex-cache": [
        ("keys AND values", lambda B, T, L, h, K, w: B * T * L * h * K * w),
        ("every block", lambda B, T, L, h, K, w: 2 * B * T * h * K * w),
        ("each of the B texts", lambda B, T, L, h, K, w: 2 * T * L * h * K * w),
        ("not with its square", lambda B, T, L, h, K, w: 2 * B * T**2 * L * h * K * w),
        ("heads are missing", lambda B, T, L, h, K, w: 2 * B * T * L * K * w),
        ("not three", lambda B, T, L, h, K, w: 3 * B * T * L * h * K * w),
        ("these are numbers", lambda B, T, L, h, K, w: 2 * B * T * L * h * K),
    ],
    "llm-ex-bits": [
        ("these are nats", lambda n, c, s: n * c / s),
        ("MORE than a bit", lambda n, c, s: n * c / s * math.log(2)),
        ("bits per token", lambda n, c, s: n / math.log(2)),
        ("wrong way round", lambda n, c, s: n * s / c / math.log(2)),
        ("whole text", lambda n, c, s: n * c / math.log(2)),
        ("multiply by their number", lambda n, c, s: n / s / math.log(2)),
        ("log2 of the loss", lambda n, c, s: np.log2(n) * c / s),
    ],
    "llm-ex-fit": [
        ("negative of the slope", _negated),
        ("log a", _logged),
        ("compared in log", lambda *a: _fit(*a, logs=True)),
        ("first candidate", lambda *a: _fit(*a, first=True)),
        ("without E", lambda *a: _fit(*a, law=lambda E: 0)),
        ("stopped with", lambda C, L, f: _fit(C, L, f[: next(i for i, E in enumerate(f) if min(L) <= E)])),
        ("you return", lambda C, L, f: _fit(C, L, [E for E in f if min(L) > E][-1:])),
    ],
    "llm-ex-ceiling": [
        ("odd / keys", lambda n, k, o, d: 1 - (1 - 1 / o) ** n * d),
        ("(1 - 1/own)^n", lambda n, k, o, d: 1 - (1 - 1 / k) ** n * (d - d / k)),
        ("can be guessed", lambda n, k, o, d: 1 - (1 - 1 / o) ** n),
        ("fewer than n different", lambda n, k, o, d: 1 - (1 - min(n / o, 1)) * (d - d / k)),
        ("without a name", lambda n, k, o, d: 1 - (1 - 1 / o) ** n * (1 - 1 / k)),
        ("examples count", lambda n, k, o, d: 1 - d + d / k),
        ("all `keys`", lambda n, k, o, d: 1 - (1 - 1 / o) ** n * (d - d / (k - 1))),
    ],
}

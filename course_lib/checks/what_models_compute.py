"""Checks for the exercises of the chapter on what models compute, and at what cost."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from course_lib.checks import Result, compare

# ---- automata ------------------------------------------------------------------------------------------------------


def run(answer: Callable) -> Result:
    """``answer(maps, start, symbols)`` -> the state after each symbol."""

    def right(maps, start, symbols):
        states = [start]
        for a in symbols:
            states.append(int(maps[a][states[-1]]))
        return states[1:]

    def exchanged(maps, start, symbols):
        states = [start]
        for a in symbols:
            states.append(maps[states[-1]][a])
        return states[1:]

    mistakes = {
        "the indices are exchanged: maps[a][q], the symbol chooses the map and the state its entry.": exchanged,
        "the state before the first symbol is not part of the answer: T symbols, T states.": lambda m, q, s: (
            [q, *right(m, q, s)]
        ),
        "your states stand one place too early: give the state AFTER each symbol.": lambda m, q, s: [
            q,
            *right(m, q, s),
        ][:-1],
        "every symbol is read from the start: the state has to be carried along.": lambda m, q, s: [m[a][q] for a in s],
        "the start was left out: it need not be state 0.": lambda m, q, s: right(m, 0, s),
    }
    maps = [[1, 2, 0], [0, 0, 2], [2, 1, 1]]
    cases = [
        (maps, 1, [0, 0, 1, 0, 1]),
        ([*maps, [1, 1, 0]], 2, [1, 0, 2, 0, 0]),  # more symbols than states
        ([[0, 1], [1, 0]], 1, [1, 1, 0, 1]),
    ]
    return compare(answer, right, cases, mistakes, "one look-up a symbol.")


def whole(answer: Callable) -> Result:
    """``answer(maps)`` -> the one map (Q,) that all make, the first read first, and the number of rounds."""

    def folded(maps):
        result = np.arange(maps.shape[1])
        for f in maps:
            result = f[result]
        return result

    def right(maps):
        return folded(maps), math.ceil(math.log2(len(maps)))

    mistakes = {
        "the maps are in the wrong order: what is read later reads what the earlier map returns, g[f].": lambda m: (
            folded(m[::-1]),
            math.ceil(math.log2(len(m))),
        ),
        "the map is right, but it took one round for each map: join ALL neighbours in the same round.": lambda m: (
            folded(m),
            len(m) - 1,
        ),
        "an odd one out got lost: it has to wait for the next round.": _dropping,
        "an odd one out waits at the front: there it is read first. It has to stay at the end.": lambda m: _dropping(
            m, front=True
        ),
        "the map is right, but the logarithm is rounded down: an odd one out may need a round more.": lambda m: (
            folded(m),
            math.floor(math.log2(len(m))),
        ),
    }
    rng = np.random.default_rng(0)
    cases = [(rng.integers(0, 4, size=(T, 4)),) for T in (1, 2, 3)] + [
        (np.stack([rng.permutation(5) for _ in range(T)]),) for T in (8, 13)
    ]
    return compare(answer, right, cases, mistakes, "the order kept, the rounds logarithmic.")


def _dropping(maps, front=False):
    """Neighbours joined, a last one without a partner forgotten, or put in front."""
    maps, rounds = list(maps), 0
    while len(maps) > 1:
        odd = maps[-1:] if front and len(maps) % 2 else []
        maps, rounds = odd + [g[f] for f, g in zip(maps[::2], maps[1::2], strict=False)], rounds + 1
    return maps[0], rounds


def counting_head(answer: Callable) -> Result:
    """``answer()`` -> W_q, W_k (d, 3), W_v (1, 3) for inputs [x_t, 1, t], and a function of the count."""
    bits = np.random.default_rng(1).integers(0, 2, size=41)
    place = np.arange(1, 42)
    off = np.where(place % 2, 1e-9, -1e-9)  # a product of mean and place is a whole number only nearly
    x = np.stack([bits, np.ones(41), place], axis=1)

    def scored(W_q, W_k):
        return (x @ np.asarray(W_q).T) @ (x @ np.asarray(W_k).T).T

    def counts(W_q, W_k, W_v):
        for name, W in {"W_q": W_q, "W_k": W_k, "W_v": W_v}.items():
            if np.ndim(W) != 2 or np.shape(W)[1] != 3 or (name == "W_v" and len(W) != 1):
                wanted = "(1, 3)" if name == "W_v" else "(d, 3)"
                raise ValueError(f"{name} has the shape {tuple(np.shape(W))}, but it should be {wanted}")
        scores = scored(W_q, W_k)
        scores = np.where(np.tril(np.full((41, 41), True)), scores, -np.inf)
        e = np.exp(scores - scores.max(1, keepdims=True))
        return (e / e.sum(1, keepdims=True) @ (x @ np.asarray(W_v).T))[:, 0] * place

    def given():
        W_q, W_k, W_v, parity = answer()
        found = counts(W_q, W_k, W_v)
        return found, [parity(n) for n in found.round() + off]  # as round(n) and n.round() both take

    def right():
        return bits.cumsum(), bits.cumsum() % 2

    def uneven():
        W_q, W_k, W_v, _ = answer()
        looks = np.tril(scored(W_q, W_k) - scored(W_q, W_k)[:, :1])  # by how much a score differs from the first
        return given() if abs(looks).max() > 1e-6 and np.allclose(W_v, [[1, 0, 0]]) else None

    zero = np.zeros((1, 3))
    by_place = counts(zero, zero, np.array([[1.0, 0, 0]]))
    mistakes = {
        "the function takes the remainder of a number that is only nearly whole: round it first.": lambda: (
            by_place,
            list((by_place.round() + off) % 2),
        ),
        "the function cuts off what follows the point, and 2.9999999 becomes 2: round.": lambda: (
            by_place,
            [int(n) % 2 for n in by_place.round() + off],
        ),
        "the values are not the bits: row W_v picks the first of the three inputs.": lambda: (
            place,
            place % 2,
        ),
        "the head looks at the ones only, and sees no zeros: their share is then always 1. Ask for nothing, so that "
        "all scores are equal.": lambda: _of_ones(bits, place),
        "the count is right, but the function is not the parity: 1 for an odd number, 0 for an even one.": lambda: (
            bits.cumsum(),
            1 - bits.cumsum() % 2,
        ),
        "the parity is asked for as 0 or 1, not as a sign.": lambda: (bits.cumsum(), 1 - bits.cumsum() % 2 * 2),
        "the scores are not equal, so that some places weigh more than others. Ask for nothing: then the head "
        "takes the mean.": uneven,
    }
    return compare(given, right, [()], mistakes, "a mean, times the place, is a count.", tolerance=1e-6)


def _of_ones(bits, place):
    """What a head gives that looks only at ones, where there are some: a mean of 1."""
    found = np.where(bits.cumsum() > 0, place, 0)
    return found, found % 2


def quiz(answer: Callable) -> Result:
    """``answer()`` -> eight booleans."""
    truth = [False, False, True, False, False, True, False, False]
    hints = [
        "layers are rounds, and each round doubles what is covered.",
        "a shortcut is right on that test set too. Ask for longer examples.",
        "the running softmax rescales what was summed; nothing is approximated.",
        "linear attention has another function in place of the exponential.",
        "V^n histories need V^n states, and a number of finite precision has finitely many.",
        "each token that is written is one more pass through all layers.",
        "the looks are T / (T + 6 D) of the work.",
        "two steps of an LSTM have no shorter name than themselves: the tanh stands between.",
    ]
    mistakes = {
        f"statement {i + 1}: {hint}": lambda i=i: [not t if j == i else t for j, t in enumerate(truth)]
        for i, hint in enumerate(hints)
    }
    mistakes["all the other way round: true is True."] = lambda: [not t for t in truth]
    return compare(answer, lambda: truth, [()], mistakes, "only the running softmax and the scratch pad hold.")


# ---- costs ---------------------------------------------------------------------------------------------------------


def crossover(answer: Callable) -> Result:
    """``answer(D, M)`` -> the length at which scores and weighted means take half of a block's operations."""
    mistakes = {
        "that is 6 D, right for M = 4 D alone: leave M free.": lambda D, M: 6 * D,
        "you counted scores or weighted means, not both: each takes 2 T^2 D operations.": lambda D, M: 4 * D + 2 * M,
        "the four projections are missing: queries, keys, values, output, D^2 weights each.": lambda D, M: M,
        "there are four projections, not three: the output W_o counts.": lambda D, M: 1.5 * D + M,
        "the feed-forward network has two layers, of D M weights each.": lambda D, M: 2 * D + M / 2,
        "each weight makes two operations for a token, a product and a sum.": lambda D, M: D + M / 2,
    }
    return compare(answer, lambda D, M: 2 * D + M, [(64, 256), (768, 3072), (100, 150)], mistakes, "6 D if M is 4 D.")


def holes(answer: Callable) -> Result:
    """``answer(T)`` -> the mask (T, T) of looks at 0, 1, 2, 4, 8, ... places back."""

    def right(T):
        back = np.subtract.outer(np.arange(T), np.arange(T))
        return (back >= 0) & (back & (back - 1) == 0)

    def wrapped(T):
        mask = np.eye(T, dtype=bool)
        for t in range(T):
            mask[t, [t - 2**i for i in range(T) if 2**i < T]] = True
        return mask

    mistakes = {
        "your mask looks ahead: rows are queries, columns keys, and a key must not come later.": lambda T: right(T).T,
        "it looks both ways: only places BACK are allowed.": lambda T: right(T) | right(T).T,
        "a place may also look at itself: 0 back is missing.": lambda T: right(T) & ~np.eye(T, dtype=bool),
        "1 back is missing: the powers of two begin with 2^0 = 1.": lambda T: right(T) & ~np.eye(T, k=-1, dtype=bool),
        "a negative index counts from the end: where t - d is below 0 there is no place to look at.": wrapped,
        "your mask is True where a look is forbidden: it should be True where it is allowed.": lambda T: ~right(T),
        "the powers of two are those of the place s, not of the distance t - s.": lambda T: np.tril(
            np.ones((T, 1), dtype=bool) * ((np.arange(T) & (np.arange(T) - 1)) == 0)
        ),
    }
    return compare(answer, right, [(1,), (6,), (20,)], mistakes, "about T log T looks.")


# ---- recurrences ---------------------------------------------------------------------------------------------------


def join(answer: Callable) -> Result:
    """``answer((A, b), (A', b'))`` -> (A A', b A' + b'), for row vectors."""

    def right(first, second):
        return first[0] @ second[0], first[1] @ second[0] + second[1]

    mistakes = {
        "the second step was taken first: put h A + b into the second.": lambda p, q: right(q, p),
        "with rows on the left the later matrix stands on the RIGHT: h A A'.": lambda p, q: (
            q[0] @ p[0],
            q[0] @ p[1] + q[1],
        ),
        "the first b also goes through the second step: b A' + b'.": lambda p, q: (p[0] @ q[0], p[1] + q[1]),
        "A is a matrix here: * multiplies element by element, @ is the product.": lambda p, q: (
            p[0] * q[0],
            p[1] @ q[0] + q[1],
        ),
        "A is a matrix here: A A' and b A' are products of matrices, @, not element by element.": lambda p, q: (
            p[0] * q[0],
            p[1] * q[0] + q[1],
        ),
        "b is a row, as h is: b A', not A' b.": lambda p, q: (p[0] @ q[0], q[0] @ p[1] + q[1]),
        "the vector is right, but the matrices are in the wrong order: h A comes first, so A A'.": lambda p, q: (
            q[0] @ p[0],
            p[1] @ q[0] + q[1],
        ),
    }
    rng = np.random.default_rng(2)
    cases = [tuple((rng.normal(size=(H, H)), rng.normal(size=H)) for _ in range(2)) for H in (2, 3)]
    return compare(answer, right, cases, mistakes, "a step is closed under joining.")


def linear_step(answer: Callable) -> Result:
    """``answer((S, z), q, k, v)`` -> the next (S, z) and y: one token of causal linear attention."""

    def phi(x):
        return np.where(x > 0, x + 1, np.exp(np.minimum(x, 0)))

    def right(state, q, k, v, f=phi, before=False, normed=True, asks=None):
        S, z = state[0] + np.outer(f(k), v), state[1] + f(k)
        seen, total = state if before else (S, z)
        asked = (asks or f)(q)
        return (S, z), asked @ seen / (asked @ total if normed else 1.0)

    def by_total(state, q, k, v):
        (S, z), y = right(state, q, k, v, normed=False)
        return (S, z), y / z.sum()

    def elu(x):
        return phi(x) - 1

    mistakes = {
        "the answer is a mean: divide by q times the sum of the phi(k).": lambda *c: right(*c, normed=False),
        "the state was read before it was written: a place may look at itself.": lambda *c: right(*c, before=True),
        "phi is missing: queries and keys have to be made positive first.": lambda *c: right(*c, f=lambda x: x),
        "phi was the exponential: above zero it is x + 1.": lambda *c: right(*c, f=np.exp),
        "that is the ELU alone, which is negative below zero: phi is the ELU plus 1.": lambda *c: right(*c, f=elu),
        "phi is missing for the query: both query and key go through it.": lambda *c: right(*c, asks=lambda x: x),
        "the sum of the weights depends on the query: divide by phi(q) times z, not by the sum of z.": by_total,
    }
    rng = np.random.default_rng(3)
    cases = []
    for K, d_v in ((3, 2), (4, 5)):
        old = np.exp(rng.normal(size=(6, K)))
        state = old.T @ rng.normal(size=(6, d_v)), old.sum(0)
        cases.append((state, rng.normal(size=K), rng.normal(size=K), rng.normal(size=d_v)))
    return compare(answer, right, cases, mistakes, "a recurrent network with a matrix for its state.")


# ---- pads and protocols --------------------------------------------------------------------------------------------


def columns(answer: Callable) -> Result:
    """``answer(a, b)`` -> (digit, carry) of each column, from the last."""

    def right(a, b, carried=True, last=True):
        pad, carry = [], 0
        while a or b or (carry and last) or not pad:
            total = a % 10 + b % 10 + (carry if carried else 0)
            pad.append((total % 10, total // 10))
            a, b, carry = a // 10, b // 10, total // 10 if carried else 0
        return pad

    def coming_in(a, b):
        carries = [0, *(c for _, c in right(a, b))]
        return [(d, c) for (d, _), c in zip(right(a, b), carries, strict=False)]

    mistakes = {
        "you write the carry that comes in: the pair holds the carry that goes on to the next column.": coming_in,
        "the carry was not added in the next column.": lambda a, b: right(a, b, carried=False),
        "the carry is written down, but not added in the next column.": lambda a, b: (
            (pad := right(a, b, carried=False)) + [(1, 0)] * pad[-1][1]
        ),
        "the last carry got lost: it makes one more column.": lambda a, b: right(a, b, last=False),
        "the columns stand in reading order: the pad begins with the LAST digit, where the carry starts.": lambda a, b: (
            right(a, b)[::-1]
        ),
        "each pair is (digit, carry), in this order.": lambda a, b: [(c, d) for d, c in right(a, b)],
    }
    cases = [(7, 5), (38, 46), (999, 1), (0, 0), (120, 34), (95, 5), (8, 199), (3, 450)]
    return compare(answer, right, cases, mistakes, "two digits and a carry, column by column.")


def verdict(answer: Callable) -> Result:
    """``answer(accuracy, lengths, trained)`` -> "not learned", "algorithm", "shortcut" or "depends on the seed"."""

    def right(accuracy, lengths, trained, good=None):
        good = accuracy >= 0.99 if good is None else good
        if not good[:, lengths <= trained].all():
            return "not learned"
        if good.all():
            return "algorithm"
        return "depends on the seed" if good[:, -1].any() else "shortcut"

    def averaged(accuracy, lengths, trained):
        return right(accuracy.mean(0, keepdims=True), lengths, trained)

    def best_seed(accuracy, lengths, trained):
        return right(accuracy.max(0, keepdims=True), lengths, trained)

    def no_training(accuracy, lengths, trained):
        return right(accuracy, lengths, -1)

    def only_at(accuracy, lengths, trained):
        return right(accuracy, np.where(lengths == trained, trained, trained + 1), trained)

    def below_only(accuracy, lengths, trained):
        return right(accuracy, lengths, trained - 1)

    def longest(accuracy, lengths, trained):
        said = right(accuracy, lengths, trained)
        return "algorithm" if said == "depends on the seed" and (accuracy[:, -1] >= 0.99).all() else said

    def shortcut_first(accuracy, lengths, trained):
        return "shortcut" if (accuracy[:, -1] < 0.99).all() else right(accuracy, lengths, trained)

    def all_seeds(accuracy, lengths, trained):
        learned = (accuracy[:, lengths <= trained] >= 0.99).all(1).any()
        return right(accuracy, lengths, -1 if learned else trained)

    mistakes = {
        "you took the mean over the seeds, which describes none of them.": averaged,
        "you looked at the best seed only: report what holds for all.": best_seed,
        "a network that fails inside the training length has learned nothing that could generalise: ask that first.": (
            no_training
        ),
        'one seed below 0.99 at one length inside is enough for "not learned".': all_seeds,
        '"shortcut" is asked too early: what fails inside the training length is "not learned".': shortcut_first,
        '"algorithm" asks for every length, not for the longest alone.': longest,
        "the training length itself is inside: lengths <= trained.": below_only,
        "inside means EVERY length up to the one trained on, not that one alone.": only_at,
    }
    lengths = np.array([8, 16, 32, 64])
    rows = [
        [[1, 1, 1, 1], [1, 1, 0.995, 0.99]],
        [[1, 1, 0.8, 0.5], [1, 1, 0.9, 0.6]],
        [[1, 1, 0.9, 0.995], [1, 1, 0.9, 0.5]],
        [[1, 0.9, 1, 1], [1, 1, 1, 1]],
        [[0.9, 1, 1, 1], [1, 1, 1, 1]],
        [[1, 1, 1, 1], [1, 1, 0.99, 0.985]],
        [[1, 1, 0.9, 1], [1, 1, 1, 1]],  # only the longest is good for all
        [[1, 1, 1, 0.95], [1, 1, 0.9, 0.95], [1, 1, 1, 0.95]],
        [[0.9, 1, 0.9, 0.5], [1, 1, 0.9, 0.5]],
        [[0.95, 0.9, 1, 1], [0.9, 0.95, 1, 1]],
    ]
    cases = [(np.array(row), lengths, 16) for row in rows]
    return compare(answer, right, cases, mistakes, "what holds for every seed, and no more.")

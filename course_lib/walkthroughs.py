"""Interactive figures that walk through a computation: byte-pair merges, the cost of a model, a finite automaton.

Each function returns a :class:`~course_lib.widgets.Widget`. The page does the arithmetic itself, on the data that are
given here; where scripts do not run, a table of results computed in Python stands in its place.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from course_lib.bpe import _BYTE_OF, BytePairTokenizer, _join, _signs, chunks
from course_lib.widgets import Widget, _fields, _table, _text

__all__ = ["automaton_player", "byte_pair_player", "cost_calculator"]


# ---- automata ------------------------------------------------------------------------------------------------------

Map = tuple[int, ...]  # the state after each state


def automaton_player(
    transitions: Mapping[str, Mapping[str, str]],
    start: str,
    words: Sequence[Sequence[str]],
    accepting: Sequence[str] = (),
    title: str = "One symbol at a time, or pair by pair",
) -> Widget:
    """Run an automaton over a word, one symbol at a step; beside it compose the symbols' maps in pairs, round by round.

    ``transitions[state][symbol]`` is the next state. A symbol is a map from states to states, and so is any piece of a
    word: in each round neighbouring maps are joined, an odd one waits, and after ceil(log2 T) rounds one map of the
    whole word is left. ``words`` are strings, or lists of symbols; each may be chosen. Words that end in a state of
    ``accepting`` are called accepted.
    Errors: ValueError unless there are 2 to 6 states and 1 to 8 symbols, each state with a next one for each symbol,
    ``start`` and ``accepting`` among the states, and 1 to 8 words of 1 to 16 symbols.
    """
    states = list(transitions)
    symbols = list(dict.fromkeys(symbol for row in transitions.values() for symbol in row))
    if not 2 <= len(states) <= 6 or not 1 <= len(symbols) <= 8:
        raise ValueError(f"{len(states)} states and {len(symbols)} symbols given: give 2 to 6 and 1 to 8")
    for state, row in transitions.items():
        for symbol, after in zip(symbols, _fields(row, symbols, f"state {state!r}"), strict=True):
            if after not in transitions:
                raise ValueError(f"{state!r} goes to {after!r} with {symbol!r}, which is no state: {states} are")
    if strange := [state for state in (start, *accepting) if state not in transitions]:
        raise ValueError(f"start or accepting names {strange[0]!r}, which is no state: {states} are")
    if not 1 <= len(words) <= 8:
        raise ValueError(f"{len(words)} words given: give 1 to 8")
    for word in words:
        if not 1 <= len(word) <= 16 or not set(word) <= set(symbols):
            raise ValueError(f"the word {word!r} must have 1 to 16 symbols, all of them from {symbols}")
    data = {
        "states": states, "symbols": symbols, "start": states.index(start),
        "accepting": [state in accepting for state in states],
        "maps": [[states.index(transitions[state][symbol]) for state in states] for symbol in symbols],
        "words": [[symbols.index(symbol) for symbol in word] for word in words],
    }  # fmt: skip
    return Widget("automaton_player", title, data, _automaton_table(data))


def _rounds(maps: Sequence[Map]) -> list[list[Map]]:
    """The maps before the first round and after each: neighbours joined, the last one of an odd number kept."""
    rows = [list(maps)]
    while len(rows[-1]) > 1:
        row = rows[-1]
        joined = [tuple(b[state] for state in a) for a, b in zip(row[::2], row[1::2], strict=False)]
        rows.append(joined + row[2 * len(joined) :])
    return rows


def _automaton_table(data: Mapping) -> str:
    """The transitions, and for each word the states it passes through and the maps left after each round."""
    states, symbols, maps = data["states"], data["symbols"], data["maps"]
    rules = [
        (f"{state}{' (accepting)' if data['accepting'][q] else ''}", *(states[one[q]] for one in maps))
        for q, state in enumerate(states)
    ]
    runs, pairs = [], []
    for word in data["words"]:
        name = _spelled(symbols[a] for a in word)
        passed = [data["start"]]
        for a in word:
            passed.append(maps[a][passed[-1]])
        runs.append((name, " → ".join(states[q] for q in passed)))
        for r, row in enumerate(_rounds([tuple(maps[a]) for a in word])):
            pairs.append((name, r, "; ".join(" ".join(states[q] for q in one) for one in row)))
    return (
        f"{_table(['State', *symbols], rules)}{_table(['Word', 'One symbol at a time'], runs)}"
        f"<p>{_text('Each map is written as the states that follow ' + ', '.join(states))}:</p>"
        + _table(["Word", "Round", "Maps that are left"], pairs)
    )


def _spelled(symbols) -> str:
    """A word as one text: symbols of one letter stand close."""
    symbols = list(symbols)
    return ("" if all(len(symbol) == 1 for symbol in symbols) else " ").join(symbols)


# ---- byte pairs ----------------------------------------------------------------------------------------------------

_SEEN = str.maketrans({" ": "␣", "\n": "↵", "\t": "⇥"})


def byte_pair_player(
    texts: str | Mapping[str, str],
    merges: Sequence[tuple[str, str]],
    title: str = "Byte pairs, merge by merge",
) -> Widget:
    """Apply the merges of a byte-pair encoding to a text, one after another, and see the number of tokens fall.

    ``merges`` are those of a :class:`course_lib.bpe.BytePairTokenizer`: pairs of tokens in the order of training, their
    bytes written as GPT-2 writes them (a space is Ġ). ``texts`` is a text, or several with their names; each is cut
    into :func:`course_lib.bpe.chunks`, across which nothing is merged.
    Errors: ValueError for no text or more than 6, for one without bytes or with more than 400, for no merge or more
    than 1,000, and as the tokenizer.
    """
    named = {"the text": texts} if isinstance(texts, str) else {str(name): text for name, text in texts.items()}
    if not 1 <= len(named) <= 6:
        raise ValueError(f"{len(named)} texts given: give 1 to 6, each with a name")
    if not 1 <= len(merges) <= 1000:
        raise ValueError(f"{len(merges)} merges given: give the first 1 to 1,000")
    merges = BytePairTokenizer(merges).merges  # checks them
    for name, text in named.items():
        if not 1 <= (size := len(text.encode())) <= 400:
            raise ValueError(f"text {name!r} has {size} bytes: give 1 to 400, so that all its tokens can be seen")
    stages = {name: _stages(text, merges) for name, text in named.items()}
    signs = {sign for one in stages.values() for chunk in one[0] for sign in chunk}
    tokens = sorted(signs.union(*merges, map("".join, merges)))
    data = {
        "texts": [{"name": name, "chunks": one[0]} for name, one in stages.items()], "merges": merges,
        "names": {token: readable for token in tokens if (readable := _readable(token)) != token},
    }  # fmt: skip
    table = "".join(f"<p>{_text(name)}</p>{_merges_table(one)}" for name, one in stages.items())
    return Widget("byte_pair_player", title, data, table)


def _stages(text: str, merges: Sequence[tuple[str, str]]) -> list[list[list[str]]]:
    """The tokens of each chunk before the first merge and after each."""
    stages = [[_signs(chunk) for chunk in chunks(text)]]
    for left, right in merges:
        stages.append([_join(c, (left, right), left + right) if left in c else c for c in stages[-1]])
    return stages


def _merges_table(stages: Sequence[Sequence[Sequence[str]]]) -> str:
    """The tokens of the text after a few numbers of merges."""
    last = len(stages) - 1
    rows = []
    for n in [*(n for n in (0, 1, 3, 10, 30, 100, 300) if n < last), last]:
        tokens = [_readable(token) for chunk in stages[n] for token in chunk]
        rows.append((n, len(tokens), " | ".join(tokens)))
    return _table(["Merges", "Tokens", "The text"], rows)


def _readable(token: str) -> str:
    """A token as text, white space made visible; bytes that are no text in hexadecimal."""
    data = bytes(_BYTE_OF[sign] for sign in token)
    try:
        return data.decode().translate(_SEEN)
    except UnicodeDecodeError:
        return " ".join(f"{byte:02X}" for byte in data)


# ---- costs ---------------------------------------------------------------------------------------------------------

SHARE = 0.4  # of the hardware's peak, at first
SIZES = ("parameters", "tokens", "layers", "width", "context")
UNKNOWN = "unknown"
UNITS = ("B", "kB", "MB", "GB", "TB", "PB")
TIMES = (
    ("seconds", 1, 120),
    ("minutes", 60, 120),
    ("hours", 3600, 48),
    ("days", 86400, 60),
    ("months", 2629746, 24),
    ("years", 31556952, math.inf),
)  # fmt: skip; name, seconds, and up to how many of them; static/cost_calculator.js has the same


def cost_calculator(
    models: Mapping[str, Mapping[str, object]],
    hardware: Mapping[str, float],
    title: str = "What a model costs",
) -> Widget:
    """Reckon what it takes to train and to run a model: FLOPs, time, memory for weights, Adam and the key-value cache.

    FLOPs to train 6 N D, for each token read or written 2 N; bytes with Adam in float32 16 N; bytes of the cache
    2 L d_kv T B b for L layers, keys and values of width d_kv, context T, batch B and b bytes a number.
    ``models`` maps names to what to begin with: ``parameters`` N, and if known ``tokens`` D, ``layers`` L, ``width``,
    ``key_value_width`` (default: the width), ``context`` T and a ``note``. ``hardware`` maps names to peak FLOP/s.
    The reader may change every number.
    Errors: ValueError for no model or more than 12, no hardware or more than 12, a model without parameters, and for
    numbers that are not positive and finite.
    """
    if not 1 <= len(models) <= 12 or not 1 <= len(hardware) <= 12:
        raise ValueError(f"{len(models)} models and {len(hardware)} kinds of hardware given: give 1 to 12 of each")
    ready = []
    for name, given in models.items():
        _fields(given, ["parameters"], f"model {name!r}")
        sizes = {key: _size(f"model {name!r}", key, given.get(key)) for key in SIZES}
        if sizes["parameters"] is None:
            raise ValueError(f"model {name!r} has no number of parameters: everything depends on it")
        sizes["width"] = _size(f"model {name!r}", "key_value_width", given.get("key_value_width")) or sizes["width"]
        ready.append({"name": str(name), "note": str(given.get("note") or ""), **sizes})
    rates = [[str(name), _size("hardware", str(name), rate)] for name, rate in hardware.items()]
    if none := [name for name, rate in rates if rate is None]:
        raise ValueError(f"hardware {none[0]!r} has no rate: give its peak in FLOP/s")
    data = {"models": ready, "hardware": rates, "share": SHARE}
    return Widget("cost_calculator", title, data, _cost_table(ready, *rates[0]))


def _size(where: str, key: str, value: object) -> float | None:
    if value is None:
        return None
    number = float(value)
    if not 0 < number < math.inf:
        raise ValueError(f"{where} has {key}={value}: it must be a positive number, or be left out")
    return number


def _cost_table(models: Sequence[Mapping], device: str, rate: float) -> str:
    """The costs of each model as it was given, on one device of the first kind, with two bytes a number."""
    rows = []
    for m in models:
        N, D, L, width, context = (m[key] for key in SIZES)
        cache = None if None in (L, width, context) else 4 * L * width * context
        flops = None if D is None else 6 * N * D
        cells = [
            f"{N:,.0f}", f"{D:.3g}" if D else UNKNOWN, f"{D / N:.3g}" if D else UNKNOWN,
            f"{flops:.3g}" if flops else UNKNOWN, _span(flops / (rate * SHARE)) if flops else UNKNOWN,
            _amount(2 * N), _amount(16 * N), _amount(cache) if cache else UNKNOWN,
        ]  # fmt: skip
        rows.append((f"{m['name']} ({m['note']})" if m["note"] else m["name"], *cells))
    heads = ["Model", "Parameters N", "Tokens D", "D / N", "FLOPs 6ND", "Time", "Weights", "With Adam", "Cache"]
    words = f"Time: one {device} at {100 * SHARE:.0f} % of its peak of {rate:.3g} FLOP/s. Weights, and the key-value "
    return (
        f"<p>{_text(words)}cache of one whole context: 2 bytes a number. With Adam: 16 bytes.</p>{_table(heads, rows)}"
    )


def _span(seconds: float) -> str:
    name, size, _ = next(unit for unit in TIMES if seconds < unit[1] * unit[2])
    return f"{_three(seconds / size)} {name}"


def _amount(size: float) -> str:
    power = min(max(int(math.log10(size) // 3), 0), len(UNITS) - 1)
    return f"{_three(size / 1000**power)} {UNITS[power]}"


def _three(value: float) -> str:
    """A number with about three digits."""
    rounded = float(f"{value:.3g}")
    return f"{rounded:,.0f}" if rounded >= 100 else f"{rounded:g}"

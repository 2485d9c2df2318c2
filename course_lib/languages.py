"""The book's two artificial languages: AGREE (a sentence) and Farm (a document)."""

from __future__ import annotations

from collections.abc import Sequence

from course_lib.grammar import EOS, Language

NOUNS = {"s": ("cow", "horse", "mule", "calf"), "p": ("cows", "horses", "mules", "calves")}

# ---- AGREE -----------------------------------------------------------------------------------------------------

AGREE_VERBS = {"s": ("eats", "sleeps", "runs", "waits"), "p": ("eat", "sleep", "run", "wait")}
AGREE_FILLERS = ("often", "now", "still", "here", "again", "gladly")


def agree(stop: float = 0.3) -> Language:
    """AGREE: ``the`` noun filler* verb, with the verb in the noun's number, however many fillers lie between.

    After the noun, and after each filler, a verb comes with probability ``stop``; otherwise one of six fillers.
    Entropy of a sentence: ln 8 + h(stop)/stop + (1 - stop)/stop * ln 6 + ln 4 nats, with h(p) the entropy of a coin;
    expected length, with the end: 4 + (1 - stop)/stop tokens.

    Errors: ValueError unless 0 < stop <= 1.
    """
    _check_probability("stop", stop, zero=False)
    arcs = {"start": {"the": (1.0, "noun")}, "noun": {}}
    for number, nouns in NOUNS.items():
        arcs["noun"] |= dict.fromkeys(nouns, (1 / 8, f"filler:{number}"))
        arcs[f"filler:{number}"] = {
            **dict.fromkeys(AGREE_FILLERS, ((1 - stop) / 6, f"filler:{number}")),
            **dict.fromkeys(AGREE_VERBS[number], (stop / 4, "end")),
        }
    arcs["end"] = {EOS: (1.0, "")}
    classes = {state: "agreement" if state.startswith("filler") else "collocation" for state in arcs}
    return Language(arcs, classes)


# ---- Farm ------------------------------------------------------------------------------------------------------

NAMES = ("ann", "ben", "dora", "hugh", "mara", "nell", "sam", "tom")
ANIMALS = ("bees", "doves", "ducks", "geese", "goats", "hens", "pigs", "sheep")
CARES = {"feeds": 0.4, "counts": 0.3, "calls": 0.2, "washes": 0.1}
ADVERBS = ("often", "now", "still", "gladly")
MAIN_VERBS = {"s": ("eats", "finds", "pulls", "wants"), "p": ("eat", "find", "pull", "want")}
CLAUSE_VERBS = {"s": ("sees", "likes", "hears", "knows"), "p": ("see", "like", "hear", "know")}
ADJECTIVES = ("fresh", "good", "old")
OBJECTS = (  # one row for each main verb
    ("grass", "corn", "hay", "clover"),
    ("clover", "water", "shade", "grass"),
    ("carts", "hay", "logs", "corn"),
    ("water", "salt", "corn", "shade"),
)
TIMES = ("dawn", "noon", "dusk", "night")
FALLING = (0.55, 0.25, 0.15, 0.05)  # the weights of four alternatives, in a rotating order


def farm(
    introductions: int = 3,
    depth: int = 3,
    clause: float = 0.4,
    filler: float = 0.7,
    stop: float = 0.25,
    names: Sequence[str] = NAMES,
    animals: Sequence[str] = ANIMALS,
) -> Language:
    """Farm: documents that mix four things to remember, each with its own class of tokens.

    A document introduces who keeps what (``tom keeps geese .``) and goes on with sentences until it stops, with
    probability ``stop`` after each. Half of them ask for a pair introduced (``today tom feeds the geese .``:
    recall). Half have a noun phrase (``the cows that the mule often sees eat fresh grass at dawn .``): verbs
    agree with their nouns across adverbs (agreement) and across clauses nested up to ``depth`` (nesting), and
    adjective, object and time depend on the verb (collocation: what an n-gram can know).

    Errors: ValueError for probabilities outside their range, a negative depth, or more introductions than names.
    """
    for name, value in (("clause", clause), ("filler", filler), ("stop", stop)):
        _check_probability(name, value, zero=name != "stop", one=name == "stop")
    if not 1 <= introductions <= len(names):
        raise ValueError(f"introductions={introductions} must be between 1 and the number of names, {len(names)}")
    if depth < 0:
        raise ValueError(f"depth={depth} must be 0 or more")
    arcs = _introductions(introductions) | _recall_sentences(introductions) | _noun_phrases(depth, clause, filler)
    arcs |= _objects()
    arcs["open"] = {"today": (0.5, "who"), "the": (0.5, "noun:")}
    arcs["next"] = {EOS: (stop, ""), "today": ((1 - stop) / 2, "who"), "the": ((1 - stop) / 2, "noun:")}
    classes = {state: _farm_class(state) for state in arcs}
    return Language(arcs, classes, pools={"name": names, "animal": animals}, distinct=["name"])


def _introductions(count: int) -> dict:
    arcs = {}
    for i in range(count):
        following = f"name{i + 1}" if i + 1 < count else "open"
        arcs[f"name{i}"] = {f"+name{i}": (1.0, f"keeps{i}")}
        arcs[f"keeps{i}"] = {"keeps": (1.0, f"kept{i}")}
        arcs[f"kept{i}"] = {f"+animal{i}": (1.0, f"stop{i}")}
        arcs[f"stop{i}"] = {".": (1.0, following)}
    return arcs


def _recall_sentences(count: int) -> dict:
    arcs = {"who": {f"@name{i}": (1 / count, f"care{i}") for i in range(count)}}
    for i in range(count):
        arcs[f"care{i}"] = {verb: (p, f"the{i}") for verb, p in CARES.items()}
        arcs[f"the{i}"] = {"the": (1.0, f"recall{i}")}
        arcs[f"recall{i}"] = {f"@animal{i}": (1.0, "stop")}
    return arcs | {"stop": {".": (1.0, "next")}}


def _noun_phrases(depth: int, clause: float, filler: float) -> dict:
    """Noun, adverbs or nested clause, verb. A state carries the numbers of the open nouns, such as ``head:sp``."""
    arcs, stacks = {}, [""]
    while stacks:
        stack = stacks.pop()
        arcs[f"noun:{stack}"] = {n: (1 / 8, f"head:{stack}{number}") for number in "sp" for n in NOUNS[number]}
        for inner in (stack + "s", stack + "p"):
            nest = clause if len(inner) <= depth else 0.0
            arcs[f"head:{inner}"] = _adverb_or_verb(inner, filler * (1 - nest), (1 - filler) * (1 - nest))
            arcs[f"adverb:{inner}"] = _adverb_or_verb(inner, filler, 1 - filler)
            arcs[f"after:{inner}"] = _adverb_or_verb(inner, 0.0, 1.0)  # a clause inside it has just closed
            if nest:
                arcs[f"head:{inner}"]["that"] = (nest, f"that:{inner}")
                arcs[f"that:{inner}"] = {"the": (1.0, f"noun:{inner}")}
                stacks.append(inner)
    return arcs


def _adverb_or_verb(stack: str, p_adverb: float, p_verb: float) -> dict:
    arcs = {a: (p_adverb / len(ADVERBS), f"adverb:{stack}") for a in ADVERBS if p_adverb}
    if len(stack) > 1:  # the verb closes the innermost clause
        return arcs | dict.fromkeys(CLAUSE_VERBS[stack[-1]], (p_verb / 4, f"after:{stack[:-1]}"))
    return arcs | {v: (p_verb / 4, f"verb{i}") for i, v in enumerate(MAIN_VERBS[stack])}


def _objects() -> dict:
    """Adjective, object and time after main verb i: each favourite depends on the verb or on both words before."""
    arcs = {}
    for i, objects in enumerate(OBJECTS):
        adjectives = _rotate((0.6, 0.3, 0.1), i)
        arcs[f"verb{i}"] = {
            a: (p, f"adjective{i}{j}") for j, (a, p) in enumerate(zip(ADJECTIVES, adjectives, strict=True))
        }
        for j in range(len(ADJECTIVES)):
            arcs[f"adjective{i}{j}"] = {o: (p, f"object{i}") for o, p in zip(objects, _rotate(FALLING, j), strict=True)}
        arcs[f"object{i}"] = {".": (0.4, "next"), "at": (0.6, f"at{i}")}
        arcs[f"at{i}"] = {t: (p, "stop") for t, p in zip(TIMES, _rotate(FALLING, i), strict=True)}
    return arcs


def _rotate(weights: Sequence[float], by: int) -> tuple[float, ...]:
    by %= len(weights)
    return (*weights[-by:], *weights[:-by]) if by else tuple(weights)


def _farm_class(state: str) -> str:
    kind, _, stack = state.partition(":")
    if kind in ("head", "adverb", "after"):
        return "agreement" if len(stack) == 1 and kind != "after" else "nesting"
    recalled = kind == "who" or kind.startswith(("name", "recall")) or kind == "open"
    return "recall" if recalled else "collocation"


def _check_probability(name: str, value: float, zero: bool = True, one: bool = True) -> None:
    if not (0 <= value <= 1) or (value == 0 and not zero) or (value == 1 and not one):
        low, high = "0 <=" if zero else "0 <", "<= 1" if one else "< 1"
        raise ValueError(f"{name}={value} is not a probability that can be used here: {low} {name} {high}")

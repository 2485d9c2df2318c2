"""Answers to problem set 6: for each question another right one, and wrong ones with words of the hint they must get.

{question: (right, [(words of the hint, wrong), ...])}, each the source of the student's cell. Many of the
wrong ones are a right one with a line or two changed.
"""

from tests.problem_sets import changed

TYPICAL = """
def typical(p, mass):
    inside = [i for i, x in enumerate(p) if x > 0]
    s = {i: -math.log(p[i]) for i in inside}
    H = sum(p[i] * s[i] for i in inside)
    inside.sort(key=lambda i: abs(s[i] - H))
    kept, total = np.zeros(len(p)), 0.0
    for i in inside:
        kept[i] = p[i]
        total += p[i]
        if total >= mass:
            break
    return kept / total
"""

TOKENS_A_PASS = """
def tokens_a_pass(P, Q, start, ahead):
    value = np.ones(len(P))
    for _ in range(ahead):
        value = 1 + np.minimum(P, Q) @ value
    return value[start]
"""

LONGEST_TEXT = """
def longest_text(layers, windowed, window, kv_heads, width, weights, memory):
    room = (memory - 2 * weights) / (4 * kv_heads * width)
    return max(room // layers, (room - windowed * window) // (layers - windowed))
"""

WORD_MAPS = """
def word_maps(maps):
    words = {tuple(range(len(maps[0])))}
    while True:
        longer = words | {tuple(m[s] for s in w) for w in words for m in maps}
        if longer == words:
            break
        words = longer

    def circle(f):
        for s in range(len(f)):
            path = [s]
            while f[path[-1]] not in path:
                path.append(f[path[-1]])
            if f[path[-1]] != path[-1]:
                return True
        return False

    return len(words), any(map(circle, words))
"""

ANSWERS = {
    "q1": (
        """
def typical(p, mass):
    entropy = -sum(x * math.log(x) for x in p if x > 0)
    left = sorted((i for i in range(len(p)) if p[i] > 0), key=lambda i: abs(-math.log(p[i]) - entropy))
    kept = np.zeros(len(p))
    for i in left:
        if kept.sum() < mass:
            kept[i] = p[i]
    return kept / kept.sum()
""",
        [
            ("which is top-p", changed(TYPICAL, ("abs(s[i] - H)", "s[i] - H"))),
            ("which is top-p", changed(TYPICAL, ("abs(s[i] - H)", "-p[i]"))),
            ("sum to one", changed(TYPICAL, ("kept / total", "kept"))),
            ("reaches the mass is kept", """
def typical(p, mass):
    inside = [i for i, x in enumerate(p) if x > 0]
    s = {i: -math.log(p[i]) for i in inside}
    H = sum(p[i] * s[i] for i in inside)
    inside.sort(key=lambda i: abs(s[i] - H))
    kept, total = np.zeros(len(p)), 0.0
    for i in inside:
        if total + p[i] > mass:
            break
        kept[i] = p[i]
        total += p[i]
    return kept / np.float64(total)
"""),
            ("as far off as more", changed(TYPICAL, ("abs(s[i] - H)", "H - s[i]"))),
            ("in the same unit", changed(TYPICAL, ("] - H))", "] - H / math.log(2)))"))),
            ("not the farthest", changed(TYPICAL, ("] - H))", "] - H), reverse=True)"))),
            ("makes it nan", """
def typical(p, mass):
    s = -np.log(p)
    order = np.argsort(abs(s - (p * s).sum()), kind="stable")
    kept = np.zeros(len(p))
    for i in order:
        kept[i] = p[i]
        if kept.sum() >= mass:
            break
    return kept / kept.sum()
"""),
            ("weigh each with its probability", changed(
                TYPICAL, ("p[i] * s[i] for i in inside", "s.values()) / len(s"))),
            ("as probable to one another", """
def typical(p, mass):
    s = -np.log(np.maximum(p, 1e-12))
    order = np.argsort(abs(s - (p * s).sum()))
    kept, total = np.zeros(len(p)), 0.0
    for i in order:
        kept[i] = 1
        total += p[i]
        if total >= mass:
            break
    return kept / kept.sum()
"""),
            ("keeps its place", """
def typical(p, mass):
    safe = np.where(p > 0, p, 1)
    distance = np.where(p > 0, abs(np.log(safe) - (p * np.log(safe)).sum()), np.inf)
    p = p[np.argsort(distance)]
    p = np.where(np.cumsum(p) - p < mass, p, 0)
    return p / p.sum()
"""),
        ],
    ),
    "q2": (
        """
def without_repeats(logits, written, theta):
    bent = [z if i not in written else z / theta if z > 0 else z * theta for i, z in enumerate(logits)]
    e = np.exp(bent)
    return e / e.sum()
""",
        [
            ("makes it larger", """
def without_repeats(logits, written, theta):
    z = np.array(logits)
    for i in range(len(z)):
        if i in written:
            z[i] = z[i] / theta
    p = np.exp(z)
    return p / p.sum()
"""),
            ("however often", """
def without_repeats(logits, written, theta):
    z = np.array(logits)
    for i in range(len(z)):
        if i in written:
            n = theta ** written.count(i)
            z[i] *= n if z[i] < 0 else 1 / n
    p = np.exp(z)
    return p / p.sum()
"""),
            ("not probabilities", """
def without_repeats(logits, written, theta):
    p = np.exp(logits) / np.exp(logits).sum()
    p = np.array([x / theta if i in written else x for i, x in enumerate(p)])
    return p / p.sum()
"""),
            ("has to lose", """
def without_repeats(logits, written, theta):
    z = np.array(logits)
    for i in range(len(z)):
        if i in written:
            z[i] *= theta if z[i] > 0 else 1 / theta
    p = np.exp(z)
    return p / p.sum()
"""),
            ("another rule", """
def without_repeats(logits, written, theta):
    z = np.array(logits)
    for i in range(len(z)):
        if i in written:
            z[i] -= theta
    p = np.exp(z)
    return p / p.sum()
"""),
            ("not only the last", """
def without_repeats(logits, written, theta):
    z = np.array(logits)
    for i in range(len(z)):
        if i == written[-1]:
            z[i] *= theta if z[i] < 0 else 1 / theta
    p = np.exp(z)
    return p / p.sum()
"""),
            ("the new logits", """
def without_repeats(logits, written, theta):
    said = np.isin(np.arange(len(logits)), written)
    return np.where(said, np.where(logits < 0, logits * theta, logits / theta), logits)
"""),
            ("the logit as it came", """
def without_repeats(logits, written, theta):
    z = logits - max(logits)
    for i in set(written):
        z[i] = z[i] / theta if z[i] > 0 else z[i] * theta
    return np.exp(z) / np.exp(z).sum()
"""),
        ],
    ),
    "q3": (
        """
def tokens_a_pass(P, Q, start, ahead):
    tokens = np.ones(len(P))  # that a pass is expected to give behind each token, with nothing proposed
    for _ in range(ahead):
        tokens = 1 + np.minimum(P, Q) @ tokens
    return tokens[start]
""",
        [
            ("behind another token another share", """
def tokens_a_pass(P, Q, start, ahead):
    a = sum(min(x, y) for x, y in zip(P[start], Q[start]))
    return (1 - a ** (ahead + 1)) / (1 - a)
"""),
            ("no row is the mean row", """
def tokens_a_pass(P, Q, start, ahead):
    a = np.minimum(P, Q).sum() / len(P)
    return (1 - a ** (ahead + 1)) / (1 - a)
"""),
            ("not with Q", """
def tokens_a_pass(P, Q, start, ahead):
    a, where, chance, total = np.minimum(P, Q).sum(1), np.eye(len(P))[start], 1.0, 1.0
    for _ in range(ahead):
        chance *= where @ a
        total += chance
        where = where @ Q
    return total
"""),
            ("not with P", """
def tokens_a_pass(P, Q, start, ahead):
    a, where, chance, total = np.minimum(P, Q).sum(1), np.eye(len(P))[start], 1.0, 1.0
    for _ in range(ahead):
        chance *= where @ a
        total += chance
        where = where @ P
    return total
"""),
            ("the first refusal ends the round", """
def tokens_a_pass(P, Q, start, ahead):
    where, total = np.eye(len(P))[start], 1.0
    for _ in range(ahead):
        total += (where @ np.minimum(P, Q)).sum()
        where = where @ Q
    return total
"""),
            ("compared at every step", """
def tokens_a_pass(P, Q, start, ahead):
    p = q = np.eye(len(P))[start]
    total = 1.0
    for _ in range(ahead):
        p, q = p @ P, q @ Q
        total += np.minimum(p, q).sum()
    return total
"""),
            ("together min(P, Q)", changed(TOKENS_A_PASS, ("np.minimum(P,", "(P *"))),
            ("weighted with Q", changed(TOKENS_A_PASS, ("np.minimum(P, Q", "(P * np.minimum(P / Q, 1)"))),
            ("no plain mean", changed(TOKENS_A_PASS, ("P, Q) @ value", "P / Q, 1) @ value / len(P)"))),
            ("always gives one token more", changed(
                TOKENS_A_PASS,
                ("np.ones", "np.zeros"),
                ("1 + np.minimum(P, Q) @ value", "np.minimum(P, Q) @ (1 + value)"))),
            ("the replacement", changed(
                TOKENS_A_PASS,
                ("len(P))", "len(P))  # the one more when all are accepted"),
                ("1 + np.minimum(P, Q) @ value", "np.minimum(P, Q) @ (1 + value)"))),
            ("adds one token of its own", changed(
                TOKENS_A_PASS,
                ("value = np.ones", "M, value = np.minimum(P, Q), np.zeros"),
                ("1 + np.minimum(P, Q) @ value", "M @ (1 + value) + 1 - M.sum(1)  # accepted, or replaced"))),
            ("not proposed by the draft", """
def tokens_a_pass(P, Q, start, ahead):
    row, total = np.eye(len(P))[start], 0.0
    for _ in range(ahead + 2):
        total += row.sum()
        row = row @ np.minimum(P, Q)
    return total
"""),
            ("only so many", """
def tokens_a_pass(P, Q, start, ahead):
    return np.linalg.inv(np.eye(len(P)) - np.minimum(P, Q))[start].sum()
"""),
            ("not the square of each entry", """
def tokens_a_pass(P, Q, start, ahead):
    return 1 + sum(np.sum(np.minimum(P, Q)[start] ** j) for j in range(1, ahead + 1))
"""),
            ("you read columns", changed(TOKENS_A_PASS, ("np.minimum(P, Q) @ value", "value @ np.minimum(P, Q)"))),
            ("no mean over the rows", changed(TOKENS_A_PASS, ("value[start]", "value.mean()"))),
        ],
    ),
    "q4": (
        """
def longest_text(layers, windowed, window, kv_heads, width, weights, memory):
    def fits(tokens):
        kept = (layers - windowed) * tokens + windowed * min(tokens, window)
        return 2 * weights + 2 * kept * kv_heads * width * 2 <= memory

    low, high = 0, 10**9
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low
""",
        [
            ("two numbers for each place", changed(LONGEST_TEXT, (" / (4 *", " // (2 *"))),
            ("take their part", changed(LONGEST_TEXT, ("(memory - 2 * weights) ", "memory /"))),
            ("two bytes a number", """
def longest_text(layers, windowed, window, kv_heads, width, weights, memory):
    room = (memory / 4 - weights) / (2 * kv_heads * width)
    return math.floor(max(room / layers, (room - windowed * window) / (layers - windowed)))
"""),
            ("takes two bytes as well", changed(LONGEST_TEXT, ("2 * weights) ", "weights) /"))),
            ("round down", """
def longest_text(layers, windowed, window, kv_heads, width, weights, memory):
    room = (memory - 2 * weights) / (4 * kv_heads * width)
    return math.ceil(max(room / layers, (room - windowed * window) / (layers - windowed)))
"""),
            ("last token does not fit", """
def longest_text(layers, windowed, window, kv_heads, width, weights, memory):
    room = (memory - 2 * weights) / (4 * kv_heads * width)
    return round(max(room / layers, (room - windowed * window) / (layers - windowed)))
"""),
            ("a part of a token", changed(
                LONGEST_TEXT, ("/ layers, (room - windowed * window) /", " layers, (room - windowed * window) "))),
            ("every head", changed(LONGEST_TEXT, (" (4 * kv_heads", "/ (4"))),
            ("every layer keeps", """
def longest_text(layers, windowed, window, kv_heads, width, weights, memory):
    return (memory - 2 * weights) // (4 * kv_heads * width)
"""),
            ("never keeps more than the window", """
def longest_text(layers, windowed, window, kv_heads, width, weights, memory):
    return (memory - 2 * weights) // (4 * kv_heads * width * layers)
"""),
            ("up to a whole window", """
def longest_text(layers, windowed, window, kv_heads, width, weights, memory):
    return (memory - 2 * weights) // (4 * kv_heads * width * (layers - windowed))
"""),
            ("shorter than the window", """
def longest_text(layers, windowed, window, kv_heads, width, weights, memory):
    room = memory - 2 * weights - 4 * kv_heads * width * windowed * window
    return room // (4 * kv_heads * width * (layers - windowed))
"""),
            ("`windowed` layers that have a window", changed(
                LONGEST_TEXT,
                ("weights) / (4", "weights) // (4"),
                ("windowed * window) // (layers - windowed)", "(layers - windowed) * window) // windowed"))),
        ],
    ),
    "q5": (
        """
def word_maps(maps):
    found, new = set(), [tuple(range(len(maps[0])))]
    while new:
        m = new.pop()
        if m not in found:
            found.add(m)
            new += [tuple(letter[s] for s in m) for letter in maps]

    def settles(m):
        power = m
        for _ in m:
            power = tuple(m[s] for s in power)
        return all(m[s] == s for s in power)

    return len(found), not all(settles(m) for m in found)
""",
        [
            ("empty word leaves", changed(WORD_MAPS, ("{tuple(range(len(maps[0])))}", "set(map(tuple, maps))"))),
            ("only the beginning", """
def word_maps(maps):
    n, verdict = len(maps[0]), True
    for f in maps:
        late = list(range(n))
        for _ in range(n):
            late = [f[s] for s in late]
        verdict &= [f[s] for s in late] == late
    return len({tuple(range(n)), *(tuple(f) for f in maps)}), not verdict
"""),
            ("composed ones too", changed(WORD_MAPS, ("map(circle, words)", "circle(m) for m in maps"))),
            ("if some states go round", changed(
                WORD_MAPS, ("map(circle, words)", "sorted(w) == list(range(len(w))) != list(w) for w in words"))),
            ("may still come to rest", changed(
                WORD_MAPS, ("map(circle, words)", "tuple(w[s] for s in w) != w for w in words"))),
            ("longer than two", changed(
                WORD_MAPS, ("map(circle, words", "w[w[s]] == s and w[s] != s for w in words for s in range(len(w)"))),
            ("an automaton that counts", changed(WORD_MAPS, (", any(map", ", not any(map"))),
            ("its own square", """
def word_maps(maps):
    words, todo = set(), [tuple(range(len(maps[0])))]
    while todo:
        word = todo.pop()
        if word not in words:
            words.add(word)
            todo += [tuple(m[s] for s in word) for m in maps]

    def settles(f):
        power = f
        for _ in range(200):
            if tuple(power[s] for s in power) == power:
                return True
            power = tuple(f[s] for s in power)
        return False

    return len(words), not all(settles(w) for w in words)
"""),
            ("longer than there are states", """
def word_maps(maps):
    words = {tuple(range(len(maps[0])))}
    for _ in maps[0]:
        words |= {tuple(m[s] for s in w) for w in words for m in maps}

    def comes_back(f, s):
        place, steps = f[s], 1
        while place != s and steps <= len(f):
            place, steps = f[place], steps + 1
        return place == s and steps > 1

    return len(words), any(comes_back(w, s) for w in words for s in range(len(w)))
"""),
            ("the same states and differ", """
def word_maps(maps):
    states = range(len(maps[0]))
    found, new = set(), [frozenset(states)]
    while new:
        image = new.pop()
        if image not in found:
            found.add(image)
            new += [frozenset(m[s] for s in image) for m in maps]
    circle = False
    for m in maps:
        for s in states:
            place = m[s]
            for _ in states:
                circle |= place == s != m[s]
                place = m[place]
    return len(found), circle
"""),
        ],
    ),
    "q6": (
        """
def best_split(A, B, a, b, C):
    low, high = -200.0, 200.0
    for _ in range(300):
        n = (low + high) / 2
        d = math.log(C / 6) - n
        if math.log(a * A) - a * n > math.log(b * B) - b * d:
            low = n
        else:
            high = n
    return math.exp(n), C / 6 / math.exp(n)
""",
        [
            ("C = 6 N D", """
def best_split(A, B, a, b, C):
    N = (a * A * C**b / (b * B)) ** (1 / (a + b))
    return N, C / N
"""),
            ("need not be equal", """
def best_split(A, B, a, b, C):
    return (C / 6) ** 0.5, (C / 6) ** 0.5
"""),
            ("you have exchanged them", """
def best_split(A, B, a, b, C):
    N = (b * A / (a * B)) ** (1 / (a + b)) * (C / 6) ** (a / (a + b))
    return N, C / (6 * N)
"""),
            ("with the power b / (a + b)", """
def best_split(A, B, a, b, C):
    N = (a * A / (b * B)) ** (1 / (a + b)) * (C / 6) ** (a / (a + b))
    return N, C / (6 * N)
"""),
            ("upside down", """
def best_split(A, B, a, b, C):
    N = (b * B / (a * A)) ** (1 / (a + b)) * (C / 6) ** (b / (a + b))
    return N, C / (6 * N)
"""),
            ("not their sum", """
def best_split(A, B, a, b, C):
    N = (a * A / (b * B) * (C / 6) ** (b + 1)) ** (1 / (a + b + 2))
    return N, C / (6 * N)
"""),
            ("as factors", """
def best_split(A, B, a, b, C):
    N = (A / B * (C / 6) ** b) ** (1 / (a + b))
    return N, C / (6 * N)
"""),
            ("then the tokens", """
def best_split(A, B, a, b, C):
    N = (a * A / (b * B) * (C / 6) ** b) ** (1 / (a + b))
    return C / (6 * N), N
"""),
            ("twenty tokens", """
def best_split(A, B, a, b, C):
    N = (C / 6 / 20) ** 0.5
    return N, 20 * N
"""),
        ],
    ),
}  # fmt: skip

"""Answers to problem set 6: for each question another right one, and wrong ones with words of the hint they must get.

{question: (right, [(words of the hint, wrong), ...])}, each the source of the student's cell.
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
            ("which is top-p", """
def typical(p, mass):
    inside = [i for i, x in enumerate(p) if x > 0]
    s = {i: -math.log(p[i]) for i in inside}
    H = sum(p[i] * s[i] for i in inside)
    inside.sort(key=lambda i: s[i] - H)
    kept, total = np.zeros(len(p)), 0.0
    for i in inside:
        kept[i] = p[i]
        total += p[i]
        if total >= mass:
            break
    return kept / total
"""),
            ("which is top-p", """
def typical(p, mass):
    inside = [i for i, x in enumerate(p) if x > 0]
    s = {i: -math.log(p[i]) for i in inside}
    H = sum(p[i] * s[i] for i in inside)
    inside.sort(key=lambda i: -p[i])
    kept, total = np.zeros(len(p)), 0.0
    for i in inside:
        kept[i] = p[i]
        total += p[i]
        if total >= mass:
            break
    return kept / total
"""),
            ("sum to one", """
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
    return kept
"""),
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
            ("as far off as more", """
def typical(p, mass):
    inside = [i for i, x in enumerate(p) if x > 0]
    s = {i: -math.log(p[i]) for i in inside}
    H = sum(p[i] * s[i] for i in inside)
    inside.sort(key=lambda i: H - s[i])
    kept, total = np.zeros(len(p)), 0.0
    for i in inside:
        kept[i] = p[i]
        total += p[i]
        if total >= mass:
            break
    return kept / total
"""),
            ("in the same unit", """
def typical(p, mass):
    inside = [i for i, x in enumerate(p) if x > 0]
    s = {i: -math.log(p[i]) for i in inside}
    H = sum(p[i] * s[i] for i in inside)
    inside.sort(key=lambda i: abs(s[i] - H / math.log(2)))
    kept, total = np.zeros(len(p)), 0.0
    for i in inside:
        kept[i] = p[i]
        total += p[i]
        if total >= mass:
            break
    return kept / total
"""),
            ("not the farthest", """
def typical(p, mass):
    inside = [i for i, x in enumerate(p) if x > 0]
    s = {i: -math.log(p[i]) for i in inside}
    H = sum(p[i] * s[i] for i in inside)
    inside.sort(key=lambda i: abs(s[i] - H), reverse=True)
    kept, total = np.zeros(len(p)), 0.0
    for i in inside:
        kept[i] = p[i]
        total += p[i]
        if total >= mass:
            break
    return kept / total
"""),
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
        ],
    ),
    "q3": (
        """
def drafted(p, q, ahead):
    accepted = 1 - np.abs(np.asarray(p) - q).sum() / 2
    return accepted, sum(accepted**i for i in range(ahead + 1))
""",
        [
            ("one token more", """
def drafted(p, q, ahead):
    a = sum(min(x, y) for x, y in zip(p, q))
    return a, a * (1 - a**ahead) / (1 - a)
"""),
            ("of its own", """
def drafted(p, q, ahead):
    a = sum(min(x, y) for x, y in zip(p, q))
    return a, (1 - a**ahead) / (1 - a)
"""),
            ("ends the round", """
def drafted(p, q, ahead):
    a = np.minimum(p, q).sum()
    return a, ahead * a + 1
"""),
            ("accepted with min(1, p/q)", """
def drafted(p, q, ahead):
    a = p @ q
    return a, (1 - a ** (ahead + 1)) / (1 - a)
"""),
            ("one minus it", """
def drafted(p, q, ahead):
    a = np.maximum(q - p, 0).sum()
    return a, (1 - a ** (ahead + 1)) / (1 - a)
"""),
            ("the sum of the powers stops", """
def drafted(p, q, ahead):
    a = np.minimum(p, q).sum()
    return a, 1 / (1 - a)
"""),
            ("half the sum", """
def drafted(p, q, ahead):
    a = 1 - sum(abs(p - q))
    return a, sum(a**n for n in range(ahead + 1))
"""),
        ],
    ),
    "q4": (
        """
def texts_at_once(layers, kv_heads, width, context, weights, memory):
    numbers = memory // 2 - weights
    return max(0, numbers // (2 * context * layers * kv_heads * width))
""",
        [
            ("two numbers for each place", """
def texts_at_once(layers, kv_heads, width, context, weights, memory):
    token = 2 * layers * kv_heads * width
    return (memory - 2 * weights) // (token * context)
"""),
            ("take their part", """
def texts_at_once(layers, kv_heads, width, context, weights, memory):
    token = 4 * layers * kv_heads * width
    return (memory - 0) // (token * context)
"""),
            ("two bytes a number", """
def texts_at_once(layers, kv_heads, width, context, weights, memory):
    token = 2 * layers * kv_heads * width * 4
    return (memory - weights * 4) // (token * context)
"""),
            ("half a text", """
def texts_at_once(layers, kv_heads, width, context, weights, memory):
    return math.ceil((memory - 2 * weights) / (4 * layers * kv_heads * width * context))
"""),
            ("half a text", """
def texts_at_once(layers, kv_heads, width, context, weights, memory):
    return round((memory - 2 * weights) / (4 * layers * kv_heads * width * context))
"""),
            ("a part of a text", """
def texts_at_once(layers, kv_heads, width, context, weights, memory):
    return (memory - 2 * weights) / (4 * layers * kv_heads * width * context)
"""),
            ("every head", """
def texts_at_once(layers, kv_heads, width, context, weights, memory):
    token = 4 * layers * width
    return (memory - 2 * weights) // (token * context)
"""),
            ("every layer", """
def texts_at_once(layers, kv_heads, width, context, weights, memory):
    token = 4 * kv_heads * width
    return (memory - 2 * weights) // (token * context)
"""),
            ("takes two bytes as well", """
def texts_at_once(layers, kv_heads, width, context, weights, memory):
    token = 4 * layers * kv_heads * width
    return (memory - weights) // (token * context)
"""),
        ],
    ),
    "q5": (
        """
def monoid(maps):
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

    return len(found), all(settles(m) for m in found)
""",
        [
            ("empty word leaves", """
def monoid(maps):
    words = set(map(tuple, maps))
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

    return len(words), not any(map(circle, words))
"""),
            ("only the beginning", """
def monoid(maps):
    n, verdict = len(maps[0]), True
    for f in maps:
        late = list(range(n))
        for _ in range(n):
            late = [f[s] for s in late]
        verdict &= [f[s] for s in late] == late
    return len({tuple(range(n)), *(tuple(f) for f in maps)}), verdict
"""),
            ("composed ones too", """
def monoid(maps):
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

    return len(words), not any(circle(m) for m in maps)
"""),
            ("if some states go round", """
def monoid(maps):
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

    return len(words), not any(sorted(w) == list(range(len(w))) != list(w) for w in words)
"""),
            ("may still come to rest", """
def monoid(maps):
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

    return len(words), all(tuple(w[s] for s in w) == w for w in words)
"""),
            ("longer than two", """
def monoid(maps):
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

    return len(words), not any(w[w[s]] == s and w[s] != s for w in words for s in range(len(w)))
"""),
            ("does not count", """
def monoid(maps):
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
"""),
            ("its own square", """
def monoid(maps):
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

    return len(words), all(settles(w) for w in words)
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
            ("the other way round", """
def best_split(A, B, a, b, C):
    N = (b * A / (a * B)) ** (1 / (a + b)) * (C / 6) ** (a / (a + b))
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

"""Answers to problem set 1: for each question another right one, and wrong ones with words of the hint they must get.

{question: (right, [(words of the hint, wrong), ...])}, each the source of the student's cell.
"""

ANSWERS = {
    "q1": (
        """
def report(log_probs, characters):
    flat = np.concatenate(log_probs)
    digits = -flat.sum() / math.log({{base}})
    return digits / flat.size, {{base}} ** (digits / flat.size), digits / characters
""",
        [
            ("measure in nats", """
def report(log_probs, characters):
    flat = np.concatenate(log_probs)
    return -flat.mean(), math.exp(-flat.mean()), -flat.sum() / characters
"""),
            ("add up first", """
def report(log_probs, characters):
    mean = -np.mean([np.mean(x) for x in log_probs])
    total = -sum(x.sum() for x in log_probs)
    return mean / math.log({{base}}), math.exp(mean), total / characters / math.log({{base}})
"""),
            ("end mark", """
def report(log_probs, characters):
    flat = np.concatenate([x[:-1] for x in log_probs])
    return (-flat.mean() / math.log({{base}}), math.exp(-flat.mean()),
            -flat.sum() / characters / math.log({{base}}))
"""),
            ("does not depend on the unit", """
def report(log_probs, characters):
    flat = np.concatenate(log_probs) / math.log({{base}})
    return -flat.mean(), math.exp(-flat.mean()), -flat.sum() / characters
"""),
            ("minus a logarithm", """
def report(log_probs, characters):
    flat = np.concatenate(log_probs)
    unit = math.log({{base}})
    return flat.mean() / unit, math.exp(flat.mean()), flat.sum() / characters / unit
"""),
            ("fewer digits than nats", """
def report(log_probs, characters):
    flat = np.concatenate(log_probs)
    digits = -flat * math.log({{base}})
    return digits.mean(), math.exp(-flat.mean()), digits.sum() / characters
"""),
            ("mean of its sentences' perplexities", """
def report(log_probs, characters):
    digits = -np.concatenate(log_probs) / math.log({{base}})
    return digits.mean(), np.mean([math.exp(-x.mean()) for x in log_probs]), digits.sum() / characters
"""),
        ],
    ),
    "q2": (
        """
def log_prob(table, words):
    p, last = [], BOS
    for word in [*words, EOS]:
        p.append(table.get((last, word), 0))
        last = word
    return sum(map(math.log, p)) if all(p) else float("-inf")
""",
        [
            ("after the start mark", """
def log_prob(table, words):
    tokens = [*words, EOS]
    p = [table.get(pair, 0) for pair in zip(tokens, tokens[1:])]
    return sum(map(math.log, p)) if all(p) else -math.inf
"""),
            ("also ends", """
def log_prob(table, words):
    tokens = [BOS, *words]
    p = [table.get(pair, 0) for pair in zip(tokens, tokens[1:])]
    return float(sum(map(math.log, p))) if all(p) else -math.inf
"""),
            ("impossible", """
def log_prob(table, words):
    tokens = [BOS, *words, EOS]
    return sum(math.log(table[pair]) for pair in zip(tokens, tokens[1:]) if pair in table)
"""),
            ("not its logarithm", """
def log_prob(table, words):
    p = 1.0
    for pair in zip([BOS, *words], [*words, EOS]):
        p *= table.get(pair, 0)
    return p
"""),
            ("bits", """
def log_prob(table, words):
    p = [table.get(pair, 0) for pair in zip([BOS, *words], [*words, EOS])]
    return sum(map(math.log2, p)) if all(p) else -math.inf
"""),
            ("earlier token stands first", """
def log_prob(table, words):
    tokens = [BOS, *words, EOS]
    p = [table.get((b, a), 0) for a, b in zip(tokens, tokens[1:])]
    return sum(map(math.log, p)) if all(p) else -math.inf
"""),
            ("their mean", """
def log_prob(table, words):
    p = [table.get(pair, 0) for pair in zip([BOS, *words], [*words, EOS])]
    return sum(map(math.log, p)) / len(p) if all(p) else -math.inf
"""),
        ],
    ),
    "q3": (
        """
def witten_bell(counts, lower):
    seen = {w: c for w, c in counts.items() if c}
    weight = len(seen) / (len(seen) + sum(seen.values()))
    result = {}
    for word, p in lower.items():
        result[word] = weight * p + (1 - weight) * seen.get(word, 0) / sum(seen.values())
    return result
""",
        [
            ("whole vocabulary", """
def witten_bell(counts, lower):
    N, T = sum(counts.values()), len(lower)
    return {w: (counts.get(w, 0) + T * lower[w]) / (N + T) for w in lower}
"""),
            ("is no type", """
def witten_bell(counts, lower):
    N, T = sum(counts.values()), len(counts)
    return {w: (counts.get(w, 0) + T * lower[w]) / (N + T) for w in lower}
"""),
            ("has the weight T/(N+T)", """
def witten_bell(counts, lower):
    N, T = sum(counts.values()), sum(c > 0 for c in counts.values())
    return {w: (counts.get(w, 0) + lower[w]) / (N + T) for w in lower}
"""),
            ("does not back off", """
def witten_bell(counts, lower):
    N, T = sum(counts.values()), sum(c > 0 for c in counts.values())
    new = sum(p for w, p in lower.items() if not counts.get(w))
    return {w: (counts[w] if counts.get(w) else T * p / new) / (N + T) for w, p in lower.items()}
"""),
            ("number of tokens", """
def witten_bell(counts, lower):
    N = sum(counts.values())
    return {w: 0.5 * counts.get(w, 0) / N + 0.5 * lower[w] for w in lower}
"""),
            ("seen once", """
def witten_bell(counts, lower):
    N, T = sum(counts.values()), list(counts.values()).count(1)
    return {w: (counts.get(w, 0) + T * lower[w]) / (N + T) for w in lower}
"""),
            ("sum to more than one", """
def witten_bell(counts, lower):
    N, T = sum(counts.values()), sum(c > 0 for c in counts.values())
    return {w: counts.get(w, 0) / N + T / (N + T) * lower[w] for w in lower}
"""),
            ("sum to less than one", """
def witten_bell(counts, lower):
    N, T = sum(counts.values()), sum(c > 0 for c in counts.values())
    return {w: (counts[w] if counts.get(w) else T * p) / (N + T) for w, p in lower.items()}
"""),
        ],
    ),
    "q4": (
        """
def fair_cross_entropy(log_probs, tokens, vocabulary, types):
    unknown = np.array([t not in set(vocabulary) for t in tokens])
    return -np.mean(np.asarray(log_probs) - unknown * np.log(types))
""",
        [
            ("whole set of words", """
def fair_cross_entropy(log_probs, tokens, vocabulary, types):
    return -np.mean(log_probs)
"""),
            ("small vocabulary", """
def fair_cross_entropy(log_probs, tokens, vocabulary, types):
    return -np.mean([x for x, t in zip(log_probs, tokens) if t in vocabulary])
"""),
            ("not easier", """
def fair_cross_entropy(log_probs, tokens, vocabulary, types):
    unknown = np.array([t not in vocabulary for t in tokens])
    return -np.mean(log_probs + unknown * np.log(types))
"""),
            ("once for each", """
def fair_cross_entropy(log_probs, tokens, vocabulary, types):
    return (-np.sum(log_probs) + np.log(types)) / len(tokens)
"""),
            ("unknown types alone", """
def fair_cross_entropy(log_probs, tokens, vocabulary, types):
    unknown = np.array([t not in vocabulary for t in tokens])
    return -np.mean(log_probs - unknown * np.log(types + len(vocabulary)))
"""),
            ("happen to come in this text", """
def fair_cross_entropy(log_probs, tokens, vocabulary, types):
    unknown = [t for t in tokens if t not in vocabulary]
    return (len(unknown) * np.log(len(set(unknown))) - np.sum(log_probs)) / len(tokens)
"""),
            ("off its logarithm", """
def fair_cross_entropy(log_probs, tokens, vocabulary, types):
    return -np.mean([x if t in vocabulary else x / types for x, t in zip(log_probs, tokens)])
"""),
            ("not 1/types", """
def fair_cross_entropy(log_probs, tokens, vocabulary, types):
    return np.mean([-x if t in vocabulary else np.log(types) for x, t in zip(log_probs, tokens)])
"""),
        ],
    ),
    "q5": (
        """
def cached(unigram, history, share, decay):
    result = {w: p * (1 - share) for w, p in unigram.items()} if history else dict(unigram)
    total = sum(decay**i for i in range(len(history)))
    for i, word in enumerate(history[::-1]):
        result[word] += share * decay**i / total
    return result
""",
        [
            ("from the beginning", """
def cached(unigram, history, share, decay):
    result = {w: p * (1 - share) for w, p in unigram.items()} if history else dict(unigram)
    total = sum(decay**i for i in range(len(history)))
    for i, word in enumerate(history):
        result[word] += share * decay**i / total
    return result
"""),
            ("total weight", """
def cached(unigram, history, share, decay):
    result = {w: p * (1 - share) for w, p in unigram.items()} if history else dict(unigram)
    for i, word in enumerate(history[::-1]):
        result[word] += share * decay**i
    return result
"""),
            ("belongs to the cache", """
def cached(unigram, history, share, decay):
    result = {w: p * share for w, p in unigram.items()} if history else dict(unigram)
    total = sum(decay**i for i in range(len(history)))
    for i, word in enumerate(history[::-1]):
        result[word] += (1 - share) * decay**i / total
    return result
"""),
            ("counts the same", """
def cached(unigram, history, share, decay):
    result = {w: p * (1 - share) for w, p in unigram.items()} if history else dict(unigram)
    for word in history:
        result[word] += share / len(history)
    return result
"""),
            ("without end", """
def cached(unigram, history, share, decay):
    result = {w: p * (1 - share) for w, p in unigram.items()} if history else dict(unigram)
    for i, word in enumerate(history[::-1]):
        result[word] += share * decay**i * (1 - decay) if decay < 1 else share / len(history)
    return result
"""),
            ("you kept one", """
def cached(unigram, history, share, decay):
    if not history:
        return unigram
    weight = {word: decay ** -i for i, word in enumerate(history)}
    total = sum(weight.values())
    return {w: p * (1 - share) + share * weight.get(w, 0) / total for w, p in unigram.items()}
"""),
            ("keeps only 1 - share", """
def cached(unigram, history, share, decay):
    result = {w: p * (1 - share) if w in history else p for w, p in unigram.items()}
    total = sum(decay**i for i in range(len(history)))
    for i, word in enumerate(history[::-1]):
        result[word] += share * decay**i / total
    return result
"""),
            ("unigram has it all", """
def cached(unigram, history, share, decay):
    result = {w: p * (1 - share) for w, p in unigram.items()}
    total = sum(decay**i for i in range(len(history)))
    for i, word in enumerate(history[::-1]):
        result[word] += share * decay**i / total
    return result
"""),
        ],
    ),
    "q6": (
        """
def floors(P):
    V = len(P)
    step = np.zeros((V * V, V * V))
    for a in range(V):
        for b in range(V):
            step[a * V + b, b * V : b * V + V] = P[a, b]
    pi = np.linalg.matrix_power(step, 2**14)[0]
    source = -(pi @ (P * np.log(P)).sum(-1).ravel())
    pairs = (pi[:, None] * P.reshape(V * V, V)).reshape(V, V, V).sum(0)
    return -(pairs * np.log(pairs)).sum() + (pairs.sum(1) * np.log(pairs.sum(1))).sum(), source
""",
        [
            ("equally frequent", """
def floors(P):
    pairs = P.mean(0) / len(P)
    given = pairs / pairs.sum(1, keepdims=True)
    return -(pairs * np.log(given)).sum(), -(P * np.log(P)).sum() / len(P) ** 2
"""),
            ("not over all a alike", """
def floors(P):
    pi = np.ones(P.shape[:2]) / P[0].size
    for _ in range(3000):
        pi = np.einsum("ab,abc->bc", pi, P)
    q = P.mean(0)
    return -(pi.sum(0) @ (q * np.log(q)).sum(1)), -(pi[:, :, None] * P * np.log(P)).sum()
"""),
            ("bits", """
def floors(P):
    pi = np.ones(P.shape[:2]) / P[0].size
    for _ in range(3000):
        pi = np.einsum("ab,abc->bc", pi, P)
    q = pi / pi.sum(1, keepdims=True)
    return -(pi * np.log2(q)).sum(), -(pi[:, :, None] * P * np.log2(P)).sum()
"""),
            ("bigram first", """
def floors(P):
    pi = np.ones(P.shape[:2]) / P[0].size
    for _ in range(3000):
        pi = np.einsum("ab,abc->bc", pi, P)
    q = pi / pi.sum(1, keepdims=True)
    return -(pi[:, :, None] * P * np.log(P)).sum(), -(pi * np.log(q)).sum()
"""),
            ("unigram model", """
def floors(P):
    pi = np.ones(P.shape[:2]) / P[0].size
    for _ in range(3000):
        pi = np.einsum("ab,abc->bc", pi, P)
    one = pi.sum(0)
    return -(one * np.log(one)).sum(), -(pi[:, :, None] * P * np.log(P)).sum()
"""),
            ("not (a, c)", """
def floors(P):
    pi = np.ones(P.shape[:2]) / P[0].size
    for _ in range(3000):
        pi = (pi[:, :, None] * P).sum(1)
    joint = pi[:, :, None] * P
    q = joint.sum(0) / pi.sum(0)[:, None]
    return -(joint * np.log(q)).sum(), -(joint * np.log(P)).sum()
"""),
            ("you took all a alike", """
def floors(P):
    pi = np.ones(P.shape[:2]) / P[0].size
    for _ in range(3000):
        pi = np.einsum("ab,abc->bc", pi, P)
    return -(pi * np.log(P.mean(0))).sum(), -(pi[:, :, None] * P * np.log(P)).sum()
"""),
            ("not a, the one before it", """
def floors(P):
    pi = np.ones(P.shape[:2]) / P[0].size
    for _ in range(3000):
        pi = np.einsum("ab,abc->bc", pi, P)
    joint = pi[:, :, None] * P
    q = joint.sum(1) / pi.sum(1, keepdims=True)
    return -(joint.sum(1) * np.log(q)).sum(), -(joint * np.log(P)).sum()
"""),
            ("that of c given b", """
def floors(P):
    pi = np.ones(P.shape[:2]) / P[0].size
    for _ in range(3000):
        pi = np.einsum("ab,abc->bc", pi, P)
    return -(pi * np.log(pi)).sum(), -(pi[:, :, None] * P * np.log(P)).sum()
"""),
        ],
    ),
}  # fmt: skip

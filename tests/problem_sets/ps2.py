"""Answers to problem set 2: for each question another right one, and wrong ones with words of the hint they must get.

{question: (right, [(words of the hint, wrong), ...])}, each the source of the student's cell. Many of the
wrong ones are a right one with a line or two changed.
"""

from tests.problem_sets import changed

INPUT_GRADIENT = """
def input_gradient(x, W_x, W_f, b, W_o, c, g):
    states, y = [np.zeros(len(b))], np.zeros(len(c))
    for row in x:
        states.append(np.tanh(W_x @ row + W_f @ y + b))
        y = W_o @ states[-1] + c
    result = np.zeros(x.shape)
    for t in reversed(range(len(x))):
        delta = g @ W_o * (1 - states[t + 1] ** 2)
        result[t] = delta @ W_x
        g = delta @ W_f
    return result
"""

CHUNKED_GRADIENT = """
def chunked_gradient(x, y, w, k):
    h = slope = total = 0.0
    for t, (value, goal) in enumerate(zip(x, y)):
        slope = slope if t % k else 0.0
        before = h
        h = math.tanh(w * before + value)
        slope = (1 - h * h) * (before + w * slope)
        total += (h - goal) * slope
    return total
"""

LYAPUNOV = """
def lyapunov(states, W_h, v):
    v, logs = v / np.linalg.norm(v), []
    for h in states:
        v = (1 - h**2) * (W_h @ v)
        logs.append(np.log(np.linalg.norm(v)))
        v = v / np.linalg.norm(v)
    return np.mean(logs)
"""

SKIP_GRADIENT = """
def skip_gradient(x, W_x, W_h, S, G):
    h = [np.zeros(len(S)), np.zeros(len(S))]
    for row in x:
        h.append(np.tanh(W_x @ row + W_h @ h[-1] + S @ h[-2]))
    dS, one, two = np.zeros(S.shape), np.zeros(len(S)), np.zeros(len(S))
    for t in reversed(range(len(x))):
        delta = (G[t] + W_h.T @ one + S.T @ two) * (1 - h[t + 2] ** 2)
        dS += np.outer(delta, h[t])
        one, two = delta, one
    return dS
"""

ANSWERS = {
    "q1": (
        """
def jordan(x, W_x, W_f, b, W_o, c):
    Y = np.zeros((len(x) + 1, len(W_o)))
    for t, enters in enumerate(x @ W_x.T + b):
        Y[t + 1] = c + W_o @ np.tanh(enters + W_f @ Y[t])
    return Y[1:]
""",
        [
            ("let it be forgotten", """
def jordan(x, W_x, W_f, b, W_o, c):
    y = np.zeros(len(c))
    result = []
    for row in x:
        result.append(W_o @ np.tanh(W_x @ row + W_f @ y + b) + c)
    return np.array(result)
"""),
            ("zero, not c", """
def jordan(x, W_x, W_f, b, W_o, c):
    h, result = np.zeros(len(b)), []
    for row in x:
        fed_back = W_o @ h + c
        h = np.tanh(W_x @ row + W_f @ fed_back + b)
        result.append(W_o @ h + c)
    return np.array(result)
"""),
            ("no tanh there", """
def jordan(x, W_x, W_f, b, W_o, c):
    result = [np.zeros(len(c))]
    for row in x:
        h = np.tanh(W_x @ row + W_f @ result[-1] + b)
        result.append(np.tanh(W_o @ h + c))
    return np.array(result[1:])
"""),
            ("has a bias b", """
def jordan(x, W_x, W_f, b, W_o, c):
    result = [np.zeros(len(c))]
    for row in x:
        result.append(W_o @ np.tanh(W_x @ row + W_f @ result[-1]) + c)
    return np.array(result[1:])
"""),
            ("not its tanh", """
def jordan(x, W_x, W_f, b, W_o, c):
    context, result = np.zeros(len(c)), []
    for row in x:
        y = W_o @ np.tanh(W_x @ row + W_f @ context + b) + c
        context = np.tanh(y)
        result.append(y)
    return np.array(result)
"""),
            ("hidden layer has a tanh", """
def jordan(x, W_x, W_f, b, W_o, c):
    result = [np.zeros(len(c))]
    for row in x:
        result.append(W_o @ (W_x @ row + W_f @ result[-1] + b) + c)
    return np.array(result[1:])
"""),
            ("not the hidden states", """
def jordan(x, W_x, W_f, b, W_o, c):
    y, hidden = np.zeros(len(c)), []
    for row in x:
        hidden.append(np.tanh(W_x @ row + W_f @ y + b))
        y = W_o @ hidden[-1] + c
    return np.array(hidden)
"""),
            ("fed back with it", """
def jordan(x, W_x, W_f, b, W_o, c):
    y, result = np.zeros(len(c)), []
    for row in x:
        y = W_o @ np.tanh(W_x @ row + W_f @ y + b)
        result.append(y + c)
    return np.array(result)
"""),
            ("one step late", """
def jordan(x, W_x, W_f, b, W_o, c):
    before = y = np.zeros(len(c))
    result = []
    for row in x:
        before, y = y, W_o @ np.tanh(W_x @ row + W_f @ before + b) + c
        result.append(y)
    return np.array(result)
"""),
        ],
    ),
    "q2": (
        """
def streams(ids, B, T):
    batches = (len(ids) - 1) // (B * T)
    n = batches * B * T
    inputs = np.reshape(ids[:n], (B, batches, T)).transpose(1, 0, 2)
    targets = np.reshape(ids[1 : n + 1], (B, batches, T)).transpose(1, 0, 2)
    return list(zip(inputs, targets))
""",
        [
            ("where row b of the batch before it stopped", """
def streams(ids, B, T):
    result = []
    for start in range(0, len(ids) - B * T, B * T):
        inputs = [ids[start + b * T : start + b * T + T] for b in range(B)]
        targets = [ids[start + b * T + 1 : start + b * T + T + 1] for b in range(B)]
        result.append((inputs, targets))
    return result
"""),
            ("the token after its input", """
def streams(ids, B, T):
    L = (len(ids) - 1) // (B * T) * T
    rows = [ids[b * L : (b + 1) * L] for b in range(B)]
    return [([r[t : t + T] for r in rows], [r[t : t + T] for r in rows]) for t in range(0, L, T)]
"""),
            ("every B-th one", """
def streams(ids, B, T):
    L = (len(ids) - 1) // (B * T) * T
    inputs = [ids[b::B][:L] for b in range(B)]
    targets = [ids[b + 1 :: B][:L] for b in range(B)]
    return [([r[t : t + T] for r in inputs], [r[t : t + T] for r in targets]) for t in range(0, L, T)]
"""),
            ("not the row's first", """
def streams(ids, B, T):
    L = (len(ids) - 1) // (B * T) * T
    rows = np.array(ids[: B * L]).reshape(B, L)
    batches = [rows[:, t : t + T] for t in range(0, L, T)]
    return [(batch, np.roll(batch, -1, axis=1)) for batch in batches]
"""),
            ("has a target too: the token that begins", """
def streams(ids, B, T):
    L = (len(ids) - 1) // (B * T) * T
    rows = np.array(ids[: B * L]).reshape(B, L)
    batches = [rows[:, t : t + T] for t in range(0, L, T)]
    return [(batch, batch[:, 1:]) for batch in batches]
"""),
            ("divisible by T", """
def streams(ids, B, T):
    L = (len(ids) - 1) // B
    inputs = np.array(ids[: B * L]).reshape(B, L)
    targets = np.array(ids[1 : B * L + 1]).reshape(B, L)
    return [(inputs[:, t : t + T], targets[:, t : t + T]) for t in range(0, L, T)]
"""),
            ("without gaps", """
def streams(ids, B, T):
    L = (len(ids) - 1) // B
    inputs = np.array(ids[: B * L]).reshape(B, L)
    targets = np.array(ids[1 : B * L + 1]).reshape(B, L)
    return [(inputs[:, T * i : T * i + T], targets[:, T * i : T * i + T]) for i in range(L // T)]
"""),
            ("very last input", """
def streams(ids, B, T):
    L = len(ids) // (B * T) * T
    following = ids[1:]
    result = []
    for t in range(0, L, T):
        places = range(t, t + B * L, L)
        result.append(([ids[p : p + T] for p in places], [following[p : p + T] for p in places]))
    return result
"""),
            ("keep a token back for its last target", """
def streams(ids, B, T):
    n = len(ids) // B
    rows = [ids[b * n : (b + 1) * n] for b in range(B)]
    return [([r[t : t + T] for r in rows], [r[t + 1 : t + T + 1] for r in rows]) for t in range(0, n - T, T)]
"""),
            ("no token is left out between them", """
def streams(ids, B, T):
    n = len(ids) // (B * (T + 1))
    pieces = np.array(ids[: B * n * (T + 1)]).reshape(B, n, T + 1)
    return [(pieces[:, i, :-1], pieces[:, i, 1:]) for i in range(n)]
"""),
        ],
    ),
    "q3": (
        """
def input_gradient(x, W_x, W_f, b, W_o, c, g):
    y, by_input = np.zeros(len(c)), []  # by_input: dy / dx_t for every t read so far, each (O, D)
    for row in x:
        h = np.tanh(W_x @ row + W_f @ y + b)
        y = W_o @ h + c
        opened = W_o @ np.diag(1 - h * h)
        by_input = [opened @ W_f @ J for J in by_input] + [opened @ W_x]
    return np.array([g @ J for J in by_input])
""",
        [
            ("because each output is fed back", """
def input_gradient(x, W_x, W_f, b, W_o, c, g):
    states, y = [np.zeros(len(b))], np.zeros(len(c))
    for row in x:
        states.append(np.tanh(W_x @ row + W_f @ y + b))
        y = W_o @ states[-1] + c
    result = np.zeros(x.shape)
    result[-1] = (g @ W_o * (1 - states[-1] ** 2)) @ W_x
    return result
"""),
            ("tanh has a slope", changed(INPUT_GRADIENT, ("W_o * (1 - states[t + 1] ** 2)", "W_o"))),
            ("the slope there is missing", changed(
                INPUT_GRADIENT,
                ("delta = g @ W_o * (1 - states[t + 1] ** 2)", "message = W_o.T @ g"),
                ("delta @ W_x", "W_x.T @ message"),
                ("delta @ W_f", "W_f.T @ (message * (1 - states[t + 1] ** 2))"))),
            ("every tanh on the way back", """
def input_gradient(x, W_x, W_f, b, W_o, c, g):
    states, y = [np.zeros(len(b))], np.zeros(len(c))
    for row in x:
        states.append(np.tanh(W_x @ row + W_f @ y + b))
        y = W_o @ states[-1] + c
    result = np.zeros(x.shape)
    for t in reversed(range(len(x))):
        result[t] = (g @ W_o * (1 - states[t + 1] ** 2)) @ W_x
        g = g @ W_o @ W_f
    return result
"""),
            ("not of h_{t-1}", changed(INPUT_GRADIENT, ("[t + 1]", "[t]"))),
            ("and not 1 - h", changed(INPUT_GRADIENT, ("] ** 2)", "])"))),
            ("g comes in once", """
def input_gradient(x, W_x, W_f, b, W_o, c, g):
    states, y = [np.zeros(len(b))], np.zeros(len(c))
    for row in x:
        states.append(np.tanh(W_x @ row + W_f @ y + b))
        y = W_o @ states[-1] + c
    result = np.zeros(x.shape)
    later = np.zeros(len(c))
    for t in reversed(range(len(x))):
        delta = (g + later) @ W_o * (1 - states[t + 1] ** 2)
        result[t] = delta @ W_x
        later = delta @ W_f
    return result
"""),
            ("without a slope", """
def input_gradient(x, W_x, W_f, b, W_o, c, g):
    states, y = [np.zeros(len(b))], np.zeros(len(c))
    for row in x:
        states.append(np.tanh(W_x @ row + W_f @ y + b))
        y = W_o @ states[-1] + c
    result = np.zeros(x.shape)
    for t in reversed(range(len(x))):
        y = W_o @ states[t + 1] + c
        delta = (g * (1 - y**2)) @ W_o * (1 - states[t + 1] ** 2)
        result[t] = delta @ W_x
        g = delta @ W_f
    return result
"""),
            ("the transpose of the other", changed(
                INPUT_GRADIENT, ("g @ W_o", "W_f @ g"), ("delta @ W_f", "W_o @ delta"))),
            ("not its transpose", changed(
                INPUT_GRADIENT,
                ("for t in reversed(range(len(x))):", "message = W_o.T @ g\n    for t in reversed(range(len(x))):"),
                ("g @ W_o", "message"),
                ("g = delta @ W_f", "message = W_f @ W_o @ delta"))),
            ("reverse order", changed(
                INPUT_GRADIENT,
                ("np.zeros(x.shape)", "[]"),
                ("result[t] = delta @ W_x", "result.append(delta @ W_x)"))),
        ],
    ),
    "q4": (
        """
def chunked_gradient(x, y, w, k):
    total, handed_over = 0.0, 0.0
    for start in range(0, len(x), k):
        inputs, goals = x[start : start + k], y[start : start + k]
        h = [handed_over]
        for value in inputs:
            h.append(math.tanh(w * h[-1] + value))
        back = 0.0
        for t in range(len(inputs), 0, -1):
            delta = (h[t] - goals[t - 1] + back) * (1 - h[t] ** 2)
            total += delta * h[t - 1]
            back = delta * w
        handed_over = h[-1]
    return total
""",
        [
            ("nothing was cut", """
def chunked_gradient(x, y, w, k):
    h = slope = total = 0.0
    for value, goal in zip(x, y):
        before = h
        h = math.tanh(w * before + value)
        slope = (1 - h * h) * (before + w * slope)
        total += (h - goal) * slope
    return total
"""),
            ("itself is carried over the border", """
def chunked_gradient(x, y, w, k):
    h = slope = total = 0.0
    for t, (value, goal) in enumerate(zip(x, y)):
        if t % k == 0:
            h = slope = 0.0
        before = h
        h = math.tanh(w * before + value)
        slope = (1 - h * h) * (before + w * slope)
        total += (h - goal) * slope
    return total
"""),
            ("not only the last of a chunk", """
def chunked_gradient(x, y, w, k):
    h = slope = total = 0.0
    for t, (value, goal) in enumerate(zip(x, y)):
        if t % k == 0:
            slope = 0.0
        before = h
        h = math.tanh(w * before + value)
        slope = (1 - h * h) * (before + w * slope)
        if (t + 1) % k == 0 or t + 1 == len(x):
            total += (h - goal) * slope
    return total
"""),
            ("when it is shorter", """
def chunked_gradient(x, y, w, k):
    h = total = 0.0
    for start in range(0, len(x) - k + 1, k):
        slope = 0.0
        for value, goal in zip(x[start : start + k], y[start : start + k]):
            before = h
            h = math.tanh(w * before + value)
            slope = (1 - h * h) * (before + w * slope)
            total += (h - goal) * slope
    return total
"""),
            ("cuts are at fixed places", """
def chunked_gradient(x, y, w, k):
    h = [0.0]
    for value in x:
        h.append(math.tanh(w * h[-1] + value))
    total = 0.0
    for t in range(1, len(h)):
        error = h[t] - y[t - 1]
        for back in range(min(k, t)):
            error *= 1 - h[t - back] ** 2
            total += error * h[t - back - 1]
            error *= w
    return total
"""),
            ("still uses w once", changed(
                CHUNKED_GRADIENT,
                ("        slope = slope if t % k else 0.0\n", ""),
                ("slope = (1 ", "slope = 0.0 if t % k == 0 else (1 "))),
            ("by h is h - y", changed(CHUNKED_GRADIENT, ("h - goal", "goal - h"))),
            ("no factor 2", changed(CHUNKED_GRADIENT, (" += (h ", " += 2 * (h "))),
            ("without a mean", changed(
                CHUNKED_GRADIENT,
                ("h = slope = total = 0.0", "h, slope, terms = 0.0, 0.0, []"),
                ("total += (h - goal) * slope", "terms.append((h - goal) * slope)"),
                ("return total", "return np.mean(terms)"))),
            ("tanh has a slope", """
def chunked_gradient(x, y, w, k):
    h = slope = total = 0.0
    for t, (value, goal) in enumerate(zip(x, y)):
        slope = slope if t % k else 0.0
        slope = h + w * slope
        h = math.tanh(w * h + value)
        total += (h - goal) * slope
    return total
"""),
        ],
    ),
    "q5": (
        """
def lyapunov(states, W_h, v):
    start, product = np.linalg.norm(v), np.eye(len(v))
    for h in states:
        product = np.diag(1 - h * h) @ W_h @ product
    return np.log(np.linalg.norm(product @ v) / start) / len(states)
""",
        [
            ("passes through tanh as well", changed(
                LYAPUNOV, ("for h in", "for _ in"), ("(1 - h**2) * (W_h @ v)", "W_h @ v"))),
            ("divide by the number of steps", changed(
                LYAPUNOV,
                ("logs = v / np.linalg.norm(v), []", "total = v / np.linalg.norm(v), 0"),
                ("logs.append(np.log(np.linalg.norm(v)", "total += np.log(np.linalg.norm(v"),
                ("np.mean(logs)", "total"))),
            ("counted again", changed(LYAPUNOV, ("        v = v / np.linalg.norm(v)\n", ""))),
            ("belongs to the way back", changed(LYAPUNOV, ("1 - h**2) * (W_h @ v", "v @ W_h) * (1 - h**2"))),
            ("length 1 at the start", changed(LYAPUNOV, ("v, logs = v / np.linalg.norm(v),", "logs ="))),
            ("first W_h, then the slope", changed(LYAPUNOV, ("(1 - h**2) * (W_h @ v)", "W_h @ np.diag(1 - h**2) @ v"))),
            ("natural logarithm", changed(LYAPUNOV, ("(np.log", "(np.log2"))),
            ("not the logarithm of the mean", changed(
                LYAPUNOV,
                (", logs ", ", growth "),
                ("logs.append(np.log(np.linalg.norm(v)", "growth.append(np.linalg.norm(v"),
                ("np.mean(logs", "np.log(np.mean(growth)"))),
            ("follow this one disturbance", """
def lyapunov(states, W_h, v):
    return np.mean([np.log(np.linalg.svd(np.diag(1 - h**2) @ W_h)[1][0]) for h in states])
"""),
        ],
    ),
    "q6": (
        """
def skip_gradient(x, W_x, W_h, S, G):
    H = len(S)
    h, before = np.zeros(H), np.zeros(H)
    dh, d_before = np.zeros((H, H, H)), np.zeros((H, H, H))  # by S, carried forwards: [unit, i, j]
    dS = np.zeros((H, H))
    for row, g in zip(x, G):
        new = np.tanh(W_x @ row + W_h @ h + S @ before)
        entering = np.einsum("ul,lij->uij", W_h, dh) + np.einsum("ul,lij->uij", S, d_before)
        for i in range(H):
            entering[i, i] += before
        d_new = (1 - new**2)[:, None, None] * entering
        dS += np.einsum("u,uij->ij", g, d_new)
        h, before, dh, d_before = new, h, d_new, dh
    return dS
""",
        [
            ("delta_t has a second term", changed(
                SKIP_GRADIENT,
                ("one, two = np.zeros(S.shape), np.zeros(len(S)), np.zeros(len(S))", "later = np.zeros(S.shape), 0"),
                ("W_h.T @ one + S.T @ two", "later"),
                ("one, two = delta, one", "later = W_h.T @ delta"))),
            ("multiplies the whole sum", changed(
                SKIP_GRADIENT, ("one + S.T @ two) * (1 - h[t + 2] ** 2)", "one) * (1 - h[t + 2] ** 2) + S.T @ two"))),
            ("not from Elman's", changed(SKIP_GRADIENT, (" + S @ h[-2]", ""))),
            ("it is h_{t-2} that the outer product needs", changed(SKIP_GRADIENT, (", h[t])", ", h[t + 1])"))),
            ("each G_t enters the recursion", """
def skip_gradient(x, W_x, W_h, S, G):
    h = [np.zeros(len(S)), np.zeros(len(S))]
    for row in x:
        h.append(np.tanh(W_x @ row + W_h @ h[-1] + S @ h[-2]))
    one, two = G[-1] * (1 - h[-1] ** 2), np.zeros(len(S))
    dS = np.outer(one, h[-3])
    for t in reversed(range(len(x) - 1)):
        delta = (W_h.T @ one + S.T @ two) * (1 - h[t + 2] ** 2)
        dS += np.outer(delta, h[t])
        one, two = delta, one
    return dS
"""),
            ("slope of tanh is missing", changed(
                SKIP_GRADIENT,
                ("(G[t] + W_h.T @ one + S.T @ two) * (1 - h[t + 2] ** 2)", "G[t] + W_h.T @ one + S.T @ two"))),
            ("transposed: row i of dS", changed(SKIP_GRADIENT, ("delta, h[t]", "h[t], delta"))),
            ("without a transpose", changed(SKIP_GRADIENT, ("W_h.T @ one + S.T", "W_h @ one + S"))),
        ],
    ),
}  # fmt: skip

"""Answers to problem set 3: for each question another right one, and wrong ones with words of the hint they must get.

{question: (right, [(words of the hint, wrong), ...])}, each the source of the student's cell. Many of the
wrong ones are a right one with a line or two changed.
"""

from tests.problem_sets import changed

MINIMAL_STEP = """
def minimal_step(x, h, W_f, U_f, b_f, W_n, U_n, b_n):
    f = 1 / (1 + np.exp(-x @ W_f.T - h @ U_f.T - b_f))
    n = np.tanh(x @ W_n.T + (f * h) @ U_n.T + b_n)
    return h + f * (n - h)
"""

PEEPHOLE_LSTM = """
def peephole_lstm(x, W_x, W_h, b, p):
    H = len(b) // 4
    h, c, states = np.zeros(H), np.zeros(H), []
    for row in x:
        i, f, g, o = (W_x @ row + W_h @ h + b).reshape(4, H)
        i, f = 1 / (1 + np.exp(-i - p[0] * c)), 1 / (1 + np.exp(-f - p[1] * c))
        c = f * c + i * np.tanh(g)
        h = np.tanh(c) / (1 + np.exp(-o - p[2] * c))
        states.append(h)
    return np.array(states)
"""

PEEPHOLE_BACKWARD = """
def peephole_backward(gates, c_before, p, dh, dc):
    i, f, g, o = gates
    t = np.tanh(f * c_before + i * g)
    do = dh * t * o * (1 - o)
    dc = dc + dh * o * (1 - t**2) + p[2] * do
    di = dc * g * i * (1 - i)
    df = dc * c_before * f * (1 - f)
    dg = dc * i * (1 - g**2)
    return np.concatenate([di, df, dg, do]), dc * f + p[0] * di + p[1] * df
"""

ANSWERS = {
    "q1": (
        """
def minimal_step(x, h, W_f, U_f, b_f, W_n, U_n, b_n):
    rows = []
    for x_row, h_row in zip(x, h):
        f = 0.5 + 0.5 * np.tanh((W_f @ x_row + U_f @ h_row + b_f) / 2)
        candidate = np.tanh(W_n @ x_row + U_n @ (f * h_row) + b_n)
        rows.append(h_row + f * (candidate - h_row))
    return rows
""",
        [
            ("how much of the candidate comes in", changed(MINIMAL_STEP, ("h + f * (n - h)", "f * h + (1 - f) * n"))),
            ("before the product", changed(MINIMAL_STEP, ("(f * h) @ U_n.T", "f * (h @ U_n.T)"))),
            ("sees the gated state", changed(MINIMAL_STEP, ("(f * h)", "h"))),
            ("a gate is a sigmoid", """
def minimal_step(x, h, W_f, U_f, b_f, W_n, U_n, b_n):
    f, n = np.tanh(x @ W_f.T + h @ U_f.T + b_f), x @ W_n.T + b_n
    n = np.tanh(n + (f * h) @ U_n.T)
    return h + f * (n - h)
"""),
            ("biases are missing", changed(MINIMAL_STEP, ("U_f.T - b_f", "U_f.T"), ("U_n.T + b_n", "U_n.T"))),
            ("not what stays", changed(
                MINIMAL_STEP,
                ("n = np.tanh(x @ W_n.T + (f * h) @ U_n.T + b_n)", "kept = (1 - f) * h"),
                ("h + f * (n - h", "kept + f * np.tanh(x @ W_n.T + kept @ U_n.T + b_n"))),
            ("recurrent matrices are transposed", changed(MINIMAL_STEP, (" U_f.T ", " U_f "), (" U_n.T ", " U_n "))),
        ],
    ),
    "q2": (
        """
def peephole_lstm(x, W_x, W_h, b, p):
    H = len(b) // 4
    gate = lambda a: (1 + np.tanh(a / 2)) / 2
    h, c = np.zeros((len(x) + 1, H)), np.zeros((len(x) + 1, H))
    for t, row in enumerate(x, start=1):
        a = (W_x @ row + W_h @ h[t - 1] + b).reshape(4, H)
        c[t] = gate(a[1] + p[1] * c[t - 1]) * c[t - 1]
        c[t] += gate(a[0] + p[0] * c[t - 1]) * np.tanh(a[2])
        h[t] = gate(a[3] + p[2] * c[t]) * np.tanh(c[t])
    return h[1:]
""",
        [
            ("looks at the new cell state", """
def peephole_lstm(x, W_x, W_h, b, p):
    H = len(b) // 4
    h, c, states = np.zeros(H), np.zeros(H), []
    for row in x:
        a = (W_x @ row + W_h @ h + b).reshape(4, H)
        gates = 1 / (1 + np.exp(-(a[[0, 1, 3]] + p * c)))
        c = gates[1] * c + gates[0] * np.tanh(a[2])
        h = gates[2] * np.tanh(c)
        states.append(h)
    return np.array(states)
"""),
            ("the output gate comes last", changed(PEEPHOLE_LSTM, (", g, o ", ", o, g "))),
            ("times tanh(c_t)", changed(PEEPHOLE_LSTM, ("np.tanh(c)", "c"))),
            ("through their peepholes", """
def peephole_lstm(x, W_x, W_h, b, p):
    H = len(b) // 4
    h, c, states = np.zeros(H), np.zeros(H), []
    for row in x:
        i, f, g, o = (W_x @ row + W_h @ h + b).reshape(4, H)
        c = c / (1 + np.exp(-f)) + np.tanh(g) / (1 + np.exp(-i))
        h = np.tanh(c) / (1 + np.exp(-o))
        states.append(h)
    return np.array(states)
"""),
            ("f belongs to the old cell state", changed(PEEPHOLE_LSTM, ("f * c + i", "i * c + f"))),
            ("not the cell states", changed(PEEPHOLE_LSTM, ("states.append(h)", "states.append(c)"))),
            ("neither h nor tanh(c)", changed(
                PEEPHOLE_LSTM,
                ("c)), 1 / (1 + np.exp(-f - p[1] * c", "h)), 1 / (1 + np.exp(-f - p[1] * h"),
                ("] * c))", "] * np.tanh(c)))"))),
            ("hand it on", """
def peephole_lstm(x, W_x, W_h, b, p):
    H = len(b) // 4
    c, states = np.zeros(H), []
    for row in x:
        i, f, g, o = (W_x @ row + b).reshape(4, H)
        i, f = 1 / (1 + np.exp(-i - p[0] * c)), 1 / (1 + np.exp(-f - p[1] * c))
        c = f * c + i * np.tanh(g)
        states.append(np.tanh(c) / (1 + np.exp(-o - p[2] * c)))
    return np.array(states)
"""),
        ],
    ),
    "q3": (
        """
def peephole_backward(gates, c_before, p, dh, dc):
    import torch
    i, f, g, o = torch.from_numpy(gates)
    c_before, p, dh, dc = map(torch.from_numpy, (c_before, p, dh, dc))
    c = f * c_before + i * g
    a = torch.cat([i.logit() - p[0] * c_before, f.logit() - p[1] * c_before, g.atanh(), o.logit() - p[2] * c])
    a, c_before = a.requires_grad_(), c_before.requires_grad_()
    i, f, g, o = a.chunk(4)
    c = (f + p[1] * c_before).sigmoid() * c_before + (i + p[0] * c_before).sigmoid() * g.tanh()
    h = (o + p[2] * c).sigmoid() * c.tanh()
    return torch.autograd.grad(dh @ h + dc @ c, (a, c_before))
""",
        [
            ("the LSTM without peepholes", changed(
                PEEPHOLE_BACKWARD, (" + p[2] * do", ""), ("f + p[0] * di + p[1] * df", "f"))),
            ("acts on h_t through its peephole too", changed(PEEPHOLE_BACKWARD, (" + p[2] * do", ""))),
            ("it acts through their peepholes too", changed(PEEPHOLE_BACKWARD, ("f + p[0] * di + p[1] * df", "f"))),
            ("and not at c_{t-1}", changed(
                PEEPHOLE_BACKWARD, (" + p[2] * do", ""), ("1] * df", "1] * df + p[2] * do"))),
            ("goes on to i, f and g as well", changed(
                PEEPHOLE_BACKWARD, (" + p[2] * do", ""), ("), dc *", "), (dc + p[2] * do) *"))),
            ("on its path stands the gate's slope", """
def peephole_backward(gates, c_before, p, dh, dc):
    i, f, g, o = gates
    t = np.tanh(f * c_before + i * g)
    do = dh * t * o * (1 - o)
    dc = dc + dh * o * (1 - t**2) + p[2] * dh * t
    di = dc * g * i * (1 - i)
    df = dc * c_before * f * (1 - f)
    dg = dc * i * (1 - g**2)
    before = dc * (f + p[0] * g + p[1] * c_before)
    return np.concatenate([di, df, dg, do]), before
"""),
            ("also acts through h_t", changed(PEEPHOLE_BACKWARD, ("dh * o * (1 - t**2) + p", "p"))),
            ("adds to what comes through h_t", changed(PEEPHOLE_BACKWARD, ("dc + dh", "dh"))),
            ("the slopes of sigmoid and tanh too", """
def peephole_backward(gates, c_before, p, dh, dc):
    i, f, g, o = gates
    t = np.tanh(f * c_before + i * g)
    do = dh * t
    dc = dc + dh * o * (1 - t**2) + p[2] * do
    di = dc * g
    df = dc * c_before
    dg = dc * i
    return np.concatenate([di, df, dg, do]), dc * f + p[0] * di + p[1] * df
"""),
            ("each has the slope s (1 - s)", changed(
                PEEPHOLE_BACKWARD,
                ("t * o * (1 - o)", "t"),
                ("g * i * (1 - i)", "g"),
                ("c_before * f * (1 - f)", "c_before"))),
            ("multiplies tanh(c_t), not c_t", changed(PEEPHOLE_BACKWARD, (" * t * ", " * (f * c_before + i * g) * "))),
            ("with slope 1 - g^2", changed(PEEPHOLE_BACKWARD, ("(1 - g**2", "g * (1 - g"))),
            ("multiplied c_{t-1}, not c_t", changed(PEEPHOLE_BACKWARD, ("* c_before *", "* (f * c_before + i * g) *"))),
            ("each derivative has the other one", changed(
                PEEPHOLE_BACKWARD, (" * g * ", " * i * "), ("dc * i * (", "dc * g * ("))),
            ("its share of all that arrives", changed(
                PEEPHOLE_BACKWARD, ("  dc = ", "  from_next, dc = dc, "), ("), dc *", "), from_next *"))),
            ("stands the forget gate", changed(PEEPHOLE_BACKWARD, ("dc * f +", "dc +"))),
        ],
    ),
    "q4": (
        """
def last_states(outputs, lengths):
    half = outputs.shape[-1] // 2
    result = outputs[:, 0].copy()
    for row, n in enumerate(lengths):
        result[row, :half] = outputs[row, n - 1, :half]
    return result
""",
        [
            ("that is a state on padding", """
def last_states(outputs, lengths):
    half = outputs.shape[-1] // 2
    return np.hstack([outputs[:, -1, :half], outputs[:, 0, half:]])
"""),
            ("arrives at the first token", """
def last_states(outputs, lengths):
    return np.array([row[n - 1] for row, n in zip(outputs, lengths)])
"""),
            ("the forward half comes first", """
def last_states(outputs, lengths):
    half = outputs.shape[-1] // 2
    forward = np.array([row[n - 1, :half] for row, n in zip(outputs, lengths)])
    return np.hstack([outputs[:, 0, half:], forward])
"""),
            ("not at its first", """
def last_states(outputs, lengths):
    return outputs[:, 0]
"""),
            ("one place too far", """
def last_states(outputs, lengths):
    half = outputs.shape[-1] // 2
    forward = outputs[np.arange(len(lengths)), lengths]
    return np.hstack([forward[:, :half], outputs[:, 0, half:]])
"""),
            ("has read nothing yet", """
def last_states(outputs, lengths):
    return outputs[:, -1]
"""),
            ("ends at step 0", """
def last_states(outputs, lengths):
    half, T, rows = outputs.shape[-1] // 2, outputs.shape[1], np.arange(len(outputs))
    return np.hstack([outputs[rows, lengths - 1, :half], outputs[rows, T - lengths, half:]])
"""),
            ("have changed ends", """
def last_states(outputs, lengths):
    half = outputs.shape[-1] // 2
    backward = np.array([row[n - 1, half:] for row, n in zip(outputs, lengths)])
    return np.hstack([outputs[:, 0, :half], backward])
"""),
            ("the mean over the words", """
def last_states(outputs, lengths):
    return [row[:n].mean(axis=0) for row, n in zip(outputs, lengths)]
"""),
        ],
    ),
    "q5": (
        """
def macro_f1(targets, answers):
    pairs = [(t, a) for t, a in zip(targets.ravel().tolist(), answers.ravel().tolist()) if t != -1]
    total, tags = 0.0, {t for t, _ in pairs}
    for tag in tags:
        both = sum(t == a == tag for t, a in pairs)
        if both:
            precision = both / sum(a == tag for _, a in pairs)
            recall = both / sum(t == tag for t, _ in pairs)
            total += 2 / (1 / precision + 1 / recall)
    return total / len(tags)
""",
        [
            ("that is accuracy", """
def macro_f1(targets, answers):
    return (targets == answers)[targets >= 0].mean()
"""),
            ("that is micro F1", """
def macro_f1(targets, answers):
    t, a = targets[targets >= 0], answers[targets >= 0]
    hits = answered = true = 0
    for tag in set(t.tolist()):
        hits += ((t == tag) & (a == tag)).sum()
        answered, true = answered + (a == tag).sum(), true + (t == tag).sum()
    precision, recall = hits / answered, hits / true
    return 2 * precision * recall / (precision + recall)
"""),
            ("a tag of its own here", """
def macro_f1(targets, answers):
    scores = []
    for tag in set(targets.ravel().tolist()):
        hits = ((targets == tag) & (answers == tag)).sum()
        scores.append(2 * hits / ((targets == tag).sum() + (answers == tag).sum()))
    return np.mean(scores)
"""),
            ("not the F1 of the means", """
def macro_f1(targets, answers):
    t, a = targets[targets >= 0], answers[targets >= 0]
    precisions, recalls = [], []
    for tag in set(t.tolist()):
        precisions.append(np.mean(t[a == tag] == tag) if (a == tag).any() else 0)
        recalls.append(np.mean(a[t == tag] == tag))
    P, R = np.mean(precisions), np.mean(recalls)
    return 2 * P * R / (P + R)
"""),
            ("counts the same, however frequent", """
def macro_f1(targets, answers):
    t, a = targets[targets >= 0], answers[targets >= 0]
    score = 0
    for tag in set(t.tolist()):
        f1 = 2 * ((t == tag) & (a == tag)).sum() / ((t == tag).sum() + (a == tag).sum())
        score += f1 * (t == tag).mean()
    return score
"""),
            ("precision is missing", """
def macro_f1(targets, answers):
    t, a = targets[targets >= 0], answers[targets >= 0]
    return np.mean([np.mean(a[t == tag] == tag) for tag in set(t.tolist())])
"""),
            ("recall is missing", """
def macro_f1(targets, answers):
    t, a = targets[targets >= 0], answers[targets >= 0]
    return np.mean([np.mean(t[a == tag] == tag) if tag in a else 0 for tag in set(t.tolist())])
"""),
            ("not half their sum", """
def macro_f1(targets, answers):
    t, a = targets[targets >= 0], answers[targets >= 0]
    scores = []
    for tag in set(t.tolist()):
        precision = np.mean(t[a == tag] == tag) if tag in a else 0
        scores.append((precision + np.mean(a[t == tag] == tag)) / 2)
    return np.mean(scores)
"""),
            ("at a padded place", """
def macro_f1(targets, answers):
    scores = []
    for tag in range(targets.max() + 1):
        if (targets == tag).any():
            hits = ((targets == tag) & (answers == tag)).sum()
            scores.append(2 * hits / ((targets == tag).sum() + (answers == tag).sum()))
    return np.mean(scores)
"""),
            ("and counts", """
def macro_f1(targets, answers):
    t, a = targets[targets >= 0], answers[targets >= 0]
    scores = []
    for tag in set(t.tolist()) & set(a.tolist()):
        scores.append(2 * ((t == tag) & (a == tag)).sum() / ((t == tag).sum() + (a == tag).sum()))
    return np.mean(scores)
"""),
            ("makes 0 / 0", """
def macro_f1(targets, answers):
    t, a = targets[targets >= 0], answers[targets >= 0]
    scores = []
    for tag in set(t.tolist()):
        hits = np.sum((t == tag) & (a == tag))
        precision, recall = hits / np.sum(a == tag), hits / np.sum(t == tag)
        scores.append(2 * precision * recall / (precision + recall))
    return np.mean(scores)
"""),
            ("that only the answers have", """
def macro_f1(targets, answers):
    t, a = targets[targets >= 0], answers[targets >= 0]
    scores = []
    for tag in set(t.tolist()) | set(a.tolist()):
        scores.append(2 * ((t == tag) & (a == tag)).sum() / ((t == tag).sum() + (a == tag).sum()))
    return np.mean(scores)
"""),
        ],
    ),
    "q6": (
        """
def weights(kind, D, H, layers, both):
    import torch
    network = {"elman": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}[kind]
    return sum(p.numel() for p in network(D, H, layers, bidirectional=both).parameters())
""",
        [
            ("has width 2 H", """
def weights(kind, D, H, layers, both):
    blocks = {"elman": 1, "gru": 3, "lstm": 4}[kind]
    one_way = blocks * H * (D + H + 2) + (layers - 1) * blocks * H * (2 * H + 2)
    return (1 + both) * one_way
"""),
            ("weights of its own", """
def weights(kind, D, H, layers, both):
    blocks = {"elman": 1, "gru": 3, "lstm": 4}[kind]
    below = 2 * H if both else H
    return blocks * H * (D + H + 2) + (layers - 1) * blocks * H * (below + H + 2)
"""),
            ("keeps two biases", """
def weights(kind, D, H, layers, both):
    blocks, ways = {"elman": 1, "gru": 3, "lstm": 4}[kind], 1 + both
    return ways * blocks * H * ((D + H + 1) + (layers - 1) * (ways * H + H + 1))
"""),
            ("the biases are weights too", """
def weights(kind, D, H, layers, both):
    blocks, ways = {"elman": 1, "gru": 3, "lstm": 4}[kind], 1 + both
    return ways * blocks * H * ((D + H) + (layers - 1) * (ways * H + H))
"""),
            ("only the first layer", """
def weights(kind, D, H, layers, both):
    blocks, ways = {"elman": 1, "gru": 3, "lstm": 4}[kind], 1 + both
    return ways * layers * blocks * H * (D + H + 2)
"""),
            ("three blocks and an LSTM four", """
def weights(kind, D, H, layers, both):
    gates, ways = {"elman": 1, "gru": 2, "lstm": 3}[kind], 1 + both
    return ways * gates * H * ((D + H + 2) + (layers - 1) * (ways * H + H + 2))
"""),
            ("not one of width 2 H", """
def weights(kind, D, H, layers, both):
    blocks, width = {"elman": 1, "gru": 3, "lstm": 4}[kind], (1 + both) * H
    return blocks * width * ((D + width + 2) + (layers - 1) * (2 * width + 2))
"""),
            ("every layer has recurrent weights", """
def weights(kind, D, H, layers, both):
    blocks, ways = {"elman": 1, "gru": 3, "lstm": 4}[kind], 1 + both
    return ways * blocks * H * ((D + 2) + (layers - 1) * (ways * H + 2))
"""),
        ],
    ),
}  # fmt: skip

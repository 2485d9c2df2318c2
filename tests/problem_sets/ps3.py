"""Answers to problem set 3: for each question another right one, and wrong ones with words of the hint they must get.

{question: (right, [(words of the hint, wrong), ...])}, each the source of the student's cell.
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
            ("how much of the candidate comes in", """
def minimal_step(x, h, W_f, U_f, b_f, W_n, U_n, b_n):
    f = 1 / (1 + np.exp(-x @ W_f.T - h @ U_f.T - b_f))
    n = np.tanh(x @ W_n.T + (f * h) @ U_n.T + b_n)
    return f * h + (1 - f) * n
"""),
            ("before the product", """
def minimal_step(x, h, W_f, U_f, b_f, W_n, U_n, b_n):
    f = 1 / (1 + np.exp(-x @ W_f.T - h @ U_f.T - b_f))
    n = np.tanh(x @ W_n.T + f * (h @ U_n.T) + b_n)
    return h + f * (n - h)
"""),
            ("sees the gated state", """
def minimal_step(x, h, W_f, U_f, b_f, W_n, U_n, b_n):
    f = 1 / (1 + np.exp(-x @ W_f.T - h @ U_f.T - b_f))
    n = np.tanh(x @ W_n.T + h @ U_n.T + b_n)
    return h + f * (n - h)
"""),
            ("a gate is a sigmoid", """
def minimal_step(x, h, W_f, U_f, b_f, W_n, U_n, b_n):
    f, n = np.tanh(x @ W_f.T + h @ U_f.T + b_f), x @ W_n.T + b_n
    n = np.tanh(n + (f * h) @ U_n.T)
    return h + f * (n - h)
"""),
            ("biases are missing", """
def minimal_step(x, h, W_f, U_f, b_f, W_n, U_n, b_n):
    f = 1 / (1 + np.exp(-x @ W_f.T - h @ U_f.T))
    n = np.tanh(x @ W_n.T + (f * h) @ U_n.T)
    return h + f * (n - h)
"""),
            ("not what stays", """
def minimal_step(x, h, W_f, U_f, b_f, W_n, U_n, b_n):
    f = 1 / (1 + np.exp(-x @ W_f.T - h @ U_f.T - b_f))
    kept = (1 - f) * h
    return kept + f * np.tanh(x @ W_n.T + kept @ U_n.T + b_n)
"""),
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
            ("the output gate comes last", """
def peephole_lstm(x, W_x, W_h, b, p):
    H = len(b) // 4
    h, c, states = np.zeros(H), np.zeros(H), []
    for row in x:
        i, f, o, g = (W_x @ row + W_h @ h + b).reshape(4, H)
        i, f = 1 / (1 + np.exp(-i - p[0] * c)), 1 / (1 + np.exp(-f - p[1] * c))
        c = f * c + i * np.tanh(g)
        h = np.tanh(c) / (1 + np.exp(-o - p[2] * c))
        states.append(h)
    return np.array(states)
"""),
            ("times tanh(c_t)", """
def peephole_lstm(x, W_x, W_h, b, p):
    H = len(b) // 4
    h, c, states = np.zeros(H), np.zeros(H), []
    for row in x:
        i, f, g, o = (W_x @ row + W_h @ h + b).reshape(4, H)
        i, f = 1 / (1 + np.exp(-i - p[0] * c)), 1 / (1 + np.exp(-f - p[1] * c))
        c = f * c + i * np.tanh(g)
        h = c / (1 + np.exp(-o - p[2] * c))
        states.append(h)
    return np.array(states)
"""),
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
            ("f belongs to the old cell state", """
def peephole_lstm(x, W_x, W_h, b, p):
    H = len(b) // 4
    h, c, states = np.zeros(H), np.zeros(H), []
    for row in x:
        i, f, g, o = (W_x @ row + W_h @ h + b).reshape(4, H)
        i, f = 1 / (1 + np.exp(-i - p[0] * c)), 1 / (1 + np.exp(-f - p[1] * c))
        c = i * c + f * np.tanh(g)
        h = np.tanh(c) / (1 + np.exp(-o - p[2] * c))
        states.append(h)
    return np.array(states)
"""),
            ("not the cell states", """
def peephole_lstm(x, W_x, W_h, b, p):
    H = len(b) // 4
    h, c, states = np.zeros(H), np.zeros(H), []
    for row in x:
        i, f, g, o = (W_x @ row + W_h @ h + b).reshape(4, H)
        i, f = 1 / (1 + np.exp(-i - p[0] * c)), 1 / (1 + np.exp(-f - p[1] * c))
        c = f * c + i * np.tanh(g)
        h = np.tanh(c) / (1 + np.exp(-o - p[2] * c))
        states.append(c)
    return np.array(states)
"""),
        ],
    ),
    "q3": (
        """
def lstm_backward(gates, c_before, c, dh, dc):
    i, f, g, o = gates
    whole = dc + dh * o / np.cosh(c) ** 2
    by_gates = np.array([whole * g, whole * c_before, whole * i, dh * np.tanh(c)])
    slopes = np.array([i - i**2, f - f**2, (1 - g) * (1 + g), o - o**2])
    return (by_gates * slopes).ravel(), whole * f
""",
        [
            ("also acts through h_t", """
def lstm_backward(gates, c_before, c, dh, dc):
    i, f, g, o = gates
    di, df, dg, do = dc * g, dc * c_before, dc * i, dh * np.tanh(c)
    da = np.concatenate([di * i * (1 - i), df * f * (1 - f), dg * (1 - g * g), do * o * (1 - o)])
    return da, dc * f
"""),
            ("adds to what comes through h_t", """
def lstm_backward(gates, c_before, c, dh, dc):
    i, f, g, o = gates
    dc = dh * o * (1 - np.tanh(c) ** 2)
    di, df, dg, do = dc * g, dc * c_before, dc * i, dh * np.tanh(c)
    da = np.concatenate([di * i * (1 - i), df * f * (1 - f), dg * (1 - g * g), do * o * (1 - o)])
    return da, dc * f
"""),
            ("each has the slope s (1 - s)", """
def lstm_backward(gates, c_before, c, dh, dc):
    i, f, g, o = gates
    dc = dc + dh * o * (1 - np.tanh(c) ** 2)
    return np.concatenate([dc * g, dc * c_before, dc * i * (1 - g * g), dh * np.tanh(c)]), dc * f
"""),
            ("multiplies tanh(c_t), not c_t", """
def lstm_backward(gates, c_before, c, dh, dc):
    i, f, g, o = gates
    dc = dc + dh * o * (1 - np.tanh(c) ** 2)
    di, df, dg, do = dc * g, dc * c_before, dc * i, dh * c
    da = np.concatenate([di * i * (1 - i), df * f * (1 - f), dg * (1 - g * g), do * o * (1 - o)])
    return da, dc * f
"""),
            ("with slope 1 - g^2", """
def lstm_backward(gates, c_before, c, dh, dc):
    i, f, g, o = gates
    dc = dc + dh * o * (1 - np.tanh(c) ** 2)
    d_gates = np.array([dc * g, dc * c_before, dc * i, dh * np.tanh(c)])
    return (d_gates * gates * (1 - gates)).ravel(), dc * f
"""),
            ("not c_t", """
def lstm_backward(gates, c_before, c, dh, dc):
    i, f, g, o = gates
    dc = dc + dh * o * (1 - np.tanh(c) ** 2)
    di, df, dg, do = dc * g, dc * c, dc * i, dh * np.tanh(c)
    da = np.concatenate([di * i * (1 - i), df * f * (1 - f), dg * (1 - g * g), do * o * (1 - o)])
    return da, dc * f
"""),
            ("each derivative has the other one", """
def lstm_backward(gates, c_before, c, dh, dc):
    i, f, g, o = gates
    dc = dc + dh * o * (1 - np.tanh(c) ** 2)
    di, df, dg, do = dc * i, dc * c_before, dc * g, dh * np.tanh(c)
    da = np.concatenate([di * i * (1 - i), df * f * (1 - f), dg * (1 - g * g), do * o * (1 - o)])
    return da, dc * f
"""),
            ("its share of all that arrives", """
def lstm_backward(gates, c_before, c, dh, dc):
    i, f, g, o = gates
    both = dc + dh * o * (1 - np.tanh(c) ** 2)
    di, df, dg, do = both * g, both * c_before, both * i, dh * np.tanh(c)
    da = np.concatenate([di * i * (1 - i), df * f * (1 - f), dg * (1 - g * g), do * o * (1 - o)])
    return da, dc * f
"""),
            ("stands the forget gate", """
def lstm_backward(gates, c_before, c, dh, dc):
    i, f, g, o = gates
    dc = dc + dh * o * (1 - np.tanh(c) ** 2)
    di, df, dg, do = dc * g, dc * c_before, dc * i, dh * np.tanh(c)
    da = np.concatenate([di * i * (1 - i), df * f * (1 - f), dg * (1 - g * g), do * o * (1 - o)])
    return da, dc
"""),
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
            ("every layer has recurrent weights", """
def weights(kind, D, H, layers, both):
    blocks, ways = {"elman": 1, "gru": 3, "lstm": 4}[kind], 1 + both
    return ways * blocks * H * ((D + 2) + (layers - 1) * (ways * H + 2))
"""),
        ],
    ),
}  # fmt: skip

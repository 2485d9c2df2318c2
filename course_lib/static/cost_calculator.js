/* What a model costs to train and to run, from numbers that the reader may change. */
courseWidgets.kinds.cost_calculator = (live, data, id) => {
  "use strict";
  const cw = courseWidgets;
  const { models, hardware, share } = data; // sizes that are not known are null
  const UNITS = ["B", "kB", "MB", "GB", "TB", "PB"];
  const TIMES = [["seconds", 1, 120], ["minutes", 60, 120], ["hours", 3600, 48], ["days", 86400, 60], ["months", 2629746, 24], ["years", 31556952, Infinity]];
  const three = (v) => Number(v.toPrecision(3)).toLocaleString("en-GB", { maximumSignificantDigits: 3 });
  const span = (seconds) => {
    const [name, size] = TIMES.find(([, size, limit]) => seconds < size * limit);
    return `${three(seconds / size)} ${name}`;
  };
  const amount = (bytes) => {
    const power = Math.min(Math.max(Math.floor(Math.log10(bytes) / 3), 0), UNITS.length - 1);
    return `${three(bytes / 1000 ** power)} ${UNITS[power]}`;
  };
  const big = (v) => (v < 1e6 ? three(v) : cw.scientific(v));

  /** The number in a field in plain units; undefined where the field is empty or makes no sense. */
  const read = (name) => {
    const { input, unit } = fields[name];
    const value = Number(input.value) * unit;
    return value > 0 && Number.isFinite(value) ? value : undefined;
  };
  /** f of the fields' numbers in words, or "unknown" if one of them is missing. */
  const known = (names, f, word) => {
    const values = names.map(read);
    return values.includes(undefined) ? "unknown" : word(f(...values));
  };
  const rate = () => hardware[Number(device.value)][1] * Number(part.value);
  const bytes = () => [4, 2, 1, 0.5][Number(numbers.value)];

  const show = () => {
    const lines = [
      ["Tokens per parameter", "D / N", known(["D", "N"], (D, N) => D / N, three)],
      ["FLOPs to train", "6 N D", known(["N", "D"], (N, D) => 6 * N * D, big)],
      ["Time to train", "6 N D / (devices × share × peak)", known(["N", "D", "devices"], (N, D, n) => (6 * N * D) / (n * rate()), span)],
      ["FLOPs for each token read or written", "2 N", known(["N"], (N) => 2 * N, big)],
      ["Weights", "b N", known(["N"], (N) => bytes() * N, amount)],
      ["Training with Adam in float32", "(4 + 4 + 8) N", known(["N"], (N) => 16 * N, amount)],
      ["Key–value cache, each token", "2 L d b", known(["L", "d"], (L, d) => 2 * L * d * bytes(), amount)],
      ["Key–value cache, all", "2 L d T B b", known(["L", "d", "T", "B"], (L, d, T, B) => 2 * L * d * T * B * bytes(), amount)],
    ];
    body.replaceChildren(...lines.map(([what, formula, value]) => cw.el("tr", {}, cw.el("th", { scope: "row" }, what),
      cw.el("td", { class: "cw-roomy cw-said" }, formula), cw.el("td", { class: "cw-said" }, cw.el("strong", {}, value)))));
    shareText.textContent = `${Math.round(100 * Number(part.value))} %`;
    part.setAttribute("aria-valuetext", `${shareText.textContent} of the peak, ${lines[2][2]} to train`);
    for (const { input } of Object.values(fields)) input.setAttribute("aria-invalid", String(input.value !== "" && !(Number(input.value) > 0)));
    return lines;
  };
  /** Say the results once a number is settled. */
  const tell = () => {
    const lines = show();
    const wrong = Object.values(fields).find(({ input }) => input.getAttribute("aria-invalid") === "true");
    status.textContent = wrong ? `${wrong.name}: give a positive number, or leave it empty.`
      : `To train: ${lines[1][2]} FLOPs, ${lines[2][2]}, ${lines[5][2]} with Adam. To run: weights ${lines[4][2]}, cache ${lines[7][2]}.`;
  };
  const load = () => {
    const m = models[Number(model.value)];
    const given = { N: m.parameters, D: m.tokens, L: m.layers, d: m.width, T: m.context, B: 1, devices: 1 };
    for (const [name, value] of Object.entries(given)) fields[name].input.value = value === null ? "" : Number((value / fields[name].unit).toPrecision(12));
    note.textContent = m.note;
    note.hidden = !m.note;
    tell();
  };

  const field = (key, name, unit) => {
    const input = cw.el("input", { type: "number", id: `${id}-${key}`, min: 0, step: "any", style: "width: 8rem", input: () => show(), change: () => tell() });
    return { input, unit, name, label: cw.el("label", { for: input.id }, `${name} `, input) };
  };
  const fields = {
    N: field("N", "Parameters N, millions", 1e6), D: field("D", "Training tokens D, millions", 1e6), L: field("L", "Layers L", 1),
    d: field("d", "Width of keys and values d", 1), T: field("T", "Context T", 1), B: field("B", "Texts at once B", 1), devices: field("devices", "Devices", 1),
  };
  const [model, modelLabel] = cw.select(`${id}-model`, "Model", models.map(({ name }) => name), () => load());
  const [device, deviceLabel] = cw.select(`${id}-device`, "Hardware", hardware.map(([name]) => name), () => tell());
  const [numbers, numbersLabel] = cw.select(`${id}-bytes`, "Bytes a number b", ["4 (float32)", "2 (bfloat16)", "1 (8 bits)", "½ (4 bits)"], () => tell());
  const part = cw.el("input", { type: "range", id: `${id}-share`, min: 0.05, max: 1, step: 0.05, value: share, input: () => show(), change: () => tell() });
  const shareText = cw.el("strong");
  const [status, note, body] = [cw.status(), cw.el("p", { class: "cw-caption" }), cw.el("tbody")];
  numbers.value = 1;
  const heads = [["What", ""], ["Formula", "cw-roomy cw-said"], ["Value", "cw-said"]].map(([name, kind]) => cw.el("th", { scope: "col", class: kind }, name));
  live.append(
    cw.el("div", { class: "cw-controls" }, modelLabel), note,
    cw.el("div", { class: "cw-fields" }, ...Object.values(fields).map(({ label }) => label), numbersLabel),
    cw.el("div", { class: "cw-controls" }, deviceLabel, cw.el("label", { for: part.id, class: "cw-wide" }, cw.el("span", {}, "Share of its peak: ", shareText), part)),
    status, cw.el("table", {}, cw.el("thead", {}, cw.el("tr", {}, ...heads)), body));
  load();
};

/* A next-token distribution, bent by temperature, top-k, top-p and min-p, and drawn from. */
courseWidgets.kinds.distribution_bender = (live, data, id) => {
  "use strict";
  const cw = courseWidgets;
  const { presets, seed, rows: ROWS } = data; // each preset {name, words, p}, the most probable first
  let random, counts, draws, last; // counts of the bent distribution as it is now
  const preset = () => presets[Number(which.value)];
  const sum = (list) => list.reduce((a, b) => a + b, 0);
  const shared = (list) => {
    const total = sum(list);
    return list.map((v) => v / total);
  };
  const entropy = (p) => sum(p.map((v) => (v > 0 ? -v * Math.log(v) : 0)));

  // The rules of course_lib.decoding, on probabilities in falling order; a word with 0 is cut.
  const hot = (p, temperature) => (temperature ? shared(p.map((v) => (v / p[0]) ** (1 / temperature))) : p.map((_, i) => Number(i === 0)));
  const topK = (p, k) => shared(p.map((v) => (v >= p[k - 1] ? v : 0)));
  const topP = (p, mass) => {
    let before = 0;
    return shared(p.map((v) => {
      before += v;
      return before - v < mass ? v : 0;
    }));
  };
  const minP = (p, share) => shared(p.map((v) => (v >= share * p[0] ? v : 0)));
  const before = () => shared(preset().p);
  const after = () => minP(topP(topK(hot(before(), setting.temperature()), setting.k()), setting.p()), setting.m());

  /** What the slider of top-k offers: every small number, then in larger and larger steps, at last all words. */
  const choices = () => {
    const found = [];
    for (let k = 1; k < preset().words.length; k = Math.max(k + 1, Math.round(k * 1.15))) found.push(k);
    return [...found, preset().words.length];
  };
  const value = (name) => Number(sliders[name].input.value);
  const setting = {
    temperature: () => value("temperature"),
    k: () => choices()[value("k")],
    p: () => value("p"),
    m: () => value("m"),
  };
  const spoken = {
    temperature: () => `${cw.fixed(setting.temperature(), 2)}${setting.temperature() ? "" : " (greedy)"}`,
    k: () => {
      const tied = topK(hot(before(), setting.temperature()), setting.k()).filter((v) => v > 0).length - setting.k();
      return setting.k() === preset().words.length ? "all" : `${setting.k()}${tied > 0 ? `, and ${tied} as probable` : ""}`;
    },
    p: () => `${cw.fixed(setting.p(), 2)}${setting.p() < 1 ? "" : " (off)"}`,
    m: () => `${cw.fixed(setting.m(), 2)}${setting.m() > 0 ? "" : " (off)"}`,
  };

  const pooled = (list) => (list.length > ROWS ? [...list.slice(0, ROWS), sum(list.slice(ROWS))] : list);
  const draw = (svg, width) => {
    const [row, top] = [26, 22];
    const { words } = preset();
    const names = words.length > ROWS ? [...words.slice(0, ROWS), `other (${words.length - ROWS})`] : words;
    const [old, bent, times] = [before(), after(), counts].map(pooled);
    const left = Math.min(width * 0.27, Math.max(...names.map((n) => cw.textWidth(n)))) + 10;
    const [columnA, columnB] = [width - 92, width - 46];
    const scale = (columnA - 44 - left) / Math.max(...old, ...bent);
    const text = (x, y, label, anchor, kind = "") => svg.append(cw.svg("text", { x, y, "text-anchor": anchor, class: kind }, label));
    text(columnA, 12, "before", "end", "cw-small cw-muted");
    text(columnB, 12, "after", "end", "cw-small cw-muted");
    text(width, 12, "drawn", "end", "cw-small cw-muted");
    const said = (i) => (old[i] > 0 && !bent[i] ? "cut" : cw.fixed(bent[i]));
    names.forEach((name, i) => {
      const y = top + i * row;
      if (last !== null && i === Math.min(last, ROWS)) svg.append(cw.svg("rect", { x: 0, y, width, height: row - 2, class: "cw-row-last" }));
      text(left - 8, y + 16, cw.shorten(name, left - 10), "end", bent[i] ? "" : "cw-muted");
      if (bent[i]) svg.append(cw.svg("rect", { x: left, y: y + 6, height: 12, width: Math.max(1, bent[i] * scale), class: "cw-fill-0" }));
      svg.append(cw.svg("rect", { x: left, y: y + 3, height: 18, width: Math.max(1, old[i] * scale), class: "cw-outline" }));
      text(columnA, y + 16, cw.fixed(old[i]), "end");
      text(columnB, y + 16, said(i), "end", bent[i] ? "cw-strong" : "cw-muted");
      text(width, y + 16, draws ? times[i] : "", "end");
    });
    const told = names.map((name, i) => `${name}: ${cw.fixed(old[i])}, ${said(i)}${draws ? `, drawn ${times[i]}` : ""}`);
    return { height: top + names.length * row, text: `Each word with its probability before and after the bend. ${told.join("; ")}.` };
  };

  const one = () => {
    const p = after();
    let [u, face] = [random(), 0];
    while (face < p.length - 1 && (u >= p[face] || p[face] === 0)) u -= p[face++];
    while (p[face] === 0) face--; // rounding can push u past the last word that can come up
    counts[face] += 1;
    draws += 1;
    last = face;
  };
  const drawWords = (times) => {
    for (let i = 0; i < times; i++) one();
    const word = preset().words[last];
    status.textContent = times === 1 ? `Draw ${draws}: “${word}”, with probability ${cw.fixed(after()[last])} after the bend, ${cw.fixed(before()[last])} before.`
      : `${cw.count(draws, "word")} drawn, “${word}” last.`;
    chart.redraw();
  };
  /** A new bend: nothing is drawn from it yet. */
  const show = () => {
    [random, counts, draws, last] = [cw.generator(seed), preset().words.map(() => 0), 0, null];
    const [old, bent] = [before(), after()];
    const [possible, kept] = [old, bent].map((p) => p.filter((v) => v > 0).length);
    const cells = {
      "Words kept": `${kept.toLocaleString("en-GB")} of ${possible.toLocaleString("en-GB")}`,
      "Their mass before": cw.fixed(sum(old.filter((_, i) => bent[i] > 0))),
      "Entropy before": `${cw.fixed(entropy(old))} nats`,
      "Entropy after": `${cw.fixed(entropy(bent))} nats`,
    };
    numbers.replaceChildren(...Object.entries(cells).map(([name, text]) => cw.el("div", {}, cw.el("span", {}, name), cw.el("strong", {}, text))));
    for (const [name, { input, output }] of Object.entries(sliders)) {
      output.textContent = spoken[name]();
      input.setAttribute("aria-valuetext", `${spoken[name]()}: ${cw.count(kept, "word")} kept, entropy ${cells["Entropy after"]}`);
    }
    status.textContent = "Nothing drawn yet from this distribution.";
    chart.redraw();
  };
  const straighten = () => {
    sliders.k.input.max = choices().length - 1;
    Object.entries({ temperature: 1, k: choices().length - 1, p: 1, m: 0 }).forEach(([name, off]) => (sliders[name].input.value = off));
    show();
  };

  const slider = (name, label, min, max, step) => {
    const [input, output] = [cw.el("input", { type: "range", id: `${id}-${name}`, min, max, step, input: () => show() }), cw.el("strong")];
    return { input, output, label: cw.el("label", { for: input.id, class: "cw-wide" }, cw.el("span", {}, `${label}: `, output), input) };
  };
  const sliders = {
    temperature: slider("temperature", "Temperature", 0, 3, 0.05), k: slider("k", "Top-k", 0, 1, 1),
    p: slider("p", "Top-p", 0.01, 1, 0.01), m: slider("m", "Min-p", 0, 1, 0.01),
  };
  const [which, whichLabel] = cw.select(`${id}-preset`, "Distribution", presets.map(({ name }) => name), straighten);
  const chart = cw.chart(`${id}-bars`, "The distribution before and after the bend", draw);
  const [status, numbers] = [cw.status(), cw.el("div", { class: "cw-numbers" })];
  live.append(
    ...(presets.length > 1 ? [cw.el("div", { class: "cw-controls" }, whichLabel)] : []),
    cw.el("div", { class: "cw-controls" }, ...Object.values(sliders).map((one) => one.label)),
    chart.host,
    cw.el("p", { class: "cw-key" }, cw.el("span", { class: "cw-swatch cw-swatch-outline" }), "before ", cw.el("span", { class: "cw-swatch cw-swatch-0" }), "after"),
    numbers,
    cw.el("div", { class: "cw-controls" }, ...[1, 100].map((n) => cw.button(n === 1 ? "Draw a word" : `Draw ${n}`, () => drawWords(n))),
      cw.button("Straighten", straighten, { class: "cw-quiet" })),
    status);
  straighten();
};

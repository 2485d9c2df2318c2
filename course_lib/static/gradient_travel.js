/* A gradient on its way back through a recurrent network: what is left of it, the bound, and the asymptotic rate. */
courseWidgets.kinds.gradient_travel = (live, data, id) => {
  "use strict";
  const cw = courseWidgets;
  const { matrices, inputs } = data;
  const [T, H] = [inputs.length, inputs[0].length];
  const functions = {
    linear: [(a) => a, () => 1],
    tanh: [Math.tanh, (a) => 1 - Math.tanh(a) ** 2],
    ReLU: [(a) => Math.max(a, 0), (a) => (a > 0 ? 1 : 0)],
  };

  /** Largest singular value: one-sided Jacobi turns the columns until all are at right angles. Plain loops, for speed. */
  const spectralNorm = (matrix) => {
    const scale = Math.max(...matrix.map((row) => Math.max(...row.map(Math.abs))));
    if (scale === 0) return 0;
    const columns = matrix.map((_, j) => Float64Array.from(matrix, (row) => row[j] / scale));
    const dot = (u, v) => {
      let sum = 0;
      for (let i = 0; i < H; i++) sum += u[i] * v[i];
      return sum;
    };
    const total = columns.reduce((sum, u) => sum + dot(u, u), 0); // the turns leave it as it is
    for (let sweep = 0, turned = true; turned && sweep < 60; sweep++) {
      turned = false;
      for (let p = 0; p < H; p++) for (let q = p + 1; q < H; q++) {
        const [u, v] = [columns[p], columns[q]];
        const uv = dot(u, v);
        if (Math.abs(uv) <= 1e-15 * total) continue;
        const [uu, vv] = [dot(u, u), dot(v, v)];
        turned = true;
        const zeta = (vv - uu) / (2 * uv);
        const t = (zeta < 0 ? -1 : 1) / (Math.abs(zeta) + Math.sqrt(1 + zeta * zeta));
        const c = 1 / Math.sqrt(1 + t * t);
        for (let i = 0; i < H; i++) [u[i], v[i]] = [c * (u[i] - t * v[i]), c * (v[i] + t * u[i])];
      }
    }
    return scale * Math.sqrt(Math.max(...columns.map((u) => dot(u, u))));
  };

  /** Norms of dh_T/dh_{T-k} for k = 0 ... T, along the states that these inputs give. */
  const travel = (W, [phi, slope]) => {
    let h = Array(H).fill(0);
    const slopes = inputs.map((u) => {
      const a = u.map((value, i) => value + W[i].reduce((sum, w, j) => sum + w * h[j], 0));
      h = a.map(phi);
      return a.map(slope);
    });
    let product = W.map((_, i) => W.map((_, j) => (i === j ? 1 : 0)));
    const norms = [1];
    for (const d of slopes.reverse()) {
      product = product.map((row) => W.map((_, j) => row.reduce((sum, value, m) => sum + value * d[m] * W[m][j], 0)));
      norms.push(spectralNorm(product));
    }
    return norms;
  };

  let norms, gamma, timer;
  let lag = Math.min(20, T);
  const rho = () => Number(radius.value) / 100;
  const compute = () => {
    const { W, gamma: largest } = matrices[Number(matrix.value)];
    norms = travel(W.map((row) => row.map((w) => w * rho())), functions[phi.value]);
    gamma = largest * rho();
    show();
  };

  const below = (n) => String(n).replace(/\d/g, (d) => "₀₁₂₃₄₅₆₇₈₉"[d]);
  const readable = (v) => (v === 0 ? "0" : v >= 0.001 && v < 9999.5 ? cw.tick(Number(v.toPrecision(3))) : cw.scientific(v, 1));
  const power = (n) => cw.scientific(10 ** n, 0).replace("1 × ", "");

  /** The unrolled chain: at each state that the gradient has reached, a bar as high as what can arrive there. */
  const drawChain = (svg, width) => {
    const [top, base, height, cap] = [24, 118, 158, 2];
    const [left, right] = [30, width - 14];
    const x = (t) => left + ((right - left) * t) / T;
    const y = (v) => base - 10 - ((base - 10 - top) * Math.min(v, cap)) / cap;
    const gap = x(1) - x(0);
    const add = (tag, attributes, ...children) => svg.append(cw.svg(tag, attributes, ...children));
    const label = (at, h, anchor, kind, words) => add("text", { x: at, y: h, "text-anchor": anchor, class: `cw-small ${kind}` }, words);
    label(0, 12, "start", "cw-muted", "size of the gradient, 1 at the last state");
    for (const v of [1, 2]) {
      add("line", { x1: left - 6, x2: width, y1: y(v), y2: y(v), class: v === 1 ? "cw-reference" : "cw-grid" });
      label(left - 12, y(v) + 4, "end", "", v);
    }
    add("line", { x1: x(0), x2: x(T), y1: base, y2: base, class: "cw-cursor" });
    for (let t = 0; t <= T; t++) {
      const [k, reached] = [T - t, T - t <= lag];
      const bar = Math.max(1.5, gap - 1.5);
      if (reached) {
        add("rect", { x: x(t) - bar / 2, width: bar, y: y(norms[k]), height: base - 10 - y(norms[k]), class: norms[k] > 1 + 1e-9 ? "cw-fill-1" : "cw-fill-0" });
        if (norms[k] > cap) add("path", { d: `M${x(t) - bar / 2} ${top - 2}h${bar}l${-bar / 2} -6Z`, class: "cw-fill-1" });
      }
      add("circle", { cx: x(t), cy: base, r: k === lag ? 5.5 : Math.min(3.5, gap * 0.38), class: reached ? (k === lag ? "cw-fill-1 cw-now" : "cw-fill-4") : "cw-cursor", style: reached ? "" : "fill: var(--cw-back)" });
    }
    const here = x(T - lag);
    if (lag) add("path", { d: `M${x(T)} ${base + 14}H${here + 2}m6 -5l-6 5l6 5`, class: "cw-line-1" });
    label(Math.max(12, Math.min(width - 14, here)), base + 34, "middle", "cw-strong", `h${below(T - lag)}`);
    if (here - x(0) > 34) label(x(0), base + 34, "middle", "", `h${below(0)}`);
    if (x(T) - here > 34) label(x(T), base + 34, "middle", "", `h${below(T)}`);
    return { height, text: `A chain of ${T + 1} states. The gradient starts with size 1 at the last, h ${T}, and has reached h ${T - lag}, ${cw.count(lag, "step")} back, where its size is at most ${readable(norms[lag])}.` };
  };

  const drawChart = (svg, width) => {
    const [left, top, bottom, height] = [46, 22, 212, 250];
    const logs = norms.filter((v) => v > 0).map(Math.log10);
    const [down, up] = [Math.min(0, ...logs, T * Math.log10(rho())), Math.max(0, ...logs, T * Math.log10(rho()))];
    const [low, high] = [Math.max(-40, Math.floor(Math.min(down, -0.9) / 2 - 0.05) * 2), Math.min(40, Math.ceil(Math.max(up, 0.9) / 2 + 0.05) * 2)];
    const x = (k) => left + ((width - left - 12) * k) / T;
    const y = (log) => bottom - ((bottom - top) * (log - low)) / (high - low);
    const add = (tag, attributes, ...children) => svg.append(cw.svg(tag, attributes, ...children));
    const label = (at, h, anchor, kind, words) => add("text", { x: at, y: h, "text-anchor": anchor, class: `cw-small ${kind}` }, words);
    for (let n = low; n <= high; n += 2 * Math.ceil((high - low) / 12)) {
      add("line", { x1: left, x2: width, y1: y(n), y2: y(n), class: "cw-grid" });
      label(left - 6, y(n) + 4, "end", "", power(n));
    }
    for (const k of cw.ticks(0, T, 6)) label(x(k), bottom + 17, "middle", "", k || 0);
    label((left + width) / 2, height - 5, "middle", "cw-muted", "lag k (steps back)");
    label(0, 12, "start", "cw-muted", `norm of ∂h${below(T)} / ∂h${below(T)}₋ₖ (log scale)`);
    add("clipPath", { id: `${id}-clip` }, cw.svg("rect", { x: left, y: top - 4, width: width - left, height: bottom - top + 8 }));
    const inside = cw.svg("g", { "clip-path": `url(#${id}-clip)` });
    svg.append(inside);
    const line = (attributes, value, to = T) => {
      const points = Array.from({ length: to + 1 }, (_, k) => `${x(k)} ${y(Math.log10(Math.max(value(k), 1e-60))).toFixed(1)}`);
      inside.append(cw.svg("path", { d: `M${points.join("L")}`, ...attributes }));
    };
    add("line", { x1: x(lag), x2: x(lag), y1: top, y2: bottom, class: "cw-cursor" });
    line({ class: "cw-line-0", style: "stroke-opacity: 0.35" }, (k) => norms[k]);
    line({ class: "cw-line-0", style: "stroke-width: 4" }, (k) => norms[k], lag);
    line({ style: "fill: none; stroke: var(--cw-2); stroke-width: 2; stroke-dasharray: 2 4" }, (k) => rho() ** k);
    line({ class: "cw-reference", style: "fill: none" }, (k) => gamma ** k);
    if (norms[lag] > 0) inside.append(cw.svg("circle", { cx: x(lag), cy: y(Math.log10(norms[lag])), r: 5, class: "cw-fill-1 cw-now" }));
    const end = (v) => readable(v);
    return { height, text: `On a logarithmic scale against the lag k, from 0 to ${T}: the norm goes from 1 to ${end(norms[T])}; the bound, gamma to the power k, to ${end(gamma ** T)}; rho to the power k to ${end(rho() ** T)}. At lag ${lag} the norm is ${end(norms[lag])}.` };
  };

  // ---- words and controls
  const verdict = () => {
    const left = norms[lag];
    if (!lag) return `The gradient stands at h${below(T)}. Press Play to send it back.`;
    const after = `After ${cw.count(lag, "step")}`;
    if (left === 0) return `${after} nothing of the gradient is left: no unit that is on leads back that far.`;
    return left > 1.0005 ? `${after} the gradient can be ${readable(left)} times as large as at the end.`
      : `${after} at most ${readable(left)} of the gradient is left.`;
  };
  const draw = () => {
    slider.value = lag;
    slider.setAttribute("aria-valuetext", cw.count(lag, "step"));
    radius.setAttribute("aria-valuetext", cw.fixed(rho(), 2));
    [turned.textContent, back.textContent] = [cw.fixed(rho(), 2), lag];
    cells.forEach((cell, i) => cell.replaceChildren(cw.el("data", { value: [norms[lag], gamma ** lag, rho() ** lag][i] }, readable([norms[lag], gamma ** lag, rho() ** lag][i]))));
    bound.textContent = `bound γᵏ, largest singular value γ = ${cw.fixed(gamma, 3)}`;
    rate.textContent = `ρᵏ, spectral radius ρ = ${cw.fixed(rho(), 3)}`;
    at.textContent = `at lag ${lag}`;
    play.textContent = timer ? "Pause" : "Play";
    for (const button of [play, once]) cw.turnOff(button, lag === T && !timer);
    chain.redraw();
    chart.redraw();
  };
  const show = () => {
    if (!timer && status.textContent !== verdict()) status.textContent = verdict(); // not at every step of a play
    draw();
  };
  const stop = () => {
    clearInterval(timer);
    timer = null;
  };
  const go = (to) => {
    stop();
    lag = Math.max(0, Math.min(T, to));
    show();
  };
  const toggle = () => {
    if (timer) return go(lag);
    if (lag === T) return;
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return go(T);
    timer = setInterval(() => {
      if (!live.isConnected || lag + 1 >= T) return go(T);
      lag += 1;
      draw();
    }, 130);
    status.textContent = "The gradient travels back.";
    draw();
  };

  const select = (name, label, options) => {
    const input = cw.el("select", { id: `${id}-${name}`, change: compute, style: "min-width: 0" }, ...options.map(([value, shown]) => cw.el("option", { value }, shown)));
    return [input, cw.el("label", { for: input.id, style: "max-width: 100%" }, `${label} `, input)];
  };
  const range = (name, label, attributes) => {
    const [input, value] = [cw.el("input", { type: "range", id: `${id}-${name}`, step: 1, ...attributes }), cw.el("span")];
    return [input, value, cw.el("label", { for: input.id, class: "cw-wide" }, cw.el("span", {}, label, value), input)];
  };
  const [matrix, matrixLabel] = select("matrix", "Matrix", matrices.map((m, i) => [i, m.name]));
  const [phi, phiLabel] = select("phi", "Function φ", Object.keys(functions).map((f) => [f, f]));
  const [radius, turned, radiusLabel] = range("radius", "Spectral radius ρ: ", { min: 50, max: 150, value: 90, input: compute });
  const [slider, back, sliderLabel] = range("lag", "Steps back k: ", { min: 0, max: T, value: lag, input: () => go(Number(slider.value)) });
  const [play, once] = [cw.button("Play", toggle), cw.button("One step", () => lag < T && go(lag + 1))];
  const status = cw.status();
  const chain = cw.chart(`${id}-chain`, "The gradient on the unrolled chain", drawChain);
  const chart = cw.chart(`${id}-norms`, "What is left of the gradient against the lag", drawChart);
  const [bound, rate, at] = [cw.el("span"), cw.el("span"), cw.el("th", { scope: "col" })];
  const cells = [0, 1, 2].map(() => cw.el("td"));
  const rows = [
    ["height: 4px; background: var(--cw-0)", `norm of ∂h${below(T)}/∂h${below(T)}₋ₖ, measured`],
    ["height: 0; border-top: 2px dashed var(--cw-text)", bound],
    ["height: 0; border-top: 3px dotted var(--cw-2)", rate],
  ].map(([style, name], i) => cw.el("tr", {}, cw.el("th", { scope: "row" }, cw.el("span", { class: "cw-swatch", style: `${style}; vertical-align: middle` }), name), cells[i]));
  live.append(
    cw.el("div", { class: "cw-controls" }, matrixLabel, phiLabel),
    cw.el("div", { class: "cw-controls" }, radiusLabel),
    cw.el("div", { class: "cw-controls" }, play, once, cw.button("Back to the end", () => go(0), { class: "cw-quiet" }), sliderLabel),
    status, chain.host, chart.host,
    cw.el("table", {}, cw.el("thead", {}, cw.el("tr", {}, cw.el("th", { scope: "col" }, "Line"), at)), cw.el("tbody", {}, ...rows)));
  compute();
};

/* Least squares with two parameters: the steps of four optimisers over the contours, on batches of any size. */
courseWidgets.kinds.descent = (live, data, id) => {
  "use strict";
  const cw = courseWidgets;
  const { x: xs, y: ys, start, best, curvature } = data;
  const N = xs.length;
  const mean = (f) => xs.reduce((sum, _, i) => sum + f(i), 0) / N;
  const hessian = [2, 2 * mean((i) => xs[i]), 2 * mean((i) => xs[i] ** 2)]; // of the loss: [aa, ab, bb]
  const lowest = mean((i) => (best[0] + best[1] * xs[i] - ys[i]) ** 2);
  /** Loss on all the data above its minimum; exact, since the loss is quadratic. */
  const above = ([a, b]) => {
    const [da, db] = [a - best[0], b - best[1]];
    return (hessian[0] * da * da + 2 * hessian[1] * da * db + hessian[2] * db * db) / 2;
  };
  const first = above(start);
  const gradient = ([a, b], batch) => {
    const g = [0, 0];
    for (const i of batch) {
      const e = (2 * (a + b * xs[i] - ys[i])) / batch.length;
      g[0] += e;
      g[1] += e * xs[i];
    }
    return g;
  };

  // How far to move, given the gradient g; m and v are the method's memory, k counts the updates from 1.
  const [mu, alpha, b1, b2, eps] = [0.9, 0.9, 0.9, 0.999, 1e-8];
  const methods = {
    SGD: (g) => g,
    momentum: (g, m) => g.map((gj, j) => (m[j] = mu * m[j] + gj)),
    RMSProp: (g, m, v) => g.map((gj, j) => gj / (Math.sqrt((v[j] = alpha * v[j] + (1 - alpha) * gj * gj)) + eps)),
    Adam: (g, m, v, k) => g.map((gj, j) => {
      m[j] = b1 * m[j] + (1 - b1) * gj;
      v[j] = b2 * v[j] + (1 - b2) * gj * gj;
      return m[j] / (1 - b1 ** k) / (Math.sqrt(v[j] / (1 - b2 ** k)) + eps);
    }),
  };
  const words = {
    SGD: "p ← p − η g",
    momentum: `m ← ${mu} m + g,  p ← p − η m`,
    RMSProp: `v ← ${alpha} v + ${cw.tick(1 - alpha)} g²,  p ← p − η g / √v`,
    Adam: `momentum ${b1} and size ${b2} of g, both corrected for the start at 0`,
  };

  let seed = data.seed;
  let run, last, frame; // run: {path, above, seen, memory, queue, random, name, state}
  const batchSize = () => Number(size.value);
  const rate = () => 10 ** (Number(slider.value) / 20);
  const limit = () => Math.max(300, 10 * Math.ceil(N / batchSize()));
  const begin = () => {
    const name = `${method.value}, step size ${rate().toPrecision(3)}, batches of ${size.value}`;
    return { name, path: [start], above: [first], seen: [0], m: [0, 0], v: [0, 0], queue: [], random: cw.generator(seed), state: "" };
  };

  /** The next batch: every epoch is a new shuffle of all examples, cut into disjoint batches. */
  const nextBatch = () => {
    if (!run.queue.length) {
      run.queue = xs.map((_, i) => i);
      for (let i = N - 1; i > 0; i--) {
        const j = Math.floor(run.random() * (i + 1));
        [run.queue[i], run.queue[j]] = [run.queue[j], run.queue[i]];
      }
    }
    return run.queue.splice(0, batchSize());
  };
  const update = () => {
    const [point, batch, k] = [run.path.at(-1), nextBatch(), run.path.length];
    const move = methods[method.value](gradient(point, batch), run.m, run.v, k);
    const next = point.map((p, j) => p - rate() * move[j]);
    run.path.push(next);
    run.above.push(above(next));
    run.seen.push(run.seen.at(-1) + batch.length);
    const linear = ["SGD", "momentum"].includes(method.value); // the others divide by the size of g: their steps stay bounded
    if (linear && !(above(next) < 1e4 * (first + lowest))) run.state = "diverged";
    else if (k >= limit()) run.state = "finished";
  };
  const updates = (count) => {
    for (let i = 0; i < count && !run.state; i++) update();
  };

  const pause = () => {
    cancelAnimationFrame(frame);
    frame = null;
  };
  const step = (count) => {
    if (run.state) return;
    pause();
    updates(count);
    show();
  };
  const toggle = () => {
    if (run.state) return;
    if (frame) {
      pause();
      return show();
    }
    const [from, rest] = [run.path.length - 1, limit() - run.path.length + 1];
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return step(rest);
    let ticks = 0;
    const tick = () => { // slowly at first, so that single steps can be seen
      ticks += 1;
      updates(from + Math.ceil(rest * (ticks / 240) ** 2) - run.path.length + 1);
      frame = run.state ? null : requestAnimationFrame(tick);
      frame ? draw() : show();
    };
    frame = requestAnimationFrame(tick);
    status.textContent = "Running.";
    draw();
  };
  const restart = () => {
    pause();
    if (run?.path.length > 1) last = run;
    run = begin();
    show();
  };
  const reseed = () => {
    seed += 1;
    restart();
  };

  // ---- drawing
  const thinned = (run) => {
    const stride = Math.ceil(run.path.length / 1200);
    return run.path.map((_, i) => i).filter((i) => i % stride === 0 || i === run.path.length - 1);
  };
  const power = (n) => cw.scientific(10 ** n, 0).replace("1 × ", "");
  const pixel = (v) => Math.max(-1e6, Math.min(1e6, Number.isFinite(v) ? v : 1e6)).toFixed(1);
  const lineOf = (points) => `M${points.map((p) => p.map(pixel).join(" ")).join("L")}`;
  const clip = (svg, name, left, top, width, height) => {
    svg.append(cw.svg("clipPath", { id: `${id}-${name}` }, cw.svg("rect", { x: left, y: top, width, height })));
    const group = cw.svg("g", { "clip-path": `url(#${id}-${name})` });
    svg.append(group);
    return group;
  };
  const faint = "stroke: var(--cw-4); stroke-width: 1.5; stroke-dasharray: 4 2; stroke-opacity: 0.6; fill: none";

  const determinant = hessian[0] * hessian[2] - hessian[1] ** 2;
  const reach = [hessian[2], hessian[0]].map((h, j) =>
    Math.max(1.35 * Math.abs(start[j] - best[j]), 0.55 * Math.sqrt((2 * first * h) / determinant)));
  /** The points where the loss is `level` above its minimum: an ellipse, through the Cholesky factor. */
  const ellipse = (level) => {
    const r = Math.sqrt(2 * level);
    const [l11, l21] = [Math.sqrt(hessian[0]), hessian[1] / Math.sqrt(hessian[0])];
    const l22 = Math.sqrt(determinant / hessian[0]);
    return Array.from({ length: 97 }, (_, i) => {
      const t = (2 * Math.PI * i) / 96;
      const db = (r * Math.sin(t)) / l22;
      return [best[0] + (r * Math.cos(t) - l21 * db) / l11, best[1] + db];
    });
  };

  const drawMap = (svg, width) => {
    const [left, top, bottom] = [46, 22, width < 420 ? 272 : 322];
    const [height, right] = [bottom + 40, width - 4];
    const px = (a) => left + ((right - left) * (a - best[0] + reach[0])) / (2 * reach[0]);
    const py = (b) => bottom - ((bottom - top) * (b - best[1] + reach[1])) / (2 * reach[1]);
    const at = ([a, b]) => [px(a), py(b)];
    const text = (x, y, anchor, kind, label) => svg.append(cw.svg("text", { x, y, "text-anchor": anchor, class: `cw-small ${kind}` }, label));
    const inside = clip(svg, "map", left, top, right - left, bottom - top);
    const add = (tag, attributes) => inside.append(cw.svg(tag, attributes));
    const labels = [];
    let before = py(best[1]) - 12;
    for (let k = 4; k >= -4; k--) {
      const points = ellipse(first * 4 ** k);
      add("path", { d: `${lineOf(points.map(at))}Z`, style: "fill: var(--cw-0); fill-opacity: 0.06; stroke: var(--cw-line); stroke-width: 1" });
      labels.unshift([k, points.reduce((high, p) => (p[1] > high[1] ? p : high))]);
    }
    for (const [k, point] of labels) {
      const [lx, ly] = at(point);
      if (ly > top + 14 && before - ly > 17 && lx > left + 24 && lx < right - 24) {
        text(lx, ly + 4, "middle", "cw-muted cw-halo", cw.tick(Number((lowest + first * 4 ** k).toPrecision(3))));
        before = ly;
      }
    }
    if (last) add("path", { d: lineOf(thinned(last).map((i) => at(last.path[i]))), style: faint });
    const shown = thinned(run).map((i) => at(run.path[i]));
    add("path", { d: lineOf(shown), class: "cw-line-1" });
    const dot = ([cx, cy], r, attributes) => Math.abs(cx) < 9 * width && Math.abs(cy) < 9 * height && add("circle", { cx, cy, r, ...attributes });
    if (shown.length <= 80) shown.forEach((p) => dot(p, 2.5, { class: "cw-fill-1" }));
    const [[mx, my], [sx, sy]] = [at(best), at(start)];
    add("path", { d: `M${mx - 6} ${my}H${mx + 6}M${mx} ${my - 6}V${my + 6}`, class: "cw-now", style: "stroke-width: 2.5" });
    add("rect", { x: sx - 4, y: sy - 4, width: 8, height: 8, style: "fill: var(--cw-text)" });
    dot(shown.at(-1), 5.5, { class: "cw-fill-1 cw-now" });
    text(mx + 9, my + 16, "start", "cw-halo", "minimum");
    text(sx, sy - 9, "middle", "cw-halo", "start");
    svg.append(cw.svg("rect", { x: left, y: top, width: right - left, height: bottom - top, style: "fill: none; stroke: var(--cw-line)" }));
    for (const a of cw.ticks(best[0] - reach[0], best[0] + reach[0], width < 420 ? 4 : 8)) text(px(a), bottom + 16, "middle", "", cw.tick(a));
    for (const b of cw.ticks(best[1] - reach[1], best[1] + reach[1], 6)) text(left - 6, py(b) + 4, "end", "", cw.tick(b));
    text((left + right) / 2, height - 6, "middle", "cw-muted", "a");
    text(0, 12, "start", "cw-muted", "b");
    const place = ([a, b]) => `a ${readable(a)}, b ${readable(b)}`;
    const previous = last ? ` The last run (${last.name}) ended at ${place(last.path.at(-1))}.` : "";
    return { height, text: `Contours of the loss over a and b, ellipses around the minimum at ${place(best)}, up to ${cw.tick(Number((curvature[1] / curvature[0]).toPrecision(2)))} times as curved across as along. ` +
      `The path leads from ${place(start)} in ${cw.count(run.path.length - 1, "update")} to ${place(run.path.at(-1))}.${previous}` };
  };

  const drawLoss = (svg, width) => {
    const [left, top, bottom, height] = [46, 22, 150, 188];
    const runs = last ? [last, run] : [run];
    const count = (r) => (unit.value === "updates" ? r.path.map((_, i) => i) : r.seen);
    const planned = limit() * (unit.value === "updates" ? 1 : batchSize()); // a much longer last run is cut off
    const end = Math.min(Math.max(10, ...runs.map((r) => count(r).at(-1))), 4 * planned);
    const inRange = runs.flatMap((r) => thinned(r).map((i) => r.above[i])).filter((v) => v <= 1e4 * (first + lowest) && v >= 1e-8 * first);
    const high = Math.ceil(Math.log10(Math.max(...inRange, first)) + 0.05);
    const low = Math.min(high - 2, Math.floor(Math.log10(Math.min(...inRange, first))));
    const x = (n) => left + ((width - left - 12) * n) / end;
    const y = (v) => bottom - ((bottom - top) * (Math.log10(Math.max(v, 1e-300)) - low)) / (high - low);
    const text = (x, y, anchor, kind, label) => svg.append(cw.svg("text", { x, y, "text-anchor": anchor, class: `cw-small ${kind}` }, label));
    for (let n = low; n <= high; n += Math.ceil((high - low) / 5)) {
      svg.append(cw.svg("line", { x1: left, x2: width, y1: y(10 ** n), y2: y(10 ** n), class: "cw-grid" }));
      text(left - 6, y(10 ** n) + 4, "end", "", power(n));
    }
    for (const n of cw.ticks(0, end, width < 420 ? 3 : 6)) {
      const label = (n || 0).toLocaleString("en-GB");
      text(Math.min(x(n), width - cw.textWidth(label, 12) / 2), bottom + 17, "middle", "", label);
    }
    text((left + width) / 2, height - 5, "middle", "cw-muted", unit.value);
    text(0, 12, "start", "cw-muted", `loss ${width < 420 ? "" : "on all the data, "}above its minimum (log scale)`);
    const inside = clip(svg, "loss", left, top - 6, width - left, bottom - top + 8);
    for (const r of runs) {
      const line = lineOf(thinned(r).map((i) => [x(count(r)[i]), y(r.above[i])]));
      inside.append(cw.svg("path", r === run ? { d: line, class: "cw-line-1" } : { d: line, style: faint }));
    }
    const [cx, cy] = [x(count(run).at(-1)), y(run.above.at(-1))];
    if (cy > -height && cy < 2 * height) inside.append(cw.svg("circle", { cx, cy, r: 4, class: "cw-fill-1" }));
    const told = runs.map((r) => `${r === run ? "this run" : "the last run"} goes from ${readable(first)} to ${readable(r.above.at(-1))} in ${count(r).at(-1).toLocaleString("en-GB")}`);
    return { height, text: `Loss on all the data above its minimum, on a logarithmic scale, against ${unit.value}: ${told.join("; ")}.` };
  };

  // ---- words and controls
  const readable = (v) => (v === 0 || (Math.abs(v) >= 0.001 && Math.abs(v) < 1e4) ? cw.tick(Number(v.toPrecision(4))) : Number.isFinite(v) ? cw.scientific(v) : "beyond all numbers");
  const verdict = () => {
    const k = run.path.length - 1;
    if (!k) return `At the start the loss is ${readable(lowest + first)}; the minimum is ${readable(lowest)}. Press Step or Run.`;
    const now = `${cw.count(k, "update")}, ${cw.count(run.seen.at(-1), "example")} seen: loss ${readable(lowest + run.above.at(-1))}`;
    const end = run.above.at(-1) > first ? " It ends above where it began: choose a smaller step size." : " This is the end of the run.";
    if (run.state !== "diverged") return `${now}, ${readable(run.above.at(-1))} above the minimum.${run.state ? end : ""}`;
    const stable = (2 * (method.value === "momentum" ? 1 + mu : 1)) / curvature[1];
    const why = rate() > stable ? ` On the full data ${method.value} diverges above ${stable.toPrecision(3)}.`
      : ` On the full data ${method.value} would stand up to ${stable.toPrecision(3)}, but a small batch can be steeper.`;
    return `${now}. The steps diverge: choose a smaller step size.${why}`;
  };
  const draw = () => {
    const cells = { Updates: run.path.length - 1, Epochs: run.seen.at(-1) / N, a: run.path.at(-1)[0], b: run.path.at(-1)[1],
      Loss: lowest + run.above.at(-1), "Above the minimum": run.above.at(-1) };
    numbers.replaceChildren(...Object.entries(cells).map(([name, value]) =>
      cw.el("div", {}, cw.el("span", {}, name), cw.el("strong", {}, cw.el("data", { value }, Number.isInteger(value) ? value.toLocaleString("en-GB") : readable(value))))));
    go.textContent = frame ? "Pause" : "Run";
    for (const button of [one, ten, go]) cw.turnOff(button, Boolean(run.state));
    map.redraw();
    loss.redraw();
  };
  const show = () => {
    rule.textContent = `${method.value}: ${words[method.value]}`;
    here.textContent = rate().toPrecision(3);
    slider.setAttribute("aria-valuetext", rate().toPrecision(3));
    previously.hidden = !last;
    previously.lastChild.textContent = last ? `last run: ${last.name}` : "";
    if (status.textContent !== verdict()) status.textContent = verdict(); // said once
    draw();
  };

  const select = (name, label, options, change) => {
    const input = cw.el("select", { id: `${id}-${name}`, change }, ...options.map(([value, shown]) => cw.el("option", { value }, shown)));
    return [input, cw.el("label", { for: input.id }, `${label} `, input)];
  };
  const sizes = [];
  for (let n = 1; n < N; n *= 2) sizes.push([n, n]);
  const [method, methodLabel] = select("method", "Method", Object.keys(methods).map((m) => [m, m]), restart);
  const [size, sizeLabel] = select("size", "Batch size", [...sizes, [N, `${N} (all)`]], restart);
  const [unit, unitLabel] = select("unit", "Count", ["examples seen", "updates"].map((u) => [u, u]), () => draw());
  size.value = N;
  const slider = cw.el("input", { type: "range", id: `${id}-rate`, min: -80, max: 20, step: 1, value: Math.round(20 * Math.log10(data.rate)), input: restart });
  const here = cw.el("span");
  const [one, ten, go] = [cw.button("Step", () => step(1)), cw.button("10 steps", () => step(10)), cw.button("Run", toggle)];
  const rule = cw.el("p", { class: "cw-formula" });
  const numbers = cw.el("div", { class: "cw-numbers" });
  const status = cw.status();
  const map = cw.chart(`${id}-map`, "The path over the contours of the loss", drawMap);
  const loss = cw.chart(`${id}-loss`, "The loss on the way", drawLoss);
  const previously = cw.el("span", {}, cw.el("span", { class: "cw-swatch", style: "height: 0; border-top: 2px dashed var(--cw-4); vertical-align: middle" }), cw.el("span"));
  live.append(
    cw.el("div", { class: "cw-controls" }, methodLabel, sizeLabel,
      cw.el("label", { for: slider.id, class: "cw-wide" }, cw.el("span", {}, "Step size η: ", here), slider)),
    rule,
    cw.el("div", { class: "cw-controls" }, one, ten, go,
      cw.button("Reset", restart, { class: "cw-quiet" }), cw.button("New batches", reseed, { class: "cw-quiet" })),
    status, numbers,
    cw.el("p", { class: "cw-key" }, cw.el("span", { class: "cw-swatch", style: "height: 3px; background: var(--cw-1); vertical-align: middle" }), "this run ", previously),
    map.host, cw.el("div", { class: "cw-controls" }, unitLabel), loss.host,
    cw.el("p", { class: "cw-caption" }, "A changed setting starts a new run from the same point. Reset repeats a run with the same batches."));
  restart();
};

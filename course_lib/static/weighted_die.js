/* The next-token distribution as a die: roll it, and watch counts and average surprise settle. */
courseWidgets.kinds.weighted_die = (live, data, id) => {
  "use strict";
  const cw = courseWidgets;
  const { tokens, p, rows, entropy } = data; // the outcomes from `rows` on are pooled as "other"
  const pooled = tokens.length - rows;
  const names = pooled ? [...tokens.slice(0, rows), `other (${pooled})`] : tokens;
  const probability = names.map((_, i) => (i < rows ? p[i] : p.slice(rows).reduce((a, b) => a + b, 0)));
  let random, counts, rolls, surprise, path, last;

  const rollOnce = () => {
    let u = random() * p.reduce((a, b) => a + b, 0);
    let face = 0;
    while (face < p.length - 1 && (u >= p[face] || p[face] === 0)) u -= p[face++];
    while (p[face] === 0) face--; // rounding can push u past the last face that can come up
    counts[Math.min(face, rows)] += 1;
    rolls += 1;
    surprise -= Math.log(p[face]);
    if (rolls <= 100 || rolls >= path.at(-1)[0] * 1.02) path.push([rolls, surprise / rolls]);
    last = face;
  };
  const roll = (times) => {
    for (let i = 0; i < times; i++) rollOnce();
    show(times === 1 ? `You rolled “${tokens[last]}”, a surprise of ${cw.fixed(-Math.log(p[last]))} nats.`
      : `Rolled ${times.toLocaleString("en-GB")} times, “${tokens[last]}” last.`);
  };
  const reset = () => {
    random = cw.generator(Number.parseInt(seed.value, 10) || 0);
    counts = names.map(() => 0);
    [rolls, surprise, path, last] = [0, 0, [], null];
    show("Not rolled yet. The same seed gives the same rolls.");
  };

  const drawBars = (svg, width) => {
    const [row, top] = [26, 22];
    const left = Math.min(width * 0.32, Math.max(...names.map((n) => cw.textWidth(n))) + 10);
    const right = width - 104;
    const highest = Math.max(...probability, ...(rolls ? counts.map((c) => c / rolls) : [0]));
    const scale = (value) => left + ((right - left) * value) / highest;
    const text = (x, y, label, anchor, kind = "") =>
      svg.append(cw.svg("text", { x, y, "text-anchor": anchor, class: kind }, label));
    text(left, 12, "share", "start", "cw-muted");
    text(width - 54, 12, "p", "end", "cw-muted");
    text(width, 12, "rolled", "end", "cw-muted");
    names.forEach((name, i) => {
      const y = top + i * row;
      if (last !== null && i === Math.min(last, rows))
        svg.append(cw.svg("rect", { x: 0, y, width, height: row - 2, class: "cw-row-last" }));
      text(left - 8, y + 16, cw.shorten(name, left - 8), "end");
      if (rolls)
        svg.append(cw.svg("rect", { x: left, y: y + 7, height: 10, width: scale(counts[i] / rolls) - left, class: "cw-fill-0" }));
      svg.append(cw.svg("rect", { x: left, y: y + 3, height: 18, width: Math.max(1, scale(probability[i]) - left), class: "cw-outline" }));
      text(width - 54, y + 16, cw.fixed(probability[i]), "end");
      text(width, y + 16, counts[i].toLocaleString("en-GB"), "end");
    });
    const words = names.map((n, i) => `${n}: probability ${cw.fixed(probability[i])}, rolled ${counts[i]}`);
    return { height: top + names.length * row, text: `${cw.count(rolls, "roll")}. ${words.join("; ")}.` };
  };

  const drawPath = (svg, width) => {
    const [left, top, bottom, height] = [44, 10, 112, 148];
    const end = Math.max(10, rolls);
    const values = [...path.map(([, s]) => s), entropy];
    const pad = Math.max(0.1, (Math.max(...values) - Math.min(...values)) * 0.15);
    const [low, high] = [Math.max(0, Math.min(...values) - pad), Math.max(...values) + pad];
    const x = (n) => left + ((width - left - 22) * Math.log(n)) / Math.log(end);
    const y = (s) => bottom - ((bottom - top) * (s - low)) / (high - low);
    for (const s of cw.ticks(low, high, 3)) {
      svg.append(cw.svg("line", { x1: left, x2: width, y1: y(s), y2: y(s), class: "cw-grid" }));
      svg.append(cw.svg("text", { x: left - 6, y: y(s) + 4, "text-anchor": "end", class: "cw-small" }, cw.tick(s)));
    }
    for (let n = 1; n <= end; n *= 10)
      svg.append(cw.svg("text", { x: x(n), y: bottom + 16, "text-anchor": "middle", class: "cw-small" }, n.toLocaleString("en-GB")));
    svg.append(cw.svg("text", { x: (left + width) / 2, y: height - 4, "text-anchor": "middle", class: "cw-small cw-muted" }, "rolls (logarithmic scale)"));
    svg.append(cw.svg("line", { x1: left, x2: width, y1: y(entropy), y2: y(entropy), class: "cw-reference" }));
    if (path.length) {
      svg.append(cw.svg("path", { d: `M${[...path, [rolls, surprise / rolls]].map(([n, s]) => `${x(n)} ${y(s)}`).join("L")}`, class: "cw-line-0" }));
      svg.append(cw.svg("circle", { cx: x(rolls), cy: y(surprise / rolls), r: 4, class: "cw-fill-0" }));
    }
    const now = rolls ? `after ${cw.count(rolls, "roll")} it is ${cw.fixed(surprise / rolls, 4)}` : "nothing rolled yet";
    return { height, text: `Average surprise in nats against the number of rolls: ${now}; the dashed line is the entropy, ${cw.fixed(entropy, 4)}.` };
  };

  const bars = cw.chart(`${id}-bars`, "Probability of each outcome and the share of rolls that showed it", drawBars);
  const average = cw.chart(`${id}-path`, "Average surprise so far", drawPath);
  const seed = cw.el("input", { type: "number", id: `${id}-seed`, value: data.seed, min: 0, max: 9999, step: 1, change: () => reset() });
  const numbers = cw.el("div", { class: "cw-numbers" });
  const status = cw.status();
  const show = (message) => {
    const cells = { Rolls: rolls.toLocaleString("en-GB"), "Average surprise": rolls ? `${cw.fixed(surprise / rolls, 4)} nats` : "–", Entropy: `${cw.fixed(entropy, 4)} nats` };
    numbers.replaceChildren(...Object.entries(cells).map(([k, v]) => cw.el("div", {}, cw.el("span", {}, k), cw.el("strong", {}, v))));
    const aloud = ` ${cw.count(rolls, "roll")} so far, average surprise ${cells["Average surprise"]}, entropy ${cells.Entropy}.`;
    status.replaceChildren(message, cw.el("span", { class: "cw-unseen" }, rolls ? aloud : ""));
    bars.redraw();
    average.redraw();
  };
  live.append(
    cw.el("div", { class: "cw-controls" },
      ...[1, 100, 1000].map((n) => cw.button(n === 1 ? "Roll once" : `Roll ${n}`, () => roll(n))),
      cw.button("Reset", reset, { class: "cw-quiet" }),
      cw.el("label", { for: seed.id }, "Seed ", seed)),
    bars.host,
    cw.el("p", { class: "cw-key" }, cw.el("span", { class: "cw-swatch cw-swatch-outline" }), "probability ",
      cw.el("span", { class: "cw-swatch cw-swatch-0" }), "share of the rolls"),
    status, numbers,
    cw.el("p", { class: "cw-caption" }, "Average surprise so far (nats); dashed: the entropy"),
    average.host);
  reset();
};

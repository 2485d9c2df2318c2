/* One LSTM unit whose gates the reader sets, step by step: cell state, output, and the direct path back. */
courseWidgets.kinds.lstm_player = (live, data, id) => {
  "use strict";
  const cw = courseWidgets;
  const { presets, c0 } = data;
  const LIMIT = 60;
  const names = { f: "Forget gate f", i: "Input gate i", g: "Candidate g", o: "Output gate o" };
  let steps, at, timer; // steps[0 ... at-1] are done; the sliders hold steps[at], or the one to be added
  let free = { note: "", f: 1, i: 0, g: 0, o: 1 };

  /** States after each step: {c, h, share}; share is the product of all forget gates so far. */
  const play = (list) => {
    let [c, share] = [c0, 1];
    return list.map(({ f, i, g, o }) => {
      c = f * c + i * g;
      share *= f;
      return { c, h: o * Math.tanh(c), share };
    });
  };
  const next = () => steps[at] ?? free;
  const full = () => at >= LIMIT;
  const below = (n) => String(n).replace(/\d/g, (d) => "₀₁₂₃₄₅₆₇₈₉"[d]);
  const two = (v) => cw.fixed(v, 2);
  const factor = (v, text) => (v < 0 ? `(${text(v)})` : text(v));

  const layout = (width) => {
    const [left, right] = [44, width - 6];
    const slots = Math.max(8, steps.length, at + 1) + 1; // t = 0 and every step
    return { left, right, x: (t) => left + ((right - left) * (t + 0.5)) / slots, slot: (right - left) / slots, slots };
  };
  const times = (svg, { x, slots, slot }, y) => {
    const every = [1, 2, 5, 10].find((n) => n * slot >= 24);
    for (let t = 0; t < slots; t += every) svg.append(cw.svg("text", { x: x(t), y, "text-anchor": "middle", class: "cw-small" }, t));
  };
  const axis = (svg, place, values, y) => {
    for (const v of values) {
      svg.append(cw.svg("line", { x1: place.left, x2: place.right, y1: y(v), y2: y(v), class: v ? "cw-grid" : "cw-cursor" }));
      svg.append(cw.svg("text", { x: place.left - 6, y: y(v) + 4, "text-anchor": "end", class: "cw-small" }, cw.tick(v || 0)));
    }
  };

  const drawStates = (svg, width) => {
    const [top, bottom, strip] = [22, 170, 16];
    const [done, place] = [play(steps.slice(0, at)), layout(width)];
    const { x, slot } = place;
    const height = bottom + 40 + 3 * strip;
    const coming = full() ? null : play([...steps.slice(0, at), next()]).at(-1);
    const cells = [c0, ...done.map((s) => s.c)];
    const values = [...cells, ...(coming ? [coming.c] : [])];
    const [low, high] = [Math.min(-1, ...values) - 0.1, Math.max(1, ...values) + 0.1];
    const y = (v) => bottom - ((bottom - top) * (v - low)) / (high - low);
    const add = (tag, attributes, ...children) => svg.append(cw.svg(tag, attributes, ...children));
    const bar = (t, v, attributes) => add("rect", { x: x(t) - slot * 0.34, width: slot * 0.68, y: Math.min(y(v), y(0)) - 0.75, height: Math.abs(y(v) - y(0)) + 1.5, ...attributes });
    axis(svg, place, cw.ticks(low, high, 4), y);
    add("text", { x: 0, y: 12, class: "cw-small cw-muted" }, "bars: cell state c; line: output h");
    cells.forEach((c, t) => bar(t, c, { class: "cw-fill-0" }));
    if (coming) bar(at + 1, coming.c, { class: "cw-outline", style: "stroke-dasharray: 3 3; stroke: var(--cw-0)" });
    if (done.length) add("path", { d: `M${done.map((s, t) => `${x(t + 1)} ${y(s.h)}`).join("L")}`, class: "cw-line-1" });
    done.forEach((s, t) => add("circle", { cx: x(t + 1), cy: y(s.h), r: Math.min(4.5, slot * 0.3), class: "cw-fill-1 cw-now" }));
    ["f", "i", "o"].forEach((gate, row) => {
      const line = bottom + 12 + row * strip;
      add("text", { x: place.left - 6, y: line + 11, "text-anchor": "end", class: "cw-small" }, gate);
      [...steps.slice(0, at), ...(full() ? [] : [next()])].forEach((s, t) =>
        add("rect", { x: x(t + 1) - slot * 0.34, width: slot * 0.68, y: line, height: strip - 4, style: `fill: var(--cw-4); fill-opacity: ${s[gate]}; stroke: var(--cw-line); stroke-dasharray: ${t === at ? "3 3" : "none"}` }));
    });
    times(svg, place, bottom + 28 + 3 * strip);
    const told = done.map((s, t) => `${t + 1}: c ${cw.fixed(s.c)}, h ${cw.fixed(s.h)}`).join("; ");
    return { height, text: `Cell state c and output h after each step, from c ${cw.fixed(c0)}. ${told || "No step yet"}.` };
  };

  /** How much of a gradient at c_t the direct path hands to each earlier c_s: f_{s+1} ... f_t. */
  const drawPath = (svg, width) => {
    const [top, bottom, height, place] = [22, 92, 128, layout(width)];
    const { x, slot, left, right } = place;
    const y = (v) => bottom - (bottom - top) * v;
    const shares = [1];
    for (let s = at; s > 0; s--) shares.unshift(shares[0] * steps[s - 1].f);
    axis(svg, place, [0, 0.5, 1], y);
    svg.append(cw.svg("text", { x: 0, y: 12, class: "cw-small cw-muted" }, `gradient carried straight back from c${below(at)}`));
    shares.forEach((v, s) => svg.append(cw.svg("rect", { x: x(s) - slot * 0.34, width: slot * 0.68, y: y(v) - 0.75, height: y(0) - y(v) + 1.5, class: "cw-fill-2" })));
    times(svg, place, bottom + 17);
    svg.append(cw.svg("text", { x: (left + right) / 2, y: height - 4, "text-anchor": "middle", class: "cw-small cw-muted" }, "step"));
    return { height, text: `Product of the forget gates from c ${at} back to each earlier cell state: ${shares.map((v, s) => `c ${s} ${cw.fixed(v)}`).join(", ")}.` };
  };

  const equations = () => {
    if (full()) return [`${LIMIT} steps are done: go back, or start again.`];
    const [{ f, i, g, o, note }, t] = [next(), at + 1];
    const before = at ? play(steps.slice(0, at)).at(-1).c : c0;
    const { c, h } = play([...steps.slice(0, at), next()]).at(-1);
    return [
      `Step ${t} to come${note ? `, ${note}` : ""}:`,
      `c${below(t)} = f c${below(t - 1)} + i g = ${two(f)} · ${factor(before, cw.fixed)} + ${two(i)} · ${factor(g, two)} = ${cw.fixed(c)}`,
      `h${below(t)} = o tanh(c${below(t)}) = ${two(o)} · ${factor(Math.tanh(c), cw.fixed)} = ${cw.fixed(h)}`,
    ];
  };
  const verdict = () => {
    if (!at) return `Nothing done yet; c${below(0)} = ${cw.fixed(c0)}. Set the gates, or take them as they are, and press Step.`;
    const { c, h, share } = play(steps.slice(0, at)).at(-1);
    const { note } = steps[at - 1];
    return `Step ${at}${note ? `, ${note}` : ""}: c = ${cw.fixed(c)}, h = ${cw.fixed(h)}. ` +
      `The direct path carries ${cw.fixed(share)} of the gradient back to c${below(0)}.`;
  };

  const draw = () => {
    for (const [gate, { input, value }] of Object.entries(sliders)) {
      input.value = next()[gate];
      value.textContent = two(next()[gate]);
      input.setAttribute("aria-valuetext", two(next()[gate]));
    }
    const [heading, ...lines] = equations();
    formula.replaceChildren(cw.el("p", { class: "cw-panel-title" }, heading), ...lines.map((line) => cw.el("p", { class: "cw-formula" }, line)));
    const done = play(steps.slice(0, at));
    body.replaceChildren(...steps.map((s, t) => {
      const state = done[t] ? [done[t].c, done[t].h, done[t].share].map((value) => cw.el("td", {}, cw.el("data", { value }, cw.fixed(value)))) : [1, 2, 3].map(() => cw.el("td", {}, "–"));
      return cw.el("tr", t === at - 1 ? { class: "cw-row-now" } : {}, cw.el("th", { scope: "row" }, `${t + 1} ${s.note}`),
        ...["f", "i", "g", "o"].map((gate) => cw.el("td", { class: "cw-roomy" }, two(s[gate]))), ...state);
    }));
    table.hidden = !steps.length;
    const row = body.children[at - 1];
    table.scrollTop = row ? row.offsetTop - table.clientHeight / 2 : 0; // the table scrolls, the page stays
    cw.turnOff(one, full());
    cw.turnOff(back, at === 0);
    cw.turnOff(rest, at >= steps.length && !timer);
    rest.textContent = timer ? "Pause" : "Play the rest";
    states.redraw();
    path.redraw();
  };
  const show = () => {
    if (status.textContent !== verdict()) status.textContent = verdict();
    draw();
  };
  const stop = () => {
    clearInterval(timer);
    timer = null;
  };

  const advance = () => {
    if (at === steps.length) steps.push({ ...free });
    free = { ...steps[at], note: "" }; // what the sliders keep when the given steps are over
    at += 1;
  };
  const step = () => {
    stop();
    if (full()) return;
    advance();
    show();
  };
  const undo = () => {
    stop();
    if (at) at -= 1;
    show();
  };
  const playRest = () => {
    if (timer) {
      stop();
      return show();
    }
    if (at >= steps.length) return;
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) {
      while (at < steps.length) advance();
      return show();
    }
    timer = setInterval(() => {
      if (live.isConnected && at < steps.length) advance();
      if (!live.isConnected || at >= steps.length) stop();
      timer ? draw() : show(); // spoken at the end, not at every step
    }, 700);
    draw();
  };
  const load = () => {
    stop();
    steps = (presets[Number(preset.value)]?.[1] ?? []).map((s) => ({ ...s }));
    at = 0;
    show();
  };
  const set = (gate) => {
    stop();
    const changed = { ...next(), note: at < steps.length ? "changed" : "", [gate]: Number(sliders[gate].input.value) };
    if (at < steps.length) steps[at] = changed;
    else free = changed;
    draw();
  };

  const sliders = Object.fromEntries(Object.entries(names).map(([gate, label]) => {
    const input = cw.el("input", { type: "range", id: `${id}-${gate}`, min: gate === "g" ? -1 : 0, max: 1, step: 0.01, input: () => set(gate) });
    const value = cw.el("strong");
    return [gate, { input, value, label: cw.el("label", { for: input.id, class: "cw-wide" }, cw.el("span", {}, `${label}: `, value), input) }];
  }));
  const preset = cw.el("select", { id: `${id}-preset`, change: load, style: "min-width: 0" },
    ...presets.map(([name], i) => cw.el("option", { value: i }, name)), cw.el("option", { value: presets.length }, "your own steps"));
  const [one, back, rest] = [cw.button("Step", step), cw.button("Back", undo), cw.button("Play the rest", playRest)];
  const formula = cw.el("div", { class: "cw-panel" });
  const status = cw.status();
  const states = cw.chart(`${id}-states`, "Cell state and output over time", drawStates);
  const path = cw.chart(`${id}-path`, "What the direct path carries back", drawPath);
  const body = cw.el("tbody");
  const heads = [["Step"], ["f", "cw-roomy"], ["i", "cw-roomy"], ["g", "cw-roomy"], ["o", "cw-roomy"], ["c"], ["h"], ["Product of f"]];
  const table = cw.el("div", { class: "cw-scroll", tabindex: 0, role: "region", "aria-label": "All steps", style: "max-height: 19rem; position: relative" },
    cw.el("table", {}, cw.el("thead", {}, cw.el("tr", {}, ...heads.map(([h, kind]) => cw.el("th", { scope: "col", class: kind, style: "position: sticky; top: 0; background: var(--cw-back)" }, h)))), body));
  live.append(
    cw.el("div", { class: "cw-controls" }, cw.el("label", { for: preset.id, style: "max-width: 100%" }, "Sequence ", preset)),
    cw.el("div", { class: "cw-controls" }, ...Object.values(sliders).map((s) => s.label)),
    formula,
    cw.el("div", { class: "cw-controls" }, one, back, rest, cw.button("Start again", load, { class: "cw-quiet" })),
    status, states.host, path.host, table,
    cw.el("p", { class: "cw-caption" }, "Dashed: the step to come. To change an earlier step, go back to it, move its sliders and step on."));
  load();
};

/* A small line chart whose values are read out at the x chosen with a slider. */
courseWidgets.kinds.curve = (live, data, id) => {
  "use strict";
  const cw = courseWidgets;
  const { x: xs, series, reference, xlabel, ylabel } = data;
  const names = Object.keys(series);
  const values = [...Object.values(series).flat(), ...Object.values(reference)];
  const spread = Math.max(...values) - Math.min(...values) || 1;
  const [low, high] = [Math.min(...values) - spread * 0.06, Math.max(...values) + spread * 0.1];
  const readable = (v) => cw.tick(Number(v.toPrecision(4)));
  const value = (v) => (v === 0 || (Math.abs(v) >= 0.01 && Math.abs(v) < 1000) ? cw.fixed(v) : readable(v));

  const draw = (svg, width) => {
    const [top, bottom, height, at] = [22, 236, 276, Number(slider.value)];
    const yTicks = cw.ticks(low, high, 5);
    const left = Math.max(...yTicks.map((t) => cw.textWidth(cw.tick(t), 12))) + 14;
    const x = (v) => left + 8 + ((width - left - 20) * (v - xs[0])) / (xs.at(-1) - xs[0]);
    const y = (v) => bottom - ((bottom - top) * (v - low)) / (high - low);
    const add = (tag, attributes, ...children) => svg.append(cw.svg(tag, attributes, ...children));
    for (const t of yTicks) {
      add("line", { x1: left, x2: width, y1: y(t), y2: y(t), class: "cw-grid" });
      add("text", { x: left - 6, y: y(t) + 4, "text-anchor": "end", class: "cw-small" }, cw.tick(t));
    }
    const marks = xs.length <= 8 ? xs : cw.ticks(xs[0], xs.at(-1), width < 400 ? 4 : 8);
    for (const t of marks) add("text", { x: x(t), y: bottom + 18, "text-anchor": "middle", class: "cw-small" }, cw.tick(t));
    add("text", { x: 0, y: 12, class: "cw-small cw-muted" }, ylabel);
    add("text", { x: (left + width) / 2, y: height - 6, "text-anchor": "middle", class: "cw-small cw-muted" }, xlabel);
    add("line", { x1: x(xs[at]), x2: x(xs[at]), y1: top, y2: bottom, class: "cw-cursor" });
    for (const [name, v] of Object.entries(reference)) {
      add("line", { x1: left, x2: width, y1: y(v), y2: y(v), class: "cw-reference" });
      const room = (j) => Math.min(...names.map((n) => Math.abs(series[n].at(j) - v))); // name it where no curve is near
      const [side, anchor] = room(0) > room(-1) ? [left + 4, "start"] : [width - 2, "end"];
      add("text", { x: side, y: y(v) - 5, "text-anchor": anchor, class: "cw-small cw-halo" }, name);
    }
    names.forEach((name, i) => {
      add("path", { d: `M${xs.map((v, j) => `${x(v)} ${y(series[name][j])}`).join("L")}`, class: `cw-line-${i}` });
      xs.forEach((v, j) => {
        if (xs.length <= 25 || j === at)
          add("path", { d: cw.shapes[i], transform: `translate(${x(v)} ${y(series[name][j])})`, class: `cw-fill-${i}${j === at ? " cw-now" : ""}` });
      });
    });
    const ranges = names.map((n) => `${n} goes from ${value(series[n][0])} to ${value(series[n].at(-1))}`);
    const lines = Object.entries(reference).map(([n, v]) => `${n} is ${value(v)}`);
    return { height, text: `${ylabel} against ${xlabel}, from ${readable(xs[0])} to ${readable(xs.at(-1))}: ${[...ranges, ...lines].join("; ")}.` };
  };

  const show = () => {
    const at = Number(slider.value);
    here.textContent = readable(xs[at]);
    cells.forEach((cell, i) => (cell.textContent = value(series[names[i]][at])));
    slider.setAttribute("aria-valuetext", `${xlabel} ${readable(xs[at])}: ${names.map((n) => `${n} ${value(series[n][at])}`).join(", ")}`);
    chart.redraw();
  };
  const slider = cw.el("input", { type: "range", id: `${id}-x`, min: 0, max: xs.length - 1, step: 1, value: 0, input: () => show() });
  const here = cw.el("output", { for: slider.id });
  const cells = names.map(() => cw.el("td"));
  const marker = (i) => cw.svg("svg", { width: 14, height: 14, viewBox: "-7 -7 14 14", "aria-hidden": "true" }, cw.svg("path", { d: cw.shapes[i], class: `cw-fill-${i}` }));
  const rows = names.map((name, i) => cw.el("tr", {}, cw.el("th", { scope: "row" }, marker(i), ` ${name}`), cells[i]));
  rows.push(...Object.entries(reference).map(([name, v]) => cw.el("tr", {}, cw.el("th", { scope: "row" }, cw.el("span", { class: "cw-swatch cw-swatch-dash" }), name), cw.el("td", {}, value(v)))));
  const chart = cw.chart(`${id}-chart`, data.title, draw);
  live.append(chart.host,
    cw.el("div", { class: "cw-controls" }, cw.el("label", { for: slider.id, class: "cw-wide" }, cw.el("span", {}, `${xlabel}: `, here), slider)),
    cw.el("table", {}, cw.el("thead", {}, cw.el("tr", {}, ...["Line", ylabel].map((h) => cw.el("th", { scope: "col" }, h)))), cw.el("tbody", {}, ...rows)));
  show();
};

/* Attention weights: pick a word, and see in each head how it shares its attention out. */
courseWidgets.kinds.attention_explorer = (live, data, id) => {
  "use strict";
  const cw = courseWidgets;
  const { examples } = data; // each {name, rows, columns, own, causal, weights[layer][head]: thousandths, row after row}
  const [layers, heads] = [examples[0].weights.length, examples[0].weights[0].length];
  let [query, head] = [0, 0];
  const example = () => examples[Number(which.value)];
  const weight = (h, t, s) => example().weights[Number(layer.value)][h][t * example().columns.length + s] / 1000;
  const hidden = (t, s) => example().causal && s > t;
  const rowOf = (h, t) => example().columns.map((_, s) => weight(h, t, s));

  /** The words looked at, each on a ground as strong as its weight, with the weight below. */
  const strip = (h) => {
    const share = rowOf(h, query);
    const items = example().columns.map((word, s) => cw.el("li", {
      class: `cw-seen ${hidden(query, s) ? "cw-hidden" : ""} ${example().own && s === query ? "cw-self" : ""}`,
      style: `background: color-mix(in srgb, var(--cw-0) ${Math.round(55 * share[s])}%, var(--cw-back))`,
    }, word, cw.el("span", {}, hidden(query, s) ? "hidden" : cw.fixed(share[s], 2))));
    return cw.el("ol", { class: "cw-tokens", "aria-label": `Weights${heads > 1 ? ` of head ${h + 1}` : ""}` }, ...items);
  };
  const most = (h) => {
    const share = rowOf(h, query);
    const top = share.indexOf(Math.max(...share));
    const { columns } = example();
    const twin = columns.indexOf(columns[top]) < columns.lastIndexOf(columns[top]) ? `word ${top + 1}, ` : "";
    return `${heads > 1 ? `head ${h + 1} ` : ""}looks ${share[top] > 0 ? `most at “${columns[top]}” (${twin}${cw.fixed(share[top], 2)})` : "at nothing"}`;
  };

  let place; // of the matrix as drawn: where its rows begin, and how high one is
  const drawMatrix = (svg, width) => {
    const { rows, columns } = example();
    const widest = (words) => Math.max(...words.map((word) => 1.16 * cw.textWidth(word, 12))); // room for the strong one
    const left = Math.min(width * 0.3, widest(rows)) + 8;
    const room = Math.min(90, widest(columns));
    const cell = Math.min(30, (width - left - 4) / columns.length);
    const [top, high] = [8 + room, Math.max(14, Math.min(24, cell))];
    const add = (tag, attributes, ...children) => svg.append(cw.svg(tag, attributes, ...children));
    const every = Math.ceil(13 / cell);
    place = { top, high };
    columns.forEach((word, s) => {
      const [x, y] = [left + (s + 0.5) * cell + 4, top - 6];
      if (s % every === 0) add("text", { x, y, transform: `rotate(-90 ${x} ${y})`, class: "cw-small" }, cw.shorten(word, room, 12));
    });
    rows.forEach((word, t) => {
      const y = top + t * high;
      add("text", { x: left - 6, y: y + high / 2 + 4, "text-anchor": "end", class: `cw-small ${t === query ? "cw-strong" : ""}` }, cw.shorten(word, left - 8, 12));
      columns.forEach((_, s) => {
        if (hidden(t, s)) return;
        const box = { x: left + s * cell, y, width: Math.max(1, cell - 1), height: high - 1 };
        add("rect", { ...box, class: "cw-row-last" });
        if (weight(head, t, s) >= 0.005) add("rect", { ...box, class: "cw-fill-0", "fill-opacity": weight(head, t, s) });
      });
    });
    add("rect", { x: left - 1, y: top + query * high - 1, width: columns.length * cell + 1, height: high + 1, class: "cw-outline" });
    return { height: top + rows.length * high + 2, text: `Weights${heads > 1 ? ` of head ${head + 1}` : ""}, a row for each of ${cw.count(rows.length, "word")}. In the row of ${rows[query]}: ` +
      `${columns.map((word, s) => `${word} ${hidden(query, s) ? "hidden" : cw.fixed(weight(head, query, s), 2)}`).join(", ")}.` };
  };

  const show = () => {
    const { rows, own } = example();
    strips.replaceChildren(...Array.from({ length: heads }, (_, h) => cw.el("div", { class: "cw-head" },
      heads > 1 ? cw.button(`Head ${h + 1}`, () => chooseHead(h), { class: "cw-word", "aria-pressed": String(h === head) }) : null, strip(h))));
    const all = Array.from({ length: heads }, (_, h) => most(h)).join("; ");
    status.textContent = `“${rows[query]}”, word ${query + 1} of ${rows.length}${heads > 1 ? ":" : ","} ${all}.`;
    const part = [...(layers > 1 ? [`layer ${Number(layer.value) + 1}`] : []), ...(heads > 1 ? [`head ${head + 1}`] : [])].join(", ");
    heading.replaceChildren(cw.el("strong", {}, `All weights${part && ` of ${part}`}: `),
      own ? "a row for each word that looks, a column for each word looked at." : "a row for each word said, a column for each source word looked at.");
    matrix.redraw();
  };
  const chooseHead = (h) => {
    head = h;
    show();
    strips.querySelectorAll("button")[h].focus(); // the button pressed was made anew
  };
  const choose = (t) => {
    query = t;
    show();
  };
  const load = () => {
    query = Math.min(query, example().rows.length - 1);
    picker.fill(example().rows, query);
    show();
  };

  const [which, whichLabel] = cw.select(`${id}-example`, "Example", examples.map((e) => e.name), () => {
    query = example().rows.length - 1;
    load();
  });
  const [layer, layerLabel] = cw.select(`${id}-layer`, "Layer", Array.from({ length: layers }, (_, i) => i + 1), () => show());
  const picker = cw.picker("The word that looks", choose);
  const strips = cw.el("div", {});
  const status = cw.status();
  const heading = cw.el("p", {});
  const matrix = cw.chart(`${id}-matrix`, "All the weights of a head", drawMatrix);
  matrix.host.addEventListener("click", (event) => {
    const t = Math.floor((event.clientY - matrix.host.getBoundingClientRect().top - place.top) / place.high);
    if (t < 0 || t >= example().rows.length) return;
    picker.mark(t);
    choose(t);
  });
  const chosen = [...(examples.length > 1 ? [whichLabel] : []), ...(layers > 1 ? [layerLabel] : [])];
  live.append(
    ...(chosen.length ? [cw.el("div", { class: "cw-controls" }, ...chosen)] : []),
    cw.el("p", { class: "cw-caption" }, "Pick the word that looks:"), picker.host, status, strips, heading, matrix.host,
    cw.el("p", { class: "cw-caption" }, "The stronger the colour, the larger the weight."));
  query = example().rows.length - 1;
  load();
};

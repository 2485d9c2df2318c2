/* The merges of a byte-pair encoding, applied to a text one after another. */
courseWidgets.kinds.byte_pair_player = (live, data, id) => {
  "use strict";
  const cw = courseWidgets;
  const { texts, merges, names } = data; // a token is written in GPT-2's signs; `names` spells those that look different
  const name = (token) => names[token] ?? token;
  const say = (token) => `“${name(token)}”`;
  let stages; // stages[n]: the tokens of each chunk after n merges
  const at = () => Number(slider.value);
  const size = (n) => stages[n].reduce((sum, chunk) => sum + chunk.length, 0);
  const changes = (n) => n > 0 && size(n) < size(n - 1);

  const join = (chunk, [left, right]) => {
    const made = [];
    for (let i = 0; i < chunk.length; i++) {
      const found = chunk[i] === left && chunk[i + 1] === right;
      made.push(found ? left + right : chunk[i]);
      if (found) i++;
    }
    return made;
  };
  const load = () => {
    stages = [texts[Number(which.value)].chunks];
    for (const pair of merges) stages.push(stages.at(-1).map((chunk) => join(chunk, pair)));
    go(0);
  };
  /** The next number of merges, upwards or downwards, at which the text is another; the end, if there is none. */
  const seek = (step) => {
    let n = at() + step;
    if (step > 0) while (n < merges.length && !changes(n)) n++;
    else while (n > 0 && !changes(n)) n--;
    return Math.max(0, Math.min(n, merges.length));
  };

  const draw = (svg, width) => {
    const [left, top, bottom, height] = [40, 20, 128, 166];
    const [most, least] = [size(0), texts[Number(which.value)].chunks.length];
    const x = (n) => left + 6 + ((width - left - 16) * n) / merges.length;
    const y = (tokens) => bottom - ((bottom - top) * tokens) / most;
    const add = (tag, attributes, ...children) => svg.append(cw.svg(tag, attributes, ...children));
    for (const v of cw.ticks(0, most, 3).filter(Number.isInteger)) {
      add("line", { x1: left, x2: width, y1: y(v), y2: y(v), class: "cw-grid" });
      add("text", { x: left - 6, y: y(v) + 4, "text-anchor": "end", class: "cw-small" }, v || 0);
    }
    const marks = cw.ticks(0, merges.length, width < 400 ? 3 : 6).filter(Number.isInteger);
    for (const n of marks) add("text", { x: x(n), y: bottom + 17, "text-anchor": n === merges.length ? "end" : "middle", class: "cw-small" }, (n || 0).toLocaleString("en-GB"));
    add("text", { x: 0, y: 12, class: "cw-small cw-muted" }, "tokens");
    add("text", { x: (left + width) / 2, y: height - 4, "text-anchor": "middle", class: "cw-small cw-muted" }, "merges");
    add("line", { x1: left, x2: width, y1: y(least), y2: y(least), class: "cw-reference" });
    add("text", { x: left + 8, y: y(least) > bottom - 14 ? y(least) - 6 : y(least) + 15, class: "cw-small cw-halo" }, `one for each of ${cw.count(least, "chunk")}`);
    let path = `M${x(0)} ${y(most)}`;
    for (let n = 1; n <= merges.length; n++) if (changes(n) || n === merges.length) path += `H${x(n)}V${y(size(n))}`;
    add("path", { d: path, class: "cw-line-0" });
    add("line", { x1: x(at()), x2: x(at()), y1: top, y2: bottom, class: "cw-cursor" });
    add("circle", { cx: x(at()), cy: y(size(at())), r: 5, class: "cw-fill-0 cw-now" });
    return { height, text: `The number of tokens against the number of merges: ${most} at first, ${size(at())} after ${at()}, ${size(merges.length)} after all ${merges.length}; never below ${least}.` };
  };

  const show = () => {
    const n = at();
    const [left, right] = merges[n - 1] ?? [];
    const gone = n ? size(n - 1) - size(n) : 0;
    const tokens = cw.count(size(n), "token");
    status.textContent = n === 0 ? `No merge yet: ${tokens}, one for each byte.`
      : `Merge ${n.toLocaleString("en-GB")} of ${merges.length.toLocaleString("en-GB")}, ${say(left)} and ${say(right)} to ${say(left + right)}, ${gone ? `${gone === 1 ? "once" : `${gone} times`} in this text` : "not in this text"}: ${tokens}.`;
    slider.setAttribute("aria-valuetext", `${cw.count(n, "merge")}, ${tokens}`);
    output.textContent = n.toLocaleString("en-GB");
    line.replaceChildren(...stages[n].flatMap((chunk) => chunk.map((token) => cw.el("li", { class: `cw-chip ${gone && token === left + right ? "cw-chip-now" : ""}` }, name(token)))));
    const cells = { Bytes: size(0), Tokens: size(n), "Bytes per token": cw.fixed(size(0) / size(n), 2) };
    numbers.replaceChildren(...Object.entries(cells).map(([label, v]) => cw.el("div", {}, cw.el("span", {}, label), cw.el("strong", {}, v))));
    cw.turnOff(back, n === 0);
    cw.turnOff(next, n === merges.length);
    cw.turnOff(all, n === merges.length);
    chart.redraw();
  };
  const go = (n) => {
    slider.value = n;
    show();
  };

  const [which, whichLabel] = cw.select(`${id}-text`, "Text", texts.map((one) => one.name), () => load());
  const slider = cw.el("input", { type: "range", id: `${id}-merges`, min: 0, max: merges.length, step: 1, value: 0, input: () => show() });
  const output = cw.el("strong");
  const [back, next, all] = [cw.button("Back", () => go(seek(-1))), cw.button("Next merge", () => go(seek(1))), cw.button("All merges", () => go(merges.length))];
  const [status, numbers] = [cw.status(), cw.el("div", { class: "cw-numbers" })];
  const line = cw.el("ol", { class: "cw-tokens", "aria-label": "The tokens of the text" });
  const chart = cw.chart(`${id}-fall`, "The number of tokens falls", draw);
  live.append(
    cw.el("div", { class: "cw-controls" }, ...(texts.length > 1 ? [whichLabel] : []), back, next, all, cw.button("Start again", () => go(0), { class: "cw-quiet" })),
    cw.el("div", { class: "cw-controls" }, cw.el("label", { for: slider.id, class: "cw-wide" }, cw.el("span", {}, "Merges: ", output), slider)),
    status, line, numbers, chart.host,
    cw.el("p", { class: "cw-caption" }, "The buttons go to the next merge that changes this text, the slider to any. ␣ is a space."));
  load();
};

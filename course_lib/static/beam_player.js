/* A recorded beam search, step by step: the texts kept, their continuations, and what becomes of each. */
courseWidgets.kinds.beam_player = (live, data, id) => {
  "use strict";
  const cw = courseWidgets;
  const { widths, penalties, runs, best } = data;
  const marks = { kept: "✓ kept", finished: "■ finished", "given up": "– given up", dropped: "✗ dropped" };
  let run, steps, columns, at; // columns[t]: the nodes that step t kept or finished, the most probable first
  const last = () => at === steps.length - 1;
  const spell = (words) => words.join(" ");
  const say = (words) => (words.length ? `“${spell(words)}”` : "the empty text");
  const numbers = ({ logProb, score }) => `ln q ${cw.fixed(logProb)}${run.penalty ? `, score ${cw.fixed(score)}` : ""}`;

  /** The recorded steps {kept, totals, next: [[word, ln p, ln q, fate, rank], ...] for each kept, count} as a tree. */
  const load = () => {
    run = runs[Number(penalty.value) * widths.length + Number(width.value)];
    ({ steps } = run);
    columns = [];
    steps.forEach(({ kept, next }, t) => {
      const parents = t ? columns[t - 1].filter((node) => node.fate === "kept") : [];
      const grown = next.flatMap((list, row) => list.map(([word, , logProb, fate, rank]) => (
        { word, logProb, fate, rank, t, parent: parents[row], words: [...kept[row], word], score: logProb / (t + 1) ** run.penalty })));
      columns.push(grown.filter(({ fate }) => fate === "kept" || fate === "finished").sort((a, b) => a.rank - b.rank));
    });
    go(0);
  };
  /** Texts put aside up to now, the best first; no more than the width. */
  const finished = () => columns.slice(0, at + 1).flat().filter((node) => node.fate === "finished").sort((a, b) => b.score - a.score).slice(0, run.width);
  const family = (nodes) => {
    const all = new Set();
    for (let node of nodes) for (; node; node = node.parent) all.add(node);
    return all;
  };

  const draw = (svg, across) => {
    const [row, top, column] = [42, 20, (across - 4) / (steps.length + 0.35)];
    const alive = family([...finished(), ...(last() ? [] : columns[at].filter((node) => node.fate === "kept"))]);
    const won = family(last() ? finished().slice(0, 1) : []);
    const place = (node) => (node ? [column * (node.t + 0.85), top + row * (columns[node.t].indexOf(node) + 0.5)] : [6, top + row / 2]);
    const colour = (node) => `var(--cw-${won.has(node) ? "1" : alive.has(node) ? "0" : "line"})`;
    const add = (tag, attributes, ...children) => svg.append(cw.svg(tag, attributes, ...children));
    const shown = columns.slice(0, at + 1);
    for (const node of shown.flat().sort((a, b) => won.has(a) - won.has(b) || alive.has(a) - alive.has(b))) {
      const [[x1, y1], [x2, y2]] = [place(node.parent), place(node)];
      add("line", { x1, y1, x2, y2, style: `stroke: ${colour(node)}; stroke-width: ${alive.has(node) ? 2 : 1}; stroke-dasharray: ${alive.has(node) ? "none" : "3 3"}` });
    }
    add("circle", { cx: 6, cy: top + row / 2, r: 4, class: "cw-fill-4" });
    shown.forEach((nodes, t) => {
      add("text", { x: column * (t + 0.85), y: 12, "text-anchor": "middle", class: `cw-small cw-muted ${t === at ? "cw-strong" : ""}` }, t + 1);
      for (const node of nodes) {
        const [x, y] = place(node);
        const size = column < 64 ? 12 : 13;
        const [label, total] = [cw.shorten(node.word, (column - 9) / 1.1, size), cw.fixed(node.logProb, column < 54 ? 1 : 2)];
        const half = Math.max(1.12 * cw.textWidth(label, size), cw.textWidth(total, 12)) / 2 + 4; // room for the strong ones
        const ended = node.fate === "finished";
        add("rect", { x: x - half, y: y - 17, width: 2 * half, height: 34, rx: ended ? 0 : 7,
          style: `fill: var(--cw-back); stroke: ${colour(node)}; stroke-width: ${ended ? 3 : 1.5}; stroke-dasharray: ${alive.has(node) ? "none" : "3 3"}` });
        add("text", { x, y: y - 2, "text-anchor": "middle", class: `${size < 13 ? "cw-small" : ""} ${alive.has(node) ? "cw-strong" : "cw-muted"}` }, label);
        add("text", { x, y: y + 12, "text-anchor": "middle", class: alive.has(node) ? "cw-small" : "cw-small cw-muted" }, total);
      }
    });
    const told = shown.map((nodes, t) => `step ${t + 1}: ${nodes.map((node) => `${spell(node.words)} (${node.fate}, ln q ${cw.fixed(node.logProb, 2)})`).join(", ")}`);
    const most = Math.max(...columns.map((nodes) => nodes.length));
    return { height: top + row * most, text: `The texts kept and finished so far. ${told.join("; ")}.` };
  };

  /** What follows one of the texts kept, as a part of the table. */
  const group = (row) => {
    const { kept, totals, next, count } = steps[at];
    const line = (head, kind, numbers, fate) => cw.el("tr", fate === "dropped" ? {} : { class: "cw-row-now" }, cw.el("th", { scope: "row", class: kind }, head),
      ...numbers.map((value) => cw.el("td", {}, value)), cw.el("td", { class: "cw-said" }, marks[fate]));
    const rest = count[row] - next[row].length;
    return cw.el("tbody", {},
      cw.el("tr", {}, cw.el("th", { scope: "rowgroup", colspan: 4, class: "cw-said" }, `After ${say(kept[row])}, ln q ${cw.fixed(totals[row])}:`)),
      ...next[row].map(([word, logP, logQ, fate]) => line(word, "", [cw.fixed(logP), cw.fixed(logQ)], fate)),
      rest ? line(cw.count(rest, "other word"), "cw-count", ["", ""], "dropped") : null);
  };
  /** The text found beside the best of all; and where the search lost that one. */
  const verdict = () => {
    const [found, wanted] = [run.found[0], best[Number(penalty.value)]];
    const over = `The search is over. It found ${say(found.words)} (${numbers(found)}).`;
    if (!wanted) return `${over} The best text is unknown: there are too many to look through.`;
    if (wanted.score < found.score + 2e-6) return `${over} No text is better.`;
    const lost = wanted.words.findIndex((_, t) => !columns[t]?.some((node) => spell(node.words) === spell(wanted.words.slice(0, t + 1))));
    const what = lost + 1 < wanted.words.length ? `Its beginning ${say(wanted.words.slice(0, lost + 1))}` : "It";
    return `${over} Better is ${say(wanted.words)} (${numbers(wanted)}). ${what} was lost in step ${lost + 1}.`;
  };
  const show = () => {
    const { kept, count, next } = steps[at];
    const all = count.reduce((a, b) => a + b, 0);
    const fates = ["kept", "finished", "given up"].map((fate) => [next.flat().filter((one) => one[3] === fate).length, fate]).filter(([n]) => n);
    fates.push([fates.reduce((left, [n]) => left - n, all), "dropped"]);
    status.textContent = `Step ${at + 1} of ${steps.length}, width ${run.width}: ${cw.count(kept.length, "text")} with ${cw.count(all, "continuation")}, ` +
      `${fates.map(([n, fate]) => `${n} ${fate}`).join(", ")}.${last() ? ` ${verdict()}` : ""}`;
    table.replaceChildren(head, ...kept.map((_, row) => group(row)));
    done.replaceChildren(cw.el("strong", {}, "Finished so far: "), finished().map((one) => `${say(one.words)} (${numbers(one)})`).join("; ") || "none");
    cw.turnOff(back, at === 0);
    cw.turnOff(forward, last());
    tree.redraw();
  };
  const go = (to) => {
    if (to < 0 || to >= steps.length) return;
    at = to;
    show();
  };

  const [width, widthLabel] = cw.select(`${id}-width`, "Width", widths, () => load());
  const [penalty, penaltyLabel] = cw.select(`${id}-penalty`, "Length penalty", penalties, () => load());
  const [back, forward] = [cw.button("Back", () => go(at - 1)), cw.button("Next step", () => go(at + 1))];
  const [status, done, table] = [cw.status(), cw.el("p", {}), cw.el("table", {})];
  const heads = ["Next word", "ln p", "ln q", "What becomes of it"].map((name, i) => cw.el("th", { scope: "col", class: i === 3 && "cw-said" }, name));
  const head = cw.el("thead", {}, cw.el("tr", {}, ...heads));
  const tree = cw.chart(`${id}-tree`, "The texts kept after each step", draw);
  live.append(
    cw.el("div", { class: "cw-controls" }, ...(widths.length > 1 ? [widthLabel] : []), ...(penalties.length > 1 ? [penaltyLabel] : []),
      back, forward, cw.button("Start again", () => go(0), { class: "cw-quiet" })),
    status, tree.host,
    cw.el("p", { class: "cw-caption" }, "Under each word stands ln q of the text up to there. Thick frame: finished, since it ended or has the greatest length. Dashed: no longer kept."),
    done, cw.el("div", { class: "cw-scroll", tabindex: 0, role: "region", "aria-label": "The continuations of this step" }, table));
  load();
};

/* A finite automaton on one clock: a symbol at each step, and beside it a round of joining neighbouring maps. */
courseWidgets.kinds.automaton_player = (live, data, id) => {
  "use strict";
  const cw = courseWidgets;
  const { states, symbols, start, accepting, maps, words } = data; // maps[symbol][state]: the state after it
  const spell = (list) => list.map((a) => symbols[a]).join(symbols.every((s) => s.length === 1) ? "" : " ");
  let symbolsRead, path, rounds, at; // path: every state passed through; rounds[r]: the maps made in round r

  const word = () => words[Number(which.value)];
  const last = () => at === word().length; // never fewer steps than rounds
  const done = () => Math.min(at, rounds.length - 1);
  /** The maps that are left after round r, each {from, to, map, parts}: it takes in the symbols from ... to. */
  const open = (r) => {
    let row = rounds[0];
    for (const made of rounds.slice(1, r + 1)) row = [...made, ...row.slice(2 * made.length)];
    return row;
  };
  const load = () => {
    path = [start];
    for (const a of word()) path.push(maps[a][path.at(-1)]);
    rounds = [word().map((a, t) => ({ from: t, to: t, map: maps[a], parts: [] }))];
    for (let row = rounds[0]; row.length > 1; row = open(rounds.length - 1)) {
      const made = [];
      for (let i = 0; i + 1 < row.length; i += 2) {
        const [a, b] = [row[i], row[i + 1]];
        made.push({ from: a.from, to: b.to, map: a.map.map((q) => b.map[q]), parts: [a, b] });
      }
      rounds.push(made);
    }
    go(0);
  };

  // ---- drawings: the symbols stand at the same places in both

  const layout = (width) => {
    const names = [...states, "round 4"].map((name) => cw.textWidth(name, 12));
    const left = Math.min(width * 0.28, Math.max(...names)) + 10;
    const slot = (width - left - 8) / word().length;
    const widest = Math.max(...word().map((a) => 1.12 * cw.textWidth(symbols[a]))); // room for the strong one
    const upright = widest > slot - 4; // long symbols on a narrow page are written upwards
    return { left, slot, upright, head: upright ? Math.min(90, widest) + 10 : 22, x: (t) => left + (t + 0.5) * slot };
  };
  const heads = (svg, { left, slot, upright, head, x }, reading) => word().forEach((a, t) => {
    if (t === reading) svg.append(cw.svg("rect", { x: left + t * slot + 1, y: 1, width: slot - 2, height: head - 2, class: "cw-outline" }));
    const place = upright ? { x: x(t) + 4, y: head - 6, transform: `rotate(-90 ${x(t) + 4} ${head - 6})` } : { x: x(t), y: 16, "text-anchor": "middle" };
    svg.append(cw.svg("text", { ...place, class: t === reading ? "cw-strong" : "" }, cw.shorten(symbols[a], upright ? 80 : slot)));
  });

  const drawRun = (svg, width) => {
    const place = layout(width);
    const [row, top] = [26, place.head + 4];
    const { left, slot } = place;
    const [x, y] = [(t) => left + t * slot, (q) => top + (q + 0.5) * row];
    const add = (tag, attributes, ...children) => svg.append(cw.svg(tag, attributes, ...children));
    states.forEach((name, q) => {
      add("line", { x1: left, x2: left + slot * word().length, y1: y(q), y2: y(q), class: "cw-grid" });
      add("text", { x: left - 12, y: y(q) + 4, "text-anchor": "end", class: `cw-small ${q === path[at] ? "cw-strong" : ""}` }, cw.shorten(name, left - 14, 12));
    });
    heads(svg, place, at - 1);
    add("path", { d: `M${path.slice(0, at + 1).map((q, t) => `${x(t)} ${y(q)}`).join("L")}`, class: "cw-line-1" });
    path.slice(0, at + 1).forEach((q, t) => add("circle", { cx: x(t), cy: y(q), r: t === at ? 6 : Math.min(4, slot / 4), class: "cw-fill-1" }));
    const told = path.slice(0, at + 1).map((q, t) => (t ? `${symbols[word()[t - 1]]} to ${states[q]}` : `From ${states[q]}`));
    return { height: top + row * states.length + 2, text: `The states passed through, one symbol at a time. ${told.join(", ")}.` };
  };

  const drawMaps = (svg, width) => {
    const place = layout(width);
    const { left, slot } = place;
    const [tall, top, gap] = [states.length * 9 + 7, place.head + 6, 22];
    const wide = Math.min(52, slot - 3);
    const middle = ({ from, to }) => (place.x(from) + place.x(to)) / 2;
    const level = new Map(rounds.flatMap((made, r) => made.map((one) => [one, top + r * (tall + gap)])));
    const add = (tag, attributes, ...children) => svg.append(cw.svg(tag, attributes, ...children));
    heads(svg, place, -1);
    rounds.slice(0, done() + 1).forEach((made, r) => {
      add("text", { x: 0, y: top + r * (tall + gap) + tall / 2 + 4, class: `cw-small ${r === done() ? "cw-strong" : ""}` }, r ? `round ${r}` : "maps");
      for (const one of made) {
        const [x, y] = [middle(one), level.get(one)];
        for (const part of one.parts)
          add("line", { x1: middle(part), y1: level.get(part) + tall, x2: x + (part === one.parts[0] ? -1 : 1) * Math.min(12, wide / 4), y2: y, class: "cw-cursor" });
        add("rect", { x: x - wide / 2, y, width: wide, height: tall, rx: 4, style: "fill: var(--cw-panel); stroke: var(--cw-line)" });
        const inset = Math.min(8, wide / 5);
        const order = one.map.map((_, q) => q).sort((a, b) => (a === start) - (b === start)); // the start's own wire on top
        for (const q of order) {
          const strong = one.from === 0 && q === start;
          const [x1, x2, y1, y2] = [x - wide / 2 + inset, x + wide / 2 - inset, y + 8 + 9 * q, y + 8 + 9 * one.map[q]];
          add("line", { x1, x2, y1, y2, style: `stroke: var(--cw-${strong ? 1 : 0}); stroke-width: ${strong ? 3 : 1.5}` });
          for (const [cx, cy] of [[x1, y1], [x2, y2]]) add("circle", { cx, cy, r: strong ? 3 : 2, class: `cw-fill-${strong ? 1 : 0}` });
        }
      }
    });
    const told = open(done()).map((one) => `${spell(word().slice(one.from, one.to + 1))}: ${arrows(one)}`);
    return { height: top + rounds.length * (tall + gap) - gap + 2, text: `The maps after ${cw.count(done(), "round")} of joining. ${told.join("; ")}.` };
  };

  // ---- words

  const arrows = ({ map }) => map.map((after, q) => `${states[q]} → ${states[after]}`).join(", ");
  const verdict = (q) => `${states[q]}${accepting.includes(true) ? `, ${accepting[q] ? "accepted" : "not accepted"}` : ""}`;
  const show = () => {
    const T = word().length;
    const R = rounds.length - 1;
    const maps = open(done());
    const readNow = at ? `“${spell(word().slice(0, at))}” is read, the state is ${at === T ? verdict(path[T]) : states[path[at]]}` : `nothing is read, the state is ${states[start]}`;
    const one = at === R && R < T ? `, ${cw.count(T - R, "step")} before the other run` : "";
    const joined = maps.length > 1 ? `${maps.length} maps are left` : `the map of the whole word takes ${states[start]} to ${verdict(path[T])}`;
    status.textContent = `Step ${at} of ${T}. One at a time: ${readNow}. Pair by pair, round ${done()} of ${R}: ${joined}${one}.`;
    body.replaceChildren(...maps.map((m) => cw.el("tr", {}, cw.el("th", { scope: "row" }, spell(word().slice(m.from, m.to + 1))),
      ...m.map.map((after, q) => cw.el("td", {}, m.from === 0 && q === start ? cw.el("strong", {}, states[after]) : states[after])))));
    cw.turnOff(back, at === 0);
    cw.turnOff(next, last());
    cw.turnOff(end, last());
    run.redraw();
    tree.redraw();
  };
  const go = (to) => {
    if (to < 0 || to > word().length) return;
    at = to;
    show();
  };

  const [which, whichLabel] = cw.select(`${id}-word`, "Word", words.map(spell), load);
  const [back, next, end] = [cw.button("Back", () => go(at - 1)), cw.button("Next step", () => go(at + 1)), cw.button("To the end", () => go(word().length))];
  const status = cw.status();
  const run = cw.chart(`${id}-run`, "One symbol at a time", drawRun);
  const tree = cw.chart(`${id}-maps`, "Pair by pair", drawMaps);
  const body = cw.el("tbody");
  const columns = ["Piece of the word", ...states.map((name) => `from ${name}`)].map((name) => cw.el("th", { scope: "col" }, name));
  live.append(
    cw.el("div", { class: "cw-controls" }, ...(words.length > 1 ? [whichLabel] : []), back, next, end, cw.button("Start again", () => go(0), { class: "cw-quiet" })),
    status,
    cw.el("p", { class: "cw-panel-title" }, "One symbol at a time"), run.host,
    cw.el("p", { class: "cw-panel-title" }, "Pair by pair"), tree.host,
    cw.el("p", { class: "cw-caption" }, `In each box wires lead from the states before (left, in the same order as above) to the states after. Thick: what becomes of ${states[start]}, where the word begins.`),
    cw.el("div", { class: "cw-scroll", tabindex: 0, role: "region", "aria-label": "The maps that are left" },
      cw.el("table", {}, cw.el("thead", {}, cw.el("tr", {}, ...columns)), body)));
  load();
};

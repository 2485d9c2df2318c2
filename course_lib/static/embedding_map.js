/* A map of words through training: pick a word and see its nearest, or ask which word completes an analogy. */
courseWidgets.kinds.embedding_map = (live, data, id) => {
  "use strict";
  const cw = courseWidgets;
  const { words, groups, member, steps, analogy, neighbours } = data; // points, unit vectors: thousandths by step, word after word
  const [V, D, last] = [words.length, data.vectors[0].length / words.length, steps.length - 1];
  const all = words.map((_, i) => i);
  let [picked, hovered, timer] = [analogy ? analogy[2] : 0, -1, null];
  let at = last; // a step; between two of them while the words move
  let spots = []; // where each word was drawn last

  // ---- the arithmetic, in all the dimensions ---------------------------------------------------------------------

  const step = () => Math.round(at);
  const vector = (i) => data.vectors[step()].slice(i * D, (i + 1) * D);
  const cosine = (u, v) => u.reduce((sum, x, j) => sum + x * v[j], 0) / (Math.hypot(...u) * Math.hypot(...v) || 1);
  /** [word number, cosine], the nearest first. */
  const nearest = (target, without) => all.filter((i) => !without.includes(i)).map((i) => [i, cosine(target, vector(i))])
    .sort((a, b) => b[1] - a[1]).slice(0, neighbours);
  const asked = () => Boolean(analogy) && view.value === "1";
  const triple = () => slots.map(([select]) => Number(select.value));
  const answers = () => {
    const [a, b, c] = triple();
    const [u, v, w] = [a, b, c].map((i) => vector(i).map((x) => x * data.lengths[step()][i]));
    return nearest(v.map((x, j) => x - u[j] + w[j]), [a, b, c]);
  };
  const found = () => (asked() ? answers() : nearest(vector(picked), [picked]));

  // ---- the map -------------------------------------------------------------------------------------------------------

  const flat = data.points.flat();
  const ends = [0, 1].map((axis) => flat.filter((_, j) => j % 2 === axis)).map((v) => [Math.min(...v), Math.max(...v)]);
  const point = (i, s) => data.points[s].slice(2 * i, 2 * i + 2);
  /** Where word i is now, in thousandths; between two steps on the straight line. */
  const now = (i) => {
    const [before, part] = [Math.floor(at), at % 1];
    return part ? point(i, before).map((v, j) => v + part * (point(i, before + 1)[j] - v)) : point(i, before);
  };

  const draw = (svg, width) => {
    const [side, edge] = [34, 20];
    const spread = ends.map(([low, high]) => high - low || 1);
    const height = Math.max(240, Math.min(460, ((width - 2 * side) * spread[1]) / spread[0] + 2 * edge));
    const scale = Math.min((width - 2 * side) / spread[0], (height - 2 * edge) / spread[1]);
    const middle = ends.map(([low, high]) => (low + high) / 2);
    const place = ([x, y]) => [width / 2 + scale * (x - middle[0]), height / 2 - scale * (y - middle[1])];
    const add = (tag, attributes, ...children) => svg.append(cw.svg(tag, attributes, ...children));
    const line = ([x1, y1], [x2, y2], attributes) => add("line", { x1, y1, x2, y2, ...attributes });
    spots = all.map((i) => place(now(i)));
    if (data.plane) { // here the angle at the origin is the one whose cosine counts
      const [x, y] = place([0, 0]);
      line([0, y], [width, y], { class: "cw-grid" });
      line([x, 0], [x, height], { class: "cw-grid" });
    }
    const close = found().map(([i]) => i);
    const centre = hovered >= 0 ? hovered : picked;
    let named = [...new Set([centre, picked, ...close])];
    if (asked()) {
      const [a, b, c] = triple().map((i) => spots[i]);
      const d = [b[0] - a[0] + c[0], b[1] - a[1] + c[1]];
      named = [...triple(), close[0], centre];
      for (const [from, to] of [[a, b], [c, d]]) line(from, to, { class: "cw-line-1" });
      for (const [from, to] of [[a, c], [b, d]]) line(from, to, { class: "cw-cursor", "stroke-dasharray": "3 3" });
      line(d, spots[close[0]], { class: "cw-reference" });
      add("circle", { cx: d[0], cy: d[1], r: 7, class: "cw-outline" });
    } else {
      const trail = data.points.slice(0, Math.floor(at) + 1).map((_, s) => place(point(picked, s)));
      add("path", { d: `M${[...trail, spots[picked]].map((p) => p.join(" ")).join("L")}`, class: "cw-line-4", "stroke-dasharray": "2 3" });
      close.forEach((i) => line(spots[picked], spots[i], { class: "cw-cursor" }));
      add("circle", { cx: spots[picked][0], cy: spots[picked][1], r: 9, class: "cw-outline" });
    }
    all.forEach((i) => add("path", { d: cw.shapes[groups.length ? member[i] : 3], transform: `translate(${spots[i]})`, class: `cw-fill-${member[i]}${named.includes(i) ? " cw-now" : ""}` }));
    const needed = asked() ? named : [centre, picked];
    label(svg, width, height, [...new Set([...named, ...all])], new Set(named), needed);
    const told = close.map((i) => `${words[i]} at ${spots[i].map(Math.round).join(", ")}`).join("; ");
    return { height, text: `A plane with ${cw.count(V, "word")} as points${steps.length > 1 ? `, at ${steps[step()]}` : ""}. ` +
      `In pixels from the top left corner: ${words[picked]} at ${spots[picked].map(Math.round).join(", ")}; ${told}.` };
  };
  /** Write the names in this order, each where it covers no other; those that find no room are left out, if not needed. */
  const label = (svg, width, height, order, strong, needed) => {
    const taken = [];
    for (const i of order) {
      const [[x, y], w] = [spots[i], cw.textWidth(words[i], 12) * (strong.has(i) ? 1.16 : 1)];
      const sides = [[x + 8, y - 7], [x - 8 - w, y - 7], [x - w / 2, y - 21], [x - w / 2, y + 7]];
      const corners = strong.has(i) ? [x + 5, x - 5 - w].flatMap((l) => [[l, y - 18], [l, y + 4]]) : [];
      const boxes = [...sides, ...corners].filter(([l, t]) => l >= 0 && l + w <= width && t >= 0 && t + 14 <= height);
      const legible = ([l, t]) => !taken.some(([l2, t2, w2]) => l < l2 + w2 + 3 && l2 < l + w + 3 && Math.abs(t - t2) < 13);
      const clear = ([l, t]) => !spots.some(([px, py], j) => j !== i && px > l - 4 && px < l + w + 4 && py > t - 3 && py < t + 17);
      const box = boxes.find((b) => legible(b) && clear(b)) ?? (strong.has(i) ? boxes.find(legible) : null) ?? (needed.includes(i) ? boxes[0] : null);
      if (!box) continue;
      taken.push([...box, w]);
      svg.append(cw.svg("text", { x: box[0], y: box[1] + 11, class: `cw-small cw-halo ${strong.has(i) ? "cw-strong" : ""}` }, words[i]));
    }
  };

  // ---- words and controls ------------------------------------------------------------------------------------------

  const say = () => {
    const [[best, cosine], ...others] = found();
    const when = steps.length > 1 ? `, ${steps[step()]}` : "";
    const [a, b, c] = asked() ? triple().map((i) => words[i]) : [];
    const question = asked() ? `“${a}” is to “${b}” as “${c}” is to “${words[best]}”` : `Nearest to “${words[picked]}” is “${words[best]}”`;
    return [`${question} (cosine ${cw.fixed(cosine, 2)}${when}).`, others.map(([i, value]) => ` ${words[i]} ${cw.fixed(value, 2)}`).join(",")];
  };
  const explain = () => {
    if (asked()) return `The ring is b − a + c on the map. The cosines are those with b − a + c in all ${D} dimensions; a, b and c are no answers.`;
    return data.plane ? "The cosine belongs to the angle between two words, seen from the origin, where the grey lines cross."
      : `The map has 2 dimensions; the cosines are those of all ${D} numbers of each word, so near on the map need not be near.`;
  };
  const redraw = () => {
    slider.value = step();
    slider.setAttribute("aria-valuetext", steps[step()]);
    here.textContent = steps[step()];
    play.textContent = timer ? "Pause" : calm.matches ? "Next step" : "Play";
    body.replaceChildren(...found().map(([i, c]) => cw.el("tr", {},
      cw.el("th", { scope: "row" }, asked() ? words[i] : cw.button(words[i], () => walk(i), { class: "cw-word" })),
      cw.el("td", { class: "cw-roomy" }, cw.el("span", { class: "cw-bar", style: `width:${100 * Math.max(0, c)}%` })), cw.el("td", {}, cw.fixed(c)))));
    map.redraw();
  };
  const show = () => {
    const [line, others] = say();
    if (status.textContent !== line + others) status.replaceChildren(line, cw.el("span", { class: "cw-unseen" }, others));
    for (const box of [wordLabel, hint]) box.hidden = asked();
    for (const [, box] of slots) box.hidden = !asked();
    head.textContent = asked() ? "Nearest to b − a + c" : `Nearest to “${words[picked]}”`;
    note.textContent = explain();
    redraw();
  };
  const pick = (i) => {
    picked = i;
    word.value = i;
    show();
  };
  const walk = (i) => {
    pick(i);
    word.focus(); // the button pressed is gone
  };
  const stop = () => {
    cancelAnimationFrame(timer);
    timer = null;
  };
  const go = (to) => {
    stop();
    at = to;
    show();
  };
  const toggle = () => {
    if (timer) return go(step());
    if (calm.matches) return go(at < last ? at + 1 : 0);
    if (at >= last) at = 0;
    let before = performance.now();
    const tick = (time) => {
      at += Math.max(0, time - before) / Math.max(250, Math.min(900, 8000 / last));
      before = time;
      if (at >= last || !live.isConnected) return go(last);
      timer = requestAnimationFrame(tick);
      redraw();
    };
    timer = requestAnimationFrame(tick);
    redraw(); // spoken at the end only
  };

  /** The word that lies next in the direction of an arrow key. */
  const beside = ([dx, dy]) => {
    const cost = (i) => {
      const [x, y] = [spots[i][0] - spots[picked][0], spots[i][1] - spots[picked][1]];
      const along = x * dx + y * dy;
      return along > 0.5 ? along + 2 * Math.abs(x * dy - y * dx) : Infinity;
    };
    const best = all.reduce((a, b) => (cost(b) < cost(a) ? b : a));
    return cost(best) < Infinity ? best : picked;
  };
  const keydown = (event) => {
    const way = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!way || asked()) return;
    event.preventDefault();
    pick(beside(way));
  };
  const under = (event) => {
    const box = map.host.getBoundingClientRect();
    const away = (i) => Math.hypot(spots[i][0] - event.clientX + box.left, spots[i][1] - event.clientY + box.top);
    const best = all.reduce((a, b) => (away(b) < away(a) ? b : a));
    return away(best) < 24 ? best : -1;
  };
  const hover = (i) => {
    if (i === hovered) return;
    hovered = i;
    map.redraw();
  };

  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  calm.addEventListener("change", () => redraw());
  const [view, viewLabel] = cw.select(`${id}-view`, "Show", ["nearest words", "an analogy"], () => show());
  const [word, wordLabel] = cw.select(`${id}-word`, "Word", words, () => pick(Number(word.value)));
  const slots = ["a", "is to b", "as c"].map((name, j) => cw.select(`${id}-${j}`, name, words, () => show()));
  analogy?.forEach((i, j) => (slots[j][0].value = i));
  const slider = cw.el("input", { type: "range", id: `${id}-step`, min: 0, max: last, step: 1, input: () => go(Number(slider.value)) });
  const [here, play] = [cw.el("strong"), cw.button("Play", toggle)];
  const map = cw.chart(`${id}-map`, data.title, draw);
  for (const [name, value] of Object.entries({ tabindex: 0, role: "application", "aria-label": "Map of the words: an arrow key picks the next word in its direction" })) map.host.setAttribute(name, value);
  map.host.addEventListener("keydown", keydown);
  map.host.addEventListener("pointermove", (event) => hover(under(event)));
  map.host.addEventListener("pointerleave", () => hover(-1));
  map.host.addEventListener("click", (event) => under(event) >= 0 && !asked() && pick(under(event)));
  const marker = (i) => cw.svg("svg", { width: 16, height: 14, viewBox: "-8 -7 16 14", "aria-hidden": "true" }, cw.svg("path", { d: cw.shapes[i], class: `cw-fill-${i}` }));
  const key = cw.el("p", { class: "cw-key" }, ...groups.map((name, i) => cw.el("span", { class: "cw-mark" }, marker(i), ` ${name}`)));
  const hint = cw.el("p", { class: "cw-caption" }, "Pick a word from the list or on the map, with the mouse or the arrow keys.");
  const status = cw.status();
  const [head, body, note] = [cw.el("th", { scope: "col" }), cw.el("tbody"), cw.el("p", { class: "cw-caption" })];
  live.append(
    cw.el("div", { class: "cw-controls" }, ...(analogy ? [viewLabel] : []), wordLabel, ...slots.map(([, label]) => label)),
    ...(last ? [cw.el("div", { class: "cw-controls" }, play, cw.el("label", { for: slider.id, class: "cw-wide" }, cw.el("span", {}, here), slider))] : []),
    status, map.host, ...(groups.length ? [key] : []), hint,
    cw.el("table", {}, cw.el("thead", {}, cw.el("tr", {}, head, cw.el("td", { class: "cw-roomy" }), cw.el("th", { scope: "col" }, "Cosine"))), body),
    note);
  word.value = picked;
  show();
};

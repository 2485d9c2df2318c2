/* The chain rule, one token at a time: the product of the probabilities, and the sum of their logarithms. */
courseWidgets.kinds.chain = (live, data, id) => {
  "use strict";
  const cw = courseWidgets;
  const { steps } = data; // each {prefix, context, token, p, shown: [[word, probability], ...], rest}
  let at = 0;

  const drawCandidates = (svg, width) => {
    const { shown, rest, token } = steps[at];
    const lines = rest[0] ? [...shown, [`other (${rest[0]})`, rest[1]]] : shown;
    const chosen = shown.findIndex(([word]) => word === token);
    const height = cw.bars(svg, width, lines, chosen);
    const words = lines.map(([w, p]) => `${w} ${cw.fixed(p)}`).join(", ");
    return { height, text: `Probabilities of the next token: ${words}. The text goes on with ${token}.` };
  };

  const show = () => {
    const { context, token, p } = steps[at];
    const done = steps.slice(0, at + 1);
    prefix.replaceChildren(...steps.slice(0, at).map((s) => cw.el("span", { class: "cw-chip" }, s.token)),
      cw.el("strong", { class: "cw-chip cw-chip-now" }, token), ...steps.slice(at + 1).map(() => cw.el("span", { class: "cw-chip cw-chip-later" }, "?")));
    formula.textContent = `p( ${token} | ${context || "nothing before it"} ) = ${cw.fixed(p, 4)}`;
    const logs = done.map((s) => Math.log(s.p));
    const sums = logs.map((_, i) => logs.slice(0, i + 1).reduce((a, b) => a + b, 0));
    body.replaceChildren(...done.map((s, i) => cw.el("tr", i === at ? { class: "cw-row-now" } : {},
      cw.el("th", { scope: "row" }, s.token),
      ...[cw.fixed(s.p, 4), cw.scientific(Math.exp(sums[i])), cw.fixed(logs[i]), cw.fixed(sums[i])].map((v, j) => cw.el("td", { class: j === 2 && "cw-roomy" }, v)))));
    status.textContent = `Token ${at + 1} of ${steps.length}, “${token}”: product ${cw.scientific(Math.exp(sums[at]))}, ` +
      `sum of logs ${cw.fixed(sums[at])} nats.`;
    cw.turnOff(back, at === 0);
    cw.turnOff(next, at === steps.length - 1);
    candidates.redraw();
  };
  const go = (to) => {
    if (to < 0 || to >= steps.length) return;
    at = to;
    show();
  };

  const [back, next] = [cw.button("Back", () => go(at - 1)), cw.button("Next token", () => go(at + 1))];
  const prefix = cw.el("p", { class: "cw-prefix" });
  const formula = cw.el("p", { class: "cw-formula" });
  const candidates = cw.chart(`${id}-next`, "Distribution of the next token", drawCandidates);
  const body = cw.el("tbody");
  const status = cw.status();
  const heads = ["Token", "p", "Product", "ln p", "Sum of ln p"];
  live.append(
    cw.el("div", { class: "cw-controls" }, back, next, cw.button("Start again", () => go(0), { class: "cw-quiet" })),
    prefix, formula, candidates.host, status,
    cw.el("div", { class: "cw-scroll", tabindex: 0, role: "region", "aria-label": "Running product and sum" },
      cw.el("table", {}, cw.el("thead", {}, cw.el("tr", {}, ...heads.map((h, j) => cw.el("th", { scope: "col", class: j === 3 && "cw-roomy" }, h)))), body)));
  show();
};

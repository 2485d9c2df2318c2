/* A recorded translation, step by step: what the decoder reads, its next-word probabilities, what it says. */
courseWidgets.kinds.decoding_player = (live, data, id) => {
  "use strict";
  const cw = courseWidgets;
  const { runs, source, reference } = data; // runs: [[name, [{input, chosen, shown: [[word, probability], ...]}, ...]], ...]
  let at = 0;
  const steps = () => runs[Number(run.value)][1];
  const known = (t) => t < reference.length;
  /** Is the word said at step t the right one? With no reference there is nothing to say. */
  const verdict = (t) => (!reference.length ? "" : known(t) && steps()[t].chosen === reference[t] ? "right" : "wrong");
  const misled = (t) => t > 0 && reference.length > 0 && steps()[t].input !== reference[t - 1];
  const mark = { "": "", right: " ✓", wrong: " ✗" };

  const draw = (svg, width) => {
    const { shown, chosen, input } = steps()[at];
    const height = cw.bars(svg, width, shown, shown.findIndex(([word]) => word === chosen));
    const words = shown.map(([w, p]) => `${w} ${cw.fixed(p)}`).join(", ");
    return { height, text: `After reading ${input}, the most probable next words: ${words}. The decoder says ${chosen}.` };
  };

  const say = () => {
    const { input, chosen, shown } = steps()[at];
    const p = cw.fixed(shown.find(([word]) => word === chosen)[1]);
    const judged = { "": "", right: ", which is right", wrong: known(at) ? `; right is “${reference[at]}”` : "; the sentence should have ended" }[verdict(at)];
    return `Step ${at + 1} of ${steps().length}, ${runs[Number(run.value)][0]}: reads “${input}”${misled(at) ? " (not the right word before)" : ""}, ` +
      `says “${chosen}” with probability ${p}${judged}.`;
  };
  const show = () => {
    const done = steps().slice(0, at + 1);
    output.replaceChildren(cw.el("span", {}, "Said so far:"), ...done.map((s, t) =>
      cw.el(t === at ? "strong" : "span", { class: `cw-chip ${t === at ? "cw-chip-now" : ""} ${verdict(t) === "wrong" ? "cw-chip-wrong" : ""}` }, s.chosen + mark[verdict(t)])));
    status.textContent = say();
    const wrong = done.filter((_, t) => verdict(t) === "wrong").length;
    tally.textContent = reference.length ? `${cw.count(wrong, "word")} of ${done.length} wrong so far.` : "";
    body.replaceChildren(...done.map((s, t) => cw.el("tr", t === at ? { class: "cw-row-now" } : {}, cw.el("th", { scope: "row" }, t + 1),
      ...[s.input + (misled(t) ? " ✗" : ""), s.chosen + mark[verdict(t)]].map((word) => cw.el("td", { class: "cw-said" }, word)),
      cw.el("td", { class: "cw-roomy" }, cw.fixed(s.shown.find(([word]) => word === s.chosen)[1])),
      reference.length ? cw.el("td", { class: "cw-said" }, reference[t] ?? "–") : null)));
    cw.turnOff(back, at === 0);
    cw.turnOff(next, at === steps().length - 1);
    chart.redraw();
  };
  const go = (to) => {
    if (to < 0 || to >= steps().length) return;
    at = to;
    show();
  };

  const [run, runLabel] = cw.select(`${id}-run`, "The decoder reads", runs.map(([name]) => name), () => {
    at = Math.min(at, steps().length - 1);
    show();
  });
  const [back, next] = [cw.button("Back", () => go(at - 1)), cw.button("Next word", () => go(at + 1))];
  const line = (name, words) => (words.length ? cw.el("p", {}, `${name} `, cw.el("strong", {}, words.join(" "))) : null);
  const output = cw.el("p", { class: "cw-prefix" });
  const [status, tally] = [cw.status(), cw.el("p", { class: "cw-caption" })];
  const chart = cw.chart(`${id}-next`, "The most probable next words", draw);
  const body = cw.el("tbody");
  const heads = ["Step", "Reads", "Says", "p", ...(reference.length ? ["Right"] : [])];
  live.append(
    ...[line("To translate:", source), line("Right:", reference)].filter(Boolean),
    cw.el("div", { class: "cw-controls" }, ...(runs.length > 1 ? [runLabel] : []), back, next, cw.button("Start again", () => go(0), { class: "cw-quiet" })),
    status, chart.host, output, tally,
    cw.el("div", { class: "cw-scroll", tabindex: 0, role: "region", "aria-label": "All steps so far" },
      cw.el("table", {}, cw.el("thead", {}, cw.el("tr", {}, ...heads.map((h) => cw.el("th", { scope: "col", class: { p: "cw-roomy" }[h] ?? (h !== "Step" && "cw-said") }, h)))), body)));
  show();
};

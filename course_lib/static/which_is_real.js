/* Two passages, one written by a person and one drawn from a model: the reader says which is which. */
courseWidgets.kinds.which_is_real = (live, data, id) => {
  "use strict";
  const cw = courseWidgets;
  let round, answers; // answers[i]: was round i right?

  const choose = (side) => {
    if (answers.length > round) return;
    const { first, source } = data.rounds[round];
    const right = (side === 0) === first;
    answers.push(right);
    cards.forEach((card, i) => {
      const real = (i === 0) === first;
      card.box.classList.add(real ? "cw-right" : "cw-fake");
      card.origin.textContent = real ? `Real: ${data.real_name}` : `Made up: ${source}`;
      cw.turnOff(card.button, true);
    });
    cw.turnOff(next, false);
    const [real, fake] = first ? "AB" : "BA";
    status.textContent = `${right ? "Right" : "Wrong"}. Passage ${real} is real (${data.real_name}), ` +
      `passage ${fake} was made up (${source}). ${score()}`;
  };
  const score = () => `Score: ${answers.filter(Boolean).length} of ${answers.length}.`;

  const ask = () => {
    const { real, fake, first } = data.rounds[round];
    cards.forEach((card, i) => {
      card.text.textContent = (i === 0) === first ? real : fake;
      card.origin.textContent = "";
      card.box.classList.remove("cw-right", "cw-fake");
      cw.turnOff(card.button, false);
    });
    cw.turnOff(next, true);
    next.textContent = round + 1 < data.rounds.length ? "Next round" : "Show the result";
    progress.textContent = `Round ${round + 1} of ${data.rounds.length}`;
    status.textContent = answers.length ? score() : "Choose a passage.";
  };
  const advance = () => {
    if (cw.isOff(next)) return;
    round += 1;
    if (round === data.rounds.length) return finish();
    ask();
    progress.focus(); // the new passages come next in reading order
  };

  const finish = () => {
    const sources = [...new Set(data.rounds.map((r) => r.source))].sort(new Intl.Collator("en", { numeric: true }).compare);
    const rows = sources.map((source) => {
      const mine = answers.filter((_, i) => data.rounds[i].source === source);
      return [source, mine.filter(Boolean).length, mine.length];
    });
    progress.textContent = "The result";
    status.textContent = `${score()} By source: ${rows.map(([s, r, n]) => `${s} ${r} of ${n}`).join(", ")}.`;
    result.replaceChildren(
      cw.el("thead", {}, cw.el("tr", {}, ...["Made up by", "Right", "Rounds"].map((h) => cw.el("th", { scope: "col" }, h)))),
      cw.el("tbody", {}, ...rows.map(([source, r, n]) => cw.el("tr", {}, cw.el("th", { scope: "row" }, source), cw.el("td", {}, r), cw.el("td", {}, n)))));
    [pair.hidden, next.hidden, result.hidden, again.hidden] = [true, true, false, false];
    progress.focus();
  };
  const begin = () => {
    [round, answers] = [0, []];
    [pair.hidden, next.hidden, result.hidden, again.hidden] = [false, false, true, true];
    ask();
  };

  const cards = ["A", "B"].map((letter, side) => {
    const text = cw.el("blockquote", { id: `${id}-${letter}` });
    const origin = cw.el("p", { class: "cw-origin" });
    const button = cw.button(`Passage ${letter} is real`, () => choose(side), { "aria-describedby": text.id });
    const box = cw.el("div", { class: "cw-panel cw-card" }, cw.el("p", { class: "cw-panel-title" }, `Passage ${letter}`), text, button, origin);
    return { text, origin, button, box };
  });
  const progress = cw.el("p", { class: "cw-progress", tabindex: -1 });
  const pair = cw.el("div", { class: "cw-panels" }, ...cards.map((card) => card.box));
  const result = cw.el("table");
  const status = cw.status();
  const next = cw.button("Next round", advance);
  const again = cw.button("Play again", () => { begin(); progress.focus(); });
  live.append(cw.el("p", { class: "cw-question" }, data.question), progress, pair, result, status,
    cw.el("div", { class: "cw-controls" }, next, again));
  begin();
};

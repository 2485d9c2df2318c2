/* The counts behind an n-gram prediction: what came after a context, how often, and where. */
courseWidgets.kinds.context_explorer = (live, data, id) => {
  "use strict";
  const cw = courseWidgets;
  const { vocabulary, ids, marks } = data; // ids: <bos> w1 ... wT <eos>, sentence after sentence
  const number = new Map(vocabulary.map((word, i) => [word, i]));
  const [BOS, EOS] = marks.map((mark) => number.get(mark));
  const words = ids.filter((i) => i !== BOS && i !== EOS).length;
  const quote = (tokens) => (tokens.length ? `“${tokens.join(" ")}”` : "the empty context");

  // ---- counting ------------------------------------------------------------------------------------------------

  /** Positions that follow the context; a sentence start is never predicted. */
  const positionsAfter = (context) => {
    const wanted = context.map((word) => number.get(word));
    const found = [];
    if (wanted.includes(undefined)) return found;
    for (let t = wanted.length; t < ids.length; t++)
      if (ids[t] !== BOS && wanted.every((w, j) => ids[t - wanted.length + j] === w)) found.push(t);
    return found;
  };
  /** [word, its positions], the most frequent first. */
  const nextWords = (positions) => {
    const groups = new Map();
    for (const t of positions) groups.has(ids[t]) ? groups.get(ids[t]).push(t) : groups.set(ids[t], [t]);
    return [...groups].map(([w, at]) => [vocabulary[w], at]).sort((a, b) => b[1].length - a[1].length || (a[0] < b[0] ? -1 : 1));
  };
  const commonContexts = (length) => {
    const counts = new Map();
    for (let t = length; t < ids.length; t++) {
      const before = ids.slice(t - length, t);
      if (ids[t] === BOS || before.includes(EOS) || before.indexOf(BOS) > 0) continue;
      const key = before.map((w) => vocabulary[w]).join(" ");
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    return [...counts].sort((a, b) => b[1] - a[1]).slice(0, 60).map(([key]) => key);
  };
  /** Words of the text as the reader typed them: the text's own spelling where only the case differs. */
  const read = (typed) => {
    const known = (w) => [w, w.toLowerCase(), w.charAt(0).toUpperCase() + w.slice(1)].find((form) => number.has(form));
    return (typed.trim() ? typed.trim().split(/\s+/) : []).flatMap((chunk) =>
      known(chunk) ?? (chunk.match(/[\p{L}\p{N}'’-]+|[^\s\p{L}\p{N}'’-]/gu) ?? []).map((w) => known(w) ?? w));
  };

  // ---- showing -------------------------------------------------------------------------------------------------

  const occurrence = (t, length) => {
    let [from, to] = [t - length, t + 1];
    while (from > 0 && t - length - from < 6 && ids[from] !== BOS) from--;
    while (to < ids.length && to - t < 6 && ids[to - 1] !== EOS) to++;
    const say = (a, b) => ids.slice(a, b).map((w) => vocabulary[w]).join(" ");
    const context = length ? [cw.el("mark", {}, say(t - length, t)), " "] : [];
    return cw.el("li", {}, `${ids[from] === BOS ? "" : "… "}${say(from, t - length)} `, ...context,
      cw.el("mark", { class: "cw-next" }, vocabulary[ids[t]]), ` ${say(t + 1, to)}${ids[to - 1] === EOS ? "" : " …"}`);
  };

  /** One context: its table of next words, and places in the text for the word picked. */
  const panel = (context) => {
    const positions = positionsAfter(context);
    const found = nextWords(positions);
    const [places, list] = [cw.el("p", { class: "cw-caption" }), cw.el("ul", { class: "cw-places" })];
    const walk = cw.button("", () => ask([...context, picked].join(" ")), { class: "cw-quiet" });
    let picked;
    const pick = (word, at, buttons) => {
      picked = word;
      buttons?.forEach((b) => b.setAttribute("aria-pressed", String(b.textContent === word)));
      places.textContent = `In the text, ${Math.min(3, at.length)} of ${at.length}:`;
      list.replaceChildren(...at.slice(0, 3).map((t) => occurrence(t, context.length)));
      walk.textContent = `Go on with “${word}”`;
      walk.hidden = word === marks[1];
    };
    const shown = found.slice(0, 8);
    const buttons = shown.map(([word, at]) => cw.button(word, () => pick(word, at, buttons), { class: "cw-word" }));
    const share = (n) => cw.fixed(n / positions.length);
    const rows = shown.map(([, at], i) => cw.el("tr", {}, cw.el("th", { scope: "row" }, buttons[i]),
      cw.el("td", { class: "cw-roomy" }, cw.el("span", { class: "cw-bar", style: `width:${(100 * at.length) / shown[0][1].length}%` })),
      cw.el("td", {}, `${at.length}/${positions.length}`), cw.el("td", {}, share(at.length))));
    const rest = found.slice(8).reduce((sum, [, at]) => sum + at.length, 0);
    if (rest) rows.push(cw.el("tr", {}, cw.el("th", { scope: "row", class: "cw-count" }, cw.count(found.length - 8, "other word")), cw.el("td", { class: "cw-roomy" }),
      cw.el("td", {}, `${rest}/${positions.length}`), cw.el("td", {}, share(rest))));
    const heads = ["Next word", "", "Count", "p"].map((h) => (h ? cw.el("th", { scope: "col" }, h) : cw.el("td", { class: "cw-roomy" })));
    pick(...found[0], buttons);
    return cw.el("div", { class: "cw-panel" },
      cw.el("p", { class: "cw-panel-title" }, `After ${quote(context)}: ${cw.count(positions.length, "time")}`),
      cw.el("table", {}, cw.el("thead", {}, cw.el("tr", {}, ...heads)), cw.el("tbody", {}, ...rows)),
      places, list, walk);
  };

  const neverSeen = (context) => {
    const stranger = context.find((word) => !number.has(word));
    const why = stranger ? `“${stranger}” is not a word of this text.` : "Each word occurs, but never in this order.";
    return cw.el("div", { class: "cw-panel" }, cw.el("p", { class: "cw-panel-title" }, `After ${quote(context)}: never seen`),
      cw.el("p", {}, `${why} A ratio of counts would be 0/0: the count model has no answer. ` +
        "Back-off drops the word furthest away and asks again."));
  };

  const update = () => {
    const typed = read(input.value);
    const length = Number(select.value);
    const context = length ? typed.slice(-length) : [];
    let shorter = context;
    while (shorter.length && !positionsAfter(shorter).length) shorter = shorter.slice(1);
    const seen = shorter.length === context.length;
    panels.replaceChildren(...(seen ? [panel(context)] : [neverSeen(context), panel(shorter)]));
    const top = nextWords(positionsAfter(shorter))[0][0];
    const few = typed.length < length ? ` (${typed.length} of ${length} given)` : "";
    status.textContent = seen ? `${quote(context)}${few} was seen; most often “${top}” follows.`
      : `${quote(context)}${few} was never seen; ${quote(shorter)} was, and most often “${top}” follows.`;
    options.replaceChildren(...commonContexts(length).map((value) => cw.el("option", { value })));
  };
  const ask = (text) => {
    input.value = text;
    update();
  };

  const options = cw.el("datalist", { id: `${id}-options` });
  const input = cw.el("input", { type: "text", id: `${id}-context`, list: options.id, autocomplete: "off", autocapitalize: "off", spellcheck: "false", change: () => update() });
  const select = cw.el("select", { id: `${id}-length`, change: () => update() },
    ...[0, 1, 2, 3, 4].map((k) => cw.el("option", { value: k, selected: k === data.order - 1 }, `${k} (${k + 1}-gram)`)));
  const panels = cw.el("div", { class: "cw-panels" });
  const status = cw.status();
  live.append(
    cw.el("form", { class: "cw-controls", submit: (event) => { event.preventDefault(); update(); } },
      cw.el("label", { for: input.id, class: "cw-wide" }, "Context ", input), options,
      cw.el("label", { for: select.id }, "Words used ", select), cw.el("button", { type: "submit" }, "Look up")),
    cw.el("div", { class: "cw-controls" }, cw.el("span", {}, "Try:"), ...data.examples.map((text) => cw.button(text || "nothing", () => ask(text), { class: "cw-quiet" }))),
    status, panels,
    cw.el("p", { class: "cw-caption" }, `Counted over ${cw.count(words, "word")}; ${marks[0]} starts a sentence, ${marks[1]} ends it.`));
  ask(data.examples[0]);
};

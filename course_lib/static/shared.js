/* Shared by the book's interactive figures: starting them, building HTML and SVG, numbers, seeded draws. */
(() => {
  "use strict";
  const cw = (window.courseWidgets ??= { kinds: {}, made: 0 });
  const SVG = "http://www.w3.org/2000/svg";

  const build = (node, attributes, children) => {
    for (const [name, value] of Object.entries(attributes)) {
      if (typeof value === "function") node.addEventListener(name, value);
      else if (value !== false && value != null) node.setAttribute(name, value === true ? "" : value);
    }
    node.append(...children.filter((child) => child != null));
    return node;
  };

  /** el("button", {class: "x", click: f}, "text", child): an HTML element; a function becomes a listener. */
  cw.el = (tag, attributes = {}, ...children) => build(document.createElement(tag), attributes, children);
  /** The same for SVG. */
  cw.svg = (tag, attributes = {}, ...children) => build(document.createElementNS(SVG, tag), attributes, children);
  cw.button = (label, action, attributes = {}) => cw.el("button", { type: "button", click: action, ...attributes }, label);
  /** A line that screen readers speak whenever its text changes. */
  cw.status = () => cw.el("p", { class: "cw-status", role: "status", "aria-live": "polite" });

  /** A button that is off keeps the focus, so that a keyboard user does not lose her place. */
  cw.turnOff = (button, off) => button.setAttribute("aria-disabled", String(off));
  cw.isOff = (button) => button.getAttribute("aria-disabled") === "true";

  /** A number with a true minus sign and a fixed count of decimals. */
  cw.fixed = (x, decimals = 3) => x.toFixed(decimals).replace(/^-(?=0\.?0*$)/, "").replace("-", "−");
  /** Scientific notation for a reader: 3.1 × 10⁻⁷. */
  cw.scientific = (x, decimals = 2) => {
    if (x === 0) return "0 (underflow)"; // a product below 5e-324 is lost; its logarithm is not
    const [mantissa, exponent] = x.toExponential(decimals).split("e");
    const raised = exponent.replace("+", "").replace(/./g, (c) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[c] ?? "⁻");
    return `${mantissa.replace("-", "−")} × 10${raised}`;
  };
  cw.count = (n, noun, plural = `${noun}s`) => `${n.toLocaleString("en-GB")} ${n === 1 ? noun : plural}`;

  const canvas = document.createElement("canvas").getContext("2d");
  /** Width in pixels of a label in the font of the figures. */
  cw.textWidth = (text, size = 13) => {
    canvas.font = `${size}px system-ui, sans-serif`;
    return canvas.measureText(text).width;
  };
  cw.shorten = (text, room, size = 13) => {
    if (cw.textWidth(text, size) <= room) return text;
    let kept = text;
    while (kept && cw.textWidth(`${kept}…`, size) > room) kept = kept.slice(0, -1);
    return `${kept}…`;
  };

  /** Marks around 0 0 that can be told apart without their colours. */
  cw.shapes = ["M-4,-4H4V4H-4Z", "M0,-5L5,4H-5Z", "M0,-5.5L5.5,0L0,5.5L-5.5,0Z", "M-4.5,0A4.5,4.5 0 1 0 4.5,0A4.5,4.5 0 1 0 -4.5,0Z", "M-5,-4H5L0,5Z"];

  /** [select, its label]: a choice of one of these names; its value is the number of the name. */
  cw.select = (id, label, names, change) => {
    const select = cw.el("select", { id, change, style: "min-width: 0" }, ...names.map((name, i) => cw.el("option", { value: i }, name)));
    return [select, cw.el("label", { for: id, style: "max-width: 100%" }, `${label} `, select)];
  };

  /** Words in a row, one of them chosen: Tab leads to it, the arrow keys, Home and End move on. fill(words, at) sets them. */
  cw.picker = (label, pick) => {
    let buttons = [];
    const mark = (at) => buttons.forEach((b, i) => build(b, { "aria-checked": String(i === at), tabindex: i === at ? 0 : -1 }, []));
    const choose = (at) => {
      mark(at);
      buttons[at].focus();
      pick(at);
    };
    const keydown = (event) => {
      const [at, n] = [buttons.indexOf(event.target), buttons.length];
      const to = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: n - 1 }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      choose((to + n) % n);
    };
    const host = cw.el("div", { role: "radiogroup", "aria-label": label, class: "cw-tokens", keydown });
    const fill = (words, at) => {
      buttons = words.map((word, i) => cw.button(word, () => choose(i), { role: "radio", class: "cw-token" }));
      host.replaceChildren(...buttons);
      mark(at);
    };
    return { host, fill, mark };
  };

  /** Draw [word, probability] as bars, one of the words strong; their height. */
  cw.bars = (svg, width, lines, strong) => {
    const left = Math.min(width * 0.36, Math.max(...lines.map(([w]) => cw.textWidth(w))) + 12);
    const scale = (width - left - 58) / Math.max(...lines.map(([, p]) => p));
    lines.forEach(([word, p], i) => {
      const [y, chosen] = [i * 26, i === strong];
      svg.append(cw.svg("text", { x: left - 8, y: y + 17, "text-anchor": "end", class: chosen ? "cw-strong" : "" }, cw.shorten(word, left - 10)));
      svg.append(cw.svg("rect", { x: left, y: y + 4, height: 18, width: Math.max(1, p * scale), class: chosen ? "cw-fill-1" : "cw-fill-0" }));
      svg.append(cw.svg("text", { x: left + p * scale + 6, y: y + 17, class: chosen ? "cw-strong" : "" }, cw.fixed(p)));
    });
    return lines.length * 26;
  };

  /** About `wanted` round numbers from low to high. */
  cw.ticks = (low, high, wanted = 4) => {
    const rough = (high - low) / wanted || 1;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = power * [1, 2, 5, 10].find((m) => m * power >= rough * 0.999);
    const found = [];
    for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++) found.push(i * step);
    return found;
  };
  /** A tick without needless zeros. */
  cw.tick = (x) => String(Number(x.toPrecision(6))).replace("-", "−");

  /**
   * A drawing that is redrawn at the true width of its place, so that its text never shrinks.
   * draw(svg, width) fills it and returns {height, text}: its height, and its content in words.
   */
  cw.chart = (id, title, draw) => {
    const heading = cw.svg("title", { id: `${id}-title` }, title);
    const words = cw.svg("desc", { id: `${id}-desc` });
    const svg = cw.svg("svg", { role: "img", "aria-labelledby": `${id}-title ${id}-desc` });
    const host = cw.el("div", { class: "cw-chart" }, svg);
    let width = 0;
    const redraw = () => {
      if (!width) return;
      svg.replaceChildren(heading, words);
      const { height, text } = draw(svg, width);
      words.textContent = text;
      build(svg, { width, height, viewBox: `0 0 ${width} ${height}` }, []);
    };
    new ResizeObserver(([entry]) => {
      const wanted = Math.floor(entry.contentRect.width);
      if (wanted === width) return;
      width = wanted;
      requestAnimationFrame(redraw);
    }).observe(host);
    return { host, redraw };
  };

  /** Uniform numbers in [0, 1) from a 32-bit seed (mulberry32, by Tommy Ettinger). */
  cw.generator = (seed) => () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };

  /** Start the figures with this id that are on the page and not yet running. */
  cw.start = (id) => {
    for (const root of document.querySelectorAll(`[data-course-widget="${id}"]:not([data-ready])`)) {
      const data = JSON.parse(root.querySelector("script[type='application/json']").textContent);
      const live = cw.el("div", { class: "cw-live" });
      root.querySelector(".cw-static").before(live);
      // in JupyterLab a key pressed here must not move the selection or delete a cell as well
      live.addEventListener("focusin", (event) => event.target.setAttribute("data-lm-suppress-shortcuts", "true"));
      cw.kinds[root.dataset.kind](live, data, `${id}-${++cw.made}`);
      root.dataset.ready = "";
    }
  };
})();

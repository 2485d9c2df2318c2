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

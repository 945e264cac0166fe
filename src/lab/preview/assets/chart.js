// One chart on the page. In: options for the chart library, a legend, a text that says the same. Out: an element, drawn when it has a
// size, drawn again when that changes. What always holds: it is one picture with a name for screen readers; tooltips are elements
// made of text, never HTML.

import * as echarts from "./vendor/echarts-6.1.0.esm.min.mjs";
import { make } from "./dom.js";
import { base } from "./palette.js";

/** What a tooltip holds: a title and rows of {colour, name, value}. */
export function tip(title, rows) {
  const lines = rows.map(({ colour, name, value }) =>
    make(
      "div",
      { class: "tip-row" },
      make("span", { class: "swatch", css: { "--colour": colour } }),
      make("span", { class: "tip-name" }, name),
      make("strong", {}, value),
    ),
  );
  return make("div", { class: "tip" }, title ? make("div", { class: "tip-title" }, title) : null, lines);
}

/** Buttons that show and hide series: [{name, colour, value, striped}]. */
function legendOf(entries, instance) {
  const hidden = new Set();
  const button = ({ name, colour, value, striped, dashed }) => {
    const element = make(
      "button",
      { type: "button", class: "legend-entry", "aria-pressed": "true", title: name },
      make("span", { class: `swatch${striped ? " striped" : ""}${dashed ? " dashed" : ""}`, css: { "--colour": colour } }),
      make("span", { class: "legend-name" }, name),
      value ? make("span", { class: "legend-value" }, value) : null,
    );
    element.addEventListener("click", () => {
      hidden.has(name) ? hidden.delete(name) : hidden.add(name);
      element.setAttribute("aria-pressed", String(!hidden.has(name)));
      instance()?.dispatchAction({ type: "legendToggleSelect", name });
    });
    return element;
  };
  return entries.map(button);
}

/**
 * `option(width, height)` gives the library's options. `legend`: entries, `side`: beside the chart. `least`: height below which it
 * scrolls. `onClick` gets what was clicked.
 */
export function chart({ option, label, legend = [], side = false, least = 0, onClick = null, centre = null }) {
  let instance = null;
  const canvas = make("div", { class: "chart-canvas", role: "img", "aria-label": label, tabindex: "0" });
  if (least) canvas.style.setProperty("min-height", `${least}px`);
  const scroller = make("div", { class: "chart-scroll" }, canvas);
  const legendElement = legend.length
    ? make(
        "div",
        { class: `legend${side ? " legend-side" : ""}` },
        legendOf(legend, () => instance),
      )
    : null;
  const element = make("div", { class: `chart${side ? " chart-side" : ""}` }, scroller, legendElement);
  if (centre) scroller.append(centre);

  const draw = () => {
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (width < 10 || height < 10) return;
    if (!instance) {
      instance = echarts.init(canvas, null, { renderer: "canvas", width, height });
      if (onClick) instance.on("click", onClick);
    } else instance.resize({ width, height });
    const common = base();
    const own = option(width, height);
    instance.setOption(
      {
        ...common,
        ...own,
        tooltip: { ...common.tooltip, ...own.tooltip },
        legend: { show: false, data: legend.map((entry) => entry.name) },
      },
      { notMerge: true },
    );
  };
  const observer = new ResizeObserver(() => draw());
  observer.observe(canvas);
  element.dispose = () => {
    observer.disconnect();
    instance?.dispose();
    instance = null;
  };
  return element;
}

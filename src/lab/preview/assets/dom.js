// Elements from a description. In: tag, properties, children. Out: an element.
// Text is always set as text: nothing from an answer is ever read as HTML.

const SVG = "http://www.w3.org/2000/svg";

/** `make("button", {class: "a", on: {click}}, "text", child)`; a property that is null or false is left out. */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "on") for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    else if (name === "class") element.className = value;
    else if (name === "data") Object.assign(element.dataset, value);
    else if (name === "css") for (const [key, text] of Object.entries(value)) element.style.setProperty(key, text);
    else if (name in element && typeof value !== "string") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Replaces everything in an element. */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

// Paths of 16 by 16; drawn with the colour of the text around them.
const ICONS = {
  more: "M8 3.2v.1M8 8v.1M8 12.8v.1",
  close: "M4 4l8 8M12 4l-8 8",
  down: "M4 6l4 4 4-4",
  up: "M4 10l4-4 4 4",
  clock: "M8 14A6 6 0 108 2a6 6 0 000 12zM8 5v3l2 2",
  sun: "M8 11a3 3 0 100-6 3 3 0 000 6zM8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1 1M12 12l1 1M3 13l1-1M12 4l1-1",
  moon: "M13.5 9.5A6 6 0 016.5 2.5 6 6 0 1013.5 9.5z",
  refresh: "M13 8a5 5 0 11-1.6-3.700M13 2v3h-3",
  success: "M3 8.5l3.200 3.200L13 4.800",
  warning: "M8 2L1.5 13.5h13zM8 6.5v3M8 11.5v.1",
  critical: "M8 14A6 6 0 108 2a6 6 0 000 12zM8 5v3.5M8 10.900v.1",
  unavailable: "M8 14A6 6 0 108 2a6 6 0 000 12zM5 8h6",
  filter: "M2 3h12L9.5 8.5V13l-3-1.5v-3z",
  table: "M2 3h12v10H2zM2 6.5h12M6 3v10",
  chart: "M2 13h12M4 13V8M8 13V4M12 13V6.5",
  code: "M5.5 4.5L2 8l3.5 3.5M10.5 4.5L14 8l-3.5 3.5",
  copy: "M5 5h8v8H5zM3 11V3h8",
};

/** A small drawing that says nothing by itself: screen readers skip it. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", `icon icon-${name}`);
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

/** Tells screen readers something that is seen elsewhere. */
export function announce(text) {
  document.getElementById("announce").textContent = text;
}

/**
 * A button that opens something below it. Escape, a click elsewhere and leaving it by Tab close it; Escape gives the focus back.
 * `content(close)` makes what is inside, each time it opens.
 */
export function popover(button, content, { align = "start" } = {}) {
  const holder = make("div", { class: "popover-holder" }, button);
  let panel = null;
  const close = (focus) => {
    if (!panel) return;
    panel.remove();
    panel = null;
    button.setAttribute("aria-expanded", "false");
    document.removeEventListener("pointerdown", outside, true);
    if (focus) button.focus();
  };
  const outside = (event) => {
    if (!holder.contains(event.target)) close(false);
  };
  button.setAttribute("aria-expanded", "false");
  button.addEventListener("click", () => {
    if (panel) return close(true);
    panel = make("div", { class: `popover popover-${align}` });
    panel.append(content(() => close(true)));
    holder.append(panel);
    button.setAttribute("aria-expanded", "true");
    document.addEventListener("pointerdown", outside, true);
    panel.querySelector("[autofocus], button, input, select")?.focus();
  });
  holder.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && panel) {
      event.stopPropagation();
      close(true);
    }
  });
  holder.addEventListener("focusout", (event) => {
    if (event.relatedTarget && !holder.contains(event.relatedTarget)) close(false);
  });
  return holder;
}

// The incidents of a condition along the shown time. In: spans [opened, closed or null, priority]. Out: a small drawing with a name.

import { say } from "../texts.js";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 400;
const HEIGHT = 14;

/** Even the shortest can be seen. */
const LEAST = 2.5;

export function strip({ spans, critical, warning, forgotten }, { since, until }) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("class", "strip");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", say("incidentCount", critical, warning + (forgotten ?? 0)));
  const place = (ms) => (Math.min(Math.max(ms, since), until) - since) * (WIDTH / (until - since));
  const bar = (x, width, y, height, name) => {
    const rect = document.createElementNS(SVG, "rect");
    for (const [key, value] of Object.entries({ x, y, width, height, class: name })) rect.setAttribute(key, String(value));
    svg.append(rect);
  };
  bar(0, WIDTH, HEIGHT - 1, 1, "strip-ground");
  // What is critical lies above.
  const ordered = [...spans].sort((a, b) => (a[2] === b[2] ? 0 : a[2] === "CRITICAL" ? 1 : -1));
  for (const [opened, closed, priority] of ordered) {
    const begin = Math.min(place(opened), WIDTH - LEAST);
    const width = Math.max(place(closed ?? until) - begin, LEAST);
    bar(begin, width, priority === "CRITICAL" ? 0 : 4, priority === "CRITICAL" ? 13 : 9, `strip-${priority.toLowerCase()}`);
  }
  return svg;
}

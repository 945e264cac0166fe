// Which drawing belongs to which visualization of New Relic. In: a frame, a widget. Out: an element, and what it says in words.

import { barChart, barsOf, bulletChart, funnelChart, stepsOf } from "./draw/bar.js";
import { billboard } from "./draw/billboard.js";
import { cellsOf, heatmapChart, histogramChart, histogramTable } from "./draw/heat.js";
import { json, log } from "./draw/log.js";
import { pieChart } from "./draw/pie.js";
import { table } from "./draw/table.js";
import { timeChart } from "./draw/time.js";
import { numeric, seriesOf } from "./frame.js";
import { exact, unitOf, withUnit } from "./number.js";
import { say } from "./texts.js";

/** A frame as `table` takes it, of names and counts made up by a chart. */
const asFrame = (facet, value, rows) => ({
  facets: [facet],
  values: [value],
  groups: rows.map(([key, count]) => ({ keys: [key], label: key, comparison: null, values: { [value]: count }, points: [] })),
  timed: false,
  compared: false,
  attributes: [],
});

const ofHistogram = (frame) => {
  const { names, groups } = histogramTable(frame);
  return asFrame(
    say("bucket"),
    say("value"),
    groups.flatMap((group) =>
      group.counts.map((count, at) => [groups.length > 1 ? `${group.label} · ${names[at]}` : names[at], count]),
    ),
  );
};

const VIEWS = {
  "viz.line": { kind: "line", draw: (frame, configuration, label) => timeChart(frame, configuration, "line", label) },
  "viz.area": { kind: "area", draw: (frame, configuration, label) => timeChart(frame, configuration, "area", label) },
  "viz.stacked-bar": {
    kind: "stackedBar",
    draw: (frame, configuration, label) => timeChart(frame, configuration, "stackedBar", label),
  },
  "viz.bar": { kind: "bar", draw: (frame, configuration, label, { onGroup }) => barChart(frame, configuration, label, onGroup) },
  "viz.pie": { kind: "pie", draw: (frame, configuration, label, { onGroup }) => pieChart(frame, configuration, label, onGroup) },
  "viz.heatmap": { kind: "heatmap", draw: heatmapChart },
  "viz.histogram": { kind: "histogram", draw: histogramChart, table: ofHistogram },
  "viz.funnel": {
    kind: "funnel",
    draw: funnelChart,
    table: (frame) =>
      asFrame(
        say("group"),
        say("value"),
        stepsOf(frame).map((step) => [step.name, step.value]),
      ),
  },
  "viz.bullet": { kind: "bullet", draw: bulletChart },
  "viz.billboard": { draw: (frame, configuration, _, { now }) => billboard(frame, configuration, now) },
  "viz.table": {
    draw: (frame, configuration, label, { now, onFilter }) => table(frame, configuration, { now, label, onFilter }),
  },
  "logger.log-table-widget": { draw: (frame, _, label) => log(frame, label) },
  "viz.event-feed": { draw: (frame, _, label) => log(frame, label) },
  "viz.json": {
    draw: (_, __, ___, { answers }) => json(answers.length === 1 ? answers[0].results : answers.map((answer) => answer.results)),
  },
};

/** The view of a visualization, as its id in a dashboard says; null: not one of New Relic's own that is drawn here. */
export function viewOf(id) {
  return VIEWS[id] ?? null;
}

/** Charts have a table that says the same; tables and numbers need none. */
export const hasTable = (view) => Boolean(view?.kind);

export function tableBehind(view, frame, label, now) {
  return table(view.table ? view.table(frame) : frame, {}, { now, label, bare: true });
}

/** What a chart says, for who does not see it: kind, size, highest value. */
export function summary(view, frame, title, configuration) {
  const kind = say("kinds")[view.kind];
  const points = [];
  if (frame.timed && view.kind !== "heatmap") {
    for (const series of seriesOf(frame))
      for (const point of series.group.points) points.push([series.name, point.values[series.column]]);
  } else if (view.kind === "heatmap") {
    const { columns, rows, cells } = cellsOf(frame);
    for (const [column, row, value] of cells) points.push([`${rows[row]} ${columns[column]}`, value]);
  } else if (view.kind === "histogram") {
    const { names, groups } = histogramTable(frame);
    for (const group of groups) group.counts.forEach((count, at) => points.push([names[at], count]));
  } else if (view.kind === "funnel") {
    for (const step of stepsOf(frame)) points.push([step.name, step.value]);
  } else for (const bar of barsOf(frame, {})) points.push([bar.name, bar.value]);
  const numbers = points.filter(([, value]) => typeof value === "number");
  const series = frame.timed && view.kind !== "heatmap" ? seriesOf(frame).length : 1;
  const [name, value] = numbers.reduce((most, point) => (most === null || point[1] > most[1] ? point : most), null) ?? [];
  const unit = unitOf(configuration, numeric(frame)[0]);
  const highest = name === undefined ? "" : say("highest", name, unit ? withUnit(value, unit) : exact(value));
  return `${title}. ${say("summary", kind, series, numbers.length)} ${highest}`.trim();
}

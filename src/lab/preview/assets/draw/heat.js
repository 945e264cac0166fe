// Heat maps and histograms. In: a frame with buckets, with two facets, or with groups over time. Out: a chart.

import { chart, tip } from "../chart.js";
import { current, keyText, numeric } from "../frame.js";
import { exact, humanised, unitOf, withUnit } from "../number.js";
import { axisText, colour, splitLine, theme } from "../palette.js";
import { say } from "../texts.js";
import { day, minuteTime } from "../time.js";

/** The column with buckets: a list of counts, or an object from range to count. */
function bucketColumn(frame) {
  const group = current(frame)[0];
  return (
    frame.values.find(
      (name) =>
        name.startsWith("histogram") ||
        (group && Array.isArray(group.values[name]) && group.values[name].every((value) => typeof value === "number")),
    ) ?? null
  );
}

/** Names and counts of buckets: the query says where they begin and how wide they are. */
function bucketsOf(frame, value) {
  if (value && !Array.isArray(value)) return Object.entries(value).map(([name, count]) => ({ name, count }));
  const [start, size] = frame.buckets ?? [1, null];
  return (value ?? []).map((count, at) => ({
    name: size === null ? String(start + at) : `${humanised(start + at * size)}–${humanised(start + (at + 1) * size)}`,
    count,
  }));
}

export const isHistogram = (frame) => bucketColumn(frame) !== null;

/** A histogram as table rows too: {columns, rows}. */
export function histogramTable(frame) {
  const column = bucketColumn(frame);
  const groups = current(frame);
  const names = bucketsOf(frame, groups[0]?.values[column]).map((bucket) => bucket.name);
  return {
    names,
    groups: groups.map((group) => ({
      label: group.label || column,
      counts: bucketsOf(frame, group.values[column]).map((bucket) => bucket.count),
    })),
  };
}

export function histogramChart(frame, configuration, label) {
  const { names, groups } = histogramTable(frame);
  const option = () => ({
    grid: { left: 4, right: 26, top: 10, bottom: 2, containLabel: true },
    xAxis: {
      type: "category",
      data: names,
      axisLabel: { ...axisText(), hideOverlap: true },
      axisTick: { show: false },
      axisLine: { lineStyle: { color: theme().axis } },
    },
    yAxis: {
      type: "value",
      axisLabel: { ...axisText(), formatter: (value) => humanised(value) },
      splitLine: splitLine(),
      splitNumber: 4,
    },
    tooltip: {
      trigger: "axis",
      axisPointer: { type: "shadow" },
      formatter: (found) =>
        tip(
          found[0]?.name,
          found.map((entry) => ({ colour: entry.color, name: entry.seriesName, value: exact(entry.value) })),
        ),
    },
    series: groups.map((group, at) => ({
      type: "bar",
      name: group.label,
      data: group.counts,
      barCategoryGap: groups.length > 1 ? "20%" : "6%",
      itemStyle: { color: colour(configuration, at, group.label), borderRadius: [2, 2, 0, 0] },
    })),
  });
  const legend =
    groups.length > 1 ? groups.map((group, at) => ({ name: group.label, colour: colour(configuration, at, group.label) })) : [];
  return chart({ option, label, legend });
}

/** Columns, rows and cells [column, row, value] of a heat map. */
export function cellsOf(frame) {
  const groups = current(frame);
  if (isHistogram(frame)) {
    const { names, groups: lists } = histogramTable(frame);
    const rows = ordered(lists.map((list) => list.label));
    return {
      columns: names,
      rows,
      cells: lists.flatMap((list) => list.counts.map((count, column) => [column, rows.indexOf(list.label), count])),
    };
  }
  const [value] = numeric(frame);
  if (frame.timed) {
    const times = [...new Set(groups.flatMap((group) => group.points.map((point) => point.begin)))].sort((a, b) => a - b);
    const long = times.length > 1 && times[1] - times[0] >= 86_400_000;
    return {
      columns: times.map((time) => (long ? day(time) : minuteTime(time))),
      rows: groups.map((group) => group.label || value),
      cells: groups.flatMap((group, row) => group.points.map((point) => [times.indexOf(point.begin), row, point.values[value]])),
    };
  }
  if (frame.facets.length < 2) {
    return {
      columns: [value],
      rows: groups.map((group) => group.label),
      cells: groups.map((group, row) => [0, row, group.values[value]]),
    };
  }
  // The first facet goes down, the second across; numbers and weekdays in their own order.
  const rows = ordered([...new Set(groups.map((group) => keyText(group.keys[0])))]);
  const columns = ordered([...new Set(groups.map((group) => group.keys.slice(1).map(keyText).join(", ")))]);
  return {
    columns,
    rows,
    cells: groups.map((group) => [
      columns.indexOf(group.keys.slice(1).map(keyText).join(", ")),
      rows.indexOf(keyText(group.keys[0])),
      group.values[value],
    ]),
  };
}

const WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

function ordered(names) {
  if (names.every((name) => WEEKDAYS.includes(name.toLowerCase())))
    return names.sort((a, b) => WEEKDAYS.indexOf(a.toLowerCase()) - WEEKDAYS.indexOf(b.toLowerCase()));
  const begins = (name) => parseFloat(name);
  return names.every((name) => !Number.isNaN(begins(name)))
    ? names.sort((a, b) => begins(a) - begins(b) || a.localeCompare(b))
    : names;
}

export function heatmapChart(frame, configuration, label) {
  const { columns, rows, cells } = cellsOf(frame);
  const unit = unitOf(configuration, numeric(frame)[0]);
  const most = Math.max(...cells.map(([, , value]) => value ?? 0), 1);
  const write = (value) => (unit ? withUnit(value, unit) : humanised(value));
  const option = (width, height) => {
    const { card, heat, text, muted } = theme();
    const roomy = width / columns.length > 34 && height / rows.length > 16;
    // A dark cell needs a light number, whichever way the theme's scale runs.
    const dark = heat[0] < heat[heat.length - 1];
    return {
      grid: { left: 4, right: 8, top: 4, bottom: 2, containLabel: true },
      xAxis: {
        type: "category",
        data: columns,
        axisLine: { show: false },
        axisTick: { show: false },
        axisLabel: { ...axisText(), hideOverlap: true },
      },
      yAxis: {
        type: "category",
        data: rows,
        inverse: true,
        axisLine: { show: false },
        axisTick: { show: false },
        axisLabel: { ...axisText(), color: text, width: Math.round(width * 0.3), overflow: "truncate" },
      },
      visualMap: { show: false, min: 0, max: most, inRange: { color: heat } },
      tooltip: {
        trigger: "item",
        formatter: (found) =>
          tip(`${rows[found.value[1]]} · ${columns[found.value[0]]}`, [
            { colour: found.color, name: numeric(frame)[0] ?? say("value"), value: exact(found.value[2] ?? 0) },
          ]),
      },
      series: [
        {
          type: "heatmap",
          itemStyle: { borderColor: card, borderWidth: 2, borderRadius: 2 },
          data: cells
            .filter(([, , value]) => typeof value === "number")
            .map(([column, row, value]) => ({
              value: [column, row, value],
              label: {
                show: roomy,
                fontSize: 10,
                formatter: () => (value === 0 ? "" : write(value)),
                color: value === 0 ? muted : dark === value / most < 0.57 ? "#ffffff" : "#10242a",
              },
            })),
        },
      ],
    };
  };
  return chart({ option, label, least: rows.length * 18 });
}

// Bars of groups, lying; bullets; the steps of a funnel. In: a frame without times. Out: a chart.

import { chart, tip } from "../chart.js";
import { before, current, numeric } from "../frame.js";
import { cell, exact, unitOf, withUnit } from "../number.js";
import { axisText, colour, pattern, splitLine, theme } from "../palette.js";
import { ofBillboard } from "../threshold.js";
import { say } from "../texts.js";

const ROW = 26;

/** One bar a group, the first column's value; without groups one bar a column. */
export function barsOf(frame, configuration) {
  const columns = numeric(frame);
  const groups = current(frame);
  const bars = frame.facets.length
    ? groups.map((group) => ({
        name: group.label,
        value: group.values[columns[0]],
        was: before(frame, group)?.values[columns[0]],
        column: columns[0],
        group,
      }))
    : columns.map((column) => ({
        name: column,
        value: groups[0]?.values[column],
        was: frame.compared ? before(frame, groups[0])?.values[column] : undefined,
        column,
        group: groups[0],
      }));
  const other = frame.other?.[columns[0]];
  if (configuration.facet?.showOtherSeries && typeof other === "number" && other > 0)
    bars.push({ name: say("other"), value: other, column: columns[0], group: null });
  return bars;
}

export function barChart(frame, configuration, label, onClick) {
  const bars = barsOf(frame, configuration);
  const own = (configuration.colors?.seriesOverrides ?? []).length > 0;
  // One colour for all: the groups have their names beside them.
  const colourOf = (bar, at) => colour(configuration, own || !frame.facets.length ? at : 0, bar.name, bar.column);
  const unit = unitOf(configuration, bars[0]?.column);
  const write = (bar, value) => (unit ? withUnit(value, unit) : cell(value, bar.column, configuration, Date.now(), false));
  const option = (width) => {
    const { muted, text } = theme();
    const names = bars.map((bar) => bar.name);
    return {
      grid: { left: 4, right: 64, top: 2, bottom: 2, containLabel: true },
      xAxis: { type: "value", show: false, min: (range) => Math.min(0, range.min), max: "dataMax" },
      yAxis: {
        type: "category",
        data: names,
        inverse: true,
        axisLine: { show: false },
        axisTick: { show: false },
        axisLabel: { ...axisText(), color: text, width: Math.round(width * 0.42), overflow: "truncate" },
      },
      tooltip: {
        trigger: "item",
        formatter: (found) => tip(null, [{ colour: found.color, name: found.name, value: exact(found.value ?? 0) }]),
      },
      series: [
        {
          type: "bar",
          name: "value",
          barMaxWidth: 16,
          cursor: onClick ? "pointer" : "default",
          data: bars.map((bar, at) => ({
            value: bar.value,
            itemStyle: {
              color: colourOf(bar, at),
              borderRadius: [0, 2, 2, 0],
              decal: pattern(configuration, colourOf(bar, at)) ?? undefined,
            },
          })),
          label: {
            show: true,
            position: "right",
            color: text,
            fontSize: 11,
            formatter: (found) => (typeof found.value === "number" ? write(bars[found.dataIndex], found.value) : ""),
          },
        },
        ...(frame.compared
          ? [
              {
                type: "bar",
                name: say("previous"),
                barMaxWidth: 6,
                data: bars.map((bar) => bar.was),
                itemStyle: { color: muted, opacity: 0.5 },
              },
            ]
          : []),
      ],
    };
  };
  const clicked = onClick && ((found) => bars[found.dataIndex]?.group && onClick(bars[found.dataIndex].group));
  return chart({ option, label, least: bars.length * (frame.compared ? ROW + 8 : ROW), onClick: clicked });
}

/** A bullet: the value as a bar over the limit's. */
export function bulletChart(frame, configuration, label) {
  const bars = barsOf(frame, configuration);
  const most = Math.max(...bars.map((bar) => bar.value ?? 0), 0);
  const limit = Number(configuration.limit) || most || 1;
  const option = (width) => {
    const { text, empty, axis, severity } = theme();
    const colourOf = (bar, at) =>
      severity[ofBillboard(configuration.thresholds, bar.value)] ?? colour(configuration, frame.facets.length ? 0 : at, bar.name);
    return {
      grid: { left: 4, right: 72, top: 6, bottom: 18, containLabel: true },
      xAxis: {
        type: "value",
        min: 0,
        max: Math.max(limit, most),
        splitLine: { show: false },
        axisLabel: {
          ...axisText(),
          hideOverlap: true,
          showMaxLabel: true,
          formatter: (value) => withUnit(value, unitOf(configuration, bars[0]?.column)),
        },
        splitNumber: 3,
      },
      yAxis: {
        type: "category",
        inverse: true,
        data: bars.map((bar) => bar.name),
        axisLine: { show: false },
        axisTick: { show: false },
        axisLabel: { ...axisText(), color: text, width: Math.round(width * 0.3), overflow: "truncate" },
      },
      tooltip: {
        trigger: "item",
        formatter: (found) =>
          tip(found.name, [
            { colour: found.color, name: say("value"), value: exact(bars[found.dataIndex].value ?? 0) },
            { colour: axis, name: say("limit"), value: exact(limit) },
          ]),
      },
      series: [
        {
          type: "bar",
          barWidth: 16,
          showBackground: true,
          backgroundStyle: { color: empty, borderRadius: 2 },
          data: bars.map((bar, at) => ({ value: bar.value, itemStyle: { color: colourOf(bar, at), borderRadius: 2 } })),
          label: {
            show: true,
            position: "right",
            color: text,
            fontSize: 12,
            fontWeight: 600,
            formatter: (found) =>
              typeof found.value === "number" ? withUnit(found.value, unitOf(configuration, bars[found.dataIndex].column)) : "",
          },
          markLine: {
            silent: true,
            symbol: "none",
            label: { show: false },
            lineStyle: { color: axis, width: 2, type: "solid" },
            data: [{ xAxis: limit }],
          },
        },
      ],
    };
  };
  return chart({ option, label, least: bars.length * 40 });
}

/** Steps of a funnel: [{name, value, share}], share of the first in percent. */
export function stepsOf(frame) {
  const group = current(frame)[0];
  const found = Object.values(group?.values ?? {}).find((value) => Array.isArray(value) || Array.isArray(value?.steps));
  const counts = Array.isArray(found) ? found : (found?.steps ?? numeric(frame).map((column) => group?.values[column]));
  const names = Array.isArray(found) || found?.steps ? frame.steps : numeric(frame);
  return counts.map((value, at) => ({
    name: names[at] ?? say("step", at + 1),
    value,
    share: counts[0] ? (value / counts[0]) * 100 : 0,
  }));
}

export function funnelChart(frame, _, label) {
  const steps = stepsOf(frame);
  const option = () => {
    const { text, card } = theme();
    // Lighter from step to step, by alpha: opacity would take the names with it.
    const alpha = (at) =>
      Math.round(255 * (1 - (0.6 * at) / Math.max(steps.length, 1)))
        .toString(16)
        .padStart(2, "0");
    const shade = (at) => ({ color: `${colour({}, 0)}${alpha(at)}`, borderColor: card, borderWidth: 2 });
    return {
      tooltip: {
        trigger: "item",
        formatter: (found) =>
          tip(found.name, [
            { colour: found.color, name: say("value"), value: exact(found.value) },
            { colour: "transparent", name: say("ofFirst"), value: `${exact(steps[found.dataIndex].share, 1)} %` },
          ]),
      },
      series: [
        {
          type: "funnel",
          sort: "none",
          left: "4%",
          right: "38%",
          top: 6,
          bottom: 6,
          gap: 2,
          minSize: "6%",
          max: Math.max(steps[0]?.value ?? 1, 1),
          label: {
            position: "right",
            color: text,
            fontSize: 11,
            lineHeight: 15,
            formatter: (found) => `${found.name}\n${exact(found.value)} (${exact(steps[found.dataIndex].share, 1)} %)`,
          },
          labelLine: { length: 12, lineStyle: { color: splitLine().lineStyle.color } },
          data: steps.map((step, at) => ({ name: step.name, value: step.value, itemStyle: shade(at) })),
        },
      ],
    };
  };
  return chart({ option, label });
}

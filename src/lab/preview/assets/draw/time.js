// Line, area and stacked bar charts: values over time. In: a frame with times. Out: a chart.

import { chart, tip } from "../chart.js";
import { numeric, seriesOf } from "../frame.js";
import { humanised, unitOf, withUnit } from "../number.js";
import { axisText, colour, pattern, splitLine, theme } from "../palette.js";
import { bands } from "../threshold.js";
import { say } from "../texts.js";
import { clockTime, day, fromWall, minuteTime, toWall } from "../time.js";

const A_DAY = 86_400_000;

/** What becomes of a missing value: `default` and `preserve` leave a gap, `remove` joins what is beside it, `zero` is 0. */
function nullsOf(configuration, name) {
  const nulls = configuration.nullValues ?? {};
  return (nulls.seriesOverrides ?? []).find((entry) => entry.seriesName === name)?.nullValue ?? nulls.nullValue ?? "default";
}

/** The window before is drawn over the present one: its own times, moved by the distance between the two. */
function shiftOf(frame, series) {
  if (series.comparison !== "previous") return 0;
  const now = frame.groups.find((group) => group.comparison !== "previous" && group.points.length);
  const then = series.group.points[0];
  return now && then ? now.points[0].begin - then.begin : 0;
}

const INTERPOLATION = { smooth: { smooth: 0.35 }, stepBefore: { step: "start" }, stepAfter: { step: "end" }, linear: {} };

/** Bands and lines of thresholds, as marks of the first series. */
function marks(configuration) {
  const list = bands(configuration.thresholds);
  if (!list.length) return {};
  const { severity, text } = theme();
  const label = (band) => ({
    show: Boolean(band.name),
    formatter: band.name,
    position: "insideRight",
    color: text,
    fontSize: 10,
  });
  return {
    markArea: {
      silent: true,
      data: list
        .filter((band) => band.from !== null || band.to !== null)
        .map((band) => [
          {
            yAxis: band.from ?? undefined,
            itemStyle: { color: severity[band.severity] ?? severity.critical, opacity: 0.12 },
            label: label(band),
          },
          { yAxis: band.to ?? undefined },
        ]),
    },
    markLine: {
      silent: true,
      symbol: "none",
      label: { show: false },
      data: list
        .filter((band) => band.from !== null && band.from !== configuration.yAxisLeft?.min)
        .map((band) => ({
          yAxis: band.from,
          lineStyle: { color: severity[band.severity] ?? severity.critical, type: "dashed", width: 1 },
        })),
    },
  };
}

function axis(configuration, side, unit) {
  const own = configuration[side === "left" ? "yAxisLeft" : "yAxisRight"] ?? {};
  return {
    type: "value",
    position: side,
    scale: own.zero === false && own.min === undefined,
    min: own.min ?? (own.zero === false ? undefined : (value) => Math.min(0, value.min)),
    max: own.max ?? undefined,
    axisLabel: { ...axisText(), formatter: (value) => (unit ? withUnit(value, unit) : humanised(value)) },
    splitLine: side === "left" ? splitLine() : { show: false },
    splitNumber: 4,
    minInterval: undefined,
  };
}

/** `kind`: line, area or stackedBar. */
export function timeChart(frame, configuration, kind, label) {
  const list = seriesOf(frame);
  const rightNames = (configuration.yAxisRight?.series ?? []).map((entry) => entry.name ?? entry);
  const onRight = (series) =>
    rightNames.includes(series.name) || rightNames.includes(series.column) || rightNames.includes(series.group.label);
  const columns = numeric(frame);
  const unit = unitOf(configuration, columns[0]);
  const unitFor = (series) => unitOf(configuration, series.name) || unitOf(configuration, series.column) || unit;
  // The present window's colours come first: the same group has the same colour in both.
  const names = [...new Set(list.map((series) => series.plain))];
  const colourOf = (series) => colour(configuration, names.indexOf(series.plain), series.name, series.group.label, series.column);
  const bars = kind === "stackedBar";
  const times = frame.groups.flatMap((group) => group.points.map((point) => point.begin));
  const [first, last] = [Math.min(...times), Math.max(...times)];
  const width = frame.groups
    .find((group) => group.points.length > 1)
    ?.points.slice(0, 2)
    .map((point) => point.begin);
  const step = width ? width[1] - width[0] : A_DAY;

  const dataOf = (series) => {
    const nulls = nullsOf(configuration, series.name);
    const shift = shiftOf(frame, series);
    const points = series.group.points.map((point) => {
      const value = point.values[series.column];
      const middle = point.begin + shift;
      return [toWall(middle), typeof value === "number" ? value : nulls === "zero" ? 0 : null];
    });
    return nulls === "remove" ? points.filter(([, value]) => value !== null) : points;
  };

  const option = () => {
    const { card } = theme();
    const series = list.map((entry, at) => {
      const chosen = colourOf(entry);
      const dashed = entry.comparison === "previous";
      const shared = {
        name: entry.name,
        data: dataOf(entry),
        itemStyle: { color: chosen },
        yAxisIndex: onRight(entry) ? 1 : 0,
        ...(at === 0 ? marks(configuration) : {}),
      };
      if (bars)
        return {
          ...shared,
          type: "bar",
          stack: dashed ? "previous" : "all",
          barMaxWidth: 48,
          barCategoryGap: "18%",
          itemStyle: {
            color: chosen,
            opacity: dashed ? 0.45 : 1,
            decal: pattern(configuration, chosen) ?? undefined,
            borderColor: card,
            borderWidth: list.length > 1 ? 0.5 : 0,
          },
        };
      const interpolation = INTERPOLATION[configuration.chartStyles?.lineInterpolation] ?? {};
      const alone = entry.group.points.filter((point) => point.values[entry.column] !== null).length === 1;
      return {
        ...shared,
        ...interpolation,
        type: "line",
        showSymbol: alone,
        symbol: "circle",
        symbolSize: 5,
        lineStyle: { width: dashed ? 1.5 : 2, type: dashed ? "dashed" : "solid", color: chosen, opacity: dashed ? 0.75 : 1 },
        stack: kind === "area" && !dashed ? "all" : undefined,
        areaStyle: kind === "area" && !dashed ? { opacity: list.length > 1 ? 0.55 : 0.22, color: chosen } : undefined,
        emphasis: { focus: "none" },
      };
    });
    const mode = configuration.tooltip?.mode ?? "all";
    const long = last - first > 2 * A_DAY;
    return {
      useUTC: true,
      grid: { left: 4, right: rightNames.length ? 4 : 14, top: 10, bottom: 2, containLabel: true },
      xAxis: {
        type: "time",
        min: bars ? toWall(first) - step / 2 : undefined,
        max: bars ? toWall(last) + step / 2 : undefined,
        axisLine: { lineStyle: { color: theme().axis } },
        axisTick: { show: false },
        splitLine: { show: false },
        splitNumber: 5,
        axisLabel: {
          ...axisText(),
          hideOverlap: true,
          formatter: (wall) =>
            long || new Date(wall).getUTCHours() + new Date(wall).getUTCMinutes() === 0
              ? day(fromWall(wall))
              : clockTime(fromWall(wall)),
        },
      },
      yAxis: [
        axis(configuration, "left", unit),
        ...(rightNames.length ? [axis(configuration, "right", unitFor(list.find(onRight) ?? list[0]))] : []),
      ],
      tooltip: {
        show: mode !== "hidden",
        trigger: mode === "single" ? "item" : "axis",
        axisPointer: { type: bars ? "shadow" : "line", lineStyle: { color: theme().axis } },
        formatter: (found) => {
          const entries = Array.isArray(found) ? found : [found];
          const at = entries[0]?.value?.[0];
          const rows = entries
            .filter((entry) => entry.value?.[1] !== null && entry.value?.[1] !== undefined)
            .map((entry) => ({
              colour: entry.color,
              name: entry.seriesName,
              value: withUnit(entry.value[1], unitFor(list[entry.seriesIndex])),
            }));
          const began = fromWall(at);
          return tip(
            step >= A_DAY ? day(began) : `${minuteTime(began)} – ${clockTime(began + step)}`,
            rows.length ? rows.slice(0, 16) : [{ colour: "transparent", name: say("missing"), value: "" }],
          );
        },
      },
      series,
    };
  };
  const legend =
    configuration.legend?.enabled === false || (list.length === 1 && frame.facets.length === 0 && !frame.compared)
      ? []
      : list.map((entry) => ({
          name: entry.name,
          colour: colourOf(entry),
          striped: bars && Boolean(pattern(configuration, colourOf(entry))),
          dashed: entry.comparison === "previous",
        }));
  return chart({ option, label, legend });
}

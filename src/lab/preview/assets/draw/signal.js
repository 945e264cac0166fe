// The signals of a condition as New Relic judges them. In: windows by signal, terms, incidents, the shown time. Out: a chart: a line for
// each signal, a dashed line for each threshold with the side that breaches, a shaded span for each time with an open incident.

import { chart, tip } from "../chart.js";
import { exact, humanised } from "../number.js";
import { axisText, colour, splitLine, theme } from "../palette.js";
import { say } from "../texts.js";
import { clockTime, day, fromWall, minuteTime, toWall } from "../time.js";

const A_DAY = 86_400_000;
const SIGNS = { ABOVE: ">", ABOVE_OR_EQUALS: "≥", BELOW: "<", BELOW_OR_EQUALS: "≤", EQUALS: "=", NOT_EQUALS: "≠" };

/** Pixels of the shortest span, and of one that has room for a title. */
const LEAST = 2;
const ROOM = 90;

/** Incidents of one priority as times with at least one open: [{begin, end, incidents}]. */
function spansOf(incidents, priority, { since, until }, least) {
  const list = incidents
    .filter((incident) => incident.priority === priority)
    .map((incident) => {
      const begin = Math.max(incident.opened, since);
      return { begin, end: Math.min(Math.max(incident.closed ?? until, begin + least), until), incidents: [incident] };
    })
    .sort((a, b) => a.begin - b.begin);
  const spans = [];
  for (const span of list) {
    const last = spans.at(-1);
    if (last && span.begin <= last.end) {
      last.end = Math.max(last.end, span.end);
      last.incidents.push(...span.incidents);
    } else spans.push(span);
  }
  return spans;
}

const nameOf = (signal, definition) => Object.values(signal.facets).map(String).join(", ") || definition.value;

/** `told`: signals and incidents; `range`: {since, until}. */
export function signalChart(told, definition, range) {
  const unit = definition.baseline ? " σ" : "";
  const written = (value) => `${exact(value)}${unit}`;
  const terms = definition.terms.filter(
    (term) => !(definition.expiration?.opens && term.operator === "BELOW" && term.threshold <= 1),
  );
  const names = told.signals.map((signal) => nameOf(signal, definition));
  const colourOf = (at) => colour({}, at, names[at]);
  /** Windows that do not follow each other are not joined; one that stands alone is a dot. */
  const dataOf = (signal) => {
    const { points, joins } = signal;
    const follows = (at) => at > 0 && at < points.length && points[at][1] - points[at - 1][1] <= joins;
    return points.flatMap((point, at) => {
      const alone = !follows(at) && !follows(at + 1);
      const item = { value: [toWall(point[1]), point[2], point[0], point[3], point[4]], symbolSize: alone ? 6 : 0 };
      return follows(at) || at === 0 ? [item] : [{ value: [toWall(points[at - 1][1] + 1), null], symbolSize: 0 }, item];
    });
  };
  const data = told.signals.map(dataOf);
  const option = (width) => {
    const { severity, text, card } = theme();
    const pixel = (range.until - range.since) / Math.max(width - 70, 100);
    const areas = ["WARNING", "CRITICAL"].flatMap((priority) =>
      spansOf(told.incidents, priority, range, LEAST * pixel).map((span) => {
        const pixels = (span.end - span.begin) / pixel;
        const title = span.incidents.length === 1 ? span.incidents[0].title : say("openIncidents", span.incidents.length);
        const chosen = severity[priority.toLowerCase()];
        return [
          {
            xAxis: toWall(span.begin),
            itemStyle: { color: chosen, opacity: priority === "CRITICAL" ? 0.22 : 0.26 },
            label: {
              show: pixels > ROOM,
              formatter: title,
              position: priority === "CRITICAL" || !told.critical ? "insideTopLeft" : "insideBottomLeft",
              width: Math.max(pixels - 12, 10),
              overflow: "truncate",
              color: text,
              fontSize: 11,
              distance: 6,
            },
          },
          { xAxis: toWall(span.end) },
        ];
      }),
    );
    // The side of a threshold that breaches.
    const sides = terms
      .filter((term) => /ABOVE|BELOW/.test(term.operator))
      .map((term) => {
        const area = { yAxis: term.threshold, itemStyle: { color: severity[term.priority.toLowerCase()], opacity: 0.04 } };
        return term.operator.startsWith("ABOVE") ? [area, {}] : [{ itemStyle: area.itemStyle }, { yAxis: term.threshold }];
      });
    const lines = terms.map((term) => ({
      yAxis: term.threshold,
      lineStyle: { color: severity[term.priority.toLowerCase()], type: "dashed", width: 1.5 },
      label: {
        formatter: `${term.priority} ${SIGNS[term.operator]} ${written(term.threshold)}`,
        position: term.operator.startsWith("BELOW") ? "insideEndBottom" : "insideEndTop",
        color: text,
        fontSize: 11,
        backgroundColor: card,
        borderRadius: 3,
        padding: [1, 4],
      },
    }));
    const limits = terms.map((term) => term.threshold);
    const [least, most] = [Math.min(0, ...limits), Math.max(0, ...limits)];
    const lowest = data.flat().some((item) => item.value[1] < 0);
    const room = (value) => value + Math.abs(value) * 0.15;
    const long = range.until - range.since > 2 * A_DAY;
    return {
      useUTC: true,
      grid: { left: 4, right: 14, top: 14, bottom: 2, containLabel: true },
      xAxis: {
        type: "time",
        min: toWall(range.since),
        max: toWall(range.until),
        axisLine: { lineStyle: { color: theme().axis } },
        axisTick: { show: false },
        splitLine: { show: false },
        splitNumber: 8,
        axisLabel: {
          ...axisText(),
          hideOverlap: true,
          formatter: (wall) =>
            long || new Date(wall).getUTCHours() + new Date(wall).getUTCMinutes() === 0
              ? day(fromWall(wall))
              : clockTime(fromWall(wall)),
        },
      },
      yAxis: {
        type: "value",
        min: (value) => (Math.min(value.min, least) < 0 ? -room(-Math.min(value.min, least)) : 0),
        max: (value) => room(Math.max(value.max, most)) || 1,
        minInterval: definition.query.includes("count(*)") && !unit ? 1 : undefined,
        axisLabel: {
          ...axisText(),
          showMaxLabel: false,
          showMinLabel: least >= 0 && !lowest,
          formatter: (value) => `${humanised(value)}${unit}`,
        },
        splitLine: splitLine(),
        splitNumber: 4,
      },
      tooltip: {
        trigger: "axis",
        axisPointer: { type: "line", lineStyle: { color: theme().axis } },
        formatter: (found) => {
          const entries = (Array.isArray(found) ? found : [found]).filter((entry) => typeof entry.value?.[1] === "number");
          if (!entries.length) return "";
          const [wall, , begin] = entries[0].value;
          const end = fromWall(wall);
          const rows = entries.map((entry) => ({
            colour: entry.color,
            name: `${entry.seriesName}${entry.value[3] ? ` (${say("filled")})` : ""}`,
            value: unit ? `${exact(entry.value[4], 2)} · ${exact(entry.value[1], 1)}${unit}` : exact(entry.value[1]),
          }));
          const opened = told.incidents
            .filter((incident) => incident.windowEnd === end)
            .slice(0, 4)
            .map((incident) => ({
              colour: severity[incident.priority.toLowerCase()],
              name: incident.title,
              value: `${say("opened")} ${clockTime(incident.opened)}`,
            }));
          return tip(`${minuteTime(begin)} – ${clockTime(end)}`, [...rows, ...opened]);
        },
      },
      series: [
        {
          type: "line",
          name: "",
          data: [],
          silent: true,
          markArea: { silent: true, data: [...sides, ...areas] },
          markLine: { silent: true, symbol: "none", data: lines },
        },
        ...told.signals.map((_, at) => ({
          type: "line",
          name: names[at],
          data: data[at],
          symbol: "circle",
          showAllSymbol: true,
          itemStyle: { color: colourOf(at) },
          lineStyle: { width: 1.8, color: colourOf(at) },
          emphasis: { focus: "none" },
          z: 3,
        })),
      ],
    };
  };
  const legend =
    names.length > 1 || Object.keys(told.signals[0]?.facets ?? {}).length
      ? names.map((name, at) => ({ name, colour: colourOf(at) }))
      : [];
  const windows = told.signals.reduce((sum, signal) => sum + signal.points.length, 0);
  const label = `${definition.name}. ${say("summary", say("kinds").line, told.signals.length, windows)} ${say("incidentCount", told.critical, told.warning)}`;
  return chart({ option, label, legend });
}

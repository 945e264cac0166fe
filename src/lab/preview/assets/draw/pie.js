// A ring of shares. In: a frame with groups, or with several columns. Out: a chart, with its sum in the middle.

import { chart, tip } from "../chart.js";
import { make } from "../dom.js";
import { exact, humanised, unitOf, withUnit } from "../number.js";
import { colour, pattern, theme } from "../palette.js";
import { say } from "../texts.js";
import { barsOf } from "./bar.js";

export function pieChart(frame, configuration, label, onClick) {
  const slices = barsOf(frame, configuration).filter((slice) => typeof slice.value === "number");
  const sum = slices.reduce((total, slice) => total + slice.value, 0);
  const unit = unitOf(configuration, slices[0]?.column);
  const write = (value) => (unit ? withUnit(value, unit) : humanised(value));
  const share = (value) => (sum ? `${exact((value / sum) * 100, 1)} %` : "");
  const colourOf = (slice, at) => (slice.group ? colour(configuration, at, slice.name, slice.column) : theme().axis);
  const option = () => ({
    tooltip: {
      trigger: "item",
      formatter: (found) =>
        tip(null, [{ colour: found.color, name: found.name, value: `${exact(found.value)} (${share(found.value)})` }]),
    },
    series: [
      {
        type: "pie",
        radius: ["62%", "94%"],
        center: ["50%", "50%"],
        label: { show: false },
        cursor: onClick ? "pointer" : "default",
        emphasis: { scale: false },
        itemStyle: { borderColor: theme().card, borderWidth: slices.length > 1 ? 2 : 0 },
        data: slices.map((slice, at) => ({
          name: slice.name,
          value: slice.value,
          itemStyle: { color: colourOf(slice, at), decal: pattern(configuration, colourOf(slice, at)) ?? undefined },
        })),
      },
    ],
  });
  const legend =
    configuration.legend?.enabled === false
      ? []
      : slices.map((slice, at) => ({
          name: slice.name,
          colour: colourOf(slice, at),
          value: `${write(slice.value)} · ${share(slice.value)}`,
          striped: Boolean(pattern(configuration, colourOf(slice, at))),
        }));
  const centre = make(
    "div",
    { class: "pie-sum", "aria-hidden": "true" },
    make("strong", {}, write(sum)),
    make("span", {}, say("total")),
  );
  const clicked = onClick && ((found) => slices[found.dataIndex]?.group && onClick(slices[found.dataIndex].group));
  return chart({ option, label, legend, side: true, onClick: clicked, centre });
}

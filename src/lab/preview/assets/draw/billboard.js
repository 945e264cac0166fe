// Large numbers. In: a frame. Out: tiles with value, name, threshold, and change against the window before.
// New Relic knows no green billboard: a value that crosses nothing has no colour.

import { icon, make } from "../dom.js";
import { before, change, current } from "../frame.js";
import { cell, exact, isMoment } from "../number.js";
import { ofBillboard } from "../threshold.js";
import { say } from "../texts.js";

function moved(was, is, window, now) {
  const percent = change(was, is);
  if (was === undefined || was === null) return null;
  const direction = percent === null ? "up" : percent > 0 ? "up" : percent < 0 ? "down" : "same";
  const text = percent === null ? "–" : `${exact(Math.abs(percent), 1)} %`;
  const title = `${say("previous")}: ${cell(was, "", {}, now)}`;
  return make(
    "div",
    { class: "tile-change", title },
    direction === "same" ? null : make("span", { class: `arrow arrow-${direction}`, "aria-hidden": "true" }),
    make("span", {}, make("span", { class: "unseen" }, `${say(direction)} `), text),
    make("span", { class: "tile-was" }, `${say("previous")} ${cell(was, "", {}, now, false)}`),
  );
}

/** [{name, value, was, column}]: every column of every group. */
export function tilesOf(frame) {
  return current(frame).flatMap((group) =>
    frame.values
      .filter((column) => column in group.values)
      .map((column) => ({
        name: [group.label, frame.values.length > 1 || !group.label ? column : ""].filter(Boolean).join(" · "),
        column,
        value: group.values[column],
        was: frame.compared ? (before(frame, group)?.values[column] ?? null) : undefined,
      })),
  );
}

export function billboard(frame, configuration, now) {
  const settings = configuration.billboardSettings ?? {};
  const visual = settings.visual ?? {};
  const tiles = tilesOf(frame);
  const single = tiles.length === 1;
  const shown = visual.display ?? "auto";
  const columns = settings.gridOptions?.columns ?? null;
  const elements = tiles.map((tile) => {
    const severity = ofBillboard(configuration.thresholds, tile.value);
    const text =
      typeof tile.value === "number"
        ? cell(tile.value, tile.column, configuration, now, false)
        : tile.value === null
          ? "–"
          : Array.isArray(tile.value)
            ? tile.value.join(", ")
            : String(tile.value);
    const word = severity ? say(severity) : null;
    return make(
      "div",
      {
        class: `tile${severity ? ` tile-${severity}` : ""}${isMoment(tile.value) || text.length > 14 ? " tile-long" : ""}`,
        css: { "--chars": String(Math.max(4, text.length)) },
      },
      severity ? make("div", { class: "tile-severity" }, icon(severity), make("span", {}, word)) : null,
      shown === "label" || shown === "none"
        ? null
        : make(
            "div",
            {
              class: "tile-value",
              title: typeof tile.value === "number" ? exact(tile.value, 6) : text,
              data: { value: String(tile.value) },
            },
            text,
          ),
      shown === "value" || shown === "none" ? null : make("div", { class: "tile-name" }, tile.name),
      tile.was === undefined ? null : moved(tile.was, tile.value, frame.window, now),
    );
  });
  const link =
    settings.link?.url && /^https?:/.test(settings.link.url)
      ? make(
          "a",
          { class: "tile-link", href: settings.link.url, target: "_blank", rel: "noopener noreferrer" },
          settings.link.title ?? settings.link.url,
        )
      : null;
  const board = make(
    "div",
    { class: `billboard${single ? " billboard-single" : ""}${visual.alignment === "inline" ? " billboard-inline" : ""}` },
    elements,
  );
  if (columns) board.style.setProperty("--columns", String(columns));
  return make("div", { class: "billboard-holder" }, board, link);
}

// Tables: a widget's own, and the one behind every chart. In: a frame. Out: a table that sorts, with thresholds as colour, drawing
// and word.

import { announce, fill, icon, make } from "../dom.js";
import { before, change, current, keyText } from "../frame.js";
import { cell, exact } from "../number.js";
import { ofCell } from "../threshold.js";
import { say } from "../texts.js";
import { dateTime } from "../time.js";

/** Longest text of a cell, as New Relic cuts it. */
const LONGEST = 255;

/** Rows drawn at once: what nobody scrolls through only costs. */
const MOST = 2000;

/** Columns and rows of a frame: [{name, of: group -> value, facet}]. */
export function tableOf(frame) {
  const columns = frame.facets.map((name, at) => ({ name, facet: at, of: (row) => row.group.keys[at] }));
  if (frame.timed) {
    columns.unshift({ name: say("beginning"), time: true, of: (row) => row.point.begin });
    if (frame.compared)
      columns.push({ name: say("group"), of: (row) => say(row.group.comparison === "previous" ? "previous" : "current") });
    for (const name of frame.values) columns.push({ name, of: (row) => row.point.values[name] });
    return { columns, rows: frame.groups.flatMap((group) => group.points.map((point) => ({ group, point }))) };
  }
  for (const name of frame.values) {
    columns.push({ name, of: (row) => row.group.values[name] });
    if (frame.compared) {
      columns.push({ name: `${name} · ${say("previous")}`, of: (row) => row.was?.values[name] ?? null });
      columns.push({
        name: `${name} · ${say("change")}`,
        change: true,
        of: (row) => change(row.was?.values[name], row.group.values[name]),
      });
    }
  }
  return { columns, rows: current(frame).map((group) => ({ group, was: frame.compared ? before(frame, group) : null })) };
}

function compare(a, b) {
  if (a === b) return 0;
  // What is missing comes last, whichever way it is sorted.
  if (a === null || a === undefined) return NaN;
  if (b === null || b === undefined) return -NaN;
  if (typeof a === "number" && typeof b === "number") return a - b;
  return String(a).localeCompare(String(b), undefined, { numeric: true });
}

function sorted(rows, column, descending) {
  const missing = (row) => column.of(row) === null || column.of(row) === undefined;
  const here = rows.filter((row) => !missing(row)).sort((a, b) => compare(column.of(a), column.of(b)) * (descending ? -1 : 1));
  return [...here, ...rows.filter(missing)];
}

function linked(text) {
  if (!/^https?:\/\/\S+$/.test(text)) return text;
  return make("a", { href: text, target: "_blank", rel: "noopener noreferrer" }, text.replace(/^https?:\/\//, ""));
}

function written(value, column, configuration, now) {
  if (value === null || value === undefined) return make("span", { class: "missing" }, "–");
  if (column.time) return dateTime(value);
  if (column.change) return `${value > 0 ? "+" : ""}${exact(value, 1)} %`;
  if (typeof value === "number") return cell(value, column.name, configuration, now);
  if (typeof value === "boolean") return String(value);
  const text = Array.isArray(value) ? value.map(keyText).join(", ") : keyText(value);
  return linked(text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text);
}

/** `onFilter(group, facet)`: a cell of a facet was clicked. `bare`: the table behind a chart. */
export function table(frame, configuration, { now, label, onFilter = null, bare = false }) {
  const { columns, rows } = tableOf(frame);
  const isNumber = (column) => rows.some((row) => typeof column.of(row) === "number") && !column.time;
  const right = new Set(columns.filter(isNumber));
  const wanted = bare ? null : configuration.initialSorting;
  let by = columns.find((column) => wanted?.name && column.name.toLowerCase() === wanted.name.toLowerCase()) ?? null;
  let descending = wanted?.direction !== "asc";

  const head = make("tr");
  const body = make("tbody");
  const drawBody = () => {
    const ordered = by ? sorted(rows, by, descending) : rows;
    fill(
      body,
      ordered.slice(0, MOST).map((row) =>
        make(
          "tr",
          {},
          columns.map((column) => drawCell(row, column)),
        ),
      ),
    );
  };
  const drawCell = (row, column) => {
    const value = column.of(row);
    const severity = bare ? null : ofCell(configuration.thresholds, column.name, value);
    const classes = [right.has(column) ? "right" : "", severity ? `cell-${severity}` : ""].filter(Boolean).join(" ");
    const content = written(value, column, configuration, now);
    const filterable = column.facet !== undefined && onFilter && frame.attributes[column.facet] && typeof content === "string";
    const shown = filterable
      ? make(
          "button",
          {
            type: "button",
            class: "cell-filter",
            title: say("filterBy", frame.attributes[column.facet], content),
            on: { click: () => onFilter(row.group, column.facet) },
          },
          content,
        )
      : content;
    const title = typeof content === "string" && content.length > 30 ? content : null;
    return make(
      "td",
      { class: classes || null, title, data: { value: value === undefined ? "null" : JSON.stringify(value) } },
      severity
        ? [icon(severity === "severe" ? "warning" : severity), make("span", { class: "unseen" }, `${say(severity)} `)]
        : null,
      shown,
    );
  };
  const drawHead = () =>
    fill(
      head,
      columns.map((column) => {
        const direction = by === column ? (descending ? "descending" : "ascending") : null;
        const button = make(
          "button",
          {
            type: "button",
            on: {
              click: () => {
                descending = by === column ? !descending : right.has(column);
                by = column;
                drawHead();
                drawBody();
                head.children[columns.indexOf(column)].firstChild.focus();
                announce(say("sortedBy", column.name, say(descending ? "descending" : "ascending")));
              },
            },
          },
          column.name,
          direction ? icon(descending ? "down" : "up") : null,
        );
        return make("th", { scope: "col", class: right.has(column) ? "right" : null, "aria-sort": direction }, button);
      }),
    );
  drawHead();
  drawBody();
  const element = make("table", {}, make("caption", { class: "unseen" }, label), make("thead", {}, head), body);
  return make("div", { class: "table-scroll", tabindex: "0", role: "region", "aria-label": label }, element);
}

// An answer as charts see it. In: NerdGraph's JSON (`results`, `metadata`, …). Out: a frame: columns, groups, points.
//
// A frame: {facets: [names], values: [columns], groups: [group], compared, timed, window, other}.
// A group: {keys: [values of the facets], label, comparison, values: {column: value}, points: [{begin, end, values}]}.
// What always holds: columns and groups keep the order of the answer.

import { say } from "./texts.js";

const RESERVED = new Set(["facet", "comparison", "beginTimeSeconds", "endTimeSeconds", "inspectedCount"]);

const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);

/** One value of an answer as columns: percentiles come as an object by rank, everything else is one column. */
function columnsOf(name, value) {
  if (isObject(value) && Object.keys(value).length > 0 && Object.keys(value).every((key) => !Number.isNaN(Number(key)))) {
    return Object.entries(value).map(([rank, of]) => [`${name} (${Number(rank)}%)`, of]);
  }
  return [[name, value]];
}

/** What stands for a value of a facet. */
export function keyText(value) {
  if (value === null || value === undefined) return say("missing");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function facetNames(answer) {
  const named = answer.metadata?.facets ?? [];
  const list = Array.isArray(named) ? named : [named];
  const first = answer.results?.find((row) => "facet" in row);
  if (!first) return [];
  const count = Array.isArray(first.facet) ? first.facet.length : 1;
  return list.length === count
    ? list
    : Array.from({ length: count }, (_, at) => list[at] ?? Object.keys(first).filter((key) => !RESERVED.has(key))[at] ?? "facet");
}

/** Rows tagged as New Relic tags them, however it sent them. */
function tagged(answer) {
  const { currentResults: current, previousResults: previous } = answer;
  const results = answer.results ?? [];
  if (!current?.length && !previous?.length) return results;
  if (results.some((row) => "comparison" in row)) return results;
  const tag = (rows, comparison) => (rows ?? []).map((row) => ({ comparison, ...row }));
  return [...tag(current, "current"), ...tag(previous, "previous")];
}

function readRow(row, facets, values, seen) {
  const read = {};
  for (const [name, value] of Object.entries(row)) {
    if (RESERVED.has(name) || facets.includes(name)) continue;
    for (const [column, of] of columnsOf(name, value)) {
      read[column] = of;
      if (!seen.has(column)) {
        seen.add(column);
        values.push(column);
      }
    }
  }
  return read;
}

export function frameOf(answer) {
  const rows = tagged(answer);
  const facets = facetNames(answer);
  const values = [];
  const seen = new Set();
  const groups = new Map();
  const timed = rows.some((row) => "beginTimeSeconds" in row);
  rows.forEach((row, at) => {
    const keys = "facet" in row ? (Array.isArray(row.facet) ? row.facet : [row.facet]) : [];
    const comparison = row.comparison ?? null;
    // Rows of events are no groups: each stands for itself.
    const id = JSON.stringify(timed || facets.length ? [comparison, keys] : [comparison, at]);
    if (!groups.has(id))
      groups.set(id, {
        keys: keys.map((key, facet) => row[facets[facet]] ?? key),
        label: keys.map(keyText).join(", "),
        comparison,
        values: {},
        points: [],
      });
    const group = groups.get(id);
    const read = readRow(row, facets, values, seen);
    if (timed) group.points.push({ begin: row.beginTimeSeconds * 1000, end: row.endTimeSeconds * 1000, values: read });
    else group.values = read;
  });
  const list = [...groups.values()];
  for (const group of list) group.points.sort((a, b) => a.begin - b.begin);
  return {
    facets,
    values,
    groups: list,
    timed,
    compared: list.some((group) => group.comparison !== null),
    window: answer.metadata?.timeWindow ?? null,
    buckets: answer.preview?.buckets ?? null,
    steps: answer.preview?.steps ?? [],
    other: timed || Array.isArray(answer.otherResult) ? null : (answer.otherResult ?? null),
    attributes: answer.preview?.facetAttributes ?? [],
  };
}

/** Several queries of one widget in one frame. Columns of the same name stay apart only by their groups, as in New Relic. */
export function joined(frames) {
  if (frames.length === 1) return frames[0];
  const [first] = frames;
  return {
    ...first,
    facets: first.facets,
    values: [...new Set(frames.flatMap((frame) => frame.values))],
    groups: frames.flatMap((frame) => frame.groups),
    timed: frames.some((frame) => frame.timed),
    compared: frames.some((frame) => frame.compared),
    other: null,
  };
}

/** Whether there is nothing to draw. */
export function isEmpty(frame) {
  const nothing = (values) =>
    Object.values(values).every((value) => value === null || (Array.isArray(value) && value.length === 0));
  return frame.groups.every((group) =>
    frame.timed ? group.points.every((point) => nothing(point.values)) : nothing(group.values),
  );
}

export const current = (frame) => frame.groups.filter((group) => group.comparison !== "previous");
export const previous = (frame) => frame.groups.filter((group) => group.comparison === "previous");

/** The group of the window before that belongs to a group. */
export function before(frame, group) {
  return previous(frame).find((other) => other.label === group.label) ?? null;
}

/** Numeric columns of a frame; all when none is. */
export function numeric(frame) {
  const isNumber = (name) =>
    frame.groups.some((group) =>
      [group.values, ...group.points.map((point) => point.values)].some((values) => typeof values[name] === "number"),
    );
  const found = frame.values.filter(isNumber);
  return found.length ? found : frame.values;
}

/**
 * Series for a chart with a time axis or with slices: one for each group and column. Its name is the group's, the column's, or both.
 * [{name, column, group, comparison}]
 */
export function seriesOf(frame) {
  const columns = numeric(frame);
  return frame.groups.flatMap((group) =>
    columns
      .filter((column) => (frame.timed ? group.points.some((point) => column in point.values) : column in group.values))
      .map((column) => {
        const parts = [group.label, columns.length > 1 || !group.label ? column : ""].filter(Boolean);
        const name = parts.join(" · ");
        const tag = group.comparison === "previous" ? ` (${say("previous")})` : "";
        return { name: name + tag, plain: name, column, group, comparison: group.comparison };
      }),
  );
}

/** Change in percent from what was to what is; null when there is none to tell. */
export function change(was, is) {
  if (typeof was !== "number" || typeof is !== "number") return null;
  if (was === 0) return is === 0 ? 0 : null;
  return ((is - was) / Math.abs(was)) * 100;
}

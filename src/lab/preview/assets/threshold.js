// Thresholds in New Relic's three shapes. In: `thresholds` of a widget. Out: a severity for a value. Colour is never alone: each
// severity has a drawing and a word too.

const RANK = ["unavailable", "success", "warning", "severe", "critical"];

const lower = (text) => String(text ?? "").toLowerCase();
const number = (value) =>
  value === null || value === undefined || value === "" || Number.isNaN(Number(value)) ? null : Number(value);

/**
 * A billboard's: `[{alertSeverity: WARNING|CRITICAL, value}]`: above the value. When critical is below warning, less is worse, and
 * below counts.
 */
export function ofBillboard(thresholds, value) {
  if (!Array.isArray(thresholds) || typeof value !== "number") return null;
  const of = (severity) => number(thresholds.find((entry) => lower(entry.alertSeverity) === severity)?.value);
  const [warning, critical] = [of("warning"), of("critical")];
  const lessIsWorse = warning !== null && critical !== null && critical < warning;
  const crossed = (limit) => limit !== null && (lessIsWorse ? value < limit : value > limit);
  if (crossed(critical)) return "critical";
  if (crossed(warning)) return "warning";
  return null;
}

const within = (range, value) => {
  const [from, to] = [number(range.from), number(range.to)];
  return (from === null || value >= from) && (to === null || value < to || (from !== null && from === to && value === from));
};

/** A table's: `[{from, to, columnName, severity}]`; the worst range that holds the value. */
export function ofCell(thresholds, column, value) {
  if (!Array.isArray(thresholds) || typeof value !== "number") return null;
  const found = thresholds
    .filter((range) => (range.columnName ?? range.name) === column && within(range, value))
    .map((range) => lower(range.severity));
  return found.sort((a, b) => RANK.indexOf(b) - RANK.indexOf(a))[0] ?? null;
}

/** A line chart's: `{isLabelVisible, thresholds: [{from, to, name, severity}]}` as bands. */
export function bands(thresholds) {
  const list = Array.isArray(thresholds) ? [] : (thresholds?.thresholds ?? []);
  return list.map((range) => ({
    from: number(range.from),
    to: number(range.to),
    name: thresholds.isLabelVisible === false ? "" : (range.name ?? ""),
    severity: lower(range.severity) || "critical",
  }));
}

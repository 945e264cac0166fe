// Numbers as New Relic writes them. In: a value, its unit or formatter. Out: text. The exact value stays in a tooltip and in tables.

import { spoken } from "./texts.js";
import { ago, dateTime, day, length } from "./time.js";

const plain = new Map();

function decimal(value, digits) {
  const key = `${spoken()} ${digits}`;
  if (!plain.has(key)) plain.set(key, new Intl.NumberFormat(spoken(), { maximumFractionDigits: digits }));
  const least = 10 ** -digits;
  // What is there is never written as nothing.
  if (value !== 0 && Math.abs(value) < least / 2) return `${value < 0 ? ">−" : "<"}${plain.get(key).format(least)}`;
  return plain.get(key).format(value).replace("-", "−");
}

/** In full, with at most so many decimals. */
export const exact = (value, digits = 4) => decimal(value, digits);

const COUNTS = ["", "k", "M", "B", "T"];

/** `1,234`, `12.3 k`, `4.56 M`: three digits that count. */
export function humanised(value, names = COUNTS) {
  const size = Math.abs(value);
  // Four digits are read at a glance: they stay, so that small counts are exact.
  if (size < 10_000 && names === COUNTS) return decimal(value, size >= 100 ? (Number.isInteger(value) ? 0 : 1) : 2);
  let step = 0;
  let rest = value;
  while (Math.abs(rest) >= 1000 && step < names.length - 1) {
    rest /= 1000;
    step += 1;
  }
  const digits = Math.abs(rest) >= 100 ? 0 : Math.abs(rest) >= 10 ? 1 : 2;
  return `${decimal(rest, digits)}${names[step] ? ` ${names[step]}` : ""}`;
}

const BYTES = ["B", "KB", "MB", "GB", "TB", "PB"];
const BITS = ["b", "Kb", "Mb", "Gb", "Tb", "Pb"];

// What `units.unit` may be in a widget, and how it looks. Names in upper case; older exports have lower case.
const UNITS = {
  COUNT: (value) => humanised(value),
  PERCENTAGE: (value) => `${decimal(value, Math.abs(value) >= 10 ? 1 : 2)} %`,
  MS: (value) => length(value),
  SECONDS: (value) => length(value * 1000),
  MICROSECONDS: (value) => length(value / 1000),
  NANOSECONDS: (value) => length(value / 1e6),
  BYTES: (value) => humanised(value, BYTES),
  KILOBYTES: (value) => humanised(value * 1e3, BYTES),
  MEGABYTES: (value) => humanised(value * 1e6, BYTES),
  GIGABYTES: (value) => humanised(value * 1e9, BYTES),
  BYTES_PER_SECOND: (value) => `${humanised(value, BYTES)}/s`,
  BITS: (value) => humanised(value, BITS),
  BITS_PER_SECOND: (value) => `${humanised(value, BITS)}/s`,
  REQUESTS_PER_SECOND: (value) => `${humanised(value)} req/s`,
  REQUESTS_PER_MINUTE: (value) => `${humanised(value)} rpm`,
  MESSAGES_PER_SECOND: (value) => `${humanised(value)} msg/s`,
  OPERATIONS_PER_SECOND: (value) => `${humanised(value)} ops/s`,
  PAGES_PER_SECOND: (value) => `${humanised(value)} pages/s`,
  APDEX: (value) => decimal(value, 2),
  HERTZ: (value) => `${humanised(value)} Hz`,
  CELSIUS: (value) => `${decimal(value, 1)} °C`,
  TIMESTAMP: (value) => dateTime(value),
  DATE: (value) => day(value),
};

/** The unit of a series or column: its own, else the widget's. */
export function unitOf(configuration, name) {
  const units = configuration.units ?? {};
  const own = (units.seriesOverrides ?? []).find((entry) => entry.seriesName === name);
  return (own?.unit ?? units.unit ?? "").toUpperCase();
}

/** A number with its unit, short. */
export function withUnit(value, unit) {
  return (UNITS[unit] ?? UNITS.COUNT)(value);
}

/** Names that say by themselves that a number is a time. */
const TIMES = /(^|\.|_)(timestamp|time|since|firstSeen|lastUsed|createdAt|observedAt|evaluatedAt|expiresTime)$/i;

/** Whether a number can be a moment of our time, in milliseconds. */
export const isMoment = (value) => typeof value === "number" && value > 9e11 && value < 9e12;

// `dataFormatters[].type` of billboards and tables.
const FORMATTERS = {
  decimal: (value, formatter) => decimal(value, formatter.precision ?? 2),
  humanized: (value) => humanised(value),
  duration: (value) => length(value),
  date: (value) => dateTime(value),
  custom: (value, formatter) => (/h|m|s/i.test(formatter.format ?? "") ? dateTime(value) : day(value)),
  "recent-relative": (value, _, now) => ago(value, now),
};

/** A cell: by the widget's formatter, by its unit, or as its name and value say. `roomy`: in full rather than short. */
export function cell(value, name, configuration, now, roomy = true) {
  const formatter = (configuration.dataFormatters ?? []).find((entry) => entry.name === name);
  const write = formatter && FORMATTERS[formatter.type];
  if (write && typeof value === "number") return write(value, formatter, now);
  const unit = unitOf(configuration, name);
  if (unit && unit in UNITS) return withUnit(value, unit);
  if (isMoment(value) && (TIMES.test(name) || Number.isInteger(value))) return dateTime(value);
  // Shares and means are read by two decimals; only what is less than one has more that count.
  return roomy ? exact(value, Math.abs(value) >= 1 ? 2 : 4) : humanised(value);
}

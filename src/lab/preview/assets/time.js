// Times as people read them, in the zone of the data. In: milliseconds since 1970. Out: text, and back.

import { say, spoken } from "./texts.js";

let zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

export function useZone(name) {
  if (!name) return;
  try {
    Intl.DateTimeFormat("en", { timeZone: name });
    zone = name;
  } catch {
    // A zone that the browser does not know: its own is better than none.
  }
}

export function zoneName() {
  return zone;
}

const formats = new Map();

function format(options) {
  const key = `${spoken()} ${zone} ${JSON.stringify(options)}`;
  if (!formats.has(key)) formats.set(key, new Intl.DateTimeFormat(spoken(), { timeZone: zone, hourCycle: "h23", ...options }));
  return formats.get(key);
}

/** `Nov 5`; in Japanese `11/5`, which takes less room than 11月5日. */
const aDay = () => (spoken() === "ja" ? { month: "numeric", day: "numeric" } : { month: "short", day: "numeric" });
const CLOCK = { hour: "2-digit", minute: "2-digit" };

export const dateTime = (ms) => format({ year: "numeric", ...aDay(), ...CLOCK, second: "2-digit" }).format(ms);
export const minuteTime = (ms) => format({ ...aDay(), ...CLOCK }).format(ms);
export const day = (ms) => format(aDay()).format(ms);
export const clockTime = (ms) => format(CLOCK).format(ms);
export const exactTime = (ms) =>
  `${format({ year: "numeric", month: "2-digit", day: "2-digit", ...CLOCK, second: "2-digit", fractionalSecondDigits: 3 }).format(ms)}`;

/** Milliseconds by which clocks in the zone are ahead of UTC at that moment. */
function offset(ms) {
  const parts = new Intl.DateTimeFormat("en", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  }).formatToParts(ms);
  const of = (type) => Number(parts.find((part) => part.type === type).value);
  const wall = Date.UTC(of("year"), of("month") - 1, of("day"), of("hour"), of("minute"), of("second"));
  return wall - Math.floor(ms / 1000) * 1000;
}

/** A moment as the chart library is to see it: it counts in UTC, so that its ticks fall on round times of the zone. */
export const toWall = (ms) => ms + offset(ms);
export const fromWall = (wall) => {
  const guess = wall - offset(wall);
  return wall - offset(guess);
};

/** Text of an `<input type="datetime-local">`, in the zone. */
export const toInput = (ms) => new Date(toWall(ms)).toISOString().slice(0, 16);
export const fromInput = (text) => (text ? fromWall(Date.parse(`${text}:00Z`)) : NaN);

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const A_DAY = 24 * HOUR;

/** What the picker offers, as New Relic's does. */
export const PRESETS = [
  [30, "minute", 30 * MINUTE],
  [60, "minute", HOUR],
  [3, "hour", 3 * HOUR],
  [6, "hour", 6 * HOUR],
  [12, "hour", 12 * HOUR],
  [24, "hour", A_DAY],
  [3, "day", 3 * A_DAY],
  [7, "day", 7 * A_DAY],
  [14, "day", 14 * A_DAY],
  [30, "day", 30 * A_DAY],
].map(([count, unit, length]) => ({ count, unit, length, id: `${count}${unit[0]}` }));

/** A length of time in two units at most: `3 d 4 h`. */
export function length(ms) {
  const sign = ms < 0 ? "−" : "";
  let rest = Math.abs(ms);
  if (rest < 1000) return `${sign}${Math.round(rest)} ms`;
  const units = [
    ["d", A_DAY],
    ["h", HOUR],
    ["min", MINUTE],
    ["s", 1000],
  ];
  const parts = [];
  for (const [name, size] of units) {
    const count = name === "s" ? Math.round((rest / size) * 10) / 10 : Math.floor(rest / size);
    if (count > 0 && parts.length < 2) parts.push(`${count} ${name}`);
    rest -= Math.floor(rest / size) * size;
  }
  return sign + parts.join(" ");
}

/** How long ago, in one unit. */
export function ago(ms, now) {
  const relative = new Intl.RelativeTimeFormat(spoken(), { numeric: "auto" });
  const passed = now - ms;
  for (const [unit, size] of [
    ["day", A_DAY],
    ["hour", HOUR],
    ["minute", MINUTE],
  ]) {
    if (Math.abs(passed) >= size) return relative.format(-Math.round(passed / size), unit);
  }
  return relative.format(-Math.round(passed / 1000), "second");
}

export const presetName = (preset) => say("last", preset.count, say(preset.unit));

// Logs: one line a row, which opens to the whole record. In: a frame of rows. Out: a list. Also JSON as such.

import { make } from "../dom.js";
import { current } from "../frame.js";
import { isMoment } from "../number.js";
import { say } from "../texts.js";
import { exactTime } from "../time.js";

const LEVELS = {
  fatal: "critical",
  critical: "critical",
  high: "severe",
  error: "critical",
  severe: "severe",
  warn: "warning",
  warning: "warning",
  medium: "warning",
  info: "none",
  low: "none",
};

/** Attributes that make a line when there is no message. */
const IN_LINE = 6;

function tree(value) {
  if (typeof value === "string" && /^[{[]/.test(value)) {
    try {
      return JSON.parse(value);
    } catch {
      return value;
    }
  }
  return value;
}

const text = (value) => (typeof value === "string" ? value : JSON.stringify(value));

/** JSON as people read it, with names apart from values. */
export function json(value) {
  const lines = JSON.stringify(value, null, 2)
    .split("\n")
    .map((line) => {
      const found = /^(\s*)("(?:[^"\\]|\\.)*")(: )(.*)$/.exec(line);
      return found ? [found[1], make("span", { class: "json-name" }, found[2]), found[3], made(found[4])] : made(line);
    });
  return make(
    "pre",
    { class: "json", tabindex: "0" },
    lines.flatMap((line, at) => (at ? ["\n", line].flat() : [line].flat())),
  );
}

function made(line) {
  const kind = /^\s*"/.test(line) ? "text" : /^\s*-?\d/.test(line) ? "number" : "";
  return kind ? make("span", { class: `json-${kind}` }, line) : line;
}

export function log(frame, label) {
  const rows = current(frame).map((group) => group.values);
  const list = rows.map((row) => {
    const level = String(row.level ?? row["log.level"] ?? row["control.severity"] ?? "").toLowerCase();
    const time = Object.entries(row).find(([name, value]) => name === "timestamp" && isMoment(value))?.[1];
    const message = row.message === undefined ? null : tree(row.message);
    const summary =
      typeof message === "string"
        ? message
        : message
          ? [message.eventName, message.eventSource, message.userIdentity?.arn ?? message.userIdentity?.type, message.errorCode]
              .filter(Boolean)
              .join("  ") || text(message)
          : null;
    const parts = summary
      ? [summary]
      : Object.entries(row)
          .filter(([name, value]) => name !== "timestamp" && value !== null)
          .slice(0, IN_LINE)
          .map(([name, value]) => [make("span", { class: "log-name" }, `${name}=`), `${text(value)}  `])
          .flat();
    const whole = Object.fromEntries(Object.entries(row).map(([name, value]) => [name, tree(value)]));
    const details = make(
      "details",
      { class: `log-row log-${LEVELS[level] ?? "none"}` },
      make(
        "summary",
        { title: say("openRecord") },
        make("time", {}, time ? exactTime(time) : "–"),
        level ? make("span", { class: "log-level" }, level.toUpperCase()) : null,
        make("span", { class: "log-text" }, parts),
      ),
    );
    // The record is drawn when it is looked at: a page may hold thousands.
    details.addEventListener(
      "toggle",
      () => {
        if (details.open && details.childElementCount === 1) details.append(json(whole));
      },
      { once: true },
    );
    return details;
  });
  return make("div", { class: "log", role: "region", "aria-label": label, tabindex: "0" }, list);
}

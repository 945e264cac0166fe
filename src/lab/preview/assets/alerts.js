// The page Alerts. In: the conditions of the server, how the page stands. Out: the list of all conditions by policy, or one condition:
// its signals with thresholds and incidents, the incidents as a table, its settings. What always holds: a condition that could not be
// judged says why and shows no zero; a list is asked policy by policy, so that the first come first.

import { askAlert, askAlerts } from "./api.js";
import { fill, icon, make } from "./dom.js";
import { signalChart } from "./draw/signal.js";
import { strip } from "./draw/strip.js";
import { exact } from "./number.js";
import { say } from "./texts.js";
import { length, minuteTime } from "./time.js";

const MINUTE = 60_000;

/** What is shown while nothing is picked. */
const DEFAULT_MS = 7 * 24 * 60 * MINUTE;

/** What the last rows open is opened when their windows are closed: after now. */
const SETTLING_MS = 30 * MINUTE;

const SIGNS = { ABOVE: ">", ABOVE_OR_EQUALS: "≥", BELOW: "<", BELOW_OR_EQUALS: "≤", EQUALS: "=", NOT_EQUALS: "≠" };
const SEVERITY = { CRITICAL: "critical", WARNING: "warning" };

/** The shown time: what was picked, or the last days. */
function shownTime({ since, until, now }, custom, arrivals) {
  if (custom) return { since, until };
  const end = Math.max(now, arrivals?.[1] ?? now);
  return { since: since ?? now - DEFAULT_MS, until: end + SETTLING_MS };
}

/** `CRITICAL > 5`; of a baseline in standard deviations. */
export function ladder(definition) {
  const silent = definition.expiration?.opens ? [{ priority: "CRITICAL", text: `CRITICAL ${say("atSilence")}` }] : [];
  // One that opens at silence has a term only because New Relic asks for one.
  const idle = (term) => silent.length && term.operator === "BELOW" && term.threshold <= 1;
  const terms = definition.terms.filter((term) => !idle(term));
  return [
    ...silent,
    ...terms.map((term) => ({
      priority: term.priority,
      text: `${term.priority} ${SIGNS[term.operator]} ${exact(term.threshold)}${definition.baseline ? " σ" : ""}`,
    })),
  ];
}

const tag = (priority, text) =>
  make("span", { class: `priority priority-${SEVERITY[priority]}` }, icon(SEVERITY[priority]), text);

function rangeText({ since, until }, arrivals) {
  const shown = say("alertsShown", minuteTime(since), minuteTime(until));
  return arrivals ? `${shown} ${say("alertsRows", minuteTime(arrivals[0]), minuteTime(arrivals[1]))}` : shown;
}

/**
 * The page. `standing()` gives {since, until, now}, `custom()` whether both ends were picked; `served` are the conditions; `address(id)`
 * is the address of one, `open(id)` shows it (null: the list).
 */
export function alertsPage(served, { id, standing, custom, address, open, language }) {
  const known = served.policies.flatMap((policy) => policy.conditions.map((definition) => ({ policy, definition })));
  const found = known.find((entry) => entry.definition.id === id);
  const time = () => shownTime(standing(), custom(), served.arrivals);
  const link = (target, properties, ...children) =>
    make(
      "a",
      {
        ...properties,
        href: address(target),
        on: {
          click: (event) => {
            if (event.ctrlKey || event.metaKey || event.shiftKey) return;
            event.preventDefault();
            open(target);
          },
        },
      },
      ...children,
    );
  if (id && !found)
    return still(
      make(
        "div",
        { class: "alerts" },
        link(null, { class: "back" }, say("allConditions")),
        make("p", {}, say("noCondition", id)),
      ),
    );
  return found ? onePage(found, { time, link, language, served }) : listPage(served, { time, link, known });
}

const still = (element) => ({ element, title: "", refresh: async () => {}, redraw: () => {}, dispose: () => {} });

/** The list of all conditions. */
function listPage(served, { time, link, known }) {
  const told = new Map();
  const head = make("div", { class: "alerts-head" });
  const sections = served.policies.map((policy) => ({ policy, body: make("tbody") }));
  const element = make(
    "div",
    { class: "alerts" },
    head,
    sections.map(({ policy, body }) =>
      make(
        "section",
        { class: "widget alerts-policy", "aria-label": policy.name },
        make(
          "div",
          { class: "widget-head" },
          make("h2", {}, policy.name),
          make("span", { class: "muted alerts-preference" }, say("preference")[policy.preference] ?? policy.preference),
        ),
        make(
          "div",
          { class: "alerts-scroll" },
          make(
            "table",
            { class: "alerts-table alerts-list" },
            make("caption", { class: "unseen" }, policy.name),
            make(
              "thead",
              {},
              make(
                "tr",
                {},
                ["condition", "opensAt", "criticalCount", "warningCount", "lastIncident", "incidentsInTime"].map((name, at) =>
                  make("th", { scope: "col", class: at === 2 || at === 3 ? "right" : null }, say(name)),
                ),
              ),
            ),
            body,
          ),
        ),
      ),
    ),
  );
  const drawHead = () => {
    const counted = known.filter(({ definition }) => !definition.remark).map(({ definition }) => told.get(definition.id));
    const all = counted.filter(Boolean);
    const sum = (name) => all.reduce((sum, one) => sum + (one[name] ?? 0), 0);
    const facts = [
      say("conditionCount", known.length, known.filter(({ definition }) => definition.enabled).length),
      ...(all.length
        ? [
            say("withIncidents", all.filter((one) => one.critical || one.warning).length),
            say("incidentCount", sum("critical"), sum("warning")),
          ]
        : []),
    ];
    const silent = [...told.values()].filter((one) => one.noRows).length;
    if (silent) facts.push(say("withoutRows", silent));
    fill(
      head,
      make(
        "p",
        { class: "alerts-facts" },
        facts.map((fact) => make("span", {}, fact)),
      ),
      make("p", { class: "muted" }, rangeText(time(), served.arrivals)),
    );
  };
  const drawRow = (definition) => {
    const one = told.get(definition.id);
    const name = make(
      "td",
      {},
      link(definition.id, { class: "alerts-name", title: definition.question }, definition.name),
      " ",
      definition.enabled ? null : make("span", { class: "badge", title: definition.because }, say("off")),
      one?.approximate ? make("span", { class: "badge" }, say("approximate")) : null,
    );
    const opens = make(
      "td",
      {},
      make(
        "div",
        { class: "ladder" },
        ladder(definition).map((term) => tag(term.priority, term.text)),
      ),
    );
    const count = (number, severity) =>
      make("td", { class: `right${number ? ` count-${severity}` : " missing"}` }, number === 0 ? "0" : exact(number));
    const cells = !one
      ? [make("td", { colspan: "4", class: "muted" }, say("loading"))]
      : one.noRows
        ? [make("td", { colspan: "4", class: "muted" }, say("noRowsOf", one.noRows.join(", ")))]
        : one.error
          ? [make("td", { colspan: "4", class: "alerts-refused" }, icon("critical"), say("notJudged"), " ", one.error)]
          : [
              count(one.critical, "critical"),
              count(one.warning, "warning"),
              make("td", {}, one.last === null ? make("span", { class: "missing" }, "–") : minuteTime(one.last)),
              definition.remark
                ? make("td", { class: "muted alerts-remark" }, definition.remark)
                : make("td", {}, strip(one, time())),
            ];
    return make("tr", { data: { id: definition.id, critical: String(one?.critical ?? "") } }, name, opens, cells);
  };
  const drawSection = ({ policy, body }) => {
    const number = (definition) => {
      const one = told.get(definition.id);
      // What says nothing comes after what does.
      return definition.remark ? -1 : (one?.critical ?? 0) * 1e6 + (one?.warning ?? 0);
    };
    const order = [...policy.conditions].sort((a, b) => number(b) - number(a));
    const focused = document.activeElement?.closest?.("tr")?.dataset.id;
    fill(body, order.map(drawRow));
    if (focused && !document.activeElement?.closest?.("tr")) body.querySelector(`tr[data-id="${focused}"] a`)?.focus();
  };
  const redraw = () => {
    drawHead();
    sections.forEach(drawSection);
  };
  redraw();
  let asking = null;
  return {
    element,
    redraw,
    dispose: () => asking?.abort(),
    refresh: async () => {
      asking?.abort();
      const mine = new AbortController();
      asking = mine;
      await Promise.all(
        sections.map(async (section) => {
          const answer = await asked(() => askAlerts({ policy: section.policy.key, ...time() }, mine.signal));
          if (mine.signal.aborted || !answer) return;
          for (const { id } of answer.error ? section.policy.conditions : []) told.set(id, { error: answer.error });
          for (const one of answer.conditions ?? []) told.set(one.id, one);
          drawSection(section);
          drawHead();
        }),
      );
    },
  };
}

/** An answer, or `{error}`; null when it is no longer wanted. */
async function asked(ask) {
  try {
    return await ask();
  } catch (error) {
    return error.name === "AbortError" ? null : { error: say("unreachable") };
  }
}

/** One condition. */
function onePage({ policy, definition }, { time, link, language, served }) {
  const state = make("p", { class: "muted alerts-state" });
  const chartBody = make("div", { class: "widget-body" });
  const tableBody = make("div", { class: "widget-body" });
  const rest = make("p", { class: "muted alerts-rest" });
  const card = (title, className, ...children) =>
    make(
      "section",
      { class: `widget ${className}`, "aria-label": title },
      make("div", { class: "widget-head" }, make("h2", {}, title)),
      ...children,
    );
  const element = make(
    "div",
    { class: "alerts" },
    make(
      "div",
      { class: "alerts-head" },
      link(null, { class: "back" }, say("allConditions")),
      make(
        "p",
        { class: "alerts-title" },
        make("strong", {}, definition.name),
        make("span", { class: "badge", title: definition.because }, say(definition.enabled ? "on" : "off")),
        definition.baseline ? make("span", { class: "badge", title: say("approximateHint") }, say("approximate")) : null,
        make("span", { class: "muted" }, policy.name),
      ),
      make("p", {}, definition.question),
      definition.remark ? make("p", { class: "alerts-remark-whole" }, definition.remark) : null,
      state,
    ),
    card(`${say("signal")}: ${definition.value}`, "alerts-signal", chartBody, rest),
    card(say("incidents"), "alerts-incidents", tableBody),
    card(say("settings"), "alerts-settings", settings(definition)),
  );
  let told = null;
  let drawn = null;
  const draw = () => {
    const range = time();
    drawn?.dispose?.();
    drawn = null;
    element.dataset.state = told.error ? "error" : told.noRows ? "norows" : "ready";
    state.textContent = [rangeText(range, served.arrivals), ...facts(told, definition)].join(" ");
    const notice = (drawing, text, detail) =>
      make("div", { class: "notice" }, icon(drawing), make("strong", {}, text), detail ? make("p", {}, detail) : null);
    rest.textContent = "";
    if (told.error || told.noRows) {
      const text = told.error ? say("notJudged") : say("noRowsOf", told.noRows.join(", "));
      fill(chartBody, notice(told.error ? "critical" : "unavailable", text, told.error ?? say("noRowsHint")));
      fill(tableBody, notice("unavailable", say("notJudged")));
      return;
    }
    const measured = told.signals.some((signal) => signal.points.length);
    if (measured || told.incidents.length) {
      drawn = signalChart(told, definition, range);
      fill(chartBody, drawn);
    } else fill(chartBody, notice("unavailable", say("noWindows"), say("noWindowsHint")));
    rest.textContent = told.moreSignals ? say("moreSignals", told.moreSignals) : "";
    fill(tableBody, told.incidents.length ? incidentTable(told) : notice("success", say("noIncidents")));
  };
  let asking = null;
  return {
    element,
    title: definition.name,
    redraw: () => told && draw(),
    dispose: () => {
      asking?.abort();
      drawn?.dispose?.();
    },
    refresh: async () => {
      asking?.abort();
      const mine = new AbortController();
      asking = mine;
      const answer = await asked(() => askAlert({ id: definition.id, lang: language, ...time() }, mine.signal));
      if (mine.signal.aborted || !answer) return;
      told = answer;
      draw();
    },
  };
}

/** What the reader should know of a result. */
function facts(told, definition) {
  if (told.error || told.noRows) return [];
  const thinned = told.signals.some((signal) => signal.windows > signal.points.length);
  return [
    say("signalsInAll", told.signalsInAll),
    told.late ? say("lateRows", told.late) : "",
    told.unclosed ? say("unclosed", told.unclosed) : "",
    told.forgotten ? say("forgotten", told.forgotten) : "",
    thinned ? say("thinned") : "",
    definition.baseline ? say("approximateHint") : "",
    ...(definition.baseline ? [] : told.notes),
  ].filter(Boolean);
}

function incidentTable(told) {
  const names = ["priority", "incidentTitle", "opened", "closed", "lasted", "cause", "facets"];
  const row = (incident) => {
    const facets = Object.entries(incident.facets);
    return make(
      "tr",
      { data: { priority: incident.priority } },
      make("td", {}, tag(incident.priority, incident.priority)),
      make("td", { class: "alerts-text" }, incident.title),
      make("td", {}, minuteTime(incident.opened)),
      make(
        "td",
        {},
        incident.closed === null
          ? make("strong", {}, say("stillOpen"))
          : [minuteTime(incident.closed), " ", make("span", { class: "muted" }, say("closedBecause")[incident.closedBecause])],
      ),
      make(
        "td",
        {},
        incident.closed === null ? "–" : incident.closed <= incident.opened ? "0 s" : length(incident.closed - incident.opened),
      ),
      make("td", {}, incident.cause === "signalLost" ? say("signalLost") : `${say("value")} ${exact(incident.value ?? 0)}`),
      make(
        "td",
        { class: "alerts-text" },
        facets.length
          ? facets.map(([name, value]) => make("span", { class: "facet" }, make("span", { class: "muted" }, name), ` ${value}`))
          : make("span", { class: "missing" }, "–"),
      ),
    );
  };
  return make(
    "div",
    { class: "alerts-scroll" },
    make(
      "table",
      { class: "alerts-table" },
      make("caption", { class: "unseen" }, say("incidents")),
      make(
        "thead",
        {},
        make(
          "tr",
          {},
          names.map((name) => make("th", { scope: "col" }, say(name))),
        ),
      ),
      make("tbody", {}, told.incidents.map(row)),
    ),
    told.moreIncidents ? make("p", { class: "muted" }, say("moreIncidents", told.moreIncidents)) : null,
  );
}

/** A text with what stands for values, and what is to be typed, set apart. */
const templated = (text) =>
  text.split(/(\{\{[^}]+\}\}|`[^`]+`)/).map((part, at) => (at % 2 ? make("code", {}, part.replaceAll("`", "")) : part));

/** Every setting with its reason. Reasons are in English, as their authors wrote them. */
function settings(definition) {
  const { signal, expiration } = definition;
  const seconds = (count) => length(count * 1000);
  const english = (text) => make("span", { class: "muted", lang: "en" }, templated(text));
  const method = `${signal.method}, ${say(signal.method === "EVENT_TIMER" ? "timer" : "delay")} ${signal.wait ? seconds(signal.wait) : "0 s"}`;
  const silence = expiration
    ? [
        say("after", seconds(expiration.after)),
        expiration.closes ? say("closesIncidents") : "",
        expiration.opens ? say("opensIncident") : "",
        expiration.ignoresExpected ? say("ignoresExpected") : "",
      ].filter(Boolean)
    : [say("nothingHappens")];
  const term = (one) => [
    make(
      "div",
      {},
      tag(one.priority, `${one.priority} ${SIGNS[one.operator]} ${exact(one.threshold)}${definition.baseline ? " σ" : ""}`),
      ` ${seconds(one.duration)}, ${one.occurrences}`,
    ),
    one.reason ? english(one.reason) : null,
  ];
  const left = [
    ["opensWhen", definition.opens.map((text) => make("div", {}, text))],
    ["closesWhen", definition.closes],
    ["query", make("pre", { class: "query", tabindex: "0" }, definition.query)],
    ["thresholds", definition.terms.map((one) => make("div", { class: "alerts-term" }, term(one)))],
    ["window", signal.slide ? `${seconds(signal.window)}, ${say("slidesBy", seconds(signal.slide))}` : seconds(signal.window)],
    ["method", method],
    ["gapFill", signal.fillValue === null ? signal.fill : `${signal.fill} ${exact(signal.fillValue)}`],
    signal.evaluationDelay ? ["evaluationDelay", seconds(signal.evaluationDelay)] : null,
    definition.baseline ? ["baseline", definition.baseline.join(", ")] : null,
    ["lossOfSignal", [make("div", {}, silence.join(say("listComma"))), definition.silence ? english(definition.silence) : null]],
    ["timeLimit", seconds(definition.timeLimit)],
  ];
  const right = [
    ["meaning", templated(definition.description)],
    ["firstResponse", templated(definition.response)],
    ["quieter", templated(definition.tuning)],
    [definition.enabled ? "whyOn" : "whyOff", english(definition.because)],
    [
      "runbook",
      /^https:\/\//.test(definition.runbook)
        ? make(
            "a",
            { href: definition.runbook, target: "_blank", rel: "noopener noreferrer" },
            definition.runbook.replace(/^https:\/\//, ""),
          )
        : definition.runbook,
    ],
    ["conditionId", definition.id],
  ];
  const list = (rows) =>
    make(
      "dl",
      { class: "alerts-dl" },
      rows.filter(Boolean).flatMap(([name, value]) => [make("dt", {}, say(name)), make("dd", {}, ...[value].flat())]),
    );
  return make("div", { class: "alerts-columns" }, list(left), list(right));
}

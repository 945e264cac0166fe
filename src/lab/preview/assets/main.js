// The page. In: the dashboards and conditions of the server, the address bar. Out: what is on the screen. Language, page, condition,
// theme and time are in the address, so that a view can be kept and a picture of it made.

import { alertsPage } from "./alerts.js";
import { clock, conditions, dashboards } from "./api.js";
import { announce, fill, icon, make } from "./dom.js";
import { filterBar, toggled } from "./filter.js";
import { picker, pickedName, windowOf } from "./picker.js";
import { tabs } from "./tabs.js";
import { say, speak, spoken } from "./texts.js";
import { dateTime, useZone } from "./time.js";
import { variables } from "./variable.js";
import { widget } from "./widget.js";

/** How often a live page looks for new data. */
const LOOK_MS = 3000;

/** How long a frame is waited for. */
const FRAME_MS = 500;

/** In the address: the page of the conditions, which comes after the dashboard's own. */
const ALERTS = "alerts";

const pageOf = (query) => (query.get("page") === ALERTS || query.has("condition") ? Infinity : Number(query.get("page") ?? 0));

const query = new URLSearchParams(location.search);
const state = {
  theme: query.get("theme") ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"),
  themeChosen: query.has("theme"),
  dashboard: Number(query.get("dashboard") ?? 0),
  page: pageOf(query),
  condition: query.get("condition"),
  picked: query.get("time")
    ? { preset: query.get("time") }
    : query.get("since")
      ? { since: Number(query.get("since")), until: Number(query.get("until")) }
      : null,
  filters: [],
  now: Date.now(),
};
/** For a picture: no controls, nothing that moves. */
const picture = query.has("picture");

let served = null;
let alerts = null;
let shown = [];
let chosen = null;
const top = document.getElementById("top");
const bar = document.getElementById("bar");
const main = document.getElementById("page");

const definition = () => served.dashboards[state.dashboard] ?? served.dashboards[0];
const pages = () => definition().pages ?? [];
const lastPage = () => Math.max(0, pages().length - (served.alerts ? 0 : 1));
const isAlerts = () => served.alerts && state.page >= pages().length;

/** The address of the view as it stands, with another condition if one is given. */
function addressOf(condition = state.condition) {
  const kept = new URLSearchParams();
  kept.set("lang", spoken());
  if (state.dashboard) kept.set("dashboard", String(state.dashboard));
  kept.set("page", isAlerts() ? ALERTS : String(state.page));
  if (isAlerts() && condition) kept.set("condition", condition);
  if (state.themeChosen) kept.set("theme", state.theme);
  if (state.picked?.preset) kept.set("time", state.picked.preset);
  if (state.picked?.since) for (const end of ["since", "until"]) kept.set(end, String(state.picked[end]));
  if (picture) kept.set("picture", "");
  return `?${kept}`;
}

function keepAddress() {
  history.replaceState(null, "", addressOf());
}

function applyTheme() {
  document.documentElement.dataset.theme = state.theme;
}

/** How the page stands, for a question. */
function standing() {
  return {
    variables: chosen.chosen(),
    ...windowOf(state.picked, state.now),
    filters: state.filters.map(({ attribute, value }) => ({ attribute, value })),
    now: state.now,
  };
}

function drawTop() {
  const names = served.dashboards.map((dashboard) => dashboard.name);
  const title =
    names.length > 1
      ? make(
          "select",
          {
            class: "dashboard-choice",
            "aria-label": say("dashboard"),
            on: { change: (event) => openDashboard(event.target.selectedIndex) },
          },
          names.map((name, at) => make("option", { selected: at === state.dashboard }, name)),
        )
      : make("h1", {}, names[0]);
  const other = served.languages.find((code) => code !== spoken());
  const dark = state.theme === "dark";
  fill(
    top,
    make("div", { class: "brand" }, make("img", { src: "/assets/icon.svg", alt: "", width: "22", height: "22" }), title),
    make(
      "div",
      { class: "top-controls" },
      served.masked ? make("span", { class: "badge", title: say("maskedHint") }, say("masked")) : null,
      served.live ? make("span", { class: "badge badge-live", title: say("liveHint") }, say("live")) : null,
      picture
        ? make("span", { class: "badge" }, pickedName(state.picked))
        : [
            picker(state.picked, state.now, (value) => {
              state.picked = value;
              keepAddress();
              drawTop();
              openPage();
            }),
            make(
              "button",
              {
                type: "button",
                class: "icon-button",
                title: say("refresh"),
                "aria-label": say("refresh"),
                on: { click: refresh },
              },
              icon("refresh"),
            ),
            make(
              "button",
              {
                type: "button",
                class: "icon-button",
                title: say(dark ? "themeLight" : "themeDark"),
                "aria-label": say(dark ? "themeLight" : "themeDark"),
                on: { click: switchTheme },
              },
              icon(dark ? "sun" : "moon"),
            ),
            make(
              "button",
              {
                type: "button",
                class: "quiet",
                lang: other,
                "aria-label": `${say("language")}: ${say("otherLanguage")}`,
                on: { click: () => load(other) },
              },
              say("otherLanguage"),
            ),
          ],
    ),
  );
}

function drawBar() {
  const names = [...pages().map((page) => page.name), ...(served.alerts ? [say("alerts")] : [])];
  const controls =
    chosen.any && !picture && !isAlerts()
      ? make("div", { class: "variables", role: "group", "aria-label": say("variables") }, chosen.controls())
      : null;
  const filters = filterBar(state.filters, (list) => {
    state.filters = list;
    drawBar();
    refresh();
  });
  fill(
    bar,
    tabs(names, state.page, (at) => {
      if (at === state.page && !state.condition) return;
      state.page = at;
      state.condition = null;
      state.filters = [];
      keepAddress();
      drawBar();
      openPage();
      announce(names[at]);
    }),
    controls || filters ? make("div", { class: "controls" }, controls, filters) : null,
  );
}

function openDashboard(at) {
  state.dashboard = at;
  state.page = 0;
  state.filters = [];
  prepare();
}

function openPage() {
  for (const one of shown) one.dispose();
  if (isAlerts()) return openAlerts();
  const page = pages()[state.page];
  document.title = [page?.name, definition().name].filter(Boolean).join(" – ");
  if (!page) return fill(main, make("p", { class: "notice" }, say("noPages")));
  main.setAttribute("role", "tabpanel");
  main.setAttribute("aria-labelledby", `tab-${state.page}`);
  const placed = (one) => (one.layout?.row ?? 1) * 100 + (one.layout?.column ?? 1);
  // In the order in which they are read: that of the Tab key, and of one column on a phone.
  const inOrder = [...(page.widgets ?? [])].sort((a, b) => placed(a) - placed(b));
  shown = inOrder.map((one) => widget(one, { state: standing, onFilter: picture ? null : addFilter, showQueries }));
  fill(
    main,
    make(
      "div",
      { class: "grid" },
      shown.map((one) => one.element),
    ),
  );
  return refresh();
}

/** The list of conditions, or one of them. */
async function openAlerts() {
  const round = [];
  shown = round;
  main.setAttribute("role", "tabpanel");
  main.setAttribute("aria-labelledby", `tab-${state.page}`);
  try {
    // Rows that came since then moved the last arrival.
    alerts = await conditions(spoken());
  } catch (error) {
    if (shown === round) fill(main, make("p", { class: "notice" }, `${say("unreachable")}: ${error.message}`));
    return;
  }
  if (shown !== round) return;
  const page = alertsPage(alerts, {
    id: state.condition,
    language: spoken(),
    standing,
    custom: () => Boolean(state.picked?.since),
    address: addressOf,
    open: openCondition,
  });
  document.title = [page.title, say("alerts"), definition().name].filter(Boolean).join(" – ");
  shown = [page];
  fill(main, page.element);
  return refresh();
}

function openCondition(id) {
  state.condition = id;
  history.pushState(null, "", addressOf());
  window.scrollTo(0, 0);
  main.focus();
  openPage();
}

function addFilter(attribute, value, text) {
  state.filters = toggled(state.filters, attribute, value, text);
  drawBar();
  refresh();
}

/** Charts are drawn when they have their size: in the next frame. A browser that nobody looks at may draw none: it is not waited for. */
function framed() {
  return new Promise((drawn) => {
    requestAnimationFrame(() => requestAnimationFrame(drawn));
    setTimeout(drawn, FRAME_MS);
  });
}

async function refresh() {
  document.documentElement.dataset.ready = "false";
  const round = shown;
  try {
    const told = await clock();
    state.now = told.now ?? state.now;
    tellArrival(told);
  } catch {
    // The widgets will say that nobody answers.
  }
  await Promise.all(round.map((one) => one.refresh()));
  await framed();
  if (round !== shown) return;
  document.documentElement.dataset.height = String(document.body.scrollHeight);
  document.documentElement.dataset.ready = "true";
}

/** Says as long as it is so that not all data are in. */
function tellArrival({ now, whole }) {
  const arriving = document.getElementById("arriving");
  if (whole && !arriving.hidden) announce(say("arrived"));
  arriving.hidden = whole !== false;
  arriving.textContent = whole === false ? say("arriving", dateTime(now)) : "";
}

function switchTheme() {
  state.theme = state.theme === "dark" ? "light" : "dark";
  state.themeChosen = true;
  keepAddress();
  applyTheme();
  drawTop();
  for (const one of shown) one.redraw?.();
  top.querySelectorAll(".icon-button")[1]?.focus();
}

/** The queries of a widget as they were asked, in a dialog. */
function showQueries(title, texts) {
  const copy = (text) =>
    make(
      "button",
      {
        type: "button",
        class: "quiet",
        on: {
          click: async (event) => {
            await navigator.clipboard.writeText(text);
            event.target.textContent = say("copied");
          },
        },
      },
      say("copy"),
    );
  const dialog = make(
    "dialog",
    { "aria-label": `${say("query")}: ${title}` },
    make("h2", {}, title),
    texts.map((text) => make("div", { class: "query-holder" }, make("pre", { class: "query", tabindex: "0" }, text), copy(text))),
    make("form", { method: "dialog" }, make("button", { class: "primary", autofocus: true }, say("close"))),
  );
  dialog.querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    dialog.close();
  });
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

/** Live: asks again when the data's clock has moved. */
function follow() {
  setInterval(async () => {
    if (document.hidden || document.documentElement.dataset.ready !== "true") return;
    try {
      const { now, live } = await clock();
      if (live && now > state.now) refresh();
    } catch {
      // The server may come back: the next look will tell.
    }
  }, LOOK_MS);
}

function prepare() {
  state.page = Math.min(Math.max(0, state.page), lastPage());
  chosen = variables(definition().variables, () => refresh());
  keepAddress();
  drawTop();
  drawBar();
  // Widgets need the values of drop-downs: those whose default is "all" ask by the whole list.
  return chosen.load(state.now).then(openPage, openPage);
}

async function load(language) {
  served = await dashboards(language);
  speak(served.lang);
  useZone(served.zone);
  state.now = served.now;
  document.getElementById("skip").textContent = say("skip");
  document.documentElement.classList.toggle("picture", picture);
  state.filters = [];
  await prepare();
}

applyTheme();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", (event) => {
  if (state.themeChosen) return;
  state.theme = event.matches ? "dark" : "light";
  applyTheme();
  drawTop();
  for (const one of shown) one.redraw?.();
});
window.addEventListener("popstate", () => {
  const { page, condition } = state;
  const now = new URLSearchParams(location.search);
  state.page = Math.min(Math.max(0, pageOf(now)), lastPage());
  state.condition = now.get("condition");
  if (state.page === page && state.condition === condition) return;
  drawBar();
  openPage();
});
await load(query.get("lang"));
if (served.live && !picture) follow();

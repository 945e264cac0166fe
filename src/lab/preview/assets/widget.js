// One widget: a card that asks its queries and draws the answers. In: a widget of a dashboard, and how the page stands. Out: a card.
// What always holds: a refused query shows where it is wrong; an empty answer says so; what was drawn stays until the next is there.

import { ask } from "./api.js";
import { fill, icon, make, popover } from "./dom.js";
import { frameOf, isEmpty, joined, keyText } from "./frame.js";
import { markdown } from "./draw/markdown.js";
import { say } from "./texts.js";
import { hasTable, summary, tableBehind, viewOf } from "./view.js";

/** How long a widget may wait before it says that it does. */
const PATIENCE_MS = 400;

/** A card. `state()` gives {variables, since, until, filters, now}; `onFilter(attribute, value, text)` adds a filter. */
export function widget(definition, { state, onFilter, showQueries }) {
  const configuration = definition.rawConfiguration ?? definition.configuration ?? {};
  const queries = configuration.nrqlQueries ?? [];
  const id = definition.visualization?.id ?? "";
  const view = viewOf(id);
  const title = definition.title ?? "";
  const ownWindow = configuration.platformOptions?.ignoreTimeRange === true;
  const body = make("div", { class: "widget-body" });
  const card = make("section", { class: `widget widget-${id.replace(/^.*\./, "")}`, data: { viz: id, state: "waiting" } });
  if (title) card.setAttribute("aria-label", title);
  place(card, definition.layout ?? {});
  if (id === "viz.markdown") {
    card.append(
      title ? make("div", { class: "widget-head" }, make("h2", {}, title)) : "",
      fill(body, markdown(configuration.text)),
    );
    card.dataset.state = "ready";
    return { element: card, refresh: async () => {}, dispose: () => {} };
  }

  let drawn = null;
  let last = null;
  let asTable = false;
  let asking = null;
  const show = (element, now) => {
    drawn?.dispose?.();
    drawn = element;
    fill(body, element);
    card.dataset.state = now;
  };
  const menu = make(
    "button",
    { type: "button", class: "widget-menu", "aria-label": say("menu", title || id), title: say("menu", title || id) },
    icon("more"),
  );
  const options = popover(
    menu,
    (close) =>
      make(
        "div",
        { class: "menu" },
        hasTable(view) && last?.frame
          ? make(
              "button",
              {
                type: "button",
                class: "menu-item",
                on: {
                  click: () => {
                    asTable = !asTable;
                    close();
                    draw();
                  },
                },
              },
              icon(asTable ? "chart" : "table"),
              say(asTable ? "showChart" : "showTable"),
            )
          : null,
        make(
          "button",
          {
            type: "button",
            class: "menu-item",
            on: {
              click: () => {
                close();
                showQueries(
                  title,
                  last?.answers?.map((answer) => answer.preview?.query ?? answer.query) ?? queries.map((query) => query.query),
                );
              },
            },
          },
          icon("code"),
          say("showQuery"),
        ),
      ),
    { align: "end" },
  );
  card.append(
    make(
      "div",
      { class: "widget-head" },
      make("h2", { title: title.length > 30 ? title : null }, title),
      ownWindow && state().since !== null
        ? make(
            "span",
            { class: "own-window", title: say("ownWindow") },
            icon("clock"),
            make("span", { class: "unseen" }, say("ownWindow")),
          )
        : null,
      options,
    ),
    body,
  );

  const filterBy =
    onFilter &&
    ((group, facet) => {
      const attribute = last.frame.attributes[facet];
      if (attribute) onFilter(attribute, group.keys[facet] ?? null, keyText(group.keys[facet]));
    });
  const onGroup = filterBy && ((group) => group.keys.forEach((_, facet) => filterBy(group, facet)));

  function draw() {
    const { answers } = last;
    const refused = answers.find((answer) => answer.error);
    if (refused) return show(refusal(refused), "error");
    const frame = joined(answers.map(frameOf));
    last.frame = frame;
    if (isEmpty(frame)) return show(empty(), "empty");
    const now = state().now;
    const clickable = frame.attributes.some(Boolean);
    const label = hasTable(view) ? summary(view, frame, title, configuration) : title;
    const element = asTable
      ? tableBehind(view, frame, title, now)
      : view.draw(frame, configuration, label, { now, answers, onFilter: filterBy, onGroup: clickable ? onGroup : null });
    show(element, "ready");
  }

  async function refresh() {
    if (!view) return show(notice("unavailable", say("unsupported", id), ""), "error");
    asking?.abort();
    const mine = new AbortController();
    asking = mine;
    const late = setTimeout(() => {
      if (!drawn) show(make("div", { class: "wait" }, make("span", { class: "unseen" }, say("loading"))), "waiting");
    }, PATIENCE_MS);
    const { variables, since, until, filters } = state();
    const picked = ownWindow || since === null ? {} : { since, until };
    try {
      const answers = await Promise.all(
        queries.map(({ query, accountIds, accountId }) =>
          ask(
            {
              query,
              variables,
              ...picked,
              filters,
              accounts: (accountIds ?? [accountId]).map(Number).filter((account) => account > 0),
            },
            mine.signal,
          ),
        ),
      );
      if (mine.signal.aborted) return;
      last = { answers };
      draw();
    } catch (error) {
      if (error.name === "AbortError") return;
      // The server is gone, or a drawing met what it does not know: the widget says so, the page goes on.
      if (!(error instanceof TypeError && /fetch/i.test(error.message))) console.error(error);
      show(notice("unavailable", say("unreachable"), error.message), "error");
    } finally {
      clearTimeout(late);
    }
  }
  return {
    element: card,
    refresh,
    redraw: () => last && draw(),
    dispose: () => {
      asking?.abort();
      drawn?.dispose?.();
    },
  };
}

/** Twelve columns; on a narrow screen one, by the style sheet. */
function place(card, { column = 1, row = 1, width = 4, height = 3 }) {
  for (const [name, value] of Object.entries({ column, row, width, height })) card.style.setProperty(`--${name}`, String(value));
}

function notice(drawing, text, detail) {
  return make("div", { class: "notice" }, icon(drawing), make("strong", {}, text), detail ? make("p", {}, detail) : null);
}

const empty = () => notice("unavailable", say("empty"), say("emptyHint"));

/** What the engine says, and the query with the place it speaks of. */
function refusal(answer) {
  const [before, at, after] = answer.parts ?? [answer.query ?? "", "", ""];
  const place = answer.parts ? make("mark", {}, at || "␣") : null;
  return make(
    "div",
    { class: "notice notice-error", role: "alert" },
    icon("critical"),
    make("strong", {}, say("failed")),
    make("p", {}, answer.error),
    make("pre", { class: "query", tabindex: "0" }, before, place, after),
  );
}

// The pages of a dashboard as tabs. In: names, which is shown. Out: a list of tabs as ARIA describes them: arrow keys move, Home and
// End go to the ends, one tab is in the order of the Tab key.

import { make } from "./dom.js";
import { say } from "./texts.js";

export function tabs(names, shown, select) {
  const list = make("div", { class: "tabs", role: "tablist", "aria-label": say("pages") });
  const buttons = names.map((name, at) =>
    make(
      "button",
      {
        type: "button",
        role: "tab",
        id: `tab-${at}`,
        class: "tab",
        "aria-selected": String(at === shown),
        "aria-controls": "page",
        tabindex: at === shown ? "0" : "-1",
        on: { click: () => select(at) },
      },
      name,
    ),
  );
  list.append(...buttons);
  const MOVES = { ArrowRight: 1, ArrowLeft: -1 };
  list.addEventListener("keydown", (event) => {
    const at = buttons.indexOf(document.activeElement);
    if (at < 0) return;
    const to =
      event.key === "Home"
        ? 0
        : event.key === "End"
          ? buttons.length - 1
          : event.key in MOVES
            ? (at + MOVES[event.key] + buttons.length) % buttons.length
            : null;
    if (to === null) return;
    event.preventDefault();
    select(to);
    document.getElementById(`tab-${to}`)?.focus();
  });
  // Only a strip that is wider than the screen has to move.
  queueMicrotask(() => buttons[shown]?.scrollIntoView({ block: "nearest", inline: "nearest" }));
  return list;
}

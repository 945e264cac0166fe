// Filters that came from clicks on groups. In: filters. Out: a row of them, each with a button that takes it away.

import { icon, make } from "./dom.js";
import { say } from "./texts.js";

/** Filters: [{attribute, value, text}]; `change(filters)` sets them. */
export function filterBar(filters, change) {
  if (!filters.length) return null;
  const chips = filters.map((filter) =>
    make(
      "span",
      { class: "chip" },
      make("span", {}, make("b", {}, filter.attribute), " = ", filter.text),
      make(
        "button",
        {
          type: "button",
          "aria-label": say("removeFilter", filter.attribute, filter.text),
          on: { click: () => change(filters.filter((other) => other !== filter)) },
        },
        icon("close"),
      ),
    ),
  );
  return make(
    "div",
    { class: "filters", role: "group", "aria-label": say("filters") },
    icon("filter"),
    chips,
    make("button", { type: "button", class: "quiet", on: { click: () => change([]) } }, say("clearFilters")),
  );
}

/** A filter added, or taken away when it was there. */
export function toggled(filters, attribute, value, text) {
  const same = filters.find((filter) => filter.attribute === attribute && filter.value === value);
  return same
    ? filters.filter((filter) => filter !== same)
    : [...filters.filter((filter) => filter.attribute !== attribute), { attribute, value, text }];
}

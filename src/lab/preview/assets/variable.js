// Variables of a dashboard as controls. In: `variables` of a dashboard. Out: controls, and the chosen values as the server takes them.

import { ask } from "./api.js";
import { fill, icon, make, popover } from "./dom.js";
import { frameOf } from "./frame.js";
import { say } from "./texts.js";

/** What a default of "all" is written as. */
const ALL = "*";

const valueOf = (entry) => entry?.value?.string ?? entry?.value ?? entry ?? "";

/** The variables of a dashboard with their state. `change()` is called when a choice was made. */
export function variables(definitions, change) {
  const list = (definitions ?? []).map((definition) => new Variable(definition, change));
  return {
    controls: () => list.map((variable) => variable.control()),
    /** Options of drop-downs that are filled by a query. */
    load: (now) => Promise.all(list.map((variable) => variable.load(now))),
    chosen: () => list.map((variable) => variable.chosen()),
    any: list.length > 0,
  };
}

class Variable {
  constructor(definition, change) {
    this.definition = definition;
    this.change = change;
    this.name = definition.name;
    this.title = definition.title || definition.name;
    this.multiple = definition.isMultiSelection === true;
    this.options = (definition.items ?? []).map((item) => ({
      value: String(item.value),
      title: item.title || String(item.value),
    }));
    const defaults = (definition.defaultValues ?? []).map((entry) => String(valueOf(entry)));
    this.all = this.multiple && (defaults.length === 0 || defaults.includes(ALL));
    this.values = this.all ? [] : defaults;
    this.face = make("span", { class: "control-value" });
  }

  /** `all` becomes the whole list: the query asks by IN. */
  chosen() {
    const whole = this.options.map((option) => option.value);
    const fallback =
      this.definition.type === "STRING" ? [""] : whole.length ? (this.multiple ? whole : whole.slice(0, 1)) : [ALL];
    const values = this.all ? (whole.length ? whole : [ALL]) : this.values.length ? this.values : fallback;
    return { name: this.name, strategy: (this.definition.replacementStrategy ?? "DEFAULT").toUpperCase(), values };
  }

  async load(now) {
    const { query, accountIds } = this.definition.nrqlQuery ?? {};
    if (this.definition.type !== "NRQL" || !query) return;
    const answer = await ask({ query, variables: [], accounts: (accountIds ?? []).map(Number).filter((account) => account > 0) });
    if (answer.error) return;
    const found = frameOf(answer).groups.flatMap((group) => [
      ...Object.values(group.values).flatMap((value) => (Array.isArray(value) ? value : (value?.members ?? []))),
      ...group.keys,
    ]);
    this.options = [...new Set(found.filter((value) => value !== null).map(String))]
      .sort((a, b) => a.localeCompare(b, undefined, { numeric: true }))
      .map((value) => ({ value, title: value }));
    this.values = this.values.filter(
      (value) => this.definition.type !== "NRQL" || this.options.some((option) => option.value === value) || !this.multiple,
    );
    this.redraw?.();
  }

  control() {
    if (this.definition.type === "STRING") return this.textControl();
    return this.multiple ? this.manyControl() : this.oneControl();
  }

  textControl() {
    const input = make("input", { type: "text", class: "control-input", spellcheck: "false", autocomplete: "off" });
    input.value = this.values[0] ?? "";
    input.addEventListener("change", () => {
      this.values = [input.value];
      this.change();
    });
    return make("label", { class: "control" }, make("span", { class: "control-name" }, this.title), input);
  }

  oneControl() {
    const select = make("select", { class: "control-input" });
    this.redraw = () => {
      const missing = this.values
        .filter((value) => !this.options.some((option) => option.value === value))
        .map((value) => ({ value, title: value === ALL ? say("all") : value }));
      fill(
        select,
        [...missing, ...this.options].map((option) => make("option", { value: option.value }, option.title)),
      );
      select.value = this.values[0] ?? select.options[0]?.value ?? "";
    };
    this.redraw();
    select.addEventListener("change", () => {
      this.values = [select.value];
      this.change();
    });
    return make("label", { class: "control" }, make("span", { class: "control-name" }, this.title), select);
  }

  manyControl() {
    const button = make(
      "button",
      { type: "button", class: "control-input control-button", "aria-haspopup": "true", "aria-label": this.title },
      this.face,
      icon("down"),
    );
    this.redraw = () => {
      const titles = this.options.filter((option) => this.values.includes(option.value)).map((option) => option.title);
      this.face.textContent = this.all
        ? say("all")
        : titles.length === 1
          ? titles[0]
          : titles.length
            ? say("chosen", titles.length)
            : say("none");
      button.setAttribute("aria-label", `${this.title}: ${this.face.textContent}`);
    };
    this.redraw();
    return make(
      "div",
      { class: "control" },
      make("span", { class: "control-name", "aria-hidden": "true" }, this.title),
      popover(button, () => this.panel()),
    );
  }

  panel() {
    const boxes = make("div", { class: "choices", role: "group", "aria-label": this.title });
    const search =
      this.options.length > 8
        ? make("input", {
            type: "search",
            class: "control-input",
            placeholder: say("search"),
            "aria-label": say("search"),
            autofocus: true,
          })
        : null;
    const box = (title, checked, toggle) => {
      const input = make("input", { type: "checkbox" });
      input.checked = checked;
      input.addEventListener("change", () => {
        toggle(input.checked);
        this.redraw();
        this.change();
        draw();
      });
      return make("label", { class: "choice", title }, input, make("span", {}, title));
    };
    const draw = () => {
      const focused = [...boxes.querySelectorAll("input")].indexOf(document.activeElement);
      const wanted = (search?.value ?? "").toLowerCase();
      const shown = this.options.filter((option) => option.title.toLowerCase().includes(wanted));
      fill(
        boxes,
        box(say("all"), this.all, (on) => {
          this.all = on;
          this.values = [];
        }),
        shown.map((option) =>
          box(option.title, this.all || this.values.includes(option.value), (on) => {
            const now = this.all ? this.options.map((other) => other.value) : this.values;
            this.values = on ? [...now, option.value] : now.filter((value) => value !== option.value);
            this.all = this.values.length === this.options.length || this.values.length === 0;
            if (this.all) this.values = [];
          }),
        ),
        shown.length ? null : make("p", { class: "muted" }, say("noValues")),
      );
      if (focused >= 0) boxes.querySelectorAll("input")[focused]?.focus();
    };
    search?.addEventListener("input", draw);
    draw();
    return make("div", { class: "panel" }, search, boxes);
  }
}

// The time picker. In: what is picked. Out: a button that opens it. By New Relic's rule it replaces SINCE and UNTIL of every widget
// that does not keep its own window; "Default" leaves each query its own.

import { icon, make, popover } from "./dom.js";
import { say } from "./texts.js";
import { PRESETS, dateTime, fromInput, minuteTime, presetName, toInput, zoneName } from "./time.js";

/** Picked: null, {preset: id}, or {since, until}. */
export function windowOf(picked, now) {
  if (!picked) return { since: null, until: null };
  if (picked.since) return picked;
  const preset = PRESETS.find((entry) => entry.id === picked.preset);
  return preset ? { since: now - preset.length, until: now } : { since: null, until: null };
}

export function pickedName(picked) {
  if (!picked) return say("timeDefault");
  if (picked.since) return `${minuteTime(picked.since)} – ${minuteTime(picked.until)}`;
  const preset = PRESETS.find((entry) => entry.id === picked.preset);
  return preset ? presetName(preset) : say("timeDefault");
}

export function picker(picked, now, change) {
  const face = pickedName(picked);
  const button = make(
    "button",
    {
      type: "button",
      class: "control-input control-button time-button",
      "aria-haspopup": "true",
      "aria-label": `${say("time")}: ${face}`,
    },
    icon("clock"),
    make("span", { class: "control-value" }, face),
    icon("down"),
  );
  return popover(
    button,
    (close) => {
      const choose = (value) => {
        close();
        change(value);
      };
      const item = (name, value, chosen, hint) =>
        make(
          "button",
          { type: "button", class: "menu-item", "aria-pressed": String(chosen), on: { click: () => choose(value) } },
          make("span", {}, name),
          hint ? make("small", {}, hint) : null,
        );
      return make(
        "div",
        { class: "menu time-menu" },
        item(say("timeDefault"), null, !picked, say("timeDefaultHint")),
        PRESETS.map((preset) => item(presetName(preset), { preset: preset.id }, picked?.preset === preset.id)),
        custom(picked, now, choose),
      );
    },
    { align: "end" },
  );
}

function custom(picked, now, choose) {
  const window = windowOf(picked ?? { preset: "24h" }, now);
  const input = (value) => {
    const element = make("input", { type: "datetime-local", class: "control-input" });
    element.value = toInput(value);
    return element;
  };
  const [from, to] = [input(window.since), input(window.until)];
  const wrong = make("p", { class: "wrong", role: "alert" });
  const apply = () => {
    const [since, until] = [fromInput(from.value), fromInput(to.value)];
    if (!(since < until)) {
      wrong.textContent = say("wrongRange");
      return;
    }
    choose({ since, until });
  };
  return make(
    "fieldset",
    { class: "custom-time" },
    make("legend", {}, `${say("custom")} (${zoneName()})`),
    make("label", {}, say("from"), from),
    make("label", {}, say("to"), to),
    wrong,
    make("button", { type: "button", class: "primary", title: dateTime(now), on: { click: apply } }, say("apply")),
  );
}

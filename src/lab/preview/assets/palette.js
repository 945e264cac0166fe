// Colours of charts. In: theme, series, the widget's own colours. Out: colours, and options that every chart has.

export const THEMES = {
  light: {
    text: "#1d252c",
    muted: "#5b6770",
    line: "#e3e7ea",
    axis: "#c4cbd1",
    card: "#ffffff",
    empty: "#eef1f3",
    series: [
      "#2378c9",
      "#0e9384",
      "#7a5af8",
      "#dd7a1b",
      "#c11574",
      "#4d8f1c",
      "#5b6b8c",
      "#b54708",
      "#3538cd",
      "#088ab2",
      "#9c5fb5",
      "#997404",
    ],
    heat: ["#e8f3f4", "#a9d4d7", "#5caab1", "#1f7f8a", "#0b5d66", "#063a44"],
    severity: { success: "#0d8043", warning: "#f2c037", severe: "#e0751a", critical: "#c7252e", unavailable: "#7a858e" },
  },
  dark: {
    text: "#e8ecef",
    muted: "#9eaab4",
    line: "#2a333b",
    axis: "#46525c",
    card: "#1a2027",
    empty: "#222a31",
    series: [
      "#5ba8f5",
      "#2cc5b2",
      "#a48afb",
      "#f5a04c",
      "#f06bb2",
      "#8cc152",
      "#9fb0d0",
      "#e58a4e",
      "#8098f9",
      "#3bb8dc",
      "#cf9be3",
      "#d4b13f",
    ],
    heat: ["#1d2b31", "#15454d", "#17656f", "#2b8a95", "#5fb6bf", "#b5e4e8"],
    severity: { success: "#4cc38a", warning: "#f2c94c", severe: "#f2994a", critical: "#f0616d", unavailable: "#8d99a3" },
  },
};

export const FONT =
  'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Hiragino Sans", "Yu Gothic UI", Meiryo, "Noto Sans JP", "Noto Sans CJK JP", Arial, sans-serif';

export const theme = () => THEMES[document.documentElement.dataset.theme] ?? THEMES.light;

/** The colour that a widget gives a series: by the name of the series, of its group or its column. */
export function override(configuration, ...names) {
  const list = configuration.colors?.seriesOverrides ?? [];
  for (const name of names) {
    const found = list.find((entry) => entry.seriesName === name);
    if (found?.color) return found.color;
  }
  return null;
}

/** The `at`-th series' colour. A widget with one colour gives it to its first series. */
export function colour(configuration, at, ...names) {
  const own = override(configuration, ...names);
  if (own) return own;
  if (at === 0 && configuration.colors?.color) return configuration.colors.color;
  const { series } = theme();
  return series[at % series.length];
}

/** A pattern over the colour of what is bad, where a widget says good and bad by colours: red and green look alike to many. */
export function pattern(configuration, chosen) {
  const list = (configuration.colors?.seriesOverrides ?? []).map((entry) => hue(entry.color));
  const tells = list.some(isGreen) && list.some(isRed);
  return tells && isRed(hue(chosen))
    ? { symbol: "rect", dashArrayX: [1, 0], dashArrayY: [2, 5], rotation: -Math.PI / 4, color: "rgba(255,255,255,0.45)" }
    : null;
}

const isGreen = (of) => of !== null && of > 75 && of < 175;
const isRed = (of) => of !== null && (of < 25 || of > 335);

/** Hue of `#rrggbb`, degrees; null for anything else and for greys. */
function hue(text) {
  const found = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(text ?? "");
  if (!found) return null;
  const [r, g, b] = found.slice(1).map((part) => parseInt(part, 16) / 255);
  const [most, least] = [Math.max(r, g, b), Math.min(r, g, b)];
  const span = most - least;
  if (span < 0.08) return null;
  const sector = most === r ? ((g - b) / span) % 6 : most === g ? (b - r) / span + 2 : (r - g) / span + 4;
  return (sector * 60 + 360) % 360;
}

/** What every chart has. */
export function base() {
  const { text } = theme();
  return {
    animation: false,
    textStyle: { fontFamily: FONT, color: text, fontSize: 11 },
    legend: { show: false },
    tooltip: {
      confine: true,
      transitionDuration: 0,
      padding: 0,
      borderWidth: 0,
      backgroundColor: "transparent",
      shadowBlur: 0,
      shadowColor: "transparent",
      extraCssText: "box-shadow:none",
      className: "tip-holder",
    },
  };
}

export const axisText = () => ({ color: theme().muted, fontSize: 11, fontFamily: FONT });
export const splitLine = () => ({ lineStyle: { color: theme().line } });

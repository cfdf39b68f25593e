// Numbers for people. Digits are the same in all languages, so that columns can be compared; they are rounded as the
// command line and figures round them.

const MINUS = "\u2212";
const formats = new Map();

function format(decimals, options = {}) {
  const key = locale + decimals + JSON.stringify(options);
  if (!formats.has(key)) {
    const digits = { minimumFractionDigits: decimals, maximumFractionDigits: decimals, roundingMode: "halfEven" };
    formats.set(key, new Intl.NumberFormat(locale + "-u-nu-latn", { ...digits, ...options }));
  }
  return formats.get(key);
}

/** A number with so many decimals, and no minus before zero. */
function number(value, decimals, options = {}) {
  const text = format(decimals, { signDisplay: "negative", ...options }).format(value);
  return text.replace("-", MINUS);
}

/** A difference: with a plus sign above zero. */
function signed(value, decimals) {
  return number(value, decimals, { signDisplay: "exceptZero" });
}

/** A whole number. */
function count(value) {
  return number(value, Number.isInteger(value) ? 0 : 2);
}

/**
 * Decimals that show two digits of the interval's half-width, from one to four; without interval by the scale. The rule
 * of evalsuite/text/number_texts.py.
 */
function decimalsOf(low, high, scale) {
  if (low === null || high === null) return scale === 100 ? 1 : 3;
  const half = ((high - low) / 2) * scale;
  return half > 0 ? Math.min(4, Math.max(1, 1 - Math.floor(Math.log10(half)))) : 2;
}

/** ``21.9 – 61.3``, on one line. Among words it must be set apart, else Arabic turns it round: see `range`. */
function ends(low, high) {
  return low + "\u00a0–\u00a0" + high;
}

/** The same, or one text where both are alike. */
function rangeText(low, high) {
  return low === high ? low : ends(low, high);
}

/** The same as a node, from left to right in every language. */
function range(low, high) {
  return el("bdi", { dir: "ltr" }, rangeText(low, high));
}

/** An interval's two ends as `write`, which is `number` or `signed`, writes them; without ends the message `none`. */
function interval(low, high, scale, { write = number, none = "no_interval" } = {}) {
  if (low === null || high === null) return t(none);
  const decimals = decimalsOf(low, high, scale);
  return ends(write(low * scale, decimals), write(high * scale, decimals));
}

/** A value and its interval as nodes; `unit` writes what the number is of: `percentText`, or nothing. */
function valueNodes({ value, low, high }, scale, { unit = (text) => text, scaled = value * scale, ...how } = {}) {
  const { write = number } = how;
  return [
    el("b", { class: "value" }, unit(write(scaled, decimalsOf(low, high, scale)))),
    " ",
    el("span", { class: "interval" }, interval(low, high, scale, how)),
  ];
}

/** A number's text as so many percent, the sign where the language has it. */
function percentText(text) {
  return entryOf("percent").replace("{value}", text);
}

function percent(value, decimals) {
  return percentText(number(value, decimals));
}

/** ``n 60``, with the number of clusters where samples are fewer facts than they seem. */
function nText(n, clusters) {
  return clusters === n || !clusters ? t("n", { n }) : t("n_in_clusters", { n, clusters });
}

/** A chance of error, as papers write it. */
function chance(p) {
  if (p === null || p === undefined) return "";
  return p < 0.001 ? "p < " + number(0.001, 3) : "p " + number(p, 3);
}

/** Bytes for people. */
function bytes(value) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, value)) / 3)));
  return number(value / 1000 ** power, power ? 1 : 0) + "\u00a0" + units[power];
}

/** Seconds for people. */
function duration(seconds) {
  if (seconds < 120) return number(seconds, seconds < 10 ? 1 : 0) + "\u00a0s";
  return seconds < 7200 ? number(seconds / 60, 1) + "\u00a0min" : number(seconds / 3600, 1) + "\u00a0h";
}

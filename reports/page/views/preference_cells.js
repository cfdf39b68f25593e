// What the votes' tables are made of: stacked bars, numbers of votes, names of systems and languages.

const PREF_BAR = 220;
const PREF_UNKNOWN_LANGUAGE = "und";

// Of levels of quality from the worst to the best: from pale to dark, so that they are told apart in grey too.
const PREF_WORST = [0xf6, 0xd5, 0x6a];
const PREF_MIDDLE = [0x93, 0xa6, 0xa0];
const PREF_BEST = [0x0b, 0x4f, 0x8a];

// -- names

/** A word that the record takes from a list, in the language of the interface; as it is where it is none of ours. */
function prefTerm(kind, word) {
  const key = "pref_term_" + kind + "_" + word.replaceAll(" ", "_");
  return key in messages.en ? t(key) : plain(word);
}

function prefLanguage(code) {
  return code === PREF_UNKNOWN_LANGUAGE ? t("pref_no_language") : plain(languageName(code));
}

/** The head of a row about one language: its name and its code. */
function prefLanguageHead(code) {
  const called = prefLanguage(code);
  const detail = code === PREF_UNKNOWN_LANGUAGE || called === code ? null : el("span", { class: "detail" }, name(code));
  return el("th", { scope: "row", class: "model" }, called, detail);
}

/** The six languages that evalsuite speaks as they stand everywhere, then others by their codes. */
function prefInOrder(codes) {
  const known = Object.keys(LANGUAGES);
  const rank = (code) => (known.includes(code) ? known.indexOf(code) : known.length);
  return [...codes].sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : a > b ? 1 : 0));
}

/** The head of a row about two systems; `detail` says over what. */
function prefPairHead(a, b, between, detail = null) {
  const under = detail ? el("span", { class: "detail" }, detail) : null;
  return el(
    "th",
    { scope: "row", class: "model" },
    headName(a),
    el("span", { class: "detail" }, between),
    headName(b),
    under,
  );
}

/** What a mapping from the record has under a name that may be any; null where it has nothing. */
function prefOf(mapping, key) {
  return mapping && Object.hasOwn(mapping, key) ? mapping[key] : null;
}

// -- numbers

/** An interval, or that too few prompts were asked for one. */
function prefInterval(low, high, scale) {
  return interval(low, high, scale, { none: "pref_too_few" });
}

/** A value with as many decimals as its interval asks for. */
function prefNumber(value, low, high, scale) {
  return number(value * scale, decimalsOf(low, high, scale));
}

/** A share in percent, under a head that says so. */
function prefShareNumber(share) {
  return number(100 * share, 1);
}

/** A share in percent among words. */
function prefPercent(share) {
  return percentText(prefShareNumber(share));
}

/** `{value, low, high}` as a cell, empty where nobody knows it. `more` are further nodes. */
function prefCell(found, { scale = 100, isSigned = false, n = "", axis = null, more = [] } = {}) {
  if (!found) return prefNothing();
  const { value, low, high } = found;
  return el(
    "td",
    { class: "cell" },
    valueNodes(found, scale, { write: isSigned ? signed : number, none: "pref_too_few" }),
    axis ? whisker({ value, low, high, worst: null, best: null }, scale, axis) : null,
    n ? el("span", { class: "n" }, n) : null,
    more,
  );
}

function prefNothing() {
  return noneCell("not_known");
}

/** A value with the interval that a record keeps apart under a name. */
function prefNamed(value, bounds) {
  return value === null || value === undefined ? null : { value, low: bounds?.low ?? null, high: bounds?.high ?? null };
}

/** The chance of votes without a preference, and no more than is known of small ones. */
function prefChance(chance) {
  if (chance === null) return prefNothing();
  const text = chance < 0.001 ? "< " + number(0.001, 3) : number(chance, chance < 0.1 ? 3 : 2);
  return el("td", { class: "chance" }, el("bdi", { dir: "ltr" }, text));
}

function prefCounts(lines) {
  return el(
    "td",
    { class: "counts" },
    lines.filter(Boolean).map((line) => el("span", {}, line)),
  );
}

/** What a number is over; several prompts may be one in other languages or turns. `kind` is of what there are so many. */
function prefOver(kind, num, found) {
  const { num_prompts: prompts, num_groups: groups = prompts, num_annotators: people } = found;
  return [
    t("pref_by_people", { what: t(kind, { n: num }), people: t("pref_people", { n: people }) }),
    groups === prompts ? t("pref_prompts", { n: prompts }) : t("pref_prompts_source", { n: prompts, groups }),
    { "prompt-t": t("pref_over_prompts"), "annotator-t": t("pref_over_people"), wilson: t("pref_over_trials") }[
      found.interval
    ],
  ];
}

/** A column's head: what it is, in what unit. */
function prefHead(title, detail = "", attributes = {}) {
  return el(
    "th",
    { scope: "col", ...attributes },
    el("span", { class: "title" }, title),
    detail ? el("span", { class: "detail" }, detail) : null,
  );
}

/** A table in a region that scrolls, its caption in sight meanwhile. */
function prefTable(id, caption, kind, heads, bodies) {
  return framed(id, "numbers " + kind, said(caption), heads, bodies);
}

// -- bars

/**
 * A stacked bar of `{kind, share, words, colour}` from the left with `value` and its interval on it; parts whose kind has
 * no colour have their own. `hasHalf` draws the line of no winner.
 */
function prefBar(
  parts,
  { value, low, high },
  { words = joined(parts.map((part) => part.words)), hasHalf = false } = {},
) {
  const x = (share) => (PREF_BAR * share).toFixed(2);
  const line = (kind, from, to, y = [9, 9]) => svg("line", { class: kind, x1: from, y1: y[0], x2: to, y2: y[1] });
  const marks = [];
  let from = 0;
  for (const { kind, share, colour } of parts) {
    if (share > 0) {
      marks.push(prefBox(kind, { x: x(from), y: 1, width: x(share), height: 16 }, colour));
      if (from > 0) marks.push(line("gap", x(from), x(from), [1, 17]));
    }
    from += share;
  }
  if (!parts.length) marks.push(line("axis", 0, PREF_BAR));
  if (hasHalf)
    marks.push(line("under", PREF_BAR / 2, PREF_BAR / 2, [0, 18]), line("half", PREF_BAR / 2, PREF_BAR / 2, [0, 18]));
  if (low !== null && high !== null) {
    marks.push(line("halo", x(low), x(high)), line("range", x(low), x(high)));
    marks.push(svg("path", { class: "ends", d: `M${x(low)} 5.5V12.5M${x(high)} 5.5V12.5` }));
  }
  marks.push(svg("circle", { class: "dot", cx: x(value), cy: 9, r: 3.2 }));
  const box = {
    class: "vbar",
    viewBox: `0 0 ${PREF_BAR} 18`,
    width: PREF_BAR,
    height: 18,
    role: "img",
    "aria-label": words,
  };
  return el("td", { class: "bar" }, svg("svg", box, svg("title", {}, words), marks));
}

/** A rectangle of a kind: its colour, and over it the kind's pattern. */
function prefBox(kind, box, colour = null) {
  const over = kind in PREF_PATTERNS ? svg("rect", { class: "over", fill: `url(#pref-${kind})`, ...box }) : null;
  return [svg("rect", { class: kind, fill: colour, ...box }), over];
}

/** What a part of a bar stands for. */
function prefSwatch(kind, text, colour = null) {
  const box = { width: 14, height: 14 };
  return el(
    "span",
    {},
    svg("svg", { class: "vbar", viewBox: "0 0 14 14", ...box, "aria-hidden": "true" }, prefBox(kind, box, colour)),
    " ",
    text,
  );
}

/** What the dot with its interval stands for. */
function prefDotSwatch(text) {
  const marks = [
    svg("line", { class: "range", x1: 2, y1: 7, x2: 32, y2: 7 }),
    svg("path", { class: "ends", d: "M2 3.5V10.5M32 3.5V10.5" }),
    svg("circle", { class: "dot", cx: 17, cy: 7, r: 3.2 }),
  ];
  return el(
    "span",
    {},
    svg("svg", { class: "vbar", viewBox: "0 0 34 14", width: 34, height: 14, "aria-hidden": "true" }, marks),
    " ",
    text,
  );
}

// Patterns, so that colour is never alone: of a loss, of ties, and one for each level of quality but the best.
const PREF_PATTERNS = {
  loss: [6, "M-1 1L1 -1M-1 7L7 -1M5 7L7 5"],
  "tie-bad": [4, "M1 0V4"],
  "tie-any": [4, "M0 1H4"],
  "level-1": [6, "M3 3h.01"],
  "level-2": [5, "M-1 6L6 -1"],
  "level-3": [4, "M2 0V4"],
  "level-4": [5, "M0 2.5H5M2.5 0V5"],
};

function prefPatterns() {
  const made = Object.entries(PREF_PATTERNS).map(([kind, [size, d]]) =>
    svg(
      "pattern",
      { id: "pref-" + kind, width: size, height: size, patternUnits: "userSpaceOnUse" },
      svg("path", { class: "mark-" + kind, d }),
    ),
  );
  return svg("svg", { class: "patterns", width: 0, height: 0, "aria-hidden": "true" }, svg("defs", {}, made));
}

/** The kind and the colour of a level of quality, by its place from the best. */
function prefLevelLook(place, num) {
  const share = num === 1 ? 1 : (num - 1 - place) / (num - 1);
  const [start, end, way] =
    share < 0.5 ? [PREF_WORST, PREF_MIDDLE, 2 * share] : [PREF_MIDDLE, PREF_BEST, 2 * share - 1];
  const mixed = start.map((part, at) =>
    Math.round(part + way * (end[at] - part))
      .toString(16)
      .padStart(2, "0"),
  );
  return { kind: "level-" + Math.min(4, place), colour: "#" + mixed.join("") };
}

// All systems against one another.

const PREF_SURE = 0.05;

function prefMatrix({ votes, language }) {
  const systems = votes.systems.slice(0, PREF_MOST_SYSTEMS);
  const found = new Map(
    prefPairs(votes).map((pair) => [prefKey([pair.a, pair.b]), prefHeadline(pair.rates, language)]),
  );
  const rateOf = (a, b) => found.get(prefKey([a, b])) || prefMirrored(found.get(prefKey([b, a])));
  const over = language
    ? t("pref_in_language", { language: prefLanguage(language) })
    : votes.languages.length > 1
      ? t("pref_matrix_mean")
      : "";
  const part =
    votes.systems.length > systems.length ? t("pref_matrix_part", { n: systems.length, of: votes.systems.length }) : "";
  const marks = t("pref_matrix_marks", { correction: prefTerm("correction", votes.correction) });
  const caption = [t("pref_matrix_caption"), over, part, marks].filter(Boolean).join(" ");
  const rows = systems.map((a) =>
    el(
      "tr",
      {},
      el("th", { scope: "row", class: "model" }, headName(a)),
      systems.map((b) => (a === b ? el("td", { class: "self" }) : prefMatrixCell(rateOf(a, b)))),
    ),
  );
  const heads = [
    prefHead(t("pref_system"), "", { class: "model" }),
    systems.map((system) => el("th", { scope: "col" }, name(system, { class: "title" }))),
  ];
  return prefTable("votes-matrix", caption, "matrix", heads, el("tbody", {}, rows));
}

/** A rate seen from its other system; null where there is none. */
function prefMirrored(rate) {
  if (!rate) return null;
  const [low, high] = [rate.high, rate.low].map((bound) => (bound === null ? null : 1 - bound));
  return { ...rate, win_half: 1 - rate.win_half, low, high };
}

function prefMatrixCell(rate) {
  if (!rate) return el("td", { class: "never" }, unseen(t("pref_never")));
  const isSure = rate.p_adjusted !== null && rate.p_adjusted < PREF_SURE;
  const isAhead = rate.win_half > 0.5;
  const [value, , bounds] = valueNodes({ ...rate, value: rate.win_half }, 100, { none: "pref_too_few" });
  return el(
    "td",
    { class: "cell" },
    value,
    isSure
      ? el(
          "span",
          { class: "mark " + (isAhead ? "up" : "down") },
          isAhead ? "▲" : "▼",
          unseen(t(isAhead ? "pref_ahead" : "pref_behind")),
        )
      : null,
    bounds,
    el("span", { class: "n" }, t("n", { n: rate.num_votes })),
  );
}

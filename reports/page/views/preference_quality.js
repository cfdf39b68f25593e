// How good answers are found: how the levels are spread, and how far systems lie apart.

function prefQuality(seen) {
  const { scale, qualities, differences } = seen.votes.quality;
  const levels = [...scale.levels].reverse();
  const looks = new Map(levels.map((level, place) => [level, prefLevelLook(place, levels.length)]));
  const acceptable = prefTerm("level", scale.acceptable);
  const rows = prefDifferences(seen, differences);
  return [
    el(
      "p",
      { class: "quiet swatches" },
      levels.map((level) => prefSwatch(looks.get(level).kind, prefTerm("level", level), looks.get(level).colour)),
      prefDotSwatch(t("pref_acceptable", { level: acceptable })),
    ),
    prefLevels(seen, qualities, levels, looks),
    rows.length ? prefDifferenceTable(seen, rows) : null,
  ];
}

function prefLevels(seen, qualities, levels, looks) {
  const heads = [
    prefHead(t("pref_language"), "", { class: "model" }),
    prefHead(t("pref_levels"), t("pref_levels_detail")),
    prefHead(t("pref_share_acceptable"), t("pref_share_acceptable_detail")),
    levels.map((level) => prefHead(prefTerm("level", level), "%")),
    prefHead("n"),
  ];
  const bodies = prefRatedSystems(seen.votes)
    .filter((system) => !seen.systems.length || seen.systems.includes(system))
    .map((system) => prefLevelBody(seen, system, qualities, levels, looks));
  return prefTable("votes-levels", t("pref_levels_caption"), "votes", heads, bodies);
}

/** Systems with ratings: in the order of strength, then those without votes. */
function prefRatedSystems({ systems, quality }) {
  const rated = [...new Set(quality.qualities.map((found) => found.system))];
  return [
    ...systems.filter((system) => rated.includes(system)),
    ...rated.filter((system) => !systems.includes(system)),
  ];
}

function prefLevelBody(seen, system, qualities, levels, looks) {
  const own = qualities.filter((found) => found.system === system && prefIsSeen(seen, found));
  const order = prefInOrder(new Set(own.map((found) => found.languages[0])));
  const rank = (found) => (found.scope === "macro" ? order.length : order.indexOf(found.languages[0]));
  own.sort((a, b) => rank(a) - rank(b));
  const title = el("span", { class: "said" }, name(system));
  return el(
    "tbody",
    {},
    el("tr", { class: "two" }, el("th", { scope: "rowgroup", colspan: levels.length + 4 }, title)),
    own.map((found) => prefLevelRow(found, levels, looks)),
  );
}

/** Whether a finding about languages is of the one chosen; without a choice all are. */
function prefIsSeen({ language }, found) {
  return !language || (found.scope === "language" && found.languages[0] === language);
}

/** The best levels on the left, so that the share acceptable is where they end. */
function prefLevelRow(found, levels, looks) {
  const parts = levels.map((level) => ({
    ...looks.get(level),
    share: found.levels[level],
    words: t("pref_level_share", { level: prefTerm("level", level), share: prefPercent(found.levels[level]) }),
  }));
  const acceptable = { value: found.share_acceptable, low: found.low, high: found.high };
  const isMean = found.scope === "macro";
  return el(
    "tr",
    { class: isMean ? "total" : null },
    isMean
      ? prefTotalHead(t("pref_mean"), t("pref_mean_detail", { n: found.languages.length }))
      : prefLanguageHead(found.languages[0]),
    prefBar(parts, acceptable),
    prefCell(acceptable),
    levels.map((level) => prefCell(prefNamed(found.levels[level], prefOf(found.intervals, level)))),
    prefCounts(prefOver("pref_ratings", found.num_ratings, found)),
  );
}

// -- systems against one another

/** Of each pair of the strongest, or of the systems asked for, the mean over its languages or its one language. */
function prefDifferences(seen, differences) {
  const top = new Set(seen.votes.systems.slice(0, PREF_MOST_SYSTEMS));
  const isShown = ({ system_a: a, system_b: b }) =>
    seen.systems.length ? prefHas(seen.systems, a, b) : top.has(a) && top.has(b);
  const found = new Map();
  for (const one of differences) {
    const key = prefKey([one.system_a, one.system_b]);
    if (prefIsSeen(seen, one) && isShown(one) && (one.scope === "macro" || !found.has(key))) found.set(key, one);
  }
  return [...found.values()];
}

function prefDifferenceTable({ votes }, rows) {
  const heads = [
    prefHead(t("pref_pair"), "", { class: "model" }),
    prefHead(t("pref_difference"), t("pref_points")),
    prefHead("p", prefTerm("correction", votes.correction)),
    prefHead("n"),
  ];
  const over = (one) =>
    one.scope === "macro" ? t("pref_mean_of", { n: one.languages.length }) : prefLanguage(one.languages[0]);
  const made = rows.map((one) =>
    el(
      "tr",
      {},
      prefPairHead(one.system_a, one.system_b, t("pref_less"), over(one)),
      prefCell({ value: one.difference, low: one.low, high: one.high }, { isSigned: true }),
      prefChance(one.p_adjusted),
      prefCounts(prefOver("pref_ratings", one.num_ratings, { ...one, interval: "" })),
    ),
  );
  return prefTable("votes-differences", t("pref_differences_caption"), "", heads, el("tbody", {}, made));
}

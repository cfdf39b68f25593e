// Ranks that the votes leave open, strengths, and what the order hangs on.

const PREF_MOST_NAMES = 12;
const PREF_TIES = ["half", "dropped", "davidson"];

function prefRanks(seen) {
  const { ranking, no_ranking: reason } = seen.votes;
  if (!ranking) return el("p", { class: "notice" }, t("pref_no_ranking"), " ", english(reason));
  return [
    el("p", { class: "lead" }, t("pref_ranks_lead")),
    seen.language ? el("p", { class: "quiet" }, t("pref_all_languages")) : null,
    prefRankTable(seen, ranking),
    prefRankSays(ranking),
    Object.keys(ranking.style).length ? prefStyle(ranking) : null,
  ];
}

/** The ways to treat ties under which all systems have a rank. */
function prefToldTies(ranking) {
  return PREF_TIES.filter((ties) => ties in ranking.systems[0].ranks);
}

function prefRankTable(seen, ranking) {
  const ends = ranking.systems.flatMap((row) => [row.low, row.high, row.strength]).filter((end) => end !== null);
  const reach = Math.max(...ends.map(Math.abs)) || 1;
  const byTies = prefToldTies(ranking).map((ties) => ({
    id: ties,
    head: t("pref_rank"),
    detail: el("span", { class: "detail" }, t("pref_ties_" + ties)),
    value: (row) => row.ranks[ties],
    cell: (row) => el("td", { class: "cell" }, count(row.ranks[ties])),
  }));
  return sortedTable({
    id: "votes-ranking",
    caption: said(t("pref_ranks_caption")),
    rows: ranking.systems,
    param: "ranks",
    kind: "numbers ranks",
    columns: [
      {
        id: "system",
        kind: "model",
        head: t("pref_system"),
        value: (row) => row.system.toLocaleLowerCase(),
        cell: (row) => prefRankedSystem(seen, row),
      },
      {
        id: "open",
        head: t("pref_open"),
        value: (row) => row.rank_low,
        cell: (row) => el("td", { class: "cell" }, el("b", { class: "value" }, prefRange(row))),
      },
      {
        id: "strength",
        firstDirection: "-",
        head: t("pref_strength"),
        detail: el("span", { class: "detail" }, t("pref_strength_detail")),
        value: (row) => row.strength,
        cell: (row) =>
          prefCell(
            { value: row.strength, low: row.low, high: row.high },
            { scale: 1, isSigned: true, axis: [-reach, reach] },
          ),
      },
      ...byTies,
      {
        id: "votes",
        firstDirection: "-",
        head: "n",
        value: (row) => row.num_votes,
        cell: (row) => prefCounts([t("votes", { n: row.num_votes })]),
      },
    ],
  });
}

/** A system with the way to its pairs. */
function prefRankedSystem(seen, row) {
  const isChosen = seen.systems.includes(row.system);
  const link = el(
    "a",
    { class: "detail", href: changed({ section: "wins", pair: prefKey([row.system]), more: "" }) },
    t("pref_its_pairs"),
    unseen([" ", name(row.system)]),
  );
  return el("th", { scope: "row", class: isChosen ? "model band" : "model" }, headName(row.system), link);
}

function prefRange({ rank_low: low, rank_high: high }) {
  if (low === null || high === null) return t("pref_too_few");
  return range(count(low), count(high));
}

/** What would change the order: ties taken otherwise, few votes gone, an annotator gone. */
function prefRankSays(ranking) {
  const { fragility: frail, davidson_nu: nu, pooling } = ranking;
  const said = [prefSensitivity(ranking), prefFragile(frail), prefDeciders(frail.without_annotator)];
  if (nu)
    said.push(
      t("pref_nu", {
        value: prefNumber(nu.value, nu.low, nu.high, 1),
        interval: prefInterval(nu.low, nu.high, 1),
        n: nu.num_votes,
      }),
    );
  if (pooling !== null) said.push(t("pref_pooling", { value: number(pooling, 2) }));
  return el(
    "ul",
    { class: "says" },
    said.map((text) => el("li", {}, text)),
  );
}

function prefSensitivity(ranking) {
  const told = prefToldTies(ranking);
  const ways = new Intl.ListFormat(locale, { type: "disjunction" }).format(told.map((ties) => t("pref_ties_" + ties)));
  const moved = ranking.systems
    .map((row) => told.map((ties) => row.ranks[ties]))
    .map((places) => Math.max(...places) - Math.min(...places))
    .filter(Boolean);
  if (!moved.length) return t("pref_same_order", { ways });
  return t("pref_moved", {
    ways,
    n: moved.length,
    of: ranking.systems.length,
    places: t("pref_places", { n: Math.max(...moved) }),
  });
}

function prefFragile({ leader, num_votes: fewest, total }) {
  if (fewest === null) return t("pref_sturdy", { leader });
  return t("pref_fragile", { n: fewest, total, leader });
}

function prefDeciders(names) {
  if (!names.length) return t("pref_no_decider");
  const first = namesList(names.slice(0, PREF_MOST_NAMES));
  const rest = names.length - PREF_MOST_NAMES;
  return [t("pref_deciders", { n: names.length }), " ", first, rest > 0 ? " " + t("pref_and_more", { n: rest }) : ""];
}

// -- what form is worth

function prefStyle(ranking) {
  const worth = Object.entries(ranking.style).map(([feature, found]) =>
    el("tr", {}, el("th", { scope: "row", class: "model" }, prefTerm("feature", feature)), prefOdds(found)),
  );
  const gaps = Object.entries(ranking.controlled).map(([system, found]) =>
    el(
      "tr",
      {},
      el("th", { scope: "row", class: "model" }, headName(system)),
      prefOdds(prefOf(ranking.plain, system)),
      prefOdds(found),
    ),
  );
  return [
    el("h4", {}, t("pref_style")),
    el("p", { class: "quiet legend" }, t("pref_style_lead")),
    el(
      "div",
      { class: "tables" },
      prefTable(
        "votes-style",
        t("pref_style_caption"),
        "",
        [prefHead(t("pref_feature"), "", { class: "model" }), prefHead(t("pref_worth"), t("pref_worth_detail"))],
        el("tbody", {}, worth),
      ),
      prefTable(
        "votes-controlled",
        t("pref_behind_caption", { leader: ranking.leader }),
        "",
        [
          prefHead(t("pref_system"), "", { class: "model" }),
          prefHead(t("pref_as_is"), t("pref_odds")),
          prefHead(t("pref_alike"), t("pref_odds")),
        ],
        el("tbody", {}, gaps),
      ),
    ),
  ];
}

/** Log-odds with their sign and the votes behind them. */
function prefOdds(found) {
  return found ? prefCell(found, { scale: 1, isSigned: true, n: t("n", { n: found.num_votes }) }) : prefNothing();
}

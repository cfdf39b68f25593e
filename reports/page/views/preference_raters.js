// Those who vote: sides and ties, how far people agree, and annotators worth a second look.
// Annotators stand here by their id alone, and only those with a flag.

const PREF_MOST_ANNOTATORS = 100;
const PREF_SETUPS = ["with-ties", "decided"];

// -- sides and ties

function prefSides(seen) {
  const heads = [
    prefHead(t("pref_language"), "", { class: "model" }),
    prefHead("n"),
    prefHead(t("pref_left_gets"), t("pref_left_gets_detail")),
    prefHead(t("pref_left_worth"), t("pref_left_worth_detail")),
    prefHead(t("pref_tie_weight"), t("pref_tie_weight_detail")),
  ];
  const rows = prefInOrder(seen.votes.languages.map((one) => one.language))
    .filter((code) => !seen.language || code === seen.language)
    .map((code) =>
      prefSideRow(
        seen.votes,
        seen.votes.languages.find((one) => one.language === code),
      ),
    );
  return prefTable("votes-languages", t("pref_sides_caption"), "", heads, el("tbody", {}, rows));
}

function prefSideRow({ ranking }, one) {
  const left = one.left_share;
  const nu = prefOf(ranking?.tie_weights, one.language);
  return el(
    "tr",
    {},
    prefLanguageHead(one.language),
    prefCounts(prefOver("votes", one.num_votes, one)),
    left
      ? prefCell(left, { n: t("n", { n: left.num_votes }), more: el("span", { class: "n" }, prefSideVerdict(left)) })
      : prefNothing(),
    prefOdds(prefOf(ranking?.left, one.language)),
    nu ? prefCell(nu, { scale: 1, n: t("n", { n: nu.num_votes }) }) : prefNothing(),
  );
}

/** Whether a side is preferred, beyond what the interval leaves open. */
function prefSideVerdict({ low, high }) {
  if (low === null || high === null) return "";
  return low > 0.5 ? t("pref_left_preferred") : high < 0.5 ? t("pref_right_preferred") : t("pref_no_side");
}

// -- agreement

function prefAgreement(seen) {
  const { agreement, alphas } = seen.votes;
  if (!agreement.length && !alphas.length) return el("p", { class: "quiet" }, t("pref_nobody_twice"));
  const heads = [[t("pref_alpha"), t("pref_alpha_detail")]];
  return prefAgreementTable(seen, "votes-people", t("pref_people_caption"), heads, agreement, alphas, ["with-ties"]);
}

/** A row a language: shares of pairs of votes, and under `heads` what is beyond chance in each of `setups`. */
function prefAgreementTable(seen, id, caption, heads, shares, chances, setups) {
  const of = (all, code, setup) => all.find((one) => one.language === code && one.setup === setup) || null;
  const rows = prefInOrder(new Set([...shares, ...chances].map((one) => one.language)))
    .filter((code) => !seen.language || code === seen.language)
    .map((code) =>
      el(
        "tr",
        {},
        prefLanguageHead(code),
        PREF_SETUPS.map((setup) => prefShare(of(shares, code, setup))),
        setups.map((setup) => prefBeyond(of(chances, code, setup))),
      ),
    );
  if (!rows.length) return el("p", { class: "quiet" }, t("pref_not_in_language"));
  const all = [
    prefHead(t("pref_language"), "", { class: "model" }),
    prefHead(t("pref_same_vote"), t("pref_same_vote_ties")),
    prefHead(t("pref_same_vote"), t("pref_same_vote_decided")),
    heads.map(([title, detail]) => prefHead(title, detail)),
  ];
  return prefTable(id, caption, "", all, el("tbody", {}, rows));
}

function prefShare(one) {
  return prefCell(one, { n: one ? t("pref_of_pairs", { part: one.num_agree, n: one.num_pairs }) : "" });
}

function prefBeyond(one) {
  return prefCell(one, { scale: 1, n: one ? t("pref_comparisons", { n: one.num_units }) : "" });
}

// -- annotators

function prefAnnotators(seen) {
  const { annotators, attentiveness } = seen.votes;
  const attentive = new Map(attentiveness.map((one) => [one.annotator, one]));
  const rows = annotators
    .map((one) => ({ ...one, attentive: attentive.get(one.annotator) || null }))
    .map((one) => ({ ...one, flags: [...one.flags, ...(one.attentive?.flags || [])] }))
    .filter((one) => one.flags.length);
  const flags = prefFlags(annotators, attentiveness);
  return [
    el("p", { class: "quiet" }, t("pref_flags_lead")),
    prefScreened(annotators, attentiveness),
    flags.length ? prefFlagged(rows) : el("p", { class: "quiet" }, t("pref_no_flag")),
  ];
}

/** How often each flag was raised, of how many annotators. */
function prefFlags(annotators, attentiveness) {
  const raised = new Map();
  for (const flag of [...annotators, ...attentiveness].flatMap((one) => one.flags))
    raised.set(flag, (raised.get(flag) || 0) + 1);
  const total = new Set([...annotators, ...attentiveness].map((one) => one.annotator)).size;
  return [...raised].sort(([a], [b]) => (a < b ? -1 : 1)).map(([flag, num]) => ({ flag, num, total }));
}

/** What is known of all annotators together: the middle of how often they agree, and each flag. */
function prefScreened(annotators, attentiveness) {
  const shares = annotators
    .map((one) => one.agreement)
    .filter((share) => share !== null)
    .sort((a, b) => a - b);
  const facts = prefFlags(annotators, attentiveness).map(({ flag, num, total }) => [
    prefTerm("flag", flag),
    t("of", { part: num, whole: total }),
  ]);
  if (shares.length)
    facts.unshift([
      t("pref_median_agreement"),
      t("pref_median_of", { share: prefPercent(prefMedian(shares)), n: shares.length }),
    ]);
  return facts.length ? factsList(facts) : null;
}

function prefMedian(sorted) {
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function prefFlagged(rows) {
  const left = rows.length - PREF_MOST_ANNOTATORS;
  const plainCell = (text) => (text ? el("td", {}, text) : prefNothing());
  const columns = [
    {
      id: "annotator",
      kind: "model",
      head: t("pref_annotator"),
      value: (row) => row.annotator,
      cell: (row) => el("th", { scope: "row", class: "model" }, headName(row.annotator)),
    },
    {
      id: "flags",
      head: t("pref_flags"),
      value: (row) => row.flags.join(),
      cell: (row) => plainCell(joined(row.flags.map((flag) => prefTerm("flag", flag)))),
    },
    {
      id: "votes",
      firstDirection: "-",
      head: t("pref_votes"),
      value: (row) => row.num_votes,
      cell: (row) => plainCell(t("pref_votes_ties", { n: row.num_votes, share: prefPercent(row.tie_share) })),
    },
    {
      id: "agrees",
      head: t("pref_agrees"),
      value: (row) => row.agreement,
      cell: (row) =>
        plainCell(
          row.agreement === null ? "" : t("pref_share_of", { share: prefPercent(row.agreement), n: row.num_compared }),
        ),
    },
    {
      id: "sides",
      firstDirection: "-",
      head: t("pref_sides_head"),
      value: (row) => row.left_share,
      cell: (row) =>
        plainCell(row.left_share === null ? "" : t("pref_left_share", { share: prefPercent(row.left_share) })),
    },
  ];
  if (rows.some((row) => row.attentive))
    columns.push({
      id: "whole",
      head: t("pref_attentive"),
      cell: (row) => prefCounts(row.attentive ? prefAttentive(row.attentive) : []),
    });
  const caption = [
    t("pref_flagged_caption", { n: rows.length }),
    left > 0 ? " " + t("pref_flagged_part", { n: PREF_MOST_ANNOTATORS }) : "",
  ];
  const kept = rows.slice(0, PREF_MOST_ANNOTATORS);
  return sortedTable({
    id: "votes-flagged",
    caption: said(caption),
    columns,
    rows: kept,
    param: "flags",
    kind: "numbers flagged",
  });
}

/** What only whole votes tell of an annotator; what nobody knows is left out. */
function prefAttentive({ gold, retest, paces, flags, longest_run: run, num_votes: votes, num_skipped: skipped }) {
  const kappa = retest && retest.kappa !== null ? number(retest.kappa, 2) : null;
  const again = retest ? { share: prefPercent(retest.agreement), n: retest.num_repeats } : null;
  const timed = flags.includes("faster than reading") ? paces : [];
  return [
    gold ? t("pref_gold", { part: gold.num_right, n: gold.num_votes, interval: prefPercentRange(gold) }) : "",
    again ? (kappa === null ? t("pref_again", again) : t("pref_again_kappa", { ...again, kappa })) : "",
    ...timed.map(prefPace),
    t("pref_run", { part: run, n: votes }),
    skipped ? t("pref_skipped", { n: skipped }) : "",
  ];
}

/** The interval of a share among words. */
function prefPercentRange({ low, high }) {
  return low === null ? t("pref_too_few") : percentText(interval(low, high, 100));
}

/** Seconds a character in one language, beside what few others are below. */
function prefPace({ language, num_votes: n, seconds_per_grapheme: pace, limit }) {
  const found = { language: prefLanguage(language), n, seconds: number(pace, 3) };
  return limit === null ? t("pref_pace", found) : t("pref_pace_limit", { ...found, limit: number(limit, 3) });
}

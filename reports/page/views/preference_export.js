// The votes' tables to download: the record's own names and unrounded numbers, shares from 0 to 1.

const PREF_OUT = {
  win_rates:
    "system_a system_b scope language win_half low high interval degrees design_effect by_vote " +
    "win win_low win_high tie tie_low tie_high tie_good tie_good_low tie_good_high tie_bad tie_bad_low tie_bad_high " +
    "loss loss_low loss_high win_decisive win_decisive_low win_decisive_high net net_low net_high " +
    "num_votes num_prompts num_groups num_annotators num_languages p_value p_adjusted",
  other_languages: "system_a system_b value low high tau i_squared",
  worst_languages: "system_a system_b language value low",
  strengths: "system strength low high rank_low rank_high rank_half rank_dropped rank_davidson num_votes",
  style: "feature value low high num_votes",
  behind_leader: "system leader plain plain_low plain_high controlled controlled_low controlled_high",
  quality_differences:
    "system_a system_b scope language share_a share_b difference low high " +
    "num_ratings num_prompts num_groups num_annotators p_value p_adjusted",
  agreement: "judge raters measure setup language value low high n",
  admissibility: "judge language verdict judge_agreement people_agreement difference low high num_units num_prompts",
  powered:
    "judge verdict system_a system_b language value low high people_only judge_only weight stderr_ratio " +
    "num_prompts_people num_prompts_judge num_votes num_verdicts",
  languages:
    "language num_votes num_prompts num_annotators left_share left_share_low left_share_high " +
    "left_worth left_worth_low left_worth_high tie_weight tie_weight_low tie_weight_high",
  flags: "flag num total",
  dropped: "reason num",
};

function prefExport(seen) {
  const { votes } = seen;
  const isOfPair = ({ system_a: a, system_b: b }) => !seen.systems.length || prefHas(seen.systems, a, b || a);
  const isOfLanguage = ({ language }) => !seen.language || language === seen.language;
  const isShown = (one) => isOfPair(one) && isOfLanguage(one);
  const overLanguages = (found) => (seen.language ? [] : found.filter(isOfPair));
  const tables = [
    prefOut("win_rates", [...votes.rates, ...votes.rates_against_all].filter(isShown).map(prefRateOut)),
    prefOut("other_languages", overLanguages(votes.other_languages)),
    prefOut("worst_languages", overLanguages(votes.worst_languages)),
    ...prefRankingOut(votes.ranking),
    ...prefQualityOut(seen, isOfPair),
    prefOut("agreement", prefAgreementOut(votes).filter(isOfLanguage)),
    prefOut("admissibility", prefAdmissionOut(votes).filter(isOfLanguage)),
    prefOut("powered", votes.powered.filter((one) => isShown(one.rate)).map(prefPoweredOut)),
    prefOut("languages", votes.languages.filter(isOfLanguage).map(prefLanguageOut(votes))),
    prefOut("flags", prefFlags(votes.annotators, votes.attentiveness)),
    prefOut(
      "dropped",
      Object.entries(votes.counts.dropped).map(([reason, num]) => ({ reason, num })),
    ),
  ];
  return tables.filter((table) => table.rows.length);
}

/** Records as a table of some of their fields. */
function prefOut(called, records, head = PREF_OUT[called].split(" ")) {
  return { name: called, head, rows: records.map((one) => head.map((field) => one[field] ?? null)) };
}

function prefBoundsOut(field, bounds) {
  return { [field + "_low"]: bounds?.low ?? null, [field + "_high"]: bounds?.high ?? null };
}

function prefNumberOut(field, found) {
  return { [field]: found?.value ?? null, ...prefBoundsOut(field, found) };
}

/** The bounds that a record keeps under names of its numbers, beside these. */
function prefAllBoundsOut(intervals) {
  return Object.assign({}, ...Object.entries(intervals).map(([field, bounds]) => prefBoundsOut(field, bounds)));
}

function prefRateOut(rate) {
  return { ...rate, ...prefAllBoundsOut(rate.intervals) };
}

function prefRankingOut(ranking) {
  if (!ranking) return [];
  const ranks = (row) => Object.fromEntries(Object.entries(row.ranks).map(([ties, rank]) => ["rank_" + ties, rank]));
  const gap = (system) => ({
    system,
    leader: ranking.leader,
    ...prefNumberOut("plain", prefOf(ranking.plain, system)),
    ...prefNumberOut("controlled", prefOf(ranking.controlled, system)),
  });
  return [
    prefOut(
      "strengths",
      ranking.systems.map((row) => ({ ...row, ...ranks(row) })),
    ),
    prefOut(
      "style",
      Object.entries(ranking.style).map(([feature, found]) => ({ feature, ...found })),
    ),
    prefOut("behind_leader", Object.keys(ranking.controlled).map(gap)),
  ];
}

function prefQualityOut(seen, isOfPair) {
  const { quality } = seen.votes;
  if (!quality) return [];
  const named = (found) => ({ ...found, language: found.scope === "language" ? found.languages[0] : "" });
  const flat = (found) => ({ ...found.levels, ...prefAllBoundsOut(found.intervals), ...named(found) });
  const isSystem = (found) => !seen.systems.length || seen.systems.includes(found.system);
  const kept = quality.qualities.filter((found) => isSystem(found) && prefIsSeen(seen, found));
  const apart = quality.differences.filter((found) => isOfPair(found) && prefIsSeen(seen, found));
  const levels = quality.scale.levels.flatMap((level) => [level, level + "_low", level + "_high"]);
  const front = ["system", "scope", "language", "share_acceptable", "low", "high"];
  const counts = ["num_ratings", "num_prompts", "num_groups", "num_annotators"];
  return [
    prefOut("quality", kept.map(flat), [...front, ...levels, ...counts]),
    prefOut("quality_differences", apart.map(named)),
  ];
}

function prefAgreementOut(votes) {
  const shares = (judge, all) => all.map((one) => ({ ...one, judge, measure: "share", n: one.num_pairs }));
  const beyond = (judge, all) => all.map((one) => ({ ...one, judge, n: one.num_units }));
  return [
    ...shares("", votes.agreement),
    ...beyond("", votes.alphas),
    ...votes.judges.flatMap((one) => [...shares(one.judge, one.agreement), ...beyond(one.judge, one.kappas)]),
  ];
}

function prefAdmissionOut(votes) {
  return votes.judges.flatMap(({ judge, admissibility }) => admissibility.map((one) => ({ ...one, judge })));
}

function prefPoweredOut({ judge, rate, admission }) {
  return { ...rate, judge, verdict: admission?.verdict ?? "" };
}

function prefLanguageOut({ ranking }) {
  return (one) => ({
    ...one,
    ...prefNumberOut("left_share", one.left_share),
    ...prefNumberOut("left_worth", prefOf(ranking?.left, one.language)),
    ...prefNumberOut("tie_weight", prefOf(ranking?.tie_weights, one.language)),
  });
}

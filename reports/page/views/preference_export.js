// The votes' tables to download: the record's own names and unrounded numbers, shares from 0 to 1.

function prefExport(seen) {
  const { votes } = seen;
  const isOfPair = ({ system_a: a, system_b: b }) => !seen.systems.length || prefHas(seen.systems, a, b || a);
  const isOfLanguage = ({ language }) => !seen.language || language === seen.language;
  const isShown = (one) => isOfPair(one) && isOfLanguage(one);
  const tables = [
    prefRatesOut([...votes.rates, ...votes.rates_against_all].filter(isShown)),
    prefFlat("other_languages", seen.language ? [] : votes.other_languages.filter(isOfPair), ["system_a", "system_b", "value", "low", "high", "tau", "i_squared"]),
    prefFlat("worst_languages", seen.language ? [] : votes.worst_languages.filter(isOfPair), ["system_a", "system_b", "language", "value", "low"]),
    ...prefStrengthsOut(votes.ranking),
    ...prefQualityOut(seen, isOfPair),
    prefFlat("agreement", prefAgreementOut(votes).filter(isOfLanguage), ["judge", "raters", "measure", "setup", "language", "value", "low", "high", "n"]),
    prefFlat("admissibility", prefAdmissionOut(votes).filter(isOfLanguage), ["judge", "language", "verdict", "judge_agreement", "people_agreement", "difference", "low", "high", "num_units", "num_prompts"]),
    prefPoweredOut(votes.powered.filter((one) => isShown(one.rate))),
    prefSidesOut(votes, isOfLanguage),
    prefFlat("flags", prefFlags(votes.annotators, votes.attentiveness), ["flag", "num", "total"]),
    prefFlat("dropped", Object.entries(votes.counts.dropped).map(([reason, num]) => ({ reason, num })), ["reason", "num"]),
  ];
  return tables.filter((table) => table.rows.length);
}

/** Records as a table of some of their fields. */
function prefFlat(called, records, head) {
  return { name: called, head, rows: records.map((one) => head.map((field) => one[field] ?? null)) };
}

const PREF_RATE_FIELDS = ["system_a", "system_b", "scope", "language", "win_half", "low", "high", "interval", "degrees", "design_effect", "by_vote"];
const PREF_RATE_SHARES = ["win", "tie", "tie_good", "tie_bad", "loss", "win_decisive", "net"];
const PREF_RATE_COUNTS = ["num_votes", "num_prompts", "num_groups", "num_annotators", "num_languages", "p_value", "p_adjusted"];

function prefRatesOut(rates) {
  const head = [...PREF_RATE_FIELDS, ...PREF_RATE_SHARES.flatMap(prefWithBounds), ...PREF_RATE_COUNTS];
  const flat = (rate) => ({ ...rate, ...Object.fromEntries(PREF_RATE_SHARES.flatMap((field) => prefBoundsOut(field, rate.intervals[field]))) });
  return prefFlat("win_rates", rates.map(flat), head);
}

function prefWithBounds(field) {
  return [field, field + "_low", field + "_high"];
}

function prefBoundsOut(field, bounds) {
  return [[field + "_low", bounds?.low ?? null], [field + "_high", bounds?.high ?? null]];
}

function prefStrengthsOut(ranking) {
  if (!ranking) return [];
  const ties = prefToldTies(ranking);
  const flat = (row) => ({ ...row, ...Object.fromEntries(ties.map((way) => ["rank_" + way, row.ranks[way]])) });
  const head = ["system", "strength", "low", "high", "rank_low", "rank_high", ...ties.map((way) => "rank_" + way), "num_votes"];
  const gaps = Object.keys(ranking.controlled).map((system) => ({
    system,
    leader: ranking.leader,
    ...Object.fromEntries(["plain", "controlled"].flatMap((way) => prefNumberOut(way, ranking[way][system]))),
  }));
  return [
    prefFlat("strengths", ranking.systems.map(flat), head),
    prefFlat("style", Object.entries(ranking.style).map(([feature, found]) => ({ feature, ...found })), ["feature", "value", "low", "high", "num_votes"]),
    prefFlat("behind_leader", gaps, ["system", "leader", ...prefWithBounds("plain"), ...prefWithBounds("controlled")]),
  ];
}

function prefNumberOut(field, found) {
  return [[field, found?.value ?? null], ...prefBoundsOut(field, found)];
}

function prefQualityOut(seen, isOfPair) {
  const { quality } = seen.votes;
  if (!quality) return [];
  const { levels } = quality.scale;
  const named = (found) => ({ ...found, language: found.scope === "language" ? found.languages[0] : "" });
  const flat = (found) => ({ ...named(found), ...Object.fromEntries(levels.flatMap((level) => [[level, found.levels[level]], ...prefBoundsOut(level, found.intervals[level])])) });
  const isSystem = (found) => !seen.systems.length || seen.systems.includes(found.system);
  const kept = quality.qualities.filter((found) => isSystem(found) && prefIsSeen(seen, found));
  const apart = quality.differences.filter((found) => isOfPair(found) && prefIsSeen(seen, found));
  const counts = ["num_ratings", "num_prompts", "num_groups", "num_annotators"];
  return [
    prefFlat("quality", kept.map(flat), ["system", "scope", "language", "share_acceptable", "low", "high", ...levels.flatMap(prefWithBounds), ...counts]),
    prefFlat("quality_differences", apart.map(named), ["system_a", "system_b", "scope", "language", "share_a", "share_b", "difference", "low", "high", ...counts, "p_value", "p_adjusted"]),
  ];
}

function prefAgreementOut(votes) {
  const share = (judge) => (one) => ({ ...one, judge, measure: "share", n: one.num_pairs });
  const beyond = (judge) => (one) => ({ ...one, judge, n: one.num_units });
  const judged = votes.judges.flatMap(({ judge, agreement, kappas }) => [...agreement.map(share(judge)), ...kappas.map(beyond(judge))]);
  return [...votes.agreement.map(share("")), ...votes.alphas.map(beyond("")), ...judged];
}

function prefAdmissionOut(votes) {
  return votes.judges.flatMap(({ judge, admissibility }) => admissibility.map((one) => ({ ...one, judge })));
}

function prefPoweredOut(found) {
  const head = ["judge", "system_a", "system_b", "language", "value", "low", "high", "people_only", "judge_only", "weight", "stderr_ratio", "num_prompts_people", "num_prompts_judge", "num_votes", "num_verdicts", "verdict"];
  return prefFlat("powered", found.map(({ judge, rate, admission }) => ({ ...rate, judge, verdict: admission?.verdict ?? "" })), head);
}

function prefSidesOut({ languages, ranking }, isOfLanguage) {
  const flat = (one) => ({
    ...one,
    ...Object.fromEntries([
      ...prefNumberOut("left_share", one.left_share),
      ...prefNumberOut("left_worth", ranking?.left[one.language]),
      ...prefNumberOut("tie_weight", ranking?.tie_weights[one.language]),
    ]),
  });
  const head = ["language", "num_votes", "num_prompts", "num_annotators", ...["left_share", "left_worth", "tie_weight"].flatMap(prefWithBounds)];
  return prefFlat("languages", languages.filter(isOfLanguage).map(flat), head);
}

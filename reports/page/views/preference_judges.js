// Judges beside people, and the win rates that their verdicts help to know.

function prefJudges(seen) {
  const found = seen.votes.judges.map((judge, place) => prefJudge(seen, judge, place + 1));
  const powered = seen.votes.powered.filter((one) => prefIsPowered(seen, one.rate));
  return [found, powered.length ? prefPowered(powered) : null];
}

function prefJudge(seen, judge, place) {
  const kappas = [
    [t("pref_kappa"), t("pref_kappa_ties")],
    [t("pref_kappa"), t("pref_kappa_decided")],
  ];
  const admitted = judge.admissibility.filter((one) => !seen.language || one.language === seen.language);
  return [
    el(
      "h4",
      {},
      t("pref_judge"),
      " ",
      name(judge.judge),
      " ",
      el("span", { class: "quiet" }, t("pref_verdicts", { n: judge.num_verdicts })),
    ),
    judge.agreement.length
      ? prefAgreementTable(
          seen,
          "votes-judge-" + place,
          t("pref_judge_caption"),
          kappas,
          judge.agreement,
          judge.kappas,
          PREF_SETUPS,
        )
      : el("p", { class: "quiet" }, t("pref_no_shared")),
    admitted.length ? prefAdmission(admitted, place) : null,
    judge.agreement.length && !admitted.length ? el("p", { class: "quiet" }, t("pref_too_few_twice")) : null,
  ];
}

function prefAdmission(found, place) {
  const heads = [
    prefHead(t("pref_language"), "", { class: "model" }),
    prefHead(t("pref_verdict"), t("pref_verdict_detail")),
    prefHead(t("pref_judge_less"), t("pref_points")),
    prefHead(t("pref_the_judge"), t("pref_agrees_detail")),
    prefHead(t("pref_another"), t("pref_ceiling_detail")),
    prefHead("n"),
  ];
  const order = prefInOrder(found.map((one) => one.language));
  const rows = order.map((code) => prefAdmissionRow(found.find((one) => one.language === code)));
  return prefTable("votes-admission-" + place, t("pref_admission_caption"), "", heads, el("tbody", {}, rows));
}

function prefAdmissionRow(one) {
  return el(
    "tr",
    {},
    prefLanguageHead(one.language),
    el("td", {}, prefAdmitted(one.verdict)),
    prefCell({ value: one.difference, low: one.low, high: one.high }, { isSigned: true }),
    el("td", { class: "cell" }, prefShareNumber(one.judge_agreement)),
    el("td", { class: "cell" }, prefShareNumber(one.people_agreement)),
    prefCounts([t("pref_comparisons", { n: one.num_units }), t("pref_source_prompts", { n: one.num_prompts })]),
  );
}

function prefAdmitted(verdict) {
  return el("b", { class: "verdict-" + verdict.replaceAll(" ", "-") }, prefTerm("verdict", verdict));
}

// -- rates that judges help to know

function prefIsPowered(seen, rate) {
  if (seen.language && rate.language !== seen.language) return false;
  if (seen.systems.length) return prefHas(seen.systems, rate.system_a, rate.system_b);
  const top = seen.votes.systems.slice(0, PREF_MOST_SYSTEMS);
  return top.includes(rate.system_a) && top.includes(rate.system_b);
}

function prefPowered(found) {
  const heads = [
    prefHead(t("pref_pair"), "", { class: "model" }),
    prefHead(t("pref_win_rate"), t("pref_powered_detail")),
    prefHead(t("pref_people_only"), "%"),
    prefHead(t("pref_judge_only"), "%"),
    prefHead(t("pref_weight"), t("pref_weight_detail")),
    prefHead(t("pref_error"), t("pref_error_detail")),
    prefHead(t("pref_the_judge_is")),
    prefHead("n"),
  ];
  const rows = found.map(prefPoweredRow);
  return [
    el("h4", {}, t("pref_powered")),
    el("p", { class: "quiet legend" }, t("pref_powered_lead")),
    prefTable("votes-powered", t("pref_powered_caption"), "", heads, el("tbody", {}, rows)),
  ];
}

function prefPoweredRow({ judge, rate, admission }) {
  const over = joinedNodes(
    [prefLanguage(rate.language), [t("pref_judge"), " ", name(judge, { class: "plain" })]],
    "join_facts",
  );
  return el(
    "tr",
    {},
    prefPairHead(rate.system_a, rate.system_b, t("pref_against"), over),
    prefCell(rate),
    el("td", { class: "cell" }, prefShareNumber(rate.people_only)),
    el("td", { class: "cell" }, prefShareNumber(rate.judge_only)),
    el("td", { class: "cell" }, number(rate.weight, 2)),
    el(
      "td",
      { class: "cell" },
      rate.stderr_ratio === null ? "" : el("bdi", { dir: "ltr" }, "× " + number(rate.stderr_ratio, 2)),
    ),
    el("td", {}, prefAdmitted(admission ? admission.verdict : "undecided")),
    prefCounts([
      t("pref_by_people", {
        what: t("votes", { n: rate.num_votes }),
        people: t("pref_prompts", { n: rate.num_prompts_people }),
      }),
      t("pref_judged_more", { what: t("pref_verdicts", { n: rate.num_verdicts }), n: rate.num_prompts_judge }),
    ]),
  );
}

// How far judges can be trusted: their cards, what they lean to in the runs at hand, and whether people agree with them.

const CARD_COLUMNS = ["parse_rate", "decent", "attacks", "length_slope", "swap_consistency", "first_position"];

// -- what a judge leans to, as its runs show it

function judgeLeanings(section) {
  const rows = section.judgings.flatMap((one) => judgeLeaningRows(one, section.judgings.length > 1));
  if (!rows.length) return null;
  const heads = ["judge_leaning", "judge_leaning_value", "judge_cases"].map((key) => t(key));
  return [
    el("h4", {}, t("judge_leanings")),
    el("p", { class: "quiet legend" }, t("judge_leanings_lead")),
    plainTable(
      "judged-leanings-" + section.at,
      [t("judge_leanings_caption", { model: section.model }), judgeWhere(section)],
      heads,
      rows,
    ),
  ];
}

function judgeLeaningRows(judging, isOneOfMany) {
  const task = board.tasks[judging.task];
  const more = isOneOfMany ? el("span", { class: "detail" }, labelNodes(taskLabel(task), task.language)) : null;
  const found = [];
  if (judging.length_slope) {
    const cell = cellOf(judging.length_slope);
    found.push(leaningRow([t("judge_length"), more], signedShare(cell), cell));
  }
  for (const own of judging.self_preferences) {
    const facts = { judge: judging.model, other: own.other_judge, others: own.others };
    const head = [t(judging.rival ? "judge_self_pair" : "judge_self", facts), more];
    const unit = own.scale === 100 ? t("judge_points_of_share") : t("judge_points");
    found.push(leaningRow(head, signedNumber(own, own.scale, unit), { ...own, clusters: own.num_clusters }));
  }
  return found;
}

function leaningRow(head, value, { n, clusters }) {
  return el(
    "tr",
    {},
    el("th", { scope: "row", class: "model" }, head),
    el("td", { class: "cell" }, value),
    el("td", { class: "n" }, nText(n, clusters)),
  );
}

function signedShare(cell) {
  return signedNumber(cell, 100, t("judge_of_scale"));
}

function signedNumber(found, scale, unit) {
  return [valueNodes(found, scale, { write: signed }), el("span", { class: "n" }, unit)];
}

function judgeLeaningLines(one) {
  const slope = one.length_slope ? cellOf(one.length_slope) : null;
  const length = slope ? [["length", "", "", 1, slope.value, slope.low, slope.high, slope.n, slope.clusters]] : [];
  const own = one.self_preferences.map((part) => [
    ...["self", board.runs[part.run].name, part.other_judge, part.scale],
    ...[part.value, part.low, part.high].map((value) => (value === null ? null : value * part.scale)),
    ...[part.n, part.num_clusters],
  ]);
  return [...length, ...own];
}

// -- cards

function judgeCardsPart(cards) {
  if (!cards.length) return null;
  const table = sortedTable({
    id: "judge-cards",
    caption: said(t("judge_cards_caption")),
    columns: [cardHeadColumn(), cardVerdictColumn(), ...CARD_COLUMNS.map(cardColumn)],
    rows: cards,
  });
  return [
    el("h3", {}, t("judge_cards")),
    el("p", { class: "quiet legend" }, t("judge_cards_lead")),
    table,
    cards.map((at) => fold("card" + at, cardTitle(board.cards[at]), () => cardTable(at))),
  ];
}

function cardTitle(card) {
  return [
    el("h4", {}, t("judge_card_of", { model: card.model, language: languageName(card.language) })),
    " ",
    el("span", { class: "quiet" }, name(card.protocol)),
  ];
}

function cardHeadColumn() {
  return {
    id: "judge",
    kind: "model",
    head: t("judge_fact_model"),
    value: (at) => board.cards[at].model.toLocaleLowerCase() + " " + board.cards[at].language,
    cell: (at) => {
      const { model, protocol, language, num_cases: n } = board.cards[at];
      const details = [languageName(language), isolated(protocol), t("judge_card_cases", { n })];
      return el(
        "th",
        { scope: "row", class: "model" },
        headName(model),
        details.map((text) => el("span", { class: "detail" }, text)),
      );
    },
  };
}

function cardVerdictColumn() {
  return {
    id: "verdict",
    head: t("judge_verdict"),
    value: (at) => Number(board.cards[at].is_admissible),
    cell: (at) => {
      const card = board.cards[at];
      const broken = card.measures.filter((one) => !one.is_kept);
      const why = broken.length
        ? t("judge_broken", { n: broken.length, all: card.measures.length })
        : t("judge_all_kept", { n: card.measures.length });
      return el(
        "td",
        { class: "why" },
        judgeVerdict(card.is_admissible ? "admissible" : "not admissible"),
        el("span", { class: "detail" }, why),
      );
    },
  };
}

function cardColumn(what) {
  const of = (at) => board.cards[at].measures.find((one) => one.what === what);
  return {
    id: what,
    firstDirection: "-",
    head: el("span", { class: "title" }, t("judge_measure_" + what)),
    value: (at) => of(at)?.value ?? null,
    cell: (at) => measureCell(of(at)),
  };
}

/** A figure of a card, and where it is not kept what it must be. */
function measureCell(one) {
  if (!one) return noneCell("judge_not_measured");
  const broken = one.is_kept ? null : el("span", { class: "warning" }, "✗ " + mustBe(one));
  return el("td", { class: "cell" }, measureNodes(one), measureCounts(one), broken);
}

function measureNodes(one) {
  if (one.value === null) return el("b", { class: "value" }, t("not_known"));
  return valueNodes(one, 100, { unit: percentText });
}

function measureCounts(one) {
  const missing = one.num_unscored ? t("judge_without_verdict", { n: one.num_unscored }) : "";
  return el("span", { class: "n" }, joined([t("n", { n: one.n }), missing], "join_facts"));
}

function mustBe({ bound, limit }) {
  const decimals = Number.isInteger(Math.round(1e6 * limit) / 1e4) ? 0 : 1;
  const text = number(100 * limit, decimals);
  return t("judge_must_be_" + bound.replaceAll(" ", "_"), { limit: bound === "within" ? text : percentText(text) });
}

function measureName({ what, name: own }) {
  return own ? [t("judge_measure_" + what), ": ", name(own)] : t("judge_measure_" + what);
}

/** Every figure of a card against what it must be. */
function cardTable(at) {
  const rows = board.cards[at].measures.map((one) =>
    el(
      "tr",
      { class: one.is_kept ? null : "broken" },
      el("th", { scope: "row", class: "model" }, measureName(one)),
      el("td", { class: "cell" }, measureNodes(one), measureCounts(one)),
      el("td", {}, measurePicture(one)),
      el("td", {}, mustBe(one)),
      el(
        "td",
        { class: one.is_kept ? "status right" : "status wrong" },
        one.is_kept ? "✓ " + t("judge_kept") : "✗ " + t("judge_not_kept"),
      ),
    ),
  );
  const heads = ["judge_measure", "judge_figure", "judge_picture", "judge_must_be", "judge_verdict"].map((key) =>
    t(key),
  );
  const { model, language } = board.cards[at];
  return plainTable("judge-card-" + at, t("judge_card_of", { model, language: languageName(language) }), heads, rows);
}

/** A share on an axis from 0 to 100 %; what length is worth, which may be below, on one from −50. */
function measurePicture(one) {
  if (one.value === null) return "";
  return whisker({ ...one, worst: null, best: null }, 100, one.what === "length_slope" ? [-50, 50] : [0, 100]);
}

function judgeCardExport(cards) {
  const percent = (value) => (value === null ? null : 100 * value);
  const rows = cards.flatMap((at) => {
    const card = board.cards[at];
    const front = [
      card.judge,
      card.model,
      card.protocol,
      card.language,
      card.is_admissible ? "admissible" : "not admissible",
    ];
    return card.measures.map((one) => [
      ...[
        ...front,
        one.what,
        one.name,
        percent(one.value),
        percent(one.low),
        percent(one.high),
        one.n,
        one.num_unscored,
      ],
      ...[one.bound, percent(one.limit), one.is_kept ? "yes" : "no"],
    ]);
  });
  const head =
    "judge judging_model protocol language verdict measure name value low high n without_verdict must_be limit kept";
  return { name: t("judge_cards"), head: head.split(" "), rows };
}

// -- people

/** How far judges and people agree, by language; all of it stands with the votes. */
function judgePeoplePart(by) {
  const judges = (board.preference ? board.preference.judges : []).filter((one) => !by || isJudgeBy(one.judge, by));
  const rows = judges.flatMap((one) => peopleLanguages(one).map((language) => peopleRow(one, language)));
  if (!rows.length) return null;
  const heads = ["judge_fact_model", "judge_agree_ties", "judge_agree_decided", "judge_kappa", "judge_against_person"];
  return [
    el("h3", {}, t("judge_people")),
    el(
      "p",
      { class: "quiet legend" },
      t("judge_people_lead"),
      " ",
      el("a", { href: address("preference", { section: "judges" }) }, t("judge_see_votes")),
    ),
    plainTable(
      "judge-people",
      t("judge_people_caption"),
      heads.map((key) => t(key)),
      rows,
    ),
  ];
}

/** Whether a rater of votes, ``rules@model``, is the model `by`. */
function isJudgeBy(rater, by) {
  return rater === by || rater.endsWith("@" + by);
}

function peopleLanguages({ agreement, kappas, admissibility }) {
  return [...new Set([...agreement, ...kappas, ...admissibility].map((one) => one.language))];
}

function peopleRow({ judge, agreement, kappas, admissibility }, language) {
  const of = (list, setup) => list.find((one) => one.language === language && (!setup || one.setup === setup));
  const share = (one) => one && { ...bareCell(one), n: one.num_pairs, clusters: one.num_prompts };
  const kappa = of(kappas, "with-ties");
  return el(
    "tr",
    {},
    el(
      "th",
      { scope: "row", class: "model" },
      headName(judge),
      language ? el("span", { class: "detail" }, languageName(language)) : null,
    ),
    ["with-ties", "decided"].map((setup) => numberCell(share(of(agreement, setup)) || null, 100, [0, 100])),
    numberCell(kappa ? { ...bareCell(kappa), n: kappa.num_units, clusters: 0 } : null, 1, [-1, 1]),
    admissionCell(of(admissibility)),
  );
}

function bareCell({ value, low, high }) {
  return { value, low, high, unscored: 0, worst: null, best: null, isChat: false, notes: [] };
}

function admissionCell(one) {
  if (!one) return noneCell("not_known");
  const difference = { value: one.difference, low: one.low, high: one.high };
  return el(
    "td",
    { class: "cell" },
    judgeVerdict(one.verdict),
    el("span", { class: "detail" }, signedNumber(difference, 100, t("judge_points_of_share"))),
    el("span", { class: "n" }, nText(one.num_units, one.num_prompts)),
  );
}

// Judges: what they say of each benchmark's answers, one table a judge and never two in one, and what speaks for them.

view("judges", {
  title: "view_judges",
  has: (found) => found.judgings.length > 0 || found.cards.length > 0,
  show(root, params) {
    const filter = { bench: params.get("bench") || "", by: params.get("by") || "" };
    const sections = judgeSections().filter((one) => judgeIsSeen(one, filter));
    const cards = board.cards.map((_, at) => at).filter((at) => !filter.bench && judgeIsSeen(board.cards[at], filter));
    root.append(el("p", { class: "lead" }, t("judge_lead")), judgeFilters(filter));
    if (!sections.length && !cards.length) root.append(el("p", { class: "notice" }, t("judge_none_such")));
    add(root, judgeSectionNodes(sections), judgeCardsPart(cards), filter.bench ? null : judgePeoplePart(filter.by));
    return () => judgeTables(sections, cards);
  },
});

/** What judges did, by benchmark and judge: `{family, judge, model, protocol, …, judgings, runs}`, runs the best first. */
function judgeSections() {
  const found = new Map();
  for (const one of board.judgings) {
    const { family } = board.tasks[one.task];
    const isAlone = familyOf(family).tasks.length === 1;
    const { judge, model, protocol, version, setup, rival } = one;
    const key = JSON.stringify([family, judge, model, protocol, version, setup, isAlone ? one.data : ""]);
    if (!found.has(key)) {
      found.set(key, { at: found.size, family, isAlone, judge, model, protocol, version, setup, rival, judgings: [] });
    }
    found.get(key).judgings.push(one);
  }
  return [...found.values()].map((section) => ({ ...section, runs: judgedRuns(section.judgings) }));
}

function familyOf(wanted) {
  return board.families.find((family) => family.name === wanted);
}

function judgedRuns(judgings) {
  const seen = new Set(judgings.flatMap((one) => one.runs.map((part) => part.run)));
  return runsInOrder().filter((run) => seen.has(run));
}

function judgeIsSeen({ family, model }, { bench, by }) {
  const isSame = (name, wanted) => !wanted || wellFormed(name) === wellFormed(wanted);
  return isSame(family || "", family === undefined ? "" : bench) && isSame(model, by);
}

// -- filters

function judgeFilters({ bench, by }) {
  const families = [...new Set(judgeSections().map((one) => one.family))];
  const models = [...new Set([...board.judgings, ...board.cards].map((one) => one.model))].sort();
  const found = [
    families.length > 1 ? judgeSelect("bench", families, bench) : null,
    models.length > 1 ? judgeSelect("by", models, by) : null,
  ];
  return found.some(Boolean) ? el("div", { class: "filters" }, found) : "";
}

function judgeSelect(key, names, chosen) {
  const choose = (value) => go(changed({ [key]: value, open: "" }));
  return nameChooser("judges-" + key, t("judge_label_" + key), t("judge_all_" + key), names, chosen, choose);
}

// -- one judge of one benchmark

/** One judge as it is; of several each under its title, the first opened. */
function judgeSectionNodes(sections) {
  if (sections.length === 1) {
    const [only] = sections;
    return el("section", { class: "family" }, el("h3", {}, judgeTitle(only)), judgeBody(only));
  }
  const usual = sections.slice(0, 1).map((one) => "s" + one.at);
  return sections.map((one) =>
    fold("s" + one.at, [el("h3", {}, judgeTitle(one)), " ", judgeSummary(one)], () => judgeBody(one, usual), usual),
  );
}

function judgeTitle({ family, model, rival }) {
  return [
    t("judge_title", { family, model }),
    rival ? [" ", el("span", { class: "quiet" }, t("judge_against", { rival }))] : null,
  ];
}

function judgeSummary({ judge, runs, judgings }) {
  const facts = [
    name(judge),
    t("runs", { n: runs.length }),
    judgings.length > 1 ? t("tasks", { n: judgings.length }) : "",
  ];
  return el("span", { class: "quiet" }, joinedNodes(facts, "join_facts"));
}

function judgeBody(section, usual = []) {
  const layout = section.isAlone ? JUDGE_LAYOUTS[section.judge] : undefined;
  return [
    judgeFacts(section),
    judgeFitness(section),
    layout ? judgeBoard(section, layout) : null,
    layout?.pictured ? judgePictures(section, layout) : null,
    layout ? null : judgePlain(section, usual),
    judgeLeanings(section),
  ];
}

/** By whom and by which rules, so that no number of this judge is taken for another's. */
function judgeFacts(section) {
  const others = board.judgings.filter((one) => one.protocol === section.protocol && one.setup !== section.setup);
  const { model } = board.runs[section.runs[0]];
  return factsList([
    [t("judge_fact_model"), name(section.model)],
    [
      t("judge_fact_rubric"),
      joinedNodes([name(section.judge), t("version", { version: section.version })], "join_facts"),
    ],
    [t("judge_fact_rules"), name(section.protocol)],
    [t("judge_fact_rival"), section.rival && name(section.rival)],
    [t("judge_fact_setup"), others.length ? namesList([model.engine, ...pairTexts(model.identity)]) : ""],
    [t("judge_fact_runs"), count(section.runs.length)],
  ]);
}

/** What the judge's cards and its agreement with people say, for each language it judged in. */
function judgeFitness(section) {
  const lines = section.judgings.map((one) => {
    const language = languageName(board.tasks[one.task].language);
    const card = one.card === null ? null : board.cards[one.card];
    const verdicts = [
      card ? [judgeVerdict(card.is_admissible ? "admissible" : "not admissible"), " ", cardLink(section.model)] : null,
      one.people ? [judgeVerdict(one.people), " ", peopleLink()] : null,
    ].filter(Boolean);
    if (!verdicts.length) return null;
    return el("li", {}, language + ": ", joinedNodes(verdicts, "join_clauses"));
  });
  const known = lines.filter(Boolean);
  const missing = section.judgings.filter((one) => one.card === null).map((one) => board.tasks[one.task].language);
  const names = [...new Set(missing)].map(languageName);
  return [
    known.length ? el("ul", { class: "says" }, known) : null,
    missing.length ? el("p", { class: "quiet" }, t("judge_no_card", { names })) : null,
  ];
}

function judgeVerdict(verdict) {
  const mark = { admissible: "✓ ", "not admissible": "✗ " }[verdict] || "";
  const key = verdict.replaceAll(" ", "_");
  return el("b", { class: "verdict-" + verdict.replaceAll(" ", "-") }, mark + t("judge_is_" + key));
}

function cardLink(model) {
  return el("a", { href: address("judges", { by: model }) }, t("judge_by_card"));
}

function peopleLink() {
  return el("a", { href: address("preference", { section: "judges" }) }, t("judge_by_people"));
}

// -- to download

function judgeTables(sections, cards) {
  const front = ["benchmark", "judge", "judging_model", "protocol", "against", "task", "language"];
  const lines = (make) =>
    sections.flatMap((section) =>
      section.judgings.flatMap((one) => {
        const { name: task, language } = board.tasks[one.task];
        const { family, judge, model, protocol, rival } = section;
        return make(one).map((line) => [family, judge, model, protocol, rival, task, language, ...line]);
      }),
    );
  const run = (place) => runFields(board.runs[place]);
  const metrics = (one) =>
    judgeMetrics(one).flatMap(({ metric, column, cells }) =>
      [...cells].map(([at, cell]) => [...run(at), metric, column.scale, ...cellFields(cell, column.scale)]),
    );
  const replies = (one) => one.runs.map((part) => [...run(part.run), ...part.unparsed, part.num_missing]);
  const leanings = (one) => judgeLeaningLines(one);
  const found = [
    {
      name: t("judge_metrics"),
      head: [...front, ...RUN_FIELDS, "metric", "scale", ...CELL_FIELDS],
      rows: lines(metrics),
    },
    {
      name: t("judge_unparsed"),
      head: [...front, ...RUN_FIELDS, "unparsed", "asked", "low", "high", "missing"],
      rows: lines(replies),
    },
    {
      name: t("judge_leanings"),
      head: [...front, "leaning", "model", "other_judge", "scale", "value", "low", "high", "n", "clusters"],
      rows: lines(leanings),
    },
    judgeCardExport(cards),
  ];
  return found.filter((table) => table.rows.length);
}

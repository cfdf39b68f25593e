// Tables of judged runs: of benchmarks with tables of their own as these have them, else metrics down and runs across.

const MT_CATEGORIES = "writing roleplay reasoning math coding extraction stem humanities".split(" ");
const BELLE_CLASSES =
  "others rewrite classification generation summarization extract open_qa brainstorming closed_qa".split(" ");

/** By judge the columns of its benchmark's table, in the order in which such tables are published. */
const JUDGE_LAYOUTS = {
  mt_bench_single: {
    columns: ["total", "turn1", "turn2", "balanced", ...MT_CATEGORIES].map((part) => "mt_bench_" + part),
    pictured: MT_CATEGORIES.map((part) => "mt_bench_" + part),
    dotted: ["total", "turn1", "turn2", ...MT_CATEGORIES].map((part) => "mt_bench_" + part),
  },
  alignbench: {
    columns: "total reasoning math logic language fundamental chinese open writing roleplay professional total_official"
      .split(" ")
      .map((part) => "alignbench_" + part),
  },
  belle: { columns: ["macro9", "macro8", ...BELLE_CLASSES].map((part) => "belle_" + part) },
};

// -- a benchmark with a table of its own: runs down, its parts across

function judgeBoard(section, { columns }) {
  const [judging] = section.judgings;
  const metrics = judgeMetrics(judging);
  const first = columns.map((key) => metrics.find((one) => one.metric === key)).filter(Boolean);
  const others = metrics.filter((one) => !first.includes(one));
  const table = sortedTable({
    id: "judged-" + section.at,
    caption: said(judgeCaption(section, first[0] || metrics[0])),
    columns: [judgedModelColumn(section), unparsedColumn(judging), ...first.map(judgeColumn)],
    rows: section.runs,
  });
  if (!others.length) return table;
  const make = () => judgeMetricTable(section, judging, others, "others");
  return [table, fold("m" + section.at, el("h4", {}, t("judge_other_metrics")), make)];
}

/** A run's model, with the run's id only where another run of this judge is of the same model. */
function judgedName({ runs }, run) {
  const model = board.runs[run].name;
  return runs.some((other) => other !== run && board.runs[other].name === model) ? runName(run) : model;
}

function judgedModelColumn(section) {
  return {
    id: "model",
    kind: "model",
    head: t("model"),
    value: (run) => judgedName(section, run).toLocaleLowerCase(),
    cell: (run) =>
      el("th", { scope: "row", class: "model" }, headName(judgedName(section, run)), badges(board.runs[run])),
  };
}

function judgeCaption({ family, model, judge, protocol }, metric) {
  const texts = metric ? [direction(metric.column.higher_is_better), axisText(judgeAxis(metric))] : [];
  return [
    el("b", {}, name(family)),
    " ",
    t("judged_by", { judge, model }),
    el("span", { class: "detail" }, joined([isolated(protocol), ...texts], "join_facts")),
  ];
}

/** Sets a table apart from those of other judges. */
function judgeWhere({ family, protocol }) {
  return el("span", { class: "detail" }, namesList([family, protocol]));
}

function judgeColumn(metric) {
  const { column, cells } = metric;
  const axis = judgeAxis(metric);
  return {
    id: column.id,
    names: columnNames(column, column.metric),
    firstDirection: column.higher_is_better ? "-" : "",
    head: judgeMetricHead(metric),
    detail: column.is_primary ? el("span", { class: "badge headline" }, t("headline")) : [],
    value: (run) => cells.get(run)?.value ?? null,
    cell: (run) => numberCell(cells.get(run) || null, column.scale, axis),
  };
}

function unparsedColumn(judging) {
  const of = (run) => judging.runs.find((part) => part.run === run);
  return {
    id: "unparsed",
    firstDirection: "-",
    head: t("judge_unparsed"),
    detail: el("span", { class: "detail" }, t("judge_unparsed_detail")),
    value: (run) => shareOf(of(run)?.unparsed),
    cell: (run) => unparsedCell(of(run), judging),
  };
}

/** ``13 of 40 (32.5 %)``: cases whose reply holds no verdict, and those that could not be asked about. */
function unparsedCell(part, judging) {
  if (!part) return noneCell();
  const [hits, n, low, high] = part.unparsed;
  const more = part.num_missing ? el("span", { class: "warning" }, t("judge_missing", { n: part.num_missing })) : null;
  if (!n) return el("td", { class: "cell" }, el("span", { class: "warning" }, t("judge_nothing_judged")), more);
  const { name: task } = board.tasks[judging.task];
  const run = board.runs[part.run].id.slice(0, 8);
  const text = t("of", { part: hits, whole: n });
  return el(
    "td",
    { class: "cell" },
    el(
      "b",
      { class: "value" },
      hits ? el("a", { href: address("samples", { task, run, status: "unscored" }) }, text) : text,
    ),
    el("span", { class: "n" }, unparsedShare(hits / n, low, high)),
    more,
  );
}

function unparsedShare(value, low, high) {
  return [
    percent(100 * value, decimalsOf(low, high, 100)),
    " (",
    el("span", { class: "interval" }, interval(low, high, 100)),
    ")",
  ];
}

// -- any other benchmark: metrics down, runs across

function judgePlain(section, usual) {
  if (section.judgings.length === 1) {
    const [judging] = section.judgings;
    return [judgeMetricTable(section, judging, judgeMetrics(judging)), judgeCategories(section, judging)];
  }
  return [judgeMeansTable(section), section.judgings.map((one, at) => judgeTaskFold(section, one, at, usual))];
}

/** The means over a family's tasks, and the way to its tasks side by side. */
function judgeMeansTable(section) {
  const rules = ["protocol", "version"];
  const isHere = (column) => column.kind && rules.every((key) => column[key] === section[key]);
  const means = judgeCells(familyOf(section.family), isHere, new Set(section.runs));
  const link = el("a", { href: address("languages", { family: section.family }) }, t("judge_see_languages"));
  const rows = [
    ...judgeFlips(means, section.runs, (one) => judgeScope(one, means)),
    ...means.map((one) => judgeMetricRow(one, section.runs, judgeScope(one, means))),
  ];
  return [
    means.length ? judgeAcross(section, "means", section.runs, rows) : null,
    judgeRepliesTable(section),
    el("p", { class: "quiet" }, link),
  ];
}

/** What a mean is over: its tasks by name where there is another mean of that metric, and its rules if need be. */
function judgeScope({ column }, means) {
  const likes = means.map((one) => one.column).filter((other) => other !== column && other.metric === column.metric);
  if (!likes.length) return scope(column);
  const isTwice = likes.some((other) => String(other.tasks) === String(column.tasks) && other.kind === column.kind);
  const found = [scope(column), ...column.tasks.map(isolated), isTwice ? rules(column, likes) : ""];
  return joined(found, "join_facts");
}

/** Replies without a verdict in every task of a family. */
function judgeRepliesTable(section) {
  const rows = section.runs.map((run) =>
    el(
      "tr",
      {},
      el("th", { scope: "row", class: "model" }, headName(judgedName(section, run)), badges(board.runs[run])),
      section.judgings.map((one) =>
        unparsedCell(
          one.runs.find((part) => part.run === run),
          one,
        ),
      ),
    ),
  );
  const tasks = section.judgings.map((one) => board.tasks[one.task]);
  const heads = [t("model"), ...tasks.map((task) => labelNodes(taskLabel(task), task.language))];
  return plainTable("judged-replies-" + section.at, [t("judge_replies_caption"), judgeWhere(section)], heads, rows);
}

function judgeTaskFold(section, judging, at, usual) {
  const task = board.tasks[judging.task];
  const isTwice = section.judgings.some((one) => one !== judging && one.task === judging.task);
  const title = [
    el("h4", {}, labelNodes(taskLabel(task), task.language)),
    " ",
    el(
      "span",
      { class: "quiet" },
      joinedNodes([name(task.name), isTwice ? t("data", { hash: judging.data }) : ""], "join_facts"),
    ),
  ];
  const make = () => [
    judgeMetricTable(section, judging, judgeMetrics(judging), "t" + at),
    judgeCategories(section, judging),
  ];
  return fold(`s${section.at}.${at}`, title, make, usual);
}

function judgeMetricTable(section, judging, metrics, part = "all") {
  const runs = judgedRuns([judging]);
  const replies = el(
    "tr",
    {},
    el(
      "th",
      { scope: "row", class: "model" },
      t("judge_unparsed"),
      el("span", { class: "detail" }, t("judge_unparsed_detail")),
    ),
    runs.map((run) =>
      unparsedCell(
        judging.runs.find((one) => one.run === run),
        judging,
      ),
    ),
  );
  const rows = [replies, ...judgeFlips(metrics, runs), ...metrics.map((one) => judgeMetricRow(one, runs))];
  return judgeAcross(section, part, runs, rows, board.tasks[judging.task].name);
}

function judgeMetricRow(metric, runs, more = "") {
  const { column, cells } = metric;
  const axis = judgeAxis(metric);
  const details = joined([more, judgeDirection(column), axisText(axis)], "join_facts");
  return el(
    "tr",
    {},
    el(
      "th",
      { scope: "row", class: "model" },
      judgeMetricHead(metric),
      column.is_primary ? el("span", { class: "badge headline" }, t("headline")) : null,
      el("span", { class: "detail" }, details),
    ),
    runs.map((run) => numberCell(cells.get(run) || null, column.scale, axis)),
  );
}

/** A table with a column for every run. `more` sets its caption apart from those of other tasks. */
function judgeAcross(section, part, runs, rows, more = "") {
  const id = `judged-${section.at}-${part}`;
  const heads = runs.map((run) =>
    el("th", { scope: "col" }, el("span", { class: "title" }, name(judgedName(section, run))), badges(board.runs[run])),
  );
  const caption = said(judgeCaption(section), more ? el("span", { class: "detail" }, name(more)) : null);
  const first = el("th", { scope: "col", class: "model" }, t("judge_metric"));
  return framed(id, "numbers", caption, [first, heads], el("tbody", {}, rows));
}

/** The headline by category, of this judge's runs alone. */
function judgeCategories(section, judging) {
  const task = board.tasks[judging.task];
  const runs = judgedRuns([judging]);
  const found = task.categories.filter((one) => runs.includes(one.run));
  const headline = judgeMetrics(judging).find((one) => one.column.is_primary);
  if (!found.length || !headline) return null;
  const axis = judgeAxis(headline);
  const cell = (category, run) => cellOf(found.find((one) => one.category === category && one.run === run)?.cell);
  const rows = [...new Set(found.map((one) => one.category))].map((category) =>
    el(
      "tr",
      {},
      el("th", { scope: "row", class: "model" }, headName(category)),
      runs.map((run) => numberCell(cell(category, run), headline.column.scale, axis)),
    ),
  );
  const key = `c${section.at}-${judging.task}`;
  const title = el("h4", {}, t("judge_by_category", { metric: headline.metric }));
  return fold(key, title, () => judgeAcross(section, key, runs, rows, task.name));
}

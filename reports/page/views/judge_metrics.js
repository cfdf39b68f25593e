// What judges measured of answers: the metrics of a judge's work, how they are called, and on which axis they stand.

/** The metrics of one judge's work on one task, headline first: `{metric, column, cells}`, cells by run. */
function judgeMetrics(judging) {
  const { name: task, family } = board.tasks[judging.task];
  const isHere = (column) =>
    !column.kind &&
    column.tasks[0] === task &&
    ["protocol", "version", "data"].every((key) => column[key] === judging[key]);
  const runs = new Set(judging.runs.map((part) => part.run));
  return judgeCells(familyOf(family), isHere, runs);
}

/**
 * The metrics of those columns of a family for which `isHere(column)`: `{metric, column, cells}`, headline first. Means
 * over other tasks are others.
 */
function judgeCells(family, isHere, runs) {
  const found = new Map();
  for (const table of family.tables) {
    table.columns.forEach((column, at) => {
      if (!isHere(column)) return;
      const key = column.kind ? column.id : column.metric;
      if (!found.has(key)) found.set(key, { metric: column.metric, column, cells: new Map() });
      table.rows.forEach((run, row) => {
        if (runs.has(run) && table.cells[row][at]) found.get(key).cells.set(run, cellOf(table.cells[row][at]));
      });
    });
  }
  const some = [...found.values()].filter((one) => one.cells.size);
  return some.sort((a, b) => b.column.is_primary - a.column.is_primary);
}

/** The ends of an axis: all that the metric can be where that has ends, else what its cells reach. */
function judgeAxis({ column, cells }) {
  const ends = column.bounds && column.bounds.map((end) => end * column.scale);
  if (ends && ends.every(Number.isFinite)) return ends;
  return axisOf(
    [...cells.values()].filter((cell) => cell.value !== null),
    column.scale,
  );
}

/** What a metric is called in one phrase. */
function judgeMetricWord({ metric, column }) {
  return knownText("judge_of_", metric, plain(column.alias || metric));
}

/** A metric as readers of its benchmark know it: the name in published tables, what that means, and our own. */
function judgeMetricHead({ metric, column }) {
  const word = knownText("judge_of_", metric, "");
  const published = column.alias
    ? name(column.alias, { lang: /\p{Script=Han}/u.test(column.alias) ? "zh" : null })
    : null;
  return [
    el("span", { class: "title" }, published || word || name(metric)),
    published && word ? el("span", { class: "metric" }, word) : null,
    published || word ? el("span", { class: "detail" }, name(metric)) : null,
  ];
}

/** Which way is better; of what has no better way what it would be of a judge without a leaning. */
function judgeDirection({ metric, higher_is_better: isHigher }) {
  if (metric === "first_position") return t("judge_even");
  return ["ties", "tie_rate"].includes(metric) ? "" : direction(isHigher);
}

/** How often the order of two answers turned the verdict: what is not judged alike in both. `over(one)`: of which tasks. */
function judgeFlips(metrics, runs, over = () => "") {
  const first = metrics.find((one) => ["order_consistency", "consistency"].includes(one.metric));
  return metrics.filter((one) => one.metric === first?.metric).map((one) => judgeFlipsRow(one, runs, over(one)));
}

function judgeFlipsRow(alike, runs, over) {
  const rest = (share) => (share === null ? null : 1 - share);
  const turned = (cell) => ({
    ...cell,
    ...bareCell({ value: rest(cell.value), low: rest(cell.high), high: rest(cell.low) }),
    isChat: cell.isChat,
  });
  const cells = runs
    .map((run) => alike.cells.get(run))
    .map((cell) => (cell && cell.value !== null ? turned(cell) : null));
  const head = el(
    "th",
    { scope: "row", class: "model" },
    el("span", { class: "title" }, t("judge_flips")),
    el("span", { class: "detail" }, joined([over, t("judge_flips_detail"), direction(false)], "join_facts")),
  );
  return el(
    "tr",
    {},
    head,
    cells.map((cell) => numberCell(cell, 100, [0, 100])),
  );
}

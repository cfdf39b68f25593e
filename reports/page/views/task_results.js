// One task: what came of it in every run.

const BIN_PX = 22;
const CHART_PX = 56;

/** Of a column of one task the cells by run. */
function cellsOf(column) {
  const family = board.families.find((one) => one.name === column.family);
  for (const table of family ? family.tables : []) {
    const at = table.columns.findIndex((other) => other.id === column.id);
    if (at >= 0) return new Map(table.rows.map((run, row) => [run, cellOf(table.cells[row][at])]));
  }
  return new Map();
}

/** The places of the runs that a task was asked in, best first. */
function taskRuns(task) {
  return runsInOrder().filter((run) => task.runs.some((one) => one.run === run));
}

function resultsPart(task) {
  const columns = metricsOf(task).map((column) => {
    const cells = cellsOf(column);
    const known = [...cells.values()].filter((cell) => cell && cell.value !== null);
    const axis = axisOf(known, column.scale);
    return {
      id: column.id,
      names: columnNames(column, column.metric),
      firstDirection: column.higher_is_better ? "-" : "",
      head: [
        el("span", { class: "title" }, name(column.metric)),
        column.is_primary ? el("span", { class: "badge headline" }, t("headline")) : null,
      ],
      detail: [rules(column, task.metrics), direction(column.higher_is_better), axisText(axis)].map((text) =>
        el("span", { class: "detail" }, text),
      ),
      value: (run) => cells.get(run)?.value ?? null,
      cell: (run) => numberCell(cells.get(run) || null, column.scale, axis),
    };
  });
  return [el("h3", {}, t("task_results")), taskTable(task, "task-results", t("task_results_caption"), columns)];
}

/** A table with a row for every run of `task`, sorted by the address. */
function taskTable(task, id, caption, columns, kind = "numbers") {
  return sortedTable({ id, caption: said(caption), columns: [modelColumn(), ...columns], rows: taskRuns(task), kind });
}

// -- categories

function categoriesPart(task) {
  if (!task.categories.length) return [];
  const tables = metricsOf(task)
    .map((column) => [column, task.categories.filter((one) => one.column === column.id)])
    .filter(([, found]) => found.length);
  return [
    el("h3", {}, t("task_categories")),
    tables.map(([column, found], at) => categoryTable(task, column, found, at)),
  ];
}

/** One metric by category: judges' verdicts and answers of one task never share a table. */
function categoryTable(task, headline, all, at) {
  const cells = new Map(all.map((one) => [JSON.stringify([one.category, one.run]), cellOf(one.cell)]));
  const found = (category, run) => cells.get(JSON.stringify([category, run])) || null;
  const axis = axisOf(
    [...cells.values()].filter((cell) => cell.value !== null),
    headline.scale,
  );
  const shownRuns = taskRuns(task).filter((run) => all.some((one) => one.run === run));
  const columns = shownRuns.map((run) => ({
    id: board.runs[run].id,
    names: [runName(run)],
    firstDirection: headline.higher_is_better ? "-" : "",
    head: [el("span", { class: "title" }, name(runName(run)))],
    detail: badges(board.runs[run]),
    value: (category) => found(category, run)?.value ?? null,
    cell: (category) => numberCell(found(category, run), headline.scale, axis),
  }));
  const first = {
    id: "category",
    kind: "model",
    head: t("task_category"),
    value: (category) => category.toLocaleLowerCase(),
    cell: (category) => el("th", { scope: "row", class: "model" }, headName(category)),
  };
  const caption = [
    el("b", {}, name(headline.metric)),
    el(
      "span",
      { class: "detail" },
      joined([isolated(headline.protocol), direction(headline.higher_is_better), axisText(axis)], "join_facts"),
    ),
  ];
  const rows = [...new Set(all.map((one) => one.category))];
  return sortedTable({
    id: "task-categories" + (at || ""),
    caption: said(caption),
    columns: [first, ...columns],
    rows,
  });
}

// -- lengths

/** How long answers are, as a picture for each run and as a table. */
function lengthsPart(task) {
  const runs = taskRuns(task)
    .map((run) => task.runs.find((one) => one.run === run))
    .filter((one) => one.lengths.length);
  if (!runs.length) return [];
  const bins = Math.max(...runs.map((one) => one.lengths.length));
  const top = Math.max(...runs.flatMap((one) => one.lengths.map((part) => part / sum(one.lengths))));
  return [
    el("h3", {}, t("task_lengths")),
    el("p", { class: "quiet legend" }, t("task_lengths_lead")),
    el(
      "div",
      { class: "charts" },
      runs.map((one) => lengthFigure(one, bins, top)),
    ),
    fold("lengths", t("task_as_numbers"), () => lengthTable(runs, bins)),
  ];
}

function sum(values) {
  return values.reduce((total, value) => total + value, 0);
}

/** The tokens that the answers of a bin have at least and at most: 0, 1, 2 to 3, 4 to 7 … */
function binEnds(at) {
  return [at ? 2 ** (at - 1) : 0, at ? 2 ** at - 1 : 0].map(count);
}

function lengthFigure(one, bins, top) {
  const total = sum(one.lengths);
  const most = one.lengths.indexOf(Math.max(...one.lengths));
  const label = t("task_length_picture", { n: total, most: rangeText(...binEnds(most)), part: one.lengths[most] });
  return el(
    "figure",
    { class: "lengths" },
    el(
      "figcaption",
      {},
      name(runName(one.run)),
      badges(board.runs[one.run]),
      el("span", { class: "n" }, t("task_answers", { n: total })),
    ),
    lengthChart(one.lengths, bins, top, label),
  );
}

function lengthChart(lengths, bins, top, label) {
  const total = sum(lengths);
  const marks = [];
  for (let at = 0; at < bins; at++) {
    const height = (CHART_PX * (lengths[at] || 0)) / total / top;
    const x = at * BIN_PX + 2;
    if (height)
      marks.push(svg("rect", { x, y: (CHART_PX - height).toFixed(1), width: BIN_PX - 4, height: height.toFixed(1) }));
    marks.push(svg("text", { x: x + BIN_PX / 2 - 2, y: CHART_PX + 12 }, binStart(at)));
  }
  marks.push(svg("line", { class: "axis", x1: 0, x2: bins * BIN_PX, y1: CHART_PX, y2: CHART_PX }));
  const [width, height] = [bins * BIN_PX, CHART_PX + 16];
  return svg(
    "svg",
    { class: "histogram", role: "img", "aria-label": label, viewBox: `0 0 ${width} ${height}`, width, height },
    marks,
  );
}

/** Where a bin begins, short enough for an axis: powers of two beyond a thousand in thousands. */
function binStart(at) {
  const low = at ? 2 ** (at - 1) : 0;
  return low < 1024 ? String(low) : low / 1024 + "k";
}

function lengthTable(runs, bins) {
  const heads = Array.from({ length: bins }, (_, at) => range(...binEnds(at)));
  const rows = runs.map((one) => {
    const total = sum(one.lengths);
    const cells = heads.map((_, at) => {
      const part = one.lengths[at] || 0;
      return el(
        "td",
        { class: "cell" },
        count(part),
        " ",
        el("span", { class: "quiet" }, percent((100 * part) / total, 1)),
      );
    });
    return el("tr", {}, runHead(one.run), el("td", { class: "cell" }, count(total)), cells);
  });
  return plainTable("task-lengths", t("task_lengths_caption"), [t("model"), t("task_answers_head"), ...heads], rows);
}

// -- how samples ended

function endingsPart(task) {
  const one = (run) => task.runs.find((found) => found.run === run);
  const numbers = [
    ["asked", (found) => found.counts.requested, askedCell],
    ["scored", (found) => found.counts.scored],
    ["unscored", (found) => found.counts.unscored, unscoredCell],
    ["cancelled", (found) => found.counts.cancelled],
    ["not_run", (found) => found.counts.not_run],
    ["truncated", (found) => found.num_truncated],
    ["shortened", (found) => found.spec.num_shortened],
    ["prompt_tokens", (found) => found.num_prompt_tokens],
    ["generated_tokens", (found) => found.num_generated_tokens],
  ];
  const usual = ["asked", "scored", "unscored", "truncated", "generated_tokens"];
  const kept = numbers.filter(([id, value]) => usual.includes(id) || task.runs.some((found) => value(found)));
  const columns = kept.map(([id, value, cell = countCell]) => ({
    id,
    firstDirection: "-",
    head: t("task_end_" + id),
    value: (run) => value(one(run)),
    cell: (run) => cell(value(one(run)), one(run)),
  }));
  return [el("h3", {}, t("task_endings")), taskTable(task, "task-endings", t("task_endings_caption"), columns)];
}

function countCell(value) {
  return el("td", { class: "cell" }, count(value));
}

function askedCell(value, { spec }) {
  const { num_available: available, repeats } = spec;
  const details = [
    spec.num_samples < available ? t("task_of_available", { n: available }) : "",
    repeats > 1 ? t("task_repeats", { n: repeats }) : "",
  ];
  return el(
    "td",
    { class: "cell" },
    count(value),
    details.filter(Boolean).map((text) => el("span", { class: "n" }, text)),
  );
}

/** Unscored samples as a rate, and by cause. */
function unscoredCell(value, { unscored, counts }) {
  const cell = unscored ? rateCell(unscored) : countCell(value);
  const causes = Object.entries(counts.unscored_by_cause).map(([cause, n]) => causeText(cause) + " " + count(n));
  return fill(
    cell,
    {},
    causes.map((text) => el("span", { class: "warning" }, text)),
  );
}

// -- flags

/** Extraction failures and all else that is flagged of an answer, as shares of the scored ones. */
function flagRatesPart(task) {
  const flags = raisedFlags([task]).sort((a, b) => (b === "unparsed") - (a === "unparsed"));
  const title = el("h3", {}, t("task_flags"));
  if (!flags.length) return [title, el("p", { class: "quiet" }, t("task_no_flags"))];
  const columns = flags.map((flag) => ({
    id: flag,
    firstDirection: "-",
    head: [el("span", { class: "title" }, flagText(flag))],
    detail: [el("span", { class: "detail" }, flagAbout(flag))],
    value: (run) => shareOf(flagRate(task, run, flag)),
    cell: (run) => rateCell(flagRate(task, run, flag)),
  }));
  return [title, taskTable(task, "task-flags", t("task_flags_caption"), columns, "numbers flags")];
}

// -- to download

function taskTables(task) {
  const front = (run) => [task.name, ...runFields(board.runs[run])];
  const results = metricsOf(task).flatMap((column) =>
    [...cellsOf(column)]
      .filter(([, cell]) => cell)
      .map(([run, cell]) => [
        ...front(run),
        column.metric,
        column.protocol,
        column.shots,
        column.signature,
        column.scale,
        ...cellFields(cell, column.scale),
      ]),
  );
  const columns = new Map(task.metrics.map((column) => [column.id, column]));
  const categories = task.categories.map((one) => {
    const { metric, scale } = columns.get(one.column);
    return [...front(one.run), one.category, metric, scale, ...cellFields(cellOf(one.cell), scale)];
  });
  const endings = task.runs.map((one) => [
    ...front(one.run),
    one.counts.requested,
    one.counts.scored,
    one.counts.unscored,
    one.num_truncated,
    one.num_prompt_tokens,
    one.num_generated_tokens,
  ]);
  const head = ["task", ...RUN_FIELDS];
  const found = [
    {
      name: t("task_results"),
      head: [...head, "metric", "protocol", "shots", "signature", "scale", ...CELL_FIELDS],
      rows: results,
    },
    { name: t("task_categories"), head: [...head, "category", "metric", "scale", ...CELL_FIELDS], rows: categories },
    {
      name: t("task_endings"),
      head: [...head, "requested", "scored", "unscored", "truncated", "prompt_tokens", "generated_tokens"],
      rows: endings,
    },
    { name: t("task_flags"), head: FLAG_HEAD, rows: task.runs.flatMap((one) => flagLines(task, one)) },
  ];
  return found.filter((table) => table.rows.length);
}

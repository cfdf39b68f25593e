// The leaderboard: models down, headline metrics across, ranks as ranges.

const TYPING_PAUSE_MS = 250;

view("board", {
  title: "view_board",
  has: (found) => found.runs.length > 0,
  show(root, params) {
    const isNormalised = params.get("norm") === "1" && hasNormalised();
    const rows = boardRows(params.get("q") || "");
    root.append(
      el("p", { class: "lead" }, t("board_lead")),
      board.ranking ? rankedOn() : el("p", { class: "quiet" }, t("no_ranks")),
      boardControls(params, isNormalised),
      rows.length
        ? sortedTable({
            id: "standings",
            caption: t("board_caption"),
            columns: boardColumns(isNormalised),
            rows,
            param: "sort",
            usual: board.ranking ? "rank" : "",
          })
        : el("p", { role: "status" }, t("no_model_found", { q: plain(params.get("q")) })),
      boardLegend(),
    );
    return () => boardExport(rows);
  },
});

function hasNormalised() {
  return Boolean(board.ranking && board.ranking.standings.some((standing) => standing.normalised));
}

function standingOf(row) {
  return board.ranking ? board.ranking.standings.find((standing) => standing.row === row) : undefined;
}

function boardRows(wanted) {
  const word = wanted.toLocaleLowerCase();
  return rowsInOrder().filter((row) => runsOf(row)[0].name.toLocaleLowerCase().includes(word));
}

function rankedOn() {
  const { columns, standings, num_pairs: pairs } = board.ranking;
  const names = columns.map((at) => board.columns[at].title);
  return el(
    "p",
    { class: "quiet legend" },
    t("ranked_on", { n: columns.length, names, runs: standings.length, pairs }),
  );
}

function boardControls(params, isNormalised) {
  const find = el("input", { id: "board-find", type: "search", value: params.get("q") || "", autocomplete: "off" });
  let pause = 0;
  find.addEventListener("input", () => {
    clearTimeout(pause);
    pause = setTimeout(() => {
      if (!find.isConnected) return;
      note({ q: find.value });
      route();
    }, TYPING_PAUSE_MS);
  });
  const found = [labelled("board-find", t("find_model"), find)];
  if (hasNormalised()) {
    const toggle = toggleButton("board-norm", t("normalised"), isNormalised, { norm: isNormalised ? "" : "1" });
    found.push(el("div", {}, el("span", { class: "label" }, t("mean")), toggle));
  }
  return el("div", { class: "filters" }, found);
}

// -- columns

function boardColumns(isNormalised) {
  const found = [
    { id: "model", kind: "model", head: t("model"), value: (row) => rowName(row).toLocaleLowerCase(), cell: boardHead },
  ];
  if (board.ranking) found.push(rankColumn(), meanColumn(isNormalised));
  found.push(coverageColumn(), ...board.columns.map(metricColumn));
  if (board.rows.some((row) => row.worst_language)) found.push(extremeColumn("worst_language", number));
  if (board.rows.some((row) => row.gap_to_english)) found.push(extremeColumn("gap_to_english", signed));
  if (board.runs.some((run) => run.measured.tokens_per_second)) found.push(speedColumn());
  if (board.runs.some((run) => run.measured.cost)) found.push(costColumn());
  if (board.runs.some((run) => run.started)) found.push(dateColumn());
  return found;
}

function boardHead(row) {
  const runs = runsOf(row);
  const isShared = (told) => runs.every((run) => told(run) === told(runs[0]));
  const common = settingsOf(runs[0]).filter((text) => runs.every((run) => settingsOf(run).includes(text)));
  return el(
    "th",
    { scope: "row", class: standingOf(row)?.is_band ? "model band" : "model" },
    headName(rowName(row)),
    partialBadge(runs),
    unfitBadge(runs),
    isShared((run) => run.status) ? statusBadge(runs[0]) : null,
    isShared((run) => run.withdrawn) ? withdrawnBadge(runs[0]) : null,
    common.map((text) => el("span", { class: "detail" }, text)),
    redFlagNote(...runs),
    runs.length > 1
      ? runsFold(runs, common)
      : el(
          "span",
          { class: "detail" },
          t("run"),
          " ",
          joinedNodes([runLink(runs[0]), checkedText(runs[0])], "join_facts"),
        ),
  );
}

/** What was changed for a whole run, in words. */
function settingsOf(run) {
  const found = [];
  if (run.is_partial) found.push(partText(run));
  if (Object.keys(run.generation).length) found.push(t("set_generation", { settings: pairTexts(run.generation) }));
  if (run.system_instruction) found.push(t("set_system"));
  if (run.multiturn_shots === false) found.push(t("set_one_turn"));
  if (run.judged) found.push(t("judged_by", { judge: run.judged.judge, model: run.model.name }));
  return found;
}

/** How far the ledger says that a run was checked, in a word; nothing on a page without a ledger. */
function checkedText({ trust, withdrawn }) {
  if (!board.ledger || withdrawn) return "";
  return t("checked_" + (trust ? trust.level.replaceAll("-", "_") : "none"));
}

/** The runs of a row, each with what is special about it. */
function runsFold(runs, common) {
  const line = (run) => [
    el("span", { class: "detail" }, joinedNodes([runLink(run), checkedText(run)], "join_facts")),
    statusBadge(run),
    withdrawnBadge(run),
    settingsOf(run)
      .filter((text) => !common.includes(text))
      .map((text) => el("span", { class: "detail" }, text)),
  ];
  const title = t("runs", { n: runs.length });
  return fold("runs-" + runs[0].id.slice(0, 8), title, () =>
    el(
      "ul",
      { class: "runs" },
      runs.map((run) => el("li", {}, line(run))),
    ),
  );
}

function runLink({ id }) {
  return el("a", { href: address("provenance", { run: id.slice(0, 8) }) }, el("code", {}, id.slice(0, 8)));
}

function pairTexts(pairs) {
  return Object.entries(pairs).map(([key, value]) => key + "=" + value);
}

function rankColumn() {
  return {
    id: "rank",
    head: t("rank"),
    detail: el("span", { class: "detail" }, t("rank_detail")),
    value: (row) => board.ranking.standings.findIndex((standing) => standing.row === row) + 1 || null,
    cell: (row) => {
      const standing = standingOf(row);
      if (!standing) return el("td", { class: "rank" }, el("span", { class: "detail" }, whyUnranked(row)));
      const { rank_low: low, rank_high: high } = standing;
      return el(
        "td",
        { class: "rank" },
        el("b", { class: "value" }, range(count(low), count(high))),
        standing.is_band ? el("span", { class: "badge headline", title: t("band_detail") }, t("band")) : null,
      );
    },
  };
}

function whyUnranked(row) {
  const reason = board.ranking.unranked[runsOf(row)[0].id];
  return reason ? t("unranked_" + reason.replaceAll(" ", "_")) : "";
}

function meanColumn(isNormalised) {
  const cells = new Map(
    board.ranking.standings.map((one) => [one.row, cellOf(isNormalised ? one.normalised : one.mean)]),
  );
  const axis = isNormalised ? axisOf([...cells.values()], 99.999) : [0, 100];
  return {
    id: "mean",
    firstDirection: "-",
    head: [el("span", { class: "title" }, t("mean"))],
    detail: [
      el("span", { class: "detail" }, t("mean_of_columns", { n: board.ranking.columns.length })),
      el("span", { class: "detail" }, isNormalised ? t("normalised_detail") : t("raw_detail")),
    ],
    value: (row) => cells.get(row)?.value ?? null,
    cell: (row) => numberCell(cells.get(row) || null, 100, axis),
  };
}

function coverageColumn() {
  const total = board.columns.length;
  const covered = (row) => board.cells[row].filter((cell) => cell && cell[0] !== null).length;
  return {
    id: "coverage",
    firstDirection: "-",
    head: t("coverage"),
    detail: el("span", { class: "detail" }, t("coverage_detail")),
    value: covered,
    cell: (row) =>
      el(
        "td",
        { class: "cell" },
        el("span", { class: "value" }, t("of", { part: covered(row), whole: total })),
        el("span", { class: "n" }, t("n", { n: board.rows[row].num_scored })),
      ),
  };
}

function metricColumn(column, at) {
  const cell = (row) => cellOf(board.cells[row][at]);
  const axis = () => columnAxis(column, at);
  return {
    id: column.id,
    names: columnNames(column),
    firstDirection: column.higher_is_better ? "-" : "",
    head: [el("span", { class: "title" }, name(column.title)), el("span", { class: "metric" }, name(column.metric))],
    detail: () => columnDetails(column, axis()),
    value: (row) => board.cells[row][at]?.[0] ?? null,
    cell: (row) => numberCell(cell(row), column.scale, axis()),
  };
}

const axes = new Map();

function columnAxis(column, at) {
  if (!axes.has(at)) {
    const cells = board.cells.map((row) => cellOf(row[at]));
    axes.set(
      at,
      axisOf(
        cells.filter((cell) => cell && cell.value !== null),
        column.scale,
      ),
    );
  }
  return axes.get(at);
}

/** What must be known of a column to read its numbers, and the way to its task. */
function columnDetails(column, axis) {
  const texts = [
    column.alias ? t("alias", { name: column.alias }) : "",
    scope(column),
    rules(column, board.columns),
    direction(column.higher_is_better),
    chanceText(column),
    axisText(axis),
  ];
  const details = texts.filter(Boolean).map((text) => el("span", { class: "detail" }, text));
  if (column.signature !== "v1") details.push(signatureFold(column.signature));
  if (column.kind !== "suite") {
    const target = column.kind
      ? address("languages", { family: column.family })
      : address("task", { task: column.tasks[0] });
    details.push(el("a", { class: "detail", href: target }, column.kind ? t("see_tasks") : t("see_task")));
  }
  return details;
}

/** Signatures are long, and heads are as high as the highest. */
function signatureFold(signature) {
  return el("details", { class: "detail" }, el("summary", {}, t("task_head_signature")), signatureNode(signature));
}

function extremeColumn(field, write) {
  return {
    id: field,
    firstDirection: "-",
    head: t(field),
    detail: el("span", { class: "detail" }, t(field + "_detail")),
    value: (row) => board.rows[row][field]?.value ?? null,
    cell: (row) => {
      const one = board.rows[row][field];
      if (!one) return noneCell("not_known");
      return el(
        "td",
        { class: "cell" },
        el("span", { class: "detail" }, languageName(one.language)),
        valueNodes(one, one.scale, { write }),
        el("span", { class: "n" }, joinedNodes([nText(one.n, one.num_clusters), name(one.family)], "join_facts")),
      );
    },
  };
}

/** What a clock said of a row's answers, all runs together; judges' runs are of another model. */
function speedOf(row) {
  const timed = runsOf(row).filter((run) => !run.judged && run.measured.tokens_per_second && run.measured.seconds);
  const seconds = timed.reduce((sum, { measured }) => sum + measured.seconds, 0);
  const tokens = timed.reduce((sum, { measured }) => sum + measured.tokens_per_second * measured.seconds, 0);
  return { seconds, rate: timed.length ? tokens / seconds : undefined };
}

function speedColumn() {
  return {
    id: "speed",
    firstDirection: "-",
    head: t("speed"),
    detail: el("span", { class: "detail" }, t("clock_detail")),
    value: (row) => speedOf(row).rate ?? null,
    cell: (row) => {
      const { rate, seconds } = speedOf(row);
      return clockCell(rate, (value) => count(Math.round(value)), seconds);
    },
  };
}

function costOf(row) {
  const costs = runsOf(row)
    .map((run) => run.measured.cost)
    .filter((cost) => cost !== undefined);
  return costs.length ? costs.reduce((sum, cost) => sum + cost, 0) : undefined;
}

function costColumn() {
  return {
    id: "cost",
    head: t("cost"),
    detail: el("span", { class: "detail" }, t("cost_detail")),
    value: (row) => costOf(row) ?? null,
    cell: (row) => clockCell(costOf(row), (value) => "US$ " + number(value, 2)),
  };
}

function clockCell(value, write, seconds) {
  if (value === undefined) return noneCell("not_known");
  return el("td", { class: "cell" }, write(value), seconds ? el("span", { class: "n" }, duration(seconds)) : null);
}

/** The days on which a row's runs began, in order. */
function daysOf(row) {
  return [...new Set(runsOf(row).map((run) => run.started))].filter(Boolean).sort();
}

function dateColumn() {
  return {
    id: "date",
    head: t("date"),
    value: (row) => daysOf(row).at(-1) ?? null,
    cell: (row) => dateCell(daysOf(row)),
  };
}

function dateCell(days) {
  if (!days.length) return noneCell("not_known");
  const ends = days.length > 1 ? [days[0], days.at(-1)] : days;
  return el(
    "td",
    { class: "cell" },
    ends.map((day) => el("div", {}, el("time", { datetime: day }, day))),
  );
}

function boardLegend() {
  const isShared = board.rows.some((row) => row.runs.length > 1);
  const keys = [
    "legend_bar",
    "legend_columns",
    ...(isShared ? ["legend_rows"] : []),
    ...(board.ranking ? ["legend_ranks"] : []),
  ];
  return el(
    "div",
    { class: "quiet legend" },
    keys.map((key) => el("p", {}, t(key))),
  );
}

function boardExport(rows) {
  const head = [
    ...RUN_FIELDS,
    "rank_low",
    "rank_high",
    "column",
    "metric",
    "protocol",
    "shots",
    "scale",
    ...CELL_FIELDS,
  ];
  const lines = rows.flatMap((row) => {
    const standing = standingOf(row);
    const ranks = [standing?.rank_low ?? null, standing?.rank_high ?? null];
    const ids = runsOf(row)
      .map((run) => run.id)
      .join(" ");
    const mean = [runsOf(row)[0].name, ids, marksText(runsOf(row)), ...ranks, "mean", "", "", "", 100];
    const means = standing ? [[...mean, ...cellFields(cellOf(standing.mean), 100)]] : [];
    const found = board.columns.flatMap((column, at) => {
      const run = board.runs[board.rows[row].sources[at]];
      if (!run) return [];
      const front = [...runFields(run), ...ranks];
      const rulesOf = [column.title, column.metric, column.protocol, column.shots, column.scale];
      return [[...front, ...rulesOf, ...cellFields(cellOf(board.cells[row][at]), column.scale)]];
    });
    return [...means, ...found];
  });
  return [{ name: board.title, head, rows: lines }];
}

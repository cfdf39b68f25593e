// The leaderboard: runs down, headline metrics across, ranks as ranges.

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
      sortedTable({
        id: "standings",
        caption: t("board_caption"),
        columns: boardColumns(isNormalised),
        rows,
        param: "sort",
        usual: board.ranking ? "rank" : "",
      }),
      boardLegend(),
    );
    return () => boardExport(rows);
  },
});

function hasNormalised() {
  return Boolean(board.ranking && board.ranking.standings.some((standing) => standing.normalised));
}

function standingOf(run) {
  return board.ranking ? board.ranking.standings.find((standing) => standing.run === run) : undefined;
}

function boardRows(wanted) {
  const word = wanted.toLocaleLowerCase();
  return runsInOrder().filter((run) => board.runs[run].name.toLocaleLowerCase().includes(word));
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
  find.addEventListener("change", () => go(changed({ q: find.value })));
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
    { id: "model", kind: "model", head: t("model"), value: (run) => runName(run).toLocaleLowerCase(), cell: boardHead },
  ];
  if (board.ranking) found.push(rankColumn(), meanColumn(isNormalised));
  found.push(coverageColumn(), ...board.columns.map(metricColumn));
  if (board.runs.some((run) => run.worst_language)) found.push(extremeColumn("worst_language", number));
  if (board.runs.some((run) => run.gap_to_english)) found.push(extremeColumn("gap_to_english", signed));
  if (board.runs.some((run) => run.measured.tokens_per_second)) found.push(speedColumn());
  if (board.runs.some((run) => run.measured.cost)) found.push(costColumn());
  if (board.runs.some((run) => run.started)) found.push(dateColumn());
  return found;
}

function boardHead(run) {
  const { id } = board.runs[run];
  const link = el(
    "a",
    { href: address("provenance", { run: id.slice(0, 8) }), class: "detail" },
    t("run") + " ",
    el("code", {}, id.slice(0, 8)),
  );
  const notes = redFlagNote(board.runs[run]);
  return runHead(run, { class: standingOf(run)?.is_band ? "model band" : "model" }, [
    ...settingsOf(board.runs[run]),
    notes,
    link,
  ]);
}

/** What was changed for a whole run, in words. */
function settingsOf(run) {
  const found = [];
  if (run.is_partial) found.push(partText(run));
  if (Object.keys(run.generation).length) found.push(t("set_generation", { settings: pairTexts(run.generation) }));
  if (run.system_instruction) found.push(t("set_system"));
  if (run.multiturn_shots === false) found.push(t("set_one_turn"));
  if (run.judged) found.push(t("judged_by", { judge: run.judged.judge, model: run.model.name }));
  return found.map((text) => el("span", { class: "detail" }, text));
}

function pairTexts(pairs) {
  return Object.entries(pairs).map(([key, value]) => key + "=" + value);
}

function rankColumn() {
  return {
    id: "rank",
    head: t("rank"),
    detail: el("span", { class: "detail" }, t("rank_detail")),
    value: (run) => board.ranking.standings.findIndex((standing) => standing.run === run) + 1 || null,
    cell: (run) => {
      const standing = standingOf(run);
      if (!standing) return el("td", { class: "rank" }, el("span", { class: "detail" }, whyUnranked(run)));
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

function whyUnranked(run) {
  const reason = board.ranking.unranked[board.runs[run].id];
  return reason ? t("unranked_" + reason.replaceAll(" ", "_")) : "";
}

function meanColumn(isNormalised) {
  const cells = new Map(
    board.ranking.standings.map((one) => [one.run, cellOf(isNormalised ? one.normalised : one.mean)]),
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
    value: (run) => cells.get(run)?.value ?? null,
    cell: (run) => numberCell(cells.get(run) || null, 100, axis),
  };
}

function coverageColumn() {
  const total = board.columns.length;
  const covered = (run) => board.cells[run].filter((cell) => cell && cell[0] !== null).length;
  return {
    id: "coverage",
    firstDirection: "-",
    head: t("coverage"),
    detail: el("span", { class: "detail" }, t("coverage_detail")),
    value: covered,
    cell: (run) =>
      el(
        "td",
        { class: "cell" },
        el("span", { class: "value" }, t("of", { part: covered(run), whole: total })),
        el("span", { class: "n" }, t("n", { n: board.runs[run].counts.scored })),
      ),
  };
}

function metricColumn(column, at) {
  const cell = (run) => cellOf(board.cells[run][at]);
  const axis = () => columnAxis(column, at);
  return {
    id: column.id,
    names: columnNames(column),
    firstDirection: column.higher_is_better ? "-" : "",
    head: [el("span", { class: "title" }, name(column.title)), el("span", { class: "metric" }, name(column.metric))],
    detail: () => columnDetails(column, axis()),
    value: (run) => board.cells[run][at]?.[0] ?? null,
    cell: (run) => numberCell(cell(run), column.scale, axis()),
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
  if (column.signature !== "v1") details.push(signatureNode(column.signature));
  if (column.kind !== "suite") {
    const target = column.kind
      ? address("languages", { family: column.family })
      : address("task", { task: column.tasks[0] });
    details.push(el("a", { class: "detail", href: target }, column.kind ? t("see_tasks") : t("see_task")));
  }
  return details;
}

function extremeColumn(field, write) {
  return {
    id: field,
    firstDirection: "-",
    head: t(field),
    detail: el("span", { class: "detail" }, t(field + "_detail")),
    value: (run) => board.runs[run][field]?.value ?? null,
    cell: (run) => {
      const one = board.runs[run][field];
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

function speedColumn() {
  return {
    id: "speed",
    firstDirection: "-",
    head: t("speed"),
    detail: el("span", { class: "detail" }, t("clock_detail")),
    value: (run) => board.runs[run].measured.tokens_per_second ?? null,
    cell: (run) =>
      clockCell(
        board.runs[run].measured.tokens_per_second,
        (value) => count(Math.round(value)),
        board.runs[run].measured.seconds,
      ),
  };
}

function costColumn() {
  return {
    id: "cost",
    head: t("cost"),
    detail: el("span", { class: "detail" }, t("cost_detail")),
    value: (run) => board.runs[run].measured.cost ?? null,
    cell: (run) => clockCell(board.runs[run].measured.cost, (value) => "US$ " + number(value, 2)),
  };
}

function clockCell(value, write, seconds) {
  if (value === undefined) return noneCell("not_known");
  return el("td", { class: "cell" }, write(value), seconds ? el("span", { class: "n" }, duration(seconds)) : null);
}

function dateColumn() {
  return {
    id: "date",
    head: t("date"),
    value: (run) => board.runs[run].started || null,
    cell: (run) => dateCell(board.runs[run].started),
  };
}

function dateCell(started) {
  return started ? el("td", { class: "cell" }, el("time", { datetime: started }, started)) : noneCell("not_known");
}

function boardLegend() {
  const keys = ["legend_bar", "legend_columns", ...(board.ranking ? ["legend_ranks"] : [])];
  return el(
    "div",
    { class: "quiet legend" },
    keys.map((key) => el("p", {}, t(key))),
  );
}

function boardExport(rows) {
  const head = [
    "model",
    "run",
    "rank_low",
    "rank_high",
    "column",
    "metric",
    "protocol",
    "shots",
    "scale",
    ...CELL_FIELDS,
  ];
  const lines = rows.flatMap((run) => {
    const standing = standingOf(run);
    const front = [board.runs[run].name, board.runs[run].id, standing?.rank_low ?? null, standing?.rank_high ?? null];
    const mean = standing ? [[...front, "mean", "", "", "", 100, ...cellFields(cellOf(standing.mean), 100)]] : [];
    const cells = board.columns.map((column, at) => [
      ...front,
      column.title,
      column.metric,
      column.protocol,
      column.shots,
      column.scale,
      ...cellFields(cellOf(board.cells[run][at]), column.scale),
    ]);
    return [...mean, ...cells.filter((line) => line[9] !== null)];
  });
  return [{ name: board.title, head, rows: lines }];
}

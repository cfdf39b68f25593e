// What others published, as they printed it: apart from our runs, and never ranked with them.

view("published", {
  title: "view_published",
  has: (found) => found.published.length > 0,
  show(root) {
    root.append(el("p", { class: "notice" }, t("published_lead")));
    board.published.forEach((table, at) => root.append(publishedTable(table, at)));
    return board.published.map(publishedExport);
  },
});

function publishedTable(table, at) {
  const id = "published-" + at;
  const [first, ...labels] = table.labels.map((label, place) => ({
    id: "label" + place,
    names: [label],
    kind: place ? "" : "model",
    head: name(label),
    value: (row) => table.rows[row][place].toLocaleLowerCase(),
    cell: (row) => publishedLabel(table.rows[row][place], place),
  }));
  const figures = table.columns.map((column, place) => publishedColumn(table, column, place));
  return el(
    "section",
    { class: "family", "aria-labelledby": id + "-title" },
    el(
      "h3",
      { id: id + "-title" },
      name(table.title),
      " ",
      el("span", { class: "badge published" }, t("published_badge")),
    ),
    el(
      "p",
      { class: "quiet" },
      joinedNodes([t("published_source", { source: table.source }), table.date && name(table.date)], "join_facts"),
    ),
    sortedTable({
      id,
      caption: joinedNodes([table.unit && name(table.unit), direction(table.higher_is_better)], "join_facts"),
      columns: [first, ...labels, ...figures],
      rows: table.rows.map((_, row) => row),
      param: "sort" + at,
      kind: "numbers published",
    }),
    table.notes.map((text) => el("p", { class: "quiet legend" }, shown(text))),
    table.checks.length ? el("ul", { class: "says" }, table.checks.map(publishedCheck)) : null,
  );
}

function publishedLabel(text, place) {
  return place ? el("td", {}, name(text)) : el("th", { scope: "row", class: "model" }, headName(text));
}

function publishedColumn(table, column, place) {
  const isEmpty = table.cells.every((row) => row[place] === null);
  return {
    id: "c" + place,
    names: [column],
    firstDirection: table.higher_is_better ? "-" : "",
    head: [
      el("span", { class: "title" }, name(column)),
      isEmpty ? el("span", { class: "detail" }, t("never_published")) : "",
    ],
    value: isEmpty ? undefined : (row) => table.cells[row][place]?.number ?? null,
    cell: (row) => {
      const cell = table.cells[row][place];
      if (!cell) return noneCell("not_published");
      const more = cell.low === null ? null : [" ", el("span", { class: "interval" }, ends(cell.low, cell.high))];
      return el(
        "td",
        { class: "cell" },
        el("b", { class: "value" }, name(cell.text)),
        more,
        cell.n === null ? null : el("span", { class: "n" }, nText(cell.n, cell.n)),
      );
    },
  };
}

function publishedCheck(check) {
  const failed = Object.entries(check.failed).map(([row, gap]) => row + " " + signed(gap, 3));
  const hasFailed = failed.length > 0;
  const facts = {
    column: check.column,
    n: check.num_checked,
    failed,
    within: number(check.target, 4),
    parts: check.parts,
    group: check.group,
    total: number(check.target, 0),
  };
  const key = check.kind === "mean" ? "check_mean" : "check_sum";
  return el("li", {}, hasFailed ? "✗ " : "✓ ", t(key + (hasFailed ? "_failed" : ""), facts));
}

function publishedExport(table) {
  return {
    name: table.title,
    head: [...table.labels, ...table.columns],
    rows: table.rows.map((labels, row) => [
      ...labels,
      ...table.cells[row].map((cell) => cell && (cell.number ?? cell.text)),
    ]),
  };
}

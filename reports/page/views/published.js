// What others published, as they printed it: apart from our runs, and never ranked with them.

view("published", {
  title: "view_published",
  has: (found) => found.published.length > 0,
  show(root, params) {
    root.append(el("p", { class: "notice" }, t("published_lead")));
    board.published.forEach((table, at) => root.append(publishedTable(table, at, params)));
    return board.published.map(publishedExport);
  },
});

function publishedTable(table, at, params) {
  const id = "published-" + at;
  const [first, ...labels] = table.labels.map((label, place) => ({
    id: "label" + place,
    kind: place ? "" : "model",
    head: name(label),
    value: (row) => table.rows[row][place].toLocaleLowerCase(),
    cell: (row) => publishedLabel(table.rows[row][place], place),
  }));
  const figures = table.columns.map((column, place) => publishedColumn(table, column, place));
  return el(
    "section",
    { class: "family", "aria-labelledby": id + "-title" },
    el("h3", { id: id + "-title" }, name(table.title), " ", el("span", { class: "badge published" }, t("published_badge"))),
    el("p", { class: "quiet" }, t("published_source", { source: table.source }), table.date ? ", " + plain(table.date) : ""),
    sortedTable({
      id,
      caption: [table.unit ? plain(table.unit) + ", " : "", direction(table.higher_is_better)].join(""),
      columns: [first, ...labels, ...figures],
      rows: table.rows.map((_, row) => row),
      sort: params.get("sort" + at) || "",
      param: "sort" + at,
      kind: "numbers published",
    }),
    table.notes.map((text) => el("p", { class: "quiet legend" }, shown(text))),
    table.checks.length ? el("ul", { class: "says" }, table.checks.map(publishedCheck)) : null,
  );
}

function publishedLabel(text, place) {
  return place ? el("td", {}, name(text)) : el("th", { scope: "row", class: "model" }, name(text));
}

function publishedColumn(table, column, place) {
  const isEmpty = table.cells.every((row) => row[place] === null);
  return {
    id: "c" + place,
    firstDirection: table.higher_is_better ? "-" : "",
    head: el("span", { class: "title" }, name(column)),
    detail: isEmpty ? el("span", { class: "detail" }, t("never_published")) : [],
    value: isEmpty ? undefined : (row) => table.cells[row][place]?.number ?? null,
    cell: (row) => {
      const cell = table.cells[row][place];
      if (!cell) return el("td", { class: "none" }, unseen(t("not_published")));
      const more = cell.low === null ? null : el("span", { class: "interval" }, " " + cell.low + " – " + cell.high);
      return el("td", { class: "cell" }, el("b", { class: "value" }, name(cell.text)), more, cell.n === null ? null : el("span", { class: "n" }, nText(cell.n, cell.n)));
    },
  };
}

function publishedCheck(check) {
  const failed = Object.entries(check.failed).map(([row, gap]) => plain(row) + " " + signed(gap, 3)).join(", ");
  const facts = { column: check.column, n: check.num_checked, failed, within: number(check.target, 4), parts: check.parts.join(", "), group: check.group, total: number(check.target, 0) };
  const key = check.kind === "mean" ? "check_mean" : "check_sum";
  return el("li", {}, failed ? "✗ " : "✓ ", t(key + (failed ? "_failed" : ""), facts));
}

function publishedExport(table) {
  return {
    name: table.title,
    head: [...table.labels, ...table.columns],
    rows: table.rows.map((labels, row) => [...labels, ...table.cells[row].map((cell) => cell && (cell.number ?? cell.text))]),
  };
}

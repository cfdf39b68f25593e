// Languages: of every family a table for each metric, models down and languages, pairs or subjects across.

const TINTS = 10;
const MOST_PARTS = 8;

view("languages", {
  title: "view_languages",
  has: (found) => found.families.some(isInLanguages),
  show(root, params) {
    const shownPlaces = languageFamilies(params.get("family"));
    const settings = { isDifference: params.get("diff") === "1", isTinted: params.get("tint") !== "0" };
    root.append(el("p", { class: "lead" }, t("lang_lead")), languageControls(params, settings));
    if (!shownPlaces.length)
      root.append(el("p", { class: "notice" }, t("lang_no_family", { name: params.get("family") })));
    if (settings.isDifference) root.append(el("p", { class: "quiet legend" }, t("lang_gap_lead")));
    root.append(...familyParts(shownPlaces, settings), languageLegend(settings));
    return () => languageTables(shownPlaces, settings);
  },
});

/** A judge's metrics of one benchmark stand in the judges' view. */
function isInLanguages(family) {
  return !(family.is_judged && family.tasks.length === 1);
}

/** The places of the families shown: the one asked for, else all. */
function languageFamilies(wanted) {
  const all = board.families.map((_, at) => at).filter((at) => isInLanguages(board.families[at]));
  return wanted ? all.filter((at) => wellFormed(board.families[at].name) === wellFormed(wanted)) : all;
}

function languageControls(params, { isDifference, isTinted }) {
  const names = languageFamilies("").map((at) => board.families[at].name);
  const choose = (family) => go(changed({ family, open: "" }));
  const hasGaps = board.families.some((one) => isInLanguages(one) && one.gaps.length);
  const toggles = [
    hasGaps ? toggleButton("languages-diff", t("lang_diff"), isDifference, { diff: isDifference ? "" : "1" }) : null,
    toggleButton("languages-tint", t("lang_tint"), isTinted, { tint: isTinted ? "0" : "" }),
  ];
  return el(
    "div",
    { class: "filters" },
    nameChooser("languages-family", t("lang_family"), t("lang_all"), names, params.get("family") || "", choose),
    el(
      "div",
      { role: "group", "aria-labelledby": "languages-shown" },
      el("span", { class: "label", id: "languages-shown" }, t("lang_shown")),
      el("div", { class: "toggles" }, toggles),
    ),
  );
}

function languageLegend({ isDifference, isTinted }) {
  const keys = [...(isTinted ? [isDifference ? "lang_legend_gap" : "lang_legend_tint"] : []), "lang_legend_clusters"];
  return el(
    "div",
    { class: "quiet legend" },
    keys.map((key) => el("p", {}, t(key))),
  );
}

// -- families

/** One family as it is; of several each under its name, the first opened: a page may have many. */
function familyParts(places, settings) {
  const title = (at) => el("h3", {}, name(board.families[at].name));
  if (places.length === 1) {
    const [at] = places;
    const { title: about } = board.families[at];
    return [
      el(
        "section",
        { class: "family" },
        title(at),
        about ? el("p", { class: "quiet" }, name(about)) : null,
        familyNodes(at, settings),
      ),
    ];
  }
  const usual = places.slice(0, 1).map(String);
  return places.map((at) =>
    fold(String(at), [title(at), " ", familySummary(at)], () => familyNodes(at, settings, usual), usual),
  );
}

function familySummary(at) {
  const family = board.families[at];
  const metrics = new Set(family.tables.map((table) => table.metric)).size;
  const counts = joined([t("tasks", { n: family.tasks.length }), t("lang_metrics", { n: metrics })], "join_facts");
  return el("span", { class: "quiet" }, family.title ? [name(family.title), " · "] : null, counts);
}

function familyNodes(at, settings, usual = []) {
  const family = board.families[at];
  if (settings.isDifference) return gapTables(at, settings);
  const groups = heatGroups(family);
  const headlines = groups.filter((group) => group.isHeadline);
  const others = groups.filter((group) => !group.isHeadline);
  return [
    groups.length
      ? null
      : el(
          "p",
          { class: "quiet" },
          t("lang_no_numbers"),
          " ",
          family.tasks.map((task) => [taskLink(board.tasks[task].name), " "]),
        ),
    headlines.map((group) => heatTable(at, group, settings)),
    fidelityPart(at, settings),
    others.map((group) =>
      fold(`${at}.${group.place}`, metricTitle(group, others), () => heatTable(at, group, settings), usual),
    ),
    flagsPart(at, settings, usual),
  ];
}

function metricTitle(group, others) {
  const isAlone = others.filter((other) => other.metric === group.metric).length === 1;
  return [
    el("h4", {}, name(group.metric)),
    " ",
    el("span", { class: "quiet" }, isAlone ? "" : rules(group.columns[0])),
  ];
}

// -- one metric of a family

/**
 * The tables of a family by metric and rules, headlines first: `columns` of means before those of tasks, `rows` the
 * runs, `cells` by column's id and run.
 */
function heatGroups(family) {
  const groups = new Map();
  for (const table of family.tables) {
    const key = JSON.stringify([table.metric, table.protocol, table.shots, table.seed, table.version]);
    if (!groups.has(key))
      groups.set(key, { metric: table.metric, place: groups.size, tables: [], columns: [], cells: new Map() });
    const group = groups.get(key);
    group.tables.push(table);
    table.columns.forEach((column, at) => {
      group.columns.push(column);
      group.cells.set(column.id, new Map(table.rows.map((run, row) => [run, cellOf(table.cells[row][at])])));
    });
  }
  const found = [...groups.values()].map((group) => ({
    ...group,
    isHeadline: group.tables.some((table) => table.is_primary),
    rows: runsInOrder().filter((run) => group.tables.some((table) => table.rows.includes(run))),
  }));
  return found.sort((a, b) => b.isHeadline - a.isHeadline);
}

function heatTable(at, group, { isTinted }) {
  const [{ scale }] = group.columns;
  const cells = [...group.cells.values()]
    .flatMap((column) => [...column.values()])
    .filter((cell) => cell && cell.value !== null);
  const axis = heatAxis(group, cells, scale);
  const shared = sharedChance(group.columns);
  const id = `heat-${at}-${group.place}`;
  const columns = group.columns.map((column) => ({
    id: column.id,
    names: columnNames(column),
    firstDirection: column.higher_is_better ? "-" : "",
    head: headNodes(column),
    detail: () => headDetails(column, group, shared),
    value: (run) => group.cells.get(column.id).get(run)?.value ?? null,
    cell: (run) => heatCell(group.cells.get(column.id).get(run) || null, column, axis, isTinted),
  }));
  return sortedTable({
    id,
    caption: said(heatCaption(group, axis, shared, isTinted), ofFamily(at)),
    columns: [modelColumn(), ...columns],
    rows: group.rows,
    kind: isTinted ? "numbers heats" : "numbers",
  });
}

/** The first column of a table whose rows are runs. */
function modelColumn() {
  return {
    id: "model",
    kind: "model",
    head: t("model"),
    value: (run) => runName(run).toLocaleLowerCase(),
    cell: (run) => runHead(run),
  };
}

/** What tints span, in shown units: all that the metric can be, else what its cells are. */
function heatAxis(group, cells, scale) {
  const bounds = group.columns.map((column) => column.bounds).find(Boolean);
  return bounds ? bounds.map((bound) => bound * scale) : axisOf(cells, scale);
}

function heatCell(cell, column, [from, to], isTinted) {
  const node = numberCell(cell, column.scale, isTinted ? null : [from, to]);
  if (!isTinted || !cell || cell.value === null) return node;
  const share = (cell.value * column.scale - from) / (to - from || 1);
  return tinted(node, "heat", column.higher_is_better ? share : 1 - share);
}

/** A cell with a tint of so much of the deepest. */
function tinted(node, kind, share) {
  node.classList.add("heat", `${kind}-${Math.round(TINTS * Math.min(1, Math.max(0, share)))}`);
  return node;
}

function heatCaption(group, axis, chanceShared, isTinted) {
  const [column] = group.columns;
  const [from, to] = column.higher_is_better ? axis : [axis[1], axis[0]];
  const texts = [
    column.alias ? t("alias", { name: column.alias }) : "",
    rules(column),
    direction(column.higher_is_better),
    chanceShared,
    isTinted ? t("lang_tint_range", { from: count(from), to: count(to) }) : axisText(axis),
  ];
  const signatures = [...new Set(group.tables.map((table) => table.signature).filter(Boolean))];
  return [
    el("b", {}, name(group.metric)),
    group.isHeadline ? [" ", el("span", { class: "badge headline" }, t("headline"))] : null,
    el("span", { class: "detail" }, joined(texts, "join_facts")),
    signatures.map(signatureNode),
  ];
}

/** Sets tables of different families apart for those who hear them. */
function ofFamily(at) {
  return unseen([" ", name(board.families[at].name)]);
}

/** What guessing scores, where that is the same in all columns that have it. */
function sharedChance(columns) {
  const texts = new Set(columns.map(chanceText).filter(Boolean));
  return texts.size === 1 ? [...texts][0] : "";
}

function headNodes(column) {
  if (!column.kind) return [el("span", { class: "title" }, labelNodes(column.label, column.language))];
  const isPlain = column.label === column.kind + " " + column.metric;
  return [
    el("span", { class: "title" }, scope(column)),
    isPlain ? null : el("span", { class: "metric" }, name(column.label)),
  ];
}

/** What of a column differs from its neighbours': whose texts, which data and signature; and the way to its task. */
function headDetails(column, group, chanceShared) {
  const same = group.columns.filter(
    (other) => String(other.tasks) === String(column.tasks) && other.kind === column.kind,
  );
  const texts = [
    column.kind ? partsText(column) : column.label === column.language ? isolated(column.label) : "",
    originText(column.provenance),
    same.some((other) => other.data !== column.data) ? t("data", { hash: column.data }) : "",
    chanceShared ? "" : chanceText(column),
  ];
  const details = texts.filter(Boolean).map((text) => el("span", { class: "detail" }, text));
  if (column.own_signature) details.push(signatureNode(column.own_signature));
  if (!column.kind) details.push(taskLink(column.tasks[0]));
  return details;
}

function taskLink(task) {
  return el("a", { class: "detail", href: address("task", { task }) }, name(task));
}

/** The tasks behind a mean, in the order and by the names that they have within their family. */
function partsText(column) {
  const { tasks } = board.families.find((one) => one.name === column.family);
  const names = tasks
    .map((at) => board.tasks[at])
    .filter((task) => column.parts.includes(task.name))
    .map((task) => isolated(taskLabel(task)));
  return joined(names.slice(0, MOST_PARTS)) + (names.length > MOST_PARTS ? " …" : "");
}

// -- to download

function languageTables(places, { isDifference }) {
  if (isDifference) return [gapExport(places)];
  const head = [
    "family",
    "metric",
    "headline",
    "kind",
    "column",
    "language",
    "provenance",
    "protocol",
    "shots",
    ...RUN_FIELDS,
    "scale",
  ];
  const rows = places.flatMap((at) =>
    board.families[at].tables.flatMap((table) => tableLines(board.families[at], table)),
  );
  return [{ name: board.title, head: [...head, ...CELL_FIELDS], rows }, flagExport(places)];
}

function tableLines(family, table) {
  return table.rows.flatMap((run, row) =>
    table.columns
      .map((column, at) => ({ column, cell: cellOf(table.cells[row][at]) }))
      .filter(({ cell }) => cell)
      .map(({ column, cell }) => [
        family.name,
        table.metric,
        column.is_primary ? "yes" : "no",
        column.kind || "task",
        column.title,
        column.language,
        column.provenance,
        column.protocol,
        column.shots,
        ...runFields(board.runs[run]),
        column.scale,
        ...cellFields(cell, column.scale),
      ]),
  );
}

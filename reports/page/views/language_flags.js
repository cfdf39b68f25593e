// Of a family: gaps to English, whether answers keep to the asked language, and all flags.

const LANGUAGE_FLAGS = ["wrong_language", "code_switched"];
const FIDELITY = "language_fidelity";
/** Gaps of shares are tinted over this many points at least, so that small ones look small. */
const LEAST_SPAN = 10;

// -- gaps to English

function gapTables(at, settings) {
  const { gaps } = board.families[at];
  if (!gaps.length) return [el("p", { class: "quiet" }, t("lang_no_gaps"))];
  return gaps.map((table, index) => gapTable(at, index, table, settings));
}

function gapTable(at, index, table, { isTinted }) {
  const widest = Math.max(1e-9, ...table.gaps.map((gap) => Math.abs(gap.value * table.scale)));
  const range = Math.max(roundUp(widest), table.scale === 100 ? LEAST_SPAN : 0);
  const languages = gapLanguages(board.families[at], table);
  const found = (run, column) =>
    table.gaps.find((gap) => gap.run === run && gap.language === column.language && gap.data === column.data);
  const id = `gaps-${at}-${index}`;
  const columns = languages.map((column) => ({
    id: column.language + column.data,
    names: [column.language, column.language + "." + column.data],
    firstDirection: table.higher_is_better ? "-" : "",
    head: [el("span", { class: "title" }, languageName(column.language))],
    detail: column.details.map((text) => el("span", { class: "detail" }, text)),
    value: (run) => found(run, column)?.value ?? null,
    cell: (run) => gapCell(found(run, column), table, isTinted ? range : 0),
  }));
  return sortedTable({
    id,
    caption: said(gapCaption(table, range, isTinted), ofFamily(at)),
    columns: [modelColumn(), ...columns],
    rows: runsInOrder().filter((run) => table.gaps.some((gap) => gap.run === run)),
    kind: isTinted ? "numbers gaps heats" : "numbers gaps",
  });
}

function gapCaption(table, range, isTinted) {
  const rulesText = joined([isolated(table.protocol), ...gapRules(table.rules)], "join_facts");
  const side = t(table.higher_is_better ? "lang_gap_below" : "lang_gap_above");
  const tint = isTinted ? t("lang_gap_tint_range", { range: count(range) }) : "";
  return [
    el("b", {}, t("lang_gap_to"), " ", name(table.metric)),
    el("span", { class: "detail" }, joined([rulesText, t("lang_gap_paired"), side, tint], "join_clauses")),
  ];
}

/** Rules as the record has them, "5-shot, seed 3, version 2", in the language of the interface. */
function gapRules(rulesText) {
  const words = [
    [/^(.+)-shot$/, (n) => t("shots", { n })],
    [/^seed (.+)$/, (seed) => t("seed", { seed })],
    [/^version (.+)$/, (version) => t("version", { version })],
  ];
  const say = (part) => words.filter(([form]) => form.test(part)).map(([form, write]) => write(form.exec(part)[1]));
  return rulesText
    .split(", ")
    .filter(Boolean)
    .map((part) => say(part)[0] ?? isolated(part));
}

/** The languages and data of gaps, in the order of the family's tasks; where data differ, which they are. */
function gapLanguages(family, table) {
  const tasks = family.tasks.map((at) => board.tasks[at]);
  const order = [...new Set(tasks.map((task) => task.language))];
  const rank = (code) => (order.includes(code) ? order.indexOf(code) : order.length);
  const found = new Map(table.gaps.map((gap) => [JSON.stringify([gap.language, gap.data]), gap]));
  const columns = [...found.values()].map(({ language, data }) => ({ language, data }));
  columns.sort(
    (a, b) => rank(a.language) - rank(b.language) || compareText(a.language, b.language) || compareText(a.data, b.data),
  );
  return columns.map((column) => {
    const origins = tasks
      .filter((task) => task.language === column.language)
      .map((task) => originText(task.provenance));
    const isOneOfSeveral = columns.filter((other) => other.language === column.language).length > 1;
    const details = [
      isolated(column.language),
      ...new Set(origins),
      isOneOfSeveral ? t("data", { hash: column.data }) : "",
    ];
    return { ...column, details: details.filter(Boolean) };
  });
}

function compareText(a, b) {
  return a < b ? -1 : Number(a > b);
}

/** A gap with its sign and interval; tinted over `range` where the interval leaves 0 out, `range` 0 for no tint. */
function gapCell(gap, { scale, higher_is_better: higherIsBetter }, range) {
  if (!gap) return noneCell();
  const isKnown = gap.low !== null && gap.high !== null;
  const cell = el(
    "td",
    { class: "cell" },
    valueNodes(gap, scale, { write: signed }),
    el("span", { class: "n" }, nText(gap.n, gap.num_clusters)),
    sameText(gap) ? el("span", { class: "n same" }, sameText(gap)) : null,
  );
  if (!range || !isKnown || (gap.low <= 0 && gap.high >= 0)) return cell;
  const isBehind = gap.value < 0 === higherIsBetter;
  return tinted(cell, isBehind ? "behind" : "heat", Math.abs(gap.value * scale) / range);
}

/** How often the answers are the same in both languages; empty where answers are texts. */
function sameText(gap) {
  if (gap.same === null || gap.same_low === null || gap.same_high === null) return "";
  const [share, low, high] = [gap.same, gap.same_low, gap.same_high].map((value) => number(100 * value, 1));
  const facts = { share: percentText(share), ends: ends(low, high) };
  return gap.num_answered === gap.n
    ? t("lang_same_answer", facts)
    : t("lang_same_answer_of", { ...facts, n: gap.num_answered });
}

// -- flags

/** Whether answers are in the asked language, where a task can tell. */
function fidelityPart(at, settings) {
  const tasks = familyTasks(at).filter(tellsLanguage);
  if (!tasks.length) return [];
  return [el("h4", {}, t("lang_fidelity")), flagTables(at, LANGUAGE_FLAGS, tasks, settings)];
}

function familyTasks(at) {
  return board.families[at].tasks.map((place) => board.tasks[place]);
}

function tellsLanguage(task) {
  return (
    task.metrics.some((metric) => metric.metric === FIDELITY) || LANGUAGE_FLAGS.some((flag) => isRaised(task, flag))
  );
}

function isRaised(task, flag) {
  return task.runs.some((one) => one.flags[flag]);
}

/** All other flags that any run of the family raised. */
function flagsPart(at, settings, usual) {
  const tasks = familyTasks(at);
  const flags = raisedFlags(tasks).filter((flag) => !LANGUAGE_FLAGS.includes(flag));
  if (!flags.length) return [el("p", { class: "quiet" }, t("lang_no_flags"))];
  const title = [el("h4", {}, t("lang_flags")), " ", el("span", { class: "quiet" }, joined(flags.map(flagText)))];
  return [fold(at + ".flags", title, () => flagTables(at, flags, tasks, settings), usual)];
}

function raisedFlags(tasks) {
  return [...new Set(tasks.flatMap((task) => task.runs.flatMap((one) => Object.keys(one.flags))))].sort();
}

/** How often a run raised a flag in a task: a list, or null where the task cannot raise it or was not run. */
function flagRate(task, run, flag) {
  const one = task.runs.find((found) => found.run === run);
  if (!one) return null;
  return one.flags[flag] || (canRaise(task, flag) ? one.unraised : null);
}

/** Ties are of choices, all other flags of texts that were generated. */
function canRaise(task, flag) {
  if (isRaised(task, flag)) return true;
  if (LANGUAGE_FLAGS.includes(flag)) return tellsLanguage(task);
  const isGenerated = task.runs.some((one) => one.lengths.length);
  return flag === "tied" ? !isGenerated : isGenerated;
}

function flagTables(at, flags, tasks, settings) {
  return el(
    "div",
    { class: "tables" },
    flags.map((flag) => flagTable(at, flag, tasks, settings)),
  );
}

function flagTable(at, flag, tasks, { isTinted }) {
  const id = `flag-${at}-${flag}`;
  const columns = tasks.map((task, index) => ({
    id: String(index),
    names: [task.name],
    head: [el("span", { class: "title" }, labelNodes(taskLabel(task), task.language))],
    detail: [taskLink(task.name)],
    value: (run) => shareOf(flagRate(task, run, flag)),
    cell: (run) => flagCell(flagRate(task, run, flag), isTinted),
  }));
  return sortedTable({
    id,
    caption: said(el("b", {}, flagText(flag)), el("span", { class: "detail" }, flagAbout(flag)), ofFamily(at)),
    columns: [modelColumn(), ...columns],
    rows: runsInOrder().filter((run) => tasks.some((task) => task.runs.some((one) => one.run === run))),
    kind: isTinted ? "numbers flags heats" : "numbers flags",
  });
}

/** What a task is called within its family. */
function taskLabel(task) {
  return task.metrics.length ? task.metrics[0].label : task.language;
}

function shareOf(rate) {
  return rate && rate[1] ? rate[0] / rate[1] : null;
}

function flagCell(rate, isTinted) {
  const cell = rateCell(rate);
  return isTinted && shareOf(rate) ? tinted(cell, "behind", shareOf(rate)) : cell;
}

// -- to download

const FLAG_HEAD = ["task", "flag", ...RUN_FIELDS, "count", "n", "low", "high"];

function gapExport(places) {
  const head = [
    "family",
    "metric",
    "protocol",
    "rules",
    "language",
    "data",
    ...RUN_FIELDS,
    "scale",
    "gap",
    "low",
    "high",
    "n",
    "clusters",
  ];
  const rows = places.flatMap((at) =>
    board.families[at].gaps.flatMap((table) =>
      table.gaps.map((gap) => {
        const scaled = (value) => (value === null ? null : value * table.scale);
        return [
          board.families[at].name,
          table.metric,
          table.protocol,
          table.rules,
          gap.language,
          gap.data,
          ...runFields(board.runs[gap.run]),
          table.scale,
          scaled(gap.value),
          scaled(gap.low),
          scaled(gap.high),
          gap.n,
          gap.num_clusters,
          gap.same,
          gap.same_low,
          gap.same_high,
          gap.num_answered,
        ];
      }),
    ),
  );
  return { name: t("lang_gap_to"), head: [...head, "same_answer", "same_low", "same_high", "answered"], rows };
}

function flagExport(places) {
  const rows = places.flatMap((at) =>
    familyTasks(at).flatMap((task) => task.runs.flatMap((one) => flagLines(task, one))),
  );
  return { name: t("lang_flags"), head: FLAG_HEAD, rows };
}

function flagLines(task, one) {
  return Object.entries(one.flags).map(([flag, rate]) => [task.name, flag, ...runFields(board.runs[one.run]), ...rate]);
}

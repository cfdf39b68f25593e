// A number with its interval, on an axis, with what it is over: the same everywhere.

const AXIS = { width: 96, pad: 4 };
const NICE = [1, 2, 2.5, 5, 10];

/** The ends, in shown units, of an axis for cells: 0 to 100 for shares, else what holds them all. */
function axisOf(cells, scale) {
  if (scale === 100) return [0, 100];
  const ends = cells
    .flatMap((cell) => [cell.value, cell.low, cell.high, cell.worst, cell.best])
    .filter((value) => value !== null && value !== undefined)
    .map((value) => value * scale);
  return [Math.min(0, ...ends), roundUp(Math.max(1e-9, ...ends))];
}

/** The next round number from `value`, which is above zero. */
function roundUp(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * NICE.find((step) => step * power >= value * (1 - 1e-9));
}

/** The interval drawn as a bar with a dot at the value; the hatched line reaches from the worst to the best case. */
function whisker(cell, scale, [from, to]) {
  const inner = AXIS.width - 2 * AXIS.pad;
  const x = (value) =>
    (AXIS.pad + inner * Math.min(1, Math.max(0, (value * scale - from) / (to - from || 1)))).toFixed(1);
  const line = (kind, a, b) => svg("line", { class: kind, x1: a, y1: 6, x2: b, y2: 6 });
  const marks = [line("axis", AXIS.pad, AXIS.width - AXIS.pad)];
  if (cell.worst !== null && cell.best !== null) marks.push(line("bounds", x(cell.worst), x(cell.best)));
  if (cell.low !== null && cell.high !== null) {
    const [low, high] = [x(cell.low), x(cell.high)];
    marks.push(line("range", low, high), svg("path", { class: "ends", d: `M${low} 3V9M${high} 3V9` }));
  }
  marks.push(svg("circle", { class: "dot", cx: x(cell.value), cy: 6, r: 3 }));
  const box = {
    class: "whisker",
    viewBox: `0 0 ${AXIS.width} 12`,
    width: AXIS.width,
    height: 12,
    "aria-hidden": "true",
  };
  return svg("svg", { ...box, focusable: "false" }, marks);
}

/** The text of a cell: value, interval, n. */
function cellText(cell, scale) {
  if (!cell || cell.value === null) return "";
  const decimals = decimalsOf(cell.low, cell.high, scale);
  const value = `${number(cell.value * scale, decimals)} (${interval(cell.low, cell.high, scale)})`;
  return joined([value, nText(cell.n, cell.clusters)], "join_facts");
}

/** What must be said with a number: unscored samples, and what else makes it doubtful. */
function cellWarnings(cell, scale) {
  const found = [];
  if (cell.value === null) {
    const causes = cell.notes.map(noteText);
    found.push(cell.unscored ? t("no_value_unscored", { n: cell.unscored, causes }) : t("no_value", { why: causes }));
    return found;
  }
  if (cell.unscored) {
    const decimals = decimalsOf(cell.low, cell.high, scale);
    const known = cell.worst !== null && cell.best !== null;
    found.push(
      known
        ? t("unscored_case", {
            n: cell.unscored,
            worst: number(cell.worst * scale, decimals),
            best: number(cell.best * scale, decimals),
          })
        : t("unscored_unknown", { n: cell.unscored }),
    );
  }
  return [...found, ...cell.notes.map(english)];
}

/** Why there is no value, in words where they are ours: a cause, or what else the record says. */
function noteText(note) {
  return note === "nothing could be judged" ? t("judge_nothing_judged") : causeText(note);
}

/** A table's cell: empty where nothing was run. `more` are further nodes. */
function numberCell(cell, scale, axis, more = []) {
  if (!cell) return noneCell();
  const warnings = cellWarnings(cell, scale).map((text) => el("span", { class: "warning" }, text));
  if (cell.value === null) return el("td", { class: "cell" }, warnings, more);
  return el(
    "td",
    { class: "cell" },
    valueNodes(cell, scale),
    axis ? whisker(cell, scale, axis) : null,
    el("span", { class: "n" }, joined([nText(cell.n, cell.clusters), cell.isChat ? t("as_chat") : ""], "join_facts")),
    warnings,
    more,
  );
}

/** A share, as a list `[count, n, low, high]`, in a table's cell; empty where it is not known. */
function rateCell(rate) {
  if (!rate) return noneCell("not_known");
  const [hits, n, low, high] = rate;
  if (!n) return el("td", { class: "cell" }, el("span", { class: "warning" }, t("none_scored")));
  return el(
    "td",
    { class: "cell" },
    valueNodes({ low, high }, 100, { scaled: (100 * hits) / n, unit: percentText }),
    el("span", { class: "n" }, t("of", { part: hits, whole: n })),
  );
}

/** An empty cell, which says why to those who hear it: a message's key. */
function noneCell(key = "not_run") {
  return el("td", { class: "none" }, unseen(t(key)));
}

/** Which way is better, with an arrow. */
function direction(higherIsBetter) {
  return higherIsBetter ? "↑ " + t("higher_is_better") : "↓ " + t("lower_is_better");
}

/** What of its axis a table says. */
function axisText([from, to]) {
  return t("axis", { from: count(from), to: count(to) });
}

/** The rules of a column in words: protocol, exemplars, and what else sets it apart. */
function rules(column, likes = []) {
  const others = likes.filter(
    (like) => like !== column && like.metric === column.metric && String(like.tasks) === String(column.tasks),
  );
  const parts = [isolated(column.protocol), t("shots", { n: column.shots })];
  if (column.seed) parts.push(t("seed", { seed: column.seed }));
  if (column.version !== "1") parts.push(t("version", { version: column.version }));
  if (others.some((like) => like.data !== column.data)) parts.push(t("data", { hash: column.data }));
  return joined(parts, "join_facts");
}

/** A metric's signature, which may be cut into lines between its parts. */
function signatureNode(signature) {
  return el("span", { class: "detail signature" }, name(signature.replaceAll("|", " "), { dir: "ltr" }));
}

/** What a mean is over. */
function scope(column) {
  if (!column.kind) return "";
  if (column.kind === "suite") return t("mean_of_families", { n: column.parts.length });
  const key = column.kind === "macro" ? "macro_mean" : "micro_mean";
  const sampled = column.num_tasks > column.tasks.length ? t("of_which_sampled", { n: column.tasks.length }) : "";
  const over = joined((column.own_parts || []).map(isolated));
  return joined([t(key, { n: column.num_tasks }), sampled, over], "join_facts");
}

/** What guessing scores, as a range where samples differ. */
function chanceText(column) {
  if (!column.chance) return "";
  const [low, high] = column.chance.map((level) => number(level * column.scale, 1));
  return t("chance", { level: rangeText(low, high) });
}

/** A run's name with its badges, as the head of its row. */
function runHead(place, attributes = {}, more = []) {
  const run = board.runs[place];
  return el("th", { scope: "row", class: "model", ...attributes }, headName(runName(place)), badges(run), more);
}

/** Words about a whole run that must be seen with its numbers. */
function badges(run) {
  return [partialBadge([run]), statusBadge(run), unfitBadge([run]), withdrawnBadge(run)];
}

function partialBadge(runs) {
  const parts = [...new Set(runs.filter((run) => run.is_partial).map(partText))];
  return parts.length ? el("span", { class: "badge partial", title: parts.join("\n") }, t("partial")) : null;
}

function statusBadge({ status }) {
  return status === "complete" ? null : el("span", { class: "badge holes" }, t("status_" + status));
}

function withdrawnBadge({ withdrawn }) {
  if (!withdrawn) return null;
  const why = t("withdrawn_detail", { why: plain(withdrawn) });
  return el("span", { class: "badge holes", title: why }, t("withdrawn"), unseen(". " + why));
}

function unfitBadge(runs) {
  const unfit = runs.flatMap((run) => run.unfit);
  if (!unfit.length) return null;
  const languages = [...new Set(unfit.map((one) => one.language))].map(languageName);
  const why = t("judge_unfit_detail", { languages });
  return el("span", { class: "badge unfit", title: why }, t("judge_unfit"), unseen(". " + why));
}

/**
 * What an address calls a column of a metric, shortest first: `first`, then what else there is to set it apart from
 * columns called so too.
 */
function columnNames(column, first = column.title) {
  const { metric, protocol, shots, kind, language, seed, version, data } = column;
  const more = [metric, protocol, shots, kind, language, seed, version, data].filter((part) => part && part !== first);
  return more.reduce((names, part) => [...names, names.at(-1) + "." + part], [first]);
}

/** Facts as a list of terms, `[term, value]`; those without a value are left out. */
function factsList(facts) {
  const known = facts.filter((fact) => fact && fact[1]);
  return el(
    "dl",
    { class: "facts" },
    known.map(([term, value]) => el("div", {}, el("dt", {}, term), el("dd", {}, value))),
  );
}

/** Which part of its tasks a partial run took. */
function partText(run) {
  if (run.limit === null) return run.judged ? t("part_judged") : t("part_rows", { n: run.num_chosen_rows });
  const amount = run.limit < 1 ? percent(100 * run.limit, 1) : t("samples", { n: run.limit });
  return t(run.limit_mode === "first" ? "part_first" : "part_stratified", { amount });
}

/** How a text came into its language, in words: as it was written, or translated by whom. */
function originText(provenance) {
  if (!provenance) return "";
  const known = ["native", "human", "machine"].includes(provenance);
  return known ? t("origin_" + provenance) : t("origin_other", { how: provenance });
}

/** What the part of a name says that its family's lacks: a language, a pair of them, or a subject as it is. */
function labelNodes(label, language) {
  if (label === language) return [languageName(label)];
  const [source, target, ...others] = label.split("-");
  const isPair = target !== undefined && !others.length && target === language && languageName(source) !== source;
  return isPair ? [t("language_pair", { source: languageName(source), target: languageName(target) })] : [name(label)];
}

/** What stands in a caption: in sight however far its table is scrolled. */
function said(...nodes) {
  return el("span", { class: "said" }, nodes);
}

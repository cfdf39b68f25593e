// Two runs against each other: paired differences, what could not be compared, and in what the runs differ.

view("compare", {
  title: "view_compare",
  has: (found) => found.runs.length > 1,
  show(root, params) {
    const [a, b] = comparedRuns(params);
    add(root, el("p", { class: "lead" }, t("compare_lead")), compareControls(a, b), unknownRuns(params, ["a", "b"]));
    if (a < 0 || b < 0) return null;
    if (a === b) {
      root.append(el("p", { class: "notice" }, t("compare_same")));
      return null;
    }
    const found = comparisonOf(a, b);
    add(root, found ? comparisonBody(found, a, b) : notCompared(a, b), manifestDiff(a, b));
    return found ? () => [compareExport(found, a, b)] : null;
  },
});

/** A run by the first digits of its id, -1 where there is none such; `otherwise` where none is asked for. */
function runById(prefix, otherwise) {
  return prefix ? board.runs.findIndex((run) => run.id.startsWith(prefix)) : otherwise;
}

/** A line for each setting of an address, of those called `keys`, that names a run which is not here. */
function unknownRuns(params, keys) {
  const missing = keys.map((key) => params.get(key)).filter((id) => runById(id, 0) < 0);
  return missing.map((id) => el("p", { class: "notice", role: "alert" }, t("run_unknown", { run: id })));
}

function comparedRuns(params) {
  const order = runsInOrder();
  const a = runById(params.get("a"), order[0]);
  const others = order.filter((run) => run !== a);
  const usual = others.find((run) => comparisonOf(a, run)) ?? others[0];
  return [a, runById(params.get("b"), usual)];
}

function compareControls(a, b) {
  const swap = el("button", { type: "button", id: "compare-swap", disabled: a < 0 || b < 0 }, t("swap"));
  swap.addEventListener("click", () => go(changed({ a: shortId(b), b: shortId(a) })));
  return el(
    "div",
    { class: "filters" },
    runChooser("compare-a", t("baseline"), a, "a"),
    runChooser("compare-b", t("candidate"), b, "b"),
    el("div", {}, el("span", { class: "label" }, "\u00a0"), swap),
  );
}

// -- differences

function comparisonOf(a, b) {
  const is = (one, x, y) => one.baseline === x && one.candidate === y;
  const forward = board.comparisons.find((one) => is(one, a, b));
  if (forward) return forward.comparison;
  const backward = board.comparisons.find((one) => is(one, b, a));
  return backward ? turned(backward.comparison) : null;
}

/** The same comparison seen from the other side. */
function turned(found) {
  const less = (value) => (value === null ? null : -value);
  const differences = found.differences.map((one) => ({
    ...one,
    baseline: one.candidate,
    candidate: one.baseline,
    difference: -one.difference,
    low: less(one.high),
    high: less(one.low),
    num_gained: one.num_lost,
    num_lost: one.num_gained,
  }));
  return {
    ...found,
    isTurned: true,
    differences,
    missing: found.added,
    added: found.missing,
    baseline: found.candidate,
    candidate: found.baseline,
  };
}

function comparisonBody(found, a, b) {
  const names = { a: runName(a), b: runName(b) };
  const stored = found.isTurned ? { a: names.b, b: names.a } : names; // the sides that stored lines speak of
  return [
    differencesTable(found, a, b),
    el("p", { class: "quiet legend" }, t("compare_legend")),
    listed(t("compare_refused"), found.refused.map(refusal), t("compare_order", stored)),
    listed(
      t("compare_missing", names),
      found.missing.map((task) => name(task)),
    ),
    listed(
      t("compare_added", names),
      found.added.map((task) => name(task)),
    ),
    listed(
      t("compare_warnings"),
      found.warnings.map((line) => warningLine(line, stored)),
    ),
  ];
}

/** What could not be compared, and why. */
function refusal({ task, metric, reasons }) {
  const of = [task, metric].filter(Boolean).map((text) => [name(text), ": "]);
  return [of, joinedNodes(reasons.map(english), "join_clauses")];
}

// Lines of evalsuite/comparing that call the runs by their part in a comparison, which changes when they are swapped.
const PARTLY = /^([^]*): (\d+) samples in common, (\d+) only in the baseline, (\d+) only in the candidate$/;
const MOVED = /^(\w+): ([^]*) in the baseline, ([^]*) in the candidate$/;

/** What else changed, with the runs' names; `names` are those of the stored baseline and candidate. */
function warningLine(line, names) {
  const partly = PARTLY.exec(line);
  if (partly) {
    const [shared, onlyA, onlyB] = partly.slice(2).map(Number);
    return [name(partly[1]), ": ", t("compare_partly", { ...names, shared, only_a: onlyA, only_b: onlyB })];
  }
  const moved = MOVED.exec(line);
  if (!moved) return english(line);
  return [name(moved[1]), ": ", t("compare_moved", { ...names, value_a: moved[2], value_b: moved[3] })];
}

function listed(title, lines, note = "") {
  if (!lines.length) return null;
  return el(
    "section",
    {},
    el("h3", {}, title),
    note ? el("p", { class: "quiet" }, note) : null,
    el(
      "ul",
      { class: "says" },
      lines.map((line) => el("li", {}, line)),
    ),
  );
}

function differencesTable(found, a, b) {
  const reach = Math.max(
    ...found.differences.flatMap((one) =>
      [one.low, one.high, one.difference].map((end) => Math.abs((end ?? 0) * one.scale)),
    ),
    1,
  );
  const side = (id, run, key) => ({
    id,
    head: [t(key), " ", name(runName(run))],
    cell: (one) => sideCell(one, one[key]),
  });
  const columns = [
    { id: "name", kind: "model", head: t("compared"), value: (one) => one.name, cell: differenceHead },
    side("a", a, "baseline"),
    side("b", b, "candidate"),
    {
      id: "difference",
      firstDirection: "-",
      head: t("difference"),
      value: (one) => one.difference * one.scale,
      cell: (one) => differenceCell(one, reach),
    },
    { id: "p", head: t("p_adjusted"), value: (one) => one.p_adjusted ?? one.p_value, cell: chanceCell },
    {
      id: "flips",
      head: t("flips"),
      value: (one) => (one.num_gained === null ? null : one.num_gained + one.num_lost),
      cell: (one) => flipsCell(one, a, b),
    },
  ];
  return sortedTable({
    id: "differences",
    caption: t("compare_caption", { a: runName(a), b: runName(b) }),
    columns,
    rows: found.differences,
    param: "sort",
  });
}

/** The value of one side over the samples that both were asked. */
function sideCell(one, value) {
  const text = number(value * one.scale, decimalsOf(one.low, one.high, one.scale));
  return el("td", { class: "cell" }, text, el("span", { class: "n" }, nText(one.n, one.num_clusters)));
}

function differenceHead(one) {
  const arrow = one.higher_is_better ? "↑" : "↓";
  return el(
    "th",
    { scope: "row", class: "model" },
    headName(one.name),
    el("span", { class: "detail" }, one.kind === "task" ? name(one.metric) : t("mean"), " ", arrow),
    el("span", { class: "detail" }, name(one.protocol)),
  );
}

function differenceCell(one, reach) {
  return el(
    "td",
    { class: "cell" },
    valueNodes({ ...one, value: one.difference }, one.scale, { write: signed }),
    forest(one, reach),
    el("span", { class: "n" }, nText(one.n, one.num_clusters)),
    one.num_left_out ? el("span", { class: "warning" }, t("left_out", { n: one.num_left_out })) : null,
  );
}

/** A difference on an axis with zero in the middle. */
function forest(one, reach) {
  const x = (value) => (AXIS.width / 2 + ((AXIS.width / 2 - AXIS.pad) * value * one.scale) / reach).toFixed(1);
  const marks = [
    svg("line", { class: "axis", x1: AXIS.pad, y1: 6, x2: AXIS.width - AXIS.pad, y2: 6 }),
    svg("line", { class: "zero", x1: AXIS.width / 2, y1: 0, x2: AXIS.width / 2, y2: 12 }),
  ];
  if (one.low !== null) marks.push(svg("line", { class: "range", x1: x(one.low), y1: 6, x2: x(one.high), y2: 6 }));
  marks.push(svg("circle", { class: "dot", cx: x(one.difference), cy: 6, r: 3 }));
  return svg(
    "svg",
    {
      class: "whisker",
      viewBox: `0 0 ${AXIS.width} 12`,
      width: AXIS.width,
      height: 12,
      "aria-hidden": "true",
      focusable: "false",
    },
    marks,
  );
}

function chanceCell(one) {
  const isSure = one.p_adjusted !== null && one.p_adjusted < 0.05;
  const adjusted = one.p_adjusted === null ? "" : chance(one.p_adjusted);
  return el(
    "td",
    { class: "cell" },
    el("b", { class: "value" }, adjusted || chance(one.p_value)),
    el(
      "span",
      { class: "n" },
      joined(
        [adjusted ? t("p_alone", { p: chance(one.p_value) }) : "", t("test_" + one.test.replaceAll("-", "_"))],
        "join_facts",
      ),
    ),
    isSure ? el("span", { class: "badge headline" }, t("apart")) : null,
  );
}

function flipsCell(one, a, b) {
  if (one.num_gained === null) return noneCell("not_known");
  const counts = t("gained_lost", { gained: one.num_gained, lost: one.num_lost });
  const links = one.tasks.length === 1 ? [one.tasks[0]] : [];
  return el(
    "td",
    { class: "cell" },
    counts,
    links.map((task) =>
      el(
        "a",
        { class: "n", href: address("samples", { task, a: shortId(a), b: shortId(b), status: "flipped" }) },
        t("see_flips"),
      ),
    ),
  );
}

function notCompared(a, b) {
  return [
    el("p", { class: "notice" }, t("not_embedded")),
    el("pre", { class: "command", dir: "ltr" }, `evalsuite compare RUN-${board.runs[a].id} RUN-${board.runs[b].id}`),
  ];
}

// -- in what the runs themselves differ

function manifestDiff(a, b) {
  const [one, other] = [a, b].map((run) => new Map([...runFacts(run), ...factsBeside(run)]));
  const keys = [...new Set([...one.keys(), ...other.keys()])].filter(
    (key) => one.get(key)?.value !== other.get(key)?.value,
  );
  const rows = keys.map((key) => {
    const facts = [one.get(key), other.get(key)];
    return el(
      "tr",
      {},
      el("th", { scope: "row" }, factLabel(facts.find(Boolean))),
      facts.map((fact) => el("td", {}, factValue(fact))),
    );
  });
  const heads = [t("fact"), ...[a, b].map((run) => name(runName(run)))].map((head) => el("th", { scope: "col" }, head));
  const table = framed("manifest", "facts", t("manifest_caption"), heads, el("tbody", {}, rows));
  return el("section", {}, el("h3", {}, t("manifest_diff")), rows.length ? table : el("p", {}, t("manifest_same")));
}

/** What a run is, flat: everything but its name and its numbers, each fact as `{kind, task, key, value}`. */
function runFacts(place) {
  const { model, limit, seed, truncation, system_instruction, generation, packages, stacks, judged } =
    board.runs[place];
  const facts = new Map();
  const put = (kind, pairs, task = "") => {
    for (const [key, value] of Object.entries(pairs))
      facts.set(JSON.stringify([kind, task, key]), { kind, task, key, value: String(value ?? "") });
  };
  put("run", { engine: model.engine, limit, seed, truncation, system_instruction });
  put("model", model.identity);
  put("generation", generation);
  put("package", packages);
  for (const stack of stacks) put("stack", stack);
  if (judged) put("run", { judge: judged.judge + " " + judged.version, judging_model: model.name });
  for (const { name: task, runs } of board.tasks) {
    const { spec } = runs.find((one) => one.run === place) || {};
    if (!spec) continue;
    const { protocol, num_fewshot, version, chat, seed: own, prompts_hash } = spec;
    put("task", { protocol, num_fewshot, version, chat, seed: own, prompts_hash }, task);
  }
  return facts;
}

/** What else is known of how a run and its tasks were asked, which other tables of the page say in words. */
function factsBeside(place) {
  const { limit_mode, num_chosen_rows, multiturn_shots, judged } = board.runs[place];
  const facts = new Map();
  const put = (kind, pairs, task = "") => {
    for (const [key, value] of Object.entries(pairs))
      facts.set(JSON.stringify([kind, task, key]), { kind, task, key, value: String(value ?? "") });
  };
  put("run", { limit_mode, num_chosen_rows, multiturn_shots });
  if (judged) put("run", { judge_options: joined(pairTexts(judged.options)), judged_runs: joined(judged.runs) });
  for (const { name: task, runs } of board.tasks) {
    const { spec } = runs.find((one) => one.run === place) || {};
    if (!spec) continue;
    const { repeats, sample_ids_hash, num_samples, num_available, num_shortened, datasets } = spec;
    const pins = datasets.map(({ path, config, split, revision, fingerprint, num_rows: rows }) =>
      [path, config, split, revision && "@" + revision, fingerprint, rows].filter(Boolean).join(" "),
    );
    put(
      "task",
      { repeats, sample_ids_hash, num_samples, num_available, num_shortened, datasets: joined(pins, "join_clauses") },
      task,
    );
  }
  return facts;
}

// What our own facts are called; those of models, packages and machines have names of their own.
const FACT_WORDS = {
  engine: "engine",
  limit: "limit",
  seed: "seed_label",
  truncation: "truncation_label",
  system_instruction: "system_label",
  judge: "judge",
  judging_model: "fact_judging_model",
  protocol: "fact_protocol",
  num_fewshot: "fact_shots",
  version: "fact_version",
  chat: "fact_chat",
  prompts_hash: "fact_prompts",
  limit_mode: "fact_limit_mode",
  num_chosen_rows: "fact_chosen_rows",
  multiturn_shots: "turns_label",
  judge_options: "fact_judge_options",
  judged_runs: "judged_runs",
  repeats: "fact_repeats",
  sample_ids_hash: "fact_samples_hash",
  num_samples: "samples_label",
  num_available: "fact_available",
  num_shortened: "fact_shortened",
  datasets: "data_label",
};
const FACT_KINDS = {
  model: "facts_model",
  generation: "generation_label",
  package: "facts_packages",
  stack: "facts_stack",
};

function factLabel({ kind, task, key }) {
  if (kind === "run") return t(FACT_WORDS[key]);
  if (kind === "task") return [name(task), ": ", t(FACT_WORDS[key])];
  return [t(FACT_KINDS[kind]), ": ", name(key)];
}

function factValue(fact) {
  if (!fact) return el("i", {}, t("not_stated"));
  if (fact.kind === "run" && fact.key === "truncation") return t("truncation_" + (fact.value || "protocol"));
  return fact.value === "" ? t("none") : name(fact.value);
}

function compareExport(found, a, b) {
  const head = [
    "name",
    "kind",
    "metric",
    "protocol",
    "scale",
    "baseline",
    "candidate",
    "difference",
    "low",
    "high",
    "n",
    "clusters",
    "p_value",
    "p_adjusted",
    "test",
    "gained",
    "lost",
  ];
  const scaled = (one, value) => (value === null ? null : value * one.scale);
  const rows = found.differences.map((one) => [
    one.name,
    one.kind,
    one.metric,
    one.protocol,
    one.scale,
    scaled(one, one.baseline),
    scaled(one, one.candidate),
    scaled(one, one.difference),
    scaled(one, one.low),
    scaled(one, one.high),
    one.n,
    one.num_clusters,
    one.p_value,
    one.p_adjusted,
    one.test,
    one.num_gained,
    one.num_lost,
  ]);
  return { name: runName(a) + " → " + runName(b), head, rows };
}

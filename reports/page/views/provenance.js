// Where every number comes from, how to make it again, and a check of the page against itself.

view("provenance", {
  title: "view_provenance",
  has: (found) => found.runs.length > 0,
  show(root, params) {
    const chosen = runById(params.get("run"), runsInOrder()[0]);
    add(
      root,
      el("p", { class: "lead" }, t("provenance_lead")),
      checkPanel(),
      provenanceControls(chosen),
      unknownRuns(params, ["run"]),
    );
    if (chosen < 0) return null;
    root.append(runPanel(chosen));
    return () => [factsExport(chosen)];
  },
});

function provenanceControls(chosen) {
  return el("div", { class: "filters" }, runChooser("provenance-run", t("run_label"), chosen, "run"));
}

// -- one run

function runPanel(place) {
  const run = board.runs[place];
  return el(
    "article",
    { class: "run", "aria-labelledby": "run-title" },
    el("h3", { id: "run-title" }, name(runName(place)), " ", badges(run)),
    el("h4", {}, t("command")),
    el("pre", { class: "command", dir: "ltr" }, shown(run.command)),
    run.command_note ? el("p", { class: "quiet" }, english(run.command_note)) : null,
    run.red_flags.length ? redFlagList(run.red_flags) : null,
    el(
      "div",
      { class: "pair" },
      factsTable("facts-run", t("facts_run"), runRows(run)),
      factsTable("facts-model", t("facts_model"), pairRows(run.model.identity)),
    ),
    el(
      "div",
      { class: "pair" },
      factsTable("facts-packages", t("facts_packages"), pairRows(run.packages)),
      factsTable("facts-stack", t("facts_stack"), run.stacks.flatMap(pairRows)),
    ),
    tasksTable(place),
  );
}

function redFlagList(flags) {
  const lines = flags.map((flag) =>
    el(
      "li",
      {},
      redFlagText(flag),
      el("div", { class: "quiet" }, english((flag.family ? flag.family + ": " : "") + flag.text)),
    ),
  );
  return el("section", {}, el("h4", {}, t("alarms")), el("ul", { class: "says" }, lines));
}

function pairRows(pairs) {
  return Object.entries(pairs).map(([key, value]) => [name(key), name(String(value))]);
}

/** What is known of a run: a label, and its value as nodes or as words of ours. */
function runRows(run) {
  const { judged, measured: clock } = run;
  const rows = [
    [t("run_label"), name(run.id)],
    [t("status"), t("status_" + run.status)],
    [t("trust_label"), trustNodes(run)],
    [t("manifest_label"), hashText(run.manifest_sha256)],
    [t("root_label"), hashText(run.samples_root)],
    [t("engine"), name(run.model.engine)],
    [t("samples_scored"), scoredText(run.counts)],
    [t("limit"), run.is_partial ? partText(run) : t("none")],
    [t("seed_label"), String(run.seed)],
    [t("truncation_label"), t("truncation_" + (run.truncation || "protocol"))],
    [
      t("generation_label"),
      Object.keys(run.generation).length ? namesList(pairTexts(run.generation)) : t("as_tasks_say"),
    ],
    [t("system_label"), run.system_instruction ? name(run.system_instruction) : t("none")],
    [t("turns_label"), t(run.multiturn_shots === false ? "turns_one" : "turns_many")],
  ];
  if (judged) {
    rows.push(
      [t("judge"), namesList([judged.judge + " " + judged.version, run.model.name])],
      [t("judged_runs"), namesList(judged.runs)],
    );
  }
  if (run.started) rows.push([t("date"), run.started]);
  if (clock.seconds) rows.push([t("seconds"), name(duration(clock.seconds))]);
  if (clock.tokens_per_second)
    rows.push([t("speed"), t("tokens_a_second", { n: Math.round(clock.tokens_per_second) })]);
  for (const key of ["weights_bytes", "peak_device_bytes", "peak_resident_bytes"])
    if (clock[key]) rows.push([t(key), name(bytes(clock[key]))]);
  return rows;
}

/** How many of the samples have a score, and why the others have none. */
function scoredText({ scored, requested, unscored_by_cause: byCause }) {
  const causes = Object.entries(byCause).map(([cause, n]) => causeText(cause) + " " + count(n));
  return t("of", { part: scored, whole: requested }) + (causes.length ? " (" + joined(causes) + ")" : "");
}

/** `rows` are pairs of nodes. */
function factsTable(id, caption, rows) {
  if (!rows.length) return null;
  const lines = rows.map(([key, value]) => el("tr", {}, el("th", { scope: "row" }, key), el("td", {}, value)));
  return framed(id, "facts", caption, null, el("tbody", {}, lines));
}

function tasksTable(place) {
  const rows = board.tasks.flatMap((task) => task.runs.filter((one) => one.run === place).map((one) => [task, one]));
  const heads = ["task", "rules", "samples_label", "data_label", "licence"].map((key) =>
    el("th", { scope: "col" }, t(key)),
  );
  const line = ([task, one]) =>
    el(
      "tr",
      {},
      el("th", { scope: "row" }, el("a", { href: address("task", { task: task.name }) }, name(task.name))),
      el("td", {}, specText(one.spec)),
      el("td", {}, askedText(one)),
      one.spec.datasets.length ? el("td", {}, one.spec.datasets.map(pinText)) : noneCell("none_stated"),
      el("td", {}, task.licence ? name(task.licence) : t("none_stated")),
    );
  return framed("run-tasks", "tasks", t("run_tasks"), heads, el("tbody", {}, rows.map(line)));
}

function specText({ protocol, num_fewshot: shots, version, chat }) {
  const facts = [
    isolated(protocol),
    t("shots", { n: String(shots) }),
    t("version", { version: String(version) }),
    chat ? t("as_chat") : "",
  ];
  return joined(facts, "join_facts");
}

function askedText({ counts, spec, num_truncated: n }) {
  const asked = [t("of", { part: counts.scored, whole: spec.num_samples }), n ? t("truncated", { n }) : ""];
  return joined([joined(asked, "join_facts"), t("in_all", { n: spec.num_available })], "join_clauses");
}

function pinText({ path, config, split, revision, fingerprint }) {
  const parts = [
    path,
    config,
    split,
    revision ? "@" + revision.slice(0, 12) : "",
    fingerprint ? "sha256 " + fingerprint.slice(0, 16) : "",
  ];
  return el("span", { class: "pin", dir: "ltr" }, shown(parts.filter(Boolean).join(" ")));
}

function factsExport(place) {
  const rows = [...runFacts(place).values()].map(({ kind, task, key, value }) => [kind, task, key, value]);
  return { name: runName(place), head: ["kind", "task", "fact", "value"], rows };
}

// -- the check

function checkPanel() {
  const button = el("button", { type: "button", id: "check" }, t("check"));
  const said = el("div", { id: "check-result", role: "status" });
  button.addEventListener("click", async () => {
    button.disabled = true; // which takes the focus from it
    said.replaceChildren(t("checking"));
    try {
      said.replaceChildren(...checkReport(await checkAll()));
    } catch (error) {
      said.replaceChildren(el("p", { class: "notice" }, t("damaged", { what: String(error.message || error) })));
    }
    button.disabled = false;
    if (document.activeElement === document.body) button.focus({ preventScroll: true });
  });
  const seal = el(
    "p",
    { class: "quiet" },
    t("seal_lead"),
    " ",
    hashText(document.querySelector('meta[name="evalsuite-seal"]').content),
  );
  return el(
    "section",
    { class: "check" },
    el("h3", {}, t("check_title")),
    el("p", {}, t("check_lead")),
    button,
    said,
    el("p", { class: "quiet" }, t("check_outside")),
    seal,
  );
}

/**
 * Every number of single tasks made again from the samples' counts, in the tables of families and on the leaderboard: how
 * many are equal, which are not, how many are by other formulas, and how many are means over tasks.
 */
async function checkAll() {
  const found = { equal: 0, elsewhere: 0, means: 0, differing: [] };
  for (const [at, task] of board.tasks.entries()) {
    const samples = await samplesOf(at);
    for (const table of shownTables()) {
      table.columns.forEach((column, place) => {
        if (column.kind || column.tasks[0] !== task.name) return;
        table.cells.forEach((cells, row) => {
          checkCell(cellOf(cells[place]), column, table.runOf(row, place), samples, found);
        });
      });
    }
  }
  for (const { columns, cells } of shownTables())
    for (const row of cells) found.means += row.filter((cell, place) => cell && columns[place].kind).length;
  return found;
}

/** The leaderboard and the tables of all families, alike: `{columns, cells, runOf(row, column)}`. */
function shownTables() {
  const { columns, cells, rows } = board;
  const tables = board.families.flatMap((family) => family.tables);
  const headlines = { columns, cells, runOf: (row, column) => rows[row].sources[column] };
  return [headlines, ...tables.map((table) => ({ ...table, runOf: (row) => table.rows[row] }))];
}

function checkCell(cell, column, run, samples, found) {
  if (!cell || cell.value === null) return;
  if (column.formula !== "mean") {
    found.elsewhere += 1;
    return;
  }
  const again = meanAgain(samples, run, column.metric);
  const isEqual =
    again !== null &&
    again.n === cell.n &&
    again.clusters === cell.clusters &&
    Math.abs(again.value - cell.value) <= 1e-12 * Math.max(1, Math.abs(cell.value));
  if (isEqual) found.equal += 1;
  else found.differing.push({ run, column, cell, again });
}

/** Mean, rows and clusters of a metric from the counts that are in the page. */
function meanAgain(samples, run, metric) {
  const answers = samples.answers[samples.runs.indexOf(run)];
  if (!answers) return null;
  let [sum, weight, n] = [0, 0, 0];
  const clusters = new Set();
  answers.forEach((answer, at) => {
    const counts = answer?.counts?.[metric];
    if (!counts || !counts.some(Boolean)) return;
    sum += counts[0];
    weight += counts[1];
    n += 1;
    clusters.add(samples.samples[at].cluster || samples.samples[at].id);
  });
  return weight ? { value: sum / weight, n, clusters: clusters.size } : null;
}

function checkReport({ equal, elsewhere, means, differing }) {
  const line = (one) => {
    const again = one.again
      ? number(one.again.value * one.column.scale, 4) + " (" + t("n", { n: one.again.n }) + ")"
      : t("not_known");
    return el(
      "li",
      {},
      t("check_differs", {
        run: runName(one.run),
        task: one.column.title,
        metric: one.column.metric,
        shown: number(one.cell.value * one.column.scale, 4),
        again,
      }),
    );
  };
  const total = equal + differing.length;
  const mark = differing.length ? "✗ " : "✓ ";
  return [
    el(
      "p",
      { class: differing.length ? "warning" : null },
      total ? mark + t("check_equal", { n: equal, total }) : t("check_nothing"),
    ),
    means ? el("p", {}, t("check_means", { n: means })) : null,
    el("p", {}, t("check_not_covered")),
    elsewhere ? el("p", {}, t("check_elsewhere", { n: elsewhere })) : null,
    differing.length ? el("ul", { class: "says" }, differing.map(line)) : null,
  ].filter(Boolean);
}

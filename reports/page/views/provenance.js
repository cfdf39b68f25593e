// Where every number comes from, how to make it again, and a check of the page against itself.

view("provenance", {
  title: "view_provenance",
  has: (found) => found.runs.length > 0,
  show(root, params) {
    const chosen = runById(params.get("run"), runsInOrder()[0]);
    root.append(el("p", { class: "lead" }, t("provenance_lead")), checkPanel(), provenanceControls(chosen), runPanel(chosen));
    return () => [factsExport(chosen)];
  },
});

function provenanceControls(chosen) {
  const select = el("select", { id: "provenance-run" }, runsInOrder().map((run) => el("option", { value: shortId(run), selected: run === chosen }, plain(runName(run)) + " " + shortId(run))));
  select.addEventListener("change", () => go(changed({ run: select.value })));
  return el("div", { class: "filters" }, el("div", {}, el("label", { for: "provenance-run" }, t("run_label")), select));
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
    run.command_note ? el("p", { class: "quiet" }, shown(run.command_note)) : null,
    run.red_flags.length ? el("section", {}, el("h4", {}, t("alarms")), el("ul", { class: "says" }, run.red_flags.map((flag) => el("li", {}, flag.family ? [name(flag.family), ": "] : "", shown(flag.text))))) : null,
    el("div", { class: "pair" }, factsTable("facts-run", t("facts_run"), runRows(run)), factsTable("facts-model", t("facts_model"), pairRows(run.model.identity))),
    el("div", { class: "pair" }, factsTable("facts-packages", t("facts_packages"), pairRows(run.packages)), factsTable("facts-stack", t("facts_stack"), run.stacks.flatMap(pairRows))),
    tasksTable(place),
  );
}

function pairRows(pairs) {
  return Object.entries(pairs).map(([key, value]) => [key, String(value)]);
}

function runRows(run) {
  const counts = run.counts;
  const causes = Object.entries(counts.unscored_by_cause).map(([cause, number]) => plain(cause) + " " + count(number)).join(", ");
  const rows = [
    [t("run_label"), run.id],
    [t("status"), t("status_" + run.status)],
    [t("engine"), run.model.engine],
    [t("samples_scored"), t("of", { part: counts.scored, whole: counts.requested }) + (causes ? " (" + causes + ")" : "")],
    [t("limit"), run.is_partial ? partText(run) : t("none")],
    [t("seed_label"), String(run.seed)],
    [t("truncation_label"), t("truncation_" + (run.truncation || "protocol"))],
    [t("generation_label"), pairsText(run.generation) || t("as_tasks_say")],
    [t("system_label"), run.system_instruction || t("none")],
    [t("turns_label"), t(run.multiturn_shots === false ? "turns_one" : "turns_many")],
  ];
  if (run.judged) rows.push([t("judge"), run.judged.judge + " " + run.judged.version + ", " + run.model.name], [t("judged_runs"), run.judged.runs.join(", ")]);
  if (run.started) rows.push([t("date"), run.started]);
  const clock = run.measured;
  if (clock.seconds) rows.push([t("seconds"), duration(clock.seconds)]);
  if (clock.tokens_per_second) rows.push([t("speed"), t("tokens_a_second", { n: Math.round(clock.tokens_per_second) })]);
  for (const key of ["weights_bytes", "peak_device_bytes", "peak_resident_bytes"]) if (clock[key]) rows.push([t(key), bytes(clock[key])]);
  return rows;
}

function factsTable(id, caption, rows) {
  if (!rows.length) return null;
  const lines = rows.map(([key, value]) => el("tr", {}, el("th", { scope: "row" }, name(key)), el("td", {}, name(value))));
  return el(
    "div",
    { class: "scroll", role: "region", "aria-labelledby": id + "-caption", tabindex: "0" },
    el("table", { class: "facts", id }, el("caption", { id: id + "-caption" }, caption), el("tbody", {}, lines)),
  );
}

function tasksTable(place) {
  const rows = board.tasks.flatMap((task) => task.runs.filter((one) => one.run === place).map((one) => [task, one]));
  const heads = ["task", "rules", "samples_label", "data_label", "licence"].map((key) => el("th", { scope: "col" }, t(key)));
  const line = ([task, one]) => {
    const spec = one.spec;
    const truncated = one.num_truncated ? ", " + t("truncated", { n: one.num_truncated }) : "";
    return el(
      "tr",
      {},
      el("th", { scope: "row" }, el("a", { href: address("task", { task: task.name }) }, name(task.name))),
      el("td", {}, [plain(spec.protocol), t("shots", { n: String(spec.num_fewshot) }), t("version", { version: String(spec.version) }), ...(spec.chat ? [t("as_chat")] : [])].join(", ")),
      el("td", {}, t("of", { part: one.counts.scored, whole: spec.num_samples }) + truncated + "; " + t("in_all", { n: spec.num_available })),
      el("td", {}, spec.datasets.map((pin) => el("span", { class: "pin", dir: "ltr" }, shown([pin.path, pin.config, pin.split, pin.revision ? "@" + pin.revision.slice(0, 12) : "", "sha256 " + pin.fingerprint.slice(0, 16)].filter(Boolean).join(" "))))),
      el("td", {}, name(task.licence || t("none_stated"))),
    );
  };
  return el(
    "div",
    { class: "scroll", role: "region", "aria-labelledby": "run-tasks-caption", tabindex: "0" },
    el("table", { class: "tasks" }, el("caption", { id: "run-tasks-caption" }, t("run_tasks")), el("thead", {}, el("tr", {}, heads)), el("tbody", {}, rows.map(line))),
  );
}

function factsExport(place) {
  return { name: runName(place), head: ["fact", "value"], rows: [...runFacts(place).entries()] };
}

// -- the check

function checkPanel() {
  const button = el("button", { type: "button", id: "check" }, t("check"));
  const said = el("div", { id: "check-result", role: "status" });
  button.addEventListener("click", async () => {
    button.disabled = true;
    said.replaceChildren(t("checking"));
    try {
      said.replaceChildren(...checkReport(await checkAll()));
    } catch (error) {
      said.replaceChildren(el("p", { class: "notice" }, t("damaged", { what: String(error.message || error) })));
    }
    button.disabled = false;
  });
  return el("section", { class: "check" }, el("h3", {}, t("check_title")), el("p", {}, t("check_lead")), button, said, el("p", { class: "quiet" }, t("check_outside")));
}

/** Every number of single tasks made again from the samples' counts: how many are equal, which are not. */
async function checkAll() {
  const found = { equal: 0, elsewhere: 0, differing: [] };
  for (const [at, task] of board.tasks.entries()) {
    const samples = await samplesOf(at);
    for (const family of board.families) {
      for (const table of family.tables) {
        table.columns.forEach((column, place) => {
          if (column.kind || column.tasks[0] !== task.name) return;
          table.rows.forEach((run, row) => checkCell(cellOf(table.cells[row][place]), column, run, samples, found));
        });
      }
    }
  }
  return found;
}

function checkCell(cell, column, run, samples, found) {
  if (!cell || cell.value === null) return;
  if (column.formula !== "mean") {
    found.elsewhere += 1;
    return;
  }
  const again = meanAgain(samples, run, column.metric);
  const isEqual = again !== null && again.n === cell.n && again.clusters === cell.clusters && Math.abs(again.value - cell.value) <= 1e-12 * Math.max(1, Math.abs(cell.value));
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

function checkReport({ equal, elsewhere, differing }) {
  const line = (one) => {
    const again = one.again ? number(one.again.value * one.column.scale, 4) + " (n " + count(one.again.n) + ")" : t("not_known");
    return el("li", {}, t("check_differs", { run: runName(one.run), task: one.column.title, metric: one.column.metric, shown: number(one.cell.value * one.column.scale, 4), again }));
  };
  return [
    el("p", { class: differing.length ? "warning" : null }, (differing.length ? "✗ " : "✓ ") + t("check_equal", { n: equal, total: equal + differing.length })),
    elsewhere ? el("p", {}, t("check_elsewhere", { n: elsewhere })) : null,
    differing.length ? el("ul", { class: "says" }, differing.map(line)) : null,
  ].filter(Boolean);
}

// One task: what was asked, by which rules, of which data. What came of it is in task_results.js.

/** A prompt longer than this, in characters or lines, is shown in part. */
const LONG_PROMPT = { chars: 1500, lines: 24 };

view("task", {
  title: "view_task",
  parent: "languages",
  has: (found) => found.tasks.length > 0,
  async show(root, params) {
    const wanted = params.get("task") || "";
    const at = board.tasks.findIndex((task) => wellFormed(task.name) === wellFormed(wanted));
    if (at < 0) return taskList(root, wanted);
    const task = board.tasks[at];
    root.querySelector("h2").replaceChildren(t("task_title"), " ", name(task.name));
    add(
      root,
      task.title ? el("p", { class: "lead" }, name(task.title)) : null,
      taskFacts(task),
      el("p", {}, el("a", { href: address("task") }, t("task_all"))),
      await promptPart(task, at, params),
      metricsPart(task),
      resultsPart(task),
      categoriesPart(task),
      lengthsPart(task),
      endingsPart(task),
      flagRatesPart(task),
      dataPart(task),
    );
    return () => taskTables(task);
  },
});

function taskList(root, wanted) {
  if (wanted) root.append(el("p", { class: "notice" }, t("task_unknown", { name: wanted })));
  root.append(el("p", { class: "lead" }, t("task_list_lead")));
  for (const family of board.families) {
    const links = family.tasks
      .map((at) => board.tasks[at])
      .map((task) =>
        el(
          "li",
          {},
          el("a", { href: address("task", { task: task.name }) }, name(task.name)),
          " ",
          el("span", { class: "quiet" }, taskLine(task)),
        ),
      );
    root.append(el("h3", {}, name(family.name)), el("ul", { class: "task-list" }, links));
  }
  return null;
}

function taskLine(task) {
  const facts = [languageName(task.language), originText(task.provenance), t("runs", { n: task.runs.length })];
  return joined(facts, "join_facts");
}

function taskFacts(task) {
  const family = isInLanguages(board.families.find((one) => one.name === task.family))
    ? el("a", { href: address("languages", { family: task.family }) }, name(task.family))
    : name(task.family);
  return factsList([
    [t("task_family"), family],
    [t("task_language"), languageName(task.language)],
    [t("task_origin"), originText(task.provenance)],
    [t("task_source"), task.source && name(task.source)],
    [t("task_licence"), task.licence && name(task.licence)],
    [t("task_runs"), count(task.runs.length)],
  ]);
}

// -- the prompt

/** The prompt of the first sample whose texts are kept, as sent; of runs that sent others each of theirs. */
async function promptPart(task, at, params) {
  const title = el("h3", {}, t("task_prompt"));
  const says = (key) => [title, el("p", { class: "notice" }, t(key))];
  if (!task.is_shown) return says("task_texts_not_shown");
  if (board.samples_kept === "none") return says("task_texts_not_kept");
  let samples;
  try {
    samples = await samplesOf(at);
  } catch (error) {
    return [title, el("p", { class: "notice", role: "alert" }, t("damaged", { what: String(error.message || error) }))];
  }
  const first = samples.samples.findIndex((_, place) =>
    samples.answers.some((answers) => answers[place]?.replies?.length),
  );
  if (first < 0) return says(board.samples_kept === "failures" ? "task_texts_of_failures" : "task_nothing_asked");
  const [main, ...others] = sentPrompts(samples, first);
  const facts = samples.samples[first];
  const link = el(
    "a",
    { href: address("sample", { task: task.name, sample: facts.id }) },
    name(facts.id, { class: "id" }),
  );
  return [
    title,
    el(
      "p",
      { class: "quiet" },
      joinedNodes([[t("task_prompt_of"), " ", link], others.length ? sentTo(main) : null], "join_facts"),
    ),
    exchangeNodes(main, facts, params),
    others.map((one, index) => fold("prompt" + index, sentTo(one), () => exchangeNodes(one, facts, null))),
  ];
}

/** The first exchange of a sample as each run sent it, the same ones together: `{reply, prompt, runs, more}`. */
function sentPrompts(samples, at) {
  const found = new Map();
  samples.runs.forEach((run, row) => {
    const replies = samples.answers[row][at]?.replies || [];
    if (!replies.length) return;
    const key = JSON.stringify([replies[0].prompt, replies[0].settings, replies[0].stop, replies[0].choices]);
    if (!found.has(key))
      found.set(key, {
        reply: replies[0],
        prompt: samples.prompts[replies[0].prompt],
        runs: [],
        more: replies.length - 1,
      });
    found.get(key).runs.push(run);
  });
  return [...found.values()];
}

function sentTo({ runs }) {
  return el("span", { class: "quiet" }, t("task_sent_to"), " ", namesList(runs.map(runName)));
}

function exchangeNodes({ reply, prompt, more }, facts, params) {
  const language = facts.prompt_language || facts.language;
  const texts = typeof prompt === "string" ? [prompt] : prompt.map(([, content]) => content);
  const nodes =
    typeof prompt === "string" ? [prose(prompt, language)] : prompt.map((message) => messageNode(message, language));
  const choices = (reply.choices || []).map((text) => el("li", {}, prose(text, facts.language)));
  return [
    params ? clamped(el("div", { class: "asked" }, nodes), texts, params) : el("div", { class: "asked" }, nodes),
    choices.length
      ? [el("p", { class: "quiet" }, t("task_continuations")), el("ol", { class: "continuations" }, choices)]
      : null,
    el(
      "p",
      { class: "quiet" },
      [askedHow(reply), more ? t("task_more_requests", { n: more }) : ""].filter(Boolean).join(" "),
    ),
  ];
}

function messageNode([role, content], language) {
  return el("div", { class: "message" }, el("span", { class: "role" }, name(role)), prose(content, language));
}

/** The settings an answer was asked with, and where it stops. */
function askedHow(reply) {
  const settings = Object.keys(reply.settings || {}).length
    ? t("task_settings", { settings: pairTexts(reply.settings) })
    : "";
  const stops = (reply.stop || []).map((text) => JSON.stringify(text));
  return [settings, stops.length ? t("task_stops", { stops }) : ""].filter(Boolean).join(" ");
}

/** A long prompt in part, with a button that shows the rest; which is seen stands in the address. */
function clamped(node, texts, params) {
  const whole = texts.join("\n");
  if (whole.length <= LONG_PROMPT.chars && whole.split("\n").length <= LONG_PROMPT.lines) return node;
  const isWhole = params.get("prompt") === "whole";
  fill(node, { id: "task-prompt-text", class: isWhole ? "asked" : "asked clamped" }, []);
  const text = t(isWhole ? "task_prompt_part" : "task_prompt_whole", { n: [...whole].length });
  const button = el(
    "button",
    { type: "button", id: "task-prompt-whole", "aria-expanded": String(isWhole), "aria-controls": "task-prompt-text" },
    text,
  );
  button.addEventListener("click", () => go(changed({ prompt: isWhole ? "" : "whole" })));
  return [node, el("p", {}, button)];
}

// -- rules and data

/** The metrics of a task, the headline first. */
function metricsOf(task) {
  return [...task.metrics].sort((a, b) => b.is_primary - a.is_primary);
}

function metricsPart(task) {
  const about = (column) => knownText("metric_about_", column.metric, "");
  const columns = [
    ["about", about],
    ["alias", (column) => column.alias && name(column.alias)],
    ["direction", (column) => direction(column.higher_is_better)],
    [
      "range",
      (column) =>
        column.bounds ? range(...column.bounds.map((bound) => count(bound * column.scale))) : t("task_unbounded"),
    ],
    ["chance", (column) => chanceText(column) || t("task_no_chance")],
    [
      "rules",
      (column) =>
        joined(
          [rules(column, task.metrics), column.version === "1" ? t("version", { version: "1" }) : ""],
          "join_facts",
        ),
    ],
    ["signature", (column) => column.signature !== "v1" && signatureNode(column.signature)],
  ].filter(([, cell]) => task.metrics.some(cell));
  const rows = metricsOf(task).map((column) =>
    el(
      "tr",
      {},
      metricHead(column),
      columns.map(([, cell]) => cell(column)).map((found) => (found ? el("td", {}, found) : noneCell("none"))),
    ),
  );
  const heads = ["metric", ...columns.map(([key]) => key)].map((key) => t("task_head_" + key));
  return [el("h3", {}, t("task_metrics")), plainTable("task-metrics", t("task_metrics_caption"), heads, rows)];
}

function metricHead(column) {
  const badge = column.is_primary ? el("span", { class: "badge headline" }, t("headline")) : null;
  return el("th", { scope: "row", class: "model" }, headName(column.metric), badge);
}

function statedCell(nodes) {
  return nodes ? el("td", {}, nodes) : noneCell("none_stated");
}

/** The pins of all runs' rows; where runs differ, whose they are. */
function dataPart(task) {
  const found = new Map();
  for (const one of task.runs) {
    for (const pin of one.spec.datasets) {
      const key = JSON.stringify(pin);
      found.set(key, { pin, runs: [...(found.get(key)?.runs || []), one.run] });
    }
  }
  const isShared = [...found.values()].every(({ runs }) => runs.length === task.runs.length);
  const code = (text) => el("code", {}, plain(text));
  const rows = [...found.values()].map(({ pin, runs }) =>
    el(
      "tr",
      {},
      el("th", { scope: "row", class: "model" }, headName(pin.path)),
      [pin.config && name(pin.config), pin.split && name(pin.split), pin.revision && code(pin.revision)].map(
        statedCell,
      ),
      [count(pin.num_rows), code(pin.fingerprint)].map(statedCell),
      isShared ? null : el("td", {}, namesList(runs.map(runName))),
    ),
  );
  const heads = ["config", "split", "revision", "rows", "sha256"].map((key) => t("task_head_" + key));
  const more = isShared ? [] : [t("task_runs")];
  return [
    el("h3", {}, t("task_data")),
    plainTable("task-data", t("task_data_caption"), [t("task_head_dataset"), ...heads, ...more], rows, "numbers pins"),
  ];
}

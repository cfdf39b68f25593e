// The samples of one task as a list that can be narrowed down.

const LIST_STEP = 200;
const LIST_MOST = 2000;
const LINES_AT_ONCE = 40;

view("samples", {
  title: "view_samples",
  has: (found) => found.tasks.length > 0,
  async show(root, params) {
    const unknown = unknownNames(params);
    if (unknown.length) return unknownNotice(root, params, unknown);
    const task = taskPlace(params.get("task"));
    const found = await samplesOf(task);
    const filter = filterOf(found, params);
    const list = { task, found, filter, chosen: await chosenSamples(found, filter), turn: 0 };
    list.count = el("p", { class: "quiet", id: "samples-count", role: "status" });
    list.entries = el("ol", { class: "list", id: "samples-list" });
    list.more = el("button", { type: "button", id: "samples-more" }, t("samples_show_more"));
    list.more.addEventListener("click", () => moreSampleLines(list));
    const keys = keyHelp(params, [
      ["j", t("samples_key_next_line")],
      ["k", t("samples_key_previous_line")],
      ["f", t("samples_key_filter")],
    ]);
    add(
      root,
      sampleTask(task),
      keptNotice(task),
      sampleControls(list, params, keys.button),
      list.count,
      list.entries,
      list.more,
      keys.dialog,
    );
    showSampleLines(list, Math.min(LIST_MOST, Math.max(LIST_STEP, Number(params.get("n")) || 0)));
    keys.listen(root, {
      j: () => stepSampleLine(list, 1),
      k: () => stepSampleLine(list, -1),
      f: () => go(changed({ ...nextSampleFilter(found, filterOf(found, place().params)), n: "" })),
    });
    readAhead(found);
    return () => sampleListExport(list);
  },
});

// -- which task, and what is kept of it

function sampleTask(at) {
  const task = board.tasks[at];
  const title = task.title && task.title !== task.name ? [" ", name(task.title)] : [];
  const language = el("span", { class: "quiet" }, languageName(task.language));
  return el(
    "p",
    { class: "lead" },
    el("a", { href: address("task", { task: task.name }) }, name(task.name)),
    title,
    " ",
    language,
  );
}

/** Why there are no texts, where there are none. */
function keptNotice(at) {
  if (!board.tasks[at].is_shown) return [el("p", { class: "notice" }, t("samples_texts_hidden"))];
  return board.samples_kept === "all"
    ? []
    : [el("p", { class: "notice" }, t("samples_texts_kept_" + board.samples_kept))];
}

// -- controls

function sampleControls(list, params, help) {
  const { found, filter } = list;
  const { flags, languages, categories } = factsOf(found);
  const every = [["", t("samples_all")]];
  const states = stateChoices(found).map((one) => [one, stateText(one)]);
  const rows = [
    labelled("samples-task", t("samples_task"), sampleTasks(list.task)),
    sampleChooser("status", t("samples_outcome"), [...every, ...states], filter.status),
    ...sampleModels(list),
  ];
  if (flags.length) {
    const choices = [...every, ["any", t("samples_any_flag")], ...flags.map((flag) => [flag, flagText(flag)])];
    rows.push(sampleChooser("flag", t("samples_flag"), choices, filter.flag));
  }
  if (languages.length > 1) {
    const choices = [...every, ...languages.map((code) => [code, languageName(code)])];
    rows.push(sampleChooser("lang", t("samples_language"), choices, filter.lang));
  }
  if (categories.length > 1) {
    const choices = [...every, ...categories.map((one) => [one, plain(one)])];
    rows.push(sampleChooser("cat", t("samples_category"), choices, filter.cat));
  }
  rows.push(sampleSearch(list, params), el("div", {}, el("span", { class: "label" }, t("samples_keyboard")), help));
  return el("div", { class: "filters", role: "search", "aria-label": t("samples_filter_samples") }, rows);
}

/** A choice that sets `param` in the address; `choices` are pairs of value and text. */
function sampleChooser(param, label, choices, value, id = "samples-" + param) {
  return chooser(id, label, choices, value, (chosen) => go(changed({ [param]: chosen, n: "" })));
}

/** In which model the outcome is looked for, or between which two. */
function sampleModels({ found, filter }) {
  if (found.runs.length < 2) return [];
  const choices = slotsInOrder(found).map((slot) => [shortId(found.runs[slot]), raterText(found.runs[slot])]);
  const value = (slot) => (typeof slot === "number" ? shortId(found.runs[slot]) : slot);
  if (isFlip(filter.status))
    return ["a", "b"].map((side) => sampleChooser(side, t("samples_model_" + side), choices, value(filter[side])));
  const first = [
    ["", t("samples_any_model")],
    ["every", t("samples_every_model")],
  ];
  return [sampleChooser("run", t("model"), [...first, ...choices], value(filter.run))];
}

function sampleTasks(chosen) {
  const select = el("select", { id: "samples-task" });
  let group = null;
  board.tasks.forEach((task, at) => {
    if (at === 0 || board.tasks[at - 1].family !== task.family)
      select.append((group = el("optgroup", { label: plain(task.family) })));
    group.append(
      el(
        "option",
        { value: task.name, selected: at === chosen },
        plain(task.name) + " · " + languageName(task.language),
      ),
    );
  });
  select.addEventListener("change", () => go(changed({ task: select.value, lang: "", cat: "", n: "" })));
  return select;
}

function sampleSearch(list, params) {
  const input = el("input", {
    id: "samples-text",
    type: "search",
    value: params.get("q") || "",
    autocomplete: "off",
    spellcheck: "false",
    dir: "auto",
  });
  input.addEventListener("input", () => searchSamples(list, input.value));
  const box = labelled("samples-text", t("samples_search_texts"), input);
  box.className = "wide";
  return box;
}

async function searchSamples(list, words) {
  note({ q: words, n: "" });
  const mine = (list.turn += 1);
  list.filter = { ...list.filter, q: searchable(words) };
  const chosen = await filteredSamples(list.found, list.filter, () => mine !== list.turn);
  if (!chosen || mine !== list.turn) return;
  list.chosen = chosen;
  showSampleLines(list, LIST_STEP, LINES_AT_ONCE);
}

/** The next of the filters that there are: all, then every outcome, then every flag. */
function nextSampleFilter(found, filter) {
  const every = [
    ["", ""],
    ...stateChoices(found).map((state) => [state, ""]),
    ...factsOf(found).flags.map((flag) => ["", flag]),
  ];
  const at = every.findIndex(([status, flag]) => status === filter.status && flag === filter.flag);
  const [status, flag] = every[(at + 1) % every.length];
  return { status, flag };
}

// -- lines

/** Show `wanted` of the chosen samples: `atOnce` of them now, and the others in a moment, unless something else is asked. */
function showSampleLines(list, wanted, atOnce = wanted) {
  const mine = list.turn;
  list.count.textContent = t("samples_of", { n: list.chosen.length, whole: list.found.samples.length });
  list.params = keptParams(place().params);
  list.columns = slotsInOrder(list.found).map((slot) => ({
    answers: list.found.answers[slot],
    called: raterText(list.found.runs[slot]),
  }));
  list.entries.replaceChildren(...sampleLines(list, 0, Math.min(wanted, atOnce)));
  list.more.hidden = list.chosen.length <= wanted;
  const later = () => {
    const made = list.entries.children.length;
    if (mine !== list.turn || made >= Math.min(wanted, list.chosen.length)) return;
    list.entries.append(...sampleLines(list, made, Math.min(wanted, made + LINES_AT_ONCE)));
    setTimeout(later);
  };
  if (wanted > atOnce) setTimeout(later);
}

function moreSampleLines(list) {
  const before = list.entries.children.length;
  const wanted = before + LIST_STEP;
  note({ n: wanted });
  list.entries.append(...sampleLines(list, before, wanted));
  list.more.hidden = list.chosen.length <= wanted;
  list.entries.children[before].querySelector("a").focus({ preventScroll: true });
}

function sampleLines(list, from, to) {
  return list.chosen.slice(from, to).map((at) => sampleLine(list, at));
}

function sampleLine({ found, task, params, columns }, at) {
  const facts = found.samples[at];
  const text = facts.input
    ? prose(excerptOf(facts.input), facts.prompt_language || facts.language, "span", "excerpt")
    : null;
  const href = address("sample", { ...params, task: board.tasks[task].name, sample: facts.id });
  const quiet = [factsOf(found).languages.length > 1 ? languageName(facts.language) : "", facts.category].filter(
    Boolean,
  );
  return el(
    "li",
    {},
    el("a", { href, id: "sample-" + at }, name(facts.id, { class: "id" }), text),
    el(
      "div",
      { class: "ticks" },
      columns.map(({ answers, called }) => sampleTick(called, answers[at])),
      quiet.map((word) => name(word, { class: "quiet" })),
    ),
  );
}

/** How one model did, small: its mark and its name, and for those who hear the page in words. */
function sampleTick(called, answer) {
  if (!answer) return null;
  const words =
    called + ": " + joined([statusText(answer.status), ...(answer.flags || []).map(flagText)], "join_facts");
  const mark = STATE_MARKS[answer.status] + (answer.flags ? "⚑" : "");
  return el(
    "span",
    { class: "tick " + answer.status.replaceAll(" ", "-"), role: "img", "aria-label": words, title: words },
    mark + " " + called,
  );
}

/** Move to the next or the previous line. */
function stepSampleLine(list, step) {
  const lines = [...list.entries.children];
  const at = lines.findIndex((line) => line.contains(document.activeElement));
  const next = lines[at < 0 ? 0 : at + step];
  if (next) next.querySelector("a").focus();
}

function sampleListExport({ task, found, chosen }) {
  const order = slotsInOrder(found);
  const head = ["sample", "language", "category", "run", "model", "status", "flags", "cause", "answer"];
  const rows = chosen.flatMap((at) => {
    const { id, language, category = "" } = found.samples[at];
    const answered = order.filter((slot) => found.answers[slot][at]);
    return answered.map((slot) => {
      const [run, answer] = [board.runs[found.runs[slot]], found.answers[slot][at]];
      return [
        id,
        language,
        category,
        run.id,
        run.name,
        answer.status,
        (answer.flags || []).join(" "),
        answer.cause || "",
        answer.answer || "",
      ];
    });
  });
  return [{ name: board.tasks[task].name, head, rows }];
}

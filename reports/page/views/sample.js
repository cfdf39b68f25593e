// One sample: what was asked, what is right, and what every model answered.

view("sample", {
  title: "view_sample",
  parent: "samples",
  has: (found) => found.tasks.length > 0,
  async show(root, params) {
    const unknown = unknownNames(params);
    if (unknown.length) return unknownNotice(root, params, unknown);
    const task = taskPlace(params.get("task"));
    const found = await samplesOf(task);
    const filter = filterOf(found, params);
    const [at, chosen] = [sampleAt(found, params.get("sample") || ""), await chosenSamples(found, filter)];
    const keys = keyHelp(params, [
      ["j", t("sample_key_next")],
      ["k", t("sample_key_previous")],
      ["f", t("samples_key_filter")],
    ]);
    const steps = stepsFrom(chosen, at);
    root.classList.add("sample");
    root.append(stepLinks(found, params, filter, chosen, steps, keys.button));
    if (at < 0)
      root.append(
        el("p", { class: "notice" }, t("sample_no_such_sample", { sample: params.get("sample") || "" })),
        keys.dialog,
      );
    else showSample(root, sampleOf(found, at, params), task, params, keys.dialog);
    keys.listen(root, { j: () => move(found, "next"), k: () => move(found, "previous"), f: () => refilter(found) });
    return at < 0 ? null : () => sampleExport(sampleOf(found, at, params));
  },
});

// An address holds no half of a character.
function sampleAt(found, id) {
  return found.samples.findIndex((facts) => wellFormed(facts.id) === id);
}

function sampleAddress(found, params, at) {
  const { prompt = "", diff = "" } = Object.fromEntries(params);
  return address("sample", { ...keptParams(params), prompt, diff, task: found.task, sample: found.samples[at].id });
}

/** The next and the previous of the chosen samples, seen from one that need not be among them. */
function stepsFrom(chosen, at) {
  const after = chosen.findIndex((place) => place > at);
  const next = after < 0 ? undefined : chosen[after];
  const before = chosen.filter((place) => place < at);
  return { place: chosen.indexOf(at), next, previous: before.at(-1) };
}

function stepLinks(found, params, filter, chosen, steps, help) {
  const step = (id, place, key, text) =>
    place === undefined
      ? null
      : el(
          "a",
          { id, href: sampleAddress(found, params, place) },
          text,
          " ",
          el("kbd", { "aria-hidden": "true" }, key),
        );
  const where =
    steps.place < 0
      ? t("sample_not_among", { n: chosen.length })
      : t("sample_place_among", { place: steps.place + 1, n: chosen.length });
  const words = [
    filter.status ? stateText(filter.status) : "",
    filter.flag ? (filter.flag === "any" ? t("samples_any_flag") : flagText(filter.flag)) : "",
    filter.q ? ["“", name(params.get("q")), "”"] : "",
  ];
  return el(
    "nav",
    { class: "steps", "aria-label": t("view_samples") },
    el("a", { id: "steps-all", href: address("samples", keptParams(params)) }, t("sample_all_samples")),
    step("steps-previous", steps.previous, "k", t("sample_previous")),
    step("steps-next", steps.next, "j", t("sample_next")),
    el(
      "span",
      { class: "quiet", id: "steps-place" },
      where,
      words.filter(Boolean).map((word) => [" · ", word]),
    ),
    help,
  );
}

// Who presses keys in haste is further than what is shown: keys go by the address.

/** To the `next` or the `previous` sample. */
async function move(found, which) {
  const { params } = place();
  const chosen = await chosenSamples(found, filterOf(found, params));
  const to = stepsFrom(chosen, sampleAt(found, params.get("sample") || ""))[which];
  if (to !== undefined) go(sampleAddress(found, params, to));
}

/** The next filter, and of its samples the one at hand or the first after it. */
async function refilter(found) {
  const { params } = place();
  const [filter, at] = [filterOf(found, params), sampleAt(found, params.get("sample") || "")];
  const next = nextSampleFilter(found, filter);
  const chosen = await chosenSamples(found, { ...filter, ...next });
  const to = chosen.find((one) => one >= at) ?? chosen.at(-1) ?? at;
  if (to >= 0) go(sampleAddress(found, new Map([...params, ...Object.entries(next)]), to));
}

// -- the page

function showSample(root, one, task, params, dialog) {
  root.querySelector("h2").append(" ", name(one.facts.id, { class: "id" }));
  add(
    root,
    factList(one, task),
    keptNotice(task),
    el("div", { class: "asked" }, questionOf(one, params), promptViews(one, params), referencesOf(one)),
    el("h3", { id: "answers-title" }, t("sample_answers_of", { n: one.slots.length })),
    modelBoxes(one),
    choiceTables(one),
    answerColumns(one),
    wordDiff(one, params),
    moreFacts(one),
    dialog,
  );
}

function factList({ found, facts }, task) {
  const { language, prompt_language: asked, category, cluster } = facts;
  const about = found.samples.find((other) => other.id === judgedId(facts.id));
  const rows = [
    [
      t("samples_task"),
      el("a", { href: address("task", { task: board.tasks[task].name }) }, name(board.tasks[task].name)),
    ],
    [t("samples_language"), languageName(language)],
    asked ? [t("sample_language_asked_in"), languageName(asked)] : null,
    category ? [t("samples_category"), name(category)] : null,
    cluster ? [t("sample_cluster"), name(cluster)] : null,
    about
      ? [
          t("sample_about"),
          el(
            "a",
            { href: address("sample", { ...keptParams(place().params), m: "", sample: about.id }) },
            name(about.id),
          ),
        ]
      : null,
  ];
  return factsList(rows);
}

/** The question alone, where the prompt around it is so long that it is closed. */
function questionOf(one, params) {
  const { input, language, prompt_language: asked } = one.facts;
  return input && !isPromptOpen(one, params)
    ? [el("h3", {}, t("sample_question")), longProse(input, asked || language)]
    : null;
}

/** What is right: the references, and the choices where no table shows them. */
function referencesOf(one) {
  const { target = "", metadata = {}, choices = [], gold, language } = one.facts;
  const isTabled = one.slots.some((slot) => repliesAt(one, slot).some((reply) => reply.kind === "choices"));
  if (isTabled) return null;
  const more = Object.keys(metadata)
    .filter(isReference)
    .map((key) => metadata[key]);
  const texts = [...new Set([target, ...more])].filter(Boolean);
  const mark = el("span", { class: "mark gold" }, "✓ " + t("sample_right_answer"));
  return [
    choices.length
      ? [
          el("h3", {}, t("sample_choices")),
          el(
            "ol",
            { class: "given" },
            choices.map((text, at) => el("li", {}, at === gold ? mark : null, prose(text, language, "span", "choice"))),
          ),
        ]
      : null,
    texts.length
      ? [el("h3", {}, t("sample_references", { n: texts.length })), texts.map((text) => longProse(text, language))]
      : null,
  ];
}

function isReference(key) {
  return key.startsWith("reference_");
}

/** Boxes that say whose answers are shown. */
function modelBoxes(one) {
  if (one.asked.length < 2) return null;
  const boxes = one.asked.map((slot) => {
    const id = shortId(one.found.runs[slot]);
    return el("input", { type: "checkbox", id: "show-" + id, value: id, checked: one.slots.includes(slot) });
  });
  const change = () => {
    const wanted = boxes.filter((box) => box.checked).map((box) => box.value);
    go(changed({ m: wanted.length && wanted.length < boxes.length ? wanted.join(",") : "" }));
  };
  for (const box of boxes) box.addEventListener("change", change);
  const lines = boxes.map((box, at) => el("label", {}, box, " ", rater(one.found.runs[one.asked[at]])));
  return el("fieldset", { class: "models" }, el("legend", {}, t("sample_models_shown")), lines);
}

/** Facts that the dataset gives, beside the references. */
function moreFacts(one) {
  const rows = Object.entries(one.facts.metadata || {}).filter(([key]) => !isReference(key));
  if (!rows.length) return null;
  const { language, prompt_language: asked } = one.facts;
  const value = (text) =>
    text.length > 200 || text.includes("\n")
      ? longProse(text, language)
      : prose(text, asked || language, "span", "fact");
  const list = rows.map(([key, text]) =>
    el("div", { class: text.length > 200 ? "wide" : null }, el("dt", {}, name(key)), el("dd", {}, value(text))),
  );
  return [el("h3", {}, t("sample_more_facts")), el("dl", { class: "facts" }, list)];
}

// -- two answers word by word

function wordDiff(one, params) {
  const written = one.asked.filter((slot) => textOf(one, slot) !== "");
  if (written.length < 2) return null;
  const shownFirst = [...one.slots.filter((slot) => written.includes(slot)), ...written];
  const asked = (key) => written.find((slot) => slot === slotOf(one.found, params.get(key)));
  const a = asked("a") ?? shownFirst[0];
  const b = asked("b") ?? shownFirst.find((slot) => slot !== a);
  const pair = ["a", "b"].map((side) => diffChooser(one, side, side === "a" ? a : b, written));
  const said = el("div", { id: "diff-text" });
  let isOpen = params.get("diff") === "open";
  const view = el(
    "details",
    { id: "diff", open: isOpen },
    el("summary", { id: "diff-summary" }, el("h3", {}, t("sample_word_diff"))),
    el("div", { class: "filters" }, pair),
    said,
  );
  const fillIn = () => said.childNodes.length || said.append(...diffView(one, a, b));
  view.addEventListener("toggle", () => {
    if (view.open === isOpen) return; // it was made so
    isOpen = view.open;
    note({ diff: isOpen ? "open" : "" });
    if (isOpen) fillIn();
  });
  if (isOpen) fillIn();
  return view;
}

function diffChooser(one, side, chosen, written) {
  const choices = written.map((slot) => [shortId(one.found.runs[slot]), raterText(one.found.runs[slot])]);
  return sampleChooser(side, t("samples_model_" + side), choices, shortId(one.found.runs[chosen]), "diff-" + side);
}

/** All that was answered in a column, as one text. */
function textOf(one, slot) {
  return repliesAt(one, slot)
    .map((reply) => reply.text || "")
    .filter(Boolean)
    .join("\n\n");
}

function diffView(one, a, b) {
  const { parts, isCut, isCoarse } = diffWords(textOf(one, a), textOf(one, b), one.facts.language);
  const only = (kind, slot) => el(kind, {}, t("sample_only_in"), " ", rater(one.found.runs[slot]));
  const isSame = parts.every((part) => part.kind === "same");
  return [
    el("p", { class: "quiet" }, isSame ? t("sample_diff_none") : [only("del", a), " ", only("ins", b)]),
    isCut ? el("p", { class: "quiet" }, t("sample_diff_cut", { n: DIFF_CHARACTERS })) : "",
    isCoarse ? el("p", { class: "quiet" }, t("sample_diff_coarse")) : "",
    el("div", { class: "text diff", lang: one.facts.language, dir: "auto" }, diffNodes(parts)),
  ];
}

// -- to save

function sampleExport(one) {
  const metrics = [...new Set(one.slots.flatMap((slot) => Object.keys(answerAt(one, slot).counts || {})))].sort();
  const head = ["run", "model", "status", "flags", "cause", "answer", "text", ...metrics];
  const rows = one.slots.map((slot) => {
    const [run, answer] = [board.runs[one.found.runs[slot]], answerAt(one, slot)];
    const front = [
      run.id,
      run.name,
      answer.status,
      (answer.flags || []).join(" "),
      answer.cause || "",
      answer.answer || "",
      textOf(one, slot),
    ];
    return [...front, ...metrics.map((metric) => (answer.counts?.[metric] || []).join(" "))];
  });
  return [{ name: one.facts.id, head, rows }];
}

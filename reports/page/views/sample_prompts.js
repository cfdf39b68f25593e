// What models were asked about one sample: every prompt once, and the choices in one table.

/** What is shown of one sample: the task's samples, the place of this one, and the columns that are wanted. */
function sampleOf(found, at, params) {
  const asked = slotsInOrder(found).filter((slot) => found.answers[slot][at]);
  const wanted = (params.get("m") || "").split(",").filter(Boolean);
  const chosen = asked.filter((slot) => wanted.includes(shortId(found.runs[slot])));
  return { found, at, facts: found.samples[at], asked, slots: chosen.length ? chosen : asked };
}

/** The answer in a column. */
function answerAt(one, slot) {
  return one.found.answers[slot][one.at];
}

function repliesAt(one, slot) {
  return answerAt(one, slot).replies || [];
}

/** Whether this page keeps the texts of an answer. */
function hasTexts(one, slot) {
  const task = board.tasks.find((other) => other.name === one.found.task);
  const { samples_kept: kept } = board;
  return task.is_shown && (kept === "all" || (kept === "failures" && answerAt(one, slot).status !== "right"));
}

// -- what was asked

/** Every prompt that was sent, each once, with the models that it was sent to. */
function promptViews(one, params) {
  const turns = Math.max(0, ...one.slots.map((slot) => repliesAt(one, slot).length));
  return Array.from({ length: turns }, (_, turn) => promptsOfTurn(one, turn, turns, params)).flat();
}

function promptsOfTurn(one, turn, turns, params) {
  const sent = new Map();
  for (const slot of one.slots) {
    const reply = repliesAt(one, slot)[turn];
    if (reply) sent.set(reply.prompt, [...(sent.get(reply.prompt) || []), slot]);
  }
  return [...sent].map(([prompt, slots]) =>
    promptView(one, one.found.prompts[prompt], {
      title: turns > 1 ? t("sample_prompt_of_turn", { turn: turn + 1 }) : t("sample_prompt_as_sent"),
      runs: sent.size > 1 || slots.length < one.slots.length ? slots.map((slot) => one.found.runs[slot]) : [],
      isOpen: turn === 0 && isPromptOpen(one, params),
      turn,
    }),
  );
}

/** Prompts of many words stay closed until they are opened, and then open from sample to sample. */
function isPromptOpen(one, params) {
  const asked = params.get("prompt");
  if (asked) return asked === "open";
  const size = (prompt) =>
    typeof prompt === "string" ? prompt.length : prompt.reduce((sum, [, text]) => sum + text.length, 0);
  return one.slots.every((slot) =>
    repliesAt(one, slot)
      .slice(0, 1)
      .every((reply) => size(one.found.prompts[reply.prompt]) <= 2000),
  );
}

function promptView(one, prompt, { title, runs, isOpen, turn }) {
  const to = runs.length
    ? el("span", { class: "quiet" }, " ", t("sample_sent_to"), " ", joinedNodes(runs.map(rater)))
    : null;
  const view = el(
    "details",
    { class: "prompt", open: isOpen },
    el("summary", {}, el("h3", {}, title), to),
    messagesOf(one, prompt),
  );
  let was = isOpen;
  view.addEventListener("toggle", () => {
    if (view.open === was || turn > 0) return; // it was made so
    was = view.open;
    note({ prompt: was ? "open" : "closed" });
  });
  return view;
}

function messagesOf(one, prompt) {
  const { language, prompt_language: asked } = one.facts;
  if (typeof prompt === "string") return longProse(prompt, asked || language);
  return prompt.map(([role, text]) =>
    el(
      "div",
      { class: "message" },
      el("span", { class: "role" }, shown(role)),
      longProse(text, role === "assistant" ? language : asked || language),
    ),
  );
}

// -- choices and their log-likelihoods, of all models in one table

/** One table for every set of choices that was sent. */
function choiceTables(one) {
  const tables = new Map();
  for (const slot of one.slots) {
    repliesAt(one, slot).forEach((reply, turn) => {
      if (reply.kind !== "choices") return;
      const key = JSON.stringify([turn, reply.choices]);
      tables.set(key, [...(tables.get(key) || []), { slot, reply }]);
    });
  }
  return [...tables.values()].map((columns, at) => choiceTable(one, columns, at));
}

function choiceTable(one, columns, at) {
  const head = [t("sample_choice_as_sent"), ...columns.map(({ slot }) => rater(one.found.runs[slot]))];
  const rows = columns[0].reply.choices.map((text, place) =>
    el(
      "tr",
      {},
      choiceHead(one, text, place, columns),
      columns.map(({ reply }) => choiceCell(reply, place)),
    ),
  );
  const heads = head.map((cell) => el("th", { scope: "col" }, cell));
  return framed("choices-" + at, "choices", t("sample_choices_caption"), heads, el("tbody", {}, rows));
}

function choiceHead(one, text, place, columns) {
  const isGold = one.facts.gold === place && columns[0].reply.choices.length === (one.facts.choices || []).length;
  const mark = isGold ? el("span", { class: "mark gold" }, "✓ " + t("sample_right_answer")) : null;
  return el("th", { scope: "row" }, mark, prose(text, one.facts.language, "span", "choice"));
}

function choiceCell(reply, place) {
  const sum = reply.sums[place];
  if (sum === null || sum === undefined) {
    const why = failureNodes(reply);
    return el("td", { class: "warning" }, why.length ? why : t("sample_no_answer"));
  }
  const [chars, tokens] = [(reply.num_chars || [])[place], (reply.choice_tokens || [])[place]];
  const isPicked = reply.picked === place;
  return el(
    "td",
    { class: isPicked ? "number picked" : "number" },
    isPicked ? el("span", { class: "mark picked" }, "● " + t("sample_picked")) : null,
    el("b", { class: "value" }, number(sum, 3)),
    chars ? el("span", { class: "detail" }, t("sample_per_character", { value: number(sum / chars, 3) })) : null,
    tokens ? el("span", { class: "detail" }, t("sample_tokens_long", { n: tokens })) : null,
  );
}

// What models answered to one sample, side by side.

/** Every chosen model's answer as a column of its own, in a region that scrolls. */
function answerColumns(one) {
  const columns = one.slots.map((slot) => answerColumn(one, slot));
  return el(
    "div",
    { class: "scroll", role: "region", "aria-labelledby": "answers-title", tabindex: "0" },
    el("div", { class: "columns" }, columns),
  );
}

function answerColumn(one, slot) {
  const [run, answer] = [one.found.runs[slot], answerAt(one, slot)];
  const id = "answer-" + shortId(run);
  return el(
    "article",
    { class: "column", "aria-labelledby": id },
    el("h4", { id }, rater(run), " ", badges(board.runs[run])),
    el("p", { class: "verdict" }, statusMark(answer.status), causeOf(answer)),
    flagList(answer),
    judgeWords(run, answer),
    hasTexts(one, slot) ? textsOf(one, slot) : el("p", { class: "quiet" }, t("sample_texts_not_kept")),
    languageVerdict(one, answer),
    countList(answer, one.found.headline),
    verdictsOn(one, run),
  );
}

function causeOf(answer) {
  if (!answer.cause) return null;
  return el("span", { class: "warning" }, causeText(answer.cause), answer.detail ? [": ", name(answer.detail)] : null);
}

function flagList(answer) {
  if (!answer.flags) return null;
  const explained = (flag) => (flagAbout(flag) ? el("span", { class: "detail" }, flagAbout(flag)) : null);
  return el(
    "ul",
    { class: "flags" },
    answer.flags.map((flag) =>
      el("li", {}, el("span", { class: "badge flag" }, "⚑ " + flagText(flag)), explained(flag)),
    ),
  );
}

/** What a model answered, turn by turn, and what was read from it. */
function textsOf(one, slot) {
  const [answer, replies] = [answerAt(one, slot), repliesAt(one, slot)];
  const last = replies.at(-1);
  const marked = last?.text ? placeOfAnswer(last.text, answer.answer || "") : null;
  const turns = replies.map((reply, turn) => [
    replies.length > 1 ? el("p", { class: "role" }, t("sample_answer_of_turn", { turn: turn + 1 })) : null,
    replyView(one, reply, reply === last && marked ? { ...marked, label: t("sample_read_as_answer") } : null),
  ]);
  const isSeen = marked && marked.to <= LONG_TEXT;
  const isWhole = last?.text !== undefined && last.text.trim() === (answer.answer || "").trim();
  const isVerdict = Boolean(board.runs[one.found.runs[slot]].judged);
  const isPicked = replies.some((reply) => reply.picked !== undefined);
  const read =
    answer.answer && !isSeen && !isWhole && !isVerdict && !isPicked
      ? [el("p", { class: "role" }, t("sample_answer_as_read")), longProse(answer.answer, one.facts.language)]
      : [];
  const why =
    answer.explanation && !isVerdict
      ? [el("p", { class: "role" }, t("sample_explanation")), longProse(answer.explanation, one.facts.language)]
      : [];
  return [replies.length ? turns : el("p", { class: "warning" }, t("sample_no_answer")), read, why];
}

function replyView(one, reply, marked) {
  if (reply.kind === "choices") return null;
  if (reply.kind === "none") return el("p", { class: "warning" }, t("sample_no_answer"));
  if (reply.kind === "failure")
    return el("p", { class: "warning" }, t("sample_not_answered"), " ", failureNodes(reply));
  if (reply.kind === "rolling") {
    const [sum, chars, tokens] = [reply.sums[0], reply.num_chars[0], reply.choice_tokens[0]];
    return el(
      "p",
      {},
      t(tokens ? "sample_rolling" : "sample_rolling_bare", {
        sum: number(sum, 3),
        n: tokens,
        each: chars ? number(sum / chars, 3) : "",
      }),
    );
  }
  return [
    longProse(reply.text || "", one.facts.language, { kind: "text answer", marked }),
    el("p", { class: "detail" }, endText(reply)),
  ];
}

/** Why there is no answer, as nodes. */
function failureNodes({ cause, http_status: status, detail }) {
  const parts = [cause && causeText(cause), status && "HTTP " + status, detail && name(detail)].filter(Boolean);
  return parts.map((part, at) => [at ? ": " : "", part]);
}

/** How an answer ended and what it took. */
function endText(reply) {
  const { max_tokens: most, temperature, ...others } = reply.settings || {};
  const isForeign = reply.stop_reason === "unknown"; // another tool's file, which may not say what answers took
  const stops = (reply.stop || []).map((stop) => JSON.stringify(stop));
  const parts = [
    t("sample_ended_" + reply.stop_reason),
    reply.num_tokens || !isForeign
      ? t("sample_tokens_taken", { n: reply.num_tokens || 0, prompt: reply.num_prompt_tokens || 0 })
      : "",
    most === undefined || (!most && isForeign) ? "" : t("sample_tokens_allowed", { n: most }),
    temperature === undefined ? "" : joined(pairTexts({ temperature, ...others }).map(isolated)),
    stops.length ? t("sample_stop_strings", { stops }) : "",
  ];
  return joined(parts, "join_clauses");
}

/** Whether an answer is in the language that was asked for, as far as that was looked at. */
function languageVerdict(one, answer) {
  const [asked, told] = answer.counts?.language_fidelity || [];
  if (told === undefined) return null;
  return el(
    "p",
    { class: "detail" },
    t(languageKey(answer.flags || [], asked, told), { language: languageName(one.facts.language) }),
  );
}

function languageKey(flags, asked, told) {
  if (flags.includes("wrong_language")) return "sample_language_wrong";
  if (flags.includes("code_switched")) return "sample_language_mixed";
  if (!told) return "sample_language_unknown";
  return asked === told ? "sample_language_right" : "sample_language_missing";
}

/** The counts that enter each metric, the headline first. */
function countList(answer, headline) {
  const names = Object.keys(answer.counts || {}).sort(
    (x, y) => (y === headline) - (x === headline) || (x < y ? -1 : 1),
  );
  if (!names.length) return null;
  const rows = names.map((metric) =>
    el(
      "div",
      {},
      el("dt", {}, name(metric)),
      el("dd", {}, el("bdi", { dir: "ltr" }, countsText(answer.counts[metric]))),
    ),
  );
  return el(
    "details",
    { class: "counts-of" },
    el("summary", {}, t("sample_counts_of_metrics", { n: names.length })),
    el("dl", { class: "facts" }, rows),
  );
}

// How samples, answers and verdicts are called in words.

const STATE_MARKS = { right: "✓", wrong: "✗", answered: "○", unscored: "△", cancelled: "△", "not run": "△" };

/** How a sample ended, in words. */
function statusText(status) {
  return t("samples_state_" + status.replaceAll(" ", "_"));
}

/** How a sample ended, as its mark and in words. */
function statusMark(status) {
  return el("span", { class: "status " + status.replaceAll(" ", "-") }, STATE_MARKS[status] + " " + statusText(status));
}

/** A choice of the outcome, in words. */
function stateText(state) {
  const [status, cause] = state.split(":");
  if (cause !== undefined) return t("samples_unscored_for", { cause: causeText(cause) });
  return SAMPLE_STATES.includes(status)
    ? STATE_MARKS[status] + " " + statusText(status)
    : t("samples_state_" + status.replaceAll("-", "_"));
}

/** A flag in words. */
function flagText(flag) {
  return knownText("samples_flag_", flag);
}

/** What a flag says, where it is one of ours. */
function flagAbout(flag) {
  return knownText("flag_about_", flag, "");
}

/** Why a sample has no score, in words. */
function causeText(cause) {
  return knownText("samples_cause_", cause);
}

/** The words for a name of ours; of another's the name itself. */
function knownText(prefix, name, otherwise = plain(name.replaceAll("_", " "))) {
  return Object.hasOwn(messages.en, prefix + name) ? t(prefix + name) : otherwise;
}

/** What a run is called beside others, as text to be shown as it is: of a judge's run also who judges. */
function raterText(run) {
  const { judged, model } = board.runs[run];
  if (!judged) return plain(runName(run));
  return t("samples_judging", { judge: model.name, rubric: judged.judge, models: judged.models });
}

/** The same as a node, kept apart from the direction of what surrounds it. */
function rater(run) {
  return el("bdi", {}, raterText(run));
}

/** A judge's verdict in words: the model it prefers, or its rating. */
function verdictText(run, verdict) {
  const { models } = board.runs[run].judged;
  if (verdict === "a" || verdict === "b")
    return t("sample_verdict_prefers", { model: models[verdict === "a" ? 0 : 1] ?? verdict });
  if (verdict === "tie" || verdict === "both_bad") return t("sample_verdict_" + verdict);
  return verdict ? t("sample_verdict_rating", { value: verdict }) : t("sample_verdict_combined");
}

/** Why a verdict is doubtful: it changes with the order of the answers, or those behind it differ. */
function doubtText(answer) {
  return answer.counts.jury_agreement ? t("sample_jurors_differ") : t("sample_order_matters");
}

/** Counts that enter a metric: a sum and what it is over, or a whole vector. */
function countsText(counts) {
  const texts = counts.map((value) => number(value, Number.isInteger(value) ? 0 : 3));
  return texts.join(counts.length === 2 ? " / " : " ");
}

// What judges said about the answers to one sample, and of which sample a case is.

/** What a judge's own column says: its verdict in words, and whether the order of the answers changed it. */
function judgeWords(run, answer) {
  if (!board.runs[run].judged || answer.status !== "answered") return null;
  return el(
    "p",
    { class: "judged" },
    verdictText(run, answer.answer || ""),
    isTorn(answer) ? [" ", el("span", { class: "badge holes" }, doubtText(answer))] : null,
  );
}

/** What judges said of the answer of `run` to this sample, each with its reasons and the way to the case. */
function verdictsOn(one, run) {
  const cases = casesOf(one.found).get(one.facts.id) || [];
  const found = cases.flatMap((at) =>
    slotsInOrder(one.found)
      .filter(
        (slot) =>
          one.found.answers[slot][at] && board.runs[one.found.runs[slot]].judged?.runs.includes(board.runs[run].id),
      )
      .map((slot) => verdictOn(one, sampleOf(one.found, at, new Map()), slot)),
  );
  return found.length ? [el("p", { class: "role" }, t("sample_judges_said")), found] : null;
}

function verdictOn(one, judged, slot) {
  const [run, answer] = [judged.found.runs[slot], answerAt(judged, slot)];
  const texts = repliesAt(judged, slot).filter((reply) => reply.text);
  const href = address("sample", { ...keptParams(place().params), m: "", sample: judged.facts.id });
  return el(
    "div",
    { class: "opinion" },
    el(
      "p",
      {},
      name(board.runs[run].model.name),
      ": ",
      answer.status === "answered"
        ? verdictText(run, answer.answer || "")
        : [statusMark(answer.status), " ", causeOf(answer)],
    ),
    isTorn(answer) ? el("p", {}, el("span", { class: "badge holes" }, doubtText(answer))) : null,
    texts.length
      ? el(
          "details",
          {},
          el("summary", {}, t("sample_reasons")),
          texts.map((reply) => longProse(reply.text, judged.facts.language)),
        )
      : null,
    el("a", { class: "detail", href }, t("sample_see_case"), " ", name(judged.facts.id)),
  );
}

const judgedCases = new WeakMap();

/** The places of the cases that judges were asked, by the id of the sample that each is about. */
function casesOf(found) {
  if (!judgedCases.has(found)) {
    const cases = new Map();
    const slots = found.runs.map((run, slot) => (board.runs[run].judged ? slot : -1)).filter((slot) => slot >= 0);
    if (slots.length)
      found.samples.forEach((facts, at) => {
        if (!slots.some((slot) => found.answers[slot][at])) return;
        const id = judgedId(facts.id);
        cases.set(id, [...(cases.get(id) || []), at]);
      });
    judgedCases.set(found, cases);
  }
  return judgedCases.get(found);
}

/** The id of the sample that a case is about: a case's own has something more after a stroke. */
function judgedId(id) {
  return id.slice(0, Math.max(0, id.lastIndexOf("/")));
}

// Which samples of a task are looked at. The list and the steps from sample to sample go by the same filter, which is in
// the address: `task` a name; `run` the start of a run's id, or "every"; `status` how it ended, "unscored:" and a cause,
// "flipped" (right in one of the runs `a` and `b` alone), "only-a", "only-b" or "disagree" (judges); `flag` a flag or
// "any"; `lang`, `cat` a language and a category; `q` words to search. Of a sample `m` are the runs shown, by commas.

const SAMPLE_PARAMS = ["task", "run", "status", "a", "b", "flag", "lang", "cat", "q", "m", "keys"];
const SAMPLE_STATES = ["right", "wrong", "answered", "unscored", "cancelled", "not run"];
const SLICE_MS = 12;

const sampleFacts = new WeakMap();
const sampleWords = new WeakMap();
let chosenBefore = {};

/** The settings of an address that go along from the list to a sample and back. */
function keptParams(params) {
  return Object.fromEntries(SAMPLE_PARAMS.filter((key) => params.get(key)).map((key) => [key, params.get(key)]));
}

/** The place of the task that an address names, the first one where it names none that is here. */
function taskPlace(wanted) {
  return Math.max(
    0,
    board.tasks.findIndex((task) => wellFormed(task.name) === wellFormed(wanted || "")),
  );
}

/** What an address of samples names and this page has not: a line for its task, else for each of its runs. */
function unknownNames(params) {
  const task = params.get("task");
  if (task && !board.tasks.some((one) => wellFormed(one.name) === wellFormed(task)))
    return [el("p", { class: "notice", role: "alert" }, t("task_unknown", { name: task }))];
  return unknownRuns(params, params.get("run") === "every" ? ["a", "b"] : ["run", "a", "b"]);
}

/** Instead of samples what an address asks for and is not here, with the way to those that are. */
function unknownNotice(root, params, unknown) {
  const task = board.tasks.find((one) => wellFormed(one.name) === wellFormed(params.get("task") || ""));
  add(root, unknown, el("p", {}, el("a", { href: address("samples", { task: task?.name }) }, t("view_samples"))));
  return null;
}

/** The columns of `found`, which are places in `found.runs`, in the order of the leaderboard. */
function slotsInOrder(found) {
  const order = runsInOrder();
  return found.runs.map((_, slot) => slot).sort((x, y) => order.indexOf(found.runs[x]) - order.indexOf(found.runs[y]));
}

/** The column of the run whose id begins so; undefined where there is none. */
function slotOf(found, start) {
  const slot = start ? found.runs.findIndex((run) => board.runs[run].id.startsWith(start)) : -1;
  return slot < 0 ? undefined : slot;
}

// -- what there is to choose from

/** What the samples of a task have: `{states, causes, flags, languages, categories, disagree}`, found once. */
function factsOf(found) {
  if (!sampleFacts.has(found)) sampleFacts.set(found, gatherFacts(found));
  return sampleFacts.get(found);
}

function gatherFacts(found) {
  const [states, causes, flags] = [new Set(), new Set(), new Set()];
  for (const answer of found.answers.flat()) {
    if (!answer) continue;
    states.add(answer.status);
    if (answer.status === "unscored") causes.add(answer.cause);
    for (const flag of answer.flags || []) flags.add(flag);
  }
  const sorted = (values) => [...new Set(values)].filter(Boolean).sort();
  return {
    states: SAMPLE_STATES.filter((state) => states.has(state)),
    causes: sorted(causes),
    flags: [...flags].sort((x, y) => (y === "unparsed") - (x === "unparsed") || (x < y ? -1 : 1)),
    languages: sorted(found.samples.map((facts) => facts.language)),
    categories: sorted(found.samples.map((facts) => facts.category)),
    disagree: disagreements(found),
  };
}

/** The places of the samples on which judges differ, or one judge differs with itself when the order is changed. */
function disagreements(found) {
  const panels = new Map();
  found.runs.forEach((run, slot) => {
    const { judged } = board.runs[run];
    if (!judged) return;
    const key = JSON.stringify([judged.judge, judged.answers_sha256]);
    panels.set(key, [...(panels.get(key) || []), slot]);
  });
  const groups = [...panels.values()];
  return new Set(
    found.samples
      .map((_, at) => at)
      .filter((at) => groups.some((slots) => isSplit(slots.map((slot) => found.answers[slot][at])))),
  );
}

/** Whether the verdicts of one panel on one case differ. */
function isSplit(answers) {
  const known = answers.filter(Boolean);
  const verdicts = new Set(known.map((answer) => answer.answer).filter(Boolean));
  return verdicts.size > 1 || known.some(isTorn);
}

/** Whether a judge said otherwise when the order was changed, or the jurors behind one verdict differ. */
function isTorn(answer) {
  const { order_consistency: own, consistency: official, jury_agreement: jury } = answer.counts || {};
  return [own, official, jury].some((counts) => counts && counts[0] < counts[1]);
}

/** The choices of outcome, as values of the setting `status`. */
function stateChoices(found) {
  const { states, causes, disagree } = factsOf(found);
  const flips =
    states.includes("right") && states.includes("wrong") && found.runs.length > 1
      ? ["flipped", "only-a", "only-b"]
      : [];
  const unscored = causes.map((cause) => "unscored:" + cause);
  const at = states.indexOf("unscored") + 1;
  const known = at ? [...states.slice(0, at), ...unscored, ...states.slice(at)] : states;
  return [...known, ...flips, ...(disagree.size ? ["disagree"] : [])];
}

// -- the filter

/** What an address asks for; what is not to be had here counts as not asked. */
function filterOf(found, params) {
  const facts = factsOf(found);
  const one = (key, known) => (known.includes(params.get(key)) ? params.get(key) : "");
  const order = slotsInOrder(found);
  const a = slotOf(found, params.get("a")) ?? order[0];
  return {
    run: params.get("run") === "every" ? "every" : (slotOf(found, params.get("run")) ?? ""),
    status: one("status", stateChoices(found)),
    a,
    b: slotOf(found, params.get("b")) ?? order.find((slot) => slot !== a) ?? a,
    flag: one("flag", ["any", ...facts.flags]),
    lang: one("lang", facts.languages),
    cat: one("cat", facts.categories),
    q: searchable(params.get("q") || ""),
  };
}

function searchable(text) {
  return text.normalize("NFC").toLowerCase();
}

/** Whether the sample at a place passes all but the search. */
function sampleMatcher(found, filter) {
  const tests = [];
  if (filter.lang) tests.push((at) => found.samples[at].language === filter.lang);
  if (filter.cat) tests.push((at) => found.samples[at].category === filter.cat);
  if (filter.status === "disagree") tests.push((at) => factsOf(found).disagree.has(at));
  if (isFlip(filter.status))
    tests.push((at) => hasFlipped(found.answers[filter.a][at], found.answers[filter.b][at], filter.status));
  const state = SAMPLE_STATES.includes(filter.status.split(":")[0]) ? filter.status : "";
  if (state || filter.flag || typeof filter.run === "number")
    tests.push(sampleTest(found, filter.run, (answer) => hasState(answer, state) && hasFlag(answer, filter.flag)));
  return (at) => tests.every((test) => test(at));
}

function sampleTest(found, run, wanted) {
  const slots = typeof run === "number" ? [found.answers[run]] : found.answers;
  const some = (at) => slots.some((answers) => answers[at] && wanted(answers[at]));
  if (run !== "every") return some;
  return (at) => some(at) && slots.every((answers) => !answers[at] || wanted(answers[at]));
}

function hasState(answer, state) {
  if (!state) return true;
  const [status, cause] = state.split(":");
  return answer.status === status && (cause === undefined || answer.cause === cause);
}

function hasFlag(answer, flag) {
  if (!flag) return true;
  return flag === "any" ? Boolean(answer.flags) : (answer.flags || []).includes(flag);
}

function isFlip(status) {
  return ["flipped", "only-a", "only-b"].includes(status);
}

function hasFlipped(a, b, status) {
  const states = (a?.status || "") + " " + (b?.status || "");
  return (status !== "only-b" && states === "right wrong") || (status !== "only-a" && states === "wrong right");
}

/** All that can be searched of a sample: what is asked, what is right and what was answered, but no exemplars. */
function wordsAt(found, at) {
  if (!sampleWords.has(found)) sampleWords.set(found, new Array(found.samples.length));
  const words = sampleWords.get(found);
  if (words[at] === undefined) {
    const facts = found.samples[at];
    const parts = [
      facts.id,
      facts.category,
      facts.input,
      facts.target,
      ...(facts.choices || []),
      ...Object.values(facts.metadata || {}),
    ];
    for (const answers of found.answers) {
      const answer = answers[at];
      if (!answer) continue;
      parts.push(answer.answer, answer.explanation, answer.detail);
      (answer.replies || []).forEach((reply, turn) =>
        parts.push(reply.text, turn ? lastTurn(found.prompts[reply.prompt]) : ""),
      );
    }
    words[at] = searchable(parts.filter(Boolean).join("\n"));
  }
  return words[at];
}

/** What a conversation ends with. */
function lastTurn(prompt) {
  return typeof prompt === "string" ? "" : prompt.at(-1)[1];
}

/** The places of the samples that pass, in order; done in slices, so that keys are not held up. Null once `isOld()`. */
async function filteredSamples(found, filter, isOld = () => false) {
  const passes = sampleMatcher(found, filter);
  const chosen = [];
  let since = performance.now();
  for (let at = 0; at < found.samples.length; at += 1) {
    if (passes(at) && (!filter.q || wordsAt(found, at).includes(filter.q))) chosen.push(at);
    if (at % 64 === 63 && performance.now() - since > SLICE_MS) {
      await new Promise((resolve) => setTimeout(resolve));
      if (isOld()) return null;
      since = performance.now();
    }
  }
  return chosen;
}

/** The same, remembered from one sample to the next. */
async function chosenSamples(found, filter) {
  const key = JSON.stringify(filter);
  if (chosenBefore.found !== found || chosenBefore.key !== key)
    chosenBefore = { found, key, chosen: await filteredSamples(found, filter) };
  return chosenBefore.chosen;
}

/** Make what is searched while nobody waits. */
function readAhead(found) {
  let at = 0;
  const later = window.requestIdleCallback || ((work) => setTimeout(() => work({ timeRemaining: () => 5 }), 50));
  const work = (deadline) => {
    for (; at < found.samples.length && deadline.timeRemaining() > 1; at += 1) wordsAt(found, at);
    if (at < found.samples.length) later(work);
  };
  later(work);
}

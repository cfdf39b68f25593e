// What people prefer: every part of it on one page, or one part alone; of all systems and languages, or of a few.

view("preference", {
  title: "view_preference",
  has: (found) => Boolean(found.preference),
  show(root, params) {
    const seen = prefSeen(board.preference, params);
    const sections = prefSections(seen);
    const alone = sections.find((one) => one.id === params.get("section"));
    add(
      root,
      prefPatterns(),
      el("p", { class: "lead" }, t("pref_lead")),
      prefFacts(seen.votes),
      prefContents(sections, alone),
      prefFilters(seen, alone),
      (alone ? [alone] : sections).map(prefSection(seen)),
    );
    return () => prefExport(seen);
  },
});

/** The votes, and which of them the address asks for; what it asks for and is not there is left out. */
function prefSeen(votes, params) {
  const codes = prefInOrder(votes.languages.map((one) => one.language));
  const asked = (params.get("pair") || "").split(",");
  const systems = asked
    .map((key) => votes.systems.find((system) => prefKey([system]) === key))
    .filter((system) => system !== undefined);
  return {
    votes,
    codes,
    systems: [...new Set(systems)].slice(0, 2),
    language: codes.length > 1 ? codes.find((code) => prefKey([code]) === params.get("language")) || "" : "",
    more: params.get("more") === "1",
  };
}

/** Names as an address takes them; halves of characters are no text, and would not be taken. */
function prefKey(names) {
  return names.map((one) => encodeURIComponent(one.replace(/\p{Cs}/gu, "\ufffd"))).join(",");
}

/** The parts, and by what each can be narrowed. Of more than two systems ranks say more than pairs, and come first. */
function prefSections({ votes }) {
  const ranks = { id: "ranks", title: "pref_ranks", by: "", show: prefRanks };
  const wins = { id: "wins", title: "pref_wins", by: "pair language", show: prefWins };
  const all = [
    ...(votes.systems.length > 2 ? [ranks, wins] : [wins, ranks]),
    votes.quality ? { id: "quality", title: "pref_quality", by: "pair language", show: prefQuality } : null,
    { id: "sides", title: "pref_sides", by: "language", show: prefSides },
    { id: "agreement", title: "pref_agreement", by: "language", show: prefAgreement },
    votes.judges.length ? { id: "judges", title: "pref_judges", by: "pair language", show: prefJudges } : null,
    { id: "annotators", title: "pref_annotators", by: "", show: prefAnnotators },
    { id: "read", title: "pref_read", by: "", show: prefRead },
  ];
  return all.filter(Boolean);
}

function prefSection(seen) {
  return ({ id, title, show }) =>
    el("section", { "aria-labelledby": "pref-" + id }, el("h3", { id: "pref-" + id }, t(title)), show(seen));
}

function prefContents(sections, alone) {
  const link = (id, title, isHere) =>
    el(
      "a",
      {
        id: "pref-to-" + id,
        href: changed({ section: id === "all" ? "" : id }),
        "aria-current": isHere ? "true" : null,
      },
      t(title),
    );
  return el(
    "nav",
    { class: "contents", "aria-label": t("pref_contents") },
    link("all", "pref_everything", !alone),
    sections.map(({ id, title }) => link(id, title, alone?.id === id)),
  );
}

// -- what is asked for

function prefFilters(seen, alone) {
  const isBy = (what) => !alone || alone.by.includes(what);
  const found = [];
  if (isBy("pair") && seen.votes.systems.length > 2) found.push(prefSystemFilters(seen));
  if (isBy("language") && seen.codes.length > 1) {
    const options = seen.codes.map((code) => [code, prefLanguage(code)]);
    const asked = (code) => ({ language: code ? prefKey([code]) : "" });
    found.push(
      prefSelect("pref-language", t("pref_language"), t("pref_every_language"), options, seen.language, asked),
    );
  }
  return found.length ? el("div", { class: "filters" }, found) : null;
}

/** A system, and then one of those that it met. */
function prefSystemFilters({ votes, systems: [one = "", other = ""] }) {
  const options = votes.systems.map((system) => [system, plain(system)]);
  const asked = (system) => ({ pair: system ? prefKey([system]) : "" });
  const found = [prefSelect("pref-system", t("pref_system"), t("pref_every_system"), options, one, asked)];
  if (one) {
    const pairs = prefPairs(votes).filter((pair) => prefHas([one], pair.a, pair.b));
    const met = new Set(pairs.map((pair) => (pair.a === one ? pair.b : pair.a)));
    const askedTwo = (system) => ({ pair: prefKey(system ? [one, system] : [one]) });
    const others = options.filter(([system]) => met.has(system));
    found.push(prefSelect("pref-other", t("pref_against"), t("pref_all_met"), others, other, askedTwo));
  }
  return found;
}

/** A choice among `options`, [value, text], or of all; `change` says what the address becomes. */
function prefSelect(id, label, all, options, chosen, change) {
  const choices = [["", all], ...options];
  return chooser(id, label, choices, chosen, (value) => go(changed({ more: "", ...change(value) })));
}

// -- what there is, and what was left out

function prefFacts({ counts, systems, languages }) {
  const facts = [
    [t("pref_votes_of_people"), count(counts.num_votes)],
    [t("pref_prompts_head"), count(counts.num_prompts)],
    [t("pref_sources_head"), counts.num_groups === counts.num_prompts ? "" : count(counts.num_groups)],
    [t("pref_people_head"), count(counts.num_annotators)],
    [t("pref_systems_head"), count(systems.length)],
    [t("pref_languages_head"), count(languages.length)],
    [t("pref_verdicts_head"), counts.num_verdicts ? count(counts.num_verdicts) : ""],
    [
      t("pref_dropped_head"),
      prefDropped(counts) ? t("of", { part: prefDropped(counts), whole: counts.num_rows }) : t("pref_none"),
    ],
  ];
  return factsList(facts);
}

function prefDropped(counts) {
  return Object.values(counts.dropped).reduce((sum, num) => sum + num, 0);
}

function prefRead({ votes }) {
  const { counts, files, num_draws: draws } = votes;
  const reasons = Object.entries(counts.dropped).sort(([a], [b]) => (a < b ? -1 : 1));
  const row = ([reason, num]) =>
    el(
      "tr",
      {},
      el("th", { scope: "row", class: "model plain" }, english(reason)),
      el("td", { class: "cell" }, count(num)),
      el("td", { class: "cell" }, prefShareNumber(num / counts.num_rows)),
    );
  const heads = [
    prefHead(t("pref_reason"), "", { class: "model" }),
    prefHead(t("pref_rows")),
    prefHead(t("pref_of_rows", { n: counts.num_rows }), "%"),
  ];
  const file = ({ name: called, sha256 }) =>
    el(
      "tr",
      {},
      el("th", { scope: "row", class: "model plain" }, headName(called)),
      el("td", {}, sha256 ? el("code", { class: "id" }, sha256) : ""),
    );
  return [
    reasons.length
      ? prefTable("votes-dropped", t("pref_dropped_caption"), "", heads, el("tbody", {}, reasons.map(row)))
      : el("p", { class: "quiet" }, t("pref_nothing_dropped", { n: counts.num_rows })),
    files.length
      ? prefTable(
          "votes-files",
          t("pref_files_caption"),
          "files",
          [prefHead(t("pref_file"), "", { class: "model" }), prefHead("SHA-256")],
          el("tbody", {}, files.map(file)),
        )
      : null,
    el(
      "p",
      { class: "quiet" },
      t("pref_draws", { n: draws, seed: String(votes.seed), correction: prefTerm("correction", votes.correction) }),
    ),
  ];
}

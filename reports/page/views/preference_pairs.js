// Wins, ties and losses: of every two systems by language, and of each against all.

const PREF_MOST_SYSTEMS = 12;
const PREF_MOST_PAIRS = 66;

function prefWins(seen) {
  const heads = prefTieHeads(seen.votes.rates);
  const chosen = prefChosen(seen);
  const found = [prefWinSwatches(heads)];
  if (seen.votes.systems.length > 2) found.push(prefAgainstAll(seen, heads));
  if (chosen.note) found.push(el("p", { class: "quiet" }, chosen.note));
  found.push(
    chosen.first.length
      ? prefPairTable("votes-pairs", t("pref_pairs_caption"), seen, heads, chosen.first)
      : el("p", { class: "quiet" }, t("pref_no_pairs")),
  );
  if (chosen.more.length) found.push(prefMore(seen, heads, chosen.more));
  if (seen.votes.systems.length > 2) found.push(prefMatrix(seen));
  return found;
}

// -- which pairs of many

/** Every pair that was compared, in the record's order: its rates in the order of rows, seen from its first system. */
function prefPairs(votes) {
  const found = new Map();
  for (const rate of votes.rates) {
    const key = prefKey([rate.system_a, rate.system_b]);
    if (!found.has(key)) found.set(key, { a: rate.system_a, b: rate.system_b, rates: [] });
    found.get(key).rates.push(rate);
  }
  const scopes = ["language", "macro", "pooled"];
  for (const pair of found.values()) {
    const order = prefInOrder(pair.rates.map((rate) => rate.language));
    const rank = (rate) => scopes.indexOf(rate.scope) * order.length + order.indexOf(rate.language);
    pair.rates.sort((one, other) => rank(one) - rank(other));
  }
  return [...found.values()];
}

/** What a pair comes to: in the language chosen, else its mean over languages, else in its one language. */
function prefHeadline(rates, language) {
  if (language) return rates.find((rate) => rate.scope === "language" && rate.language === language) || null;
  return rates.find((rate) => rate.scope === "macro") || rates[0];
}

/** The strongest of the systems that stand in most languages: one that met others in a single one says little. */
function prefReference(votes) {
  const languages = new Map(votes.systems.map((system) => [system, new Set()]));
  for (const rate of votes.rates) {
    if (rate.scope === "language")
      for (const system of [rate.system_a, rate.system_b]) languages.get(system).add(rate.language);
  }
  const most = Math.max(...[...languages.values()].map((codes) => codes.size));
  return votes.systems.find((system) => languages.get(system).size === most);
}

/** The pairs shown first and those shown on request, and in words which of how many these are. */
function prefChosen(seen) {
  const { votes, language, systems } = seen;
  const every = prefPairs(votes).filter((pair) => prefHeadline(pair.rates, language));
  if (systems.length) return { first: every.filter((pair) => prefHas(systems, pair.a, pair.b)), more: [], note: "" };
  const reference = prefReference(votes);
  const isWith = (pair) => pair.a === reference || pair.b === reference;
  const top = new Set([reference, ...votes.systems.slice(0, PREF_MOST_SYSTEMS)]);
  const among = every.filter((pair) => top.has(pair.a) && top.has(pair.b));
  const kept = [...among.filter(isWith), ...among.filter((pair) => !isWith(pair))].slice(0, PREF_MOST_PAIRS);
  const isFew = kept.length <= PREF_MOST_SYSTEMS || votes.languages.length === 1 || Boolean(language);
  return {
    first: isFew ? kept : kept.filter(isWith),
    more: isFew ? [] : kept.filter((pair) => !isWith(pair)),
    note: kept.length === every.length ? "" : prefWhich(kept, every.length, votes, kept.every(isWith) ? reference : ""),
  };
}

function prefWhich(kept, of, votes, reference) {
  if (reference) return t("pref_pairs_with", { n: kept.length, of, system: reference });
  return t("pref_pairs_among", { n: kept.length, of, systems: Math.min(PREF_MOST_SYSTEMS, votes.systems.length) });
}

/** Whether a pair is of the systems asked for: one of two where one is asked for. */
function prefHas(systems, a, b) {
  return systems.every((system) => system === a || system === b);
}

function prefMore(seen, heads, pairs) {
  const isOpen = seen.more;
  const button = el(
    "button",
    { type: "button", id: "pref-more", "aria-expanded": String(isOpen) },
    t(isOpen ? "pref_fewer_pairs" : "pref_more_pairs", { n: pairs.length }),
  );
  button.addEventListener("click", () => go(changed({ more: isOpen ? "" : "1" })));
  return [el("p", {}, button), isOpen ? prefPairTable("votes-more", t("pref_more_caption"), seen, heads, pairs) : null];
}

// -- tables of rates

/** The kinds of ties that raters of any pair could tell: good and bad apart, or only that there is one. */
function prefTieHeads(rates) {
  const isTold = rates.some((rate) => rate.tie_good !== null);
  const isUntold = rates.some((rate) => rate.tie_good === null);
  return [...(isTold ? ["tie_good", "tie_bad"] : []), ...(isUntold ? [isTold ? "tie_any" : "tie"] : [])];
}

function prefWinSwatches(heads) {
  const kinds = { tie_good: "tie", tie_bad: "tie-bad", tie: "tie", tie_any: "tie-any" };
  return el(
    "p",
    { class: "quiet swatches" },
    prefSwatch("win", t("pref_first_wins")),
    heads.map((head) => prefSwatch(kinds[head], t("pref_" + head))),
    prefSwatch("loss", t("pref_second_wins")),
    prefDotSwatch(t("pref_win_rate_dot")),
  );
}

function prefRateHeads(first, heads, correction) {
  return [
    prefHead(first, "", { class: "model" }),
    prefHead(t("pref_bar"), t("pref_bar_detail")),
    prefHead(t("pref_win_rate"), t("pref_win_rate_detail")),
    prefHead(t("pref_decisive"), t("pref_decisive_detail")),
    prefHead(t("pref_net"), t("pref_net_detail")),
    heads.map((head) => prefHead(t("pref_" + head), "%")),
    prefHead("p", prefTerm("correction", correction)),
    prefHead("n"),
  ];
}

/** The bar, the numbers and the counts of a rate. */
function prefRateCells(rate, heads) {
  const ties = {
    tie_good: rate.tie_good,
    tie_bad: rate.tie_bad,
    tie: rate.tie,
    tie_any: rate.tie_good === null ? rate.tie : null,
  };
  const bounds = (field) => rate.intervals[field === "tie_any" ? "tie" : field];
  return [
    prefBar(prefRateParts(rate, heads), { value: rate.win_half, low: rate.low, high: rate.high }, { hasHalf: true }),
    prefCell({ value: rate.win_half, low: rate.low, high: rate.high }),
    prefCell(prefNamed(rate.win_decisive, bounds("win_decisive"))),
    prefCell(prefNamed(rate.net, bounds("net")), { isSigned: true }),
    heads.map((head) => prefCell(prefNamed(ties[head], bounds(head)))),
    prefChance(rate.p_adjusted),
    prefCounts(prefOver("votes", rate.num_votes, rate)),
  ];
}

function prefRateParts(rate, heads) {
  const part = (kind, share, key) => ({ kind, share, words: t(key, { share: prefPercent(share) }) });
  const isTold = rate.tie_good !== null && rate.tie_bad !== null;
  const untold = part(heads.includes("tie") ? "tie" : "tie-any", rate.tie, "pref_tied");
  const ties = isTold
    ? [part("tie", rate.tie_good, "pref_tied_good"), part("tie-bad", rate.tie_bad, "pref_tied_bad")]
    : [untold];
  return [part("win", rate.win, "pref_won"), ...ties, part("loss", rate.loss, "pref_lost")];
}

/** A table of pairs: by language where there are several, else a row a pair. */
function prefPairTable(id, caption, seen, heads, pairs) {
  const { votes, language } = seen;
  const isByLanguage = votes.languages.length > 1 && !language;
  const first = isByLanguage ? t("pref_language") : t("pref_pair");
  const bodies = isByLanguage
    ? pairs.map((pair) => prefPairBody(pair, votes, heads))
    : el(
        "tbody",
        {},
        pairs.map((pair) => prefPairRow(pair, prefHeadline(pair.rates, language), heads)),
      );
  return prefTable(id, caption, "votes", prefRateHeads(first, heads, votes.correction), bodies);
}

function prefPairRow(pair, rate, heads) {
  return el("tr", {}, prefPairHead(pair.a, pair.b, t("pref_against")), prefRateCells(rate, heads));
}

function prefPairBody(pair, votes, heads) {
  const title = el(
    "span",
    { class: "said" },
    name(pair.a),
    " ",
    el("i", { class: "quiet" }, t("pref_against")),
    " ",
    name(pair.b),
  );
  const isOfPair = (one) => one.system_a === pair.a && one.system_b === pair.b;
  const others = votes.other_languages.find(isOfPair);
  const worst = votes.worst_languages.find(isOfPair);
  return el(
    "tbody",
    {},
    el("tr", { class: "two" }, el("th", { scope: "rowgroup", colspan: heads.length + 7 }, title)),
    pair.rates.map((rate) =>
      el("tr", { class: rate.scope === "language" ? null : "total" }, prefScopeHead(rate), prefRateCells(rate, heads)),
    ),
    others ? prefOthersRow(others, heads) : null,
    worst ? prefWorstRow(worst, heads) : null,
  );
}

function prefScopeHead(rate) {
  if (rate.scope === "language") return prefLanguageHead(rate.language);
  const isMean = rate.scope === "macro";
  return prefTotalHead(
    t(isMean ? "pref_mean" : "pref_pooled"),
    isMean ? t("pref_mean_detail", { n: rate.num_languages }) : t("pref_pooled_detail"),
  );
}

function prefTotalHead(title, detail) {
  return el("th", { scope: "row", class: "model total" }, title, el("span", { class: "detail" }, detail));
}

/** What a language drawn from all there are would say. */
function prefOthersRow(one, heads) {
  const apart = t("pref_apart", { points: number(100 * one.tau, 1), share: percent(100 * one.i_squared, 0) });
  return el(
    "tr",
    { class: "total" },
    prefTotalHead(t("pref_others"), t("pref_others_detail")),
    prefBar([], one, { words: t("pref_win_rate_dot"), hasHalf: true }),
    prefCell(one),
    Array.from({ length: heads.length + 2 }, prefNothing),
    prefChance(null),
    prefCounts([t("pref_languages", { n: one.languages.length }), apart]),
  );
}

/** The language in which the first does worst, and a bound below which it lies in none. */
function prefWorstRow(one, heads) {
  const value = el("b", { class: "value" }, prefShareNumber(one.value));
  return el(
    "tr",
    { class: "total" },
    prefTotalHead(t("pref_worst"), prefLanguage(one.language)),
    prefNothing(),
    el(
      "td",
      { class: "cell" },
      value,
      el("span", { class: "n" }, t("pref_nowhere_below", { value: prefShareNumber(one.low) })),
    ),
    Array.from({ length: heads.length + 2 }, prefNothing),
    prefChance(null),
    prefCounts([t("pref_languages", { n: one.languages.length })]),
  );
}

/** Every system against all that it met, in the order of strength. */
function prefAgainstAll(seen, heads) {
  const { votes, language } = seen;
  const rows = (seen.systems.length ? seen.systems : votes.systems)
    .map((system) =>
      prefHeadline(
        votes.rates_against_all.filter((rate) => rate.system_a === system),
        language,
      ),
    )
    .filter(Boolean)
    .map((rate) => el("tr", {}, prefSystemHead(rate), prefRateCells(rate, heads)));
  return prefTable(
    "votes-all",
    t("pref_all_caption"),
    "votes",
    prefRateHeads(t("pref_system"), heads, votes.correction),
    el("tbody", {}, rows),
  );
}

function prefSystemHead(rate) {
  const over = rate.scope === "macro" ? t("pref_mean_of", { n: rate.num_languages }) : prefLanguage(rate.language);
  return el("th", { scope: "row", class: "model" }, headName(rate.system_a), el("span", { class: "detail" }, over));
}

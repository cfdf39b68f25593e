// What speaks against a run's numbers, and how far they were checked.

/** Shown by badges of their own. */
const BADGED = ["incomplete", "partial"];

/** A red flag in the language of the page, with how many of how many it is about. */
function redFlagText({ kind, count: n, total }) {
  if (!n) return t("red_" + kind);
  return t("red_counted", { what: t("red_" + kind), number: total ? t("of", { part: n, whole: total }) : count(n) });
}

/** The first of a run's red flags; nothing where there is none. */
function redFlagNote(...runs) {
  const flags = runs.flatMap((run) => run.red_flags);
  const texts = [...new Set(flags.filter((flag) => !BADGED.includes(flag.kind)).map(redFlagText))];
  return texts.length ? el("span", { class: "detail warning" }, texts[0], texts.length > 1 ? " …" : "") : null;
}

/** How far a ledger says that a run was checked, with what was not. */
function trustNodes({ trust, withdrawn }) {
  if (withdrawn) return t("withdrawn_detail", { why: plain(withdrawn) });
  if (!trust) return t(board.ledger ? "trust_not_in_ledger" : "trust_no_ledger");
  return [
    t("trust_" + trust.level.replaceAll("-", "_")),
    ...trust.reasons.map((reason) => el("div", { class: "quiet" }, english(reason))),
  ];
}

/** A hash, which may be broken at any place. */
function hashText(hash) {
  return el("code", { class: "hash", dir: "ltr" }, hash);
}

/** The ledger that rows' trust is from. */
function ledgerLine() {
  if (!board.ledger) return null;
  return el("p", {}, t("ledger_line", { n: board.ledger.num_entries }), " ", hashText(board.ledger.head || t("none")));
}

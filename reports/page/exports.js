// What a view shows, as a file: CSV, JSON, Markdown, LaTeX. Made here, so that a page on disk can give it.
// A view's `show` returns tables `{name, head: [text], rows: [[text or number or null]]}`, or a function that makes them.

const WRITERS = { csv: asCsv, json: asJson, md: asMarkdown, tex: asLatex };

/** Links that save `tables` in each form. */
function downloads(tables, filename) {
  const buttons = Object.keys(WRITERS).map((form) => {
    const button = el("button", { type: "button", class: "download", id: "download-" + form }, form.toUpperCase());
    button.addEventListener("click", () =>
      save(filename + "." + form, WRITERS[form](typeof tables === "function" ? tables() : tables)),
    );
    return button;
  });
  return el("p", { class: "downloads" }, t("download") + " ", buttons);
}

function save(filename, text) {
  const url = URL.createObjectURL(new Blob([text], { type: "text/plain;charset=utf-8" }));
  const link = el("a", { href: url, download: filename });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

// What evalsuite/tables.py does to a text of a CSV: one line of what can be seen, with an apostrophe before what a
// spreadsheet would take for a formula. What is a number is none.
function csvText(text) {
  const isFormula = /^ *[=+\-@\t\r]/.test(text) && !/^[+-]?[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]+)?$/.test(text);
  return (isFormula ? "'" : "") + plain(text).replace(/[\n\t]/g, codePoint);
}

function asCsv(tables) {
  const field = (value) => {
    if (value === null || value === undefined) return "";
    const text = typeof value === "number" ? String(value) : csvText(String(value));
    return /[",]/.test(text) ? '"' + text.replace(/"/g, '""') + '"' : text;
  };
  return tables
    .map((table) => [table.head, ...table.rows].map((row) => row.map(field).join(",")).join("\r\n") + "\r\n")
    .join("\r\n");
}

function asJson(tables) {
  const rows = ({ head, rows }) => {
    const keys = apart(head);
    return rows.map((row) => Object.fromEntries(keys.map((key, at) => [key, row[at] ?? null])));
  };
  return (
    JSON.stringify(
      tables.map((table) => ({ name: table.name, rows: rows(table) })),
      null,
      1,
    ) + "\n"
  );
}

/** The names, the second of two that are alike with a number. */
function apart(names) {
  const taken = new Set();
  for (const one of names) {
    let found = String(one);
    for (let number = 2; taken.has(found); number += 1) found = one + " " + number;
    taken.add(found);
  }
  return [...taken];
}

function asMarkdown(tables) {
  const field = (value) =>
    plain(value ?? "")
      .replace(/[\\|`*_<>[\]]/g, "\\$&")
      .replace(/\s+/g, " ");
  const line = (row) => "| " + row.map(field).join(" | ") + " |";
  const rule = (table) =>
    "|" +
    table.head.map((_, at) => (table.rows.some((row) => typeof row[at] === "number") ? " ---: " : " --- ")).join("|") +
    "|";
  return tables
    .map(
      (table) =>
        ["**" + field(table.name) + "**", "", line(table.head), rule(table), ...table.rows.map(line)].join("\n") + "\n",
    )
    .join("\n");
}

const TEX = {
  "\\": "\\textbackslash{}",
  "~": "\\textasciitilde{}",
  "^": "\\textasciicircum{}",
  "<": "\\textless{}",
  ">": "\\textgreater{}",
  "|": "\\textbar{}",
  '"': "\\textquotedbl{}",
  "`": "\\textasciigrave{}",
  "\u2212": "$-$",
  "\u2191": "$\\uparrow$",
  "\u2193": "$\\downarrow$",
};

function asLatex(tables) {
  const field = (value) =>
    plain(value ?? "")
      .replace(/[\\~^<>|"`\u2212\u2191\u2193]|[&%$#_{}]/g, (char) => TEX[char] || "\\" + char)
      .replace(/\s+/g, " ");
  // LaTeX would take "[" and "*" for the end of the line before.
  const line = (row) =>
    row
      .map(field)
      .join(" & ")
      .replace(/^\s*[[*]/, "{}$&") + " \\\\";
  return tables
    .map((table) => {
      const aligned = table.head
        .map((_, at) => (table.rows.some((row) => typeof row[at] === "number") ? "r" : "l"))
        .join("");
      return (
        [
          "\\begin{table}",
          "\\caption{" + field(table.name) + "}",
          "\\begin{tabular}{" + aligned + "}",
          "\\toprule",
          line(table.head),
          "\\midrule",
          ...table.rows.map(line),
          "\\bottomrule",
          "\\end{tabular}",
          "\\end{table}",
        ].join("\n") + "\n"
      );
    })
    .join("\n");
}

/** What must be known of whole runs before their numbers are read, as evalsuite/boards/table_parts.py has it. */
function marksText(runs) {
  const marks = runs.flatMap((run) => [
    run.is_partial ? "partial sample" : "",
    run.status === "complete" ? "" : run.status,
    run.unfit.length ? "unfit judge" : "",
    run.withdrawn ? "withdrawn" : "",
  ]);
  return [...new Set(marks)].filter(Boolean).join(", ");
}

/** Head and fields of a run for a table to download. */
const RUN_FIELDS = ["model", "run", "marks"];

function runFields(run) {
  return [run.name, run.id, marksText([run])];
}

/** Head and fields of a cell for a table to download: value, interval, n. */
const CELL_FIELDS = ["value", "low", "high", "n", "clusters", "unscored"];

function cellFields(cell, scale) {
  if (!cell) return CELL_FIELDS.map(() => null);
  const scaled = (value) => (value === null ? null : value * scale);
  return [scaled(cell.value), scaled(cell.low), scaled(cell.high), cell.n, cell.clusters, cell.unscored];
}

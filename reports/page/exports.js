// What a view shows, as a file: CSV, JSON, Markdown, LaTeX. Made here, so that a page on disk can give it.
// A view's `show` returns tables `{name, head: [text], rows: [[text or number or null]]}`, or a function that makes them.

const WRITERS = { csv: asCsv, json: asJson, md: asMarkdown, tex: asLatex };

/** Links that save `tables` in each form. */
function downloads(tables, filename) {
  const buttons = Object.keys(WRITERS).map((form) => {
    const button = el("button", { type: "button", class: "download", id: "download-" + form }, form.toUpperCase());
    button.addEventListener("click", () => save(filename + "." + form, WRITERS[form](typeof tables === "function" ? tables() : tables)));
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

// A spreadsheet takes text that begins so for a formula.
function guarded(text) {
  return /^[=+\-@\t\r]/.test(text) ? "'" + text : text;
}

function asCsv(tables) {
  const field = (value) => {
    if (value === null || value === undefined) return "";
    const text = typeof value === "number" ? String(value) : guarded(String(value));
    return /[",\r\n]/.test(text) ? '"' + text.replace(/"/g, '""') + '"' : text;
  };
  return tables.map((table) => [table.head, ...table.rows].map((row) => row.map(field).join(",")).join("\r\n") + "\r\n").join("\r\n");
}

function asJson(tables) {
  return JSON.stringify(tables.map((table) => ({ name: table.name, rows: table.rows.map((row) => Object.fromEntries(table.head.map((key, at) => [key, row[at] ?? null]))) })), null, 1) + "\n";
}

function asMarkdown(tables) {
  const field = (value) => plain(value ?? "").replace(/[\\|`*_<>[\]]/g, "\\$&").replace(/\s+/g, " ");
  const line = (row) => "| " + row.map(field).join(" | ") + " |";
  const rule = (table) => "|" + table.head.map((_, at) => (table.rows.some((row) => typeof row[at] === "number") ? " ---: " : " --- ")).join("|") + "|";
  return tables.map((table) => ["**" + field(table.name) + "**", "", line(table.head), rule(table), ...table.rows.map(line)].join("\n") + "\n").join("\n");
}

const TEX = { "\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}" };

function asLatex(tables) {
  const field = (value) => plain(value ?? "").replace(/[\\~^]|[&%$#_{}]/g, (char) => TEX[char] || "\\" + char).replace(/\s+/g, " ");
  const line = (row) => row.map(field).join(" & ") + " \\\\";
  return tables.map((table) => {
    const aligned = table.head.map((_, at) => (table.rows.some((row) => typeof row[at] === "number") ? "r" : "l")).join("");
    return ["\\begin{table}", "\\caption{" + field(table.name) + "}", "\\begin{tabular}{" + aligned + "}", "\\toprule", line(table.head), "\\midrule", ...table.rows.map(line), "\\bottomrule", "\\end{tabular}", "\\end{table}"].join("\n") + "\n";
  }).join("\n");
}

/** Head and fields of a cell for a table to download: value, interval, n. */
const CELL_FIELDS = ["value", "low", "high", "n", "clusters", "unscored"];

function cellFields(cell, scale) {
  if (!cell) return CELL_FIELDS.map(() => null);
  const scaled = (value) => (value === null ? null : value * scale);
  return [scaled(cell.value), scaled(cell.low), scaled(cell.high), cell.n, cell.clusters, cell.unscored];
}
